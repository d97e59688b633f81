import { anonymous } from '../../../../kernel/gate.ts'
import type { RailEvent } from '../../../../kernel/ports.ts'
import { isRefusal } from '../../../../kernel/refusal.ts'
import { invalidEntry } from '../../errors.ts'
import { closedToPayments } from '../../ledger/facts.ts'
import type { Desk } from '../desk.ts'
import { enterOne, type Held } from '../enter.ts'
import { loadPurses } from '../offline/purses.ts'
import type { Fence } from '../orders/rounds.ts'
import { type Move, readMove, rowOf, setMove } from './moves.ts'

/** The ledger itself, following the chain: no caller asks for it. */
const requires = { by: 'anyone' } as const

/** @throws Refusal currency_unknown, policy_missing: the chain may have money that the ledger does not keep yet */
const depositOf = (held: Held, { currency, operation, account, amount }: Move) => ({
  entry: {
    kind: 'deposit',
    from: held.currencies.of(currency).rail,
    to: account,
    currency,
    amount,
    operation,
  } as const,
  signer: undefined,
})

/** @returns the entry's number, or why the account cannot have the money. */
export const tryDeposit = async (
  desk: Desk,
  held: Held,
  move: Move,
): Promise<{ entry: number } | { reason: string }> => {
  const { book } = held
  const back = book.mark()
  try {
    const item = depositOf(held, move)
    await book.load([move.account, item.entry.from])
    await book.load([book.state.account(move.account)?.linked ?? 0])
    await loadPurses(held, desk.house.store.dialect, [move.account])
    const account = book.state.account(move.account)
    if (account?.currency !== move.currency || closedToPayments.has(account.class))
      throw invalidEntry('payee_cannot_receive')
    const { written } = enterOne(desk, held, item)
    return { entry: written.number }
  } catch (error) {
    if (!isRefusal(error) || (error.kind === 'unavailable' && error.code !== 'policy_missing')) throw error
    back()
    return { reason: error.code }
  }
}

/** Money that departed is credited, or strands until an officer decides; told twice, it counts once. */
const departed = async (desk: Desk, held: Held, event: RailEvent): Promise<void> => {
  const { tx, book } = held
  const { currency, operation, wallet = '', amountMinor: amount = 0n, account = 0 } = event
  if ((await readMove(tx.query, currency, operation)) !== undefined) return
  const move: Move = {
    ...{ currency, operation, direction: 'toLedger', account, wallet, amount, state: 'credited', reason: null },
    ...{ outbox: null, entry: null, refund: null, since: book.at, changed: book.at },
  }
  const done = await tryDeposit(desk, held, move)
  const state = 'entry' in done ? { entry: done.entry } : { state: 'stranded' as const, reason: done.reason }
  // At once, not at the end of the transaction: the same operation may be told of again in this stretch.
  const row = rowOf({ ...move, ...state })
  const names = Object.keys(row)
  await tx.query(
    `INSERT INTO cbdc_moves (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    names.map(name => row[name] ?? null),
  )
}

const hasEnded = ({ state }: Move): boolean => state === 'arrived' || state === 'credited' || state === 'refunded'

/** What went to the chain and ended there without being spendable comes back to its account. */
const refunded = async (desk: Desk, held: Held, move: Move): Promise<void> => {
  if (move.direction !== 'toChain') return
  const done = await tryDeposit(desk, held, move)
  const to =
    'entry' in done
      ? { state: 'refunded' as const, refund: done.entry, reason: null }
      : { reason: done.reason, state: 'stranded' as const }
  await setMove(held.tx, move, to, held.book.at)
}

const follow = async (desk: Desk, held: Held, event: RailEvent): Promise<unknown> => {
  const { tx, book } = held
  if (event.kind === 'departed') return departed(desk, held, event)
  const move = await readMove(tx.query, event.currency, event.operation)
  // Operations of other ledgers, and such as were cancelled before this ledger sent them, are nothing to us. What has ended
  // stays so, also when the gate is read from its beginning again.
  if (move === undefined || hasEnded(move)) return
  if (event.kind === 'arrived')
    return setMove(tx, move, { state: 'arrived', wallet: event.wallet ?? move.wallet, reason: null }, book.at)
  if (event.kind === 'suspended')
    return setMove(tx, move, { state: 'suspended', reason: 'recipient_cannot_receive' }, book.at)
  if (event.kind === 'refunded') return setMove(tx, move, { state: 'refunded', reason: null }, book.at)
  return refunded(desk, held, move)
}

/** Whole blocks, as many as one batch may hold the ledger for. */
const eventsMost = 500
const upTo = (all: { events: RailEvent[]; through: number }): typeof all => {
  const [last, beyond] = [all.events[eventsMost - 1], all.events[eventsMost]]
  if (last === undefined || beyond === undefined) return all
  const whole = all.events.filter(({ block }) => block < beyond.block)
  const through = whole.length === 0 ? beyond.block : beyond.block - 1
  return { events: all.events.filter(({ block }) => block <= through), through }
}

/**
 * Reads what has become final at the gate and enters it, in the transaction that moves the cursor: killed at any moment it goes on
 * where it was, and each operation counts once.
 * @returns how many events there were
 */
export const followRail = async (desk: Desk, fence?: Fence): Promise<number> => {
  const { rail, house } = desk
  if (rail === undefined) return 0
  const [cursor] = await house.store.read<{ block: number }>('SELECT block FROM cbdc_rail')
  const after = cursor?.block ?? -1
  const { events, through } = upTo(await rail.events(after))
  if (through <= after) return 0
  if (events.length === 0) {
    await house.store.transaction(async tx => {
      await fence?.(tx)
      await tx.query('UPDATE cbdc_rail SET block = ? WHERE block = ?', [through, after])
    })
    return 0
  }
  return desk.ledger.execute({
    ...{ operation: 'followRail', requires, caller: anonymous, input: { after, through } },
    chains: async held => {
      await fence?.(held.tx)
      const [moved] = await held.tx.query('UPDATE cbdc_rail SET block = ? WHERE block = ? RETURNING block', [
        through,
        after,
      ])
      // Another process was first.
      if (moved === undefined) return []
      for (const event of events) await follow(desk, held, event)
      return []
    },
    answer: () => events.length,
  })
}
