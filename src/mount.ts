import { join } from 'node:path'
import { type AgencyOnChain, isFresh, issuerKey } from './agency.ts'
import { ConfigError } from './config.ts'
import { createFirstKey } from './http/api-keys.ts'
import type { Agency } from './http/app.ts'
import { createAuth } from './http/auth.ts'
import { openIdentity } from './identity/identity.ts'
import type { IssuerKey } from './identity/issue.ts'
import { ownDecisions } from './identity/status.ts'
import type { CredentialTypes } from './identity/types.ts'
import type { Identity } from './kernel/identity.ts'
import type { Route } from './kernel/plugin.ts'
import type { StatusValue } from './kernel/ports.ts'
import { openLists } from './lists.ts'
import { type Mounted, type Mounting, plugins } from './plugins.ts'
import { timeId } from './kernel/time-id.ts'

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
): Promise<{ identity: Identity; issuerKey: () => IssuerKey }> => {
  const { chain, keys, dids, did, address, settings } = agency
  const { clock, publicUrl } = settings
  const lists = openLists(agency)
  await lists.ensure()
  await agency.outbox.poke()
  const key = await issuerKey(agency)
  const own = ownDecisions()
  await recallDecisions(agency, (index, list, status) => own.decide({ ...authority, list, index }, status))
  const identity = openIdentity({
    ...{ types, dids, clock, did, publicUrl, own },
    signer: keys.signer,
    issuer: () => key,
    allot: lists.allot,
    status: chain.follower.status,
    trust: chain.follower.trust,
    lists: { bits: list => chain.follower.bits(address, list) },
    chain: chain.client.chain,
  })
  return { identity, issuerKey: () => key }
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

const authOf = (agency: AgencyOnChain, routes: Record<string, Route>, citizens: Mounted['citizens']) => {
  const { oidc } = agency.config
  const scopes = Object.values(routes).flatMap(({ requires }) => (requires.by === 'staff' ? [requires.scope] : []))
  return createAuth({
    ...{ store: agency.store, clock: agency.settings.clock, citizens },
    scopes: [...new Set(scopes)],
    oidc: oidc && {
      ...oidc,
      jwks: oidc.jwksUrl === undefined ? { keys: oidc.jwks?.keys ?? [] } : { url: oidc.jwksUrl },
      scopeClaims: [oidc.scopeClaim],
    },
  })
}

/** An agency as http serves it: identity over the chain, the plugins it names over identity, callers over both. */
export const mount = async (agency: AgencyOnChain, types: CredentialTypes): Promise<Agency> => {
  const { chain, config, store, dids, address, settings } = agency
  const { clock, publicUrl } = settings
  const registry = chain.contracts.StatusRegistry.address
  const authority = { chain: chain.client.chain, registry, issuer: address }
  const { identity, issuerKey } = await identityOf(agency, types, authority)
  const { status, trust } = chain.follower
  const verifying = { types, dids, status, trust, clock, chain: chain.client.chain }
  const parts = config.plugins.map(name => {
    const plugin = plugins[name]
    if (plugin === undefined) throw new ConfigError(`${config.name}: there is no plugin "${name}"`)
    return plugin({ ...{ agency, identity, types, verifying, authority, issuerKey }, newId: () => timeId(clock.now()) })
  })
  const routes = gather(config.name, parts)
  const auth = authOf(agency, routes, parts.find(part => part.citizens !== undefined)?.citizens)
  await createFirstKey(store, join(settings.dataDir, config.name, 'api-key'), clock)
  return {
    ...{ name: config.name, publicUrl, routes, auth, vcalm: config.vcalm },
    ready: async () => ({ store: (await store.read('SELECT 1 AS one')).length === 1, chain: isFresh(chain) }),
  }
}
