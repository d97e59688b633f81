import type { Caller } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { lapsesARound, upkeep } from '../policy.ts'
import type { Desk } from './desk.ts'
import { changeEntry, lockEntry, stateAt } from './entries.ts'

/** The service itself, as the journal names it. */
const itself: Caller = { kind: 'apiKey', id: 'registry-upkeep', scopes: [upkeep.scope] }

/**
 * Records entries whose time is over as lapsed. They count as lapsed from the moment itself, so that nothing hangs on
 * when this runs; it may run anywhere, also twice at once.
 * @param fence throws once another process has taken over.
 * @returns how many were recorded; as many as a round takes means that there are more.
 */
export const recordLapsed = async (desk: Desk, fence: (tx: Tx) => Promise<void>): Promise<number> => {
  const now = desk.house.clock.now()
  const sql = `SELECT id FROM registry_entries WHERE valid_until IS NOT NULL AND state IN ('active', 'suspended')
    AND valid_until <= ? ORDER BY valid_until LIMIT ?`
  const due = await desk.house.store.read<{ id: string }>(sql, [now, lapsesARound])
  if (due.length === 0) return 0
  // In one order everywhere, so that two rounds at once never wait for each other.
  const ids = due.map(({ id }) => id).sort()
  return perform(desk.house, {
    operation: 'recordLapsed',
    requires: upkeep,
    caller: itself,
    input: ids,
    act: async (tx, record) => {
      await fence(tx)
      let recorded = 0
      for (const id of ids) {
        const entry = await lockEntry(tx, id)
        if (entry.state === 'lapsed' || stateAt(entry, now) !== 'lapsed') continue
        const change = { kind: 'lapsed', state: 'lapsed', legalBasis: entry.legalBasis } as const
        await changeEntry(desk, { tx, record, caller: itself }, entry, change)
        recorded += 1
      }
      return recorded
    },
  })
}
