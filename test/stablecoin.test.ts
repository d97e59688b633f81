import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Contract, JsonRpcProvider, Wallet } from 'ethers'
import { walletStatement } from '../src/plugins/bindings/statement.ts'
import { type Held, newKey, newWalletHolder, type Session, send } from './holder.ts'
import {
  type Answer,
  caller,
  exampleOf,
  killNode,
  root,
  type Started,
  startService,
  temporaryFolder,
} from './service.ts'

/**
 * A licensed issuer from outside: the regulator licenses it, an auditor attests the reserve on the chain, a customer whose wallet a bank
 * has bound is minted tokens and redeems some. Killed in between, nothing is lost and nothing done twice.
 */

const names = ['root-authority', 'central-bank', 'commercial-bank', 'financial-regulator']
const [issuer, auditor, bank] = ['stablecoin-issuer', 'reserve-auditor', 'commercial-bank']
const agencies = [...names, issuer, auditor].map(name => join(root, `agents/${name}.yml`))
const folder = temporaryFolder()
const domain = 'cbdc:hbr'
const competences = ['licence', 'issue', 'attest', 'orders', 'redeem'].map(each => `stablecoin:${each}`)
const legalBasis = 'Electronic Money Act, s. 8'

let service: Started
let provider: JsonRpcProvider

const start = async (): Promise<void> => {
  // Again under the address that sessions and wallets know.
  const again = service === undefined ? {} : { port: Number(new URL(service.url).port) }
  service = await startService({ dataDir: folder.path, agencies, ...again })
  const port = readFileSync(join(folder.path, 'chain/port'), 'utf8').trim()
  provider = new JsonRpcProvider(`http://127.0.0.1:${port}`)
}

beforeAll(start, 90_000)
afterAll(async () => {
  provider?.destroy()
  await service?.stop()
  folder.remove()
})

const url = (agency: string) => `${service.url}/${agency}`
const get = async (path: string, agency = issuer) => (await send(`${url(agency)}/stablecoins/2${path}`, 'GET')).body

const until = async <T>(look: () => Promise<T>, isIt: (value: T) => boolean): Promise<T> => {
  const end = Date.now() + 20_000
  for (;;) {
    const value = await look()
    if (isIt(value)) return value
    if (Date.now() > end) throw new Error(`it stayed ${JSON.stringify(value)}`)
    await new Promise(done => setTimeout(done, 100))
  }
}

const officers = (agency: string) =>
  Promise.all(
    ['O-1', 'O-2'].map(async officerNumber => {
      const holder = newWalletHolder(service)
      await holder.receive(agency, 'PublicOfficer', { ...exampleOf('public-officer'), officerNumber, competences })
      return () => holder.openSession(agency)
    }),
  )
type Officers = (() => Promise<Session>)[]

/** The first asks, the second approves. @returns what the act answered */
const together = async ([one, two]: Officers, path: string, body: unknown): Promise<Record<string, unknown>> => {
  const [first, second] = [await one?.(), await two?.()]
  const asked = await first?.call('POST', `/stablecoins/2${path}`, body)
  if (asked?.body['pendingAct'] === undefined) throw new Error(JSON.stringify(asked?.body))
  const approved = await second?.call('POST', `/pending-acts/${asked.body['pendingAct']}/approval`, {})
  const answer = approved?.body['answer'] as { body: Record<string, unknown> } | undefined
  if (answer === undefined) throw new Error(JSON.stringify(approved?.body))
  return answer.body
}

const refusedTogether = (who: Officers, path: string, body: unknown): Promise<string> =>
  together(who, path, body).then(
    () => 'nothing was refused',
    (error: Error) => (JSON.parse(error.message) as { code: string }).code,
  )

const doneOf = (act: unknown, agency = issuer) =>
  until(
    () => get(`/acts/${act}`, agency),
    ({ state }) => state !== 'sent',
  )

/** A licence that the regulator gave to the issuer. */
const licence = async (licenceClass: string): Promise<{ compact: string; id: string }> => {
  const { body: document } = await send(`${url(issuer)}/did.json`, 'GET')
  const did = (document['alsoKnownAs'] as string[] | undefined)?.find(each => each.startsWith('did:ethr'))
  const id = did ?? String(document['id'])
  const credentialSubject = { ...exampleOf('business-licence'), id, licenceClass, expiryDate: '2036-01-01' }
  const credential = { type: ['VerifiableCredential', 'BusinessLicence'], credentialSubject }
  const answer = await caller(service, 'financial-regulator')('POST', '/credentials/issue', {
    ...{ credential, options: { format: 'vc+jwt' } },
  })
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  const { id: envelope } = answer.body['verifiableCredential'] as unknown as { id: string }
  return { compact: envelope.slice(envelope.indexOf(',') + 1), id: String(answer.body['credentialId']) }
}

/** Somebody whose wallet a bank has bound in the domain of the token, with an attestation that asserts the same pseudonym. */
const customer = async () => {
  const [holder, key, wallet] = [newWalletHolder(service), newKey(), Wallet.createRandom()]
  const claims = { ...exampleOf('national-identity'), personalAdministrativeNumber: `900417-${Date.now() % 10_000}` }
  const identity = await holder.receive('root-authority', 'NationalIdentity', claims, { key })
  const attested = { ...exampleOf('kyc-attestation'), expiryDate: '2036-01-01', nextReviewOn: '2036-01-01' }
  const kyc = await holder.receive(bank, 'KycAttestation', attested, { key })
  const signing = { wallet: wallet.address, domain, signedAt: new Date().toISOString() }
  const statement = walletStatement({ ...signing, institution: url(bank), holderKey: key.thumbprint })
  const body = { ...signing, walletSignature: await wallet.signMessage(statement), relay: true }
  const shot = await holder.oneShot(bank, 'bindWallet', {}, body, [identity, kyc])
  const bound = await send(`${url(bank)}/wallet-bindings`, 'POST', shot)
  const { message } = (bound.body as unknown as { typedData: { message: { pseudonym: string } } }).typedData
  const value = Buffer.from(message.pseudonym.slice(2), 'hex').toString('base64url')
  const known = await holder.receive(bank, 'KycAttestation', { ...attested, pseudonym: { domain, value } }, { key })
  await until(
    async () =>
      (
        (await (await holder.openSession(bank, [kyc])).call('GET', '/wallet-bindings')).body['items'] as unknown as {
          state: string
        }[]
      )[0]?.state,
    state => state === 'bound',
  )
  return { holder, wallet, known }
}

const authorize = async (
  wallet: { signTypedData: InstanceType<typeof Wallet>['signTypedData']; address: string },
  amount: bigint,
) => {
  const { address, issuer: to } = await get('')
  const { chainId } = await provider.getNetwork()
  const validBefore = Math.floor(Date.now() / 1_000) + 3_600
  const nonce = `0x${randomBytes(32).toString('hex')}`
  const message = { from: wallet.address, to, value: amount, validAfter: 0, validBefore, nonce }
  const fields = ['address from', 'address to', 'uint256 value', 'uint256 validAfter', 'uint256 validBefore']
  const types = [...fields, 'bytes32 nonce'].map(each => {
    const [type = '', name = ''] = each.split(' ')
    return { type, name }
  })
  const of = { name: 'Harbour Coin', version: '1', chainId, verifyingContract: String(address) }
  const signature = await wallet.signTypedData(of, { ReceiveWithAuthorization: types }, message)
  return { validAfter: 0, validBefore, nonce, signature }
}

const balanceOf = async (wallet: string): Promise<bigint> => {
  const token = new Contract(
    String((await get(''))['address']),
    ['function balanceOf(address) view returns (uint256)'],
    provider,
  )
  return (await token.getFunction('balanceOf')(wallet)) as bigint
}

const codeOf = ({ status, body }: Answer) => [status, body['code']]

const attestation = (reserveMinor: string) => ({
  ...{ reserveMinor, asOf: new Date().toISOString(), reportDigest: randomBytes(32).toString('hex') },
  validUntil: new Date(Date.now() + 30 * 86_400_000).toISOString(),
})

describe('a licensed issuer of a token', () => {
  it('mints under licence and reserve to a bound wallet, and pays back what comes from it, killed in between or not', async () => {
    expect(await get('')).toMatchObject({
      ...{ currency: 2, code: 'HBR', supplyMinor: '0', reserve: null, licence: null, paused: false },
      minting: { limitMinor: '100000000', leftMinor: '100000000' },
    })
    const [ours, theirs, person] = [await officers(issuer), await officers(auditor), await customer()]
    const { wallet, holder, known } = person
    let references = 0
    const minting = (amountMinor: string) => {
      references += 1
      return { wallet: wallet.address, amountMinor, reference: `SEPA-${references}`, legalBasis }
    }
    expect(await refusedTogether(ours, '/mints', minting('1'))).toBe('coin_licence_missing')
    const [retail, money] = [await licence('retail'), await licence('electronic-money-institution')]
    const present = async (compact: string) =>
      (await ours[0]?.())?.call('POST', '/stablecoins/2/licence', { licence: compact })
    expect(codeOf((await present(retail.compact)) as Answer)).toEqual([422, 'coin_licence_of_another'])
    expect(await present(money.compact)).toMatchObject({ status: 201, body: { currency: 2 } })
    expect(await refusedTogether(ours, '/mints', minting('1'))).toBe('attestation_stale')

    const attested = await together(theirs, '/attestations', attestation('100000'))
    expect(await doneOf(attested['act'], auditor)).toMatchObject({ state: 'done' })
    expect(await refusedTogether(ours, '/attestations', attestation('5'))).toBe('coin_attestor_only')
    expect(await refusedTogether(ours, '/mints', minting('100001'))).toBe('mint_beyond_attested_reserve')
    const stranger = { ...minting('1'), wallet: Wallet.createRandom().address }
    expect(await refusedTogether(ours, '/mints', stranger)).toBe('wallet_not_eligible')

    const { act } = await together(ours, '/mints', minting('60000'))
    await service.kill()
    killNode(folder.path)
    provider.destroy()
    await start()
    expect(await doneOf(act)).toMatchObject({ state: 'done', amountMinor: '60000' })
    expect(await balanceOf(wallet.address)).toBe(60_000n)
    expect(await get('')).toMatchObject({ supplyMinor: '60000', licence: { inForce: true } })

    const authorization = await authorize(wallet, 15_000n)
    const body = { wallet: wallet.address, amountMinor: '15000', authorization, payTo: 'XN12 0001' }
    const redeem = async (which: Held[]) =>
      send(
        `${url(issuer)}/stablecoins/2/redemptions`,
        'POST',
        await holder.oneShot(issuer, 'redeemTokens', { currency: '2' }, body, which),
      )
    const asked = await redeem([known])
    expect([asked.status, asked.body['state']]).toEqual([202, 'requested'])
    const path = `/redemptions/${asked.body['redemption']}`
    await service.kill()
    killNode(folder.path)
    provider.destroy()
    await start()
    await until(
      () => get(path),
      ({ state }) => state === 'burnt',
    )
    expect([await balanceOf(wallet.address), (await get(''))['supplyMinor']]).toEqual([45_000n, '45000'])
    const paid = await together(ours, `${path}/payment`, { payment: 'OUT-1' })
    expect(paid).toMatchObject({ state: 'paid' })

    await caller(service, 'financial-regulator')('POST', '/credentials/status?wait=mined', {
      ...{ credentialId: money.id, status: true },
      credentialStatus: { type: 'BitstringStatusListEntry', statusPurpose: 'revocation' },
    })
    expect(await refusedTogether(ours, '/mints', minting('1'))).toBe('coin_licence_not_in_force')
  }, 120_000)

  it('has its money made once, whatever is started again, and the ledger serves it', async () => {
    const { address } = await get('')
    await service.stop()
    provider.destroy()
    await start()
    expect((await get(''))['address']).toBe(address)
    expect(await get('', auditor)).toMatchObject({ address, role: 'attestor' })
  }, 90_000)
})

describe('a nation that had no such issuer', () => {
  const older = temporaryFolder()
  afterAll(() => older.remove())
  const startAll = (more: string[]) =>
    startService({ dataDir: older.path, agencies: [...names, ...more].map(name => join(root, `agents/${name}.yml`)) })

  it('makes its money when it comes, if somebody else attests the reserve', async () => {
    await (await startAll([])).stop()
    await expect(startAll([issuer])).rejects.toThrow('one other agency attests the currency 2 (HBR)')
    killNode(older.path)
    const later = await startAll([issuer, auditor])
    try {
      const { status, body } = await send(`${later.url}/${issuer}/stablecoins/2`, 'GET')
      expect([status, body['code'], body['supplyMinor'], body['lockedMinor']]).toEqual([200, 'HBR', '0', '0'])
    } finally {
      await later.stop()
    }
  }, 120_000)
})
