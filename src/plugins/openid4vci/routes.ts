import type { Answer, Context, Route } from '../../kernel/plugin.ts'
import { requestCredential } from './actions/credential.ts'
import { requestDeferredCredential } from './actions/deferred.ts'
import { notifyIssuer } from './actions/notification.ts'
import {
  createCredentialOffer,
  getCredentialOffer,
  getCredentialOfferQr,
  getOfferByReference,
  releaseCredentialOffer,
  withdrawCredentialOffer,
} from './actions/offers.ts'
import { createCredentialNonce, getCredentialIssuerMetadata } from './actions/publish.ts'
import { authorizationRoutes } from './authorization/routes.ts'
import { type Desk, openDesk } from './desk.ts'
import type { Openid4vciNeeds } from './needs.ts'
import { requires } from './policy.ts'

type Action = (desk: Desk, context: Context) => Promise<Answer>

/** operationId → what it requires, what runs. Who asks for credentials is judged by the access token, in the action. */
export const routes = (needs: Openid4vciNeeds): Record<string, Route> => {
  const desk = openDesk(needs)
  const route = (of: (typeof requires)[keyof typeof requires], action: Action): Route => ({
    requires: of,
    run: context => {
      desk.sweep()
      return action(desk, context)
    },
  })
  return {
    ...authorizationRoutes(desk),
    getCredentialIssuerMetadata: route(requires.anyone, getCredentialIssuerMetadata),
    createCredentialOffer: route(requires.offer, createCredentialOffer),
    getCredentialOffer: route(requires.offer, getCredentialOffer),
    withdrawCredentialOffer: route(requires.offer, withdrawCredentialOffer),
    getCredentialOfferQr: route(requires.offer, getCredentialOfferQr),
    releaseCredentialOffer: route(requires.release, releaseCredentialOffer),
    getOfferByReference: route(requires.anyone, getOfferByReference),
    createCredentialNonce: route(requires.anyone, createCredentialNonce),
    requestCredential: route(requires.anyone, requestCredential),
    requestDeferredCredential: route(requires.anyone, requestDeferredCredential),
    notifyIssuer: route(requires.anyone, notifyIssuer),
  }
}
