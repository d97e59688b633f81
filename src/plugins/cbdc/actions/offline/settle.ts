import type { EntryOf } from '../../../../kernel/ledger-entry.ts'
import type { Row, Tx } from '../../../../kernel/ports.ts'
import { invalidEntry } from '../../errors.ts'
import { closedToPayments } from '../../ledger/facts.ts'
import { decodeVoucher, fieldsOf, type Voucher, voucherFault } from '../../ledger/voucher.ts'
import { voucherDoubleSpent, voucherLapsed, voucherNotCertified, voucherUncovered } from '../../offline/errors.ts'
import { orderOf } from '../accounts.ts'
import type { BookItem, Written } from '../book.ts'
import type { Desk } from '../desk.ts'
import { enterChain, type Held, prefetch } from '../enter.ts'
import type { HandedVoucher } from './handed.ts'
import { type Misuse, recordMisuse, standingFreeze } from './misuse.ts'
import { type Certificate, isInForce, readCertificate, setStanding, termsOf } from './purses.ts'

/**
 * Vouchers of one certificate are entered in the order of their nonces. The first that came in of a nonce counts; it waits for
 * those before it, for a payee or a purse that an order holds, or for funds that an order took.
 */

export type Stored = {
  certificate: string
  voucher: Voucher
  raw: Buffer
  /** `overspent`: it was taken out again. */
  state: 'waiting' | 'entered' | 'passed' | 'overspent'
  /** Why it waits although its turn has come: the code of a refusal. */
  reason: string | null
  id: string | null
  entry: number | null
}

/** The vouchers of a certificate while the ledger is held. */
export type Purse = { certificate: Certificate; vouchers: Map<number, Stored> }

const storedOf = (row: Row): Stored => {
  const raw = Buffer.from(row['raw'] as Uint8Array)
  const voucher = decodeVoucher(raw)
  if (voucher === undefined) throw new Error('what was stored as a voucher is none')
  return {
    ...{ certificate: row['certificate'] as string, voucher, raw, state: row['state'] as Stored['state'] },
    ...{ reason: row['reason'] as string | null, id: row['entry_id'] as string | null },
    entry: row['entry'] as number | null,
  }
}

const loadVouchers = async ({ tx }: Pick<Held, 'tx'>, certificate: string): Promise<Map<number, Stored>> => {
  const sql = 'SELECT certificate, raw, state, reason, entry_id, entry FROM cbdc_vouchers WHERE certificate = ?'
  const rows = (await tx.query(sql, [certificate])).map(storedOf)
  return new Map(rows.map(stored => [stored.voucher.nonce, stored]))
}

/** As both stand now. */
export const openPurse = async (held: Held, id: string): Promise<Purse> => ({
  certificate: await readCertificate(held.tx.query, id),
  vouchers: await loadVouchers(held, id),
})

const insertVoucher = (tx: Tx, at: number, { certificate, voucher, raw }: Stored): Promise<unknown> =>
  tx.query(
    `INSERT INTO cbdc_vouchers (certificate, nonce, payee, amount, raw, state, reason, entry_id, entry, since)
     VALUES (?, ?, ?, ?, ?, 'waiting', NULL, NULL, NULL, ?)`,
    [certificate, voucher.nonce, voucher.to, String(voucher.amount), raw, at],
  )

const writeState = async (tx: Tx, { certificate, voucher, state, reason, id, entry }: Stored): Promise<void> => {
  await tx.query(
    'UPDATE cbdc_vouchers SET state = ?, reason = ?, entry_id = ?, entry = ? WHERE certificate = ? AND nonce = ?',
    [state, reason, id, entry, certificate, voucher.nonce],
  )
}

const writeUse = async (tx: Tx, { id, spent, used }: Certificate): Promise<void> => {
  await tx.query('UPDATE cbdc_purse_certificates SET spent = ?, used = ? WHERE id = ?', [String(spent), used, id])
}

const exceeds = ({ spent, cap }: Certificate, { amount }: Voucher): boolean => spent + amount > cap
const isLapsed = ({ validUntil }: Certificate, at: number): boolean => at >= validUntil * 1_000

/** A voucher that is taken in stands at its nonce; what is refused says why, with what proves it. */
export type Intake = { stored: Stored } | { misuse: Misuse } | { refusal: ReturnType<typeof voucherLapsed> }

/** What becomes of a voucher before its turn. Misuse comes first: it is misuse also when it is found late. */
export const takeIn = async (held: Held, purse: Purse, handed: HandedVoucher): Promise<Intake> => {
  const { raw, voucher, isSigned } = handed
  const { certificate, vouchers } = purse
  if (!isSigned) return { refusal: invalidEntry('signature_invalid') }
  if (voucherFault(termsOf(certificate), voucher) !== undefined) return { refusal: voucherNotCertified() }
  const first = vouchers.get(voucher.nonce)
  if (first !== undefined && fieldsOf(first.raw).equals(fieldsOf(raw))) return { stored: first }
  const misuse = { certificate, record: raw }
  if (first !== undefined) return { misuse: { ...misuse, kind: 'double_spent', against: first.raw } }
  if (exceeds(certificate, voucher)) return { misuse: { ...misuse, kind: 'overspent', against: null } }
  if (isLapsed(certificate, held.book.at)) return { refusal: voucherLapsed() }
  const waits = { state: 'waiting' as const, reason: null, id: null, entry: null }
  const stored: Stored = { certificate: certificate.id, voucher, raw, ...waits }
  vouchers.set(voucher.nonce, stored)
  await insertVoucher(held.tx, held.book.at, stored)
  return { stored }
}

export const refusalOf = ({ kind }: Pick<Misuse, 'kind'>) =>
  kind === 'double_spent' ? voucherDoubleSpent() : voucherUncovered()

type Turn = { stored: Stored; item: BookItem }

const itemOf = (desk: Desk, { voucher, raw }: Stored, { key }: Certificate): BookItem => ({
  ...{ entry: voucher, signer: key, raw, id: desk.newId(), basis: 'voucher' },
})

/**
 * Past the freeze that misuse put on the purse, and past no other: whoever has the only voucher of a nonce did not cheat, and what
 * is left under the cap was promised to them before.
 */
const throughFreeze = (held: Held, account: number, item: BookItem): BookItem[] => {
  const freeze = { account, amount: 0n, order: orderOf(held.record.id) }
  return [
    { entry: { kind: 'unfreeze', ...freeze }, signer: undefined },
    item,
    { entry: { kind: 'freeze', ...freeze }, signer: undefined },
  ]
}

/** What judging it reads was read before. @returns why not, by its code. */
const enterVoucher = async (
  desk: Desk,
  held: Held,
  { certificate }: Purse,
  { stored, item }: Turn,
): Promise<{ written: Written } | { reason: string }> => {
  const { book, tx } = held
  const { account } = certificate
  const [payer, payee] = [book.state.account(account), book.state.account(stored.voucher.to)]
  // Before the certificate has ended nothing comes back to the owner: others may have been promised it.
  if (payer === undefined || payer.lead === payee?.lead) return { reason: 'payee_cannot_receive' }
  const isOurs = payer.holds === 1 && (await standingFreeze(tx.query, account)) !== undefined
  const chain = isOurs ? throughFreeze(held, account, item) : [item]
  const outcomes = enterChain(desk, held, chain)
  const outcome = outcomes[chain.indexOf(item)]
  if (outcome !== undefined && 'written' in outcome) return { written: outcome.written }
  return { reason: outcome?.refusal.code ?? 'payee_cannot_receive' }
}

/** By the ledger's order the nonce of a voucher that its payee cannot receive is gone, and the purse keeps its money. */
const passOver = (desk: Desk, held: Held, { account, key }: Certificate): boolean => {
  const order = orderOf(held.record.id)
  const entry: EntryOf<'keyOrder'> = { kind: 'keyOrder', account, ...key, order }
  const [outcome] = enterChain(desk, held, [{ entry, signer: undefined }])
  return outcome !== undefined && 'written' in outcome
}

const inState = ({ vouchers }: Purse, sought: Stored['state']): Stored[] =>
  [...vouchers.values()].filter(({ state }) => state === sought).sort((a, b) => a.voucher.nonce - b.voucher.nonce)

const waitingOf = (purse: Purse): Stored[] => inState(purse, 'waiting')

/** Records that were entered under other nonces. */
export const enteredBeside = (purse: Purse, nonce: number): Buffer[] =>
  inState(purse, 'entered').flatMap(({ voucher, raw }) => (voucher.nonce === nonce ? [] : [raw]))

/** Seconds: half of the grace. From then on those behind a payee who cannot receive do not wait for them any more. */
export const patientUntil = ({ expires, validUntil }: Pick<Certificate, 'expires' | 'validUntil'>): number =>
  (expires + validUntil) / 2

/** A payee who is frozen, or whose attestation ended, may soon receive: what is signed afterwards must not take it from them. */
const mayYetReceive = ({ book }: Held, certificate: Certificate, { voucher }: Stored): boolean => {
  const [payer, payee] = [book.state.account(certificate.account), book.state.account(voucher.to)]
  if (payee === undefined || payee.closed || payee.currency !== certificate.currency) return false
  if (closedToPayments.has(payee.class) || payee.class === 'purpose' || payee.lead === payer?.lead) return false
  return book.at < patientUntil(certificate) * 1_000
}

/** One voucher whose turn has come. @returns whether the next one's has. */
const settleOne = async (desk: Desk, held: Held, purse: Purse, turn: Turn): Promise<boolean> => {
  const { certificate } = purse
  const { stored } = turn
  const entered = await enterVoucher(desk, held, purse, turn)
  if ('written' in entered) {
    Object.assign(stored, { state: 'entered', reason: null, id: entered.written.id, entry: entered.written.number })
    Object.assign(certificate, { spent: certificate.spent + stored.voucher.amount, used: certificate.used + 1 })
  } else {
    stored.reason = entered.reason
    // One payee who cannot receive does not keep those behind from being paid.
    const inTheWay = waitingOf(purse).length > 1 && !mayYetReceive(held, certificate, stored)
    if (entered.reason === 'payee_cannot_receive' && inTheWay && passOver(desk, held, certificate)) {
      stored.state = 'passed'
      certificate.used += 1
    }
  }
  await writeState(held.tx, stored)
  if (stored.state !== 'waiting') await writeUse(held.tx, certificate)
  return stored.state !== 'waiting'
}

/** What waits and can never be covered any more. */
const takeOutOverspent = async (desk: Desk, held: Held, purse: Purse): Promise<void> => {
  const { certificate, vouchers } = purse
  for (const stored of waitingOf(purse)) {
    if (!exceeds(certificate, stored.voucher)) continue
    stored.state = 'overspent'
    vouchers.delete(stored.voucher.nonce)
    const sql = 'DELETE FROM cbdc_vouchers WHERE certificate = ? AND nonce = ?'
    await held.tx.query(sql, [certificate.id, stored.voucher.nonce])
    await recordMisuse(desk, held, { kind: 'overspent', certificate, record: stored.raw, against: null })
  }
}

/** Enters what has its turn, until one has to wait. */
export const settle = async (desk: Desk, held: Held, purse: Purse): Promise<void> => {
  const { certificate } = purse
  const { book } = held
  await book.load([certificate.account])
  const turns = new Map(
    waitingOf(purse).map(stored => [stored.voucher.nonce, { stored, item: itemOf(desk, stored, certificate) }]),
  )
  await prefetch(
    desk,
    held,
    [...turns.values()].map(({ item }) => item),
  )
  while (isInForce(certificate, book.at)) {
    await takeOutOverspent(desk, held, purse)
    const turn = turns.get(book.state.account(certificate.account)?.nonce ?? 0)
    if (turn?.stored.state !== 'waiting' || !(await settleOne(desk, held, purse, turn))) break
  }
  await takeOutOverspent(desk, held, purse)
  setStanding(book, certificate)
}
