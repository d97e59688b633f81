import type { ChainLocks, ChainLockTerms } from '../../../../kernel/chain-locks.ts'
import { disclose } from '../../../../kernel/disclose.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { assertBodySigned } from '../../../../kernel/signed-body.ts'
import { railUnavailable, reservationNotYours } from '../../errors.ts'
import { earliestSecond, judgeLegs, type LegRail } from '../../ledger/lock-terms.ts'
import { readCurrencies } from '../currencies.ts'
import type { Desk } from '../desk.ts'
import { readerOf, seenAmong } from '../reads/who.ts'
import { readReservations } from '../rows.ts'
import { preimageOf } from './preimage.ts'

/** Hash time locks across the rails: a reservation here, a lock of the chain's Settlement there. */

/** @throws Refusal rail_unavailable */
const locksOf = ({ locks }: Pick<Desk, 'locks'>): ChainLocks => {
  if (locks === undefined) throw railUnavailable()
  return locks
}

const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString()

/**
 * What both parties need to lay down two legs that fit: how far apart they expire, where the chain's half stands, and what time it
 * is here.
 * @throws Refusal rail_unavailable, chain_unavailable
 */
export const getLockTerms = async (desk: Desk): Promise<Answer> => {
  const locks = locksOf(desk)
  const { store, clock } = desk.house
  const now = clock.now()
  const [network, money, currencies] = [
    await locks.network(),
    await locks.money(),
    await readCurrencies(store.read, now),
  ]
  const { chainId, contract: settlement, finalitySeconds, marginSeconds } = network
  const body = {
    ...{ ledgerTime: new Date(now).toISOString(), chainId, settlement, finalitySeconds, marginSeconds },
    currencies: currencies.all.map(({ number, code, decimals, policy }) => ({
      ...{ number, code, decimals, reservationMostSeconds: policy.reservationMostSeconds },
      money: money.get(number) ?? null,
    })),
  }
  return { status: 200, body }
}

type StatedTerms = Omit<ChainLockTerms, 'amountMinor' | 'deliveryId'> & { amountMinor: string; deliveryId: string }
type InspectBody = { lock: StatedTerms; first: LegRail; ledgerAmountMinor: string }

const lower = <Key extends string>(terms: Record<Key, string>, keys: readonly Key[]): Record<Key, string> =>
  Object.fromEntries(keys.map(key => [key, terms[key].toLowerCase()])) as Record<Key, string>

const termsOf = (lock: StatedTerms): ChainLockTerms => ({
  ...lock,
  ...lower(lock, ['payer', 'payee', 'arbiter', 'money', 'delivery', 'hashLock', 'salt']),
  ...{ amountMinor: BigInt(lock.amountMinor), deliveryId: BigInt(lock.deliveryId) },
})

const currencyOf = async (locks: ChainLocks, money: string): Promise<number | null> => {
  for (const [number, address] of await locks.money()) if (address === money) return number
  return null
}

/**
 * Holds a reservation against the lock that is, or shall be, its other leg: which conditions of a safe exchange hold, and the
 * preimage once either leg was claimed with it. Whose wallet the chain's money comes from and goes to only the parties know.
 * @throws Refusal rail_unavailable, chain_unavailable, agency_body_mismatch; reservation_not_yours, which also answers for numbers that none has
 */
export const inspectLock = async (desk: Desk, context: Context): Promise<Answer> => {
  const locks = locksOf(desk)
  assertBodySigned(context.caller, context.body)
  const reader = readerOf(desk, context)
  const { store, clock } = desk.house
  const stated = context.body as InspectBody
  const number = Number(context.params['reservation'])
  const body = await disclose(desk.house, {
    ...{ operation: 'inspectLock', requires: reader.requires, caller: reader.caller },
    input: { reservation: number, ...stated },
    async read() {
      const [found] = await readReservations(store.read, store.dialect, [number])
      if (found === undefined) throw reservationNotYours()
      const parties = [found.from, found.to, ...(found.arbiter === 0 ? [] : [found.arbiter])]
      if ((await seenAmong(desk, reader, parties)).size === 0) throw reservationNotYours()
      const terms = termsOf(stated.lock)
      const [apart, lock] = [await locks.network(), await locks.look(terms)]
      // Read again after the chain: what was claimed there first may have been paid here since.
      const [reservation = found] = await readReservations(store.read, store.dialect, [number])
      const now = clock.now()
      const agreed = { first: stated.first, ledgerAmountMinor: BigInt(stated.ledgerAmountMinor) }
      const conditions = judgeLegs({ reservation, terms, lock, agreed, apart, now: Math.floor(now / 1_000) })
      const preimage = await preimageOf(store.read, reservation)
      const firstExpiry = agreed.first === 'chain' ? terms.expiry : reservation.expiry
      return {
        ...{ holds: conditions.every(({ holds }) => holds), conditions },
        ...{ ledgerTime: new Date(now).toISOString(), earliestSecond: iso(earliestSecond(firstExpiry, apart)) },
        ledger: {
          ...{ reservation: number, currency: reservation.currency, state: reservation.state },
          ...{ amountMinor: String(reservation.amount), remainingMinor: String(reservation.remaining) },
          ...{ expiry: iso(reservation.expiry), lockHash: reservation.lockHash, ...(preimage && { preimage }) },
        },
        chain: {
          ...{ lockId: lock.lockId, state: lock.state, newestState: lock.newest, block: lock.block },
          ...{ blockTime: iso(lock.blockTime), currency: await currencyOf(locks, terms.money) },
          ...{ expiry: iso(terms.expiry), ...(lock.preimage && { preimage: lock.preimage }) },
        },
      }
    },
  })
  return { status: 200, body }
}
