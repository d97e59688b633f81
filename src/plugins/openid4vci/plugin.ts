import type { Plugin } from '../../kernel/plugin.ts'
import { authorizationEntities } from './authorization/entities.ts'
import { issuerEntities } from './entities.ts'
import type { Openid4vciNeeds } from './needs.ts'
import { routes } from './routes.ts'

export { openSweeps } from './sweep.ts'

/** OpenID for Verifiable Credential Issuance 1.0: the credential issuer, and its own authorization server. */
export const openid4vci: Plugin<Openid4vciNeeds> = {
  name: 'openid4vci',
  entities: [...issuerEntities, ...authorizationEntities],
  routes,
}
