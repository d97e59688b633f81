import type { CredentialType } from '../types.ts'
import type { ClaimRules } from './mapped-claims.ts'

/** By what an agency trusts issuers that the registry on its chain does not know. Times are milliseconds. */
export type TrustSource =
  /** Authorities whose certificates the configuration names, DER. */
  | { by: 'certificates'; anchors: readonly Uint8Array[] }
  /** Services of a type on a trusted list (ETSI TS 119 602 or TS 119 612). */
  | { by: 'trusted_list'; url: string; serviceType: string }
  /** Entities that a trust chain leads from to one of these anchors (OpenID Federation 1.0), with a trust mark where one is asked for. */
  | { by: 'federation'; anchors: readonly string[]; entityType: string; trustMark?: string | undefined }
  /** DIDs, and of SD-JWT VCs https URLs whose keys their issuers publish (JWT VC Issuer Metadata). */
  | { by: 'issuers'; issuers: readonly string[] }

/** Which credentials are meant, in the words of their format. */
export type TrustedCredential =
  | { format: 'dc+sd-jwt'; vct: string }
  | { format: 'mso_mdoc'; docType: string }
  | TrustedW3c

export const w3cFormats = ['vc+jwt', 'jwt_vc', 'ldp_vc'] as const

/**
 * `types` are IRIs, all of which the credential has; `contexts` are its contexts, in this order and no others: what a term of the
 * credential means is settled by those that its issuer wrote, all of which stand in the house, and nobody can add another.
 */
export type TrustedW3c = {
  format: (typeof w3cFormats)[number]
  types: readonly string[]
  contexts: readonly string[]
}

/** Credentials of others that count as one of our types. */
export type Trust = {
  /** Of the configuration that it was made of: a session that rests on another one ends. */
  id: string
  type: CredentialType
  credential: TrustedCredential
  /** Any of them will do. */
  sources: readonly TrustSource[]
  /** Undefined for an mdoc of a document type whose elements have their claims in the house. */
  claims: ClaimRules | undefined
  /** Whether a credential without a status is refused. */
  status: 'required' | 'optional'
}
