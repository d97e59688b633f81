import type { KeySet } from '../../formats/compact-jws.ts'
import { allowEntityTypes, assertConstraints } from './constraints.ts'
import { applyPolicy, type Metadata, overrideMetadata, resolvePolicy } from './policy.ts'
import { anchorUnknown, chainBroken } from './refusals.ts'
import { assertSigned, assertTimely, type EntityStatement, readStatement } from './statement.ts'

/** A trust anchor as configuration names it: its identifier, and its keys, which are distributed out of band. */
export type TrustAnchor = { entityId: string; keys: KeySet }

/** A trust chain that holds (OpenID Federation 1.0, section 4). */
export type TrustChain = {
  /** From the Entity Configuration of the subject to that of the trust anchor, as they were signed. */
  statements: readonly string[]
  subject: string
  anchor: string
  /** Resolved metadata of the subject. */
  metadata: Metadata
  /** Milliseconds; the first of its statements to expire. */
  expiresAt: number
  /** Configurations at both ends. */
  leaf: EntityStatement
  root: EntityStatement
}

/** ES[0] … ES[i] with the subject's configuration first and the anchor's last (section 4.1). */
const assertLinked = (statements: readonly EntityStatement[]): { leaf: EntityStatement; root: EntityStatement } => {
  const leaf = statements[0]
  const root = statements.at(-1)
  if (leaf === undefined || root === undefined) throw chainBroken('The trust chain holds no statement.')
  if (leaf.issuer !== leaf.subject) throw chainBroken('The chain does not begin with an Entity Configuration.')
  if (root.issuer !== root.subject) throw chainBroken('The chain does not end with an Entity Configuration.')
  for (const [index, statement] of statements.entries()) {
    const next = statements[index + 1]
    if (next !== undefined && statement.issuer !== next.subject) {
      throw chainBroken('A statement of the chain is not by the subject of the next one.')
    }
    if (index > 0 && next !== undefined && statement.issuer === statement.subject) {
      throw chainBroken('An Entity Configuration stands in the middle of the chain.')
    }
  }
  const entities = statements.slice(1).map(({ subject }) => subject)
  if (statements.length > 1 && new Set(entities).size < entities.length) {
    throw chainBroken('The chain leads through one entity twice.')
  }
  return { leaf, root }
}

/**
 * Section 3.2: a Subordinate Statement counts where its subject names the issuer among its `authority_hints`. Of the chain itself
 * only the first configuration is at hand; whoever fetched those of the intermediates has followed their hints.
 */
const assertHinted = (leaf: EntityStatement, first: EntityStatement | undefined): void => {
  if (first === undefined || first.issuer === first.subject || leaf.authorityHints.includes(first.issuer)) return
  throw chainBroken('A superior makes a statement that the entity does not name among its authority_hints.')
}

const assertSignatures = async (statements: readonly EntityStatement[], anchor: TrustAnchor): Promise<void> => {
  const own = statements[0]
  if (own !== undefined) await assertSigned(own.jws, own.keys)
  for (const [index, { jws }] of statements.entries()) {
    const next = statements[index + 1]
    // What the anchor signs is held against the keys from the configuration, not against what it says of itself.
    const isByAnchor = next === undefined || index === statements.length - 2
    await assertSigned(jws, isByAnchor ? anchor.keys : next.keys)
  }
}

/** Metadata of the subject: what it says, what its superior says for it, what is allowed, and the policies (sections 3.1.1, 6). */
const resolveMetadata = (leaf: EntityStatement, subordinates: readonly EntityStatement[]): Metadata => {
  const [immediate] = subordinates
  const own = overrideMetadata(leaf.metadata ?? {}, immediate?.metadata)
  const allowed = allowEntityTypes(
    own,
    subordinates.map(({ constraints }) => constraints),
  )
  return applyPolicy(allowed, resolvePolicy([...subordinates].reverse()))
}

/**
 * Judges a trust chain (section 10.2) that ends at one of these anchors.
 * @param compacts the statements, the subject's Entity Configuration first. The anchor's own configuration comes last.
 * @throws Refusal those of `readStatement`; rejected/trust_chain_broken, trust_anchor_unknown, statement_early,
 *   statement_expired, statement_key_unknown, statement_signature, federation_constraint_violated, metadata_policy_conflict,
 *   metadata_policy_malformed, metadata_policy_operator_unknown, metadata_policy_violated
 */
export const validateTrustChain = async (
  compacts: readonly string[],
  anchors: readonly TrustAnchor[],
  now: number,
): Promise<TrustChain> => {
  if (compacts.length > statementsMost) throw chainBroken(`A trust chain has at most ${statementsMost} statements.`)
  const statements = compacts.map(readStatement)
  const { leaf, root } = assertLinked(statements)
  const anchor = anchors.find(({ entityId }) => entityId === root.subject)
  if (anchor === undefined) throw anchorUnknown()
  for (const statement of statements) assertTimely(statement, now)
  assertHinted(leaf, statements[1])
  const subordinates = statements.slice(1, -1)
  for (const [index, { constraints }] of subordinates.entries()) {
    assertConstraints(
      constraints,
      subordinates.slice(0, index + 1).map(({ subject }) => subject),
    )
  }
  await assertSignatures(statements, anchor)
  return {
    ...{ statements: compacts, subject: leaf.subject, anchor: root.subject, leaf, root },
    metadata: resolveMetadata(leaf, subordinates),
    expiresAt: Math.min(...statements.map(({ expiresAt }) => expiresAt)),
  }
}
const statementsMost = 12
