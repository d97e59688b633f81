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
