import { digestOf } from '../../../../src/kernel/canonical.ts'
import type { Caller } from '../../../../src/kernel/gate.ts'
import type { EntryOf } from '../../../../src/kernel/ledger-entry.ts'
import type { Context, Route } from '../../../../src/kernel/plugin.ts'
import { submitBatch, submitRecords } from '../../../../src/plugins/cbdc/actions/payments.ts'
import { readRoutes } from '../../../../src/plugins/cbdc/actions/reads/routes.ts'
import { requestRoutes } from '../../../../src/plugins/cbdc/actions/requests/routes.ts'
import type { Facts } from '../../../../src/plugins/cbdc/ledger/facts.ts'
import { requires } from '../../../../src/plugins/cbdc/policy.ts'
import { type Body, type Call, openEdge } from '../../edge.ts'
import { bankDid, type Ground, type Owner, secp256k1Owner } from '../ground.ts'
import { customer } from '../orders/office.ts'

export type { Body }
export type RequestBody = Body & { id: string; state: string; legs: { account: number; amountMinor: string }[] }
export type Entered = { entries: { entry: number; batch: number; balanceMinor: string }[] }
type Handed = Omit<Call, 'caller'> & { body?: unknown }
export type SignedRecord = { id: string; record: string; refunds?: number }

/** Customers with pseudonyms, and the operations as the HTTP edge calls them. */
export const openPeople = (ground: Ground) => {
  const { desk } = ground
  const routes: Record<string, Route> = {
    ...requestRoutes(desk),
    ...readRoutes(desk),
    submitRecords: { requires: requires.pay, run: (context: Context) => submitRecords(desk, context) },
    submitBatch: { requires: requires.payForCustomers, run: (context: Context) => submitBatch(desk, context) },
  }
  const edge = openEdge(routes)
  const call = async (caller: Caller, operation: string, { body, ...how }: Handed = {}): Promise<Body> =>
    (await edge(operation, body, { ...how, caller })).body

  /** What a person does, with an account of theirs. */
  const acting = (pseudonym: string, owner: Owner, number: number) => {
    const caller = customer(pseudonym)
    let nonce = 0
    const ofRequest = (operation: string) => (request: string) =>
      call(caller, operation, { params: { request }, body: {} }) as Promise<RequestBody>
    return {
      ...{ owner, number, caller },
      call: (operation: string, how: Handed = {}) => call(caller, operation, how),
      /** Signed next in turn, and not handed in. */
      sign: (to: number, amount: bigint, over: Partial<EntryOf<'transfer'>> = {}): SignedRecord =>
        ground.signed(owner, ground.transfer(number, to, amount, { nonce: nonce++, ...over })),
      /** The nonces of what was signed and refused are free again. */
      forget(count = 1): void {
        nonce -= count
      },
      submit: (records: SignedRecord[], more: Body = {}, key?: string) =>
        call(caller, 'submitRecords', { body: { records, ...more }, ...(key !== undefined && { key }) }) as Promise<
          Body & Entered
        >,
      async pay(to: number, amount: bigint): Promise<number> {
        const { entries } = await this.submit([this.sign(to, amount)])
        return entries[0]?.entry ?? 0
      },
      request: (over: Body = {}, key?: string) =>
        call(caller, 'requestPayment', {
          body: {
            ...{ id: ground.newId(), payeeAccount: number, amountMinor: '100' },
            ...{ expires: new Date(ground.state.now + 3_600_000).toISOString(), ...over },
          },
          ...(key !== undefined && { key }),
        }) as Promise<RequestBody>,
      see: (request: string) => call(caller, 'getPaymentRequest', { params: { request } }) as Promise<RequestBody>,
      async list(query: Record<string, string> = {}): Promise<RequestBody[]> {
        const { items } = await call(caller, 'listPaymentRequests', { query: { currency: '1', ...query } })
        return items as RequestBody[]
      },
      decline: ofRequest('declinePaymentRequest'),
      withdraw: ofRequest('withdrawPaymentRequest'),
    }
  }
  const person = async (pseudonym: string, funds = 0n, facts: Partial<Facts> = {}) => {
    const { owner, number } = await ground.customer(secp256k1Owner(), facts, funds)
    await ground.store.transaction(async tx => tx.insert('cbdc_persons', [{ currency: 1, pseudonym, lead: number }]))
    return acting(pseudonym, owner, number)
  }
  return {
    ...{ person, acting, as: call },
    /** Hands in chains as the bank that serves them. */
    asBank: (chains: SignedRecord[][], did = bankDid) =>
      call({ kind: 'agency', id: did, bodySha256: digestOf({ chains }).toString('base64url') }, 'submitBatch', {
        body: { chains },
      }) as Promise<Body & { chains: { outcome: string; code?: string; entry?: number }[][] }>,
    balance: async (number: number): Promise<bigint> => {
      const { creditsPosted, debitsPosted } = await ground.account(number)
      return creditsPosted - debitsPosted
    },
  }
}

export type Person = Awaited<ReturnType<ReturnType<typeof openPeople>['person']>>
