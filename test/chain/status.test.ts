import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Chain1763600000001 } from '../../migrations/chain/0001-chain.ts'
import { openListPairArgs, toSeconds } from '../../src/chain/contracts.ts'
import { chainEntities } from '../../src/chain/entities.ts'
import type { Follower } from '../../src/chain/follower.ts'
import { openStore } from '../../src/store/store.ts'
import { clearBits, type Ground, listLength, openGround, openLists, refusalOf, setBits } from './ground.ts'

let ground: Ground
let follower: Follower

beforeAll(async () => {
  ground = await openGround()
  follower = await ground.openFollower()
  await ground.send(openLists(ground.issuer, 0))
  await follower.poke()
})
afterAll(() => ground.close())

const status = (list: number, index: number) => follower.status.status(ground.pointer(list, index))

describe('the status of a credential', () => {
  it('is revoked as soon as the block with the revocation is followed', async () => {
    expect(status(0, 300)).toBe('valid')
    await ground.send(setBits(ground.issuer, [{ list: 0, index: 300 }]))
    await follower.poke()
    expect(status(0, 300)).toBe('revoked')
    expect(status(0, 299)).toBe('valid')
    expect(status(0, 301)).toBe('valid')
  })

  it('stays suspended until the block that reinstates it has its confirmations', async () => {
    await ground.send(setBits(ground.issuer, [{ list: 1, index: 7 }]))
    await follower.poke()
    expect(status(0, 7)).toBe('suspended')
    await ground.send(clearBits(ground.issuer, [{ list: 1, index: 7 }]))
    await follower.poke()
    expect(status(0, 7)).toBe('suspended')
    await ground.embedded.mine()
    await follower.poke()
    expect(status(0, 7)).toBe('suspended')
    await ground.embedded.mine()
    await follower.poke()
    expect(status(0, 7)).toBe('valid')
  })

  it('is revoked when it is both revoked and suspended', async () => {
    const bits = [
      { list: 0, index: 9 },
      { list: 1, index: 9 },
    ]
    await ground.send(setBits(ground.issuer, bits))
    await follower.poke()
    expect(status(0, 9)).toBe('revoked')
  })

  it('can be asked for a past time, with the block that it rests on', async () => {
    const before = follower.status.head()
    while (Math.floor(Date.now() / 1000) * 1000 <= before.timestamp) await new Promise(r => setTimeout(r, 50))
    await ground.send(setBits(ground.issuer, [{ list: 0, index: 40 }]))
    await follower.poke()
    const past = await follower.status.statusAt(ground.pointer(0, 40), before.timestamp)
    expect(past.status).toBe('valid')
    expect(past.block.timestamp).toBe(before.timestamp)
    const now = await follower.status.statusAt(ground.pointer(0, 40), ground.clock.now())
    expect(now).toEqual({ status: 'revoked', block: follower.status.head() })
  })

  it('is unknown for a time before the list was opened', async () => {
    const opened = follower.status.openedAt(ground.issuer, 0) ?? 0
    const early = () => follower.status.statusAt(ground.pointer(0, 1), opened - 1_000)
    expect(await refusalOf(early)).toBe('status_list_unknown')
  })

  it('is refused for a registry or a chain that is not ours', async () => {
    const pointer = ground.pointer(0, 1)
    const registry = ground.deployment.addresses.TrustRegistry
    expect(await refusalOf(() => follower.status.status({ ...pointer, registry }))).toBe('status_foreign_registry')
    expect(await refusalOf(() => follower.status.status({ ...pointer, chain: 'eip155:1' }))).toBe(
      'status_foreign_registry',
    )
  })

  it.each([2, 1, 1.5, -2, Number.MAX_SAFE_INTEGER])(
    'is refused for list %d, which is no revocation list',
    async list => {
      expect(await refusalOf(() => status(list, 1))).toBe('status_list_unknown')
    },
  )

  it.each([131_072, -1, 0.5, Number.NaN, 2 ** 32])('is refused for index %d', async index => {
    expect(await refusalOf(() => status(0, index))).toBe('status_index_out_of_range')
  })

  it('is refused when the chain has not been followed for longer than allowed', async () => {
    const late = await ground.openFollower({ maxLagMs: 1_000, pollMs: 3_600_000 })
    expect(late.status.status(ground.pointer(0, 1))).toBe('valid')
    ground.clock.ahead = 1_500
    expect(await refusalOf(() => late.status.status(ground.pointer(0, 1)))).toBe('status_unavailable')
    expect(await refusalOf(() => late.trust.accreditation(ground.issuer, 'X', 0))).toBe('status_unavailable')
    expect(await refusalOf(() => late.status.head())).toBe('status_unavailable')
    ground.clock.ahead = 0
  })

  it('is refused when the newest block is too old, however often it is asked for', async () => {
    const late = await ground.openFollower({ maxHeadAgeMs: 30_000 })
    ground.clock.ahead = 60_000
    await late.poke()
    expect(await refusalOf(() => late.status.status(ground.pointer(0, 1)))).toBe('status_unavailable')
    ground.clock.ahead = 0
  })

  it('gives the bytes of the Bitstring Status List', () => {
    const bits = follower.bits(ground.issuer, 0)
    expect(bits?.length).toBe(131_072 / 8)
    expect([300, 9, 40].map(index => ((bits?.[index >> 3] ?? 0) >> (7 - (index & 7))) & 1)).toEqual([1, 1, 1])
    expect(bits?.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)).toBe(3)
  })

  it('is the same after the follower starts again from its store', async () => {
    const file = join(ground.dir, 'again.sqlite')
    const open = () => openStore({ file, migrations: [Chain1763600000001], entities: chainEntities })
    const first = await ground.openFollower({ store: await open() })
    const bits = [first.bits(ground.issuer, 0), first.bits(ground.issuer, 1)]
    const second = await ground.openFollower({ store: await open() })
    expect([second.bits(ground.issuer, 0), second.bits(ground.issuer, 1)]).toEqual(bits)
    expect(second.listFacts(ground.issuer, 0)).toEqual(first.listFacts(ground.issuer, 0))
    expect(second.lists(ground.issuer)).toEqual([0, 1])
  })
})

describe('the status of a credential in an anchored list', () => {
  const bits = (...set: number[]): Buffer => {
    const bytes = Buffer.alloc(listLength / 8)
    for (const index of set) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (0x80 >> (index & 7))
    return bytes
  }
  const anchor = (list: number, version: number, bytes: Buffer) => ({
    contract: 'StatusRegistry',
    method: 'anchor',
    args: [
      ...[ground.issuer, list, version, createHash('sha256').update(bytes).digest()],
      ...[toSeconds(follower.status.head().timestamp), 'https://lists.example/1'],
    ],
  })

  it('counts in the newest version only, once its bytes are here and are those that were anchored', async () => {
    const open = {
      contract: 'StatusRegistry',
      method: 'openLists',
      args: openListPairArgs(ground.issuer, 10, listLength, true),
    }
    await ground.send(open)
    await ground.send(anchor(10, 1, bits(3)), anchor(11, 1, bits(4)))
    await follower.poke()
    expect(await refusalOf(() => status(10, 3))).toBe('status_unavailable')
    expect(follower.loadAnchored(ground.issuer, 10, bits(5))).toBe(false)
    expect(follower.loadAnchored(ground.issuer, 10, bits(3))).toBe(true)
    expect(follower.loadAnchored(ground.issuer, 11, bits(4))).toBe(true)
    expect([3, 4, 5].map(index => status(10, index))).toEqual(['revoked', 'suspended', 'valid'])
    await ground.send(anchor(10, 2, bits(3, 5)))
    await follower.poke()
    expect(follower.loadAnchored(ground.issuer, 10, bits(3))).toBe(false)
    const strict = await ground.openFollower({ anchoredGraceMs: 0 })
    expect(await refusalOf(() => strict.status.status(ground.pointer(10, 5)))).toBe('status_unavailable')
    expect(status(10, 5)).toBe('valid')
    expect(follower.loadAnchored(ground.issuer, 10, bits(3, 5))).toBe(true)
    expect(status(10, 5)).toBe('revoked')
    expect(follower.listFacts(ground.issuer, 10)?.anchored).toMatchObject({
      version: 2,
      url: 'https://lists.example/1',
    })
  })
})
