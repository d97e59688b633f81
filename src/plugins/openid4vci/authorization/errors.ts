import { Refusal } from '../../../kernel/refusal.ts'

/* What each is called on the wire stands in `error` (RFC 6749, section 5.2, and what builds on it). */
const as = (error: string) => ({ facts: { error } })

/* The token endpoint. */

export const codeUnknown = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'code_unknown',
    'The code is none of this server, or has expired.',
    as('invalid_grant'),
  )
export const codeUsed = (): Refusal =>
  new Refusal('unauthenticated', 'code_used', 'The code was used before; begin again.', as('invalid_grant'))
export const codeEnded = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'code_ended',
    'What the code stands for was withdrawn or collected.',
    as('invalid_grant'),
  )
export const codeBlocked = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'code_blocked',
    'There were too many wrong transaction codes; ask for a new offer.',
    as('invalid_grant'),
  )
export const codeOfAnother = (): Refusal =>
  new Refusal('unauthenticated', 'code_of_another', 'The code was given to another wallet.', as('invalid_grant'))
export const redirectDiffers = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'redirect_differs',
    'The redirect_uri is not the one of the authorization request.',
    as('invalid_grant'),
  )
export const verifierWrong = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'code_verifier_wrong',
    'The code_verifier does not fit the code_challenge of the authorization request (RFC 7636).',
    as('invalid_grant'),
  )
export const keyDiffers = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'grant_key_mismatch',
    'The code or token is bound to another key than the one that was proved.',
    as('invalid_grant'),
  )
export const txCodeWrong = (triesLeft: number): Refusal =>
  new Refusal(
    'unauthenticated',
    'tx_code_wrong',
    `The transaction code is wrong; tries left: ${triesLeft}.`,
    as('invalid_grant'),
  )
export const txCodeMissing = (): Refusal =>
  new Refusal('malformed', 'tx_code_missing', 'The offer asks for a transaction code.', as('invalid_request'))
export const txCodeUnexpected = (): Refusal =>
  new Refusal('malformed', 'tx_code_unexpected', 'The offer has no transaction code; send none.', as('invalid_request'))
export const refreshUnknown = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'refresh_token_unknown',
    'The refresh token is none of this server, has expired or was revoked.',
    as('invalid_grant'),
  )
export const refreshUsed = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'refresh_token_used',
    'The refresh token was used before, so all tokens of this authorization are revoked.',
    as('invalid_grant'),
  )
export const parameterMissing = (name: string): Refusal =>
  new Refusal('malformed', 'parameter_missing', `The parameter ${name} is missing.`, as('invalid_request'))
export const parameterTooLong = (name: string, most: number): Refusal =>
  new Refusal(
    'malformed',
    'parameter_too_long',
    `The parameter ${name} has at most ${most} characters.`,
    as('invalid_request'),
  )
export const requestsExceeded = (): Refusal =>
  new Refusal(
    'too_many',
    'requests_exceeded',
    'Too many wallets that nobody attests are asking at the moment; try again in a minute.',
    as('temporarily_unavailable'),
  )
export const grantTypeUnsupported = (): Refusal =>
  new Refusal(
    'malformed',
    'unsupported_grant_type',
    'Tokens are given for authorization codes, pre-authorized codes and refresh tokens.',
  )
export const bindingNeeded = (): Refusal =>
  new Refusal(
    'malformed',
    'token_binding_needed',
    'Tokens of this server are bound to a key: send a DPoP proof (RFC 9449).',
    as('invalid_dpop_proof'),
  )

/* Who asks. */

export const clientUnknown = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'client_unknown',
    'This server gives tokens to wallets that it knows, or whose provider attests them.',
    as('invalid_client'),
  )
export const clientDiffers = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'client_differs',
    'The client_id is another than the one that the attestation is made for.',
    as('invalid_client'),
  )
export const attestationMissing = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'attestation_missing',
    'Send both headers, OAuth-Client-Attestation and OAuth-Client-Attestation-PoP, once each.',
    as('invalid_client'),
  )
export const attestationReplayed = (cause: unknown): Refusal =>
  new Refusal(
    'unauthenticated',
    'attestation_replayed',
    'The proof of the attested wallet was used before; make one for each request.',
    { cause, ...as('invalid_client') },
  )
export const attestationUnsupported = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'attestation_unsupported',
    'This server trusts no provider of wallets; send no attestation.',
    as('invalid_client'),
  )

/* Authorization requests. */

export const redirectForbidden = (detail: string): Refusal =>
  new Refusal('malformed', 'redirect_forbidden', detail, as('invalid_request'))
export const responseTypeUnsupported = (): Refusal =>
  new Refusal('malformed', 'unsupported_response_type', 'The response_type is code.')
export const responseModeUnsupported = (): Refusal =>
  new Refusal('malformed', 'response_mode_unsupported', 'The response_mode is query.', as('invalid_request'))
export const challengeRefused = (): Refusal =>
  new Refusal(
    'malformed',
    'code_challenge_refused',
    'Send a code_challenge with the method S256: 43 characters of base64url (RFC 7636).',
    as('invalid_request'),
  )
export const boundKeyDiffers = (): Refusal =>
  new Refusal(
    'malformed',
    'dpop_key_mismatch',
    'The dpop_jkt is not the thumbprint of the key that the DPoP proof is made with (RFC 9449, section 10.1).',
    as('invalid_request'),
  )
export const requestObjectUnsupported = (): Refusal =>
  new Refusal(
    'malformed',
    'request_object_unsupported',
    'Parameters are read as they are, without a request object.',
    as('invalid_request'),
  )
export const requestUriUnknown = (): Refusal =>
  new Refusal(
    'malformed',
    'request_uri_unknown',
    'The request_uri is none of this server for this wallet, has expired or was used.',
    as('invalid_request'),
  )
export const pushNeeded = (): Refusal =>
  new Refusal(
    'malformed',
    'push_needed',
    'This server takes pushed authorization requests only (RFC 9126).',
    as('invalid_request'),
  )
export const scopeInvalid = (): Refusal =>
  new Refusal(
    'malformed',
    'invalid_scope',
    'No scope of the request stands for a credential that is offered to this wallet; the issuer metadata has them.',
  )
export const detailsInvalid = (detail: string): Refusal =>
  new Refusal('malformed', 'invalid_authorization_details', detail)
export const targetInvalid = (): Refusal =>
  new Refusal('malformed', 'invalid_target', 'The resource is not this credential issuer (RFC 8707).')
export const issuerStateUnknown = (): Refusal =>
  new Refusal(
    'malformed',
    'issuer_state_unknown',
    'The issuer_state is of no offer that can be taken up here.',
    as('invalid_request'),
  )
export const nothingPrepared = (): Refusal =>
  new Refusal(
    'forbidden',
    'issuance_unprepared',
    'Nothing of what was asked for is prepared for this person here.',
    as('access_denied'),
  )

/* The page of the citizen. */

export const pageUnknown = (): Refusal =>
  new Refusal(
    'forbidden',
    'authorization_unknown',
    'This page belongs to another browser, has expired or was used. Tell nobody its address, and begin again in your wallet.',
  )

/* What tokens open. */

export const tokenMissing = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'access_token_missing',
    'Send the access token (RFC 6750, RFC 9449).',
    as('invalid_token'),
  )
export const tokenUnknown = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'access_token_unknown',
    'The access token is none of this issuer, or has expired.',
    as('invalid_token'),
  )
export const tokenRevoked = (): Refusal =>
  new Refusal('unauthenticated', 'access_token_revoked', 'The access token was revoked.', as('invalid_token'))
export const tokenUnbound = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'access_token_mismatch',
    'A token that is bound to a key comes as DPoP, and one that is not as Bearer, where that is allowed.',
    as('invalid_token'),
  )
export const tokenUnproved = (): Refusal =>
  new Refusal('unauthenticated', 'proof_missing', 'The DPoP header is missing: prove the key of the token.')
export const tokenWithoutScope = (): Refusal =>
  new Refusal(
    'forbidden',
    'access_token_insufficient',
    'The access token opens no credential configuration of this issuer.',
    as('insufficient_scope'),
  )
export const issuanceMissing = (): Refusal =>
  new Refusal(
    'forbidden',
    'issuance_unprepared',
    'Nothing is prepared here for whom the access token was given to.',
    as('insufficient_scope'),
  )
export const serverElsewhere = (): Refusal =>
  new Refusal(
    'not_found',
    'authorization_elsewhere',
    'Another server authorizes for this issuer; its metadata has the address.',
    as('invalid_request'),
  )
