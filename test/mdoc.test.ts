import { DeviceResponse, type DeviceSignedDocument, parse, Verifier } from '@auth0/mdl'
import type { ChanceryError, Client } from '../client/src/client.ts'
import { decode, encode, Tag } from '../src/identity/cbor.ts'
import { shownWith } from '../src/identity/formats/mso-mdoc-present.ts'
import { redirectTranscript } from '../src/identity/mdoc/session-transcript.ts'
import { anyoneAt, citizenAt, refusalOf, staffOf } from './clients.ts'
import { type Key, newKey, send } from './holder.ts'
import { licenceFor, type Started, startService, temporaryFolder } from './service.ts'

const folder = temporaryFolder()
let service: Started
const agency = 'transport-authority'
const staff = (name: string) => staffOf(service, name)
/** Why a verdict is not good. */
const reasonOf = ({ status, problem }: ChanceryError) => [status, (problem['errors'] as { code: string }[])[0]?.code]
const docType = 'org.iso.18013.5.1.mDL'
const namespace = 'org.iso.18013.5.1'
const names = ['family_name', 'birth_date', 'driving_privileges']

beforeAll(async () => {
  const agencies = ['root-authority', agency, 'commercial-bank', 'citizen-wallet'].map(name => `agents/${name}.yml`)
  service = await startService({ dataDir: folder.path, agencies })
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

const issued = async (did: string) => {
  const { body } = await staff(agency).issueCredential({ body: licenceFor(did, { format: 'mso_mdoc' }) })
  return { compact: String(body.verifiableCredential), id: body.credentialId }
}

const anchorsOf = async (name: string): Promise<string> =>
  String(
    (
      await send(`${service.url}/${name}/certificates`, 'GET', undefined, {
        accept: 'application/pem-certificate-chain',
      })
    ).body['text'],
  )

const challengeAt = async (name: string) => {
  const { challenge, domain } = (await staff(name).createChallenge()).body
  return { challenge, audience: domain }
}

/** What a verifier of this house asks for when it does not ask by OpenID4VP: presented to itself. */
const exchangeFor = ({ challenge, audience }: { challenge: string; audience: string }) => {
  const handover = { by: 'redirect' as const, clientId: audience, responseUri: audience, nonce: challenge }
  return { handover, transcript: redirectTranscript({ ...handover }) }
}

/** The wallet of @auth0/mdl, which wants an mdoc as a response without device. */
const theirWallet = async (compact: string, key: Key, transcript: Uint8Array): Promise<Uint8Array> => {
  const document = { docType, issuerSigned: decode(new Uint8Array(Buffer.from(compact, 'base64url'))) }
  const held = parse(encode({ version: '1.0', documents: [document], status: 0 }))
  const fields = names.map(name => ({ path: [`$['${namespace}']['${name}']`], intent_to_retain: false }))
  const descriptor = {
    id: docType,
    format: { mso_mdoc: { alg: ['ES256'] } },
    constraints: { limit_disclosure: 'required', fields },
  }
  const response = await DeviceResponse.from(held)
    .usingPresentationDefinition({ id: 'licence', input_descriptors: [descriptor] })
    .usingSessionTranscriptBytes(Buffer.from(encode(new Tag(24, transcript))))
    .authenticateWithSignature(key.privateKey.export({ format: 'jwk' }) as { kty: string }, 'ES256')
    .sign()
  return response.encode()
}

describe('a driving licence as an mdoc over HTTP', () => {
  it('is issued, shown again, verified by another agency, and refused once it is revoked', async () => {
    const { compact, id } = await issued(newKey().did)
    const read = await staff(agency).getCredential({ params: { id } })
    expect(read.body).toMatchObject({ format: 'mso_mdoc', verifiableCredential: compact })
    const verify = () => staff('commercial-bank').verifyCredential({ body: { verifiableCredential: compact } })
    expect((await verify()).body).toMatchObject({
      verified: true,
      format: 'mso_mdoc',
      type: 'DrivingLicence',
      doctype: docType,
    })
    const credentialStatus = { type: 'BitstringStatusListEntry', statusPurpose: 'revocation' }
    const body = { credentialId: id, credentialStatus, status: true }
    await staff(agency).updateCredentialStatus({ query: { wait: 'mined' }, body })
    expect(reasonOf(await refusalOf(verify()))).toEqual([422, 'credential_revoked'])
  })

  it('is held by a wallet of others and presented to us, and a stranger’s device is refused', async () => {
    const key = newKey()
    const { compact } = await issued(key.did)
    const presentedBy = async (device: Key) => {
      const to = await challengeAt('commercial-bank')
      const { handover, transcript } = exchangeFor(to)
      const response = await theirWallet(compact, device, transcript)
      const text = shownWith(Buffer.from(response).toString('base64url'), handover)
      const body = { verifiablePresentation: text, options: { challenge: to.challenge } }
      return () => staff('commercial-bank').verifyPresentation({ body })
    }
    const verify = await presentedBy(key)
    const { body } = await verify()
    expect(body).toMatchObject({ verified: true, credentials: [{ type: 'DrivingLicence' }] })
    const [{ claims = {} } = {}] = body['credentials'] as { claims?: Record<string, unknown> }[]
    expect(Object.keys(claims).sort()).toEqual(['birthDate', 'drivingPrivileges', 'familyName', 'id'])
    expect(reasonOf(await refusalOf(verify()))).toEqual([422, 'challenge_replayed'])
    const stolen = await presentedBy(newKey())
    expect(reasonOf(await refusalOf(stolen()))).toEqual([422, 'holder_mismatch'])
  })

  it('is held by the citizens’ wallet, which shows chosen elements to a verifier of others', async () => {
    const citizen = await citizenAt(service, 'amara')
    const { compact } = await issued((await citizen.createHolderKey({ body: {} })).body.did)
    const { id, format } = (await citizen.receiveCredential({ body: { verifiableCredential: compact } })).body
    expect(format).toBe('mso_mdoc')
    const held = await citizen.getHeld({ params: { id } })
    expect(held.body).toMatchObject({ always: [], claims: { [namespace]: { family_name: 'Okafor' } } })
    expect(held.body.choosable).toContain(`${namespace}/age_over_18`)
    const audience = 'https://rental.example'
    const wish = { audience, challenge: 'nonce', claims: names.map(name => `${namespace}/${name}`) }
    const present = (body: typeof wish) => citizen.presentHeld({ params: { id }, body })
    const unknown = await refusalOf(present({ ...wish, claims: ['family_name'] }))
    expect(unknown).toMatchObject({ status: 422, code: 'claim_unknown' })
    const answer = await present(wish)
    expect(answer.body.shown).toEqual(wish.claims)
    const { deviceResponse } = answer.body.verifiablePresentation as unknown as { deviceResponse: string }
    const { transcript } = exchangeFor({ challenge: 'nonce', audience })
    const verifier = new Verifier([await anchorsOf(agency)])
    const judge = (encodedSessionTranscript: Uint8Array) =>
      verifier.verify(new Uint8Array(Buffer.from(deviceResponse, 'base64url')), { encodedSessionTranscript })
    const { documents } = await judge(encode(new Tag(24, transcript)))
    expect(Object.keys((documents[0] as DeviceSignedDocument).getIssuerNameSpace(namespace)).sort()).toEqual(
      [...names].sort(),
    )
    const other = exchangeFor({ challenge: 'another', audience })
    await expect(judge(encode(new Tag(24, other.transcript)))).rejects.toThrow('Device signature must be valid')
  })

  it('is signed under an authority that the agency publishes, and under no other one', async () => {
    const { compact } = await issued(newKey().did)
    const key = newKey()
    const { transcript } = exchangeFor({ challenge: 'nonce', audience: 'https://rental.example' })
    const response = await theirWallet(compact, key, transcript)
    const strangers = new Verifier([await anchorsOf('commercial-bank')])
    const judged = strangers.verify(response, { encodedSessionTranscript: encode(new Tag(24, transcript)) })
    await expect(judged).rejects.toThrow()
  })

  it('is issued only where the agency’s file names a country (format_unsupported)', async () => {
    const body = licenceFor(newKey().did, { format: 'mso_mdoc' })
    const refused = await refusalOf(staff('root-authority').issueCredential({ body }))
    expect(refused).toMatchObject({ status: 422, code: 'format_unsupported' })
  })

  it('opens a session at the gate, as an object and as text', async () => {
    const { dpopProof, newKey: boundKey } = await import('./holder.ts')
    const bank = `${service.url}/commercial-bank`
    const key = newKey()
    const { compact } = await issued(key.did)
    for (const form of [(text: string) => text, (text: string) => JSON.parse(text) as unknown]) {
      const bound = boundKey()
      const { body } = await send(`${bank}/sessions/challenge`, 'POST', { dpop_jkt: bound.thumbprint })
      const { handover, transcript } = exchangeFor(body as unknown as { challenge: string; audience: string })
      const response = await theirWallet(compact, key, transcript)
      const presentation = form(shownWith(Buffer.from(response).toString('base64url'), handover))
      const dpop = dpopProof(bound, { method: 'POST', url: `${bank}/sessions` })
      const opened = await send(`${bank}/sessions`, 'POST', { presentation }, { dpop })
      expect([opened.status, opened.body['refused']]).toEqual([201, undefined])
    }
  })
})

describe('a request for a certificate over HTTP', () => {
  it('is made for staff, by name of the role', async () => {
    const order = { headers: { 'Idempotency-Key': 'once' }, body: { role: 'documentSigner' as const } }
    const { body } = await staff(agency).requestCertificate(order)
    expect((await staff(agency).requestCertificate(order)).body).toEqual(body)
    expect(body.request).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/)
    const ask = (by: Client, role: string) => refusalOf(by.requestCertificate({ body: { role: role as 'issuer' } }))
    expect((await ask(staff(agency), 'authority')).status).toBe(400)
    expect((await ask(anyoneAt(service, agency), 'issuer')).status).toBe(401)
  })
})

describe('an SD-JWT VC with x5c over HTTP', () => {
  it('carries the chain that the agency publishes', async () => {
    const order = licenceFor(newKey().did, { format: 'dc+sd-jwt', x5c: true })
    const { verifiableCredential } = (await staff(agency).issueCredential({ body: order })).body
    const { id } = verifiableCredential as { id: string }
    const header = JSON.parse(Buffer.from(id.split(',')[1]?.split('.')[0] ?? '', 'base64url').toString())
    const { chains } = (await send(`${service.url}/${agency}/certificates`, 'GET')).body as unknown as {
      chains: { issuer: string[] }
    }
    expect(header.x5c).toEqual(chains.issuer)
  })

  it('has its issuer’s keys under the agency’s URL too, at the agency and at its origin', async () => {
    for (const url of [
      `${service.url}/${agency}/.well-known/jwt-vc-issuer`,
      `${service.url}/.well-known/jwt-vc-issuer/${agency}`,
    ]) {
      const { body } = await send(url, 'GET')
      expect(body).toMatchObject({
        issuer: `${service.url}/${agency}`,
        jwks: { keys: [{ crv: 'P-256', alg: 'ES256' }] },
      })
    }
  })
})
