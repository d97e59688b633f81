import { digestOf } from '../../../kernel/canonical.ts'
import { admit, type Caller } from '../../../kernel/gate.ts'
import { assertChain, companyPrincipal, type MandateTerms } from '../../../kernel/mandate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import {
  companyForeign,
  companyUnknown,
  mandateLevels,
  mandateNotDelegable,
  mandateUnknown,
  parentEnded,
} from '../errors.ts'
import type { MandatesNeeds } from '../needs.ts'
import { requires } from '../policy.ts'
import { readCompany } from './companies.ts'
import {
  ancestorsOf,
  asAncestor,
  assertPeriod,
  assertRoom,
  type Company,
  givenView,
  keepMandate,
  limitsOf,
  linkOf,
  type MandateRow,
  type PlainAncestor,
  rowsOf,
  signMandate,
  type Wish,
} from './rows.ts'

/** What is given on, and for which of the companies that the caller may act for. */
type DelegateBody = Wish & { company: string }

/**
 * The mandates that the caller acts under: one, or those of all who sign together.
 * @throws Refusal mandate_unknown for one that another agency gave, or that was issued again past this register;
 * company_foreign
 */
const parentsOf = async (needs: MandatesNeeds, caller: Caller, company: string): Promise<MandateRow[]> => {
  const acting = caller.kind === 'holder' ? caller.mandates : []
  if (acting.some(({ issuer }) => issuer !== needs.did)) throw mandateUnknown()
  const ids = new Set(acting.map(({ credentialId }) => credentialId))
  const rows = await rowsOf(needs, [...ids])
  if (rows.length === 0 || rows.length !== ids.size) throw mandateUnknown()
  if (rows.some(row => row.company !== company)) throw companyForeign()
  return rows
}

/** Every mandate above the one to be given, each once. */
const lineOf = (parents: readonly MandateRow[]): PlainAncestor[] => {
  const line = new Map<string, PlainAncestor>()
  for (const ancestor of [...parents.flatMap(ancestorsOf), ...parents.map(asAncestor)]) {
    line.set(ancestor.credentialId, ancestor)
  }
  return [...line.values()].sort((a, b) => a.level - b.level)
}

/**
 * Judges the mandate as every verifier will, before it exists.
 * @throws Refusal mandate_not_delegable, mandate_levels_differ, mandate_depth, mandate_wider
 */
const assertMayGive = (needs: MandatesNeeds, company: Company, parents: readonly MandateRow[], wish: Wish): void => {
  if (parents.some(({ may_delegate }) => may_delegate !== 1)) throw mandateNotDelegable()
  if (new Set(parents.map(({ level }) => level)).size !== 1) throw mandateLevels()
  const principal = companyPrincipal(needs.did, { id: company.did, registrationNumber: company.number })
  const ancestors = lineOf(parents).map(({ limits, statusList: _list, statusIndex: _index, ...link }) => ({
    ...link,
    limits: limitsOf(limits),
  }))
  const terms: MandateTerms = { ...linkOf('', wish), issuer: needs.did, principal, ancestors }
  assertChain(terms)
}

/**
 * Locks the company, then those who give: an end that comes first is seen, and one that comes after ends the child too.
 * @throws Refusal mandate_ended
 */
const lockParents = async (tx: Tx, company: string, parents: readonly MandateRow[]): Promise<void> => {
  const lock = 'UPDATE mandate_companies SET number = number WHERE number = ? RETURNING number'
  const [locked] = await tx.query(lock, [company])
  if (locked === undefined) throw companyUnknown()
  for (const { id } of parents) {
    const sql = 'UPDATE mandates SET state = state WHERE id = ? RETURNING state'
    const [row] = await tx.query(sql, [id])
    if (row?.['state'] !== 'active') throw parentEnded()
  }
}

/**
 * A director, or several together, pass a narrower power on to somebody else. It ends with any mandate that it comes
 * from. The holder's key is named here and proven when the mandate is collected.
 */
export const issueSubMandate = async (needs: MandatesNeeds, context: Context): Promise<Answer> => {
  const { company: number, ...wish } = context.body as DelegateBody
  admit(context.caller, requires.delegate)
  const parents = await parentsOf(needs, context.caller, number)
  const company = await readCompany(needs, number)
  assertPeriod(wish, needs.house.clock.now())
  assertMayGive(needs, company, parents, wish)
  const ancestors = lineOf(parents)
  const level = (parents[0]?.level ?? 0) + 1
  const issued = await signMandate(needs, company, wish, { ancestors })
  const id = needs.newId()
  const answer = await perform(needs.house, {
    operation: 'issueSubMandate',
    requires: requires.delegate,
    caller: context.caller,
    input: context.body,
    idempotencyKey: context.headers['idempotency-key'],
    act: async (tx, record) => {
      await lockParents(tx, company.number, parents)
      await assertRoom(tx, company.number, 1, needs.house.clock.now())
      await keepMandate(needs, tx, { id, company: company.number, wish, issued }, { level, ancestors })
      record.effect(digestOf({ company: company.number, mandates: [{ mandateId: id, credentialId: issued.id }] }))
      return givenView(needs, id, issued, wish.holder)
    },
  })
  return { status: 201, body: answer }
}
