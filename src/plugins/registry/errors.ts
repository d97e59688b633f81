import { Refusal } from '../../kernel/refusal.ts'

export const registerUnknown = (): Refusal =>
  new Refusal(
    'not_found',
    'register_unknown',
    'This agency keeps no register of that name; see GET /registry/registers.',
  )
export const registerKind = (): Refusal =>
  new Refusal('rejected', 'register_kind', 'Registers of this kind have operations of their own for this.')
export const entryUnknown = (): Refusal =>
  new Refusal('not_found', 'entry_unknown', 'The register has no entry with that id.')
export const entryNotYet = (): Refusal =>
  new Refusal('not_found', 'entry_not_yet', 'The entry did not exist at that time; ask for a later one.')
export const entryChanged = (): Refusal =>
  new Refusal('conflict', 'entry_changed', 'The entry has changed in the meantime; read it again and decide anew.')
export const entryState = (state: string): Refusal =>
  new Refusal('conflict', 'entry_state', 'The entry is in a state that does not allow this.', { facts: { state } })
export const entryHolderOnly = (): Refusal =>
  new Refusal('forbidden', 'entry_holder_only', 'Only the holder of this very entry, or an officer, may read this.')
export const applicationUnknown = (): Refusal =>
  new Refusal('not_found', 'application_unknown', 'The register has no application with that id that you may see.')
export const applicationDecided = (state: string): Refusal =>
  new Refusal('conflict', 'application_decided', 'The application has been decided or withdrawn already.', {
    facts: { state },
  })
export const applicationState = (state: string): Refusal =>
  new Refusal('conflict', 'application_state', 'The application is in a state that does not allow this.', {
    facts: { state },
  })
export const applicationChanged = (): Refusal =>
  new Refusal('conflict', 'application_changed', 'The application has changed in the meantime; read it again.')
export const applicationOwn = (): Refusal =>
  new Refusal('forbidden', 'application_own', 'Nobody decides on an application of their own; another officer has to.')
export const applicationOpen = (): Refusal =>
  new Refusal('conflict', 'application_open', 'Another application about this entry is open; wait for its decision.')
export const applicationsNotTaken = (): Refusal =>
  new Refusal('rejected', 'applications_not_taken', 'Nobody applies to this register: its officers make the entries.')
export const renewalUnavailable = (): Refusal =>
  new Refusal('rejected', 'renewal_unavailable', 'Entries of this register are not renewed; apply for a new one.')
export const renewalWindow = (opensAt: number | null): Refusal =>
  new Refusal(
    'rejected',
    'renewal_window',
    'An entry is renewed within the time that its register names, before it ends.',
    {
      facts: opensAt === null ? {} : { opensAt: new Date(opensAt).toISOString() },
    },
  )
export const holderKeyForeign = (): Refusal =>
  new Refusal('forbidden', 'holder_key_foreign', 'The holder named is not one whose key you proved; name one of yours.')
export const fieldsInvalid = (problem: string): Refusal =>
  new Refusal('rejected', 'fields_invalid', `The fields do not fit the register: ${problem}.`)
export const fieldFromClaims = (field: string): Refusal =>
  new Refusal('rejected', 'field_from_claims', 'This field is what your credential says; leave it out.', {
    facts: { field },
  })
export const fieldFromOfficer = (field: string): Refusal =>
  new Refusal('rejected', 'field_from_officer', 'This field is written by the officer who decides; leave it out.', {
    facts: { field },
  })
export const attachmentUnexpected = (name: string): Refusal =>
  new Refusal('rejected', 'attachment_unexpected', 'The register asks for no attachment of this name.', {
    facts: { name },
  })
export const attachmentMissing = (name: string): Refusal =>
  new Refusal('rejected', 'attachment_missing', 'An attachment that the register asks for is missing.', {
    facts: { name },
  })
export const attachmentType = (name: string): Refusal =>
  new Refusal('rejected', 'attachment_type', 'The register takes this attachment in another media type.', {
    facts: { name },
  })
export const attachmentMismatch = (): Refusal =>
  new Refusal(
    'rejected',
    'attachment_mismatch',
    'The content is not what the application says: its digest or length differs.',
  )
export const attachmentUnknown = (): Refusal =>
  new Refusal(
    'not_found',
    'attachment_unknown',
    'The application has no such attachment, or its content was not handed in.',
  )
export const contentMalformed = (): Refusal =>
  new Refusal('malformed', 'content_malformed', 'content is base64 with padding (RFC 4648, section 4).')
export const legalBasisUnknown = (): Refusal =>
  new Refusal(
    'rejected',
    'legal_basis_unknown',
    'The register does not decide on this legal basis; see its definition.',
  )
export const validityWrong = (): Refusal =>
  new Refusal('rejected', 'validity_wrong', 'validUntil lies in the future and within what the register allows.')
export const credentialNotReady = (): Refusal =>
  new Refusal(
    'not_found',
    'entry_credential_missing',
    'There is no credential to collect: the application is not granted.',
  )
export const searchFieldUnknown = (field: string): Refusal =>
  new Refusal('rejected', 'search_field_unknown', 'Entries cannot be found by this field here.', { facts: { field } })
export const searchEmpty = (): Refusal =>
  new Refusal('malformed', 'search_empty', 'Every condition names a value of at least one character.')
export const timeMalformed = (): Refusal =>
  new Refusal('malformed', 'date_malformed', 'at must be a date-time with a time zone.')
export const timeNotCome = (): Refusal =>
  new Refusal('rejected', 'time_not_come', 'Nothing is shown as of a time to come; ask for now, or for a time before.')
export const tokenTaken = (): Refusal =>
  new Refusal(
    'rejected',
    'wallet_not_for_register',
    'Entries of this register have no tokens, so none can go to a wallet.',
  )
export const walletNotYours = (): Refusal =>
  new Refusal(
    'forbidden',
    'wallet_not_yours',
    'The wallet is not bound to the pseudonym that you show in the domain of this register; bind it first.',
  )
export const grantOneByOne = (): Refusal =>
  new Refusal('rejected', 'grant_one_by_one', 'Decisions of this register need two officers; grant one by one.')
