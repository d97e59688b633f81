import { sign as signBytes } from 'node:crypto'
import { join } from 'node:path'
import { encryptionThumbprint, type PublicEncryptionJwk } from '../../../src/identity/openid/jwe.ts'
import { presentCredential } from '../../../src/identity/present.ts'
import type { FormatId, Handover } from '../../../src/kernel/identity.ts'
import { bodyDigest, send } from '../../holder.ts'
import { temporaryFolder } from '../../service.ts'
import { type GateHouse, openGateHouse } from '../gate/fixture.ts'
import { openStaff, type Staff } from './fixture.ts'
import { answer, answerOf, type Held, type Json, newKey, openRequest, type Reply, type Request } from './wallet.ts'

/** Every format that OpenID4VP 1.0 names in appendix B, and our own vc+jwt. */

let house: GateHouse
let staff: Staff
const folder = temporaryFolder()
beforeAll(async () => {
  house = await openGateHouse({ file: join(folder.path, 'agency.sqlite') })
  staff = await openStaff(house)
})
afterAll(async () => {
  await house.close()
  folder.remove()
})

const names: Record<FormatId, string> = {
  ...{ 'dc+sd-jwt': 'dc+sd-jwt', 'vc+jwt': 'vc+jwt', jwt_vc: 'jwt_vc_json', ldp_vc: 'ldp_vc', mso_mdoc: 'mso_mdoc' },
}
const formats = Object.keys(names) as FormatId[]

/** As the request has it: what the device's signature of an mdoc covers. */
const handoverOf = (request: Request): Handover => {
  const [jwk] = request.client_metadata.jwks?.keys ?? []
  const thumbprint = jwk && encryptionThumbprint(jwk as unknown as PublicEncryptionJwk).toString('base64url')
  return {
    ...{ by: 'redirect', clientId: request.client_id, responseUri: request.response_uri },
    ...(thumbprint === undefined ? {} : { jwkThumbprint: thumbprint }),
  }
}

type To = { audience: string; challenge: string; handover: Handover }

const presented = async (held: Held, format: FormatId, to: To): Promise<unknown> => {
  const { did, kid, privateKey } = held.key
  const signer = {
    sign: async (_keyId: string, _algorithm: string, data: Uint8Array) =>
      signBytes('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  }
  const claims = format === 'mso_mdoc' ? ['org.iso.18013.5.1/document_number'] : ['licenceNumber']
  const key = { did, kid, keyId: kid, algorithm: 'ES256' as const }
  const made = await presentCredential(
    { compact: held.compact, format },
    { ...to, claims },
    key,
    signer,
    house.world.clock.now(),
  )
  return made.startsWith('{') ? JSON.parse(made) : made
}

const fetched = async (format: FormatId, mode = 'direct_post.jwt') => {
  const requirement = { operationId: 'grantPermit', credential_format: format }
  const begun = await staff.begin({ dcql_query: undefined, requirement, response_mode: mode })
  return { begun, request: await openRequest(begun.wallet_url) }
}

const respond = async (request: Request, held: Held, format: FormatId, change: Partial<To> = {}): Promise<Reply> => {
  const to = { audience: request.client_id, challenge: request.nonce, handover: handoverOf(request), ...change }
  const token = { licence: [await presented(held, format, to)] }
  return answer(request, answerOf(request, token))
}

describe.each(formats)('a presentation in %s (appendix B)', format => {
  let held: Held
  beforeAll(async () => {
    held = await house.issue('DrivingLicence', {}, { format })
  })

  it.each(['direct_post', 'direct_post.jwt'])('is asked for and taken by %s', async mode => {
    const { begun, request } = await fetched(format, mode)
    expect(request.dcql_query.credentials).toMatchObject([{ id: 'licence', format: names[format] }])
    expect(Object.keys(request.client_metadata['vp_formats_supported' as never])).toEqual([names[format]])
    const reply = await respond(request, held, format)
    expect([reply.status, reply.body]).toEqual([200, {}])
    const presentations = (await staff.result(begun.id)).body['presentations'] as unknown as Record<string, Json[]>
    expect(presentations['licence']).toMatchObject([
      { format, type: 'DrivingLicence', claims: { licenceNumber: 'DL-2026-004417' } },
    ])
  })

  it('answers the gate for one act', async () => {
    const asked = { bodySha256: bodyDigest({ note: format }), credential_format: format }
    const begun = await send(`${house.url}/requirements/grantOnce/presentation-request`, 'POST', asked)
    const request = await openRequest(String(begun.body['wallet_url']))
    const reply = await respond(request, held, format)
    const code = new URL(String(reply.body['redirect_uri'])).searchParams.get('response_code')
    const presentation = { request: begun.body['id'], secret: begun.body['secret'], response_code: code }
    const done = await send(`${house.url}/office/grantOnce`, 'POST', { note: format, presentation })
    expect([done.status, done.body]).toEqual([200, { done: 'grantOnce' }])
  })

  it.each<[string, (request: Request) => Partial<To>]>([
    ['over another nonce', () => ({ challenge: 'another' })],
    [
      'for another client',
      request => {
        const clientId = 'x509_hash:another'
        return {
          audience: clientId,
          handover: { ...handoverOf(request), by: 'redirect', clientId, responseUri: request.response_uri },
        }
      },
    ],
  ])('is refused %s', async (_what, change) => {
    const { request } = await fetched(format)
    const reply = await respond(request, held, format, change(request))
    expect(reply.status).toBe(400)
    const codes =
      format === 'mso_mdoc'
        ? ['holder_mismatch', 'presentation_edited', 'signature_invalid', 'challenge_mismatch']
        : ['challenge_mismatch', 'audience_mismatch']
    expect(codes).toContain(reply.body['code'])
  })

  it('is refused from another’s key', async () => {
    const { request } = await fetched(format)
    expect((await respond(request, { ...held, key: newKey() }, format)).status).toBe(400)
  })

  it('is not taken for another format', async () => {
    const other = formats.find(each => each !== format) ?? format
    const { request } = await fetched(other)
    const reply = await respond(request, held, format)
    expect([reply.status, reply.body['code']]).toEqual([400, 'presentation_unfit'])
  })
})

describe('an mdoc (appendix B.2.6)', () => {
  it('is refused where its device signed for another response URI, another key or no key', async () => {
    const held = await house.issue('DrivingLicence', {}, { format: 'mso_mdoc' })
    const { request } = await fetched('mso_mdoc')
    const good = handoverOf(request) as Extract<Handover, { by: 'redirect' }>
    const { jwkThumbprint: _key, ...keyless } = good
    const wrong: Handover[] = [
      { ...good, responseUri: `${good.responseUri}x` },
      { ...good, jwkThumbprint: Buffer.alloc(32).toString('base64url') },
      keyless,
      { by: 'dc_api', origin: 'https://www.office.example' },
    ]
    for (const handover of wrong) expect((await respond(request, held, 'mso_mdoc', { handover })).status).toBe(400)
    expect((await respond(request, held, 'mso_mdoc')).status).toBe(200)
  })

  it('comes over the Digital Credentials API with the origin and the key in its transcript', async () => {
    const held = await house.issue('DrivingLicence', {}, { format: 'mso_mdoc' })
    const origin = 'https://www.office.example'
    const requirement = { operationId: 'grantPermit', credential_format: 'mso_mdoc' }
    const begun = await staff.begin({
      ...{ dcql_query: undefined, requirement },
      digital_credentials: { origins: [origin], encrypted: false },
    })
    const hand = async (handover: Handover): Promise<number> => {
      const to = { audience: `origin:${origin}`, challenge: begun.nonce, handover }
      const data = { vp_token: { licence: [await presented(held, 'mso_mdoc', to)] } }
      const url = `${house.url}/presentation-requests/${begun.id}/digital-credential`
      return (await send(url, 'POST', { secret: begun.secret, data })).status
    }
    expect(await hand({ by: 'dc_api', origin: 'https://evil.example' })).toBeGreaterThanOrEqual(400)
    expect(await hand({ by: 'dc_api', origin })).toBe(200)
  })
})
