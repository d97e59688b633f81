import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import helmet from 'helmet'
import type { Registry } from 'prom-client'
import type { Door } from '../kernel/door.ts'
import type { Answer, Route } from '../kernel/plugin.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { sendProblem } from './answer.ts'
import type { Auth } from './auth.ts'
import { compileContract, type OpenApiDocument, type Operation } from './contract.ts'
import { callOperation, type InnerCall } from './enter.ts'
import { createFailures, type FailureLimits } from './failures.ts'
import { createHouseRoutes, type HouseRoute } from './house-routes.ts'
import { type BodyLimits, ClientGone } from './json.ts'
import { errorFacts, type Log } from './log.ts'
import { createMetrics, createProcessMetrics, type Metrics } from './metrics.ts'
import type { LineLimits } from './ndjson.ts'
import { bindRoutes, type Desk, operate } from './operate.ts'
import { createPaths, type Match, type Paths } from './paths.ts'
import { operationUnknown } from './problem.ts'
import { createThrottle } from './throttle.ts'

export type Limits = BodyLimits & LineLimits & FailureLimits & { proxies: number }

export const defaultLimits: Limits = {
  bodyBytes: 1_000_000,
  bodyMs: 10_000,
  lineBytes: 64_000,
  endlessBytes: 1_000_000,
  idleMs: 30_000,
  /** Failed attempts of one address at one place, a window. */
  failures: 60,
  windowMs: 60_000,
  /** Trusted proxies before us: how many hops of X-Forwarded-For are believed. */
  proxies: 0,
}

export type Agency = {
  /** Also the mount: `/<name>/`. */
  name: string
  /** What the institution calls itself. @default the name, in words */
  title?: string
  /** Without a trailing slash. */
  publicUrl: string
  /** Routes of all mounted plugins, by operationId. */
  routes: Record<string, Route>
  auth: Auth
  /** Judges holders of credentials, and keeps acts for a second officer. */
  door?: Door
  /** "Not verified" answers 200, as the VC API has it, instead of 422. */
  vcalm?: boolean
  /** What must be true before the agency takes work, by name. */
  ready(): Promise<Record<string, boolean>>
  /** Figures of the agency for /metrics: name (snake_case, unit last) → value. */
  metrics?: () => Record<string, number>
}

export type AppParts = {
  agencies: readonly Agency[]
  /** openapi.yaml, parsed; one document for all agencies, paths relative to the mount. */
  openapi: OpenApiDocument
  log: Log
  limits?: Partial<Limits>
}

export type App = {
  handler: (request: IncomingMessage, response: ServerResponse) => void
  /**
   * Runs an operation of an agency from within the process, through the same door as HTTP.
   * @throws Refusal, also operation_unknown
   */
  call(agency: string, operationId: string, inner: Omit<InnerCall, 'requestId'>): Promise<Answer>
  /** Ends timers; call it after the last request. */
  close(): void
}

const plainProblem = { verdict: false, errors: 'problem' } as const

type Target = { operation: Operation; route: Route } | { house: HouseRoute }

type Served = { operation: Operation; route: Route }

type Counter = {
  agency: Agency
  desk: Desk
  served: Map<string, Served>
  paths: Paths<Target>
  metrics: Metrics
  log: Log
  nextId: () => string
}

const createRequestIds = (): (() => string) => {
  const prefix = randomBytes(6).toString('hex')
  let count = 0
  return () => `${prefix}-${(count++).toString(36)}`
}

const requestIdOf = ({ headers }: IncomingMessage, next: () => string): string => {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.-]{8,64}$/.test(given) ? given : next()
}

const isPublic = (target: Target): boolean => 'house' in target || target.route.requires.by === 'anyone'

/** What anyone may read, a page of any origin may read; what its contract says, it may call. Nothing else is opened to other origins. */
const isOpen = (target: Target, method: string): boolean =>
  (/^(?:GET|HEAD)$/.test(method) && isPublic(target)) || ('operation' in target && target.operation.cors)

const readHeaders = 'Accept, X-Request-Id'
const openHeaders = `${readHeaders}, Authorization, Content-Type, DPoP, Idempotency-Key, OAuth-Client-Attestation, OAuth-Client-Attestation-PoP`

const readableHeaders =
  'DPoP-Nonce, ETag, OAuth-Client-Attestation-Challenge, Retry-After, WWW-Authenticate, X-Request-Id'

const allowOrigins = (response: Response): void => {
  response.setHeader('Access-Control-Allow-Origin', '*')
  response.setHeader('Access-Control-Expose-Headers', readableHeaders)
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
}

/** HEAD is GET without the body. */
const find = ({ paths }: Counter, { method }: Request, path: string): Match<Target> => {
  const match = paths.match(method === 'HEAD' ? 'GET' : method, path)
  if (match === undefined) throw operationUnknown(paths.methods(path))
  return match
}

const preflight = (counter: Counter, response: Response, path: string): boolean => {
  const methods = counter.paths.methods(path).filter(method => {
    const target = counter.paths.match(method, path)?.target
    return target !== undefined && isOpen(target, method)
  })
  if (methods.length === 0) return false
  allowOrigins(response)
  response.setHeader(
    'Access-Control-Allow-Methods',
    methods.includes('GET') ? [...methods, 'HEAD'].join(', ') : methods.join(', '),
  )
  response.setHeader('Access-Control-Allow-Headers', methods.some(each => each !== 'GET') ? openHeaders : readHeaders)
  response.setHeader('Access-Control-Max-Age', '86400')
  response.status(204).end()
  return true
}

const conclude = async (
  counter: Counter,
  request: Request,
  response: Response,
  concluding: { error: unknown; operation: Operation | undefined; requestId: string },
): Promise<void> => {
  const { error, operation, requestId } = concluding
  const facts = { agency: counter.agency.name, operation: operation?.id, requestId }
  if (error instanceof ClientGone) {
    counter.log.debug(facts, 'the client left')
    response.destroy()
    return
  }
  if (isRefusal(error)) counter.log.debug({ ...facts, code: error.code }, 'refused')
  else counter.log.error({ ...facts, error: errorFacts(error) }, 'defect')
  if (response.headersSent) response.destroy()
  else await sendProblem(request, response, error, operation ?? plainProblem)
}

const serve = async (counter: Counter, request: Request, response: Response): Promise<void> => {
  const started = performance.now()
  const requestId = requestIdOf(request, counter.nextId)
  response.setHeader('X-Request-Id', requestId)
  const cut = request.url.indexOf('?')
  const path = cut === -1 ? request.url : request.url.slice(0, cut)
  const query = cut === -1 ? '' : request.url.slice(cut + 1)
  let operation: Operation | undefined
  let name = 'unknown'
  try {
    if (request.method === 'OPTIONS' && preflight(counter, response, path)) return
    const { target, params } = find(counter, request, path)
    if (isOpen(target, request.method)) allowOrigins(response)
    if ('house' in target) {
      name = target.house.name
      await target.house.run(request, response)
    } else {
      operation = target.operation
      name = operation.id
      const address = request.ip ?? '0.0.0.0'
      const exchange = { request, response, operation, path, params, query, address, requestId }
      const report = (error: unknown): void => {
        const facts = { agency: counter.agency.name, operation: operation?.id, requestId }
        if (isRefusal(error)) counter.log.debug({ ...facts, code: error.code }, 'stream refused')
        else counter.log.error({ ...facts, error: errorFacts(error) }, 'defect')
      }
      await operate(counter.desk, exchange, target.route, report)
    }
  } catch (error) {
    await conclude(counter, request, response, { error, operation, requestId })
  } finally {
    counter.metrics.observe(name, response.statusCode, (performance.now() - started) / 1000)
  }
}

type Shared = {
  operations: Map<string, Operation>
  limits: Limits
  processMetrics: Registry
  log: Log
  openapi: OpenApiDocument
  nextId: () => string
}

const createCounter = (agency: Agency, shared: Shared): Counter => {
  const { limits, log, nextId } = shared
  const served = bindRoutes(shared.operations, agency.routes, agency.name)
  const metrics = createMetrics(shared.processMetrics, () => agency.metrics?.() ?? {})
  const house = createHouseRoutes(agency, shared.openapi, new Set(served.map(({ operation }) => operation.id)), metrics)
  const paths = createPaths<Target>([
    ...served.map(target => ({ method: target.operation.method, path: target.operation.path, target })),
    ...house.map(route => ({ method: 'GET', path: route.path, target: { house: route } })),
  ])
  const { publicUrl, auth, door } = agency
  const bounds = { limits, failures: createFailures(limits), throttle: createThrottle() }
  const desk: Desk = { publicUrl, auth, door, ...bounds, vcalm: agency.vcalm ?? false }
  const byId = new Map(served.map(each => [each.operation.id, each]))
  return { agency, desk, served: byId, paths, metrics, log, nextId }
}

const createExpress = (limits: Limits): Express => {
  const app = express()
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing').set('query parser', false)
  app.set('trust proxy', limits.proxies)
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
      },
    }),
  )
  return app
}

/**
 * Mounts every agency under `/<name>/`.
 * @throws Error when routes and openapi.yaml differ, or two agencies have one name: the process must not start.
 */
export const createApp = ({ agencies, openapi, log, limits: given }: AppParts): App => {
  const limits = { ...defaultLimits, ...given }
  const operations = compileContract(openapi)
  const shared = {
    operations,
    limits,
    processMetrics: createProcessMetrics(),
    log,
    openapi,
    nextId: createRequestIds(),
  }
  const app = createExpress(limits)
  const counters = new Map<string, Counter>()
  for (const agency of agencies) {
    if (!/^[a-z][a-z0-9-]*$/.test(agency.name)) throw new Error(`${agency.name} is not a name that an agency can have.`)
    if (counters.has(agency.name)) throw new Error(`Two agencies are called ${agency.name}.`)
    const counter = createCounter(agency, shared)
    counters.set(agency.name, counter)
    app.use(`/${agency.name}`, (request, response) => serve(counter, request, response))
  }
  // RFC 8615 as RFC 8414 and OpenID4VCI use it: the well-known name comes before the path of whom it tells about.
  app.use('/.well-known', (request, response, next) => {
    const [, name, agency, query = ''] = /^\/([^/?]+)\/([^/?]+)(\?.*)?$/.exec(request.url) ?? []
    const counter = counters.get(agency ?? '')
    if (counter === undefined) return next()
    request.url = `/.well-known/${name}${query}`
    return serve(counter, request, response)
  })
  app.use(async (request: Request, response: Response) => {
    await sendProblem(request, response, operationUnknown([]), plainProblem)
  })
  app.use(async (error: unknown, request: Request, response: Response, _next: NextFunction) => {
    log.error({ error: errorFacts(error) }, 'defect outside of operations')
    await sendProblem(request, response, error, plainProblem)
  })
  const close = (): void => {
    for (const { desk } of counters.values()) {
      desk.failures.close()
      desk.throttle.close()
    }
  }
  const call: App['call'] = async (agency, operationId, inner) => {
    const counter = counters.get(agency)
    const served = counter?.served.get(operationId)
    if (counter === undefined || served === undefined) throw operationUnknown([])
    return callOperation(counter.desk, served, { ...inner, requestId: counter.nextId() })
  }
  return { handler: app, call, close }
}
