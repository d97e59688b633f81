import type { Answer, Context, Route } from '../../../kernel/plugin.ts'
import { requires } from '../policy.ts'
import { authorize, decideAuthorization } from './authorize.ts'
import { createAttestationChallenge, getAuthorizationServerMetadata } from './metadata.ts'
import type { AuthorizationDesk } from './needs.ts'
import { pushAuthorizationRequest } from './push.ts'
import { openAuthorizationSweep } from './sweep.ts'
import { openTakingUp } from './taking-up.ts'
import { exchangeToken } from './token.ts'

type Action = (desk: AuthorizationDesk, context: Context) => Promise<Answer>

/** operationId → what runs. Anyone may call: wallets prove themselves in the protocol's own ways, which the actions judge. */
export const authorizationRoutes = (desk: AuthorizationDesk): Record<string, Route> => {
  const sweep = openAuthorizationSweep(desk)
  const takeUp = openTakingUp(desk)
  const route = (action: Action): Route => ({
    requires: requires.anyone,
    run: context => {
      sweep()
      return action(desk, context)
    },
  })
  return {
    getAuthorizationServerMetadata: route(getAuthorizationServerMetadata),
    pushAuthorizationRequest: route(pushAuthorizationRequest),
    authorize: route(authorize),
    decideAuthorization: route(decideAuthorization),
    exchangeToken: route((_, context) => exchangeToken(desk, context, takeUp)),
    createAttestationChallenge: route(createAttestationChallenge),
  }
}
