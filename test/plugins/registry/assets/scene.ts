import type { HolderCaller } from '../../../../src/kernel/gate.ts'
import { company, identityIssuer, type Player, person } from '../land/scene.ts'
import { type Office, officer, sourceOf } from '../world.ts'

/** Holders of quotas and their register, as the gate hands them to an operation. */

export const register = 'fishing-quotas'
export const legalBasis = 'Fisheries Act, s. 12'
export const sources = (): unknown[] => [sourceOf(register)]
export const fields = { species: 'COD', area: '27.2.a', seasonStart: '2027-01-01', seasonEnd: '2027-12-31' }
export const directorate = (): HolderCaller => officer('FD-0007', register)

export const order = (reference: string) => ({
  ...{ reference, authority: 'District Court of Port Verity', madeOn: '2026-05-20', documentSha256: 'ab'.repeat(32) },
})

/** A fishing company, and how an officer names it. */
export const fleet = (number: string) => {
  const player: Player = company(number)
  const named = { company: { issuer: identityIssuer, registrationNumber: number, legalName: `Company ${number}` } }
  return { holder: player.holder, caller: player.as('owner'), named }
}
export type Fleet = ReturnType<typeof fleet>

export const fisher = (name: string): HolderCaller => person(name).as('owner')

export const joint = (giver: HolderCaller, receiver: HolderCaller): HolderCaller => ({
  ...giver,
  parties: { giver, receiver },
})

export type Body = Record<string, unknown> & {
  entry: string
  party: string
  movement: string
  freeze: string
  cap: string
  issued: string
  frozen: string
  version: number
}

export const at =
  (office: Office, caller: HolderCaller, params: Record<string, string> = {}, key?: string) =>
  async <Answer = Body>(operation: string, body?: unknown): Promise<Answer> => {
    const how = { caller, params: { register, ...params }, ...(key !== undefined && { key }) }
    return (await office.call(operation, body, how)).body as Answer
  }

export const opened = (office: Office, cap = '1000'): Promise<Body> =>
  at(office, directorate())('openAssetClass', { fields, cap, legalBasis })

export const issued = (office: Office, entry: string, to: Fleet, amount: string): Promise<Body> =>
  at(office, directorate(), { entry })('issueUnits', { to: to.named, amount, legalBasis })

type Holding = {
  party: string
  amount: string
  frozen: string
  wallet: string | null
  freezes: Body[]
  holder: unknown
}

/** What each fleet holds, as the officers see it. */
export const holdings = async (office: Office, entry: string): Promise<Holding[]> => {
  const answer = await at(office, directorate(), { entry })<{ holdings: Holding[] }>('listHoldings')
  return answer.holdings
}

export const heldBy = async (office: Office, entry: string, { caller }: Fleet): Promise<Holding | undefined> => {
  const answer = await at(office, caller, { entry })<{ holdings: Holding[] }>('listHoldings')
  return answer.holdings[0]
}
