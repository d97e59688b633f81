import { Refusal } from '../../kernel/refusal.ts'

const forms = {
  phone: 'A phone number is E.164: a plus sign and 7 to 15 digits, the first of which is not 0.',
  'national-id': 'A national id is up to 64 letters, digits, spaces, dots, slashes and hyphens.',
}

export const aliasMalformed = (kind: keyof typeof forms): Refusal =>
  new Refusal('malformed', 'alias_malformed', forms[kind])
export const vouchingMalformed = (): Refusal =>
  new Refusal(
    'malformed',
    'alias_vouching_malformed',
    'For a phone the institution names tag and maskedName; for a national id the credential says both, so leave them out.',
  )
export const nameUnmasked = (): Refusal =>
  new Refusal(
    'malformed',
    'alias_name_unmasked',
    'A masked name is an initial, three stars, a space, an initial and a full stop, in capitals: A*** B.',
  )
export const bankOnly = (types: readonly string[]): Refusal =>
  new Refusal(
    'forbidden',
    'alias_bank_only',
    'Only institutions with customers ask for aliases or vouch for them; get accredited for one of these types.',
    { facts: { types } },
  )
export const ledgerUnknown = (): Refusal =>
  new Refusal(
    'rejected',
    'alias_ledger_unknown',
    'The ledger is not an institution that is accredited now; name its did:ethr.',
  )
export const aliasTaken = (): Refusal =>
  new Refusal(
    'conflict',
    'alias_taken',
    'Another institution vouches for this alias; its holder asks that one to remove it, or waits until it lapses.',
  )
export const aliasUnknown = (): Refusal =>
  new Refusal('not_found', 'alias_unknown', 'There is no such alias among yours.')
export const aliasRateExceeded = (retryAfterSeconds: number): Refusal =>
  new Refusal(
    'too_many',
    'alias_rate_exceeded',
    'The caller has asked as often as it may in one day; try again tomorrow.',
    {
      facts: { retryAfterSeconds },
    },
  )
export const addressUnusable = (): Refusal =>
  new Refusal(
    'not_found',
    'payment_address_unusable',
    'No payment can be made to this address; look the alias up again, or ask the payee.',
  )
