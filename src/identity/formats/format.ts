import type { KeyObject } from 'node:crypto'
import type { FormatId } from '../../kernel/identity.ts'
import type { SignatureAlgorithm, StatusPointer } from '../../kernel/ports.ts'
import type { CredentialType, CredentialTypes } from '../types.ts'

/** What is about to be secured. Times are milliseconds, whole seconds. */
export type Draft = {
  id: string
  type: CredentialType
  issuer: string
  kid: string
  algorithm: SignatureAlgorithm
  subject: { id: string } & Record<string, unknown>
  /** The holder's public key, for formats that bind by `cnf`. */
  holderJwk: Record<string, unknown> | undefined
  issuedAt: number
  validFrom: number
  validUntil: number
  status: StatusPointer
  /** Public URL of the issuing agent, without a trailing slash. */
  baseUrl: string
}

/** A secured credential taken apart. Nothing in it is believed yet. */
export type Opened = {
  format: FormatId
  compact: string
  signed: SignedParts
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
  /** True when the format lets the holder keep claims back. */
  partial: boolean
  keyBinding: KeyBinding | undefined
  /** The credential as JSON for the reader: the VC, or the processed SD-JWT payload. */
  document: Record<string, unknown>
}

export type SignedParts = { header: JoseHeader; input: Buffer; signature: Buffer }
export type JoseHeader = { alg: string; kid: string; typ: string | undefined }

/** The key-binding JWT of an SD-JWT (RFC 9901 section 4.3). */
export type KeyBinding = {
  signed: SignedParts
  audience: string
  nonce: string
  issuedAt: number
  /** Whether `sd_hash` covers exactly what was presented. */
  covers: boolean
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
