import { createHash } from 'node:crypto'
import {
  type Held,
  type Key,
  newKey,
  newWalletHolder,
  type Session,
  send,
  signJwt,
  type WalletHolder,
  withdraw,
} from './holder.ts'
import { type Answer, caller, exampleOf, type Started } from './service.ts'

/** What a registry does, from outside: applicants, officers and the public over HTTP, tokens on a real node. */

export const registry = 'business-registry'
const register = 'professional-licences'
const base = `/registry/registers/${register}`

const diploma = Buffer.from('a diploma')
const attachment = {
  ...{ name: 'diploma', mediaType: 'application/pdf', bytes: diploma.length },
  sha256: createHash('sha256').update(diploma).digest('base64url'),
}
const fields = {
  ...{ profession: 'notary', scopeOfPractice: ['conveyancing'] },
  professionalBody: { name: 'Chamber of Notaries', identifier: 'XN-CN' },
}

export const codeOf = (answer: Answer) => [answer.status, answer.body['code']]

export const citizen = async (service: Started, claims: Record<string, unknown> = {}): Promise<WalletHolder> => {
  const holder = newWalletHolder(service)
  await holder.receive('root-authority', 'NationalIdentity', { ...exampleOf('national-identity'), ...claims })
  return holder
}

export const officerOf = async (
  service: Started,
  agency = registry,
  competence = `registry:${register}:decide`,
  number = 'BR-1',
): Promise<{ officer: WalletHolder; licence: Held; session: Session }> => {
  const officer = newWalletHolder(service)
  const licence = await officer.receive(agency, 'PublicOfficer', {
    ...exampleOf('public-officer'),
    ...{ officerNumber: number, competences: [competence] },
  })
  return { officer, licence, session: await officer.openSession(agency) }
}

const ok = (answer: Answer): Record<string, never> & Record<string, unknown> => {
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body))
  return answer.body
}

type Granted = { entry: string; application: string; session: Session; number: string }

/** From the application to the licence in the citizen's wallet. */
const licensed = async (officer: Session, holder: WalletHolder): Promise<Granted> => {
  const session = await holder.openSession(registry)
  const made = ok(await session.call('POST', `${base}/applications`, { fields, attachments: [attachment] }))
  const path = `${base}/applications/${made['application']}`
  ok(await officer.call('POST', `${path}/review`))
  const decision = { legalBasis: 'Notaries Act, s. 3', fields: { admittedOn: '2026-01-15' } }
  const answer = ok(await officer.call('POST', `${path}/grant`, decision))
  return { ...(answer as unknown as Granted), session }
}

export const registrySuite = (started: () => Started): void => {
  const url = () => `${started().url}/${registry}`

  describe('a licence', () => {
    it('goes from application to wallet, and is good anywhere', async () => {
      const service = started()
      const { session: officer } = await officerOf(service)
      const holder = await citizen(service)
      const { application, entry, session, number } = await licensed(officer, holder)
      expect(number).toMatch(/^PL-\d{7}$/)

      const path = `${base}/applications/${application}`
      const collected = ok(await session.call('POST', `${path}/credential`, {}))
      const verifier = caller(service, 'land-registry')
      const judged = await verifier('POST', '/credentials/verify', { verifiableCredential: collected['compact'] })
      expect([judged.status, judged.body['verified']]).toEqual([200, true])

      const shown = ok(await send(`${url()}/registry/entries/${entry}`, 'GET'))
      const { familyName, givenName } = exampleOf('national-identity')
      expect(shown).toMatchObject({ state: 'active', fields: { familyName, givenName, profession: 'notary' } })
      expect(shown['fields']).not.toHaveProperty('birthDate')
      const metadata = await send(`${url()}/registry/tokens/${shown['token']}`, 'GET')
      expect(ok(metadata)).toMatchObject({ entry, number, state: 'active', commitment: shown['commitment'] })
      expect(JSON.stringify(metadata.body)).not.toContain(String(familyName))
      const other = String(BigInt(String(shown['token'])) ^ (1n << 200n))
      expect(codeOf(await send(`${url()}/registry/tokens/${other}`, 'GET'))).toEqual([404, 'entry_unknown'])

      const licence: Held = {
        ...{ compact: String(collected['compact']), id: String(collected['credentialId']), issuer: registry },
        key: holder.key,
      }
      const mine = await holder.openSession(registry, [licence])
      expect(ok(await mine.call('GET', `${base}/entries/${entry}`))['fields']).toHaveProperty('birthDate')
      const history = ok(await mine.call('GET', `${base}/entries/${entry}/history`))
      expect(history['steps'] as unknown).toMatchObject([{ step: { kind: 'granted', by: { officer: 'BR-1' } } }])

      const found = await send(`${url()}${base}/search`, 'POST', { where: { profession: 'notary' }, limit: 100 })
      expect((ok(found)['entries'] as unknown as { entry: string }[]).map(each => each.entry)).toContain(entry)
    })

    it('is suspended with everything that hangs on it, and the next call with it is refused', async () => {
      const service = started()
      const { session: officer } = await officerOf(service)
      const holder = await citizen(service)
      const { application, entry, session } = await licensed(officer, holder)
      const collected = ok(await session.call('POST', `${base}/applications/${application}/credential`, {}))
      const licence: Held = {
        ...{ compact: String(collected['compact']), id: String(collected['credentialId']), issuer: registry },
        key: holder.key,
      }
      const mine = await holder.openSession(registry, [licence])
      expect((await mine.call('GET', `${base}/entries/${entry}`)).status).toBe(200)
      const cause = { legalBasis: 'Notaries Act, s. 40', reason: 'Inquiry' }
      ok(await officer.call('POST', `${base}/entries/${entry}/suspension`, cause))
      expect(codeOf(await mine.call('GET', `${base}/entries/${entry}`))).toEqual([403, 'credential_suspended'])
      ok(await officer.call('POST', `${base}/entries/${entry}/reinstatement`, cause))
      ok(await officer.call('POST', `${base}/entries/${entry}/revocation`, cause))
      expect(ok(await send(`${url()}/registry/entries/${entry}`, 'GET'))['state']).toBe('revoked')
      expect(codeOf(await mine.call('GET', `${base}/entries/${entry}`))).toEqual([403, 'credential_revoked'])
    })

    it('is applied for by a presentation for that very act, and for no other body', async () => {
      const service = started()
      const holder = await citizen(service)
      const body = { fields, attachments: [attachment] }
      const shot = await holder.oneShot(registry, 'applyToRegister', { register }, body)
      const changed = { ...shot, fields: { ...fields, profession: 'physician' } }
      const to = `${url()}${base}/applications`
      expect(codeOf(await send(to, 'POST', changed))).toEqual([401, 'challenge_mismatch'])
      const elsewhere = `${url()}/registry/registers/business-licences/applications`
      expect(codeOf(await send(elsewhere, 'POST', shot))).toEqual([401, 'challenge_mismatch'])
      expect((await send(to, 'POST', shot)).status).toBe(201)
      expect(codeOf(await send(to, 'POST', shot))).toEqual([401, 'proof_replayed'])
    })

    it('is bound to a fresh key that proves itself to this agency and for this applicant', async () => {
      const service = started()
      const holder = await citizen(service)
      const session = await holder.openSession(registry)
      const key = newKey()
      const proof = (to: { aud?: string; nonce?: string }, of: Key = key) => {
        const payload = { aud: url(), nonce: holder.did, iat: Math.floor(Date.now() / 1_000), ...to }
        return { proof_type: 'jwt', jwt: signJwt({ typ: 'openid4vci-proof+jwt', kid: key.kid }, payload, of) }
      }
      const apply = (more: Record<string, unknown>) =>
        session.call('POST', `${base}/applications`, { fields, attachments: [attachment], ...more })
      const wrong = [
        proof({ nonce: newKey().did }),
        proof({ aud: `${service.url}/land-registry` }),
        proof({}, newKey()),
      ]
      for (const holderProof of wrong) {
        expect(codeOf(await apply({ holderProof }))).toEqual([401, 'key_proof_refused'])
      }
      expect(codeOf(await apply({ holder: holder.did, holderProof: proof({}) }))).toEqual([403, 'holder_key_foreign'])
      expect(ok(await apply({ holderProof: proof({}) }))['holder']).toBe(key.did)
    })

    it('is not granted in the name of another, nor bound to another’s key', async () => {
      const service = started()
      const session = await (await citizen(service)).openSession(registry)
      const apply = (more: Record<string, unknown>) =>
        session.call('POST', `${base}/applications`, { fields, attachments: [attachment], ...more })
      const other = newWalletHolder(service)
      expect(codeOf(await apply({ holder: other.did }))).toEqual([403, 'holder_key_foreign'])
      const named = { ...fields, familyName: 'Somebody' }
      expect(codeOf(await apply({ fields: named }))).toEqual([422, 'field_from_claims'])
      expect(codeOf(await apply({ attachments: [] }))).toEqual([422, 'attachment_missing'])
      const made = ok(await apply({}))
      const path = `${base}/applications/${made['application']}/attachments/diploma`
      const content = Buffer.from('another').toString('base64')
      expect(codeOf(await session.call('PUT', path, { content }))).toEqual([422, 'attachment_mismatch'])
      expect((await session.call('PUT', path, { content: diploma.toString('base64') })).status).toBe(200)
    })
  })

  describe('an officer', () => {
    it('is one of this authority, for this register, with a credential that stands', async () => {
      const service = started()
      const session = await (await citizen(service)).openSession(registry)
      const made = ok(await session.call('POST', `${base}/applications`, { fields, attachments: [attachment] }))
      const path = `${base}/applications/${made['application']}/review`
      expect(codeOf(await send(url() + path, 'POST', {}))).toEqual([401, 'unauthenticated'])
      expect(codeOf(await session.call('POST', path))).toEqual([403, 'credential_missing'])

      const wrong = await officerOf(service, registry, 'registry:business-licences:decide')
      expect(codeOf(await wrong.session.call('POST', path))).toEqual([403, 'claims_insufficient'])
      const foreign = newWalletHolder(service)
      await foreign.receive('land-registry', 'PublicOfficer', {
        ...{ ...exampleOf('public-officer'), competences: [`registry:${register}:decide`] },
      })
      const theirs = await foreign.openSession(registry)
      expect(codeOf(await theirs.call('POST', path))).toEqual([403, 'issuer_not_accepted'])

      const { session: officer, licence } = await officerOf(service)
      await withdraw(service, licence)
      expect(codeOf(await officer.call('POST', path))).toEqual([403, 'credential_revoked'])
    })

    it('is refused from the moment on at which the credential lapses, also in a session', async () => {
      const service = started()
      const session = await (await citizen(service)).openSession(registry)
      const made = ok(await session.call('POST', `${base}/applications`, { fields, attachments: [attachment] }))
      const path = `${base}/applications/${made['application']}`
      const officer = newWalletHolder(service)
      const validUntil = new Date(Date.now() + 4_000).toISOString()
      const claims = { ...exampleOf('public-officer'), competences: [`registry:${register}:decide`] }
      await officer.receive(registry, 'PublicOfficer', claims, { validUntil })
      const office = await officer.openSession(registry)
      expect((await office.call('GET', path)).status).toBe(200)
      await new Promise(done => setTimeout(done, Date.parse(validUntil) - Date.now() + 1_200))
      const late = await office.call('POST', `${path}/review`)
      expect(codeOf(late)).toEqual([401, 'session_invalid'])
      expect((await office.call('GET', path)).status).toBe(late.status)
    })

    it('enters many at once in a session', async () => {
      const service = started()
      const { session: officer } = await officerOf(service)
      const lines = Array.from({ length: 20 }, (_, at) => ({
        ...{ holder: newWalletHolder(service).did, legalBasis: 'Notaries Act, s. 90' },
        fields: { ...fields, familyName: `Family${at}`, givenName: 'Given', admittedOn: '2020-01-01' },
      }))
      const text = `${lines.map(line => JSON.stringify(line)).join('\n')}\n`
      const answer = await officer.call('POST', `${base}/grants`, text)
      const answers = String(answer.body['text'])
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as { entry?: string })
      expect([answer.status, answers.filter(({ entry }) => entry !== undefined).length]).toEqual([200, 20])
    })
  })
}
