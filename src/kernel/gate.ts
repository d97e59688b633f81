import { Refusal } from './refusal.ts'

/** Who is calling, established by `http/auth.ts` (or by a presentation) before any operation runs. */
export type Caller =
  | { kind: 'anonymous'; id: 'anonymous' }
  | { kind: 'apiKey'; id: string; scopes: readonly string[] }
  | { kind: 'oidc'; id: string; scopes: readonly string[] }
  | { kind: 'citizen'; id: string; session: string }

/** What an operation asks of its caller. Data, so that documentation and behaviour are printed from one value. */
export type Requirement = { by: 'anyone' } | { by: 'staff'; scope: string } | { by: 'citizen' }

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
  if (requirement.by === 'citizen') {
    if (caller.kind === 'citizen') return
    throw new Refusal('forbidden', 'citizen_only', 'Only the citizen, with a session of their own, may do this.')
  }
  if (caller.kind === 'citizen') {
    throw new Refusal('forbidden', 'staff_only', 'This operation is for the staff and machines of the agency.')
  }
  if (caller.scopes.includes(requirement.scope)) return
  throw new Refusal('forbidden', 'scope_missing', `The key or token lacks the scope ${requirement.scope}.`, {
    facts: { scope: requirement.scope },
  })
}
