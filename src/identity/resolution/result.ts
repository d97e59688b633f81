/** W3C DID Resolution: its results, and its errors as problem details (section "Errors", RFC 9457). */

/** Last parts of the URLs that name an error. */
export type ErrorName =
  | 'INVALID_DID'
  | 'INVALID_DID_URL'
  | 'INVALID_OPTIONS'
  | 'INVALID_DID_DOCUMENT'
  | 'NOT_FOUND'
  | 'REPRESENTATION_NOT_SUPPORTED'
  | 'METHOD_NOT_SUPPORTED'
  | 'FEATURE_NOT_SUPPORTED'
  | 'INTERNAL_ERROR'
  | 'INVALID_VERIFICATION_METHOD'
  | 'INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD'

export type ResolutionProblem = { type: string; title: string; detail: string; code?: string }

type Metadata = { contentType?: string; error?: ResolutionProblem; [member: string]: unknown }

/** "DID Resolution Result". */
export type ResolutionResult = {
  didResolutionMetadata: Metadata
  didDocument: Record<string, unknown> | null
  didDocumentMetadata: Record<string, unknown>
}

/** "DID URL Dereferencing Result": the algorithm says `contentStream`, the data structure `content`. They are the same. */
export type DereferencingResult = {
  dereferencingMetadata: Metadata
  contentStream: unknown
  content: unknown
  contentMetadata: Record<string, unknown>
}

const titles: Record<ErrorName, string> = {
  INVALID_DID: 'The DID is invalid',
  INVALID_DID_URL: 'The DID URL is invalid',
  INVALID_OPTIONS: 'The options are invalid',
  INVALID_DID_DOCUMENT: 'The DID document is malformed',
  NOT_FOUND: 'There is no such thing',
  REPRESENTATION_NOT_SUPPORTED: 'There is no such representation',
  METHOD_NOT_SUPPORTED: 'The DID method is not supported',
  FEATURE_NOT_SUPPORTED: 'The feature is not supported',
  INTERNAL_ERROR: 'The DID cannot be resolved now',
  INVALID_VERIFICATION_METHOD: 'That is no verification method',
  INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD: 'The verification method is not for this',
}

/** The errors about verification methods are those of Controlled Identifiers 1.0, section 3.5. */
const ofControlledIdentifiers: readonly ErrorName[] = [
  'INVALID_VERIFICATION_METHOD',
  'INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD',
]

export const errorType = (name: ErrorName): string =>
  `${ofControlledIdentifiers.includes(name) ? 'https://w3id.org/security#' : 'https://www.w3.org/ns/did#'}${name}`

/** @param code what broke, in the words of the house. */
export const problem = (name: ErrorName, detail: string, code?: string): ResolutionProblem => ({
  type: errorType(name),
  title: titles[name],
  detail,
  ...(code === undefined ? {} : { code }),
})

export const unresolved = (error: ResolutionProblem): ResolutionResult => ({
  didResolutionMetadata: { error },
  didDocument: null,
  didDocumentMetadata: {},
})

export const undereferenced = (error: ResolutionProblem): DereferencingResult => ({
  dereferencingMetadata: { error },
  contentStream: null,
  content: null,
  contentMetadata: {},
})

export const dereferenced = (
  contentType: string,
  content: unknown,
  contentMetadata: Record<string, unknown>,
): DereferencingResult => ({ dereferencingMetadata: { contentType }, contentStream: content, content, contentMetadata })
