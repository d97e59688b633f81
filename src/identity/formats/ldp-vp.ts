import { addProof } from '../integrity/proofs.ts'
import { suiteNamed } from '../integrity/suites.ts'
import type { Sign } from './format.ts'
import { toDateTime } from './jose.ts'
import { isRecord, malformed, readJson } from './json.ts'
import { openProof } from './ldp-proof.ts'
import { embedded, holderOf, type OpenedPresentation, presentationMs, type Sealing } from './presentation.ts'
import { contextV2 } from './w3c.ts'

type Document = Record<string, unknown>

/** JSON text of a presentation with its proof in it. @throws Refusal malformed/credential_malformed */
export const readLdpPresentation = (text: string): Document => {
  const document = readJson(text, 'presentation')
  if (isRecord(document)) return document
  throw malformed('The presentation is not a JSON object.')
}

/** Contexts by their URLs alone: one that stands in the document could give `holder` another meaning. */
const assertContexts = (contexts: unknown): void => {
  const isListed = Array.isArray(contexts) && contexts.every(each => typeof each === 'string')
  if (!isListed || contexts[0] !== contextV2) {
    throw malformed('The contexts of a presentation are URLs, and the first is that of VC 2.0.')
  }
}

/**
 * Takes a VerifiablePresentation with a proof in it apart: purpose authentication, what it answers in `challenge` and
 * `domain` (VC Data Model 2.0, section 4.13; Data Integrity 1.0, section 2.1).
 * @throws Refusal malformed/credential_malformed, proof_malformed, rejected/proof_purpose, proof_chain_broken,
 * cryptosuite_unknown
 */
export const openLdpPresentation = (text: string): OpenedPresentation => {
  const document = readLdpPresentation(text)
  const { read, signature } = openProof(document, 'authentication')
  assertContexts(document['@context'])
  return {
    signature,
    ...holderOf(document, undefined),
    nonce: read.challenge,
    audience: read.domain,
    issuedAt: read.created,
    notBefore: undefined,
    expiresAt: read.expires,
  }
}

/** A presentation around whole credentials with a proof by the holder's key. Nothing can be kept back in it. */
export const sealLdpVp = async (
  credentials: readonly string[],
  { holder, audience, nonce, now }: Sealing,
  sign: Sign,
): Promise<string> => {
  const created = Math.floor(now / 1_000) * 1_000
  const document = {
    '@context': [contextV2],
    type: ['VerifiablePresentation'],
    holder: holder.did,
    verifiableCredential: credentials.map(embedded),
  }
  const { algorithm, kid: verificationMethod } = holder
  const secured = await addProof(document, {
    suite: suiteNamed(algorithm === 'EdDSA' ? 'eddsa-rdfc-2022' : 'ecdsa-rdfc-2019'),
    signer: { verificationMethod, algorithm, sign: data => sign(algorithm, Buffer.from(data)) },
    proofPurpose: 'authentication',
    created: toDateTime(created),
    expires: toDateTime(created + presentationMs),
    challenge: nonce,
    domain: audience,
  })
  return JSON.stringify(secured)
}
