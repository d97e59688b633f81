import type { IssuedCredential } from '../../../kernel/identity.ts'
import { type Asked, type ListedAct, type Outcome, performAll } from '../../../kernel/perform.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { together } from '../../../kernel/together.ts'
import type { Spending } from '../authorization/needs.ts'
import type { Desk } from '../desk.ts'
import { requestDenied } from '../errors.ts'
import type { Taking } from '../issuances.ts'
import { commit } from './credential.ts'
import { addDelivery } from './deliveries.ts'

/** Credentials that are signed, for an issuance that was open when it was read. */
export type Collecting = {
  asked: Asked
  /** Of the delivery: a digest of what was asked for. */
  id: string
  taking: Taking
  uses: readonly Spending[]
  issued: readonly IssuedCredential[]
}

type CollectingDesk = Pick<Desk, 'house' | 'spend' | 'book' | 'issuance' | 'deliveryKeys'>

/** @returns whether everything of it counted for the first time. */
const spendAll = async (desk: CollectingDesk, tx: Tx, uses: readonly Spending[]): Promise<boolean> => {
  // All of them are asked for in this turn, and wait for the same statement.
  const outcomes = await Promise.allSettled(uses.map(each => desk.spend(tx, each)))
  const failed = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason] : []))
  for (const reason of failed) if (!isRefusal(reason)) throw reason
  return failed.length === 0
}

/**
 * Credentials that are collected as most are: the first time, of an offer that nobody has to release and that nobody else changed
 * meanwhile. Requests that come in together are written together: nonces and proofs are used up in one statement, times of the
 * offers in another.
 * @returns whether it was collected; if not, nothing stands of it but that its nonces are used up for it, and it is to be tried by itself.
 */
export const openCollecting = (desk: CollectingDesk): ((collecting: Collecting) => Promise<boolean>) => {
  const take = async (all: readonly Collecting[]): Promise<Outcome<boolean>[]> => {
    const list: ListedAct<boolean> = async (tx, run) => {
      const spent = await Promise.all(all.map(({ uses }) => spendAll(desk, tx, uses)))
      const takings = all.flatMap(({ taking }, at) => (spent[at] === true ? [taking] : []))
      const taken = takings.length === 0 ? new Set<string>() : await desk.book.takeAll(tx, takings)
      await run(async (at, record) => {
        const { id, taking, issued } = all[at] as Collecting
        const { issuance, configurationId } = taking
        if (spent[at] !== true || !taken.has(issuance.id)) throw requestDenied('It is to be tried by itself.')
        for (const each of issued) {
          desk.issuance.store(tx, each)
          commit(record, each)
        }
        addDelivery(tx, desk.deliveryKeys, {
          ...{ id, issuance: issuance.id, configuration: configurationId, state: 'delivered', holders: [] },
          ...{ credentials: issued.map(each => each.id), at: desk.house.clock.now() },
        })
        return true
      })
    }
    return performAll(
      desk.house,
      all.map(({ asked }) => asked),
      list,
    )
  }
  const collect = together<Collecting, Outcome<boolean>>(({ taking }) => taking.issuance.id, take)
  return async collecting => {
    try {
      return (await collect(collecting)).done
    } catch (error) {
      // Whether it was written is not known: tried again it could be collected twice.
      if (isRefusal(error)) throw error
      return false
    }
  }
}
