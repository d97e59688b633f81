import { Refusal } from '../../kernel/refusal.ts'

/** One answer for an unknown handle and for a wrong passphrase, so that neither can be told from the other. */
export const signInRefused = (): Refusal =>
  new Refusal('unauthenticated', 'sign_in_refused', 'The handle and the passphrase do not belong together.')
export const attemptsExhausted = (retryAfterSeconds: number): Refusal =>
  new Refusal('too_many', 'sign_in_attempts', 'There were too many attempts for this handle; wait before the next.', {
    facts: { retryAfterSeconds },
  })
export const signInBusy = (): Refusal =>
  new Refusal('too_many', 'sign_in_busy', 'Too many people are signing in at this moment; try again shortly.')
export const sessionLocked = (): Refusal =>
  new Refusal('unauthenticated', 'session_locked', 'The session does not open the wallet; sign in again.')
export const handleTaken = (): Refusal =>
  new Refusal('conflict', 'handle_taken', 'This handle is taken; choose another.')
export const handleMalformed = (): Refusal =>
  new Refusal(
    'malformed',
    'handle_malformed',
    'A handle has 3 to 64 lower-case letters, digits, dots, dashes or underscores, and begins with a letter or digit.',
  )
export const passphraseWeak = (least: number): Refusal =>
  new Refusal(
    'rejected',
    'passphrase_weak',
    `A passphrase has at least ${least} characters and does not contain the handle.`,
  )
export const passphraseReused = (): Refusal =>
  new Refusal('rejected', 'passphrase_reused', 'Choose a passphrase other than the one that opens the wallet now.')
export const recordDamaged = (): Refusal =>
  new Refusal('unavailable', 'record_damaged', 'A record of the wallet does not open: it is damaged or was exchanged.')
export const heldUnknown = (): Refusal =>
  new Refusal('not_found', 'held_credential_unknown', 'The wallet holds no credential with that id.')
export const heldAlready = (): Refusal =>
  new Refusal('conflict', 'held_already', 'The wallet holds this very credential already.')
export const credentialMalformed = (): Refusal =>
  new Refusal(
    'malformed',
    'credential_malformed',
    'A credential is a compact JWS or SD-JWT without key binding, an enveloped one, or an object with a JWT proof.',
  )
export const credentialTooLarge = (most: number): Refusal =>
  new Refusal('too_large', 'held_credential_large', `A credential that a wallet keeps has at most ${most} bytes.`)
export const holderForeign = (): Refusal =>
  new Refusal('rejected', 'holder_foreign', 'The credential is bound to a key that is not in this wallet.')
export const holderKeyUnknown = (): Refusal =>
  new Refusal('not_found', 'holder_key_unknown', 'This wallet has no key with that id.')
export const holderKeyUsed = (): Refusal =>
  new Refusal('conflict', 'holder_key_used', 'This key has its credential already; ask for one bound to a new key.')
export const holderKeyGone = (): Refusal =>
  new Refusal('not_found', 'holder_key_gone', 'The key of that answer has been deleted since; ask for a new one.')
export const ledgerKeyUnknown = (): Refusal =>
  new Refusal('not_found', 'ledger_key_unknown', 'This wallet has no ledger key with that id.')
export const ledgerForeign = (): Refusal =>
  new Refusal(
    'rejected',
    'ledger_foreign',
    'This key is for another ledger: name its chain and contract in the domain.',
  )
export const ledgerRecordMalformed = (member: string): Refusal =>
  new Refusal(
    'malformed',
    'ledger_record_malformed',
    'A member of the record is missing, not one of its kind, or more than it can hold.',
    { facts: { member: member.slice(0, 100) } },
  )
export const walletFull = (most: number): Refusal =>
  new Refusal('rejected', 'wallet_full', `A wallet holds at most ${most} of these; delete some first.`)
export const audienceMissing = (): Refusal =>
  new Refusal('malformed', 'audience_missing', 'Name the verifier: audience is its https URL or its DID.')
export const challengeMissing = (): Refusal =>
  new Refusal('malformed', 'challenge_missing', 'challenge is needed: the nonce that the verifier gave out.')
export const claimsMissing = (): Refusal =>
  new Refusal('malformed', 'claims_missing', 'Name the claims to show; nothing is shown that was not chosen.')
export const claimUnknown = (claim: string): Refusal =>
  new Refusal('rejected', 'claim_unknown', 'The credential has no claim of that name.', {
    facts: { claim: claim.slice(0, 100) },
  })
export const claimsIndivisible = (claims: readonly string[]): Refusal =>
  new Refusal(
    'rejected',
    'claims_indivisible',
    'A credential of this format shows all its claims or none: name every one of them.',
    { facts: { claims } },
  )
export const mandateNeeded = (): Refusal =>
  new Refusal('forbidden', 'mandate_needed', 'This is a minor’s credential: say in onBehalfOf for which operation.')
export const principalMismatch = (): Refusal =>
  new Refusal('rejected', 'principal_mismatch', 'The credential is not one of the minor that onBehalfOf names.')
export const mandateMissing = (): Refusal =>
  new Refusal(
    'forbidden',
    'mandate_missing',
    'The wallet holds no guardian mandate in force that names this minor and this operation.',
  )
export const mandateFormat = (): Refusal =>
  new Refusal(
    'rejected',
    'mandate_format',
    'Only an SD-JWT can be presented for a minor: the others cannot prove the minor’s key.',
  )
export const exportRefused = (): Refusal =>
  new Refusal(
    'rejected',
    'export_passphrase_wrong',
    'The export does not open: its passphrase is another, or the file was changed.',
  )
export const exportMalformed = (): Refusal =>
  new Refusal('malformed', 'export_malformed', 'This is not a wallet export of a version that is understood here.')
export const exportTooLarge = (most: number): Refusal =>
  new Refusal('too_large', 'export_too_large', `An export has at most ${most} bytes; export part by part.`)
export const offerUnknown = (): Refusal =>
  new Refusal('not_found', 'collection_unknown', 'This wallet has no offer with that id, or it has expired.')
export const offerBusy = (): Refusal =>
  new Refusal('conflict', 'collection_busy', 'Another call talks to the issuer about this offer; wait for it to end.')
export const offerStep = (state: string): Refusal =>
  new Refusal(
    'conflict',
    'collection_step',
    'The collection is at another step; read it, and do what its state says.',
    {
      facts: { state },
    },
  )
export const txCodeExhausted = (most: number): Refusal =>
  new Refusal('rejected', 'tx_code_exhausted', `The transaction code was wrong ${most} times; ask for a new offer.`)
export const deferralWaiting = (retryAfterSeconds: number): Refusal =>
  new Refusal('too_many', 'deferral_waiting', 'The issuer needs more time; ask again when it said.', {
    facts: { retryAfterSeconds },
  })
export const deferralEnded = (): Refusal =>
  new Refusal('rejected', 'deferral_ended', 'The issuer has put the credential off for too long; ask for a new offer.')
export const renewalImpossible = (): Refusal =>
  new Refusal('rejected', 'renewal_impossible', 'The issuer lets nothing be renewed here; ask it for a new offer.')
export const collectedOtherType = (): Refusal =>
  new Refusal('rejected', 'collected_other_type', 'The issuer has given a credential of another type than it offered.')
export const collectedOtherIssuer = (): Refusal =>
  new Refusal(
    'rejected',
    'collected_other_issuer',
    'The credential is signed in the name of somebody who does not speak for the issuer that was asked.',
  )
export const collectedOtherKey = (): Refusal =>
  new Refusal(
    'rejected',
    'collected_other_key',
    'The credential is not bound to a key that was proved for it, or two are bound to one key.',
  )
export const presentationRequestUnknown = (): Refusal =>
  new Refusal(
    'not_found',
    'wallet_request_unknown',
    'The wallet has no request with that id, or it has expired; hand the verifier’s link in again.',
  )
export const presentationRequestReading = (): Refusal =>
  new Refusal('conflict', 'wallet_request_reading', 'This request is being read by another call; look again shortly.')
export const presentationRequestTooLarge = (): Refusal =>
  new Refusal(
    'too_large',
    'wallet_request_too_large',
    'The request asks for more than can be shown at once; ask the verifier for one that asks for less.',
  )
export const presentationRequestClosed = (): Refusal =>
  new Refusal('conflict', 'wallet_request_closed', 'This request has been answered or refused before.')
export const presentationRequestChanged = (): Refusal =>
  new Refusal(
    'conflict',
    'wallet_request_changed',
    'This is not what was shown: read the request again, and send the digest that it shows.',
  )
