import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { CredentialsNeeds } from './needs.ts'
import { routes } from './routes.ts'

/** Issue, verify, revoke and list credentials; publish types, status lists and the agency's DID document. */
export const credentials: Plugin<CredentialsNeeds> = { name: 'credentials', entities, routes }
