import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { signTransaction } from '../../src/chain/account.ts'
import { type Addresses, type ContractName, contractNames, loadArtifacts } from '../../src/chain/contracts.ts'
import { deployContracts, rootFunctions } from '../../src/chain/deploy.ts'
import { startEmbedded } from '../../src/chain/embedded.ts'
import { eventually, type Ground, newAccount, openGround, openLists, setBits } from './ground.ts'

let ground: Ground

beforeEach(async () => {
  ground = await openGround()
})
afterEach(() => ground.close())

/** How often the account's transactions of this method are in the chain. */
const timesOpened = async (list: number): Promise<number> => {
  const { addresses } = ground.deployment
  const logs = await ground.client.logs({
    addresses: [addresses.StatusRegistry],
    fromBlock: 0,
    toBlock: (await ground.client.head()).number,
  })
  const opened = ground.contracts.StatusRegistry.interface.getEvent('ListOpened')?.topicHash
  return logs.filter(log => log.topics[0] === opened && Number(log.topics[2]) === list).length
}

const killChain = async (): Promise<void> => {
  const { pid } = ground.embedded
  process.kill(pid, 'SIGKILL')
  await eventually(() => ground.embedded.pid !== pid)
}

describe('a reorganisation of the chain', () => {
  it('takes a revocation back, and the outbox sends the same transaction again, once', async () => {
    const follower = await ground.openFollower()
    const slow = { confirmations: 5 }
    await ground.outbox.close()
    const outbox = ground.openOutbox(slow)
    const put = (write: ReturnType<typeof openLists>) =>
      ground.store.transaction(tx => outbox.enqueue(tx, [{ ...write, account: ground.issuer }]))
    await outbox.wait(await put(openLists(ground.issuer, 0)), 10_000)
    const snapshot = await ground.client.rpc<string>('evm_snapshot', [])
    const id = await put(setBits(ground.issuer, [{ list: 0, index: 5 }]))
    expect(await outbox.wait(id, 10_000)).toBe('mined')
    await follower.poke()
    expect(follower.status.status(ground.pointer(0, 5))).toBe('revoked')
    const [before] = await ground.store.read<{ hash: string; nonce: number }>(
      'SELECT hash, nonce FROM outbox WHERE id = ?',
      [id],
    )

    await outbox.close()
    await ground.client.rpc('evm_revert', [snapshot])
    for (let i = 0; i < 3; i++) await ground.embedded.mine()
    await follower.poke()
    expect(follower.status.status(ground.pointer(0, 5))).toBe('valid')

    const again = ground.openOutbox(slow)
    await again.poke()
    expect(await again.wait(id, 10_000)).toBe('mined')
    await follower.poke()
    expect(follower.status.status(ground.pointer(0, 5))).toBe('revoked')
    const [after] = await ground.store.read('SELECT hash, nonce FROM outbox WHERE id = ?', [id])
    expect(after).toEqual(before)
    for (let i = 0; i < 6; i++) await ground.embedded.mine()
    await again.poke()
    expect((await again.state(id))?.state).toBe('final')
    expect(await timesOpened(0)).toBe(1)
  })

  it('gives the replica that a new follower would have', async () => {
    const follower = await ground.openFollower()
    await ground.send(openLists(ground.issuer, 0), openLists(ground.issuer, 2))
    await ground.send(setBits(ground.issuer, [{ list: 0, index: 1 }]), setBits(ground.issuer, [{ list: 2, index: 1 }]))
    await follower.poke()
    await ground.outbox.close()
    const told: (number | undefined)[] = []
    follower.onChange(change => void told.push(change.rolledBackTo))
    await ground.client.rpc('anvil_reorg', [2, []])
    await ground.embedded.mine()
    await follower.poke()
    expect(told.some(number => number !== undefined)).toBe(true)
    const fresh = await ground.openFollower()
    await Promise.all([follower.poke(), fresh.poke()])
    for (const list of [0, 1, 2, 3]) {
      expect(follower.bits(ground.issuer, list)).toEqual(fresh.bits(ground.issuer, list))
      expect(follower.listFacts(ground.issuer, list)).toEqual(fresh.listFacts(ground.issuer, list))
    }
    expect(follower.status.head()).toEqual(fresh.status.head())
  })
})

describe('a chain that is killed', () => {
  it('comes back with every final revocation', async () => {
    const follower = await ground.openFollower()
    await ground.send(openLists(ground.issuer, 0))
    const id = await ground.enqueue(setBits(ground.issuer, [{ list: 0, index: 77 }]))
    await eventually(async () => (await ground.outbox.state(id))?.state === 'final')
    await killChain()
    await ground.embedded.mine()
    await follower.poke()
    expect(follower.status.status(ground.pointer(0, 77))).toBe('revoked')
    const fresh = await ground.openFollower()
    expect(fresh.status.status(ground.pointer(0, 77))).toBe('revoked')
  })

  it('is sent again what it lost before it was final', async () => {
    await ground.outbox.close()
    const outbox = ground.openOutbox({ confirmations: 50, resendMs: 100, pollMs: 50 })
    const id = await ground.store.transaction(tx =>
      outbox.enqueue(tx, [{ ...openLists(ground.issuer, 4), account: ground.issuer }]),
    )
    expect(await outbox.wait(id, 10_000)).toBe('mined')
    await killChain()
    expect(await timesOpened(4)).toBe(0)
    await eventually(async () => (await timesOpened(4)) === 1)
    await eventually(async () => (await outbox.state(id))?.state === 'mined')
  })

  it('is adopted by the next start when only its parent was killed', async () => {
    const dir = join(ground.dir, 'orphan')
    const parent = spawn(process.execPath, [fileURLToPath(new URL('./chain-parent.ts', import.meta.url)), dir])
    const [said] = (await once(parent.stdout, 'data')) as [Buffer]
    await expect(startEmbedded({ dir })).rejects.toThrow(/belongs to process/)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    const embedded = await startEmbedded({ dir })
    expect({ pid: embedded.pid, url: embedded.url }).toEqual(JSON.parse(said.toString()))
    await embedded.stop()
  })

  it('that was adopted is started again when it is killed', async () => {
    const dir = join(ground.dir, 'orphan')
    const parent = spawn(process.execPath, [fileURLToPath(new URL('./chain-parent.ts', import.meta.url)), dir])
    await once(parent.stdout, 'data')
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    const embedded = await startEmbedded({ dir })
    const { pid } = embedded
    process.kill(pid, 'SIGKILL')
    await eventually(() => embedded.pid !== pid)
    await embedded.mine()
    await embedded.stop()
  })

  /** A listener at a port that has come free; none where another suite was quicker. */
  const squat = async (port: number): Promise<Server | undefined> => {
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
      return server
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
      throw error
    }
  }

  /** A chain that has ended, and somebody else at its port. */
  const squatted = async (tries = 1): Promise<{ dir: string; url: string; squatter: Server }> => {
    const dir = join(ground.dir, `moved-${tries}`)
    const { url, stop } = await startEmbedded({ dir })
    await stop()
    const squatter = await squat(Number(new URL(url).port))
    if (squatter !== undefined) return { dir, url, squatter }
    return squatted(tries + 1)
  }

  it('takes another port when somebody else has the one of before', async () => {
    const { dir, url, squatter } = await squatted()
    const second = await startEmbedded({ dir })
    expect(second.url).not.toBe(url)
    await second.stop()
    squatter.close()
  })

  it('knows of a block that was made while it was dumped both the effects and the receipts, or neither', async () => {
    const { client, embedded } = ground
    // Long blocks: each transaction runs until its gas is used up.
    const senders = Array.from({ length: 24 }, () => newAccount())
    for (const { address } of senders) await client.rpc('anvil_setBalance', [address, `0x${(10n ** 20n).toString(16)}`])
    const hashes: string[] = []
    for (const sender of senders) {
      const fees = { maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n }
      const call = { to: null, data: '0x5b5f56', value: 0n, nonce: 0, gasLimit: 16_000_000n }
      const { raw, hash } = await signTransaction(sender, { type: 2, chainId: client.chainId, ...call, ...fees })
      await client.broadcast(raw)
      hashes.push(hash)
    }
    const mined = embedded.mine()
    await new Promise(done => setTimeout(done, 40))
    await embedded.persist()
    await mined
    await killChain()
    const receipts = await Promise.all(hashes.map(hash => client.receipt(hash)))
    const used = await Promise.all(senders.map(({ address }) => client.transactionCount(address)))
    expect(used).toEqual(receipts.map(receipt => (receipt === undefined ? 0 : 1)))
  })

  it('does not show its keys: the node has no accounts, and what it stores is readable by its owner only', async () => {
    expect(await ground.client.rpc('eth_accounts', [])).toEqual([])
    for (const name of ['mnemonic', 'state.json.gz', 'anvil.pid']) {
      expect((await stat(join(ground.dir, 'chain', name))).mode & 0o077).toBe(0)
    }
  })
})

/** What the contract says belongs to the root does, and `rootFunctions` here says the same. */
const expectRootFunctions = async (name: ContractName, addresses: Addresses): Promise<void> => {
  const own = ground.contracts[name].interface
  expect(rootFunctions[name] !== undefined).toBe(own.hasFunction('rootFunctions'))
  if (rootFunctions[name] === undefined) return
  const call = (to: string, data: string) => ground.client.rpc<string>('eth_call', [{ to, data }, 'latest'])
  const answer = await call(addresses[name], own.encodeFunctionData('rootFunctions'))
  const selectors = [...own.decodeFunctionResult('rootFunctions', answer)[0]] as string[]
  expect(selectors).toEqual(rootFunctions[name]?.map(method => own.getFunction(method)?.selector))
  const governance = ground.contracts.Governance.interface
  for (const selector of selectors) {
    const data = governance.encodeFunctionData('getTargetFunctionRole', [addresses[name], selector])
    expect(BigInt(await call(addresses.Governance, data))).toBe(1n)
  }
}

/** Every contract, and one call for each whose functions belong to the root. */
const steps = contractNames.length + Object.keys(rootFunctions).length

describe('a deployment', () => {
  it('that is started again finds everything and sends nothing', async () => {
    const { client, embedded } = ground
    const count = await client.transactionCount(embedded.deployer.address)
    const artifacts = await loadArtifacts(new URL('../../contracts/build/', import.meta.url))
    const options = { client, account: embedded.deployer, artifacts, file: join(ground.dir, 'deployment.json') }
    expect(await deployContracts(options)).toEqual(ground.deployment)
    expect(await client.transactionCount(embedded.deployer.address)).toBe(count)
  })

  it.each([0, 1, 2, 4, 7, steps])('that is killed after %d transactions goes on where it was', async sent => {
    const { client, embedded, dir } = ground
    const artifacts = await loadArtifacts(new URL('../../contracts/build/', import.meta.url))
    const file = join(dir, `deployment-${sent}.json`)
    let left = sent
    const dying = {
      ...client,
      broadcast: async (raw: string) => {
        if (left === 0) throw new Error('killed')
        left -= 1
        await client.broadcast(raw)
        if (left === 1) await embedded.mine()
      },
    }
    const options = { client, account: embedded.deployer, artifacts, file, mine: embedded.mine }
    const killed = deployContracts({ ...options, client: dying, timeoutMs: 100 })
    if (sent < steps) await expect(killed).rejects.toThrow('killed')
    else await killed
    const planned = JSON.parse(await readFile(file, 'utf8'))
    const { addresses } = await deployContracts(options)
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(planned)
    for (const name of contractNames) await expectRootFunctions(name, addresses)
  })
})
