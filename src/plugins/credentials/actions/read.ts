import { disclose } from '../../../kernel/disclose.ts'
import { nextPage, pageOf } from '../../../kernel/pages.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import { credentialUnknown } from '../errors.ts'
import type { CredentialsNeeds } from '../needs.ts'
import { pageMost, pageUsual, requires } from '../policy.ts'
import { enveloped } from './issue.ts'

type CredentialRow = Row & {
  id: string
  type: string
  type_version: number
  format: string
  issued_at: number
  valid_until: number
  compact: string
}
const columns = 'id, type, type_version, format, issued_at, valid_until, compact'

const summary = (row: CredentialRow, status: string) => ({
  credentialId: row.id,
  type: row.type,
  typeVersion: row.type_version,
  format: row.format,
  issuedAt: new Date(row.issued_at).toISOString(),
  validUntil: new Date(row.valid_until).toISOString(),
  status,
})

/** The last decision of each credential; the ids of decisions are ordered by time. */
const statuses = async (needs: CredentialsNeeds, ids: string[]): Promise<Map<string, string>> => {
  if (ids.length === 0) return new Map()
  const sql = `SELECT credential, status FROM status_decisions WHERE credential IN (${ids.map(() => '?').join(', ')}) ORDER BY id`
  const rows = await needs.house.store.read<Row & { credential: string; status: string }>(sql, ids)
  return new Map(rows.map(row => [row.credential, row.status]))
}

export const getCredential = (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  const id = context.params['id'] ?? ''
  return disclose(needs.house, {
    operation: 'getCredential',
    requires: requires.read,
    caller: context.caller,
    input: { id },
    read: async () => {
      const sql = `SELECT ${columns} FROM credentials WHERE id = ?`
      const [row] = await needs.house.store.read<CredentialRow>(sql, [id])
      if (row === undefined) throw credentialUnknown()
      const status = (await statuses(needs, [id])).get(id) ?? 'valid'
      return { status: 200, body: { ...summary(row, status), verifiableCredential: enveloped(row) } }
    },
  })
}

const credentialId = /^urn:uuid:[0-9a-f-]{36}$/

export const listCredentials = (needs: CredentialsNeeds, context: Context): Promise<Answer> =>
  disclose(needs.house, {
    operation: 'listCredentials',
    requires: requires.read,
    caller: context.caller,
    input: context.query,
    read: async () => {
      const page = pageOf(context.query, { most: pageMost, usual: pageUsual, form: credentialId })
      const sql = `SELECT ${columns} FROM credentials WHERE id > ? ORDER BY id LIMIT ?`
      const rows = await needs.house.store.read<CredentialRow>(sql, [page.after, page.limit])
      const known = await statuses(
        needs,
        rows.map(row => row.id),
      )
      const items = rows.map(row => summary(row, known.get(row.id) ?? 'valid'))
      return { status: 200, body: { items, ...nextPage(rows, page) } }
    },
  })
