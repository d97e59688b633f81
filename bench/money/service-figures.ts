import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, launch, measure } from '../child.ts'
import type { BenchOptions, Figure } from '../harness.ts'
import type { BatchRun, LoadResult } from './batch-run.ts'
import type { HttpRun } from './http-run.ts'
import { type Nation, openMoneyNation } from './nation.ts'
import type { PlainLoad, PlainLoadResult } from './plain-load.ts'
import type { SignRun } from './sign.ts'

/** The ledger from outside: the real service with its chain, over HTTP, beside express with a plain ledger behind it. */

const plainName = 'express and TypeORM'
const records = 100
const clients = 64

const noteOf = ({ cpuMicros, mainMicros, medianMs, p99Ms, seconds }: LoadResult): string =>
  `for ${seconds.toFixed(0)} s; half answered within ${medianMs.toFixed(0)} ms, 99 % within ${p99Ms.toFixed(0)} ms; ` +
  `${cpuMicros.toFixed(0)} µs of the service's CPU a transfer, ${mainMicros.toFixed(0)} of them on its main thread`

export const openServiceFigures = (
  { quick, say }: BenchOptions,
  directory: string,
): { figures: Figure[]; close(): Promise<void> } => {
  const customers = quick ? 200_000 : 1_000_000
  const requests = quick ? 600 : 4_500
  let opened: Promise<Nation> | undefined

  const nation = (): Promise<Nation> => {
    if (opened === undefined) say(`money: a nation starts, with ${customers} customers and ${10 * customers} transfers`)
    opened ??= openMoneyNation({ customers, transfers: 10 * customers, wallets: clients })
    return opened
  }

  const running = async (work: (ground: Nation, pid: number) => Promise<LoadResult>): Promise<LoadResult> => {
    const ground = await nation()
    const service = await ground.start()
    try {
      return await work(ground, service.pid)
    } finally {
      await service.stop()
    }
  }

  const batched = async (): Promise<LoadResult> => {
    const { place, first, domain } = await nation()
    const requestsFile = join(directory, 'service-requests')
    const draw = { spread: 'uniform', keys: 'both' } as const
    const signing = {
      place,
      into: requestsFile,
      draw,
      customers,
      requests,
      records,
      seed: 11,
      nation: { first, domain },
    }
    await measure('./money/sign.ts', signing satisfies SignRun)
    const [warmSeconds, seconds] = quick ? [2, 10] : [5, 60]
    return running((ground, pid) =>
      measure<LoadResult>('./money/batch-run.ts', {
        ...{ nation: ground, requestsFile, records, inFlight: 16, warmSeconds, seconds, pid },
      } satisfies BatchRun),
    )
  }

  let kept: Promise<LoadResult> | undefined
  const single = (): Promise<LoadResult> => {
    const [warm, payments] = quick ? [30, 150] : [60, 400]
    kept ??= running((ground, pid) =>
      measure<LoadResult>('./money/http-run.ts', {
        ...{ nation: ground, customers, warm, payments, pid },
      } satisfies HttpRun),
    )
    return kept
  }

  /** @param each requests of so many transfers that a client sends. */
  const plain = async (of: Pick<PlainLoad, 'clients' | 'records' | 'each'>): Promise<number> => {
    const [port, key, file] = [await freePort(), 'bench', join(directory, `plain-${of.records}.sqlite`)]
    const env = { PLAIN_FILE: file, PLAIN_CUSTOMERS: String(customers), PLAIN_PORT: String(port), PLAIN_KEY: key }
    const service = await launch(['bench/money/plain-http.ts'], env)
    try {
      const load: PlainLoad = { ...of, url: `http://127.0.0.1:${port}/transfers`, key, customers }
      return (await measure<PlainLoadResult>('./money/plain-load.ts', load)).perSecond
    } finally {
      await service.stop()
      await rm(file, { force: true })
    }
  }

  const figures: Figure[] = [
    {
      ...{ name: 'money.batch', unit: '/s', better: 'more', goal: { atLeast: 4_000 } },
      async run() {
        const result = await batched()
        const peer = { name: plainName, value: await plain({ clients: 8, records, each: 1 }) }
        return { value: result.perSecond, peer, note: `requests of ${records} over HTTP, ${noteOf(result)}` }
      },
    },
    {
      ...{ name: 'money.http', unit: '/s', better: 'more', goal: { atLeast: 1_500 } },
      async run() {
        const result = await single()
        const peer = { name: plainName, value: await plain({ clients, records: 1, each: 16 }) }
        return { value: result.perSecond, peer, note: `${clients} citizens with sessions, ${noteOf(result)}` }
      },
    },
    {
      ...{ name: 'money.http.p99', unit: 'ms', better: 'less', goal: { atMost: 150 } },
      run: async () => ({ value: (await single()).p99Ms, note: `${clients} citizens, one payment each at a time` }),
    },
  ]
  return { figures, close: async () => void (await (await opened?.catch(() => undefined))?.close()) }
}
