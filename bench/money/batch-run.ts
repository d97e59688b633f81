import { readFileSync } from 'node:fs'
import { signAgencyRequest } from '../../src/identity/agency-token.ts'
import { openKeys } from '../../src/identity/keys.ts'
import { readMasterKey } from '../../src/identity/seal.ts'
import { answer, cpuOf, readInput } from '../child.ts'
import type { Nation } from './nation.ts'
import { assertEntered, openLines, quantile } from './requests.ts'
import type { SignedRequest } from './sign.ts'

/** A bank hands its customers' payments in over HTTP, some requests at once, each signed by the bank with its own key. */

export type BatchRun = {
  nation: Pick<Nation, 'url' | 'bank' | 'masterKey'>
  requestsFile: string
  records: number
  inFlight: number
  warmSeconds: number
  seconds: number
  /** Of the service. */
  pid: number
}
export type LoadResult = {
  perSecond: number
  medianMs: number
  p99Ms: number
  /** For so long. */
  seconds: number
  /** CPU time of the service a transfer, and of its main thread of that. */
  cpuMicros: number
  mainMicros: number
}

const run = await readInput<BatchRun>()
const { url: publicUrl, bank } = run.nation
const clock = { now: () => Date.now() }
const production = false
const masterKey = readMasterKey({ value: run.nation.masterKey, file: undefined, demoDirectory: undefined, production })
const keys = await openKeys({ agency: 'commercial-bank', directory: bank.directory, masterKey, clock })
const { keyId } = await keys.obtain({ kind: 'P-256', alias: 'signing' })
const by = { key: { ...bank, keyId, algorithm: 'ES256' as const }, signer: keys.signer, clock }

const url = `${publicUrl}/cbdc/batches`
const handIn = async ({ body }: SignedRequest): Promise<void> => {
  const token = await signAgencyRequest({ audience: publicUrl, method: 'POST', url, body }, by)
  const headers = { authorization: `Agency ${token}`, 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const answered = await response.json()
  if (response.status !== 200) throw new Error(`${response.status}: ${JSON.stringify(answered)}`)
  assertEntered(answered)
}

const lines = openLines<SignedRequest>(readFileSync(run.requestsFile))
const opens = performance.now() + run.warmSeconds * 1_000
const closes = opens + run.seconds * 1_000
const taken: number[] = []
let next = 0
let [begun, ended] = [0, 0]
let before = await cpuOf(run.pid)
const lane = async (): Promise<void> => {
  while (next < lines.count && performance.now() < closes) {
    const from = performance.now()
    await handIn(lines.at(next++))
    const now = performance.now()
    if (now < opens) continue
    if (begun === 0) {
      begun = now
      before = await cpuOf(run.pid)
      continue
    }
    ended = now
    taken.push(now - from)
  }
}
await Promise.all(Array.from({ length: run.inFlight }, lane))
const after = await cpuOf(run.pid)
await keys.close()
const transfers = taken.length * run.records
answer({
  perSecond: transfers / ((ended - begun) / 1_000),
  ...{ medianMs: quantile(taken, 0.5), p99Ms: quantile(taken, 0.99), seconds: (ended - begun) / 1_000 },
  cpuMicros: (after.allMicros - before.allMicros) / transfers,
  mainMicros: (after.mainMicros - before.mainMicros) / transfers,
} satisfies LoadResult)
