import type { Requirement } from '../../kernel/requirement.ts'

export const requires = {
  anyone: { by: 'anyone' },
  issue: { by: 'staff', scope: 'credentials:issue' },
  read: { by: 'staff', scope: 'credentials:read' },
  status: { by: 'staff', scope: 'credentials:status' },
  verify: { by: 'staff', scope: 'credentials:verify' },
} as const satisfies Record<string, Requirement>

/** Credentials whose status one call may change. */
export const statusChangesMost = 1_000
/** Life of a challenge. */
export const challengeLifeMs = 10 * 60_000
/** How long `?wait=mined` waits for the chain. */
export const waitMs = 30_000
export const pageMost = 200
export const pageUsual = 50
/** In place of an outbox id: the decision waits for the next round of its anchored list. */
export const awaitingRound = ''
/** Decisions that one round takes in at most; the others wait for the next. */
export const decisionsARound = 100_000
