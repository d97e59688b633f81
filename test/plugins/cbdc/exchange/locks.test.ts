import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { connect } from '../../../../src/chain/client.ts'
import { openChainLocks } from '../../../../src/chain/locks.ts'
import type { ChainLockTerms } from '../../../../src/kernel/chain-locks.ts'
import { expireReservations } from '../../../../src/plugins/cbdc/actions/orders/upkeep.ts'
import { earliestSecond, latestFirst } from '../../../../src/plugins/cbdc/ledger/lock-terms.ts'
import { noFence, refusalOf } from '../orders/office.ts'
import { openRails, type Rails, secretOf } from './rails.ts'

const apart = 60 + 3_600

describe('one payment on the ledger and one on the chain, under one hash', () => {
  let rails: Rails
  beforeAll(async () => {
    rails = await openRails()
  }, 120_000)
  afterAll(() => rails?.close())

  /** Alice has money on the ledger and wants Bob's money on the chain. */
  const meet = async () => {
    const alice = await rails.person(1_000n, 0n)
    const bob = await rails.person(0n, 100n)
    const secret = secretOf()
    const now = await rails.second()
    const lockOf = (over: Partial<ChainLockTerms>) =>
      rails.terms({ payer: bob.wallet, payee: alice.wallet, hashLock: secret.hash, ...over })
    const reserve = (expiry: number, lockHash = secret.hash) =>
      alice.reserve(bob.number, { amount: 300n, expiry, lockHash })
    const holdings = async () => ({
      alice: [await rails.balance(alice.number), await rails.balanceOf(alice.wallet)],
      bob: [await rails.balance(bob.number), await rails.balanceOf(bob.wallet)],
    })
    return { alice, bob, secret, now, lockOf, reserve, holdings }
  }

  /** The chain's leg is claimed first, so the ledger's expires later. */
  const chainFirst = async () => {
    const world = await meet()
    const { bob, now, lockOf, reserve } = world
    const [first, second] = [now + 7_200, now + 7_200 + apart]
    const reservation = await reserve(second)
    const lock = lockOf({ expiry: first, otherExpiry: second, second: false })
    return { ...world, first, second, reservation, lock, lay: () => bob.settle('lock', rails.tuple(lock)) }
  }

  /** The ledger's leg is claimed first, so the chain's expires later. */
  const ledgerFirst = async () => {
    const world = await meet()
    const { bob, now, lockOf, reserve } = world
    const [first, second] = [now + 7_200, now + 7_200 + apart]
    const lock = lockOf({ expiry: second, otherExpiry: first, second: true })
    expect(await bob.settle('lock', rails.tuple(lock))).toBe('done')
    return { ...world, first, second, lock, reservation: await reserve(first) }
  }

  const failing = ({ conditions }: Record<string, unknown>) =>
    Object.fromEntries(
      (conditions as { name: string; holds: boolean; reason?: string }[])
        .filter(({ holds }) => !holds)
        .map(({ name, reason }) => [name, reason]),
    )

  /** A process of the service that is killed while, or after, it takes this record. */
  const killed = async (record: { id: string; record: string }, when: 'before' | 'after') => {
    const work = JSON.stringify({ place: rails.place, now: rails.ledger.state.now, record, when })
    const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'poster.ts'), work])
    const [, signal] = await once(child, 'close')
    expect(signal).toBe('SIGKILL')
  }

  /** The embedded node is started again by whoever keeps it. */
  const revived = async (): Promise<void> => {
    for (let tries = 0; tries < 100; tries += 1) {
      const answers = await rails.chain.client.head().then(
        () => true,
        () => false,
      )
      if (answers) return
      await setTimeout(100)
    }
    throw new Error('the node did not come back')
  }

  test('the terms are published, and the sums are those of the contract', async () => {
    const { chain, call, money } = rails
    const body = await call('getLockTerms', undefined)
    expect(body).toMatchObject({
      ...{ finalitySeconds: 60, marginSeconds: 3_600, settlement: chain.contracts.Settlement.address },
      currencies: [{ number: 1, code: 'CRD', money, reservationMostSeconds: 30 * 86_400 }],
    })
    const network = { finalitySeconds: 60, marginSeconds: 3_600 }
    const { address, interface: abi } = chain.contracts.Settlement
    const asked = async (method: string, second: number): Promise<number> => {
      const request = { to: address, data: abi.encodeFunctionData(method, [second]) }
      const answer = await chain.client.rpc<string>('eth_call', [request, 'latest'])
      return Number(abi.decodeFunctionResult(method, answer)[0])
    }
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.nat(10_000), fc.nat(4_294_967_295)), async second => {
        expect(earliestSecond(second, network)).toBe(await asked('earliestSecond', second))
        expect(latestFirst(second, network)).toBe(await asked('latestFirst', second))
      }),
      { numRuns: 20 },
    )
  })

  test('the chain’s leg is claimed first; its preimage pays the ledger’s', async () => {
    const { alice, bob, secret, reservation, lock, lay, holdings } = await chainFirst()
    expect(failing(await bob.inspect(reservation, lock, 'chain'))).toEqual({ chainState: 'chain_lock_missing' })
    expect(await lay()).toBe('done')
    for (const person of [alice, bob]) {
      const seen = await person.inspect(reservation, lock, 'chain')
      expect(seen).toMatchObject({ holds: true, chain: { state: 'locked', currency: 1 }, ledger: { state: 'pending' } })
      expect(JSON.stringify(seen)).not.toContain(secret.preimage)
    }
    expect(await alice.settle('claim', rails.tuple(lock), `0x${secret.preimage}`)).toBe('done')
    const seen = await bob.inspect(reservation, lock, 'chain')
    expect(seen).toMatchObject({ chain: { state: 'claimed', preimage: secret.preimage } })
    expect(failing(seen)).toEqual({ chainState: 'chain_lock_claimed' })
    const { preimage } = seen['chain'] as { preimage: string }
    await rails.ledger.submit(bob.postOf(reservation, 300n, preimage))
    expect(await holdings()).toEqual({ alice: [700n, 70n], bob: [300n, 30n] })
  })

  test('the ledger’s leg is claimed first; its preimage opens the chain’s', async () => {
    const { alice, bob, secret, reservation, lock, holdings } = await ledgerFirst()
    expect(await alice.inspect(reservation, lock, 'ledger')).toMatchObject({ holds: true })
    expect(await alice.read('getReservation', { reservation: String(reservation) })).not.toHaveProperty('preimage')
    await rails.ledger.submit(bob.postOf(reservation, 300n, secret.preimage))
    const read = await alice.read('getReservation', { reservation: String(reservation) })
    expect(read).toMatchObject({ state: 'posted', preimage: secret.preimage })
    const { items } = await alice.read('listEntries', { account: String(alice.number) })
    expect((items as unknown[])[0]).toMatchObject({ kind: 'post', preimage: secret.preimage })
    const seen = await alice.inspect(reservation, lock, 'ledger')
    expect(seen).toMatchObject({ ledger: { state: 'posted', preimage: secret.preimage }, chain: { state: 'locked' } })
    expect(failing(seen)).toEqual({ ledgerState: 'reservation_posted' })
    expect(await alice.settle('claim', rails.tuple(lock), `0x${read['preimage']}`)).toBe('done')
    expect(await holdings()).toEqual({ alice: [700n, 70n], bob: [300n, 30n] })
  })

  test('a leg that is paid in part shows the preimage as well', async () => {
    const { alice, bob, secret, reservation, lock } = await ledgerFirst()
    const part = { kind: 'post', reservation, amount: 1n, remaining: 300n, last: 0, by: bob.number } as const
    await rails.ledger.submit(rails.ledger.signed(bob.owner, { ...part, preimage: secret.preimage, signature: '' }))
    const seen = await alice.inspect(reservation, lock, 'ledger')
    expect(seen).toMatchObject({ ledger: { state: 'pending', remainingMinor: '299', preimage: secret.preimage } })
    expect(failing(seen)).toEqual({ ledgerAmount: 'ledger_amount_differs' })
  })

  test('when nobody claims both legs go back, neither before its time', async () => {
    const { alice, bob, reservation, lock, lay, holdings, secret } = await chainFirst()
    await lay()
    const before = await holdings()
    expect(await bob.settle('refund', rails.tuple(lock))).toBe('LockNotExpired')
    await rails.pass(7_300)
    expect(await alice.settle('claim', rails.tuple(lock), `0x${secret.preimage}`)).toBe('LockExpired')
    expect(failing(await bob.inspect(reservation, lock, 'chain'))).toEqual({ chainState: 'chain_lock_expired' })
    expect(await bob.settle('refund', rails.tuple(lock))).toBe('done')
    const standing = () => alice.read('getReservation', { reservation: String(reservation) })
    await expireReservations(rails.ledger.desk, noFence)
    expect(await standing()).toMatchObject({ state: 'pending' })
    await rails.pass(apart)
    expect(await refusalOf(rails.ledger.submit(bob.postOf(reservation, 300n, secret.preimage)))).toBe(
      'reservation_expired',
    )
    await expireReservations(rails.ledger.desk, noFence)
    expect(await standing()).toMatchObject({ state: 'expired' })
    expect(failing(await bob.inspect(reservation, lock, 'chain'))).toEqual({
      ...{ ledgerState: 'reservation_expired', chainState: 'chain_lock_refunded' },
    })
    expect(before.bob[1]).toBe(30n)
    expect(await holdings()).toEqual({ alice: [1_000n, 0n], bob: [0n, 100n] })
    expect(await rails.ledger.account(alice.number)).toMatchObject({ debitsPending: 0n })
  })

  test('another preimage claims neither leg', async () => {
    const { alice, bob, reservation, lock, lay, holdings } = await chainFirst()
    await lay()
    const before = await holdings()
    const { preimage } = secretOf()
    expect(await alice.settle('claim', rails.tuple(lock), `0x${preimage}`)).toBe('PreimageMismatch')
    expect(await refusalOf(rails.ledger.submit(bob.postOf(reservation, 300n, preimage)))).toBe('preimage_mismatch')
    expect(await holdings()).toEqual(before)
  })

  test('a second leg that expires too early is refused by the chain when it is told, and flagged when it is not', async () => {
    const { alice, bob, now, lockOf, reserve } = await meet()
    const reservation = await reserve(now + 7_200)
    const told = lockOf({ expiry: now + 7_200 + apart - 1, otherExpiry: now + 7_200, second: true })
    expect(await bob.settle('lock', rails.tuple(told))).toBe('LegsTooClose')
    const untold = lockOf({ expiry: now + 7_200 + apart - 1 })
    expect(await bob.settle('lock', rails.tuple(untold))).toBe('done')
    const seen = await alice.inspect(reservation, untold, 'ledger')
    expect(failing(seen)).toEqual({ expiry: 'second_expires_early' })
    expect(seen['earliestSecond']).toBe(new Date((now + 7_200 + apart) * 1_000).toISOString())
    expect(failing(await alice.inspect(reservation, untold, 'chain'))).toEqual({ expiry: 'second_expires_early' })
    const misled = lockOf({ expiry: now + 7_200 + apart + 9, otherExpiry: now + 7_199, second: true })
    await bob.settle('lock', rails.tuple(misled))
    expect(failing(await alice.inspect(reservation, misled, 'ledger'))).toMatchObject({ order: 'other_expiry_differs' })
    expect(failing(await alice.inspect(reservation, misled, 'chain'))).toMatchObject({ order: 'order_differs' })
  })

  test('what else does not fit is named', async () => {
    const { alice, bob, secret, reservation, lock, now } = await ledgerFirst()
    const inspect = async (over: Partial<ChainLockTerms>, amount?: string) =>
      failing(await alice.inspect(reservation, { ...lock, ...over }, 'ledger', amount))
    expect(await inspect({}, '301')).toEqual({ ledgerAmount: 'ledger_amount_differs' })
    // Terms that differ in one point are those of a lock that is not there.
    const missing = { chainState: 'chain_lock_missing' }
    expect(await inspect({ amountMinor: 71n })).toEqual(missing)
    expect(await inspect({ payee: bob.wallet })).toEqual(missing)
    expect(await inspect({ hashLock: secretOf().hash })).toEqual({ ...missing, hash: 'hash_differs' })
    expect(await inspect({ hashLock: '0'.repeat(64) })).toEqual({ ...missing, hash: 'hash_missing' })
    expect(await inspect({ arbiter: bob.wallet })).toEqual({ ...missing, claimants: 'chain_arbiter' })
    expect(await inspect({ delivery: bob.wallet })).toEqual({ ...missing, claimants: 'chain_delivery' })
    const stranger = await rails.person(0n, 0n)
    expect(await refusalOf(stranger.inspect(reservation, lock, 'ledger'))).toBe('reservation_not_yours')
    expect(await refusalOf(alice.inspect(999_999, lock, 'ledger'))).toBe('reservation_not_yours')
    const open = await alice.reserve(bob.number, { amount: 300n, expiry: now + 7_200, lockHash: '0'.repeat(64) })
    expect(failing(await alice.inspect(open, lock, 'ledger'))).toEqual({ hash: 'hash_missing' })
    const back = { kind: 'void', reservation, by: bob.number, signature: '' } as const
    await rails.ledger.submit(rails.ledger.signed(bob.owner, back))
    expect(await inspect({})).toEqual({ ledgerState: 'reservation_voided' })
    expect(await alice.read('getReservation', { reservation: String(reservation) })).not.toHaveProperty('preimage')
    expect(secret.preimage).toHaveLength(64)
  })

  test('a lock counts when its block is final', async () => {
    const { alice, reservation, lock, lay } = await chainFirst()
    const { client, contracts, clock, embedded } = rails.chain
    for (let blocks = 0; blocks < 4; blocks += 1) await embedded.mine()
    await lay()
    const { locks } = rails.ledger.desk
    // As of a node that others keep: what is final is what it says.
    rails.ledger.desk.locks = openChainLocks({ client, contracts }, clock)
    try {
      expect(failing(await alice.inspect(reservation, lock, 'chain'))).toEqual({ chainState: 'chain_lock_not_final' })
      for (let blocks = 0; blocks < 4; blocks += 1) await embedded.mine()
      expect(await alice.inspect(reservation, lock, 'chain')).toMatchObject({ holds: true })
      rails.ledger.desk.locks = undefined
      expect(await refusalOf(alice.inspect(reservation, lock, 'chain'))).toBe('rail_unavailable')
      expect(await refusalOf(rails.call('getLockTerms', undefined))).toBe('rail_unavailable')
    } finally {
      rails.ledger.desk.locks = locks
    }
  })

  test('a claim is sought on the chain once, however often it is asked for', async () => {
    const { alice, secret, lock, lay } = await chainFirst()
    await lay()
    await alice.settle('claim', rails.tuple(lock), `0x${secret.preimage}`)
    const { client, contracts, clock, embedded } = rails.chain
    let sought = 0
    const counting: typeof client = {
      ...client,
      rpc(method, ...rest) {
        if (method === 'eth_getLogs') sought += 1
        return client.rpc(method, ...rest)
      },
    }
    const locks = openChainLocks({ client: counting, contracts, persist: embedded.persist }, clock)
    for (let times = 0; times < 3; times += 1) {
      expect(await locks.look(lock)).toMatchObject({ state: 'claimed', preimage: secret.preimage })
    }
    expect(sought).toBe(1)
  })

  test('a service killed after the ledger’s leg was claimed has the preimage for the chain’s', async () => {
    const { alice, bob, secret, reservation, lock, holdings } = await ledgerFirst()
    await killed(bob.postOf(reservation, 300n, secret.preimage), 'after')
    const { preimage } = await alice.read('getReservation', { reservation: String(reservation) })
    expect(preimage).toBe(secret.preimage)
    expect(await alice.settle('claim', rails.tuple(lock), `0x${preimage}`)).toBe('done')
    expect(await holdings()).toEqual({ alice: [700n, 70n], bob: [300n, 30n] })
  })

  test('a service and a node killed after the chain’s leg was claimed leave nobody with half', async () => {
    const { alice, bob, secret, reservation, lock, lay, holdings } = await chainFirst()
    await lay()
    await alice.settle('claim', rails.tuple(lock), `0x${secret.preimage}`)
    const seen = await bob.inspect(reservation, lock, 'chain')
    const { preimage } = seen['chain'] as { preimage: string }
    const post = bob.postOf(reservation, 300n, preimage)
    await killed(post, 'before')
    const { pid } = rails.chain.embedded
    process.kill(pid as number, 'SIGKILL')
    await setTimeout(200)
    await revived()
    expect(await bob.inspect(reservation, lock, 'chain')).toMatchObject({ chain: { state: 'claimed', preimage } })
    // Whether or not it was entered before the kill, the same record stands once.
    await rails.ledger.submit(post)
    expect(await holdings()).toEqual({ alice: [700n, 70n], bob: [300n, 30n] })
  })

  test('a chain that does not answer is no lock that is missing', async () => {
    const { contracts, clock, client: living } = rails.chain
    const node = createServer((_request, response) => {
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: `0x${living.chainId.toString(16)}` }))
    })
    await once(node.listen(0, '127.0.0.1'), 'listening')
    const client = await connect(`http://127.0.0.1:${(node.address() as AddressInfo).port}`)
    node.closeAllConnections()
    await new Promise(resolve => node.close(resolve))
    const locks = openChainLocks({ client, contracts }, clock)
    expect(await refusalOf(locks.network())).toBe('chain_unavailable')
    expect(await refusalOf(locks.money())).toBe('chain_unavailable')
    expect(await refusalOf(locks.look(rails.terms({})))).toBe('chain_unavailable')
    client.close()
  })
})
