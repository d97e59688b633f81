import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { openMethods } from '../../../src/identity/foreign/keys.ts'
import { openSecuring } from '../../../src/identity/foreign/secure.ts'
import { type ForeignNeeds, verifyForeign, verifyForeignPresentation } from '../../../src/identity/foreign/verify.ts'
import { openJws } from '../../../src/identity/formats/jose.ts'
import { newSigner } from '../integrity/signers.ts'
import type { Members } from '../model/refused.ts'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const inputs = JSON.parse(read('vectors/vc-jose-cose-test-suite.json')) as Record<string, unknown>
const { conformance } = parse(read('../../../agents/conformance.yml')) as {
  conformance: { issuers: Record<string, string[]> }
}

/** While the presentations of the suite are valid. */
const clock = { now: () => Date.parse('2024-12-15T00:00:00Z') }

/** The suite names an issuer that is a URL; the conformance profile binds it to the keys of the suite. */
const needs: ForeignNeeds = {
  clock,
  keyOf: openMethods({
    resolve: async () => ({ didDocument: null, didResolutionMetadata: { error: 'notFound' }, didDocumentMetadata: {} }),
  }),
  didsOf: issuer => conformance.issuers[issuer] ?? [],
  judgeIssuer: () => undefined,
  judgeStatus: async () => undefined,
}

const outcomeOf = async (name: string): Promise<string> => {
  const verdict = name.startsWith('presentation')
    ? await verifyForeignPresentation(inputs[name], needs, { audience: [] })
    : await verifyForeign(inputs[name], needs)
  return verdict.refusal?.code ?? 'success'
}

describe('the verifications of the test suite of VC-JOSE-COSE, section 3.1', () => {
  it.each([
    [6, 'credential-jose-minimal.txt', 'success'],
    [7, 'presentation-jose-multiple.txt', 'success'],
    [8, 'credential-issuer-match-signed.txt', 'success'],
    // The suite has it fail by verifying with another key; a context of it defines every term for everybody (@vocab), as in 5.
    [9, 'credential-jose-unknown-extensions.txt', 'success'],
    [10, 'credential-minimal.json', 'proof_malformed'],
    [12, 'credential-jose-bad-signature.txt', 'signature_invalid'],
    [13, 'credential-jose-bad-media-type.txt', 'credential_malformed'],
    [14, 'presentation-jose-bad-media-type.txt', 'credential_malformed'],
    [15, 'credential-jose-vc-vp-claims.txt', 'credential_malformed'],
    [16, 'presentation-jose-bad-credential.txt', 'credential_malformed'],
  ])('%d: %s', async (_number, name, expected) => {
    expect(await outcomeOf(name)).toBe(expected)
  })

  it('11: presentation-single.json, which proves no holder', async () => {
    const asked = { audience: ['https://verifier.example'], challenge: 'c' }
    const verdict = await verifyForeignPresentation(inputs['presentation-single.json'], needs, asked)
    expect(verdict.checks.find(({ check }) => check === 'signature')).toMatchObject({ code: 'holder_unproven' })
  })

  it('are by the keys that are bound to the issuer, and by no others', async () => {
    const unbound = { ...needs, didsOf: () => [] }
    expect((await verifyForeign(inputs['credential-jose-minimal.txt'], unbound)).refusal?.code).toBe('key_unknown')
    const [ed25519 = ''] = conformance.issuers['https://example.issuer/vc-jose-cose'] ?? []
    const verdict = await verifyForeign(inputs['credential-jose-minimal.txt'], { ...needs, didsOf: () => [ed25519] })
    expect(verdict.refusal?.code).toBe('algorithm_mismatch')
  })
})

describe('the issuances of the test suite of VC-JOSE-COSE, section 3.1', () => {
  const payloadOf = (envelope: unknown): Members => {
    const { iat: _iat, ...payload } = openJws(String((envelope as Members)['id']).split(',')[1] ?? '').payload
    return payload
  }
  const securing = (kind: 'P-256' | 'P-384' | 'P-521') => openSecuring('vc+jwt', newSigner(kind), clock)

  it.each([
    [1, 'credential-minimal', 'P-256'],
    [2, 'credential-full', 'P-384'],
  ] as const)('%d: %s is secured as it stands', async (_number, name, kind) => {
    const document = inputs[`${name}.json`] as Members
    expect(payloadOf(await securing(kind).secure(document, {}))).toEqual(document)
  })

  it.each([
    [3, 'presentation-single', 'P-256'],
    [4, 'presentation-multiple', 'P-521'],
  ] as const)('%d: %s is secured as it stands', async (_number, name, kind) => {
    const document = inputs[`${name}.json`] as Members
    expect(payloadOf(await securing(kind).present(document, {}))).toEqual(document)
  })

  it('5: unknown extensions are refused, but for those that a context defines for everybody (@vocab)', async () => {
    const document = inputs['credential-unknown-extensions.json'] as Members
    const contexts = document['@context'] as string[]
    expect(contexts).toContain('https://www.w3.org/ns/credentials/examples/v2')
    expect(payloadOf(await securing('P-256').secure(document, {}))).toEqual(document)
    const bare = { ...document, '@context': contexts.slice(0, 1), type: ['VerifiableCredential'] }
    await expect(securing('P-256').secure(bare, {})).rejects.toMatchObject({ code: 'term_unknown' })
  })
})
