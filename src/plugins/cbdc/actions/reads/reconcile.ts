import { openStructs } from '../../../../kernel/ledger-typed-data.ts'
import { merkleRoot } from '../../../../kernel/merkle.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { type Fold, openFold, type SignedClaim } from '../../ledger/fold.ts'
import type { Account, Instruction, Reservation } from '../../ledger/state.ts'
import { entryLeaf, type Written } from '../book.ts'
import type { Desk } from '../desk.ts'
import { writtenOf } from '../entry-rows.ts'
import { instructionColumns, instructionOf } from '../instructions/rows.ts'
import { purposeDifferences } from '../purpose/reconcile.ts'
import { reservationColumns, reservationOf } from '../rows.ts'

type Part = Pick<Desk, 'house' | 'signatures'>

/** One fact in which what is stored differs from what the entries make of it. */
export type LedgerDifference = { where: string; what: string; stored: string; folded: string }

const batchesAtOnce = 64
const rowsAtOnce = 2_000

const differ = (where: string, what: string, stored: unknown, folded: unknown): LedgerDifference[] =>
  stored === folded ? [] : [{ where, what, stored: String(stored), folded: String(folded) }]

type BatchRow = { number: number; at: number; first_entry: number; entries: number; root: Buffer }

const entryColumns = `number, batch, at, id, raw, debit, credit, cast(debit_balance AS TEXT) AS debit_balance,
  cast(credit_balance AS TEXT) AS credit_balance`

/** Folds the ledger batch by batch, and holds each batch against what its entries make. */
const openFolding = ({ house, signatures }: Part, fold: Fold) => {
  const { read } = house.store
  const structOf = openStructs(signatures.keccak)
  const place = { batch: 1, entry: 1, at: 0 }

  const entryDifferences = (written: Written, folded: ReturnType<Fold['batch']>['entries'][number]) => {
    const where = `entry ${written.number}`
    if ('why' in folded) return differ(where, 'validity', 'entered', folded.why)
    return [
      ...differ(where, 'debit', written.debit, folded.debit),
      ...differ(where, 'credit', written.credit, folded.credit),
      ...differ(where, 'debit balance', written.debitBalance, folded.debitBalance),
      ...differ(where, 'credit balance', written.creditBalance, folded.creditBalance),
    ]
  }

  /** Each signed entry by the key that its account had then. @returns those whose signature is not of it */
  const unsigned = async (claims: readonly SignedClaim[]): Promise<Set<SignedClaim['entry']>> => {
    const holds = await signatures.verify(
      claims.map(({ entry, key }) => ({
        ...{ struct: structOf(entry), scheme: key.scheme, signature: Buffer.from(entry.signature, 'hex') },
        key: Buffer.concat([Buffer.of(key.prefix), Buffer.from(key.x, 'hex')]),
      })),
    )
    return new Set(claims.filter((_, at) => holds[at] !== true).map(({ entry }) => entry))
  }

  const one = async (batch: BatchRow, entries: readonly Written[]): Promise<LedgerDifference[]> => {
    const where = `batch ${batch.number}`
    const inOrder = entries.every(({ number, batch: of }, at) => number === place.entry + at && of === batch.number)
    const found = [
      ...differ(where, 'number', batch.number, place.batch),
      ...differ(where, 'first entry', batch.first_entry, place.entry),
      ...differ(where, 'entries', batch.entries, entries.length),
      ...differ(where, 'numbers without a gap', inOrder, true),
      ...differ(where, 'later than the one before', batch.at > place.at, true),
      ...differ(where, 'root', batch.root.toString('hex'), merkleRoot(entries.map(entryLeaf)).toString('hex')),
    ]
    const { entries: folded, claims } = fold.batch({ at: batch.at, raws: entries.map(({ raw }) => raw) })
    const forged = await unsigned(claims)
    for (const [at, written] of entries.entries()) {
      const each = folded[at]
      if (each !== undefined) found.push(...entryDifferences(written, each))
      const isForged = forged.has(each?.entry as SignedClaim['entry'])
      found.push(...differ(`entry ${written.number}`, 'signed by its owner', !isForged, true))
    }
    place.batch = batch.number + 1
    place.entry = batch.first_entry + batch.entries
    place.at = batch.at
    return found
  }

  /** @param next the first batch that is not folded. */
  return async function* through(next: number): AsyncGenerator<LedgerDifference> {
    while (place.batch < next) {
      const sql = `SELECT number, at, first_entry, entries, root FROM cbdc_batches WHERE number >= ? AND number < ?
        ORDER BY number LIMIT ?`
      const batches = await read<Row & BatchRow>(sql, [place.batch, next, batchesAtOnce])
      if (batches.length === 0) {
        yield { where: `batch ${place.batch}`, what: 'existence', stored: 'missing', folded: `before ${next}` }
        place.batch = next
      }
      for (const batch of batches) {
        const rows = await read(
          `SELECT ${entryColumns} FROM cbdc_entries WHERE number >= ? AND number < ? ORDER BY number`,
          [batch.first_entry, batch.first_entry + batch.entries],
        )
        yield* await one(batch, rows.map(writtenOf))
      }
    }
  }
}

/** What entries make of an account; sums as text, since they pass 2^53. */
const accountColumns = [
  ...['number', 'currency', 'side', 'scheme', 'prefix', 'x', 'nonce', 'holds', 'linked', 'interest_day', 'closed'],
  ...['debits_pending', 'debits_posted', 'credits_pending', 'credits_posted', 'frozen'].map(
    sum => `cast(${sum} AS TEXT) AS ${sum}`,
  ),
].join(', ')

const accountOf = (row: Row): Account => {
  const number = (column: string): number => row[column] as number
  const amount = (column: string): bigint => BigInt(row[column] as string)
  return {
    ...{ number: number('number'), currency: number('currency'), side: number('side'), nonce: number('nonce') },
    key: { scheme: number('scheme'), prefix: number('prefix'), x: (row['x'] as Buffer).toString('hex') },
    ...{ debitsPending: amount('debits_pending'), debitsPosted: amount('debits_posted') },
    ...{ creditsPending: amount('credits_pending'), creditsPosted: amount('credits_posted') },
    ...{ frozen: amount('frozen'), holds: number('holds'), linked: number('linked') },
    ...{ interestDay: number('interest_day'), closed: number('closed') === 1 },
  }
}

const accountFacts = [
  ...(['currency', 'side', 'nonce', 'debitsPending', 'debitsPosted', 'creditsPending', 'creditsPosted'] as const),
  ...(['frozen', 'holds', 'linked', 'interestDay', 'closed'] as const),
]

const keyText = ({ key }: Account): string => `${key.scheme}/${key.prefix}/${key.x}`

const accountDifferences = (stored: Account, folded: Account | undefined): LedgerDifference[] => {
  const where = `account ${stored.number}`
  if (folded === undefined) return [{ where, what: 'existence', stored: 'there', folded: 'never opened' }]
  return [
    ...accountFacts.flatMap(fact => differ(where, fact, stored[fact], folded[fact])),
    ...differ(where, 'key', keyText(stored), keyText(folded)),
  ]
}

const reservationFacts = ['from', 'to', 'currency', 'amount', 'remaining', 'expiry', 'lockHash', 'arbiter'] as const

const instructionFacts = [...(['from', 'to', 'currency', 'amount', 'first', 'unit', 'every', 'times', 'next'] as const)]

/** What stands for a while: where it is kept, what it is called while it does, and what of it the entries make. */
type Kind<T extends { number: number }> = {
  what: string
  stands: string
  table: string
  columns: string
  rowOf(row: Row): T
  facts: readonly (keyof T & string)[]
}

const reservationKind: Kind<Reservation> = {
  ...{ what: 'reservation', stands: 'pending', table: 'cbdc_reservations', columns: reservationColumns },
  ...{ rowOf: reservationOf, facts: reservationFacts },
}
const instructionKind: Kind<Instruction> = {
  ...{ what: 'instruction', stands: 'standing', table: 'cbdc_instructions', columns: instructionColumns },
  ...{ rowOf: instructionOf, facts: instructionFacts },
}

const standingDifferences = <T extends { number: number }>(
  { what, stands, facts }: Kind<T>,
  stored: T,
  folded: T | undefined,
): LedgerDifference[] => {
  const where = `${what} ${stored.number}`
  if (folded === undefined) return [{ where, what: 'state', stored: stands, folded: 'ended' }]
  return facts.flatMap(fact => differ(where, fact, stored[fact], folded[fact]))
}

/** Counters that policy keeps of a person, against the accounts that they count. */
const heldDifferences = async ({ house }: Part): Promise<LedgerDifference[]> => {
  const rows = await house.store.read<{ number: number; held: string; total: string }>(
    `SELECT l.number, cast(l.held AS TEXT) AS held, cast(s.total AS TEXT) AS total
     FROM (SELECT lead, sum(credits_posted - debits_posted) AS total FROM cbdc_accounts
           WHERE class IN ('person', 'purse') GROUP BY lead) s
     JOIN cbdc_accounts l ON l.number = s.lead WHERE l.held <> s.total ORDER BY l.number LIMIT ?`,
    [rowsAtOnce],
  )
  return rows.flatMap(({ number, held, total }) => differ(`account ${number}`, 'held by the person', held, total))
}

/**
 * Folds every entry from the first, checks every owner's signature, and holds each stored batch, account, reservation and instruction against what
 * comes out. It locks nothing: a
 * page of rows and the head come from one statement, so the fold goes exactly as far as the page has.
 */
export async function* reconcileLedger(desk: Part): AsyncGenerator<LedgerDifference> {
  const { read } = desk.house.store
  const currencies = await read<{ number: number; fees: number }>('SELECT number, fees FROM cbdc_currencies')
  const fees = new Map(currencies.map(({ number, fees: account }) => [number, account]))
  const fold = openFold(currency => fees.get(currency) ?? 0)
  const foldThrough = openFolding(desk, fold)
  const page = (table: string, columns: string, where: string) =>
    `SELECT h.next_batch, p.* FROM cbdc_head h LEFT JOIN (SELECT ${columns} FROM ${table}
     WHERE number > ? ${where} ORDER BY number LIMIT ${rowsAtOnce}) p ON 1 = 1 ORDER BY p.number`

  let after = 0
  for (;;) {
    const rows = await read(page('cbdc_accounts', accountColumns, ''), [after])
    yield* foldThrough(rows[0]?.['next_batch'] as number)
    const found = rows.filter(row => row['number'] !== null).map(accountOf)
    for (const account of found) {
      for (let missing = after + 1; missing < account.number; missing += 1) {
        yield* differ(`account ${missing}`, 'existence', 'missing', fold.accounts.has(missing) ? 'opened' : 'missing')
      }
      yield* accountDifferences(account, fold.accounts.get(account.number))
      after = account.number
    }
    if (found.length === rowsAtOnce) continue
    for (const number of fold.accounts.keys()) {
      if (number > after) yield { where: `account ${number}`, what: 'existence', stored: 'missing', folded: 'opened' }
    }
    break
  }
  const pageOf = ({ table, columns, stands }: Pick<Kind<Reservation>, 'table' | 'columns' | 'stands'>) =>
    page(table, columns, `AND state = '${stands}'`)
  const { reservations, instructions } = fold
  yield* reconcileStanding(desk, foldThrough, reservationKind, {
    folded: reservations,
    sql: pageOf(reservationKind),
  })
  yield* reconcileStanding(desk, foldThrough, instructionKind, {
    folded: instructions,
    sql: pageOf(instructionKind),
  })
  yield* await heldDifferences(desk)
  yield* await purposeDifferences(desk, rowsAtOnce)
}

type Folding = ReturnType<typeof openFolding>

/** Those that stand, in one page after another; of those the fold knows besides, each is one too few. */
async function* reconcileStanding<T extends { number: number }>(
  { house }: Part,
  foldThrough: Folding,
  kind: Kind<T>,
  { folded, sql }: { folded: ReadonlyMap<number, T>; sql: string },
): AsyncGenerator<LedgerDifference> {
  const { what, stands } = kind
  let after = 0
  for (;;) {
    const rows = await house.store.read(sql, [after])
    yield* foldThrough(rows[0]?.['next_batch'] as number)
    const found = rows.filter(row => row['number'] !== null).map(kind.rowOf)
    const last = found.length === rowsAtOnce ? (found.at(-1)?.number ?? after) : Number.POSITIVE_INFINITY
    const stored = new Set(found.map(({ number }) => number))
    for (const each of found) yield* standingDifferences(kind, each, folded.get(each.number))
    for (const number of folded.keys()) {
      if (number <= after || number > last || stored.has(number)) continue
      yield { where: `${what} ${number}`, what: 'state', stored: `not ${stands}`, folded: stands }
    }
    if (found.length < rowsAtOnce) return
    after = last
  }
}
