import { Refusal } from '../../../kernel/refusal.ts'

/** Why purpose-bound money is not granted or spent, and nobody qualifies for it. */

export const programmeTaken = (): Refusal =>
  new Refusal('conflict', 'programme_taken', 'Another programme bears that name; choose one that is new.')
export const programmeUnknown = (): Refusal =>
  new Refusal('not_found', 'programme_unknown', 'There is no programme of that name.')
export const programmeEnded = (): Refusal =>
  new Refusal('conflict', 'programme_ended', 'The programme has ended; what was left goes back to its sponsor.')
export const programmeTerms = (why: string): Refusal =>
  new Refusal('rejected', 'programme_terms', `The terms of a programme hold together: ${why}.`)
export const programmeSponsor = (): Refusal =>
  new Refusal(
    'rejected',
    'programme_sponsor',
    'The sponsor’s account is a reserve or treasury account of the programme’s currency.',
  )
export const sponsorDiffers = (): Refusal =>
  new Refusal('forbidden', 'sponsor_differs', 'The programme has another sponsor; its sums are for that one.')
export const purposeMismatch = (): Refusal =>
  new Refusal(
    'malformed',
    'purpose_mismatch',
    'An account of the class purpose names its programme, and no other does.',
  )
export const purposeAccountTaken = (): Refusal =>
  new Refusal('conflict', 'purpose_account_taken', 'You have an account in this programme; there is one a person.')
export const purposeBound = (): Refusal =>
  new Refusal(
    'forbidden',
    'purpose_bound',
    'Money of this account is bound to its purpose; it is spent by transfers to those whom the programme pays.',
  )
export const purposeEnded = (): Refusal =>
  new Refusal(
    'rejected',
    'purpose_ended',
    'The programme of this account has ended; its money goes back to the sponsor.',
  )
export const qualificationAccount = (): Refusal =>
  new Refusal(
    'rejected',
    'qualification_account',
    'Accounts of merchants qualify; ask the institution that serves you to make it one.',
  )
export const qualificationWithoutStatus = (): Refusal =>
  new Refusal(
    'rejected',
    'qualification_without_status',
    'The licence has no status or date of expiry that could be looked at again; present one that has.',
  )
export const qualificationsFull = (): Refusal =>
  new Refusal(
    'rejected',
    'qualifications_full',
    'The account qualifies by as many licences as it can; let one run out.',
  )
