import { Refusal } from '../../kernel/refusal.ts'

/* Of staff. */

export const offerUnknown = (): Refusal =>
  new Refusal('not_found', 'offer_unknown', 'There is no such credential offer, or it can no longer be taken up.')
export const offerEnded = (): Refusal =>
  new Refusal('conflict', 'offer_ended', 'The offer was collected or withdrawn, or has expired; make a new one.')
export const offerExpiryRefused = (): Refusal =>
  new Refusal(
    'rejected',
    'offer_expiry_refused',
    'An offer is open for a week at most, and what was taken up is collected within 400 days after that.',
  )
export const configurationUnknown = (): Refusal =>
  new Refusal(
    'rejected',
    'credential_configuration_unknown',
    'The agency has no such credential configuration; its issuer metadata lists them.',
  )
export const claimsMismatch = (wanted: readonly string[]): Refusal =>
  new Refusal('rejected', 'claims_mismatch', `Give the claims of each type that is offered: ${wanted.join(', ')}.`)
export const claimsViolateSchema = (type: string, problem: string): Refusal =>
  new Refusal('rejected', 'schema_violated', `The claims do not fit ${type}: ${problem}.`)
export const holderGiven = (): Refusal =>
  new Refusal('rejected', 'holder_given', 'Claims of an offer name no holder (id): the wallet proves its key later.')
export const validityRefused = (type: string, days: number): Refusal =>
  new Refusal('rejected', 'validity_too_long', `${type} is valid for at most ${days} days, and not until the past.`)
export const identificationBypassed = (): Refusal =>
  new Refusal(
    'rejected',
    'identification_bypassed',
    'Whoever has a pre-authorized code is asked for nothing more: leave that grant out, or identifiedBy.',
  )
export const grantForeign = (): Refusal =>
  new Refusal(
    'rejected',
    'grant_foreign',
    'Another server authorizes for this issuer, and it knows no pre-authorized codes of ours: offer the authorization code.',
  )
export const identificationUnsupported = (): Refusal =>
  new Refusal(
    'rejected',
    'identification_unsupported',
    'People are identified by credential types that are known here.',
  )
export const txCodeUnused = (): Refusal =>
  new Refusal('rejected', 'tx_code_unused', 'A transaction code belongs to a pre-authorized code: ask for that grant.')
export const txCodeBypassed = (): Refusal =>
  new Refusal(
    'rejected',
    'tx_code_bypassed',
    'Whoever has the authorization code is asked for no transaction code: leave that grant out, or txCode.',
  )
export const releaseUnasked = (): Refusal =>
  new Refusal(
    'conflict',
    'release_unasked',
    'The offer was made without an officer’s release; there is none to decide on.',
  )
export const releaseDecided = (): Refusal =>
  new Refusal('conflict', 'release_decided', 'The release of this offer was decided before.')

/* Of wallets: OpenID4VCI 1.0, sections 8.3.1, 9.3 and 11.3. */

export const requestInvalid = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'invalid_credential_request', detail, { cause })
export const configurationNotIssued = (): Refusal =>
  new Refusal(
    'rejected',
    'unknown_credential_configuration',
    'There is no credential configuration of this name in the issuer metadata.',
  )
export const identifierUnknown = (): Refusal =>
  new Refusal(
    'rejected',
    'unknown_credential_identifier',
    'The token response gave no credential identifier of this name.',
  )
export const scopeInsufficient = (): Refusal =>
  new Refusal('forbidden', 'insufficient_scope', 'The access token does not open this credential configuration.')
export const encryptionInvalid = (detail: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'invalid_encryption_parameters', detail, { cause })
export const requestDenied = (detail: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'credential_request_denied', detail, { cause })
export const nonceInvalid = (cause?: unknown): Refusal =>
  new Refusal(
    'rejected',
    'invalid_nonce',
    'The c_nonce is none of this issuer, has expired or was used; ask the nonce endpoint for a new one.',
    { cause },
  )
export const transactionInvalid = (): Refusal =>
  new Refusal(
    'rejected',
    'invalid_transaction_id',
    'The transaction_id is none of this access token, or its credential was collected.',
  )
export const notificationUnknown = (): Refusal =>
  new Refusal('rejected', 'invalid_notification_id', 'The notification_id is none of this access token.')
export const notificationInvalid = (detail: string): Refusal =>
  new Refusal('malformed', 'invalid_notification_request', detail)
