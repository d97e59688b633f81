import type { ProvenCredential } from './gate.ts'
import type { BlockRef, StatusPointer, StatusValue, Tx } from './ports.ts'
import type { RefusalKind } from './refusal.ts'

/** What plugins ask of `identity/`; the composition root hands it over. Times are milliseconds. */
export const formatIds = ['dc+sd-jwt', 'vc+jwt', 'jwt_vc', 'ldp_vc'] as const
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
export type Verdict = {
  verified: boolean
  checks: Check[]
  /** The first reason for refusal, in the order of `checkNames`. */
  refusal?: { kind: RefusalKind; code: string; detail: string }
  format?: string
  issuer?: string
  holder?: string
  type?: string
  credentialId?: string
  claims?: Record<string, unknown>
  document?: Record<string, unknown>
  /** The block that accreditation and status rest on. */
  block?: BlockRef
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

/** A credential that was presented and does not count, and why. Without a type, it could not be read so far. */
export type LapsedCredential = { type?: string; refusal: { kind: RefusalKind; code: string; detail: string } }

/** What presentations over one challenge came to. Plain data, so that it can be kept and judged again. */
export type Proof = {
  credentials: { credential: ProvenCredential; standing: Standing }[]
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
  concerns: string
  statusPurposes: ('revocation' | 'suspension')[]
  schema: Record<string, unknown>
  context: Record<string, unknown>
  /** SD-JWT VC type metadata. */
  metadata: Record<string, unknown>
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
    expected: { challenge?: string | undefined; audience: readonly string[]; at?: number | undefined },
  ): Promise<PresentationVerdict>
  /** The one challenge that presentations say they answer. @throws Refusal credential_malformed, challenge_mismatch */
  challengeOf(presentations: readonly string[]): string
  /** Judges presentations over one challenge, each credential for itself. @throws Refusal presentation_excessive */
  prove(presentations: readonly string[], expected: { challenge: string; audience: readonly string[] }): Promise<Proof>
  /** The proof as it stands now: what no longer does has moved to `lapsed`. In memory, a few microseconds. */
  recheck(proof: Proof): Proof | Promise<Proof>
  /** A decision about a status counts with us from the commit of the act on. */
  decide(pointer: StatusPointer, value: StatusValue): void
  bitstringList(list: number): Promise<string>
  tokenList(list: number): Promise<string>
  tokenListCwt(list: number): Promise<Uint8Array>
  /** Where all token lists of this agency stand. */
  listAggregation(): { status_lists: string[] }
  didDocument(): Promise<Record<string, unknown>>
  /** W3C DID resolution result. */
  resolve(did: string, options: { versionTime?: string | undefined }): Promise<Record<string, unknown>>
}
