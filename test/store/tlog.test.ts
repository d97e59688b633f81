import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { emptyRoot, leafHash } from '../../src/kernel/merkle.ts'
import {
  appendLeaves,
  consistencyFrom,
  consistencyTiles,
  edgeTiles,
  inclusionFrom,
  inclusionTiles,
  rootFrom,
  rootTiles,
  type Tile,
  type TilePlace,
  verifyConsistency,
  verifyInclusion,
} from '../../src/store/tlog.ts'

/** The definition of RFC 6962, 2.1, word for word and without tiles. */
const treeHash = (leaves: Uint8Array[]): Buffer => {
  if (leaves.length === 0) return createHash('sha256').digest()
  const [only] = leaves
  if (leaves.length === 1 && only !== undefined) return Buffer.from(only)
  let half = 1
  while (half * 2 < leaves.length) half *= 2
  const hash = createHash('sha256').update(Buffer.of(1))
  return hash
    .update(treeHash(leaves.slice(0, half)))
    .update(treeHash(leaves.slice(half)))
    .digest()
}

/** A log in memory that keeps tiles as the database does, and says which were read. */
const log = () => {
  const tiles = new Map<string, Tile>()
  const key = (place: TilePlace) => `${place.level}/${place.tile}`
  let size = 0
  return {
    append: (leaves: Uint8Array[]) => {
      const edge = edgeTiles(size).map(place => tiles.get(key(place)) as Tile)
      for (const tile of appendLeaves(size, edge, leaves)) tiles.set(key(tile), tile)
      size += leaves.length
    },
    reader: (allowed: TilePlace[]) => {
      const names = new Set(allowed.map(key))
      return (place: TilePlace) => {
        if (!names.has(key(place))) throw new Error(`tile ${key(place)} was not announced`)
        return (tiles.get(key(place)) as Tile).hashes
      }
    },
    longest: () => Math.max(...[...tiles.values()].map(tile => tile.hashes.length)),
  }
}

const leavesOf = (count: number) => Array.from({ length: count }, (_, at) => leafHash(Buffer.from(`entry ${at}`)))

// The eight entries of the Certificate Transparency reference tests, and the roots of their trees.
const knownEntries = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const knownRoots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
const knownLeaves = knownEntries.map(entry => leafHash(Buffer.from(entry, 'hex')))

test('the empty tree has the root of RFC 6962', () => {
  expect(emptyRoot().toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(rootFrom(0, log().reader([]))).toEqual(emptyRoot())
})

test.each(knownRoots.map((root, at) => [at + 1, root] as const))(
  'the known tree of %i entries has its known root',
  (size, root) => {
    const tree = log()
    tree.append(knownLeaves.slice(0, size))
    expect(rootFrom(size, tree.reader(rootTiles(size))).toString('hex')).toBe(root)
  },
)

test('the known inclusion and consistency proofs come out', () => {
  const tree = log()
  tree.append(knownLeaves)
  const hex = (proof: Buffer[]) => proof.map(hash => hash.toString('hex'))
  expect(hex(inclusionFrom(0, 8, tree.reader(inclusionTiles(0, 8))))).toEqual([
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ])
  expect(hex(inclusionFrom(5, 8, tree.reader(inclusionTiles(5, 8))))).toEqual([
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
  expect(hex(consistencyFrom(6, 8, tree.reader(consistencyTiles(6, 8))))).toEqual([
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
  expect(hex(consistencyFrom(2, 5, tree.reader(consistencyTiles(2, 5))))).toEqual([
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  ])
})

const most = 3000
const all = leavesOf(most)
const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 })

test('however the leaves are batched, the root is that of the definition', () => {
  fc.assert(
    fc.property(sizes, batches => {
      const tree = log()
      let size = 0
      for (const count of batches) {
        const leaves = all.slice(size, size + count)
        tree.append(leaves)
        size += leaves.length
      }
      return rootFrom(size, tree.reader(rootTiles(size))).equals(treeHash(all.slice(0, size)))
    }),
    { numRuns: 40 },
  )
})

const whole = log()
whole.append(all)
const rootAt = (size: number) => rootFrom(size, whole.reader(rootTiles(size)))

test('every inclusion proof verifies, and for nothing else', () => {
  const positions = fc
    .integer({ min: 1, max: most })
    .chain(size => fc.record({ size: fc.constant(size), position: fc.integer({ min: 0, max: size - 1 }) }))
  fc.assert(
    fc.property(positions, fc.nat(), ({ size, position }, salt) => {
      const proof = inclusionFrom(position, size, whole.reader(inclusionTiles(position, size)))
      const claim = { leaf: all[position] as Buffer, position, size, root: rootAt(size), proof }
      expect(verifyInclusion(claim)).toBe(true)
      expect(verifyInclusion({ ...claim, leaf: leafHash(Buffer.from(`forged ${salt}`)) })).toBe(false)
      expect(verifyInclusion({ ...claim, root: rootAt(size === 1 ? 2 : size - 1) })).toBe(false)
      expect(verifyInclusion({ ...claim, proof: [...proof, claim.root] })).toBe(false)
      if (size === 1) return
      const other = (position + 1 + (salt % (size - 1))) % size
      expect(verifyInclusion({ ...claim, position: other })).toBe(false)
      expect(verifyInclusion({ ...claim, position: position + size })).toBe(false)
      expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(false)
      const bent = proof.map((hash, at) => (at === salt % proof.length ? leafHash(hash) : hash))
      expect(verifyInclusion({ ...claim, proof: bent })).toBe(false)
    }),
    { numRuns: 150 },
  )
})

test('every consistency proof verifies, and for no other past', () => {
  const pairs = fc
    .integer({ min: 1, max: most })
    .chain(size => fc.record({ size: fc.constant(size), oldSize: fc.integer({ min: 0, max: size }) }))
  fc.assert(
    fc.property(pairs, fc.nat(), ({ size, oldSize }, salt) => {
      const proof = consistencyFrom(oldSize, size, whole.reader(consistencyTiles(oldSize, size)))
      const claim = { oldSize, oldRoot: rootAt(oldSize), size, root: rootAt(size), proof }
      expect(verifyConsistency(claim)).toBe(true)
      expect(verifyConsistency({ ...claim, oldRoot: leafHash(Buffer.from(`forged ${salt}`)) })).toBe(false)
      expect(verifyConsistency({ ...claim, proof: [...proof, claim.root] })).toBe(false)
      expect(verifyConsistency({ ...claim, oldSize: size, size: oldSize })).toBe(oldSize === size)
      if (oldSize === 0 || oldSize === size) return
      expect(verifyConsistency({ ...claim, root: leafHash(Buffer.from(`forged ${salt}`)) })).toBe(false)
      expect(verifyConsistency({ ...claim, proof: proof.slice(1) })).toBe(false)
      const bent = proof.map((hash, at) => (at === salt % proof.length ? leafHash(hash) : hash))
      expect(verifyConsistency({ ...claim, proof: bent })).toBe(false)
    }),
    { numRuns: 150 },
  )
})

test('a proof is asked for outside of the tree in vain', () => {
  expect(() => inclusionTiles(8, 8)).toThrow(RangeError)
  expect(() => inclusionTiles(-1, 8)).toThrow(RangeError)
  expect(() => inclusionTiles(0.5, 8)).toThrow(RangeError)
  expect(() => consistencyTiles(9, 8)).toThrow(RangeError)
})

test('no tile is longer than 256 hashes, and a proof in a large tree reads few tiles', () => {
  expect(whole.longest()).toBe(256 * 32)
  expect(inclusionTiles(123_456_789, 10 ** 12).length).toBeLessThan(20)
  expect(edgeTiles(10 ** 12).length).toBeLessThanOrEqual(6)
})

test('leaves cannot be appended to an edge that is not there', () => {
  expect(() => appendLeaves(5, [], leavesOf(1))).toThrow(/edge/)
})
