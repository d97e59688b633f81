import { disclose } from '../../../../kernel/disclose.ts'
import { admit, holderOf } from '../../../../kernel/gate.ts'
import { nextPage, pageOf } from '../../../../kernel/pages.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { listMost, requestRequires } from '../../policy.ts'
import { requestUnknown } from '../../requests/errors.ts'
import { readCurrencies } from '../currencies.ts'
import type { Desk } from '../desk.ts'
import { leadOf, pseudonymOf } from '../owner.ts'
import { leadIn, requestView, roleIn } from './request.ts'
import { findRequest, type RequestState, readRequests } from './rows.ts'

const requires = requestRequires.party
type Part = Pick<Desk, 'house'>

/**
 * A request with the legs to sign: for its payee, for whom it asks, and where it asks nobody in particular for whoever has its id (a
 * code at the till).
 * @throws Refusal request_unknown, which also answers for requests that are others'
 */
export const getPaymentRequest = async ({ house }: Part, context: Context): Promise<Answer> => {
  admit(context.caller, requires)
  const caller = holderOf(context.caller)
  const id = (context.params['request'] ?? '').toLowerCase()
  const { store, clock } = house
  const body = await disclose(house, {
    ...{ operation: 'getPaymentRequest', requires, caller, input: { request: id } },
    async read() {
      const at = clock.now()
      const request = await findRequest(store.read, store.dialect, id)
      if (request === undefined) throw requestUnknown()
      const lead = await leadIn(store.read, caller, (await readCurrencies(store.read, at)).of(request.currency))
      const role = roleIn(request, lead)
      if (role === undefined) throw requestUnknown()
      return requestView(request, { at, role })
    },
  })
  return { status: 200, body }
}

/** As rows tell it: one that expired was left open. */
const whereState = (state: RequestState | undefined, at: number): { where: string; params: (string | number)[] } => {
  if (state === undefined) return { where: '', params: [] }
  if (state === 'open') return { where: `AND state = 'open' AND expires > ?`, params: [at] }
  if (state === 'expired') return { where: `AND state = 'open' AND expires <= ?`, params: [at] }
  return { where: `AND state <> 'open' AND state = ?`, params: [state] }
}

/**
 * What the caller asks for, or is asked for, in a currency; newest first, a page at a time.
 * @throws Refusal currency_unknown, pseudonym_missing, cursor_malformed
 */
export const listPaymentRequests = async ({ house }: Part, context: Context): Promise<Answer> => {
  admit(context.caller, requires)
  const caller = holderOf(context.caller)
  const { query } = context
  const { store, clock } = house
  const page = pageOf(query, { most: listMost, usual: listMost })
  const role = query['as'] === 'payee' ? 'payee' : 'payer'
  const body = await disclose(house, {
    ...{ operation: 'listPaymentRequests', requires, caller, input: query },
    async read() {
      const at = clock.now()
      const currency = (await readCurrencies(store.read, at)).of(Number(query['currency']))
      const lead = await leadOf(store.read, currency.number, pseudonymOf(caller, currency))
      if (lead === undefined) return { items: [] }
      const state = whereState(query['state'] as RequestState | undefined, at)
      const after = page.after === '' ? { where: '', params: [] } : { where: 'AND id < ?', params: [page.after] }
      const found = await readRequests(store.read, store.dialect, {
        // A lead is an account, so it is of the one currency.
        where: `${role}_lead = ? ${state.where} ${after.where} ORDER BY id DESC LIMIT ?`,
        params: [lead, ...state.params, ...after.params, page.limit],
      })
      return { items: found.map(request => requestView(request, { at, role })), ...nextPage(found, page) }
    },
  })
  return { status: 200, body }
}
