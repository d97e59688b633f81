import { decodeEntry, isSigned, type OwnerKey, type SignedEntry, sameKey } from '../../../kernel/ledger-entry.ts'
import { openStructs } from '../../../kernel/ledger-typed-data.ts'
import type { TypedClaim } from '../../../kernel/ports.ts'
import { recordMalformed } from '../errors.ts'
import type { CbdcNeeds } from '../needs.ts'
import { type BookItem, signerOf } from './book.ts'
import { openOwnerKeys } from './owner-keys.ts'
import { readKeys } from './rows.ts'

/** A record as it is handed in: its bytes in base64url, and the id its sender gave it. */
export type Handed = { id?: string | undefined; record: string }

/** Keys of accounts kept in memory, 34 bytes each: they change seldom, and the ledger compares again. */
const keysKept = 2_000_000

export type Attest = (handed: readonly Handed[]) => Promise<BookItem[]>

/** @throws Refusal record_malformed */
const readRecord = ({ id, record }: Handed): { id: string | undefined; raw: Buffer; entry: SignedEntry } => {
  const raw = Buffer.from(record, 'base64url')
  const entry = decodeEntry(raw)
  if (entry === undefined || !isSigned(entry) || raw.toString('base64url') !== record) throw recordMalformed()
  return { id: id?.toLowerCase(), raw, entry }
}

/**
 * Reads records and finds whose key signed each, off the main thread. A wrong signature is no refusal yet: the ledger judges it
 * in its turn.
 */
export const openAttest = ({ house, signatures }: Pick<CbdcNeeds, 'house' | 'signatures'>): Attest => {
  const { store } = house
  const structOf = openStructs(signatures.keccak)
  const keys = openOwnerKeys(keysKept)

  const learn = async (accounts: readonly number[]): Promise<void> => {
    for (const { number, ...key } of await readKeys(store.read, store.dialect, accounts)) keys.set(number, key)
  }

  const claimOf = (entry: SignedEntry, { scheme, prefix, x }: OwnerKey): TypedClaim => {
    const key = Buffer.allocUnsafe(33)
    key[0] = prefix
    key.write(x, 1, 'hex')
    return { struct: structOf(entry), scheme, key, signature: Buffer.from(entry.signature, 'hex') }
  }

  const verify = async (entries: readonly SignedEntry[]): Promise<(OwnerKey | undefined)[]> => {
    const owners = entries.map(entry => keys.get(signerOf({ entry }) ?? 0))
    const known = entries.flatMap((entry, at) => {
      const key = owners[at]
      return key === undefined ? [] : [{ at, claim: claimOf(entry, key) }]
    })
    const verified = await signatures.verify(known.map(({ claim }) => claim))
    const signers: (OwnerKey | undefined)[] = entries.map(() => undefined)
    for (const [position, { at }] of known.entries()) if (verified[position]) signers[at] = owners[at]
    return signers
  }

  return async handed => {
    const records = handed.map(readRecord)
    const entries = records.map(({ entry }) => entry)
    const needed = (list: readonly SignedEntry[]) => [...new Set(list.map(entry => signerOf({ entry }) ?? 0))]
    await learn(needed(entries).filter(number => keys.get(number) === undefined))
    const signers = await verify(entries)
    // A key may have changed since it was kept: what failed is checked once more with the one that stands now.
    const failed = signers.flatMap((signer, at) => (signer === undefined ? [at] : []))
    if (failed.length > 0) {
      const again = failed.map(at => entries[at] as SignedEntry)
      const before = again.map(entry => keys.get(signerOf({ entry }) ?? 0))
      await learn(needed(again))
      const changed = failed.filter((_, place) => {
        const now = keys.get(signerOf({ entry: again[place] as SignedEntry }) ?? 0)
        const kept = before[place]
        return now !== undefined && (kept === undefined || !sameKey(now, kept))
      })
      const found = await verify(changed.map(at => entries[at] as SignedEntry))
      for (const [place, at] of changed.entries()) signers[at] = found[place]
    }
    return records.map(({ id, raw, entry }, at) => ({ id, raw, entry, signer: signers[at] }))
  }
}
