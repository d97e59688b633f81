import type { Row, Value } from '../../../kernel/ports.ts'
import { agentArgumentUnsupported, agentQueryUnsupported, dateMalformed } from '../errors.ts'
import type { CredentialsNeeds } from '../needs.ts'
import { pageMost } from '../policy.ts'

/** Veramo's `dataStore*` words over our own table of issued credentials. What Veramo calls a hash is our id. */

type Sql = { text: string; values: Value[] }
type Found = { hash: string; verifiableCredential: Record<string, unknown> }
type CredentialRow = Row & { id: string; compact: string }

const skipMost = 10_000
const conditionsMost = 10
const valuesMost = 100

const columns: Record<string, string> = {
  id: 'id',
  hash: 'id',
  type: 'type',
  issuanceDate: 'issued_at',
  expirationDate: 'valid_until',
}
/** Ids are ordered by time of issue; no other order can be had without sorting the whole table. */
const ordering = ['id', 'hash', 'issuanceDate']
const operators: Record<string, string> = {
  Equal: '=',
  LessThan: '<',
  LessThanOrEqual: '<=',
  MoreThan: '>',
  MoreThanOrEqual: '>=',
}

const membersOf = (value: unknown, known: string[]): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw agentQueryUnsupported('not an object')
  const strange = Object.keys(value).find(name => !known.includes(name))
  if (strange !== undefined) throw agentQueryUnsupported('a member that has no meaning here')
  return value as Record<string, unknown>
}

const listOf = (value: unknown, most: number): unknown[] => {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length > most) throw agentQueryUnsupported(`a list of at most ${most} is wanted`)
  return value
}

const comparable = (column: string, text: string): Value => {
  // Veramo keeps the types of a credential as one text, with commas.
  if (column === 'type') return text.replace(/^VerifiableCredential,/, '')
  if (column !== 'issuanceDate' && column !== 'expirationDate') return text
  const time = Date.parse(text)
  if (Number.isNaN(time) || !text.includes('T')) throw dateMalformed(column)
  return time
}

const comparison = (name: string, op: unknown, values: Value[]): Sql => {
  if (op === undefined || op === 'In') {
    return values.length === 0
      ? { text: '1 = 0', values }
      : { text: `${name} IN (${values.map(() => '?').join()})`, values }
  }
  if (op === 'Between' && values.length === 2) return { text: `${name} BETWEEN ? AND ?`, values }
  const operator = typeof op === 'string' && Object.hasOwn(operators, op) ? operators[op] : undefined
  if (operator === undefined || values.length !== 1) throw agentQueryUnsupported('an operator, or its number of values')
  return { text: `${name} ${operator} ?`, values }
}

const conditionOf = (entry: unknown, did: string): Sql => {
  const { column, value, not, op } = membersOf(entry, ['column', 'value', 'not', 'op'])
  const texts = listOf(value, valuesMost)
  if (!texts.every(text => typeof text === 'string')) throw agentQueryUnsupported('values are texts')
  let condition: Sql
  if (column === 'issuer') {
    // Everything in the table was issued by this agency.
    if (op !== undefined && op !== 'In' && op !== 'Equal')
      throw agentQueryUnsupported('issuer is compared by Equal or In')
    condition = { text: texts.includes(did) ? '1 = 1' : '1 = 0', values: [] }
  } else {
    const name = typeof column === 'string' && Object.hasOwn(columns, column) ? columns[column] : undefined
    if (name === undefined) throw agentQueryUnsupported(`columns are issuer, ${Object.keys(columns).join(', ')}`)
    condition = comparison(
      name,
      op,
      texts.map(text => comparable(String(column), text)),
    )
  }
  if (not !== undefined && typeof not !== 'boolean') throw agentQueryUnsupported('not is true or false')
  return not === true ? { text: `NOT (${condition.text})`, values: condition.values } : condition
}

const whereOf = (where: unknown, did: string): Sql => {
  const conditions = listOf(where, conditionsMost).map(entry => conditionOf(entry, did))
  if (conditions.length === 0) return { text: '', values: [] }
  const text = `WHERE ${conditions.map(condition => `(${condition.text})`).join(' AND ')}`
  return { text, values: conditions.flatMap(condition => condition.values) }
}

const orderOf = (order: unknown): 'ASC' | 'DESC' => {
  const [first, ...others] = listOf(order, 1)
  if (first === undefined || others.length > 0) return 'ASC'
  const { column, direction } = membersOf(first, ['column', 'direction'])
  if (!ordering.includes(String(column))) throw agentQueryUnsupported(`order is by ${ordering.join(', ')}`)
  if (direction !== 'ASC' && direction !== 'DESC') throw agentQueryUnsupported('a direction is ASC or DESC')
  return direction
}

const countOf = (value: unknown, otherwise: number, most: number): number => {
  if (value === undefined) return otherwise
  if (Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most) return Number(value)
  throw agentQueryUnsupported(`take is at most ${pageMost} and skip at most ${skipMost}`)
}

const shown = (needs: CredentialsNeeds, row: CredentialRow): Found => ({
  hash: row.id,
  verifiableCredential: needs.veramo.show(row.compact),
})

export const findCredentials = async (needs: CredentialsNeeds, args: Record<string, unknown>): Promise<Found[]> => {
  const { text, values } = whereOf(args['where'], needs.identity.did)
  const take = countOf(args['take'], pageMost, pageMost)
  const skip = countOf(args['skip'], 0, skipMost)
  const sql = `SELECT id, compact FROM credentials ${text} ORDER BY id ${orderOf(args['order'])} LIMIT ? OFFSET ?`
  const rows = await needs.house.store.read<CredentialRow>(sql, [...values, take, skip])
  return rows.map(row => shown(needs, row))
}

export const countCredentials = async (needs: CredentialsNeeds, args: Record<string, unknown>): Promise<number> => {
  const { text, values } = whereOf(args['where'], needs.identity.did)
  const [row] = await needs.house.store.read(`SELECT count(*) AS count FROM credentials ${text}`, values)
  return Number(row?.['count'] ?? 0)
}

export const credentialByHash = async (
  needs: CredentialsNeeds,
  args: Record<string, unknown>,
): Promise<Record<string, unknown> | undefined> => {
  const { hash } = args
  if (typeof hash !== 'string') throw agentArgumentUnsupported('hash')
  const sql = 'SELECT id, compact FROM credentials WHERE id = ?'
  const [row] = await needs.house.store.read<CredentialRow>(sql, [hash])
  return row === undefined ? undefined : shown(needs, row).verifiableCredential
}
