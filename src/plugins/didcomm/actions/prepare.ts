import { randomBytes, randomUUID } from 'node:crypto'
import { disclose } from '../../../kernel/disclose.ts'
import { admit } from '../../../kernel/gate.ts'
import type { FormatId } from '../../../kernel/identity.ts'
import { perform } from '../../../kernel/perform.ts'
import { pictureAnswer } from '../../../kernel/picture.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Desk } from '../desk.ts'
import { claimsMalformed, exchangeEnded, exchangeUnknown, formatUnoffered, typeUnissued } from '../errors.ts'
import type { Exchange, ExchangeKind, PreparedCredential, PreparedQuestion } from '../exchanges.ts'
import type { Dialect, Reply } from '../needs.ts'
import { exchangeLifeMost, exchangeLifeMs, protocols, requires } from '../policy.ts'
import { offerBody } from '../protocols/issue.ts'
import { requestBody } from '../protocols/present.ts'

type Terms = { expiresInSeconds?: number; to?: string; dialect?: Dialect }
type OfferBody = Terms & {
  type: string
  version?: number
  format?: FormatId
  claims: Record<string, unknown>
  validUntil?: string
}
type QuestionBody = Terms & { dcql: unknown; purpose: string }

const dayMs = 24 * 60 * 60_000

/** Out-of-Band 2.0: nothing personal stands in it, and whoever first answers with its id as `pthid` takes it up. */
const invitationOf = (desk: Desk, { id, kind }: Pick<Exchange, 'id' | 'kind'>) => {
  const isOffer = kind === 'issue'
  const invitation = {
    ...{ type: `${protocols.outOfBand}/invitation`, id: desk.exchanges.invitationOf(id), from: desk.messages.did },
    body: {
      ...{ goal_code: isOffer ? 'issue-vc' : 'request-proof', accept: ['didcomm/v2'] },
      goal: isOffer ? `A credential of ${desk.title}` : `A question of ${desk.title}`,
    },
  }
  const encoded = Buffer.from(JSON.stringify(invitation)).toString('base64url')
  return { invitation, invitationUrl: `${desk.publicUrl}/didcomm?_oob=${encoded}` }
}

const stateOf = (desk: Desk, exchange: Exchange): Record<string, unknown> => {
  const { id, state, created, expires, peer, credential } = exchange
  const isOver = (state === 'prepared' || state === 'open') && expires <= desk.house.clock.now()
  return {
    ...{ id, state: isOver ? 'expired' : state, created: new Date(created).toISOString() },
    expires: new Date(expires).toISOString(),
    ...(peer === undefined ? {} : { peer }),
    ...(credential === undefined ? {} : { credentialId: credential }),
  }
}

type Begun = { id: string; kind: ExchangeKind; prepared: PreparedCredential | PreparedQuestion }

/** The first message to a DID that was named: it begins the thread itself. */
const firstMessage = (desk: Desk, { id, kind, prepared }: Begun): Reply =>
  kind === 'issue'
    ? { id, type: `${protocols.issue}/offer-credential`, ...offerBody(desk, prepared as PreparedCredential) }
    : {
        ...{ id, type: `${protocols.present}/request-presentation` },
        ...requestBody(desk, { id, prepared: prepared as PreparedQuestion }),
      }

type Beginning = {
  operation: string
  requirement: (typeof requires)[keyof typeof requires]
  kind: ExchangeKind
  prepare(now: number): Begun['prepared']
}

/** Keeps what was prepared; and sends it, where it is known to whom. */
const begin = async (
  desk: Desk,
  context: Context,
  { operation, requirement, kind, prepare }: Beginning,
): Promise<Answer> => {
  const { expiresInSeconds, to, dialect = 'v2' } = context.body as Terms
  desk.sweep()
  const { id } = await perform(desk.house, {
    ...{ operation, requires: requirement, caller: context.caller, input: context.body },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const id = randomUUID()
      const now = desk.house.clock.now()
      const life = expiresInSeconds === undefined ? exchangeLifeMs : expiresInSeconds * 1_000
      const prepared = prepare(now)
      const thread = to === undefined ? undefined : id
      const period = { created: now, expires: now + Math.min(life, exchangeLifeMost) }
      desk.exchanges.add(tx, { id, kind, peer: to, thread, prepared, ...period })
      if (to !== undefined) {
        desk.outbox.add(tx, { peer: to, dialect }, firstMessage(desk, { id, kind, prepared }))
      }
      return { id }
    },
  })
  const exchange = await desk.exchanges.byId(kind, id)
  const invited = to === undefined ? invitationOf(desk, exchange) : {}
  const place = kind === 'issue' ? 'offers' : 'presentation-requests'
  const headers = { location: `${desk.publicUrl}/didcomm/${place}/${id}` }
  return { status: 201, body: { ...stateOf(desk, exchange), ...invited }, headers }
}

const newChallenge = (): string => randomBytes(24).toString('base64url')

/** @throws Refusal didcomm_type_unissued, didcomm_format_unoffered, didcomm_claims_malformed */
const credentialOf = (desk: Desk, body: OfferBody, now: number): PreparedCredential => {
  const versions = desk.types.filter(({ id }) => id === body.type).sort((a, b) => b.version - a.version)
  const type = body.version === undefined ? versions[0] : versions.find(({ version }) => version === body.version)
  if (type === undefined) throw typeUnissued()
  const formats = desk.formats.filter(each => type.formats.includes(each))
  const format = body.format ?? formats[0]
  if (format === undefined || !formats.includes(format)) throw formatUnoffered(formats)
  const problem = type.problemOf(body.claims)
  if ('id' in body.claims || problem !== undefined) {
    throw claimsMalformed(problem ?? 'claims leave out id: the holder names it when they collect.')
  }
  const validUntil = body.validUntil === undefined ? undefined : Date.parse(body.validUntil)
  if (validUntil !== undefined && (validUntil <= now || validUntil > now + type.validity.maxDays * dayMs)) {
    throw claimsMalformed(`validUntil lies in the future, ${type.validity.maxDays} days at most.`)
  }
  const { claims } = body
  return { type: type.id, version: type.version, format, claims, validUntil, challenge: newChallenge() }
}

/** Prepares a credential for somebody's agent. */
export const createDidcommOffer = (desk: Desk, context: Context): Promise<Answer> => {
  admit(context.caller, requires.offer)
  const body = context.body as OfferBody
  credentialOf(desk, body, desk.house.clock.now())
  return begin(desk, context, {
    ...{ operation: 'createDidcommOffer', requirement: requires.offer, kind: 'issue' },
    prepare: now => credentialOf(desk, body, now),
  })
}

/** Prepares a question to somebody's agent. */
export const createDidcommPresentationRequest = (desk: Desk, context: Context): Promise<Answer> => {
  admit(context.caller, requires.request)
  const { dcql, purpose } = context.body as QuestionBody
  const query = desk.readDcql(dcql)
  return begin(desk, context, {
    ...{ operation: 'createDidcommPresentationRequest', requirement: requires.request, kind: 'present' },
    prepare: () => ({ dcql: query, purpose, challenge: newChallenge() }),
  })
}

const idOf = ({ params }: Context): string => params['exchange'] ?? ''

export const getDidcommOffer = (desk: Desk, context: Context): Promise<Answer> =>
  disclose(desk.house, {
    ...{ operation: 'getDidcommOffer', requires: requires.offer, caller: context.caller },
    input: { exchange: idOf(context) },
    read: async () => ({ status: 200, body: stateOf(desk, await desk.exchanges.byId('issue', idOf(context))) }),
  })

/** Whether it was answered, and what was shown. */
export const getDidcommPresentationRequest = (desk: Desk, context: Context): Promise<Answer> =>
  disclose(desk.house, {
    ...{ operation: 'getDidcommPresentationRequest', requires: requires.read, caller: context.caller },
    input: { exchange: idOf(context) },
    read: async () => {
      const exchange = await desk.exchanges.byId('present', idOf(context))
      const presented = desk.exchanges.resultOf(exchange)
      return { status: 200, body: { ...stateOf(desk, exchange), ...(presented === undefined ? {} : { presented }) } }
    },
  })

const withdraw = async (
  desk: Desk,
  context: Context,
  { operation, requirement, kind }: Omit<Beginning, 'prepare'>,
): Promise<Answer> => {
  const exchange = idOf(context)
  await perform(desk.house, {
    ...{ operation, requires: requirement, caller: context.caller, input: { exchange } },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const found = await desk.exchanges.lock(tx, kind, exchange)
      if (found === undefined) throw exchangeUnknown()
      if (found.state === 'withdrawn') return {}
      if (!desk.exchanges.isOpen(found)) throw exchangeEnded()
      await desk.exchanges.end(tx, exchange, 'withdrawn')
      return {}
    },
  })
  return { status: 204 }
}

export const withdrawDidcommOffer = (desk: Desk, context: Context): Promise<Answer> =>
  withdraw(desk, context, { operation: 'withdrawDidcommOffer', requirement: requires.offer, kind: 'issue' })

export const withdrawDidcommPresentationRequest = (desk: Desk, context: Context): Promise<Answer> =>
  withdraw(desk, context, {
    ...{ operation: 'withdrawDidcommPresentationRequest', requirement: requires.request, kind: 'present' },
  })

/** An invitation as a picture. It lets whoever reads it take the exchange up, so it is there while nobody has. */
const drawn = async (desk: Desk, context: Context, kind: ExchangeKind): Promise<Answer> => {
  const exchange = await desk.exchanges.byId(kind, idOf(context))
  if (exchange.state !== 'prepared' || !desk.exchanges.isOpen(exchange)) throw exchangeEnded()
  return pictureAnswer(await desk.qr(invitationOf(desk, exchange).invitationUrl), context.query['format'])
}

export const getDidcommOfferQr = async (desk: Desk, context: Context): Promise<Answer> => {
  admit(context.caller, requires.offer)
  return drawn(desk, context, 'issue')
}

export const getDidcommPresentationRequestQr = async (desk: Desk, context: Context): Promise<Answer> => {
  admit(context.caller, requires.request)
  return drawn(desk, context, 'present')
}
