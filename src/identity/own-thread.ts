import { Worker } from 'node:worker_threads'
import { Refusal, type RefusalKind } from '../kernel/refusal.ts'

/** What a worker answers; `id` is that of the work, which it gets with it. */
export type Reply = { id: number } & (
  | { result: unknown }
  | { refusal: { kind: RefusalKind; code: string; detail: string } }
)
type Waiting = { resolve(result: unknown): void; reject(error: unknown): void }

export type ThreadOptions = {
  file: URL
  workerData?: unknown
  /** How much may wait; more is refused. */
  most: number
  /** When too much waits, or the thread has died. */
  unavailable(cause?: unknown): Refusal
}

/** Work on a thread of its own, which is started by the first call and again after it has died. */
export const openThread = <Work extends object>({ file, workerData, most, unavailable }: ThreadOptions) => {
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
    if ('result' in reply) asker?.resolve(reply.result)
    else asker?.reject(new Refusal(reply.refusal.kind, reply.refusal.code, reply.refusal.detail))
    if (waiting.size === 0) worker?.unref()
  }
  const running = (): Worker => {
    if (worker !== undefined) return worker
    const started = new Worker(file, { workerData })
    started.on('message', receive)
    started.once('error', end)
    started.once('exit', () => worker === started && end())
    worker = started
    return started
  }
  return <Result>(work: Work): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (waiting.size >= most) return reject(unavailable())
      const id = ++lastId
      waiting.set(id, { resolve: result => resolve(result as Result), reject })
      const thread = running()
      // While something is awaited the thread keeps the process; while nothing is, it does not.
      thread.ref()
      thread.postMessage({ ...work, id })
    })
}
