import {
  createHash,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import type { DidKeys, KeyPurpose, VerificationKey } from '../../src/identity/did-keys.ts'
import { didJwkOf, didKeyOf, parseLocalDid } from '../../src/identity/did-local.ts'
import { type IssueNeeds, issueCredential } from '../../src/identity/issue.ts'
import { type KeyKind, publicKeyFromJwk } from '../../src/identity/key-material.ts'
import { openPublishedLists } from '../../src/identity/status-lists/published.ts'
import { loadCredentialTypes } from '../../src/identity/types.ts'
import type { VerifyNeeds } from '../../src/identity/verify.ts'
import {
  certificateSigner,
  makeAccessCertificate,
  makeDocumentSignerCertificate,
  makeRootCertificate,
} from '../../src/identity/x509/make.ts'
import type { CertifiedKey, IssueRequest } from '../../src/kernel/identity.ts'
import type {
  AccreditationVerdict,
  BlockRef,
  SignatureAlgorithm,
  Signer,
  StatusPointer,
  StatusReader,
  StatusValue,
  TrustReader,
} from '../../src/kernel/ports.ts'
import { Refusal } from '../../src/kernel/refusal.ts'

export const chain = 'eip155:31337'
export const registry = `0x${'5a'.repeat(20)}`
export const baseUrl = 'https://transport.example'
export const audience = 'https://verifier.example'
export const day = 86_400_000
export const schemas = fileURLToPath(new URL('../../schemas', import.meta.url))

export type Party = {
  did: string
  kid: string
  keyId: string
  algorithm: SignatureAlgorithm
  privateKey: KeyObject
  publicKey: KeyObject
  jwk: JsonWebKey
  thumbprint: string
}

const generate = (kind: KeyKind) => {
  const { privateKey, publicKey } =
    kind === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: kind })
  return { privateKey, key: publicKeyFromJwk(publicKey.export({ format: 'jwk' })) }
}

const partyOf = (did: string, fragment: string, { privateKey, key }: ReturnType<typeof generate>): Party => ({
  ...{ did, kid: `${did}#${fragment}`, keyId: `${did}#${fragment}`, algorithm: key.algorithm },
  ...{ privateKey, publicKey: key.publicKey, jwk: key.jwk, thumbprint: key.thumbprint },
})

export const agencyParty = (address: string, fragment = 'delegate-1', kind: KeyKind = 'P-256'): Party =>
  partyOf(`did:ethr:0x7a69:${address}`, fragment, generate(kind))

export const holderParty = (kind: KeyKind = 'P-256', method: 'key' | 'jwk' = 'key'): Party => {
  const made = generate(kind)
  const did = method === 'key' ? didKeyOf(made.key) : didJwkOf(made.key)
  return partyOf(did, method === 'key' ? did.slice('did:key:'.length) : '0', made)
}

export const signBytes = (party: Party, data: Uint8Array): Buffer =>
  party.algorithm === 'EdDSA'
    ? sign(null, data, party.privateKey)
    : sign({ ES384: 'sha384', ES512: 'sha512' }[party.algorithm as 'ES384'] ?? 'sha256', data, {
        key: party.privateKey,
        dsaEncoding: 'ieee-p1363',
      })

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

export const decode = (segment: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'))

/** Header and payload of a compact JWS, or of the JWS in front of an SD-JWT. */
export const partsOf = (compact: string) => {
  const [header = '', payload = ''] = (compact.split('~')[0] ?? '').split('.')
  return { header: decode(header), payload: decode(payload) }
}

/** A JWS by hand: texts stand as they are, so that one can write what no library would. */
export const jws = (header: unknown, payload: unknown, party: Party): string => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signBytes(party, Buffer.from(input)).toString('base64url')}`
}

export const put = (target: Record<string, unknown>, name: string, value: unknown): void => {
  target[name] = value
}

/** The same token with other claims or another header, signed anew. */
export const resigned = (
  compact: string,
  party: Party,
  change: (payload: Record<string, unknown>, header: Record<string, unknown>) => void,
): string => {
  const { header, payload } = partsOf(compact)
  change(payload, header)
  const [, ...rest] = compact.split('~')
  return [jws(header, payload, party), ...rest].join('~')
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')

type DidEntry = { party: Party; purposes: KeyPurpose[]; validFrom?: number; validUntil?: number }

export class TestDids implements DidKeys {
  readonly entries = new Map<string, DidEntry>()
  readonly links = new Map<string, string>()
  readonly #held = new Map<string, VerificationKey>()
  unavailable = false

  add(party: Party, entry: Omit<DidEntry, 'party'> = { purposes: ['assertionMethod', 'authentication'] }): void {
    this.entries.set(party.kid, { party, ...entry })
    this.#held.delete(party.kid)
  }

  key(kid: string, purpose: KeyPurpose, at?: number): VerificationKey {
    if (this.unavailable) throw new Refusal('unavailable', 'did_unavailable', 'The replica of DIDs is stale.')
    const entry = this.entries.get(kid)
    const known = this.#held.get(kid) ?? this.#local(kid) ?? this.#registered(kid, entry)
    if (known === undefined) throw new Refusal('rejected', 'key_unknown', 'There is no such key.')
    this.#held.set(kid, known)
    if (entry?.validUntil !== undefined && (at ?? Number.MAX_SAFE_INTEGER) > entry.validUntil) {
      throw new Refusal('rejected', 'key_expired', 'The key had expired.')
    }
    if (entry !== undefined && !entry.purposes.includes(purpose)) {
      throw new Refusal('rejected', 'key_purpose', 'The key is not for this purpose.')
    }
    return known
  }

  subjectOf(did: string): string {
    const linked = this.links.get(did)
    if (linked !== undefined) return linked
    if (did.startsWith('did:ethr:')) return did.toLowerCase()
    if (parseLocalDid(did) === undefined) throw new Refusal('rejected', 'did_unresolvable', 'No DID that counts here.')
    return did
  }

  #registered(kid: string, entry: DidEntry | undefined): VerificationKey | undefined {
    if (entry === undefined) return undefined
    const { did, publicKey, jwk, algorithm, thumbprint } = entry.party
    const { validFrom, validUntil } = entry
    const window = {
      ...(validFrom === undefined ? {} : { validFrom }),
      ...(validUntil === undefined ? {} : { validUntil }),
    }
    return { kid, did, publicKey, jwk, algorithm, thumbprint, ...window }
  }

  #local(kid: string): VerificationKey | undefined {
    const [did = '', fragment] = kid.split('#')
    const local = parseLocalDid(did)
    if (local === undefined || local.fragment !== fragment) return undefined
    const { publicKey, jwk, algorithm, thumbprint } = local.key
    return { kid, did, publicKey, jwk, algorithm, thumbprint }
  }
}

type TestList = { openedAt: number; length: number; changes: Map<number, { at: number; value: StatusValue }[]> }

/** Answers in the words of the chain's own reader. */
export class TestStatus implements StatusReader {
  readonly lists = new Map<string, TestList>()
  readonly #now: () => number
  stale = false

  constructor(now: () => number) {
    this.#now = now
  }

  open(issuer: string, list: number, openedAt: number, length = 131_072): void {
    this.lists.set(`${issuer}:${list}`, { openedAt, length, changes: new Map() })
  }

  set(pointer: StatusPointer, value: StatusValue, at = this.#now()): void {
    const { changes } = this.#list(pointer)
    changes.set(pointer.index, [...(changes.get(pointer.index) ?? []), { at, value }])
  }

  head(): BlockRef {
    return { chain, number: 1_000, hash: `0x${'ab'.repeat(32)}`, timestamp: this.#now() }
  }

  status(pointer: StatusPointer): StatusValue {
    return this.#list(pointer).changes.get(pointer.index)?.at(-1)?.value ?? 'valid'
  }

  async statusAt(pointer: StatusPointer, at: number) {
    const status = this.#list(pointer)
      .changes.get(pointer.index)
      ?.findLast(change => change.at <= at)?.value
    return { status: status ?? ('valid' as const), block: { ...this.head(), number: 900, timestamp: at } }
  }

  openedAt(issuer: string, list: number): number | undefined {
    return this.lists.get(`${issuer}:${list}`)?.openedAt
  }

  /** Raw bits as a chain keeps them: even lists for revocation, the odd ones after them for suspension. */
  bits(issuer: string, list: number): Uint8Array | undefined {
    const pair = this.lists.get(`${issuer}:${list - (list % 2)}`)
    if (pair === undefined) return undefined
    const bits = new Uint8Array(pair.length / 8)
    for (const [index, changes] of pair.changes) {
      const isSet = changes.at(-1)?.value === (list % 2 === 0 ? 'revoked' : 'suspended')
      if (isSet) bits[index >> 3] = (bits[index >> 3] ?? 0) | (0x80 >> (index & 7))
    }
    return bits
  }

  #list(pointer: StatusPointer): TestList {
    if (pointer.chain !== chain || pointer.registry !== registry) {
      throw new Refusal('rejected', 'status_foreign_registry', 'The status stands in a registry that does not count.')
    }
    if (this.stale) throw new Refusal('unavailable', 'status_unavailable', 'The replica is too old.')
    const list = this.lists.get(`${pointer.issuer}:${pointer.list}`)
    if (list === undefined) throw new Refusal('rejected', 'status_list_unknown', 'There is no such list.')
    if (pointer.index >= list.length) {
      throw new Refusal('rejected', 'status_index_out_of_range', 'The index lies beyond the end of its list.')
    }
    return list
  }
}

type Accreditation = { validFrom: number; validUntil: number; endedAt?: number; voidSince?: number }

export class TestTrust implements TrustReader {
  readonly accreditations = new Map<string, Accreditation>()
  readonly distrusted = new Map<string, number>()
  readonly withdrawn = new Set<string>()

  accredit(party: Party, typeId: string, accreditation: Accreditation): void {
    this.accreditations.set(`${addressOf(party)}:${typeId}`, accreditation)
  }

  accreditation(issuer: string, typeId: string, at: number): AccreditationVerdict {
    const known = this.accreditations.get(`${issuer}:${typeId}`)
    if (known === undefined) return { accredited: false, reason: 'unknown' }
    const { validFrom, validUntil, endedAt, voidSince } = known
    if (voidSince !== undefined) return { accredited: false, reason: 'void', since: voidSince }
    if (at < validFrom) return { accredited: false, reason: 'not_yet', since: validFrom }
    if (endedAt !== undefined && at >= endedAt) return { accredited: false, reason: 'ended', since: endedAt }
    if (at >= validUntil) return { accredited: false, reason: 'expired', since: validUntil }
    return { accredited: true, parent: null, validFrom, validUntil: Math.min(validUntil, endedAt ?? validUntil) }
  }

  distrustedSince(issuer: string, thumbprint: string): number | undefined {
    return this.distrusted.get(`${issuer}:${thumbprint}`)
  }

  schemaAdmitted(typeId: string): boolean {
    return !this.withdrawn.has(typeId)
  }
}

const hasher = (data: string | ArrayBuffer) =>
  new Uint8Array(
    createHash('sha256')
      .update(typeof data === 'string' ? data : Buffer.from(data))
      .digest(),
  )

/** The SD-JWT VC library of the OpenWallet Foundation over node's own signatures; it asks `statusList` for lists. */
export const openWallet = (issuer: Party, holder: Party, statusList: (uri: string) => Promise<string>) => {
  const verifier = (party: Party) => async (data: string, signature: string) => {
    const options = { key: party.publicKey, dsaEncoding: 'ieee-p1363' as const }
    return verify('sha256', Buffer.from(data), options, Buffer.from(signature, 'base64url'))
  }
  const signer = (party: Party) => async (data: string) => signBytes(party, Buffer.from(data)).toString('base64url')
  return new SDJwtVcInstance({
    ...{ signer: signer(issuer), signAlg: 'ES256', verifier: verifier(issuer), hasher, hashAlg: 'sha-256' },
    ...{ kbSigner: signer(holder), kbSignAlg: 'ES256', kbVerifier: verifier(holder) },
    saltGenerator: () => randomBytes(16).toString('base64url'),
    statusListFetcher: statusList,
    statusVerifier: verifier(issuer),
  })
}

export const addressOf = (party: Party): string => party.did.slice(-42)

const types = loadCredentialTypes(schemas)

/** What an agency's authority says of its signing key; the country is that of the types' examples. */
export const certify = async (
  party: Party,
  role: 'issuer' | 'documentSigner',
  change: Partial<{ notBefore: number; notAfter: number; uris: string[]; publicKey: KeyObject; country: string }> = {},
): Promise<CertifiedKey & { authority: Uint8Array }> => {
  const now = Math.floor(Date.now() / 1_000) * 1_000
  const { country = 'XN', ...rest } = change
  const signer = certificateSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  const contact = { type: 'url' as const, value: baseUrl }
  const life = { notBefore: now - 400 * day, notAfter: now + 4_000 * day }
  const root = await makeRootCertificate({ ...life, country, commonName: 'Root', contact, signer })
  const leaf = {
    ...{ notBefore: now - 300 * day, notAfter: now + 3_900 * day, commonName: 'Signer', country, contact },
    ...{ authority: { certificate: root, signer }, publicKey: party.publicKey, uris: [party.did, party.kid], ...rest },
  }
  const hosts = [new URL(baseUrl).hostname]
  const der =
    role === 'issuer' ? await makeAccessCertificate({ ...leaf, hosts }) : await makeDocumentSignerCertificate(leaf)
  const { keyId, algorithm } = party
  const x5c = [Buffer.from(der).toString('base64')]
  return { x5c, keyId, algorithm, expires: leaf.notAfter, authority: root }
}

const certified = new Map<string, ReturnType<typeof certify>>()
const certifiedOnce = (party: Party, role: 'issuer' | 'documentSigner'): ReturnType<typeof certify> => {
  const name = `${role} ${party.thumbprint}`
  const known = certified.get(name) ?? certify(party, role)
  certified.set(name, known)
  return known
}

/**
 * A small world in memory: three agencies of one chain, two citizens, and what the chain would say. Real signatures,
 * real schemas; only DidKeys, StatusReader and TrustReader stand in for the chain.
 */
export const openWorld = () => {
  const clock = { time: Math.floor(Date.now() / 1_000) * 1_000, now: () => clock.time }
  const transport = agencyParty(`0x${'11'.repeat(20)}`)
  const taxes = agencyParty(`0x${'22'.repeat(20)}`)
  const stranger = agencyParty(`0x${'33'.repeat(20)}`)
  const [holder, other] = [holderParty(), holderParty('Ed25519', 'jwk')]
  const dids = new TestDids()
  const status = new TestStatus(clock.now)
  const trust = new TestTrust()
  const parties = new Map<string, Party>([holder, other].map(party => [party.keyId, party]))
  const enrol = (party: Party) => {
    parties.set(party.keyId, party)
    dids.add(party)
    for (const list of [0, 2]) status.open(addressOf(party), list, clock.time - 300 * day)
  }
  for (const party of [transport, taxes, stranger]) enrol(party)
  const period = { validFrom: clock.time - 365 * day, validUntil: clock.time + 3_650 * day }
  for (const type of types.all) if (type.id !== 'TaxRegistration') trust.accredit(transport, type.id, period)
  trust.accredit(taxes, 'TaxRegistration', period)
  const signer: Signer = {
    async sign(keyId, algorithm, data) {
      const party = parties.get(keyId)
      if (party === undefined || party.algorithm !== algorithm) throw new Error(`no ${algorithm} key ${keyId}`)
      return signBytes(party, data)
    },
  }
  let counter = 0
  const issueNeeds = (issuer: Party): IssueNeeds => ({
    ...{ types, dids, signer, clock, baseUrl },
    issuer: () => issuer,
    certificates: {
      issuer: () => certifiedOnce(issuer, 'issuer'),
      documentSigner: () => certifiedOnce(issuer, 'documentSigner'),
    },
    allot: async () => ({ chain, registry, issuer: addressOf(issuer), list: 0, index: counter++ }),
  })
  const published = openPublishedLists({
    ...{ signer, clock, baseUrl, issuer: () => transport },
    source: { bits: list => status.bits(addressOf(transport), list) },
  })
  const verifying: VerifyNeeds = { types, dids, status, trust, clock, chain }
  const subjectOf = (type: string, party: Party = holder) => ({ id: party.did, ...types.byId(type).example })
  const issue = (request: Partial<IssueRequest> = {}, issuer: Party = transport) => {
    const type = request.type ?? 'DrivingLicence'
    return issueCredential({ type, subject: subjectOf(type), ...request }, issueNeeds(issuer))
  }
  return {
    ...{
      clock,
      types,
      dids,
      status,
      trust,
      signer,
      verify: verifying,
      transport,
      taxes,
      stranger,
      holder,
      other,
      period,
    },
    ...{ published, enrol, parties, issueNeeds, issue, subjectOf },
  }
}

export type World = ReturnType<typeof openWorld>
