import type { Answer, Context, Route } from '../../kernel/plugin.ts'
import { createPresentationRequest } from './actions/create.ts'
import { getRequestObject, postRequestObject } from './actions/fetch.ts'
import {
  getPresentationRequest,
  getPresentationRequestQr,
  getPresentationResult,
  pollPresentationRequest,
  showPresentationReturn,
} from './actions/read.ts'
import { receiveDigitalCredential, receivePresentation } from './actions/respond.ts'
import type { Desk } from './desk.ts'
import { requires } from './policy.ts'

type Action = (desk: Desk, context: Context) => Promise<Answer>

/** operationId → what it requires, what runs. */
export const routes = (desk: Desk): Record<string, Route> => {
  const route = (of: (typeof requires)[keyof typeof requires], action: Action): Route => ({
    requires: of,
    run: context => action(desk, context),
  })
  return {
    createPresentationRequest: route(requires.request, createPresentationRequest),
    getPresentationRequest: route(requires.read, getPresentationRequest),
    getPresentationResult: route(requires.read, getPresentationResult),
    pollPresentationRequest: route(requires.anyone, pollPresentationRequest),
    getPresentationRequestQr: route(requires.anyone, getPresentationRequestQr),
    getRequestObject: route(requires.anyone, getRequestObject),
    postRequestObject: route(requires.anyone, postRequestObject),
    receivePresentation: route(requires.anyone, receivePresentation),
    receiveDigitalCredential: route(requires.anyone, receiveDigitalCredential),
    showPresentationReturn: route(requires.anyone, showPresentationReturn),
  }
}
