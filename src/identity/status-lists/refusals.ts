import { isRefusal, Refusal } from '../../kernel/refusal.ts'

/**
 * Refusals of status lists. Where Bitstring Status List 1.0 (section 3.5) has a name for an error, the sentence begins
 * with it.
 */

/** What does not comply with a MUST of the data model. */
export const statusMalformed = (why: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'status_malformed', `MALFORMED_VALUE_ERROR: ${why}`, { cause })

/** A list that was read and is none to rely on. */
export const listRefused = (why: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'status_list_refused', `STATUS_VERIFICATION_ERROR: ${why}`, { cause })

/** A status whose mechanism nobody here reads. */
export const statusTypeUnknown = (): Refusal =>
  new Refusal('rejected', 'status_type_unknown', 'The status of the credential is of a type that is not read here.')

export const listTooShort = (entries: number): Refusal =>
  new Refusal('rejected', 'status_list_short', `STATUS_LIST_LENGTH_ERROR: a list must have ${entries} entries or more.`)

export const listTooLarge = (bytes: number): Refusal =>
  new Refusal('rejected', 'status_list_too_large', `The status list is larger than ${bytes} bytes when it is unpacked.`)

export const indexOutOfRange = (): Refusal =>
  new Refusal('rejected', 'status_index_out_of_range', 'RANGE_ERROR: the index lies beyond the end of its list.')

/** A status that cannot be known now is never taken for a good one. */
export const listUnavailable = (why: string, cause?: unknown): Refusal =>
  new Refusal('unavailable', 'status_unavailable', `STATUS_RETRIEVAL_ERROR: ${why}`, { cause })

/** Runs a reader of ours over a list: what is malformed in its eyes is a malformed list. */
export const readingList = <T>(read: () => T): T => {
  try {
    return read()
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (error.kind === 'malformed') throw statusMalformed(error.message, error)
    throw listRefused(error.message, error)
  }
}
