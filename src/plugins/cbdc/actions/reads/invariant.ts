import type { Row } from '../../../../kernel/ports.ts'
import type { AccountClass } from '../../ledger/facts.ts'
import type { Desk } from '../desk.ts'

/**
 * That no money is made or lost: of each currency, what is issued is what can be spent on the ledger, on the chain, and what is
 * in transit between them. One statement over the accounts, so it is cheap enough for every minute, and of one moment.
 */

type Part = Pick<Desk, 'house' | 'rail'>

/** Sums of one class of accounts of a currency, in minor units. */
type Sums = { balance: bigint; pendingDebits: bigint; pendingCredits: bigint }

/** A sum of 64-bit integers that no database can overflow or round: high and low halves apart, each as text. */
const halves = (of: string, name: string): string =>
  `cast(sum((${of}) >> 32) AS TEXT) AS ${name}_high, cast(sum((${of}) & 4294967295) AS TEXT) AS ${name}_low`

const sumsSql = `SELECT currency, class, ${halves('credits_posted - debits_posted', 'balance')},
    ${halves('debits_pending', 'pending_debits')}, ${halves('credits_pending', 'pending_credits')}
  FROM cbdc_accounts GROUP BY currency, class
  UNION ALL
  SELECT currency, '(reserved)', ${halves('remaining', 'balance')}, '0', '0', '0', '0'
  FROM cbdc_reservations WHERE state = 'pending' GROUP BY currency
  UNION ALL
  SELECT currency, direction, ${halves('amount', 'balance')}, '0', '0', '0', '0'
  FROM cbdc_moves WHERE state IN ('sent', 'suspended', 'stranded', 'ending') GROUP BY currency, direction`

type Group = AccountClass | '(reserved)' | 'toChain' | 'toLedger'

const readSums = async ({ house }: Part): Promise<Map<number, Map<Group, Sums>>> => {
  const currencies = new Map<number, Map<Group, Sums>>()
  for (const row of await house.store.read<Row>(sumsSql)) {
    const sum = (name: string): bigint =>
      BigInt(row[`${name}_high`] as string) * 4_294_967_296n + BigInt(row[`${name}_low`] as string)
    const groups = currencies.get(row['currency'] as number) ?? new Map<Group, Sums>()
    currencies.set(row['currency'] as number, groups)
    groups.set(row['class'] as Group, {
      ...{ balance: sum('balance'), pendingDebits: sum('pending_debits') },
      pendingCredits: sum('pending_credits'),
    })
  }
  return currencies
}

/** What does not hold, where something does not. */
export type Breach =
  /** Credits and debits of all accounts together differ. */
  | 'unbalanced'
  /** Pending debits, pending credits and what reservations hold differ. */
  | 'pending_differs'
  /** Accounts exist of a currency that the ledger does not keep. */
  | 'currency_unknown'
  /** There is more on the away rail than is locked at home. */
  | 'away_exceeds_home'

/** One currency, in minor units. */
export type CurrencyStanding = {
  currency: number
  code: string
  home: 'ledger' | 'chain'
  issued: bigint
  onLedger: bigint
  /** Null: it is not open on the chain, or the chain was not asked. */
  onChain: bigint | null
  inTransit: bigint | null
  /** What is in transit less what the ledger itself knows to be: not zero only while blocks wait for finality. */
  awaitingFinality: bigint | null
  breaches: Breach[]
}

export type InvariantReport = { at: number; holds: boolean; currencies: CurrencyStanding[] }

type Kept = { number: number; code: string; home: 'ledger' | 'chain' }
type OnChain = { supply: bigint; locked: bigint }

const none: Sums = { balance: 0n, pendingDebits: 0n, pendingCredits: 0n }

const breachesOf = (groups: ReadonlyMap<Group, Sums>, isKept: boolean): Breach[] => {
  const accounts = [...groups].filter(([group]) => !['(reserved)', 'toChain', 'toLedger'].includes(group))
  const total = (part: keyof Sums): bigint => accounts.reduce((sum, [, sums]) => sum + sums[part], 0n)
  const reserved = (groups.get('(reserved)') ?? none).balance
  const breaches: Breach[] = []
  if (!isKept && accounts.length > 0) breaches.push('currency_unknown')
  if (total('balance') !== 0n) breaches.push('unbalanced')
  if (total('pendingDebits') !== reserved || total('pendingCredits') !== reserved) breaches.push('pending_differs')
  return breaches
}

/**
 * At home on the ledger: the rail's account holds what went to the chain, which is there or in transit. At home on the chain: the rail's
 * account owes what came from there, for which the gate holds as much or more; the rest is in transit.
 */
const standingOf = (kept: Kept, groups: ReadonlyMap<Group, Sums>, chain: OnChain | undefined): CurrencyStanding => {
  const { number: currency, code, home } = kept
  const balanceOf = (group: Group): bigint => (groups.get(group) ?? none).balance
  const rail = balanceOf('rail')
  const outstanding = -(balanceOf('issuance') + rail)
  const knownInTransit = balanceOf('toChain') + balanceOf('toLedger')
  const breaches = breachesOf(groups, true)
  // Outstanding is what the ledger owes to others than the rail, so what can be spent on it.
  const away = home === 'ledger' ? rail - (chain?.supply ?? 0n) : (chain?.locked ?? 0n) + rail
  if (chain !== undefined && away < 0n) breaches.push('away_exceeds_home')
  const issued = home === 'ledger' ? -balanceOf('issuance') : chain === undefined ? outstanding : chain.supply
  // At home on the chain the gate's locked units are part of the supply, and spendable on the ledger instead.
  const onChain = chain === undefined ? null : home === 'ledger' ? chain.supply : chain.supply - chain.locked
  const inTransit = chain === undefined ? (home === 'ledger' ? rail : null) : away
  const awaitingFinality = chain === undefined || inTransit === null ? null : inTransit - knownInTransit
  return { currency, code, home, issued, onLedger: outstanding, onChain, inTransit, awaitingFinality, breaches }
}

const sorted = (a: bigint, b: bigint): bigint[] => [a, b].sort((one, other) => (one < other ? -1 : 1))
const lesser = (a: bigint, b: bigint): bigint => sorted(a, b)[0] ?? a
const greater = (a: bigint, b: bigint): bigint => sorted(a, b)[1] ?? a

/**
 * The chain before and after the ledger was read: money on its way between the two readings is no breach, so of both what speaks for
 * the ledger counts. Where nothing moved they are the same.
 */
const kindest = (before: OnChain | undefined, after: OnChain | undefined): OnChain | undefined =>
  before === undefined || after === undefined
    ? after
    : { supply: lesser(before.supply, after.supply), locked: greater(before.locked, after.locked) }

/**
 * @returns what does not hold, if anything; the caller says so wherever it is heard.
 * @throws Refusal unavailable while the chain cannot be asked
 */
export const checkInvariant = async (desk: Part): Promise<InvariantReport> => {
  const { house, rail } = desk
  const kept = await house.store.read<Row & Kept>('SELECT number, code, home FROM cbdc_currencies ORDER BY number')
  const ask = async (): Promise<Map<number, OnChain | undefined>> => {
    const standings = new Map<number, OnChain | undefined>()
    for (const { number } of kept) standings.set(number, await rail?.standing(number))
    return standings
  }
  const before = await ask()
  const sums = await readSums(desk)
  const after = await ask()
  const currencies = kept.map(each =>
    standingOf(each, sums.get(each.number) ?? new Map(), kindest(before.get(each.number), after.get(each.number))),
  )
  const known = new Set(kept.map(({ number }) => number))
  const strays = [...sums].flatMap(([currency, groups]): CurrencyStanding[] => {
    if (known.has(currency)) return []
    const breaches = breachesOf(groups, false)
    const stray = standingOf({ number: currency, code: String(currency), home: 'ledger' }, groups, undefined)
    return breaches.length === 0 ? [] : [{ ...stray, breaches }]
  })
  const all = [...currencies, ...strays]
  return { at: house.clock.now(), holds: all.every(({ breaches }) => breaches.length === 0), currencies: all }
}
