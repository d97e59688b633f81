import { decodeEntry } from '../../../../kernel/ledger-entry.ts'
import { railUnavailable } from '../../errors.ts'
import type { CbdcNeeds } from '../../needs.ts'
import type { Written } from '../book.ts'
import type { Held } from '../enter.ts'
import { type Move, operationOf, rowOf } from './moves.ts'

/**
 * What left for the chain in this order is handed to the gate in the same transaction.
 * @throws Refusal rail_unavailable
 */
export const sendWithdrawals = async (needs: CbdcNeeds, held: Held, entered: readonly Written[]): Promise<void> => {
  const { tx, book } = held
  const moves = entered.flatMap((written): Move[] => {
    const entry = decodeEntry(written.raw)
    if (entry?.kind !== 'withdraw') return []
    return [
      {
        ...{ currency: entry.currency, operation: operationOf(needs.signatures.domainSeparator, entry) },
        ...{ direction: 'toChain', account: entry.from, wallet: `0x${entry.recipient}`, amount: entry.amount },
        ...{ state: 'sent', reason: null, outbox: null, entry: written.number, refund: null },
        ...{ since: book.at, changed: book.at },
      },
    ]
  })
  if (moves.length === 0) return
  const { rail, outbox } = needs
  if (rail === undefined || outbox === undefined) throw railUnavailable()
  for (let at = 0; at < moves.length; at += arrivalsMost) {
    const part = moves.slice(at, at + arrivalsMost)
    const write = rail.arrive(part.map(({ amount, ...move }) => ({ ...move, amountMinor: amount })))
    const sent = await outbox.enqueue(tx, [write])
    const rows = part.map(move => rowOf({ ...move, outbox: sent }))
    tx.insert('cbdc_moves', rows)
  }
}

/** In one transaction of the chain: more would not fit into its gas. */
const arrivalsMost = 50
