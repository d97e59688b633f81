import { presentCredential } from '../src/identity/present.ts'
import type { Signer } from '../src/kernel/ports.ts'
import { staffOf } from './clients.ts'
import { dpopFetch, dpopProof, type Key, newKey, send, type To } from './holder.ts'
import { type Document, edited } from './identity/ldp.ts'
import { put, signBytes } from './identity/world.ts'
import { caller, licenceFor, type Started, startService, temporaryFolder } from './service.ts'

const folder = temporaryFolder()
let service: Started
const staff = (agency: string) => caller(service, agency)
const agency = 'transport-authority'
const bank = () => `${service.url}/commercial-bank`
const codeOf = (answer: { status: number; body: Record<string, unknown> }) => [answer.status, answer.body['code']]
const refusalOf = ({ body }: { body: Record<string, unknown> }) => (body['errors'] as { code: string }[])[0]?.code

beforeAll(async () => {
  service = await startService({ dataDir: folder.path })
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

const issued = async (did: string): Promise<{ document: Document; id: string }> => {
  const answer = await staff(agency)('POST', '/credentials/issue', licenceFor(did, { format: 'ldp_vc' }))
  expect(answer.status).toBe(201)
  return {
    document: answer.body['verifiableCredential'] as unknown as Document,
    id: String(answer.body['credentialId']),
  }
}

const signerOf = ({ privateKey }: Key): Signer => ({
  sign: async (_id, algorithm, data) => signBytes({ privateKey, algorithm } as Parameters<typeof signBytes>[0], data),
})

/** A wallet that is not the state's presents with a proof in the document. */
const shown = async (document: Document, key: Key, { challenge, audience }: To): Promise<Document> => {
  const { did, kid } = key
  const held = { compact: JSON.stringify(document), format: 'ldp_vc' }
  const holder = { did, kid, keyId: kid, algorithm: 'ES256' as const }
  const to = { challenge, audience, claims: [] }
  return JSON.parse(await presentCredential(held, to, holder, signerOf(key), Date.now()))
}

describe('an agency and its ldp_vc over HTTP', () => {
  it('issues one as an object, shows it again, and verifies it as an object', async () => {
    const { did } = newKey()
    const { document, id } = await issued(did)
    expect(document).toMatchObject({ credentialSubject: { id: did }, proof: { cryptosuite: 'ecdsa-rdfc-2019' } })
    const read = await staff(agency)('GET', `/credentials/${encodeURIComponent(id)}`)
    expect(read.body).toMatchObject({ format: 'ldp_vc', verifiableCredential: document })
    const verdict = await staff('commercial-bank')('POST', '/credentials/verify', { verifiableCredential: document })
    expect([verdict.status, verdict.body['verified'], verdict.body['format']]).toEqual([200, true, 'ldp_vc'])
    const forged = edited(document, each => put(each['credentialSubject'] as Document, 'familyName', 'Other'))
    const refused = await staff('commercial-bank')('POST', '/credentials/verify', { verifiableCredential: forged })
    expect([refused.status, refusalOf(refused)]).toEqual([422, 'signature_invalid'])
  })

  it('serves every context that its credential names', async () => {
    const { document } = await issued(newKey().did)
    const [, ...own] = document['@context'] as string[]
    expect(own).toEqual([
      `${service.url}/${agency}/types/driving-licence/1/context`,
      `${service.url}/${agency}/contexts/evm-status/1`,
    ])
    for (const url of own) {
      const answer = await send(url, 'GET')
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringContaining('ld+json')])
      expect(Object.keys(answer.body)).toEqual(['@context'])
    }
    for (const path of ['evm-status/2', 'constructor/1', '__proto__/1'])
      expect(codeOf(await send(`${service.url}/${agency}/contexts/${path}`, 'GET'))).toEqual([404, 'context_unknown'])
  })

  it('issues many, a line each, and reissues one', async () => {
    const lines = [newKey(), newKey()].map(({ did }) => licenceFor(did, { format: 'ldp_vc' }))
    const answers: unknown[] = []
    for await (const each of (await staffOf(service, agency).issueCredentialBatch({ body: lines })).body)
      answers.push(each)
    const one = { verifiableCredential: { proof: { type: 'DataIntegrityProof' } } }
    expect(answers).toMatchObject([one, one])
    const { document, id } = await issued(newKey().did)
    const body = { ...licenceFor(newKey().did, { format: 'ldp_vc' }), reason: 'lost' }
    const again = await staff(agency)('POST', `/credentials/${encodeURIComponent(id)}/reissue`, body)
    expect([again.status, again.body['replaces']]).toEqual([201, id])
    expect((again.body['verifiableCredential'] as unknown as Document)['id']).not.toBe(id)
    const old = await staff(agency)('POST', '/credentials/verify', { verifiableCredential: document })
    expect(refusalOf(old)).toBe('credential_revoked')
  })

  it('verifies a presentation with a proof over a challenge, once', async () => {
    const key = newKey()
    const { document } = await issued(key.did)
    const { body } = await staff(agency)('POST', '/challenges', {})
    const to = { challenge: String(body['challenge']), audience: String(body['domain']) }
    const verifiablePresentation = await shown(document, key, to)
    const asked = { verifiablePresentation, options: { challenge: to.challenge } }
    const verify = () => staff(agency)('POST', '/presentations/verify', asked)
    expect((await verify()).body).toMatchObject({ verified: true, holder: key.did })
    expect(refusalOf(await verify())).toBe('challenge_replayed')
  })

  it('opens a session for a presentation with a proof, as an object or as text, and for no stolen one', async () => {
    const key = newKey()
    const { document } = await issued(key.did)
    const open = async (by: Key, form: (made: Document) => unknown) => {
      const bound = newKey()
      const asked = await send(`${bank()}/sessions/challenge`, 'POST', { dpop_jkt: bound.thumbprint })
      const presentation = form(await shown(document, by, asked.body as unknown as To))
      const dpop = dpopProof(bound, { method: 'POST', url: `${bank()}/sessions` })
      return { answer: await send(`${bank()}/sessions`, 'POST', { presentation }, { dpop }), bound }
    }
    for (const form of [(made: Document) => made, JSON.stringify, (made: Document) => [made]]) {
      const { answer, bound } = await open(key, form)
      expect(answer.status).toBe(201)
      const session = dpopFetch(bank(), String(answer.body['access_token']), bound)
      expect((await session.call('GET', '/pending-acts')).status).toBe(200)
    }
    expect(codeOf((await open(newKey(), made => made)).answer)).toEqual([401, 'holder_mismatch'])
    const edit = (made: Document) => ({ ...made, holder: newKey().did })
    expect(codeOf((await open(key, edit)).answer)).toEqual([401, 'key_of_another'])
  })
})

describe('an issuer instance of an ordinary agency', () => {
  const issue = (credential: unknown, headers?: Record<string, string>) =>
    staff(agency)('POST', '/issuers/data-integrity/credentials/issue', { credential }, headers)
  const contexts = ['https://www.w3.org/ns/credentials/v2']
  const wish = (more: Document = {}) => ({
    '@context': contexts,
    ...licenceFor(newKey().did).credential,
    ...more,
  })

  it('issues what the agency issues, in its name and with its status, and the agency keeps it', async () => {
    const listed = await send(`${service.url}/${agency}/issuers`, 'GET')
    const [instance] = listed.body['items'] as unknown as Document[]
    expect(instance).toMatchObject({ name: 'data-integrity', suite: 'ecdsa-rdfc-2019' })
    const answer = await issue(wish({ issuer: instance?.['issuer'] }), { 'idempotency-key': 'once' })
    expect(answer.status).toBe(201)
    const document = answer.body['verifiableCredential'] as unknown as Document
    expect(document).toMatchObject({
      issuer: instance?.['issuer'],
      proof: { cryptosuite: 'ecdsa-rdfc-2019', verificationMethod: instance?.['verificationMethod'] },
    })
    const verdict = await staff('commercial-bank')('POST', '/credentials/verify', { verifiableCredential: document })
    expect(verdict.body['verified']).toBe(true)
    const id = String(answer.body['credentialId'])
    const read = await staff(agency)('GET', `/credentials/${encodeURIComponent(id)}`)
    expect(read.body).toMatchObject({ format: 'ldp_vc', status: 'valid', verifiableCredential: document })
  })

  it.each([
    ['a type that is not known', { type: ['VerifiableCredential', 'Nonsense'] }, 422, 'type_unknown'],
    ['claims that do not fit', { credentialSubject: { id: 'did:key:z', familyName: 'x' } }, 422, 'schema_violated'],
    ['another issuer', { issuer: 'did:example:other' }, 422, 'issuer_foreign'],
    ['an id of the caller’s', { id: 'urn:uuid:0' }, 422, 'credential_member_unsupported'],
    ['a status of the caller’s', { credentialStatus: [] }, 422, 'credential_member_unsupported'],
    ['two subjects', { credentialSubject: [{ id: 'did:key:a' }, { id: 'did:key:b' }] }, 400, 'credential_malformed'],
    ['no context', { '@context': undefined }, 400, 'credential_malformed'],
    ['types that are no texts', { type: [1] }, 400, 'credential_malformed'],
    ['no type of its own', { type: ['VerifiableCredential'] }, 400, 'type_missing'],
  ])('refuses %s', async (_title, change, status, code) => {
    expect(codeOf(await issue(wish(change)))).toEqual([status, code])
  })

  it.each([
    ['credentialId', { credentialId: 'urn:uuid:0' }],
    ['mandatoryPointers', { mandatoryPointers: ['/issuer'] }],
    ['any other option', { other: true }],
  ])('refuses %s, which it would not heed', async (_title, options) => {
    const path = '/issuers/data-integrity/credentials/issue'
    const answer = await staff(agency)('POST', path, { credential: wish(), options })
    expect([400, 422]).toContain(answer.status)
    expect(['option_unsupported', 'body_invalid']).toContain(answer.body['code'])
  })

  it('issues in an exchange, to the DID that was proven in it, by the rules of the agency', async () => {
    const key = newKey()
    const { document } = await issued(key.did)
    const { credentialSubject, ...licence } = wish() as { credentialSubject: Document }
    const { id: _, ...claims } = credentialSubject
    const example = { '@context': document['@context'], type: 'DrivingLicence' }
    const workflow = await staff(agency)('POST', '/workflows', {
      issuer: 'data-integrity',
      initialStep: 'prove',
      credentialTemplates: [{ type: 'application/json', template: { ...licence, credentialSubject: claims } }],
      steps: {
        prove: {
          createChallenge: true,
          verifiablePresentationRequest: { query: { type: 'QueryByExample', credentialQuery: { example } } },
          nextStep: 'deliver',
        },
        deliver: { issueRequests: [{ credentialTemplateIndex: 0 }] },
      },
    })
    const begun = await staff(agency)('POST', `/workflows/${String(workflow.body['id'])}/exchanges`, {})
    expect([workflow.status, begun.status]).toEqual([201, 201])
    const url = String(begun.body['url'])
    const request = (await send(url, 'POST', {})).body['verifiablePresentationRequest'] as unknown as Document
    const to = { challenge: String(request['challenge']), audience: String(request['domain']) }
    const stolen = await send(url, 'POST', { verifiablePresentation: await shown(document, newKey(), to) })
    expect(codeOf(stolen)).toEqual([422, 'holder_mismatch'])
    const message = await send(url, 'POST', { verifiablePresentation: await shown(document, key, to) })
    expect(message.status).toBe(200)
    const offered = message.body['verifiablePresentation'] as unknown as { verifiableCredential: Document[] }
    const [credential] = offered.verifiableCredential
    expect(credential).toMatchObject({ credentialSubject: { id: key.did }, proof: { cryptosuite: 'ecdsa-rdfc-2019' } })
    const verdict = await staff('commercial-bank')('POST', '/credentials/verify', { verifiableCredential: credential })
    expect(verdict.body['verified']).toBe(true)
    const read = await staff(agency)('GET', `/credentials/${encodeURIComponent(String(credential?.['id']))}`)
    expect(read.body).toMatchObject({ format: 'ldp_vc', status: 'valid' })
  })

  it('is known by its name only, and to staff only', async () => {
    const other = await staff(agency)('POST', '/issuers/other/credentials/issue', { credential: wish() })
    expect(codeOf(other)).toEqual([404, 'issuer_unknown'])
    const url = `${service.url}/${agency}/issuers/data-integrity/credentials/issue`
    expect((await send(url, 'POST', { credential: wish() })).status).toBe(401)
  })

  it('presents as the agency, whose key is the holder’s', async () => {
    const listed = await send(`${service.url}/${agency}/issuers`, 'GET')
    const did = String((listed.body['items'] as unknown as Document[])[0]?.['issuer'])
    const { document } = await issued(did)
    const { body } = await staff(agency)('POST', '/challenges', {})
    const presentation = {
      '@context': contexts,
      type: ['VerifiablePresentation'],
      holder: did,
      verifiableCredential: [document],
    }
    const options = { challenge: body['challenge'], domain: body['domain'] }
    const made = await staff(agency)('POST', '/presentations/create', { presentation, options })
    expect(made.status).toBe(201)
    const { verifiablePresentation } = made.body
    const asked = { verifiablePresentation, options: { challenge: body['challenge'] } }
    const verdict = await staff(agency)('POST', '/presentations/verify', asked)
    expect(verdict.body).toMatchObject({ verified: true, holder: did })
  })
})
