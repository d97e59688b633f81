import { Ed25519Signature2020 } from '@digitalbazaar/ed25519-signature-2020'
import { describe, expect, it } from '@jest/globals'
import jsigs from 'jsonld-signatures'
import { addProof, verifyProofs } from '../../../src/identity/integrity/proofs.ts'
import { suiteNamed } from '../../../src/identity/integrity/suites.ts'
import { DataIntegrityProof, documentLoader, pairOf, theirs } from './others.ts'
import { type Document, keyOf } from './signers.ts'

const { AssertionProofPurpose } = jsigs.purposes

const credential = {
  '@context': ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/examples/v2'],
  type: ['VerifiableCredential', 'ExampleDegreeCredential'],
  issuer: { id: 'did:example:issuer', name: [{ '@value': 'Université “É”', '@language': 'fr' }] },
  validFrom: '2023-01-01T00:00:00Z',
  credentialSubject: [
    {
      id: 'did:example:ebfeb1f712ebc6f1c276e12ec21',
      degree: { type: 'ExampleBachelorDegree', name: 'B \u{1F600}\n"x"' },
    },
    { degree: { type: 'ExampleBachelorDegree', name: 'C' } },
    { degree: { type: 'ExampleBachelorDegree', name: 'C' } },
  ],
}
const cases = (
  [
    ['eddsa-rdfc-2022', 'Ed25519'],
    ['eddsa-jcs-2022', 'Ed25519'],
    ['ecdsa-rdfc-2019', 'P-256'],
    ['ecdsa-rdfc-2019', 'P-384'],
    ['ecdsa-jcs-2019', 'P-256'],
    ['ecdsa-jcs-2019', 'P-384'],
  ] as const
).map(([name, curve]) => ({ name, curve }))

const verifyTheirs = (document: Document, suite: unknown) =>
  jsigs.verify(document, { suite, purpose: new AssertionProofPurpose(), documentLoader })

describe.each(cases)('$name with $curve', ({ name, curve }) => {
  it('is verified by another implementation when made here', async () => {
    const { signer } = await pairOf(curve)
    const request = { suite: suiteNamed(name), signer, proofPurpose: 'assertionMethod' }
    const signed = await addProof(credential, { ...request, created: new Date().toISOString(), id: 'urn:proof:1' })
    const suite = new DataIntegrityProof({ cryptosuite: theirs[name].verify })
    expect(await verifyTheirs(structuredClone(signed), suite)).toMatchObject({ verified: true })
    expect(await verifyTheirs({ ...structuredClone(signed), validFrom: '2024-01-01T00:00:00Z' }, suite)).toMatchObject({
      verified: false,
    })
  })

  it('is verified here when made by another implementation', async () => {
    const { signer, pair } = await pairOf(curve)
    const suite = new DataIntegrityProof({ signer: pair.signer(), cryptosuite: theirs[name].sign })
    const purpose = new AssertionProofPurpose()
    const signed = await jsigs.sign(structuredClone(credential), { suite, purpose, documentLoader })
    const expected = { now: Date.now(), proofPurpose: 'assertionMethod' }
    expect((await verifyProofs(signed, expected, keyOf)).proofs).toMatchObject([
      { controller: signer.did, suite: name },
    ])
    const changed = { ...signed, validFrom: '2024-01-01T00:00:00Z' }
    await expect(verifyProofs(changed, expected, keyOf)).rejects.toMatchObject({ code: 'signature_invalid' })
  })
})

describe('Ed25519Signature2020', () => {
  it('is verified here when made by another implementation, over VC Data Model 1.1', async () => {
    const { signer, pair } = await pairOf('Ed25519')
    const suite = new Ed25519Signature2020({ signer: pair.signer() })
    const document = {
      '@context': [
        'https://www.w3.org/2018/credentials/v1',
        'https://www.w3.org/2018/credentials/examples/v1',
        'https://w3id.org/security/suites/ed25519-2020/v1',
      ],
      type: ['VerifiableCredential', 'UniversityDegreeCredential'],
      issuer: 'did:example:issuer',
      issuanceDate: '2023-01-01T00:00:00Z',
      credentialSubject: { degree: { type: 'BachelorDegree', name: 'Bachelor of Science' } },
    }
    const signed = await jsigs.sign(document, { suite, purpose: new AssertionProofPurpose(), documentLoader })
    const expected = { now: Date.now(), proofPurpose: 'assertionMethod' }
    expect((await verifyProofs(signed, expected, keyOf)).proofs).toMatchObject([{ controller: signer.did }])
    await expect(verifyProofs({ ...signed, id: 'urn:x:1' }, expected, keyOf)).rejects.toMatchObject({
      code: 'signature_invalid',
    })
  })
})
