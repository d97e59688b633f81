import fc from 'fast-check'
import type { OwnerKey } from '../../../../src/kernel/ledger-entry.ts'
import { openOwnerKeys } from '../../../../src/plugins/cbdc/actions/owner-keys.ts'

const keyOf = (byte: number): OwnerKey => ({
  scheme: 1 + (byte % 2),
  prefix: 2 + (byte % 2),
  x: byte.toString(16).padStart(2, '0').repeat(32),
})

test('an account whose key was never learnt has none, also on a page where others have theirs', () => {
  const keys = openOwnerKeys(4_096)
  keys.set(7, keyOf(7))
  expect(keys.get(6)).toBeUndefined()
  expect(keys.get(8)).toBeUndefined()
  expect(keys.get(7 + 1_024)).toBeUndefined()
})

test('the last key of an account is the one that is kept, whatever the order', () => {
  const change = fc.record({ account: fc.integer({ min: 1, max: 3_000 }), byte: fc.integer({ min: 0, max: 255 }) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), changes => {
      const keys = openOwnerKeys(100_000)
      const model = new Map<number, OwnerKey>()
      for (const { account, byte } of changes) {
        keys.set(account, keyOf(byte))
        model.set(account, keyOf(byte))
      }
      for (const [account, key] of model) expect(keys.get(account)).toEqual(key)
    }),
  )
})

test('a key that was handed out does not change when the account gets another', () => {
  const keys = openOwnerKeys(4_096)
  keys.set(1, keyOf(1))
  const before = keys.get(1)
  keys.set(1, keyOf(2))
  expect(before).toEqual(keyOf(1))
})

test('beyond the most that is kept the first pages are forgotten, and never mistaken for others', () => {
  const keys = openOwnerKeys(2_048)
  for (const page of [0, 1, 2]) keys.set(page * 1_024, keyOf(page + 1))
  expect(keys.get(0)).toBeUndefined()
  expect(keys.get(1_024)).toEqual(keyOf(2))
  expect(keys.get(2_048)).toEqual(keyOf(3))
})
