import { Worker } from 'node:worker_threads'
import type { TypedClaim, TypedSignatures } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { domainSeparatorOf, type TypedDomain, typedDigest } from '../kernel/typed-domain.ts'
import { openKeccak } from './keccak.ts'
import { isWellFormed, packClaims } from './typed-claims.ts'

export type TypedSignaturesOptions = TypedDomain & {
  /** Threads that verify. @default 1 */
  threads?: number
}

/** Claims in one message to a thread: 3 to 8 ms of work. */
const messageMost = 64
/** A call of no more claims is short: a payment does not wait behind a batch. */
const shortMost = 16
/** Claims of short calls in one message while a long one waits, so that payments do not keep batches waiting either. */
const shortShare = messageMost / 2
/** Messages a thread has at hand: one at work, one next. */
const messagesAhead = 2
/** Claims that may wait. */
const waitingMost = 65_536
/** Opened P-256 keys that each thread keeps, about 3 kB each. */
const keysKept = 8_192

const unavailable = (cause?: unknown): Refusal =>
  new Refusal('unavailable', 'signatures_unavailable', 'No signature can be checked now; try again.', { cause })

/** One call to `verify`: which of its claims are next, and how many have no answer yet. */
type Call = {
  claims: readonly TypedClaim[]
  answers: boolean[]
  next: number
  open: number
  resolve(answers: boolean[]): void
  reject(error: unknown): void
}
type Part = { call: Call; position: number }
type Thread = { worker: Worker | undefined; sent: Map<number, Part[]> }
type Reply = { id: number; answers: Uint8Array }

type Calls = { short: Call[]; long: Call[] }

/** Claims of the calls in the order in which they came, until there are so many parts. Malformed ones are false at once. */
const takeInTurn = (calls: Call[], parts: Part[], most: number): void => {
  for (let call = calls[0]; call !== undefined && parts.length < most; call = calls[0]) {
    for (; parts.length < most && call.next < call.claims.length; call.next += 1) {
      if (isWellFormed(call.claims[call.next] as TypedClaim)) parts.push({ call, position: call.next })
      else call.open -= 1
    }
    if (call.next < call.claims.length) return
    calls.shift()
    if (call.open === 0) call.resolve(call.answers)
  }
}

/**
 * One message. Long calls are finished one after the other: taken in turn they would all be ready at the same time, and
 * whoever waits for the first of them would idle until then.
 */
const takeParts = ({ short, long }: Calls): Part[] => {
  const parts: Part[] = []
  takeInTurn(short, parts, long.length > 0 ? shortShare : messageMost)
  takeInTurn(long, parts, messageMost)
  takeInTurn(short, parts, messageMost)
  return parts
}

const settle = (parts: readonly Part[], answers: Uint8Array): void => {
  parts.forEach(({ call, position }, index) => {
    call.answers[position] = answers[index] === 1
    call.open -= 1
    if (call.open === 0) call.resolve(call.answers)
  })
}

/**
 * Signatures over EIP-712 structs in one domain, verified on threads of their own, which are started by the first call and
 * again after they have died. Calls that come while the threads are busy travel together, short ones first.
 * `verify` throws Refusal unavailable/signatures_unavailable when a thread dies, too many wait, or after `close`.
 */
export const openTypedSignatures = async (
  options: TypedSignaturesOptions,
): Promise<TypedSignatures & { close(): Promise<void> }> => {
  const keccak = await openKeccak()
  const domainSeparator = domainSeparatorOf(options, keccak)
  const threads = Array.from({ length: options.threads ?? 1 }, (): Thread => ({ worker: undefined, sent: new Map() }))
  const calls: Calls = { short: [], long: [] }
  let lastId = 0
  let waiting = 0
  let isToSend = false
  let closed = false
  const end = (thread: Thread, cause?: unknown): void => {
    const lost = new Set([...thread.sent.values()].flatMap(parts => parts.map(({ call }) => call)))
    thread.worker = undefined
    thread.sent.clear()
    calls.short = calls.short.filter(call => !lost.has(call))
    calls.long = calls.long.filter(call => !lost.has(call))
    for (const call of lost) call.reject(unavailable(cause))
    send()
  }
  const running = (thread: Thread): Worker => {
    if (thread.worker !== undefined) return thread.worker
    const url = new URL('./typed-signatures-worker.ts', import.meta.url)
    const started = new Worker(url, { workerData: { separator: domainSeparator, keysKept } })
    started.on('message', ({ id, answers }: Reply) => {
      settle(thread.sent.get(id) ?? [], answers)
      thread.sent.delete(id)
      if (thread.sent.size === 0) started.unref()
      send()
    })
    const ended = (cause?: unknown): void => {
      if (thread.worker === started) end(thread, cause)
    }
    started.once('error', ended)
    started.once('exit', () => ended())
    thread.worker = started
    return started
  }
  const send = (): void => {
    while (calls.short.length > 0 || calls.long.length > 0) {
      const [idlest] = threads.toSorted((a, b) => a.sent.size - b.sent.size)
      if (idlest === undefined || idlest.sent.size >= messagesAhead) return
      const parts = takeParts(calls)
      if (parts.length === 0) continue
      const id = ++lastId
      const packed = packClaims(parts.map(({ call, position }) => call.claims[position] as TypedClaim))
      const worker = running(idlest)
      idlest.sent.set(id, parts)
      // While something is awaited the thread keeps the process; while nothing is, it does not.
      worker.ref()
      worker.postMessage({ id, packed }, [packed])
    }
  }
  /** Not at once: calls made in the same turn of the event loop travel together, and waking the thread costs as much as a call. */
  const sendSoon = (): void => {
    if (isToSend) return
    isToSend = true
    setImmediate(() => {
      isToSend = false
      send()
    })
  }
  const enqueue = (claims: readonly TypedClaim[]): Promise<boolean[]> =>
    new Promise<boolean[]>((resolve, reject) => {
      const answers = new Array<boolean>(claims.length).fill(false)
      const queue = claims.length <= shortMost ? calls.short : calls.long
      queue.push({ claims, answers, next: 0, open: claims.length, resolve, reject })
      sendSoon()
    })
  return {
    domainSeparator,
    keccak,
    digest: struct => typedDigest(domainSeparator, struct, keccak),
    verify: async claims => {
      if (claims.length === 0) return []
      if (closed || (waiting > 0 && waiting + claims.length > waitingMost)) throw unavailable()
      waiting += claims.length
      return enqueue(claims).finally(() => {
        waiting -= claims.length
      })
    },
    close: async () => {
      closed = true
      const workers = threads.flatMap(({ worker }) => worker ?? [])
      for (const call of [...calls.short.splice(0), ...calls.long.splice(0)]) call.reject(unavailable())
      for (const thread of threads) end(thread)
      await Promise.all(workers.map(worker => worker.terminate()))
    },
  }
}
