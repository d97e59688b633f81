import { keccak } from './chain/keccak.ts'
import { openStablecoin } from './chain/stablecoin.ts'
import { ConfigError } from './config/agency.ts'
import { didcommOf } from './didcomm.ts'
import { openFederationOf } from './federation.ts'
import type { OpenApiDocument } from './http/contract.ts'
import { parseJson } from './http/json.ts'
import { openAgent, type VeramoAgent } from './identity/agent.ts'
import { openAliasFunction } from './identity/alias-function.ts'
import { parseEthrDid } from './identity/did-ethr.ts'
import { didKeyOf } from './identity/did-local.ts'
import { formats, openCredential } from './identity/formats/detect.ts'
import { publicKeyFromJwk } from './identity/key-material.ts'
import { proveKey, sealKeyProof } from './identity/key-proof.ts'
import { domainInfo } from './identity/oprf.ts'
import { openEvaluator } from './identity/oprf-evaluator.ts'
import { presentCredential, verifyPresentation } from './identity/present.ts'
import { veramoFormats } from './identity/veramo-formats.ts'
import {
  assertDistinct,
  type GatedAgent,
  type OperationPlugin,
  openGatedAgent,
  veramoPlugin,
  veramoSurface,
} from './identity/veramo-plugin.ts'
import { issuerAddress } from './identity/verify.ts'
import { pemOfCertificate, pemOfCertificateRequest } from './identity/x509/certificate.ts'
import { instancesOf } from './instances.ts'
import { derivePseudonyms } from './institutions.ts'
import type { Caller } from './kernel/gate.ts'
import type { Issuance } from './kernel/identity.ts'
import { perform } from './kernel/perform.ts'
import type { Route } from './kernel/plugin.ts'
import { statusBitWrites } from './lists.ts'
import { moneyOf, moneyRounds } from './money.ts'
import type { Mounted, Mounting } from './mounting.ts'
import { openid4vciOf } from './openid4vci.ts'
import { aliases } from './plugins/aliases/plugin.ts'
import { endBindingsUnder } from './plugins/bindings/actions/end.ts'
import { bindings } from './plugins/bindings/plugin.ts'
import { openDesk } from './plugins/cbdc/actions/desk.ts'
import { cbdc } from './plugins/cbdc/plugin.ts'
import { certificates } from './plugins/certificates/plugin.ts'
import { agentMethods } from './plugins/credentials/actions/agent.ts'
import { store } from './plugins/credentials/actions/issue.ts'
import { decideStatus, holdCredential, type StatusNeeds } from './plugins/credentials/actions/status.ts'
import type { CredentialsNeeds } from './plugins/credentials/needs.ts'
import { credentials } from './plugins/credentials/plugin.ts'
import { requires } from './plugins/credentials/policy.ts'
import { didcomm, openDesk as openMessageDesk, sendDue } from './plugins/didcomm/plugin.ts'
import { federation } from './plugins/federation/plugin.ts'
import { mandates } from './plugins/mandates/plugin.ts'
import { openid4vci, openSweeps } from './plugins/openid4vci/plugin.ts'
import { pseudonyms } from './plugins/pseudonyms/plugin.ts'
import type { RegistryNeeds } from './plugins/registry/needs.ts'
import { registry } from './plugins/registry/plugin.ts'
import { followCoins } from './plugins/stablecoin/actions/follow.ts'
import type { StablecoinNeeds } from './plugins/stablecoin/needs.ts'
import { stablecoin } from './plugins/stablecoin/plugin.ts'
import { vcApi } from './plugins/vc-api/plugin.ts'
import { citizenSessions, wallet } from './plugins/wallet/plugin.ts'
import { keepRegisters, registryOf } from './registers.ts'
import { keepRound } from './rounds.ts'
import { openLogProofs } from './store/log-proofs.ts'
import { presentationAnswersOf } from './verifiers.ts'
import { bindingsOf } from './wallet-bindings.ts'
import { collectingOf } from './wallet-collecting.ts'

/** Code of this process that uses Veramo's agent, as the journal names it. */
const agentItself: Caller = { kind: 'apiKey', id: 'veramo-agent', scopes: [requires.issue.scope] }

/** Veramo's agent over the agency's keys and DIDs, opened when somebody first asks for it. */
const openVeramo = (mounting: Mounting): CredentialsNeeds['veramo'] => {
  const { agency, types, identity, verifying, issuerKey } = mounting
  const { keys, dids, did, chain, controller, signing, config, settings, house } = agency
  const { providers, status } = veramoFormats({
    ...{ did, types, clock: settings.clock, audience: [settings.publicUrl, did], issuerKey },
    // What code in this process issues through the agent is kept and journalled as every other credential is.
    async issue(request) {
      const issued = await identity.issue(request)
      return perform(house, {
        ...{ operation: 'issueCredential', requires: requires.issue, caller: agentItself, input: request },
        act: async tx => {
          store(tx, issued)
          return { compact: issued.compact }
        },
      })
    },
    verify: identity.verify,
    verifyPresentation: (presentation, expected) => verifyPresentation(presentation, verifying, expected),
  })
  const open = async (): Promise<VeramoAgent> => {
    const { chainId } = chain.client
    const { agent, adopt } = openAgent({ keys, dids, chainId, credentialProviders: providers, plugins: [status] })
    await adopt({ did, alias: config.name, controllerKeyId: controller.keyId, keyIds: [signing.keyId] })
    return agent
  }
  let opened: Promise<VeramoAgent> | undefined
  return {
    async call(method, args) {
      opened ??= open().catch(error => {
        opened = undefined
        throw error
      })
      return (await opened).execute(method, args)
    },
    show(compact) {
      const credential = openCredential(compact, types)
      if (credential.format === 'ldp_vc') return credential.document
      return { ...formats[credential.format].show(credential), proof: { type: 'JwtProof2020', jwt: compact } }
    },
  }
}

/** What a Veramo agent over an agency is made of. */
export type AgentParts = {
  openapi: OpenApiDocument
  /** Of the agency, by operationId. */
  routes: Record<string, Route>
  /** The door that HTTP takes too. */
  call: OperationPlugin['call']
}

/** Operations by the plugin that openapi.yaml says serves them; streams of lines are for HTTP only. */
const operationsOf = ({ openapi, routes }: AgentParts): Map<string, string[]> => {
  const operations = new Map<string, string[]>()
  for (const each of Object.values(openapi.paths).flatMap(item => Object.values(item))) {
    const { operationId = '', 'x-plugin': plugin = '' } = each as { operationId?: string; 'x-plugin'?: string }
    const route = Object.hasOwn(routes, operationId) ? routes[operationId] : undefined
    if (route === undefined || !('run' in route)) continue
    operations.set(plugin, [...(operations.get(plugin) ?? []), operationId])
  }
  return operations
}

/** As from the wire: whoever calls keeps no hold on what is checked, and nothing comes in that JSON has not. */
const fromWire = (body: unknown): unknown => {
  let text: string | undefined
  try {
    text = JSON.stringify(body)
  } catch {
    // A cycle or a bigint: no text is what JSON.parse refuses.
  }
  return parseJson(Buffer.from(text ?? ''))
}

/**
 * Opens a Veramo agent for one caller: every operation of the agency's plugins is a method, and so is what the agency
 * answers of Veramo's own. All go through the gate; there is nothing else in it.
 */
export const agentFor = (parts: AgentParts): ((authorization?: string) => GatedAgent) => {
  const operations = operationsOf(parts)
  const call: OperationPlugin['call'] = async (operation, { body, ...inner }) =>
    parts.call(operation, { ...inner, ...(body === undefined ? {} : { body: fromWire(body) }) })
  const adapters = [...operations].map(([name, ids]) => veramoPlugin({ name, operations: ids, call }))
  if (operations.get(credentials.name)?.includes('callAgent')) {
    const surface = veramoSurface(agentMethods, async (method, body, authorization) => {
      const answer = await call('callAgent', { params: { method }, body, ...(authorization && { authorization }) })
      return answer.body
    })
    adapters.push(surface)
  }
  assertDistinct(adapters)
  return authorization => openGatedAgent(adapters, authorization)
}

/** What a decision about a status needs, whichever plugin it comes from. */
const statusNeeds = ({ agency, identity, authority, newId }: Mounting): StatusNeeds => {
  const { house, outbox, address } = agency
  return {
    ...{ house, identity, outbox, newId },
    statusAuthority: authority,
    // Wallets that were bound under a credential, whether or not the agency still binds any.
    onStatusChange: (tx, ids, change) => endBindingsUnder({ house }, tx, ids, change),
    statusWrites: (changes, set) => statusBitWrites(address, changes, set),
  }
}

/** The agency's credentials as other plugins issue and decide on them. */
export const issuanceOf = (mounting: Mounting): Issuance => {
  const needs = statusNeeds(mounting)
  return {
    issue: request => mounting.identity.issue(request),
    store,
    changeStatus: (tx, credentialIds, change) => decideStatus(needs, tx, [...credentialIds], change),
  }
}

const mountCredentials = (mounting: Mounting): Mounted => {
  const { agency } = mounting
  const { config, settings, log } = agency
  return {
    routes: credentials.routes({
      ...statusNeeds(mounting),
      veramo: openVeramo(mounting),
      log: {
        origin: log.origin,
        verifierKey: log.verifierKey,
        checkpoint: log.sequencer.checkpoint,
        tile: log.sequencer.tile,
        proofAt: openLogProofs(agency.store, log.sequencer).proofAt,
      },
      publicUrl: settings.publicUrl,
      vcalm: config.vcalm,
      challenges: config.conformance === undefined,
    }),
  }
}

const mountWallet = (mounting: Mounting): Mounted => {
  const { agency, identity, newId } = mounting
  const { house } = agency
  const didOf = (jwk: Parameters<typeof publicKeyFromJwk>[0]) => didKeyOf(publicKeyFromJwk(jwk))
  return {
    routes: wallet.routes({
      house,
      identity,
      present: presentCredential,
      proveKey: sealKeyProof,
      didOf,
      ...collectingOf(mounting),
      presentations: presentationAnswersOf(mounting),
      keccak,
      newId,
    }),
    citizens: citizenSessions({ house }),
  }
}

const mountPseudonyms = ({ agency, types }: Mounting): Mounted => {
  const { house, oprf, chain, config, settings } = agency
  if (oprf === undefined) throw new Error(`${config.name} has no OPRF key`)
  const evaluator = openEvaluator(oprf)
  return {
    routes: pseudonyms.routes({
      ...{ house, keyId: oprf.keyId },
      evaluate: (domain, elements) => evaluator.evaluate(elements, domainInfo(domain)),
      accredited: (did, wanted) =>
        wanted.some(type => {
          const { id } = types.byId(type)
          const issuer = issuerAddress(did, chain.client.chain)
          return chain.follower.trust.accreditation(issuer, id, settings.clock.now()).accredited
        }),
    }),
  }
}

/** A directory of aliases: no ledger, which it is kept apart from, and no authority for pseudonyms, which has the same kind of key. */
const mountAliases = ({ agency, types, newId }: Mounting): Mounted => {
  const { house, oprf, chain, config, settings, did: own } = agency
  if (oprf === undefined) throw new Error(`${config.name} has no OPRF key`)
  const other = config.plugins.find(each => each === 'pseudonyms' || each === 'cbdc')
  if (other !== undefined) throw new ConfigError(`${config.name}: aliases and ${other} belong to two institutions`)
  const { evaluate, tagOf, keyed } = openAliasFunction(oprf, openEvaluator(oprf))
  const accredited = (did: string, wanted: readonly string[]): boolean => {
    const address = parseEthrDid(did, chain.client.chainId)?.address
    if (address === undefined) return false
    return wanted.some(id => chain.follower.trust.accreditation(address, id, settings.clock.now()).accredited)
  }
  const every = types.all.map(({ id }) => id)
  return {
    routes: aliases.routes({
      ...{ house, newId, keyId: oprf.keyId, evaluate, tagOf, keyed, accredited },
      isLedger: did => did !== own && parseEthrDid(did, chain.client.chainId)?.did === did && accredited(did, every),
    }),
  }
}

const mountBindings = ({ agency, issuerKey: key, newId }: Mounting): Mounted => ({
  routes: bindings.routes(
    bindingsOf(agency, { key, newId, holdCredential, pseudonyms: derivePseudonyms(agency, key) }),
  ),
})

/** Proofs of keys that no credential is bound to yet. */
const keyProver = ({ verifying }: Mounting): RegistryNeeds['proveKey'] => {
  const { dids, clock } = verifying
  return (proof, expected) => proveKey(proof, { dids, clock }, expected)
}

const mountRegistry = async (mounting: Mounting): Promise<Mounted> => {
  const { agency, types, newId, issuerKey } = mounting
  const parts = { types, newId, issuerKey, issuance: issuanceOf(mounting), proveKey: keyProver(mounting) }
  const needs = await registryOf(agency, parts)
  return { routes: registry.routes(needs), keep: log => keepRegisters(agency, needs, log) }
}

const mountMandates = (mounting: Mounting): Mounted => {
  const { agency, authority, newId, verifying } = mounting
  const { house, did, settings } = agency
  const { publicUrl } = settings
  return {
    routes: mandates.routes({
      ...{ house, newId, did, publicUrl, issuance: issuanceOf(mounting) },
      statusOf: place => verifying.status.status({ ...authority, ...place }),
      proveKey: keyProver(mounting),
    }),
  }
}

const mountCbdc = async ({ agency, newId, issuerKey }: Mounting): Promise<Mounted> => {
  const { needs, close } = await moneyOf(agency, { newId, issuerKey })
  const desk = openDesk(needs)
  return {
    routes: cbdc.routes(desk),
    keep(log) {
      const rounds = moneyRounds(desk, log).map(round => keepRound(agency, log, round))
      return async () => {
        await Promise.all(rounds.map(end => end()))
        await desk.ledger.close()
        await close()
      }
    },
  }
}

/** The tokens that the agency issues on the chain, and those whose reserve it attests. @throws ConfigError when there are none */
const mountStablecoin = async ({ agency, identity, newId }: Mounting): Promise<Mounted> => {
  const { house, outbox, chain, config, address: account, did } = agency
  const issued = config.currencies.filter(({ home }) => home === 'chain')
  if (issued.length + config.attests.length === 0) {
    throw new ConfigError(`${config.name}: it neither issues a currency whose home is the chain nor attests a reserve`)
  }
  const open = (currency: number) => openStablecoin(chain, { account, currency })
  const coins: StablecoinNeeds['coins'] = await Promise.all([
    ...issued.map(async ({ number, code, decimals }) => ({
      ...{ role: 'issuer' as const, number, code, decimals, chain: await open(number) },
    })),
    ...config.attests.map(async number => ({ role: 'attestor' as const, number, chain: await open(number) })),
  ])
  const { wallets } = chain.follower
  const needs: StablecoinNeeds = { house, outbox, wallets, verify: identity.verify, did, coins, newId }
  const failing = 'what became of acts on tokens was not looked at; tried again'
  return {
    routes: stablecoin.routes(needs),
    keep(log) {
      return keepRound(agency, log, {
        ...{ name: 'stablecoin-follow', everyMs: 1_000, failing },
        async run(check, ended) {
          while ((await followCoins(needs, check)) > 0 && !ended());
        },
      })
    },
  }
}

/** Every agency has it, whatever it mounts. */
export const mountCertificates = ({ agency, certificates: made, issuerKey }: Mounting): Mounted => ({
  routes: certificates.routes({
    certificates: made,
    publicUrl: agency.settings.publicUrl,
    async issuerJwk() {
      const { kid, keyId } = issuerKey()
      return { kid, jwk: await agency.keys.publicJwk(keyId) }
    },
    house: agency.house,
    pem: pemOfCertificate,
    requestPem: pemOfCertificateRequest,
  }),
})

/** Every plugin by the name an agency file mounts it with, and what the root hands to it. */
const mountVcApi = async (mounting: Mounting): Promise<Mounted> => {
  const { agency, identity, issuerKey } = mounting
  const issuing = agency.config.conformance === undefined ? { issuance: issuanceOf(mounting), issuerKey } : undefined
  return { routes: vcApi.routes({ ...(await instancesOf(agency, issuing)), identity }) }
}

/** The agency as an entity of federations. */
const mountFederation = async (mounting: Mounting): Promise<Mounted> => {
  const { needs, keep } = await openFederationOf(mounting)
  return { routes: federation.routes(needs), keep }
}

/** The agency as an issuer for any wallet. */
const mountOpenid4vci = (mounting: Mounting): Mounted => {
  const needs = openid4vciOf(mounting, issuanceOf(mounting))
  const sweep = openSweeps(needs)
  const failing = 'what has expired was not erased; tried again'
  return {
    routes: openid4vci.routes(needs),
    keep: log =>
      keepRound(mounting.agency, log, {
        ...{ name: 'openid4vci-sweep', everyMs: 60_000, failing },
        run: async () => sweep(),
      }),
  }
}

/** The agency as a party that is written to. */
const mountDidcomm = (mounting: Mounting): Mounted => {
  const { agency, messages } = mounting
  if (messages === undefined) throw new Error(`${agency.config.name} has no key for messages`)
  const desk = openMessageDesk(didcommOf({ ...mounting, messages }, issuanceOf(mounting), keyProver(mounting)))
  const failing = 'messages on their way were not sent; tried again'
  return {
    routes: didcomm.routes(desk),
    keep: log =>
      keepRound(agency, log, {
        ...{ name: 'didcomm-outgoing', everyMs: 1_000, failing },
        async run(check, ended) {
          desk.sweep()
          while ((await sendDue(desk, check)) > 0 && !ended());
        },
      }),
  }
}

export const plugins: Record<string, (mounting: Mounting) => Mounted | Promise<Mounted>> = {
  credentials: mountCredentials,
  mandates: mountMandates,
  wallet: mountWallet,
  pseudonyms: mountPseudonyms,
  bindings: mountBindings,
  aliases: mountAliases,
  registry: mountRegistry,
  cbdc: mountCbdc,
  stablecoin: mountStablecoin,
  'vc-api': mountVcApi,
  openid4vci: mountOpenid4vci,
  federation: mountFederation,
  didcomm: mountDidcomm,
}
