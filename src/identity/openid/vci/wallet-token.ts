import { Refusal } from '../../../kernel/refusal.ts'
import { isRecord } from '../../formats/json.ts'
import { authorizationDetails, type PendingAuthorization } from './wallet-authorize.ts'
import { type Line, type Reply, refusedBy } from './wallet-line.ts'
import type { Configuration, IssuerFacts } from './wallet-metadata.ts'
import { preAuthorizedGrant, type TxCodeForm } from './wallet-offer.ts'
import { isText, objectIn, textsOf } from './wallet-reading.ts'
import type { ServerFacts } from './wallet-server.ts'

/** An access token as it is kept: with what may be asked for by it. Times are milliseconds. */
export type HeldToken = {
  value: string
  type: 'DPoP' | 'Bearer'
  expires?: number
  refreshToken?: string
  /** Credential identifiers by configuration, where the server gave any: then those are asked for. */
  identifiers: Record<string, string[]>
  /** Fetched by a client that did not say who it is: then no proof names it either. */
  anonymous: boolean
}

type Asking = { issuer: IssuerFacts; server: ServerFacts; clientId: string; attested: boolean; now: number }

const tokenMost = 16_384
/** Datasets of one configuration. */
const identifiersMost = 100

const malformed = (detail: string): Refusal => new Refusal('rejected', 'issuer_answer_malformed', detail)

const identifiersIn = (details: unknown): Record<string, string[]> => {
  const found: Record<string, string[]> = {}
  if (details === undefined) return found
  if (!Array.isArray(details) || details.length === 0 || details.length > 100) {
    throw malformed('authorization_details of the token is no list.')
  }
  for (const detail of details as unknown[]) {
    if (!isRecord(detail) || detail['type'] !== 'openid_credential') continue
    const { credential_configuration_id: id, credential_identifiers: given } = detail
    const identifiers = textsOf(given)
    if (!isText(id) || identifiers === undefined) {
      throw malformed('authorization_details of the token has no credential_identifiers.')
    }
    const all = [...(Object.hasOwn(found, id) ? (found[id] ?? []) : []), ...identifiers]
    if (all.length > identifiersMost) {
      throw malformed(`The token is for more than ${identifiersMost} credential_identifiers of one configuration.`)
    }
    found[id] = all
  }
  return found
}

/**
 * Reads a token response (OpenID4VCI 1.0, section 6.2).
 * @throws Refusal rejected/issuer_answer_malformed, rejected/token_downgraded when a proof of the wallet's key was sent and
 * the token is not bound to it (RFC 9449, section 5).
 */
const readToken = (reply: Reply, { server, now }: Asking, anonymous: boolean): HeldToken => {
  const body = objectIn(reply.text, 'token response')
  const { access_token: value, token_type: given, expires_in: seconds, refresh_token: refreshToken } = body
  const name = typeof given === 'string' ? given.toLowerCase() : ''
  if (!isText(value, tokenMost) || /[^\x21-\x7e]/.test(value))
    throw malformed('The token response has no access_token.')
  if (name !== 'dpop' && name !== 'bearer') throw malformed('The token_type is neither DPoP nor Bearer.')
  if ((name === 'dpop') !== server.dpop) {
    const detail = 'The token is not bound to the key of this wallet, although the server says that it binds tokens.'
    throw new Refusal('rejected', 'token_downgraded', detail)
  }
  if (refreshToken !== undefined && !isText(refreshToken, tokenMost)) throw malformed('The refresh_token is no text.')
  const life = typeof seconds === 'number' && seconds > 0 && seconds < 1e9 ? seconds : undefined
  return {
    ...{ value, type: name === 'dpop' ? 'DPoP' : 'Bearer', anonymous },
    ...(life === undefined ? {} : { expires: now + life * 1_000 }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    identifiers: identifiersIn(body['authorization_details']),
  }
}

const isOk = ({ status }: Reply): boolean => status === 200

/**
 * Holds a transaction code against what the offer says of it, before a try is used up.
 * @throws Refusal malformed/tx_code_missing, rejected/tx_code_form
 */
export const assertTxCode = (given: string | undefined, form: TxCodeForm | undefined): void => {
  if (form === undefined) {
    if (given === undefined) return
    throw new Refusal('malformed', 'tx_code_unasked', 'The issuer asks for no transaction code; leave txCode out.')
  }
  if (given === undefined) {
    const facts = { ...form }
    const detail = 'The issuer has sent a transaction code another way: give it as txCode.'
    throw new Refusal('malformed', 'tx_code_missing', detail, { facts })
  }
  const fits = form.inputMode === 'text' || /^[0-9]+$/.test(given)
  if (fits && (form.length === undefined || given.length === form.length)) return
  const facts = { inputMode: form.inputMode, length: form.length }
  throw new Refusal('rejected', 'tx_code_form', 'The transaction code has not the form that the issuer says.', {
    facts,
  })
}

/**
 * Redeems a pre-authorised code (OpenID4VCI 1.0, section 6.1).
 * @param some the configurations that are asked for, where they are fewer than were offered.
 * @throws Refusal rejected/tx_code_refused, issuer_refused, issuer_answer_malformed, token_downgraded
 */
export const redeemPreAuthorized = async (
  line: Line,
  asking: Asking,
  grant: { code: string; txCode?: string | undefined; some?: readonly Configuration[] | undefined },
): Promise<HeldToken> => {
  const { issuer, server, clientId, attested } = asking
  const { code, txCode, some } = grant
  const anonymous = server.anonymous && !attested
  const details = some === undefined || !server.details ? undefined : authorizationDetails(issuer, some)
  const form = {
    ...{ grant_type: preAuthorizedGrant, 'pre-authorized_code': code },
    ...(txCode === undefined ? {} : { tx_code: txCode }),
    ...(anonymous ? {} : { client_id: clientId }),
    ...(details === undefined ? {} : { authorization_details: JSON.stringify(details) }),
  }
  const reply = await line.post(server.tokenEndpoint, { form }, { server })
  if (isOk(reply)) return readToken(reply, asking, anonymous)
  const refusal = refusedBy('token_endpoint', reply)
  const { error } = refusal.facts
  if (txCode !== undefined && (error === 'invalid_grant' || error === 'invalid_tx_code')) {
    const detail = 'The issuer does not take the transaction code, or the offer has expired or was used.'
    throw new Refusal('rejected', 'tx_code_refused', detail, { facts: refusal.facts })
  }
  throw refusal
}

/** Redeems an authorisation code (RFC 6749, section 4.1.3, with PKCE). @throws Refusal as above */
export const redeemCode = async (
  line: Line,
  asking: Asking,
  grant: { code: string; pending: PendingAuthorization },
): Promise<HeldToken> => {
  const { server, clientId } = asking
  const { codeVerifier, redirectUri } = grant.pending
  const form = {
    ...{ grant_type: 'authorization_code', code: grant.code, redirect_uri: redirectUri, client_id: clientId },
    code_verifier: codeVerifier,
  }
  const reply = await line.post(server.tokenEndpoint, { form }, { server })
  if (!isOk(reply)) throw refusedBy('token_endpoint', reply)
  return readToken(reply, asking, false)
}

/** A fresh access token (RFC 6749, section 6); identifiers and refresh token stay unless new ones come. */
export const refresh = async (line: Line, asking: Asking, held: HeldToken): Promise<HeldToken> => {
  const { server, clientId } = asking
  const { refreshToken = '', anonymous } = held
  const client = anonymous ? {} : { client_id: clientId }
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken, ...client }
  const reply = await line.post(server.tokenEndpoint, { form }, { server })
  if (!isOk(reply)) throw refusedBy('token_endpoint', reply)
  const token = readToken(reply, asking, anonymous)
  return {
    ...{ refreshToken, ...token },
    identifiers: Object.keys(token.identifiers).length === 0 ? held.identifiers : token.identifiers,
  }
}
