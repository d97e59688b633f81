import type { Dcql } from '../../../kernel/dcql-query.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { type ClaimAnswer, type CredentialFacts, matchCredential } from './match.ts'
import { judgeSets } from './sets.ts'

const rejected = (code: string, detail: string, facts: Record<string, unknown>): Refusal =>
  new Refusal('rejected', code, detail, { facts })

const reasons = {
  format: 'it is of another format',
  type: 'it is of another type',
  holderBinding: 'it comes without the proof of its holder’s key',
  authority: 'its issuer is under none of the trusted authorities',
  claims: 'a claim that is asked for is not shown, or has another value',
}

/** A credential that answers its query, in the order in which it was presented. */
export type Judgement = { query: string; claims: ClaimAnswer[]; claimSet?: number }

/**
 * Whether presentations that were found good are what was asked for (OpenID4VP 1.0, sections 8.1, 8.6 and 6.4): each answers
 * its query, one alone unless several are let in, and together they make up the sets that are required and nothing else.
 * @param presented credentials by the id of the query that they answer.
 * @throws Refusal rejected/presentation_unasked, presentation_several, presentation_unfit, presentation_missing
 */
export const judgeResponse = (
  query: Dcql,
  presented: Readonly<Record<string, readonly CredentialFacts[]>>,
): Judgement[] => {
  const judged = Object.entries(presented).flatMap(([id, credentials]) => {
    const asked = query.credentials.find(each => each.id === id)
    if (asked === undefined) {
      const detail = 'The response has a presentation that nobody asked for.'
      throw rejected('presentation_unasked', detail, { query: id.slice(0, 100) })
    }
    if (credentials.length !== 1 && (credentials.length === 0 || asked.multiple !== true)) {
      const detail = 'The response has no presentation for a query, or several where it asks for one.'
      throw rejected('presentation_several', detail, { query: id })
    }
    return credentials.map((facts): Judgement => {
      const match = matchCredential(asked, facts)
      if (match.unfit === undefined) return { query: id, ...match }
      const detail = `A presentation is not what its query asks for: ${reasons[match.unfit]}.`
      throw rejected('presentation_unfit', detail, { query: id, reason: match.unfit })
    })
  })
  const sets = judgeSets(query, new Set(Object.keys(presented)))
  if (sets.met) return judged
  if (sets.missing) throw rejected('presentation_missing', 'The response lacks a credential that is required.', {})
  const detail = 'The response has a presentation that belongs to no set of credentials that was asked for.'
  throw rejected('presentation_unasked', detail, { query: sets.unasked })
}
