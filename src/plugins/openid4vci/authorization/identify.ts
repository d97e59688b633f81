import { dcqlOf } from '../../../kernel/dcql.ts'
import type { Verdict } from '../../../kernel/identity.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Context } from '../../../kernel/plugin.ts'
import type {
  PresentationKey,
  PresentationOutcome,
  PresentationPrepared,
} from '../../../kernel/presentation-requests.ts'
import { isRecord } from '../../../kernel/record.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import type { ClaimPath } from '../../../kernel/requirement.ts'
import { requires } from '../policy.ts'
import { codeEnded, nothingPrepared, requestUriUnknown } from './errors.ts'
import type { AuthorizationDesk, IdentifiedBy, PreparedIssuance } from './needs.ts'
import { identificationsMost } from './policy.ts'
import { type Asked, type Authorization, sealAsked } from './sessions.ts'

/** Whether what was presented says everything that is expected; it may say more. */
export const covers = (presented: unknown, expected: unknown): boolean => {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(presented) &&
      presented.length === expected.length &&
      expected.every((each, at) => covers(presented[at], each))
    )
  }
  if (!isRecord(expected)) return presented === expected
  return (
    isRecord(presented) &&
    Object.entries(expected).every(([name, value]) => Object.hasOwn(presented, name) && covers(presented[name], value))
  )
}

const pathsOf = (claims: Readonly<Record<string, unknown>>): ClaimPath[] =>
  Object.entries(claims).flatMap(([name, value]) =>
    isRecord(value) ? pathsOf(value).map(path => [name, ...path]) : [[name]],
  )

/** By what a citizen is identified: a credential, and what is read from it. */
export type Identification = { type: string; paths: readonly ClaimPath[]; expected: IdentifiedBy | undefined }

/**
 * What the citizen has to show before there is a code; undefined where having the offer's state is enough.
 * @throws Refusal unauthenticated/code_ended when what was offered is no more; forbidden/issuance_unprepared
 */
export const identificationFor = async (
  desk: AuthorizationDesk,
  { request, issuance }: Pick<Authorization, 'request' | 'issuance'>,
): Promise<Identification | undefined> => {
  if (issuance === undefined) {
    const usual = await desk.issuances.identification(request.configurationIds)
    if (usual === undefined) throw nothingPrepared()
    return { type: usual.type, paths: usual.claims.map(name => [name]), expected: undefined }
  }
  const offered = await desk.issuances.find(issuance)
  if (offered === undefined) throw codeEnded()
  const { identifiedBy } = offered
  return identifiedBy && { type: identifiedBy.type, paths: pathsOf(identifiedBy.claims), expected: identifiedBy }
}

const queryId = 'person'

/**
 * Asks a wallet on the device of the browser, which brings its answer back to the browser that began. Where the agency's file allows
 * it, a wallet on another device is asked as well: whoever answers there may have been sent the code by somebody else, who then
 * goes on in their name.
 */
export const askWhoItIs = async (
  desk: AuthorizationDesk,
  authorization: Authorization,
  asking: { identification: Identification; returnTo: string },
): Promise<Asked> => {
  const { presentations, policy } = desk.authorization
  const { identification, returnTo } = asking
  const { type, paths } = identification
  if (presentations === undefined) throw nothingPrepared()
  const dcql = dcqlOf({ by: 'holder', of: { id: queryId, type, reads: paths } }, desk.knownTypes)
  if (dcql === undefined) throw nothingPrepared()
  const purpose = `${desk.title} asks who you are before your wallet collects what is ready for you.`
  const { expires } = authorization
  const same = await presentations.prepare({ dcql, purpose, expires, returnTo })
  const other = policy.crossDevice ? await presentations.prepare({ dcql, purpose, expires }) : undefined
  const keptOf = ({ id, secret, walletUrl }: PresentationPrepared) => ({ id, secret, walletUrl })
  const asked: Asked = { same: keptOf(same), other: other && keptOf(other) }
  await desk.house.store.transaction(async tx => {
    const sql = `UPDATE oid4vci_requests SET sealed = ? WHERE id = ? AND stage = 'open' AND sealed IS NULL RETURNING id`
    const kept = await tx.query(sql, [sealAsked(desk, authorization.id, asked), authorization.id])
    if (kept.length === 0) throw requestUriUnknown()
    other?.store(tx)
    same.store(tx)
  })
  return asked
}

type Answered = Extract<PresentationOutcome, { state: 'answered' }>

/** What came of asking: the first answer counts. */
export const answerTo = async (
  desk: AuthorizationDesk,
  { other, same }: Asked,
  responseCode: string | undefined,
): Promise<Answered | 'waiting' | 'over'> => {
  const { presentations } = desk.authorization
  if (presentations === undefined) return 'over'
  const outcomeOf = async (key: PresentationKey): Promise<PresentationOutcome> => {
    try {
      return await presentations.outcome(key)
    } catch (error) {
      // Swept away since.
      if (isRefusal(error) && error.kind === 'not_found') return { state: 'expired' }
      throw error
    }
  }
  const outcomes = [
    ...(other === undefined ? [] : [await outcomeOf({ id: other.id, secret: other.secret })]),
    await outcomeOf({ id: same.id, secret: same.secret, responseCode }),
  ]
  const answered = outcomes.find(outcome => outcome.state === 'answered')
  if (answered !== undefined) return answered
  return outcomes.every(({ state }) => state === 'waiting') ? 'waiting' : 'over'
}

const verdictsOf = ({ verdicts }: Answered, type: string): Verdict[] =>
  (verdicts[queryId] ?? []).filter(verdict => verdict.verified && verdict.type === type)

const pick = (claims: Record<string, unknown>, paths: readonly ClaimPath[]): Record<string, unknown> | undefined => {
  const picked = paths.map(([name = '']) => [name, Object.hasOwn(claims, name) ? claims[name] : undefined] as const)
  return picked.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(picked)
}

/** Of several that are prepared for a person, the one with the most of what was asked for; the newest first. */
const best = (prepared: readonly PreparedIssuance[], wanted: readonly string[]): string | undefined => {
  const held = ({ configurationIds }: PreparedIssuance) => configurationIds.filter(id => wanted.includes(id)).length
  return prepared.toSorted((a, b) => held(b) - held(a)).find(each => held(each) > 0)?.id
}

/** The issuance that is for whoever presented this; undefined when it is for somebody else, or there is none. */
export const issuanceFor = async (
  desk: AuthorizationDesk,
  { issuance, request }: Authorization,
  { type, paths, expected }: Identification,
  answered: Answered,
): Promise<string | undefined> => {
  for (const { claims = {} } of verdictsOf(answered, type)) {
    if (expected !== undefined) {
      if (covers(claims, expected.claims)) return issuance
      continue
    }
    const person = pick(claims, paths)
    if (person === undefined) continue
    const prepared = await desk.issuances.ofPerson({ type, claims: person }, request.configurationIds, {
      taken: false,
    })
    const found = best(prepared, request.configurationIds)
    if (found !== undefined) return found
  }
  return undefined
}

/** The citizen is who the issuance is for: from here on only their word is missing. */
export const recordIdentified = (
  desk: AuthorizationDesk,
  context: Context,
  { id }: Authorization,
  issuance: string,
): Promise<void> =>
  perform(desk.house, {
    ...{ operation: 'authorize', requires: requires.anyone, caller: context.caller },
    input: { authorization: id, issuance, identified: true },
    act: async tx => {
      const sql = `UPDATE oid4vci_requests SET stage = 'identified', issuance = ?, sealed = NULL
        WHERE id = ? AND stage = 'open' RETURNING id`
      if ((await tx.query(sql, [issuance, id])).length === 0) throw requestUriUnknown()
    },
  })

/** Somebody else, or no answer: a few of them end the authorization. @returns whether it is at its end. */
export const recordFailure = (desk: AuthorizationDesk, { id }: Authorization): Promise<{ ended: boolean }> =>
  desk.house.store.transaction(async tx => {
    const sql = `UPDATE oid4vci_requests SET failures = failures + 1, sealed = NULL,
      stage = CASE WHEN failures + 1 >= ${identificationsMost} THEN 'ended' ELSE stage END
      WHERE id = ? AND stage = 'open' RETURNING stage`
    const [row] = await tx.query(sql, [id])
    return { ended: row?.['stage'] !== 'open' }
  })
