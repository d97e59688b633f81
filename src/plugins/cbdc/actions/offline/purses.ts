import { kinds, type OwnerKey } from '../../../../kernel/ledger-entry.ts'
import type { Row, Store, Tx } from '../../../../kernel/ports.ts'
import type { PurseCertificate, VoucherTerms } from '../../ledger/voucher.ts'
import type { CbdcNeeds } from '../../needs.ts'
import { purseOffline } from '../../offline/errors.ts'
import type { Book, BookItem } from '../book.ts'
import { type Ask, inNumbers, perDialect } from '../rows.ts'

/**
 * Purses that pay offline. While a certificate is in force nothing that the owner says leaves the purse but vouchers: payees rely on
 * what is in it. It is in force until its vouchers are no longer valid, or until nothing further can be valid: its cap is
 * spent, or every nonce of it is used. Nobody can end it earlier, since nobody can know what was signed meanwhile.
 */

/** Times in seconds. `spent` and `used`: what was entered of it, and how many of its nonces are gone. */
export type Certificate = {
  id: string
  account: number
  currency: number
  nonce: number
  most: number
  cap: bigint
  spent: bigint
  used: number
  issuedAt: number
  expires: number
  validUntil: number
  key: OwnerKey
}

const columns = `id, account, currency, nonce, most, cast(cap AS TEXT) AS cap, cast(spent AS TEXT) AS spent, used,
  issued_at, expires, valid_until, scheme, prefix, x`

const certificateOf = (row: Row): Certificate => ({
  ...{ id: row['id'] as string, account: row['account'] as number, currency: row['currency'] as number },
  ...{ nonce: row['nonce'] as number, most: row['most'] as number, used: row['used'] as number },
  ...{ cap: BigInt(row['cap'] as string), spent: BigInt(row['spent'] as string) },
  ...{ issuedAt: row['issued_at'] as number, expires: row['expires'] as number },
  validUntil: row['valid_until'] as number,
  key: {
    ...{ scheme: row['scheme'] as number, prefix: row['prefix'] as number },
    x: Buffer.from(row['x'] as Uint8Array).toString('hex'),
  },
})

/** As the index of certificates in force has it. */
export const unspent = 'spent < cap AND used < most'

/** Those of some purses that are in force, of each at most one. @param at milliseconds */
const readInForce = async (
  ask: Ask,
  dialect: Store['dialect'],
  accounts: readonly number[],
  at: number,
): Promise<Certificate[]> => {
  const sql = `SELECT ${columns} FROM cbdc_purse_certificates
    WHERE account ${inNumbers(dialect)} AND ${unspent} AND valid_until > ?`
  return (await ask(sql, [JSON.stringify(accounts), Math.floor(at / 1_000)])).map(certificateOf)
}

/** By what a voucher says of its certificate. */
export type CertificateName = Pick<Certificate, 'account' | 'validUntil'>

const inPairs = perDialect(dialect =>
  dialect === 'sqlite'
    ? 'IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))'
    : 'IN (SELECT (value ->> 0)::bigint, (value ->> 1)::bigint FROM json_array_elements(?::json))',
)

/** Those that are named, as far as there are such. */
export const readNamed = async (
  ask: Ask,
  dialect: Store['dialect'],
  names: readonly CertificateName[],
): Promise<Certificate[]> => {
  if (names.length === 0) return []
  const pairs = names.map(({ account, validUntil }) => [account, validUntil])
  const sql = `SELECT ${columns} FROM cbdc_purse_certificates WHERE (account, valid_until) ${inPairs[dialect]}`
  return (await ask(sql, [JSON.stringify(pairs)])).map(certificateOf)
}

export const readCertificate = async (ask: Ask, id: string): Promise<Certificate> => {
  const [row] = await ask(`SELECT ${columns} FROM cbdc_purse_certificates WHERE id = ?`, [id])
  if (row === undefined) throw new Error(`no certificate ${id}`)
  return certificateOf(row)
}

/** The newest of a purse. */
export const lastCertificate = async (ask: Ask, account: number): Promise<Certificate | undefined> => {
  const sql = `SELECT ${columns} FROM cbdc_purse_certificates WHERE account = ?
    ORDER BY nonce DESC, issued_at DESC, valid_until DESC LIMIT 1`
  const [row] = await ask(sql, [account])
  return row && certificateOf(row)
}

export const writeCertificate = (tx: Tx, certificate: Certificate): Promise<unknown> => {
  const { id, account, currency, nonce, most, cap, spent, used, issuedAt, expires, validUntil, key } = certificate
  return tx.query(
    `INSERT INTO cbdc_purse_certificates (id, account, currency, nonce, most, cap, spent, used, issued_at, expires,
       valid_until, scheme, prefix, x, freeze_order) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)`,
    [
      ...[id, account, currency, nonce, most, String(cap), String(spent), used, issuedAt, expires, validUntil],
      ...[key.scheme, key.prefix, Buffer.from(key.x, 'hex')],
    ],
  )
}

/** Whether a voucher of it may still come that the ledger would enter. @param at milliseconds */
export const isInForce = ({ validUntil, spent, cap, used, most }: Certificate, at: number): boolean =>
  at < validUntil * 1_000 && spent < cap && used < most

export const termsOf = ({ account, currency, nonce, most, validUntil, cap }: Certificate): VoucherTerms => ({
  ...{ account, currency, nonce, vouchersMost: most, validUntil, cap },
})

/** What the ledger states of it; the same however often it is stated. */
export const statedOf = (
  { did, domain }: Pick<CbdcNeeds, 'did' | 'domain'>,
  certificate: Certificate,
): PurseCertificate => {
  const { id, account, currency, nonce, most, cap, issuedAt, expires, validUntil, key } = certificate
  return {
    ...{ iss: did, jti: id, iat: issuedAt, exp: expires, validUntil, domain, account, currency, key, nonce },
    ...{ vouchersMost: most, capMinor: String(cap) },
  }
}

/** Until when a purse is offline, ms, and what may still be paid from it; 0: it is online. */
type Standing = { until: number; promised: bigint }
const online: Standing = { until: 0, promised: 0n }

/** Of the purses that a batch deals with. */
const standings = new WeakMap<Book, Map<number, Standing>>()

const standingsOf = (book: Book): Map<number, Standing> => {
  const known = standings.get(book) ?? new Map<number, Standing>()
  standings.set(book, known)
  return known
}

/** A certificate that was given or used in this batch counts for what comes later in it; an ended one never ends another. */
export const setStanding = (book: Book, certificate: Certificate): void => {
  const { account, validUntil, cap, spent } = certificate
  const [known, until] = [standingsOf(book), validUntil * 1_000]
  if (isInForce(certificate, book.at)) known.set(account, { until, promised: cap - spent })
  else if (known.get(account)?.until === until) known.set(account, online)
}

/** Whose money an entry moves, or what account it speaks for, by word of the owner: given now, or laid down before. */
const speakerOf = (entry: BookItem['entry']): number | undefined => {
  const isOwners = 'nonce' in entry || kinds[entry.kind].authority === 'instruction'
  if (!isOwners) return undefined
  if ('from' in entry) return entry.from
  return 'account' in entry ? entry.account : undefined
}

type Reading = { book: Book; tx: Pick<Tx, 'query'> }

/** What `assertOnline` needs to know of the purses that speak in these entries, or that receive. */
export const loadPurses = async (
  { book, tx }: Reading,
  dialect: Store['dialect'],
  accounts: readonly (number | undefined)[],
): Promise<void> => {
  const known = standingsOf(book)
  const purses = [...new Set(accounts)].filter(
    (number): number is number =>
      number !== undefined && !known.has(number) && book.state.account(number)?.class === 'purse',
  )
  if (purses.length === 0) return
  for (const number of purses) known.set(number, online)
  for (const certificate of await readInForce(tx.query, dialect, purses, book.at)) setStanding(book, certificate)
}

export const pursesIn = (items: readonly BookItem[]): (number | undefined)[] =>
  items.flatMap(({ entry }) => [speakerOf(entry), 'to' in entry ? entry.to : undefined])

/** ms; undefined of accounts that are online. @throws of a purse that was not looked up: nothing is taken for granted. */
export const offlineUntil = (book: Book, number: number): number | undefined => {
  if (book.state.account(number)?.class !== 'purse') return undefined
  const standing = standingsOf(book).get(number)
  if (standing === undefined) throw new Error(`it is not known whether the purse ${number} is offline`)
  return standing.until > book.at ? standing.until : undefined
}

/** What payees of an offline purse may have been promised and is still in it, in minor units. */
export const promisedBy = (book: Book, number: number): bigint =>
  offlineUntil(book, number) === undefined ? 0n : (standingsOf(book).get(number)?.promised ?? 0n)

/** Whether money may leave an account otherwise than by a voucher; a purse that was not looked up keeps what it has. */
export const isOnline = (book: Book, number: number): boolean =>
  book.state.account(number)?.class !== 'purse' || (standingsOf(book).get(number)?.until ?? Number.MAX_VALUE) <= book.at

/** @throws Refusal purse_offline */
export const assertOnline = (book: Book, { entry, basis }: Pick<BookItem, 'entry' | 'basis'>): void => {
  const speaker = basis === 'voucher' ? undefined : speakerOf(entry)
  const until = speaker === undefined ? undefined : offlineUntil(book, speaker)
  if (until !== undefined) throw purseOffline(new Date(until).toISOString())
}
