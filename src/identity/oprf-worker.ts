import { parentPort, workerData } from 'node:worker_threads'
import { isRefusal } from '../kernel/refusal.ts'
import { evaluateBlinded } from './oprf.ts'

/** Evaluates on a thread of its own: a hundred elements take a quarter of a second. */
const { secretKey } = workerData as { secretKey: Uint8Array }

parentPort?.on('message', ({ id, info, elements }: { id: number; info: Uint8Array; elements: Uint8Array[] }) => {
  try {
    parentPort?.postMessage({ id, result: evaluateBlinded(elements, { secretKey, info }) })
  } catch (error) {
    if (!isRefusal(error)) throw error
    const { kind, code, message } = error
    parentPort?.postMessage({ id, refusal: { kind, code, detail: message } })
  }
})
