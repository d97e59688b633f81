import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import type { JournalRecord, RecordOpening } from '../../src/kernel/ports.ts'
import { timeId, timeIdBefore } from '../../src/kernel/time-id.ts'
import {
  commitmentOf,
  detailsOf,
  type JournalDetails,
  journal,
  journalSchemes,
  openField,
  schemeOf,
  verifyDetails,
  verifyField,
} from '../../src/store/journal.ts'
import { type Opened, onBothDatabases } from './backends.ts'

const record = (over: Partial<JournalRecord> = {}): JournalRecord => ({
  operation: 'transfer',
  caller: {
    kind: 'holder',
    id: 'did:key:z6Mk',
    credentials: ['ab'],
    principal: 'did:ethr:0x1:0xcc',
    mandates: ['urn:uuid:1'],
    parties: [{ role: 'seller', id: 'did:key:z6Mk', principal: 'did:ethr:0x1:0xcc' }],
    author: { kind: 'holder', id: 'did:key:z6Mj' },
  },
  input: Buffer.alloc(32, 7),
  authority: 'holder',
  rules: [{ id: 'limit', version: 3, outcome: 'passed' }],
  effects: ['cd'.repeat(32)],
  outcome: 'done',
  at: 1_750_000_000_000,
  ...over,
})

type Kept = { id: string; commitment: Buffer; salt: Buffer; record: string }
const kept = (store: Opened) =>
  store.read<Kept>(
    'SELECT j.id, j.commitment, d.salt, d.record FROM journal j JOIN journal_details d ON d.id = j.id ORDER BY j.id',
  )

onBothDatabases(({ fresh }) => {
  test('a record stands with its act, and its details answer for the commitment', async () => {
    const store = await fresh()
    await store.transaction(async tx => journal.record(tx, record()))
    const [row] = await kept(store)
    expect(row && verifyDetails(row.commitment, row.salt, JSON.parse(row.record))).toBe(true)
    expect(await store.read('SELECT id FROM journal_pending')).toEqual([{ id: row?.id }])
  })

  test('a record has the id that was given to it, and the journal gives one to whoever has none', async () => {
    const store = await fresh()
    const id = timeId(1_750_000_000_000)
    await store.transaction(async tx => {
      journal.record(tx, record({ id }))
      journal.record(tx, record())
    })
    const ids = (await kept(store)).map(row => row.id)
    expect([ids.length, ids[0]]).toEqual([2, id])
  })

  test('a refused act leaves no record', async () => {
    const store = await fresh()
    const act = store.transaction(async tx => {
      journal.record(tx, record())
      throw new Error('no')
    })
    await expect(act).rejects.toThrow('no')
    expect(await kept(store)).toEqual([])
  })

  test.each([
    `UPDATE journal SET id = 'x'`,
    'DELETE FROM journal',
    'UPDATE journal_positions SET position = 0',
    'DELETE FROM journal_positions',
  ])('the database itself refuses: %s', async sql => {
    const store = await fresh()
    await store.transaction(async tx => {
      journal.record(tx, record())
      tx.insert('journal_positions', [{ id: 'a', position: 5 }])
    })
    await expect(store.transaction(tx => tx.query(sql))).rejects.toThrow(/never changed/)
    await expect(store.dataSource.query(sql)).rejects.toThrow(/never changed/)
    expect(await kept(store)).toHaveLength(1)
    expect(await store.read('SELECT position FROM journal_positions')).toEqual([{ position: 5 }])
  })

  test('the commitment stays when the details are erased', async () => {
    const store = await fresh()
    await store.transaction(async tx => journal.record(tx, record()))
    await store.transaction(tx => tx.query('DELETE FROM journal_details'))
    expect(await store.read('SELECT count(*) AS n FROM journal')).toEqual([{ n: 1 }])
  })
})

const salt = Buffer.alloc(32, 1)
const now = detailsOf(record())
/** As records stood before mandates, parties and effects. */
const old: JournalDetails = {
  operation: 'transfer',
  callerKind: 'citizen',
  callerId: 'did:key:z6Mk',
  credentials: ['ab'],
  input: '07'.repeat(32),
  authority: 'citizen',
  rules: [{ id: 'limit', version: 3, outcome: 'passed' }],
  outcome: 'done',
  at: 1_750_000_000_000,
}
const generations = { 'chancery journal v1': old, 'chancery journal v2': now }
const schemes = Object.keys(generations) as (keyof typeof generations)[]
const cases = schemes.flatMap(scheme => journalSchemes[scheme].map(field => [scheme, field] as const))

test.each([
  ['chancery journal v1', 'e71a161235229dc8061f0df57a67ee697de2795fe4eae99ce2422f0e6abbf3bc'],
  ['chancery journal v2', '9f634679c424f7705cca708c3cb329b475730bb2d1f5316032272a7090614994'],
] as const)(
  'under %s the commitment is a fixed function of salt and record: changing it would break all evidence',
  (scheme, hex) => {
    expect(schemeOf(generations[scheme])).toBe(scheme)
    expect(commitmentOf(salt, generations[scheme]).toString('hex')).toBe(hex)
  },
)

test('what is journalled now says for whom, under which mandates, with whom, after whom and to what effect', () => {
  expect(schemeOf(now)).toBe('chancery journal v2')
  const { principal, mandates, parties, author, effects } = now
  expect({ principal, mandates, parties, author, effects }).toEqual({
    ...{ principal: 'did:ethr:0x1:0xcc', mandates: ['urn:uuid:1'], effects: ['cd'.repeat(32)] },
    parties: [{ role: 'seller', id: 'did:key:z6Mk', principal: 'did:ethr:0x1:0xcc' }],
    author: { kind: 'holder', id: 'did:key:z6Mj' },
  })
  const plain = detailsOf(record({ caller: { kind: 'apiKey', id: 'k1', credentials: [] } }))
  expect(schemeOf(plain)).toBe('chancery journal v2')
  expect([plain['principal'], plain['author'], plain['parties'], plain['mandates']]).toEqual([null, null, [], []])
})

test.each(cases)('under %s details with another %s do not verify', (scheme, field) => {
  const details = generations[scheme]
  const commitment = commitmentOf(salt, details)
  expect(verifyDetails(commitment, salt, details)).toBe(true)
  expect(verifyDetails(commitment, salt, { ...details, [field]: 'other' })).toBe(false)
})

test.each(cases)('under %s details without %s are no record, nor are those with a field more', (scheme, field) => {
  const { [field]: _left, ...fewer } = generations[scheme]
  const more = { ...generations[scheme], [`${field}s`]: 1 }
  for (const details of [fewer, more]) {
    expect(verifyDetails(commitmentOf(salt, generations[scheme]), salt, details)).toBe(false)
    expect(() => commitmentOf(salt, details)).toThrow('no scheme of the journal has these fields')
  }
})

test('details do not verify under another salt', () => {
  const commitment = commitmentOf(salt, now)
  expect(verifyDetails(commitment, Buffer.alloc(32, 2), now)).toBe(false)
  expect(verifyDetails(commitment, Buffer.alloc(31, 1), now)).toBe(false)
})

const opened = (details: JournalDetails, field: string): RecordOpening => {
  const opening = openField(salt, details, field)
  if (opening === undefined) throw new Error(`the record has no ${field}`)
  return opening
}

test.each(cases)('under %s %s can be shown alone, and no other value passes for it', (scheme, field) => {
  const commitment = commitmentOf(salt, generations[scheme])
  const opening = opened(generations[scheme], field)
  expect(verifyField(commitment, JSON.parse(JSON.stringify(opening)))).toBe(true)
  expect(verifyField(commitment, { ...opening, value: 'other' })).toBe(false)
  expect(verifyField(commitment, { ...opening, value: undefined })).toBe(false)
  const other = field === 'at' ? 'outcome' : 'at'
  expect(verifyField(commitment, { ...opening, field: other })).toBe(false)
  expect(verifyField(commitment, { ...opening, field: 'unheard' })).toBe(false)
  expect(verifyField(commitment, { ...opening, commitments: opening.commitments.slice(1) })).toBe(false)
  expect(verifyField(commitment, { ...opening, commitments: [...opening.commitments, 'AA=='] })).toBe(false)
  expect(verifyField(commitment, { ...opening, salt: opening.salt.slice(4) })).toBe(false)
  expect(verifyField(randomBytes(32), opening)).toBe(false)
})

test('an opening under one scheme does not pass under the other, nor under one that is unheard of', () => {
  const commitment = commitmentOf(salt, old)
  const opening = opened(old, 'at')
  expect(verifyField(commitment, opening)).toBe(true)
  for (const scheme of ['chancery journal v2', 'chancery journal v3', 'toString', '']) {
    expect(verifyField(commitment, { ...opening, scheme })).toBe(false)
  }
})

test('a record cannot show what it never had', () => {
  expect(openField(salt, old, 'effects')).toBeUndefined()
  expect(openField(salt, now, 'unheard')).toBeUndefined()
})

test('a field opened alone tells nothing of the others: their salts are not to be had from its own', () => {
  const opening = opened(now, 'effects')
  const text = JSON.stringify(opening)
  for (const field of journalSchemes['chancery journal v2'].filter(each => each !== 'effects')) {
    expect(text).not.toContain(opened(now, field).salt)
  }
  expect(text).not.toContain('did:key:z6Mk')
})

test('time ids rise within a process and sort by their time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 41 }), at => {
      const [one, two] = [timeId(at), timeId(at)]
      return one < two && /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(one)
    }),
  )
  const later = 2 ** 42
  const id = timeId(later)
  expect(timeIdBefore(later) < id && id < timeIdBefore(later + 1)).toBe(true)
})
