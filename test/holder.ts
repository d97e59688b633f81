import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { canonical } from '../src/kernel/canonical.ts'
import { type Answer, caller } from './service.ts'

/** What a wallet of a citizen's own does, from the outside: its keys, what it was issued, and how it presents that. */

export type Key = { did: string; kid: string; jwk: Record<string, unknown>; thumbprint: string; privateKey: KeyObject }

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('base64url')

export const newKey = (): Key => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' })
  const jwk = { crv, kty, x, y }
  const did = `did:jwk:${encode(jwk)}`
  return { did, kid: `${did}#0`, jwk, thumbprint: sha256(canonical(jwk)), privateKey }
}

export const signJwt = (
  header: Record<string, unknown>,
  payload: Record<string, unknown>,
  { privateKey }: Key,
): string => {
  const input = `${encode({ alg: 'ES256', ...header })}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** The wallet's own clock; a test that moves the agency's moves this one with it. */
export const walletClock = { now: (): number => Date.now() }

const seconds = (): number => Math.floor(walletClock.now() / 1_000)

/** Keeps back every disclosable claim whose name is not chosen; without a choice all are shown. */
const shown = (sdJwt: string, claims: readonly string[] | undefined): string => {
  const [jws = '', ...rest] = sdJwt.split('~')
  const kept = rest.filter(part => {
    if (part === '' || claims === undefined) return part !== ''
    const [, name] = JSON.parse(Buffer.from(part, 'base64url').toString()) as [string, string]
    return claims.includes(name)
  })
  return `${[jws, ...kept].join('~')}~`
}

export type To = { challenge: string; audience: string }

/** An SD-JWT with the key binding of its holder (RFC 9901). */
export const bind = (sdJwt: string, to: To, key: Key, claims?: readonly string[]): string => {
  const part = shown(sdJwt, claims)
  const payload = { aud: to.audience, nonce: to.challenge, iat: seconds(), sd_hash: sha256(part) }
  return part + signJwt({ typ: 'kb+jwt' }, payload, key)
}

/** A vp+jwt around whole credentials. */
export const wrap = (credentials: readonly string[], to: To, key: Key): string =>
  signJwt(
    { typ: 'vp+jwt', cty: 'vp', kid: key.kid },
    {
      '@context': ['https://www.w3.org/ns/credentials/v2'],
      type: ['VerifiablePresentation'],
      holder: key.did,
      verifiableCredential: credentials.map(compact => ({
        '@context': 'https://www.w3.org/ns/credentials/v2',
        id: `data:application/${compact.includes('~') ? 'dc+sd-jwt' : 'vc+jwt'},${compact}`,
        type: 'EnvelopedVerifiableCredential',
      })),
      ...{ nonce: to.challenge, aud: to.audience, iat: seconds(), exp: seconds() + 300 },
    },
    key,
  )

export type Held = { compact: string; id: string; issuer: string; key: Key }

const compactOf = (credential: unknown): string => {
  if (typeof credential === 'string') return credential
  const { id, proof } = credential as { id?: string; proof?: { jwt: string } }
  if (proof !== undefined) return proof.jwt
  return (id ?? '').replace(/^data:[^,]*,/, '')
}

export type Service = { url: string; dataDir: string }

/** Presents one held credential: an SD-JWT by its own key binding, anything else inside a vp+jwt. */
export const present = (held: Held, to: To, claims?: readonly string[]): string =>
  held.compact.includes('~') ? bind(held.compact, to, held.key, claims) : wrap([held.compact], to, held.key)

/** A DPoP proof (RFC 9449). */
export const dpopProof = (
  key: Key,
  claims: { method: string; url: string; token?: string; nonce?: string | undefined } & Record<string, unknown>,
): string => {
  const { method, url, token, nonce, ...others } = claims
  return signJwt(
    { typ: 'dpop+jwt', jwk: key.jwk },
    {
      ...{ jti: randomUUID(), htm: method, htu: url, iat: seconds() },
      ...(token === undefined ? {} : { ath: sha256(token) }),
      ...(nonce === undefined ? {} : { nonce }),
      ...others,
    },
    key,
  )
}

/** One call, as JSON. */
export const send = async (
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> => {
  const isLines = typeof body === 'string'
  const response = await fetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': isLines ? 'application/x-ndjson' : 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isLines ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, body: isJson ? JSON.parse(text) : { text }, headers: response.headers }
}

export type Session = {
  token: string
  key: Key
  /** Calls the agency with a fresh proof, and again with the server's nonce where it asks for one. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
}

/** A session that is open already: its calls carry the token and a proof of the key. */
export const dpopFetch = (agencyUrl: string, token: string, key: Key, first?: string): Session => {
  let nonce = first
  const once = async (
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<Answer> => {
    const proof = dpopProof(key, { method, url: agencyUrl + (path.split('?')[0] ?? ''), token, nonce })
    const answer = await send(agencyUrl + path, method, body, {
      authorization: `DPoP ${token}`,
      dpop: proof,
      ...headers,
    })
    nonce = answer.headers.get('dpop-nonce') ?? nonce
    return answer
  }
  return {
    token,
    key,
    async call(method, path, body, headers = {}) {
      const answer = await once(method, path, body, headers)
      return answer.body['code'] === 'use_dpop_nonce' ? once(method, path, body, headers) : answer
    },
  }
}

/** Presents over a challenge for a fresh key, and opens a session bound to that key. */
export const tryOpenSession = async (
  agencyUrl: string,
  makePresentation: (to: To) => string | string[],
  key: Key = newKey(),
): Promise<{ answer: Answer; key: Key }> => {
  const asked = await send(`${agencyUrl}/sessions/challenge`, 'POST', { dpop_jkt: key.thumbprint })
  if (asked.status !== 201) return { answer: asked, key }
  const presentation = makePresentation(asked.body as unknown as To)
  const dpop = dpopProof(key, { method: 'POST', url: `${agencyUrl}/sessions` })
  return { answer: await send(`${agencyUrl}/sessions`, 'POST', { presentation }, { dpop }), key }
}

/** SHA-256 of the canonical body without its presentations, as a presentation for one act is bound to it. */
export const bodyDigest = (body: Record<string, unknown> = {}): string => {
  const { presentation: _one, presentations: _all, ...rest } = body
  return sha256(canonical(rest))
}

/** The challenge for one act. */
export const challengeFor = async (
  agencyUrl: string,
  operationId: string,
  params: Record<string, string>,
  body: Record<string, unknown> = {},
): Promise<To> => {
  const asked = { bodySha256: bodyDigest(body), params }
  const answer = await send(`${agencyUrl}/requirements/${operationId}/challenge`, 'POST', asked)
  if (answer.status !== 201) throw new Error(`no challenge for ${operationId}: ${JSON.stringify(answer.body)}`)
  return answer.body as unknown as To
}

/** A citizen or officer with keys and credentials of their own: one key a credential, unless told otherwise. */
export const newWalletHolder = (service: Service) => {
  const key = newKey()
  const held: Held[] = []

  /** Has an agency issue a credential to this holder, by its staff. */
  const receive = async (
    agency: string,
    type: string,
    claims: Record<string, unknown>,
    options: { format?: string; key?: Key; validUntil?: string } = {},
  ): Promise<Held> => {
    const { key: to = key, validUntil, ...rest } = options
    const credential = {
      type: ['VerifiableCredential', type],
      credentialSubject: { id: to.did, ...claims },
      ...(validUntil === undefined ? {} : { validUntil }),
    }
    const body = { credential, ...(Object.keys(rest).length === 0 ? {} : { options: rest }) }
    const answer = await caller(service, agency)('POST', '/credentials/issue', body)
    if (answer.status !== 201) throw new Error(`${agency} did not issue a ${type}: ${JSON.stringify(answer.body)}`)
    const compact = compactOf(answer.body['verifiableCredential'])
    const got = { compact, id: String(answer.body['credentialId']), issuer: agency, key: to }
    held.push(got)
    return got
  }

  /** Presentations of these credentials, or of all that are held, over one challenge. */
  const presentAll = (to: To, which: readonly Held[] = held): string[] => which.map(each => present(each, to))

  return {
    ...{ key, held, receive },
    did: key.did,
    present: presentAll,

    async openSession(agency: string, which: readonly Held[] = held): Promise<Session> {
      const url = `${service.url}/${agency}`
      const { answer, key: bound } = await tryOpenSession(url, to => presentAll(to, which))
      if (answer.status !== 201) throw new Error(`no session: ${JSON.stringify(answer.body)}`)
      return dpopFetch(url, String(answer.body['access_token']), bound, answer.headers.get('dpop-nonce') ?? undefined)
    },

    /** The body of one act with presentations made for exactly that act. */
    async oneShot(
      agency: string,
      operationId: string,
      params: Record<string, string>,
      body: Record<string, unknown> = {},
      which: readonly Held[] = held,
    ): Promise<Record<string, unknown>> {
      const to = await challengeFor(`${service.url}/${agency}`, operationId, params, body)
      return { ...body, presentation: presentAll(to, which) }
    },
  }
}

export type WalletHolder = ReturnType<typeof newWalletHolder>

/** The body of a joint act: each party presents its own over the one challenge, with its name behind it. */
export const jointShot = async (
  agencyUrl: string,
  operationId: string,
  params: Record<string, string>,
  body: Record<string, unknown>,
  parties: Readonly<Record<string, (to: To) => string[]>>,
): Promise<Record<string, unknown>> => {
  const to = await challengeFor(agencyUrl, operationId, params, body)
  const partOf = (name: string): To => ({ ...to, challenge: `${to.challenge}.${name}` })
  const presentations = Object.fromEntries(Object.entries(parties).map(([name, make]) => [name, make(partOf(name))]))
  return { ...body, presentations }
}

/** Revokes (or suspends) a credential by its issuer's staff, and waits until a block shows it. */
export const withdraw = async (service: Service, held: Held, purpose = 'revocation'): Promise<void> => {
  const answer = await caller(service, held.issuer)('POST', '/credentials/status?wait=mined', {
    credentialId: held.id,
    credentialStatus: { type: 'BitstringStatusListEntry', statusPurpose: purpose },
    status: true,
  })
  if (answer.status !== 202) throw new Error(`not withdrawn: ${JSON.stringify(answer.body)}`)
}
