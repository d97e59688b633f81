import { Refusal } from '../kernel/refusal.ts'
import type { Evaluated, OprfKey } from './oprf.ts'
import { openThread } from './own-thread.ts'

export type Evaluator = {
  /** @throws Refusal malformed/blinded_element_invalid, unavailable/pseudonyms_unavailable */
  evaluate(elements: readonly Uint8Array[], info: Uint8Array): Promise<Evaluated>
}

const batchesWaiting = 64

const unavailable = (cause?: unknown): Refusal =>
  new Refusal('unavailable', 'pseudonyms_unavailable', 'No pseudonym can be derived now; try again.', { cause })

/** Evaluates under the key on a thread of its own. */
export const openEvaluator = ({ secretKey }: OprfKey): Evaluator => {
  const ask = openThread<{ elements: readonly Uint8Array[]; info: Uint8Array }>({
    file: new URL('./oprf-worker.ts', import.meta.url),
    workerData: { secretKey },
    most: batchesWaiting,
    unavailable,
  })
  return { evaluate: (elements, info) => ask({ elements, info }) }
}
