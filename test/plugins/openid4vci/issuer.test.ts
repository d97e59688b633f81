import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { onEachDatabase } from '../../databases.ts'
import { newKey } from '../../holder.ts'
import {
  type Agency,
  type Answer,
  type Body,
  credentialsIn,
  errorOf,
  grantsIn,
  licence,
  migrations,
  minute,
  newWallet,
  openAgency,
  preAuthorized,
} from './fixture.ts'

const day = 24 * 60 * minute
const idOf = (offer: Answer): string => String(offer.body['id'])
const codeOf = ({ body }: Answer): string => String(body['code'])
const at = (agency: Agency, ms: number): string => new Date(agency.clock.now() + ms).toISOString()
const rows = (agency: Agency, table: string) => agency.store.read(`SELECT * FROM ${table}`)
const held = async (agency: Agency): Promise<number> => (await rows(agency, 'credentials')).length
const sealedOf = async (agency: Agency): Promise<unknown[]> =>
  (await rows(agency, 'oid4vci_issuances')).map(({ sealed }) => sealed)

const wrongOffers: [string, (agency: Agency) => Body, string][] = [
  [
    'an unknown configuration',
    () => ({ credentialConfigurationIds: ['Nothing.1.ldp_vc'] }),
    'credential_configuration_unknown',
  ],
  [
    'a name that objects have',
    () => ({ credentialConfigurationIds: ['__proto__'] }),
    'credential_configuration_unknown',
  ],
  ['a configuration twice', () => ({ credentialConfigurationIds: [licence, licence] }), 'body_invalid'],
  ['no configuration', () => ({ credentialConfigurationIds: [] }), 'body_invalid'],
  [
    'claims of another type',
    ({ world }) => ({ claims: { NationalIdentity: world.types.byId('NationalIdentity').example } }),
    'claims_mismatch',
  ],
  ['claims of one type too many', ({ claims }) => ({ claims: { ...claims, NationalIdentity: {} } }), 'claims_mismatch'],
  [
    'claims that break the schema',
    ({ claims }) => ({ claims: { DrivingLicence: { ...claims.DrivingLicence, birthDate: 'May' } } }),
    'schema_violated',
  ],
  [
    'a claim that nobody knows',
    ({ claims }) => ({ claims: { DrivingLicence: { ...claims.DrivingLicence, shoeSize: 43 } } }),
    'schema_violated',
  ],
  [
    'a holder',
    ({ claims }) => ({ claims: { DrivingLicence: { ...claims.DrivingLicence, id: 'did:key:z6Mk' } } }),
    'holder_given',
  ],
  ['an end in the past', agency => ({ expires: at(agency, -1) }), 'offer_expiry_refused'],
  ['an end in a fortnight', agency => ({ expires: at(agency, 14 * day) }), 'offer_expiry_refused'],
  [
    'a collection before it ends',
    agency => ({ expires: at(agency, day), collectBy: at(agency, minute) }),
    'offer_expiry_refused',
  ],
  ['a collection in three years', agency => ({ collectBy: at(agency, 1_095 * day) }), 'offer_expiry_refused'],
  ['an end that is no time', () => ({ expires: 'tomorrow' }), 'body_invalid'],
  ['credentials until the past', agency => ({ validUntil: at(agency, -day) }), 'validity_too_long'],
  ['credentials for fifty years', agency => ({ validUntil: at(agency, 50 * 365 * day) }), 'validity_too_long'],
  [
    'people identified and a pre-authorised code',
    () => ({
      identifiedBy: { type: 'NationalIdentity', claims: { familyName: 'Okafor' } },
      grants: [preAuthorized],
    }),
    'identification_bypassed',
  ],
  [
    'people identified by a type of nobody',
    () => ({ identifiedBy: { type: 'Passport', claims: { familyName: 'Okafor' } } }),
    'identification_unsupported',
  ],
  ['a transaction code without its grant', () => ({ grants: ['authorization_code'], txCode: {} }), 'tx_code_unused'],
  [
    'a transaction code and a grant without it',
    () => ({ grants: ['authorization_code', preAuthorized], txCode: {} }),
    'tx_code_bypassed',
  ],
  ['a transaction code of three digits', () => ({ txCode: { length: 3 } }), 'body_invalid'],
  ['a description of 301 characters', () => ({ txCode: { description: 'x'.repeat(301) } }), 'body_invalid'],
  ['a grant of another kind', () => ({ grants: ['refresh_token'] }), 'body_invalid'],
  ['101 times', () => ({ times: 101 }), 'body_invalid'],
]

onEachDatabase(migrations, databases => {
  const open = async (...options: Parameters<typeof openAgency> extends [unknown, ...infer Rest] ? Rest : never) =>
    databases.closing(await openAgency(await databases.place(), ...options))

  describe('a credential offer', () => {
    it('is told once more under its idempotency key, and its record of idempotency holds no code', async () => {
      const agency = await open()
      const headers = { 'idempotency-key': 'offer-1' }
      const [first, again] = [await agency.offer({ txCode: {} }, headers), await agency.offer({ txCode: {} }, headers)]
      expect(first.status).toBe(201)
      expect(again.body).toEqual(first.body)
      expect(codeOf(await agency.offer({ txCode: { length: 4 } }, headers))).toBe('idempotency_mismatch')
      const kept = JSON.stringify(await rows(agency, 'idempotency'))
      for (const secret of [first.body['txCode'], grantsIn(first)[preAuthorized]?.['pre-authorized_code']]) {
        expect(kept).not.toContain(String(secret))
      }
    })

    it('keeps claims and codes sealed, in no table in the clear', async () => {
      const agency = await open()
      const offer = await agency.offer({ txCode: { inputMode: 'text' } })
      const { issuer_state } = grantsIn(await agency.offer())['authorization_code'] ?? {}
      const secrets = [
        ...['Okafor', 'Amara', '1990-04-17', offer.body['txCode'], issuer_state],
        ...[
          grantsIn(offer)[preAuthorized]?.['pre-authorized_code'],
          String(offer.body['credentialOfferUri']).slice(-43),
        ],
      ]
      for (const table of ['oid4vci_issuances', 'oid4vci_grants', 'journal', 'journal_details', 'idempotency']) {
        const text = (await rows(agency, table))
          .flatMap(row => Object.values(row))
          .map(value => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)))
          .join('\n')
        for (const secret of secrets)
          expect({ table, secret, found: text.includes(String(secret)) }).toMatchObject({ found: false })
      }
    })

    it('is refused by name, and nothing is kept, for whatever is wrong with it', async () => {
      const agency = await open()
      for (const [what, more, code] of wrongOffers) {
        const refused = await agency.offer(more(agency))
        expect({ what, code: refused.body['code'] }).toEqual({ what, code })
      }
      expect(await rows(agency, 'oid4vci_issuances')).toEqual([])
    })

    it('is for staff with the scope for it, and its release for staff with that', async () => {
      const agency = await open()
      const offer = idOf(await agency.offer({ release: 'officer' }))
      const caller = { kind: 'apiKey' as const, id: 'desk', scopes: ['credentials:read'] }
      for (const [operation, sent] of [
        ['createCredentialOffer', { body: { credentialConfigurationIds: [licence], claims: agency.claims } }],
        ['getCredentialOffer', { params: { offer } }],
        ['getCredentialOfferQr', { params: { offer } }],
        ['withdrawCredentialOffer', { params: { offer } }],
        ['releaseCredentialOffer', { params: { offer }, body: { decision: 'release' } }],
      ] as const) {
        expect(codeOf(await agency.call(operation, { caller, ...sent }))).toBe('scope_missing')
        expect(codeOf(await agency.call(operation, sent))).toBe('unauthenticated')
      }
    })

    it('has no pre-authorised code where the person is identified, and neither code of what nobody asked for', async () => {
      const agency = await open()
      const identifiedBy = { type: 'NationalIdentity', claims: { familyName: 'Okafor' } }
      expect(Object.keys(grantsIn(await agency.offer({ identifiedBy })))).toEqual(['authorization_code'])
      expect(Object.keys(grantsIn(await agency.offer({ grants: [preAuthorized] })))).toEqual([preAuthorized])
      expect(Object.keys(grantsIn(await agency.offer()))).toEqual(['authorization_code', preAuthorized])
    })

    it('has the pre-authorised code alone where a transaction code protects it', async () => {
      const agency = await open()
      expect(Object.keys(grantsIn(await agency.offer({ txCode: {} })))).toEqual([preAuthorized])
    })

    it('can be read by reference until it ends, and by no other name', async () => {
      const agency = await open()
      const offer = await agency.offer({ expires: at(agency, 10 * minute) })
      const secret = String(offer.body['credentialOfferUri']).slice(-43)
      const read = () => agency.call('getOfferByReference', { params: { secret } })
      expect((await read()).body).toEqual(offer.body['credentialOffer'])
      const other = await agency.call('getOfferByReference', { params: { secret: 'A'.repeat(43) } })
      expect(codeOf(other)).toBe('offer_unknown')
      agency.clock.time += 10 * minute
      expect(codeOf(await read())).toBe('offer_unknown')
      expect(codeOf(await agency.asStaff('getCredentialOfferQr', { params: { offer: idOf(offer) } }))).toBe(
        'offer_ended',
      )
      expect(await agency.state(idOf(offer))).toMatchObject({ state: 'offered', open: false })
    })

    it('ends when it is withdrawn: claims erased, codes and tokens dead', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const [offer, taken] = [await agency.offer(), await agency.offer()]
      const token = await wallet.accessToken(taken)
      for (const each of [offer, taken, offer]) {
        const gone = await agency.asStaff('withdrawCredentialOffer', { params: { offer: idOf(each) } })
        expect(gone.status).toBe(204)
      }
      expect(await sealedOf(agency)).toEqual([null, null])
      expect(errorOf(await wallet.token(offer))).toBe('400 invalid_grant')
      expect(errorOf(await wallet.collect(token))).toBe('401 invalid_token')
      const nobody = await agency.asStaff('withdrawCredentialOffer', { params: { offer: randomUUID() } })
      expect(codeOf(nobody)).toBe('offer_unknown')
    })

    it('is not withdrawn once it is collected, and released only where a release was asked for, once', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const [plain, waiting] = [await agency.offer(), await agency.offer({ release: 'officer' })]
      await wallet.collect(await wallet.accessToken(plain))
      const withdrawn = await agency.asStaff('withdrawCredentialOffer', { params: { offer: idOf(plain) } })
      expect(codeOf(withdrawn)).toBe('offer_ended')
      const decide = (offer: string, decision: string) =>
        agency.asStaff('releaseCredentialOffer', { params: { offer }, body: { decision } })
      expect(codeOf(await decide(idOf(plain), 'release'))).toBe('release_unasked')
      expect(codeOf(await decide(randomUUID(), 'release'))).toBe('offer_unknown')
      expect((await decide(idOf(waiting), 'release')).body).toMatchObject({ release: 'given' })
      for (const decision of ['release', 'deny'])
        expect(codeOf(await decide(idOf(waiting), decision))).toBe('release_decided')
    })

    it('is found for whoever proved to be the person, by what people are told apart by', async () => {
      const agency = await open()
      const personOf = (number: string) => ({
        type: 'NationalIdentity',
        claims: { personalAdministrativeNumber: number },
      })
      const offer = await agency.offer({ identifiedBy: personOf('XN-1') })
      await agency.offer({ identifiedBy: personOf('XN-2') })
      await agency.offer({ identifiedBy: { type: 'NationalIdentity', claims: { familyName: 'Okafor' } } })
      const { openIssuances } = await import('../../../src/plugins/openid4vci/issuances.ts')
      const { port } = openIssuances(agency.needs)
      const found = await port.ofPerson(personOf('XN-1'), [licence], { taken: false })
      expect(found.map(({ id, identifiedBy }) => ({ id, identifiedBy }))).toEqual([
        { id: idOf(offer), identifiedBy: personOf('XN-1') },
      ])
      expect(await port.ofPerson(personOf('XN-3'), [licence], { taken: false })).toEqual([])
      expect(await port.ofPerson(personOf('XN-1'), ['NationalIdentity.1.ldp_vc'], { taken: false })).toEqual([])
      expect(
        await port.ofPerson({ type: 'NationalIdentity', claims: { familyName: 'Okafor' } }, [licence], {
          taken: false,
        }),
      ).toEqual([])
      await agency.asStaff('withdrawCredentialOffer', { params: { offer: idOf(offer) } })
      expect(await port.ofPerson(personOf('XN-1'), [licence], { taken: false })).toEqual([])
    })
  })

  describe('the credential endpoint', () => {
    it('erases the claims with the last credential', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const ids = [licence, 'DrivingLicence.1.ldp_vc']
      const offer = await agency.offer({ credentialConfigurationIds: ids })
      const token = await wallet.accessToken(offer)
      expect((await wallet.collect(token)).status).toBe(200)
      expect(await sealedOf(agency)).not.toEqual([null])
      const proofs = await wallet.proofs(newKey())
      const last = await wallet.request(token, { credential_configuration_id: ids[1], proofs })
      expect(credentialsIn(last)).toMatchObject([{ proof: { cryptosuite: 'ecdsa-rdfc-2019' } }])
      expect(await sealedOf(agency)).toEqual([null])
      expect(await agency.state(idOf(offer))).toMatchObject({ state: 'collected', collected: { [licence]: 1 } })
    })

    it('issues until when the offer says', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const validUntil = at(agency, 30 * day)
      const [credential] = credentialsIn(
        await wallet.collect(await wallet.accessToken(await agency.offer({ validUntil }))),
      )
      const { exp } = JSON.parse(Buffer.from(String(credential).split('.')[1] ?? '', 'base64url').toString()) as Body
      expect(Number(exp) * 1_000).toBe(Date.parse(validUntil))
    })

    it('asks by identifier where the token response gave some, and by nothing else', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const details = [{ type: 'openid_credential', credential_configuration_id: licence }]
      const answer = await wallet.token(await agency.offer(), { authorization_details: JSON.stringify(details) })
      const [given] = answer.body['authorization_details'] as [{ credential_identifiers: string[] }]
      const token = String(answer.body['access_token'])
      const proofs = await wallet.proofs(newKey())
      const asking = (name: Body) => wallet.request(token, { ...name, proofs })
      expect(errorOf(await asking({ credential_configuration_id: licence }))).toBe('400 invalid_credential_request')
      for (const credential_identifier of [licence, '__proto__', 7]) {
        expect(errorOf(await asking({ credential_identifier }))).toBe('400 unknown_credential_identifier')
      }
      const [credential_identifier] = given.credential_identifiers
      expect((await asking({ credential_identifier })).status).toBe(200)
    })

    it('takes a nonce for five minutes, also in another process, and once', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const [nonce, late] = [await wallet.nonce(), await wallet.nonce()]
      const request = (c_nonce: string) => ({
        ...{ credential_configuration_id: licence },
        proofs: { jwt: [wallet.proof(c_nonce, newKey())] },
      })
      const offer = await agency.offer({ times: 3 })
      const token = await wallet.accessToken(offer)
      const { world, master } = agency
      const place = await databases.place()
      const stranger = databases.closing(await openAgency(place, { world }))
      const foreign = await newWallet(stranger).nonce()
      expect((await wallet.request(token, request(nonce))).status).toBe(200)
      expect(errorOf(await wallet.request(token, request(nonce)))).toBe('400 invalid_nonce')
      expect(errorOf(await wallet.request(token, request(foreign)))).toBe('400 invalid_nonce')
      const sister = databases.closing(await openAgency(place, { world, master }))
      expect((await wallet.request(token, request(await newWallet(sister).nonce()))).status).toBe(200)
      agency.clock.time += 5 * minute
      expect(errorOf(await wallet.request(token, request(late)))).toBe('400 invalid_nonce')
    })

    it('is not collected twice by requests that come together', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const token = await wallet.accessToken(await agency.offer({ times: 2 }))
      const answers = await Promise.all(Array.from({ length: 8 }, () => wallet.collect(token)))
      const outcomes = answers.map(errorOf).sort()
      expect(outcomes).toEqual([...Array(2).fill('200 undefined'), ...Array(6).fill('400 credential_request_denied')])
      expect(await held(agency)).toBe(2)
    })

    it('answers a request that comes together with itself with one credential', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      for (let round = 1; round <= 5; round++) {
        const token = await wallet.accessToken(await agency.offer())
        const body = { credential_configuration_id: licence, proofs: await wallet.proofs(newKey(), newKey()) }
        // Not all at one moment: some come when others have just been answered.
        const answers = await Promise.all(
          Array.from({ length: 6 }, async (_, place) => {
            await new Promise(done => setTimeout(done, place * 2))
            return wallet.request(token, body)
          }),
        )
        expect(new Set(answers.map(answer => JSON.stringify(answer.body))).size).toBe(1)
        expect([answers[0]?.status, await held(agency)]).toEqual([200, 2 * round])
      }
    })

    it('holds to the size of a batch, and counts one request once', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const token = await wallet.accessToken(await agency.offer())
      const keys = Array.from({ length: 4 }, newKey)
      expect(errorOf(await wallet.collect(token, ...keys))).toBe('400 invalid_proof')
      expect(credentialsIn(await wallet.collect(token, ...keys.slice(1)))).toHaveLength(3)
    })

    it('takes attested keys without a proof of any, and nothing else where every key is attested', async () => {
      const agency = await open({ policy: { attestation: { key_storage: ['iso_18045_high'] } } })
      const wallet = newWallet(agency)
      const { body: metadata } = await agency.call('getCredentialIssuerMetadata')
      const configurations = metadata['credential_configurations_supported'] as Record<string, Body>
      expect(configurations[licence]?.['proof_types_supported']).toMatchObject({
        jwt: { key_attestations_required: { key_storage: ['iso_18045_high'] } },
        attestation: { key_attestations_required: { key_storage: ['iso_18045_high'] } },
      })
      const token = await wallet.accessToken(await agency.offer())
      expect(errorOf(await wallet.collect(token))).toBe('400 invalid_proof')
      const request = (attestation: string) =>
        wallet.request(token, { credential_configuration_id: licence, proofs: { attestation: [attestation] } })
      const keys = [newKey(), newKey()]
      const nonce = await wallet.nonce()
      expect(errorOf(await request(wallet.attestation(keys, { nonce })))).toBe('400 invalid_proof')
      const answer = await request(wallet.attestation(keys, { nonce, key_storage: ['iso_18045_high'] }))
      expect(credentialsIn(answer)).toHaveLength(2)
    })

    it('speaks in secret only, where the agency’s file says so', async () => {
      const agency = await open({ policy: { encryptionRequired: true } })
      const wallet = newWallet(agency)
      const offer = await agency.offer({ release: 'officer' })
      const token = await wallet.accessToken(offer)
      expect(errorOf(await wallet.collect(token))).toBe('400 invalid_encryption_parameters')
      const { encryption } = agency.needs
      const seal = (content: Body): Promise<string> =>
        encryption.encrypt(content, { jwk: encryption.jwk, enc: 'A256GCM', zip: true })
      const request = { credential_configuration_id: licence, proofs: await wallet.proofs(newKey()) }
      const silent = await wallet.request(token, await seal(request), 'application/jwt')
      expect(errorOf(silent)).toBe('400 invalid_encryption_parameters')
      expect(errorOf(await wallet.deferred(token, 'any'))).toBe('400 invalid_encryption_parameters')
      // The wallet's key is as good as any; here it is the issuer's own, so that the test can read the answer.
      const wanted = { credential_response_encryption: { jwk: encryption.jwk, enc: 'A128GCM' } }
      const answer = await wallet.request(token, await seal({ ...request, ...wanted }), 'application/jwt')
      expect([answer.status, answer.type]).toEqual([202, 'application/jwt'])
      expect(Object.keys(await encryption.decrypt(answer.text))).toEqual(['transaction_id', 'interval'])
    })

    it('refuses a compressed bomb by its name', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const token = await wallet.accessToken(await agency.offer())
      const { encryption } = agency.needs
      const bomb = await encryption.encrypt(
        { a: 'A'.repeat(3_000_000) },
        { jwk: encryption.jwk, enc: 'A256GCM', zip: true },
      )
      expect(bomb.length).toBeLessThan(10_000)
      expect(errorOf(await wallet.request(token, bomb, 'application/jwt'))).toBe('400 invalid_encryption_parameters')
    })

    it('gives nothing after the offer has to be collected, and erases its claims', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const times = { expires: at(agency, minute), collectBy: at(agency, 5 * minute) }
      const token = await wallet.accessToken(await agency.offer(times))
      agency.clock.time += 5 * minute
      expect(errorOf(await wallet.collect(token))).toBe('400 credential_request_denied')
      for (let tries = 0; tries < 200 && (await sealedOf(agency))[0] !== null; tries++) {
        await new Promise(done => setTimeout(done, 10))
      }
      expect(await sealedOf(agency)).toEqual([null])
      expect(await rows(agency, 'oid4vci_issuances')).toMatchObject([{ state: 'expired' }])
    })
  })

  describe('a deferred credential', () => {
    it('waits with its key while the claims are kept, across processes, and comes once', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const offer = await agency.offer({ release: 'officer' })
      const token = await wallet.accessToken(offer)
      const key = newKey()
      const body = { credential_configuration_id: licence, proofs: await wallet.proofs(key) }
      const waiting = await wallet.request(token, body)
      expect([waiting.status, (await wallet.request(token, body)).body]).toEqual([202, waiting.body])
      expect(errorOf(await wallet.collect(token))).toBe('400 credential_request_denied')
      const { transaction_id: id } = waiting.body
      expect(await wallet.deferred(token, id)).toMatchObject({ status: 202, body: waiting.body })
      expect(errorOf(await wallet.deferred(token, 'another'))).toBe('400 invalid_transaction_id')
      expect(errorOf(await wallet.deferred(token, 7))).toBe('400 invalid_credential_request')
      expect(await sealedOf(agency)).not.toEqual([null])
      await agency.asStaff('releaseCredentialOffer', { params: { offer: idOf(offer) }, body: { decision: 'release' } })
      const answers = await Promise.all([1, 2, 3, 4].map(() => wallet.deferred(token, id)))
      const given = answers.filter(({ status }) => status === 200)
      const credentials = new Set(given.flatMap(credentialsIn))
      expect([credentials.size, await held(agency)]).toEqual([1, 1])
      const [credential] = credentials
      const { sub } = JSON.parse(Buffer.from(String(credential).split('.')[1] ?? '', 'base64url').toString()) as Body
      expect(sub).toBe(key.did)
      expect(await sealedOf(agency)).toEqual([null])
      expect(await rows(agency, 'oid4vci_deliveries')).toMatchObject([{ state: 'delivered', holders: null }])
    })

    it('opens to the token of its own offer alone', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const [one, other] = [await agency.offer({ release: 'officer' }), await agency.offer({ release: 'officer' })]
      const waiting = await wallet.collect(await wallet.accessToken(one))
      const foreign = await wallet.deferred(await wallet.accessToken(other), waiting.body['transaction_id'])
      expect(errorOf(foreign)).toBe('400 invalid_transaction_id')
    })
  })

  describe('a notification', () => {
    it('counts for the token of the offer, once the credential was given', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const [one, other] = [await agency.offer(), await agency.offer()]
      const [token, foreign] = [await wallet.accessToken(one), await wallet.accessToken(other)]
      const { notification_id } = (await wallet.collect(token)).body
      const event = { notification_id, event: 'credential_failure', event_description: 'Out of storage.' }
      expect(errorOf(await wallet.notify(foreign, event))).toBe('400 invalid_notification_id')
      expect((await wallet.notify(token, event)).status).toBe(204)
      expect((await wallet.notify(token, event)).status).toBe(204)
      expect((await agency.state(idOf(one)))['deliveries']).toMatchObject([{ event: 'credential_failure' }])
      expect(JSON.stringify(await rows(agency, 'oid4vci_deliveries'))).not.toContain('storage')
    })
  })
})

/** What may be done to an offer, in any order. */
type Step = 'collect' | 'repeat' | 'release' | 'deny' | 'withdraw' | 'wait' | 'fetch'
const steps = fc.array(
  fc.constantFrom<Step>('collect', 'collect', 'repeat', 'release', 'deny', 'withdraw', 'wait', 'fetch', 'fetch'),
  { minLength: 1, maxLength: 12 },
)

onEachDatabase(migrations, databases => {
  it('never gives more than was offered, nothing after the end, and keeps no claims beyond it, whatever comes in which order', async () => {
    const agency = databases.closing(await openAgency(await databases.place()))
    const wallet = newWallet(agency)
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 2 }), fc.boolean(), async (sequence, times, released) => {
        const before = await held(agency)
        const offer = await agency.offer({ times, ...(released ? { release: 'officer' } : {}) })
        const params = { offer: idOf(offer) }
        const token = await wallet.accessToken(offer)
        const waiting: unknown[] = []
        let last: Body | undefined
        let ended = false
        for (const step of sequence) {
          const count = await held(agency)
          if (step === 'collect') last = { credential_configuration_id: licence, proofs: await wallet.proofs(newKey()) }
          if ((step === 'collect' || step === 'repeat') && last !== undefined) {
            const answer = await wallet.request(token, last)
            if (answer.status === 202) waiting.push(answer.body['transaction_id'])
          }
          if (step === 'release' || step === 'deny') {
            await agency.asStaff('releaseCredentialOffer', { params, body: { decision: step } })
          }
          if (step === 'withdraw') await agency.asStaff('withdrawCredentialOffer', { params })
          if (step === 'wait') agency.clock.time += minute
          if (step === 'fetch' && waiting.length > 0) await wallet.deferred(token, waiting.at(-1))
          const now = await held(agency)
          if (ended) expect(now).toBe(count)
          const { state } = await agency.state(params.offer)
          ended = state !== 'offered'
          const [row] = await agency.store.read('SELECT sealed FROM oid4vci_issuances WHERE id = ?', [params.offer])
          expect({ step, state, erased: row?.['sealed'] === null }).toEqual({ step, state, erased: ended })
          expect(now - before).toBeLessThanOrEqual(times)
        }
      }),
      { numRuns: 25 },
    )
  })
})
