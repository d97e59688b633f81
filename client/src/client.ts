import { proofOf, type SessionKey } from './dpop.ts'
import { type Lines, linesOf, linesTo } from './lines.ts'
import { operations } from './operations.ts'
import { problemOf } from './problem.ts'
import type { Operations } from './types.ts'

export type { SessionKey } from './dpop.ts'
export { generateSessionKey } from './dpop.ts'
export type { Lines } from './lines.ts'
export { ChanceryError } from './problem.ts'
export { type Asked, openSession } from './session.ts'
export type { Operations, schemas } from './types.ts'

/** What an operation takes, and what it answers when it does not refuse. */
export type Operation<Call, Answer> = { call: Call; answer: Answer }

/** How an operation goes over the wire. */
export type OperationEntry = {
  method: string
  path: string
  query?: readonly string[]
  headers?: readonly string[]
  body?: readonly string[]
  accept?: readonly string[]
}

export type ClientOptions = {
  /** Public URL of the agency, for example `http://localhost:3000/transport-authority`. */
  url: string
  /** An API key, a token of the agency's OIDC provider, or a citizen's session: sent as Bearer. */
  token?: string
  /** A holder's session (RFC 9449): its access token, and the key that each call proves. */
  session?: { token: string; key: SessionKey; nonce?: string }
  /** For an answer to begin. @default 30000 */
  timeoutMs?: number
  fetch?: typeof fetch
}

type Extra = { signal?: AbortSignal }
type CallOf<Id extends keyof Operations> = Operations[Id]['call'] & Extra
type ArgumentsOf<Id extends keyof Operations> =
  Record<string, never> extends Operations[Id]['call'] ? [call?: CallOf<Id>] : [call: CallOf<Id>]

/** Every operation as a method. What the agency refuses is thrown as a ChanceryError. */
export type Client = {
  readonly [Id in keyof Operations]: (...given: ArgumentsOf<Id>) => Promise<Operations[Id]['answer']>
}

type Given = {
  params?: Record<string, unknown>
  query?: Record<string, unknown>
  headers?: Record<string, unknown>
  body?: unknown
  contentType?: string
  signal?: AbortSignal
}

const ndjson = 'application/x-ndjson'
const form = 'application/x-www-form-urlencoded'
const isJson = (type: string): boolean => /^application\/(?:[\w.-]+\+)?json$/.test(type)

const pathOf = ({ path }: OperationEntry, params: Record<string, unknown> = {}): string =>
  path.replace(/\{([^}]+)\}/g, (_whole, name: string) => {
    const value = params[name]
    if (value === undefined || value === '') throw new TypeError(`the parameter ${name} is missing`)
    // What the agency reads as it stands, such as a DID URL, is not encoded as one word.
    return /RawPath$/.test(name)
      ? encodeURI(String(value)).replace(/[#?]/g, encodeURIComponent)
      : encodeURIComponent(String(value))
  })

const queryOf = (query: Record<string, unknown> = {}): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  const search = new URLSearchParams(Object.fromEntries(given.map(([name, value]) => [name, String(value)]))).toString()
  return search === '' ? '' : `?${search}`
}

const bodyOf = (body: unknown, contentType: string): NonNullable<RequestInit['body']> => {
  if (contentType === ndjson) return linesTo(body as Lines<unknown>)
  if (isJson(contentType)) return JSON.stringify(body)
  if (contentType === form) return new URLSearchParams(body as Record<string, string>).toString()
  return body as string
}

/** `fetch` of Node and browsers wants this said for a body that is still being made. */
type Streaming = RequestInit & { duplex?: 'half' }

const requestOf = (entry: OperationEntry, given: Given): Streaming & { headers: Headers } => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(given.headers ?? {})) {
    if (value !== undefined) headers.set(name, String(value))
  }
  if (entry.accept !== undefined && !headers.has('accept')) headers.set('accept', entry.accept.join(', '))
  const request = { method: entry.method, headers, redirect: 'manual' as const }
  if (given.body === undefined) return request
  const contentType = given.contentType ?? entry.body?.[0] ?? 'application/json'
  headers.set('content-type', contentType)
  const body = bodyOf(given.body, contentType)
  return { ...request, body, ...(contentType === ndjson && { duplex: 'half' as const }) }
}

const answerBody = async (response: Response): Promise<unknown> => {
  const type = (response.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''
  if (type === ndjson && response.body !== null) return linesOf(response.body)
  if (isJson(type)) return response.json()
  if (/^text\/|jwt$/.test(type)) return response.text()
  const bytes = new Uint8Array(await response.arrayBuffer())
  return bytes.length === 0 ? undefined : bytes
}

/** Opens a client of one agency. Writes get an idempotency key, so that a call may be made again with the same one. */
export const openClient = (options: ClientOptions): Client => {
  const { url, token, session, timeoutMs = 30_000, fetch: send = fetch } = options
  const base = url.replace(/\/$/, '')
  let nonce = session?.nonce

  const authorize = async (headers: Headers, method: string, address: string): Promise<void> => {
    if (session !== undefined) {
      headers.set('authorization', `DPoP ${session.token}`)
      headers.set('dpop', await proofOf(session.key, { method, url: address, token: session.token, nonce }))
    } else if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
  }

  const once = async (entry: OperationEntry, given: Given): Promise<Response> => {
    const path = pathOf(entry, given.params)
    const request = requestOf(entry, given)
    const own = entry.headers?.includes('Idempotency-Key') ?? false
    if (own && !request.headers.has('idempotency-key')) request.headers.set('idempotency-key', crypto.randomUUID())
    await authorize(request.headers, entry.method, `${base}${path}`)
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    const signal = given.signal === undefined ? stop.signal : AbortSignal.any([given.signal, stop.signal])
    try {
      return await send(`${base}${path}${queryOf(given.query)}`, { ...request, signal })
    } finally {
      clearTimeout(timer)
    }
  }

  const call = async (entry: OperationEntry, given: Given): Promise<unknown> => {
    for (let again = false; ; again = true) {
      const response = await once(entry, given)
      nonce = response.headers.get('dpop-nonce') ?? nonce
      if (response.status < 400) {
        return { status: response.status, headers: response.headers, body: await answerBody(response) }
      }
      const problem = await problemOf(response)
      // The proof is made anew with the nonce of the refusal (RFC 9449, section 8); a stream cannot be sent again.
      if (again || problem.code !== 'use_dpop_nonce' || entry.body?.[0] === ndjson) throw problem
    }
  }

  const methods = Object.entries(operations).map(([id, entry]) => [id, (given: Given = {}) => call(entry, given)])
  return Object.fromEntries(methods) as Client
}
