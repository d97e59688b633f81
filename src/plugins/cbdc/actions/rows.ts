import { setImmediate as nextTurn } from 'node:timers/promises'
import type { OwnerKey } from '../../../kernel/ledger-entry.ts'
import type { Row, Store, Tx, Value } from '../../../kernel/ports.ts'
import type { AccountClass, LedgerAccount } from '../ledger/facts.ts'
import type { Reservation } from '../ledger/state.ts'

/** The tables as the ledger's own values, and lists of rows in one statement, on both databases. */

export type Head = {
  nextEntry: number
  nextBatch: number
  lastTime: number
  nextAccount: number
  nextReservation: number
  nextInstruction: number
}

type HeadRow = Row & {
  next_entry: number
  next_batch: number
  last_time: number
  next_account: number
  next_reservation: number
  next_instruction: number
}

/** Whoever writes locks the head first: from here to the commit nobody else writes to the ledger. */
export const lockHead = async (tx: Tx): Promise<Head> => {
  const [row] = await tx.query<HeadRow>('UPDATE cbdc_head SET id = id WHERE id = 1 RETURNING *')
  if (row === undefined) throw new Error('the ledger has no head')
  return {
    ...{ nextEntry: row.next_entry, nextBatch: row.next_batch, lastTime: row.last_time },
    ...{ nextAccount: row.next_account, nextReservation: row.next_reservation },
    nextInstruction: row.next_instruction,
  }
}

export const writeHead = async (tx: Tx, head: Head): Promise<void> => {
  await tx.query(
    `UPDATE cbdc_head SET next_entry = ?, next_batch = ?, last_time = ?, next_account = ?, next_reservation = ?,
       next_instruction = ? WHERE id = 1`,
    [...[head.nextEntry, head.nextBatch, head.lastTime, head.nextAccount, head.nextReservation], head.nextInstruction],
  )
}

export type Ask = Tx['query']
export type Dialect = Store['dialect']

/** `IN` a list of numbers handed over as one parameter. */
export const inNumbers = (dialect: Dialect): string =>
  dialect === 'sqlite'
    ? 'IN (SELECT value FROM json_each(?))'
    : 'IN (SELECT value::bigint FROM json_array_elements_text(?::json))'

/** What is read of each row: sums as text, since they pass 2^53, and bytes in hex. */
type Gathered<Name extends string = string> = {
  columns: readonly Name[]
  sums?: readonly Name[]
  bytes: readonly Name[]
}

const orderOf = <Name extends string>({ columns, sums = [], bytes }: Gathered<Name>): Name[] => [
  ...columns,
  ...sums,
  ...bytes,
]

/**
 * Rows by their number, as one text of JSON: as columns each value costs the driver a call, three times the time in all.
 * A row is a list in the order of `orderOf`: with their names the values would take twice as long.
 */
const gather = (dialect: Dialect, table: string, { columns, sums = [], bytes }: Gathered): string => {
  const hex = (name: string): string => (dialect === 'sqlite' ? `lower(hex(${name}))` : `encode(${name}, 'hex')`)
  const values = [
    ...columns,
    ...sums.map(name => `cast(${name} AS TEXT)`),
    ...bytes.map(name => `CASE WHEN ${name} IS NOT NULL THEN ${hex(name)} END`),
  ].join(', ')
  const rows =
    dialect === 'sqlite' ? `json_group_array(json_array(${values}))` : `json_agg(json_build_array(${values}))`
  return `SELECT ${rows} AS gathered FROM ${table} WHERE number ${inNumbers(dialect)}`
}

const askGathered = async (ask: Ask, sql: string, numbers: readonly number[]): Promise<unknown[][]> => {
  if (numbers.length === 0) return []
  // In order, so that a page of the table is looked up once.
  const sorted = numbers.toSorted((a, b) => a - b)
  const [row] = await ask<{ gathered: string | null }>(sql, [JSON.stringify(sorted)])
  return JSON.parse(row?.gathered ?? '[]')
}

export const perDialect = <T>(of: (dialect: Dialect) => T): Record<Dialect, T> => ({
  sqlite: of('sqlite'),
  postgres: of('postgres'),
})

const ofAccount = {
  columns: [
    ...(['number', 'currency', 'side', 'scheme', 'prefix', 'nonce', 'holds', 'linked', 'interest_day'] as const),
    ...(['closed', 'last_entry', 'entries', 'last_active', 'class', 'level', 'lead', 'day', 'jurisdiction'] as const),
    ...(['servicer', 'kyc_issuer', 'kyc_list', 'kyc_place', 'kyc_until', 'opened_at', 'screened_at'] as const),
    ...(['screening_list', 'screening_result', 'device'] as const),
  ],
  sums: ['debits_pending', 'debits_posted', 'credits_pending', 'credits_posted', 'frozen', 'spent', 'held'],
  bytes: ['x', 'rules'],
} as const satisfies Gathered

const placesOf = <Name extends string>(names: readonly Name[]): Record<Name, number> =>
  Object.fromEntries(names.map((name, place) => [name, place])) as Record<Name, number>

/** Where in a gathered row each column is: read once for every account of a batch, so not looked up by name. */
const places = placesOf(orderOf<(typeof ofAccount)['columns' | 'sums' | 'bytes'][number]>(ofAccount))

const accountsByNumber = perDialect(dialect => gather(dialect, 'cbdc_accounts', ofAccount))

const keysByNumber = perDialect(dialect =>
  gather(dialect, 'cbdc_accounts', { columns: ['number', 'scheme', 'prefix'], bytes: ['x'] }),
)

/** By whose keys these accounts are owned. */
export const readKeys = async (
  ask: Ask,
  dialect: Dialect,
  numbers: readonly number[],
): Promise<(OwnerKey & { number: number })[]> =>
  (await askGathered(ask, keysByNumber[dialect], numbers)).map(([number, scheme, prefix, x]) => ({
    ...{ number: number as number, scheme: scheme as number, prefix: prefix as number, x: x as string },
  }))

const accountOf = (row: readonly unknown[]): LedgerAccount => {
  const number = (place: number): number => row[place] as number
  const amount = (place: number): bigint => (row[place] === '0' ? 0n : BigInt(row[place] as string))
  const text = (place: number): string | null => row[place] as string | null
  const kycIssuer = text(places.kyc_issuer)
  const rules = text(places.rules)
  return {
    number: number(places.number),
    currency: number(places.currency),
    side: number(places.side),
    key: { scheme: number(places.scheme), prefix: number(places.prefix), x: row[places.x] as string },
    nonce: number(places.nonce),
    debitsPending: amount(places.debits_pending),
    debitsPosted: amount(places.debits_posted),
    creditsPending: amount(places.credits_pending),
    creditsPosted: amount(places.credits_posted),
    frozen: amount(places.frozen),
    holds: number(places.holds),
    linked: number(places.linked),
    interestDay: number(places.interest_day),
    closed: number(places.closed) === 1,
    lastEntry: number(places.last_entry),
    entries: number(places.entries),
    lastActive: number(places.last_active),
    class: row[places.class] as AccountClass,
    level: number(places.level),
    lead: number(places.lead),
    day: number(places.day),
    spent: amount(places.spent),
    held: amount(places.held),
    rules: rules === null ? null : Buffer.from(rules, 'hex'),
    jurisdiction: text(places.jurisdiction),
    servicer: number(places.servicer),
    kyc:
      kycIssuer === null
        ? null
        : {
            issuer: kycIssuer,
            list: number(places.kyc_list),
            index: number(places.kyc_place),
            until: number(places.kyc_until),
          },
    openedAt: number(places.opened_at),
    screenedAt: row[places.screened_at] as number | null,
    screeningList: text(places.screening_list),
    screeningResult: text(places.screening_result),
    device: text(places.device),
  }
}

const paidRow = (account: LedgerAccount): Record<string, Value> => ({
  number: account.number,
  nonce: account.nonce,
  debits_posted: String(account.debitsPosted),
  credits_posted: String(account.creditsPosted),
  last_entry: account.lastEntry,
  entries: account.entries,
  last_active: account.lastActive,
  day: account.day,
  spent: String(account.spent),
  held: String(account.held),
  rules: account.rules,
})

/** Every column of an account, in an order of its own. */
export const accountRow = (account: LedgerAccount): Record<string, Value> => ({
  ...paidRow(account),
  currency: account.currency,
  side: account.side,
  scheme: account.key.scheme,
  prefix: account.key.prefix,
  x: Buffer.from(account.key.x, 'hex'),
  debits_pending: String(account.debitsPending),
  credits_pending: String(account.creditsPending),
  frozen: String(account.frozen),
  holds: account.holds,
  linked: account.linked,
  interest_day: account.interestDay,
  closed: account.closed ? 1 : 0,
  class: account.class,
  level: account.level,
  lead: account.lead,
  jurisdiction: account.jurisdiction,
  servicer: account.servicer,
  kyc_issuer: account.kyc?.issuer ?? null,
  kyc_list: account.kyc?.list ?? null,
  kyc_place: account.kyc?.index ?? null,
  kyc_until: account.kyc?.until ?? null,
  opened_at: account.openedAt,
  screened_at: account.screenedAt,
  screening_list: account.screeningList,
  screening_result: account.screeningResult,
  device: account.device,
})

export const readAccounts = async (ask: Ask, dialect: Dialect, numbers: readonly number[]): Promise<LedgerAccount[]> =>
  (await askGathered(ask, accountsByNumber[dialect], numbers)).map(accountOf)

export type Column = { name: string; type: 'INTEGER' | 'TEXT' | 'BYTES' }

export const hexOf = (value: Uint8Array): string =>
  Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')

const shown = (value: Value | undefined): unknown => (value instanceof Uint8Array ? hexOf(value) : value)

/** `jsonb_each` gives a row as it was parsed; `json_each` makes text of it again, which each column would parse anew. */
const rowsOf = { sqlite: 'jsonb_each(?)', postgres: 'json_array_elements(?::json)' } as const
const types = { INTEGER: 'bigint', TEXT: 'text', BYTES: 'text' } as const

/** The columns of a row that is a list in their order. */
const valuesOf = (dialect: Dialect, columns: readonly Column[]): string[] =>
  columns.map(({ name, type }, at) => {
    const isBytes = type === 'BYTES'
    // No cast: it would make 2^63 − 1 of whatever is more, which the STRICT column refuses.
    if (dialect === 'sqlite') return isBytes ? `unhex(value ->> ${at}) AS ${name}` : `value ->> ${at} AS ${name}`
    return isBytes ? `decode(value ->> ${at}, 'hex') AS ${name}` : `(value ->> ${at})::${types[type]} AS ${name}`
  })

/** Many rows changed by one statement and one parameter: a third of the time of a statement each. */
export const updateMany = (dialect: Dialect, table: string, key: string, columns: readonly Column[]): string => {
  const values = valuesOf(dialect, [integer(key), ...columns])
  const sets = columns.map(({ name }) => `${name} = v.${name}`).join(', ')
  return `UPDATE ${table} SET ${sets} FROM (SELECT ${values.join(', ')} FROM ${rowsOf[dialect]}) AS v WHERE ${table}.${key} = v.${key}`
}

/** Many rows of these columns inserted by one statement, whose parameter can be made ready while another statement runs. */
export const insertMany = (dialect: Dialect, table: string, columns: readonly Column[]): string => {
  const names = columns.map(({ name }) => name).join(', ')
  return `INSERT INTO ${table} (${names}) SELECT ${valuesOf(dialect, columns).join(', ')} FROM ${rowsOf[dialect]}`
}

export const integer = (name: string): Column => ({ name, type: 'INTEGER' })
/** What payments change. */
const paid: readonly Column[] = [
  ...['nonce', 'debits_posted', 'credits_posted', 'last_entry', 'entries', 'last_active', 'day', 'spent', 'held'].map(
    integer,
  ),
  { name: 'rules', type: 'BYTES' },
]
/** What else entries change, and policy. */
const rest: readonly Column[] = [
  ...['debits_pending', 'credits_pending', 'frozen', 'holds', 'linked', 'interest_day', 'closed'].map(integer),
  ...['scheme', 'prefix', 'level', 'lead', 'servicer', 'kyc_list', 'kyc_place', 'kyc_until', 'screened_at'].map(
    integer,
  ),
  { name: 'x', type: 'BYTES' },
  ...['class', 'jurisdiction', 'kyc_issuer', 'screening_list', 'screening_result', 'device'].map(
    (name): Column => ({ name, type: 'TEXT' }),
  ),
]

const updatePaid = perDialect(dialect => updateMany(dialect, 'cbdc_accounts', 'number', paid))
const updateAll = perDialect(dialect => updateMany(dialect, 'cbdc_accounts', 'number', [...paid, ...rest]))

/** The values of `paid` after the number, as JSON: put together, since most of what a batch writes are these. */
const paidText = (account: LedgerAccount): string => {
  const { number, nonce, debitsPosted, creditsPosted, lastEntry, entries, lastActive, day, spent, held, rules } =
    account
  const row = `[${number},${nonce},"${debitsPosted}","${creditsPosted}",${lastEntry},${entries},${lastActive},${day}`
  return `${row},"${spent}","${held}",${rules === null ? 'null' : `"${hexOf(rules)}"`}]`
}

/** Accounts in one statement: while it runs the next is put together. */
const paidMost = 1_500

/** In the order of their numbers, as `inOrder`. */
const updateMoved = async (tx: Tx, dialect: Dialect, moved: readonly LedgerAccount[]): Promise<void> => {
  const sorted = moved.toSorted((a, b) => a.number - b.number)
  const writing: Promise<unknown>[] = []
  for (let from = 0; from < sorted.length; from += paidMost) {
    const text = `[${sorted
      .slice(from, from + paidMost)
      .map(paidText)
      .join()}]`
    const written = tx.query(updatePaid[dialect], [text])
    // Awaited below, with the others.
    written.catch(() => undefined)
    writing.push(written)
    if (from + paidMost < sorted.length) await nextTurn()
  }
  await Promise.all(writing)
}

/** Columns of rows as the statement takes them, in the order of their numbers: so a page of the table is written once. */
export const inOrder = (rows: readonly Record<string, Value>[], columns: readonly Column[]): string =>
  JSON.stringify(
    rows
      .toSorted((a, b) => Number(a['number']) - Number(b['number']))
      .map(row => [row['number'], ...columns.map(({ name }) => shown(row[name]))]),
  )

/**
 * @param moved those of which payments have changed what there is.
 * @param altered those of which more has changed: what is pending or frozen, their key, or what policy knows.
 */
export const updateAccounts = async (
  tx: Tx,
  dialect: Dialect,
  moved: readonly LedgerAccount[],
  altered: readonly LedgerAccount[],
): Promise<void> => {
  await updateMoved(tx, dialect, moved)
  if (altered.length > 0) {
    await tx.query(updateAll[dialect], [inOrder(altered.map(accountRow), [...paid, ...rest])])
  }
}

export const reservationColumns = `number, payer, payee, currency, cast(amount AS TEXT) AS amount,
  cast(remaining AS TEXT) AS remaining, cast(posted AS TEXT) AS posted, expiry, lock_hash, arbiter, entry, state, ended_by`

/** A reservation with what became of it. */
export type ReservationRow = Reservation & {
  posted: bigint
  /** The entry that granted it, and the one that ended it. */
  entry: number
  state: 'pending' | 'posted' | 'voided' | 'expired'
  endedBy: number | null
}

export const reservationOf = (row: Row): ReservationRow => ({
  number: row['number'] as number,
  from: row['payer'] as number,
  to: row['payee'] as number,
  currency: row['currency'] as number,
  amount: BigInt(row['amount'] as string),
  remaining: BigInt(row['remaining'] as string),
  posted: BigInt(row['posted'] as string),
  expiry: row['expiry'] as number,
  lockHash: (row['lock_hash'] as Buffer).toString('hex'),
  arbiter: row['arbiter'] as number,
  entry: row['entry'] as number,
  state: row['state'] as ReservationRow['state'],
  endedBy: row['ended_by'] as number | null,
})

const reservationRow = (reservation: ReservationRow): Record<string, Value> => ({
  number: reservation.number,
  payer: reservation.from,
  payee: reservation.to,
  currency: reservation.currency,
  amount: String(reservation.amount),
  remaining: String(reservation.remaining),
  posted: String(reservation.posted),
  expiry: reservation.expiry,
  lock_hash: Buffer.from(reservation.lockHash, 'hex'),
  arbiter: reservation.arbiter,
  entry: reservation.entry,
  state: reservation.state,
  ended_by: reservation.endedBy,
})

export const readReservations = async (
  ask: Ask,
  dialect: Dialect,
  numbers: readonly number[],
): Promise<ReservationRow[]> => {
  if (numbers.length === 0) return []
  const sql = `SELECT ${reservationColumns} FROM cbdc_reservations WHERE number ${inNumbers(dialect)}`
  return (await ask(sql, [JSON.stringify(numbers)])).map(reservationOf)
}

const ofReservation: readonly Column[] = [
  ...['remaining', 'posted', 'ended_by'].map(integer),
  { name: 'state', type: 'TEXT' },
]
const updateReservations = perDialect(dialect => updateMany(dialect, 'cbdc_reservations', 'number', ofReservation))

export const writeReservations = async (
  tx: Tx,
  dialect: Dialect,
  granted: readonly ReservationRow[],
  changed: readonly ReservationRow[],
): Promise<void> => {
  if (granted.length > 0) tx.insert('cbdc_reservations', granted.map(reservationRow))
  if (changed.length === 0) return
  await tx.query(updateReservations[dialect], [inOrder(changed.map(reservationRow), ofReservation)])
}
