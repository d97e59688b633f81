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

export type SeedRun = {
  place: Place
  customers: number
  transfers: number
  /**
   * Not a new ledger but one of a nation that has stopped: its customers share the bank and the attestation of this account,
   * and come after those that there are.
   */
  beside?: number
}
/** The number of the first of them. */
export type Seeded = { first: number; seconds: number }

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

if (run.beside === undefined) await foundRows()
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

/** What stands there before: the head of the ledger, the clock of its batches, and whose customers the new ones are. */
const readGround = async () => {
  const { beside } = run
  const until = now + 300 * 86_400_000
  const spread = (at: string): string => `(n + n / 255) ${at} ${kycListLength}`
  if (beside === undefined) {
    const attestation = `'${bankAddress}', 2 * (${spread('/')}), ${spread('%')}, ${until}`
    const began = now - 3_600_000 - entries
    return { first: firstCustomer, entry: 0, batch: 0, began, stepMs: 1_000, servicer: own.bank as number, attestation }
  }
  const [head] = await source.query('SELECT * FROM cbdc_head')
  const [{ servicer, ...kyc }] = await source.query(
    `SELECT servicer, kyc_issuer, kyc_list, kyc_place, kyc_until FROM cbdc_accounts WHERE number = ${beside}`,
  )
  const attestation = `'${kyc.kyc_issuer}', ${kyc.kyc_list}, ${kyc.kyc_place}, ${kyc.kyc_until}`
  return {
    ...{ first: Number(head.next_account), entry: head.next_entry - 1, batch: head.next_batch - 1 },
    ...{ began: Number(head.last_time), stepMs: 1, servicer: Number(servicer), attestation },
  }
}
const ground = await readGround()

/** What the rules remember of somebody who paid and was paid before, but not lately. */
const rules = hexBytes(
  Buffer.from(writeMemory({ structured: [], passedOn: [], receivedAt: 0, received: 0n, paid: 0n })).toString('hex'),
)

const seedCustomers = async (): Promise<void> => {
  const { first, attestation } = ground
  const last = first + customers - 1
  const paid = rounds * paidMinor
  for (let from = first; from <= last; from += chunk) {
    await source.query(
      `${range(from, Math.min(last, from + chunk - 1))}
       INSERT INTO cbdc_accounts (${accountColumns}) SELECT n, 1, 0, scheme, prefix, x, ${rounds}, 0, ${paid}, 0,
       ${fundsMinor + paid}, 0, 0, 0, 0, 0, ${ground.entry + entries}, ${2 * rounds}, ${now - 1}, 'person', 2, n, 0, 0,
       ${fundsMinor}, ${rules}, 'XN', ${ground.servicer}, ${attestation}, ${now - 86_400_000}, ${now - 86_400_000},
       'consolidated 2026-05', 'clear', NULL FROM v JOIN bench_keys k ON k.at = v.n % ${keyCount}`,
    )
  }
}

/** What the customers of a nation have was issued to them as everything is. */
const seedIssued = (): Promise<unknown> =>
  source.query(
    `UPDATE cbdc_accounts SET debits_posted = debits_posted + ${customers * fundsMinor}
     WHERE number = (SELECT issuance FROM cbdc_currencies WHERE number = 1)`,
  )

/** One of everybody's payments a round: the payer by strides round the ring, the payee another distance on. */
const historyValues = (): string => {
  const { first, entry, batch, began, stepMs } = ground
  const payer = `${first} + ((n - 1) * ${stride} + r) % ${customers}`
  const payee = `${first} + ((n - 1) * ${stride} + r + 1 + r * 11) % ${customers}`
  const idTime = `${now - 3_600_000 - entries} + n`
  const raw = `'01' || payer8 || payee8 || '0001' || amount16 || '0000' || nonce8 || '7fffffff'`
  const fields = `SELECT n, r, ${payer} AS debit, ${payee} AS credit, ${idTime} AS made FROM (SELECT n, (n - 1) / ${customers} AS r FROM v)`
  const balance = `${fundsMinor}`
  const before = `CASE WHEN r = 0 THEN 0 ELSE ${entry} + n - ${customers} END`
  const places = `${entry} + n, ${batch} + (n + 999) / 1000, ${began} + (n + 999) / 1000 * ${stepMs}`
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
  const { first, entry, batch, began, stepMs } = ground
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
       SELECT ${batch} + n, ${began} + n * ${stepMs}, ${entry} + 1 + (n - 1) * 1000, 1000, ${root} FROM v`,
    )
  }
  await source.query(
    `UPDATE cbdc_head SET next_entry = ${entry + entries + 1}, next_batch = ${batch + batches + 1},
     last_time = ${began + batches * stepMs}, next_account = ${first + customers}`,
  )
}

const from = performance.now()
await seedKeys()
await (run.beside === undefined ? seedOwn() : seedIssued())
await seedCustomers()
await seedHistory()
if (sqlite) await source.query('PRAGMA journal_mode = WAL')
else for (const table of ['cbdc_accounts', 'cbdc_entries']) await source.query(`VACUUM ANALYZE ${table}`)
await source.destroy()
answer({ first: ground.first, seconds: (performance.now() - from) / 1_000 } satisfies Seeded)
