import { type DIDDocument, type DIDResolutionResult, parse as parseDid } from 'did-resolver'
import type { Clock } from '../kernel/ports.ts'
import { isRefusal, type Refusal } from '../kernel/refusal.ts'
import { type DidEvent, type EthrDid, ethrDocument, parseEthrDid } from './did-ethr.ts'
import { localDocument, parseLocalMethod } from './did-local.ts'
import { isDidWeb, isMissing } from './did-web.ts'
import type { ReadLog, Version } from './did-webvh/log.ts'
import { isSelected, selectVersion, type WebvhDids } from './did-webvh/webvh.ts'
import { readDateTimeStamp } from './integrity/proof.ts'

/** The error codes of W3C DID Resolution that are answered here, in the spelling of its registry of extensions. */
export type ResolutionError =
  | 'invalidDid'
  | 'invalidDidUrl'
  | 'invalidOptions'
  | 'notFound'
  | 'methodNotSupported'
  | 'featureNotSupported'
  | 'representationNotSupported'
  | 'internalError'

type Needs = {
  chainId: bigint | number
  events(address: string): readonly DidEvent[]
  isFresh(): void
  webDocument(did: string): Promise<DIDDocument>
  webvh: WebvhDids
  clock: Clock
}

type Asked = {
  did: string
  accept: string | undefined
  /** Milliseconds. */
  versionTime: number | undefined
  versionId: string | undefined
  versionNumber: number | undefined
}

export type ResolverOptions = {
  accept?: string
  /** As XML Schema writes a date and time with its zone. */
  versionTime?: string
  versionId?: string
  /** did:webvh only. */
  versionNumber?: string
}

const representations = [
  'application/did+json',
  'application/did+ld+json',
  'application/did',
  'application/json',
  '*/*',
]

const failure = (error: ResolutionError, message: string): DIDResolutionResult => ({
  didResolutionMetadata: { error, message },
  didDocument: null,
  didDocumentMetadata: {},
})

const success = (asked: Asked, document: DIDDocument, metadata: object): DIDResolutionResult => {
  const isPlain = asked.accept === 'application/did+json'
  const { '@context': context, ...plain } = document
  return {
    didResolutionMetadata: { contentType: isPlain ? 'application/did+json' : 'application/did+ld+json' },
    didDocument: isPlain || context === undefined ? plain : { ...plain, '@context': context },
    didDocumentMetadata: metadata,
  }
}

const isoSeconds = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('.000', '')

const resolveEthr = (asked: Asked, ethr: EthrDid, needs: Needs): DIDResolutionResult => {
  const { did, versionTime } = asked
  if (asked.versionId !== undefined && !/^\d{1,15}$/.test(asked.versionId)) {
    return failure('invalidDidUrl', 'versionId of a did:ethr is the number of a block.')
  }
  const versionId = asked.versionId === undefined ? undefined : Number(asked.versionId)
  const events = needs.events(ethr.address)
  // The chain's seconds may run ahead of our clock; what it has said already is no future.
  const latest = Math.max(needs.clock.now(), events.at(-1)?.timestamp ?? 0)
  if (versionTime !== undefined && versionTime > latest) return failure('notFound', 'That time has not come yet.')
  const counts = (event: DidEvent): boolean =>
    (versionTime === undefined || event.timestamp <= versionTime) &&
    (versionId === undefined || event.block <= versionId)
  const atVersion = versionId === undefined ? undefined : events.findLast(counts)?.timestamp
  const now = versionTime ?? atVersion ?? needs.clock.now()
  const found = ethrDocument({ did, ethr, chainId: needs.chainId, events, now, counts })
  const { version, nextVersion } = found
  return success(asked, found.didDocument, {
    ...(found.deactivated ? { deactivated: true } : {}),
    ...(version === undefined ? {} : { versionId: String(version.block), updated: isoSeconds(version.timestamp) }),
    ...(nextVersion === undefined
      ? {}
      : { nextVersionId: String(nextVersion.block), nextUpdate: isoSeconds(nextVersion.timestamp) }),
    ...(ethr.did === did ? {} : { canonicalId: ethr.did }),
  })
}

const noVersions = (asked: Asked): boolean => asked.versionTime === undefined && asked.versionId === undefined

const resolveWeb = async (asked: Asked, needs: Needs): Promise<DIDResolutionResult> => {
  if (!isDidWeb(asked.did)) return failure('invalidDid', 'A did:web is did:web:host, with %3A before a port.')
  if (!noVersions(asked)) return failure('featureNotSupported', 'A did:web has no past versions.')
  try {
    return success(asked, await needs.webDocument(asked.did), {})
  } catch (error) {
    if (!isRefusal(error)) throw error
    const isUnknown = error.kind === 'unavailable' && !isMissing(error)
    return failure(isUnknown ? 'internalError' : 'notFound', error.message)
  }
}

const resolveLocal = (asked: Asked): DIDResolutionResult => {
  const local = parseLocalMethod(asked.did)
  if (local === undefined) {
    return failure('invalidDid', 'This is no did:key or did:jwk of a kind of key that is known here.')
  }
  if (asked.versionId !== undefined) {
    return failure('featureNotSupported', 'A DID that carries its own key has no versions.')
  }
  return success(asked, localDocument(local), {})
}

/** did:webvh 1.0, Read (Resolve): what broke, beside the error code that it prescribes. */
const brokenLog = (refusal: Refusal): DIDResolutionResult => ({
  didResolutionMetadata: {
    error: 'invalidDid' satisfies ResolutionError,
    message: refusal.message,
    problemDetails: {
      type: 'https://www.w3.org/ns/did#INVALID_DID',
      title: 'The log of the DID does not hold.',
      detail: refusal.message,
      code: refusal.code,
    },
  },
  didDocument: null,
  didDocumentMetadata: {},
})

/** What did:webvh 1.0 tells about a document; numbers as text. */
const webvhMetadata = (asked: Asked, version: Version, { versions }: ReadLog): object => {
  const [first, last] = [versions[0] as Version, versions.at(-1) as Version]
  const { portable, deactivated, ttl, witnesses, watchers, scid } = last.active
  return {
    ...{ versionId: version.versionId, versionTime: version.versionTime },
    ...{ created: first.versionTime, updated: last.versionTime, scid, portable, deactivated, ttl: String(ttl) },
    ...(witnesses === undefined
      ? {}
      : { witness: { threshold: String(witnesses.threshold), witnesses: witnesses.ids.map(id => ({ id })) } }),
    ...(watchers.length === 0 ? {} : { watchers }),
    ...(version.document.id === asked.did ? {} : { canonicalId: version.document.id }),
  }
}

const resolveWebvh = async (asked: Asked, { webvh, clock }: Needs): Promise<DIDResolutionResult> => {
  const did = webvh.parse(asked.did)
  if (did === undefined)
    return failure('invalidDid', 'A did:webvh is did:webvh:<SCID>:<domain>, with a path or without.')
  try {
    const log = await webvh.log(did)
    if (log.failure !== undefined && !isSelected(asked)) return brokenLog(log.failure)
    const version = selectVersion(log, asked, clock.now())
    if (version === undefined) return failure('notFound', 'The log has no such version of the DID.')
    const metadata = webvhMetadata(asked, version, log)
    const isGone = log.versions.at(-1)?.active.deactivated === true && !isSelected(asked)
    const result = success(asked, version.document, metadata)
    return isGone ? { ...result, didDocument: null } : result
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (error.kind === 'unavailable') return failure('internalError', error.message)
    return error.kind === 'not_found' ? failure('notFound', error.message) : brokenLog(error)
  }
}

const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

/** Parameters stand in the DID URL or among the options: where one is wrong there, that is what is told. */
const readUrl = (url: string, options: ResolverOptions): Asked | DIDResolutionResult => {
  const parsed = url.length > 2_048 ? null : parseDid(url)
  if (parsed === null) return failure('invalidDid', 'This is not a DID.')
  const { accept } = options
  if (accept !== undefined && !representations.includes(accept)) {
    return failure('representationNotSupported', 'A DID document is had as application/did+json or did+ld+json.')
  }
  const query = new URLSearchParams(parsed.query ?? '')
  const said = (name: 'versionTime' | 'versionId' | 'versionNumber') => options[name] ?? query.get(name) ?? undefined
  const [time, versionId, number] = [said('versionTime'), said('versionId'), said('versionNumber')]
  const versionTime = time === undefined ? undefined : readDateTimeStamp(time)
  if ((time !== undefined && versionTime === undefined) || !/^([1-9]\d{0,8})?$/.test(number ?? '')) {
    const isOption = options.versionTime !== undefined || options.versionNumber !== undefined
    return failure(
      isOption ? 'invalidOptions' : 'invalidDidUrl',
      'versionTime is a date and time with its zone, versionNumber a number from 1.',
    )
  }
  if ([time, versionId, number].filter(each => each !== undefined).length > 1) {
    return failure('invalidOptions', 'One of versionTime, versionId and versionNumber is given, not several.')
  }
  return { did: parsed.did, accept, versionTime, versionId, versionNumber: numberOf(number) }
}

const resolveChain = (asked: Asked, needs: Needs): DIDResolutionResult => {
  const ethr = parseEthrDid(asked.did, needs.chainId)
  if (ethr === undefined) {
    const isForeign = /^did:ethr:([\w:]+:)?0x([0-9a-fA-F]{40}|[0-9a-fA-F]{66})$/.test(asked.did)
    if (isForeign) return failure('notFound', 'This did:ethr is not on the chain that is followed here.')
    return failure('invalidDid', 'A did:ethr is did:ethr:<chain id in hex>:<address>.')
  }
  needs.isFresh()
  return resolveEthr(asked, ethr, needs)
}

/** Resolution as W3C has it: a result for every question, with a document or an error code. */
export const openResolver =
  (needs: Needs) =>
  async (url: string, options: ResolverOptions = {}): Promise<DIDResolutionResult> => {
    const asked = readUrl(url, options)
    if (!('did' in asked)) return asked
    const [, method] = asked.did.split(':')
    if (asked.versionNumber !== undefined && method !== 'webvh') {
      return failure('featureNotSupported', 'versionNumber is of did:webvh only.')
    }
    if (method === 'ethr') return resolveChain(asked, needs)
    if (method === 'key' || method === 'jwk') return resolveLocal(asked)
    if (method === 'web') return resolveWeb(asked, needs)
    if (method === 'webvh') return resolveWebvh(asked, needs)
    return failure('methodNotSupported', 'The methods resolved here are ethr, key, jwk, web and webvh.')
  }
