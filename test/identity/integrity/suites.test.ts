import { hash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { jcsHashData } from '../../../src/identity/integrity/jcs.ts'
import { addProof, verifyProofs } from '../../../src/identity/integrity/proofs.ts'
import { proofConfig, rdfcHashData } from '../../../src/identity/integrity/rdfc.ts'
import { digestOf } from '../../../src/identity/integrity/signature.ts'
import { suiteNamed, suites } from '../../../src/identity/integrity/suites.ts'
import { canonize } from '../../../src/identity/linked-data/canonize.ts'
import { toQuads } from '../../../src/identity/linked-data/rdf.ts'
import { fromMultikey } from '../../../src/identity/multikey.ts'
import { canonical } from '../../../src/kernel/canonical.ts'
import { type Document, keyOf, newSigner, readVectors, type SuiteVector, signerOf } from './signers.ts'

const eddsa = readVectors<{ suites: SuiteVector[] }>('eddsa').suites
const ecdsa = readVectors<{ suites: SuiteVector[] }>('ecdsa').suites
const all = [
  ...eddsa.map(vector => ({ specification: 'vc-di-eddsa', ...vector })),
  ...ecdsa.map(vector => ({ specification: 'vc-di-ecdsa', ...vector })),
]
const expected = { now: Date.parse('2026-01-01T00:00:00Z'), proofPurpose: 'assertionMethod' }
const without = (document: Document, name: string): Document =>
  Object.fromEntries(Object.entries(document).filter(([member]) => member !== name))

describe.each(all)('$specification, $section: $name', vector => {
  const unsigned = without(vector.signed, 'proof')
  const { proof } = vector.signed
  const { algorithm } = fromMultikey(vector.key.publicKeyMultibase)
  const digest = digestOf(algorithm)
  const isJcs = vector.name.includes('jcs')

  it('canonizes the document and the proof as published', () => {
    const form = (value: unknown): string =>
      isJcs ? canonical(value) : canonize(toQuads(value), { hash: digest }).lines.join('')
    const config = isJcs ? without(proof, 'proofValue') : proofConfig(unsigned, proof)
    expect(form(unsigned)).toBe(vector.canonicalDocument)
    expect(form(config)).toBe(vector.canonicalProof)
    expect(hash(digest, vector.canonicalDocument)).toBe(vector.documentHash)
    expect(hash(digest, vector.canonicalProof)).toBe(vector.proofHash)
  })

  it('signs the published octets', () => {
    const hashData = isJcs ? jcsHashData(unsigned, proof, digest) : rdfcHashData(unsigned, proof, digest)
    expect(hashData.toString('hex')).toBe(vector.hashData)
  })

  it('verifies the published proof, and none over another document or with another key', async () => {
    const verified = await verifyProofs(vector.signed, expected, keyOf)
    expect(verified).toMatchObject({
      document: unsigned,
      proofs: [{ verificationMethod: proof['verificationMethod'] }],
    })
    const invalid = { kind: 'rejected', code: 'signature_invalid' }
    const other = { ...vector.signed, name: 'Another name' }
    await expect(verifyProofs(other, expected, keyOf)).rejects.toMatchObject(invalid)
    const later = { ...vector.signed, proof: { ...proof, created: '2023-02-24T23:36:39Z' } }
    await expect(verifyProofs(later, expected, keyOf)).rejects.toMatchObject(invalid)
    const stranger = newSigner({ EdDSA: 'Ed25519', ES256: 'P-256', ES384: 'P-384' }[algorithm as 'EdDSA'] as 'Ed25519')
    const keyOfStranger = () => keyOf(stranger.verificationMethod, '')
    await expect(verifyProofs(vector.signed, expected, keyOfStranger)).rejects.toMatchObject(invalid)
  })
})

describe('proofs that are made here', () => {
  const deterministic = eddsa.filter(({ name }) => name !== 'Ed25519Signature2020')

  it.each(deterministic)('are, of vc-di-eddsa $section, the published one', async vector => {
    const { proof } = vector.signed
    const signed = await addProof(without(vector.signed, 'proof'), {
      suite: suiteNamed(proof['cryptosuite'] as string),
      signer: signerOf(vector.key),
      proofPurpose: 'assertionMethod',
      created: proof['created'] as string,
    })
    expect(signed).toEqual(vector.signed)
  })

  it.each(ecdsa)('verify, of vc-di-ecdsa $section, with the published key', async vector => {
    const { proof } = vector.signed
    const signed = await addProof(without(vector.signed, 'proof'), {
      suite: suiteNamed(proof['cryptosuite'] as string),
      signer: signerOf(vector.key),
      proofPurpose: 'assertionMethod',
      created: proof['created'] as string,
    })
    expect({ ...signed, proof: { ...(signed['proof'] as Document), proofValue: '' } }).toEqual({
      ...vector.signed,
      proof: { ...proof, proofValue: '' },
    })
    expect((await verifyProofs(signed, expected, keyOf)).proofs).toHaveLength(1)
  })

  it('are never of the suite of the past, nor of one that nobody knows, nor with a key of another', async () => {
    const signer = newSigner('Ed25519')
    const request = { signer, proofPurpose: 'assertionMethod' }
    const suite = suiteNamed('Ed25519Signature2020', 'Ed25519Signature2020')
    await expect(addProof({ '@context': [] }, { ...request, suite })).rejects.toMatchObject({
      code: 'cryptosuite_retired',
    })
    for (const name of ['Ed25519Signature2020', 'eddsa-2022', 'toString', '']) {
      expect(() => suiteNamed(name)).toThrow(expect.objectContaining({ kind: 'rejected', code: 'cryptosuite_unknown' }))
    }
    expect(() => suiteNamed('eddsa-rdfc-2022', 'Ed25519Signature2020')).toThrow(
      expect.objectContaining({ code: 'cryptosuite_unknown' }),
    )
    for (const name of ['ecdsa-rdfc-2019', 'ecdsa-jcs-2019']) {
      await expect(addProof({}, { ...request, suite: suiteNamed(name) })).rejects.toMatchObject({
        code: 'algorithm_mismatch',
      })
    }
    for (const name of ['eddsa-rdfc-2022', 'eddsa-jcs-2022']) {
      const other = { ...request, signer: newSigner('P-384'), suite: suiteNamed(name) }
      await expect(addProof({}, other)).rejects.toMatchObject({ code: 'algorithm_mismatch' })
    }
  })

  it('have names of their own', () => {
    expect(new Set(suites.map(({ name }) => name)).size).toBe(suites.length)
  })
})

describe('vc-di-eddsa 3.3.2 Verify Proof (eddsa-jcs-2022), step 4', () => {
  const first = 'https://www.w3.org/ns/credentials/v2'
  const added = { term: 'https://example.org/term' }
  const request = { suite: suiteNamed('eddsa-jcs-2022'), proofPurpose: 'assertionMethod' }
  const credential = { '@context': [first], id: 'urn:example:1' }

  it('takes a document whose context has grown, and gives back what was signed', async () => {
    const signed = await addProof(credential, { ...request, signer: newSigner('Ed25519') })
    const grown = { ...signed, '@context': [first, added] }
    expect((await verifyProofs(grown, expected, keyOf)).document).toEqual(credential)
  })

  it('gives back, of two that were signed under different contexts, the one that both signed', async () => {
    const one = await addProof(credential, { ...request, signer: newSigner('Ed25519') })
    const grown = { ...one, '@context': [first, added] }
    const two = await addProof(grown, { ...request, signer: newSigner('Ed25519') })
    expect(await verifyProofs(two, expected, keyOf)).toMatchObject({ document: credential, proofs: [{}, {}] })
  })

  it.each([
    ['does not begin with that of the proof', [added, first]],
    ['lacks that of the proof', [added]],
    ['is shorter', []],
  ])('refuses a document whose context %s', async (_, context) => {
    const signed = await addProof(credential, { ...request, signer: newSigner('Ed25519') })
    await expect(verifyProofs({ ...signed, '@context': context }, expected, keyOf)).rejects.toMatchObject({
      code: 'signature_invalid',
    })
  })

  it('signs documents that have no context at all', async () => {
    const signed = await addProof(
      { myWebsite: 'https://hello.world.example/' },
      { ...request, signer: newSigner('Ed25519') },
    )
    expect(signed['proof']).not.toHaveProperty('@context')
    expect((await verifyProofs(signed, expected, keyOf)).proofs).toHaveLength(1)
  })
})
