import type { Clock } from '../../kernel/ports.ts'
import { isRefusal } from '../../kernel/refusal.ts'
import type { FetchBounds, Fetched } from '../fetch-bounded.ts'
import { clockSkewMs } from '../standing.ts'
import type { TrustedList } from './list.ts'
import { readTrustedList } from './reader.ts'
import { listMalformed, listRolledBack, listStale, listUnavailable } from './refusals.ts'

/** A list by its address, and the certificates of whom it has to be signed by (DER). */
export type TrustedListAddress = { url: string; operators: readonly Uint8Array[] }

export type TrustedListNeeds = {
  clock: Clock
  lists: readonly TrustedListAddress[]
  fetch(url: string, bounds: FetchBounds): Promise<Fetched>
  /** Lists as they were fetched last, kept over a restart. What comes back is verified again. */
  kept: {
    read(url: string): Promise<Uint8Array | undefined>
    write(url: string, bytes: Uint8Array): Promise<void>
  }
  /** @default 8 MiB */
  bytesMost?: number
  /** How long a list is not asked for again after it could not be had, in milliseconds. @default 30 seconds */
  retryMs?: number
}

export type TrustedLists = {
  /**
   * A list that is in force now: the one at hand, the one that was kept, or a new one.
   * @throws Refusal unavailable/trusted_list_unavailable, unavailable/trusted_list_stale, and why a list was not taken
   */
  current(url: string): Promise<TrustedList>
  /** The same without asking anybody. @throws Refusal unavailable/trusted_list_stale */
  known(url: string): TrustedList
  /** Asks for every list again. @returns what was not taken, and why */
  refresh(): Promise<{ url: string; error: unknown }[]>
}

const accept =
  'application/jose, application/jwt;q=0.9, application/vnd.etsi.tsl+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.7'
const timeoutMs = 15_000

/** Trusted lists of others, refreshed in rounds. Past its next update a list says nothing (ETSI TS 119 612, clause 5.3.15). */
export const openTrustedLists = (needs: TrustedListNeeds): TrustedLists => {
  const { clock, retryMs = 30_000, bytesMost = 8_388_608 } = needs
  const addresses = new Map(needs.lists.map(address => [address.url, address]))
  const held = new Map<string, TrustedList>()
  const failed = new Map<string, { error: unknown; until: number }>()
  const underWay = new Map<string, Promise<TrustedList>>()
  const restored = new Set<string>()

  const addressOf = (url: string): TrustedListAddress => {
    const address = addresses.get(url)
    if (address === undefined) throw new Error(`no trusted list ${url} is configured`)
    return address
  }

  /** A list takes the place of the one at hand if it is in force and not older. */
  const take = async (address: TrustedListAddress, bytes: Uint8Array): Promise<TrustedList> => {
    const list = await readTrustedList(bytes, address.operators, clock.now())
    if (list.issuedAt > clock.now() + clockSkewMs) throw listMalformed('The list was issued in the future.')
    if (list.nextUpdate <= clock.now()) throw listStale()
    const before = held.get(address.url)
    if (before !== undefined && list.sequenceNumber < before.sequenceNumber) throw listRolledBack()
    held.set(address.url, list)
    return list
  }

  const restore = async (address: TrustedListAddress): Promise<void> => {
    if (restored.has(address.url)) return
    const bytes = await needs.kept.read(address.url)
    try {
      if (bytes !== undefined) await take(address, bytes)
    } catch (error) {
      // Past its time, or by an operator that no longer counts: then a new one has to be had.
      if (!isRefusal(error)) throw error
    }
    restored.add(address.url)
  }

  const load = async (address: TrustedListAddress): Promise<TrustedList> => {
    const { url } = address
    try {
      const { body } = await needs.fetch(url, { accept, timeoutMs, maxBytes: bytesMost })
      const list = await take(address, body)
      await needs.kept.write(url, body)
      failed.delete(url)
      return list
    } catch (error) {
      const transient = isRefusal(error) && (error.code.startsWith('fetch_') || error.code === 'url_forbidden')
      const told = transient ? listUnavailable(error) : error
      failed.set(url, { error: told, until: clock.now() + retryMs })
      throw told
    }
  }

  const fetchNow = (address: TrustedListAddress): Promise<TrustedList> => {
    const pending = underWay.get(address.url)
    if (pending !== undefined) return pending
    const loading = load(address).finally(() => underWay.delete(address.url))
    underWay.set(address.url, loading)
    return loading
  }

  const inForce = (url: string): TrustedList | undefined => {
    const list = held.get(url)
    return list !== undefined && clock.now() < list.nextUpdate ? list : undefined
  }

  return {
    known(url) {
      const list = inForce(url)
      if (list === undefined) throw listStale()
      return list
    },
    async current(url) {
      const address = addressOf(url)
      await restore(address)
      const list = inForce(url)
      if (list !== undefined) return list
      const failure = failed.get(url)
      if (failure !== undefined && clock.now() < failure.until) throw failure.error
      return fetchNow(address)
    },
    async refresh() {
      const refused: { url: string; error: unknown }[] = []
      for (const address of addresses.values()) {
        try {
          await restore(address)
          await fetchNow(address)
        } catch (error) {
          if (!isRefusal(error)) throw error
          refused.push({ url: address.url, error })
        }
      }
      return refused
    },
  }
}
