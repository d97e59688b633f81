import { createHash } from 'node:crypto'
import { openCredential } from '../../../src/identity/formats/detect.ts'
import { assertIntegrity } from '../../../src/identity/formats/type-integrity.ts'
import { viewOf } from '../../../src/identity/type-metadata.ts'
import { verifyCredential } from '../../../src/identity/verify.ts'
import { encode, openWorld, partsOf, put, resigned, sha256, type World } from '../world.ts'
import { codeOf, type Json } from './parts.ts'

/** A good SD-JWT VC whose payload and header were changed and signed anew. */
const changed = async (world: World, change: (payload: Json, header: Json) => void): Promise<string> =>
  resigned((await world.issue({ format: 'dc+sd-jwt' })).compact, world.transport, change)

const chain = ['MIIBZzCCAQ2gAwIBAgIBATAK', 'MIIBZzCCAQ2gAwIBAgIBAjAK']

describe('an SD-JWT VC', () => {
  it('is of a further type where its vct is not known (SD-JWT VC section 2.2.2.2)', async () => {
    const world = openWorld()
    const compact = await changed(world, payload => {
      put(payload, 'aka_vcts', ['urn:example:licence', payload['vct']])
      put(payload, 'vct', 'urn:example:licence:special:1')
    })
    const verdict = await verifyCredential(compact, world.verify)
    expect(verdict.refusal).toBeUndefined()
    expect(verdict.type).toBe('DrivingLicence')
    expect(verdict.claims).not.toHaveProperty('aka_vcts')
  })

  it('may have the certificates of its signer in the header instead of an iss (section 2.5)', async () => {
    const world = openWorld()
    const compact = await changed(world, (payload, header) => {
      delete payload['iss']
      put(header, 'x5c', chain)
    })
    const { issuer, signature } = openCredential(compact, world.types)
    expect([issuer, signature.x5c]).toEqual(['', chain])
    expect((await verifyCredential(compact, world.verify)).verified).toBe(false)
  })

  it.each(['iat', 'sub', 'jti'])('may have %s disclosable (section 2.2.2.3)', async name => {
    const world = openWorld()
    let disclosure = ''
    const compact = await changed(world, payload => {
      disclosure = encode(['c2FsdA', name, payload[name]])
      delete payload[name]
      put(payload, '_sd', [...(payload['_sd'] as string[]), sha256(disclosure)])
    })
    const { payload } = partsOf(compact)
    expect(payload).not.toHaveProperty(name)
    expect((await verifyCredential(`${compact}${disclosure}~`, world.verify)).refusal).toBeUndefined()
  })

  it('is read under typ vc+sd-jwt too, which it had before', async () => {
    const world = openWorld()
    const compact = await changed(world, (_payload, header) => put(header, 'typ', 'application/vc+sd-jwt'))
    expect((await verifyCredential(compact, world.verify)).refusal).toBeUndefined()
  })

  it.each<[string, (payload: Json, header: Json) => void, string]>([
    ['no issuer and no certificates', payload => put(payload, 'iss', undefined), 'credential_malformed'],
    ['an issuer that is a number', payload => put(payload, 'iss', 7), 'credential_malformed'],
    ['certificates that are none', (_p, header) => put(header, 'x5c', 'MIIB'), 'credential_malformed'],
    ['no certificate in x5c', (_p, header) => put(header, 'x5c', []), 'credential_malformed'],
    ['a certificate in base64url', (_p, header) => put(header, 'x5c', ['MI-_']), 'credential_malformed'],
    ['nine certificates', (_p, header) => put(header, 'x5c', Array(9).fill('MIIB')), 'credential_malformed'],
    [
      'a header of forty thousand bytes',
      (_p, header) => put(header, 'x5c', ['A'.repeat(40_000)]),
      'credential_malformed',
    ],
    ['no vct', payload => put(payload, 'vct', undefined), 'schema_unknown'],
    ['a vct that nobody knows', payload => put(payload, 'vct', 'urn:example:1'), 'schema_unknown'],
    ['vct#integrity that is no text', payload => put(payload, 'vct#integrity', 1), 'credential_malformed'],
    ['no further types', payload => put(payload, 'aka_vcts', []), 'credential_malformed'],
    ['further types that are a text', payload => put(payload, 'aka_vcts', 'urn:a'), 'credential_malformed'],
    ['its own type as a further one', payload => put(payload, 'aka_vcts', [payload['vct']]), 'credential_malformed'],
    ['a further type that is a number', payload => put(payload, 'aka_vcts', ['urn:a', 1]), 'credential_malformed'],
    [
      'a part of cnf hidden',
      payload => put(payload, 'cnf', { ...(payload['cnf'] as Json), _sd: ['a'] }),
      'credential_malformed',
    ],
    [
      'a part of status hidden',
      payload => put(payload, 'status', { ...(payload['status'] as Json), _sd: [] }),
      'credential_malformed',
    ],
    ['an element of aud hidden', payload => put(payload, 'aud', [{ '...': 'a' }]), 'credential_malformed'],
  ])('is refused with %s', async (_title, change, code) => {
    const world = openWorld()
    const compact = await changed(world, change)
    expect(await codeOf(() => openCredential(compact, world.types))).toBe(code)
  })
})

describe('a credential that names the digest of the metadata of its type (SD-JWT VC section 5)', () => {
  const digestOf = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`
  const judged = async (integrity: (world: World) => string, change: (payload: Json) => void = () => undefined) => {
    const world = openWorld()
    const compact = await changed(world, payload => {
      put(payload, 'vct#integrity', integrity(world))
      change(payload)
    })
    return codeOf(() => openCredential(compact, world.types))
  }
  const served = (world: World) => JSON.stringify(viewOf(world.types.byId('DrivingLicence')).metadata)

  it('counts by the metadata that agencies serve', async () => {
    expect(await judged(world => digestOf(served(world)))).toBe('none')
  })

  it('is refused under others, and under a digest that nobody can compute', async () => {
    expect(await judged(world => digestOf(`${served(world)} `))).toBe('digest_mismatch')
    expect(await judged(() => 'md5-AAAA')).toBe('digest_mismatch')
  })

  it('is judged without it where it is of a further type that is known: the digest is of the first', async () => {
    const foreign = (payload: Json) => {
      put(payload, 'aka_vcts', [payload['vct']])
      put(payload, 'vct', 'urn:example:1')
    }
    expect(await judged(() => digestOf('theirs'), foreign)).toBe('none')
  })
})

describe('the integrity of what a credential refers to (SD-JWT VC section 5)', () => {
  const document = Buffer.from('{"vct":"urn:a"}')
  const of = (algorithm: string, text: string | Buffer = document): string =>
    `${algorithm}-${createHash(algorithm).update(text).digest('base64')}`

  it.each([
    of('sha256'),
    of('sha384'),
    of('sha512'),
    `${of('sha256')}?options`,
    `${of('sha256', 'x')} ${of('sha384')}`,
    `${of('sha512', 'x')}\t${of('sha512')}`,
    `md5-AAAA ${of('sha256')}`,
  ])('holds under %s', metadata => {
    expect(() => assertIntegrity(document, metadata)).not.toThrow()
  })

  it.each<[unknown, string]>([
    [of('sha256', 'x'), 'digest_mismatch'],
    [`${of('sha256')} ${of('sha384', 'x')}`, 'digest_mismatch'],
    ['', 'digest_mismatch'],
    ['md5-AAAA', 'digest_mismatch'],
    ['sha256-AAAA', 'digest_mismatch'],
    [7, 'credential_malformed'],
    ['a'.repeat(5_000), 'credential_malformed'],
  ])('is refused under %p', async (metadata, code) => {
    expect(await codeOf(() => assertIntegrity(document, metadata))).toBe(code)
  })
})
