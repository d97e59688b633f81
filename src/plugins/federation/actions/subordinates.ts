import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import type { Desk } from '../desk.ts'
import { noSuperior, parameterUnsupported, subjectSelf, subordinateUnknown } from '../errors.ts'
import type { KeySet, Superior, Terms } from '../needs.ts'
import { subordinatesMost } from '../policy.ts'
import { statementAnswer } from './configuration.ts'

type SubordinateRow = Row & { entity: string; jwks: string; terms: string }
type Subordinate = { keys: KeySet; terms: Terms }

export const superiorOf = ({ superior }: Desk): Superior => {
  if (superior === undefined) throw noSuperior()
  return superior
}

export const findSubordinate = async (desk: Desk, entity: string): Promise<Subordinate | undefined> => {
  const named = superiorOf(desk).named.find(each => each.entity === entity)
  if (named !== undefined) return named
  const sql = `SELECT entity, jwks, terms FROM federation_subordinates WHERE entity = ? AND state = 'approved'`
  const [row] = await desk.house.store.read<SubordinateRow>(sql, [entity])
  return row && { keys: JSON.parse(row.jwks) as KeySet, terms: JSON.parse(row.terms) as Terms }
}

/** OpenID Federation 1.0, section 8.1. @throws Refusal not_found, invalid_request */
export const fetchSubordinateStatement = async (desk: Desk, { query }: Context): Promise<Answer> => {
  const subject = query['sub'] ?? ''
  if (subject === desk.entity) throw subjectSelf()
  const found = await findSubordinate(desk, subject)
  if (found === undefined) throw subordinateUnknown()
  const { metadata, metadataPolicy, constraints } = found.terms
  const claims = {
    jwks: found.keys,
    source_endpoint: `${desk.entity}/federation/fetch`,
    ...(metadata === undefined ? {} : { metadata }),
    ...(metadataPolicy === undefined ? {} : { metadata_policy: metadataPolicy }),
    ...(constraints === undefined ? {} : { constraints }),
  }
  return statementAnswer(await desk.statement(subject, claims))
}

const bearers = async ({ house }: Desk, type: string | undefined): Promise<ReadonlySet<string>> => {
  const ofType = type === undefined ? '' : ' AND type = ?'
  const sql = `SELECT DISTINCT entity FROM federation_trust_marks WHERE ended IS NULL AND expires > ?${ofType}`
  const values = [house.clock.now(), ...(type === undefined ? [] : [type])]
  return new Set((await house.store.read<Row & { entity: string }>(sql, values)).map(({ entity }) => entity))
}

/** OpenID Federation 1.0, section 8.2. @throws Refusal unsupported_parameter */
export const listSubordinates = async (desk: Desk, { query }: Context): Promise<Answer> => {
  const { entity_type: entityType, trust_marked: marked, trust_mark_type: markType } = query
  // Whether somebody stands below an entity is not known here.
  if (query['intermediate'] !== undefined) throw parameterUnsupported('intermediate')
  const named = superiorOf(desk).named.map(({ entity }) => entity)
  if (entityType !== undefined && named.length > 0) throw parameterUnsupported('entity_type')
  const sql = `SELECT entity, entity_types FROM federation_subordinates WHERE state = 'approved'
    ORDER BY entity LIMIT ${subordinatesMost}`
  const rows = await desk.house.store.read<Row & { entity: string; entity_types: string }>(sql)
  const registered = rows
    .filter(
      ({ entity_types }) => entityType === undefined || (JSON.parse(entity_types) as string[]).includes(entityType),
    )
    .map(({ entity }) => entity)
  const all = [...named, ...registered]
  if (marked !== 'true' && markType === undefined) return { status: 200, body: all }
  const bearing = await bearers(desk, markType)
  return { status: 200, body: all.filter(entity => bearing.has(entity)) }
}
