import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { AliasesNeeds } from './needs.ts'
import { routes } from './routes.ts'

/**
 * A directory of aliases (phone, national id) for payments, kept by an institution other than the ledger. It stores outputs of its own
 * oblivious function (RFC 9497, POPRF) and masked names; who looks an alias up learns a masked name and an address for one payment.
 */
export const aliases: Plugin<AliasesNeeds> = { name: 'aliases', entities, routes }
