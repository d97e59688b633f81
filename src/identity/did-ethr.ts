import { bytesToBase58 } from '@veramo/utils'
import type { DIDDocument, Service, VerificationMethod } from 'did-resolver'
import { interpretIdentifier } from 'ethr-did-resolver'
import { Refusal } from '../kernel/refusal.ts'
import type { VerificationKey } from './did-keys.ts'
import { type KeyKind, type PublicKey, publicKeyFromRaw } from './key-material.ts'

/** An event of EthereumDIDRegistry, in the order of the log. `name` and `delegateType` are bytes32 as hex. */
export type DidEvent = { block: number /** Milliseconds. */; timestamp: number } & (
  | { kind: 'owner'; owner: string }
  | { kind: 'delegate'; delegateType: string; delegate: string /** Seconds. */; validTo: bigint | number }
  | { kind: 'attribute'; name: string; value: string /** Seconds. */; validTo: bigint | number }
)

/** A did:ethr on our chain, taken apart. */
export type EthrDid = { did: string; address: string; controllerKey?: string }

/** What a key may be used for. */
export type Purposes = { assertionMethod: boolean; authentication: boolean }
/** `ended` once the chain has revoked or replaced it, whatever any clock says. */
export type TimedKey = VerificationKey & Purposes & { ended: boolean }

const nullAddress = `0x${'0'.repeat(40)}`
const attributeForm = /^did\/(pub|svc)\/(\w+)(\/(\w+))?(\/(\w+))?$/
const purposeNames: Record<string, string> = {
  sigAuth: 'SignatureAuthentication2018',
  veriKey: 'VerificationKey2018',
  enc: 'KeyAgreementKey2019',
}
/** Types that ethr-did-resolver renames; every other key has the algorithm of its attribute as its type. */
const methodTypes: Record<string, string> = {
  Secp256k1VerificationKey2018: 'EcdsaSecp256k1VerificationKey2019',
  Secp256k1SignatureAuthentication2018: 'EcdsaSecp256k1VerificationKey2019',
  Ed25519SignatureAuthentication2018: 'Ed25519VerificationKey2018',
  RSAVerificationKey2018: 'RSAVerificationKey2018',
  Ed25519VerificationKey2018: 'Ed25519VerificationKey2018',
  X25519KeyAgreementKey2019: 'X25519KeyAgreementKey2019',
}
const curveOf: Record<string, KeyKind> = { Multikey: 'P-256', Ed25519: 'Ed25519', Secp256k1: 'secp256k1' }
const contexts = [
  'https://www.w3.org/ns/did/v1',
  'https://w3id.org/security/suites/secp256k1recovery-2020/v2',
  'https://w3id.org/security/v3-unstable',
]

/** The service type under which a did:ethr names its copies: the other half of a mutual `alsoKnownAs`. */
export const alsoKnownAsType = 'alsoKnownAs'

/** The address of a secp256k1 public key (hex), or an address with its checksum. */
export const checksummed = (identifier: string): string => interpretIdentifier(identifier).address

/** The chain account of a secp256k1 key, lower case. */
export const addressOfKey = (publicKeyHex: string): string => checksummed(`0x${publicKeyHex}`).toLowerCase()

export const ethrDid = (chainId: bigint | number, address: string): string =>
  `did:ethr:0x${BigInt(chainId).toString(16)}:${address.toLowerCase()}`

/** A did:ethr in its parts, if it is one on this chain. */
export const parseEthrDid = (did: string, chainId: bigint | number): EthrDid | undefined => {
  const [, network, id] =
    /^did:ethr:(0x[0-9a-fA-F]{1,64}):(0x(?:[0-9a-fA-F]{40}|0[23][0-9a-fA-F]{64}))$/.exec(did) ?? []
  if (network === undefined || id === undefined || BigInt(network) !== BigInt(chainId)) return undefined
  if (id.length === 42) return { did: ethrDid(chainId, id), address: id.toLowerCase() }
  try {
    const address = checksummed(id).toLowerCase()
    return { did: ethrDid(chainId, address), address, controllerKey: id }
  } catch {
    return undefined
  }
}

const hexBytes = (hex: string): Buffer => Buffer.from(hex.replace(/^0x/, ''), 'hex')
const bytes32Text = (hex: string): string => hexBytes(hex).toString('utf8').replace(/\0+$/, '')

type Reading = { section: 'pub' | 'svc'; index: string; counted: boolean; stillCounted: boolean } & (
  | { form: 'delegate'; relation: string; delegate: string }
  | { form: 'attribute'; match: RegExpExecArray; value: string; key: PublicKey | undefined }
  | { form: 'other' }
)

type Entry = Exclude<DidEvent, { kind: 'owner' }>

/** Events never change, so each is read once; a key object costs 0.1 ms. */
const readings = new WeakMap<Entry, Reading>()
const read = (event: Entry): Reading => {
  const known = readings.get(event)
  if (known !== undefined) return known
  const reading = readEntry(event)
  readings.set(event, reading)
  return reading
}

/** How ethr-did-resolver reads an event: whether it takes a number while valid, and after. */
const readEntry = (event: Entry): Reading => {
  if (event.kind === 'delegate') {
    const relation = bytes32Text(event.delegateType)
    const index = `delegate-${relation}-${event.delegate.toLowerCase()}`
    const { delegate } = event
    return { form: 'delegate', section: 'pub', index, counted: true, stillCounted: true, relation, delegate }
  }
  const name = bytes32Text(event.name)
  const index = `attribute-${name}-${event.value}`
  const section = name.startsWith('did/svc/') ? 'svc' : 'pub'
  const stillCounted = name.startsWith('did/svc/') || name.startsWith('did/pub/')
  const match = attributeForm.exec(name)
  if (match === null) return { form: 'other', section, index, counted: false, stillCounted }
  const key = keyOf(match, event.value)
  return { form: 'attribute', section, index, counted: true, stillCounted, match, value: event.value, key }
}

const encoded = (encoding: string | undefined, value: string): Record<string, string> => {
  const bytes = hexBytes(value)
  if (encoding === undefined || encoding === 'hex') return { publicKeyHex: value.replace(/^0x/, '') }
  if (encoding === 'base64') return { publicKeyBase64: bytes.toString('base64') }
  if (encoding === 'base58') return { publicKeyBase58: bytesToBase58(bytes) }
  if (encoding === 'pem') return { publicKeyPem: bytes.toString('utf8') }
  return { value: value.replace(/^0x/, '') }
}

const keyOf = (match: RegExpExecArray, value: string): PublicKey | undefined => {
  const kind = match[1] === 'pub' && match[4] !== 'enc' ? curveOf[match[2] as string] : undefined
  if (kind === undefined || match[6] === 'pem') return undefined
  try {
    return publicKeyFromRaw(kind, hexBytes(value))
  } catch {
    return undefined
  }
}

const methodOf = (id: string, did: string, reading: Reading, chainId: bigint): VerificationMethod | undefined => {
  if (reading.form === 'delegate') {
    if (reading.relation !== 'sigAuth' && reading.relation !== 'veriKey') return undefined
    const blockchainAccountId = `eip155:${chainId}:${checksummed(reading.delegate)}`
    return { id, type: 'EcdsaSecp256k1RecoveryMethod2020', controller: did, blockchainAccountId }
  }
  if (reading.form === 'other') return undefined
  const [, , algorithm = '', , relation = '', , encoding] = reading.match
  const type = methodTypes[`${algorithm}${purposeNames[relation] ?? relation}`] ?? algorithm
  const jwk = reading.key?.jwk
  // The registry's Multikey is hexadecimal, which no reader of Multikeys takes; as a JWK everybody does.
  if (type === 'Multikey' && jwk !== undefined) {
    return { id, type: 'JsonWebKey2020', controller: did, publicKeyJwk: jwk } as VerificationMethod
  }
  return {
    id,
    type,
    controller: did,
    ...encoded(encoding, reading.value),
    ...(jwk === undefined ? {} : { publicKeyJwk: jwk }),
  } as VerificationMethod
}

const serviceOf = (id: string, type: string, value: string): Service => {
  const text = hexBytes(value).toString('utf8')
  try {
    return { id, type, serviceEndpoint: JSON.parse(text) }
  } catch {
    return { id, type, serviceEndpoint: text }
  }
}

const relationOf = (reading: Reading): string | undefined =>
  reading.form === 'delegate' ? reading.relation : reading.form === 'attribute' ? reading.match[4] : undefined

class DocumentState {
  readonly methods = new Map<string, VerificationMethod>()
  readonly authentication = new Map<string, string>()
  readonly assertion = new Map<string, string>()
  readonly agreement = new Map<string, string>()
  readonly services = new Map<string, Service>()
  keyCount = 0
  serviceCount = 0

  count(reading: Reading): number {
    return reading.section === 'svc' ? ++this.serviceCount : ++this.keyCount
  }

  add(did: string, reading: Reading, chainId: bigint): void {
    if (!reading.counted) return
    const number = this.count(reading)
    if (reading.section === 'svc' && reading.form === 'attribute') {
      const id = `${did}#service-${number}`
      this.services.set(reading.index, serviceOf(id, reading.match[2] as string, reading.value))
      return
    }
    const id = `${did}#delegate-${number}`
    const method = methodOf(id, did, reading, chainId)
    if (method === undefined) return
    this.methods.set(reading.index, method)
    const relation = relationOf(reading)
    if (relation === 'enc') this.agreement.set(reading.index, id)
    else this.assertion.set(reading.index, id)
    if (relation === 'sigAuth') this.authentication.set(reading.index, id)
  }

  remove(reading: Reading): void {
    if (reading.stillCounted) this.count(reading)
    for (const held of [this.methods, this.authentication, this.assertion, this.services]) held.delete(reading.index)
  }
}

export type EthrDocument = {
  didDocument: DIDDocument
  deactivated: boolean
  version: DidEvent | undefined
  nextVersion: DidEvent | undefined
}

export type EthrView = {
  /** The DID as it was asked for; the ids of the document begin with it. */
  did: string
  ethr: EthrDid
  chainId: bigint | number
  events: readonly DidEvent[]
  /** Milliseconds: keys are judged valid or expired at this time. */
  now: number
  /** Which events count already. @default all */
  counts?: (event: DidEvent) => boolean
}

/** The document that ethr-did-resolver 11 builds from these events, and `publicKeyJwk` beside every key that has one. */
export const ethrDocument = (view: EthrView): EthrDocument => {
  const { did, ethr, events } = view
  const chainId = BigInt(view.chainId)
  const seconds = BigInt(Math.floor(view.now / 1000))
  const state = new DocumentState()
  let controller = ethr.address
  let deactivated = false
  let version: DidEvent | undefined
  let nextVersion: DidEvent | undefined
  for (const event of events) {
    if (view.counts?.(event) === false) {
      nextVersion ??= event
      continue
    }
    version = event
    if (event.kind === 'owner') {
      controller = event.owner.toLowerCase()
      deactivated = controller === nullAddress
      if (deactivated) break
      continue
    }
    const validTo = BigInt(event.validTo)
    if (validTo !== 0n && validTo >= seconds) state.add(did, read(event), chainId)
    else state.remove(read(event))
  }
  const didDocument = deactivated ? emptyDocument(did) : fullDocument(did, ethr, chainId, controller, state)
  return { didDocument, deactivated, version, nextVersion }
}

const emptyDocument = (did: string): DIDDocument => ({
  id: did,
  verificationMethod: [],
  authentication: [],
  assertionMethod: [],
  '@context': contexts,
})

const fullDocument = (
  did: string,
  ethr: EthrDid,
  chainId: bigint,
  controller: string,
  state: DocumentState,
): DIDDocument => {
  const account = `eip155:${chainId}:${checksummed(controller)}`
  const id = `${did}#controller`
  const type = 'EcdsaSecp256k1RecoveryMethod2020'
  const methods: VerificationMethod[] = [{ id, type, controller: did, blockchainAccountId: account }]
  const own = [id]
  if (ethr.controllerKey !== undefined && controller === ethr.address) {
    const publicKeyHex = ethr.controllerKey.replace(/^0x/, '')
    const publicKeyJwk = publicKeyFromRaw('secp256k1', hexBytes(publicKeyHex)).jwk
    const keyId = `${did}#controllerKey`
    const keyType = 'EcdsaSecp256k1VerificationKey2019'
    methods.push({ id: keyId, type: keyType, controller: did, publicKeyHex, publicKeyJwk } as VerificationMethod)
    own.push(keyId)
  }
  const services = [...state.services.values()]
  const copies = services.flatMap(service => (service.type === alsoKnownAsType ? [service.serviceEndpoint] : []))
  const alsoKnownAs = copies.filter(copy => typeof copy === 'string')
  return {
    id: did,
    verificationMethod: [...methods, ...state.methods.values()],
    authentication: [...own, ...state.authentication.values()],
    assertionMethod: [...own, ...state.assertion.values()],
    ...(services.length > 0 ? { service: services } : {}),
    ...(state.agreement.size > 0 ? { keyAgreement: [...state.agreement.values()] } : {}),
    ...(alsoKnownAs.length > 0 ? { alsoKnownAs } : {}),
    '@context': contexts,
  }
}

/** End of a second in ms, the last moment at which the stock resolver still shows a key; none if it never ends. */
const lastMoment = (validTo: bigint): number | undefined =>
  validTo > 8_640_000_000_000n ? undefined : Number(validTo) * 1000 + 999

/**
 * Every signing key the DID ever had, by fragment, with the time it was good for. Expired, revoked and replaced keys
 * keep their number and stay here, so that what they signed in their time can be verified.
 */
export const ethrKeys = (ethr: EthrDid, events: readonly DidEvent[]): Map<string, TimedKey> => {
  const { did } = ethr
  const keys = new Map<string, TimedKey>()
  const current = new Map<string, TimedKey>()
  const end = (key: TimedKey | undefined, at: number): void => {
    if (key === undefined) return
    key.validUntil = Math.min(key.validUntil ?? Number.MAX_SAFE_INTEGER, at - 1)
    key.ended = true
  }
  const hold = (fragment: string, key: PublicKey, times: { from?: number; until?: number | undefined }): TimedKey => {
    const { publicKey, jwk, algorithm, thumbprint } = key
    const use = { assertionMethod: true, authentication: false, ended: false }
    const held: TimedKey = { kid: `${did}#${fragment}`, did, publicKey, jwk, algorithm, thumbprint, ...use }
    if (times.from !== undefined) held.validFrom = times.from
    if (times.until !== undefined) held.validUntil = times.until
    keys.set(fragment, held)
    return held
  }
  if (ethr.controllerKey !== undefined) {
    const held = hold('controllerKey', publicKeyFromRaw('secp256k1', hexBytes(ethr.controllerKey)), {})
    held.authentication = true
    current.set('controllerKey', held)
  }
  let count = 0
  for (const event of events) {
    if (event.kind === 'owner') {
      end(current.get('controllerKey'), event.timestamp)
      if (event.owner.toLowerCase() !== nullAddress) continue
      for (const key of current.values()) end(key, event.timestamp)
      break
    }
    const reading = read(event)
    if (reading.section === 'svc' || !reading.stillCounted) continue
    const fragment = `delegate-${++count}`
    end(current.get(reading.index), event.timestamp)
    const validTo = BigInt(event.validTo)
    const key = reading.form === 'attribute' ? reading.key : undefined
    if (key === undefined || validTo * 1000n < BigInt(event.timestamp)) continue
    const held = hold(fragment, key, { from: event.timestamp, until: lastMoment(validTo) })
    held.authentication = relationOf(reading) === 'sigAuth'
    current.set(reading.index, held)
  }
  return keys
}

const bytes32 = (text: string): string => `0x${Buffer.from(text).toString('hex').padEnd(64, '0')}`

/** Name and value of a registry attribute, as `setAttribute(identity, name, value, validity)` wants them. */
export type Attribute = { name: string; value: string }

/** The attribute that puts a signing key into a did:ethr. Set it once: setting it again gives it a new number. */
export const keyAttribute = (key: { kind: string; publicKeyHex: string }): Attribute => {
  const names: Record<string, string> = {
    'P-256': 'did/pub/Multikey/sigAuth/hex',
    Ed25519: 'did/pub/Ed25519/veriKey/hex',
    secp256k1: 'did/pub/Secp256k1/veriKey/hex',
  }
  const name = names[key.kind]
  if (name === undefined) {
    throw new Refusal('rejected', 'key_kind_unfit', `A did:ethr has no attribute for a ${key.kind} key; use P-256.`)
  }
  return { name: bytes32(name), value: `0x${key.publicKeyHex}` }
}

/** The attribute by which a did:ethr names its did:web copy: our half of the mutual link. */
export const alsoKnownAsAttribute = (did: string): Attribute => ({
  name: bytes32(`did/svc/${alsoKnownAsType}`),
  value: `0x${Buffer.from(did).toString('hex')}`,
})

/** Ten years in seconds: how long a signing key of an agency is valid. */
export const keyValiditySeconds = 10 * 365 * 86_400
