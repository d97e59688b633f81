import { assertCredential, type CredentialShape } from '../model/credential.ts'
import { assertPresentation, type PresentationShape } from '../model/presentation.ts'
import { malformed } from './json.ts'

/** What VC-JOSE-COSE secures: documents of VC Data Model 2.0, presentations with enveloped credentials. */

const assertModel = (model: string): void => {
  if (model !== '2.0') throw malformed('VC-JOSE-COSE secures documents of VC Data Model 2.0.')
}

/** @throws Refusal malformed/credential_malformed */
export const assertCredentialOf = (document: Record<string, unknown>): CredentialShape => {
  const credential = assertCredential(document)
  assertModel(credential.model)
  return credential
}

/**
 * Credentials in a presentation secured by SD-JWT or COSE are enveloped ones (VC-JOSE-COSE, sections 3.2.2 and 3.3.2).
 * @throws Refusal malformed/credential_malformed
 */
export const assertPresentationOf = (document: Record<string, unknown>): PresentationShape => {
  const presentation = assertPresentation(document)
  assertModel(presentation.model)
  if (presentation.credentials.some(({ kind }) => kind !== 'enveloped')) {
    throw malformed('A presentation secured by SD-JWT or COSE holds EnvelopedVerifiableCredentials only.')
  }
  return presentation
}
