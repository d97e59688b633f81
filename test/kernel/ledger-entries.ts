import fc from 'fast-check'
import { type Entry, type FieldType, type KindName, kinds, type SignedEntry } from '../../src/kernel/ledger-entry.ts'
import { type SignedKind, signedKinds } from '../../src/kernel/ledger-typed-data.ts'

const hexOf = (width: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: width, maxLength: width }).map(bytes => Buffer.from(bytes).toString('hex'))

const anyOf: Record<FieldType, fc.Arbitrary<unknown>> = {
  u8: fc.nat({ max: 255 }),
  u16: fc.nat({ max: 65_535 }),
  u32: fc.nat({ max: 4_294_967_295 }),
  u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  bytes16: hexOf(16),
  bytes20: hexOf(20),
  bytes32: hexOf(32),
}

/** Any entry of a kind that its bytes can hold, whether the ledger would take it or not. */
export const entryOf = (kind: KindName): fc.Arbitrary<Entry> => {
  const fields = Object.entries(kinds[kind].fields).map(([name, type]) => [name, anyOf[type as FieldType]])
  const signature = 'signature' in kinds[kind] ? { signature: hexOf(64) } : {}
  return fc.record({ kind: fc.constant(kind), ...Object.fromEntries(fields), ...signature }) as fc.Arbitrary<Entry>
}

export const signedEntryOf = (kind: SignedKind): fc.Arbitrary<SignedEntry> => entryOf(kind) as fc.Arbitrary<SignedEntry>

export const anySignedEntry: fc.Arbitrary<SignedEntry> = fc.oneof(...signedKinds.map(signedEntryOf))
