import type { Clock } from '../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../kernel/refusal.ts'
import { type FetchBounds, type Fetched, fetchBounded } from '../fetch-bounded.ts'
import { openFetchSlots } from '../fetch-slots.ts'
import { Generations } from '../generations.ts'
import { ByteCache } from '../status-lists/cache.ts'
import { localHostsOf, parseWebvhDid, type WebvhDid, webvhUrl } from './identifier.ts'
import { assertSubject, logBounds, type ReadLog, readLog, type Version } from './log.ts'
import { needsWitnesses, witnessBounds, witnessedLog } from './witnesses.ts'

export type WebvhOptions = Pick<FetchBounds, 'allowedHttpOrigins' | 'lookup' | 'connect' | 'timeoutMs'>

/** Which version of a DID is asked for. */
export type Selection = {
  versionId?: string | undefined
  versionNumber?: number | undefined
  /** Milliseconds. */
  versionTime?: number | undefined
}

/** All verified logs that are kept together, as parsed. */
const keptBytes = 64 * 1_048_576
/** What one parsed log costs in memory, by the size of its text. */
const parsedFactor = 6
/** However long a controller allows. */
/** Whoever lets a log be kept no time at all has nobody verify it over and over. */
const ttlLeastMs = 5_000
const ttlMostMs = 3_600_000
/** A log that fails is not kept; it is only not asked for at once again. */
const failureMs = 5_000

const notFound = (did: string): Refusal =>
  new Refusal('not_found', 'did_log_missing', `There is no log of ${did} where it should stand.`)
const unavailable = (did: string, cause: unknown): Refusal =>
  new Refusal('unavailable', 'did_unavailable', `The log of ${did} cannot be had now.`, { cause })

/** Why the log, or the witnesses' file, was not had. */
const fetchRefusal = (did: string, error: unknown): unknown => {
  if (!isRefusal(error)) return error
  if (error.facts['httpStatus'] === 404 || error.facts['httpStatus'] === 410) return notFound(did)
  if (error.kind === 'unavailable') return unavailable(did, error)
  return new Refusal('rejected', 'did_log_refused', `The log of ${did} may not be fetched: ${error.message}`, {
    cause: error,
  })
}

/** The version that was asked for; none that does not hold, and none of a time to come. */
export const selectVersion = ({ versions }: ReadLog, wanted: Selection, now: number): Version | undefined => {
  const { versionId, versionNumber, versionTime } = wanted
  if (versionId !== undefined) return versions.find(version => version.versionId === versionId)
  if (versionNumber !== undefined) return versions[versionNumber - 1]
  if (versionTime === undefined) return versions.at(-1)
  return versionTime > now ? undefined : versions.findLast(({ time }) => time <= versionTime)
}

export const isSelected = ({ versionId, versionNumber, versionTime }: Selection): boolean =>
  versionId !== undefined || versionNumber !== undefined || versionTime !== undefined

type Held = { log: ReadLog; freshUntil: number }

/**
 * Reads did:webvh logs, each fetched once at a time and kept for as long as its controller allows. No redirect is followed,
 * and nothing but public hosts is asked (did:webvh 1.0, Resolver Transport Hardening).
 */
export const openWebvhDids = (web: WebvhOptions, clock: Clock) => {
  const cache = new ByteCache<Held>(keptBytes)
  const failures = new Generations<{ until: number; error: unknown }>(1_000)
  const underWay = new Map<string, Promise<ReadLog>>()
  const slots = openFetchSlots({ clock, total: 16, perHost: 4, perHostPerMinute: 120 })
  const localHosts = localHostsOf(web.allowedHttpOrigins)

  const fetched = async (did: WebvhDid, file: 'did.jsonl' | 'did-witness.json', maxBytes: number): Promise<Fetched> => {
    const url = webvhUrl(did, file, web.allowedHttpOrigins)
    const accept = file === 'did.jsonl' ? 'text/jsonl, application/jsonl;q=0.9, */*;q=0.1' : 'application/json'
    const bounds: FetchBounds = { timeoutMs: 10_000, ...web, accept, maxBytes, maxRedirects: 0 }
    try {
      return await slots.run(did.authority, () => fetchBounded(url, bounds))
    } catch (error) {
      throw fetchRefusal(did.did, error)
    }
  }

  const witnessFile = async (did: WebvhDid): Promise<Buffer | undefined> => {
    try {
      return (await fetched(did, 'did-witness.json', witnessBounds.bytes)).body
    } catch (error) {
      // Its absence is for the log to bear: it is approved by nobody.
      if (isRefusal(error) && error.code === 'did_log_missing') return undefined
      throw error
    }
  }

  const load = async (did: WebvhDid): Promise<ReadLog> => {
    const askedAt = clock.now()
    const { body } = await fetched(did, 'did.jsonl', logBounds.bytes)
    const read = await readLog(body, { now: clock.now(), localHosts })
    assertSubject(read, did)
    const log = needsWitnesses(read) ? await witnessedLog(read, await witnessFile(did), clock.now()) : read
    assertSubject(log, did)
    const saidMs = (log.versions.at(-1)?.active.ttl ?? 0) * 1_000
    const ttlMs = Math.min(Math.max(saidMs, ttlLeastMs), ttlMostMs)
    const freshUntil = askedAt + ttlMs
    // A log that fails further on may be mended soon.
    if (log.failure === undefined && freshUntil > clock.now()) {
      cache.set(did.did, { log, freshUntil }, 1_024 + parsedFactor * body.length)
    }
    return log
  }

  return {
    parse: (did: string): WebvhDid | undefined => parseWebvhDid(did, localHosts),

    /**
     * The log of a DID, as far as it holds.
     * @throws Refusal not_found/did_log_missing, unavailable/did_unavailable, rejected/did_log_…
     */
    log(did: WebvhDid): Promise<ReadLog> {
      const now = clock.now()
      const known = cache.get(did.did)
      if (known !== undefined && now < known.freshUntil) return Promise.resolve(known.log)
      cache.delete(did.did)
      const pending = underWay.get(did.did)
      if (pending !== undefined) return pending
      const failure = failures.get(did.did)
      if (failure !== undefined && now < failure.until) return Promise.reject(failure.error)
      const loading = load(did)
        .catch(error => {
          failures.set(did.did, { until: clock.now() + failureMs, error })
          throw error
        })
        .finally(() => underWay.delete(did.did))
      underWay.set(did.did, loading)
      return loading
    },
  }
}

export type WebvhDids = ReturnType<typeof openWebvhDids>
