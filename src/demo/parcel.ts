import { generateKeyPairSync, randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { didJwkOf } from '../identity/did-local.ts'
import { openJws } from '../identity/formats/jose.ts'
import { computedArea, parseGeometry } from '../plugins/registry/land/geometry.ts'
import type { Person } from './people.ts'
import { type Desk, recordSeconds } from './terminal.ts'
import { type Holder, openSession, signTogether } from './wallet.ts'
import { ask } from './wire.ts'

/** Land against money, as its parties do it. */

const register = 'land-titles'
const path = `/registry/registers/${register}`
const legalBasis = 'Land Registration Act, s. 8'
const whole = { numerator: '1', denominator: '1' }

/** Somebody with a fresh key to whom an agency issues a credential. */
const appoint = async (
  { issue }: Desk,
  agency: string,
  type: string,
  claims: Record<string, unknown>,
): Promise<Holder> => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const did = didJwkOf({ jwk: publicKey.export({ format: 'jwk' }) })
  return {
    did,
    key: privateKey.export({ format: 'jwk' }),
    credential: await issue(agency, type, { id: did, ...claims }),
  }
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
const yearMs = 365 * 86_400_000

const identityOf = async ({ issue, clock }: Desk, person: Person): Promise<Holder> => {
  const { did, key, givenName, familyName, nationalId } = person
  const now = clock.now()
  const credential = await issue('root-authority', 'NationalIdentity', {
    ...{ id: did, familyName, givenName, personalAdministrativeNumber: nationalId, birthDate: '1986-04-11' },
    ...{ ageOver18: true, nationalities: ['XN'], issuingCountry: 'XN', issuingAuthority: 'Civil Registry' },
    ...{ issueDate: dayOf(now), expiryDate: dayOf(now + 9 * yearMs) },
  })
  return { did, key, credential }
}

const issuerOf = ({ credential }: Holder): string => String(openJws(credential.split('~')[0] ?? '').payload['iss'])

/** A square of 80 m somewhere in a district that is nobody's yet. */
const somePlot = () => {
  const [west, south] = [30_000_000 + randomInt(20_000) * 10_000, 400_000_000 + randomInt(4_000) * 10_000]
  const corner = (x: number, y: number) => [(west + x) / 1e7, (south + y) / 1e7]
  const ring = [corner(0, 0), corner(8_000, 0), corner(8_000, 8_000), corner(0, 8_000), corner(0, 0)]
  const geometry = { type: 'Polygon', coordinates: [ring] }
  return { geometry, legalAreaSquareCentimetres: String(computedArea(parseGeometry(geometry))) }
}

type Title = { id: string; version: number }

/** First registration, by an officer of the land registry. */
const enterParcel = async (desk: Desk, url: string, owner: Person, identity: Holder): Promise<Title> => {
  const { familyName, givenName, nationalId: personalAdministrativeNumber } = owner
  const now = desk.clock.now()
  const registrar = await appoint(desk, 'land-registry', 'PublicOfficer', {
    ...{ givenName: 'Signe', familyName: 'Holm', officerNumber: 'LR-7', office: 'Registrar', jurisdiction: 'XN' },
    ...{ competences: [`registry:${register}:decide`, `registry:${register}:amend`], startsOn: dayOf(now) },
    ...{ authority: { name: 'Land Registry' }, legalBasis },
  })
  const session = await openSession(url, registrar, [], desk.clock)
  const body = {
    fields: { cadastralDistrict: 'Northshore 17' },
    parcels: [{ parcelNumber: `NS-${randomInt(1e9)}`, ...somePlot() }],
    owners: [
      {
        of: { person: { familyName, givenName, personalAdministrativeNumber, issuer: issuerOf(identity) } },
        share: whole,
      },
    ],
    legalBasis,
  }
  const { body: title } = await session({ path: `${path}/titles`, body })
  return title as unknown as Title
}

/** The buyer reserves the price: irrevocable until it expires, decided by the land registry. @returns its number */
const reservePrice = async (desk: Desk, url: string, { seller, buyer, price }: Sale): Promise<number> => {
  const { body: terms } = await ask(url, { path: '/registry/payment-terms', method: 'GET' })
  const { nonce } = await desk.account(buyer)
  const seconds = Math.floor(desk.clock.now() / 1_000)
  const record = await desk.sign(buyer, {
    ...{ kind: 'reserve', from: buyer.account ?? 0, to: seller.account ?? 0, currency: Number(terms['currency']) },
    ...{ amount: price, fee: 0, expiry: seconds + 86_400, lockHash: '0'.repeat(64) },
    ...{ arbiter: Number(terms['arbiter']), nonce, validUntil: seconds + recordSeconds },
  })
  const session = await desk.session(buyer)
  const { body } = await session({ path: '/cbdc/records', body: { records: [record] } })
  const [entered] = body['entries'] as { reservation: number }[]
  return Number(entered?.reservation)
}

const collectingMs = 15_000

/** The registry collects the price by itself once the deed stands. */
const paid = async (desk: Desk, buyer: Person, reservation: number): Promise<boolean> => {
  const session = await desk.session(buyer)
  const end = desk.clock.now() + collectingMs
  while (desk.clock.now() < end) {
    const { body } = await session({ path: `/cbdc/views/customer/reservations/${reservation}`, method: 'GET' })
    if (body['state'] === 'posted') return true
    await wait(250)
  }
  return false
}

export type Sale = { seller: Person; buyer: Person; price: bigint }

/** @throws Refused */
export const sellParcel = async (desk: Desk, sale: Sale): Promise<void> => {
  const { seller, buyer, price } = sale
  const { out, clock, money } = desk
  const url = `${desk.origin}/land-registry`
  const [sells, buys] = [await identityOf(desk, seller), await identityOf(desk, buyer)]
  const title = await enterParcel(desk, url, seller, sells)
  out(`the land registry enters a parcel of ${seller.name}'s`)
  const reservation = await reservePrice(desk, url, sale)
  out(`${buyer.name} reserves ${money(price)} for ${seller.name}, to be decided by the land registry`)
  const notary = await appoint(desk, 'business-registry', 'ProfessionalLicence', {
    ...{ givenName: 'Elin', familyName: 'Lindqvist', profession: 'notary', registerNumber: 'NOT-00382' },
    ...{ professionalBody: { name: 'Chamber of Notaries' }, scopeOfPractice: ['conveyancing'], jurisdiction: 'XN' },
    ...{ admittedOn: dayOf(clock.now()), expiryDate: dayOf(clock.now() + yearMs) },
  })
  const shown = ['familyName', 'givenName', 'personalAdministrativeNumber']
  const act = {
    ...{ operation: 'transferTitle', params: { register, title: title.id } },
    body: {
      ...{ version: title.version, share: whole, consents: [], legalBasis },
      price: { amountMinor: String(price), currency: desk.currency.code },
      payment: { reference: String(reservation), payeeAccount: seller.account },
    },
  }
  const parts = {
    seller: { holder: sells, claims: shown },
    buyer: { holder: buys, claims: shown },
    notary: { holder: notary, claims: ['familyName', 'givenName', 'registerNumber'] },
  }
  await ask(url, { path: `${path}/titles/${title.id}/transfer`, body: await signTogether(url, act, parts, clock) })
  out(`seller, buyer and notary sign; the title is ${buyer.name}'s`)
  const isPaid = await paid(desk, buyer, reservation)
  out(
    isPaid ? `${seller.name} has ${money((await desk.account(seller)).balance)}` : 'the price is still being collected',
  )
}
