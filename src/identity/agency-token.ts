import { randomBytes } from 'node:crypto'
import { digestOf } from '../kernel/canonical.ts'
import type { Caller } from '../kernel/gate.ts'
import type { Clock, Signer, TrustReader, Tx } from '../kernel/ports.ts'
import { isRefusal, Refusal } from '../kernel/refusal.ts'
import type { DidKeys, VerificationKey } from './did-keys.ts'
import { fromNumericDate, openJws, sealJws, signatureHolds } from './formats/jose.ts'
import type { IssuerKey } from './issue.ts'
import { clockSkewMs } from './standing.ts'
import { issuerAddress } from './verify.ts'

/*
 * Requests that one institution signs for another: `Authorization: Agency <jws>`, a JWS of type `agency+jwt` over audience,
 * method, address and body, good once and for a minute. It is what DPoP (RFC 9449) proves, by the key that the DID document
 * of the institution names instead of one that comes along.
 */

const type = 'agency+jwt'
const lifeSeconds = 60
const idForm = /^[A-Za-z0-9_-]{16,64}$/
const digestForm = /^[A-Za-z0-9_-]{43}$/
const tokenMost = 4_096
const seenMost = 100_000

export type AgencyRequest = {
  /** Public URL or DID of whom it is for. */
  audience: string
  method: string
  /** Public URL; its query is not signed for, as with DPoP. */
  url: string
  /** Absent for requests without a body. */
  body?: unknown
}

/** The token of one request, for `Authorization: Agency <token>`. */
export const signAgencyRequest = (
  request: AgencyRequest,
  by: { key: IssuerKey; signer: Signer; clock: Clock },
): Promise<string> => {
  const { did, kid, keyId, algorithm } = by.key
  const iat = Math.floor(by.clock.now() / 1_000)
  const claims = {
    ...{ iss: did, aud: request.audience, htm: request.method, htu: request.url.split('?')[0] },
    ...(request.body === undefined ? {} : { bodySha256: digestOf(request.body).toString('base64url') }),
    ...{ iat, exp: iat + lifeSeconds, jti: randomBytes(16).toString('base64url') },
  }
  return sealJws({ alg: algorithm, kid, typ: type }, claims, (alg, data) => by.signer.sign(keyId, alg, data))
}

/** A proof that counts once: `owner` is the request that brought it, so that an act which runs again does not meet itself. */
export type Spent = { key: string; owner: string; expires: number }

export type AgencyNeeds = {
  dids: DidKeys
  trust: TrustReader
  /** Every credential type: an institution counts while it is accredited for one of them. */
  types: readonly string[]
  /** CAIP-2 */
  chain: string
  clock: Clock
  /** Public URL and DID under which this agency is addressed. */
  audience: readonly string[]
  /** Uses a proof up within the act. @throws Refusal proof_replayed */
  spend(tx: Tx, proof: Spent): Promise<void>
}

export type Agencies = {
  /**
   * @param request.url public URL and path as this agency knows them, without the query.
   * @throws Refusal unauthenticated/agency_token_invalid, unauthenticated/agency_token_replayed, forbidden/agency_unaccredited,
   * forbidden/agency_key_distrusted, unavailable/... while the chain cannot be followed
   */
  admit(request: { token: string; method: string; url: string }): Promise<Caller>
}

const invalid = (why: string, cause?: unknown): Refusal =>
  new Refusal('unauthenticated', 'agency_token_invalid', `The agency token does not count: ${why}.`, { cause })

type Claims = { issuer: string; id: string; expires: number; bodySha256: string | undefined }

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What the token says, held against the request. */
const claimsOf = (
  payload: Record<string, unknown>,
  request: { method: string; url: string },
  needs: AgencyNeeds,
): Claims => {
  const { iss, aud, htm, htu, jti, bodySha256 } = payload
  const [issued, expires] = [fromNumericDate(payload['iat'], 'iat'), fromNumericDate(payload['exp'], 'exp')]
  const now = needs.clock.now()
  if (issued === undefined || expires === undefined) throw invalid('iat and exp are needed')
  if (expires - issued > lifeSeconds * 1_000) throw invalid(`it is good for more than ${lifeSeconds} seconds`)
  if (issued > now + clockSkewMs || !(expires > now)) throw invalid('it has expired, or is from the future')
  if (!needs.audience.includes(textOf(aud))) throw invalid('aud names another agency')
  if (htm !== request.method || htu !== request.url) throw invalid('htm and htu name another request')
  if (!idForm.test(textOf(jti))) throw invalid('jti is not 16 to 64 characters of base64url')
  if (bodySha256 !== undefined && !digestForm.test(textOf(bodySha256))) throw invalid('bodySha256 is no SHA-256')
  return { issuer: textOf(iss), id: textOf(jti), expires, bodySha256: bodySha256 as string | undefined }
}

const keyOf = async (kid: string, issuer: string, dids: DidKeys): Promise<VerificationKey> => {
  try {
    const key = await dids.key(kid, 'authentication')
    if (key.did === issuer) return key
  } catch (error) {
    if (!isRefusal(error) || error.kind === 'unavailable') throw error
    throw invalid('its key is not one that its issuer authenticates with now', error)
  }
  throw invalid('it is signed by a key that is not its issuer’s')
}

/** What of a token can be judged without knowing who signed it. */
const readToken = (token: string) => {
  if (token.length > tokenMost) throw invalid('it is too long')
  try {
    const opened = openJws(token)
    if (opened.signed.header.typ === type) return opened
  } catch (error) {
    if (isRefusal(error)) throw invalid('it is not a compact JWS of ES256, EdDSA or ES256K', error)
    throw error
  }
  throw invalid(`its typ is not ${type}`)
}

const judgeTrust = (key: VerificationKey, needs: AgencyNeeds): void => {
  const now = needs.clock.now()
  let address: string
  try {
    address = issuerAddress(key.did, needs.chain)
  } catch (cause) {
    throw invalid('its issuer is not a did:ethr of this chain', cause)
  }
  if (needs.trust.distrustedSince(address, key.thumbprint) !== undefined) {
    throw new Refusal('forbidden', 'agency_key_distrusted', 'The key that signed the request is distrusted; rotate it.')
  }
  if (needs.types.some(id => needs.trust.accreditation(address, id, now).accredited)) return
  const detail = 'The agency is not accredited for any credential type now; the root of trust accredits.'
  throw new Refusal('forbidden', 'agency_unaccredited', detail)
}

/** Tokens seen by this process. Across processes a token counts once where it writes, by `spend`. */
const openSeen = (clock: Clock) => {
  const seen = new Map<string, number>()
  return (id: string, expires: number): void => {
    if (seen.has(id)) {
      throw new Refusal('unauthenticated', 'agency_token_replayed', 'The agency token was used before; sign a new one.')
    }
    if (seen.size >= seenMost) for (const [old, end] of seen) if (end <= clock.now()) seen.delete(old)
    if (seen.size >= seenMost) {
      throw new Refusal('too_many', 'agency_tokens_busy', 'Too many agency requests arrive at this moment; try again.')
    }
    seen.set(id, expires)
  }
}

/** Admits institutions by requests that they signed. */
export const openAgencies = (needs: AgencyNeeds): Agencies => {
  const see = openSeen(needs.clock)
  return {
    async admit({ token, method, url }) {
      const { signed, payload } = readToken(token)
      let claims: Claims
      try {
        claims = claimsOf(payload, { method, url }, needs)
      } catch (error) {
        throw isRefusal(error) && error.kind === 'malformed' ? invalid('its times are not NumericDates', error) : error
      }
      const key = await keyOf(signed.header.kid, claims.issuer, needs.dids)
      if (key.algorithm !== signed.header.alg) throw invalid('its header names another algorithm than its key has')
      if (!(await signatureHolds(signed, key))) throw invalid('its signature does not fit')
      judgeTrust(key, needs)
      const proof = { key: `agency:${key.did}:${claims.id}`, expires: claims.expires }
      see(proof.key, proof.expires)
      const owner = randomBytes(12).toString('base64url')
      return {
        ...{ kind: 'agency', id: key.did, bodySha256: claims.bodySha256 },
        spend: tx => needs.spend(tx, { ...proof, owner }),
      }
    },
  }
}
