import {
  createAgent,
  type IAgentContext,
  type ICredentialPlugin,
  type IDataStore,
  type IDIDManager,
  type IIdentifier,
  type IKeyManager,
  type IResolver,
  type TAgent,
} from '@veramo/core'
import { CredentialProviderJWT } from '@veramo/credential-jwt'
import { CredentialPlugin } from '@veramo/credential-w3c'
import { DataStore, DIDStore, Entities, KeyStore, migrations, PrivateKeyStore } from '@veramo/data-store'
import { type AbstractIdentifierProvider, DIDManager, MemoryDIDStore } from '@veramo/did-manager'
import { EthrDIDProvider } from '@veramo/did-provider-ethr'
import { getDidKeyResolver, KeyDIDProvider } from '@veramo/did-provider-key'
import { DIDResolverPlugin } from '@veramo/did-resolver'
import { KeyManager, MemoryKeyStore, MemoryPrivateKeyStore } from '@veramo/key-manager'
import { KeyManagementSystem, SecretBox } from '@veramo/kms-local'
import type { DIDDocument, DIDResolver } from 'did-resolver'
import { Resolver } from 'did-resolver'
import { DataSource } from 'typeorm'

/** Plain Veramo 7.0.1, put together as its documentation does. Nothing of ours is in it. */

export const veramoName = 'Veramo 7.0.1'

export type VeramoAgent = TAgent<IKeyManager & IDIDManager & IResolver & ICredentialPlugin & IDataStore>

const chainId = 31_337

/** The document that ethr-did-resolver gives for a DID whose registry entry is empty, without asking a node for it. */
const ethrDocument = (did: string): DIDDocument => {
  const publicKeyHex = did.slice(did.lastIndexOf(':') + 3)
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/v3-unstable'],
    id: did,
    verificationMethod: [
      { id: `${did}#controllerKey`, type: 'EcdsaSecp256k1VerificationKey2019', controller: did, publicKeyHex },
    ],
    authentication: [`${did}#controllerKey`],
    assertionMethod: [`${did}#controllerKey`],
  }
}

/** @param known documents of DIDs that are resolved from memory; every other did:ethr has an empty registry entry. */
const resolverOf = (known: Record<string, DIDDocument>): Resolver => {
  const ethr: DIDResolver = async did => ({
    didDocument: known[did] ?? ethrDocument(did),
    didDocumentMetadata: {},
    didResolutionMetadata: { contentType: 'application/did+ld+json' },
  })
  return new Resolver({ ethr, ...getDidKeyResolver() })
}

export type VeramoOptions = {
  /** SQLite file for credentials, and for keys and DIDs too when `keysInFile`. */
  file?: string | undefined
  keysInFile?: boolean
  /** SQLite's write-ahead log, which is not Veramo's default and kinder to it. */
  wal?: boolean
  known?: Record<string, DIDDocument>
}

const openDatabase = (file: string, wal: boolean): Promise<DataSource> =>
  new DataSource({
    type: 'sqlite',
    database: file,
    enableWAL: wal,
    synchronize: false,
    migrations,
    migrationsRun: true,
    entities: Entities,
  }).initialize()

export const openVeramo = async (options: VeramoOptions): Promise<VeramoAgent> => {
  const database = options.file === undefined ? undefined : await openDatabase(options.file, options.wal ?? false)
  const kept = options.keysInFile === true ? database : undefined
  const secret = '29739248cad1bd1a0fc4d9b75cd4d2990de535baf5caadfdf8d5f86664aa830c'
  const providers: Record<string, AbstractIdentifierProvider> = {
    'did:ethr': new EthrDIDProvider({
      defaultKms: 'local',
      networks: [{ name: 'demo', chainId, rpcUrl: 'http://127.0.0.1:9', registry: `0x${'0'.repeat(39)}1` }],
    }),
    'did:key': new KeyDIDProvider({ defaultKms: 'local' }),
  }
  const privateKeys = kept ? new PrivateKeyStore(kept, new SecretBox(secret)) : new MemoryPrivateKeyStore()
  return createAgent<IKeyManager & IDIDManager & IResolver & ICredentialPlugin & IDataStore>({
    plugins: [
      new KeyManager({
        store: kept ? new KeyStore(kept) : new MemoryKeyStore(),
        kms: { local: new KeyManagementSystem(privateKeys) },
      }),
      new DIDManager({
        store: kept ? new DIDStore(kept) : new MemoryDIDStore(),
        defaultProvider: 'did:key',
        providers,
      }),
      new DIDResolverPlugin({ resolver: resolverOf(options.known ?? {}) }),
      new CredentialPlugin([new CredentialProviderJWT()]),
      ...(database === undefined ? [] : [new DataStore(database)]),
    ],
  })
}

/** Veramo signs ES256K for its did:ethr and EdDSA for its did:key; which is faster depends on the work. */
export const issuerKinds = ['ES256K did:ethr', 'EdDSA did:key'] as const
export type IssuerKind = (typeof issuerKinds)[number]

export const createIssuer = (agent: VeramoAgent, kind: IssuerKind): Promise<IIdentifier> =>
  kind === 'EdDSA did:key'
    ? agent.didManagerCreate({ provider: 'did:key', options: { keyType: 'Ed25519' } })
    : agent.didManagerCreate({ provider: 'did:ethr', options: { network: 'demo' } })

export const issue = (agent: VeramoAgent, issuer: IIdentifier, type: string, subject: Record<string, unknown>) =>
  agent.createVerifiableCredential({
    credential: {
      issuer: { id: issuer.did },
      type: ['VerifiableCredential', type],
      issuanceDate: new Date().toISOString(),
      expirationDate: new Date(Date.now() + 365 * 86_400_000).toISOString(),
      credentialSubject: subject,
    },
    proofFormat: 'jwt',
  })

export type { IAgentContext }
