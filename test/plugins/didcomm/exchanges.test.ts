import { sign } from 'node:crypto'
import { compileContract } from '../../../src/http/contract.ts'
import { sealJwe } from '../../../src/identity/didcomm/one-pass.ts'
import { addProof } from '../../../src/identity/integrity/proofs.ts'
import { suiteNamed } from '../../../src/identity/integrity/suites.ts'
import { sendDue } from '../../../src/plugins/didcomm/plugin.ts'
import { type Databases, onEachDatabase } from '../../databases.ts'
import { bind, type Key, newKey, signJwt } from '../../holder.ts'
import type { Party } from '../../identity/didcomm/party.ts'
import { readOpenApi } from '../../openapi.ts'
import {
  type Agency,
  ask,
  type Body,
  migrations,
  newId,
  openAgency,
  openScene,
  protocol,
  publicUrl,
} from './fixture.ts'

const issue = (name: string): string => protocol(`issue-credential/3.0/${name}`)
const present = (name: string): string => protocol(`present-proof/3.0/${name}`)
const problem = protocol('report-problem/2.0/problem-report')
const ldDetail = 'aries/ld-proof-vc-detail@v1.0'
const detail = 'urn:chancery:didcomm:credential-detail:1'

const licenceQuery = {
  credentials: [
    {
      ...{ id: 'licence', format: 'dc+sd-jwt', meta: { vct_values: ['urn:chancery:vct:driving-licence:1'] } },
      claims: [{ path: ['familyName'] }],
    },
  ],
}

/** A presentation with its submission within, as its context has it. */
const submit = (
  scene: { agency: Agency },
  key: Key,
  compact: string,
  submission: Body,
  to: { challenge: string; domain: string },
) => {
  const document = {
    '@context': [
      'https://www.w3.org/ns/credentials/v2',
      'https://identity.foundation/presentation-exchange/submission/v1',
    ],
    type: ['VerifiablePresentation', 'PresentationSubmission'],
    ...{ holder: key.did, presentation_submission: submission, verifiableCredential: [JSON.parse(compact)] },
  }
  const signer = {
    ...{ verificationMethod: key.kid, algorithm: 'ES256' as const },
    sign: async (data: Uint8Array) => sign('sha256', data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' }),
  }
  const created = new Date(scene.agency.clock.now()).toISOString()
  const { challenge, domain } = to
  return addProof(document, {
    ...{ suite: suiteNamed('ecdsa-rdfc-2019'), signer, proofPurpose: 'authentication', created, challenge, domain },
  })
}

onEachDatabase(migrations, ({ place, closing }: Databases) => {
  const open = async () => {
    const scene = openScene()
    const where = await place()
    const agency = closing(await openAgency(where, scene))
    const [alice, mallory] = [await scene.add('did:example:alice'), await scene.add('did:example:mallory')]
    return { agency, alice, mallory, scene, where, claims: scene.world.types.byId('DrivingLicence').example as Body }
  }
  type Scene = Awaited<ReturnType<typeof open>>
  const offer = async ({ agency, claims }: Pick<Scene, 'agency' | 'claims'>, more: Body = {}) =>
    agency.asStaff('createDidcommOffer', { body: { type: 'DrivingLicence', claims, ...more } })
  const question = (agency: Agency, more: Body = {}) =>
    agency.asStaff('createDidcommPresentationRequest', { body: { dcql: licenceQuery, purpose: 'a test', ...more } })
  const invitationIn = ({ body }: { body: Body }): string => (body['invitation'] as { id: string }).id
  const propose = (agency: Agency, who: Party, invitation: string, type = issue('propose-credential')) =>
    ask(agency, who, { type, pthid: invitation })
  /** Takes an offer up, and says what is asked of the holder. */
  const begin = async (scene: Scene, more: Body = {}, who: Party = scene.alice) => {
    const made = await offer(scene, more)
    const offered = await propose(scene.agency, who, invitationIn(made))
    const [attached] = offered.attachments
    const json = attached?.json as Body
    const { challenge } = (json['options'] ?? json) as { challenge: string }
    return {
      id: String(made.body['id']),
      thread: offered.thid as string,
      format: attached?.format,
      json,
      challenge,
      offered,
    }
  }
  type Begun = Awaited<ReturnType<typeof begin>>
  const proofOf = ({ agency }: Scene, { challenge }: Pick<Begun, 'challenge'>, key: Key, more: Body = {}) =>
    signJwt(
      { typ: 'openid4vci-proof+jwt', kid: key.kid },
      { aud: publicUrl, iat: Math.floor(agency.clock.now() / 1_000), nonce: challenge, ...more },
      key,
    )
  const request = (scene: Scene, begun: Begun, json: unknown, who: Party = scene.alice) =>
    ask(scene.agency, who, {
      ...{ type: issue('request-credential'), thid: begun.thread },
      attachments: [{ id: 'request', media_type: 'application/json', format: begun.format, data: { json } }],
    })
  const stateOf = async (agency: Agency, id: string, operation = 'getDidcommOffer') =>
    (await agency.asStaff(operation, { params: { exchange: id } })).body

  describe('Issue Credential 3.0', () => {
    it('issues an ldp_vc to the key that was proven, as Aries RFC 0593 has it', async () => {
      const scene = await open()
      const begun = await begin(scene)
      expect(begun.offered).toMatchObject({ type: issue('offer-credential'), attachments: [{ format: ldDetail }] })
      expect(begun.json['credential']).toMatchObject({
        type: ['VerifiableCredential', 'DrivingLicence'],
        credentialSubject: scene.claims,
      })
      const key = newKey()
      const credential = { ...(begun.json['credential'] as Body), credentialSubject: { ...scene.claims, id: key.did } }
      const options = { challenge: begun.challenge, proof: { jwt: proofOf(scene, begun, key) } }
      const issued = await request(scene, begun, { credential, options })
      expect(issued).toMatchObject({
        ...{ type: issue('issue-credential'), thid: begun.thread },
        attachments: [{ format: 'aries/ld-proof-vc@v1.0', json: { credentialSubject: { id: key.did } } }],
      })
      const done = await ask(scene.agency, scene.alice, {
        type: issue('ack'),
        thid: begun.thread,
        body: { status: 'OK' },
      })
      expect(done.status).toBe(202)
      const state = await stateOf(scene.agency, begun.id)
      expect(state).toMatchObject({ state: 'done', peer: scene.alice.did })
      const [row] = await scene.agency.store.read('SELECT id FROM credentials')
      expect(row?.['id']).toBe(state['credentialId'])
    })

    it.each(['dc+sd-jwt', 'vc+jwt', 'jwt_vc'])('issues %s by attachments of its own', async format => {
      const scene = await open()
      const begun = await begin(scene, { format })
      expect([begun.format, begun.json['format']]).toEqual([detail, format])
      const key = newKey()
      const issued = await request(scene, begun, { holder: key.did, proof: { jwt: proofOf(scene, begun, key) } })
      const [attached] = issued.attachments
      expect(attached?.format).toBe('urn:chancery:didcomm:credential:1')
      expect(String(attached?.json)).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+/)
    })

    it('issues once, and tells whoever lost the answer the same again', async () => {
      const scene = await open()
      const begun = await begin(scene, { format: 'dc+sd-jwt' })
      const key = newKey()
      const json = { holder: key.did, proof: { jwt: proofOf(scene, begun, key) } }
      const first = await request(scene, begun, json)
      expect(first.type).toBe(issue('issue-credential'))
      const second = await request(scene, begun, { holder: newKey().did })
      expect(second.attachments[0]?.json).toBe(first.attachments[0]?.json)
      const stolen = await request(scene, begun, json, scene.mallory)
      expect(stolen).toMatchObject({ type: problem, body: { code: 'e.m.req.didcomm-thread-unknown' } })
      expect(await scene.agency.store.read('SELECT id FROM credentials')).toHaveLength(1)
      scene.agency.clock.time += 3_600_000
      expect((await request(scene, begun, json)).body['code']).toBe('e.m.req.didcomm-thread-unknown')
    })

    it('lets nobody else take up what was taken up, or request on another’s thread', async () => {
      const scene = await open()
      const made = await offer(scene, { format: 'dc+sd-jwt' })
      await propose(scene.agency, scene.alice, invitationIn(made))
      const stolen = await propose(scene.agency, scene.mallory, invitationIn(made))
      expect(stolen.body['code']).toBe('e.m.req.didcomm-thread-unknown')
      const begun = await begin(scene, { format: 'dc+sd-jwt' })
      const key = newKey()
      const json = { holder: key.did, proof: { jwt: proofOf(scene, begun, key) } }
      expect((await request(scene, begun, json, scene.mallory)).body['code']).toBe('e.m.req.didcomm-thread-unknown')
    })

    it('takes two offers up on two threads', async () => {
      const scene = await open()
      const [first, second] = [await offer(scene), await offer(scene)]
      const take = (made: typeof first) =>
        ask(scene.agency, scene.alice, {
          ...{ type: issue('propose-credential'), pthid: invitationIn(made), thid: 'one-thread' },
        })
      expect((await take(first)).type).toBe(issue('offer-credential'))
      expect((await take(second)).body['code']).toBe('e.m.req.didcomm-thread-used')
      expect((await propose(scene.agency, scene.alice, invitationIn(second))).type).toBe(issue('offer-credential'))
    })

    it('keeps an offer that names a DID for that one, and sends it there', async () => {
      const scene = await open()
      const made = await offer(scene, { to: scene.alice.did, format: 'dc+sd-jwt' })
      expect(made.body).not.toHaveProperty('invitation')
      expect(await scene.agency.sendDue()).toBe(1)
      const [sent] = scene.agency.posted
      expect(sent?.endpoint).toBe('https://alice.example/didcomm')
      const { message, sender } = await scene.alice.open(sent?.envelope)
      expect([message.type, sender]).toEqual([issue('offer-credential'), scene.agency.party.did])
      const json = message.attachments[0]?.json as Body & { challenge: string }
      const begun = { thread: message.thid, format: detail, challenge: json.challenge } as Begun
      const key = newKey()
      const wanted = { holder: key.did, proof: { jwt: proofOf(scene, begun, key) } }
      expect((await request(scene, begun, wanted, scene.mallory)).body['code']).toBe('e.m.req.didcomm-thread-unknown')
      expect((await request(scene, begun, wanted)).type).toBe(issue('issue-credential'))
    })

    it.each<[string, (begun: Begun, key: Key, scene: Scene) => unknown]>([
      ['e.m.trust.didcomm-holder-unproven', (_, key) => ({ holder: key.did })],
      ['e.m.trust.didcomm-holder-unproven', () => ({ holder: 'did:example:alice' })],
      [
        'e.m.trust.didcomm-holder-unproven',
        (begun, key, scene) => ({ holder: newKey().did, proof: { jwt: proofOf(scene, begun, key) } }),
      ],
      [
        'e.m.trust.key-proof-refused',
        (begun, key, scene) => ({ holder: key.did, proof: { jwt: proofOf(scene, begun, key, { nonce: 'other' }) } }),
      ],
      [
        'e.m.trust.key-proof-refused',
        (begun, key, scene) => ({
          holder: key.did,
          proof: { jwt: proofOf(scene, begun, key, { aud: 'https://other.example' }) },
        }),
      ],
      ['e.m.msg.didcomm-body-malformed', () => ({ proof: {} })],
      [
        'e.m.req.didcomm-request-deviates',
        (begun, key, scene) => ({
          holder: key.did,
          claims: { familyName: 'Rex' },
          proof: { jwt: proofOf(scene, begun, key) },
        }),
      ],
      [
        'e.m.req.didcomm-request-deviates',
        (begun, key, scene) => ({ holder: key.did, challenge: 'other', proof: { jwt: proofOf(scene, begun, key) } }),
      ],
    ])('answers a request that does not hold with %s, and stays open', async (code, wanted) => {
      const scene = await open()
      const begun = await begin(scene, { format: 'dc+sd-jwt' })
      const key = newKey()
      expect((await request(scene, begun, wanted(begun, key, scene))).body['code']).toBe(code)
      const good = { holder: key.did, proof: { jwt: proofOf(scene, begun, key) } }
      expect((await request(scene, begun, good)).type).toBe(issue('issue-credential'))
    })

    it('refuses a request that makes another credential of what was offered', async () => {
      const scene = await open()
      const begun = await begin(scene)
      const key = newKey()
      const options = { proof: { jwt: proofOf(scene, begun, key) } }
      const subject = { id: key.did, ...scene.claims }
      const outcomes: unknown[] = []
      for (const credential of [
        { credentialSubject: { ...subject, familyName: 'Rex' } },
        { credentialSubject: subject, type: ['VerifiableCredential', 'NationalIdentity'] },
        { credentialSubject: subject, issuer: 'did:example:mallory' },
      ]) {
        outcomes.push((await request(scene, begun, { credential, options })).body['code'])
      }
      expect(new Set(outcomes)).toEqual(new Set(['e.m.req.didcomm-request-deviates']))
      const none = await ask(scene.agency, scene.alice, { type: issue('request-credential'), thid: begun.thread })
      expect(none.body['code']).toBe('e.m.msg.didcomm-attachment-missing')
    })

    it('ends with its time, with a withdrawal, and with a problem on the other side; the claims go', async () => {
      const scene = await open()
      const [late, withdrawn, broken] = [await begin(scene), await begin(scene), await begin(scene)]
      await ask(scene.agency, scene.alice, { type: problem, pthid: broken.thread, body: { code: 'e.p.user' } })
      const params = { exchange: withdrawn.id }
      expect((await scene.agency.asStaff('withdrawDidcommOffer', { params })).status).toBe(204)
      expect((await scene.agency.asStaff('withdrawDidcommOffer', { params })).status).toBe(204)
      scene.agency.clock.time += 3_600_000
      const key = newKey()
      for (const begun of [late, withdrawn, broken]) {
        const answer = await request(scene, begun, { credential: { credentialSubject: { id: key.did } } })
        expect(answer.body['code']).toBe('e.m.req.didcomm-thread-unknown')
      }
      const states = await Promise.all(
        [late, withdrawn, broken].map(async ({ id }) => (await stateOf(scene.agency, id))['state']),
      )
      expect(states).toEqual(['expired', 'withdrawn', 'abandoned'])
      scene.agency.clock.time += 61_000
      await ask(scene.agency, scene.alice, { type: protocol('trust-ping/2.0/ping') })
      const kept = async () =>
        (await scene.agency.store.read('SELECT id FROM didcomm_exchanges WHERE sealed IS NOT NULL')).length
      for (let tries = 0; (await kept()) > 0 && tries < 50; tries++) await new Promise(done => setTimeout(done, 20))
      expect(await kept()).toBe(0)
    })

    it('prepares nothing that could not be issued', async () => {
      const scene = await open()
      const codes = []
      for (const more of [
        { type: 'TaxRegistration' },
        { claims: { familyName: 7 } },
        { claims: { ...scene.claims, id: 'did:example:alice' } },
        { version: 9 },
        { validUntil: '2000-01-01T00:00:00Z' },
      ]) {
        codes.push((await offer(scene, more)).code)
      }
      expect(codes).toEqual([
        ...['didcomm_type_unissued', 'didcomm_claims_malformed', 'didcomm_claims_malformed'],
        ...['didcomm_type_unissued', 'didcomm_claims_malformed'],
      ])
    })

    it('tells the same invitation for the same idempotency key, and holds it in no table', async () => {
      const scene = await open()
      const send = () =>
        scene.agency.asStaff('createDidcommOffer', {
          ...{ body: { type: 'DrivingLicence', claims: scene.claims }, headers: { 'idempotency-key': 'one' } },
        })
      const [first, second] = [await send(), await send()]
      expect(second.body).toEqual(first.body)
      const rows = JSON.stringify(await scene.agency.store.read('SELECT * FROM didcomm_exchanges'))
      expect(rows).not.toContain(invitationIn(first))
      expect(rows).not.toContain(String(scene.claims['familyName']))
    })
  })

  describe('Present Proof 3.0', () => {
    const hold = async (scene: Scene) => {
      const key = newKey()
      const { compact } = await scene.scene.world.issue({ subject: { ...scene.claims, id: key.did } })
      return { key, compact }
    }
    const beginQuestion = async (scene: Scene, more: Body = {}) => {
      const made = await question(scene.agency, more)
      const asked = await propose(scene.agency, scene.alice, invitationIn(made), present('propose-presentation'))
      const dcql = asked.attachments.find(({ format }) => format === 'urn:chancery:didcomm:dcql:1')?.json as Body
      const to = dcql['options'] as { challenge: string; domain: string }
      return {
        id: String(made.body['id']),
        thread: asked.thid as string,
        asked,
        to: { challenge: to.challenge, audience: to.domain },
      }
    }
    const answer = (scene: Scene, thread: string, vp_token: unknown, who: Party = scene.alice) =>
      ask(scene.agency, who, {
        ...{ type: present('presentation'), thid: thread },
        attachments: [{ id: 'vp', format: 'urn:chancery:didcomm:vp-token:1', data: { json: { vp_token } } }],
      })

    it('asks by DCQL, judges what is presented, and tells staff what was shown', async () => {
      const scene = await open()
      const { key, compact } = await hold(scene)
      const { id, thread, to, asked } = await beginQuestion(scene)
      expect(asked).toMatchObject({ type: present('request-presentation'), body: { will_confirm: true } })
      const acked = await answer(scene, thread, { licence: [bind(compact, to, key, ['familyName'])] })
      expect(acked).toMatchObject({ type: present('ack'), thid: thread, body: { status: 'OK' } })
      const state = await stateOf(scene.agency, id, 'getDidcommPresentationRequest')
      expect(state).toMatchObject({
        ...{ state: 'done', peer: scene.alice.did },
        presented: {
          licence: [{ type: 'DrivingLicence', holder: key.did, claims: { familyName: scene.claims['familyName'] } }],
        },
      })
      const again = await answer(scene, thread, { licence: [bind(compact, to, key)] })
      expect(again.body['code']).toBe('e.m.req.didcomm-thread-unknown')
      scene.agency.clock.time += 25 * 3_600_000 + 1_000
      await ask(scene.agency, scene.alice, { type: protocol('trust-ping/2.0/ping') })
      const shown = async () => (await stateOf(scene.agency, id, 'getDidcommPresentationRequest'))['presented']
      for (let tries = 0; (await shown()) !== undefined && tries < 50; tries++)
        await new Promise(done => setTimeout(done, 20))
      expect(await shown()).toBeUndefined()
    })

    it('asks by Presentation Exchange too, where that can ask for the same', async () => {
      const scene = await open()
      const dcql = {
        credentials: [
          {
            ...{
              id: 'licence',
              format: 'ldp_vc',
              meta: { type_values: [['https://chancery.example/ns#DrivingLicence']] },
            },
            claims: [{ path: ['credentialSubject', 'familyName'], values: ['Haddad'] }],
          },
        ],
      }
      const { asked } = await beginQuestion(scene, { dcql })
      expect(asked.attachments[0]).toMatchObject({
        format: 'dif/presentation-exchange/definitions@v1.0',
        json: {
          presentation_definition: {
            input_descriptors: [
              {
                id: 'licence',
                constraints: {
                  fields: [
                    { path: ['$.type', '$.vc.type'] },
                    { path: ["$['credentialSubject']['familyName']"], filter: { enum: ['Haddad'] } },
                  ],
                },
              },
            ],
          },
        },
      })
      const { asked: flat } = await beginQuestion(scene)
      expect(flat.attachments.map(({ format }) => format)).toEqual(['urn:chancery:didcomm:dcql:1'])
    })

    it('takes one that says itself what it answers (Aries RFC 0510)', async () => {
      const scene = await open()
      const key = newKey()
      const { compact } = await scene.scene.world.issue({ format: 'ldp_vc', subject: { ...scene.claims, id: key.did } })
      const query = {
        ...{ id: 'licence', format: 'ldp_vc', meta: { type_values: [['https://chancery.example/ns#DrivingLicence']] } },
        claims: [{ path: ['credentialSubject', 'familyName'] }],
      }
      const { id, thread, asked } = await beginQuestion(scene, { dcql: { credentials: [query] } })
      const [attached] = asked.attachments
      const { options, presentation_definition: definition } = (attached?.json ?? {}) as unknown as {
        options: { challenge: string; domain: string }
        presentation_definition: { id: string }
      }
      const submission = {
        ...{ id: newId(), definition_id: definition.id },
        descriptor_map: [{ id: 'licence', format: 'ldp_vp', path: '$.verifiableCredential[0]' }],
      }
      const wrapped = (proofs: Body) => submit(scene, key, compact, submission, { ...options, ...proofs })
      const answered = async (proofs: Body) =>
        ask(scene.agency, scene.alice, {
          ...{ type: present('presentation'), thid: thread },
          attachments: [
            { id: 'vp', format: 'dif/presentation-exchange/submission@v1.0', data: { json: await wrapped(proofs) } },
          ],
        })
      expect((await answered({ challenge: 'other' })).body['code']).toBe('e.m.req.challenge-mismatch')
      expect((await answered({})).type).toBe(present('ack'))
      const state = await stateOf(scene.agency, id, 'getDidcommPresentationRequest')
      expect(state).toMatchObject({ state: 'done', presented: { licence: [{ holder: key.did }] } })
    })

    it.each([null, 7, ['a']])(
      'takes %j for no presentation, even where nobody has to prove to be the holder',
      async each => {
        const scene = await open()
        const query = {
          ...{
            id: 'licence',
            format: 'ldp_vc',
            meta: { type_values: [['https://chancery.example/ns#DrivingLicence']] },
          },
          require_cryptographic_holder_binding: false,
        }
        const { thread } = await beginQuestion(scene, { dcql: { credentials: [query] } })
        expect((await answer(scene, thread, { licence: [each] })).body['code']).toBe('e.m.msg.didcomm-body-malformed')
      },
    )

    it('takes no presentation for another challenge, another verifier, by another key, or of what nobody asked', async () => {
      const scene = await open()
      const { key, compact } = await hold(scene)
      const { thread, to, id } = await beginQuestion(scene)
      const outcomes: unknown[] = []
      for (const token of [
        { licence: [bind(compact, { ...to, challenge: 'other' }, key)] },
        { licence: [bind(compact, { ...to, audience: 'https://other.example' }, key)] },
        { licence: [bind(compact, to, newKey())] },
        { licence: [bind(compact, to, key, ['givenName'])] },
        { other: [bind(compact, to, key)] },
        { licence: [] },
        { licence: 'all' },
        {},
      ]) {
        outcomes.push((await answer(scene, thread, token)).body['code'])
      }
      expect(outcomes.every(code => /^e\.m\.(req|trust|msg)\./.test(String(code)))).toBe(true)
      expect((await stateOf(scene.agency, id, 'getDidcommPresentationRequest'))['state']).toBe('open')
      const stolen = await answer(scene, thread, { licence: [bind(compact, to, key)] }, scene.mallory)
      expect(stolen.body['code']).toBe('e.m.req.didcomm-thread-unknown')
      expect((await answer(scene, thread, { licence: [bind(compact, to, key)] })).type).toBe(present('ack'))
    })
  })

  describe('messages', () => {
    const ping = protocol('trust-ping/2.0/ping')

    it('count once, whoever wraps them how often', async () => {
      const { agency, alice } = await open()
      const message = { id: newId(), type: ping, to: agency.party.did, return_route: 'all', body: {} }
      expect((await agency.deliver(await alice.seal(message, 'v2'))).status).toBe(200)
      expect((await agency.deliver(await alice.seal(message, 'v2'))).code).toBe('didcomm_replayed')
      const other = await alice.seal({ ...message, type: protocol('empty/1.0/empty') }, 'v2')
      expect((await agency.deliver(other)).code).toBe('didcomm_replayed')
    })

    it('are remembered longer than they count, those without a date for more than a year', async () => {
      const { agency, alice } = await open()
      const message = { id: newId(), type: ping, to: agency.party.did, return_route: 'all', body: {} }
      const dated = await alice.seal(message, 'v2')
      const undated = await alice.seal({ ...message, id: newId(), created_time: undefined }, 'v2')
      for (const each of [dated, undated]) expect((await agency.deliver(each)).status).toBe(200)
      agency.clock.time += 29 * 86_400_000
      expect((await agency.deliver(dated)).code).toBe('didcomm_expired')
      agency.clock.time += 370 * 86_400_000
      expect((await agency.deliver(undated)).code).toBe('didcomm_replayed')
    })

    it('with one id of two senders are two', async () => {
      const { agency, alice, mallory } = await open()
      const message = { id: newId(), type: ping, to: agency.party.did, return_route: 'all', body: {} }
      expect((await agency.deliver(await mallory.seal(message, 'v2'))).status).toBe(200)
      expect((await agency.deliver(await alice.seal(message, 'v2'))).status).toBe(200)
    })

    it('of an unknown type get a problem report; a report gets none', async () => {
      const { agency, alice } = await open()
      const answer = await ask(agency, alice, { type: protocol('basicmessage/2.0/message') })
      expect(answer).toMatchObject({ type: problem, body: { code: 'e.m.req.didcomm-type-unknown' } })
      expect(await ask(agency, alice, { type: problem, pthid: 'x', body: { code: 'e.p.x' } })).toMatchObject({
        status: 202,
      })
    })

    it('of nobody are refused, but for what is forwarded', async () => {
      const { agency, alice } = await open()
      const message = {
        id: newId(),
        type: ping,
        from: alice.did,
        to: [agency.party.did],
        return_route: 'all',
        body: {},
      }
      const keys = [{ ...agency.party.key, kid: agency.party.kid }]
      const envelope = await sealJwe(Buffer.from(JSON.stringify(message)), keys, undefined)
      expect((await agency.deliver(envelope)).code).toBe('didcomm_sender_needed')
    })

    it('have up to 262144 bytes', async () => {
      const { agency, alice } = await open()
      const message = { id: newId(), type: ping, to: agency.party.did, body: { filler: 'x'.repeat(262_144) } }
      expect((await agency.deliver(await alice.seal(message, 'v2'))).code).toBe('didcomm_too_large')
    })

    it('are answered where the sender is reached when the connection is not to be used, and tried again', async () => {
      const { agency, alice } = await open()
      const message = { id: newId(), type: ping, to: agency.party.did, body: {} }
      expect(await agency.deliver(await alice.seal(message, 'v2'))).toMatchObject({ status: 202 })
      expect(await agency.sendDue()).toBe(1)
      const [sent] = agency.posted
      const { message: answer } = await alice.open(sent?.envelope)
      expect([answer.type, answer.thid]).toEqual([protocol('trust-ping/2.0/ping-response'), message.id])
      expect(await agency.sendDue()).toBe(0)
    })

    it('are still on their way after a kill and a restart', async () => {
      const { agency, alice, scene, where } = await open()
      await agency.deliver(await alice.seal({ id: newId(), type: ping, to: agency.party.did, body: {} }, 'v2'))
      const again = closing(await openAgency(where, scene))
      expect(await again.sendDue()).toBe(1)
      const { message } = await alice.open(again.posted[0]?.envelope)
      expect(message.type).toBe(protocol('trust-ping/2.0/ping-response'))
    })

    it('are given up after twelve tries, and fill no table without end', async () => {
      const { agency, alice } = await open()
      agency.network.isDown = true
      const send = async () =>
        agency.deliver(await alice.seal({ id: newId(), type: ping, to: agency.party.did, body: {} }, 'v2'))
      await send()
      let tries = 0
      for (let hours = 0; hours < 30 && (await agency.sendDue()) > 0; hours++, tries++) agency.clock.time += 3_600_000
      expect(tries).toBe(12)
      await agency.store.transaction(async tx => {
        const row = { peer: alice.did, dialect: 'v2', sealed: Buffer.alloc(1), attempts: 0, due: 0, expires: 9e15 }
        tx.insert(
          'didcomm_outgoing',
          Array.from({ length: 10_000 }, (_, at) => ({ id: `filler-${at}`, ...row })),
        )
      })
      expect((await send()).code).toBe('didcomm_outgoing_full')
    })

    it('are sent by one process at a time, each try counted before it is made', async () => {
      const { agency, alice, scene, where } = await open()
      await agency.deliver(await alice.seal({ id: newId(), type: ping, to: agency.party.did, body: {} }, 'v2'))
      const other = closing(await openAgency(where, scene))
      const attempts: unknown[] = []
      agency.desk.messages.post = async () => {
        attempts.push(...(await other.store.read('SELECT attempts FROM didcomm_outgoing')), await other.sendDue())
      }
      expect(await agency.sendDue()).toBe(1)
      expect(attempts).toEqual([{ attempts: 1 }, 0])
      expect(other.posted).toEqual([])
    })

    it('are held up by no peer that dawdles, nor by those whom nobody reaches', async () => {
      const { agency, alice, mallory } = await open()
      const { post } = agency.desk.messages
      const write = async (who: Party) =>
        agency.deliver(await who.seal({ id: newId(), type: ping, to: agency.party.did, body: {} }, 'v2'))
      agency.desk.messages.post = (endpoint, envelope) =>
        endpoint.includes('mallory') ? new Promise(() => undefined) : post(endpoint, envelope)
      for (let times = 0; times < 33; times++) await write(mallory)
      const soon = () => sendDue(agency.desk, async () => undefined, 300)
      expect([await soon(), await soon(), await soon()]).toEqual([32, 1, 0])
      agency.clock.time += 10_001
      await write(alice)
      expect(await soon()).toBe(32)
      expect(agency.posted.map(({ endpoint }) => endpoint)).toEqual(['https://alice.example/didcomm'])
    })

    it('are taken 600 times a minute from one address', () => {
      expect(compileContract(readOpenApi()).get('receiveDidcommMessage')?.perMinute).toBe(600)
    })

    it('wait for a peer that is down, and are given up for one that is nowhere', async () => {
      const { agency, alice, scene } = await open()
      const lost = await scene.add('did:example:lost', { endpoint: null })
      for (const who of [alice, lost]) {
        await agency.deliver(await who.seal({ id: newId(), type: ping, to: agency.party.did, body: {} }, 'v2'))
      }
      agency.network.isDown = true
      expect(await agency.sendDue()).toBe(2)
      expect(await agency.sendDue()).toBe(0)
      agency.network.isDown = false
      agency.clock.time += 10_001
      expect(await agency.sendDue()).toBe(1)
      expect(agency.posted).toHaveLength(1)
    })

    it('say what is understood here (Discover Features 2.0)', async () => {
      const { agency, alice } = await open()
      const queries = [
        { 'feature-type': 'protocol', match: 'https://didcomm.org/messagepickup/*' },
        { 'feature-type': 'constraint', match: 'max_receive_bytes' },
      ]
      const answer = await ask(agency, alice, { type: protocol('discover-features/2.0/queries'), body: { queries } })
      expect(answer.body).toEqual({
        disclosures: [
          { 'feature-type': 'protocol', id: 'https://didcomm.org/messagepickup/3.0', roles: ['mediator'] },
          { 'feature-type': 'constraint', id: 'max_receive_bytes', max_receive_bytes: '262144' },
        ],
      })
      const bad = await ask(agency, alice, {
        type: protocol('discover-features/2.0/queries'),
        body: { queries: 'all' },
      })
      expect(bad.body['code']).toBe('e.m.msg.didcomm-body-malformed')
    })

    it('need no answer where none is wanted', async () => {
      const { agency, alice } = await open()
      expect(await ask(agency, alice, { type: ping, body: { response_requested: false } })).toMatchObject({
        status: 202,
      })
    })
  })
})
