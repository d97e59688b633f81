import { enveloped } from '../../kernel/envelope.ts'
import type { SignatureAlgorithm } from '../../kernel/ports.ts'
import { assertUnedited, formatOf, isDocument, unwrap } from './detect.ts'
import type { Sign, Signature } from './format.ts'
import { fromNumericDate, jwsSignature, openJws, sealJws } from './jose.ts'
import { isRecord, malformed } from './json.ts'
import { contextV1 } from './vc-jwt-1.1.ts'
import { contextV2, isoOf } from './w3c.ts'

const credentialsMost = 16

/** A presentation taken apart. Nothing in it is believed yet. */
export type OpenedPresentation = {
  signature: Signature
  holder: string | undefined
  credentials: unknown[]
  nonce: unknown
  audience: unknown
  issuedAt: number | undefined
  notBefore: number | undefined
  expiresAt: number | undefined
}

const list = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value])

/** The presentation as a JSON object without its proof, as users of Veramo know it. */
const shown = (payload: Record<string, unknown>): Record<string, unknown> => {
  const { vp, iss, aud, jti, nbf, exp, iat, ...others } = payload
  if (!isRecord(vp)) return others
  const view: Record<string, unknown> = { ...others, ...vp, holder: iss }
  if (aud !== undefined) view['verifier'] = list(aud)
  if (jti !== undefined) view['id'] = jti
  if (nbf !== undefined && iat !== undefined) view['iat'] = iat
  if (nbf !== undefined || iat !== undefined) view['issuanceDate'] = isoOf(nbf ?? iat)
  if (exp !== undefined) view['expirationDate'] = isoOf(exp)
  return view
}

/**
 * The credentials as the object repeats them, each of them the one that was signed: so that what is judged, down to the
 * last member, is what the reader of the object sees.
 */
const repeated = (outer: Record<string, unknown>, signed: unknown[]): unknown[] => {
  if (outer['verifiableCredential'] === undefined) return signed
  const items = list(outer['verifiableCredential'])
  const compact = (item: unknown) => unwrap(item, 'EnvelopedVerifiableCredential')
  if (items.length !== signed.length || items.some((item, at) => compact(item) !== compact(signed[at]))) {
    throw malformed('The credentials beside the proof are not those that the proof signs.')
  }
  return items
}

/**
 * Who presents which credentials. `iss` is the claim of the JWT, which has to agree with the presentation.
 * @throws Refusal malformed/credential_malformed
 */
export const holderOf = (
  vp: Record<string, unknown>,
  iss: unknown,
): Pick<OpenedPresentation, 'holder' | 'credentials'> => {
  if (!list(vp['type']).includes('VerifiablePresentation')) throw malformed('The type lacks VerifiablePresentation.')
  const credentials = list(vp['verifiableCredential'])
  if (credentials.length === 0 || credentials.length > credentialsMost) {
    throw malformed(`A presentation holds 1 to ${credentialsMost} credentials.`)
  }
  const named = isRecord(vp['holder']) ? vp['holder']['id'] : vp['holder']
  const holder = iss ?? named
  if (holder !== undefined && typeof holder !== 'string') throw malformed('The holder is not a string.')
  if (named !== undefined && named !== holder) throw malformed('iss and holder differ.')
  return { holder, credentials }
}

/**
 * Takes a vp+jwt or a VC-JWT 1.1 presentation apart.
 * @throws Refusal credential_malformed, algorithm_refused, payload_edited
 */
export const openPresentation = (input: unknown, compact: string): OpenedPresentation => {
  const { signed, payload } = openJws(compact)
  const { typ } = signed.header
  const isV2 = typ === 'vp+jwt'
  if (!isV2 && typ !== undefined && typ !== 'jwt') throw malformed('The typ of a presentation is vp+jwt or JWT.')
  const vp = isV2 ? payload : payload['vp']
  if (!isRecord(vp)) throw malformed('This is neither a vp+jwt nor a VC Data Model 1.1 presentation.')
  const { holder, credentials } = holderOf(vp, payload['iss'])
  const opened: OpenedPresentation = {
    signature: jwsSignature(signed),
    holder,
    credentials,
    nonce: payload['nonce'] ?? vp['challenge'],
    audience: payload['aud'] ?? vp['domain'],
    issuedAt: fromNumericDate(payload['iat'], 'iat'),
    notBefore: fromNumericDate(payload['nbf'], 'nbf'),
    expiresAt: fromNumericDate(payload['exp'], 'exp'),
  }
  if (!isRecord(input) || input['proof'] === undefined) return opened
  const { verifiableCredential: _outer, ...outer } = input
  const { verifiableCredential: _signed, ...inner } = shown(payload)
  assertUnedited(outer, inner, payload)
  return { ...opened, credentials: repeated(input, credentials) }
}

/** What a presentation is sealed with. Times are milliseconds. */
export type Sealing = {
  holder: { did: string; kid: string; algorithm: SignatureAlgorithm }
  audience: string | readonly string[]
  nonce: string
  now: number
}

/** How long a presentation that is made here can be used. */
export const presentationMs = 300_000

const claimsOf = ({ audience, nonce, now }: Sealing) => {
  const iat = Math.floor(now / 1_000)
  return { nonce, aud: audience, iat, exp: iat + presentationMs / 1_000 }
}

const mediaOf = (compact: string): string => {
  const { id } = formatOf(compact)
  return id === 'jwt_vc' ? 'jwt' : id
}

/** A credential as a member of a presentation: itself where its proof is in it, else enveloped. */
export const embedded = (compact: string): unknown =>
  isDocument(compact) ? JSON.parse(compact) : enveloped(mediaOf(compact), compact)

/** A vp+jwt around whole credentials (VC-JOSE-COSE section 3.1.2). Nothing can be kept back in it. */
export const sealVpJwt = (credentials: readonly string[], sealing: Sealing, sign: Sign): Promise<string> => {
  const { holder } = sealing
  return sealJws(
    { alg: holder.algorithm, kid: holder.kid, typ: 'vp+jwt', cty: 'vp' },
    {
      '@context': [contextV2],
      type: ['VerifiablePresentation'],
      holder: holder.did,
      verifiableCredential: credentials.map(embedded),
      ...claimsOf(sealing),
    },
    sign,
  )
}

/** A presentation of VC Data Model 1.1 (section 6.3.1), which existing Veramo users can verify. */
export const sealVp11 = (credentials: readonly string[], sealing: Sealing, sign: Sign): Promise<string> => {
  const { holder } = sealing
  return sealJws(
    { alg: holder.algorithm, kid: holder.kid, typ: 'JWT' },
    {
      iss: holder.did,
      vp: { '@context': [contextV1], type: ['VerifiablePresentation'], verifiableCredential: credentials },
      ...claimsOf(sealing),
    },
    sign,
  )
}

/** The presentation with its proof, as users of Veramo know it. */
export const showPresentation = (compact: string): Record<string, unknown> => ({
  ...shown(openJws(compact).payload),
  proof: { type: 'JwtProof2020', jwt: compact },
})
