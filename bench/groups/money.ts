import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measure } from '../child.ts'
import type { BenchOptions, Figure, Group } from '../harness.ts'
import { apartOf, type Draw } from '../money/draw.ts'
import type { Place } from '../money/ledger.ts'
import type { PlainResult, PlainRun } from '../money/plain.ts'
import { openPostgresServer } from '../money/postgres.ts'
import type { ProcessResult, ProcessRun } from '../money/process-run.ts'
import type { SeedRun } from '../money/seed.ts'
import { openServiceFigures } from '../money/service-figures.ts'
import type { SignRun } from '../money/sign.ts'

/**
 * The ledger of money: a bank's requests of a hundred signed transfers each, entered durably with signatures, KYC status,
 * limits, rules and evidence. Customers sign beforehand, so that it takes no part in what is measured.
 */

const records = 100
const plainName = 'TypeORM, row by row'

const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let kept: Promise<T> | undefined
  return () => {
    kept ??= work()
    return kept
  }
}

const medianOf = <T>(values: readonly T[], of: (value: T) => number): T => {
  const middle = values.toSorted((a, b) => of(a) - of(b))[values.length >> 1]
  if (middle === undefined) throw new Error('nothing was measured')
  return middle
}

type Part = { at: number; of: number }

const open = ({ quick, say }: BenchOptions) => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-bench-money-'))
  const service = openServiceFigures({ quick, say }, directory)
  const customers = quick ? 200_000 : 1_000_000
  const history = 10 * customers
  const requests = quick ? 300 : 1_000
  const rounds = quick ? 1 : 3
  // Less than what may come in any order, so that no nonce is ever early.
  const inFlight = Math.min(32, Math.max(2, Math.floor(apartOf(customers) / records / 1.25)))
  let seed = 1

  const seeded = async (place: Place, transfers: number): Promise<Place> => {
    say(`money: ${customers} accounts and ${transfers} transfers are filled in`)
    await measure('./money/seed.ts', { place, customers, transfers } satisfies SeedRun)
    return place
  }
  const old = once(() => seeded({ file: join(directory, 'old.sqlite') }, history))
  const fresh = once(() => seeded({ file: join(directory, 'fresh.sqlite') }, 0))

  /** Requests signed by the payers of one process, and what handing them in came to. */
  const prepared = async (place: Place, draw: Draw, { at, of }: Part = { at: 0, of: 1 }): Promise<ProcessRun> => {
    const requestsFile = join(directory, `requests-${at}`)
    const signing = { place, into: requestsFile, draw, customers, requests: Math.ceil(requests / of), records }
    await measure('./money/sign.ts', { ...signing, seed: seed++ } satisfies SignRun)
    return { place, customers, requestsFile, records, inFlight: Math.ceil(inFlight / of), warm: 0.2 }
  }
  const handedIn = (run: ProcessRun): Promise<ProcessResult> => measure<ProcessResult>('./money/process-run.ts', run)

  const processed = async (place: Place, draw: Draw): Promise<ProcessResult & { spread: string }> => {
    const results: ProcessResult[] = []
    for (let round = 0; round < rounds; round += 1) results.push(await handedIn(await prepared(place, draw)))
    const rates = results.map(({ perSecond }) => Math.round(perSecond))
    const spread = rounds === 1 ? '' : `${Math.min(...rates)} to ${Math.max(...rates)} in ${rounds} rounds; `
    return { ...medianOf(results, ({ perSecond }) => perSecond), spread }
  }
  const noteOf = ({ spread, cpuMicros, mainMicros, medianMs, p99Ms }: ProcessResult & { spread: string }): string =>
    `${spread}${cpuMicros.toFixed(0)} µs of CPU a transfer, ${mainMicros.toFixed(0)} of them on the main thread; ` +
    `${inFlight} requests of ${records} at once, half answered within ${medianMs.toFixed(0)} ms, 99 % within ${p99Ms.toFixed(0)} ms`

  const uniform = once(async () => processed(await old(), { spread: 'uniform', keys: 'both' }))
  const empty = once(async () => processed(await fresh(), { spread: 'uniform', keys: 'both' }))
  const plain = once(async () => {
    const run: PlainRun = {
      ...{ file: join(directory, 'plain.sqlite'), customers, transfers: quick ? 500 : 3_000 },
      draw: { spread: 'uniform', keys: 'both' },
    }
    return measure<PlainResult>('./money/plain.ts', run)
  })

  const inProcess = (
    name: string,
    goal: Figure['goal'],
    run: () => Promise<ProcessResult & { spread: string }>,
  ): Figure => ({
    ...{ name, unit: '/s', better: 'more', ...(goal !== undefined && { goal }) },
    async run() {
      const result = await run()
      const { perSecond, cpuMicros } = await plain()
      const note = `${noteOf(result)}; row by row ${cpuMicros.toFixed(0)} µs of CPU`
      return { value: result.perSecond, peer: { name: plainName, value: perSecond }, note }
    },
  })

  /** Two processes on one database, each with payers of its own, at the same time. */
  const onPostgres = async () => {
    const server = await openPostgresServer()
    try {
      const place = await seeded({ databaseUrl: server.url, schema: 'money' }, history)
      const rates: number[] = []
      for (let round = 0; round < rounds; round += 1) {
        const runs = await Promise.all(
          ([0, 1] as const).map(share =>
            prepared(place, { spread: 'uniform', keys: 'both', share }, { at: share, of: 2 }),
          ),
        )
        const results = await Promise.all(runs.map(handedIn))
        const from = Math.min(...results.map(result => result.from))
        const to = Math.max(...results.map(result => result.to))
        rates.push(results.reduce((sum, { transfers }) => sum + transfers, 0) / ((to - from) / 1_000))
      }
      return { value: medianOf(rates, rate => rate), rates }
    } finally {
      await server.close()
    }
  }

  const figures: Figure[] = [
    inProcess('money.process', { atLeast: 10_000 }, uniform),
    inProcess('money.process.hot', { atLeast: 10_000 }, async () =>
      processed(await old(), { spread: 'hot', keys: 'both' }),
    ),
    inProcess('money.process.secp256k1', undefined, async () =>
      processed(await old(), { spread: 'uniform', keys: 'secp256k1' }),
    ),
    inProcess('money.process.p256', undefined, async () =>
      processed(await old(), { spread: 'uniform', keys: 'P-256' }),
    ),
    {
      ...{ name: 'money.history', unit: '%', better: 'less', goal: { atMost: 20 } },
      async run() {
        const [without, with_] = [await empty(), await uniform()]
        const value = 100 * (1 - with_.perSecond / without.perSecond)
        const note = `slower with ${history} transfers behind it than with none: ${Math.round(without.perSecond)}/s then; ${noteOf(without)}`
        return { value, note }
      },
    },
    {
      ...{ name: 'money.memory', unit: 'MB', better: 'less', goal: { atMost: 1_000 } },
      async run() {
        const { residentMb } = await uniform()
        return { value: residentMb, note: `resident after ${requests * records} transfers among ${customers} accounts` }
      },
    },
    {
      ...{ name: 'money.postgres', unit: '/s', better: 'more', goal: { atLeast: 6_000 } },
      async run() {
        const { value, rates } = await onPostgres()
        const spread = rates.map(rate => Math.round(rate)).join(', ')
        return { value, note: `two processes on one PostgreSQL, on the cores it runs on itself; rounds: ${spread}` }
      },
    },
    ...service.figures,
  ]
  const close = async (): Promise<void> => {
    await service.close()
    await rm(directory, { recursive: true, force: true })
  }
  return { figures, close }
}

export const group: Group = { name: 'money', open }
