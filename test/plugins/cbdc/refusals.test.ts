import { openAccount } from '../../../src/plugins/cbdc/actions/accounts.ts'
import { decideMove } from '../../../src/plugins/cbdc/actions/rail/decide.ts'
import type { CbdcNeeds } from '../../../src/plugins/cbdc/needs.ts'
import { type Ground, onBothLedgers, p256Owner, secp256k1Owner } from './ground.ts'
import { anOrder, both, customer, officer, openOffice, refusalOf } from './orders/office.ts'

/** Refusals that no other suite comes upon. */

const rest = { params: {}, query: {}, headers: {}, publicUrl: '' }

const move = (account: number, state: string) => ({
  ...{ currency: 1, operation: 'ab'.repeat(32), direction: 'toChain', account, wallet: `0x${'12'.repeat(20)}` },
  ...{ amount: '5', state, reason: null, outbox: null, entry: null, refund: null, since: 0, changed: 0 },
})

const noteMove = ({ store }: Ground, account: number, state: string) =>
  store.transaction(async tx => tx.insert('cbdc_moves', [move(account, state)]))

onBothLedgers(({ fresh }) => {
  test('nothing is opened or paid in a currency before its policy is in force', async () => {
    const ground = await fresh()
    const own = { issuance: 1, fees: 2, rail: 3, suspense: 4, interest: 5 }
    await ground.store.transaction(async tx => {
      tx.insert('cbdc_currencies', [{ number: 2, code: 'XTS', decimals: 2, home: 'ledger', ...own, opened_at: 0 }])
    })
    const body = { id: crypto.randomUUID(), currency: 2, class: 'person', ...p256Owner().key }
    const opening = openAccount(ground.desk, { ...rest, caller: customer('p-1'), body })
    expect(await refusalOf(opening)).toBe('policy_missing')
    const unknown = openAccount(ground.desk, { ...rest, caller: customer('p-1'), body: { ...body, currency: 3 } })
    expect(await refusalOf(unknown)).toBe('currency_unknown')
  })

  test('an id names one account, whoever asks for another', async () => {
    const ground = await fresh()
    const id = crypto.randomUUID()
    const open = (pseudonym: string) => {
      const body = { id, currency: 1, class: 'person', ...secp256k1Owner().key }
      return openAccount(ground.desk, { ...rest, caller: customer(pseudonym), body })
    }
    const first = (await open('p-1')).body as { account: number }
    expect(await refusalOf(open('p-1'))).toBe('account_id_taken')
    expect(await refusalOf(open('p-2'))).toBe('account_id_taken')
    expect((await ground.account(first.account)).lead).toBe(first.account)
  })

  test('a ledger that is being closed takes no further order, and finishes those it has', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, {}, 10n)
    const payee = await ground.customer()
    const paid = ground.submit(ground.signed(payer.owner, ground.transfer(payer.number, payee.number, 4n)))
    const [items] = await Promise.all([ground.desk.attest([])])
    await paid
    const last = ground.execute([items])
    const closing = ground.desk.ledger.close()
    const late = ground.submit(
      ground.signed(payer.owner, ground.transfer(payer.number, payee.number, 1n, { nonce: 1 })),
    )
    expect(await refusalOf(late)).toBe('ledger_busy')
    await Promise.all([last, closing])
    expect(await ground.account(payee.number)).toMatchObject({ creditsPosted: 4n })
  })

  test('an account with money on its way to the chain is not closed: it may have to come back', async () => {
    const ground = await fresh()
    const { call } = openOffice(ground)
    const target = await ground.customer()
    await noteMove(ground, target.number, 'sent')
    const how = { caller: both(), params: { account: String(target.number) } }
    expect(await refusalOf(call('closeAccount', anOrder(), how))).toBe('move_open')
    await ground.store.transaction(async tx => void (await tx.query(`UPDATE cbdc_moves SET state = 'arrived'`)))
    await call('closeAccount', anOrder(), how)
    expect((await ground.account(target.number)).closed).toBe(true)
  })

  test('an officer who settles what waits on the chain names the wallet it goes to', async () => {
    const ground = await fresh()
    await noteMove(ground, 8, 'suspended')
    const desk = { ...ground.desk, rail: {} as CbdcNeeds['rail'], outbox: {} as CbdcNeeds['outbox'] }
    const deciding = decideMove(desk, {
      ...{ ...rest, caller: officer('CB-1', undefined, ['cbdc:rail']) },
      ...{
        params: { currency: '1', operation: move(8, '').operation },
        body: { decision: 'settle', legalBasis: 'Act 1' },
      },
    })
    expect(await refusalOf(deciding)).toBe('move_wallet_missing')
    const [row] = await ground.store.read('SELECT state, outbox FROM cbdc_moves')
    expect(row).toEqual({ state: 'suspended', outbox: null })
  })
})
