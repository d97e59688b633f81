import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { RegistryNeeds } from './needs.ts'
import { routes } from './routes.ts'

/**
 * Registers of licences, titles and other assets. What a register is stands in its definition,
 * `agents/registers/*.yml`: a new one needs a file and a credential type, and no code.
 *
 * An entry comes about by a decision: of an officer on an application, or of an officer alone. It is issued as a
 * credential, mirrored as a token, and every step of its life is history that stays, with a proof of its place in the
 * log.
 */
export const registry: Plugin<RegistryNeeds> = { name: 'registry', entities, routes }
