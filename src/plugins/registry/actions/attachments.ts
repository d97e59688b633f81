import { createHash } from 'node:crypto'
import { disclose } from '../../../kernel/disclose.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import { attachmentMismatch, attachmentUnknown, contentMalformed } from '../errors.ts'
import { applicationReader, contentMost } from '../policy.ts'
import {
  assertApplicant,
  assertApplicationState,
  lockApplication,
  officerNumberOf,
  openStates,
  readApplication,
} from './applications.ts'
import type { Desk } from './desk.ts'

/** An application names its attachments by digest; content that is handed in must be what was named. */

export type StoredAttachment = { name: string; mediaType: string; sha256: string; bytes: number }

type AttachmentRow = Row & { name: string; media_type: string; sha256: string; bytes: number }

const attachmentOf = ({ name, media_type, sha256, bytes }: AttachmentRow): StoredAttachment => ({
  ...{ name, mediaType: media_type, sha256, bytes },
})

const columns = 'name, media_type, sha256, bytes'

export const attachmentsOf = async (desk: Desk, application: string): Promise<StoredAttachment[]> => {
  const sql = `SELECT ${columns} FROM registry_attachments WHERE application = ? ORDER BY name`
  return (await desk.house.store.read<AttachmentRow>(sql, [application])).map(attachmentOf)
}

/** @throws Refusal content_malformed, attachment_mismatch */
const contentOf = (text: string): Buffer => {
  const content = Buffer.from(text, 'base64')
  if (content.toString('base64') !== text) throw contentMalformed()
  if (content.length > contentMost) throw attachmentMismatch()
  return content
}

const keepContent = async (tx: Tx, application: string, named: StoredAttachment, content: Buffer, at: number) => {
  const found = createHash('sha256').update(content).digest('base64url')
  if (content.length !== named.bytes || found !== named.sha256) throw attachmentMismatch()
  const sql = `INSERT INTO registry_contents (application, sha256, content, at) VALUES (?, ?, ?, ?)
    ON CONFLICT (application, sha256) DO NOTHING`
  await tx.query(sql, [application, named.sha256, content, at])
}

/** Hands in the content of an attachment that the application names. */
export const putAttachment = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  const { application: id = '', name = '' } = context.params
  const content = contentOf((context.body as { content: string }).content)
  const kept = await perform(desk.house, {
    operation: 'putAttachment',
    requires: applicationReader(register),
    caller: context.caller,
    input: {
      register: register.name,
      application: id,
      name,
      sha256: createHash('sha256').update(content).digest('hex'),
    },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const application = await lockApplication(tx, id, register.name)
      assertApplicant(application, context.caller)
      assertApplicationState(application, openStates)
      const sql = `SELECT ${columns} FROM registry_attachments WHERE application = ? AND name = ?`
      const [row] = await tx.query<AttachmentRow>(sql, [id, name])
      if (row === undefined) throw attachmentUnknown()
      const named = attachmentOf(row)
      await keepContent(tx, id, named, content, desk.house.clock.now())
      return named
    },
  })
  return { status: 200, body: kept }
}

/** The content of an attachment, for its applicant or an officer. */
export const getAttachment = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  const { application: id = '', name = '' } = context.params
  const body = await disclose(desk.house, {
    operation: 'getAttachment',
    requires: applicationReader(register),
    caller: context.caller,
    input: { register: register.name, application: id, name },
    read: async () => {
      const application = await readApplication(desk, id, register.name)
      if (officerNumberOf(context.caller) === undefined) assertApplicant(application, context.caller)
      const sql = `SELECT a.name, a.media_type, a.sha256, a.bytes, c.content FROM registry_attachments a
        JOIN registry_contents c ON c.application = a.application AND c.sha256 = a.sha256
        WHERE a.application = ? AND a.name = ?`
      const [row] = await desk.house.store.read<AttachmentRow & { content: Uint8Array }>(sql, [id, name])
      if (row === undefined) throw attachmentUnknown()
      return { ...attachmentOf(row), content: Buffer.from(row.content).toString('base64') }
    },
  })
  return { status: 200, body }
}
