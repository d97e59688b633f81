import type { LogProof, LogProofs, Store } from '../kernel/ports.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { type JournalDetails, openField } from './journal.ts'
import { readBundle } from './log-tables.ts'
import type { Sequencer } from './sequencer.ts'
import { tileWidth } from './tlog.ts'
import { entryOf } from './tlog-paths.ts'
import { proofText } from './tlog-proof.ts'

type Details = { salt: Buffer; record: string }

export type PublishedProofs = LogProofs & {
  /** Under the latest checkpoint. @throws Refusal not_found/not_logged for an index that it does not cover. */
  proofAt(index: number): Promise<LogProof>
}

/**
 * Proofs that records stand in the log, from stored tiles: the work does not grow with the log, but for its logarithm.
 * Each is built under the latest checkpoint.
 */
export const openLogProofs = (store: Store, log: Pick<Sequencer, 'position' | 'inclusionProof'>): PublishedProofs => {
  const proofAt = async (index: number): Promise<LogProof> => {
    const { size, note, proof } = await log.inclusionProof(index)
    const bundle = await readBundle(store.read, Math.floor(index / tileWidth))
    return {
      leafIndex: index,
      treeSize: size,
      leaf: entryOf(bundle, index % tileWidth).toString('base64'),
      path: proof.map(hash => hash.toString('base64')),
      checkpoint: note,
      text: proofText({ index, path: proof, checkpoint: note }),
    }
  }

  const openEffects = async (recordId: string) => {
    const [details] = await store.read<Details>('SELECT salt, record FROM journal_details WHERE id = ?', [recordId])
    return details && openField(details.salt, JSON.parse(details.record) as JournalDetails, 'effects')
  }

  return {
    proofAt,
    async proofOf(recordId) {
      const index = await log.position(recordId)
      if (index === undefined) return undefined
      try {
        const [proof, effects] = await Promise.all([proofAt(index), openEffects(recordId)])
        return { ...proof, ...(effects && { effects }) }
      } catch (error) {
        // It has its place, and the checkpoint that covers it is about to be signed.
        if (isRefusal(error) && error.code === 'not_logged') return undefined
        throw error
      }
    },
  }
}
