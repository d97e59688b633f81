import { readFileSync } from 'node:fs'
import type { Context } from '../../src/kernel/plugin.ts'
import { submitBatch } from '../../src/plugins/cbdc/actions/payments.ts'
import { answer, cpuOf, readInput, residentMegabytes } from '../child.ts'
import { bankDid, openBenchLedger, type Place } from './ledger.ts'
import { assertEntered, openLines, quantile } from './requests.ts'
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
const lines = openLines<SignedRequest>(readFileSync(run.requestsFile))

const contextAt = (at: number): Context => {
  const { bodySha256, body } = lines.at(at)
  return { body, headers: {}, caller: { kind: 'agency', id: bankDid, bodySha256 } } as unknown as Context
}

/** @returns milliseconds of each request. */
const handIn = async (first: number, end: number): Promise<number[]> => {
  let next = first
  const taken: number[] = []
  const lane = async (): Promise<void> => {
    while (next < end) {
      const context = contextAt(next++)
      const from = performance.now()
      assertEntered((await submitBatch(ledger.desk, context)).body)
      taken.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: run.inFlight }, lane))
  return taken
}

const requests = lines.count
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
