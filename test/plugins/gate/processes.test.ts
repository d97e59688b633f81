import { randomBytes } from 'node:crypto'
import { bodyDigest, challengeFor, dpopProof, present, send } from '../../holder.ts'
import { stopPostgres, withPostgres } from '../../postgres.ts'
import { answer, answerOf, audienceOf, readObject } from '../openid4vp/wallet.ts'
import { type GateHouse, openGateHouse } from './fixture.ts'

const codeOf = ({ status, body }: { status: number; body: Record<string, unknown> }) => [status, body['code']]

describe('two processes of one agency on one PostgreSQL', () => {
  let house: GateHouse
  let second: Awaited<ReturnType<GateHouse['beside']>>
  beforeAll(async () => {
    house = await openGateHouse({ databaseUrl: await withPostgres(), schema: `t-${randomBytes(6).toString('hex')}` })
    second = await house.beside()
  })
  afterAll(async () => {
    await second?.close()
    await house?.close()
    await stopPostgres()
  })

  /** A call in a session, handed to either process; both stand behind the one public address. */
  const call = (url: string, session: { token: string; key: Parameters<typeof dpopProof>[0] }) => {
    const claims = { method: 'POST', url: `${house.url}/office/grantPermit`, token: session.token }
    const dpop = dpopProof(session.key, { ...claims, nonce: house.desk.dpop.nonce() })
    const again = () => send(`${url}/office/grantPermit`, 'POST', {}, { authorization: `DPoP ${session.token}`, dpop })
    return { dpop, again }
  }

  it('know each other’s sessions, from their opening to their end', async () => {
    const session = await house.open([await house.issue('DrivingLicence')])
    expect((await call(second.url, session).again()).status).toBe(200)
    expect((await session.call('DELETE', '/sessions/current')).status).toBe(204)
    house.advance(5_001)
    expect(codeOf(await call(second.url, session).again())).toEqual([401, 'session_invalid'])
  })

  it('let one presentation count once between them', async () => {
    const held = await house.issue('DrivingLicence')
    for (let round = 0; round < 5; round++) {
      const before = house.done.length
      const body = { presentation: present(held, await challengeFor(second.url, 'grantOnce', {}, {})) }
      const urls = [house.url, second.url, house.url, second.url]
      const answers = await Promise.all(urls.map(url => send(`${url}/office/grantOnce`, 'POST', body)))
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401])
      expect(house.done.length - before).toBe(1)
    }
  })

  it('let one proof of possession carry one write between them', async () => {
    const session = await house.open([await house.issue('DrivingLicence')])
    const before = house.done.length
    const { dpop } = call(house.url, session)
    const headers = { authorization: `DPoP ${session.token}`, dpop }
    const path = '/office/grantPermit'
    const answers = await Promise.all([house.url, second.url].map(url => send(url + path, 'POST', {}, headers)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
    expect(house.done.length - before).toBe(1)
  })

  it('give a presentation request out once between them, and take its answer at either', async () => {
    const held = await house.issue('DrivingLicence')
    const at = ({ url }: { url: string }, address: string): string => address.replace(house.url, url)
    const ask = () => send(`${house.url}/requirements/grantOnce/presentation-request`, 'POST', { bodySha256: nobody })
    const nobody = bodyDigest({})
    for (const [gives, takes] of [
      [second, house],
      [house, second],
    ] as const) {
      const { body } = await ask()
      const uri = String(body['request_uri'])
      const fetched = await Promise.all([fetch(at(gives, uri)), fetch(at(gives, uri))])
      const [object] = fetched.filter(({ status }) => status === 200)
      expect(fetched.map(({ status }) => status).sort()).toEqual([200, 400])
      expect((await fetch(at(takes, uri))).status).toBe(400)
      const request = readObject((await object?.text()) ?? '').payload
      const token = { licence: [present(held, audienceOf(request))] }
      const sent = { ...request, response_uri: at(takes, request.response_uri) }
      const replies = await Promise.all([sent, request].map(each => answer(each, answerOf(request, token))))
      expect(replies.map(({ status }) => status).sort()).toEqual([200, 400])
    }
  })

  it('approve an act that waits once between them', async () => {
    const officer = (officerNumber: string) =>
      house.issue('PublicOfficer', { officerNumber, competences: ['permits:decide'] })
    const author = await house.open([await officer('A-1')])
    const approvers = [await officer('A-2'), await officer('A-3')]
    for (let round = 0; round < 3; round++) {
      const before = house.done.length
      const asked = await author.call('POST', '/office/decidePermit', { note: `mill ${round}` })
      const act = String(asked.body['pendingAct'])
      const answers = await Promise.all(
        approvers.map(async (held, at) => {
          const to = await challengeFor(house.url, 'approvePendingAct', { act }, {})
          const url = at === 0 ? house.url : second.url
          return send(`${url}/pending-acts/${act}/approval`, 'POST', { presentation: present(held, to) })
        }),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
      expect(house.done.length - before).toBe(1)
    }
  })
})
