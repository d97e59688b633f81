import { digestOf } from '../../kernel/canonical.ts'
import type { Entered, Entry } from '../../kernel/door.ts'
import { admit, type Caller, caseParams, type HolderCaller, proofMissing, withoutFourEyes } from '../../kernel/gate.ts'
import { callerOf, type HolderAct, meetHolder, meetParties, type ProofOrigin } from '../../kernel/holder.ts'
import type { Expectation, Proof } from '../../kernel/identity.ts'
import type { Tx } from '../../kernel/ports.ts'
import type { Desk } from './desk.ts'
import { challengeMismatch, partMismatch, staffLapsed } from './errors.ts'
import { fetchHanded } from './handed.ts'
import { type Handed, type Presented, takePresentations } from './presentations.ts'
import { spending } from './spent.ts'

/** Where the requirement of an operation can be read: of this case, where a parameter of its path decides. */
export const requirementUrl = (
  { publicUrl, routes }: Pick<Desk, 'publicUrl' | 'routes'>,
  operationId: string,
  params: Readonly<Record<string, string | undefined>>,
): string => {
  const known = routes()
  const route = Object.hasOwn(known, operationId) ? known[operationId] : undefined
  const query = new URLSearchParams(route === undefined ? {} : caseParams(route.requires, params)).toString()
  return `${publicUrl}/requirements/${operationId}${query === '' ? '' : `?${query}`}`
}

const urlOf = (desk: Desk, { operationId, params }: Entry): string => requirementUrl(desk, operationId, params)

/** What was presented together: by the caller, or by the party of this name. */
type Part = { party?: string; presentations: readonly string[]; expected?: Expectation }

/**
 * The challenge that a part says it answers. A party answers with its own name behind the challenge, so that nobody is put
 * into a part of the act that they did not take.
 * @throws Refusal credential_malformed, challenge_mismatch
 */
const challengeOf = ({ identity }: Desk, { party, presentations, expected }: Part): string => {
  const shown = expected?.challenge ?? identity.challengeOf(presentations)
  if (party === undefined) return shown
  const behind = `.${party}`
  if (!shown.endsWith(behind)) throw partMismatch()
  return shown.slice(0, -behind.length)
}

/** Proves what was presented for this act, all of it over the one challenge that binds the act. */
const proveAct = async (desk: Desk, entry: Entry, parts: readonly Part[], rest: unknown) => {
  const { challenges, identity, audience } = desk
  const { operationId, params, request } = entry
  const [challenge = '', ...others] = new Set(parts.map(part => challengeOf(desk, part)))
  if (others.length > 0) throw challengeMismatch()
  const bodySha256 = digestOf(rest).toString('base64url')
  const { key, expires } = challenges.checkAct(challenge, { operationId, params, bodySha256 })
  const proofs = await Promise.all(
    parts.map(({ party, presentations, expected }) => {
      const answer = party === undefined ? challenge : `${challenge}.${party}`
      return identity.prove(presentations, { ...(expected ?? { audience }), challenge: answer })
    }),
  )
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

const actOf = (desk: Desk, entry: Entry, body: unknown): HolderAct => ({
  operation: entry.operationId,
  now: desk.house.clock.now(),
  body,
  requirementUrl: urlOf(desk, entry),
})

const asHolder = (caller: Caller): HolderCaller | undefined => (caller.kind === 'holder' ? caller : undefined)

const presentedOnce = async (
  desk: Desk,
  entry: Entry,
  presented: Exclude<Presented, { by: 'nobody' }>,
  rest: unknown,
): Promise<Caller> => {
  const requirement = withoutFourEyes(entry.requirement)
  const handed: [string | undefined, Handed][] =
    presented.by === 'caller' ? [[undefined, presented.handed]] : Object.entries(presented.parties)
  const parts = await Promise.all(
    handed.map(async ([party, each]): Promise<Part> => {
      const fetched = await fetchHanded(desk, each)
      return party === undefined ? fetched : { ...fetched, party }
    }),
  )
  const { proofs, origin: own } = await proveAct(desk, entry, parts, rest)
  const origin = alsoSpending(own, entry.caller)
  const act = actOf(desk, entry, rest)
  if (presented.by === 'parties') {
    if (requirement.by !== 'parties') {
      throw proofMissing(requirement.by === 'anyone' ? { by: 'known' } : requirement, urlOf(desk, entry))
    }
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
  const mayPresent = requirement.by === 'holder' || requirement.by === 'parties' || requirement.by === 'known'
  const { presented, rest } = mayPresent
    ? takePresentations(entry.body)
    : { presented: { by: 'nobody' } as const, rest: entry.body }
  const caller = presented.by === 'nobody' ? met(desk, entry, rest) : await presentedOnce(desk, entry, presented, rest)
  if (requirement.by !== 'anyone') admit(caller, requirement, urlOf(desk, entry))
  return { caller, body: rest }
}

/**
 * Whether what a caller was admitted by still stands: a stream of lines may outlive it.
 * @throws Refusal session_invalid, credentials_invalid; or why a credential no longer stands.
 */
export const assertStands = async (desk: Desk, caller: Caller): Promise<void> => {
  if ((caller.kind === 'apiKey' || caller.kind === 'oidc') && !(await desk.staffStands(caller))) throw staffLapsed()
  if (caller.kind !== 'holder') return
  if (caller.session !== undefined) await desk.sessions.assertOpen(caller.session)
  const { lapsed } = await desk.identity.recheck(desk.standings.proofOf(caller))
  if (lapsed.length > 0) callerOf({ credentials: [], lapsed }, { proof: caller.proof })
}

const met = (desk: Desk, entry: Entry, body: unknown): Caller => {
  const requirement = withoutFourEyes(entry.requirement)
  const { caller } = entry
  if (caller.kind !== 'holder' || requirement.by !== 'holder') {
    if (requirement.by === 'parties' && caller.kind === 'holder') {
      throw proofMissing(requirement, urlOf(desk, entry))
    }
    return caller
  }
  return meetHolder(caller, requirement, actOf(desk, entry, body))
}
