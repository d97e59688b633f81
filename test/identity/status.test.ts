import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { Credentials1763600000300 } from '../../migrations/agency/0300-credentials.ts'
import { Anchored1763600000350 } from '../../migrations/agency/0350-anchored.ts'
import { Evidence1763700000550 } from '../../migrations/agency/0550-evidence.ts'
import {
  batchBits,
  bitOf,
  listLength,
  openStatusLists,
  ownDecisions,
  permutation,
  withOwnDecisions,
} from '../../src/identity/status.ts'
import type { StatusPointer } from '../../src/kernel/ports.ts'
import { isRefusal } from '../../src/kernel/refusal.ts'
import { openStore } from '../../src/store/store.ts'
import { chain, registry, TestStatus } from './world.ts'

const issuer = `0x${'11'.repeat(20)}`
const pointer = (index: number, list = 0): StatusPointer => ({ chain, registry, issuer, list, index })

describe('the order of indices in a list', () => {
  it.each([1, 2, 3, 7, 256, 1_000, 5_003, 131_072])('gives each of %d out exactly once', length => {
    const indexOf = permutation(randomBytes(32), 0, length)
    const given = Array.from({ length }, (_, counter) => indexOf(counter))
    expect(new Set(given).size).toBe(length)
    expect(given.every(index => Number.isInteger(index) && index >= 0 && index < length)).toBe(true)
  })

  it('is the same for one secret and list, and another for another secret or list', () => {
    const first = (secret: Buffer, list: number) => {
      const indexOf = permutation(secret, list, listLength)
      return Array.from({ length: 64 }, (_, at) => indexOf(at))
    }
    const [a, b] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
    expect(first(a, 0)).toEqual(first(a, 0))
    expect(first(a, 0)).not.toEqual(first(b, 0))
    expect(first(a, 0)).not.toEqual(first(a, 2))
  })

  it('never changes: a list that is half used would give an index out twice', () => {
    const indexOf = permutation(Buffer.alloc(32, 7), 4, listLength)
    expect([0, 1, 2, 131_071].map(indexOf)).toEqual([17848, 19808, 107659, 104888])
  })

  it('puts neighbours in issuing far apart', () => {
    const indexOf = permutation(randomBytes(32), 0, listLength)
    const steps = Array.from({ length: 2_000 }, (_, at) => Math.abs(indexOf(at) - indexOf(at + 1)))
    const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length
    // A third of the length is what chance gives.
    expect(mean).toBeGreaterThan(listLength * 0.28)
    expect(mean).toBeLessThan(listLength * 0.39)
  })

  it.each([-1, 1.5, 100, Number.NaN])('has no place for the counter %d', counter => {
    expect(() => permutation(Buffer.alloc(32), 0, 100)(counter)).toThrow(RangeError)
  })
})

describe('allotting', () => {
  const opened: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close()
  })

  const open = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'status-'))
    const store = await openStore({
      file: join(folder, 'agency.sqlite'),
      migrations: [Credentials1763600000300, Anchored1763600000350, Evidence1763700000550],
      entities: [],
    })
    opened.push(
      () => rm(folder, { recursive: true }),
      () => store.close(),
    )
    const status = new TestStatus(() => 1)
    const asked: { list: number; length: number }[] = []
    /** Outbox ids of what the chain refused. */
    const refused = new Set<string>()
    const needs = {
      ...{ store, status, chain, registry, issuer, secret: Buffer.alloc(32, 3), mode: 'bitmap' as const },
      openOnChain: async (_tx: unknown, list: number, length: number) => `outbox ${asked.push({ list, length })}`,
      hasFailed: async (outbox: string) => refused.has(outbox),
    }
    return { store, status, asked, refused, needs, lists: openStatusLists(needs) }
  }

  const codeOf = async (work: Promise<unknown>): Promise<string | undefined> => {
    try {
      await work
    } catch (error) {
      if (isRefusal(error)) return error.code
      throw error
    }
    return undefined
  }

  it('is refused while no list is open on chain, and never gives a credential without status', async () => {
    const { lists, status, asked } = await open()
    expect(await codeOf(lists.allot())).toBe('status_list_unavailable')
    await lists.ensure()
    expect(asked).toEqual([{ list: 0, length: listLength }])
    expect(await codeOf(lists.allot())).toBe('status_list_unavailable')
    status.open(issuer, 0, 1)
    expect(await lists.allot()).toMatchObject({ chain, registry, issuer, list: 0 })
  })

  it('asks the chain for a list once, however often it makes sure', async () => {
    const { lists, asked } = await open()
    await Promise.all([lists.ensure(), lists.ensure(), lists.ensure()])
    await lists.ensure()
    expect(asked).toHaveLength(1)
  })

  it('asks the chain again for a list that it refused, once for each refusal, and gives indices of it at last', async () => {
    const { lists, status, asked, refused, needs } = await open()
    await lists.ensure()
    refused.add('outbox 1')
    expect(await codeOf(lists.allot())).toBe('status_list_unavailable')
    await Promise.all([lists.ensure(), openStatusLists(needs).ensure()])
    expect(asked).toEqual([
      { list: 0, length: listLength },
      { list: 0, length: listLength },
    ])
    expect(await codeOf(lists.allot())).toBe('status_list_unavailable')
    status.open(issuer, 0, 1)
    expect(await lists.allot()).toMatchObject({ list: 0 })
    refused.add('outbox 2')
    await lists.ensure()
    expect(asked).toHaveLength(2)
  })

  it('asks again by itself when indices are wanted, but not at every wish: each refusal costs its fee', async () => {
    const { lists, asked, refused } = await open()
    await lists.ensure()
    for (let wish = 0; wish < 5; wish += 1) {
      refused.add(`outbox ${asked.length}`)
      expect(await codeOf(lists.allot())).toBe('status_list_unavailable')
    }
    expect(asked).toHaveLength(2)
  })

  it('does not ask again for a list that is on its way, nor for one from before it was known how it fared', async () => {
    const { lists, asked, store } = await open()
    await lists.ensure()
    await codeOf(lists.allot())
    await store.transaction(tx => tx.query('UPDATE status_lists SET opening = NULL'))
    await lists.ensure()
    expect(asked).toHaveLength(1)
  })

  it('gives no index twice, neither at once nor to two processes nor after a start', async () => {
    const { lists, needs, status } = await open()
    await lists.ensure()
    status.open(issuer, 0, 1)
    const second = openStatusLists(needs)
    const given = await Promise.all(Array.from({ length: 3_000 }, (_, at) => (at % 2 === 0 ? lists : second).allot()))
    const third = openStatusLists(needs)
    for (let at = 0; at < 100; at++) given.push(await third.allot())
    expect(new Set(given.map(({ list, index }) => `${list}:${index}`)).size).toBe(given.length)
    expect(given.every(({ index }) => index >= 0 && index < listLength)).toBe(true)
  })

  it('opens the next pair at four fifths and goes over to it when the first is full', async () => {
    const { lists, needs, store, status, asked } = await open()
    await lists.ensure()
    status.open(issuer, 0, 1)
    await store.transaction(tx =>
      tx.query('UPDATE status_lists SET next = ? WHERE list = 0', [Math.floor(listLength * 0.8)]),
    )
    const late = openStatusLists(needs)
    expect((await late.allot()).list).toBe(0)
    expect(asked).toEqual([
      { list: 0, length: listLength },
      { list: 2, length: listLength },
    ])
    await store.transaction(tx => tx.query('UPDATE status_lists SET next = length WHERE list = 0'))
    const later = openStatusLists(needs)
    expect(await codeOf(later.allot())).toBe('status_list_unavailable')
    status.open(issuer, 2, 1)
    expect((await later.allot()).list).toBe(2)
  })
})

describe('the issuer’s own decisions', () => {
  it('count before the chain shows them, and the worse of the two wins', () => {
    const reader = new TestStatus(() => 1)
    reader.open(issuer, 0, 1)
    const own = ownDecisions()
    const both = withOwnDecisions(reader, own)
    expect(both.status(pointer(1))).toBe('valid')
    own.decide(pointer(1), 'revoked')
    expect(both.status(pointer(1))).toBe('revoked')
    expect(both.status(pointer(2))).toBe('valid')
    reader.set(pointer(3), 'revoked')
    own.decide(pointer(3), 'suspended')
    expect(both.status(pointer(3))).toBe('revoked')
  })

  it('lift a suspension but never a revocation', () => {
    const own = ownDecisions()
    own.decide(pointer(1), 'suspended')
    own.decide(pointer(1), 'valid')
    expect(own.of(pointer(1))).toBeUndefined()
    own.decide(pointer(1), 'revoked')
    own.decide(pointer(1), 'suspended')
    own.decide(pointer(1), 'valid')
    expect(own.of(pointer(1))).toBe('revoked')
  })

  it('leave a suspension standing that the chain still shows', () => {
    const reader = new TestStatus(() => 1)
    reader.open(issuer, 0, 1)
    reader.set(pointer(1), 'suspended')
    const own = ownDecisions()
    own.decide(pointer(1), 'valid')
    expect(withOwnDecisions(reader, own).status(pointer(1))).toBe('suspended')
  })

  it('do not make a stale chain good', () => {
    const reader = new TestStatus(() => 1)
    reader.open(issuer, 0, 1)
    reader.stale = true
    const own = ownDecisions()
    own.decide(pointer(1), 'revoked')
    expect(() => withOwnDecisions(reader, own).status(pointer(1))).toThrow('too old')
  })
})

describe('bits and words', () => {
  it('count from the most significant bit of word 0', () => {
    expect(bitOf(0)).toEqual({ word: 0, mask: 1n << 255n })
    expect(bitOf(255)).toEqual({ word: 0, mask: 1n })
    expect(bitOf(256)).toEqual({ word: 1, mask: 1n << 255n })
  })

  it('put every bit into exactly one transaction of at most 400 words', () => {
    const change = fc.record({ list: fc.constantFrom(0, 1, 2, 3), index: fc.nat({ max: listLength - 1 }) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 2_000 }), changes => {
        const seen = new Set<string>()
        for (const { lists, words, masks } of batchBits(changes)) {
          expect(words.length).toBeLessThanOrEqual(400)
          words.forEach((word, at) => {
            const bits = BigInt(masks[at] ?? '0')
              .toString(2)
              .padStart(256, '0')
            for (let bit = bits.indexOf('1'); bit >= 0; bit = bits.indexOf('1', bit + 1)) {
              seen.add(`${lists[at]}:${word * 256 + bit}`)
            }
          })
        }
        expect([...seen].sort()).toEqual([...new Set(changes.map(({ list, index }) => `${list}:${index}`))].sort())
      }),
      { numRuns: 20 },
    )
  })

  it('revoke a thousand credentials in at most ten transactions', () => {
    const indexOf = permutation(randomBytes(32), 0, listLength)
    const changes = Array.from({ length: 1_000 }, (_, at) => ({ list: 0, index: indexOf(at) }))
    expect(batchBits(changes).length).toBeLessThanOrEqual(10)
  })
})
