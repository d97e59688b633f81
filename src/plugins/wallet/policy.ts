import type { Requirement } from '../../kernel/requirement.ts'

export const requires = {
  anyone: { by: 'anyone' },
  citizen: { by: 'citizen' },
} as const satisfies Record<string, Requirement>

/** What deriving a key from a passphrase costs (Argon2id, RFC 9106). */
export type PassphraseCost = { memoryKib: number; passes: number; parallelism: number }

/** RFC 9106 section 4, second recommendation. */
export const passphraseCost: PassphraseCost = { memoryKib: 65_536, passes: 3, parallelism: 4 }
/** Nothing cheaper is made or opened: the least that is held to withstand guessing. */
export const passphraseCostLeast: PassphraseCost = { memoryKib: 19_456, passes: 2, parallelism: 1 }
/** Nothing dearer is opened: an export file names its own cost, and must not be able to exhaust the service. */
export const passphraseCostMost: PassphraseCost = { memoryKib: 262_144, passes: 10, parallelism: 4 }
/** Derivations at once; they share the thread pool with signatures. */
export const derivationsAtOnce = 2
/** Derivations that may wait; beyond that a sign-in is refused at once. */
export const derivationsWaiting = 32

/** Characters of a new passphrase. */
export const passphraseLeast = 12
export const passphraseMost = 1_024

/** Failed proofs of one handle, known or not, in one window. */
export const attemptsMost = 10
export const attemptsWindowMs = 15 * 60_000

/** Life of a session; it is not prolonged by use. */
export const sessionLifeMs = 30 * 60_000
/** Sessions of one citizen; opening another ends the oldest. */
export const sessionsMost = 8

export const heldMost = 200
/** Keys that no credential has come for yet. */
export const idleKeysMost = 50
/** All keys of credentials. */
export const keysMost = heldMost + idleKeysMost
/** Keys of accounts on ledgers. */
export const ledgerKeysMost = 50
export const compactMost = 65_536
export const pageMost = 100
export const pageDefault = 50
/** Claims chosen in one presentation. */
export const claimsMost = 128

/** Bytes of an export as JSON, so that an import's body (at most 1 MB) can carry it. */
export const exportMost = 900_000
/** Bytes of an export's content after decompression. */
export const exportContentMost = 16_777_216
/** Newest disclosures that an export carries. */
export const exportDisclosures = 500
/** Seconds within which a verifier must get a presentation made for a minor. */
export const presentationLifeSeconds = 300

/** Offers and collections of one citizen. */
export const collectionsMost = 50
/** How long an offer waits for the citizen. Its codes mostly end sooner. */
export const offerLifeMs = 24 * 60 * 60_000
/** How long a credential may be put off, from the first time on. */
export const deferralMostMs = 90 * 24 * 60 * 60_000
/** How long a collection can be renewed (HAIP 1.0, section 4.4: no longer than a year). */
export const collectedLifeMs = 365 * 24 * 60 * 60_000
/** One call at a time talks to the issuer; what has not ended by then has died. */
export const collectionLeaseMs = 2 * 60_000
/** Wrong transaction codes for one offer. Issuers count too, and mostly end an offer sooner. */
export const txCodeTriesMost = 5
/** Credentials with a key each that one collection may ask for of one dataset, and in all. */
export const copiesMost = 20
export const collectedMost = 50

/** How long a verifier's request waits for the citizen; a request that says so expires sooner. */
export const presentationRequestLifeMs = 10 * 60_000
/** How long the reading of a request may take before another may begin. */
export const presentationReadingMs = 60_000
/** Requests of one citizen that wait for an answer. */
export const presentationRequestsMost = 20
/** Characters of what is shown of one request, as JSON. */
export const shownMost = 1_000_000
/** Credentials in one answer. */
export const presentedMost = 16
