import { sealJwe } from '../../../src/identity/didcomm/one-pass.ts'
import { type Databases, onEachDatabase } from '../../databases.ts'
import type { Party } from '../../identity/didcomm/party.ts'
import {
  type Agency,
  agencyDid,
  ask,
  type Body,
  migrations,
  newId,
  openAgency,
  openScene,
  protocol,
} from './fixture.ts'

const pickup = (name: string): string => protocol(`messagepickup/3.0/${name}`)
const mediation = (name: string): string => protocol(`coordinate-mediation/3.0/${name}`)

/** What a sender does whose recipient sits behind the mediator: nobody says who forwards. */
const forwarded = async (agency: Agency, next: string, json: unknown, more: Body = {}) => {
  const message = {
    ...{ id: newId(), type: protocol('routing/2.0/forward'), to: [agencyDid], body: { next } },
    ...{ attachments: [{ id: 'a', data: { json } }], ...more },
  }
  const keys = [{ ...agency.party.key, kid: agency.party.kid }]
  return sealJwe(Buffer.from(JSON.stringify(message)), keys, undefined)
}

onEachDatabase(migrations, ({ place, closing }: Databases) => {
  const open = async (options: { mediator?: boolean } = {}) => {
    const scene = openScene()
    const where = await place()
    const agency = closing(await openAgency(where, scene, options))
    const [alice, bob, carol] = await Promise.all([
      scene.add('did:example:alice', { endpoint: { uri: agencyDid } }),
      scene.add('did:example:bob', { endpoint: { uri: agencyDid } }),
      scene.add('did:example:carol'),
    ])
    return { agency, alice, bob, carol, scene, where }
  }
  const granted = async (agency: Agency, who: Party, dids: string[] = [who.did]) => {
    await ask(agency, who, { type: mediation('mediate-request') })
    const updates = dids.map(did => ({ recipient_did: did, action: 'add' }))
    return ask(agency, who, { type: mediation('recipient-update'), body: { updates } })
  }
  const waits = async (agency: Agency, who: Party, body: Body = {}) =>
    (await ask(agency, who, { type: pickup('status-request'), body })).body['message_count']
  const letter = (from: Party, to: string, text = 'hello') =>
    from.seal({ id: newId(), type: protocol('basicmessage/2.0/message'), to, body: { text } }, 'v2')

  describe('a mediator', () => {
    it('grants mediation, keeps what is forwarded, hands it over and forgets it (Message Pickup 3.0)', async () => {
      const { agency, alice, carol } = await open()
      const grant = await ask(agency, alice, { type: mediation('mediate-request') })
      expect(grant).toMatchObject({ type: mediation('mediate-grant'), body: { routing_did: [agencyDid] } })
      const update = await granted(agency, alice)
      expect(update.body).toEqual({ updated: [{ recipient_did: alice.did, action: 'add', result: 'success' }] })
      const { endpoint, envelope } = await carol.route(alice.did, await letter(carol, alice.did))
      expect(endpoint).toBe('https://transport.example.example/didcomm')
      expect(await agency.deliver(envelope)).toEqual({ status: 202, body: {} })
      const status = await ask(agency, alice, { type: pickup('status-request') })
      expect(status.body).toMatchObject({ message_count: 1, live_delivery: false, longest_waited_seconds: 0 })
      const delivery = await ask(agency, alice, { type: pickup('delivery-request'), body: { limit: 10 } })
      const [attached] = delivery.attachments
      expect(await alice.open(attached?.json)).toMatchObject({
        sender: carol.did,
        message: { body: { text: 'hello' } },
      })
      expect(await waits(agency, alice)).toBe(1)
      const left = await ask(agency, alice, {
        type: pickup('messages-received'),
        body: { message_id_list: [attached?.id] },
      })
      expect(left).toMatchObject({ type: pickup('status'), body: { message_count: 0, total_bytes: 0 } })
      const none = await ask(agency, alice, { type: pickup('delivery-request'), body: { limit: 1 } })
      expect(none.type).toBe(pickup('status'))
    })

    it('keeps the queue when it is killed and started again', async () => {
      const { agency, alice, carol, where, scene } = await open()
      await granted(agency, alice)
      await agency.deliver(await forwarded(agency, alice.did, await letter(carol, alice.did)))
      const again = closing(await openAgency(where, scene))
      expect(await waits(again, alice)).toBe(1)
    })

    it('hands nobody what waits for another, and lets nobody take it away', async () => {
      const { agency, alice, bob, carol } = await open()
      await granted(agency, alice)
      await granted(agency, bob)
      await agency.deliver(await forwarded(agency, alice.did, await letter(carol, alice.did)))
      expect(await waits(agency, bob)).toBe(0)
      expect(await waits(agency, bob, { recipient_did: alice.did })).toBe(0)
      const theirs = await ask(agency, bob, {
        type: pickup('delivery-request'),
        body: { limit: 5, recipient_did: alice.did },
      })
      expect([theirs.type, theirs.attachments]).toEqual([pickup('status'), []])
      const mine = await ask(agency, alice, { type: pickup('delivery-request'), body: { limit: 5 } })
      await ask(agency, bob, {
        type: pickup('messages-received'),
        body: { message_id_list: mine.attachments.map(({ id }) => id) },
      })
      expect(await waits(agency, alice)).toBe(1)
    })

    it('lets nobody draw away another’s messages, and the owner of a DID get it back', async () => {
      const { agency, alice, bob, carol } = await open()
      await granted(agency, bob, [bob.did, alice.did])
      await agency.deliver(await forwarded(agency, alice.did, await letter(carol, alice.did)))
      const early = await granted(agency, alice)
      expect(early.body['updated']).toMatchObject([{ result: 'success' }])
      const late = await granted(agency, bob, [alice.did])
      expect(late.body['updated']).toMatchObject([{ result: 'client_error' }])
      await agency.deliver(await forwarded(agency, alice.did, await letter(carol, alice.did)))
      // What came before they had it back, too.
      expect([await waits(agency, alice), await waits(agency, bob)]).toEqual([2, 0])
      const gone = await ask(agency, bob, {
        ...{ type: mediation('recipient-update'), body: { updates: [{ recipient_did: alice.did, action: 'remove' }] } },
      })
      expect(gone.body['updated']).toMatchObject([{ result: 'no_change' }])
    })

    it('lists the DIDs of whoever asks, page by page', async () => {
      const { agency, alice, bob } = await open()
      await granted(agency, alice, ['did:example:a1', 'did:example:a2', 'did:example:a3'])
      await granted(agency, bob)
      const page = await ask(agency, alice, {
        type: mediation('recipient-query'),
        body: { paginate: { limit: 2, offset: 1 } },
      })
      expect(page.body).toEqual({
        dids: [{ recipient_did: 'did:example:a2' }, { recipient_did: 'did:example:a3' }],
        pagination: { count: 2, offset: 1, remaining: 0 },
      })
    })

    it('sends no list of DIDs to where whoever asked is reached: a short question would have much sent there', async () => {
      const { agency, carol } = await open()
      await granted(agency, carol, ['did:example:c1'])
      const asked = { id: newId(), type: mediation('recipient-query'), to: agencyDid, body: {} }
      expect((await agency.deliver(await carol.seal(asked, 'v2'))).status).toBe(202)
      await agency.sendDue()
      const { message } = await carol.open(agency.posted[0]?.envelope)
      expect(message.body['code']).toBe('e.m.msg.didcomm-body-malformed')
    })

    it('is not filled by those who name no DID: after a day they give way', async () => {
      const { agency, alice, bob } = await open()
      await granted(agency, bob)
      const used = agency.clock.now()
      await agency.store.transaction(async tx =>
        tx.insert(
          'didcomm_mediations',
          Array.from({ length: 9_999 }, (_, at) => ({ requester: `did:example:filler-${at}`, used })),
        ),
      )
      const request = () => ask(agency, alice, { type: mediation('mediate-request') })
      expect((await request()).type).toBe(mediation('mediate-deny'))
      agency.clock.time += 86_400_001
      expect((await request()).type).toBe(mediation('mediate-grant'))
      expect(await waits(agency, bob)).toBe(0)
    })

    it('forgets whoever was not seen for long, and their DIDs with them', async () => {
      const { agency, alice, bob } = await open()
      await granted(agency, alice)
      agency.clock.time += 200 * 86_400_000
      await granted(agency, bob)
      agency.clock.time += 201 * 86_400_000
      const dids = async () => (await agency.store.read('SELECT did FROM didcomm_recipients')).map(({ did }) => did)
      await ask(agency, bob, { type: pickup('status-request') })
      for (let tries = 0; (await dids()).length > 1 && tries < 50; tries++) {
        await new Promise(done => setTimeout(done, 20))
      }
      expect(await dids()).toEqual([bob.did])
    })

    it('keeps 500 messages for one at most, and takes more once some are fetched', async () => {
      const { agency, alice, carol } = await open()
      await granted(agency, alice)
      const text = await letter(carol, alice.did)
      const attachments = Array.from({ length: 10 }, (_, at) => ({ id: `a${at}`, data: { json: text } }))
      for (let times = 0; times < 50; times++) {
        expect((await agency.deliver(await forwarded(agency, alice.did, text, { attachments }))).status).toBe(202)
      }
      expect((await agency.deliver(await forwarded(agency, alice.did, text))).code).toBe('didcomm_queue_full')
      expect(await waits(agency, alice)).toBe(500)
      const { attachments: some } = await ask(agency, alice, { type: pickup('delivery-request'), body: { limit: 50 } })
      expect(some).toHaveLength(50)
      await ask(agency, alice, {
        type: pickup('messages-received'),
        body: { message_id_list: some.map(({ id }) => id) },
      })
      expect((await agency.deliver(await forwarded(agency, alice.did, text))).status).toBe(202)
    }, 30_000)

    it('keeps five megabytes for one at most', async () => {
      const { agency, alice, carol } = await open()
      await granted(agency, alice)
      const big = await letter(carol, alice.did, 'x'.repeat(130_000))
      const outcomes: unknown[] = []
      for (let times = 0; times < 32; times++) {
        const { status, code } = await agency.deliver(await forwarded(agency, alice.did, big))
        outcomes.push(code ?? status)
      }
      expect(outcomes.at(-1)).toBe('didcomm_queue_full')
      expect(outcomes.filter(each => each === 202).length).toBeGreaterThan(20)
      const { attachments } = await ask(agency, alice, { type: pickup('delivery-request'), body: { limit: 50 } })
      expect(attachments.length).toBeLessThan(4)
    }, 30_000)

    it('counts what it keeps in bytes', async () => {
      const { agency, alice } = await open()
      await granted(agency, alice)
      const text = { protected: 'a', ciphertext: 'b', more: '字'.repeat(1_000) }
      await agency.deliver(await forwarded(agency, alice.did, text))
      const { body } = await ask(agency, alice, { type: pickup('status-request') })
      expect(body['total_bytes']).toBe(Buffer.byteLength(JSON.stringify(text)))
    })

    it('throws away what nobody fetched in two weeks, and what its sender lets expire before', async () => {
      const { agency, alice, carol } = await open()
      await granted(agency, alice)
      const text = await letter(carol, alice.did)
      const soon = Math.floor(agency.clock.now() / 1_000) + 60
      await agency.deliver(await forwarded(agency, alice.did, text, { expires_time: soon }))
      await agency.deliver(await forwarded(agency, alice.did, text))
      agency.clock.time += 61_000
      expect(await waits(agency, alice)).toBe(1)
      agency.clock.time += 14 * 86_400_000
      expect(await waits(agency, alice)).toBe(0)
      const left = async () => (await agency.store.read('SELECT id FROM didcomm_queue')).length
      for (let tries = 0; (await left()) > 0 && tries < 50; tries++) await new Promise(done => setTimeout(done, 20))
      expect(await left()).toBe(0)
    })

    it('refuses a message for nobody, a forward to itself, and what is no encrypted message', async () => {
      const { agency, alice, carol } = await open()
      await granted(agency, alice)
      const text = await letter(carol, alice.did)
      const codes = []
      for (const envelope of [
        await forwarded(agency, 'did:example:nobody', text),
        await forwarded(agency, agencyDid, text),
        await forwarded(agency, alice.did, { plain: 'text' }),
        await forwarded(agency, alice.did, text, { attachments: [] }),
        await forwarded(agency, 'https://alice.example', text),
        await forwarded(agency, 'did:example:\u0000', text),
      ]) {
        codes.push((await agency.deliver(envelope)).code)
      }
      expect(codes).toEqual([
        ...['didcomm_recipient_unknown', 'didcomm_forward_loop', 'didcomm_body_malformed'],
        ...['didcomm_body_malformed', 'didcomm_body_malformed', 'didcomm_body_malformed'],
      ])
    })

    it('takes a forward once', async () => {
      const { agency, alice, carol } = await open()
      await granted(agency, alice)
      const envelope = await forwarded(agency, alice.did, await letter(carol, alice.did))
      expect((await agency.deliver(envelope)).status).toBe(202)
      expect((await agency.deliver(structuredClone(envelope))).code).toBe('didcomm_replayed')
      expect(await waits(agency, alice)).toBe(1)
    })

    it('tells those who never asked for mediation that they have to, and keeps nothing for them', async () => {
      const { agency, alice } = await open()
      for (const type of [mediation('recipient-query'), pickup('status-request')]) {
        const answer = await ask(agency, alice, { type })
        expect(answer).toMatchObject({
          ...{ type: protocol('report-problem/2.0/problem-report') },
          body: { code: 'e.m.trust.didcomm-mediation-missing' },
        })
      }
    })

    it('delivers nothing live over HTTP, and says so in the words of the protocol', async () => {
      const { agency, alice } = await open()
      await granted(agency, alice)
      const live = await ask(agency, alice, { type: pickup('live-delivery-change'), body: { live_delivery: true } })
      expect(live.body['code']).toBe('e.m.live-mode-not-supported')
      const off = await ask(agency, alice, { type: pickup('live-delivery-change'), body: { live_delivery: false } })
      expect(off.type).toBe(pickup('status'))
    })

    it.each([
      [pickup('delivery-request'), {}],
      [pickup('delivery-request'), { limit: 0 }],
      [pickup('messages-received'), { message_id_list: 'all' }],
      [pickup('messages-received'), { message_id_list: ['a\u0000'] }],
      [pickup('status-request'), { recipient_did: 'did:example:a\u0000' }],
      [pickup('status-request'), { recipient_did: 7 }],
      [mediation('recipient-update'), { updates: [{ recipient_did: 'alice', action: 'add' }] }],
      [mediation('recipient-update'), { updates: [{ recipient_did: 'did:example:a', action: 'steal' }] }],
      [mediation('recipient-query'), { paginate: { limit: -1, offset: 0 } }],
    ])('answers a malformed %s with a problem report', async (type, body) => {
      const { agency, alice } = await open()
      await granted(agency, alice)
      expect((await ask(agency, alice, { type, body })).body['code']).toBe('e.m.msg.didcomm-body-malformed')
    })
  })

  describe('an agency that is no mediator', () => {
    it('denies mediation, and keeps nothing', async () => {
      const { agency, alice, carol } = await open({ mediator: false })
      const denied = await ask(agency, alice, { type: mediation('mediate-request') })
      expect(denied.type).toBe(mediation('mediate-deny'))
      const text = await letter(carol, alice.did)
      expect((await agency.deliver(await forwarded(agency, alice.did, text))).code).toBe('didcomm_recipient_unknown')
    })
  })
})
