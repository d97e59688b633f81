import type { Dcql } from '../../../kernel/dcql-query.ts'

/** Credentials that belong together: one of the options, each of them ids of queries. */
export type Wanted = { required: boolean; options: readonly (readonly string[])[] }

/** What has to be returned together (OpenID4VP 1.0, section 6.4.2): without sets, every credential. */
export const wantedOf = ({ credentials, credential_sets }: Dcql): Wanted[] =>
  credential_sets?.map(({ options, required = true }) => ({ options, required })) ?? [
    { required: true, options: [credentials.map(({ id }) => id)] },
  ]

export type SetsJudgement =
  | { met: true }
  /** `missing`: a required set has no option met. `unasked`: something is there that belongs to no option that is met. */
  | { met: false; missing: boolean; unasked?: string }

/**
 * Whether queries that were answered make up what is wanted: an option of every set that is required, and nothing that no
 * option asks for as a whole.
 */
export const judgeSets = (query: Dcql, answered: ReadonlySet<string>): SetsJudgement => {
  const wanted = wantedOf(query)
  const metOptions = wanted.map(({ options }) => options.filter(option => option.every(id => answered.has(id))))
  if (wanted.some(({ required }, index) => required && metOptions[index]?.length === 0)) {
    return { met: false, missing: true }
  }
  const asked = new Set(metOptions.flat(2))
  for (const id of answered) if (!asked.has(id)) return { met: false, missing: false, unasked: id }
  return { met: true }
}
