import { Refusal } from '../../kernel/refusal.ts'

export const replayed = (): Refusal =>
  new Refusal('conflict', 'didcomm_replayed', 'This message has come before; send a new one with an id of its own.')
export const tooLarge = (bytes: number): Refusal =>
  new Refusal('too_large', 'didcomm_too_large', `Messages have up to ${bytes} bytes (max_receive_bytes).`)
export const senderNeeded = (): Refusal =>
  new Refusal('unauthenticated', 'didcomm_sender_needed', 'Messages of this type prove who sends them (authcrypt).')
export const typeUnknown = (): Refusal =>
  new Refusal(
    'rejected',
    'didcomm_type_unknown',
    'Messages of this type are not understood here; ask what is (Discover Features).',
  )
export const bodyMalformed = (detail: string): Refusal => new Refusal('malformed', 'didcomm_body_malformed', detail)
export const recipientUnknown = (): Refusal =>
  new Refusal('not_found', 'didcomm_recipient_unknown', 'This mediator keeps no messages for the DID that is next.')
export const forwardLooped = (): Refusal =>
  new Refusal(
    'rejected',
    'didcomm_forward_loop',
    'The mediator itself is next: send what is in the attachment, unwrapped.',
  )
export const queueFull = (): Refusal =>
  new Refusal(
    'too_many',
    'didcomm_queue_full',
    'As many messages wait for this recipient as are kept; try again later.',
  )
export const outgoingFull = (): Refusal =>
  new Refusal('too_many', 'didcomm_outgoing_full', 'Too many answers are on their way; ask with return_route all.')
export const mediationMissing = (): Refusal =>
  new Refusal('forbidden', 'didcomm_mediation_missing', 'Ask for mediation first (mediate-request).')
export const threadUnknown = (): Refusal =>
  new Refusal('not_found', 'didcomm_thread_unknown', 'No exchange with you is on this thread, or it has ended.')
export const threadUsed = (): Refusal =>
  new Refusal('conflict', 'didcomm_thread_used', 'Another exchange is on this thread already; begin a new one.')
export const requestDeviates = (detail: string): Refusal => new Refusal('rejected', 'didcomm_request_deviates', detail)
export const holderUnproven = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'didcomm_holder_unproven',
    'Prove the key that the credential is to be bound to: send from its did:key, sign the message with it, or attach a proof.',
  )
export const attachmentMissing = (formats: readonly string[]): Refusal =>
  new Refusal('malformed', 'didcomm_attachment_missing', `Attach one of ${formats.join(', ')}.`)
export const liveModeUnsupported = (): Refusal =>
  new Refusal('rejected', 'live_mode_not_supported', 'Over HTTP nothing is delivered live; ask for deliveries.')
export const exchangeUnknown = (): Refusal =>
  new Refusal('not_found', 'didcomm_exchange_unknown', 'There is no such exchange.')
export const exchangeEnded = (): Refusal => new Refusal('conflict', 'didcomm_exchange_ended', 'The exchange has ended.')
export const formatUnoffered = (formats: readonly string[]): Refusal =>
  new Refusal(
    'rejected',
    'didcomm_format_unoffered',
    `This agency issues the type by DIDComm as ${formats.join(', ')}.`,
  )
export const typeUnissued = (): Refusal =>
  new Refusal('rejected', 'didcomm_type_unissued', 'This agency issues no credentials of this type.')
export const claimsMalformed = (detail: string): Refusal => new Refusal('malformed', 'didcomm_claims_malformed', detail)
