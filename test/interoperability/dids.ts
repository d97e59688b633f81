import { createPublicKey, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { createAgent } from '@veramo/core'
import type { ICredentialPlugin, IDIDManager, IKeyManager, IResolver } from '@veramo/core-types'
import { CredentialProviderJWT } from '@veramo/credential-jwt'
import { CredentialPlugin } from '@veramo/credential-w3c'
import { DIDManager, MemoryDIDStore } from '@veramo/did-manager'
import { EthrDIDProvider } from '@veramo/did-provider-ethr'
import { getDidJwkResolver, JwkDIDProvider } from '@veramo/did-provider-jwk'
import { getDidKeyResolver, KeyDIDProvider } from '@veramo/did-provider-key'
import { DIDResolverPlugin } from '@veramo/did-resolver'
import { KeyManager, MemoryKeyStore, MemoryPrivateKeyStore } from '@veramo/key-manager'
import { KeyManagementSystem } from '@veramo/kms-local'
import { verifyCredential } from 'did-jwt-vc'
import { type Resolvable, Resolver } from 'did-resolver'
import { getResolver } from 'ethr-did-resolver'
import { ethrDid, keyAttribute } from '../../src/identity/did-ethr.ts'
import { didJwkOf } from '../../src/identity/did-local.ts'
import { openDids } from '../../src/identity/dids.ts'
import type { SecuringKey } from '../../src/identity/foreign/secure.ts'
import { openJws, signatureHolds } from '../../src/identity/formats/jose.ts'
import { openKeys } from '../../src/identity/keys.ts'
import { startChainNode } from '../identity/chain-node.ts'
import { newSigner } from '../identity/integrity/signers.ts'
import type { Json } from '../identity/sd-jwt/parts.ts'
import type { Cells, Group } from './cells.ts'
import { clock, judge, securing } from './ours.ts'

/** DIDs of ours that others resolve, and theirs that we do, each by a credential that is verified through it. */

const credentialBy = (issuer: string): Json => ({
  '@context': ['https://www.w3.org/2018/credentials/v1', 'https://www.w3.org/2018/credentials/examples/v1'],
  type: ['VerifiableCredential', 'UniversityDegreeCredential'],
  issuer,
  issuanceDate: '2023-01-01T00:00:00Z',
  credentialSubject: { id: 'did:example:a', degree: { type: 'BachelorDegree', name: 'Bachelor of Science' } },
})

const weIssue = async (key: SecuringKey): Promise<string> => {
  const secured = (await securing('jwt_vc', key).secure(credentialBy(key.did), {})) as Json | string
  return typeof secured === 'string' ? secured : (String(secured['id']).split(',')[1] ?? '')
}

const forged = (token: string): string => token.replace(/\.[^.]+$/, `.${'A'.repeat(86)}`)

const acceptedThere = async (token: string, resolver: Resolvable): Promise<void> => {
  expect((await verifyCredential(token, resolver)).verified).toBe(true)
  await expect(verifyCredential(forged(token), resolver)).rejects.toThrow()
}

const network = '0x7a69'

/** A stock agent that makes its own DIDs. */
const theyIssue = async (provider: string, options: Json, fragment?: string): Promise<string> => {
  const defaultKms = 'local'
  const agent = createAgent<IKeyManager & IDIDManager & IResolver & ICredentialPlugin>({
    plugins: [
      new KeyManager({
        store: new MemoryKeyStore(),
        kms: { local: new KeyManagementSystem(new MemoryPrivateKeyStore()) },
      }),
      new DIDManager({
        store: new MemoryDIDStore(),
        defaultProvider: provider,
        providers: {
          'did:key': new KeyDIDProvider({ defaultKms }),
          'did:jwk': new JwkDIDProvider({ defaultKms }),
          'did:ethr': new EthrDIDProvider({ defaultKms, networks: [{ name: network, chainId: network }] }),
        },
      }),
      new DIDResolverPlugin({ resolver: new Resolver({ ...getDidKeyResolver(), ...getDidJwkResolver() }) }),
      new CredentialPlugin([new CredentialProviderJWT()]),
    ],
  })
  const { did } = await agent.didManagerCreate({ provider, options })
  const header = fragment === undefined ? {} : { header: { kid: `${did}#${fragment}` } }
  const credential = credentialBy(did) as never
  const issued = await agent.createVerifiableCredential({ credential, proofFormat: 'jwt', ...header })
  return String(issued.proof['jwt'])
}

const acceptedHere = async (token: string): Promise<void> => {
  expect(await judge(token)).toBe('verified')
  expect(await judge(forged(token))).toBe('signature_invalid')
}

const keyCells: Cells = {
  'our issuer, their verifier': async () => {
    for (const curve of ['P-256', 'Ed25519'] as const) {
      await acceptedThere(await weIssue(newSigner(curve)), new Resolver(getDidKeyResolver()))
    }
  },
  'their issuer, our verifier': async () => {
    for (const keyType of ['Ed25519', 'Secp256k1']) await acceptedHere(await theyIssue('did:key', { keyType }))
  },
}

const jwkCells: Cells = {
  'our issuer, their verifier': async () => {
    for (const curve of ['P-256', 'Ed25519'] as const) {
      const signer = newSigner(curve)
      const did = didJwkOf({ jwk: createPublicKey(signer.privateKey).export({ format: 'jwk' }) })
      const key = { ...signer, did, verificationMethod: `${did}#0` }
      await acceptedThere(await weIssue(key), new Resolver(getDidJwkResolver()))
    }
  },
  'their issuer, our verifier': async () => {
    for (const keyType of ['Ed25519', 'Secp256k1', 'Secp256r1']) {
      await acceptedHere(await theyIssue('did:jwk', { keyType }))
    }
  },
}

const openChain = async () => {
  const node = await startChainNode()
  const directory = mkdtempSync(join(tmpdir(), 'chancery-interoperability-'))
  const masterKey = { bytes: randomBytes(32), generated: false }
  const keys = await openKeys({ agency: 'test', directory, masterKey, clock })
  const close = async (): Promise<void> => {
    await keys.close()
    await node.close()
    rmSync(directory, { recursive: true, force: true })
  }
  return { node, keys, close }
}
let chain: ReturnType<typeof openChain> | undefined

const ethrCells: Cells = {
  'our issuer, their verifier': async () => {
    chain ??= openChain()
    const { node, keys } = await chain
    const address = await (await node.account(1)).getAddress()
    const info = await keys.obtain({ kind: 'P-256', alias: 'issuing' })
    const { name, value } = keyAttribute(info)
    await node.send(1, 'setAttribute', address, name, value, 86_400)
    const did = ethrDid(node.chainId, address)
    const networks = [
      { name: network, chainId: network, registry: node.registryAddress, provider: node.provider as never },
    ]
    const key: SecuringKey = {
      ...{ did, verificationMethod: `${did}#delegate-1`, algorithm: 'ES256' },
      sign: data => keys.signer.sign(info.keyId, 'ES256', Buffer.from(data)),
    }
    await acceptedThere(await weIssue(key), new Resolver(getResolver({ networks })))
  },
  'their issuer, our verifier': async () => {
    const dids = openDids({ chainId: Number(network), replica: { events: () => [] }, clock })
    const token = await theyIssue('did:ethr', { network }, 'controllerKey')
    const { signed } = openJws(token)
    const key = await dids.key(signed.header.kid, 'assertionMethod')
    expect(await signatureHolds(signed, key)).toBe(true)
    expect(await signatureHolds(openJws(forged(token)).signed, key)).toBe(false)
  },
}

const row = (format: string, libraries: string[], cells: Cells) => ({
  ...{ format: `\`${format}\``, protocol: 'DID Resolution', libraries, cells },
})

export const dids: Group = {
  rows: [
    row('did:key', ['@veramo/did-provider-key'], keyCells),
    row('did:jwk', ['@veramo/did-provider-jwk'], jwkCells),
    row('did:ethr', ['ethr-did-resolver', '@veramo/did-provider-ethr'], ethrCells),
  ],
  close: async () => (await chain)?.close(),
}
