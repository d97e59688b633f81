import { onBothLedgers, p256Owner } from './ground.ts'

onBothLedgers(({ fresh }) => {
  test('a signed transfer moves money, and says what is left', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, {}, 1_000n)
    const payee = await ground.customer(p256Owner())
    const record = ground.signed(payer.owner, ground.transfer(payer.number, payee.number, 300n, { fee: 2 }))
    const [written] = await ground.submit(record)
    expect(written).toMatchObject({ debit: payer.number, debitBalance: 698n, creditBalance: 300n })
    expect(await ground.account(2)).toMatchObject({ creditsPosted: 2n })
    const back = ground.signed(payee.owner, ground.transfer(payee.number, payer.number, 100n))
    await ground.submit(back)
    expect(await ground.account(payee.number)).toMatchObject({ creditsPosted: 300n, debitsPosted: 100n, nonce: 1 })
    expect((await ground.submit(record))[0]).toMatchObject({ number: written?.number })
  })
})
