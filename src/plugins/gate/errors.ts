import { Refusal } from '../../kernel/refusal.ts'

export const challengeUnknown = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'challenge_unknown',
    'The presentation answers no challenge of this agency; ask for one.',
  )
export const challengeExpired = (): Refusal =>
  new Refusal('unauthenticated', 'challenge_expired', 'The challenge has expired; ask for a new one.')
export const challengeOfAnother = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'challenge_mismatch',
    'The challenge was given out for another key; ask for one for this key.',
  )
export const challengeMismatch = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'challenge_mismatch',
    'The presentation was made for another operation, other parameters or another body; ask for a challenge for this one.',
  )
export const partMismatch = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'challenge_mismatch',
    'The presentation was made for another part in this act: a party answers the challenge, a dot and its name.',
  )
export const proofReplayed = (): Refusal =>
  new Refusal('unauthenticated', 'proof_replayed', 'This proof was used up by another request; make a new one.')
export const dpopMissing = (): Refusal =>
  new Refusal(
    'unauthenticated',
    'proof_missing',
    'The DPoP header is missing: prove the key that the session is bound to.',
  )
export const staffLapsed = (): Refusal =>
  new Refusal('unauthenticated', 'credentials_invalid', 'The key was revoked while it was used.')
export const sessionInvalid = (): Refusal =>
  new Refusal('unauthenticated', 'session_invalid', 'The session has ended or never was; open a new one.')
export const presentationMalformed = (): Refusal =>
  new Refusal(
    'malformed',
    'presentation_malformed',
    'Presentations are compact strings or objects with their proof, at least one and at most eight.',
  )
export const answerMissing = (): Refusal =>
  new Refusal('conflict', 'presentation_waiting', 'The wallet has not answered yet, or its response code is missing.')
export const answerRefused = (error: string): Refusal =>
  new Refusal('conflict', 'presentation_refused', 'The wallet answered with an error; ask again if need be.', {
    facts: { error },
  })
export const requestExpired = (): Refusal =>
  new Refusal('rejected', 'presentation_request_expired', 'The presentation request has expired; ask for a new one.')
export const partyUnknown = (): Refusal =>
  new Refusal('rejected', 'party_unknown', 'Name one of the parties of this act, and only where it has parties.')
export const sessionNone = (): Refusal =>
  new Refusal('not_found', 'session_none', 'This call was made without a session, so there is none to end.')
export const operationUnknown = (): Refusal =>
  new Refusal('not_found', 'operation_unknown', 'No operation of this agency has this name.')
export const presentationUnwanted = (): Refusal =>
  new Refusal('rejected', 'presentation_unwanted', 'This operation takes no presentation for one act; open a session.')
export const pendingActUnknown = (): Refusal =>
  new Refusal('not_found', 'pending_act_unknown', 'There is no such pending act for this caller.')
export const pendingActOwn = (): Refusal =>
  new Refusal('forbidden', 'pending_act_own', 'Whoever asked for an act cannot approve it; a different officer has to.')
export const pendingActExpired = (): Refusal =>
  new Refusal('conflict', 'pending_act_expired', 'The act waited too long for its approval; ask for it again.')
export const pendingActDecided = (): Refusal =>
  new Refusal('conflict', 'pending_act_decided', 'The act was approved or refused already.')
export const authorLapsed = (cause?: unknown): Refusal =>
  new Refusal(
    'forbidden',
    'author_lapsed',
    'The officer who asked for the act may no longer do so; it cannot be approved.',
    {
      cause,
    },
  )
export const pendingActOutdated = (): Refusal =>
  new Refusal(
    'conflict',
    'pending_act_outdated',
    'What the operation requires has changed since; ask for the act again.',
  )
