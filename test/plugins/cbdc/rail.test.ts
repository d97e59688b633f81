import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { ChainAccount } from '../../../src/chain/account.ts'
import { makeWrite, openWrite, stageOf, termsOfIssuer } from '../../../src/chain/currencies.ts'
import { openMoneyRail } from '../../../src/chain/money-rail.ts'
import { type Outbox, openOutbox } from '../../../src/chain/outbox.ts'
import type { EntryOf } from '../../../src/kernel/ledger-entry.ts'
import { decideMove } from '../../../src/plugins/cbdc/actions/rail/decide.ts'
import { followRail } from '../../../src/plugins/cbdc/actions/rail/follow.ts'
import { operationOf, readMove } from '../../../src/plugins/cbdc/actions/rail/moves.ts'
import { listOpenMoves } from '../../../src/plugins/cbdc/actions/rail/open.ts'
import {
  type Ground as ChainGround,
  newAccount,
  openAgencyStore,
  openGround as openChainGround,
} from '../../chain/ground.ts'
import { type Ground, openGround, own } from './ground.ts'

const currency = { number: 1, code: 'CRD', name: 'Crown', decimals: 2, home: 'ledger' } as const

/** A chain with the currency on it, a ledger that follows it, and wallets that may hold the money. */
const openRails = async () => {
  const chain = await openChainGround()
  const { client, contracts, clock, dir, embedded } = chain
  const opened: { close(): Promise<unknown> }[] = []
  const outboxOf = async (
    account: ChainAccount,
    store?: Parameters<typeof openOutbox>[0]['store'],
  ): Promise<Outbox> => {
    const own = store ?? (await openAgencyStore({ file: join(dir, `${account.address}.sqlite`) }))
    const { mine, persist } = embedded
    const outbox = openOutbox({ store: own, client, clock, account, contracts, confirmations: 0, mine, persist })
    opened.push(...(store === undefined ? [own] : []), outbox)
    return Object.assign(outbox, { store: own })
  }
  const send = async (outbox: Outbox, writes: Parameters<Outbox['enqueue']>[1]) => {
    const { store } = outbox as unknown as { store: ChainGround['store'] }
    const id = await store.transaction(tx => outbox.enqueue(tx, writes))
    await outbox.poke()
    await outbox.settled(10_000)
    return outbox.state(id)
  }
  const operator = newAccount()
  await embedded.faucet(operator.address)
  const root = await outboxOf(embedded.deployer)
  const roles = { root: embedded.deployer.address, issuer: operator.address }
  await send(root, [makeWrite({ client, contracts }, currency, roles)])
  let operating: Outbox | undefined
  const ledger = await openGround(
    { file: join(dir, 'ledger.sqlite') },
    {
      more: async store => {
        operating = await outboxOf(operator, store)
        const parts = { client, contracts, persist: embedded.persist }
        const rail = await openMoneyRail(parts, { account: operator.address, currencies: [1] })
        return { rail, outbox: operating }
      },
    },
  )
  if (operating === undefined) throw new Error('the ledger has no outbox')
  const outbox = operating
  const given = { issuer: operator.address, now: clock.now() }
  await send(outbox, await termsOfIssuer({ client, contracts }, currency, given))
  await send(root, [await openWrite({ client, contracts }, currency, roles)])
  await ledger.found()
  const money = contracts.SovereignMoney.interface
  const [address] = contracts.MoneyFactory.interface.decodeFunctionResult(
    'moneyOf',
    await client.rpc<string>('eth_call', [
      { to: contracts.MoneyFactory.address, data: contracts.MoneyFactory.interface.encodeFunctionData('moneyOf', [1]) },
      'latest',
    ]),
  )
  const balance = async (wallet: string): Promise<bigint> => {
    const request = { to: String(address), data: money.encodeFunctionData('balanceOf', [wallet]) }
    return BigInt(await client.rpc<string>('eth_call', [request, 'latest']))
  }
  /** A wallet of an institution: it needs no binding. */
  const wallet = async (): Promise<{ account: ChainAccount; outbox: Outbox }> => {
    const account = newAccount()
    await embedded.faucet(account.address)
    const write = { contract: 'PolicyEngine', method: 'setInstitution', account: operator.address }
    await send(outbox, [{ ...write, args: [address, account.address, `0x${'22'.repeat(32)}`] }])
    return { account, outbox: await outboxOf(account) }
  }
  const depart = ({ account, outbox: sender }: { account: ChainAccount; outbox: Outbox }, to: number, amount: bigint) =>
    send(sender, [{ contract: 'RailGate', method: 'depart', args: [address, to, amount], account: account.address }])
  const follow = async () => {
    await outbox.poke()
    await outbox.settled(10_000)
    while ((await followRail(ledger.desk)) > 0);
  }
  const withdrawal = (from: number, amount: bigint, wallet: string, nonce = 0): EntryOf<'withdraw'> => ({
    ...{ kind: 'withdraw', from, to: own.rail, currency: 1, amount, fee: 0, recipient: wallet.slice(2).toLowerCase() },
    ...{ nonce, validUntil: Math.floor(ledger.state.now / 1_000) + 3_600, signature: '' },
  })
  const move = async (entry: EntryOf<'withdraw'>) =>
    readMove(ledger.store.read, 1, operationOf(ledger.needs.signatures.domainSeparator, entry))
  return {
    ...{ chain, ledger, outbox, send, balance, wallet, depart, follow, withdrawal, move, money: String(address) },
    stage: () => stageOf({ client, contracts }, 1),
    async close() {
      for (const each of opened.reverse()) await each.close()
      await ledger.close()
      await chain.close()
    },
  }
}

type Rails = Awaited<ReturnType<typeof openRails>>

const customerWith = (ledger: Ground, amount: bigint) => ledger.customer(undefined, {}, amount)

const officerDecides = (rails: Rails, operation: string, body: Record<string, unknown>) =>
  decideMove(
    { ...rails.ledger.desk },
    {
      ...{ caller: officer, params: { currency: '1', operation }, query: {}, headers: {}, publicUrl: '' },
      body: { legalBasis: 'Act 1', ...body },
    },
  )
const officer = {
  ...{ kind: 'holder', id: 'did:key:officer', actor: 'did:key:officer', principal: 'did:key:officer', mandates: [] },
  ...{ credentials: [], proof: 'session' },
  matched: {
    officer: {
      ...{ type: 'PublicOfficer', issuer: 'self', holder: 'did:key:officer', holderKey: 'k', own: true },
      ...{ claims: { competences: ['cbdc:rail'], officerNumber: '1' }, digest: 'd' },
    },
  },
} as never

describe('the rail between the ledger and the chain', () => {
  let rails: Rails
  beforeAll(async () => {
    rails = await openRails()
  }, 60_000)
  afterAll(() => rails?.close())

  const issued = async () => {
    const { ledger } = rails
    const [issuance, rail] = [await ledger.account(own.issuance), await ledger.account(own.rail)]
    const standing = await ledger.needs.rail?.standing(1)
    return {
      issued: issuance.debitsPosted - issuance.creditsPosted,
      away: rail.creditsPosted - rail.debitsPosted,
      onChain: standing?.supply ?? 0n,
    }
  }

  test('the currency stands on the chain, made by the root and open', async () => {
    expect(await rails.stage()).toBe('open')
  })

  test('money leaves for a wallet, and comes back to an account', async () => {
    const { ledger } = rails
    const payer = await customerWith(ledger, 1_000n)
    const wallet = await rails.wallet()
    const entry = rails.withdrawal(payer.number, 600n, wallet.account.address)
    await ledger.submit(ledger.signed(payer.owner, entry))
    expect(await rails.move(entry)).toMatchObject({ state: 'sent', amount: 600n })
    await rails.follow()
    expect(await rails.move(entry)).toMatchObject({ state: 'arrived' })
    expect(await rails.balance(wallet.account.address)).toBe(600n)
    await rails.depart(wallet, payer.number, 250n)
    await rails.follow()
    expect(await rails.balance(wallet.account.address)).toBe(350n)
    expect(await ledger.account(payer.number)).toMatchObject({ creditsPosted: 1_250n, debitsPosted: 600n })
    const { away, onChain } = await issued()
    expect(away).toBe(onChain)
  })

  test('events that are told of once more count no second time', async () => {
    const { ledger } = rails
    const before = await ledger.store.read('SELECT number, credits_posted FROM cbdc_accounts ORDER BY number')
    await ledger.store.transaction(tx => tx.query('UPDATE cbdc_rail SET block = -1'))
    await rails.follow()
    expect(await ledger.store.read('SELECT number, credits_posted FROM cbdc_accounts ORDER BY number')).toEqual(before)
  })

  test('what a wallet cannot receive waits in suspense, and comes back when an officer returns it', async () => {
    const { ledger } = rails
    const payer = await customerWith(ledger, 500n)
    const stranger = `0x${randomBytes(20).toString('hex')}`
    const entry = rails.withdrawal(payer.number, 400n, stranger)
    await ledger.submit(ledger.signed(payer.owner, entry))
    await rails.follow()
    expect(await rails.move(entry)).toMatchObject({ state: 'suspended', reason: 'recipient_cannot_receive' })
    expect(await rails.balance(stranger)).toBe(0n)
    expect(await ledger.account(payer.number)).toMatchObject({ creditsPosted: 500n })
    const operation = (await rails.move(entry))?.operation ?? ''
    await expect(officerDecides(rails, operation, { decision: 'cancel' })).rejects.toMatchObject({ code: 'move_state' })
    await officerDecides(rails, operation, { decision: 'return' })
    await rails.follow()
    expect(await rails.move(entry)).toMatchObject({ state: 'refunded' })
    expect(await ledger.account(payer.number)).toMatchObject({ creditsPosted: 900n, debitsPosted: 400n })
  })

  test('a move that the gate was told to cancel never arrives, and is refunded once', async () => {
    const { ledger } = rails
    const payer = await customerWith(ledger, 500n)
    const wallet = await rails.wallet()
    const entry = rails.withdrawal(payer.number, 300n, wallet.account.address)
    const operation = operationOf(ledger.needs.signatures.domainSeparator, entry)
    const cancel = ledger.needs.rail?.cancel({ operation, currency: 1 })
    if (cancel === undefined) throw new Error('no rail')
    await rails.send(rails.outbox, [cancel])
    await ledger.submit(ledger.signed(payer.owner, entry))
    await rails.follow()
    expect(await rails.balance(wallet.account.address)).toBe(0n)
    expect(await rails.move(entry)).toMatchObject({ state: 'refunded' })
    expect(await ledger.account(payer.number)).toMatchObject({ creditsPosted: 800n, debitsPosted: 300n })
  })

  test('a cancel that was final before the ledger sent the move ends it when it comes to the gate', async () => {
    const { ledger } = rails
    const payer = await customerWith(ledger, 500n)
    const wallet = await rails.wallet()
    const entry = rails.withdrawal(payer.number, 300n, wallet.account.address)
    const operation = operationOf(ledger.needs.signatures.domainSeparator, entry)
    const cancel = ledger.needs.rail?.cancel({ operation, currency: 1 })
    if (cancel === undefined) throw new Error('no rail')
    await rails.send(rails.outbox, [cancel])
    await rails.follow()
    expect(await rails.move(entry)).toBeUndefined()
    await ledger.submit(ledger.signed(payer.owner, entry))
    await rails.follow()
    expect(await rails.balance(wallet.account.address)).toBe(0n)
    expect(await rails.move(entry)).toMatchObject({ state: 'refunded' })
    expect(await ledger.account(payer.number)).toMatchObject({ creditsPosted: 800n, debitsPosted: 300n })
  })

  test('an officer sees what has not ended, oldest first and in pages, and what the chain declined', async () => {
    const { ledger } = rails
    const payer = await customerWith(ledger, 500n)
    const wallet = await rails.wallet()
    const [first, second] = [0, 1].map(nonce => rails.withdrawal(payer.number, 100n, wallet.account.address, nonce))
    for (const entry of [first, second]) if (entry) await ledger.submit(ledger.signed(payer.owner, entry))
    const list = async (query: Record<string, string>) => {
      const context = { caller: officer, params: { currency: '1' }, query, headers: {}, publicUrl: '', body: undefined }
      return (await listOpenMoves(ledger.desk, context)).body as {
        items: { operation: string; transaction: string; error: string | null }[]
        next?: string
      }
    }
    const page = await list({ limit: '1' })
    const rest = await list({ limit: '1', cursor: page.next ?? '' })
    const ids = [first, second].map(entry => entry && operationOf(ledger.needs.signatures.domainSeparator, entry))
    expect([...page.items, ...rest.items].map(({ operation }) => operation)).toEqual(ids)
    await rails.follow()
    expect((await list({})).items).toEqual([])
    // The arrival goes first, so the gate declines the cancel.
    const third = rails.withdrawal(payer.number, 100n, wallet.account.address, 2)
    await ledger.submit(ledger.signed(payer.owner, third))
    const operation = operationOf(ledger.needs.signatures.domainSeparator, third)
    await officerDecides(rails, operation, { decision: 'cancel' })
    await rails.outbox.poke()
    await rails.outbox.settled(10_000)
    expect((await list({})).items).toMatchObject([{ operation, transaction: 'failed' }])
    await rails.follow()
    expect((await list({})).items).toEqual([])
    await expect(list({ cursor: 'nonsense' })).rejects.toMatchObject({ code: 'cursor_malformed' })
  })

  test('money of a currency that the ledger does not keep yet strands, and stops nothing else', async () => {
    const { ledger, chain } = rails
    const { rail } = ledger.needs
    const other = await openGround({ file: join(chain.dir, 'other.sqlite') }, { more: async () => ({ rail }) })
    try {
      while ((await followRail(other.desk)) > 0);
      const moves = await other.store.read('SELECT DISTINCT state, reason FROM cbdc_moves')
      expect(moves).toEqual([{ state: 'stranded', reason: 'currency_unknown' }])
    } finally {
      await other.close()
    }
  })

  test('what departs for an account that cannot have it strands, and goes back to its wallet by an officer’s word', async () => {
    const { ledger } = rails
    const payer = await customerWith(ledger, 1_000n)
    const wallet = await rails.wallet()
    await ledger.submit(ledger.signed(payer.owner, rails.withdrawal(payer.number, 700n, wallet.account.address)))
    await rails.follow()
    await rails.depart(wallet, 999_999, 200n)
    await rails.follow()
    const [stranded] = await ledger.store.read<{ operation: string; reason: string }>(
      `SELECT operation, reason FROM cbdc_moves WHERE state = 'stranded'`,
    )
    expect(stranded?.reason).toBe('payee_cannot_receive')
    await officerDecides(rails, stranded?.operation ?? '', { decision: 'refund' })
    await rails.follow()
    expect(await rails.balance(wallet.account.address)).toBe(700n)
    await expect(officerDecides(rails, stranded?.operation ?? '', { decision: 'credit' })).rejects.toMatchObject({
      code: 'move_state',
    })
  })

  test('a withdrawal to another account than the rail is refused as any payee is', async () => {
    const { ledger } = rails
    const payer = await customerWith(ledger, 500n)
    const entry = { ...rails.withdrawal(payer.number, 100n, `0x${'11'.repeat(20)}`), to: own.bank }
    await expect(ledger.submit(ledger.signed(payer.owner, entry))).rejects.toMatchObject({
      code: 'payee_cannot_receive',
    })
    const toRail = ledger.transfer(payer.number, own.rail, 100n)
    await expect(ledger.submit(ledger.signed(payer.owner, toRail))).rejects.toMatchObject({
      code: 'payee_cannot_receive',
    })
  })

  test('nobody decides about a move that there is not', async () => {
    await expect(officerDecides(rails, '0'.repeat(64), { decision: 'cancel' })).rejects.toMatchObject({
      code: 'move_unknown',
    })
  })

  test('a ledger without a way to the chain refuses a withdrawal, and nothing moves', async () => {
    const { ledger } = rails
    const payer = await customerWith(ledger, 500n)
    const { rail } = ledger.needs
    ledger.needs.rail = undefined
    try {
      const entry = rails.withdrawal(payer.number, 100n, `0x${'11'.repeat(20)}`)
      await expect(ledger.submit(ledger.signed(payer.owner, entry))).rejects.toMatchObject({ code: 'rail_unavailable' })
    } finally {
      ledger.needs.rail = rail
    }
    expect(await ledger.account(payer.number)).toMatchObject({ debitsPosted: 0n, nonce: 0 })
  })

  test('when nothing is in transit the chain has what the rail’s account holds', async () => {
    await rails.follow()
    const { away, onChain, issued: all } = await issued()
    expect(away).toBe(onChain)
    expect(all).toBeGreaterThan(onChain)
  })
})
