import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import type { Door } from '../kernel/door.ts'
import { anonymous, type Caller } from '../kernel/gate.ts'
import type { Clock, Store } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { createApiKeys, everyScope } from './api-keys.ts'

export type OidcConfig = {
  issuer: string
  audience: string
  jwks: { url: string } | { keys: JSONWebKeySet['keys'] }
  /** Default: all of `oidcAlgorithms`. Nothing outside that list is ever accepted. */
  algorithms?: readonly string[]
  /** Claims that hold scopes or roles, each a string of words or a list. Default `scope`, `scp` and `roles`. */
  scopeClaims?: readonly string[]
  /** What a scope or role of the token stands for with us. Without it the token's words are our scopes. */
  scopes?: Record<string, readonly string[]>
  /** Default 30. */
  clockToleranceSeconds?: number
}

export const oidcAlgorithms = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const

/** Sessions of citizens, by the opaque token the wallet service gave out. */
export type Citizens = { session(token: string): Promise<Caller | undefined> }

/** Sessions of holders of credentials (`gs_`), each bound to a key that every call proves. */
export type HolderSessions = Pick<Door, 'session'>

/** Requests that other institutions signed; `url` is what was asked for, with its query. */
export type Agencies = { admit(call: { token: string; method: string; url: string }): Promise<Caller> }

export type AuthParts = {
  store: Store
  clock: Clock
  /** Every scope some route of the agency asks for; what the first key holds. */
  scopes: readonly string[]
  oidc?: OidcConfig | undefined
  citizens?: Citizens | undefined
  holders?: HolderSessions | undefined
  agencies?: Agencies | undefined
  /** Whoever brings no authorization is this caller; in a conformance profile, one with every scope. */
  unknown?: Caller | undefined
}

export type AuthRequest = {
  authorization: string | undefined
  /** Of the call that the proofs of sessions and of institutions are made for. */
  dpop?: string | undefined
  method?: string
  /** Public URL without query. */
  url?: string
  /** The query as it came, which institutions sign as well. */
  query?: string
  /** Names this request among all. */
  request?: string
  renew?(nonce: string): void
}

export type Auth = {
  /**
   * @throws Refusal unauthenticated/credentials_invalid, which never tells which part was wrong; of a session, what its
   * proof lacks, or why a credential of it no longer stands.
   */
  authenticate(request: AuthRequest): Promise<Caller>
}

const invalid = (cause?: unknown): Refusal =>
  new Refusal('unauthenticated', 'credentials_invalid', 'The key, token or session is not valid.', { cause })

const tokenMax = 8_192
const jwksBytesMax = 262_144
const jwksMs = 5_000

/** Key sets are fetched from one configured URL, without redirects, bounded in size and in time. */
const boundedFetch = async (url: string, options: { headers: Headers; signal: AbortSignal }): Promise<Response> => {
  const response = await fetch(url, { headers: options.headers, signal: options.signal, redirect: 'error' })
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > jwksBytesMax) throw new Error(`The key set of the OIDC issuer is larger than ${jwksBytesMax} bytes.`)
    chunks.push(chunk)
  }
  return new Response(Buffer.concat(chunks), { status: response.status, headers: response.headers })
}

const keySet = (jwks: OidcConfig['jwks']): JWTVerifyGetKey =>
  'keys' in jwks
    ? createLocalJWKSet({ keys: jwks.keys })
    : createRemoteJWKSet(new URL(jwks.url), { timeoutDuration: jwksMs, [customFetch]: boundedFetch })

const wordsOf = (claim: unknown): string[] => {
  if (typeof claim === 'string') return claim.split(' ').filter(word => word !== '')
  return Array.isArray(claim) ? claim.filter(word => typeof word === 'string') : []
}

const scopesOf = (payload: JWTPayload, config: OidcConfig): string[] => {
  const words = (config.scopeClaims ?? ['scope', 'scp', 'roles']).flatMap(name => wordsOf(payload[name]))
  const mapping = config.scopes
  if (mapping === undefined) return words.filter(word => word !== everyScope)
  return words.flatMap(word => (Object.hasOwn(mapping, word) ? (mapping[word] ?? []) : []))
}

const createOidc = (config: OidcConfig, clock: Clock): ((token: string) => Promise<Caller>) => {
  const algorithms = [...(config.algorithms ?? oidcAlgorithms)]
  for (const algorithm of algorithms) {
    if (oidcAlgorithms.some(known => known === algorithm)) continue
    throw new Error(`The OIDC algorithm ${algorithm} is not allowed; allowed are ${oidcAlgorithms.join(', ')}.`)
  }
  const keys = keySet(config.jwks)
  /** A key set that cannot be had is the issuer's trouble, not the caller's. */
  const keyOf: JWTVerifyGetKey = async (header, token) => {
    try {
      return await keys(header, token)
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys) throw cause
      throw new Refusal('unavailable', 'oidc_keys_unavailable', 'The keys of the OIDC issuer cannot be read now.', {
        cause,
      })
    }
  }
  return async token => {
    try {
      const { payload } = await jwtVerify(token, keyOf, {
        issuer: config.issuer,
        audience: config.audience,
        algorithms,
        clockTolerance: config.clockToleranceSeconds ?? 30,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(clock.now()),
      })
      if (typeof payload.sub !== 'string' || payload.sub === '') throw invalid()
      return { kind: 'oidc', id: payload.sub, scopes: scopesOf(payload, config) }
    } catch (error) {
      if (error instanceof Refusal) throw error
      throw invalid(error)
    }
  }
}

/**
 * Who is calling: API keys (`ck_`), citizens' sessions (`cs_`), OIDC tokens of staff; with the scheme DPoP, sessions of
 * holders (`gs_`); with the scheme Agency, other institutions; nobody without a header.
 */
export const createAuth = ({
  store,
  clock,
  scopes,
  oidc,
  citizens,
  holders,
  agencies,
  unknown = anonymous,
}: AuthParts): Auth => {
  const apiKeys = createApiKeys(store, clock)
  const verifyOidc = oidc === undefined ? undefined : createOidc(oidc, clock)

  const byKey = async (token: string): Promise<Caller> => {
    const key = await apiKeys.find(token)
    if (key === undefined) throw invalid()
    return { kind: 'apiKey', id: key.id, scopes: key.scopes.includes(everyScope) ? scopes : key.scopes }
  }

  const byBearer = async (token: string): Promise<Caller> => {
    if (token.startsWith('ck_')) return byKey(token)
    if (token.startsWith('cs_')) {
      const caller = await citizens?.session(token)
      if (caller === undefined) throw invalid()
      return caller
    }
    if (verifyOidc === undefined) throw invalid()
    return verifyOidc(token)
  }

  return {
    async authenticate(call) {
      const { authorization, dpop, method = '', url = '', query = '', request = '', renew = () => undefined } = call
      if (authorization === undefined) return unknown
      const [, scheme, token] = /^(Bearer|DPoP|Agency) ([\x21-\x7e]+)$/i.exec(authorization) ?? []
      if (scheme === undefined || token === undefined || token.length > tokenMax) throw invalid()
      const how = scheme.toLowerCase()
      if (how === 'bearer') return byBearer(token)
      if (how === 'agency') {
        if (agencies === undefined) throw invalid()
        return agencies.admit({ token, method, url: query === '' ? url : `${url}?${query}` })
      }
      if (holders === undefined || !token.startsWith('gs_')) throw invalid()
      return holders.session({ token, dpop, method, url, request, renew })
    },
  }
}
