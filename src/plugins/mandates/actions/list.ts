import { disclose } from '../../../kernel/disclose.ts'
import { admit, type Caller } from '../../../kernel/gate.ts'
import { cursorMalformed } from '../../../kernel/pages.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { companyForeign, companyMissing, directorOnly, mandateUnknown } from '../errors.ts'
import type { MandatesNeeds } from '../needs.ts'
import { pageDefault, pageMost, requires } from '../policy.ts'
import { mandatesShown, resting } from './end.ts'
import { ancestorsOf, columns, type MandateRow, rowsOf } from './rows.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

type Reader = { company: string; caller: Caller }

/** Which company's mandates, and by which right: an officer names it, a director has shown it. */
const readerOf = async (needs: MandatesNeeds, caller: Caller, named: string | undefined): Promise<Reader> => {
  if (caller.kind === 'holder' && caller.matched['officer'] !== undefined) {
    if (named === undefined) throw companyMissing()
    return { company: named, caller }
  }
  const shown = mandatesShown(needs, caller)
  const rows = await rowsOf(
    needs,
    shown.flatMap(({ credentialId }) => credentialId ?? []),
  )
  if (rows.length === 0) throw mandateUnknown()
  const own = rows.filter(({ company }) => named === undefined || company === named)
  if (own.length === 0) throw companyForeign()
  const direct = own.find(({ level }) => level === 1)
  const right = shown.find(({ credentialId }) => credentialId === direct?.credential)
  if (direct === undefined || right === undefined) throw directorOnly()
  return { company: direct.company, caller: resting(caller, right) }
}

type State = 'in_force' | 'not_yet' | 'expired' | 'ended' | 'suspended' | 'ended_above'

type Judged = { endedHere: ReadonlySet<string>; now: number }

const stateOf = (needs: MandatesNeeds, row: MandateRow, { endedHere, now }: Judged): State => {
  if (row.state === 'ended') return 'ended'
  const own = needs.statusOf({ list: row.status_list, index: row.status_index })
  if (own !== 'valid') return own === 'revoked' ? 'ended' : 'suspended'
  const gone = ancestorsOf(row).some(
    ({ credentialId, statusList, statusIndex }) =>
      endedHere.has(credentialId) || needs.statusOf({ list: statusList, index: statusIndex }) !== 'valid',
  )
  if (gone) return 'ended_above'
  if (row.closes <= now) return 'expired'
  return Date.parse(row.starts_on) > now ? 'not_yet' : 'in_force'
}

/** Which of the mandates above these have ended by this register. */
const endedAbove = async (needs: MandatesNeeds, rows: readonly MandateRow[]): Promise<Set<string>> => {
  const above = await rowsOf(needs, [...new Set(rows.flatMap(row => ancestorsOf(row).map(each => each.credentialId)))])
  return new Set(above.filter(({ state }) => state === 'ended').map(({ credential }) => credential))
}

const viewOf = (needs: MandatesNeeds, row: MandateRow, judged: Judged) => ({
  mandateId: row.id,
  credentialId: row.credential,
  holder: row.holder,
  ...(row.family_name === null ? {} : { familyName: row.family_name }),
  ...(row.given_name === null ? {} : { givenName: row.given_name }),
  office: row.office,
  operations: JSON.parse(row.operations) as string[],
  limits: JSON.parse(row.limits) as unknown[],
  jointly: row.jointly,
  mayDelegate: row.may_delegate === 1,
  startsOn: row.starts_on,
  endsOn: row.ends_on,
  level: row.level,
  givenUnder: ancestorsOf(row).map(({ credentialId }) => credentialId),
  state: stateOf(needs, row, judged),
  collected: row.collected !== null,
  ...(row.ended_at === null ? {} : { endedAt: new Date(row.ended_at).toISOString() }),
  ...(row.reason === null ? {} : { reason: row.reason }),
})

/**
 * All mandates of a company, a page at a time, oldest first: for officers, and for the signatories the register names.
 * @throws Refusal company_missing, company_foreign, director_only, cursor_malformed
 */
export const listMandates = async (needs: MandatesNeeds, context: Context): Promise<Answer> => {
  const { query } = context
  admit(context.caller, requires.read)
  const { company, caller } = await readerOf(needs, context.caller, query['company'])
  const limit = Math.min(Number(query['limit'] ?? pageDefault), pageMost)
  const after = query['cursor'] ?? ''
  if (after !== '' && !uuid.test(after)) throw cursorMalformed()
  const items = await disclose(needs.house, {
    operation: 'listMandates',
    requires: requires.read,
    caller,
    input: { company, after, limit },
    read: async () => {
      const sql = `SELECT ${columns} FROM mandates WHERE company = ? AND id > ? ORDER BY id LIMIT ?`
      const rows = await needs.house.store.read<MandateRow>(sql, [company, after, limit + 1])
      const judged = { endedHere: await endedAbove(needs, rows), now: needs.house.clock.now() }
      return rows.map(row => viewOf(needs, row, judged))
    },
  })
  const page = items.slice(0, limit)
  const last = page.at(-1)
  const cursor = items.length > limit && last !== undefined ? { nextCursor: last.mandateId } : {}
  return { status: 200, body: { company, items: page, ...cursor } }
}
