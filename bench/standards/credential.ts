/** The credential that proofs are made for: two contexts, a status, a dozen claims. @param issuer DID */
export const credentialOf = (issuer: string, number: number): Record<string, unknown> => ({
  '@context': ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/examples/v2'],
  id: `urn:uuid:0193b7a0-0000-7000-8000-${String(number).padStart(12, '0')}`,
  type: ['VerifiableCredential', 'AlumniCredential'],
  issuer: { id: issuer, name: 'University of the Harbour' },
  validFrom: '2026-01-01T00:00:00Z',
  validUntil: '2030-01-01T00:00:00Z',
  name: `Diploma ${number}`,
  credentialSubject: {
    id: `did:example:holder-${number}`,
    alumniOf: { id: 'did:example:university', name: 'University of the Harbour' },
    degree: { type: 'ExampleBachelorDegree', name: `Bachelor of Science ${number}` },
  },
  credentialStatus: {
    id: `https://university.example/status/1#${number}`,
    type: 'BitstringStatusListEntry',
    statusPurpose: 'revocation',
    statusListIndex: String(number),
    statusListCredential: 'https://university.example/status/1',
  },
})

export type IntegrityRun = { who: 'own' | 'peer'; seconds: number; warmSeconds: number }
export type IntegrityResult = { issue: number; verify: number }
