import { openMethods } from '../../../src/identity/foreign/keys.ts'
import type { SecuringKey } from '../../../src/identity/foreign/secure.ts'
import { openForeignStatus } from '../../../src/identity/foreign/status.ts'
import { type ForeignNeeds, verifyForeign } from '../../../src/identity/foreign/verify.ts'
import { sealJws } from '../../../src/identity/formats/jose.ts'
import { packStatuses, sealListCwt, sealListJwt } from '../../../src/identity/status-lists/token.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'
import { newSigner } from '../integrity/signers.ts'

const now = Date.parse('2026-06-01T00:00:00Z')
const clock = { now: () => now }
const uri = 'https://lists.example/1'
const alias = 'https://office.example'
const issuer: SecuringKey = newSigner('P-256')
const stranger: SecuringKey = newSigner('P-256')

type Served = { contentType: string; body: Buffer }
const sign = (key: SecuringKey) => async (_algorithm: string, data: Uint8Array) => Buffer.from(await key.sign(data))
const statuses = [
  { index: 1, status: 1 },
  { index: 2, status: 2 },
  { index: 3, status: 5 },
]
const draft = (iss: string) => ({
  ...{ uri, issuer: iss, issuedAt: now - 1_000, expiresAt: now + 60_000, ttlMs: 1_000 },
  list: packStatuses({ bits: 4, entries: 100, statuses }),
})
const jwtOf = async (by: SecuringKey, iss = by.did): Promise<Served> => {
  const key = { algorithm: 'ES256', kid: by.verificationMethod } as const
  return { contentType: 'application/statuslist+jwt', body: Buffer.from(await sealListJwt(draft(iss), key, sign(by))) }
}
const cwtOf = async (by: SecuringKey): Promise<Served> => {
  const key = { algorithm: 'ES256', kid: by.verificationMethod } as const
  const body = Buffer.from(await sealListCwt(draft(by.did), key, sign(by)))
  return { contentType: 'application/statuslist+cwt', body }
}

const judging = (served: Served | undefined, bound: readonly string[] = []): ForeignNeeds => {
  const keyOf = openMethods({
    resolve: async () => ({ didDocument: null, didResolutionMetadata: { error: 'notFound' }, didDocumentMetadata: {} }),
  })
  const didsOf = (named: string) => (named === alias ? bound : [])
  const judgeStatus = openForeignStatus({
    ...{ clock, keyOf, didsOf },
    fetch: async url => {
      if (served === undefined) throw new Refusal('unavailable', 'fetch_failed', 'The host does not answer.')
      return { url, status: 200, cacheControl: undefined, age: undefined, ...served }
    },
  })
  return { clock, keyOf, didsOf, judgeIssuer: () => undefined, judgeStatus }
}

const codeAt = async (idx: number, needs: ForeignNeeds, named = issuer.did): Promise<string | undefined> => {
  const credential = {
    '@context': ['https://www.w3.org/ns/credentials/v2'],
    ...{ type: ['VerifiableCredential'], issuer: named, credentialSubject: { id: stranger.did } },
    status: { status_list: { idx, uri } },
  }
  const header = { alg: 'ES256', kid: issuer.verificationMethod, typ: 'vc+jwt' } as const
  return (await verifyForeign(await sealJws(header, credential, sign(issuer)), needs)).refusal?.code
}

describe('the Token Status List of a W3C credential of any issuer', () => {
  it.each<[string, (by: SecuringKey) => Promise<Served>]>([
    ['JWT', jwtOf],
    ['CWT', cwtOf],
  ])('is read as %s: only 0 is good (section 7.1)', async (_name, listOf) => {
    const needs = judging(await listOf(issuer))
    const codes = await Promise.all([0, 1, 2, 3].map(idx => codeAt(idx, needs)))
    expect(codes).toEqual([undefined, 'credential_revoked', 'credential_suspended', 'credential_revoked'])
  })

  it('is refused from another issuer, whoever it says to be of', async () => {
    expect(await codeAt(0, judging(await jwtOf(stranger)))).toBe('status_list_refused')
    expect(await codeAt(0, judging(await jwtOf(stranger, issuer.did)))).toBe('status_list_refused')
    const { body, contentType } = await jwtOf(issuer)
    const changed = Buffer.from(body.toString().replace(/.$/, end => (end === 'A' ? 'Q' : 'A')))
    expect(await codeAt(0, judging({ contentType, body: changed }))).toBe('status_list_refused')
  })

  it('is of an issuer that is a URL when a key that is bound to it signs, and else of nobody', async () => {
    const list = await jwtOf(issuer, alias)
    expect(await codeAt(0, judging(list, [issuer.did]), alias)).toBeUndefined()
    expect(await codeAt(1, judging(list, [issuer.did]), alias)).toBe('credential_revoked')
    expect(await codeAt(0, judging(await jwtOf(stranger, alias), [issuer.did]), alias)).toBe('status_list_refused')
  })

  it('is never taken for good when it cannot be had, or has no such index', async () => {
    expect(await codeAt(0, judging(undefined))).toBe('status_unavailable')
    expect(await codeAt(100_000, judging(await jwtOf(issuer)))).toBe('status_index_out_of_range')
  })
})
