import { spawnSync } from 'node:child_process'
import { Wallet } from 'ethers'
import { walletStatement } from '../src/plugins/bindings/statement.ts'
import { computedArea, type Geometry, parseGeometry } from '../src/plugins/registry/land/geometry.ts'
import {
  challengeFor,
  type Held,
  jointShot,
  newKey,
  newWalletHolder,
  present,
  type Session,
  send,
  signJwt,
  type WalletHolder,
  withdraw,
} from './holder.ts'
import { rectangle } from './plugins/registry/land/shapes.ts'
import { stopPostgres, withPostgres } from './postgres.ts'
import { type Answer, exampleOf, inherited, root, type Started, startService, temporaryFolder } from './service.ts'

const registry = 'land-registry'
const legalBasis = 'Land Registration Act, s. 8'
const path = '/registry/registers/land-titles'
const params = { register: 'land-titles' }
const price = { amountMinor: '25000000', currency: 'XNC' }
const share = (numerator: number, denominator: number) => ({
  numerator: String(numerator),
  denominator: String(denominator),
})
const dayAt = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
const codeOf = (answer: Answer) => [answer.status, answer.body['code']]

type Title = {
  id: string
  version: number
  legalAreaSquareCentimetres: string
  encumbrances: { id: string; kind: string; rank?: number }[]
  parcels: { id: string; geometry: Geometry }[]
}
type Party = { holder: WalletHolder; shown: Held[]; name: string }

/** Everybody of one nation who has to do with land. */
const openNation = (service: Started) => {
  const url = `${service.url}/${registry}`
  const citizen = async (name: string): Promise<Party> => {
    const holder = newWalletHolder(service)
    const claims = { familyName: name, personalAdministrativeNumber: `N-${name}` }
    const identity = await holder.receive('root-authority', 'NationalIdentity', {
      ...{ ...exampleOf('national-identity'), ...claims },
    })
    return { holder, name, shown: [identity] }
  }
  const issuerOf = ({ shown: [held] }: Party): string => {
    const body = held?.compact.split('.')[1] ?? ''
    return String(JSON.parse(Buffer.from(body, 'base64url').toString())['iss'])
  }
  const as = (owner: Party) => ({
    person: {
      ...{ familyName: owner.name, givenName: 'Amara', issuer: issuerOf(owner) },
      personalAdministrativeNumber: `N-${owner.name}`,
    },
  })
  const notary = async (options: { validUntil?: string } = {}): Promise<Party> => {
    const holder = newWalletHolder(service)
    const claims = exampleOf('professional-licence')
    return {
      ...{ holder, name: 'Lindqvist' },
      shown: [await holder.receive('business-registry', 'ProfessionalLicence', claims, options)],
    }
  }
  /** A bank, by an employee who has its mandate; the licence is under the bank's own key. */
  const bank = async (registrationNumber: string, perActMinor: string): Promise<Party> => {
    const [itself, employee] = [newWalletHolder(service), newWalletHolder(service)]
    const licence = await itself.receive('business-registry', 'BusinessLicence', {
      ...{ ...exampleOf('business-licence'), registrationNumber },
    })
    const mandate = await employee.receive('business-registry', 'CompanyMandate', {
      ...exampleOf('company-mandate'),
      company: { legalName: 'Verity Bank plc', registrationNumber },
      ...{ operations: ['registerMortgage', 'dischargeMortgage'], limits: [{ currency: 'XNC', perActMinor }] },
      ...{ startsOn: dayAt(-1), endsOn: dayAt(30), mayDelegate: false, signing: { jointly: 1 }, ancestors: [] },
    })
    return { holder: employee, name: registrationNumber, shown: [licence, mandate] }
  }
  /** A company, by an employee. */
  const company = async (registrationNumber: string, perActMinor: string): Promise<Party> => {
    const employee = newWalletHolder(service)
    const mandate = await employee.receive('business-registry', 'CompanyMandate', {
      ...exampleOf('company-mandate'),
      company: { legalName: 'Northwind Ltd', registrationNumber },
      ...{ operations: ['transferTitle'], limits: [{ currency: 'XNC', perActMinor }], ancestors: [] },
      ...{ startsOn: dayAt(-1), endsOn: dayAt(30), mayDelegate: false, signing: { jointly: 1 } },
    })
    return { holder: employee, name: registrationNumber, shown: [mandate] }
  }
  /** Somebody whose wallet a bank has bound to their pseudonym for this register, and whose identity shows it. */
  const walletOwner = async (name: string) => {
    const [customer, key, signer] = [newWalletHolder(service), newKey(), Wallet.createRandom()]
    const claims = { ...exampleOf('national-identity'), familyName: name, personalAdministrativeNumber: `N-${name}` }
    const identity = await customer.receive('root-authority', 'NationalIdentity', claims, { key })
    const attested = { ...exampleOf('kyc-attestation'), expiryDate: '2036-01-01', nextReviewOn: '2036-01-01' }
    const kyc = await customer.receive('commercial-bank', 'KycAttestation', attested, { key })
    const wish = { wallet: signer.address, domain: 'register:land-titles', signedAt: new Date().toISOString() }
    const institution = `${service.url}/commercial-bank`
    const statement = walletStatement({ ...wish, institution, holderKey: key.thumbprint })
    const body = { ...wish, relay: true, walletSignature: await signer.signMessage(statement) }
    const shown = await customer.oneShot('commercial-bank', 'bindWallet', {}, body, [identity, kyc])
    const bound = await send(`${institution}/wallet-bindings`, 'POST', shown)
    expect(bound.status).toBe(201)
    const { message } = bound.body['typedData'] as unknown as { message: { pseudonym: string } }
    const value = Buffer.from(message.pseudonym.slice(2), 'hex').toString('base64url')
    const holder = newWalletHolder(service)
    const pseudonym = { domain: 'register:land-titles', value }
    const known = await holder.receive('root-authority', 'NationalIdentity', { ...claims, pseudonym })
    return { wallet: signer.address, buyer: { holder, name, shown: [known] } satisfies Party }
  }
  const officer = async (): Promise<Session> => {
    const holder = newWalletHolder(service)
    await holder.receive(registry, 'PublicOfficer', exampleOf('public-officer'))
    return holder.openSession(registry)
  }
  let plots = 0
  const register = async (session: Session, owners: { of: unknown; share: unknown }[]): Promise<Title> => {
    plots += 1
    const geometry = rectangle(plots * 20_000, 0, plots * 20_000 + 8_000, 8_000)
    const area = String(computedArea(parseGeometry(geometry)))
    const answer = await session.call('POST', `${path}/titles`, {
      fields: { cadastralDistrict: 'Northshore 17' },
      parcels: [{ parcelNumber: `P-${plots}`, geometry, legalAreaSquareCentimetres: area }],
      ...{ owners, legalBasis },
    })
    expect([answer.status, answer.body]).toMatchObject([201, {}])
    return answer.body as unknown as Title
  }
  const titleOf = async (id: string): Promise<Title> =>
    (await send(`${url}${path}/titles/${id}`, 'GET')).body as unknown as Title
  const signed = (operation: string, title: string, body: Record<string, unknown>, parties: Record<string, Party>) => {
    const presentations = Object.entries(parties).map(
      ([name, { shown }]) =>
        [name, (to: Parameters<typeof present>[1]) => shown.map(held => present(held, to))] as const,
    )
    return jointShot(url, operation, { ...params, title }, body, Object.fromEntries(presentations))
  }
  const deed = (title: Title, more: Record<string, unknown> = {}) => ({
    ...{ version: title.version, share: share(1, 1), price, consents: title.encumbrances.map(({ id }) => id) },
    ...{ legalBasis, ...more },
  })
  const transfer = async (title: Title, parties: Record<string, Party>, more: Record<string, unknown> = {}) => {
    const body = await signed('transferTitle', title.id, deed(title, more), parties)
    return send(`${url}${path}/titles/${title.id}/transfer`, 'POST', body)
  }
  const mortgage = async (title: Title, parties: Record<string, Party>) => {
    const amount = { amountMinor: '10000000', currency: 'XNC' }
    const body = await signed('registerMortgage', title.id, { version: title.version, amount, legalBasis }, parties)
    return send(`${url}${path}/titles/${title.id}/mortgages`, 'POST', body)
  }
  return {
    url,
    citizen,
    as,
    notary,
    bank,
    company,
    walletOwner,
    officer,
    register,
    titleOf,
    signed,
    deed,
    transfer,
    mortgage,
  }
}
type Nation = ReturnType<typeof openNation>

const until = async <T>(look: () => Promise<T>, isIt: (value: T) => boolean): Promise<T> => {
  const end = Date.now() + 20_000
  for (;;) {
    const value = await look()
    if (isIt(value) || Date.now() > end) return value
    await new Promise(done => setTimeout(done, 100))
  }
}

const databases = { SQLite: async () => ({}), PostgreSQL: async () => ({ DATABASE_URL: await withPostgres() }) }

describe.each(Object.entries(databases))('land over HTTP on %s', (_, environment) => {
  const folder = temporaryFolder()
  let service: Started
  let nation: Nation
  let env: Record<string, string>
  let officer: Session

  beforeAll(async () => {
    env = await environment()
    service = await startService({ dataDir: folder.path, env })
    nation = openNation(service)
    officer = await nation.officer()
  }, 120_000)

  afterAll(async () => {
    await service?.stop()
    await stopPostgres()
    folder.remove()
  }, 60_000)

  it('registers, mortgages, sells with consent, and discharges by the lender', async () => {
    const [seller, buyer] = [await nation.citizen('Okafor'), await nation.citizen('Haddad')]
    const [notary, lender] = [await nation.notary(), await nation.bank('C-1048821', '20000000')]
    const title = await nation.register(officer, [{ of: nation.as(seller), share: share(1, 1) }])

    const owner = await seller.holder.openSession(registry, seller.shown)
    const collected = await owner.call('POST', `${path}/titles/${title.id}/credential`, {})
    expect([collected.status, collected.body['format']]).toEqual([200, 'dc+sd-jwt'])
    const key = newKey()
    const nonce = seller.shown[0]?.key.did
    const payload = { aud: `${service.url}/land-registry`, nonce, iat: Math.floor(Date.now() / 1_000) }
    const jwt = signJwt({ typ: 'openid4vci-proof+jwt', kid: key.kid }, payload, key)
    const fresh = await owner.call('POST', `${path}/titles/${title.id}/credential`, {
      holderProof: { proof_type: 'jwt', jwt },
    })
    const [, claims = ''] = String(fresh.body['credential']).split('.')
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString()).sub).toBe(key.did)

    const charged = await nation.mortgage(title, { lender, owner: seller, notary })
    expect([charged.status, charged.body['rank']]).toEqual([201, 1])
    const mortgaged = charged.body as unknown as Title
    const small = await nation.bank('C-1048821', '9999999')
    expect(codeOf(await nation.mortgage(mortgaged, { lender: small, owner: seller, notary }))).toEqual([
      403,
      'mandate_insufficient',
    ])

    const hidden = await nation.transfer(mortgaged, { seller, buyer, notary }, { consents: [] })
    expect(codeOf(hidden)).toEqual([422, 'encumbrance_unconsented'])
    const sold = await nation.transfer(mortgaged, { seller, buyer, notary })
    expect(sold.status).toBe(200)
    const again = await owner.call('GET', `${path}/titles/${title.id}/full`)
    expect(codeOf(again)).toEqual([403, 'title_party_only'])

    const other = await nation.bank('C-7', '20000000')
    const discharge = (by: Party) =>
      challengeFor(
        nation.url,
        'dischargeMortgage',
        { ...params, title: title.id, mortgage: String(charged.body['mortgage']) },
        {
          legalBasis,
        },
      ).then(to =>
        send(`${nation.url}${path}/titles/${title.id}/mortgages/${charged.body['mortgage']}/discharge`, 'POST', {
          ...{ legalBasis, presentation: by.shown.map(held => present(held, to)) },
        }),
      )
    expect(codeOf(await discharge(other))).toEqual([403, 'discharge_not_lender'])
    expect((await discharge(lender)).body).toMatchObject({ encumbrances: [] })
  }, 120_000)

  it('sells one title once, and refuses a deed that was changed after it was signed', async () => {
    const [seller, notary] = [await nation.citizen('Seller'), await nation.notary()]
    const buyers = [await nation.citizen('One'), await nation.citizen('Two')]
    const title = await nation.register(officer, [{ of: nation.as(seller), share: share(1, 1) }])
    const [buyer] = buyers as [Party]
    const poor = { seller, buyer: await nation.company('C-9', '24999999'), notary }
    expect(codeOf(await nation.transfer(title, poor))).toEqual([403, 'mandate_limit'])
    const body = await nation.signed('transferTitle', title.id, nation.deed(title), { seller, buyer, notary })
    const cheaper = { ...body, price: { ...price, amountMinor: '1' } }
    const forged = await send(`${nation.url}${path}/titles/${title.id}/transfer`, 'POST', cheaper)
    expect(codeOf(forged)).toEqual([401, 'challenge_mismatch'])
    const deeds = await Promise.all(buyers.map(each => nation.transfer(title, { seller, buyer: each, notary })))
    expect(deeds.map(codeOf).sort()).toEqual([
      [200, undefined],
      [409, 'title_changed'],
    ])
    const sold = await nation.titleOf(title.id)
    expect(sold.version).toBe(2)
    const winner = buyers[deeds[0]?.status === 200 ? 0 : 1] as Party
    const rich = await nation.company('C-9', '25000000')
    expect((await nation.transfer(sold, { seller: winner, buyer: rich, notary })).status).toBe(200)
    const { owners } = (await officer.call('GET', `${path}/titles/${title.id}/full`)).body as unknown as {
      owners: unknown
    }
    expect(owners).toMatchObject([{ party: { kind: 'company', name: { registrationNumber: 'C-9' } } }])
  }, 120_000)

  it('hears no notary whose licence is revoked or has lapsed, in a deed or in mid-session', async () => {
    const [seller, buyer] = [await nation.citizen('Maker'), await nation.citizen('Taker')]
    const title = await nation.register(officer, [{ of: nation.as(seller), share: share(1, 1) }])
    const notary = await nation.notary()
    const session = await notary.holder.openSession(registry, notary.shown)
    const read = () => session.call('GET', `${path}/titles/${title.id}/full`)
    expect((await read()).status).toBe(200)
    await withdraw(service, notary.shown[0] as Held)
    expect(codeOf(await read())).toEqual([403, 'credential_revoked'])
    expect(codeOf(await nation.transfer(title, { seller, buyer, notary }))).toEqual([403, 'credential_revoked'])

    const lapsing = await nation.notary({ validUntil: new Date(Date.now() + 2_000).toISOString() })
    await new Promise(done => setTimeout(done, 2_500))
    const late = await nation.transfer(title, { seller, buyer, notary: lapsing })
    expect(codeOf(late)).toEqual([403, 'credential_expired'])
    const nobody = await nation.transfer(title, { seller, buyer, notary: await nation.citizen('Nobody') })
    expect(codeOf(nobody)).toEqual([403, 'credential_missing'])
    expect((await nation.titleOf(title.id)).version).toBe(1)
  }, 120_000)

  it('hears no officer whose office has ended, and nobody who is none', async () => {
    const leaver = newWalletHolder(service)
    const office = exampleOf('public-officer')
    await leaver.receive(registry, 'PublicOfficer', office, { validUntil: new Date(Date.now() + 3_000).toISOString() })
    const leaving = await leaver.openSession(registry)
    const [owner, citizen] = [await nation.citizen('Owner'), await nation.citizen('Citizen')]
    const title = await nation.register(officer, [{ of: nation.as(owner), share: share(1, 1) }])
    await new Promise(done => setTimeout(done, 3_500))
    const order = { reference: 'HC-1', authority: 'High Court', madeOn: dayAt(-1), documentSha256: 'ab'.repeat(32) }
    const body = { kind: 'caveat', order, legalBasis }
    const late = await leaving.call('POST', `${path}/titles/${title.id}/orders`, body)
    expect(codeOf(late)).toEqual([401, 'session_invalid'])
    const act = { ...params, title: title.id }
    const once = await leaver.oneShot(registry, 'lodgeCaveat', act, body)
    const anew = await send(`${nation.url}${path}/titles/${title.id}/orders`, 'POST', once)
    expect(codeOf(anew)).toEqual([403, 'credential_expired'])
    const own = await citizen.holder.openSession(registry, citizen.shown)
    const uninvited = await own.call('POST', `${path}/titles/${title.id}/orders`, body)
    expect(codeOf(uninvited)).toEqual([403, 'credential_missing'])
    expect((await send(`${nation.url}${path}/titles/${title.id}/orders`, 'POST', body)).status).toBe(401)
    expect((await nation.titleOf(title.id)).encumbrances).toEqual([])
  }, 120_000)

  it('stops a sale by an order, splits after it is lifted, and lets the heirs succeed', async () => {
    const [seller, buyer] = [await nation.citizen('Testator'), await nation.citizen('Buyer')]
    const notary = await nation.notary()
    const title = await nation.register(officer, [{ of: nation.as(seller), share: share(1, 1) }])
    const at = `${path}/titles/${title.id}`
    const order = { reference: 'HC-2', authority: 'High Court', madeOn: dayAt(-1), documentSha256: 'ab'.repeat(32) }
    const lodged = await officer.call('POST', `${at}/orders`, { kind: 'court-order', order, legalBasis })
    expect(lodged.status).toBe(201)
    const blocked = await nation.transfer(lodged.body as unknown as Title, { seller, buyer, notary })
    expect(codeOf(blocked)).toEqual([422, 'title_blocked'])
    expect(blocked.body['facts'] ?? blocked.body).toMatchObject({ orders: [lodged.body['order']] })
    const lifted = await officer.call('POST', `${at}/orders/${lodged.body['order']}/lifting`, { legalBasis })
    expect(lifted.status).toBe(200)

    const { owners } = (await officer.call('GET', `${at}/full`)).body as unknown as {
      owners: { party: { id: string } }[]
    }
    const succession = await officer.call('POST', `${at}/succession`, {
      ...{ version: lifted.body['version'], deceased: owners[0]?.party.id, certificate: order, legalBasis },
      heirs: [
        { of: nation.as(buyer), share: share(1, 3) },
        { of: nation.as(await nation.citizen('Heir')), share: share(2, 3) },
      ],
    })
    expect(succession.status).toBe(200)
    const [{ geometry } = { geometry: rectangle(0, 0, 1, 1) }] = (await nation.titleOf(title.id)).parcels
    const [ring = []] = geometry.coordinates as [number, number][][]
    const [west, south] = ring[0] as [number, number]
    const halves = [0, 1].map(half => {
      const x = Math.round(west * 1e7) + half * 4_000
      const y = Math.round(south * 1e7)
      const corners = [
        [0, 0],
        [4_000, 0],
        [4_000, 8_000],
        [0, 8_000],
        [0, 0],
      ]
      return {
        type: 'Polygon',
        coordinates: [corners.map(([a = 0, b = 0]) => [(x + a) / 1e7, (y + b) / 1e7])],
      } as Geometry
    })
    const areas = [computedArea(parseGeometry(halves[0])), 0n]
    areas[1] = BigInt(title.legalAreaSquareCentimetres) - (areas[0] ?? 0n)
    const split = (extra: bigint) =>
      officer.call('POST', `${at}/split`, {
        parts: halves.map((part, index) => ({
          parcel: {
            ...{ parcelNumber: `S-${index}`, geometry: part },
            legalAreaSquareCentimetres: String((areas[index] ?? 0n) + (index === 0 ? extra : 0n)),
          },
        })),
        ...{ survey: { reference: 'S-1', documentSha256: 'cd'.repeat(32) }, legalBasis },
      })
    expect(codeOf(await split(1n))).toEqual([422, 'split_area_mismatch'])
    const done = await split(0n)
    expect([done.status, (done.body['titles'] as unknown as Title[]).length]).toEqual([201, 2])
    expect(codeOf(await split(0n))).toEqual([409, 'title_closed'])
    const merged = await officer.call('POST', `${path}/titles/merger`, {
      titles: (done.body['titles'] as unknown as Title[]).map(({ id }) => id),
      parcel: { parcelNumber: 'M-1', geometry, legalAreaSquareCentimetres: title.legalAreaSquareCentimetres },
      ...{ survey: { reference: 'S-2', documentSha256: 'cd'.repeat(32) }, legalBasis },
    })
    expect(merged.status).toBe(201)
    const again = merged.body as unknown as Title
    expect(again.legalAreaSquareCentimetres).toBe(title.legalAreaSquareCentimetres)
    const frozen = await officer.call('POST', `${path}/titles/${again.id}/orders`, {
      kind: 'caveat',
      order,
      legalBasis,
    })
    expect(frozen.status).toBe(201)
  }, 120_000)

  it('sends the token to the wallet that a bank bound to the buyer, and takes it back by an order only', async () => {
    const [seller, notary] = [await nation.citizen('Vendor'), await nation.notary()]
    const { wallet, buyer } = await nation.walletOwner('Collector')
    const titles = [0, 1].map(() => nation.register(officer, [{ of: nation.as(seller), share: share(1, 1) }]))
    const [kept, taken] = (await Promise.all(titles)) as [Title, Title]
    const stranger = await nation.transfer(
      kept,
      { seller, buyer: await nation.citizen('Stranger'), notary },
      { wallet },
    )
    expect(codeOf(stranger)).toEqual([422, 'wallet_unbound'])
    for (const title of [kept, taken]) {
      const sold = await until(
        () => nation.transfer(title, { seller, buyer, notary }, { wallet }),
        answer => answer.body['code'] !== 'wallet_unbound',
      )
      expect(codeOf(sold)).toEqual([200, undefined])
    }
    const at = `${path}/titles/${taken.id}`
    const order = { reference: 'HC-3', authority: 'High Court', madeOn: dayAt(-1), documentSha256: 'ab'.repeat(32) }
    await officer.call('POST', `${at}/orders`, { kind: 'court-order', order, legalBasis })
    const { owners, wallet: where } = (await officer.call('GET', `${at}/full`)).body as unknown as {
      owners: { party: { id: string } }[]
      wallet: string
    }
    expect(where).toBe(wallet.toLowerCase())
    const executed = await officer.call('POST', `${at}/orders/execution`, {
      ...{ version: 3, order, from: owners[0]?.party.id, to: nation.as(seller), share: share(1, 1), legalBasis },
    })
    expect(codeOf(executed)).toEqual([200, undefined])
    expect((await officer.call('GET', `${at}/full`)).body['wallet']).toBeNull()
  }, 120_000)

  it('has the same on chain as in the register', async () => {
    const port = new URL(service.url).port
    await service.stop()
    const { status, stdout, stderr } = spawnSync(process.execPath, ['src/commands.ts', 'reconcile', registry], {
      ...{ cwd: root, encoding: 'utf8', timeout: 90_000 },
      env: { ...inherited(), DATA_DIR: folder.path, PORT: port, ...env },
    })
    expect({ status, stdout, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
  }, 120_000)
})
