import type { CredentialQuery, CredentialTree, HolderRequirement, Requirement } from '../../kernel/requirement.ts'
import type { Definition } from './definition.ts'
import { queriesOf } from './definition-reader.ts'

/** Query ids with a meaning of their own, which a definition's requirement cannot use. */
export const queryIds = { officer: 'officer', entry: 'entry' } as const

/** An officer of this very authority; which register they decide on is a competence of theirs. */
export const officerQuery = { id: queryIds.officer, type: 'PublicOfficer', issuers: ['self'] } as const

const day = 24 * 60 * 60_000
export const dayMs = day

export const pageMost = 100
export const pageDefault = 50
/** Entries that a search looks at for one page; a page may so be short, and say where to go on. */
export const searchScanMost = 1_000
/** Rows counted to find the condition that fewest entries meet. */
export const searchCountMost = 2_000
export const conditionsMost = 8
/** Bytes of an attachment's content, so that base64 of it fits a body of 1 MB. */
export const contentMost = 700_000
/** Lines of a bulk grant that are signed and entered together. */
export const grantBatch = 512
/** Entries recorded as lapsed in one round. */
export const lapsesARound = 500
/** How far the clock of whoever asks may be ahead of this one, ms. */
export const clockSkewMs = 60_000
/** Steps of a history on one page. */
export const historyMost = 100

const officerOf = ({ decide }: Definition): CredentialQuery => ({
  ...officerQuery,
  where: [{ path: ['competences'], includes: decide.competence }],
  reads: [['officerNumber']],
  obtain: 'Officers get it from the authority itself.',
})

/** What an applicant presents, with the claims that the application is filled from named as read. */
const applicantOf = (apply: NonNullable<Definition['apply']>): CredentialTree => {
  const sources = Object.values(apply.fromClaims).flat()
  const reading = (tree: CredentialTree): CredentialTree => {
    if ('all' in tree) return { ...tree, all: tree.all.map(reading) }
    if ('any' in tree) return { any: tree.any.map(reading) }
    const reads = sources.filter(({ credential }) => credential === tree.id).map(({ path }) => path)
    return reads.length === 0 ? tree : { ...tree, reads: [...(tree.reads ?? []), ...reads] }
  }
  return reading(apply.requires)
}

export const officerRequirement = (definition: Definition): HolderRequirement => ({
  by: 'holder',
  of: officerOf(definition),
})

/** An officer; for decisions, a second one as well where the register says so. */
export const decisionRequirement = (definition: Definition): HolderRequirement => {
  const { fourEyes } = definition.decide
  return {
    ...officerRequirement(definition),
    ...(fourEyes && {
      fourEyes: { ...fourEyes, distinctBy: { credential: queryIds.officer, path: ['officerNumber'] } },
    }),
  }
}

/** Where nobody applies, only officers can ask, and are told so by the act. */
export const applicantRequirement = (definition: Definition): HolderRequirement => {
  if (definition.apply === undefined) return officerRequirement(definition)
  const { oneShot } = definition.apply
  return { by: 'holder', of: applicantOf(definition.apply), ...(oneShot && { oneShot }) }
}

/** The applicant again, in a session, or an officer. */
export const applicationReader = (definition: Definition): HolderRequirement => {
  if (definition.apply === undefined) return officerRequirement(definition)
  return { by: 'holder', of: { any: [officerOf(definition), applicantOf(definition.apply)] } }
}

/** Whoever holds the credential that an entry was issued as, or an officer. */
export const entryReader = (definition: Definition): HolderRequirement => ({
  by: 'holder',
  of: {
    any: [
      officerOf(definition),
      { id: queryIds.entry, type: definition.credential.type, issuers: ['self'], obtain: 'It is the entry’s own.' },
    ],
  },
})

/** One requirement a register, told apart by the path. */
export const byRegister = (
  registers: readonly Definition[],
  requirementOf: (definition: Definition) => Requirement,
): Requirement => ({
  by: 'cases',
  param: 'register',
  cases: Object.fromEntries(registers.map(register => [register.name, requirementOf(register)])),
})

export const anyone = { by: 'anyone' } as const satisfies Requirement

/** Ids of the credentials an applicant may be bound by. */
export const applicantQueries = (definition: Definition): readonly string[] =>
  definition.apply === undefined ? [] : queriesOf(definition.apply.requires).map(({ id }) => id)

/** The service's own rounds, as the journal names their authority. */
export const upkeep = { by: 'staff', scope: 'registry:upkeep' } as const satisfies Requirement
