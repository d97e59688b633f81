import type { Requirement } from '../../kernel/requirement.ts'

export const requires = {
  anyone: { by: 'anyone' },
  request: { by: 'staff', scope: 'presentations:request' },
  read: { by: 'staff', scope: 'presentations:read' },
} as const satisfies Record<string, Requirement>

/** How long a request may be answered, in milliseconds: as it is, and at most. */
export const requestLifeMs = 5 * 60_000
export const requestLifeMostMs = 60 * 60_000
/** How long an answer is there for whoever asked, after the request has expired. */
export const answerKeepMs = 24 * 60 * 60_000
/** How long it can be told of an unanswered request that it has expired. */
export const expiredGraceMs = 10 * 60_000
/** How often a process takes away what is over. */
export const sweepEveryMs = 60_000
/** Requests under way that a process keeps in mind; others are read when a wallet comes for them. */
export const asksHeld = 5_000
export const askBytesHeld = 16_384
/** Answers that do not hold before a request ends. */
export const failuresMost = 5
/** Formats of HAIP 1.0. */
export const haipFormats: readonly string[] = ['dc+sd-jwt', 'mso_mdoc']
