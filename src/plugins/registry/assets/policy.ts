import type { HolderRequirement, Requirement } from '../../../kernel/requirement.ts'
import type { Definition } from '../definition.ts'
import { landRequirements } from '../land/policy.ts'
import { decisionRequirement, officerRequirement } from '../policy.ts'

/** The part that a holder of units plays in every requirement; query ids begin with it. */
export const holderRole = 'owner'

export const holdingsAPage = 100
export const movementsAPage = 100

/** A person, or a company by whoever has its mandate: known to this register as owners of land are to theirs. */
const holderRequirement = (definition: Definition): HolderRequirement => {
  const requirement = landRequirements.owner(definition)
  if (requirement.by !== 'holder') throw new Error('an owner shows credentials')
  return requirement
}

/** What each operation of a register of quantities requires. */
export const assetRequirements = {
  /** A decision of the register, by two officers where it says so. */
  decision: (definition: Definition): Requirement => decisionRequirement(definition),
  holder: (definition: Definition): Requirement => holderRequirement(definition),
  /** Nobody is made to hold what they did not accept. */
  transfer: (definition: Definition): Requirement => ({
    by: 'parties',
    parties: { giver: holderRequirement(definition), receiver: holderRequirement(definition) },
  }),
  /** Officers read all, holders what is theirs. */
  reader: (definition: Definition): Requirement => ({
    by: 'holder',
    of: { any: [officerRequirement(definition).of, holderRequirement(definition).of] },
  }),
} as const

export type AssetRequirement = keyof typeof assetRequirements
