import sqlite3 from 'sqlite3'
import { createApiKeys, everyScope } from '../../src/http/api-keys.ts'
import { type Agency, type App, createApp, type Limits } from '../../src/http/app.ts'
import { type AuthParts, createAuth } from '../../src/http/auth.ts'
import type { OpenApiDocument } from '../../src/http/contract.ts'
import { type Listening, type ListenOptions, listen } from '../../src/http/listen.ts'
import { createLog } from '../../src/http/log.ts'
import type { Route } from '../../src/kernel/plugin.ts'
import type { Clock, Row, Store, Tx, Value } from '../../src/kernel/ports.ts'
import { Refusal } from '../../src/kernel/refusal.ts'

/** A store with the one table of http, so that these tests stand on nothing but http. */
export const memoryStore = async (): Promise<Store> => {
  const database = new sqlite3.Database(':memory:')
  const run = <T extends Row>(sql: string, params: Value[] = []): Promise<T[]> =>
    new Promise((resolve, reject) => {
      database.all(sql, params, (error: Error | null, rows: unknown[]) =>
        error ? reject(error) : resolve(rows as T[]),
      )
    })
  await run(`CREATE TABLE api_keys (id TEXT PRIMARY KEY NOT NULL, secret_sha256 BLOB NOT NULL, scopes TEXT NOT NULL,
    created INTEGER NOT NULL, expires INTEGER, revoked INTEGER) STRICT`)
  let queue: Promise<unknown> = Promise.resolve()
  const transaction = async <T>(act: (tx: Tx) => Promise<T>): Promise<T> => {
    const pending: (() => Promise<unknown>)[] = []
    const tx: Tx = {
      insert: (table, rows) => {
        for (const row of rows) {
          const names = Object.keys(row)
          const sql = `INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => '?').join()})`
          pending.push(() => run(sql, Object.values(row)))
        }
      },
      query: run,
      afterCommit: () => {},
    }
    const result = await act(tx)
    for (const write of pending) await write()
    return result
  }
  return {
    dialect: 'sqlite',
    transaction: act => {
      const next = queue.then(() => transaction(act))
      queue = next.catch(() => {})
      return next
    },
    read: run,
    close: () => new Promise(resolve => database.close(() => resolve())),
  }
}

export const movableClock = (start = Date.now()): Clock & { advance(ms: number): void } => {
  let now = start
  return {
    now: () => now,
    advance: ms => {
      now += ms
    },
  }
}

const jsonOf = (schema: unknown): unknown => ({ content: { 'application/json': { schema } } })
const answer = (schema: unknown): unknown => ({ description: 'The answer.', ...(jsonOf(schema) as object) })

export const echoSchema = { $ref: '#/components/schemas/Echo' }

/** A small contract with one operation of each sort. */
export const contract = (): OpenApiDocument => ({
  openapi: '3.1.0',
  info: { title: 'Test house', version: '1' },
  components: {
    schemas: {
      Echo: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string', maxLength: 200_000 }, count: { type: 'integer' }, line: {}, more: true },
        additionalProperties: false,
      },
    },
    parameters: {
      Limit: { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } },
    },
  },
  paths: {
    '/echo': {
      post: {
        operationId: 'echo',
        'x-plugin': 'mirror',
        requestBody: { required: true, ...(jsonOf(echoSchema) as object) },
        responses: { '200': answer(echoSchema) },
      },
    },
    '/staff': {
      post: {
        operationId: 'staffOnly',
        'x-plugin': 'mirror',
        responses: { '200': answer({ type: 'object' }) },
      },
    },
    '/things/{id}': {
      get: {
        operationId: 'readThing',
        'x-plugin': 'mirror',
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'string', maxLength: 64 } },
          { $ref: '#/components/parameters/Limit' },
        ],
        responses: { '200': answer({ type: 'object' }), '4XX': answer({ type: 'object' }) },
      },
    },
    '/broken': {
      get: { operationId: 'broken', 'x-plugin': 'mirror', responses: { '200': answer(echoSchema) } },
    },
    '/verify': {
      post: {
        operationId: 'verify',
        'x-plugin': 'mirror',
        requestBody: { required: true, ...(jsonOf(echoSchema) as object) },
        responses: { '200': answer({ type: 'object' }), '422': answer({ type: 'object', required: ['verified'] }) },
      },
    },
    '/sign-in': {
      post: {
        operationId: 'signIn',
        'x-plugin': 'mirror',
        requestBody: { required: true, ...(jsonOf(echoSchema) as object) },
        responses: { '204': { description: 'Signed in.' } },
      },
    },
    '/batch': {
      post: {
        operationId: 'batch',
        'x-plugin': 'mirror',
        requestBody: { required: true, content: { 'application/x-ndjson': { 'x-item-schema': echoSchema } } },
        responses: {
          '200': { description: 'Lines.', content: { 'application/x-ndjson': { 'x-item-schema': echoSchema } } },
        },
      },
    },
    '/away': {
      get: { operationId: 'away', 'x-plugin': 'elsewhere', responses: { '200': answer({ type: 'object' }) } },
    },
  },
})

export const routes = (): Record<string, Route> => ({
  echo: { requires: { by: 'anyone' }, run: async ({ body }) => ({ status: 200, body }) },
  staffOnly: {
    requires: { by: 'staff', scope: 'things:write' },
    run: async ({ caller, headers }) => ({ status: 200, body: { caller, headers } }),
  },
  readThing: {
    requires: { by: 'anyone' },
    run: async ({ params, query }) => ({ status: 200, body: { params, query } }),
  },
  broken: { requires: { by: 'anyone' }, run: async () => ({ status: 200, body: { name: 7 } }) },
  verify: {
    requires: { by: 'anyone' },
    run: async () => ({ status: 422, body: { verified: false, errors: [], warnings: [], results: [] } }),
  },
  signIn: {
    requires: { by: 'anyone' },
    run: async () => {
      throw new Refusal('unauthenticated', 'passphrase_wrong', 'The passphrase is wrong.')
    },
  },
  batch: {
    requires: { by: 'anyone' },
    lines: async function* (_context, lines) {
      for await (const line of lines) yield line
    },
  },
})

export type House = {
  app: App
  server: Listening
  /** Of the agency's mount, without a trailing slash. */
  url: string
  /** A key with every scope. */
  key: string
  store: Store
  clock: ReturnType<typeof movableClock>
  logged: string[]
  close(): Promise<void>
}

export type HouseOptions = {
  routes?: Record<string, Route>
  openapi?: OpenApiDocument
  limits?: Partial<Limits>
  listen?: Partial<ListenOptions>
  agency?: Partial<Agency>
  auth?: Partial<AuthParts>
}

/** A whole house of one agency, `office`, on a free port. */
export const openHouse = async (options: HouseOptions = {}): Promise<House> => {
  const store = await memoryStore()
  const clock = movableClock()
  const logged: string[] = []
  const keys = createApiKeys(store, clock)
  const { key } = await keys.create({ scopes: [everyScope] })
  const agency: Agency = {
    name: 'office',
    publicUrl: 'https://office.example',
    routes: options.routes ?? routes(),
    auth: createAuth({ store, clock, scopes: ['things:write'], ...options.auth }),
    ready: async () => ({ chain: true }),
    ...options.agency,
  }
  const log = createLog({ level: 'debug', write: line => logged.push(line) })
  const parts = { agencies: [agency], openapi: options.openapi ?? contract(), log, limits: options.limits ?? {} }
  const app = createApp(parts)
  const server = await listen(app, { port: 0, host: '127.0.0.1', ...options.listen }).catch(error => {
    app.close()
    throw error
  })
  const close = async (): Promise<void> => {
    open.delete(close)
    await server.close()
    await store.close()
  }
  open.add(close)
  return { app, server, url: `${server.url}/office`, key, store, clock, logged, close }
}

const open = new Set<() => Promise<void>>()
// What a failed test leaves open would keep the process from ending.
afterAll(() => Promise.all([...open].map(close => close())))

export const post = (
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
