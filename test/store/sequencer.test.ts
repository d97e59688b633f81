import { generateKeyPairSync, sign } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { leafHash, nodeHash } from '../../src/kernel/merkle.ts'
import type { Store } from '../../src/kernel/ports.ts'
import { journal } from '../../src/store/journal.ts'
import { openSequencer, type SequencerOptions } from '../../src/store/sequencer.ts'
import { verifyConsistency, verifyInclusion } from '../../src/store/tlog.ts'
import { parseCheckpoint, parseNote, verifyNote } from '../../src/store/tlog-note.ts'
import { unbundled } from '../../src/store/tlog-paths.ts'
import { type Opened, onBothDatabases } from './backends.ts'

const origin = 'agency.example/log'
const { publicKey: keyObject, privateKey } = generateKeyPairSync('ed25519')
const publicKey = keyObject.export({ format: 'der', type: 'spki' }).subarray(12)
const signing = async (data: Uint8Array) => sign(null, data, privateKey)

const clockAt = (at: number) => {
  const clock = { at, now: () => clock.at }
  return clock
}

const sequencerOver = (store: Store, over: Partial<SequencerOptions> = {}) =>
  openSequencer({ store, clock: clockAt(1_000_000), origin, publicKey, sign: signing, ...over })

const act = (store: Store) =>
  store.transaction(async tx =>
    journal.record(tx, {
      operation: 'x',
      caller: { kind: 'anonymous', id: 'anonymous', credentials: [] },
      input: Buffer.alloc(32),
      authority: 'anyone',
      rules: [],
      outcome: 'done',
      at: Date.now(),
    }),
  )
const acts = (store: Store, count: number) => Promise.all(Array.from({ length: count }, () => act(store)))

const published = async (sequencer: { checkpoint(): Promise<string | undefined> }) => {
  const note = (await sequencer.checkpoint()) ?? ''
  expect(verifyNote(note, { name: origin, publicKey })).toBe(true)
  const checkpoint = parseCheckpoint(parseNote(note)?.text ?? '')
  if (checkpoint === undefined) throw new Error('no checkpoint is published')
  return checkpoint
}

const positions = (store: Opened) =>
  store.read<{ position: number; commitment: Buffer }>(
    'SELECT p.position, j.commitment FROM journal_positions p JOIN journal j ON j.id = p.id ORDER BY p.position',
  )

const rootOf = (hashes: Buffer[]): Buffer => {
  const [only] = hashes
  if (hashes.length === 1 && only !== undefined) return only
  let half = 1
  while (half * 2 < hashes.length) half *= 2
  return nodeHash(rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)))
}

onBothDatabases(({ fresh, place, again }) => {
  test('every record gets one place without gaps, and its inclusion can be proved', async () => {
    const store = await fresh()
    const sequencer = sequencerOver(store)
    await acts(store, 300)
    expect(await sequencer.runOnce()).toEqual({ leading: true, appended: 300 })
    const { size, root } = await published(sequencer)
    const rows = await positions(store)
    expect(rows.map(row => row.position)).toEqual(Array.from({ length: 300 }, (_, at) => at))
    expect([size, rootOf(rows.map(row => leafHash(row.commitment)))]).toEqual([300, root])
    for (const { position, commitment } of rows.filter(row => row.position % 37 === 0)) {
      const { proof } = await sequencer.inclusionProof(position)
      expect(verifyInclusion({ leaf: leafHash(commitment), position, size, root, proof })).toBe(true)
    }
    expect(await store.read('SELECT count(*) AS n FROM journal_pending')).toEqual([{ n: 0 }])
    expect(await sequencer.runOnce()).toEqual({ leading: true, appended: 0 })
  })

  test('the log only grows: each checkpoint is consistent with those before', async () => {
    const store = await fresh()
    const sequencer = sequencerOver(store, { batchEntries: 150 })
    const seen: { size: number; root: Uint8Array }[] = []
    for (const count of [1, 1, 254, 1, 300, 7]) {
      await acts(store, count)
      while ((await sequencer.runOnce()).appended > 0) seen.push(await published(sequencer))
    }
    expect(seen.at(-1)?.size).toBe(564)
    for (const [at, older] of seen.entries()) {
      for (const newer of seen.slice(at)) {
        const proof = await sequencer.consistencyProof(older.size, newer.size)
        const claim = { oldSize: older.size, oldRoot: older.root, size: newer.size, root: newer.root, proof }
        expect(verifyConsistency(claim)).toBe(true)
      }
    }
  })

  test('an outsider rebuilds the tree from tiles and entry bundles alone', async () => {
    const store = await fresh()
    const sequencer = sequencerOver(store)
    await acts(store, 100)
    await sequencer.runOnce()
    await acts(store, 500)
    await sequencer.runOnce()
    const { root } = await published(sequencer)
    const paths = ['tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/88']
    const entries: Buffer[] = []
    for (const path of paths) entries.push(...unbundled((await sequencer.tile(path)) ?? Buffer.alloc(0)))
    expect(entries).toEqual((await positions(store)).map(row => row.commitment))
    expect(rootOf(entries.map(leafHash))).toEqual(root)
    const hashes = Buffer.concat(entries.map(leafHash))
    expect(await sequencer.tile('tile/0/001')).toEqual(hashes.subarray(256 * 32, 512 * 32))
    expect(await sequencer.tile('tile/0/002.p/88')).toEqual(hashes.subarray(512 * 32))
    expect(await sequencer.tile('tile/0/000.p/100')).toEqual(hashes.subarray(0, 100 * 32))
    expect((await sequencer.tile('tile/1/000.p/2'))?.length).toBe(64)
  })

  test('what no checkpoint covers is not handed out', async () => {
    const store = await fresh()
    const sequencer = sequencerOver(store)
    expect(await sequencer.checkpoint()).toBeUndefined()
    expect(await sequencer.tile('tile/0/000.p/1')).toBeUndefined()
    await expect(sequencer.inclusionProof(0)).rejects.toMatchObject({ kind: 'not_found', code: 'not_logged' })
    await acts(store, 3)
    await sequencer.runOnce()
    await acts(store, 3)
    const silent = sequencerOver(store, { sign: () => Promise.reject(new Error('the key is away')) })
    await sequencer.stop()
    await expect(silent.runOnce()).rejects.toThrow('the key is away')
    expect(await store.read('SELECT size FROM log_head')).toEqual([{ size: 6 }])
    expect((await published(sequencer)).size).toBe(3)
    expect(await sequencer.tile('tile/0/000.p/4')).toBeUndefined()
    expect(await sequencer.tile('tile/entries/000.p/4')).toBeUndefined()
    expect(await sequencer.tile('tile/../secret')).toBeUndefined()
    await expect(sequencer.inclusionProof(3)).rejects.toMatchObject({ code: 'not_logged' })
    await expect(sequencer.consistencyProof(3, 6)).rejects.toMatchObject({ code: 'not_logged' })
    await expect(sequencer.consistencyProof(3, 2)).rejects.toMatchObject({ code: 'not_logged' })
  })

  test('a head committed but not signed is signed by whoever leads next', async () => {
    const store = await fresh()
    await acts(store, 5)
    const silent = sequencerOver(store, { sign: () => Promise.reject(new Error('the key is away')) })
    await expect(silent.runOnce()).rejects.toThrow()
    await silent.stop()
    const next = sequencerOver(store)
    expect(await next.runOnce()).toEqual({ leading: true, appended: 0 })
    expect((await published(next)).size).toBe(5)
  })

  test('nothing is signed for a head that was rolled back', async () => {
    const store = await fresh()
    const clock = clockAt(1_000_000)
    const signed: string[] = []
    const witnessed = async (data: Uint8Array) => {
      const size = Number(Buffer.from(data).toString().split('\n')[1])
      const [head] = await store.read<{ size: number }>('SELECT size FROM log_head')
      signed.push(`${size} of ${head?.size}`)
      return signing(data)
    }
    let failures = 3
    const failing: Store = {
      ...store,
      transaction: work =>
        store.transaction(async tx => {
          const answer = await work(tx)
          const [head] = await tx.query<{ size: number }>('SELECT size FROM log_head')
          if (head !== undefined && failures-- > 0) throw new Error('rolled back')
          return answer
        }),
    }
    await acts(store, 4)
    const sequencer = sequencerOver(failing, { clock, sign: witnessed })
    for (let at = 0; at < 3; at += 1) {
      await expect(sequencer.runOnce()).rejects.toThrow('rolled back')
      expect(signed).toEqual([])
      expect(await sequencer.checkpoint()).toBeUndefined()
    }
    await sequencer.runOnce()
    expect(signed).toEqual(['4 of 4'])
    expect((await positions(store)).map(row => row.position)).toEqual([0, 1, 2, 3])
  })

  test('of several processes only one leads, and together they lose and double nothing', async () => {
    const where = await place()
    const stores = [await again(where), await again(where), await again(where)] as [Opened, Opened, Opened]
    const clock = { now: () => Date.now() }
    const sequencers = stores.map(store => sequencerOver(store, { clock, batchEntries: 20, leaseMs: 40 }))
    const writing = Promise.all(stores.map(store => acts(store, 150)))
    for (let round = 0; round < 25; round += 1) await Promise.all(sequencers.map(each => each.runOnce()))
    await writing
    let left = 1
    while (left > 0) {
      const runs = await Promise.all(sequencers.map(each => each.runOnce()))
      expect(runs.filter(run => run.appended > 0).length).toBeLessThanOrEqual(1)
      left = (await stores[0].read<{ n: number }>('SELECT count(*) AS n FROM journal_pending'))[0]?.n ?? 0
    }
    for (const each of sequencers) await each.runOnce()
    const rows = await positions(stores[0])
    expect(rows.map(row => row.position)).toEqual(Array.from({ length: 450 }, (_, at) => at))
    const { size, root } = await published(sequencers[1] as (typeof sequencers)[0])
    expect([size, rootOf(rows.map(row => leafHash(row.commitment)))]).toEqual([450, root])
  })

  test('a leader that slept through its lease publishes nothing after the takeover', async () => {
    const store = await fresh()
    const clock = clockAt(1_000_000)
    let wake: () => void = () => {}
    const asleep = new Promise<void>(resolve => {
      wake = resolve
    })
    let signs: () => void = () => {}
    const reached = new Promise<void>(resolve => {
      signs = resolve
    })
    const old = sequencerOver(store, {
      clock,
      sign: async data => {
        signs()
        await asleep
        return signing(data)
      },
    })
    const next = sequencerOver(store, { clock })
    await acts(store, 4)
    const sleeping = old.runOnce()
    await reached
    expect(await next.runOnce()).toEqual({ leading: false, appended: 0 })
    clock.at += 20_000
    await acts(store, 3)
    expect(await next.runOnce()).toEqual({ leading: true, appended: 3 })
    wake()
    expect(await sleeping).toEqual({ leading: false, appended: 0 })
    expect(await store.read('SELECT size FROM log_checkpoints')).toEqual([{ size: 7 }])
    expect(await old.runOnce()).toEqual({ leading: false, appended: 0 })
  })

  test('started, it works by itself until it is stopped, and then lets another lead', async () => {
    const store = await fresh()
    const one = sequencerOver(store, { pauseMs: 5 })
    one.start()
    one.start()
    await acts(store, 10)
    const deadline = Date.now() + 5000
    while ((await one.checkpoint())?.includes('\n10\n') !== true && Date.now() < deadline) await sleep(5)
    expect((await published(one)).size).toBe(10)
    await one.stop()
    await act(store)
    expect(await sequencerOver(store).runOnce()).toEqual({ leading: true, appended: 1 })
  })
})

test('the name of a log is one that notes can carry', () => {
  expect(() => sequencerOver({} as Store, { origin: 'with space' })).toThrow(/name of a log/)
})
