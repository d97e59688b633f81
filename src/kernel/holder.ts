import type { ActingMandate, HolderCaller, ProvenCredential, Resolved } from './gate.ts'
import type { Proof } from './identity.ts'
import { claimAt, match, meetsQuery, ordered } from './judge.ts'
import { judgeMandate, type MandateTerms, termsOf } from './mandate.ts'
import type { Tx } from './ports.ts'
import { Refusal } from './refusal.ts'
import type { HolderRequirement } from './requirement.ts'

/** The act that holders are judged for. */
export type HolderAct = {
  operation: string
  now: number
  /** Without its presentations. */
  body: unknown
  requirementUrl?: string | undefined
}

/** How a proof came: a session's, or made for this very act. */
export type ProofOrigin = {
  proof: HolderCaller['proof']
  session?: string
  spend?(tx: Tx): Promise<void>
}

/**
 * The caller behind a proof, before any requirement is known.
 * @throws why nothing of the proof stands, when nothing does.
 */
export const callerOf = ({ credentials, lapsed }: Proof, origin: ProofOrigin): HolderCaller => {
  const [first] = credentials
  if (first === undefined) {
    const [why] = lapsed
    if (why === undefined) throw new Refusal('malformed', 'presentation_empty', 'The presentation holds no credential.')
    throw new Refusal(why.refusal.kind, why.refusal.code, why.refusal.detail)
  }
  const actor = first.credential.holder
  return {
    kind: 'holder',
    ...{ id: actor, actor, principal: actor, mandates: [], matched: {}, lapsed },
    credentials: credentials.map(({ credential }) => credential),
    ...origin,
  }
}

/** The amount that the body names, in minor units. Where a mandate may limit it, it has to be there. */
const amountOf = ({ amount }: HolderRequirement, body: unknown): { minor: bigint; currency: string } | undefined => {
  if (amount === undefined) return undefined
  const members = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  const [minor, currency] = [claimAt(members, amount.amount), claimAt(members, amount.currency)]
  const isWhole =
    typeof minor === 'string' ? /^[0-9]{1,19}$/.test(minor) : Number.isSafeInteger(minor) && Number(minor) >= 0
  if (!isWhole || typeof currency !== 'string') {
    const path = amount.amount.join('.')
    throw new Refusal('malformed', 'amount_missing', `The body must name its amount (${path}) and currency.`)
  }
  return { minor: BigInt(minor as string | number), currency }
}

type Signer = { credential: ProvenCredential; terms: MandateTerms }

/** One mandate a person, whichever comes first. */
const differentPeople = (signers: readonly Signer[]): Signer[] => {
  const seen = new Set<string>()
  return signers.filter(({ credential: { holder, holderKey } }) => {
    const isNew = !seen.has(holder) && !seen.has(holderKey)
    seen.add(holder).add(holderKey)
    return isNew
  })
}

/** Those who can sign together, each of them with as many others as their own mandate asks for. */
const together = (signers: readonly Signer[]): readonly Signer[] => {
  const enough = signers.filter(({ terms }) => terms.jointly <= signers.length)
  return enough.length === signers.length ? signers : together(enough)
}

/**
 * A mandate that its holder uses alone, or everybody who signs together for the same principal.
 * @param meets whether another's mandate would itself meet the query: its issuer, its claims and its terms.
 */
const signersOf = (
  credential: ProvenCredential,
  caller: HolderCaller,
  meets: (credential: ProvenCredential) => boolean,
): readonly Signer[] => {
  const terms = termsOf(credential)
  if (terms.jointly <= 1) return [{ credential, terms }]
  const joint = `The mandate is valid for ${terms.jointly} signatories together, each presenting theirs for this act.`
  if (caller.proof === 'session') throw new Refusal('forbidden', 'mandate_joint', joint)
  const others = caller.credentials
    .filter(each => each !== credential && meets(each))
    .map(each => ({ credential: each, terms: termsOf(each) }))
    .filter(other => other.terms.principal === terms.principal)
  const signers = together(differentPeople([{ credential, terms }, ...others]))
  if (signers.some(signer => signer.credential === credential)) return signers
  throw new Refusal('forbidden', 'mandate_joint', joint)
}

const actingOf = ({ credential, terms }: Signer): ActingMandate => ({
  credentialId: terms.credentialId,
  digest: credential.digest,
  issuer: credential.issuer,
  principal: terms.principal,
})

/**
 * The caller as this requirement sees them: which credentials meet it, and for whom they act.
 * @throws Refusal of `match`; unauthenticated/presentation_needed; forbidden/mandate_joint and those of mandates;
 * malformed/amount_missing
 */
export const meetHolder = (caller: HolderCaller, requirement: HolderRequirement, act: HolderAct): HolderCaller => {
  if (requirement.oneShot === true && caller.proof === 'session') {
    const detail = 'A session does not do here: present the credentials for this very act.'
    throw new Refusal('unauthenticated', 'presentation_needed', detail, { facts: { requirement: act.requirementUrl } })
  }
  const judge = (credential: ProvenCredential): void =>
    judgeMandate(termsOf(credential), {
      ...{ operation: act.operation, now: act.now },
      amount: amountOf(requirement, act.body),
    })
  const offer = { credentials: caller.credentials, lapsed: caller.lapsed ?? [] }
  const { now, requirementUrl } = act
  const judging = { offer, now, judgeMandate: judge, requirementUrl }
  const matched = match(requirement.of, judging)
  const used = ordered(requirement, matched)
  const signers = used.flatMap(({ query, credential }) =>
    query.mandate === true ? signersOf(credential, caller, other => meetsQuery(query, other, judging)) : [],
  )
  const principals = new Set(signers.map(({ terms }) => terms.principal))
  if (principals.size > 1)
    throw new Refusal('forbidden', 'credentials_not_joined', 'The mandates are not for one principal.')
  const actor = used[0]?.credential.holder ?? caller.actor
  return {
    ...caller,
    ...{ id: actor, actor, matched, mandates: signers.map(actingOf) },
    principal: signers[0]?.terms.principal ?? actor,
  }
}

/**
 * A joint act: every party meets its own part, all over one challenge.
 * @param submitter the session that hands the act in, where there is one.
 */
export const meetParties = (
  proofs: Readonly<Record<string, Proof>>,
  requirement: Extract<Resolved, { by: 'parties' }>,
  act: HolderAct,
  origin: ProofOrigin,
  submitter?: HolderCaller,
): HolderCaller => {
  const stray = Object.keys(proofs).find(name => !Object.hasOwn(requirement.parties, name))
  if (stray !== undefined) {
    throw new Refusal(
      'malformed',
      'party_unknown',
      'The body holds presentations of a party that this act does not have.',
    )
  }
  const parties: Record<string, HolderCaller> = {}
  for (const [name, part] of Object.entries(requirement.parties)) {
    const proof = proofs[name]
    if (proof === undefined) {
      const detail = `The presentations of the party ${name} are missing.`
      const facts = { party: name, ...(act.requirementUrl === undefined ? {} : { requirement: act.requirementUrl }) }
      throw new Refusal('unauthenticated', 'party_missing', detail, { facts })
    }
    parties[name] = meetHolder(callerOf(proof, origin), part, act)
  }
  const [first] = Object.values(parties)
  if (first === undefined) throw new Error('a joint act without parties has come past the start')
  const { id, actor, principal } = submitter ?? first
  const members = Object.values(parties)
  return {
    kind: 'holder',
    ...{ id, actor, principal, mandates: [], matched: {}, parties },
    credentials: members.flatMap(({ credentials }) => credentials),
    ...origin,
  }
}
