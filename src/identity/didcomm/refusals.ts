import { Refusal } from '../../kernel/refusal.ts'

export const malformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'didcomm_malformed', detail, { cause })
export const unsupported = (detail: string): Refusal => new Refusal('rejected', 'didcomm_unsupported', detail)
export const unprotected = (): Refusal =>
  new Refusal('rejected', 'didcomm_unprotected', 'A message that is neither encrypted nor signed is not read.')
/** For a wrong recipient as for a wrong tag: whoever asks learns no more. */
export const undecryptable = (cause?: unknown): Refusal =>
  new Refusal('rejected', 'didcomm_undecryptable', 'The message is not encrypted to a key of this agency.', { cause })
export const senderUnproven = (detail: string): Refusal =>
  new Refusal('unauthenticated', 'didcomm_sender_unproven', detail)
export const expired = (): Refusal =>
  new Refusal('rejected', 'didcomm_expired', 'The message has expired; send a new one.')
export const untimely = (): Refusal => new Refusal('rejected', 'didcomm_untimely', 'created_time lies in the future.')
export const unreachable = (did: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'didcomm_unreachable', `${did.slice(0, 200)} names no way to reach it by DIDComm.`, { cause })
