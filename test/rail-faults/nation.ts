import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Wallet } from 'ethers'
import { type ChainAccount, keyAccount } from '../../src/chain/account.ts'
import type { Addresses } from '../../src/chain/contracts.ts'
import { makeWrite, openWrite, termsOfIssuer } from '../../src/chain/currencies.ts'
import { openOutbox } from '../../src/chain/outbox.ts'
import type { ChainWrite } from '../../src/kernel/ports.ts'
import { openAgencyStore, openGround } from '../chain/ground.ts'

/** A chain on disk, in the folder `chain` of its own, made once: contracts, a currency that is open on both rails, and wallets that may hold its money. */
export type Nation = {
  dir: string
  addresses: Addresses
  operatorKey: string
  money: string
  wallets: ChainAccount[]
  remove(): Promise<void>
}

const currency = { number: 1, code: 'CRD', name: 'Crown', decimals: 2, home: 'ledger' } as const

export const foundNation = async (walletCount: number): Promise<Nation> => {
  const ground = await openGround()
  const { client, contracts, embedded, clock } = ground
  const operatorKey = Wallet.createRandom().privateKey
  const operator = keyAccount(operatorKey)
  const wallets = Array.from({ length: walletCount }, () => keyAccount(Wallet.createRandom().privateKey))
  for (const { address } of [operator, ...wallets]) await embedded.faucet(address)
  const senderOf = async (account: ChainAccount) => {
    const store = await openAgencyStore({ file: join(ground.dir, `${account.address}.sqlite`) })
    const { mine, persist } = embedded
    const outbox = openOutbox({ store, client, clock, account, contracts, confirmations: 0, mine, persist })
    return {
      async send(...writes: ChainWrite[]): Promise<void> {
        const id = await store.transaction(tx => outbox.enqueue(tx, writes))
        await outbox.poke()
        await outbox.settled(20_000)
        const said = await outbox.state(id)
        if (said?.state !== 'final') throw new Error(`the founding of the currency is ${said?.state}`)
      },
      async close(): Promise<void> {
        await outbox.close()
        await store.close()
      },
    }
  }
  const [root, issuer] = [await senderOf(embedded.deployer), await senderOf(operator)]
  const roles = { root: embedded.deployer.address, issuer: operator.address }
  await root.send(makeWrite({ client, contracts }, currency, roles))
  await issuer.send(
    ...(await termsOfIssuer({ client, contracts }, currency, { issuer: operator.address, now: clock.now() })),
  )
  const opening = await openWrite({ client, contracts }, currency, roles)
  await root.send(opening)
  const money = String(opening.args[0])
  const institution = { contract: 'PolicyEngine', method: 'setInstitution', account: operator.address }
  await issuer.send(
    ...wallets.map(({ address }) => ({ ...institution, args: [money, address, `0x${'22'.repeat(32)}`] })),
  )
  await root.close()
  await issuer.close()
  await embedded.persist()
  const dir = await mkdtemp(join(tmpdir(), 'chancery-nation-'))
  for (const name of ['mnemonic', 'state.json.gz']) await cp(join(ground.dir, 'chain', name), join(dir, 'chain', name))
  const { addresses } = ground.deployment
  await ground.close()
  return { dir, addresses, operatorKey, money, wallets, remove: () => rm(dir, { recursive: true, force: true }) }
}
