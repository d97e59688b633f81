import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'

/** Measuring happens in processes of its own, so that one figure's garbage and compiled code do not touch another's. */

/**
 * Runs a file of this folder with `input` as JSON on its stdin.
 * @returns the JSON on its stdout.
 * @throws Error with what it wrote to stderr when it fails.
 */
export const measure = async <Output>(file: string, input: unknown, flags: string[] = []): Promise<Output> => {
  const path = new URL(file, import.meta.url).pathname
  const child = spawn(process.execPath, ['--no-warnings', ...flags, path], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => undefined)
  child.stdin.end(JSON.stringify(input))
  const exited = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  const [out, problems, code] = await Promise.all([text(child.stdout), text(child.stderr), exited])
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${problems.trim().split('\n').slice(0, 6).join(' | ')}`)
  return JSON.parse(out) as Output
}

/** What `measure` handed over. */
export const readInput = async <Input>(): Promise<Input> => JSON.parse(await text(process.stdin)) as Input

export const answer = (output: unknown): void => {
  process.stdout.write(JSON.stringify(output), () => process.exit(0))
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

export type Running = {
  /** From the start of the process to the line that says it is ready. */
  readySeconds: number
  pid: number
  /** @throws Error with the last it wrote to stderr when it has ended by itself. */
  assertAlive(): void
  /** Asks it to end and waits. */
  stop(): Promise<void>
}

const stopMs = 20_000

const stop = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    const late = setTimeout(() => child.kill('SIGKILL'), stopMs)
    child.once('exit', () => {
      clearTimeout(late)
      resolve()
    })
    child.kill('SIGTERM')
  })

/** Starts a long-running process and waits for the line of its stdout that starts with `ready`. */
export const launch = (args: string[], env: Record<string, string>): Promise<Running> => {
  const from = performance.now()
  const child = spawn(process.execPath, ['--no-warnings', ...args], {
    cwd: new URL('..', import.meta.url).pathname,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    let seen = ''
    let problems = ''
    child.stderr.on('data', (chunk: Buffer) => {
      problems = (problems + chunk).slice(-2_000)
    })
    child.stdout.on('data', (chunk: Buffer) => {
      seen = (seen + chunk).slice(-10_000)
      if (!/^ready/m.test(seen)) return
      const readySeconds = (performance.now() - from) / 1_000
      const assertAlive = (): void => {
        const ended = child.exitCode ?? child.signalCode
        if (ended !== null) throw new Error(`${args.join(' ')} has ended with ${ended}: ${problems.trim()}`)
      }
      resolve({ readySeconds, pid: child.pid ?? 0, assertAlive, stop: () => stop(child) })
    })
    child.once('error', reject)
    child.once('exit', code => reject(new Error(`${args.join(' ')} ended with ${code}: ${problems.trim()}`)))
  })
}

/** Resident memory of a process, in MB (10^6 bytes). Linux only, as the service's own figures are. */
export const residentMegabytes = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? []
  if (kilobytes === undefined) throw new Error('the process does not tell its memory')
  return (Number(kilobytes) * 1_024) / 1e6
}

const tickMicros = 10_000
const ticksOf = async (file: string): Promise<number> => {
  const text = await readFile(file, 'utf8')
  // The name in parentheses may hold spaces; user and system time are the 14th and 15th field.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

export type Cpu = { allMicros: number; mainMicros: number }

/** CPU time that a process used so far, and its main thread of that. Other load of the machine is not in it. */
export const cpuOf = async (pid: number): Promise<Cpu> => ({
  allMicros: (await ticksOf(`/proc/${pid}/stat`)) * tickMicros,
  mainMicros: (await ticksOf(`/proc/${pid}/task/${pid}/stat`)) * tickMicros,
})
