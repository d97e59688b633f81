import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { Refusal } from '../kernel/refusal.ts'

export type BodyLimits = { bodyBytes: number; bodyMs: number }

/** Containers inside containers; a body of plain values has depth 0. */
export const depthMax = 32

const quote = 0x22
const backslash = 0x5c

const malformed = (detail: string): Refusal => new Refusal('malformed', 'json_malformed', detail)

/** Index of the quote that closes the string opened at `start`. The text is already known to be well formed. */
const stringEnd = (text: string, start: number): number => {
  let end = text.indexOf('"', start + 1)
  while (text.charCodeAt(end - 1) === backslash) {
    let slashes = 1
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return end
}

/** One pass over well-formed text: how many members are written in it. Refuses depth. Strings are jumped over. */
const membersWritten = (text: string): number => {
  let members = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = stringEnd(text, at)
    else if (code === 0x3a) members++
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > depthMax) {
        throw new Refusal('malformed', 'json_too_deep', `The JSON is nested deeper than ${depthMax} levels.`)
      }
    } else if (code === 0x7d || code === 0x5d) depth--
  }
  return members
}

const checkText = (value: string): void => {
  // Half of the databases cannot keep it, and no text needs it.
  if (value.includes('\0')) throw malformed('A string of the JSON contains a NUL character.')
  if (value.isWellFormed()) return
  throw new Refusal('malformed', 'json_lone_surrogate', 'A string of the JSON contains half of a surrogate pair.')
}

/** How many members the value has, counted in memory: duplicates have fallen together. Refuses what no part can use. */
const membersKept = (value: unknown, escapes: boolean): number => {
  if (typeof value === 'string') {
    if (escapes) checkText(value)
    return 0
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw malformed('A number of the JSON is too large.')
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) {
    for (const element of value) members += membersKept(element, escapes)
    return members
  }
  for (const [name, member] of Object.entries(value)) {
    if (name === '__proto__') throw malformed('The JSON has a member named __proto__, which is not allowed.')
    if (escapes) checkText(name)
    members += 1 + membersKept(member, escapes)
  }
  return members
}

/**
 * JSON (RFC 8259) read strictly: what `JSON.parse` reads, without duplicate names, without depth beyond 32, without
 * lone surrogates, without NUL, without `__proto__`, without numbers that become infinite. Duplicates are found by counting: names
 * written in the text against names in the value. Half of a surrogate pair, or NUL, can only come from a `\u` escape, because
 * the bytes are UTF-8, so texts without escapes are not searched for it.
 * @throws Refusal json_malformed, json_too_deep, json_duplicate_key, json_lone_surrogate
 */
export const parseJson = (bytes: Uint8Array): unknown => {
  if (!isUtf8(bytes)) throw malformed('The JSON is not encoded in UTF-8.')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the input, which may hold secrets.
    throw malformed('The text is not well-formed JSON.')
  }
  const written = membersWritten(text)
  if (written !== membersKept(value, text.includes('\\u'))) {
    throw new Refusal('malformed', 'json_duplicate_key', 'An object of the JSON has the same name twice.')
  }
  return value
}

/** The client hung up before its request was whole. Nobody is left to answer, and nothing has failed. */
export class ClientGone extends Error {
  override name = 'ClientGone'
}

const tooLarge = (limit: number): Refusal =>
  new Refusal('too_large', 'body_too_large', `The body is larger than ${limit} bytes.`)

/**
 * The whole body in memory, bounded in size and in time.
 * @throws Refusal body_too_large, body_incomplete; ClientGone
 */
export const readBody = (request: IncomingMessage, limits: BodyLimits): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) return reject(tooLarge(limits.bodyBytes))
    const chunks: Buffer[] = []
    let size = 0
    const settle = (done: () => void): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      done()
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limits.bodyBytes) settle(() => reject(tooLarge(limits.bodyBytes)))
      else chunks.push(chunk)
    }
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    const onClose = (): void => settle(() => reject(new ClientGone()))
    const onTimeout = (): void =>
      settle(() => {
        const seconds = limits.bodyMs / 1000
        reject(new Refusal('malformed', 'body_incomplete', `The body did not arrive within ${seconds} seconds.`))
      })
    const timer = setTimeout(onTimeout, limits.bodyMs)
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
    return undefined
  })
