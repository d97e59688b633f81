import type { AgencyBase, AgencyOnChain } from './agency.ts'
import { type CurrencyRoles, makeWrite, openWrite, stageOf, termsOfIssuer } from './chain/currencies.ts'
import type { OpenedChain } from './chain/open.ts'
import { type AgencyConfig, ConfigError, type CurrencyConfig } from './config/agency.ts'
import { type Attribute, alsoKnownAsAttribute, keyAttribute, keyValiditySeconds } from './identity/did-ethr.ts'
import { didWebFor } from './identity/did-web.ts'
import { oprfAttribute, oprfKeyId, publishedOprfKey } from './identity/oprf.ts'
import type { CredentialTypes } from './identity/types.ts'
import type { ChainWrite } from './kernel/ports.ts'

import { missingIssuerKeys } from './wallet-bindings.ts'

/** What a first start registers on chain. Killed at any step and started again, it goes on where it was. */

/** Sends what is missing and waits until the replica shows it; what an earlier start sent is waited for, not repeated. */
export const settle = async (agency: AgencyOnChain, missing: () => ChainWrite[]): Promise<void> => {
  const patience = 5
  for (let round = 0; round < patience; round++) {
    if (!(await agency.outbox.settled(60_000)))
      throw new Error(`${agency.config.name}: the chain takes no transactions`)
    await agency.chain.follower.poke()
    const writes = missing()
    if (writes.length === 0) return
    await agency.store.transaction(tx => agency.outbox.enqueue(tx, writes))
    await agency.outbox.poke()
  }
  throw new Error(`${agency.config.name}: the chain refuses what the agency has to register`)
}

export const fund = async (agency: AgencyBase, chain: OpenedChain): Promise<void> => {
  if (chain.faucet === undefined) return
  const balance = await chain.client.provider.getBalance(agency.address)
  if (balance === 0n) await chain.faucet(agency.address)
}

/**
 * The attribute that names the authority's OPRF key. Another key that is in force stops the start: under a new one
 * everybody in the nation would have new pseudonyms.
 */
const oprfAttributes = ({ oprf, config, address, chain, settings }: AgencyOnChain): Attribute[] => {
  if (oprf === undefined) return []
  const published = publishedOprfKey(chain.follower.didEvents(address), settings.clock.now())
  if (published !== undefined && oprfKeyId(published) !== oprf.keyId) {
    throw new Error(`${config.name}: the OPRF key of this key store is not the one that the chain names`)
  }
  return [oprfAttribute(oprf.publicKey)]
}

/** What the agency's DID still lacks on chain: its signing key, its name on the web, and its OPRF key if it has one. */
export const missingAttributes = (agency: AgencyOnChain): ChainWrite[] => {
  const { address, signing, settings, chain } = agency
  const web = alsoKnownAsAttribute(didWebFor(settings.publicUrl))
  const wanted = [keyAttribute(signing), web, ...oprfAttributes(agency)]
  const events = chain.follower.didEvents(address)
  const known = (name: string, value: string) =>
    events.some(event => event.kind === 'attribute' && event.name === name && event.value.toLowerCase() === value)
  return wanted
    .filter(({ name, value }) => !known(name, value.toLowerCase()))
    .map(({ name, value }) => ({
      contract: 'EthereumDIDRegistry',
      method: 'setAttribute',
      args: [address, name, value, keyValiditySeconds],
      account: address,
    }))
}

/** What the root of trust still owes the nation on chain. */
export const missingTrust = (
  root: AgencyOnChain,
  agencies: readonly { address: string; config: AgencyConfig }[],
  types: CredentialTypes,
): ChainWrite[] => {
  const { trust } = root.chain.follower
  const account = root.address
  const now = root.settings.clock.now()
  const write = (method: string, args: unknown[]): ChainWrite => ({ contract: 'TrustRegistry', method, args, account })
  const writes: ChainWrite[] = []
  for (const type of types.all) {
    if (trust.schemaAdmitted(type.id, type.schemaDigest)) continue
    writes.push(write('admitSchema', [root.chain.typeId(type.id), type.schemaDigest]))
  }
  for (const { address, config } of agencies) {
    for (const typeId of config.issues) {
      types.byId(typeId)
      const verdict = trust.accreditation(address, typeId, now)
      // Only what was never granted: an accreditation that ended or is void is a decision, and start-up undoes none.
      if (verdict.accredited || verdict.reason !== 'unknown') continue
      const from = Math.floor(now / 1_000)
      writes.push(write('accredit', [address, root.chain.typeId(typeId), from, from + tenYearsSeconds, 0]))
    }
  }
  return writes
}
const tenYearsSeconds = 10 * 365 * 86_400

/** The chain account that holds the root role, lower case. */
export const rootOf = async ({
  contracts,
  client,
}: Pick<AgencyOnChain['chain'], 'contracts' | 'client'>): Promise<string> => {
  const { address, interface: governance } = contracts.Governance
  const data = governance.encodeFunctionData('root', [])
  const answer = await client.rpc<string>('eth_call', [{ to: address, data }, 'latest'])
  return `0x${answer.slice(-40)}`.toLowerCase()
}

/** The root takes its role over, then admits schemas and accredits whom the configuration names. */
export const establishTrust = async (
  root: AgencyOnChain,
  all: AgencyOnChain[],
  types: CredentialTypes,
): Promise<void> => {
  const { chain, address } = root
  const isRoot = async () => (await rootOf(chain)) === address
  if (!(await isRoot())) {
    const write = { contract: 'Governance', method: 'acceptRoot', args: [], account: address }
    await root.store.transaction(tx => root.outbox.enqueue(tx, [write]))
    await root.outbox.poke()
    await root.outbox.settled(60_000)
    if (!(await isRoot())) throw new Error(`${root.config.name} is configured as root but the chain names another`)
  }
  await settle(root, () => [...missingTrust(root, all, types), ...missingIssuerKeys(root, all)])
}

const sendAll = async (agency: AgencyOnChain, writes: readonly ChainWrite[]): Promise<void> => {
  if (writes.length === 0) return
  await agency.store.transaction(tx => agency.outbox.enqueue(tx, [...writes]))
  await agency.outbox.poke()
  if (!(await agency.outbox.settled(60_000))) throw new Error(`${agency.config.name}: the chain takes no transactions`)
}

type Planned = { agency: AgencyOnChain; currency: CurrencyConfig; roles: CurrencyRoles }

/** @throws ConfigError for a currency of the chain that nobody attests, or no ledger keeps */
const plannedCurrencies = (root: AgencyOnChain, agencies: readonly AgencyOnChain[]): Planned[] =>
  agencies.flatMap(agency =>
    agency.config.currencies.map(currency => {
      const { number, code, home } = currency
      const roles = { root: root.address, issuer: agency.address }
      if (home === 'ledger') return { agency, currency, roles }
      const one = (key: 'attests' | 'carries'): string => {
        const [found, ...others] = agencies.filter(({ config }) => config[key].includes(number))
        if (found === undefined || others.length > 0) {
          throw new ConfigError(`${agency.config.name}: one other agency ${key} the currency ${number} (${code})`)
        }
        return found.address
      }
      return { agency, currency, roles: { ...roles, attestor: one('attests'), operator: one('carries') } }
    }),
  )

/** Brings the currencies of the configuration onto the chain: the root makes them, their issuers give them terms, the root opens them. */
export const establishCurrencies = async (root: AgencyOnChain, agencies: readonly AgencyOnChain[]): Promise<void> => {
  const { chain, settings } = root
  const all = plannedCurrencies(root, agencies)
  const staged = () =>
    Promise.all(all.map(async each => ({ ...each, stage: await stageOf(chain, each.currency.number) })))
  const begun = await staged()
  const missing = begun.filter(({ stage }) => stage === 'missing')
  await sendAll(
    root,
    missing.map(({ currency, roles }) => makeWrite(chain, currency, roles)),
  )
  const made = (missing.length === 0 ? begun : await staged()).filter(({ stage }) => stage === 'made')
  const issuers = [...new Set(made.map(({ agency }) => agency))]
  await Promise.all(
    issuers.map(async agency => {
      const given = { issuer: agency.address, now: settings.clock.now() }
      const own = made.filter(each => each.agency === agency)
      const terms = await Promise.all(own.map(({ currency }) => termsOfIssuer(chain, currency, given)))
      await sendAll(agency, terms.flat())
    }),
  )
  await sendAll(root, await Promise.all(made.map(({ currency, roles }) => openWrite(chain, currency, roles))))
  const left = (await staged()).find(({ stage }) => stage !== 'open')
  if (left !== undefined) throw new Error(`the chain refuses the currency ${left.currency.code}`)
}
