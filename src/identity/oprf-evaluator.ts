import { Worker } from 'node:worker_threads'
import { Refusal, type RefusalKind } from '../kernel/refusal.ts'
import type { Evaluated, OprfKey } from './oprf.ts'

export type Evaluator = {
  /** @throws Refusal malformed/blinded_element_invalid, unavailable/pseudonyms_unavailable */
  evaluate(elements: readonly Uint8Array[], info: Uint8Array): Promise<Evaluated>
}

type Reply = { id: number } & (
  | { evaluated: Evaluated }
  | { refusal: { kind: RefusalKind; code: string; detail: string } }
)
type Waiting = { resolve(evaluated: Evaluated): void; reject(error: unknown): void }

const batchesWaiting = 64

const unavailable = (cause?: unknown): Refusal =>
  new Refusal('unavailable', 'pseudonyms_unavailable', 'No pseudonym can be derived now; try again.', { cause })

/** Evaluates under the key on a thread of its own, which is started by the first call and again after it has died. */
export const openEvaluator = ({ secretKey }: OprfKey): Evaluator => {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let lastId = 0
  const end = (cause?: unknown): void => {
    worker = undefined
    for (const { reject } of waiting.values()) reject(unavailable(cause))
    waiting.clear()
  }
  const receive = (reply: Reply): void => {
    const asker = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('evaluated' in reply) asker?.resolve(reply.evaluated)
    else asker?.reject(new Refusal(reply.refusal.kind, reply.refusal.code, reply.refusal.detail))
    if (waiting.size === 0) worker?.unref()
  }
  const running = (): Worker => {
    if (worker !== undefined) return worker
    const started = new Worker(new URL('./oprf-worker.ts', import.meta.url), { workerData: { secretKey } })
    started.on('message', receive)
    started.once('error', end)
    started.once('exit', () => worker === started && end())
    worker = started
    return started
  }
  return {
    evaluate: (elements, info) =>
      new Promise((resolve, reject) => {
        if (waiting.size >= batchesWaiting) return reject(unavailable())
        const id = ++lastId
        waiting.set(id, { resolve, reject })
        const thread = running()
        // While something is awaited the thread keeps the process; while nothing is, it does not.
        thread.ref()
        thread.postMessage({ id, info, elements })
      }),
  }
}
