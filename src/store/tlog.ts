import { emptyRoot, nodeHash } from '../kernel/merkle.ts'

/**
 * The Merkle tree of RFC 6962 in the tiles of C2SP tlog-tiles. Pure: whoever stores tiles hands them in.
 * Positions and sizes are numbers, so a log ends at 2^53 entries.
 */
export const tileHeight = 8
export const tileWidth = 2 ** tileHeight
export const hashBytes = 32

/** The largest power of two below `size`. */
const split = (size: number): number => {
  let half = 1
  while (half * 2 < size) half *= 2
  return half
}

/** A tile as stored: the hashes at `level * 8` above the leaves, from `tile * 256` on, one after the other. */
export type TilePlace = { level: number; tile: number }
/** Hands out a tile with at least as many hashes as the tree asked about has in it. */
export type TileReader = (place: TilePlace) => Uint8Array

const heightOf = (size: number): number => Math.round(Math.log2(size))

/** The root over a power of two of hashes that lie side by side. */
const rootOf = (hashes: Uint8Array, from: number, count: number): Buffer => {
  let row: Uint8Array[] = []
  for (let at = from; at < from + count; at += 1) row.push(hashes.subarray(at * hashBytes, (at + 1) * hashBytes))
  while (row.length > 1) {
    const above: Uint8Array[] = []
    for (let at = 0; at < row.length; at += 2) above.push(nodeHash(row[at] as Uint8Array, row[at + 1] as Uint8Array))
    row = above
  }
  const [root] = row
  if (root === undefined || root.length !== hashBytes) throw new RangeError('a tile is shorter than the tree needs')
  return Buffer.from(root)
}

/** The tile in which the root of the complete subtree [from, from + count) is found, and where in it. */
const placeOf = (from: number, count: number): TilePlace & { at: number; width: number } => {
  const height = heightOf(count)
  const level = Math.floor(height / tileHeight)
  const first = from / 2 ** (level * tileHeight)
  return { level, tile: Math.floor(first / tileWidth), at: first % tileWidth, width: 2 ** (height % tileHeight) }
}

/** A run of leaves [from, from + count). */
type Run = { from: number; count: number }

/** The complete subtrees that a run is made of, from left to right. */
const subtrees = (run: Run): Run[] => {
  if (run.count === 0) return []
  const half = run.count === 1 ? 1 : split(run.count + 1)
  return [{ from: run.from, count: half }, ...subtrees({ from: run.from + half, count: run.count - half })]
}

const hashOf = (run: Run, read: TileReader): Buffer => {
  const parts = subtrees(run).map(part => {
    const place = placeOf(part.from, part.count)
    return rootOf(read(place), place.at, place.width)
  })
  return parts.length === 0 ? emptyRoot() : parts.reduceRight((right, left) => nodeHash(left, right))
}

/** The runs whose hashes make up the inclusion proof (RFC 6962, 2.1.1), from the leaf upwards. */
const inclusionRuns = (position: number, tree: Run): Run[] => {
  if (tree.count <= 1) return []
  const half = split(tree.count)
  const left = { from: tree.from, count: half }
  const right = { from: tree.from + half, count: tree.count - half }
  return position < right.from ? [...inclusionRuns(position, left), right] : [...inclusionRuns(position, right), left]
}

/** RFC 6962, 2.1.2: SUBPROOF. */
const consistencyRuns = (old: number, tree: Run, whole: boolean): Run[] => {
  if (old === tree.count) return whole ? [] : [tree]
  const half = split(tree.count)
  const left = { from: tree.from, count: half }
  const right = { from: tree.from + half, count: tree.count - half }
  return old <= half
    ? [...consistencyRuns(old, left, whole), right]
    : [...consistencyRuns(old - half, right, false), left]
}

const checkedRuns = (kind: 'inclusion' | 'consistency', first: number, size: number): Run[] => {
  const tree = { from: 0, count: size }
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(size) || first < 0) throw new RangeError('not a position')
  if (kind === 'inclusion') {
    if (first >= size) throw new RangeError(`the tree of ${size} entries has no position ${first}`)
    return inclusionRuns(first, tree)
  }
  if (first > size) throw new RangeError(`a tree of ${size} entries cannot extend one of ${first}`)
  return first === 0 || first === size ? [] : consistencyRuns(first, tree, true)
}

const tilesOf = (runs: Run[]): TilePlace[] => {
  const places = new Map<string, TilePlace>()
  for (const part of runs.flatMap(subtrees)) {
    const { level, tile } = placeOf(part.from, part.count)
    places.set(`${level}/${tile}`, { level, tile })
  }
  return [...places.values()]
}

/** The tiles that a root, or a proof, is computed from: a number that grows with the logarithm of the size. */
export const rootTiles = (size: number): TilePlace[] => tilesOf([{ from: 0, count: size }])
export const inclusionTiles = (position: number, size: number): TilePlace[] =>
  tilesOf(checkedRuns('inclusion', position, size))
export const consistencyTiles = (old: number, size: number): TilePlace[] =>
  tilesOf(checkedRuns('consistency', old, size))

export const rootFrom = (size: number, read: TileReader): Buffer => hashOf({ from: 0, count: size }, read)
export const inclusionFrom = (position: number, size: number, read: TileReader): Buffer[] =>
  checkedRuns('inclusion', position, size).map(run => hashOf(run, read))
export const consistencyFrom = (old: number, size: number, read: TileReader): Buffer[] =>
  checkedRuns('consistency', old, size).map(run => hashOf(run, read))

export type InclusionClaim = {
  leaf: Uint8Array
  position: number
  size: number
  root: Uint8Array
  proof: Uint8Array[]
}

/**
 * Goes up the tree along a path, from node `from` in a level of which `to` is the last one: of each sibling it is told whether it
 * stands to the left. False where the path is not as long as the tree is high.
 */
const climb = (
  from: bigint,
  to: bigint,
  path: readonly Uint8Array[],
  meet: (sibling: Uint8Array, isLeft: boolean) => void,
): boolean => {
  let [first, last] = [from, to]
  for (const sibling of path) {
    if (last === 0n || sibling.length !== hashBytes) return false
    const isLeft = (first & 1n) === 1n || first === last
    meet(sibling, isLeft)
    // A node without a sibling is its own parent.
    while (isLeft && (first & 1n) === 0n && first !== 0n) {
      first >>= 1n
      last >>= 1n
    }
    first >>= 1n
    last >>= 1n
  }
  return last === 0n
}

/** RFC 9162, 2.1.3.2. */
export const verifyInclusion = ({ leaf, position, size, root, proof }: InclusionClaim): boolean => {
  if (!Number.isSafeInteger(position) || !Number.isSafeInteger(size) || position < 0 || position >= size) return false
  let found: Uint8Array = leaf
  const arrives = climb(BigInt(position), BigInt(size) - 1n, proof, (sibling, isLeft) => {
    found = isLeft ? nodeHash(sibling, found) : nodeHash(found, sibling)
  })
  return arrives && Buffer.compare(found, root) === 0
}

export type ConsistencyClaim = {
  oldSize: number
  oldRoot: Uint8Array
  size: number
  root: Uint8Array
  proof: Uint8Array[]
}

/** RFC 9162, 2.1.4.2. Every tree extends the empty one. */
export const verifyConsistency = ({ oldSize, oldRoot, size, root, proof }: ConsistencyClaim): boolean => {
  if (!Number.isSafeInteger(oldSize) || !Number.isSafeInteger(size) || oldSize < 0 || oldSize > size) return false
  if (proof.some(sibling => sibling.length !== hashBytes)) return false
  if (oldSize === size) return proof.length === 0 && Buffer.compare(oldRoot, root) === 0
  if (oldSize === 0) return proof.length === 0 && Buffer.compare(oldRoot, emptyRoot()) === 0
  const whole = Number.isInteger(Math.log2(oldSize)) && 2 ** Math.log2(oldSize) === oldSize
  const [start, ...rest] = whole ? [oldRoot, ...proof] : proof
  if (start === undefined) return false
  let first = BigInt(oldSize) - 1n
  let last = BigInt(size) - 1n
  while ((first & 1n) === 1n) {
    first >>= 1n
    last >>= 1n
  }
  let older = start
  let newer = start
  const arrives = climb(first, last, rest, (sibling, isLeft) => {
    if (isLeft) older = nodeHash(sibling, older)
    newer = isLeft ? nodeHash(sibling, newer) : nodeHash(newer, sibling)
  })
  return arrives && Buffer.compare(older, oldRoot) === 0 && Buffer.compare(newer, root) === 0
}

export type Tile = TilePlace & { hashes: Buffer }

/**
 * Adds leaves to a tree of `size`.
 * @param edge the tile at the right edge of each level, where it is partly filled (`edgeTiles`).
 * @returns the tiles that are new or longer than before.
 */
export const appendLeaves = (size: number, edge: Tile[], leaves: Uint8Array[]): Tile[] => {
  const changed: Tile[] = []
  let level = 0
  let from = size
  let added: Uint8Array[] = leaves
  while (added.length > 0) {
    const carried: Uint8Array[] = []
    for (let at = 0; at < added.length; ) {
      const tile = Math.floor((from + at) / tileWidth)
      const filled = (from + at) % tileWidth
      const taken = added.slice(at, at + tileWidth - filled)
      const known = filled === 0 ? Buffer.alloc(0) : edge.find(t => t.level === level && t.tile === tile)?.hashes
      if (known?.length !== filled * hashBytes) throw new RangeError(`the edge of level ${level} is not as expected`)
      const hashes = Buffer.concat([known, ...taken])
      changed.push({ level, tile, hashes })
      if (filled + taken.length === tileWidth) carried.push(rootOf(hashes, 0, tileWidth))
      at += taken.length
    }
    from = Math.floor(from / tileWidth)
    added = carried
    level += 1
  }
  return changed
}

/** The partly filled tiles of a tree, one a level at most. */
export const edgeTiles = (size: number): TilePlace[] => {
  const edge: TilePlace[] = []
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / tileWidth)) {
    if (count % tileWidth !== 0) edge.push({ level, tile: Math.floor(count / tileWidth) })
  }
  return edge
}
