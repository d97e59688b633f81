import type { TrustBasis } from '../kernel/identity.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { Opened } from './formats/format.ts'
import { readCertificate } from './x509/certificate.ts'

/** A value of `trusted_authorities` (OpenID4VP 1.0, section 6.1.1). */
export type TrustedAuthority = { type: 'aki' | 'etsi_tl' | 'openid_federation'; value: string }

/** Key identifiers of whoever certified the certificates of a chain, base64url (section 6.1.1.1). */
const keyIdentifiers = (chain: readonly Uint8Array[]): TrustedAuthority[] =>
  chain.flatMap(der => {
    const id = keyIdentifier(der)
    return id === undefined ? [] : [{ type: 'aki' as const, value: Buffer.from(id, 'hex').toString('base64url') }]
  })

/** What cannot be read puts its bearer under nobody. */
const keyIdentifier = (der: Uint8Array): string | undefined => {
  try {
    return readCertificate(der).authorityKeyIdentifier
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'))

/**
 * The authorities that a credential's issuer is under: of its certificates, and of whatever it is trusted by.
 * @param basis of a foreign credential that was judged; before that nobody vouches for it.
 */
export const authoritiesOf = (
  { format, signature, foreign }: Pick<Opened, 'format' | 'signature' | 'foreign'>,
  basis?: TrustBasis,
): TrustedAuthority[] => {
  if (foreign !== undefined && basis === undefined) return []
  // Whoever holds an mdoc of our chain chooses the certificates beside its signature, and nobody judged them.
  if (foreign === undefined && format === 'mso_mdoc') return []
  const chain = foreign?.chain ?? (signature.x5c ?? []).map(bytesOf)
  const authorities = keyIdentifiers(chain)
  if (basis?.source === 'trusted_list') authorities.push({ type: 'etsi_tl', value: basis.authority })
  if (basis?.source === 'federation') authorities.push({ type: 'openid_federation', value: basis.authority })
  return authorities
}
