import { fromDateTime } from '../formats/jose.ts'
import { isRecord } from '../formats/json.ts'
import { pack, unpack } from './compression.ts'
import { indexOutOfRange, listRefused, listTooShort, readingList, statusMalformed } from './refusals.ts'
import { isListUrl, urlLengthMost } from './url.ts'

/** Bitstring Status List 1.0 (W3C Recommendation, 2025-05-15). */

/** For herd privacy (section 3.2, step 2). */
export const entriesLeast = 131_072
/** Statuses wider than this would need more messages than a credential has room for. */
const sizeMost = 16

/** Message by status; `undefined` in the words of the specification where the issuer has not said yet. */
export type StatusMessages = ReadonlyMap<number, string>

/** A `credentialStatus` of type BitstringStatusListEntry (section 2.1). */
export type BitstringEntry = {
  purpose: string
  /** Arbitrarily large on paper. */
  index: bigint
  listUrl: string
  /** Bits a status. */
  size: number
  messages: StatusMessages | undefined
  /** Where to read what the statuses mean. */
  references: string[]
}

const numeral = /^(0|[1-9][0-9]{0,39})$/
const hexadecimal = /^0x[0-9a-fA-F]{1,8}$/

const urlOf = (value: unknown, name: string): string => {
  if (!isListUrl(value)) throw statusMalformed(`${name} is not a URL of at most ${urlLengthMost} characters.`)
  return value
}

const textOf = (value: unknown, name: string): string => {
  if (typeof value !== 'string' || value === '') throw statusMalformed(`${name} is not a string.`)
  return value
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])

const readSize = (value: unknown): number => {
  if (value === undefined) return 1
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw statusMalformed('statusSize is not an integer greater than zero.')
  }
  if (value > sizeMost) throw statusMalformed(`statusSize above ${sizeMost} is not supported.`)
  return value
}

const readMessages = (value: unknown, size: number, name: string): StatusMessages | undefined => {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length !== 2 ** size) {
    throw statusMalformed(`${name} needs a message for each of the ${2 ** size} possible statuses.`)
  }
  const messages = new Map<number, string>()
  for (const item of value) {
    const { status, message } = isRecord(item) ? item : {}
    if (typeof status !== 'string' || !hexadecimal.test(status) || typeof message !== 'string') {
      throw statusMalformed(`${name} holds something that is no status with its message.`)
    }
    messages.set(Number(status), message)
  }
  if (messages.size !== value.length || [...messages.keys()].some(status => status >= value.length)) {
    throw statusMalformed(`${name} does not name each possible status once.`)
  }
  return messages
}

/** @throws Refusal malformed/status_malformed (MALFORMED_VALUE_ERROR) */
export const readBitstringEntry = (value: unknown): BitstringEntry => {
  if (!isRecord(value) || value['type'] !== 'BitstringStatusListEntry') {
    throw statusMalformed('the type of the entry is not BitstringStatusListEntry.')
  }
  const listUrl = urlOf(value['statusListCredential'], 'statusListCredential')
  if (value['id'] !== undefined && urlOf(value['id'], 'id') === listUrl) {
    throw statusMalformed('id of the entry is the URL of the list.')
  }
  const index = value['statusListIndex']
  if (typeof index !== 'string' || !numeral.test(index)) {
    throw statusMalformed('statusListIndex is not a whole number written in base 10 as a string.')
  }
  const size = readSize(value['statusSize'])
  const messages = readMessages(value['statusMessage'], size, 'statusMessage')
  if (size > 1 && messages === undefined) throw statusMalformed('statusMessage is missing beside statusSize.')
  const references = value['statusReference'] === undefined ? [] : listOf(value['statusReference'])
  return {
    ...{ purpose: textOf(value['statusPurpose'], 'statusPurpose'), index: BigInt(index), listUrl, size, messages },
    references: references.map(url => urlOf(url, 'statusReference')),
  }
}

/** A BitstringStatusListCredential (section 2.2) after its proof was verified. Times are milliseconds. */
export type BitstringList = {
  id: string | undefined
  purposes: string[]
  encodedList: string
  ttlMs: number | undefined
  validFrom: number | undefined
  validUntil: number | undefined
  /** Bits a status, where the list says so. */
  size: number | undefined
  messages: StatusMessages | undefined
}

/** @throws Refusal malformed/status_malformed (MALFORMED_VALUE_ERROR) */
export const readBitstringList = (document: unknown): BitstringList =>
  readingList(() => {
    if (!isRecord(document) || !listOf(document['type']).includes('BitstringStatusListCredential')) {
      throw statusMalformed('what the URL leads to is no BitstringStatusListCredential.')
    }
    const subject = document['credentialSubject']
    if (!isRecord(subject) || !listOf(subject['type']).includes('BitstringStatusList')) {
      throw statusMalformed('the subject of the list credential is no BitstringStatusList.')
    }
    const { ttl, statusSize, statusMessages } = subject
    if (ttl !== undefined && !(typeof ttl === 'number' && ttl > 0)) {
      throw statusMalformed('ttl of the list is not a positive number.')
    }
    const purposes = listOf(subject['statusPurpose']).map(purpose => textOf(purpose, 'statusPurpose'))
    if (purposes.length === 0) throw statusMalformed('the list has no purpose.')
    const size = statusSize === undefined ? undefined : readSize(statusSize)
    const messages = readMessages(statusMessages, size ?? 1, 'statusMessages')
    if (purposes.includes('message') && (size === undefined || messages === undefined)) {
      throw statusMalformed('a list of messages needs statusSize and statusMessages.')
    }
    return {
      id: document['id'] === undefined ? undefined : urlOf(document['id'], 'id'),
      ...{ purposes, size, messages, ttlMs: ttl },
      encodedList: textOf(subject['encodedList'], 'encodedList'),
      validFrom: fromDateTime(document['validFrom'], 'validFrom'),
      validUntil: fromDateTime(document['validUntil'], 'validUntil'),
    }
  })

const multibase = /^u[A-Za-z0-9_-]+$/

/**
 * The Bitstring Expansion Algorithm (section 3.4).
 * @throws Refusal malformed/status_malformed, rejected/status_list_too_large
 */
export const expandBitstring = (encodedList: string, bytesMost: number): Promise<Uint8Array> => {
  if (!multibase.test(encodedList)) throw statusMalformed('encodedList is not multibase of base64url ("u").')
  return unpack('gzip', Buffer.from(encodedList.slice(1), 'base64url'), bytesMost)
}

/** The Bitstring Generation Algorithm (section 3.3), of a bitstring whose statuses are set. */
export const compressBitstring = async (bytes: Uint8Array): Promise<string> =>
  `u${(await pack('gzip', bytes)).toString('base64url')}`

/** A bitstring of at least 131,072 entries, index 0 the left-most. @throws RangeError for what does not fit. */
export const bitstringOf = (options: {
  entries: number
  size: number
  statuses: Iterable<{ index: number; status: number }>
}): Uint8Array => {
  const { entries, size, statuses } = options
  const bytes = new Uint8Array(Math.ceil((Math.max(entries, entriesLeast) * size) / 8))
  for (const { index, status } of statuses) {
    if (index < 0 || index >= entries || status < 0 || status >= 2 ** size) {
      throw new RangeError(`no status ${status} at index ${index}`)
    }
    for (let bit = 0; bit < size; bit++) {
      const at = index * size + bit
      const mask = 0x80 >> (at & 7)
      const isSet = ((status >> (size - 1 - bit)) & 1) === 1
      bytes[at >> 3] = isSet ? (bytes[at >> 3] ?? 0) | mask : (bytes[at >> 3] ?? 0) & ~mask
    }
  }
  return bytes
}

const valueAt = (bits: Uint8Array, from: number, size: number): number => {
  let value = 0
  for (let at = from; at < from + size; at++) value = (value << 1) | (((bits[at >> 3] ?? 0) >> (7 - (at & 7))) & 1)
  return value
}

/** What the Validate Algorithm returns (section 3.2, steps 11 to 15). */
export type BitstringStatus = { status: number; purpose: string; valid: boolean; message?: string }

/**
 * Steps 5 to 15 of the Validate Algorithm (section 3.2), over a list whose proof was verified.
 * @throws Refusal status_list_refused (STATUS_VERIFICATION_ERROR), status_list_short (STATUS_LIST_LENGTH_ERROR),
 * status_index_out_of_range (RANGE_ERROR)
 */
export const statusOf = (entry: BitstringEntry, list: Omit<BitstringList, 'encodedList'>, bits: Uint8Array) => {
  const { purpose, size } = entry
  if (!list.purposes.includes(purpose)) throw listRefused('the list is not for the purpose of the entry.')
  if (list.size !== undefined && list.size !== size) throw listRefused('list and entry differ in their statusSize.')
  const length = bits.length * 8
  if (length / size < entriesLeast) throw listTooShort(entriesLeast)
  if ((entry.index + 1n) * BigInt(size) > BigInt(length)) throw indexOutOfRange()
  const status = valueAt(bits, Number(entry.index) * size, size)
  const result: BitstringStatus = { status, purpose, valid: status === 0 }
  if (purpose === 'message' || entry.messages !== undefined) {
    // What the issuer committed to when it issued comes before what the list says now.
    const message = (entry.messages ?? list.messages)?.get(status)
    if (message !== undefined) result.message = message
  }
  return result
}

/** What a status means for whether the credential stands: only two purposes take anything away (section 2.1). */
export const standingOf = ({ status, purpose }: BitstringStatus): 'valid' | 'revoked' | 'suspended' => {
  if (status === 0) return 'valid'
  if (purpose === 'revocation') return 'revoked'
  return purpose === 'suspension' ? 'suspended' : 'valid'
}
