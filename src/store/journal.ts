import { createHash, hkdfSync } from 'node:crypto'
import { canonical, type Json } from '../kernel/canonical.ts'
import { randomBytes } from '../kernel/entropy.ts'
import type { Journal, JournalRecord } from '../kernel/ports.ts'
import { timeId } from '../kernel/time-id.ts'

/** The fields of a record in the order in which they are committed to. A new field means a new `scheme`. */
export const journalFields = [
  'operation',
  'callerKind',
  'callerId',
  'credentials',
  'input',
  'authority',
  'rules',
  'outcome',
  'at',
] as const
export type JournalField = (typeof journalFields)[number]
export type JournalDetails = Record<JournalField, Json>

/** One field of a record, opened without the others. `commitments` are those of all fields, in order. */
export type FieldOpening = { field: JournalField; value: Json; salt: Uint8Array; commitments: Uint8Array[] }

const scheme = 'chancery journal v1'
const saltBytes = 32

const sha256 = (...parts: (string | Uint8Array)[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The record as it stands in `journal_details`: flat, and JSON throughout. */
export const detailsOf = (record: JournalRecord): JournalDetails => ({
  operation: record.operation,
  callerKind: record.caller.kind,
  callerId: record.caller.id,
  credentials: record.caller.credentials,
  input: Buffer.from(record.input).toString('hex'),
  authority: record.authority,
  rules: record.rules,
  outcome: record.outcome,
  at: record.at,
})

/** One salt of 32 bytes a field, in order: the output of HKDF-SHA256 (RFC 5869) from the record salt, cut up. */
const fieldSalts = (recordSalt: Uint8Array): Buffer[] => {
  const salts = Buffer.from(hkdfSync('sha256', recordSalt, '', scheme, journalFields.length * saltBytes))
  return journalFields.map((_, at) => salts.subarray(at * saltBytes, (at + 1) * saltBytes))
}

/** SHA-256(salt ‖ canonical JSON). The salt has a fixed length, so no two openings can share a commitment. */
const commitField = (salt: Uint8Array, value: Json): Buffer => sha256(salt, canonical(value))

const commitFields = (salt: Uint8Array, details: JournalDetails): Buffer[] =>
  fieldSalts(salt).map((fieldSalt, at) => commitField(fieldSalt, details[journalFields[at] as JournalField]))

const commitmentOver = (commitments: Uint8Array[]): Buffer => sha256(scheme, ...commitments)

/** What stands in the journal and in the log: meaningless to whoever lacks the salt. */
export const commitmentOf = (salt: Uint8Array, details: JournalDetails): Buffer =>
  commitmentOver(commitFields(salt, details))

/** Is this what was journalled? */
export const verifyDetails = (commitment: Uint8Array, salt: Uint8Array, details: JournalDetails): boolean =>
  salt.length === saltBytes && commitmentOf(salt, details).equals(commitment)

/** Shows one field of a record to someone who may not see the others. */
export const openField = (salt: Uint8Array, details: JournalDetails, field: JournalField): FieldOpening => {
  const at = journalFields.indexOf(field)
  const fieldSalt = fieldSalts(salt)[at]
  if (fieldSalt === undefined) throw new TypeError(`a journal record has no field ${field}`)
  return { field, value: details[field], salt: fieldSalt, commitments: commitFields(salt, details) }
}

/** Does the journalled record have this value in this field? */
export const verifyField = (commitment: Uint8Array, opening: FieldOpening): boolean => {
  const { commitments, field, salt, value } = opening
  const own = commitments[journalFields.indexOf(field)]
  if (own === undefined || commitments.length !== journalFields.length || salt.length !== saltBytes) return false
  if (commitments.some(other => other.length !== 32)) return false
  return commitField(salt, value).equals(own) && commitmentOver(commitments).equals(commitment)
}

/**
 * The journal. A record is committed with its act and in no order; its place in the log is given by the sequencer
 * afterwards. Salt and readable record may be erased; the commitment stays.
 */
export const journal: Journal = {
  record: (tx, record) => {
    const id = timeId(record.at)
    const salt = randomBytes(saltBytes)
    const details = detailsOf(record)
    const commitment = commitmentOf(salt, details)
    tx.insert('journal', [{ id, commitment }])
    tx.insert('journal_details', [{ id, salt, record: canonical(details) }])
    tx.insert('journal_pending', [{ id, commitment }])
  },
}
