import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { emptyRoot, leafHash, merklePath, merkleRoot, nodeHash } from '../../src/kernel/merkle.ts'
import { appendLeaves, rootFrom, type Tile, verifyInclusion } from '../../src/store/tlog.ts'

const leavesOf = (entries: readonly Uint8Array[]): Buffer[] => entries.map(leafHash)
const entries = (least: number, most: number) =>
  fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: least, maxLength: most, size: 'max' })

/** The root of the log's own tree over the same leaves. */
const loggedRoot = (leaves: Buffer[]): Buffer => {
  const tiles = new Map(appendLeaves(0, [], leaves).map((tile: Tile) => [`${tile.level}/${tile.tile}`, tile]))
  return rootFrom(leaves.length, ({ level, tile: place }) => {
    const tile = tiles.get(`${level}/${place}`)
    if (tile === undefined) throw new Error('no such tile')
    return tile.hashes
  })
}

/** RFC 6962, 2.1, as it is written there. */
const rootByDefinition = (leaves: readonly Buffer[]): Buffer => {
  const [only] = leaves
  if (only === undefined) return createHash('sha256').digest()
  if (leaves.length === 1) return only
  let half = 1
  while (half * 2 < leaves.length) half *= 2
  return nodeHash(rootByDefinition(leaves.slice(0, half)), rootByDefinition(leaves.slice(half)))
}

describe('a Merkle root', () => {
  it('is of an empty tree the hash of nothing, and of one leaf that leaf', () => {
    expect(emptyRoot().toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(merkleRoot([])).toEqual(emptyRoot())
    expect(merkleRoot([leafHash(Buffer.of(7))])).toEqual(leafHash(Buffer.of(7)))
    expect(leafHash(Buffer.of()).toString('hex')).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    )
  })

  it('is the root of the log’s own tree over the same leaves, and that of the standard', () => {
    fc.assert(
      fc.property(entries(1, 600), given => {
        const leaves = leavesOf(given)
        expect(merkleRoot(leaves)).toEqual(loggedRoot(leaves))
        expect(merkleRoot(leaves)).toEqual(rootByDefinition(leaves))
      }),
      { numRuns: 60 },
    )
  })

  it('is another when one leaf is another, or two have changed places', () => {
    fc.assert(
      fc.property(entries(2, 40), fc.nat(), (given, seed) => {
        const leaves = leavesOf(given)
        const at = seed % (leaves.length - 1)
        const changed = leaves.with(at, leafHash(Buffer.alloc(64, 1)))
        expect(merkleRoot(changed).equals(merkleRoot(leaves))).toBe(false)
        const [one, two] = [leaves[at] as Buffer, leaves[at + 1] as Buffer]
        const swapped = leaves.with(at, two).with(at + 1, one)
        expect(merkleRoot(swapped).equals(merkleRoot(leaves))).toBe(one.equals(two))
      }),
    )
  })

  it('changes nothing of what it is given', () => {
    const leaves = leavesOf([Buffer.of(1), Buffer.of(2), Buffer.of(3)])
    const before = leaves.map(leaf => leaf.toString('hex'))
    merkleRoot(leaves).fill(0)
    merkleRoot(leaves.slice(0, 1)).fill(0)
    expect(leaves.map(leaf => leaf.toString('hex'))).toEqual(before)
  })
})

describe('a Merkle path', () => {
  it('leads from every leaf to the root, by the log’s own verifier, and from no other leaf or place', () => {
    fc.assert(
      fc.property(entries(1, 80), given => {
        const leaves = leavesOf(given)
        const [root, size] = [merkleRoot(leaves), leaves.length]
        for (const [position, leaf] of leaves.entries()) {
          const proof = merklePath(leaves, position).map(sibling => Buffer.from(sibling))
          expect(verifyInclusion({ leaf, position, size, root, proof })).toBe(true)
          const other = leafHash(Buffer.alloc(64, 1))
          expect(verifyInclusion({ leaf: other, position, size, root, proof })).toBe(false)
          expect(verifyInclusion({ leaf, position, size, root, proof: [...proof, other] })).toBe(false)
          if (proof.length > 0) {
            expect(verifyInclusion({ leaf, position, size, root, proof: proof.slice(1) })).toBe(false)
          }
        }
      }),
      { numRuns: 40 },
    )
  })

  it.each([-1, 3, 0.5])('is not to be had for the place %d among three', position => {
    const leaves = leavesOf([Buffer.of(1), Buffer.of(2), Buffer.of(3)])
    expect(() => merklePath(leaves, position)).toThrow(expect.objectContaining({ name: 'RangeError' }))
  })
})
