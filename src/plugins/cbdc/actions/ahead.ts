import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BookItem } from './book.ts'

/** Entries that are read for together. */
const partMost = 400
/** After so many entries the database's answers are looked at. */
const turnEvery = 64

/** How a batch is read for: of a large one what comes next is read while the entries before it are judged. */
export type Ahead = {
  /** Before an order is entered: what its entries need has been read. */
  ready(order: number): Promise<void>
  /** Nothing is being read any more. */
  done(): Promise<void>
}

/** @returns lists of orders by their place, each of about `partMost` entries. */
const inParts = (foreseen: readonly (readonly BookItem[])[]): number[][] => {
  const parts: number[][] = []
  let entries = partMost
  for (const [order, items] of foreseen.entries()) {
    if (entries >= partMost) {
      parts.push([])
      entries = 0
    }
    parts.at(-1)?.push(order)
    entries += items.length
  }
  return parts
}

/**
 * @param foreseen the entries of each order. @param work.read reads what some of them need.
 * @param work.parted whether parts may be read for one after the other: nothing that an order does changes what others need.
 * @param work.between is called between two parts, while the next but one is read.
 */
export const openAhead = (
  foreseen: readonly (readonly BookItem[])[],
  work: { parted: boolean; read(items: readonly BookItem[]): Promise<void>; between(): void },
): Ahead => {
  const parts = work.parted ? inParts(foreseen) : [[...foreseen.keys()]]
  const partOf = new Map(parts.flatMap((orders, part) => orders.map(order => [order, part] as const)))
  const reading: Promise<void>[] = []
  let entered = 0
  const begin = (): void => {
    const orders = parts[reading.length] ?? []
    // One after the other: what two parts need alike is read once, and there once.
    const read = (reading.at(-1) ?? Promise.resolve()).then(() =>
      work.read(orders.flatMap(order => foreseen[order] ?? [])),
    )
    // Whoever waits for it hears of it.
    read.catch(() => undefined)
    reading.push(read)
  }
  begin()
  return {
    async ready(order) {
      const part = partOf.get(order) ?? 0
      while (reading.length <= part) begin()
      await reading[part]
      if (parts.length === 1) return
      entered += foreseen[order]?.length ?? 0
      if (reading.length === part + 1 && reading.length < parts.length) {
        begin()
        await nextTurn()
        work.between()
      } else if (entered >= turnEvery) {
        entered = 0
        await nextTurn()
      }
    },
    async done() {
      await Promise.all(reading)
    },
  }
}
