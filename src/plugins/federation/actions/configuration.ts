import type { Answer } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import { type Desk, statementType } from '../desk.ts'
import { trustMarksMost } from '../policy.ts'

export const statementAnswer = (body: string): Answer => ({
  status: 200,
  contentType: `application/${statementType}`,
  body,
})

const heldMarks = async ({ house }: Desk): Promise<{ trust_mark_type: string; trust_mark: string }[]> => {
  const sql = `SELECT type, jwt FROM federation_held_marks WHERE expires > ? ORDER BY type LIMIT ${trustMarksMost}`
  const rows = await house.store.read<Row & { type: string; jwt: string }>(sql, [house.clock.now()])
  return rows.map(({ type, jwt }) => ({ trust_mark_type: type, trust_mark: jwt }))
}

/** Types of which this agency gives trust marks. It alone does. */
const givenTypes = async ({ house }: Desk): Promise<string[]> => {
  const sql = 'SELECT DISTINCT type FROM federation_trust_marks WHERE ended IS NULL AND expires > ? ORDER BY type'
  return (await house.store.read<Row & { type: string }>(sql, [house.clock.now()])).map(({ type }) => type)
}

/** Where the endpoints of a federation entity stand (OpenID Federation 1.0, section 5.1.1). */
const endpoints = ({ entity, superior, anchors }: Desk): Record<string, string> => ({
  ...(superior === undefined
    ? {}
    : {
        federation_fetch_endpoint: `${entity}/federation/fetch`,
        federation_list_endpoint: `${entity}/federation/list`,
        federation_trust_mark_endpoint: `${entity}/federation/trust-mark`,
      }),
  ...(anchors.length === 0 ? {} : { federation_resolve_endpoint: `${entity}/federation/resolve` }),
})

/** What the agency says of itself (OpenID Federation 1.0, section 9). */
export const getEntityConfiguration = async (desk: Desk): Promise<Answer> => {
  const { entity, keys, superiors, superior } = desk
  const { federation_entity, ...metadata } = await desk.metadata()
  const held = await heldMarks(desk)
  const given = superior === undefined ? [] : await givenTypes(desk)
  const claims = {
    jwks: keys,
    metadata: { federation_entity: { ...federation_entity, ...endpoints(desk) }, ...metadata },
    ...(superiors.length === 0 ? {} : { authority_hints: [...superiors] }),
    ...(held.length === 0 ? {} : { trust_marks: held }),
    ...(given.length === 0 ? {} : { trust_mark_issuers: Object.fromEntries(given.map(type => [type, [entity]])) }),
  }
  return statementAnswer(await desk.statement(entity, claims))
}
