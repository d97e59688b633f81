import fc from 'fast-check'
import { verifyEvidence } from '../../../../src/plugins/cbdc/ledger/purse-evidence.ts'
import { domain, type Ground, onBothLedgers, openGround, secp256k1Owner } from '../ground.ts'
import { expectSound } from '../instructions/payers.ts'
import {
  type Given,
  ledgerDid,
  type Offline,
  officer,
  offlineSettings,
  openOffline,
  type Payee,
  type Purse,
  signatureCheck,
  terms,
} from './purse.ts'

/** A voucher as the history has it: at a place, to one of the payees. */
type Signed = { place: number; payee: number; amount: bigint; record: string }

const payeesMost = 3
const places = terms.vouchersMost

/** Who hands in what: a voucher by its index, with all before it or alone, through the payee or through their bank. */
const handing = fc.record({
  voucher: fc.nat(63),
  alone: fc.boolean(),
  through: fc.constantFrom('payee' as const, 'bank' as const, 'owner' as const),
})
const amounts = fc.array(fc.record({ payee: fc.nat(payeesMost - 1), amount: fc.integer({ min: 1, max: 400 }) }), {
  ...{ minLength: 1, maxLength: places },
})

type World = Offline & { ground: Ground; payees: Payee[] }

const signAll = (
  { voucher, payees }: World,
  purse: Purse,
  given: Given,
  list: readonly { place: number; payee: number; amount: number }[],
): Signed[] =>
  list.map(({ place, payee, amount: minor }) => {
    const amount = BigInt(minor)
    const record = voucher(purse, given, { place, to: payees[payee]?.number ?? 0, amount })
    return { place, payee, amount, record }
  })

const handIn = async (
  { sync, syncAsBank, payees }: World,
  purse: Purse,
  chain: readonly Signed[],
  through: 'payee' | 'bank' | 'owner',
): Promise<void> => {
  const last = chain.at(-1)
  if (last === undefined) return
  const records = chain.map(({ record }) => record)
  if (through === 'bank') await syncAsBank([records])
  else await sync(through === 'owner' ? purse.caller : (payees[last.payee] as Payee).caller, records)
}

const paidTo = (signed: readonly Signed[], payee: number): bigint =>
  signed.reduce((sum, each) => (each.payee === payee ? sum + each.amount : sum), 0n)

onBothLedgers(({ fresh }) => {
  const openWorld = async () => {
    const { key, settings } = offlineSettings()
    const ground = await fresh(settings)
    const offline = openOffline(ground)
    const payees = await Promise.all(Array.from({ length: payeesMost }, () => offline.payee({ level: 3 })))
    const world: World = { ...offline, ground, payees }
    const balances = () => Promise.all(payees.map(({ number }) => offline.balance(number)))
    const expected = { key: key.jwk, ledger: ledgerDid, domain, isSignedBy: signatureCheck(ground) }
    const runs = ground.store.dialect === 'sqlite' ? 25 : 6
    return { world, balances, expected, runs }
  }

  test('an honest purse pays everybody exactly once, in whatever order they hand in, and is never accused', async () => {
    const { world, balances, runs } = await openWorld()
    await fc.assert(
      fc.asyncProperty(amounts, fc.array(handing, { maxLength: 8 }), async (list, order) => {
        const funds = list.reduce((sum, { amount }) => sum + BigInt(amount), 0n) + 7n
        const purse = await world.purse(funds)
        const before = await balances()
        const given = await world.goOffline(purse)
        const placed = list.map((each, place) => ({ ...each, place }))
        const signed = signAll(world, purse, given, placed)
        for (const { voucher, alone, through } of order) {
          const at = voucher % signed.length
          await handIn(world, purse, signed.slice(alone ? at : 0, at + 1), through)
        }
        for (const [at] of signed.entries()) await handIn(world, purse, signed.slice(0, at + 1), 'payee')
        const after = await balances()
        for (const [payee, balance] of after.entries()) {
          expect(balance - (before[payee] ?? 0n)).toBe(paidTo(signed, payee))
        }
        expect(await world.balance(purse.number)).toBe(7n)
        expect(await world.misuses()).toEqual([])
        expect(await world.ground.account(purse.number)).toMatchObject({ holds: 0, nonce: signed.length })
      }),
      { numRuns: runs },
    )
    await expectSound(world.ground)
  }, 120_000)

  test('a purse that cheats loses at most its cap, and is found; the honest one beside it never is', async () => {
    const { world, balances, expected, runs } = await openWorld()
    const vouchers = fc.array(
      fc.record({
        ...{ place: fc.nat(places - 1), payee: fc.nat(payeesMost - 1), amount: fc.integer({ min: 1, max: 900 }) },
      }),
      { minLength: 2, maxLength: 10 },
    )
    await fc.assert(
      fc.asyncProperty(vouchers, fc.array(handing, { minLength: 1, maxLength: 12 }), async (list, order) => {
        const [purse, honest] = [await world.purse(2_000n), await world.purse(50n, secp256k1Owner())]
        const given = await world.goOffline(purse, { capMinor: '1000' })
        const fair = await world.goOffline(honest)
        const before = await balances()
        const signed = signAll(world, purse, given, list)
        const handed: Signed[] = []
        for (const { voucher } of order) {
          const each = signed[voucher % signed.length] as Signed
          handed.push(each)
          await handIn(world, purse, [each], 'payee')
        }
        const paid = signAll(world, honest, fair, [{ place: 0, payee: 0, amount: 50 }])
        await handIn(world, honest, paid, 'payee')

        const left = 2_000n - (await world.balance(purse.number))
        const gained = (await balances()).reduce((sum, balance, payee) => sum + balance - (before[payee] ?? 0n), 0n)
        expect(left).toBeLessThanOrEqual(1_000n)
        expect(gained).toBe(left + 50n)

        const found = (await pagesOf(world)).filter(({ account }) => account === purse.number)
        const said = (each: Signed) => `${each.payee}/${each.amount}`
        for (const { place } of handed) {
          const distinct = new Set(handed.filter(each => each.place === place).map(said))
          const accused = found.filter(({ nonce }) => nonce === given.nonce + place)
          // The first of a nonce, unless it alone was beyond the cap, and every other one.
          expect(accused.length).toBeGreaterThanOrEqual(distinct.size - 1)
        }
        for (const { evidence, lead } of found) {
          expect(lead).toBe(purse.home)
          expect(verifyEvidence(String(evidence), expected)).toMatchObject({ holds: true, account: purse.number })
        }
        expect(await world.ground.account(purse.number)).toMatchObject({ holds: found.length > 0 ? 1 : 0 })
        expect((await pagesOf(world)).filter(({ account }) => account === honest.number)).toEqual([])
      }),
      { numRuns: runs },
    )
    await expectSound(world.ground)
  }, 120_000)
})

/** The whole list, page by page. */
const pagesOf = async ({ call }: World): Promise<Record<string, unknown>[]> => {
  const items: Record<string, unknown>[] = []
  let cursor: string | undefined
  do {
    const query = { limit: '100', ...(cursor !== undefined && { cursor }) }
    const page = await call('listDoubleSpends', undefined, { caller: officer(), query })
    items.push(...(page['items'] as Record<string, unknown>[]))
    cursor = page['next'] as string | undefined
  } while (cursor !== undefined)
  return items
}

onBothLedgers(({ place }) => {
  test('two processes that take in the same and conflicting vouchers at once enter each nonce once', async () => {
    const { settings } = offlineSettings()
    const where = await place()
    const one = await openGround(where, settings)
    await one.found()
    const other = await openGround(where, settings)
    try {
      const [here, there] = [openOffline(one), openOffline(other)]
      const [purse, anna, ben] = [await here.purse(1_000n), await here.payee(), await here.payee()]
      const given = await here.goOffline(purse)
      const sign = (place: number, to: number) => here.voucher(purse, given, { place, to, amount: 100n })
      const [first, again, next] = [sign(0, anna.number), sign(0, ben.number), sign(1, anna.number)]
      const answers = await Promise.all([
        ...[here.sync(anna.caller, [first, next]), there.sync(ben.caller, [again])],
        ...[there.sync(anna.caller, [first, next]), here.sync(ben.caller, [again])],
      ])
      const entries = answers.flat(2).flatMap(({ nonce, entry }) => (entry === undefined ? [] : [`${nonce}/${entry}`]))
      expect(new Set(entries).size).toBe(2)
      expect((await here.balance(anna.number)) + (await here.balance(ben.number))).toBe(200n)
      expect(await there.misuses()).toHaveLength(1)
      expect(await one.account(purse.number)).toMatchObject({ nonce: 2, holds: 1 })
    } finally {
      await other.close()
      await one.close()
    }
  }, 60_000)
})
