import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { getCreateAddress } from 'ethers'
import { openAgencyBase } from '../src/agency.ts'
import { contractNames } from '../src/chain/contracts.ts'
import { readAgencies } from '../src/config/agency.ts'
import { readMasterKey } from '../src/identity/seal.ts'
import { caller, licenceFor, newHolder, root, type Started, startService, temporaryFolder } from './service.ts'

/*
 * Two processes that share nothing but the chain: a root and an issuer whose lists are anchored, and a bank that
 * verifies. The bank has to fetch every version over HTTP from where the chain says.
 */

const folder = temporaryFolder()
const masterKey = randomBytes(32).toString('base64')
const bankData = join(folder.path, 'bank')
const nationData = join(folder.path, 'nation')
let nation: Started
let bank: Started
let miner: NodeJS.Timeout
let nationPort = 0

const freePort = (): Promise<number> =>
  new Promise(done => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })

const agencyFile = (name: string, more: string): string => {
  const text = readFileSync(join(root, `agents/${name}.yml`), 'utf8')
  const file = join(folder.path, `${name}.yml`)
  writeFileSync(file, `${text}\n${more}\n`)
  return file
}

const rpc = async (method: string, params: unknown[] = []): Promise<unknown> => {
  const port = readFileSync(join(nationData, 'chain/port'), 'utf8').trim()
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers, body })
  return ((await response.json()) as { result: unknown }).result
}

const startNation = async (): Promise<void> => {
  const issuer = agencyFile('transport-authority', 'status: { mode: anchored, roundSeconds: 1 }')
  const agencies = [agencyFile('root-authority', ''), issuer]
  nation = await startService({ dataDir: nationData, port: nationPort, agencies, env: { MASTER_KEY: masterKey } })
}

type Deployed = { deployer: string; fromBlock: number; nonces: Record<string, number> }

const startBank = async (): Promise<void> => {
  const file = agencyFile('commercial-bank', `allowedHttpOrigins: ['http://localhost:${nationPort}']`)
  const chainUrl = `http://127.0.0.1:${readFileSync(join(nationData, 'chain/port'), 'utf8').trim()}`
  const contracts = join(folder.path, 'contracts.json')
  const plan = JSON.parse(readFileSync(join(nationData, 'chain/deployment.json'), 'utf8')) as Deployed
  const addresses = Object.fromEntries(
    contractNames.map(name => [name, getCreateAddress({ from: plan.deployer, nonce: plan.nonces[name] ?? -1 })]),
  )
  writeFileSync(contracts, JSON.stringify({ addresses, fromBlock: plan.fromBlock }))
  const env = { MASTER_KEY: masterKey, CHAIN_RPC_URL: chainUrl, CHAIN_CONTRACTS: contracts }
  bank = await startService({ dataDir: bankData, agencies: [file], env })
}

/** Gives the bank's account money before it starts for the first time: there is no faucet on its network. */
const fundBank = async (): Promise<void> => {
  const [config] = readAgencies([agencyFile('commercial-bank', '')])
  if (config === undefined) throw new Error('There is no bank.')
  const key = readMasterKey({ value: masterKey, file: undefined, demoDirectory: bankData, production: false })
  const settings = { dataDir: bankData, databaseUrl: undefined, masterKey: key, clock: { now: Date.now } }
  const base = await openAgencyBase(config, { ...settings, publicUrl: 'http://localhost' })
  await rpc('anvil_setBalance', [base.address, '0x56bc75e2d63100000'])
  await base.store.close()
  await base.keys.close()
}

const issuer = () => caller(nation, 'transport-authority')
const issue = async () => {
  const answer = await issuer()('POST', '/credentials/issue', licenceFor(newHolder().did))
  expect(answer.status).toBe(201)
  return { id: String(answer.body['credentialId']), credential: answer.body['verifiableCredential'] as unknown }
}
const setStatus = (id: string, statusPurpose: string, status: boolean, wait = '?wait=mined') =>
  issuer()('POST', `/credentials/status${wait}`, { credentialId: id, credentialStatus: { statusPurpose }, status })
const verdict = async (credential: unknown, by = caller(bank, 'commercial-bank')): Promise<[number, unknown]> => {
  const { status, body } = await by('POST', '/credentials/verify', { verifiableCredential: credential })
  return [status, (body['errors'] as { code: string }[] | undefined)?.[0]?.code ?? body['verified']]
}
const eventually = async (check: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> => {
  const until = Date.now() + timeoutMs
  while (!(await check())) {
    if (Date.now() > until) throw new Error('It did not come true in time.')
    await new Promise(done => setTimeout(done, 50))
  }
}
const becomes = (credential: unknown, wanted: unknown) =>
  eventually(async () => (await verdict(credential))[1] === wanted)

beforeAll(async () => {
  nationPort = await freePort()
  await startNation()
  await fundBank()
  miner = setInterval(() => void rpc('evm_mine').catch(() => undefined), 250)
  await startBank()
}, 120_000)

afterAll(async () => {
  clearInterval(miner)
  await bank?.stop()
  await nation?.stop()
  folder.remove()
})

describe('an issuer whose status lists are anchored, and a verifier elsewhere', () => {
  it('issues what the verifier accepts at once, and refuses from the round of its revocation on', async () => {
    const { id, credential } = await issue()
    const other = await issue()
    await becomes(credential, true)
    const queued = await setStatus(id, 'revocation', true, '')
    expect([queued.status, queued.body['state']]).toEqual([202, 'queued'])
    expect(await verdict(credential, issuer())).toEqual([422, 'credential_revoked'])
    await becomes(credential, 'credential_revoked')
    const followed = await issuer()('GET', `/credentials/status/${String(queued.body['id'])}`)
    expect([followed.status, followed.body['state']]).toEqual([200, expect.stringMatching(/^(mined|final)$/)])
    expect(await verdict(other.credential)).toEqual([200, true])
  })

  it('waits for the round on request, suspends and reinstates', async () => {
    const { id, credential } = await issue()
    const suspended = await setStatus(id, 'suspension', true)
    expect(suspended.body['state']).toMatch(/^(mined|final)$/)
    await becomes(credential, 'credential_suspended')
    await setStatus(id, 'suspension', false)
    await becomes(credential, true)
  })

  it('publishes the same bits to verifiers of others, and to anyone what was anchored', async () => {
    const { id } = await issue()
    await setStatus(id, 'revocation', true)
    const at = `${nation.url}/transport-authority/status`
    const listed = async (): Promise<Buffer> => {
      const [, payload = ''] = (await (await fetch(`${at}/bitstring/0`)).text()).split('.')
      const text = Buffer.from(payload, 'base64url').toString('utf8')
      const { credentialSubject } = JSON.parse(text) as { credentialSubject: { encodedList: string } }
      return gunzipSync(Buffer.from(credentialSubject.encodedList.slice(1), 'base64url'))
    }
    const raw = async (): Promise<Buffer | undefined> => {
      for (let version = 40; version > 0; version--) {
        const response = await fetch(`${at}/raw/0/${version}`)
        if (response.status === 200) return gunzipSync(Buffer.from(await response.arrayBuffer()))
      }
      return undefined
    }
    const count = (bits: Buffer) => bits.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
    await eventually(async () => count(await listed()) >= 2)
    expect((await raw())?.equals(await listed())).toBe(true)
    expect((await fetch(`${at}/raw/0/999`)).status).toBe(404)
    expect((await fetch(`${at}/raw/0/0`)).status).toBe(400)
  })

  it('refuses at the issuer after it was killed before the round', async () => {
    const { id, credential } = await issue()
    await setStatus(id, 'revocation', true, '')
    await nation.kill()
    await startNation()
    expect(await verdict(credential, issuer())).toEqual([422, 'credential_revoked'])
    await becomes(credential, 'credential_revoked')
  }, 120_000)

  it('is judged from the verifier’s own copy when that starts without the issuer', async () => {
    const good = await issue()
    const bad = await issue()
    await setStatus(bad.id, 'revocation', true)
    await becomes(bad.credential, 'credential_revoked')
    nation.process.kill('SIGSTOP')
    try {
      expect(await bank.stop()).toBe(0)
      await startBank()
      expect(await verdict(bad.credential)).toEqual([422, 'credential_revoked'])
      expect(await verdict(good.credential)).toEqual([200, true])
    } finally {
      nation.process.kill('SIGCONT')
    }
  }, 120_000)
})
