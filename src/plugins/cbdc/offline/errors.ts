import { Refusal } from '../../../kernel/refusal.ts'

/** Paying offline. */

export const purseExpected = (): Refusal =>
  new Refusal('rejected', 'purse_expected', 'Only a purse pays offline; open an account of that class.')
export const purseOffline = (until: string): Refusal =>
  new Refusal(
    'conflict',
    'purse_offline',
    'The purse pays by vouchers alone until none of its certificate can be valid any more; then try again.',
    { facts: { until } },
  )
export const offlineNotPermitted = (): Refusal =>
  new Refusal('rejected', 'offline_not_permitted', 'The policy of the currency does not let purses pay offline.')
export const certificatesUnavailable = (): Refusal =>
  new Refusal('unavailable', 'certificates_unavailable', 'This ledger has no key to sign purse certificates with.')
export const purseNotOffline = (): Refusal =>
  new Refusal('not_found', 'purse_not_offline', 'The account has never paid offline.')
export const voucherNotYours = (): Refusal =>
  new Refusal(
    'forbidden',
    'voucher_not_yours',
    'Vouchers are handed in by one of their payees, by the purse’s owner, or by an institution that serves one of them.',
  )
export const voucherNotCertified = (): Refusal =>
  new Refusal(
    'rejected',
    'voucher_not_certified',
    'No certificate of this ledger covers the voucher: account, currency, nonce and validity are the certificate’s, and it bears no fee.',
  )
export const voucherDoubleSpent = (): Refusal =>
  new Refusal(
    'conflict',
    'voucher_double_spent',
    'The purse signed another voucher of the same nonce, which came first; claim with the evidence given here.',
  )
export const voucherUncovered = (): Refusal =>
  new Refusal(
    'rejected',
    'voucher_uncovered',
    'With this voucher more would be paid than the certificate covers; claim with the evidence given here.',
  )
export const voucherLapsed = (): Refusal =>
  new Refusal('rejected', 'voucher_lapsed', 'Vouchers of that certificate are not entered any more.')
export const voucherPassed = (): Refusal =>
  new Refusal(
    'rejected',
    'voucher_passed',
    'The payee could not receive, and later vouchers were entered; the money stayed with the purse.',
  )
