import { admit } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import type { Requirement } from '../../../kernel/requirement.ts'
import { bindingEnded, bindingUnknown } from '../errors.ts'
import type { BindingsNeeds, Place } from '../needs.ts'
import { requires } from '../policy.ts'
import { ownHolders } from './list.ts'

type EndedRow = Row & { list: number; place: number }

const marks = (count: number): string => Array(count).fill('?').join(', ')
const placeOf = (row: EndedRow): Place => ({ list: Number(row.list), index: Number(row.place) })

/**
 * What a decision about KYC attestations does to the wallets bound under them: they end with it. A suspended attestation
 * vouches for nobody either, and no bit of a binding is ever cleared, so its holder binds the wallet again once it is lifted.
 * @returns the places whose bits belong to the decision.
 */
export const endBindingsUnder = async (
  needs: Pick<BindingsNeeds, 'house'>,
  tx: Tx,
  credentialIds: readonly string[],
  change: { purpose: 'revocation' | 'suspension' },
): Promise<Place[]> => {
  const sql = `UPDATE wallet_bindings SET ended_at = ?, ended_why = ?
    WHERE ended_at IS NULL AND credential IN (${marks(credentialIds.length)}) RETURNING list, place`
  const ended = await tx.query<EndedRow>(sql, [needs.house.clock.now(), change.purpose, ...credentialIds])
  return ended.map(placeOf)
}

type Ending = {
  operation: string
  requires: Requirement
  /** Whose bindings may be ended; undefined for anybody's. */
  holders?: readonly string[]
  why: string
}

/** From the block that sets its bit nobody stands behind the wallet. It cannot be undone. */
const endBinding = async (needs: BindingsNeeds, context: Context, ending: Ending): Promise<Answer> => {
  const { caller, params, headers } = context
  const { holders, why, ...act } = ending
  if (holders?.length === 0) throw bindingUnknown()
  const id = params['binding'] ?? ''
  const whose = holders === undefined ? '' : `AND holder IN (${marks(holders.length)})`
  const { outbox } = await perform(needs.house, {
    ...act,
    caller,
    input: { id, why },
    idempotencyKey: headers['idempotency-key'],
    act: async tx => {
      // Locks it, so that of two at one moment the second finds it ended.
      const lock = `UPDATE wallet_bindings SET domain = domain WHERE id = ? ${whose} RETURNING list, place, ended_at`
      const [row] = await tx.query<EndedRow & { ended_at: number | null }>(lock, [id, ...(holders ?? [])])
      if (row === undefined) throw bindingUnknown()
      if (row.ended_at !== null) throw bindingEnded()
      const outbox = await needs.outbox.enqueue(tx, needs.endWrites([placeOf(row)]))
      const sql = 'UPDATE wallet_bindings SET ended_at = ?, ended_why = ?, ending = ? WHERE id = ?'
      await tx.query(sql, [needs.house.clock.now(), why, outbox, id])
      return { outbox }
    },
  })
  const chain = await needs.outbox.state(outbox)
  return { status: 202, body: { id, state: 'ended', chain: chain?.state ?? 'queued' } }
}

/** The citizen ends a wallet binding of their own. @throws Refusal binding_unknown, binding_ended */
export const endWalletBinding = async (needs: BindingsNeeds, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, requires.own)
  const holders = caller.kind === 'holder' ? ownHolders(caller) : []
  return endBinding(needs, context, { operation: 'endWalletBinding', requires: requires.own, holders, why: 'holder' })
}

/** Staff end anybody's wallet binding, and say why. @throws Refusal binding_unknown, binding_ended */
export const revokeWalletBinding = async (needs: BindingsNeeds, context: Context): Promise<Answer> => {
  const { reason: why } = context.body as { reason: string }
  return endBinding(needs, context, { operation: 'revokeWalletBinding', requires: requires.revoke, why })
}
