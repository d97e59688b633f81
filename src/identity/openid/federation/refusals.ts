import { Refusal } from '../../../kernel/refusal.ts'

/** Refusals of OpenID Federation 1.0, by what was wrong: with a statement, with how statements hang together, with a policy. */

export const statementMalformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'statement_malformed', detail, { cause })
export const statementOfAnother = (detail: string): Refusal => new Refusal('rejected', 'statement_of_another', detail)
export const statementType = (typ: string): Refusal =>
  new Refusal('rejected', 'statement_type', `The typ of the JWT is not ${typ}.`)
export const statementExpired = (): Refusal =>
  new Refusal('rejected', 'statement_expired', 'A statement of the federation has expired.')
export const statementEarly = (): Refusal =>
  new Refusal('rejected', 'statement_early', 'A statement of the federation is from the future.')
export const statementKeyUnknown = (): Refusal =>
  new Refusal('rejected', 'statement_key_unknown', 'The kid of a statement names no federation key of its issuer.')
export const statementSignature = (): Refusal =>
  new Refusal('rejected', 'statement_signature', 'The signature of a statement does not fit.')
export const statementCritical = (name: string): Refusal =>
  new Refusal(
    'rejected',
    'statement_critical_unknown',
    `The critical claim ${name.slice(0, 80)} of a statement is not understood here.`,
  )
export const anchorUnknown = (): Refusal =>
  new Refusal('rejected', 'trust_anchor_unknown', 'The trust anchor is not one that counts here.')
export const chainMissing = (cause?: unknown): Refusal =>
  new Refusal('rejected', 'trust_chain_missing', 'No chain of statements leads from the entity to a trust anchor.', {
    cause,
  })
export const chainBroken = (detail: string): Refusal => new Refusal('rejected', 'trust_chain_broken', detail)
export const chainExcessive = (detail: string): Refusal => new Refusal('rejected', 'trust_chain_excessive', detail)
export const constraintViolated = (detail: string): Refusal =>
  new Refusal('rejected', 'federation_constraint_violated', detail)
export const policyMalformed = (detail: string): Refusal =>
  new Refusal('rejected', 'metadata_policy_malformed', detail.slice(0, 300))
export const policyConflict = (detail: string): Refusal =>
  new Refusal('rejected', 'metadata_policy_conflict', detail.slice(0, 300))
export const policyOperatorUnknown = (name: string): Refusal =>
  new Refusal(
    'rejected',
    'metadata_policy_operator_unknown',
    `The critical operator ${name.slice(0, 80)} of a metadata policy is not understood here.`,
  )
export const policyViolated = (detail: string): Refusal =>
  new Refusal('rejected', 'metadata_policy_violated', detail.slice(0, 300))
export const trustMarkInvalid = (detail: string): Refusal => new Refusal('rejected', 'trust_mark_invalid', detail)
