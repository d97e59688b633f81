import type { Clock, SignatureAlgorithm } from '../../kernel/ports.ts'
import { Refusal } from '../../kernel/refusal.ts'
import { sealJws, toDateTime } from '../formats/jose.ts'
import { sealVcCose, sealVpCose } from '../formats/vc-cose.ts'
import { contextV1 } from '../formats/vc-jwt-1.1.ts'
import { sealVcSdJwt, sealVpSdJwt } from '../formats/vc-sd-jwt.ts'
import { addProof } from '../integrity/proofs.ts'
import type { Cryptosuite, ProofSigner } from '../integrity/suite.ts'
import { suiteNamed } from '../integrity/suites.ts'
import { toQuads } from '../linked-data/rdf.ts'
import { assertCredential, type CredentialShape } from '../model/credential.ts'
import { sealEnvelope } from '../model/envelope.ts'
import { assertPresentation } from '../model/presentation.ts'
import { assertPublished } from '../model/published.ts'

/** A key that secures credentials and presentations of any type, and how. */
export type SecuringKey = ProofSigner & { did: string }

type Document = Record<string, unknown>

export type Securing = {
  /** @throws Refusal malformed/credential_malformed, rejected/context_unknown, term_unknown, term_redefined */
  secure(credential: Document, options: { mandatoryPointers?: readonly string[] | undefined }): Promise<unknown>
  /** @throws Refusal malformed/presentation_malformed, rejected/suite_unsuited */
  present(
    presentation: Document,
    options: { challenge?: string | undefined; domain?: string | undefined },
  ): Promise<unknown>
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])

const integrityContext = 'https://w3id.org/security/data-integrity/v2'

/** VC Data Model 1.1 knows no Data Integrity; version 2.0 of its context does. */
const withIntegrityContext = (document: Document): Document => {
  const contexts = list(document['@context'])
  return contexts[0] !== contextV1 || contexts.includes(integrityContext)
    ? document
    : { ...document, '@context': [...contexts, integrityContext] }
}

/** What no holder may leave out: without its status entry a credential could not be revoked. */
const alwaysShown = ['issuer', 'validFrom', 'validUntil', 'credentialStatus', 'credentialSchema']

const mandatoryIn = (credential: Document, asked: readonly string[]): string[] => {
  const present = alwaysShown.filter(name => credential[name] !== undefined).map(name => `/${name}`)
  return [...new Set([...present, ...asked])]
}

/**
 * What an issuer puts its name to: right in form, every term defined in a context that is known here, and resources that are
 * what their digests say. Formats that sign the text alone are held to it as well (VC Data Model 2.0, sections 4.2 and 5.3).
 */
const assertIssuable = (credential: Document): CredentialShape => {
  const shape = assertCredential(credential)
  assertPublished(shape.relatedResources)
  toQuads(credential)
  return shape
}

const noPresentations = (suite: string): Refusal =>
  new Refusal('rejected', 'suite_unsuited', `${suite} is for credentials; presentations are signed with another suite.`)

const byProof = (suite: Cryptosuite, key: SecuringKey, clock: Clock): Securing => {
  const created = () => toDateTime(Math.floor(clock.now() / 1_000) * 1_000)
  return {
    async secure(credential, { mandatoryPointers }) {
      assertIssuable(credential)
      const pointers = suite.derive === undefined ? undefined : mandatoryIn(credential, mandatoryPointers ?? [])
      const options = pointers === undefined ? {} : { create: { mandatoryPointers: pointers } }
      const proof = { suite, signer: key, proofPurpose: 'assertionMethod', created: created(), ...options }
      return addProof(withIntegrityContext(credential), proof)
    },
    async present(presentation, { challenge, domain }) {
      // A base proof shows nothing by itself: it would have to be derived first.
      if (suite.derive !== undefined) throw noPresentations(suite.name)
      assertPresentation(presentation)
      return addProof(withIntegrityContext(presentation), {
        ...{ suite, signer: key, proofPurpose: 'authentication', created: created() },
        ...(challenge === undefined ? {} : { challenge }),
        ...(domain === undefined ? {} : { domain }),
      })
    },
  }
}

const joseAlgorithm = (key: SecuringKey): Exclude<SignatureAlgorithm, 'BBS'> => {
  if (key.algorithm === 'BBS')
    throw new Refusal('rejected', 'algorithm_mismatch', 'A BBS key signs no JWS and no COSE.')
  return key.algorithm
}

const seconds = (now: number): number => Math.floor(now / 1_000)

/** VC-JOSE-COSE 3.1: the document itself is the payload. */
const byJose = (key: SecuringKey, clock: Clock): Securing => {
  const header = { alg: joseAlgorithm(key), kid: key.verificationMethod }
  const sign = (_algorithm: SignatureAlgorithm, data: Buffer) => key.sign(data)
  return {
    async secure(credential) {
      assertIssuable(credential)
      const payload = { ...credential, iat: seconds(clock.now()) }
      const compact = await sealJws({ ...header, typ: 'vc+jwt', cty: 'vc' }, payload, sign)
      return sealEnvelope('EnvelopedVerifiableCredential', 'vc+jwt', compact)
    },
    async present(presentation, { challenge, domain }) {
      assertPresentation(presentation)
      const iat = seconds(clock.now())
      const payload = { ...presentation, iat, nonce: challenge, aud: domain }
      const compact = await sealJws({ ...header, typ: 'vp+jwt', cty: 'vp' }, payload, sign)
      return sealEnvelope('EnvelopedVerifiablePresentation', 'vp+jwt', compact)
    },
  }
}

/** VC-JOSE-COSE 3.2: as a JWS, with claims of the subject that its holder may keep back. */
const bySdJwt = (key: SecuringKey, clock: Clock): Securing => {
  const algorithm = joseAlgorithm(key)
  const sign = (_algorithm: SignatureAlgorithm, data: Buffer) => key.sign(data)
  const sealing = () => ({ kid: key.verificationMethod, algorithm, issuedAt: clock.now() })
  return {
    async secure(credential) {
      const { subjects } = assertIssuable(credential)
      const [subject = {}] = subjects
      const names = Array.isArray(credential['credentialSubject']) ? [] : Object.keys(subject)
      const disclosable = names
        .filter(name => name !== 'id' && name !== 'type')
        .map(name => ['credentialSubject', name])
      const compact = await sealVcSdJwt(credential, { ...sealing(), disclosable }, sign)
      return sealEnvelope('EnvelopedVerifiableCredential', 'vc+sd-jwt', compact)
    },
    async present(presentation, { challenge, domain }) {
      const claims = {
        ...(challenge === undefined ? {} : { nonce: challenge }),
        ...(domain === undefined ? {} : { aud: domain }),
      }
      const compact = await sealVpSdJwt(presentation, { ...sealing(), claims }, sign)
      return sealEnvelope('EnvelopedVerifiablePresentation', 'vp+sd-jwt', compact)
    },
  }
}

/** Keys of CWT claims (RFC 8392, section 4; RFC 9711). */
const cwtAudience = 3
const cwtNonce = 10

/** VC-JOSE-COSE 3.3 */
const byCose = (key: SecuringKey, clock: Clock): Securing => {
  const algorithm = joseAlgorithm(key)
  const sign = (_algorithm: string, data: Buffer) => key.sign(data)
  return {
    async secure(credential) {
      assertIssuable(credential)
      const bytes = await sealVcCose(credential, { kid: key.verificationMethod, algorithm }, sign)
      return sealEnvelope('EnvelopedVerifiableCredential', 'vc+cose', bytes)
    },
    async present(presentation, { challenge, domain }) {
      const claims = new Map<number, unknown>()
      if (domain !== undefined) claims.set(cwtAudience, domain)
      if (challenge !== undefined) claims.set(cwtNonce, Buffer.from(challenge))
      const sealing = { kid: key.verificationMethod, algorithm, issuedAt: clock.now(), claims }
      const bytes = await sealVpCose(presentation, sealing, sign)
      return sealEnvelope('EnvelopedVerifiablePresentation', 'vp+cose', bytes)
    },
  }
}

const numericDate = (value: unknown): number | undefined =>
  typeof value === 'string' ? seconds(Date.parse(value)) : undefined

/** VC Data Model 1.1, section 6.3.1. */
const byJwt11 = (key: SecuringKey, clock: Clock): Securing => {
  const header = { alg: joseAlgorithm(key), kid: key.verificationMethod, typ: 'JWT' }
  const sign = (_algorithm: SignatureAlgorithm, data: Buffer) => key.sign(data)
  return {
    async secure(credential) {
      const { model, subjects } = assertIssuable(credential)
      if (model !== '1.1')
        throw new Refusal('rejected', 'format_unsupported', 'jwt_vc secures VC Data Model 1.1 alone.')
      const [subject] = subjects
      const payload = {
        iss: key.did,
        sub: subject?.['id'],
        jti: credential['id'],
        iat: seconds(clock.now()),
        nbf: numericDate(credential['issuanceDate']),
        exp: numericDate(credential['expirationDate']),
        vc: credential,
      }
      return sealJws(header, payload, sign)
    },
    async present(presentation, { challenge, domain }) {
      assertPresentation(presentation)
      const payload = { iss: key.did, iat: seconds(clock.now()), nonce: challenge, aud: domain, vp: presentation }
      return sealJws(header, payload, sign)
    },
  }
}

/**
 * Secures credentials and presentations that are handed over as they are, whatever their type.
 * @param suite a cryptosuite of Data Integrity, `vc+jwt`, `vc+sd-jwt`, `vc+cose` or `jwt_vc`
 * @throws Refusal rejected/cryptosuite_unknown
 */
export const openSecuring = (suite: string, key: SecuringKey, clock: Clock): Securing => {
  if (suite === 'vc+jwt') return byJose(key, clock)
  if (suite === 'vc+cose') return byCose(key, clock)
  if (suite === 'vc+sd-jwt') return bySdJwt(key, clock)
  if (suite === 'jwt_vc') return byJwt11(key, clock)
  return byProof(suiteNamed(suite), key, clock)
}

/**
 * Shows chosen parts of a credential whose proof lets its holder choose.
 * @throws Refusal rejected/suite_unsuited, malformed/proof_malformed, malformed/credential_malformed
 */
export const derive = async (
  credential: unknown,
  options: { selectivePointers: readonly string[] },
): Promise<Document> => {
  const { proofs, document } = assertCredential(credential)
  const { proof: _proofs, ...unsecured } = document
  for (const proof of proofs) {
    if (proof['type'] !== 'DataIntegrityProof' || typeof proof['cryptosuite'] !== 'string') continue
    const suite = suiteNamed(proof['cryptosuite'])
    if (suite.derive !== undefined) return suite.derive(unsecured, { ...proof }, options)
  }
  throw new Refusal('rejected', 'suite_unsuited', 'The credential has no proof from which another can be derived.')
}
