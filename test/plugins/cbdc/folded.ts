import { leafHash, merkleRoot } from '../../../src/kernel/merkle.ts'
import type { Row, Store } from '../../../src/kernel/ports.ts'
import { instructionColumns, instructionOf } from '../../../src/plugins/cbdc/actions/instructions/rows.ts'
import { lockHead, readAccounts, reservationColumns, reservationOf } from '../../../src/plugins/cbdc/actions/rows.ts'
import { type Fold, openFold, type SignedClaim } from '../../../src/plugins/cbdc/ledger/fold.ts'
import { isCustomer } from '../../../src/plugins/cbdc/ledger/limits.ts'
import { type Account, balanceOf } from '../../../src/plugins/cbdc/ledger/state.ts'

type EntryRow = Row & {
  number: number
  batch: number
  at: number
  raw: Buffer
  debit: number
  credit: number | null
  debit_balance: string
  credit_balance: string | null
  debit_before: number
  credit_before: number | null
}
type BatchRow = Row & { number: number; at: number; first_entry: number; entries: number; root: Buffer }

const entriesOf = (store: Store) =>
  store.read<EntryRow>(`SELECT number, batch, at, raw, debit, credit, cast(debit_balance AS TEXT) AS debit_balance,
    cast(credit_balance AS TEXT) AS credit_balance, debit_before, credit_before FROM cbdc_entries ORDER BY number`)

const leafOf = ({ number, raw }: EntryRow): Buffer => {
  const place = Buffer.alloc(8)
  place.writeBigUInt64BE(BigInt(number))
  return leafHash(Buffer.concat([place, raw]))
}

const ledgersOwn = ({
  number,
  currency,
  side,
  key,
  nonce,
  frozen,
  holds,
  linked,
  interestDay,
  closed,
  ...sums
}: Account) => ({
  ...{ number, currency, side, key, nonce, frozen, holds, linked, interestDay, closed },
  ...{ debitsPending: sums.debitsPending, debitsPosted: sums.debitsPosted },
  ...{ creditsPending: sums.creditsPending, creditsPosted: sums.creditsPosted },
})

/** What is true of the entries and batches by themselves: no gap, later and later, each entry after its account's last. */
const expectOrdered = (
  entries: readonly EntryRow[],
  batches: readonly BatchRow[],
): Map<number, { last: number; count: number }> => {
  expect(entries.map(({ number }) => number)).toEqual(entries.map((_, at) => at + 1))
  expect(batches.map(({ number }) => number)).toEqual(batches.map((_, at) => at + 1))
  const touched = new Map<number, { last: number; count: number }>()
  const touch = (account: number | null, number: number, before: number | null): void => {
    if (account === null) return
    const known = touched.get(account) ?? { last: 0, count: 0 }
    expect(before).toBe(known.last)
    touched.set(account, { last: number, count: known.count + 1 })
  }
  for (const entry of entries) {
    touch(entry.debit, entry.number, entry.debit_before)
    touch(entry.credit, entry.number, entry.credit_before)
  }
  let [at, next] = [0, 1]
  for (const batch of batches) {
    expect(batch.at).toBeGreaterThan(at)
    expect(batch.first_entry).toBe(next)
    const own = entries.slice(next - 1, next - 1 + batch.entries)
    expect(own.every(entry => entry.batch === batch.number && entry.at === batch.at)).toBe(true)
    expect(merkleRoot(own.map(leafOf))).toEqual(batch.root)
    at = batch.at
    next += batch.entries
  }
  expect(next).toBe(entries.length + 1)
  return touched
}

/** Those that stand are the fold's; what the round knows besides never goes back behind it. */
const expectInstructions = async (store: Store, fold: Fold): Promise<void> => {
  const rows = await store.read(`SELECT ${instructionColumns} FROM cbdc_instructions ORDER BY number`)
  const kept = rows.map(instructionOf)
  expect(kept.map(({ number }) => number)).toEqual(kept.map((_, at) => at + 1))
  const ledgers = kept
    .filter(({ state }) => state === 'standing')
    .map(row => {
      const { number, from, to, currency, amount, first, unit, every, times, next } = row
      return { number, from, to, currency, amount, first, unit, every, times, next }
    })
  expect(ledgers).toEqual([...fold.instructions.values()])
  for (const { state, endedBy, nextDue, turn, next, paid, missed } of kept) {
    expect((state === 'standing') === (endedBy === null)).toBe(true)
    expect(state === 'standing' || nextDue === null).toBe(true)
    expect(turn >= next && paid + missed <= turn).toBe(true)
  }
}

/**
 * That everything which the ledger keeps is what its entries make of it, and that what they make of it is sound.
 * @returns the claims of all signed entries.
 */
export const expectFolded = async (
  store: Store,
  feeAccount = (_currency: number): number => 2,
): Promise<{ fold: Fold; claims: SignedClaim[]; entries: EntryRow[] }> => {
  const entries = await entriesOf(store)
  const batches = await store.read<BatchRow>(
    'SELECT number, at, first_entry, entries, root FROM cbdc_batches ORDER BY number',
  )
  const touched = expectOrdered(entries, batches)
  const fold = openFold(feeAccount)
  const claims: SignedClaim[] = []
  for (const { at, first_entry: first, entries: count } of batches) {
    const own = entries.slice(first - 1, first - 1 + count)
    const folded = fold.batch({ at, raws: own.map(({ raw }) => raw) })
    claims.push(...folded.claims)
    expect(folded.entries.map(({ entry: _, ...rest }) => rest)).toEqual(
      own.map(row => ({
        ...{ debit: row.debit, credit: row.credit, debitBalance: BigInt(row.debit_balance) },
        creditBalance: row.credit_balance === null ? null : BigInt(row.credit_balance),
      })),
    )
  }
  const numbers = await store.read<Row & { number: number }>('SELECT number FROM cbdc_accounts')
  const read = await readAccounts(
    store.read,
    store.dialect,
    numbers.map(({ number }) => number),
  )
  const accounts = read.sort((a, b) => a.number - b.number)
  const kept = (await store.read(`SELECT ${reservationColumns} FROM cbdc_reservations ORDER BY number`)).map(
    reservationOf,
  )
  expect(accounts.map(ledgersOwn)).toEqual([...fold.accounts.values()].sort((a, b) => a.number - b.number))
  for (const { number, lastEntry, entries: count } of accounts) {
    expect({ last: lastEntry, count }).toEqual(touched.get(number))
  }
  for (const { number, lead, held } of accounts.filter(isCustomer)) {
    if (lead !== number) continue
    const persons = accounts.filter(account => isCustomer(account) && account.lead === number)
    expect(held).toBe(persons.reduce((sum, account) => sum + balanceOf(account), 0n))
  }
  const pending = kept.filter(({ state }) => state === 'pending')
  expect(pending.map(({ posted: _, entry: __, state: ___, endedBy: ____, ...rest }) => rest)).toEqual([
    ...fold.reservations.values(),
  ])
  for (const { amount, posted, remaining, state, endedBy } of kept) {
    expect(posted + remaining <= amount && (state === 'pending') === (endedBy === null)).toBe(true)
  }
  await expectInstructions(store, fold)
  expect(accounts.reduce((sum, account) => sum + balanceOf(account), 0n)).toBe(0n)
  const head = await store.transaction(lockHead)
  expect(head).toEqual({
    ...{ nextEntry: entries.length + 1, nextBatch: batches.length + 1, lastTime: batches.at(-1)?.at ?? 0 },
    ...{ nextAccount: fold.nextAccount(), nextReservation: fold.nextReservation() },
    nextInstruction: fold.nextInstruction(),
  })
  return { fold, claims, entries }
}
