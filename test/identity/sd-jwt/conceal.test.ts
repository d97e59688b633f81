import { createHash, randomBytes, verify } from 'node:crypto'
import { SDJwtInstance } from '@sd-jwt/core'
import fc from 'fast-check'
import type { Sign } from '../../../src/identity/formats/format.ts'
import { openSdJwt, type SdAlgorithm, splitSdJwt } from '../../../src/identity/formats/sd-jwt.ts'
import {
  type ClaimPath,
  concealClaims,
  concealmentOf,
  issueSdJwt,
} from '../../../src/identity/formats/sd-jwt-conceal.ts'
import { bindKey, discloseOnly } from '../../../src/identity/formats/sd-jwt-present.ts'
import { holderParty, type Party, signBytes } from '../world.ts'
import { codeOf, type Json, sdJwtOf } from './parts.ts'

const { issuer } = sdJwtOf
const holder = holderParty()
const signer =
  (party: Party): Sign =>
  async (_algorithm, input) =>
    signBytes(party, input)
const header = { alg: 'ES256', typ: 'example+sd-jwt' } as const

const claims = {
  iss: 'https://issuer.example',
  family_name: 'Möbius',
  address: { street: 'Schulstr. 12', locality: 'Schulpforta', country: 'DE' },
  nationalities: ['DE', 'FR', 'UK'],
  degrees: [
    { type: 'BSc', year: 1990 },
    { type: 'MSc', year: 1994 },
  ],
}
const issue = (paths: ClaimPath[], options: { algorithm?: SdAlgorithm; decoys?: number } = {}): Promise<string> =>
  issueSdJwt(header, claims, { conceal: concealmentOf(paths), ...options }, signer(issuer))

const shownOf = (compact: string, chosen: readonly (string | ClaimPath)[]): Json =>
  openSdJwt(discloseOnly(compact, chosen)).processed

describe('issuing any payload as an SD-JWT', () => {
  it('hides members, elements and what is below them, and gives all of it back', async () => {
    const paths = [['family_name'], ['address'], ['address', 'street'], ['nationalities', null], ['degrees', 1, 'year']]
    const compact = await issue(paths)
    const { payload, processed } = openSdJwt(compact)
    expect(processed).toEqual(claims)
    expect(payload['_sd_alg']).toBe('sha-256')
    expect(JSON.stringify(payload)).not.toMatch(/Möbius|Schul|"FR"|1994[,}]/)
    expect(JSON.stringify(payload)).toMatch(/1990/)
    expect(splitSdJwt(compact).disclosures.length).toBe(7)
  })

  it('reveals nothing of the number of claims where decoys stand among them (section 4.2.5)', async () => {
    const { payload, processed } = openSdJwt(await issue([['family_name'], ['nationalities', 0]], { decoys: 5 }))
    expect((payload['_sd'] as string[]).length).toBe(6)
    expect(payload['_sd']).toEqual([...(payload['_sd'] as string[])].sort())
    expect((payload['nationalities'] as unknown[]).length).toBe(8)
    expect(processed).toEqual(claims)
  })

  it('salts every disclosure anew', async () => {
    const [one, two] = [await issue([['family_name']]), await issue([['family_name']])]
    expect(splitSdJwt(one).disclosures).not.toEqual(splitSdJwt(two).disclosures)
  })

  it('has no _sd where nothing is hidden, also when a path leads to nothing (SD-JWT VC section 2.2.2.5)', async () => {
    expect(openSdJwt(await issue([['nothing'], ['iss', 'x'], ['address', 0]])).payload).toEqual({
      ...claims,
      _sd_alg: 'sha-256',
    })
  })

  it.each([{ _sd: [] }, { a: { '...': 'x' } }, { a: [{ _sd_alg: 'sha-256' }] }, JSON.parse('{"__proto__":1}')])(
    'is refused for a claim of a reserved name: %j',
    async reserved => {
      expect(await codeOf(() => concealClaims(reserved, concealmentOf([])))).toBe('credential_malformed')
    },
  )

  it('is nothing that a path to the payload as a whole could ask for', () => {
    expect(() => concealmentOf([[]])).toThrow(TypeError)
  })
})

describe('choosing by path', () => {
  const all: ClaimPath[] = [
    ['family_name'],
    ['address'],
    ['address', 'street'],
    ['address', 'country'],
    ['nationalities', null],
    ['degrees', null],
    ['degrees', null, 'type'],
    ['degrees', null, 'year'],
  ]

  it.each<[string, (string | ClaimPath)[], Json]>([
    ['nothing', [], { nationalities: [], degrees: [] }],
    ['an element by position', [['nationalities', 1]], { nationalities: ['FR'], degrees: [] }],
    ['every element', [['nationalities', null]], { nationalities: ['DE', 'FR', 'UK'], degrees: [] }],
    ['an array by name', ['nationalities'], { nationalities: ['DE', 'FR', 'UK'], degrees: [] }],
    [
      'a member of every element',
      [['degrees', null, 'type']],
      { nationalities: [], degrees: [{ type: 'BSc' }, { type: 'MSc' }] },
    ],
    ['a member of one element', [['degrees', 1, 'year']], { nationalities: [], degrees: [{ year: 1994 }] }],
    ['an element with all it has', [['degrees', 0]], { nationalities: [], degrees: [{ type: 'BSc', year: 1990 }] }],
    [
      'a child, which brings its parent',
      ['address.country'],
      { nationalities: [], degrees: [], address: { locality: 'Schulpforta', country: 'DE' } },
    ],
    ['a parent, which brings its children', [['address']], { nationalities: [], degrees: [], address: claims.address }],
    [
      'what is not there',
      ['name', ['nationalities', 3], ['address', null], ['nationalities', 'DE']],
      { nationalities: [], degrees: [] },
    ],
  ])('shows %s', async (_title, chosen, shown) => {
    expect(shownOf(await issue(all), chosen)).toEqual({ iss: claims.iss, ...shown })
  })

  it('counts positions without decoys', async () => {
    const compact = await issue([['nationalities', null]], { decoys: 8 })
    expect(shownOf(compact, [['nationalities', 2]])['nationalities']).toEqual(['UK'])
  })

  it('is a part of what was issued, under every set of paths, and all of it when all is chosen', async () => {
    const step = fc.constantFrom<string | number | null>(...'abc', 0, 1, null)
    const path = fc.array(step, { minLength: 1, maxLength: 4 })
    const { tree } = fc.letrec(tie => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>(1, 'x', null, true),
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('tree'), { noNullPrototype: true }),
        fc.array(tie('tree'), { maxLength: 3 }),
      ),
    }))
    const top = fc.dictionary(fc.constantFrom('a', 'b', 'c'), tree, { noNullPrototype: true })
    const algorithm = fc.constantFrom<SdAlgorithm>('sha-256', 'sha-384', 'sha-512')
    await fc.assert(
      fc.asyncProperty(
        top,
        fc.array(path),
        fc.array(path),
        algorithm,
        fc.nat(2),
        async (payload, hidden, chosen, named, decoys) => {
          const options = { conceal: concealmentOf(hidden), algorithm: named, decoys }
          const compact = await issueSdJwt(header, payload, options, async () => Buffer.alloc(64))
          const names = ['a', 'b', 'c']
          expect(openSdJwt(compact).processed).toEqual(payload)
          expect(shownOf(compact, names)).toEqual(payload)
          const less = discloseOnly(compact, chosen)
          expect(discloseOnly(less, names)).toBe(less)
          for (const name in openSdJwt(less).processed) expect(Object.hasOwn(payload, name)).toBe(true)
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('binding to a key', () => {
  const binding = {
    audience: 'https://verifier.example',
    nonce: 'n',
    issuedAt: 1_700_000_000_500,
    algorithm: 'ES256',
  } as const

  it('hashes by the hash of the SD-JWT and signs what a protocol adds (section 4.3.1)', async () => {
    const compact = await issue([['family_name']], { algorithm: 'sha-512' })
    const bound = await bindKey(compact, { ...binding, claims: { extra: 1, aud: 'x' } }, signer(holder))
    const { keyBinding } = openSdJwt(bound)
    expect(keyBinding).toMatchObject({ covers: true, issuedAt: 1_700_000_000_000, audience: binding.audience })
    expect(keyBinding?.claims['extra']).toBe(1)
    expect(keyBinding?.claims['sd_hash']).toBe(createHash('sha512').update(compact).digest('base64url'))
  })

  it('is refused for what is bound already', async () => {
    const bound = await bindKey(await issue([]), binding, signer(holder))
    expect(await codeOf(() => bindKey(bound, binding, signer(holder)))).toBe('credential_malformed')
  })
})

describe('beside @sd-jwt/core', () => {
  const verifier = (party: Party) => async (data: string, signature: string) => {
    const key = { key: party.publicKey, dsaEncoding: 'ieee-p1363' as const }
    return verify('sha256', Buffer.from(data), key, Buffer.from(signature, 'base64url'))
  }
  const theirs = new SDJwtInstance({
    hasher: (data, algorithm) =>
      createHash(algorithm.replace('-', ''))
        .update(typeof data === 'string' ? data : Buffer.from(data))
        .digest(),
    ...{
      hashAlg: 'sha-256',
      signAlg: 'ES256',
      kbSignAlg: 'ES256',
      saltGenerator: () => randomBytes(16).toString('base64url'),
    },
    ...{ verifier: verifier(issuer), kbVerifier: verifier(holder) },
    signer: async data => signBytes(issuer, Buffer.from(data)).toString('base64url'),
    kbSigner: async data => signBytes(holder, Buffer.from(data)).toString('base64url'),
  })
  const bound = { ...claims, iat: 1_700_000_000, cnf: { jwk: holder.jwk } }
  const to = { audience: 'https://verifier.example', nonce: 'n', issuedAt: Date.now(), algorithm: 'ES256' } as const

  it.each(['sha-256', 'sha-384', 'sha-512'] as const)(
    'what is issued and bound here under %s verifies there',
    async algorithm => {
      const what = concealmentOf([['address'], ['address', 'street'], ['nationalities', null], ['degrees', 1, 'year']])
      const compact = await issueSdJwt(header, bound, { conceal: what, algorithm, decoys: 2 }, signer(issuer))
      const shown = discloseOnly(compact, ['address', ['nationalities', 1]])
      const presented = await bindKey(shown, to, signer(holder))
      const { payload } = await theirs.verify(presented, { keyBindingNonce: 'n' })
      expect(payload).toEqual(openSdJwt(presented).processed)
      expect(payload).toMatchObject({ address: claims.address, nationalities: ['FR'], degrees: [{}, { type: 'MSc' }] })
    },
  )

  it('what is issued and presented there, with arrays, recursion and decoys, reads here', async () => {
    const frame = {
      ...{ _sd: ['family_name', 'address'], _sd_decoy: 2 },
      address: { _sd: ['street'] },
      nationalities: { _sd: [0, 2], _sd_decoy: 1 },
    }
    const compact = await theirs.issue(bound, frame as never)
    expect(openSdJwt(compact).processed).toEqual(bound)
    const presented = await theirs.present(
      compact,
      { address: { street: true }, nationalities: { 2: true } } as never,
      {
        kb: { payload: { iat: Math.floor(Date.now() / 1_000), aud: to.audience, nonce: 'n' } },
      },
    )
    const { processed, keyBinding } = openSdJwt(presented)
    expect(keyBinding?.covers).toBe(true)
    expect(processed).toMatchObject({ address: claims.address, nationalities: ['FR', 'UK'] })
    expect(processed).not.toHaveProperty('family_name')
  })
})
