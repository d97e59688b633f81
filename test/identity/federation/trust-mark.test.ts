import { readKeySet } from '../../../src/identity/formats/compact-jws.ts'
import { statementKeyUnknown } from '../../../src/identity/openid/federation/refusals.ts'
import { validTrustMarks, verifyTrustMark } from '../../../src/identity/openid/federation/trust-mark.ts'
import { at, jwksOf, newKey, seconds, signJwt } from './world.ts'

const issuer = 'https://marks.example'
const holder = 'https://agency.example'
const owner = 'https://owner.example'
const type = 'https://owner.example/mark'
const key = newKey('issuer')
const ownerKey = newKey('owner')

const claims = { iss: issuer, sub: holder, trust_mark_type: type, iat: seconds - 10, exp: seconds + 10 }
const markOf = (changed: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = key) => ({
  type,
  jwt: signJwt(by, { ...claims, ...changed }, { typ: 'trust-mark+jwt', ...header }),
})

type Needs = Parameters<typeof verifyTrustMark>[2]
const needs = (anchor: Partial<Needs['anchor']> = {}): Needs => ({
  now: at,
  anchor: { trustMarkIssuers: { [type]: [issuer] }, trustMarkOwners: {}, ...anchor },
  async keysOf(entityId) {
    if (entityId !== issuer) throw statementKeyUnknown()
    return readKeySet(jwksOf(key))
  },
})
const owned = needs({ trustMarkOwners: { [type]: { entityId: owner, keys: readKeySet(jwksOf(ownerKey)) } } })

const delegation = (changed: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = ownerKey) =>
  signJwt(
    by,
    { iss: owner, sub: issuer, trust_mark_type: type, iat: seconds - 10, exp: seconds + 10, ...changed },
    { typ: 'trust-mark-delegation+jwt', ...header },
  )

describe('a trust mark (OpenID Federation 1.0, section 7.3)', () => {
  it('holds where the anchor accepts its issuer, or anybody', async () => {
    expect(await verifyTrustMark(markOf(), holder, needs())).toMatchObject({ type, issuer, expiresAt: at + 10_000 })
    await verifyTrustMark(markOf(), holder, needs({ trustMarkIssuers: { [type]: [] } }))
  })

  it('of an owner holds with the owner’s delegation (7.2.2)', async () => {
    expect(await verifyTrustMark(markOf({ delegation: delegation() }), holder, owned)).toMatchObject({ type })
  })

  it.each([
    ['is of another typ', markOf({}, { typ: 'JWT' }), needs(), 'statement_type'],
    ['is of another type than said', { ...markOf(), type: 'https://x.example' }, needs(), 'trust_mark_invalid'],
    ['belongs to another', markOf({ sub: issuer }), needs(), 'trust_mark_invalid'],
    ['has expired', markOf({ exp: seconds - 1 }), needs(), 'statement_expired'],
    ['never expires', markOf({ exp: undefined }), needs(), 'trust_mark_invalid'],
    ['is from the future', markOf({ iat: seconds + 600 }), needs(), 'statement_early'],
    ['is of a type that the anchor does not know', markOf(), needs({ trustMarkIssuers: {} }), 'trust_mark_invalid'],
    [
      'is by an issuer that is not accepted',
      markOf(),
      needs({ trustMarkIssuers: { [type]: [owner] } }),
      'trust_mark_invalid',
    ],
    ['is signed by another', markOf({}, {}, newKey('issuer')), needs(), 'statement_signature'],
    [
      'is by an issuer that no chain leads to',
      markOf({ iss: owner }),
      needs({ trustMarkIssuers: { [type]: [] } }),
      'statement_key_unknown',
    ],
    ['lacks the delegation of its owner', markOf(), owned, 'trust_mark_invalid'],
    ['has a delegation where nobody owns it', markOf({ delegation: delegation() }), needs(), 'trust_mark_invalid'],
    ['has a delegation of another', markOf({ delegation: delegation({ iss: issuer }) }), owned, 'trust_mark_invalid'],
    ['has a delegation for another', markOf({ delegation: delegation({ sub: owner }) }), owned, 'trust_mark_invalid'],
    [
      'has a delegation for another type',
      markOf({ delegation: delegation({ trust_mark_type: 'x' }) }),
      owned,
      'trust_mark_invalid',
    ],
    ['has an expired delegation', markOf({ delegation: delegation({ exp: seconds - 1 }) }), owned, 'statement_expired'],
    [
      'has a forged delegation',
      markOf({ delegation: delegation({}, {}, newKey('owner')) }),
      owned,
      'statement_signature',
    ],
    [
      'has a delegation of another typ',
      markOf({ delegation: delegation({}, { typ: 'trust-mark+jwt' }) }),
      owned,
      'statement_type',
    ],
  ])('is refused that %s', async (_what, mark, given, code) => {
    await expect(verifyTrustMark(mark, holder, given)).rejects.toMatchObject({ code })
    expect(await validTrustMarks([mark], holder, given)).toEqual([])
  })
})
