import { createPrivateKey, type JsonWebKey, sign as signBytes } from 'node:crypto'
import {
  encodeEntry,
  type FieldType,
  kinds,
  type OwnerKey,
  type SignedEntry,
  schemes,
} from '../../kernel/ledger-entry.ts'
import { openStructs, type SignedKind, typedDataOf } from '../../kernel/ledger-typed-data.ts'
import { withLowS } from '../../kernel/low-s.ts'
import { domainSeparatorOf, type Keccak, type TypedDomain, typedDigest } from '../../kernel/typed-domain.ts'
import { ledgerRecordMalformed } from './errors.ts'

/** A record as a citizen asks for it: amounts are decimal strings, bytes hex with or without 0x. */
export type WantedEntry = { kind: SignedKind } & Record<string, unknown>

/** What was signed, for the citizen's own memory: the members of the typed data. */
export type SignedRecord = { kind: SignedKind; members: Record<string, string | number> }

/** Of money, 2^63 − 1 minor units. */
const amountMost = 2n ** 63n - 1n

const integerOf = (value: unknown, bits: number): number | undefined =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** bits ? (value as number) : undefined

const amountOf = (value: unknown): bigint | undefined => {
  if (typeof value !== 'string' || !/^(0|[1-9][0-9]{0,18})$/.test(value)) return undefined
  const amount = BigInt(value)
  return amount <= amountMost ? amount : undefined
}

const bytesOf = (value: unknown, width: number): string | undefined => {
  if (typeof value !== 'string') return undefined
  const text = value.replace(/^0x/, '').toLowerCase()
  return text.length === 2 * width && /^[0-9a-f]*$/.test(text) ? text : undefined
}

const readers: Record<FieldType, (value: unknown) => number | bigint | string | undefined> = {
  u8: value => integerOf(value, 8),
  u16: value => integerOf(value, 16),
  u32: value => integerOf(value, 32),
  u64: amountOf,
  i64: amountOf,
  bytes16: value => bytesOf(value, 16),
  bytes20: value => bytesOf(value, 20),
  bytes32: value => bytesOf(value, 32),
}

const unsigned = '00'.repeat(64)

/** @throws Refusal malformed/ledger_record_malformed, naming the member. */
export const entryOf = ({ kind, ...given }: WantedEntry): SignedEntry => {
  const fields = Object.entries(kinds[kind].fields) as [string, FieldType][]
  const strange = Object.keys(given).find(name => !fields.some(([field]) => field === name))
  if (strange !== undefined) throw ledgerRecordMalformed(strange)
  const entry: Record<string, unknown> = { kind, signature: unsigned }
  for (const [name, type] of fields) {
    // Only a reservation under a lock is posted with what opens the lock.
    const absent = name === 'preimage' && given[name] === undefined
    const value = absent ? '00'.repeat(32) : readers[type](given[name])
    if (value === undefined) throw ledgerRecordMalformed(name)
    entry[name] = value
  }
  return entry as SignedEntry
}

/** What `ledgerOf` gives. */
export const ledgerForm = /^eip155:[1-9][0-9]{0,15}:0x[0-9a-f]{40}$/

/** A ledger by the contract that its signatures are for (CAIP-10), lower case. */
export const ledgerOf = ({ chainId, verifyingContract }: TypedDomain): string =>
  `eip155:${chainId}:${verifyingContract.toLowerCase()}`

/** The public key as an account of the ledger has it. */
export const ownerKeyOf = ({ x = '', y = '' }: JsonWebKey): OwnerKey => ({
  scheme: schemes['P-256'],
  prefix: 2 + ((Buffer.from(y, 'base64url').at(-1) ?? 0) & 1),
  x: Buffer.from(x, 'base64url').toString('hex'),
})

/** r‖s over the SHA-256 of the digest. A signature has one form: its s is in the lower half of the order. */
const signDigest = (digest: Uint8Array, jwk: JsonWebKey): string => {
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  return withLowS(signBytes('sha256', digest, { key, dsaEncoding: 'ieee-p1363' }))
}

export const signEntry = (
  entry: SignedEntry,
  by: { domain: TypedDomain; jwk: JsonWebKey; keccak: Keccak },
): { record: string; digest: string; signed: SignedRecord } => {
  const { domain, jwk, keccak } = by
  const digest = typedDigest(domainSeparatorOf(domain, keccak), openStructs(keccak)(entry), keccak)
  const record = encodeEntry({ ...entry, signature: signDigest(digest, jwk) })
  return {
    record: record.toString('base64url'),
    digest: `0x${Buffer.from(digest).toString('hex')}`,
    signed: { kind: entry.kind, members: typedDataOf(entry, domain).message },
  }
}
