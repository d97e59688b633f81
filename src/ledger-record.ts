import { openKeccak } from './chain/keccak.ts'
import { encodeEntry, type SignedEntry } from './kernel/ledger-entry.ts'
import { openStructs } from './kernel/ledger-typed-data.ts'
import { withLowS } from './kernel/low-s.ts'
import type { Clock, Signer } from './kernel/ports.ts'
import { timeId } from './kernel/time-id.ts'
import { domainSeparatorOf, type TypedDomain, typedDigest } from './kernel/typed-domain.ts'

type Unsigned<E> = E extends SignedEntry ? Omit<E, 'signature'> : never

/** A record as it is handed in: a fresh id, and the signed entry's bytes in base64url. */
export type LedgerRecord = { id: string; record: string }

/**
 * Signs what the owner of an account says, with a P-256 key: EIP-712 typed data in the domain of the ledger, r‖s with the low s
 * that it asks for.
 */
export const openLedgerRecords = async (domain: TypedDomain, clock: Clock) => {
  const keccak = await openKeccak()
  const [structOf, separator] = [openStructs(keccak), domainSeparatorOf(domain, keccak)]
  return async (
    entry: Unsigned<SignedEntry>,
    { signer, keyId }: { signer: Signer; keyId: string },
  ): Promise<LedgerRecord> => {
    const unsigned = { ...entry, signature: '' } as SignedEntry
    const digest = typedDigest(separator, structOf(unsigned), keccak)
    const signature = withLowS(await signer.sign(keyId, 'ES256', digest))
    const record = encodeEntry({ ...unsigned, signature }).toString('base64url')
    return { id: timeId(clock.now()), record }
  }
}
