import { challengeOf, prove, recheck } from '../../src/identity/prove.ts'
import type { Proof } from '../../src/kernel/identity.ts'
import type { StatusPointer } from '../../src/kernel/ports.ts'
import type { Refusal } from '../../src/kernel/refusal.ts'
import { bind, type Key, newKey, wrap } from '../holder.ts'
import { addressOf, audience, day, openWorld, type Party, resigned, type World } from './world.ts'

const challenge = 'nonce-1'
const to = { challenge, audience }
let world: World
let key: Key
const needs = () => ({ ...world.verify, did: world.transport.did })
const proven = (...presentations: string[]) => prove(presentations, { challenge, audience: [audience] }, needs())
const reasons = ({ lapsed }: Proof) => lapsed.map(({ type, refusal: { kind, code } }) => [type, kind, code])

const issue = async (
  type = 'DrivingLicence',
  options: { by?: Party; format?: 'vc+jwt'; holder?: Key } = {},
  claims = {},
) => {
  const { by = world.transport, format, holder = key } = options
  const subject = { ...world.types.byId(type).example, ...claims, id: holder.did }
  return world.issue({ type, subject, ...(format && { format }) }, by)
}

beforeEach(() => {
  world = openWorld()
  key = newKey()
})

describe('proving credentials', () => {
  it('gives what was disclosed, whose it is, by which key, and who issued it', async () => {
    const { compact, draft } = await issue()
    const [found] = (await proven(bind(compact, to, key, ['licenceNumber']))).credentials
    expect(found?.credential).toMatchObject({
      ...{ type: 'DrivingLicence', issuer: world.transport.did, holder: key.did, holderKey: key.thumbprint, own: true },
      claims: { licenceNumber: 'DL-2026-004417' },
      credentialId: draft.id,
      block: { number: 1_000 },
    })
    expect(found?.credential.claims).not.toHaveProperty('familyName')
    expect(found?.standing).toMatchObject({
      issuer: addressOf(world.transport),
      kid: world.transport.kid,
      status: draft.status,
    })
  })

  it('names a credential by one digest, whatever is shown of it and to whom', async () => {
    const { compact } = await issue()
    const { credentials } = await proven(bind(compact, to, key, []), bind(compact, to, key))
    expect(credentials[0]?.credential.digest).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(credentials[1]?.credential.digest).toBe(credentials[0]?.credential.digest)
  })

  it('takes a vp+jwt around a whole credential, beside an SD-JWT that proves a key of its own', async () => {
    const other = newKey()
    const whole = (await issue('DrivingLicence', { format: 'vc+jwt' })).compact
    const nested = bind((await issue('NationalIdentity', { holder: other })).compact, to, other)
    const { credentials, lapsed } = await proven(wrap([whole, nested], to, key))
    expect(lapsed).toEqual([])
    expect(credentials.map(({ credential }) => credential.holderKey)).toEqual([key.thumbprint, other.thumbprint])
  })

  it('takes nobody for the holder of a DID whose key they have not', async () => {
    const victim = newKey()
    const { compact } = await issue()
    const renamed = resigned(compact, world.transport, payload => Object.assign(payload, { sub: victim.did }))
    const proof = await proven(bind(renamed, to, key))
    expect(proof.credentials).toEqual([])
    expect(reasons(proof)).toEqual([['DrivingLicence', 'unauthenticated', 'holder_mismatch']])
    const wrapped = await proven(wrap([renamed], to, key))
    expect(reasons(wrapped)).toEqual([['DrivingLicence', 'unauthenticated', 'holder_mismatch']])
  })

  it('judges each credential for itself', async () => {
    const good = bind((await issue()).compact, to, key)
    const revoked = await issue('NationalIdentity')
    world.status.set(revoked.draft.status, 'revoked')
    const proof = await proven(bind(revoked.compact, to, key), good)
    expect(proof.credentials.map(({ credential }) => credential.type)).toEqual(['DrivingLicence'])
    expect(reasons(proof)).toEqual([['NationalIdentity', 'forbidden', 'credential_revoked']])
  })

  const cases: [string, () => Promise<string>, [string | undefined, string, string]][] = [
    ['no presentation', async () => 'x', [undefined, 'malformed', 'credential_malformed']],
    [
      'another challenge',
      async () => bind((await issue()).compact, { ...to, challenge: 'n2' }, key),
      ['DrivingLicence', 'unauthenticated', 'challenge_mismatch'],
    ],
    [
      'another verifier',
      async () => bind((await issue()).compact, { ...to, audience: 'https://x' }, key),
      ['DrivingLicence', 'unauthenticated', 'audience_mismatch'],
    ],
    [
      'another holder',
      async () => bind((await issue()).compact, to, newKey()),
      ['DrivingLicence', 'unauthenticated', 'holder_mismatch'],
    ],
    [
      'a presentation by nobody who holds it',
      async () => wrap([(await issue('DrivingLicence', { format: 'vc+jwt' })).compact], to, newKey()),
      ['DrivingLicence', 'unauthenticated', 'holder_mismatch'],
    ],
    [
      'a presentation with a forged signature',
      async () =>
        wrap([(await issue('DrivingLicence', { format: 'vc+jwt' })).compact], to, {
          ...newKey(),
          ...{ kid: key.kid, did: key.did },
        }),
      [undefined, 'unauthenticated', 'signature_invalid'],
    ],
    [
      'a forged credential',
      async () => {
        const { compact } = await issue()
        return bind(
          resigned(compact, world.stranger, () => undefined),
          to,
          key,
        )
      },
      ['DrivingLicence', 'unauthenticated', 'signature_invalid'],
    ],
    [
      'an expired credential',
      async () => {
        const { compact } = await issue()
        return bind(
          resigned(compact, world.transport, payload => (payload['exp'] = 1_000)),
          to,
          key,
        )
      },
      ['DrivingLicence', 'forbidden', 'credential_expired'],
    ],
    [
      'a credential of nobody accredited',
      async () => bind((await issue('DrivingLicence', { by: world.stranger })).compact, to, key),
      ['DrivingLicence', 'forbidden', 'issuer_unaccredited'],
    ],
  ]
  it.each(cases)('refuses %s under the kind that the gate has for it', async (_what, make, reason) => {
    const proof = await proven(await make())
    expect([proof.credentials, reasons(proof)]).toEqual([[], [reason]])
  })

  it('says that a status cannot be known, and never that it is good', async () => {
    const presentation = bind((await issue()).compact, to, key)
    world.status.stale = true
    expect(reasons(await proven(presentation))).toEqual([['DrivingLicence', 'unavailable', 'status_unavailable']])
  })

  it('takes no more than eight presentations and sixteen credentials', async () => {
    const { compact } = await issue('DrivingLicence', { format: 'vc+jwt' })
    const many = wrap(Array(9).fill(compact), to, key)
    await expect(proven(...Array(9).fill('x~'))).rejects.toMatchObject({ code: 'presentation_excessive' })
    await expect(proven(many, many)).rejects.toMatchObject({ code: 'presentation_excessive' })
  })
})

describe('the challenge of presentations', () => {
  it('is the one that all of them answer', async () => {
    const { compact } = await issue()
    expect(challengeOf([bind(compact, to, key), wrap(['x'], to, key)])).toBe(challenge)
    const codeOf = (presentations: string[]): string => {
      try {
        return challengeOf(presentations)
      } catch (error) {
        return (error as Refusal).code
      }
    }
    expect(codeOf([bind(compact, to, key), bind(compact, { ...to, challenge: 'n2' }, key)])).toBe('challenge_mismatch')
    expect(codeOf([compact])).toBe('credential_malformed')
    expect(codeOf(['', 'a.b.c'])).toBe('credential_malformed')
    expect(codeOf([])).toBe('challenge_mismatch')
  })
})

describe('looking at proven credentials again', () => {
  const stand = async (options?: Parameters<typeof issue>[1]) => {
    const { compact, draft } = await issue('DrivingLicence', options)
    const proof = await proven(bind(compact, to, key))
    expect(proof.credentials).toHaveLength(1)
    return { proof, pointer: draft.status }
  }
  const changes: [string, (pointer: StatusPointer) => void, string, string][] = [
    ['revoked', pointer => world.status.set(pointer, 'revoked'), 'forbidden', 'credential_revoked'],
    ['suspended', pointer => world.status.set(pointer, 'suspended'), 'forbidden', 'credential_suspended'],
    [
      'expired',
      () => {
        world.clock.time += 4_000 * day
      },
      'forbidden',
      'credential_expired',
    ],
    [
      'of a schema no longer admitted',
      () => void world.trust.withdrawn.add('DrivingLicence'),
      'forbidden',
      'schema_not_admitted',
    ],
    [
      'of a void accreditation',
      () => world.trust.accredit(world.transport, 'DrivingLicence', { ...world.period, voidSince: world.clock.time }),
      'forbidden',
      'accreditation_void',
    ],
    [
      'by a distrusted key',
      () => void world.trust.distrusted.set(`${addressOf(world.transport)}:${world.transport.thumbprint}`, 1),
      'forbidden',
      'key_distrusted',
    ],
    [
      'by a key that its issuer no longer names',
      () => void world.dids.entries.set(world.transport.kid, { party: world.transport, purposes: ['authentication'] }),
      'forbidden',
      'key_purpose',
    ],
    [
      'of which the chain cannot be followed',
      () => {
        world.status.stale = true
      },
      'unavailable',
      'status_unavailable',
    ],
    [
      'whose issuer cannot be resolved now',
      () => {
        world.dids.unavailable = true
      },
      'unavailable',
      'did_unavailable',
    ],
  ]
  it.each(changes)('finds one that is %s', async (_what, change, kind, code) => {
    const { proof, pointer } = await stand()
    const kept = structuredClone(proof)
    expect((await recheck(proof, needs())).lapsed).toEqual([])
    change(pointer)
    const now = await recheck(kept, needs())
    expect([now.credentials, reasons(now)]).toEqual([[], [['DrivingLicence', kind, code]]])
  })

  it('keeps one whose accreditation has only ended, because it was good when it was issued', async () => {
    const { proof } = await stand()
    world.clock.time += day
    world.trust.accredit(world.transport, 'DrivingLicence', { ...world.period, endedAt: world.clock.time - 1_000 })
    expect((await recheck(proof, needs())).lapsed).toEqual([])
  })

  it('needs no wait while keys are in memory, and waits for those that are not', async () => {
    const { proof } = await stand()
    const { dids } = world
    expect(recheck(proof, needs())).not.toBeInstanceOf(Promise)
    const slow = {
      key: async (...asked: Parameters<typeof dids.key>) => dids.key(...asked),
      subjectOf: (did: string) => dids.subjectOf(did),
    }
    const waiting = recheck(proof, { ...needs(), dids: slow })
    expect(waiting).toBeInstanceOf(Promise)
    expect((await waiting).lapsed).toEqual([])
    world.dids.unavailable = true
    expect(reasons(await recheck(proof, { ...needs(), dids: slow }))).toEqual([
      ['DrivingLicence', 'unavailable', 'did_unavailable'],
    ])
  })

  it('goes on with the newest block that it was looked at on', async () => {
    const { proof } = await stand()
    world.clock.time += 5_000
    await recheck(proof, needs())
    expect(proof.credentials[0]?.credential.block?.timestamp).toBe(world.clock.time)
  })
})
