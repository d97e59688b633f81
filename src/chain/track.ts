import type { Interface } from 'ethers'
import type { ChainClient, Header, Receipt } from './client.ts'
import { inParallel } from './coalesce.ts'
import type { Change, SignedRow } from './outbox-rows.ts'
import { revertReason } from './revert.ts'

export type Chain = {
  client: ChainClient
  head: Header
  account: string
  interfaceOf(address: string): Interface | undefined
}

const width = 16

/** Back to what was sent: the same signed transaction will be sent again. */
export const unmined = { state: 'queued', block_number: null, block_hash: null, block_time: null, error: null } as const

/** Headers by number, each asked for once. */
const headersOf = async (client: ChainClient, numbers: number[]): Promise<Map<number, Header | undefined>> => {
  const distinct = [...new Set(numbers)]
  const headers = await inParallel(distinct, width, number => client.header(number))
  return new Map(distinct.map((number, i) => [number, headers[i]]))
}

/** Rows whose block still is part of the chain. */
export const stillMined = async <Found extends SignedRow>(client: ChainClient, rows: Found[]): Promise<Set<Found>> => {
  const mined = rows.filter(row => row.block_number !== null)
  const headers = await headersOf(
    client,
    mined.map(row => row.block_number ?? 0),
  )
  return new Set(mined.filter(row => headers.get(row.block_number ?? 0)?.hash === row.block_hash))
}

const receiptOf = async (client: ChainClient, row: SignedRow): Promise<Receipt | undefined> => {
  for (const hash of [row.hash, ...(JSON.parse(row.earlier) as string[])]) {
    const receipt = await client.receipt(hash)
    if (receipt) return receipt
  }
  return undefined
}

const changeOf = async (
  chain: Chain,
  row: SignedRow,
  receipt: Receipt | undefined,
  headers: Map<number, Header | undefined>,
): Promise<Change[]> => {
  const header = receipt && headers.get(receipt.blockNumber)
  if (receipt === undefined || header === undefined || header.hash !== receipt.blockHash) {
    return row.state === 'queued' ? [] : [{ row, set: unmined }]
  }
  const block = { block_number: header.number, block_hash: header.hash, block_time: header.timestamp }
  if (receipt.succeeded) return [{ row, set: { ...block, state: 'mined', error: null } }]
  const call = { from: chain.account, to: row.contract, data: `0x${row.calldata}` }
  const error = await revertReason(chain.client, call, header.number, chain.interfaceOf(row.contract))
  return [{ row, set: { ...block, state: 'failed', error } }]
}

/**
 * Compares what we know of signed transactions with the chain. @param count the account's next nonce there.
 * @returns what changed, and the rows whose nonce somebody used without any of our transactions being there.
 */
export const track = async (
  chain: Chain,
  rows: SignedRow[],
  count: number,
): Promise<{ changes: Change[]; robbed: SignedRow[] }> => {
  const unchanged = await stillMined(chain.client, rows)
  const changes: Change[] = rows
    .filter(row => row.nonce >= count && row.state !== 'queued' && !unchanged.has(row))
    .map(row => ({ row, set: unmined }))
  const open = rows.filter(row => row.nonce < count && !unchanged.has(row))
  const receipts = await inParallel(open, width, row => receiptOf(chain.client, row))
  const headers = await headersOf(
    chain.client,
    receipts.flatMap(receipt => (receipt ? [receipt.blockNumber] : [])),
  )
  for (const [i, row] of open.entries()) changes.push(...(await changeOf(chain, row, receipts[i], headers)))
  return { changes, robbed: open.filter((_, i) => receipts[i] === undefined) }
}
