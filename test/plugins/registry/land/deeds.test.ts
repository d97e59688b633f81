import { landRoutes } from '../../../../src/plugins/registry/actions/land/routes.ts'
import type { DeedPayment, LandNeeds } from '../../../../src/plugins/registry/land/needs.ts'
import type { RegistryNeeds } from '../../../../src/plugins/registry/needs.ts'
import { newDid, type Office, onBothDatabases, refusalOf } from '../world.ts'
import {
  amount,
  bank,
  call,
  company,
  deedBody,
  full,
  identityIssuer,
  joint,
  legalBasis,
  lodge,
  mortgage,
  named,
  notary,
  order,
  ownedBy,
  ownersOf,
  partyId,
  person,
  price,
  register,
  registered,
  registrar,
  share,
  type TitleBody,
  transfer,
} from './scene.ts'

const seller = person('Okafor')
const buyer = person('Haddad')
const lender = bank('B-1')

type Collected = { credentialId: string; credential: string }
const collect = (office: Office, title: string, owner = seller) =>
  call<Collected>(office, owner.as('owner'), 'collectTitle', {}, { title })

const claimsOf = ({ credential }: Collected): Record<string, unknown> => {
  const [jws = '', ...disclosures] = credential.split('~')
  const payload = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString())
  const disclosed = disclosures
    .filter(each => each !== '')
    .map(each => {
      const [, name, value] = JSON.parse(Buffer.from(each, 'base64url').toString())
      return [name, value]
    })
  return { ...payload, ...Object.fromEntries(disclosed) }
}

const statusOf = async (office: Office, id: string): Promise<unknown> => {
  const rows = await office.store.read<{ status_index: number }>('SELECT status_index FROM credentials WHERE id = ?', [
    id,
  ])
  return office.statuses.get(rows[0]?.status_index ?? -1) ?? 'valid'
}

/** The register with something of what it may lack: a settlement, a view of wallets. */
const withNeeds = (office: Office, needs: Partial<LandNeeds & RegistryNeeds>) => {
  const routes = landRoutes({ ...office.desk, ...office.needs.land, ...needs })
  return (caller: ReturnType<typeof joint>, title: TitleBody, more: Record<string, unknown>) => {
    const route = routes['transferTitle']
    if (route === undefined || !('run' in route)) throw new Error('no route')
    return route.run({
      ...{ caller, params: { register, title: title.id }, query: {}, headers: {} },
      ...{ body: deedBody(title, more), publicUrl: 'https://office.example' },
    })
  }
}

onBothDatabases(open => {
  describe('a deed', () => {
    it('moves the title, revokes the seller’s credential and issues the buyer’s', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const held = await collect(office, title.id)
      expect(claimsOf(held)).toMatchObject({
        ...{ titleNumber: title.number, right: 'ownership', share: { numerator: '1', denominator: '1' } },
        ...{ familyName: 'Okafor', areaSquareCentimetres: title.legalAreaSquareCentimetres, jurisdiction: 'XN' },
      })
      const after = await transfer(office, title, { seller, buyer })
      expect(after.version).toBe(2)
      expect(await ownersOf(office, title.id)).toEqual({ Haddad: '1/1' })
      expect(await statusOf(office, held.credentialId)).toBe('revoked')
      expect(await refusalOf(collect(office, title.id))).toBe('owner_only')
      const got = await collect(office, title.id, buyer)
      expect(claimsOf(got)).toMatchObject({ familyName: 'Haddad', titleNumber: title.number })
      expect((await collect(office, title.id, buyer)).credentialId).toBe(got.credentialId)
      const steps = await office.store.read<{ step: string }>('SELECT step FROM registry_history ORDER BY version')
      expect(JSON.parse(steps[1]?.step ?? '')).toMatchObject({
        ...{
          kind: 'transferred',
          legalBasis,
          by: { parties: [{ role: 'seller' }, { role: 'buyer' }, { role: 'notary' }] },
        },
        detail: { deed: { notary: 'NOT-00382', price } },
      })
    })

    it('may move a share, and gives each owner a credential with their own', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const held = await collect(office, title.id)
      const after = await transfer(office, title, { seller, buyer }, { share: share(1, 3) })
      expect(await ownersOf(office, title.id)).toEqual({ Haddad: '1/3', Okafor: '2/3' })
      expect(await statusOf(office, held.credentialId)).toBe('revoked')
      const again = await collect(office, title.id)
      expect(again.credentialId).not.toBe(held.credentialId)
      expect(claimsOf(again)['share']).toEqual({ numerator: '2', denominator: '3' })
      expect(await refusalOf(transfer(office, after, { seller: buyer, buyer: seller }, { share: share(1, 2) }))).toBe(
        'share_not_held',
      )
    })

    it('binds a new key of the same owner by ending the credential of the old one', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const held = await collect(office, title.id)
      const moved = await collect(office, title.id, person('Okafor'))
      expect(moved.credentialId).not.toBe(held.credentialId)
      expect(await statusOf(office, held.credentialId)).toBe('revoked')
      expect(await statusOf(office, moved.credentialId)).toBe('valid')
    })

    it('issues a credential anew when its owner asks for that, or when it is a year old', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const first = await collect(office, title.id)
      const again = () =>
        call<Collected>(office, seller.as('owner'), 'collectTitle', { replace: true }, { title: title.id })
      const second = await again()
      expect(await statusOf(office, first.credentialId)).toBe('revoked')
      expect((await collect(office, title.id)).credentialId).toBe(second.credentialId)
      office.clock.advance(366 * 86_400_000)
      expect((await collect(office, title.id)).credentialId).not.toBe(second.credentialId)
      expect(await statusOf(office, second.credentialId)).toBe('revoked')
    })

    it('issues nothing for a key that its owner exchanged while the deed was being signed', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      await collect(office, title.id)
      const newer = person('Okafor')
      const { issuance } = office.needs
      let exchanged: Promise<Collected> | undefined
      const issue: typeof issuance.issue = async request => {
        exchanged ??= collect(office, title.id, newer)
        await exchanged
        return issuance.issue(request)
      }
      const sell = withNeeds(office, { issuance: { ...issuance, issue } })
      await sell(joint({ seller, buyer, notary }), title, { share: share(1, 3) })
      const standing = () =>
        office.store.read<{ holder: string }>('SELECT holder FROM registry_credentials WHERE ended_at IS NULL')
      expect((await standing()).map(({ holder }) => holder)).toEqual([buyer.holder])
      await collect(office, title.id, newer)
      expect((await standing()).map(({ holder }) => holder).sort()).toEqual([buyer.holder, newer.holder].sort())
    })

    it('knows a person by pseudonym or number, never by key, and a company by its registration number', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const pseudonym = 'p'.repeat(43)
      const first = await transfer(office, title, { seller: person('Okafor', { pseudonym }), buyer: company('C-7') })
      const next = await transfer(office, first, {
        seller: company('C-7'),
        buyer: person('Okafor', { pseudonym }),
      })
      const last = await transfer(office, next, { seller: person('Okafor'), buyer })
      expect(await ownersOf(office, last.id)).toEqual({ Haddad: '1/1' })
      expect(await office.store.read('SELECT id FROM land_parties')).toHaveLength(3)
    })

    it('takes a company of the same number with another register for another company', async () => {
      const office = await open()
      const title = await transfer(office, await ownedBy(office, 'Okafor'), { seller, buyer: company('C-7') })
      const foreign = company('C-7', newDid(), 'did:ethr:0x7a69:0x00000000000000000000000000000000000000bb')
      expect(await refusalOf(transfer(office, title, { seller: foreign, buyer }))).toBe('share_not_held')
      expect(await ownersOf(office, title.id)).toEqual({ 'C-7': '1/1' })
    })

    it('is refused when what it shows belongs to two parties', async () => {
      const office = await open()
      const pseudonym = 'q'.repeat(43)
      const title = await registered(office, [
        { of: named('Okafor'), share: share(1, 2) },
        { of: { person: { familyName: 'Okafor', givenName: 'R', pseudonym } }, share: share(1, 2) },
      ])
      const both = person('Okafor', { pseudonym })
      expect(await refusalOf(transfer(office, title, { seller: both, buyer }, { share: share(1, 2) }))).toBe(
        'party_ambiguous',
      )
    })

    it.each<[string, (office: Office, title: TitleBody) => Promise<unknown>, string]>([
      [
        'the seller owns nothing of it',
        (office, title) => transfer(office, title, { seller: person('X'), buyer }),
        'share_not_held',
      ],
      [
        'it is another’s',
        (office, title) => transfer(office, title, { seller: buyer, buyer: seller }),
        'share_not_held',
      ],
      [
        'seller and buyer are one',
        (office, title) => transfer(office, title, { seller, buyer: person('Okafor') }),
        'parties_not_distinct',
      ],
      [
        'the notary is the seller’s own key',
        (office, title) => transfer(office, title, { seller: person('Okafor', { holder: notary.holder }), buyer }),
        'parties_not_distinct',
      ],
      [
        'it was drawn up for another version',
        (office, title) => transfer(office, { ...title, version: 2 }, { seller, buyer }),
        'title_changed',
      ],
      [
        'a payment is part of it and nothing settles',
        (office, title) =>
          transfer(office, title, { seller, buyer }, { payment: { reference: 'H-1', payeeAccount: 7 } }),
        'settlement_unavailable',
      ],
      [
        'the share is none',
        (office, title) => transfer(office, title, { seller, buyer }, { share: share(3, 2) }),
        'share_invalid',
      ],
      [
        'the wallet is nobody’s',
        (office, title) => transfer(office, title, { seller, buyer }, { wallet: `0x${'a'.repeat(40)}` }),
        'wallet_unbound',
      ],
      [
        'no notary is there',
        (office, title) =>
          call(office, joint({ seller, buyer }), 'transferTitle', deedBody(title), { title: title.id }),
        'credential_missing',
      ],
    ])('is refused when %s, and nothing changes', async (_, attempt, code) => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      expect(await refusalOf(attempt(office, title))).toBe(code)
      expect(await ownersOf(office, title.id)).toEqual({ Okafor: '1/1' })
      expect((await full(office, title.id)).version).toBe(1)
    })

    it('of one title to several buyers at the same moment succeeds once', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const buyers = ['A', 'B', 'C', 'D', 'E'].map(name => person(name))
      // Each act stands still before it has written anything.
      const settle = () => new Promise<void>(done => setTimeout(done, 100))
      const sell = withNeeds(office, { settlement: { settle } })
      const payment = { payment: { reference: 'hold-1', payeeAccount: 7 } }
      const attempts = buyers.map(each => refusalOf(sell(joint({ seller, buyer: each, notary }), title, payment)))
      const codes = await Promise.all(attempts)
      expect(codes.filter(code => code === undefined)).toHaveLength(1)
      expect(codes.filter(code => code === 'title_changed')).toHaveLength(4)
      const winner = ['A', 'B', 'C', 'D', 'E'][codes.indexOf(undefined)] ?? ''
      expect(await ownersOf(office, title.id)).toEqual({ [winner]: '1/1' })
      const current = await office.store.read('SELECT id FROM registry_credentials WHERE ended_at IS NULL')
      expect(current).toHaveLength(1)
    })

    it('answers the same to the same idempotency key, and 409 to another deed under it', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const caller = joint({ seller, buyer, notary })
      const send = (body: unknown) => call(office, caller, 'transferTitle', body, { title: title.id }, 'deed-1')
      const first = await send(deedBody(title))
      expect(await send(deedBody(title))).toEqual(first)
      expect(await refusalOf(send(deedBody(title, { share: share(1, 2) })))).toBe('idempotency_mismatch')
    })

    it('pays within its own act: if the payment fails, the title stays', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const paid: DeedPayment[] = []
      const failing = withNeeds(office, { settlement: { settle: async () => Promise.reject(new Error('no funds')) } })
      const payment = { reference: 'hold-17', payeeAccount: 7 }
      await expect(failing(joint({ seller, buyer, notary }), title, { payment })).rejects.toThrow('no funds')
      expect(await ownersOf(office, title.id)).toEqual({ Okafor: '1/1' })
      const settling = withNeeds(office, { settlement: { settle: async (_tx, each) => void paid.push(each) } })
      await settling(joint({ seller, buyer, notary }), title, { payment })
      expect(paid).toMatchObject([
        { title: title.id, amountMinor: 25_000_000n, currency: 'XNC', reference: 'hold-17', payeeAccount: 7 },
      ])
      expect(await ownersOf(office, title.id)).toEqual({ Haddad: '1/1' })
    })

    it('sends the token to a wallet bound to the buyer, and back to the register when it is shared', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const [pseudonym, wallet] = ['w'.repeat(43), `0x${'ab'.repeat(20)}`]
      const standing =
        (valid: boolean, of = pseudonym) =>
        () =>
          ({ valid, pseudonym: of, reason: 'unbound' }) as never
      const bound = person('Haddad', { pseudonym })
      const deed = (wallets: ReturnType<typeof standing>, who = bound, more = {}) =>
        withNeeds(office, { wallets: { standing: wallets } })(joint({ seller, buyer: who, notary }), title, {
          wallet,
          ...more,
        })
      expect(await refusalOf(deed(standing(false)))).toBe('wallet_unbound')
      expect(await refusalOf(deed(standing(true, 'x'.repeat(43))))).toBe('wallet_unbound')
      expect(await refusalOf(deed(standing(true), buyer))).toBe('wallet_unbound')
      expect(await refusalOf(deed(standing(true), bound, { share: share(1, 2) }))).toBe('wallet_for_one_owner')
      await deed(standing(true))
      expect(office.writes.at(-1)).toMatchObject({ method: 'transfer', args: [register, { from: null, to: wallet }] })
      const held = await full(office, title.id)
      expect(held.wallet).toBe(wallet)
      await transfer(office, held, { seller: bound, buyer: seller }, { share: share(1, 2) })
      expect(office.writes.at(-1)).toMatchObject({ method: 'transfer', args: [register, { from: wallet, to: null }] })
    })
  })

  describe('a mortgage', () => {
    it('takes its rank by time, stays with the land, and is discharged by its lender only', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const first = await mortgage(office, title, { lender, owner: seller })
      const second = await mortgage(office, first, { lender: bank('B-2'), owner: seller })
      expect([first.rank, second.rank]).toEqual([1, 2])
      expect(office.writes.at(-1)).toMatchObject({ method: 'encumber', args: [register, { encumbrances: 2 }] })
      const some = { consents: [first.mortgage] }
      await expect(transfer(office, second, { seller, buyer }, some)).rejects.toMatchObject({
        ...{ code: 'encumbrance_unconsented', facts: { missing: [second.mortgage] } },
      })
      const sold = await transfer(office, second, { seller, buyer })
      expect(sold.encumbrances).toHaveLength(2)
      const discharge = (caller: ReturnType<typeof registrar>, id: string, more: Record<string, unknown> = {}) =>
        call(office, caller, 'dischargeMortgage', { legalBasis, ...more }, { title: title.id, mortgage: id })
      expect(await refusalOf(discharge(bank('B-2').as('lender'), first.mortgage))).toBe('discharge_not_lender')
      expect(await refusalOf(discharge(bank('B-3').as('lender'), first.mortgage))).toBe('discharge_not_lender')
      expect(await refusalOf(discharge(registrar(), first.mortgage))).toBe('credential_missing')
      expect(await refusalOf(discharge(seller.as('owner'), first.mortgage))).toBe('credential_missing')
      expect(await refusalOf(discharge(lender.as('lender'), title.id))).toBe('encumbrance_unknown')
      const freed = await discharge(bank('B-1').as('lender'), first.mortgage)
      expect(freed.encumbrances).toMatchObject([{ id: second.mortgage, rank: 1 }])
      const byOrder = (caller: ReturnType<typeof registrar>, id: string) =>
        call(office, caller, 'dischargeByOrder', { legalBasis, order: order() }, { title: title.id, mortgage: id })
      expect(await refusalOf(byOrder(lender.as('lender'), second.mortgage))).toBe('credential_missing')
      expect(await refusalOf(byOrder(registrar(), first.mortgage))).toBe('encumbrance_unknown')
      const free = await byOrder(registrar(), second.mortgage)
      expect(free.encumbrances).toEqual([])
      expect(await refusalOf(discharge(lender.as('lender'), first.mortgage))).toBe('encumbrance_unknown')
    })

    it('needs a lender who grants credit, and the owner, or each of several', async () => {
      const office = await open()
      const title = await registered(office, [
        { of: named('Okafor'), share: share(1, 2) },
        { of: named('Haddad'), share: share(1, 2) },
      ])
      const parties = { lender, owner: seller }
      expect(await refusalOf(mortgage(office, title, { lender: bank('B-1', '03.11'), owner: seller }))).toBe(
        'lender_unlicensed',
      )
      expect(await refusalOf(mortgage(office, title, { lender, owner: person('X') }))).toBe('mortgage_owner_missing')
      expect(await refusalOf(mortgage(office, title, { lender, owner: company('B-1') }))).toBe('parties_not_distinct')
      expect(await refusalOf(mortgage(office, title, parties))).toBe('mortgage_owner_missing')
      const terms = {
        lender: { issuer: identityIssuer, registrationNumber: 'B-1' },
        version: title.version,
        amount,
        legalBasis,
      }
      const consent = (caller: ReturnType<typeof registrar>, more: Record<string, unknown> = {}) =>
        call<{ deed: string }>(office, caller, 'consentToMortgage', { ...terms, ...more }, { title: title.id })
      expect(await refusalOf(consent(person('X').as('owner')))).toBe('mortgage_owner_missing')
      await consent(buyer.as('owner'), { amount: { ...amount, amountMinor: '1' } })
      await consent(buyer.as('owner'), { lender: { issuer: identityIssuer, registrationNumber: 'B-2' } })
      expect(await refusalOf(mortgage(office, title, parties))).toBe('mortgage_owner_missing')
      await consent(buyer.as('owner'))
      await consent(buyer.as('owner'))
      const charged = await mortgage(office, title, parties)
      expect(charged.rank).toBe(1)
      // What was agreed to for one version of the title does not serve for the next.
      expect(await refusalOf(mortgage(office, charged, parties))).toBe('mortgage_owner_missing')
      expect(await refusalOf(mortgage(office, title, parties))).toBe('title_changed')
    })

    it('is postponed to the next in rank, by both lenders and an owner', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const one = await mortgage(office, title, { lender, owner: seller })
      const two = await mortgage(office, one, { lender: bank('B-2'), owner: seller })
      const three = await mortgage(office, two, { lender: bank('B-3'), owner: seller })
      const postpone = (behind: string, parties: Parameters<typeof joint>[0], version = three.version) =>
        call(
          office,
          joint(parties),
          'postponeMortgage',
          { version, behind, legalBasis },
          {
            ...{ title: title.id, mortgage: one.mortgage },
          },
        )
      const right = { lender, advanced: bank('B-2'), owner: seller }
      expect(await refusalOf(postpone(two.mortgage, { ...right, advanced: bank('B-3') }))).toBe(
        'postponement_not_lender',
      )
      expect(await refusalOf(postpone(two.mortgage, { ...right, lender: bank('B-2') }))).toBe('postponement_not_lender')
      expect(await refusalOf(postpone(two.mortgage, { ...right, owner: buyer }))).toBe('mortgage_owner_missing')
      expect(await refusalOf(postpone(three.mortgage, { ...right, advanced: bank('B-3') }))).toBe('rank_not_adjacent')
      expect(await refusalOf(postpone(two.mortgage, right, 1))).toBe('title_changed')
      const after = await postpone(two.mortgage, right)
      const ranks = Object.fromEntries(after.encumbrances.map(({ id, rank }) => [id, rank]))
      expect(ranks).toEqual({ [two.mortgage]: 1, [one.mortgage]: 2, [three.mortgage]: 3 })
    })
  })

  describe('an order', () => {
    it('blocks every disposal by its id until it is lifted, and freezes the token', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const blocked = await lodge(office, title.id)
      const facts = { orders: [blocked.order] }
      expect(office.writes.slice(-2)).toMatchObject([
        { method: 'encumber' },
        { method: 'freeze', args: [register, { entryId: title.id, order: blocked.order }] },
      ])
      await expect(transfer(office, blocked, { seller, buyer })).rejects.toMatchObject({ code: 'title_blocked', facts })
      await expect(mortgage(office, blocked, { lender, owner: seller })).rejects.toMatchObject({
        code: 'title_blocked',
        facts,
      })
      expect(await refusalOf(lodge(office, title.id))).toBe('order_taken')
      const spelt = { ...order(), authority: 'high  court ', reference: 'hc-2026-17' }
      expect(await refusalOf(lodge(office, title.id, { order: spelt }))).toBe('order_taken')
      const interest = (kind: string) =>
        call(office, registrar(), 'registerInterest', { kind, description: 'x', legalBasis }, { title: title.id })
      expect(await refusalOf(interest('usufruct'))).toBe('title_blocked')
      const second = await lodge(office, title.id, { kind: 'caveat', order: order('C-2') })
      const lift = (id: string) =>
        call(
          office,
          registrar(),
          'liftCaveat',
          { legalBasis, order: order('HC-2026-18') },
          { title: title.id, order: id },
        )
      const less = await lift(blocked.order)
      await expect(transfer(office, less, { seller, buyer })).rejects.toMatchObject({
        facts: { orders: [second.order] },
      })
      expect(await refusalOf(lift(blocked.order))).toBe('encumbrance_unknown')
      const free = await lift(second.order)
      expect(office.writes.at(-1)).toMatchObject({ method: 'unfreeze', args: [register, { order: second.order }] })
      expect((await transfer(office, free, { seller, buyer })).version).toBe(free.version + 1)
    })

    it('that comes in while a deed is under way either blocks it or finds the title sold', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const [deed, lodged] = await Promise.all([
        refusalOf(transfer(office, title, { seller, buyer })),
        refusalOf(lodge(office, title.id)),
      ])
      expect(lodged).toBeUndefined()
      const sold = (await ownersOf(office, title.id))['Haddad'] === '1/1'
      expect(deed).toBe(sold ? undefined : 'title_blocked')
    })

    it('is entered and lifted by officers only', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const body = { kind: 'caveat', order: order(), legalBasis }
      expect(await refusalOf(call(office, seller.as('owner'), 'lodgeCaveat', body, { title: title.id }))).toBe(
        'credential_missing',
      )
      const { order: id } = await lodge(office, title.id)
      const lift = call(office, seller.as('owner'), 'liftCaveat', { legalBasis }, { title: title.id, order: id })
      expect(await refusalOf(lift)).toBe('credential_missing')
    })
  })

  describe('other rights, restrictions and responsibilities', () => {
    it('are entered and ended by an officer, and have to be consented to while they stand', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const enter = (kind: string, more = {}) =>
        call(
          office,
          registrar(),
          'registerInterest',
          { kind, description: 'A path', legalBasis, ...more },
          { title: title.id },
        )
      const easement = await enter('easement')
      const lease = await enter('lease', {
        for: { company: { issuer: identityIssuer, registrationNumber: 'C-7', legalName: 'Tenant Ltd' } },
      })
      expect(lease.encumbrances).toMatchObject([
        { kind: 'easement', class: 'restriction' },
        { kind: 'lease', class: 'right' },
      ])
      expect(JSON.stringify(lease)).not.toContain('Tenant')
      expect(await refusalOf(transfer(office, lease, { seller, buyer }, { consents: [] }))).toBe(
        'encumbrance_unconsented',
      )
      expect((await full(office, title.id, company('C-7').as('reader'))).interests).toHaveLength(2)
      const end = (interest: string) =>
        call(office, registrar(), 'endInterest', { legalBasis }, { title: title.id, interest })
      expect((await end(easement.interest)).encumbrances).toHaveLength(1)
      expect(await refusalOf(end(easement.interest))).toBe('encumbrance_unknown')
      const charged = await mortgage(office, { ...title, version: 4 }, { lender, owner: seller })
      expect(await refusalOf(end(charged.mortgage))).toBe('interest_kind')
    })
  })

  describe('succession', () => {
    it('gives the heirs the place of the deceased, in exact shares, and ends the deceased’s credential', async () => {
      const office = await open()
      const title = await registered(office, [
        { of: named('Okafor'), share: share(1, 2) },
        { of: named('Haddad'), share: share(1, 2) },
      ])
      const held = await collect(office, title.id)
      const kept = await collect(office, title.id, buyer)
      const deceased = await partyId(office, title.id, 'Okafor')
      const succeed = (more: Record<string, unknown> = {}) =>
        call(
          office,
          registrar(),
          'registerSuccession',
          {
            ...{ version: title.version, deceased, certificate: order('PC-9'), legalBasis },
            heirs: [
              { of: named('Okoye'), share: share(2, 3) },
              { of: named('Lund'), share: share(1, 3) },
            ],
            ...more,
          },
          { title: title.id },
        )
      expect(await refusalOf(succeed({ heirs: [{ of: named('Okoye'), share: share(2, 3) }] }))).toBe('shares_not_whole')
      expect(await refusalOf(succeed({ deceased: title.id }))).toBe('party_unknown')
      expect(await refusalOf(succeed({ version: 9 }))).toBe('title_changed')
      const itself = [
        { of: { party: deceased }, share: share(1, 2) },
        { of: named('Lund'), share: share(1, 2) },
      ]
      expect(await refusalOf(succeed({ heirs: itself }))).toBe('parties_not_distinct')
      await succeed()
      expect(await ownersOf(office, title.id)).toEqual({ Haddad: '1/2', Okoye: '1/3', Lund: '1/6' })
      expect(await statusOf(office, held.credentialId)).toBe('revoked')
      expect(await statusOf(office, kept.credentialId)).toBe('valid')
      expect(await refusalOf(collect(office, title.id))).toBe('owner_only')
      expect(claimsOf(await collect(office, title.id, person('Lund')))['share']).toEqual({
        numerator: '1',
        denominator: '6',
      })
      expect(await refusalOf(succeed({ version: 2 }))).toBe('party_unknown')
    })

    it('waits for an order to be lifted', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const deceased = await partyId(office, title.id, 'Okafor')
      const blocked = await lodge(office, title.id)
      const body = {
        ...{ version: blocked.version, deceased, certificate: order('PC-9'), legalBasis },
        heirs: [{ of: named('Lund'), share: share(1, 1) }],
      }
      const attempt = call(office, registrar(), 'registerSuccession', body, { title: title.id })
      expect(await refusalOf(attempt)).toBe('title_blocked')
    })
  })

  describe('an officer', () => {
    it('corrects what a title says of its land, and its owners’ credentials follow', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const held = await collect(office, title.id)
      const amend = (fields: unknown, version = 1) =>
        call(
          office,
          registrar(),
          'amendTitle',
          { version, fields, legalBasis, reason: 'Misprint' },
          { title: title.id },
        )
      expect(await refusalOf(amend({ landUse: 'moon' }))).toBe('fields_invalid')
      expect(await refusalOf(amend({ cadastralDistrict: 'South 1' }, 2))).toBe('title_changed')
      await amend({ cadastralDistrict: 'South 1' })
      expect(await statusOf(office, held.credentialId)).toBe('revoked')
      const again = await collect(office, title.id)
      expect(claimsOf(again)).toMatchObject({ cadastralDistrict: 'South 1', titleNumber: title.number })
      expect(office.writes.at(-1)).toMatchObject({ method: 'amend' })
    })

    it('carries out an order of a court past a block, which stays; nobody loses more than they own', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const held = await collect(office, title.id)
      const from = await partyId(office, title.id, 'Okafor')
      const blocked = await lodge(office, title.id)
      const execute = (more: Record<string, unknown> = {}, caller = registrar()) =>
        call(
          office,
          caller,
          'transferByOrder',
          {
            ...{
              version: blocked.version,
              from,
              to: named('Lund'),
              share: share(1, 2),
              order: order('HC-9'),
              legalBasis,
            },
            ...more,
          },
          { title: title.id },
        )
      expect(await refusalOf(execute({}, seller.as('owner')))).toBe('credential_missing')
      expect(await refusalOf(execute({ from: title.id }))).toBe('share_not_held')
      expect(await refusalOf(execute({ to: { party: from } }))).toBe('parties_not_distinct')
      expect(await refusalOf(execute({ to: { party: title.id } }))).toBe('party_unknown')
      expect(await refusalOf(execute({ version: 1 }))).toBe('title_changed')
      const after = await execute()
      expect(after.order).not.toBe(blocked.order)
      expect(after.encumbrances).toMatchObject([{ id: blocked.order }])
      expect(await ownersOf(office, title.id)).toEqual({ Okafor: '1/2', Lund: '1/2' })
      expect(await refusalOf(execute({ version: after.version, share: share(1, 4) }))).toBe('order_executed')
      const spelt = { ...order(' hc-9'), authority: 'HIGH COURT' }
      const again = { version: after.version, share: share(1, 4), order: spelt }
      expect(await refusalOf(execute(again))).toBe('order_executed')
      expect(await statusOf(office, held.credentialId)).toBe('revoked')
      expect(await refusalOf(transfer(office, after, { seller, buyer }, { share: share(1, 2) }))).toBe('title_blocked')
    })

    it('takes a token out of a wallet by a forced transfer under that order', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const [pseudonym, wallet] = ['w'.repeat(43), `0x${'ab'.repeat(20)}`]
      const bound = person('Haddad', { pseudonym })
      const standing = () => ({ valid: true, pseudonym }) as never
      const sell = withNeeds(office, { wallets: { standing } })
      await sell(joint({ seller, buyer: bound, notary }), title, { wallet })
      const { order: freeze } = await lodge(office, title.id)
      const from = await partyId(office, title.id, 'Haddad')
      const body = { version: 3, from, to: named('Lund'), share: share(1, 1), order: order('HC-9'), legalBasis }
      const { order: id } = await call(office, registrar(), 'transferByOrder', body, { title: title.id })
      expect(office.writes.at(-1)).toMatchObject({
        ...{ method: 'forcedTransfer', args: [register, { entryId: title.id, from: wallet, to: null, order: id }] },
      })
      expect(id).not.toBe(freeze)
    })
  })

  it('gives no credential to whoever does not own the title', async () => {
    const office = await open()
    const title = await ownedBy(office, 'Okafor')
    expect(await refusalOf(collect(office, title.id, person('Haddad', { holder: newDid() })))).toBe('owner_only')
  })
})
