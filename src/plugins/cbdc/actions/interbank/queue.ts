import { decodeEntry, type EntryOf, type OwnerKey } from '../../../../kernel/ledger-entry.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { isRefusal, type Refusal } from '../../../../kernel/refusal.ts'
import { invalidEntry } from '../../errors.ts'
import { settledMost } from '../../policy.ts'
import type { BookItem } from '../book.ts'
import type { Desk } from '../desk.ts'
import { enterOne, type Held, prefetch } from '../enter.ts'
import { type Ask, inNumbers } from '../rows.ts'

/**
 * Payments between institutions that wait for funds.
 *
 * A payment that waits is a transfer as its payer signed it, with the nonce that it has among the payer's. So of one
 * account only the payment whose nonce is next can settle: no payment passes another of the same account, and neither
 * the ledger nor anybody else can settle them in another order than the payer signed. Within an account priorities
 * never rise along the nonces; whoever wants a payment before others signs those anew with later nonces. Payments of
 * different accounts do not compete for funds, so which of them is tried first changes nothing of what settles: more
 * funds never make a payment fail.
 *
 * A payer that uses a nonce otherwise makes the waiting payment of that nonce impossible, which ends it. One that is
 * cancelled leaves its nonce free; what is behind waits until the payer has used it. Nothing is reserved while a
 * payment waits.
 */

export type PaymentState = 'queued' | 'settled' | 'cancelled' | 'ended'

/** Amounts in minor units; `validUntil` in seconds, other times in milliseconds. */
export type Payment = {
  id: string
  currency: number
  payer: number
  payee: number
  amount: bigint
  fee: number
  nonce: number
  validUntil: number
  /** 9 before 0. */
  priority: number
  raw: Buffer
  signer: OwnerKey
  state: PaymentState
  /** Why it waits or has ended: the code of a refusal. */
  reason: string | null
  since: number
  endedAt: number | null
  entry: number | null
}

const columns = `id, currency, payer, payee, cast(amount AS TEXT) AS amount, fee, nonce, valid_until, priority, raw,
  scheme, prefix, x, state, reason, since, ended_at, entry`

type PaymentRow = Row & { id: string }

const paymentOf = (row: PaymentRow): Payment => ({
  ...{ id: row.id, currency: row['currency'] as number, payer: row['payer'] as number },
  ...{ payee: row['payee'] as number, amount: BigInt(row['amount'] as string), fee: row['fee'] as number },
  ...{ nonce: row['nonce'] as number, validUntil: row['valid_until'] as number },
  ...{ priority: row['priority'] as number, raw: Buffer.from(row['raw'] as Uint8Array) },
  signer: {
    ...{ scheme: row['scheme'] as number, prefix: row['prefix'] as number },
    x: Buffer.from(row['x'] as Uint8Array).toString('hex'),
  },
  ...{ state: row['state'] as PaymentState, reason: row['reason'] as string | null, since: row['since'] as number },
  ...{ endedAt: row['ended_at'] as number | null, entry: row['entry'] as number | null },
})

export const readPayments = async (ask: Ask, where: string, params: (string | number)[]): Promise<Payment[]> =>
  (await ask<PaymentRow>(`SELECT ${columns} FROM cbdc_interbank WHERE ${where}`, params)).map(paymentOf)

export const findPayment = async (ask: Ask, id: string): Promise<Payment | undefined> =>
  (await readPayments(ask, 'id = ?', [id]))[0]

export const paymentView = (payment: Payment) => ({
  ...{ id: payment.id, currency: payment.currency, payer: payment.payer, payee: payment.payee },
  ...{ amountMinor: String(payment.amount), priority: payment.priority, nonce: payment.nonce, state: payment.state },
  validUntil: new Date(payment.validUntil * 1_000).toISOString(),
  since: new Date(payment.since).toISOString(),
  ...(payment.reason === null ? {} : { reason: payment.reason }),
  ...(payment.endedAt === null ? {} : { endedAt: new Date(payment.endedAt).toISOString() }),
  ...(payment.entry === null ? {} : { entry: payment.entry }),
})

export const itemOf = ({ id, raw, signer }: Payment): BookItem & { entry: EntryOf<'transfer'> } => {
  const entry = decodeEntry(raw)
  if (entry?.kind !== 'transfer') throw new Error(`the payment ${id} that waits is no transfer`)
  return { id, raw, signer, entry }
}

/** At once, so that the next request of the same batch finds it. */
const write = async ({ tx }: Held, payment: Payment): Promise<void> => {
  await tx.query(
    `INSERT INTO cbdc_interbank (id, currency, payer, payee, amount, fee, nonce, valid_until, priority, raw, scheme,
       prefix, x, state, reason, since, ended_at, entry)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET nonce = excluded.nonce, valid_until = excluded.valid_until,
       priority = excluded.priority, raw = excluded.raw, scheme = excluded.scheme, prefix = excluded.prefix,
       x = excluded.x, state = excluded.state, reason = excluded.reason, ended_at = excluded.ended_at,
       entry = excluded.entry`,
    [
      ...[payment.id, payment.currency, payment.payer, payment.payee, String(payment.amount), payment.fee],
      ...[payment.nonce, payment.validUntil, payment.priority, payment.raw, payment.signer.scheme],
      ...[payment.signer.prefix, Buffer.from(payment.signer.x, 'hex'), payment.state, payment.reason, payment.since],
      ...[payment.endedAt, payment.entry],
    ],
  )
}

/** The queue as one act works on it: nothing is written before `write`, so that the act may still refuse. */
export type QueueWork = {
  /** What waits on an account, by nonce. */
  waiting(payer: number): Promise<readonly Payment[]>
  put(payment: Payment): void
  find(id: string): Payment | undefined
  /** Settles what can be, on these accounts and on those that are paid by it. */
  drain(payers: readonly number[]): Promise<void>
  /** Why a payment does not settle now. */
  refusalOf(id: string): Refusal | undefined
  write(): Promise<number>
}

/** What keeps a payment waiting; whatever else is said against it ends it. */
const passing = new Set(['funds_insufficient', 'account_frozen'])

export const openQueue = (desk: Desk, held: Held): QueueWork => {
  const { book, tx } = held
  const stored = new Map<string, Payment>()
  const payments = new Map<string, Payment>()
  const loaded = new Set<number>()
  const refusals = new Map<string, Refusal>()
  let settled = 0

  const queueOf = (payer: number): Payment[] =>
    [...payments.values()]
      .filter(payment => payment.payer === payer && payment.state === 'queued')
      .sort((a, b) => a.nonce - b.nonce)

  const end = (payment: Payment, refusal: Refusal): void => {
    refusals.set(payment.id, refusal)
    payments.set(payment.id, { ...payment, state: 'ended', reason: refusal.code, endedAt: book.at })
  }

  const load = async (payer: number): Promise<void> => {
    if (loaded.has(payer)) return
    loaded.add(payer)
    const found = await readPayments(tx.query, `payer = ? AND state = 'queued' ORDER BY nonce`, [payer])
    for (const payment of found) {
      stored.set(payment.id, payment)
      // Put by this act already.
      if (!payments.has(payment.id)) payments.set(payment.id, payment)
    }
    await book.load([payer])
    for (const payment of queueOf(payer)) {
      if (book.at >= payment.validUntil * 1_000) end(payment, invalidEntry('transfer_expired'))
    }
  }

  const settle = async (payment: Payment): Promise<'settled' | 'waits' | 'ended'> => {
    const item = itemOf(payment)
    await prefetch(desk, held, [item])
    try {
      const { written } = enterOne(desk, held, item)
      const now: Payment = { ...payment, state: 'settled', reason: null, endedAt: book.at, entry: written.number }
      payments.set(payment.id, now)
      return 'settled'
    } catch (error) {
      if (!isRefusal(error) || error.kind === 'unavailable') throw error
      refusals.set(payment.id, error)
      if (!passing.has(error.code)) {
        end(payment, error)
        return 'ended'
      }
      payments.set(payment.id, { ...payment, reason: error.code })
      return 'waits'
    }
  }

  /** @returns whom it paid. */
  const drainOne = async (payer: number): Promise<number[]> => {
    await load(payer)
    const paid: number[] = []
    for (const payment of queueOf(payer)) {
      const next = book.state.account(payer)?.nonce ?? 0
      if (payment.nonce > next || settled >= settledMost) break
      const came = await settle(payment)
      if (came === 'waits') break
      if (came === 'settled') {
        settled += 1
        paid.push(payment.payee)
      }
    }
    return paid
  }

  return {
    async waiting(payer) {
      await load(payer)
      return queueOf(payer)
    },
    put: payment => void payments.set(payment.id, payment),
    find: id => payments.get(id),
    async drain(payers) {
      const due = new Set(payers)
      for (const payer of due) {
        // Once more, should it be paid again.
        due.delete(payer)
        for (const paid of await drainOne(payer)) due.add(paid)
      }
    },
    refusalOf: id => refusals.get(id),
    async write() {
      const changed = [...payments.values()].filter(payment => stored.get(payment.id) !== payment)
      for (const payment of changed) await write(held, payment)
      return changed.length
    },
  }
}

/** Accounts on which something waits that may settle now, or has ended; the most urgent first. */
export const duePayers = async (desk: Desk, most: number): Promise<number[]> => {
  const { store, clock } = desk.house
  const now = Math.floor(clock.now() / 1_000)
  const rows = await store.read<Row & { payer: number }>(
    `SELECT q.payer FROM cbdc_interbank q JOIN cbdc_accounts a ON a.number = q.payer
     WHERE q.state = 'queued' AND (q.valid_until <= ? OR q.nonce < a.nonce OR (q.nonce = a.nonce AND a.holds = 0
       AND a.credits_posted - a.debits_posted - a.debits_pending - a.frozen >= q.amount + q.fee))
     GROUP BY q.payer ORDER BY max(q.priority) DESC, min(q.since), q.payer LIMIT ?`,
    [now, most],
  )
  return rows.map(({ payer }) => payer)
}

/** Of these accounts, those that an institution admitted now has. */
export const admittedAccounts = async (
  held: Held,
  desk: Desk,
  accounts: readonly number[],
): Promise<ReadonlySet<number>> => {
  const list = inNumbers(desk.house.store.dialect)
  const rows = await held.tx.query<Row & { account: number }>(
    `SELECT account FROM cbdc_participants WHERE ended_at IS NULL AND account ${list}`,
    [JSON.stringify(accounts)],
  )
  return new Set(rows.map(({ account }) => account))
}
