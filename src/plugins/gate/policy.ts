import type { Requirement } from '../../kernel/requirement.ts'

export const requires = {
  anyone: { by: 'anyone' },
  known: { by: 'known' },
} as const satisfies Record<string, Requirement>

/** Life of a challenge, whether for a session or for one act. */
export const challengeLifeMs = 5 * 60_000
/** Life of a session; it is not prolonged by use, and ends with the first of its credentials. */
export const sessionLifeMs = 30 * 60_000
/** Sessions kept in memory; others are read from the database when they are next used. */
export const sessionsHeld = 20_000
/** How long this process goes by what it holds of a session before it looks whether another process ended it. */
export const sessionTrustMs = 5_000
/** What was used up is remembered for so much longer than it could be used. */
export const spentGraceMs = 10 * 60_000
/** How often a process takes away what has expired. */
export const sweepEveryMs = 60_000
/** Decided and expired acts stay readable for so long. */
export const pendingKeepMs = 90 * 24 * 60 * 60_000
/** The longest a pending act may wait, whatever its requirement says. */
export const pendingLifeMostSeconds = 30 * 24 * 60 * 60
/** Presentations that one proof may hold. */
export const presentationsMost = 8
export const pageMost = 100
/** Pending acts that one listing looks through. */
export const listedMost = 1_000
