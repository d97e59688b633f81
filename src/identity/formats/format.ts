import type { KeyObject } from 'node:crypto'
import type { FormatId, IssuingSuite } from '../../kernel/identity.ts'
import type { SignatureAlgorithm, StatusPointer } from '../../kernel/ports.ts'
import type { ForeignCredential } from '../foreign/open.ts'
import type { OpenedMdoc } from '../mdoc/issuer-signed.ts'
import type { CredentialType, CredentialTypes } from '../types.ts'

/** What is about to be secured. Times are milliseconds, whole seconds. */
export type Draft = {
  id: string
  type: CredentialType
  issuer: string
  kid: string
  algorithm: SignatureAlgorithm
  /** Of formats that are secured by a proof in the document. */
  cryptosuite: IssuingSuite
  subject: { id: string } & Record<string, unknown>
  /** The holder's public key, for formats that bind by `cnf`. */
  holderJwk: Record<string, unknown> | undefined
  issuedAt: number
  validFrom: number
  validUntil: number
  status: StatusPointer
  /** Public URL of the issuing agent, without a trailing slash. */
  baseUrl: string
  /** DER, the certificate of the key first: of formats that name their issuer so, or where it was asked for. */
  chain?: readonly Uint8Array[] | undefined
}

/** A secured credential taken apart. Nothing in it is believed yet. */
export type Opened = {
  format: FormatId
  compact: string
  signature: Signature
  id: string | undefined
  issuer: string
  type: CredentialType
  subjectId: string | undefined
  /** Confirmation key of the holder where the format carries one (RFC 7800 `cnf`). */
  confirmation: Record<string, unknown> | undefined
  claims: Record<string, unknown>
  issuedAt: number | undefined
  validFrom: number | undefined
  validUntil: number | undefined
  status: StatusPointer | undefined
  /** Which claims the format lets the holder keep back: those of the type that are disclosable, or any. */
  partial: 'none' | 'disclosable' | 'any'
  keyBinding: KeyBinding | undefined
  /** The credential as JSON for the reader: the VC, the processed SD-JWT payload, or the namespaces of an mdoc. */
  document: Record<string, unknown>
  mdoc?: MdocParts
  /** Of an issuer that the registry on chain need not know, and whom the configuration trusts by another source. */
  foreign?: ForeignParts
}

/** Where a foreign credential has a status. */
export type ForeignStatus =
  | { kind: 'token'; uri: string; index: number }
  | { kind: 'bitstring'; entry: Record<string, unknown> }

export type ForeignParts = {
  /** Id of the trust that it is judged by. */
  trust: string
  statuses: readonly ForeignStatus[]
  /** DER, the signer's certificate first. */
  chain: readonly Uint8Array[]
  mdoc?: OpenedMdoc
  /** Of W3C formats. */
  credential?: ForeignCredential
}

/** What only an mdoc has. */
export type MdocParts = {
  docType: string
  /** SHA-256 (base64url) of what its issuer signed. */
  digest: string
  /** Whether the holder's device presents it in this exchange; absent where nobody presents it. @throws Refusal */
  vouches?(transcript: Uint8Array): Promise<boolean>
}

/** What secures a credential: who says to have signed it, how, and whether a key fits. */
export type Signature = {
  /** DID URL or fragment of the key; empty when the signer named none. */
  kid: string
  algorithm: string
  /** Certificates of the protected header (RFC 7515 section 4.1.6), the signer's first; nothing of them is judged yet. */
  x5c?: readonly string[]
  holds(key: PublicKey): Promise<boolean>
}

export type SignedParts = { header: JoseHeader; input: Buffer; signature: Buffer }
export type JoseHeader = { alg: string; kid: string; typ: string | undefined; x5c?: readonly string[] }

/** The key-binding JWT of an SD-JWT (RFC 9901 section 4.3). */
export type KeyBinding = {
  signed: SignedParts
  audience: string
  nonce: string
  issuedAt: number
  notBefore: number | undefined
  expiresAt: number | undefined
  /** Whether `sd_hash` covers exactly what was presented. */
  covers: boolean
  /** All it says, for protocols that have more signed. */
  claims: Record<string, unknown>
}

export type Sign = (algorithm: SignatureAlgorithm, input: Buffer) => Promise<Uint8Array>

export type Format = {
  id: FormatId
  mediaType: string
  secure(draft: Draft, sign: Sign): Promise<string>
  /** @throws Refusal malformed/credential_malformed, rejected/schema_unknown, rejected/algorithm_refused */
  open(compact: string, types: CredentialTypes): Opened
  /** The credential as a JSON object without its proof, as users of Veramo know it. */
  show(opened: Opened): Record<string, unknown>
}

export type PublicKey = { publicKey: KeyObject; algorithm: SignatureAlgorithm }
