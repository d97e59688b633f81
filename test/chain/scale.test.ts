import { describe, expect, it } from '@jest/globals'
import type { WordEvent } from '../../src/chain/events.ts'
import { createReplica, type Replica } from '../../src/chain/replica.ts'

const listLength = 1 << 17
const issuer = `0x${'1'.repeat(40)}`

/** A replica with room for so many statuses, one in ten of them revoked, spread over every page. */
const replicaOf = (statuses: number): Replica => {
  const replica = createReplica()
  const lists = Math.ceil(statuses / listLength)
  for (let i = 0; i < lists; i++) {
    for (const [offset, purpose] of [1, 2].entries()) {
      const list = i * 2 + offset
      const place = { block: 1, log: list, time: 1, issuer, list }
      replica.apply([{ kind: 'ListOpened', ...place, purpose, mode: 0, length: listLength }])
      const words: WordEvent[] = Array.from({ length: listLength / 256 }, (_, word) => {
        const bits = new Uint8Array(32)
        for (let bit = word % 10; bit < 256; bit += 10) bits[bit >> 3] = (bits[bit >> 3] ?? 0) | (0x80 >> (bit & 7))
        return { kind: 'StatusChanged', ...place, word, bits }
      })
      replica.apply(words)
    }
  }
  replica.settle(1)
  return replica
}

const nanosecondsPerLookup = (replica: Replica, statuses: number): number => {
  const lookups = 1_000_000
  let revoked = 0
  let at = 12_345
  const start = performance.now()
  for (let i = 0; i < lookups; i++) {
    at = (Math.imul(at, 1_103_515_245) + 12_345) & 0x7fffffff
    const number = at % statuses
    const list = replica.list(issuer, Math.floor(number / listLength) * 2)
    if (list?.bits.isSet(number % listLength)) revoked += 1
  }
  expect(revoked).toBeGreaterThan(lookups / 20)
  return ((performance.now() - start) * 1e6) / lookups
}

describe('ten million statuses', () => {
  it('take less than 0.3 bytes each, and a lookup costs what it costs among a thousand', () => {
    const [few, many] = [1_000, 10_000_000]
    const small = replicaOf(few)
    const large = replicaOf(many)
    const { bytes, statuses } = large.size()
    expect(statuses).toBeGreaterThanOrEqual(many)
    expect(bytes / statuses).toBeLessThan(0.3)
    nanosecondsPerLookup(small, few)
    nanosecondsPerLookup(large, many)
    const times = [nanosecondsPerLookup(small, few), nanosecondsPerLookup(large, many)] as const
    // The memory is larger than the processor's caches: that may be felt, growth with the number may not.
    expect(times[1]).toBeLessThan(times[0] * 4 + 200)
  })

  it('take nothing where no bit is set', () => {
    const replica = createReplica()
    for (let list = 0; list < 160; list++) {
      const place = { block: 1, log: list, time: 1, issuer, list }
      replica.apply([{ kind: 'ListOpened', ...place, purpose: 1 + (list % 2), mode: 0, length: listLength }])
    }
    const { bytes, statuses } = replica.size()
    expect(bytes / statuses).toBeLessThan(0.001)
  })
})
