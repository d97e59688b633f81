import { join } from 'node:path'
import { type AgencyOnChain, isFresh, issuerKey } from './agency.ts'
import { openCertificates } from './certificates.ts'
import { ConfigError } from './config/agency.ts'
import { knownByLog, mountDids, openDidLog } from './did-log.ts'
import { openMessages, reachableBy } from './didcomm.ts'
import { createApiKeys, createFirstKey } from './http/api-keys.ts'
import type { Agency } from './http/app.ts'
import { type AuthParts, createAuth } from './http/auth.ts'
import type { Log } from './http/log.ts'
import { openSignerChains, type SignerChains } from './identity/authorities.ts'
import { openCurrentKey, withCurrentKey } from './identity/current-key.ts'
import { openDpop } from './identity/dpop.ts'
import { openIdentity } from './identity/identity.ts'
import type { IssuerKey } from './identity/issue.ts'
import type { KeyInfo } from './identity/keys.ts'
import { ownDecisions } from './identity/status.ts'
import type { CredentialTypes } from './identity/types.ts'
import { judgedOpenly } from './instances.ts'
import { admitAgencies } from './institutions.ts'
import { type Caller, casesOf } from './kernel/gate.ts'
import type { Certificates, Identity } from './kernel/identity.ts'
import type { Route } from './kernel/plugin.ts'
import type { StatusValue } from './kernel/ports.ts'
import type { Requirement } from './kernel/requirement.ts'
import { assertSound, RequirementUnsound } from './kernel/sound.ts'
import { timeId } from './kernel/time-id.ts'
import { openBindingLists, openLists } from './lists.ts'
import type { Mounted, Mounting } from './mounting.ts'
import { doorOf, gate, openDesk } from './plugins/gate/plugin.ts'
import { spend } from './plugins/gate/spent.ts'
import { openid4vp, presentationRequests } from './plugins/openid4vp/plugin.ts'
import { mountCertificates, plugins } from './plugins.ts'
import { type OpenedTrusts, openTrusts } from './trusts.ts'
import { openVerifier } from './verifier.ts'

/** Decisions whose bits are not final on chain yet count from the database. */
const recallDecisions = async (
  agency: AgencyOnChain,
  decide: (index: number, list: number, status: StatusValue) => void,
) => {
  const sql = `SELECT d.status_list, d.status_index, d.status FROM status_decisions d
    WHERE d.outbox = '' OR d.outbox IN (SELECT id FROM outbox WHERE state <> 'final') ORDER BY d.id`
  for (const row of await agency.store.read(sql)) {
    decide(Number(row['status_index']), Number(row['status_list']), row['status'] as StatusValue)
  }
}

type Authority = Mounting['authority']

const identityOf = async (
  agency: AgencyOnChain,
  types: CredentialTypes,
  authority: Authority,
  { foreign, mdocAnchors }: OpenedTrusts,
): Promise<{
  identity: Identity
  issuerKey: () => IssuerKey
  certificates: Certificates
  signerChains: SignerChains
}> => {
  const { chain, keys, dids, did, address, settings } = agency
  const { clock, publicUrl } = settings
  const lists = openLists(agency)
  await lists.ensure()
  if (agency.config.plugins.includes('bindings')) await openBindingLists(agency).ensure()
  await agency.outbox.poke()
  const nameOf = (signing: KeyInfo) => issuerKey({ ...agency, signing })
  const current = await openCurrentKey({ keys, alias: agency.signing.alias, nameOf })
  const certificates = await openCertificates(agency, current)
  const anchors = async () => [...(await certificates.anchors()), ...mdocAnchors]
  const signerChains = openSignerChains({ clock, anchors })
  const own = ownDecisions()
  await recallDecisions(agency, (index, list, status) => own.decide({ ...authority, list, index }, status))
  const identity = openIdentity({
    ...{ types, dids, clock, did, publicUrl, own },
    signer: keys.signer,
    issuer: current.key,
    allot: lists.allot,
    ...{ certificates, foreign, signerChains },
    status: chain.follower.status,
    trust: chain.follower.trust,
    lists: { bits: list => chain.follower.bits(address, list) },
    chain: chain.client.chain,
  })
  return { identity: withCurrentKey(identity, current), issuerKey: current.key, certificates, signerChains }
}

/** Every plugin's routes as one set. @throws ConfigError when two plugins have one operation. */
const gather = (agency: string, parts: readonly Mounted[]): Record<string, Route> => {
  const routes: Record<string, Route> = {}
  for (const part of parts) {
    for (const [operation, route] of Object.entries(part.routes)) {
      if (routes[operation] !== undefined) {
        throw new ConfigError(`${agency}: two plugins have the operation ${operation}`)
      }
      routes[operation] = route
    }
  }
  return routes
}

const scopesOf = (requirement: Requirement): string[] =>
  casesOf(requirement).flatMap(each => (each.by === 'staff' ? [each.scope] : []))

/** @throws ConfigError for what nobody could ever meet, or nobody could judge. */
const assertRequirements = (agency: string, routes: Record<string, Route>, types: Identity['types']): void => {
  for (const [operation, { requires }] of Object.entries(routes)) {
    try {
      assertSound(requires, types)
    } catch (cause) {
      if (!(cause instanceof RequirementUnsound)) throw cause
      throw new ConfigError(`${agency}: what ${operation} requires cannot stand: ${cause.message}`, { cause })
    }
  }
}

/** The gate over all routes of the agency, which it is given once they are known. */
const openGate = ({ agency, identity, newId, presentations }: Mounting, routes: () => Record<string, Route>) => {
  const { house, store, settings, derive } = agency
  const { clock, publicUrl } = settings
  const apiKeys = createApiKeys(store, clock)
  return openDesk({
    ...{ house, identity, newId, publicUrl, derive, routes, presentations },
    crossDevice: agency.config.openid4vp?.crossDevice,
    dpop: openDpop({ clock, secret: derive('gate dpop nonces') }),
    // Of a token nothing is kept that could be asked again; the approval itself comes with a fresh one.
    staffStands: async caller => caller.kind === 'oidc' || (await apiKeys.stands(caller.id)),
  })
}

/** What is over goes also where nobody calls any more. */
const keepSwept = (desks: readonly { sweep(): void }[]): (() => Promise<void>) => {
  const timer = setInterval(() => {
    for (const desk of desks) desk.sweep()
  }, sweptEveryMs)
  timer.unref()
  return async () => clearInterval(timer)
}
const sweptEveryMs = 60_000

type Callers = Pick<AuthParts, 'citizens' | 'holders' | 'agencies'>

const authOf = (agency: AgencyOnChain, routes: Record<string, Route>, callers: Callers) => {
  const { oidc, conformance } = agency.config
  const scopes = Object.values(routes).flatMap(({ requires }) => scopesOf(requires))
  const unknown: Caller | undefined = conformance && { kind: 'apiKey', id: 'conformance', scopes }
  return createAuth({
    ...{ store: agency.store, clock: agency.settings.clock, ...callers, unknown },
    scopes: [...new Set(scopes)],
    oidc: oidc && {
      ...oidc,
      jwks: oidc.jwksUrl === undefined ? { keys: oidc.jwks?.keys ?? [] } : { url: oidc.jwksUrl },
      scopeClaims: [oidc.scopeClaim],
    },
  })
}

/** `keep` begins what plugins do in rounds, and answers what ends it. */
export type MountedAgency = Agency & { keep(log: Log): (() => Promise<void>)[] }

/** An agency as http serves it: identity over the chain, the plugins it names over identity, callers over both. */
export const mount = async (agency: AgencyOnChain, types: CredentialTypes): Promise<MountedAgency> => {
  const { chain, config, store, dids, address, settings } = agency
  const { clock, publicUrl } = settings
  const registry = chain.contracts.StatusRegistry.address
  const authority = { chain: chain.client.chain, registry, issuer: address }
  const trusts = openTrusts(agency, types)
  const opened = await identityOf(agency, types, authority, trusts)
  const { identity: own, issuerKey, certificates, signerChains } = opened
  const didLog = openDidLog(agency)
  const named = knownByLog(own, didLog)
  const messages = config.plugins.includes('didcomm') ? await openMessages(agency) : undefined
  const reached = messages === undefined ? named : reachableBy(named, messages)
  const identity = config.conformance === undefined ? reached : judgedOpenly(agency, reached)
  const { status, trust } = chain.follower
  const { foreign } = trusts
  const verifying = { types, dids, status, trust, clock, chain: chain.client.chain, foreign, signerChains }
  const parted = {
    ...{ agency, identity, types, verifying, authority, issuerKey, certificates, messages },
    newId: () => timeId(clock.now()),
  }
  const verifier = await openVerifier(parted, () => routes)
  const mounting = { ...parted, presentations: presentationRequests(verifier), routes: () => routes }
  const desk = openGate(mounting, () => routes)
  const opening = config.plugins.map(async name => {
    const plugin = plugins[name]
    if (plugin === undefined) throw new ConfigError(`${config.name}: there is no plugin "${name}"`)
    return plugin(mounting)
  })
  const parts: Mounted[] = await Promise.all(opening)
  const everywhere = [
    { routes: gate.routes(desk) },
    { routes: openid4vp.routes(verifier) },
    mountCertificates(mounting),
  ]
  const routes = gather(config.name, [...parts, ...everywhere, mountDids(agency, didLog)])
  assertRequirements(config.name, routes, identity.types)
  const door = doorOf(desk)
  const citizens = parts.find(part => part.citizens !== undefined)?.citizens
  const auth = authOf(agency, routes, { citizens, holders: door, agencies: admitAgencies(agency, types, spend) })
  await createFirstKey(store, join(settings.dataDir, config.name, 'api-key'), clock)
  return {
    ...{ name: config.name, title: config.title, publicUrl, routes, auth, door, vcalm: config.vcalm },
    ready: async () => ({ store: (await store.read('SELECT 1 AS one')).length === 1, chain: isFresh(chain) }),
    keep: log => [
      trusts.keep(log),
      keepSwept([desk, verifier]),
      ...parts.flatMap(({ keep }) => (keep === undefined ? [] : [keep(log)])),
    ],
  }
}
