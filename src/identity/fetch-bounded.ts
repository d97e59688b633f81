import { lookup as dnsLookup } from 'node:dns/promises'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { isRefusal, Refusal } from '../kernel/refusal.ts'
import { isPublicAddress } from './addresses.ts'

export type Address = { address: string; family: number }
export type Target = Address & { host: string; port: number; secure: boolean }

export type FetchBounds = {
  /** Exactly these origins may be http and may be local: for the demo. */
  allowedHttpOrigins?: readonly string[]
  /** @default 256 kB */
  maxBytes?: number
  /** For everything together: names, connections, redirects and body. @default 5000 */
  timeoutMs?: number
  /** @default 3 */
  maxRedirects?: number
  /** @default application/json */
  accept?: string
  /**
   * Posts this instead of getting: then no redirect is followed, and every status is an answer.
   * `contentType` is application/json without one.
   */
  post?: { body: string; headers?: Record<string, string>; contentType?: string }
  /** Replaced in tests. */
  lookup?: (host: string) => Promise<Address[]>
  /** Replaced in tests. Connects to the address that was checked, never to a name. */
  connect?: (target: Target) => Socket
}

export type Fetched = {
  url: string
  status: number
  contentType: string | undefined
  /** The headers `Cache-Control` and `Age`, for those who keep what they fetched. */
  cacheControl?: string | undefined
  age?: string | undefined
  /** All headers of the answer, names in lower case. */
  headers?: Readonly<Record<string, string | undefined>>
  body: Buffer
}

const forbidden = (why: string): Refusal => new Refusal('rejected', 'url_forbidden', why)
const failed = (why: string, cause?: unknown): Refusal => new Refusal('unavailable', 'fetch_failed', why, { cause })

const answered = (status: number): Refusal =>
  new Refusal('unavailable', 'fetch_failed', `The host answered ${status}.`, { facts: { httpStatus: status } })

const parse = (text: string, base?: URL): URL => {
  const url = URL.canParse(text, base?.href) ? new URL(text, base?.href) : undefined
  if (url === undefined || url.username !== '' || url.password !== '') {
    throw forbidden('The address is no plain URL, or carries a user name.')
  }
  return url
}

/** Which address to connect to; every address of the name must be fit, so that no second answer matters. */
const addressFor = async (url: URL, isDemo: boolean, bounds: FetchBounds): Promise<Address> => {
  if (!isDemo && url.protocol !== 'https:') throw forbidden('Only https is fetched.')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const lookup = bounds.lookup ?? (name => dnsLookup(name, { all: true, verbatim: true }))
  const literal = isIP(host)
  const addresses = literal === 0 ? await lookup(host) : [{ address: host, family: literal }]
  const [first] = addresses
  if (first === undefined) throw failed('The host has no address.')
  if (!isDemo && !addresses.every(({ address }) => isPublicAddress(address))) {
    throw forbidden('The host is not on the public internet.')
  }
  return first
}

const connectTo = ({ address, port, host, secure }: Target): Socket =>
  secure
    ? connectTls({
        host: address,
        port,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ALPNProtocols: ['http/1.1'],
      })
    : connectTcp({ host: address, port })

const ask = (url: URL, { address, family }: Address, bounds: FetchBounds, signal: AbortSignal) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const secure = url.protocol === 'https:'
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const port = Number(url.port) || (secure ? 443 : 80)
    const createConnection = () => (bounds.connect ?? connectTo)({ address, family, host, port, secure })
    const headers = {
      host: url.host,
      accept: bounds.accept ?? 'application/json',
      'accept-encoding': 'identity',
      connection: 'close',
    }
    const { post } = bounds
    const posted = post && {
      ...post.headers,
      'content-type': post.contentType ?? 'application/json',
      'content-length': lengthOf(post.body),
    }
    const method = post === undefined ? 'GET' : 'POST'
    const options = { method, createConnection, signal, path: url.pathname + url.search }
    const sent = { ...options, headers: { ...headers, ...posted }, host, port }
    const request = (secure ? requestHttps : requestHttp)(sent, resolve)
    request.on('error', reject)
    request.end(post?.body)
  })

const lengthOf = (body: string): number => Buffer.byteLength(body)

const bodyOf = async (response: IncomingMessage, maxBytes: number): Promise<Buffer> => {
  const tooLarge = new Refusal('too_large', 'fetch_too_large', `What was fetched is larger than ${maxBytes} bytes.`)
  const encoding = response.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw failed('The answer is compressed though none was asked for.')
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Node gives a list of Set-Cookie only. */
const firstOf = ({ headers }: IncomingMessage): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]))

const walk = async (start: string, bounds: FetchBounds, signal: AbortSignal): Promise<Fetched> => {
  const demoOrigins = bounds.allowedHttpOrigins ?? []
  let url = parse(start)
  for (let hop = 0; hop <= (bounds.maxRedirects ?? 3); hop += 1) {
    const isDemo = demoOrigins.includes(url.origin)
    const response = await ask(url, await addressFor(url, isDemo, bounds), bounds, signal)
    try {
      const status = response.statusCode ?? 0
      const { location } = response.headers
      if (bounds.post === undefined && [301, 302, 303, 307, 308].includes(status) && location !== undefined) {
        const next = parse(location, url)
        // A public host must not lead to the services that only the demo's own configuration opens.
        if (next.origin !== url.origin && demoOrigins.includes(next.origin))
          throw forbidden('The redirect is not allowed.')
        url = next
        continue
      }
      if (bounds.post === undefined && status !== 200) throw answered(status)
      const body = await bodyOf(response, bounds.maxBytes ?? 256 * 1024)
      const { 'content-type': contentType, 'cache-control': cacheControl, age } = response.headers
      return { url: url.href, status, contentType, cacheControl, age, headers: firstOf(response), body }
    } finally {
      response.destroy()
    }
  }
  throw failed('There are too many redirects.')
}

/**
 * Fetches what a stranger's document points to: the name is resolved once, each of its addresses checked, that very
 * address connected to, and every redirect checked again.
 * @throws Refusal rejected/url_forbidden, unavailable/fetch_failed, unavailable/fetch_timeout, too_large/fetch_too_large.
 */
export const fetchBounded = async (url: string, bounds: FetchBounds = {}): Promise<Fetched> => {
  const stop = new AbortController()
  const timeoutMs = bounds.timeoutMs ?? 5_000
  const late = new Refusal('unavailable', 'fetch_timeout', `The host did not answer in full within ${timeoutMs} ms.`)
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(late)
      stop.abort(late)
    }, timeoutMs)
  })
  try {
    return await Promise.race([walk(url, bounds, stop.signal), timeout])
  } catch (error) {
    if (isRefusal(error)) throw error
    throw failed('The host cannot be reached.', error)
  } finally {
    clearTimeout(timer)
  }
}
