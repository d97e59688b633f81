import fc from 'fast-check'
import type { EntryOf } from '../../../../src/kernel/ledger-entry.ts'
import { settleQueued } from '../../../../src/plugins/cbdc/actions/interbank/rounds.ts'
import { expectFolded } from '../folded.ts'
import { onBothLedgers, openGround, own, secp256k1Owner } from '../ground.ts'
import { noFence, refusalOf } from '../orders/office.ts'
import { openBanks } from './banks.ts'

const hour = 3_600

onBothLedgers(({ fresh, place }) => {
  const open = async (...funds: bigint[]) => {
    const ground = await fresh()
    return { ground, ...(await openBanks(ground, funds)) }
  }

  test('a payment settles at once where funds suffice, and once', async () => {
    const { ground, bank, settle, signed, balances } = await open(100n, 0n)
    const record = signed(bank(0), bank(1).account, 60n)
    const settled = await settle(bank(0), record, { queue: false })
    expect(settled).toMatchObject({ status: 201, state: 'settled', amountMinor: '60', nonce: 0 })
    expect(await settle(bank(0), record)).toMatchObject({ entry: settled['entry'] })
    expect(await balances()).toEqual([40n, 60n])
    await expectFolded(ground.store)
  })

  test('what cannot be paid is refused, or waits if it may; waiting reserves nothing', async () => {
    const { ground, bank, settle, signed, balances, waiting } = await open(50n, 0n)
    const record = signed(bank(0), bank(1).account, 60n)
    expect(await refusalOf(settle(bank(0), record, { queue: false }))).toBe('funds_insufficient')
    expect(await waiting(bank(0))).toEqual([])
    expect(await settle(bank(0), record)).toMatchObject({ status: 202, state: 'queued', reason: 'funds_insufficient' })
    expect(await waiting(bank(0))).toMatchObject([{ id: record.id }])
    expect(await waiting(bank(1), 'incoming')).toMatchObject([{ id: record.id }])
    expect(await waiting(bank(1))).toEqual([])
    expect(await balances()).toEqual([50n, 0n])
    expect(await ground.account(bank(0).account)).toMatchObject({ nonce: 0, debitsPending: 0n })
  })

  test('a payment that comes in lets go on what waits, from bank to bank in one act', async () => {
    const { bank, settle, signed, balances, waiting } = await open(100n, 0n, 0n)
    await settle(bank(1), signed(bank(1), bank(2).account, 80n))
    await settle(bank(2), signed(bank(2), bank(0).account, 70n))
    await settle(bank(2), signed(bank(2), bank(1).account, 5n, { nonce: 1 }))
    await settle(bank(0), signed(bank(0), bank(1).account, 90n))
    expect(await balances()).toEqual([80n, 15n, 5n])
    for (const at of [0, 1, 2]) expect(await waiting(bank(at))).toEqual([])
  })

  test('funds that come in otherwise are noticed by the round, which does nothing while nothing is due', async () => {
    const { ground, bank, settle, signed, waiting } = await open(0n, 0n)
    await settle(bank(0), signed(bank(0), bank(1).account, 80n))
    expect(await settleQueued(ground.desk, noFence)).toBe(0)
    await ground.mint(bank(0).account, 79n)
    expect(await settleQueued(ground.desk, noFence)).toBe(0)
    await ground.mint(bank(0).account, 1n)
    expect(await settleQueued(ground.desk, noFence)).toBe(1)
    expect(await waiting(bank(0))).toEqual([])
    const lost = async () => {
      throw new Error('the lease is gone')
    }
    await settle(bank(0), signed(bank(0), bank(1).account, 80n, { nonce: 1 }))
    await ground.mint(bank(0).account, 80n)
    await expect(settleQueued(ground.desk, lost)).rejects.toThrow('the lease is gone')
    expect(await waiting(bank(0))).toHaveLength(1)
  })

  test('a small payment does not pass a great one of the same bank, unless the bank signs both anew', async () => {
    const { bank, as, settle, signed, balances, waiting } = await open(50n, 0n)
    const great = signed(bank(0), bank(1).account, 60n)
    const small = signed(bank(0), bank(1).account, 10n, { nonce: 1 })
    await settle(bank(0), great)
    expect(await settle(bank(0), small)).toMatchObject({ state: 'queued' })
    expect(await balances()).toEqual([50n, 0n])
    const payments = [
      { ...signed(bank(0), bank(1).account, 10n, { nonce: 0 }, small.id), priority: 9 },
      { ...signed(bank(0), bank(1).account, 60n, { nonce: 1 }, great.id), priority: 0 },
    ]
    const { items } = await as(bank(0), 'reprioritise', { payments })
    expect(items).toMatchObject([{ state: 'settled' }, { state: 'queued', priority: 0 }])
    expect(await balances()).toEqual([40n, 10n])
    expect(await waiting(bank(0))).toMatchObject([{ id: great.id, nonce: 1 }])
  })

  test('priorities never rise along the nonces: who wants to be first hands in the others anew', async () => {
    const { bank, settle, signed, waiting } = await open(0n, 0n)
    const usual = signed(bank(0), bank(1).account, 60n)
    await settle(bank(0), usual)
    const urgent = signed(bank(0), bank(1).account, 70n, { nonce: 1 })
    expect(await refusalOf(settle(bank(0), urgent, { priority: 9 }))).toBe('queue_order')
    const first = signed(bank(0), bank(1).account, 70n, { nonce: 0 })
    expect(await refusalOf(settle(bank(0), first, { priority: 9 }))).toBe('queue_order')
    const behind = [signed(bank(0), bank(1).account, 60n, { nonce: 1 }, usual.id)]
    await settle(bank(0), first, { priority: 9, behind })
    const nonces = new Map((await waiting(bank(0))).map(({ id, nonce }) => [id, nonce]))
    expect(nonces).toEqual(new Map([[first.id, 0] as const, [usual.id, 1] as const]))
  })

  test('priorities can change without signatures where the order stays', async () => {
    const { bank, as, settle, signed } = await open(0n, 0n)
    const first = signed(bank(0), bank(1).account, 60n)
    const second = signed(bank(0), bank(1).account, 60n, { nonce: 1 })
    await settle(bank(0), first)
    await settle(bank(0), second)
    const raise = (payments: { id: string; priority: number }[]) => as(bank(0), 'reprioritise', { payments })
    expect(await refusalOf(raise([{ id: second.id, priority: 6 }]))).toBe('queue_order')
    expect(await raise([{ id: first.id, priority: 9 }])).toMatchObject({ items: [{ priority: 9 }] })
    expect(await raise([{ id: second.id, priority: 6 }])).toMatchObject({ items: [{ priority: 6 }] })
  })

  test('what is cancelled never settles; what is behind waits until its nonce is used', async () => {
    const { ground, bank, as, settle, signed, balances } = await open(0n, 0n)
    const great = signed(bank(0), bank(1).account, 60n)
    await settle(bank(0), great)
    await settle(bank(0), signed(bank(0), bank(1).account, 10n, { nonce: 1 }))
    const cancel = () => as(bank(0), 'cancelQueued', {}, { params: { payment: great.id } })
    expect(await refusalOf(as(bank(1), 'cancelQueued', {}, { params: { payment: great.id } }))).toBe('queued_unknown')
    expect(await cancel()).toMatchObject({ state: 'cancelled' })
    expect(await refusalOf(cancel())).toBe('queued_unknown')
    await ground.mint(bank(0).account, 100n)
    expect(await settleQueued(ground.desk, noFence)).toBe(0)
    expect(await balances()).toEqual([100n, 0n])
    await settle(bank(0), signed(bank(0), bank(1).account, 1n))
    expect(await balances()).toEqual([89n, 11n])
    expect(await settle(bank(0), great)).toMatchObject({ status: 202, state: 'cancelled' })
  })

  test('a nonce that was used otherwise ends the payment that waited with it, and the next goes on', async () => {
    const { ground, bank, settle, signed, balances } = await open(50n, 0n)
    const great = signed(bank(0), bank(1).account, 60n)
    await settle(bank(0), great)
    await settle(bank(0), signed(bank(0), bank(1).account, 10n, { nonce: 1 }))
    await ground.submit(signed(bank(0), bank(1).account, 1n))
    expect(await settleQueued(ground.desk, noFence)).toBe(2)
    expect(await settle(bank(0), great)).toMatchObject({ state: 'ended', reason: 'nonce_mismatch' })
    expect(await balances()).toEqual([39n, 11n])
  })

  test('time, another key and a payee on hold end what waits; a freeze of the payer does not', async () => {
    const { ground, bank, settle, signed, waiting } = await open(0n, 0n, 0n)
    const late = signed(bank(0), bank(2).account, 10n, { validUntil: Math.floor(ground.state.now / 1_000) + 60 })
    await settle(bank(0), late)
    ground.state.now += 61_000
    expect(await settleQueued(ground.desk, noFence)).toBe(1)
    expect(await settle(bank(0), late)).toMatchObject({ state: 'ended', reason: 'transfer_expired' })

    const frozen = signed(bank(1), bank(2).account, 10n)
    await settle(bank(1), frozen)
    await ground.mint(bank(1).account, 10n)
    const order = '00'.repeat(16)
    const hold = async (kind: 'freeze' | 'unfreeze', account: number) =>
      ground.execute([[{ entry: { kind, account, amount: 0n, order }, signer: undefined }]])
    await hold('freeze', bank(1).account)
    expect(await settleQueued(ground.desk, noFence)).toBe(0)
    await hold('unfreeze', bank(1).account)
    await hold('freeze', bank(2).account)
    expect(await settleQueued(ground.desk, noFence)).toBe(1)
    expect(await waiting(bank(1))).toEqual([])
    expect(await settle(bank(1), frozen)).toMatchObject({ reason: 'payee_cannot_receive' })
    await hold('unfreeze', bank(2).account)

    const old = signed(bank(2), bank(1).account, 10n)
    await settle(bank(2), old)
    const entry: EntryOf<'keyOrder'> = {
      ...{ kind: 'keyOrder', account: bank(2).account, order, ...secp256k1Owner().key },
    }
    await ground.execute([[{ entry, signer: undefined }]])
    await ground.mint(bank(2).account, 10n)
    expect(await settleQueued(ground.desk, noFence)).toBe(1)
    expect(await settle(bank(2), old)).toMatchObject({ state: 'ended', reason: 'signature_invalid' })
  })

  test('every payment that may not stand is refused by its name, and leaves no trace', async () => {
    const { ground, bank, as, settle, signed } = await open(50n, 0n)
    const payee = bank(1).account
    const person = await ground.customer()
    const soon = Math.floor(ground.state.now / 1_000)
    const waits = signed(bank(0), payee, 60n)
    await settle(bank(0), waits)
    const anew = (over: Partial<EntryOf<'transfer'>>, amount = 60n) => ({
      behind: [signed(bank(0), payee, amount, { nonce: 2, ...over }, waits.id)],
    })
    const next = { nonce: 1 }
    const other = { ...bank(0), owner: secp256k1Owner() }
    const reserve = ground.signed(bank(0).owner, {
      ...{ kind: 'reserve', from: bank(0).account, to: payee, currency: 1, amount: 1n, fee: 0, expiry: soon + hour },
      ...{ lockHash: '00'.repeat(32), arbiter: 0, nonce: 1, validUntil: soon + hour, signature: '' },
    })
    const aged = `${(ground.state.now - 25 * hour * 1_000).toString(16).padStart(12, '0')}`
    const old = `${aged.slice(0, 8)}-${aged.slice(8)}-7000-8000-000000000000`
    const refused: [string, Promise<unknown>][] = [
      ['participant_unknown', settle({ ...bank(0), did: 'did:ethr:0x7a69:0xff' }, signed(bank(0), payee, 1n, next))],
      ['account_not_yours', settle(bank(1), signed(bank(0), payee, 1n, next))],
      ['account_same', settle(bank(0), signed(bank(0), bank(0).account, 1n, next))],
      ['amount_not_positive', settle(bank(0), signed(bank(0), payee, 0n, next))],
      ['amount_too_large', settle(bank(0), signed(bank(0), payee, 2n ** 63n, next))],
      ['signature_invalid', settle(bank(0), signed(other, payee, 1n, next))],
      ['transfer_expired', settle(bank(0), signed(bank(0), payee, 1n, { ...next, validUntil: soon }))],
      ['currency_mismatch', settle(bank(0), signed(bank(0), payee, 1n, { ...next, currency: 2 }))],
      ['transfer_id_not_current', settle(bank(0), signed(bank(0), payee, 1n, next, old))],
      ['queue_validity', settle(bank(0), signed(bank(0), payee, 1n, { ...next, validUntil: soon + 25 * hour }))],
      ['transfer_id_taken', settle(bank(0), signed(bank(0), payee, 61n, {}, waits.id))],
      ['payee_cannot_receive', settle(bank(0), signed(bank(0), person.number, 1n, next))],
      ['payee_cannot_receive', settle(bank(0), signed(bank(0), own.treasury, 1n, next))],
      ['payee_cannot_receive', settle(bank(0), signed(bank(0), 999, 1n, next))],
      ['nonce_mismatch', settle(bank(0), signed(bank(0), payee, 1n, next), { queue: false })],
      ['record_malformed', settle(bank(0), reserve)],
      ['record_malformed', settle(bank(0), { id: ground.newId(), record: 'AAAAAAAAAAAAAAAA' })],
      ['queue_order', settle(bank(0), signed(bank(0), payee, 1n))],
      ['queued_terms', settle(bank(0), signed(bank(0), payee, 1n), anew({}, 59n))],
      ['queued_terms', settle(bank(0), signed(bank(0), payee, 1n), anew({ to: own.bank }))],
      ['queued_unknown', settle(bank(0), signed(bank(0), payee, 1n), { behind: [signed(bank(0), payee, 1n, next)] })],
      ['queued_unknown', as(bank(1), 'reprioritise', { payments: [{ id: waits.id, priority: 1 }] })],
      ['participant_unknown', as({ did: 'did:ethr:0x7a69:0xff' }, 'listQueue', undefined)],
    ]
    for (const [code, call] of refused) expect([code, await refusalOf(call)]).toEqual([code, code])
    const kept = await ground.store.read<{ id: string }>('SELECT id FROM cbdc_interbank')
    expect(kept).toEqual([{ id: waits.id }])
    await ground.mint(bank(0).account, 10n)
    expect(await settleQueued(ground.desk, noFence)).toBe(1)
  })

  test('nobody but an institution that signed for the body may pay', async () => {
    const { bank, call, signed } = await open(50n, 0n)
    const body = { ...signed(bank(0), bank(1).account, 1n), priority: 5, queue: true }
    const caller = { kind: 'agency', id: bank(0).did, bodySha256: 'other' } as const
    expect(await refusalOf(call('settleInterbank', body, { caller }))).toBe('agency_body_mismatch')
    expect(await refusalOf(call('settleInterbank', body))).toBe('unauthenticated')
    const params = { payment: body.id }
    expect(await refusalOf(call('cancelQueued', {}, { caller, params }))).toBe('agency_body_mismatch')
    const payments = { payments: [{ id: body.id, priority: 1 }] }
    expect(await refusalOf(call('reprioritise', payments, { caller }))).toBe('agency_body_mismatch')
  })

  test('an institution whose admission ended pays nobody and is paid by nobody anew', async () => {
    const { ground, bank, settle, signed } = await open(50n, 50n)
    await ground.store.transaction(async tx => {
      await tx.query('UPDATE cbdc_participants SET ended_at = 1 WHERE did = ?', [bank(1).did])
    })
    expect(await refusalOf(settle(bank(1), signed(bank(1), bank(0).account, 1n)))).toBe('participant_unknown')
    expect(await refusalOf(settle(bank(0), signed(bank(0), bank(1).account, 1n)))).toBe('payee_cannot_receive')
  })

  test('so many payments may wait, and no more', async () => {
    const { ground, bank, settle, signed } = await open(0n, 0n)
    await settle(bank(0), signed(bank(0), bank(1).account, 1n))
    await ground.store.transaction(async tx => {
      const [row] = await tx.query('SELECT * FROM cbdc_interbank')
      tx.insert(
        'cbdc_interbank',
        Array.from({ length: 499 }, (_, at) => ({ ...row, id: ground.newId(), nonce: at + 1, amount: '1' })),
      )
    })
    const next = signed(bank(0), bank(1).account, 1n, { nonce: 500 })
    expect(await refusalOf(settle(bank(0), next))).toBe('queue_full')
  })

  test('rounds that try the same payments at once settle each once, also in two processes', async () => {
    const where = await place()
    const ground = await openGround(where)
    // SQLite is one process's own.
    const other = 'file' in where ? ground : await openGround(where)
    try {
      await ground.found()
      const { bank, settle, signed, balances } = await openBanks(ground, [0n, 0n])
      for (const nonce of [0, 1, 2]) await settle(bank(0), signed(bank(0), bank(1).account, 10n, { nonce }))
      await ground.mint(bank(0).account, 30n)
      const rounds = [ground, other, ground, other].map(({ desk }) => settleQueued(desk, noFence))
      expect((await Promise.all(rounds)).reduce((sum, count) => sum + count, 0)).toBe(3)
      expect(await balances()).toEqual([0n, 30n])
      await expectFolded(ground.store)
    } finally {
      await ground.close()
      if (other !== ground) await other.close()
    }
  })

  test('in any history nothing passes, nothing is lost, and nothing waits that could settle', async () => {
    const step = fc.record({
      from: fc.nat({ max: 2 }),
      by: fc.integer({ min: 1, max: 2 }),
      amount: fc.bigInt({ min: 1n, max: 40n }),
      kind: fc.constantFrom('pay', 'pay', 'pay', 'mint', 'cancel'),
    })
    const ground = await openGround(await place())
    try {
      await ground.found()
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async steps => {
          const { banks, bank, as, settle, signed, waiting, balances } = await openBanks(ground, [20n, 0n, 0n])
          const next = [0, 0, 0]
          let issued = 20n
          for (const { from, by, amount, kind } of steps) {
            const payer = bank(from)
            if (kind === 'mint') {
              issued += amount
              await ground.mint(payer.account, amount)
            } else if (kind === 'cancel') {
              const last = (await waiting(payer)).at(-1)
              if (last === undefined) continue
              await as(payer, 'cancelQueued', {}, { params: { payment: String(last['id']) } })
              next[from] = Number(last['nonce'])
            } else {
              const nonce = next[from] ?? 0
              await settle(payer, signed(payer, bank((from + by) % 3).account, amount, { nonce }))
              next[from] = nonce + 1
            }
          }
          while ((await settleQueued(ground.desk, noFence)) > 0);
          expect((await balances()).reduce((sum, balance) => sum + balance, 0n)).toBe(issued)
          for (const [at, payer] of banks.entries()) {
            const left = await waiting(payer)
            const { nonce, creditsPosted, debitsPosted } = await ground.account(payer.account)
            expect(left.map(payment => payment['nonce'])).toEqual(left.map((_, ahead) => nonce + ahead))
            expect(nonce + left.length).toBe(next[at])
            const [head] = left
            if (head !== undefined)
              expect(BigInt(String(head['amountMinor']))).toBeGreaterThan(creditsPosted - debitsPosted)
          }
        }),
        { numRuns: 6 },
      )
      await expectFolded(ground.store)
    } finally {
      await ground.close()
    }
  })
})
