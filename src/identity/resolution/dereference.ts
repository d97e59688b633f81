import { type DIDDocument, parse as parseDid } from 'did-resolver'
import { absoluteUrl, findMethod, type Relationship, relationships } from '../did-document.ts'
import { parseWebvhDid, webvhBase } from '../did-webvh/identifier.ts'
import { isRecord } from '../formats/json.ts'
import { type DocumentType, isDocumentType, type Options, type Resolution } from './resolve.ts'
import { type DereferencingResult, dereferenced, problem, type ResolutionResult, undereferenced } from './result.ts'

/** Of URLs that a DID URL leads to. */
export const urlListType = 'text/uri-list'
/** What a caller may prefer: a document, or the URL that the DID URL leads to. */
export type ContentType = DocumentType | typeof urlListType

export type DereferencingOptions = {
  /** @default a document, or a URL where the DID URL has a `relativeRef` or a path. */
  accept?: ContentType | undefined
  /** `verificationRelationship`, and all options of resolution. */
  options: Options
  /** Origins that may be http, and hosts without a domain: for the demo. */
  allowedHttpOrigins?: readonly string[]
  localHosts?: readonly string[]
}

type Parts = {
  did: string
  method: string
  path: string
  /** Without those that are options of resolution. */
  parameters: ReadonlyMap<string, string>
  versions: Record<string, string>
  fragment: string | undefined
}

type Found = { document: DIDDocument; type: DocumentType; metadata: Record<string, unknown> }

const servicePart = ['service', 'serviceType', 'relativeRef']
const versionPart = ['versionId', 'versionTime', 'versionNumber']

/** Characters that RFC 3986 knows, percent signs with their digits. */
const urlForm = /^(?:[A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$/

/** A parameter that stands there twice could be read in two ways. */
const readParts = (didUrl: string): Parts | undefined => {
  const parsed = didUrl.length > 4_096 || !urlForm.test(didUrl) ? null : parseDid(didUrl)
  if (parsed === null) return undefined
  const parameters = new Map<string, string>()
  const versions: Record<string, string> = {}
  const seen = new Set<string>()
  for (const [name, value] of new URLSearchParams(parsed.query ?? '')) {
    if (seen.has(name)) return undefined
    seen.add(name)
    if (versionPart.includes(name)) versions[name] = value
    else parameters.set(name, value)
  }
  const { did, method, path = '', fragment } = parsed
  return { did, method, path, parameters, versions, fragment }
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])

const matches = (document: DIDDocument, service: Record<string, unknown>, wanted: Parts['parameters']): boolean => {
  const [id, type] = [wanted.get('service'), wanted.get('serviceType')]
  const isNamed = id === undefined || absoluteUrl(document, service['id']) === absoluteId(document, id)
  return isNamed && (type === undefined || listOf(service['type']).includes(type))
}

/** A service is named by its fragment, with its `#` or without, or by its whole id. */
const absoluteId = ({ id: did }: DIDDocument, id: string): string => {
  if (id.includes(':')) return id
  return `${did}#${id.replace(/^#/, '')}`
}

const isWeb = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)

/** RFC 3986, section 5, over endpoints that are URLs of the web: nobody is led anywhere else. */
const endpointUrls = (services: readonly Record<string, unknown>[], relativeRef: string | undefined): string[] => {
  const endpoints = services.flatMap(service => listOf(service['serviceEndpoint']))
  const urls = endpoints.filter(each => typeof each === 'string').filter(isWeb)
  if (relativeRef === undefined) return urls
  return urls.filter(url => URL.canParse(relativeRef, url)).map(url => new URL(relativeRef, url).href)
}

const urlList = (
  urls: readonly string[],
  fragment: string | undefined,
  metadata: Record<string, unknown>,
): DereferencingResult => {
  const [first] = urls
  if (first === undefined) return undereferenced(problem('NOT_FOUND', 'The DID URL leads to no URL of the web.'))
  if (fragment === undefined) return dereferenced(urlListType, urls.join('\r\n'), metadata)
  if (urls.some(url => url.includes('#'))) {
    return undereferenced(problem('INVALID_DID_URL', 'The endpoint of the service has a fragment of its own.'))
  }
  return dereferenced(urlListType, urls.map(url => `${url}#${fragment}`).join('\r\n'), metadata)
}

const servicesOf = (document: DIDDocument): Record<string, unknown>[] =>
  (document.service ?? []).filter(isRecord).map(service => ({ ...service }))

const isRelationship = (name: unknown): name is Relationship => relationships.some(each => each === name)

/** Option `verificationRelationship` ("Dereferencing the Fragment", step 1). */
const methodOf = (found: Found, url: string, relationship: unknown): DereferencingResult => {
  if (!isRelationship(relationship)) {
    return undereferenced(problem('INVALID_OPTIONS', `verificationRelationship is one of ${relationships.join(', ')}.`))
  }
  const { method, isFor } = findMethod(found.document, url, relationship)
  const isMethod = typeof method?.['type'] === 'string' && typeof method['controller'] === 'string'
  if (method === undefined || !isMethod) {
    return undereferenced(problem('INVALID_VERIFICATION_METHOD', 'The DID URL names no verification method.'))
  }
  if (!isFor) {
    const detail = `The document does not have that method for ${relationship}.`
    return undereferenced(problem('INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD', detail))
  }
  return part(found, method)
}

const part = ({ document, type, metadata }: Found, item: Record<string, unknown>): DereferencingResult => {
  const { '@context': context } = document
  return dereferenced(type, context === undefined ? item : { '@context': context, ...item }, metadata)
}

/** The object of the document that has this id, whatever it is. */
const itemOf = (document: DIDDocument, url: string): Record<string, unknown> | undefined => {
  const items = Object.values<unknown>({ ...document }).flatMap(value =>
    Array.isArray(value) ? (value as unknown[]) : [],
  )
  const found = items.find(item => isRecord(item) && absoluteUrl(document, item['id']) === url)
  return isRecord(found) ? found : undefined
}

const fragmentOf = (found: Found, { fragment }: Parts, relationship: unknown): DereferencingResult => {
  if (fragment === undefined) {
    if (relationship === undefined) return dereferenced(found.type, found.document, found.metadata)
    const detail = 'A verificationRelationship is asked of a DID URL with the fragment of a method.'
    return undereferenced(problem('INVALID_VERIFICATION_METHOD', detail))
  }
  const url = `${found.document.id}#${fragment}`
  if (relationship !== undefined) return methodOf(found, url, relationship)
  const item = itemOf(found.document, url)
  return item === undefined
    ? undereferenced(problem('NOT_FOUND', 'The document has nothing under that fragment.'))
    : part(found, item)
}

/** "Dereferencing the Resource", step 5. */
const selected = (found: Found, parts: Parts, wanted: DereferencingOptions): DereferencingResult => {
  const { document, metadata } = found
  const services = servicesOf(document).filter(service => matches(document, service, parts.parameters))
  const relativeRef = parts.parameters.get('relativeRef')
  const isUrl = wanted.accept === urlListType || (wanted.accept === undefined && relativeRef !== undefined)
  if (isUrl) return urlList(endpointUrls(services, relativeRef), parts.fragment, metadata)
  const shown = { ...document, service: services } as DIDDocument
  return fragmentOf({ ...found, document: shown }, parts, wanted.options['verificationRelationship'])
}

/** However often it is decoded on its way. */
const isSafePath = (path: string): boolean => {
  try {
    return !decodeURIComponent(path)
      .split(/[/\\]/)
      .some(step => ['.', '..'].includes(step))
  } catch {
    return false
  }
}

/** did:webvh 1.0, DID URL Path Resolution and WHOIS Resolution: a service of the document, or the implicit one. */
const webvhPath = (found: Found, parts: Parts, wanted: DereferencingOptions): DereferencingResult => {
  const { document, metadata } = found
  const did = parseWebvhDid(document.id, wanted.localHosts)
  if (did === undefined || !isSafePath(parts.path)) {
    return undereferenced(problem('INVALID_DID_URL', 'The path of the DID URL leads out of its place.'))
  }
  if (wanted.accept !== undefined && wanted.accept !== urlListType) {
    const detail = 'The DID URL leads to a place in the web; ask for text/uri-list.'
    return undereferenced(problem('REPRESENTATION_NOT_SUPPORTED', detail))
  }
  const isWhois = parts.path === '/whois'
  const id = `${document.id}#${isWhois ? 'whois' : 'files'}`
  const explicit = servicesOf(document).find(service => absoluteUrl(document, service['id']) === id)
  const base = webvhBase(did, wanted.allowedHttpOrigins)
  const endpoint = explicit === undefined ? `${base}${isWhois ? 'whois.vp' : ''}` : explicit['serviceEndpoint']
  if (typeof endpoint !== 'string' || !isWeb(endpoint)) {
    return undereferenced(problem('INVALID_DID', 'The service for that path has no endpoint in the web.'))
  }
  return urlList([isWhois ? endpoint : `${endpoint.replace(/\/+$/, '')}${parts.path}`], parts.fragment, metadata)
}

const dereferenceIn = (found: Found, parts: Parts, wanted: DereferencingOptions): DereferencingResult => {
  const { path, parameters, method } = parts
  const names = [...parameters.keys()]
  const isService = parameters.has('service') || parameters.has('serviceType')
  if (path === '' && isService && names.every(name => servicePart.includes(name))) return selected(found, parts, wanted)
  if (path !== '' && method === 'webvh' && names.length === 0) return webvhPath(found, parts, wanted)
  if (path !== '' || names.length > 0) {
    return undereferenced(problem('NOT_FOUND', 'Nothing is known here of what that path or query stands for.'))
  }
  if (wanted.accept === urlListType) {
    return undereferenced(problem('REPRESENTATION_NOT_SUPPORTED', 'The DID URL leads to a document, not to a URL.'))
  }
  return fragmentOf(found, parts, wanted.options['verificationRelationship'])
}

const failed = ({ didResolutionMetadata, didDocumentMetadata }: ResolutionResult): DereferencingResult => ({
  dereferencingMetadata: didResolutionMetadata,
  contentStream: null,
  content: null,
  contentMetadata: didDocumentMetadata,
})

/**
 * DID URL Dereferencing Algorithm. Nothing is fetched but what resolves the DID: a resource outside the document is told by its
 * URL.
 */
export const openDereferencing =
  (resolution: Resolution) =>
  async (didUrl: string, wanted: DereferencingOptions): Promise<DereferencingResult> => {
    const parts = readParts(didUrl)
    if (parts === undefined) {
      return undereferenced(problem('INVALID_DID_URL', 'This is no DID URL, or it has a parameter twice.'))
    }
    const { verificationRelationship: _, ...options } = wanted.options
    const twice = Object.keys(parts.versions).find(name => options[name] !== undefined)
    if (twice !== undefined) return undereferenced(problem('INVALID_OPTIONS', `${twice} is given twice.`))
    const type = wanted.accept !== undefined && isDocumentType(wanted.accept) ? wanted.accept : 'application/did'
    const resolved = await resolution(parts.did, { ...options, ...parts.versions }, type)
    const { didDocument, didDocumentMetadata: metadata } = resolved
    if (didDocument === null) return failed(resolved)
    return dereferenceIn({ document: didDocument as DIDDocument, type, metadata }, parts, wanted)
  }

export type Dereferencing = ReturnType<typeof openDereferencing>
