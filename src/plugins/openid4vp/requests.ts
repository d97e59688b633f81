import type { Dcql } from '../../kernel/dcql-query.ts'
import { randomBytes } from '../../kernel/entropy.ts'
import type { Expectation, Verdict } from '../../kernel/identity.ts'
import type { Row } from '../../kernel/ports.ts'
import type { ClientIdPrefix, Takes, VpToken } from '../../kernel/presentation-requests.ts'
import type { Desk } from './desk.ts'
import { requestUnknown } from './errors.ts'
import type { RequestTerms, ResponseKey, ResponseMode, SignedPrefix, VerifierInfo } from './needs.ts'

/** A request under way: as it was asked, as it is kept, and what of it goes to the wallet. */

export type Delivery =
  /** The wallet fetches the request object, once. */
  | 'reference'
  /** All of it stands in the URL. */
  | 'value'
  /** Over the Digital Credentials API. */
  | 'digital'

export type Terms = {
  purpose: string
  dcql: Dcql
  nonce: string
  prefix: ClientIdPrefix
  clientId: string
  responseMode: ResponseMode
  delivery: Delivery
  /** How the wallet fetches the request object. */
  method: 'get' | 'post'
  haip: boolean
  transactionData?: readonly string[] | undefined
  verifierInfo?: readonly VerifierInfo[] | undefined
  returnTo?: string | undefined
  /** Of pages that ask over the Digital Credentials API. */
  origins?: readonly string[] | undefined
  signatures?: readonly SignedPrefix[] | undefined
  key?: ResponseKey | undefined
  takes?: Takes | undefined
}

export type State = 'open' | 'fetched' | 'answered' | 'refused' | 'failed'

export type RequestRow = Row & {
  id: string
  asker: string
  state: State
  sealed: Uint8Array
  answer: Uint8Array | null
  error: string | null
  failures: number
  created: number
  expires: number
}

export type PresentationRequest = {
  id: string
  asker: 'staff' | 'house'
  state: State
  error: string | undefined
  created: number
  expires: number
  answer: Uint8Array | undefined
  terms: Terms
  /** That the terms take at rest. */
  bytes: number
}

/** Of a request that is under way: what is asked, and how it stood when it was last looked at. */
export type Asking = Pick<PresentationRequest, 'id' | 'expires' | 'terms' | 'state'>

/** What a wallet answered, once it was found good. */
export type Answered = { vpToken: VpToken; verdicts: Readonly<Record<string, readonly Verdict[]>> }

/** 128 bits: who has the id has the request, and nothing of its answer. */
export const newRequestId = (): string => randomBytes(16).toString('base64url')
export const newNonce = (): string => randomBytes(32).toString('base64url')

const idForm = /^[A-Za-z0-9_-]{22}$/

export const termsContext = (id: string): string => `presentation request|${id}`
export const answerContext = (id: string): string => `presentation answer|${id}`

/** @throws Refusal not_found/presentation_request_unknown */
export const findRequest = async (desk: Desk, id: string): Promise<PresentationRequest> => {
  if (!idForm.test(id)) throw requestUnknown()
  desk.sweep()
  const [row] = await desk.house.store.read<RequestRow>('SELECT * FROM presentation_requests WHERE id = ?', [id])
  if (row === undefined) throw requestUnknown()
  const { asker, state, error, answer, created, expires, sealed } = row
  return {
    ...{ id, state, asker: asker === 'staff' ? 'staff' : 'house', error: error ?? undefined },
    ...{ created: Number(created), expires: Number(expires), answer: answer ?? undefined },
    terms: desk.open<Terms>(sealed, termsContext(id)),
    bytes: sealed.length,
  }
}

/** What is asked in a request that is under way: it stays the same, so that a process that knows it need not read it again. */
export const findAsked = async (desk: Desk, id: string): Promise<Asking> => {
  const known = desk.held.get(id)
  if (known !== undefined) return known
  const { expires, terms, state, bytes } = await findRequest(desk, id)
  const asking = { id, expires, terms, state }
  return state === 'open' || state === 'fetched' ? desk.held.keep(asking, bytes) : asking
}

export const answeredOf = (desk: Desk, { id, answer }: PresentationRequest): Answered => {
  if (answer === undefined) throw new Error('an answered request has an answer')
  return desk.open<Answered>(answer, answerContext(id))
}

export const requestUriOf = ({ publicUrl }: Desk, id: string): string => `${publicUrl}/openid4vp/requests/${id}`
export const responseUriOf = ({ publicUrl }: Desk, id: string): string => `${publicUrl}/openid4vp/responses/${id}`

const isByUrl = ({ delivery }: Terms): boolean => delivery !== 'digital'

/** What of a request a wallet is told. */
export const toldOf = (desk: Desk, id: string, terms: Terms): RequestTerms => ({
  dcql: terms.dcql,
  nonce: terms.nonce,
  responseMode: terms.responseMode,
  ...(isByUrl(terms) ? { responseUri: responseUriOf(desk, id), state: desk.names.state(id) } : {}),
  transactionData: terms.transactionData,
  verifierInfo: terms.verifierInfo,
  encryptionKey: terms.key?.publicJwk,
  expectedOrigins: terms.origins,
})

/** What presentations have to answer (OpenID4VP 1.0, section 14.1.2; over the Digital Credentials API, appendix A.4). */
export const expectationOf = (desk: Desk, id: string, terms: Terms): Expectation => {
  const { nonce: challenge, clientId, origins } = terms
  const jwkThumbprint = terms.key?.publicJwk.kid
  if (origins !== undefined) {
    const audience = origins.map(origin => `origin:${origin}`)
    return { challenge, audience, handovers: origins.map(origin => ({ by: 'dc_api', origin, jwkThumbprint })) }
  }
  const handover = { by: 'redirect' as const, clientId, responseUri: responseUriOf(desk, id), jwkThumbprint }
  return { challenge, audience: [clientId], handovers: [handover] }
}

/** As whoever asked sees it: what has not been answered in time has expired. */
export const shownState = (
  { state, expires }: Pick<PresentationRequest, 'state' | 'expires'>,
  now: number,
): 'waiting' | 'answered' | 'refused' | 'expired' => {
  if (state === 'answered') return state
  if (state === 'refused' || state === 'failed') return 'refused'
  return expires <= now ? 'expired' : 'waiting'
}
