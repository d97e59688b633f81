import { createAgent } from '@veramo/core'
import type {
  IAgentPlugin,
  ICredentialPlugin,
  IDIDManager,
  IIdentifier,
  IKeyManager,
  IResolver,
  TAgent,
} from '@veramo/core-types'
import { CredentialPlugin, type ICredentialProvider } from '@veramo/credential-w3c'
import { DIDManager, MemoryDIDStore } from '@veramo/did-manager'
import { KeyDIDProvider } from '@veramo/did-provider-key'
import { DIDResolverPlugin } from '@veramo/did-resolver'
import { KeyManager, MemoryKeyStore, MemoryPrivateKeyStore } from '@veramo/key-manager'
import { KeyManagementSystem } from '@veramo/kms-local'
import type { DIDResolutionResult } from 'did-resolver'
import { localDocument, parseLocalMethod } from '../../src/identity/did-local.ts'
import { compressed } from '../../src/identity/key-material.ts'
import type { Party, World } from './world.ts'

export type TestAgent = TAgent<IDIDManager & IKeyManager & IResolver & ICredentialPlugin>

/** What a stock resolver answers about the agencies of the world, and about every did:key and did:jwk. */
export const resolverOf = (world: World) => ({
  resolve: async (did: string): Promise<DIDResolutionResult> => {
    const found = { didResolutionMetadata: {}, didDocumentMetadata: {} }
    const local = parseLocalMethod(did)
    if (local !== undefined) return { ...found, didDocument: localDocument(local) }
    const party = [...world.parties.values()].find(each => each.did === did)
    if (party === undefined) return { ...found, didResolutionMetadata: { error: 'notFound' }, didDocument: null }
    const { kid, jwk } = party
    const method = { id: kid, type: 'JsonWebKey2020', controller: did, publicKeyJwk: jwk as { kty: string } }
    const didDocument = { id: did, verificationMethod: [method], assertionMethod: [kid], authentication: [kid] }
    return { ...found, didDocument }
  },
})

const rawPoint = (party: Party): Buffer => {
  const { x = '', y = '' } = party.jwk
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  return compressed('P-256', point)
}

/** A whole Veramo agent in memory. P-256 parties of the world become its identifiers. */
export const openVeramo = async (
  world: World,
  parts: { providers: ICredentialProvider[]; plugins?: IAgentPlugin[]; parties?: Party[] },
): Promise<TestAgent> => {
  const agent = createAgent<IDIDManager & IKeyManager & IResolver & ICredentialPlugin>({
    plugins: [
      new KeyManager({
        store: new MemoryKeyStore(),
        kms: { local: new KeyManagementSystem(new MemoryPrivateKeyStore()) },
      }),
      new DIDManager({
        store: new MemoryDIDStore(),
        defaultProvider: 'did:key',
        providers: { 'did:key': new KeyDIDProvider({ defaultKms: 'local' }) },
      }),
      new DIDResolverPlugin({ resolver: resolverOf(world) }),
      new CredentialPlugin(parts.providers),
      ...(parts.plugins ?? []),
    ],
  })
  for (const party of parts.parties ?? [world.transport, world.holder]) await adopt(agent, party)
  return agent
}

const adopt = async (agent: TestAgent, party: Party): Promise<IIdentifier> => {
  const { did, keyId: kid, privateKey } = party
  const privateKeyHex = Buffer.from(String(privateKey.export({ format: 'jwk' }).d), 'base64url').toString('hex')
  const publicKeyHex = rawPoint(party).toString('hex')
  const key = { kid, kms: 'local', type: 'Secp256r1' as const, privateKeyHex, publicKeyHex }
  return agent.didManagerImport({ did, provider: 'did:key', keys: [key] })
}
