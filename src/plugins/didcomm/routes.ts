import type { Answer, Context, Route } from '../../kernel/plugin.ts'
import {
  createDidcommOffer,
  createDidcommPresentationRequest,
  getDidcommOffer,
  getDidcommOfferQr,
  getDidcommPresentationRequest,
  getDidcommPresentationRequestQr,
  withdrawDidcommOffer,
  withdrawDidcommPresentationRequest,
} from './actions/prepare.ts'
import { receiveDidcommMessage } from './actions/receive.ts'
import type { Desk } from './desk.ts'
import { requires } from './policy.ts'

type Action = (desk: Desk, context: Context) => Promise<Answer>

/** operationId → what it requires, what runs. Who sends a message is proven by its envelope. */
export const routes = (desk: Desk): Record<string, Route> => {
  const route = (of: (typeof requires)[keyof typeof requires], action: Action): Route => ({
    requires: of,
    run: context => action(desk, context),
  })
  return {
    receiveDidcommMessage: route(requires.anyone, receiveDidcommMessage),
    createDidcommOffer: route(requires.offer, createDidcommOffer),
    getDidcommOffer: route(requires.offer, getDidcommOffer),
    getDidcommOfferQr: route(requires.offer, getDidcommOfferQr),
    withdrawDidcommOffer: route(requires.offer, withdrawDidcommOffer),
    createDidcommPresentationRequest: route(requires.request, createDidcommPresentationRequest),
    getDidcommPresentationRequest: route(requires.read, getDidcommPresentationRequest),
    getDidcommPresentationRequestQr: route(requires.request, getDidcommPresentationRequestQr),
    withdrawDidcommPresentationRequest: route(requires.request, withdrawDidcommPresentationRequest),
  }
}
