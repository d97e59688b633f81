import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Desk } from '../desk.ts'
import { metadataLifeMs, metadataSignedMs } from '../policy.ts'

const signedType = 'application/jwt'

/** How much a reader wants a media type (RFC 9110, section 12.5.1); 0: not at all. */
const weightOf = (accept: string, wanted: string): number => {
  const ranges = accept.split(',', 32).map(range => {
    const [type = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase())
    const given = parameters.find(parameter => parameter.startsWith('q='))?.slice(2)
    return { type, weight: given === undefined ? 1 : Number(given) || 0 }
  })
  const [group] = wanted.split('/')
  const found = [wanted, `${group}/*`, '*/*'].map(type => ranges.find(range => range.type === type))
  return found.find(range => range !== undefined)?.weight ?? 0
}

/** Metadata are signed for those who ask for that, and like it no less than JSON. */
const wantsSigned = (accept: string | undefined): boolean => {
  if (accept === undefined || !accept.toLowerCase().includes(signedType)) return false
  return weightOf(accept, signedType) > 0 && weightOf(accept, signedType) >= weightOf(accept, 'application/json')
}

const signedMetadata = new WeakMap<Desk, { compact: Promise<string>; until: number }>()

const signed = (desk: Desk): Promise<string> => {
  const now = desk.house.clock.now()
  const known = signedMetadata.get(desk)
  if (known !== undefined && now < known.until) return known.compact
  const seconds = Math.floor(now / 1_000)
  const compact = desk.signMetadata({
    ...desk.metadata,
    ...{ sub: desk.publicUrl, iat: seconds, exp: seconds + metadataLifeMs / 1_000 },
  })
  signedMetadata.set(desk, { compact, until: now + metadataSignedMs })
  compact.catch(() => signedMetadata.delete(desk))
  return compact
}

/** Credential issuer metadata, as JSON or signed (OpenID4VCI 1.0, sections 12.2.2 and 12.2.3), in all their languages. */
export const getCredentialIssuerMetadata = async (desk: Desk, context: Context): Promise<Answer> => {
  const headers = { vary: 'Accept' }
  if (!wantsSigned(context.headers['accept'])) return { status: 200, body: desk.metadata, headers }
  return { status: 200, contentType: signedType, body: await signed(desk), headers }
}

/** Nonce endpoint (section 7). */
export const createCredentialNonce = async (desk: Desk): Promise<Answer> => ({
  status: 200,
  body: { c_nonce: desk.nonces.give() },
  headers: { 'cache-control': 'no-store', 'dpop-nonce': desk.dpop.nonce() },
})
