import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { MandatesNeeds } from './needs.ts'
import { routes } from './routes.ts'

/**
 * Who may act for a company: the register names its signatories, alone or jointly, and they pass narrower powers on. Each
 * power is a CompanyMandate that its holder presents anywhere; it ends with every mandate that it comes from.
 */
export const mandates: Plugin<MandatesNeeds> = { name: 'mandates', entities, routes }
