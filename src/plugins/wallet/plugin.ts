import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { WalletNeeds } from './needs.ts'
import { routes } from './routes.ts'

export { citizenSessions } from './sessions.ts'

/**
 * The citizens' wallet service: keys (one a credential), credentials, and presentations to named verifiers.
 *
 * Everything a citizen keeps is sealed under a store key that only their passphrase or an open session unwraps, so the
 * operator, or whoever has the database, can neither read it nor present it. What this cannot do: a service that is
 * itself dishonest sees the passphrase at sign-in. Keys in the citizen's own device come with the web wallet.
 */
export const wallet: Plugin<WalletNeeds> = { name: 'wallet', entities, routes }
