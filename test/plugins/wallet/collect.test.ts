import { openCollection } from '../../../src/plugins/wallet/actions/openid4vci-run.ts'
import { vaultOf } from '../../../src/plugins/wallet/sessions.ts'
import { newSigner } from '../../identity/integrity/signers.ts'
import { signed } from '../../identity/openid/vp/asking.ts'
import {
  type Citizen,
  citizenAt,
  everythingStored,
  type Office,
  onBothDatabases,
  onSqlite,
  refusalOf,
  type Scene,
  signedIn,
} from './fixture.ts'
import { type Endpoint, type Holder, type Reply, type Settings, startIssuer, type TheirIssuer } from './their-issuer.ts'

type Body = Record<string, unknown>
type Collection = Body & {
  id: string
  state: string
  authorizationUrl?: string
  collected: { state: string; heldIds: string[]; problem?: string; retryAt?: string }[]
}

const vct = 'urn:chancery:vct:national-identity:1'
const proofTypes = { jwt: { proof_signing_alg_values_supported: ['ES256'] } }
const sdJwt = {
  ...{ format: 'dc+sd-jwt', vct, scope: 'identity', proof_types_supported: proofTypes },
  cryptographic_binding_methods_supported: ['did:key', 'jwk'],
  credential_metadata: { display: [{ name: 'National identity' }], claims: [{ path: ['familyName'] }] },
}

const issuers: TheirIssuer[] = []
afterEach(async () => {
  await Promise.all(issuers.splice(0).map(issuer => issuer.close()))
})

/** A citizen, and an issuer that gives accredited identities bound to the proven key. */
const meeting = async (scene: () => Promise<Scene>, more: Partial<Settings> = {}) => {
  const world = await scene()
  const { office, nation, clock } = world
  const give = (holder: Holder) => nation.issue('NationalIdentity', holder.did)
  const issuer = await startIssuer({ now: () => clock.now(), give, configurations: { identity: sdJwt }, ...more })
  issuers.push(issuer)
  nation.reach.origins.push(issuer.origin)
  const amara = await citizenAt(office, 'amara')
  return { ...world, issuer, amara }
}

const handIn = async (citizen: Citizen, issuer: TheirIssuer): Promise<Collection> =>
  citizen.call<Collection>('readOffer', { offer: issuer.link })

const step = (citizen: Citizen, operation: string, { id }: { id: string }, body?: Body): Promise<Collection> =>
  citizen.call<Collection>(operation, body, { params: { id } })

const collect = async (citizen: Citizen, issuer: TheirIssuer, wish: Body = {}): Promise<Collection> =>
  step(citizen, 'acceptOffer', await handIn(citizen, issuer), wish)

const heldIn = async (citizen: Citizen): Promise<Body[]> => (await citizen.call<{ items: Body[] }>('listHeld')).items

/** All that is kept of a collection, as its citizen alone can open it. */
const keptOf = async (office: Office, { token }: Citizen, { id }: { id: string }): Promise<string> => {
  const caller = await office.sessions.session(token)
  const [row] = await office.store.read<{ id: string; sealed: Uint8Array }>(
    'SELECT id, sealed FROM wallet_collections WHERE id = ?',
    [id],
  )
  if (caller === undefined || row === undefined) throw new Error('no such collection')
  return JSON.stringify(openCollection(vaultOf(caller), row))
}

/** The honest answer with other members. */
const withBody =
  (change: (body: Body) => Body) =>
  (honest: Reply): Reply => ({ ...honest, body: change(honest.body as Body) })

onBothDatabases(scene => {
  test('an offer by reference is shown, accepted and held, with a key of its own (OpenID4VCI 1.0, sections 4 to 8)', async () => {
    const { amara, issuer } = await meeting(scene)
    const offer = await handIn(amara, issuer)
    expect(offer).toMatchObject({
      state: 'offered',
      issuer: { id: issuer.origin, display: [{ name: 'Their University', locale: 'en' }] },
      offered: [{ configurationId: 'identity', vct, display: [{ name: 'National identity' }], claims: ['familyName'] }],
    })
    expect(issuer.calls('token') + issuer.calls('credential')).toBe(0)
    const done = await step(amara, 'acceptOffer', offer, {})
    expect(done).toMatchObject({ state: 'collected', collected: [{ state: 'kept', issuerTold: true }] })
    const [held, ...others] = await heldIn(amara)
    expect(others).toEqual([])
    expect(held).toMatchObject({ id: done.collected[0]?.heldIds[0], type: 'NationalIdentity' })
    expect(issuer.notified()).toEqual([{ notification_id: 'notification-1', event: 'credential_accepted' }])
    const shown = await amara.present(String(held?.['id']), { claims: ['familyName'] })
    expect(shown.verifiablePresentation).toContain('~')
  })

  test('codes, tokens and keys of a collection stand nowhere in the clear', async () => {
    const { amara, issuer, office } = await meeting(scene)
    await collect(amara, issuer)
    const stored = await everythingStored(office)
    const token = /"access_token":"([^"]+)"/
    expect(stored).not.toMatch(token)
    for (const secret of [issuer.codes.preAuthorized, issuer.codes.refresh, issuer.origin, 'familyName']) {
      expect(stored).not.toContain(secret)
    }
  })

  test('a deferred credential is asked for when it is due, after a restart as well (section 9)', async () => {
    const { amara, issuer, clock, office, again } = await meeting(scene)
    issuer.state.deferred = true
    const waiting = await collect(amara, issuer)
    expect(waiting).toMatchObject({ state: 'deferred', collected: [{ state: 'deferred', heldIds: [] }] })
    expect(await refusalOf(step(amara, 'collectOffer', waiting))).toBe('deferral_waiting')
    expect(issuer.calls('deferred')).toBe(0)
    clock.advance(61_000)
    expect(await step(amara, 'collectOffer', waiting)).toMatchObject({ state: 'deferred' })
    expect(issuer.calls('deferred')).toBe(1)
    clock.advance(3_600_000)
    issuer.state.ready = true
    void office
    const later = await signedIn(await again(), 'amara')
    // By then the access token has expired: the refresh token gives another.
    expect(await step(later, 'collectOffer', waiting)).toMatchObject({ state: 'collected' })
    expect(await heldIn(later)).toHaveLength(1)
  })

  test('a credential that is put off for ever ends', async () => {
    const { amara, issuer, clock, office } = await meeting(scene)
    issuer.state.deferred = true
    const waiting = await collect(amara, issuer)
    for (let day = 0; day < 91; day += 30) {
      clock.advance(30 * 24 * 3_600_000)
      const citizen = await signedIn(office, 'amara')
      const outcome = await refusalOf(step(citizen, 'collectOffer', waiting))
      if (day >= 60) {
        expect(outcome).toBe('deferral_ended')
        expect(await refusalOf(step(citizen, 'collectOffer', waiting))).toBe('collection_step')
        return
      }
      expect(outcome).toBeUndefined()
    }
    throw new Error('it never ended')
  })

  test('a token that came by a refresh token is kept, though what it was for fails (RFC 6749, section 6)', async () => {
    const { amara, issuer, clock, office } = await meeting(scene)
    issuer.state.deferred = true
    const waiting = await collect(amara, issuer)
    clock.advance(3_600_000)
    // Good for one use: the next is in the answer.
    issuer.twist.token = withBody(body => {
      issuer.codes.refresh = 'refresh-2'
      return { ...body, refresh_token: 'refresh-2' }
    })
    issuer.twist.deferred = () => ({ status: 503, body: { error: 'temporarily_unavailable' } })
    const later = await signedIn(office, 'amara')
    expect(await step(later, 'collectOffer', waiting)).toMatchObject({ collected: [{ problem: 'issuer_unavailable' }] })
    issuer.only({})
    issuer.state.ready = true
    clock.advance(600_000)
    expect(await step(later, 'collectOffer', waiting)).toMatchObject({ state: 'collected' })
    expect(await heldIn(later)).toHaveLength(1)
  })

  test('what has come while it cannot be judged is kept as it came, and judged again', async () => {
    const { amara, issuer, nation, again } = await meeting(scene)
    nation.state.reachable = false
    const given = await collect(amara, issuer)
    expect(given).toMatchObject({
      state: 'collecting',
      collected: [{ state: 'given', heldIds: [], problem: 'status_unavailable' }],
    })
    const later = await signedIn(await again(), 'amara')
    expect(await step(later, 'collectOffer', given)).toMatchObject({ state: 'collecting' })
    expect([issuer.notified(), await heldIn(later)]).toEqual([[], []])
    nation.state.reachable = true
    expect(await step(later, 'collectOffer', given)).toMatchObject({ state: 'collected' })
    expect(await heldIn(later)).toHaveLength(1)
    expect(issuer.calls('credential')).toBe(1)
    expect(issuer.notified().map(({ event }) => event)).toEqual(['credential_accepted'])
  })

  test('two calls at once collect once', async () => {
    const { amara, issuer } = await meeting(scene)
    const offer = await handIn(amara, issuer)
    const both = await Promise.all([1, 2].map(() => refusalOf(step(amara, 'acceptOffer', offer, {}))))
    expect(both.filter(code => code === undefined)).toHaveLength(1)
    expect(both.filter(code => code !== undefined)).toEqual([expect.stringMatching(/^collection_(busy|step)$/)])
    expect(issuer.calls('token')).toBe(1)
    expect(await heldIn(amara)).toHaveLength(1)
  })

  test('the same idempotency key gives the same answer, and asks the issuer for nothing more', async () => {
    const { amara, issuer } = await meeting(scene)
    const { id } = await handIn(amara, issuer)
    const accept = (body: Body) => amara.call<Collection>('acceptOffer', body, { params: { id }, key: 'once' })
    const first = await accept({})
    expect(await accept({})).toEqual(first)
    expect(issuer.calls('token')).toBe(1)
    expect(await refusalOf(accept({ copies: 2 }))).toBe('idempotency_mismatch')
  })

  test('a renewal under one idempotency key is made once', async () => {
    const { amara, issuer } = await meeting(scene)
    const { id } = await collect(amara, issuer)
    const renew = () => amara.call<Collection>('renewOffer', undefined, { params: { id }, key: 'renewal-1' })
    const first = await renew()
    expect(await renew()).toEqual(first)
    expect([issuer.calls('token'), issuer.calls('credential')]).toEqual([2, 2])
    expect(await heldIn(amara)).toHaveLength(2)
  })

  test('another citizen can neither see nor use an offer', async () => {
    const { amara, issuer, office } = await meeting(scene)
    const kofi = await citizenAt(office, 'kofi')
    const offer = await handIn(amara, issuer)
    expect(await kofi.call('listOffers')).toEqual({ items: [] })
    for (const operation of ['getOffer', 'acceptOffer', 'collectOffer', 'renewOffer', 'declineOffer']) {
      const body = operation === 'acceptOffer' ? {} : undefined
      expect(await refusalOf(step(kofi, operation, offer, body))).toBe('collection_unknown')
    }
  })
})

onSqlite(scene => {
  test('an expired offer is gone', async () => {
    const { amara, issuer, clock, office } = await meeting(scene)
    const offer = await handIn(amara, issuer)
    clock.advance(25 * 3_600_000)
    expect(await refusalOf(step(await signedIn(office, 'amara'), 'acceptOffer', offer, {}))).toBe('collection_unknown')
  })

  test('batches have a key a credential, as many as the issuer allows (section 3.3.2)', async () => {
    const { amara, issuer } = await meeting(scene)
    const done = await collect(amara, issuer, { copies: 20 })
    expect(done.collected[0]?.heldIds).toHaveLength(3)
    const holders = (await heldIn(amara)).map(({ holder }) => holder)
    expect(new Set(holders).size).toBe(3)
  })

  test('identifiers of the token response are what is asked for (section 8.2)', async () => {
    const { amara, issuer } = await meeting(scene)
    issuer.state.identifiers = true
    expect(await collect(amara, issuer)).toMatchObject({ state: 'collected' })
    const asked = JSON.parse(issuer.seen.find(({ endpoint }) => endpoint === 'credential')?.text ?? '{}') as Body
    expect(asked['credential_identifier']).toBe('licence-dataset')
    expect(asked['credential_configuration_id']).toBeUndefined()
  })

  test('no key is made before it is known how much a token is good for, and nobody is good for too much', async () => {
    const { amara, issuer, nation } = await meeting(scene)
    const identifiers = (from: number) => ({
      ...{ type: 'openid_credential', credential_configuration_id: 'identity' },
      credential_identifiers: Array.from({ length: 51 }, (_, at) => `dataset-${from + at}`),
    })
    issuer.twist.token = withBody(body => ({ ...body, authorization_details: [identifiers(0)] }))
    expect(await refusalOf(collect(amara, issuer))).toBe('wallet_full')
    expect(nation.state.named).toBe(0)
    issuer.twist.token = withBody(body => ({ ...body, authorization_details: [identifiers(0), identifiers(51)] }))
    expect(await refusalOf(collect(amara, issuer))).toBe('issuer_answer_malformed')
    delete issuer.twist.token
    expect(await collect(amara, issuer)).toMatchObject({ state: 'collected' })
    expect(nation.state.named).toBeGreaterThan(0)
  })

  test('a transaction code is held against its form before a try is used up, and tries are told and end', async () => {
    const { amara, issuer } = await meeting(scene)
    issuer.state.txCode = '493536'
    const offer = await handIn(amara, issuer)
    const accept = (txCode?: string) => step(amara, 'acceptOffer', offer, txCode === undefined ? {} : { txCode })
    expect(await refusalOf(accept())).toBe('tx_code_missing')
    expect(await refusalOf(accept('49353'))).toBe('tx_code_form')
    expect(await refusalOf(accept('49353x'))).toBe('tx_code_form')
    expect(issuer.calls('token')).toBe(0)
    for (let tries = 1; tries <= 5; tries += 1) {
      await expect(accept('000000')).rejects.toMatchObject({ code: 'tx_code_refused', facts: { tries, triesMost: 5 } })
    }
    expect(await refusalOf(accept('493536'))).toBe('tx_code_exhausted')
    expect(issuer.calls('token')).toBe(5)
  })

  test('a code that nobody asked for is not sent', async () => {
    const { amara, issuer } = await meeting(scene)
    expect(await refusalOf(collect(amara, issuer, { txCode: '1234' }))).toBe('tx_code_unasked')
    expect(issuer.calls('token')).toBe(0)
  })

  test('a nonce that is refused once is fetched anew, and twice is a refusal (section 8.3.1.2)', async () => {
    const { amara, issuer } = await meeting(scene)
    let refusals = 1
    issuer.twist.credential = honest => {
      refusals -= 1
      return refusals >= 0 ? { status: 400, body: { error: 'invalid_nonce' } } : honest
    }
    expect(await collect(amara, issuer)).toMatchObject({ state: 'collected' })
    expect(issuer.calls('nonce')).toBe(2)
    refusals = 5
    await expect(collect(amara, issuer)).rejects.toMatchObject({
      code: 'issuer_refused',
      facts: { error: 'invalid_nonce' },
    })
    expect(refusals).toBe(3)
  })

  test('a nonce for DPoP is answered once (RFC 9449, sections 8 and 9)', async () => {
    const { amara, issuer } = await meeting(scene)
    const asksForNonce = (honest: Reply, { headers }: { headers: Record<string, unknown> }): Reply => {
      const claims = String(headers['dpop']).split('.')[1] ?? ''
      const { nonce } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Body
      if (nonce === 'server-nonce') return honest
      return { status: 400, headers: { 'dpop-nonce': 'server-nonce' }, body: { error: 'use_dpop_nonce' } }
    }
    issuer.twist.token = asksForNonce
    expect(await collect(amara, issuer)).toMatchObject({ state: 'collected' })
    expect(issuer.calls('token')).toBe(2)
    issuer.twist.token = () => ({ status: 400, headers: { 'dpop-nonce': 'other' }, body: { error: 'use_dpop_nonce' } })
    expect(await refusalOf(collect(amara, issuer))).toBe('issuer_refused')
    expect(issuer.calls('token')).toBe(4)
  })

  test('a token that is not bound although the server binds tokens is refused', async () => {
    const { amara, issuer } = await meeting(scene)
    issuer.twist.token = withBody(body => ({ ...body, token_type: 'Bearer' }))
    expect(await refusalOf(collect(amara, issuer))).toBe('token_downgraded')
    expect(issuer.calls('credential')).toBe(0)
  })

  test('by an authorisation code: pushed request, PKCE, state and issuer are judged (RFC 9126, 7636, 9207)', async () => {
    const { amara, issuer } = await meeting(scene, {
      grants: { authorization_code: { issuer_state: 'state-of-issuer' } },
    })
    const asked = await collect(amara, issuer)
    expect(asked).toMatchObject({ state: 'authorizing', collected: [] })
    const url = new URL(String(asked.authorizationUrl))
    expect(url.origin + url.pathname).toBe(`${issuer.origin}/authorize`)
    expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri'])
    const [sent] = issuer.seen.filter(({ endpoint }) => endpoint === 'par')
    const pushed = Object.fromEntries(new URLSearchParams(sent?.text))
    expect(pushed).toMatchObject({
      ...{ response_type: 'code', code_challenge_method: 'S256', issuer_state: 'state-of-issuer', scope: 'identity' },
      ...{
        redirect_uri: 'https://wallet.example/wallet/authorization-response',
        client_id: 'https://wallet.example/wallet',
      },
    })
    const state = String(pushed?.['state'])
    const back = (members: Record<string, string>) => {
      const response = `https://wallet.example/wallet/authorization-response?${new URLSearchParams(members)}`
      return step(amara, 'continueOffer', asked, { response })
    }
    const good = { state, iss: issuer.origin, code: issuer.codes.authorization }
    expect(await refusalOf(back({ ...good, state: 'another' }))).toBe('authorization_response_mismatch')
    expect(await refusalOf(back({ ...good, iss: 'https://mix-up.example' }))).toBe('authorization_response_mismatch')
    expect(await refusalOf(back({ state, code: good.code }))).toBe('authorization_response_mismatch')
    expect(await refusalOf(back({ state, iss: good.iss, error: 'access_denied' }))).toBe('authorization_denied')
    expect(await refusalOf(back({ state, iss: good.iss }))).toBe('authorization_response_mismatch')
    expect(issuer.calls('token')).toBe(0)
    expect(await back(good)).toMatchObject({ state: 'collected' })
    expect(await refusalOf(back(good))).toBe('collection_step')
  })

  test('what the citizen wants to see first is kept only then, and given back otherwise (section 11.1)', async () => {
    const { amara, issuer } = await meeting(scene)
    const first = await collect(amara, issuer, { review: true })
    expect(first).toMatchObject({
      state: 'received',
      collected: [{ claims: [expect.objectContaining({ familyName: expect.any(String) })] }],
    })
    expect(await heldIn(amara)).toEqual([])
    expect(await step(amara, 'collectOffer', first)).toMatchObject({ state: 'collected' })
    expect(await heldIn(amara)).toHaveLength(1)
    const second = await collect(amara, issuer, { review: true })
    await step(amara, 'declineOffer', second)
    expect(await heldIn(amara)).toHaveLength(1)
    expect(issuer.notified().map(({ event }) => event)).toEqual(['credential_accepted', 'credential_deleted'])
    expect(await refusalOf(step(amara, 'getOffer', second))).toBe('collection_unknown')
  })

  test('what a renewal brings is seen first as well, by whoever wanted to see the first', async () => {
    const { amara, issuer } = await meeting(scene)
    const first = await collect(amara, issuer, { review: true })
    expect(await step(amara, 'collectOffer', first)).toMatchObject({ state: 'collected' })
    expect(await step(amara, 'renewOffer', first)).toMatchObject({ state: 'received' })
    expect(await heldIn(amara)).toHaveLength(1)
    expect(await step(amara, 'collectOffer', first)).toMatchObject({ state: 'collected' })
    expect(await heldIn(amara)).toHaveLength(2)
  })

  test('an offer that is declined while nothing can be judged is given back (section 11.1)', async () => {
    const { amara, issuer, nation } = await meeting(scene)
    nation.state.reachable = false
    await step(amara, 'declineOffer', await collect(amara, issuer))
    expect(issuer.notified().map(({ event }) => event)).toEqual(['credential_deleted'])
    expect(await heldIn(amara)).toEqual([])
  })

  test('what comes while something else is looked at is kept by no call that did not show it', async () => {
    const { amara, issuer, clock } = await meeting(scene, { configurations: { identity: sdJwt, second: sdJwt } })
    issuer.twist.credential = honest => {
      issuer.state.deferred = true
      return honest
    }
    const first = await collect(amara, issuer, { review: true })
    expect(first.collected.map(({ state }) => state)).toEqual(['received', 'deferred'])
    issuer.state.ready = true
    clock.advance(61_000)
    const seen = await step(amara, 'collectOffer', first)
    expect(seen.collected.map(({ state }) => state)).toEqual(['kept', 'deferred'])
    expect([issuer.calls('deferred'), (await heldIn(amara)).length]).toEqual([0, 1])
    expect(await step(amara, 'collectOffer', first)).toMatchObject({ state: 'received' })
    expect(await heldIn(amara)).toHaveLength(1)
    expect(await step(amara, 'collectOffer', first)).toMatchObject({ state: 'collected' })
    expect(await heldIn(amara)).toHaveLength(2)
  })

  test('a collection is renewed by its refresh token, and what was there stays (section 13.5)', async () => {
    const { amara, issuer, clock, office } = await meeting(scene)
    const done = await collect(amara, issuer)
    expect(done['renewable']).toBe(true)
    clock.advance(10 * 24 * 3_600_000)
    const later = await signedIn(office, 'amara')
    const renewed = await step(later, 'renewOffer', done)
    expect(renewed).toMatchObject({ state: 'collected', replaces: done.collected[0]?.heldIds })
    expect(await heldIn(later)).toHaveLength(2)
    issuer.codes.refresh = 'withdrawn'
    expect(await refusalOf(step(later, 'renewOffer', done))).toBe('issuer_refused')
    expect(await heldIn(later)).toHaveLength(2)
  })

  test('of a collection that has ended nothing is kept that opens anything, but what renews it', async () => {
    const { amara, issuer, office, nation } = await meeting(scene)
    const tokens: string[] = []
    let more: Body = {}
    issuer.twist.token = withBody(body => {
      tokens.push(String(body['access_token']))
      return { ...body, ...more }
    })
    const renewable = await keptOf(office, amara, await collect(amara, issuer))
    expect(renewable).toContain(issuer.codes.refresh)
    more = { refresh_token: undefined }
    const done = await collect(amara, issuer)
    expect(done['renewable']).toBe(false)
    const last = await keptOf(office, amara, done)
    expect(last).not.toContain('"d":')
    issuer.twist.credential = honest => {
      nation.revokeLast()
      return honest
    }
    const offer = await handIn(amara, issuer)
    expect(await refusalOf(step(amara, 'acceptOffer', offer, {}))).toBe('credential_revoked')
    const failed = await keptOf(office, amara, offer)
    expect(tokens).toHaveLength(3)
    for (const kept of [renewable, last, failed]) {
      for (const secret of [...tokens, issuer.codes.preAuthorized]) expect(kept).not.toContain(secret)
    }
  })

  test('a token is kept while the issuer has to be told, and an end that nothing can renew is kept a day', async () => {
    const { amara, issuer, office, clock } = await meeting(scene)
    let token = ''
    issuer.twist.token = withBody(body => {
      token = String(body['access_token'])
      return { ...body, refresh_token: undefined }
    })
    issuer.twist.notification = () => ({ status: 503 })
    const done = await collect(amara, issuer)
    expect(await keptOf(office, amara, done)).toContain(token)
    expect(Date.parse(String(done['expires'])) - clock.now()).toBeLessThanOrEqual(24 * 3_600_000)
    delete issuer.twist.notification
    expect(await step(amara, 'collectOffer', done)).toMatchObject({ collected: [{ issuerTold: true }] })
    expect(await keptOf(office, amara, done)).not.toContain(token)
  })

  test('an issuer that did not hear of a failure is told of it by the next call, and then nothing of its token is kept', async () => {
    const { amara, issuer, office, nation } = await meeting(scene, {
      configurations: { identity: sdJwt, other: sdJwt },
    })
    let token = ''
    issuer.twist.token = withBody(body => {
      token = String(body['access_token'])
      return { ...body, refresh_token: undefined }
    })
    const foreign = await nation.issue('NationalIdentity', await amara.newKey())
    const wrong = withBody(body => ({ ...body, credentials: [{ credential: foreign }] }))
    issuer.twist.credential = honest => {
      delete issuer.twist.credential
      return wrong(honest)
    }
    issuer.twist.notification = () => ({ status: 503 })
    const done = await collect(amara, issuer)
    expect(done).toMatchObject({ collected: [{ state: 'refused', issuerTold: false }, { state: 'kept' }] })
    expect(await keptOf(office, amara, done)).toContain(token)
    delete issuer.twist.notification
    const unheard = issuer.notified().length
    const told = { collected: [{ issuerTold: true }, { issuerTold: true }] }
    expect(await step(amara, 'collectOffer', done)).toMatchObject(told)
    const heard = issuer.notified().slice(unheard)
    expect(heard.map(({ event }) => event)).toEqual(['credential_failure', 'credential_accepted'])
    expect(await keptOf(office, amara, done)).not.toContain(token)
  })

  test.each([
    ['metadata', '/.well-known/openid-credential-issuer'],
    ['server', '/.well-known/oauth-authorization-server'],
  ] as const)('the %s of an issuer stand where they are asked for, and nowhere else', async (endpoint, path) => {
    const { amara, issuer } = await meeting(scene)
    issuer.twist[endpoint] = honest => {
      if (issuer.calls(endpoint) > 1) return honest
      return { status: 302, headers: { location: `${issuer.origin}${path}?elsewhere` } }
    }
    expect(await refusalOf(handIn(amara, issuer))).toBe('fetch_failed')
    expect(issuer.calls(endpoint)).toBe(1)
  })

  test('a server with endpoints on different origins says who it is, or gives no code that is redeemed (RFC 9207)', async () => {
    const apart = { authorization_endpoint: 'https://login.example.com/authorize' }
    const silent = { ...apart, authorization_response_iss_parameter_supported: undefined }
    const grants = { authorization_code: {} }
    const { amara, issuer } = await meeting(scene, { server: silent, grants })
    expect(await refusalOf(collect(amara, issuer))).toBe('server_metadata_refused')
    expect(issuer.calls('par')).toBe(0)
    issuer.only({ server: withBody(body => ({ ...body, authorization_response_iss_parameter_supported: true })) })
    expect(await collect(amara, issuer)).toMatchObject({ state: 'authorizing' })
    const together = { ...silent, authorization_endpoint: `${issuer.origin}/authorize` }
    issuer.only({ server: withBody(body => ({ ...body, ...together })) })
    expect(await collect(amara, issuer)).toMatchObject({ state: 'authorizing' })
  })

  test('what the issuer cannot give now is asked for again', async () => {
    const { amara, issuer } = await meeting(scene)
    issuer.twist.credential = () => ({ status: 503, body: { error: 'temporarily_unavailable' } })
    const offer = await handIn(amara, issuer)
    expect(await refusalOf(step(amara, 'acceptOffer', offer, {}))).toBe('issuer_unavailable')
    expect(await step(amara, 'getOffer', offer)).toMatchObject({
      state: 'collecting',
      collected: [{ problem: 'issuer_unavailable' }],
    })
    delete issuer.twist.credential
    expect(await step(amara, 'collectOffer', offer)).toMatchObject({ state: 'collected' })
    expect(issuer.calls('token')).toBe(1)
  })

  const garbage: [Endpoint, string, Reply, string][] = [
    ['offer', 'is of another media type', { status: 200, type: 'application/jwt', raw: 'e30.e30.' }, 'offer_malformed'],
    ['offer', 'is no JSON', { status: 200, raw: '{' }, 'offer_malformed'],
    ['offer', 'is a bomb', { status: 200, raw: ' '.repeat(20_000) }, 'fetch_too_large'],
    [
      'offer',
      'leads to a service on this machine',
      { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      'url_forbidden',
    ],
    ['metadata', 'are no JSON', { status: 200, raw: 'nothing' }, 'issuer_answer_malformed'],
    [
      'metadata',
      'are nested without end',
      { status: 200, raw: `${'['.repeat(9_000)}${']'.repeat(9_000)}` },
      'issuer_answer_malformed',
    ],
    ['metadata', 'are a bomb', { status: 200, raw: `"${'x'.repeat(600_000)}"` }, 'fetch_too_large'],
    ['metadata', 'are not there', { status: 404 }, 'fetch_failed'],
    ['server', 'is no object', { status: 200, body: [] }, 'issuer_answer_malformed'],
    [
      'server',
      'leads to the metadata of the cloud',
      { status: 307, headers: { location: 'http://169.254.169.254/' } },
      'fetch_failed',
    ],
    ['token', 'is no JSON', { status: 200, raw: '<html>' }, 'issuer_answer_malformed'],
    ['token', 'has no token', { status: 200, body: { token_type: 'DPoP' } }, 'issuer_answer_malformed'],
    [
      'token',
      'is of an unknown kind',
      { status: 200, body: { access_token: 'x', token_type: 'mac' } },
      'issuer_answer_malformed',
    ],
    ['token', 'is a redirect', { status: 302, headers: { location: 'http://127.0.0.1/' } }, 'issuer_refused'],
    ['nonce', 'has none', { status: 200, body: {} }, 'issuer_answer_malformed'],
    ['credential', 'is empty', { status: 200, body: {} }, 'issuer_answer_malformed'],
    ['credential', 'has no credentials', { status: 200, body: { credentials: [] } }, 'issuer_answer_malformed'],
    [
      'credential',
      'has more than were asked for',
      { status: 200, body: { credentials: [{ credential: 'a' }, { credential: 'b' }] } },
      'issuer_answer_malformed',
    ],
    [
      'credential',
      'has both outcomes',
      { status: 202, body: { transaction_id: 'a', interval: 1, credentials: [{ credential: 'a' }] } },
      'issuer_answer_malformed',
    ],
    [
      'credential',
      'is deferred with 200',
      { status: 200, body: { transaction_id: 'a', interval: 1 } },
      'issuer_answer_malformed',
    ],
    [
      'credential',
      'is no credential',
      { status: 200, body: { credentials: [{ credential: 'nonsense' }] } },
      'credential_malformed',
    ],
    ['credential', 'is a bomb', { status: 200, raw: `"${'x'.repeat(1_100_000)}"` }, 'fetch_too_large'],
    ['credential', 'is denied', { status: 400, body: { error: 'credential_request_denied' } }, 'issuer_refused'],
  ]
  /** What each of a table's cases comes to, by its first two members. */
  const outcomes = async <Case extends readonly [string, string, ...unknown[]]>(
    cases: readonly Case[],
    run: (each: Case) => Promise<unknown>,
  ): Promise<Record<string, string | undefined>> => {
    const found: Record<string, string | undefined> = {}
    for (const each of cases) found[`${each[0]}: ${each[1]}`] = await refusalOf(run(each))
    return found
  }
  const expectedOf = (cases: readonly (readonly [string, string, unknown, string])[]) =>
    Object.fromEntries(cases.map(([place, what, , code]) => [`${place}: ${what}`, code]))

  test('garbage, bombs and redirects of an issuer are refused by name, and nothing is kept', async () => {
    const { amara, issuer } = await meeting(scene)
    const found = await outcomes(garbage, async ([endpoint, , reply]) => {
      issuer.only({ [endpoint]: () => reply })
      return collect(amara, issuer)
    })
    expect(found).toEqual(expectedOf(garbage))
    expect(await heldIn(amara)).toEqual([])
  })

  const lies: [Endpoint, string, Body, string][] = [
    [
      'metadata',
      'are those of another issuer',
      { credential_issuer: 'https://other.example' },
      'issuer_metadata_refused',
    ],
    [
      'metadata',
      'have no credential endpoint',
      { credential_endpoint: 'javascript:alert(1)' },
      'issuer_metadata_refused',
    ],
    [
      'metadata',
      'know nothing of what is offered',
      { credential_configurations_supported: {} },
      'configuration_unknown',
    ],
    [
      'metadata',
      'want what nobody can encrypt',
      {
        credential_request_encryption: {
          jwks: { keys: [] },
          enc_values_supported: ['A128GCM'],
          encryption_required: true,
        },
      },
      'issuer_metadata_refused',
    ],
    [
      'metadata',
      'name an endpoint on this machine',
      { credential_endpoint: 'http://127.0.0.1:1/credential' },
      'url_forbidden',
    ],
    [
      'metadata',
      'name a server that is not https',
      { authorization_servers: ['http://server.example'] },
      'url_forbidden',
    ],
    ['server', 'are those of another server', { issuer: 'https://other.example' }, 'server_metadata_refused'],
    ['server', 'have no token endpoint', { token_endpoint: undefined }, 'server_metadata_refused'],
    ['server', 'do not take S256', { code_challenge_methods_supported: ['plain'] }, 'server_metadata_refused'],
    [
      'server',
      'want a wallet attestation that nobody makes',
      { token_endpoint_auth_methods_supported: ['attest_jwt_client_auth'] },
      'wallet_attestation_unavailable',
    ],
    [
      'server',
      'serve no grant that is offered',
      { grant_types_supported: ['client_credentials'] },
      'grant_unsupported',
    ],
  ]
  test('metadata that lie are refused by name (sections 12.2 and 12.3)', async () => {
    const { amara, issuer } = await meeting(scene)
    const found = await outcomes(lies, async ([endpoint, , change]) => {
      issuer.only({ [endpoint]: withBody(body => ({ ...body, ...change })) })
      return collect(amara, issuer)
    })
    expect(found).toEqual(expectedOf(lies))
    expect(await heldIn(amara)).toEqual([])
  })

  const unfit: [string, Body, string][] = [
    ['without vct', { vct: undefined }, 'configuration_unsupported'],
    ['of an unknown format', { format: 'anoncreds' }, 'configuration_unsupported'],
    ['that is bound to nothing', { cryptographic_binding_methods_supported: undefined }, 'configuration_unsupported'],
    [
      'that is bound by an unknown DID',
      { cryptographic_binding_methods_supported: ['did:example'] },
      'configuration_unsupported',
    ],
    [
      'that takes no proof with ES256',
      { proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['RS256'] } } },
      'configuration_unsupported',
    ],
    [
      'that needs an attested key',
      {
        proof_types_supported: {
          jwt: { proof_signing_alg_values_supported: ['ES256'], key_attestations_required: {} },
        },
      },
      'key_attestation_unavailable',
    ],
  ]
  test('a credential that this wallet could not keep is not collected', async () => {
    const { amara, issuer } = await meeting(scene)
    const cases = unfit.map(([what, change, code]) => ['credential', what, change, code] as const)
    const found = await outcomes(cases, async ([, , change]) => {
      const configurations = { identity: { ...sdJwt, ...change } }
      issuer.only({ metadata: withBody(body => ({ ...body, credential_configurations_supported: configurations })) })
      return handIn(amara, issuer)
    })
    expect(found).toEqual(expectedOf(cases))
  })

  test('what cannot be collected is shown with the reason, and leaves the rest', async () => {
    const { amara, issuer } = await meeting(scene, {
      configurations: { identity: sdJwt, other: { ...sdJwt, format: 'anoncreds' } },
    })
    const offer = await handIn(amara, issuer)
    expect(offer['offered']).toEqual([
      expect.not.objectContaining({ refusal: expect.anything() }),
      expect.objectContaining({ configurationId: 'other', refusal: 'configuration_unsupported' }),
    ])
    expect(await refusalOf(step(amara, 'acceptOffer', offer, { credentialConfigurationIds: ['other'] }))).toBe(
      'configuration_unsupported',
    )
    expect(await refusalOf(step(amara, 'acceptOffer', offer, { credentialConfigurationIds: ['third'] }))).toBe(
      'configuration_unknown',
    )
    expect(await step(amara, 'acceptOffer', offer, {})).toMatchObject({
      state: 'collected',
      collected: [{ configurationId: 'identity' }],
    })
  })

  test('an offer that names a server which the issuer does not have is refused (section 4.1.1)', async () => {
    const { amara, issuer } = await meeting(scene, {
      grants: { authorization_code: { authorization_server: 'https://evil.example' } },
    })
    expect(await refusalOf(handIn(amara, issuer))).toBe('authorization_server_unknown')
  })

  test('a credential that is bound to another key is not kept, and the issuer is told', async () => {
    const { amara, issuer, nation } = await meeting(scene)
    const foreign = await nation.issue('NationalIdentity', await amara.newKey())
    issuer.twist.credential = withBody(body => ({ ...body, credentials: [{ credential: foreign }] }))
    expect(await refusalOf(collect(amara, issuer))).toBe('collected_other_key')
    expect(await heldIn(amara)).toEqual([])
    expect(issuer.notified()).toEqual([{ notification_id: 'notification-1', event: 'credential_failure' }])
  })

  test('a batch with two credentials for one key is not kept', async () => {
    const { amara, issuer } = await meeting(scene)
    issuer.twist.credential = withBody(body => {
      const [first] = body['credentials'] as unknown[]
      return { ...body, credentials: [first, first] }
    })
    expect(await refusalOf(collect(amara, issuer, { copies: 2 }))).toBe('collected_other_key')
    expect(await heldIn(amara)).toEqual([])
  })

  test('a credential of another type than was offered is not kept', async () => {
    const give = async ({ did }: Holder): Promise<string> => (await world).nation.issue('DrivingLicence', did)
    const world: ReturnType<typeof meeting> = meeting(scene, { give })
    const { amara, issuer } = await world
    expect(await refusalOf(collect(amara, issuer))).toBe('collected_other_type')
    expect(await heldIn(amara)).toEqual([])
  })

  test('a credential in the name of somebody else is not kept (section 13.4)', async () => {
    const { amara, issuer, nation } = await meeting(scene)
    nation.reach.speaks.clear()
    expect(await refusalOf(collect(amara, issuer))).toBe('collected_other_issuer')
    expect(await heldIn(amara)).toEqual([])
  })

  test('a revoked credential is not kept', async () => {
    const { amara, issuer, nation } = await meeting(scene)
    issuer.twist.credential = honest => {
      nation.revokeLast()
      return honest
    }
    expect(await refusalOf(collect(amara, issuer))).toBe('credential_revoked')
  })

  test('requests and answers are encrypted where the issuer takes it, and must be where it says so (section 10)', async () => {
    const { amara, issuer } = await meeting(scene)
    const encryption = {
      credential_request_encryption: {
        jwks: { keys: [issuer.encryptionKey] },
        enc_values_supported: ['A256GCM'],
        encryption_required: true,
      },
      credential_response_encryption: {
        alg_values_supported: ['ECDH-ES'],
        enc_values_supported: ['A256GCM'],
        encryption_required: true,
      },
    }
    issuer.twist.metadata = withBody(body => ({ ...body, ...encryption }))
    issuer.state.deferred = true
    const waiting = await collect(amara, issuer)
    expect(waiting).toMatchObject({ state: 'deferred' })
    const sent = issuer.seen.find(({ endpoint }) => endpoint === 'credential')
    expect(sent?.headers['content-type']).toBe('application/jwt')
    expect(sent?.text.split('.')).toHaveLength(5)
    issuer.state.deferred = false
    expect(await collect(amara, issuer)).toMatchObject({ state: 'collected' })
    issuer.twist.credential = honest => ({ status: honest.status, body: honest.body })
    expect(await refusalOf(collect(amara, issuer))).toBe('answer_unencrypted')
    issuer.twist.credential = honest => ({ ...honest, raw: `${honest.raw?.slice(0, -4)}AAAA` })
    expect(await refusalOf(collect(amara, issuer))).toBe('decryption_failed')
  })

  test('answers that must be encrypted without a way to send the key are refused (section 8.2)', async () => {
    const { amara, issuer } = await meeting(scene)
    const encryption = {
      alg_values_supported: ['ECDH-ES'],
      enc_values_supported: ['A128GCM'],
      encryption_required: true,
    }
    issuer.twist.metadata = withBody(body => ({ ...body, credential_response_encryption: encryption }))
    expect(await refusalOf(handIn(amara, issuer))).toBe('issuer_metadata_refused')
  })

  test.each(['jwt_vc_json', 'ldp_vc', 'vc+jwt'])(
    '%s of an issuer made with libraries of others is collected',
    async format => {
      const configuration = {
        ...{ format, proof_types_supported: proofTypes, cryptographic_binding_methods_supported: ['did:key', 'jwk'] },
        credential_definition: {
          '@context': ['https://www.w3.org/ns/credentials/v2'],
          type: ['VerifiableCredential', 'NationalIdentity'],
        },
      }
      const native = { jwt_vc_json: 'jwt_vc', ldp_vc: 'ldp_vc', 'vc+jwt': 'vc+jwt' }[format] as 'jwt_vc'
      const give = async ({ did }: Holder): Promise<unknown> => {
        const compact = await (await world).nation.issue('NationalIdentity', did, {}, native)
        return native === ('ldp_vc' as string) ? JSON.parse(compact) : compact
      }
      const world: ReturnType<typeof meeting> = meeting(scene, { give, configurations: { identity: configuration } })
      const { amara, issuer } = await world
      expect(await collect(amara, issuer)).toMatchObject({ state: 'collected' })
      const [held] = await heldIn(amara)
      await amara.present(String(held?.['id']), {
        claims: Object.keys(
          (await amara.call('getHeld', undefined, { params: { id: String(held?.['id']) } }))['claims'] as Body,
        ).filter(name => name !== 'id'),
      })
    },
  )

  const diploma = { ...sdJwt, vct: 'https://university.example/diploma' }
  const theirDiploma = (scene: () => Promise<Scene>, more: Body = {}) => {
    const give = async ({ jwk }: Holder): Promise<string> => {
      const { crv, kty, x, y } = jwk
      const claims = { vct: diploma.vct, cnf: { jwk: { crv, kty, x, y } }, degree: 'Master', grade: 1, ...more }
      return (await world).issuer.sdJwt(claims, ['grade'])
    }
    const world: ReturnType<typeof meeting> = meeting(scene, { give, configurations: { diploma } })
    return world
  }

  test('a credential of an issuer that nobody accredited is kept with a mark, where the wallet keeps such, and presented', async () => {
    const { amara, issuer, nation } = await theirDiploma(scene)
    expect(await refusalOf(collect(amara, issuer))).toBe('schema_unknown')
    nation.reach.foreign = true
    expect(await collect(amara, issuer)).toMatchObject({ state: 'collected' })
    const [held, ...others] = await heldIn(amara)
    expect(others).toEqual([])
    expect(held).toMatchObject({ type: diploma.vct, issuer: issuer.origin, trust: 'unaccredited', format: 'dc+sd-jwt' })
    const { verifiablePresentation } = await amara.present(String(held?.['id']), { claims: ['degree'] })
    expect(verifiablePresentation.split('~')).toHaveLength(2)
  })

  test('nobody but an accredited issuer gives a credential of a type of this nation', async () => {
    const { amara, issuer, nation } = await theirDiploma(scene, { vct })
    nation.reach.foreign = true
    issuer.twist.metadata = withBody(body => ({ ...body, credential_configurations_supported: { diploma: sdJwt } }))
    expect(await refusalOf(collect(amara, issuer))).not.toBeUndefined()
    expect(await heldIn(amara)).toEqual([])
  })

  test.each([
    ['by its vct', { vct, aka_vcts: vct }],
    ['by another that it claims beside', { aka_vcts: [vct] }],
    ['by a list that is none', { aka_vcts: vct }],
    ['by its name', { vct: 'NationalIdentity' }],
  ])('who judges strangers does not take a type of this nation from them: %s', async (_how, claims) => {
    const { issuer, nation } = await theirDiploma(scene)
    const given = (more: Body) => issuer.sdJwt({ vct: diploma.vct, degree: 'Master', ...more }, ['degree'])
    expect(await nation.judgeForeign(await given({}))).toMatchObject({ verified: true })
    expect(await nation.judgeForeign(await given(claims))).toMatchObject({
      verified: false,
      refusal: { code: 'issuer_unaccredited' },
    })
  })

  const v2 = 'https://www.w3.org/ns/credentials/v2'
  const examples = 'https://www.w3.org/ns/credentials/examples/v2'
  test.each([
    ['by its name', ['NationalIdentity']],
    ['by its IRI', ['https://chancery.example/ns#NationalIdentity']],
    ['by another name for it', ['Passport']],
    ['beside another', ['UniversityDegreeCredential', 'https://chancery.example/ns#DrivingLicence']],
  ])('nor a W3C credential of such a type: %s', async (_how, more) => {
    const { nation } = await scene()
    const stranger = newSigner('P-256')
    const given = (names: string[]) =>
      signed(
        { typ: 'vc+jwt', kid: stranger.verificationMethod },
        {
          ...{
            '@context': [v2, examples, { Passport: 'https://chancery.example/ns#NationalIdentity' }],
            type: ['VerifiableCredential', ...names],
            issuer: stranger.did,
          },
          credentialSubject: { id: 'did:example:somebody', degree: { type: 'ExampleBachelorDegree', name: 'Arts' } },
        },
        stranger.privateKey,
      )
    expect(await nation.judgeForeign(given(['UniversityDegreeCredential']))).toMatchObject({ verified: true })
    expect(await nation.judgeForeign(given(more))).toMatchObject({
      verified: false,
      refusal: { code: 'issuer_unaccredited' },
    })
  })

  const forged: [string, Body | ((issuer: TheirIssuer) => void), string][] = [
    ['in the name of another issuer', { iss: 'https://127.0.0.1' }, 'url_forbidden'],
    ['that has expired', { exp: 1_700_000_000 }, 'credential_expired'],
    ['of the future', { iat: 4_000_000_000 }, 'credential_not_yet_valid'],
    ['that is bound to nobody', { cnf: undefined }, 'collected_other_key'],
    ['with a status of an unknown kind', { status: { other: {} } }, 'status_type_unknown'],
    [
      'whose issuer publishes the keys of somebody else',
      ({ twist }) => {
        twist.keys = withBody(body => ({ ...body, issuer: 'https://other.example' }))
      },
      'issuer_metadata_refused',
    ],
    [
      'whose issuer publishes another key',
      ({ twist }) => {
        twist.keys = withBody(body => ({
          ...body,
          jwks: {
            keys: [
              {
                kty: 'EC',
                crv: 'P-256',
                kid: 'theirs',
                x: 'TCAER19Zvu3OHF4j4W4vfSVoHIP1ILilDls7vCeGemc',
                y: 'ZxjiWWbZMQGHVWKVQ4hbSIirsVfuecCE6t4jT9F2HZQ',
              },
            ],
          },
        }))
      },
      'signature_invalid',
    ],
  ]
  test.each(forged)('an unaccredited credential %s is not kept', async (_what, change, code) => {
    const { amara, issuer, nation } = await theirDiploma(scene, typeof change === 'function' ? {} : change)
    nation.reach.foreign = true
    if (typeof change === 'function') change(issuer)
    expect(await refusalOf(collect(amara, issuer))).toBe(code)
    expect(await heldIn(amara)).toEqual([])
  })

  test('a wallet that begins itself asks the issuer by its identifier (section 3.4)', async () => {
    const { amara, issuer } = await meeting(scene)
    const wish = { issuer: issuer.origin, credentialConfigurationIds: ['identity'] }
    const offer = await amara.call<Collection>('readOffer', wish)
    expect(offer).toMatchObject({ grants: [{ grant: 'authorization-code', authorizationServer: issuer.origin }] })
    expect(await refusalOf(step(amara, 'acceptOffer', offer, { grant: 'pre-authorized' }))).toBe('grant_unsupported')
    expect(await step(amara, 'acceptOffer', offer, {})).toMatchObject({ state: 'authorizing' })
    const strange = { issuer: 'https://127.0.0.1', credentialConfigurationIds: ['identity'] }
    expect(await refusalOf(amara.call('readOffer', strange))).toBe('url_forbidden')
    for (const nonsense of ['issuer', 'file:///etc/passwd', `${issuer.origin}?a=b`]) {
      expect(await refusalOf(amara.call('readOffer', { ...wish, issuer: nonsense }))).toBe('offer_malformed')
    }
  })

  test('a refusal of a notification changes nothing', async () => {
    const { amara, issuer } = await meeting(scene)
    issuer.twist.notification = () => ({ status: 400, body: { error: 'invalid_notification_id' } })
    const done = await collect(amara, issuer)
    expect(done).toMatchObject({ state: 'collected', collected: [{ issuerTold: false }] })
    delete issuer.twist.notification
    expect(await step(amara, 'collectOffer', done)).toMatchObject({ collected: [{ issuerTold: true }] })
    expect(await heldIn(amara)).toHaveLength(1)
  })
})
