import { Refusal } from '../../../src/kernel/refusal.ts'

/** The refusal that a piece of work ends in; `undefined` when it does not. Anything else thrown is a defect. */
export const refused = (work: () => unknown): Refusal | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

export type Members = Record<string, unknown>

export const credential = (changes: Members = {}): Members => ({
  '@context': ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/examples/v2'],
  id: 'http://university.example/credentials/58473',
  type: ['VerifiableCredential', 'ExampleAlumniCredential'],
  issuer: 'did:example:2g55q912ec3476eba2l9812ecbfe',
  validFrom: '2010-01-01T00:00:00Z',
  credentialSubject: { id: 'did:example:ebfeb1f712ebc6f1c276e12ec21', alumniOf: { name: 'Example University' } },
  ...changes,
})

export const credential11 = (changes: Members = {}): Members => ({
  '@context': ['https://www.w3.org/2018/credentials/v1'],
  type: ['VerifiableCredential'],
  issuer: 'https://example.edu/issuers/14',
  issuanceDate: '2010-01-01T19:23:24Z',
  credentialSubject: { id: 'did:example:ebfeb1f712ebc6f1c276e12ec21' },
  ...changes,
})

export const presentation = (changes: Members = {}): Members => ({
  '@context': ['https://www.w3.org/ns/credentials/v2'],
  type: ['VerifiablePresentation'],
  ...changes,
})

/** JSON of every kind in every place, with names that mean something among those that do not. */
export const hostile: readonly unknown[] = [
  null,
  true,
  0,
  -1.5,
  '',
  'text',
  ' https://example.org/',
  '_:b0',
  'data:,',
  'data:application/vc+cose;base64,AA==',
  '2010-01-01T00:00:00Z',
  [],
  [[]],
  [null],
  [{}],
  [['https://example.org/']],
  {},
  { id: null },
  { id: ['https://example.org/'] },
  { type: 'T', id: 'https://example.org/' },
  { '@value': 'text' },
  { '@id': 'https://example.org/' },
  { toString: 1, constructor: null },
  JSON.parse('{"__proto__":{"id":"https://example.org/"}}'),
]
