import type { ChainWrite, MoneyRail, RailEvent } from '../kernel/ports.ts'
import type { Chain } from './chain.ts'
import type { LogEntry } from './client.ts'
import { openView } from './view.ts'

/** Blocks in one look: a node gives the logs of so many at once, and a ledger enters what they hold in one batch. */
const stretch = 2_000
const zeroAddress = `0x${'0'.repeat(40)}`

const kindsByEvent: Record<string, RailEvent['kind']> = {
  ...{ Departed: 'departed', Arrived: 'arrived', Refunded: 'refunded', Suspended: 'suspended' },
  ...{ Returned: 'returned', Cancelled: 'cancelled' },
}
/** An arrival that came too late is told of like the end that its operation had found, by the gate's numbers of those ends. */
const kindsByEnd: Record<number, RailEvent['kind']> = { 5: 'returned', 6: 'cancelled' }

type Parts = Pick<Chain, 'client' | 'contracts' | 'persist'>

/** The newest block that may count. Of an embedded node that is the head, once it has been dumped. */
const newestBlock = async ({ client, persist }: Parts): Promise<number> => {
  if (persist !== undefined) return (await client.head()).number
  const block = await client.rpc<{ number: string } | null>('eth_getBlockByNumber', ['finalized', false])
  return block === null ? 0 : Number(block.number)
}

/**
 * What the gate says in these blocks, when that counts for good. Undefined: the chain changed while it was read, or an embedded
 * node has nothing to tell, for which it is not dumped.
 */
const logsOf = async (parts: Parts, from: number, to: number, quiet: boolean): Promise<LogEntry[] | undefined> => {
  const { client, contracts, persist } = parts
  const before = await client.header(to)
  const logs = await client.logs({ addresses: [contracts.RailGate.address], fromBlock: from, toBlock: to })
  if (persist !== undefined) {
    if (logs.length === 0 && quiet) return undefined
    // It forgets what it has not dumped when it is killed.
    await persist()
  }
  // A node that was killed since the question may have dumped less than it told.
  const after = await client.header(to)
  return before !== undefined && after?.hash === before.hash ? logs : undefined
}

/** Currencies by the address of their money, as the factory lists them; asked again when an unknown one appears. */
const currenciesOf = ({ client, contracts }: Parts) => {
  const view = openView(client)
  const byMoney = new Map<string, number>()
  const addresses = new Map<number, string>()
  const moneyOf = async (currency: number): Promise<string> => {
    const known =
      addresses.get(currency) ?? String((await view(contracts.MoneyFactory, 'addressOf', [currency]))[0]).toLowerCase()
    addresses.set(currency, known)
    return known
  }
  const currencyOf = async (money: string): Promise<number | undefined> => {
    if (!byMoney.has(money)) {
      const [numbers] = await view(contracts.MoneyFactory, 'currencies')
      for (const number of numbers as bigint[]) byMoney.set(await moneyOf(Number(number)), Number(number))
    }
    return byMoney.get(money)
  }
  return { moneyOf, currencyOf }
}

/** @param account that sends: the operator of the ledger's currencies. @param currencies whose money this ledger keeps. */
export const openMoneyRail = async (
  parts: Parts,
  { account, currencies }: { account: string; currencies: readonly number[] },
): Promise<MoneyRail> => {
  const { client, contracts } = parts
  const gate = contracts.RailGate
  const listed = currenciesOf(parts)
  const money = new Map<number, string>()
  for (const currency of currencies) money.set(currency, await listed.moneyOf(currency))
  const addressOf = (currency: number): string => {
    const address = money.get(currency)
    if (address === undefined) throw new Error(`the currency ${currency} has no money on the chain`)
    return address
  }
  const write = (method: string, args: unknown[]): ChainWrite => ({ contract: 'RailGate', method, args, account })

  const eventOf = async (log: LogEntry): Promise<RailEvent | undefined> => {
    const parsed = gate.interface.parseLog({ topics: log.topics, data: log.data })
    const kind =
      parsed?.name === 'Skipped' ? kindsByEnd[Number(parsed.args['state'])] : kindsByEvent[parsed?.name ?? '']
    if (parsed === null || kind === undefined) return undefined
    const currency = await listed.currencyOf(String(parsed.args['money']).toLowerCase())
    if (currency === undefined || !money.has(currency)) return undefined
    const { fragment, args } = parsed
    const names = fragment.inputs.map(({ name }) => name)
    const wallet = names.find(name => name === 'from' || name === 'to' || name === 'party')
    const has = (name: string) => names.includes(name)
    return {
      ...{ kind, currency, block: log.blockNumber },
      operation: String(args['opId']).slice(2).toLowerCase(),
      ...(wallet === undefined ? {} : { wallet: String(args[wallet]).toLowerCase() }),
      ...(has('amount') ? { amountMinor: args['amount'] as bigint } : {}),
      ...(has('account') ? { account: Number(args['account']) } : {}),
    }
  }

  const view = async (to: string, abi: typeof gate.interface, method: string, args: unknown[]) => {
    const answer = await client.rpc<string>('eth_call', [{ to, data: abi.encodeFunctionData(method, args) }, 'latest'])
    return answer === '0x' ? undefined : abi.decodeFunctionResult(method, answer)
  }

  return {
    serves: currency => money.has(currency),
    async events(after) {
      const through = Math.min(await newestBlock(parts), after + stretch)
      if (through <= after) return { events: [], through: after }
      // A dump costs too much to make one for every empty block: those are looked at again until something is in them.
      const logs = await logsOf(parts, after + 1, through, through - after < stretch)
      if (logs === undefined) return { events: [], through: after }
      const events: RailEvent[] = []
      for (const log of logs) {
        const event = await eventOf(log)
        if (event !== undefined) events.push(event)
      }
      return { events, through }
    },
    arrive: moves =>
      write('arrive', [
        moves.map(({ operation, currency, wallet, amountMinor }) => [
          ...[`0x${operation}`, addressOf(currency), wallet, amountMinor],
        ]),
      ]),
    cancel: ({ operation, currency }) => write('cancel', [addressOf(currency), `0x${operation}`]),
    refund: ({ operation, currency }) => write('refund', [addressOf(currency), `0x${operation}`]),
    settleSuspense: ({ operation, currency, wallet }) =>
      write('settleSuspense', [addressOf(currency), `0x${operation}`, wallet]),
    returnSuspense: ({ operation, currency }) => write('returnSuspense', [addressOf(currency), `0x${operation}`]),
    async standing(currency) {
      if (!money.has(currency)) return undefined
      const address = addressOf(currency)
      const code = await client.rpc<string>('eth_getCode', [address, 'latest'])
      if (code === '0x') return undefined
      const [opened] = (await view(gate.address, gate.interface, 'currencyOf', [address]).catch(() => [])) ?? []
      if (opened === undefined || String(opened.operator) === zeroAddress) return undefined
      const of = (method: string) => view(address, contracts.SovereignMoney.interface, method, [])
      const [supply, decimals] = await Promise.all([of('totalSupply'), of('decimals')])
      const home = Number(opened.home) === 2 ? 'chain' : 'ledger'
      return {
        ...{ home, decimals: Number(decimals?.[0] ?? 0), supply: BigInt(supply?.[0] ?? 0) },
        locked: home === 'chain' ? BigInt(opened.held) : 0n,
        suspended: BigInt(opened.suspended),
      }
    },
  }
}
