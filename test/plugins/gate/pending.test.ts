import { agencyMigrations } from '../../../src/agency.ts'
import type { Requirement } from '../../../src/kernel/requirement.ts'
import { onEachDatabase } from '../../databases.ts'
import { challengeFor, type Held, present, type Session, send, sha256 } from '../../holder.ts'
import { type GateHouse, openGateHouse, requirements } from './fixture.ts'

const codeOf = ({ status, body }: { status: number; body: Record<string, unknown> }) => [status, body['code']]

onEachDatabase(agencyMigrations, ({ place }) => {
  let house: GateHouse
  beforeEach(async () => {
    house = await openGateHouse(await place())
  })
  afterEach(() => house.close())

  const officer = async (officerNumber: string, claims: Record<string, unknown> = {}) => {
    const held = await house.issue('PublicOfficer', { officerNumber, competences: ['permits:decide'], ...claims })
    return { held, session: await house.open([held]) }
  }
  const ask = async (session: Session, note = 'build a mill', headers: Record<string, string> = {}) => {
    const answer = await session.call('POST', '/office/decidePermit', { note }, headers)
    expect(codeOf(answer)).toEqual([202, undefined])
    return String(answer.body['pendingAct'])
  }
  const approve = (session: Session, act: string) => session.call('POST', `/pending-acts/${act}/approval`)

  describe('an act that needs a second officer', () => {
    it('waits, is listed to another officer, and runs once by both', async () => {
      const [author, second] = [await officer('A-1'), await officer('A-2')]
      const act = await ask(author.session)
      expect(house.done).toEqual([])
      const listed = await second.session.call('GET', '/pending-acts')
      expect(listed.body['acts']).toEqual([
        expect.objectContaining({ id: act, operation: 'decidePermit', state: 'open' }),
      ])
      const whole = await second.session.call('GET', `/pending-acts/${act}`)
      expect(whole.body).toMatchObject({ body: { note: 'build a mill' }, author: { id: author.held.key.did } })
      const approved = await approve(second.session, act)
      expect([approved.status, approved.body]).toEqual([
        200,
        { id: act, state: 'approved', answer: { status: 200, body: { done: 'decidePermit' } } },
      ])
      expect(house.done).toMatchObject([
        {
          body: { note: 'build a mill' },
          caller: { actor: second.held.key.did, author: { kind: 'holder', actor: author.held.key.did } },
        },
      ])
      expect(codeOf(await approve(second.session, act))).toEqual([409, 'pending_act_decided'])
    })

    it('leaves evidence of both officers and their credentials', async () => {
      const [author, second] = [await officer('A-1'), await officer('A-2')]
      await approve(second.session, await ask(author.session))
      const refused = await ask(author.session, 'a second mill')
      await second.session.call('POST', `/pending-acts/${refused}/refusal`, { reason: 'no' })
      const digestOf = ({ compact }: Held) => sha256(compact.split('~')[0] ?? '')
      const [first, other] = [digestOf(author.held), digestOf(second.held)]
      const records = (await house.store.read<{ record: string }>('SELECT record FROM journal_details ORDER BY id'))
        .map(({ record }) => JSON.parse(record) as Record<string, unknown>)
        .filter(({ operation }) => operation !== 'createSession')
      const [one, two] = [author.held.key.did, second.held.key.did]
      expect(records).toMatchObject([
        { operation: 'requestAct', callerId: one, credentials: [first] },
        {
          ...{ operation: 'decidePermit', callerId: two, author: { id: one }, credentials: [other, first] },
          authority: 'holder PublicOfficer',
        },
        { operation: 'requestAct' },
        { operation: 'refusePendingAct', callerId: two, credentials: [other] },
      ])
    })

    it('is not approved by its author, under whatever key', async () => {
      const author = await officer('A-1')
      const act = await ask(author.session)
      expect(codeOf(await approve(author.session, act))).toEqual([403, 'pending_act_own'])
      const again = await officer('A-1')
      expect(codeOf(await approve(again.session, act))).toEqual([403, 'pending_act_own'])
      expect(house.done).toEqual([])
    })

    it('does not exist for those who could not have asked for it', async () => {
      const author = await officer('A-1')
      const act = await ask(author.session)
      const incompetent = await officer('A-3', { competences: ['fisheries:decide'] })
      const foreign = await house.issue(
        'PublicOfficer',
        { officerNumber: 'B-1', competences: ['permits:decide'] },
        { by: house.world.taxes },
      )
      for (const session of [incompetent.session, await house.open([foreign])]) {
        expect((await session.call('GET', '/pending-acts')).body['acts']).toEqual([])
        expect(codeOf(await session.call('GET', `/pending-acts/${act}`))).toEqual([404, 'pending_act_unknown'])
        expect(codeOf(await approve(session, act))).toEqual([404, 'pending_act_unknown'])
      }
      expect(codeOf(await send(`${house.url}/pending-acts`, 'GET'))).toEqual([401, 'unauthenticated'])
    })

    it('is not even opened for a caller who holds nothing that its operation asks for', async () => {
      const author = await officer('A-1')
      for (let count = 0; count < 3; count++) await ask(author.session)
      const stranger = await house.open([await house.issue('DrivingLicence')])
      const { read } = house.store
      const opened: unknown[] = []
      house.store.read = async (sql, params) => {
        const rows = await read(sql, params)
        if (sql.includes('gate_pending_acts')) opened.push(...rows)
        return rows as never
      }
      expect((await stranger.call('GET', '/pending-acts')).body['acts']).toEqual([])
      expect(opened).toEqual([])
      expect((await author.session.call('GET', '/pending-acts')).body['acts']).toHaveLength(3)
    })

    it('is refused with a reason, and then can no longer be approved', async () => {
      const [author, second] = [await officer('A-1'), await officer('A-2')]
      const act = await ask(author.session)
      const refused = await second.session.call('POST', `/pending-acts/${act}/refusal`, { reason: 'no water right' })
      expect(refused.body).toEqual({ id: act, state: 'refused' })
      expect(codeOf(await approve(second.session, act))).toEqual([409, 'pending_act_decided'])
      const shown = await author.session.call('GET', `/pending-acts/${act}`)
      expect(shown.body).toMatchObject({ state: 'refused', reason: 'no water right' })
      expect(house.done).toEqual([])
    })

    it('is withdrawn by its author', async () => {
      const author = await officer('A-1')
      const act = await ask(author.session)
      const answer = await author.session.call('POST', `/pending-acts/${act}/refusal`, { reason: 'mistaken' })
      expect(answer.body['state']).toBe('refused')
    })

    it('expires', async () => {
      const author = await officer('A-1')
      const act = await ask(author.session)
      house.advance(3_600_000)
      const second = await officer('A-2')
      expect(codeOf(await approve(second.session, act))).toEqual([409, 'pending_act_expired'])
      expect((await second.session.call('GET', '/pending-acts')).body['acts']).toEqual([])
      expect((await second.session.call('GET', `/pending-acts/${act}`)).body['state']).toBe('expired')
    })

    it('is not approved once its author’s credential no longer stands', async () => {
      const [author, second] = [await officer('A-1'), await officer('A-2')]
      const act = await ask(author.session)
      house.world.status.set(author.held.pointer, 'revoked')
      expect(codeOf(await approve(second.session, act))).toEqual([403, 'author_lapsed'])
      expect(house.done).toEqual([])
    })

    it('is not approved while nobody knows whether its author stands, nor by a lapsed officer', async () => {
      const [author, second] = [await officer('A-1'), await officer('A-2')]
      const act = await ask(author.session)
      house.world.status.stale = true
      expect(codeOf(await approve(second.session, act))).toEqual([503, 'status_unavailable'])
      house.world.status.stale = false
      house.world.status.set(second.held.pointer, 'revoked')
      expect(codeOf(await approve(second.session, act))).toEqual([403, 'credential_revoked'])
    })

    it('is not approved under a requirement that has changed since', async () => {
      const author = await officer('A-1')
      const act = await ask(author.session)
      const decidePermit = {
        ...requirements.decidePermit,
        fourEyes: { ...requirements.decidePermit.fourEyes, lifeSeconds: 60 },
      }
      await house.restart({ decidePermit: decidePermit satisfies Requirement })
      const second = await officer('A-2')
      expect(codeOf(await approve(second.session, act))).toEqual([409, 'pending_act_outdated'])
    })

    it('runs once when two officers approve it at the same time', async () => {
      const [author, ...others] = [
        await officer('A-1'),
        await officer('A-2'),
        await officer('A-3'),
        await officer('A-4'),
      ]
      const act = await ask(author.session)
      const answers = await Promise.all(others.map(({ session }) => approve(session, act)))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(new Set(answers.filter(({ status }) => status !== 200).map(({ body }) => body['code']))).toEqual(
        new Set(['pending_act_decided']),
      )
      expect(house.done).toHaveLength(1)
    })

    it('is asked for once under one idempotency key', async () => {
      const author = await officer('A-1')
      const headers = { 'idempotency-key': 'mill-1' }
      expect(await ask(author.session, 'mill', headers)).toBe(await ask(author.session, 'mill', headers))
    })

    it('lives on in another process, sealed', async () => {
      const [author, second] = [await officer('A-1'), await officer('A-2')]
      const act = await ask(author.session, 'a secret mill')
      const [row] = await house.store.read('SELECT sealed FROM gate_pending_acts')
      expect(Buffer.from(row?.['sealed'] as Uint8Array).includes('secret mill')).toBe(false)
      await house.restart()
      expect((await approve(second.session, act)).status).toBe(200)
      expect(house.done).toHaveLength(1)
    })

    it('is asked for and approved by presentations as well, each bound to its own act', async () => {
      const [author, second] = [await officer('A-1'), await officer('A-2')]
      const shot = async (
        operation: string,
        params: Record<string, string>,
        held: Held,
        body: Record<string, unknown>,
      ) => {
        const to = await challengeFor(house.url, operation, params, body)
        return { ...body, presentation: present(held, to) }
      }
      const asked = await send(
        `${house.url}/office/decidePermit`,
        'POST',
        await shot('decidePermit', {}, author.held, { note: 'mill' }),
      )
      expect(asked.status).toBe(202)
      const act = String(asked.body['pendingAct'])
      const url = `${house.url}/pending-acts/${act}/approval`
      const own = await send(url, 'POST', await shot('approvePendingAct', { act }, author.held, {}))
      expect(codeOf(own)).toEqual([403, 'pending_act_own'])
      const other = await shot('approvePendingAct', { act: '00000000-0000-7000-8000-000000000000' }, second.held, {})
      expect(codeOf(await send(url, 'POST', other))).toEqual([401, 'challenge_mismatch'])
      expect((await send(url, 'POST', await shot('approvePendingAct', { act }, second.held, {}))).status).toBe(200)
      expect(house.done).toHaveLength(1)
    })
  })

  describe('an act of staff that needs a second of them', () => {
    const call = (key: string, path: string, body?: unknown) =>
      send(house.url + path, 'POST', body, { authorization: `Bearer ${key}` })

    it('waits for another key, and is not approved once the first is revoked', async () => {
      const [one, other] = [await house.staffKey(), await house.staffKey()]
      const asked = await call(one.key, '/office/decideByStaff', { note: 'x' })
      expect(asked.status).toBe(202)
      const approval = `/pending-acts/${asked.body['pendingAct']}/approval`
      expect(codeOf(await call(one.key, approval))).toEqual([403, 'pending_act_own'])
      expect((await call(other.key, approval)).status).toBe(200)
      expect(house.done).toMatchObject([{ caller: { kind: 'apiKey', id: other.id, author: { id: one.id } } }])

      const late = await call(one.key, '/office/decideByStaff', { note: 'y' })
      await one.revoke()
      const lapsed = await call(other.key, `/pending-acts/${late.body['pendingAct']}/approval`)
      expect(codeOf(lapsed)).toEqual([403, 'author_lapsed'])
    })
  })
})
