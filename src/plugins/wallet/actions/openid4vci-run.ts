import { perform } from '../../../kernel/perform.ts'
import type { Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { type Collection, type CollectionState, stateOf } from '../collection.ts'
import * as errors from '../errors.ts'
import { collectionLeaseMs, requires } from '../policy.ts'
import { vaultOf } from '../sessions.ts'
import type { Vault } from '../vault.ts'
import type { Desk } from './prove.ts'

export type CollectionRow = Row & { id: string; lease: number; expires: number; sealed: Uint8Array }

export const openCollection = (vault: Vault, { id, sealed }: Pick<CollectionRow, 'id' | 'sealed'>): Collection =>
  vault.open<Collection>('wallet_collections', id, sealed)

export const sealCollection = (vault: Vault, id: string, collection: Collection): Buffer =>
  vault.seal('wallet_collections', id, collection)

/** @throws Refusal collection_unknown, also for somebody else's and for one that has expired. */
export const rowOf = async (desk: Desk, vault: Vault, id: string): Promise<CollectionRow> => {
  const sql = 'SELECT id, lease, expires, sealed FROM wallet_collections WHERE id = ? AND citizen = ? AND expires > ?'
  const [row] = await desk.house.store.read<CollectionRow>(sql, [id, vault.citizen, desk.house.clock.now()])
  if (row === undefined) throw errors.offerUnknown()
  return row
}

/** What a call may do while it holds a collection. */
export type Turn = {
  vault: Vault
  id: string
  collection: Collection
  /** Keeps what has come so far: what an issuer has given once it may not give again. */
  save(): Promise<void>
}

type Step = {
  operation: string
  id: string
  input: unknown
  /** States in which it can be done. */
  from: readonly CollectionState[]
  work(turn: Turn): Promise<void>
  /** The collection as it is when everything in it has ended well; pure. */
  settled?(turn: Turn): Collection
  /** Writes what belongs to that, in the transaction that the idempotency key remembers. */
  end?(tx: Tx, turn: Turn): Promise<void>
  /** What follows and may fail: the outcome stands. */
  after?(turn: Turn): Promise<void>
  expires?(collection: Collection, now: number): number | undefined
}

type Asked = { operation: string; requires: typeof requires.citizen; caller: Context['caller']; input: unknown }

/** Takes the lease on a collection. @throws Refusal collection_unknown, collection_busy */
const take = async (desk: Desk, asked: Asked, vault: Vault, id: string): Promise<CollectionRow> => {
  const { house } = desk
  const taken = await perform(house, {
    ...asked,
    act: async tx => {
      const sql = `UPDATE wallet_collections SET lease = ? WHERE id = ? AND citizen = ? AND lease <= ? AND expires > ?
        RETURNING id, lease, expires, sealed`
      const now = house.clock.now()
      const [row] = await tx.query<CollectionRow>(sql, [now + collectionLeaseMs, id, vault.citizen, now, now])
      return row
    },
  })
  if (taken !== undefined) return taken
  await rowOf(desk, vault, id)
  throw errors.offerBusy()
}

/** A turn over a row whose lease is held: each save prolongs it, and nothing is written once somebody else has it. */
const openTurn = (desk: Desk, asked: Asked, vault: Vault, row: CollectionRow, step: Pick<Step, 'expires'>) => {
  const { house } = desk
  const { id } = row
  let { lease } = row
  const write = async (tx: Tx, collection: Collection, until: number): Promise<void> => {
    const expires = step.expires?.(collection, house.clock.now()) ?? row.expires
    const sql =
      'UPDATE wallet_collections SET sealed = ?, lease = ?, expires = ? WHERE id = ? AND lease = ? RETURNING id'
    const [written] = await tx.query(sql, [sealCollection(vault, id, collection), until, expires, id, lease])
    if (written === undefined) throw errors.offerBusy()
  }
  const keep = async (until: number): Promise<void> => {
    await perform(house, { ...asked, act: tx => write(tx, turn.collection, until) })
    lease = until
  }
  const save = () => keep(house.clock.now() + collectionLeaseMs)
  const turn: Turn = { vault, id, collection: openCollection(vault, row), save }
  return { turn, release: () => keep(0), write: (tx: Tx, collection: Collection) => write(tx, collection, lease) }
}

/**
 * One call of a citizen that talks to an issuer. Only one at a time may: it takes a lease on the row, works outside of any
 * transaction, saves after each step, and writes the outcome in one transaction. A key that was used for the same before
 * gives the collection as it is now.
 * @throws Refusal collection_unknown, collection_busy, collection_step
 */
export const takeTurn = async (desk: Desk, context: Context, step: Step): Promise<CollectionRow> => {
  const { operation, id } = step
  const vault = vaultOf(context.caller)
  const input = vault.evidence({ offer: id, asked: step.input })
  const asked: Asked = { operation, requires: requires.citizen, caller: context.caller, input }
  const { turn, write, release } = openTurn(desk, asked, vault, await take(desk, asked, vault, id), step)
  /** @returns whether the outcome was written now: a key that was used before has its answer already. */
  const finish = async (work: (tx: Tx) => Promise<void>): Promise<boolean> => {
    const idempotencyKey = context.headers['idempotency-key']
    let isWritten = false
    await perform(desk.house, {
      ...{ ...asked, idempotencyKey },
      act: async tx => {
        await work(tx)
        isWritten = true
        // Answers are remembered in the clear, so nothing but the id is one; the rest is read back through the vault.
        return { id }
      },
    })
    return isWritten
  }
  /** A key that was used for the same before has its answer: nothing is asked for again. */
  const isKnown = async (): Promise<boolean> => {
    if (context.headers['idempotency-key'] === undefined) return false
    const unknown = new Error('this call was not made before')
    const work = async (): Promise<never> => {
      throw unknown
    }
    return finish(work).then(
      () => true,
      (error: unknown) => {
        if (error === unknown) return false
        throw error
      },
    )
  }
  const run = async (): Promise<void> => {
    await step.work(turn)
    const settled = step.settled?.(turn) ?? turn.collection
    const isWritten = await finish(async tx => {
      await step.end?.(tx, turn)
      await write(tx, settled)
    })
    if (!isWritten) return
    turn.collection = settled
    await step.after?.(turn)
  }
  try {
    if (!(await isKnown())) {
      const state = stateOf(turn.collection)
      if (!step.from.includes(state)) throw errors.offerStep(state)
      await run()
    }
  } catch (error) {
    // What has come so far stays; a defect of the release must not hide what went wrong.
    await release().catch(failed => {
      if (!isRefusal(failed)) throw new AggregateError([error, failed], 'the collection could not be released')
    })
    throw error
  }
  await release()
  return rowOf(desk, vault, id)
}
