import { answer, cpuOf, readInput } from '../child.ts'
import type { Draw } from './draw.ts'
import { openPlainLedger, signPlain } from './plain-ledger.ts'

/** What a ledger as one writes it first does by itself, without HTTP. */

export type PlainRun = { file: string; customers: number; draw: Draw; transfers: number }
export type PlainResult = { perSecond: number; cpuMicros: number }

const run = await readInput<PlainRun>()
const { transfer, close } = await openPlainLedger(run.file, run.customers)
const pieces = signPlain(run.draw, run.customers, run.transfers)
const warm = Math.ceil(pieces.length / 5)
for (const piece of pieces.slice(0, warm)) await transfer(piece)
const before = await cpuOf(process.pid)
const from = performance.now()
for (const piece of pieces.slice(warm)) await transfer(piece)
const seconds = (performance.now() - from) / 1_000
const after = await cpuOf(process.pid)
const timed = pieces.length - warm
await close()
const result: PlainResult = {
  perSecond: timed / seconds,
  cpuMicros: (after.allMicros - before.allMicros) / timed,
}
answer(result)
