import { createHash } from 'node:crypto'
import { StatusBits } from './bits.ts'
import { purposes } from './contracts.ts'
import { type ChainEvent, type DidEvent, dropAbove, type ListEvent, type TrustEvent } from './events.ts'
import type { WordPlace, WordValue } from './history.ts'
import { type TrustState, trustState } from './trust.ts'
import { WalletState } from './wallet-state.ts'

export type AnchoredHead = {
  version: number
  digest: string /** ms */
  at: number
  url: string /** ms */
  anchoredAt: number
}

export type StatusList = {
  purpose: number
  mode: number
  length: number
  /** Milliseconds. */
  openedAt: number
  openedBlock: number
  bits: StatusBits
  /** One after another from version 1 on: the contract sees to that. */
  anchors: (ListEvent & { kind: 'Anchored' })[]
  /** Which anchored version `bits` holds; 0 for none, and for bitmaps. */
  loaded: number
}

export const anchoredHead = (list: StatusList): AnchoredHead | undefined => {
  const last = list.anchors.at(-1)
  if (last === undefined) return undefined
  const { version, digest, at, url, time } = last
  return { version, digest, at, url, anchoredAt: time * 1_000 }
}

const newList = (event: ListEvent & { kind: 'ListOpened' }): StatusList => ({
  purpose: event.purpose,
  mode: event.mode,
  length: event.length,
  openedAt: event.time * 1_000,
  openedBlock: event.block,
  bits: new StatusBits(event.length),
  anchors: [],
  loaded: 0,
})

/** The chain's state in memory, as of the newest block followed. Only the follower changes it. */
export class Replica {
  readonly wallets = new WalletState()
  readonly #issuers = new Map<string, Map<number, StatusList>>()
  readonly #dids = new Map<string, DidEvent[]>()
  readonly #trustEvents: TrustEvent[] = []
  readonly #unsettled = new Set<StatusList>()
  #trust: TrustState | undefined

  list(issuer: string, list: number): StatusList | undefined {
    return this.#issuers.get(issuer)?.get(list)
  }

  lists(issuer: string): number[] {
    return [...(this.#issuers.get(issuer)?.keys() ?? [])]
  }

  dids(identity: string): readonly DidEvent[] {
    return this.#dids.get(identity) ?? []
  }

  trust(): TrustState {
    this.#trust ??= trustState(this.#trustEvents)
    return this.#trust
  }

  /** Takes over events in their order. */
  apply(events: readonly ChainEvent[]): void {
    for (const event of events) this.#applyOne(event)
  }

  /** Lets cleared bits count that were cleared in this block or before it. */
  settle(settledBlock: number): void {
    for (const list of this.#unsettled) if (!list.bits.settle(settledBlock)) this.#unsettled.delete(list)
  }

  /** Forgets everything above a block; words that changed there are given with the values that remain. */
  rollBack(ancestor: number, words: { place: WordPlace; values: WordValue[] }[]): void {
    this.#rollBackLists(ancestor)
    for (const own of this.#dids.values()) dropAbove(own, ancestor)
    dropAbove(this.#trustEvents, ancestor)
    this.#trust = undefined
    this.wallets.rollBack(ancestor)
    for (const { place, values } of words) {
      const list = this.list(place.issuer, place.list)
      list?.bits.replace(place.word, values)
      if (list?.bits.waiting) this.#unsettled.add(list)
    }
  }

  /**
   * Takes the bits of an anchored list if they are those of this version, the newest unless said otherwise: never of one
   * older than what is here, and never bits that take a revocation back. @returns whether they were taken.
   */
  loadAnchored(issuer: string, number: number, bytes: Uint8Array, version?: number): boolean {
    const list = this.list(issuer, number)
    const anchor = list?.anchors[(version ?? list.anchors.length) - 1]
    if (list === undefined || anchor === undefined || bytes.length * 8 !== list.length) return false
    if (anchor.version < list.loaded) return false
    if (`0x${createHash('sha256').update(bytes).digest('hex')}` !== anchor.digest) return false
    if (list.purpose !== purposes.suspension && list.loaded > 0 && !list.bits.isWithin(bytes)) return false
    list.bits.load(bytes)
    list.loaded = anchor.version
    return true
  }

  /** Every list of which a version was anchored. */
  anchored(): { issuer: string; number: number; list: StatusList; head: AnchoredHead }[] {
    return [...this.#issuers].flatMap(([issuer, own]) =>
      [...own].flatMap(([number, list]) => {
        const head = anchoredHead(list)
        return head === undefined ? [] : [{ issuer, number, list, head }]
      }),
    )
  }

  /** Memory of the bits, and how many statuses they are: a credential has one bit in each of its two lists, a wallet one. */
  size(): { bytes: number; statuses: number } {
    const all = [...this.#issuers.values()].flatMap(own => [...own.values()])
    const first = all.filter(list => list.purpose !== purposes.suspension)
    const statuses = first.reduce((sum, list) => sum + list.length, 0)
    return { bytes: all.reduce((sum, list) => sum + list.bits.size, 0), statuses }
  }

  #applyOne(event: ChainEvent): void {
    switch (event.kind) {
      case 'StatusChanged': {
        const list = this.list(event.issuer, event.list)
        list?.bits.apply(event)
        if (list?.bits.waiting) this.#unsettled.add(list)
        return
      }
      case 'ListOpened': {
        const own = this.#issuers.get(event.issuer) ?? new Map<number, StatusList>()
        this.#issuers.set(event.issuer, own.set(event.list, newList(event)))
        return
      }
      case 'Anchored':
        this.list(event.issuer, event.list)?.anchors.push(event)
        return
      case 'owner':
      case 'delegate':
      case 'attribute': {
        const own = this.#dids.get(event.identity)
        if (own) own.push(event)
        else this.#dids.set(event.identity, [event])
        return
      }
      case 'Bound':
      case 'Unbound':
      case 'IssuerKeyAdmitted':
      case 'IssuerKeyWithdrawn':
        this.wallets.apply(event)
        return
      default:
        this.#trustEvents.push(event)
        this.#trust = undefined
    }
  }

  #rollBackLists(ancestor: number): void {
    for (const own of this.#issuers.values()) {
      for (const [number, list] of own) {
        if (list.openedBlock > ancestor) {
          own.delete(number)
          this.#unsettled.delete(list)
        }
        dropAbove(list.anchors, ancestor)
        if (list.loaded > (list.anchors.at(-1)?.version ?? 0)) list.loaded = 0
      }
    }
  }
}

export const createReplica = (): Replica => new Replica()
