import { digestOf } from '../../../../src/kernel/canonical.ts'
import { anonymous, type Caller, type HolderCaller } from '../../../../src/kernel/gate.ts'
import type { EntryOf } from '../../../../src/kernel/ledger-entry.ts'
import { storedPolicy } from '../../../../src/plugins/cbdc/actions/currencies.ts'
import { exchangeRoutes } from '../../../../src/plugins/cbdc/actions/exchange/routes.ts'
import { readRoutes } from '../../../../src/plugins/cbdc/actions/reads/routes.ts'
import type { Facts } from '../../../../src/plugins/cbdc/ledger/facts.ts'
import { type Call, openEdge, presenting, proven } from '../../edge.ts'
import { type Ground, type Owner, orderId, policy, secp256k1Owner } from '../ground.ts'

const codes: Record<number, string> = { 1: 'CRD', 2: 'ECU' }

/** A customer by the pseudonym of one currency. */
export const customerCaller = (pseudonym: string, currency: number): HolderCaller => {
  const claims = {
    ...{ level: 2, jurisdiction: 'XN', expiryDate: '2099-01-01', screened: [] },
    pseudonym: { domain: `cbdc:${codes[currency]?.toLowerCase()}`, value: pseudonym },
  }
  return presenting('kyc', proven('KycAttestation', claims))
}

export type Answered = Record<string, unknown> & { status: number }
export type Trader = { number: number; owner: Owner; currency: number; caller: Caller; party: string }

/** Calls an operation as the HTTP edge does. */
export const callerOf = (ground: Ground) => {
  const edge = openEdge({ ...exchangeRoutes(ground.desk), ...readRoutes(ground.desk) })
  return async (operation: string, body: unknown, how: Call = {}): Promise<Answered> => {
    const signedFor = body === undefined ? {} : { bodySha256: digestOf(body).toString('base64url') }
    const caller = how.caller?.kind === 'agency' ? { ...how.caller, ...signedFor } : (how.caller ?? anonymous)
    const answer = await edge(operation, body, { ...how, caller })
    return { ...answer.body, status: answer.status }
  }
}

/** A second currency, ECU, whose own accounts stand under the operator's key. @returns its issuance account */
export const openSecond = async (ground: Ground): Promise<number> => {
  const accounts: Record<string, number> = {}
  for (const kind of ['issuance', 'fees', 'rail', 'suspense', 'interest'] as const) {
    accounts[kind] = await ground.openOne(ground.operator.key, { class: kind }, kind === 'issuance' ? 1 : 0, 2)
  }
  await ground.store.transaction(async tx => {
    const row = { number: 2, code: 'ECU', decimals: 2, home: 'ledger', opened_at: ground.state.now }
    tx.insert('cbdc_currencies', [{ ...row, ...accounts }])
    const version = { currency: 2, version: 1, valid_from: 0, record: orderId }
    tx.insert('cbdc_policies', [{ ...version, policy: storedPolicy(policy) }])
  })
  return accounts['issuance'] ?? 0
}

/** Traders in two currencies, customers and institutions. */
export const openTrading = async (ground: Ground) => {
  const issuance = await openSecond(ground)
  const call = callerOf(ground)
  const mint = async (to: number, currency: number, amount: bigint): Promise<void> => {
    if (currency === 1) return ground.mint(to, amount)
    const entry: EntryOf<'mint'> = { kind: 'mint', from: issuance, to, currency, amount, order: orderId }
    await ground.execute([[{ entry, signer: undefined }]])
  }
  let people = 0
  const account = async (currency: number, facts: Partial<Facts>, owner: Owner, funds: bigint): Promise<number> => {
    const number = await ground.openOne(owner.key, facts, 0, currency)
    if (funds > 0n) await mint(number, currency, funds)
    return number
  }
  const customer = async (currency: number, funds = 0n, facts: Partial<Facts> = {}): Promise<Trader> => {
    people += 1
    const [owner, pseudonym] = [secp256k1Owner(), `person-${people}`]
    const kyc = { issuer: '0xb1', list: 9, index: people, until: ground.state.now + 365 * 86_400_000 }
    const number = await account(currency, { class: 'person', level: 2, kyc, ...facts }, owner, funds)
    await ground.store.transaction(async tx => tx.insert('cbdc_persons', [{ currency, pseudonym, lead: number }]))
    return { number, owner, currency, caller: customerCaller(pseudonym, currency), party: 'customer' }
  }
  /** An institution's reserve account; the same DID may have one a currency. */
  const bank = async (currency: number, did: string, funds = 0n): Promise<Trader> => {
    const owner = secp256k1Owner()
    const number = await account(currency, { class: 'reserve' }, owner, funds)
    const row = { did, currency, account: number, name: did, ended_at: null, admitted_at: ground.state.now }
    await ground.store.transaction(async tx => tx.insert('cbdc_participants', [{ ...row, issuance_limit: '0' }]))
    return { number, owner, currency, caller: { kind: 'agency', id: did }, party: 'institution' }
  }
  const pay = (from: Trader, to: number, amount: bigint, over: Partial<EntryOf<'transfer'>> = {}, id?: string) =>
    ground.signed(from.owner, ground.transfer(from.number, to, amount, { currency: from.currency, ...over }), id)
  const as = (
    trader: Pick<Trader, 'caller' | 'party'>,
    operation: string,
    body: unknown,
    exchange?: string,
    key?: string,
  ) =>
    call(operation, body, {
      ...{ caller: trader.caller, params: { party: trader.party, ...(exchange && { exchange }) } },
      ...(key && { key }),
    })
  const balance = async (number: number): Promise<bigint> => {
    const { creditsPosted, debitsPosted } = await ground.account(number)
    return creditsPosted - debitsPosted
  }
  return { call, mint, customer, bank, pay, as, balance }
}

export type Trading = Awaited<ReturnType<typeof openTrading>>

/** Alice has CRD and wants ECU; Bob has ECU and wants CRD. Each has an account in either currency. */
export const openMarket = async (ground: Ground) => {
  const trading = await openTrading(ground)
  const alice = { crd: await trading.customer(1, 1_000n), ecu: await trading.customer(2) }
  const bob = { crd: await trading.customer(1), ecu: await trading.customer(2, 500n) }
  const terms = (over: Record<string, unknown> = {}) => ({
    ...{ counterFrom: bob.ecu.number, counterTo: alice.ecu.number, counterCurrency: 2, counterAmountMinor: '40' },
    ...over,
  })
  const balances = async () =>
    Promise.all([alice.crd, bob.crd, bob.ecu, alice.ecu].map(({ number }) => trading.balance(number)))
  return {
    ...trading,
    ...{ alice, bob, terms, balances },
    offered: (over: Partial<EntryOf<'transfer'>> = {}, id?: string) =>
      trading.pay(alice.crd, bob.crd.number, 300n, over, id),
    counter: (over: Partial<EntryOf<'transfer'>> = {}, id?: string) =>
      trading.pay(bob.ecu, alice.ecu.number, 40n, over, id),
  }
}
