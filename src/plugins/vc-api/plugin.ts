import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { VcApiNeeds } from './needs.ts'
import { routes } from './routes.ts'

/** The VC API of issuer instances and of holders: a key and a cryptosuite each, derived credentials, presentations. */
export const vcApi: Plugin<VcApiNeeds> = { name: 'vc-api', entities, routes }
