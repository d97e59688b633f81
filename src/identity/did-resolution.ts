import { type DIDDocument, type DIDResolutionResult, parse as parseDid } from 'did-resolver'
import type { Clock } from '../kernel/ports.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { type DidEvent, type EthrDid, ethrDocument, parseEthrDid } from './did-ethr.ts'
import { localDocument, parseLocalMethod } from './did-local.ts'
import { isDidWeb } from './did-web.ts'

/** The error codes of W3C DID Resolution that are answered here. */
export type ResolutionError =
  | 'invalidDid'
  | 'invalidDidUrl'
  | 'notFound'
  | 'methodNotSupported'
  | 'representationNotSupported'
  | 'internalError'

type Needs = {
  chainId: bigint | number
  events(address: string): readonly DidEvent[]
  isFresh(): void
  webDocument(did: string): Promise<DIDDocument>
  clock: Clock
}

type Asked = { did: string; versionTime?: number; versionId?: number; accept: string | undefined }

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
  const { did, versionTime, versionId } = asked
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

const resolveWeb = async (asked: Asked, needs: Needs): Promise<DIDResolutionResult> => {
  if (asked.versionTime !== undefined || asked.versionId !== undefined) {
    return failure('notFound', 'A did:web has no past versions.')
  }
  if (!isDidWeb(asked.did)) return failure('invalidDid', 'A did:web is did:web:host, with %3A before a port.')
  try {
    return success(asked, await needs.webDocument(asked.did), {})
  } catch (error) {
    if (!isRefusal(error)) throw error
    return failure(error.kind === 'unavailable' ? 'internalError' : 'notFound', error.message)
  }
}

const readUrl = (
  url: string,
  accept: string | undefined,
  versionTime: string | undefined,
): Asked | DIDResolutionResult => {
  const parsed = url.length > 2_048 ? null : parseDid(url)
  if (parsed === null) return failure('invalidDid', 'This is not a DID.')
  if (accept !== undefined && !representations.includes(accept)) {
    return failure('representationNotSupported', 'A DID document is had as application/did+json or did+ld+json.')
  }
  const query = new URLSearchParams(parsed.query ?? '')
  const time = versionTime ?? query.get('versionTime')
  const block = query.get('versionId')
  const at = time === null ? undefined : Date.parse(time)
  if (Number.isNaN(at) || (block !== null && !/^\d{1,15}$/.test(block))) {
    return failure('invalidDidUrl', 'versionTime is a time in ISO 8601, versionId the number of a block.')
  }
  return {
    did: parsed.did,
    accept,
    ...(at === undefined ? {} : { versionTime: at }),
    ...(block === null ? {} : { versionId: Number(block) }),
  }
}

/** Resolution as W3C has it: a result for every question, with a document or an error code. */
export const openResolver =
  (needs: Needs) =>
  async (url: string, options: { accept?: string; versionTime?: string } = {}): Promise<DIDResolutionResult> => {
    const asked = readUrl(url, options.accept, options.versionTime)
    if (!('did' in asked)) return asked
    const [, method] = asked.did.split(':')
    if (method === 'ethr') {
      const ethr = parseEthrDid(asked.did, needs.chainId)
      if (ethr === undefined) {
        const isForeign = /^did:ethr:([\w:]+:)?0x([0-9a-fA-F]{40}|[0-9a-fA-F]{66})$/.test(asked.did)
        if (isForeign) return failure('notFound', 'This did:ethr is not on the chain that is followed here.')
        return failure('invalidDid', 'A did:ethr is did:ethr:<chain id in hex>:<address>.')
      }
      needs.isFresh()
      return resolveEthr(asked, ethr, needs)
    }
    if (method === 'key' || method === 'jwk') {
      const local = parseLocalMethod(asked.did)
      return local === undefined
        ? failure('invalidDid', 'This is no did:key or did:jwk of a kind of key that is known here.')
        : success(asked, localDocument(local), {})
    }
    if (method === 'web') return resolveWeb(asked, needs)
    return failure('methodNotSupported', 'The methods resolved here are ethr, key, jwk and web.')
  }
