/**
 * Exact plane geometry on a grid of integers: every predicate here has the sign that exact arithmetic gives, so that
 * two parcels with a common border are neighbours and never a hair's breadth over one another.
 */

export type Point = { x: number; y: number }

/** Without the closing repetition of the first point. */
export type Ring = readonly Point[]

/** The interior is to the left of every edge: the outer ring runs counter-clockwise, holes clockwise. */
export type Polygon = { outer: Ring; holes: readonly Ring[] }

export type Box = { west: number; south: number; east: number; north: number }

export type Edge = { from: Point; to: Point }

/** Above what floating point may get wrong for coordinates up to 2^33: two products of up to 2^68, each rounded. */
const certain = 2 ** 18

/** Above zero if `c` lies to the left of the line from `a` to `b`, zero if on it. */
export const orientation = (a: Point, b: Point, c: Point): number => {
  const determinant = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
  if (determinant > certain || determinant < -certain) return determinant
  const exact = BigInt(b.x - a.x) * BigInt(c.y - a.y) - BigInt(b.y - a.y) * BigInt(c.x - a.x)
  return exact > 0n ? 1 : exact < 0n ? -1 : 0
}

const same = (a: Point, b: Point): boolean => a.x === b.x && a.y === b.y

/** Does a point known to be on the line of the edge lie on the edge, ends included? */
const within = (point: Point, { from, to }: Edge): boolean =>
  Math.min(from.x, to.x) <= point.x &&
  point.x <= Math.max(from.x, to.x) &&
  Math.min(from.y, to.y) <= point.y &&
  point.y <= Math.max(from.y, to.y)

export const isOn = (point: Point, edge: Edge): boolean =>
  within(point, edge) && orientation(edge.from, edge.to, point) === 0

export type Contact = 'apart' | 'touching' | 'crossing'

/**
 * `crossing`: each goes through the inside of the other, in one point; `touching`: an end is on the other, or they lie
 * along.
 */
export const contactOf = (a: Edge, b: Edge): Contact => {
  const bFrom = Math.sign(orientation(a.from, a.to, b.from))
  const bTo = Math.sign(orientation(a.from, a.to, b.to))
  if (bFrom * bTo > 0) return 'apart'
  const aFrom = Math.sign(orientation(b.from, b.to, a.from))
  const aTo = Math.sign(orientation(b.from, b.to, a.to))
  if (aFrom * aTo > 0) return 'apart'
  if (bFrom * bTo < 0 && aFrom * aTo < 0) return 'crossing'
  const touches =
    (bFrom === 0 && within(b.from, a)) ||
    (bTo === 0 && within(b.to, a)) ||
    (aFrom === 0 && within(a.from, b)) ||
    (aTo === 0 && within(a.to, b))
  return touches ? 'touching' : 'apart'
}

export const edgesOf = (ring: Ring): Edge[] =>
  ring.map((from, at) => ({ from, to: ring[(at + 1) % ring.length] as Point }))

export const ringsOf = (polygon: Polygon): Ring[] => [polygon.outer, ...polygon.holes]

export const borderOf = (polygon: Polygon): Edge[] => ringsOf(polygon).flatMap(edgesOf)

export const boxOf = (points: readonly Point[]): Box => {
  const box = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity }
  for (const { x, y } of points) {
    if (x < box.west) box.west = x
    if (x > box.east) box.east = x
    if (y < box.south) box.south = y
    if (y > box.north) box.north = y
  }
  return box
}

export const boxesMeet = (a: Box, b: Box): boolean =>
  a.west <= b.east && b.west <= a.east && a.south <= b.north && b.south <= a.north

/** Twice the area, exactly; below zero for a clockwise ring. */
export const doubleArea = (ring: Ring): bigint => {
  const origin = ring[0] as Point
  return edgesOf(ring).reduce(
    (sum, { from, to }) =>
      sum + BigInt(from.x - origin.x) * BigInt(to.y - origin.y) - BigInt(to.x - origin.x) * BigInt(from.y - origin.y),
    0n,
  )
}

export type Place = 'inside' | 'outside' | 'border'

export const placeInRing = (point: Point, ring: Ring): Place => {
  let inside = false
  let from = ring.at(-1) as Point
  // Once for each corner of another border: so no edges are made for it.
  for (const to of ring) {
    const start = from
    const beside = start.y > point.y === to.y > point.y
    from = to
    if (beside && start.y !== point.y && to.y !== point.y) continue
    const side = orientation(start, to, point)
    if (side === 0 && within(point, { from: start, to })) return 'border'
    if (!beside && side > 0 === to.y > start.y) inside = !inside
  }
  return inside ? 'inside' : 'outside'
}

const placeIn = (point: Point, polygon: Polygon): Place => {
  const outer = placeInRing(point, polygon.outer)
  if (outer !== 'inside') return outer
  for (const hole of polygon.holes) {
    const place = placeInRing(point, hole)
    if (place !== 'outside') return place === 'inside' ? 'outside' : 'border'
  }
  return 'inside'
}

type Tagged = Edge & { set: number; ring: number; at: number; west: number; east: number; south: number; north: number }

const tagged = (rings: readonly Ring[], set: number): Tagged[] =>
  rings.flatMap((ring, index) =>
    edgesOf(ring).map((edge, at) => ({ ...edge, set, ring: index, at, ...boxOf([edge.from, edge.to]) })),
  )

/** How many pairs of these stretches have a point in common. */
const pairsOf = (starts: Float64Array, ends: Float64Array): number => {
  starts.sort()
  ends.sort()
  let [pairs, ended] = [0, 0]
  for (const [begun, start] of starts.entries()) {
    while ((ends[ended] as number) < start) ended += 1
    pairs += begun - ended
  }
  return pairs
}

const pairsAlong = (edges: readonly Tagged[], start: 'west' | 'south', end: 'east' | 'north'): number =>
  pairsOf(
    Float64Array.from(edges, edge => edge[start]),
    Float64Array.from(edges, edge => edge[end]),
  )

/** How many pairs of edges a sweep over these borders looks at. */
export const sweptPairs = (polygons: readonly Polygon[]): number => {
  const edges = polygons.flatMap((polygon, set) => tagged(ringsOf(polygon), set))
  return Math.min(pairsAlong(edges, 'west', 'east'), pairsAlong(edges, 'south', 'north'))
}

/**
 * Calls `meet` for each pair of edges whose boxes meet, in a sweep from west to east or from south to north: a border
 * that runs along the front of a sweep is all before it at once, so it goes where fewer edges are.
 */
const sweep = (edges: Tagged[], meet: (a: Tagged, b: Tagged) => boolean): boolean => {
  const eastwards = pairsAlong(edges, 'west', 'east') <= pairsAlong(edges, 'south', 'north')
  edges.sort(eastwards ? (a, b) => a.west - b.west : (a, b) => a.south - b.south)
  let open: Tagged[] = []
  for (const edge of edges) {
    open = open.filter(other => (eastwards ? other.east >= edge.west : other.north >= edge.south))
    for (const other of open) {
      if (boxesMeet(other, edge) && meet(other, edge)) return true
    }
    open.push(edge)
  }
  return false
}

/** Two edges that follow one another in a ring: do they share more than their common point? */
const foldsBack = (before: Edge, after: Edge): boolean =>
  orientation(before.from, before.to, after.to) === 0 && (isOn(after.to, before) || isOn(before.from, after))

/** Do edges of the rings meet anywhere but in the common point of neighbours in one ring? */
export const crossesItself = (rings: readonly Ring[]): boolean =>
  sweep(tagged(rings, 0), (a, b) => {
    const size = rings[a.ring]?.length ?? 0
    if (a.ring === b.ring && (a.at + 1) % size === b.at) return foldsBack(a, b)
    if (a.ring === b.ring && (b.at + 1) % size === a.at) return foldsBack(b, a)
    return contactOf(a, b) !== 'apart'
  })

export type Relation = 'apart' | 'touching' | 'bordering' | 'overlapping'

const doubled = (polygon: Polygon): Polygon => {
  const twice = (ring: Ring): Ring => ring.map(({ x, y }) => ({ x: 2 * x, y: 2 * y }))
  return { outer: twice(polygon.outer), holes: polygon.holes.map(twice) }
}

/** The parts of an edge between the points where something touches it. */
const partsOf = (edge: Edge, touches: readonly Point[]): Edge[] => {
  const direction = { x: Math.sign(edge.to.x - edge.from.x), y: Math.sign(edge.to.y - edge.from.y) }
  const along = (point: Point): number => direction.x * point.x + direction.y * point.y
  const stops = [edge.from, ...[...touches].sort((a, b) => along(a) - along(b)), edge.to]
  return stops
    .slice(1)
    .map((to, at) => ({ from: stops[at] as Point, to }))
    .filter(({ from, to }) => !same(from, to))
}

const midpointOf = ({ from, to }: Edge): Point => ({ x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 })

/**
 * Where each part of one polygon's border lies: inside the other, on its border with the same interior side, or
 * neither.
 */
const judgeBorder = (parts: readonly Edge[], other: Polygon, otherEdges: readonly Edge[]): Relation => {
  const box = boxOf(other.outer)
  let relation: Relation = 'apart'
  for (const part of parts) {
    const middle = midpointOf(part)
    if (!boxesMeet(box, boxOf([middle]))) continue
    const place = placeIn(middle, other)
    if (place === 'inside') return 'overlapping'
    if (place !== 'border') continue
    const along = otherEdges.find(edge => isOn(middle, edge)) as Edge
    const towards = (part.to.x - part.from.x) * (along.to.x - along.from.x)
    const upwards = (part.to.y - part.from.y) * (along.to.y - along.from.y)
    if (towards + upwards > 0) return 'overlapping'
    relation = 'bordering'
  }
  return relation
}

/**
 * How two valid polygons lie to one another; `overlapping` if and only if their interiors have points in common.
 *
 * If no edges cross, borders meet in corners only, which are on the grid. Cut there, each part of one border is wholly
 * inside the other polygon, outside it, or on its border, and its middle (on the doubled grid) tells which. Interiors
 * that meet without any of this would need a border of their own that lies on both with the interior on the same side.
 */
export const relationOf = (first: Polygon, second: Polygon): Relation => {
  if (!boxesMeet(boxOf(first.outer), boxOf(second.outer))) return 'apart'
  const a = doubled(first)
  const b = doubled(second)
  const edges = [...tagged(ringsOf(a), 0), ...tagged(ringsOf(b), 1)]
  const touches = new Map<Tagged, Point[]>()
  const touch = (edge: Tagged, other: Edge): void => {
    const points = [other.from, other.to].filter(point => isOn(point, edge))
    touches.set(edge, [...(touches.get(edge) ?? []), ...points])
  }
  const crossing = sweep([...edges], (one, other) => {
    if (one.set === other.set) return false
    const contact = contactOf(one, other)
    if (contact === 'touching') {
      touch(one, other)
      touch(other, one)
    }
    return contact === 'crossing'
  })
  if (crossing) return 'overlapping'
  const parts = (set: number): Edge[] =>
    edges.filter(edge => edge.set === set).flatMap(edge => partsOf(edge, touches.get(edge) ?? []))
  const ofFirst = judgeBorder(parts(0), b, borderOf(b))
  if (ofFirst === 'overlapping') return 'overlapping'
  if (judgeBorder(parts(1), a, borderOf(a)) === 'overlapping') return 'overlapping'
  if (ofFirst === 'bordering') return 'bordering'
  return touches.size > 0 ? 'touching' : 'apart'
}

/** How often borders of different polygons cross; counting ends at `most`. */
export const crossingsOf = (polygons: readonly Polygon[], most: number): number => {
  let count = 0
  sweep(
    polygons.flatMap((polygon, set) => tagged(ringsOf(polygon), set)),
    (one, other) => {
      if (one.set !== other.set && contactOf(one, other) === 'crossing') count += 1
      return count >= most
    },
  )
  return count
}

/** The square of the distance of a point, on the grid or not, from an edge. */
export const squareDistance = (point: Point, { from, to }: Edge): number => {
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  const square = dx * dx + dy * dy
  const at = square === 0 ? 0 : ((point.x - from.x) * dx + (point.y - from.y) * dy) / square
  const nearest = Math.max(0, Math.min(1, at))
  const [x, y] = [point.x - (from.x + nearest * dx), point.y - (from.y + nearest * dy)]
  return x * x + y * y
}
