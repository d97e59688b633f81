import type { Requirement } from '../../kernel/requirement.ts'

export const requires = {
  anyone: { by: 'anyone' },
  agency: { by: 'agency' },
  read: { by: 'staff', scope: 'federation:read' },
  decide: { by: 'staff', scope: 'federation:decide' },
} as const satisfies Record<string, Requirement>

const minute = 60_000

/** How long a statement counts, and how long one that was signed is handed out again; in milliseconds. */
export const statementLifeMs = 24 * 60 * minute
export const statementAgainMs = 10 * minute
/** How long a trust mark counts, where nothing else is said, and at most. */
export const trustMarkLifeMs = 365 * 24 * 60 * minute
export const trustMarkLifeMost = 5 * trustMarkLifeMs
/** Entities below one superior, as a list is handed out; and trust marks that an entity bears. */
export const subordinatesMost = 10_000
export const trustMarksMost = 32
