import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer, type Socket } from 'node:net'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { atomicWrite, unpackState } from './dump.ts'
import type { Log } from './log.ts'

export type AnvilRpc = <T>(method: string, params: unknown[]) => Promise<T>

/** The node's process, whether this process started it or found it. */
export type AnvilProcess = {
  readonly pid: number
  alive(): boolean
  /** Once, and only for a node that this process started and did not end itself. */
  onExit(listener: () => void): void
  end(): Promise<void>
}

export type AnvilSetup = {
  dir: string
  port: number
  chainId: number
  /** Gets its money when the chain begins, which also tells our chain from others. The node never sees its key. */
  deployer: string
  log: Log
}

type PidFile = { pid: number; parent: number; port: number }

const treasury = `0x${(10n ** 27n).toString(16)}`
const startMs = 15_000
const historyKept = 256

export const anvilRpc =
  (port: number, timeoutMs = 30_000): AnvilRpc =>
  async <T>(method: string, params: unknown[]): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const answer = (await response.json()) as { result?: unknown; error?: { message: string } }
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`)
    return answer.result as T
  }

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })

/** Whether nobody listens there. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** The binary itself, not its npm wrapper: a wrapper that is killed leaves its child behind. */
const binary = (): string => {
  const cpu = arch() === 'x64' ? 'amd64' : arch()
  const name = `@foundry-rs/anvil-${platform()}-${cpu}/bin/anvil${platform() === 'win32' ? '.exe' : ''}`
  const require = createRequire(import.meta.url)
  return createRequire(require.resolve('@foundry-rs/anvil/package.json')).resolve(name)
}

const pidFile = (dir: string): string => join(dir, 'anvil.pid')

/** A process that ended and that nobody has collected still answers to signals; on Linux its state tells. */
const isDefunct = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !isDefunct(pid)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const endProcess = async (pid: number): Promise<void> => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isAlive(pid)) return
    process.kill(pid, signal)
    for (let waited = 0; waited < 3_000 && isAlive(pid); waited += 20) await sleep(20)
  }
}

const commandOf = (pid: number): Promise<string> =>
  promisify(execFile)('ps', ['-p', String(pid), '-o', 'command=']).then(
    ({ stdout }) => stdout,
    () => '',
  )

const answers = async ({ port, chainId, deployer }: AnvilSetup): Promise<boolean> => {
  const call = anvilRpc(port, 2_000)
  try {
    if (Number(await call<string>('eth_chainId', [])) !== chainId) return false
    return BigInt(await call<string>('eth_getBalance', [deployer, 'latest'])) > 0n
  } catch {
    return false
  }
}

const found = (pid: number, dir: string): AnvilProcess => ({
  pid,
  alive: () => isAlive(pid),
  onExit: () => undefined,
  end: async () => {
    await endProcess(pid)
    await rm(pidFile(dir), { force: true })
  },
})

/**
 * What a parent that was killed left behind: a node that answers as ours is adopted, for it may be ahead of its last
 * dump; one that does not is ended. @throws Error when another living process uses the directory.
 */
export const takeOver = async (setup: AnvilSetup): Promise<AnvilProcess | undefined> => {
  const text = await readFile(pidFile(setup.dir), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const { pid, parent, port } = JSON.parse(text) as PidFile
  if (!isAlive(pid) || !(await commandOf(pid)).includes('anvil')) return undefined
  if (parent !== process.pid && isAlive(parent)) {
    throw new Error(`The embedded chain in this directory belongs to process ${parent}. End it first.`)
  }
  if (port === setup.port && (await answers(setup))) {
    setup.log.info({ pid, port }, 'an embedded chain was left running; it is adopted')
    await atomicWrite(pidFile(setup.dir), JSON.stringify({ pid, parent: process.pid, port }))
    return found(pid, setup.dir)
  }
  setup.log.warn({ pid, port }, 'an embedded chain was left running and does not answer; it is ended')
  await endProcess(pid)
  return undefined
}

const ready = async (child: ChildProcess, setup: AnvilSetup, said: () => string): Promise<void> => {
  const call = anvilRpc(setup.port, 2_000)
  const until = performance.now() + startMs
  while (performance.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`anvil did not start: ${said()}`)
    if (await call('eth_chainId', []).then(Boolean, () => false)) return
    await sleep(10)
  }
  child.kill('SIGKILL')
  throw new Error(`anvil did not answer on port ${setup.port} within ${startMs} ms: ${said()}`)
}

export const launchAnvil = async (setup: AnvilSetup): Promise<AnvilProcess> => {
  const { dir, port, chainId } = setup
  const state = await unpackState(dir)
  const options = ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId)]
  // A block takes every transaction of a wave: the node forgets one that finds no room.
  options.push('--gas-limit', '1000000000')
  options.push('--accounts', '0', '--no-mining', '--enable-tx-gas-limit', '--no-cors', '--quiet')
  options.push('--slots-in-an-epoch', '1', '--prune-history', String(historyKept))
  if (state !== undefined) options.push('--load-state', state)
  // In a group of its own: Ctrl-C is for the service, which ends the node after its own last word.
  const child = spawn(binary(), options, { cwd: dir, detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', chunk => {
    said = `${said}${chunk}`.slice(-2_000)
  })
  // Neither the node nor its words keep this process alive.
  ;(child.stderr as Socket).unref()
  child.once('error', error => {
    said = error.message
  })
  child.unref()
  const { pid } = child
  if (pid === undefined) throw new Error(`anvil could not be started: ${said}`)
  await atomicWrite(pidFile(dir), JSON.stringify({ pid, parent: process.pid, port } satisfies PidFile))
  await ready(child, setup, () => said)
  if (state !== undefined) await rm(state, { force: true })
  else await anvilRpc(port)('anvil_setBalance', [setup.deployer, treasury])

  let ending = false
  return {
    pid,
    alive: () => child.exitCode === null && child.signalCode === null,
    onExit: listener =>
      void child.once('exit', () => {
        if (!ending) listener()
      }),
    end: async () => {
      ending = true
      await endProcess(pid)
      await rm(pidFile(dir), { force: true })
    },
  }
}
