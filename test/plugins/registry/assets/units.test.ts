import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { canonical } from '../../../../src/kernel/canonical.ts'
import type { HolderCaller } from '../../../../src/kernel/gate.ts'
import { dayMs, type Office, onBothDatabases, refusalOf } from '../world.ts'
import {
  at,
  directorate,
  type Fleet,
  fields,
  fisher,
  fleet,
  heldBy,
  holdings,
  issued,
  joint,
  legalBasis,
  opened,
  order,
  sources,
} from './scene.ts'

const officer = (office: Office, entry: string, key?: string) => at(office, directorate(), { entry }, key)
const transfer = (office: Office, entry: string, [from, to]: [HolderCaller, HolderCaller], amount: string) =>
  at(office, joint(from, to), { entry })('transferUnits', { amount, legalBasis })

/** The sum of all holdings is what is issued, within the cap; what is frozen is there and under orders. */
const assertWhole = async (office: Office, entry: string): Promise<void> => {
  const found = await at(office, directorate(), { entry })('getAssetClass')
  const all = await holdings(office, entry)
  expect(all.reduce((sum, { amount }) => sum + BigInt(amount), 0n)).toBe(BigInt(found.issued))
  expect(BigInt(found.issued) <= BigInt(found.cap)).toBe(true)
  for (const { amount, frozen, freezes } of all) {
    expect(BigInt(frozen) <= BigInt(amount)).toBe(true)
    expect(freezes.reduce((sum, each) => sum + BigInt(String(each['amount'])), 0n)).toBe(BigInt(frozen))
  }
}

onBothDatabases(open => {
  describe('a class', () => {
    it('is opened empty by an officer, and everybody can read it', async () => {
      const office = await open(sources())
      const made = await opened(office)
      expect(made).toMatchObject({ number: 'FQ-2026-0001', cap: '1000', issued: '0', state: 'active', fields })
      expect(made['extract']).toEqual({ unit: { en: 'tonne', fr: 'tonne' }, decimals: 3, cap: '1000' })
      const [write] = office.writes
      expect(write).toMatchObject({ contract: 'assets', method: 'openClass' })
      expect(write?.args[1]).toMatchObject({ entryId: made.entry, cap: 1_000n, decimals: 3, walletTransfers: null })
      const anonymous = { params: { register: 'fishing-quotas', entry: made.entry } }
      expect((await office.call('getAssetClass', undefined, anonymous)).body).toEqual(made)
      expect((await office.call('getEntry', undefined, { params: { entry: made.entry } })).body).toMatchObject({
        version: 1,
        commitment: made['commitment'],
      })
    })

    it('refuses fields that do not fit, an unknown legal basis and an amount that is none', async () => {
      const office = await open(sources())
      const ask = (change: object) =>
        refusalOf(at(office, directorate())('openAssetClass', { fields, cap: '1000', legalBasis, ...change }))
      expect(await ask({ fields: { species: 'COD' } })).toBe('fields_invalid')
      expect(await ask({ legalBasis: 'Because' })).toBe('legal_basis_unknown')
      expect(await ask({ cap: '9223372036854775808' })).toBe('amount_invalid')
      expect(await ask({ validUntil: '2036-01-01T00:00:00Z' })).toBe('validity_wrong')
    })

    it('gets another cap, never below what is issued, and says so in its history', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      await issued(office, entry, fleet('C-1'), '600')
      const recap = (cap: string) => officer(office, entry)('changeAssetCap', { cap, legalBasis, reason: 'Stock' })
      expect(await refusalOf(recap('599'))).toBe('cap_below_issued')
      const changed = await recap('600')
      expect(changed).toMatchObject({ cap: '600', issued: '600', version: 2 })
      expect(changed['extract']).toMatchObject({ cap: '600' })
      expect(office.writes.at(-1)?.args[1]).toMatchObject({ cap: 600n, commitment: changed['commitment'] })
      const kinds = await officer(office, entry)<{ steps: { step: { kind: string } }[] }>('getEntryHistory')
      expect(kinds.steps.map(({ step }) => step.kind)).toEqual(['granted', 'recapped'])
    })

    it('is of its own register, and in force', async () => {
      const office = await open(sources())
      const nowhere = '00000000-0000-7000-8000-000000000000'
      expect(await refusalOf(officer(office, nowhere)('getAssetClass'))).toBe('entry_unknown')
      const { entry } = await opened(office)
      office.clock.advance(731 * dayMs)
      expect(await refusalOf(issued(office, entry, fleet('C-1'), '1'))).toBe('entry_state')
    })
  })

  it('A register that leaves transfers to wallets is refused at start: it would not know of them.', async () => {
    const [source] = sources() as Record<string, unknown>[]
    const quantity = { ...(source?.['quantity'] as object), walletTransfers: { domain: 'quotas', level: 2 } }
    await expect(open([{ ...source, quantity }])).rejects.toThrow(/fishing-quotas: quantity.walletTransfers/)
  })

  describe('units', () => {
    it('are issued up to the cap and retired again', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      const north = fleet('C-1')
      expect(await issued(office, entry, north, '1000')).toMatchObject({ issued: '1000', version: 1 })
      expect(await refusalOf(issued(office, entry, fleet('C-2'), '1'))).toBe('cap_exceeded')
      const retire = (amount: string, from: unknown = north.named) =>
        officer(office, entry)('retireUnits', { from, amount, legalBasis, reason: 'Overfished' })
      expect(await refusalOf(retire('1001'))).toBe('units_insufficient')
      expect(await refusalOf(retire('1', fleet('C-9').named))).toBe('units_insufficient')
      expect(await retire('400')).toMatchObject({ issued: '600' })
      expect(await heldBy(office, entry, north)).toMatchObject({ amount: '600', frozen: '0', wallet: null })
      expect(office.writes.map(({ method }) => method)).toEqual(['openClass', 'issue', 'retire'])
      await assertWhole(office, entry)
    })

    it('pass from one to another when both sign', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      const [north, south] = [fleet('C-1'), fleet('C-2')]
      await issued(office, entry, north, '500')
      const done = await transfer(office, entry, [north.caller, south.caller], '200')
      expect(done).toMatchObject({ entry, amount: '200' })
      expect(await heldBy(office, entry, north)).toMatchObject({ amount: '300' })
      expect(await heldBy(office, entry, south)).toMatchObject({
        ...{ amount: '200', holder: { kind: 'company', name: { registrationNumber: 'C-2' } } },
      })
      // A person known to no register becomes a holder by signing.
      await transfer(office, entry, [south.caller, fisher('Okafor')], '200')
      await assertWhole(office, entry)
      expect((await holdings(office, entry)).map(({ amount }) => amount).sort()).toEqual(['0', '200', '300'])
    })

    it('do not pass to oneself, from nobody, or in a greater number than there are', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      const [north, south] = [fleet('C-1'), fleet('C-2')]
      await issued(office, entry, north, '500')
      const ask = (from: HolderCaller, to: HolderCaller, amount = '1') =>
        refusalOf(transfer(office, entry, [from, to], amount))
      expect(await ask(north.caller, fleet('C-1').caller)).toBe('holder_same')
      expect(await ask(south.caller, north.caller)).toBe('holding_unknown')
      expect(await ask(north.caller, south.caller, '501')).toBe('units_insufficient')
      const stolen = { ...south.caller, matched: { ...south.caller.matched } }
      const [shown] = Object.values(north.caller.matched)
      for (const [id, each] of Object.entries(stolen.matched)) {
        stolen.matched[id] = { ...each, holderKey: shown?.holderKey ?? '' }
      }
      expect(await ask(north.caller, stolen)).toBe('parties_not_distinct')
      await assertWhole(office, entry)
    })

    it('are not spent twice by two deeds at once', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      const north = fleet('C-1')
      await issued(office, entry, north, '100')
      const deeds = await Promise.all(
        ['C-2', 'C-3', 'C-4'].map(number =>
          refusalOf(transfer(office, entry, [north.caller, fleet(number).caller], '60')),
        ),
      )
      expect(deeds.filter(code => code === undefined)).toHaveLength(1)
      expect(deeds.filter(code => code === 'units_insufficient')).toHaveLength(2)
      await assertWhole(office, entry)
    })

    it('are not issued beyond the cap by two officers at once, nor twice under one key', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      const body = { to: fleet('C-1').named, amount: '600', legalBasis }
      const once = officer(office, entry, 'key-1')
      expect(await once('issueUnits', body)).toEqual(await once('issueUnits', body))
      const codes = await Promise.all(
        ['C-2', 'C-3'].map(number => refusalOf(issued(office, entry, fleet(number), '300'))),
      )
      expect(codes.sort()).toEqual(['cap_exceeded', undefined])
      await assertWhole(office, entry)
    })
  })

  describe('an order', () => {
    const freeze = (office: Office, entry: string, of: Fleet, amount: string, reference = '2026/114') =>
      officer(office, entry)('freezeUnits', { of: of.named, amount, order: order(reference), legalBasis })
    const force = (office: Office, entry: string, body: Record<string, unknown>) =>
      officer(office, entry)('forceTransferUnits', { order: order('2026/115'), legalBasis, ...body })

    it('holds units where they are until it is lifted', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      const [north, south] = [fleet('C-1'), fleet('C-2')]
      await issued(office, entry, north, '100')
      const held = await freeze(office, entry, north, '80')
      expect(held).toMatchObject({ amount: '80', frozen: '80' })
      expect(await refusalOf(transfer(office, entry, [north.caller, south.caller], '21'))).toBe('units_frozen')
      expect(await refusalOf(freeze(office, entry, north, '21', '2026/200'))).toBe('units_frozen')
      await transfer(office, entry, [north.caller, south.caller], '20')
      expect((await heldBy(office, entry, north))?.freezes).toMatchObject([{ freeze: held.freeze, amount: '80' }])
      const lift = () => at(office, directorate(), { entry, freeze: held.freeze })('liftUnitsFreeze', { legalBasis })
      expect(await lift()).toMatchObject({ frozen: '0' })
      expect(await refusalOf(lift())).toBe('freeze_unknown')
      await transfer(office, entry, [north.caller, south.caller], '80')
      await assertWhole(office, entry)
      const chain = office.writes.filter(({ method }) => method.endsWith('freeze')).map(({ args }) => args[1])
      expect(chain).toMatchObject([{ order: held.freeze, amount: 80n, holder: null }, { order: held.freeze }])
    })

    it('is lifted though the class has lapsed, and laid on nothing then', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      const north = fleet('C-1')
      await issued(office, entry, north, '100')
      const held = await freeze(office, entry, north, '80')
      office.clock.advance(731 * dayMs)
      expect(await refusalOf(freeze(office, entry, north, '1', '2026/200'))).toBe('entry_state')
      const lift = at(office, directorate(), { entry, freeze: held.freeze })('liftUnitsFreeze', { legalBasis })
      expect(await lift).toMatchObject({ frozen: '0' })
      expect(office.writes.at(-1)).toMatchObject({ method: 'unfreeze' })
      await assertWhole(office, entry)
    })

    it('takes what a freeze holds, once', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      const [north, state] = [fleet('C-1'), fleet('C-0')]
      await issued(office, entry, north, '100')
      const held = await freeze(office, entry, north, '80')
      const taking = { from: north.named, to: state.named }
      expect(await refusalOf(force(office, entry, { ...taking, amount: '21' }))).toBe('units_frozen')
      expect(await refusalOf(force(office, entry, { ...taking, amount: '1', to: north.named }))).toBe('holder_same')
      await issued(office, entry, state, '5')
      const swapped = { from: state.named, to: north.named, amount: '1', freeze: held.freeze }
      expect(await refusalOf(force(office, entry, swapped))).toBe('freeze_of_another')
      const done = await force(office, entry, { ...taking, amount: '30', freeze: held.freeze })
      expect(await heldBy(office, entry, north)).toMatchObject({ amount: '70', frozen: '50' })
      expect(office.writes.at(-1)).toMatchObject({ method: 'forcedTransfer' })
      expect(office.writes.at(-1)?.args[1]).toMatchObject({ order: done.movement, freeze: held.freeze, amount: 30n })
      expect(await refusalOf(force(office, entry, { ...taking, amount: '1' }))).toBe('order_executed')
      const { authority } = order('2026/115')
      const spelt = { ...order(' ２０２６/115'), authority: authority.toUpperCase() }
      expect(await refusalOf(force(office, entry, { ...taking, amount: '1', order: spelt }))).toBe('order_executed')
      await force(office, entry, { ...taking, amount: '70', freeze: held.freeze, order: order('2026/116') })
      expect(await heldBy(office, entry, north)).toMatchObject({ amount: '0', frozen: '0', freezes: [] })
      await assertWhole(office, entry)
    })

    it('names somebody whom the register knows or can know', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      const nobody = { party: '00000000-0000-7000-8000-000000000000' }
      const ask = officer(office, entry)('freezeUnits', { of: nobody, amount: '1', order: order('1'), legalBasis })
      expect(await refusalOf(ask)).toBe('party_unknown')
    })
  })

  describe('reading', () => {
    it('shows holders what is theirs, officers all, with proofs of every movement', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      const [north, south] = [fleet('C-1'), fleet('C-2')]
      await issued(office, entry, north, '100')
      await issued(office, entry, south, '50')
      await transfer(office, entry, [north.caller, south.caller], '10')
      type Page = { movements: { movement: Record<string, unknown>; digest: string; proof?: { effects?: unknown } }[] }
      const all = (await officer(office, entry)<Page>('listMovements')).movements
      expect(all.map(({ movement }) => movement['kind'])).toEqual(['issued', 'issued', 'transferred'])
      for (const { movement, digest } of all) {
        expect(createHash('sha256').update(canonical(movement)).digest('hex')).toBe(digest)
      }
      const theirs = (await at(office, south.caller, { entry })<Page>('listMovements')).movements
      expect(theirs.map(({ movement }) => movement['kind'])).toEqual(['issued', 'transferred'])
      const none = await at(office, fisher('Stranger'), { entry })<Page>('listMovements')
      expect(none.movements).toEqual([])
      expect(await heldBy(office, entry, fleet('C-7'))).toBeUndefined()
      expect(all.map(({ proof }) => proof)).toEqual([undefined, undefined, undefined])
      await office.log.sequencer.runOnce()
      const proven = (await officer(office, entry)<Page>('listMovements')).movements
      for (const { digest, proof } of proven) expect(JSON.stringify(proof?.effects)).toContain(digest)
    })

    it('never changes a movement, whoever asks the database', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      await issued(office, entry, fleet('C-1'), '100')
      const change = (sql: string) => office.store.transaction(tx => tx.query(sql)).then(() => undefined)
      await expect(change("UPDATE asset_movements SET giver = 'x'")).rejects.toThrow(/never changed/)
      await expect(change('DELETE FROM asset_movements')).rejects.toThrow(/never changed/)
    })
  })

  describe('a certificate', () => {
    const claimsOf = (compact: unknown) =>
      JSON.parse(Buffer.from(String(compact).split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>

    it('says what the holder holds, and ends when that changes', async () => {
      const office = await open(sources())
      const { entry, number } = await opened(office)
      const north = fleet('C-1')
      const ask = () => at(office, north.caller, { entry })('certifyHolding', {})
      expect(await refusalOf(ask())).toBe('holding_unknown')
      await issued(office, entry, north, '100')
      const first = await ask()
      expect(claimsOf(first['compact'])).toMatchObject({
        ...{ classNumber: number, unit: 'tonne', decimals: 3, resource: 'COD', area: '27.2.a', jurisdiction: 'XN' },
      })
      const standing = () => [...office.statuses.values()]
      expect(standing()).toEqual([])
      await ask()
      expect(standing()).toEqual(['revoked'])
      await issued(office, entry, north, '1')
      expect(standing()).toEqual(['revoked', 'revoked'])
      await issued(office, entry, fleet('C-2'), '1')
      expect(standing()).toHaveLength(2)
    })
  })

  describe('a wallet', () => {
    const wallet = `0x${'ab'.repeat(20)}`
    const place = (office: Office, entry: string, of: Fleet, to: string | null) =>
      at(office, of.caller, { entry })('placeHolding', { wallet: to })

    it('takes the tokens of its own holder only, and gives them back', async () => {
      const office = await open(sources())
      const { entry } = await opened(office)
      const north = fleet('C-1')
      expect(await refusalOf(place(office, entry, north, null))).toBe('holding_unknown')
      await issued(office, entry, north, '100')
      // No binding reader, and a company has no pseudonym: nobody's wallet is theirs.
      expect(await refusalOf(place(office, entry, north, wallet))).toBe('wallet_of_another')
      expect(await place(office, entry, north, null)).toMatchObject({ amount: '100', wallet: null })
      expect(office.writes.map(({ method }) => method)).toEqual(['openClass', 'issue'])
    })
  })

  it('Whatever is done in whatever order, holdings add up to what is issued, within the cap.', async () => {
    const office = await open(sources())
    const fleets = ['C-1', 'C-2', 'C-3'].map(fleet)
    const numbers = { minLength: 5, maxLength: 14 }
    const step = fc.record({ kind: fc.nat(5), from: fc.nat(2), to: fc.nat(2), amount: fc.integer({ min: 1, max: 80 }) })
    let done = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, numbers), async steps => {
        const { entry } = await opened(office, '200')
        for (const each of fleets) await issued(office, entry, each, '50')
        const freezes: string[] = []
        for (const { kind, from, to, amount } of steps) {
          const [a, b] = [fleets[from] ?? fleet('C-1'), fleets[to] ?? fleet('C-2')]
          const size = String(amount)
          const named = { from: a.named, to: b.named, amount: size, legalBasis, order: order(`${entry}/${done}`) }
          const act = [
            () => issued(office, entry, b, size),
            () => transfer(office, entry, [a.caller, b.caller], size),
            () => officer(office, entry)('retireUnits', { from: a.named, amount: size, legalBasis, reason: 'r' }),
            () => officer(office, entry)('freezeUnits', { ...named, of: a.named, from: undefined, to: undefined }),
            () => officer(office, entry)('forceTransferUnits', { ...named, freeze: freezes.at(-1) }),
            () =>
              at(office, directorate(), { entry, freeze: freezes.at(-1) ?? entry })('liftUnitsFreeze', { legalBasis }),
          ][kind]
          const code = await refusalOf(
            Promise.resolve(act?.()).then(made => {
              if (kind === 3) freezes.push(String((made as { freeze: string }).freeze))
            }),
          )
          if (code === undefined) done += 1
        }
        await assertWhole(office, entry)
      }),
      { numRuns: 20 },
    )
    expect(done).toBeGreaterThan(15)
  }, 60_000)
})
