import { Refusal } from '../../kernel/refusal.ts'

/** Codes that OpenID Federation 1.0 has words for (section 8.9) are those words. */
export const subordinateUnknown = (): Refusal =>
  new Refusal('not_found', 'not_found', 'No entity of this identifier stands below this one.')
export const subjectSelf = (): Refusal =>
  new Refusal('malformed', 'invalid_request', 'What this entity says of itself is its Entity Configuration.')
export const parameterUnsupported = (name: string): Refusal =>
  new Refusal('malformed', 'unsupported_parameter', `The parameter ${name} is not supported here.`)
export const anchorInvalid = (): Refusal =>
  new Refusal('not_found', 'invalid_trust_anchor', 'This entity does not resolve to that trust anchor.')
export const chainInvalid = (detail: string, cause: unknown): Refusal =>
  new Refusal('rejected', 'invalid_trust_chain', detail, { cause })
export const metadataInvalid = (detail: string, cause: unknown): Refusal =>
  new Refusal('rejected', 'invalid_metadata', detail, { cause })
export const noSuperior = (): Refusal =>
  new Refusal('not_found', 'federation_no_superior', 'No entities stand below this one.')

export const entityForeign = (): Refusal =>
  new Refusal(
    'forbidden',
    'federation_entity_foreign',
    'An institution registers the entity whose address its DID names on chain, and no other.',
  )
export const hintMissing = (): Refusal =>
  new Refusal(
    'rejected',
    'federation_hint_missing',
    'The Entity Configuration does not name this entity among its authority_hints.',
  )
export const entityNamed = (): Refusal =>
  new Refusal('conflict', 'federation_entity_named', 'The configuration of this entity names that one already.')
export const registrationUnknown = (): Refusal =>
  new Refusal('not_found', 'federation_registration_unknown', 'No entity has registered here under this id.')
export const registrationDecided = (): Refusal =>
  new Refusal('conflict', 'federation_registration_decided', 'This registration was decided already, or has ended.')
export const trustMarkUnknown = (): Refusal =>
  new Refusal('not_found', 'not_found', 'This entity has given no trust mark of that type to that entity.')
export const trustMarkPeriod = (): Refusal =>
  new Refusal('malformed', 'trust_mark_period', 'A trust mark ends at a time to come, within five years.')
export const trustMarksFull = (): Refusal =>
  new Refusal('rejected', 'trust_marks_full', 'The entity bears as many trust marks as it may.')
