import type { CertifiedKey } from '../../../kernel/identity.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import type { CertificatesNeeds } from '../needs.ts'

/** What anyone may have: the agency's trust anchors and chains, and its keys by URL. */

const cached = { 'cache-control': 'public, max-age=300' }

/** A chain that cannot be had now is left out: the others are published all the same. */
const chainOf = async (certified: Promise<CertifiedKey>): Promise<readonly string[] | undefined> => {
  try {
    return (await certified).x5c
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

const base64 = (der: Uint8Array): string => Buffer.from(der).toString('base64')

/** Trust anchors and current chains: as JSON, or every certificate as PEM where that is asked for. */
export const getCertificates = async (needs: CertificatesNeeds, { headers }: Context): Promise<Answer> => {
  const { certificates, pem } = needs
  const [issuer, documentSigner, verifier] = await Promise.all([
    chainOf(certificates.issuer()),
    chainOf(certificates.documentSigner()),
    chainOf(certificates.verifier()),
  ])
  const anchors = (await certificates.anchors()).map(base64)
  const chains = { issuer, documentSigner, verifier }
  const vary = { ...cached, vary: 'accept' }
  if (!(headers['accept'] ?? '').includes('application/pem-certificate-chain')) {
    const known = Object.fromEntries(Object.entries(chains).filter(([, chain]) => chain !== undefined))
    return { status: 200, body: { anchors, chains: known }, headers: vary }
  }
  const all = new Set([...anchors, ...Object.values(chains).flatMap(chain => chain ?? [])])
  const body = [...all].map(each => pem(Buffer.from(each, 'base64'))).join('')
  return { status: 200, body, contentType: 'application/pem-certificate-chain', headers: vary }
}

/** JWT VC Issuer Metadata (SD-JWT VC, section 5): the keys of whoever is named by the agency's public URL. */
export const getJwtVcIssuer = async ({ issuerJwk, publicUrl }: CertificatesNeeds): Promise<Answer> => {
  const { kid, jwk } = await issuerJwk()
  const body = { issuer: publicUrl, jwks: { keys: [{ ...jwk, kid, use: 'sig', alg: 'ES256' }] } }
  return { status: 200, body, headers: cached }
}
