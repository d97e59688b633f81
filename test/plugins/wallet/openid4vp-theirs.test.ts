import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SDJwtInstance } from '@sd-jwt/core'
import { DcqlPresentationResult, DcqlQuery } from 'dcql'
import { citizenAt, movableClock, openNation, openOffice, verifierOrigins } from './fixture.ts'
import { type Mode, openTheirVerifier } from './their-verifier.ts'

/** Our wallet answers a verifier made with a library that is not ours, over HTTP. */

type Members = Record<string, unknown>

const setUp = async () => {
  // Their library looks at the time itself.
  const clock = movableClock(Date.now())
  const nation = openNation(clock)
  const folder = mkdtempSync(join(tmpdir(), 'chancery-theirs-'))
  const office = await openOffice({ file: join(folder, 'wallet.sqlite') }, nation, clock)
  const verifier = await openTheirVerifier(clock)
  verifierOrigins.push(verifier.origin)
  const amara = await citizenAt(office, 'amara')
  const close = async () => {
    await Promise.all([verifier.close(), office.store.close()])
    rmSync(folder, { recursive: true, force: true })
  }
  return { clock, nation, office, verifier, amara, close }
}

type Shown = { id: string; digest: string; queries: { id: string; candidates: { heldId: string }[] }[] }

describe('our wallet and a verifier made with @openid4vc/openid4vp', () => {
  let scene: Awaited<ReturnType<typeof setUp>>
  beforeEach(async () => {
    scene = await setUp()
  })
  afterEach(() => scene.close())

  const answer = async (dcql: Members, mode: Mode, more: Members = {}): Promise<unknown> => {
    const { amara, verifier } = scene
    const shown = await amara.call<Shown>('readPresentationRequest', { link: await verifier.ask(dcql, mode, more) })
    const credentials = shown.queries.map(({ id, candidates }) => ({ query: id, heldId: candidates[0]?.heldId ?? '' }))
    await amara.call(
      'answerPresentationRequest',
      { digest: shown.digest, credentials },
      { params: { request: shown.id } },
    )
    return verifier.answer()['id']?.[0]
  }

  const signed = (data: string, signature: string, key: KeyObject): boolean =>
    verify('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
  const readElsewhere = (presentation: string) =>
    new SDJwtInstance({
      hasher: data =>
        createHash('sha256')
          .update(Buffer.from(data as string))
          .digest(),
      hashAlg: 'sha-256',
      verifier: (data, signature) => signed(data, signature, scene.nation.issuerKey),
      kbVerifier: (data, signature, payload) => {
        const { jwk } = (payload as unknown as { cnf: { jwk: JsonWebKey } }).cnf
        return signed(data, signature, createPublicKey({ key: jwk, format: 'jwk' }))
      },
    }).verify(presentation, { keyBindingNonce: 'their-nonce' })

  const modes: Mode[] = ['direct_post', 'direct_post.jwt']
  it.each(modes)('agree on a credential in dc+sd-jwt by %s', async mode => {
    const { amara, nation, verifier } = scene
    await amara.receive(await nation.issue('NationalIdentity', await amara.newKey(), { familyName: 'Ocean' }))
    const dcql = {
      credentials: [
        {
          ...{ id: 'id', format: 'dc+sd-jwt', meta: { vct_values: ['urn:chancery:vct:national-identity:1'] } },
          claims: [{ path: ['familyName'], values: ['Ocean'] }],
        },
      ],
    }
    const presentation = (await answer(dcql, mode)) as string
    const { payload, kb } = await readElsewhere(presentation)
    expect(payload).toMatchObject({ familyName: 'Ocean' })
    expect(payload).not.toHaveProperty('givenName')
    expect(kb?.payload).toMatchObject({ aud: verifier.clientId, nonce: 'their-nonce' })
    const claims = payload as never
    const result = DcqlPresentationResult.fromDcqlPresentation(
      {
        id: [
          {
            ...{ credential_format: 'dc+sd-jwt', vct: 'urn:chancery:vct:national-identity:1', claims },
            cryptographic_holder_binding: true,
          },
        ],
      },
      { dcqlQuery: DcqlQuery.parse(dcql as DcqlQuery.Input) },
    )
    expect(result.can_be_satisfied).toBe(true)
  })

  const licence = [
    'https://www.w3.org/2018/credentials#VerifiableCredential',
    'https://chancery.example/ns#DrivingLicence',
  ]
  it.each([
    ['jwt_vc_json', 'jwt_vc'],
    ['ldp_vc', 'ldp_vc'],
  ] as const)('agree on a credential in %s', async (format, own) => {
    const { amara, nation, verifier } = scene
    await amara.receive(await nation.issue('DrivingLicence', await amara.newKey(), {}, own))
    const claims = [{ path: ['credentialSubject', 'familyName'] }]
    const dcql = { credentials: [{ id: 'id', format, meta: { type_values: [licence] }, claims }] }
    const presentation = await answer(dcql, 'direct_post.jwt')
    const verdict = await nation.verifyPresentation(presentation, 'their-nonce', verifier.clientId)
    expect([verdict.verified, verdict.refusal]).toEqual([true, undefined])
  })
})
