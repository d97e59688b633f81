import autocannon from 'autocannon'
import { answer, readInput } from '../child.ts'
import { signPlain } from './plain-ledger.ts'

/** The clients of the plain service: each has one connection and one request at a time. */

export type PlainLoad = {
  url: string
  key: string
  customers: number
  clients: number
  /** Transfers in a request, and requests of a client. */
  records: number
  each: number
}
export type PlainLoadResult = { perSecond: number; p99Ms: number }

const run = await readInput<PlainLoad>()
const transfers = signPlain({ spread: 'uniform', keys: 'both' }, run.customers, run.clients * run.each * run.records)
const json = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part))
const headers = { 'content-type': 'application/json', authorization: `Bearer ${run.key}` }
const requests = Array.from({ length: run.clients * run.each }, (_, at): autocannon.Request => {
  const body = json({ transfers: transfers.slice(at * run.records, (at + 1) * run.records) })
  return { method: 'POST', headers, body }
})
let client = 0
const from = performance.now()
const result = await autocannon({
  ...{ url: run.url, connections: run.clients, amount: requests.length, timeout: 60 },
  // In turn, so that payments of one payer come in their order.
  setupClient: one => {
    const mine = client++
    one.setRequests(requests.filter((_, at) => at % run.clients === mine))
  },
})
const seconds = (performance.now() - from) / 1_000
const entered = result.statusCodeStats?.['201']?.count ?? 0
if (entered !== requests.length) throw new Error(`not all were entered: ${JSON.stringify(result.statusCodeStats)}`)
answer({ perSecond: transfers.length / seconds, p99Ms: result.latency.p99 } satisfies PlainLoadResult)
