import { Refusal } from '../../kernel/refusal.ts'

export const issuerUnknown = (): Refusal =>
  new Refusal(
    'not_found',
    'issuer_unknown',
    'This agency has no issuer instance of that name; GET /issuers lists them.',
  )
export const issuerForeign = (): Refusal =>
  new Refusal('rejected', 'issuer_foreign', 'The credential names another issuer than this instance.')
export const instanceCredentialUnknown = (): Refusal =>
  new Refusal('not_found', 'credential_unknown', 'This instance has issued no credential with that id.')
export const instanceCredentialTaken = (): Refusal =>
  new Refusal(
    'conflict',
    'credential_id_taken',
    'This instance has issued another credential with that id; each is revoked by its own.',
  )
export const instanceEntryDiffers = (): Refusal =>
  new Refusal(
    'rejected',
    'status_entry_differs',
    'The credential with that id has another entry in the lists of this instance.',
  )
export const issueOptionUnsupported = (name: string): Refusal =>
  new Refusal(
    'rejected',
    'option_unsupported',
    `${name} is decided by the agency and the credential type; leave it out.`,
  )
export const instanceListUnknown = (): Refusal =>
  new Refusal('not_found', 'status_list_unknown', 'This instance has no such status list.')
export const instanceStatusNone = (): Refusal =>
  new Refusal('rejected', 'status_not_kept', 'This instance keeps no status of what it issues.')
export const instanceStatusAbsent = (): Refusal =>
  new Refusal(
    'rejected',
    'status_entry_missing',
    'The credential with that id was issued without a status for this purpose.',
  )
export const statusOptionMalformed = (detail: string): Refusal =>
  new Refusal('malformed', 'status_option_malformed', detail)
export const statusValueMalformed = (): Refusal =>
  new Refusal(
    'malformed',
    'status_value_malformed',
    'A message is set by its status, as "0x2"; statuses for other purposes by true and false.',
  )
export const statusValueUnknown = (): Refusal =>
  new Refusal('rejected', 'status_value_unknown', 'The credential was issued without a message for that status.')
export const refreshFinal = (): Refusal =>
  new Refusal('rejected', 'status_final', 'That an update is there is not taken back; issue another credential.')

export const workflowUnknown = (): Refusal =>
  new Refusal('not_found', 'workflow_unknown', 'This agency has no workflow with that id.')
export const workflowExists = (): Refusal =>
  new Refusal('conflict', 'workflow_exists', 'There is a workflow with that id; workflows are not changed.')
export const workflowMalformed = (detail: string): Refusal => new Refusal('malformed', 'workflow_malformed', detail)
export const workflowUnsupported = (what: string): Refusal =>
  new Refusal('rejected', 'workflow_unsupported', `A workflow is not carried out with ${what.slice(0, 100)} here.`)
export const workflowEndless = (): Refusal =>
  new Refusal(
    'rejected',
    'workflow_endless',
    'The steps lead back to one of them, so no exchange would ever be complete.',
  )
export const templateMalformed = (detail: string): Refusal => new Refusal('malformed', 'template_malformed', detail)
export const variableUnknown = (name: string): Refusal =>
  new Refusal(
    'rejected',
    'variable_unknown',
    `The exchange has no variable ${name.slice(0, 100)}, which a template names.`,
  )
export const variableReserved = (name: string): Refusal =>
  new Refusal('malformed', 'variable_reserved', `A variable cannot be called ${name.slice(0, 100)}.`)
export const variablesExcessive = (): Refusal =>
  new Refusal('too_large', 'variables_excessive', 'The variables of an exchange are 64 KiB at most.')
export const exchangeExpiry = (): Refusal =>
  new Refusal(
    'malformed',
    'exchange_expiry',
    'An exchange expires within a day, at a date and time in UTC to come, or after a ttl in seconds.',
  )
export const exchangeUnknown = (): Refusal =>
  new Refusal('not_found', 'exchange_unknown', 'This workflow has no exchange at that URL.')
export const exchangeExpired = (): Refusal =>
  new Refusal('rejected', 'exchange_expired', 'The exchange has expired; ask for a new one.')
export const exchangeComplete = (): Refusal =>
  new Refusal('conflict', 'exchange_complete', 'The exchange is complete; each is gone through once.')
export const exchangeInvalid = (): Refusal =>
  new Refusal('conflict', 'exchange_invalid', 'The exchange has ended after too many answers that were refused.')
export const exchangeAnswered = (): Refusal =>
  new Refusal('conflict', 'exchange_answered', 'Another answer to this step of the exchange came first.')
export const presentationUnasked = (): Refusal =>
  new Refusal('rejected', 'presentation_unasked', 'This step of the exchange asks for no presentation; send {}.')
export const messageUnsupported = (): Refusal =>
  new Refusal(
    'rejected',
    'message_unsupported',
    'A participant sends {} or one verifiablePresentation; requests and invitations of participants are not answered.',
  )
export const holderMissing = (): Refusal =>
  new Refusal('rejected', 'holder_missing', 'The presentation must name the DID of its holder.')
export const holderDiffers = (): Refusal =>
  new Refusal('rejected', 'holder_differs', 'Another holder answered an earlier step of this exchange.')
export const methodUnaccepted = (): Refusal =>
  new Refusal('rejected', 'method_unaccepted', 'The DID of the holder is of a method that was not asked for.')
export const cryptosuiteUnaccepted = (): Refusal =>
  new Refusal(
    'rejected',
    'cryptosuite_unaccepted',
    'The presentation is secured with a cryptosuite that was not asked for.',
  )
export const credentialMissing = (): Refusal =>
  new Refusal('rejected', 'credential_missing', 'The presentation has no credential like the one that was asked for.')
export const credentialsSeveral = (): Refusal =>
  new Refusal(
    'rejected',
    'presentation_several',
    'The presentation has several credentials for a query that asks for one; let the holder choose.',
  )
export const issuerUnaccepted = (): Refusal =>
  new Refusal(
    'rejected',
    'issuer_unaccepted',
    'The credential that was asked for is of an issuer that is not accepted.',
  )
export const securingUnaccepted = (): Refusal =>
  new Refusal(
    'rejected',
    'securing_unaccepted',
    'The credential that was asked for is secured in a way that is not accepted.',
  )
export const credentialOfAnother = (): Refusal =>
  new Refusal(
    'rejected',
    'credential_of_another',
    'The credential that was asked for is not about the holder who presents it.',
  )
export const subjectForeign = (): Refusal =>
  new Refusal('rejected', 'subject_foreign', 'An exchange issues to the DID that was proven in it, and to no other.')
