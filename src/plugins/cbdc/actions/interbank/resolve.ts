import { digestOf } from '../../../../kernel/canonical.ts'
import type { EntryOf, SignedEntry } from '../../../../kernel/ledger-entry.ts'
import { openStructs } from '../../../../kernel/ledger-typed-data.ts'
import type { Asked } from '../../../../kernel/perform.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { clearingUnavailable, nettingOpen, nettingResolved } from '../../errors.ts'
import { type Netted, settleNet } from '../../ledger/netting.ts'
import { interbankRequires } from '../../policy.ts'
import type { BookItem } from '../book.ts'
import type { Desk } from '../desk.ts'
import type { Held, ItemOutcome } from '../enter.ts'
import { allOf } from '../execute.ts'
import { openQueue } from './queue.ts'
import {
  type NettingWindow,
  type Part,
  readObligations,
  readParts,
  readWindow,
  type StoredObligation,
  windowView,
} from './windows.ts'

type Resolution = { window: NettingWindow; parts: readonly Part[]; netted: Netted<StoredObligation> }

/** What a participant can still pay with: what its reservation holds, while it stands. */
const fundsOf = ({ book }: Held, { reservation }: Part): bigint => {
  const standing = reservation === null ? undefined : book.state.reservation(reservation)
  return standing === undefined || book.at >= standing.expiry * 1_000 ? 0n : standing.remaining
}

/** Who can neither pay nor be paid is left out of the window, with all that others owe them. */
const isAble = ({ book }: Held, { account: number }: Part): boolean => {
  const account = book.state.account(number)
  return account !== undefined && !account.closed && account.holds === 0
}

const leastOf = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** @throws Refusal netting_unknown, netting_resolved, netting_open */
const plan = async (held: Held, id: string): Promise<Resolution> => {
  const { tx, book } = held
  const window = await readWindow(tx.query, id)
  if (window.state !== 'open') throw nettingResolved()
  if (book.at < window.closesAt) throw nettingOpen(new Date(window.closesAt).toISOString())
  const parts = await readParts(tx.query, id)
  await book.load([window.clearing, ...parts.map(({ account }) => account)])
  await book.loadReservations(parts.flatMap(({ reservation }) => reservation ?? []))
  const able = parts.filter(part => isAble(held, part))
  const inside = new Set(able.map(({ account }) => account))
  const all = await readObligations(tx.query, 'netting = ? ORDER BY ordinal', [id])
  const limits = await tx.query<{ payer: number; payee: number; cap: string }>(
    'SELECT payer, payee, cast(cap AS TEXT) AS cap FROM cbdc_netting_limits WHERE netting = ?',
    [id],
  )
  const netted = settleNet(
    able.map(part => ({ account: part.account, limit: leastOf(part.cap, fundsOf(held, part)) })),
    limits.map(({ payer, payee, cap }) => ({ from: payer, to: payee, limit: BigInt(cap) })),
    all.filter(({ from, to }) => inside.has(from) && inside.has(to)),
  )
  const settled = new Set(netted.settled)
  return { window, parts, netted: { ...netted, left: all.filter(each => !settled.has(each)) } }
}

/** How long what the clearing account signs is valid: it is entered in the same act. */
const signedForSeconds = 3_600

/** Those who owe pay from what they reserved, everybody gets back the rest, and those who are owed are paid. */
const entriesOf = (held: Held, { window, parts, netted }: Resolution): SignedEntry[] => {
  const { book } = held
  const { clearing: by, currency } = window
  const signature = ''
  const collected = parts.flatMap((part): SignedEntry[] => {
    const { reservation } = part
    const standing = reservation === null ? undefined : book.state.reservation(reservation)
    if (reservation === null || standing === undefined) return []
    const amount = -(netted.nets.get(part.account) ?? 0n)
    if (amount <= 0n) return [{ kind: 'void', reservation, by, signature }]
    const { remaining } = standing
    return [{ kind: 'post', reservation, amount, remaining, last: 1, by, preimage: '0'.repeat(64), signature }]
  })
  let nonce = book.state.account(by)?.nonce ?? 0
  const validUntil = Math.floor(book.at / 1_000) + signedForSeconds
  const paid = [...netted.nets].flatMap(([to, amount]): EntryOf<'transfer'>[] => {
    if (amount <= 0n) return []
    nonce += 1
    return [{ kind: 'transfer', from: by, to, currency, amount, fee: 0, nonce: nonce - 1, validUntil, signature }]
  })
  return [...collected, ...paid]
}

/** @throws Refusal clearing_unavailable */
const signAll = async (desk: Desk, entries: readonly SignedEntry[]): Promise<BookItem[]> => {
  const { signOwn, signatures, ownKey } = desk
  if (signOwn === undefined) throw clearingUnavailable()
  const structOf = openStructs(signatures.keccak)
  const items: BookItem[] = []
  for (const entry of entries) {
    const signature = await signOwn(signatures.digest(structOf(entry)))
    items.push({ entry: { ...entry, signature }, signer: ownKey })
  }
  return items
}

const record = async ({ tx, book }: Held, { window, parts, netted }: Resolution): Promise<void> => {
  for (const [state, list] of [
    ['settled', netted.settled],
    ['left', netted.left],
  ] as const) {
    for (const { id } of list) await tx.query('UPDATE cbdc_obligations SET state = ? WHERE id = ?', [state, id])
  }
  for (const { account } of parts) {
    const net = String(netted.nets.get(account) ?? 0n)
    await tx.query('UPDATE cbdc_netting_parts SET net = ? WHERE netting = ? AND account = ?', [net, window.id, account])
  }
  const ended = `UPDATE cbdc_netting_windows SET state = 'resolved', resolved_at = ? WHERE id = ?`
  await tx.query(ended, [book.at, window.id])
}

/** @throws Refusal of the entry that may not stand, and not of those that fell with it. */
const assertEntered = (outcomes: readonly ItemOutcome[][]): void => {
  for (const outcome of outcomes.flat()) {
    if ('refusal' in outcome && outcome.refusal.code !== 'chain_broken') throw outcome.refusal
  }
  allOf(outcomes)
}

/**
 * Resolves a window that has closed: what can settle together settles, in one chain of entries, all or nothing; what
 * cannot is left to be paid otherwise. What participants are paid goes on to what waits on their accounts.
 * @throws Refusal clearing_unavailable, netting_unknown, netting_open, netting_resolved
 */
export const resolveWindow = async (
  desk: Desk,
  id: string,
  asked: Omit<Asked, 'input'>,
  before: (held: Held) => Promise<void> = async () => {},
) => {
  let resolution: Resolution | undefined
  return desk.ledger.execute({
    ...asked,
    input: { window: id },
    async chains(held) {
      await before(held)
      resolution = await plan(held, id)
      const items = await signAll(desk, entriesOf(held, resolution))
      return items.length === 0 ? [] : [items]
    },
    async answer(held, outcomes) {
      if (resolution === undefined) throw new Error('the window was not looked at')
      assertEntered(outcomes)
      const { window, parts, netted } = resolution
      const queue = openQueue(desk, held)
      await queue.drain(parts.map(({ account }) => account))
      await queue.write()
      await record(held, resolution)
      const view = {
        ...windowView({ ...window, state: 'resolved', resolvedAt: held.book.at }),
        ...{ settled: netted.settled.length, left: netted.left.length },
        settledMinor: String(netted.settled.reduce((sum, { amount }) => sum + amount, 0n)),
        movedMinor: String([...netted.nets.values()].reduce((sum, net) => (net > 0n ? sum + net : sum), 0n)),
      }
      held.record.effect(digestOf(view))
      return view
    },
  })
}

/** @throws Refusal clearing_unavailable, netting_unknown, netting_open, netting_resolved */
export const resolveNetting = async (desk: Desk, context: Context): Promise<Answer> => {
  const body = await resolveWindow(desk, context.params['window'] ?? '', {
    ...{ operation: 'resolveNetting', requires: interbankRequires.settlement, caller: context.caller },
    idempotencyKey: context.headers['idempotency-key'],
  })
  return { status: 201, body }
}
