import type { Interface } from 'ethers'
import pg from 'pg'
import sqlite3 from 'sqlite3'
import { anvilRpc } from '../../src/chain/anvil.ts'
import { type Addresses, bindContracts, loadArtifacts } from '../../src/chain/contracts.ts'
import type { Place } from '../plugins/cbdc/ground.ts'

/** What stands on either rail, read past the service: it may be dead. */

export type MoveRow = {
  operation: string
  direction: 'toChain' | 'toLedger'
  account: number
  wallet: string
  amount: number
  state: string
  reason: string | null
}

export type DatabaseReading = {
  moves(): Promise<MoveRow[]>
  /** What stands on an account, in minor units. */
  balances(): Promise<Map<number, number>>
  cursor(): Promise<number>
  close(): Promise<void>
}

type Ask = <Found>(sql: string) => Promise<Found[]>

const reading = (ask: Ask): Omit<DatabaseReading, 'close'> => ({
  moves: async () => {
    const rows = await ask<MoveRow>(
      'SELECT operation, direction, account, wallet, amount, state, reason FROM cbdc_moves WHERE currency = 1 ORDER BY since',
    )
    return rows.map(row => ({ ...row, amount: Number(row.amount) }))
  },
  balances: async () => {
    const sql = 'SELECT number, credits_posted - debits_posted AS balance FROM cbdc_accounts'
    const rows = await ask<{ number: number; balance: number }>(sql)
    return new Map(rows.map(({ number, balance }) => [Number(number), Number(balance)]))
  },
  cursor: async () => Number((await ask<{ block: number }>('SELECT block FROM cbdc_rail'))[0]?.block),
})

export const readDatabase = async (place: Place): Promise<DatabaseReading> => {
  if ('file' in place) {
    const database = await new Promise<sqlite3.Database>((resolve, reject) => {
      const opened: sqlite3.Database = new sqlite3.Database(place.file, sqlite3.OPEN_READONLY, error =>
        error === null ? resolve(opened) : reject(error),
      )
    })
    database.configure('busyTimeout', 5_000)
    const ask: Ask = sql =>
      new Promise((resolve, reject) =>
        database.all(sql, (error, rows) => (error === null ? resolve(rows as never) : reject(error))),
      )
    return { ...reading(ask), close: () => new Promise(done => database.close(() => done())) }
  }
  const client = new pg.Client({ connectionString: place.databaseUrl })
  await client.connect()
  await client.query(`SET search_path TO ${place.schema}`)
  return { ...reading(async sql => (await client.query(sql)).rows), close: () => client.end() }
}

const gateStates = ['none', 'departed', 'refunded', 'arrived', 'suspended', 'returned', 'cancelled'] as const
export type GateState = (typeof gateStates)[number]
export type GateOperation = { party: string; amount: number; state: GateState }

/** @param port of the node itself */
export const readChain = async (port: number, addresses: Addresses, money: string) => {
  const rpc = anvilRpc(port, 5_000)
  const contracts = bindContracts(await loadArtifacts(new URL('../../contracts/build/', import.meta.url)), addresses)
  const { RailGate: gate, SovereignMoney } = contracts
  const view = async (to: string, abi: Interface, method: string, args: unknown[]) => {
    const data = abi.encodeFunctionData(method, args)
    return abi.decodeFunctionResult(method, await rpc<string>('eth_call', [{ to, data }, 'latest']))
  }
  return {
    rpc,
    gate,
    supply: async () => Number((await view(money, SovereignMoney.interface, 'totalSupply', []))[0]),
    balance: async (wallet: string) => Number((await view(money, SovereignMoney.interface, 'balanceOf', [wallet]))[0]),
    operation: async (operation: string): Promise<GateOperation> => {
      const [found] = await view(gate.address, gate.interface, 'operation', [money, `0x${operation}`])
      const state = gateStates[Number(found.state)] ?? 'none'
      return { party: String(found.party).toLowerCase(), amount: Number(found.amount), state }
    },
    /** Departures, as the chain tells of them now. */
    departures: async () => {
      const topic = gate.interface.getEvent('Departed')?.topicHash
      const query = { address: gate.address, fromBlock: '0x0', toBlock: 'latest', topics: [topic] }
      const logs = await rpc<{ topics: string[]; data: string; transactionHash: string }[]>('eth_getLogs', [query])
      return logs.map(log => ({
        ...{ operation: String(log.topics[1]).slice(2), hash: log.transactionHash },
        amount: Number(gate.interface.parseLog(log)?.args['amount']),
      }))
    },
    receipt: (hash: string) => rpc<{ status: string } | null>('eth_getTransactionReceipt', [hash]),
  }
}

export type ChainReading = Awaited<ReturnType<typeof readChain>>
