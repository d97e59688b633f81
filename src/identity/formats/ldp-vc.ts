import { canonical } from '../../kernel/canonical.ts'
import type { Refusal } from '../../kernel/refusal.ts'
import { addProof } from '../integrity/proofs.ts'
import { suiteNamed } from '../integrity/suites.ts'
import type { CredentialType, CredentialTypes } from '../types.ts'
import type { Draft, Format, Opened, Sign } from './format.ts'
import { fromDateTime, textOrUndefined, toDateTime } from './jose.ts'
import { isRecord, malformed, readJson, sameJson } from './json.ts'
import { openProof } from './ldp-proof.ts'
import { credentialOf } from './vc-jose.ts'
import { contextsOf, narrow, readStatus, readSubject, readType } from './w3c.ts'

type Document = Record<string, unknown>

const members = new Set([
  ...['@context', 'id', 'type', 'issuer', 'validFrom', 'validUntil'],
  ...['credentialSubject', 'credentialSchema', 'credentialStatus', 'proof'],
])

const ambiguous = (what: string): Refusal => malformed(`The credential ${what}, which its proof would not tell apart.`)

/** Of a JSON Schema, which members there have to be. */
type Part = { required?: readonly string[]; properties?: Record<string, Part>; items?: Part } | undefined

/** A value and where it stands. */
type Place = { value: unknown; part: Part; isRequired: boolean; ids: Set<string> }

/** Values of a list are a set in RDF: neither one that stands there twice nor a list without any would be signed. */
const assertPlainList = (items: readonly unknown[], { part, isRequired, ids }: Place): void => {
  // Where the list has to be there, nobody can leave an empty one out.
  if (items.length === 0 && !isRequired) throw ambiguous('has an empty list')
  if (items.some(Array.isArray)) throw ambiguous('has a list in a list')
  const scalars = items.filter(item => !isRecord(item))
  if (new Set(scalars).size < scalars.length) throw ambiguous('has a value twice in a list')
  for (const value of items) assertPlain({ value, part: part?.items, isRequired: false, ids })
}

const assertPlainId = (id: unknown, ids: Set<string>): void => {
  if (typeof id !== 'string') return
  if (id.startsWith('_:')) throw ambiguous('names a blank node')
  if (ids.has(id)) throw ambiguous('has two objects with one id')
  ids.add(id)
}

/**
 * A proof over RDF covers what a document states and not how it is written. Whatever states the same, or nothing, in other
 * words is refused, so that readers of the JSON read what was signed: keywords and whole IRIs as names, `null`, empty
 * lists, and two objects with one id, between which members could be moved.
 */
const assertPlain = (place: Place): void => {
  const { value, part, ids } = place
  if (value === null) throw ambiguous('has a member of null')
  if (Array.isArray(value)) assertPlainList(value, place)
  if (!isRecord(value)) return
  const names = Object.keys(value)
  const strange = names.find(name => name.includes('@') || name.includes(':'))
  if (strange !== undefined)
    throw malformed('A name in the credential is a keyword or an IRI; terms alone are read here.')
  if (names.length > 1) assertPlainId(value['id'], ids)
  for (const name of names) {
    const isRequired = part?.required?.includes(name) === true
    assertPlain({ value: value[name], part: part?.properties?.[name], isRequired, ids })
  }
}

const assertOneReading = (document: Document, { schema }: CredentialType): void => {
  const stray = Object.keys(document).find(name => !members.has(name))
  if (stray !== undefined) throw malformed(`A credential of an agency has no ${JSON.stringify(stray.slice(0, 80))}.`)
  const { '@context': _context, proof: _proof, ...value } = document
  const part = { properties: { credentialSubject: schema as Part } }
  assertPlain({ value, part, isRequired: false, ids: new Set() })
}

const listUrl = /^(.{1,500})\/status\/bitstring\/(0|[1-9][0-9]{0,14})$/

/** Public URL of the agency, as its status entries name it: those are signed, and the URLs of contexts are not. */
const baseUrlOf = (credentialStatus: unknown): string => {
  const entries = (Array.isArray(credentialStatus) ? credentialStatus : [credentialStatus]).filter(isRecord)
  const urls = entries
    .filter(entry => entry['type'] === 'BitstringStatusListEntry')
    .map(({ statusListCredential }) => listUrl.exec(String(statusListCredential))?.[1])
  const [baseUrl] = urls
  if (baseUrl === undefined || urls.some(url => url !== baseUrl)) {
    throw malformed('The BitstringStatusListEntries of the credential do not name the lists of one agency.')
  }
  return baseUrl
}

/**
 * The contexts are those of the credential's type at the agency that issued it, in their order: what stands at another URL may
 * give the terms another meaning for whoever fetches it, and no proof over RDF would show.
 */
const assertContexts = (document: Document, type: CredentialType): void => {
  const expected = contextsOf(baseUrlOf(document['credentialStatus']), type)
  if (!sameJson(document['@context'], expected)) {
    throw malformed(`The contexts of a ${type.id} are ${expected.join(', ')}.`)
  }
}

const secure = async (draft: Draft, sign: Sign): Promise<string> => {
  const document = credentialOf(draft)
  assertOneReading(document, draft.type)
  const secured = await addProof(document, {
    suite: suiteNamed(draft.cryptosuite),
    signer: {
      verificationMethod: draft.kid,
      algorithm: draft.algorithm,
      sign: data => sign(draft.algorithm, Buffer.from(data)),
    },
    proofPurpose: 'assertionMethod',
    created: toDateTime(draft.issuedAt),
  })
  return JSON.stringify(secured)
}

const open = (compact: string, types: CredentialTypes): Opened => {
  const document = readJson(compact, 'credential')
  if (!isRecord(document)) throw malformed('The credential is not a JSON object.')
  const { read, signature } = openProof(document, 'assertionMethod')
  const type = readType(document, types)
  assertOneReading(document, type)
  assertContexts(document, type)
  const { issuer } = document
  if (typeof issuer !== 'string') throw malformed('The issuer of a credential of an agency is a string.')
  const subject = readSubject(document['credentialSubject'])
  const validFrom = fromDateTime(document['validFrom'], 'validFrom')
  return {
    format: 'ldp_vc',
    compact: canonical(document),
    signature,
    id: textOrUndefined(document['id'], 'id'),
    issuer,
    type,
    subjectId: subject.id,
    confirmation: undefined,
    claims: subject.claims,
    issuedAt: read.created ?? validFrom,
    validFrom,
    validUntil: narrow(fromDateTime(document['validUntil'], 'validUntil'), read.expires, Math.min),
    status: readStatus(document['credentialStatus']),
    partial: 'none',
    keyBinding: undefined,
    document,
  }
}

const show = ({ document: { proof: _, ...credential } }: Opened): Document => credential

/** W3C VC Data Model 2.0 secured by Data Integrity 1.0 with one proof in the document; its compact form is JSON text. */
export const ldpVc: Format = { id: 'ldp_vc', mediaType: 'application/vc', secure, open, show }
