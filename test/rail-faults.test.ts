import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { stopPostgres, withPostgres } from './postgres.ts'
import type { Fault } from './rail-faults/faulty-node.ts'
import { expectEnded, expectModel, expectSound } from './rail-faults/judge.ts'
import { foundNation, type Nation } from './rail-faults/nation.ts'
import { runSchedule } from './rail-faults/schedule.ts'
import { openWorld, until, type World } from './rail-faults/world.ts'

// Money on its way between the rails while the service, its node and the way between them are killed and cut at every step.

let nation: Nation
beforeAll(async () => {
  nation = await foundNation(4)
}, 60_000)
afterAll(async () => {
  await nation?.remove()
  await stopPostgres()
})

const isThere = (text: string): boolean => !text.includes('"result":null') && !text.includes('"result":[]')
const toChain: Record<string, Fault> = {
  'entered, and not sent': { method: 'eth_estimateGas', side: 'question', act: 'hold' },
  'signed and kept, and not sent': { method: 'eth_sendRawTransaction', side: 'question', act: 'hold' },
  'sent, and not mined': { method: 'eth_sendRawTransaction', side: 'answer', act: 'hold' },
  'mined, and not final': { method: 'eth_getTransactionReceipt', side: 'answer', act: 'hold', about: isThere },
  'seen at the gate, and not entered': { method: 'eth_getLogs', side: 'answer', act: 'hold', about: isThere },
}
const toLedger: Record<string, Fault> = {
  'seen at the gate, and not entered': { method: 'eth_getLogs', side: 'answer', act: 'hold', about: isThere },
}
const victims = ['service', 'node', 'both'] as const

const expectAllEnded = async (world: World): Promise<void> => {
  await expectEnded(world)
  await expectModel(world)
  await world.killService()
  await world.expectFolded()
}

describe('a service with a node of its own', () => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(nation, 'own')
    await world.start()
    for (const at of [0, 1, 2, 3]) await world.withdraw(at, 2_000, world.walletOf(at)).entered
    await expectEnded(world)
  }, 60_000)
  afterAll(() => world?.close())

  const arrives = (operation: string) =>
    until(async () => (await world.state(operation)) === 'arrived', world.processes.said)
  const credited = (hash: string) =>
    until(async () => (await world.departed(hash))?.state === 'credited', world.processes.said)

  /** Struck while a step is held; then everything comes back and the step goes on. */
  const strike = async (victim: (typeof victims)[number], release: () => void): Promise<void> => {
    world.resend(false)
    try {
      if (victim !== 'node') await world.killService()
      if (victim === 'service') await expectSound(world)
      if (victim !== 'service') await world.killNode()
      if (victim !== 'node') await world.start()
      await world.nodeBack()
      await expectSound(world)
      release()
      for (let looks = 0; looks < 4; looks++) {
        await expectSound(world)
        await sleep(40)
      }
    } finally {
      world.resend(true)
    }
  }

  describe.each(Object.entries(toChain))('a move to the chain that is %s', (_, fault) => {
    it.each(victims)('arrives once when kill -9 takes: %s', async victim => {
      const step = world.node.arm(fault)
      const { operation, entered } = world.withdraw(0, 10, world.walletOf(1))
      await step.met()
      await strike(victim, step.release)
      await entered
      await arrives(operation)
    })
  })

  describe.each(Object.entries(toLedger))('a move to the ledger that is %s', (_, fault) => {
    it.each(victims)('is credited once when kill -9 takes: %s', async victim => {
      const step = world.node.arm(fault)
      const hash = await world.depart(2, 10, world.customers[3]?.number ?? 0)
      await step.met()
      await strike(victim, step.release)
      await credited(hash)
    })
  })

  it.each(victims)('keeps what it has just entered when kill -9 takes: %s', async victim => {
    const { operation } = world.withdraw(0, 10, world.walletOf(1))
    const hash = await world.depart(2, 10, world.customers[3]?.number ?? 0)
    await credited(hash)
    const cursor = await world.database.cursor()
    await strike(victim, () => undefined)
    expect(await world.database.cursor()).toBeGreaterThanOrEqual(cursor)
    await arrives(operation)
  })

  it('has moved every unit once after all that', async () => {
    await expectEnded(world)
    await expectModel(world)
  })

  /** The node declines it once, so the outbox gives it up: it waits for an officer. */
  const givenUp = async (amount: number) => {
    const refusal = world.node.arm({ method: 'eth_estimateGas', side: 'question', act: 'revert' })
    const { operation, entered } = world.withdraw(0, amount, world.walletOf(0))
    await refusal.met()
    await entered
    expect(await world.state(operation)).toBe('sent')
    return operation
  }

  it.each(victims)('refunds a move that is cancelled before it arrives, with kill -9 of: %s', async victim => {
    const operation = await givenUp(20)
    const step = world.node.arm({ method: 'eth_getTransactionReceipt', side: 'answer', act: 'hold', about: isThere })
    const decided = world.decide(operation, 'cancel')
    await step.met()
    expect(['ending', 'refunded']).toContain(await world.state(operation))
    await strike(victim, step.release)
    expect(await decided).toMatchObject({ answer: { state: 'ending' } })
    await until(async () => (await world.state(operation)) === 'refunded', world.processes.said)
    expect(await world.decide(operation, 'resend')).toMatchObject({ refused: 'move_state' })
    expect((await world.reader.operation(operation)).state).toBe('cancelled')
  })

  it('refunds nothing when the cancel comes after the arrival was sent', async () => {
    const step = world.node.arm({ method: 'eth_sendRawTransaction', side: 'question', act: 'hold' })
    const { operation, entered } = world.withdraw(0, 10, world.walletOf(1))
    await step.met()
    await entered
    expect(await world.decide(operation, 'cancel')).toMatchObject({ answer: { state: 'ending' } })
    await strike('both', step.release)
    await arrives(operation)
    expect(await world.decide(operation, 'cancel')).toMatchObject({ refused: 'move_state' })
  })

  it('sends a move again that the outbox gave up, and it counts once', async () => {
    const operation = await givenUp(30)
    await world.decide(operation, 'resend')
    await world.decide(operation, 'resend')
    await arrives(operation)
  })

  it('returns from suspense what it was told to return while it was killed', async () => {
    const { operation } = world.withdraw(1, 40, `0x${randomBytes(20).toString('hex')}`)
    await until(async () => (await world.state(operation)) === 'suspended', world.processes.said)
    const step = world.node.arm({ method: 'eth_sendRawTransaction', side: 'answer', act: 'hold' })
    void world.decide(operation, 'return')
    await step.met()
    await strike('both', step.release)
    await until(async () => (await world.state(operation)) === 'refunded', world.processes.said)
  })

  it('delivers from suspense once the wallet may have it', async () => {
    const wallet = `0x${randomBytes(20).toString('hex')}`
    const { operation } = world.withdraw(1, 50, wallet)
    await until(async () => (await world.state(operation)) === 'suspended', world.processes.said)
    await world.admit(wallet)
    await world.decide(operation, 'settle', wallet)
    await arrives(operation)
    expect(await world.reader.balance(wallet)).toBe(50)
  })

  it('gives back to its wallet what no account can have, with kill -9 in between', async () => {
    const hash = await world.depart(3, 60, 999_999)
    await until(async () => (await world.departed(hash))?.state === 'stranded', world.processes.said)
    const operation = (await world.departed(hash))?.operation ?? ''
    const step = world.node.arm({ method: 'eth_getTransactionReceipt', side: 'answer', act: 'hold', about: isThere })
    void world.decide(operation, 'refund')
    await step.met()
    await strike('both', step.release)
    await until(async () => (await world.state(operation)) === 'refunded', world.processes.said)
    expect((await world.reader.operation(operation)).state).toBe('refunded')
  })

  it('comes to what a plain list of the moves comes to, and its entries say the same', () => expectAllEnded(world))
})

const schedules = {
  'its own node, on SQLite': { chain: 'own', seed: 11, database: 'SQLite' },
  'its own node, on PostgreSQL': { chain: 'own', seed: 12, database: 'PostgreSQL' },
  'a network that is reorganised, on SQLite': { chain: 'network', seed: 13, database: 'SQLite' },
} as const

describe.each(Object.entries(schedules))('at random, with %s', (_, { chain, seed, database }) => {
  it('every move ends, and every unit is spendable on one rail', async () => {
    const schema = `r_${randomBytes(6).toString('hex')}`
    const place = database === 'PostgreSQL' ? { databaseUrl: await withPostgres(), schema } : undefined
    const world = await openWorld(nation, chain, place)
    try {
      const lost = await runSchedule(world, seed, 8)
      if (chain === 'network') expect(lost).toBeGreaterThan(0)
      await expectAllEnded(world)
    } finally {
      await world.close()
    }
  }, 120_000)
})
