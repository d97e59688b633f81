import { DataSource } from 'typeorm'
import { storedPolicy } from '../../src/plugins/cbdc/actions/currencies.ts'
import type { CurrencyPolicy } from '../../src/plugins/cbdc/ledger/limits.ts'
import { writeMemory } from '../../src/plugins/cbdc/monitoring.ts'
import { answer, readInput } from '../child.ts'
import { keyCount, signerAt } from './keys.ts'
import { bankAddress, bankDid, firstCustomer, kycListLength, openMoneyStore, own, type Place } from './ledger.ts'

/**
 * Fills a ledger by plain SQL: so many customers with money, and transfers between them from round to round, in which
 * everybody pays once and is paid once. The rows are as the ledger itself would have left them, but for the signatures of
 * the past, which are random.
 */

export type SeedRun = { place: Place; customers: number; transfers: number }

const run = await readInput<SeedRun>()
const { place, customers, transfers } = run
const sqlite = 'file' in place
const now = Date.now()
/** Whole rounds only, so that what accounts hold agrees with the entries. */
const rounds = Math.floor(transfers / customers)
const entries = rounds * customers
const fundsMinor = 1_000_000
const paidMinor = 100
/** Distances on the ring of customers: coprime to their number as long as that has no such factor. */
const stride = 7_368_787
const chunk = 250_000

const tier = (level: number, perPaymentMinor: bigint, perDayMinor: bigint, holdingMinor: bigint | null) => ({
  ...{ level, perPaymentMinor, perDayMinor, holdingMinor },
})
const policy: CurrencyPolicy = {
  ...{ version: 1, validFrom: 0 },
  tiers: [tier(1, 10_000n, 20_000n, 50_000n), tier(2, 1_000_000n, 100_000_000n, 500_000_000n)],
  ...{ merchantsKeepMinor: 100_000n, keyOrderDelaySeconds: 86_400, reservationMostSeconds: 30 * 86_400 },
  ...{ interest: null, dormancy: null },
}

const foundRows = async (): Promise<void> => {
  const store = await openMoneyStore(place)
  await store.transaction(async tx => {
    const accounts = { issuance: 1, fees: 2, rail: 3, suspense: 4, interest: 5 }
    tx.insert('cbdc_currencies', [{ number: 1, code: 'CRD', decimals: 2, home: 'ledger', ...accounts, opened_at: now }])
    tx.insert('cbdc_policies', [
      { currency: 1, version: 1, valid_from: 0, record: '00'.repeat(16), policy: storedPolicy(policy) },
    ])
    const bank = { did: bankDid, currency: 1, account: own.bank, name: 'First Bank', ended_at: null }
    tx.insert('cbdc_participants', [{ ...bank, issuance_limit: '1000000000000', admitted_at: now }])
  })
  await store.close()
}

/** Straight to the database; on SQLite without a journal, since a seeding that is cut short is done again from nothing. */
const openPlain = async (): Promise<DataSource> => {
  const source = sqlite
    ? new DataSource({ type: 'sqlite', database: place.file })
    : new DataSource({
        ...{ type: 'postgres', url: place.databaseUrl, installExtensions: false },
        extra: { options: `-c search_path="${place.schema}" -c synchronous_commit=off` },
      })
  await source.initialize()
  if (sqlite) for (const pragma of ['journal_mode = OFF', 'synchronous = OFF']) await source.query(`PRAGMA ${pragma}`)
  return source
}

await foundRows()
const source = await openPlain()
const bytes = sqlite ? 'BLOB' : 'BYTEA'
/** `v.n` runs over a range of numbers, bounds included. */
const range = (from: number, to: number): string =>
  sqlite
    ? `WITH RECURSIVE v(n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM v WHERE n < ${to})`
    : `WITH v AS (SELECT generate_series(${from}::bigint, ${to}::bigint) AS n)`

const accountColumns = `number, currency, side, scheme, prefix, x, nonce, debits_pending, debits_posted, credits_pending,
  credits_posted, frozen, holds, linked, interest_day, closed, last_entry, entries, last_active, class, level, lead, day,
  spent, held, rules, jurisdiction, servicer, kyc_issuer, kyc_list, kyc_place, kyc_until, opened_at, screened_at,
  screening_list, screening_result, device`

const keys = Array.from({ length: keyCount }, (_, index) => signerAt(index).key)

const hexBytes = (hex: string): string => (sqlite ? `x'${hex}'` : `'\\x${hex}'::bytea`)

const seedKeys = async (): Promise<void> => {
  await source.query(
    `CREATE TEMPORARY TABLE bench_keys (at INTEGER PRIMARY KEY, scheme INTEGER, prefix INTEGER, x ${bytes})`,
  )
  const rows = keys.map(({ scheme, prefix, x }, at) => `(${at}, ${scheme}, ${prefix}, ${hexBytes(x)})`)
  await source.query(`INSERT INTO bench_keys VALUES ${rows.join(', ')}`)
}

/** The accounts of the currency and of the bank: the issuance account owes what customers have. */
const seedOwn = async (): Promise<void> => {
  const issued = customers * fundsMinor
  const classes = ['issuance', 'fees', 'rail', 'suspense', 'interest', 'treasury', 'reserve']
  for (const [at, name] of classes.entries()) {
    const side = name === 'issuance' ? 1 : 0
    const debits = name === 'issuance' ? issued : 0
    await source.query(
      `INSERT INTO cbdc_accounts (${accountColumns}) SELECT ${at + 1}, 1, ${side}, scheme, prefix, x, 0, 0, ${debits}, 0, 0,
       0, 0, 0, 0, 0, 0, 0, ${now}, '${name}', 0, ${at + 1}, 0, 0, 0, NULL, NULL, 0, NULL, NULL, NULL, NULL, ${now}, NULL,
       NULL, NULL, NULL FROM bench_keys WHERE at = 0`,
    )
  }
}

/** What the rules remember of somebody who paid and was paid before, but not lately. */
const rules = hexBytes(
  Buffer.from(writeMemory({ structured: [], passedOn: [], receivedAt: 0, received: 0n, paid: 0n })).toString('hex'),
)

const seedCustomers = async (): Promise<void> => {
  const last = firstCustomer + customers - 1
  const paid = rounds * paidMinor
  for (let from = firstCustomer; from <= last; from += chunk) {
    await source.query(
      `${range(from, Math.min(last, from + chunk - 1))}
       INSERT INTO cbdc_accounts (${accountColumns}) SELECT n, 1, 0, scheme, prefix, x, ${rounds}, 0, ${paid}, 0,
       ${fundsMinor + paid}, 0, 0, 0, 0, 0, ${entries}, ${2 * rounds}, ${now - 1}, 'person', 2, n, 0, 0, ${fundsMinor},
       ${rules}, 'XN', ${own.bank}, '${bankAddress}', 2 * ((n + n / 255) / ${kycListLength}), (n + n / 255) % ${kycListLength},
       ${now + 300 * 86_400_000}, ${now - 86_400_000}, ${now - 86_400_000}, 'consolidated 2026-05', 'clear', NULL
       FROM v JOIN bench_keys k ON k.at = v.n % ${keyCount}`,
    )
  }
}

const began = now - 3_600_000 - entries

/** One of everybody's payments a round: the payer by strides round the ring, the payee another distance on. */
const historyValues = (): string => {
  const payer = `${firstCustomer} + ((n - 1) * ${stride} + r) % ${customers}`
  const payee = `${firstCustomer} + ((n - 1) * ${stride} + r + 1 + r * 11) % ${customers}`
  const idTime = `${began} + n`
  const raw = `'01' || payer8 || payee8 || '0001' || amount16 || '0000' || nonce8 || '7fffffff'`
  const fields = `SELECT n, r, ${payer} AS debit, ${payee} AS credit, ${idTime} AS made FROM (SELECT n, (n - 1) / ${customers} AS r FROM v)`
  const balance = `${fundsMinor}`
  const before = `CASE WHEN r = 0 THEN 0 ELSE n - ${customers} END`
  const places = `n, (n + 999) / 1000, made`
  const amount = paidMinor.toString(16).padStart(16, '0')
  if (sqlite) {
    const text = raw
      .replace('payer8', `printf('%08x', debit)`)
      .replace('payee8', `printf('%08x', credit)`)
      .replace('amount16', `'${amount}'`)
      .replace('nonce8', `printf('%08x', r)`)
    return `SELECT ${places}, unhex(printf('%012x', made) || '7000' || '8' || substr(hex(randomblob(8)), 2)),
      unhex(${text} || hex(randomblob(64))), debit, credit, ${balance}, ${balance}, ${before}, ${before} FROM (${fields})`
  }
  const text = raw
    .replace('payer8', `lpad(to_hex(debit), 8, '0')`)
    .replace('payee8', `lpad(to_hex(credit), 8, '0')`)
    .replace('amount16', `'${amount}'`)
    .replace('nonce8', `lpad(to_hex(r), 8, '0')`)
  const random = `sha512(n::text::bytea)`
  return `SELECT ${places}, decode(lpad(to_hex(made), 12, '0') || '70008' || substr(md5(n::text), 1, 15), 'hex'),
    decode(${text}, 'hex') || ${random}, debit, credit, ${balance}, ${balance}, ${before}, ${before} FROM (${fields}) f`
}

const seedHistory = async (): Promise<void> => {
  const values = historyValues()
  for (let from = 1; from <= entries; from += chunk) {
    await source.query(
      `${range(from, Math.min(entries, from + chunk - 1))}
       INSERT INTO cbdc_entries (number, batch, at, id, raw, debit, credit, debit_balance, credit_balance, debit_before,
       credit_before) ${values}`,
    )
  }
  const batches = Math.ceil(entries / 1_000)
  const root = sqlite ? 'randomblob(32)' : 'sha256(n::text::bytea)'
  if (batches > 0) {
    await source.query(
      `${range(1, batches)} INSERT INTO cbdc_batches (number, at, first_entry, entries, root)
       SELECT n, ${began} + n * 1000, 1 + (n - 1) * 1000, 1000, ${root} FROM v`,
    )
  }
  await source.query(
    `UPDATE cbdc_head SET next_entry = ${entries + 1}, next_batch = ${batches + 1}, last_time = ${now - 1},
     next_account = ${firstCustomer + customers}`,
  )
}

const from = performance.now()
await seedKeys()
await seedOwn()
await seedCustomers()
await seedHistory()
if (sqlite) await source.query('PRAGMA journal_mode = WAL')
else for (const table of ['cbdc_accounts', 'cbdc_entries']) await source.query(`VACUUM ANALYZE ${table}`)
await source.destroy()
answer({ seconds: (performance.now() - from) / 1_000 })
