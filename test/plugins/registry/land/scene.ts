import { createHash } from 'node:crypto'
import type { HolderCaller, ProvenCredential } from '../../../../src/kernel/gate.ts'
import { computedArea, type Geometry, parseGeometry } from '../../../../src/plugins/registry/land/geometry.ts'
import { newDid, type Office, officer } from '../world.ts'
import { rectangle } from './shapes.ts'

/** People and institutions before a land register, each as the gate hands them to an operation. */

export const register = 'land-titles'
export const legalBasis = 'Land Registration Act, s. 8'
export const identityIssuer = 'did:ethr:0x7a69:0x00000000000000000000000000000000000000aa'

const sha256 = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url')

type Shown = { type: string; claims: Record<string, unknown>; holder?: string; issuer?: string }

const proven = ({ type, claims, holder = newDid(), issuer = identityIssuer }: Shown): ProvenCredential => ({
  ...{ type, issuer, holder, holderKey: sha256(holder), claims, digest: sha256(claims) },
})

const callerOf = (matched: Record<string, ProvenCredential>): HolderCaller => {
  const credentials = Object.values(matched)
  const actor = credentials[0]?.holder ?? newDid()
  return {
    ...{ kind: 'holder', id: actor, actor, principal: actor, mandates: [], credentials, matched },
    proof: 'presentation',
  }
}

/** Somebody who plays a part in an act, with a key of their own. */
export type Player = { as(role: string): HolderCaller; holder: string }

export const person = (name: string, shows: { pseudonym?: string; number?: false; holder?: string } = {}): Player => {
  const holder = shows.holder ?? newDid()
  const claims = {
    ...{ familyName: name, givenName: 'Robin' },
    ...(shows.number !== false && { personalAdministrativeNumber: `N-${name}` }),
    ...(shows.pseudonym !== undefined && { pseudonym: { domain: `register:${register}`, value: shows.pseudonym } }),
  }
  const query = shows.pseudonym === undefined ? 'Person' : 'Pseudonym'
  return {
    holder,
    as: role => callerOf({ [`${role}${query}`]: proven({ type: 'NationalIdentity', claims, holder }) }),
  }
}

/** As an officer names the same person. */
export const named = (name: string) => ({
  person: { familyName: name, givenName: 'Robin', issuer: identityIssuer, personalAdministrativeNumber: `N-${name}` },
})

export const company = (registrationNumber: string, holder = newDid(), issuer = identityIssuer): Player => ({
  holder,
  as: role =>
    callerOf({
      [`${role}Company`]: proven({
        ...{ type: 'CompanyMandate', holder, issuer },
        claims: { company: { registrationNumber, legalName: `Company ${registrationNumber}` } },
      }),
    }),
})

export const bank = (registrationNumber: string, code = '64.19', holder = newDid()): Player => ({
  holder,
  as: role =>
    callerOf({
      [`${role}OwnLicence`]: proven({
        ...{ type: 'BusinessLicence', holder },
        claims: {
          ...{ registrationNumber, legalName: `Bank ${registrationNumber}`, licenceClass: 'credit-institution' },
          activities: [{ scheme: 'NACE-2.1', code }],
        },
      }),
    }),
})

export const notary: Player = (() => {
  const holder = newDid()
  const claims = { profession: 'notary', scopeOfPractice: ['conveyancing'], registerNumber: 'NOT-00382' }
  return { holder, as: () => callerOf({ notary: proven({ type: 'ProfessionalLicence', claims, holder }) }) }
})()

export const registrar = (): HolderCaller => officer('LR-0417', register)

/** A joint act, as the gate makes its caller. */
export const joint = (parties: Record<string, Player>): HolderCaller => {
  const each = Object.fromEntries(Object.entries(parties).map(([role, player]) => [role, player.as(role)]))
  const [first] = Object.values(each)
  if (first === undefined) throw new Error('a joint act has parties')
  return { ...first, parties: each }
}

export type TitleBody = {
  id: string
  number: string
  state: string
  version: number
  token: string
  parcels: { id: string; parcelNumber: string; legalAreaSquareCentimetres: string; geometry?: Geometry }[]
  legalAreaSquareCentimetres: string
  encumbrances: { id: string; kind: string; rank?: number }[]
  predecessors?: string[]
  successors?: string[]
  mortgage: string
  order: string
  interest: string
  rank: number
}

export const call = async <Body = TitleBody>(
  office: Office,
  caller: HolderCaller,
  operation: string,
  body?: unknown,
  params: Record<string, string> = {},
  key?: string,
): Promise<Body> => {
  const how = { caller, params: { register, ...params }, ...(key !== undefined && { key }) }
  return (await office.call(operation, body, how)).body as Body
}

export const areaOf = (geometry: Geometry): bigint => computedArea(parseGeometry(geometry))

export const parcel = (parcelNumber: string, geometry: Geometry, area = areaOf(geometry)) => ({
  ...{ parcelNumber, geometry, legalAreaSquareCentimetres: String(area) },
})

export const share = (numerator: number | bigint, denominator: number | bigint) => ({
  numerator: String(numerator),
  denominator: String(denominator),
})

const plots = new WeakMap<Office, number>()

/** A plot of land beside all those before it. */
export const nextPlot = (office: Office): { number: string; west: number } => {
  const at = plots.get(office) ?? 0
  plots.set(office, at + 1)
  return { number: `P-${at + 1}`, west: at * 20_000 }
}

export const side = 8_000

/** Land of about eight hundred square metres, registered for these owners. */
export const registered = (
  office: Office,
  owners: readonly { of: unknown; share: ReturnType<typeof share> }[],
  more: Record<string, unknown> = {},
): Promise<TitleBody & { west: number }> => {
  const { number, west } = nextPlot(office)
  const parcels = [parcel(number, rectangle(west, 0, west + side, side))]
  const body = { fields: { cadastralDistrict: 'Northshore 17' }, parcels, owners, legalBasis, ...more }
  return call(office, registrar(), 'registerTitle', body).then(title => ({ ...title, west }))
}

export const ownedBy = (office: Office, name: string): Promise<TitleBody & { west: number }> =>
  registered(office, [{ of: named(name), share: share(1, 1) }])

type Full = TitleBody & {
  owners: { party: { id: string; name: Record<string, string> }; share: ReturnType<typeof share> }[]
  interests: { id: string; party?: { id: string; name: Record<string, string> }; terms: Record<string, unknown> }[]
  wallet: string | null
}

export const full = (office: Office, title: string, caller = registrar()): Promise<Full> =>
  call<Full>(office, caller, 'getFullTitle', undefined, { title })

/** Family names, or registration numbers, with what they own. */
export const ownersOf = async (office: Office, title: string): Promise<Record<string, string>> => {
  const { owners } = await full(office, title)
  return Object.fromEntries(
    owners.map(({ party, share: { numerator, denominator } }) => [
      party.name['familyName'] ?? party.name['registrationNumber'],
      `${numerator}/${denominator}`,
    ]),
  )
}

export const partyId = async (office: Office, title: string, familyName: string): Promise<string> =>
  (await full(office, title)).owners.find(({ party }) => party.name['familyName'] === familyName)?.party.id ?? ''

export const price = { amountMinor: '25000000', currency: 'XNC' }

export type Deed = { seller: Player; buyer: Player; notary?: Player }

export const deedBody = (title: Pick<TitleBody, 'version' | 'encumbrances'>, more: Record<string, unknown> = {}) => ({
  ...{
    version: title.version,
    share: share(1, 1),
    price,
    consents: title.encumbrances.map(({ id }) => id),
    legalBasis,
  },
  ...more,
})

export const transfer = (
  office: Office,
  title: Pick<TitleBody, 'id' | 'version' | 'encumbrances'>,
  { seller, buyer, notary: before = notary }: Deed,
  more: Record<string, unknown> = {},
  key?: string,
): Promise<TitleBody> =>
  call(
    office,
    joint({ seller, buyer, notary: before }),
    'transferTitle',
    deedBody(title, more),
    { title: title.id },
    key,
  )

export const order = (reference = 'HC-2026-17') => ({
  ...{ reference, authority: 'High Court', madeOn: '2026-05-20', documentSha256: 'ab'.repeat(32) },
})
export const survey = { reference: 'S-2026-3', documentSha256: 'cd'.repeat(32) }
export const amount = { amountMinor: '10000000', currency: 'XNC' }

export const mortgage = (
  office: Office,
  title: Pick<TitleBody, 'id' | 'version'>,
  parties: { lender: Player; owner: Player },
  more: Record<string, unknown> = {},
): Promise<TitleBody> =>
  call(
    office,
    joint({ ...parties, notary }),
    'registerMortgage',
    { version: title.version, amount, legalBasis, ...more },
    { title: title.id },
  )

export const lodge = (office: Office, title: string, more: Record<string, unknown> = {}): Promise<TitleBody> =>
  call(office, registrar(), 'lodgeCaveat', { kind: 'court-order', order: order(), legalBasis, ...more }, { title })
