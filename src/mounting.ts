import type { AgencyOnChain } from './agency.ts'
import type { Log } from './http/log.ts'
import type { Didcomm } from './identity/didcomm/didcomm.ts'
import type { IssuerKey } from './identity/issue.ts'
import type { CredentialTypes } from './identity/types.ts'
import type { VerifyNeeds } from './identity/verify.ts'
import type { Caller } from './kernel/gate.ts'
import type { Certificates, Identity } from './kernel/identity.ts'
import type { Route } from './kernel/plugin.ts'
import type { PresentationRequests } from './kernel/presentation-requests.ts'

/** What the composition root has at hand when it mounts a plugin. */
export type Mounting = {
  agency: AgencyOnChain
  identity: Identity
  types: CredentialTypes
  verifying: VerifyNeeds
  authority: { chain: string; registry: string; issuer: string }
  /** The key that signs credentials now. */
  issuerKey(): IssuerKey
  certificates: Certificates
  /** The verifier that asks wallets of others. */
  presentations: PresentationRequests
  /** The agency as a party that is written to, where it mounts didcomm. */
  messages: Didcomm | undefined
  /** Of the agency, once all its plugins are mounted. */
  routes(): Record<string, Route>
  newId(): string
}

export type Mounted = {
  routes: Record<string, Route>
  /** Sessions of citizens, where the plugin keeps them. */
  citizens?: { session(token: string): Promise<Caller | undefined> }
  /** Work of its own in rounds. @returns what ends it */
  keep?(log: Log): () => Promise<void>
}
