import { once } from 'node:events'
import { request } from 'node:http'
import { answer, readInput } from '../child.ts'

/** The client of bulk operations: one application/x-ndjson request, lines as fast as they are taken. */

export type Lines = {
  url: string
  apiKey: string
  /** Sent over and over until there are `count`. */
  lines: string[]
  count: number
  /** Every answer line must hold this. */
  expect: string
  /** Hand the answers back. */
  keep: boolean
}
export type LinesResult = { perSecond: number; seconds: number; answers: string[] }

const { url, apiKey, lines, count, expect, keep } = await readInput<Lines>()
const headers = { 'content-type': 'application/x-ndjson', authorization: `Bearer ${apiKey}` }
const sending = request(url, { method: 'POST', headers })
const answers: string[] = []
let received = 0

const send = async (): Promise<void> => {
  const atOnce = 64
  for (let sent = 0; sent < count; sent += atOnce) {
    let chunk = ''
    for (let at = sent; at < Math.min(count, sent + atOnce); at++) chunk += `${lines[at % lines.length]}\n`
    if (!sending.write(chunk)) await once(sending, 'drain')
  }
  sending.end()
}

const from = performance.now()
const sent = send()
const [response] = (await once(sending, 'response')) as [import('node:http').IncomingMessage]
response.setEncoding('utf8')
let rest = ''
for await (const chunk of response) {
  const parts = (rest + chunk).split('\n')
  rest = parts.pop() ?? ''
  for (const part of parts) {
    if (!part.includes(expect)) throw new Error(`an answer lacks ${expect}: ${part.slice(0, 300)}`)
    received += 1
    if (keep) answers.push(part)
  }
}
await sent
const seconds = (performance.now() - from) / 1_000
if (received !== count)
  throw new Error(`${count} lines got ${received} answers (${response.statusCode}) ${rest.slice(0, 300)}`)
answer({ perSecond: count / seconds, seconds, answers } satisfies LinesResult)
