import { isUtf8 } from 'node:buffer'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DIDDocument } from 'did-resolver'
import { isRefusal, type Refusal } from '../../kernel/refusal.ts'
import { isRecord, readJson } from '../formats/json.ts'
import { readDateTimeStamp } from '../integrity/proof.ts'
import { entryHash, scidOf } from './hash.ts'
import { hashForm, parseWebvhDid } from './identifier.ts'
import {
  type Active,
  authorisedKeys,
  firstParameters,
  nextParameters,
  requiredWitnesses,
  type Witnesses,
} from './parameters.ts'
import { verifyEntryProofs } from './proofs.ts'
import { alreadyEnded, logMalformed, scidMismatch, subjectRefused, timeRefused, versionBroken } from './refusals.ts'

/** An entry of a log that holds, as far as it goes. */
export type Version = {
  versionId: string
  number: number
  /** Milliseconds. */
  time: number
  /** As the entry says it. */
  versionTime: string
  document: DIDDocument
  /** What is in force after it. */
  active: Active
  /** Who has to have approved it. */
  witnesses: Witnesses | undefined
}

/** The entries that hold, and why the one after them does not (did:webvh 1.0, Read (Resolve), steps 10 and 11). */
export type ReadLog = { versions: Version[]; failure: Refusal | undefined }

export type LogOptions = {
  /** Milliseconds. */
  now: number
  /** Hosts without a domain that may be meant, for the demo. */
  localHosts?: readonly string[]
}

/** What is larger is not read. */
export const logBounds = { bytes: 1_048_576, entries: 1_000 }

const turnEntries = 16

/** How far an entry may lie in the future (Read (Resolve), step 4). */
const futureMostMs = 5 * 60_000

type Entry = {
  versionId: string
  versionTime: string
  parameters: Record<string, unknown>
  state: Record<string, unknown>
  proof: unknown
}

const members = ['versionId', 'versionTime', 'parameters', 'state', 'proof']

/** Characters of an entry: it is hashed, and canonicalised again for each of its proofs. */
const entryMost = 65_536

const readEntry = (line: string): Entry => {
  if (line.length > entryMost) throw logMalformed('An entry of the log is longer than 64 KiB.')
  const entry = readJson(line, 'entry of the log')
  if (!isRecord(entry) || Object.keys(entry).some(name => !members.includes(name))) {
    throw logMalformed('An entry of the log is no object of versionId, versionTime, parameters, state and proof.')
  }
  const { versionId, versionTime, parameters, state, proof } = entry
  const isText = typeof versionId === 'string' && typeof versionTime === 'string'
  if (!isText || !isRecord(parameters) || !isRecord(state) || proof === undefined) {
    throw logMalformed('An entry of the log lacks versionId, versionTime, parameters, state or proof.')
  }
  return { versionId, versionTime, parameters, state, proof }
}

/** Step 3: the number in turn, one dash, the hash over the entry with the versionId before it. */
const assertVersion = (entry: Entry, number: number, previousId: string): void => {
  const [digits, hash = '', ...rest] = entry.versionId.split('-')
  if (rest.length > 0 || !hashForm.test(hash)) throw versionBroken('A versionId is a number, one dash and a hash.')
  if (digits !== String(number)) throw versionBroken(`Entry ${number} of the log has another number.`)
  const { proof: _, ...unproven } = entry
  if (entryHash({ ...unproven, versionId: previousId }) !== hash) {
    throw versionBroken(`The hash of entry ${number} does not fit what it says.`)
  }
}

/** Step 4. */
const timeOf = ({ versionTime }: Entry, before: Version | undefined, now: number): number => {
  const time = /(?:Z|\+00:00)$/.test(versionTime) ? readDateTimeStamp(versionTime) : undefined
  if (time === undefined) throw timeRefused('versionTime of an entry is no date and time in UTC.')
  if (before !== undefined && time <= before.time) throw timeRefused('An entry is not later than the one before it.')
  if (time > now + futureMostMs) throw timeRefused('An entry lies in the future.')
  return time
}

const isMethods = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.length <= 200 && value.every(isRecord))

/** Step 6, and DID Portability. */
const documentOf = (entry: Entry, active: Active, before: Version | undefined, localHosts: readonly string[]) => {
  const { id, alsoKnownAs, verificationMethod, service } = entry.state
  const did = typeof id === 'string' ? parseWebvhDid(id, localHosts) : undefined
  if (did === undefined) throw subjectRefused('The id of a document in the log is no did:webvh.')
  if (did.scid !== active.scid) throw subjectRefused('The id of a document in the log has another SCID.')
  if (!isMethods(verificationMethod) || !isMethods(service)) {
    throw subjectRefused('A document in the log has malformed keys or services.')
  }
  if (before !== undefined && before.document.id !== id) {
    if (!before.active.portable) throw subjectRefused('The DID moved though it is not portable.')
    const names = Array.isArray(alsoKnownAs) ? alsoKnownAs : []
    if (!names.includes(before.document.id)) throw subjectRefused('The DID moved and is not alsoKnownAs what it was.')
  }
  return entry.state as DIDDocument
}

/** Step 5: what the log began with gives the SCID. */
const assertScid = (entry: Entry, scid: string): void => {
  const { proof: _, ...unproven } = entry
  if (!hashForm.test(scid)) throw scidMismatch('The scid of the log is no hash of SHA-256.')
  if (scidOf(unproven, scid) !== scid) throw scidMismatch('The scid of the log is not the hash of its first entry.')
}

const nextVersion = async (
  entry: Entry,
  versions: readonly Version[],
  { now, localHosts = [] }: LogOptions,
): Promise<Version> => {
  const before = versions.at(-1)
  if (before?.active.deactivated === true) throw alreadyEnded()
  const active =
    before === undefined ? firstParameters(entry.parameters) : nextParameters(entry.parameters, before.active)
  await verifyEntryProofs({ ...entry }, authorisedKeys(active, before?.active), now)
  const number = versions.length + 1
  assertVersion(entry, number, before?.versionId ?? active.scid)
  const time = timeOf(entry, before, now)
  if (before === undefined) assertScid(entry, active.scid)
  const document = documentOf(entry, active, before, localHosts)
  const witnesses = requiredWitnesses(active, before?.active)
  const { versionId, versionTime } = entry
  return { versionId, number, time, versionTime, document, active, witnesses }
}

/** JSON Lines: the last one may end without its newline. */
const linesOf = (body: Buffer): string[] => {
  if (body.length > logBounds.bytes || !isUtf8(body)) {
    throw logMalformed(`A log is UTF-8 of up to ${logBounds.bytes} bytes.`)
  }
  const lines = body.toString('utf8').split('\n')
  if (lines.at(-1)?.trim() === '') lines.pop()
  if (lines.length > logBounds.entries) throw logMalformed(`A log has up to ${logBounds.entries} entries.`)
  return lines
}

/**
 * Reads a log and verifies every entry of it (did:webvh 1.0, Read (Resolve)), but for the approval of witnesses. Whether it is
 * of the DID that was asked for is for `assertSubject` to say.
 * @throws Refusal rejected/did_log_malformed and others when not even the first entry holds
 */
export const readLog = async (body: Buffer, options: LogOptions): Promise<ReadLog> => {
  const versions: Version[] = []
  for (const [at, line] of linesOf(body).entries()) {
    // A long log is a stranger's: others get their turn while it is read.
    if (at % turnEntries === turnEntries - 1) await nextTurn()
    try {
      versions.push(await nextVersion(readEntry(line), versions, options))
    } catch (error) {
      if (!isRefusal(error)) throw error
      const failure = error.code.startsWith('did_log_') ? error : logMalformed(error.message, error)
      if (versions.length === 0) throw failure
      return { versions, failure }
    }
  }
  if (versions.length === 0) throw logMalformed('The log has no entry.')
  return { versions, failure: undefined }
}

/** Reading did:webvh DID URLs: the log is of this DID, now or before it moved. @throws Refusal rejected/did_log_subject */
export const assertSubject = ({ versions }: ReadLog, { did, scid }: { did: string; scid: string }): void => {
  if (versions[0]?.active.scid !== scid) throw subjectRefused('The log has another SCID than the DID.')
  if (versions.some(({ document }) => document.id === did)) return
  throw subjectRefused('The log is of a DID with another place.')
}
