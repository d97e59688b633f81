import type { Requirement } from '../../kernel/requirement.ts'

export const requires = {
  anyone: { by: 'anyone' },
  offer: { by: 'staff', scope: 'credentials:issue' },
  release: { by: 'staff', scope: 'credentials:release' },
} as const satisfies Record<string, Requirement>

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** How long a c_nonce can be used; a proof of a key is as old at most. */
export const nonceLifeMs = 5 * minute

/** Until when an offer can be taken up, if it does not say, and at most. */
export const offerLifeMs = hour
export const offerLifeMost = 7 * day
/** How long after that the credentials can be collected by whoever took it up, if it does not say, and at most. */
export const collectLifeMs = day
export const collectLifeMost = 400 * day

/** How often whoever has the token may collect each configuration, at most. */
export const timesMost = 100
/** Bounds of a transaction code. */
export const txCodeLength = { least: 4, usual: 6, most: 12 } as const

/** How long a deferred answer is given again that got lost on its way. */
export const deferredAgainMs = 5 * minute

/** How long it stays readable that something was collected. */
export const keptMs = 90 * day

export const sweepEveryMs = minute
/** How long signed metadata is handed out again, and how long it counts. */
export const metadataSignedMs = hour
export const metadataLifeMs = day
