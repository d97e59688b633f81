import type { ForeignView } from './dcql.ts'
import type { ProvenCredential } from './gate.ts'
import type { BlockRef, SignatureAlgorithm, StatusPointer, StatusValue, Tx } from './ports.ts'
import type { RefusalKind } from './refusal.ts'

/** What plugins ask of `identity/`; the composition root hands it over. Times are milliseconds. */
export const formatIds = ['dc+sd-jwt', 'vc+jwt', 'jwt_vc', 'ldp_vc', 'mso_mdoc'] as const
export type FormatId = (typeof formatIds)[number]

/** How an `ldp_vc` of this agency is secured (Data Integrity ECDSA Cryptosuites 1.0); without a choice, the first. */
export const issuingSuites = ['ecdsa-rdfc-2019', 'ecdsa-jcs-2019'] as const
export type IssuingSuite = (typeof issuingSuites)[number]

/** The checks of a verification, in their order of precedence. */
export const checkNames = [
  'format',
  'signature',
  'holderBinding',
  'challenge',
  'dates',
  'schema',
  'accreditation',
  'key',
  'status',
] as const
export type CheckName = (typeof checkNames)[number]

export type Check = {
  check: CheckName
  outcome: 'passed' | 'failed' | 'unavailable' | 'not_applicable'
  code?: string
  detail?: string
}

/** One verdict type for every format: each check by name, and the first reason for refusal. */
/** What a list says of a credential that stands: a message, or that an update of it is there (Bitstring Status List 1.0, section 3.2). */
export type StatusTold = { purpose: string; value: number; message?: string }

export type Verdict = {
  verified: boolean
  checks: Check[]
  /** The first reason for refusal, in the order of `checkNames`. */
  refusal?: { kind: RefusalKind; code: string; detail: string }
  format?: string
  issuer?: string
  holder?: string
  type?: string
  /** Of an mdoc, whose namespaces are the `document`. */
  doctype?: string
  validUntil?: number
  credentialId?: string
  claims?: Record<string, unknown>
  document?: Record<string, unknown>
  /** Of each entry of a Bitstring Status List that was looked at, in their order, up to one that takes the credential away. */
  statuses?: readonly StatusTold[]
  /** The block that accreditation and status rest on. */
  block?: BlockRef
  /** Of an issuer that the registry on chain need not know: by what it is trusted. */
  trust?: TrustBasis
  /** Under which `trusted_authorities` of DCQL its issuer is (OpenID4VP 1.0, section 6.1.1), each value for itself. */
  authorities?: readonly { type: string; value: string }[]
  /** The time the credential was judged at. */
  at: number
}

export type PresentationVerdict = Verdict & { credentials: Verdict[] }

export type IssueRequest = {
  type: string
  version?: number | undefined
  format?: FormatId | undefined
  /** Of an `ldp_vc`. @default ecdsa-rdfc-2019 */
  cryptosuite?: IssuingSuite | undefined
  /**
   * Puts the certificates of the signing key into a `dc+sd-jwt`, as HAIP 1.0 has it; it then ends no later than they do.
   * @default false
   */
  x5c?: boolean | undefined
  /** Claims with the holder's DID as `id`. */
  subject: Record<string, unknown>
  validFrom?: number | undefined
  validUntil?: number | undefined
}

export type IssuedCredential = {
  id: string
  type: string
  typeVersion: number
  format: FormatId
  compact: string
  issuedAt: number
  validUntil: number
  status: StatusPointer
}

/** What other plugins ask of the credentials that this agency issues: signed first, stored and decided on within an act. */
export type Issuance = {
  /** Signs, off the main thread; nothing is stored yet. @throws Refusal of issueCredential */
  issue(request: IssueRequest): Promise<IssuedCredential>
  /** Keeps an issued credential with the act that grants it. */
  store(tx: Tx, issued: IssuedCredential): void
  /** Decides on their status within the act. @returns the id under which the change is followed on its way onto the chain. */
  changeStatus(
    tx: Tx,
    credentialIds: readonly string[],
    change: { purpose: 'revocation' | 'suspension'; set: boolean; reason: string },
  ): Promise<string>
}

/** The plain facts by which a proven credential is judged again at every call. Times are milliseconds. */
export type Standing = {
  /** The issuer's chain address, lower case. */
  issuer: string
  /** DID URL of the key that signed the credential, and its thumbprint. */
  kid: string
  thumbprint: string
  type: string
  schemaId: string
  schemaDigest: string
  issuedAt: number
  validFrom?: number
  validUntil?: number
  status: StatusPointer
  /** Of a mandate: where the mandates above it have their status. */
  ancestors?: StatusPointer[]
}

/** Whose word it is that an issuer counts, beside the registry on chain. */
export type TrustBasis = {
  source: 'certificates' | 'trusted_list' | 'federation' | 'issuers'
  /** Name of the certificate's authority, address of the list, entity identifier of the trust anchor, or the issuer's DID. */
  authority: string
  /** Of a trusted list: under whose name the authority stands there. */
  provider?: string
}

/** The plain facts by which a proven credential of a foreign issuer is judged again. Times are milliseconds. */
export type ForeignStanding = Omit<Standing, 'status' | 'ancestors'> & {
  foreign: {
    /** Id of the trust in the configuration, and which of its sources vouched. */
    trust: string
    source: number
    /** SHA-256 (base64url) of the authority's certificate, where there is one. */
    anchor?: string
    /** Whose status lists count. */
    listIssuer: string
    statuses: ({ kind: 'token'; uri: string; index: number } | { kind: 'bitstring'; entry: Record<string, unknown> })[]
  }
}

/** A credential that was presented and does not count, and why. Without a type, it could not be read so far. */
export type LapsedCredential = { type?: string; refusal: { kind: RefusalKind; code: string; detail: string } }

/** What presentations over one challenge came to. Plain data, so that it can be kept and judged again. */
export type Proof = {
  credentials: { credential: ProvenCredential; standing: Standing | ForeignStanding }[]
  lapsed: LapsedCredential[]
}

/** What the public may read of a credential type. */
export type TypeView = {
  id: string
  slug: string
  version: number
  title: Record<string, string>
  vct: string
  formats: FormatId[]
  /** As an mdoc: `elements` are the data elements of `namespace` by the claims that they stand for. */
  mdoc?: { docType: string; namespace: string; elements: Readonly<Record<string, string>> }
  /** Credentials of others that this agency takes as one of the type. */
  foreign?: readonly ForeignView[]
  concerns: string
  statusPurposes: ('revocation' | 'suspension')[]
  schema: Record<string, unknown>
  context: Record<string, unknown>
  /** SD-JWT VC type metadata. */
  metadata: Record<string, unknown>
}

/** A key of the agency with the certificates that vouch for it. */
export type CertifiedKey = {
  /** Base64 of DER, the key's own certificate first, the trust anchor left out (RFC 7515, section 4.1.6; HAIP 1.0). */
  x5c: readonly string[]
  keyId: string
  algorithm: SignatureAlgorithm
  /** When the first of the certificates ends, in milliseconds. */
  expires: number
}

export const certificateRoles = ['issuer', 'documentSigner', 'verifier'] as const
export type CertificateRole = (typeof certificateRoles)[number]

/** X.509 for those who know no DIDs: the agency's own authority, or chains from the state's that its configuration names. */
export type Certificates = {
  /**
   * The key that signs credentials and metadata now; its certificate names the agency's DID and public URL.
   * @throws Refusal unavailable/certificate_missing when a configured chain is of another key than signs now, or has expired.
   */
  issuer(): Promise<CertifiedKey>
  /**
   * The same key as document signer of mdocs (ISO/IEC 18013-5, annex B.1.4).
   * @throws Refusal also rejected/format_unsupported for an agency whose configuration names no country.
   */
  documentSigner(): Promise<CertifiedKey>
  /** A key of its own for requests and for reader authentication, with the host of the public URL as dNSName. */
  verifier(): Promise<CertifiedKey>
  /** What an authority of others is handed to certify one of these keys (PKCS #10, RFC 2986): DER. */
  request(role: CertificateRole): Promise<Uint8Array>
  /** Whether it issues mdocs. */
  readonly mdocs: boolean
  /** The trust anchor of the agency's own authority, or the configured one: DER. */
  readonly authority: Uint8Array
  /** Every anchor that a certificate of this agency may end at today. */
  anchors(): Promise<readonly Uint8Array[]>
}

/**
 * How a presentation was asked for by OpenID4VP 1.0: what the device's signature of an mdoc covers beside the nonce (appendix B.2.6).
 * `jwkThumbprint` (RFC 7638, SHA-256, base64url) is of the key that the response was encrypted to, where it was.
 */
export type Handover =
  | { by: 'redirect'; clientId: string; responseUri: string; jwkThumbprint?: string | undefined }
  | { by: 'dc_api'; origin: string; jwkThumbprint?: string | undefined }

/** What presentations have to answer. */
export type Expectation = {
  challenge: string
  /** The names by which they may call this verifier; one of these. */
  audience: readonly string[]
  /** For mdocs, one of these; without any, an mdoc proves no holder. */
  handovers?: readonly Handover[] | undefined
}

export type Identity = {
  did: string
  types: TypeView[]
  /** Context documents beside those of the types, by `<name>/<version>`. */
  contexts: Readonly<Record<string, Record<string, unknown>>>
  issue(request: IssueRequest): Promise<IssuedCredential>
  verify(credential: unknown, options: { at?: number | undefined }): Promise<Verdict>
  verifyPresentation(
    presentation: unknown,
    expected: Omit<Expectation, 'challenge'> & {
      challenge?: string | undefined
      /** Whoever it is meant for; only a conformance profile judges so, everybody else by `audience`. */
      anyAudience?: boolean | undefined
      at?: number | undefined
    },
  ): Promise<PresentationVerdict>
  /** The one challenge that presentations say they answer. @throws Refusal credential_malformed, challenge_mismatch */
  challengeOf(presentations: readonly string[]): string
  /** Judges presentations over one challenge, each credential for itself. @throws Refusal presentation_excessive */
  prove(presentations: readonly string[], expected: Expectation): Promise<Proof>
  /** The proof as it stands now: what no longer does has moved to `lapsed`. In memory, a few microseconds. */
  recheck(proof: Proof): Proof | Promise<Proof>
  /** A decision about a status counts with us from the commit of the act on. */
  decide(pointer: StatusPointer, value: StatusValue): void
  /** As a vc+jwt. */
  bitstringList(list: number): Promise<string>
  /** As JSON, with a Data Integrity proof. */
  bitstringListWithProof(list: number): Promise<Readonly<Record<string, unknown>>>
  tokenList(list: number): Promise<string>
  tokenListCwt(list: number): Promise<Uint8Array>
  /** Where all token lists of this agency stand. */
  listAggregation(): { status_lists: string[] }
  didDocument(): Promise<Record<string, unknown>>
  /** W3C DID resolution result. */
  resolve(did: string, options: { versionTime?: string | undefined }): Promise<Record<string, unknown>>
}
