import { agencyMigrations } from '../../../src/agency.ts'
import { onEachDatabase } from '../../databases.ts'
import { bodyDigest, dpopFetch, dpopProof, newKey, send, type To } from '../../holder.ts'
import {
  answer,
  answerOf,
  answerWith,
  audienceOf,
  type Held,
  openRequest,
  present,
  type Reply,
} from '../openid4vp/wallet.ts'
import { type GateHouse, openGateHouse } from './fixture.ts'

/** Requirements of the gate, answered by wallets that know OpenID4VP 1.0 and nothing of us. */

const codeOf = ({ status, body }: { status: number; body: Record<string, unknown> }) => [status, body['code']]
const minute = 60_000

type Begun = { id: string; secret: string; wallet_url: string; client_id: string; challenge: string; expires: string }

onEachDatabase(agencyMigrations, ({ place }) => {
  let house: GateHouse
  beforeEach(async () => {
    house = await openGateHouse(await place())
  })
  afterEach(() => house.close())

  const askForAct = (operationId: string, body: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    send(`${house.url}/requirements/${operationId}/presentation-request`, 'POST', {
      ...{ bodySha256: bodyDigest(body), ...more },
    })
  const begun = async (...asked: Parameters<typeof askForAct>): Promise<Begun> => {
    const { status, body } = await askForAct(...asked)
    expect(status).toBe(201)
    return body as unknown as Begun
  }
  const act = (operationId: string, body: Record<string, unknown>) =>
    send(`${house.url}/office/${operationId}`, 'POST', body)
  /** By request, what the wallet brought back to the device where it began. */
  const codes = new Map<string, string>()
  const keepCode = ({ id }: Begun, reply: Reply): Reply => {
    const { redirect_uri: back } = reply.body
    const code = typeof back === 'string' ? new URL(back).searchParams.get('response_code') : null
    if (code !== null) codes.set(id, code)
    return reply
  }
  const shown = async (request: Begun, held: Held): Promise<Reply> =>
    keepCode(request, await answerWith(request.wallet_url, held))
  const named = ({ id, secret }: Begun) => {
    const code = codes.get(id)
    return { request: id, secret, ...(code === undefined ? {} : { response_code: code }) }
  }

  describe('a session', () => {
    const ask = (key: { thumbprint: string }, more: Record<string, unknown> = {}) =>
      send(`${house.url}/sessions/presentation-request`, 'POST', {
        ...{ dpop_jkt: key.thumbprint, requirement: { operationId: 'grantPermit' }, ...more },
      })
    const open = (key: ReturnType<typeof newKey>, presentation: unknown) =>
      send(
        `${house.url}/sessions`,
        'POST',
        { presentation },
        { dpop: dpopProof(key, { method: 'POST', url: `${house.url}/sessions` }) },
      )

    it('opens for a stranger’s wallet that answered, and carries acts', async () => {
      const held = await house.issue('DrivingLicence')
      const key = newKey()
      const request = (await ask(key)).body as unknown as Begun
      expect((await shown(request, held)).status).toBe(200)
      const opened = await open(key, named(request))
      expect(opened.status).toBe(201)
      const nonce = opened.headers.get('dpop-nonce') ?? undefined
      const session = dpopFetch(house.url, String(opened.body['access_token']), key, nonce)
      expect((await session.call('POST', '/office/grantPermit', { note: 'one' })).status).toBe(200)
      expect(house.done[0]?.caller).toMatchObject({ kind: 'holder', id: held.key.did, proof: 'session' })
      expect(codeOf(await open(key, named(request)))).toEqual([401, 'proof_replayed'])
    })

    it('opens for nobody else: with another key, another secret, or before the wallet has answered', async () => {
      const held = await house.issue('DrivingLicence')
      const key = newKey()
      const request = (await ask(key)).body as unknown as Begun
      expect(codeOf(await open(key, named(request)))).toEqual([409, 'presentation_waiting'])
      await shown(request, held)
      expect(codeOf(await open(newKey(), named(request)))).toEqual([401, 'challenge_mismatch'])
      const other = { ...named(request), secret: 'A'.repeat(43) }
      expect(codeOf(await open(key, other))).toEqual([404, 'presentation_request_unknown'])
    })

    it('asks for what an operation requires, and for nothing where there is no such operation', async () => {
      const asked = await ask(newKey())
      const request = await openRequest(String(asked.body['wallet_url']))
      const paths = request.dcql_query.credentials.map(({ claims = [] }) => claims.map(({ path }) => path))
      expect(paths).toEqual([[['licenceNumber']]])
      const none = await ask(newKey(), { requirement: { operationId: 'noSuch' } })
      expect(codeOf(none)).toEqual([404, 'operation_unknown'])
      const staff = await ask(newKey(), { requirement: { operationId: 'decideByStaff' } })
      expect(codeOf(staff)).toEqual([422, 'presentation_unwanted'])
    })
  })

  describe('one act', () => {
    it.each(['dc+sd-jwt', 'vc+jwt'] as const)('is done by a stranger’s wallet with a %s', async format => {
      const held = await house.issue(format === 'vc+jwt' ? 'KycAttestation' : 'DrivingLicence', {}, { format })
      const operation = format === 'vc+jwt' ? 'eitherOne' : 'grantOnce'
      const request = await begun(operation, { note: 'x' })
      expect(request.client_id).toMatch(/^x509_hash:[A-Za-z0-9_-]{43}$/)
      const asked = await openRequest(request.wallet_url)
      expect(asked.nonce).toBe(request.challenge)
      const query = asked.dcql_query.credentials.find(({ id }) => id === (format === 'vc+jwt' ? 'kyc' : 'licence'))
      const token = { [query?.id ?? '']: [present(held, audienceOf(asked))] }
      const reply = keepCode(request, await answer(asked, answerOf(asked, token)))
      if (format === 'vc+jwt') {
        // The requirement asks for it as an SD-JWT, in which the type is to be had.
        expect(reply.body).toMatchObject({ error: 'invalid_request', code: 'presentation_unfit' })
        return
      }
      expect(reply.status).toBe(200)
      const done = await act(operation, { note: 'x', presentation: named(request) })
      expect(done.status).toBe(200)
      expect(house.done[0]?.caller).toMatchObject({ kind: 'holder', id: held.key.did, proof: 'presentation' })
      expect(codeOf(await act(operation, { note: 'x', presentation: named(request) }))).toEqual([401, 'proof_replayed'])
    })

    it('binds the body: another one is refused, and so is another operation', async () => {
      const held = await house.issue('DrivingLicence')
      const request = await begun('grantOnce', { note: 'x' })
      await shown(request, held)
      const other = await act('grantOnce', { note: 'y', presentation: named(request) })
      expect(codeOf(other)).toEqual([401, 'challenge_mismatch'])
      const elsewhere = await act('grantPermit', { note: 'x', presentation: named(request) })
      expect(codeOf(elsewhere)).toEqual([401, 'challenge_mismatch'])
    })

    it('is judged when it is done: what was revoked since is refused', async () => {
      const held = await house.issue('DrivingLicence')
      const request = await begun('grantOnce', { note: 'x' })
      expect((await shown(request, held)).status).toBe(200)
      house.world.status.set(held.pointer, 'revoked')
      const done = await act('grantOnce', { note: 'x', presentation: named(request) })
      expect(codeOf(done)).toEqual([403, 'credential_revoked'])
      expect(house.done).toEqual([])
    })

    it('is refused when the person declined, and when the challenge has expired', async () => {
      const request = await begun('grantOnce', {})
      const asked = await openRequest(request.wallet_url)
      await answer(asked, { error: 'access_denied', state: asked.state })
      const declined = await act('grantOnce', { presentation: named(request) })
      expect([codeOf(declined), declined.body['error']]).toEqual([[409, 'presentation_refused'], 'access_denied'])
      const late = await begun('grantOnce', {})
      house.advance(6 * minute)
      expect(codeOf(await act('grantOnce', { presentation: named(late) }))).toEqual([
        422,
        'presentation_request_expired',
      ])
    })

    it('needs the response code where the wallet is on the same device, so that nobody else’s wallet is fetched from', async () => {
      const held = await house.issue('DrivingLicence')
      const returnTo = `${new URL(house.url).origin}/office/openid4vp/return`
      const request = await begun('grantOnce', {}, { return_to: returnTo })
      const reply = await shown(request, held)
      const back = new URL(String(reply.body['redirect_uri']))
      expect(back.origin + back.pathname).toBe(returnTo)
      const code = back.searchParams.get('response_code') ?? ''
      const plain = { request: request.id, secret: request.secret }
      const without = await act('grantOnce', { presentation: plain })
      expect(codeOf(without)).toEqual([409, 'presentation_waiting'])
      const wrong = { ...plain, response_code: 'A'.repeat(43) }
      expect(codeOf(await act('grantOnce', { presentation: wrong }))).toEqual([409, 'presentation_waiting'])
      const right = { ...plain, response_code: code }
      expect((await act('grantOnce', { presentation: right })).status).toBe(200)
    })

    it('needs it without a return_to as well: whoever sends their link or picture to somebody else gets nothing of the answer', async () => {
      const victim = await house.issue('DrivingLicence')
      const ofAttacker = await askForAct('grantOnce', { note: 'x' })
      const request = ofAttacker.body as unknown as Begun
      const [cookie = ''] = (ofAttacker.headers.get('set-cookie') ?? '').split(';', 1)
      expect(ofAttacker.headers.get('set-cookie')).toMatch(
        /^presentation_[\w-]{22}=[\w-]{43}; Path=\/office\/openid4vp\/return; Max-Age=\d+; HttpOnly; SameSite=Lax$/,
      )
      const picture = await fetch(`${house.url}/presentation-requests/${request.id}/qr`)
      expect([picture.status, ((await picture.json()) as { code: string }).code]).toEqual([422, 'request_same_device'])
      const reply = await answerWith(request.wallet_url, victim)
      const plain = { request: request.id, secret: request.secret }
      expect(codeOf(await act('grantOnce', { note: 'x', presentation: plain }))).toEqual([409, 'presentation_waiting'])
      // The wallet takes the victim to the agency's page, which shows the code to the browser that began, and to no other.
      const back = String(reply.body['redirect_uri'])
      const code = new URL(back).searchParams.get('response_code') ?? 'none'
      const other = (await askForAct('grantOnce', { note: 'x' })).headers.get('set-cookie')?.split(';', 1)[0] ?? ''
      const renamed = `presentation_${request.id}=${other.split('=')[1]}`
      for (const shown of ['', other, renamed, `${cookie}x`]) {
        const page = await (await fetch(back, { headers: { cookie: shown } })).text()
        expect(page).toContain('somebody may have sent you')
        expect(page).not.toContain(code)
      }
      expect(await (await fetch(back, { headers: { cookie: `a=b; ${cookie}` } })).text()).toContain(code)
      const done = await act('grantOnce', { note: 'x', presentation: { ...plain, response_code: code } })
      expect(done.status).toBe(200)
    })

    it('needs no code where the agency takes wallets on other devices, but where it is to come back', async () => {
      await house.close()
      house = await openGateHouse(await place(), { crossDevice: true })
      const held = await house.issue('DrivingLicence')
      const request = await begun('grantOnce', {})
      expect((await fetch(`${house.url}/presentation-requests/${request.id}/qr`)).status).toBe(200)
      expect((await shown(request, held)).body).toEqual({})
      expect((await act('grantOnce', { presentation: named(request) })).status).toBe(200)
      const same = await begun('grantOnce', {}, { return_to: `${house.url}/openid4vp/return` })
      expect((await shown(same, held)).body).toHaveProperty('redirect_uri')
      const { response_code: _code, ...plain } = named(same)
      expect(codeOf(await act('grantOnce', { presentation: plain }))).toEqual([409, 'presentation_waiting'])
    })

    it('is asked for 120 times a minute by one address, and then no more', async () => {
      const asked = await Promise.all(Array.from({ length: 125 }, () => askForAct('grantOnce', {})))
      expect(asked.filter(({ status }) => status === 201)).toHaveLength(120)
      const [refused] = asked.filter(({ status }) => status !== 201)
      expect([refused?.status, refused?.body['code'], Number(refused?.headers.get('retry-after')) > 0]).toEqual([
        ...[429, 'calls_exceeded', true],
      ])
      const other = { dpop_jkt: newKey().thumbprint, requirement: { operationId: 'grantPermit' } }
      expect((await send(`${house.url}/sessions/presentation-request`, 'POST', other)).status).toBe(201)
    })

    it('leaves no record of who only asks', async () => {
      const records = async () => (await house.store.read('SELECT id FROM journal')).length
      const before = await records()
      const request = await begun('grantOnce', {})
      const asked = await openRequest(request.wallet_url)
      await answer(asked, { error: 'access_denied', state: asked.state })
      await house.desk.presentations?.outcome({ id: request.id, secret: request.secret })
      expect(await records()).toBe(before)
      const other = await begun('grantOnce', {})
      await shown(other, await house.issue('DrivingLicence'))
      expect(await records()).toBe(before + 1)
    })

    it('is refused at once with more presentations than a proof may hold, or with a credential of another type', async () => {
      const { presentations } = house.desk
      if (presentations === undefined) throw new Error('the house has a verifier')
      const held = await house.issue('DrivingLicence')
      const ask = async (takes: { types: Record<string, string>; presentationsMost: number }): Promise<Begun> => {
        const query = { id: 'licence', format: 'dc+sd-jwt', meta: {}, multiple: true } as const
        const prepared = await presentations.prepare({ dcql: { credentials: [query] }, purpose: 'a test', takes })
        await house.store.transaction(async tx => prepared.store(tx))
        return { ...prepared, wallet_url: prepared.walletUrl } as unknown as Begun
      }
      const right = { licence: 'DrivingLicence' }
      const give = async (request: Begun, count: number): Promise<Reply> => {
        const asked = await openRequest(request.wallet_url)
        const all = Array.from({ length: count }, () => present(held, audienceOf(asked)))
        return answer(asked, answerOf(asked, { licence: all }))
      }
      expect((await give(await ask({ types: right, presentationsMost: 2 }), 3)).body['code']).toBe(
        'presentation_excessive',
      )
      const other = { types: { licence: 'NationalIdentity' }, presentationsMost: 2 }
      expect((await give(await ask(other), 1)).body['code']).toBe('presentation_unfit')
      expect((await give(await ask({ types: right, presentationsMost: 2 }), 2)).status).toBe(200)
    })

    it('sends nobody back to an origin that is not the agency’s', async () => {
      for (const returnTo of ['https://evil.example/', 'http://www.office.example/', 'javascript:alert(1)']) {
        expect(codeOf(await askForAct('grantOnce', {}, { return_to: returnTo }))).toEqual([422, 'return_forbidden'])
      }
      expect((await askForAct('grantOnce', {}, { return_to: 'https://www.office.example/back?a=b' })).status).toBe(201)
    })

    it('sends nobody back to another page of the agency’s origin, which could show the code to whoever comes', async () => {
      const { origin } = new URL(house.url)
      for (const path of ['/wallet/authorization-response', '/office/openid4vp/return?request=other', '/']) {
        const returnTo = `${origin}${path}`
        expect(codeOf(await askForAct('grantOnce', {}, { return_to: returnTo }))).toEqual([422, 'return_forbidden'])
        const opened = {
          dpop_jkt: newKey().thumbprint,
          requirement: { operationId: 'grantPermit' },
          return_to: returnTo,
        }
        expect(codeOf(await send(`${house.url}/sessions/presentation-request`, 'POST', opened))).toEqual([
          ...[422, 'return_forbidden'],
        ])
      }
    })

    it('asks for nothing where no holder is asked, nor for a party that there is not', async () => {
      expect(codeOf(await askForAct('decideByStaff', {}))).toEqual([422, 'presentation_unwanted'])
      expect(codeOf(await askForAct('noSuch', {}))).toEqual([404, 'operation_unknown'])
      expect(codeOf(await askForAct('grantOnce', {}, { party: 'seller' }))).toEqual([422, 'party_unknown'])
      expect(codeOf(await askForAct('signDeed', {}))).toEqual([422, 'party_unknown'])
      expect(codeOf(await askForAct('signDeed', {}, { party: 'constructor' }))).toEqual([422, 'party_unknown'])
      const made = { party: 'seller', challenge: 'A'.repeat(95) }
      expect(codeOf(await askForAct('signDeed', {}, made))).toEqual([401, 'challenge_unknown'])
    })
  })

  describe('a joint act', () => {
    const asker = async (held: Held, request: Begun) => expect((await shown(request, held)).status).toBe(200)

    it('is done by the wallets of both parties, each over its own part of one challenge', async () => {
      const [seller, buyer] = [await house.issue('NationalIdentity'), await house.issue('NationalIdentity')]
      const first = await begun('signDeed', { note: 'x' }, { party: 'seller' })
      const second = await begun('signDeed', { note: 'x' }, { party: 'buyer', challenge: first.challenge })
      await asker(seller, first)
      await asker(buyer, second)
      const presentations = { seller: named(first), buyer: named(second) }
      expect((await act('signDeed', { note: 'x', presentations })).status).toBe(200)
    })

    it('is refused where one party’s answer stands for the other', async () => {
      const held = await house.issue('NationalIdentity')
      const first = await begun('signDeed', { note: 'x' }, { party: 'seller' })
      await asker(held, first)
      const presentations = { seller: named(first), buyer: named(first) }
      expect(codeOf(await act('signDeed', { note: 'x', presentations }))).toEqual([401, 'challenge_mismatch'])
    })

    it('takes one party by its own wallet here and another by a stranger’s', async () => {
      const [seller, buyer] = [await house.issue('NationalIdentity'), await house.issue('NationalIdentity')]
      const first = await begun('signDeed', {}, { party: 'seller' })
      await asker(seller, first)
      const to: To = { challenge: `${first.challenge}.buyer`, audience: house.url }
      const presentations = { seller: named(first), buyer: [present(buyer, to)] }
      expect((await act('signDeed', { presentations })).status).toBe(200)
    })
  })
})
