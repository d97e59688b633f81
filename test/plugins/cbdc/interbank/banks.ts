import { digestOf } from '../../../../src/kernel/canonical.ts'
import type { EntryOf } from '../../../../src/kernel/ledger-entry.ts'
import { interbankRoutes } from '../../../../src/plugins/cbdc/actions/interbank/routes.ts'
import { type Call, openEdge } from '../../edge.ts'
import { type Ground, type Owner, p256Owner, secp256k1Owner } from '../ground.ts'
import { officer } from '../orders/office.ts'

export type Bank = { did: string; account: number; owner: Owner }
export type Answered = Record<string, unknown> & { status: number }

/** A ledger that signs for its own accounts, as its agency does. */
export const settings = {
  more: async () => {
    const operator = secp256k1Owner(Buffer.alloc(32, 1))
    return { signOwn: async (digest: Uint8Array) => operator.sign(digest) }
  },
}

/** Institutions with reserve accounts, and the operations as the HTTP edge calls them. */
export const openBanks = async (ground: Ground, funds: readonly bigint[]) => {
  const edge = openEdge(interbankRoutes(ground.desk))
  const banks: Bank[] = []
  for (const [at, amount] of funds.entries()) {
    const owner = at % 2 === 0 ? secp256k1Owner() : p256Owner()
    const account = await ground.openOne(owner.key, { class: 'reserve' })
    const did = `did:ethr:0x7a69:0x${(0xb000 + account).toString(16).padStart(40, '0')}`
    const row = { did, currency: 1, account, name: `Bank ${at}`, ended_at: null, admitted_at: ground.state.now }
    await ground.store.transaction(async tx => tx.insert('cbdc_participants', [{ ...row, issuance_limit: '0' }]))
    if (amount > 0n) await ground.mint(account, amount)
    banks.push({ did, account, owner })
  }
  const call = async (operation: string, body: unknown, how?: Call): Promise<Answered> => {
    const answer = await edge(operation, body, how)
    return { ...answer.body, status: answer.status }
  }
  const as = (bank: Pick<Bank, 'did'>, operation: string, body: unknown, how: Call = {}): Promise<Answered> => {
    const bodySha256 = body === undefined ? undefined : digestOf(body).toString('base64url')
    return call(operation, body, { ...how, caller: { kind: 'agency', id: bank.did, bodySha256 } })
  }
  /** A transfer that its bank signed. */
  const signed = (from: Bank, to: number, amount: bigint, over: Partial<EntryOf<'transfer'>> = {}, id?: string) =>
    ground.signed(from.owner, ground.transfer(from.account, to, amount, over), id)
  return {
    ...{ banks, call, as, signed },
    bank(at: number): Bank {
      const bank = banks[at]
      if (bank === undefined) throw new Error(`no bank ${at}`)
      return bank
    },
    settle: (
      from: Bank,
      record: { id: string; record: string },
      over: Record<string, unknown> = {},
    ): Promise<Answered> => as(from, 'settleInterbank', { ...record, priority: 5, queue: true, ...over }),
    asOfficer: (operation: string, body: unknown, how: Call = {}): Promise<Answered> =>
      call(operation, body, { ...how, caller: officer('CB-1', undefined, ['cbdc:settlement']) }),
    async waiting(bank: Bank, direction = 'outgoing'): Promise<Record<string, unknown>[]> {
      const { items } = await as(bank, 'listQueue', undefined, { query: { direction } })
      return items as Record<string, unknown>[]
    },
    async balances(): Promise<bigint[]> {
      const accounts = await Promise.all(banks.map(({ account }) => ground.account(account)))
      return accounts.map(({ creditsPosted, debitsPosted }) => creditsPosted - debitsPosted)
    },
  }
}

export type Banks = Awaited<ReturnType<typeof openBanks>>
