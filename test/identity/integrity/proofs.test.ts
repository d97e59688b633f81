import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readDateTimeStamp, readProof } from '../../../src/identity/integrity/proof.ts'
import { addProof, type ProofRequest, verifyProofs } from '../../../src/identity/integrity/proofs.ts'
import { suiteNamed } from '../../../src/identity/integrity/suites.ts'
import { type Document, type KeyPair, keyOf, newSigner, readVectors, signerOf } from './signers.ts'

type Step = { name: string; section: string; options: Document & { proofPurpose: string }; result: Document }
const { sets } = readVectors<{ sets: { keys: KeyPair[]; unsigned: Document; steps: Step[] } }>('eddsa')

const now = Date.parse('2026-01-01T00:00:00Z')
const signer = newSigner('Ed25519')
const other = newSigner('Ed25519')
const credential = {
  '@context': ['https://www.w3.org/ns/credentials/v2'],
  type: ['VerifiableCredential'],
  id: 'urn:x:1',
}
const request = { suite: suiteNamed('eddsa-rdfc-2022'), signer, proofPurpose: 'assertionMethod' }
const jcs = { ...request, suite: suiteNamed('eddsa-jcs-2022') }
const id = (name: string): string => `urn:uuid:${name}`
const proofsOf = (document: Document): Document[] => [document['proof']].flat() as Document[]
const verified = (document: unknown, expected = {}) => verifyProofs(document, { now, ...expected }, keyOf)
const brokenChain = { kind: 'rejected', code: 'proof_chain_broken' }

describe('proof sets and chains, Data Integrity 1.0, sections 4.3 and 4.5', () => {
  it.each(
    sets.steps.map((step, at) => ({ ...step, before: at === 0 ? sets.unsigned : (sets.steps[at - 1]?.result ?? {}) })),
  )('make $name of vc-di-eddsa $section as published', async ({ options, before, result }) => {
    const { '@context': _, type, cryptosuite, verificationMethod, ...said } = options
    const pair = sets.keys.find(key => String(verificationMethod).endsWith(key.publicKeyMultibase)) as KeyPair
    const named = { ...said, suite: suiteNamed(cryptosuite as string), signer: signerOf(pair) }
    const signed = await addProof(before, named)
    expect(signed).toEqual({ ...result, proof: proofsOf(result).length === 1 ? proofsOf(result)[0] : result['proof'] })
    expect((await verified(signed)).proofs).toHaveLength(proofsOf(result).length)
  })

  it('answer which methods and controllers signed, when and why', async () => {
    const one = await addProof(credential, { ...request, id: id('a'), created: '2025-01-01T00:00:00+01:00' })
    const two = await addProof(one, { ...jcs, signer: other, previousProof: id('a'), nonce: 'n', domain: ['x', 'y'] })
    const { proofs, document } = await verified(two)
    expect(document).toEqual(credential)
    expect(proofs).toEqual([
      expect.objectContaining({
        id: id('a'),
        controller: signer.did,
        created: Date.parse('2024-12-31T23:00:00Z'),
        suite: 'eddsa-rdfc-2022',
      }),
      expect.objectContaining({ controller: other.did, previousProof: [id('a')], nonce: 'n', domain: ['x', 'y'] }),
    ])
  })

  it.each([request, jcs])('bind the proof before into the one after ($suite.name)', async first => {
    const one = await addProof(credential, { ...first, id: id('a') })
    const two = await addProof(one, { ...first, signer: other, previousProof: [id('a')] })
    expect((await verified(two)).proofs).toHaveLength(2)
    // The first proof is made anew: it holds by itself, but it is not the one that the second one covers.
    const again = await addProof(credential, { ...first, id: id('a'), nonce: 'another' })
    const [, after] = proofsOf(two)
    const exchanged = { ...credential, proof: [...proofsOf(again), after] }
    await expect(verified(exchanged)).rejects.toMatchObject({ code: 'signature_invalid' })
  })

  it('leave a set whole when one of its proofs is taken out, and no chain whole', async () => {
    const one = await addProof(credential, { ...jcs, id: id('a') })
    const set = await addProof(one, { ...jcs, signer: other })
    expect((await verified({ ...set, proof: proofsOf(set)[1] })).proofs).toHaveLength(1)
    const chain = await addProof(one, { ...jcs, signer: other, previousProof: id('a') })
    await expect(verified({ ...chain, proof: proofsOf(chain)[1] })).rejects.toMatchObject(brokenChain)
  })

  it('refuse a set of which one proof does not hold', async () => {
    const one = await addProof(credential, request)
    const two = await addProof(one, { ...request, signer: other })
    const [first, second] = proofsOf(two)
    const foreign = { ...second, proofValue: first?.['proofValue'] }
    await expect(verified({ ...two, proof: [first, foreign] })).rejects.toMatchObject({ code: 'signature_invalid' })
  })

  it('refuse to be made after a proof that is not there, or under an id that is taken', async () => {
    const one = await addProof(credential, { ...jcs, id: id('a') })
    await expect(addProof(one, { ...jcs, previousProof: id('b') })).rejects.toMatchObject(brokenChain)
    await expect(addProof(one, { ...jcs, previousProof: [id('a'), id('b')] })).rejects.toMatchObject(brokenChain)
    await expect(addProof(one, { ...jcs, id: id('a') })).rejects.toMatchObject(brokenChain)
    await expect(addProof(credential, { ...jcs, id: id('a'), previousProof: id('a') })).rejects.toMatchObject(
      brokenChain,
    )
  })

  const proof = (members: Document): Document => ({
    ...{ type: 'DataIntegrityProof', cryptosuite: 'eddsa-jcs-2022', proofPurpose: 'assertionMethod' },
    ...{ verificationMethod: signer.verificationMethod, proofValue: 'z1', ...members },
  })

  it.each([
    ['names a proof that is not there', [proof({ previousProof: id('a') })]],
    ['names itself', [proof({ id: id('a'), previousProof: id('a') })]],
    [
      'goes in a circle of two',
      [proof({ id: id('a'), previousProof: id('b') }), proof({ id: id('b'), previousProof: [id('a')] })],
    ],
    [
      'goes in a circle that another leads to',
      [
        proof({}),
        proof({ id: id('a'), previousProof: id('b') }),
        proof({ id: id('b'), previousProof: id('c') }),
        proof({ id: id('c'), previousProof: id('a') }),
      ],
    ],
    ['has one id twice', [proof({ id: id('a') }), proof({ id: id('a') })]],
  ])('refuse a chain that %s', async (_, proofs) => {
    await expect(verified({ ...credential, proof: proofs })).rejects.toMatchObject(brokenChain)
  })

  it('look at no more than 32 proofs, and at none before all of them can be read', async () => {
    const many = Array.from({ length: 33 }, () => proof({}))
    await expect(verified({ ...credential, proof: many })).rejects.toMatchObject({ code: 'proof_malformed' })
    await expect(addProof({ ...credential, proof: many.slice(1) }, jcs)).rejects.toMatchObject({
      code: 'proof_malformed',
    })
    const unread = { ...credential, proof: [proof({}), proof({ cryptosuite: 'unheard-of' })] }
    await expect(verified(unread)).rejects.toMatchObject({ kind: 'rejected', code: 'cryptosuite_unknown' })
  })
})

describe('what a verifier expects, Data Integrity 1.0, section 4.4, steps 4 to 7', () => {
  const bound = { ...jcs, proofPurpose: 'authentication', challenge: 'c-1', domain: 'verifier.example' }

  it('is met by a proof for that purpose, domain and challenge', async () => {
    const signed = await addProof(credential, { ...bound, expires: '2026-01-01T00:00:01Z' })
    const met = { proofPurpose: 'authentication', challenge: 'c-1', domain: ['verifier.example'] }
    expect((await verified(signed, met)).proofs).toHaveLength(1)
    const both = await addProof(credential, { ...bound, domain: ['b', 'a'] })
    expect((await verified(both, { domain: ['a', 'b'] })).proofs).toHaveLength(1)
  })

  it.each<[string, Partial<ProofRequest>, object, string]>([
    ['another purpose', {}, { proofPurpose: 'assertionMethod' }, 'proof_purpose'],
    ['another domain', {}, { domain: 'else.example' }, 'audience_mismatch'],
    ['more domains', { domain: ['verifier.example', 'else'] }, { domain: 'verifier.example' }, 'audience_mismatch'],
    ['fewer domains', {}, { domain: ['verifier.example', 'else'] }, 'audience_mismatch'],
    ['another challenge', {}, { challenge: 'c-2' }, 'challenge_mismatch'],
    ['an end that is past', { expires: '2026-01-01T00:00:00Z' }, {}, 'proof_expired'],
  ])('refuses a proof with %s', async (_, said, expected, code) => {
    const signed = await addProof(credential, { ...bound, ...said })
    await expect(verified(signed, expected)).rejects.toMatchObject({ kind: 'rejected', code })
  })

  it('refuses a proof without a domain or challenge where one is asked for', async () => {
    const signed = await addProof(credential, jcs)
    await expect(verified(signed, { challenge: 'c-1' })).rejects.toMatchObject({ code: 'challenge_mismatch' })
    await expect(verified(signed, { domain: 'a' })).rejects.toMatchObject({ code: 'audience_mismatch' })
  })

  it('lets the lookup of keys refuse, and refuses keys that do not fit the suite', async () => {
    const signed = await addProof(credential, jcs)
    const fail = async () => Promise.reject(Object.assign(new Error('none'), { code: 'key_unknown' }))
    await expect(verifyProofs(signed, { now }, fail)).rejects.toMatchObject({ code: 'key_unknown' })
    const wrong = () => keyOf(newSigner('P-256').verificationMethod, '')
    await expect(verifyProofs(signed, { now }, wrong)).rejects.toMatchObject({ code: 'algorithm_mismatch' })
  })
})

describe('a proof is refused', () => {
  const good = {
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    verificationMethod: 'did:x:1#k',
    proofPurpose: 'p',
  }

  it.each<[string, unknown]>([
    ['that is none', 'proof'],
    ['that is null', null],
    ['without a type', { ...good, type: undefined }],
    ['with a list of types', { ...good, type: ['DataIntegrityProof'] }],
    ['without a cryptosuite', { ...good, cryptosuite: undefined }],
    ['whose cryptosuite is no string', { ...good, cryptosuite: 7 }],
    ['without a method', { ...good, verificationMethod: undefined }],
    ['whose method is an object', { ...good, verificationMethod: { id: 'did:x:1#k' } }],
    ['whose method is no URL', { ...good, verificationMethod: 'k' }],
    ['without a purpose', { ...good, proofPurpose: undefined }],
    ['whose purpose is empty', { ...good, proofPurpose: '' }],
    ['whose id is no URL', { ...good, id: 'a' }],
    ['whose date has no time zone', { ...good, created: '2023-02-24T23:36:38' }],
    ['whose date is a number', { ...good, created: 1_700_000_000 }],
    ['whose end is no date', { ...good, expires: 'tomorrow' }],
    ['whose domain is a number', { ...good, domain: 1 }],
    ['whose domains are none', { ...good, domain: [] }],
    ['of whose domains one is no string', { ...good, domain: ['a', null] }],
    ['whose challenge is a list', { ...good, challenge: ['c'] }],
    ['whose nonce is an object', { ...good, nonce: {} }],
    ['whose previousProof is an object', { ...good, previousProof: { id: 'urn:a' } }],
    ['whose challenge is too long', { ...good, challenge: 'c'.repeat(2_049) }],
  ])('%s', (_, value) => {
    expect(() => readProof(value)).toThrow(expect.objectContaining({ kind: 'malformed', code: 'proof_malformed' }))
  })

  it.each([
    ['is absent', undefined],
    ['is base64url', 'uAAAA'],
    ['is too short', 'z1111'],
    ['is too long', `z${'2'.repeat(5_000)}`],
    ['has a letter that base58 has not', `z0${'2'.repeat(86)}`],
    ['is a number', 7],
  ])('whose value %s', async (_, proofValue) => {
    const proof = { ...good, verificationMethod: signer.verificationMethod, proofValue }
    await expect(verified({ ...credential, proof })).rejects.toMatchObject({
      kind: 'malformed',
      code: 'proof_malformed',
    })
  })

  it('that is made with options like these', async () => {
    const malformed = { kind: 'malformed', code: 'proof_malformed' }
    await expect(addProof(credential, { ...jcs, created: 'yesterday' })).rejects.toMatchObject(malformed)
    await expect(addProof(credential, { ...jcs, id: 'no url' })).rejects.toMatchObject(malformed)
    await expect(addProof(credential, { ...jcs, domain: [] })).rejects.toMatchObject(malformed)
  })
})

describe('a document is refused', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
  const malformed = { kind: 'malformed', code: 'credential_malformed' }

  it.each<[string, unknown]>([
    ['that is a list', []],
    ['with half a surrogate pair in a text', { ...credential, name: '\ud800' }],
    ['with half a surrogate pair in a name', { ...credential, '\udc00': 1 }],
    ['with a number beyond any', { ...credential, size: Number.POSITIVE_INFINITY }],
    ['that is nested without end', { ...credential, deep: nested(200) }],
  ])('%s', async (_, document) => {
    await expect(verified(document)).rejects.toMatchObject(malformed)
    if (!Array.isArray(document)) await expect(addProof(document as Document, jcs)).rejects.toMatchObject(malformed)
  })

  it.each([undefined, [], null, 'z1'])('whose proof is %j', async proof => {
    await expect(verified({ ...credential, proof })).rejects.toMatchObject({ code: 'proof_malformed' })
  })

  it('by suites over RDF when a term or context is unknown or a blank node poisonous, when made and when verified', async () => {
    const signed = await addProof(credential, request)
    const refused = async (members: Document, code: string) => {
      await expect(addProof({ ...credential, ...members }, request)).rejects.toMatchObject({ code })
      await expect(verified({ ...signed, ...members })).rejects.toMatchObject({ code })
    }
    await refused({ undefinedTerm: 1 }, 'term_unknown')
    await refused({ '@context': ['https://example.org/none'] }, 'context_unknown')
    const loop = Array.from({ length: 200 }, (_, at) => ({ id: `_:b${at}`, 'urn:p': { id: `_:b${(at + 1) % 200}` } }))
    await refused({ 'urn:q': loop }, 'document_poisonous')
  })
})

describe('dateTimeStamp, XML Schema 1.1 part 2, section 3.4.28', () => {
  it.each([
    ['2023-02-24T23:36:38Z', '2023-02-24T23:36:38.000Z'],
    ['2023-02-24T23:36:38.5Z', '2023-02-24T23:36:38.500Z'],
    ['2023-02-24T23:36:38.123456+02:00', '2023-02-24T21:36:38.123Z'],
    ['2023-02-24T00:00:00-14:00', '2023-02-24T14:00:00.000Z'],
    ['2024-02-29T24:00:00Z', '2024-03-01T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(new Date(readDateTimeStamp(text) ?? Number.NaN).toISOString()).toBe(iso)
  })

  it.each([
    '2023-02-24',
    '2023-02-24T23:36:38',
    '2023-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2023-13-01T00:00:00Z',
    '2023-00-01T00:00:00Z',
    '2023-01-32T00:00:00Z',
    '2023-01-01T25:00:00Z',
    '2023-01-01T24:00:01Z',
    '2023-01-01T00:60:00Z',
    '2023-01-01T00:00:60Z',
    '2023-01-01T00:00:00+14:01',
    '2023-01-01T00:00:00+0100',
    '2023-01-01t00:00:00z',
    ' 2023-01-01T00:00:00Z',
    '23-01-01T00:00:00Z',
    'Wed, 14 Jun 2017 07:00:00 GMT',
    '',
  ])('%j is none', text => {
    expect(readDateTimeStamp(text)).toBeUndefined()
  })

  it('reads every moment that a Date writes, as the Date reads it', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
        date => {
          expect(readDateTimeStamp(date.toISOString())).toBe(date.getTime())
        },
      ),
    )
  })
})

describe('any change to what is signed', () => {
  it('is seen, by every suite', async () => {
    const signers = { EdDSA: signer, ES256: newSigner('P-256'), ES384: newSigner('P-384') }
    const made = await Promise.all(
      ['eddsa-rdfc-2022', 'eddsa-jcs-2022', 'ecdsa-rdfc-2019', 'ecdsa-jcs-2019'].flatMap(name => {
        const suite = suiteNamed(name)
        return suite.algorithms.map(algorithm =>
          addProof(
            { ...credential, name: 'One', description: 'Two' },
            {
              suite,
              signer: signers[algorithm as 'EdDSA'],
              proofPurpose: 'assertionMethod',
              created: '2025-01-01T00:00:00Z',
            },
          ),
        )
      }),
    )
    const member = fc.constantFrom('name', 'description', 'id')
    const change = fc.record({ at: fc.nat({ max: made.length - 1 }), member, text: fc.string({ maxLength: 5 }) })
    await fc.assert(
      fc.asyncProperty(change, async ({ at, member, text }) => {
        const value = member === 'id' ? `urn:x:${encodeURIComponent(text)}` : text
        fc.pre(made[at]?.[member] !== value)
        await expect(verified({ ...made[at], [member]: value })).rejects.toMatchObject({ code: 'signature_invalid' })
      }),
      { numRuns: 60 },
    )
  })
})
