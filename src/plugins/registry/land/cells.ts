import type { Box } from './planar.ts'

/**
 * Where a parcel stands in the index of the database: at the level whose cells are at least as wide as its box, in the
 * cell of its south-western corner. So it reaches into the next cell at most, and a search asks a few cells a level, in
 * any B-tree.
 */
export type Cell = { level: number; cellX: number; cellY: number }

/** Cells of level 0 are about eleven metres wide; each level is four times as wide as the one before. */
const widthOf = (level: number): number => 1024 * 4 ** level
export const levelMost = 11

const at = (units: number, level: number): number => Math.floor(units / widthOf(level))

export const cellOf = (box: Box): Cell => {
  const extent = Math.max(box.east - box.west, box.north - box.south)
  let level = 0
  while (level < levelMost && widthOf(level) < extent) level += 1
  return { level, cellX: at(box.west, level), cellY: at(box.south, level) }
}

export type CellRange = { level: number; fromX: number; toX: number; fromY: number; toY: number }

/** The cells, a range a level, in which the parcels stand whose boxes can meet this one. */
export const cellRanges = (box: Box): CellRange[] =>
  Array.from({ length: levelMost + 1 }, (_, level) => ({
    level,
    fromX: at(box.west, level) - 1,
    toX: at(box.east, level),
    fromY: at(box.south, level) - 1,
    toY: at(box.north, level),
  }))
