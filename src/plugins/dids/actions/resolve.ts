import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Dereferenced, DidsNeeds, DocumentType, Options, Resolved } from '../needs.ts'
import { preferred } from './accept.ts'

/** The HTTP(S) binding of W3C DID Resolution. */

const resolutionType = 'application/did-resolution'
const dereferencingType = 'application/did-url-dereferencing'
const urlListType = 'text/uri-list'
const documentTypes = ['application/did', 'application/did+ld+json', 'application/did+json'] as const
/** Under these names the whole result is told too: many clients ask for nothing else. */
const jsonTypes = ['application/json', 'application/ld+json'] as const

type Type =
  | typeof resolutionType
  | typeof dereferencingType
  | typeof urlListType
  | DocumentType
  | (typeof jsonTypes)[number]

/** Parameters of a DID URL, which come in the query of the request where the DID URL is not encoded in its path. */
const urlParameters = ['service', 'serviceType', 'relativeRef']

/** By the last part of the error's URL; any other is a 500. */
const statuses: Record<string, number> = {
  INVALID_DID: 400,
  INVALID_DID_URL: 400,
  INVALID_OPTIONS: 400,
  NOT_FOUND: 404,
  REPRESENTATION_NOT_SUPPORTED: 406,
  METHOD_NOT_SUPPORTED: 501,
  FEATURE_NOT_SUPPORTED: 501,
}
const retryAfterSeconds = '5'

type Metadata = Resolved['didResolutionMetadata']

const nameOf = ({ error }: Metadata): string | undefined => error?.type.slice(error.type.indexOf('#') + 1)

const statusOf = (told: Metadata, metadata: Record<string, unknown>): number => {
  const name = nameOf(told)
  if (name !== undefined) return statuses[name] ?? 500
  return metadata['deactivated'] === true ? 410 : 200
}

/** Which host could not be had now is worth asking again, and a defect is not: the status is the same. */
const headersOf = (told: Metadata): Record<string, string> =>
  nameOf(told) === 'INTERNAL_ERROR' ? { 'Retry-After': retryAfterSeconds } : {}

const isDocumentType = (type: Type): type is DocumentType => documentTypes.some(each => each === type)

const resolved = async (needs: DidsNeeds, did: string, options: Options, type: Type): Promise<Answer> => {
  const result = await needs.resolve(did, options, isDocumentType(type) ? type : 'application/did')
  const { didResolutionMetadata: told, didDocument, didDocumentMetadata } = result
  const status = statusOf(told, didDocumentMetadata)
  const isDocument = isDocumentType(type) && didDocument !== null
  const contentType = isDocumentType(type) && !isDocument ? resolutionType : type
  return { status, body: isDocument ? didDocument : result, contentType, headers: headersOf(told) }
}

const redirect = ({ contentStream }: Dereferenced): Answer => ({
  status: 303,
  headers: { Location: String(contentStream).split('\r\n', 1)[0] as string },
})

/** Whether the caller names a type under which he is sent on: a link to an agency shall not open a stranger's page in a browser. */
const follows = ({ headers }: Context): boolean =>
  /(?:application\/did-url-dereferencing|text\/uri-list)/i.test(headers['accept'] ?? '')

type Asked = { didUrl: string; options: Options; type: Type; follows: boolean }

const dereferenced = async (needs: DidsNeeds, asked: Asked): Promise<Answer> => {
  const { didUrl, options, type } = asked
  const isUrls = type === urlListType
  const accept = isDocumentType(type) || isUrls ? type : undefined
  const result = await needs.dereference(didUrl, options, accept)
  const { dereferencingMetadata: told, contentStream, contentMetadata } = result
  if (told.contentType === urlListType && asked.follows) return redirect(result)
  const status = statusOf(told, contentMetadata)
  const isDocument = isDocumentType(type) && told.error === undefined && contentStream !== null
  const contentType = accept !== undefined && !isDocument ? dereferencingType : type
  return { status, body: isDocument ? contentStream : result, contentType, headers: headersOf(told) }
}

/**
 * A DID stands in the path as it is, with percent encoding of its own, or percent-encoded as a whole. A fragment never gets here
 * but encoded.
 */
const identifierOf = (rawPath: string): string =>
  /^did:/i.test(rawPath) ? rawPath.replace(/%23/g, '#') : decodeURIComponent(rawPath)

/** What the path names, with the parameters of a DID URL that stand behind it, and the options. */
const read = (named: string, given: Options): { didUrl: string; options: Options; isUrl: boolean } => {
  const parameters = new URLSearchParams()
  const options: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (urlParameters.includes(name) && typeof value === 'string') parameters.append(name, value)
    else options[name] = value
  }
  const hash = named.indexOf('#')
  const [whole, fragment] = hash === -1 ? [named, ''] : [named.slice(0, hash), named.slice(hash)]
  const query = parameters.size === 0 ? '' : `${whole.includes('?') ? '&' : '?'}${parameters}`
  const didUrl = `${whole}${query}${fragment}`
  return { didUrl, options, isUrl: /[/?#]/.test(didUrl) || options['verificationRelationship'] !== undefined }
}

const answer = (needs: DidsNeeds, context: Context, given: Options): Promise<Answer> => {
  const { didUrl, options, isUrl } = read(identifierOf(context.params['didUrlRawPath'] ?? ''), given)
  const results = isUrl
    ? ([dereferencingType, resolutionType] as const)
    : ([resolutionType, dereferencingType] as const)
  const type = preferred<Type>(context.headers['accept'], [...results, ...documentTypes, urlListType, ...jsonTypes])
  if (type === undefined) return Promise.resolve(unrepresented(isUrl))
  const asUrl = type === dereferencingType || type === urlListType || (isUrl && type !== resolutionType)
  if (!asUrl) return resolved(needs, didUrl, options, type)
  return dereferenced(needs, { didUrl, options, type, follows: follows(context) })
}

const unrepresented = (isUrl: boolean): Answer => {
  const error = {
    type: 'https://www.w3.org/ns/did#REPRESENTATION_NOT_SUPPORTED',
    title: 'There is no such representation',
    detail: `Accept one of ${[resolutionType, dereferencingType, ...documentTypes, urlListType].join(', ')}.`,
  }
  return isUrl
    ? {
        status: 406,
        contentType: dereferencingType,
        body: { dereferencingMetadata: { error }, contentStream: null, content: null, contentMetadata: {} },
      }
    : {
        status: 406,
        contentType: resolutionType,
        body: { didResolutionMetadata: { error }, didDocument: null, didDocumentMetadata: {} },
      }
}

/** GET: options stand in the query. */
export const resolveDid = (needs: DidsNeeds, context: Context): Promise<Answer> => answer(needs, context, context.query)

/** Options in a body whose media type is not JSON's own come as text. @returns undefined for what is no object of JSON. */
const bodyOf = (body: unknown): Options | undefined => {
  try {
    const value: unknown = typeof body === 'string' ? JSON.parse(body) : (body ?? {})
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** POST: options stand in the body. In the query of the request only parameters of the DID URL do. */
export const resolveDidWithOptions = (needs: DidsNeeds, context: Context): Promise<Answer> => {
  const options = bodyOf(context.body)
  const isTwice = Object.keys(options ?? {}).some(name => context.query[name] !== undefined)
  // No value of an option is a list: what cannot be read is told in the words of the specification.
  if (options === undefined || isTwice) return answer(needs, context, { versionId: [] })
  return answer(needs, context, { ...context.query, ...options })
}
