import type { IssuedCredential } from '../../../kernel/identity.ts'
import type { MandateAncestor, MandateLimit, MandateLink } from '../../../kernel/mandate.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import { mandatesFull, periodEmpty } from '../errors.ts'
import type { MandatesNeeds } from '../needs.ts'
import { mandatesMost } from '../policy.ts'

const dayMs = 86_400_000

/** Amounts as JSON carries them: decimal strings of minor units. */
export type PlainLimit = { currency: string; perActMinor: string }

/** A mandate above, as the credential below carries it: with the place of its status. */
export type PlainAncestor = Omit<MandateAncestor, 'limits'> & {
  limits: PlainLimit[]
  statusList: number
  statusIndex: number
}

export type Company = { number: string; legalName: string; did: string | undefined; jurisdiction: string }

/** What somebody asks to be given to a person; the same for a signatory and for an employee. */
export type Wish = {
  holder: string
  familyName?: string
  givenName?: string
  office: string
  operations: string[]
  limits: PlainLimit[]
  jointly: number
  mayDelegate: boolean
  startsOn: string
  endsOn: string
}

export type MandateRow = Row & {
  id: string
  company: string
  credential: string
  holder: string
  family_name: string | null
  given_name: string | null
  office: string
  operations: string
  limits: string
  jointly: number
  may_delegate: number
  starts_on: string
  ends_on: string
  level: number
  ancestors: string
  status_list: number
  status_index: number
  format: string
  compact: string
  collected: number | null
  state: 'active' | 'ended'
  ended_at: number | null
  reason: string | null
  closes: number
}

export const columns = `id, company, credential, holder, family_name, given_name, office, operations, limits, jointly,
  may_delegate, starts_on, ends_on, level, ancestors, status_list, status_index, format, compact, collected, state,
  ended_at, reason, closes`

const marks = (count: number): string => Array(count).fill('?').join(', ')

/** Committed rows of these credentials, oldest first; unknown ones are left out. */
export const rowsOf = async (needs: MandatesNeeds, credentialIds: readonly string[]): Promise<MandateRow[]> => {
  if (credentialIds.length === 0) return []
  const sql = `SELECT ${columns} FROM mandates WHERE credential IN (${marks(credentialIds.length)}) ORDER BY id`
  return needs.house.store.read<MandateRow>(sql, [...credentialIds])
}

export const limitsOf = (limits: readonly PlainLimit[]): MandateLimit[] =>
  limits.map(({ currency, perActMinor }) => ({ currency, perActMinor: BigInt(perActMinor) }))

export const linkOf = (credentialId: string, wish: Wish): MandateLink => {
  const { holder, operations, jointly, mayDelegate, startsOn, endsOn } = wish
  return { credentialId, holder, operations, limits: limitsOf(wish.limits), jointly, mayDelegate, startsOn, endsOn }
}

export const ancestorsOf = (row: MandateRow): PlainAncestor[] => JSON.parse(row.ancestors) as PlainAncestor[]

/** The row as those below it name it. */
export const asAncestor = (row: MandateRow): PlainAncestor => ({
  credentialId: row.credential,
  holder: row.holder,
  level: row.level,
  jointly: row.jointly,
  operations: JSON.parse(row.operations) as string[],
  limits: JSON.parse(row.limits) as PlainLimit[],
  mayDelegate: row.may_delegate === 1,
  startsOn: row.starts_on,
  endsOn: row.ends_on,
  statusList: row.status_list,
  statusIndex: row.status_index,
})

/** The end of the last day of a mandate. */
const closeOf = (endsOn: string): number => Date.parse(endsOn) + dayMs

/** @throws Refusal mandate_period_empty */
export const assertPeriod = (wish: Wish, now: number): void => {
  if (wish.endsOn < wish.startsOn || closeOf(wish.endsOn) <= now) throw periodEmpty()
}

/** Signs the credential that says it; nothing is stored yet. */
export const signMandate = (
  needs: MandatesNeeds,
  company: Company,
  wish: Wish,
  given: { ancestors: readonly PlainAncestor[]; legalBasis?: string | undefined },
): Promise<IssuedCredential> => {
  const { familyName, givenName, jointly, ...terms } = wish
  const { holder, ...claims } = terms
  const now = needs.house.clock.now()
  const subject = {
    id: holder,
    ...(familyName === undefined ? {} : { familyName }),
    ...(givenName === undefined ? {} : { givenName }),
    company: {
      ...(company.did === undefined ? {} : { id: company.did }),
      ...{ legalName: company.legalName, registrationNumber: company.number },
    },
    ...claims,
    signing: { jointly },
    ancestors: given.ancestors,
    jurisdiction: company.jurisdiction,
    ...(given.legalBasis === undefined ? {} : { legalBasis: given.legalBasis }),
  }
  const validFrom = Math.max(now, Date.parse(wish.startsOn))
  return needs.issuance.issue({ type: 'CompanyMandate', subject, validFrom, validUntil: closeOf(wish.endsOn) })
}

/** Keeps a signed mandate within the act that gives it; acts that share its transaction see it at once. */
export const keepMandate = async (
  needs: MandatesNeeds,
  tx: Tx,
  made: { id: string; company: string; wish: Wish; issued: IssuedCredential },
  given: { level: number; ancestors: readonly PlainAncestor[]; legalBasis?: string; application?: string },
): Promise<void> => {
  const { id, company, wish, issued } = made
  needs.issuance.store(tx, issued)
  const row: Row = {
    ...{ id, company, credential: issued.id, holder: wish.holder, office: wish.office },
    family_name: wish.familyName ?? null,
    given_name: wish.givenName ?? null,
    operations: JSON.stringify(wish.operations),
    limits: JSON.stringify(wish.limits),
    jointly: wish.jointly,
    may_delegate: wish.mayDelegate ? 1 : 0,
    starts_on: wish.startsOn,
    ends_on: wish.endsOn,
    level: given.level,
    ancestors: JSON.stringify(given.ancestors),
    legal_basis: given.legalBasis ?? null,
    application: given.application ?? null,
    status_list: issued.status.list,
    status_index: issued.status.index,
    ...{ format: issued.format, compact: issued.compact, state: 'active', closes: closeOf(wish.endsOn) },
  }
  const names = Object.keys(row)
  const sql = `INSERT INTO mandates (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
  await tx.query(sql, Object.values(row))
}

/**
 * Room for so many more. Whoever asks has locked the company's row, so that two acts cannot both take the last place.
 * @throws Refusal mandates_full
 */
export const assertRoom = async (tx: Tx, company: string, more: number, now: number): Promise<void> => {
  const sql = `SELECT count(*) AS held FROM mandates WHERE company = ? AND state = 'active' AND closes > ?`
  const [row] = await tx.query<Row & { held: number }>(sql, [company, now])
  if (Number(row?.held ?? 0) + more > mandatesMost) throw mandatesFull(mandatesMost)
}

/** What the one who gives a mandate is told, to hand on to its holder. */
export const givenView = (needs: MandatesNeeds, id: string, issued: { id: string }, holder: string) => ({
  ...{ mandateId: id, credentialId: issued.id, holder },
  collect: {
    url: `${needs.publicUrl}/mandates/${id}/collection`,
    audience: needs.publicUrl,
    nonce: id,
  },
})
