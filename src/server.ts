import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { parse } from 'yaml'
import { type AgencyBase, type AgencyOnChain, bringOnChain, followChain, keepLists, openAgencyBase } from './agency.ts'
import { type AgencyConfig, ConfigError } from './config/agency.ts'
import { demoNation, fundEconomy } from './demo/economy.ts'
import { standing } from './demo/plan.ts'
import { createApp } from './http/app.ts'
import type { OpenApiDocument } from './http/contract.ts'
import { listen } from './http/listen.ts'
import { createLog } from './http/log.ts'
import type { MasterKey } from './identity/seal.ts'
import { type CredentialTypes, loadCredentialTypes } from './identity/types.ts'
import type { GatedAgent } from './identity/veramo-plugin.ts'
import type { Clock } from './kernel/ports.ts'
import { startRounds } from './lists.ts'
import { mount } from './mount.ts'
import { agentFor, plugins } from './plugins.ts'
import { establishCurrencies, establishTrust, fund, missingAttributes, settle } from './register.ts'

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
  /** Proxies before the process. @default 0 */
  proxies?: number | undefined
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  clock: Clock
  /** Says what start-up does, a line a step. */
  say(line: string): void
}

export type Server = {
  url: string
  /** The agency's Veramo agent for one caller: its plugins' operations as methods, behind the same gate as over HTTP. */
  agent(agency: string, authorization?: string): GatedAgent
  close(): Promise<void>
}

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

/** What the configuration names must exist before anything is opened. */
const assertKnown = (configs: readonly AgencyConfig[], types: CredentialTypes): void => {
  for (const { name, plugins: wanted, issues } of configs) {
    const plugin = wanted.find(each => plugins[each] === undefined)
    if (plugin !== undefined) throw new ConfigError(`${name}: there is no plugin "${plugin}"`)
    const type = issues.find(each => !types.all.some(known => known.id === each))
    if (type !== undefined) throw new ConfigError(`${name}: schemas/ has no credential type "${type}"`)
  }
}

/** What a stop, or a start that fails half-way, has to close; the last opened first. */
type Closing = { add(...work: (() => Promise<void>)[]): void; close(): Promise<void> }

const openClosing = (): Closing => {
  const open: (() => Promise<void>)[] = []
  return {
    add: (...work) => void open.push(...work),
    async close() {
      for (const work of open.splice(0).reverse()) await work()
    },
  }
}

/** A nation without TLS stands on one machine: what is at its own origin may be fetched, though it is not on the public internet. */
const servedAt = (origin: string, config: AgencyConfig): AgencyConfig => ({
  ...config,
  allowedHttpOrigins: [...config.allowedHttpOrigins, ...(origin.startsWith('http:') ? [origin] : [])],
})

const openBases = (settings: ServerSettings, origin: string, closing: Closing): Promise<AgencyBase[]> =>
  Promise.all(
    settings.agencies.map(async file => {
      const config = servedAt(origin, file)
      const base = await openAgencyBase(config, { ...settings, publicUrl: `${origin}/${config.name}` })
      closing.add(base.store.close, base.keys.close)
      return base
    }),
  )

/** Store → chain → identity → plugins → http. Read from top to bottom, this is the architecture. */
const bringUp = async (settings: ServerSettings, closing: Closing): Promise<Server> => {
  const step = stepper(settings.say)
  const log = createLog({ level: settings.logLevel })
  const types = loadCredentialTypes(projectFile('schemas').pathname)
  assertKnown(settings.agencies, types)
  const openapi = parse(readFileSync(projectFile('openapi.yaml'), 'utf8')) as OpenApiDocument
  const origin =
    settings.publicOrigin ?? `${settings.tls === undefined ? 'http' : 'https'}://localhost:${settings.port}`
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 })

  const count = settings.agencies.length
  const opening = `keys and ${count === 1 ? 'database of 1 agency' : `databases of ${count} agencies`} are open`
  const bases = await step(opening, () => openBases(settings, origin, closing))
  const rootAccount = bases.find(base => base.config.root)?.address
  const chain = await step('the chain is open and followed', () => followChain({ ...settings, log, rootAccount }))
  closing.add(chain.close)
  await Promise.all(bases.map(base => fund(base, chain)))

  const agencies = bases.map((base): AgencyOnChain => {
    const agency = bringOnChain(base, chain, log)
    closing.add(agency.outbox.close, agency.log.sequencer.stop)
    agency.log.sequencer.start()
    return agency
  })
  await step('identities are registered on chain', () =>
    Promise.all(agencies.map(agency => settle(agency, () => missingAttributes(agency)))),
  )
  const root = agencies.find(agency => agency.config.root)
  if (root !== undefined) await step('trust is established', () => establishTrust(root, agencies, types))
  if (root !== undefined && agencies.some(({ config }) => config.currencies.length > 0)) {
    await step('currencies stand on chain', () => establishCurrencies(root, agencies))
  }
  const mounted = await step('agencies are mounted', () => Promise.all(agencies.map(agency => mount(agency, types))))
  await Promise.all(agencies.map(agency => agency.outbox.settled(60_000)))
  await chain.follower.poke()
  const keeper = await keepLists(chain, bases, types, log)
  closing.add(async () => keeper.close(), ...agencies.map(agency => startRounds(agency, log)))
  closing.add(...mounted.flatMap(agency => agency.keep(log)))
  await keeper.look()

  const app = createApp({ agencies: mounted, openapi, log, limits: { proxies: settings.proxies ?? 0 } })
  const agents = new Map(
    mounted.map(({ name, routes }) => {
      const call: Parameters<typeof agentFor>[0]['call'] = (operation, inner) => app.call(name, operation, inner)
      return [name, agentFor({ openapi, routes, call })]
    }),
  )
  const listening = await listen(app, settings)
  closing.add(listening.close)
  const nation = demoNation(agencies, settings)
  if (nation !== undefined) await step(standing, () => fundEconomy(nation, app.call, settings.dataDir))
  const agent: Server['agent'] = (agency, authorization) => {
    const open = agents.get(agency)
    if (open === undefined) throw new ConfigError(`there is no agency "${agency}" here`)
    return open(authorization)
  }
  return { url: origin, agent, close: closing.close }
}

/** Brings the agencies up, or closes what was opened and says why not. */
export const startServer = async (settings: ServerSettings): Promise<Server> => {
  const closing = openClosing()
  try {
    return await bringUp(settings, closing)
  } catch (error) {
    await closing.close().catch(() => undefined)
    throw error
  }
}
