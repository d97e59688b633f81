import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { schemas } from '../client/src/types.ts'

export const root = resolve(import.meta.dirname, '..')

const freePort = (): Promise<number> =>
  new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })

export type Started = {
  url: string
  output: () => string
  process: ChildProcess
  dataDir: string
  kill(): Promise<void>
  stop(): Promise<number>
}

/** Of this environment the service gets what the machine is about, and no setting. */
export const inherited = (): Record<string, string | undefined> => ({
  PATH: process.env['PATH'],
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
})

/** The service as an operator starts it: a process of its own, real HTTP, a real EVM node, databases on disk. */
export const startService = async (options: {
  dataDir: string
  agencies?: string[]
  env?: Record<string, string>
  cwd?: string
  port?: number
}): Promise<Started> => {
  const port = options.port ?? (await freePort())
  const cwd = options.cwd ?? root
  const child = spawn(process.execPath, ['src/main.ts', ...(options.agencies ?? [])], {
    cwd,
    env: { ...inherited(), DATA_DIR: options.dataDir, PORT: String(port), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  child.stdout.on('data', chunk => (text += chunk))
  child.stderr.on('data', chunk => (text += chunk))
  const ended = new Promise<number>(done => child.once('exit', code => done(code ?? -1)))
  const url = `http://localhost:${port}`
  const started: Started = {
    ...{ url, process: child, dataDir: options.dataDir },
    output: () => text,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
  const deadline = Date.now() + 60_000
  while (!/^ready in/m.test(text)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`the service did not start (exit ${child.exitCode}):\n${text}`)
    }
    await new Promise(done => setTimeout(done, 50))
  }
  return started
}

export const temporaryFolder = (): { path: string; remove(): void } => {
  const path = mkdtempSync(join(tmpdir(), 'chancery-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Ends the embedded node that a killed service left behind. */
export const killNode = (dataDir: string): void => {
  if (!existsSync(join(dataDir, 'chain'))) return
  const file = readdirSync(join(dataDir, 'chain')).find(name => name.includes('pid'))
  if (file === undefined) return
  const pid = Number(/\d+/.exec(readFileSync(join(dataDir, 'chain', file), 'utf8'))?.[0])
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL')
  } catch {
    // It had ended by itself.
  }
}

export type Answer = { status: number; body: Record<string, never> & Record<string, unknown>; headers: Headers }

export const keyOf = (dataDir: string, agency: string): string =>
  readFileSync(join(dataDir, agency, 'api-key'), 'utf8').trim()

/** Calls an agency as its staff. */
export const caller =
  (service: { url: string; dataDir: string }, agency: string) =>
  async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
    const response = await fetch(`${service.url}/${agency}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${keyOf(service.dataDir, agency)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const json =
      /json/.test(response.headers.get('content-type') ?? '') &&
      !/ndjson/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, body: json ? JSON.parse(text) : { text }, headers: response.headers }
  }

export const newHolder = (): {
  did: string
  jwk: Record<string, unknown>
  privateKey: ReturnType<typeof generateKeyPairSync>['privateKey']
} => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  const jwk = { kty, crv, x, y }
  return { did: `did:jwk:${Buffer.from(JSON.stringify(jwk)).toString('base64url')}`, jwk, privateKey }
}

export const exampleOf = (slug: string): Record<string, unknown> =>
  (JSON.parse(readFileSync(join(root, 'schemas', `${slug}.v1.json`), 'utf8')) as { example: Record<string, unknown> })
    .example

export const licenceFor = (did: string, options?: schemas['IssueBody']['options']) => ({
  credential: {
    type: ['VerifiableCredential', 'DrivingLicence'],
    credentialSubject: { id: did, ...exampleOf('driving-licence') },
  },
  ...(options === undefined ? {} : { options }),
})

/** A copy of what the service runs from, for tests that break a part of it. */
export const brokenCopy = (folder: string): string => {
  for (const part of ['src', 'agents', 'schemas', 'migrations', 'contracts/build', 'openapi.yaml', 'package.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}
