import type { Dcql } from '../../../kernel/dcql-query.ts'
import { type ClaimAnswer, type CredentialFacts, matchCredential } from './match.ts'
import { wantedOf } from './sets.ts'

/** A credential of the wallet, by the wallet's own name for it. */
export type HeldFacts = CredentialFacts & { id: string }

/** A credential that answers a query, and with which claims. */
export type Candidate = { credential: string; claims: ClaimAnswer[]; claimSet?: number }

export type Selection = {
  /** Whether all that is required can be returned; if not, nothing is (section 6.4.2). */
  satisfiable: boolean
  queries: { id: string; multiple: boolean; candidates: Candidate[] }[]
  /** What belongs together; of the options those that can be met. */
  wanted: { required: boolean; options: string[][] }[]
}

/**
 * What a wallet can answer a query with (OpenID4VP 1.0, section 6.4): for each credential that is asked for those held that
 * match, and the claims of each that would be shown. What to return is the holder's choice.
 */
export const selectCredentials = (query: Dcql, held: readonly HeldFacts[]): Selection => {
  const queries = query.credentials.map(credential => {
    const candidates = held.flatMap((each): Candidate[] => {
      const match = matchCredential(credential, each)
      return match.unfit === undefined ? [{ credential: each.id, ...match }] : []
    })
    return { id: credential.id, multiple: credential.multiple === true, candidates }
  })
  const met = new Set(queries.filter(({ candidates }) => candidates.length > 0).map(({ id }) => id))
  const wanted = wantedOf(query).map(({ required, options }) => ({
    required,
    options: options.filter(option => option.every(id => met.has(id))).map(option => [...option]),
  }))
  return { satisfiable: wanted.every(({ required, options }) => !required || options.length > 0), queries, wanted }
}
