import { leafHash } from '../kernel/merkle.ts'
import { hashBytes, verifyInclusion } from './tlog.ts'
import { parseCheckpoint, parseNote, parseVerifierKey, verifyNote } from './tlog-note.ts'

/** Proofs of inclusion as C2SP tlog-proof writes them: one text, to be checked offline with the log's verifier key alone. */

export type ProofText = {
  index: number
  /** Sibling hashes from the leaf upwards. */
  path: Uint8Array[]
  /** The signed checkpoint, verbatim. */
  checkpoint: string
}

const magic = 'c2sp.org/tlog-proof@v1'
/** A tree of 2^53 entries has no longer path. */
const longestPath = 53

export const proofText = ({ index, path, checkpoint }: ProofText): string => {
  const hashes = path.map(hash => `${Buffer.from(hash).toString('base64')}\n`).join('')
  return `${magic}\nindex ${index}\n${hashes}\n${checkpoint}`
}

const hashOf = (line: string): Buffer | undefined => {
  const bytes = Buffer.from(line, 'base64')
  return bytes.length === hashBytes && bytes.toString('base64') === line ? bytes : undefined
}

/** @returns undefined for what is not a proof. Extra data is allowed and, as nobody signs it, ignored. */
export const parseProof = (text: string): ProofText | undefined => {
  const end = text.indexOf('\n\n')
  if (end < 0) return undefined
  const [first, ...lines] = text.slice(0, end).split('\n')
  if (first !== magic) return undefined
  if (/^extra [A-Za-z0-9+/]+={0,2}$/.test(lines[0] ?? '')) lines.shift()
  const [indexLine = '', ...hashes] = lines
  const index = /^index (0|[1-9]\d{0,15})$/.exec(indexLine)?.[1]
  if (index === undefined || !Number.isSafeInteger(Number(index)) || hashes.length > longestPath) return undefined
  const path = hashes.map(hashOf).filter(hash => hash !== undefined)
  if (path.length !== hashes.length) return undefined
  return { index: Number(index), path, checkpoint: text.slice(end + 2) }
}

export type LoggedClaim = {
  /** The entry that is said to stand in the log. */
  leaf: Uint8Array
  index: number
  path: Uint8Array[]
  checkpoint: string
  /** Of the log that the reader trusts: `name+keyid+base64`. */
  verifierKey: string
}

/** Does the log with this key stand by the entry at this index? Needs nothing from the log but what is handed in. */
export const verifyLogged = ({ leaf, index, path, checkpoint, verifierKey }: LoggedClaim): boolean => {
  const key = parseVerifierKey(verifierKey)
  if (key === undefined || !verifyNote(checkpoint, key)) return false
  const head = parseCheckpoint(parseNote(checkpoint)?.text ?? '')
  // The key may sign other notes than checkpoints of this log.
  if (head === undefined || head.origin !== key.name) return false
  return verifyInclusion({ leaf: leafHash(leaf), position: index, size: head.size, root: head.root, proof: path })
}

/** The same of a proof in one text. */
export const verifyProof = (text: string, leaf: Uint8Array, verifierKey: string): boolean => {
  const proof = parseProof(text)
  return proof !== undefined && verifyLogged({ ...proof, leaf, verifierKey })
}
