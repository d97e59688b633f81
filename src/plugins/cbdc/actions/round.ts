import type { Tx } from '../../../kernel/ports.ts'

/** That this process still has the lease under which it does its rounds. @throws when another has taken it */
export type RoundLease = (tx: Tx) => Promise<void>

export const checkLeasedRound = async (tx: Tx, lease: RoundLease | undefined): Promise<void> => {
  await lease?.(tx)
}
