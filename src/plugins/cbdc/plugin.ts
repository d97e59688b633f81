import type { Plugin } from '../../kernel/plugin.ts'
import type { Desk } from './actions/desk.ts'
import { entities } from './entities.ts'
import { routes } from './routes.ts'

/**
 * Money: a double-entry ledger on which a central bank issues to banks, banks' customers pay each other at once, and every
 * effect is an entry that can be proven. What an owner signed is all that moves their money, but for orders of the law.
 */
export const cbdc: Plugin<Desk> = { name: 'cbdc', entities, routes }
