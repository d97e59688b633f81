import { disclose } from '../../../../kernel/disclose.ts'
import { nextPage, pageOf } from '../../../../kernel/pages.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { listMost, railRequires } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import { moveView } from './decide.ts'
import { type Move, moveColumns, moveOf } from './moves.ts'

/** Time and id of a move, which together are no other's. */
const cursorForm = /^[0-9]{1,15}:[0-9a-f]{64}$/
const placeOf = (cursor: string): { since: number; operation: string } => {
  const [since = '-1', operation = ''] = cursor === '' ? [] : cursor.split(':')
  return { since: Number(since), operation }
}

/** How far its last transaction has come: one that failed will not come about until an officer decides again. */
const viewOf = async ({ outbox }: Desk, move: Move) => {
  const told = move.outbox === null ? undefined : await outbox?.state(move.outbox)
  return { ...moveView(move), transaction: told?.state ?? null, error: told?.error ?? null }
}

/**
 * Moves between the rails that have not ended, oldest first: most end by themselves, the others wait for a decision.
 * @throws Refusal cursor_malformed
 */
export const listOpenMoves = (desk: Desk, context: Context): Promise<Answer> => {
  const currency = Number(context.params['currency'])
  return disclose(desk.house, {
    ...{ operation: 'listOpenMoves', requires: railRequires.list, caller: context.caller },
    input: { currency, ...context.query },
    async read() {
      const page = pageOf(context.query, { most: listMost, usual: listMost, form: cursorForm })
      const { since, operation } = placeOf(page.after)
      const sql = `SELECT ${moveColumns} FROM cbdc_moves
        WHERE state IN ('sent', 'suspended', 'stranded', 'ending') AND currency = ?
          AND (since > ? OR (since = ? AND operation > ?)) ORDER BY since, operation LIMIT ?`
      const rows = await desk.house.store.read<Row>(sql, [currency, since, since, operation, page.limit])
      const moves = rows.map(moveOf)
      const places = moves.map(move => ({ id: `${move.since}:${move.operation}` }))
      const items = await Promise.all(moves.map(move => viewOf(desk, move)))
      return { status: 200, body: { items, ...nextPage(places, page) } }
    },
  })
}
