import type { IncomingMessage, ServerResponse } from 'node:http'
import { casesOf, fourEyesOf } from '../kernel/gate.ts'
import type { Answer, Context, Route } from '../kernel/plugin.ts'
import { isRefusal, Refusal } from '../kernel/refusal.ts'
import { linger, sendAnswer } from './answer.ts'
import { checkAnswer, checkBody, isJson, mediaTypeOf, type Operation } from './contract.ts'
import { type Admitted, admitCall, type Call, type EntryDesk, runCall } from './enter.ts'
import { formType, parseForm, parseText } from './form.ts'
import { type BodyLimits, ClientGone, parseJson, readBody } from './json.ts'
import { type LineLimits, LineOrder, LineWriter, ndjsonContentType, readLines } from './ndjson.ts'
import { problemOf, verdictStatus } from './problem.ts'

/** What serving one agency's operations needs. */
export type Desk = EntryDesk & {
  limits: BodyLimits & LineLimits
  /** VC API's reading of "not verified": 200 instead of 422. */
  vcalm: boolean
}

export type Exchange = {
  request: IncomingMessage
  response: ServerResponse
  operation: Operation
  /** Below the agency's mount, as it was asked for. */
  path: string
  params: Record<string, string>
  query: string
  address: string
  requestId: string
}

const queryOf = (search: string): Record<string, string> => {
  const query: Record<string, string> = {}
  if (search === '') return query
  for (const [name, value] of new URLSearchParams(search)) {
    if (Object.hasOwn(query, name)) {
      throw new Refusal('malformed', 'parameter_repeated', 'A query parameter is given more than once.')
    }
    Object.defineProperty(query, name, { value, enumerable: true, writable: true, configurable: true })
  }
  return query
}

/** Header fields for the route, in lower case. Credentials and cookies stay here, unless they are the operation's own to judge. */
const headersOf = (exchange: Exchange): Record<string, string | undefined> => {
  const headers: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(exchange.request.headers)) {
    if ((name === 'authorization' || name === 'cookie') && !exchange.operation.ownCaller) continue
    headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  headers['x-request-id'] = exchange.requestId
  return headers
}

/** @throws Refusal content_type_unsupported, content_encoding_unsupported */
const requestType = ({ request, operation }: Exchange): string => {
  const header = request.headers['content-type'] ?? ''
  const mediaType = mediaTypeOf(header)
  const charset = /;\s*charset="?([\w-]+)/i.exec(header)?.[1]
  if (!operation.body?.types.has(mediaType) || (charset !== undefined && !/^utf-?8$/i.test(charset))) {
    const types = [...(operation.body?.types.keys() ?? [])]
    throw new Refusal('malformed', 'content_type_unsupported', `This operation reads ${types.join(', ')} in UTF-8.`, {
      facts: { types },
    })
  }
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Refusal('malformed', 'content_encoding_unsupported', 'Bodies are read without compression only.')
  }
  return mediaType
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** JSON, forms, and texts such as signed or encrypted tokens. */
const reader = (mediaType: string): ((bytes: Uint8Array) => unknown) => {
  if (mediaType === formType) return parseForm
  return isJson(mediaType) ? parseJson : parseText
}

const bodyOf = async (exchange: Exchange, limits: BodyLimits): Promise<unknown> => {
  const { operation, request } = exchange
  if (operation.body === undefined) return undefined
  if (!hasBody(request)) {
    if (operation.body.required) throw new Refusal('malformed', 'body_missing', 'This operation needs a body.')
    return undefined
  }
  const mediaType = requestType(exchange)
  const value = reader(mediaType)(await readBody(request, limits))
  checkBody(operation, mediaType, value)
  return value
}

const callOf = (desk: Desk, exchange: Exchange, route: Route): Call => {
  const { request, response, operation, params, address, requestId } = exchange
  const { authorization, dpop } = request.headers
  return {
    ...{ operation, route, params, address, requestId, authorization },
    query: queryOf(exchange.query),
    headers: headersOf(exchange),
    dpop: Array.isArray(dpop) ? dpop.join(', ') : dpop,
    method: request.method ?? operation.method,
    url: `${desk.publicUrl}${exchange.path}`,
    search: exchange.query,
    renew: nonce => void response.setHeader('DPoP-Nonce', nonce),
  }
}

const runOnce = async (
  desk: Desk,
  exchange: Exchange,
  run: (context: Context) => Promise<Answer>,
  parts: { call: Call; admitted: Admitted },
): Promise<void> => {
  const { request, response } = exchange
  parts.admitted.context.body = await bodyOf(exchange, desk.limits)
  const answer = await runCall(desk, parts.call, parts.admitted, run)
  await sendAnswer(request, response, answer, verdictStatus(answer, desk.vcalm))
}

/** How long a stream goes on before its caller is judged again. */
const lineTrustMs = 1_000

/** Judges the caller of a stream again, as often as that. */
const openStanding = ({ door }: Desk, { caller }: Context): (() => Promise<void>) => {
  let judged = performance.now()
  return async () => {
    if (door === undefined || performance.now() - judged < lineTrustMs) return
    await door.stands(caller)
    judged = performance.now()
  }
}

type Lines = (context: Context, lines: AsyncIterable<unknown>) => AsyncIterable<unknown>

const streamStatus = 200

const runLines = async (
  desk: Desk,
  exchange: Exchange,
  lines: Lines,
  context: Context,
  report: (error: unknown) => void,
): Promise<void> => {
  const { request, response, operation } = exchange
  requestType(exchange)
  const writer = new LineWriter(response, desk.limits, () => {
    response.writeHead(streamStatus, { 'Content-Type': ndjsonContentType, 'Cache-Control': 'no-store' })
  })
  const order = new LineOrder(value => writer.write(value))
  /** Of the good lines without an answer yet: a route counts good lines only, a client counts its own. */
  const numbers: number[] = []
  const assertStands = openStanding(desk, context)
  const goodLines = async function* (): AsyncGenerator<unknown> {
    for await (const line of readLines(request, desk.limits)) {
      await assertStands()
      try {
        if ('refusal' in line) throw line.refusal
        checkBody(operation, ndjsonContentType, line.value)
        order.good()
        numbers.push(line.line)
      } catch (error) {
        if (!isRefusal(error)) throw error
        order.refused({ ...problemOf(error), line: line.line })
        await writer.ready()
        continue
      }
      yield line.value
    }
  }
  try {
    for await (const answer of lines(context, goodLines())) {
      const line = numbers.shift()
      if (isRefusal(answer)) order.answered({ ...problemOf(answer), line })
      else {
        checkAnswer(operation, streamStatus, ndjsonContentType, answer)
        const isNumbered = typeof answer === 'object' && answer !== null && 'line' in answer
        order.answered(isNumbered ? { ...answer, line } : answer)
      }
      await writer.ready()
    }
    order.finish()
  } catch (error) {
    // Before the first line the whole answer can still be a problem; afterwards the last line is.
    if (!writer.started || error instanceof ClientGone) throw error
    report(error)
    order.finish()
    writer.write(problemOf(error))
  }
  await linger(request, response)
  await writer.end()
  if (!request.complete) request.destroy()
}

/**
 * One request of one operation: admit → read → check → run → check → answer.
 * @param report takes what ends a stream after its first line; whatever comes before is thrown.
 */
export const operate = async (
  desk: Desk,
  exchange: Exchange,
  route: Route,
  report: (error: unknown) => void,
): Promise<void> => {
  const call = callOf(desk, exchange, route)
  const admitted = await admitCall(desk, call)
  if ('run' in route) return runOnce(desk, exchange, route.run, { call, admitted })
  return runLines(desk, exchange, route.lines, admitted.context, report)
}

/**
 * What a route may require, its operation must be able to carry: a presentation comes in a body, and an act that waits for
 * a second officer is answered with 202.
 */
const assertCarried = ({ id, body, answers }: Operation, route: Route, agency: string): void => {
  const isStream = 'lines' in route
  for (const requirement of casesOf(route.requires)) {
    const isOneShot = requirement.by === 'parties' || (requirement.by === 'holder' && requirement.oneShot === true)
    if (isOneShot && (body === undefined || isStream)) {
      throw new Error(`${agency}: ${id} requires a presentation for each act, and has no body that could hold it.`)
    }
    if (fourEyesOf(requirement) === undefined) continue
    if (isStream) throw new Error(`${agency}: ${id} reads lines, which cannot wait for a second officer.`)
    if (!answers.has('202'))
      throw new Error(`${agency}: ${id} may wait for a second officer; openapi.yaml needs its 202.`)
  }
}

/**
 * Routes of an agency against the contract: the same set of names, and lines where the contract says lines.
 * @returns the operations that this agency serves.
 * @throws Error naming what does not fit.
 */
export const bindRoutes = (
  operations: Map<string, Operation>,
  routes: Record<string, Route>,
  agency: string,
): { operation: Operation; route: Route }[] => {
  const stray = Object.keys(routes).filter(id => !operations.has(id) || operations.get(id)?.plugin === 'http')
  if (stray.length > 0) throw new Error(`${agency}: openapi.yaml has no operation for the route ${stray.join(', ')}.`)
  const mounted = new Set(Object.keys(routes).map(id => operations.get(id)?.plugin))
  const served: { operation: Operation; route: Route }[] = []
  for (const operation of operations.values()) {
    const route = Object.hasOwn(routes, operation.id) ? routes[operation.id] : undefined
    const expected = operation.plugin === undefined || mounted.has(operation.plugin)
    if (route === undefined) {
      if (!expected || operation.plugin === 'http') continue
      throw new Error(`${agency}: no route runs the operation ${operation.id} of openapi.yaml.`)
    }
    if ('lines' in route !== (operation.body?.types.has(ndjsonContentType) ?? false)) {
      throw new Error(`${agency}: route and operation ${operation.id} differ on ${ndjsonContentType}.`)
    }
    assertCarried(operation, route, agency)
    served.push({ operation, route })
  }
  return served
}
