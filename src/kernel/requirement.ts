/**
 * What an operation asks of its caller. Data throughout, so that documentation, DCQL hints and behaviour are printed from
 * one value; `gate.ts` judges it.
 */
export type Requirement =
  | { by: 'anyone' }
  /** Whoever proved who they are, in any way: the route itself shows each caller only what is theirs. */
  | { by: 'known' }
  /** Staff and machines of the agency: an API key or an OIDC token with this scope. */
  | { by: 'staff'; scope: string; fourEyes?: FourEyes }
  /** A citizen of the wallet service, with a session of their own. */
  | { by: 'citizen' }
  /** Another institution that the trust registry accredits, by a request it signed. */
  | { by: 'agency' }
  | HolderRequirement
  /**
   * A joint act: each party proves its part over one challenge that binds the whole body, with its own name behind it: who agreed
   * to receive is not made to give.
   */
  | { by: 'parties'; parties: Readonly<Record<string, HolderRequirement>> }
  /** One requirement a value of a path parameter, such as a register's name. */
  | { by: 'cases'; param: string; cases: Readonly<Record<string, Requirement>> }

/** Holders of credentials: in a session, or by a presentation in the body that binds operation and body. */
export type HolderRequirement = {
  by: 'holder'
  of: CredentialTree
  /** Where the body names the amount that a mandate may limit. */
  amount?: AmountPath
  fourEyes?: FourEyes
  /** A session does not do: the presentation is made for this very act. */
  oneShot?: true
}

/** A second, different officer who meets the same requirement approves before anything happens. */
export type FourEyes = {
  /** How long the act waits for approval. */
  lifeSeconds: number
  /**
   * Holders only: the claim that tells one officer from another, whatever keys they use, for example
   * `{ credential: 'officer', path: ['officerNumber'] }`.
   */
  distinctBy?: { credential: string; path: ClaimPath }
}

export type ClaimPath = readonly string[]
export type AmountPath = { amount: ClaimPath; currency: ClaimPath }

export type Constraint =
  | { path: ClaimPath; equals: string | number | boolean }
  | { path: ClaimPath; oneOf: readonly (string | number)[] }
  | { path: ClaimPath; atLeast: number }
  /** The claim is a list that holds this value. */
  | { path: ClaimPath; includes: string }
  | { path: ClaimPath; present: true }

export type CredentialQuery = {
  /** Unique within the requirement; also its DCQL id and the name under which an act finds it. */
  id: string
  /** Credential type, by its id in schemas/. */
  type: string
  where?: readonly Constraint[]
  /** Issuer DIDs; `self` is this agency. Without it, whoever the trust registry accredits for the type. */
  issuers?: readonly string[]
  /** Claims that the act reads, besides those it constrains. */
  reads?: readonly ClaimPath[]
  /** How old the view of the chain that its status rests on may be; the house's own bound always holds as well. */
  statusMaxAgeSeconds?: number
  /** A mandate (kernel/mandate.ts): its holder acts for its principal, within its terms. */
  mandate?: true
  /** One sentence, or a URL: where a holder gets it. */
  obtain?: string
}

/** How credentials of an `all` are known to be one person's. */
export type Join =
  /** One key holds them all. */
  | { by: 'key' }
  /** Each key proves itself over one challenge, and every issuer asserts the same value: query id → claim. */
  | { by: 'claim'; claims: Readonly<Record<string, ClaimPath>> }

export type CredentialTree =
  | CredentialQuery
  | { all: readonly CredentialTree[]; joined: Join }
  | { any: readonly CredentialTree[] }
