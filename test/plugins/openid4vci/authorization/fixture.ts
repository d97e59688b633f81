import { hash, randomBytes, randomUUID } from 'node:crypto'
import { Store1760000000100 } from '../../../../migrations/agency/0100-store.ts'
import { Gate1763700000600 } from '../../../../migrations/agency/0600-gate.ts'
import { Openid4vci1763900001230 } from '../../../../migrations/agency/1230-openid4vci.ts'
import { Authorization1763900001240 } from '../../../../migrations/agency/1240-authorization.ts'
import { checkAnswer, checkBody, checkParameters, compileContract } from '../../../../src/http/contract.ts'
import { oauthProblemOf } from '../../../../src/http/oauth-problem.ts'
import { qr } from '../../../../src/http/qr.ts'
import { openDpop } from '../../../../src/identity/dpop.ts'
import { openAttesters } from '../../../../src/identity/openid/attesters.ts'
import { openClientAttestations } from '../../../../src/identity/openid/oauth/client-attestation.ts'
import { anonymous } from '../../../../src/kernel/gate.ts'
import { isRefusal } from '../../../../src/kernel/refusal.ts'
import { timeId } from '../../../../src/kernel/time-id.ts'
import { spend } from '../../../../src/plugins/gate/spent.ts'
import { type Access, accessOf } from '../../../../src/plugins/openid4vci/authorization/access.ts'
import { authorizationEntities } from '../../../../src/plugins/openid4vci/authorization/entities.ts'
import {
  createGrant,
  endGrant,
  type GrantGiven,
  type GrantOrder,
} from '../../../../src/plugins/openid4vci/authorization/grants.ts'
import type {
  AuthorizationDesk,
  AuthorizationPolicy,
  ExternalServer,
} from '../../../../src/plugins/openid4vci/authorization/needs.ts'
import { authorizationRoutes } from '../../../../src/plugins/openid4vci/authorization/routes.ts'
import { issuerEntities } from '../../../../src/plugins/openid4vci/entities.ts'
import { openIssuances } from '../../../../src/plugins/openid4vci/issuances.ts'
import { storeEntities } from '../../../../src/store/entities.ts'
import { openIdempotency } from '../../../../src/store/idempotency.ts'
import { journal } from '../../../../src/store/journal.ts'
import { openStore } from '../../../../src/store/store.ts'
import type { Place } from '../../../databases.ts'
import { dpopProof, type Key, newKey, signJwt, walletClock } from '../../../holder.ts'
import { movableClock } from '../../../http/fixture.ts'
import { readOpenApi } from '../../../openapi.ts'

export const publicUrl = 'https://agency.example/agency'
export const preAuthorized = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'
export const migrations = [Store1760000000100, Gate1763700000600, Openid4vci1763900001230, Authorization1763900001240]
export const licence = 'DrivingLicence.1.dc_sd_jwt'
export const permit = 'ResidencePermit.1.dc_sd_jwt'
const minute = 60_000

const contract = compileContract(readOpenApi())
const everyone: AuthorizationPolicy = {
  haip: false,
  bearer: true,
  unknownClients: true,
  clients: [],
  crossDevice: false,
}
const issuerPolicy = {
  haip: false,
  attestation: undefined,
  batchSize: 1,
  encryptionRequired: false,
  deferredIntervalSeconds: 5,
}
const master = randomBytes(32)

export type Answer = {
  status: number
  /** JSON, as its members. */
  body: Record<string, unknown>
  /** Of a page. */
  text: string
  headers: Record<string, string>
}

type Sent = { form?: Record<string, string>; query?: Record<string, string>; headers?: Record<string, string> }

/** Provider of wallets whose key the server trusts. */
export const provider: Key = newKey()

/** The authorization server over a database, with real issuances, proofs and attestations. The clock alone is another. */
export const openServer = async (
  place: Place,
  options: {
    policy?: Partial<AuthorizationPolicy>
    clock?: ReturnType<typeof movableClock>
    challengeNeeded?: boolean
    external?: ExternalServer
    identification?: { type: string; claims: readonly string[] }
  } = {},
) => {
  const { clock = movableClock(), challengeNeeded = false, external } = options
  walletClock.now = clock.now
  const store = await openStore({
    ...{ ...place, migrations },
    entities: [...storeEntities, ...issuerEntities, ...authorizationEntities],
  })
  const house = { store, journal, idempotency: openIdempotency(clock), clock }
  const derive = (purpose: string): Buffer => hash('sha256', Buffer.concat([master, Buffer.from(purpose)]), 'buffer')
  const book = openIssuances({
    ...{ house, derive },
    policy: { ...issuerPolicy, identification: options.identification },
  })
  const attesters = openAttesters({ anchors: [], keys: [{ ...provider.jwk, kid: 'provider-1' }] }, { haip: false })
  const desk: AuthorizationDesk = {
    ...{ house, derive, publicUrl, qr, spend, title: 'Agency of the Test', knownTypes: [] },
    dpop: openDpop({ clock, secret: derive('dpop') }),
    newId: () => timeId(clock.now()),
    authorization: {
      policy: { ...everyone, ...options.policy },
      attestations: openClientAttestations({
        ...{ clock, attesters, audience: publicUrl, secret: derive('challenges'), challengeNeeded },
      }),
      external,
    },
    issuances: book.port,
    configurations: new Map([
      [licence, { scope: licence, name: 'Driving licence', claims: ['Family name', 'Driving privileges'] }],
      [permit, { scope: permit, name: 'Residence <permit>', claims: ['Family name'] }],
    ]),
  }
  const routes = authorizationRoutes(desk)

  /** As http does it: what is refused comes back in the words of OAuth. */
  const call = async (operation: string, { form, query = {}, headers = {} }: Sent = {}): Promise<Answer> => {
    const [route, agreed] = [routes[operation], contract.get(operation)]
    if (route === undefined || !('run' in route) || agreed === undefined) throw new Error(`no operation ${operation}`)
    try {
      checkParameters(agreed, { path: {}, query, header: headers })
      if (agreed.body !== undefined) checkBody(agreed, 'application/x-www-form-urlencoded', form)
      const answer = await route.run({ caller: anonymous, params: {}, query, headers, body: form, publicUrl })
      const type = answer.contentType ?? 'application/json'
      checkAnswer(agreed, answer.status, type, answer.body)
      const isPage = typeof answer.body === 'string'
      return {
        ...{ status: answer.status, headers: answer.headers ?? {} },
        body: isPage ? {} : ((answer.body ?? {}) as Record<string, unknown>),
        text: isPage ? String(answer.body) : '',
      }
    } catch (error) {
      if (!isRefusal(error)) throw error
      return { ...oauthProblemOf(error, agreed.errors), text: '' }
    }
  }

  /** As the issuer prepares something: both in one act. */
  const offer = async (
    order: Partial<GrantOrder> & {
      identifiedBy?: { type: string; claims: Record<string, unknown> }
      release?: 'asked'
    } = {},
  ): Promise<GrantGiven & { issuance: string }> => {
    const { identifiedBy, release, ...rest } = order
    const issuance = randomUUID()
    const now = clock.now()
    const grant: GrantOrder = {
      ...{ issuance, configurationIds: [licence], expires: now + 10 * minute, refreshUntil: now + 60 * minute },
      ...rest,
    }
    const given = await store.transaction(async tx => {
      book.add(tx, {
        ...{ id: issuance, configurationIds: [...grant.configurationIds], times: 1, release },
        prepared: { claims: {}, grant, identifiedBy },
        ...{ created: now, expires: grant.expires, collectBy: now + 60 * minute },
      })
      return createGrant(desk, tx, grant)
    })
    return { ...given, issuance }
  }

  return {
    ...{ store, clock, desk, book, call, offer },
    access: (headers: Record<string, string>): Promise<Access> =>
      accessOf(
        desk,
        { caller: anonymous, params: {}, query: {}, headers, body: undefined, publicUrl },
        { method: 'POST', path: '/openid4vci/credential' },
      ),
    withdraw: (issuance: string): Promise<void> =>
      store.transaction(async tx => {
        await book.end(tx, issuance, 'withdrawn')
        await endGrant(tx, issuance)
      }),
    close: () => store.close(),
  }
}

export type Server = Awaited<ReturnType<typeof openServer>>

const verifierOf = (): string => randomBytes(32).toString('base64url')
export const challengeOf = (verifier: string): string => hash('sha256', verifier, 'base64url')
export const redirectUri = 'https://wallet.example/cb'

/** The cookie that a browser keeps of an answer. */
export const cookieOf = ({ headers }: Answer): string => (headers['set-cookie'] ?? '').split(';')[0] ?? ''

const hidden = (text: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1]?.replaceAll('&amp;', '&') ?? ''

/** A wallet from the outside: a key that its tokens are bound to, a key that its provider attests, and the citizen's browser. */
export const newWallet = (server: Server, { clientId = 'wallet', bound = true, attested = false } = {}) => {
  const [key, instance] = [newKey(), newKey()]
  const seconds = (): number => Math.floor(server.clock.now() / 1_000)

  const attestation = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = provider) =>
    signJwt(
      { typ: 'oauth-client-attestation+jwt', kid: 'provider-1', ...header },
      {
        ...{
          iss: 'https://provider.example',
          sub: clientId,
          exp: seconds() + 3_600,
          wallet_name: 'Wallet of Wonderland',
        },
        ...{ cnf: { jwk: instance.jwk }, ...claims },
      },
      by,
    )
  const pop = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = instance): string =>
    signJwt(
      { typ: 'oauth-client-attestation-pop+jwt', ...header },
      { iss: clientId, aud: publicUrl, jti: randomUUID(), iat: seconds(), ...claims },
      by,
    )
  const headers = (path: string): Record<string, string> => ({
    ...(bound
      ? { dpop: dpopProof(key, { method: 'POST', url: publicUrl + path, nonce: server.desk.dpop.nonce() }) }
      : {}),
    ...(attested ? { 'oauth-client-attestation': attestation(), 'oauth-client-attestation-pop': pop() } : {}),
  })

  const push = (parameters: Record<string, string> = {}, sent: Record<string, string> = {}): Promise<Answer> =>
    server.call('pushAuthorizationRequest', {
      form: parameters,
      headers: { ...headers('/openid4vci/par'), ...sent },
    })
  const token = (form: Record<string, string>, sent: Record<string, string> = {}): Promise<Answer> =>
    server.call('exchangeToken', { form, headers: { ...headers('/openid4vci/token'), ...sent } })

  const requestOf = (verifier: string, more: Record<string, string> = {}): Record<string, string> => ({
    ...{ response_type: 'code', client_id: clientId, redirect_uri: redirectUri, state: 'state of the wallet' },
    ...{ code_challenge: challengeOf(verifier), code_challenge_method: 'S256', ...more },
  })

  /** Pushes a request; the citizen opens the page and says yes. */
  const consent = async (
    more: Record<string, string>,
    decision: 'allow' | 'deny' = 'allow',
  ): Promise<{ verifier: string; pushed: Answer; page: Answer; answer: Answer; code: string; location: URL }> => {
    const verifier = verifierOf()
    const pushed = await push(requestOf(verifier, more))
    const requestUri = String(pushed.body['request_uri'])
    const page = await server.call('authorize', { query: { client_id: clientId, request_uri: requestUri } })
    const answer = await server.call('decideAuthorization', {
      form: { request_uri: requestUri, token: hidden(page.text, 'token'), decision },
      headers: { cookie: cookieOf(page) },
    })
    const location = new URL(answer.headers['location'] ?? 'about:blank')
    return { verifier, pushed, page, answer, code: location.searchParams.get('code') ?? '', location }
  }

  return {
    ...{ key, instance, clientId, attestation, pop, headers, push, token, requestOf, consent, hidden, verifierOf },
    redeem: (given: { code: string; verifier: string }, more: Record<string, string> = {}): Promise<Answer> =>
      token({
        ...{ grant_type: 'authorization_code', client_id: clientId, redirect_uri: redirectUri },
        ...{ code: given.code, code_verifier: given.verifier, ...more },
      }),
    preAuthorized: (code: string | undefined, more: Record<string, string> = {}): Promise<Answer> =>
      token({ grant_type: preAuthorized, 'pre-authorized_code': code ?? '', ...more }),
    refresh: (refreshToken: unknown): Promise<Answer> =>
      token({ grant_type: 'refresh_token', refresh_token: String(refreshToken) }),
    /** What the token opens, as an endpoint of the issuer is told. */
    use: (accessToken: unknown, by: Key = key): Promise<Access> =>
      server.access({
        authorization: `${bound ? 'DPoP' : 'Bearer'} ${String(accessToken)}`,
        ...(bound
          ? {
              dpop: dpopProof(by, {
                ...{ method: 'POST', url: `${publicUrl}/openid4vci/credential`, token: String(accessToken) },
                nonce: server.desk.dpop.nonce(),
              }),
            }
          : {}),
      }),
  }
}

export type Wallet = ReturnType<typeof newWallet>

/** The error of OAuth, and the house's own name for it. */
export const errorOf = ({ status, body }: Answer) => ({ status, error: body['error'], code: body['code'] })
