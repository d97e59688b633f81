import { randomBytes } from 'node:crypto'
import type {
  AnswerMode,
  AskedPresentation,
  AskingClient,
  PresentationInvitation,
} from '../../../kernel/presentation-answers.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { isRecord } from '../../formats/json.ts'
import { parseDcql } from '../dcql/parse.ts'
import { chooseContentEncryption, chooseEncryptionKey } from '../jwe.ts'
import { readTransactions } from './asked-transactions.ts'
import { type Invited, type Parameters, readInvitation, type SignedRequest } from './invitation.ts'
import {
  type ClientTrust,
  type JudgedClient,
  judgeSignedClient,
  judgeUnsignedClient,
  metadataOf,
} from './request-client.ts'
import { openRequestObject, type RequestObject } from './request-object.ts'

export type RequestReading = {
  now(): number
  trust: ClientTrust
  /** The request object at an address: by GET, or by POST of a form. No redirect is followed. */
  fetchRequest(url: string, form: Record<string, string> | undefined): Promise<string>
  /** What this wallet says of itself to whoever is asked by POST (section 10). */
  walletMetadata: Record<string, unknown>
  /** Names of this wallet that a request object may be for. */
  audience: readonly string[]
  /** Origins that may be http: those of a demonstration. */
  httpOrigins: readonly string[]
}

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)
const malformed = (detail: string): Refusal => new Refusal('malformed', 'presentation_request_malformed', detail)

/** Section 5.2: letters and digits that a URL carries as they are. */
const urlSafe = /^[A-Za-z0-9\-._~]{1,512}$/

const textOf = (parameters: Parameters, name: string): string | undefined => {
  const value = parameters[name]
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '' && value.length <= 2_048) return value
  throw malformed(`${name} of the request is not text.`)
}

const safeText = (parameters: Parameters, name: string): string | undefined => {
  const value = textOf(parameters, name)
  if (value === undefined || urlSafe.test(value)) return value
  throw malformed(`${name} of the request has characters that are not URL safe, or is too long (section 5.2).`)
}

const modes: readonly string[] = ['direct_post', 'direct_post.jwt', 'dc_api', 'dc_api.jwt'] satisfies AnswerMode[]

const modeOf = (parameters: Parameters, digital: boolean, haip: boolean): AnswerMode => {
  if (textOf(parameters, 'response_type') !== 'vp_token') {
    throw rejected('unsupported_response_type', 'The response_type that is answered here is vp_token.')
  }
  const mode = textOf(parameters, 'response_mode')
  if (mode === undefined || !modes.includes(mode) || mode.startsWith('dc_api') !== digital) {
    const known = digital ? 'dc_api and dc_api.jwt' : 'direct_post and direct_post.jwt'
    throw rejected('response_mode_unsupported', `The response modes that are answered here are ${known}.`)
  }
  if (haip && mode !== 'direct_post.jwt') {
    throw rejected(
      'response_mode_unsupported',
      'A request by haip-vp is answered by direct_post.jwt (HAIP 1.0, section 5.1).',
    )
  }
  return mode as AnswerMode
}

/** What is asked for: one way or the other, never both (section 5.1). */
const queryOf = (parameters: Parameters) => {
  const { dcql_query: query, scope } = parameters
  if (query !== undefined && scope !== undefined) {
    throw rejected('query_ambiguous', 'A request has a dcql_query or a scope, not both (section 5.1).')
  }
  if (scope !== undefined) throw rejected('invalid_scope', 'No scope stands for a query here; ask with a dcql_query.')
  if (query === undefined) throw malformed('The request has no dcql_query.')
  return parseDcql(query)
}

const isFetchable = (url: string, httpOrigins: readonly string[]): boolean => {
  if (!URL.canParse(url)) return false
  const { protocol, origin, username, password, hash } = new URL(url)
  if (username + password + hash !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && httpOrigins.includes(origin))
}

/** Where the answer goes (sections 5.9.3 and 8.2). */
const responseUriOf = (
  parameters: Parameters,
  { client, mayAnswerTo }: JudgedClient,
  httpOrigins: readonly string[],
): string => {
  if (parameters['redirect_uri'] !== undefined) {
    throw malformed('With the response mode direct_post there is no redirect_uri (section 8.2).')
  }
  const uri = textOf(parameters, 'response_uri') ?? (client.assurance === 'address' ? client.name : undefined)
  if (uri === undefined) throw malformed('The request names no response_uri.')
  if (!isFetchable(uri, httpOrigins)) throw rejected('response_uri_forbidden', 'Answers are sent over https only.')
  if (mayAnswerTo?.(uri) === false) {
    throw rejected('response_uri_mismatch', 'The response_uri is none that this client may have answers sent to.')
  }
  return uri
}

const formatsOf = (metadata: Record<string, unknown>): AskedPresentation['formats'] => {
  const formats = metadata['vp_formats_supported']
  if (formats === undefined) return undefined
  if (isRecord(formats) && Object.values(formats).every(isRecord)) return formats as AskedPresentation['formats']
  throw malformed('vp_formats_supported of the verifier is an object of objects.')
}

const encryptionOf = (metadata: Record<string, unknown>, mode: AnswerMode): AskedPresentation['encryption'] => {
  if (!mode.endsWith('.jwt')) return undefined
  const offered = metadata['encrypted_response_enc_values_supported']
  const isList = Array.isArray(offered) && offered.length > 0 && offered.every(each => typeof each === 'string')
  if (offered !== undefined && !isList) throw malformed('encrypted_response_enc_values_supported is a list of names.')
  const enc = chooseContentEncryption(isList ? offered : undefined)
  return { jwk: chooseEncryptionKey(metadata['jwks']), enc }
}

type Judged = JudgedClient & { parameters: Parameters; haip: boolean; expires?: number }

const judgeParameters = (judged: Judged, reading: RequestReading, origin: string | undefined): AskedPresentation => {
  const { parameters, client, haip, expires } = judged
  const mode = modeOf(parameters, origin !== undefined, haip)
  const nonce = safeText(parameters, 'nonce')
  if (nonce === undefined) throw rejected('nonce_missing', 'The request has no nonce that an answer could be bound to.')
  const dcql = queryOf(parameters)
  const transactions = readTransactions(parameters['transaction_data'], dcql)
  const metadata = judged.metadata ?? metadataOf(parameters['client_metadata'])
  const formats = formatsOf(metadata)
  if (formats !== undefined && !dcql.credentials.some(({ format }) => Object.hasOwn(formats, format))) {
    throw rejected('vp_formats_not_supported', 'The verifier asks for credentials in formats that it does not support.')
  }
  const encryption = encryptionOf(metadata, mode)
  const asked = { client, mode, nonce, dcql, transactions, haip }
  const more = {
    ...(encryption === undefined ? {} : { encryption }),
    ...(formats === undefined ? {} : { formats }),
    ...(expires === undefined ? {} : { expires }),
  }
  // A page of the browser is its own audience, whoever signed (appendix A.4).
  if (origin !== undefined) return { ...asked, ...more, origin, audience: `origin:${origin}` }
  const state = safeText(parameters, 'state')
  if (state === undefined && dcql.credentials.some(each => each.require_cryptographic_holder_binding === false)) {
    throw rejected('state_missing', 'A request for credentials without holder binding has a state (section 5.3).')
  }
  const responseUri = responseUriOf(parameters, judged, reading.httpOrigins)
  return { ...asked, ...more, audience: client.id, responseUri, ...(state === undefined ? {} : { state }) }
}

type Fetched = { signed: SignedRequest; walletNonce?: string }

const fetched = async (
  { requestUri, method }: Extract<Invited, { by: 'reference' }>,
  reading: RequestReading,
): Promise<Fetched> => {
  if (!isFetchable(requestUri, reading.httpOrigins)) {
    throw rejected('request_uri_forbidden', 'A request is fetched over https only.')
  }
  if (method === 'get')
    return { signed: { compact: await reading.fetchRequest(requestUri, undefined), several: false } }
  const walletNonce = randomBytes(24).toString('base64url')
  const form = { wallet_nonce: walletNonce, wallet_metadata: JSON.stringify(reading.walletMetadata) }
  return { signed: { compact: await reading.fetchRequest(requestUri, form), several: false }, walletNonce }
}

const judgeSigned = async (object: RequestObject, reading: RequestReading, haip: boolean): Promise<Judged> => {
  const { parameters, expires } = object
  const judged = await judgeSignedClient(object, reading.trust, { now: reading.now(), haip })
  return { ...judged, parameters, haip, ...(expires === undefined ? {} : { expires }) }
}

/** The request of a page; of several signers the first whom this wallet believes (appendix A.3.2). */
const judgeDigital = async (
  { origin, signed }: Extract<Invited, { by: 'digitalSigned' }>,
  reading: RequestReading,
): Promise<AskedPresentation> => {
  let refusal: unknown
  for (const each of signed) {
    try {
      const object = openRequestObject(each, { now: reading.now(), audience: reading.audience })
      const judged = await judgeSigned(object, reading, false)
      const { expected_origins: origins } = judged.parameters
      if (!Array.isArray(origins) || origins.length === 0)
        throw malformed('A signed request names its expected_origins.')
      // Letter for letter: nothing of either is interpreted (appendix A.2).
      if (!origins.includes(origin)) throw rejected('origin_mismatch', 'The request was made for another page.')
      return judgeParameters(judged, reading, origin)
    } catch (error) {
      refusal ??= error
    }
  }
  throw refusal
}

/** Of a page whose request nobody signed the browser knows the origin, and nobody more. */
const originClient = (origin: string): AskingClient => ({ id: `origin:${origin}`, name: origin, assurance: 'origin' })

/**
 * Reads a request, fetches it where it is given by reference, and judges who asks and what (OpenID4VP 1.0, sections 5 to 6).
 * @throws Refusal of the first thing wrong
 */
export const readPresentationRequest = async (
  invitation: PresentationInvitation,
  reading: RequestReading,
): Promise<AskedPresentation> => {
  const invited = readInvitation(invitation, reading.httpOrigins)
  if (invited.by === 'digitalSigned') return judgeDigital(invited, reading)
  if (invited.by === 'digitalUnsigned') {
    const { origin, parameters } = invited
    return judgeParameters({ client: originClient(origin), parameters, haip: false }, reading, origin)
  }
  if (invited.haip && invited.by !== 'reference') {
    throw rejected(
      'request_unreferenced',
      'A request by haip-vp is signed and given by request_uri (HAIP 1.0, section 5.1).',
    )
  }
  if (invited.by === 'parameters') {
    const { clientId, parameters } = invited
    return judgeParameters({ ...judgeUnsignedClient(clientId), parameters, haip: false }, reading, undefined)
  }
  const { clientId, haip } = invited
  const { signed, walletNonce }: Fetched = invited.by === 'reference' ? await fetched(invited, reading) : invited
  const expected = { now: reading.now(), clientId, audience: reading.audience }
  const object = openRequestObject(signed, walletNonce === undefined ? expected : { ...expected, walletNonce })
  return judgeParameters(await judgeSigned(object, reading, haip), reading, undefined)
}
