import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { App } from './app.ts'

export type ListenOptions = {
  /** 0 takes any free port. */
  port: number
  /** Default: every address of the machine. */
  host?: string
  /** PEM texts. */
  tls?: { cert: string; key: string } | undefined
  /** How long requests in flight may go on after `close`. Default 5,000. */
  graceMs?: number
  /** How long a client may take to send the head of a request. Default 10,000. */
  headersMs?: number
}

export type Listening = {
  url: string
  port: number
  /** Takes no more requests, lets those in flight finish, and cuts what is left after the grace. */
  close(): Promise<void>
}

const defaultHeadersMs = 10_000
const keepAliveMs = 30_000
/** A socket on which nothing moves. Bodies and lines have shorter limits of their own. */
const silentMs = 120_000
const drainCheckMs = 25

const createFor = (listener: RequestListener, { tls, headersMs = defaultHeadersMs }: ListenOptions): Server => {
  // No limit on the whole request: a stream of lines may take long. Heads, bodies and lines are each limited.
  const options = {
    headersTimeout: headersMs,
    requestTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: 1_000,
  }
  return tls === undefined
    ? createServer(options, listener)
    : createTlsServer({ ...options, ...tls, minVersion: 'TLSv1.2' }, listener)
}

const drain = (server: Server, graceMs: number): Promise<void> =>
  new Promise(resolve => {
    // A connection whose last answer has just gone out is idle only now, and would be kept alive for its time.
    const check = setInterval(() => server.closeIdleConnections(), drainCheckMs)
    const grace = setTimeout(() => server.closeAllConnections(), graceMs)
    server.close(() => {
      clearInterval(check)
      clearTimeout(grace)
      resolve()
    })
  })

/** @throws the server's error, for instance EADDRINUSE. */
export const listen = async (app: App, options: ListenOptions): Promise<Listening> => {
  const inFlight = new Set<ServerResponse>()
  let draining = false
  const server = createFor((request, response) => {
    if (draining) response.setHeader('Connection', 'close')
    inFlight.add(response)
    response.once('close', () => inFlight.delete(response))
    app.handler(request, response)
  }, options)
  server.timeout = silentMs
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { port } = server.address() as AddressInfo
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    draining = true
    for (const response of inFlight) if (!response.headersSent) response.setHeader('Connection', 'close')
    await drain(server, options.graceMs ?? 5_000)
    app.close()
  }
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${options.host ?? 'localhost'}:${port}`,
    port,
    close: () => {
      closed ??= close()
      return closed
    },
  }
}
