import autocannon from 'autocannon'
import { answer, readInput } from '../child.ts'

/** The clients of `*.http`: 64 connections, each with its own share of the bodies, prepared before the clock starts. */

export type Load = {
  url: string
  apiKey: string
  bodies: string[]
  clients: number
  seconds: number
  warmSeconds: number
  expect: number
}
/** `served` counts the warm-up too. */
export type LoadResult = { perSecond: number; p99Ms: number; served: number }

const shoot = (load: Load, seconds: number): Promise<autocannon.Result> => {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${load.apiKey}` }
  const share = Math.max(1, Math.floor(load.bodies.length / load.clients))
  let client = 0
  return autocannon({
    url: load.url,
    connections: load.clients,
    duration: seconds,
    setupClient: one => {
      const from = (client++ % load.clients) * share
      one.setRequests(load.bodies.slice(from, from + share).map(body => ({ method: 'POST', headers, body })))
    },
  })
}

const load = await readInput<Load>()
const warm = load.warmSeconds > 0 ? (await shoot(load, load.warmSeconds)).requests.total : 0
const result = await shoot(load, load.seconds)
const answered = result.statusCodeStats?.[`${load.expect}`]?.count ?? 0
const strays = result.requests.total - answered + result.errors + result.timeouts
if (strays > 0) throw new Error(`${strays} answers were not ${load.expect}: ${JSON.stringify(result.statusCodeStats)}`)
answer({
  perSecond: answered / result.duration,
  p99Ms: result.latency.p99,
  served: warm + answered,
} satisfies LoadResult)
