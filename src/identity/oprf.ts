import { hkdfSync, timingSafeEqual } from 'node:crypto'
import { p256_oprf } from '@noble/curves/nist.js'
import { Refusal } from '../kernel/refusal.ts'
import type { Attribute, DidEvent } from './did-ethr.ts'
import { publicKeyFromRaw } from './key-material.ts'
import type { Keys } from './keys.ts'

/*
 * The partially oblivious mode (POPRF) of RFC 9497 over P-256 with SHA-256. The domain is its public `info`, not a part of
 * the blinded input: two domains are two unrelated functions either way, but so the authority knows which domain it is
 * asked for, can say who may ask for it, and needs to know nothing else.
 */

/** Bytes of a compressed point, of a proof (two scalars) and of an output. */
export const elementBytes = 33
export const proofBytes = 64

export type OprfKey = {
  secretKey: Uint8Array
  /** Compressed point. */
  publicKey: Uint8Array
  /** RFC 7638 thumbprint (SHA-256, base64url) of the public key. */
  keyId: string
}

type Random = (bytes?: number) => Uint8Array

/** One input while it is under way: only `element` leaves the institution. */
export type Blinded = { input: Uint8Array; blind: Uint8Array; element: Uint8Array; tweakedKey: Uint8Array }
export type Evaluated = { elements: Uint8Array[]; proof: Uint8Array }

/** What the function of a domain is tied to, beside its key. */
export const domainInfo = (domain: string): Uint8Array => Buffer.from(`chancery/pseudonym/1/${domain}`, 'utf8')

/** RFC 9497 section 3.3.3, Blind. @param random replaced in tests. */
export const blindInput = (
  input: Uint8Array,
  to: { publicKey: Uint8Array; info: Uint8Array },
  random?: Random,
): Blinded => {
  const { blind, blinded, tweakedKey } = p256_oprf.poprf(to.info).blind(input, to.publicKey, random as never)
  return { input, blind, element: blinded, tweakedKey }
}

/**
 * RFC 9497 section 3.3.3, BlindEvaluate: one proof for all elements.
 * @throws Refusal malformed/blinded_element_invalid for what is no point of the curve.
 */
export const evaluateBlinded = (
  elements: readonly Uint8Array[],
  by: { secretKey: Uint8Array; info: Uint8Array },
  random?: Random,
): Evaluated => {
  const mode = p256_oprf.poprf(by.info)
  try {
    const { evaluated, proof } = mode.blindEvaluateBatch(by.secretKey, [...elements], random as never)
    return { elements: evaluated, proof }
  } catch (cause) {
    const detail = 'A blinded element is not a compressed point of P-256; send what Blind of RFC 9497 gives.'
    throw new Refusal('malformed', 'blinded_element_invalid', detail, { cause })
  }
}

/**
 * RFC 9497 section 3.3.3, Finalize: the outputs (32 bytes each), if the proof shows that the key which they were blinded for made them.
 * @throws Refusal unavailable/pseudonym_proof_invalid
 */
export const finalizeEvaluated = (
  blinded: readonly Blinded[],
  evaluated: Evaluated,
  info: Uint8Array,
): Uint8Array[] => {
  const [first] = blinded
  if (first === undefined) return []
  const invalid = (cause?: unknown) => {
    const detail =
      'What the authority evaluated does not fit the key it published on chain; nothing is derived from it.'
    return new Refusal('unavailable', 'pseudonym_proof_invalid', detail, { cause })
  }
  if (evaluated.elements.length !== blinded.length) throw invalid()
  const items = blinded.map(({ input, blind, element }, at) => ({
    ...{ input, blind, blinded: element },
    evaluated: evaluated.elements[at] as Uint8Array,
  }))
  try {
    return p256_oprf.poprf(info).finalizeBatch(items, evaluated.proof, first.tweakedKey)
  } catch (cause) {
    throw invalid(cause)
  }
}

const keyInfo = Buffer.from('chancery pseudonyms')
const seedMessage = Buffer.from('chancery: the seed of the OPRF key (RFC 9497, P256-SHA256, POPRF). Sign nothing else.')

/**
 * The authority's OPRF key: DeriveKeyPair (RFC 9497 section 3.2.1) from a seed that an Ed25519 key of the key store, used for
 * nothing else, gives by signing one fixed text. Ed25519 signatures are deterministic (RFC 8032), so the key store never hands a
 * secret out, the key is in its backups, and it stays the same when the master key is changed: derived from the master
 * key itself, a change of that would give everybody in the nation another pseudonym.
 * @throws Error when the signer signs one text in two ways.
 */
export const openOprfKey = async (keys: Pick<Keys, 'obtain' | 'signer'>): Promise<OprfKey> => {
  const { keyId: signingKey } = await keys.obtain({ kind: 'Ed25519', alias: 'oprf' })
  const sign = () => keys.signer.sign(signingKey, 'EdDSA', seedMessage)
  const [first, second] = [await sign(), await sign()]
  if (!timingSafeEqual(first, second)) throw new Error('The signer of the OPRF key is not deterministic (RFC 8032).')
  const seed = Buffer.from(hkdfSync('sha256', first, '', 'chancery OPRF seed', 32))
  return oprfKeyFrom(seed)
}

/** @param seed 32 secret bytes. */
export const oprfKeyFrom = (seed: Uint8Array): OprfKey => {
  const { secretKey, publicKey } = p256_oprf.poprf(Uint8Array.of()).deriveKeyPair(seed, keyInfo)
  return { secretKey, publicKey, keyId: oprfKeyId(publicKey) }
}

/** @throws Refusal malformed/key_malformed */
export const oprfKeyId = (publicKey: Uint8Array): string => publicKeyFromRaw('P-256', publicKey).thumbprint

const attributeName = `0x${Buffer.from('chancery/oprf/P-256').toString('hex').padEnd(64, '0')}`
const nullAddress = `0x${'0'.repeat(40)}`

/** The attribute under which the authority's did:ethr names its OPRF key. No resolver puts it into the DID document. */
export const oprfAttribute = (publicKey: Uint8Array): Attribute => ({
  name: attributeName,
  value: `0x${Buffer.from(publicKey).toString('hex')}`,
})

/** The OPRF key that the did:ethr names now: of those in force the one set last. @param now milliseconds. */
export const publishedOprfKey = (events: readonly DidEvent[], now: number): Uint8Array | undefined => {
  const endings = new Map<string, bigint>()
  for (const event of events) {
    if (event.kind === 'owner' && event.owner.toLowerCase() === nullAddress) return undefined
    if (event.kind !== 'attribute' || event.name.toLowerCase() !== attributeName) continue
    const value = event.value.toLowerCase()
    endings.delete(value)
    endings.set(value, BigInt(event.validTo))
  }
  const current = [...endings].findLast(([, validTo]) => validTo * 1_000n >= BigInt(now))
  return current === undefined ? undefined : Buffer.from(current[0].slice(2), 'hex')
}
