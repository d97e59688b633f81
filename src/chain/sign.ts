import { Transaction } from 'ethers'
import { type ChainAccount, type SignedTransaction, signTransaction } from './account.ts'
import { type ChainClient, RpcError } from './client.ts'
import { bumpedFees, type Fees, feeFields } from './fees.ts'
import type { OutboxRow, SignedRow } from './outbox-rows.ts'
import { isRevert } from './revert.ts'

export type Estimate = { gas: number } | { reverts: RpcError } | { tooMuch: number }

/** What the transaction needs, and half as much again: earlier ones in the pool may change its way. */
export const estimate = async (
  client: ChainClient,
  account: string,
  row: OutboxRow,
  maxGas: number,
): Promise<Estimate> => {
  try {
    const call = { from: account, to: row.contract, data: `0x${row.calldata}` }
    const needed = Number(await client.rpc<string>('eth_estimateGas', [call, 'latest']))
    if (needed > maxGas) return { tooMuch: needed }
    return { gas: Math.min(maxGas, Math.ceil(needed * 1.5) + 50_000) }
  } catch (error) {
    if (isRevert(error)) return { reverts: error }
    throw error
  }
}

export const signRow = (
  account: ChainAccount,
  chainId: number,
  row: OutboxRow,
  terms: { nonce: number; gas: number; fees: Fees },
): Promise<SignedTransaction> =>
  signTransaction(account, {
    chainId,
    nonce: terms.nonce,
    to: row.contract,
    data: `0x${row.calldata}`,
    value: 0n,
    gasLimit: terms.gas,
    ...feeFields(terms.fees),
  })

/** The same transaction under the same nonce, offering more. `undefined` when the cap is reached. */
export const resignRow = async (
  account: ChainAccount,
  row: SignedRow,
  current: Fees,
  capPerGas: bigint,
): Promise<SignedTransaction | undefined> => {
  const sent = Transaction.from(row.raw)
  const offered: Fees =
    sent.type === 0
      ? { gasPrice: sent.gasPrice ?? 0n }
      : { maxFeePerGas: sent.maxFeePerGas ?? 0n, maxPriorityFeePerGas: sent.maxPriorityFeePerGas ?? 0n }
  const fees = bumpedFees(offered, current, capPerGas)
  if (fees === undefined) return undefined
  return signRow(account, Number(sent.chainId), row, { nonce: row.nonce, gas: Number(sent.gasLimit), fees })
}

/** Nothing to oneself, to use up a nonce that a dropped foreign transaction left open in front of ours. */
export const signFiller = (
  account: ChainAccount,
  chainId: number,
  nonce: number,
  fees: Fees,
): Promise<SignedTransaction> =>
  signTransaction(account, { chainId, nonce, to: account.address, value: 0n, gasLimit: 21_000, ...feeFields(fees) })

/** The node has it already, in its pool or in a block. */
export const isKnown = (error: unknown): boolean =>
  error instanceof RpcError && /already (known|imported|exists)|known transaction|nonce too low/i.test(error.message)
