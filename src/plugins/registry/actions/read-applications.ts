import { disclose } from '../../../kernel/disclose.ts'
import { cursorMalformed } from '../../../kernel/pages.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { credentialNotReady } from '../errors.ts'
import { applicationReader, officerRequirement, pageDefault } from '../policy.ts'
import {
  type Application,
  applicationColumns,
  applicationOf,
  assertApplicant,
  officerNumberOf,
  readApplication,
  viewOf,
} from './applications.ts'
import { attachmentsOf } from './attachments.ts'
import type { Desk } from './desk.ts'

/** Applications as they are read: by whoever applied, and by officers. */

type Reading<Output> = { operation: string; context: Context; read: (application: Application) => Promise<Output> }

const readByEither = async <Output>(desk: Desk, { operation, context, read }: Reading<Output>): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  const id = context.params['application'] ?? ''
  const body = await disclose(desk.house, {
    ...{ operation, requires: applicationReader(register), caller: context.caller },
    input: { register: register.name, application: id },
    read: async () => {
      const application = await readApplication(desk, id, register.name)
      if (officerNumberOf(context.caller) === undefined) assertApplicant(application, context.caller)
      return read(application)
    },
  })
  return { status: 200, body }
}

export const getApplication = (desk: Desk, context: Context): Promise<Answer> =>
  readByEither(desk, {
    ...{ operation: 'getApplication', context },
    read: async application => ({
      ...viewOf(application),
      attachments: await attachmentsOf(desk, application.id),
    }),
  })

/** The credential that came of an application, for the wallet of whoever applied. */
export const collectCredential = (desk: Desk, context: Context): Promise<Answer> =>
  readByEither(desk, {
    ...{ operation: 'collectCredential', context },
    read: async ({ credential }) => {
      const found = credential === null ? undefined : await desk.credential(credential)
      if (found === undefined) throw credentialNotReady()
      return { credentialId: credential, ...found }
    },
  })

/** Applications of a register in one state, the oldest first. */
export const listApplications = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  const { state = 'submitted', after = '', limit } = context.query
  if (after !== '' && !/^[0-9a-f-]{36}$/.test(after)) throw cursorMalformed()
  const most = Number(limit ?? pageDefault)
  const body = await disclose(desk.house, {
    operation: 'listApplications',
    requires: officerRequirement(register),
    caller: context.caller,
    input: { register: register.name, state, after },
    read: async () => {
      const sql = `SELECT ${applicationColumns} FROM registry_applications
        WHERE register = ? AND state = ? AND id > ? ORDER BY id LIMIT ?`
      const rows = await desk.house.store.read(sql, [register.name, state, after, most + 1])
      const applications = rows.slice(0, most).map(row => viewOf(applicationOf(row)))
      return { applications, ...(rows.length > most && { next: applications.at(-1)?.application }) }
    },
  })
  return { status: 200, body }
}
