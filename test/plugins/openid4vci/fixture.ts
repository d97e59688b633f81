import { hash, randomBytes } from 'node:crypto'
import { Store1760000000100 } from '../../../migrations/agency/0100-store.ts'
import { Credentials1763600000300 } from '../../../migrations/agency/0300-credentials.ts'
import { Gate1763700000600 } from '../../../migrations/agency/0600-gate.ts'
import { Openid4vci1763900001230 } from '../../../migrations/agency/1230-openid4vci.ts'
import { Authorization1763900001240 } from '../../../migrations/agency/1240-authorization.ts'
import { Openid4vciUntaken1763900001290 } from '../../../migrations/agency/1290-openid4vci-untaken.ts'
import { checkAnswer, checkBody, checkParameters, compileContract } from '../../../src/http/contract.ts'
import { oauthProblemOf } from '../../../src/http/oauth-problem.ts'
import { qr } from '../../../src/http/qr.ts'
import { openDpop } from '../../../src/identity/dpop.ts'
import { contextsOf } from '../../../src/identity/formats/w3c.ts'
import { issueCredential } from '../../../src/identity/issue.ts'
import { openAttesters } from '../../../src/identity/openid/attesters.ts'
import { openMessageEncryption } from '../../../src/identity/openid/vci/encryption.ts'
import { judgeProofs, proofAlgorithms } from '../../../src/identity/openid/vci/key-proofs.ts'
import { viewOf } from '../../../src/identity/type-metadata.ts'
import { anonymous, type Caller } from '../../../src/kernel/gate.ts'
import type { FormatId } from '../../../src/kernel/identity.ts'
import type { Row } from '../../../src/kernel/ports.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import { store as keepCredential } from '../../../src/plugins/credentials/actions/issue.ts'
import { credentialEntity } from '../../../src/plugins/credentials/entities.ts'
import { spend } from '../../../src/plugins/gate/spent.ts'
import { openSweep } from '../../../src/plugins/gate/sweep.ts'
import type { AuthorizationPolicy, ExternalServer } from '../../../src/plugins/openid4vci/authorization/needs.ts'
import type { IssuableType, IssuerPolicy, Openid4vciNeeds } from '../../../src/plugins/openid4vci/needs.ts'
import { openid4vci } from '../../../src/plugins/openid4vci/plugin.ts'
import { storeEntities } from '../../../src/store/entities.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openStore } from '../../../src/store/store.ts'
import type { Place } from '../../databases.ts'
import { dpopProof, type Key, newKey, signJwt, walletClock } from '../../holder.ts'
import { baseUrl, openWorld, type World } from '../../identity/world.ts'
import { readOpenApi } from '../../openapi.ts'

export const migrations = [
  Store1760000000100,
  Credentials1763600000300,
  Gate1763700000600,
  Openid4vci1763900001230,
  Authorization1763900001240,
  Openid4vciUntaken1763900001290,
]
export const publicUrl = baseUrl
export const preAuthorized = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'
export const licence = 'DrivingLicence.1.dc_sd_jwt'
export const minute = 60_000

const contract = compileContract(readOpenApi())
export const clerk: Caller = { kind: 'apiKey', id: 'clerk', scopes: ['credentials:issue', 'credentials:release'] }
/** Provider of wallets whose key the issuer trusts. */
export const provider: Key = newKey()

export type Body = Record<string, unknown>
export type Answer = { status: number; body: Body; text: string; headers: Record<string, string>; type: string }
type Sent = {
  body?: unknown
  caller?: Caller
  params?: Record<string, string>
  query?: Record<string, string>
  headers?: Record<string, string>
}

const usual: IssuerPolicy = {
  ...{ haip: false, attestation: undefined, batchSize: 3, encryptionRequired: false, deferredIntervalSeconds: 5 },
  identification: { type: 'NationalIdentity', claims: ['personalAdministrativeNumber'] },
}

const everyone: AuthorizationPolicy = {
  ...{ haip: false, bearer: false, unknownClients: true, clients: [], crossDevice: false },
}

export type Options = {
  world?: World
  policy?: Partial<IssuerPolicy>
  authorization?: Partial<AuthorizationPolicy>
  external?: ExternalServer
  /** Shared by all processes of one agency. */
  master?: Buffer
}

/** The plugin over a database: real types, signatures, proofs, tokens. The chain's answers and the clock alone are others. */
export const openAgency = async (place: Place, options: Options = {}) => {
  const { world = openWorld(), master = randomBytes(32) } = options
  const { clock } = world
  walletClock.now = clock.now
  const store = await openStore({
    ...{ ...place, migrations },
    entities: [...storeEntities, credentialEntity, ...openid4vci.entities],
  })
  const house = { store, journal, idempotency: openIdempotency(clock), clock }
  const derive = (purpose: string): Buffer => hash('sha256', Buffer.concat([master, Buffer.from(purpose)]), 'buffer')
  const issuing = { ...world.issueNeeds(world.transport), baseUrl: publicUrl }
  const views = new Map(world.types.all.map(type => [type.id, viewOf(type)]))
  const types = ['DrivingLicence', 'NationalIdentity'].map((id): IssuableType => {
    const type = world.types.byId(id)
    return {
      ...(views.get(id) as IssuableType),
      ...{ contexts: contextsOf(publicUrl, type), validity: type.validity },
      problemOf: claims => type.check({ ...claims, id: 'did:key:holder' }),
    }
  })
  const attesters = openAttesters({ anchors: [], keys: [{ ...provider.jwk, kid: 'provider-1' }] }, { haip: false })
  const needs: Openid4vciNeeds = {
    ...{ house, derive, publicUrl, qr, spend, title: 'Transport Authority', types },
    knownTypes: [...views.values()],
    dpop: openDpop({ clock, secret: derive('dpop') }),
    newId: () => timeId(clock.now()),
    authorization: {
      policy: { ...everyone, ...options.authorization },
      external: options.external,
    },
    policy: { ...usual, ...options.policy },
    issuance: {
      async issue(request) {
        const { draft, format, compact } = await issueCredential(request, issuing)
        const { id, type, issuedAt, validUntil, status } = draft
        return { id, type: type.id, typeVersion: type.version, format, compact, issuedAt, validUntil, status }
      },
      store: keepCredential,
    },
    issued: ids =>
      store.read<Row & { id: string; format: FormatId; compact: string }>(
        `SELECT id, format, compact FROM credentials WHERE id IN (${ids.map(() => '?').join(', ')})`,
        [...ids],
      ),
    signingAlgorithm: () => 'ES256',
    signMetadata: async () => 'a.b.c',
    keyProofs: {
      ...{ algorithms: proofAlgorithms, attestations: true },
      judge: (proofs, expected) => judgeProofs(proofs, { dids: world.dids, clock, attesters }, expected),
    },
    encryption: openMessageEncryption(derive('encryption')),
    sweepSpent: openSweep({ house }),
  }
  const routes = openid4vci.routes(needs)

  /** As http does it: what is refused comes back in the words of the operation's specification. */
  const call = async (operation: string, sent: Sent = {}): Promise<Answer> => {
    const { body, caller = anonymous, params = {}, query = {}, headers = {} } = sent
    const [route, agreed] = [routes[operation], contract.get(operation)]
    if (route === undefined || !('run' in route) || agreed === undefined) throw new Error(`no operation ${operation}`)
    const [first = 'application/json'] = [...(agreed.body?.types.keys() ?? [])]
    const type = headers['content-type'] ?? first
    try {
      checkParameters(agreed, { path: params, query, header: headers })
      if (agreed.body !== undefined) checkBody(agreed, type, body)
      const context = { caller, params, query, headers: { 'content-type': type, ...headers }, body, publicUrl }
      const answer = await route.run(context)
      const answered = answer.contentType ?? 'application/json'
      checkAnswer(agreed, answer.status, answered, answer.body)
      const isText = typeof answer.body === 'string'
      return {
        ...{ status: answer.status, headers: answer.headers ?? {}, type: answered },
        body: isText ? {} : ((answer.body ?? {}) as Body),
        text: isText ? String(answer.body) : '',
      }
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (agreed.errors === 'problem') {
        return { status: 0, body: { code: error.code, kind: error.kind }, text: '', headers: {}, type: '' }
      }
      return { ...oauthProblemOf(error, agreed.errors, agreed.malformed), text: '', type: '' }
    }
  }

  const asStaff = (operation: string, sent: Sent = {}): Promise<Answer> => call(operation, { caller: clerk, ...sent })
  const claims = { DrivingLicence: world.types.byId('DrivingLicence').example }
  return {
    ...{ store, world, clock, master, needs, call, asStaff, claims },
    offer: (more: Body = {}, headers: Record<string, string> = {}): Promise<Answer> =>
      asStaff('createCredentialOffer', { body: { credentialConfigurationIds: [licence], claims, ...more }, headers }),
    state: async (offer: unknown): Promise<Body> =>
      (await asStaff('getCredentialOffer', { params: { offer: String(offer) } })).body,
    close: () => store.close(),
  }
}
export type Agency = Awaited<ReturnType<typeof openAgency>>

type Grants = Record<string, { 'pre-authorized_code'?: string; issuer_state?: string }>
export const grantsIn = (offer: Answer): Grants => (offer.body['credentialOffer'] as { grants: Grants }).grants

/** A wallet from the outside, with a key that its tokens are bound to. */
export const newWallet = (agency: Agency, key: Key = newKey()) => {
  const seconds = (): number => Math.floor(agency.clock.now() / 1_000)
  const nonce = async (): Promise<string> => String((await agency.call('createCredentialNonce')).body['c_nonce'])
  const proof = (c_nonce: string, by: Key, claims: Body = {}, header: Body = {}): string =>
    signJwt(
      { typ: 'openid4vci-proof+jwt', jwk: by.jwk, ...header },
      { aud: publicUrl, iat: seconds(), nonce: c_nonce, ...claims },
      by,
    )
  const attestation = (keys: readonly Key[], claims: Body = {}): string =>
    signJwt(
      { typ: 'key-attestation+jwt', kid: 'provider-1' },
      { iat: seconds(), exp: seconds() + 600, attested_keys: keys.map(({ jwk }) => jwk), ...claims },
      provider,
    )
  const headers = (path: string, token?: string): Record<string, string> => ({
    dpop: dpopProof(key, {
      ...{ method: 'POST', url: `${publicUrl}/openid4vci/${path}`, nonce: agency.needs.dpop.nonce() },
      ...(token === undefined ? {} : { token }),
    }),
    ...(token === undefined ? {} : { authorization: `DPoP ${token}` }),
  })
  const token = async (offer: Answer, more: Record<string, string> = {}): Promise<Answer> =>
    agency.call('exchangeToken', {
      body: {
        grant_type: preAuthorized,
        'pre-authorized_code': String(grantsIn(offer)[preAuthorized]?.['pre-authorized_code']),
        ...more,
      },
      headers: { ...headers('token'), 'content-type': 'application/x-www-form-urlencoded' },
    })
  const send = (operation: string, path: string, accessToken: string, body: unknown, type = 'application/json') =>
    agency.call(operation, { body, headers: { ...headers(path, accessToken), 'content-type': type } })
  const proofs = async (...keys: Key[]): Promise<Body> => {
    const given = await nonce()
    return { jwt: keys.map(each => proof(given, each)) }
  }
  return {
    ...{ key, nonce, proof, proofs, attestation, token },
    accessToken: async (offer: Answer, more?: Record<string, string>): Promise<string> =>
      String((await token(offer, more)).body['access_token']),
    request: (accessToken: string, body: unknown, type?: string): Promise<Answer> =>
      send('requestCredential', 'credential', accessToken, body, type),
    collect: async (accessToken: string, ...keys: Key[]): Promise<Answer> =>
      send('requestCredential', 'credential', accessToken, {
        credential_configuration_id: licence,
        proofs: await proofs(...(keys.length === 0 ? [newKey()] : keys)),
      }),
    deferred: (accessToken: string, transactionId: unknown): Promise<Answer> =>
      send('requestDeferredCredential', 'deferred-credential', accessToken, { transaction_id: transactionId }),
    notify: (accessToken: string, body: Body): Promise<Answer> =>
      send('notifyIssuer', 'notification', accessToken, body),
  }
}
export type Wallet = ReturnType<typeof newWallet>

export const errorOf = ({ status, body }: Answer): string => `${status} ${String(body['error'] ?? body['code'])}`
export const credentialsIn = ({ body }: Answer): unknown[] =>
  ((body['credentials'] ?? []) as { credential: unknown }[]).map(({ credential }) => credential)
