import type { Caller } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { isRefusal, type Refusal } from '../../../kernel/refusal.ts'
import { applicationChanged, applicationDecided, applicationState, fieldsInvalid, grantOneByOne } from '../errors.ts'
import type { Fields } from '../extract.ts'
import { grantBatch, officerRequirement } from '../policy.ts'
import type { Register } from '../soundness.ts'
import { type Application, assertNotOwn, changeApplication, lockApplication, readApplication } from './applications.ts'
import type { Desk } from './desk.ts'
import { createEntries, type NewEntry } from './entries.ts'
import { granted } from './grant.ts'
import { allotNumbers, assertLegalBasis, signCredential, validUntilOf } from './prepare.ts'
import { assertUndecided } from './review.ts'

/**
 * Many entries, a line each: a register that existed on paper, or applications that an officer has been through. A
 * batch is signed in parallel off the main thread and entered in one transaction; each line gets its own answer, in
 * order.
 */

type GrantLine = {
  /** Grants this application, or without it enters what the line says. */
  application?: string
  holder?: string
  fields?: Fields
  legalBasis: string
  validUntil?: string
}

type Ready = { wanted: NewEntry & { id: string }; application: Application | undefined }
type Outcome = { line: number } & ({ ready: Ready } | { refusal: Refusal })

const refusedLine = (line: number, refusal: Refusal) => ({
  ...{ line, error: { code: refusal.code, detail: refusal.message } },
})

const underReview = async (desk: Desk, caller: Caller, register: Register, id: string): Promise<Application> => {
  const application = await readApplication(desk, id, register.name)
  assertNotOwn(application, caller)
  assertUndecided(application)
  if (application.purpose !== 'grant') throw applicationState(application.purpose)
  return application
}

const ready = async (
  desk: Desk,
  caller: Caller,
  register: Register,
  body: GrantLine,
  number: string,
): Promise<Ready> => {
  const named = body.application
  const application = named === undefined ? undefined : await underReview(desk, caller, register, named)
  assertLegalBasis(register, body.legalBasis)
  const holder = application?.holder ?? body.holder
  if (holder === undefined || (application !== undefined && body.holder !== undefined)) {
    throw fieldsInvalid('a line names either an application or a holder')
  }
  // Of an application an officer writes what is theirs to write, in a batch as one by one.
  const fields = application === undefined ? (body.fields ?? {}) : granted(register, application, undefined, body)
  const problem = register.check(fields)
  if (problem !== undefined) throw fieldsInvalid(problem)
  const validUntil = validUntilOf(register, desk.house.clock.now(), body.validUntil)
  const plan = { number, fields, holder, validUntil, legalBasis: body.legalBasis }
  const wanted = {
    ...{ ...plan, register, id: desk.newId(), wallet: application?.wallet ?? null },
    issued: [await signCredential(desk, register, plan)],
    ...(application !== undefined && {
      detail: { application: application.id, applicant: application.applicant },
    }),
  }
  return { wanted, application }
}

const prepared = async (desk: Desk, caller: Caller, register: Register, lines: readonly unknown[], from: number) => {
  const numbers = await allotNumbers(desk, register, lines.length)
  return Promise.all(
    lines.map(async (body, at): Promise<Outcome> => {
      const line = from + at
      try {
        if (isRefusal(body)) throw body
        return { line, ready: await ready(desk, caller, register, body as GrantLine, numbers[at] ?? '') }
      } catch (error) {
        if (!isRefusal(error)) throw error
        return { line, refusal: error }
      }
    }),
  )
}

/** The application is granted with the entry, unless somebody decided on it since. */
const decide = async (desk: Desk, tx: Tx, { wanted, application }: Ready): Promise<Refusal | undefined> => {
  if (application === undefined) return undefined
  const found = await lockApplication(tx, application.id, application.register)
  if (found.state !== 'in_review') return applicationDecided(found.state)
  if (found.version !== application.version) return applicationChanged()
  const { id: entry, fields, legalBasis, issued } = wanted
  const credential = issued?.[0]?.credential.id ?? null
  await changeApplication(desk, tx, found, { state: 'granted', entry, fields, legalBasis, credential })
  return undefined
}

type EnteredLine = { line: number; entry?: string; number?: string; token?: string | null; credential?: string }

const enterBatch = async (
  desk: Desk,
  context: Context,
  register: Register,
  lines: readonly unknown[],
  from: number,
): Promise<unknown[]> => {
  const key = context.headers['idempotency-key']
  const outcomes = await prepared(desk, context.caller, register, lines, from)
  const good = outcomes.flatMap(outcome => ('ready' in outcome ? [outcome] : []))
  const answers = await perform(desk.house, {
    operation: 'grantEntries',
    requires: officerRequirement(register),
    caller: context.caller,
    input: { register: register.name, lines: lines.map(line => (isRefusal(line) ? line.code : line)) },
    // A stream that broke off is sent again: what was entered then is answered as it was, the rest is entered.
    idempotencyKey: key === undefined ? undefined : `${key}:${from}`,
    act: async (tx, record) => {
      const late: { line: number; refusal: Refusal }[] = []
      const entering: typeof good = []
      for (const outcome of good) {
        const refusal = await decide(desk, tx, outcome.ready)
        if (refusal === undefined) entering.push(outcome)
        else late.push({ line: outcome.line, refusal })
      }
      const wanted = entering.map(({ ready: each }) => each.wanted)
      const entries = await createEntries(desk, { tx, record, caller: context.caller }, wanted)
      const done = entering.map(({ line }, at): EnteredLine => {
        const [entry, issued] = [entries[at], wanted[at]?.issued?.[0]]
        if (entry === undefined || issued === undefined) throw new Error('a line was not entered')
        const { id, number, token } = entry
        return { line, entry: id, number, token, credential: issued.credential.compact }
      })
      // Also what was refused beforehand: sent again, every line is answered as it was.
      const early = outcomes.flatMap(each => ('refusal' in each ? [each] : []))
      return [...done, ...[...late, ...early].map(({ line, refusal }) => refusedLine(line, refusal))]
    },
  })
  return [...answers].sort((a, b) => a.line - b.line)
}

/** @throws Refusal grant_one_by_one where a decision needs two officers */
export async function* grantEntries(
  desk: Desk,
  context: Context,
  lines: AsyncIterable<unknown>,
): AsyncIterable<unknown> {
  const register = desk.licences(context.params['register'])
  if (register.decide.fourEyes !== undefined) throw grantOneByOne()
  let batch: unknown[] = []
  let from = 1
  for await (const line of lines) {
    batch.push(line)
    if (batch.length < grantBatch) continue
    yield* await enterBatch(desk, context, register, batch, from)
    from += batch.length
    batch = []
  }
  if (batch.length > 0) yield* await enterBatch(desk, context, register, batch, from)
}
