import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Clock, Store } from '../kernel/ports.ts'
import { coalesce } from './coalesce.ts'
import type { Follower } from './follower.ts'
import { type Log, silent } from './log.ts'
import type { AnchoredList } from './readers.ts'

export type AnchoredOptions = {
  follower: Pick<Follower, 'anchored' | 'loadAnchored' | 'onChange'>
  /** The follower's own; has the tables of `migrations/chain`. */
  store: Store
  clock: Clock
  /** Whose lists are wanted. Anybody can anchor a URL, and not everybody's is to be fetched. */
  counts(issuer: string): boolean
  /** Raw bits of a version that an agency of this very process has published. */
  own(issuer: string, list: number, version: number): Promise<Uint8Array | undefined>
  /** Fetches within bounds of its own, and not more than so many bytes; rejects if that cannot be. */
  fetch(url: string, maxBytes: number): Promise<Uint8Array>
  /** How often it is looked for what is due. @default 1000 */
  pollMs?: number
  /** The first wait after a failure; it doubles up to `retryMostMs`. @default 1000 */
  retryMs?: number
  /** @default 60000 */
  retryMostMs?: number
  log?: Log
}

export type AnchoredKeeper = {
  /** Takes what needs no network and begins to fetch the rest. Resolves after the former. */
  look(): Promise<void>
  close(): void
}

/** Issuers whose lists are fetched at the same time; of one issuer, one list at a time. */
const issuersAtOnce = 16

const unzip = promisify(gunzip)

const isThat = (bytes: Uint8Array, { head, length }: AnchoredList): boolean =>
  bytes.length === length / 8 && `0x${createHash('sha256').update(bytes).digest('hex')}` === head.digest

/** The raw bits, sent as they are or in gzip; what unpacks to more than the list has room for is no list. */
const unpack = async (body: Uint8Array, wanted: AnchoredList): Promise<Uint8Array> => {
  if (isThat(body, wanted)) return body
  const bytes = await unzip(body, { maxOutputLength: wanted.length / 8 }).catch((cause: unknown) => {
    throw new Error('It is neither the anchored list nor gzip of that length.', { cause })
  })
  if (isThat(bytes, wanted)) return bytes
  throw new Error('It is not what was anchored.')
}

/** Gzip of bits that cannot be compressed is longer than they are, by less than this. */
const maxBytesOf = ({ length }: AnchoredList): number => Math.ceil((length / 8) * 1.01) + 1_024

type Failure = { digest: string; waitMs: number; due: number }

/**
 * Keeps the replica's anchored lists in their newest version: from what this process published itself, from the copy
 * kept in the store, or from the URL that was anchored. It works in the background, once for each version; while a list
 * is not here in time the replica refuses to answer from it.
 */
class Keeper implements AnchoredKeeper {
  readonly #options: AnchoredOptions
  readonly #log: Log
  readonly #failures = new Map<string, Failure>()
  readonly #busy = new Set<string>()
  readonly #timer: NodeJS.Timeout
  readonly #unsubscribe: () => void
  #closed = false

  constructor(options: AnchoredOptions) {
    this.#options = options
    this.#log = options.log ?? silent
    const look = (): void => void this.look().catch(error => this.#warn(error))
    this.#unsubscribe = options.follower.onChange(look)
    this.#timer = setInterval(look, options.pollMs ?? 1_000)
    this.#timer.unref()
  }

  readonly look = coalesce(async () => {
    if (this.#closed) return
    for (const wanted of this.#missing()) await this.#takeOwn(wanted)
    for (const { issuer } of this.#due()) {
      if (this.#closed || this.#busy.has(issuer) || this.#busy.size >= issuersAtOnce) continue
      this.#busy.add(issuer)
      void this.#work(issuer)
        .catch(error => this.#warn(error))
        .finally(() => this.#busy.delete(issuer))
    }
  })

  /** Loads the copies of an earlier run. An old one counts no longer than an old version does. */
  async restore(): Promise<void> {
    const { store, follower } = this.#options
    type Copy = { issuer: string; list: number; version: number; bits: Uint8Array }
    for (const { issuer, list, version, bits } of await store.read<Copy>(
      'SELECT issuer, list, version, bits FROM anchored_copies',
    )) {
      follower.loadAnchored(issuer, list, bits, version)
    }
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    this.#unsubscribe()
  }

  #missing(): AnchoredList[] {
    const { follower, counts } = this.#options
    return follower.anchored().filter(({ issuer, head, loaded }) => loaded < head.version && counts(issuer))
  }

  #due(): AnchoredList[] {
    const now = this.#options.clock.now()
    return this.#missing().filter(wanted => {
      const failure = this.#failures.get(keyOf(wanted))
      return failure === undefined || failure.digest !== wanted.head.digest || failure.due <= now
    })
  }

  async #takeOwn(wanted: AnchoredList): Promise<void> {
    const { issuer, list, head } = wanted
    const bits = await this.#options.own(issuer, list, head.version)
    if (bits !== undefined && isThat(bits, wanted)) await this.#take(wanted, bits)
  }

  /** Fetches what is due of one issuer, one list after another. */
  async #work(issuer: string): Promise<void> {
    for (;;) {
      const wanted = this.#due().find(candidate => candidate.issuer === issuer)
      if (wanted === undefined || this.#closed) return
      try {
        const body = await this.#options.fetch(wanted.head.url, maxBytesOf(wanted))
        if (this.#closed) return
        if (!(await this.#take(wanted, await unpack(body, wanted))))
          throw new Error('It takes back what an earlier version had revoked, or is not anchored any more.')
        this.#failures.delete(keyOf(wanted))
      } catch (error) {
        this.#failed(wanted, error)
      }
    }
  }

  async #take({ issuer, list, head }: AnchoredList, bits: Uint8Array): Promise<boolean> {
    if (!this.#options.follower.loadAnchored(issuer, list, bits, head.version)) return false
    await this.#options.store.transaction(tx =>
      tx.query(
        `INSERT INTO anchored_copies (issuer, list, version, bits) VALUES (?, ?, ?, ?)
         ON CONFLICT (issuer, list) DO UPDATE SET version = excluded.version, bits = excluded.bits`,
        [issuer, list, head.version, bits],
      ),
    )
    return true
  }

  #failed(wanted: AnchoredList, error: unknown): void {
    if (this.#closed) return
    const { clock, retryMs = 1_000, retryMostMs = 60_000 } = this.#options
    const { issuer, list, head } = wanted
    const known = this.#failures.get(keyOf(wanted))
    const waitMs = known?.digest === head.digest ? Math.min(known.waitMs * 2, retryMostMs) : retryMs
    this.#failures.set(keyOf(wanted), { digest: head.digest, waitMs, due: clock.now() + waitMs })
    const facts = { issuer, list, version: head.version, url: head.url, error: String(error), retryInMs: waitMs }
    this.#log.warn(facts, 'an anchored status list cannot be had; its credentials are not judged without it')
  }

  #warn(error: unknown): void {
    if (!this.#closed) this.#log.warn({ error: String(error) }, 'anchored status lists could not be looked after')
  }
}

const keyOf = ({ issuer, list }: AnchoredList): string => `${issuer}:${list}`

/** Opens the keeper with the copies of an earlier run loaded. */
export const keepAnchored = async (options: AnchoredOptions): Promise<AnchoredKeeper> => {
  const keeper = new Keeper(options)
  await keeper.restore()
  return keeper
}
