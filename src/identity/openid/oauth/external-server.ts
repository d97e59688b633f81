import { hash } from 'node:crypto'
import type { Clock } from '../../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import { compactJwsHolds, readCompactJws, readKeySet } from '../../formats/compact-jws.ts'
import { fromNumericDate } from '../../formats/jose.ts'
import { isRecord, readJson } from '../../formats/json.ts'
import { clockSkewMs } from '../../standing.ts'
import { type FetchText, openCached, openRemoteKeys, type RemoteKeys, serverUnavailable } from './key-set.ts'

/** An authorization server of others, as an agency's file names it. */
export type ExternalServerConfig = {
  /** Its issuer identifier (RFC 8414). */
  issuer: string
  /** Where its keys are; without it, and without `keys`, its metadata says so. */
  jwksUrl?: string | undefined
  keys?: readonly Record<string, unknown>[] | undefined
  /** Which claims of its tokens say whose they are, by claim of the credential type. */
  person?: { type: string; claims: Readonly<Record<string, string>> } | undefined
}

/** What an access token says (RFC 9068). Times are milliseconds. */
export type ExternalToken = {
  id: string
  expires: number
  subject: string
  clientId: string
  thumbprint?: string | undefined
  scopes: readonly string[]
  configurationIds: readonly string[]
  issuerState?: string | undefined
  person?: { type: string; claims: Readonly<Record<string, unknown>> } | undefined
}

export type ExternalServer = {
  issuer: string
  /** @throws Refusal unauthenticated/access_token_refused, unavailable/authorization_server_unavailable */
  judge(token: string): Promise<ExternalToken>
  /** @throws Refusal unavailable/authorization_server_unavailable */
  metadata(): Promise<Record<string, unknown>>
}

type Needs = { clock: Clock; audience: string; fetchText: FetchText }

const lengthMost = 16_384
const ageMost = 24 * 60 * 60_000

const refused = (detail: string, cause?: unknown): Refusal =>
  new Refusal('unauthenticated', 'access_token_refused', detail, { cause, facts: { error: 'invalid_token' } })

/** RFC 8414, section 3: the well-known name goes between host and path. */
export const metadataUrlOf = (issuer: string): string => {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`
}

const textOf = (payload: Readonly<Record<string, unknown>>, name: string): string => {
  const value = payload[name]
  if (typeof value === 'string' && value !== '' && value.length <= 2_048) return value
  throw refused(`The access token lacks the claim ${name} (RFC 9068, section 2.2).`)
}

const configurationsIn = (details: unknown, audience: string): string[] => {
  if (!Array.isArray(details)) return []
  return details.flatMap((detail: unknown) => {
    if (!isRecord(detail) || detail['type'] !== 'openid_credential') return []
    const { credential_configuration_id: id, locations } = detail
    const isHere = locations === undefined || (Array.isArray(locations) && locations.includes(audience))
    return typeof id === 'string' && isHere ? [id] : []
  })
}

const thumbprintIn = (cnf: unknown): string | undefined => {
  if (cnf === undefined) return undefined
  const thumbprint = isRecord(cnf) ? cnf['jkt'] : undefined
  if (typeof thumbprint === 'string' && /^[A-Za-z0-9_-]{43}$/.test(thumbprint)) return thumbprint
  throw refused('The access token is bound in a way that is not understood: cnf has no jkt (RFC 9449, section 6.1).')
}

const personIn = (
  payload: Readonly<Record<string, unknown>>,
  person: ExternalServerConfig['person'],
): ExternalToken['person'] => {
  if (person === undefined) return undefined
  const claims = Object.entries(person.claims).map(([name, claim]) => [name, payload[claim]] as const)
  return claims.every(([, value]) => value !== undefined)
    ? { type: person.type, claims: Object.fromEntries(claims) }
    : undefined
}

const assertTimes = (payload: Readonly<Record<string, unknown>>, now: number): number => {
  const expires = fromNumericDate(payload['exp'], 'exp')
  const issuedAt = fromNumericDate(payload['iat'], 'iat')
  const begins = fromNumericDate(payload['nbf'], 'nbf')
  if (expires === undefined || expires + clockSkewMs <= now) throw refused('The access token has expired.')
  if (issuedAt === undefined || issuedAt > now + clockSkewMs) throw refused('The access token is from the future.')
  if (begins !== undefined && begins > now + clockSkewMs) throw refused('The access token is not valid yet.')
  if (expires - issuedAt > ageMost) throw refused('The access token lives longer than a day.')
  return expires
}

const isFor = (aud: unknown, audience: string): boolean =>
  aud === audience || (Array.isArray(aud) && aud.includes(audience))

/** RFC 9068, section 4, and what of the token the issuer goes by. */
const judge = async (
  token: string,
  config: ExternalServerConfig,
  { clock, audience, keys }: Needs & { keys: RemoteKeys },
): Promise<ExternalToken> => {
  const jws = readCompactJws(token, { bytesMost: lengthMost })
  if (jws.typ !== 'at+jwt') throw refused('The typ of an access token is at+jwt (RFC 9068, section 4).')
  const { payload } = jws
  if (payload['iss'] !== config.issuer) throw refused('The access token is of another authorization server (iss).')
  if (!isFor(payload['aud'], audience)) throw refused('The access token is meant for another issuer (aud).')
  const expires = assertTimes(payload, clock.now())
  const [subject, clientId, jti] = [textOf(payload, 'sub'), textOf(payload, 'client_id'), textOf(payload, 'jti')]
  const key = await keys.find(jws.kid)
  if (key === undefined || !(await compactJwsHolds(jws, key))) {
    throw refused('The access token is not signed by a key of its authorization server.')
  }
  const { scope, issuer_state: issuerState } = payload
  return {
    id: hash('sha256', `${config.issuer} ${jti}`, 'base64url'),
    ...{ expires, subject, clientId, thumbprint: thumbprintIn(payload['cnf']) },
    scopes: typeof scope === 'string' ? scope.split(' ') : [],
    configurationIds: configurationsIn(payload['authorization_details'], audience),
    issuerState: typeof issuerState === 'string' ? issuerState : undefined,
    person: personIn(payload, config.person),
  }
}

/** The server's own words, unless they are about another server (RFC 8414, section 3.3). */
const readMetadata = async (config: ExternalServerConfig, fetchText: FetchText): Promise<Record<string, unknown>> => {
  const metadata = readJson(await fetchText(metadataUrlOf(config.issuer)), 'metadata of the authorization server')
  if (!isRecord(metadata) || metadata['issuer'] !== config.issuer) throw serverUnavailable()
  return metadata
}

/**
 * An authorization server that an agency leaves the giving of tokens to. Its tokens are signed JWTs for this issuer (RFC 9068);
 * its keys and metadata are fetched within bounds, and kept for ten minutes.
 */
export const openExternalServer = (config: ExternalServerConfig, needs: Needs): ExternalServer => {
  const metadata = openCached(() => readMetadata(config, needs.fetchText), needs.clock)
  const jwksUrl = async (): Promise<string> => {
    const url = config.jwksUrl ?? (await metadata.get())['jwks_uri']
    if (typeof url !== 'string') throw serverUnavailable()
    return url
  }
  const named = config.keys === undefined ? undefined : readKeySet({ keys: config.keys })
  const keys: RemoteKeys =
    named === undefined ? openRemoteKeys(jwksUrl, needs.fetchText, needs.clock) : { find: async kid => named.get(kid) }
  return {
    issuer: config.issuer,
    metadata: metadata.get,
    async judge(token) {
      try {
        return await judge(token, config, { ...needs, keys })
      } catch (error) {
        if (!isRefusal(error) || error.kind === 'unavailable' || error.code === 'access_token_refused') throw error
        throw refused(error.message, error)
      }
    },
  }
}
