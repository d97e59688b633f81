/**
 * Which obligations between banks settle together. Pure: no clock, no store.
 *
 * The rule. Each payer's obligations stand in an order: the higher priority first (9 before 0), then the earlier. At
 * first all are in. While some payer's net debit is beyond its limit, or its net debit towards one counterparty beyond
 * its limit for that one, the last of that payer's obligations still in is left out. What remains is the greatest set
 * in which nobody's obligation passes an earlier one of the same payer: every other such set is part of it, whichever
 * payer is looked at first (M. Bech, K. Soramäki, Gridlock Resolution in Interbank Payment Systems, Bank of Finland
 * 2001). Then what was left out is looked at in the same order across all payers, and taken in where everything still
 * holds, again and again until nothing can be: a lower one so passes a higher one only where that one has been found
 * not to fit, and takes out none that is in.
 */

/** Amounts are minor units. `limit`: the most that the participant may come to owe, not negative. */
export type NettingParticipant = { account: number; limit: bigint }

/** The most that `from` may come to owe `to` alone, not negative. */
export type BilateralLimit = { from: number; to: number; limit: bigint }

/** `order`: of submission; no two have the same. */
export type Obligation = { order: number; from: number; to: number; amount: bigint; priority: number }

export type Netted<Given extends Obligation> = {
  /** In the order in which they settle. */
  settled: readonly Given[]
  left: readonly Given[]
  /** What each participant gets, or as a negative number owes; they add up to zero. */
  nets: ReadonlyMap<number, bigint>
}

type Positions = {
  enter(obligation: Obligation): void
  remove(obligation: Obligation): void
  net(account: number): bigint
  /** Whether the payer's limits hold. */
  holds(account: number): boolean
  /** Whether the payer's limits would hold with this one as well; the payee's hold all the more. */
  wouldHold(obligation: Obligation): boolean
}

const pairOf = (from: number, to: number): string => `${from}>${to}`

const openPositions = (
  participants: readonly NettingParticipant[],
  bilateral: readonly BilateralLimit[],
): Positions => {
  const limits = new Map(participants.map(({ account, limit }) => [account, limit]))
  const pairLimits = new Map<number, Map<number, bigint>>()
  for (const { from, to, limit } of bilateral) {
    const of = pairLimits.get(from) ?? new Map<number, bigint>()
    const known = of.get(to)
    of.set(to, known === undefined || limit < known ? limit : known)
    pairLimits.set(from, of)
  }
  const nets = new Map<number, bigint>()
  /** What goes from one to the other, gross. */
  const gross = new Map<string, bigint>()
  const net = (account: number): bigint => nets.get(account) ?? 0n
  const owed = (from: number, to: number): bigint =>
    (gross.get(pairOf(from, to)) ?? 0n) - (gross.get(pairOf(to, from)) ?? 0n)
  const move = ({ from, to }: Obligation, amount: bigint): void => {
    nets.set(from, net(from) - amount)
    nets.set(to, net(to) + amount)
    const pair = pairOf(from, to)
    gross.set(pair, (gross.get(pair) ?? 0n) + amount)
  }
  // Whoever has no limit stated may owe nothing.
  const limitOf = (account: number): bigint => limits.get(account) ?? 0n
  return {
    net,
    enter: obligation => move(obligation, obligation.amount),
    remove: obligation => move(obligation, -obligation.amount),
    holds(account) {
      if (-net(account) > limitOf(account)) return false
      for (const [to, limit] of pairLimits.get(account) ?? []) if (owed(account, to) > limit) return false
      return true
    },
    wouldHold({ from, to, amount }) {
      const pairLimit = pairLimits.get(from)?.get(to)
      const within = pairLimit === undefined || owed(from, to) + amount <= pairLimit
      return within && amount - net(from) <= limitOf(from)
    },
  }
}

/** Payers whose limits may not hold any more are looked at until all do. */
const leaveOut = <Given extends Obligation>(positions: Positions, queues: ReadonlyMap<number, Given[]>): void => {
  const doubtful = [...queues.keys()]
  for (let payer = doubtful.pop(); payer !== undefined; payer = doubtful.pop()) {
    while (!positions.holds(payer)) {
      const last = queues.get(payer)?.pop()
      // Without an obligation of its own a participant owes nothing.
      if (last === undefined) throw new Error(`the limits of ${payer} do not hold though it owes nothing`)
      positions.remove(last)
      doubtful.push(last.to)
    }
  }
}

const takeIn = <Given extends Obligation>(positions: Positions, left: readonly Given[]): Given[] => {
  const taken: Given[] = []
  for (let [rest, before] = [left, -1]; rest.length !== before; ) {
    before = rest.length
    rest = rest.filter(obligation => {
      if (!positions.wouldHold(obligation)) return true
      positions.enter(obligation)
      taken.push(obligation)
      return false
    })
  }
  return taken
}

/** The order of obligations: by priority, then by submission. */
export const byUrgency = (a: Obligation, b: Obligation): number => b.priority - a.priority || a.order - b.order

/**
 * @throws RangeError for a negative limit, an amount that is not positive, or an obligation to oneself: nothing such is
 * ever recorded.
 */
export const settleNet = <Given extends Obligation>(
  participants: readonly NettingParticipant[],
  bilateral: readonly BilateralLimit[],
  obligations: readonly Given[],
): Netted<Given> => {
  const sound =
    [...participants, ...bilateral].every(({ limit }) => limit >= 0n) &&
    obligations.every(({ amount, from, to }) => amount > 0n && from !== to)
  if (!sound) throw new RangeError('limits are not negative, amounts positive, and nobody owes themselves')
  const positions = openPositions(participants, bilateral)
  const queues = new Map<number, Given[]>()
  for (const obligation of obligations.toSorted(byUrgency)) {
    positions.enter(obligation)
    const queue = queues.get(obligation.from)
    if (queue === undefined) queues.set(obligation.from, [obligation])
    else queue.push(obligation)
  }
  leaveOut(positions, queues)
  const inside = new Set([...queues.values()].flat())
  const outside = obligations.filter(obligation => !inside.has(obligation)).sort(byUrgency)
  for (const taken of takeIn(positions, outside)) inside.add(taken)
  const accounts = new Set([
    ...participants.map(({ account }) => account),
    ...obligations.flatMap(({ from, to }) => [from, to]),
  ])
  return {
    settled: [...inside].sort(byUrgency),
    left: outside.filter(obligation => !inside.has(obligation)),
    nets: new Map([...accounts].sort((a, b) => a - b).map(account => [account, positions.net(account)])),
  }
}
