import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { fieldsInvalid } from '../errors.ts'
import type { Fields } from '../extract.ts'
import { decisionRequirement } from '../policy.ts'
import type { Register } from '../soundness.ts'
import type { Desk } from './desk.ts'
import { enact } from './enact.ts'
import {
  assertState,
  assertVersion,
  changeEntry,
  currentCredentials,
  type Entry,
  type EntryState,
  type IssuedTo,
  lockEntry,
  readEntry,
} from './entries.ts'
import { assertLegalBasis, signCredential } from './prepare.ts'
import { extractView } from './read-entries.ts'

/** What an officer decides on an entry that stands: amend, suspend, reinstate, revoke. */

type DecisionBody = { legalBasis: string; reason: string; version?: number; order?: string }

const causeOf = ({ legalBasis, reason, order }: DecisionBody) => ({
  ...{ legalBasis, reason },
  ...(order !== undefined && { order }),
})

type Decision = { operation: string; kind: string; from: readonly EntryState[]; to: EntryState }

const decideState =
  ({ operation, kind, from, to }: Decision) =>
  async (desk: Desk, context: Context): Promise<Answer> => {
    const register = desk.licences(context.params['register'])
    const id = context.params['entry'] ?? ''
    const body = context.body as DecisionBody
    const changed = await perform(desk.house, {
      operation,
      requires: decisionRequirement(register),
      caller: context.caller,
      input: { register: register.name, entry: id, ...body },
      idempotencyKey: context.headers['idempotency-key'],
      act: async (tx, record) => {
        assertLegalBasis(register, body.legalBasis)
        const entry = await lockEntry(tx, id, register.name)
        assertVersion(entry, body.version)
        assertState(entry, from, desk.house.clock.now())
        const change = { kind, state: to, ...causeOf(body) }
        return extractView(desk, await changeEntry(desk, { tx, record, caller: context.caller }, entry, change))
      },
    })
    return { status: 200, body: changed }
  }

/** Until it is reinstated the entry, its credential and its token do not count. */
export const suspendEntry = decideState({
  ...{ operation: 'suspendEntry', kind: 'suspended', from: ['active'], to: 'suspended' },
})

export const reinstateEntry = decideState({
  ...{ operation: 'reinstateEntry', kind: 'reinstated', from: ['suspended'], to: 'active' },
})

/** For good. */
export const revokeEntry = decideState({
  ...{ operation: 'revokeEntry', kind: 'revoked', from: ['active', 'suspended'], to: 'revoked' },
})

type AmendBody = DecisionBody & { fields: Record<string, unknown>; holder?: string }

/** Members are replaced one by one; null takes one away. */
const amended = (register: Register, entry: Entry, changes: Record<string, unknown>): Fields => {
  const fields: Record<string, unknown> = { ...entry.fields }
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete fields[name]
    else fields[name] = value
  }
  const problem = register.check(fields)
  if (problem !== undefined) throw fieldsInvalid(problem)
  return fields
}

type Amendment = { before: Entry; fields: Fields; holder: string; issued: IssuedTo }

const prepare = async (desk: Desk, register: Register, id: string, body: AmendBody): Promise<Amendment> => {
  assertLegalBasis(register, body.legalBasis)
  const before = await readEntry(desk, id, register.name)
  assertState(before, ['active'], desk.house.clock.now())
  const fields = amended(register, before, body.fields)
  const holder = body.holder ?? before.holder ?? ''
  const { number, validUntil } = before
  const plan = { number, fields, holder, legalBasis: body.legalBasis, validUntil }
  return { before, fields, holder, issued: await signCredential(desk, register, plan) }
}

/** Corrects or changes what an entry says, or to which key it is issued; the credential is issued anew. */
export const amendEntry = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.licences(context.params['register'])
  const id = context.params['entry'] ?? ''
  const body = context.body as AmendBody
  const changed = await enact(desk, context, {
    operation: 'amendEntry',
    requires: decisionRequirement(register),
    input: { register: register.name, entry: id, ...body },
    prepare: () => prepare(desk, register, id, body),
    act: async (acting, { before, fields, holder, issued }) => {
      const entry = await lockEntry(acting.tx, id, register.name)
      assertVersion(entry, body.version)
      assertVersion(entry, before.version)
      const ended = (await currentCredentials(acting.tx, id)).map(credential => credential.id)
      const change = { kind: 'amended', fields, holder, issued: [issued], ended, ...causeOf(body) }
      const after = await changeEntry(desk, acting, entry, change)
      return { ...extractView(desk, after), credential: issued.credential.compact }
    },
  })
  return { status: 200, body: changed }
}
