import { createHash, randomUUID } from 'node:crypto'
import { sealJws } from '../identity/formats/jose.ts'
import { publicKeyFromJwk } from '../identity/key-material.ts'
import { presentCredential } from '../identity/present.ts'
import { digestOf } from '../kernel/canonical.ts'
import type { Clock } from '../kernel/ports.ts'
import { holderKey, type KeyHolder, signerOf } from './people.ts'
import { type Answered, type Asked, ask, Refused } from './wire.ts'

/** What a wallet does for the person whose keys it holds. */

/** A key, and what was issued to it. */
export type Holder = KeyHolder & { credential: string }

type To = { challenge: string; audience: string }

/** Shows one credential over a challenge, and of what it lets choose only these claims. */
export const present = (holder: Holder, to: To, claims: readonly string[], clock: Clock): Promise<string> => {
  const held = { compact: holder.credential, format: holder.credential.includes('~') ? 'dc+sd-jwt' : 'vc+jwt' }
  return presentCredential(held, { ...to, claims }, holderKey(holder), signerOf(holder), clock.now())
}

export type Session = (asked: Asked) => Promise<Answered>

const publicJwk = ({ key: { crv, kty, x, y } }: Holder) => ({ crv, kty, x, y }) as Record<string, string>

/** A DPoP proof (RFC 9449). */
const proofOf = (holder: Holder, claims: Record<string, unknown>, clock: Clock): Promise<string> => {
  const { sign } = signerOf(holder)
  const header = { alg: 'ES256' as const, typ: 'dpop+jwt', jwk: publicJwk(holder) }
  const payload = { jti: randomUUID(), iat: Math.floor(clock.now() / 1_000), ...claims }
  return sealJws(header, payload, (algorithm, data) => sign(holder.did, algorithm, data))
}

/** Opens a session with an agency by what the holder presents; its calls carry proofs of the holder's key. */
export const openSession = async (
  url: string,
  holder: Holder,
  claims: readonly string[],
  clock: Clock,
): Promise<Session> => {
  const { thumbprint } = publicKeyFromJwk(publicJwk(holder))
  const challenged = await ask(url, { path: '/sessions/challenge', body: { dpop_jkt: thumbprint } })
  const presentation = await present(holder, challenged.body as To, claims, clock)
  const dpop = await proofOf(holder, { htm: 'POST', htu: `${url}/sessions` }, clock)
  const opened = await ask(url, { path: '/sessions', body: { presentation }, headers: { dpop } })
  const token = String(opened.body['access_token'])
  const ath = createHash('sha256').update(token).digest('base64url')
  let nonce = opened.headers.get('dpop-nonce')
  const once = async (asked: Asked): Promise<Answered> => {
    const claimed = { htm: asked.method ?? 'POST', htu: url + asked.path, ath, ...(nonce === null ? {} : { nonce }) }
    const proof = await proofOf(holder, claimed, clock)
    const headers = { authorization: `DPoP ${token}`, dpop: proof, ...asked.headers }
    const answer = await ask(url, { ...asked, headers })
    nonce = answer.headers.get('dpop-nonce') ?? nonce
    return answer
  }
  return async asked => {
    try {
      return await once(asked)
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'use_dpop_nonce') throw error
      nonce = error.headers.get('dpop-nonce')
      return once(asked)
    }
  }
}

/** What a party shows in a joint act. */
export type Part = { holder: Holder; claims: readonly string[] }

/** The body of a joint act: each party presents over the one challenge, with the name of its part behind it. */
export const signTogether = async (
  url: string,
  { operation, params, body }: { operation: string; params: Record<string, string>; body: Record<string, unknown> },
  parts: Readonly<Record<string, Part>>,
  clock: Clock,
): Promise<Record<string, unknown>> => {
  const bodySha256 = digestOf(body).toString('base64url')
  const path = `/requirements/${operation}/challenge`
  const { audience, challenge } = (await ask(url, { path, body: { bodySha256, params } })).body as To
  const presentations: Record<string, string[]> = {}
  for (const [name, { holder, claims }] of Object.entries(parts)) {
    presentations[name] = [await present(holder, { audience, challenge: `${challenge}.${name}` }, claims, clock)]
  }
  return { ...body, presentations }
}
