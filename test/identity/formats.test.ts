import { EdDSASigner, ES256KSigner, ES256Signer } from 'did-jwt'
import {
  createVerifiableCredentialJwt,
  createVerifiablePresentationJwt,
  normalizeCredential,
  verifyPresentation as verifyPresentationWithDidJwtVc,
  verifyCredential as verifyWithDidJwtVc,
} from 'did-jwt-vc'
import { compactVerify, importJWK, type JWK, SignJWT } from 'jose'
import { formatOf, formats, openCredential } from '../../src/identity/formats/detect.ts'
import { fromDateTime, signatureHolds } from '../../src/identity/formats/jose.ts'
import { discloseOnly } from '../../src/identity/formats/sd-jwt-present.ts'
import { evmStatusEntry } from '../../src/identity/formats/w3c.ts'
import type { KeyKind } from '../../src/identity/key-material.ts'
import { presentCredential, verifyPresentation } from '../../src/identity/present.ts'
import { verifyCredential } from '../../src/identity/verify.ts'
import type { FormatId } from '../../src/kernel/identity.ts'
import {
  addressOf,
  agencyParty,
  audience,
  chain,
  holderParty,
  openWallet,
  openWorld,
  type Party,
  partsOf,
  registry,
  signBytes,
} from './world.ts'

const kinds: KeyKind[] = ['P-256', 'Ed25519', 'secp256k1']
const challenge = 'n-0S6_WzA2Mj'
const expected = { challenge, audience: [audience] }

/** What a stock resolver would answer about these parties. */
const resolverOf = (...parties: Party[]) => ({
  resolve: async (did: string) => {
    const party = parties.find(each => did.startsWith(each.did))
    if (party === undefined) throw new Error(`unexpected ${did}`)
    const { kid, jwk } = party
    const method = {
      id: kid,
      type: 'JsonWebKey2020',
      controller: party.did,
      publicKeyJwk: jwk as JWK & { kty: string },
    }
    return {
      didResolutionMetadata: {},
      didDocumentMetadata: {},
      didDocument: { id: party.did, verificationMethod: [method], assertionMethod: [kid], authentication: [kid] },
    }
  },
})

const secretOf = (party: Party) => Buffer.from(String(party.privateKey.export({ format: 'jwk' }).d), 'base64url')
const issuerFor = (party: Party) => {
  const secret = secretOf(party)
  if (party.algorithm === 'EdDSA') {
    const whole = Buffer.concat([secret, Buffer.from(String(party.jwk.x), 'base64url')])
    return { did: party.did, alg: 'EdDSA', signer: EdDSASigner(whole) }
  }
  const signer = party.algorithm === 'ES256' ? ES256Signer(secret) : ES256KSigner(secret)
  return { did: party.did, alg: party.algorithm, signer }
}

const pointerOf = (issuer: Party, index = 7) => ({ chain, registry, issuer: addressOf(issuer), list: 0, index })

/** A driving licence as somebody else's issuer would write it in VC Data Model 2.0. */
const foreignV2 = (issuer: Party, holder: Party, world: ReturnType<typeof openWorld>) => ({
  '@context': ['https://www.w3.org/ns/credentials/v2'],
  type: ['VerifiableCredential', 'DrivingLicence'],
  issuer: { id: issuer.did, name: 'Transport' },
  validFrom: new Date(world.clock.now()).toISOString(),
  credentialSubject: world.subjectOf('DrivingLicence', holder),
  credentialSchema: [{ id: 'urn:chancery:schema:driving-licence:1', type: 'JsonSchema' }],
  credentialStatus: evmStatusEntry(pointerOf(issuer)),
})

describe('vc+jwt, beside jose', () => {
  it.each(kinds.slice(0, 2))('verifies in jose when signed with %s', async kind => {
    const world = openWorld()
    const issuer = agencyParty(`0x${'44'.repeat(20)}`, 'delegate-1', kind)
    world.enrol(issuer)
    const { compact } = await world.issue({ format: 'vc+jwt' }, issuer)
    const { payload, protectedHeader } = await compactVerify(
      compact,
      await importJWK(issuer.jwk as JWK, issuer.algorithm),
    )
    expect(protectedHeader).toEqual({ alg: issuer.algorithm, kid: issuer.kid, typ: 'vc+jwt', cty: 'vc' })
    const credential = JSON.parse(Buffer.from(payload).toString())
    expect(credential.credentialSubject).toEqual(world.subjectOf('DrivingLicence'))
    expect(credential.issuer).toBe(issuer.did)
  })

  it.each(kinds.slice(0, 2))('verifies what jose signed with %s', async kind => {
    const world = openWorld()
    const issuer = agencyParty(`0x${'44'.repeat(20)}`, 'delegate-1', kind)
    world.enrol(issuer)
    world.trust.accredit(issuer, 'DrivingLicence', world.period)
    const compact = await new SignJWT(foreignV2(issuer, world.holder, world))
      .setProtectedHeader({ alg: issuer.algorithm, kid: issuer.kid, typ: 'application/vc+jwt' })
      .sign(issuer.privateKey)
    const verdict = await verifyCredential(compact, world.verify)
    expect(verdict.refusal).toBeUndefined()
    expect(verdict).toMatchObject({
      verified: true,
      format: 'vc+jwt',
      type: 'DrivingLicence',
      holder: world.holder.did,
    })
  })

  it('refuses what jose signed with a key that is not in the DID document', async () => {
    const world = openWorld()
    const compact = await new SignJWT(foreignV2(world.transport, world.holder, world))
      .setProtectedHeader({ alg: 'ES256', kid: `${world.transport.did}#delegate-9`, typ: 'vc+jwt' })
      .sign(world.transport.privateKey)
    expect((await verifyCredential(compact, world.verify)).refusal?.code).toBe('key_unknown')
  })

  it('verifies a vp+jwt that jose made of two enveloped credentials, and jose verifies ours', async () => {
    const world = openWorld()
    const { holder } = world
    const held = await Promise.all([
      world.issue({ format: 'vc+jwt' }),
      world.issue({ type: 'KycAttestation', format: 'vc+jwt' }),
    ])
    const theirs = await new SignJWT({
      '@context': ['https://www.w3.org/ns/credentials/v2'],
      type: 'VerifiablePresentation',
      verifiableCredential: held.map(({ compact }) => ({
        '@context': ['https://www.w3.org/ns/credentials/v2'],
        type: ['EnvelopedVerifiableCredential'],
        id: `data:application/vc+jwt,${compact}`,
      })),
      nonce: challenge,
    })
      .setProtectedHeader({ alg: 'ES256', kid: holder.kid, typ: 'vp+jwt' })
      .setAudience(audience)
      .setIssuedAt(world.clock.now() / 1_000)
      .sign(holder.privateKey)
    const verdict = await verifyPresentation(theirs, world.verify, expected)
    expect(verdict).toMatchObject({
      verified: true,
      holder: holder.did,
      credentials: [{ verified: true }, { verified: true }],
    })
    const [first] = held
    const to = { audience, challenge, claims: [] }
    const ours = await presentCredential(
      { compact: first.compact, format: 'vc+jwt' },
      to,
      holder,
      world.signer,
      world.clock.now(),
    )
    const { payload } = await compactVerify(ours, await importJWK(holder.jwk as JWK, 'ES256'))
    expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({
      nonce: challenge,
      aud: audience,
      holder: holder.did,
    })
  })
})

describe('VC-JWT 1.1, beside did-jwt-vc', () => {
  it.each(kinds)('verifies in did-jwt-vc when signed with %s', async kind => {
    const world = openWorld()
    const issuer = agencyParty(`0x${'44'.repeat(20)}`, 'delegate-1', kind)
    world.enrol(issuer)
    const { compact } = await world.issue({ format: 'jwt_vc' }, issuer)
    const result = await verifyWithDidJwtVc(compact, resolverOf(issuer))
    expect(result.verified).toBe(true)
    expect(result.verifiableCredential.credentialSubject).toEqual(world.subjectOf('DrivingLicence'))
  })

  it.each(kinds)('verifies what did-jwt-vc signed with %s', async kind => {
    const world = openWorld()
    const issuer = agencyParty(`0x${'44'.repeat(20)}`, 'delegate-1', kind)
    world.enrol(issuer)
    world.trust.accredit(issuer, 'DrivingLicence', world.period)
    const compact = await createVerifiableCredentialJwt(
      {
        '@context': ['https://www.w3.org/2018/credentials/v1'],
        type: ['VerifiableCredential', 'DrivingLicence'],
        issuer: { id: issuer.did },
        issuanceDate: new Date(world.clock.now()).toISOString(),
        credentialSubject: world.subjectOf('DrivingLicence'),
        credentialSchema: { id: 'urn:chancery:schema:driving-licence:1', type: 'JsonSchema' },
        credentialStatus: { id: 'urn:status:7', ...evmStatusEntry(pointerOf(issuer)) } as never,
      },
      issuerFor(issuer),
      { header: { kid: issuer.kid } as never },
    )
    expect((await verifyCredential(compact, world.verify)).refusal).toBeUndefined()
    const shown = normalizeCredential(compact)
    expect((await verifyCredential(shown, world.verify)).refusal).toBeUndefined()
  })

  it('shows a credential as did-jwt-vc does', async () => {
    const world = openWorld()
    const { compact } = await world.issue({ format: 'jwt_vc' })
    const opened = openCredential(compact, world.types)
    expect({ ...formats.jwt_vc.show(opened), proof: { type: 'JwtProof2020', jwt: compact } }).toEqual(
      normalizeCredential(compact),
    )
  })

  it.each(['key', 'jwk'] as const)(
    'verifies a presentation by did-jwt-vc with a did:%s and no kid, and it ours',
    async method => {
      const world = openWorld()
      const holder = holderParty('P-256', method)
      world.parties.set(holder.keyId, holder)
      const { compact } = await world.issue({ format: 'jwt_vc', subject: world.subjectOf('DrivingLicence', holder) })
      const theirs = await createVerifiablePresentationJwt(
        {
          '@context': ['https://www.w3.org/2018/credentials/v1'],
          type: ['VerifiablePresentation'],
          holder: holder.did,
          verifiableCredential: [compact],
          issuanceDate: new Date(world.clock.now()).toISOString(),
          expirationDate: new Date(world.clock.now() + 60_000).toISOString(),
        } as never,
        issuerFor(holder),
        { challenge, domain: audience },
      )
      expect((await verifyPresentation(theirs, world.verify, expected)).refusal).toBeUndefined()
      const to = { audience, challenge, claims: [] }
      const ours = await presentCredential({ compact, format: 'jwt_vc' }, to, holder, world.signer, world.clock.now())
      const result = await verifyPresentationWithDidJwtVc(ours, resolverOf(holder, world.transport), {
        challenge,
        domain: audience,
      })
      expect(result.verified).toBe(true)
    },
  )
})

describe('dc+sd-jwt, beside @sd-jwt/sd-jwt-vc', () => {
  it('verifies there with key binding, showing the chosen claims only', async () => {
    const world = openWorld()
    const { compact } = await world.issue({ format: 'dc+sd-jwt' })
    const to = { audience, challenge, claims: ['familyName', 'ageOver18'] }
    const shown = await presentCredential(
      { compact, format: 'dc+sd-jwt' },
      to,
      world.holder,
      world.signer,
      world.clock.now(),
    )
    const wallet = openWallet(world.transport, world.holder, () => world.published.token(0))
    const { payload, kb } = await wallet.verify(shown, { keyBindingNonce: challenge })
    expect(payload).toMatchObject({ familyName: 'Okafor', ageOver18: true, sub: world.holder.did })
    expect(payload).not.toHaveProperty('givenName')
    expect(kb?.payload).toMatchObject({ aud: audience, nonce: challenge })
    expect((await verifyPresentation(shown, world.verify, expected)).refusal).toBeUndefined()
  })

  it('verifies what was issued and presented there', async () => {
    const world = openWorld()
    const { transport, holder } = world
    const wallet = openWallet(transport, holder, () => world.published.token(0))
    const { id: _id, ...claims } = world.subjectOf('DrivingLicence')
    const payload = {
      ...{ iss: transport.did, sub: holder.did, vct: 'urn:chancery:vct:driving-licence:1' },
      iat: world.clock.now() / 1_000,
      cnf: { jwk: holder.jwk },
      status: { evm_status: evmStatusEntry(pointerOf(transport)) },
      ...claims,
    }
    const issued = await wallet.issue(
      payload as never,
      { _sd: ['familyName', 'givenName', 'birthDate'], _sd_decoy: 3 } as never,
      { header: { kid: transport.kid } },
    )
    expect((await verifyCredential(issued, world.verify)).refusal).toBeUndefined()
    const kb = { payload: { iat: world.clock.now() / 1_000, aud: audience, nonce: challenge } }
    const shown = await wallet.present(issued, { familyName: true } as never, { kb })
    const verdict = await verifyPresentation(shown, world.verify, expected)
    expect(verdict.refusal).toBeUndefined()
    expect(verdict.claims).toMatchObject({ familyName: 'Okafor' })
    expect(verdict.claims).not.toHaveProperty('givenName')
  })

  it('puts claims below a parent back as the other implementation does', async () => {
    const world = openWorld()
    const { compact } = await world.issue({ type: 'GuardianMandate', format: 'dc+sd-jwt' })
    const wallet = openWallet(world.transport, world.holder, () => world.published.token(0))
    const { claims = {} } = await verifyCredential(compact, world.verify)
    const theirs = (await wallet.getClaims(compact)) as Record<string, unknown>
    expect(claims['principal']).toEqual(theirs['principal'])
    expect(claims).toEqual(world.subjectOf('GuardianMandate'))
  })
})

describe('choosing what to disclose', () => {
  const issueMandate = async () => {
    const world = openWorld()
    const { compact } = await world.issue({ type: 'GuardianMandate', format: 'dc+sd-jwt' })
    const claims = async (chosen: string[]) =>
      (await verifyCredential(discloseOnly(compact, chosen), world.verify)).claims ?? {}
    return claims
  }

  it('tells a claim from the claim of the same name below another', async () => {
    const claims = await issueMandate()
    const own = await claims(['familyName'])
    expect(own['familyName']).toBe('Okafor')
    expect(own['principal']).not.toHaveProperty('familyName')
    const below = await claims(['principal.familyName'])
    expect(below).not.toHaveProperty('familyName')
    expect(below['principal']).toHaveProperty('familyName', 'Okafor')
    expect(below['principal']).not.toHaveProperty('givenName')
  })

  it('takes a parent for everything below it', async () => {
    const claims = await issueMandate()
    expect((await claims(['principal']))['principal']).toMatchObject({ familyName: 'Okafor', givenName: 'Noor' })
  })

  it('shows nothing that was not chosen', async () => {
    const claims = await issueMandate()
    expect(Object.keys(await claims([])).sort()).toEqual(
      [
        'capacity',
        'endsOn',
        'id',
        'jurisdiction',
        'legalBasis',
        'mayDelegate',
        'operations',
        'principal',
        'startsOn',
      ].sort(),
    )
  })
})

describe('a raw signature', () => {
  const check = (party: Party, input: Buffer, signature: Buffer) =>
    signatureHolds({ header: { alg: party.algorithm, kid: '', typ: undefined }, input, signature }, party)

  it.each(kinds)(
    'of %s holds for what was signed and for nothing else, also when its numbers are short or high',
    async kind => {
      const party = holderParty(kind)
      for (let at = 0; at < 600; at++) {
        const input = Buffer.from(`message ${at}`)
        const signature = signBytes(party, input)
        expect(await check(party, input, signature)).toBe(true)
        signature[at % 64] = (signature[at % 64] ?? 0) ^ 1
        expect(await check(party, input, signature)).toBe(false)
      }
    },
  )

  it('holds for nothing by a key of another algorithm than the header names', async () => {
    const party = holderParty('P-256')
    const input = Buffer.from('message')
    const signature = signBytes(party, input)
    const under = (alg: string, octets: Buffer) =>
      signatureHolds({ header: { alg, kid: '', typ: undefined }, input, signature: octets }, party)
    expect(await under('ES256', signature)).toBe(true)
    expect(await under('ES256K', signature)).toBe(false)
    expect(await under('EdDSA', signature)).toBe(false)
    // The first 64 of 96 octets would fit.
    expect(await under('ES384', Buffer.concat([signature, Buffer.alloc(32, 7)]))).toBe(false)
  })

  it.each(kinds)('of %s that is all zeros or all ones holds for nothing, and nothing is thrown', async kind => {
    const party = holderParty(kind)
    for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
      expect(await check(party, Buffer.from('x'), Buffer.alloc(64, byte))).toBe(false)
    }
  })
})

describe('a date-time', () => {
  it.each([
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2026-12-31T23:59:59.5+02:00', Date.UTC(2026, 11, 31, 21, 59, 59, 500)],
  ])('%s is read', (text, time) => {
    expect(fromDateTime(text, 'validUntil')).toBe(time)
  })

  it.each(['2026-02-29T00:00:00Z', '2026-02-30T23:00:00-02:00', '2026-04-31T00:00:00Z', '2026-06-32T00:00:00Z'])(
    '%s is no day of the calendar and refused, not taken for one of the next month',
    text => {
      expect(() => fromDateTime(text, 'validUntil')).toThrow('validUntil is not a date-time with a time zone.')
    },
  )
})

describe('telling the formats apart', () => {
  it.each<FormatId>(['vc+jwt', 'jwt_vc', 'dc+sd-jwt'])('knows %s by its own shape', async format => {
    const { compact } = await openWorld().issue({ format })
    expect(formatOf(compact).id).toBe(format)
  })

  it('hides every claim that its type lets the holder keep back, and no other', async () => {
    const world = openWorld()
    for (const type of world.types.all) {
      const { compact } = await world.issue({ type: type.id, format: 'dc+sd-jwt' }).catch(error => {
        throw new Error(`${type.id}: ${error}`)
      })
      const { payload } = partsOf(compact)
      const hidden = type.disclosable.filter(path => path.length === 1).map(path => path[0] ?? '')
      expect(hidden.filter(claim => Object.hasOwn(payload, claim))).toEqual([])
      const open = Object.keys(type.example).filter(claim => !hidden.includes(claim))
      expect(open.filter(claim => !Object.hasOwn(payload, claim))).toEqual([])
    }
  })
})
