import type { LapsedCredential } from './identity.ts'
import { isMet, missingFacts, missingNames, queriesOf } from './judge.ts'
import type { BlockRef, StatusPointer, Tx } from './ports.ts'
import { Refusal } from './refusal.ts'
import type { FourEyes, HolderRequirement, Requirement } from './requirement.ts'

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
  /** This agency issued it itself. */
  own?: boolean
  /** Where its status stands, for acts that look again later. */
  status?: StatusPointer
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
  /** What was presented as well and does not stand, and why. */
  lapsed?: readonly LapsedCredential[]
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
  | {
      kind: 'agency'
      id: string
      /** Of the body it signed for (SHA-256 of the canonical form, base64url); see kernel/signed-body.ts. */
      bodySha256?: string | undefined
      spend?(tx: Tx): Promise<void>
    }
  | HolderCaller

export const anonymous: Caller = { kind: 'anonymous', id: 'anonymous' }

/** A caller by credentials; a requirement of holders or parties lets no others in. */
export const holderOf = (caller: Caller): HolderCaller => {
  if (caller.kind !== 'holder') throw new Error('a route that requires credentials was entered without any')
  return caller
}

const wordOf = (requirement: Requirement): string =>
  requirement.by === 'staff' ? `scope ${requirement.scope}` : requirement.by

/** Under which authority an operation is done, for the journal: the requirement, for whom, and by which mandates. */
export const authorityOf = (requirement: Requirement, caller?: Caller): string => {
  if (caller?.kind !== 'holder') return wordOf(requirement)
  const types = new Set(Object.values(caller.matched).map(({ type }) => type))
  const mandates = caller.mandates.map(({ credentialId }) => credentialId)
  const words = [wordOf(requirement), ...types]
  if (caller.principal !== caller.actor) words.push(`for ${caller.principal}`)
  if (mandates.length > 0) words.push(`by mandate ${mandates.join(', ')}`)
  return words.join(' ')
}

/** A requirement once the path parameter that decides between its cases is known. */
export type Resolved = Exclude<Requirement, { by: 'cases' }>

/** @throws Refusal not_found/case_unknown for a value that no case names. */
export const resolveCases = (
  requirement: Requirement,
  params: Readonly<Record<string, string | undefined>>,
): Resolved => {
  if (requirement.by !== 'cases') return requirement
  const { param, cases } = requirement
  const value = params[param]
  const found = value !== undefined && Object.hasOwn(cases, value) ? cases[value] : undefined
  if (found !== undefined) return resolveCases(found, params)
  throw new Refusal(
    'not_found',
    'case_unknown',
    `This agency has none of this ${param}; it has ${Object.keys(cases).join(', ')}.`,
    {
      facts: { param, known: Object.keys(cases) },
    },
  )
}

/** The path parameters that decide between the cases of a requirement, with their values here. */
export const caseParams = (
  requirement: Requirement,
  params: Readonly<Record<string, string | undefined>>,
): Record<string, string> => {
  if (requirement.by !== 'cases') return {}
  const { param, cases } = requirement
  const value = params[param]
  if (value === undefined || !Object.hasOwn(cases, value)) return {}
  return { [param]: value, ...caseParams(cases[value] as Requirement, params) }
}

/** Every requirement that a route may come to. */
export const casesOf = (requirement: Requirement): Resolved[] =>
  requirement.by === 'cases' ? Object.values(requirement.cases).flatMap(casesOf) : [requirement]

export const fourEyesOf = (requirement: Resolved): FourEyes | undefined =>
  requirement.by === 'holder' || requirement.by === 'staff' ? requirement.fourEyes : undefined

/** What each of two officers has to meet. */
export const withoutFourEyes = (requirement: Resolved): Resolved => {
  if (fourEyesOf(requirement) === undefined) return requirement
  const { fourEyes: _both, ...each } = requirement as Extract<Resolved, { fourEyes?: FourEyes }>
  return each
}

const proofs: Record<Exclude<Resolved['by'], 'anyone' | 'holder' | 'parties'>, string> = {
  known: 'an API key, an OIDC token, or a session',
  staff: 'an API key or an OIDC token',
  citizen: 'a citizen session',
  agency: 'a request signed by an institution',
}

/** The refusal of a caller who proved nothing at all: it names what is missing, and where to get it. */
export const proofMissing = (requirement: Exclude<Resolved, { by: 'anyone' }>, requirementUrl?: string): Refusal => {
  if (requirement.by !== 'holder' && requirement.by !== 'parties') {
    return new Refusal('unauthenticated', 'unauthenticated', `This operation needs ${proofs[requirement.by]}.`)
  }
  const parties = requirement.by === 'holder' ? [requirement] : Object.values(requirement.parties)
  const missing = parties.flatMap(({ of }) => queriesOf(of))
  const how = requirement.by === 'parties' ? 'by a presentation of each party' : 'in a session or by a presentation'
  const detail = `This operation needs proof, ${how}, of ${missingNames(missing)}.`
  return new Refusal('unauthenticated', 'unauthenticated', detail, { facts: missingFacts(missing, requirementUrl) })
}

const admitHolder = (
  caller: Caller,
  requirement: Extract<Resolved, { by: 'holder' | 'parties' }>,
  requirementUrl: string | undefined,
): void => {
  if (caller.kind !== 'holder') {
    throw new Refusal('forbidden', 'holder_only', 'Only the holder of the credentials it names may do this.')
  }
  const parts: [HolderRequirement, HolderCaller | undefined][] =
    requirement.by === 'holder'
      ? [[requirement, caller]]
      : Object.entries(requirement.parties).map(([name, part]) => [part, caller.parties?.[name]])
  for (const [{ of }, party] of parts) {
    if (party !== undefined && isMet(of, party.matched)) continue
    const missing = queriesOf(of)
    const detail = `This operation needs the credential ${missingNames(missing)}; present it.`
    throw new Refusal('forbidden', 'credential_missing', detail, { facts: missingFacts(missing, requirementUrl) })
  }
}

/**
 * Lets the caller through or refuses. Of a holder it judges what was matched at the door (`holder.ts`), where issuers,
 * joins and mandates are judged.
 * @param requirement with its cases resolved.
 * @throws Refusal `unauthenticated` without proof, `forbidden` with proof that does not suffice.
 */
export const admit = (caller: Caller, requirement: Requirement, requirementUrl?: string): void => {
  if (requirement.by === 'anyone') return
  if (requirement.by === 'cases') throw new Error('resolve the cases of a requirement (resolveCases) before admitting')
  if (caller.kind === 'anonymous') throw proofMissing(requirement, requirementUrl)
  if (fourEyesOf(requirement) !== undefined && !('author' in caller && caller.author !== undefined)) {
    throw new Refusal('forbidden', 'approval_missing', 'A second, different officer has to approve this first.')
  }
  if (requirement.by === 'known') return
  if (requirement.by === 'holder' || requirement.by === 'parties') {
    admitHolder(caller, requirement, requirementUrl)
    return
  }
  if (requirement.by === 'citizen') {
    if (caller.kind === 'citizen') return
    throw new Refusal('forbidden', 'citizen_only', 'Only the citizen, with a session of their own, may do this.')
  }
  if (requirement.by === 'agency') {
    if (caller.kind === 'agency') return
    throw new Refusal('forbidden', 'agency_only', 'Only another institution, by a request it signed, may do this.')
  }
  if (caller.kind !== 'apiKey' && caller.kind !== 'oidc') {
    throw new Refusal('forbidden', 'staff_only', 'This operation is for the staff and machines of the agency.')
  }
  if (caller.scopes.includes(requirement.scope)) return
  throw new Refusal('forbidden', 'scope_missing', `The key or token lacks the scope ${requirement.scope}.`, {
    facts: { scope: requirement.scope },
  })
}
