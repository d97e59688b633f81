import type { Door } from '../../kernel/door.ts'
import type { Plugin } from '../../kernel/plugin.ts'
import type { Desk } from './desk.ts'
import { assertStands, enter } from './enter.ts'
import { entities } from './entities.ts'
import { pend } from './pending.ts'
import { routes } from './routes.ts'

export { openDesk } from './desk.ts'

/**
 * The gate of an agency: sessions and presentations by which holders of credentials are admitted, what each operation
 * requires, and acts that wait for a second officer. Every agency has it.
 */
export const gate: Plugin<Desk> = { name: 'gate', entities, routes }

/** The door that http lets every call through, over the same desk as the operations of the gate. */
export const doorOf = (desk: Desk): Door => ({
  session: call => desk.sessions.session(call),
  enter: entry => enter(desk, entry),
  stands: caller => assertStands(desk, caller),
  pend: (context, act) => pend(desk, context, act),
})
