import type { Dcql } from '../../kernel/dcql-query.ts'
import type { Identity, Verdict } from '../../kernel/identity.ts'
import type { House } from '../../kernel/perform.ts'
import type { Tx } from '../../kernel/ports.ts'

/** A credential or presentation as JSON, before or after it is secured. */
export type Document = Record<string, unknown>

export type SecureOptions = {
  /** JSON pointers (RFC 6901) to what every derived credential shows; for suites with selective disclosure. */
  mandatoryPointers?: readonly string[] | undefined
}

export type PresentOptions = { challenge?: string | undefined; domain?: string | undefined }

/** One key and one way to secure credentials with it. */
export type Instance = {
  name: string
  suite: string
  /** The issuer that its credentials name. */
  did: string
  /** DID URL of its key. */
  verificationMethod: string
  /** Puts an entry of a status list of its own into what it issues. */
  status: boolean
  /**
   * Issues under the agency's rules: a type that it is accredited for, with its status on chain. Where it is absent, as in a
   * conformance profile, the instance secures any credential.
   */
  issueKnown?(credential: Document): Promise<KnownIssue>
  /** @throws Refusal malformed/credential_malformed, context_unknown, term_unknown */
  secure(credential: Document, options: SecureOptions): Promise<unknown>
  /** @throws Refusal rejected/suite_unsuited where the suite secures no presentations */
  present(presentation: Document, options: PresentOptions): Promise<unknown>
}

/** A list credential, the version of the list that it tells, and until when it is handed out, in milliseconds. */
export type SignedList = { version: number; until: number; credential: Promise<unknown> }

/** The Digital Credentials Query Language (OpenID4VP 1.0, section 6), for presentations whose credentials name no query. */
export type QueryLanguage = {
  /** @throws Refusal malformed/dcql_malformed, rejected/format_unsupported for one that no presentation of an exchange holds */
  read(query: unknown): Dcql
  /** Whether credentials that were found good are what a query asks for: all of it, part of it, or more than it takes. */
  judge(query: Dcql, presented: readonly { verdict: Verdict; holderBound: boolean }[]): 'met' | 'missing' | 'several'
}

/** What is to be kept with the act that issues it. */
export type KnownIssue = { verifiableCredential: unknown; credentialId: string; store(tx: Tx): void }

/** What the composition root hands to this plugin. */
export type VcApiNeeds = {
  house: House
  instances: ReadonlyMap<string, Instance>
  /** A credential that shows chosen parts of another, with a proof derived from its proof. */
  derive(credential: unknown, options: { selectivePointers: readonly string[] }): Promise<unknown>
  /** gzip and base64url of the bits, as Bitstring Status List 1.0 has them. */
  encodeList(bits: Uint8Array): Promise<string>
  /** Lists as they were last signed, by issuer and number. */
  signedLists: Map<string, SignedList>
  /** Judges what participants of exchanges present. */
  identity: Pick<Identity, 'verifyPresentation'>
  dcql: QueryLanguage
  /** A text as a QR code, as a picture made of lines and of dots. */
  qr(text: string): Promise<{ svg: string; png: Uint8Array }>
  newId(): string
  publicUrl: string
}

/** What issuing needs, without judging what others present. */
export type IssuingNeeds = Omit<VcApiNeeds, 'identity'>
