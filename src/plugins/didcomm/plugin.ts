import type { Plugin } from '../../kernel/plugin.ts'
import { type Desk, openDesk } from './desk.ts'
import { entities } from './entities.ts'
import { sendDue } from './outgoing.ts'
import { routes } from './routes.ts'

/** DIDComm Messaging 2.1: credentials issued and presented by messages, and a mediator that keeps messages for others. */
export const didcomm: Plugin<Desk> = { name: 'didcomm', entities, routes }

export { openDesk, sendDue }
