import { digestOf } from '../../../kernel/canonical.ts'
import { admit } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import { assertBodySigned } from '../../../kernel/signed-body.ts'
import { addressUnusable } from '../errors.ts'
import type { AliasesNeeds } from '../needs.ts'
import { bankTypes, requires } from '../policy.ts'

type Payee = { ledger: string; account: number }

/**
 * Where the one payment goes: for the institution that asked for the address, for a bank if a citizen did, and for the payee's ledger.
 * The address is used up, also where nobody had the alias. Unknown, used, expired, another's and nobody's are one refusal.
 * @throws Refusal agency_body_mismatch, payment_address_unusable
 */
export const resolvePaymentAddress = async (needs: AliasesNeeds, context: Context): Promise<Answer> => {
  const { caller } = context
  const { paymentAddress } = context.body as { paymentAddress: string }
  admit(caller, requires.resolve)
  assertBodySigned(caller, context.body)
  const bank = needs.accredited(caller.id, bankTypes) ? 1 : 0
  const { payee } = await perform(needs.house, {
    operation: 'resolvePaymentAddress',
    requires: requires.resolve,
    caller,
    input: { paymentAddress },
    idempotencyKey: context.headers['idempotency-key'],
    act: async (tx, record): Promise<{ payee: Payee | null }> => {
      const at = needs.house.clock.now()
      const use = `UPDATE alias_addresses SET used_at = ? WHERE id = ? AND used_at IS NULL AND expires > ?
        AND (asker = ? OR (asker = '' AND ${bank} = 1)
          OR registration IN (SELECT registration FROM aliases WHERE ledger = ?))
        RETURNING registration`
      const used = await tx.query<Row & { registration: string | null }>(use, [
        ...[at, paymentAddress, at],
        ...[caller.id, caller.id],
      ])
      if (used[0] === undefined) throw addressUnusable()
      const find = 'SELECT ledger, account FROM aliases WHERE registration = ? AND expires > ?'
      const [row] = await tx.query<Row & Payee>(find, [used[0].registration ?? '', at])
      const payee = row === undefined ? null : { ledger: row.ledger, account: Number(row.account) }
      record.effect(digestOf({ paymentAddress, payee }))
      return { payee }
    },
  })
  if (payee === null) throw addressUnusable()
  return { status: 200, body: payee }
}
