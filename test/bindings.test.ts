import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Interface, JsonRpcProvider, Wallet } from 'ethers'
import { agencyEntities, agencyMigrations } from '../src/agency.ts'
import { domainIdOf } from '../src/chain/wallets.ts'
import { domainInfo, evaluateBlinded, oprfKeyFrom } from '../src/identity/oprf.ts'
import { walletStatement } from '../src/plugins/bindings/statement.ts'
import { openStore } from '../src/store/store.ts'
import { type Held, newKey, newWalletHolder, type Session, send, type WalletHolder, withdraw } from './holder.ts'
import { caller, exampleOf, root, type Started, startService, temporaryFolder } from './service.ts'

/*
 * Two banks and the root authority in one process, each speaking to the others over HTTP: what a bank signs is asked for at the
 * contract, as a token would, and at the other bank's view of the chain.
 */

const folder = temporaryFolder()
const domain = 'cbdc:xnd'
let service: Started
let provider: JsonRpcProvider
let registry: { address: string; abi: Interface }

/** Stands where the second bank looks for the root authority. */
const between = { mode: 'forward' as 'forward' | 'impostor' | 'down', authorizations: [] as string[], url: '' }
const impostor = oprfKeyFrom(randomBytes(32))
let proxy: Server

/** Answers as the authority would, under a key of its own, and claims that it is the authority's. */
const impersonate = (body: string, response: ServerResponse): void => {
  const { domain: asked, blinded } = JSON.parse(body) as { domain: string; blinded: string[] }
  const elements = blinded.map(each => Buffer.from(each, 'base64url'))
  const { elements: made, proof } = evaluateBlinded(elements, { ...impostor, info: domainInfo(asked) })
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ keyId: authorityKeyId, evaluated: made.map(text), proof: text(proof) }))
}
let authorityKeyId = ''

const openProxy = async (): Promise<void> => {
  proxy = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', async () => {
      const body = Buffer.concat(chunks).toString()
      if (between.mode === 'down') return request.socket.destroy()
      if (between.mode === 'impostor') return impersonate(body, response)
      const authorization = request.headers.authorization ?? ''
      between.authorizations.push(authorization)
      const headers = { authorization, 'content-type': 'application/json' }
      const answer = await fetch(`${service.url}/root-authority${request.url}`, { method: 'POST', headers, body })
      const text = await answer.text()
      authorityKeyId = (JSON.parse(text) as { keyId: string }).keyId
      return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
    })
  })
  await new Promise<void>(done => proxy.listen(0, '127.0.0.1', done))
  between.url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}

const agencyFiles = (): string[] => {
  const second = join(folder.path, 'second-bank.yml')
  const bank = readFileSync(join(root, 'agents/commercial-bank.yml'), 'utf8')
  const text = bank.replace('name: commercial-bank', 'name: second-bank')
  writeFileSync(second, `${text}\nallowedHttpOrigins: ['${between.url}']\npseudonymAuthority: ${between.url}\n`)
  return [...['root-authority', 'commercial-bank'].map(name => join(root, `agents/${name}.yml`)), second]
}

beforeAll(async () => {
  await openProxy()
  const dataDir = join(folder.path, 'data')
  service = await startService({ dataDir, agencies: agencyFiles() })
  const port = readFileSync(join(dataDir, 'chain/port'), 'utf8').trim()
  provider = new JsonRpcProvider(`http://127.0.0.1:${port}`)
  const { abi } = JSON.parse(readFileSync(join(root, 'contracts/build/WalletRegistry.json'), 'utf8')) as { abi: never }
  registry = { address: '', abi: new Interface(abi) }
}, 120_000)

afterAll(async () => {
  provider?.destroy()
  proxy?.close()
  await service?.stop()
  folder.remove()
})

let people = 0

/** A citizen with a national identity and the KYC attestation of a bank, on one key. */
const customerOf = async (bank: string, number?: string, which?: WalletHolder) => {
  people += 1
  const holder = which ?? newWalletHolder(service)
  const key = newKey()
  const personal = number ?? `900417-${1_000 + people}`
  const claims = { ...exampleOf('national-identity'), personalAdministrativeNumber: personal }
  const identity = await holder.receive('root-authority', 'NationalIdentity', claims, { key })
  const attested = { ...exampleOf('kyc-attestation'), expiryDate: '2036-01-01', nextReviewOn: '2036-01-01' }
  const kyc = await holder.receive(bank, 'KycAttestation', attested, { key })
  return {
    holder,
    kyc,
    identity,
    number: personal,
    bank,
    held: [identity, kyc] as Held[],
    wallet: Wallet.createRandom(),
  }
}
type Customer = Awaited<ReturnType<typeof customerOf>>

const bodyOf = async (customer: Customer, more: Record<string, unknown> = {}, signer = customer.wallet) => {
  const body = { wallet: customer.wallet.address, domain, signedAt: new Date().toISOString(), ...more }
  const holderKey = customer.kyc.key.thumbprint
  const statement = walletStatement({ ...body, institution: `${service.url}/${customer.bank}`, holderKey })
  return { ...body, walletSignature: await signer.signMessage(statement) }
}

const bindOnce = async (customer: Customer, more: Record<string, unknown> = {}) => {
  const { holder, bank, held } = customer
  const body = await holder.oneShot(bank, 'bindWallet', {}, await bodyOf(customer, more), held)
  return send(`${service.url}/${bank}/wallet-bindings`, 'POST', body)
}

type Bound = {
  id: string
  typedData: { domain: { verifyingContract: string }; message: Record<string, string> }
  signature: string
  call: { to: string; data: string }
  relayed: boolean
}

const standingOf = async (wallet: string, of = domain, tag: string | number = 'latest') => {
  const data = registry.abi.encodeFunctionData('standingOf', [wallet, domainIdOf(of)])
  const block = typeof tag === 'number' ? `0x${tag.toString(16)}` : tag
  const answer = (await provider.send('eth_call', [{ to: registry.address, data }, block])) as string
  const [valid, level, jurisdiction] = registry.abi.decodeFunctionResult('standingOf', answer)
  return { valid: Boolean(valid), level: Number(level), jurisdiction: String(jurisdiction) }
}

const until = async <T>(look: () => Promise<T>, isIt: (value: T) => boolean): Promise<T> => {
  const end = Date.now() + 20_000
  for (;;) {
    const value = await look()
    if (isIt(value)) return value
    if (Date.now() > end) throw new Error(`it stayed ${JSON.stringify(value)}`)
    await new Promise(done => setTimeout(done, 50))
  }
}

const statesOf = async (session: Session): Promise<string[]> => {
  const answer = await session.call('GET', '/wallet-bindings')
  return ((answer.body['items'] ?? []) as unknown as { state: string }[]).map(({ state }) => state)
}

const codeOf = (answer: { status: number; body: Record<string, unknown> }) => [answer.status, answer.body['code']]

describe('a wallet bound by a bank', () => {
  it('stands for its holder until the block that revokes the KYC attestation, and not from it on', async () => {
    const customer = await customerOf('commercial-bank')
    const answer = await bindOnce(customer, { relay: true })
    expect(codeOf(answer)).toEqual([201, undefined])
    const bound = answer.body as unknown as Bound
    registry.address = bound.call.to
    const address = customer.wallet.address
    const bound_ = { valid: true, level: 2, jurisdiction: '0x584e' }
    expect(
      await until(
        () => standingOf(address),
        ({ valid }) => valid,
      ),
    ).toEqual(bound_)
    const session = await customer.holder.openSession('commercial-bank', customer.held)
    expect(
      await until(
        () => statesOf(session),
        ([state]) => state === 'bound',
      ),
    ).toEqual(['bound'])
    expect(await standingOf(address, 'cbdc:xne')).toMatchObject({ valid: false })

    await withdraw(service, customer.kyc)
    const after = await until(
      () => standingOf(address),
      ({ valid }) => !valid,
    )
    expect(after).toEqual({ valid: false, level: 0, jurisdiction: '0x0000' })
    // The credential and the wallet die in one transaction: there is no block in which one is dead and the other alive.
    let last = await provider.getBlockNumber()
    while (last > 0 && !(await standingOf(address, domain, last)).valid) last -= 1
    const logs = await provider.getLogs({ fromBlock: last + 1, toBlock: last + 1 })
    const lists = new Map<string, boolean[]>()
    for (const { transactionHash, topics } of logs) {
      const isBinding = Number(BigInt(topics[2] ?? '0x0')) >= 32_768
      lists.set(transactionHash, [...(lists.get(transactionHash) ?? []), isBinding].sort())
    }
    expect([...lists.values()]).toContainEqual([false, true])
    expect(codeOf(await session.call('GET', '/wallet-bindings'))).toEqual([403, 'credential_revoked'])
  }, 60_000)

  it('is handed in by the citizen who pays for it, whatever account sends it, and by nobody for another wallet', async () => {
    const customer = await customerOf('commercial-bank')
    const bound = (await bindOnce(customer)).body as unknown as Bound
    registry.address = bound.call.to
    expect(bound.relayed).toBe(false)
    const address = customer.wallet.address
    expect((await standingOf(address)).valid).toBe(false)
    const payer = Wallet.createRandom().connect(provider)
    await provider.send('anvil_setBalance', [payer.address, '0x56bc75e2d63100000'])
    const stranger = Wallet.createRandom().address.slice(2).toLowerCase()
    const forged = bound.call.data.replace(address.slice(2).toLowerCase(), stranger)
    await expect(provider.call({ to: bound.call.to, data: forged })).rejects.toThrow()
    const sent = await payer.sendTransaction(bound.call)
    await provider.send('evm_mine', [])
    await sent.wait()
    expect((await standingOf(address)).valid).toBe(true)
    const again = await provider.call({ to: bound.call.to, data: bound.call.data }).catch(() => 'refused')
    expect(again).toBe('refused')
  }, 60_000)

  it('stands for one pseudonym at both banks in one domain, and for unrelated ones in two', async () => {
    const first = await customerOf('commercial-bank')
    const second = await customerOf('second-bank', first.number)
    const stranger = await customerOf('second-bank')
    const bindings = [
      await bindOnce(first),
      await bindOnce(second),
      await bindOnce(stranger),
      await bindOnce(first, { domain: 'register:land' }),
    ]
    expect(bindings.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    const [one, other, another, elsewhere] = bindings.map(
      answer => (answer.body as unknown as Bound).typedData.message['pseudonym'] as string,
    )
    expect(one).toBe(other)
    expect(new Set([one, another, elsewhere]).size).toBe(3)

    // What the authority keeps of all this shows neither whose number it was nor what came out.
    const file = join(service.dataDir, 'root-authority/agency.sqlite')
    const store = await openStore({ file, migrations: agencyMigrations, entities: agencyEntities })
    const texts: string[] = []
    for (const table of ['pseudonym_rates', 'pseudonym_requests', 'journal', 'journal_details', 'idempotency']) {
      for (const row of await store.read(`SELECT * FROM ${table}`)) {
        for (const value of Object.values(row)) {
          if (!(value instanceof Uint8Array)) texts.push(String(value))
          else for (const form of ['latin1', 'hex', 'base64url'] as const) texts.push(Buffer.from(value).toString(form))
        }
      }
    }
    await store.close()
    const everything = texts.join('\n')
    expect(everything).toContain('register:land')
    for (const secret of [Buffer.from(first.number), Buffer.from((one ?? '').slice(2), 'hex')]) {
      for (const form of ['latin1', 'hex', 'base64url'] as const)
        expect(everything).not.toContain(secret.toString(form))
    }
  }, 60_000)

  it('is ended by its holder, or by staff with a reason, and by nobody else', async () => {
    const customer = await customerOf('commercial-bank')
    const stranger = await customerOf('commercial-bank')
    const [one, two] = [
      await bindOnce(customer, { relay: true }),
      await bindOnce(customer, { domain: 'register:land' }),
    ]
    const pathOf = (answer: typeof one, how = 'end') => `/wallet-bindings/${String(answer.body['id'])}/${how}`
    registry.address = (one.body as unknown as Bound).call.to
    const address = customer.wallet.address
    await until(
      () => standingOf(address),
      ({ valid }) => valid,
    )
    const foreign = await stranger.holder.openSession('commercial-bank', stranger.held)
    expect(codeOf(await foreign.call('POST', pathOf(one)))).toEqual([404, 'binding_unknown'])
    expect(codeOf(await send(`${service.url}/commercial-bank${pathOf(one)}`, 'POST'))).toEqual([401, 'unauthenticated'])
    const session = await customer.holder.openSession('commercial-bank', customer.held)
    expect((await session.call('POST', pathOf(one))).status).toBe(202)
    await until(
      () => standingOf(address),
      ({ valid }) => !valid,
    )
    expect(codeOf(await session.call('POST', pathOf(one)))).toEqual([409, 'binding_ended'])
    const staff = caller(service, 'commercial-bank')
    expect((await staff('POST', pathOf(two, 'revocation'), { reason: 'reported stolen' })).status).toBe(202)
    expect(await statesOf(session)).toEqual(['ended', 'ended'])
    const data = (two.body as unknown as Bound).call
    // Its bit is set before anybody handed it in.
    const refused = () =>
      provider.call(data).then(
        () => false,
        () => true,
      )
    expect(await until(refused, is => is)).toBe(true)
  }, 60_000)

  it('is not signed without both attestations of one person, or for a wallet that somebody else holds', async () => {
    const customer = await customerOf('commercial-bank')
    const other = await customerOf('second-bank')
    const url = `${service.url}/commercial-bank/wallet-bindings`
    const body = await bodyOf(customer)
    expect(codeOf(await send(url, 'POST', body))).toEqual([401, 'unauthenticated'])
    const shot = (held: Held[], of: Record<string, unknown> = body) =>
      customer.holder.oneShot('commercial-bank', 'bindWallet', {}, of, held).then(full => send(url, 'POST', full))
    expect(codeOf(await shot([customer.kyc]))).toEqual([403, 'credential_missing'])
    expect(codeOf(await shot([customer.identity, other.kyc]))).toEqual([403, 'issuer_not_accepted'])
    expect(codeOf(await shot([other.identity, customer.kyc]))).toEqual([403, 'credentials_not_joined'])
    const stolen = await bodyOf(customer, {}, other.wallet)
    expect(codeOf(await shot(customer.held, stolen))).toEqual([422, 'wallet_signature_invalid'])
    const full = await customer.holder.oneShot('commercial-bank', 'bindWallet', {}, body, customer.held)
    const changed = await send(url, 'POST', { ...full, wallet: other.wallet.address })
    expect(codeOf(changed)).toEqual([401, 'challenge_mismatch'])
    await withdraw(service, customer.kyc, 'suspension')
    expect(codeOf(await shot(customer.held))).toEqual([403, 'credential_suspended'])
  }, 60_000)

  it('is not signed while the authority is away, or when somebody else answers in its place', async () => {
    const customer = await customerOf('second-bank')
    between.authorizations.length = 0
    expect((await bindOnce(customer)).status).toBe(201)
    // Asked at the configured address, signed for the one that the root's DID names on chain.
    const [, payload = ''] = (between.authorizations[0] ?? '').split('.')
    const { htu } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { htu: string }
    expect(htu).toBe(`${service.url}/root-authority/pseudonyms/evaluations`)
    between.mode = 'impostor'
    expect(codeOf(await bindOnce(customer))).toEqual([503, 'pseudonym_proof_invalid'])
    between.mode = 'down'
    expect(codeOf(await bindOnce(customer))).toEqual([503, 'pseudonyms_unavailable'])
    between.mode = 'forward'
    expect((await bindOnce(customer)).status).toBe(201)
  }, 60_000)
})
