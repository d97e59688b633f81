import type { Answer, Context } from '../../../kernel/plugin.ts'
import { applicationChanged, fieldsInvalid, validityWrong } from '../errors.ts'
import type { Fields } from '../extract.ts'
import { decisionRequirement } from '../policy.ts'
import type { Register } from '../soundness.ts'
import {
  type Application,
  assertNotOwn,
  changeApplication,
  lockApplication,
  readApplication,
  viewOf,
} from './applications.ts'
import type { Desk } from './desk.ts'
import { enact } from './enact.ts'
import {
  type Acting,
  assertState,
  assertVersion,
  changeEntry,
  createEntry,
  currentCredentials,
  type Entry,
  type IssuedTo,
  lockEntry,
  readEntry,
  type Step,
  stateAt,
} from './entries.ts'
import { allotNumbers, assertLegalBasis, signCredential, validUntilOf } from './prepare.ts'
import { assertUndecided } from './review.ts'

/** Grants an application: the entry, its credential and its token come about in one act. */

type GrantBody = { legalBasis: string; fields?: Fields; validUntil?: string; reason?: string }

/** What was signed for the application as it stood then. */
type Prepared = {
  application: Application
  entry: Entry | undefined
  number: string
  fields: Fields
  validUntil: number | null
  issued: IssuedTo
}

const pick = (fields: Fields, isTaken: (name: string) => boolean): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => isTaken(name)))

/**
 * What officers wrote into the entry while the application lay there stands: a renewal goes on with the entry as it is
 * now, and an amendment leaves their fields alone.
 */
const proposed = (register: Register, { purpose, fields }: Application, entry: Entry | undefined): Fields => {
  if (entry === undefined) return fields
  const isClaimed = (name: string): boolean => Object.hasOwn(register.apply?.fromClaims ?? {}, name)
  const isOfficers = (name: string): boolean => register.decide.fields.includes(name)
  if (purpose === 'renewal') return { ...entry.fields, ...pick(fields, isClaimed) }
  return { ...pick(fields, name => !isOfficers(name)), ...pick(entry.fields, isOfficers) }
}

/** The fields that an entry gets by a decision. @throws Refusal fields_invalid */
export const granted = (
  register: Register,
  application: Application,
  entry: Entry | undefined,
  body: Pick<GrantBody, 'fields'>,
): Fields => {
  const fields = { ...proposed(register, application, entry), ...body.fields }
  const foreign = Object.keys(body.fields ?? {}).find(name => !register.decide.fields.includes(name))
  if (foreign !== undefined) throw fieldsInvalid(`${foreign} is not a field that officers write`)
  const problem = register.check(fields)
  if (problem !== undefined) throw fieldsInvalid(problem)
  return fields
}

/** Did only the end of its time make the entry lapse, recorded or not? Of one that was suspended, no. */
const lapsedInForce = async (desk: Desk, { id, state, version }: Entry): Promise<boolean> => {
  if (state !== 'lapsed') return state === 'active'
  const sql = 'SELECT step FROM registry_history WHERE entry = ? AND version = ?'
  const [row] = await desk.house.store.read<{ step: string }>(sql, [id, version - 1])
  return row !== undefined && (JSON.parse(row.step) as Step).state === 'active'
}

/**
 * Nobody loses by the time that the office takes: a renewal that was applied for before the end is granted after it too.
 * @throws Refusal entry_state
 */
const assertGrantable = async (desk: Desk, application: Application, entry: Entry): Promise<void> => {
  const now = desk.house.clock.now()
  const inTime = entry.validUntil !== null && application.submittedAt < entry.validUntil
  const late = application.purpose === 'renewal' && inTime && stateAt(entry, now) === 'lapsed'
  if (late && (await lapsedInForce(desk, entry))) return
  assertState(entry, ['active'], now)
}

/**
 * From when the time of the entry counts: a renewal goes on where it ends.
 * @throws Refusal application_unknown, application_decided, application_state, legal_basis_unknown, entry_state,
 * fields_invalid, validity_wrong
 */
const prepare = async (desk: Desk, register: Register, id: string, body: GrantBody): Promise<Prepared> => {
  const application = await readApplication(desk, id, register.name)
  assertUndecided(application)
  assertLegalBasis(register, body.legalBasis)
  const entry = application.entry === null ? undefined : await readEntry(desk, application.entry, register.name)
  const now = desk.house.clock.now()
  if (entry !== undefined) await assertGrantable(desk, application, entry)
  const fields = granted(register, application, entry, body)
  const amended = application.purpose === 'amendment' && entry !== undefined
  const from = application.purpose === 'renewal' ? (entry?.validUntil ?? now) : now
  const validUntil = amended ? entry.validUntil : validUntilOf(register, from, body.validUntil)
  // Of a renewal decided so late that the new period is over as well, nothing would be left.
  if (validUntil !== null && validUntil <= now) throw validityWrong()
  const number = entry?.number ?? (await allotNumbers(desk, register, 1))[0] ?? ''
  const plan = { number, fields, holder: application.holder, legalBasis: body.legalBasis, validUntil }
  return { application, entry, number, fields, validUntil, issued: await signCredential(desk, register, plan) }
}

const enter = async (
  desk: Desk,
  acting: Acting,
  register: Register,
  { application, entry: prepared, number, fields, validUntil, issued }: Prepared,
  body: GrantBody,
): Promise<Entry> => {
  const { holder, wallet } = application
  const cause = { legalBasis: body.legalBasis, ...(body.reason !== undefined && { reason: body.reason }) }
  const detail = { application: application.id, applicant: application.applicant }
  if (prepared === undefined) {
    const wanted = { register, number, fields, holder, wallet, validUntil, issued: [issued], detail, ...cause }
    return createEntry(desk, acting, wanted)
  }
  const before = await lockEntry(acting.tx, prepared.id, register.name)
  assertVersion(before, prepared.version)
  const ended = (await currentCredentials(acting.tx, before.id)).map(({ id }) => id)
  const kind = application.purpose === 'renewal' ? 'renewed' : 'amended'
  return changeEntry(desk, acting, before, {
    kind,
    state: 'active',
    fields,
    holder,
    validUntil,
    issued: [issued],
    ended,
    detail,
    ...cause,
  })
}

/**
 * Grants. The credential is signed before the act, for the application as it stands; whoever decides in between wins.
 */
export const grantApplication = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  const id = context.params['application'] ?? ''
  const body = context.body as GrantBody
  const answer = await enact(desk, context, {
    operation: 'grantApplication',
    requires: decisionRequirement(register),
    input: { register: register.name, application: id, ...body },
    prepare: () => prepare(desk, register, id, body),
    act: async (acting, prepared) => {
      const application = await lockApplication(acting.tx, id, register.name)
      assertNotOwn(application, context.caller)
      assertUndecided(application)
      if (application.version !== prepared.application.version) throw applicationChanged()
      const entry = await enter(desk, acting, register, prepared, body)
      const changed = await changeApplication(desk, acting.tx, application, {
        ...{ state: 'granted', entry: entry.id, fields: prepared.fields, legalBasis: body.legalBasis },
        credential: prepared.issued.credential.id,
      })
      return { ...viewOf(changed), number: entry.number, token: entry.token }
    },
  })
  return { status: 200, body: answer }
}
