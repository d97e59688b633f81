import type { TrustBasis } from '../kernel/identity.ts'
import type { Clock } from '../kernel/ports.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { Opened } from './formats/format.ts'
import { readCertificate } from './x509/certificate.ts'
import { type ChainJudge, trustAnchors } from './x509/chain.ts'
import { documentSignerUsage } from './x509/usages.ts'

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

type Signed = Pick<Opened, 'format' | 'signature' | 'foreign'>

/**
 * The certificates beside the signature of an mdoc of our chain, if they lead to an authority that is known here, at this time
 * (ms). Its bearer may put any there; that the first is of the key that signed was judged with the signature.
 * @returns none for any others.
 */
export type SignerChains = (opened: Signed, at: number) => Promise<readonly Uint8Array[]>

const anchorsKeptMs = 60_000

/** @param needs.anchors DER: authorities whose certificates name document signers of our chain. */
export const openSignerChains = (needs: { clock: Clock; anchors(): Promise<readonly Uint8Array[]> }): SignerChains => {
  let known: { judge: ChainJudge; until: number } | undefined
  const judgeNow = async (): Promise<ChainJudge> => {
    const now = needs.clock.now()
    if (known === undefined || now >= known.until) {
      known = { judge: trustAnchors(await needs.anchors()), until: now + anchorsKeptMs }
    }
    return known.judge
  }
  return async ({ format, signature, foreign }, at) => {
    if (format !== 'mso_mdoc' || foreign !== undefined) return []
    const chain = (signature.x5c ?? []).map(bytesOf)
    const judge = await judgeNow()
    try {
      judge.validate(chain, at, { purposes: [documentSignerUsage], purposeRequired: true })
      return chain
    } catch (error) {
      if (isRefusal(error)) return []
      throw error
    }
  }
}

/**
 * The authorities that a credential's issuer is under: of its certificates, and of whatever it is trusted by.
 * @param judged `basis` of a foreign credential that was judged; before that nobody vouches for it. `chain` of an mdoc of our
 * chain; the certificates of the other formats stand in what their issuers signed.
 */
export const authoritiesOf = (
  { format, signature, foreign }: Signed,
  judged: { basis?: TrustBasis; chain?: readonly Uint8Array[] } = {},
): TrustedAuthority[] => {
  const { basis } = judged
  if (foreign !== undefined && basis === undefined) return []
  const own = format === 'mso_mdoc' ? (judged.chain ?? []) : (signature.x5c ?? []).map(bytesOf)
  const chain = foreign?.chain ?? own
  const authorities = keyIdentifiers(chain)
  if (basis?.source === 'trusted_list') authorities.push({ type: 'etsi_tl', value: basis.authority })
  if (basis?.source === 'federation') authorities.push({ type: 'openid_federation', value: basis.authority })
  return authorities
}
