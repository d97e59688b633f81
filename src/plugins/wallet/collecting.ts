import type { JsonWebKey } from 'node:crypto'

/** How a credential can be had: by a code that the offer brings along, or one that the citizen fetches in a browser. */
export type Grant = 'pre-authorized' | 'authorization-code'

export type Named = { name: string; locale?: string }

/** What of a conversation is shown. */
export type OfferFacts = {
  issuer: { issuer: string; display: Named[]; signedBy?: string; configurations: OfferedFacts[] }
  offer: { preAuthorized?: { txCode?: { inputMode: string; length?: number; description?: string } } }
  servers: Partial<Record<Grant, { issuer: string }>>
  token?: { refreshToken?: string }
}

export type OfferedFacts = {
  id: string
  format: string
  vct?: string
  doctype?: string
  types?: string[]
  display: Named[]
  claims: string[]
}

/** A conversation with an issuer between two steps: plain data with secrets in it, which is sealed as it is. */
export type Talk = OfferFacts & Record<string, unknown>

/** One request that can be made of the credential endpoint; plain data. */
export type CredentialRequest = { configurationId: string; named: unknown }

/** What a credential has to be, and as what DID its key is held. */
export type ExpectedCredential = {
  format: string
  method: 'did:key' | 'did:jwk'
  /** Credentials that one request may ask for. */
  most: number
  vct?: string
  doctype?: string
  types?: string[]
}

export type GivenCredentials =
  | { kind: 'credentials'; credentials: unknown[]; notificationId?: string }
  | { kind: 'deferred'; transactionId: string; intervalSeconds: number }

/** OpenID4VCI 1.0 as a wallet speaks it; every step may be refused in the issuer's words. */
export type Collecting = {
  read(
    handed: { offer: string } | { issuer: string; configurationIds: string[] },
  ): Promise<{ talk: Talk; unfit: Record<string, string> }>
  redeem(talk: Talk, wish: { ids?: string[] | undefined; txCode?: string | undefined }): Promise<Talk>
  authorize(talk: Talk, wish: { ids?: string[] | undefined; redirectUri: string }): Promise<{ talk: Talk; url: string }>
  returned(talk: Talk, parameters: string): Promise<Talk>
  requests(talk: Talk): CredentialRequest[]
  expects(talk: Talk, configurationId: string): Promise<ExpectedCredential>
  request(
    talk: Talk,
    request: CredentialRequest,
    keys: readonly { did: string; privateJwk: JsonWebKey }[],
  ): Promise<GivenCredentials>
  deferred(talk: Talk, asked: { transactionId: string; keys: number }): Promise<GivenCredentials>
  notify(
    talk: Talk,
    told: { notificationId: string; event: 'credential_accepted' | 'credential_failure' | 'credential_deleted' },
  ): Promise<void>
  /** The same, unless its access token has ended and can be had anew: a new one has to be kept before it is used. */
  lasting(talk: Talk): Promise<Talk>
  renew(talk: Talk): Promise<Talk>
  /** Without codes, and without tokens and keys but for what a renewal needs. */
  ended(talk: Talk): Talk
  /** Whether who has signed a credential speaks for the issuer that was asked (OpenID4VCI 1.0, section 13.4). */
  vouches(talk: Talk, by: { signer: string; credentialIssuer?: unknown }): Promise<boolean>
}
