import { disclose } from '../../../../kernel/disclose.ts'
import { holderOf } from '../../../../kernel/gate.ts'
import { cursorMalformed } from '../../../../kernel/pages.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { publicFields } from '../../extract.ts'
import { boxInvalid, titlePartyOnly } from '../../land/errors.ts'
import { geoJson, unitsPerDegree } from '../../land/geometry.ts'
import type { Box } from '../../land/planar.ts'
import { landRequirements, parcelsAPage, roleQueries, searchExtentMost } from '../../land/policy.ts'
import { shareText } from '../../land/shares.ts'
import { momentOf } from '../read-entries.ts'
import { type LandDesk, landRegister } from './desk.ts'
import { type MapPlace, parcelsIn, placeOf } from './parcels.ts'
import { identified, identifiedLender, knownParty, partyViews } from './parties.ts'
import { titleAt } from './past.ts'
import { standingTitle, type Title, titleView } from './titles.ts'

/**
 * What everybody may read of a title: land, area, kinds of encumbrances with their orders; neither owners nor amounts.
 */
const publicView = (desk: LandDesk, title: Title) => {
  const { entry, parcels } = title
  const { parcels: listed, ...view } = titleView(title)
  const shapes = new Map(parcels.map(({ id, region }) => [id, geoJson(region)]))
  return {
    ...view,
    issuer: desk.did,
    fields: publicFields(desk.register(entry.register), entry.fields),
    parcels: listed.map(parcel => ({ ...parcel, geometry: shapes.get(parcel.id) })),
    ...{ commitment: entry.commitment, changed: new Date(entry.changedAt).toISOString() },
  }
}

/** For everybody, now or as it stood. */
export const getTitle = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const at = momentOf(desk, context.query['at'])
  const title = await titleAt(desk, context.params['title'] ?? '', at, register.name)
  return { status: 200, body: publicView(desk, title) }
}

const fullView = async (desk: LandDesk, title: Title) => {
  const { entry, owners, interests } = title
  const ids = [...owners.map(({ party }) => party), ...interests.flatMap(({ party }) => party ?? [])]
  const parties = await partyViews(desk.house.store.read, [...new Set(ids)])
  return {
    ...publicView(desk, title),
    ...{ fields: entry.fields, legalBasis: entry.legalBasis, wallet: entry.wallet },
    owners: owners.map(({ party, share }) => ({ party: parties.get(party), share: shareText(share) })),
    interests: interests.map(({ party, registeredAt, ...interest }) => ({
      ...interest,
      ...(party !== null && { party: parties.get(party) }),
      registered: new Date(registeredAt).toISOString(),
    })),
  }
}

/**
 * Officers and notaries; of others, those who own a share or for whom something lies on the title. @throws Refusal
 * title_party_only
 */
const assertEntitled = async (desk: LandDesk, context: Context, { entry, owners, interests }: Title): Promise<void> => {
  const caller = holderOf(context.caller)
  const { matched } = caller
  if (matched['officer'] !== undefined || matched['notary'] !== undefined) return
  const { licence, mandate, ownLicence } = roleQueries
  const lends = [licence, mandate, ownLicence].some(query => matched[query('lender')] !== undefined)
  const who = lends ? identifiedLender(caller, 'lender') : identified(desk, entry.register, caller, 'reader')
  const party = await knownParty(desk.house.store.read, entry.register, who)
  const concerned = [...owners, ...interests].some(each => party !== undefined && each.party === party)
  if (!concerned) throw titlePartyOnly()
}

/**
 * Now or as it stood. Who may read it is for the title as it is today: who has sold it reads no more of what was before,
 * and the owner reads how it came to be theirs.
 */
export const getFullTitle = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const id = context.params['title'] ?? ''
  const at = momentOf(desk, context.query['at'])
  const body = await disclose(desk.house, {
    operation: 'getFullTitle',
    requires: landRequirements.reader(register),
    caller: context.caller,
    input: { register: register.name, title: id, ...context.query },
    read: async () => {
      const title = await standingTitle(desk, id, register.name)
      await assertEntitled(desk, context, title)
      return fullView(desk, at === undefined ? title : await titleAt(desk, id, at, register.name))
    },
  })
  return { status: 200, body }
}

const decimal = /^-?[0-9]{1,3}(\.[0-9]{1,7})?$/

/** @throws Refusal box_invalid */
const boxOf = (bbox: string): Box => {
  const parts = bbox.split(',')
  if (parts.length !== 4 || !parts.every(part => decimal.test(part))) throw boxInvalid()
  const [west = 0, south = 0, east = 0, north = 0] = parts.map(part => Math.round(Number(part) * unitsPerDegree))
  const most = searchExtentMost * unitsPerDegree
  const ordered = west <= east && south <= north && east - west <= most && north - south <= most
  if (!ordered || Math.max(-west, east) > 180 * unitsPerDegree || Math.max(-south, north) > 90 * unitsPerDegree) {
    throw boxInvalid()
  }
  return { west, south, east, north }
}

const cursorOf = ({ level, cellX, cellY, id }: MapPlace): string => `${level}.${cellX}.${cellY}.${id}`

const cursor = /^([0-9]{1,2})\.(-?[0-9]{1,8})\.(-?[0-9]{1,8})\.([0-9a-f-]{36})$/

/** @throws Refusal cursor_malformed */
const placeAfter = (after: string | undefined): MapPlace | undefined => {
  if (after === undefined) return undefined
  const [, level, cellX, cellY, id] = cursor.exec(after) ?? []
  if (id === undefined) throw cursorMalformed()
  return { level: Number(level), cellX: Number(cellX), cellY: Number(cellY), id }
}

/** Parcels in force whose boxes meet a box, as a FeatureCollection (RFC 7946), a page at a time. */
export const listParcels = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const { bbox = '', after, limit } = context.query
  const most = Math.min(limit === undefined ? parcelsAPage : Number(limit), parcelsAPage)
  const wanted = { after: placeAfter(after), limit: most + 1 }
  const rows = await parcelsIn(desk.house.store.read, register.name, boxOf(bbox), wanted)
  const page = rows.slice(0, most)
  const features = page.map(({ id, title, number, geometry, area }) => ({
    ...{ type: 'Feature', id, geometry: JSON.parse(geometry) as unknown },
    properties: { title, parcelNumber: number, legalAreaSquareCentimetres: area },
  }))
  const last = rows.length > most ? page.at(-1) : undefined
  return {
    status: 200,
    body: { type: 'FeatureCollection', features, ...(last !== undefined && { next: cursorOf(placeOf(last)) }) },
  }
}
