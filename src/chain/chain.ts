import type { ChainClient } from './client.ts'
import type { Contracts } from './contracts.ts'
import type { Follower } from './follower.ts'

/** The chain as the house sees it: one client and one follower a process. */
export type Chain = {
  client: ChainClient
  contracts: Contracts
  follower: Follower
  confirmations: number
  typeId(typeName: string): string
  /** Only with the embedded chain. */
  mine?: () => Promise<void>
  persist?: () => Promise<void>
  faucet?: (address: string) => Promise<void>
}
