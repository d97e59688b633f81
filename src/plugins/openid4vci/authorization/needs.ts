import type { TypeView } from '../../../kernel/identity.ts'
import type { House } from '../../../kernel/perform.ts'
import type { Tx } from '../../../kernel/ports.ts'
import type { PresentationRequests } from '../../../kernel/presentation-requests.ts'

/** What a person proves with a credential before the authorization endpoint gives a code: a type, and what it has to say. */
export type IdentifiedBy = { type: string; claims: Readonly<Record<string, unknown>> }

/** What staff prepared for one person, as the authorization server sees it. */
export type PreparedIssuance = {
  id: string
  configurationIds: readonly string[]
  identifiedBy?: IdentifiedBy | undefined
  /** An officer has to release it first, which may take longer than a token lives. */
  waits: boolean
  /** Milliseconds. */
  expires: number
}

/** The prepared issuances of this agency: the issuer's part of the plugin keeps them. */
export type Issuances = {
  /** One that may still be collected; undefined when it is withdrawn, expired or used up. */
  find(id: string): Promise<PreparedIssuance | undefined>
  /**
   * For a wallet that comes without an offer: by which credential, and which of its claims, people are told apart for whom any of
   * these configurations is prepared. Undefined where nothing of that kind is given out without an offer.
   */
  identification(configurationIds: readonly string[]): Promise<{ type: string; claims: readonly string[] } | undefined>
  /**
   * Those that are prepared for whoever these claims describe and still hold one of the configurations, the newest first.
   * @param which.taken also those that somebody has taken up.
   */
  ofPerson(
    person: IdentifiedBy,
    configurationIds: readonly string[],
    which: { taken: boolean },
  ): Promise<readonly PreparedIssuance[]>
  /** Ids of those that are prepared for whoever these claims describe and of which something was asked for that still waits. */
  awaitedBy(person: IdentifiedBy): Promise<readonly string[]>
}

/** A credential configuration of the issuer's metadata, as far as authorization speaks of it. */
export type OfferedConfiguration = {
  scope?: string | undefined
  /** What people call it. */
  name: string
  /** What it says about them, in words. */
  claims: readonly string[]
}

/** A DPoP proof (RFC 9449), judged by `identity/dpop.ts`. */
export type Possession = { thumbprint: string; id: string; expires: number; nonce?: string }

/** Something that counts once, and the request that it counts for; `expires` (ms) is until when it has to be remembered. */
export type Spending = { key: string; owner: string; expires: number }

/** A wallet as its provider attested it (OpenID4VCI 1.0, appendix E), judged by `identity/openid/oauth/`. */
export type AttestedClient = {
  clientId: string
  /** RFC 7638 thumbprint of the key of this instance of the wallet. */
  instance: string
  name?: string | undefined
  /** Names this proof of possession among all; until when (ms) it has to be remembered. */
  proof: { id: string; expires: number }
}

export type Attestations = {
  /** @throws Refusal attestation_refused, use_attestation_challenge */
  judge(parts: { attestation: string; pop: string }): Promise<AttestedClient>
  /** For the `challenge` of the next proof of possession. */
  challenge(): string
  /** Signature algorithms, for the metadata. */
  algorithms: readonly string[]
}

/** A wallet that is known by name. */
export type RegisteredClient = { id: string; name?: string | undefined; redirectUris: readonly string[] }

/** What this server lets wallets do. Printed in its metadata. */
export type AuthorizationPolicy = {
  /** HAIP 1.0: pushed requests, attested wallets and bound tokens only; refresh tokens are not rotated (FAPI 2.0). */
  haip: boolean
  /** Tokens without a bound key. */
  bearer: boolean
  /** Wallets that nobody registered and whose provider attests nothing. */
  unknownClients: boolean
  clients: readonly RegisteredClient[]
  /** People may show who they are with a wallet on another device than the browser: also whoever was sent the code by a fraud. */
  crossDevice: boolean
}

/** The claims of an access token of another authorization server (RFC 9068), judged by `identity/openid/oauth/`. */
export type ExternalToken = {
  id: string
  expires: number
  subject: string
  clientId: string
  thumbprint?: string | undefined
  scopes: readonly string[]
  /** Of authorization details of type openid_credential. */
  configurationIds: readonly string[]
  issuerState?: string | undefined
  /** By which claims of a credential the token says whose it is. */
  person?: IdentifiedBy | undefined
}

export type ExternalServer = {
  /** Its issuer identifier. */
  issuer: string
  /** @throws Refusal unauthenticated/token_invalid, unavailable/authorization_server_unavailable */
  judge(token: string): Promise<ExternalToken>
  /** Its metadata as it publishes them. @throws Refusal unavailable/authorization_server_unavailable */
  metadata(): Promise<Record<string, unknown>>
}

/** What the composition root hands to the authorization server. */
export type AuthorizationNeeds = {
  house: House
  /** Keys of the agency's own, the same in each of its processes, by purpose. */
  derive(purpose: string): Buffer
  dpop: {
    verify(
      proof: string,
      expected: {
        method: string
        url: string
        tokenSha256?: string
        thumbprint?: string
        nonce: 'needed' | 'optional'
      },
    ): Promise<Possession>
    nonce(): string
  }
  /** A fresh id (UUID), ordered by time. */
  newId(): string
  /** Issuer identifier of the credential issuer and of this server; without a trailing slash. */
  publicUrl: string
  /** What the institution calls itself. */
  title: string
  authorization: {
    policy: AuthorizationPolicy
    /** Where no provider of wallets is trusted, none is accepted. */
    attestations?: Attestations | undefined
    /** Where citizens can be asked for credentials. */
    presentations?: PresentationRequests | undefined
    /** Another server gives the tokens; then this one gives none. */
    external?: ExternalServer | undefined
  }
  /** Every credential type that is known here, for asking people for theirs. */
  knownTypes: readonly TypeView[]
  /** Uses something up within an act. What is asked for in the same turn goes together. @throws Refusal unauthenticated/proof_replayed */
  spend(tx: Tx, spending: Spending): Promise<void>
  qr(text: string): Promise<{ svg: string; png: Uint8Array }>
}

/** What the authorization server's operations have at hand; the issuer's part of the plugin opens it. */
export type AuthorizationDesk = AuthorizationNeeds & {
  issuances: Issuances
  /** By configuration id. */
  configurations: ReadonlyMap<string, OfferedConfiguration>
}
