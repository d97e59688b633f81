import { digestOf } from '../../../kernel/canonical.ts'
import { admit } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { AliasesNeeds } from '../needs.ts'
import { type AliasKind, requires } from '../policy.ts'
import { askerOf, caseOf, count } from './asker.ts'

type EvaluationBody = { kind: AliasKind; blinded: string[] }

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

/**
 * Evaluates the function of a kind on aliases that the asker blinded: counted and recorded first, then computed. What was asked is
 * not seen here. The answer is a function of the request: repeated under its key, it is computed again and not counted again.
 * @throws Refusal agency_body_mismatch, alias_bank_only, alias_rate_exceeded, blinded_element_invalid, pseudonyms_unavailable
 */
export const evaluateAliases = async (needs: AliasesNeeds, context: Context): Promise<Answer> => {
  const { caller } = context
  const { kind, blinded } = context.body as EvaluationBody
  const requirement = caseOf(requires.ask, context)
  admit(caller, requirement)
  const asker = askerOf(needs, caller, context.body)
  await perform(needs.house, {
    operation: 'evaluateAliases',
    requires: requirement,
    caller,
    input: { kind, blinded },
    idempotencyKey: context.headers['idempotency-key'],
    act: async (tx, record) => {
      const asked = { id: record.id, act: 'evaluation', asker, kind, acts: blinded.length } as const
      await count(needs, tx, asked)
      record.effect(digestOf(asked))
      return {}
    },
  })
  const evaluated = await needs.evaluate(
    kind,
    blinded.map(each => Buffer.from(each, 'base64url')),
  )
  const answer = { keyId: needs.keyId, evaluated: evaluated.elements.map(text), proof: text(evaluated.proof) }
  return { status: 200, body: answer }
}
