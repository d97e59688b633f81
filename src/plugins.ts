import type { AgencyOnChain } from './agency.ts'
import { openAgent, type VeramoAgent } from './identity/agent.ts'
import { didKeyOf } from './identity/did-local.ts'
import { formats, openCredential } from './identity/formats/detect.ts'
import type { IssuerKey } from './identity/issue.ts'
import { publicKeyFromJwk } from './identity/key-material.ts'
import { presentCredential, verifyPresentation } from './identity/present.ts'
import { batchBits } from './identity/status.ts'
import type { CredentialTypes } from './identity/types.ts'
import { veramoFormats } from './identity/veramo-formats.ts'
import type { VerifyNeeds } from './identity/verify.ts'
import type { Caller } from './kernel/gate.ts'
import type { Identity, Issuance } from './kernel/identity.ts'
import { perform } from './kernel/perform.ts'
import type { Route } from './kernel/plugin.ts'
import { store } from './plugins/credentials/actions/issue.ts'
import { decideStatus, type StatusNeeds } from './plugins/credentials/actions/status.ts'
import type { CredentialsNeeds } from './plugins/credentials/needs.ts'
import { credentials } from './plugins/credentials/plugin.ts'
import { requires } from './plugins/credentials/policy.ts'
import { citizenSessions, wallet } from './plugins/wallet/plugin.ts'

/** What the composition root has at hand when it mounts a plugin. */
export type Mounting = {
  agency: AgencyOnChain
  identity: Identity
  types: CredentialTypes
  verifying: VerifyNeeds
  authority: { chain: string; registry: string; issuer: string }
  /** The key that signs credentials now. */
  issuerKey(): IssuerKey
  newId(): string
}

export type Mounted = {
  routes: Record<string, Route>
  /** Sessions of citizens, where the plugin keeps them. */
  citizens?: { session(token: string): Promise<Caller | undefined> }
}

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
      return { ...formats[credential.format].show(credential), proof: { type: 'JwtProof2020', jwt: compact } }
    },
  }
}

/** What a decision about a status needs, whichever plugin it comes from. */
const statusNeeds = ({ agency, identity, authority, newId }: Mounting): StatusNeeds => {
  const { house, outbox, address } = agency
  return {
    ...{ house, identity, outbox, newId },
    statusAuthority: authority,
    statusWrites: (changes, set) =>
      batchBits(changes).map(({ lists, words, masks }) => ({
        contract: 'StatusRegistry',
        method: set ? 'setBitsIn' : 'clearBitsIn',
        args: [address, lists, words, masks],
        account: address,
      })),
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
      },
      publicUrl: settings.publicUrl,
      vcalm: config.vcalm,
    }),
  }
}

const mountWallet = ({ agency, identity, newId }: Mounting): Mounted => {
  const { house } = agency
  const didOf = (jwk: Parameters<typeof publicKeyFromJwk>[0]) => didKeyOf(publicKeyFromJwk(jwk))
  return {
    routes: wallet.routes({ house, identity, present: presentCredential, didOf, newId }),
    citizens: citizenSessions({ house }),
  }
}

/** Every plugin by the name an agency file mounts it with, and what the root hands to it. */
export const plugins: Record<string, (mounting: Mounting) => Mounted> = {
  credentials: mountCredentials,
  wallet: mountWallet,
}
