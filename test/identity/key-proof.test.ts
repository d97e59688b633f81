import { proveKey } from '../../src/identity/key-proof.ts'
import { isRefusal } from '../../src/kernel/refusal.ts'
import { holderParty, jws, type Party, TestDids } from './world.ts'

const now = Date.parse('2026-06-15T10:00:00Z')
const expected = { audience: ['https://issuer.example', 'did:ethr:0x1:0xabc'], nonce: 'nonce-1' }
const seconds = now / 1_000

const codeOf = async (proof: string): Promise<string> => {
  try {
    const { did } = await proveKey(proof, { dids: new TestDids(), clock: { now: () => now } }, expected)
    return did
  } catch (error) {
    if (!isRefusal(error)) throw error
    return `${error.kind} ${error.code}`
  }
}

const proofBy = (
  party: Party,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  signer = party,
): string =>
  jws(
    { alg: party.algorithm, typ: 'openid4vci-proof+jwt', kid: party.kid, ...header },
    { aud: 'https://issuer.example', nonce: 'nonce-1', iat: seconds, ...claims },
    signer,
  )

describe('a proof of possession of a key', () => {
  it.each(['P-256', 'Ed25519'] as const)('gives the DID whose key it is (%s)', async kind => {
    for (const method of ['key', 'jwk'] as const) {
      const holder = holderParty(kind, method)
      expect(await codeOf(proofBy(holder))).toBe(holder.did)
      expect(await codeOf(proofBy(holder, { aud: 'did:ethr:0x1:0xabc' }, { kid: holder.did }))).toBe(holder.did)
    }
  })

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['another nonce', { nonce: 'nonce-2' }, {}],
    ['no nonce', { nonce: undefined }, {}],
    ['another audience', { aud: 'https://other.example' }, {}],
    ['a list of audiences', { aud: ['https://issuer.example'] }, {}],
    ['no time', { iat: undefined }, {}],
    ['a time long past', { iat: seconds - 301 }, {}],
    ['a time to come', { iat: seconds + 61 }, {}],
    ['the typ of a key binding', {}, { typ: 'kb+jwt' }],
    ['the typ of a DPoP proof', {}, { typ: 'dpop+jwt' }],
    ['no typ', {}, { typ: undefined }],
    ['no kid', {}, { kid: undefined }],
    ['a relative kid', {}, { kid: '#0' }],
    ['another algorithm than the key has', {}, { alg: 'EdDSA' }],
  ])('is refused with %s', async (_what, claims, header) => {
    expect(await codeOf(proofBy(holderParty(), claims, header))).toBe('unauthenticated key_proof_refused')
  })

  it('is refused when somebody else signed it', async () => {
    expect(await codeOf(proofBy(holderParty(), {}, {}, holderParty()))).toBe('unauthenticated key_proof_refused')
  })

  it.each([
    ['nothing', ''],
    ['two parts', 'a.b'],
    ['a header that is no JSON', 'e30x.e30.AAAA'],
  ])('is malformed as %s', async (_what, proof) => {
    expect(await codeOf(proof)).toBe('malformed credential_malformed')
  })
})
