import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Wallet } from 'ethers'
import * as store0100 from '../../migrations/agency/0100-store.ts'
import { Outbox1763600000200 } from '../../migrations/agency/0200-outbox.ts'
import { Chain1763600000001 } from '../../migrations/chain/0001-chain.ts'
import { type ChainAccount, keyAccount, signTransaction } from '../../src/chain/account.ts'
import { type ChainClient, connect } from '../../src/chain/client.ts'
import {
  bindContracts,
  type Contracts,
  loadArtifacts,
  openListPairArgs,
  statusBitsArgs,
} from '../../src/chain/contracts.ts'
import { type Deployment, deployContracts } from '../../src/chain/deploy.ts'
import { type Embedded, startEmbedded } from '../../src/chain/embedded.ts'
import { chainEntities, outboxEntities } from '../../src/chain/entities.ts'
import { type Follower, type FollowerOptions, openFollower } from '../../src/chain/follower.ts'
import { type Outbox, type OutboxOptions, openOutbox } from '../../src/chain/outbox.ts'
import type { ChainWrite, Clock, StatusPointer, Store } from '../../src/kernel/ports.ts'
import { storeEntities } from '../../src/store/entities.ts'
import { openStore } from '../../src/store/store.ts'

export const listLength = 131_072
const artifactsFolder = new URL('../../contracts/build/', import.meta.url)

export const newAccount = (): ChainAccount => keyAccount(Wallet.createRandom().privateKey)

/** A clock that runs as the real one does, plus what a test adds. */
export const testClock = (): Clock & { ahead: number } => ({
  ahead: 0,
  now() {
    return Date.now() + this.ahead
  },
})

export type Ground = {
  dir: string
  clock: ReturnType<typeof testClock>
  embedded: Embedded
  client: ChainClient
  deployment: Deployment
  contracts: Contracts
  account: ChainAccount
  issuer: string
  store: Store
  outbox: Outbox
  openOutbox(options?: Partial<OutboxOptions>): Outbox
  openFollower(options?: Partial<FollowerOptions>): Promise<Follower>
  /** Enqueues in a transaction of its own. */
  enqueue(...writes: Omit<ChainWrite, 'account'>[]): Promise<string>
  /** Enqueues and waits until all of it is mined. */
  send(...writes: Omit<ChainWrite, 'account'>[]): Promise<void>
  pointer(list: number, index: number): StatusPointer
  close(): Promise<void>
}

export const openLists = (issuer: string, list: number): Omit<ChainWrite, 'account'> => ({
  contract: 'StatusRegistry',
  method: 'openLists',
  args: openListPairArgs(issuer, list, listLength),
})

export const setBits = (issuer: string, bits: { list: number; index: number }[]): Omit<ChainWrite, 'account'> => ({
  contract: 'StatusRegistry',
  method: 'setBitsIn',
  args: statusBitsArgs(issuer, bits),
})

export const clearBits = (issuer: string, bits: { list: number; index: number }[]): Omit<ChainWrite, 'account'> => ({
  ...setBits(issuer, bits),
  method: 'clearBitsIn',
})

const storeMigrations = Object.values(store0100)

type Closable = { close(): Promise<void> }

/** An agency's store, in a file or in a schema of its own on PostgreSQL. */
export const openAgencyStore = (place: { file: string } | { databaseUrl: string; schema: string }): Promise<Store> =>
  openStore({
    ...place,
    migrations: [...storeMigrations, Outbox1763600000200],
    entities: [...storeEntities, ...outboxEntities],
  })

const openChainWithContracts = async (dir: string) => {
  const embedded = await startEmbedded({ dir: join(dir, 'chain') })
  const client = await connect(embedded.url)
  const artifacts = await loadArtifacts(artifactsFolder)
  const { deployer: account, mine, persist } = embedded
  const file = join(dir, 'deployment.json')
  const deployment = await deployContracts({ client, account, artifacts, file, mine, persist })
  return { embedded, client, deployment, contracts: bindContracts(artifacts, deployment.addresses) }
}

const followerOpener =
  (
    { client, deployment, dir, clock }: Pick<Ground, 'client' | 'deployment' | 'dir' | 'clock'>,
    opened: Closable[],
  ): Ground['openFollower'] =>
  async (options = {}) => {
    const file = join(dir, `follower-${opened.length}.sqlite`)
    const own = options.store ?? (await openStore({ file, migrations: [Chain1763600000001], entities: chainEntities }))
    const { addresses, fromBlock } = deployment
    const usual = { client, clock, addresses, fromBlock, confirmations: 2, pollMs: 50 }
    const follower = await openFollower({ ...usual, ...options, store: own })
    opened.push({
      close: async () => {
        await follower.close()
        await own.close()
      },
    })
    await follower.caughtUp()
    return follower
  }

/** A chain, its contracts, one agency with an account and an outbox. */
export const openGround = async (databaseUrl?: string): Promise<Ground> => {
  const dir = await mkdtemp(join(tmpdir(), 'chancery-chain-'))
  const clock = testClock()
  const chain = await openChainWithContracts(dir)
  const { embedded, client, deployment, contracts } = chain
  const account = newAccount()
  await embedded.faucet(account.address)
  const store = await openAgencyStore(
    databaseUrl === undefined ? { file: join(dir, 'agency.sqlite') } : { databaseUrl, schema: 'agency' },
  )
  const opened: Closable[] = []
  const open = (options: Partial<OutboxOptions> = {}): Outbox => {
    const { mine, persist } = embedded
    const outbox = openOutbox({ store, client, clock, account, contracts, confirmations: 0, mine, persist, ...options })
    opened.push(outbox)
    return outbox
  }
  const outbox = open()
  const enqueue = (...writes: Omit<ChainWrite, 'account'>[]): Promise<string> => {
    const own = writes.map(write => ({ ...write, account: account.address }))
    return store.transaction(tx => outbox.enqueue(tx, own))
  }
  return {
    ...{ dir, clock, ...chain, account, issuer: account.address, store, outbox, enqueue },
    openOutbox: open,
    openFollower: followerOpener({ client, deployment, dir, clock }, opened),
    send: async (...writes) => {
      const id = await enqueue(...writes)
      const state = await outbox.wait(id, 20_000)
      if (state !== 'mined' && state !== 'final') throw new Error(`The test's transaction is ${state}.`)
    },
    pointer: (list, index) => ({
      chain: client.chain,
      registry: deployment.addresses.StatusRegistry,
      issuer: account.address,
      list,
      index,
    }),
    close: async () => {
      for (const part of opened.reverse()) await part.close()
      await store.close()
      client.close()
      await embedded.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** From an account of the test's own. @returns the address of a contract that it created */
export const sendFrom = async (
  ground: Ground,
  account: ChainAccount,
  call: { to: string | null; data: string },
): Promise<string | undefined> => {
  const { client } = ground
  const { to, data } = call
  const nonce = await client.transactionCount(account.address)
  const fees = { maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n }
  const fields = { type: 2, chainId: client.chainId, nonce, to, data, gasLimit: 8_000_000, value: 0n, ...fees }
  const { raw, hash } = await signTransaction(account, fields)
  await client.broadcast(raw)
  await ground.embedded.mine()
  const receipt = await client.rpc<{ status: string; contractAddress: string | null }>('eth_getTransactionReceipt', [
    hash,
  ])
  expect(receipt.status).toBe('0x1')
  return receipt.contractAddress?.toLowerCase()
}

export const eventually = async (check: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> => {
  const until = performance.now() + timeoutMs
  while (!(await check())) {
    if (performance.now() > until) throw new Error('It did not come true in time.')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** The code of the refusal, or a failure of the test. */
export const refusalOf = async (work: () => unknown): Promise<string> => {
  try {
    await work()
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'nothing was refused'
}
