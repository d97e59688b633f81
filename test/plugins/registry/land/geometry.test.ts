import fc from 'fast-check'
import { isRefusal } from '../../../../src/kernel/refusal.ts'
import {
  areaTolerance,
  assertArea,
  assertConserved,
  assertFew,
  assertPlain,
  assertWide,
  computedArea,
  type Geometry,
  geoJson,
  overlaps,
  parseGeometry,
  positionsMost,
  type Region,
  sameRegion,
  storedRegion,
  verticesMost,
} from '../../../../src/plugins/registry/land/geometry.ts'
import type { Point } from '../../../../src/plugins/registry/land/planar.ts'
import { cutStar, polygon, polygonOf, positionAt, rectangle, regionOf, starCorners } from './shapes.ts'

const refused = (work: () => unknown): { code: string; what?: unknown } | undefined => {
  try {
    work()
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { code: error.code, what: error.facts['what'] }
  }
  return undefined
}

const invalid = (geometry: unknown): unknown => {
  const refusal = refused(() => parseGeometry(geometry))
  return refusal?.code === 'geometry_invalid' ? refusal.what : refusal
}

const square = [
  [0, 0],
  [1_000, 0],
  [1_000, 1_000],
  [0, 1_000],
] as const
const hole = [
  [200, 200],
  [800, 200],
  [800, 800],
  [200, 800],
] as const
const shifted = (ring: readonly (readonly [number, number])[], x: number, y: number) =>
  ring.map(([a, b]) => [a + x, b + y] as const)

const many = (count: number) =>
  Array.from({ length: count }, (_, at): [number, number] => {
    const angle = (at / count) * 2 * Math.PI
    return [Math.round(1e7 * Math.cos(angle)), Math.round(1e7 * Math.sin(angle))]
  })

describe('a geometry is refused that', () => {
  const [a, b, c, d] = square.map(([x, y]) => positionAt(x, y))
  it.each<[string, unknown, string]>([
    ['is no object', 'POLYGON((0 0))', 'it is not a GeoJSON geometry'],
    ['is a point', { type: 'Point', coordinates: [0, 0] }, 'it is neither a Polygon nor a MultiPolygon'],
    ['has no ring', { type: 'Polygon', coordinates: [] }, 'a polygon has no ring'],
    ['has no polygon', { type: 'MultiPolygon', coordinates: [] }, 'it has no polygon'],
    ['has three positions', { type: 'Polygon', coordinates: [[a, b, a]] }, 'a ring has fewer than four positions'],
    ['is not closed', { type: 'Polygon', coordinates: [[a, b, c, d]] }, 'a ring is not closed'],
    ['repeats a position', { type: 'Polygon', coordinates: [[a, b, b, c, a]] }, 'a position is repeated'],
    [
      'has heights',
      { type: 'Polygon', coordinates: [[a, b, [...(c ?? []), 4], a]] },
      'a position is not longitude and latitude alone',
    ],
    ['has text for a number', { type: 'Polygon', coordinates: [[['1', 2], b, c, a]] }, 'a coordinate is not a number'],
    [
      'has eight decimals',
      { type: 'Polygon', coordinates: [[[1.123_456_78, 2], b, c, [1.123_456_78, 2]]] },
      'a coordinate has more than seven decimals',
    ],
    [
      'lies beyond the pole',
      {
        type: 'Polygon',
        coordinates: [
          [
            [0, 90.1],
            [1, 89],
            [2, 89],
            [0, 90.1],
          ],
        ],
      },
      'a coordinate is out of range',
    ],
    [
      'lies beyond the antimeridian',
      {
        type: 'Polygon',
        coordinates: [
          [
            [179, 0],
            [180.5, 0],
            [180, 1],
            [179, 0],
          ],
        ],
      },
      'a coordinate is out of range',
    ],
    [
      'is wider than a province',
      {
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [11, 0],
            [0, 1],
            [0, 0],
          ],
        ],
      },
      'a polygon is wider than 10 degrees',
    ],
    [
      'has no area',
      polygon([
        [0, 0],
        [5, 0],
        [10, 0],
      ]),
      'a ring has no area',
    ],
    [
      'crosses itself',
      polygon([
        [0, 0],
        [100, 100],
        [100, 0],
        [0, 101],
      ]),
      'its border crosses or touches itself',
    ],
    [
      'touches itself in a corner',
      polygon([
        [0, 0],
        [50, 50],
        [100, 0],
        [100, 100],
        [50, 50],
        [0, 100],
      ]),
      'its border crosses or touches itself',
    ],
    [
      'has a spike',
      polygon([
        [0, 0],
        [100, 0],
        [200, 0],
        [150, 0],
        [100, 90],
      ]),
      'its border crosses or touches itself',
    ],
    ['has a hole outside', polygon(square, shifted(hole, 5_000, 0)), 'a hole lies outside its polygon'],
    ['has a hole across its border', polygon(square, shifted(hole, 500, 0)), 'its border crosses or touches itself'],
    ['has a hole on its border', polygon(square, shifted(hole, 200, 0)), 'its border crosses or touches itself'],
    [
      'has a hole in a hole',
      polygon(square, hole, [
        [300, 300],
        [400, 300],
        [400, 400],
      ]),
      'a hole lies in another',
    ],
    ['has too many vertices', polygon(many(verticesMost + 1)), `it has more than ${verticesMost} vertices`],
    [
      'has too many vertices altogether',
      polygon(...Array.from({ length: 500 }, (_, at) => shifted(square, 2_000 * at, 0).concat([[2_000 * at - 5, 5]]))),
      `it has more than ${verticesMost} vertices`,
    ],
  ])('%s', (_, geometry, what) => {
    expect(invalid(geometry)).toBe(what)
  })

  it('has polygons that overlap or share a border, while a common point is allowed', () => {
    const together = (...parts: Geometry[]) => ({
      type: 'MultiPolygon',
      coordinates: parts.map(part => part.coordinates),
    })
    expect(invalid(together(rectangle(0, 0, 10, 10), rectangle(5, 5, 15, 15)))).toBe('two of its polygons overlap')
    expect(invalid(together(rectangle(0, 0, 10, 10), rectangle(2, 2, 8, 8)))).toBe('two of its polygons overlap')
    expect(invalid(together(rectangle(0, 0, 10, 10), rectangle(0, 0, 10, 10)))).toBe('two of its polygons overlap')
    expect(invalid(together(rectangle(0, 0, 10, 10), rectangle(10, 2, 20, 8)))).toBe(
      'two of its polygons share a border and should be one',
    )
    expect(invalid(together(rectangle(0, 0, 10, 10), rectangle(10, 10, 20, 20)))).toBeUndefined()
  })

  it('crosses itself in any way: two corners of a star exchanged', () => {
    fc.assert(
      fc.property(starCorners, fc.nat(), (corners, pick) => {
        fc.pre(invalid(polygonOf(corners)) === undefined && corners.length >= 5)
        const at = pick % corners.length
        const twisted = [...corners]
        const opposite = (at + 2) % corners.length
        twisted[at] = corners[opposite] as Point
        twisted[opposite] = corners[at] as Point
        fc.pre(crossesByFloat(twisted))
        expect(invalid(polygonOf(twisted))).toBe('its border crosses or touches itself')
      }),
      { numRuns: 300 },
    )
  })
})

/** By another way than the one under test: solves for the point where two sides meet. */
const crossesByFloat = (ring: readonly Point[]): boolean => {
  const side = (at: number) => ({ from: ring[at] as Point, to: ring[(at + 1) % ring.length] as Point })
  for (let one = 0; one < ring.length; one += 1) {
    for (let two = one + 2; two < ring.length; two += 1) {
      if (one === 0 && two === ring.length - 1) continue
      const [p, q] = [side(one), side(two)]
      const [rx, ry] = [p.to.x - p.from.x, p.to.y - p.from.y]
      const [sx, sy] = [q.to.x - q.from.x, q.to.y - q.from.y]
      const cross = rx * sy - ry * sx
      if (cross === 0) continue
      const t = ((q.from.x - p.from.x) * sy - (q.from.y - p.from.y) * sx) / cross
      const u = ((q.from.x - p.from.x) * ry - (q.from.y - p.from.y) * rx) / cross
      if (t > 1e-6 && t < 1 - 1e-6 && u > 1e-6 && u < 1 - 1e-6) return true
    }
  }
  return false
}

describe('a geometry that is accepted', () => {
  it('comes out with rings by the right-hand rule, whichever way and from wherever it was drawn', () => {
    const drawn = regionOf(square, hole)
    const turned = regionOf([...square].reverse(), [...hole.slice(2), ...hole.slice(0, 2)])
    expect(sameRegion(drawn, turned)).toBe(true)
    expect(parseGeometry(geoJson(turned))).toEqual(drawn)
  })

  it('keeps every coordinate of seven decimals exactly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_799_000_000, max: 1_799_000_000 }),
        fc.integer({ min: -899_000_000, max: 899_000_000 }),
        (x, y) => {
          const at = (dx: number, dy: number) => JSON.parse(`[${decimal(x + dx)},${decimal(y + dy)}]`)
          const [region] = parseGeometry({ type: 'Polygon', coordinates: [[at(0, 0), at(1, 0), at(0, 1), at(0, 0)]] })
          expect(region?.outer[0]).toEqual({ x, y })
        },
      ),
    )
  })

  const decimal = (units: number): string => {
    const digits = String(Math.abs(units)).padStart(8, '0')
    return `${units < 0 ? '-' : ''}${digits.slice(0, -7)}.${digits.slice(-7)}`
  }
})

describe('area', () => {
  it('of the whole ellipsoid is what geodesy says, to a square kilometre', () => {
    let total = 0n
    for (let west = -180; west < 180; west += 10) {
      for (let south = -90; south < 90; south += 10) {
        const [east, north] = [west + 10, south + 10]
        const ring = [
          [west, south],
          [east, south],
          [east, north],
          [west, north],
          [west, south],
        ]
        total += computedArea(parseGeometry({ type: 'Polygon', coordinates: [ring] }))
      }
    }
    expect(Math.abs(Number(total / 10_000_000_000n) - 510_065_622)).toBeLessThan(1_000)
  })

  it('of a hole is taken off', () => {
    const without = computedArea(regionOf(square))
    const inner = computedArea(regionOf(hole))
    expect(Number(computedArea(regionOf(square, hole)) - (without - inner))).toBeCloseTo(0, -1)
  })

  it('of the survey may differ within the tolerance, and no further', () => {
    const region = regionOf(square)
    const computed = computedArea(region)
    const tolerance = areaTolerance(region)
    expect(tolerance).toBeGreaterThan(computed / 200n)
    assertArea(region, computed + tolerance)
    assertArea(region, computed - tolerance)
    for (const area of [computed + tolerance + 1n, computed - tolerance - 1n, 0n, -computed]) {
      expect(refused(() => assertArea(region, area))?.code).toBe('area_mismatch')
    }
  })
})

describe('overlap', () => {
  const at = (west: number, south: number, east: number, north: number): Region =>
    parseGeometry(rectangle(west, south, east, north))
  const base = at(0, 0, 1_000, 1_000)

  it.each<[string, Region, boolean]>([
    ['the same parcel', base, true],
    ['one across the border', at(900, 100, 1_900, 900), true],
    ['one inside', at(100, 100, 200, 200), true],
    ['one around it', at(-100, -100, 1_100, 1_100), true],
    ['one that crosses it from side to side', at(-100, 400, 1_100, 410), true],
    ['one that shares two sides from within', at(0, 0, 1_000, 500), true],
    ['a neighbour with a common side', at(1_000, 0, 2_000, 1_000), false],
    ['a neighbour with part of a side in common', at(1_000, 300, 2_000, 700), false],
    ['a neighbour with a common corner', at(1_000, 1_000, 2_000, 2_000), false],
    ['one far away', at(9_000, 9_000, 9_900, 9_900), false],
    ['a neighbour whose border was rounded to the other side', at(999, 0, 2_000, 1_000), false],
    ['a strip of twenty centimetres', at(980, 0, 2_000, 1_000), true],
  ])('with %s', (_, other, expected) => {
    expect(overlaps(base, other)).toBe(expected)
    expect(overlaps(other, base)).toBe(expected)
  })

  it('does not fill a hole, and a filled hole is a neighbour', () => {
    const ring = regionOf(square, hole)
    expect(overlaps(ring, regionOf(hole))).toBe(false)
    expect(overlaps(ring, regionOf(shifted(hole, 3, 0)))).toBe(true)
  })

  it('sees a small block on a long thin strip', () => {
    const neighbour = regionOf([
      [999, 0],
      [2_000, 0],
      [2_000, 1_000],
      [999, 1_000],
      [999, 550],
      [960, 550],
      [960, 500],
      [999, 500],
    ])
    expect(overlaps(base, neighbour)).toBe(true)
  })

  it('sees a square where two strips cross, whose corners are all on both borders', () => {
    expect(overlaps(at(0, 400, 1_000, 500), at(400, 0, 500, 1_000))).toBe(true)
  })
})

describe('work', () => {
  const comb = (teeth: number, lie: boolean): Geometry => {
    const ring: [number, number][] = []
    for (let at = 0; at < teeth; at += 1) {
      const x = at * 100
      ring.push([x, 0], [x + 40, 0], [x + 40, teeth * 100], [x + 50, teeth * 100], [x + 50, 0])
    }
    ring.push([teeth * 100, 0], [teeth * 100, -50], [0, -50])
    const spread = ring.filter(([x, y], index) => {
      const before = ring.at(index - 1) ?? [0, 0]
      return x !== before[0] || y !== before[1]
    })
    return polygon(spread.map(([x, y]) => (lie ? ([y, x] as const) : ([x, y] as const))))
  }

  it('ends before it grows with the square of what is handed in', () => {
    const [one, two] = [parseGeometry(comb(300, false)), parseGeometry(comb(300, true))]
    const began = performance.now()
    expect(refused(() => overlaps(one, two))).toMatchObject({
      ...{ code: 'geometry_invalid', what: 'it crosses its neighbours too often to be compared with them' },
    })
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  it('reads and compares polygons of the most vertices there may be', () => {
    const circle = (x: number, count: number) =>
      Array.from({ length: count }, (_, at): [number, number] => {
        const angle = (at / count) * 2 * Math.PI
        return [x + Math.round(1e6 * Math.cos(angle)), Math.round(1e6 * Math.sin(angle))]
      })
    const began = performance.now()
    const [one, two] = [regionOf(circle(0, verticesMost)), regionOf(circle(1_000_000, verticesMost))]
    expect(overlaps(one, two)).toBe(true)
    expect(overlaps(one, one)).toBe(true)
    expect(performance.now() - began).toBeLessThan(5_000)
  })
})

describe('all geometry of one act', () => {
  const ring = (positions: number): Geometry => ({
    type: 'Polygon',
    coordinates: [Array.from({ length: positions }, () => positionAt(0, 0))],
  })

  it('has so many positions and no more, with what it takes off the map', () => {
    const gone = [parseGeometry(rectangle(0, 0, 100, 100))]
    const several: Geometry = { type: 'MultiPolygon', coordinates: [[ring(1_000).coordinates[0] as never]] }
    expect(refused(() => assertFew([several, ring(positionsMost - 1_005)], gone))).toBeUndefined()
    expect(refused(() => assertFew([several, ring(positionsMost - 1_004)], gone))?.code).toBe('geometry_too_large')
    expect(refused(() => assertFew([ring(positionsMost + 1)], []))?.code).toBe('geometry_too_large')
  })

  it('is compared soon, also where long borders are common', () => {
    const strip = (at: number, width = 1): Region => {
      const border = (place: number) =>
        Array.from({ length: 740 }, (_, step) => [place * 900 + ((step * 7 + place) % 5), step * 90] as const)
      return regionOf([...border(at + width), ...border(at).reverse()])
    }
    const began = performance.now()
    const [whole, ...parts] = [strip(0, 2), strip(0), strip(1)]
    assertFew(parts.map(geoJson), [whole])
    assertPlain([whole, ...parts])
    const surveyed = parts.map(region => ({ region, legalArea: computedArea(region) }))
    assertConserved(
      [{ region: whole, legalArea: surveyed.reduce((sum, { legalArea }) => sum + legalArea, 0n) }],
      surveyed,
    )
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  it('does not lie side by side all over', () => {
    const comb = (teeth: number): Region => {
      const slanted = (x: number, y: number) => [x + 2 * y, y] as const
      const tips = Array.from({ length: teeth }, (_, at) => slanted(at * 30, at % 2 === 0 ? 0 : 300_000))
      return regionOf([slanted((teeth - 1) * 30, -9_000), ...tips.reverse(), slanted(0, -9_000)])
    }
    expect(refused(() => assertPlain([comb(900), comb(900)]))?.code).toBe('geometry_tangled')
    expect(refused(() => assertPlain([comb(900)]))).toBeUndefined()
  })
})

describe('a partition', () => {
  const surveyed = (region: Region, legalArea: bigint) => ({ region, legalArea })
  const parent = surveyed(regionOf(square), 1_000_000n)
  const half = (west: number, east: number) => parseGeometry(rectangle(west, 0, east, 1_000))

  it('conserves a parent cut in two', () => {
    assertConserved([parent], [surveyed(half(0, 400), 400_000n), surveyed(half(400, 1_000), 600_000n)])
  })

  it.each<[string, { region: Region; legalArea: bigint }[], string]>([
    [
      'one square centimetre is invented',
      [surveyed(half(0, 400), 400_000n), surveyed(half(400, 1_000), 600_001n)],
      'split_area_mismatch',
    ],
    [
      'one square centimetre is lost',
      [surveyed(half(0, 400), 399_999n), surveyed(half(400, 1_000), 600_000n)],
      'split_area_mismatch',
    ],
    [
      'a strip between the parts is left out',
      [surveyed(half(0, 400), 400_000n), surveyed(half(430, 1_000), 600_000n)],
      'split_area_mismatch',
    ],
    [
      'a part reaches beyond',
      [surveyed(half(0, 400), 400_000n), surveyed(half(400, 1_040), 600_000n)],
      'split_outside_parent',
    ],
    [
      'a part lies elsewhere',
      [surveyed(half(0, 1_000), 400_000n), surveyed(half(5_000, 6_000), 600_000n)],
      'split_outside_parent',
    ],
    ['the parts overlap', [surveyed(half(0, 440), 400_000n), surveyed(half(400, 1_000), 600_000n)], 'split_overlaps'],
  ])('is refused when %s', (_, parts, code) => {
    expect(refused(() => assertConserved([parent], parts))?.code).toBe(code)
  })

  it('of any star cut by any line through its centre conserves it, and is refused when a part is moved', () => {
    fc.assert(
      fc.property(starCorners, fc.double({ min: 0, max: Math.PI, noNaN: true }), (corners, angle) => {
        fc.pre(invalid(polygonOf(corners)) === undefined)
        const { left, right } = cutStar(corners, angle)
        fc.pre(left.length > 2 && right.length > 2)
        fc.pre(invalid(polygonOf(left)) === undefined && invalid(polygonOf(right)) === undefined)
        const whole = surveyed(parseGeometry(polygonOf(corners)), 10_000n)
        const parts = [left, right].map(part => surveyed(parseGeometry(polygonOf(part)), 5_000n))
        assertConserved([whole], parts)
        const difference = parts.reduce((sum, part) => sum + computedArea(part.region), -computedArea(whole.region))
        const rounding = parts.reduce((sum, part) => sum + areaTolerance(part.region), 0n)
        expect(difference < rounding && -difference < rounding).toBe(true)
        const moved = parseGeometry(polygonOf(left.map(({ x, y }) => ({ x: x + 60, y: y + 60 }))))
        const wrong = refused(() => assertConserved([whole], [surveyed(moved, 5_000n), parts[1] as (typeof parts)[0]]))
        expect(wrong?.code).toMatch(/^split_/)
      }),
      { numRuns: 200 },
    )
  })
})

describe('land that is no wider than the rounding of a border', () => {
  it.each([
    [
      'a strip',
      regionOf([
        [0, 0],
        [1, 0],
        [1, 9_000],
        [0, 9_000],
      ]),
      true,
    ],
    [
      'a strip of twice the rounding',
      regionOf([
        [0, 0],
        [5, 0],
        [5, 9_000],
        [0, 9_000],
      ]),
      false,
    ],
  ])('is not registered: %s', (_, region, thin) => {
    const neighbour = regionOf([
      [0, -10],
      [9_000, -10],
      [9_000, 9_010],
      [0, 9_010],
    ])
    expect(overlaps(region, neighbour)).toBe(!thin)
    expect(refused(() => assertWide(region))?.code).toBe(thin ? 'geometry_invalid' : undefined)
  })
})

it('reads what it wrote down as what it was', () => {
  fc.assert(
    fc.property(starCorners, corners => {
      const region = parseGeometry(polygonOf(corners))
      expect(storedRegion(JSON.parse(JSON.stringify(geoJson(region))) as Geometry)).toEqual(region)
    }),
  )
})
