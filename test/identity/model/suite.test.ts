import { readFileSync } from 'node:fs'
import { toQuads } from '../../../src/identity/linked-data/rdf.ts'
import { assertCredential } from '../../../src/identity/model/credential.ts'
import { assertPresentation } from '../../../src/identity/model/presentation.ts'
import { type Members, refused } from './refused.ts'

const file = new URL('vectors/vc-data-model-2.0-test-suite.json', import.meta.url)
const inputs = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Members>

/** What the member and the clause of a refusal have to be. */
const reasons: Record<string, string> = {
  'credential-context-combo3-fail': '@context 4.3',
  'credential-context-combo4-fail': '@context 4.3',
  'credential-evidence-missing-type-fail': 'evidence 4.5',
  'credential-id-multi-fail': 'a credential 4.4',
  'credential-id-nonidentifier-fail': 'a credential 4.4',
  'credential-id-not-url-fail': 'a credential 4.4',
  'credential-id-subject-multi-fail': 'credentialSubject 4.4',
  'credential-issuer-no-url-fail': 'issuer 4.7',
  'credential-issuer-null-fail': 'issuer 4.7',
  'credential-issuer-object-id-no-url-fail': 'issuer 4.7',
  'credential-issuer-object-id-null-fail': 'issuer 4.7',
  'credential-missing-base-context-fail-or-inject': '@context 4.3',
  'credential-missing-required-type-fail': 'VerifiableCredential 4.5',
  'credential-no-context-fail-or-inject': '@context 4.3',
  'credential-no-issuer-fail': 'issuer 4.7',
  'credential-no-subject-fail': 'credentialSubject 4.8',
  'credential-no-type-fail': 'a credential 4.5',
  'credential-proof-missing-type-fail': 'proof 2.1',
  'credential-refresh-no-type-fail': 'refreshService 4.5',
  'credential-schema-no-id-fail': 'credentialSchema 4.11',
  'credential-schema-no-type-fail': 'credentialSchema 4.5',
  'credential-schema-non-url-id-fail': 'credentialSchema 4.4',
  'credential-status-missing-type-fail': 'credentialStatus 4.5',
  'credential-status-multiple-id-fail': 'credentialStatus 4.4',
  'credential-status-nonurl-id-fail': 'credentialStatus 4.4',
  'credential-status-type-nonurl-fail': 'credentialStatus 4.5',
  'credential-subject-multiple-empty-fail': 'credentialSubject 4.8',
  'credential-subject-no-claims-fail': 'credentialSubject 4.8',
  'credential-termsofuse-missing-type-fail': 'termsOfUse 4.5',
  'credential-termsofuse-no-type-fail': 'termsOfUse 4.5',
  'credential-validUntil-validFrom-fail': 'validUntil 4.9',
  'credential-validfrom-invalid-fail': 'validFrom 4.9',
  'credential-validuntil-invalid-fail': 'validUntil 4.9',
  'names-and-descriptions/credential-description-extra-prop-en-fail': 'description 11.1',
  'names-and-descriptions/credential-name-extra-prop-en-fail': 'name 11.1',
  'names-and-descriptions/issuer-description-extra-prop-en-fail': 'description of issuer 11.1',
  'names-and-descriptions/issuer-name-extra-prop-en-fail': 'name of issuer 11.1',
  'presentation-context-order-fail': '@context 4.3',
  'presentation-enveloped-vc-missing-type-fail': '@context 4.3',
  // The media type of its envelope, vc-ld+jwt, is of a draft; no registered one has that name.
  'presentation-enveloped-vc-ok': 'data: 4.13.1',
  'presentation-holder-fail': 'holder 4.13',
  'presentation-holder-name-fail': 'holder 4.13',
  'presentation-holder-object-fail': 'holder 4.13',
  'presentation-missing-base-context-fail': '@context 4.3',
  'presentation-missing-required-type-fail': 'VerifiablePresentation 4.5',
  'presentation-no-context-fail-or-inject': '@context 4.3',
  'presentation-no-type-fail': 'a presentation 4.5',
  'presentation-self-asserted-vc-holder-mismatch': 'holder 4.13.4',
  'presentation-self-asserted-vc-issuer-mismatch': 'holder 4.13.4',
  'presentation-self-asserted-vc-no-holder': 'holder 4.13.4',
  'presentation-vc-as-string-fail': 'verifiableCredential 4.13',
  'presentation-vc-missing-required-type-fail': 'a credential 4.5',
}

/** Not to be seen without processing JSON-LD: the form is right, the terms are refused by the processor. */
const ofTerms: Record<string, string> = {
  'credential-redef-type-fail': 'term_redefined',
  'credential-redef-type2-fail': 'term_redefined',
  'credential-type-mapped-nonurl-fail': 'credential_malformed',
  'credential-type-unmapped-fail': 'term_unknown',
}

/** The suite gives a credential its issuer and its times before it sends it. */
const completed = (name: string, input: Members): Members => {
  const { issuer } = input
  const isObject = typeof issuer === 'object' && issuer !== null
  if (name === 'credential-no-issuer-fail') return { ...input, credentialSubject: { id: 'did:example:subject' } }
  const whole: Members = {
    ...input,
    issuer: isObject ? { id: 'did:example:issuer', ...issuer } : issuer === undefined ? 'did:example:issuer' : issuer,
  }
  if (!name.startsWith('credential-validUntil-validFrom')) return whole
  const isGood = name.endsWith('-ok')
  const [early, late] = ['2020-01-01T00:00:00Z', '2030-01-01T00:00:00Z']
  return { ...whole, validFrom: isGood ? early : late, validUntil: isGood ? late : early }
}

/** The suite secures the credentials of a presentation before it sends it; those that assert themselves need not be. */
const secured = (name: string, input: Members): Members => {
  const { verifiableCredential: credentials } = input
  if (name.includes('self-asserted') || !Array.isArray(credentials)) return input
  const proof = { type: 'DataIntegrityProof', cryptosuite: 'eddsa-rdfc-2022' }
  const withProof = (each: unknown) =>
    typeof each === 'object' && each !== null && !String((each as Members)['id'] ?? '').startsWith('data:')
      ? { proof, ...each }
      : each
  return { ...input, verifiableCredential: credentials.map(withProof) }
}

const whole = (name: string, input: Members): Members =>
  name.startsWith('presentation-') ? secured(name, input) : completed(name, input)

const judge = (name: string, input: Members) =>
  refused(() => (name.startsWith('presentation-') ? assertPresentation(input) : assertCredential(input)))

const cases = Object.entries(inputs).map(([path, input]) => ({ name: path.replace(/\.json$/, ''), input }))

describe('the inputs of the test suite of VC Data Model 2.0', () => {
  it.each(cases)('$name', ({ name, input }) => {
    const document = whole(name, input)
    const refusal = judge(name, document)
    if (reasons[name] === undefined) {
      expect(refusal).toBeUndefined()
      const { proof: _proof, ...unsecured } = document
      return expect(refused(() => toQuads(unsecured))?.code).toBe(ofTerms[name])
    }
    const [, member = '', section = ''] = /^(.*) ([\d.]+)$/.exec(reasons[name]) ?? []
    expect(refusal?.kind).toBe('malformed')
    expect(refusal?.message).toContain(member)
    expect(refusal?.message).toContain(`section ${section})`)
  })

  it('fail where their names say so', () => {
    const failing = cases.filter(({ name }) => /fail|mismatch|no-holder/.test(name)).map(({ name }) => name)
    const expected = [...Object.keys(reasons), ...Object.keys(ofTerms)].filter(
      name => name !== 'presentation-enveloped-vc-ok',
    )
    expect(failing.sort()).toEqual(expected.sort())
  })
})
