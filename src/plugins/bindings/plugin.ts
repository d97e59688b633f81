import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { BindingsNeeds } from './needs.ts'
import { routes } from './routes.ts'

/**
 * Wallets of the people whom this agency knows: it signs, for the chain's WalletRegistry, that a wallet belongs to a pseudonym.
 * Which person that is stands here and nowhere else. A binding lives as long as the KYC attestation that it was made under.
 */
export const bindings: Plugin<BindingsNeeds> = { name: 'bindings', entities, routes }
