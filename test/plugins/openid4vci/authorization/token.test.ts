import fc from 'fast-check'
import type { ExternalServer, ExternalToken } from '../../../../src/plugins/openid4vci/authorization/needs.ts'
import { onEachDatabase } from '../../../databases.ts'
import { dpopProof, newKey } from '../../../holder.ts'
import {
  errorOf,
  licence,
  migrations,
  newWallet,
  openServer,
  permit,
  preAuthorized,
  publicUrl,
  type Server,
} from './fixture.ts'

onEachDatabase(migrations, ({ place, closing }) => {
  let server: Server
  beforeEach(async () => {
    server = closing(await openServer(await place()))
  })

  describe('pre-authorized codes (OpenID4VCI 1.0, sections 4.1.1 and 6)', () => {
    it('give a token that is bound to the key of the wallet and opens what was offered', async () => {
      const wallet = newWallet(server)
      const { preAuthorizedCode, issuance } = await server.offer({ preAuthorized: {} })
      const { status, body } = await wallet.preAuthorized(preAuthorizedCode)
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          ...{ token_type: 'DPoP', expires_in: 900, scope: licence },
          ...{
            access_token: expect.stringMatching(/^[\w-]{43}$/),
            refresh_token: expect.stringMatching(/^[\w-]{43}$/),
          },
        },
      })
      const access = await wallet.use(body['access_token'])
      expect(access).toMatchObject({ issuance, configurationIds: [licence], thumbprint: wallet.key.thumbprint })
      expect(access.identifiers).toBeUndefined()
    })

    it('count once, and a second use leaves the first token as it is: the code was on a screen', async () => {
      const wallet = newWallet(server)
      const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
      const first = await wallet.preAuthorized(preAuthorizedCode)
      expect(errorOf(await newWallet(server).preAuthorized(preAuthorizedCode))).toEqual({
        ...{ status: 400, error: 'invalid_grant', code: 'code_used' },
      })
      await expect(wallet.use(first.body['access_token'])).resolves.toBeDefined()
    })

    it('count once when they come many times at once', async () => {
      const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => newWallet(server).preAuthorized(preAuthorizedCode)),
      )
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 11 }, () => 400)])
    })

    it('are refused after their end, after a withdrawal, and when nobody gave them out', async () => {
      const wallet = newWallet(server)
      const [late, withdrawn] = [await server.offer({ preAuthorized: {} }), await server.offer({ preAuthorized: {} })]
      await server.withdraw(withdrawn.issuance)
      server.clock.advance(600_000)
      const answers = [late.preAuthorizedCode, withdrawn.preAuthorizedCode, 'x'.repeat(43)]
      const refused = []
      for (const code of answers) refused.push(errorOf(await wallet.preAuthorized(code)))
      expect(refused.map(({ error, code }) => [error, code])).toEqual([
        ['invalid_grant', 'code_unknown'],
        ['invalid_grant', 'code_ended'],
        ['invalid_grant', 'code_unknown'],
      ])
    })

    it('are not to be had by the state of an offer, nor the other way round', async () => {
      const wallet = newWallet(server)
      const { issuerState, preAuthorizedCode } = await server.offer({ preAuthorized: {}, authorizationCode: true })
      expect(errorOf(await wallet.preAuthorized(issuerState)).code).toBe('code_unknown')
      const state = { scope: licence, issuer_state: preAuthorizedCode ?? '' }
      expect(errorOf(await wallet.push(wallet.requestOf(wallet.verifierOf(), state))).code).toBe('issuer_state_unknown')
    })

    it('answer authorization_details with identifiers of datasets (sections 6.1.1 and 6.2)', async () => {
      const wallet = newWallet(server)
      const { preAuthorizedCode } = await server.offer({ preAuthorized: {}, configurationIds: [licence, permit] })
      const details = JSON.stringify([{ type: 'openid_credential', credential_configuration_id: permit, unknown: 1 }])
      const { body } = await wallet.preAuthorized(preAuthorizedCode, { authorization_details: details })
      expect(body['authorization_details']).toEqual([
        { type: 'openid_credential', credential_configuration_id: permit, credential_identifiers: [`${permit}:1`] },
      ])
      const access = await wallet.use(body['access_token'])
      expect({ ids: access.configurationIds, identifiers: access.identifiers }).toEqual({
        ...{ ids: [permit], identifiers: { [`${permit}:1`]: permit } },
      })
    })

    const detail = { type: 'openid_credential', credential_configuration_id: licence }
    it.each([
      ['no JSON', '[{', 'invalid_authorization_details'],
      ['no list', '{}', 'invalid_authorization_details'],
      ['nothing', '[]', 'invalid_authorization_details'],
      ['another type', JSON.stringify([{ ...detail, type: 'payment' }]), 'invalid_authorization_details'],
      ['no configuration', JSON.stringify([{ type: 'openid_credential' }]), 'invalid_authorization_details'],
      [
        'an unknown one',
        JSON.stringify([{ ...detail, credential_configuration_id: 'x' }]),
        'invalid_authorization_details',
      ],
      [
        'another issuer',
        JSON.stringify([{ ...detail, locations: ['https://other.example'] }]),
        'invalid_authorization_details',
      ],
      ['empty claims', JSON.stringify([{ ...detail, claims: [] }]), 'invalid_authorization_details'],
      [
        'one that is not offered',
        JSON.stringify([detail, { ...detail, credential_configuration_id: permit }]),
        'invalid_scope',
      ],
    ])('refuse authorization_details with %s, and stay good', async (_, details, error) => {
      const wallet = newWallet(server)
      const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
      const refused = await wallet.preAuthorized(preAuthorizedCode, { authorization_details: details })
      expect(errorOf(refused)).toMatchObject({ status: 400, error })
      expect((await wallet.preAuthorized(preAuthorizedCode)).status).toBe(200)
    })
  })

  describe('transaction codes (OpenID4VCI 1.0, sections 4.1.1 and 13.6.3)', () => {
    const wrong = (txCode = ''): string => `${(Number(txCode[0]) + 1) % 10}${txCode.slice(1)}`

    it.each([
      [{ length: 4, inputMode: 'numeric' } as const, /^\d{4}$/],
      [{ length: 12, inputMode: 'numeric' } as const, /^\d{12}$/],
      [{ length: 8, inputMode: 'text' } as const, /^[A-HJ-NP-Z2-9]{8}$/],
    ])('of the form %j are told once, and open the code', async (txCode, form) => {
      const given = await server.offer({ preAuthorized: { txCode } })
      expect(given.txCode).toMatch(form)
      const answer = await newWallet(server).preAuthorized(given.preAuthorizedCode, { tx_code: given.txCode ?? '' })
      expect(answer.status).toBe(200)
    })

    it('are asked for where the offer has one, and refused where it has none', async () => {
      const wallet = newWallet(server)
      const [without, needed] = [
        await server.offer({ preAuthorized: {} }),
        await server.offer({ preAuthorized: { txCode: { length: 6, inputMode: 'numeric' } } }),
      ]
      expect(errorOf(await wallet.preAuthorized(without.preAuthorizedCode, { tx_code: '123456' }))).toEqual({
        ...{ status: 400, error: 'invalid_request', code: 'tx_code_unexpected' },
      })
      expect(errorOf(await wallet.preAuthorized(needed.preAuthorizedCode))).toEqual({
        ...{ status: 400, error: 'invalid_request', code: 'tx_code_missing' },
      })
      // Neither counted as a try.
      const answer = await wallet.preAuthorized(needed.preAuthorizedCode, { tx_code: needed.txCode ?? '' })
      expect(answer.status).toBe(200)
    })

    it('can be tried five times; then the code is dead, also for the right one', async () => {
      const wallet = newWallet(server)
      const given = await server.offer({ preAuthorized: { txCode: { length: 6, inputMode: 'numeric' } } })
      const tries = []
      for (let count = 0; count < 5; count++) {
        const { body } = await wallet.preAuthorized(given.preAuthorizedCode, { tx_code: wrong(given.txCode) })
        tries.push([body['error'], body['code'], /\d+(?=\.$)/.exec(String(body['error_description']))?.[0]])
      }
      expect(tries).toEqual([
        ...['4', '3', '2', '1'].map(left => ['invalid_grant', 'tx_code_wrong', left]),
        ['invalid_grant', 'code_blocked', undefined],
      ])
      const right = await wallet.preAuthorized(given.preAuthorizedCode, { tx_code: given.txCode ?? '' })
      expect(errorOf(right)).toEqual({ status: 400, error: 'invalid_grant', code: 'code_blocked' })
    })

    it('are tried five times and no more by forty wallets at once', async () => {
      const given = await server.offer({ preAuthorized: { txCode: { length: 6, inputMode: 'numeric' } } })
      const guesses = Array.from({ length: 40 }, (_, at) => String(at).padStart(6, '0')).filter(
        guess => guess !== given.txCode,
      )
      const answers = await Promise.all(
        guesses.map(guess => newWallet(server).preAuthorized(given.preAuthorizedCode, { tx_code: guess })),
      )
      const codes = answers.map(({ body }) => body['code'])
      expect(codes.filter(code => code === 'tx_code_wrong')).toHaveLength(4)
      expect(codes.filter(code => code === 'code_blocked')).toHaveLength(guesses.length - 4)
    })

    it('count their tries across a restart and in every process', async () => {
      const where = await place()
      const [one, other] = [closing(await openServer(where)), closing(await openServer(where))]
      const given = await one.offer({ preAuthorized: { txCode: { length: 6, inputMode: 'numeric' } } })
      for (const each of [one, other, one, other]) {
        await newWallet(each).preAuthorized(given.preAuthorizedCode, { tx_code: wrong(given.txCode) })
      }
      const restarted = closing(await openServer(where))
      const guess = newWallet(restarted).preAuthorized(given.preAuthorizedCode, { tx_code: wrong(given.txCode) })
      expect(errorOf(await guess).code).toBe('code_blocked')
    })
  })

  describe('authorization codes (RFC 6749, section 4.1; RFC 7636)', () => {
    const coded = async (wallet = newWallet(server), more: Record<string, string> = {}) => {
      const { issuerState = '', issuance } = await server.offer({ authorizationCode: true })
      return { wallet, issuance, ...(await wallet.consent({ issuer_state: issuerState, scope: licence, ...more })) }
    }

    it('are not to be had for what a transaction code protects', async () => {
      const wallet = newWallet(server)
      const txCode = { length: 6, inputMode: 'numeric' } as const
      const { issuerState = '' } = await server.offer({ preAuthorized: { txCode }, authorizationCode: true })
      const request = wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState, scope: licence })
      expect(errorOf(await wallet.push(request)).code).toBe('issuer_state_unknown')
    })

    it('open nothing that a transaction code protects, whenever they were given', async () => {
      const { wallet, issuance, ...given } = await coded()
      await server.store.transaction(async tx => {
        await tx.query(`UPDATE oid4vci_grants SET tx_code = 'numeric 6' WHERE id = ?`, [issuance])
      })
      expect(errorOf(await wallet.redeem(given))).toMatchObject({ error: 'invalid_grant', code: 'code_ended' })
    })

    it('give the wallet that asked a token for what was offered', async () => {
      const { wallet, issuance, ...given } = await coded()
      const { status, body } = await wallet.redeem(given)
      expect(status).toBe(200)
      expect(body).not.toHaveProperty('authorization_details')
      expect(await wallet.use(body['access_token'])).toMatchObject({ issuance, clientId: 'wallet' })
    })

    it('answer authorization_details of the authorization request with identifiers', async () => {
      const details = JSON.stringify([{ type: 'openid_credential', credential_configuration_id: licence }])
      const { wallet, ...given } = await coded(newWallet(server), { scope: 'unknown', authorization_details: details })
      expect((await wallet.redeem(given)).body['authorization_details']).toMatchObject([
        { credential_configuration_id: licence, credential_identifiers: [`${licence}:1`] },
      ])
    })

    it('revoke what they gave when they come again (RFC 6749, section 4.1.2)', async () => {
      const { wallet, ...given } = await coded()
      const { body } = await wallet.redeem(given)
      expect(errorOf(await newWallet(server, { clientId: 'thief' }).redeem(given))).toEqual({
        ...{ status: 400, error: 'invalid_grant', code: 'code_used' },
      })
      await expect(wallet.use(body['access_token'])).rejects.toMatchObject({ code: 'access_token_revoked' })
      expect(errorOf(await wallet.refresh(body['refresh_token'])).code).toBe('refresh_token_unknown')
    })

    it.each<[string, Record<string, string>, string]>([
      ['of another wallet', { client_id: 'another' }, 'code_of_another'],
      ['with another address', { redirect_uri: 'https://wallet.example/cb/' }, 'redirect_differs'],
      ['with another verifier', { code_verifier: 'v'.repeat(43) }, 'code_verifier_wrong'],
      ['with a verifier of another form', { code_verifier: 'short' }, 'code_verifier_wrong'],
      ['without a verifier', { code_verifier: '' }, 'parameter_missing'],
      ['without its address', { redirect_uri: '' }, 'parameter_missing'],
      ['without the wallet’s name', { client_id: '' }, 'client_unknown'],
    ])('are refused %s', async (_, more, code) => {
      const { wallet, ...given } = await coded()
      const form = Object.fromEntries(
        Object.entries({
          ...{ grant_type: 'authorization_code', client_id: 'wallet', redirect_uri: 'https://wallet.example/cb' },
          ...{ code: given.code, code_verifier: given.verifier, ...more },
        }).filter(([, value]) => value !== ''),
      )
      expect(errorOf(await wallet.token(form)).code).toBe(code)
    })

    it('are burnt by whoever brings them without being able to prove that they are theirs', async () => {
      const { wallet, ...given } = await coded()
      await newWallet(server, { clientId: 'wallet' }).redeem({ ...given, verifier: 'v'.repeat(43) })
      expect(errorOf(await wallet.redeem(given)).code).toBe('code_used')
    })

    it('are refused with another key than the one the request was bound to (RFC 9449, section 10)', async () => {
      const { wallet, ...given } = await coded()
      expect(wallet.key).not.toBeUndefined()
      expect(errorOf(await newWallet(server).redeem(given)).code).toBe('grant_key_mismatch')
    })

    it('live for a minute', async () => {
      const { wallet, ...given } = await coded()
      server.clock.advance(60_000)
      expect(errorOf(await wallet.redeem(given)).code).toBe('code_unknown')
    })

    it('give one wallet what two asked for', async () => {
      const { issuerState = '' } = await server.offer({ authorizationCode: true })
      const [one, other] = [newWallet(server), newWallet(server)]
      const given = [
        await one.consent({ issuer_state: issuerState }),
        await other.consent({ issuer_state: issuerState }),
      ]
      const answers = await Promise.all([one.redeem(given[0] as never), other.redeem(given[1] as never)])
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400])
      expect(answers.find(({ status }) => status === 400)?.body['code']).toBe('code_ended')
    })

    it('come to nothing when the offer is withdrawn meanwhile', async () => {
      const { wallet, issuance, ...given } = await coded()
      await server.withdraw(issuance)
      expect(errorOf(await wallet.redeem(given)).code).toBe('code_ended')
    })

    it('are nothing but themselves: a code of one grant opens no other', async () => {
      const { wallet, ...given } = await coded()
      expect(errorOf(await wallet.preAuthorized(given.code)).code).toBe('code_unknown')
      expect(errorOf(await wallet.refresh(given.code)).code).toBe('refresh_token_unknown')
    })
  })

  describe('refresh tokens (RFC 6749, section 6; RFC 9449, section 5)', () => {
    const collected = async (refreshUntil?: number) => {
      const wallet = newWallet(server)
      const order = refreshUntil === undefined ? {} : { refreshUntil }
      const { preAuthorizedCode, issuance } = await server.offer({ preAuthorized: {}, ...order })
      return { wallet, issuance, body: (await wallet.preAuthorized(preAuthorizedCode)).body }
    }

    it('give a new token, and another one to renew it', async () => {
      const { wallet, issuance, body } = await collected()
      server.clock.advance(20 * 60_000)
      await expect(wallet.use(body['access_token'])).rejects.toMatchObject({ code: 'access_token_unknown' })
      const renewed = await wallet.refresh(body['refresh_token'])
      expect(renewed.status).toBe(200)
      expect(renewed.body['refresh_token']).not.toBe(body['refresh_token'])
      expect(await wallet.use(renewed.body['access_token'])).toMatchObject({ issuance })
    })

    it('revoke all of an authorization when they come again', async () => {
      const { wallet, body } = await collected()
      const renewed = await wallet.refresh(body['refresh_token'])
      expect(errorOf(await wallet.refresh(body['refresh_token'])).code).toBe('refresh_token_used')
      await expect(wallet.use(renewed.body['access_token'])).rejects.toMatchObject({ code: 'access_token_revoked' })
      expect(errorOf(await wallet.refresh(renewed.body['refresh_token'])).code).toBe('refresh_token_unknown')
    })

    it('renew once when they come many times at once, and all falls', async () => {
      const { wallet, body } = await collected()
      const answers = await Promise.all(Array.from({ length: 6 }, () => wallet.refresh(body['refresh_token'])))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      const [given] = answers.filter(({ status }) => status === 200)
      await expect(wallet.use(given?.body['access_token'])).rejects.toMatchObject({ code: 'access_token_revoked' })
    })

    it('are refused with another key, after their end, and after a withdrawal', async () => {
      const { body } = await collected()
      expect(errorOf(await newWallet(server).refresh(body['refresh_token']))).toEqual({
        ...{ status: 400, error: 'invalid_grant', code: 'grant_key_mismatch' },
      })
      const ended = await collected()
      await server.withdraw(ended.issuance)
      expect(errorOf(await ended.wallet.refresh(ended.body['refresh_token'])).code).toBe('refresh_token_unknown')
      await expect(ended.wallet.use(ended.body['access_token'])).rejects.toMatchObject({ code: 'access_token_revoked' })
      const late = await collected(server.clock.now() + 1_800_000)
      server.clock.advance(1_800_000)
      expect(errorOf(await late.wallet.refresh(late.body['refresh_token'])).code).toBe('refresh_token_unknown')
    })

    it('are not given with tokens that are bound to no key, nor where they would outlive the issuance', async () => {
      const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
      const { body } = await newWallet(server, { bound: false }).preAuthorized(preAuthorizedCode)
      expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300 })
      expect(body).not.toHaveProperty('refresh_token')
      const short = await collected(server.clock.now() + 60_000)
      expect(short.body).not.toHaveProperty('refresh_token')
    })
  })

  describe('proofs of keys at the token endpoint (RFC 9449)', () => {
    it('are sent back for a nonce before anything counts (section 8)', async () => {
      const wallet = newWallet(server)
      const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
      const dpop = dpopProof(wallet.key, { method: 'POST', url: `${publicUrl}/openid4vci/token` })
      const answer = await wallet.preAuthorized(preAuthorizedCode, {})
      expect(answer.status).toBe(200)
      const again = await server.offer({ preAuthorized: {} })
      const asked = await server.call('exchangeToken', {
        form: { grant_type: preAuthorized, 'pre-authorized_code': again.preAuthorizedCode ?? '' },
        headers: { dpop },
      })
      expect(errorOf(asked)).toEqual({ status: 400, error: 'use_dpop_nonce', code: 'use_dpop_nonce' })
      expect(asked.headers['DPoP-Nonce']).toBe(server.desk.dpop.nonce())
      expect((await wallet.preAuthorized(again.preAuthorizedCode)).status).toBe(200)
    })

    it.each([
      ['another address', { url: `${publicUrl}/openid4vci/par` }],
      ['another method', { method: 'GET' }],
      ['an old date', { iat: 1_000 }],
    ])('are refused for %s', async (_, claims) => {
      const wallet = newWallet(server)
      const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
      const made = { method: 'POST', url: `${publicUrl}/openid4vci/token`, nonce: server.desk.dpop.nonce(), ...claims }
      const dpop = dpopProof(newKey(), made)
      const form = { grant_type: preAuthorized, 'pre-authorized_code': preAuthorizedCode ?? '' }
      const refused = await wallet.token(form, { dpop })
      expect(errorOf(refused)).toMatchObject({ status: 400, error: 'invalid_dpop_proof' })
    })

    it('are needed where the policy has no unbound tokens', async () => {
      const strict = closing(await openServer(await place(), { policy: { bearer: false } }))
      const { preAuthorizedCode } = await strict.offer({ preAuthorized: {} })
      const refused = await newWallet(strict, { bound: false }).preAuthorized(preAuthorizedCode)
      expect(errorOf(refused)).toEqual({ status: 400, error: 'invalid_dpop_proof', code: 'token_binding_needed' })
    })
  })

  describe('tokens of another server (RFC 9068)', () => {
    const amara = { type: 'NationalIdentity', claims: { familyName: 'Okafor' } }
    const opened = async (person: ExternalToken['person']) => {
      let issuerState: string | undefined
      const external: ExternalServer = {
        issuer: 'https://server.example',
        judge: async () => ({
          ...{ id: 'token', expires: 0, subject: 'amara', clientId: 'wallet', scopes: [licence], configurationIds: [] },
          ...{ issuerState, person },
        }),
        metadata: async () => ({}),
      }
      const own = closing(await openServer(await place(), { external }))
      const offer = await own.offer({ authorizationCode: true, identifiedBy: amara })
      issuerState = offer.issuerState
      const access = own.access({ authorization: 'Bearer token-of-the-other-server' })
      return access.then(
        ({ issuance }) => (issuance === offer.issuance ? 'the offer' : 'another'),
        ({ code }) => code,
      )
    }

    it.each<[string, ExternalToken['person']]>([
      ['nobody', undefined],
      ['somebody else', { type: 'NationalIdentity', claims: { familyName: 'Diallo' } }],
      ['somebody of another type', { type: 'DrivingLicence', claims: { familyName: 'Okafor' } }],
      ['somebody of whom too little is known', { type: 'NationalIdentity', claims: {} }],
    ])('that bring the state of an offer for a person open it not for %s', async (_, person) => {
      expect(await opened(person)).toBe('issuance_unprepared')
    })

    it('that bring the state of an offer for a person open it for that person', async () => {
      expect(await opened({ ...amara, claims: { ...amara.claims, givenName: 'Amara' } })).toBe('the offer')
    })
  })

  describe('what tokens open (RFC 6750, RFC 9449, section 7)', () => {
    const bound = async () => {
      const wallet = newWallet(server)
      const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
      return { wallet, token: String((await wallet.preAuthorized(preAuthorizedCode)).body['access_token']) }
    }

    it('is nothing with another key, without a proof, or as a bearer token', async () => {
      const { wallet, token } = await bound()
      await expect(wallet.use(token, newKey())).rejects.toMatchObject({ code: 'proof_key_mismatch' })
      await expect(server.access({ authorization: `DPoP ${token}` })).rejects.toMatchObject({ code: 'proof_missing' })
      await expect(server.access({ authorization: `Bearer ${token}` })).rejects.toMatchObject({
        code: 'access_token_mismatch',
      })
    })

    it('is nothing without a token, with another scheme, or with one that nobody gave', async () => {
      const refused = { authorization: `Bearer ${'x'.repeat(43)}` }
      await expect(server.access({})).rejects.toMatchObject({ code: 'access_token_missing' })
      await expect(server.access({ authorization: 'Basic eHg6eHg=' })).rejects.toMatchObject({
        code: 'access_token_unknown',
      })
      await expect(server.access(refused)).rejects.toMatchObject({ code: 'access_token_unknown' })
    })

    it('is nothing to a refresh token', async () => {
      const wallet = newWallet(server)
      const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
      const { body } = await wallet.preAuthorized(preAuthorizedCode)
      await expect(wallet.use(body['refresh_token'])).rejects.toMatchObject({ code: 'access_token_unknown' })
    })

    it('is nothing to a proof that came before: at the door of one process, and in the act in another', async () => {
      const where = await place()
      const [one, other] = [closing(await openServer(where)), closing(await openServer(where))]
      const wallet = newWallet(one)
      const { preAuthorizedCode } = await one.offer({ preAuthorized: {} })
      const token = String((await wallet.preAuthorized(preAuthorizedCode)).body['access_token'])
      const made = { method: 'POST', url: `${publicUrl}/openid4vci/credential`, token, nonce: one.desk.dpop.nonce() }
      const headers = { authorization: `DPoP ${token}`, dpop: dpopProof(wallet.key, made) }
      const [first, second] = [await one.access(headers), await other.access(headers)]
      await expect(one.access(headers)).rejects.toMatchObject({ code: 'proof_replayed' })
      await one.store.transaction(tx => first.spend(tx))
      await expect(other.store.transaction(tx => second.spend(tx))).rejects.toMatchObject({ code: 'proof_replayed' })
    })

    it('is no longer anything inside an act when the token was revoked between the door and the act', async () => {
      const wallet = newWallet(server)
      const { preAuthorizedCode, issuance } = await server.offer({ preAuthorized: {} })
      const access = await wallet.use((await wallet.preAuthorized(preAuthorizedCode)).body['access_token'])
      await server.withdraw(issuance)
      await expect(server.store.transaction(tx => access.spend(tx))).rejects.toMatchObject({
        code: 'access_token_revoked',
      })
    })
  })

  it('gives no tokens for other issuers (RFC 8707)', async () => {
    const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
    const wallet = newWallet(server)
    const refused = await wallet.preAuthorized(preAuthorizedCode, { resource: 'https://other.example' })
    expect(errorOf(refused)).toEqual({ status: 400, error: 'invalid_target', code: 'invalid_target' })
    expect((await wallet.preAuthorized(preAuthorizedCode, { resource: publicUrl })).status).toBe(200)
  })

  it('refuses other grants, and requests that lack what they need', async () => {
    const wallet = newWallet(server)
    const refused = []
    const forms: Record<string, string>[] = [
      ...[{}, { grant_type: 'password', username: 'a', password: 'b' }, { grant_type: 'client_credentials' }],
      ...[{ grant_type: preAuthorized }, { grant_type: 'authorization_code' }, { grant_type: 'refresh_token' }],
    ]
    for (const form of forms) refused.push(errorOf(await wallet.token(form)).error)
    expect(refused).toEqual([
      ...['invalid_request', 'unsupported_grant_type', 'unsupported_grant_type'],
      ...['invalid_request', 'invalid_request', 'invalid_request'],
    ])
  })

  it('keeps nothing that opens anything: no code, token or state stands in a table', async () => {
    const wallet = newWallet(server)
    const given = await server.offer({ preAuthorized: { txCode: { length: 8, inputMode: 'text' } } })
    const { body } = await wallet.preAuthorized(given.preAuthorizedCode, { tx_code: given.txCode ?? '' })
    const other = await server.offer({ authorizationCode: true })
    const { code, pushed, page } = await wallet.consent({ issuer_state: other.issuerState ?? '' })
    const secrets = [
      ...[given.preAuthorizedCode, given.txCode, other.issuerState, body['access_token'], body['refresh_token'], code],
      ...[pushed.body['request_uri'], (page.headers['set-cookie'] ?? '').split(/[=;]/)[1]],
    ].map(String)
    const tables = ['grants', 'requests', 'tokens', 'issuances'].map(name => `oid4vci_${name}`)
    const rows = await Promise.all([...tables, 'idempotency'].map(table => server.store.read(`SELECT * FROM ${table}`)))
    const text = JSON.stringify(
      rows.flat().map(row => Object.values(row).map(value => Buffer.from(String(value)).toString())),
    )
    expect(rows.flat().length).toBeGreaterThan(4)
    expect(secrets.every(secret => secret.length >= 8)).toBe(true)
    expect(secrets.filter(secret => text.includes(secret))).toEqual([])
  })

  it('takes away what has expired', async () => {
    const wallet = newWallet(server)
    const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
    await wallet.preAuthorized(preAuthorizedCode)
    server.clock.advance(49 * 60 * 60_000)
    await wallet.token({})
    for (let tries = 0; tries < 100; tries++) {
      const [left] = await server.store.read(
        'SELECT (SELECT count(*) FROM oid4vci_tokens) + (SELECT count(*) FROM oid4vci_grants) AS rows',
      )
      if (Number(left?.['rows']) === 0) return
      await new Promise(done => setTimeout(done, 20))
    }
    throw new Error('expired rows stay')
  })

  it('gives nobody a token for words that nobody gave out', async () => {
    const wallet = newWallet(server)
    const words = fc.record(
      {
        grant_type: fc.oneof(fc.constantFrom('authorization_code', preAuthorized, 'refresh_token'), fc.string()),
        code: fc.string({ maxLength: 60 }),
        'pre-authorized_code': fc.string({ maxLength: 60 }),
        refresh_token: fc.string({ maxLength: 60 }),
        tx_code: fc.string({ maxLength: 12 }),
        code_verifier: fc.string({ maxLength: 60 }),
        redirect_uri: fc.webUrl(),
        client_id: fc.string({ maxLength: 20 }),
        authorization_details: fc.json(),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(words, async form => {
        const answer = await wallet.token(form)
        expect([400, 401]).toContain(answer.status)
        expect(answer.body).toHaveProperty('error')
      }),
      { numRuns: 60 },
    )
  })
})
