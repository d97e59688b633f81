import { hash } from 'node:crypto'
import type { ExternalServer, ExternalToken } from '../../../src/plugins/openid4vci/authorization/needs.ts'
import { openIssuances } from '../../../src/plugins/openid4vci/issuances.ts'
import { openSweeps } from '../../../src/plugins/openid4vci/plugin.ts'
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
} from './fixture.ts'

const idOf = (offer: Answer): string => String(offer.body['id'])
const rows = (agency: Agency, table: string) => agency.store.read(`SELECT * FROM ${table}`)
const count = async (agency: Agency, table: string): Promise<number> => (await rows(agency, table)).length
const sealedOf = async (agency: Agency, offer: Answer): Promise<unknown> =>
  (await rows(agency, 'oid4vci_issuances')).find(({ id }) => id === idOf(offer))?.['sealed']
const release = (agency: Agency, offer: Answer): Promise<Answer> =>
  agency.asStaff('releaseCredentialOffer', { params: { offer: idOf(offer) }, body: { decision: 'release' } })
const eventually = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 200 && !(await holds()); tries++) await new Promise(done => setTimeout(done, 10))
  expect(await holds()).toBe(true)
}

onEachDatabase(migrations, ({ place, closing }) => {
  const open = async (options?: Parameters<typeof openAgency>[1]): Promise<Agency> =>
    closing(await openAgency(await place(), options))

  describe('wallets that collect at one time', () => {
    it('get what is theirs, each with a record of its own that commits to it', async () => {
      const agency = await open()
      const wallets = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const wallet = newWallet(agency)
          return { wallet, token: await wallet.accessToken(await agency.offer()), key: newKey() }
        }),
      )
      const answers = await Promise.all(wallets.map(({ wallet, token, key }) => wallet.collect(token, key)))
      const subjects = answers.map(answer => {
        const [, payload = ''] = String(credentialsIn(answer)[0]).split('.')
        return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as Body)['sub']
      })
      expect(subjects).toEqual(wallets.map(({ key }) => key.did))
      expect(await count(agency, 'credentials')).toBe(20)
      expect(new Set((await rows(agency, 'oid4vci_issuances')).map(({ state }) => state))).toEqual(
        new Set(['collected']),
      )
      const records = (await rows(agency, 'journal_details'))
        .map(({ record }) => JSON.parse(String(record)) as Body)
        .filter(({ operation }) => operation === 'requestCredential')
      expect(new Set(records.map(({ effects }) => String(effects))).size).toBe(20)
    })

    it('get no more than was offered when they are many with one token, and each nonce counts once', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const token = await wallet.accessToken(await agency.offer({ times: 2 }))
      const nonce = await wallet.nonce()
      const ask = (key = newKey()) =>
        wallet.request(token, {
          credential_configuration_id: licence,
          proofs: { jwt: [wallet.proof(nonce, key)] },
        })
      const same = await Promise.all([ask(), ask(), ask()])
      expect(same.map(errorOf).filter(error => error === '400 invalid_nonce')).toHaveLength(2)
      const answers = await Promise.all(Array.from({ length: 6 }, () => wallet.collect(token)))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(await count(agency, 'credentials')).toBe(2)
    })

    it('are written in one statement, which passes over whatever changed since it was read', async () => {
      const agency = await open()
      const book = openIssuances(agency.needs)
      const [open1, open2, gone, waits, changed] = await Promise.all([
        agency.offer(),
        agency.offer({ times: 2 }),
        agency.offer(),
        agency.offer({ release: 'officer' }),
        agency.offer(),
      ])
      await agency.asStaff('withdrawCredentialOffer', { params: { offer: idOf(gone) } })
      const takings = await Promise.all(
        [open1, open2, gone, waits, changed].map(async offer => {
          const issuance = await book.byId(idOf(offer))
          if (issuance === undefined) throw new Error('no issuance')
          return { issuance, configurationId: licence, token: undefined }
        }),
      )
      const other = takings.at(-1)
      if (other !== undefined) other.issuance.collected = { [licence]: 7 }
      const taken = await agency.store.transaction(tx => book.takeAll(tx, takings))
      expect(taken).toEqual(new Set([idOf(open1), idOf(open2)]))
      expect(await sealedOf(agency, open1)).toBeNull()
      expect(await book.byId(idOf(open2))).toMatchObject({ state: 'offered', collected: { [licence]: 1 } })
    })

    it('are passed over where their token was revoked since', async () => {
      const agency = await open()
      const book = openIssuances(agency.needs)
      const [offer, other] = [await agency.offer(), await agency.offer()]
      const wallet = newWallet(agency)
      const tokens = [await wallet.accessToken(offer), await wallet.accessToken(other)]
      const [token, live] = tokens.map(each => hash('sha256', each, 'base64url'))
      await agency.store.transaction(async tx => {
        await tx.query(`UPDATE oid4vci_tokens SET state = 'revoked' WHERE sha256 = ?`, [token ?? ''])
      })
      const takingOf = async (of: Answer, by: string | undefined) => {
        const issuance = await book.byId(idOf(of))
        if (issuance === undefined) throw new Error('no issuance')
        return { issuance, configurationId: licence, token: by }
      }
      const takings = [await takingOf(offer, token), await takingOf(other, live)]
      const taken = await agency.store.transaction(tx => book.takeAll(tx, takings))
      expect(taken).toEqual(new Set([idOf(other)]))
      expect(await book.byId(idOf(offer))).toMatchObject({ state: 'offered', collected: {} })
    })
  })

  describe('a deferred credential', () => {
    const waited = async (agency: Agency) => {
      const wallet = newWallet(agency)
      const offer = await agency.offer({ release: 'officer' })
      const token = await wallet.accessToken(offer)
      const key = newKey()
      const { transaction_id: transaction } = (await wallet.collect(token, key)).body
      return { wallet, offer, token, key, transaction }
    }

    it('comes again for a while, for a wallet that the answer did not reach, and is still one', async () => {
      const agency = await open()
      const { wallet, offer, token, transaction } = await waited(agency)
      await release(agency, offer)
      const first = await wallet.deferred(token, transaction)
      agency.clock.time += 4 * minute
      const again = await wallet.deferred(token, transaction)
      expect([again.status, credentialsIn(again)]).toEqual([200, credentialsIn(first)])
      expect(await count(agency, 'credentials')).toBe(1)
      agency.clock.time += minute
      expect(errorOf(await wallet.deferred(token, transaction))).toBe('400 invalid_transaction_id')
    })

    it('is waited for by nobody whose name stands in a table, and by nobody at all once the offer is denied', async () => {
      const agency = await open()
      const { offer, key } = await waited(agency)
      const [{ holders } = {}] = await rows(agency, 'oid4vci_deliveries')
      expect(String(holders)).toMatch(/^[\w-]{40,}$/)
      expect(Buffer.from(String(holders), 'base64url').toString('latin1')).not.toContain(key.did.slice(0, 20))
      const params = { offer: idOf(offer) }
      await agency.asStaff('releaseCredentialOffer', { params, body: { decision: 'deny' } })
      expect(await rows(agency, 'oid4vci_deliveries')).toMatchObject([{ holders: null, state: 'waiting' }])
    })
  })

  describe('an offer', () => {
    it('that nobody took up keeps its claims until it ends, and one that was taken up until it is collected', async () => {
      const agency = await open()
      const wallet = newWallet(agency)
      const times = { expires: new Date(agency.clock.now() + minute).toISOString() }
      const [left, taken, waiting] = [
        await agency.offer(times),
        await agency.offer(times),
        await agency.offer({ ...times, release: 'officer' }),
      ]
      const token = await wallet.accessToken(taken)
      await wallet.collect(await wallet.accessToken(waiting))
      agency.clock.time += 2 * minute
      await agency.offer()
      await eventually(async () => (await sealedOf(agency, left)) === null)
      expect(await sealedOf(agency, taken)).not.toBeNull()
      expect(await sealedOf(agency, waiting)).not.toBeNull()
      expect((await wallet.collect(token)).status).toBe(200)
      expect(await agency.state(idOf(left))).toMatchObject({ state: 'offered', open: false })
      agency.clock.time += 2 * 24 * 60 * minute
      expect(await agency.state(idOf(left))).toMatchObject({ state: 'expired', open: false })
    })

    it('that nobody took up is erased where nobody calls any more, a little later than it ends', async () => {
      const agency = await open()
      const offer = await agency.offer({ expires: new Date(agency.clock.now() + minute).toISOString() })
      agency.clock.time += minute + 1
      openSweeps(agency.needs)()
      await new Promise(done => setTimeout(done, 100))
      expect(await sealedOf(agency, offer)).not.toBeNull()
      agency.clock.time += 25 * 60 * minute
      openSweeps(agency.needs)()
      await eventually(async () => (await sealedOf(agency, offer)) === null)
      await eventually(async () => (await count(agency, 'oid4vci_grants')) === 0)
    })

    it('is shown as a picture to nobody whom the evidence does not name', async () => {
      const agency = await open()
      const offer = await agency.offer()
      const seen = await agency.asStaff('getCredentialOfferQr', { params: { offer: idOf(offer) } })
      expect(seen.status).toBe(200)
      const records = (await rows(agency, 'journal_details')).map(({ record }) => JSON.parse(String(record)) as Body)
      expect(records).toContainEqual(
        expect.objectContaining({ operation: 'getCredentialOfferQr', callerId: 'clerk', outcome: 'disclosed' }),
      )
    })

    it('that was taken up stands in nobody’s way: the person is given what else is ready', async () => {
      const agency = await open()
      const person = { type: 'NationalIdentity', claims: { personalAdministrativeNumber: 'XN-1' } }
      const [older, newer] = [
        await agency.offer({ identifiedBy: person }),
        await agency.offer({ identifiedBy: person }),
      ]
      await agency.store.transaction(async tx => {
        await tx.query(`UPDATE oid4vci_grants SET state = 'spent' WHERE id = ?`, [idOf(newer)])
      })
      const { port } = openIssuances(agency.needs)
      const found = await port.ofPerson(person, [licence], { taken: false })
      expect(found.map(({ id }) => id)).toEqual([idOf(older)])
      expect(await port.ofPerson(person, [licence], { taken: true })).toHaveLength(2)
    })
  })

  describe('with a token of another server (RFC 9068)', () => {
    const person = { type: 'NationalIdentity', claims: { personalAdministrativeNumber: 'XN-1' } }
    const opened = async (more: Partial<ExternalToken> = {}) => {
      const key = newKey()
      const token: ExternalToken = {
        ...{ id: 'token-of-amara', expires: 0, subject: 'amara', clientId: 'wallet', scopes: [licence] },
        ...{ configurationIds: [], thumbprint: key.thumbprint, person, ...more },
      }
      const external: ExternalServer = {
        issuer: 'https://server.example',
        judge: async () => token,
        metadata: async () => ({}),
      }
      const agency = await open({ external })
      token.expires = agency.clock.now() + 60 * minute
      return { agency, token, wallet: newWallet(agency, key) }
    }
    const shown = 'token-of-the-other-server'

    it('what was collected is notified of, and given again for the same request', async () => {
      const { agency, wallet } = await opened()
      const offer = await agency.offer({ identifiedBy: person })
      const body = { credential_configuration_id: licence, proofs: await wallet.proofs(newKey()) }
      const first = await wallet.request(shown, body)
      expect(first.status).toBe(200)
      const again = await wallet.request(shown, body)
      expect([again.status, again.body]).toEqual([200, first.body])
      const event = { notification_id: first.body['notification_id'], event: 'credential_accepted' }
      expect((await wallet.notify(shown, event)).status).toBe(204)
      expect((await agency.state(idOf(offer)))['deliveries']).toMatchObject([{ event: 'credential_accepted' }])
      expect(errorOf(await wallet.collect(shown))).toBe('400 credential_request_denied')
    })

    it('what waits for an officer is collected after the offer could be taken up', async () => {
      const { agency, wallet } = await opened()
      const expires = new Date(agency.clock.now() + 2 * minute).toISOString()
      const offer = await agency.offer({ identifiedBy: person, release: 'officer', expires })
      const { transaction_id: transaction } = (await wallet.collect(shown)).body
      agency.clock.time += 3 * minute
      await agency.offer()
      await release(agency, offer)
      expect(credentialsIn(await wallet.deferred(shown, transaction))).toHaveLength(1)
    })

    it('the next that is ready for the person is opened when the first is collected, and both are spoken of', async () => {
      const { agency, wallet } = await opened()
      await agency.offer({ identifiedBy: person })
      await agency.offer({ identifiedBy: person })
      const [one, other] = [await wallet.collect(shown), await wallet.collect(shown)]
      expect([one.status, other.status, await count(agency, 'credentials')]).toEqual([200, 200, 2])
      for (const { body } of [one, other]) {
        const event = { notification_id: body['notification_id'], event: 'credential_deleted' }
        expect((await wallet.notify(shown, event)).status).toBe(204)
      }
      expect(errorOf(await wallet.collect(shown))).toBe('400 credential_request_denied')
    })

    it('what was asked for is waited for, and given again, while something else is ready for the person', async () => {
      const other = 'DrivingLicence.1.jwt_vc_json'
      const { agency, wallet } = await opened({ scopes: [licence, other] })
      await agency.offer({ identifiedBy: person, credentialConfigurationIds: [other] })
      agency.clock.time += 1
      const offer = await agency.offer({ identifiedBy: person, release: 'officer' })
      const body = { credential_configuration_id: licence, proofs: await wallet.proofs(newKey()) }
      const first = await wallet.request(shown, body)
      expect(first.status).toBe(202)
      expect(await wallet.request(shown, body)).toMatchObject({ status: 202, body: first.body })
      const { transaction_id: transaction } = first.body
      expect((await wallet.deferred(shown, transaction)).status).toBe(202)
      await release(agency, offer)
      expect(credentialsIn(await wallet.deferred(shown, transaction))).toHaveLength(1)
      const next = { credential_configuration_id: other, proofs: await wallet.proofs(newKey()) }
      expect((await wallet.request(shown, next)).status).toBe(200)
      expect(await count(agency, 'credentials')).toBe(2)
    })

    it('what waits for an officer is collected with the next token of the same person, and with nobody else’s', async () => {
      const { agency, wallet, token } = await opened()
      const offer = await agency.offer({ identifiedBy: person, release: 'officer' })
      const { transaction_id: transaction } = (await wallet.collect(shown)).body
      await release(agency, offer)
      token.id = 'token-of-bintu'
      token.person = { ...person, claims: { personalAdministrativeNumber: 'XN-2' } }
      expect(errorOf(await wallet.deferred(shown, transaction))).toBe('403 insufficient_scope')
      await agency.offer({ identifiedBy: token.person })
      expect(errorOf(await wallet.deferred(shown, transaction))).toBe('400 invalid_transaction_id')
      token.id = 'next-token-of-amara'
      token.person = person
      expect(credentialsIn(await wallet.deferred(shown, transaction))).toHaveLength(1)
      expect(await agency.state(idOf(offer))).toMatchObject({ state: 'collected' })
    })

    it('nothing is spoken of that another token collected', async () => {
      const { agency, wallet, token } = await opened()
      await agency.offer({ identifiedBy: person })
      const { notification_id: id } = (await wallet.collect(shown)).body
      token.id = 'another-token'
      expect(errorOf(await wallet.notify(shown, { notification_id: id, event: 'credential_deleted' }))).toBe(
        '403 insufficient_scope',
      )
    })

    it('no configuration is issued that was not offered, whatever the token opens', async () => {
      const { agency, wallet } = await opened({ scopes: [licence, 'DrivingLicence.1.ldp_vc'] })
      // What is left of the offer is not what the token opens.
      const credentialConfigurationIds = [licence, 'DrivingLicence.1.jwt_vc_json']
      const offer = await agency.offer({ identifiedBy: person, credentialConfigurationIds })
      expect((await wallet.collect(shown)).status).toBe(200)
      expect(await agency.state(idOf(offer))).toMatchObject({ state: 'offered' })
      const asked = { credential_configuration_id: 'DrivingLicence.1.ldp_vc', proofs: await wallet.proofs(newKey()) }
      expect((await wallet.request(shown, asked)).status).toBe(400)
      expect(await count(agency, 'credentials')).toBe(1)
    })

    it('the state of an offer goes on opening it while it is collected', async () => {
      const { agency, wallet, token } = await opened({ person: undefined })
      const offer = await agency.offer({ times: 2 })
      token.issuerState = grantsIn(offer)['authorization_code']?.issuer_state
      expect((await wallet.collect(shown)).status).toBe(200)
      expect((await wallet.collect(shown)).status).toBe(200)
      expect(errorOf(await wallet.collect(shown))).toBe('400 credential_request_denied')
    })
  })
})
