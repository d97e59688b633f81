import type { JsonWebKey } from 'node:crypto'
import type { Clock } from '../../../kernel/ports.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import type { FetchBounds, Fetched } from '../../fetch-bounded.ts'
import { isRecord, readJson } from '../../formats/json.ts'
import { ownKeyOf, sealAttestationProof, sealDpop } from './wallet-keys.ts'
import { sealWalletAttestation, type WalletProvider } from './wallet-provider.ts'
import { errorIn, objectIn } from './wallet-reading.ts'
import type { ServerFacts } from './wallet-server.ts'

/** How a wallet reaches others. */
export type Reach = {
  clock: Clock
  fetch(url: string, bounds: FetchBounds): Promise<Fetched>
  /** Vouches for the wallet, where issuers ask for it. */
  provider?: WalletProvider | undefined
  /** As the wallet calls itself to authorization servers: the same for all its citizens. */
  clientId: string
}

/** One answer, before anything in it is believed. */
export type Reply = { status: number; contentType: string; text: string }

export type Sent = { form: Record<string, string> } | { json: Record<string, unknown> } | { jwt: string } | undefined

export type Authority = {
  /** An access token and how it is shown. */
  token?: { value: string; type: 'DPoP' | 'Bearer' } | undefined
  /** To an authorization server: with a proof of the key that its token will be bound to, and who the wallet is. */
  server?: ServerFacts | undefined
}

/** Keys of one conversation with one issuer. */
export type LineKeys = { dpopKey?: JsonWebKey | undefined; instanceKey?: JsonWebKey | undefined }

const answerBytes = 1_048_576
const answerMs = 10_000

const encoded = (sent: Sent): { body: string; contentType: string } => {
  if (sent === undefined) return { body: '', contentType: 'application/json' }
  if ('jwt' in sent) return { body: sent.jwt, contentType: 'application/jwt' }
  if ('json' in sent) return { body: JSON.stringify(sent.json), contentType: 'application/json' }
  return { body: new URLSearchParams(sent.form).toString(), contentType: 'application/x-www-form-urlencoded' }
}

const mediaType = (contentType: string | undefined): string =>
  (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''

const errorCode = ({ text }: Reply): string => {
  try {
    const body = readJson(text, 'answer')
    return isRecord(body) ? errorIn(body).error : ''
  } catch {
    return ''
  }
}

/**
 * One conversation with an issuer and its authorization server. A server's nonce (RFC 9449, sections 8 and 9) and
 * challenge (attestation-based client authentication, section 8) are remembered, and a call is made once more when it
 * asks for a new one; never twice.
 */
export const openLine = (reach: Reach, keys: LineKeys) => {
  const nonces = new Map<string, string>()
  let challenge: string | undefined
  let attestation: Promise<string> | undefined

  const attested = async (server: ServerFacts): Promise<Record<string, string>> => {
    const { provider, clientId } = reach
    if (keys.instanceKey === undefined || provider === undefined) return {}
    const instance = ownKeyOf(keys.instanceKey)
    const now = reach.clock.now()
    if (server.challengeEndpoint !== undefined && challenge === undefined) challenge = await fetchChallenge(server)
    attestation ??= sealWalletAttestation(provider, { clientId, jwk: instance.publicJwk }, now)
    const proof = await sealAttestationProof(instance, { clientId, server: server.issuer, challenge }, now)
    return { 'oauth-client-attestation': await attestation, 'oauth-client-attestation-pop': proof }
  }

  const fetchChallenge = async ({ challengeEndpoint = '' }: ServerFacts): Promise<string | undefined> => {
    const { text } = await send(challengeEndpoint, undefined, {})
    const given = objectIn(text, 'answer of the challenge endpoint')['attestation_challenge']
    return typeof given === 'string' && given.length <= 2_048 ? given : undefined
  }

  const headersFor = async (url: string, { token, server }: Authority): Promise<Record<string, string>> => {
    const now = reach.clock.now()
    const nonce = nonces.get(new URL(url).origin)
    const isBound = token === undefined ? server?.dpop === true : token.type === 'DPoP'
    const proof =
      isBound && keys.dpopKey !== undefined
        ? { dpop: await sealDpop(ownKeyOf(keys.dpopKey), { url, accessToken: token?.value, nonce }, now) }
        : {}
    return {
      ...proof,
      ...(token === undefined ? {} : { authorization: `${token.type} ${token.value}` }),
      ...(server === undefined ? {} : await attested(server)),
    }
  }

  const remember = (url: string, headers: Fetched['headers']): void => {
    const nonce = headers?.['dpop-nonce']
    if (nonce !== undefined && nonce.length <= 2_048) nonces.set(new URL(url).origin, nonce)
    const given = headers?.['oauth-client-attestation-challenge']
    if (given !== undefined && given.length <= 2_048) challenge = given
  }

  const send = async (url: string, sent: Sent, authority: Authority): Promise<Reply> => {
    const post = { ...encoded(sent), headers: await headersFor(url, authority) }
    const accept = 'application/json, application/jwt'
    const { status, contentType, headers, body } = await reach.fetch(url, {
      ...{ post, accept, maxBytes: answerBytes, timeoutMs: answerMs },
    })
    remember(url, headers)
    return { status, contentType: mediaType(contentType), text: body.toString('utf8') }
  }

  const isAskedAgain = (reply: Reply, authority: Authority, before: { nonce?: string | undefined }, url: string) => {
    if (reply.status !== 400 && reply.status !== 401) return false
    const code = errorCode(reply)
    if (code === 'use_attestation_challenge') return authority.server !== undefined
    // Some resource servers say it in WWW-Authenticate alone: then the new nonce says it.
    const nonce = nonces.get(new URL(url).origin)
    return code === 'use_dpop_nonce' || (reply.status === 401 && nonce !== undefined && nonce !== before.nonce)
  }

  return {
    /** @throws Refusal rejected/url_forbidden, unavailable/fetch_failed, too_large/fetch_too_large */
    async post(url: string, sent: Sent, authority: Authority = {}): Promise<Reply> {
      const before = { nonce: nonces.get(new URL(url).origin) }
      const reply = await send(url, sent, authority)
      return isAskedAgain(reply, authority, before, url) ? send(url, sent, authority) : reply
    },
  }
}

export type Line = ReturnType<typeof openLine>

/** An answer that is no success, as the other side names it. */
export const refusedBy = (who: string, { status, text }: Reply): Refusal => {
  let said: { error: string; description?: string } = { error: 'unknown' }
  try {
    const body = readJson(text, 'answer')
    if (isRecord(body)) said = errorIn(body)
  } catch {
    // What cannot be read says nothing; the status does.
  }
  const kind = status >= 500 || status === 429 ? 'unavailable' : 'rejected'
  const facts = { endpoint: who, status, ...said }
  if (kind === 'unavailable') {
    return new Refusal('unavailable', 'issuer_unavailable', 'The issuer cannot answer now; try again later.', { facts })
  }
  return new Refusal('rejected', 'issuer_refused', 'The issuer has refused; facts say with which error.', { facts })
}
