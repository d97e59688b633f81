import { createAgent } from '@veramo/core'
import type {
  IAgentContext,
  IAgentPlugin,
  ICredentialPlugin,
  IDIDManager,
  IIdentifier,
  IKey,
  IKeyManager,
  IResolver,
  TAgent,
} from '@veramo/core-types'
import { CredentialPlugin, type ICredentialProvider } from '@veramo/credential-w3c'
import { DIDManager } from '@veramo/did-manager'
import { EthrDIDProvider } from '@veramo/did-provider-ethr'
import { JwkDIDProvider } from '@veramo/did-provider-jwk'
import { KeyDIDProvider } from '@veramo/did-provider-key'
import { WebDIDProvider } from '@veramo/did-provider-web'
import { DIDResolverPlugin } from '@veramo/did-resolver'
import { Refusal } from '../kernel/refusal.ts'
import { addressOfKey, ethrDid } from './did-ethr.ts'
import type { Dids } from './dids.ts'
import type { Keys } from './keys.ts'
import { QueuedDidStore } from './veramo-store.ts'

export type VeramoAgent = TAgent<IDIDManager & IKeyManager & IResolver & ICredentialPlugin>

export type AgentOptions = {
  keys: Keys
  dids: Dids
  chainId: bigint | number
  /** One a credential format; `identity/formats/` has them. */
  credentialProviders: ICredentialProvider[]
  /** Further Veramo plugins, e.g. the adapter of `dataStore*` over our tables. */
  plugins?: IAgentPlugin[]
}

/** The agency's own identifier: a did:ethr in address form, its controller key and its signing keys, by key id. */
export type AgencyIdentifier = { did: string; alias: string; controllerKeyId: string; keyIds: readonly string[] }

export type Agent = {
  agent: VeramoAgent
  /** Makes the identifier known to Veramo; again and again with the same outcome, and with other keys after a rotation. */
  adopt(identifier: AgencyIdentifier): Promise<IIdentifier>
}

const outboxOnly = (): Promise<never> =>
  Promise.reject(
    new Refusal('rejected', 'did_write_refused', 'A did:ethr is changed through the outbox, not by Veramo itself.'),
  )

/**
 * Veramo's did:ethr provider without its ways of writing: it would send transactions past the outbox, with nonces of its
 * own and attribute names that no verifier reads. What it creates is in address form, as all our did:ethr are.
 */
class AddressEthrProvider extends EthrDIDProvider {
  readonly #chainId: bigint | number

  constructor(chainId: bigint | number) {
    const name = `0x${BigInt(chainId).toString(16)}`
    super({ defaultKms: 'local', networks: [{ name, chainId: name }] })
    this.#chainId = chainId
  }

  override async createIdentifier(
    args: Parameters<EthrDIDProvider['createIdentifier']>[0],
    context: IAgentContext<IKeyManager>,
  ): Promise<Omit<IIdentifier, 'provider'>> {
    const network = `0x${BigInt(this.#chainId).toString(16)}`
    const created = await super.createIdentifier({ ...args, options: { ...args.options, network } }, context)
    const [key] = created.keys
    return { ...created, did: ethrDid(this.#chainId, addressOfKey((key as IKey).publicKeyHex)) }
  }

  override deleteIdentifier = outboxOnly
  override addKey = outboxOnly
  override addService = outboxOnly
  override removeKey = outboxOnly
  override removeService = outboxOnly
}

/** The Veramo agent of an agency, over our keys, our resolver and the formats it is given. */
export const openAgent = (options: AgentOptions): Agent => {
  const { keys, dids, chainId, credentialProviders, plugins = [] } = options
  const store = new QueuedDidStore(keys.store)
  const ethr = new AddressEthrProvider(chainId)
  const network = `did:ethr:0x${BigInt(chainId).toString(16)}`
  const didManager = new DIDManager({
    store,
    defaultProvider: network,
    providers: {
      [network]: ethr,
      'did:ethr': ethr,
      'did:key': new KeyDIDProvider({ defaultKms: 'local' }),
      'did:jwk': new JwkDIDProvider({ defaultKms: 'local' }),
      'did:web': new WebDIDProvider({ defaultKms: 'local' }),
    },
  })
  const resolver = { resolve: (did: string, options?: object) => dids.resolve(did, options) }
  const agent = createAgent<IDIDManager & IKeyManager & IResolver & ICredentialPlugin>({
    plugins: [
      keys.manager,
      didManager,
      new DIDResolverPlugin({ resolver }),
      new CredentialPlugin(credentialProviders),
      ...plugins,
    ],
  })
  return {
    agent,
    async adopt({ did, alias, controllerKeyId, keyIds }) {
      const wanted = [...new Set([controllerKeyId, ...keyIds])]
      const managed: IKey[] = []
      for (const kid of wanted) managed.push(await agent.keyManagerGet({ kid }))
      await store.importDID({ did, alias, provider: network, controllerKeyId, keys: managed, services: [] })
      return agent.didManagerGet({ did })
    },
  }
}
