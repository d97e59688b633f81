import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { ChainAccount } from '../../../../src/chain/account.ts'
import { makeWrite, openWrite, termsOfIssuer } from '../../../../src/chain/currencies.ts'
import { openChainLocks } from '../../../../src/chain/locks.ts'
import { openMoneyRail } from '../../../../src/chain/money-rail.ts'
import { type Outbox, openOutbox } from '../../../../src/chain/outbox.ts'
import type { ChainLockTerms } from '../../../../src/kernel/chain-locks.ts'
import type { EntryOf } from '../../../../src/kernel/ledger-entry.ts'
import type { ChainWrite, Store } from '../../../../src/kernel/ports.ts'
import { followRail } from '../../../../src/plugins/cbdc/actions/rail/follow.ts'
import { newAccount, openAgencyStore, openGround as openChainGround } from '../../../chain/ground.ts'
import { openGround, own, secp256k1Owner } from '../ground.ts'
import { callerOf, customerCaller } from './trading.ts'

const currency = { number: 1, code: 'CRD', name: 'Crown', decimals: 2, home: 'ledger' } as const
const zeroAddress = `0x${'0'.repeat(40)}`

export const secretOf = () => {
  const preimage = randomBytes(32)
  return { preimage: preimage.toString('hex'), hash: createHash('sha256').update(preimage).digest('hex') }
}

/** A node, the contracts, a ledger over them, and two people who have accounts here and wallets there. */
export const openRails = async () => {
  const chain = await openChainGround()
  const { client, contracts, clock, dir, embedded } = chain
  const { mine, persist } = embedded
  const opened: { close(): Promise<unknown> }[] = []
  const stores = new Map<Outbox, Store>()
  const outboxOf = async (account: ChainAccount, given?: Store): Promise<Outbox> => {
    const store = given ?? (await openAgencyStore({ file: join(dir, `${account.address}.sqlite`) }))
    const outbox = openOutbox({ store, client, clock, account, contracts, confirmations: 0, mine, persist })
    opened.push(...(given === undefined ? [store as Store & { close(): Promise<void> }] : []), outbox)
    stores.set(outbox, store)
    return outbox
  }
  const send = async (outbox: Outbox, writes: ChainWrite[]) => {
    const id = await (stores.get(outbox) as Store).transaction(tx => outbox.enqueue(tx, writes))
    await outbox.poke()
    await outbox.settled(10_000)
    return outbox.state(id)
  }
  const operator = newAccount()
  await embedded.faucet(operator.address)
  const root = await outboxOf(embedded.deployer)
  const roles = { root: embedded.deployer.address, issuer: operator.address }
  await send(root, [makeWrite({ client, contracts }, currency, roles)])
  let operating: Outbox | undefined
  const place = { file: join(dir, 'ledger.sqlite') }
  const ledger = await openGround(place, {
    more: async store => {
      operating = await outboxOf(operator, store)
      const rail = await openMoneyRail({ client, contracts, persist }, { account: operator.address, currencies: [1] })
      return { rail, outbox: operating, locks: openChainLocks({ client, contracts, persist }, clock) }
    },
  })
  if (operating === undefined) throw new Error('the ledger has no outbox')
  const outbox = operating
  const parts = { client, contracts }
  await send(outbox, await termsOfIssuer(parts, currency, { issuer: operator.address, now: clock.now() }))
  await send(root, [await openWrite(parts, currency, roles)])

  /** The ledger's clock follows the chain's. */
  const second = async (): Promise<number> => {
    const { timestamp } = await client.head()
    ledger.state.now = Math.max(ledger.state.now, timestamp * 1_000)
    return timestamp
  }
  await second()
  await ledger.found()
  const money = (await openChainLocks(parts, clock).money()).get(1) ?? ''
  const balanceOf = async (wallet: string): Promise<bigint> => {
    const data = contracts.SovereignMoney.interface.encodeFunctionData('balanceOf', [wallet])
    return BigInt(await client.rpc<string>('eth_call', [{ to: money, data }, 'latest']))
  }
  const follow = async () => {
    await outbox.poke()
    await outbox.settled(10_000)
    while ((await followRail(ledger.desk)) > 0);
  }
  const call = callerOf(ledger)

  let people = 0
  /** Someone with an account and a wallet of an institution, which needs no binding. */
  const person = async (onLedger: bigint, onChain: bigint) => {
    people += 1
    const [owner, pseudonym, account] = [secp256k1Owner(), `trader-${people}`, newAccount()]
    const kyc = { issuer: '0xb1', list: 8, index: people, until: Number.MAX_SAFE_INTEGER }
    const { number } = await ledger.customer(owner, { kyc }, onLedger + onChain)
    await ledger.store.transaction(async tx => tx.insert('cbdc_persons', [{ currency: 1, pseudonym, lead: number }]))
    await embedded.faucet(account.address)
    const write = { contract: 'PolicyEngine', method: 'setInstitution', account: operator.address }
    await send(outbox, [{ ...write, args: [money, account.address, `0x${'22'.repeat(32)}`] }])
    const sender = await outboxOf(account)
    let nonce = 0
    const spoken = () => ({
      ...{ nonce: nonce++, fee: 0, signature: '' },
      validUntil: Math.floor(ledger.state.now / 1_000) + 3_600,
    })
    const submit = (entry: Parameters<typeof ledger.signed>[1]) => ledger.submit(ledger.signed(owner, entry))
    if (onChain > 0n) {
      const recipient = account.address.slice(2).toLowerCase()
      const to = { kind: 'withdraw', from: number, to: own.rail, currency: 1, amount: onChain, recipient } as const
      await submit({ ...to, ...spoken() })
      await follow()
      const approve = { contract: `SovereignMoney@${money}`, method: 'approve', account: account.address }
      await send(sender, [{ ...approve, args: [contracts.Settlement.address, onChain] }])
    }
    return {
      ...{ number, owner, wallet: account.address.toLowerCase() },
      /** A call of the chain’s Settlement. @returns `done`, or the error that it reverts with */
      async settle(method: string, ...args: unknown[]): Promise<string> {
        const write = { contract: 'Settlement', method, args, account: account.address }
        const outcome = await send(sender, [write])
        return outcome?.state === 'failed' ? (outcome.error?.split('(')[0] ?? 'failed') : 'done'
      },
      async reserve(to: number, terms: Pick<EntryOf<'reserve'>, 'amount' | 'expiry' | 'lockHash'>): Promise<number> {
        const entry = { kind: 'reserve', from: number, to, currency: 1, arbiter: 0, ...terms } as const
        const [written] = await submit({ ...entry, ...spoken() })
        const sql = 'SELECT number FROM cbdc_reservations WHERE entry = ?'
        const [row] = await ledger.store.read<{ number: number }>(sql, [written?.number ?? 0])
        return row?.number ?? 0
      },
      postOf: (reservation: number, amount: bigint, preimage: string, remaining = amount) =>
        ledger.signed(owner, {
          ...{ kind: 'post', reservation, amount, remaining, last: 1, by: number, preimage, signature: '' },
        }),
      inspect: (reservation: number, lock: ChainLockTerms, first: 'ledger' | 'chain', ledgerAmountMinor = '300') =>
        call(
          'inspectLock',
          {
            lock: { ...lock, amountMinor: String(lock.amountMinor), deliveryId: String(lock.deliveryId) },
            ...{ first, ledgerAmountMinor },
          },
          {
            caller: customerCaller(pseudonym, 1),
            params: { reader: 'customer', reservation: String(reservation) },
          },
        ),
      read: (operation: string, params: Record<string, string>) =>
        call(operation, undefined, {
          ...{ caller: customerCaller(pseudonym, 1), params: { reader: 'customer', ...params } },
        }),
    }
  }
  /** Terms of a lock without arbiter and delivery. */
  const terms = (over: Partial<ChainLockTerms>): ChainLockTerms => ({
    ...{ payer: zeroAddress, payee: zeroAddress, arbiter: zeroAddress, money, amountMinor: 70n, expiry: 0 },
    ...{ hashLock: '0'.repeat(64), delivery: zeroAddress, deliveryId: 0n, otherExpiry: 0, second: false },
    ...{ salt: randomBytes(32).toString('hex') },
    ...over,
  })
  return {
    ...{ chain, ledger, call, person, terms, second, balanceOf, place, money },
    tuple: (lock: ChainLockTerms) => [
      ...[lock.payer, lock.payee, lock.arbiter, lock.money, lock.amountMinor, lock.expiry, `0x${lock.hashLock}`],
      ...[lock.delivery, lock.deliveryId, lock.otherExpiry, lock.second, `0x${lock.salt}`],
    ],
    /** Lets time pass on both rails. */
    async pass(seconds: number): Promise<void> {
      await client.rpc('evm_increaseTime', [seconds])
      await mine()
      await second()
    },
    async balance(number: number): Promise<bigint> {
      const { creditsPosted, debitsPosted } = await ledger.account(number)
      return creditsPosted - debitsPosted
    },
    async close() {
      for (const each of opened.reverse()) await each.close()
      await ledger.close()
      await chain.close()
    },
  }
}

export type Rails = Awaited<ReturnType<typeof openRails>>
