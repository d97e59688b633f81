import { type DIDDocument, parse as parseDid } from 'did-resolver'
import { isRefusal } from '../../kernel/refusal.ts'
import { absoluteUrl, relationships } from '../did-document.ts'
import type { ResolutionError } from '../did-resolution.ts'
import type { Dids, ResolveOptions } from '../dids.ts'
import { isRecord } from '../formats/json.ts'
import { type ErrorName, problem, type ResolutionResult, unresolved } from './result.ts'

/** DID methods that are resolved here. */
export const methods = ['ethr', 'key', 'jwk', 'web', 'webvh']
/** Those for which a host is asked: past the cache nobody may go, or everybody could have us ask anybody at any pace. */
const fetched = ['web', 'webvh']

/** Media types of a DID document. DID 1.1 knows `application/did` alone; the others are those of DID 1.0. */
export const documentTypes = ['application/did', 'application/did+ld+json', 'application/did+json'] as const
export type DocumentType = (typeof documentTypes)[number]
export const isDocumentType = (type: string): type is DocumentType => documentTypes.some(each => each === type)

/** As they came, by name. */
export type Options = Readonly<Record<string, unknown>>

const errorNames: Record<ResolutionError, ErrorName> = {
  invalidDid: 'INVALID_DID',
  invalidDidUrl: 'INVALID_DID_URL',
  invalidOptions: 'INVALID_OPTIONS',
  notFound: 'NOT_FOUND',
  methodNotSupported: 'METHOD_NOT_SUPPORTED',
  featureNotSupported: 'FEATURE_NOT_SUPPORTED',
  representationNotSupported: 'REPRESENTATION_NOT_SUPPORTED',
  internalError: 'INTERNAL_ERROR',
}

const versionOptions = ['versionId', 'versionTime', 'versionNumber'] as const
const booleanOptions = ['expandRelativeUrls', 'noCache'] as const
const known: readonly string[] = [...versionOptions, ...booleanOptions]

type ReadOptions = { version: ResolveOptions; expand: boolean; noCache: boolean }

const isTrue = (value: unknown): boolean => value === true || value === 'true'

/** @returns what is wrong with them, or what they say. */
const readOptions = (options: Options): ReadOptions | { wrong: string } => {
  for (const name of booleanOptions) {
    if (![undefined, true, false, 'true', 'false'].includes(options[name] as string | boolean | undefined)) {
      return { wrong: `${name} is true or false.` }
    }
  }
  const version: ResolveOptions = {}
  for (const name of versionOptions) {
    const value = options[name]
    if (value === undefined) continue
    if (typeof value !== 'string' || value.length > 200) return { wrong: `${name} is a text of up to 200 characters.` }
    version[name] = value
  }
  return { version, expand: isTrue(options['expandRelativeUrls']), noCache: isTrue(options['noCache']) }
}

const expandedItem = (document: DIDDocument, item: unknown): unknown =>
  isRecord(item) ? { ...item, id: absoluteUrl(document, item['id']) } : absoluteUrl(document, item)

/** Option `expandRelativeUrls`: ids of methods and services, and references to methods. */
const expanded = (document: DIDDocument): Record<string, unknown> => {
  const lists: readonly string[] = ['verificationMethod', 'service', ...relationships]
  const members = Object.entries(document).map(([name, value]) => [
    name,
    lists.includes(name) && Array.isArray(value) ? value.map(item => expandedItem(document, item)) : value,
  ])
  return Object.fromEntries(members)
}

const represented = (document: Record<string, unknown>, type: DocumentType): Record<string, unknown> => {
  if (type !== 'application/did+json') return document
  const { '@context': _, ...plain } = document
  return plain
}

/** What the algorithm refuses before it asks the method. */
const refusalOf = (did: string, options: Options): ResolutionResult | { method: string; read: ReadOptions } => {
  const parsed = did.length > 2_048 ? null : parseDid(did)
  if (parsed === null || parsed.did !== did) {
    return unresolved(problem('INVALID_DID', 'A DID is did:<method>:<identifier>, without path, query or fragment.'))
  }
  const { method } = parsed
  if (!methods.includes(method)) {
    return unresolved(problem('METHOD_NOT_SUPPORTED', `The methods resolved here are ${methods.join(', ')}.`))
  }
  const read = readOptions(options)
  const unknown = Object.keys(options).find(name => !known.includes(name))
  if (unknown !== undefined) {
    const detail = `There is no option ${unknown.slice(0, 50)}; there are ${known.join(', ')}.`
    return unresolved(problem('FEATURE_NOT_SUPPORTED', detail))
  }
  if ('wrong' in read) return unresolved(problem('INVALID_OPTIONS', read.wrong))
  if (read.noCache && fetched.includes(method)) {
    const detail = `A did:${method} is not resolved past the cache; ask without noCache.`
    return unresolved(problem('FEATURE_NOT_SUPPORTED', detail))
  }
  return { method, read }
}

/**
 * DID Resolution Algorithm. A deactivated DID has no document, but where a version of it is asked for.
 * @param options all but `accept`.
 */
export const openResolution =
  ({ resolve }: Pick<Dids, 'resolve'>) =>
  async (did: string, options: Options, type: DocumentType = 'application/did'): Promise<ResolutionResult> => {
    const judged = refusalOf(did, options)
    if (!('read' in judged)) return judged
    const { version, expand } = judged.read
    try {
      const { didResolutionMetadata, didDocument, didDocumentMetadata } = await resolve(did, version)
      const { error, message = '', problemDetails } = didResolutionMetadata
      if (error !== undefined) {
        const details = isRecord(problemDetails) ? { problemDetails } : {}
        const code = isRecord(problemDetails) ? String(problemDetails['code']) : undefined
        const name = errorNames[error as ResolutionError] ?? 'INTERNAL_ERROR'
        const { didResolutionMetadata: told, ...rest } = unresolved(problem(name, String(message), code))
        return { didResolutionMetadata: { ...told, ...details }, ...rest }
      }
      const metadata = { ...didDocumentMetadata }
      const isGone = metadata.deactivated === true && Object.keys(version).length === 0
      if (didDocument === null || isGone) {
        return { didResolutionMetadata: {}, didDocument: null, didDocumentMetadata: metadata }
      }
      const document = expand ? expanded(didDocument) : { ...didDocument }
      return {
        didResolutionMetadata: { contentType: type },
        didDocument: represented(document, type),
        didDocumentMetadata: metadata,
      }
    } catch (error) {
      if (!isRefusal(error) || error.kind !== 'unavailable') throw error
      return unresolved(problem('INTERNAL_ERROR', error.message, error.code))
    }
  }

export type Resolution = ReturnType<typeof openResolution>
