import type { PresentationVerdict, Verdict } from '../../../kernel/identity.ts'
import type { Refusal } from '../../../kernel/refusal.ts'
import { isRecord } from '../document.ts'
import {
  credentialMissing,
  credentialOfAnother,
  credentialsSeveral,
  cryptosuiteUnaccepted,
  holderMissing,
  issuerUnaccepted,
  methodUnaccepted,
  securingUnaccepted,
  workflowMalformed,
  workflowUnsupported,
} from '../errors.ts'
import type { Document, QueryLanguage } from '../needs.ts'
import { queriesMost } from '../policy.ts'

type DidQuery = {
  type: 'DIDAuthentication'
  group?: string
  required?: boolean
  acceptedMethods?: { method: string }[]
  acceptedCryptosuites?: unknown[]
}
type Example = {
  reason?: string
  example?: Document
  acceptedIssuers?: unknown[]
  acceptedCryptosuites?: unknown[]
  acceptedEnvelopes?: unknown[]
}
type ExampleQuery = { type: 'QueryByExample'; group?: string; credentialQuery: Example | Example[] }
/** What stands beside type and group is a query of the Digital Credentials Query Language. */
type DcqlQuery = Document & { type: 'DigitalCredentialQueryLanguage'; group?: string }
export type Query = DidQuery | ExampleQuery | DcqlQuery

const list = <T>(value: T | readonly T[]): readonly T[] =>
  Array.isArray(value) ? (value as readonly T[]) : [value as T]

const known: Readonly<Record<string, readonly string[]>> = {
  DIDAuthentication: ['type', 'group', 'required', 'acceptedMethods', 'acceptedCryptosuites'],
  QueryByExample: ['type', 'group', 'credentialQuery'],
  DigitalCredentialQueryLanguage: ['type', 'group', 'credentials', 'credential_sets'],
}
const ofExample = ['reason', 'example', 'acceptedIssuers', 'acceptedCryptosuites', 'acceptedEnvelopes']

/** A name by itself, or in an object under this member: both are in use. */
const nameOf = (value: unknown, member: string): string => {
  const name = isRecord(value) ? value[member] : value
  if (typeof name === 'string' && name !== '') return name
  if (isRecord(value) && value['recognizedIn'] !== undefined)
    throw workflowUnsupported('recognizedIn in acceptedIssuers')
  throw workflowMalformed(`What is accepted must have a ${member}.`)
}

const namesOf = (value: unknown, member: string): string[] | undefined => {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length === 0 || value.length > 100) {
    throw workflowMalformed('What is accepted must be a list that is not empty.')
  }
  return value.map(each => nameOf(each, member))
}

const assertExample = (value: unknown): void => {
  if (!isRecord(value)) throw workflowMalformed('credentialQuery must be an object.')
  const stranger = Object.keys(value).find(name => !ofExample.includes(name))
  if (stranger !== undefined) throw workflowUnsupported(`${stranger} in credentialQuery`)
  if (value['example'] !== undefined && !isRecord(value['example']))
    throw workflowMalformed('example must be an object.')
  namesOf(value['acceptedIssuers'], 'id')
  namesOf(value['acceptedCryptosuites'], 'cryptosuite')
  namesOf(value['acceptedEnvelopes'], 'mediaType')
}

const assertExamples = ({ credentialQuery }: Document): void => {
  const examples = list(credentialQuery)
  if (examples.length === 0 || examples.length > queriesMost) {
    throw workflowMalformed(`credentialQuery must be 1 to ${queriesMost} objects.`)
  }
  for (const example of examples) assertExample(example)
}

const assertAuthentication = ({ required, acceptedMethods, acceptedCryptosuites }: Document): void => {
  if (required !== undefined && typeof required !== 'boolean') throw workflowMalformed('required is true or false.')
  namesOf(acceptedMethods, 'method')
  namesOf(acceptedCryptosuites, 'cryptosuite')
}

const languageOf = ({ type: _type, group: _group, ...query }: Document): Document => query

const assertQuery = (value: unknown, dcql: Pick<QueryLanguage, 'read'>): void => {
  if (!isRecord(value) || typeof value['type'] !== 'string') throw workflowMalformed('A query must have a type.')
  const { type, group } = value
  const members = Object.hasOwn(known, type) ? known[type] : undefined
  if (members === undefined) throw workflowUnsupported(`queries of type ${type}`)
  const stranger = Object.keys(value).find(name => !members.includes(name))
  if (stranger !== undefined) throw workflowUnsupported(`${stranger} in a query of type ${type}`)
  if (group !== undefined && typeof group !== 'string') throw workflowMalformed('A group must be a string.')
  if (type === 'DigitalCredentialQueryLanguage') dcql.read(languageOf(value))
  else if (type === 'QueryByExample') assertExamples(value)
  else assertAuthentication(value)
}

/**
 * What a step may ask for (VCALM 1.0, Requesting a Presentation).
 * @throws Refusal malformed/workflow_malformed, dcql_malformed, rejected/workflow_unsupported, format_unsupported
 */
export function assertQueries(value: unknown, dcql: Pick<QueryLanguage, 'read'>): asserts value is Query | Query[] {
  const queries = list(value)
  if (queries.length === 0 || queries.length > queriesMost) {
    throw workflowMalformed(`A request has 1 to ${queriesMost} queries.`)
  }
  for (const query of queries) assertQuery(query, dcql)
}

/** A presentation that was found good, and whose it is. */
export type Presented = {
  presentation: unknown
  verdict: PresentationVerdict
  /** Whether a credential about somebody must be about the holder. */
  holderIsSubject: boolean
  dcql: QueryLanguage
}

const suitesOf = (document: unknown): string[] =>
  isRecord(document)
    ? list(document['proof'])
        .filter(isRecord)
        .map(({ type, cryptosuite }) => String(cryptosuite ?? type))
    : []

const judgeHolder = (query: DidQuery, { presentation, verdict }: Presented): void => {
  const { holder } = verdict
  if (holder === undefined) throw holderMissing()
  const methods = namesOf(query.acceptedMethods, 'method')
  if (methods !== undefined && !methods.some(method => holder.startsWith(`did:${method}:`))) throw methodUnaccepted()
  const suites = namesOf(query.acceptedCryptosuites, 'cryptosuite')
  if (suites !== undefined && !suitesOf(presentation).some(suite => suites.includes(suite))) {
    throw cryptosuiteUnaccepted()
  }
}

/** In what a credential came: what media types name the format. */
const envelopes: Readonly<Record<string, readonly string[]>> = {
  'vc+jwt': ['application/vc+jwt', 'application/jwt'],
  jwt_vc: ['application/jwt'],
  'vc+cose': ['application/vc+cose', 'application/cose'],
  'dc+sd-jwt': ['application/dc+sd-jwt'],
  'vc+sd-jwt': ['application/vc+sd-jwt'],
}

/** Query By Example: every member of the example is there; an empty string stands for any value. */
const isLike = (example: unknown, value: unknown): boolean => {
  if (example === '') return value !== undefined && value !== null
  if (Array.isArray(example)) return example.every(each => list(value).some(other => isLike(each, other)))
  if (Array.isArray(value)) return value.some(other => isLike(example, other))
  if (!isRecord(example)) return example === value
  return (
    isRecord(value) &&
    Object.entries(example).every(([name, each]) => Object.hasOwn(value, name) && isLike(each, value[name]))
  )
}

/** What was presented, as the data model has it; an SD-JWT VC has no contexts that could tell its names apart. */
const documentOf = (verdict: Verdict): Document => {
  const { document, type, issuer, claims } = verdict
  if (document?.['credentialSubject'] !== undefined) return document
  return { type: ['VerifiableCredential', type], issuer, credentialSubject: claims ?? {} }
}

const withoutContext = ({ '@context': _context, ...example }: Document): Document => example

const isSecuredSo = ({ acceptedCryptosuites, acceptedEnvelopes }: Example, verdict: Verdict): boolean => {
  const suites = namesOf(acceptedCryptosuites, 'cryptosuite')
  const types = namesOf(acceptedEnvelopes, 'mediaType')
  if (suites === undefined && types === undefined) return true
  const { format = '', document } = verdict
  if (format === 'ldp_vc') return suitesOf(document).some(suite => suites?.includes(suite) === true)
  return (envelopes[format] ?? []).some(mediaType => types?.includes(mediaType))
}

/** About nobody, or about the holder: that a credential is in the holder's hands does not yet make it the holder's. */
const isAbout = (verdict: Verdict, holder: string | undefined): boolean => {
  const subjects = list(documentOf(verdict)['credentialSubject']).filter(isRecord)
  const named = subjects.filter(({ id }) => id !== undefined)
  return named.length === 0 || named.some(({ id }) => id === holder)
}

/** How far each credential gets; the refusal of the one that got furthest is the answer. */
const judgeExample = (query: Example, { verdict, holderIsSubject }: Presented): void => {
  const { example = {}, acceptedIssuers } = query
  const issuers = namesOf(acceptedIssuers, 'id')
  const stages: { refusal: Refusal; passes(credential: Verdict): boolean }[] = [
    {
      refusal: credentialMissing(),
      passes: credential => {
        const document = documentOf(credential)
        return isLike(document['@context'] === undefined ? withoutContext(example) : example, document)
      },
    },
    { refusal: issuerUnaccepted(), passes: ({ issuer = '' }) => issuers === undefined || issuers.includes(issuer) },
    { refusal: securingUnaccepted(), passes: credential => isSecuredSo(query, credential) },
    {
      refusal: credentialOfAnother(),
      passes: credential => !holderIsSubject || isAbout(credential, verdict.holder),
    },
  ]
  let left = verdict.credentials
  for (const { refusal, passes } of stages) {
    left = left.filter(passes)
    if (left.length === 0) throw refusal
  }
}

/** By the key that it names, or because it is about whoever presents it. */
const isBound = (verdict: Verdict, holder: string | undefined): boolean => {
  if (isRecord(verdict.document?.['cnf'])) return true
  const subjects = list(documentOf(verdict)['credentialSubject']).filter(isRecord)
  return holder !== undefined && (verdict.holder === holder || subjects.some(({ id }) => id === holder))
}

const judgeDcql = (query: DcqlQuery, { verdict, holderIsSubject, dcql }: Presented): void => {
  const { credentials, holder } = verdict
  const counting = credentials.filter(each => !holderIsSubject || isAbout(each, holder))
  const presented = counting.map(each => ({ verdict: each, holderBound: isBound(each, holder) }))
  const outcome = dcql.judge(dcql.read(languageOf(query)), presented)
  if (outcome === 'met') return
  if (outcome === 'several') throw credentialsSeveral()
  throw counting.length < credentials.length ? credentialOfAnother() : credentialMissing()
}

const judgeQuery = (query: Query, presented: Presented): void => {
  if (query.type === 'DIDAuthentication') judgeHolder(query, presented)
  else if (query.type === 'DigitalCredentialQueryLanguage') judgeDcql(query, presented)
  else for (const each of list(query.credentialQuery)) judgeExample(each, presented)
}

/** Queries of one group belong together; one without a group stands for itself. */
const groupsOf = (queries: readonly Query[]): Query[][] => {
  const groups = new Map<string, Query[]>()
  queries.forEach((query, place) => {
    const name = query.group === undefined ? `${place}` : `group ${query.group}`
    groups.set(name, [...(groups.get(name) ?? []), query])
  })
  return [...groups.values()]
}

/**
 * Whether a presentation has what was asked for. VCALM 1.0, Logical Operations in Queries: all of one group, or all of
 * another. Who presents is not an alternative to what is presented: DIDAuthentication without a group holds beside any group.
 * @throws Refusal rejected/holder_missing, method_unaccepted, cryptosuite_unaccepted, credential_missing,
 * issuer_unaccepted, securing_unaccepted, credential_of_another, presentation_several
 */
export const judgeQueries = (asked: Query | Query[], presented: Presented): void => {
  const queries = list(asked).filter(query => query.type !== 'DIDAuthentication' || query.required !== false)
  const always = queries.filter(query => query.type === 'DIDAuthentication' && query.group === undefined)
  for (const query of always) judgeQuery(query, presented)
  let first: unknown
  const groups = groupsOf(queries.filter(query => !always.includes(query)))
  for (const group of groups) {
    try {
      for (const query of group) judgeQuery(query, presented)
      return
    } catch (error) {
      first ??= error
    }
  }
  if (first !== undefined) throw first
}
