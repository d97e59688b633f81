import type { Dcql, DcqlClaim, DcqlCredential } from '../../../kernel/dcql-query.ts'
import type { Verdict } from '../../../kernel/identity.ts'
import type { VpToken } from '../../../kernel/presentation-requests.ts'
import { isRecord } from '../../../kernel/record.ts'
import type { Desk } from '../desk.ts'
import { attachmentMissing, bodyMalformed } from '../errors.ts'
import type { PreparedQuestion } from '../exchanges.ts'
import { answering, attachedIn, type Handler, replyTo } from '../handling.ts'
import type { Message } from '../needs.ts'
import { attachmentFormats, protocols } from '../policy.ts'

/**
 * Present Proof 3.0: asked by DIF Presentation Exchange (Aries RFC 0510) and by DCQL alike, the one question in two forms;
 * answered in either, and judged as every presentation is.
 */

const { definition, submission, dcql: dcqlFormat, vpToken } = attachmentFormats

/** How Presentation Exchange calls a format of DCQL; others are asked for by DCQL only. */
const exchangeFormats: Readonly<Record<string, Record<string, unknown>>> = {
  ldp_vc: { ldp_vp: { proof_type: ['DataIntegrityProof'] }, ldp_vc: { proof_type: ['DataIntegrityProof'] } },
  jwt_vc_json: { jwt_vp: { alg: ['ES256', 'EdDSA'] }, jwt_vc: { alg: ['ES256', 'EdDSA'] } },
}

const fieldOf = ({ path, values }: DcqlClaim): Record<string, unknown> => {
  const steps = path.map(step => (step === null ? '[*]' : typeof step === 'number' ? `[${step}]` : `['${step}']`))
  return { path: [`$${steps.join('')}`], ...(values === undefined ? {} : { filter: { enum: [...values] } }) }
}

const descriptorOf = ({ id, format, meta, claims = [] }: DcqlCredential): Record<string, unknown>[] => {
  const formats = exchangeFormats[format]
  if (formats === undefined) return []
  const alternatives = (meta as { type_values?: readonly (readonly string[])[] })['type_values'] ?? []
  const names = alternatives.map(types => (types.at(-1) ?? '').replace(/^.*[#/]/, ''))
  const ofType = { path: ['$.type', '$.vc.type'], filter: { type: 'array', contains: { enum: names } } }
  return [{ id, format: formats, constraints: { fields: [ofType, ...claims.map(fieldOf)] } }]
}

/** The query as Presentation Exchange 2.0 can put it; undefined where it cannot. */
const definitionOf = (id: string, dcql: Dcql, purpose: string): Record<string, unknown> | undefined => {
  const descriptors = dcql.credentials.flatMap(descriptorOf)
  const isWhole = descriptors.length === dcql.credentials.length && dcql.credential_sets === undefined
  return isWhole ? { id, purpose, input_descriptors: descriptors } : undefined
}

/** What asks for presentations on a thread. */
export const requestBody = (
  desk: Desk,
  exchange: { id: string; prepared: PreparedQuestion },
): { body: Record<string, unknown>; attachments: Record<string, unknown>[] } => {
  const { dcql, purpose, challenge } = exchange.prepared
  const options = { challenge, domain: desk.publicUrl }
  const definition_ = definitionOf(exchange.id, dcql, purpose)
  const attached = (id: string, format: string, json: unknown) => ({
    ...{ id, media_type: 'application/json', format, data: { json } },
  })
  return {
    body: { goal_code: 'present-vp', comment: purpose, will_confirm: true },
    attachments: [
      ...(definition_ === undefined
        ? []
        : [attached('definition', definition, { options, presentation_definition: definition_ })]),
      attached('dcql', dcqlFormat, { options, dcql_query: dcql }),
    ],
  }
}

/** The prover takes up an invitation. */
export const proposed: Handler = async handling => {
  const { desk, message, sender } = handling
  const { pthid: invitation, thid: thread } = message
  if (invitation === undefined) throw bodyMalformed('A proposal names the invitation that it takes up as pthid.')
  return answering(handling, async tx => {
    const wanted = { kind: 'present' as const, invitation, peer: sender, thread }
    const exchange = await desk.exchanges.takeUp<PreparedQuestion>(tx, wanted)
    const { body, attachments } = requestBody(desk, exchange)
    return replyTo(handling, `${protocols.present}/request-presentation`, body, attachments)
  })
}

const presentationsMost = 16

/** RFC 0510: one presentation, which says itself what it answers; each answers with one credential. */
const submittedOf = (presentation: unknown): VpToken => {
  const said = isRecord(presentation) ? presentation['presentation_submission'] : undefined
  const map = isRecord(said) ? said['descriptor_map'] : undefined
  if (!Array.isArray(map) || map.length === 0 || map.length > presentationsMost) {
    throw bodyMalformed('A presentation_submission has a descriptor_map.')
  }
  const ids = map.map(each => (isRecord(each) ? each['id'] : undefined))
  if (!ids.every(id => typeof id === 'string')) throw bodyMalformed('A descriptor names the input descriptor as id.')
  return Object.fromEntries((ids as string[]).map(id => [id, [presentation]]))
}

const listedOf = (json: unknown): VpToken => {
  const token = isRecord(json) ? json['vp_token'] : undefined
  const lists = isRecord(token) ? Object.values(token) : []
  const isSound = lists.length > 0 && lists.length <= presentationsMost
  const isPresentation = (value: unknown): boolean => typeof value === 'string' || isRecord(value)
  const isBounded = lists.every(
    list => Array.isArray(list) && list.length > 0 && list.length <= presentationsMost && list.every(isPresentation),
  )
  if (!isSound || !isBounded) throw bodyMalformed('vp_token lists presentations by the id of the query.')
  return token as VpToken
}

const presentedOf = (message: Message): VpToken => {
  const attached = attachedIn(message, [submission, vpToken])
  if (attached === undefined) throw attachmentMissing([submission, vpToken])
  return attached.format === submission ? submittedOf(attached.json) : listedOf(attached.json)
}

/** What whoever asked gets to read. */
export type Shown = { format: string | undefined; type: string | undefined; issuer: string | undefined } & Pick<
  Verdict,
  'holder' | 'claims' | 'validUntil'
>

const shownOf = ({ format, type, issuer, holder, claims, validUntil }: Verdict): Shown => ({
  ...{ format, type, issuer },
  ...(holder === undefined ? {} : { holder }),
  ...(claims === undefined ? {} : { claims }),
  ...(validUntil === undefined ? {} : { validUntil }),
})

/** Judged whole: what is not good, or not what was asked for, leaves the question open. */
export const presented: Handler = async handling => {
  const { desk, message, sender } = handling
  const exchange = await desk.exchanges.onThread<PreparedQuestion>('present', sender, message.thid)
  const { dcql, challenge } = exchange.prepared
  const expected = { challenge, audience: [desk.publicUrl, desk.messages.did, desk.did] }
  const verdicts = await desk.judge(presentedOf(message), { dcql, expected })
  const shown = Object.fromEntries(Object.entries(verdicts).map(([id, list]) => [id, list.map(shownOf)]))
  return answering(handling, async tx => {
    await desk.exchanges.stillOpen(tx, exchange.id)
    await desk.exchanges.end(tx, exchange.id, 'done', { result: shown })
    return replyTo(handling, `${protocols.present}/ack`, { status: 'OK' })
  })
}
