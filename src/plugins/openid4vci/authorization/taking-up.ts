import { type Asked, type ListedAct, type Outcome, performAll } from '../../../kernel/perform.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { together } from '../../../kernel/together.ts'
import type { Client } from './client.ts'
import { codeUnknown } from './errors.ts'
import type { AuthorizationDesk } from './needs.ts'
import { preAuthorizedAnswer, takeUp } from './redeem.ts'
import type { TokenAnswer } from './tokens.ts'

/** A pre-authorized code of which nothing else is asked, and the wallet that brings it, with a key that its token is bound to. */
export type TakingUp = { asked: Asked; code256: string; client: Client }

/**
 * Pre-authorized codes as most are redeemed: without a transaction code, for the first time. Requests that come in together are
 * written together.
 * @returns the answer; undefined for a code that has to be tried by itself, of which nothing is changed.
 */
export const openTakingUp = (desk: AuthorizationDesk): ((taking: TakingUp) => Promise<TokenAnswer | undefined>) => {
  const take = async (all: readonly TakingUp[]): Promise<Outcome<TokenAnswer>[]> => {
    const list: ListedAct<TokenAnswer> = async (tx, run) => {
      const codes = all.map(({ code256 }) => code256)
      const grants = await takeUp(desk, tx, codes)
      await run(async at => {
        const { code256, client } = all[at] as TakingUp
        const grant = grants.get(code256)
        if (grant === undefined) throw codeUnknown()
        return preAuthorizedAnswer(desk, tx, { client, detailed: undefined }, { grant, waits: false }).answer
      })
    }
    return performAll(
      desk.house,
      all.map(({ asked }) => asked),
      list,
    )
  }
  const redeem = together<TakingUp, Outcome<TokenAnswer>>(({ code256 }) => code256, take)
  return async taking => {
    try {
      const outcome = await redeem(taking)
      return outcome.done ? outcome.output : undefined
    } catch (error) {
      // Whether it was written is not known: by itself it would count as used.
      if (isRefusal(error)) throw error
      return undefined
    }
  }
}
