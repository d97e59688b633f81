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
/** Claims of one call before the next call has its turn, so that a payment does not wait behind a batch. */
const turnMost = 16
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

/** Claims of the calls in turn, until a message is full. Malformed ones are answered here: they are false. */
const takeParts = (calls: Call[]): Part[] => {
  const parts: Part[] = []
  while (parts.length < messageMost) {
    const call = calls.shift()
    if (call === undefined) break
    const room = parts.length + Math.min(turnMost, messageMost - parts.length)
    for (; parts.length < room && call.next < call.claims.length; call.next += 1) {
      if (isWellFormed(call.claims[call.next] as TypedClaim)) parts.push({ call, position: call.next })
      else call.open -= 1
    }
    if (call.next < call.claims.length) calls.push(call)
    else if (call.open === 0) call.resolve(call.answers)
  }
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
 * again after they have died. Calls that come while the threads are busy travel together; long ones take turns.
 * `verify` throws Refusal unavailable/signatures_unavailable when a thread dies, too many wait, or after `close`.
 */
export const openTypedSignatures = async (
  options: TypedSignaturesOptions,
): Promise<TypedSignatures & { close(): Promise<void> }> => {
  const keccak = await openKeccak()
  const domainSeparator = domainSeparatorOf(options, keccak)
  const threads = Array.from({ length: options.threads ?? 1 }, (): Thread => ({ worker: undefined, sent: new Map() }))
  let calls: Call[] = []
  let lastId = 0
  let waiting = 0
  let closed = false
  const end = (thread: Thread, cause?: unknown): void => {
    const lost = new Set([...thread.sent.values()].flatMap(parts => parts.map(({ call }) => call)))
    thread.worker = undefined
    thread.sent.clear()
    calls = calls.filter(call => !lost.has(call))
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
    while (calls.length > 0) {
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
  const enqueue = (claims: readonly TypedClaim[]): Promise<boolean[]> =>
    new Promise<boolean[]>((resolve, reject) => {
      const answers = new Array<boolean>(claims.length).fill(false)
      calls.push({ claims, answers, next: 0, open: claims.length, resolve, reject })
      // Not at once: calls made in the same turn of the event loop travel together.
      queueMicrotask(send)
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
      for (const call of calls) call.reject(unavailable())
      calls = []
      for (const thread of threads) end(thread)
      await Promise.all(workers.map(worker => worker.terminate()))
    },
  }
}
