import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HDNodeWallet, Wallet } from 'ethers'
import { type ChainAccount, keyAccount } from './account.ts'
import { type AnvilSetup, anvilRpc, freePort, isFree, launchAnvil, takeOver } from './anvil.ts'
import { coalesce, turns } from './coalesce.ts'
import { atomicWrite, dumpState } from './dump.ts'
import { type Log, silent } from './log.ts'

/**
 * A development chain on this machine, for the demo and the tests: whoever has its directory can rewrite it. It mines
 * when asked and, so that readers see it alive, a block every `heartbeatMs`.
 */
export type Embedded = {
  readonly url: string
  readonly chainId: number
  /** Of the node; it changes when the node had to be started again. */
  readonly pid: number
  /** The account that was given money at genesis; it deploys and funds. */
  readonly deployer: ChainAccount
  /** Resolves when a block exists that was begun after this call. Concurrent calls share one. */
  mine(): Promise<void>
  /** Resolves when everything mined before this call is on disk. Concurrent calls share one write. */
  persist(): Promise<void>
  /** Gives an account this much (wei). @default 1000 ether */
  faucet(address: string, wei?: bigint): Promise<void>
  /** Called after every block mined here. */
  onBlock(listener: () => void): void
  /** Writes the state and ends the node. */
  stop(): Promise<void>
}

export type EmbeddedOptions = {
  /** Holds mnemonic, port, pid and state; mode 0700. */
  dir: string
  /** @default the one used before in this directory if it is free, else any free one */
  port?: number
  /** @default 31337 */
  chainId?: number
  /** @default 15000 */
  heartbeatMs?: number
  log?: Log
}

const ether = 10n ** 18n
const revivalsAllowed = 5
/** A node that ran this long has earned its revivals anew. */
const steadyMs = 60_000

const readOr = async (path: string, otherwise: () => Promise<string> | string): Promise<string> => {
  const known = await readFile(path, 'utf8').catch(error => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  if (known !== undefined) return known.trim()
  const value = await otherwise()
  await atomicWrite(path, value)
  return value
}

const newMnemonic = (): string => {
  const phrase = Wallet.createRandom().mnemonic?.phrase
  if (phrase === undefined) throw new Error('No mnemonic could be made.')
  return phrase
}

const deployerOf = (mnemonic: string): ChainAccount => keyAccount(HDNodeWallet.fromPhrase(mnemonic).privateKey)

const prepare = async (options: EmbeddedOptions): Promise<{ setup: AnvilSetup; deployer: ChainAccount }> => {
  const { dir, chainId = 31_337, log = silent } = options
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const deployer = deployerOf(await readOr(join(dir, 'mnemonic'), newMnemonic))
  const port = options.port ?? Number(await readOr(join(dir, 'port'), async () => String(await freePort())))
  return { setup: { dir, port, chainId, deployer: deployer.address, log }, deployer }
}

/** The port of before, unless somebody else has taken it since: it was promised to nobody. */
const placed = async (setup: AnvilSetup): Promise<AnvilSetup> => {
  const { dir, log, port: before } = setup
  if (await isFree(before)) return setup
  const port = await freePort()
  log.warn({ before, port }, 'somebody else has the port of the embedded chain; it takes another one')
  await atomicWrite(join(dir, 'port'), String(port))
  return { ...setup, port }
}

/** Starts the chain of this directory, or adopts it if it still runs. @throws Error when another process has it. */
export const startEmbedded = async (options: EmbeddedOptions): Promise<Embedded> => {
  const { setup: prepared, deployer } = await prepare(options)
  const adopted = await takeOver(prepared)
  const setup = adopted === undefined && options.port === undefined ? await placed(prepared) : prepared
  const { port, chainId, log } = setup
  const { dir, heartbeatMs = 15_000 } = options
  let node = adopted ?? (await launchAnvil(setup))

  const call = anvilRpc(port)
  const listeners: (() => void)[] = []
  let stopping = false
  let revivals = 0
  let bornAt = performance.now()
  let minedAt = performance.now()

  const revive = coalesce(async () => {
    if (stopping || node.alive()) return
    revivals = performance.now() - bornAt > steadyMs ? 1 : revivals + 1
    if (revivals > revivalsAllowed) throw new Error('The embedded chain ends again and again; it stays down.')
    log.warn({ port, revivals }, 'the embedded chain ended; it is started again from its last state')
    node = await launchAnvil(setup)
    bornAt = performance.now()
    watch()
  })

  // The node writes its blocks into a dump first and its state after: of a block made in between, a node that comes back from
  // that dump would know the effects and neither transactions nor events.
  const inTurn = turns()
  const mine = coalesce(async () => {
    await inTurn(async () => {
      if (!node.alive()) await revive()
      await call('evm_mine', [])
    })
    minedAt = performance.now()
    for (const listener of listeners) listener()
  })
  const watch = (): void =>
    node.onExit(() => {
      void revive()
        .then(mine)
        .catch(error => log.warn({ error: String(error) }, 'the embedded chain did not come back'))
    })
  watch()
  const persist = coalesce(() => inTurn(() => dumpState(call, dir)))
  // Of a node that was adopted nobody hears when it ends: it is looked at.
  const beat = async (): Promise<void> =>
    node.alive() && performance.now() - minedAt < heartbeatMs ? undefined : mine()
  const heartbeat = setInterval(
    () =>
      void beat().catch(error => log.warn({ error: String(error) }, 'the embedded chain did not answer its heartbeat')),
    Math.min(1_000, heartbeatMs),
  )
  heartbeat.unref()
  await mine()

  return {
    url: `http://127.0.0.1:${port}`,
    chainId,
    get pid() {
      return node.pid
    },
    deployer,
    mine,
    persist,
    faucet: async (address, wei = 1_000n * ether) => {
      await call('anvil_setBalance', [address, `0x${wei.toString(16)}`])
      await persist()
    },
    onBlock: listener => void listeners.push(listener),
    stop: async () => {
      if (stopping) return
      stopping = true
      clearInterval(heartbeat)
      if (node.alive()) await persist()
      await node.end()
    },
  }
}
