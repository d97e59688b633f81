import { admit, holderOf } from '../../../kernel/gate.ts'
import type { SignedEntry } from '../../../kernel/ledger-entry.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Refusal } from '../../../kernel/refusal.ts'
import { assertBodySigned } from '../../../kernel/signed-body.ts'
import { accountNotYours, participantUnknown, recordMalformed, servicerDiffers } from '../errors.ts'
import { recordsMost, requires } from '../policy.ts'
import type { Handed } from './attest.ts'
import { type BookItem, signerOf, type Written } from './book.ts'
import type { Desk } from './desk.ts'
import type { Held, ItemOutcome } from './enter.ts'
import { allOf } from './execute.ts'
import { type Made, madeBy } from './made.ts'
import { assertOwner } from './owner.ts'
import { loadRefunds, writeRefunds } from './requests/refunds.ts'
import { assertSettles, type Settling, settleRequest } from './requests/settle.ts'

/** The time of a batch, which all its entries have. */
let lastTime = { at: 0, shown: new Date(0).toISOString() }
const timeOf = (at: number): string => {
  if (lastTime.at !== at) lastTime = { at, shown: new Date(at).toISOString() }
  return lastTime.shown
}

/** Whom an entry was signed by, of the accounts it touches: that one's owner learns its balance. */
const view = (written: Written, item: BookItem, made: ReadonlyMap<number, Made>) => ({
  ...(written.id === null ? {} : { id: written.id }),
  entry: written.number,
  ...made.get(written.number),
  batch: written.batch,
  at: timeOf(written.at),
  balanceMinor: String(signerOf(item) === written.credit ? written.creditBalance : written.debitBalance),
})

/** The accounts that speak in these records. @throws Refusal account_not_yours */
const speakers = async ({ book }: Held, items: readonly BookItem[]) => {
  const numbers = items.map(item => signerOf(item) ?? 0)
  await book.load(numbers)
  return numbers.map(number => {
    const account = book.state.account(number)
    if (account === undefined) throw accountNotYours()
    return account
  })
}

/** `refunds`: the number of the entry that a transfer gives back, in part or whole. */
type HandedPayment = Handed & { refunds?: number }

/** `settles`: the id of a request to pay, whose legs the records are. */
type PayBody = { records: HandedPayment[]; settles?: string }

/** What is handed in, and what of it gives back which entry. @throws Refusal record_malformed */
const readPayments = async (desk: Desk, handed: readonly HandedPayment[]) => {
  const attested = await desk.attest(handed)
  assertCustomers(attested)
  const items = attested.map(
    (item, at): BookItem => (handed[at]?.refunds === undefined ? item : { ...item, basis: 'refund' }),
  )
  const refunds = handed.flatMap(({ refunds: of }, at) =>
    of === undefined ? [] : [{ item: items[at] as BookItem, of }],
  )
  return { items, refunds }
}

/** Kinds that a customer hands in; `link`, `keyChange`, `instruct` and `revoke` speak of their account, the rest move money. */
const assertCustomers = (items: readonly BookItem[]): void => {
  const kinds = new Set<SignedEntry['kind']>([
    ...(['transfer', 'reserve', 'post', 'void', 'withdraw', 'link', 'keyChange', 'instruct', 'revoke'] as const),
  ])
  if (items.some(({ entry }) => !kinds.has(entry.kind as SignedEntry['kind']))) throw recordMalformed()
}

/**
 * Hands in what the owner of accounts signed: one record, or several that stand or fall together. The session gates, the
 * signature authorises. With `settles` they are the legs of a request to pay, which is paid in the same transaction.
 * @throws Refusal of the first record that may not stand; account_not_yours, request_unknown, request_not_open,
 * request_legs_mismatch
 */
export const submitRecords = async (desk: Desk, context: Context): Promise<Answer> => {
  admit(context.caller, requires.pay)
  const caller = holderOf(context.caller)
  const { records, settles } = context.body as PayBody
  const { items, refunds } = await readPayments(desk, records)
  const { dialect } = desk.house.store
  let settling: Settling | undefined
  const body = await desk.ledger.execute({
    operation: 'submitRecords',
    requires: requires.pay,
    caller,
    input: context.body,
    idempotencyKey: context.headers['idempotency-key'],
    foreseen: items,
    chains: async held => {
      const accounts = await speakers(held, items)
      const [first] = accounts
      if (first === undefined) throw recordMalformed()
      await assertOwner(held.tx.query, caller, held.currencies.of(first.currency), accounts)
      await loadRefunds(held, dialect, refunds)
      settling = settles === undefined ? undefined : await assertSettles(desk, held, { id: settles, first, items })
      return [items]
    },
    async answer(held, outcomes) {
      const entered = allOf(outcomes)
      writeRefunds(held, [items], outcomes)
      if (settling !== undefined) await settleRequest(held, settling, entered)
      const made = await madeBy(held.tx, dialect, entered)
      return { entries: entered.map((written, at) => view(written, items[at] as BookItem, made)) }
    },
  })
  return { status: 201, body }
}

type BatchBody = { chains: HandedPayment[][] }

const refused = ({ code, message }: Refusal) => ({ outcome: 'refused' as const, code, detail: message })

const outcomeView = (outcome: ItemOutcome, item: BookItem, made: ReadonlyMap<number, Made>) =>
  'refusal' in outcome
    ? refused(outcome.refusal)
    : { outcome: 'entered' as const, ...view(outcome.written, item, made) }

/** Reserve accounts of a participant, asked for once a batch. */
const reservesKnown = new WeakMap<Held['book'], Map<string, ReadonlySet<number>>>()

const reservesOf = async ({ book, tx }: Held, did: string): Promise<ReadonlySet<number>> => {
  const known = reservesKnown.get(book) ?? new Map<string, ReadonlySet<number>>()
  reservesKnown.set(book, known)
  const found = known.get(did)
  if (found !== undefined) return found
  const sql = 'SELECT account FROM cbdc_participants WHERE did = ? AND ended_at IS NULL'
  const own = new Set((await tx.query<{ account: number }>(sql, [did])).map(({ account }) => account))
  known.set(did, own)
  return own
}

/**
 * Records of a bank's customers, many in one request. Each chain stands or falls as a whole, by the ledger's promise: a proof of one
 * entry says nothing of the others. What is refused leaves the rest be.
 * @throws Refusal agency_body_mismatch, participant_unknown; of single records in the answer
 */
export const submitBatch = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, requires.payForCustomers)
  const inputDigest = assertBodySigned(caller, context.body)
  const { chains } = context.body as BatchBody
  const handed = chains.flat()
  if (handed.length > recordsMost) throw recordMalformed()
  // Before anything is verified for them; the act asks again.
  const admitted = 'SELECT account FROM cbdc_participants WHERE did = ? AND ended_at IS NULL LIMIT 1'
  if ((await desk.house.store.read(admitted, [caller.id])).length === 0) throw participantUnknown()
  const { items, refunds } = await readPayments(desk, handed)
  const { dialect } = desk.house.store
  let next = 0
  const linked = chains.map(chain => chain.map(() => items[next++] as BookItem))
  const body = await desk.ledger.execute({
    operation: 'submitBatch',
    requires: requires.payForCustomers,
    caller,
    input: context.body,
    inputDigest,
    idempotencyKey: context.headers['idempotency-key'],
    foreseen: items,
    chains: async held => {
      const own = await reservesOf(held, caller.id)
      if (own.size === 0) throw participantUnknown()
      await held.book.load(items.map(item => signerOf(item) ?? 0))
      const served = items.every(item => {
        const account = held.book.state.account(signerOf(item) ?? 0)
        return account === undefined || own.has(account.servicer) || own.has(account.number)
      })
      if (!served) throw servicerDiffers()
      await loadRefunds(held, dialect, refunds)
      return linked
    },
    async answer(held, outcomes) {
      writeRefunds(held, linked, outcomes)
      const entered = outcomes.flat().flatMap(outcome => ('written' in outcome ? [outcome.written] : []))
      const made = await madeBy(held.tx, dialect, entered)
      return {
        chains: outcomes.map((chain, at) =>
          chain.map((outcome, link) => outcomeView(outcome, (linked[at] as BookItem[])[link] as BookItem, made)),
        ),
      }
    },
  })
  return { status: 200, body }
}
