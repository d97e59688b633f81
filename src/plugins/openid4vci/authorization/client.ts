import type { Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import {
  attestationMissing,
  attestationReplayed,
  attestationUnsupported,
  bindingNeeded,
  clientDiffers,
  clientUnknown,
} from './errors.ts'
import type { AttestedClient, AuthorizationDesk, Possession, RegisteredClient } from './needs.ts'

/** The wallet that asks, as far as it is known. */
export type Client = {
  /** Undefined for a wallet that says nothing of itself, which a pre-authorized code allows. */
  id: string | undefined
  registered: RegisteredClient | undefined
  attested: AttestedClient | undefined
  /** The key that it proved, to which its tokens are bound. */
  possession: Possession | undefined
  /** Uses up what it proved itself with. @throws Refusal unauthenticated/proof_replayed */
  spend(tx: Tx): Promise<void>
}

const attestedIn = async (
  { authorization: { attestations } }: AuthorizationDesk,
  { headers }: Context,
): Promise<AttestedClient | undefined> => {
  const [attestation, pop] = [headers['oauth-client-attestation'], headers['oauth-client-attestation-pop']]
  if (attestation === undefined && pop === undefined) return undefined
  if (attestations === undefined) throw attestationUnsupported()
  if (attestation === undefined || pop === undefined) throw attestationMissing()
  return attestations.judge({ attestation, pop })
}

/** RFC 9449, sections 5 and 10.1. */
const possessionIn = async (
  { dpop, publicUrl, authorization: { policy } }: AuthorizationDesk,
  { headers }: Context,
  at: { path: string; needed: boolean },
): Promise<Possession | undefined> => {
  const proof = headers['dpop']
  if (proof !== undefined) return dpop.verify(proof, { method: 'POST', url: `${publicUrl}${at.path}`, nonce: 'needed' })
  if (at.needed && (policy.haip || !policy.bearer)) throw bindingNeeded()
  return undefined
}

/**
 * Who asks at an endpoint where wallets prove themselves: by a wallet attestation (OAuth 2.0 Attestation-Based Client
 * Authentication, draft 07, section 10, which OpenID4VCI 1.0, appendix E, builds on), by a registered name, or not at all.
 * @param at.anonymous whether a wallet may say nothing of itself.
 * @throws Refusal unauthenticated: attestation_missing, attestation_unsupported, attestation_refused, client_unknown,
 * client_differs; malformed/token_binding_needed; those of DPoP
 */
export const clientOf = async (
  desk: AuthorizationDesk,
  context: Context,
  at: { path: string; clientId: string | undefined; anonymous: boolean; binding: boolean },
): Promise<Client> => {
  const { policy } = desk.authorization
  const { clientId } = at
  // A request without a fresh nonce is told so before anything of it counts.
  const possession = await possessionIn(desk, context, { path: at.path, needed: at.binding })
  const attested = await attestedIn(desk, context)
  if (policy.haip && attested === undefined) throw attestationMissing()
  if (attested !== undefined && clientId !== undefined && clientId !== attested.clientId) throw clientDiffers()
  const id = attested?.clientId ?? clientId
  const registered = policy.clients.find(each => each.id === id)
  const isKnown = attested !== undefined || registered !== undefined || policy.unknownClients
  if (!isKnown || (id === undefined && !at.anonymous)) throw clientUnknown()
  const owner = desk.newId()
  return {
    ...{ id, registered, attested, possession },
    async spend(tx) {
      if (attested === undefined) return
      const { id: key, expires } = attested.proof
      await desk.spend(tx, { key, owner, expires }).catch(error => {
        throw isRefusal(error) ? attestationReplayed(error) : error
      })
    },
  }
}

/** For the answer: a nonce for the next proof, where there is a new one. */
export const nonceHeaders = ({ possession }: Pick<Client, 'possession'>): Record<string, string> =>
  possession?.nonce === undefined ? {} : { 'DPoP-Nonce': possession.nonce }
