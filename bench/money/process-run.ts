import { readFileSync } from 'node:fs'
import type { Answer, Context } from '../../src/kernel/plugin.ts'
import { submitBatch } from '../../src/plugins/cbdc/actions/payments.ts'
import { answer, cpuOf, readInput, residentMegabytes } from '../child.ts'
import { bankDid, openBenchLedger, type Place } from './ledger.ts'
import type { SignedRequest } from './sign.ts'

/** Hands a bank's requests in, a number of them at once, as the route would once HTTP has done its part. */

export type ProcessRun = {
  place: Place
  customers: number
  requestsFile: string
  /** Records in a request. */
  records: number
  /** Requests at once. */
  inFlight: number
  /** The part of the requests that only warms up. */
  warm: number
}
export type ProcessResult = {
  perSecond: number
  /** Processor time of a transfer. */
  cpuMicros: number
  mainMicros: number
  /** Half of the requests are answered within. */
  medianMs: number
  p99Ms: number
  residentMb: number
  /** When the timed part began and ended (ms), and transfers in it. */
  from: number
  to: number
  transfers: number
}

const run = await readInput<ProcessRun>()
const ledger = await openBenchLedger(run.place, run.customers)
/** As bytes until they are handed in: what waits is not the ledger's memory. */
const lines = readFileSync(run.requestsFile)
const starts = [0]
for (let at = lines.indexOf(10); at !== -1; at = lines.indexOf(10, at + 1)) starts.push(at + 1)

const contextAt = (at: number): Context => {
  const { bodySha256, body } = JSON.parse(lines.toString('utf8', starts[at], starts[at + 1])) as SignedRequest
  return { body, headers: {}, caller: { kind: 'agency', id: bankDid, bodySha256 } } as unknown as Context
}

const assertEntered = ({ body }: Answer): void => {
  const { chains } = body as { chains: { outcome: string; code?: string }[][] }
  const refused = chains.flat().find(({ outcome }) => outcome !== 'entered')
  if (refused !== undefined) throw new Error(`a transfer was refused: ${refused.code}`)
}

const quantile = (values: number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0

/** @returns milliseconds of each request. */
const handIn = async (first: number, end: number): Promise<number[]> => {
  let next = first
  const taken: number[] = []
  const lane = async (): Promise<void> => {
    while (next < end) {
      const context = contextAt(next++)
      const from = performance.now()
      assertEntered(await submitBatch(ledger.desk, context))
      taken.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: run.inFlight }, lane))
  return taken
}

const requests = starts.length - 1
const warmed = Math.ceil(requests * run.warm)
await handIn(0, warmed)
const before = await cpuOf(process.pid)
const from = performance.timeOrigin + performance.now()
const taken = await handIn(warmed, requests)
const to = performance.timeOrigin + performance.now()
const after = await cpuOf(process.pid)
const transfers = (requests - warmed) * run.records
const result: ProcessResult = {
  perSecond: transfers / ((to - from) / 1_000),
  cpuMicros: (after.allMicros - before.allMicros) / transfers,
  mainMicros: (after.mainMicros - before.mainMicros) / transfers,
  ...{ medianMs: quantile(taken, 0.5), p99Ms: quantile(taken, 0.99) },
  residentMb: await residentMegabytes(process.pid),
  ...{ from, to, transfers },
}
await ledger.close()
answer(result)
