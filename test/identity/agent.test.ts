import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { CredentialProviderJWT } from '@veramo/credential-jwt'
import { type Agent, openAgent } from '../../src/identity/agent.ts'
import { addressOfKey, type DidEvent, ethrDid, keyAttribute } from '../../src/identity/did-ethr.ts'
import { openDids } from '../../src/identity/dids.ts'
import { type Keys, openKeys } from '../../src/identity/keys.ts'
import { scratch } from './scratch.ts'

const chainId = 31_337

describe('the Veramo agent', () => {
  const files = scratch()
  let keys: Keys
  let bench: Agent
  let did: string
  beforeAll(async () => {
    keys = await openKeys({ agency: 'test', directory: files.path('agent'), masterKey: files.masterKey(), clock: Date })
    const account = await keys.create({ kind: 'secp256k1', alias: 'account' })
    const issuer = await keys.create({ kind: 'P-256', alias: 'issuer' })
    did = ethrDid(chainId, addressOfKey(account.publicKeyHex))
    const event: DidEvent = {
      kind: 'attribute',
      block: 1,
      timestamp: 1_000,
      validTo: 10_000_000_000n,
      ...keyAttribute(issuer),
    }
    const replica = { events: (address: string) => (did.endsWith(address) ? [event] : []) }
    const dids = openDids({ chainId, replica, clock: Date })
    bench = openAgent({ keys, dids, chainId, credentialProviders: [new CredentialProviderJWT()] })
    await bench.adopt({ did, alias: 'agency', controllerKeyId: 'account.1', keyIds: ['issuer.1'] })
  })
  afterAll(() => keys.close())

  const credentialOf = (issuer: string, keyRef?: string) =>
    bench.agent.createVerifiableCredential({
      credential: { issuer: { id: issuer }, credentialSubject: { id: 'did:example:1', name: 'x' } },
      proofFormat: 'jwt',
      ...(keyRef === undefined ? {} : { keyRef }),
    })

  it('has the agency in address form, however often it is adopted', async () => {
    const again = await bench.adopt({ did, alias: 'agency', controllerKeyId: 'account.1', keyIds: ['issuer.1'] })
    expect(again.keys.map(key => [key.kid, key.type]).sort()).toEqual([
      ['account.1', 'Secp256k1'],
      ['issuer.1', 'Secp256r1'],
    ])
    expect(await bench.agent.didManagerFind({ alias: 'agency' })).toHaveLength(1)
    const unknown = { did, alias: 'agency', controllerKeyId: 'nobody.1', keyIds: [] }
    await expect(bench.adopt(unknown)).rejects.toThrow('Key not found')
  })

  it('issues with the P-256 key and verifies through our resolver', async () => {
    const credential = await credentialOf(did, 'issuer.1')
    const [header] = String(credential.proof['jwt']).split('.')
    expect(JSON.parse(Buffer.from(header as string, 'base64url').toString()).alg).toBe('ES256')
    expect((await bench.agent.verifyCredential({ credential })).verified).toBe(true)
    const [head, , signature] = String(credential.proof['jwt']).split('.')
    const payload = Buffer.from(JSON.stringify({ iss: did, vc: {} })).toString('base64url')
    const forged = await bench.agent.verifyCredential({ credential: [head, payload, signature].join('.') })
    expect(forged.verified).toBe(false)
  })

  it('makes did:key, did:jwk and did:ethr, many at once, and resolves them', async () => {
    const providers = ['did:key', 'did:jwk', 'did:ethr', 'did:key', 'did:jwk', 'did:ethr']
    const made = await Promise.all(
      providers.map((provider, index) => bench.agent.didManagerCreate({ provider, alias: `made-${index}` })),
    )
    for (const identifier of made) {
      const { didDocument } = await bench.agent.resolveDid({ didUrl: identifier.did })
      expect(didDocument?.id).toBe(identifier.did)
    }
    expect(made[2]?.did).toMatch(/^did:ethr:0x7a69:0x[0-9a-f]{40}$/)
  })

  it('writes nothing to the chain past the outbox, and deletes no did:ethr', async () => {
    const refused = { kind: 'rejected', code: 'did_write_refused' }
    const key = await bench.agent.keyManagerGet({ kid: 'issuer.1' })
    const service = { id: 'x', type: 'x', serviceEndpoint: 'https://agency.example' }
    await expect(bench.agent.didManagerAddKey({ did, key })).rejects.toMatchObject(refused)
    await expect(bench.agent.didManagerRemoveKey({ did, kid: key.kid })).rejects.toMatchObject(refused)
    await expect(bench.agent.didManagerAddService({ did, service })).rejects.toMatchObject(refused)
    await expect(bench.agent.didManagerRemoveService({ did, id: 'x' })).rejects.toMatchObject(refused)
    await expect(bench.agent.didManagerDelete({ did })).rejects.toMatchObject(refused)
    expect((await bench.agent.didManagerGet({ did })).keys).toHaveLength(2)
  })

  it('verifies nothing of a DID that it cannot resolve', async () => {
    await expect(bench.agent.resolveDid({ didUrl: 'did:example:1' })).resolves.toMatchObject({
      didResolutionMetadata: { error: 'methodNotSupported' },
    })
  })
})
