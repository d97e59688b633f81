import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from '../kernel/plugin.ts'
import { isJson } from './contract.ts'
import { type ErrorForm, oauthProblemOf } from './oauth-problem.ts'
import { asVerdict, type Problem, problemContentType, problemHeaders, problemOf } from './problem.ts'

/** How much of a body that nobody wants is read away before the answer, so that the client gets to see it. */
const lingerBytes = 4_000_000
const lingerMs = 1_000

/**
 * Closing a socket with unread bytes resets it, and the client loses the answer. So a request that is answered before its
 * body is whole is read on for a short while; what is still coming then finds the connection closed.
 */
export const linger = (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  if (request.complete || request.destroyed) return Promise.resolve()
  return new Promise(resolve => {
    let size = 0
    const done = (): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', done).off('close', done)
      if (!request.complete && !response.headersSent) response.setHeader('Connection', 'close')
      resolve()
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > lingerBytes) done()
    }
    const timer = setTimeout(done, lingerMs)
    request.on('data', onData).on('end', done).on('close', done).resume()
  })
}

export type Outgoing = {
  status: number
  contentType: string
  body: string | Uint8Array
  headers?: Record<string, string> | undefined
}

/** Writes one whole answer. Nothing is cached unless the route says so. */
export const send = async (request: IncomingMessage, response: ServerResponse, outgoing: Outgoing): Promise<void> => {
  await linger(request, response)
  if (response.destroyed || response.headersSent) return
  const bytes = typeof outgoing.body === 'string' ? Buffer.from(outgoing.body) : outgoing.body
  response.statusCode = outgoing.status
  response.setHeader('Cache-Control', 'no-store')
  for (const [name, value] of Object.entries(outgoing.headers ?? {})) response.setHeader(name, value)
  if (bytes.length > 0) {
    response.setHeader('Content-Type', outgoing.contentType)
    response.setHeader('Content-Length', bytes.length)
  } else if (outgoing.status !== 204 && outgoing.status !== 304) response.setHeader('Content-Length', 0)
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

export const answerContentType = (answer: Answer): string => answer.contentType ?? 'application/json'

/** Text and bytes go out as they are, unless the type is JSON, where text is a JSON string; all else becomes JSON. */
const bodyOf = (answer: Answer): string | Uint8Array => {
  const { body } = answer
  if (body === undefined) return ''
  if (body instanceof Uint8Array) return body
  return typeof body === 'string' && !isJson(answerContentType(answer)) ? body : JSON.stringify(body)
}

export const sendAnswer = (
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  status: number,
): Promise<void> =>
  send(request, response, {
    status,
    contentType: answerContentType(answer),
    body: bodyOf(answer),
    headers: answer.headers,
  })

/** How an operation writes its refusals. */
export type ProblemForm = { verdict: boolean; errors: ErrorForm; malformed?: string | undefined }

export const sendProblem = async (
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  { verdict, errors, malformed }: ProblemForm,
): Promise<Problem> => {
  const problem = problemOf(error)
  if (errors !== 'problem') {
    const { status, body, headers } = oauthProblemOf(error, errors, malformed)
    await send(request, response, { status, contentType: 'application/json', body: JSON.stringify(body), headers })
    return problem
  }
  await send(request, response, {
    status: problem.status,
    contentType: problemContentType,
    body: JSON.stringify(verdict ? asVerdict(problem) : problem),
    headers: problemHeaders(error),
  })
  return problem
}
