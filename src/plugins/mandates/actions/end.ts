import { digestOf } from '../../../kernel/canonical.ts'
import { admit, type Caller, type ProvenCredential } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { mandateForeign, mandateOver, mandateUnknown } from '../errors.ts'
import type { MandatesNeeds } from '../needs.ts'
import { requires } from '../policy.ts'
import { ancestorsOf, columns, type MandateRow } from './rows.ts'

type EndBody = { reason: string }

/** @throws Refusal mandate_unknown */
export const readMandate = async (needs: MandatesNeeds, id: string): Promise<MandateRow> => {
  const sql = `SELECT ${columns} FROM mandates WHERE id = ?`
  const [row] = await needs.house.store.read<MandateRow>(sql, [id])
  if (row === undefined) throw mandateUnknown()
  return row
}

/** Mandates of this register that the caller proved; another issuer's may bear the same id and mean nothing here. */
export const mandatesShown = (needs: MandatesNeeds, caller: Caller): ProvenCredential[] =>
  caller.kind === 'holder'
    ? caller.credentials.filter(({ type, issuer }) => type === 'CompanyMandate' && issuer === needs.did)
    : []

/** The caller, with the mandate that this act rests on in the evidence. */
export const resting = (caller: Caller, mandate: ProvenCredential): Caller =>
  caller.kind === 'holder' ? { ...caller, matched: { ...caller.matched, mandate } } : caller

/**
 * An officer; the holder, who gives it up; or whoever holds a mandate that it comes from.
 * @throws Refusal mandate_foreign
 */
const assertMayEnd = (needs: MandatesNeeds, caller: Caller, row: MandateRow): Caller => {
  if (caller.kind === 'holder' && caller.matched['officer'] !== undefined) return caller
  const line = new Set([row.credential, ...ancestorsOf(row).map(({ credentialId }) => credentialId)])
  const shown = mandatesShown(needs, caller).find(({ credentialId }) => line.has(credentialId ?? ''))
  if (shown === undefined) throw mandateForeign()
  return resting(caller, shown)
}

/**
 * Revokes the credential; one that was revoked past the register stays so.
 * @returns the id under which the change is followed on its way onto the chain, if there was anything to change.
 */
const revoke = async (
  needs: MandatesNeeds,
  tx: Tx,
  credential: string,
  reason: string,
): Promise<string | undefined> => {
  try {
    return await needs.issuance.changeStatus(tx, [credential], { purpose: 'revocation', set: true, reason })
  } catch (error) {
    if (isRefusal(error) && error.code === 'already_revoked') return undefined
    throw error
  }
}

/**
 * Ends a mandate: revoked on chain in the same transaction. Every mandate that comes from it names its status too, so they
 * all end with it.
 * @throws Refusal mandate_foreign, mandate_ended, mandate_unknown
 */
export const endMandate = async (needs: MandatesNeeds, context: Context): Promise<Answer> => {
  const body = context.body as EndBody
  admit(context.caller, requires.end)
  const row = await readMandate(needs, context.params['mandate'] ?? '')
  const caller = assertMayEnd(needs, context.caller, row)
  const answer = await perform(needs.house, {
    operation: 'endMandate',
    requires: requires.end,
    caller,
    input: { mandate: row.id, body },
    idempotencyKey: context.headers['idempotency-key'],
    act: async (tx, record) => {
      const now = needs.house.clock.now()
      const [ended] = await tx.query(
        `UPDATE mandates SET state = 'ended', ended_at = ?, ended_by = ?, reason = ?,
           closes = CASE WHEN closes < ? THEN closes ELSE ? END
         WHERE id = ? AND state = 'active' RETURNING id`,
        [now, caller.id, body.reason, now, now, row.id],
      )
      if (ended === undefined) throw mandateOver()
      const change = await revoke(needs, tx, row.credential, body.reason)
      record.effect(digestOf({ mandateId: row.id, credentialId: row.credential, ended: true }))
      const followed = change === undefined ? {} : { statusChange: change }
      return { mandateId: row.id, credentialId: row.credential, ...followed, endedAt: new Date(now).toISOString() }
    },
  })
  return { status: 200, body: answer }
}
