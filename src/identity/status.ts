import { createHmac } from 'node:crypto'
import type { StatusPointer, StatusReader, StatusValue, Store, Tx } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'

/** The least length that hides one holder among many (Bitstring Status List 1.0 section 2.2). */
export const listLength = 131_072
const blockLength = 1_024
const openNextAt = 0.8

const rounds = 10

/** Round functions as tables: an index then costs look-ups and no hashing. */
const roundTables = (secret: Buffer, list: number, size: number): Uint32Array[] =>
  Array.from({ length: rounds }, (_, round) =>
    Uint32Array.from({ length: size }, (_, half) =>
      createHmac('sha256', secret).update(`${list}:${round}:${half}`).digest().readUInt32BE(0),
    ),
  )

/**
 * A secret permutation of 0 … length−1: a Feistel network over the next even number of bits, walked until it lands
 * inside. Consecutive credentials get unrelated indices, and every list its own order, so an index says nothing about
 * when it was issued. Never change it: a list that is half used would give out an index twice.
 */
export const permutation = (secret: Buffer, list: number, length: number): ((counter: number) => number) => {
  const halfBits = Math.max(1, Math.ceil(Math.log2(length) / 2))
  const mask = 2 ** halfBits - 1
  const tables = roundTables(secret, list, mask + 1)
  return counter => {
    if (!Number.isInteger(counter) || counter < 0 || counter >= length) throw new RangeError('no counter of this list')
    let value = counter
    do {
      let left = value >>> halfBits
      let right = value & mask
      for (const table of tables) [left, right] = [right, (left ^ (table[right] ?? 0)) & mask]
      value = (left << halfBits) | right
    } while (value >= length)
    return value
  }
}

const modes = { bitmap: 0, anchored: 1, binding: 2 } as const

/** Numbers of lists: credentials take two at a time from 0, bindings (16 bits on chain) one at a time from half way on. */
const numbers = {
  credentials: { first: 0, step: 2, last: 32_766 },
  bindings: { first: 32_768, step: 1, last: 65_535 },
} as const

export type StatusListNeeds = {
  store: Store
  status: StatusReader
  /** CAIP-2 */
  chain: string
  registry: string
  /** The issuer's chain address, lower case. */
  issuer: string
  /** Key of the permutation; from the agency's master key. */
  secret: Buffer
  /** Of the lists to be opened; credentials are only put into lists of this mode, and wallet bindings into their own. */
  mode: keyof typeof modes
  /**
   * Asks the chain, within this transaction, to open the pair `list` (revocation) and `list + 1` (suspension), or the one list
   * of bindings.
   * @param again it was asked before, and refused.
   * @returns the outbox id.
   */
  openOnChain(tx: Tx, list: number, length: number, again: boolean): Promise<string>
  /** Has the chain refused what stands under this outbox id? */
  hasFailed(outbox: string): Promise<boolean>
}

export type StatusLists = {
  /** @throws Refusal unavailable/status_list_unavailable: never a credential without status. */
  allot(): Promise<StatusPointer>
  /** Opens the first pair of lists (of bindings: the first list), or the next when the current one is 80 % used; asks again where the chain refused. */
  ensure(): Promise<void>
}

type Block = { list: number; next: number; end: number; indexOf: (counter: number) => number }
type ListRow = { list: number; next: number; length: number }
type OpeningRow = ListRow & { mode: number; opening: string | null }

/** So seldom is the chain asked again for a list while indices are wanted: each refusal costs its fee. */
const askAgainMs = 60_000

/** Asks again for a list that the chain refused to open. @returns whether it is on its way now. */
const askAgain = async (needs: StatusListNeeds, tx: Tx, row: OpeningRow): Promise<boolean> => {
  const { list, length, opening } = row
  if (opening === null || needs.status.openedAt(needs.issuer, list) !== undefined) return false
  if (!(await needs.hasFailed(opening))) return false
  const take = "UPDATE status_lists SET opening = '' WHERE list = ? AND opening = ? RETURNING list"
  const [ours] = await tx.query(take, [list, opening])
  if (ours === undefined) return true
  const outbox = await needs.openOnChain(tx, list, length, true)
  await tx.query('UPDATE status_lists SET opening = ? WHERE list = ?', [outbox, list])
  return true
}

export const openStatusLists = (needs: StatusListNeeds): StatusLists => {
  const { store, status, issuer } = needs
  const mode = modes[needs.mode]
  const { first, step, last: end } = needs.mode === 'binding' ? numbers.bindings : numbers.credentials
  let block: Block | undefined
  let reserving: Promise<void> | undefined
  let askedAt = Number.NEGATIVE_INFINITY

  const ensure = (): Promise<void> =>
    store.transaction(async tx => {
      const rows = await tx.query<OpeningRow>(
        'SELECT list, next, length, mode, opening FROM status_lists WHERE list BETWEEN ? AND ? ORDER BY list',
        [first, end],
      )
      const current = rows.findLast(row => row.mode === mode)
      if (current !== undefined && (await askAgain(needs, tx, current))) return
      if (current !== undefined && current.next < current.length * openNextAt) return
      const last = rows.at(-1)
      // A list that is open on chain but unknown here was given out before the database was lost: never again.
      let list = last === undefined ? first : last.list + step
      while (status.openedAt(issuer, list) !== undefined) list += step
      if (list > end) throw new Error(`${issuer} has no number left for another list of its own`)
      // Another process may have been first; it asked the chain then.
      const [added] = await tx.query(
        `INSERT INTO status_lists (list, next, length, mode) VALUES (?, 0, ?, ?)
         ON CONFLICT (list) DO NOTHING RETURNING list`,
        [list, listLength, mode],
      )
      if (added === undefined) return
      const outbox = await needs.openOnChain(tx, list, listLength, false)
      await tx.query('UPDATE status_lists SET opening = ? WHERE list = ?', [outbox, list])
    })

  const reserve = async (): Promise<void> => {
    const reserved = await store.transaction(async tx => {
      const rows = await tx.query<ListRow>(
        'SELECT list, next, length FROM status_lists WHERE next < length AND mode = ? ORDER BY list',
        [mode],
      )
      const row = rows.find(candidate => status.openedAt(issuer, candidate.list) !== undefined)
      if (row === undefined) return undefined
      const sql = 'UPDATE status_lists SET next = next + ? WHERE list = ? AND next < length RETURNING next, length'
      const [after] = await tx.query<ListRow>(sql, [blockLength, row.list])
      if (after === undefined) return undefined
      return { list: row.list, next: after.next - blockLength, end: Math.min(after.next, after.length), after }
    })
    if (reserved === undefined) {
      if (performance.now() - askedAt >= askAgainMs) {
        askedAt = performance.now()
        await ensure()
      }
      throw new Refusal(
        'unavailable',
        'status_list_unavailable',
        'No status list is ready on the chain yet; try again.',
      )
    }
    const { list, next, end } = reserved
    const indexOf = block?.list === list ? block.indexOf : permutation(needs.secret, list, reserved.after.length)
    block = { list, next, end, indexOf }
    if (reserved.after.next >= reserved.after.length * openNextAt) await ensure()
  }

  const allot = async (): Promise<StatusPointer> => {
    while (block === undefined || block.next >= block.end) {
      reserving ??= reserve().finally(() => {
        reserving = undefined
      })
      await reserving
    }
    const { list } = block
    const index = block.indexOf(block.next)
    block.next += 1
    return { chain: needs.chain, registry: needs.registry, issuer, list, index }
  }

  return { allot, ensure }
}

/** What the issuer itself has decided, before the chain shows it: revocation counts from its commit on. */
export type OwnDecisions = {
  decide(pointer: StatusPointer, value: StatusValue): void
  of(pointer: StatusPointer): StatusValue | undefined
}

export const ownDecisions = (): OwnDecisions => {
  const worse = new Map<string, 'revoked' | 'suspended'>()
  const key = (pointer: StatusPointer) => `${pointer.issuer}:${pointer.list}:${pointer.index}`
  return {
    decide(pointer, value) {
      // What is revoked stays so; only a suspension is ever lifted.
      if (worse.get(key(pointer)) === 'revoked') return
      if (value === 'valid') worse.delete(key(pointer))
      else worse.set(key(pointer), value)
    },
    of: pointer => worse.get(key(pointer)),
  }
}

const rank: Record<StatusValue, number> = { valid: 0, suspended: 1, revoked: 2 }

/** The chain's word and our own, whichever is worse. A stale chain stays a refusal. */
export const withOwnDecisions = (reader: StatusReader, own: OwnDecisions): StatusReader => {
  const worse = (pointer: StatusPointer, onChain: StatusValue): StatusValue => {
    const decided = own.of(pointer)
    return decided !== undefined && rank[decided] > rank[onChain] ? decided : onChain
  }
  return {
    head: () => reader.head(),
    openedAt: (issuer, list) => reader.openedAt(issuer, list),
    async statusAt(pointer, at) {
      const then = await reader.statusAt(pointer, at)
      // A time that no block has reached yet is now, however it is asked for.
      return at < reader.head().timestamp ? then : { ...then, status: worse(pointer, then.status) }
    },
    status: pointer => worse(pointer, reader.status(pointer)),
  }
}

/** Word and mask of a status index, as StatusRegistry counts: index 0 is the most significant bit of word 0. */
export const bitOf = (index: number): { word: number; mask: bigint } => ({
  word: Math.floor(index / 256),
  mask: 1n << BigInt(255 - (index % 256)),
})

export type BitChange = { list: number; index: number }
/** So many words fit into one transaction under an ordinary block's gas limit (about 30,000 gas a fresh word). */
const wordsPerTransaction = 400

/** Gathers bits into words, and words into as few transactions as the gas limit allows. */
export const batchBits = (changes: BitChange[]): { lists: number[]; words: number[]; masks: string[] }[] => {
  const merged = new Map<string, { list: number; word: number; mask: bigint }>()
  for (const { list, index } of changes) {
    const { word, mask } = bitOf(index)
    const known = merged.get(`${list}:${word}`)
    if (known === undefined) merged.set(`${list}:${word}`, { list, word, mask })
    else known.mask |= mask
  }
  const all = [...merged.values()].sort((a, b) => a.list - b.list || a.word - b.word)
  const batches: { lists: number[]; words: number[]; masks: string[] }[] = []
  for (let start = 0; start < all.length; start += wordsPerTransaction) {
    const part = all.slice(start, start + wordsPerTransaction)
    batches.push({
      lists: part.map(change => change.list),
      words: part.map(change => change.word),
      masks: part.map(change => `0x${change.mask.toString(16)}`),
    })
  }
  return batches
}
