import { isRefusal } from '../../../kernel/refusal.ts'
import type { CompactJws, KeySet } from '../../formats/compact-jws.ts'
import { trustMarkInvalid } from './refusals.ts'
import { assertSigned, assertTimely, type EntityStatement, entityIdIn, readTyped, timesOf } from './statement.ts'

/** A trust mark that holds (OpenID Federation 1.0, section 7). Times are milliseconds. */
export type TrustMark = { type: string; issuer: string; subject: string; expiresAt: number; jwt: string }

export const trustMarkTyp = 'trust-mark+jwt'
const delegationTyp = 'trust-mark-delegation+jwt'

export type TrustMarkNeeds = {
  now: number
  /** Entity Configuration of the trust anchor under which the issuer of the mark was found. */
  anchor: Pick<EntityStatement, 'trustMarkIssuers' | 'trustMarkOwners'>
  /** Federation keys of an issuer that a trust chain leads from to that anchor. @throws Refusal */
  keysOf(issuer: string): Promise<KeySet>
}

const textIn = (jws: CompactJws, name: string): string => {
  const value = jws.payload[name]
  if (typeof value === 'string' && value !== '') return value
  throw trustMarkInvalid(`${name} is missing in a trust mark or its delegation.`)
}

/** Section 7.2.2: who owns the type lets the issuer of the mark issue it. */
const assertDelegated = async (
  mark: { jws: CompactJws; type: string; issuer: string },
  { anchor, now }: TrustMarkNeeds,
): Promise<void> => {
  const owner = Object.hasOwn(anchor.trustMarkOwners, mark.type) ? anchor.trustMarkOwners[mark.type] : undefined
  const delegation = mark.jws.payload['delegation']
  if (owner === undefined && delegation === undefined) return
  if (owner === undefined) throw trustMarkInvalid('The trust anchor names no owner of this type of trust mark.')
  if (typeof delegation !== 'string') throw trustMarkInvalid('The trust mark lacks the delegation of its owner.')
  const jws = readTyped(delegation, delegationTyp)
  assertTimely(timesOf(jws.payload), now)
  if (textIn(jws, 'iss') !== owner.entityId) throw trustMarkInvalid('The delegation is not by the owner of the type.')
  if (textIn(jws, 'sub') !== mark.issuer) throw trustMarkInvalid('The delegation is for another issuer.')
  if (textIn(jws, 'trust_mark_type') !== mark.type) throw trustMarkInvalid('The delegation is for another type.')
  await assertSigned(jws, owner.keys)
}

const judge = async (
  mark: { type: string; jwt: string },
  holder: string,
  needs: TrustMarkNeeds,
): Promise<TrustMark> => {
  const jws = readTyped(mark.jwt, trustMarkTyp)
  const type = textIn(jws, 'trust_mark_type')
  if (type !== mark.type) throw trustMarkInvalid('The trust mark is of another type than is said beside it.')
  if (textIn(jws, 'sub') !== holder) throw trustMarkInvalid('The trust mark belongs to another entity.')
  const issuer = entityIdIn(jws.payload['iss'], 'iss')
  const times = timesOf(jws.payload)
  assertTimely(times, needs.now)
  if (times.expiresAt === undefined) {
    throw trustMarkInvalid('The trust mark never expires; whether it still stands is not asked for here.')
  }
  const { trustMarkIssuers } = needs.anchor
  const issuers = Object.hasOwn(trustMarkIssuers, type) ? trustMarkIssuers[type] : undefined
  if (issuers === undefined) throw trustMarkInvalid('The trust anchor does not know this type of trust mark.')
  if (issuers.length > 0 && !issuers.includes(issuer)) {
    throw trustMarkInvalid('The trust anchor does not accept trust marks of this type by this issuer.')
  }
  await assertSigned(jws, await needs.keysOf(issuer))
  await assertDelegated({ jws, type, issuer }, needs)
  return { type, issuer, subject: holder, expiresAt: times.expiresAt, jwt: mark.jwt }
}

/**
 * Judges a trust mark of an entity (section 7.3).
 * @param holder the entity in whose configuration it stands.
 * @throws Refusal rejected/trust_mark_invalid, and those of statements
 */
export const verifyTrustMark = async (
  mark: { type: string; jwt: string },
  holder: string,
  needs: TrustMarkNeeds,
): Promise<TrustMark> => judge(mark, holder, needs)

/** Those of the marks that hold; the others are left out. */
export const validTrustMarks = async (
  marks: readonly { type: string; jwt: string }[],
  holder: string,
  needs: TrustMarkNeeds,
): Promise<TrustMark[]> => {
  const valid: TrustMark[] = []
  for (const mark of marks) {
    try {
      valid.push(await judge(mark, holder, needs))
    } catch (error) {
      if (!isRefusal(error)) throw error
    }
  }
  return valid
}
