import type { EntryOf } from '../../../src/kernel/ledger-entry.ts'
import { onBothLedgers, own, start } from './ground.ts'
import { refusalOf } from './orders/office.ts'

/** The reverse waterfall: a payer draws what is missing on what their bank reserved for them beforehand. */

const seconds = start / 1_000
const noHash = '0'.repeat(64)

onBothLedgers(({ fresh }) => {
  const open = async (granted: bigint, funds: bigint) => {
    const ground = await fresh()
    await ground.mint(own.bank, 1_000_000n)
    const payer = await ground.customer(undefined, { level: 1 }, funds)
    const payee = await ground.customer()
    const reserve: EntryOf<'reserve'> = {
      ...{ kind: 'reserve', from: own.bank, to: payer.number, currency: 1, amount: granted, fee: 0 },
      ...{
        expiry: seconds + 86_400,
        lockHash: noHash,
        arbiter: 0,
        nonce: 0,
        validUntil: seconds + 3_600,
        signature: '',
      },
    }
    const [made] = await ground.submit(ground.signed(ground.operator, reserve))
    const draw = (amount: bigint, remaining: bigint): EntryOf<'post'> => ({
      ...{ kind: 'post', reservation: made?.reservation ?? 0, amount, remaining, last: 0, by: payer.number },
      ...{ preimage: noHash, signature: '' },
    })
    const pay = (amount: bigint, drawn: bigint, { remaining = granted, nonce = 0 } = {}) =>
      ground.submit(
        ground.signed(payer.owner, draw(drawn, remaining)),
        ground.signed(payer.owner, ground.transfer(payer.number, payee.number, amount, { nonce })),
      )
    const balances = async () => {
      const of = async (number: number) => {
        const { creditsPosted, debitsPosted } = await ground.account(number)
        return creditsPosted - debitsPosted
      }
      return [await of(own.bank), await of(payer.number), await of(payee.number)]
    }
    return { ground, payer, payee, pay, balances }
  }

  test('pays more than the payer holds, by drawing the difference and paying in one chain', async () => {
    const { pay, balances, ground } = await open(9_000n, 2_000n)
    await pay(7_000n, 5_000n)
    expect(await balances()).toEqual([995_000n, 0n, 7_000n])
    await pay(3_000n, 3_000n, { remaining: 4_000n, nonce: 1 })
    expect(await balances()).toEqual([992_000n, 0n, 10_000n])
    expect(await ground.account(own.bank)).toMatchObject({ debitsPending: 1_000n })
  })

  test('draws nothing when the payment is refused, and never more than was granted', async () => {
    const { pay, balances } = await open(9_000n, 2_000n)
    expect(await refusalOf(pay(10_001n, 9_000n))).toBe('limit_per_payment')
    expect(await refusalOf(pay(7_000n, 4_999n))).toBe('funds_insufficient')
    expect(await refusalOf(pay(9_000n, 9_001n))).toBe('reservation_amount')
    expect(await balances()).toEqual([1_000_000n, 2_000n, 0n])
  })
})
