import { Refusal } from '../../kernel/refusal.ts'

export const credentialUnknown = (): Refusal =>
  new Refusal('not_found', 'credential_unknown', 'This agency has issued no credential with that id.')
export const typeUnknown = (): Refusal =>
  new Refusal('not_found', 'type_unknown', 'No such credential type and version is known here.')
export const contextUnpublished = (): Refusal =>
  new Refusal('not_found', 'context_unknown', 'This agency publishes no context of that name and version.')
export const decisionUnknown = (): Refusal =>
  new Refusal('not_found', 'status_change_unknown', 'No status change has that id.')
export const listUnknown = (): Refusal =>
  new Refusal('not_found', 'status_list_unknown', 'This agency has no such status list, or not in that version.')
export const alreadyRevoked = (): Refusal =>
  new Refusal('conflict', 'already_revoked', 'The credential is revoked, and a revocation is never undone.')
export const purposeUnknown = (): Refusal =>
  new Refusal('malformed', 'status_purpose_unknown', 'statusPurpose is revocation or suspension.')
export const revocationIsFinal = (): Refusal =>
  new Refusal('rejected', 'revocation_is_final', 'A revocation cannot be undone; issue a new credential instead.')
export const challengeReplayed = (): Refusal =>
  new Refusal('rejected', 'challenge_replayed', 'The challenge has been answered before; ask for a new one.')
export const challengeExpired = (): Refusal =>
  new Refusal('rejected', 'challenge_expired', 'The challenge has expired; ask for a new one.')
export const challengeMissing = (): Refusal =>
  new Refusal('malformed', 'challenge_missing', 'options.challenge is needed: the nonce that the holder was given.')
export const logTileUnknown = (): Refusal =>
  new Refusal('not_found', 'log_tile_unknown', 'The log has published nothing there.')
export const issuerForeign = (): Refusal =>
  new Refusal('rejected', 'issuer_foreign', 'The credential names another issuer than this agency.')
export const typeMissing = (): Refusal =>
  new Refusal('malformed', 'type_missing', 'credential.type names one credential type besides VerifiableCredential.')
export const dateMalformed = (name: string): Refusal =>
  new Refusal('malformed', 'date_malformed', `${name} must be a date-time with a time zone.`)
export const tooMany = (most: number): Refusal =>
  new Refusal('too_large', 'too_many_credentials', `One call changes at most ${most} credentials.`)
export const agentMethodUnknown = (): Refusal =>
  new Refusal('not_found', 'agent_method_unknown', 'No Veramo method of this name is answered here.')
export const agentArgumentUnsupported = (name: string): Refusal =>
  new Refusal('malformed', 'agent_argument_unsupported', `The argument ${name} is missing, malformed or not supported.`)
export const agentPolicyUnsupported = (): Refusal =>
  new Refusal('rejected', 'agent_policy_unsupported', 'No check can be switched off; policies.now is the only choice.')
export const agentQueryUnsupported = (what: string): Refusal =>
  new Refusal('malformed', 'agent_query_unsupported', `The query is not one that is answered here: ${what}.`)
export const proofFormatUnsupported = (): Refusal =>
  new Refusal(
    'rejected',
    'proof_format_unsupported',
    'Veramo clients get proofFormat jwt; others are issued elsewhere.',
  )
export const identifierUnknown = (): Refusal =>
  new Refusal('not_found', 'identifier_unknown', 'The agency manages no identifier of this name.')
export const didComponentUnknown = (): Refusal =>
  new Refusal('not_found', 'did_component_unknown', 'The DID document has no part of this name.')
