import type { Caller } from '../../kernel/gate.ts'
import type { Identity } from '../../kernel/identity.ts'
import type { House } from '../../kernel/perform.ts'
import type { Route } from '../../kernel/plugin.ts'
import type { PresentationRequests } from '../../kernel/presentation-requests.ts'

/** A DPoP proof (RFC 9449), judged by `identity/dpop.ts`. */
export type Possession = { thumbprint: string; id: string; expires: number; nonce?: string }

/** What the composition root hands to this plugin. */
export type GateNeeds = {
  house: House
  identity: Pick<Identity, 'did' | 'types' | 'challengeOf' | 'prove' | 'recheck'>
  dpop: {
    verify(
      proof: string,
      expected: {
        method: string
        url: string
        tokenSha256?: string
        thumbprint?: string
        nonce: 'needed' | 'optional'
      },
    ): Promise<Possession>
    nonce(): string
  }
  /** The verifier that asks wallets of others (OpenID4VP). Without it presentations come themselves, and none is asked for. */
  presentations?: PresentationRequests
  /**
   * Whether wallets on other devices may be asked for a session or an act. Then whoever begins a request can pass its link or its picture
   * on, and have what somebody else's wallet answers. @default false
   */
  crossDevice?: boolean | undefined
  /** Keys of the agency's own, the same in each of its processes, by purpose. */
  derive(purpose: string): Buffer
  /** A fresh id (UUID), ordered by time. */
  newId(): string
  /** Without a trailing slash. */
  publicUrl: string
  /** Whether a member of the staff who asked for an act may still do so; as far as that can be known without a token. */
  staffStands(caller: Extract<Caller, { kind: 'apiKey' | 'oidc' }>): Promise<boolean>
  /** Every route of the agency by operationId, once all plugins are mounted. */
  routes(): Readonly<Record<string, Route>>
}
