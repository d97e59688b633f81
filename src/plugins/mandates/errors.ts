import { Refusal } from '../../kernel/refusal.ts'

export const companyUnknown = (): Refusal =>
  new Refusal('not_found', 'company_unknown', 'No company of that number has signatories in this register.')
export const companyDiffers = (): Refusal =>
  new Refusal(
    'conflict',
    'company_differs',
    'The register knows this company under another DID; end its mandates before it is changed.',
  )
export const companyIdTaken = (): Refusal =>
  new Refusal(
    'conflict',
    'company_id_taken',
    'Another company of this register bears that DID; each has one of its own.',
  )
export const mandateUnknown = (): Refusal =>
  new Refusal('not_found', 'mandate_unknown', 'No mandate with that id was given here.')
export const mandateOver = (): Refusal =>
  new Refusal('conflict', 'mandate_ended', 'The mandate has ended; ask for a new one.')
export const parentEnded = (): Refusal =>
  new Refusal('forbidden', 'mandate_ended', 'The mandate that would be passed on has ended.')
export const mandateNotDelegable = (): Refusal =>
  new Refusal('forbidden', 'mandate_not_delegable', 'This mandate may not be passed on; ask those who gave it.')
export const mandateLevels = (): Refusal =>
  new Refusal(
    'rejected',
    'mandate_levels_differ',
    'Those who pass a power on together hold mandates of one level; ask the registrar for one of the same.',
  )
export const mandatesFull = (most: number): Refusal =>
  new Refusal('rejected', 'mandates_full', `A company has at most ${most} mandates in force; end some first.`)
export const periodEmpty = (): Refusal =>
  new Refusal('rejected', 'mandate_period_empty', 'A mandate ends neither before it starts nor in the past.')
export const jointlyUnsatisfiable = (): Refusal =>
  new Refusal(
    'rejected',
    'jointly_unsatisfiable',
    'Fewer signatories are registered than are to act together: name the others in the same application.',
  )
export const mandateForeign = (): Refusal =>
  new Refusal(
    'forbidden',
    'mandate_foreign',
    'Only an officer, the holder, or a holder of a mandate that it comes from may do this.',
  )
export const directorOnly = (): Refusal =>
  new Refusal('forbidden', 'director_only', 'Only signatories whom the register itself names see all mandates.')
export const companyForeign = (): Refusal =>
  new Refusal('forbidden', 'company_foreign', 'The mandate that was presented is one of another company.')
export const companyMissing = (): Refusal =>
  new Refusal('malformed', 'company_missing', 'Name the company by its registration number: company.')
export const collectorForeign = (): Refusal =>
  new Refusal('forbidden', 'collector_foreign', 'The mandate is bound to another key than the one that was proven.')
