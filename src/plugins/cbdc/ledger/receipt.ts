import { decodeEntry, type Entry } from '../../../kernel/ledger-entry.ts'
import { nodeHash } from '../../../kernel/merkle.ts'
import { entryLeaf } from '../actions/book.ts'
import { isCount, isText, members, openStatement, type Signatory, type StatementFault } from './statement.ts'

/**
 * A receipt is the ledger's signed statement that an entry stands in it: a JWS (RFC 7515, ES256, type `ledger-receipt+jwt`) with the
 * entry's own bytes and the Merkle path from it to the root of its batch. Whoever has it shows it to a third party, who checks it
 * with the ledger's key alone. The batch's root stands among the effects of the journal record it names, so that the log's
 * inclusion proof can go beside a receipt without changing it.
 */

export const receiptType = 'ledger-receipt+jwt'

export type ReceiptStatement = {
  /** DID of the ledger. */
  iss: string
  /** Seconds. */
  iat: number
  entry: {
    number: number
    /** UUID that its sender gave it; the ledger's word, which the batch's root does not commit to. */
    id: string | null
    /** The entry's bytes, base64url. */
    record: string
  }
  batch: {
    number: number
    /** The batch's one time, ISO 8601. */
    at: string
    firstEntry: number
    entries: number
    /** Hex. */
    root: string
  }
  /** Sibling hashes in hex from the entry upwards (RFC 6962, 2.1.1). */
  path: string[]
  /** A journal record among whose effects the root stands; null for batches that are older than the field. */
  journal: string | null
}

/**
 * The root that a path leads to (RFC 9162, 2.1.3.2).
 * @returns undefined when the path does not fit a tree of that size.
 */
export const rootOf = (
  leaf: Uint8Array,
  { position, size }: { position: number; size: number },
  path: readonly Uint8Array[],
): Buffer | undefined => {
  if (position < 0 || position >= size) return undefined
  let [at, last] = [position, size - 1]
  let hash: Buffer = Buffer.from(leaf)
  for (const sibling of path) {
    if (last === 0) return undefined
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash)
      // A node without a sibling goes up as it is, as often as it has none.
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)]
    } else hash = nodeHash(hash, sibling)
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 ? hash : undefined
}

/** Why a receipt does not count, in the order in which it is looked at. */
export type ReceiptFault = StatementFault | 'statement' | 'record' | 'path'

export type ReceiptVerdict =
  | { holds: true; statement: ReceiptStatement; entry: Entry }
  | { holds: false; fault: ReceiptFault }

const receiptMost = 16_384
const pathMost = 53

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const digest = /^[0-9a-f]{64}$/

const isStatement = (value: Record<string, unknown>): boolean => {
  const [entry, batch] = [members(value['entry']), members(value['batch'])]
  const { path } = value
  return (
    isText(value['iss'], /^did:/) &&
    isCount(value['iat']) &&
    isCount(entry['number']) &&
    (entry['id'] === null || isText(entry['id'], uuid)) &&
    isText(entry['record'], /^[A-Za-z0-9_-]+$/) &&
    isCount(batch['number']) &&
    isText(batch['at'], /Z$/) &&
    isCount(batch['firstEntry']) &&
    isCount(batch['entries']) &&
    isText(batch['root'], digest) &&
    Array.isArray(path) &&
    path.length <= pathMost &&
    path.every(each => isText(each, digest)) &&
    (value['journal'] === null || isText(value['journal'], uuid))
  )
}

const leadsToRoot = ({ entry, batch, path }: ReceiptStatement, raw: Buffer): boolean => {
  const position = entry.number - batch.firstEntry
  const siblings = path.map(each => Buffer.from(each, 'hex'))
  const root = rootOf(entryLeaf({ number: entry.number, raw }), { position, size: batch.entries }, siblings)
  return root?.toString('hex') === batch.root
}

/** Checks a receipt without asking anybody: a receipt of another ledger under the same key would not be one of this one. */
export const verifyReceipt = (receipt: string, signatory: Signatory): ReceiptVerdict => {
  const opened = openStatement(receipt, signatory, { type: receiptType, most: receiptMost })
  if ('fault' in opened) return { holds: false, fault: opened.fault }
  if (!isStatement(opened.claims)) return { holds: false, fault: 'statement' }
  const statement = opened.claims as ReceiptStatement
  const raw = Buffer.from(statement.entry.record, 'base64url')
  const entry = raw.toString('base64url') === statement.entry.record ? decodeEntry(raw) : undefined
  if (entry === undefined) return { holds: false, fault: 'record' }
  if (!leadsToRoot(statement, raw)) return { holds: false, fault: 'path' }
  return { holds: true, statement, entry }
}
