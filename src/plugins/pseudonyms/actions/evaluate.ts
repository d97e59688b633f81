import { canonical, digestOf } from '../../../kernel/canonical.ts'
import { admit } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import { assertBodySigned } from '../../../kernel/signed-body.ts'
import { domainReserved, rateExceeded } from '../errors.ts'
import type { PseudonymsNeeds } from '../needs.ts'
import { evaluationsMost, evaluationsWindowMs, requires, typesFor } from '../policy.ts'

type EvaluationBody = { domain: string; blinded: string[] }

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

/** Counts in one row an institution and window: of acts at the same moment each sees those before it. */
const count = async (
  needs: PseudonymsNeeds,
  tx: Tx,
  asked: { agency: string; evaluations: number; at: number },
): Promise<void> => {
  const since = asked.at - (asked.at % evaluationsWindowMs)
  const sql = `INSERT INTO pseudonym_rates (id, since, evaluations) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET evaluations = pseudonym_rates.evaluations + excluded.evaluations
    RETURNING evaluations`
  const params = [canonical([since, asked.agency]), since, asked.evaluations]
  const [row] = await tx.query<Row & { evaluations: number }>(sql, params)
  if (Number(row?.evaluations) <= (needs.evaluationsMost ?? evaluationsMost)) return
  throw rateExceeded(Math.ceil((since + evaluationsWindowMs - asked.at) / 1_000))
}

/**
 * Evaluates blinded elements for an institution: counted and recorded first, then computed. The answer is a function of the
 * request, so it is not kept: repeated under its idempotency key, a request is computed again and not counted again.
 * @throws Refusal agency_body_mismatch, pseudonym_domain_reserved, rate_exceeded, blinded_element_invalid,
 * pseudonyms_unavailable
 */
export const evaluatePseudonyms = async (needs: PseudonymsNeeds, context: Context): Promise<Answer> => {
  const { caller } = context
  const body = context.body as EvaluationBody
  const { domain, blinded } = body
  admit(caller, requires.agency)
  assertBodySigned(caller, body)
  const types = typesFor(domain)
  if (types !== undefined && !needs.accredited(caller.id, types)) throw domainReserved(types)
  await perform(needs.house, {
    operation: 'evaluatePseudonyms',
    requires: requires.agency,
    caller,
    // Blinded elements are random points, whatever was blinded: their digest tells nobody anything.
    input: { domain, blinded },
    idempotencyKey: context.headers['idempotency-key'],
    act: async (tx, record) => {
      const at = needs.house.clock.now()
      const asked = { agency: caller.id, domain, evaluations: blinded.length, at }
      await count(needs, tx, asked)
      const row = { id: record.id, ...asked }
      tx.insert('pseudonym_requests', [row])
      record.effect(digestOf(row))
      return {}
    },
  })
  const evaluated = await needs.evaluate(
    domain,
    blinded.map(each => Buffer.from(each, 'base64url')),
  )
  const answer = { keyId: needs.keyId, evaluated: evaluated.elements.map(text), proof: text(evaluated.proof) }
  return { status: 200, body: answer }
}
