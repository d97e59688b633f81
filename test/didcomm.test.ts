import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { deliver } from '../src/didcomm.ts'
import type { Refusal } from '../src/kernel/refusal.ts'
import { attachedTo, collect, openPeer, type Peer, presentJwtVc } from './plugins/didcomm/theirs.ts'
import { caller, exampleOf, keyOf, killNode, root, type Started, startService, temporaryFolder } from './service.ts'

/** Agencies and agents of Veramo that write to one another, over real HTTP. */

const folder = temporaryFolder()
const protocol = (name: string): string => `https://didcomm.org/${name}`
let service: Started
let reachable: Peer
let staff: ReturnType<typeof caller>
const peers: Peer[] = []

const didOf = (name: string): string => `did:web:localhost%3A${new URL(service.url).port}:${name}`
const opened = async (...options: Parameters<typeof openPeer>): Promise<Peer> => {
  const peer = await openPeer(...options)
  peers.push(peer)
  return peer
}

/** The office may also write to the one peer that has an endpoint of its own, on this machine. */
const agencyFile = (name: string, origin: string): string => {
  const file = join(folder.path, `${name}.yml`)
  const text = readFileSync(join(root, 'agents', `${name}.yml`), 'utf8').replace(/^allowedHttpOrigins:.*$/m, '')
  writeFileSync(file, `${text}\nallowedHttpOrigins: ['${origin}']\n`)
  return file
}

beforeAll(async () => {
  reachable = await opened({ kind: 'peer', at: 'own' })
  const { uri } = JSON.parse(Buffer.from(reachable.did.split('.S')[1] ?? '', 'base64url').toString()).s as {
    uri: string
  }
  service = await startService({
    dataDir: `${folder.path}/data`,
    agencies: [
      ...['agents/root-authority.yml', agencyFile('transport-authority', new URL(uri).origin)],
      'agents/citizen-wallet.yml',
    ],
  })
  staff = caller(service, 'transport-authority')
}, 90_000)

afterAll(async () => {
  for (const peer of peers) await peer.close()
  await service?.stop()
  killNode(`${folder.path}/data`)
  folder.remove()
})

const until = async <T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> => {
  for (let tries = 0; tries < 60; tries++) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise(done => setTimeout(done, 100))
  }
  throw new Error('it did not come about')
}

type Invitation = { id: string; from: string }
const claims = exampleOf('driving-licence')
const licenceIri = 'https://chancery.example/ns#DrivingLicence'

/** As the VC API takes it: a document, or the token in an envelope. */
const asVerifiable = (credential: unknown, format: string): unknown => {
  if (typeof credential !== 'string') return credential
  const mediaType = format === 'dc+sd-jwt' ? 'application/dc+sd-jwt' : 'application/jwt'
  return format === 'jwt_vc'
    ? credential
    : {
        '@context': 'https://www.w3.org/ns/credentials/v2',
        ...{ id: `data:${mediaType},${credential}`, type: 'EnvelopedVerifiableCredential' },
      }
}

const post = (envelope: string, type = 'application/didcomm-encrypted+json') =>
  fetch(`${service.url}/transport-authority/didcomm`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: envelope,
  })

describe('the endpoint of a peer', () => {
  it.each([
    [202, undefined],
    [409, undefined],
    [302, 'rejected'],
    [404, 'rejected'],
    [429, 'unavailable'],
    [503, 'unavailable'],
  ])('that answers %i has it for good, is tried again, or not: %s', async (status, kind) => {
    const server = createServer((_request, response) => response.writeHead(status).end())
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const outcome = await deliver(origin, {}, [origin]).catch((error: Refusal) => error.kind)
      expect(outcome).toBe(kind)
      await expect(deliver(origin, {}, [])).rejects.toMatchObject({ code: 'url_forbidden' })
    } finally {
      server.close()
    }
  })
})

describe('an agent of Veramo and an agency', () => {
  it('ping one another, encrypted, over HTTP (Trust Ping 2.0)', async () => {
    const peer = await opened()
    const to = didOf('transport-authority')
    const answer = await peer.send({ type: protocol('trust-ping/2.0/ping'), to })
    expect(answer).toMatchObject({ type: protocol('trust-ping/2.0/ping-response'), from: to, to: peer.did })
  })

  it('find the key and the endpoint in the did:web document, which names the did:ethr of the credentials', async () => {
    const did = didOf('transport-authority')
    const document = (await (await fetch(`${service.url}/transport-authority/did.json`)).json()) as Record<
      string,
      unknown
    >
    expect(document).toMatchObject({
      ...{ id: did, keyAgreement: [expect.stringMatching(/#z6LS/), expect.any(String), expect.any(String)] },
      alsoKnownAs: expect.arrayContaining([expect.stringMatching(/^did:ethr:/)]),
      service: [
        {
          ...{ id: `${did}#didcomm`, type: 'DIDCommMessaging' },
          serviceEndpoint: {
            uri: `${service.url}/transport-authority/didcomm`,
            accept: ['didcomm/v2'],
            routingKeys: [],
          },
        },
      ],
    })
  })

  it('write to where the other is reached, when no answer is wanted on the connection', async () => {
    const to = didOf('transport-authority')
    const back = await reachable.send({
      type: protocol('discover-features/2.0/queries'),
      to,
      return_route: 'none',
      body: { queries: [{ 'feature-type': 'protocol', match: '*' }] },
    })
    expect(back).toBeUndefined()
    const answer = await until(() => reachable.noted.find(({ type }) => type.endsWith('/disclose')))
    expect((answer.data as { disclosures: unknown[] }).disclosures).toContainEqual({
      ...{ 'feature-type': 'protocol', id: protocol('issue-credential/3.0'), roles: ['issuer'] },
    })
  }, 20_000)

  it.each(['jwt_vc', 'dc+sd-jwt', 'ldp_vc'])('issue and collect %s, bound to the did:key that wrote', async format => {
    const peer = await opened()
    const made = await staff('POST', '/didcomm/offers', { type: 'DrivingLicence', format, claims })
    expect(made.status).toBe(201)
    const credential = await collect(peer, made.body['invitation'] as unknown as Invitation)
    const verified = await staff('POST', '/credentials/verify', {
      verifiableCredential: asVerifiable(credential, format),
    })
    expect([verified.status, verified.body['verified']]).toEqual([200, true])
    const state = await staff('GET', `/didcomm/offers/${made.body['id']}`)
    expect(state.body).toMatchObject({ state: 'done', peer: peer.did })
  })

  it('ask and present a jwt_vc that Veramo wraps and signs', async () => {
    const peer = await opened()
    const made = await staff('POST', '/didcomm/offers', { type: 'DrivingLicence', format: 'jwt_vc', claims })
    const credential = (await collect(peer, made.body['invitation'] as unknown as Invitation)) as string
    const dcql = {
      credentials: [
        {
          ...{ id: 'licence', format: 'jwt_vc_json' },
          meta: { type_values: [['https://www.w3.org/2018/credentials#VerifiableCredential', licenceIri]] },
          claims: [{ path: ['credentialSubject', 'familyName'] }],
        },
      ],
    }
    const asked = () => staff('POST', '/didcomm/presentation-requests', { dcql, purpose: 'a test' })
    const good = await asked()
    const invitation = good.body['invitation'] as unknown as Invitation
    expect(await presentJwtVc(peer, invitation, credential)).toEqual({ type: protocol('present-proof/3.0/ack') })
    const read = await staff('GET', `/didcomm/presentation-requests/${good.body['id']}`)
    expect(read.body).toMatchObject({
      state: 'done',
      presented: { licence: [{ type: 'DrivingLicence', holder: peer.did }] },
    })
    const other = (await asked()).body['invitation'] as unknown as Invitation
    const refused = await presentJwtVc(peer, other, credential, { challenge: 'other' })
    expect(refused).toEqual({ type: protocol('report-problem/2.0/problem-report'), code: 'e.m.req.challenge-mismatch' })
  })

  it('are shown an invitation as a picture, as long as nobody has taken it up', async () => {
    const made = await staff('POST', '/didcomm/offers', { type: 'DrivingLicence', format: 'jwt_vc', claims })
    const place = `/didcomm/offers/${made.body['id']}/qr`
    const headers = { authorization: `Bearer ${keyOf(service.dataDir, 'transport-authority')}` }
    const picture = (format: string) =>
      fetch(`${service.url}/transport-authority${place}?format=${format}`, { headers })
    expect(await (await picture('svg')).text()).toMatch(/^<svg /)
    const png = Buffer.from(await (await picture('png')).arrayBuffer())
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    await collect(await opened(), made.body['invitation'] as unknown as Invitation)
    expect((await staff('GET', place)).body['code']).toBe('didcomm_exchange_ended')
    const question = await staff('GET', place.replace('offers', 'presentation-requests'))
    expect(question.body['code']).toBe('didcomm_exchange_unknown')
  })

  it('offer to a DID that is behind a mediator, which its wallet picks up there and collects from', async () => {
    const mediator = didOf('citizen-wallet')
    const citizen = await opened({ kind: 'peer', at: { mediator } })
    const granted = await citizen.send({ type: protocol('coordinate-mediation/3.0/mediate-request'), to: mediator })
    expect(granted?.data).toEqual({ routing_did: [mediator] })
    const updates = [{ recipient_did: citizen.did, action: 'add' }]
    await citizen.send({ type: protocol('coordinate-mediation/3.0/recipient-update'), to: mediator, body: { updates } })
    const order = { type: 'DrivingLicence', claims, to: citizen.did, dialect: 'veramo' }
    expect((await staff('POST', '/didcomm/offers', order)).status).toBe(201)
    const status = { type: protocol('messagepickup/3.0/status-request'), to: mediator }
    const waiting = async (): Promise<unknown> => {
      const answer = await citizen.send(status)
      return (answer?.data as { message_count?: unknown } | undefined)?.message_count
    }
    await until(async () => ((await waiting()) === 1 ? true : undefined))
    // Veramo's handler opens what is delivered, and acknowledges it.
    await citizen.send({ type: protocol('messagepickup/3.0/delivery-request'), to: mediator, body: { limit: 10 } })
    const offer = await until(() => citizen.noted.find(({ type }) => type.endsWith('/offer-credential')))
    expect(offer.from).toBe(didOf('transport-authority'))
    expect(attachedTo(offer).json).toMatchObject({ credential: { type: ['VerifiableCredential', 'DrivingLicence'] } })
    expect(await waiting()).toBe(0)
  }, 30_000)

  it('reach one another through the mediator, by Veramo’s own forwarding', async () => {
    const mediator = didOf('citizen-wallet')
    const [citizen, friend] = [await opened({ kind: 'peer', at: { mediator } }), await opened()]
    await citizen.send({ type: protocol('coordinate-mediation/3.0/mediate-request'), to: mediator })
    const updates = [{ recipient_did: citizen.did, action: 'add' }]
    await citizen.send({ type: protocol('coordinate-mediation/3.0/recipient-update'), to: mediator, body: { updates } })
    await friend.send({ type: protocol('basicmessage/2.0/message'), to: citizen.did, body: { content: 'hello' } })
    await citizen.send({ type: protocol('messagepickup/3.0/delivery-request'), to: mediator, body: { limit: 10 } })
    const letter = await until(() => citizen.noted.find(({ type }) => type.endsWith('/message')))
    expect(letter).toMatchObject({ from: friend.did, data: { content: 'hello' } })
  }, 20_000)

  it('are refused by name for what is wrong with an envelope', async () => {
    const peer = await opened()
    const to = didOf('transport-authority')
    const packed = await peer.pack({ type: protocol('trust-ping/2.0/ping'), to })
    expect((await post(packed)).status).toBe(200)
    const codeOf = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code]
    expect(await codeOf(await post(packed))).toEqual([409, 'didcomm_replayed'])
    const anonymous = await peer.pack({ type: protocol('trust-ping/2.0/ping'), to }, 'anoncrypt')
    expect(await codeOf(await post(anonymous))).toEqual([401, 'didcomm_sender_needed'])
    expect(await codeOf(await post('{"id":"1","type":"x/1.0/y"}'))).toEqual([422, 'didcomm_unprotected'])
    expect(await codeOf(await post(packed, 'application/json'))).toEqual([400, 'content_type_unsupported'])
    const elsewhere = await peer.pack({ type: protocol('trust-ping/2.0/ping'), to: didOf('root-authority') })
    expect(await codeOf(await post(elsewhere))).toEqual([422, 'didcomm_undecryptable'])
  })
})
