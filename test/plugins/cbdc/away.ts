import { join } from 'node:path'
import type { ChainAccount } from '../../../src/chain/account.ts'
import { type CurrencyOpening, makeWrite, openWrite, termsOfIssuer } from '../../../src/chain/currencies.ts'
import { openMoneyRail } from '../../../src/chain/money-rail.ts'
import { type Outbox, openOutbox } from '../../../src/chain/outbox.ts'
import type { EntryOf } from '../../../src/kernel/ledger-entry.ts'
import type { ChainWrite, Store } from '../../../src/kernel/ports.ts'
import { openCurrency } from '../../../src/plugins/cbdc/actions/orders/currencies.ts'
import { followRail } from '../../../src/plugins/cbdc/actions/rail/follow.ts'
import { operationOf, readMove } from '../../../src/plugins/cbdc/actions/rail/moves.ts'
import { checkInvariant } from '../../../src/plugins/cbdc/actions/reads/invariant.ts'
import { newAccount, openAgencyStore, openGround as openChainGround } from '../../chain/ground.ts'
import { openGround, secp256k1Owner, start } from './ground.ts'

/** A stablecoin on the chain with its issuer and attestor, and a ledger that keeps it as an away currency. */

export const coin: CurrencyOpening = {
  ...{ number: 2, code: 'HBR', name: 'Harbour Coin', decimals: 2, home: 'chain' },
  limits: { minting: 10_000_000n, burning: 10_000_000n },
}

const officerOf = (competence: string) =>
  ({
    ...{ kind: 'holder', id: 'did:key:officer', actor: 'did:key:officer', principal: 'did:key:officer', mandates: [] },
    ...{ credentials: [], proof: 'session' },
    author: { kind: 'apiKey', id: 'other', scopes: [] },
    matched: {
      officer: {
        ...{ type: 'PublicOfficer', issuer: 'self', holder: 'did:key:officer', holderKey: 'k', own: true },
        ...{ claims: { competences: [competence], officerNumber: '1' }, digest: 'd' },
      },
    },
  }) as never

/** The call of an officer as the gate hands it on. */
export const asOfficer = (competence: string, params: Record<string, string>, body: unknown) => ({
  ...{ caller: officerOf(competence), params, body, query: {}, headers: {}, publicUrl: '' },
})

const tier = (level: number) => ({ level, perPaymentMinor: null, perDayMinor: null, holdingMinor: null })
const policy = {
  tiers: [tier(1), tier(2), tier(3)],
  ...{ merchantsKeepMinor: '100000', keyOrderDelaySeconds: 86_400, reservationMostSeconds: 30 * 86_400 },
  ...{ interest: null, dormancy: null },
}

type Sender = { account: ChainAccount; outbox: Outbox & { store: Store } }

export const openAway = async () => {
  const chain = await openChainGround()
  const { client, contracts, clock, dir, embedded } = chain
  const opened: { close(): Promise<unknown> }[] = []
  const outboxOf = async (account: ChainAccount, store?: Store): Promise<Sender> => {
    const own = store ?? (await openAgencyStore({ file: join(dir, `${account.address}.sqlite`) }))
    const { mine, persist } = embedded
    const outbox = openOutbox({ store: own, client, clock, account, contracts, confirmations: 0, mine, persist })
    opened.push(...(store === undefined ? [own] : []), outbox)
    return { account, outbox: Object.assign(outbox, { store: own }) }
  }
  const send = async ({ outbox, account }: Sender, ...writes: Omit<ChainWrite, 'account'>[]) => {
    const all = writes.map(write => ({ ...write, account: account.address }))
    const id = await outbox.store.transaction(tx => outbox.enqueue(tx, all))
    await outbox.poke()
    await outbox.settled(10_000)
    return (await outbox.state(id))?.state
  }
  const funded = async (): Promise<Sender> => {
    const account = newAccount()
    await embedded.faucet(account.address)
    return outboxOf(account)
  }
  const [root, issuer, attestor] = [await outboxOf(embedded.deployer), await funded(), await funded()]
  const operatorAccount = newAccount()
  await embedded.faucet(operatorAccount.address)
  const roles = {
    ...{ root: root.account.address, issuer: issuer.account.address },
    ...{ attestor: attestor.account.address, operator: operatorAccount.address },
  }
  await send(root, makeWrite({ client, contracts }, coin, roles))
  let operating: Sender | undefined
  const ledger = await openGround(
    { file: join(dir, 'ledger.sqlite') },
    {
      more: async store => {
        operating = await outboxOf(operatorAccount, store)
        const parts = { client, contracts, persist: embedded.persist }
        const rail = await openMoneyRail(parts, { account: operatorAccount.address, currencies: [coin.number] })
        return { rail, outbox: operating.outbox }
      },
    },
  )
  const operator = operating as unknown as Sender
  const now = clock.now()
  await send(issuer, ...(await termsOfIssuer({ client, contracts }, coin, { issuer: roles.issuer, now })))
  await send(root, await openWrite({ client, contracts }, coin, roles))
  await ledger.found()
  const { number, code, decimals, home } = coin
  const openAs = (over: Partial<CurrencyOpening>) =>
    openCurrency(ledger.desk, asOfficer('cbdc:policy', {}, { number, code, decimals, home, policy, ...over }) as never)
  // Before the currency is there, so that only what differs from the chain stands in the way.
  const wrongly = []
  for (const over of [{ home: 'ledger' as const }, { decimals: 3 }]) {
    wrongly.push(await openAs(over).catch((error: { code?: string }) => error.code))
  }
  const answer = await openAs({})
  const { accounts } = answer.body as { accounts: Record<string, number> }
  const rail = accounts['rail'] ?? 0

  const factory = contracts.MoneyFactory.interface
  const request = { to: contracts.MoneyFactory.address, data: factory.encodeFunctionData('moneyOf', [number]) }
  const [found] = factory.decodeFunctionResult('moneyOf', await client.rpc<string>('eth_call', [request, 'latest']))
  const money = String(found).toLowerCase()
  const onMoney = (method: string, ...args: unknown[]) => ({ contract: `SovereignMoney@${money}`, method, args })
  const balance = async (wallet: string): Promise<bigint> => {
    const data = contracts.SovereignMoney.interface.encodeFunctionData('balanceOf', [wallet])
    return BigInt(await client.rpc<string>('eth_call', [{ to: money, data }, 'latest']))
  }
  const attest = async (amount: bigint) => {
    const at = Math.floor(clock.now() / 1_000)
    return send(attestor, onMoney('attestReserve', amount, at, at + 30 * 86_400))
  }
  /** A wallet that may be paid from and into; open money asks nothing of it. */
  const wallet = async (amount = 0n): Promise<Sender> => {
    const owner = await funded()
    await send(owner, onMoney('approve', contracts.RailGate.address, 2n ** 255n))
    if (amount > 0n) await send(issuer, onMoney('mint', owner.account.address, amount))
    return owner
  }
  const depart = (from: Sender, account: number, amount: bigint) =>
    send(from, { contract: 'RailGate', method: 'depart', args: [money, account, amount] })
  /** Sends what waits, and reads the gate until nothing new is there. */
  const follow = async () => {
    await operator.outbox.poke()
    await operator.outbox.settled(10_000)
    while ((await followRail(ledger.desk)) > 0);
  }
  let places = 1_000
  const customer = async (facts: Record<string, unknown> = {}) => {
    places += 1
    const owner = secp256k1Owner()
    const kyc = { issuer: '0xb1', list: 1, index: places, until: start + 365 * 86_400_000 }
    const account = await ledger.openOne(owner.key, { class: 'person', level: 2, kyc, ...facts }, 0, number)
    return { owner, number: account }
  }
  const withdrawal = (from: number, amount: bigint, to: string, nonce = 0): EntryOf<'withdraw'> => ({
    ...{ kind: 'withdraw', from, to: rail, currency: number, amount, fee: 0, recipient: to.slice(2).toLowerCase() },
    ...{ nonce, validUntil: Math.floor(ledger.state.now / 1_000) + 3_600, signature: '' },
  })
  const moveOf = (operation: string) => readMove(ledger.store.read, number, operation)
  /** What the ledger owes of it, and what the gate holds for that. */
  const standing = async () => {
    const report = await checkInvariant(ledger.desk)
    const found = report.currencies.find(({ currency }) => currency === number)
    if (found === undefined) throw new Error('the ledger does not keep the currency')
    return { ...found, locked: found.onLedger + (found.inTransit ?? 0n) }
  }
  return {
    ...{ chain, ledger, accounts, wrongly, rail, money, roles, root, issuer, attestor, operator },
    ...{ send, onMoney, balance, attest, wallet, depart, follow, customer, withdrawal, standing, moveOf },
    move: (entry: EntryOf<'withdraw'>) => moveOf(operationOf(ledger.needs.signatures.domainSeparator, entry)),
    async close() {
      for (const each of opened.reverse()) await each.close()
      await ledger.close()
      await chain.close()
    },
  }
}

export type Away = Awaited<ReturnType<typeof openAway>>
