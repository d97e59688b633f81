import fc from 'fast-check'
import {
  bitstringOf,
  compressBitstring,
  entriesLeast,
  expandBitstring,
  readBitstringEntry,
  readBitstringList,
  standingOf,
  statusOf,
} from '../../../src/identity/status-lists/bitstring.ts'
import { pack } from '../../../src/identity/status-lists/compression.ts'
import { codeOf, type Json } from '../sd-jwt/parts.ts'

/** Examples 1, 2 and 3 of Bitstring Status List 1.0. */
const revocation = {
  id: 'https://example.com/credentials/status/3#94567',
  type: 'BitstringStatusListEntry',
  statusPurpose: 'revocation',
  statusListIndex: '94567',
  statusListCredential: 'https://example.com/credentials/status/3',
}
const message = {
  id: 'https://example.com/credentials/status/8#492847',
  type: 'BitstringStatusListEntry',
  statusPurpose: 'message',
  statusListIndex: '492847',
  statusSize: 2,
  statusListCredential: 'https://example.com/credentials/status/8',
  statusMessage: [
    { status: '0x0', message: 'pending_review' },
    { status: '0x1', message: 'accepted' },
    { status: '0x2', message: 'rejected' },
    { status: '0x3', message: 'undefined' },
  ],
  statusReference: 'https://example.org/status-dictionary/',
}
const encodedList = 'uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA'
const subject = {
  id: 'https://example.com/status/3#list',
  type: 'BitstringStatusList',
  statusPurpose: 'revocation',
  encodedList,
}
const credential = {
  '@context': ['https://www.w3.org/ns/credentials/v2'],
  id: 'https://example.com/credentials/status/3',
  type: ['VerifiableCredential', 'BitstringStatusListCredential'],
  issuer: 'did:example:12345',
  validFrom: '2021-04-05T14:27:40Z',
  credentialSubject: subject,
}

describe('the examples of Bitstring Status List', () => {
  it('validate: example 1 stands in the list of example 3, which has 131,072 zeros', async () => {
    const { encodedList: packed, ...list } = readBitstringList(credential)
    const bits = await expandBitstring(packed, 16_384)
    expect(bits.length * 8).toBe(entriesLeast)
    expect(bits.every(byte => byte === 0)).toBe(true)
    const result = statusOf(readBitstringEntry(revocation), list, bits)
    expect(result).toEqual({ status: 0, purpose: 'revocation', valid: true })
    expect(standingOf(result)).toBe('valid')
  })

  it('validate: example 2 has a message for each value of its two bits', () => {
    const entry = readBitstringEntry(message)
    const list = { ...readBitstringList(credential), purposes: ['message'] }
    const bits = bitstringOf({ entries: 500_000, size: 2, statuses: [{ index: 492_847, status: 2 }] })
    const result = statusOf(entry, list, bits)
    expect(result).toEqual({ status: 2, purpose: 'message', valid: false, message: 'rejected' })
    expect(standingOf(result)).toBe('valid')
    expect(entry.references).toEqual(['https://example.org/status-dictionary/'])
  })
})

describe('a bitstring', () => {
  it('has index 0 left-most, and is compressed as GZIP in multibase of base64url', async () => {
    const bytes = bitstringOf({
      entries: 10,
      size: 1,
      statuses: [
        { index: 0, status: 1 },
        { index: 9, status: 1 },
      ],
    })
    expect([bytes[0], bytes[1], bytes.length]).toEqual([0x80, 0x40, 16_384])
    const packed = await compressBitstring(bytes)
    expect(packed).toMatch(/^uH4sI[A-Za-z0-9_-]+$/)
    expect(Buffer.from(await expandBitstring(packed, 16_384)).equals(bytes)).toBe(true)
  })

  it('keeps the statuses of any width apart', () => {
    const cases = fc.integer({ min: 1, max: 16 }).chain(size =>
      fc.record({
        size: fc.constant(size),
        statuses: fc.array(fc.nat(2 ** size - 1), { minLength: 1, maxLength: 40 }),
      }),
    )
    fc.assert(
      fc.property(cases, ({ size, statuses }) => {
        const entries = statuses.length
        const bits = bitstringOf({ entries, size, statuses: statuses.map((status, index) => ({ status, index })) })
        const list = { ...readBitstringList(credential), purposes: ['p'] }
        const read = statuses.map((_status, index) => {
          const entry = { purpose: 'p', index: BigInt(index), listUrl: '', size, messages: undefined, references: [] }
          return statusOf(entry, list, bits).status
        })
        expect(read).toEqual(statuses)
      }),
      { numRuns: 25 },
    )
  })

  it.each([
    { index: 10, status: 0 },
    { index: -1, status: 0 },
    { index: 0, status: 4 },
  ])('takes no %j', status => {
    expect(() => bitstringOf({ entries: 10, size: 2, statuses: [status] })).toThrow(RangeError)
  })

  it.each<[string, string, string]>([
    ['no multibase', encodedList.slice(1), 'status_malformed'],
    ['another multibase', `z${encodedList.slice(1)}`, 'status_malformed'],
    ['plain base64', `${encodedList}==`, 'status_malformed'],
    ['no GZIP', 'uAAAA', 'status_malformed'],
    ['nothing', 'u', 'status_malformed'],
    ['half of it', encodedList.slice(0, 40), 'status_malformed'],
  ])('is not expanded from %s', async (_title, text, code) => {
    expect(await codeOf(() => expandBitstring(text, 16_384))).toBe(code)
  })

  it('is not expanded from a bomb', async () => {
    const bomb = `u${(await pack('gzip', Buffer.alloc(20_000_000))).toString('base64url')}`
    expect(await codeOf(() => expandBitstring(bomb, 1_000_000))).toBe('status_list_too_large')
  })
})

describe('an entry is malformed (MALFORMED_VALUE_ERROR)', () => {
  const [first, ...rest] = message.statusMessage
  it.each<[string, Json]>([
    ['of another type', { ...revocation, type: 'StatusList2021Entry' }],
    ['without a purpose', { ...revocation, statusPurpose: undefined }],
    ['with a purpose that is a list', { ...revocation, statusPurpose: ['revocation'] }],
    ['with an index that is a number', { ...revocation, statusListIndex: 94_567 }],
    ['with an index below zero', { ...revocation, statusListIndex: '-1' }],
    ['with an index of another base', { ...revocation, statusListIndex: '0x10' }],
    ['with an index that begins with a zero', { ...revocation, statusListIndex: '012' }],
    ['with a fraction', { ...revocation, statusListIndex: '1.5' }],
    ['with an index of a thousand digits', { ...revocation, statusListIndex: '1'.repeat(1_000) }],
    ['without an index', { ...revocation, statusListIndex: undefined }],
    ['with the URL of the list as its id', { ...revocation, id: revocation.statusListCredential }],
    ['with an id that is no URL', { ...revocation, id: 'here' }],
    ['without a list', { ...revocation, statusListCredential: undefined }],
    ['with a list that is no URL', { ...revocation, statusListCredential: 'status/3' }],
    ['with a size of zero', { ...message, statusSize: 0 }],
    ['with a size that is a text', { ...message, statusSize: '2' }],
    ['with a fraction of a size', { ...message, statusSize: 1.5 }],
    ['with a size beyond reason', { ...message, statusSize: 64 }],
    ['with a size of two and no messages', { ...message, statusMessage: undefined }],
    ['with too few messages', { ...message, statusMessage: rest }],
    ['with too many messages', { ...message, statusMessage: [...message.statusMessage, first] }],
    ['with messages that are no list', { ...message, statusMessage: first }],
    ['with one status twice', { ...message, statusMessage: [...rest, rest[0]] }],
    ['with a status beyond its bits', { ...message, statusMessage: [...rest, { status: '0x4', message: 'x' }] }],
    ['with a status that is no hexadecimal', { ...message, statusMessage: [...rest, { status: '0', message: 'x' }] }],
    ['with a status without message', { ...message, statusMessage: [...rest, { status: '0x0' }] }],
    ['with a message that is an array', { ...message, statusMessage: [...rest, []] }],
    ['with a reference that is no URL', { ...message, statusReference: ['https://a.example', 'here'] }],
  ])('%s', async (_title, entry) => {
    expect(await codeOf(() => readBitstringEntry(entry))).toBe('status_malformed')
    expect(() => readBitstringEntry(entry)).toThrow('MALFORMED_VALUE_ERROR')
  })

  it('but not with a message for each value of one bit', () => {
    const statusMessage = [
      { status: '0x0', message: 'unset' },
      { status: '0x1', message: 'set' },
    ]
    expect(readBitstringEntry({ ...revocation, statusMessage }).messages?.get(1)).toBe('set')
  })
})

describe('a list credential is malformed (MALFORMED_VALUE_ERROR)', () => {
  const withSubject = (change: Json): Json => ({ ...credential, credentialSubject: { ...subject, ...change } })
  it.each<[string, unknown]>([
    ['that is no object', 'text'],
    ['of another type', { ...credential, type: ['VerifiableCredential'] }],
    ['of another subject', withSubject({ type: 'StatusList2021' })],
    ['of two subjects', { ...credential, credentialSubject: [subject, subject] }],
    ['without a purpose', withSubject({ statusPurpose: undefined })],
    ['with no purposes', withSubject({ statusPurpose: [] })],
    ['with a purpose that is a number', withSubject({ statusPurpose: ['revocation', 1] })],
    ['without a list', withSubject({ encodedList: undefined })],
    ['with a ttl that is a text', withSubject({ ttl: '60000' })],
    ['with a ttl of zero', withSubject({ ttl: 0 })],
    ['for messages without their size', withSubject({ statusPurpose: 'message', statusMessages: [] })],
    ['for messages without any', withSubject({ statusPurpose: ['message'], statusSize: 1 })],
    ['with a date that is none', { ...credential, validUntil: 'tomorrow' }],
    ['with an id that is no URL', { ...credential, id: 'here' }],
  ])('%s', async (_title, document) => {
    expect(await codeOf(() => readBitstringList(document))).toBe('status_malformed')
  })
})

describe('the Validate Algorithm (section 3.2)', () => {
  const list = { ...readBitstringList(credential), purposes: ['revocation', 'suspension', 'refresh'] }
  const bits = bitstringOf({ entries: entriesLeast, size: 1, statuses: [{ index: 5, status: 1 }] })
  const entry = (change: Json) => readBitstringEntry({ ...revocation, ...change })

  it.each<[string, Json, Uint8Array, string, string]>([
    [
      'a purpose that the list is not for',
      { statusPurpose: 'message' },
      bits,
      'status_list_refused',
      'STATUS_VERIFICATION_ERROR',
    ],
    ['a list of 131,064', {}, bits.subarray(1), 'status_list_short', 'STATUS_LIST_LENGTH_ERROR'],
    [
      'a list too short for the width',
      { ...message, statusPurpose: 'revocation' },
      bits,
      'status_list_short',
      'STATUS_LIST_LENGTH_ERROR',
    ],
    ['the index after the last', { statusListIndex: '131072' }, bits, 'status_index_out_of_range', 'RANGE_ERROR'],
    [
      'an index beyond all numbers',
      { statusListIndex: '9'.repeat(40) },
      bits,
      'status_index_out_of_range',
      'RANGE_ERROR',
    ],
  ])('refuses %s', async (_title, change, bitstring, code, name) => {
    expect(await codeOf(() => statusOf(entry(change), list, bitstring))).toBe(code)
    expect(() => statusOf(entry(change), list, bitstring)).toThrow(name)
  })

  it('refuses a list that says another width', () => {
    expect(() => statusOf(entry({}), { ...list, size: 2 }, bits)).toThrow('differ in their statusSize')
  })

  it.each([
    ['revocation', 'revoked'],
    ['suspension', 'suspended'],
    ['refresh', 'valid'],
  ])('takes a set bit of a %s for: %s (section 2.1)', (statusPurpose, standing) => {
    const result = statusOf(entry({ statusPurpose, statusListIndex: '5' }), list, bits)
    expect(result).toEqual({ status: 1, purpose: statusPurpose, valid: false })
    expect(standingOf(result)).toBe(standing)
  })

  it('reads the last entry', () => {
    expect(statusOf(entry({ statusListIndex: '131071' }), list, bits).status).toBe(0)
  })

  it('takes the message from the list where the entry has none', () => {
    const messages = new Map([
      [0, 'unset'],
      [1, 'set'],
    ])
    const result = statusOf(
      entry({ statusPurpose: 'message', statusListIndex: '5' }),
      { ...list, purposes: ['message'], messages },
      bits,
    )
    expect(result.message).toBe('set')
  })
})
