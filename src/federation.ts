import { type AgencyOnChain, processId } from './agency.ts'
import { ConfigError } from './config/agency.ts'
import type { NamedEntity } from './config/federation.ts'
import type { Log } from './http/log.ts'
import { signAgencyRequest } from './identity/agency-token.ts'
import { parseEthrDid } from './identity/did-ethr.ts'
import { fetchBounded } from './identity/fetch-bounded.ts'
import { type KeySet, readKeySet } from './identity/formats/compact-jws.ts'
import { sealJws } from './identity/formats/jose.ts'
import { readConstraints } from './identity/openid/federation/constraints.ts'
import { configurationUrl } from './identity/openid/federation/entity-id.ts'
import { readPolicy } from './identity/openid/federation/policy.ts'
import { type Federation, openFederation } from './identity/openid/federation/resolve.ts'
import {
  assertSigned,
  assertTimely,
  type EntityStatement,
  readStatement,
  readTyped,
  statementTyp,
  timesOf,
} from './identity/openid/federation/statement.ts'
import type { TrustAnchor } from './identity/openid/federation/trust-chain.ts'
import { trustMarkTyp, validTrustMarks } from './identity/openid/federation/trust-mark.ts'
import { publicUrlOf } from './institutions.ts'
import { canonical } from './kernel/canonical.ts'
import { anonymous } from './kernel/gate.ts'
import type { Route } from './kernel/plugin.ts'
import { isRefusal, Refusal } from './kernel/refusal.ts'
import type { Mounting } from './mounting.ts'
import type { FederationNeeds, Terms } from './plugins/federation/needs.ts'
import { acquireLease } from './store/leases.ts'

/** An agency in federations (OpenID Federation 1.0): its keys, its metadata, its superiors and anchors. */

type Members = Record<string, unknown>

const statementMost = 131_072

/** @throws ConfigError */
const anchorOf = ({ entity, keys }: NamedEntity, agency: string): TrustAnchor => {
  try {
    return { entityId: entity, keys: readKeySet(keys) }
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
    throw new ConfigError(`${agency}: the federation keys of ${entity}: ${cause.message}`, { cause })
  }
}

/** What a superior says about others is held against the specification before it is said. @throws Refusal */
const assertTerms = ({ metadata, metadataPolicy, constraints }: Terms): void => {
  if (metadataPolicy !== undefined) readPolicy(metadataPolicy)
  if (constraints !== undefined) readConstraints(constraints)
  for (const parameters of Object.values(metadata ?? {})) {
    const isSound = typeof parameters === 'object' && parameters !== null && !Array.isArray(parameters)
    if (isSound && !Object.values(parameters).includes(null)) continue
    throw new Refusal('malformed', 'statement_malformed', 'metadata is an object of objects without null.')
  }
}

/** What a route of the agency answers anybody, as JSON. */
const publicAnswer = async (route: Route | undefined, publicUrl: string): Promise<Members | undefined> => {
  if (route === undefined || !('run' in route)) return undefined
  const context = { caller: anonymous, params: {}, query: {}, body: undefined, headers: {}, publicUrl }
  const { body } = await route.run(context)
  return typeof body === 'object' && body !== null ? (body as Members) : undefined
}

/** What the agency is, by entity type: only what its plugins make of it. */
const metadataOf = ({ agency, issuerKey, certificates, routes }: Mounting): FederationNeeds['metadata'] => {
  const { config, keys, settings } = agency
  const keyOf = async (keyId: string, kid: string) => ({ ...(await keys.publicJwk(keyId)), kid, use: 'sig' })
  return async () => {
    const all = routes()
    const issuer = await publicAnswer(all['getCredentialIssuerMetadata'], settings.publicUrl)
    const server = await publicAnswer(all['getAuthorizationServerMetadata'], settings.publicUrl)
    const signing = issuerKey()
    const verifier = await certificates.verifier()
    const { thumbprint } = await keys.info(verifier.keyId)
    const issuerKeys = { keys: [await keyOf(signing.keyId, signing.kid)] }
    return {
      federation_entity: { organization_name: config.title, homepage_uri: settings.publicUrl },
      // No clients are registered here; some readers ask for the parameter all the same.
      ...(issuer === undefined
        ? {}
        : { openid_credential_issuer: { ...issuer, jwks: issuerKeys, client_registration_types_supported: [] } }),
      ...(server === undefined ? {} : { oauth_authorization_server: server }),
      openid_credential_verifier: {
        ...{ client_name: config.title, client_registration_types: [] },
        jwks: { keys: [await keyOf(verifier.keyId, thumbprint)] },
      },
    }
  }
}

type Reading = { fetch: Parameters<typeof openFederation>[0]['fetch']; now(): number }

const readConfiguration = async (entity: string, keys: KeySet, { fetch, now }: Reading): Promise<EntityStatement> => {
  const bounds = { accept: `application/${statementTyp}`, maxBytes: statementMost }
  const { body } = await fetch(configurationUrl(entity), bounds).catch(cause => {
    if (!isRefusal(cause) || cause.kind === 'rejected') throw cause
    const detail = 'What the entity says of itself cannot be fetched now.'
    throw new Refusal('unavailable', 'federation_unavailable', detail, { cause })
  })
  const statement = readStatement(body.toString('latin1').trim())
  if (statement.subject !== entity || statement.issuer !== entity) {
    throw new Refusal('rejected', 'statement_of_another', 'An Entity Configuration is of another entity.')
  }
  assertTimely(statement, now())
  await assertSigned(statement.jws, keys)
  return statement
}

const resolverOf = (federation: Federation, now: () => number): FederationNeeds['resolve'] => {
  return async (entity, anchor) => {
    const chain = await federation.resolve(entity, [anchor])
    const marks = await validTrustMarks(chain.leaf.trustMarks, entity, {
      ...{ now: now(), anchor: chain.root },
      keysOf: async issuer => (await federation.resolve(issuer, [anchor])).leaf.keys,
    })
    const { statements, metadata, expiresAt } = chain
    return { statements, metadata, expiresAt, trustMarks: marks }
  }
}

export type OpenedFederation = { needs: FederationNeeds; keep(log: Log): () => Promise<void> }

/** The agency's federation key; by its thumbprint, as the specification recommends (section 3.1.1). */
const federationKey = async ({ keys }: AgencyOnChain) => {
  const { keyId, algorithm, thumbprint, jwk } = await keys.obtain({ kind: 'P-256', alias: 'federation' })
  const published = { ...jwk, kid: thumbprint, alg: algorithm, use: 'sig' }
  const sign: FederationNeeds['sign'] = (typ, payload) =>
    sealJws({ alg: algorithm, kid: thumbprint, typ }, { ...payload }, (alg, data) => keys.signer.sign(keyId, alg, data))
  return { published, sign }
}

/** @throws ConfigError */
export const openFederationOf = async (mounting: Mounting): Promise<OpenedFederation> => {
  const { agency, newId } = mounting
  const { config, settings, house, chain } = agency
  const place = config.federation ?? { superiors: [], anchors: [] }
  const { publicUrl: entity, clock } = settings
  const now = (): number => clock.now()
  const { origin } = new URL(entity)
  const superiors = place.superiors.map(each => (each.startsWith('/') ? origin + each : each))
  const { published, sign } = await federationKey(agency)
  const { allowedHttpOrigins: httpOrigins } = config
  const fetch: Reading['fetch'] = (url, bounds) => fetchBounded(url, { ...bounds, allowedHttpOrigins: httpOrigins })
  const keys = { keys: [published] }
  const own = place.superior !== undefined && superiors.length === 0 ? [{ entity, keys, terms: {} }] : []
  const anchors = [...own, ...place.anchors].map(each => anchorOf(each, config.name))
  const federation = openFederation({ clock, anchors, fetch, httpOrigins })
  for (const each of place.superior?.subordinates ?? []) anchorOf(each, config.name)
  const needs: FederationNeeds = {
    ...{ house, newId, entity, superiors, keys, sign, assertTerms },
    superior: place.superior && {
      approves: place.superior.approves,
      named: place.superior.subordinates,
    },
    anchors: federation.anchors,
    metadata: metadataOf(mounting),
    entityOf(did) {
      const address = parseEthrDid(did, chain.client.chainId)?.address
      return address === undefined ? undefined : publicUrlOf(agency, address, httpOrigins)
    },
    async readEntity(subject, given) {
      const statement = await readConfiguration(subject, readKeySet(given), { fetch, now })
      const { metadata, authorityHints, jwks } = statement
      // All of them and no others: a key that the entity does not publish itself is not vouched for.
      if (canonical(jwks) !== canonical(given)) {
        throw new Refusal('rejected', 'statement_key_unknown', 'The entity publishes other keys than it registers.')
      }
      return { entityTypes: Object.keys(metadata ?? {}), authorityHints }
    },
    resolve: resolverOf(federation, now),
    readTrustMark(jwt) {
      const { payload } = readTyped(jwt, trustMarkTyp)
      const { expiresAt } = timesOf(payload)
      const { iss, sub, trust_mark_type: type } = payload
      const isOurs = sub === entity && typeof iss === 'string' && typeof type === 'string'
      if (!isOurs || expiresAt === undefined || expiresAt <= now()) {
        throw new Refusal('rejected', 'trust_mark_invalid', 'The trust mark is not one of this entity that holds now.')
      }
      return { type, issuer: iss, expiresAt }
    },
  }
  return { needs, keep: log => keepRegistered(mounting, { superiors, published, fetch, entity }, log) }
}

type Registering = { superiors: readonly string[]; published: Members; fetch: Reading['fetch']; entity: string }

/** Whether a superior says of us what we say: under the key of now. */
const isRegistered = async (superior: string, { fetch, entity, published }: Registering): Promise<boolean> => {
  const bounds = { accept: `application/${statementTyp}`, maxBytes: statementMost }
  try {
    const { body } = await fetch(`${superior}/federation/fetch?sub=${encodeURIComponent(entity)}`, bounds)
    const { jwks, subject } = readStatement(body.toString('latin1').trim())
    return subject === entity && canonical(jwks) === canonical({ keys: [published] })
  } catch (error) {
    if (isRefusal(error)) return false
    throw error
  }
}

const register = async (
  mounting: Mounting,
  superior: string,
  registering: Registering,
): Promise<string | undefined> => {
  const { agency, issuerKey } = mounting
  const { entity, published } = registering
  const { keys, settings, config } = agency
  const body = { entity, jwks: { keys: [published] } }
  const url = `${superior}/federation/subordinates`
  const signing = { key: issuerKey(), signer: keys.signer, clock: settings.clock }
  const token = await signAgencyRequest({ audience: superior, method: 'POST', url, body }, signing)
  const post = { body: JSON.stringify(body), headers: { authorization: `Agency ${token}` } }
  const { allowedHttpOrigins } = config
  const answer = await fetchBounded(url, { allowedHttpOrigins, post })
  return answer.status === 201
    ? undefined
    : `it answered ${answer.status}: ${answer.body.toString('utf8').slice(0, 300)}`
}

const firstMs = 2_000
const againMs = 60_000
const knownMs = 60 * 60_000

/** Registers with the superiors that this software serves, in one process of the agency at a time; asks again until they know it. */
const keepRegistered = (mounting: Mounting, registering: Registering, log: Log): (() => Promise<void>) => {
  const { agency } = mounting
  const { store, settings } = agency
  let ended = false
  let timer: NodeJS.Timeout | undefined
  let under: Promise<void> = Promise.resolve()

  const round = async (): Promise<boolean> => {
    const lease = { name: 'federation', holder: processId, ttlMs: againMs }
    if ((await acquireLease(store, settings.clock, lease)) === undefined) return true
    let all = true
    for (const superior of registering.superiors) {
      if (ended || (await isRegistered(superior, registering))) continue
      const refused = await register(mounting, superior, registering)
      if (refused === undefined) continue
      all = false
      log.error({ superior, refused }, 'a superior of the federation does not register this agency')
    }
    return all
  }
  const later = (delayMs: number): void => {
    if (ended || registering.superiors.length === 0) return
    timer = setTimeout(() => {
      under = round()
        .catch((error: unknown) => {
          log.error(
            { error: String(error) },
            'a superior of the federation cannot be reached; the next round tries again',
          )
          return false
        })
        .then(done => later(done ? knownMs : againMs))
    }, delayMs)
    timer.unref()
  }
  later(firstMs)
  return async () => {
    ended = true
    clearTimeout(timer)
    await under
  }
}
