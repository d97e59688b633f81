import { Refusal } from '../../kernel/refusal.ts'
import type { Invalidity } from './ledger/apply.ts'
import type { Stop } from './ledger/limits.ts'

/** Why an entry may not stand, as it is told. What concerns a payee has one name. */
const invalid: Record<Invalidity, () => Refusal> = {
  amount_not_positive: () => new Refusal('rejected', 'amount_not_positive', 'An amount is at least one minor unit.'),
  amount_too_large: () =>
    new Refusal('rejected', 'amount_too_large', 'Amounts stay at or below 9223372036854775807 minor units.'),
  account_same: () => new Refusal('rejected', 'account_same', 'The two accounts have to be different ones.'),
  account_unknown: () => new Refusal('not_found', 'account_unknown', 'There is no account of that number.'),
  account_closed: () => new Refusal('rejected', 'account_closed', 'The account is closed.'),
  reservation_unknown: () =>
    new Refusal('not_found', 'reservation_unknown', 'No reservation of that number stands (any more).'),
  reservation_expired: () =>
    new Refusal('rejected', 'reservation_expired', 'The reservation has expired; the money is the payer’s again.'),
  reservation_pending: () =>
    new Refusal('rejected', 'reservation_pending', 'The reservation has not expired yet; wait for its expiry.'),
  instruction_unknown: () =>
    new Refusal('not_found', 'instruction_unknown', 'No instruction of that number stands for the account (any more).'),
  instalment_index: () =>
    new Refusal('conflict', 'instalment_index', 'That instalment was paid or passed over, or there is none.'),
  instalment_early: () =>
    new Refusal('rejected', 'instalment_early', 'The instalment is not due yet; wait for its time.'),
  signature_invalid: () =>
    new Refusal(
      'forbidden',
      'signature_invalid',
      'The signature is not one of the key that has to sign this, over this record, for this ledger.',
    ),
  transfer_expired: () =>
    new Refusal('rejected', 'transfer_expired', 'What was signed was valid until a time that has passed; sign anew.'),
  nonce_mismatch: () =>
    new Refusal(
      'conflict',
      'nonce_mismatch',
      'The nonce is not the next of the account; read the account and sign anew.',
    ),
  currency_mismatch: () => new Refusal('rejected', 'currency_mismatch', 'The account is kept in another currency.'),
  key_invalid: () =>
    new Refusal('rejected', 'key_invalid', 'The key is no compressed point of a scheme that the ledger knows.'),
  account_number_taken: () =>
    new Refusal('conflict', 'account_number_taken', 'Another account got that number; try again.'),
  preimage_mismatch: () =>
    new Refusal('rejected', 'preimage_mismatch', 'The preimage does not have the hash that locks the reservation.'),
  reservation_amount: () =>
    new Refusal('conflict', 'reservation_amount', 'The reservation holds another amount; read it and sign anew.'),
  reservation_expiry: () =>
    new Refusal(
      'rejected',
      'reservation_expiry',
      'A reservation expires in the future, within the time that policy grants.',
    ),
  instruction_schedule: () =>
    new Refusal(
      'rejected',
      'instruction_schedule',
      'An instruction begins in the future; once, or every so many days, weeks or months, within the time of the ledger.',
    ),
  instruction_terms: () =>
    new Refusal('rejected', 'instruction_terms', 'The instalment is not what the owner instructed.'),
  account_frozen: () => new Refusal('forbidden', 'account_frozen', 'The account is frozen by an order.'),
  freeze_unknown: () => new Refusal('conflict', 'freeze_unknown', 'That much is not frozen on this account.'),
  account_not_linked: () =>
    new Refusal('rejected', 'account_not_linked', 'The owner has not named that account as the one linked.'),
  account_not_issuance: () =>
    new Refusal('rejected', 'account_not_issuance', 'Money comes into being, and ends, on an issuance account only.'),
  account_not_empty: () =>
    new Refusal('conflict', 'account_not_empty', 'An account is closed when nothing is on it, reserved or frozen.'),
  interest_already: () =>
    new Refusal('conflict', 'interest_already', 'Interest of that day has been computed for this account.'),
  sum_too_large: () =>
    new Refusal('rejected', 'sum_too_large', 'What an account adds up to stays below 9223372036854775808 minor units.'),
  funds_insufficient: () =>
    new Refusal('rejected', 'funds_insufficient', 'The account does not have that much to spend.'),
  payee_cannot_receive: () =>
    new Refusal('rejected', 'payee_cannot_receive', 'The payee cannot receive this payment; ask them for another way.'),
}

export const payeeCannotReceive = (): Refusal => invalid.payee_cannot_receive()
export const invalidEntry = (why: Invalidity): Refusal => invalid[why]()

const stopped: Record<Stop, () => Refusal> = {
  kyc_not_in_force: () =>
    new Refusal('forbidden', 'kyc_not_in_force', 'The KYC attestation behind the account is not in force; renew it.'),
  limit_per_payment: () =>
    new Refusal('rejected', 'limit_per_payment', 'The amount is above what your KYC level allows for one payment.'),
  limit_per_day: () =>
    new Refusal(
      'rejected',
      'limit_per_day',
      'With this payment you would pay more in a day than your KYC level allows.',
    ),
}

export const stoppedByPolicy = (why: Stop): Refusal => stopped[why]()
export const stoppedByRule = (): Refusal =>
  new Refusal(
    'forbidden',
    'payment_stopped',
    'The payment was stopped for review; ask the institution that serves you.',
  )
export const recordMalformed = (): Refusal =>
  new Refusal(
    'malformed',
    'record_malformed',
    'These bytes are no record that a customer hands in; see the closed table.',
  )
export const transferIdTaken = (): Refusal =>
  new Refusal(
    'conflict',
    'transfer_id_taken',
    'Another entry bears that id; an id stays with what it was first given to.',
  )
export const transferIdNotCurrent = (): Refusal =>
  new Refusal('rejected', 'transfer_id_not_current', 'An id is a UUIDv7 (RFC 9562) made within the last day.')
export const chainBroken = (): Refusal =>
  new Refusal('rejected', 'chain_broken', 'Another link of this chain was refused, so none of it was done.')
export const currencyUnknown = (): Refusal =>
  new Refusal('not_found', 'currency_unknown', 'The ledger keeps no such currency.')
export const policyMissing = (): Refusal =>
  new Refusal('unavailable', 'policy_missing', 'No policy of this currency is in force yet.')
export const ledgerBusy = (): Refusal =>
  new Refusal('unavailable', 'ledger_busy', 'Too many entries are waiting; try again later.')
export const accountNotYours = (): Refusal =>
  new Refusal('forbidden', 'account_not_yours', 'The account is not one of the caller’s own.')
export const pseudonymMissing = (domain: string): Refusal =>
  new Refusal(
    'forbidden',
    'pseudonym_missing',
    `Present a KYC attestation that discloses your pseudonym in the domain ${domain}.`,
  )
export const accountIdTaken = (): Refusal =>
  new Refusal('conflict', 'account_id_taken', 'Another account bears that id.')
export const participantUnknown = (): Refusal =>
  new Refusal('forbidden', 'participant_unknown', 'Only an institution admitted to the ledger may do this.')
export const servicerDiffers = (): Refusal =>
  new Refusal('forbidden', 'servicer_differs', 'The payer is served by another institution.')

// Orders, issuance and policy.
export const currencyTaken = (): Refusal =>
  new Refusal('conflict', 'currency_taken', 'A currency of that number or code is open already.')
export const policyInvalid = (why: string): Refusal =>
  new Refusal('rejected', 'policy_invalid', `The policy contradicts itself: ${why}.`)
export const policyInPast = (): Refusal =>
  new Refusal(
    'rejected',
    'policy_in_past',
    'A policy is valid from a time to come; name one that is later than the approval of the second officer.',
  )
export const issuanceOnChain = (): Refusal =>
  new Refusal('rejected', 'issuance_on_chain', 'The currency is at home on the chain; it is issued and redeemed there.')
export const participantAdmitted = (): Refusal =>
  new Refusal('conflict', 'participant_admitted', 'The institution is admitted to this currency already.')
export const participantMissing = (): Refusal =>
  new Refusal('not_found', 'participant_missing', 'No institution of that DID is admitted to this currency.')
export const issuanceLimit = (): Refusal =>
  new Refusal(
    'rejected',
    'issuance_limit',
    'With this issue more would stand issued to the institution than its limit allows.',
  )
export const redemptionUnknown = (): Refusal =>
  new Refusal('not_found', 'redemption_unknown', 'There is no request for redemption with that id.')
export const redemptionEnded = (): Refusal =>
  new Refusal('conflict', 'redemption_ended', 'The request was executed, refused or withdrawn already.')
export const redemptionTaken = (): Refusal =>
  new Refusal('conflict', 'redemption_taken', 'A request for redemption bears that reference already.')
export const accountOfCurrency = (): Refusal =>
  new Refusal(
    'rejected',
    'account_of_currency',
    'The account is one of the currency’s own; orders are about accounts of customers and institutions.',
  )
export const orderExecuted = (): Refusal =>
  new Refusal('conflict', 'order_executed', 'An order of that authority with that reference was executed already.')
export const freezeNotStanding = (): Refusal =>
  new Refusal('not_found', 'freeze_not_standing', 'No freeze under that order stands on this account (any more).')
export const treasuryMissing = (): Refusal =>
  new Refusal('unavailable', 'treasury_missing', 'The currency has no treasury account; name the account to receive.')
export const keyOrderUnknown = (): Refusal =>
  new Refusal('not_found', 'key_order_unknown', 'There is no order for another key with that id.')
export const keyOrderWaiting = (): Refusal =>
  new Refusal('conflict', 'key_order_waiting', 'An order for another key of this account is waiting already.')
export const keyOrderEarly = (dueAt: string): Refusal =>
  new Refusal('rejected', 'key_order_early', 'The owner may still object; execute the order when it is due.', {
    facts: { dueAt },
  })
export const keyOrderEnded = (state: string): Refusal =>
  new Refusal('conflict', 'key_order_ended', 'The order for another key does not wait any more.', { facts: { state } })
export const keySame = (): Refusal =>
  new Refusal('rejected', 'key_same', 'The account has that key already; name another.')
export const objectionInvalid = (): Refusal =>
  new Refusal(
    'forbidden',
    'objection_invalid',
    'An objection is signed with the key that the account has now, over the account and the order, for this ledger.',
  )
export const attestationNotInForce = (): Refusal =>
  new Refusal(
    'rejected',
    'attestation_not_in_force',
    'The attestation named is not in force; issue it, and name its place in your status lists.',
  )
export const interestNotStated = (): Refusal =>
  new Refusal('rejected', 'interest_not_stated', 'No policy of the currency stated interest for that day.')
export const interestDayOpen = (): Refusal =>
  new Refusal('rejected', 'interest_day_open', 'Interest is computed for a day (UTC) when it has ended.')
export const interestDayDone = (): Refusal =>
  new Refusal('conflict', 'interest_day_done', 'Interest of a later day was computed already; that day is closed.')
export const interestDayGap = (next: string): Refusal =>
  new Refusal('conflict', 'interest_day_gap', 'Days follow one another; compute interest of the one before first.', {
    facts: { next },
  })
export const railUnavailable = (): Refusal =>
  new Refusal('unavailable', 'rail_unavailable', 'This ledger has no way to the chain.')
export const moveUnknown = (): Refusal =>
  new Refusal('not_found', 'move_unknown', 'No move between the rails bears that id.')
export const moveState = (state: string): Refusal =>
  new Refusal('conflict', 'move_state', `This cannot be decided about a move that is ${state}.`)
export const moveWalletMissing = (): Refusal =>
  new Refusal('malformed', 'move_wallet_missing', 'Name the wallet that the money shall go to.')

// Reading, receipts, lawful access.
export const momentMalformed = (): Refusal =>
  new Refusal('malformed', 'moment_malformed', 'A time is ISO 8601 with its offset, such as 2026-06-01T12:00:00Z.')
export const momentNotCome = (): Refusal =>
  new Refusal('rejected', 'moment_not_come', 'That time has not come yet; ask about a past one.')
export const accountNotYet = (): Refusal =>
  new Refusal('not_found', 'account_not_yet', 'The account was opened later than that.')
export const balanceUndated = (): Refusal =>
  new Refusal(
    'rejected',
    'balance_undated',
    'Fees come in with batches and not with entries of their own, so this account has no dated balance.',
  )
export const transferNotYours = (): Refusal =>
  new Refusal('not_found', 'transfer_not_yours', 'No transfer of that id concerns an account that you may see.')
export const reservationNotYours = (): Refusal =>
  new Refusal('not_found', 'reservation_not_yours', 'No reservation of that number concerns an account you may see.')
export const batchUnknown = (): Refusal =>
  new Refusal('not_found', 'batch_unknown', 'The ledger has no batch of that number yet.')
export const receiptsUnavailable = (): Refusal =>
  new Refusal('unavailable', 'receipts_unavailable', 'This ledger has no key to sign receipts with.')
export const periodInvalid = (): Refusal =>
  new Refusal('malformed', 'period_invalid', 'A period begins before it ends.')
export const orderLedger = (): Refusal =>
  new Refusal('forbidden', 'order_ledger', 'The order is for an account of another ledger.')
export const orderAccount = (): Refusal =>
  new Refusal('forbidden', 'order_account', 'The order is for another account; it discloses that one alone.')
export const orderPeriod = (): Refusal =>
  new Refusal('forbidden', 'order_period', 'The order does not cover that period; ask for one within it.')
export const arbiterUnknown = (): Refusal =>
  new Refusal('forbidden', 'arbiter_unknown', 'The institution has no account here to decide on reservations with.')
export const reservationNotDecided = (): Refusal =>
  new Refusal(
    'forbidden',
    'reservation_not_decided',
    'No reservation of that number waits for this institution’s word.',
  )

// Settlement between institutions.
export const queueOrder = (): Refusal =>
  new Refusal(
    'conflict',
    'queue_order',
    'Payments of one account settle in the order of their nonces; sign those that shall wait behind with later nonces.',
  )
export const queueFull = (): Refusal =>
  new Refusal('rejected', 'queue_full', 'Too many payments wait on this account; cancel some or bring funds.')
export const queueValidity = (): Refusal =>
  new Refusal('rejected', 'queue_validity', 'A payment that may wait is valid for at most a day after its id was made.')
export const queuedTerms = (): Refusal =>
  new Refusal('conflict', 'queued_terms', 'What is signed anew pays the same amount to the same account.')
export const queuedUnknown = (): Refusal =>
  new Refusal('not_found', 'queued_unknown', 'No payment of yours with that id waits (any more).')
export const clearingUnavailable = (): Refusal =>
  new Refusal('unavailable', 'clearing_unavailable', 'This ledger has no key to settle netting windows with.')
export const nettingUnknown = (): Refusal =>
  new Refusal('not_found', 'netting_unknown', 'There is no netting window with that id.')
export const nettingStanding = (window: string): Refusal =>
  new Refusal('conflict', 'netting_standing', 'A netting window of this currency has not been resolved yet.', {
    facts: { window },
  })
export const nettingClosing = (): Refusal =>
  new Refusal('rejected', 'netting_closing', 'A netting window closes in the future, within a day.')
export const nettingClosed = (): Refusal =>
  new Refusal('conflict', 'netting_closed', 'The netting window is closed; nothing comes in any more.')
export const nettingOpen = (closesAt: string): Refusal =>
  new Refusal('rejected', 'netting_open', 'The netting window is open still; resolve it when it has closed.', {
    facts: { closesAt },
  })
export const nettingResolved = (): Refusal =>
  new Refusal('conflict', 'netting_resolved', 'The netting window was resolved already.')
export const nettingJoined = (): Refusal =>
  new Refusal('conflict', 'netting_joined', 'The institution takes part in this netting window already.')
export const nettingNotJoined = (): Refusal =>
  new Refusal('forbidden', 'netting_not_joined', 'Join the netting window first, with the funds that may be owed.')
export const nettingFunds = (): Refusal =>
  new Refusal(
    'rejected',
    'netting_funds',
    'Funds are a reservation to the window’s clearing account, without lock and arbiter, that outlasts the resolution.',
  )
export const nettingCap = (): Refusal =>
  new Refusal('rejected', 'netting_cap', 'What may be owed is at most what is reserved for it.')
export const nettingFull = (): Refusal =>
  new Refusal('rejected', 'netting_full', 'The netting window holds as many obligations as it can resolve.')
export const obligationTaken = (): Refusal =>
  new Refusal('conflict', 'obligation_taken', 'Another obligation bears that id.')
export const moveOpen = (): Refusal =>
  new Refusal('conflict', 'move_open', 'Money of this account is still on its way between the rails; wait for its end.')

// Standing instructions.
export const instructionsTooMany = (): Refusal =>
  new Refusal('rejected', 'instructions_too_many', 'So many instructions stand for the account; revoke some first.')

/** Of a currency that stands on the chain as well. */
export const currencyDiffersOnChain = (home: 'ledger' | 'chain', decimals: number): Refusal =>
  new Refusal(
    'rejected',
    'currency_differs_on_chain',
    'The currency stands on the chain with another home or other decimals; open it as it is there.',
    { facts: { home, decimals } },
  )
