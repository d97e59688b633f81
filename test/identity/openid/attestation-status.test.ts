import type { FetchBounds, Fetched } from '../../../src/identity/fetch-bounded.ts'
import { openAttestationStatus } from '../../../src/identity/openid/attestation-status.ts'
import { openAttesters } from '../../../src/identity/openid/attesters.ts'
import { packStatuses, sealListJwt } from '../../../src/identity/status-lists/token.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { holderParty, type Party, signBytes } from '../world.ts'

const now = Date.parse('2026-06-15T10:00:00Z')
const uri = 'https://provider.example/lists/1'
const [provider, second, stranger] = [holderParty(), holderParty(), holderParty()]
const attesters = openAttesters(
  {
    anchors: [],
    keys: [
      { ...provider.jwk, kid: 'provider-1' },
      { ...second.jwk, kid: 'provider-2' },
    ],
  },
  { haip: false },
)

const listBy = async (signer: Party, kid: string): Promise<Buffer> => {
  const statuses = [
    { index: 5, status: 1 },
    { index: 6, status: 2 },
  ]
  const times = { issuedAt: now, expiresAt: now + 3_600_000, ttlMs: 60_000 }
  const compact = await sealListJwt(
    { uri, issuer: 'https://provider.example', ...times, list: packStatuses({ bits: 2, entries: 64, statuses }) },
    { algorithm: signer.algorithm, kid },
    async (_algorithm, data) => signBytes(signer, data),
  )
  return Buffer.from(compact)
}

const judgeWith = (body: () => Promise<Buffer>) =>
  openAttestationStatus({
    ...{ clock: { now: () => now }, attesters },
    fetch: async (url: string, _bounds: FetchBounds): Promise<Fetched> => ({
      ...{ url, status: 200, contentType: 'application/statuslist+jwt', cacheControl: undefined, body: await body() },
    }),
  })

const outcome = async (judging: Promise<void>): Promise<string> => {
  try {
    await judging
    return 'good'
  } catch (error) {
    if (!isRefusal(error)) throw error
    return `${error.kind} ${error.code}`
  }
}

const at = (idx: unknown, listUri: unknown = uri): unknown => ({ status_list: { idx, uri: listUri } })

describe('the status of a wallet or key attestation (OpenID4VCI 1.0, appendices D.1 and E)', () => {
  it('is good, revoked or suspended as the list of its provider says', async () => {
    const judge = judgeWith(() => listBy(provider, 'provider-1'))
    expect(await outcome(judge(at(4), 'kid provider-1'))).toBe('good')
    for (const idx of [5, 6])
      expect(await outcome(judge(at(idx), 'kid provider-1'))).toBe('rejected attestation_revoked')
  })

  it.each<[string, unknown, string]>([
    ['no object', 'valid', 'malformed status_malformed'],
    ['another mechanism', { revocation: {} }, 'malformed status_malformed'],
    ['an index that is a text', at('4'), 'malformed status_malformed'],
    ['a list that is no URL', at(4, 'provider'), 'malformed status_malformed'],
    ['an index beyond the list', at(400), 'rejected status_index_out_of_range'],
  ])('is refused as %s', async (_what, status, code) => {
    expect(await outcome(judgeWith(() => listBy(provider, 'provider-1'))(status, 'kid provider-1'))).toBe(code)
  })

  it('is not read off a list that another provider signed, or nobody who is trusted', async () => {
    const foreign = judgeWith(() => listBy(second, 'provider-2'))
    expect(await outcome(foreign(at(4), 'kid provider-1'))).toBe('rejected status_list_refused')
    const untrusted = judgeWith(() => listBy(stranger, 'provider-1'))
    expect(await outcome(untrusted(at(4), 'kid provider-1'))).toBe('rejected status_list_refused')
  })

  it('is not known while the list cannot be had', async () => {
    const down = judgeWith(() => Promise.reject(new Error('no route')))
    await expect(down(at(4), 'kid provider-1')).rejects.toThrow()
  })
})
