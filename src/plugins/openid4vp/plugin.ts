import type { Plugin } from '../../kernel/plugin.ts'
import type { Desk } from './desk.ts'
import { entities } from './entities.ts'
import { routes } from './routes.ts'

export { presentationRequests } from './ask.ts'
export { openDesk } from './desk.ts'

/** The verifier of OpenID for Verifiable Presentations 1.0. Every agency has it, as every agency has the gate. */
export const openid4vp: Plugin<Desk> = { name: 'openid4vp', entities, routes }
