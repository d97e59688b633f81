import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { DidsNeeds } from './needs.ts'
import { routes } from './routes.ts'

/** Resolution of DIDs over HTTP, and the log of the agency's own did:webvh. Every agency has it. */
export const dids: Plugin<DidsNeeds> = { name: 'dids', entities, routes }
