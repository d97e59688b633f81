import type { Requirement } from '../../kernel/gate.ts'

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
