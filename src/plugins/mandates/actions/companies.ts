import { digestOf } from '../../../kernel/canonical.ts'
import { admit } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import { companyDiffers, companyIdTaken, companyUnknown, jointlyUnsatisfiable } from '../errors.ts'
import type { MandatesNeeds } from '../needs.ts'
import { mandatesMost, requires } from '../policy.ts'
import {
  assertPeriod,
  assertRoom,
  type Company,
  columns,
  givenView,
  keepMandate,
  type MandateRow,
  signMandate,
  type Wish,
} from './rows.ts'

type Signatory = Wish & { familyName: string; givenName: string }

type RegisterBody = {
  legalName: string
  /** The company's DID. */
  id?: string
  jurisdiction: string
  legalBasis: string
  /** SHA-256 (base64url) of the company's application. */
  application: string
  signatories: Signatory[]
}

type CompanyRow = Row & { number: string; legal_name: string; did: string | null; jurisdiction: string }

export const companyOf = (row: CompanyRow): Company => ({
  number: row.number,
  legalName: row.legal_name,
  did: row.did ?? undefined,
  jurisdiction: row.jurisdiction,
})

/**
 * Writes the company, or what has changed about it, and locks it. Its DID stays as long as mandates name it: it is the
 * principal that joint signatories are known by, and no other company's.
 * @throws Refusal company_differs, company_id_taken
 */
const writeCompany = async (tx: Tx, company: Company, now: number): Promise<void> => {
  const { number, legalName, jurisdiction } = company
  const did = company.did ?? null
  await tx.query(
    `INSERT INTO mandate_companies (number, legal_name, did, jurisdiction, created, changed) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
    [number, legalName, did, jurisdiction, now, now],
  )
  const [kept] = await tx.query<CompanyRow>(
    `UPDATE mandate_companies SET legal_name = ?, jurisdiction = ?, changed = ? WHERE number = ?
     RETURNING number, legal_name, did, jurisdiction`,
    [legalName, jurisdiction, now, number],
  )
  if (kept === undefined) throw companyIdTaken()
  if (kept.did === did) return
  const inForce = `SELECT 1 AS one FROM mandates WHERE company = ? AND state = 'active' AND closes > ? LIMIT 1`
  if ((await tx.query(inForce, [number, now])).length > 0) throw companyDiffers()
  const taken = 'SELECT 1 AS one FROM mandate_companies WHERE did = ?'
  if (did !== null && (await tx.query(taken, [did])).length > 0) throw companyIdTaken()
  await tx.query('UPDATE mandate_companies SET did = ? WHERE number = ?', [did, number])
}

/** @throws Refusal jointly_unsatisfiable when fewer people are registered than are to sign together. */
const assertEnough = async (tx: Tx, number: string, signatories: readonly Signatory[], now: number): Promise<void> => {
  const sql = `SELECT DISTINCT holder FROM mandates WHERE company = ? AND level = 1 AND state = 'active' AND closes > ?`
  const registered = await tx.query<Row & { holder: string }>(sql, [number, now])
  const holders = new Set([...registered, ...signatories].map(({ holder }) => holder))
  if (signatories.some(({ jointly }) => jointly > holders.size)) throw jointlyUnsatisfiable()
}

/**
 * An officer enters, on the company's application, who may sign for it, alone or jointly. Each signatory gets a mandate,
 * which only the holder of the named key can collect and use.
 */
export const registerSignatories = async (needs: MandatesNeeds, context: Context): Promise<Answer> => {
  const body = context.body as RegisterBody
  const { signatories, legalBasis, application } = body
  const { legalName, id: did, jurisdiction } = body
  const company: Company = { number: context.params['company'] ?? '', legalName, did, jurisdiction }
  admit(context.caller, requires.register)
  for (const signatory of signatories) assertPeriod(signatory, needs.house.clock.now())
  const made = await Promise.all(
    signatories.map(async wish => ({
      ...{ id: needs.newId(), company: company.number, wish },
      issued: await signMandate(needs, company, wish, { ancestors: [], legalBasis }),
    })),
  )
  const answer = await perform(needs.house, {
    operation: 'registerSignatories',
    requires: requires.register,
    caller: context.caller,
    input: { company: company.number, body },
    idempotencyKey: context.headers['idempotency-key'],
    act: async (tx, record) => {
      const now = needs.house.clock.now()
      await writeCompany(tx, company, now)
      await assertRoom(tx, company.number, made.length, now)
      await assertEnough(tx, company.number, signatories, now)
      for (const each of made) await keepMandate(needs, tx, each, { level: 1, ancestors: [], legalBasis, application })
      const given = made.map(({ id, issued, wish }) => givenView(needs, id, issued, wish.holder))
      const ids = given.map(({ mandateId, credentialId }) => ({ mandateId, credentialId }))
      record.effect(digestOf({ company: company.number, mandates: ids }))
      return { company: company.number, mandates: given }
    },
  })
  return { status: 201, body: answer }
}

/** @throws Refusal company_unknown */
export const readCompany = async (needs: MandatesNeeds, number: string): Promise<Company> => {
  const sql = 'SELECT number, legal_name, did, jurisdiction FROM mandate_companies WHERE number = ?'
  const [row] = await needs.house.store.read<CompanyRow>(sql, [number])
  if (row === undefined) throw companyUnknown()
  return companyOf(row)
}

/**
 * The public register: whom the company has named to sign for it today, alone or jointly. Names and offices only; whether
 * a signatory in front of you is one of them, their mandate proves.
 * @throws Refusal company_unknown; unavailable when the chain cannot be asked whether they still stand
 */
export const getCompanySignatories = async (needs: MandatesNeeds, context: Context): Promise<Answer> => {
  const company = await readCompany(needs, context.params['company'] ?? '')
  const now = needs.house.clock.now()
  const today = new Date(now).toISOString().slice(0, 10)
  const sql = `SELECT ${columns} FROM mandates
    WHERE company = ? AND level = 1 AND state = 'active' AND closes > ? AND starts_on <= ? ORDER BY id LIMIT ${mandatesMost}`
  const rows = await needs.house.store.read<MandateRow>(sql, [company.number, now, today])
  const standing = rows.filter(row => needs.statusOf({ list: row.status_list, index: row.status_index }) === 'valid')
  return {
    status: 200,
    body: {
      company: company.number,
      legalName: company.legalName,
      ...(company.did === undefined ? {} : { id: company.did }),
      signatories: standing.map(row => ({
        familyName: row.family_name,
        givenName: row.given_name,
        office: row.office,
        signs: row.jointly === 1 ? 'alone' : 'jointly',
        jointly: row.jointly,
        since: row.starts_on,
        until: row.ends_on,
      })),
    },
  }
}
