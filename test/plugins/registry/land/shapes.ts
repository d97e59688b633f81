import fc from 'fast-check'
import {
  type Geometry,
  type Position,
  parseGeometry,
  type Region,
} from '../../../../src/plugins/registry/land/geometry.ts'
import type { Point } from '../../../../src/plugins/registry/land/planar.ts'

const unit = 1e-7
/** A place in the middle of nowhere in particular; units of the grid are counted from it. */
const home = { x: 23_000_000, y: 461_000_000 }

export const positionAt = (x: number, y: number): Position => [
  (home.x + Math.round(x)) / 1e7,
  (home.y + Math.round(y)) / 1e7,
]

/** A polygon by its corners in units of the grid; closes it. */
export const polygon = (...rings: (readonly (readonly [number, number])[])[]): Geometry => ({
  type: 'Polygon',
  coordinates: rings.map(ring => [...ring, ring[0] as readonly [number, number]].map(([x, y]) => positionAt(x, y))),
})

export const rectangle = (west: number, south: number, east: number, north: number): Geometry =>
  polygon([
    [west, south],
    [east, south],
    [east, north],
    [west, north],
  ])

export const regionOf = (...corners: Parameters<typeof polygon>): Region => parseGeometry(polygon(...corners))

export const gridUnit = unit

/** Corners around a centre in the order of their angles: any line through the centre cuts it in exactly two pieces. */
export const starCorners = fc
  .record({
    radii: fc.array(fc.integer({ min: 2_000, max: 20_000 }), { minLength: 4, maxLength: 24 }),
    turn: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ radii, turn }): Point[] =>
    radii.map((radius, at) => {
      const angle = ((at + turn / 2) / radii.length) * 2 * Math.PI
      return { x: Math.round(radius * Math.cos(angle)), y: Math.round(radius * Math.sin(angle)) }
    }),
  )

export const polygonOf = (corners: readonly Point[]): Geometry => polygon(corners.map(({ x, y }) => [x, y] as const))

const between = (from: Point, to: Point, dx: number, dy: number): Point => {
  const side = (point: Point): number => dx * point.y - dy * point.x
  const part = side(from) / (side(from) - side(to))
  return { x: Math.round(from.x + part * (to.x - from.x)), y: Math.round(from.y + part * (to.y - from.y)) }
}

/** Cuts a star along the line through its centre; where the line meets the border, the cut is rounded to the grid. */
export const cutStar = (corners: readonly Point[], angle: number): { left: Point[]; right: Point[] } => {
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)]
  const side = (point: Point): number => dx * point.y - dy * point.x
  const left: Point[] = []
  const right: Point[] = []
  for (const [at, corner] of corners.entries()) {
    const next = corners[(at + 1) % corners.length] as Point
    const part = side(corner) >= 0 ? left : right
    part.push(corner)
    if (side(corner) >= 0 === side(next) >= 0) continue
    const cut = between(corner, next, dx, dy)
    left.push(cut)
    right.push(cut)
  }
  const tidy = (ring: Point[]): Point[] =>
    ring.filter((point, at) => {
      const before = ring.at(at - 1) as Point
      return point.x !== before.x || point.y !== before.y
    })
  return { left: tidy(left), right: tidy(right) }
}
