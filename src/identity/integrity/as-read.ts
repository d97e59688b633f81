import { Refusal } from '../../kernel/refusal.ts'
import { isRecord, malformed } from '../formats/json.ts'
import type { Quad, Term } from '../linked-data/quads.ts'

/**
 * A proof over RDF covers what a document states, and readers read its JSON. The same can be stated under other names,
 * by whole IRIs or by a context that anybody may add, so that a status, an end or a challenge would be signed and not be
 * read. What decides whether a document counts has to be stated by the members that are read for it, and only by those
 * (Data Integrity 1.0, section 4.6 Context Validation, asks the same of the contexts).
 */

const credentials = 'https://www.w3.org/2018/credentials#'
const security = 'https://w3id.org/security#'
const status = 'https://www.w3.org/ns/credentials/status#'
const rdfType = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type'

type Members = Record<string, unknown>

/** Members whose values are texts, and what they are called in RDF. */
const dates = {
  validFrom: `${credentials}validFrom`,
  validUntil: `${credentials}validUntil`,
  issuanceDate: `${credentials}issuanceDate`,
  expirationDate: `${credentials}expirationDate`,
}
/** Members whose values are objects, by their ids where they have any. */
const objects = Object.fromEntries(
  [
    ...['issuer', 'holder', 'credentialSubject', 'credentialStatus', 'credentialSchema'],
    ...['termsOfUse', 'evidence', 'refreshService', 'relatedResource'],
  ].map(name => [name, `${credentials}${name}`]),
)
const statusTexts = {
  statusPurpose: `${status}statusPurpose`,
  statusListIndex: `${status}statusListIndex`,
  statusListCredential: `${status}statusListCredential`,
}
const proofTexts = {
  created: 'http://purl.org/dc/terms/created',
  expires: `${security}expiration`,
  domain: `${security}domain`,
  challenge: `${security}challenge`,
  nonce: `${security}nonce`,
  cryptosuite: `${security}cryptosuite`,
  verificationMethod: `${security}verificationMethod`,
  previousProof: `${security}previousProof`,
}
const purposes = new Map<unknown, string>([
  ['assertionMethod', `${security}assertionMethod`],
  ['authentication', `${security}authenticationMethod`],
  ['capabilityInvocation', `${security}capabilityInvocationMethod`],
  ['capabilityDelegation', `${security}capabilityDelegationMethod`],
  ['keyAgreement', `${security}keyAgreementMethod`],
])
const purposeIris = new Set(purposes.values())

const list = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value])

/** Objects of the statements of a graph, by predicate. */
const byPredicate = (quads: readonly Quad[], counts: (quad: Quad) => boolean): Map<string, Term[]> => {
  const found = new Map<string, Term[]>()
  for (const quad of quads) {
    if (!counts(quad)) continue
    const terms = found.get(quad.predicate.value)
    if (terms === undefined) found.set(quad.predicate.value, [quad.object])
    else terms.push(quad.object)
  }
  return found
}

const same = (stated: readonly string[], read: readonly unknown[]): boolean => {
  const a = new Set<unknown>(stated)
  const b = new Set(read)
  return a.size === b.size && stated.every(each => b.has(each))
}

const textsAsRead = (stated: readonly Term[] = [], value: unknown): boolean =>
  same(
    stated.map(term => term.value),
    list(value),
  )

/** Objects with an id by their ids; those without by their number, for nobody else can name them. */
const objectsAsRead = (stated: readonly Term[] = [], value: unknown): boolean => {
  const ids = list(value).map(each => (isRecord(each) ? each['id'] : each))
  const named = stated.filter(({ termType }) => termType === 'NamedNode')
  return (
    same(
      named.map(term => term.value),
      ids.filter(id => id !== undefined),
    ) && stated.length - named.length === ids.filter(id => id === undefined).length
  )
}

/** A purpose that nobody here knows may be called whatever its context says, but not as one that is known. */
const purposeAsRead = (stated: readonly Term[] = [], proofPurpose: unknown): boolean => {
  const known = purposes.get(proofPurpose)
  return known === undefined
    ? stated.length === 1 && !stated.some(({ value }) => purposeIris.has(value))
    : textsAsRead(stated, known)
}

const inDefaultGraph = ({ graph }: Quad): boolean => graph.termType === 'DefaultGraph'

const otherwise = (name: string): Refusal =>
  malformed(`${name} is stated in other words than those it is read by, or they mean something else.`)

const assertStatuses = (document: Members, quads: readonly Quad[]): void => {
  const entries = list(document['credentialStatus']).filter(isRecord)
  if (entries.length === 0 || entries.some(({ type }) => type !== 'BitstringStatusListEntry')) return
  const stated = byPredicate(quads, inDefaultGraph)
  for (const [name, predicate] of Object.entries(statusTexts)) {
    const read = entries.flatMap(entry => list(entry[name]))
    if (!textsAsRead(stated.get(predicate), read)) throw otherwise(`${name} of credentialStatus`)
  }
}

/**
 * Refuses a credential or presentation of which the members that decide whether it counts do not say what its statements
 * say. Other documents pass.
 * @param quads of `document`, whose own node is the first that `toQuads` names.
 * @throws Refusal malformed/credential_malformed
 */
export const assertDocumentAsRead = (document: Members, quads: readonly Quad[]): void => {
  const types = list(document['type'])
  if (!types.includes('VerifiableCredential') && !types.includes('VerifiablePresentation')) return
  const { id } = document
  const subject = typeof id === 'string' && !id.startsWith('_:') ? id : '_:b0'
  const stated = byPredicate(quads, quad => quad.subject.value === subject && inDefaultGraph(quad))
  for (const [name, predicate] of Object.entries(dates)) {
    if (!textsAsRead(stated.get(predicate), document[name])) throw otherwise(name)
  }
  for (const [name, predicate] of Object.entries(objects)) {
    if (!objectsAsRead(stated.get(predicate), document[name])) throw otherwise(name)
  }
  assertStatuses(document, quads)
}

/**
 * Refuses a proof of which the members do not say what is signed of it.
 * @param quads of the proof's configuration, under the context of the document.
 * @throws Refusal malformed/proof_malformed
 */
export const assertProofAsRead = (proof: Members, quads: readonly Quad[]): void => {
  const stated = byPredicate(quads, () => true)
  const { type, proofPurpose } = proof
  const texts = Object.entries(proofTexts)
  const isType = stated.get(rdfType)?.some(({ value }) => value === `${security}${type}`) === true
  const isPurpose = purposeAsRead(stated.get(`${security}proofPurpose`), proofPurpose)
  if (isType && isPurpose && texts.every(([name, predicate]) => textsAsRead(stated.get(predicate), proof[name]))) return
  const detail = 'A proof is stated in other words than those it is read by, or they mean something else.'
  throw new Refusal('malformed', 'proof_malformed', detail)
}
