import {
  createHmac,
  createPublicKey,
  diffieHellman,
  hash,
  hkdfSync,
  type JsonWebKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import { encode, Tag } from '../cbor.ts'
import { type CoseSign, readSign1, type Sign1Item, sign1Item } from '../cose/sign1.ts'
import { malformed } from '../formats/json.ts'
import type { SessionTranscript } from './session-transcript.ts'
import { encodedBytes, listIn, mapIn } from './values.ts'

/** Algorithms of device keys (ISO/IEC 18013-5, section 9.1.3.6) that are understood here. */
const signatureAlgorithms: Record<string, 'ES256' | 'ES384' | 'EdDSA'> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  Ed25519: 'EdDSA',
}

/** HMAC 256/256 (RFC 9053, section 3.1). */
const hmac256 = 5

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

const authenticationHead = Buffer.concat([Buffer.of(0x84), encode('DeviceAuthentication')])

/**
 * `DeviceAuthenticationBytes` (ISO/IEC 18013-5, section 9.1.3.4), which the device signs or authenticates.
 * @param nameSpaces the octets of `DeviceNameSpaces`, as they stand in the response.
 */
const authenticationBytes = (about: Bound): Uint8Array => {
  const { transcript, docType, nameSpaces } = about
  return encodedBytes(Buffer.concat([authenticationHead, transcript, encode(docType), encodedBytes(nameSpaces)]))
}

/** What the device vouches for. */
export type Bound = { transcript: SessionTranscript; docType: string; nameSpaces: Uint8Array }

export type DeviceProof = { kind: 'signature' | 'mac'; item: unknown }

/** @throws Refusal malformed/credential_malformed unless there is exactly one of `deviceSignature` and `deviceMac`. */
export const readDeviceAuth = (value: unknown): DeviceProof => {
  const auth = mapIn(value, 'deviceAuth')
  const [signature, mac] = [auth.get('deviceSignature'), auth.get('deviceMac')]
  if ((signature === undefined) === (mac === undefined))
    throw malformed('The mdoc is presented with neither or both of a device signature and a device MAC.')
  return signature === undefined ? { kind: 'mac', item: mac } : { kind: 'signature', item: signature }
}

const signatureHolds = (item: unknown, bound: Bound, deviceKey: JsonWebKey): Promise<boolean> => {
  const { signature } = readSign1(item, { detachedPayload: authenticationBytes(bound) })
  const algorithm = signatureAlgorithms[deviceKey.crv ?? '']
  if (algorithm === undefined || algorithm !== signature.algorithm)
    throw rejected('algorithm_mismatch', 'The device signature names another algorithm than the device’s key has.')
  return signature.holds({ publicKey: createPublicKey({ key: deviceKey, format: 'jwk' }), algorithm })
}

const sharedSecret = (privateKey: KeyObject, publicKey: KeyObject): Buffer => {
  try {
    return diffieHellman({ privateKey, publicKey })
  } catch (cause) {
    // A point of small order, for one.
    throw new Refusal('malformed', 'key_malformed', 'No secret can be agreed on with the device’s key.', { cause })
  }
}

/** `EMacKey` (ISO/IEC 18013-5, section 9.1.3.5). */
const macKey = (deviceKey: JsonWebKey, readerKey: KeyObject, transcript: SessionTranscript): Buffer => {
  const publicKey = createPublicKey({ key: deviceKey, format: 'jwk' })
  const salt = hash('sha256', encodedBytes(transcript), 'buffer')
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey
  if (type !== readerKey.asymmetricKeyType || details?.namedCurve !== readerKey.asymmetricKeyDetails?.namedCurve)
    throw rejected('algorithm_mismatch', 'The device’s key and the reader’s key are on different curves.')
  return Buffer.from(hkdfSync('sha256', sharedSecret(readerKey, publicKey), salt, 'EMacKey', 32))
}

/** COSE_Mac0 with the payload left out (RFC 9052, section 6.2). */
const macHolds = (item: unknown, bound: Bound, deviceKey: JsonWebKey, readerKey: KeyObject): boolean => {
  const parts = listIn(item instanceof Tag && item.tag === 17 ? item.contents : item, 'The device MAC')
  const [protectedHeader, unprotected, payload, tag] = parts
  const isMac = protectedHeader instanceof Uint8Array && unprotected instanceof Map && tag instanceof Uint8Array
  if (parts.length !== 4 || !isMac || payload !== null) throw malformed('The device MAC is not a detached COSE_Mac0.')
  if (Buffer.compare(protectedHeader, encode(new Map([[1, hmac256]]))) !== 0)
    throw rejected('algorithm_refused', 'A device MAC is made with HMAC 256/256 and no other protected header.')
  const structure = encode(['MAC0', protectedHeader, new Uint8Array(0), authenticationBytes(bound)])
  const actual = createHmac('sha256', macKey(deviceKey, readerKey, bound.transcript))
    .update(structure)
    .digest()
  return tag.length === actual.length && timingSafeEqual(tag, actual)
}

/**
 * Whether the device vouches for a presentation in this exchange (ISO/IEC 18013-5, section 9.1.3.2).
 * @param readerKey the reader's ephemeral private key: a device MAC cannot be checked without it.
 * @throws Refusal malformed/credential_malformed, rejected/algorithm_mismatch, rejected/algorithm_refused,
 *   rejected/holder_unproven for a MAC that nobody here can check
 */
export const deviceVouches = async (
  proof: DeviceProof,
  bound: Bound,
  keys: { deviceKey: JsonWebKey; readerKey?: KeyObject | undefined },
): Promise<boolean> => {
  if (proof.kind === 'signature') return signatureHolds(proof.item, bound, keys.deviceKey)
  if (keys.readerKey === undefined)
    throw rejected(
      'holder_unproven',
      'The mdoc is presented with a device MAC, and there is no reader key to check it.',
    )
  return macHolds(proof.item, bound, keys.deviceKey, keys.readerKey)
}

/** `deviceSignature` over an exchange. */
export const signDevice = (bound: Bound, algorithm: 'ES256' | 'ES384' | 'EdDSA', sign: CoseSign): Promise<Sign1Item> =>
  sign1Item({ algorithm, detachedPayload: authenticationBytes(bound) }, sign)
