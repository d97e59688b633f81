import type { Dcql } from '../../../kernel/dcql-query.ts'
import { type CredentialFacts, matchCredential } from './match.ts'
import { judgeSets } from './sets.ts'

/** Whether each credential has a query of its own that it answers, where a query that asks for one takes one. */
const eachHasPlace = (answers: readonly (readonly string[])[], takesSeveral: ReadonlySet<string>): boolean => {
  const taken = new Map<string, number>()
  // An augmenting path: who holds a place gives way where there is another.
  const seat = (credential: number, seen: Set<string>): boolean =>
    (answers[credential] ?? []).some(query => {
      if (takesSeveral.has(query)) return true
      if (seen.has(query)) return false
      seen.add(query)
      const holder = taken.get(query)
      if (holder !== undefined && !seat(holder, seen)) return false
      taken.set(query, credential)
      return true
    })
  return answers.every((queries, credential) => queries.length === 0 || seat(credential, new Set()))
}

/**
 * Whether credentials that were presented together are what was asked for (OpenID4VP 1.0, section 6), where nothing says which
 * query each of them answers, as a `vp_token` does. One may answer several. Of one that answers none nothing is said: it may be
 * there for another query of the same request.
 * @returns `several` where there are more of them than queries without `multiple` ask for.
 */
export const judgeTogether = (query: Dcql, presented: readonly CredentialFacts[]): 'met' | 'missing' | 'several' => {
  const answers = presented.map(facts =>
    query.credentials.filter(each => matchCredential(each, facts).unfit === undefined).map(({ id }) => id),
  )
  const sets = judgeSets(query, new Set(answers.flat()))
  if (!sets.met && sets.missing) return 'missing'
  const takesSeveral = new Set(query.credentials.filter(({ multiple }) => multiple === true).map(({ id }) => id))
  return eachHasPlace(answers, takesSeveral) ? 'met' : 'several'
}
