import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Interface } from 'ethers'
import { loadArtifacts } from '../../src/chain/contracts.ts'
import { deployContracts } from '../../src/chain/deploy.ts'
import { readNetworkContracts } from '../../src/chain/open.ts'
import { type Ground, newAccount, openGround, sendFrom } from './ground.ts'

let ground: Ground

beforeAll(async () => {
  ground = await openGround()
})
afterAll(() => ground.close())

describe('a deployment that an earlier release began', () => {
  const before = ['EthereumDIDRegistry', 'Governance', 'StatusRegistry', 'TrustRegistry'] as const

  it('keeps its contracts and gets the new ones, under nonces of their own', async () => {
    const { client, embedded, dir } = ground
    const account = newAccount()
    await embedded.faucet(account.address)
    const artifacts = await loadArtifacts(new URL('../../contracts/build/', import.meta.url))
    const file = join(dir, 'deployment-of-before.json')
    const complete = await deployContracts({ client, account, artifacts, file, mine: embedded.mine })
    const plan = JSON.parse(await readFile(file, 'utf8')) as { nonces: Record<string, number> }

    // A chain that has only what was there before: the same, from an account whose later steps never happened.
    const old = newAccount()
    await embedded.faucet(old.address)
    const head = await client.head()
    const nonces: Record<string, number> = {}
    const at: Record<string, string> = {}
    for (const name of [...before, 'TrustRegistry: functions of the root', 'Governance: the root']) {
      nonces[name] = Object.keys(nonces).length
    }
    for (const name of before) {
      const args =
        name === 'EthereumDIDRegistry'
          ? []
          : name === 'Governance'
            ? [old.address]
            : [at['EthereumDIDRegistry'], at['Governance']]
      const data = artifacts[name].bytecode + new Interface(artifacts[name].abi).encodeDeploy(args).slice(2)
      at[name] = (await sendFrom(ground, old, { to: null, data })) ?? ''
    }
    await sendFrom(ground, old, { to: old.address, data: '0x' })
    await sendFrom(ground, old, { to: old.address, data: '0x' })
    const known = {
      chainId: client.chainId,
      anchor: head.hash,
      deployer: old.address.toLowerCase(),
      fromBlock: head.number,
    }
    await writeFile(file, JSON.stringify({ ...known, nonces }))

    const calls = [
      { id: 'Governance: the root', contract: 'Governance' as const, method: 'appointRoot', args: () => [old.address] },
    ]
    const options = { client, account: old, artifacts, file, mine: embedded.mine, calls }
    const upgraded = await deployContracts(options)
    for (const name of before) expect(upgraded.addresses[name]).toBe(at[name])
    expect(upgraded.fromBlock).toBe(head.number)
    const after = JSON.parse(await readFile(file, 'utf8')) as { nonces: Record<string, number> }
    expect(after.nonces).toMatchObject(nonces)
    expect(after.nonces['WalletRegistry']).toBe(6)
    expect(Object.keys(after.nonces).sort()).toEqual([...Object.keys(plan.nonces), 'Governance: the root'].sort())
    const data = ground.contracts.WalletRegistry.interface.encodeFunctionData('trustRegistry')
    const trust = await client.rpc<string>('eth_call', [{ to: upgraded.addresses.WalletRegistry, data }, 'latest'])
    expect(`0x${trust.slice(-40)}`).toBe(at['TrustRegistry'])
    expect(upgraded.addresses.WalletRegistry).not.toBe(complete.addresses.WalletRegistry)
    expect(await deployContracts(options)).toEqual(upgraded)
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
