import { Refusal } from '../../kernel/refusal.ts'

export const listMalformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'trusted_list_malformed', detail, { cause })
export const listUnsigned = (detail: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'trusted_list_unsigned', detail, { cause })
export const listOfAnother = (): Refusal =>
  new Refusal(
    'rejected',
    'trusted_list_of_another',
    'The trusted list is not signed by the scheme operator that is named in the configuration.',
  )
export const listRolledBack = (): Refusal =>
  new Refusal(
    'rejected',
    'trusted_list_rolled_back',
    'The trusted list is older than one that was seen before; the newer one counts.',
  )
export const listStale = (): Refusal =>
  new Refusal(
    'unavailable',
    'trusted_list_stale',
    'The trusted list is past its next update, and no newer one could be had.',
  )
export const listUnavailable = (cause?: unknown): Refusal =>
  new Refusal('unavailable', 'trusted_list_unavailable', 'The trusted list cannot be had now.', { cause })
