import type { CredentialPayload, IVerifyResult, VerifiableCredential } from '@veramo/core-types'
import {
  verifyPresentation as verifyPresentationWithDidJwtVc,
  verifyCredential as verifyWithDidJwtVc,
} from 'did-jwt-vc'
import { issueCredential } from '../../src/identity/issue.ts'
import { verifyPresentation } from '../../src/identity/present.ts'
import { veramoFormats } from '../../src/identity/veramo-formats.ts'
import { verifyCredential } from '../../src/identity/verify.ts'
import { isRefusal, type Refusal } from '../../src/kernel/refusal.ts'
import { openVeramo, resolverOf, type TestAgent } from './veramo.ts'
import { audience, day, holderParty, openWorld, partsOf, resigned, type World } from './world.ts'

const contextV1 = 'https://www.w3.org/2018/credentials/v1'
const contextV2 = 'https://www.w3.org/ns/credentials/v2'
const challenge = 'bm9uY2U'

const ours = (world: World, asked: { requests: unknown[] } = { requests: [] }) =>
  veramoFormats({
    ...{ did: world.transport.did, types: world.types, clock: world.clock, audience: [audience] },
    issuerKey: () => world.transport,
    issue: request => {
      asked.requests.push(request)
      return issueCredential(request, world.issueNeeds(world.transport))
    },
    verify: (credential, options) => verifyCredential(credential, world.verify, options),
    verifyPresentation: (presentation, expected) => verifyPresentation(presentation, world.verify, expected),
  })

const open = async () => {
  const world = openWorld()
  const { providers, status } = ours(world)
  const agent = await openVeramo(world, { providers, plugins: [status] })
  return { world, agent }
}

const payload = (world: World, more: Record<string, unknown> = {}): CredentialPayload => ({
  issuer: { id: world.transport.did },
  type: ['VerifiableCredential', 'DrivingLicence'],
  credentialSubject: world.subjectOf('DrivingLicence'),
  ...more,
})

const jwtOf = (credential: VerifiableCredential): string => String(credential.proof['jwt'])

const create = (agent: TestAgent, world: World, proofFormat: string, more: Record<string, unknown> = {}) =>
  agent.createVerifiableCredential({ credential: payload(world, more), proofFormat })

const refusalOf = async (work: Promise<unknown>): Promise<Refusal | undefined> => {
  try {
    await work
  } catch (error) {
    if (isRefusal(error)) return error
    throw error
  }
  return undefined
}

describe('agent.createVerifiableCredential', () => {
  it.each([
    ['jwt', 'jwt_vc'],
    ['jwt_vc', 'jwt_vc'],
    ['vc+jwt', 'vc+jwt'],
    ['dc+sd-jwt', 'dc+sd-jwt'],
  ])('makes a %s with schema and status, good as an object and as a string', async (proofFormat, format) => {
    const { world, agent } = await open()
    const credential = await create(agent, world, proofFormat)
    expect(credential.credentialSubject).toEqual(world.subjectOf('DrivingLicence'))
    for (const form of [credential, jwtOf(credential)]) {
      const result = await agent.verifyCredential({ credential: form })
      expect(result.error).toBeUndefined()
      expect(result).toMatchObject({ verified: true, claims: { familyName: 'Okafor' } })
    }
    expect((await verifyCredential(jwtOf(credential), world.verify)).format).toBe(format)
  })

  it('makes a jwt that did-jwt-vc verifies, in the shape that Veramo gives', async () => {
    const { world, agent } = await open()
    const credential = await create(agent, world, 'jwt')
    const { verifiableCredential } = await verifyWithDidJwtVc(jwtOf(credential), resolverOf(world))
    expect(credential).toEqual(verifiableCredential)
  })

  it('makes a VC 2.0 without what CredentialPlugin adds, and leaves its caller’s object without it', async () => {
    const { world, agent } = await open()
    const contexts = [contextV2]
    const asked = payload(world, { '@context': contexts })
    const credential = await agent.createVerifiableCredential({ credential: asked, proofFormat: 'vc+jwt' })
    const signed = partsOf(jwtOf(credential)).payload
    expect((signed['@context'] as string[])[0]).toBe(contextV2)
    expect(signed['@context']).not.toContain(contextV1)
    expect(signed).not.toHaveProperty('issuanceDate')
    expect(contexts).toEqual([contextV2])
    expect(asked).not.toHaveProperty('issuanceDate')
  })

  it('maps dates onto the period of the credential', async () => {
    const { world, agent } = await open()
    const from = new Date(world.clock.now() - day)
    const until = new Date(world.clock.now() + 30 * day)
    const v2 = await create(agent, world, 'vc+jwt', { validFrom: from.toISOString(), validUntil: until.toISOString() })
    expect([v2['validFrom'], v2['validUntil']].map(date => Date.parse(date))).toEqual([from.getTime(), until.getTime()])
    const v1 = await create(agent, world, 'jwt', { issuanceDate: from, expirationDate: until })
    expect([v1.issuanceDate, v1.expirationDate]).toEqual([from.toISOString(), until.toISOString()])
  })

  it('asks the issuer for the type and version that the schema names', async () => {
    const world = openWorld()
    const asked: { requests: unknown[] } = { requests: [] }
    const { providers } = ours(world, asked)
    const agent = await openVeramo(world, { providers })
    await create(agent, world, 'vc+jwt', {
      credentialSchema: { id: 'urn:chancery:schema:driving-licence:1', type: 'JsonSchema' },
    })
    expect(asked.requests).toMatchObject([{ type: 'DrivingLicence', version: 1, format: 'vc+jwt' }])
  })

  it.each<[string, string, (world: World) => Record<string, unknown>]>([
    ['a member it would not honour', 'credential_member_unsupported', () => ({ evidence: [{}] })],
    ['an id of the caller', 'credential_member_unsupported', () => ({ id: 'urn:x' })],
    ['a status of the caller', 'credential_member_unsupported', () => ({ credentialStatus: { id: 'x', type: 'y' } })],
    ['two types', 'type_unknown', () => ({ type: ['VerifiableCredential', 'DrivingLicence', 'Residence'] })],
    ['no type', 'type_unknown', () => ({ type: ['VerifiableCredential'] })],
    ['an unknown type', 'type_unknown', () => ({ type: ['VerifiableCredential', 'Diploma'] })],
    [
      'the schema of another type',
      'schema_unknown',
      () => ({ credentialSchema: { id: 'urn:chancery:schema:residence:1' } }),
    ],
    ['claims that do not fit', 'schema_violated', world => ({ credentialSubject: { id: world.holder.did } })],
    ['no claims', 'schema_violated', () => ({ credentialSubject: undefined })],
    ['a date that is none', 'credential_malformed', () => ({ validUntil: 'soon' })],
    ['an end before its beginning', 'validity_empty', () => ({ validUntil: '2001-01-01T00:00:00Z' })],
  ])('refuses %s (%s)', async (_title, code, more) => {
    const { world, agent } = await open()
    expect((await refusalOf(create(agent, world, 'vc+jwt', more(world))))?.code).toBe(code)
  })

  it('refuses to issue in another name, or with a key of the caller’s choice', async () => {
    const { world, agent } = await open()
    const other = create(agent, world, 'jwt', { issuer: { id: world.holder.did } })
    expect((await refusalOf(other))?.code).toBe('issuer_not_ours')
    const chosen = { credential: payload(world), proofFormat: 'jwt', keyRef: world.transport.keyId }
    expect((await refusalOf(agent.createVerifiableCredential(chosen)))?.code).toBe('key_not_chosen')
  })

  it('lists its formats for keys that can sign, and has no provider for others', async () => {
    const { world, agent } = await open()
    const identifier = await agent.didManagerGet({ did: world.transport.did })
    const formats = ['vc+jwt', 'vp+jwt', 'dc+sd-jwt', 'jwt', 'jwt_vc', 'ldp_vc', 'ldp_vp']
    expect(await agent.listUsableProofFormats(identifier)).toEqual(formats)
    await expect(create(agent, world, 'lds')).rejects.toThrow('No provider found')
  })
})

describe('ldp_vc through the agent', () => {
  it('is issued as the object that it is, presented with a proof, and judged', async () => {
    const { world, agent } = await open()
    const issued = await create(agent, world, 'ldp_vc')
    expect(issued.proof).toMatchObject({ type: 'DataIntegrityProof', cryptosuite: 'ecdsa-rdfc-2019' })
    expect(issued).not.toHaveProperty('issuanceDate')
    expect((await agent.verifyCredential({ credential: issued })).verified).toBe(true)
    const own = { ...payload(world), credentialSubject: world.subjectOf('DrivingLicence', world.transport) }
    const held = await agent.createVerifiableCredential({ credential: own, proofFormat: 'ldp_vc' })
    const to = { challenge: 'bm9uY2U', domain: audience }
    const presentation = await agent.createVerifiablePresentation({
      presentation: { holder: world.transport.did, verifiableCredential: [held] },
      ...{ proofFormat: 'ldp_vp', ...to },
    })
    expect(presentation.proof).toMatchObject({ proofPurpose: 'authentication', ...to })
    expect((await agent.verifyPresentation({ presentation, ...to })).verified).toBe(true)
    const other = await agent.verifyPresentation({ presentation, ...to, challenge: 'other' })
    expect(other.error?.errorCode).toBe('challenge_mismatch')
  })

  it('is refused edited and revoked', async () => {
    const { world, agent } = await open()
    const { compact, draft } = await world.issue({ format: 'ldp_vc' })
    const credential = JSON.parse(compact)
    const subject = { ...credential.credentialSubject, familyName: 'Adeyemi' }
    const edited = await agent.verifyCredential({ credential: { ...credential, credentialSubject: subject } })
    expect(edited.error?.errorCode).toBe('signature_invalid')
    world.status.set(draft.status, 'revoked')
    expect((await agent.verifyCredential({ credential: compact })).error?.errorCode).toBe('credential_revoked')
    expect((await agent.verifyCredential({ credential })).verified).toBe(false)
  })
})

describe('agent.verifyCredential', () => {
  it.each(['jwt', 'vc+jwt', 'dc+sd-jwt'])('refuses a revoked or suspended %s in every form', async proofFormat => {
    for (const value of ['revoked', 'suspended'] as const) {
      const world = openWorld()
      const { providers, status } = ours(world)
      const agent = await openVeramo(world, { providers, plugins: [status] })
      const { compact, draft } = await world.issue({
        format: proofFormat === 'jwt' ? 'jwt_vc' : (proofFormat as never),
      })
      const shown = await create(agent, world, proofFormat)
      world.status.set(draft.status, value)
      world.status.set({ ...draft.status, index: draft.status.index + 1 }, value)
      const results: IVerifyResult[] = []
      for (const form of [compact, shown, jwtOf(shown)])
        results.push(await agent.verifyCredential({ credential: form }))
      expect(results.map(({ verified }) => verified)).toEqual([false, false, false])
      const codes = results.map(({ error }) => error?.errorCode)
      // CredentialPlugin puts its own word over a revocation that it finds by asking again.
      for (const code of codes) expect(['revoked', `credential_${value}`]).toContain(code)
      expect(codes[0]).toBe(`credential_${value}`)
    }
  })

  it('names the check that failed, in the shape of a Veramo result', async () => {
    const { world, agent } = await open()
    const { compact } = await world.issue({ format: 'vc+jwt' }, world.stranger)
    const result = await agent.verifyCredential({ credential: compact })
    expect(result).toMatchObject({
      verified: false,
      error: { errorCode: 'issuer_unaccredited', message: expect.stringContaining('not accredited') },
    })
  })

  it('refuses an edited object for the edit, not for its status', async () => {
    const { world, agent } = await open()
    const credential = await create(agent, world, 'vc+jwt')
    const edited = { ...credential, credentialSubject: { ...credential.credentialSubject, familyName: 'Adeyemi' } }
    expect((await agent.verifyCredential({ credential: edited })).error?.errorCode).toBe('payload_edited')
  })

  it('makes every check whatever the policies say, and judges as of policies.now', async () => {
    const { world, agent } = await open()
    const { compact, draft } = await world.issue({ format: 'jwt_vc' })
    const then = world.clock.now() / 1_000 + 60
    world.clock.time += day
    world.status.set(draft.status, 'revoked')
    const lax = { credentialStatus: false, issuanceDate: false, expirationDate: false }
    expect((await agent.verifyCredential({ credential: compact, policies: lax })).verified).toBe(false)
    expect((await agent.verifyCredential({ credential: compact, policies: { now: then } })).verified).toBe(true)
  })

  it.each([['junk'], ['a.b.c'], ['x~y~'], [{ proof: { jwt: 'junk' } }]])('refuses %j without throwing', async junk => {
    const { agent } = await open()
    const result = await agent.verifyCredential({ credential: junk as never })
    expect(result).toMatchObject({ verified: false, error: { errorCode: 'credential_malformed' } })
  })
})

describe('agent.checkCredentialStatus', () => {
  const check = (agent: TestAgent, credential: unknown): Promise<Record<string, unknown>> =>
    agent.execute('checkCredentialStatus', { credential })

  it('tells valid, revoked and suspended apart', async () => {
    const { world, agent } = await open()
    const { compact, draft } = await world.issue({ format: 'jwt_vc' })
    expect(await check(agent, compact)).toEqual({ revoked: false, verified: true })
    world.status.set(draft.status, 'suspended')
    expect(await check(agent, compact)).toMatchObject({
      revoked: false,
      verified: false,
      errorCode: 'credential_suspended',
    })
    world.status.set(draft.status, 'revoked')
    expect(await check(agent, compact)).toMatchObject({ revoked: true, verified: false })
  })

  it('never says that a credential it cannot judge is not revoked', async () => {
    const { world, agent } = await open()
    const { compact } = await world.issue({ format: 'jwt_vc' })
    const forged = resigned(compact, holderParty(), () => undefined)
    expect(await check(agent, forged)).toMatchObject({ verified: false, errorCode: 'signature_invalid' })
    world.status.stale = true
    expect((await refusalOf(check(agent, compact)))?.kind).toBe('unavailable')
  })
})

describe('agent.createVerifiablePresentation', () => {
  const presentation = (world: World, credential: unknown) =>
    ({ holder: world.holder.did, verifiableCredential: [credential] }) as never

  it.each([
    ['jwt', 'jwt'],
    ['vc+jwt', 'vc+jwt'],
    ['vc+jwt', 'vp+jwt'],
    ['dc+sd-jwt', 'vp+jwt'],
  ])('presents a %s as %s, good as an object and as a string', async (format, proofFormat) => {
    const { world, agent } = await open()
    const credential = await create(agent, world, format)
    const made = await agent.createVerifiablePresentation({
      ...{ presentation: presentation(world, credential), proofFormat, challenge, domain: audience },
    })
    for (const form of [made, String(made.proof['jwt'])]) {
      const result = await agent.verifyPresentation({ presentation: form as never, challenge, domain: audience })
      expect(result.error).toBeUndefined()
      expect(result).toMatchObject({ verified: true, holder: world.holder.did })
    }
  })

  it('presents a jwt that did-jwt-vc verifies', async () => {
    const { world, agent } = await open()
    const credential = await create(agent, world, 'jwt')
    const args = { presentation: presentation(world, credential), proofFormat: 'jwt', challenge, domain: audience }
    const { proof } = await agent.createVerifiablePresentation(args)
    const options = { challenge, domain: audience }
    expect((await verifyPresentationWithDidJwtVc(String(proof['jwt']), resolverOf(world), options)).verified).toBe(true)
  })

  it('presents an SD-JWT with the named claims only', async () => {
    const { world, agent } = await open()
    const credential = await create(agent, world, 'dc+sd-jwt')
    const made = await agent.createVerifiablePresentation({
      ...{ presentation: presentation(world, credential), proofFormat: 'dc+sd-jwt', challenge, domain: audience },
      claims: ['familyName'],
    })
    const result = await agent.verifyPresentation({ presentation: made, challenge })
    expect(result.error).toBeUndefined()
    const [shown] = result['credentials']
    expect(shown.claims).toHaveProperty('familyName')
    expect(shown.claims).not.toHaveProperty('givenName')
  })

  it('signs with a did:key that the agent made itself', async () => {
    const { world, agent } = await open()
    const identifier = await agent.didManagerCreate({ provider: 'did:key', options: { keyType: 'Secp256r1' } })
    const { compact } = await world.issue({ subject: { ...world.subjectOf('DrivingLicence'), id: identifier.did } })
    const made = await agent.createVerifiablePresentation({
      ...{ presentation: { holder: identifier.did, verifiableCredential: [compact] }, proofFormat: 'dc+sd-jwt' },
      ...{ challenge, domain: audience, claims: [] },
    })
    expect((await agent.verifyPresentation({ presentation: made, challenge })).error).toBeUndefined()
  })

  it.each<[string, string, Record<string, unknown>]>([
    ['no challenge', 'presentation_unaddressed', { challenge: undefined }],
    ['no verifier', 'presentation_unaddressed', { domain: undefined }],
    ['an SD-JWT without the claims to show', 'presentation_unaddressed', { proofFormat: 'dc+sd-jwt' }],
    ['a key that the holder does not have', 'holder_unsupported', { keyRef: 'another' }],
  ])('refuses %s (%s)', async (_title, code, more) => {
    const { world, agent } = await open()
    const { compact } = await world.issue({ format: 'dc+sd-jwt' })
    const args = {
      presentation: presentation(world, compact),
      proofFormat: 'vp+jwt',
      challenge,
      domain: audience,
      ...more,
    }
    expect((await refusalOf(agent.createVerifiablePresentation(args)))?.code).toBe(code)
  })

  it('is refused for another challenge, another domain, or none to compare with', async () => {
    const { world, agent } = await open()
    const credential = await create(agent, world, 'jwt')
    const args = { presentation: presentation(world, credential), proofFormat: 'jwt', challenge, domain: audience }
    const made = await agent.createVerifiablePresentation(args)
    const codeOf = async (more: Record<string, unknown>) =>
      (await agent.verifyPresentation({ presentation: made, ...more })).error?.errorCode
    expect(await codeOf({ challenge: 'other', domain: audience })).toBe('challenge_mismatch')
    expect(await codeOf({ challenge, domain: 'https://other.example' })).toBe('audience_mismatch')
    expect(await codeOf({ domain: audience })).toBe('challenge_missing')
    expect(await codeOf({ challenge })).toBeUndefined()
  })
})
