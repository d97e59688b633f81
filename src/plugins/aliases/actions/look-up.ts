import { randomBytes } from 'node:crypto'
import { digestOf } from '../../../kernel/canonical.ts'
import { admit } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import type { AliasesNeeds } from '../needs.ts'
import { type AliasKind, addressLifeMs, decoyName, requires } from '../policy.ts'
import { askerOf, caseOf, count } from './asker.ts'

type LookUpBody = { kind: AliasKind; tag: string }

export const aliasOf = (kind: AliasKind, tag: string): string => `${kind}:${tag}`

/**
 * Answers a tag with a masked name and an address for one payment. A tag that nobody registered is answered in the same way, by the
 * same steps, with the name of nobody, always the same; its address leads nowhere, which is learnt only by resolving it.
 * @throws Refusal agency_body_mismatch, alias_bank_only, alias_rate_exceeded
 */
export const lookUpAlias = async (needs: AliasesNeeds, context: Context): Promise<Answer> => {
  const { caller } = context
  const { kind, tag } = context.body as LookUpBody
  const requirement = caseOf(requires.ask, context)
  admit(caller, requirement)
  const asker = askerOf(needs, caller, context.body)
  const alias = aliasOf(kind, tag)
  const nobody = decoyName(needs.keyed('decoy', alias), needs.initials)
  const paymentAddress = randomBytes(16).toString('base64url')
  const answer = await perform(needs.house, {
    operation: 'lookUpAlias',
    requires: requirement,
    caller,
    input: { kind, tag },
    idempotencyKey: context.headers['idempotency-key'],
    act: async (tx, record) => {
      await count(needs, tx, { id: record.id, act: 'lookup', asker, kind, acts: 1 })
      const at = needs.house.clock.now()
      const sql = 'SELECT registration, masked_name FROM aliases WHERE alias = ? AND expires > ?'
      const [found] = await tx.query<Row & { registration: string; masked_name: string }>(sql, [alias, at])
      const expires = at + addressLifeMs
      const row = {
        id: paymentAddress,
        registration: found?.registration ?? null,
        asker: asker.is === 'institution' ? asker.name : '',
        ...{ expires, used_at: null },
      }
      tx.insert('alias_addresses', [row])
      record.effect(digestOf(row))
      return { maskedName: found?.masked_name ?? nobody, paymentAddress, expires: new Date(expires).toISOString() }
    },
  })
  return { status: 200, body: answer }
}
