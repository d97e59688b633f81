import { digestOf } from '../../../../kernel/canonical.ts'
import { disclose } from '../../../../kernel/disclose.ts'
import { admit, holderOf } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { assertBodySigned } from '../../../../kernel/signed-body.ts'
import { accountNotYours, invalidEntry, keyOrderWaiting, stoppedByPolicy } from '../../errors.ts'
import type { LedgerAccount } from '../../ledger/facts.ts'
import { type OfflineTerms, payableToday, spend } from '../../ledger/limits.ts'
import { availableOf } from '../../ledger/state.ts'
import { certificateType } from '../../ledger/voucher.ts'
import {
  certificatesUnavailable,
  offlineNotPermitted,
  purseExpected,
  purseNotOffline,
  purseOffline,
} from '../../offline/errors.ts'
import { offlineRequires } from '../../offline/policy.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { accountParam } from '../orders/order.ts'
import { assertOwner } from '../owner.ts'
import { readerOf, seenAccount } from '../reads/who.ts'
import {
  type Certificate,
  isInForce,
  lastCertificate,
  loadPurses,
  offlineUntil,
  setStanding,
  statedOf,
  writeCertificate,
} from './purses.ts'

/** A purse goes offline, and how it stands. */

type GoBody = {
  /** A shorter time, and a lower cap, than policy grants: until it is over the purse pays by vouchers alone. */
  seconds?: number
  capMinor?: string
}

const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString()
const least = (first: bigint, ...others: readonly bigint[]): bigint =>
  others.reduce((found, other) => {
    if (other < found) return other
    return found
  }, first)

/** Who has a lost key, and the device with it, would put off the order for another one again and again. */
const assertKeyStands = async ({ tx }: Held, account: number): Promise<void> => {
  const sql = `SELECT id FROM cbdc_key_orders WHERE account = ? AND state = 'waiting'`
  if ((await tx.query(sql, [account])).length > 0) throw keyOrderWaiting()
}

/**
 * @throws Refusal account_not_yours, purse_expected, account_closed, account_frozen, kyc_not_in_force, purse_offline,
 *   key_order_waiting
 */
const ownPurse = async (desk: Desk, held: Held, context: Context, number: number): Promise<LedgerAccount> => {
  const { book, tx, currencies } = held
  await book.load([number])
  const account = book.state.account(number)
  if (account === undefined) throw accountNotYours()
  await assertOwner(tx.query, holderOf(context.caller), currencies.of(account.currency), [account])
  if (account.class !== 'purse') throw purseExpected()
  if (account.closed) throw invalidEntry('account_closed')
  if (account.holds > 0) throw invalidEntry('account_frozen')
  if (account.kyc === null || !desk.kycInForce(account.kyc)) throw stoppedByPolicy('kyc_not_in_force')
  await loadPurses(held, desk.house.store.dialect, [number])
  const until = offlineUntil(book, number)
  if (until !== undefined) throw purseOffline(new Date(until).toISOString())
  await assertKeyStands(held, number)
  return account
}

/** The owner's own limits bound what vouchers may come to, since none is refused for them later. @throws Refusal limit_per_day */
const withinLimits = ({ book, currencies }: Held, payer: LedgerAccount): bigint => {
  const lead = book.state.account(payer.lead)
  if (lead === undefined) throw new Error(`the lead account ${payer.lead} was not loaded`)
  const payable = payableToday(currencies.of(payer.currency).policy, { payer, lead }, book.at)
  if (payable === 0n) throw stoppedByPolicy('limit_per_day')
  return payable ?? availableOf(payer)
}

/** A certificate counts as paid today, whatever will be paid under it; and its owner is one who uses the purse. */
const count = ({ book }: Held, { number, lead }: LedgerAccount, { cap }: Certificate): void => {
  book.alter(number, { lastActive: book.at })
  const leading = book.state.account(lead)
  if (leading !== undefined) book.alter(lead, spend(leading, cap, book.at))
}

/** No two certificates of a purse end at the same second: by it a voucher names its certificate. */
const freeSecond = async ({ tx }: Held, account: number, from: number): Promise<number> => {
  const sql = 'SELECT valid_until FROM cbdc_purse_certificates WHERE account = ? AND valid_until >= ?'
  const taken = new Set((await tx.query<{ valid_until: number }>(sql, [account, from])).map(row => row.valid_until))
  let second = from
  while (taken.has(second)) second += 1
  return second
}

const certify = async (
  desk: Desk,
  held: Held,
  account: LedgerAccount,
  { offline, body }: { offline: OfflineTerms; body: GoBody },
): Promise<Certificate> => {
  const asks = BigInt(body.capMinor ?? offline.capMinor)
  const cap = least(availableOf(account), offline.capMinor, asks, withinLimits(held, account))
  if (cap === 0n) throw invalidEntry('funds_insufficient')
  const issuedAt = Math.floor(held.book.at / 1_000)
  const asked = issuedAt + Math.min(offline.certificateSeconds, body.seconds ?? offline.certificateSeconds)
  const validUntil = await freeSecond(held, account.number, asked + offline.graceSeconds)
  return {
    ...{ id: desk.newId(), account: account.number, currency: account.currency, nonce: account.nonce },
    ...{ most: offline.vouchersMost, cap, spent: 0n, used: 0, issuedAt },
    ...{ expires: validUntil - offline.graceSeconds, validUntil, key: account.key },
  }
}

const view = (certificate: Certificate) => ({
  ...{ account: certificate.account, certificateId: certificate.id, capMinor: String(certificate.cap) },
  ...{ nonce: certificate.nonce, vouchersMost: certificate.most },
  ...{ expires: iso(certificate.expires), validUntil: iso(certificate.validUntil) },
})

/**
 * Gives a purse its certificate: from now on it pays by vouchers alone, up to a cap that is what it can spend now, and no more than
 * policy lets a purse have and lets its owner pay today: it counts with what they pay on that day. The answer given again is a certificate with the same content.
 * @throws Refusal account_not_yours, purse_expected, purse_offline, key_order_waiting, offline_not_permitted,
 *   limit_per_day, funds_insufficient, certificates_unavailable, and why the account may not pay
 */
export const goOffline = async (desk: Desk, context: Context): Promise<Answer> => {
  admit(context.caller, offlineRequires.owner)
  assertBodySigned(context.caller, context.body)
  const { signStatement } = desk
  if (signStatement === undefined) throw certificatesUnavailable()
  const number = accountParam(context)
  const body = context.body as GoBody
  const given = await desk.ledger.execute({
    ...{ operation: 'goOffline', requires: offlineRequires.owner, caller: context.caller },
    input: { account: number, body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      const { book, tx, currencies, record } = held
      const account = await ownPurse(desk, held, context, number)
      const { offline } = currencies.of(account.currency).policy
      if (!offline) throw offlineNotPermitted()
      const certificate = await certify(desk, held, account, { offline, body })
      await writeCertificate(tx, certificate)
      setStanding(book, certificate)
      count(held, account, certificate)
      const stated = statedOf(desk, certificate)
      record.effect(digestOf(stated))
      return { stated, view: view(certificate) }
    },
  })
  // Signed once the ledger is free again.
  const certificate = await signStatement(given.stated, certificateType)
  return { status: 201, body: { ...given.view, certificate } }
}

type WaitingRow = { waiting: number | string }

/**
 * How a purse stands: what of its last certificate was entered, and until when it pays by vouchers alone.
 * @throws Refusal account_not_yours, purse_not_offline
 */
export const getPurse = async (desk: Desk, context: Context): Promise<Answer> => {
  const reader = readerOf(desk, context)
  const number = accountParam(context)
  const { house, signStatement } = desk
  const body = await disclose(house, {
    ...{ operation: 'getPurse', requires: reader.requires, caller: reader.caller, input: { account: number } },
    async read() {
      await seenAccount(desk, reader, number)
      const certificate = await lastCertificate(house.store.read, number)
      if (certificate === undefined) throw purseNotOffline()
      const waits = `SELECT count(*) AS waiting FROM cbdc_vouchers WHERE certificate = ? AND state = 'waiting'`
      const [row] = await house.store.read<WaitingRow>(waits, [certificate.id])
      const offline = isInForce(certificate, house.clock.now())
      const signed = offline && signStatement !== undefined
      return {
        ...{ ...view(certificate), offline, spentMinor: String(certificate.spent), used: certificate.used },
        waiting: Number(row?.waiting ?? 0),
        ...(signed && { certificate: await signStatement(statedOf(desk, certificate), certificateType) }),
      }
    },
  })
  return { status: 200, body }
}
