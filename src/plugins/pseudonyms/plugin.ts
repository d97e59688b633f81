import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { PseudonymsNeeds } from './needs.ts'
import { routes } from './routes.ts'

/**
 * The root authority's side of pseudonyms: it evaluates its oblivious function (RFC 9497, POPRF) for institutions. It sees who
 * asks, for which domain and how often, and neither whose national id it was nor which pseudonym comes out.
 */
export const pseudonyms: Plugin<PseudonymsNeeds> = { name: 'pseudonyms', entities, routes }
