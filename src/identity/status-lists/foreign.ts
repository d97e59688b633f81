import { canonical } from '../../kernel/canonical.ts'
import type { Clock } from '../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../kernel/refusal.ts'
import { type FetchBounds, type Fetched, fetchBounded } from '../fetch-bounded.ts'
import { openFetchSlots } from '../fetch-slots.ts'
import { isRecord } from '../formats/json.ts'
import { Generations } from '../generations.ts'
import {
  type BitstringEntry,
  type BitstringList,
  type BitstringStatus,
  expandBitstring,
  readBitstringList,
  statusOf,
} from './bitstring.ts'
import { ByteCache, maxAgeMs } from './cache.ts'
import { unpack } from './compression.ts'
import { listRefused, listUnavailable, statusMalformed } from './refusals.ts'
import {
  judgeListToken,
  meaningOf,
  type OpenedListToken,
  openListCwt,
  openListJwt,
  readAggregation,
  type StatusList,
  type StatusMeaning,
  statusAt,
  type TokenReference,
} from './token.ts'
import { isListUrl } from './url.ts'

/** A list credential as it came, secured in whichever way its media type says. */
export type SecuredList = { url: string; contentType: string; body: Buffer }

export type ForeignListNeeds = {
  clock: Clock
  /** @default fetchBounded */
  fetch?: (url: string, bounds: FetchBounds) => Promise<Fetched>
  /** Beyond what is set here: which hosts may be asked, and how long. */
  fetchBounds?: FetchBounds
  /**
   * Finds the key that signs a Status List Token and checks its signature.
   * @param credential for which the list is read: a token need not name its issuer (`iss`), and is then signed by that one's.
   * @returns whose list it is, in the words in which credentials name their issuer. @throws Refusal
   */
  verifyListToken(token: OpenedListToken, credential: { issuer: string }): Promise<{ issuer: string }>
  /**
   * Verifies the proof of a BitstringStatusListCredential, however it is secured.
   * @returns the credential without its proof, and whose it is. @throws Refusal
   */
  verifyListCredential(secured: SecuredList): Promise<{ issuer: string; document: Record<string, unknown> }>
  /** Whether a list of another issuer counts for a credential; without it none does. */
  allows?(list: { issuer: string; url: string }, credential: { issuer: string }): boolean
  /**
   * Fetches what stands beside a Status List Token, where that names its aggregation, before it is asked for: nobody waits for it then, and
   * its issuer learns less of when whose credential is looked at. For issuers that are trusted: strangers would have us ask at will.
   */
  ahead?: boolean
  limits?: Partial<ForeignListLimits>
}

export type ForeignListLimits = {
  /** As it is sent. @default 1 MiB */
  fetchedBytes: number
  /** Unpacked. @default 8 MiB */
  listBytes: number
  /** All lists that are kept together. @default 64 MiB */
  keptBytes: number
  /** However long an issuer allows. @default 1 hour */
  ttlMs: number
  /** For a list that does not say how long it may be kept. @default 1 minute */
  unsaidTtlMs: number
  /** How long a list is not asked for again after it failed. @default 1 second */
  retryMs: number
  /** Lists being fetched at one time. @default 32 */
  fetches: number
  /** Of them, from one host. @default 8 */
  fetchesPerHost: number
  /** Begun within a minute, from one host. @default 240 */
  fetchesPerMinute: number
  /** Lists beside one that are fetched ahead. @default 16 */
  aheadLists: number
  /** How seldom an aggregation is asked for again. @default 1 minute */
  aheadMs: number
}

const defaults: ForeignListLimits = {
  ...{ fetchedBytes: 1_048_576, listBytes: 8_388_608, keptBytes: 67_108_864 },
  ...{ ttlMs: 3_600_000, unsaidTtlMs: 60_000, retryMs: 1_000, fetches: 32 },
  ...{ fetchesPerHost: 8, fetchesPerMinute: 240, aheadLists: 16, aheadMs: 60_000 },
}

/** What one kept list costs beside its bits: its URL, and all that it says (a character of text may take two bytes). */
const costOf = (bits: Uint8Array, { url, fetched }: Reading): number =>
  bits.length + 2 * (url.length + fetched.body.length) + 1_024
/** How far two clocks may stand apart. */
const skewMs = 60_000

type Kept = { issuer: string; freshUntil: number; bytes: number } & (
  | { kind: 'token'; list: StatusList; aggregationUri: string | undefined }
  | { kind: 'bitstring'; list: Omit<BitstringList, 'encodedList'>; bits: Uint8Array }
)
type Kind = Kept['kind']

const accepts: Record<Kind | 'aggregation', string> = {
  token: 'application/statuslist+jwt, application/statuslist+cwt;q=0.9',
  bitstring:
    'application/vc+jwt, application/vc, application/vc+cose;q=0.9, application/ld+json;q=0.8, application/json;q=0.7',
  aggregation: 'application/json',
}

const mediaType = ({ contentType = '' }: Fetched): string => (contentType.split(';')[0] ?? '').trim().toLowerCase()

/** A fetch that failed, in the words of section 3.5 of Bitstring Status List. */
const retrievalRefusal = (error: unknown): unknown => {
  if (!isRefusal(error)) return error
  const { code } = error
  if (code === 'url_forbidden') {
    return new Refusal('rejected', 'url_forbidden', `STATUS_RETRIEVAL_ERROR: ${error.message}`, { cause: error })
  }
  if (code === 'fetch_too_large') {
    return new Refusal('rejected', 'status_list_too_large', `STATUS_RETRIEVAL_ERROR: ${error.message}`, {
      cause: error,
    })
  }
  return listUnavailable('the status list cannot be fetched.', error)
}

/** What does not verify is no list to rely on; what cannot be verified now is not known. */
const verified = async <T>(verify: () => Promise<T>): Promise<T> => {
  try {
    return await verify()
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (error.kind === 'unavailable') throw listUnavailable('the signer of the status list cannot be known.', error)
    throw listRefused('the status list does not verify.', error)
  }
}

const least = (...times: (number | undefined)[]): number => Math.min(...times.filter(time => time !== undefined))

type Reading = {
  needs: ForeignListNeeds
  limits: ForeignListLimits
  url: string
  /** Of a credential that names the list. */
  issuer: string
  fetched: Fetched
  askedAt: number
}

/**
 * `exp` and `ttl` come before what HTTP says (section 8.2 of Token Status List); time to live counts from the asking, so
 * that a slow answer is not kept for longer.
 */
const tokenFreshUntil = (token: OpenedListToken, { limits, fetched, askedAt }: Reading): number => {
  const { ttlMs, expiresAt } = token
  const isSaid = ttlMs !== undefined || expiresAt !== undefined
  const otherwise = maxAgeMs(fetched.cacheControl, fetched.age) ?? limits.unsaidTtlMs
  const said = isSaid ? (ttlMs ?? limits.ttlMs) : otherwise
  return least(askedAt + limits.ttlMs, askedAt + said, expiresAt)
}

const openToken = ({ body, ...fetched }: Fetched): OpenedListToken => {
  const type = mediaType({ body, ...fetched })
  if (type === 'application/statuslist+jwt') return openListJwt(body.toString('latin1').trim())
  if (type === 'application/statuslist+cwt') return openListCwt(body)
  throw statusMalformed('a status list is sent as application/statuslist+jwt or application/statuslist+cwt.')
}

const readToken = async (reading: Reading): Promise<Kept> => {
  const { needs, limits, url, fetched } = reading
  const token = openToken(fetched)
  judgeListToken(token, url, needs.clock.now())
  const { issuer } = await verified(() => needs.verifyListToken(token, { issuer: reading.issuer }))
  const bytes = await unpack('zlib', token.packed, limits.listBytes)
  return {
    ...{ kind: 'token', issuer, freshUntil: tokenFreshUntil(token, reading), bytes: costOf(bytes, reading) },
    ...{ list: { bits: token.bits, bytes }, aggregationUri: token.aggregationUri },
  }
}

const hostOf = (issuer: string): string | undefined => {
  if (URL.canParse(issuer) && issuer.startsWith('https:')) return new URL(issuer).host
  const [, method, ...parts] = issuer.split(':')
  const host = method === 'web' ? parts[0] : method === 'webvh' ? parts[1] : undefined
  return host?.toLowerCase().replace('%3a', ':')
}

/**
 * Whoever serves the lists of an issuer could swap them otherwise: a list names its URL, as its id or that of its subject, or stands
 * where its issuer does.
 */
const assertPlace = (document: Record<string, unknown>, issuer: string, url: string): void => {
  const { id, credentialSubject } = document
  if (id !== undefined) {
    if (id !== url) throw listRefused('the list has the id of another.')
    return
  }
  const subject = isRecord(credentialSubject) ? credentialSubject['id'] : undefined
  if (typeof subject === 'string') {
    if (subject.split('#')[0] !== url) throw listRefused('the list is at another URL than it says.')
    return
  }
  if (hostOf(issuer) !== new URL(url).host) throw listRefused('the list does not say at which URL it stands.')
}

const readBitstring = async (reading: Reading): Promise<Kept> => {
  const { needs, limits, url, fetched, askedAt } = reading
  const secured = { url, contentType: mediaType(fetched), body: fetched.body }
  const { issuer, document } = await verified(() => needs.verifyListCredential(secured))
  const { encodedList, ...list } = readBitstringList(document)
  const now = needs.clock.now()
  assertPlace(document, issuer, url)
  if ((list.validFrom ?? now) > now + skewMs) throw listRefused('the status list is not valid yet.')
  if (list.validUntil !== undefined && list.validUntil <= now) throw listRefused('the status list has expired.')
  const bits = await expandBitstring(encodedList, limits.listBytes)
  const { ttlMs, validUntil } = list
  const served = maxAgeMs(fetched.cacheControl, fetched.age)
  const said = ttlMs === undefined && served === undefined ? limits.unsaidTtlMs : least(ttlMs, served)
  const freshUntil = least(askedAt + limits.ttlMs, askedAt + said, validUntil)
  return { kind: 'bitstring', issuer, freshUntil, list, bits, bytes: costOf(bits, reading) }
}

/** The status of a credential in a Token Status List. */
export type TokenStatus = { status: number; meaning: StatusMeaning; aggregationUri: string | undefined }

export type ForeignLists = {
  /** @throws Refusal status_unavailable, status_list_refused, status_malformed, status_index_out_of_range, … */
  token(reference: TokenReference, credential: { issuer: string }): Promise<TokenStatus>
  /** The Validate Algorithm of Bitstring Status List 1.0 (section 3.2). @throws Refusal like `token`, status_list_short */
  bitstring(entry: BitstringEntry, credential: { issuer: string }): Promise<BitstringStatus>
  /** The URIs of an issuer's lists (section 9 of Token Status List). Not kept. @throws Refusal */
  aggregation(uri: string): Promise<string[]>
  /** What is kept. */
  kept(): { lists: number; bytes: number }
}

type Named = { url: string; issuer: string }

/** A store of lists by their URLs and who named them: fetched once at a time, kept for as long as the issuer allows, never served stale. */
const openStore = (needs: ForeignListNeeds, limits: ForeignListLimits) => {
  const { clock } = needs
  const cache = new ByteCache<Kept>(limits.keptBytes)
  const failures = new Generations<{ until: number; error: unknown }>(1_000)
  const underWay = new Map<string, Promise<Kept>>()
  const { fetches: total, fetchesPerHost: perHost, fetchesPerMinute: perHostPerMinute } = limits
  // One more than what may be under way: aggregations are asked for too.
  const slots = openFetchSlots({ clock, total: total + 1, perHost, perHostPerMinute })

  const ask = async (url: string, accept: string): Promise<Fetched> => {
    const bounds = { ...needs.fetchBounds, accept, maxBytes: limits.fetchedBytes }
    try {
      return await slots.run(URL.canParse(url) ? new URL(url).host : '', () =>
        (needs.fetch ?? fetchBounded)(url, bounds),
      )
    } catch (error) {
      throw retrievalRefusal(error)
    }
  }

  const load = async (kind: Kind, { url, issuer }: Named, key: string): Promise<Kept> => {
    const askedAt = clock.now()
    try {
      const fetched = await ask(url, accepts[kind])
      const kept = await (kind === 'token' ? readToken : readBitstring)({
        ...{ needs, limits, url, issuer, fetched, askedAt },
      })
      if (kept.freshUntil > clock.now()) cache.set(key, kept, kept.bytes)
      return kept
    } catch (error) {
      failures.set(key, { until: clock.now() + limits.retryMs, error })
      throw error
    }
  }

  const read = (kind: Kind, { url, issuer }: Named): Promise<Kept> => {
    // Whose a token without iss is depends on who named it: nobody's naming may settle that for others.
    const key = kind === 'token' ? canonical([kind, issuer, url]) : `${kind} ${url}`
    const now = clock.now()
    const known = cache.get(key)
    if (known !== undefined && now < known.freshUntil) return Promise.resolve(known)
    cache.delete(key)
    const pending = underWay.get(key)
    if (pending !== undefined) return pending
    const failure = failures.get(key)
    if (failure !== undefined && now < failure.until) return Promise.reject(failure.error)
    if (underWay.size >= limits.fetches) return Promise.reject(listUnavailable('too many lists are being fetched.'))
    const loading = load(kind, { url, issuer }, key).finally(() => underWay.delete(key))
    underWay.set(key, loading)
    return loading
  }

  return { ask, read, kept: () => ({ lists: cache.size, bytes: cache.bytes }) }
}

type ListStore = ReturnType<typeof openStore>

/** The URIs of an aggregation. @throws Refusal */
const readUris = async (store: ListStore, uri: string): Promise<string[]> => {
  const { body } = await store.ask(uri, accepts.aggregation)
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw statusMalformed('the aggregation is not JSON.', cause)
  }
  return readAggregation(value)
}

/** Lists beside one that was read: of its host alone, one after the other, in the half of the room that is left. @throws Refusal */
const openAhead = ({ clock }: ForeignListNeeds, store: ListStore, limits: ForeignListLimits) => {
  const next = new Generations<number>(1_000)
  return async ({ url, issuer }: Named, aggregationUri: string): Promise<void> => {
    if (!isListUrl(aggregationUri)) return
    const key = canonical([issuer, aggregationUri])
    if (clock.now() < (next.get(key) ?? 0)) return
    next.set(key, clock.now() + limits.aheadMs)
    const { host } = new URL(url)
    const uris = await readUris(store, aggregationUri)
    const others = uris.filter(uri => uri !== url && isListUrl(uri) && new URL(uri).host === host)
    for (const other of others.slice(0, limits.aheadLists)) {
      if (store.kept().bytes > limits.keptBytes / 2) return
      await store.read('token', { url: other, issuer })
    }
  }
}

/** Reads the status lists of others, both kinds, bounded in size, time and target. What cannot be known is refused. */
export const openForeignLists = (needs: ForeignListNeeds): ForeignLists => {
  const limits = { ...defaults, ...needs.limits }
  const store = openStore(needs, limits)
  const fetchAhead = openAhead(needs, store, limits)

  const assertIssuer = ({ issuer }: Kept, url: string, credential: { issuer: string }): void => {
    if (issuer === credential.issuer || needs.allows?.({ issuer, url }, credential) === true) return
    throw listRefused('the status list is of another issuer than the credential.')
  }

  return {
    async token({ uri, index }, credential) {
      const kept = await store.read('token', { url: uri, ...credential })
      if (kept.kind !== 'token') throw new Error('a list is kept under another kind')
      assertIssuer(kept, uri, credential)
      if (needs.ahead === true && kept.aggregationUri !== undefined) {
        // What fails now is fetched, and refused by its name, when it is asked for.
        void fetchAhead({ url: uri, ...credential }, kept.aggregationUri).catch(() => undefined)
      }
      const status = statusAt(kept.list, index)
      return { status, meaning: meaningOf(status), aggregationUri: kept.aggregationUri }
    },
    async bitstring(entry, credential) {
      const kept = await store.read('bitstring', { url: entry.listUrl, ...credential })
      if (kept.kind !== 'bitstring') throw new Error('a list is kept under another kind')
      assertIssuer(kept, entry.listUrl, credential)
      return statusOf(entry, kept.list, kept.bits)
    },
    aggregation: uri => readUris(store, uri),
    kept: store.kept,
  }
}
