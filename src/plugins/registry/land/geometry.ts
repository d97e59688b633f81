import polygonClipping, { type MultiPolygon as Clipped } from 'polygon-clipping'
import { canonical } from '../../../kernel/canonical.ts'
import {
  areaMismatch,
  geometryInvalid,
  geometryTangled,
  geometryTooLarge,
  splitAreaMismatch,
  splitOutsideParent,
  splitOverlaps,
} from './errors.ts'
import {
  type Box,
  borderOf,
  boxesMeet,
  boxOf,
  crossesItself,
  crossingsOf,
  doubleArea,
  type Edge,
  edgesOf,
  type Point,
  type Polygon,
  placeInRing,
  type Ring,
  relationOf,
  ringsOf,
  squareDistance,
  sweptPairs,
} from './planar.ts'

/** RFC 7946 positions of longitude and latitude, WGS 84, in degrees. */
export type Position = readonly [number, number]
export type Geometry =
  | { type: 'Polygon'; coordinates: readonly (readonly Position[])[] }
  | { type: 'MultiPolygon'; coordinates: readonly (readonly (readonly Position[])[])[] }

/** The surface of a LA_SpatialUnit, on a grid of 1e-7 degree (about a centimetre). Polygons do not overlap. */
export type Region = readonly Polygon[]

export const unitsPerDegree = 10_000_000
export const verticesMost = 2_000
/** Of one polygon, in degrees. */
export const extentMost = 10
export const polygonsMost = 64
/**
 * Of all that one act lays on the map and takes off it: what is compared with each other, while all other requests wait,
 * takes less than half a second.
 */
export const positionsMost = 6_000
const pairsMost = 1_500_000

/**
 * Positions are rounded to the grid, so two drawings of one border may lie apart by the diagonal of a cell. What is
 * thinner than this, in units of the grid, is no overlap, no gap, and nothing outside.
 */
export const snapUnits = 2

const outsideRange = (x: number, y: number): boolean =>
  Math.abs(x) > 180 * unitsPerDegree || Math.abs(y) > 90 * unitsPerDegree

/** Exact: the double nearest to a decimal of seven places is the one that the division gives. */
const gridOf = (degrees: unknown): number => {
  if (typeof degrees !== 'number' || !Number.isFinite(degrees)) throw geometryInvalid('a coordinate is not a number')
  if (Math.abs(degrees) > 360) throw geometryInvalid('a coordinate is out of range')
  const units = Math.round(degrees * unitsPerDegree)
  if (units / unitsPerDegree !== degrees) throw geometryInvalid('a coordinate has more than seven decimals')
  return units
}

const pointOf = (position: unknown): Point => {
  if (!Array.isArray(position) || position.length !== 2) {
    throw geometryInvalid('a position is not longitude and latitude alone')
  }
  const point = { x: gridOf(position[0]), y: gridOf(position[1]) }
  if (outsideRange(point.x, point.y)) throw geometryInvalid('a coordinate is out of range')
  return point
}

/** From its south-western-most point, so that one ring has one form. */
const rotated = (ring: Ring): Ring => {
  const before = (a: Point, b: Point): boolean => a.x < b.x || (a.x === b.x && a.y < b.y)
  const first = ring.reduce((least, point, at) => (before(point, ring[least] as Point) ? at : least), 0)
  return [...ring.slice(first), ...ring.slice(0, first)]
}

const turned = (ring: Ring, direction: 1 | -1): Ring => {
  const area = doubleArea(ring)
  if (area === 0n) throw geometryInvalid('a ring has no area')
  return rotated(area > 0n === direction > 0 ? ring : [...ring].reverse())
}

const parseRing = (positions: unknown): Ring => {
  if (!Array.isArray(positions) || positions.length < 4) throw geometryInvalid('a ring has fewer than four positions')
  if (positions.length > verticesMost + 1) throw geometryInvalid(`it has more than ${verticesMost} vertices`)
  const points = positions.map(pointOf)
  const [first, last] = [points[0] as Point, points.at(-1) as Point]
  if (first.x !== last.x || first.y !== last.y) throw geometryInvalid('a ring is not closed')
  const ring = points.slice(0, -1)
  if (edgesOf(ring).some(({ from, to }) => from.x === to.x && from.y === to.y)) {
    throw geometryInvalid('a position is repeated')
  }
  return ring
}

const parsePolygon = (rings: unknown): Polygon => {
  if (!Array.isArray(rings) || rings.length === 0) throw geometryInvalid('a polygon has no ring')
  if (rings.length > verticesMost / 3) throw geometryInvalid(`it has more than ${verticesMost} vertices`)
  const [first, ...others] = rings.map(parseRing)
  const outer = turned(first as Ring, 1)
  const box = boxOf(outer)
  if (Math.max(box.east - box.west, box.north - box.south) > extentMost * unitsPerDegree) {
    throw geometryInvalid(`a polygon is wider than ${extentMost} degrees`)
  }
  const holes = others.map(ring => turned(ring, -1))
  return { outer, holes }
}

/** @throws Refusal geometry_invalid */
const assertSimple = (polygon: Polygon): void => {
  if (crossesItself(ringsOf(polygon))) throw geometryInvalid('its border crosses or touches itself')
  for (const [at, hole] of polygon.holes.entries()) {
    const corner = hole[0] as Point
    if (placeInRing(corner, polygon.outer) !== 'inside') throw geometryInvalid('a hole lies outside its polygon')
    const nested = polygon.holes.some((other, index) => index !== at && placeInRing(corner, other) === 'inside')
    if (nested) throw geometryInvalid('a hole lies in another')
  }
}

const least = (polygon: Polygon): Point => polygon.outer[0] as Point

/**
 * Reads a Polygon or MultiPolygon of RFC 7946: closed rings that neither cross nor touch themselves or one another,
 * holes inside, polygons that meet in points at most, at most `verticesMost` vertices, two coordinates of at most seven
 * decimals.
 * @throws Refusal geometry_invalid with what is wrong
 */
export const parseGeometry = (value: unknown): Region => {
  if (typeof value !== 'object' || value === null) throw geometryInvalid('it is not a GeoJSON geometry')
  const { type, coordinates } = value as { type?: unknown; coordinates?: unknown }
  if (type !== 'Polygon' && type !== 'MultiPolygon') throw geometryInvalid('it is neither a Polygon nor a MultiPolygon')
  const parts = type === 'Polygon' ? [coordinates] : coordinates
  if (!Array.isArray(parts) || parts.length === 0) throw geometryInvalid('it has no polygon')
  if (parts.length > polygonsMost) throw geometryInvalid(`it has more than ${polygonsMost} polygons`)
  const polygons = parts.map(parsePolygon)
  if (polygons.reduce((sum, polygon) => sum + borderOf(polygon).length, 0) > verticesMost) {
    throw geometryInvalid(`it has more than ${verticesMost} vertices`)
  }
  polygons.forEach(assertSimple)
  for (const [at, polygon] of polygons.entries()) {
    for (const other of polygons.slice(at + 1)) {
      const relation = relationOf(polygon, other)
      if (relation === 'overlapping') throw geometryInvalid('two of its polygons overlap')
      if (relation === 'bordering') throw geometryInvalid('two of its polygons share a border and should be one')
    }
  }
  return polygons.sort((a, b) => least(a).x - least(b).x || least(a).y - least(b).y)
}

/** A geometry as `geoJson` wrote it: it was judged when it was registered, and is not judged at every reading. */
export const storedRegion = ({ type, coordinates }: Geometry): Region => {
  const unitsOf = (degrees: number): number => Math.round(degrees * unitsPerDegree)
  const ringOf = (ring: readonly Position[]): Ring =>
    ring.slice(0, -1).map(([longitude, latitude]) => ({ x: unitsOf(longitude), y: unitsOf(latitude) }))
  const polygons = type === 'Polygon' ? [coordinates] : coordinates
  return polygons.map(([outer = [], ...holes]) => ({ outer: ringOf(outer), holes: holes.map(ringOf) }))
}

const degreesOf = (ring: Ring): Position[] =>
  [...ring, ring[0] as Point].map(({ x, y }) => [x / unitsPerDegree, y / unitsPerDegree])

/** GeoJSON with rings by the right-hand rule (RFC 7946, 3.1.6). */
export const geoJson = (region: Region): Geometry => {
  const polygons = region.map(polygon => ringsOf(polygon).map(degreesOf))
  return polygons.length === 1
    ? { type: 'Polygon', coordinates: polygons[0] as Position[][] }
    : { type: 'MultiPolygon', coordinates: polygons }
}

const positionsIn = ({ type, coordinates }: Geometry): number => coordinates.flat(type === 'Polygon' ? 1 : 2).length

/**
 * Before anything of an act's geometry is read.
 * @param gone what the act takes off the map.
 * @throws Refusal geometry_too_large
 */
export const assertFew = (geometries: readonly Geometry[], gone: readonly Region[]): void => {
  const all = [...geometries, ...gone.map(geoJson)]
  const positions = all.reduce((sum, geometry) => sum + positionsIn(geometry), 0)
  if (positions > positionsMost) throw geometryTooLarge(positions, positionsMost)
}

/** Edges that run side by side across the land are each compared with all others. @throws Refusal geometry_tangled */
export const assertPlain = (regions: readonly Region[]): void => {
  if (sweptPairs(regions.flat()) > pairsMost) throw geometryTangled()
}

export const sameRegion = (a: Region, b: Region): boolean => canonical(a) === canonical(b)

export const boxOfRegion = (region: Region): Box => boxOf(region.flatMap(polygon => polygon.outer))

/** WGS 84. */
const equatorialRadius = 6_378_137
const eccentricity = Math.sqrt(0.00669437999014)
const radiansPerUnit = Math.PI / 180 / unitsPerDegree

/**
 * q of the authalic latitude: half the square of the equatorial radius times q is the area from the equator, a radian
 * wide.
 */
const authalic = (latitude: number): number => {
  const sine = Math.sin(latitude)
  const e = eccentricity
  return (1 - e * e) * (sine / (1 - e * e * sine * sine) + Math.atanh(e * sine) / e)
}

/** By Simpson's rule along edges that are straight in longitude and latitude, as RFC 7946 (3.1.1) has them. */
const ringSquareMetres = (ring: Ring): number => {
  const base = authalic((ring[0] as Point).y * radiansPerUnit)
  const height = (y: number): number => authalic(y * radiansPerUnit) - base
  const sum = edgesOf(ring).reduce((total, { from, to }) => {
    const mean = (height(from.y) + 4 * height((from.y + to.y) / 2) + height(to.y)) / 6
    return total + (to.x - from.x) * radiansPerUnit * mean
  }, 0)
  return (Math.abs(sum) * equatorialRadius ** 2) / 2
}

/** The area on the ellipsoid of WGS 84, in square centimetres. A measurement, not a legal area. */
export const computedArea = (region: Region): bigint => {
  const squareMetres = region.reduce(
    (sum, { outer, holes }) =>
      sum + ringSquareMetres(outer) - holes.reduce((inner, hole) => inner + ringSquareMetres(hole), 0),
    0,
  )
  return BigInt(Math.round(squareMetres * 10_000))
}

const centimetresPerUnit = equatorialRadius * radiansPerUnit * 100

/** Length of the border in centimetres, to within a percent. */
const borderCentimetres = (region: Region): number =>
  region
    .flatMap(borderOf)
    .reduce(
      (sum, { from, to }) =>
        sum +
        Math.hypot((to.x - from.x) * Math.cos(((from.y + to.y) / 2) * radiansPerUnit), to.y - from.y) *
          centimetresPerUnit,
      0,
    )

/**
 * Half a percent, for heights above the ellipsoid and map projections, and two centimetres along the border for the
 * grid.
 */
export const areaTolerance = (region: Region): bigint =>
  computedArea(region) / 200n + BigInt(Math.ceil(borderCentimetres(region) * 2))

/** @throws Refusal area_mismatch */
export const assertArea = (region: Region, legalArea: bigint): void => {
  const computed = computedArea(region)
  const difference = legalArea > computed ? legalArea - computed : computed - legalArea
  if (legalArea <= 0n || difference > areaTolerance(region)) throw areaMismatch(legalArea, computed)
}

const clipped = (region: Region, origin: Point): Clipped =>
  region.map(polygon =>
    ringsOf(polygon).map(ring => ring.map(({ x, y }): [number, number] => [x - origin.x, y - origin.y])),
  )

/** What two borders come to that were drawn twice, and no more: the work of cutting them up grows with it. */
const crossingsMost = 2_000

/** Runs the library around a common origin, where its doubles are finest; it throws on what it cannot resolve. */
const clip = (regions: readonly Region[], work: (parts: Clipped[]) => Clipped): Ring[][] => {
  if (crossingsOf(regions.flat(), crossingsMost) === crossingsMost) {
    throw geometryInvalid('it crosses its neighbours too often to be compared with them')
  }
  const box = boxOfRegion(regions.flat())
  const origin = { x: box.west, y: box.south }
  try {
    const result = work(regions.map(region => clipped(region, origin)))
    return result.map(rings =>
      rings.map(ring => ring.slice(0, -1).map(([x, y]) => ({ x: x + origin.x, y: y + origin.y }))),
    )
  } catch (cause) {
    throw geometryInvalid('it cannot be compared with its neighbours; draw it more simply', cause)
  }
}

const floatArea = (ring: Ring): number => {
  const origin = ring[0] ?? { x: 0, y: 0 }
  return edgesOf(ring).reduce(
    (sum, { from, to }) =>
      sum + ((from.x - origin.x) * (to.y - origin.y) - (to.x - origin.x) * (from.y - origin.y)) / 2,
    0,
  )
}

const lengthOf = ({ from, to }: Edge): number => Math.hypot(to.x - from.x, to.y - from.y)

/** No wider, on the whole, than two drawings of one border may lie apart. */
const isThin = (rings: readonly Ring[]): boolean => {
  const area = rings.reduce((sum, ring, at) => sum + (at === 0 ? 1 : -1) * Math.abs(floatArea(ring)), 0)
  const length = rings.flatMap(edgesOf).reduce((sum, edge) => sum + lengthOf(edge), 0)
  return 2 * area <= snapUnits * length
}

/**
 * Land as thin as the rounding of a border could be laid over a neighbour’s unseen.
 * @throws Refusal geometry_invalid
 */
export const assertWide = (region: Region): void => {
  if (region.some(polygon => isThin(ringsOf(polygon)))) {
    throw geometryInvalid('a polygon is no wider than the rounding of a border')
  }
}

/**
 * Is a piece (of an overlap, a gap, or of what is outside) due to rounding only? Then it is thin on the whole, and its
 * corners and the middles of its sides lie between two drawings of the border.
 */
const isSliver = (rings: readonly Ring[], borders: readonly Edge[][]): boolean => {
  if (!isThin(rings)) return false
  const edges = rings.flatMap(edgesOf)
  const near = (point: Point): boolean => {
    const found = borders.filter(border => border.some(edge => squareDistance(point, edge) <= snapUnits ** 2))
    return found.length >= 2
  }
  return edges.every(({ from, to }) => near(from) && near({ x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }))
}

const isThroughout = (pieces: readonly Ring[][], regions: readonly Region[]): boolean => {
  const borders = regions.map(region => region.flatMap(borderOf))
  return pieces.every(rings => isSliver(rings, borders))
}

/** Do two parcels lie on one another by more than the rounding of a common border? */
export const overlaps = (a: Region, b: Region): boolean => {
  if (!boxesMeet(boxOfRegion(a), boxOfRegion(b))) return false
  const meet = a.some(polygon => b.some(other => relationOf(polygon, other) === 'overlapping'))
  if (!meet) return false
  const pieces = clip([a, b], ([one = [], other = []]) => polygonClipping.intersection(one, other))
  return !isThroughout(pieces, [a, b])
}

const widened = ({ west, south, east, north }: Box): Box => ({
  ...{ west: west - snapUnits, south: south - snapUnits, east: east + snapUnits, north: north + snapUnits },
})

const exceeds = (part: Region, before: readonly Region[]): boolean => {
  const box = widened(boxOfRegion(part))
  // What is far away covers nothing of it.
  const near = before.filter(region => boxesMeet(box, boxOfRegion(region)))
  const pieces = clip([part, ...near], ([one = [], ...rest]) => polygonClipping.difference(one, ...rest))
  return !isThroughout(pieces, [part, ...near])
}

const indexes = (regions: readonly Region[], wrong: (region: Region, at: number) => boolean): number[] =>
  regions.flatMap((region, at) => (wrong(region, at) ? [at] : []))

export type Surveyed = { region: Region; legalArea: bigint }

const legalSum = (units: readonly Surveyed[]): bigint => units.reduce((sum, { legalArea }) => sum + legalArea, 0n)
const computedSum = (units: readonly Surveyed[]): bigint =>
  units.reduce((sum, { region }) => sum + computedArea(region), 0n)

/**
 * Conservation in a split or a merge: the legal areas after add up to those before exactly, nothing reaches beyond what
 * was there, nothing lies on another, and nothing is left uncovered; geometry to within the rounding of a border.
 * @throws Refusal split_area_mismatch, split_outside_parent, split_overlaps (with the places of the parts in the list),
 * geometry_invalid
 */
export const assertConserved = (before: readonly Surveyed[], after: readonly Surveyed[]): void => {
  if (legalSum(before) !== legalSum(after)) throw splitAreaMismatch(legalSum(before), legalSum(after))
  const [old, made] = [before, after].map(units => units.map(({ region }) => region)) as [Region[], Region[]]
  const outside = indexes(made, region => exceeds(region, old))
  if (outside.length > 0) throw splitOutsideParent(outside)
  const over = indexes(made, (region, at) => made.some((other, index) => index !== at && overlaps(region, other)))
  if (over.length > 0) throw splitOverlaps(over)
  const uncovered = old.some(region => exceeds(region, made))
  if (uncovered) throw splitAreaMismatch(computedSum(before), computedSum(after))
}
