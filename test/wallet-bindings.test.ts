import { verify } from 'node:crypto'
import { Interface, recoverAddress } from 'ethers'
import type { AgencyOnChain } from '../src/agency.ts'
import { bindingDigest, domainIdOf, pseudonymIdOf } from '../src/chain/wallets.ts'
import { addressOfKey } from '../src/identity/did-ethr.ts'
import { publicKeyFromJwk } from '../src/identity/key-material.ts'
import { type Keys, openKeys } from '../src/identity/keys.ts'
import type { Binding } from '../src/plugins/bindings/needs.ts'
import { bindingsOf, missingIssuerKeys } from '../src/wallet-bindings.ts'
import { scratch } from './identity/scratch.ts'

const files = scratch()
const clock = { now: Date.now }
let keys: Keys

beforeAll(async () => {
  keys = await openKeys({ agency: 'bank', directory: files.path('bank'), masterKey: files.masterKey(), clock })
})
afterAll(() => keys.close())

const place = { chainId: 31_337, address: `0x${'77'.repeat(20)}` }
const binding: Binding = {
  ...{ wallet: `0x${'12'.repeat(20)}`, domain: 'cbdc:xnd', pseudonym: Buffer.alloc(32, 7).toString('base64url') },
  ...{ level: 2, jurisdiction: 'XN', expiry: 2e12, deadline: 19e11, list: 32_768, index: 5 },
}

/** A KYC issuer with real keys, of which the root has thought this. */
const issuerOf = async (standing: 'admitted' | 'withdrawn' | undefined, accredited = true) => {
  const controller = await keys.obtain({ kind: 'secp256k1', alias: 'controller' })
  const signing = await keys.obtain({ kind: 'P-256', alias: 'signing' })
  const address = addressOfKey(controller.publicKeyHex)
  const contract = { address: place.address, interface: new Interface([]) }
  const agency = {
    ...{ keys, controller, signing, address, settings: { publicUrl: 'https://bank.example', clock } },
    config: { issues: ['KycAttestation'] },
    chain: {
      client: { chainId: place.chainId, chain: 'eip155:31337' },
      contracts: { WalletRegistry: contract, StatusRegistry: contract },
      follower: {
        wallets: { issuerKey: () => standing },
        trust: { accreditation: () => ({ accredited }) },
        status: {},
      },
    },
    derive: () => Buffer.alloc(32),
  } as unknown as AgencyOnChain
  const key = () => ({ did: '', kid: '', keyId: signing.keyId, algorithm: signing.algorithm })
  const parts = { key, newId: () => '', holdCredential: async () => undefined }
  const needs = bindingsOf(agency, { ...parts, pseudonyms: { of: async () => '', ofMany: async () => [] } })
  const given = { ...binding, issuer: address }
  const onChain = { ...given, domain: domainIdOf(given.domain), pseudonym: pseudonymIdOf(given.pseudonym) }
  return { agency, needs, address, signing, digest: bindingDigest(place, onChain) }
}

/** The contract encodes calls; here only what is signed counts. */
const signed = async (issuer: Awaited<ReturnType<typeof issuerOf>>): Promise<string> => {
  const { chain } = issuer.agency
  const encodeFunctionData = (_method: string, [, signature]: [unknown, string]) => signature
  Object.assign(chain.contracts.WalletRegistry.interface, { encodeFunctionData })
  return (await issuer.needs.sign(binding)).signature
}

describe('a wallet binding', () => {
  it('is signed with the P-256 key that the root admitted', async () => {
    const issuer = await issuerOf('admitted')
    const bytes = Buffer.from((await signed(issuer)).slice(2), 'hex')
    expect(bytes.subarray(0, 32).toString('base64url')).toBe(issuer.signing.thumbprint)
    const key = { key: publicKeyFromJwk(issuer.signing.jwk).publicKey, dsaEncoding: 'ieee-p1363' as const }
    expect(verify('sha256', issuer.digest, key, bytes.subarray(32))).toBe(true)
  })

  it('is signed by the owner of the DID while the root has not come to the key yet', async () => {
    const issuer = await issuerOf(undefined)
    const signature = await signed(issuer)
    expect(recoverAddress(issuer.digest, signature).toLowerCase()).toBe(issuer.address)
  })

  it.each([
    ['admitted', true, true],
    [undefined, true, true],
    ['withdrawn', true, false],
    ['admitted', false, false],
  ] as const)('with a key that is %s and accreditation %s may be made: %s', async (standing, accredited, expected) => {
    expect(await (await issuerOf(standing, accredited)).needs.mayBind()).toBe(expected)
  })
})

describe('the root', () => {
  it.each([
    [undefined, 1],
    ['admitted', 0],
    ['withdrawn', 0],
  ] as const)('of a key that is %s owes the chain %i admissions', async (standing, owed) => {
    const { agency } = await issuerOf(standing)
    expect(missingIssuerKeys(agency, [agency])).toHaveLength(owed)
    const other = { ...agency, config: { ...agency.config, issues: ['TaxRegistration'] } }
    expect(missingIssuerKeys(agency, [other])).toEqual([])
  })
})
