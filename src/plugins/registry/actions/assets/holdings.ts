import { digestOf } from '../../../../kernel/canonical.ts'
import { evidenceOf } from '../../../../kernel/evidence.ts'
import type { Row, Tx } from '../../../../kernel/ports.ts'
import { isRefusal } from '../../../../kernel/refusal.ts'
import { freezeUnknown } from '../../assets/errors.ts'
import { type Holding, nothing } from '../../assets/ledger.ts'
import type { OrderInput } from '../../order-input.ts'
import type { Acting, Entry } from '../entries.ts'
import type { Reads } from '../land/parties.ts'
import type { AssetDesk } from './desk.ts'

/** What parties hold of a class, what orders hold of that, and every movement. Written under the lock of the class. */

export type Held = Holding & {
  /** Where the tokens are; null: at the registrar. */
  wallet: string | null
}

type HoldingRow = Row & { amount: string; frozen: string; wallet: string | null }

const holdingColumns = 'cast(amount AS text) AS amount, cast(frozen AS text) AS frozen, wallet'

const heldFrom = ({ amount, frozen, wallet }: HoldingRow): Held => ({
  ...{ amount: BigInt(amount), frozen: BigInt(frozen), wallet },
})

/** Undefined for a party that never held any. */
export const knownHolding = async (reads: Reads, entry: string, party: string): Promise<Held | undefined> => {
  const sql = `SELECT ${holdingColumns} FROM asset_holdings WHERE entry = ? AND party = ?`
  const [row] = await reads<HoldingRow>(sql, [entry, party])
  return row && heldFrom(row)
}

export const holdingOf = async (reads: Reads, entry: string, party: string): Promise<Held> =>
  (await knownHolding(reads, entry, party)) ?? { ...nothing, wallet: null }

export type HeldBy = Held & { party: string }

/** In the order of the parties' ids, after one of them. */
export const holdingsOf = async (reads: Reads, entry: string, after: string, limit: number): Promise<HeldBy[]> => {
  const sql = `SELECT party, ${holdingColumns} FROM asset_holdings WHERE entry = ? AND party > ?
    ORDER BY party LIMIT ?`
  const rows = await reads<HoldingRow & { party: string }>(sql, [entry, after, limit])
  return rows.map(row => ({ party: row.party, ...heldFrom(row) }))
}

export const writeHolding = async (tx: Tx, entry: string, party: string, held: Held): Promise<void> => {
  const sql = `INSERT INTO asset_holdings (entry, party, amount, frozen, wallet) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (entry, party) DO UPDATE SET amount = excluded.amount, frozen = excluded.frozen, wallet = excluded.wallet`
  await tx.query(sql, [entry, party, String(held.amount), String(held.frozen), held.wallet])
}

/** An order that holds some of a party's units. */
export type Freeze = { id: string; party: string; amount: bigint; order: OrderInput; legalBasis: string; since: number }

type FreezeRow = Row & { id: string; party: string; amount: string; terms: string; legal_basis: string; since: number }

const freezeColumns = 'id, party, cast(amount AS text) AS amount, terms, legal_basis, since'

const freezeFrom = ({ id, party, amount, terms, legal_basis, since }: FreezeRow): Freeze => ({
  ...{ id, party, amount: BigInt(amount), legalBasis: legal_basis, since },
  order: JSON.parse(terms) as OrderInput,
})

/** Those that stand. */
export const freezesOf = async (reads: Reads, entry: string, parties: readonly string[]): Promise<Freeze[]> => {
  if (parties.length === 0) return []
  const marks = parties.map(() => '?').join(', ')
  const sql = `SELECT ${freezeColumns} FROM asset_freezes WHERE entry = ? AND party IN (${marks}) AND ended_at IS NULL
    ORDER BY id`
  return (await reads<FreezeRow>(sql, [entry, ...parties])).map(freezeFrom)
}

/** @throws Refusal freeze_unknown */
export const standingFreeze = async (tx: Tx, entry: string, id: string): Promise<Freeze> => {
  const sql = `SELECT ${freezeColumns} FROM asset_freezes WHERE entry = ? AND id = ? AND ended_at IS NULL`
  const [row] = await tx.query<FreezeRow>(sql, [entry, id])
  if (row === undefined) throw freezeUnknown()
  return freezeFrom(row)
}

/** With nothing left to hold it ends. */
export const shrinkFreeze = async (tx: Tx, freeze: Freeze, released: bigint, now: number): Promise<void> => {
  const left = freeze.amount - released
  const sql = 'UPDATE asset_freezes SET amount = ?, ended_at = ? WHERE id = ?'
  await tx.query(sql, [String(left), left === 0n ? now : null, freeze.id])
}

/** `placed`: the tokens went to another wallet of the same holder, or came back to the registrar. */
export type MovementKind = 'issued' | 'transferred' | 'retired' | 'forced' | 'placed'

export type Movement = {
  id: string
  kind: MovementKind
  entry: Entry
  /** Parties of the register; null: nobody, for units that begin or end. */
  giver: string | null
  receiver: string | null
  amount: bigint
  legalBasis?: string
  reason?: string | undefined
  order?: OrderInput | undefined
  freeze?: string | undefined
  /** Where the tokens went, of a movement that places them. */
  wallet?: string | null
}

/** Writes a movement down for good, commits the evidence of the act to it, and ends certificates that are not true now. */
export const recordMovement = async (desk: AssetDesk, acting: Acting, movement: Movement): Promise<void> => {
  const { id, kind, entry, giver, receiver, amount, legalBasis, reason, order, freeze, wallet } = movement
  const { tx, record, caller } = acting
  const written = {
    ...{ movement: id, kind, register: entry.register, entry: entry.id, giver, receiver, amount: String(amount) },
    ...{ at: new Date(desk.house.clock.now()).toISOString(), record: record.id, by: evidenceOf(caller) },
    ...(legalBasis !== undefined && { legalBasis }),
    ...(reason !== undefined && { reason }),
    ...(order !== undefined && { order }),
    ...(freeze !== undefined && { freeze }),
    ...(wallet !== undefined && { wallet }),
  }
  const digest = digestOf(written)
  record.effect(digest)
  tx.insert('asset_movements', [
    { id, entry: entry.id, giver, receiver, record: record.id, digest, movement: JSON.stringify(written) },
  ])
  if (kind === 'placed') return
  for (const party of [giver, receiver]) if (party !== null) await endCertificates(desk, tx, entry.id, party)
}

/** A holding that changes is not what its certificates say any more: they are revoked. */
export const endCertificates = async (desk: AssetDesk, tx: Tx, entry: string, party: string): Promise<void> => {
  const sql = `UPDATE asset_certificates SET ended_at = ? WHERE entry = ? AND party = ? AND ended_at IS NULL
    RETURNING id`
  const ended = await tx.query<Row & { id: string }>(sql, [desk.house.clock.now(), entry, party])
  for (const { id } of ended) {
    try {
      await desk.issuance.changeStatus(tx, [id], { purpose: 'revocation', set: true, reason: 'the holding changed' })
    } catch (error) {
      // Somebody may have revoked it by itself before.
      if (!isRefusal(error) || error.code !== 'already_revoked') throw error
    }
  }
}
