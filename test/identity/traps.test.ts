import { createAgent } from '@veramo/core'
import type { CredentialPayload, IAgentPlugin, IDataStore, IVerifyResult } from '@veramo/core-types'
import { CredentialProviderJWT } from '@veramo/credential-jwt'
import { DataStore, Entities, migrations } from '@veramo/data-store'
import { EthrDIDProvider } from '@veramo/did-provider-ethr'
import { createVerifiablePresentationJwt, normalizeCredential } from 'did-jwt-vc'
import { DataSource } from 'typeorm'
import { issueCredential } from '../../src/identity/issue.ts'
import { verifyPresentation } from '../../src/identity/present.ts'
import { veramoFormats } from '../../src/identity/veramo-formats.ts'
import { verifyCredential } from '../../src/identity/verify.ts'
import { openVeramo, type TestAgent } from './veramo.ts'
import { audience, holderParty, openWorld, type Party, partsOf, resigned, signBytes, type World } from './world.ts'

/**
 * Veramo 7.0.1 does not gate for you. Each test shows what plain Veramo answers, so that a later version which closes
 * the trap is noticed, and what this house answers to the same input.
 */

const contextV1 = 'https://www.w3.org/2018/credentials/v1'
const contextV2 = 'https://www.w3.org/ns/credentials/v2'
const challenge = 'bm9uY2U'
const expected = { challenge, audience: [audience] }

/** A status method as a user of Veramo would install one: it knows what the chain knows. */
const statusPlugin = (world: World, asked: { times: number }): IAgentPlugin => ({
  methods: {
    async checkCredentialStatus({ credential }: { credential: Record<string, unknown> }) {
      asked.times += 1
      const entries = credential['credentialStatus'] as Record<string, string>[]
      const entry = entries.find(each => each['type'] === 'EvmStatusEntry') ?? {}
      const { chain = '', registry = '', issuer = '', list, index } = entry
      const value = world.status.status({ chain, registry, issuer, list: Number(list), index: Number(index) })
      return { revoked: value === 'revoked' }
    },
  },
})

const openPlain = async () => {
  const world = openWorld()
  const asked = { times: 0 }
  const plugins = [statusPlugin(world, asked)]
  const veramo = await openVeramo(world, { providers: [new CredentialProviderJWT()], plugins })
  return { world, veramo, asked }
}

const openOurs = (world: World): Promise<TestAgent> => {
  const { providers, status } = veramoFormats({
    ...{ did: world.transport.did, types: world.types, clock: world.clock, audience: [audience] },
    issuerKey: () => world.transport,
    issue: request => issueCredential(request, world.issueNeeds(world.transport)),
    verify: (credential, options) => verifyCredential(credential, world.verify, options),
    verifyPresentation: (presentation, to) => verifyPresentation(presentation, world.verify, to),
  })
  return openVeramo(world, { providers, plugins: [status] })
}

const presentationOf = (world: World, credentials: string[], key: Party = world.holder) =>
  createVerifiablePresentationJwt(
    {
      vp: { '@context': [contextV1], type: ['VerifiablePresentation'], verifiableCredential: credentials },
      iat: world.clock.now() / 1_000,
    } as never,
    {
      did: key.did,
      alg: 'ES256',
      signer: async data => signBytes(key, Buffer.from(data)).toString('base64url'),
    },
    { challenge, domain: audience },
  )

/** Plain Veramo's answer and ours, to one presentation. */
const bothAbout = async (world: World, veramo: TestAgent, presentation: string) => {
  const theirs: IVerifyResult = await veramo.verifyPresentation({ presentation, challenge, domain: audience })
  const ours = await verifyPresentation(presentation, world.verify, expected)
  const agent = await openOurs(world)
  const throughAgent = await agent.verifyPresentation({ presentation, challenge, domain: audience })
  expect(throughAgent.error?.errorCode).toBe(ours.refusal?.code)
  return { theirs, ours }
}

describe('the traps of plain Veramo', () => {
  it('verifies a revoked credential that comes as a compact string: its status is never asked', async () => {
    const { world, veramo, asked } = await openPlain()
    const { compact, draft } = await world.issue({ format: 'jwt_vc' })
    world.status.set(draft.status, 'revoked')
    expect((await veramo.verifyCredential({ credential: compact })).verified).toBe(true)
    expect(asked.times).toBe(0)
    expect((await verifyCredential(compact, world.verify)).refusal?.code).toBe('credential_revoked')
    const agent = await openOurs(world)
    expect((await agent.verifyCredential({ credential: compact })).error?.errorCode).toBe('credential_revoked')
  })

  it('refuses a revoked credential only when it comes as an object', async () => {
    const { world, veramo, asked } = await openPlain()
    const { compact, draft } = await world.issue({ format: 'jwt_vc' })
    const object = normalizeCredential(compact) as never
    expect((await veramo.verifyCredential({ credential: object })).verified).toBe(true)
    world.status.set(draft.status, 'revoked')
    expect((await veramo.verifyCredential({ credential: object })).error?.errorCode).toBe('revoked')
    expect(asked.times).toBe(2)
    expect((await verifyCredential(object, world.verify)).refusal?.code).toBe('credential_revoked')
  })

  it('verifies a presentation of a revoked credential', async () => {
    const { world, veramo } = await openPlain()
    const { compact, draft } = await world.issue({ format: 'jwt_vc' })
    const presentation = await presentationOf(world, [compact])
    expect((await bothAbout(world, veramo, presentation)).ours.verified).toBe(true)
    world.status.set(draft.status, 'revoked')
    const { theirs, ours } = await bothAbout(world, veramo, presentation)
    expect(theirs.verified).toBe(true)
    expect(ours).toMatchObject({ verified: false, refusal: { code: 'credential_revoked' } })
  })

  it('verifies a presentation of a forged credential: signatures inside are not looked at', async () => {
    const { world, veramo } = await openPlain()
    const { compact } = await world.issue({ format: 'jwt_vc' })
    const forged = resigned(compact, holderParty(), () => undefined)
    expect((await veramo.verifyCredential({ credential: forged })).verified).toBe(false)
    const { theirs, ours } = await bothAbout(world, veramo, await presentationOf(world, [forged]))
    expect(theirs.verified).toBe(true)
    expect(ours).toMatchObject({ verified: false, refusal: { code: 'signature_invalid' } })
  })

  it('verifies a credential without status', async () => {
    const { world, veramo } = await openPlain()
    const { compact } = await world.issue({ format: 'jwt_vc' })
    const bare = resigned(compact, world.transport, payload => {
      delete (payload['vc'] as Record<string, unknown>)['credentialStatus']
    })
    for (const form of [bare, normalizeCredential(bare) as never]) {
      expect((await veramo.verifyCredential({ credential: form })).verified).toBe(true)
      expect((await verifyCredential(form, world.verify)).refusal?.code).toBe('status_missing')
    }
  })

  it('verifies a presentation by someone who is not the subject', async () => {
    const { world, veramo } = await openPlain()
    const { compact } = await world.issue({ format: 'jwt_vc' })
    const { theirs, ours } = await bothAbout(world, veramo, await presentationOf(world, [compact], holderParty()))
    expect(theirs.verified).toBe(true)
    expect(ours).toMatchObject({ verified: false, refusal: { code: 'holder_mismatch' } })
  })

  it('verifies a credential of an issuer that nobody accredited', async () => {
    const { world, veramo } = await openPlain()
    const { compact } = await world.issue({ format: 'jwt_vc' }, world.stranger)
    expect((await veramo.verifyCredential({ credential: compact })).verified).toBe(true)
    expect((await verifyCredential(compact, world.verify)).refusal?.code).toBe('issuer_unaccredited')
  })

  it('issues VC 2.0 with the context of 1.1 in front, as a VC-JWT 1.1', async () => {
    const { world, veramo } = await openPlain()
    const credential: CredentialPayload = {
      ...{ '@context': [contextV2], issuer: world.transport.did, type: ['VerifiableCredential', 'DrivingLicence'] },
      credentialSubject: world.subjectOf('DrivingLicence'),
    }
    const theirs = await veramo.createVerifiableCredential({ credential, proofFormat: 'jwt' })
    const { header, payload } = partsOf(String(theirs.proof['jwt']))
    expect((payload['vc'] as Record<string, unknown>)['@context']).toEqual([contextV1, contextV2])
    expect(header['typ']).toBe('JWT')
    const agent = await openOurs(world)
    const args = { credential: { ...credential, '@context': [contextV2] }, proofFormat: 'vc+jwt' }
    delete args.credential.issuanceDate
    const ours = partsOf(String((await agent.createVerifiableCredential(args)).proof['jwt']))
    expect((ours.payload['@context'] as string[])[0]).toBe(contextV2)
    expect(ours.header['typ']).toBe('vc+jwt')
  })

  it('writes issuanceDate and its context into its caller’s own object', async () => {
    const { world, veramo } = await openPlain()
    const make = (): CredentialPayload => ({
      ...{ '@context': [contextV2], issuer: world.transport.did, type: ['VerifiableCredential', 'DrivingLicence'] },
      credentialSubject: world.subjectOf('DrivingLicence'),
    })
    const theirs = make()
    await veramo.createVerifiableCredential({ credential: theirs, proofFormat: 'jwt' })
    expect(theirs['@context']).toEqual([contextV1, contextV2])
    expect(theirs).toHaveProperty('issuanceDate')
    const ours = make()
    const agent = await openOurs(world)
    await agent.createVerifiableCredential({ credential: ours, proofFormat: 'vc+jwt' })
    expect(ours).toEqual(make())
  })

  it('throws on an EnvelopedVerifiableCredential object in a presentation', async () => {
    const { world, veramo } = await openPlain()
    const { compact } = await world.issue({ format: 'vc+jwt' })
    const enveloped = {
      '@context': contextV2,
      type: 'EnvelopedVerifiableCredential',
      id: `data:application/vc+jwt,${compact}`,
    }
    const made = (agent: TestAgent, credential: unknown, proofFormat: string) =>
      agent.createVerifiablePresentation({
        presentation: { holder: world.holder.did, verifiableCredential: [credential as never] },
        ...{ proofFormat, challenge, domain: audience },
      })
    await expect(made(veramo, enveloped, 'jwt')).rejects.toThrow(TypeError)
    // CredentialPlugin throws before any provider is asked, so compact strings it is, and what our agent makes itself.
    const agent = await openOurs(world)
    await expect(made(agent, enveloped, 'vp+jwt')).rejects.toThrow(TypeError)
    const presentation = await made(agent, compact, 'vp+jwt')
    expect((await agent.verifyPresentation({ presentation, challenge, domain: audience })).verified).toBe(true)
  })

  it('throws on a credential with a status when no status plugin is installed', async () => {
    const world = openWorld()
    const veramo = await openVeramo(world, { providers: [new CredentialProviderJWT()] })
    const { compact } = await world.issue({ format: 'jwt_vc' })
    const credential = normalizeCredential(compact) as never
    await expect(veramo.verifyCredential({ credential })).rejects.toThrow('no ICredentialStatusVerifier plugin')
    const agent = await openOurs(world)
    expect((await agent.verifyCredential({ credential })).verified).toBe(true)
  })

  it('cannot hold a vc+jwt in its data store', async () => {
    const world = openWorld()
    const { compact } = await world.issue({ format: 'vc+jwt' })
    const source = new DataSource({
      type: 'sqlite',
      database: ':memory:',
      entities: Entities,
      migrations,
      migrationsRun: true,
    })
    const connection = source.initialize()
    const veramo = createAgent<IDataStore>({ plugins: [new DataStore(connection)] })
    const enveloped = {
      '@context': contextV2,
      type: 'EnvelopedVerifiableCredential',
      id: `data:application/vc+jwt,${compact}`,
    }
    for (const verifiableCredential of [compact, enveloped]) {
      await expect(
        veramo.dataStoreSaveVerifiableCredential({ verifiableCredential: verifiableCredential as never }),
      ).rejects.toThrow()
    }
    const { compact: v1 } = await world.issue({ format: 'jwt_vc' })
    const saved = { verifiableCredential: normalizeCredential(v1) as never }
    await expect(veramo.dataStoreSaveVerifiableCredential(saved)).resolves.toMatch(/./)
    await (await connection).destroy()
  })

  it('names a did:ethr by its public key and not by its address', async () => {
    const provider = new EthrDIDProvider({ defaultKms: 'local', networks: [{ name: '0x7a69', chainId: '0x7a69' }] })
    const publicKeyHex = `04${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8'}`
    const agent = { keyManagerCreate: async () => ({ kid: 'k', kms: 'local', type: 'Secp256k1', publicKeyHex }) }
    const created = await provider.createIdentifier({ options: { network: '0x7a69' } }, { agent } as never)
    expect(created.did).toMatch(/^did:ethr:0x7a69:0x0[23][0-9a-f]{64}$/)
    const world = openWorld()
    const { compact } = await world.issue({ format: 'vc+jwt' })
    const named = resigned(compact, world.transport, payload => {
      payload['issuer'] = created.did
    })
    expect((await verifyCredential(named, world.verify)).refusal?.code).toBe('key_of_another')
  })
})
