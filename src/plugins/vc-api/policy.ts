import type { Requirement } from '../../kernel/requirement.ts'

export const requires = {
  anyone: { by: 'anyone' },
  issue: { by: 'staff', scope: 'credentials:issue' },
  status: { by: 'staff', scope: 'credentials:status' },
  present: { by: 'staff', scope: 'credentials:present' },
  exchange: { by: 'staff', scope: 'credentials:exchange' },
} as const satisfies Record<string, Requirement>

/** Entries of one list; the least that Bitstring Status List 1.0 (section 6.1) allows. */
export const listLength = 131_072
/** Purposes of lists that an instance has in pairs: an even number for the first, the next one for the second. */
export const purposes = ['revocation', 'suspension'] as const
export type Purpose = (typeof purposes)[number]
/** Purposes of which each list stands for itself. Their numbers begin where no pair ever gets to. */
export const ownPurposes = ['refresh', 'message'] as const
export const ownListsFrom = 1_000_000
/** Bits of a status, and so 256 messages; what is read of others may have more. */
export const statusSizeMost = 8
export const messageLengthMost = 200
export const referencesMost = 8
/** How long a reader may keep a list, in milliseconds. */
export const listTtlMs = 60_000
export const pointersMost = 1_000

/** Bounds of a workflow and of what goes through it. */
export const workflowBytesMost = 262_144
export const variablesBytesMost = 65_536
export const stepsMost = 20
export const templatesMost = 20
export const issueRequestsMost = 10
export const queriesMost = 20
/** How long an exchange may be open, and is where nothing is said; in milliseconds. */
export const exchangeLifeMost = 24 * 60 * 60_000
export const exchangeLifeMs = 15 * 60_000
/** Answers that an exchange refuses before it ends. */
export const failuresMost = 5
