import type { DIDResolutionOptions, DIDResolutionResult } from 'did-resolver'
import type { Clock } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { type DidEvent, type EthrDid, ethrDocument, ethrKeys, parseEthrDid, type TimedKey } from './did-ethr.ts'
import type { DidKeys, KeyPurpose, VerificationKey } from './did-keys.ts'
import { parseLocalDid } from './did-local.ts'
import { openResolver } from './did-resolution.ts'
import { keyInDocument, normaliseDidWeb, openWebDids, type WebOptions } from './did-web.ts'
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
}

export type Dids = DidKeys & {
  /**
   * W3C DID Resolution. Every failure but a stale replica is told in `didResolutionMetadata.error`: invalidDid,
   * invalidDidUrl, notFound, methodNotSupported, representationNotSupported, internalError (a host cannot be had now).
   * A deactivated DID is told in `didDocumentMetadata.deactivated`.
   * @throws Refusal unavailable/did_unavailable
   */
  resolve(did: string, options?: ResolveOptions): Promise<DIDResolutionResult>
  /** To be called by the follower with every new event of an identity, and without an address after a reorganisation. */
  changed(address?: string): void
}

/** A registered key's second and the caller's clock differ by up to this much without meaning anything. */
const clockSkewMs = 60_000
const heldDids = 20_000

const unknownKey = (kid: string): Refusal =>
  new Refusal('rejected', 'key_unknown', `There is no key ${kid} that can be verified with.`)
const unresolvable = (did: string): Refusal =>
  new Refusal('rejected', 'did_unresolvable', `${did} is no DID that counts here.`)

type Keyed = { did: string; keys: Map<string, TimedKey> }

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

const localKeys = (did: string): Keyed | undefined => {
  const local = parseLocalDid(did)
  if (local === undefined) return undefined
  const { publicKey, jwk, algorithm, thumbprint } = local.key
  const kid = `${did}#${local.fragment}`
  const use = { assertionMethod: true, authentication: true, ended: false }
  const key: TimedKey = { kid, did, publicKey, jwk, algorithm, thumbprint, ...use }
  return { did, keys: new Map([[local.fragment, key]]) }
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

/** The DIDs this agency can judge: did:ethr of its own chain from the replica, did:key, did:jwk, and linked did:web. */
export const openDids = (options: DidsOptions): Dids => {
  const { chainId, replica, clock } = options
  const web = openWebDids(options.web ?? {}, clock)
  const held = new Generations<Keyed>(heldDids)
  const isFresh = () => replica.assertFresh?.()

  const keyed = (did: string): Keyed | undefined => {
    const known = held.get(did)
    if (known !== undefined) return known
    const ethr = parseEthrDid(did, chainId)
    // One entry a did:ethr, whatever its spelling, so that `changed` finds it.
    if (ethr !== undefined && ethr.controllerKey === undefined && ethr.did !== did) return keyed(ethr.did)
    const found = ethr === undefined ? localKeys(did) : { did: ethr.did, keys: keysOf(ethr) }
    if (found !== undefined && ethr?.controllerKey === undefined) held.set(did, found)
    return found
  }
  const keysOf = (ethr: EthrDid) => ethrKeys(ethr, replica.events(ethr.address))

  const linkOf = async (did: string): Promise<EthrDid | undefined> => {
    const { alsoKnownAs = [] } = await web.document(did)
    for (const name of alsoKnownAs.slice(0, 10)) {
      const ethr = parseEthrDid(name, chainId)
      if (ethr === undefined || ethr.controllerKey !== undefined) continue
      const view = { did: ethr.did, ethr, chainId, events: replica.events(ethr.address), now: clock.now() }
      if (ethrDocument(view).didDocument.alsoKnownAs?.includes(did)) return ethr
    }
    return undefined
  }

  /** A did:web is a copy: its key counts only while the did:ethr behind it has the same key. */
  const webKey = async (kid: string, purpose: KeyPurpose, at: number | undefined): Promise<VerificationKey> => {
    const did = normaliseDidWeb(kid.slice(0, kid.indexOf('#')))
    const ethr = await linkOf(did)
    if (ethr === undefined) throw unresolvable(did)
    const named = keyInDocument(await web.document(did), `${did}${kid.slice(kid.indexOf('#'))}`)
    const keys = keyed(ethr.did)?.keys.values()
    if (named === undefined || keys === undefined) throw unknownKey(kid)
    const fits = (key: TimedKey) => judged(key, purpose, at, clock.now())
    return sameKey(keys, { kid, thumbprint: named.thumbprint }, fits)
  }

  const key: DidKeys['key'] = (kid, purpose, at) => {
    const hash = kid.indexOf('#')
    if (hash < 0) throw unknownKey(kid)
    const did = kid.slice(0, hash)
    if (did.startsWith('did:web:')) {
      isFresh()
      return webKey(kid, purpose, at)
    }
    if (did.startsWith('did:ethr:')) isFresh()
    const found = keyed(did)
    if (found === undefined) throw unresolvable(did)
    const entry = found.keys.get(kid.slice(hash + 1))
    if (entry === undefined) throw unknownKey(kid)
    return judged(entry, purpose, at, clock.now())
  }

  const subjectOf: DidKeys['subjectOf'] = did => {
    if (did.startsWith('did:web:')) {
      const name = normaliseDidWeb(did)
      isFresh()
      return linkOf(name).then(ethr => ethr?.did ?? name)
    }
    const ethr = parseEthrDid(did, chainId)
    if (ethr !== undefined) return ethr.did
    const local = keyed(did)
    if (local === undefined) throw unresolvable(did)
    return local.did
  }

  return {
    key,
    subjectOf,
    resolve: openResolver({
      chainId,
      events: address => replica.events(address),
      isFresh,
      webDocument: did => web.document(did),
      clock,
    }),
    changed(address) {
      if (address === undefined) held.clear()
      else held.delete(`did:ethr:0x${BigInt(chainId).toString(16)}:${address.toLowerCase()}`)
    },
  }
}
