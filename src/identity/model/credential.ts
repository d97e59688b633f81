import {
  assertContexts,
  assertId,
  assertObject,
  assertObjects,
  assertParty,
  assertText,
  assertTyped,
  assertTypes,
  broken,
  type Members,
  type ModelVersion,
} from './members.ts'
import { assertProofs } from './proofs.ts'
import { assertRelatedResources, type RelatedResource } from './related-resource.ts'
import { timeOf } from './values.ts'

/** A credential whose form is right. Nothing in it is believed yet. Times are milliseconds. */
export type CredentialShape = {
  model: ModelVersion
  id: string | undefined
  types: readonly string[]
  issuer: string
  /** `issuanceDate` and `expirationDate` of version 1.1. */
  validFrom: number | undefined
  validUntil: number | undefined
  subjects: readonly Members[]
  statuses: readonly Members[]
  schemas: readonly Members[]
  termsOfUse: readonly Members[]
  evidence: readonly Members[]
  refreshServices: readonly Members[]
  relatedResources: readonly RelatedResource[]
  proofs: readonly Members[]
  document: Members
}

type Period = Pick<CredentialShape, 'validFrom' | 'validUntil'>

const periodOf: Record<ModelVersion, { from: string; until: string; clause: string }> = {
  '2.0': { from: 'validFrom', until: 'validUntil', clause: '2.0, section 4.9' },
  '1.1': { from: 'issuanceDate', until: 'expirationDate', clause: '1.1, sections 4.6 and 4.8' },
}

const readTime = (document: Members, name: string, model: ModelVersion): number | undefined => {
  const value = document[name]
  if (value === undefined) return undefined
  const time = timeOf(value, model === '2.0')
  if (time === undefined) throw broken(name, 'must be a dateTimeStamp with a time zone', periodOf[model].clause)
  return time
}

const assertPeriod = (document: Members, model: ModelVersion): Period => {
  const { from, until, clause } = periodOf[model]
  const validFrom = readTime(document, from, model)
  const validUntil = readTime(document, until, model)
  if (model === '1.1' && validFrom === undefined) throw broken('issuanceDate', 'must be there', clause)
  if (validFrom !== undefined && validUntil !== undefined && validFrom > validUntil) {
    throw broken(until, `must not be before ${from}`, clause)
  }
  return { validFrom, validUntil }
}

const subjectClause = '2.0, section 4.8'

/** Each subject is an object with at least one member, which may be its id alone. */
const assertSubjects = (value: unknown): readonly Members[] => {
  if (value === undefined) throw broken('credentialSubject', 'must be there', subjectClause)
  const subjects = assertObjects(value, 'credentialSubject', subjectClause)
  for (const subject of subjects) {
    if (Object.keys(subject).length === 0) throw broken('credentialSubject', 'must make a claim', subjectClause)
    assertId(subject, 'credentialSubject')
    assertTyped(subject['confidenceMethod'], 'confidenceMethod', '2.0, section 5.10')
  }
  return subjects
}

/** Members that have to be there beside the type, in version 1.1 more than in 2.0. */
const assertWithId = (objects: readonly Members[], member: string, clause: string): void => {
  if (objects.some(object => object['id'] === undefined)) throw broken(member, 'must have a URL as id', clause)
}

const assertExtensions = (document: Members, model: ModelVersion) => {
  const statuses = assertTyped(document['credentialStatus'], 'credentialStatus', '2.0, section 4.10')
  const schemas = assertTyped(document['credentialSchema'], 'credentialSchema', '2.0, section 4.11')
  const refreshServices = assertTyped(document['refreshService'], 'refreshService', '2.0, section 5.4')
  assertWithId(schemas, 'credentialSchema', '2.0, section 4.11')
  if (model === '1.1') {
    assertWithId(statuses, 'credentialStatus', '1.1, section 4.9')
    assertWithId(refreshServices, 'refreshService', '1.1, section 5.5')
  }
  assertTyped(document['confidenceMethod'], 'confidenceMethod', '2.0, section 5.10')
  assertTyped(document['renderMethod'], 'renderMethod', '2.0, section 5.10')
  return {
    statuses,
    schemas,
    refreshServices,
    termsOfUse: assertTyped(document['termsOfUse'], 'termsOfUse', '2.0, section 5.5'),
    evidence: assertTyped(document['evidence'], 'evidence', '2.0, section 5.6'),
    relatedResources: model === '2.0' ? assertRelatedResources(document['relatedResource']) : [],
  }
}

const issuerClause = '2.0, section 4.7'

const assertNames = (document: Members): void => {
  const issuer = document['issuer'] as Members | string
  if (typeof issuer !== 'string') {
    assertText(issuer['name'], 'The name of issuer')
    assertText(issuer['description'], 'The description of issuer')
  }
  assertText(document['name'], 'name')
  assertText(document['description'], 'description')
}

/**
 * Judges the form of a credential, secured or not, about to be issued or just received: every rule of VC Data Model 2.0
 * (of 1.1, by its first context) that one document can be held to without JSON-LD processing. Terms and their
 * redefinition are judged by the JSON-LD processor, signatures and status elsewhere.
 * @throws Refusal malformed/credential_malformed, malformed/proof_malformed
 */
export const assertCredential = (value: unknown): CredentialShape => {
  const document = assertObject(value, 'A credential', '2.0, section 4.2')
  const model = assertContexts(document['@context'])
  const types = assertTypes(document, 'a credential')
  if (!types.includes('VerifiableCredential')) {
    throw broken('The type of a credential', 'must include VerifiableCredential', '2.0, section 4.5')
  }
  const issuer = assertParty(document['issuer'], 'issuer', issuerClause)
  const shape = {
    model,
    id: assertId(document, 'a credential'),
    types,
    issuer,
    ...assertPeriod(document, model),
    subjects: assertSubjects(document['credentialSubject']),
    ...assertExtensions(document, model),
    proofs: assertProofs(document['proof']),
    document,
  }
  // Version 1.1 leaves names to those who extend it.
  if (model === '2.0') assertNames(document)
  return shape
}
