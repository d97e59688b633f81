import { createSecretKey, hash, hkdfSync } from 'node:crypto'
import { canonical, type Json } from '../kernel/canonical.ts'
import { randomBytes } from '../kernel/entropy.ts'
import type { Journal, JournalRecord, RecordOpening } from '../kernel/ports.ts'
import { timeId } from '../kernel/time-id.ts'

/**
 * The fields of a record in the order in which they are committed to, by scheme. A new field means a new scheme, and the
 * old ones stay: what was journalled under them is still to be verified. Which scheme a record has is known from its
 * fields.
 */
export const journalSchemes = {
  'chancery journal v1': [
    ...['operation', 'callerKind', 'callerId', 'credentials', 'input'],
    ...['authority', 'rules', 'outcome', 'at'],
  ],
  'chancery journal v2': [
    ...['operation', 'callerKind', 'callerId', 'principal', 'author', 'parties', 'mandates', 'credentials', 'input'],
    ...['authority', 'rules', 'effects', 'outcome', 'at'],
  ],
} as const satisfies Record<string, readonly string[]>

export type JournalScheme = keyof typeof journalSchemes
export type JournalDetails = Record<string, Json>

const saltBytes = 32
const hashBytes = 32

/** The digest leaves OpenSSL as a string: with a Buffer of its own each, a record's hashes take four times as long. */
const sha256 = (...parts: (string | Uint8Array)[]): Buffer => {
  const bytes = Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.from(hash('sha256', bytes, 'binary'), 'binary')
}

/** The record as it stands in `journal_details`: flat, and JSON throughout. */
export const detailsOf = (record: JournalRecord): JournalDetails => ({
  operation: record.operation,
  callerKind: record.caller.kind,
  callerId: record.caller.id,
  principal: record.caller.principal ?? null,
  author: record.caller.author ?? null,
  parties: [...(record.caller.parties ?? [])],
  mandates: [...(record.caller.mandates ?? [])],
  credentials: [...record.caller.credentials],
  input: Buffer.from(record.input).toString('hex'),
  authority: record.authority,
  rules: record.rules,
  effects: [...(record.effects ?? [])],
  outcome: record.outcome,
  at: record.at,
})

const isScheme = (name: string): name is JournalScheme => Object.hasOwn(journalSchemes, name)
const schemeNames = Object.keys(journalSchemes).filter(isScheme)

/** @returns undefined for what no scheme describes. */
export const schemeOf = (details: JournalDetails): JournalScheme | undefined => {
  const count = Object.keys(details).length
  return schemeNames.find(scheme => {
    const fields = journalSchemes[scheme]
    return fields.length === count && fields.every(field => Object.hasOwn(details, field))
  })
}

/** One salt of 32 bytes a field, in order: the output of HKDF-SHA256 (RFC 5869) from the record salt, cut up. */
const fieldSalts = (scheme: JournalScheme, recordSalt: Uint8Array): Buffer[] => {
  const fields = journalSchemes[scheme]
  // As a key: bytes as they are take twice as long.
  const salts = Buffer.from(hkdfSync('sha256', createSecretKey(recordSalt), '', scheme, fields.length * saltBytes))
  return fields.map((_, at) => salts.subarray(at * saltBytes, (at + 1) * saltBytes))
}

/** Where short fields are put together: buffers of their own for each take longer than their digest. */
const scratch = Buffer.alloc(4_096)

/** SHA-256(salt ‖ canonical JSON). The salt has a fixed length, so no two openings can share a commitment. */
const commitField = (salt: Uint8Array, value: unknown): Buffer => {
  const text = canonical(value)
  // No character takes more than three bytes.
  if (saltBytes + text.length * 3 > scratch.length) return sha256(salt, text)
  scratch.set(salt)
  const end = saltBytes + scratch.write(text, saltBytes)
  return Buffer.from(hash('sha256', scratch.subarray(0, end), 'binary'), 'binary')
}

const commitFields = (scheme: JournalScheme, salt: Uint8Array, details: JournalDetails): Buffer[] =>
  fieldSalts(scheme, salt).map((fieldSalt, at) => commitField(fieldSalt, details[journalSchemes[scheme][at] ?? '']))

const commitmentOver = (scheme: JournalScheme, commitments: Uint8Array[]): Buffer => sha256(scheme, ...commitments)

const schemeNeeded = (details: JournalDetails): JournalScheme => {
  const scheme = schemeOf(details)
  if (scheme === undefined) throw new TypeError('no scheme of the journal has these fields')
  return scheme
}

/** What stands in the journal and in the log: meaningless to whoever lacks the salt. */
export const commitmentOf = (salt: Uint8Array, details: JournalDetails): Buffer => {
  const scheme = schemeNeeded(details)
  return commitmentOver(scheme, commitFields(scheme, salt, details))
}

/** Is this what was journalled? */
export const verifyDetails = (commitment: Uint8Array, salt: Uint8Array, details: JournalDetails): boolean =>
  salt.length === saltBytes && schemeOf(details) !== undefined && commitmentOf(salt, details).equals(commitment)

/** Shows one field of a record to someone who may not see the others. @returns undefined for a field it has not. */
export const openField = (salt: Uint8Array, details: JournalDetails, field: string): RecordOpening | undefined => {
  const scheme = schemeNeeded(details)
  const fields: readonly string[] = journalSchemes[scheme]
  const fieldSalt = fieldSalts(scheme, salt)[fields.indexOf(field)]
  if (fieldSalt === undefined) return undefined
  const commitments = commitFields(scheme, salt, details).map(commitment => commitment.toString('base64'))
  return { scheme, field, value: details[field], salt: fieldSalt.toString('base64'), commitments }
}

const fromBase64 = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** Does the journalled record have this value in this field? */
export const verifyField = (commitment: Uint8Array, opening: RecordOpening): boolean => {
  const { scheme, field, value } = opening
  if (!isScheme(scheme) || value === undefined) return false
  const fields: readonly string[] = journalSchemes[scheme]
  const salt = fromBase64(opening.salt)
  const commitments = opening.commitments.map(text => fromBase64(text) ?? Buffer.alloc(0))
  const own = commitments[fields.indexOf(field)]
  if (salt?.length !== saltBytes || own === undefined || commitments.length !== fields.length) return false
  if (commitments.some(bytes => bytes.length !== hashBytes)) return false
  return commitField(salt, value).equals(own) && commitmentOver(scheme, commitments).equals(commitment)
}

/**
 * The journal. A record is committed with its act and in no order; its place in the log is given by the sequencer
 * afterwards. Salt and readable record may be erased; the commitment stays.
 */
export const journal: Journal = {
  record: (tx, record) => {
    const id = record.id ?? timeId(record.at)
    const salt = randomBytes(saltBytes)
    const details = detailsOf(record)
    const commitment = commitmentOf(salt, details)
    tx.insert('journal', [{ id, commitment }])
    tx.insert('journal_details', [{ id, salt, record: canonical(details) }])
    tx.insert('journal_pending', [{ id, commitment }])
  },
}
