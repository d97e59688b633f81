import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { Store1760000000100 } from '../../../migrations/agency/0100-store.ts'
import { Outbox1763600000200 } from '../../../migrations/agency/0200-outbox.ts'
import { Credentials1763600000300 } from '../../../migrations/agency/0300-credentials.ts'
import { Anchored1763600000350 } from '../../../migrations/agency/0350-anchored.ts'
import { Evidence1763700000550 } from '../../../migrations/agency/0550-evidence.ts'
import { openListPairArgs } from '../../../src/chain/contracts.ts'
import { outboxEntities } from '../../../src/chain/entities.ts'
import type { Follower } from '../../../src/chain/follower.ts'
import { type Outbox, openOutbox } from '../../../src/chain/outbox.ts'
import { openStatusLists } from '../../../src/identity/status.ts'
import type { Context } from '../../../src/kernel/plugin.ts'
import type { Row, StatusValue, Store } from '../../../src/kernel/ports.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import {
  anchorRound,
  getAnchoredStatusList,
  publishFirst,
  type RoundNeeds,
  readPublished,
} from '../../../src/plugins/credentials/actions/anchored.ts'
import { decideStatus, followStatusChange } from '../../../src/plugins/credentials/actions/status.ts'
import { entities } from '../../../src/plugins/credentials/entities.ts'
import type { CredentialsNeeds } from '../../../src/plugins/credentials/needs.ts'
import { storeEntities } from '../../../src/store/entities.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openStore } from '../../../src/store/store.ts'
import { type Ground, listLength, openGround } from '../../chain/ground.ts'
import { stopPostgres, withPostgres } from '../../postgres.ts'

let ground: Ground
let store: Store
let outbox: Outbox
let follower: Follower
let needs: RoundNeeds
let credentials: CredentialsNeeds
let held = true

const publicUrl = 'https://agency.example'
const idOf = (index: number): string => `urn:uuid:${String(index).padStart(12, '0')}`

/** A credential of list 0, without its text. */
const issue = (...indices: number[]) =>
  store.transaction(async tx =>
    tx.insert(
      'credentials',
      indices.map(index => ({
        ...{ id: idOf(index), type: 'X', type_version: 1, format: 'vc+jwt', status_list: 0, status_index: index },
        ...{ issued_at: 1, valid_until: 2, compact: '' },
      })),
    ),
  )

const decide = (purpose: 'revocation' | 'suspension', set: boolean, ...indices: number[]) =>
  store.transaction(tx => decideStatus(credentials, tx, indices.map(idOf), { purpose, set, reason: null }))

const versions = async (list: number): Promise<number[]> =>
  (
    await store.read<{ version: number }>('SELECT version FROM anchored_lists WHERE list = ? ORDER BY version', [list])
  ).map(row => row.version)
const newest = async (list: number): Promise<Buffer> => {
  const found = await readPublished(store, list, (await versions(list)).at(-1) ?? 0)
  return found?.bits ?? Buffer.alloc(0)
}
const setIn = (bits: Buffer): number[] =>
  [...bits].flatMap((byte, at) => [0, 1, 2, 3, 4, 5, 6, 7].flatMap(bit => (byte & (0x80 >> bit) ? [at * 8 + bit] : [])))

const mined = async (): Promise<void> => {
  await outbox.poke()
  expect(await outbox.settled(20_000)).toBe(true)
  await follower.poke()
}
const stateOf = async (change: string): Promise<unknown> => {
  const caller = { kind: 'apiKey', id: 'clerk', scopes: ['credentials:status'] }
  const context = { params: { change }, caller } as unknown as Context
  return ((await followStatusChange(credentials, context)).body as { state: string }).state
}
const get = (list: number, version: number) =>
  getAnchoredStatusList(credentials, { params: { list: String(list), version: String(version) } } as unknown as Context)

const listsOf = (mode: 'bitmap' | 'anchored') => {
  const { issuer, client, contracts } = ground
  return openStatusLists({
    ...{ store, issuer, mode, status: follower.status, chain: client.chain, secret: Buffer.alloc(32) },
    registry: contracts.StatusRegistry.address,
    async openOnChain(tx, list, length) {
      const args = openListPairArgs(issuer, list, length, mode === 'anchored')
      const write = { contract: 'StatusRegistry', method: 'openLists', args, account: issuer }
      const id = await outbox.enqueue(tx, [write])
      if (mode === 'anchored') await publishFirst(needs, tx, list, length)
      return id
    },
    hasFailed: async id => (await outbox.state(id))?.state === 'failed',
  })
}

const openOn = async (database: string): Promise<void> => {
  ground = await openGround()
  const migrations = [
    ...[Store1760000000100, Outbox1763600000200, Credentials1763600000300, Anchored1763600000350],
    Evidence1763700000550,
  ]
  const all = [...storeEntities, ...outboxEntities, ...entities]
  const place =
    database === 'SQLite'
      ? { file: join(ground.dir, 'issuer.sqlite') }
      : { databaseUrl: await withPostgres(), schema: 'issuer' }
  store = await openStore({ ...place, migrations, entities: all })
  const { client, clock, account, contracts, issuer, embedded } = ground
  await ground.outbox.close()
  const { mine, persist } = embedded
  outbox = openOutbox({ store, client, clock, account, contracts, confirmations: 0, mine, persist })
  follower = await ground.openFollower()
  const house = { store, clock, journal, idempotency: openIdempotency(clock) }
  const lease = { hold: async () => held, check: async () => undefined }
  const anchoredVersion = (list: number) => follower.listFacts(issuer, list)?.anchored?.version ?? 0
  needs = { house, outbox, issuer, publicUrl, lease, anchoredVersion }
  credentials = {
    ...{ house, outbox, publicUrl, identity: { decide: () => undefined } },
    statusAuthority: { chain: client.chain, registry: contracts.StatusRegistry.address, issuer },
    statusWrites: () => [],
    newId: () => timeId(clock.now()),
  } as unknown as CredentialsNeeds
  await listsOf('anchored').ensure()
  await mined()
}

const close = async (database: string): Promise<void> => {
  await outbox?.close()
  await store?.close()
  await ground?.close()
  if (database !== 'SQLite') await stopPostgres()
}

describe.each(['SQLite', 'PostgreSQL'])('a round of anchored status lists on %s', database => {
  beforeAll(() => openOn(database))
  afterAll(() => close(database))

  it('finds the first version, all zero, anchored with the opening of the lists', async () => {
    for (const list of [0, 1]) {
      expect(follower.listFacts(ground.issuer, list)?.anchored?.version).toBe(1)
      expect(setIn(await newest(list))).toEqual([])
      expect(follower.loadAnchored(ground.issuer, list, await newest(list))).toBe(true)
    }
  })

  it('publishes nothing without a decision', async () => {
    expect(await anchorRound(needs)).toEqual({ published: [], behind: [] })
    expect(await versions(0)).toEqual([1])
  })

  it('publishes nothing in a process that does not have the lease', async () => {
    await issue(1)
    const change = await decide('revocation', true, 1)
    held = false
    expect(await anchorRound(needs)).toEqual({ published: [], behind: [] })
    held = true
    expect([await versions(0), await stateOf(change)]).toEqual([[1], 'queued'])
  })

  it('puts many decisions into one transaction a list, and they are followed from queued to final', async () => {
    const indices = Array.from({ length: 400 }, (_, index) => 1_000 + index * 300)
    await issue(...indices)
    const change = await decide('revocation', true, ...indices)
    expect(await stateOf(change)).toBe('queued')
    expect((await anchorRound(needs)).published).toEqual([0])
    await mined()
    expect(await stateOf(change)).toBe('final')
    expect(setIn(await newest(0))).toEqual([1, ...indices])
    const sql = 'SELECT hash FROM outbox WHERE hash IS NOT NULL ORDER BY id DESC LIMIT 1'
    const [last] = await store.read<Row & { hash: string }>(sql)
    const receipt = await ground.client.rpc<{ gasUsed: string }>('eth_getTransactionReceipt', [last?.hash])
    expect(Number(receipt.gasUsed)).toBeLessThan(50_000)
  })

  it('suspends and reinstates in the list of suspensions, by the order of the decisions', async () => {
    await issue(2, 3)
    await decide('suspension', true, 2, 3)
    await decide('suspension', false, 2)
    expect((await anchorRound(needs)).published).toEqual([1])
    await mined()
    expect(setIn(await newest(1))).toEqual([3])
    expect(follower.loadAnchored(ground.issuer, 1, await newest(1))).toBe(true)
  })

  it('waits while the last version is still on its way', async () => {
    await issue(4, 5)
    await decide('revocation', true, 4)
    const slow = { ...needs, outbox: { ...outbox, state: async () => ({ state: 'queued' as const }) } }
    const before = await versions(0)
    expect((await anchorRound(slow)).published).toEqual([])
    expect(await versions(0)).toEqual(before)
    expect((await anchorRound(needs)).published).toEqual([0])
    await mined()
  })

  it('takes back a version that the chain refused, and publishes its decisions with the next', async () => {
    const before = await versions(0)
    const change = await decide('revocation', true, 5)
    const inAnHour = { now: () => Date.now() + 3_600_000 }
    expect((await anchorRound({ ...needs, house: { ...needs.house, clock: inAnHour } })).published).toEqual([0])
    await mined()
    expect(await stateOf(change)).toBe('failed')
    expect((await anchorRound(needs)).published).toEqual([0])
    await mined()
    expect(await stateOf(change)).toBe('final')
    expect((await versions(0)).at(-1)).toBe((before.at(-1) ?? 0) + 1)
    expect(setIn(await newest(0))).toContain(5)
  })

  it('publishes nothing from an old copy of the database', async () => {
    await issue(6)
    await decide('revocation', true, 6)
    const before = await versions(0)
    const ahead = { ...needs, anchoredVersion: () => 1_000 }
    expect(await anchorRound(ahead)).toEqual({ published: [], behind: [0] })
    expect(await versions(0)).toEqual(before)
  })

  it('keeps the newest version and the one before, and serves these and no others', async () => {
    await anchorRound(needs)
    await mined()
    const [previous = 0, last = 0, ...more] = await versions(0)
    expect([previous + 1, more]).toEqual([last, []])
    const answer = await get(0, last)
    expect(answer.headers?.['cache-control']).toContain('immutable')
    const digest = createHash('sha256')
      .update(gunzipSync(answer.body as Buffer))
      .digest('hex')
    expect(follower.listFacts(ground.issuer, 0)?.anchored).toMatchObject({
      version: last,
      digest: `0x${digest}`,
      url: `${publicUrl}/status/raw/0/${last}`,
    })
    for (const [list, version] of [
      [0, last + 1],
      [0, previous - 1],
      [7, 1],
    ] as const) {
      await expect(get(list, version)).rejects.toMatchObject({ kind: 'not_found', code: 'status_list_unknown' })
    }
  })

  it('is not to be kept by anyone before the chain has it', async () => {
    await issue(8)
    await decide('revocation', true, 8)
    await anchorRound(needs)
    const last = (await versions(0)).at(-1) ?? 0
    const unsure = { ...credentials, outbox: { ...outbox, state: async () => ({ state: 'queued' as const }) } }
    const context = { params: { list: '0', version: String(last) } } as unknown as Context
    expect((await getAnchoredStatusList(unsure, context)).headers?.['cache-control']).toBe('no-store')
    await mined()
  })

  it('only ever sets bits in the list of revocations, whatever is decided', async () => {
    let next = 50_000
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<StatusValue>('valid', 'suspended', 'revoked'), { minLength: 1, maxLength: 8 }),
        async wishes => {
          const index = next++
          await issue(index)
          const before = [setIn(await newest(0)), setIn(await newest(1))]
          let revoked = false
          for (const wish of wishes) {
            if (revoked) await expect(decide('suspension', wish !== 'valid', index)).rejects.toThrow('never undone')
            else if (wish === 'revoked') await decide('revocation', true, index)
            else await decide('suspension', wish === 'suspended', index)
            revoked ||= wish === 'revoked'
          }
          await anchorRound(needs)
          await mined()
          expect(setIn(await newest(0))).toEqual(
            revoked ? [...(before[0] ?? []), index].sort((a, b) => a - b) : before[0],
          )
          const last = wishes.filter((_, at) => !wishes.slice(0, at + 1).includes('revoked')).at(-1)
          const suspended = last === 'suspended'
          expect(setIn(await newest(1)).includes(index)).toBe(suspended)
        },
      ),
      { numRuns: 12 },
    )
  })

  it('leaves lists in their mode when the agency changes it, and opens its own', async () => {
    await listsOf('bitmap').ensure()
    await mined()
    const rows = await store.read('SELECT list, mode FROM status_lists ORDER BY list')
    expect(rows).toEqual([
      { list: 0, mode: 1 },
      { list: 2, mode: 0 },
    ])
    expect([(await listsOf('bitmap').allot()).list, (await listsOf('anchored').allot()).list]).toEqual([2, 0])
    await listsOf('anchored').ensure()
    expect(await store.read('SELECT list FROM status_lists')).toHaveLength(2)
    expect((await anchorRound(needs)).published).toEqual([])
    expect(await versions(2)).toEqual([])
  })

  it('has a list of full length and leaves its evidence in the journal', async () => {
    expect((await newest(0)).length * 8).toBe(listLength)
    const rows = await store.read<{ record: string }>('SELECT record FROM journal_details')
    expect(rows.filter(row => row.record.includes('anchorStatusList')).length).toBeGreaterThan(5)
  })
})
