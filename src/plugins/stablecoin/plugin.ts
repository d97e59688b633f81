import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { StablecoinNeeds } from './needs.ts'
import { routes } from './routes.ts'

/**
 * A licensed issuer's token on the chain: minted to wallets of known people, never beyond the reserve that somebody else attests, and
 * redeemed from them. The agency that attests the reserve mounts it too.
 */
export const stablecoin: Plugin<StablecoinNeeds> = { name: 'stablecoin', entities, routes }
