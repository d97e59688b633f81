import { type Caller, holderOf } from '../../../kernel/gate.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import { applicationOwn, applicationState, applicationUnknown } from '../errors.ts'
import type { Fields } from '../extract.ts'
import { queryIds } from '../policy.ts'
import type { Desk } from './desk.ts'

/** Applications as they are kept; what is done to them stands in `apply.ts`, `review.ts` and `grant.ts`. */

export type ApplicationState = 'submitted' | 'in_review' | 'changes_asked' | 'granted' | 'refused' | 'withdrawn'
export type Purpose = 'grant' | 'renewal' | 'amendment'

export const openStates: readonly ApplicationState[] = ['submitted', 'in_review', 'changes_asked']

/** A credential that the application rests on, as it was proven. */
export type Evidence = { query: string; type: string; issuer: string; digest: string; block?: number }

export type Application = {
  id: string
  register: string
  purpose: Purpose
  /** What it is about; of a grant, what came of it. */
  entry: string | null
  state: ApplicationState
  version: number
  /** For whom: the principal of whoever applied. */
  applicant: string
  /** DID that the credential is issued to. */
  holder: string
  wallet: string | null
  fields: Fields
  evidence: readonly Evidence[]
  /** Number of the officer who took it. */
  officer: string | null
  asked: string | null
  reasons: readonly string[] | null
  legalBasis: string | null
  credential: string | null
  submittedAt: number
  changedAt: number
}

type ApplicationRow = Row & {
  id: string
  register: string
  purpose: Purpose
  entry: string | null
  state: ApplicationState
  version: number
  applicant: string
  holder: string
  wallet: string | null
  fields: string
  evidence: string
  officer: string | null
  asked: string | null
  reasons: string | null
  legal_basis: string | null
  credential: string | null
  submitted_at: number
  changed_at: number
}

export const applicationColumns = `id, register, purpose, entry, state, version, applicant, holder, wallet, fields,
  evidence, officer, asked, reasons, legal_basis, credential, submitted_at, changed_at`

export const applicationOf = (row: Row): Application => {
  const { fields, evidence, reasons, legal_basis, submitted_at, changed_at, ...same } = row as ApplicationRow
  return {
    ...same,
    fields: JSON.parse(fields) as Fields,
    evidence: JSON.parse(evidence) as Evidence[],
    reasons: reasons === null ? null : (JSON.parse(reasons) as string[]),
    ...{ legalBasis: legal_basis, submittedAt: submitted_at, changedAt: changed_at },
  }
}

export const applicationRow = (application: Application): ApplicationRow => {
  const { fields, evidence, reasons, legalBasis, submittedAt, changedAt, ...same } = application
  return {
    ...same,
    fields: JSON.stringify(fields),
    evidence: JSON.stringify(evidence),
    reasons: reasons === null ? null : JSON.stringify(reasons),
    ...{ legal_basis: legalBasis, submitted_at: submittedAt, changed_at: changedAt },
  }
}

/** @throws Refusal application_unknown */
export const readApplication = async (desk: Desk, id: string, register: string): Promise<Application> => {
  const sql = `SELECT ${applicationColumns} FROM registry_applications WHERE id = ? AND register = ?`
  const [row] = await desk.house.store.read(sql, [id, register])
  if (row === undefined) throw applicationUnknown()
  return applicationOf(row)
}

/** Of two decisions at the same moment the second sees the first. @throws Refusal application_unknown */
export const lockApplication = async (tx: Tx, id: string, register: string): Promise<Application> => {
  const sql = `UPDATE registry_applications SET version = version WHERE id = ? AND register = ?
    RETURNING ${applicationColumns}`
  const [row] = await tx.query(sql, [id, register])
  if (row === undefined) throw applicationUnknown()
  return applicationOf(row)
}

type Changes = Partial<
  Pick<
    Application,
    | 'state'
    | 'entry'
    | 'holder'
    | 'wallet'
    | 'fields'
    | 'evidence'
    | 'officer'
    | 'asked'
    | 'reasons'
    | 'legalBasis'
    | 'credential'
  >
>

/** Changes a locked application. */
export const changeApplication = async (
  desk: Desk,
  tx: Tx,
  before: Application,
  changes: Changes,
): Promise<Application> => {
  const after = { ...before, ...changes, version: before.version + 1, changedAt: desk.house.clock.now() }
  const row = applicationRow(after)
  const sql = `UPDATE registry_applications SET state = ?, version = ?, entry = ?, holder = ?, wallet = ?, fields = ?,
    evidence = ?, officer = ?, asked = ?, reasons = ?, legal_basis = ?, credential = ?, changed_at = ? WHERE id = ?`
  await tx.query(sql, [
    ...[row.state, row.version, row.entry, row.holder, row.wallet, row.fields, row.evidence, row.officer, row.asked],
    ...[row.reasons, row.legal_basis, row.credential, row.changed_at, row.id],
  ])
  return after
}

export const assertApplicationState = (application: Application, allowed: readonly ApplicationState[]): void => {
  if (!allowed.includes(application.state)) throw applicationState(application.state)
}

/** The number of the officer that a caller proved to be; undefined for anybody else. */
export const officerNumberOf = (caller: Caller): string | undefined => {
  const number = caller.kind === 'holder' ? caller.matched[queryIds.officer]?.claims['officerNumber'] : undefined
  return typeof number === 'string' ? number : undefined
}

/** @throws Refusal application_unknown: whose it is not is not told that it exists. */
export const assertApplicant = (application: Application, caller: Caller): void => {
  if (application.applicant !== holderOf(caller).principal) throw applicationUnknown()
}

const provenBy = (caller: Caller): string[] => {
  if (caller.kind !== 'holder') return []
  const { actor, principal, credentials, author } = caller
  const others = author === undefined ? [] : provenBy(author)
  return [actor, principal, ...credentials.map(({ holder }) => holder), ...others]
}

/**
 * Nobody is judge in their own cause: who applied, and whoever the entry is to be issued to, as far as the keys that an
 * officer proved tell. @throws Refusal application_own
 */
export const assertNotOwn = ({ applicant, holder }: Application, caller: Caller): void => {
  const proven = provenBy(caller)
  if (proven.includes(applicant) || proven.includes(holder)) throw applicationOwn()
}

export const viewOf = (application: Application) => {
  const { id, submittedAt, changedAt, version: _version, ...same } = application
  return {
    ...{ application: id, ...same },
    submitted: new Date(submittedAt).toISOString(),
    changed: new Date(changedAt).toISOString(),
  }
}
