import { nextPage, pageOf } from '../../../kernel/pages.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import { assertBodySigned } from '../../../kernel/signed-body.ts'
import type { Desk } from '../desk.ts'
import { entityForeign, entityNamed, hintMissing, registrationDecided, registrationUnknown } from '../errors.ts'
import type { KeySet, Terms } from '../needs.ts'
import { requires } from '../policy.ts'
import { superiorOf } from './subordinates.ts'

type State = 'pending' | 'approved' | 'refused' | 'ended'
type RegistrationRow = Row & {
  id: string
  entity: string
  did: string
  jwks: string
  entity_types: string
  state: State
  terms: string
  registered: unknown
  decided: unknown
}

const columns =
  'id, entity, did, jwks, entity_types, state, terms, cast(registered as text) AS registered, cast(decided as text) AS decided'

const dateOf = (time: unknown): string => new Date(Number(time)).toISOString()

const viewOf = (row: RegistrationRow) => ({
  ...{ id: row.id, entity: row.entity, did: row.did, state: row.state, registered: dateOf(row.registered) },
  ...{ jwks: JSON.parse(row.jwks) as KeySet, entityTypes: JSON.parse(row.entity_types) as string[] },
  ...{ terms: JSON.parse(row.terms) as Terms, ...(row.decided === null ? {} : { decided: dateOf(row.decided) }) },
})

type Registration = { entity: string; did: string; keys: KeySet; entityTypes: readonly string[]; approved: boolean }

/**
 * One row an entity: whoever registers again brings their new keys, and stays what they were decided to be. Whoever was sent away
 * comes back by an officer alone.
 */
const enter = async (
  desk: Desk,
  tx: Tx,
  { entity, did, keys, entityTypes, approved }: Registration,
): Promise<RegistrationRow> => {
  const now = desk.house.clock.now()
  const state: State = approved ? 'approved' : 'pending'
  const sql = `INSERT INTO federation_subordinates (id, entity, did, jwks, entity_types, state, terms, registered, decided)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (entity) DO UPDATE SET did = excluded.did, jwks = excluded.jwks, entity_types = excluded.entity_types,
      registered = excluded.registered
    WHERE federation_subordinates.did = excluded.did OR federation_subordinates.state = 'ended'
    RETURNING ${columns}`
  const values = [
    ...[desk.newId(), entity, did, JSON.stringify(keys), JSON.stringify(entityTypes), state, '{}', now],
    approved ? now : null,
  ]
  const [row] = await tx.query<RegistrationRow>(sql, values)
  // It stands under another DID: moving an entity takes an officer, who ends it first.
  if (row === undefined) throw entityForeign()
  return row
}

/**
 * An institution asks to stand below this entity: with its federation keys, signed with the key that its DID names on chain.
 * @throws Refusal federation_no_superior, federation_entity_foreign, federation_entity_named, federation_hint_missing, those of
 * statements
 */
export const registerEntity = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  const body = context.body as { entity: string; jwks: KeySet }
  const { approves, named } = superiorOf(desk)
  if (caller.kind !== 'agency') throw new Error('only institutions come in here')
  assertBodySigned(caller, body)
  if (desk.entityOf(caller.id) !== body.entity) throw entityForeign()
  if (named.some(({ entity }) => entity === body.entity)) throw entityNamed()
  const { entityTypes, authorityHints } = await desk.readEntity(body.entity, body.jwks)
  if (!authorityHints.includes(desk.entity)) throw hintMissing()
  const registration = { entity: body.entity, did: caller.id, keys: body.jwks, entityTypes }
  const answer = await perform(desk.house, {
    ...{ operation: 'registerEntity', requires: requires.agency, caller, input: body },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => viewOf(await enter(desk, tx, { ...registration, approved: approves === 'accredited' })),
  })
  return { status: 201, body: answer }
}

/** Who has registered, and what was decided; for staff. */
export const listEntities = async (desk: Desk, { query }: Context): Promise<Answer> => {
  const page = pageOf(query, { most: 100, usual: 50 })
  const state = query['state']
  const wanted = state === undefined ? '' : ' AND state = ?'
  const sql = `SELECT ${columns} FROM federation_subordinates WHERE id > ?${wanted} ORDER BY id LIMIT ?`
  const values = [page.after, ...(state === undefined ? [] : [state]), page.limit]
  const rows = await desk.house.store.read<RegistrationRow>(sql, values)
  return { status: 200, body: { entities: rows.map(viewOf), ...nextPage(rows, page) } }
}

type Decision = { decision: 'approve' | 'refuse' | 'end'; terms?: Terms }

/** From which states each decision leads, and where to. */
const transitions: Readonly<Record<Decision['decision'], { from: readonly State[]; to: State }>> = {
  approve: { from: ['pending', 'approved', 'refused', 'ended'], to: 'approved' },
  refuse: { from: ['pending'], to: 'refused' },
  end: { from: ['approved'], to: 'ended' },
}

/**
 * Lets an entity in, under terms, turns it away, or ends its place; whoever stands below already may be given other terms.
 * @throws Refusal federation_registration_unknown, federation_registration_decided, those of terms
 */
export const decideEntity = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller, params } = context
  const { decision, terms } = context.body as Decision
  superiorOf(desk)
  if (terms !== undefined) desk.assertTerms(terms)
  const { from, to } = transitions[decision]
  const answer = await perform(desk.house, {
    ...{ operation: 'decideEntity', requires: requires.decide, caller, input: { id: params['id'], decision, terms } },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const marks = from.map(() => '?').join(', ')
      const sql = `UPDATE federation_subordinates SET state = ?, decided = ?, terms = COALESCE(?, terms)
        WHERE id = ? AND state IN (${marks}) RETURNING ${columns}`
      const given = terms === undefined ? null : JSON.stringify(terms)
      const id = params['id'] ?? ''
      const values = [to, desk.house.clock.now(), given, id, ...from]
      const [row] = await tx.query<RegistrationRow>(sql, values)
      if (row !== undefined) return viewOf(row)
      const known = await tx.query('SELECT 1 AS one FROM federation_subordinates WHERE id = ?', [id])
      throw known.length === 0 ? registrationUnknown() : registrationDecided()
    },
  })
  return { status: 200, body: answer }
}
