import type { EntryOf } from '../../../../kernel/ledger-entry.ts'
import { transferIdTaken } from '../../errors.ts'
import { requestLegsMismatch, requestNotOpen, requestUnknown } from '../../requests/errors.ts'
import type { Book, BookItem, Written } from '../book.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { roleIn, stateAt } from './request.ts'
import { endRequest, findRequest, type PaymentRequest } from './rows.ts'

/** A request that an order pays, and by which entry each of its legs will be known. */
export type Settling = { request: PaymentRequest; payerLead: number; items: readonly BookItem[]; isAnswered: boolean }

const isTransfer = (item: BookItem): item is BookItem & { entry: EntryOf<'transfer'> } =>
  item.entry.kind === 'transfer' && item.basis === undefined

/** Whether the records are what the request says: each leg once, all from one account, and nothing besides. */
const areLegs = ({ legs, payer, currency }: PaymentRequest, items: readonly BookItem[]): boolean => {
  const from = items[0] !== undefined && isTransfer(items[0]) ? items[0].entry.from : 0
  return (
    items.length === legs.length &&
    (payer === null || payer === from) &&
    items.every(item => isTransfer(item) && item.entry.from === from && item.entry.currency === currency) &&
    legs.every(leg =>
      items.some(item => isTransfer(item) && item.entry.to === leg.account && item.entry.amount === leg.amount),
    )
  )
}

/** Whether the same records have paid this request before. */
const havePaid = ({ state, legs }: PaymentRequest, items: readonly BookItem[], book: Book): boolean => {
  const entries = new Set(legs.map(({ entry }) => entry))
  const known = items.map(({ id }) => (id === undefined ? undefined : book.byId(id)?.number))
  return (
    state === 'paid' && known.length === legs.length && known.every(each => each !== undefined && entries.has(each))
  )
}

/**
 * That these records, of an account of the caller's, pay the request: judged while the ledger is held, so that of two who pay one wins.
 * @throws Refusal request_unknown, which also answers for what others are asked; request_not_open, request_legs_mismatch,
 * transfer_id_taken where a record was entered before for something else
 */
export const assertSettles = async (
  desk: Desk,
  { tx, book }: Held,
  { id, first, items }: { id: string; first: { lead: number }; items: readonly BookItem[] },
): Promise<Settling> => {
  const payerLead = first.lead
  const request = await findRequest(tx.query, desk.house.store.dialect, id.toLowerCase())
  if (request === undefined || roleIn(request, payerLead) === undefined) throw requestUnknown()
  const settling = { request, payerLead, items }
  if (havePaid(request, items, book)) return { ...settling, isAnswered: true }
  if (stateAt(request, book.at) !== 'open') throw requestNotOpen()
  if (!areLegs(request, items)) throw requestLegsMismatch()
  // One transfer pays one request: not another with the same legs.
  if (items.some(({ id: known }) => known !== undefined && book.byId(known) !== undefined)) throw transferIdTaken()
  return { ...settling, isAnswered: false }
}

/** Ends the request with the entries that paid it, in their own transaction. @param written in the order of the records */
export const settleRequest = async (
  { tx, book }: Held,
  { request, payerLead, items, isAnswered }: Settling,
  written: readonly Written[],
): Promise<void> => {
  if (isAnswered) return
  const legs = request.legs.map(leg => {
    const at = items.findIndex(item => isTransfer(item) && item.entry.to === leg.account)
    const entry = written[at]?.number
    if (entry === undefined) throw new Error(`a leg of the request ${request.id} was not entered`)
    return { ...leg, entry }
  })
  await endRequest(tx, { ...request, payerLead, legs }, { state: 'paid', at: book.at })
}
