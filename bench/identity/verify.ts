import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getCreateAddress } from 'ethers'
import { Chain1763600000001 } from '../../migrations/chain/0001-chain.ts'
import type { Addresses } from '../../src/chain/contracts.ts'
import { chainEntities } from '../../src/chain/entities.ts'
import { openChain } from '../../src/chain/open.ts'
import { openDids } from '../../src/identity/dids.ts'
import { ownDecisions, withOwnDecisions } from '../../src/identity/status.ts'
import { loadCredentialTypes } from '../../src/identity/types.ts'
import { verifyCredential } from '../../src/identity/verify.ts'
import { openStore } from '../../src/store/store.ts'
import { answer, readInput } from '../child.ts'
import { type Spun, spin } from './spin.ts'

/**
 * Verification in process: a verifier with a follower of its own on the nation's chain, every check on. Each credential
 * of the pool comes round again after all the others; nothing of its verdict is kept anywhere.
 */

export type VerifyRun = {
  credentials: string[]
  nationDir: string
  scratchDir: string
  seconds: number
  warmSeconds: number
  inFlight: number
}
export type VerifyResult = Spun

/** As the demo's chain leaves it: addresses follow from who deployed, and in which order. */
type Deployment = { deployer: string; nonces: Record<string, number>; fromBlock: number }

const run = await readInput<VerifyRun>()
const clock = { now: () => Date.now() }
const chainDir = join(run.nationDir, 'chain')
const port = (await readFile(join(chainDir, 'port'), 'utf8')).trim()
const { deployer, nonces, fromBlock } = JSON.parse(
  await readFile(join(chainDir, 'deployment.json'), 'utf8'),
) as Deployment
const addresses = Object.fromEntries(
  Object.entries(nonces).map(([name, nonce]) => [name, getCreateAddress({ from: deployer, nonce })]),
) as Addresses
const store = await openStore({
  file: join(run.scratchDir, `replica-${process.pid}.sqlite`),
  migrations: [Chain1763600000001],
  entities: chainEntities,
})
const chain = await openChain({
  ...{ dataDir: run.scratchDir, clock, store, production: false, rootAccount: undefined },
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
const needs = { types, dids, status, trust: follower.trust, clock, chain: client.chain }

const { credentials } = run
const result = await spin(async piece => {
  const verdict = await verifyCredential(credentials[piece % credentials.length], needs)
  if (!verdict.verified || verdict.block === undefined) throw new Error(JSON.stringify(verdict.refusal))
}, run)
answer(result satisfies VerifyResult)
