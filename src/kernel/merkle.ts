import { createHash, hash } from 'node:crypto'

/** The Merkle tree hash of RFC 6962, over whatever is at hand. The log keeps its own tree in tiles. */

/** The digest leaves OpenSSL as a string: a Buffer of its own takes several times as long. */
const sha256 = (data: Uint8Array): Buffer => Buffer.from(hash('sha256', data, 'binary'), 'binary')
const leafPrefix = Buffer.of(0)
const nodePrefix = Buffer.of(1)

/** RFC 6962, 2.1: SHA-256(0x00 ‖ entry). */
export const leafHash = (entry: Uint8Array): Buffer => sha256(Buffer.concat([leafPrefix, entry], 1 + entry.length))
/** What is hashed of two nodes, written anew for each: nothing of it outlives the hash. */
const pair = Buffer.alloc(1 + 2 * 32, nodePrefix)
/** RFC 6962, 2.1: SHA-256(0x01 ‖ left ‖ right). */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => {
  if (left.length !== 32 || right.length !== 32) return sha256(Buffer.concat([nodePrefix, left, right]))
  pair.set(left, 1)
  pair.set(right, 33)
  return sha256(pair)
}
/** The root of the empty tree. */
export const emptyRoot = (): Buffer => createHash('sha256').digest()

/** An odd node at the end of a row goes up as it is: the same tree as by the largest power of two below. */
const above = (row: readonly Uint8Array[]): Uint8Array[] => {
  const next: Uint8Array[] = []
  for (let at = 0; at < row.length; at += 2) {
    const [left, right] = [row[at] as Uint8Array, row[at + 1]]
    next.push(right === undefined ? left : nodeHash(left, right))
  }
  return next
}

/** @param leaves their hashes. */
export const merkleRoot = (leaves: readonly Uint8Array[]): Buffer => {
  let row = leaves
  while (row.length > 1) row = above(row)
  return row[0] === undefined ? emptyRoot() : Buffer.from(row[0])
}

/** Sibling hashes from the leaf upwards (RFC 6962, 2.1.1). @throws RangeError for a position that there is not. */
export const merklePath = (leaves: readonly Uint8Array[], position: number): Uint8Array[] => {
  if (leaves[position] === undefined) throw new RangeError(`there is no leaf ${position} among ${leaves.length}`)
  const path: Uint8Array[] = []
  let row = leaves
  for (let at = position; row.length > 1; at >>= 1) {
    const sibling = row[at ^ 1]
    if (sibling !== undefined) path.push(sibling)
    row = above(row)
  }
  return path
}
