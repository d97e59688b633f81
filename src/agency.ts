import { hkdfSync, randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Store1760000000100 } from '../migrations/agency/0100-store.ts'
import { Outbox1763600000200 } from '../migrations/agency/0200-outbox.ts'
import { Credentials1763600000300 } from '../migrations/agency/0300-credentials.ts'
import { Anchored1763600000350 } from '../migrations/agency/0350-anchored.ts'
import { Wallet1763600000400 } from '../migrations/agency/0400-wallet.ts'
import { Access1763600000500 } from '../migrations/agency/0500-access.ts'
import { Evidence1763700000550 } from '../migrations/agency/0550-evidence.ts'
import { Gate1763700000600 } from '../migrations/agency/0600-gate.ts'
import { Mandates1763700000700 } from '../migrations/agency/0700-mandates.ts'
import { Pseudonyms1763700000750 } from '../migrations/agency/0750-pseudonyms.ts'
import { Bindings1763700000800 } from '../migrations/agency/0800-bindings.ts'
import { Registry1763700000900 } from '../migrations/agency/0900-registry.ts'
import { Land1763700000950 } from '../migrations/agency/0950-land.ts'
import { Assets1763700000960 } from '../migrations/agency/0960-assets.ts'
import { Cbdc1763800001000 } from '../migrations/agency/1000-cbdc.ts'
import { WalletLedgerKeys1763800001010 } from '../migrations/agency/1010-wallet-ledger-keys.ts'
import { CbdcOrders1763800001020 } from '../migrations/agency/1020-cbdc-orders.ts'
import { CbdcInterbank1763800001030 } from '../migrations/agency/1030-cbdc-interbank.ts'
import { CbdcReceipts1763800001040 } from '../migrations/agency/1040-cbdc-receipts.ts'
import { Aliases1763800001050 } from '../migrations/agency/1050-aliases.ts'
import { CbdcRail1763800001060 } from '../migrations/agency/1060-cbdc-rail.ts'
import { CbdcArbiters1763800001070 } from '../migrations/agency/1070-cbdc-arbiters.ts'
import { LandPayments1763800001080 } from '../migrations/agency/1080-land-payments.ts'
import { CbdcReservationEntries1763800001085 } from '../migrations/agency/1085-cbdc-reservation-entries.ts'
import { CbdcInstructions1763800001090 } from '../migrations/agency/1090-cbdc-instructions.ts'
import { CbdcRequests1763800001100 } from '../migrations/agency/1100-cbdc-requests.ts'
import { CbdcOffline1763800001110 } from '../migrations/agency/1110-cbdc-offline.ts'
import { CbdcPurposes1763800001120 } from '../migrations/agency/1120-cbdc-purposes.ts'
import { CbdcExchanges1763800001130 } from '../migrations/agency/1130-cbdc-exchanges.ts'
import { Stablecoin1763800001140 } from '../migrations/agency/1140-stablecoin.ts'
import { CbdcBoundedReads1763800001150 } from '../migrations/agency/1150-cbdc-bounded-reads.ts'
import { CbdcPurseReads1763800001160 } from '../migrations/agency/1160-cbdc-purse-reads.ts'
import { VcApi1763900001170 } from '../migrations/agency/1170-vc-api.ts'
import { Exchanges1763900001180 } from '../migrations/agency/1180-exchanges.ts'
import { PresentationRequests1763900001200 } from '../migrations/agency/1200-presentation-requests.ts'
import { WalletPresentations1763900001210 } from '../migrations/agency/1210-wallet-presentations.ts'
import { WalletCollections1763900001220 } from '../migrations/agency/1220-wallet-collections.ts'
import { Openid4vci1763900001230 } from '../migrations/agency/1230-openid4vci.ts'
import { Authorization1763900001240 } from '../migrations/agency/1240-authorization.ts'
import { Certificates1763900001250 } from '../migrations/agency/1250-certificates.ts'
import { Federation1763900001260 } from '../migrations/agency/1260-federation.ts'
import { Didcomm1763900001270 } from '../migrations/agency/1270-didcomm.ts'
import { DidLog1763900001280 } from '../migrations/agency/1280-did-log.ts'
import { InstanceLists1763900001281 } from '../migrations/agency/1281-instance-lists.ts'
import { Openid4vciUntaken1763900001290 } from '../migrations/agency/1290-openid4vci-untaken.ts'
import { InstancePurposes1763900001291 } from '../migrations/agency/1291-instance-purposes.ts'
import { Chain1763600000001 } from '../migrations/chain/0001-chain.ts'
import { AnchoredCopies1763600000002 } from '../migrations/chain/0002-anchored.ts'
import { type AnchoredKeeper, keepAnchored } from './chain/anchored.ts'
import type { Chain } from './chain/chain.ts'
import { chainEntities, outboxEntities } from './chain/entities.ts'
import { type ChainSettings, type OpenedChain, openChain, readNetworkContracts } from './chain/open.ts'
import { type Outbox, openOutbox } from './chain/outbox.ts'
import type { AgencyConfig } from './config/agency.ts'
import { addressOfKey, ethrDid } from './identity/did-ethr.ts'
import { type Dids, openDids } from './identity/dids.ts'
import { fetchBounded } from './identity/fetch-bounded.ts'
import type { IssuerKey } from './identity/issue.ts'
import { type KeyInfo, type Keys, openKeys } from './identity/keys.ts'
import { type OprfKey, openOprfKey } from './identity/oprf.ts'
import type { MasterKey } from './identity/seal.ts'
import type { CredentialTypes } from './identity/types.ts'
import type { House } from './kernel/perform.ts'
import type { Clock, Store } from './kernel/ports.ts'
import { entities as aliasEntities } from './plugins/aliases/entities.ts'
import { entities as bindingEntities } from './plugins/bindings/entities.ts'
import { entities as cbdcEntities } from './plugins/cbdc/entities.ts'
import { entities as certificateEntities } from './plugins/certificates/entities.ts'
import { readPublished } from './plugins/credentials/actions/anchored.ts'
import { entities as credentialEntities } from './plugins/credentials/entities.ts'
import { entities as didcommEntities } from './plugins/didcomm/entities.ts'
import { entities as didEntities } from './plugins/dids/entities.ts'
import { entities as federationEntities } from './plugins/federation/entities.ts'
import { entities as gateEntities } from './plugins/gate/entities.ts'
import { entities as mandateEntities } from './plugins/mandates/entities.ts'
import { authorizationEntities } from './plugins/openid4vci/authorization/entities.ts'
import { issuerEntities } from './plugins/openid4vci/entities.ts'
import { entities as presentationEntities } from './plugins/openid4vp/entities.ts'
import { entities as pseudonymEntities } from './plugins/pseudonyms/entities.ts'
import { entities as registryEntities } from './plugins/registry/entities.ts'
import { entities as stablecoinEntities } from './plugins/stablecoin/entities.ts'
import { entities as vcApiEntities } from './plugins/vc-api/entities.ts'
import { entities as walletEntities } from './plugins/wallet/entities.ts'
import { accessEntities, storeEntities } from './store/entities.ts'
import { openIdempotency } from './store/idempotency.ts'
import { journal } from './store/journal.ts'
import { openSequencer, type Sequencer } from './store/sequencer.ts'
import { openStore } from './store/store.ts'
import { verifierKey } from './store/tlog-note.ts'

/** One institution: its own database, keys, chain account and DID. */
export type AgencySettings = {
  dataDir: string
  databaseUrl: string | undefined
  masterKey: MasterKey
  clock: Clock
  publicUrl: string
}

/** What stands before the chain is asked for anything. */
export type AgencyBase = {
  config: AgencyConfig
  settings: AgencySettings
  store: Awaited<ReturnType<typeof openStore>>
  house: House
  log: { origin: string; verifierKey: string; sequencer: Sequencer }
  keys: Keys
  controller: KeyInfo
  signing: KeyInfo
  /** Of the did:ethr and of the chain account, lower case. */
  address: string
  /** Of the authority that evaluates pseudonyms, and of a directory of aliases. */
  oprf: OprfKey | undefined
  /** For purposes of the agency's own; never leaves the process. */
  derive(purpose: string): Buffer
}

/** Every table of an agency, whatever plugins it mounts: a plugin that is added later finds its tables. */
export const agencyEntities = [
  ...storeEntities,
  ...outboxEntities,
  ...credentialEntities,
  ...certificateEntities,
  ...didEntities,
  ...didcommEntities,
  ...federationEntities,
  ...walletEntities,
  ...gateEntities,
  ...presentationEntities,
  ...mandateEntities,
  ...issuerEntities,
  ...authorizationEntities,
  ...pseudonymEntities,
  ...bindingEntities,
  ...aliasEntities,
  ...registryEntities,
  ...cbdcEntities,
  ...stablecoinEntities,
  ...vcApiEntities,
  ...accessEntities,
]

export const agencyMigrations = [
  Store1760000000100,
  Outbox1763600000200,
  Credentials1763600000300,
  Anchored1763600000350,
  Wallet1763600000400,
  Access1763600000500,
  Evidence1763700000550,
  Gate1763700000600,
  Mandates1763700000700,
  Pseudonyms1763700000750,
  Bindings1763700000800,
  Registry1763700000900,
  Land1763700000950,
  Assets1763700000960,
  Cbdc1763800001000,
  WalletLedgerKeys1763800001010,
  CbdcOrders1763800001020,
  CbdcInterbank1763800001030,
  CbdcReceipts1763800001040,
  Aliases1763800001050,
  CbdcRail1763800001060,
  CbdcArbiters1763800001070,
  LandPayments1763800001080,
  CbdcReservationEntries1763800001085,
  CbdcInstructions1763800001090,
  CbdcRequests1763800001100,
  CbdcOffline1763800001110,
  CbdcPurposes1763800001120,
  CbdcExchanges1763800001130,
  Stablecoin1763800001140,
  CbdcBoundedReads1763800001150,
  CbdcPurseReads1763800001160,
  VcApi1763900001170,
  Exchanges1763900001180,
  PresentationRequests1763900001200,
  WalletPresentations1763900001210,
  WalletCollections1763900001220,
  Openid4vci1763900001230,
  Authorization1763900001240,
  Certificates1763900001250,
  Federation1763900001260,
  Didcomm1763900001270,
  DidLog1763900001280,
  InstanceLists1763900001281,
  Openid4vciUntaken1763900001290,
  InstancePurposes1763900001291,
]

/** The log's name is the agency's public URL without its scheme, as C2SP asks. */
const openLog = ({ publicUrl, clock }: AgencySettings, store: Store, keys: Keys, key: KeyInfo): AgencyBase['log'] => {
  const origin = `${publicUrl.replace(/^https?:\/\//, '')}/log`
  const publicKey = Buffer.from(key.publicKeyHex, 'hex')
  const sign = (data: Uint8Array) => keys.signer.sign(key.keyId, 'EdDSA', data)
  const sequencer = openSequencer({ store, clock, origin, publicKey, sign })
  return { origin, verifierKey: verifierKey({ name: origin, publicKey }), sequencer }
}

/** The agency's own database, without its keys. */
export const openAgencyStore = (name: string, settings: Pick<AgencySettings, 'dataDir' | 'databaseUrl'>) => {
  const { dataDir, databaseUrl } = settings
  return openStore({
    ...(databaseUrl === undefined
      ? { file: join(dataDir, name, 'agency.sqlite') }
      : { databaseUrl, schema: name.replace(/[^a-z0-9]/g, '_') }),
    migrations: agencyMigrations,
    entities: agencyEntities,
  })
}

export const openAgencyBase = async (config: AgencyConfig, settings: AgencySettings): Promise<AgencyBase> => {
  const directory = join(settings.dataDir, config.name)
  // The first API key stands here with either database.
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const { databaseUrl, clock, masterKey } = settings
  const keys = await openKeys({ agency: config.name, directory, postgresUrl: databaseUrl, masterKey, clock })
  const store = await openAgencyStore(config.name, settings)
  const controller = await keys.obtain({ kind: 'secp256k1', alias: 'controller' })
  const signing = await keys.obtain({ kind: 'P-256', alias: 'signing' })
  const logKey = await keys.obtain({ kind: 'Ed25519', alias: 'log' })
  return {
    config,
    settings,
    store,
    log: openLog(settings, store, keys, logKey),
    house: { store, journal, idempotency: openIdempotency(clock), clock },
    keys,
    controller,
    signing,
    address: addressOfKey(controller.publicKeyHex),
    oprf: config.plugins.some(each => each === 'pseudonyms' || each === 'aliases')
      ? await openOprfKey(keys)
      : undefined,
    derive: purpose => Buffer.from(hkdfSync('sha256', masterKey.bytes, config.name, purpose, 32)),
  }
}

export type FollowSettings = Pick<
  ChainSettings,
  'dataDir' | 'clock' | 'rpcUrls' | 'production' | 'rootAccount' | 'log'
> & {
  contractsFile: string | undefined
}

export const isFresh = ({ follower }: Pick<Chain, 'follower'>): boolean => {
  try {
    follower.assertFresh()
    return true
  } catch {
    return false
  }
}

export const chainMigrations = [Chain1763600000001, AnchoredCopies1763600000002]

/** The chain, and the database of its replica. */
export type FollowedChain = OpenedChain & { store: Store }

/** The chain with its replica in a database of its own, read up to now. */
export const followChain = async (settings: FollowSettings): Promise<FollowedChain> => {
  const { dataDir, clock, rpcUrls, production, rootAccount, log, contractsFile } = settings
  const folder = join(dataDir, 'chain')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const network = contractsFile === undefined ? undefined : await readNetworkContracts(contractsFile)
  const file = join(folder, 'replica.sqlite')
  const store = await openStore({ file, migrations: chainMigrations, entities: chainEntities })
  let opened: OpenedChain | undefined
  const close = async () => {
    await opened?.close()
    await store.close()
  }
  try {
    opened = await openChain({ dataDir, clock, store, rpcUrls, production, log, network, rootAccount })
    await opened.follower.caughtUp()
    return { ...opened, store, close }
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
}

/**
 * Keeps the anchored status lists of every issuer that has ever been accredited: those of this process from their own
 * databases, the others from where their issuers serve them.
 */
export const keepLists = (
  chain: FollowedChain,
  agencies: AgencyBase[],
  types: CredentialTypes,
  log: FollowSettings['log'],
): Promise<AnchoredKeeper> => {
  const { follower, store } = chain
  const allowedHttpOrigins = [...new Set(agencies.flatMap(({ config }) => config.allowedHttpOrigins))]
  const clock = agencies[0]?.settings.clock ?? { now: Date.now }
  return keepAnchored({
    ...{ follower, store, clock, log },
    counts: issuer => {
      // While the chain cannot be followed nothing is judged, so nothing is fetched.
      if (!isFresh(chain)) return false
      return types.all.some(({ id }) => {
        const verdict = follower.trust.accreditation(issuer, id, clock.now())
        return verdict.accredited || verdict.reason !== 'unknown'
      })
    },
    own: async (issuer, list, version) => {
      const agency = agencies.find(({ address }) => address === issuer)
      return agency && (await readPublished(agency.store, list, version))?.bits
    },
    fetch: async (url, maxBytes) => {
      const bounds = { allowedHttpOrigins, maxBytes, timeoutMs: listTimeoutMs, accept: 'application/octet-stream' }
      return (await fetchBounded(url, bounds)).body
    },
  })
}
const listTimeoutMs = 10_000

/** The agency on the chain: its account's outbox and its view of DIDs. */
export type AgencyOnChain = AgencyBase & { chain: Chain; did: string; dids: Dids; outbox: Outbox }

export const bringOnChain = (
  base: AgencyBase,
  chain: Chain,
  log: Parameters<typeof openOutbox>[0]['log'],
): AgencyOnChain => {
  const { keys, controller, address, config, settings } = base
  const outbox = openOutbox({
    store: base.store,
    client: chain.client,
    clock: settings.clock,
    account: { address, sign: digest => keys.signDigest(controller.keyId, digest) },
    contracts: chain.contracts,
    confirmations: chain.confirmations,
    // The demo runs in one process: after a crash nobody else holds the lease, so there is little to wait for.
    ...(chain.mine === undefined ? {} : { mine: chain.mine, leaseMs: 3_000 }),
    ...(chain.persist === undefined ? {} : { persist: chain.persist }),
    onMined: () => chain.follower.poke().catch(() => undefined),
    ...(log === undefined ? {} : { log }),
  })
  const dids = openDids({
    chainId: chain.client.chainId,
    replica: { events: address => chain.follower.didEvents(address), assertFresh: () => chain.follower.assertFresh() },
    web: { allowedHttpOrigins: config.allowedHttpOrigins },
    clock: settings.clock,
  })
  chain.follower.onDidChange(identity => dids.changed(identity))
  return { ...base, chain, outbox, dids, did: ethrDid(chain.client.chainId, address) }
}

/** The key that signs credentials, under the name its DID document gives it. */
export const issuerKey = async (agency: AgencyOnChain): Promise<IssuerKey> => {
  const { signing, dids, did } = agency
  const { didDocument } = await dids.resolve(did)
  for (const method of didDocument?.verificationMethod ?? []) {
    const kid = method.id.startsWith('#') ? did + method.id : method.id
    if (method.publicKeyJwk?.kty !== 'EC' || method.publicKeyJwk.x !== signing.jwk.x) continue
    const key = await dids.key(kid, 'assertionMethod')
    if (key.thumbprint === signing.thumbprint) {
      return { did, kid, keyId: signing.keyId, algorithm: signing.algorithm }
    }
  }
  throw new Error(`${agency.config.name}: the signing key is not in the DID document of ${did}`)
}

/** Names this process where a lease has to. */
export const processId = randomUUID()
