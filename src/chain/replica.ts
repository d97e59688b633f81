import { createHash } from 'node:crypto'
import { StatusBits } from './bits.ts'
import type { ChainEvent, DidEvent, ListEvent, TrustEvent } from './events.ts'
import type { WordPlace, WordValue } from './history.ts'
import { type TrustState, trustState } from './trust.ts'

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
  anchors: (ListEvent & { kind: 'Anchored' })[]
  /** Which anchored version `bits` holds; 0 for none, and for bitmaps. */
  loaded: number
}

/** The chain's state in memory, as of the newest block followed. Only the follower changes it. */
export type Replica = {
  list(issuer: string, list: number): StatusList | undefined
  lists(issuer: string): number[]
  dids(identity: string): readonly DidEvent[]
  trust(): TrustState
  apply(events: ChainEvent[]): void
  /** Lets cleared bits count that were cleared in this block or before it. */
  settle(settledBlock: number): void
  /** Forgets everything above a block; words that changed there are given with the values that remain. */
  rollBack(ancestor: number, words: { place: WordPlace; values: WordValue[] }[]): void
  /** Takes the bits of an anchored list if they are those of its newest version. @returns whether they are. */
  loadAnchored(issuer: string, list: number, bytes: Uint8Array): boolean
  /** Memory of the bits, and how many statuses they are: a credential has one bit in each of its two lists. */
  size(): { bytes: number; statuses: number }
}

export const anchoredHead = (list: StatusList): AnchoredHead | undefined => {
  const last = list.anchors.at(-1)
  if (last === undefined) return undefined
  const { version, digest, at, url, time } = last
  return { version, digest, at, url, anchoredAt: time * 1_000 }
}

const dropAbove = (events: { block: number }[], ancestor: number): void => {
  while ((events.at(-1)?.block ?? -1) > ancestor) events.pop()
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

export const createReplica = (): Replica => {
  const issuers = new Map<string, Map<number, StatusList>>()
  const dids = new Map<string, DidEvent[]>()
  const trustEvents: TrustEvent[] = []
  const unsettled = new Set<StatusList>()
  let trust: TrustState | undefined

  const list = (issuer: string, number: number): StatusList | undefined => issuers.get(issuer)?.get(number)

  const applyOne = (event: ChainEvent): void => {
    switch (event.kind) {
      case 'StatusChanged': {
        const target = list(event.issuer, event.list)
        if (target === undefined) return
        target.bits.apply(event)
        if (target.bits.waiting) unsettled.add(target)
        return
      }
      case 'ListOpened': {
        const own = issuers.get(event.issuer) ?? new Map<number, StatusList>()
        issuers.set(event.issuer, own.set(event.list, newList(event)))
        return
      }
      case 'Anchored':
        list(event.issuer, event.list)?.anchors.push(event)
        return
      case 'owner':
      case 'delegate':
      case 'attribute': {
        const own = dids.get(event.identity)
        if (own) own.push(event)
        else dids.set(event.identity, [event])
        return
      }
      default:
        trustEvents.push(event)
        trust = undefined
    }
  }

  const rollBackLists = (ancestor: number): void => {
    for (const own of issuers.values()) {
      for (const [number, target] of own) {
        if (target.openedBlock > ancestor) {
          own.delete(number)
          unsettled.delete(target)
        }
        dropAbove(target.anchors, ancestor)
        if (target.loaded > (target.anchors.at(-1)?.version ?? 0)) target.loaded = 0
      }
    }
  }

  return {
    list,
    lists: issuer => [...(issuers.get(issuer)?.keys() ?? [])],
    dids: identity => dids.get(identity) ?? [],
    trust: () => {
      trust ??= trustState(trustEvents)
      return trust
    },
    apply: events => {
      for (const event of events) applyOne(event)
    },
    settle: settledBlock => {
      for (const target of unsettled) if (!target.bits.settle(settledBlock)) unsettled.delete(target)
    },
    rollBack: (ancestor, words) => {
      rollBackLists(ancestor)
      for (const own of dids.values()) dropAbove(own, ancestor)
      dropAbove(trustEvents, ancestor)
      trust = undefined
      for (const { place, values } of words) {
        const target = list(place.issuer, place.list)
        target?.bits.replace(place.word, values)
        if (target?.bits.waiting) unsettled.add(target)
      }
    },
    loadAnchored: (issuer, number, bytes) => {
      const target = list(issuer, number)
      const head = target && anchoredHead(target)
      if (target === undefined || head === undefined || bytes.length * 8 !== target.length) return false
      if (`0x${createHash('sha256').update(bytes).digest('hex')}` !== head.digest) return false
      target.bits.load(bytes)
      target.loaded = head.version
      return true
    },
    size: () => {
      const all = [...issuers.values()].flatMap(own => [...own.values()])
      const bits = all.reduce((sum, target) => sum + target.length, 0)
      return { bytes: all.reduce((sum, target) => sum + target.bits.size, 0), statuses: bits / 2 }
    },
  }
}
