import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ChainAccount, signTransaction } from '../../src/chain/account.ts'
import { freePort } from '../../src/chain/anvil.ts'
import { type Embedded, startEmbedded } from '../../src/chain/embedded.ts'
import { timeId } from '../../src/kernel/time-id.ts'
import { operationOf } from '../../src/plugins/cbdc/actions/rail/moves.ts'
import { expectFolded } from '../plugins/cbdc/folded.ts'
import { openGround, own, type Place, secp256k1Owner, start } from '../plugins/cbdc/ground.ts'
import { type FaultyNode, openFaultyNode } from './faulty-node.ts'
import type { Nation } from './nation.ts'
import { type ChainReading, type DatabaseReading, type MoveRow, readChain, readDatabase } from './reading.ts'
import type { Line, Said, ServiceSettings, Task } from './service.ts'

export const funds = 50_000
type Customer = { number: number; seed: number; nonce: number; before: Promise<unknown> }
type Depositor = { account: ChainAccount; nonce: number }
/** What somebody set out to move, as a plain list. */
type Sent =
  | { direction: 'toChain'; operation: string; customer: number; wallet: string; amount: number }
  | { direction: 'toLedger'; hash: string; raw: string; account: number; wallet: string; amount: number }

/** Until it is so. @throws Error after `timeoutMs`, with what `tell` says */
export const until = async (is: () => Promise<boolean> | boolean, tell: () => unknown, timeoutMs = 30_000) => {
  const end = performance.now() + timeoutMs
  for (;;) {
    if (await Promise.resolve(is()).catch(() => false)) return
    if (performance.now() > end) throw new Error(`not in time: ${await Promise.resolve(tell()).catch(String)}`)
    await sleep(20)
  }
}

/** Processes of the service, one at a time; the next one stands by with everything loaded. */
const openProcesses = (settings: ServiceSettings, compiled: string) => {
  const script = join(import.meta.dirname, 'service.ts')
  const said: string[] = []
  const breaches: string[] = []
  const spare = (): ChildProcess => {
    const env = { ...process.env, NODE_COMPILE_CACHE: compiled }
    const child = spawn(process.execPath, ['--no-warnings', script, JSON.stringify(settings)], { stdio: 'pipe', env })
    child.stderr?.on('data', chunk => said.push(String(chunk)))
    return child
  }
  let next = spare()
  let live: ChildProcess | undefined
  let serial = 0
  const unanswered = new Map<number, { task: Task; resolve(said: Said): void }>()
  const write = (line: Line | null): void => void live?.stdin?.write(`${JSON.stringify(line)}\n`)
  return {
    /** What the services have logged last. */
    said: () => said.slice(-12).join(''),
    /** Where the ledger's own watch over its sums saw one that does not hold. */
    breaches,
    alive: () => live !== undefined,
    async start(): Promise<void> {
      const child = next
      live = child
      next = spare()
      const ready = Promise.withResolvers<void>()
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', line => {
        const answer = JSON.parse(line) as Said & { ready?: true; breaches?: string[] }
        if (answer.ready) return ready.resolve()
        if (answer.breaches) return void breaches.push(...answer.breaches)
        unanswered.get(answer.serial)?.resolve(answer)
        unanswered.delete(answer.serial)
      })
      child.once('exit', (code, signal) => {
        if (live === child) live = undefined
        ready.reject(new Error(`the service ended (${code ?? signal}): ${said.join('')}`))
      })
      write(null)
      await ready.promise
      for (const [number, { task }] of unanswered) write({ serial: number, task })
    },
    async kill(): Promise<void> {
      const child = live
      if (child === undefined) return
      live = undefined
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
    /** Asked again of the next process when this one was killed before it answered. */
    ask(task: Task): Promise<Said> {
      serial += 1
      const answer = Promise.withResolvers<Said>()
      unanswered.set(serial, { task, resolve: answer.resolve })
      write({ serial, task })
      return answer.promise
    },
    async close(): Promise<void> {
      await this.kill()
      const ended = once(next, 'exit')
      next.kill('SIGKILL')
      await ended
    },
  }
}

const accountsOf = async (place: Place, epoch: number) => {
  const ground = await openGround(place)
  ground.state.now = start - 60_000
  await ground.found()
  const customers: Customer[] = []
  for (const seed of [61, 62, 63, 64]) {
    const { number } = await ground.customer(secp256k1Owner(Buffer.alloc(32, seed)), {}, BigInt(funds))
    customers.push({ number, seed, nonce: 0, before: Promise.resolve() })
  }
  const { domainSeparator } = ground.needs.signatures
  await ground.close()
  return { customers, domainSeparator, now: () => start + (Date.now() - epoch) }
}

const killProcess = async (pid: number): Promise<void> => {
  process.kill(pid, 'SIGKILL')
  const gone = () => {
    try {
      process.kill(pid, 0)
      return false
    } catch {
      return true
    }
  }
  const defunct = async () => /^\d+ \(.*\) Z/.test(await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '0 () Z'))
  await until(
    async () => gone() || (await defunct()),
    () => 'the node lives',
  )
}

export type World = Awaited<ReturnType<typeof openWorld>>

/**
 * A ledger in a process of its own, its database, a real node, wallets and accounts with money, and a way to the node on which calls go wrong.
 * @param chain whose: the service's own node, which is dumped and comes back older when it is killed, or a network, whose
 *   newest blocks are replaced
 */
export const openWorld = async (nation: Nation, chain: 'own' | 'network', place?: Place) => {
  const dir = await mkdtemp(join(tmpdir(), 'chancery-faults-'))
  const chainDir = join(dir, 'chain')
  await mkdir(chainDir, { mode: 0o700 })
  await cp(join(nation.dir, 'chain'), chainDir, { recursive: true })
  const port = await freePort()
  await writeFile(join(chainDir, 'port'), String(port))
  const where = place ?? { file: join(dir, 'agency.sqlite') }
  const epoch = Date.now()
  const { customers, domainSeparator, now } = await accountsOf(where, epoch)
  const network: Embedded | undefined =
    chain === 'network' ? await startEmbedded({ dir: chainDir, heartbeatMs: 60_000 }) : undefined
  const node: FaultyNode = await openFaultyNode(port)
  const { addresses, operatorKey, money } = nation
  const settings = {
    ...{ place: where, chainDir: chain === 'own' ? chainDir : undefined, rpcUrl: node.url },
    ...{ addresses, operatorKey, money, epoch },
  }
  const processes = openProcesses(settings, join(nation.dir, 'compiled'))
  const database: DatabaseReading = await readDatabase(where)
  const reader: ChainReading = await readChain(port, addresses, money)
  const depositors: Depositor[] = nation.wallets.map(account => ({ account, nonce: 0 }))
  const sent: Sent[] = []
  const decided = new Map<string, number>()

  /** Wallets send what they signed until it is in a block, as wallets do. */
  let resending = true
  const pump = setInterval(() => {
    for (const move of resending ? sent : []) {
      if (move.direction !== 'toLedger') continue
      void reader
        .receipt(move.hash)
        .then(receipt => receipt ?? reader.rpc('eth_sendRawTransaction', [move.raw]))
        .catch(() => undefined)
    }
  }, 60)
  let mining = true
  const miner = network && setInterval(() => void (mining ? network.mine().catch(() => undefined) : undefined), 60)

  const moveOf = async (operation: string): Promise<MoveRow | undefined> =>
    (await database.moves()).find(move => move.operation === operation)

  const world = {
    ...{ node, database, reader, processes, customers, sent, network, now },
    start: () => processes.start(),
    killService: () => processes.kill(),
    async killNode(): Promise<void> {
      const { pid } = JSON.parse(await readFile(join(chainDir, 'anvil.pid'), 'utf8')) as { pid: number }
      await killProcess(pid)
    },
    /** Whether the network makes blocks. */
    mine(on: boolean) {
      mining = on
    },
    /** Whether wallets send again what the chain has forgotten. */
    resend(on: boolean) {
      resending = on
    },
    /** The node answers again, after its service or its network has brought it back. */
    nodeBack: () =>
      until(
        () => reader.rpc('eth_chainId', []).then(Boolean),
        () => `the node did not come back: ${processes.said()}`,
      ),
    /** Money leaves for the chain, of one customer one after the other. @returns the operation, and when it was entered */
    withdraw(at: number, amount: number, wallet: string) {
      const customer = customers[at % customers.length] as Customer
      const entry = { from: customer.number, nonce: customer.nonce }
      const operation = operationOf(domainSeparator, entry as never)
      customer.nonce += 1
      sent.push({ direction: 'toChain', operation, customer: customer.number, wallet: wallet.toLowerCase(), amount })
      const task = {
        ...({
          do: 'withdraw',
          id: timeId(now()),
          seed: customer.seed,
          amount: String(amount),
          wallet,
          ...entry,
        } as const),
        validUntil: Math.floor(start / 1_000) + 3_600,
      }
      const entered = customer.before.then(async () => {
        const { refused } = await processes.ask(task)
        if (refused !== undefined) throw new Error(`a withdrawal was refused: ${refused}`)
      })
      customer.before = entered.catch(() => undefined)
      return { operation, entered }
    },
    walletOf: (at: number): string => (depositors[at % depositors.length] as Depositor).account.address,
    /** Money leaves a wallet for an account of the ledger. @returns the hash of the transaction */
    async depart(at: number, amount: number, account: number): Promise<string> {
      const depositor = depositors[at % depositors.length] as Depositor
      const data = reader.gate.interface.encodeFunctionData('depart', [money, account, amount])
      const fees = { maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n }
      const { nonce } = depositor
      depositor.nonce += 1
      const fields = { type: 2, chainId: 31_337, nonce, to: reader.gate.address, data, gasLimit: 2_000_000n, ...fees }
      const { raw, hash } = await signTransaction(depositor.account, fields)
      const wallet = depositor.account.address.toLowerCase()
      sent.push({ direction: 'toLedger', hash, raw, account, wallet, amount })
      await reader.rpc('eth_sendRawTransaction', [raw]).catch(() => undefined)
      return hash
    },
    /** The move that began with this transaction of a wallet, as the ledger has it. */
    async departed(hash: string): Promise<MoveRow | undefined> {
      const found = (await reader.departures()).find(each => each.hash === hash)
      return found && moveOf(found.operation)
    },
    moveOf,
    async decide(operation: string, decision: string, wallet?: string): Promise<Said> {
      const times = (decided.get(operation) ?? 0) + 1
      decided.set(operation, times)
      const key = `${operation.slice(0, 40)}-${decision}-${times}`
      return processes.ask({ do: 'decide', operation, decision, key, ...(wallet === undefined ? {} : { wallet }) })
    },
    admit: (wallet: string) => processes.ask({ do: 'admit', wallet }),
    state: async (operation: string) => (await moveOf(operation))?.state,
    /** What was kept of the ledger is what its entries come to. Last of all: the service has ended. */
    async expectFolded(): Promise<void> {
      const ground = await openGround(where)
      await expectFolded(ground.store).finally(() => ground.close())
    },
    railAccount: own.rail,
    async close(): Promise<void> {
      clearInterval(pump)
      clearInterval(miner)
      await processes.close()
      await database.close()
      await node.close()
      if (network === undefined) await world.killNode().catch(() => undefined)
      else await network.stop()
      await rm(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  return world
}
