import type { AgencyOnChain } from './agency.ts'
import { didKeyOf } from './identity/did-local.ts'
import { publicKeyFromJwk } from './identity/key-material.ts'
import { presentCredential } from './identity/present.ts'
import { batchBits } from './identity/status.ts'
import type { CredentialTypes } from './identity/types.ts'
import type { VerifyNeeds } from './identity/verify.ts'
import type { Caller } from './kernel/gate.ts'
import type { Identity } from './kernel/identity.ts'
import type { Route } from './kernel/plugin.ts'
import { credentials } from './plugins/credentials/plugin.ts'
import { citizenSessions, wallet } from './plugins/wallet/plugin.ts'

/** What the composition root has at hand when it mounts a plugin. */
export type Mounting = {
  agency: AgencyOnChain
  identity: Identity
  types: CredentialTypes
  verifying: VerifyNeeds
  authority: { chain: string; registry: string; issuer: string }
  newId(): string
}

export type Mounted = {
  routes: Record<string, Route>
  /** Sessions of citizens, where the plugin keeps them. */
  citizens?: { session(token: string): Promise<Caller | undefined> }
}

const mountCredentials = ({ agency, identity, authority, newId }: Mounting): Mounted => {
  const { house, outbox, address, config, settings, log } = agency
  return {
    routes: credentials.routes({
      ...{ house, identity, outbox, newId },
      statusAuthority: authority,
      log: {
        origin: log.origin,
        verifierKey: log.verifierKey,
        checkpoint: log.sequencer.checkpoint,
        tile: log.sequencer.tile,
      },
      statusWrites: (changes, set) =>
        batchBits(changes).map(({ lists, words, masks }) => ({
          contract: 'StatusRegistry',
          method: set ? 'setBitsIn' : 'clearBitsIn',
          args: [address, lists, words, masks],
          account: address,
        })),
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
