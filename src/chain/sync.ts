import type { Clock } from '../kernel/ports.ts'
import type { ChainClient, Header } from './client.ts'
import { inParallel } from './coalesce.ts'
import type { History, Page, StoredBlock } from './history.ts'
import type { Log } from './log.ts'
import { type PageReader, Reorganised, tail } from './pages.ts'
import type { Replica } from './replica.ts'

export type SyncOptions = {
  client: ChainClient
  clock: Clock
  history: History
  replica: Replica
  pages: PageReader
  /** The newest block that the history holds. */
  cursor: StoredBlock | undefined
  fromBlock: number
  confirmations: number
  log: Log
}

/** What one look at the chain brought. */
export type Progress = { rolledBackTo: number | undefined; identities: Set<string> }

/** Polls for which the chain may look shorter than ours before that is believed: a node may lag behind. */
const shortPolls = 3
const triesInMotion = 5

/** Keeps history and replica in step with the chain. One look at a time: the caller sees to that. */
export class Sync {
  readonly #options: SyncOptions
  #cursor: StoredBlock | undefined
  #linkedAt = Number.NEGATIVE_INFINITY
  #timesShort = 0
  #progress: Progress | undefined

  constructor(options: SyncOptions) {
    this.#options = options
    this.#cursor = options.cursor
  }

  get history(): History {
    return this.#options.history
  }

  get replica(): Replica {
    return this.#options.replica
  }

  get cursor(): StoredBlock | undefined {
    return this.#cursor
  }

  /** When the newest block of the chain was last seen to be ours (ms); minus infinity before the first time. */
  get linkedAt(): number {
    return this.#linkedAt
  }

  /** Follows up to the head. @returns what changed, if anything did. */
  async look(): Promise<Progress | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#follow()
        break
      } catch (error) {
        if (!(error instanceof Reorganised) || tries === triesInMotion) throw error
      }
    }
    const progress = this.#progress
    this.#progress = undefined
    return progress
  }

  async #follow(): Promise<void> {
    const { client, clock, pages, replica, confirmations, fromBlock } = this.#options
    const askedAt = clock.now()
    const head = await client.head()
    if (!(await this.#align(head))) return
    this.#timesShort = 0
    const next = (): number => (this.#cursor === undefined ? Math.min(fromBlock, head.number) : this.#cursor.number + 1)
    while (next() <= head.number - tail) await this.#take(await pages.range(next(), head.number - tail))
    await this.#take(await pages.blocks(next(), head, this.#cursor))
    replica.settle(head.number - confirmations)
    this.#linkedAt = askedAt
  }

  async #take(page: Page): Promise<void> {
    const { history, replica, confirmations } = this.#options
    const last = page.headers.at(-1)
    if (last === undefined) return
    await history.add(page, this.#cursor?.number ?? -1)
    replica.apply(page.events.map(({ event }) => event))
    this.#cursor = { number: last.number, hash: last.hash, time: last.timestamp }
    replica.settle(last.number - confirmations)
    const { identities } = this.#changed()
    for (const { event } of page.events) if ('identity' in event) identities.add(event.identity)
  }

  /** Takes back what the chain does not have any more. @returns whether the head can be followed now. */
  async #align(head: Header): Promise<boolean> {
    const { client, history } = this.#options
    const cursor = this.#cursor
    if (cursor === undefined || head.hash === cursor.hash) return true
    if (head.number === cursor.number + 1 && head.parentHash === cursor.hash) return true
    if (head.number > cursor.number && (await client.header(cursor.number))?.hash === cursor.hash) return true
    if (head.number < cursor.number && (await history.block(head.number))?.hash === head.hash) {
      this.#timesShort += 1
      if (this.#timesShort < shortPolls) return false
    }
    await this.#rollBack(await this.#commonAncestor(Math.min(cursor.number, head.number)))
    return true
  }

  /** The newest of our blocks that the chain still has. */
  async #commonAncestor(from: number): Promise<StoredBlock | undefined> {
    const { client, history } = this.#options
    for (let below = from; ; ) {
      const known = await history.blocksDown(below, tail)
      const headers = await inParallel(known, tail, block => client.header(block.number))
      const found = known.find((block, i) => headers[i]?.hash === block.hash)
      const last = known.at(-1)
      if (found !== undefined || last === undefined) return found
      below = last.number - 1
    }
  }

  async #rollBack(ancestor: StoredBlock | undefined): Promise<void> {
    const { history, replica, confirmations, log } = this.#options
    const number = ancestor?.number ?? -1
    log.warn({ from: this.#cursor?.number, to: number }, 'the chain was reorganised; blocks are taken back')
    const places = await history.rollBack(number)
    const words = await inParallel(places, 8, async place => ({
      place,
      values: await history.word(place, number - confirmations, number),
    }))
    replica.rollBack(number, words)
    this.#cursor = ancestor
    const progress = this.#changed()
    progress.rolledBackTo = Math.min(progress.rolledBackTo ?? number, number)
  }

  #changed(): Progress {
    this.#progress ??= { rolledBackTo: undefined, identities: new Set() }
    return this.#progress
  }
}
