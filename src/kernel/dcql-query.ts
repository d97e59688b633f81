/** The Digital Credentials Query Language (OpenID4VP 1.0, section 6), with the names it has on the wire. */

export type DcqlValue = string | number | boolean

/** A claims path pointer (section 7): a name, a position, or every element (`null`). */
export type DcqlPath = readonly (string | number | null)[]

/** Section 6.3. `intent_to_retain` is for mdocs (appendix B.2.4). */
export type DcqlClaim = {
  id?: string
  path: DcqlPath
  values?: readonly DcqlValue[]
  intent_to_retain?: boolean
}

/** Of a format each its own (appendices B.1.1, B.2.3 and B.3.5). Without any of them every type will do. */
export type DcqlMeta = {
  vct_values?: readonly string[]
  /** Alternatives, each a set of types as IRIs, which the contexts of the credential expand. */
  type_values?: readonly (readonly string[])[]
  doctype_value?: string
}

/** Section 6.1.1. Types defined: `aki`, `etsi_tl`, `openid_federation`. */
export type DcqlAuthority = { type: string; values: readonly string[] }

/** Section 6.1. */
export type DcqlCredential = {
  id: string
  format: string
  /** @default false */
  multiple?: boolean
  meta: DcqlMeta
  trusted_authorities?: readonly DcqlAuthority[]
  /** @default true */
  require_cryptographic_holder_binding?: boolean
  claims?: readonly DcqlClaim[]
  /** Ids of claims, the preferred set first. */
  claim_sets?: readonly (readonly string[])[]
}

/** Section 6.2. */
export type DcqlSet = {
  options: readonly (readonly string[])[]
  /** @default true */
  required?: boolean
}

export type Dcql = { credentials: readonly DcqlCredential[]; credential_sets?: readonly DcqlSet[] }
