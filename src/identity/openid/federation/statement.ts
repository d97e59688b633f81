import { isRefusal } from '../../../kernel/refusal.ts'
import { type CompactJws, compactJwsHolds, type KeySet, readCompactJws, readKeySet } from '../../formats/compact-jws.ts'
import { isRecord } from '../../formats/json.ts'
import { clockSkewMs } from '../../standing.ts'
import { type Constraints, readConstraints } from './constraints.ts'
import { isEntityId } from './entity-id.ts'
import type { Metadata } from './policy.ts'
import {
  statementCritical,
  statementEarly,
  statementExpired,
  statementKeyUnknown,
  statementMalformed,
  statementSignature,
  statementType,
} from './refusals.ts'

type Owner = { entityId: string; keys: KeySet }

/** An Entity Statement (OpenID Federation 1.0, section 3). Only its form is judged yet. Times are milliseconds. */
export type EntityStatement = {
  jws: CompactJws
  issuer: string
  subject: string
  issuedAt: number
  expiresAt: number
  /** Federation keys of the subject. */
  keys: KeySet
  jwks: Record<string, unknown>
  metadata: Metadata | undefined
  /** Of Entity Configurations. */
  authorityHints: readonly string[]
  trustMarks: readonly { type: string; jwt: string }[]
  trustMarkIssuers: Readonly<Record<string, readonly string[]>>
  trustMarkOwners: Readonly<Record<string, Owner>>
  /** Of Subordinate Statements. */
  constraints: Constraints | undefined
  metadataPolicy: unknown
  metadataPolicyCritical: readonly string[] | undefined
}

export const statementTyp = 'entity-statement+jwt'
const listMost = 64

/** Claims that this specification defines: `crit` may name none of them (section 13.4). */
const defined = new Set([
  ...['iss', 'sub', 'iat', 'exp', 'jwks', 'metadata', 'crit', 'authority_hints', 'trust_anchor_hints', 'trust_marks'],
  ...['trust_mark_issuers', 'trust_mark_owners', 'constraints', 'metadata_policy', 'metadata_policy_crit'],
  ...['source_endpoint', 'aud', 'trust_anchor'],
])

/** NumericDate (RFC 7519). */
const timeOf = (value: unknown, name: string): number => {
  if (typeof value !== 'number' || !Number.isFinite(value) || Math.abs(value) > 1e11) {
    throw statementMalformed(`${name} is missing, or is not a NumericDate.`)
  }
  return Math.floor(value * 1_000)
}

export type SignedTimes = { issuedAt: number; expiresAt: number | undefined }

/** @throws Refusal malformed/statement_malformed */
export const timesOf = (payload: Readonly<Record<string, unknown>>): SignedTimes => ({
  issuedAt: timeOf(payload['iat'], 'iat'),
  expiresAt: payload['exp'] === undefined ? undefined : timeOf(payload['exp'], 'exp'),
})

/** @throws Refusal rejected/statement_early, rejected/statement_expired */
export const assertTimely = ({ issuedAt, expiresAt }: SignedTimes, now: number): void => {
  if (issuedAt > now + clockSkewMs) throw statementEarly()
  if (expiresAt !== undefined && expiresAt <= now) throw statementExpired()
}

/** @throws Refusal malformed/statement_malformed */
export const entityIdIn = (value: unknown, name: string): string => {
  // Whether http may be had is for whoever fetches; here an identifier only has to be one.
  const origin = typeof value === 'string' && URL.canParse(value) ? [new URL(value).origin] : []
  if (isEntityId(value, origin)) return value
  throw statementMalformed(`${name} is not an Entity Identifier.`)
}

const entityIdsIn = (value: unknown, name: string): readonly string[] => {
  if (!Array.isArray(value) || value.length > listMost) throw statementMalformed(`${name} is not a list.`)
  return value.map(each => entityIdIn(each, name))
}

const hintsIn = (value: unknown, name: string): readonly string[] => {
  if (value === undefined) return []
  const hints = entityIdsIn(value, name)
  if (hints.length === 0) throw statementMalformed(`${name} must not be empty.`)
  return hints
}

const textsIn = (value: unknown, name: string): readonly string[] | undefined => {
  if (value === undefined) return undefined
  const isList = Array.isArray(value) && value.length > 0 && value.length <= listMost
  if (isList && value.every(each => typeof each === 'string')) return value as string[]
  throw statementMalformed(`${name} is not a list of texts.`)
}

const keysIn = (value: unknown, name: string): KeySet => {
  try {
    return readKeySet(value)
  } catch (error) {
    throw isRefusal(error) ? statementMalformed(`${name}: ${error.message}`, error) : error
  }
}

const metadataIn = (value: unknown): Metadata | undefined => {
  if (value === undefined) return undefined
  if (!isRecord(value)) throw statementMalformed('metadata is not an object.')
  for (const [type, parameters] of Object.entries(value)) {
    if (!isRecord(parameters) || Object.values(parameters).includes(null)) {
      throw statementMalformed(`The metadata of ${type.slice(0, 80)} is not an object, or holds null.`)
    }
  }
  return value as Metadata
}

const recordIn = (value: unknown, name: string): Record<string, unknown> => {
  if (value === undefined) return {}
  if (isRecord(value) && Object.keys(value).length <= listMost) return value
  throw statementMalformed(`${name} is not an object, or is too large.`)
}

const trustMarksIn = (value: unknown): EntityStatement['trustMarks'] => {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length > listMost) throw statementMalformed('trust_marks is not a list.')
  return value.map(mark => {
    const { trust_mark_type: type, trust_mark: jwt } = isRecord(mark) ? mark : {}
    if (typeof type !== 'string' || typeof jwt !== 'string') {
      throw statementMalformed('A member of trust_marks lacks its trust_mark_type or trust_mark.')
    }
    return { type, jwt }
  })
}

const ownersIn = (value: unknown): Record<string, Owner> =>
  Object.fromEntries(
    Object.entries(recordIn(value, 'trust_mark_owners')).map(([type, owner]) => {
      const { sub, jwks } = isRecord(owner) ? owner : {}
      return [type, { entityId: entityIdIn(sub, 'trust_mark_owners'), keys: keysIn(jwks, 'trust_mark_owners') }]
    }),
  )

const issuersIn = (value: unknown): Record<string, readonly string[]> =>
  Object.fromEntries(
    Object.entries(recordIn(value, 'trust_mark_issuers')).map(([type, issuers]) => [
      type,
      entityIdsIn(issuers, 'trust_mark_issuers'),
    ]),
  )

/** Claims that only one of the two kinds of statements may have (section 3.1). */
const ofConfigurations = [
  ...['authority_hints', 'trust_anchor_hints', 'trust_marks', 'trust_mark_issuers', 'trust_mark_owners'],
]
const ofSubordinates = ['constraints', 'metadata_policy', 'metadata_policy_crit', 'source_endpoint']

const assertPlaced = (payload: Readonly<Record<string, unknown>>, isConfiguration: boolean): void => {
  const stray = (isConfiguration ? ofSubordinates : ofConfigurations).find(name => payload[name] !== undefined)
  if (stray !== undefined) {
    throw statementMalformed(
      `${stray} has no place in ${isConfiguration ? 'an Entity Configuration' : 'a Subordinate Statement'}.`,
    )
  }
  for (const name of ['aud', 'trust_anchor']) {
    if (payload[name] !== undefined) throw statementMalformed(`${name} is for explicit registrations alone.`)
  }
}

const assertCritical = (crit: unknown, payload: Readonly<Record<string, unknown>>): void => {
  const names = textsIn(crit, 'crit')
  for (const name of names ?? []) {
    if (defined.has(name) || !Object.hasOwn(payload, name)) {
      throw statementMalformed('crit names a claim that is not there, or that is critical anyway.')
    }
    throw statementCritical(name)
  }
}

const urlForm = /^https?:\/\/[^\s#]{1,2048}$/

/** A JWT of the federation under the `typ` it has to have. @throws Refusal statement_malformed, statement_type, algorithm_refused */
export const readTyped = (compact: string, typ: string): CompactJws => {
  let jws: CompactJws
  try {
    jws = readCompactJws(compact, { bytesMost: 131_072 })
  } catch (error) {
    if (isRefusal(error) && error.kind === 'malformed') throw statementMalformed(error.message, error)
    throw error
  }
  if (jws.typ !== typ) throw statementType(typ)
  if (jws.kid === '') throw statementMalformed('The statement names no kid.')
  for (const name of ['trust_chain', 'peer_trust_chain']) {
    if (typ === statementTyp && jws.header[name] !== undefined) {
      throw statementMalformed(`${name} has no place in the header of an Entity Statement.`)
    }
  }
  return jws
}

/**
 * Reads an Entity Statement by the rules of section 3.2 that need nothing but itself.
 * @throws Refusal malformed/statement_malformed, rejected/statement_type, rejected/statement_critical_unknown,
 *   rejected/algorithm_refused, rejected/jws_critical_unknown
 */
export const readStatement = (compact: string): EntityStatement => {
  const jws = readTyped(compact, statementTyp)
  const { payload } = jws
  const issuer = entityIdIn(payload['iss'], 'iss')
  const subject = entityIdIn(payload['sub'], 'sub')
  const { issuedAt, expiresAt } = timesOf(payload)
  if (expiresAt === undefined) throw statementMalformed('exp is missing.')
  assertPlaced(payload, issuer === subject)
  assertCritical(payload['crit'], payload)
  const critical = textsIn(payload['metadata_policy_crit'], 'metadata_policy_crit')
  const source = payload['source_endpoint']
  if (source !== undefined && !(typeof source === 'string' && urlForm.test(source))) {
    throw statementMalformed('source_endpoint is not a URL.')
  }
  hintsIn(payload['trust_anchor_hints'], 'trust_anchor_hints')
  return {
    ...{ jws, issuer, subject, issuedAt, expiresAt },
    ...{ keys: keysIn(payload['jwks'], 'jwks'), jwks: payload['jwks'] as Record<string, unknown> },
    metadata: metadataIn(payload['metadata']),
    authorityHints: hintsIn(payload['authority_hints'], 'authority_hints'),
    trustMarks: trustMarksIn(payload['trust_marks']),
    trustMarkIssuers: issuersIn(payload['trust_mark_issuers']),
    trustMarkOwners: ownersIn(payload['trust_mark_owners']),
    constraints: payload['constraints'] === undefined ? undefined : readConstraints(payload['constraints']),
    ...{ metadataPolicy: payload['metadata_policy'], metadataPolicyCritical: critical },
  }
}

/** @throws Refusal rejected/statement_key_unknown, rejected/statement_signature */
export const assertSigned = async (jws: CompactJws, keys: KeySet): Promise<void> => {
  const key = keys.get(jws.kid)
  if (key === undefined) throw statementKeyUnknown()
  if (!(await compactJwsHolds(jws, key))) throw statementSignature()
}
