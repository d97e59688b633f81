import { Refusal } from '../../kernel/refusal.ts'

export const requestUnknown = (): Refusal =>
  new Refusal('not_found', 'presentation_request_unknown', 'There is no such presentation request.')
export const requestExpired = (): Refusal =>
  new Refusal('rejected', 'presentation_request_expired', 'The presentation request has expired; ask for a new one.')
export const requestFetched = (): Refusal =>
  new Refusal(
    'conflict',
    'request_object_fetched',
    'This request object was fetched before, and is given out once; ask for a new one.',
  )
export const requestAnswered = (): Refusal =>
  new Refusal('conflict', 'presentation_request_answered', 'This presentation request was answered before.')
export const requestByValue = (): Refusal =>
  new Refusal('not_found', 'request_object_none', 'This request was handed over by value; there is nothing to fetch.')
export const responseElsewhere = (): Refusal =>
  new Refusal('rejected', 'response_elsewhere', 'This request is answered in another way than by this operation.')
export const answerMissing = (): Refusal =>
  new Refusal('conflict', 'presentation_waiting', 'The wallet has not answered yet, or its response code is missing.')
export const answerRefused = (error: string): Refusal =>
  new Refusal('conflict', 'presentation_refused', 'The wallet answered with an error; ask again if need be.', {
    facts: { error },
  })
export const returnForbidden = (): Refusal =>
  new Refusal(
    'rejected',
    'return_forbidden',
    'Wallets send people back, and pages ask, at origins that the agency has configured (openid4vp.returnOrigins) only.',
  )
export const sameDeviceOnly = (): Refusal =>
  new Refusal(
    'rejected',
    'request_same_device',
    'This request is for a wallet on the device where it began; open its link there.',
  )
export const requestUnsuited = (detail: string): Refusal => new Refusal('rejected', 'request_unsuited', detail)
export const presentationsExcessive = (most: number): Refusal =>
  new Refusal('malformed', 'presentation_excessive', `A proof holds at most ${most} presentations; present fewer.`)
export const presentationUntaken = (): Refusal =>
  new Refusal('rejected', 'presentation_unfit', 'A credential is of another type than the one that was asked for.')
export const haipUnmet = (detail: string): Refusal => new Refusal('rejected', 'haip_unmet', detail)
export const operationUnknown = (): Refusal =>
  new Refusal('not_found', 'operation_unknown', 'No operation of this agency has this name.')
export const requirementWithout = (): Refusal =>
  new Refusal('rejected', 'requirement_without_credentials', 'This operation requires no credentials of one holder.')
