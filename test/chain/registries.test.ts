import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { encodeBytes32String, Interface, Wallet } from 'ethers'
import { signTransaction } from '../../src/chain/account.ts'
import { connect } from '../../src/chain/client.ts'
import { loadArtifacts, thumbprintToBytes32, toSeconds, typeIdOf } from '../../src/chain/contracts.ts'
import { eventFragments } from '../../src/chain/events.ts'
import type { Follower } from '../../src/chain/follower.ts'
import type { ChainWrite } from '../../src/kernel/ports.ts'
import { type Ground, newAccount, openGround } from './ground.ts'

let ground: Ground
let follower: Follower
let rootOutbox: Ground['outbox']

beforeAll(async () => {
  ground = await openGround()
  rootOutbox = ground.openOutbox({ account: ground.embedded.deployer })
  follower = await ground.openFollower()
})
afterAll(() => ground.close())

const asRoot = async (method: string, args: unknown[]): Promise<void> => {
  const account = ground.embedded.deployer.address
  const write: ChainWrite = { contract: 'TrustRegistry', method, args, account }
  const id = await ground.store.transaction(tx => rootOutbox.enqueue(tx, [write]))
  await rootOutbox.wait(id, 10_000)
  expect(await ground.store.read('SELECT error FROM outbox WHERE id = ?', [id])).toEqual([{ error: null }])
  await follower.poke()
}

const inTheContract = async (issuer: string, typeId: string, at: number): Promise<boolean> => {
  const trust = ground.contracts.TrustRegistry
  const data = trust.interface.encodeFunctionData('isAccredited', [issuer, typeId, toSeconds(at)])
  return BigInt(await ground.client.rpc<string>('eth_call', [{ to: trust.address, data }, 'latest'])) === 1n
}

describe('the replica of the registry of trust', () => {
  it('says what the contract says, down a chain of accreditations', async () => {
    const licence = typeIdOf('DrivingLicence')
    const [start, end] = [toSeconds(ground.clock.now()) - 100, toSeconds(ground.clock.now()) + 10_000]
    const below = Wallet.createRandom().address.toLowerCase()
    await asRoot('accredit', [ground.issuer, licence, start, end, 2])
    await ground.send({
      contract: 'TrustRegistry',
      method: 'accreditBelow',
      args: [ground.issuer, below, licence, start, end, 1],
    })
    await follower.poke()
    const agree = async (issuer: string) => {
      for (const at of [start - 1, start, start + 50, end - 1, end].map(second => second * 1_000)) {
        const said = follower.trust.accreditation(issuer, 'DrivingLicence', at).accredited
        expect({ at, said }).toEqual({ at, said: await inTheContract(issuer, licence, at) })
      }
    }
    await agree(ground.issuer)
    await agree(below)
    expect(follower.trust.accreditation(below, licence, start * 1_000)).toMatchObject({ parent: ground.issuer })
    await asRoot('endAccreditation', [`0x${'0'.repeat(40)}`, ground.issuer, licence])
    const now = follower.status.head().timestamp
    for (const issuer of [ground.issuer, below]) {
      expect(follower.trust.accreditation(issuer, 'DrivingLicence', now)).toMatchObject({ reason: 'ended' })
      expect(await inTheContract(issuer, licence, now)).toBe(false)
    }
  })

  it('knows distrusted keys by their thumbprint and admitted schemas by their digest', async () => {
    const thumbprint = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'
    const since = toSeconds(ground.clock.now()) - 50
    await asRoot('distrustKey', [ground.issuer, thumbprintToBytes32(thumbprint), since])
    expect(follower.trust.distrustedSince(ground.issuer, thumbprint)).toBe(since * 1_000)
    const digest = 'ab'.repeat(32)
    await asRoot('admitSchema', [typeIdOf('Permit'), `0x${digest}`])
    expect(follower.trust.schemaAdmitted('Permit', digest)).toBe(true)
    expect(follower.trust.schemaAdmitted('Licence', digest)).toBe(false)
    await asRoot('withdrawSchema', [typeIdOf('Permit'), `0x${digest}`])
    expect(follower.trust.schemaAdmitted('Permit', digest)).toBe(false)
  })
})

describe('the replica of the registry of DIDs', () => {
  it('has the events of an identity in order, and its owner', async () => {
    const told: (string | undefined)[] = []
    follower.onDidChange(identity => void told.push(identity))
    const owner = Wallet.createRandom().address.toLowerCase()
    const did = { contract: 'EthereumDIDRegistry' }
    const name = encodeBytes32String('did/pub/Multikey/sigAuth/hex')
    await ground.send(
      { ...did, method: 'setAttribute', args: [ground.issuer, name, '0x1234', 1_000] },
      { ...did, method: 'changeOwner', args: [ground.issuer, owner] },
    )
    await follower.poke()
    const [first, second] = follower.didEvents(ground.issuer)
    expect(first).toMatchObject({ kind: 'attribute', name, value: '0x1234' })
    expect(second).toMatchObject({ kind: 'owner', owner })
    expect(follower.identityOwner(ground.issuer)).toBe(owner)
    expect(follower.identityOwner(owner)).toBe(owner)
    expect(told).toContain(ground.issuer)
  })
})

describe('the client', () => {
  it('refuses two sources that are not of one chain, and a development node in production', async () => {
    await expect(connect(ground.embedded.url, { chainId: 1 })).rejects.toThrow(/expected/)
    await expect(connect(ground.embedded.url, { production: true })).rejects.toThrow(/anvil/)
  })

  it('answers unavailable when its sources disagree, and agrees with itself', async () => {
    const other = await openGround()
    const same = await connect([ground.embedded.url, ground.embedded.url])
    expect((await same.head()).hash).toBe((await ground.client.head()).hash)
    const split = await connect([ground.embedded.url, other.embedded.url])
    await expect(split.header(1)).rejects.toMatchObject({ code: 'chain_disagreement' })
    await expect(split.head()).rejects.toMatchObject({ code: 'chain_disagreement' })
    same.close()
    split.close()
    await other.close()
  })

  it('gives up on a source that does not answer', async () => {
    const { createServer } = await import('node:net')
    const sockets: { destroy(): void }[] = []
    const server = createServer(socket => void sockets.push(socket)).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    await expect(connect(`http://127.0.0.1:${port}`, { timeoutMs: 200 })).rejects.toThrow()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
})

it('The events that are followed are those of the contracts, word for word.', async () => {
  const artifacts = await loadArtifacts(new URL('../../contracts/build/', import.meta.url))
  for (const [name, fragments] of Object.entries(eventFragments)) {
    const abi = new Interface(artifacts[name as keyof typeof eventFragments].abi)
    for (const event of new Interface(fragments).fragments) {
      if (event.type !== 'event') continue
      const { name: eventName } = event as unknown as { name: string }
      expect(abi.getEvent(eventName)?.format('full')).toBe(event.format('full'))
    }
  }
})

it('A signer that signs with another key is found out.', async () => {
  const account = { ...newAccount(), address: ground.issuer }
  await expect(signTransaction(account, { chainId: 1, nonce: 0, gasLimit: 1, type: 2 })).rejects.toThrow(/signs with/)
})
