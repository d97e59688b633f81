import type { DIDResolutionOptions, DIDResolutionResult } from 'did-resolver'
import type { Clock } from '../kernel/ports.ts'
import { isRefusal, Refusal } from '../kernel/refusal.ts'
import { methodIn, publicKeyOf, unknownKey } from './did-document.ts'
import { type DidEvent, ethrDid, ethrDocument, ethrKeys, parseEthrDid, type TimedKey } from './did-ethr.ts'
import type { DidKeys, KeyPurpose, VerificationKey } from './did-keys.ts'
import { parseLocalDid } from './did-local.ts'
import { openResolver } from './did-resolution.ts'
import { keyInDocument, normaliseDidWeb, openWebDids, type WebOptions } from './did-web.ts'
import { openWebvhDids, selectVersion, type WebvhDids } from './did-webvh/webvh.ts'
import { Generations } from './generations.ts'

/** What the follower keeps of EthereumDIDRegistry. */
export type DidReplica = {
  /** Every event of the identity (lower-case address), oldest first. */
  events(address: string): readonly DidEvent[]
  /** @throws Refusal unavailable/... when the replica is older than the configured bound. Asked before every answer. */
  assertFresh?(): void
}

export type DidsOptions = { chainId: bigint | number; replica: DidReplica; web?: WebOptions; clock: Clock }

export type ResolveOptions = DIDResolutionOptions & {
  /** ISO 8601; the document as it was then. */ versionTime?: string
  /** In the words of the DID's method. */ versionId?: string
  /** did:webvh only. */ versionNumber?: string
}

export type Dids = DidKeys & {
  /**
   * W3C DID Resolution. Every failure but a stale replica is told in `didResolutionMetadata.error`: invalidDid,
   * invalidDidUrl, invalidOptions, notFound, methodNotSupported, featureNotSupported, representationNotSupported, internalError
   * (a host cannot be had now). A deactivated DID is told in `didDocumentMetadata.deactivated`.
   * @throws Refusal unavailable/did_unavailable
   */
  resolve(did: string, options?: ResolveOptions): Promise<DIDResolutionResult>
  /** To be called by the follower with every new event of an identity, and without an address after a reorganisation. */
  changed(address?: string): void
}

/** A registered key's second and the caller's clock differ by up to this much without meaning anything. */
const clockSkewMs = 60_000
const heldDids = 20_000

const unresolvable = (did: string): Refusal =>
  new Refusal('rejected', 'did_unresolvable', `${did} is no DID that counts here.`)

/** By fragment. */
type KeySet = Map<string, TimedKey>
type WebDids = ReturnType<typeof openWebDids>

/** The key, if it serves the purpose and was valid at that time. */
const judged = (key: TimedKey, purpose: KeyPurpose, at: number | undefined, now: number): VerificationKey => {
  const isPast = at !== undefined && at < now
  const time = isPast ? at : now
  if (isPast && key.validFrom !== undefined && time < key.validFrom - clockSkewMs) throw unknownKey(key.kid)
  if ((!isPast && key.ended) || (key.validUntil !== undefined && time > key.validUntil)) {
    throw new Refusal('rejected', 'key_expired', `The key ${key.kid} had expired or been revoked.`)
  }
  if (!key[purpose]) throw new Refusal('rejected', 'key_purpose', `The key ${key.kid} is not for ${purpose}.`)
  return key
}

const localKeys = (did: string): KeySet | undefined => {
  const local = parseLocalDid(did)
  if (local === undefined) return undefined
  const { publicKey, jwk, algorithm, thumbprint } = local.key
  const kid = `${did}#${local.fragment}`
  const use = { assertionMethod: true, authentication: true, ended: false }
  const key: TimedKey = { kid, did, publicKey, jwk, algorithm, thumbprint, ...use }
  return new Map([[local.fragment, key]])
}

/** The first of the did:ethr's keys with this thumbprint that fits, or why the last one did not. */
const sameKey = (
  keys: Iterable<TimedKey>,
  named: { kid: string; thumbprint: string },
  fits: (key: TimedKey) => VerificationKey,
): VerificationKey => {
  let refusal: unknown = unknownKey(named.kid)
  for (const key of keys) {
    if (key.thumbprint !== named.thumbprint) continue
    try {
      return { ...fits(key), kid: named.kid }
    } catch (error) {
      refusal = error
    }
  }
  throw refusal
}

/** Every spelling of a DID that carries its own key, without the cost of reading the key. */
const localForm = /^did:(?:key:z[1-9A-HJ-NP-Za-km-z]{40,136}|jwk:[A-Za-z0-9_-]{20,1024})$/

/** The keys of each DID, read once; one entry a did:ethr, whatever its spelling, so that `changed` finds it. */
const openKeySets = ({ chainId, replica }: DidsOptions) => {
  const held = new Generations<KeySet>(heldDids)
  const of = (did: string): KeySet | undefined => {
    const known = held.get(did)
    if (known !== undefined) return known
    const ethr = parseEthrDid(did, chainId)
    const isAddress = ethr !== undefined && ethr.controllerKey === undefined
    if (isAddress && ethr.did !== did) return of(ethr.did)
    const found = ethr === undefined ? localKeys(did) : ethrKeys(ethr, replica.events(ethr.address))
    if (found !== undefined && (ethr === undefined || isAddress)) held.set(did, found)
    return found
  }
  const forget = (address?: string): void => {
    if (address === undefined) held.clear()
    else held.delete(ethrDid(chainId, address))
  }
  return { of, forget }
}

/** A did:web is a copy: it counts as the did:ethr that names it back, and its keys while that one has them too. */
const openCopies = (options: DidsOptions, web: WebDids, keySet: (did: string) => KeySet | undefined) => {
  const { chainId, replica, clock } = options
  const original = async (did: string): Promise<string | undefined> => {
    const { alsoKnownAs = [] } = await web.document(did)
    for (const name of alsoKnownAs.slice(0, 10)) {
      const ethr = parseEthrDid(name, chainId)
      if (ethr === undefined || ethr.controllerKey !== undefined) continue
      const view = { did: ethr.did, ethr, chainId, events: replica.events(ethr.address), now: clock.now() }
      if (ethrDocument(view).didDocument.alsoKnownAs?.includes(did)) return ethr.did
    }
    return undefined
  }
  const key = async (kid: string, purpose: KeyPurpose, at: number | undefined): Promise<VerificationKey> => {
    const hash = kid.indexOf('#')
    const did = normaliseDidWeb(kid.slice(0, hash))
    const ethr = await original(did)
    if (ethr === undefined) throw unresolvable(did)
    const named = keyInDocument(await web.document(did), did + kid.slice(hash))
    const keys = keySet(ethr)?.values()
    if (named === undefined || keys === undefined) throw unknownKey(kid)
    const fits = (each: TimedKey) => judged(each, purpose, at, clock.now())
    return sameKey(keys, { kid, thumbprint: named.thumbprint }, fits)
  }
  return { original, key }
}

/** Keys of a did:webvh as its log has them now, or had them then. A log that holds in part only has none. */
const openLogged = (webvh: WebvhDids, clock: Clock) => {
  const logOf = async (did: string) => {
    const parsed = webvh.parse(did)
    if (parsed === undefined) throw unresolvable(did)
    try {
      const log = await webvh.log(parsed)
      if (log.failure !== undefined) throw log.failure
      return log
    } catch (error) {
      if (!isRefusal(error) || error.kind === 'unavailable') throw error
      throw new Refusal('rejected', 'did_unresolvable', `${did} does not resolve: ${error.message}`, { cause: error })
    }
  }
  return async (kid: string, purpose: KeyPurpose, at: number | undefined): Promise<VerificationKey> => {
    const did = kid.slice(0, kid.indexOf('#'))
    const log = await logOf(did)
    const now = clock.now()
    const isPast = at !== undefined && at < now
    if (!isPast && log.versions.at(-1)?.active.deactivated === true) throw unresolvable(did)
    const version = selectVersion(log, isPast ? { versionTime: Math.min(at + clockSkewMs, now) } : {}, now)
    if (version === undefined || version.document.id !== did) throw unknownKey(kid)
    const method = methodIn(version.document, kid, purpose)
    const key = method['controller'] === did ? publicKeyOf(method) : undefined
    if (key === undefined) throw unknownKey(kid)
    const { publicKey, jwk, algorithm, thumbprint } = key
    return { kid, did, publicKey, jwk, algorithm, thumbprint }
  }
}

/**
 * The DIDs this agency can judge: did:ethr of its own chain from the replica, did:key, did:jwk, linked did:web, and did:webvh
 * by its log.
 */
export const openDids = (options: DidsOptions): Dids => {
  const { chainId, replica, clock } = options
  const web = openWebDids(options.web ?? {}, clock)
  const webvh = openWebvhDids(options.web ?? {}, clock)
  const logged = openLogged(webvh, clock)
  const keySets = openKeySets(options)
  const copies = openCopies(options, web, keySets.of)
  const isFresh = () => replica.assertFresh?.()
  return {
    key(kid, purpose, at) {
      const hash = kid.indexOf('#')
      if (hash < 0) throw unknownKey(kid)
      const did = kid.slice(0, hash)
      if (did.startsWith('did:webvh:')) return logged(kid, purpose, at)
      const isLocal = did.startsWith('did:key:') || did.startsWith('did:jwk:')
      if (!isLocal) isFresh()
      if (did.startsWith('did:web:')) return copies.key(kid, purpose, at)
      const keys = keySets.of(did)
      if (keys === undefined) throw unresolvable(did)
      const found = keys.get(kid.slice(hash + 1))
      if (found === undefined) throw unknownKey(kid)
      return judged(found, purpose, at, clock.now())
    },
    subjectOf(did) {
      if (localForm.test(did)) return did
      const ethr = parseEthrDid(did, chainId)
      if (ethr !== undefined) return ethr.did
      if (webvh.parse(did) !== undefined) return did
      if (!did.startsWith('did:web:')) throw unresolvable(did)
      const name = normaliseDidWeb(did)
      isFresh()
      return copies.original(name).then(original => original ?? name)
    },
    resolve: openResolver({
      chainId,
      events: address => replica.events(address),
      isFresh,
      webDocument: did => web.document(did),
      webvh,
      clock,
    }),
    changed: address => keySets.forget(address),
  }
}
