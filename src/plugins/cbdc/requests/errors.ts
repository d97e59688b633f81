import { Refusal } from '../../../kernel/refusal.ts'

/** Why requests to pay, and refunds, are refused. */

export const requestUnknown = (): Refusal =>
  new Refusal('not_found', 'request_unknown', 'No request to pay of that id is yours to see or to answer.')
export const requestIdTaken = (): Refusal =>
  new Refusal('conflict', 'request_id_taken', 'Another request to pay bears that id; make a fresh one.')
export const requestExpiry = (): Refusal =>
  new Refusal('rejected', 'request_expiry', 'A request to pay expires in the future, within 90 days.')
export const requestsTooMany = (): Refusal =>
  new Refusal(
    'too_many',
    'requests_too_many',
    'Too many requests of yours are open, in all or to this account; withdraw some or wait for their answers.',
  )
export const requestNotOpen = (): Refusal =>
  new Refusal(
    'conflict',
    'request_not_open',
    'The request to pay was paid, declined or withdrawn, or has expired; read it again.',
  )
export const requestUndirected = (): Refusal =>
  new Refusal('rejected', 'request_undirected', 'The request asks nobody in particular; leave it unpaid.')
export const requestLegsMismatch = (): Refusal =>
  new Refusal(
    'rejected',
    'request_legs_mismatch',
    'The records are not the legs of the request, each once, from one account and nothing besides; read it and sign those.',
  )
export const shareAccountTwice = (): Refusal =>
  new Refusal(
    'rejected',
    'share_account_twice',
    'Each account has one share at most, and the payee none: they get the rest.',
  )
export const sharesExceedAmount = (): Refusal =>
  new Refusal(
    'rejected',
    'shares_exceed_amount',
    'The shares, each rounded half up to the minor unit, come to more than the amount; make them smaller.',
  )
export const refundNotTransfer = (): Refusal =>
  new Refusal('rejected', 'refund_not_transfer', 'A refund is a transfer without a fee.')
export const refundUnknown = (): Refusal =>
  new Refusal(
    'not_found',
    'refund_unknown',
    'The payer of this transfer was not paid by its payee with an entry of that number.',
  )
export const refundOfRefund = (): Refusal =>
  new Refusal('rejected', 'refund_of_refund', 'What is given back is no payment; pay by a transfer of its own.')
export const refundExceeds = (): Refusal =>
  new Refusal('rejected', 'refund_exceeds', 'With this refund more would be given back than was paid.')
