import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { openJws, signatureHolds } from '../../../src/identity/formats/jose.ts'
import {
  openSdJwt,
  readDisclosures,
  revealPayload,
  sdDigest,
  splitSdJwt,
} from '../../../src/identity/formats/sd-jwt.ts'
import { fromJwsJson, toJwsJson } from '../../../src/identity/formats/sd-jwt-json.ts'
import { discloseOnly } from '../../../src/identity/formats/sd-jwt-present.ts'
import { publicKeyFromJwk } from '../../../src/identity/key-material.ts'
import { codeOf, type Json, sdJwtOf } from './parts.ts'

type Token = {
  section: string
  kind: 'issuance' | 'presentation'
  compact: string
  payload: Json
  claims?: Json
  processed?: Json
  binding?: Json
}
type Vectors = {
  issuerKey: Json
  disclosures: { section: string; digest: string; disclosure: string }[]
  tokens: Token[]
  nested: { section: string; title: string; payload: Json; claims: Json }[]
  json: { issuance: Json; presentation: Json; general: Json & { signatures: Json[] } }
}

const vectors = JSON.parse(readFileSync(new URL('vectors/rfc9901.json', import.meta.url), 'utf8')) as Vectors
const issuerKey = publicKeyFromJwk(vectors.issuerKey as never)
const titled = vectors.tokens.map(token => ({ title: `the ${token.kind} of section ${token.section}`, ...token }))
const inSection = (section: string) =>
  vectors.disclosures.filter(each => each.section.startsWith(section)).map(each => each.disclosure)

describe('the examples of RFC 9901', () => {
  it('have 89 disclosures whose digests are ours (section 4.2.3)', () => {
    const ours = vectors.disclosures.map(({ disclosure }) => sdDigest('sha-256', disclosure))
    expect(ours).toEqual(vectors.disclosures.map(({ digest }) => digest))
    expect(ours.length).toBe(89)
  })

  it.each(titled)(
    '$title: its signature holds, and what was signed is what is printed',
    async ({ compact, payload }) => {
      const { jws } = splitSdJwt(compact)
      const { signed, payload: read } = openJws(jws)
      expect(await signatureHolds(signed, issuerKey)).toBe(true)
      expect(read).toEqual(payload)
    },
  )

  it.each(titled.filter(each => each.kind === 'presentation'))(
    '$title: processes into the payload that is printed (section 7.1)',
    ({ compact, processed }) => {
      expect(openSdJwt(compact).processed).toEqual(processed)
    },
  )

  it.each(titled.filter(each => each.kind === 'issuance'))(
    '$title: gives back every claim that went in',
    ({ compact, claims }) => {
      expect(openSdJwt(compact).processed).toMatchObject(claims ?? {})
    },
  )

  it.each(titled.filter(each => each.binding !== undefined))(
    '$title: its key binding is of the holder’s key and covers exactly what is shown (section 7.3)',
    async ({ compact, binding, payload }) => {
      const { keyBinding } = openSdJwt(compact)
      expect(keyBinding).toMatchObject({ covers: true, audience: binding?.['aud'], nonce: binding?.['nonce'] })
      expect(keyBinding?.claims).toEqual(binding)
      const { jwk } = payload['cnf'] as { jwk: Json }
      expect(keyBinding && (await signatureHolds(keyBinding.signed, publicKeyFromJwk(jwk as never)))).toBe(true)
      const { jws, disclosures, keyBinding: compactBinding } = splitSdJwt(compact)
      const shortened = `${[jws, ...disclosures.slice(0, -1)].join('~')}~${compactBinding}`
      expect(openSdJwt(shortened).keyBinding?.covers).toBe(false)
    },
  )

  it.each(vectors.nested)('the $title payload of section $section comes back whole', ({ section, payload, claims }) => {
    const embedded = new Set(JSON.stringify(payload).match(/[A-Za-z0-9_-]{43}/g) ?? [])
    const all = inSection(section)
    // Of the structured payload with one open claim the text lists no disclosures of its own.
    const below = all.map(each => JSON.parse(Buffer.from(each, 'base64url').toString()))
    for (const parts of below) for (const digest of parts.at(-1)?.['_sd'] ?? []) embedded.add(digest)
    const segments = all.filter(each => embedded.has(sdDigest('sha-256', each)))
    expect(segments.length).toBeGreaterThan(0)
    expect(revealPayload(payload, readDisclosures(segments, 'sha-256'))).toMatchObject(claims)
  })

  it('choose as section 5.2 does: given name, family name, address and the first nationality', () => {
    const [issued, presented] = vectors.tokens
    const shown = discloseOnly(issued?.compact ?? '', ['given_name', 'family_name', 'address', ['nationalities', 0]])
    expect(openSdJwt(shown).processed).toEqual(presented?.processed)
  })
})

describe('the JWS JSON serialisation (RFC 9901 section 8)', () => {
  it('of an SD-JWT in flattened form is read and written', async () => {
    const { compact, others } = fromJwsJson(vectors.json.issuance)
    const { signed, processed } = openSdJwt(compact)
    expect(await signatureHolds(signed, issuerKey)).toBe(true)
    expect(processed).toMatchObject({ sub: 'john_doe_42', given_name: 'John', birthdate: '1940-01-01' })
    expect(others).toEqual([])
    expect(toJwsJson(compact)).toEqual(vectors.json.issuance)
  })

  it.each(['presentation', 'general'] as const)('has its sd_hash over the compact form: %s', name => {
    const { compact, others } = fromJwsJson(vectors.json[name])
    const { keyBinding, processed } = openSdJwt(compact)
    expect(keyBinding?.covers).toBe(true)
    expect(Object.keys(processed)).toEqual(expect.arrayContaining(['family_name', 'given_name']))
    expect(others.length).toBe(name === 'general' ? 1 : 0)
  })

  it('in general form has signatures that hold over one payload', async () => {
    const { compact, others } = fromJwsJson(vectors.json.general)
    const first = openJws(splitSdJwt(compact).jws)
    const second = openJws(others[0] ?? '')
    expect(await signatureHolds(first.signed, issuerKey)).toBe(true)
    expect(second.payload).toEqual(first.payload)
  })

  const { issuance, general } = vectors.json
  const [one, two] = general.signatures
  it.each<[string, unknown]>([
    ['no object', 'text'],
    ['a member that nobody knows', { ...issuance, extra: 1 }],
    ['both forms at once', { ...general, protected: issuance['protected'] }],
    ['no signature', { ...general, signatures: [] }],
    ['a hundred signatures', { ...general, signatures: Array(100).fill(one) }],
    ['disclosures in the second header', { ...general, signatures: [one, { ...two, header: { disclosures: [] } }] }],
    ['a key binding in the second header', { ...general, signatures: [one, { ...two, header: { kb_jwt: 'a.b.c' } }] }],
    ['alg outside of what is protected', { ...issuance, header: { alg: 'none', disclosures: [] } }],
    ['a disclosure that is two', { ...issuance, header: { disclosures: ['YQ~YQ'] } }],
    ['disclosures that are no array', { ...issuance, header: { disclosures: 'YQ' } }],
    ['a key binding that is no text', { ...issuance, header: { disclosures: [], kb_jwt: {} } }],
    ['a payload with dots', { ...issuance, payload: 'a.b' }],
    ['no payload', { ...issuance, payload: undefined }],
    ['a header that is a list', { ...issuance, header: [] }],
  ])('is refused with %s', async (_title, value) => {
    expect(await codeOf(() => fromJwsJson(value))).toBe('credential_malformed')
  })
})

describe('an SD-JWT is refused (RFC 9901 section 7.1)', () => {
  const leaf = ['c2FsdA', 'leaf', 1]
  const element = ['c2FsdA', 1]
  const hiding = (parts: unknown[]) => ({ _sd: [sdJwtOf.digest(parts)] })
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])

  it.each<[string, Json, unknown[][], string]>([
    ['a digest twice in one _sd', { _sd: ['a', 'a'] }, [], 'credential_malformed'],
    ['a digest twice at two levels', { _sd: ['a'], b: { _sd: ['a'] } }, [], 'credential_malformed'],
    ['a digest both in _sd and in an array', { _sd: ['a'], b: [{ '...': 'a' }] }, [], 'credential_malformed'],
    [
      'a digest twice by way of a disclosure',
      { ...hiding(['s', 'x', { _sd: ['a'] }]), b: { _sd: ['a'] } },
      [['s', 'x', { _sd: ['a'] }]],
      'credential_malformed',
    ],
    ['a digest that is a number', { _sd: [1] }, [], 'credential_malformed'],
    ['_sd that is a string', { _sd: 'a' }, [], 'credential_malformed'],
    ['an array element of three dots and more', { b: [{ '...': 'a', c: 1 }] }, [], 'credential_malformed'],
    ['an array element whose digest is null', { b: [{ '...': null }] }, [], 'credential_malformed'],
    ['three dots as a claim', { '...': 'a' }, [], 'credential_malformed'],
    ['_sd_alg below the top', { b: { _sd_alg: 'sha-256' } }, [], 'credential_malformed'],
    ['_sd_alg that is a number', { _sd_alg: 256 }, [], 'credential_malformed'],
    ['_sd_alg of a hash that is not known', { _sd_alg: 'sha3-256' }, [], 'algorithm_refused'],
    ['_sd_alg in capitals', { _sd_alg: 'SHA-256' }, [], 'algorithm_refused'],
    ['_sd_alg of a broken hash', { _sd_alg: 'md5' }, [], 'algorithm_refused'],
    ['a disclosure that nothing refers to', {}, [leaf], 'credential_malformed'],
    ['a disclosure twice', hiding(leaf), [leaf, leaf], 'credential_malformed'],
    ['an element’s disclosure for a member', hiding(element), [element], 'credential_malformed'],
    ['a member’s disclosure for an element', { b: [{ '...': sdJwtOf.digest(leaf) }] }, [leaf], 'credential_malformed'],
    ['a disclosure named _sd', hiding(['s', '_sd', []]), [['s', '_sd', []]], 'credential_malformed'],
    ['a disclosure named ...', hiding(['s', '...', 'a']), [['s', '...', 'a']], 'credential_malformed'],
    ['a disclosed claim that is there already', { ...hiding(leaf), leaf: 0 }, [leaf], 'credential_malformed'],
    ['a disclosure of one element', hiding(['s']), [['s']], 'credential_malformed'],
    ['a disclosure of four elements', hiding(['s', 'a', 1, 2]), [['s', 'a', 1, 2]], 'credential_malformed'],
    ['a salt that is a number', hiding([1, 'a', 1]), [[1, 'a', 1]], 'credential_malformed'],
    ['a name that is null', hiding(['s', null, 1]), [['s', null, 1]], 'credential_malformed'],
    [
      'an element’s disclosure that hides another in its place',
      { b: [{ '...': sdJwtOf.digest(['s', { '...': 'a' }]) }] },
      [['s', { '...': 'a' }]],
      'credential_malformed',
    ],
    ['thirty-three levels', { b: nested(33) }, [], 'credential_malformed'],
  ])('with %s', async (_title, payload, disclosures, code) => {
    expect(await codeOf(() => openSdJwt(sdJwtOf(payload, disclosures)))).toBe(code)
  })

  it.each<[string, (compact: string) => string]>([
    ['no tilde', compact => compact.replaceAll('~', '')],
    ['an empty disclosure', compact => compact.replace('~', '~~')],
    ['an alien letter in a disclosure', compact => compact.replace('~', '~WyJ*')],
    ['two thousand parts', compact => `${compact}${'YQ~'.repeat(2_000)}`],
    ['two mebibytes', compact => `${compact}${'Y'.repeat(2 ** 21)}~`],
    ['a key binding of another typ', compact => `${compact}${sdJwtOf({}, []).slice(0, -1)}`],
  ])('with %s', async (_title, change) => {
    expect(await codeOf(() => openSdJwt(change(sdJwtOf(hiding(leaf), [leaf]))))).toBe('credential_malformed')
  })

  it('but an empty _sd, decoys, and elements that are kept back are nothing to refuse', () => {
    const open = openSdJwt(sdJwtOf({ _sd: [], a: { _sd: ['decoy'] }, b: [1, { '...': 'decoy too' }, 2] }, []))
    expect(open.processed).toEqual({ a: {}, b: [1, 2] })
  })

  it.each(['sha-384', 'sha-512'] as const)('but not for its digests being %s', algorithm => {
    const disclosure = Buffer.from(JSON.stringify(leaf)).toString('base64url')
    const payload = { _sd: [sdDigest(algorithm, disclosure)], _sd_alg: algorithm }
    expect(openSdJwt(sdJwtOf(payload, [leaf])).processed).toEqual({ leaf: 1 })
  })
})

describe('an SD-JWT that was tampered with', () => {
  it('throws nothing but refusals, whatever was changed in it', async () => {
    const compacts = vectors.tokens.map(({ compact }) => compact)
    const piece = fc.constantFrom('~', '.', '_', 'A', 'é', '=', '', '~~', 'WyJhIl0~', 'WyJhIiwxXQ~')
    const edits = fc.array(fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), piece }), {
      minLength: 1,
      maxLength: 4,
    })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...compacts), edits, async (compact, changes) => {
        const changed = changes.reduce((text, { at, piece: put }) => {
          const index = Math.floor(at * text.length)
          return text.slice(0, index) + put + text.slice(index + 1)
        }, compact)
        for (const work of [() => openSdJwt(changed), () => discloseOnly(changed, ['address'])]) {
          expect(['none', 'credential_malformed', 'algorithm_refused']).toContain(await codeOf(work))
        }
      }),
      { numRuns: 300 },
    )
  })
})
