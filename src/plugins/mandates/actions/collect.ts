import { enveloped } from '../../../kernel/envelope.ts'
import type { HolderCaller } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { collectorForeign, mandateOver } from '../errors.ts'
import type { MandatesNeeds } from '../needs.ts'
import { requires } from '../policy.ts'
import { readMandate } from './end.ts'

type CollectBody = { proof: { proof_type: 'jwt'; jwt: string } }

/** Who proved a key and nothing else. */
const bearerOf = (did: string): HolderCaller => ({
  kind: 'holder',
  ...{ id: did, actor: did, principal: did },
  ...{ mandates: [], credentials: [], matched: {} },
  proof: 'presentation',
})

/**
 * Hands a mandate over to whoever proves the key it is bound to, as often as they ask: it is of no use to anybody else.
 * The proof answers the id of the mandate, so it serves for no other.
 * @throws Refusal mandate_unknown, mandate_ended, collector_foreign, key_proof_refused
 */
export const collectMandate = async (needs: MandatesNeeds, context: Context): Promise<Answer> => {
  const { proof } = context.body as CollectBody
  const row = await readMandate(needs, context.params['mandate'] ?? '')
  const audience = [needs.publicUrl, needs.did]
  const { did } = await needs.proveKey(proof.jwt, { audience, nonce: row.id })
  if (did !== row.holder) throw collectorForeign()
  const answer = await perform(needs.house, {
    operation: 'collectMandate',
    requires: requires.anyone,
    caller: bearerOf(did),
    input: { mandate: row.id },
    act: async tx => {
      const sql = `UPDATE mandates SET collected = coalesce(collected, ?) WHERE id = ? AND state = 'active' RETURNING id`
      const [taken] = await tx.query(sql, [needs.house.clock.now(), row.id])
      if (taken === undefined) throw mandateOver()
      return { mandateId: row.id, credentialId: row.credential }
    },
  })
  return { status: 200, body: { ...answer, verifiableCredential: enveloped(row.format, row.compact) } }
}
