import { generateKeyPairSync } from 'node:crypto'
import type { FetchBounds, Fetched } from '../../../src/identity/fetch-bounded.ts'
import { jwtVcIssuerUrl, openJwtVcIssuers } from '../../../src/identity/foreign/jwt-vc-issuer.ts'
import { openSources } from '../../../src/identity/foreign/trusted-sources.ts'
import type { Opened } from '../../../src/identity/formats/format.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'

const iss = 'https://issuer.example/tenant/1234'
const start = Date.parse('2026-03-01T00:00:00Z')

const jwkOf = (kid?: string) => {
  const { kty, crv, x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  return { kty, crv, x, y, ...(kid === undefined ? {} : { kid }) }
}

type Answer = Partial<Fetched> | Refusal | (() => Promise<Fetched>)

/** An issuer that answers what the test has it answer, by URL. */
const openIssuer = (answers: Record<string, unknown>, headers: Partial<Fetched> = {}) => {
  const asked: { url: string; bounds: FetchBounds }[] = []
  const clock = { time: start, now: () => clock.time }
  const issuers = openJwtVcIssuers({
    clock,
    async fetch(url, bounds) {
      asked.push({ url, bounds })
      const answer = answers[url] as Answer | undefined
      if (answer === undefined) throw new Refusal('unavailable', 'fetch_failed', 'Nobody answers there.')
      if (answer instanceof Refusal) throw answer
      const body = Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer))
      return { url, status: 200, contentType: 'application/json', body, ...headers }
    },
  })
  return { issuers, asked, clock }
}

const metadataUrl = 'https://issuer.example/.well-known/jwt-vc-issuer/tenant/1234'
const keysUrl = 'https://issuer.example/keys'
const codeOf = (judgement: Promise<unknown>) =>
  judgement.then(
    () => 'passed',
    error => (error instanceof Refusal ? error.code : error),
  )

describe('JWT VC Issuer Metadata of others (SD-JWT VC, section 4)', () => {
  it.each([
    ['https://example.com', 'https://example.com/.well-known/jwt-vc-issuer'],
    ['https://example.com/', 'https://example.com/.well-known/jwt-vc-issuer'],
    ['https://example.com/tenant/1234', 'https://example.com/.well-known/jwt-vc-issuer/tenant/1234'],
    ['https://example.com:8443/tenant/', 'https://example.com:8443/.well-known/jwt-vc-issuer/tenant'],
  ])('of %s stands at %s', (issuer, url) => {
    expect(jwtVcIssuerUrl(issuer)).toBe(url)
  })

  it('gives the keys by value and by reference, bounded in size', async () => {
    const [one, two] = [jwkOf('one'), jwkOf()]
    const byValue = openIssuer({ [metadataUrl]: { issuer: iss, jwks: { keys: [one, two] } } })
    expect((await byValue.issuers.keysOf(iss)).map(({ kid }) => kid)).toEqual(['one', undefined])
    expect(byValue.asked[0]?.bounds.maxBytes).toBeLessThanOrEqual(65_536)
    const byReference = openIssuer({ [metadataUrl]: { issuer: iss, jwks_uri: keysUrl }, [keysUrl]: { keys: [one] } })
    expect((await byReference.issuers.keysOf(iss))[0]?.key.jwk).toMatchObject({ x: one.x })
  })

  it('leaves out keys for encryption and of kinds that nobody here verifies with', async () => {
    const keys = [{ ...jwkOf('e'), use: 'enc' }, { kty: 'RSA', n: 'AQAB', e: 'AQAB' }, jwkOf('one')]
    const { issuers } = openIssuer({ [metadataUrl]: { issuer: iss, jwks: { keys } } })
    expect((await issuers.keysOf(iss)).map(({ kid }) => kid)).toEqual(['one'])
  })

  it('is kept for as long as the issuer allows, an hour at most, and asked for once by many', async () => {
    const answer = { [metadataUrl]: { issuer: iss, jwks: { keys: [jwkOf('one')] } } }
    const { issuers, asked, clock } = openIssuer(answer, { cacheControl: 'max-age=86400' })
    await Promise.all([issuers.keysOf(iss), issuers.keysOf(iss), issuers.keysOf(iss)])
    clock.time += 3_599_000
    await issuers.keysOf(iss)
    expect(asked).toHaveLength(1)
    clock.time += 1_000
    await issuers.keysOf(iss)
    expect(asked).toHaveLength(2)
    const hasty = openIssuer(answer, { cacheControl: 'no-store' })
    await hasty.issuers.keysOf(iss)
    await hasty.issuers.keysOf(iss)
    expect(hasty.asked).toHaveLength(2)
  })

  it('is not asked for again at once where it could not be had', async () => {
    const { issuers, asked, clock } = openIssuer({})
    expect(await codeOf(issuers.keysOf(iss))).toBe('issuer_metadata_unavailable')
    expect(await codeOf(issuers.keysOf(iss))).toBe('issuer_metadata_unavailable')
    expect(asked).toHaveLength(1)
    clock.time += 1_000
    await codeOf(issuers.keysOf(iss))
    expect(asked).toHaveLength(2)
  })

  it('is fetched where it stands, and nowhere that its host sends readers on to', async () => {
    const { issuers, asked } = openIssuer({ [metadataUrl]: { issuer: iss, jwks_uri: keysUrl } })
    await codeOf(issuers.keysOf(iss))
    expect(asked.map(({ url, bounds }) => [url, bounds.maxRedirects])).toEqual([
      [metadataUrl, 0],
      [keysUrl, 0],
    ])
  })

  it('of slow hosts leaves room for the others', async () => {
    const never = new Promise<Fetched>(() => undefined)
    const place = 'https://other.example/.well-known/jwt-vc-issuer'
    const good = { issuer: 'https://other.example', jwks: { keys: [jwkOf('one')] } }
    const issuers = openJwtVcIssuers({
      clock: { now: () => start },
      fetch: async url =>
        url === place
          ? { url, status: 200, contentType: 'application/json', body: Buffer.from(JSON.stringify(good)) }
          : never,
    })
    for (let at = 0; at < 8; at++) void issuers.keysOf(`${iss}${at}`)
    for (let at = 8; at < 20; at++) {
      expect(await codeOf(issuers.keysOf(`${iss}${at}`))).toBe('issuer_metadata_unavailable')
    }
    expect((await issuers.keysOf('https://other.example')).map(({ kid }) => kid)).toEqual(['one'])
  })

  const keys = [jwkOf('one')]
  it.each<[string, string, unknown]>([
    ['of another issuer', 'issuer_metadata_refused', { issuer: 'https://issuer.example', jwks: { keys } }],
    ['without an issuer', 'issuer_metadata_refused', { jwks: { keys } }],
    ['without keys', 'issuer_metadata_refused', { issuer: iss }],
    [
      'with keys both by value and by reference',
      'issuer_metadata_refused',
      { issuer: iss, jwks: { keys }, jwks_uri: keysUrl },
    ],
    ['with an empty set', 'issuer_metadata_refused', { issuer: iss, jwks: { keys: [] } }],
    [
      'with 33 keys',
      'issuer_metadata_refused',
      { issuer: iss, jwks: { keys: Array.from({ length: 33 }, () => jwkOf()) } },
    ],
    ['with a key that is none', 'issuer_metadata_refused', { issuer: iss, jwks: { keys: ['key'] } }],
    [
      'with a kid that is no text',
      'issuer_metadata_refused',
      { issuer: iss, jwks: { keys: [{ ...jwkOf(), kid: 7 }] } },
    ],
    ['with jwks_uri that is no text', 'issuer_metadata_refused', { issuer: iss, jwks_uri: 7 }],
    ['with jwks_uri on the inside', 'url_forbidden', { issuer: iss, jwks_uri: 'https://inside.example' }],
    ['that is a list', 'issuer_metadata_refused', [iss]],
    ['that is not JSON', 'issuer_metadata_refused', 'not JSON'],
  ])('is refused %s (%s)', async (_title, code, metadata) => {
    const forbidden = new Refusal('rejected', 'url_forbidden', 'Inside.')
    const { issuers } = openIssuer({ [metadataUrl]: metadata, 'https://inside.example': forbidden })
    expect(await codeOf(issuers.keysOf(iss))).toBe(code)
  })

  it('is not to be had from an answer that is no good (issuer_metadata_unavailable)', async () => {
    const { issuers } = openIssuer({ [metadataUrl]: { issuer: iss, jwks: { keys } } }, { status: 404 })
    expect(await codeOf(issuers.keysOf(iss))).toBe('issuer_metadata_unavailable')
  })

  it.each([
    'http://issuer.example',
    'https://issuer.example?a',
    'https://issuer.example#a',
    'https://u:p@issuer.example',
    'did:key:z6Mk',
    'issuer',
    `https://issuer.example/${'a'.repeat(2_048)}`,
  ])('is not looked for at %.40s (issuer_metadata_refused)', async name => {
    const { issuers, asked } = openIssuer({})
    expect(await codeOf(issuers.keysOf(name))).toBe('issuer_metadata_refused')
    expect(asked).toEqual([])
  })
})

describe('an issuer that is trusted by its URL', () => {
  const [one, two] = [jwkOf('one'), jwkOf('two')]
  const source = { by: 'issuers' as const, issuers: [iss] }
  const credential = (kid: string, issuer = iss) => ({ issuer, signature: { kid } }) as Opened
  const sourcesWith = (keys: unknown[]) => {
    const { issuers, clock } = openIssuer(
      { [metadataUrl]: { issuer: iss, jwks: { keys } } },
      { cacheControl: 'no-store' },
    )
    const keyOf = async () => {
      throw new Refusal('rejected', 'did_unresolvable', 'No DID.')
    }
    return openSources({ clock, keyOf, issuers })
  }

  it('is vouched for with the key of the header’s name, or its only one', async () => {
    const vouched = await sourcesWith([one, two]).vouch(credential('two'), source)
    expect(vouched).toMatchObject({ key: { did: iss, kid: 'two', jwk: { x: two.x } }, authority: iss, listIssuer: iss })
    expect((await sourcesWith([one]).vouch(credential(''), source)).key.jwk.x).toBe(one.x)
  })

  it.each<[string, string, unknown[], Opened]>([
    ['under a name that it does not publish', 'key_unknown', [one], credential('three')],
    ['under no name while it has two keys', 'key_unknown', [one, two], credential('')],
    ['in the name of another', 'issuer_untrusted', [one], credential('one', 'https://issuer.example')],
  ])('is refused %s (%s)', async (_title, code, keys, opened) => {
    expect(await codeOf(sourcesWith(keys).vouch(opened, source))).toBe(code)
  })

  it('vouches no longer for a key that it has exchanged (key_unknown)', async () => {
    const { key } = await sourcesWith([one]).vouch(credential('one'), source)
    const was = { issuer: iss, kid: 'one', thumbprint: key.thumbprint }
    expect(await codeOf(sourcesWith([one]).stillVouches(source, was))).toBe('passed')
    expect(await codeOf(sourcesWith([jwkOf('one')]).stillVouches(source, was))).toBe('key_unknown')
  })
})
