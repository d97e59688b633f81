import type { Answer, Context } from '../../../kernel/plugin.ts'
import { isRefusal, type Refusal } from '../../../kernel/refusal.ts'
import type { Desk } from '../desk.ts'
import { anchorInvalid, chainInvalid, metadataInvalid } from '../errors.ts'
import type { ResolvedEntity } from '../needs.ts'

/** In the words of section 8.9. What may be otherwise in a moment stays what it is. */
const inWords = (error: Refusal): Refusal => {
  if (error.kind === 'unavailable') return error
  if (error.code === 'trust_anchor_unknown') return anchorInvalid()
  return error.code.startsWith('metadata_policy_')
    ? metadataInvalid(error.message, error)
    : chainInvalid(error.message, error)
}

const resolved = async (desk: Desk, subject: string, anchor: string): Promise<ResolvedEntity> => {
  try {
    return await desk.resolve(subject, anchor)
  } catch (error) {
    throw isRefusal(error) ? inWords(error) : error
  }
}

/**
 * OpenID Federation 1.0, section 8.3: a chain that holds, resolved metadata, and the trust marks that hold.
 * @throws Refusal invalid_trust_anchor, invalid_trust_chain, invalid_metadata, unavailable/federation_unavailable
 */
export const resolveEntity = async (desk: Desk, { query }: Context): Promise<Answer> => {
  const { sub: subject = '', trust_anchor: anchor = '', entity_type: entityType } = query
  if (!desk.anchors.includes(anchor)) throw anchorInvalid()
  const { statements, metadata, expiresAt, trustMarks } = await resolved(desk, subject, anchor)
  const shown = Object.entries(metadata).filter(([type]) => entityType === undefined || type === entityType)
  const now = desk.house.clock.now()
  const until = Math.min(expiresAt, ...trustMarks.map(mark => mark.expiresAt))
  const payload = {
    ...{ iss: desk.entity, sub: subject, iat: Math.floor(now / 1_000), exp: Math.floor(until / 1_000) },
    ...{ metadata: Object.fromEntries(shown), trust_chain: [...statements] },
    ...(trustMarks.length === 0
      ? {}
      : { trust_marks: trustMarks.map(({ type, jwt }) => ({ trust_mark_type: type, trust_mark: jwt })) }),
  }
  const body = await desk.sign('resolve-response+jwt', payload)
  return { status: 200, contentType: 'application/resolve-response+jwt', body }
}
