import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Interface } from 'ethers'
import type { ChainAccount } from '../../src/chain/account.ts'
import { type Artifacts, type ContractName, contractNames, loadArtifacts } from '../../src/chain/contracts.ts'
import { deployContracts, rootFunctions } from '../../src/chain/deploy.ts'
import { readNetworkContracts } from '../../src/chain/open.ts'
import { type Ground, newAccount, openGround, sendFrom } from './ground.ts'

let ground: Ground

beforeAll(async () => {
  ground = await openGround()
})
afterAll(() => ground.close())

/** What the release before the registry of wallets deployed, step by step, and the plan it left. */
const deployAsBefore = async (deployer: ChainAccount, artifacts: Artifacts, file: string) => {
  const head = await ground.client.head()
  const at: Record<string, string> = {}
  const create = async (name: ContractName, args: unknown[]): Promise<void> => {
    const data = artifacts[name].bytecode + new Interface(artifacts[name].abi).encodeDeploy(args).slice(2)
    at[name] = (await sendFrom(ground, deployer, { to: null, data })) ?? ''
  }
  await create('EthereumDIDRegistry', [])
  await create('Governance', [deployer.address])
  for (const name of ['StatusRegistry', 'TrustRegistry'] as const) {
    await create(name, [at['EthereumDIDRegistry'], at['Governance']])
  }
  const selectors = rootFunctions.TrustRegistry?.map(name => artifactFunction(artifacts, 'TrustRegistry', name))
  const calls = { setTargetFunctionRole: [at['TrustRegistry'], selectors, 1], appointRoot: [newAccount().address] }
  for (const [method, args] of Object.entries(calls)) {
    const data = new Interface(artifacts.Governance.abi).encodeFunctionData(method, args)
    await sendFrom(ground, deployer, { to: at['Governance'] ?? '', data })
  }
  const ids = [...Object.keys(at), 'TrustRegistry: functions of the root', 'Governance: the root']
  const nonces = Object.fromEntries(ids.map((id, nonce) => [id, nonce]))
  const { chainId } = ground.client
  const plan = { chainId, anchor: head.hash, deployer: deployer.address, fromBlock: head.number, nonces }
  await writeFile(file, JSON.stringify(plan))
  return { at, plan }
}

const artifactFunction = (artifacts: Artifacts, name: ContractName, method: string): string | undefined =>
  new Interface(artifacts[name].abi).getFunction(method)?.selector

describe('a deployment that an earlier release made', () => {
  it('keeps its contracts and gets the new ones, under nonces of their own', async () => {
    const { client, embedded, dir } = ground
    const account = newAccount()
    await embedded.faucet(account.address)
    const artifacts = await loadArtifacts(new URL('../../contracts/build/', import.meta.url))
    const file = join(dir, 'deployment-of-before.json')
    const { at, plan } = await deployAsBefore(account, artifacts, file)

    const root = { id: 'Governance: the root', contract: 'Governance' as const, method: 'appointRoot' }
    const calls = [{ ...root, args: () => [newAccount().address] }]
    const options = { client, account, artifacts, file, mine: embedded.mine, calls }
    const upgraded = await deployContracts(options)
    expect(upgraded).toMatchObject({ fromBlock: plan.fromBlock, addresses: at })
    const { nonces } = JSON.parse(await readFile(file, 'utf8')) as { nonces: Record<string, number> }
    expect(nonces).toMatchObject(plan.nonces)
    expect(nonces['WalletRegistry']).toBe(6)
    expect(Object.keys(nonces)).toEqual(expect.arrayContaining([...contractNames]))

    const { interface: wallets } = ground.contracts.WalletRegistry
    const { interface: governance } = ground.contracts.Governance
    const ask = (to: string, data: string) => client.rpc<string>('eth_call', [{ to, data }, 'latest'])
    const trust = await ask(upgraded.addresses.WalletRegistry, wallets.encodeFunctionData('trustRegistry'))
    expect(`0x${trust.slice(-40)}`).toBe(at['TrustRegistry'])
    for (const method of rootFunctions.WalletRegistry ?? []) {
      const args = [upgraded.addresses.WalletRegistry, artifactFunction(artifacts, 'WalletRegistry', method)]
      const role = await ask(
        upgraded.addresses.Governance,
        governance.encodeFunctionData('getTargetFunctionRole', args),
      )
      expect(BigInt(role)).toBe(1n)
    }
    const count = await client.transactionCount(account.address)
    expect(await deployContracts(options)).toEqual(upgraded)
    expect(await client.transactionCount(account.address)).toBe(count)
  })
})

describe('the file that names contracts on a network', () => {
  const fileWith = async (content: unknown): Promise<string> => {
    const file = join(ground.dir, 'contracts.json')
    await writeFile(file, JSON.stringify(content))
    return file
  }

  it('is read when it names every contract', async () => {
    const { addresses, fromBlock } = ground.deployment
    expect(await readNetworkContracts(await fileWith({ addresses, fromBlock }))).toEqual({ addresses, fromBlock })
  })

  it('is refused with the names of the contracts that it lacks', async () => {
    const { addresses, fromBlock } = ground.deployment
    const { WalletRegistry: _, AssetRegistry: __, ...rest } = addresses
    await expect(readNetworkContracts(await fileWith({ addresses: rest, fromBlock }))).rejects.toThrow(
      /no address for WalletRegistry, AssetRegistry\./,
    )
    const wrong = { ...addresses, TrustRegistry: '0x12' }
    await expect(readNetworkContracts(await fileWith({ addresses: wrong, fromBlock }))).rejects.toThrow(/TrustRegistry/)
    await expect(readNetworkContracts(await fileWith({}))).rejects.toThrow(/EthereumDIDRegistry, Governance/)
    await expect(readNetworkContracts(await fileWith({ addresses }))).rejects.toThrow(/fromBlock/)
  })
})
