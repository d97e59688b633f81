import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestOf } from '../../../../src/kernel/canonical.ts'
import type { Caller } from '../../../../src/kernel/gate.ts'
import type { EntryOf, SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import { Refusal } from '../../../../src/kernel/refusal.ts'
import { decideReservation, inspectReservedFunds, openArbiter } from '../../../../src/plugins/cbdc/actions/arbiters.ts'
import { collectDue, settlementBy } from '../../../../src/plugins/registry/actions/land/payments.ts'
import type { DeedPayment, LedgerFunds } from '../../../../src/plugins/registry/land/needs.ts'
import { type Ground, openGround, p256Owner, start } from '../../cbdc/ground.ts'

/** The register's side and the ledger's, over two databases; between them what institutions sign, without the wire. */
const hour = 3_600
const seconds = start / 1_000
const noHash = '0'.repeat(64)
const landRegistry = 'did:ethr:0x7a69:0x00000000000000000000000000000000000000e1'

const asAgency = (did: string, body: unknown): { caller: Caller; body: unknown } => ({
  caller: { kind: 'agency', id: did, bodySha256: digestOf(body).toString('base64url') },
  body,
})
const rest = { params: {}, query: {}, headers: {}, publicUrl: '' }

const openBoth = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-payments-'))
  const ledger: Ground = await openGround({ file: join(directory, 'ledger.sqlite') })
  await ledger.found()
  const register: Ground = await openGround({ file: join(directory, 'register.sqlite') })
  const key = p256Owner()
  const call = async (action: typeof openArbiter, body: unknown, did = landRegistry) =>
    (await action(ledger.desk, { ...rest, ...asAgency(did, body) })).body as Record<string, string>
  const { account } = await call(openArbiter, { currency: 1, ...key.key })
  const arbiter = Number(account)
  const state = { down: false }
  const funds: LedgerFunds = {
    terms: async () => ({ ledger: 'https://ledger.example', currency: 1, arbiter }),
    async inspect(reservation) {
      if (state.down) throw new Refusal('unavailable', 'ledger_unavailable', 'down')
      const found = await call(inspectReservedFunds, { reservation })
      return {
        state: found['state'] as 'pending',
        payee: Number(found['payee']),
        currency: found['currency'] ?? '',
        remainingMinor: BigInt(found['remainingMinor'] ?? ''),
        postedMinor: BigInt(found['postedMinor'] ?? ''),
        expires: Date.parse(found['expires'] ?? ''),
        locked: found['locked'] as unknown as boolean,
      }
    },
    async collect(reservation, { remainingMinor: remaining }) {
      const entry: EntryOf<'post'> = {
        ...{ kind: 'post', reservation, amount: remaining, remaining, last: 1, by: arbiter },
        ...{ preimage: noHash, signature: '' },
      }
      await call(decideReservation, { records: [ledger.signed(key, entry)] })
    },
  }
  const buyer = await ledger.customer(undefined, {}, 1_000_000n)
  const seller = await ledger.customer()
  let nonce = 0
  let reservations = 0
  const reserve = async (over: Partial<EntryOf<'reserve'>> = {}): Promise<number> => {
    const entry: EntryOf<'reserve'> = {
      ...{ kind: 'reserve', from: buyer.number, to: seller.number, currency: 1, amount: 250_000n, fee: 0 },
      ...{ expiry: seconds + 24 * hour, lockHash: noHash, arbiter, nonce, validUntil: seconds + hour, signature: '' },
      ...over,
    }
    await ledger.submit(ledger.signed(buyer.owner, entry as SignedEntry))
    nonce += 1
    reservations += 1
    return reservations
  }
  const { house } = register.needs
  const settlement = settlementBy(house, funds)
  type Terms = Pick<DeedPayment, 'amountMinor' | 'currency' | 'reference' | 'payeeAccount'>
  const terms = (reservation: number | string, over: Partial<Terms> = {}): Terms => ({
    ...{ amountMinor: 250_000n, currency: 'CRD', reference: String(reservation), payeeAccount: seller.number },
    ...over,
  })
  const deed = (reservation: number, id = 'deed-1'): DeedPayment => ({
    ...{ deed: id, register: 'land-titles', title: 'title-1' },
    ...{ payer: { party: 'b', holder: 'b' }, payee: { party: 's', holder: 's' }, ...terms(reservation) },
  })
  const settle = (payment: DeedPayment) => house.store.transaction(tx => settlement.settle(tx, payment))
  const collect = () => collectDue(house, funds, async () => undefined)
  const stateOf = async (reservation: number) =>
    (await house.store.read('SELECT state, error FROM land_payments WHERE reservation = ?', [reservation]))[0]
  return {
    ...{
      ledger,
      buyer,
      seller,
      arbiter,
      call,
      state,
      funds,
      reserve,
      settlement,
      terms,
      deed,
      settle,
      collect,
      stateOf,
    },
    async close() {
      await register.close()
      await ledger.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

describe('a title against money of the ledger', () => {
  let both: Awaited<ReturnType<typeof openBoth>>
  beforeEach(async () => {
    both = await openBoth()
  })
  afterEach(() => both.close())

  const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
    work.then(
      () => undefined,
      (error: { code?: string }) => error.code ?? String(error),
    )

  test('the price is reserved, the deed done, and the seller paid; asked again nothing is paid twice', async () => {
    const reservation = await both.reserve()
    await both.settlement.prepare?.(both.terms(reservation))
    await both.settle(both.deed(reservation))
    await both.collect()
    expect(await both.stateOf(reservation)).toEqual({ state: 'collected', error: null })
    expect(await both.ledger.account(both.seller.number)).toMatchObject({ creditsPosted: 250_000n, creditsPending: 0n })
    expect(await both.collect()).toBe(0)
  })

  test('the register was killed after the ledger had paid: it finds that out, and pays no second time', async () => {
    const reservation = await both.reserve()
    await both.settle(both.deed(reservation))
    await both.funds.collect(reservation, await both.funds.inspect(reservation))
    await both.collect()
    expect(await both.stateOf(reservation)).toMatchObject({ state: 'collected' })
    expect(await both.ledger.account(both.seller.number)).toMatchObject({ creditsPosted: 250_000n })
  })

  test('while the ledger cannot be reached the money stays due', async () => {
    const reservation = await both.reserve()
    await both.settle(both.deed(reservation))
    both.state.down = true
    await both.collect()
    expect(await both.stateOf(reservation)).toEqual({ state: 'due', error: 'ledger_unavailable' })
    both.state.down = false
    await both.collect()
    expect(await both.stateOf(reservation)).toEqual({ state: 'collected', error: null })
  })

  test('what the seller gave back is not collected, and shows as failed', async () => {
    const reservation = await both.reserve()
    await both.settle(both.deed(reservation))
    const back: EntryOf<'void'> = { kind: 'void', reservation, by: both.seller.number, signature: '' }
    await both.ledger.submit(both.ledger.signed(both.seller.owner, back))
    await both.collect()
    expect(await both.stateOf(reservation)).toMatchObject({ state: 'failed' })
  })

  test.each<[string, Partial<EntryOf<'reserve'>>]>([
    ['of less than the price', { amount: 249_999n }],
    ['of more than the price', { amount: 250_001n }],
    ['for too short a time', { expiry: seconds + hour }],
    ['under a lock', { lockHash: 'ab'.repeat(32) }],
  ])('a reservation %s is no payment', async (_, over) => {
    const reservation = await both.reserve(over)
    expect(await codeOf(both.settlement.prepare?.(both.terms(reservation)) as Promise<void>)).toBe(
      'payment_not_reserved',
    )
  })

  test('nor is one in another currency, one that was paid out, or one that another decides on', async () => {
    const reservation = await both.reserve()
    const prepare = (terms: ReturnType<typeof both.terms>) => codeOf(both.settlement.prepare?.(terms) as Promise<void>)
    expect(await prepare(both.terms(reservation, { currency: 'XNC' }))).toBe('payment_not_reserved')
    await both.funds.collect(reservation, await both.funds.inspect(reservation))
    expect(await prepare(both.terms(reservation))).toBe('payment_not_reserved')
    const other = await both.reserve({ arbiter: 0 })
    expect(await prepare(both.terms(other))).toBe('reservation_not_decided')
    expect(await prepare(both.terms(999))).toBe('reservation_not_decided')
    for (const reference of ['', '0', '1e3', '-1', '01', 'hold-1']) {
      expect(await prepare(both.terms(reference))).toBe('payment_reference')
    }
  })

  test('a reservation for another account than the seller’s is no payment', async () => {
    const reservation = await both.reserve()
    const terms = both.terms(reservation, { payeeAccount: both.buyer.number })
    expect(await codeOf(both.settlement.prepare?.(terms) as Promise<void>)).toBe('payment_not_reserved')
  })

  test('after the deed neither a freeze nor the seller’s limit keeps the money from the seller', async () => {
    const reservation = await both.reserve()
    await both.settle(both.deed(reservation))
    const order = '0a'.repeat(16)
    for (const account of [both.buyer.number, both.seller.number]) {
      await both.ledger.execute([[{ entry: { kind: 'freeze', account, amount: 0n, order }, signer: undefined }]])
    }
    both.ledger.state.revoked.add(`${both.seller.kyc.issuer}/1/${both.seller.kyc.index}`)
    await both.collect()
    expect(await both.stateOf(reservation)).toEqual({ state: 'collected', error: null })
    expect(await both.ledger.account(both.seller.number)).toMatchObject({ creditsPosted: 250_000n })
  })

  test('one reservation pays for one deed', async () => {
    const reservation = await both.reserve()
    await both.settle(both.deed(reservation))
    expect(await codeOf(both.settle(both.deed(reservation, 'deed-2')))).toBe('payment_used')
  })

  test('an institution decides on its own reservations only, and by its own key', async () => {
    const reservation = await both.reserve()
    const stranger = 'did:ethr:0x7a69:0x00000000000000000000000000000000000000f1'
    const remaining = 250_000n
    const entry: EntryOf<'post'> = {
      ...{ kind: 'post', reservation, amount: remaining, remaining, last: 1, by: both.arbiter },
      ...{ preimage: noHash, signature: '' },
    }
    const forged = { records: [both.ledger.signed(p256Owner(), entry)] }
    expect(await codeOf(both.call(decideReservation, forged))).toBe('signature_invalid')
    expect(await codeOf(both.call(decideReservation, forged, stranger))).toBe('arbiter_unknown')
    await both.call(openArbiter, { currency: 1, ...p256Owner().key }, stranger)
    expect(await codeOf(both.call(decideReservation, forged, stranger))).toBe('reservation_not_decided')
    expect(await codeOf(both.call(inspectReservedFunds, { reservation }, stranger))).toBe('reservation_not_decided')
    const paying = both.ledger.transfer(both.buyer.number, both.arbiter, 5n, { nonce: 1 })
    expect(await codeOf(both.ledger.submit(both.ledger.signed(both.buyer.owner, paying)))).toBe('payee_cannot_receive')
  })

  test('an arbiter asks twice for its account and gets the same', async () => {
    const again = await both.call(openArbiter, { currency: 1, ...p256Owner().key })
    expect(Number(again['account'])).toBe(both.arbiter)
    expect(await codeOf(both.call(openArbiter, { currency: 9, ...p256Owner().key }))).toBe('currency_unknown')
  })
})
