import type { Row, Value } from '../kernel/ports.ts'
import { registerIdOf, uuidNumber } from './tokens.ts'

/** What is on its way to the chain, by what it is about. */
export type Waiting = {
  /** Whether something waits that names this entry: its making, or a change of its token. */
  entry(id: string): boolean
  /** Whether the opening of this register waits. */
  register(name: string): boolean
}

type Reads = <T extends Row = Row>(sql: string, params?: Value[]) => Promise<T[]>

/** Hex digits: of the function's selector, of a word, and of the half of a word that holds an entry's UUID. */
const [selectorDigits, wordDigits, halfDigits] = [8, 64, 32]

/** An entry's id is the lower half of its token's id, and stands by itself where the token is made. */
const namesIn = (calldata: string, names: Set<string>): void => {
  for (let at = selectorDigits; at < calldata.length; at += wordDigits) {
    names.add(calldata.slice(at + wordDigits - halfDigits, at + wordDigits))
  }
}

/**
 * What of an account's outbox may not show on chain yet: all that is not final, and all that was asked for since then.
 * What failed is not on its way any more.
 * @param since milliseconds
 */
export const waitingOf = async (reads: Reads, account: string, since: number): Promise<Waiting> => {
  const sql = `SELECT calldata FROM outbox WHERE account = ? AND state <> 'failed' AND settled = 0
    UNION ALL SELECT calldata FROM outbox WHERE account = ? AND state <> 'failed' AND settled <> 0 AND id >= ?`
  // Ids of the outbox begin with the time of their making.
  const first = since.toString(16).padStart(12, '0')
  const names = new Set<string>()
  for (const { calldata } of await reads<Row & { calldata: string }>(sql, [account, account, first])) {
    namesIn(calldata, names)
  }
  return {
    entry: id => names.has(uuidNumber(id).toString(16).padStart(halfDigits, '0')),
    register: name => names.has(registerIdOf(name).slice(-halfDigits)),
  }
}
