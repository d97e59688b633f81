import type { House } from '../../kernel/perform.ts'

type Members = Readonly<Record<string, unknown>>
export type KeySet = { keys: Members[] }

/** What a superior says for those below it (OpenID Federation 1.0, section 3.1.3). */
export type Terms = {
  metadata?: Members | undefined
  metadataPolicy?: Members | undefined
  constraints?: Members | undefined
}

/** An entity as its own configuration has it. */
export type EntityView = { entityTypes: readonly string[]; authorityHints: readonly string[] }

/** A chain that holds, as a resolver hands it on. Times are milliseconds. */
export type ResolvedEntity = {
  statements: readonly string[]
  metadata: Readonly<Record<string, Members>>
  expiresAt: number
  trustMarks: readonly { type: string; jwt: string; expiresAt: number }[]
}

/** Below whom nobody stands has no part as a superior. */
export type Superior = {
  /** `accredited`: whoever the trust registry accredits is let in at once; `officer`: an officer decides. */
  approves: 'officer' | 'accredited'
  /** Entities that the configuration names, with their federation keys. */
  named: readonly { entity: string; keys: KeySet; terms: Terms }[]
}

/** What the composition root hands to this plugin. */
export type FederationNeeds = {
  house: House
  newId(): string
  /** Entity identifier: the agency's public URL. */
  entity: string
  superiors: readonly string[]
  superior: Superior | undefined
  /** Entity identifiers of the trust anchors that are resolved to. */
  anchors: readonly string[]
  /** The agency's federation keys, public. */
  keys: KeySet
  /** Signs a JWT of this type with a federation key. */
  sign(typ: string, payload: Members): Promise<string>
  /** What the agency is, by entity type. */
  metadata(): Promise<Record<string, Members>>
  /** Where an institution says on chain that it stands. */
  entityOf(did: string): string | undefined
  /**
   * Reads what an entity says of itself, and holds it against these keys.
   * @throws Refusal those of statements; unavailable/federation_unavailable
   */
  readEntity(entity: string, keys: KeySet): Promise<EntityView>
  /** @throws Refusal statement_malformed, metadata_policy_malformed, metadata_policy_conflict */
  assertTerms(terms: Terms): void
  /** @throws Refusal trust_anchor_unknown, trust_chain_missing and what breaks a chain */
  resolve(entity: string, anchor: string): Promise<ResolvedEntity>
  /** A trust mark that was given to this agency. @throws Refusal trust_mark_invalid */
  readTrustMark(jwt: string): { type: string; issuer: string; expiresAt: number }
}
