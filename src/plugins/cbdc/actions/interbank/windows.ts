import { digestOf } from '../../../../kernel/canonical.ts'
import { admit } from '../../../../kernel/gate.ts'
import type { EntryOf } from '../../../../kernel/ledger-entry.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { assertBodySigned } from '../../../../kernel/signed-body.ts'
import {
  clearingUnavailable,
  invalidEntry,
  nettingCap,
  nettingClosed,
  nettingClosing,
  nettingFull,
  nettingFunds,
  nettingJoined,
  nettingNotJoined,
  nettingStanding,
  nettingUnknown,
  obligationTaken,
  participantUnknown,
  payeeCannotReceive,
  recordMalformed,
  transferIdTaken,
} from '../../errors.ts'
import { amountMost } from '../../ledger/state.ts'
import { interbankRequires, obligationsMost, resolutionMs, windowOpenMost } from '../../policy.ts'
import { orderOf } from '../accounts.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { allOf } from '../execute.ts'
import { type Ask, inNumbers } from '../rows.ts'
import { ownAccounts } from './payments.ts'
import { admittedAccounts } from './queue.ts'

/**
 * Netting windows. A participant joins with funds: a reservation that it signed, to the currency's clearing account,
 * which holds the most that it may come to owe. So whatever the window comes to is paid for beforehand, nobody signs
 * for a sum that is not known yet, and the rest is given back when the window is resolved. What an institution owes
 * others it hands in under its own signature over the request.
 */

/** Times in milliseconds. */
export type NettingWindow = {
  id: string
  currency: number
  clearing: number
  state: 'open' | 'resolved'
  openedAt: number
  closesAt: number
  resolvedAt: number | null
  obligations: number
}

const windowOf = (row: Row): NettingWindow => ({
  ...{ id: row['id'] as string, currency: row['currency'] as number, clearing: row['clearing'] as number },
  ...{ state: row['state'] as NettingWindow['state'], openedAt: row['opened_at'] as number },
  ...{ closesAt: row['closes_at'] as number, resolvedAt: row['resolved_at'] as number | null },
  obligations: row['obligations'] as number,
})

/** @throws Refusal netting_unknown */
export const readWindow = async (ask: Ask, id: string): Promise<NettingWindow> => {
  const [row] = await ask('SELECT * FROM cbdc_netting_windows WHERE id = ?', [id])
  if (row === undefined) throw nettingUnknown()
  return windowOf(row)
}

const iso = (at: number): string => new Date(at).toISOString()

export const windowView = (window: NettingWindow) => ({
  ...{ id: window.id, currency: window.currency, clearing: window.clearing, state: window.state },
  ...{ openedAt: iso(window.openedAt), closesAt: iso(window.closesAt), obligations: window.obligations },
  fundsUntil: iso(window.closesAt + resolutionMs),
  ...(window.resolvedAt === null ? {} : { resolvedAt: iso(window.resolvedAt) }),
})

/** Someone who takes part. */
export type Part = { account: number; did: string; reservation: number | null; cap: bigint; net: bigint | null }

export const readParts = async (ask: Ask, window: string): Promise<Part[]> => {
  const sql = `SELECT account, did, reservation, cast(cap AS TEXT) AS cap, cast(net AS TEXT) AS net
    FROM cbdc_netting_parts WHERE netting = ? ORDER BY account`
  return (await ask(sql, [window])).map(row => ({
    ...{ account: row['account'] as number, did: row['did'] as string },
    ...{ reservation: row['reservation'] as number | null, cap: BigInt(row['cap'] as string) },
    net: row['net'] === null ? null : BigInt(row['net'] as string),
  }))
}

type OpenBody = { currency: number; closesAt: string }

/**
 * Opens a netting window; the first of a currency also opens its clearing account.
 * @throws Refusal clearing_unavailable, currency_unknown, netting_closing, netting_standing
 */
export const openNettingWindow = async (desk: Desk, context: Context): Promise<Answer> => {
  const { currency, closesAt: closing } = context.body as OpenBody
  const closesAt = Date.parse(closing)
  if (desk.signOwn === undefined) throw clearingUnavailable()
  let clearing: number | undefined
  const body = await desk.ledger.execute({
    ...{ operation: 'openNettingWindow', requires: interbankRequires.settlement, caller: context.caller },
    ...{ input: context.body, idempotencyKey: context.headers['idempotency-key'] },
    async chains({ tx, book, currencies, record }) {
      currencies.of(currency)
      if (!(closesAt > book.at && closesAt <= book.at + windowOpenMost)) throw nettingClosing()
      const standing = `SELECT id FROM cbdc_netting_windows WHERE currency = ? AND state = 'open'`
      const [other] = await tx.query<Row & { id: string }>(standing, [currency])
      if (other !== undefined) throw nettingStanding(other.id)
      const known = 'SELECT account FROM cbdc_clearing WHERE currency = ?'
      clearing = (await tx.query<Row & { account: number }>(known, [currency]))[0]?.account
      if (clearing !== undefined) return []
      const account = book.state.nextAccount
      const order = orderOf(record.id)
      const entry: EntryOf<'open'> = { kind: 'open', account, currency, side: 0, ...desk.ownKey, order }
      return [[{ entry, signer: undefined, facts: { class: 'clearing', lead: account } }]]
    },
    async answer({ tx, book, record }, outcomes) {
      const [opened] = allOf(outcomes)
      const account = clearing ?? opened?.debit ?? 0
      if (opened !== undefined) {
        await tx.query('INSERT INTO cbdc_clearing (currency, account) VALUES (?, ?)', [currency, account])
      }
      const window: NettingWindow = {
        ...{ id: desk.newId(), currency, clearing: account, state: 'open', openedAt: book.at, closesAt },
        ...{ resolvedAt: null, obligations: 0 },
      }
      await tx.query(
        `INSERT INTO cbdc_netting_windows
           (id, currency, clearing, state, opened_at, closes_at, resolved_at, obligations)
         VALUES (?, ?, ?, ?, ?, ?, NULL, 0)`,
        [window.id, currency, account, window.state, window.openedAt, closesAt],
      )
      const view = windowView(window)
      record.effect(digestOf(view))
      return view
    },
  })
  return { status: 201, body }
}

/** The window while it takes what comes in, and the caller's account in its currency. */
const entrance = async ({ tx, book }: Held, id: string, did: string) => {
  const window = await readWindow(tx.query, id)
  if (window.state !== 'open' || book.at >= window.closesAt) throw nettingClosed()
  const own = await ownAccounts(tx.query, did)
  await book.load(own)
  const account = [...own].find(number => book.state.account(number)?.currency === window.currency)
  if (account === undefined) throw participantUnknown()
  return { window, account }
}

const noHash = '0'.repeat(64)

/** @throws Refusal netting_funds */
const assertFunds = (entry: EntryOf<'reserve'>, window: NettingWindow, account: number): void => {
  const fits =
    entry.from === account &&
    entry.to === window.clearing &&
    entry.currency === window.currency &&
    entry.arbiter === 0 &&
    entry.lockHash === noHash &&
    entry.expiry * 1_000 >= window.closesAt + resolutionMs
  if (!fits) throw nettingFunds()
}

type JoinBody = {
  funds?: { id: string; record: string }
  /** The most to owe all others together, net. */
  capMinor?: string
  bilateral?: { account: number; capMinor: string }[]
}

/**
 * Takes part, with funds or, without, for being paid only and for what offsets. Caps are the participant's own: on what
 * it may come to owe net, to all or to one.
 * @throws Refusal agency_body_mismatch, netting_unknown, netting_closed, netting_joined, netting_funds, netting_cap,
 * transfer_id_taken, participant_unknown, and of the record
 */
export const joinNetting = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, interbankRequires.participant)
  assertBodySigned(caller, context.body)
  const { funds, capMinor, bilateral = [] } = context.body as JoinBody
  const id = context.params['window'] ?? ''
  const [item] = funds === undefined ? [] : await desk.attest([funds])
  const entry = item?.entry
  if (entry !== undefined && entry.kind !== 'reserve') throw recordMalformed()
  const most = entry?.amount ?? 0n
  const cap = capMinor === undefined ? most : BigInt(capMinor)
  let joining: Awaited<ReturnType<typeof entrance>> | undefined
  const body = await desk.ledger.execute({
    ...{ operation: 'joinNetting', requires: interbankRequires.participant, caller },
    ...{ input: { window: id, body: context.body }, idempotencyKey: context.headers['idempotency-key'] },
    foreseen: item === undefined ? [] : [item],
    async chains(held) {
      joining = await entrance(held, id, caller.id)
      const { window, account } = joining
      if ((await readParts(held.tx.query, id)).some(part => part.account === account)) throw nettingJoined()
      if (cap > most || bilateral.some(each => BigInt(each.capMinor) > amountMost)) throw nettingCap()
      if (item === undefined || entry === undefined) return []
      assertFunds(entry, window, account)
      return [[item]]
    },
    async answer({ tx, book, record }, outcomes) {
      if (joining === undefined) throw new Error('the window was not looked at')
      const { account } = joining
      const funded = allOf(outcomes).length > 0
      // Which reservation an earlier record came to is not known here, nor whether it still holds anything.
      if (outcomes.flat().some(outcome => 'again' in outcome && outcome.again)) throw transferIdTaken()
      const reservation = funded ? book.state.nextReservation - 1 : null
      await tx.query(
        'INSERT INTO cbdc_netting_parts (netting, account, did, reservation, cap, net) VALUES (?, ?, ?, ?, ?, NULL)',
        [id, account, caller.id, reservation, String(cap)],
      )
      for (const { account: payee, capMinor: towards } of bilateral) {
        await tx.query(
          `INSERT INTO cbdc_netting_limits (netting, payer, payee, cap) VALUES (?, ?, ?, ?)
           ON CONFLICT (netting, payer, payee) DO UPDATE SET cap = excluded.cap`,
          [id, account, payee, towards],
        )
      }
      const view = { window: id, account, capMinor: String(cap), ...(reservation === null ? {} : { reservation }) }
      record.effect(digestOf(view))
      return view
    },
  })
  return { status: 201, body }
}

export type ObligationState = 'open' | 'settled' | 'left'

export type StoredObligation = {
  id: string
  order: number
  from: number
  to: number
  amount: bigint
  priority: number
  reference: string | null
  state: ObligationState
}

export const readObligations = async (
  ask: Ask,
  where: string,
  params: (string | number)[],
): Promise<StoredObligation[]> => {
  const sql = `SELECT id, ordinal, payer, payee, cast(amount AS TEXT) AS amount, priority, reference, state
    FROM cbdc_obligations WHERE ${where}`
  return (await ask(sql, params)).map(row => ({
    ...{ id: row['id'] as string, order: row['ordinal'] as number, from: row['payer'] as number },
    ...{ to: row['payee'] as number, amount: BigInt(row['amount'] as string), priority: row['priority'] as number },
    ...{ reference: row['reference'] as string | null, state: row['state'] as ObligationState },
  }))
}

export const obligationView = ({ id, from, to, amount, priority, reference, state }: StoredObligation) => ({
  ...{ id, payer: from, payee: to, amountMinor: String(amount), priority, state },
  ...(reference === null ? {} : { reference }),
})

type ObligationBody = {
  obligations: { id: string; payee: number; amountMinor: string; priority: number; reference?: string }[]
}

/** @throws Refusal payee_cannot_receive, account_same, amount_not_positive, amount_too_large, obligation_taken */
const assertObligations = async (desk: Desk, held: Held, account: number, body: ObligationBody): Promise<void> => {
  const { obligations } = body
  for (const { payee, amountMinor } of obligations) {
    const amount = BigInt(amountMinor)
    if (amount === 0n) throw invalidEntry('amount_not_positive')
    if (amount > amountMost) throw invalidEntry('amount_too_large')
    if (payee === account) throw invalidEntry('account_same')
  }
  const payees = [...new Set(obligations.map(({ payee }) => payee))]
  await held.book.load(payees)
  const admitted = await admittedAccounts(held, desk, payees)
  const currency = held.book.state.account(account)?.currency
  const can = payees.every(payee => admitted.has(payee) && held.book.state.account(payee)?.currency === currency)
  if (!can) throw payeeCannotReceive()
  const ids = new Set(obligations.map(({ id }) => id))
  if (ids.size < obligations.length) throw obligationTaken()
  const places = [...ids].map(() => '?').join(', ')
  const taken = await held.tx.query(`SELECT id FROM cbdc_obligations WHERE id IN (${places})`, [...ids])
  if (taken.length > 0) throw obligationTaken()
}

/**
 * Hands in what the calling institution owes others: all of it, or nothing. It stands until the window is resolved.
 * @throws Refusal agency_body_mismatch, netting_unknown, netting_closed, netting_not_joined, netting_full,
 * obligation_taken, payee_cannot_receive, account_same, amount_not_positive, amount_too_large, participant_unknown
 */
export const submitObligations = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, interbankRequires.participant)
  assertBodySigned(caller, context.body)
  const body = context.body as ObligationBody
  const id = context.params['window'] ?? ''
  const answer = await desk.ledger.execute({
    ...{ operation: 'submitObligations', requires: interbankRequires.participant, caller },
    ...{ input: { window: id, body }, idempotencyKey: context.headers['idempotency-key'] },
    chains: [],
    async answer(held) {
      const { tx, record } = held
      const { window, account } = await entrance(held, id, caller.id)
      if (!(await readParts(tx.query, id)).some(part => part.account === account)) throw nettingNotJoined()
      await assertObligations(desk, held, account, body)
      if (window.obligations + body.obligations.length > obligationsMost) throw nettingFull()
      const items = body.obligations.map(({ id: own, payee, amountMinor, priority, reference = null }, at) => ({
        ...{ id: own, order: window.obligations + at, from: account, to: payee, amount: BigInt(amountMinor), priority },
        ...{ reference, state: 'open' as const },
      }))
      for (const each of items) {
        await tx.query(
          `INSERT INTO cbdc_obligations
             (id, netting, ordinal, payer, payee, amount, priority, reference, state, record)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          [
            ...[each.id, id, each.order, each.from, each.to, String(each.amount), each.priority, each.reference],
            ...[each.state, record.id],
          ],
        )
      }
      const counted = 'UPDATE cbdc_netting_windows SET obligations = ? WHERE id = ?'
      await tx.query(counted, [window.obligations + items.length, id])
      const views = items.map(obligationView)
      record.effect(digestOf(views))
      return { items: views }
    },
  })
  return { status: 201, body: answer }
}

/**
 * A netting window, and in it what concerns the calling institution: what it owes, what it is owed, and what came of
 * it.
 */
export const getNettingWindow = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, interbankRequires.participant)
  const { store } = desk.house
  const window = await readWindow(store.read, context.params['window'] ?? '')
  const own = await ownAccounts(store.read, caller.id)
  const part = (await readParts(store.read, window.id)).find(({ account }) => own.has(account))
  const list = JSON.stringify([...own])
  const places = inNumbers(store.dialect)
  const where = `netting = ? AND (payer ${places} OR payee ${places}) ORDER BY ordinal`
  const obligations = await readObligations(store.read, where, [window.id, list, list])
  const body = {
    ...windowView(window),
    ...(part && { capMinor: String(part.cap) }),
    ...(part?.net == null ? {} : { netMinor: String(part.net) }),
    items: obligations.map(obligationView),
  }
  return { status: 200, body }
}
