import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getCreateAddress } from 'ethers'
import { Chain1763600000001 } from '../../migrations/chain/0001-chain.ts'
import { AnchoredCopies1763600000002 } from '../../migrations/chain/0002-anchored.ts'
import type { Addresses } from '../../src/chain/contracts.ts'
import { chainEntities } from '../../src/chain/entities.ts'
import { openChain } from '../../src/chain/open.ts'
import { openDids } from '../../src/identity/dids.ts'
import { ownDecisions, withOwnDecisions } from '../../src/identity/status.ts'
import { loadCredentialTypes } from '../../src/identity/types.ts'
import type { VerifyNeeds } from '../../src/identity/verify.ts'
import { openStore } from '../../src/store/store.ts'

/** As the demo's chain leaves it: addresses follow from who deployed, and in which order. */
type Deployment = { deployer: string; nonces: Record<string, number>; fromBlock: number }

/** A verifier with a follower of its own on the chain of a nation that runs. */
export const followNation = async (nationDir: string, scratchDir: string): Promise<VerifyNeeds> => {
  const clock = { now: () => Date.now() }
  const chainDir = join(nationDir, 'chain')
  const port = (await readFile(join(chainDir, 'port'), 'utf8')).trim()
  const { deployer, nonces, fromBlock } = JSON.parse(
    await readFile(join(chainDir, 'deployment.json'), 'utf8'),
  ) as Deployment
  const addresses = Object.fromEntries(
    Object.entries(nonces).map(([name, nonce]) => [name, getCreateAddress({ from: deployer, nonce })]),
  ) as Addresses
  const store = await openStore({
    file: join(scratchDir, `replica-${process.pid}.sqlite`),
    migrations: [Chain1763600000001, AnchoredCopies1763600000002],
    entities: chainEntities,
  })
  const chain = await openChain({
    ...{ dataDir: scratchDir, clock, store, production: false, rootAccount: undefined },
    log: { debug() {}, info() {}, warn() {}, error() {} } as unknown as Parameters<typeof openChain>[0]['log'],
    rpcUrls: [`http://127.0.0.1:${port}`],
    network: { addresses, fromBlock },
  })
  await chain.follower.caughtUp()
  const { follower, client } = chain
  const types = loadCredentialTypes(new URL('../../schemas', import.meta.url).pathname)
  const dids = openDids({
    chainId: client.chainId,
    replica: { events: address => follower.didEvents(address), assertFresh: () => follower.assertFresh() },
    clock,
  })
  follower.onDidChange(identity => dids.changed(identity))
  const status = withOwnDecisions(follower.status, ownDecisions())
  return { types, dids, status, trust: follower.trust, clock, chain: client.chain }
}
