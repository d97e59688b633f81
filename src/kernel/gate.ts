import type { BlockRef, Tx } from './ports.ts'
import { Refusal } from './refusal.ts'
import type { Requirement } from './requirement.ts'

/** A credential whose every check passed at this call, and whose holder proved the key it is bound to. */
export type ProvenCredential = {
  /** Type id of schemas/. */
  type: string
  issuer: string
  /** DID the credential was issued to. */
  holder: string
  /** RFC 7638 thumbprint (SHA-256, base64url) of the key that proved itself. */
  holderKey: string
  /** What was disclosed. */
  claims: Record<string, unknown>
  /** SHA-256 (base64url) of the credential as its issuer signed it; what the evidence names. */
  digest: string
  credentialId?: string
  validUntil?: number
  /** The block that its status rests on. */
  block?: BlockRef
}

/** A mandate that an act is done under, as the evidence names it. */
export type ActingMandate = { credentialId: string; digest: string; issuer: string; principal: string }

/** Whoever proved credentials at this call: in a session, or by a presentation made for this act. */
export type HolderCaller = {
  kind: 'holder'
  /** Of the actor: the DID that the first matched credential was issued to. */
  id: string
  /** The person who acts. */
  actor: string
  /** For whom: the actor, or the principal of the mandate. */
  principal: string
  mandates: readonly ActingMandate[]
  /** All that was proven. */
  credentials: readonly ProvenCredential[]
  /** Those that met the requirement, by query id. */
  matched: Readonly<Record<string, ProvenCredential>>
  proof: 'session' | 'presentation'
  session?: string
  /** Of a joint act: each party by its name in the requirement. */
  parties?: Readonly<Record<string, HolderCaller>>
  /** The officer whose pending act this caller approved. */
  author?: Caller
  /** Uses up, in the act's transaction, whatever of the proof may count once. @throws Refusal proof_replayed */
  spend?(tx: Tx): Promise<void>
}

/** Who is calling, established by `http/auth.ts` (or by a presentation) before any operation runs. */
export type Caller =
  | { kind: 'anonymous'; id: 'anonymous' }
  | { kind: 'apiKey'; id: string; scopes: readonly string[]; author?: Caller; spend?(tx: Tx): Promise<void> }
  | { kind: 'oidc'; id: string; scopes: readonly string[]; author?: Caller; spend?(tx: Tx): Promise<void> }
  | { kind: 'citizen'; id: string; session: string }
  /** Another institution; `id` is its did:ethr. */
  | { kind: 'agency'; id: string; spend?(tx: Tx): Promise<void> }
  | HolderCaller

export const anonymous: Caller = { kind: 'anonymous', id: 'anonymous' }

/** The word after which an operation is done, for the journal. */
export const authorityOf = (requirement: Requirement): string =>
  requirement.by === 'staff' ? `scope ${requirement.scope}` : requirement.by

/**
 * Lets the caller through or refuses.
 * @throws Refusal `unauthenticated` without proof, `forbidden` with proof that does not suffice.
 */
export const admit = (caller: Caller, requirement: Requirement): void => {
  if (requirement.by === 'anyone') return
  if (caller.kind === 'anonymous') {
    const proof = requirement.by === 'citizen' ? 'a citizen session' : 'an API key or an OIDC token'
    throw new Refusal('unauthenticated', 'unauthenticated', `This operation needs ${proof}.`)
  }
  if (requirement.by === 'known') return
  if (requirement.by === 'citizen') {
    if (caller.kind === 'citizen') return
    throw new Refusal('forbidden', 'citizen_only', 'Only the citizen, with a session of their own, may do this.')
  }
  if (requirement.by !== 'staff' || (caller.kind !== 'apiKey' && caller.kind !== 'oidc')) {
    throw new Refusal('forbidden', 'staff_only', 'This operation is for the staff and machines of the agency.')
  }
  if (caller.scopes.includes(requirement.scope)) return
  throw new Refusal('forbidden', 'scope_missing', `The key or token lacks the scope ${requirement.scope}.`, {
    facts: { scope: requirement.scope },
  })
}
