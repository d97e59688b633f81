import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import { type KeySet, readKeySet } from '../../formats/compact-jws.ts'
import { readJson } from '../../formats/json.ts'

/** Keys of another server, by `kid`. */
export type RemoteKeys = {
  /** @throws Refusal unavailable/authorization_server_unavailable while they cannot be had */
  find(kid: string): Promise<KeyObject | undefined>
}

/** Bounded in size, time and target. */
export type FetchText = (url: string) => Promise<string>

const keptMs = 10 * 60_000
/** A key that nobody knows makes the set be fetched anew, but no more often than that. */
const againMs = 30_000

export const serverUnavailable = (cause?: unknown): Refusal =>
  new Refusal(
    'unavailable',
    'authorization_server_unavailable',
    'The keys or the metadata of the authorization server cannot be read now.',
    { cause },
  )

/** What is fetched together is fetched once, and what failed is tried again by whoever comes next. */
export const openCached = <T>(load: () => Promise<T>, clock: Clock) => {
  let held: { value: T; at: number } | undefined
  let loading: Promise<T> | undefined
  const fresh = (): Promise<T> => {
    loading ??= load()
      .then(value => {
        held = { value, at: clock.now() }
        return value
      })
      .catch(error => {
        throw isRefusal(error) && error.code === 'authorization_server_unavailable' ? error : serverUnavailable(error)
      })
      .finally(() => {
        loading = undefined
      })
    return loading
  }
  return {
    age: (): number => (held === undefined ? Number.POSITIVE_INFINITY : clock.now() - held.at),
    fresh,
    get: async (): Promise<T> => (held !== undefined && clock.now() - held.at < keptMs ? held.value : fresh()),
  }
}

/** A JWK Set by its URL: kept for ten minutes, bounded by `fetchText`. */
export const openRemoteKeys = (url: () => Promise<string>, fetchText: FetchText, clock: Clock): RemoteKeys => {
  const cached = openCached<KeySet>(async () => readKeySet(readJson(await fetchText(await url()), 'JWK Set')), clock)
  return {
    async find(kid) {
      const known = (await cached.get()).get(kid)
      if (known !== undefined || cached.age() < againMs) return known
      return (await cached.fresh()).get(kid)
    },
  }
}
