import { openStructs } from '../../../../kernel/ledger-typed-data.ts'
import type { TypedClaim } from '../../../../kernel/ports.ts'
import { recordMalformed } from '../../errors.ts'
import { decodeVoucher, type Voucher } from '../../ledger/voucher.ts'
import type { CbdcNeeds } from '../../needs.ts'
import { type Certificate, readNamed } from './purses.ts'

/** A voucher as it was handed in, with the certificate that it names. The key that counts is the certificate's. */
export type HandedVoucher = {
  raw: Buffer
  voucher: Voucher
  /** As it stood before the act: what was spent of it is read again. */
  certificate: Certificate | undefined
  isSigned: boolean
}

/** @throws Refusal record_malformed */
const readRecord = (record: string): { raw: Buffer; voucher: Voucher } => {
  const raw = Buffer.from(record, 'base64url')
  const voucher = decodeVoucher(raw)
  if (voucher === undefined || raw.toString('base64url') !== record) throw recordMalformed()
  return { raw, voucher }
}

export type ReadVouchers = (chains: readonly (readonly string[])[]) => Promise<HandedVoucher[][]>

/**
 * Reads vouchers and checks their signatures, off the main thread. What is said in a certificate never changes, so it is read
 * before the ledger is held.
 */
export const openVouchers = ({ house, signatures }: Pick<CbdcNeeds, 'house' | 'signatures'>): ReadVouchers => {
  const structOf = openStructs(signatures.keccak)
  const claimOf = (voucher: Voucher, { key }: Certificate): TypedClaim => ({
    struct: structOf(voucher),
    scheme: key.scheme,
    key: Buffer.from(key.prefix.toString(16).padStart(2, '0') + key.x, 'hex'),
    signature: Buffer.from(voucher.signature, 'hex'),
  })
  return async chains => {
    const read = chains.flat().map(readRecord)
    const names = new Map(
      read.map(({ voucher: { from: account, validUntil } }) => [`${account}/${validUntil}`, { account, validUntil }]),
    )
    const certificates = await readNamed(house.store.read, house.store.dialect, [...names.values()])
    const named = new Map(certificates.map(each => [`${each.account}/${each.validUntil}`, each]))
    const claims: TypedClaim[] = []
    const handed = read.map(({ raw, voucher }) => {
      const certificate = named.get(`${voucher.from}/${voucher.validUntil}`)
      const claim = certificate === undefined ? -1 : claims.push(claimOf(voucher, certificate)) - 1
      return { raw, voucher, certificate, claim }
    })
    const verified = await signatures.verify(claims)
    let next = 0
    return chains.map(chain =>
      chain.map(() => {
        const { claim, ...each } = handed[next++] as (typeof handed)[number]
        return { ...each, isSigned: claim >= 0 && verified[claim] === true }
      }),
    )
  }
}
