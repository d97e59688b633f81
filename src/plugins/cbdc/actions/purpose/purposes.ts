import type { Row, Store } from '../../../../kernel/ports.ts'
import type { KycPlace } from '../../ledger/facts.ts'
import type { Book, BookItem } from '../book.ts'
import type { Held } from '../enter.ts'
import { type Ask, inNumbers } from '../rows.ts'
import type { Admission, PayeeClass } from './classes.ts'

/**
 * Programmes, the accounts bound to them and what merchants qualify by, as tables have them and as a batch sees them.
 */

/** What came into the accounts of a programme and what left them, in minor units. */
export type ProgrammeSums = {
  /** By the sponsor. */
  granted: bigint
  /** To payees, fees included. */
  spent: bigint
  /** Back from payees. */
  refunded: bigint
  /** To the sponsor, when the programme had ended or its person gave it back. */
  returned: bigint
  /** By orders of others, such as a court's. */
  taken: bigint
}

/** Times in milliseconds. */
export type Programme = {
  id: string
  currency: number
  title: string
  legalBasis: string
  /** Account that the money comes from and goes back to. */
  sponsor: number
  payees: readonly Admission[]
  /** The most that may be granted to one person. */
  perBeneficiary: bigint | null
  openedAt: number
  endsAt: number
  /** Set when it was ended before its time, which then is `endsAt`. */
  closedAt: number | null
  /** Journal record of its opening. */
  record: string
  sums: ProgrammeSums
}

export type PurposeAccount = { account: number; programme: Programme; refunded: bigint }
export type Qualification = { credentialType: string; place: KycPlace; classes: readonly PayeeClass[] }

const sumNames = ['granted', 'spent', 'refunded', 'returned', 'taken'] as const satisfies (keyof ProgrammeSums)[]

const programmeColumns = `id, currency, title, legal_basis, sponsor, payees, opened_at, ends_at, closed_at, record,
  ${['per_beneficiary', ...sumNames].map(name => `cast(${name} AS TEXT) AS ${name}`).join(', ')}`

const programmeOf = (row: Row): Programme => ({
  ...{ id: row['id'] as string, currency: row['currency'] as number, title: row['title'] as string },
  ...{ legalBasis: row['legal_basis'] as string, sponsor: row['sponsor'] as number },
  payees: JSON.parse(row['payees'] as string) as Admission[],
  perBeneficiary: row['per_beneficiary'] === null ? null : BigInt(row['per_beneficiary'] as string),
  ...{ openedAt: row['opened_at'] as number, endsAt: row['ends_at'] as number },
  ...{ closedAt: row['closed_at'] as number | null, record: row['record'] as string },
  sums: Object.fromEntries(sumNames.map(name => [name, BigInt(row[name] as string)])) as ProgrammeSums,
})

type Dialect = Store['dialect']

const inTexts = (dialect: Dialect): string =>
  dialect === 'sqlite'
    ? 'IN (SELECT value FROM json_each(?))'
    : 'IN (SELECT value FROM json_array_elements_text(?::json))'

export const readProgramme = async (ask: Ask, id: string): Promise<Programme | undefined> => {
  const [row] = await ask<Row>(`SELECT ${programmeColumns} FROM cbdc_programmes WHERE id = ?`, [id])
  return row && programmeOf(row)
}

export const readProgrammes = async (ask: Ask, after: string, limit: number): Promise<Programme[]> => {
  const sql = `SELECT ${programmeColumns} FROM cbdc_programmes WHERE id > ? ORDER BY id LIMIT ?`
  return (await ask<Row>(sql, [after, limit])).map(programmeOf)
}

export const insertProgramme = async (ask: Ask, programme: Programme): Promise<void> => {
  const { id, currency, title, legalBasis, sponsor, payees, perBeneficiary, openedAt, endsAt, record } = programme
  await ask(
    `INSERT INTO cbdc_programmes (id, currency, title, legal_basis, sponsor, payees, per_beneficiary, opened_at,
       ends_at, closed_at, record, granted, spent, refunded, returned, taken)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, 0, 0, 0, 0, 0)`,
    [
      ...[id, currency, title, legalBasis, sponsor, JSON.stringify(payees)],
      ...[perBeneficiary === null ? null : String(perBeneficiary), openedAt, endsAt, record],
    ],
  )
}

const writeSums = async (ask: Ask, { id, sums }: Programme): Promise<void> => {
  const set = sumNames.map(name => `${name} = ?`).join(', ')
  await ask(`UPDATE cbdc_programmes SET ${set} WHERE id = ?`, [...sumNames.map(name => String(sums[name])), id])
}

const placeOf = (row: Row): KycPlace => ({
  ...{ issuer: row['issuer'] as string, list: row['list'] as number, index: row['place'] as number },
  until: row['until'] as number,
})

/** What a batch has read of purposes. Whoever writes to the tables writes here too: the batch does not read twice. */
export type Purposes = {
  accounts: Map<number, PurposeAccount>
  programmes: Map<string, Programme>
  /** By merchant account. */
  qualifications: Map<number, readonly Qualification[]>
}

const known = new WeakMap<Book, Purposes>()

/** What this batch knows; undefined while no account with a purpose has come up in it. */
export const purposesKnown = (book: Book): Purposes | undefined => known.get(book)

const purposesOf = (book: Book): Purposes => {
  const found = known.get(book) ?? { accounts: new Map(), programmes: new Map(), qualifications: new Map() }
  known.set(book, found)
  return found
}

type Part = Pick<Held, 'tx' | 'book'>

/** A programme as the batch sees it. */
export const programmeIn = async ({ tx, book }: Part, id: string): Promise<Programme | undefined> => {
  const purposes = purposesOf(book)
  const found = purposes.programmes.get(id) ?? (await readProgramme(tx.query, id))
  if (found !== undefined) purposes.programmes.set(id, found)
  return found
}

const loadAccounts = async ({ tx, book }: Part, dialect: Dialect, numbers: readonly number[]): Promise<void> => {
  const purposes = purposesOf(book)
  const wanted = numbers.filter(number => !purposes.accounts.has(number))
  if (wanted.length === 0) return
  const sql = `SELECT account, programme, cast(refunded AS TEXT) AS refunded FROM cbdc_purpose_accounts
    WHERE account ${inNumbers(dialect)}`
  const rows = await tx.query<Row>(sql, [JSON.stringify([...new Set(wanted)])])
  const missing = new Set(rows.map(row => row['programme'] as string).filter(id => !purposes.programmes.has(id)))
  if (missing.size > 0) {
    const programmes = `SELECT ${programmeColumns} FROM cbdc_programmes WHERE id ${inTexts(dialect)}`
    for (const programme of (await tx.query<Row>(programmes, [JSON.stringify([...missing])])).map(programmeOf)) {
      purposes.programmes.set(programme.id, programme)
    }
  }
  for (const row of rows) {
    const [account, programme] = [row['account'] as number, purposes.programmes.get(row['programme'] as string)]
    if (programme === undefined) throw new Error(`the account ${account} has a programme that is not there`)
    purposes.accounts.set(account, { account, programme, refunded: BigInt(row['refunded'] as string) })
  }
}

export const readQualifications = async (
  ask: Ask,
  dialect: Dialect,
  numbers: readonly number[],
): Promise<Map<number, Qualification[]>> => {
  const found = new Map<number, Qualification[]>(numbers.map(number => [number, []]))
  const sql = `SELECT account, issuer, list, place, credential_type, classes, until FROM cbdc_qualifications
    WHERE account ${inNumbers(dialect)} ORDER BY account, issuer, list, place`
  for (const row of await ask<Row>(sql, [JSON.stringify(numbers)])) {
    const classes = JSON.parse(row['classes'] as string) as PayeeClass[]
    const credentialType = row['credential_type'] as string
    found.get(row['account'] as number)?.push({ credentialType, place: placeOf(row), classes })
  }
  return found
}

const payeesOf = (book: Book, items: readonly BookItem[]): number[] =>
  items.flatMap(({ entry }) =>
    entry.kind === 'transfer' && book.state.account(entry.from)?.class === 'purpose' ? [entry.to] : [],
  )

/**
 * What judging these entries reads about purposes. Without an account that has one no statement is run.
 * @param named the accounts that the entries name, all of which were loaded.
 */
export const loadPurposes = async (
  held: Part,
  dialect: Dialect,
  items: readonly BookItem[],
  named: readonly number[],
): Promise<void> => {
  const { book, tx } = held
  const bound = named.filter(number => book.state.account(number)?.class === 'purpose')
  if (bound.length === 0) return
  await loadAccounts(held, dialect, bound)
  const { qualifications } = purposesOf(book)
  const payees = [...new Set(payeesOf(book, items))].filter(number => !qualifications.has(number))
  if (payees.length === 0) return
  for (const [number, found] of await readQualifications(tx.query, dialect, payees)) qualifications.set(number, found)
}

/** At once, so that a later order of the same batch finds it. */
export const bindAccount = async (
  { tx, book }: Part,
  { account, lead, programme }: { account: number; lead: number; programme: Programme },
): Promise<void> => {
  await tx.query(
    'INSERT INTO cbdc_purpose_accounts (account, programme, lead, refunded, ended) VALUES (?, ?, ?, 0, 0)',
    [account, programme.id, lead],
  )
  purposesOf(book).accounts.set(account, { account, programme, refunded: 0n })
}

/** Ends a programme at this time, for every order of the batch that comes later. */
export const endProgramme = async ({ tx, book }: Part, programme: Programme): Promise<void> => {
  const { at } = book
  await tx.query('UPDATE cbdc_programmes SET ends_at = ?, closed_at = ? WHERE id = ?', [at, at, programme.id])
  Object.assign(programme, { endsAt: at, closedAt: at })
}

/** What a batch found out about a merchant is out of date. */
export const requalified = ({ book }: Part, account: number, now: readonly Qualification[]): void => {
  purposesOf(book).qualifications.set(account, now)
}

export type PurposeChange = {
  /** Accounts to which more was refunded. */
  refunded: readonly PurposeAccount[]
  /** Accounts that were closed. */
  ended: readonly number[]
  programmes: readonly Programme[]
}

/** Writes what has changed, as it is now: whoever holds the ledger is the only one to write it. */
export const writePurposes = async (ask: Ask, { refunded, ended, programmes }: PurposeChange): Promise<void> => {
  for (const bound of refunded) {
    const sql = 'UPDATE cbdc_purpose_accounts SET refunded = ? WHERE account = ?'
    await ask(sql, [String(bound.refunded), bound.account])
  }
  for (const account of ended) await ask('UPDATE cbdc_purpose_accounts SET ended = 1 WHERE account = ?', [account])
  for (const programme of programmes) await writeSums(ask, programme)
}
