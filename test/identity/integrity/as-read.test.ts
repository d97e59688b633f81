import { describe, expect, it } from '@jest/globals'
import { addProof, verifyProofs } from '../../../src/identity/integrity/proofs.ts'
import { suiteNamed } from '../../../src/identity/integrity/suites.ts'
import { type Document, keyOf, newSigner } from './signers.ts'

const signer = newSigner('P-256')
const v1 = 'https://www.w3.org/2018/credentials/v1'
const v2 = 'https://www.w3.org/ns/credentials/v2'
const cred = 'https://www.w3.org/2018/credentials#'
const sec = 'https://w3id.org/security#'
const dateTime = 'http://www.w3.org/2001/XMLSchema#dateTime'
const now = Date.parse('2026-01-01T00:00:00Z')

const status = {
  id: 'https://lists.example/1#5',
  type: 'BitstringStatusListEntry',
  statusPurpose: 'revocation',
  statusListIndex: '5',
  statusListCredential: 'https://lists.example/1',
}
const credential: Document = {
  '@context': [v2],
  id: 'urn:uuid:1',
  type: ['VerifiableCredential'],
  issuer: signer.did,
  validUntil: '2025-01-01T00:00:00Z',
  credentialSubject: { id: 'did:example:alice' },
  credentialStatus: status,
}
const without = (document: Document, ...names: string[]): Document =>
  Object.fromEntries(Object.entries(document).filter(([name]) => !names.includes(name)))

type Signed = Document & { proof: Document }
const signed = async (document: Document, options: Document = {}, suite = 'ecdsa-rdfc-2019'): Promise<Signed> => {
  const request = { suite: suiteNamed(suite), signer, proofPurpose: 'assertionMethod', ...options }
  return (await addProof(document, request)) as Signed
}
const judged = (document: unknown, expected = {}) => verifyProofs(document, { now, ...expected }, keyOf)
const refusal = async (document: unknown, expected = {}): Promise<string> => {
  try {
    await judged(document, expected)
    return 'held'
  } catch (error) {
    return (error as { code: string }).code
  }
}
const date = (value: unknown) => ({ '@type': dateTime, '@value': value })

describe('what decides whether a document counts is read as it was signed (Data Integrity 1.0, section 4.6)', () => {
  it('and the document that says so in its own members holds', async () => {
    expect((await judged(await signed(credential))).proofs).toHaveLength(1)
    expect((await judged(await signed(without(credential, 'id')))).proofs).toHaveLength(1)
    const { id: _, ...nameless } = status
    expect((await judged(await signed({ ...credential, credentialStatus: [status, nameless] }))).proofs).toHaveLength(1)
  })

  it.each([
    ['its end under the whole IRI', { [`${cred}validUntil`]: date(credential['validUntil']) }, 'validUntil'],
    ['its status under the whole IRI', { [`${cred}credentialStatus`]: status }, 'credentialStatus'],
    [
      'its status under a term that a context adds',
      { '@context': [v2, { x: { '@id': `${cred}credentialStatus`, '@type': '@id' } }], x: status },
      'credentialStatus',
    ],
    [
      'its end beside an object that is included',
      {
        credentialSubject: {
          id: 'did:example:alice',
          '@included': [{ id: 'urn:uuid:1', [`${cred}validUntil`]: date(credential['validUntil']) }],
        },
      },
      'validUntil',
    ],
    [
      'its id under a word for @id',
      { '@context': [v2, { name0: '@id' }], name0: 'urn:uuid:1', credentialSubject: { id: 'did:example:alice' } },
      'id',
    ],
    [
      'its subject under a prefix that makes another of it',
      {
        '@context': [v2, { me: { '@id': 'did:example:', '@prefix': true } }],
        credentialSubject: { id: 'me:alice' },
      },
      '',
    ],
  ])('so a credential with %s is refused', async (_name, changes, moved) => {
    const whole = await signed(credential)
    expect(await refusal({ ...without(whole, moved), ...changes })).toBe('credential_malformed')
  })

  it('so a derived credential with its end under the whole IRI is refused', async () => {
    const suite = suiteNamed('ecdsa-sd-2023')
    const { proof, ...document } = await signed(credential, {}, 'ecdsa-sd-2023')
    const derived = (await suite.derive?.(document, proof, {
      selectivePointers: ['/issuer', '/validUntil', '/credentialSubject', '/credentialStatus'],
    })) as Signed
    expect(await refusal(derived)).toBe('held')
    const moved = { ...without(derived, 'validUntil'), [`${cred}validUntil`]: date(derived['validUntil']) }
    expect(await refusal(moved)).toBe('credential_malformed')
  })

  it('so a proof with its end under the whole IRI is refused', async () => {
    const expired = await signed(credential, { expires: '2025-06-01T00:00:00Z' })
    expect(await refusal(expired)).toBe('proof_expired')
    const { expires } = expired.proof
    const proof = { ...without(expired.proof, 'expires'), [`${sec}expiration`]: date(expires) }
    expect(await refusal({ ...expired, proof })).toBe('proof_malformed')
  })

  const presentation = { type: ['VerifiablePresentation'], holder: signer.did }
  /** The terms of a proof, as anybody can define them where the context of the proof is not protected. */
  const terms = {
    DataIntegrityProof: `${sec}DataIntegrityProof`,
    created: { '@id': 'http://purl.org/dc/terms/created', '@type': dateTime },
    cryptosuite: { '@id': `${sec}cryptosuite`, '@type': `${sec}cryptosuiteString` },
    verificationMethod: { '@id': `${sec}verificationMethod`, '@type': '@id' },
    proofPurpose: {
      '@id': `${sec}proofPurpose`,
      '@type': '@vocab',
      '@context': { authentication: `${sec}authenticationMethod` },
    },
  }
  const answered = () =>
    signed(
      { '@context': [v1, 'https://w3id.org/security/data-integrity/v2'], ...presentation },
      { proofPurpose: 'authentication', challenge: 'one' },
    )
  const expected = { proofPurpose: 'authentication', challenge: 'two' }

  it.each([
    ['a word for @index', '@index', 'credential_malformed'],
    ['a term that means something else', `${sec}nonce`, 'proof_malformed'],
  ])('so a presentation does not answer another challenge by %s', async (_name, challenge, code) => {
    const { proof, ...document } = await answered()
    const contexts = [v1, { ...terms, challenge, was: `${sec}challenge` }]
    const again = { ...document, '@context': contexts, proof: { ...proof, challenge: 'two', was: 'one' } }
    expect(await refusal(again, expected)).toBe(code)
  })

  it('so a proof does not serve another purpose by a term for it', async () => {
    const { proof, ...document } = await signed({
      '@context': [v1, 'https://w3id.org/security/data-integrity/v2'],
      ...presentation,
    })
    const purpose = { ...terms.proofPurpose, '@context': { authentication: `${sec}assertionMethod` } }
    const again = {
      ...document,
      '@context': [v1, { ...terms, proofPurpose: purpose }],
      proof: { ...proof, proofPurpose: 'authentication' },
    }
    expect(await refusal(again, { proofPurpose: 'authentication' })).toBe('proof_malformed')
  })

  it('so no index of a status list is read under a term that means something else', async () => {
    const contexts = [v1, 'https://www.w3.org/ns/credentials/status/v1', 'https://w3id.org/security/data-integrity/v2']
    const entry = { ...status, statusSize: 1 }
    const whole = await signed({
      ...without(credential, 'validUntil'),
      '@context': contexts,
      issuanceDate: '2025-01-01T00:00:00Z',
      credentialStatus: entry,
    })
    expect(await refusal(whole)).toBe('held')
    const of = 'https://www.w3.org/ns/credentials/status#'
    const own = {
      BitstringStatusListEntry: `${of}BitstringStatusListEntry`,
      statusPurpose: `${of}statusPurpose`,
      statusListCredential: { '@id': `${of}statusListCredential`, '@type': '@id' },
      statusListIndex: { '@id': `${of}statusSize`, '@type': 'http://www.w3.org/2001/XMLSchema#integer' },
      was: `${of}statusListIndex`,
    }
    const read = { ...without(entry, 'statusSize'), statusListIndex: '1', was: '5' }
    const changed = { ...whole, '@context': [v1, own, contexts[2]], credentialStatus: read }
    expect(await refusal(changed)).toBe('credential_malformed')
  })
})
