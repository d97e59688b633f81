import { isRecord } from '../../formats/json.ts'
import {
  applyParameterPolicy,
  assertParameterPolicy,
  isParameterPolicy,
  isScope,
  mergeParameterPolicies,
  operatorNames,
  type ParameterPolicy,
  scopePolicy,
} from './policy-operators.ts'
import { policyMalformed, policyOperatorUnknown } from './refusals.ts'

/** Metadata by entity type (OpenID Federation 1.0, section 5). */
export type Metadata = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** Entity type → parameter → operators (section 6.1.2). */
export type MetadataPolicy = Readonly<Record<string, Readonly<Record<string, ParameterPolicy>>>>

const parametersMost = 512

const assertKnown = (policy: ParameterPolicy, critical: ReadonlySet<string>): void => {
  const unknown = Object.keys(policy).find(name => !operatorNames.includes(name) && critical.has(name))
  if (unknown !== undefined) throw policyOperatorUnknown(unknown)
}

/**
 * Reads a `metadata_policy` claim and holds each part of it against the rules of its operators.
 * @param critical operators that some `metadata_policy_crit` of the chain names; others that are not understood are ignored.
 * @throws Refusal metadata_policy_malformed, metadata_policy_conflict, metadata_policy_operator_unknown
 */
export const readPolicy = (value: unknown, critical: ReadonlySet<string> = new Set()): MetadataPolicy => {
  if (!isRecord(value)) throw policyMalformed('A metadata policy is an object of entity types.')
  let count = 0
  const read: Record<string, Record<string, ParameterPolicy>> = {}
  for (const [entityType, parameters] of Object.entries(value)) {
    if (!isRecord(parameters)) throw policyMalformed(`The metadata policy of ${entityType} is not an object.`)
    const ofType: Record<string, ParameterPolicy> = {}
    for (const [parameter, operators] of Object.entries(parameters)) {
      if (!isParameterPolicy(operators)) throw policyMalformed(`The policy of ${parameter} is not an object.`)
      if (++count > parametersMost) throw policyMalformed(`A metadata policy has at most ${parametersMost} parameters.`)
      const policy = isScope(parameter) ? scopePolicy(operators) : operators
      assertKnown(policy, critical)
      assertParameterPolicy(policy, parameter)
      ofType[parameter] = policy
    }
    read[entityType] = ofType
  }
  return read
}

/** Joins two levels of names: what both have is merged, the rest is copied. */
const mergeNamed = <Value>(
  superior: Readonly<Record<string, Value>>,
  subordinate: Readonly<Record<string, Value>>,
  merge: (superior: Value, subordinate: Value, name: string) => Value,
): Record<string, Value> => {
  const merged: Record<string, Value> = { ...superior }
  for (const [name, value] of Object.entries(subordinate)) {
    const known = Object.hasOwn(superior, name) ? superior[name] : undefined
    merged[name] = known === undefined ? value : merge(known, value, name)
  }
  return merged
}

const mergePolicies = (superior: MetadataPolicy, subordinate: MetadataPolicy): MetadataPolicy =>
  mergeNamed(superior, subordinate, (above, below) => mergeNamed(above, below, mergeParameterPolicies))

/** What one Subordinate Statement says about the metadata of those below it. */
export type PolicyStatement = { metadataPolicy?: unknown; metadataPolicyCritical?: readonly string[] | undefined }

/**
 * The one policy of a trust chain (section 6.1.4.1).
 * @param statements of the chain, that of the most superior entity first.
 * @throws Refusal metadata_policy_malformed, metadata_policy_conflict, metadata_policy_operator_unknown
 */
export const resolvePolicy = (statements: readonly PolicyStatement[]): MetadataPolicy => {
  const critical = new Set(statements.flatMap(({ metadataPolicyCritical }) => metadataPolicyCritical ?? []))
  return statements
    .filter(({ metadataPolicy }) => metadataPolicy !== undefined)
    .map(({ metadataPolicy }) => readPolicy(metadataPolicy, critical))
    .reduce<MetadataPolicy>(mergePolicies, {})
}

const applyToType = (
  metadata: Readonly<Record<string, unknown>>,
  policies: Readonly<Record<string, ParameterPolicy>>,
): Record<string, unknown> => {
  const { ...applied }: Record<string, unknown> = metadata
  for (const [parameter, policy] of Object.entries(policies)) {
    const present = Object.hasOwn(metadata, parameter) ? metadata[parameter] : undefined
    const value = applyParameterPolicy(present, policy, parameter)
    if (value === undefined) delete applied[parameter]
    else applied[parameter] = value
  }
  return applied
}

/** Applies a resolved policy to metadata (section 6.1.4.2). @throws Refusal metadata_policy_violated */
export const applyPolicy = (metadata: Metadata, policy: MetadataPolicy): Metadata =>
  Object.fromEntries(
    Object.entries(metadata).map(([entityType, parameters]) => {
      const policies = Object.hasOwn(policy, entityType) ? policy[entityType] : undefined
      return [entityType, policies === undefined ? parameters : applyToType(parameters, policies)]
    }),
  )

/** The superior's own `metadata` comes before what the entity says, for the types that the entity has (section 3.1.1). */
export const overrideMetadata = (own: Metadata, superior: Metadata | undefined): Metadata =>
  superior === undefined
    ? own
    : Object.fromEntries(
        Object.entries(own).map(([entityType, parameters]) => [
          entityType,
          { ...parameters, ...(Object.hasOwn(superior, entityType) ? superior[entityType] : {}) },
        ]),
      )
