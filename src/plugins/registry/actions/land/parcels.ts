import type { Row, Tx } from '../../../../kernel/ports.ts'
import { cellOf, cellRanges } from '../../land/cells.ts'
import { geometryInvalid, parcelNumberTaken, parcelOverlaps } from '../../land/errors.ts'
import {
  assertArea,
  assertFew,
  assertPlain,
  assertWide,
  boxOfRegion,
  type Geometry,
  geoJson,
  overlaps,
  parseGeometry,
  type Region,
  storedRegion,
} from '../../land/geometry.ts'
import type { Box } from '../../land/planar.ts'
import type { LandDesk } from './desk.ts'
import type { Reads } from './parties.ts'

/**
 * LA_SpatialUnit of ISO 19152; `area` is the legal one in square centimetres. It never changes: others take its place.
 */
export type Parcel = { id: string; number: string; region: Region; area: bigint }

export type ParcelInput = { parcelNumber: string; geometry: Geometry; legalAreaSquareCentimetres: string }

/**
 * A parcel as it was surveyed, with an id.
 * @throws Refusal geometry_invalid, area_mismatch
 */
const surveyed = (desk: LandDesk, input: ParcelInput): Parcel => {
  const region = parseGeometry(input.geometry)
  assertWide(region)
  const area = BigInt(input.legalAreaSquareCentimetres)
  assertArea(region, area)
  return { id: desk.newId(), number: input.parcelNumber, region, area }
}

/**
 * All parcels of one act.
 * @param gone those whose place they take.
 * @throws Refusal geometry_too_large, geometry_tangled, geometry_invalid, area_mismatch
 */
export const surveyedTogether = (
  desk: LandDesk,
  inputs: readonly ParcelInput[],
  gone: readonly Parcel[] = [],
): Parcel[] => {
  const before = gone.map(({ region }) => region)
  assertFew(
    inputs.map(({ geometry }) => geometry),
    before,
  )
  const parcels = inputs.map(input => surveyed(desk, input))
  assertPlain([...parcels.map(({ region }) => region), ...before])
  return parcels
}

type ParcelRow = Row & { id: string; number: string; geometry: string; area: string }

const parcelOf = ({ id, number, geometry, area }: ParcelRow): Parcel => ({
  ...{ id, number, area: BigInt(area) },
  region: storedRegion(JSON.parse(geometry) as Geometry),
})

const columns = 'id, number, geometry, cast(area AS text) AS area'

/** All that a title has or, if it is closed, had. */
export const parcelsOf = async (reads: Reads, title: string): Promise<Parcel[]> => {
  const rows = await reads<ParcelRow>(`SELECT ${columns} FROM land_parcels WHERE title = ? ORDER BY id`, [title])
  return rows.map(parcelOf)
}

/**
 * Holds the register's map for the rest of the act: two acts that lay parcels on it come one after the other, and the
 * second sees what the first laid. Lock it before any title.
 */
export const lockMap = async (tx: Tx, register: string, parcels: number): Promise<void> => {
  const sql = `INSERT INTO land_heads (register, parcels) VALUES (?, ?)
    ON CONFLICT (register) DO UPDATE SET parcels = land_heads.parcels + excluded.parcels RETURNING parcels`
  await tx.query(sql, [register, parcels])
}

/** Where a page of parcels ended, in the order of the index. */
export type MapPlace = { level: number; cellX: number; cellY: number; id: string }

export type MapRow = Row & {
  id: string
  title: string
  number: string
  geometry: string
  area: string
  level: number
  cell_x: number
  cell_y: number
}

/** Of one level. */
const levelSql = (onwards: boolean): string =>
  `SELECT id, title, number, geometry, cast(area AS text) AS area, level, cell_x, cell_y FROM land_parcels
    WHERE register = ? AND retired_at IS NULL AND level = ? AND cell_x BETWEEN ? AND ? AND cell_y BETWEEN ? AND ?
      AND west <= ? AND east >= ? AND south <= ? AND north >= ? ${onwards ? 'AND (cell_x, cell_y, id) > (?, ?, ?)' : ''}
    ORDER BY cell_x, cell_y, id LIMIT ?`

/**
 * Parcels in force whose boxes meet this one, in the order of the index of cells, so that a page costs what it holds
 * and not what the box does.
 */
export const parcelsIn = async (
  reads: Reads,
  register: string,
  box: Box,
  { after, limit }: { after?: MapPlace | undefined; limit: number },
): Promise<MapRow[]> => {
  const found: MapRow[] = []
  for (const { level, fromX, toX, fromY, toY } of cellRanges(box)) {
    if (found.length >= limit) break
    if (after !== undefined && level < after.level) continue
    const onwards = after?.level === level ? after : undefined
    const rows = await reads<MapRow>(levelSql(onwards !== undefined), [
      ...[register, level, Math.max(fromX, onwards?.cellX ?? fromX), toX, fromY, toY],
      ...[box.east, box.west, box.north, box.south],
      ...(onwards === undefined ? [] : [onwards.cellX, onwards.cellY, onwards.id]),
      limit - found.length,
    ])
    found.push(...rows)
  }
  return found
}

export const placeOf = ({ level, cell_x, cell_y, id }: MapRow): MapPlace => ({
  level,
  cellX: cell_x,
  cellY: cell_y,
  id,
})

const page = 100
const overlapsNamed = 20

const overlapping = async (
  tx: Tx,
  register: string,
  region: Region,
  except: ReadonlySet<string>,
): Promise<string[]> => {
  const found: string[] = []
  const box = boxOfRegion(region)
  let after: MapPlace | undefined
  for (;;) {
    const rows = await parcelsIn(tx.query, register, box, { after, limit: page })
    for (const row of rows) {
      if (!except.has(row.id) && overlaps(region, parcelOf(row).region)) found.push(row.id)
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < page || found.length >= overlapsNamed) return found.slice(0, overlapsNamed)
    after = placeOf(last)
  }
}

/**
 * May these parcels be laid on the map, which is locked, when those in `except` are taken off it?
 * @throws Refusal parcel_number_taken, geometry_invalid, parcel_overlaps
 */
export const assertFree = async (
  tx: Tx,
  register: string,
  parcels: readonly Parcel[],
  except: readonly Parcel[] = [],
): Promise<void> => {
  const numbers = parcels.map(({ number }) => number)
  const repeated = numbers.find((number, at) => numbers.indexOf(number) !== at)
  if (repeated !== undefined) throw parcelNumberTaken(repeated)
  const marks = numbers.map(() => '?').join(', ')
  const taken = await tx.query<Row & { number: string }>(
    `SELECT number FROM land_parcels WHERE register = ? AND number IN (${marks}) LIMIT 1`,
    [register, ...numbers],
  )
  if (taken[0] !== undefined) throw parcelNumberTaken(taken[0].number)
  for (const [at, { region }] of parcels.entries()) {
    const others = parcels.filter((other, index) => index > at && overlaps(region, other.region))
    if (others.length > 0) throw geometryInvalid('two of the parcels that are to be registered overlap')
  }
  const gone = new Set(except.map(({ id }) => id))
  const found = new Set<string>()
  for (const { region } of parcels) {
    for (const id of await overlapping(tx, register, region, gone)) found.add(id)
  }
  if (found.size > 0) throw parcelOverlaps([...found].slice(0, overlapsNamed))
}

/** Lays parcels on the map. */
export const enterParcels = (tx: Tx, register: string, title: string, parcels: readonly Parcel[], now: number): void =>
  tx.insert(
    'land_parcels',
    parcels.map(({ id, number, region, area }) => {
      const box = boxOfRegion(region)
      const { level, cellX, cellY } = cellOf(box)
      return {
        ...{ id, register, title, number, geometry: JSON.stringify(geoJson(region)), area: String(area) },
        ...{ level, cell_x: cellX, cell_y: cellY, ...box, registered_at: now, retired_at: null },
      }
    }),
  )

/** Takes a closed title's parcels off the map. */
export const retireParcels = async (tx: Tx, title: string, now: number): Promise<void> => {
  await tx.query('UPDATE land_parcels SET retired_at = ? WHERE title = ? AND retired_at IS NULL', [now, title])
}
