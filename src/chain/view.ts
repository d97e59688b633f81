import type { Result } from 'ethers'
import type { ChainClient } from './client.ts'
import type { Binding } from './contracts.ts'

/** A block as `eth_call` takes it: a tag, a number in hex, or a hash. */
type Block = string | { blockHash: string; requireCanonical: boolean }

/** Asks a view of a contract. @throws when there is no such contract, or the node does not answer */
export const openView =
  (client: Pick<ChainClient, 'rpc'>) =>
  async (
    { address, interface: abi }: Binding,
    method: string,
    args: unknown[] = [],
    block: Block = 'latest',
  ): Promise<Result> => {
    const request = { to: address, data: abi.encodeFunctionData(method, args) }
    return abi.decodeFunctionResult(method, await client.rpc<string>('eth_call', [request, block]))
  }
