import { malformed } from '../formats/json.ts'
import { assertCredential, type CredentialShape } from './credential.ts'
import { type Envelope, isEnvelope, openEnvelope } from './envelope.ts'
import {
  assertContexts,
  assertId,
  assertObject,
  assertParty,
  assertTyped,
  assertTypes,
  broken,
  type Members,
  type ModelVersion,
} from './members.ts'
import { assertProofs } from './proofs.ts'

const clause = '2.0, section 4.13'
const credentialsMost = 64

/** A credential in a presentation: with its own proof, in an envelope, or (version 1.1 alone) a bare token. */
export type Presented =
  | { kind: 'embedded'; credential: CredentialShape; selfAsserted: boolean }
  | { kind: 'enveloped'; envelope: Envelope; document: Members }
  | { kind: 'token'; token: string }

/** A presentation whose form is right. Nothing in it is believed yet. */
export type PresentationShape = {
  model: ModelVersion
  id: string | undefined
  types: readonly string[]
  holder: string | undefined
  credentials: readonly Presented[]
  termsOfUse: readonly Members[]
  proofs: readonly Members[]
  document: Members
}

/** Without a proof of its own a credential is the holder's own word (section 4.13.4), and says so. */
const assertSecured = (credential: CredentialShape, holder: string | undefined): Presented => {
  const isSelfAsserted = credential.issuer === holder
  if (credential.proofs.length === 0 && !isSelfAsserted) {
    throw broken('A credential without a proof', 'must have the holder as its issuer', '2.0, section 4.13.4')
  }
  return { kind: 'embedded', credential, selfAsserted: isSelfAsserted }
}

const presented = (value: unknown, model: ModelVersion, holder: string | undefined): Presented => {
  if (isEnvelope(value, 'EnvelopedVerifiableCredential')) {
    return { kind: 'enveloped', envelope: openEnvelope(value, 'EnvelopedVerifiableCredential'), document: value }
  }
  if (typeof value === 'string' && model === '1.1') return { kind: 'token', token: value }
  const object = assertObject(value, 'verifiableCredential', clause)
  return assertSecured(assertCredential(object), holder)
}

const assertCredentials = (value: unknown, model: ModelVersion, holder: string | undefined): readonly Presented[] => {
  if (value === undefined) return []
  const values = Array.isArray(value) ? (value as unknown[]) : [value]
  if (values.length === 0) throw broken('verifiableCredential', 'must be one or more objects', clause)
  if (values.length > credentialsMost) throw malformed(`A presentation has more than ${credentialsMost} credentials.`)
  return values.map(each => presented(each, model, holder))
}

/**
 * Judges the form of a presentation, secured or not: every rule of VC Data Model 2.0 (of 1.1, by its first context) that
 * one document can be held to without JSON-LD processing, down to the credentials in it.
 * @throws Refusal malformed/credential_malformed, malformed/proof_malformed, rejected/payload_edited
 */
export const assertPresentation = (value: unknown): PresentationShape => {
  const document = assertObject(value, 'A presentation', clause)
  const model = assertContexts(document['@context'])
  const types = assertTypes(document, 'a presentation')
  if (!types.includes('VerifiablePresentation')) {
    throw broken('The type of a presentation', 'must include VerifiablePresentation', '2.0, section 4.5')
  }
  const holder = document['holder'] === undefined ? undefined : assertParty(document['holder'], 'holder', clause)
  return {
    model,
    id: assertId(document, 'a presentation'),
    types,
    holder,
    credentials: assertCredentials(document['verifiableCredential'], model, holder),
    termsOfUse: assertTyped(document['termsOfUse'], 'termsOfUse', '2.0, section 5.5'),
    proofs: assertProofs(document['proof']),
    document,
  }
}
