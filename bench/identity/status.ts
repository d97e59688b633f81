import { modes, purposes } from '../../src/chain/contracts.ts'
import type { History } from '../../src/chain/history.ts'
import type { Freshness } from '../../src/chain/readers.ts'
import { createReader } from '../../src/chain/readers.ts'
import { createReplica } from '../../src/chain/replica.ts'
import { answer, readInput } from '../child.ts'

/** Looks statuses up in the real replica, filled by events as the chain would. Run with --expose-gc. */

export type StatusRun = { statuses: number; lookUps: number }
export type StatusResult = { nanoseconds: number; bytesPerStatus: number; statuses: number }

const { statuses, lookUps } = await readInput<StatusRun>()
const listLength = Math.min(131_072, statuses)
const pairs = Math.ceil(statuses / listLength)
const issuer = '0x5b38da6a701c568545dcfcb03fcb875f56beddc4'
const registry = '0x00000000000000000000000000000000000000aa'
const chain = 'eip155:31337'

const memory = (): number => {
  for (let round = 0; round < 3; round++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Every hundredth bit is set, so that no page of a list stays empty. */
const words = (list: number): { word: number; bits: Uint8Array }[] =>
  Array.from({ length: Math.ceil(listLength / 256) }, (_, word) => {
    const bits = new Uint8Array(32)
    for (let bit = (word * 31 + list) % 100; bit < 256; bit += 100) bits[bit >>> 3] = 0x80 >>> (bit & 7)
    return { word, bits }
  })

const time = Math.floor(Date.now() / 1_000)
const filled = (count: number) => {
  const replica = createReplica()
  for (let list = 0; list < count * 2; list++) {
    const place = { issuer, list, block: 1 + list, log: 0, time }
    const purpose = list % 2 === 0 ? purposes.revocation : purposes.suspension
    replica.apply([{ kind: 'ListOpened', ...place, purpose, mode: modes.bitmap, length: listLength }])
    replica.apply(words(list).map(({ word, bits }) => ({ kind: 'StatusChanged', ...place, word, bits })))
  }
  return replica
}

// Once for nothing, so that compiled code does not count as statuses.
filled(1)
const before = memory()
const replica = filled(pairs)
const bytesPerStatus = (memory() - before) / (pairs * listLength)

const head = { chain, number: pairs * 2, hash: `0x${'0'.repeat(64)}`, timestamp: time * 1_000 }
const freshness: Freshness = {
  head: () => head,
  require: () => {
    if (Date.now() - head.timestamp > 600_000) throw new Error('stale')
  },
}
const { status } = createReader({
  ...{ replica, freshness, chain, statusRegistry: registry, confirmations: 0, anchoredGraceMs: 60_000 },
  history: undefined as unknown as History,
  clock: { now: () => Date.now() },
})

let seed = 12_345
/** Random places in any list; a number generator of three operations, so that it does not count. */
const round = (count: number): number => {
  const pointer = { chain, registry, issuer, list: 0, index: 0 }
  let bad = 0
  const from = process.hrtime.bigint()
  for (let at = 0; at < count; at++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    pointer.list = (seed % pairs) * 2
    pointer.index = (seed >>> 8) % listLength
    if (status.status(pointer) !== 'valid') bad += 1
  }
  const nanoseconds = Number(process.hrtime.bigint() - from) / count
  if (bad === 0 || bad > count / 10) throw new Error(`${bad} of ${count} statuses were not valid`)
  return nanoseconds
}
round(Math.ceil(lookUps / 4))
const nanoseconds = Math.min(...Array.from({ length: 10 }, () => round(Math.ceil(lookUps / 10))))
answer({ nanoseconds, bytesPerStatus, statuses: pairs * listLength } satisfies StatusResult)
