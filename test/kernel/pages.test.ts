import fc from 'fast-check'
import { nextPage, pageOf } from '../../src/kernel/pages.ts'
import { timeId } from '../../src/kernel/time-id.ts'

const bounds = { most: 100, usual: 50 }
const base64url = (text: string) => Buffer.from(text).toString('base64url')
const refusal = expect.objectContaining({ kind: 'malformed', code: 'cursor_malformed' })

test('a listing that is asked for nothing begins at the beginning, with a page of the usual length', () => {
  expect(pageOf({}, bounds)).toEqual({ after: '', limit: 50 })
})

test.each([
  ['1', 1],
  ['100', 100],
  ['101', 100],
  ['9007199254740993', 100],
])('a page of %s has %d rows', (limit, rows) => {
  expect(pageOf({ limit }, bounds).limit).toBe(rows)
})

test('walking by cursors shows every row once, whatever the length of a page', () => {
  fc.assert(
    fc.property(fc.nat({ max: 40 }), fc.integer({ min: 1, max: 12 }), (count, limit) => {
      const rows = Array.from({ length: count }, () => ({ id: timeId(1_800_000_000_000) }))
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = pageOf({ cursor, limit: String(limit) }, bounds)
        const found = rows.filter(row => row.id > page.after).slice(0, page.limit)
        seen.push(...found.map(row => row.id))
        cursor = nextPage(found, page).next
      } while (cursor !== undefined)
      expect(seen).toEqual(rows.map(row => row.id))
    }),
  )
})

test('a page that is not full is the last', () => {
  const page = pageOf({ limit: '2' }, bounds)
  expect(nextPage([{ id: 'a' }], page)).toEqual({})
  expect(nextPage([], page)).toEqual({})
  expect(nextPage([{ id: 'a' }, { id: 'b' }], page)).toEqual({ next: base64url('b') })
})

test.each([
  ['nothing', ''],
  ['no id', base64url('an id?')],
  ['a wildcard', base64url('%')],
  ['a quote', base64url("' OR 1=1")],
  ['too long an id', base64url('a'.repeat(101))],
  ['bytes that are no text', Buffer.of(0xff, 0xfe).toString('base64url')],
])('a cursor of %s was never given out', (_, cursor) => {
  expect(() => pageOf({ cursor }, bounds)).toThrow(refusal)
})

test('a listing of narrower ids takes no others', () => {
  const form = /^urn:uuid:[0-9a-f-]{36}$/
  const id = `urn:uuid:${timeId(1)}`
  expect(pageOf({ cursor: base64url(id) }, { ...bounds, form }).after).toBe(id)
  expect(() => pageOf({ cursor: base64url(timeId(1)) }, { ...bounds, form })).toThrow(refusal)
})
