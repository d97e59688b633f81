import { agencyMigrations } from '../../../src/agency.ts'
import { canonical } from '../../../src/kernel/canonical.ts'
import { onEachDatabase } from '../../databases.ts'
import { challengeFor, type Held, jointShot, newKey, present, send, sha256, type To } from '../../holder.ts'
import type { Party } from '../../identity/world.ts'
import { type GateHouse, type OperationId, openGateHouse, pathOf, requirements } from './fixture.ts'

const codeOf = ({ status, body }: { status: number; body: Record<string, unknown> }) => [status, body['code']]

onEachDatabase(agencyMigrations, ({ place }) => {
  let house: GateHouse
  beforeEach(async () => {
    house = await openGateHouse(await place())
  })
  afterEach(() => house.close())

  const oneShot = async (operation: OperationId, held: readonly Held[], body: Record<string, unknown> = {}) => {
    const to = await challengeFor(house.url, operation, {}, body)
    return { ...body, presentation: held.map(each => present(each, to)) }
  }
  const post = (operation: OperationId, body: unknown, headers: Record<string, string> = {}) =>
    send(house.url + pathOf(operation), 'POST', body, headers)

  describe('a presentation made for one act', () => {
    it('opens it, and the act never sees the presentation', async () => {
      const held = await house.issue('DrivingLicence')
      const answer = await post('grantOnce', await oneShot('grantOnce', [held], { note: 'one' }))
      expect(answer.status).toBe(200)
      const [act] = house.done
      expect([act?.body, act?.caller]).toEqual([
        { note: 'one' },
        expect.objectContaining({ kind: 'holder', proof: 'presentation', actor: held.key.did }),
      ])
    })

    it('has a challenge that a wallet can compute again from what it is shown', async () => {
      const body = { note: 'one' }
      const { challenge, audience } = await challengeFor(house.url, 'grantOnce', {}, body)
      const [nonce = '', digest] = challenge.split('.')
      const bound = { audience, operationId: 'grantOnce', params: {}, bodySha256: sha256(canonical(body)), nonce }
      expect(digest).toBe(sha256(canonical(bound)))
    })

    it('counts once, also in another process', async () => {
      const body = await oneShot('grantOnce', [await house.issue('DrivingLicence')])
      expect((await post('grantOnce', body)).status).toBe(200)
      expect(codeOf(await post('grantOnce', body))).toEqual([401, 'proof_replayed'])
      await house.restart()
      expect(codeOf(await post('grantOnce', body))).toEqual([401, 'proof_replayed'])
      expect(house.done).toHaveLength(1)
    })

    it('counts once, whatever the request calls itself', async () => {
      const body = await oneShot('grantOnce', [await house.issue('DrivingLicence')])
      const named = (key: string) => ({ 'x-request-id': 'chosen-by-the-client', 'idempotency-key': key })
      const first = await post('grantOnce', body, named('one'))
      expect(first.status).toBe(200)
      expect(codeOf(await post('grantOnce', body, named('two')))).toEqual([401, 'proof_replayed'])
      const other = await oneShot('grantOnce', [await house.issue('DrivingLicence')])
      const told = (await post('grantOnce', other)).headers.get('x-request-id') ?? ''
      expect(codeOf(await post('grantOnce', other, { 'x-request-id': told }))).toEqual([401, 'proof_replayed'])
      expect(house.done).toHaveLength(2)
    })

    it('counts once when it is handed in many times at once', async () => {
      const body = await oneShot('grantOnce', [await house.issue('DrivingLicence')])
      const answers = await Promise.all(Array.from({ length: 8 }, () => post('grantOnce', body)))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(new Set(answers.filter(({ status }) => status !== 200).map(({ body: { code } }) => code))).toEqual(
        new Set(['proof_replayed']),
      )
      expect(house.done).toHaveLength(1)
    })

    it('gives the same answer again under the same idempotency key', async () => {
      const held = await house.issue('DrivingLicence')
      const headers = { 'idempotency-key': 'order-1' }
      const first = await post('grantOnce', await oneShot('grantOnce', [held], { note: 'x' }), headers)
      const second = await post('grantOnce', await oneShot('grantOnce', [held], { note: 'x' }), headers)
      expect([first.status, second.status, second.body]).toEqual([200, 200, first.body])
      expect(house.done).toHaveLength(1)
    })

    it('is refused for another body and for another operation', async () => {
      const held = await house.issue('DrivingLicence')
      const body = await oneShot('grantOnce', [held], { note: 'one', amountMinor: '100' })
      expect(codeOf(await post('grantOnce', { ...body, amountMinor: '1000' }))).toEqual([401, 'challenge_mismatch'])
      expect(codeOf(await post('grantPermit', body))).toEqual([401, 'challenge_mismatch'])
      expect(house.done).toEqual([])
    })

    it('is refused after its time, for another audience, and over two challenges', async () => {
      const held = await house.issue('DrivingLicence')
      const away = await challengeFor(house.url, 'grantOnce', {}, {})
      const presentation = present(held, { ...away, audience: 'https://elsewhere.example' })
      expect(codeOf(await post('grantOnce', { presentation }))).toEqual([401, 'audience_mismatch'])
      const [one, other] = [await oneShot('grantOnce', [held]), await oneShot('grantOnce', [held])]
      const both = [...(one.presentation as string[]), ...(other.presentation as string[])]
      expect(codeOf(await post('grantOnce', { presentation: both }))).toEqual([401, 'challenge_mismatch'])
      house.advance(5 * 60_000)
      expect(codeOf(await post('grantOnce', one))).toEqual([401, 'challenge_expired'])
    })

    it('says which check a credential failed: malformed, not proven, or not standing', async () => {
      const held = await house.issue('DrivingLicence')
      const to = await challengeFor(house.url, 'grantOnce', {}, {})
      const stolen = present({ ...held, key: newKey() }, to)
      expect(codeOf(await post('grantOnce', { presentation: stolen }))).toEqual([401, 'holder_mismatch'])
      expect(codeOf(await post('grantOnce', { presentation: 'nonsense' }))).toEqual([400, 'credential_malformed'])
      expect(codeOf(await post('grantOnce', { presentation: [] }))).toEqual([400, 'body_invalid'])
      house.world.status.set(held.pointer, 'revoked')
      expect(codeOf(await post('grantOnce', await oneShot('grantOnce', [held])))).toEqual([403, 'credential_revoked'])
      house.world.status.stale = true
      expect(codeOf(await post('grantOnce', await oneShot('grantOnce', [held])))).toEqual([503, 'status_unavailable'])
    })

    it('has no challenge for what nobody presents for', async () => {
      const answer = await send(`${house.url}/requirements/decideByStaff/challenge`, 'POST', {
        bodySha256: 'A'.repeat(43),
      })
      expect(codeOf(answer)).toEqual([422, 'presentation_unwanted'])
    })
  })

  describe('a joint act', () => {
    const parties = async () => ({
      seller: await house.issue('NationalIdentity', { familyName: 'Seller' }),
      buyer: await house.issue('NationalIdentity', { familyName: 'Buyer' }),
    })
    const by = (held: Held) => (to: To) => [present(held, to)]

    it('runs when each party presents over the one challenge', async () => {
      const { seller, buyer } = await parties()
      const body = await jointShot(
        house.url,
        'signDeed',
        {},
        { note: 'deed' },
        { seller: by(seller), buyer: by(buyer) },
      )
      expect((await post('signDeed', body)).status).toBe(200)
      expect(house.done[0]).toMatchObject({
        body: { note: 'deed' },
        caller: {
          actor: seller.key.did,
          parties: { seller: { actor: seller.key.did }, buyer: { actor: buyer.key.did } },
        },
      })
    })

    it('is refused without a party, with one too many, with a changed deed, or from a session alone', async () => {
      const { seller, buyer } = await parties()
      const alone = await jointShot(house.url, 'signDeed', {}, {}, { seller: by(seller) })
      expect(codeOf(await post('signDeed', alone))).toEqual([401, 'party_missing'])
      const strange = { seller: by(seller), buyer: by(buyer), witness: by(buyer) }
      const crowd = await jointShot(house.url, 'signDeed', {}, {}, strange)
      expect(codeOf(await post('signDeed', crowd))).toEqual([400, 'party_unknown'])
      const signed = await jointShot(house.url, 'signDeed', {}, { note: 'a' }, { seller: by(seller), buyer: by(buyer) })
      expect(codeOf(await post('signDeed', { ...signed, note: 'b' }))).toEqual([401, 'challenge_mismatch'])
      const session = await house.open([seller])
      expect(codeOf(await session.call('POST', '/office/signDeed', {}))).toEqual([401, 'unauthenticated'])
      expect(house.done).toEqual([])
    })

    it('is refused with parties put into each other’s parts, or into one that they did not name', async () => {
      const { seller, buyer } = await parties()
      const body = await jointShot(house.url, 'signDeed', {}, {}, { seller: by(seller), buyer: by(buyer) })
      const given = body['presentations'] as Record<string, string[]>
      const swapped = { seller: given['buyer'], buyer: given['seller'] }
      expect(codeOf(await post('signDeed', { presentations: swapped }))).toEqual([401, 'challenge_mismatch'])
      const both = { seller: given['seller'], buyer: given['seller'] }
      expect(codeOf(await post('signDeed', { presentations: both }))).toEqual([401, 'challenge_mismatch'])
      const to = await challengeFor(house.url, 'signDeed', {}, {})
      const nameless = { seller: by(seller)(to), buyer: by(buyer)(to) }
      expect(codeOf(await post('signDeed', { presentations: nameless }))).toEqual([401, 'challenge_mismatch'])
      expect(house.done).toEqual([])
      expect((await post('signDeed', body)).status).toBe(200)
    })

    it('is refused when a party’s own part is not met', async () => {
      const { seller } = await parties()
      const licence = await house.issue('DrivingLicence')
      const body = await jointShot(house.url, 'signDeed', {}, {}, { seller: by(seller), buyer: by(licence) })
      expect(codeOf(await post('signDeed', body))).toEqual([403, 'credential_missing'])
    })
  })

  describe('a mandate', () => {
    const company = { legalName: 'Northwind Ltd', registrationNumber: 'C-1' }
    const terms = (claims: Record<string, unknown> = {}) => ({
      ...{ company, operations: ['payInvoice'], limits: [{ currency: 'XNC', perActMinor: '1000' }], ancestors: [] },
      ...{ signing: { jointly: 1 }, mayDelegate: false, startsOn: '2020-01-01', endsOn: '2099-12-31', ...claims },
    })
    const mandate = (claims?: Record<string, unknown>) => house.issue('CompanyMandate', terms(claims))
    const invoice = (amountMinor: string) => ({ amountMinor, currency: 'XNC' })

    it('lets its holder act for the principal within its limits, and the act names both', async () => {
      const held = await mandate()
      const session = await house.open([held])
      expect((await session.call('POST', '/office/payInvoice', invoice('1000'))).status).toBe(200)
      expect(house.done[0]?.caller).toMatchObject({
        actor: held.key.did,
        principal: expect.stringContaining('C-1'),
        mandates: [{ credentialId: held.id, issuer: house.world.transport.did }],
      })
    })

    it('stands in the evidence of the act, with its principal', async () => {
      const held = await mandate()
      await (await house.open([held])).call('POST', '/office/payInvoice', invoice('1'))
      const rows = await house.store.read<{ record: string }>('SELECT record FROM journal_details ORDER BY id')
      const record = JSON.parse(rows.at(-1)?.record ?? '') as Record<string, unknown>
      const digest = sha256(held.compact.split('~')[0] ?? '')
      expect(record).toMatchObject({
        ...{ operation: 'payInvoice', callerId: held.key.did, mandates: [held.id], credentials: [digest] },
        principal: expect.stringContaining('C-1'),
        authority: expect.stringMatching(/^holder CompanyMandate for .*C-1 by mandate urn:uuid:/),
      })
    })

    it('is refused beyond its limit, without an amount, and for an operation that it does not name', async () => {
      const session = await house.open([await mandate()])
      const call = async (body: unknown) => codeOf(await session.call('POST', '/office/payInvoice', body))
      expect(await call(invoice('1001'))).toEqual([403, 'mandate_limit'])
      expect(await call({ amountMinor: '1', currency: 'EUR' })).toEqual([403, 'mandate_limit'])
      expect(await call({})).toEqual([400, 'amount_missing'])
      expect(await call({ amountMinor: '-1', currency: 'XNC' })).toEqual([400, 'amount_missing'])
      const other = await house.open([await mandate({ operations: ['createTransfer'] })])
      expect(codeOf(await other.call('POST', '/office/payInvoice', invoice('1')))).toEqual([403, 'mandate_operation'])
    })

    it('is chosen among several: one that covers the act is enough', async () => {
      const session = await house.open([
        await mandate({ limits: [{ currency: 'XNC', perActMinor: '1' }] }),
        await mandate(),
      ])
      expect((await session.call('POST', '/office/payInvoice', invoice('900'))).status).toBe(200)
    })

    it.each(['revoked', 'suspended'] as const)('ends when the one above it is %s', async value => {
      const above = await mandate({ mayDelegate: true })
      const ancestor = {
        ...{ credentialId: above.id, holder: above.key.did, level: 1, jointly: 1, operations: ['payInvoice'] },
        ...{ limits: [{ currency: 'XNC', perActMinor: '1000' }], mayDelegate: true },
        ...{ startsOn: '2020-01-01', endsOn: '2099-12-31' },
        ...{ statusList: above.pointer.list, statusIndex: above.pointer.index },
      }
      const below = await mandate({ ancestors: [ancestor] })
      const session = await house.open([below])
      expect((await session.call('POST', '/office/payInvoice', invoice('10'))).status).toBe(200)
      house.world.status.set(above.pointer, value)
      expect(codeOf(await session.call('POST', '/office/payInvoice', invoice('10')))).toEqual([403, 'mandate_ended'])
      const unknown = await mandate({ ancestors: [{ ...ancestor, statusList: 77 }] })
      const body = await oneShot('payInvoice', [unknown], invoice('10'))
      expect(codeOf(await post('payInvoice', body))).toEqual([403, 'mandate_ended'])
    })

    it('that is valid jointly needs as many different people over one challenge, and no session', async () => {
      const two = { signing: { jointly: 2 } }
      const [first, second] = [await mandate(two), await mandate(two)]
      const session = await house.open([first, second])
      expect(codeOf(await session.call('POST', '/office/payInvoice', invoice('1')))).toEqual([403, 'mandate_joint'])
      const alone = await oneShot('payInvoice', [first], invoice('1'))
      expect(codeOf(await post('payInvoice', alone))).toEqual([403, 'mandate_joint'])
      const sameHolder = await house.issue('CompanyMandate', terms(two), { key: first.key })
      const twice = await oneShot('payInvoice', [first, sameHolder], invoice('1'))
      expect(codeOf(await post('payInvoice', twice))).toEqual([403, 'mandate_joint'])
      const elsewhere = await mandate({ ...two, company: { ...company, registrationNumber: 'C-2' } })
      const mixed = await oneShot('payInvoice', [first, elsewhere], invoice('1'))
      expect(codeOf(await post('payInvoice', mixed))).toEqual([403, 'mandate_joint'])
      const both = await oneShot('payInvoice', [first, second], invoice('1'))
      expect((await post('payInvoice', both)).status).toBe(200)
      expect(house.done[0]?.caller).toMatchObject({
        mandates: [{ credentialId: first.id }, { credentialId: second.id }],
      })
    })

    it('is not completed by one of an issuer, or with claims, that the operation does not accept', async () => {
      const query = { id: 'mandate', type: 'CompanyMandate', mandate: true, issuers: ['self'] } as const
      const where = [{ path: ['office'], equals: 'director' }] as const
      await house.restart({ payInvoice: { ...requirements.payInvoice, of: { ...query, where } } })
      const claims = (office: string) => ({
        ...terms({ signing: { jointly: 2 } }),
        ...{ company: { ...company, id: 'did:web:northwind.example' }, office },
      })
      const signer = (office: string, by?: Party) => house.issue('CompanyMandate', claims(office), by && { by })
      const first = await signer('director')
      const foreign = await oneShot('payInvoice', [first, await signer('director', house.world.taxes)], invoice('1'))
      expect(codeOf(await post('payInvoice', foreign))).toEqual([403, 'mandate_joint'])
      const clerk = await oneShot('payInvoice', [first, await signer('employee')], invoice('1'))
      expect(codeOf(await post('payInvoice', clerk))).toEqual([403, 'mandate_joint'])
      expect(house.done).toEqual([])
      const second = await signer('director')
      expect((await post('payInvoice', await oneShot('payInvoice', [first, second], invoice('1')))).status).toBe(200)
      const rows = await house.store.read<{ record: string }>('SELECT record FROM journal_details ORDER BY id')
      const record = JSON.parse(rows.at(-1)?.record ?? '') as { credentials: string[] }
      const digests = [first, second].map(({ compact }) => sha256(compact.split('~')[0] ?? ''))
      expect([...record.credentials].sort()).toEqual(digests.sort())
    })

    it('of three signatories is not met by two', async () => {
      const three = { signing: { jointly: 3 } }
      const held = [await mandate(three), await mandate(three), await mandate({ signing: { jointly: 2 } })]
      const two = await oneShot('payInvoice', held.slice(0, 2), invoice('1'))
      expect(codeOf(await post('payInvoice', two))).toEqual([403, 'mandate_joint'])
      expect((await post('payInvoice', await oneShot('payInvoice', held, invoice('1')))).status).toBe(200)
    })
  })
})
