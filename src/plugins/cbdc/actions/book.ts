import { setImmediate as nextTurn } from 'node:timers/promises'
import { encodeEntry, kinds } from '../../../kernel/ledger-entry.ts'
import { leafHash, merkleRoot } from '../../../kernel/merkle.ts'
import type { Store, Tx } from '../../../kernel/ports.ts'
import { type Attested, apply, closeBatch, type Invalidity } from '../ledger/apply.ts'
import type { Facts, LedgerAccount } from '../ledger/facts.ts'
import type { Turn } from '../ledger/instalments.ts'
import { isPersonal } from '../ledger/limits.ts'
import { balanceOf, type Change, type State } from '../ledger/state.ts'
import { type EntryRow, entriesText, readByIds, writeEntries } from './entry-rows.ts'
import { openInstructions } from './instructions/book.ts'
import type { InstructionRow } from './instructions/rows.ts'
import {
  accountRow,
  type Head,
  type ReservationRow,
  readAccounts,
  readReservations,
  updateAccounts,
  writeHead,
  writeReservations,
} from './rows.ts'

/** An entry as it was written. Balances are of the accounts touched, after it. */
export type Written = {
  number: number
  batch: number
  at: number
  id: string | null
  raw: Buffer
  debit: number
  credit: number | null
  debitBalance: bigint
  creditBalance: bigint | null
  /** Of an entry of this batch: the reservation or instruction that it made, changed or ended. */
  reservation?: number | undefined
  instruction?: number | undefined
  /** Its hash as a leaf, once somebody has asked for it. */
  leaf?: Buffer | undefined
}

/** What knows the facts of a new account, or of one whose facts change with the entry. */
export type FactsChange = Partial<Facts>

/**
 * Why an entry is judged otherwise than a payment of the day. `refund`: gives back what was paid, so it does not count against the
 * limits of whoever refunds. `voucher`: a purse signed it offline and its payee relied on it.
 */
export type Basis = 'refund' | 'voucher'

export type BookItem = Attested & {
  id?: string | undefined
  raw?: Buffer | undefined
  facts?: FactsChange | undefined
  basis?: Basis | undefined
}

/** Every so many entries of an account one is marked. */
export const markEvery = 256

/** A batch under way: what it has read, and what it will write. Only whoever locked the head has one. */
export type Book = {
  at: number
  batch: number
  state: Omit<State, 'account'> & { account(number: number): LedgerAccount | undefined }
  load(accounts: Iterable<number>): Promise<void>
  loadReservations(numbers: Iterable<number>): Promise<void>
  loadInstructions(numbers: Iterable<number>): Promise<void>
  /** How many instructions of these accounts stand. */
  loadStanding(payers: Iterable<number>): Promise<void>
  standingOf(payer: number): number
  /** With what became of it. */
  instruction(number: number): InstructionRow | undefined
  /** The entry that bears an id, of this batch or before. */
  loadIds(ids: readonly string[]): Promise<void>
  byId(id: string): Written | undefined
  apply(item: BookItem): { written: Written } | { invalid: Invalidity }
  /** Changes what policy knows of an account. */
  alter(number: number, facts: FactsChange): void
  /** Changes what the round knows of an instruction. */
  alterTurn(number: number, turn: Partial<Turn>): void
  /** @returns what takes back all that was done since. */
  mark(): () => void
  /** What was done so far stands: no mark from before is used any more, and what it would bring back is let go. */
  keep(): void
  /**
   * Begins to write the entries so far, all of which have to stand: the database is at it while others are judged. `close`
   * waits for it.
   */
  send(): void
  /** The entries written since a number. */
  since(number: number): readonly Written[]
  next(): number
  /** Writes everything. @returns the batch's root; undefined when nothing was entered. */
  close(feeAccount: (currency: number) => number): Promise<Buffer | undefined>
}

/**
 * An account is in use when somebody acts on it; what orders, the time or a standing instruction do to it is no use of
 * it.
 */
const isUse = ({ entry: { kind } }: BookItem): boolean =>
  kinds[kind].authority === 'owner' || kinds[kind].authority === 'chain' || kind === 'mint'

const emptyFacts = (number: number, at: number): Facts => ({
  ...{ class: 'person', level: 0, lead: number, day: 0, spent: 0n, held: 0n, rules: null, jurisdiction: null },
  ...{ servicer: 0, kyc: null, openedAt: at, lastActive: at, lastEntry: 0, entries: 0 },
  ...{ screenedAt: null, screeningList: null, screeningResult: null, device: null },
})

type Leaf = Pick<Written, 'number' | 'raw' | 'leaf'>

/** What the log and receipts commit to: the place of the entry, and its bytes. Kept: its order and its batch both take it. */
export const entryLeaf = (entry: Leaf): Buffer => {
  if (entry.leaf !== undefined) return entry.leaf
  const bytes = Buffer.allocUnsafe(8 + entry.raw.length)
  bytes.writeBigUInt64BE(BigInt(entry.number))
  bytes.set(entry.raw, 8)
  entry.leaf = leafHash(bytes)
  return entry.leaf
}

/** Fields that a payment does not touch; where one differs the account is written whole. */
const isAltered = (before: LedgerAccount | undefined, after: LedgerAccount): boolean =>
  before !== undefined &&
  (before.key !== after.key ||
    before.debitsPending !== after.debitsPending ||
    before.creditsPending !== after.creditsPending ||
    before.frozen !== after.frozen ||
    before.holds !== after.holds ||
    before.linked !== after.linked ||
    before.interestDay !== after.interestDay ||
    before.closed !== after.closed ||
    before.level !== after.level ||
    before.lead !== after.lead ||
    before.kyc !== after.kyc ||
    before.class !== after.class ||
    before.servicer !== after.servicer ||
    before.jurisdiction !== after.jurisdiction ||
    before.screenedAt !== after.screenedAt ||
    before.screeningList !== after.screeningList ||
    before.screeningResult !== after.screeningResult ||
    before.device !== after.device)

const reservationAfter = (
  before: ReservationRow | undefined,
  change: NonNullable<Change['reservation']>,
  item: BookItem,
  entry: number,
): ReservationRow => {
  if (before === undefined) {
    if (change.now === null) throw new Error('a reservation that was not granted cannot end')
    return { ...change.now, posted: 0n, entry, state: 'pending', endedBy: null }
  }
  const paid = item.entry.kind === 'post' ? item.entry.amount : 0n
  const posted = before.posted + paid
  if (change.now !== null) return { ...before, remaining: change.now.remaining, posted }
  const ends = { post: 'posted', void: 'voided', expire: 'expired' } as const
  const state = ends[item.entry.kind as keyof typeof ends]
  return { ...before, remaining: 0n, posted, state, endedBy: entry }
}

/**
 * @param head locked. @param now of the clock, in milliseconds: the batch's time is later than that of the one before.
 */
export const openBook = (tx: Tx, dialect: Store['dialect'], head: Head, now: number): Book => {
  const at = Math.max(now, head.lastTime + 1)
  const original = new Map<number, LedgerAccount>()
  const accounts = new Map<number, LedgerAccount>()
  const reservations = new Map<number, ReservationRow>()
  const stored = new Map<number, ReservationRow>()
  const ids = new Map<string, Written>()
  const soughtIds = new Set<string>()
  const entries: EntryRow[] = []
  const fees = new Map<number, bigint>()
  let undo: (() => void)[] = []
  const counters = {
    ...{ account: head.nextAccount, reservation: head.nextReservation, instruction: head.nextInstruction },
  }
  const firstEntry = head.nextEntry

  const set = <K, V>(map: Map<K, V>, key: K, value: V): void => {
    const before = map.get(key)
    undo.push(() => {
      if (before === undefined) map.delete(key)
      else map.set(key, before)
    })
    map.set(key, value)
  }
  const instructions = openInstructions({ tx, dialect, set })
  const state: Book['state'] = {
    account: number => accounts.get(number),
    reservation: number => {
      const known = reservations.get(number)
      return known?.state === 'pending' ? known : undefined
    },
    instruction: instructions.standing,
    get nextAccount() {
      return counters.account
    },
    get nextReservation() {
      return counters.reservation
    },
    get nextInstruction() {
      return counters.instruction
    },
  }
  const next = (): number => firstEntry + entries.length

  const load = async (numbers: Iterable<number>): Promise<void> => {
    const wanted = new Set<number>()
    for (const number of numbers) if (number !== 0 && !accounts.has(number)) wanted.add(number)
    const found = await readAccounts(tx.query, dialect, [...wanted])
    const leads: number[] = []
    for (const account of found) {
      // What was entered while it was being read counts.
      if (accounts.has(account.number)) continue
      original.set(account.number, account)
      accounts.set(account.number, account)
      if (account.lead !== account.number) leads.push(account.lead)
    }
    if (leads.some(lead => !accounts.has(lead))) await load(leads)
  }

  /** An account as an entry leaves it. What all accounts of a person hold together stands at the lead. */
  const put = (account: LedgerAccount, delta: bigint): void => {
    const holds = delta !== 0n && isPersonal(account)
    if (holds && account.lead === account.number) account.held += delta
    set(accounts, account.number, account)
    if (!holds || account.lead === account.number) return
    const lead = accounts.get(account.lead)
    if (lead === undefined) throw new Error(`the lead account ${account.lead} was not loaded`)
    set(accounts, lead.number, { ...lead, held: lead.held + delta })
  }

  const enter = (item: BookItem, change: Change): Written => {
    const number = next()
    const [first, second] = change.accounts
    if (first === undefined) throw new Error('an entry touches at least one account')
    const touched = change.accounts.map(given => {
      const before = accounts.get(given.number)
      // `apply` copies what it was given, so the facts are there already, but for a new account.
      const known = before === undefined ? { ...emptyFacts(given.number, at), ...given } : (given as LedgerAccount)
      const lastActive = isUse(item) ? at : known.lastActive
      const after: LedgerAccount = { ...known, lastActive, lastEntry: number, entries: known.entries + 1 }
      // The first account of the entry may have changed what its person holds, which stands at this one.
      if (before !== undefined) after.held = before.held
      if (given === first && item.facts !== undefined) Object.assign(after, item.facts)
      put(after, balanceOf(after) - (before === undefined ? 0n : balanceOf(before)))
      return { before: before?.lastEntry ?? 0, balance: balanceOf(after) }
    })
    const [debit, credit] = touched
    const written: EntryRow = {
      number,
      batch: head.nextBatch,
      at,
      id: item.id ?? null,
      raw: item.raw ?? encodeEntry(item.entry),
      debit: first.number,
      debitBalance: debit?.balance ?? 0n,
      debitBefore: debit?.before ?? 0,
      credit: second?.number ?? null,
      creditBalance: credit?.balance ?? null,
      creditBefore: credit?.before ?? null,
    }
    if (change.reservation !== undefined) written.reservation = change.reservation.number
    if (change.instruction !== undefined) written.instruction = change.instruction.number
    entries.push(written)
    undo.push(() => void entries.pop())
    if (written.id !== null) set(ids, written.id, written)
    if (change.fee > 0n) set(fees, change.currency, (fees.get(change.currency) ?? 0n) + change.fee)
    if (change.reservation !== undefined) {
      const { number: reserved } = change.reservation
      set(reservations, reserved, reservationAfter(reservations.get(reserved), change.reservation, item, number))
    }
    if (change.instruction !== undefined) instructions.enter(change.instruction, item.entry, number)
    if (change.nextAccount !== undefined || change.reservation !== undefined || change.instruction !== undefined) {
      const before = { ...counters }
      undo.push(() => void Object.assign(counters, before))
      counters.account = change.nextAccount ?? counters.account
      counters.reservation = change.nextReservation ?? counters.reservation
      counters.instruction = change.nextInstruction ?? counters.instruction
    }
    return written
  }

  let sent = 0
  let sending: Promise<unknown> = Promise.resolve()
  const send = (): void => {
    const rest = entries.slice(sent)
    if (rest.length === 0) return
    sent = entries.length
    sending = Promise.all([sending, writeEntries(tx, dialect, entriesText(rest))])
    // Whoever closes the book hears of it.
    sending.catch(() => undefined)
  }

  /** Marks of the accounts that have come to a multiple; of several entries in one batch each is looked at. */
  const marks = () => {
    const counts = new Map<number, number>()
    return entries.flatMap(entry =>
      [entry.debit, entry.credit].flatMap(account => {
        if (account === null) return []
        const ordinal = (counts.get(account) ?? original.get(account)?.entries ?? 0) + 1
        counts.set(account, ordinal)
        return ordinal % markEvery === 0 ? [{ account, ordinal: ordinal / markEvery, entry: entry.number, at }] : []
      }),
    )
  }

  const writeAccounts = async (): Promise<void> => {
    const [fresh, moved, altered]: LedgerAccount[][] = [[], [], []]
    for (const [number, account] of accounts) {
      const before = original.get(number)
      if (before === account) continue
      if (before === undefined) fresh?.push(account)
      else if (isAltered(before, account)) altered?.push(account)
      else moved?.push(account)
    }
    if (fresh !== undefined && fresh.length > 0) tx.insert('cbdc_accounts', fresh.map(accountRow))
    await updateAccounts(tx, dialect, moved ?? [], altered ?? [])
  }

  return {
    ...{ at, batch: head.nextBatch, state, load, next },
    async loadReservations(numbers) {
      const wanted = [...new Set(numbers)].filter(number => number !== 0 && !reservations.has(number))
      for (const found of await readReservations(tx.query, dialect, wanted)) {
        reservations.set(found.number, found)
        stored.set(found.number, found)
      }
      await load(
        wanted.flatMap(number => {
          const found = reservations.get(number)
          return found === undefined ? [] : [found.from, found.to, found.arbiter]
        }),
      )
    },
    loadInstructions: async numbers => load(await instructions.load(numbers)),
    ...{ loadStanding: instructions.loadCounts, standingOf: instructions.countOf, instruction: instructions.get },
    alterTurn: instructions.alter,
    async loadIds(given) {
      const wanted = given.filter(id => !soughtIds.has(id))
      for (const id of wanted) soughtIds.add(id)
      for (const found of await readByIds(tx.query, dialect, wanted)) if (found.id !== null) ids.set(found.id, found)
    },
    byId: id => ids.get(id),
    apply(item) {
      const applied = apply(state, item, at)
      return applied.valid ? { written: enter(item, applied.change) } : { invalid: applied.why }
    },
    alter(number, facts) {
      const account = accounts.get(number)
      if (account === undefined) throw new Error(`the account ${number} was not loaded`)
      set(accounts, number, { ...account, ...facts })
    },
    mark() {
      const from = undo.length
      return () => {
        for (const back of undo.slice(from).reverse()) back()
        undo = undo.slice(0, from)
      }
    },
    keep() {
      undo = []
    },
    send,
    since: number => entries.slice(number - firstEntry),
    async close(feeAccount) {
      const granted = [...reservations.values()].filter(({ number }) => !stored.has(number))
      const changed = [...stored.values()].flatMap(before => {
        const after = reservations.get(before.number)
        return after === undefined || after === before ? [] : [after]
      })
      await load([...fees.keys()].map(feeAccount))
      for (const account of closeBatch(state, fees, feeAccount)) accounts.set(account.number, account as LedgerAccount)
      const writing = writeAccounts()
      writing.catch(() => undefined)
      // While the database is at work the next statement is made ready, and the hashes are made.
      await nextTurn()
      send()
      const root = entries.length === 0 ? undefined : merkleRoot(entries.map(entryLeaf))
      await writing
      await sending
      await writeReservations(tx, dialect, granted, changed)
      await instructions.write()
      if (root === undefined) return undefined
      const marked = marks()
      if (marked.length > 0) tx.insert('cbdc_marks', marked)
      tx.insert('cbdc_batches', [
        { number: head.nextBatch, at, first_entry: firstEntry, entries: entries.length, root },
      ])
      await writeHead(tx, {
        ...{ nextEntry: next(), nextBatch: head.nextBatch + 1, lastTime: at },
        ...{ nextAccount: counters.account, nextReservation: counters.reservation },
        nextInstruction: counters.instruction,
      })
      return root
    },
  }
}

/** Whose key an entry has to be signed with, by its account. */
export const signerOf = ({ entry }: { entry: BookItem['entry'] }): number | undefined => {
  if ('by' in entry) return entry.by
  if ('nonce' in entry) return 'from' in entry ? entry.from : entry.account
  return undefined
}

/** Accounts that an entry names itself. */
export const namedBy = (entry: BookItem['entry']): number[] => {
  const numbers: number[] = []
  for (const field of ['from', 'to', 'account', 'counter', 'arbiter', 'linked', 'by'] as const) {
    const value = (entry as Record<string, unknown>)[field]
    if (typeof value === 'number' && value !== 0) numbers.push(value)
  }
  return numbers
}
