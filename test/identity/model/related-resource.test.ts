import { hash } from 'node:crypto'
import { bytesToBase58 } from '@veramo/utils'
import fc from 'fast-check'
import { assertCredential } from '../../../src/identity/model/credential.ts'
import { assertPublished } from '../../../src/identity/model/published.ts'
import { assertDigests, assertRelatedResources, digestsOf } from '../../../src/identity/model/related-resource.ts'
import { credential, hostile, type Members, refused } from './refused.ts'

const id = 'https://example.org/image.png'
const contents = Buffer.from('an image')
const other = Buffer.from('another image')
const sri = (algorithm: string, of = contents) => `${algorithm}-${hash(algorithm, of, 'base64')}`
const prefixes: Record<string, string> = { sha256: '1220', sha384: '2030', sha512: '1340' }
const multihash = (algorithm: string, of = contents) =>
  Buffer.concat([Buffer.from(prefixes[algorithm] ?? '', 'hex'), hash(algorithm, of, 'buffer')])
const multibase = (algorithm: string, of = contents) => `u${multihash(algorithm, of).toString('base64url')}`

const judge = (resource: Members, bytes: Uint8Array) =>
  refused(() => {
    for (const each of assertRelatedResources({ id, ...resource })) assertDigests(each, bytes)
  })?.code

describe('a related resource (VC Data Model 2.0, section 5.3)', () => {
  const fitting: Members[] = ['sha256', 'sha384', 'sha512'].flatMap(algorithm => [
    { digestSRI: sri(algorithm) },
    { digestSRI: `${sri(algorithm)}?ct=image/png` },
    { digestSRI: sri(algorithm).replaceAll('+', '-').replaceAll('/', '_') },
    { digestMultibase: multibase(algorithm) },
    { digestMultibase: `z${bytesToBase58(multihash(algorithm))}` },
    { digestMultibase: `f${multihash(algorithm).toString('hex')}` },
    { digestMultibase: `m${multihash(algorithm).toString('base64').replace(/=+$/, '')}` },
    { digestMultibase: `u${hash(algorithm, contents, 'base64url')}` },
  ])
  it.each([
    ...fitting,
    { digestSRI: sri('sha256'), digestMultibase: multibase('sha384'), mediaType: 'image/png' },
    { digestSRI: `${sri('sha256')} ${sri('sha256', other)}` },
    { digestSRI: [sri('sha512', other), sri('sha512')] },
    // Of several algorithms the strongest decides.
    { digestSRI: `${sri('sha256', other)} ${sri('sha384')}` },
  ])('is what %j says, and nothing else', resource => {
    expect(judge(resource, contents)).toBeUndefined()
    expect(judge(resource, Buffer.from('a third image'))).toBe('digest_mismatch')
  })

  it('is not what a weaker digest says', () => {
    expect(judge({ digestSRI: `${sri('sha256')} ${sri('sha384', other)}` }, contents)).toBe('digest_mismatch')
    expect(judge({ digestSRI: sri('sha256'), digestMultibase: multibase('sha512', other) }, contents)).toBe(
      'digest_mismatch',
    )
  })

  it('is named in the facts of a mismatch', () => {
    const [resource] = assertRelatedResources([{ id, digestSRI: sri('sha256') }])
    const refusal = refused(() => assertDigests(resource as never, other))
    expect(refusal).toMatchObject({ kind: 'rejected', code: 'digest_mismatch', facts: { resource: id } })
  })

  const malformed: Record<string, unknown> = {
    'a URL': id,
    'a list of URLs': [id],
    'an empty list': [],
    'one without an id': { id: undefined, digestSRI: sri('sha256') },
    'one whose id is no URL': { id: 'image.png', digestSRI: sri('sha256') },
    'one without a digest': {},
    'one with no digests': { digestSRI: [] },
    'an empty digest': { digestSRI: '' },
    'a digest that is null': { digestSRI: sri('sha256'), digestMultibase: null },
    'a digest that is a number': { digestMultibase: 1 },
    'a digest of an old algorithm': { digestSRI: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' },
    'a digest of another length': { digestSRI: sri('sha256').replace('sha256', 'sha384') },
    'a digest that is no base64': { digestSRI: 'sha256-????????????????????????????????????????????' },
    'two digests run together': { digestSRI: `${sri('sha256')},${sri('sha384')}` },
    'a multibase of no base': { digestMultibase: multihash('sha256').toString('base64url') },
    'a multibase that is empty': { digestMultibase: 'u' },
    'a multihash of another length': { digestMultibase: `u${multihash('sha256').subarray(1).toString('base64url')}` },
    'a multihash of another algorithm': { digestMultibase: `f1114${hash('sha1', contents)}` },
    'base58 without end': { digestMultibase: `z${'2'.repeat(1_000)}` },
    'a media type that is none': { digestSRI: sri('sha256'), mediaType: 'png' },
    'too many digests': { digestSRI: Array.from({ length: 17 }, () => sri('sha256')) },
    'too many digests in one': { digestSRI: Array.from({ length: 17 }, () => sri('sha256')).join(' ') },
  }
  it.each(Object.keys(malformed))('is not %s', name => {
    const value = malformed[name]
    const whole = typeof value === 'object' && !Array.isArray(value) ? { id, ...value } : value
    expect(refused(() => assertCredential(credential({ relatedResource: whole })))).toMatchObject({
      kind: 'malformed',
      code: 'credential_malformed',
    })
  })

  it('stands once among the others', () => {
    const twice = [
      { id, digestSRI: sri('sha256') },
      { id, digestMultibase: multibase('sha256') },
    ]
    expect(refused(() => assertCredential(credential({ relatedResource: twice })))?.message).toContain('unique')
    const two = twice.map((each, at) => ({ ...each, id: `${id}#${at}` }))
    expect(assertCredential(credential({ relatedResource: two })).relatedResources).toHaveLength(2)
  })

  it('is no other object with a digest, which has them read alike', () => {
    expect(digestsOf({ id, digestSRI: sri('sha384') }, 'evidence')).toHaveLength(1)
    expect(digestsOf({ id }, 'evidence')).toEqual([])
  })

  it('is taken or refused, whatever JSON comes', () => {
    const value = fc.oneof(fc.constantFrom(...hostile), fc.jsonValue({ maxDepth: 2 }), fc.string())
    const names = fc.constantFrom('id', 'digestSRI', 'digestMultibase', 'mediaType')
    fc.assert(
      fc.property(fc.dictionary(names, value), resource => {
        const codes = [undefined, 'credential_malformed', 'digest_mismatch']
        expect(codes).toContain(judge(resource, contents))
      }),
      { numRuns: 500 },
    )
  })
})

describe('a context that everybody has', () => {
  const v2 = 'https://www.w3.org/ns/credentials/v2'
  const judgePublished = (resource: Members) => refused(() => assertPublished(assertRelatedResources(resource)))?.code

  it.each([
    { id: v2, digestSRI: 'sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU' },
    { id: v2, digestMultibase: 'uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA' },
    // As the W3C test suite names it: that of the Candidate Recommendation, and no multihash.
    { id: v2, digestSRI: 'sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg' },
    { id: v2, digestMultibase: 'uJKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k' },
    {
      id: 'https://w3id.org/security/data-integrity/v2',
      digestMultibase: 'f122067f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4',
    },
    { id: 'https://example.org/another', digestSRI: sri('sha256') },
  ])('has the digest of its publication: %j', resource => {
    expect(judgePublished(resource)).toBeUndefined()
  })

  it.each([
    { id: v2, digestMultibase: 'uM4RgWQc3RUDtjJCSgTJtTfvpZ7SPEg_LNO0ESlovQC0' },
    { id: v2, digestSRI: 'sha384-_rCVIV7fSXXTNIvpiq26jRDyj8JG8TDjij-tD0ewLk4JpnXEz6a5AeeY_1qQ0d0P' },
    { id: 'https://www.w3.org/2018/credentials/v1', digestSRI: sri('sha512') },
  ])('has no other: %j', resource => {
    expect(judgePublished(resource)).toBe('digest_mismatch')
  })
})
