import type { TransactionLike } from 'ethers'
import type { ChainClient } from './client.ts'

/** What a transaction offers per gas: two numbers since EIP-1559, one on chains without a base fee. */
export type Fees = { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint } | { gasPrice: bigint }

const gwei = 1_000_000_000n

const lower = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const higher = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** Twice the base fee and the node's tip, which holds for about six full blocks; never above the cap. */
export const currentFees = async (client: ChainClient, capPerGas: bigint): Promise<Fees> => {
  const head = await client.head()
  if (head.baseFeePerGas === undefined) {
    return { gasPrice: lower(BigInt(await client.rpc<string>('eth_gasPrice', [])), capPerGas) }
  }
  const tip = await client.rpc<string>('eth_maxPriorityFeePerGas', []).then(BigInt, () => gwei)
  const maxFeePerGas = lower(head.baseFeePerGas * 2n + tip, capPerGas)
  return { maxFeePerGas, maxPriorityFeePerGas: lower(tip, maxFeePerGas) }
}

/** What replaces a waiting transaction: a quarter more, or what the chain asks by now. `undefined` above the cap. */
export const bumpedFees = (offered: Fees, current: Fees, capPerGas: bigint): Fees | undefined => {
  const more = (fee: bigint): bigint => (fee * 5n) / 4n + 1n
  if ('gasPrice' in offered) {
    const gasPrice = higher(more(offered.gasPrice), 'gasPrice' in current ? current.gasPrice : 0n)
    return gasPrice > capPerGas ? undefined : { gasPrice }
  }
  const now = 'gasPrice' in current ? { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n } : current
  const maxFeePerGas = higher(more(offered.maxFeePerGas), now.maxFeePerGas)
  const maxPriorityFeePerGas = higher(more(offered.maxPriorityFeePerGas), now.maxPriorityFeePerGas)
  if (maxFeePerGas > capPerGas) return undefined
  return { maxFeePerGas, maxPriorityFeePerGas: lower(maxPriorityFeePerGas, maxFeePerGas) }
}

export const feeFields = (fees: Fees): TransactionLike =>
  'gasPrice' in fees ? { type: 0, ...fees } : { type: 2, ...fees }
