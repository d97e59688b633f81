import { digestOf } from '../../../kernel/canonical.ts'
import { anonymous } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { OutboxStanding, Row, Tx } from '../../../kernel/ports.ts'
import type { StablecoinNeeds } from '../needs.ts'
import { roundMost } from '../policy.ts'
import { readActs } from './acts.ts'
import { type RedemptionRow, readRedemptions, setRedemption } from './redemptions.ts'

/** Throws once another process does this round. */
export type Fence = (tx: Tx) => Promise<void>

type Come<Of> = { of: Of; standing: OutboxStanding }

/** Those that have come to an end on the chain. */
const ended = async <Of extends { outbox: string | null }>(
  { outbox }: StablecoinNeeds,
  all: readonly Of[],
): Promise<Come<Of>[]> => {
  const come: Come<Of>[] = []
  for (const of of all) {
    const standing = of.outbox === null ? undefined : await outbox.state(of.outbox)
    if (standing?.state === 'final' || standing?.state === 'failed') come.push({ of, standing })
  }
  return come
}

const why = ({ error }: OutboxStanding): string => error ?? 'Reverted'

const endAct = async (tx: Tx, id: string, standing: OutboxStanding, at: number): Promise<void> => {
  const failed = standing.state === 'failed'
  const sql = `UPDATE stablecoin_acts SET state = ?, reason = ?, changed = ? WHERE id = ? AND state = 'sent'`
  await tx.query(sql, [failed ? 'failed' : 'done', failed ? why(standing) : null, at, id])
}

/** @returns what the redemption is from now on. */
const goOn = async (
  { outbox, coins }: StablecoinNeeds,
  tx: Tx,
  { of: row, standing }: Come<RedemptionRow>,
): Promise<RedemptionRow> => {
  if (standing.state === 'failed') {
    // Of the tokens that were taken none is lost: they are the issuer's until they are burnt.
    const state = row.state === 'requested' ? 'failed' : 'received'
    return { ...row, state, outbox: null, reason: why(standing) }
  }
  if (row.state === 'received') return { ...row, state: 'burnt', outbox: null, reason: null }
  const chain = coins.find(({ number, role }) => number === row.currency && role === 'issuer')?.chain
  if (chain === undefined) return { ...row, state: 'received', outbox: null, reason: 'no longer issued here' }
  return { ...row, state: 'received', reason: null, outbox: await outbox.enqueue(tx, [chain.burn(row.amount)]) }
}

/** It may have been gone on with in the meantime, by another process. */
const isStill = async (tx: Tx, { id, outbox }: RedemptionRow): Promise<boolean> => {
  const sql = 'UPDATE stablecoin_redemptions SET changed = changed WHERE id = ? AND outbox = ? RETURNING id'
  return (await tx.query<Row>(sql, [id, outbox])).length > 0
}

/**
 * Looks what became of what was sent to the chain, and burns what came back. Nothing that the chain refused is sent again by itself.
 * @returns how much has come to an end
 */
export const followCoins = async (needs: StablecoinNeeds, fence?: Fence): Promise<number> => {
  const { read } = needs.house.store
  const limit = `ORDER BY id LIMIT ${roundMost}`
  const acts = await ended(needs, await readActs(read, `state = 'sent' ${limit}`, []))
  const waiting = `state IN ('requested', 'received', 'burnt') AND outbox IS NOT NULL ${limit}`
  const redemptions = await ended(needs, await readRedemptions(read, waiting, []))
  if (acts.length + redemptions.length === 0) return 0
  const told = [...acts, ...redemptions].map(({ of, standing }) => ({ id: of.id, state: standing.state }))
  return perform(needs.house, {
    ...{ operation: 'followCoins', requires: { by: 'anyone' }, caller: anonymous, input: told },
    async act(tx, record) {
      await fence?.(tx)
      const at = needs.house.clock.now()
      for (const { of, standing } of acts) await endAct(tx, of.id, standing, at)
      for (const each of redemptions) {
        if (!(await isStill(tx, each.of))) continue
        await setRedemption(tx, each.of, await goOn(needs, tx, each), at)
      }
      record.effect(digestOf(told))
      return told.length
    },
  })
}
