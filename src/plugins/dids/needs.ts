/** Options of resolution and dereferencing by name, as they came. */
export type Options = Readonly<Record<string, unknown>>

type Metadata = { error?: { type: string }; contentType?: string }

/** A DID resolution result of W3C DID Resolution. */
export type Resolved = {
  didResolutionMetadata: Metadata
  didDocument: Record<string, unknown> | null
  didDocumentMetadata: Record<string, unknown>
}

/** A DID URL dereferencing result. A URL that is led to is text, one a line, with `contentType` text/uri-list. */
export type Dereferenced = {
  dereferencingMetadata: Metadata
  contentStream: unknown
  contentMetadata: Record<string, unknown>
}

export type DocumentType = 'application/did' | 'application/did+ld+json' | 'application/did+json'

/** What the composition root hands to this plugin. */
export type DidsNeeds = {
  resolve(did: string, options: Options, type: DocumentType): Promise<Resolved>
  dereference(
    didUrl: string,
    options: Options,
    accept: DocumentType | 'text/uri-list' | undefined,
  ): Promise<Dereferenced>
  /** The log of the agency's did:webvh, as far as it goes now. @throws Refusal unavailable/did_log_behind */
  didLog(): Promise<string>
}
