import { canonical } from '../../../kernel/canonical.ts'
import { type Caller, holderOf } from '../../../kernel/gate.ts'
import type { Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import type { Requirement } from '../../../kernel/requirement.ts'
import { assertBodySigned } from '../../../kernel/signed-body.ts'
import { aliasRateExceeded, bankOnly } from '../errors.ts'
import type { AliasesNeeds } from '../needs.ts'
import { type AliasAct, type AliasKind, bankTypes, dayMs, limits } from '../policy.ts'

/** Who asks the directory, as it counts and records them. */
export type Asker = {
  is: 'institution' | 'citizen'
  /** The institution's DID; a keyed digest of the citizen's national id, the same whichever credential they come with. */
  name: string
}

/** @throws Refusal alias_bank_only, agency_body_mismatch */
export const askerOf = (needs: AliasesNeeds, caller: Caller, body: unknown): Asker => {
  if (caller.kind === 'agency') {
    assertBodySigned(caller, body)
    if (!needs.accredited(caller.id, bankTypes)) throw bankOnly(bankTypes)
    return { is: 'institution', name: caller.id }
  }
  const number = String(holderOf(caller).matched['identity']?.claims['personalAdministrativeNumber'])
  return { is: 'citizen', name: `citizen:${Buffer.from(needs.keyed('asker', number)).toString('base64url')}` }
}

/** The case of a requirement that the path names; the gate has refused every other. */
export const caseOf = (
  requirement: { param: string; cases: Readonly<Record<string, Requirement>> },
  { params }: Context,
): Requirement => {
  const found = requirement.cases[params[requirement.param] ?? '']
  if (found === undefined) throw new Error('a route was entered without its case')
  return found
}

/**
 * Counts in one row an act, a caller and a day: of acts at the same moment each sees those before it. Then records who asked.
 * @throws Refusal alias_rate_exceeded
 */
export const count = async (
  needs: AliasesNeeds,
  tx: Tx,
  asked: { id: string; act: AliasAct; asker: Asker; kind: AliasKind; acts: number },
): Promise<void> => {
  const { id, act, asker, kind, acts } = asked
  const at = needs.house.clock.now()
  const day = at - (at % dayMs)
  const sql = `INSERT INTO alias_rates (id, day, acts) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET acts = alias_rates.acts + excluded.acts RETURNING acts`
  const [row] = await tx.query<Row & { acts: number }>(sql, [canonical([day, act, asker.name]), day, acts])
  const most = (needs.limits ?? limits)[asker.is][act]
  if (Number(row?.acts) > most) throw aliasRateExceeded(Math.ceil((day + dayMs - at) / 1_000))
  tx.insert('alias_requests', [{ id, act, asker: asker.name, kind, acts, at }])
}
