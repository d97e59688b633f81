import { Refusal } from '../../../kernel/refusal.ts'

/** What is refused about payments versus payments. */

export const exchangeUnknown = (): Refusal =>
  new Refusal(
    'not_found',
    'exchange_unknown',
    'No exchange of that id has a payer that is the caller’s, under the pseudonym presented.',
  )
export const exchangeEnded = (state: string): Refusal =>
  new Refusal('conflict', 'exchange_ended', 'The offer was settled or withdrawn, or its time has passed.', {
    facts: { state },
  })
export const exchangeCurrency = (): Refusal =>
  new Refusal('rejected', 'exchange_currency', 'The two payments of an exchange are in two currencies.')
export const exchangeSelf = (): Refusal =>
  new Refusal('rejected', 'exchange_self', 'The two sides of an exchange are two owners.')
export const exchangeLeg = (): Refusal =>
  new Refusal(
    'rejected',
    'exchange_leg',
    'Sign exactly the payment that the offer asks for: its accounts, its currency and its amount.',
  )
export const exchangeValidity = (): Refusal =>
  new Refusal('rejected', 'exchange_validity', 'What is offered is valid for at most a day after its id was made.')
export const exchangeFull = (): Refusal =>
  new Refusal('rejected', 'exchange_full', 'Too many offers stand on this account; withdraw some.')
export const offerStale = (): Refusal =>
  new Refusal('conflict', 'offer_stale', 'The offer does not hold (any more), and nothing moved; ask for a new one.')
