import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { arch, platform } from 'node:os'
import { Contract, ContractFactory, type EventLog, JsonRpcProvider, type JsonRpcSigner } from 'ethers'
import type { DidEvent } from '../../src/identity/did-ethr.ts'

/** A real EVM node with EthereumDIDRegistry on it, for one test file. */
export type ChainNode = {
  chainId: number
  provider: JsonRpcProvider
  registry: Contract
  registryAddress: string
  account(index: number): Promise<JsonRpcSigner>
  /** Sends a registry transaction from the account and waits for it. */
  send(index: number, method: string, ...args: unknown[]): Promise<void>
  /** What a follower would keep: the registry's events of an identity, oldest first. */
  events(address: string): Promise<DidEvent[]>
  close(): Promise<void>
}

const chainId = 0x7a69
const require = createRequire(import.meta.url)
const artifact = new URL(
  '../../node_modules/ethr-did-registry/artifacts/contracts/EthereumDIDRegistry.sol/EthereumDIDRegistry.json',
  import.meta.url,
)

const binary = (): string => {
  const cpu = arch() === 'x64' ? 'amd64' : arch()
  return createRequire(require.resolve('@foundry-rs/anvil/package.json')).resolve(
    `@foundry-rs/anvil-${platform()}-${cpu}/bin/anvil`,
  )
}

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

const ready = async (provider: JsonRpcProvider): Promise<void> => {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const isUp = await provider.send('eth_chainId', []).catch(() => undefined)
    if (isUp !== undefined) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('anvil did not start')
}

const eventOf = async (provider: JsonRpcProvider, log: EventLog): Promise<DidEvent> => {
  const block = await provider.getBlock(log.blockNumber)
  const place = { block: log.blockNumber, timestamp: (block?.timestamp ?? 0) * 1000 }
  const { args } = log
  if (log.eventName === 'DIDOwnerChanged') return { ...place, kind: 'owner', owner: args['owner'] }
  const { validTo } = args as unknown as { validTo: bigint }
  if (log.eventName === 'DIDDelegateChanged') {
    return { ...place, kind: 'delegate', delegateType: args['delegateType'], delegate: args['delegate'], validTo }
  }
  return { ...place, kind: 'attribute', name: args['name'], value: args['value'], validTo }
}

export const startChainNode = async (): Promise<ChainNode> => {
  const port = await freePort()
  const args = ['--port', String(port), '--chain-id', String(chainId), '--silent', '--host', '127.0.0.1']
  const child: ChildProcess = spawn(binary(), args, { stdio: 'ignore' })
  process.once('exit', () => child.kill('SIGKILL'))
  const options = { staticNetwork: true, batchMaxCount: 1, cacheTimeout: -1, pollingInterval: 50 }
  const provider = new JsonRpcProvider(`http://127.0.0.1:${port}`, chainId, options)
  await ready(provider)
  const { abi, bytecode } = JSON.parse(readFileSync(artifact, 'utf8'))
  const deployed = await new ContractFactory(abi, bytecode, await provider.getSigner(0)).deploy()
  await deployed.waitForDeployment()
  const registryAddress = await deployed.getAddress()
  const registry = new Contract(registryAddress, abi, provider)
  return {
    chainId,
    provider,
    registry,
    registryAddress,
    account: index => provider.getSigner(index),
    async send(index, method, ...values) {
      const connected = registry.connect(await provider.getSigner(index)) as Contract
      // Not estimated: writing the value that is already there costs less than what the next block's time makes of it.
      await (await connected.getFunction(method)(...values, { gasLimit: 300_000n })).wait()
    },
    async events(address) {
      const topic = `0x${address.slice(2).toLowerCase().padStart(64, '0')}`
      const logs = await provider.getLogs({ address: registryAddress, topics: [null, topic], fromBlock: 0 })
      const parsed = logs.map(log => {
        const description = registry.interface.parseLog(log)
        return { ...log, blockNumber: log.blockNumber, eventName: description?.name, args: description?.args }
      })
      return Promise.all(parsed.map(log => eventOf(provider, log as unknown as EventLog)))
    },
    close() {
      provider.destroy()
      return new Promise(resolve => {
        child.once('exit', () => resolve())
        child.kill('SIGKILL')
      })
    },
  }
}
