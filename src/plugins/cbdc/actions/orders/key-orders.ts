import { digestOf } from '../../../../kernel/canonical.ts'
import { disclose } from '../../../../kernel/disclose.ts'
import { type Caller, holderOf } from '../../../../kernel/gate.ts'
import { type EntryOf, isOwnerKey, type OwnerKey, sameKey } from '../../../../kernel/ledger-entry.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row, TypedClaim } from '../../../../kernel/ports.ts'
import type { Requirement } from '../../../../kernel/requirement.ts'
import {
  accountNotYours,
  invalidEntry,
  keyOrderEarly,
  keyOrderEnded,
  keyOrderUnknown,
  keyOrderWaiting,
  keySame,
  objectionInvalid,
} from '../../errors.ts'
import { listMost, orderRequires } from '../../policy.ts'
import { orderOf } from '../accounts.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { allOf } from '../execute.ts'
import { loadPurses, offlineUntil } from '../offline/purses.ts'
import { assertOwner } from '../owner.ts'
import { type Ask, readAccounts } from '../rows.ts'
import { accountParam, assertOrderNew, loadAccount, type OrderBody, orderable, recordOrder } from './order.ts'

/**
 * Another key for an account whose owner lost theirs: ordered by two officers, recorded, and executed when the delay
 * that policy
 * grants is over. Until then whoever has the key that stands can object, since then it is not lost.
 */

type KeyOrder = {
  id: string
  account: number
  key: OwnerKey
  /** The key that stood when the order was made. */
  old: OwnerKey
  since: number
  dueAt: number
  state: 'waiting' | 'executed' | 'objected' | 'overtaken'
  endedAt: number | null
  entry: number | null
}

type KeyOrderRow = Row & {
  id: string
  account: number
  scheme: number
  prefix: number
  x: Buffer
  old_scheme: number
  old_prefix: number
  old_x: Buffer
  since: number
  due_at: number
  state: KeyOrder['state']
  ended_at: number | null
  entry: number | null
}

const columns = `id, account, scheme, prefix, x, old_scheme, old_prefix, old_x, since, due_at, state, ended_at, entry`

const keyOrderOf = (row: KeyOrderRow): KeyOrder => ({
  ...{ id: row.id, account: row.account, since: row.since, dueAt: row.due_at, state: row.state },
  key: { scheme: row.scheme, prefix: row.prefix, x: row.x.toString('hex') },
  old: { scheme: row.old_scheme, prefix: row.old_prefix, x: row.old_x.toString('hex') },
  ...{ endedAt: row.ended_at, entry: row.entry },
})

const view = ({ id, account, key, since, dueAt, state, endedAt, entry }: KeyOrder) => ({
  ...{ order: id, account, key, state, since: new Date(since).toISOString(), dueAt: new Date(dueAt).toISOString() },
  ...(endedAt === null ? {} : { endedAt: new Date(endedAt).toISOString() }),
  ...(entry === null ? {} : { entry }),
})

/** @throws Refusal key_order_unknown */
const readKeyOrder = async (ask: Ask, id: string): Promise<KeyOrder> => {
  const [row] = await ask<KeyOrderRow>(`SELECT ${columns} FROM cbdc_key_orders WHERE id = ?`, [id])
  if (row === undefined) throw keyOrderUnknown()
  return keyOrderOf(row)
}

/** @throws Refusal key_order_unknown, key_order_ended */
const waitingKeyOrder = async (ask: Ask, id: string): Promise<KeyOrder> => {
  const found = await readKeyOrder(ask, id)
  if (found.state !== 'waiting') throw keyOrderEnded(found.state)
  return found
}

const endKeyOrder = async (
  held: Held,
  order: KeyOrder,
  ended: Pick<KeyOrder, 'state' | 'entry'>,
): Promise<KeyOrder> => {
  const { tx, book, record } = held
  const sql = 'UPDATE cbdc_key_orders SET state = ?, entry = ?, ended_at = ? WHERE id = ?'
  await tx.query(sql, [ended.state, ended.entry, book.at, order.id])
  await tx.query('UPDATE cbdc_orders SET entry = ?, ended_at = ?, ended_by = ? WHERE id = ?', [
    ...[ended.entry ?? 0, book.at, record.id, order.id],
  ])
  return { ...order, ...ended, endedAt: book.at }
}

const keyBytes = ({ x }: OwnerKey): Buffer => Buffer.from(x, 'hex')

const writeKeyOrder = ({ tx }: Held, { id, account, key, old, since, dueAt }: KeyOrder) =>
  tx.query(`INSERT INTO cbdc_key_orders (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', NULL, NULL)`, [
    ...[id, account, key.scheme, key.prefix, keyBytes(key)],
    ...[old.scheme, old.prefix, keyBytes(old), since, dueAt],
  ])

type OrderKeyBody = OrderBody & OwnerKey

/**
 * @throws Refusal order_executed, account_unknown, account_of_currency, account_closed, key_invalid, key_same,
 * key_order_waiting
 */
export const orderKeyChange = async (desk: Desk, context: Context): Promise<Answer> => {
  const account = accountParam(context)
  const body = context.body as OrderKeyBody
  const { scheme, prefix, x, order, legalBasis } = body
  const key = { scheme, prefix, x }
  if (!isOwnerKey(key)) throw invalidEntry('key_invalid')
  const answer = await desk.ledger.execute({
    ...{ operation: 'orderKeyChange', requires: orderRequires.order, caller: context.caller, input: { account, body } },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      const { tx, book, record, currencies } = held
      await assertOrderNew(tx.query, 'keyChange', order)
      const { key: old, closed, currency } = await orderable(held, account)
      if (closed) throw invalidEntry('account_closed')
      if (sameKey(old, key)) throw keySame()
      const waiting = `SELECT id FROM cbdc_key_orders WHERE account = ? AND state = 'waiting'`
      if ((await tx.query(waiting, [account])).length > 0) throw keyOrderWaiting()
      const dueAt = book.at + currencies.of(currency).policy.keyOrderDelaySeconds * 1_000
      const state = { state: 'waiting' as const, endedAt: null, entry: null }
      const ordered: KeyOrder = { id: record.id, account, key, old, since: book.at, dueAt, ...state }
      await recordOrder(held, { id: record.id, kind: 'keyChange', order, account, amount: 0n, legalBasis, entry: 0 })
      await writeKeyOrder(held, ordered)
      record.effect(digestOf(view(ordered)))
      return view(ordered)
    },
  })
  return { status: 201, body: answer }
}

type Executing = { operation: string; requires: Requirement; caller: Caller; idempotencyKey?: string | undefined }

/**
 * @param before what has to hold in the act besides.
 * @throws Refusal key_order_unknown, key_order_ended, key_order_early
 */
export const executeKey = async (
  desk: Desk,
  id: string,
  executing: Executing,
  before?: (held: Held) => Promise<void>,
) => {
  let ordered: KeyOrder | undefined
  return desk.ledger.execute({
    ...{ ...executing, input: { order: id } },
    chains: async held => {
      await before?.(held)
      ordered = await waitingKeyOrder(held.tx.query, id)
      const { account, dueAt, key, old } = ordered
      const standing = await loadAccount(held, account)
      // Payees rely on what the key of an offline purse signed.
      await loadPurses(held, desk.house.store.dialect, [account])
      const due = Math.max(dueAt, offlineUntil(held.book, account) ?? 0)
      if (held.book.at < due) throw keyOrderEarly(new Date(due).toISOString())
      // The owner changed the key in the meantime, so it was not lost; a closed account needs none.
      if (standing.closed || !sameKey(standing.key, old)) return []
      const entry: EntryOf<'keyOrder'> = { kind: 'keyOrder', account, ...key, order: orderOf(held.record.id) }
      return [[{ entry, signer: undefined }]]
    },
    async answer(held, outcomes) {
      if (ordered === undefined) throw new Error('no order was found')
      const [written] = allOf(outcomes)
      const ended = written === undefined ? ('overtaken' as const) : ('executed' as const)
      const done = view(await endKeyOrder(held, ordered, { state: ended, entry: written?.number ?? null }))
      held.record.effect(digestOf(done))
      return done
    },
  })
}

/**
 * When the delay is over; the service's own round does it as well. The key that was replaced signs nothing any more.
 */
export const executeKeyOrder = async (desk: Desk, context: Context): Promise<Answer> => {
  const answer = await executeKey(desk, context.params['order'] ?? '', {
    ...{ operation: 'executeKeyOrder', requires: orderRequires.freeze, caller: context.caller },
    idempotencyKey: context.headers['idempotency-key'],
  })
  return { status: 201, body: answer }
}

export const objectionType = 'ObjectToKeyOrder(uint32 account,bytes16 order)'

/** The struct that an objection signs (EIP-712, encodeData): numbers are right-aligned, bytes left. */
export const objectionStruct = (
  keccak: (bytes: Uint8Array) => Uint8Array,
  { account, order }: { account: number; order: string },
): Uint8Array => {
  const bytes = Buffer.alloc(96)
  bytes.set(keccak(Buffer.from(objectionType)), 0)
  bytes.writeUInt32BE(account, 60)
  bytes.write(order.replaceAll('-', ''), 64, 16, 'hex')
  return bytes
}

/**
 * Whoever has the key that stands says so, and the order ends. The signature is the proof, so nothing else is asked.
 * @throws Refusal key_order_unknown, key_order_ended, objection_invalid
 */
export const objectToKeyOrder = async (desk: Desk, context: Context): Promise<Answer> => {
  const id = context.params['order'] ?? ''
  const { signature } = context.body as { signature: string }
  const { account, old } = await waitingKeyOrder(desk.house.store.read, id)
  const claim: TypedClaim = {
    struct: objectionStruct(desk.signatures.keccak, { account, order: id }),
    ...{ scheme: old.scheme, key: Buffer.from(`0${old.prefix}${old.x}`, 'hex') },
    signature: Buffer.from(signature, 'hex'),
  }
  const [signed] = await desk.signatures.verify([claim])
  if (signed !== true) throw objectionInvalid()
  const answer = await desk.ledger.execute({
    ...{ operation: 'objectToKeyOrder', requires: orderRequires.anyone, caller: context.caller },
    input: { order: id, signature },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      const ordered = await waitingKeyOrder(held.tx.query, id)
      const standing = await loadAccount(held, account)
      if (!sameKey(standing.key, old)) throw objectionInvalid()
      const ended = view(await endKeyOrder(held, ordered, { state: 'objected', entry: null }))
      held.record.effect(digestOf(ended))
      return ended
    },
  })
  return { status: 201, body: answer }
}

/** Orders for another key of the caller's own account, newest first. @throws Refusal account_not_yours */
export const listKeyOrders = (desk: Desk, context: Context): Promise<Answer> => {
  const account = accountParam(context)
  const { store } = desk.house
  return disclose(desk.house, {
    ...{ operation: 'listKeyOrders', requires: orderRequires.owner, caller: context.caller, input: { account } },
    async read() {
      const [known] = await readAccounts(store.read, store.dialect, [account])
      if (known === undefined) throw accountNotYours()
      const [currency] = await store.read<Row & { code: string }>('SELECT code FROM cbdc_currencies WHERE number = ?', [
        known.currency,
      ])
      if (currency === undefined) throw accountNotYours()
      await assertOwner(store.read, holderOf(context.caller), { code: currency.code, number: known.currency }, [known])
      const sql = `SELECT ${columns} FROM cbdc_key_orders WHERE account = ? ORDER BY id DESC LIMIT ${listMost}`
      const rows = await store.read<KeyOrderRow>(sql, [account])
      return { status: 200, body: { items: rows.map(keyOrderOf).map(view) } }
    },
  })
}
