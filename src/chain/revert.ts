import type { Interface } from 'ethers'
import { type ChainClient, RpcError } from './client.ts'

/** The name and arguments of a contract's error, for example `ListExists(0x…, 4)`. */
export const errorText = (data: string | undefined, contract: Interface | undefined): string => {
  if (data === undefined || data === '0x') return 'Reverted'
  try {
    const parsed = contract?.parseError(data)
    if (parsed) return `${parsed.name}(${parsed.args.map(String).join(', ')})`
  } catch {
    // Data that the ABI does not explain is shown as it is.
  }
  return `Reverted(${data.slice(0, 138)})`
}

/** Did the node run the call and see it revert, as opposed to not answering? */
export const isRevert = (error: unknown): error is RpcError =>
  error instanceof RpcError && (error.data !== undefined || /revert/i.test(error.message))

/** A receipt does not say why. The call is run again on the state after its block, which nearly always tells. */
export const revertReason = async (
  client: ChainClient,
  call: { from: string; to: string; data: string },
  block: number,
  contract: Interface | undefined,
): Promise<string> => {
  try {
    await client.rpc('eth_call', [call, `0x${block.toString(16)}`])
    return 'Reverted'
  } catch (error) {
    return error instanceof RpcError ? errorText(error.data, contract) : 'Reverted'
  }
}
