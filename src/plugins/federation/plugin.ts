import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { FederationNeeds } from './needs.ts'
import { routes } from './routes.ts'

/**
 * OpenID Federation 1.0: what the agency says of itself as an entity; and where others stand below it, what it says of them, whom it
 * lets in, and the trust marks that it gives.
 */
export const federation: Plugin<FederationNeeds> = { name: 'federation', entities, routes }
