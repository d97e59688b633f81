import fc from 'fast-check'
import { cellOf, cellRanges, levelMost } from '../../../../src/plugins/registry/land/cells.ts'
import { type Box, boxesMeet } from '../../../../src/plugins/registry/land/planar.ts'

const box = fc
  .record({
    west: fc.integer({ min: -1_800_000_000, max: 1_700_000_000 }),
    south: fc.integer({ min: -900_000_000, max: 800_000_000 }),
    size: fc.integer({ min: 0, max: 26 }),
    wide: fc.double({ min: 0, max: 1, noNaN: true }),
    high: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ west, south, size, wide, high }): Box => {
    const most = 2 ** size
    return { west, south, east: west + Math.floor(wide * most), north: south + Math.floor(high * most) }
  })

describe('the index of cells', () => {
  it('finds every box that meets the one that is asked for', () => {
    fc.assert(
      fc.property(box, box, fc.double({ min: -1, max: 1, noNaN: true }), (one, other, shift) => {
        // Laid near one another, so that they meet about as often as not.
        const dx = one.west - other.west + Math.floor(shift * (one.east - one.west + other.east - other.west))
        const near = {
          ...other,
          west: other.west + dx,
          east: other.east + dx,
          south: one.north - 1,
          north: one.north + 5,
        }
        const { level, cellX, cellY } = cellOf(near)
        const range = cellRanges(one)[level]
        const found =
          range !== undefined &&
          range.fromX <= cellX &&
          cellX <= range.toX &&
          range.fromY <= cellY &&
          cellY <= range.toY
        if (boxesMeet(one, near)) expect(found).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('asks four cells of its own level for a box, and knows a level for the whole world', () => {
    const small = { west: 5, south: 5, east: 900, north: 900 }
    const range = cellRanges(small)[0]
    expect(range).toEqual({ level: 0, fromX: -1, toX: 0, fromY: -1, toY: 0 })
    expect(cellOf({ west: -1_800_000_000, south: -900_000_000, east: 1_800_000_000, north: 900_000_000 }).level).toBe(
      levelMost,
    )
  })
})
