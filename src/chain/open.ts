import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Store } from '../kernel/ports.ts'
import type { Chain } from './chain.ts'
import { type ChainClient, connect } from './client.ts'
import { type Addresses, bindContracts, contractNames, loadArtifacts, typeIdOf } from './contracts.ts'
import { deployContracts } from './deploy.ts'
import { type Embedded, startEmbedded } from './embedded.ts'
import { openFollower } from './follower.ts'
import type { Log } from './log.ts'

/** Contracts that stand on a network already. */
export type NetworkContracts = { addresses: Addresses; fromBlock: number }

export type ChainSettings = {
  dataDir: string
  clock: Clock
  log: Log
  /** The follower's own database. */
  store: Store
  /** One or more sources of one network; without, a chain of our own is started for the demo. */
  rpcUrls: string[]
  network: NetworkContracts | undefined
  production: boolean
  /** Account of the root of trust, appointed when the contracts are deployed here. */
  rootAccount: string | undefined
}

export type OpenedChain = Chain & { close(): Promise<void> }

const artifactsFolder = new URL('../../contracts/build/', import.meta.url)

/** Appoints the root; it takes the role over itself, in a second step. */
const appointRoot = (root: string) => [
  { id: 'Governance: the root', contract: 'Governance' as const, method: 'appointRoot', args: () => [root] },
]

const demoChain = async (settings: ChainSettings) => {
  if (settings.production) throw new Error('Production needs a network: CHAIN_RPC_URL names its nodes.')
  const dir = join(settings.dataDir, 'chain')
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const embedded = await startEmbedded({ dir, log: settings.log })
  const client = await connect(embedded.url, { chainId: embedded.chainId })
  const { addresses, fromBlock } = await deployContracts({
    client,
    account: embedded.deployer,
    artifacts: await loadArtifacts(artifactsFolder),
    file: join(dir, 'deployment.json'),
    calls: settings.rootAccount === undefined ? [] : appointRoot(settings.rootAccount),
    mine: embedded.mine,
    persist: embedded.persist,
  })
  return { embedded, client, addresses, fromBlock }
}

const network = async (settings: ChainSettings) => {
  const { rpcUrls, production } = settings
  if (settings.network === undefined) {
    throw new Error('CHAIN_RPC_URL is set, so CHAIN_CONTRACTS must name a file with the addresses of the contracts.')
  }
  return { embedded: undefined, client: await connect(rpcUrls, { production }), ...settings.network }
}

/** Opens the network that is configured, or the demo's own chain, and follows it. */
export const openChain = async (settings: ChainSettings): Promise<OpenedChain> => {
  const opened: { embedded: Embedded | undefined; client: ChainClient; addresses: Addresses; fromBlock: number } =
    settings.rpcUrls.length === 0 ? await demoChain(settings) : await network(settings)
  const { embedded, client, addresses, fromBlock } = opened
  const contracts = bindContracts(await loadArtifacts(artifactsFolder), addresses)
  const confirmations = embedded === undefined ? 12 : 0
  const follower = await openFollower({
    store: settings.store,
    client,
    clock: settings.clock,
    addresses,
    fromBlock,
    confirmations,
    log: settings.log,
  })
  embedded?.onBlock(() => void follower.poke().catch(() => undefined))
  const demo =
    embedded === undefined
      ? {}
      : { mine: embedded.mine, persist: embedded.persist, faucet: (address: string) => embedded.faucet(address) }
  return {
    ...{ client, contracts, follower, confirmations, typeId: typeIdOf, ...demo },
    async close() {
      await follower.close()
      client.close()
      await embedded?.stop()
    },
  }
}

/** Reads the file that names contracts on a network. @throws Error that names what the file lacks */
export const readNetworkContracts = async (file: string): Promise<NetworkContracts> => {
  const { addresses = {}, fromBlock } = JSON.parse(await readFile(file, 'utf8')) as {
    addresses?: Record<string, unknown>
    fromBlock?: unknown
  }
  const lacking = contractNames.filter(name => !/^0x[0-9a-f]{40}$/i.test(String(addresses[name])))
  if (lacking.length > 0) {
    throw new Error(
      `${file} has no address for ${lacking.join(', ')}. Deploy what is new on that network and add it under "addresses".`,
    )
  }
  if (!Number.isSafeInteger(fromBlock)) throw new Error(`${file} does not say from which block to read ("fromBlock").`)
  return { addresses: addresses as Addresses, fromBlock: fromBlock as number }
}
