import type { DIDDocument, VerificationMethod } from 'did-resolver'
import type { Clock } from '../kernel/ports.ts'
import { isRefusal, Refusal } from '../kernel/refusal.ts'
import { publicKeyOf } from './did-document.ts'
import { type FetchBounds, fetchBounded } from './fetch-bounded.ts'
import { openFetchSlots } from './fetch-slots.ts'
import { Generations } from './generations.ts'
import type { PublicKey } from './key-material.ts'

/** @throws Refusal rejected/did_unresolvable for what is not a did:web. */
const malformed = (): Refusal =>
  new Refusal('rejected', 'did_unresolvable', 'A did:web is did:web:host, did:web:host%3Aport or did:web:host:path.')

/** The did:web whose document stands under this public URL. */
export const didWebFor = (publicUrl: string): string => {
  const url = new URL(publicUrl)
  const path = url.pathname.split('/').filter(part => part !== '')
  return ['did:web', url.host.replace(':', '%3A'), ...path].join(':')
}

/** A did:web with its host in lower case. */
export const normaliseDidWeb = (did: string): string => {
  const [method, web, host = '', ...path] = did.split(':')
  const [, name = ''] = /^([A-Za-z0-9.-]{1,253})(?:%3[Aa]\d{1,5})?$/.exec(host) ?? []
  const isLabel = (label: string) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label)
  if (method !== 'did' || web !== 'web' || !name.split('.').every(isLabel)) throw malformed()
  const isSafe = (part: string) => /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$/.test(part)
  if (path.length > 16 || !path.every(isSafe)) throw malformed()
  return ['did:web', host.toLowerCase().replace('%3a', '%3A'), ...path].join(':')
}

export const isDidWeb = (did: string): boolean => {
  try {
    return normaliseDidWeb(did) !== ''
  } catch {
    return false
  }
}

/** Where the document of a did:web stands: https, or http where exactly that origin is configured. */
export const didWebUrl = (did: string, allowedHttpOrigins: readonly string[] = []): string => {
  const [, , host = '', ...path] = normaliseDidWeb(did).split(':')
  const authority = host.replace('%3A', ':')
  const scheme = allowedHttpOrigins.includes(`http://${authority}`) ? 'http' : 'https'
  return `${scheme}://${authority}/${path.length === 0 ? '.well-known' : path.join('/')}/did.json`
}

/**
 * Our own did.json: the did:ethr's document under the name of the did:web, with `alsoKnownAs` pointing back. The
 * methods that name a chain account only are left out; they are of use only on the chain.
 */
export const didWebDocument = (options: { did: string; ethr: DIDDocument }): DIDDocument => {
  const { did, ethr } = options
  const moved = (id: string): string => (id.startsWith(`${ethr.id}#`) ? did + id.slice(ethr.id.length) : id)
  const methods = (ethr.verificationMethod ?? []).flatMap((method): VerificationMethod[] => {
    const { id, publicKeyJwk } = method
    if (publicKeyJwk === undefined) return []
    return [{ id: moved(id), type: 'JsonWebKey2020', controller: did, publicKeyJwk }]
  })
  const kept = new Set(methods.map(method => method.id))
  const relations = (name: 'authentication' | 'assertionMethod') =>
    (ethr[name] ?? []).flatMap(each => (typeof each === 'string' && kept.has(moved(each)) ? [moved(each)] : []))
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/suites/jws-2020/v1'],
    id: did,
    alsoKnownAs: [ethr.id],
    verificationMethod: methods,
    authentication: relations('authentication'),
    assertionMethod: relations('assertionMethod'),
  }
}

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(each => typeof each === 'string')
const isMethod = (value: unknown): value is VerificationMethod =>
  typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'

const depthMost = 32
/** Deeper than any document, and at some depth deeper than it could be written out again. */
const isDeep = (value: unknown, depth = 0): boolean =>
  depth > depthMost ||
  (typeof value === 'object' && value !== null && Object.values(value).some(member => isDeep(member, depth + 1)))

const parseDocument = (did: string, body: Buffer): DIDDocument => {
  const refused = (why: string) => new Refusal('rejected', 'did_unresolvable', `The document of ${did} ${why}.`)
  let document: unknown
  try {
    document = JSON.parse(body.toString('utf8'))
  } catch {
    throw refused('is not JSON')
  }
  if (typeof document !== 'object' || document === null || !('id' in document)) throw refused('is not a DID document')
  if (document.id !== did) throw refused('names another DID')
  if (isDeep(document)) throw refused('is nested too deep')
  const { verificationMethod, alsoKnownAs } = document as Record<string, unknown>
  const methods = verificationMethod ?? []
  if (!Array.isArray(methods) || methods.length > 200 || !methods.every(isMethod)) throw refused('has malformed keys')
  if (alsoKnownAs !== undefined && !isStrings(alsoKnownAs)) throw refused('has a malformed alsoKnownAs')
  return document as DIDDocument
}

/** The key of a fragment, as its `publicKeyJwk` or its Multikey gives it. */
export const keyInDocument = (document: DIDDocument, kid: string): PublicKey | undefined => {
  const fragment = kid.slice(kid.indexOf('#'))
  const method = document.verificationMethod?.find(each => each.id === kid || each.id === fragment)
  return method === undefined ? undefined : publicKeyOf({ ...method })
}

type Held = { readAt: number; outcome: Promise<DIDDocument> }
const freshMs = 60_000
const failureMs = 5_000

export type WebOptions = Pick<FetchBounds, 'allowedHttpOrigins' | 'lookup' | 'connect' | 'timeoutMs'>

/** Whether the host says that there is no such document, where otherwise it cannot be had now. */
export const isMissing = (error: unknown): boolean => {
  const status = isRefusal(error) && isRefusal(error.cause) ? error.cause.facts['httpStatus'] : undefined
  return status === 404 || status === 410
}

/** Reads did:web documents, each at most once a minute and once at a time. */
export const openWebDids = (web: WebOptions, clock: Clock) => {
  const held = new Generations<Held>(1_000)
  // Anyone may name a host, and each takes a socket and a place in the queue for names.
  const slots = openFetchSlots({ clock, total: 32, perHost: 8, perHostPerMinute: 120 })
  const fetchDocument = async (did: string): Promise<DIDDocument> => {
    const accept = 'application/did+json, application/json'
    try {
      const url = didWebUrl(did, web.allowedHttpOrigins)
      const { body } = await slots.run(new URL(url).host, () => fetchBounded(url, { ...web, accept }))
      return parseDocument(did, body)
    } catch (error) {
      if (isRefusal(error) && error.kind === 'unavailable') {
        throw new Refusal('unavailable', 'did_unavailable', `The document of ${did} cannot be had now.`, {
          cause: error,
        })
      }
      if (isRefusal(error) && error.code === 'did_unresolvable') throw error
      throw new Refusal('rejected', 'did_unresolvable', `The document of ${did} may not be fetched.`, { cause: error })
    }
  }
  return {
    /** @throws Refusal rejected/did_unresolvable, unavailable/did_unavailable */
    document(name: string): Promise<DIDDocument> {
      const did = normaliseDidWeb(name)
      const known = held.get(did)
      if (known !== undefined && clock.now() - known.readAt < freshMs) return known.outcome
      if (!slots.hasRoom(new URL(didWebUrl(did, web.allowedHttpOrigins)).host)) {
        const busy = 'Too many did:web documents are being fetched; try again.'
        return Promise.reject(new Refusal('unavailable', 'did_unavailable', busy))
      }
      const outcome = fetchDocument(did)
      const entry = { readAt: clock.now(), outcome }
      entry.outcome.catch(() => {
        entry.readAt -= freshMs - failureMs
      })
      held.set(did, entry)
      return entry.outcome
    },
    forget: () => held.clear(),
  }
}
