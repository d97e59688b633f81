import type { Row } from '../../../../kernel/ports.ts'
import { isRefusal } from '../../../../kernel/refusal.ts'
import { orderRequires } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import { type Fence, itself } from '../orders/rounds.ts'
import { duePayers, openQueue } from './queue.ts'
import { resolveWindow } from './resolve.ts'

/**
 * What settlement between institutions does by itself: for one process at a time, under a lease, each call one act or
 * none.
 */

const upkeep = { requires: orderRequires.upkeep, caller: itself }
const payersMost = 50

/**
 * Tries payments that wait on accounts where funds have come in otherwise (issuance, customers' waterfalls), and ends
 * those whose time is over.
 * @returns how many payments went on; 0 when nothing was due.
 */
export const settleQueued = async (desk: Desk, fence: Fence): Promise<number> => {
  const payers = await duePayers(desk, payersMost)
  if (payers.length === 0) return 0
  return desk.ledger.execute({
    ...{ operation: 'settleQueued', ...upkeep, input: payers },
    async chains({ tx }) {
      await fence(tx)
      return []
    },
    async answer(held) {
      const queue = openQueue(desk, held)
      await queue.drain(payers)
      return queue.write()
    },
  })
}

/** Resolves netting windows that have closed. @returns how many */
export const resolveClosedWindows = async (desk: Desk, fence: Fence): Promise<number> => {
  const { store, clock } = desk.house
  const sql = `SELECT id FROM cbdc_netting_windows WHERE state = 'open' AND closes_at <= ? ORDER BY closes_at LIMIT 20`
  let resolved = 0
  for (const { id } of await store.read<Row & { id: string }>(sql, [clock.now()])) {
    try {
      await resolveWindow(desk, id, { operation: 'resolveClosedWindows', ...upkeep }, ({ tx }) => fence(tx))
      resolved += 1
    } catch (error) {
      // An officer was quicker.
      if (!isRefusal(error) || error.code !== 'netting_resolved') throw error
    }
  }
  return resolved
}
