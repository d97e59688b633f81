import type { JsonWebKey } from 'node:crypto'
import type { Certificates } from '../../kernel/identity.ts'
import type { House } from '../../kernel/perform.ts'

/** What the composition root hands to this plugin. */
export type CertificatesNeeds = {
  certificates: Certificates
  publicUrl: string
  /** The public half of the key that signs credentials now, and the DID URL that names it. */
  issuerJwk(): Promise<{ kid: string; jwk: JsonWebKey }>
  house: House
  /** DER as PEM (RFC 7468). */
  pem(certificate: Uint8Array): string
  requestPem(request: Uint8Array): string
}
