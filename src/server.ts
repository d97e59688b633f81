import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import {
  type AgencyBase,
  type AgencyOnChain,
  bringOnChain,
  followChain,
  isFresh,
  issuerKey,
  keepLists,
  missingAttributes,
  missingTrust,
  openAgencyBase,
  processId,
  settle,
} from './agency.ts'
import { openListPairArgs } from './chain/contracts.ts'
import type { OpenedChain } from './chain/open.ts'
import { type AgencyConfig, ConfigError } from './config.ts'
import { createFirstKey } from './http/api-keys.ts'
import { type Agency, createApp } from './http/app.ts'
import { createAuth } from './http/auth.ts'
import type { OpenApiDocument } from './http/contract.ts'
import { type Listening, listen } from './http/listen.ts'
import { createLog, type Log } from './http/log.ts'
import { openIdentity } from './identity/identity.ts'
import type { MasterKey } from './identity/seal.ts'
import { openStatusLists, ownDecisions } from './identity/status.ts'
import { type CredentialTypes, loadCredentialTypes } from './identity/types.ts'
import type { Route } from './kernel/plugin.ts'
import type { Clock, StatusValue } from './kernel/ports.ts'
import { anchorRound, publishFirst, type RoundNeeds } from './plugins/credentials/actions/anchored.ts'
import { plugins } from './plugins.ts'
import { acquireLease, checkLease, type Lease, releaseLease } from './store/leases.ts'
import { timeId } from './store/time-id.ts'

export type ServerSettings = {
  agencies: AgencyConfig[]
  dataDir: string
  port: number
  /** Public origin, without a trailing slash; each agency stands under `/<name>`. */
  publicOrigin: string | undefined
  databaseUrl: string | undefined
  rpcUrls: string[]
  contractsFile: string | undefined
  masterKey: MasterKey
  production: boolean
  tls: { cert: string; key: string } | undefined
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  clock: Clock
  /** Says what start-up does, a line a step. */
  say(line: string): void
}

export type Server = { url: string; close(): Promise<void> }

const projectFile = (name: string): URL => new URL(`../${name}`, import.meta.url)

/** Times each step of the start, so that a slow one shows. */
const stepper = (say: (line: string) => void) => {
  return async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const from = performance.now()
    const result = await work()
    say(`${what} (${((performance.now() - from) / 1_000).toFixed(1)} s)`)
    return result
  }
}

const fund = async (agency: AgencyBase, chain: OpenedChain): Promise<void> => {
  if (chain.faucet === undefined) return
  const balance = await chain.client.provider.getBalance(agency.address)
  if (balance === 0n) await chain.faucet(agency.address)
}

/** The root takes its role over, then admits schemas and accredits whom the configuration names. */
const establishTrust = async (root: AgencyOnChain, all: AgencyOnChain[], types: CredentialTypes): Promise<void> => {
  const { chain, address } = root
  const governance = chain.contracts.Governance
  const data = governance.interface.encodeFunctionData('root', [])
  const isRoot = async () => {
    const answer = await chain.client.rpc<string>('eth_call', [{ to: governance.address, data }, 'latest'])
    return `0x${answer.slice(-40)}`.toLowerCase() === address
  }
  if (!(await isRoot())) {
    const write = { contract: 'Governance', method: 'acceptRoot', args: [], account: address }
    await root.store.transaction(tx => root.outbox.enqueue(tx, [write]))
    await root.outbox.poke()
    await root.outbox.settled(60_000)
    if (!(await isRoot())) throw new Error(`${root.config.name} is configured as root but the chain names another`)
  }
  await settle(root, () => missingTrust(root, all, types))
}

const anchorNeeds = ({ house, outbox, address, settings }: AgencyOnChain) => {
  const { publicUrl } = settings
  return { house, outbox, publicUrl, issuer: address }
}

const openLists = (agency: AgencyOnChain) => {
  const { chain, address, store } = agency
  const { mode } = agency.config.status
  const registry = chain.contracts.StatusRegistry.address
  return openStatusLists({
    store,
    status: chain.follower.status,
    chain: chain.client.chain,
    registry,
    issuer: address,
    secret: agency.derive('status index'),
    mode,
    async openOnChain(tx, list, length) {
      const args = openListPairArgs(address, list, length, mode === 'anchored')
      await agency.outbox.enqueue(tx, [{ contract: 'StatusRegistry', method: 'openLists', args, account: address }])
      if (mode === 'anchored') await publishFirst(anchorNeeds(agency), tx, list, length)
    },
  })
}

/**
 * Publishes the agency's anchored lists in rounds, at whole multiples of their time, while this process has the lease.
 * @returns what ends that, after the round under way.
 */
const startRounds = (agency: AgencyOnChain, log: Log): (() => Promise<void>) => {
  const { store, settings, chain, address, outbox, config } = agency
  const { clock } = settings
  const everyMs = config.status.roundSeconds * 1_000
  let lease: Lease | undefined
  const needs: RoundNeeds = {
    ...anchorNeeds(agency),
    lease: {
      async hold() {
        lease = await acquireLease(store, clock, { name: 'anchored-lists', holder: processId, ttlMs: roundLeaseMs })
        return lease !== undefined
      },
      check: tx => checkLease(store, tx, lease as Lease),
    },
    anchoredVersion: list => chain.follower.listFacts(address, list)?.anchored?.version ?? 0,
  }
  const round = async () => {
    try {
      const { published, behind } = await anchorRound(needs)
      if (published.length > 0) void outbox.poke()
      if (behind.length > 0) log.error({ lists: behind }, 'the chain has newer status lists than this database')
    } catch (error) {
      log.error({ error: String(error) }, 'a round of anchored status lists failed; the next one tries again')
    }
  }
  let under: Promise<void> = Promise.resolve()
  let ended = false
  let timer: NodeJS.Timeout | undefined
  const next = () => {
    if (ended) return
    const begin = () => {
      under = round()
      void under.then(next)
    }
    timer = setTimeout(begin, everyMs - (clock.now() % everyMs))
    timer.unref()
  }
  next()
  return async () => {
    ended = true
    clearTimeout(timer)
    await under
    if (lease !== undefined) await releaseLease(store, lease)
  }
}
const roundLeaseMs = 3_000

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

const mount = async (agency: AgencyOnChain, types: CredentialTypes, settings: ServerSettings): Promise<Agency> => {
  const { chain, config, store, house, keys, dids, did, outbox, address } = agency
  const { clock, publicUrl } = agency.settings
  const lists = openLists(agency)
  await lists.ensure()
  await outbox.poke()
  const key = await issuerKey(agency)
  const own = ownDecisions()
  const registry = chain.contracts.StatusRegistry.address
  const authority = { chain: chain.client.chain, registry, issuer: address }
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
  const routes: Record<string, Route> = {}
  const mounted = config.plugins.map(name => {
    const plugin = plugins[name]
    if (plugin === undefined) throw new ConfigError(`${config.name}: there is no plugin "${name}"`)
    return plugin({
      agency,
      identity,
      types,
      verifying: {
        types,
        dids,
        status: chain.follower.status,
        trust: chain.follower.trust,
        clock,
        chain: chain.client.chain,
      },
      newId: () => timeId(clock.now()),
      authority,
    })
  })
  for (const part of mounted) {
    for (const [operation, route] of Object.entries(part.routes)) {
      if (routes[operation] !== undefined)
        throw new ConfigError(`${config.name}: two plugins have the operation ${operation}`)
      routes[operation] = route
    }
  }
  const scopes = [
    ...new Set(Object.values(routes).flatMap(({ requires }) => (requires.by === 'staff' ? [requires.scope] : []))),
  ]
  const { oidc } = config
  const auth = createAuth({
    ...{ store, clock, scopes },
    citizens: mounted.find(part => part.citizens !== undefined)?.citizens,
    oidc: oidc && {
      ...oidc,
      jwks: oidc.jwksUrl === undefined ? { keys: oidc.jwks?.keys ?? [] } : { url: oidc.jwksUrl },
      scopeClaims: [oidc.scopeClaim],
    },
  })
  await createFirstKey(house.store, join(settings.dataDir, config.name, 'api-key'), clock)
  return {
    ...{ name: config.name, publicUrl, routes, auth, vcalm: config.vcalm },
    async ready() {
      const fresh = isFresh(chain)
      return { store: (await store.read('SELECT 1 AS one')).length === 1, chain: fresh }
    },
  }
}

/** Brings the agencies up: store → chain → identity → plugins → http. */
export const startServer = async (settings: ServerSettings): Promise<Server> => {
  const { dataDir, clock, say } = settings
  const step = stepper(say)
  for (const { name, plugins: wanted } of settings.agencies) {
    const strange = wanted.find(plugin => plugins[plugin] === undefined)
    if (strange !== undefined) throw new ConfigError(`${name}: there is no plugin "${strange}"`)
  }
  const closing: (() => Promise<void>)[] = []
  const close = async () => {
    for (const work of closing.splice(0).reverse()) await work()
  }
  try {
    return await bringUp(settings, step, closing, close)
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
  async function bringUp(
    { agencies: configs }: ServerSettings,
    step: ReturnType<typeof stepper>,
    closing: (() => Promise<void>)[],
    close: () => Promise<void>,
  ): Promise<Server> {
    const log = createLog({ level: settings.logLevel })
    const types = loadCredentialTypes(projectFile('schemas').pathname)
    for (const { name, issues } of configs) {
      const strange = issues.find(id => !types.all.some(type => type.id === id))
      if (strange !== undefined) throw new ConfigError(`${name}: schemas/ has no credential type "${strange}"`)
    }
    const openapi = parse(readFileSync(projectFile('openapi.yaml'), 'utf8')) as OpenApiDocument
    const origin = settings.publicOrigin ?? `http://localhost:${settings.port}`
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const bases = await step(`keys and databases of ${configs.length} agencies are open`, () =>
      Promise.all(
        configs.map(async config => {
          const { databaseUrl, masterKey } = settings
          const publicUrl = `${origin}/${config.name}`
          const base = await openAgencyBase(config, { dataDir, databaseUrl, masterKey, clock, publicUrl })
          closing.push(
            () => base.store.close(),
            () => base.keys.close(),
          )
          return base
        }),
      ),
    )
    const rootAccount = bases.find(base => base.config.root)?.address
    const chain = await step('the chain is open and followed', () => followChain({ ...settings, log, rootAccount }))
    closing.push(() => chain.close())
    await Promise.all(bases.map(base => fund(base, chain)))
    const agencies = bases.map(base => {
      const agency = bringOnChain(base, chain, log)
      closing.push(
        () => agency.outbox.close(),
        () => agency.log.sequencer.stop(),
      )
      agency.log.sequencer.start()
      return agency
    })
    await step('identities are registered on chain', () =>
      Promise.all(agencies.map(agency => settle(agency, () => missingAttributes(agency)))),
    )
    const root = agencies.find(agency => agency.config.root)
    if (root !== undefined) await step('trust is established', () => establishTrust(root, agencies, types))
    const mounted = await step('agencies are mounted', () =>
      Promise.all(agencies.map(agency => mount(agency, types, settings))),
    )
    await Promise.all(agencies.map(agency => agency.outbox.settled(60_000)))
    await chain.follower.poke()
    const keeper = await keepLists(chain, bases, types, log)
    closing.push(async () => keeper.close(), ...agencies.map(agency => startRounds(agency, log)))
    await keeper.look()
    const app = createApp({ agencies: mounted, openapi, log })
    const listening: Listening = await listen(app, { port: settings.port, tls: settings.tls })
    closing.push(() => listening.close())
    return { url: origin, close }
  }
}
