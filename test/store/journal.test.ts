import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import type { JournalRecord } from '../../src/kernel/ports.ts'
import {
  commitmentOf,
  detailsOf,
  journal,
  journalFields,
  openField,
  verifyDetails,
  verifyField,
} from '../../src/store/journal.ts'
import { timeId, timeIdBefore } from '../../src/kernel/time-id.ts'
import { type Opened, onBothDatabases } from './backends.ts'

const record = (over: Partial<JournalRecord> = {}): JournalRecord => ({
  operation: 'transfer',
  caller: { kind: 'citizen', id: 'did:key:z6Mk', credentials: ['ab'] },
  input: Buffer.alloc(32, 7),
  authority: 'citizen',
  rules: [{ id: 'limit', version: 3, outcome: 'passed' }],
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
const details = detailsOf(record())

test('the commitment is a fixed function of salt and record: changing it would break all evidence', () => {
  expect(commitmentOf(salt, details).toString('hex')).toBe(
    'e71a161235229dc8061f0df57a67ee697de2795fe4eae99ce2422f0e6abbf3bc',
  )
})

test.each(journalFields)('details with another %s do not verify', field => {
  const commitment = commitmentOf(salt, details)
  expect(verifyDetails(commitment, salt, { ...details, [field]: 'other' })).toBe(false)
})

test('details do not verify under another salt', () => {
  const commitment = commitmentOf(salt, details)
  expect(verifyDetails(commitment, Buffer.alloc(32, 2), details)).toBe(false)
  expect(verifyDetails(commitment, Buffer.alloc(31, 1), details)).toBe(false)
})

test.each(journalFields)('%s can be shown alone, and no other value passes for it', field => {
  const commitment = commitmentOf(salt, details)
  const opening = openField(salt, details, field)
  expect(verifyField(commitment, opening)).toBe(true)
  expect(verifyField(commitment, { ...opening, value: 'other' })).toBe(false)
  const other = field === 'at' ? 'outcome' : 'at'
  expect(verifyField(commitment, { ...opening, field: other })).toBe(false)
  expect(verifyField(commitment, { ...opening, commitments: opening.commitments.slice(1) })).toBe(false)
  expect(verifyField(randomBytes(32), opening)).toBe(false)
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
