import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import type { Desk } from '../desk.ts'
import { subordinateUnknown, trustMarkPeriod, trustMarksFull, trustMarkUnknown } from '../errors.ts'
import { requires, trustMarkLifeMost, trustMarkLifeMs, trustMarksMost } from '../policy.ts'
import { findSubordinate, superiorOf } from './subordinates.ts'

const trustMarkType = 'trust-mark+jwt'

const expiryOf = (asked: string | undefined, now: number): number => {
  const expires = asked === undefined ? now + trustMarkLifeMs : Date.parse(asked)
  if (expires > now && expires <= now + trustMarkLifeMost) return expires
  throw trustMarkPeriod()
}

/** Gives a trust mark to an entity below this one (OpenID Federation 1.0, section 7). @throws Refusal not_found, trust_mark_period */
export const issueTrustMark = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  const body = context.body as { entity: string; type: string; expires?: string }
  superiorOf(desk)
  if ((await findSubordinate(desk, body.entity)) === undefined) throw subordinateUnknown()
  const now = desk.house.clock.now()
  const expires = expiryOf(body.expires, now)
  const jwt = await desk.sign(trustMarkType, {
    ...{ iss: desk.entity, sub: body.entity, trust_mark_type: body.type },
    ...{ iat: Math.floor(now / 1_000), exp: Math.floor(expires / 1_000) },
  })
  const answer = await perform(desk.house, {
    ...{ operation: 'issueTrustMark', requires: requires.decide, caller, input: body },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const id = desk.newId()
      const { entity, type } = body
      tx.insert('federation_trust_marks', [{ id, entity, type, jwt, issued: now, expires, ended: null }])
      return { id, entity, type, expires: new Date(expires).toISOString(), trustMark: jwt }
    },
  })
  return { status: 201, body: answer }
}

/** The newest trust mark of a type that an entity was given (section 8.6). @throws Refusal not_found */
export const getTrustMark = async (desk: Desk, { query }: Context): Promise<Answer> => {
  superiorOf(desk)
  const sql = `SELECT jwt FROM federation_trust_marks WHERE entity = ? AND type = ? AND ended IS NULL AND expires > ?
    ORDER BY id DESC LIMIT 1`
  const { sub = '', trust_mark_type: type = '' } = query
  const values = [sub, type, desk.house.clock.now()]
  const [row] = await desk.house.store.read<Row & { jwt: string }>(sql, values)
  if (row === undefined) throw trustMarkUnknown()
  return { status: 200, contentType: `application/${trustMarkType}`, body: row.jwt }
}

/** Hands a trust mark out no longer; what was handed out already counts until it expires. @throws Refusal not_found */
export const endTrustMark = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller, params } = context
  const answer = await perform(desk.house, {
    ...{ operation: 'endTrustMark', requires: requires.decide, caller, input: { id: params['id'] } },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const sql = 'UPDATE federation_trust_marks SET ended = ? WHERE id = ? AND ended IS NULL RETURNING entity, type'
      const [row] = await tx.query<Row & { entity: string; type: string }>(sql, [
        desk.house.clock.now(),
        params['id'] ?? '',
      ])
      if (row === undefined) throw trustMarkUnknown()
      return { id: params['id'], entity: row.entity, type: row.type, ended: true }
    },
  })
  return { status: 200, body: answer }
}

/** Shows a trust mark that this agency was given, from now on, in its Entity Configuration. @throws Refusal trust_mark_invalid */
export const holdTrustMark = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  const { trustMark } = context.body as { trustMark: string }
  const { type, issuer, expiresAt } = desk.readTrustMark(trustMark)
  const answer = await perform(desk.house, {
    ...{ operation: 'holdTrustMark', requires: requires.decide, caller, input: { trustMark } },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const sql = `INSERT INTO federation_held_marks (type, jwt, expires) VALUES (?, ?, ?)
        ON CONFLICT (type) DO UPDATE SET jwt = excluded.jwt, expires = excluded.expires RETURNING type`
      await tx.query(sql, [type, trustMark, expiresAt])
      const [held] = await tx.query<Row & { count: unknown }>('SELECT count(*) AS count FROM federation_held_marks')
      if (Number(held?.count) > trustMarksMost) throw trustMarksFull()
      return { type, issuer, expires: new Date(expiresAt).toISOString() }
    },
  })
  return { status: 201, body: answer }
}
