import { Refusal } from './refusal.ts'

/** How much of the same kind is done in one go. */
const most = 64
/** How much waits at most. */
const queueMost = 20_000

type Waiting<In, Out> = { item: In; key: string; resolve(value: Out): void; reject(error: unknown): void }

/** The first of each key, in order; the others wait for the next turn. */
const takeTurn = <In, Out>(queue: Waiting<In, Out>[]): Waiting<In, Out>[] => {
  const keys = new Set<string>()
  const turn: Waiting<In, Out>[] = []
  const rest: Waiting<In, Out>[] = []
  for (const each of queue) {
    if (turn.length === most || keys.has(each.key)) rest.push(each)
    else {
      keys.add(each.key)
      turn.push(each)
    }
  }
  queue.splice(0, queue.length, ...rest)
  return turn
}

/**
 * Work that many callers ask for at a time, done for all of them in one go: what comes while one turn is under way goes into the next.
 * No two of one key are in the same turn.
 * Whoever calls is refused with unavailable/store_busy when too many are waiting.
 * @param run one outcome for each, in their order; what it throws is thrown to all of them.
 */
export const together = <In, Out>(
  keyOf: (item: In) => string,
  run: (items: readonly In[]) => Promise<readonly Out[]>,
): ((item: In) => Promise<Out>) => {
  const queue: Waiting<In, Out>[] = []
  let busy = false
  const work = async (): Promise<void> => {
    while (queue.length > 0) {
      const turn = takeTurn(queue)
      try {
        const outcomes = await run(turn.map(({ item }) => item))
        for (const [at, { resolve }] of turn.entries()) resolve(outcomes[at] as Out)
      } catch (error) {
        for (const { reject } of turn) reject(error)
      }
    }
    busy = false
  }
  return item =>
    new Promise((resolve, reject) => {
      if (queue.length >= queueMost) {
        throw new Refusal('unavailable', 'store_busy', 'Too many acts are waiting; try again later.')
      }
      queue.push({ item, key: keyOf(item), resolve, reject })
      if (busy) return
      busy = true
      queueMicrotask(() => void work())
    })
}
