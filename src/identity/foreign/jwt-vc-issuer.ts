import type { JsonWebKey } from 'node:crypto'
import type { Clock } from '../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../kernel/refusal.ts'
import type { FetchBounds, Fetched } from '../fetch-bounded.ts'
import { openFetchSlots } from '../fetch-slots.ts'
import { isRecord } from '../formats/json.ts'
import { Generations } from '../generations.ts'
import { type PublicKey, publicKeyFromJwk } from '../key-material.ts'
import { maxAgeMs } from '../status-lists/cache.ts'

/** A key that an issuer publishes under its URL. */
export type IssuerKeyByUrl = { kid: string | undefined; key: PublicKey }

export type JwtVcIssuers = {
  /**
   * The keys of an issuer whose `iss` is an https URL, as its JWT VC Issuer Metadata has them (SD-JWT VC, section 4): fetched once at
   * a time, and kept for as long as the issuer allows, an hour at most.
   * @throws Refusal rejected/issuer_metadata_refused, rejected/url_forbidden, unavailable/issuer_metadata_unavailable
   */
  keysOf(iss: string): Promise<readonly IssuerKeyByUrl[]>
}

export type JwtVcIssuerNeeds = {
  clock: Clock
  fetch(url: string, bounds: FetchBounds): Promise<Fetched>
  /** Exactly these origins may be http: for the demo. */
  allowedHttpOrigins?: readonly string[]
}

const keysMost = 32
const keptMost = 1_000
const keptMs = { unsaid: 60_000, most: 3_600_000, failed: 1_000 }

const refused = (detail: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'issuer_metadata_refused', detail, { cause })
const unavailable = (detail: string, cause?: unknown): Refusal =>
  new Refusal('unavailable', 'issuer_metadata_unavailable', detail, { cause })

/**
 * Where the metadata of an issuer stands: the well-known name between host and path, without a closing slash.
 * @throws Refusal rejected/issuer_metadata_refused for an `iss` that is no https URL without query and fragment
 */
export const jwtVcIssuerUrl = (iss: string, allowedHttpOrigins: readonly string[] = []): string => {
  const url = iss.length <= 2_048 && URL.canParse(iss) ? new URL(iss) : undefined
  const isPlain = url !== undefined && !/[?#]/.test(iss) && url.username === '' && url.password === ''
  if (!isPlain || (url.protocol !== 'https:' && !allowedHttpOrigins.includes(url.origin))) {
    throw refused('iss is no https URL without query and fragment.')
  }
  return `${url.origin}/.well-known/jwt-vc-issuer${url.pathname.replace(/\/$/, '')}`
}

const jsonIn = ({ body, status }: Fetched): Record<string, unknown> => {
  if (status !== 200) throw unavailable('The issuer metadata cannot be had now.')
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw refused('The issuer metadata is not JSON.', cause)
  }
  if (isRecord(value)) return value
  throw refused('The issuer metadata is not a JSON object.')
}

/** Keys that nobody here verifies with are left out. */
const keyIn = (jwk: unknown): IssuerKeyByUrl[] => {
  if (!isRecord(jwk)) throw refused('A key of the issuer is not an object.')
  const { kid, use } = jwk
  if (kid !== undefined && typeof kid !== 'string') throw refused('The kid of a key of the issuer is not a string.')
  if (use !== undefined && use !== 'sig') return []
  try {
    return [{ kid, key: publicKeyFromJwk(jwk as JsonWebKey) }]
  } catch (error) {
    if (isRefusal(error)) return []
    throw error
  }
}

const keysIn = (jwks: unknown): IssuerKeyByUrl[] => {
  const keys = isRecord(jwks) ? jwks['keys'] : undefined
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > keysMost) {
    throw refused(`The issuer metadata has no JWK Set of one to ${keysMost} keys.`)
  }
  return keys.flatMap(keyIn)
}

type Kept = { keys: readonly IssuerKeyByUrl[]; until: number }

export const openJwtVcIssuers = (needs: JwtVcIssuerNeeds): JwtVcIssuers => {
  const { clock, allowedHttpOrigins = [] } = needs
  const kept = new Generations<Kept>(keptMost)
  const failures = new Generations<{ error: unknown; until: number }>(keptMost)
  const underWay = new Map<string, Promise<readonly IssuerKeyByUrl[]>>()
  const slots = openFetchSlots({ clock: needs.clock, total: 32, perHost: 8, perHostPerMinute: 120 })

  const ask = async (url: string): Promise<Fetched> => {
    try {
      // Who an issuer is says its own host, and nobody whom it sends readers on to.
      const bounds = { allowedHttpOrigins, maxBytes: 65_536, maxRedirects: 0, accept: 'application/json' }
      return await slots.run(URL.canParse(url) ? new URL(url).host : '', () => needs.fetch(url, bounds))
    } catch (error) {
      if (isRefusal(error) && error.kind === 'rejected') throw error
      throw isRefusal(error) ? unavailable('The issuer metadata cannot be had now.', error) : error
    }
  }

  const load = async (iss: string): Promise<readonly IssuerKeyByUrl[]> => {
    const askedAt = clock.now()
    const answer = await ask(jwtVcIssuerUrl(iss, allowedHttpOrigins))
    const { issuer, jwks, jwks_uri: jwksUri } = jsonIn(answer)
    if (issuer !== iss) throw refused('The issuer metadata is that of another issuer than iss.')
    if ((jwks === undefined) === (jwksUri === undefined)) {
      throw refused('Issuer metadata has either jwks or jwks_uri.')
    }
    let from = answer
    if (jwks === undefined) {
      if (typeof jwksUri !== 'string') throw refused('jwks_uri is not a string.')
      from = await ask(jwksUri)
    }
    const keys = keysIn(jwks ?? jsonIn(from))
    const life = [answer, from].map(each => maxAgeMs(each.cacheControl, each.age) ?? keptMs.unsaid)
    kept.set(iss, { keys, until: askedAt + Math.min(...life, keptMs.most) })
    return keys
  }

  return {
    async keysOf(iss) {
      const now = clock.now()
      const known = kept.get(iss)
      if (known !== undefined && now < known.until) return known.keys
      const failed = failures.get(iss)
      if (failed !== undefined && now < failed.until) throw failed.error
      const pending = underWay.get(iss)
      if (pending !== undefined) return pending
      const loading = load(iss)
        .catch(error => {
          failures.set(iss, { error, until: clock.now() + keptMs.failed })
          throw error
        })
        .finally(() => underWay.delete(iss))
      underWay.set(iss, loading)
      return loading
    },
  }
}
