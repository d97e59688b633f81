import { makeWrite } from '../../../src/chain/currencies.ts'
import { allOf } from '../../../src/plugins/cbdc/actions/execute.ts'
import { issueMoney } from '../../../src/plugins/cbdc/actions/orders/issuance.ts'
import { decideMove } from '../../../src/plugins/cbdc/actions/rail/decide.ts'
import { type Away, asOfficer, coin, openAway } from './away.ts'
import { orderId } from './ground.ts'

describe('a currency whose home is the chain, on the rail', () => {
  let away: Away
  beforeAll(async () => {
    away = await openAway()
    await away.attest(1_000_000n)
  }, 60_000)
  afterAll(() => away?.close())

  const decides = (operation: string, body: Record<string, unknown>) =>
    decideMove(
      away.ledger.desk,
      asOfficer('cbdc:rail', { currency: String(coin.number), operation }, { legalBasis: 'Act 1', ...body }) as never,
    )
  const stranded = async (): Promise<string> => {
    const [row] = await away.ledger.store.read<{ operation: string }>(
      `SELECT operation FROM cbdc_moves WHERE state = 'stranded'`,
    )
    return row?.operation ?? ''
  }
  /** At every instant what is on the ledger is locked at the gate. */
  const sound = async () => {
    const { breaches, onLedger, locked } = await away.standing()
    expect({ breaches, isCovered: onLedger <= locked }).toEqual({ breaches: [], isCovered: true })
  }
  /** Both sides are the same, because nothing is on its way. */
  const settled = async () => {
    await sound()
    const { onLedger, locked, inTransit } = await away.standing()
    expect({ onLedger, inTransit }).toEqual({ onLedger: locked, inTransit: 0n })
  }
  const frozenUnder = `0x${'0f'.repeat(32)}`

  test('its money is made without anybody who attests to themselves', () => {
    const { client, contracts } = away.chain
    const { attestor: _, ...roles } = away.roles
    for (const wrong of [roles, { ...roles, attestor: roles.issuer }]) {
      expect(() => makeWrite({ client, contracts }, coin, wrong)).toThrow('somebody else than its issuer')
    }
  })

  test('the ledger keeps it as the chain has it: at home there, and in its decimals', () => {
    expect(away.wrongly).toEqual(['currency_differs_on_chain', 'currency_differs_on_chain'])
  })

  test('money departs from a wallet and is spendable on the ledger only, and comes back to the chain', async () => {
    const { ledger } = away
    const wallet = await away.wallet(1_000n)
    const payee = await away.customer()
    expect(await away.depart(wallet, payee.number, 600n)).toBe('final')
    await sound()
    expect(await ledger.account(payee.number)).toMatchObject({ creditsPosted: 0n })
    expect(await away.standing()).toMatchObject({ onLedger: 0n, locked: 600n, inTransit: 600n })
    await away.follow()
    await settled()
    expect(await ledger.account(payee.number)).toMatchObject({ creditsPosted: 600n })
    expect(await away.balance(wallet.account.address)).toBe(400n)
    const entry = away.withdrawal(payee.number, 250n, wallet.account.address)
    await ledger.submit(ledger.signed(payee.owner, entry))
    await sound()
    await away.follow()
    await settled()
    expect(await away.move(entry)).toMatchObject({ state: 'arrived' })
    expect(await away.balance(wallet.account.address)).toBe(650n)
    expect(await away.standing()).toMatchObject({ issued: 1_000n, onLedger: 350n, onChain: 650n })
  })

  test('it is paid between accounts of the ledger, and never issued there', async () => {
    const { ledger } = away
    const [payer, payee] = [await away.customer(), await away.customer()]
    await away.depart(await away.wallet(500n), payer.number, 500n)
    await away.follow()
    const transfer = ledger.transfer(payer.number, payee.number, 200n, { currency: coin.number })
    await ledger.submit(ledger.signed(payer.owner, transfer))
    expect(await ledger.account(payee.number)).toMatchObject({ creditsPosted: 200n })
    const body = { participant: 'did:ethr:0xb1', amountMinor: '100', reference: 'R-1', legalBasis: 'Act 1' }
    const context = asOfficer('cbdc:issue', { currency: String(coin.number) }, body)
    await expect(issueMoney(ledger.desk, context as never)).rejects.toMatchObject({ code: 'issuance_on_chain' })
    const from = away.accounts['issuance'] ?? 0
    const mint = { kind: 'mint', from, to: payee.number, currency: coin.number, amount: 100n, order: orderId } as const
    const { outcomes } = await ledger.execute([[{ entry: mint, signer: undefined }]])
    expect(() => allOf(outcomes)).toThrow(expect.objectContaining({ code: 'account_not_issuance' }))
    await settled()
  })

  test('nobody withdraws more than they have, and a wallet without allowance moves nothing', async () => {
    const { ledger } = away
    const payee = await away.customer()
    const wallet = await away.wallet(300n)
    await away.depart(wallet, payee.number, 300n)
    await away.follow()
    const entry = away.withdrawal(payee.number, 301n, wallet.account.address)
    await expect(ledger.submit(ledger.signed(payee.owner, entry))).rejects.toMatchObject({ code: 'funds_insufficient' })
    expect(await away.depart(wallet, payee.number, 1n)).toBe('failed')
    await away.follow()
    await settled()
  })

  test('what a frozen wallet cannot receive waits at the gate, and comes back when an officer returns it', async () => {
    const { ledger } = away
    const payee = await away.customer()
    const wallet = await away.wallet(400n)
    await away.depart(wallet, payee.number, 400n)
    await away.follow()
    await away.send(away.issuer, away.onMoney('freeze', wallet.account.address, frozenUnder))
    const entry = away.withdrawal(payee.number, 300n, wallet.account.address)
    await ledger.submit(ledger.signed(payee.owner, entry))
    await away.follow()
    const move = await away.move(entry)
    expect(move).toMatchObject({ state: 'suspended', reason: 'recipient_cannot_receive' })
    await sound()
    expect(await away.standing()).toMatchObject({ inTransit: 300n, awaitingFinality: 0n })
    expect(await away.balance(wallet.account.address)).toBe(0n)
    await decides(move?.operation ?? '', { decision: 'return' })
    await away.follow()
    expect(await away.move(entry)).toMatchObject({ state: 'refunded' })
    expect(await ledger.account(payee.number)).toMatchObject({ creditsPosted: 700n, debitsPosted: 300n })
    await settled()
  })

  test('what a wallet gets after its freeze was lifted is unlocked once', async () => {
    const { ledger } = away
    const payee = await away.customer()
    const wallet = await away.wallet(400n)
    const { address } = wallet.account
    await away.depart(wallet, payee.number, 400n)
    await away.follow()
    await away.send(away.issuer, away.onMoney('freeze', address, frozenUnder))
    const entry = away.withdrawal(payee.number, 400n, address)
    await ledger.submit(ledger.signed(payee.owner, entry))
    await away.follow()
    await away.send(away.issuer, away.onMoney('unfreeze', address, frozenUnder))
    const operation = (await away.move(entry))?.operation ?? ''
    await decides(operation, { decision: 'settle', wallet: address })
    await away.follow()
    expect(await away.move(entry)).toMatchObject({ state: 'arrived' })
    expect(await away.balance(address)).toBe(400n)
    await expect(decides(operation, { decision: 'return' })).rejects.toMatchObject({ code: 'move_state' })
    await settled()
  })

  test('what departs for a closed account strands and goes back to its wallet, frozen in between or not', async () => {
    const { ledger } = away
    const closed = await away.customer()
    const close = { kind: 'close', account: closed.number, order: orderId } as const
    allOf((await ledger.execute([[{ entry: close, signer: undefined }]])).outcomes)
    const wallet = await away.wallet(200n)
    const { address } = wallet.account
    await away.depart(wallet, closed.number, 200n)
    await away.follow()
    const operation = await stranded()
    expect(await away.moveOf(operation)).toMatchObject({ state: 'stranded', reason: 'payee_cannot_receive' })
    await sound()
    await away.send(away.issuer, away.onMoney('freeze', address, frozenUnder))
    await decides(operation, { decision: 'refund' })
    await away.follow()
    expect(await away.moveOf(operation)).toMatchObject({ state: 'suspended' })
    await sound()
    await away.send(away.issuer, away.onMoney('unfreeze', address, frozenUnder))
    await decides(operation, { decision: 'settle', wallet: address })
    await away.follow()
    expect(await away.moveOf(operation)).toMatchObject({ state: 'refunded' })
    expect(await away.balance(address)).toBe(200n)
    await settled()
  })

  test('what a frozen account could not have is credited once, when its freeze has ended', async () => {
    const { ledger } = away
    const payee = await away.customer()
    const order = async (kind: 'freeze' | 'unfreeze') => {
      const entry = { kind, account: payee.number, amount: 0n, order: orderId } as const
      allOf((await ledger.execute([[{ entry, signer: undefined }]])).outcomes)
    }
    await order('freeze')
    await away.depart(await away.wallet(100n), payee.number, 100n)
    await away.follow()
    const operation = await stranded()
    await decides(operation, { decision: 'credit' })
    expect(await away.moveOf(operation)).toMatchObject({ state: 'stranded' })
    await order('unfreeze')
    await decides(operation, { decision: 'credit' })
    expect(await away.moveOf(operation)).toMatchObject({ state: 'credited' })
    await expect(decides(operation, { decision: 'refund' })).rejects.toMatchObject({ code: 'move_state' })
    expect(await ledger.account(payee.number)).toMatchObject({ creditsPosted: 100n })
    await settled()
  })

  test('events that are told of once more count no second time', async () => {
    const { ledger } = away
    const sql = 'SELECT number, credits_posted, debits_posted FROM cbdc_accounts ORDER BY number'
    const before = await ledger.store.read(sql)
    await ledger.store.transaction(tx => tx.query('UPDATE cbdc_rail SET block = -1'))
    await away.follow()
    expect(await ledger.store.read(sql)).toEqual(before)
  })

  test('a ledger that owed more than is locked would be found out', async () => {
    const { store } = away.ledger
    const set = (by: number) =>
      store.transaction(tx =>
        tx.query('UPDATE cbdc_accounts SET debits_posted = debits_posted + ? WHERE number = ?', [by, away.rail]),
      )
    await set(1)
    expect((await away.standing()).breaches).toEqual(['unbalanced', 'away_exceeds_home'])
    await set(-1)
    await settled()
  })

  test('over a random history of moves both ways the ledger never has more than is locked', async () => {
    const { ledger } = away
    const people = await Promise.all([1, 2, 3].map(async () => ({ ...(await away.customer()), nonce: 0 })))
    const wallets = [await away.wallet(5_000n), await away.wallet(5_000n)]
    let seed = 7
    const below = (most: number): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % most
    }
    for (let step = 0; step < 30; step++) {
      const [person, wallet] = [people[below(3)], wallets[below(2)]]
      if (person === undefined || wallet === undefined) throw new Error('nobody')
      const choice = below(5)
      if (choice < 2) await away.depart(wallet, person.number, BigInt(1 + below(400)))
      else if (choice < 4) {
        const { creditsPosted, debitsPosted } = await ledger.account(person.number)
        const amount = BigInt(1 + below(300))
        const entry = away.withdrawal(person.number, amount, wallet.account.address, person.nonce)
        const asked = ledger.submit(ledger.signed(person.owner, entry))
        if (amount <= creditsPosted - debitsPosted) {
          await asked
          person.nonce += 1
        } else await expect(asked).rejects.toMatchObject({ code: 'funds_insufficient' })
      } else await away.follow()
      await sound()
    }
    await away.follow()
    await settled()
  })
})
