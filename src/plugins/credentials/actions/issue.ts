import { enveloped as envelope } from '../../../kernel/envelope.ts'
import type { FormatId, IssuedCredential, IssueRequest } from '../../../kernel/identity.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { dateMalformed, issuerForeign, typeMissing } from '../errors.ts'
import type { CredentialsNeeds } from '../needs.ts'
import { requires } from '../policy.ts'

/** Body of the VC API's `/credentials/issue`. */
export type IssueBody = {
  credential: {
    type: string[]
    issuer?: string | { id: string }
    credentialSubject: Record<string, unknown>
    validFrom?: string
    validUntil?: string
    issuanceDate?: string
    expirationDate?: string
  }
  options?: { format?: FormatId; typeVersion?: number; x5c?: boolean }
}

const timeOf = (value: string | undefined, name: string): number | undefined => {
  if (value === undefined) return undefined
  const time = Date.parse(value)
  if (Number.isNaN(time) || !value.includes('T')) throw dateMalformed(name)
  return time
}

/** @throws Refusal type_missing, issuer_foreign, date_malformed */
export const requestOf = (body: IssueBody, did: string): IssueRequest => {
  const { credential, options } = body
  const names = credential.type.filter(name => name !== 'VerifiableCredential')
  const [type] = names
  if (type === undefined || names.length !== 1) throw typeMissing()
  const issuer = typeof credential.issuer === 'object' ? credential.issuer.id : credential.issuer
  if (issuer !== undefined && issuer !== did) throw issuerForeign()
  return {
    type,
    version: options?.typeVersion,
    format: options?.format,
    x5c: options?.x5c,
    subject: credential.credentialSubject,
    validFrom: timeOf(credential.validFrom ?? credential.issuanceDate, 'validFrom'),
    validUntil: timeOf(credential.validUntil ?? credential.expirationDate, 'validUntil'),
  }
}

export const rowOf = (issued: IssuedCredential) => ({
  id: issued.id,
  type: issued.type,
  type_version: issued.typeVersion,
  format: issued.format,
  status_list: issued.status.list,
  status_index: issued.status.index,
  issued_at: issued.issuedAt,
  valid_until: issued.validUntil,
  compact: issued.compact,
})

export const store = (tx: Tx, issued: IssuedCredential): void => tx.insert('credentials', [rowOf(issued)])

/** A secured credential as the VC API hands it over: enveloped, plain (a JWT of Data Model 1.1, an mdoc), or the object with its proof. */
export const enveloped = ({ format, compact }: { format: string; compact: string }): unknown => {
  if (format === 'ldp_vc') return JSON.parse(compact)
  return format === 'jwt_vc' || format === 'mso_mdoc' ? compact : envelope(format, compact)
}

type IssueAnswer = { verifiableCredential: unknown; credentialId: string }

const answerOf = (issued: IssuedCredential): IssueAnswer => ({
  verifiableCredential: enveloped(issued),
  credentialId: issued.id,
})

/** Signs first, off the main thread; then index, credential, evidence and answer are one transaction. */
export const issueCredential = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  const body = context.body as IssueBody
  const request = requestOf(body, needs.identity.did)
  const issued = await needs.identity.issue(request)
  const answer = await perform(needs.house, {
    operation: 'issueCredential',
    requires: requires.issue,
    caller: context.caller,
    input: body,
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      store(tx, issued)
      return answerOf(issued)
    },
  })
  const location = `${needs.publicUrl}/credentials/${encodeURIComponent(answer.credentialId)}`
  return { status: 201, body: answer, headers: { location } }
}

const inFlight = 256

type Line = { body?: unknown; refused?: unknown; line: number }

const problemLine = (line: number, error: unknown): Record<string, unknown> => {
  if (!isRefusal(error)) throw error
  return { line, error: { code: error.code, detail: error.message } }
}

/** Many credentials, a line each: signed in parallel, stored and journalled a batch at a time, answered in order. */
export async function* issueBatch(
  needs: CredentialsNeeds,
  context: Context,
  lines: AsyncIterable<unknown>,
): AsyncIterable<unknown> {
  let batch: Line[] = []
  let line = 0
  for await (const body of lines) {
    line += 1
    batch.push(isRefusal(body) ? { refused: body, line } : { body, line })
    if (batch.length < inFlight) continue
    yield* await issueLines(needs, context, batch)
    batch = []
  }
  if (batch.length > 0) yield* await issueLines(needs, context, batch)
}

const issueLines = async (needs: CredentialsNeeds, context: Context, batch: Line[]): Promise<unknown[]> => {
  const made = await Promise.all(
    batch.map(async ({ body, refused, line }) => {
      try {
        if (refused !== undefined) throw refused
        return { line, issued: await needs.identity.issue(requestOf(body as IssueBody, needs.identity.did)) }
      } catch (error) {
        return { line, problem: problemLine(line, error) }
      }
    }),
  )
  const issued = made.flatMap(item => (item.issued === undefined ? [] : [item.issued]))
  await perform(needs.house, {
    operation: 'issueCredentialBatch',
    requires: requires.issue,
    caller: context.caller,
    input: issued.map(credential => credential.id),
    act: async tx => tx.insert('credentials', issued.map(rowOf)),
  })
  return made.map(item => item.problem ?? { line: item.line, ...(item.issued && answerOf(item.issued)) })
}
