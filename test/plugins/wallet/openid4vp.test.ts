import { createHash } from 'node:crypto'
import type { Members } from '../../identity/openid/vp/asking.ts'
import { type AskingVerifier, licenceVct, nameQuery, openAskingVerifier } from './asking-verifier.ts'
import {
  type Citizen,
  citizenAt,
  everythingStored,
  type Nation,
  onBothDatabases,
  refusalOf,
  type Scene,
  signedIn,
} from './fixture.ts'

type Shown = Members & {
  id: string
  digest: string
  satisfiable: boolean
  client: Members
  queries: { id: string; candidates: { heldId: string; shown: string[]; claims: Members[] }[] }[]
}
type Answered = Members & { disclosures: string[]; redirectUri?: string; data?: Members }

const read = (citizen: Citizen, link: string, key?: string) =>
  citizen.call<Shown>('readPresentationRequest', { link }, key === undefined ? {} : { key })

const answer = (citizen: Citizen, shown: Shown, more: Members = {}, key = 'k1') => {
  const credentials = shown.queries.flatMap(({ id, candidates }) =>
    candidates.slice(0, 1).map(({ heldId }) => ({ query: id, heldId })),
  )
  return citizen.call<Answered>(
    'answerPresentationRequest',
    { digest: shown.digest, credentials, ...more },
    { params: { request: shown.id }, key },
  )
}

const refuse = (citizen: Citizen, shown: Shown) =>
  citizen.call<Answered & { told: boolean }>('refusePresentationRequest', undefined, { params: { request: shown.id } })

const identityOf = async (citizen: Citizen, nation: Nation, claims: Members = {}): Promise<string> =>
  citizen.receive(
    await nation.issue('NationalIdentity', await citizen.newKey(), { familyName: 'Zwetschgenbaum', ...claims }),
  )

const presentationIn = (form: Record<string, string> | undefined, query = 'id'): string => {
  const token = JSON.parse(form?.['vp_token'] ?? '{}') as Record<string, string[]>
  return token[query]?.[0] ?? ''
}
const bindingOf = (presentation: string): Members =>
  JSON.parse(Buffer.from(presentation.split('~').at(-1)?.split('.')[1] ?? '', 'base64url').toString())

onBothDatabases(scene => {
  let verifier: AskingVerifier
  const begin = async (): Promise<Scene & { amara: Citizen; held: string }> => {
    const opened = await scene()
    verifier = await openAskingVerifier(opened.clock)
    const amara = await citizenAt(opened.office, 'amara')
    return { ...opened, amara, held: await identityOf(amara, opened.nation) }
  }
  afterEach(() => verifier.close())

  test('a verifier’s request is shown with what answers it, and nothing is sent', async () => {
    const { amara, held } = await begin()
    const shown = await read(amara, verifier.ask())
    expect(shown).toMatchObject({
      state: 'open',
      satisfiable: true,
      client: { id: verifier.clientId, assurance: 'did' },
    })
    expect(shown.queries[0]?.candidates).toEqual([
      {
        ...{ heldId: held, type: 'NationalIdentity', issuer: expect.stringContaining('did:ethr') },
        claims: [{ path: ['familyName'], values: ['Zwetschgenbaum'] }],
        shown: expect.arrayContaining(['familyName']),
      },
    ])
    expect(shown.queries[0]?.candidates[0]?.shown).not.toContain('givenName')
    expect([verifier.asked.length, verifier.answers.length]).toEqual([1, 0])
    const again = await amara.call<Shown>('reviewPresentationRequest', undefined, { params: { request: shown.id } })
    expect(again).toEqual(shown)
  })

  test('the citizen’s answer shows what was shown, to this verifier and this request, and is recorded', async () => {
    const { amara, nation, held } = await begin()
    const shown = await read(amara, verifier.ask())
    const answered = await answer(amara, shown)
    expect(answered).toMatchObject({ state: 'answered', redirectUri: 'https://shop.example/done#code=1' })
    expect(verifier.answers[0]?.['state']).toBe('state-1')
    const presentation = presentationIn(verifier.answers[0])
    const verdict = await nation.verifyPresentation(presentation, 'nonce-1', verifier.clientId)
    expect(verdict.refusal).toBeUndefined()
    expect(verdict.claims).toMatchObject({ familyName: 'Zwetschgenbaum' })
    expect(verdict.claims).not.toHaveProperty('givenName')
    const { items } = await amara.call<{ items: Members[] }>('listDisclosures')
    expect(items).toMatchObject([
      {
        ...{ id: answered.disclosures[0], heldId: held, audience: verifier.clientId, challenge: 'nonce-1' },
        ...{ verifier: { assurance: 'did' }, shown: shown.queries[0]?.candidates[0]?.shown },
      },
    ])
  })

  test('an answer is encrypted to the key of the request where that is asked for', async () => {
    const { amara, nation } = await begin()
    await answer(amara, await read(amara, verifier.ask(verifier.encrypted)))
    expect(Object.keys(verifier.answers[0] ?? {})).toEqual(['response'])
    const { vp_token: token, state } = await verifier.decrypt(verifier.answers[0]?.['response'] ?? '')
    expect(state).toBe('state-1')
    const [presentation] = (token as Record<string, string[]>)['id'] ?? []
    expect((await nation.verifyPresentation(presentation, 'nonce-1', verifier.clientId)).verified).toBe(true)
  })

  test('the same request is fetched once, and answered once', async () => {
    const { amara } = await begin()
    const link = verifier.ask()
    const shown = await read(amara, link, 'read-1')
    expect((await read(amara, link, 'read-1')).id).toBe(shown.id)
    expect((await read(amara, link)).id).toBe(shown.id)
    expect(verifier.asked).toHaveLength(1)
    const first = await answer(amara, shown)
    expect(await answer(amara, shown)).toEqual(first)
    expect(verifier.answers).toHaveLength(1)
    expect(await refusalOf(answer(amara, shown, {}, 'k2'))).toBe('wallet_request_closed')
    expect(await refusalOf(refuse(amara, shown))).toBe('wallet_request_closed')
    expect((await amara.call<{ items: unknown[] }>('listDisclosures')).items).toHaveLength(1)
  })

  test('of two answers at once the verifier gets one', async () => {
    const { amara } = await begin()
    const shown = await read(amara, verifier.ask())
    const outcomes = await Promise.all(['a', 'b'].map(key => refusalOf(answer(amara, shown, {}, key))))
    expect(outcomes.filter(code => code === undefined)).toHaveLength(1)
    expect(outcomes.filter(code => code === 'wallet_request_closed')).toHaveLength(1)
    expect(verifier.answers).toHaveLength(1)
  })

  test('consent that names something else than what was shown sends nothing', async () => {
    const { amara, nation, office } = await begin()
    const other = await identityOf(amara, nation, { givenName: 'Other' })
    const shown = await read(amara, verifier.ask())
    const licence = await amara.receive(await nation.issue('DrivingLicence', await amara.newKey()))
    const chosen = (heldId: string, query = 'id') => ({ credentials: [{ query, heldId }] })
    expect(await refusalOf(answer(amara, shown, { digest: 'x'.repeat(43) }))).toBe('wallet_request_changed')
    expect(await refusalOf(answer(amara, shown, chosen(licence)))).toBe('wallet_request_changed')
    expect(await refusalOf(answer(amara, shown, chosen(other, 'nothing')))).toBe('wallet_request_changed')
    const twice = { credentials: [...chosen(other).credentials, ...chosen(other).credentials] }
    expect(await refusalOf(answer(amara, shown, twice))).toBe('presentation_choice')
    const bruno = await citizenAt(office, 'bruno')
    expect(await refusalOf(answer(bruno, shown))).toBe('wallet_request_unknown')
    expect(await refusalOf(bruno.call('reviewPresentationRequest', undefined, { params: { request: shown.id } }))).toBe(
      'wallet_request_unknown',
    )
    expect(verifier.answers).toHaveLength(0)
    await answer(amara, shown, chosen(other))
    expect(verifier.answers).toHaveLength(1)
  })

  test('a credential that was deleted since is not presented', async () => {
    const { amara, held } = await begin()
    const shown = await read(amara, verifier.ask())
    await amara.call('deleteHeld', undefined, { params: { id: held } })
    expect(await refusalOf(answer(amara, shown))).toBe('held_credential_unknown')
    expect(verifier.answers).toHaveLength(0)
  })

  test('a refusal tells the verifier access_denied, whether or not the wallet could have answered', async () => {
    const { amara } = await begin()
    const first = await refuse(amara, await read(amara, verifier.ask()))
    const missing = nameQuery({ meta: { vct_values: ['urn:none'] } })
    const unsatisfiable = await read(amara, verifier.ask({ dcql_query: missing }))
    expect(unsatisfiable.satisfiable).toBe(false)
    const second = await refuse(amara, unsatisfiable)
    expect([first, second]).toMatchObject([
      { told: true },
      { told: true, redirectUri: 'https://shop.example/done#code=1' },
    ])
    expect(verifier.answers).toEqual([
      { error: 'access_denied', state: 'state-1' },
      { error: 'access_denied', state: 'state-2' },
    ])
    expect(await refusalOf(answer(amara, unsatisfiable, { credentials: [{ query: 'id', heldId: 'x' }] }))).toBe(
      'wallet_request_closed',
    )
  })

  test('a verifier that cannot be reached gets the very same answer later; one that refuses gets no other', async () => {
    const { amara, again } = await begin()
    const shown = await read(amara, verifier.ask())
    verifier.state.reply = { status: 302, headers: { location: 'http://127.0.0.1:1/' } }
    expect(await refusalOf(answer(amara, shown))).toBe('verifier_refused')
    expect(await refusalOf(answer(amara, shown))).toBe('wallet_request_closed')
    verifier.state.reply = { status: 200 }
    verifier.state.lost = true
    const second = await read(amara, verifier.ask())
    expect(await refusalOf(answer(amara, second, {}, 'k9'))).toBe('verifier_unreachable')
    const later = await signedIn(await again(), 'amara')
    expect(await refusalOf(answer(later, second, {}, 'k9'))).toBe('verifier_unreachable')
    verifier.state.lost = false
    expect(await answer(later, second, {}, 'k9')).toMatchObject({ state: 'answered' })
    const [, first, ...others] = verifier.answers
    expect(others).toEqual([first, first])
    const { items } = await later.call<{ items: Members[] }>('listDisclosures')
    expect(items).toHaveLength(2)
  })

  test('a failure that is told late does not undo an answer', async () => {
    const { amara } = await begin()
    const shown = await read(amara, verifier.ask())
    verifier.state.lost = true
    expect(await refusalOf(answer(amara, shown))).toBe('verifier_unreachable')
    verifier.state.lost = false
    const { promise: until, resolve: release } = Promise.withResolvers<void>()
    const { promise: asked, resolve: arrive } = Promise.withResolvers<void>()
    verifier.state.replying = async () => {
      delete verifier.state.replying
      arrive()
      await until
      return { status: 400, body: { error: { toString: 1 } } }
    }
    const late = refusalOf(answer(amara, shown))
    await asked
    expect(await answer(amara, shown)).toMatchObject({ state: 'answered' })
    release()
    expect(await late).toBe('verifier_refused')
    const again = await amara.call<Shown>('reviewPresentationRequest', undefined, { params: { request: shown.id } })
    expect(again['state']).toBe('answered')
    expect(await answer(amara, shown)).toMatchObject({ redirectUri: 'https://shop.example/done#code=1' })
  })

  test('a claim that is asked for twice is shown once, as it is asked for first (section 6.1)', async () => {
    const { amara } = await begin()
    const path = ['familyName']
    const claims = [{ path }, { path, values: ['nobody'] }, { path, values: ['Zwetschgenbaum'] }]
    const shown = await read(amara, verifier.ask({ dcql_query: nameQuery({ claims }) }))
    expect(shown.queries[0]?.candidates[0]?.claims).toEqual([{ path, values: ['Zwetschgenbaum'] }])
    expect(await answer(amara, shown)).toMatchObject({ state: 'answered' })
  })

  /** As many queries as a request may have, each of which all identities answer. */
  const manyQueries = (more: Members = {}): Members => {
    const [only] = nameQuery(more)['credentials'] as Members[]
    return { credentials: Array.from({ length: 32 }, (_, at) => ({ ...only, id: `q${at}` })) }
  }

  test('of many that answer the newest are shown, so many for each query', async () => {
    const { amara, nation, held } = await begin()
    const newer: string[] = []
    while (newer.length < 8) newer.push(await identityOf(amara, nation))
    const shown = await read(amara, verifier.ask({ dcql_query: manyQueries() }))
    const offered = shown.queries.map(({ candidates }) => candidates.map(({ heldId }) => heldId))
    expect(offered).toEqual(Array.from({ length: 32 }, () => newer))
    expect(await refusalOf(answer(amara, shown, { credentials: [{ query: 'q0', heldId: held }] }))).toBe(
      'wallet_request_changed',
    )
  })

  test('a request that would show more than a citizen can be shown is refused, and leaves nothing behind', async () => {
    const { amara, nation, office } = await begin()
    const portrait = `data:image/jpeg;base64,${Buffer.alloc(26_000, 'chancery').toString('base64')}`
    await identityOf(amara, nation, { portrait })
    const link = verifier.ask({ dcql_query: manyQueries({ claims: [{ path: ['portrait'] }] }) })
    expect(await refusalOf(read(amara, link))).toBe('wallet_request_too_large')
    expect(await office.store.read('SELECT id FROM wallet_presentation_requests')).toEqual([])
    const { credentials } = manyQueries({ claims: [{ path: ['portrait'] }] }) as { credentials: Members[] }
    const less = verifier.ask({ dcql_query: { credentials: credentials.slice(0, 16) } })
    expect((await read(amara, less)).satisfiable).toBe(true)
  })

  test('a request that cannot be had or read leaves nothing behind, and may be handed in again', async () => {
    const { amara } = await begin()
    const link = verifier.ask()
    for (const fetched of [{ status: 500 }, { status: 302, headers: { location: `${verifier.origin}/x` } }]) {
      verifier.state.fetched = fetched
      expect(await refusalOf(read(amara, link))).toBe('fetch_failed')
    }
    verifier.state.fetched = { status: 200, body: {} }
    expect(await refusalOf(read(amara, link))).toBe('request_type')
    verifier.state.fetched = { status: 200, headers: { 'content-type': 'application/oauth-authz-req+jwt' }, body: {} }
    expect(await refusalOf(read(amara, link))).toBe('jws_malformed')
    verifier.state.fetched = undefined
    expect(await refusalOf(read(amara, 'openid4vp://?client_id=a&request_uri=http%3A%2F%2F127.0.0.1%2Fr'))).toBe(
      'request_uri_forbidden',
    )
    expect((await read(amara, verifier.ask()))['state']).toBe('open')
  })

  test('a request waits ten minutes, or as long as it says', async () => {
    const { amara, clock } = await begin()
    const short = await read(amara, verifier.ask({ exp: Math.floor(clock.now() / 1_000) + 60 }))
    const long = await read(amara, verifier.ask({ exp: undefined }))
    clock.advance(61_000)
    expect(await refusalOf(answer(amara, short))).toBe('wallet_request_unknown')
    clock.advance(8 * 60_000)
    expect(await refusalOf(answer(amara, long))).toBeUndefined()
    const last = await read(amara, verifier.ask({ exp: undefined }))
    clock.advance(10 * 60_000)
    expect(await refusalOf(refuse(amara, last))).toBe('wallet_request_unknown')
  })

  test('a citizen is asked by so many verifiers at once, and no more', async () => {
    const { amara } = await begin()
    for (let at = 0; at < 20; at += 1) await read(amara, verifier.ask())
    expect(await refusalOf(read(amara, verifier.ask()))).toBe('wallet_full')
  })

  test('a transaction is signed for by one credential, over the text as it was asked', async () => {
    const { amara } = await begin()
    const item = (more: Members = {}) =>
      Buffer.from(
        JSON.stringify({
          ...{ type: 'urn:chancery:transaction-data:confirmation:1', credential_ids: ['id'] },
          ...{ text: 'Pay 5 XNC to the fishery', ...more },
        }),
      ).toString('base64url')
    const items = [item(), item({ transaction_data_hashes_alg: ['sha-256'] })]
    const shown = await read(amara, verifier.ask({ transaction_data: items }))
    expect(shown['transactions']).toMatchObject([{ content: { text: 'Pay 5 XNC to the fishery' } }, {}])
    await answer(amara, shown)
    const binding = bindingOf(presentationIn(verifier.answers[0]))
    expect(binding).toMatchObject({
      transaction_data_hashes: items.map(each => createHash('sha256').update(each).digest('base64url')),
      transaction_data_hashes_alg: 'sha-256',
    })
    const { items: disclosures } = await amara.call<{ items: Members[] }>('listDisclosures')
    expect(disclosures[0]?.['transactions']).toMatchObject([{ text: 'Pay 5 XNC to the fishery' }, {}])
  })

  test('a page that asks over the Digital Credentials API is handed the answer for itself', async () => {
    const { amara, nation } = await begin()
    const data = { response_type: 'vp_token', response_mode: 'dc_api', nonce: 'n-1', dcql_query: nameQuery() }
    const shown = await amara.call<Shown>('readPresentationRequest', {
      ...{ origin: 'https://shop.example', protocol: 'openid4vp-v1-unsigned', data },
    })
    expect(shown).toMatchObject({ origin: 'https://shop.example', client: { assurance: 'origin' } })
    const answered = await answer(amara, shown)
    expect(await answer(amara, shown)).toEqual(answered)
    const token = answered.data?.['vp_token'] as Record<string, string[]> | undefined
    const [presentation] = token?.['id'] ?? []
    const verdict = await nation.verifyPresentation(presentation, 'n-1', 'origin:https://shop.example')
    expect(verdict.refusal).toBeUndefined()
    const other = {
      ...data,
      nonce: 'n-2',
      response_mode: 'dc_api.jwt',
      client_metadata: verifier.encrypted.client_metadata,
    }
    const second = await amara.call<Shown>('readPresentationRequest', {
      ...{ origin: 'https://shop.example', protocol: 'openid4vp-v1-unsigned', data: other },
    })
    const { data: refused } = await refuse(amara, second)
    expect(await verifier.decrypt(String(refused?.['response']))).toEqual({ error: 'access_denied' })
  })

  const w3c: [string, 'jwt_vc' | 'vc+jwt' | 'ldp_vc', string][] = [
    ['jwt_vc_json', 'jwt_vc', 'string'],
    ['vc+jwt', 'vc+jwt', 'string'],
    ['ldp_vc', 'ldp_vc', 'object'],
  ]
  test.each(w3c)(
    'a credential in %s is presented whole, bound to nonce and client (appendix B.1)',
    async (format, own, kind) => {
      const { amara, nation } = await begin()
      await amara.receive(await nation.issue('DrivingLicence', await amara.newKey(), {}, own))
      const types = [
        'https://www.w3.org/2018/credentials#VerifiableCredential',
        'https://chancery.example/ns#DrivingLicence',
      ]
      const claims = [{ path: ['credentialSubject', 'ageOver18'], values: [true] }]
      const dcql = { credentials: [{ id: 'id', format, meta: { type_values: [types] }, claims }] }
      const shown = await read(amara, verifier.ask({ dcql_query: dcql }))
      expect(shown.queries[0]?.candidates[0]?.shown).toEqual(expect.arrayContaining(['familyName', 'ageOver18']))
      await answer(amara, shown)
      const token = JSON.parse(verifier.answers[0]?.['vp_token'] ?? '{}') as Record<string, unknown[]>
      const [presentation] = token['id'] ?? []
      expect(typeof presentation).toBe(kind)
      const verdict = await nation.verifyPresentation(presentation, 'nonce-1', verifier.clientId)
      expect([verdict.verified, verdict.refusal]).toEqual([true, undefined])
    },
  )

  test('a credential alone is shown where no proof of its holder is wanted (section 5.3)', async () => {
    const { amara, nation } = await begin()
    const compact = await nation.issue('DrivingLicence', await amara.newKey(), {}, 'vc+jwt')
    await amara.receive(compact)
    const query = { id: 'id', format: 'vc+jwt', meta: {}, require_cryptographic_holder_binding: false }
    await answer(amara, await read(amara, verifier.ask({ dcql_query: { credentials: [query] } })))
    expect(presentationIn(verifier.answers[0])).toBe(compact)
  })

  test('credentials that the verifier says it cannot check do not answer (appendix B)', async () => {
    const { amara } = await begin()
    const outcome = async (supported: Members) =>
      (await read(amara, verifier.ask({ client_metadata: { vp_formats_supported: supported } }))).satisfiable
    expect(await outcome({ 'dc+sd-jwt': {} })).toBe(true)
    expect(
      await outcome({ 'dc+sd-jwt': { 'sd-jwt_alg_values': ['ES256'], 'kb-jwt_alg_values': ['ES256', 'EdDSA'] } }),
    ).toBe(true)
    expect(await outcome({ 'dc+sd-jwt': { 'sd-jwt_alg_values': ['ES384'] } })).toBe(false)
    expect(await outcome({ 'dc+sd-jwt': { 'kb-jwt_alg_values': ['EdDSA'] } })).toBe(false)
  })

  test('several credentials answer one query where it lets several in, and alternatives are shown', async () => {
    const { amara, nation, held } = await begin()
    const other = await identityOf(amara, nation, { givenName: 'Other' })
    const query = { format: 'dc+sd-jwt', meta: { vct_values: [licenceVct] }, multiple: true }
    const dcql = {
      credentials: [
        { ...query, id: 'id' },
        { ...query, id: 'other', meta: { vct_values: ['urn:none'] } },
      ],
      credential_sets: [{ options: [['other'], ['id']] }],
    }
    const shown = await read(amara, verifier.ask({ dcql_query: dcql }))
    expect(shown['wanted']).toEqual([{ required: true, options: [['id']] }])
    const credentials = [held, other].map(heldId => ({ query: 'id', heldId }))
    await answer(amara, shown, { credentials })
    const token = JSON.parse(verifier.answers[0]?.['vp_token'] ?? '{}') as Record<string, string[]>
    expect(token['id']).toHaveLength(2)
    // No claims were asked for: nothing that can be kept back is shown.
    expect(token['id']?.[0]?.split('~')).toHaveLength(2)
  })

  test('a minor’s credentials answer no verifier without a mandate', async () => {
    const { office, nation } = await begin()
    const parent = await citizenAt(office, 'parent')
    await parent.receive(await nation.issue('NationalIdentity', await parent.newKey('minor')))
    expect((await read(parent, verifier.ask())).satisfiable).toBe(false)
  })

  test('whoever has the database learns nothing of who asked for what, or what was shown', async () => {
    const { amara, office } = await begin()
    const shown = await read(amara, verifier.ask())
    await read(amara, verifier.ask({ nonce: 'a-nonce-to-look-for' }))
    await answer(amara, shown)
    const stored = await everythingStored(office)
    for (const secret of ['Zwetschgenbaum', 'a-nonce-to-look-for', verifier.origin, verifier.clientId, 'familyName']) {
      expect(stored).not.toContain(secret)
    }
  })
})
