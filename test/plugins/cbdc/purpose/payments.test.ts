import type { SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import { payInstalments } from '../../../../src/plugins/cbdc/actions/instructions/pay.ts'
import { purposesKnown } from '../../../../src/plugins/cbdc/actions/purpose/purposes.ts'
import { returnEnded } from '../../../../src/plugins/cbdc/actions/purpose/upkeep.ts'
import { balanceOf } from '../../../../src/plugins/cbdc/ledger/state.ts'
import { type Ground, onBothLedgers, own, secp256k1Owner } from '../ground.ts'
import { noFence, openOffice, refusalOf } from '../orders/office.ts'
import { dayMs, endsAt, food, grocery, licenceProof, openLicences, openProgrammes, openRail } from './programme.ts'

onBothLedgers(({ fresh }) => {
  /** A ledger with a programme for food, whose sponsor has money. */
  const begin = async (over: Record<string, unknown> = {}) => {
    const clock = { now: () => 0 }
    const licences = openLicences({ now: () => clock.now() })
    const ground = await fresh({
      more: async () => ({ credentialInForce: licences.inForce, rail: openRail }),
    })
    clock.now = () => ground.state.now
    const programmes = openProgrammes(ground)
    await ground.mint(own.bank, 1_000_000n)
    await programmes.open(over)
    return { ground, licences: licences.state, ...programmes }
  }
  const held = async (ground: Ground, number: number): Promise<bigint> => balanceOf(await ground.account(number))
  const soon = (ground: Ground): number => Math.floor(ground.state.now / 1_000) + 3_600

  describe('purpose-bound money', () => {
    test('goes from the sponsor to a person, and from there to a merchant that qualifies', async () => {
      const { ground, beneficiary, merchant, grant, pay, sums } = await begin()
      const [person, grocer] = [await beneficiary(), await merchant()]
      expect(grocer.qualified).toMatchObject({
        ...{ credentialType: 'BusinessLicence', classes: ['licence-class:retail', 'NACE-2.1:4711'] },
        until: '2027-01-01T00:00:00.000Z',
      })
      await grant(person.number, 5_000n)
      await pay(person, grocer.number, 1_200n, { fee: 3 })
      expect(await held(ground, person.number)).toBe(3_797n)
      expect(await held(ground, grocer.number)).toBe(1_200n)
      expect(await sums()).toEqual({
        ...{ programme: 'school-meals', currency: 1, grantedMinor: '5000', spentMinor: '1203', refundedMinor: '0' },
        ...{ returnedMinor: '0', takenMinor: '0', heldMinor: '3797' },
      })
    })

    test('counts neither for what its person holds nor for what they pay in a day', async () => {
      const { ground, beneficiary, merchant, grant, pay } = await begin()
      const person = await beneficiary({ class: 'person', programme: undefined })
      const bound = await beneficiary({}, person.person, person.index)
      const grocer = await merchant()
      await ground.mint(person.number, 100n)
      await grant(bound.number, 900_000n)
      await pay(bound, grocer.number, 800_000n)
      expect(await ground.account(person.number)).toMatchObject({ held: 100n, spent: 0n })
      expect(await ground.account(bound.number)).toMatchObject({ lead: person.number, class: 'purpose' })
    })

    test.each([
      [
        'by the type of its credential alone',
        { payees: [{ credentialType: 'BusinessLicence', classes: [] }] },
        grocery,
      ],
      [
        'by its profession',
        { payees: [{ credentialType: 'ProfessionalLicence', classes: ['profession:pharmacist'] }] },
        { profession: 'pharmacist', expiryDate: '2026-12-31' },
      ],
    ])('is paid to a merchant that qualifies %s', async (_how, over, claims) => {
      const { ground, beneficiary, merchant, grant, pay } = await begin(over)
      const type = over.payees[0]?.credentialType
      const [person, payee] = [await beneficiary(), await merchant(claims, type)]
      await grant(person.number, 100n)
      await pay(person, payee.number, 40n)
      expect(await held(ground, payee.number)).toBe(40n)
    })

    test('tells a payer the same of every payee that it does not serve, and moves nothing', async () => {
      const { ground, beneficiary, merchant, grant, pay, licences } = await begin()
      const person = await beneficiary()
      await grant(person.number, 1_000n)
      const revoked = await merchant()
      licences.revoked.add(revoked.licence)
      const self = await merchant()
      await ground.store.transaction(async tx => {
        await tx.query('UPDATE cbdc_accounts SET lead = ? WHERE number = ?', [person.number, self.number])
      })
      const lapsedKyc = await merchant()
      ground.state.revoked.add(`${lapsedKyc.kyc.issuer}/${lapsedKyc.kyc.list}/${lapsedKyc.kyc.index}`)
      const frozen = await merchant()
      await ground.execute([
        [{ entry: { kind: 'freeze', account: frozen.number, amount: 0n, order: '00'.repeat(16) }, signer: undefined }],
      ])
      const payees = {
        'without a licence': (await merchant(null)).number,
        'of another class': (await merchant({ ...grocery, activities: [{ scheme: 'NACE-2.1', code: '92.00' }] }))
          .number,
        'of another type': (
          await merchant({ profession: 'pharmacist', expiryDate: '2026-12-31' }, 'ProfessionalLicence')
        ).number,
        'whose licence is revoked': revoked.number,
        'whose attestation is revoked': lapsedKyc.number,
        'that is frozen': frozen.number,
        'that is a person': (await ground.customer()).number,
        'that is another account with a purpose': (await beneficiary()).number,
        'that is the sponsor': own.bank,
        'that is a business of their own': self.number,
        'that does not exist': 4_000,
      }
      const told: Record<string, string | undefined> = {}
      for (const [name, number] of Object.entries(payees)) told[name] = await refusalOf(pay(person, number, 10n))
      expect(told).toEqual(Object.fromEntries(Object.keys(payees).map(name => [name, 'payee_cannot_receive'])))
      expect(await held(ground, person.number)).toBe(1_000n)
    })

    test('tells no more when a payment is linked to one that must fail', async () => {
      const { ground, beneficiary, merchant, grant, item, transfer } = await begin()
      const [person, grocer, other] = [await beneficiary(), await merchant(), await merchant(null)]
      await grant(person.number, 1_000n)
      const told: unknown[] = []
      for (const payee of [grocer.number, other.number, 4_000]) {
        const chain = [
          await item(person, transfer(person, payee, 10n)),
          await item(person, transfer(person, payee, 5_000n, { nonce: 1 })),
        ]
        const { outcomes } = await ground.execute([chain])
        told.push(outcomes[0]?.map(outcome => 'refusal' in outcome && outcome.refusal.code))
      }
      const [first] = told
      expect(first).toEqual(['chain_broken', 'funds_insufficient'])
      expect(told).toEqual([first, first, first])
    })

    test('stops for a merchant with the licence, and goes on with another', async () => {
      const { beneficiary, merchant, grant, pay, licences } = await begin()
      const [person, grocer] = [await beneficiary(), await merchant()]
      await grant(person.number, 1_000n)
      await pay(person, grocer.number, 10n)
      licences.revoked.add(grocer.licence)
      expect(await refusalOf(pay(person, grocer.number, 10n))).toBe('payee_cannot_receive')
      await grocer.qualify(licenceProof(9_001, grocer.person))
      await pay(person, grocer.number, 10n)
    })

    test('stops when the licence has run out', async () => {
      const { ground, beneficiary, merchant, grant, pay } = await begin()
      const person = await beneficiary()
      const grocer = await merchant({ ...grocery, expiryDate: '2026-06-03' })
      await grant(person.number, 1_000n)
      await pay(person, grocer.number, 10n)
      ground.state.now = Date.parse('2026-06-04T00:00:00Z')
      expect(await refusalOf(pay(person, grocer.number, 10n))).toBe('payee_cannot_receive')
    })

    test('stops for everybody while the status of licences cannot be known', async () => {
      const { ground, beneficiary, merchant, grant, pay, licences } = await begin()
      const [person, grocer] = [await beneficiary(), await merchant()]
      await grant(person.number, 1_000n)
      licences.unknown = true
      await expect(pay(person, grocer.number, 10n)).rejects.toThrow('status unknown')
      expect(await held(ground, grocer.number)).toBe(0n)
    })

    test('stops for a merchant that its bank does not call one any more', async () => {
      const { ground, beneficiary, merchant, grant, pay } = await begin()
      const [person, grocer] = [await beneficiary(), await merchant()]
      await grant(person.number, 1_000n)
      await ground.store.transaction(async tx => {
        await tx.query("UPDATE cbdc_accounts SET class = 'person' WHERE number = ?", [grocer.number])
      })
      expect(await refusalOf(pay(person, grocer.number, 10n))).toBe('payee_cannot_receive')
    })

    test('stops with the attestation of its person, and goes on when their bank renews it', async () => {
      const { ground, beneficiary, merchant, grant, pay } = await begin()
      const [person, grocer] = [await beneficiary(), await merchant()]
      await grant(person.number, 1_000n)
      const bound = await ground.account(person.number)
      ground.state.revoked.add(`${bound.kyc?.issuer}/${bound.kyc?.list}/${bound.kyc?.index}`)
      expect(await refusalOf(pay(person, grocer.number, 10n))).toBe('kyc_not_in_force')
      const office = openOffice(ground)
      const params = { account: String(person.number) }
      const attestation = { list: 1, index: 5_001, until: '2027-01-01T00:00:00Z' }
      const merchants = { level: 2, attestation, class: 'merchant' }
      expect(await refusalOf(office.asBank('setAccountLevel', merchants, params))).toBe('account_unknown')
      await office.asBank('setAccountLevel', { level: 2, attestation }, params)
      await pay(person, grocer.number, 10n)
      expect(await ground.account(person.number)).toMatchObject({ class: 'purpose' })
    })

    test('is spent by transfers alone', async () => {
      const { ground, beneficiary, merchant, grant, enter } = await begin()
      const [person, grocer] = [await beneficiary(), await merchant()]
      await grant(person.number, 1_000n)
      const [from, account, to] = [person.number, person.number, grocer.number]
      const signs = { nonce: 0, validUntil: soon(ground), signature: '' }
      const terms = { lockHash: '00'.repeat(32), arbiter: 0, fee: 0, currency: 1, amount: 10n }
      const first = Math.floor(ground.state.now / 1_000) + 86_400
      const entries: SignedEntry[] = [
        { kind: 'reserve', from, to, ...terms, expiry: soon(ground), ...signs },
        {
          kind: 'withdraw',
          from,
          to: own.rail,
          currency: 1,
          amount: 10n,
          fee: 0,
          recipient: '11'.repeat(20),
          ...signs,
        },
        { kind: 'link', account, linked: own.bank, ...signs },
        { kind: 'instruct', account, to, currency: 1, amount: 10n, first, unit: 1, every: 1, times: 2, ...signs },
      ]
      const told: Record<string, string | undefined> = {}
      for (const entry of entries) told[entry.kind] = await refusalOf(enter(person, entry))
      expect(told).toEqual({
        ...{ reserve: 'purpose_bound', withdraw: 'purpose_bound', link: 'purpose_bound', instruct: 'purpose_bound' },
      })
      const { key } = secp256k1Owner()
      await enter(person, { kind: 'keyChange', account, ...key, ...signs })
      expect(await ground.account(account)).toMatchObject({ key, linked: 0, debitsPending: 0n })
    })

    test('is granted by its sponsor alone, by transfers, until the programme ends', async () => {
      const { ground, beneficiary, merchant, enter, pay, sponsor, open } = await begin()
      await open({ programme: 'fuel', sponsor: own.treasury })
      const [person, fuel, grocer] = [await beneficiary(), await beneficiary({ programme: 'fuel' }), await merchant()]
      const other = { ...(await ground.customer(undefined, {}, 1_000n)), spoken: { nonce: 0 } }
      await ground.mint(grocer.number, 1_000n)
      const reserve: SignedEntry = {
        ...{ kind: 'reserve', from: own.bank, to: person.number, currency: 1, amount: 10n, fee: 0 },
        ...{ expiry: soon(ground), lockHash: '00'.repeat(32), arbiter: 0 },
        ...{ nonce: 0, validUntil: soon(ground), signature: '' },
      }
      const told = [
        await refusalOf(pay(other, person.number, 10n)),
        await refusalOf(pay(grocer, person.number, 10n)),
        await refusalOf(pay(sponsor, fuel.number, 10n)),
        await refusalOf(enter(sponsor, reserve)),
      ]
      ground.state.now = endsAt
      told.push(await refusalOf(pay(sponsor, person.number, 10n)))
      expect(told).toEqual(told.map(() => 'payee_cannot_receive'))
      expect(await held(ground, person.number)).toBe(0n)
    })

    test('is granted month by month where the sponsor instructs it', async () => {
      const { ground, beneficiary, enter, sponsor, sums } = await begin()
      const person = await beneficiary()
      const first = Math.floor(ground.state.now / 1_000) + 86_400
      const terms = { currency: 1, amount: 10n, first, unit: 3, every: 1, times: 2 }
      const signs = { nonce: 0, validUntil: soon(ground), signature: '' }
      await enter(sponsor, { kind: 'instruct', account: own.bank, to: person.number, ...terms, ...signs })
      const other = { ...(await ground.customer(undefined, {}, 1_000n)), spoken: { nonce: 0 } }
      const instruct = { kind: 'instruct' as const, account: other.number, to: person.number, ...terms, ...signs }
      expect(await refusalOf(enter(other, instruct))).toBe('payee_cannot_receive')
      ground.state.now += 2 * dayMs
      await payInstalments(ground.desk, noFence)
      expect(await held(ground, person.number)).toBe(10n)
      expect(await sums()).toMatchObject({ grantedMinor: '10', refundedMinor: '0', heldMinor: '10' })
    })

    test('is granted to one person up to what the terms say, and refunds do not use that up', async () => {
      const { ground, beneficiary, merchant, grant, pay, refund, sums } = await begin({ perBeneficiaryMinor: '1000' })
      const [person, grocer] = [await beneficiary(), await merchant()]
      await grant(person.number, 900n)
      expect(await refusalOf(grant(person.number, 101n))).toBe('payee_cannot_receive')
      const paid = await pay(person, grocer.number, 500n)
      await refund(grocer, person.number, 300n, paid)
      expect(await refusalOf(grant(person.number, 101n))).toBe('payee_cannot_receive')
      await grant(person.number, 100n)
      expect(await held(ground, person.number)).toBe(800n)
      expect(await sums()).toMatchObject({ grantedMinor: '1000', refundedMinor: '300', heldMinor: '800' })
    })

    test('is not granted above what the terms say by payments of one request together', async () => {
      const { ground, beneficiary, item, transfer, sponsor } = await begin({ perBeneficiaryMinor: '1000' })
      const person = await beneficiary()
      const chains = [
        [await item(sponsor, transfer(sponsor, person.number, 600n))],
        [await item(sponsor, transfer(sponsor, person.number, 600n, { nonce: 1 }))],
      ]
      const { outcomes } = await ground.execute(chains)
      expect(outcomes.map(([outcome]) => outcome && 'refusal' in outcome && outcome.refusal.code)).toEqual([
        ...[false, 'payee_cannot_receive'],
      ])
    })

    test('is not spent when its programme has ended, whoever is to be paid', async () => {
      const { ground, beneficiary, merchant, grant, pay } = await begin()
      const [person, grocer] = [await beneficiary(), await merchant()]
      await grant(person.number, 1_000n)
      ground.state.now = endsAt - 1
      await pay(person, grocer.number, 10n)
      ground.state.now = endsAt
      for (const payee of [grocer.number, 4_000]) {
        expect(await refusalOf(pay(person, payee, 10n))).toBe('purpose_ended')
      }
      expect(await refusalOf(pay(person, grocer.number, 5_000n))).toBe('funds_insufficient')
    })

    test('that a merchant refunds serves its purpose again, until the account is closed', async () => {
      const { ground, beneficiary, merchant, grant, pay, refund } = await begin()
      const [person, grocer] = [await beneficiary(), await merchant()]
      await grant(person.number, 1_000n)
      const paid = await pay(person, grocer.number, 500n)
      ground.state.now = endsAt + dayMs
      await refund(grocer, person.number, 200n, paid)
      await returnEnded(ground.desk, noFence)
      expect(await held(ground, own.bank)).toBe(999_700n)
      expect(await refusalOf(refund(grocer, person.number, 100n, paid))).toBe('payee_cannot_receive')
    })

    test('is given back to the sponsor by a person who does not need it, and to nobody else', async () => {
      const { ground, beneficiary, merchant, grant, pay, refund, sums } = await begin()
      const [person, grocer] = [await beneficiary(), await merchant()]
      const granted = await grant(person.number, 1_000n)
      expect(await refusalOf(pay(person, own.bank, 10n))).toBe('payee_cannot_receive')
      await refund(person, own.bank, 400n, granted)
      expect(await refusalOf(refund(person, own.bank, 601n, granted))).toBe('funds_insufficient')
      expect(await refusalOf(refund(person, grocer.number, 1n, granted))).toBe('refund_unknown')
      expect(await held(ground, own.bank)).toBe(999_400n)
      expect(await sums()).toMatchObject({ returnedMinor: '400', spentMinor: '0', heldMinor: '600' })
    })

    test('is looked up for no batch in which nobody has any', async () => {
      const { ground, merchant } = await begin({ payees: food })
      const [payer, grocer] = [await ground.customer(undefined, {}, 100n), await merchant()]
      const [item] = await ground.desk.attest([
        ground.signed(payer.owner, ground.transfer(payer.number, grocer.number, 10n)),
      ])
      const known = await ground.desk.ledger.execute({
        ...{
          operation: 'trial',
          requires: { by: 'anyone' },
          caller: { kind: 'anonymous', id: 'anonymous' },
          input: {},
        },
        chains: item === undefined ? [] : [[item]],
        answer: ({ book }, outcomes) => ({ known: purposesKnown(book) !== undefined, outcomes: outcomes.length }),
      })
      expect(known).toEqual({ known: false, outcomes: 1 })
    })
  })
})
