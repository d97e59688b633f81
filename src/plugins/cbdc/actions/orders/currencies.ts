import { digestOf } from '../../../../kernel/canonical.ts'
import type { EntryOf } from '../../../../kernel/ledger-entry.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { currencyDiffersOnChain, currencyTaken, currencyUnknown, policyInPast } from '../../errors.ts'
import type { AccountClass } from '../../ledger/facts.ts'
import { orderRequires } from '../../policy.ts'
import { orderOf } from '../accounts.ts'
import type { BookItem } from '../book.ts'
import { type Home, policyOf, readCurrencies, storedPolicy } from '../currencies.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { allOf } from '../execute.ts'
import { currencyParam } from './order.ts'
import { type PolicyBody, type PolicyTerms, policyTerms, policyView } from './policy-body.ts'

/** In the order in which they are opened. */
const ownClasses = ['issuance', 'fees', 'rail', 'suspense', 'interest', 'treasury'] as const satisfies AccountClass[]

type OpenBody = { number: number; code: string; decimals: number; home: Home; policy: PolicyBody }

/** @throws Refusal currency_taken */
const assertFree = async ({ tx }: Held, number: number, code: string): Promise<void> => {
  const taken = 'SELECT number FROM cbdc_currencies WHERE number = ? OR code = ?'
  if ((await tx.query(taken, [number, code])).length > 0) throw currencyTaken()
}

/**
 * The ledger would otherwise issue what comes into being on the chain, or count it in other units.
 * @throws Refusal currency_differs_on_chain
 */
const assertAsOnChain = async ({ rail }: Desk, { number, home, decimals }: OpenBody): Promise<void> => {
  const found = await rail?.standing(number)
  if (found === undefined || (found.home === home && found.decimals === decimals)) return
  throw currencyDiffersOnChain(found.home, found.decimals)
}

/**
 * What covers what: debits of the issuance account are what circulates; for a currency of the chain those of the rail
 * are.
 */
const sideOf = (kind: (typeof ownClasses)[number], home: Home): number =>
  kind === (home === 'ledger' ? 'issuance' : 'rail') ? 1 : 0

const openings = (desk: Desk, { book, record }: Held, currency: number, home: Home): BookItem[] =>
  ownClasses.map((kind, at) => {
    const account = book.state.nextAccount + at
    const order = orderOf(record.id)
    const entry: EntryOf<'open'> = {
      ...{ kind: 'open', account, currency, side: sideOf(kind, home), order },
      ...desk.ownKey,
    }
    return { entry, signer: undefined, facts: { class: kind, lead: account } }
  })

const writePolicy = async (
  { tx, record }: Held,
  { currency, version, validFrom }: { currency: number; version: number; validFrom: number },
  terms: PolicyTerms,
): Promise<void> => {
  const policy = storedPolicy({ ...terms, version, validFrom })
  await tx.query('INSERT INTO cbdc_policies (currency, version, valid_from, policy, record) VALUES (?, ?, ?, ?, ?)', [
    currency,
    version,
    validFrom,
    policy,
    record.id,
  ])
  record.effect(digestOf({ currency, version, validFrom, policy }))
}

/**
 * Opens a currency with the accounts of its own and its first policy, which is in force at once.
 * @throws Refusal currency_taken, policy_invalid, currency_differs_on_chain
 */
export const openCurrency = async (desk: Desk, context: Context): Promise<Answer> => {
  const body = context.body as OpenBody
  const { number, code, decimals, home } = body
  const terms = policyTerms(body.policy, home)
  await assertAsOnChain(desk, body)
  const answer = await desk.ledger.execute({
    ...{ operation: 'openCurrency', requires: orderRequires.govern, caller: context.caller, input: body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: async held => {
      await assertFree(held, number, code)
      return [openings(desk, held, number, home)]
    },
    async answer(held, outcomes) {
      const opened = allOf(outcomes)
      const at = held.book.at
      const accounts = Object.fromEntries(ownClasses.map((kind, place) => [kind, opened[place]?.debit ?? 0])) as Record<
        (typeof ownClasses)[number],
        number
      >
      const { issuance, fees, rail, suspense, interest, treasury } = accounts
      await held.tx.query(
        `INSERT INTO cbdc_currencies (number, code, decimals, home, issuance, fees, rail, suspense, interest, opened_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [number, code, decimals, home, issuance, fees, rail, suspense, interest, at],
      )
      held.tx.insert('cbdc_treasuries', [{ currency: number, account: treasury }])
      // The time of batches may be ahead of the clock that reads go by.
      const validFrom = Math.min(desk.house.clock.now(), at)
      await writePolicy(held, { currency: number, version: 1, validFrom }, terms)
      return { currency: number, code, decimals, home, accounts, openedAt: new Date(at).toISOString() }
    },
  })
  return { status: 201, body: answer }
}

type SetPolicyBody = { validFrom: string; policy: PolicyBody }
type CurrencyRow = Row & { home: Home }
type VersionRow = Row & { version: number }

/**
 * What counts for a currency from a time on. It never changes what counted before.
 * @throws Refusal currency_unknown, policy_invalid, policy_in_past
 */
export const setPolicy = async (desk: Desk, context: Context): Promise<Answer> => {
  const currency = currencyParam(context)
  const body = context.body as SetPolicyBody
  const validFrom = Date.parse(body.validFrom)
  const answer = await desk.ledger.execute({
    ...{ operation: 'setPolicy', requires: orderRequires.govern, caller: context.caller, input: { currency, body } },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      const { tx, book } = held
      const [known] = await tx.query<CurrencyRow>('SELECT home FROM cbdc_currencies WHERE number = ?', [currency])
      if (known === undefined) throw currencyUnknown()
      const terms = policyTerms(body.policy, known.home)
      if (Number.isNaN(validFrom) || validFrom <= book.at) throw policyInPast()
      const newest = 'SELECT version FROM cbdc_policies WHERE currency = ? ORDER BY version DESC LIMIT 1'
      const version = ((await tx.query<VersionRow>(newest, [currency]))[0]?.version ?? 0) + 1
      await writePolicy(held, { currency, version, validFrom }, terms)
      return { currency, ...policyView({ ...terms, version, validFrom }) }
    },
  })
  return { status: 201, body: answer }
}

/** The currencies of the ledger, for anyone, with the numbers of the accounts that are their own. */
export const listCurrencies = async (desk: Desk): Promise<Answer> => {
  const sql = `SELECT c.number, c.code, c.decimals, c.home, c.issuance, c.fees, c.rail, c.suspense, c.interest,
      c.opened_at, t.account AS treasury
    FROM cbdc_currencies c LEFT JOIN cbdc_treasuries t ON t.currency = c.number ORDER BY c.number`
  const rows = await desk.house.store.read(sql)
  const items = rows.map(row => ({
    ...{ currency: row['number'], code: row['code'], decimals: row['decimals'], home: row['home'] },
    accounts: Object.fromEntries(ownClasses.flatMap(kind => (row[kind] === null ? [] : [[kind, row[kind]]]))),
    openedAt: new Date(row['opened_at'] as number).toISOString(),
  }))
  return { status: 200, body: { items } }
}

/**
 * The policy in force, those to come, and with `at` the one that was in force then: what counts is public.
 * @throws Refusal currency_unknown, policy_missing
 */
export const getPolicy = async (desk: Desk, context: Context): Promise<Answer> => {
  const currency = currencyParam(context)
  const { store, clock } = desk.house
  const now = clock.now()
  const at = context.query['at'] === undefined ? now : Date.parse(context.query['at'])
  const { policy, code } = (await readCurrencies(store.read, at)).of(currency)
  const sql =
    'SELECT version, valid_from, policy FROM cbdc_policies WHERE currency = ? AND valid_from > ? ORDER BY version'
  const coming = await store.read(sql, [currency, now])
  return {
    status: 200,
    body: { currency, code, policy: policyView(policy), coming: coming.map(policyOf).map(policyView) },
  }
}
