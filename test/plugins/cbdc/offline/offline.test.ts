import { type BookItem, entryLeaf } from '../../../../src/plugins/cbdc/actions/book.ts'
import type { Held } from '../../../../src/plugins/cbdc/actions/enter.ts'
import { loadPurses } from '../../../../src/plugins/cbdc/actions/offline/purses.ts'
import { openPurse, settle } from '../../../../src/plugins/cbdc/actions/offline/settle.ts'
import { accrueDue } from '../../../../src/plugins/cbdc/actions/orders/interest.ts'
import { verifyEvidence } from '../../../../src/plugins/cbdc/ledger/purse-evidence.ts'
import { judgeVoucher } from '../../../../src/plugins/cbdc/ledger/voucher.ts'
import { roundMost } from '../../../../src/plugins/cbdc/policy.ts'
import { domain, type Ground, onBothLedgers, own, p256Owner, policy, secp256k1Owner } from '../ground.ts'
import { officer as anOfficer, anOrder, both, noFence, openOffice, policyBody, refusalOf } from '../orders/office.ts'
import { ledgerDid, offlineSettings, openOffline, type Purse, signatureCheck, terms } from './purse.ts'

onBothLedgers(({ fresh }) => {
  /** Settles every certificate that a purse ever had, oldest last. */
  const settleAll = async (ground: Ground, held: Held, number: number): Promise<void> => {
    const { dialect } = ground.store
    await held.book.load([number])
    await loadPurses(held, dialect, [number])
    const sql = 'SELECT id FROM cbdc_purse_certificates WHERE account = ? ORDER BY id DESC'
    for (const { id } of await held.tx.query<{ id: string }>(sql, [number])) {
      await settle(ground.desk, held, await openPurse(held, id))
    }
  }
  const open = async (funds = 1_000n) => {
    const { key, settings } = offlineSettings()
    const ground = await fresh(settings)
    const offline = openOffline(ground)
    const { purse: newPurse, ...operations } = offline
    const purse = await newPurse(funds)
    const [anna, ben] = [await offline.payee(), await offline.payee()]
    const spend = (to: number, amount: bigint, nonce = 0) =>
      ground.submit(ground.signed(purse.owner, ground.transfer(purse.number, to, amount, { nonce })))
    const pass = (seconds: number): void => {
      ground.state.now += seconds * 1_000
    }
    return { ...operations, newPurse, ground, key, purse, anna, ben, spend, pass }
  }
  const ended = terms.certificateSeconds + terms.graceSeconds

  describe('goOffline', () => {
    test('gives a certificate for what the purse can spend, that a device can check', async () => {
      const { goOffline, purse, key, voucher, anna, ground } = await open()
      const given = await goOffline(purse)
      expect(given).toMatchObject({ nonce: 0, cap: 1_000n })
      const record = Buffer.from(voucher(purse, given, { place: 0, to: anna.number, amount: 400n }), 'base64url')
      const judged = judgeVoucher(
        { certificate: given.certificate, vouchers: [record] },
        {
          ...{ key: key.jwk, ledger: ledgerDid, domain, isSignedBy: signatureCheck(ground), at: ground.state.now },
          ...{ payee: anna.number, amount: 400n },
        },
      )
      expect(judged).toMatchObject({ accepted: true, certificate: { account: purse.number, capMinor: '1000' } })
    })

    test('the cap is at most what policy and the owner say', async () => {
      const { goOffline, purse, newPurse } = await open(1_000_000n)
      expect(await goOffline(purse)).toMatchObject({ cap: terms.capMinor })
      const other = await newPurse(500n)
      expect(await goOffline(other, { capMinor: '120', seconds: 60 })).toMatchObject({ cap: 120n })
    })

    test('what an order holds is not in the cap', async () => {
      const { goOffline, purse, ground } = await open()
      const how = { caller: anOfficer(), params: { account: String(purse.number) } }
      await openOffice(ground).call('freezeAccount', { amountMinor: '300', ...anOrder() }, how)
      expect(await goOffline(purse)).toMatchObject({ cap: 700n })
    })

    test('the same idempotency key states the same certificate', async () => {
      const { call, purse } = await open()
      const how = { caller: purse.caller, params: { account: String(purse.number) }, key: 'k1' }
      const [one, again] = [await call('goOffline', {}, how), await call('goOffline', {}, how)]
      const claims = (answer: typeof one) => String(answer['certificate']).split('.')[1]
      expect(claims(again)).toBe(claims(one))
    })

    test('while it is in force nothing the owner says counts but vouchers', async () => {
      const { goOffline, purse, anna, ground, spend, pass } = await open()
      await goOffline(purse)
      expect(await refusalOf(spend(anna.number, 1n))).toBe('purse_offline')
      const change = { ...secp256k1Owner().key, kind: 'keyChange' as const, account: purse.number, nonce: 0 }
      const validUntil = Math.floor(ground.state.now / 1_000) + 600
      const signedChange = ground.signed(purse.owner, { ...change, validUntil, signature: '' })
      expect(await refusalOf(ground.submit(signedChange))).toBe('purse_offline')
      const link = { kind: 'link' as const, account: purse.number, linked: own.bank, nonce: 0, validUntil }
      expect(await refusalOf(ground.submit(ground.signed(purse.owner, { ...link, signature: '' })))).toBe(
        'purse_offline',
      )
      const reserve = { kind: 'reserve' as const, from: purse.number, to: anna.number, currency: 1, amount: 1n, fee: 0 }
      const terms = { expiry: validUntil, lockHash: '00'.repeat(32), arbiter: 0, nonce: 0, validUntil, signature: '' }
      expect(await refusalOf(ground.submit(ground.signed(purse.owner, { ...reserve, ...terms })))).toBe('purse_offline')
      pass(ended)
      await spend(anna.number, 1n)
    })

    test('a payment of the same batch finds the purse offline already', async () => {
      const { goOffline, purse, anna, spend } = await open()
      const [, code] = await Promise.all([goOffline(purse), refusalOf(spend(anna.number, 1n))])
      expect(code).toBe('purse_offline')
    })

    test('an offline purse still receives, and is not swept', async () => {
      const { goOffline, purse, anna, ground, balance } = await open()
      await goOffline(purse)
      await ground.mint(anna.number, 50n)
      await ground.submit(ground.signed(anna.owner, ground.transfer(anna.number, purse.number, 50n)))
      expect(await balance(purse.number)).toBe(1_050n)
    })

    test('what exceeds the holding limit of a person is not swept from their offline purse', async () => {
      const { goOffline, newPurse, ground, anna, balance } = await open()
      const purse = await newPurse(1_000n)
      const validUntil = Math.floor(ground.state.now / 1_000) + 600
      const link = {
        kind: 'link' as const,
        account: purse.number,
        linked: own.bank,
        nonce: 0,
        validUntil,
        signature: '',
      }
      await ground.submit(ground.signed(purse.owner, link))
      await ground.mint(anna.number, 9_000_000n)
      const load = async (amount: bigint) => {
        const { nonce } = await ground.account(anna.number)
        return ground.submit(ground.signed(anna.owner, ground.transfer(anna.number, purse.number, amount, { nonce })))
      }
      await ground.mint(purse.home, 4_999_000n)
      await load(10n)
      expect(await balance(purse.number)).toBe(1_000n)
      await goOffline(purse)
      expect(await refusalOf(load(10n))).toBe('payee_cannot_receive')
      expect(await balance(purse.number)).toBe(1_000n)
    })

    test('a standing order of the purse does not pay from it', async () => {
      const { goOffline, purse, anna, ground } = await open()
      const second = Math.floor(ground.state.now / 1_000)
      const standing = { account: purse.number, to: anna.number, currency: 1, amount: 10n, first: second + 60 }
      const often = { unit: 1, every: 1, times: 0, nonce: 0, validUntil: second + 600, signature: '' }
      await ground.submit(ground.signed(purse.owner, { kind: 'instruct', ...standing, ...often }))
      await goOffline(purse)
      ground.state.now += 61_000
      const due = { instruction: 1, index: 0, from: purse.number, to: anna.number, currency: 1, amount: 10n }
      const { outcomes } = await ground.execute([[{ entry: { kind: 'instalment', ...due }, signer: undefined }]])
      expect(outcomes).toMatchObject([[{ refusal: { code: 'purse_offline' } }]])
    })

    test('a negative rate takes nothing that was promised', async () => {
      const { settings } = offlineSettings()
      const interest = { basisPoints: -10_000, dayCount: 'ACT/365F' as const, exemptMinor: 0n }
      const ground = await fresh({ ...settings, policy: { ...settings.policy, interest } })
      const { purse: newPurse, payee, goOffline, voucher, sync, balance } = openOffline(ground)
      const [purse, anna] = [await newPurse(3_650n), await payee()]
      const given = await goOffline(purse, { capMinor: '3645' })
      ground.state.now += 86_400_000
      while ((await accrueDue(ground.desk, noFence)) === roundMost);
      expect(await balance(purse.number)).toBe(3_645n)
      const record = voucher(purse, given, { place: 0, to: anna.number, amount: 3_645n })
      expect(await sync(anna.caller, [record])).toMatchObject([[{ outcome: 'entered' }]])
    })

    test('a second certificate waits for the end of the first', async () => {
      const { goOffline, purse, pass } = await open()
      await goOffline(purse)
      expect(await refusalOf(goOffline(purse))).toBe('purse_offline')
      pass(ended - 1)
      expect(await refusalOf(goOffline(purse))).toBe('purse_offline')
      pass(1)
      await goOffline(purse)
    })

    test('is refused for an account of somebody else, for one that is no purse, empty, frozen or without KYC', async () => {
      const { goOffline, purse, anna, ground, newPurse } = await open()
      const stranger: Purse = { ...purse, caller: anna.caller }
      expect(await refusalOf(goOffline(stranger))).toBe('account_not_yours')
      expect(await refusalOf(goOffline({ ...purse, number: 999_999 }))).toBe('account_not_yours')
      expect(await refusalOf(goOffline({ ...purse, number: purse.home }))).toBe('purse_expected')
      expect(await refusalOf(goOffline(await newPurse(0n)))).toBe('funds_insufficient')
      ground.state.revoked.add(`0xb1/2/${purse.home}`)
      expect(await refusalOf(goOffline(purse))).toBe('kyc_not_in_force')
      ground.state.revoked.clear()
      const how = { caller: anOfficer(), params: { account: String(purse.number) } }
      await openOffice(ground).call('freezeAccount', anOrder(), how)
      expect(await refusalOf(goOffline(purse))).toBe('account_frozen')
    })

    test('a currency whose policy does not speak of it has no payments offline', async () => {
      const { settings } = offlineSettings()
      const offline = openOffline(await fresh({ ...settings, policy }))
      expect(await refusalOf(offline.goOffline(await offline.purse(5n)))).toBe('offline_not_permitted')
    })

    test('a ledger without a key to state with has none either', async () => {
      const { settings } = offlineSettings()
      const offline = openOffline(await fresh({ policy: settings.policy }))
      expect(await refusalOf(offline.goOffline(await offline.purse(5n)))).toBe('certificates_unavailable')
    })

    test('the key is not changed by an order, and the class not by a bank, until the certificate has ended', async () => {
      const { goOffline, purse, ground, pass } = await open()
      const office = openOffice(ground)
      const params = { account: String(purse.number) }
      const { key } = secp256k1Owner()
      const body = { ...key, ...anOrder() }
      await goOffline(purse)
      const { order } = await office.call('orderKeyChange', body, { caller: both(), params })
      pass(policy.keyOrderDelaySeconds + 1)
      const execute = () =>
        office.call('executeKeyOrder', {}, { caller: anOfficer(), params: { order: String(order) } })
      expect(await refusalOf(execute())).toBe('key_order_early')
      const attestation = { list: 9, index: 9, until: '2027-01-01T00:00:00Z' }
      const level = { level: 2, attestation, class: 'merchant' }
      expect(await refusalOf(office.asBank('setAccountLevel', level, params))).toBe('purse_offline')
      pass(ended)
      await execute()
      expect(await ground.account(purse.number)).toMatchObject({ key })
    })
  })

  describe('syncVouchers', () => {
    test('enters a chain, each with a receipt’s id; handed in again the answer is the same', async () => {
      const { goOffline, purse, anna, ben, voucher, sync, balance, getPurse, ground } = await open()
      const given = await goOffline(purse)
      const one = voucher(purse, given, { place: 0, to: anna.number, amount: 300n })
      const two = voucher(purse, given, { place: 1, to: ben.number, amount: 200n })
      const [outcomes] = await sync(ben.caller, [one, two])
      expect(outcomes).toMatchObject([{ outcome: 'entered' }, { outcome: 'entered' }])
      expect(await sync(anna.caller, [one])).toMatchObject([[{ outcome: 'entered', entry: outcomes?.[0]?.entry }]])
      expect(await balance(anna.number)).toBe(300n)
      expect(await balance(ben.number)).toBe(200n)
      expect(await getPurse(purse)).toMatchObject({ offline: true, spentMinor: '500', used: 2, waiting: 0 })
      const sql = 'SELECT number, raw, id FROM cbdc_entries WHERE number = ?'
      const [row] = await ground.store.read(sql, [Number(outcomes?.[0]?.entry)])
      expect(Buffer.from(row?.['id'] as Buffer).toString('hex')).toBe(String(outcomes?.[0]?.['id']).replaceAll('-', ''))
      expect(entryLeaf({ number: Number(row?.['number']), raw: row?.['raw'] as Buffer })).toHaveLength(32)
    })

    test('one whose predecessor is missing waits until that comes in', async () => {
      const { goOffline, purse, anna, ben, voucher, sync, balance } = await open()
      const given = await goOffline(purse)
      const one = voucher(purse, given, { place: 0, to: anna.number, amount: 300n })
      const two = voucher(purse, given, { place: 1, to: ben.number, amount: 200n })
      expect(await sync(ben.caller, [two])).toMatchObject([[{ outcome: 'waiting', reason: 'voucher_gap' }]])
      expect(await balance(ben.number)).toBe(0n)
      expect(await sync(anna.caller, [one])).toMatchObject([[{ outcome: 'entered' }]])
      expect(await balance(ben.number)).toBe(200n)
      expect(await sync(ben.caller, [two])).toMatchObject([[{ outcome: 'entered' }]])
    })

    test('the limits of the day do not stop it, nor does the payee’s holding limit, nor KYC that ended meanwhile', async () => {
      const { goOffline, purse, voucher, sync, balance, ground, payee } = await open(60_000n)
      const poor = await payee({ level: 1 })
      await ground.mint(poor.number, 49_999n)
      const given = await goOffline(purse)
      ground.state.revoked.add(`0xb1/2/${purse.home}`)
      const before = await ground.account(purse.home)
      const record = voucher(purse, given, { place: 0, to: poor.number, amount: 9_000n })
      expect(await sync(poor.caller, [record])).toMatchObject([[{ outcome: 'entered' }]])
      expect(await balance(poor.number)).toBe(58_999n)
      expect(await ground.account(purse.home)).toMatchObject({ spent: before.spent, held: before.held - 9_000n })
    })

    test('an institution hands in what its customers took, and no other does', async () => {
      const { goOffline, purse, anna, voucher, syncAsBank } = await open()
      const given = await goOffline(purse)
      const record = voucher(purse, given, { place: 0, to: anna.number, amount: 1n })
      const stranger = 'did:ethr:0x7a69:0x00000000000000000000000000000000000000b2'
      expect(await refusalOf(syncAsBank([[record]], stranger))).toBe('participant_unknown')
      const answer = await syncAsBank([[record]])
      expect(answer).toMatchObject({ chains: [{ vouchers: [{ outcome: 'entered' }] }] })
    })

    test('whoever is neither payee nor payer hands in nothing, and bytes that are no transfer are none', async () => {
      const { goOffline, purse, anna, ben, voucher, sync, ground } = await open()
      const given = await goOffline(purse)
      const record = voucher(purse, given, { place: 0, to: anna.number, amount: 1n })
      expect(await refusalOf(sync(ben.caller, [record]))).toBe('voucher_not_yours')
      expect(await refusalOf(sync(anna.caller, [record], [record.replace(/^./, 'B')]))).toBe('record_malformed')
      expect(await sync(purse.caller, [record])).toMatchObject([[{ outcome: 'entered' }]])
      const rows = await ground.store.read('SELECT nonce FROM cbdc_vouchers')
      expect(rows).toHaveLength(1)
    })

    test('a voucher beside its certificate is refused by itself', async () => {
      const { goOffline, purse, anna, voucher, sync, misuses } = await open()
      const given = await goOffline(purse)
      const good = { place: 0, to: anna.number, amount: 1n }
      const forged = voucher({ ...purse, owner: secp256k1Owner() }, given, good)
      const odd = [
        voucher(purse, given, { ...good, validUntil: given.validUntil - 1 }),
        voucher(purse, given, { ...good, fee: 1 }),
        voucher(purse, given, { ...good, currency: 2 }),
        voucher(purse, given, { ...good, amount: 0n }),
        voucher(purse, given, { ...good, place: terms.vouchersMost }),
        voucher(purse, given, { ...good, to: purse.number }),
        voucher(purse, given, { ...good, place: 0, nonce: given.nonce + 2 ** 31 }),
      ]
      const [outcomes] = await sync(anna.caller, [...odd, forged, voucher(purse, given, good)])
      expect(outcomes?.map(({ code, outcome }) => code ?? outcome)).toEqual([
        ...odd.map(() => 'voucher_not_certified'),
        ...['signature_invalid', 'entered'],
      ])
      expect(await misuses()).toEqual([])
    })

    test('a voucher lapses with the grace of its certificate, a waiting one too', async () => {
      const { goOffline, purse, anna, voucher, sync, pass, spend } = await open()
      const given = await goOffline(purse)
      const one = voucher(purse, given, { place: 0, to: anna.number, amount: 1n })
      const two = voucher(purse, given, { place: 1, to: anna.number, amount: 1n })
      await sync(anna.caller, [two])
      pass(ended)
      const [outcomes] = await sync(anna.caller, [one, two])
      expect(outcomes).toMatchObject([{ code: 'voucher_lapsed' }, { code: 'voucher_lapsed' }])
      await spend(anna.number, 1_000n)
    })

    test('a purse whose cap is spent is online at once, and can go offline again', async () => {
      const { goOffline, purse, anna, voucher, sync, ground, spend, getPurse } = await open(100n)
      const given = await goOffline(purse)
      await sync(anna.caller, [voucher(purse, given, { place: 0, to: anna.number, amount: 100n })])
      expect(await getPurse(purse)).toMatchObject({ offline: false })
      await ground.mint(purse.number, 50n)
      await spend(anna.number, 20n, 1)
      const again = await goOffline(purse)
      expect(again).toMatchObject({ nonce: 2, cap: 30n })
      expect(again.validUntil).not.toBe(given.validUntil)
      const next = voucher(purse, again, { place: 0, to: anna.number, amount: 30n })
      expect(await sync(anna.caller, [next])).toMatchObject([[{ outcome: 'entered' }]])
    })

    test('an old certificate that comes up again leaves the new one in force', async () => {
      const { goOffline, purse, anna, ben, voucher, sync, ground } = await open(100n)
      const given = await goOffline(purse)
      const paid = { place: 0, to: anna.number, amount: 100n }
      const old = voucher(purse, given, paid)
      await sync(anna.caller, [old])
      await ground.mint(purse.number, 50n)
      await goOffline(purse)
      expect(await sync(anna.caller, [old])).toMatchObject([[{ outcome: 'entered' }]])
      const [item] = await ground.desk.attest([
        ground.signed(purse.owner, ground.transfer(purse.number, ben.number, 1n, { nonce: 1 })),
      ])
      // In one act with what settles the old one.
      const { outcomes } = await ground.execute(async (held: Held) => {
        await settleAll(ground, held, purse.number)
        return [[item as BookItem]]
      })
      expect(outcomes).toMatchObject([[{ refusal: { code: 'purse_offline' } }]])
    })

    test('nothing goes to another account of the owner while others may have been promised it', async () => {
      const { goOffline, purse, anna, voucher, sync, balance } = await open()
      const given = await goOffline(purse)
      const home = voucher(purse, given, { place: 0, to: purse.home, amount: 900n })
      const waits = { outcome: 'waiting', reason: 'payee_cannot_receive' }
      expect(await sync(purse.caller, [home])).toMatchObject([[waits]])
      const next = voucher(purse, given, { place: 1, to: anna.number, amount: 100n })
      const [outcomes] = await sync(anna.caller, [home, next])
      expect(outcomes).toMatchObject([{ code: 'voucher_passed' }, { outcome: 'entered' }])
      expect(await balance(purse.home)).toBe(0n)
      expect(await balance(anna.number)).toBe(100n)
    })

    test('a payee who is frozen waits, and does not keep those behind from being paid in the end', async () => {
      const { goOffline, purse, anna, ben, voucher, sync, balance, ground, pass } = await open()
      const given = await goOffline(purse)
      const office = openOffice(ground)
      const params = { account: String(anna.number) }
      const { order } = await office.call('freezeAccount', anOrder(), { caller: anOfficer(), params })
      const one = voucher(purse, given, { place: 0, to: anna.number, amount: 300n })
      const waits = { outcome: 'waiting', reason: 'payee_cannot_receive' }
      expect(await sync(anna.caller, [one])).toMatchObject([[waits]])
      await office.call('unfreezeAccount', anOrder(), { caller: both(), params: { ...params, order: String(order) } })
      expect(await sync(anna.caller, [one])).toMatchObject([[{ outcome: 'entered' }]])
      await office.call('freezeAccount', anOrder(), { caller: anOfficer(), params })
      pass(terms.certificateSeconds + terms.graceSeconds / 2)
      const two = voucher(purse, given, { place: 1, to: anna.number, amount: 300n })
      const three = voucher(purse, given, { place: 2, to: ben.number, amount: 300n })
      const [outcomes] = await sync(ben.caller, [one, two, three])
      expect(outcomes).toMatchObject([{ outcome: 'entered' }, { code: 'voucher_passed' }, { outcome: 'entered' }])
      expect(await balance(ben.number)).toBe(300n)
      expect(await balance(purse.number)).toBe(400n)
    })

    test('an account that was never opened does not poison a chain', async () => {
      const { goOffline, purse, anna, voucher, sync, misuses } = await open()
      const given = await goOffline(purse)
      const poison = voucher(purse, given, { place: 0, to: 4_000_000, amount: 1n })
      const good = voucher(purse, given, { place: 1, to: anna.number, amount: 1n })
      const [outcomes] = await sync(anna.caller, [poison, good])
      expect(outcomes).toMatchObject([{ code: 'voucher_passed' }, { outcome: 'entered' }])
      expect(await misuses()).toEqual([])
    })

    test('what an order took is not the owner’s misuse: the voucher waits for funds', async () => {
      const { goOffline, purse, anna, voucher, sync, misuses, ground } = await open()
      const given = await goOffline(purse)
      const office = openOffice(ground)
      await office.addTreasury()
      const params = { account: String(purse.number) }
      await office.call('seizeFunds', { amountMinor: '800', ...anOrder() }, { caller: both(), params })
      const record = voucher(purse, given, { place: 0, to: anna.number, amount: 500n })
      const waits = { outcome: 'waiting', reason: 'funds_insufficient' }
      expect(await sync(anna.caller, [record])).toMatchObject([[waits]])
      expect(await misuses()).toEqual([])
      await ground.mint(purse.number, 300n)
      expect(await sync(anna.caller, [record])).toMatchObject([[{ outcome: 'entered' }]])
    })

    test('an order’s freeze of the purse stops vouchers until it is lifted', async () => {
      const { goOffline, purse, anna, voucher, sync, ground } = await open()
      const given = await goOffline(purse)
      const params = { account: String(purse.number) }
      await openOffice(ground).call('freezeAccount', anOrder(), { caller: anOfficer(), params })
      const record = voucher(purse, given, { place: 0, to: anna.number, amount: 500n })
      expect(await sync(anna.caller, [record])).toMatchObject([[{ outcome: 'waiting', reason: 'account_frozen' }]])
    })

    test('a purse with a P-256 key pays as well', async () => {
      const { goOffline, anna, voucher, sync, newPurse } = await open()
      const purse = await newPurse(10n, p256Owner())
      const given = await goOffline(purse)
      const record = voucher(purse, given, { place: 0, to: anna.number, amount: 10n })
      expect(await sync(anna.caller, [record])).toMatchObject([[{ outcome: 'entered' }]])
    })
  })

  describe('misuse', () => {
    const cheat = async () => {
      const all = await open()
      const { goOffline, purse, anna, ben, voucher } = all
      const given = await goOffline(purse)
      const one = voucher(purse, given, { place: 0, to: anna.number, amount: 600n })
      const other = voucher(purse, given, { place: 0, to: ben.number, amount: 700n })
      return { ...all, given, one, other }
    }

    test('the second voucher of a nonce is not paid; its payee gets what proves it, and the purse is frozen', async () => {
      const { sync, anna, ben, one, other, balance, purse, ground, key, misuses } = await cheat()
      await sync(anna.caller, [one])
      const [outcomes] = await sync(ben.caller, [other])
      expect(outcomes).toMatchObject([{ outcome: 'refused', code: 'voucher_double_spent' }])
      expect(await balance(ben.number)).toBe(0n)
      expect(await ground.account(purse.number)).toMatchObject({ holds: 1 })
      const expected = { key: key.jwk, ledger: ledgerDid, domain, isSignedBy: signatureCheck(ground) }
      const verdict = verifyEvidence(String(outcomes?.[0]?.evidence), expected)
      expect(verdict).toMatchObject({ holds: true, account: purse.number, evidence: { kind: 'double_spent' } })
      const [found] = await misuses()
      expect(found).toMatchObject({ kind: 'double_spent', account: purse.number, lead: purse.home, payee: ben.number })
      expect(found?.['records']).toEqual([one, other])
      expect(verifyEvidence(String(found?.['evidence']), expected)).toMatchObject({ holds: true })
    })

    test('the freeze is an order under the act that found it, which two officers lift', async () => {
      const { sync, anna, ben, one, other, purse, ground, misuses, goOffline } = await cheat()
      await sync(anna.caller, [one])
      await sync(ben.caller, [other])
      expect(await refusalOf(goOffline(purse))).toBe('account_frozen')
      const [order] = await ground.store.read(`SELECT id, account, entry FROM cbdc_orders WHERE kind = 'freeze'`)
      expect(order).toMatchObject({ account: purse.number })
      const [entry] = await ground.store.read('SELECT raw FROM cbdc_entries WHERE number = ?', [
        Number(order?.['entry']),
      ])
      const [found] = await misuses()
      expect(Buffer.from(entry?.['raw'] as Buffer).toString('hex')).toContain(
        String(found?.['act']).replaceAll('-', ''),
      )
      const params = { account: String(purse.number), order: String(order?.['id']) }
      await openOffice(ground).call('unfreezeAccount', anOrder(), { caller: both(), params })
      expect(await ground.account(purse.number)).toMatchObject({ holds: 0 })
    })

    test('handed in again it is answered as before, and recorded and frozen once', async () => {
      const { sync, anna, ben, one, other, ground, purse, misuses } = await cheat()
      await sync(anna.caller, [one])
      for (const _ of [1, 2]) {
        expect(await sync(ben.caller, [other])).toMatchObject([[{ code: 'voucher_double_spent' }]])
      }
      expect(await misuses()).toHaveLength(1)
      expect(await ground.account(purse.number)).toMatchObject({ holds: 1 })
    })

    test('two that conflict are found while both wait', async () => {
      const { sync, anna, ben, given, voucher, purse, misuses } = await cheat()
      const one = voucher(purse, given, { place: 1, to: anna.number, amount: 1n })
      const other = voucher(purse, given, { place: 1, to: ben.number, amount: 1n })
      expect(await sync(anna.caller, [one])).toMatchObject([[{ outcome: 'waiting' }]])
      expect(await sync(ben.caller, [other])).toMatchObject([[{ code: 'voucher_double_spent' }]])
      expect(await misuses()).toHaveLength(1)
    })

    test('a payee who holds the only voucher of a nonce is paid past the freeze, which stands on', async () => {
      const { sync, anna, ben, one, other, given, voucher, purse, ground, balance } = await cheat()
      await sync(anna.caller, [one])
      await sync(ben.caller, [other])
      const next = voucher(purse, given, { place: 1, to: ben.number, amount: 400n })
      expect(await sync(ben.caller, [other, next])).toMatchObject([
        [{ code: 'voucher_double_spent' }, { outcome: 'entered' }],
      ])
      expect(await balance(ben.number)).toBe(400n)
      expect(await ground.account(purse.number)).toMatchObject({ holds: 1 })
    })

    test('it is not paid past the freeze of a court', async () => {
      const { sync, anna, ben, one, other, given, voucher, purse, ground } = await cheat()
      await sync(anna.caller, [one])
      await sync(ben.caller, [other])
      const params = { account: String(purse.number) }
      await openOffice(ground).call('freezeAccount', anOrder(), { caller: anOfficer(), params })
      const next = voucher(purse, given, { place: 1, to: ben.number, amount: 400n })
      expect(await sync(ben.caller, [next])).toMatchObject([[{ outcome: 'waiting', reason: 'account_frozen' }]])
      expect(await ground.account(purse.number)).toMatchObject({ holds: 2 })
    })

    test('a voucher signed anew with the same content is the same voucher', async () => {
      const { sync, anna, ground, goOffline, voucher, misuses, balance, newPurse } = await cheat()
      const purse = await newPurse(50n, p256Owner())
      const given = await goOffline(purse)
      const paid = { place: 0, to: anna.number, amount: 5n }
      const [one, again] = [voucher(purse, given, paid), voucher(purse, given, paid)]
      expect(one).not.toBe(again)
      await sync(anna.caller, [one])
      expect(await sync(anna.caller, [again])).toMatchObject([[{ outcome: 'entered' }]])
      expect(await misuses()).toEqual([])
      expect(await balance(anna.number)).toBe(5n)
      expect(await ground.account(purse.number)).toMatchObject({ holds: 0 })
    })

    test('more than the cap is not paid, and is proven by the vouchers that come to it', async () => {
      const { sync, anna, ben, one, given, voucher, purse, key, ground, misuses, balance } = await cheat()
      const next = voucher(purse, given, { place: 1, to: ben.number, amount: 401n })
      const [outcomes] = await sync(ben.caller, [one, next])
      expect(outcomes).toMatchObject([{ outcome: 'entered' }, { code: 'voucher_uncovered' }])
      expect(await balance(anna.number)).toBe(600n)
      const expected = { key: key.jwk, ledger: ledgerDid, domain, isSignedBy: signatureCheck(ground) }
      for (const evidence of [outcomes?.[1]?.evidence, (await misuses())[0]?.['evidence']]) {
        const verdict = verifyEvidence(String(evidence), expected)
        expect(verdict).toMatchObject({ holds: true, evidence: { kind: 'overspent' } })
      }
      expect(await sync(ben.caller, [next])).toMatchObject([[{ code: 'voucher_uncovered' }]])
      expect(await misuses()).toHaveLength(1)
    })

    test('it is found after the certificate has ended, and after the purse got another key', async () => {
      const { sync, ben, anna, purse, ground, voucher, given, misuses } = await cheat()
      await sync(anna.caller, [voucher(purse, given, { place: 0, to: anna.number, amount: 1_000n })])
      const { key } = secp256k1Owner()
      const validUntil = Math.floor(ground.state.now / 1_000) + 600
      const change = { kind: 'keyChange' as const, account: purse.number, ...key, nonce: 1, validUntil, signature: '' }
      await ground.submit(ground.signed(purse.owner, change))
      const late = voucher(purse, given, { place: 0, to: ben.number, amount: 1_000n })
      expect(await sync(ben.caller, [late])).toMatchObject([[{ code: 'voucher_double_spent' }]])
      ground.state.now += 30 * 86_400_000
      const later = voucher(purse, given, { place: 0, to: ben.number, amount: 999n })
      expect(await sync(ben.caller, [later])).toMatchObject([[{ code: 'voucher_double_spent' }]])
      expect(await misuses()).toHaveLength(2)
    })

    test('the list is for officers who decide on orders', async () => {
      const { call, anna } = await open()
      expect(await refusalOf(call('listDoubleSpends', undefined, { caller: anna.caller }))).toBe('credential_missing')
    })
  })

  describe('the policy of a currency', () => {
    test('says how purses pay offline, and what it says holds together', async () => {
      const { ground } = await open()
      const office = openOffice(ground)
      const validFrom = new Date(ground.state.now + 60_000).toISOString()
      const set = (offline: object | null) =>
        office.call(
          'setPolicy',
          { validFrom, policy: policyBody({ offline }) },
          { caller: both(), params: { currency: '1' } },
        )
      const stated = { capMinor: '500', certificateSeconds: 60, graceSeconds: 60, vouchersMost: 4 }
      expect(await set(stated)).toMatchObject({ offline: stated })
      expect(await refusalOf(set({ ...stated, capMinor: '9223372036854775808' }))).toBe('policy_invalid')
      expect(await refusalOf(set({ ...stated, vouchersMost: 33 }))).toBe('body_invalid')
      expect(await set(null)).toMatchObject({ offline: null })
    })
  })

  describe('getPurse', () => {
    test('a purse that never was offline has nothing to show, and a stranger sees none', async () => {
      const { getPurse, goOffline, purse, anna } = await open()
      expect(await refusalOf(getPurse(purse))).toBe('purse_not_offline')
      await goOffline(purse)
      expect(await refusalOf(getPurse({ ...purse, caller: anna.caller }))).toBe('account_not_yours')
    })
  })
})
