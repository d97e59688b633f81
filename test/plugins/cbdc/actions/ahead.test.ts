import { setImmediate as nextTurn } from 'node:timers/promises'
import { anonymous } from '../../../../src/kernel/gate.ts'
import type { SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import { openAhead } from '../../../../src/plugins/cbdc/actions/ahead.ts'
import type { BookItem } from '../../../../src/plugins/cbdc/actions/book.ts'
import type { ItemOutcome } from '../../../../src/plugins/cbdc/actions/enter.ts'
import { expectFolded } from '../folded.ts'
import { type Ground, onBothLedgers } from '../ground.ts'

const items = (count: number, from: number): BookItem[] =>
  Array.from({ length: count }, (_, at) => ({ id: `${from + at}` }) as unknown as BookItem)

describe('reading ahead', () => {
  const foreseen = [items(300, 0), items(200, 300), items(10, 500), items(390, 510), items(1, 900)]

  test('parts are of whole orders, and the next is begun before the one that was read is entered', async () => {
    const said: string[] = []
    const ahead = openAhead(foreseen, {
      parted: true,
      read: async part => void said.push(`read ${part[0]?.id} to ${part.at(-1)?.id}`),
      between: () => void said.push('between'),
    })
    for (const [order] of foreseen.entries()) {
      await ahead.ready(order)
      said.push(`order ${order}`)
    }
    await ahead.done()
    expect(said).toEqual([
      ...['read 0 to 499', 'read 500 to 899', 'between', 'order 0', 'order 1'],
      ...['read 900 to 900', 'between', 'order 2', 'order 3', 'order 4'],
    ])
  })

  test('what may not be parted is read for at once, whoever comes first', async () => {
    const read: number[] = []
    const ahead = openAhead(foreseen, {
      parted: false,
      read: async part => void read.push(part.length),
      between: () => expect('between').toBe('never called'),
    })
    for (const order of [3, 0, 4]) await ahead.ready(order)
    await ahead.done()
    expect(read).toEqual([901])
  })

  test('parts whose orders are passed over are read for one after the other', async () => {
    const said: string[] = []
    const ahead = openAhead(foreseen, {
      parted: true,
      async read(part) {
        said.push(`from ${part[0]?.id}`)
        await nextTurn()
        said.push(`to ${part.at(-1)?.id}`)
      },
      between: () => undefined,
    })
    await ahead.ready(4)
    await ahead.done()
    expect(said).toEqual(['from 0', 'to 499', 'from 500', 'to 899', 'from 900', 'to 900'])
  })

  test('a read that fails is heard of where it is needed, and after it nothing is read', async () => {
    const read: (string | undefined)[] = []
    const ahead = openAhead(foreseen, {
      parted: true,
      async read(part) {
        read.push(part[0]?.id)
        if (part[0]?.id === '500') throw new Error('the database is gone')
      },
      between: () => undefined,
    })
    await ahead.ready(1)
    await expect(ahead.ready(2)).rejects.toThrow('the database is gone')
    await expect(ahead.ready(4)).rejects.toThrow('the database is gone')
    await expect(ahead.done()).rejects.toThrow('the database is gone')
    expect(read).toEqual(['0', '500'])
  })
})

type Customer = Awaited<ReturnType<Ground['customer']>>
type Plan = { items: BookItem[]; codes: string[] }

const funds = 900n
const perOrder = 110

const codeOf = (outcome: ItemOutcome | undefined): string => {
  if (outcome === undefined) return 'nothing'
  if ('refusal' in outcome) return outcome.refusal.code
  return outcome.again ? 'again' : 'entered'
}

/** Orders among few who pay each other again and again, and what a plain model says of each of their transfers. */
const planOrders = async (ground: Ground, people: readonly Customer[], orders: number) => {
  const balances = people.map(() => funds)
  const nonces = people.map(() => 0)
  let entered: { id: string; record: string } | undefined
  const plans: Plan[] = []
  for (let order = 0; order < orders; order += 1) {
    const records: { id: string; record: string }[] = []
    const codes: string[] = []
    for (let at = 0; at < perOrder; at += 1) {
      const [from, to] = [(order * 7 + at * 5) % people.length, (order + at * 4 + 1) % people.length]
      const [payer, payee] = [people[from] as Customer, people[to] as Customer]
      // The same again, from a part that is already being written.
      const again = at === 50 && entered !== undefined ? entered : undefined
      const amount = BigInt((order * 31 + at * 17) % 120)
      const transfer: SignedEntry = ground.transfer(payer.number, payee.number, amount, { nonce: nonces[from] ?? 0 })
      const record = again ?? ground.signed(payer.owner, transfer)
      records.push(record)
      const code = (): string => {
        if (again !== undefined) return 'again'
        if (amount === 0n) return 'amount_not_positive'
        if (from === to) return 'account_same'
        return amount > (balances[from] ?? 0n) ? 'funds_insufficient' : 'entered'
      }
      codes.push(code())
      if (codes.at(-1) !== 'entered') continue
      balances[from] = (balances[from] ?? 0n) - amount
      balances[to] = (balances[to] ?? 0n) + amount
      nonces[from] = (nonces[from] ?? 0) + 1
      entered ??= record
    }
    plans.push({ items: await ground.desk.attest(records), codes })
  }
  return { plans, balances }
}

const batches = async ({ store }: Ground): Promise<number> =>
  (await store.read('SELECT number FROM cbdc_batches')).length

const balanceOf = async (ground: Ground, { number }: Customer): Promise<bigint> => {
  const { creditsPosted, debitsPosted } = await ground.account(number)
  return creditsPosted - debitsPosted
}

onBothLedgers(({ fresh }) => {
  test('a batch of many parts enters what its orders would one after the other, in one batch', async () => {
    const ground = await fresh()
    const people: Customer[] = []
    for (let at = 0; at < 12; at += 1) people.push(await ground.customer(undefined, {}, funds))
    const { plans, balances } = await planOrders(ground, people, 12)
    const before = await batches(ground)
    const answers = await Promise.all(plans.map(plan => ground.execute(plan.items.map(item => [item]))))
    expect(answers.map(({ outcomes }) => outcomes.map(([outcome]) => codeOf(outcome)))).toEqual(
      plans.map(({ codes }) => codes),
    )
    expect(new Set(plans.flatMap(({ codes }) => codes)).size).toBe(5)
    expect(await batches(ground)).toBe(before + 1)
    expect(await Promise.all(people.map(each => balanceOf(ground, each)))).toEqual(balances)
    await expectFolded(ground.store)
  })

  test('an order that fails after parts were written takes nothing of the others with it', async () => {
    const ground = await fresh()
    const people: Customer[] = []
    for (let at = 0; at < 12; at += 1) people.push(await ground.customer(undefined, {}, funds))
    const { plans, balances } = await planOrders(ground, people, 10)
    const others = plans.map(plan => ground.execute(plan.items.map(item => [item])))
    const failing = ground.desk.ledger.execute({
      ...{ operation: 'trial', requires: { by: 'anyone' }, caller: anonymous, input: {} },
      chains: [[{ entry: ground.transfer(people[0]?.number ?? 0, people[1]?.number ?? 0, 1n), signer: undefined }]],
      answer: async ({ tx }) => tx.query('SELECT no_such_column FROM cbdc_head'),
    })
    const refusing = ground.desk.ledger.execute({
      ...{ operation: 'trial', requires: { by: 'anyone' }, caller: anonymous, input: {} },
      chains: plans.slice(0, 1).map(({ items: [first] }) => [first as BookItem]),
      answer: () => Promise.reject(new Error('it has thought better of it')),
    })
    const [failed, refused, ...rest] = await Promise.allSettled([failing, refusing, ...others])
    expect([failed?.status, refused?.status]).toEqual(['rejected', 'rejected'])
    expect(rest.every(({ status }) => status === 'fulfilled')).toBe(true)
    expect(await Promise.all(people.map(each => balanceOf(ground, each)))).toEqual(balances)
    await expectFolded(ground.store)
  })
})
