import type { ProvenCredential } from './gate.ts'
import { Refusal } from './refusal.ts'

/** What one act may cost, in one currency. */
export type MandateLimit = {
  /** ISO 4217, or the code of a currency of the house. */
  currency: string
  /** In minor units; the most that one act may move. */
  perActMinor: bigint
}

/** One mandate of a chain, as far as it bounds those below it. Dates are calendar days in UTC, both included. */
export type MandateLink = {
  credentialId: string
  /** DID of the one who may act. */
  holder: string
  operations: readonly string[]
  /** None: no bound on amounts. Otherwise only in these currencies, and up to these amounts. */
  limits: readonly MandateLimit[]
  /** How many signatories of the same principal act together; 1 is alone. */
  jointly: number
  mayDelegate: boolean
  startsOn: string
  endsOn: string
}

/** A mandate above: level 1 is what the register itself gave; a joint act of delegation has several on one level. */
export type MandateAncestor = MandateLink & { level: number }

export type MandateTerms = MandateLink & {
  issuer: string
  /** DID of the one acted for, or a URN of the issuer's register number where a company has none. */
  principal: string
  ancestors: readonly MandateAncestor[]
}

/** The act that a mandate is judged for. */
export type MandatedAct = {
  operation: string
  /** Milliseconds. */
  now: number
  amount?: { minor: bigint; currency: string } | undefined
}

/** Mandates in a chain, the register's own and the last one included. */
export const mandateDepthMost = 4
/** Of a mandate's ancestors: five joint signatories on each level above the last. */
export const mandateAncestorsMost = 15
/** Signatories who can be asked to act together. */
export const mandateJointlyMost = 5
const operationsMost = 64
const limitsMost = 16

const malformed = (what: string): Refusal =>
  new Refusal('malformed', 'mandate_malformed', `The mandate cannot be read: ${what}; ask its issuer for a new one.`)
const wider = (what: string): Refusal =>
  new Refusal('forbidden', 'mandate_wider', `A mandate is wider than the one it comes from: ${what}.`)
const tooDeep = (): Refusal =>
  new Refusal(
    'forbidden',
    'mandate_depth',
    `A chain has at most ${mandateDepthMost} mandates; ask somebody nearer to the register for one.`,
  )

type Members = Record<string, unknown>

const membersOf = (value: unknown, what: string): Members => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${what} is missing`)
  return value as Members
}

const textOf = (value: unknown, what: string): string => {
  if (typeof value !== 'string' || value === '') throw malformed(`${what} is missing`)
  return value
}

const dayOf = (value: unknown, what: string): string => {
  if (typeof value !== 'string' || !/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value)) throw malformed(`${what} is no date`)
  return value
}

const listOf = (value: unknown, most: number, what: string): unknown[] => {
  if (!Array.isArray(value) || value.length > most) throw malformed(`${what} is no list of at most ${most}`)
  return value
}

const operationsOf = (value: unknown): string[] => {
  const operations = listOf(value, operationsMost, 'operations').map(name => textOf(name, 'an operation'))
  if (operations.length === 0) throw malformed('operations is empty')
  return operations
}

const limitOf = (value: unknown): MandateLimit => {
  const { currency, perActMinor } = membersOf(value, 'a limit')
  if (typeof perActMinor !== 'string' || !/^(0|[1-9][0-9]{0,18})$/.test(perActMinor)) {
    throw malformed('a limit is no amount in minor units')
  }
  return { currency: textOf(currency, 'the currency of a limit'), perActMinor: BigInt(perActMinor) }
}

const limitsOf = (value: unknown): MandateLimit[] => {
  const limits = listOf(value, limitsMost, 'limits').map(limitOf)
  if (new Set(limits.map(limit => limit.currency)).size !== limits.length) throw malformed('a currency has two limits')
  return limits
}

const jointlyOf = (value: unknown): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > mandateJointlyMost) {
    throw malformed('the number of joint signatories is missing')
  }
  return value
}

const termsShared = (claims: Members): Omit<MandateLink, 'credentialId' | 'holder' | 'jointly' | 'limits'> => {
  const { mayDelegate } = claims
  if (typeof mayDelegate !== 'boolean') throw malformed('mayDelegate is missing')
  return {
    operations: operationsOf(claims['operations']),
    mayDelegate,
    startsOn: dayOf(claims['startsOn'], 'startsOn'),
    endsOn: dayOf(claims['endsOn'], 'endsOn'),
  }
}

const ancestorOf = (value: unknown): MandateAncestor => {
  const claims = membersOf(value, 'an ancestor')
  const { level } = claims
  if (typeof level !== 'number' || !Number.isInteger(level) || level < 1) throw malformed('an ancestor has no level')
  return {
    credentialId: textOf(claims['credentialId'], 'the id of an ancestor'),
    holder: textOf(claims['holder'], 'the holder of an ancestor'),
    jointly: jointlyOf(claims['jointly']),
    level,
    limits: limitsOf(claims['limits']),
    ...termsShared(claims),
  }
}

/** By level, the register's own first, without gaps and without one mandate twice. */
const ancestorsOf = (value: unknown, credentialId: string): MandateAncestor[] => {
  const ancestors = listOf(value, mandateAncestorsMost, 'ancestors').map(ancestorOf)
  ancestors.sort((a, b) => a.level - b.level)
  const gap = ancestors.some(({ level }, index) => level - (ancestors[index - 1]?.level ?? 0) > 1)
  if (gap) throw malformed('a level of its ancestors is missing')
  const ids = new Set([credentialId, ...ancestors.map(ancestor => ancestor.credentialId)])
  if (ids.size !== ancestors.length + 1) throw malformed('a mandate stands in its chain twice')
  return ancestors
}

/** How a company without a DID is named: by its number in the register of that issuer. */
export const companyPrincipal = (issuer: string, company: { id?: string | undefined; registrationNumber: string }) =>
  company.id ?? `urn:chancery:company:${issuer}:${encodeURIComponent(company.registrationNumber)}`

const companyOf = (claims: Members, issuer: string): string => {
  const { id, registrationNumber } = membersOf(claims['company'], 'company')
  return companyPrincipal(issuer, {
    id: id === undefined ? undefined : textOf(id, 'the DID of the company'),
    registrationNumber: textOf(registrationNumber, 'the registration number of the company'),
  })
}

/** The credential types that are mandates, by the id of their schema. */
export const mandateTypes = ['CompanyMandate', 'GuardianMandate'] as const

/** What a session's mandate says is asked at every call. */
const known = new WeakMap<ProvenCredential, MandateTerms>()

/**
 * What a mandate says, read strictly: a member that is missing never means "unbounded".
 * @throws Refusal mandate_malformed, also for a credential that is no mandate.
 */
export const termsOf = (credential: ProvenCredential): MandateTerms => {
  const terms = known.get(credential) ?? readTerms(credential)
  known.set(credential, terms)
  return terms
}

const readTerms = (credential: ProvenCredential): MandateTerms => {
  const { type, issuer, holder, claims } = credential
  const credentialId = textOf(credential.credentialId, 'its id')
  const shared = termsShared(claims)
  if (type === 'GuardianMandate') {
    const principal = textOf(membersOf(claims['principal'], 'principal')['id'], 'the identifier of the minor')
    return { credentialId, issuer, holder, principal, limits: [], jointly: 1, ancestors: [], ...shared }
  }
  if (type !== 'CompanyMandate') throw malformed(`${type} is no type of mandate`)
  return {
    ...{ credentialId, issuer, holder },
    principal: companyOf(claims, issuer),
    jointly: jointlyOf(membersOf(claims['signing'], 'signing')['jointly']),
    limits: limitsOf(claims['limits']),
    ancestors: ancestorsOf(claims['ancestors'], credentialId),
    ...shared,
  }
}

const limitIn = (link: MandateLink, currency: string): MandateLimit | undefined =>
  link.limits.find(limit => limit.currency === currency)

/**
 * Holds a mandate against one that it comes from: in no dimension may it reach further.
 * @throws Refusal mandate_wider
 */
export const assertNarrower = (parent: MandateLink, child: MandateLink): void => {
  if (!parent.mayDelegate) throw wider('the one above may not be passed on')
  if (child.startsOn < parent.startsOn || child.endsOn > parent.endsOn) throw wider('its period reaches further')
  const allowed = new Set(parent.operations)
  if (child.operations.some(operation => !allowed.has(operation))) throw wider('it names another operation')
  if (parent.limits.length === 0) return
  if (child.limits.length === 0) throw wider('it has no limit on amounts')
  for (const { currency, perActMinor } of child.limits) {
    const above = limitIn(parent, currency)
    if (above === undefined || perActMinor > above.perActMinor) throw wider('its limit on amounts is higher')
  }
}

/** As many different people as have to sign together gave what comes from this level. */
const assertGivenJointly = (level: readonly MandateAncestor[]): void => {
  const holders = new Set(level.map(({ holder }) => holder)).size
  if (level.some(({ jointly }) => jointly > holders)) throw wider('those who gave it sign only jointly with others')
}

/** Terms whose chain has been gone through; they are never changed, so once is enough. */
const sound = new WeakSet<MandateTerms>()

/**
 * Goes through the whole chain: each mandate within every one of the level above, and given by enough signatories.
 * @throws Refusal mandate_depth, mandate_wider
 */
export const assertChain = (terms: MandateTerms): void => {
  if (sound.has(terms)) return
  const { ancestors } = terms
  const depth = (ancestors.at(-1)?.level ?? 0) + 1
  if (depth > mandateDepthMost) throw tooDeep()
  const links: MandateAncestor[] = [...ancestors, { ...terms, level: depth }]
  for (let above = 1; above < depth; above += 1) {
    const parents = ancestors.filter(({ level }) => level === above)
    assertGivenJointly(parents)
    for (const child of links.filter(({ level }) => level === above + 1)) {
      for (const parent of parents) assertNarrower(parent, child)
    }
  }
  sound.add(terms)
}

const assertWithinLimit = (terms: MandateTerms, amount: { minor: bigint; currency: string }): void => {
  if (terms.limits.length === 0) return
  const limit = limitIn(terms, amount.currency)
  if (limit !== undefined && amount.minor >= 0n && amount.minor <= limit.perActMinor) return
  throw new Refusal(
    'forbidden',
    'mandate_limit',
    limit === undefined
      ? 'The mandate has no limit in this currency, so nothing can be moved in it.'
      : 'The amount is above what the mandate allows in one act; ask somebody with a higher limit.',
  )
}

/**
 * May the holder of this mandate do this act for its principal now? Whether the mandate and its ancestors still stand is
 * judged by their status, not here; whether enough signatories act together is the gate's.
 * @throws Refusal forbidden: mandate_depth, mandate_wider, mandate_period, mandate_operation, mandate_limit
 */
export const judgeMandate = (terms: MandateTerms, act: MandatedAct): void => {
  assertChain(terms)
  const today = new Date(act.now).toISOString().slice(0, 10)
  if (today < terms.startsOn || today > terms.endsOn) {
    throw new Refusal('forbidden', 'mandate_period', 'The mandate is not in force today.')
  }
  if (!terms.operations.includes(act.operation)) {
    throw new Refusal('forbidden', 'mandate_operation', 'The mandate does not name this operation.', {
      facts: { operation: act.operation },
    })
  }
  if (act.amount !== undefined) assertWithinLimit(terms, act.amount)
}
