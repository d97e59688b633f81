import type { PresentationInvitation } from '../../../kernel/presentation-answers.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { isRecord, readJson } from '../../formats/json.ts'

/** What a wallet is invoked with (OpenID4VP 1.0, sections 5 and 9; appendix A): nothing of it is believed yet. */

const linkMost = 65_536
const textMost = 2_048

const malformed = (detail: string): Refusal => new Refusal('malformed', 'presentation_request_malformed', detail)

export type Parameters = Readonly<Record<string, unknown>>

/** One signature of a request object, as a compact JWS; `own` are the parameters that stand in its header (appendix A.3.2.2). */
export type SignedRequest = { compact: string; several: boolean }

export type Invited =
  | { by: 'reference'; clientId: string; requestUri: string; method: 'get' | 'post'; haip: boolean }
  | { by: 'value'; clientId: string; signed: SignedRequest; haip: boolean }
  | { by: 'parameters'; clientId: string; parameters: Parameters; haip: boolean }
  | { by: 'digitalUnsigned'; origin: string; parameters: Parameters }
  | { by: 'digitalSigned'; origin: string; signed: SignedRequest[] }

/** Members that are JSON in a URL (section 5.1). */
const jsonNames = new Set(['dcql_query', 'client_metadata', 'transaction_data', 'verifier_info'])

const memberOf = (name: string, text: string): unknown => {
  if (!jsonNames.has(name)) return text
  try {
    return readJson(text, name)
  } catch {
    throw malformed(`${name} of the request is not JSON.`)
  }
}

const parametersOf = (link: string): Map<string, string> => {
  if (link.length > linkMost) throw malformed('The link is too long for a request.')
  const question = link.indexOf('?')
  if (question < 0) throw malformed('The link carries no request.')
  const hash = link.indexOf('#', question)
  const query = new URLSearchParams(link.slice(question + 1, hash < 0 ? undefined : hash))
  const found = new Map<string, string>()
  for (const [name, value] of query) {
    // RFC 6749, section 3.1: none more than once, and those without a value as if they were not there.
    if (found.has(name)) throw malformed('A parameter of the request is there twice.')
    if (value !== '') found.set(name, value)
  }
  return found
}

const fromLink = (link: string): Invited => {
  const [, scheme = ''] = /^([a-z][a-z0-9+.-]{0,30}):/i.exec(link) ?? []
  const known = scheme.toLowerCase()
  if (!['openid4vp', 'haip-vp', 'https', 'http'].includes(known)) {
    throw malformed('A request begins with openid4vp://, haip-vp:// or https://.')
  }
  const haip = known === 'haip-vp'
  const parameters = parametersOf(link)
  const clientId = parameters.get('client_id')
  if (clientId === undefined || clientId.length > textMost) throw malformed('The request names no client_id.')
  const [request, requestUri, method] = ['request', 'request_uri', 'request_uri_method'].map(name =>
    parameters.get(name),
  )
  if (request !== undefined && requestUri !== undefined) {
    throw malformed('request and request_uri are not used together (RFC 9101, section 5).')
  }
  if (requestUri === undefined && method !== undefined) {
    throw malformed('request_uri_method is there without a request_uri (section 5.1).')
  }
  if (method !== undefined && method !== 'get' && method !== 'post') {
    throw new Refusal('rejected', 'invalid_request_uri_method', 'request_uri_method is get or post.')
  }
  if (requestUri !== undefined) {
    return { by: 'reference', clientId, requestUri, method: method === 'post' ? 'post' : 'get', haip }
  }
  if (request !== undefined) return { by: 'value', clientId, signed: { compact: request, several: false }, haip }
  const read = [...parameters].map(([name, value]) => [name, memberOf(name, value)])
  return { by: 'parameters', clientId, parameters: Object.fromEntries(read), haip }
}

const signaturesMost = 8
const segment = /^[A-Za-z0-9_-]+$/

/** A JWS in the JSON serialisation (RFC 7515, section 7.2.1), each signature for itself. */
const signedBySeveral = (request: unknown): SignedRequest[] => {
  const { payload, signatures } = isRecord(request) ? request : {}
  if (typeof payload !== 'string' || !segment.test(payload) || payload.length > linkMost) {
    throw malformed('The request is no JWS in the JSON serialisation.')
  }
  if (!Array.isArray(signatures) || signatures.length === 0 || signatures.length > signaturesMost) {
    throw malformed(`A request is signed by 1 to ${signaturesMost} keys.`)
  }
  return signatures.map(each => {
    const { protected: head, signature, header } = isRecord(each) ? each : {}
    if (typeof head !== 'string' || typeof signature !== 'string' || header !== undefined) {
      throw malformed('A signature of the request has a protected header, a signature, and nothing else.')
    }
    return { compact: `${head}.${payload}.${signature}`, several: true }
  })
}

const originForm = /^(?:https?:\/\/[^\s/?#@]{1,255}|(?!https?:)[a-z][a-z0-9+.-]{1,40}:[^\s]{1,255})$/i

/** Appendix A.2: web origins over http only where they are allowed. */
const originOf = (origin: string, httpOrigins: readonly string[]): string => {
  const isUnsafe = /^(ftp|javascript|data|ws|wss|file|blob|origin):/i.test(origin)
  if (!originForm.test(origin) || isUnsafe) throw malformed('The origin is none that a request can come from.')
  if (/^http:/i.test(origin) && !httpOrigins.includes(origin)) throw malformed('A page that asks is served over https.')
  return origin
}

const fromBrowser = (
  { origin, protocol, data }: Extract<PresentationInvitation, { origin: string }>,
  httpOrigins: readonly string[],
): Invited => {
  const from = originOf(origin, httpOrigins)
  if (!isRecord(data)) throw malformed('The data of the request is not an object.')
  if (protocol === 'openid4vp-v1-unsigned') {
    // The wallet ignores who the page says that it is, and where it says to be from (appendices A.2 and A.3.1).
    const { client_id: _client, expected_origins: _origins, ...parameters } = data
    return { by: 'digitalUnsigned', origin: from, parameters }
  }
  if (protocol === 'openid4vp-v1-multisigned') {
    return { by: 'digitalSigned', origin: from, signed: signedBySeveral(data['request']) }
  }
  if (protocol !== 'openid4vp-v1-signed') {
    throw new Refusal('rejected', 'protocol_unsupported', 'The request is in a protocol that is not spoken here.')
  }
  const { request } = data
  if (typeof request !== 'string') throw malformed('A signed request is a compact JWS in request (appendix A.3.2.1).')
  return { by: 'digitalSigned', origin: from, signed: [{ compact: request, several: false }] }
}

/**
 * Takes an invitation apart.
 * @param httpOrigins origins that may be http: those of a demonstration.
 * @throws Refusal malformed/presentation_request_malformed, rejected/invalid_request_uri_method, protocol_unsupported
 */
export const readInvitation = (invitation: PresentationInvitation, httpOrigins: readonly string[] = []): Invited =>
  'link' in invitation ? fromLink(invitation.link.trim()) : fromBrowser(invitation, httpOrigins)
