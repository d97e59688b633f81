import { createPublicKey, diffieHellman, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import { PrivateKey } from '@veramo/data-store'
import type { DIDDocument } from 'did-resolver'
import { absoluteUrl, findMethod } from '../did-document.ts'
import { isRecord } from '../formats/json.ts'
import type { Keys } from '../keys.ts'
import { fromBase58btc, toBase58btc } from '../multibase.ts'
import { fromMultikey } from '../multikey.ts'

/** Keys with which messages are encrypted and senders proven. */

/** DIDComm v2.1, Curves and Content Encryption Algorithms: those that everybody has, the preferred one first. */
export const curves = ['X25519', 'P-384', 'P-256'] as const
export type Curve = (typeof curves)[number]

export type AgreementPublicKey = { curve: Curve; publicKey: KeyObject }
export type PublicAgreementKey = AgreementPublicKey & { kid: string }

/** What the holder of a private key and another's public key both know. */
export type Agree = (theirs: KeyObject) => Promise<Buffer>

/** A key of the agency, by the DID URL under which others find it. */
export type AgreementKey = PublicAgreementKey & { agree: Agree }

const alias = 'didcomm.1'
/** Multicodec x25519-pub, as a varint. */
const codec = Buffer.from('ec01', 'hex')
const keyBytes = 32

export const agreementJwk = (key: KeyObject): { kty: string; crv: string; x: string; y?: string } => {
  const { kty = '', crv = '', x = '', y } = key.export({ format: 'jwk' })
  return { kty, crv, x, ...(y === undefined ? {} : { y }) }
}

const x25519 = (raw: Uint8Array): AgreementPublicKey | undefined => {
  if (raw.length !== keyBytes) return undefined
  const jwk = { kty: 'OKP', crv: 'X25519', x: Buffer.from(raw).toString('base64url') }
  return { curve: 'X25519', publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }
}

export const rawX25519 = (key: KeyObject): Buffer => Buffer.from(agreementJwk(key).x, 'base64url')

export const toAgreementMultikey = (raw: Uint8Array): string => toBase58btc(Buffer.concat([codec, raw]))

/** The key of a Multikey; undefined for another kind of key. */
export const fromAgreementMultikey = (text: string): AgreementPublicKey | undefined => {
  const bytes = fromBase58btc(text, codec.length + keyBytes)
  if (bytes?.subarray(0, codec.length).equals(codec)) return x25519(bytes.subarray(codec.length))
  try {
    const { kind, publicKey } = fromMultikey(text)
    return (kind === 'P-256' || kind === 'P-384') && publicKey !== undefined ? { curve: kind, publicKey } : undefined
  } catch {
    return undefined
  }
}

/** The key of a JWK, a point of its curve; undefined for another kind of key, and for a private one. */
export const fromAgreementJwk = (jwk: unknown): AgreementPublicKey | undefined => {
  if (!isRecord(jwk) || 'd' in jwk) return undefined
  const { kty, crv, x, y } = jwk
  const curve = curves.find(each => each === crv)
  if (curve === undefined || kty !== (curve === 'X25519' ? 'OKP' : 'EC')) return undefined
  try {
    const key = { kty, crv, x, ...(curve === 'X25519' ? {} : { y }) } as JsonWebKey
    const publicKey = createPublicKey({ key, format: 'jwk' })
    const read = agreementJwk(publicKey)
    // Written in one way only.
    return read.x === x && (curve === 'X25519' || read.y === y) ? { curve, publicKey } : undefined
  } catch {
    return undefined
  }
}

const keyOf = (method: Readonly<Record<string, unknown>>): AgreementPublicKey | undefined => {
  const { publicKeyJwk, publicKeyMultibase, publicKeyBase58 } = method
  if (publicKeyJwk !== undefined) return fromAgreementJwk(publicKeyJwk)
  if (typeof publicKeyMultibase === 'string') return fromAgreementMultikey(publicKeyMultibase)
  if (method['type'] !== 'X25519KeyAgreementKey2019' || typeof publicKeyBase58 !== 'string') return undefined
  const raw = fromBase58btc(`z${publicKeyBase58}`, keyBytes)
  return raw && x25519(raw)
}

/** Of one document that are looked at. */
const keysMost = 10

/** The document with as many keys for key agreement as are read of it. */
export const withFewKeys = (document: DIDDocument): DIDDocument => ({
  ...document,
  keyAgreement: [document.keyAgreement ?? []].flat().slice(0, keysMost),
})

/** The keys that a document has under keyAgreement, in its order; those of unknown curves are left out. */
export const agreementKeysOf = (document: DIDDocument): PublicAgreementKey[] => {
  const listed = ([document.keyAgreement ?? []].flat() as unknown[]).slice(0, keysMost)
  return listed.flatMap(each => {
    const kid = absoluteUrl(document, isRecord(each) ? each['id'] : each)
    if (typeof kid !== 'string') return []
    const { method, isFor } = findMethod(document, kid, 'keyAgreement')
    const key = isFor && method !== undefined ? keyOf(method) : undefined
    return key === undefined ? [] : [{ kid, ...key }]
  })
}

const newPair = (curve: Curve): { publicKey: KeyObject; privateKey: KeyObject } =>
  curve === 'X25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('ec', { namedCurve: curve })

/** A key for one message. */
export const ephemeralKey = (curve: Curve): { publicKey: KeyObject; agree: Agree } => {
  const { publicKey, privateKey } = newPair(curve)
  return { publicKey, agree: async theirs => diffieHellman({ privateKey, publicKey: theirs }) }
}

type Manager = Keys['manager']

/** A key of X25519 that Veramo's key manager keeps and computes with. */
export const managedKey = (
  manager: Manager,
  keyId: string,
  publicKeyHex: string,
): AgreementPublicKey & { agree: Agree } => ({
  ...(x25519(Buffer.from(publicKeyHex, 'hex')) as AgreementPublicKey),
  async agree(theirs) {
    const publicKey = { type: 'X25519' as const, publicKeyHex: rawX25519(theirs).toString('hex') }
    return Buffer.from(await manager.keyManagerSharedSecret({ secretKeyRef: keyId, publicKey }), 'hex')
  },
})

/** The id of the key of X25519 among Veramo's. */
export const managedKeyId = alias

/** The agency's keys, one a curve, made when they are first asked for. */
export const obtainAgreementKeys = async (keys: Keys, did: string): Promise<AgreementKey[]> => {
  const { manager, store } = keys
  const found = await manager.keyManagerGet({ kid: alias }).catch(() => undefined)
  if (found === undefined) {
    // A start that was killed in between left a private key alone, which nobody has ever been told of.
    await store.dataSource.getRepository(PrivateKey).delete({ alias })
  }
  const meta = { purpose: 'keyAgreement' }
  const { publicKeyHex } = found ?? (await manager.keyManagerCreate({ kms: 'local', type: 'X25519', kid: alias, meta }))
  const first = managedKey(manager, alias, publicKeyHex)
  const others: AgreementKey[] = []
  for (const curve of ['P-384', 'P-256'] as const) {
    const { keyId, jwk, thumbprint } = await keys.obtain({ kind: curve, alias: `didcomm-${curve.toLowerCase()}` })
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
    others.push({ kid: `${did}#${thumbprint}`, curve, publicKey, agree: theirs => keys.agree(keyId, theirs) })
  }
  return [{ kid: `${did}#${toAgreementMultikey(rawX25519(first.publicKey))}`, ...first }, ...others]
}
