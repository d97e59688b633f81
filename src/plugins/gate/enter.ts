import { digestOf } from '../../kernel/canonical.ts'
import type { Entered, Entry } from '../../kernel/door.ts'
import { admit, type Caller, type HolderCaller, proofMissing, withoutFourEyes } from '../../kernel/gate.ts'
import { callerOf, type HolderAct, meetHolder, meetParties, type ProofOrigin } from '../../kernel/holder.ts'
import type { Proof } from '../../kernel/identity.ts'
import type { Tx } from '../../kernel/ports.ts'
import type { Desk } from './desk.ts'
import { type Presented, takePresentations } from './presentations.ts'
import { spending } from './spent.ts'

export const requirementUrl = (publicUrl: string, operationId: string): string =>
  `${publicUrl}/requirements/${operationId}`

/** Proves what was presented for this act, all of it over the one challenge that binds the act. */
const proveAct = async (desk: Desk, entry: Entry, lists: readonly string[][], rest: unknown) => {
  const { challenges, identity, audience } = desk
  const { operationId, params, request } = entry
  const challenge = identity.challengeOf(lists.flat())
  const bodySha256 = digestOf(rest).toString('base64url')
  const { key, expires } = challenges.checkAct(challenge, { operationId, params, bodySha256 })
  const proofs = await Promise.all(lists.map(list => identity.prove(list, { challenge, audience })))
  for (const proof of proofs) desk.standings.keep(proof)
  const spend = spending([{ key, owner: request, expires }])
  return { proofs, origin: { proof: 'presentation', spend } satisfies ProofOrigin }
}

/** A session that hands in an act with presentations uses its own proof of this request up as well. */
const alsoSpending = (origin: ProofOrigin, caller: Caller): ProofOrigin => {
  if (caller.kind !== 'holder' || caller.spend === undefined) return origin
  const [own, before] = [origin.spend, caller.spend]
  return {
    ...origin,
    async spend(tx: Tx) {
      await before(tx)
      await own?.(tx)
    },
  }
}

const actOf = (desk: Desk, { operationId }: Entry, body: unknown): HolderAct => ({
  operation: operationId,
  now: desk.house.clock.now(),
  body,
  requirementUrl: requirementUrl(desk.publicUrl, operationId),
})

const asHolder = (caller: Caller): HolderCaller | undefined => (caller.kind === 'holder' ? caller : undefined)

const presentedOnce = async (
  desk: Desk,
  entry: Entry,
  presented: Exclude<Presented, { by: 'nobody' }>,
  rest: unknown,
): Promise<Caller> => {
  const requirement = withoutFourEyes(entry.requirement)
  const lists = presented.by === 'caller' ? [presented.presentations] : Object.values(presented.parties)
  const { proofs, origin: own } = await proveAct(desk, entry, lists, rest)
  const origin = alsoSpending(own, entry.caller)
  const act = actOf(desk, entry, rest)
  if (presented.by === 'parties') {
    if (requirement.by !== 'parties') throw proofMissing(requirement.by === 'anyone' ? { by: 'known' } : requirement)
    const byParty: Record<string, Proof> = {}
    Object.keys(presented.parties).forEach((name, index) => {
      byParty[name] = proofs[index] as Proof
    })
    return meetParties(byParty, requirement, act, origin, asHolder(entry.caller))
  }
  const caller = callerOf(proofs[0] as Proof, origin)
  return requirement.by === 'holder' ? meetHolder(caller, requirement, act) : caller
}

/**
 * Judges who calls an operation and what they proved for it. A second officer's approval is not asked for here.
 * @throws Refusal of the requirement, of the presentations, or of their challenge.
 */
export const enter = async (desk: Desk, entry: Entry): Promise<Entered> => {
  const requirement = withoutFourEyes(entry.requirement)
  const url = requirementUrl(desk.publicUrl, entry.operationId)
  const mayPresent = requirement.by === 'holder' || requirement.by === 'parties' || requirement.by === 'known'
  const { presented, rest } = mayPresent
    ? takePresentations(entry.body)
    : { presented: { by: 'nobody' } as const, rest: entry.body }
  const caller = presented.by === 'nobody' ? met(desk, entry, rest) : await presentedOnce(desk, entry, presented, rest)
  admit(caller, requirement, url)
  return { caller, body: rest }
}

const met = (desk: Desk, entry: Entry, body: unknown): Caller => {
  const requirement = withoutFourEyes(entry.requirement)
  const { caller } = entry
  if (caller.kind !== 'holder' || requirement.by !== 'holder') {
    if (requirement.by === 'parties' && caller.kind === 'holder') {
      throw proofMissing(requirement, requirementUrl(desk.publicUrl, entry.operationId))
    }
    return caller
  }
  return meetHolder(caller, requirement, actOf(desk, entry, body))
}
