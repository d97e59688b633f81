import { Refusal } from '../kernel/refusal.ts'
import { openThread } from './own-thread.ts'

/**
 * BBS signatures (draft-irtf-cfrg-bbs-signatures) in the ciphersuite BLS12-381-SHA-256, on a thread of their own: a
 * hundred messages take more than half a second of a core.
 */

/** Octets of what BBS handles: a scalar, a compressed G2 point, and a compressed G1 point with a scalar. */
export const bbsLength = { secretKey: 32, publicKey: 96, signature: 80 } as const
/** Three G1 points and four scalars (section 4.3.6 octets_to_proof); each message that stays hidden adds a scalar. */
const proofLengthLeast = 3 * 48 + 4 * 32
/** Beyond what any credential type of the house comes to; so many take a second and a half. */
const messagesMost = 256
const workWaiting = 64
/** Work over more messages than this is long: it waits in places of its own, so that a few callers cannot hold up all. */
const longMessages = 48
const longWaiting = 4

export type BbsKeyPair = { secretKey: Uint8Array; publicKey: Uint8Array }
export type BbsSigned = { header: Uint8Array; messages: readonly Uint8Array[] }
export type BbsToSign = BbsKeyPair & BbsSigned
export type BbsToVerify = BbsSigned & { publicKey: Uint8Array; signature: Uint8Array }
/** `disclosed`: indexes into all messages, ascending. */
export type BbsToDerive = BbsToVerify & { presentationHeader: Uint8Array; disclosed: readonly number[] }
/** `messages` are the disclosed ones only, in the order of `disclosed`. */
export type BbsProof = BbsSigned & {
  publicKey: Uint8Array
  proof: Uint8Array
  presentationHeader: Uint8Array
  disclosed: readonly number[]
}

export type BbsWork =
  | { op: 'keyPair'; input: { seed: Uint8Array | undefined } }
  | { op: 'publicKey'; input: { secretKey: Uint8Array } }
  | { op: 'sign'; input: BbsToSign }
  | { op: 'verify'; input: BbsToVerify }
  | { op: 'derive'; input: BbsToDerive }
  | { op: 'verifyProof'; input: BbsProof }

const unavailable = (cause?: unknown): Refusal =>
  new Refusal('unavailable', 'bbs_unavailable', 'No BBS signature can be handled now; try again.', { cause })
const malformed = (detail: string): Refusal => new Refusal('malformed', 'proof_malformed', detail)

const ask = openThread<BbsWork>({
  file: new URL('./bbs-worker.ts', import.meta.url),
  most: workWaiting,
  unavailable,
})

let long = 0

/** @throws Refusal unavailable/bbs_unavailable when as much long work waits already as may */
const inShare = async <Result>(count: number, run: () => Promise<Result>): Promise<Result> => {
  if (count <= longMessages) return run()
  if (long >= longWaiting) throw unavailable()
  long++
  try {
    return await run()
  } finally {
    long--
  }
}

const assertLength = (bytes: Uint8Array, what: keyof typeof bbsLength): void => {
  if (bytes.length !== bbsLength[what]) throw malformed(`A BBS ${what} has ${bbsLength[what]} octets.`)
}

const assertMessages = (count: number): void => {
  if (count > messagesMost) {
    throw new Refusal('too_large', 'bbs_messages_many', `A BBS signature is over ${messagesMost} messages at most.`)
  }
}

/** Whether indexes ascend within the signed messages. */
const areDisclosed = (disclosed: readonly number[], count: number): boolean =>
  disclosed.every((index, at) => Number.isSafeInteger(index) && index < count && index > (disclosed[at - 1] ?? -1))

/** A key pair (section 3.4 KeyGen). @param seed at least 32 octets; random when absent. */
export const bbsKeyPair = async (seed?: Uint8Array): Promise<BbsKeyPair> => ask({ op: 'keyPair', input: { seed } })

/** The public key of a secret scalar (section 3.5 SkToPk). */
export const bbsPublicKey = async (secretKey: Uint8Array): Promise<Uint8Array> => {
  assertLength(secretKey, 'secretKey')
  return ask({ op: 'publicKey', input: { secretKey } })
}

/** Signs messages under a header (section 3.6.1 Sign). Deterministic. */
export const bbsSign = async (input: BbsToSign): Promise<Uint8Array> => {
  assertLength(input.secretKey, 'secretKey')
  assertLength(input.publicKey, 'publicKey')
  assertMessages(input.messages.length)
  return inShare(input.messages.length, () => ask({ op: 'sign', input }))
}

/** Section 3.6.2 Verify. Whatever cannot be read as a key or a signature does not verify. */
export const bbsVerify = async (input: BbsToVerify): Promise<boolean> => {
  if (input.publicKey.length !== bbsLength.publicKey || input.signature.length !== bbsLength.signature) return false
  assertMessages(input.messages.length)
  return inShare(input.messages.length, () => ask({ op: 'verify', input }))
}

/**
 * A proof that one has a signature over messages, some of which are disclosed (section 3.6.3 ProofGen). Random, so that
 * two proofs of one signature cannot be told to be so. The signature is not verified here.
 */
export const bbsProofGen = async (input: BbsToDerive): Promise<Uint8Array> => {
  assertLength(input.publicKey, 'publicKey')
  assertLength(input.signature, 'signature')
  assertMessages(input.messages.length)
  if (!areDisclosed(input.disclosed, input.messages.length)) {
    throw malformed('The disclosed messages are not named in ascending order within the signed ones.')
  }
  return inShare(input.messages.length, () => ask({ op: 'derive', input }))
}

/** Section 3.6.4 ProofVerify. Whatever cannot be read as a key or a proof does not verify. */
export const bbsProofVerify = async (input: BbsProof): Promise<boolean> => {
  const hidden = (input.proof.length - proofLengthLeast) / 32
  if (input.publicKey.length !== bbsLength.publicKey || !Number.isInteger(hidden) || hidden < 0) return false
  if (input.messages.length !== input.disclosed.length) return false
  const count = hidden + input.messages.length
  assertMessages(count)
  if (!areDisclosed(input.disclosed, count)) return false
  return inShare(count, () => ask({ op: 'verifyProof', input }))
}
