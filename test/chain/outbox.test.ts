import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Wallet } from 'ethers'
import { signTransaction } from '../../src/chain/account.ts'
import type { ChainClient } from '../../src/chain/client.ts'
import type { Store } from '../../src/kernel/ports.ts'
import { stopPostgres, withPostgres } from '../postgres.ts'
import {
  clearBits,
  eventually,
  type Ground,
  openAgencyStore,
  openGround,
  openLists,
  refusalOf,
  setBits,
} from './ground.ts'

let ground: Ground

beforeEach(async () => {
  ground = await openGround()
})
afterEach(() => ground.close())

const row = async (id: string) =>
  (
    await ground.store.read<{
      nonce: number
      hash: string
      raw: string
      state: string
      error: string
      attempts: number
    }>('SELECT nonce, hash, raw, state, error, attempts FROM outbox WHERE id = ?', [id])
  )[0]

/** A client that loses what is sent, until told otherwise. */
const deafClient = (client: ChainClient): ChainClient & { deaf: boolean; heard: string[] } => ({
  ...client,
  deaf: true,
  heard: [],
  async broadcast(raw: string) {
    this.heard.push(raw)
    if (this.deaf) throw new Error('connection lost')
    await client.broadcast(raw)
  },
})

const put = (outbox: Ground['outbox'], write: ReturnType<typeof openLists>) =>
  ground.store.transaction(tx => outbox.enqueue(tx, [{ ...write, account: ground.issuer }]))

describe('a transaction in the outbox', () => {
  it('is never sent when the act that wanted it is refused', async () => {
    const act = ground.store.transaction(async tx => {
      await ground.outbox.enqueue(tx, [{ ...openLists(ground.issuer, 0), account: ground.issuer }])
      throw new Error('refused')
    })
    await expect(act).rejects.toThrow('refused')
    await ground.outbox.poke()
    expect(await ground.client.transactionCount(ground.issuer)).toBe(0)
    expect(await ground.store.read('SELECT id FROM outbox')).toEqual([])
  })

  it('goes from queued through mined to final, and names its block', async () => {
    const id = await ground.enqueue(openLists(ground.issuer, 0))
    expect(await ground.outbox.settled(10_000)).toBe(true)
    const state = await ground.outbox.state(id)
    expect(state?.state).toBe('final')
    expect((await ground.client.header(state?.block?.number ?? 0))?.hash).toBe(state?.block?.hash)
    expect(state?.block?.chain).toBe('eip155:31337')
  })

  it('waits for those before it that it depends on', async () => {
    const bits = Array.from({ length: 8 }, (_, i) => ({ list: 0, index: i * 300 }))
    const opening = ground.enqueue(openLists(ground.issuer, 0))
    const setting = ground.enqueue(...bits.map(bit => setBits(ground.issuer, [bit])))
    const clearing = ground.enqueue(
      setBits(ground.issuer, [{ list: 1, index: 1 }]),
      clearBits(ground.issuer, [{ list: 1, index: 1 }]),
    )
    const ids = await Promise.all([opening, setting, clearing])
    expect(await ground.outbox.settled(10_000)).toBe(true)
    for (const id of ids) expect((await ground.outbox.state(id))?.state).toBe('final')
  })

  it('fails with the name of the error when the contract declines it, and uses no nonce', async () => {
    await ground.send(openLists(ground.issuer, 0))
    const id = await ground.enqueue(openLists(ground.issuer, 0))
    expect(await ground.outbox.wait(id, 10_000)).toBe('failed')
    expect(await row(id)).toMatchObject({ error: expect.stringMatching(/^ListExists\(0x.*, 0\)$/), nonce: null })
    await ground.send(openLists(ground.issuer, 2))
  })

  it('fails with the name of the error when it is reverted in its block', async () => {
    const ids = [await ground.enqueue(openLists(ground.issuer, 0), openLists(ground.issuer, 0))]
    for (const id of ids) expect(await ground.outbox.wait(id, 10_000)).not.toBe('queued')
    expect(await ground.outbox.settled(10_000)).toBe(true)
    const rows = await ground.store.read<{ state: string; error: string | null }>(
      'SELECT state, error FROM outbox ORDER BY position',
    )
    expect(rows).toEqual([
      { state: 'final', error: null },
      { state: 'failed', error: expect.stringMatching(/^ListExists\(/) },
    ])
    expect((await ground.outbox.state(ids[0] ?? ''))?.state).toBe('failed')
  })

  it('is refused before it is sent when it would take more gas than allowed', async () => {
    await ground.outbox.close()
    const outbox = ground.openOutbox({ maxGas: 50_000 })
    const id = await put(outbox, openLists(ground.issuer, 0))
    expect(await outbox.wait(id, 10_000)).toBe('failed')
    expect((await row(id))?.error).toMatch(/^GasAboveLimit/)
  })

  it('is stored as it was signed before it is sent, and the same one is sent after a restart', async () => {
    await ground.outbox.close()
    const client = deafClient(ground.client)
    const dying = ground.openOutbox({ client })
    const id = await put(dying, openLists(ground.issuer, 0))
    await eventually(() => client.heard.length > 0)
    await dying.close()
    const before = await row(id)
    expect(before?.raw).toBe(client.heard[0])
    const outbox = ground.openOutbox()
    await outbox.poke()
    expect(await outbox.wait(id, 10_000)).not.toBe('queued')
    expect((await row(id))?.hash).toBe(before?.hash)
    expect(await ground.client.transactionCount(ground.issuer)).toBe(1)
  })

  it('is not sent twice when the node had it already', async () => {
    await ground.outbox.close()
    const client = deafClient(ground.client)
    const dying = ground.openOutbox({ client })
    const id = await put(dying, openLists(ground.issuer, 0))
    await eventually(() => client.heard.length > 0)
    await dying.close()
    await ground.client.broadcast(client.heard[0] ?? '')
    await ground.embedded.mine()
    const outbox = ground.openOutbox()
    await outbox.poke()
    expect((await outbox.state(id))?.state).toBe('final')
    expect(await ground.client.transactionCount(ground.issuer)).toBe(1)
  })

  it('offers more under the same nonce when it has waited too long, and either one counts', async () => {
    await ground.outbox.close()
    const client = deafClient(ground.client)
    const outbox = ground.openOutbox({ client, bumpMs: 1, pollMs: 20, resendMs: 3_600_000 })
    const id = await put(outbox, openLists(ground.issuer, 0))
    await eventually(() => client.heard.length >= 3)
    await ground.client.broadcast(client.heard[0] ?? '')
    await ground.embedded.mine()
    expect(await outbox.wait(id, 10_000)).not.toBe('queued')
    await eventually(async () => (await outbox.state(id))?.state === 'final')
    expect((await row(id))?.attempts).toBeGreaterThan(1)
    expect(await ground.client.transactionCount(ground.issuer)).toBe(1)
  })

  it('gets another nonce when a stranger used its own for good', async () => {
    await ground.outbox.close()
    const client = deafClient(ground.client)
    const outbox = ground.openOutbox({ client, pollMs: 20 })
    const id = await put(outbox, openLists(ground.issuer, 0))
    await eventually(() => client.heard.length > 0)
    const fields = { chainId: 31_337, nonce: 0, to: ground.issuer, gasLimit: 21_000, maxFeePerGas: 10n ** 11n, type: 2 }
    await ground.client.broadcast((await signTransaction(ground.account, fields)).raw)
    await ground.embedded.mine()
    client.deaf = false
    await eventually(async () => (await outbox.state(id))?.state === 'final')
    expect((await row(id))?.nonce).toBe(1)
  })

  it('does not wait behind a nonce that nobody uses', async () => {
    await ground.outbox.close()
    const client = deafClient(ground.client)
    const outbox = ground.openOutbox({ client, pollMs: 20, resendMs: 50 })
    const id = await put(outbox, openLists(ground.issuer, 0))
    await eventually(() => client.heard.length > 0)
    await outbox.close()
    await ground.store.transaction(async tx => {
      await tx.query('UPDATE outbox SET nonce = NULL, raw = NULL, hash = NULL WHERE id = ?', [id])
    })
    const first = ground.openOutbox({
      client: { ...ground.client, transactionCount: async () => 1 },
      mine: async () => undefined,
    })
    await first.poke()
    await first.close()
    expect((await row(id))?.nonce).toBe(1)
    const again = ground.openOutbox({ pollMs: 20 })
    await again.poke()
    await eventually(async () => (await again.state(id))?.state === 'final')
    expect(await ground.client.transactionCount(ground.issuer)).toBe(2)
  })
})

describe('the sender of an account', () => {
  it('is one at a time: a second process sends nothing and sees the same states', async () => {
    const second = ground.openOutbox({ pollMs: 20 })
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, i) => put(i % 2 ? second : ground.outbox, openLists(ground.issuer, i * 2))),
    )
    for (const id of ids) expect(await second.wait(id, 10_000)).not.toBe('queued')
    expect(await second.settled(10_000)).toBe(true)
    expect(await ground.client.transactionCount(ground.issuer)).toBe(20)
  })

  it('hands over when it closes', async () => {
    await ground.send(openLists(ground.issuer, 0))
    await ground.outbox.close()
    const second = ground.openOutbox()
    expect(await second.wait(await put(second, openLists(ground.issuer, 2)), 5_000)).not.toBe('queued')
  })

  it('refuses writes for another account and unknown contracts', async () => {
    const other = { ...openLists(ground.issuer, 0), account: Wallet.createRandom().address }
    await expect(ground.store.transaction(tx => ground.outbox.enqueue(tx, [other]))).rejects.toThrow(/sends from/)
    const unknown = { ...openLists(ground.issuer, 0), contract: 'Nothing', account: ground.issuer }
    await expect(ground.store.transaction(tx => ground.outbox.enqueue(tx, [unknown]))).rejects.toThrow(/no contract/)
  })

  it('knows no state of what was never enqueued', async () => {
    expect(await ground.outbox.state('nothing')).toBeUndefined()
    expect(await refusalOf(() => ground.outbox.wait('nothing', 10))).toBe('outbox_unknown')
  })

  it('sends two hundred transactions in a few blocks', async () => {
    await ground.send(openLists(ground.issuer, 0))
    const before = (await ground.client.head()).number
    await ground.enqueue(
      ...Array.from({ length: 200 }, (_, i) => setBits(ground.issuer, [{ list: 0, index: i * 256 }])),
    )
    expect(await ground.outbox.settled(20_000)).toBe(true)
    expect(await ground.client.transactionCount(ground.issuer)).toBe(201)
    expect((await ground.client.head()).number - before).toBeLessThan(12)
  })
})

describe('on PostgreSQL', () => {
  afterAll(stopPostgres)

  it('two processes of an agency share one account, and each transaction takes effect once', async () => {
    const databaseUrl = await withPostgres()
    const shared = await openGround(databaseUrl)
    const store = await openAgencyStore({ databaseUrl, schema: 'agency' })
    const second = shared.openOutbox({ store, pollMs: 20 })
    const open = (store: Store, outbox: Ground['outbox'], list: number) =>
      store.transaction(tx => outbox.enqueue(tx, [{ ...openLists(shared.issuer, list), account: shared.issuer }]))
    const ids = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        i % 2 ? open(store, second, i * 2) : open(shared.store, shared.outbox, i * 2),
      ),
    )
    for (const id of ids) expect(await shared.outbox.wait(id, 20_000)).not.toBe('queued')
    await shared.outbox.close()
    await open(store, second, 100)
    expect(await second.settled(20_000)).toBe(true)
    expect(await shared.client.transactionCount(shared.issuer)).toBe(31)
    const states = await store.read('SELECT DISTINCT state FROM outbox')
    expect(states).toEqual([{ state: 'final' }])
    await second.close()
    await store.close()
    await shared.close()
  })
})
