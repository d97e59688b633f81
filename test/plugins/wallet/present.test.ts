import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify as verifyBytes } from 'node:crypto'
import { SDJwtInstance } from '@sd-jwt/core'
import { type Citizen, citizenAt, type Nation, onBothDatabases, refusalOf, verifier } from './fixture.ts'

const type = 'NationalIdentity'

const signed = (data: string, signature: string, key: KeyObject): boolean =>
  verifyBytes('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))

/** A verifier that is not ours: signatures, disclosures and key binding by @sd-jwt. */
const verifiedElsewhere = (presentation: string, nation: Nation, nonce: string) =>
  new SDJwtInstance({
    hasher: data =>
      createHash('sha256')
        .update(Buffer.from(data as string))
        .digest(),
    hashAlg: 'sha-256',
    verifier: (data, signature) => signed(data, signature, nation.issuerKey),
    kbVerifier: (data, signature, payload) => {
      const { jwk } = (payload as unknown as { cnf: { jwk: JsonWebKey } }).cnf
      return signed(data, signature, createPublicKey({ key: jwk, format: 'jwk' }))
    },
  }).verify(presentation, { keyBindingNonce: nonce })

/** Everything a reader of the presentation can see: payload and disclosures in the clear. */
const visibleIn = (presentation: string): string =>
  presentation
    .split(/[.~]/)
    .map(part => Buffer.from(part, 'base64url').toString())
    .join('\n')

const identityOf = async (citizen: Citizen, nation: Nation): Promise<string> =>
  citizen.receive(await nation.issue(type, await citizen.newKey(), { familyName: 'Zwetschgenbaum', givenName: 'Ama' }))

onBothDatabases(scene => {
  test('a presentation shows the chosen claims to the named verifier, and both verifiers accept it', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const id = await identityOf(amara, nation)
    const { verifiablePresentation, shown } = await amara.present(id, { claims: ['givenName', 'ageOver18'] })
    const verdict = await nation.verifyPresentation(verifiablePresentation, 'nonce-1')
    expect(verdict.refusal).toBeUndefined()
    expect(verdict.claims).toMatchObject({ givenName: 'Ama', ageOver18: true })
    expect(
      Object.keys(verdict.claims ?? {})
        .filter(name => name !== 'id')
        .sort(),
    ).toEqual([...shown].sort())
    const elsewhere = await verifiedElsewhere(verifiablePresentation, nation, 'nonce-1')
    expect(elsewhere.payload).toMatchObject({ givenName: 'Ama', ageOver18: true })
    expect(elsewhere.kb?.payload.aud).toBe(verifier)
  })

  test('claims that were not chosen are not in the presentation', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const id = await identityOf(amara, nation)
    const { verifiablePresentation } = await amara.present(id, { claims: ['givenName'] })
    const visible = visibleIn(verifiablePresentation)
    expect(visible).toContain('Ama')
    for (const hidden of ['Zwetschgenbaum', 'familyName', 'birthDate', '900417-2381']) {
      expect(visible).not.toContain(hidden)
    }
  })

  test('a claim inside another is chosen by its path, and a claim of the same name elsewhere stays hidden', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const claims = { familyName: 'Guardianson', principal: { id: 'did:key:zMinor', familyName: 'Minorsdottir' } }
    const id = await amara.receive(await nation.issue('GuardianMandate', await amara.newKey(), claims))
    const inner = await amara.present(id, { claims: ['principal.familyName'] })
    expect(visibleIn(inner.verifiablePresentation)).toContain('Minorsdottir')
    expect(visibleIn(inner.verifiablePresentation)).not.toContain('Guardianson')
    const outer = await amara.present(id, { claims: ['familyName', 'principal'] })
    expect(visibleIn(outer.verifiablePresentation)).toContain('Guardianson')
    expect(visibleIn(outer.verifiablePresentation)).not.toContain('Minorsdottir')
  })

  test('nothing is presented without audience, challenge and claims', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const id = await identityOf(amara, nation)
    const claims = ['givenName']
    const cases: [Record<string, unknown>, string][] = [
      [{ claims, audience: undefined }, 'audience_missing'],
      [{ claims, audience: '' }, 'audience_missing'],
      [{ claims, audience: '*' }, 'audience_missing'],
      [{ claims, audience: 'https://' }, 'audience_missing'],
      [{ claims, audience: 'bank' }, 'audience_missing'],
      [{ claims, challenge: undefined }, 'challenge_missing'],
      [{ claims, challenge: '' }, 'challenge_missing'],
      [{}, 'claims_missing'],
      [{ claims: [] }, 'claims_missing'],
      [{ claims: ['givenName', 'shoeSize'] }, 'claim_unknown'],
      [{ claims: ['_sd'] }, 'claim_unknown'],
      [{ claims: ['__proto__'] }, 'claim_unknown'],
    ]
    for (const [wish, code] of cases) expect(await refusalOf(amara.present(id, wish))).toBe(code)
    expect(await amara.call('listDisclosures')).toEqual({ items: [] })
  })

  test('another verifier and another challenge refuse the presentation', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const id = await identityOf(amara, nation)
    const elsewhere = await amara.present(id, { claims: ['givenName'], audience: 'https://shop.example' })
    const verdict = await nation.verifyPresentation(elsewhere.verifiablePresentation, 'nonce-1')
    expect(verdict.refusal?.code).toBe('audience_mismatch')
    const here = await amara.present(id, { claims: ['givenName'] })
    const replayed = await nation.verifyPresentation(here.verifiablePresentation, 'nonce-2')
    expect(replayed.refusal?.code).toBe('challenge_mismatch')
  })

  test('a credential that cannot keep claims back is presented whole or not at all', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const id = await amara.receive(await nation.issue(type, await amara.newKey(), {}, 'vc+jwt'))
    const { always } = await amara.call<{ always: string[] }>('getHeld', undefined, { params: { id } })
    expect(await refusalOf(amara.present(id, { claims: ['givenName'] }))).toBe('claims_indivisible')
    expect(await refusalOf(amara.present(id, { claims: [...always, 'shoeSize'] }))).toBe('claim_unknown')
    const { verifiablePresentation, shown } = await amara.present(id, { claims: always })
    expect(shown).toEqual(always)
    expect((await nation.verifyPresentation(verifiablePresentation, 'nonce-1')).refusal).toBeUndefined()
  })

  test('what was shown to whom is remembered, for the citizen alone', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const kofi = await citizenAt(office, 'kofi')
    const id = await identityOf(amara, nation)
    const { disclosureId, shown } = await amara.present(id, { claims: ['givenName'] })
    const at = '2026-06-01T12:00:00.000Z'
    const record = { id: disclosureId, heldId: id, type, audience: verifier, challenge: 'nonce-1', shown, at }
    expect(await amara.call('listDisclosures')).toEqual({ items: [expect.objectContaining(record)] })
    expect(shown).toContain('givenName')
    expect(shown).not.toContain('familyName')
    expect(await kofi.call('listDisclosures')).toEqual({ items: [] })
  })

  test('the same idempotency key gives the same presentation and one record', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const id = await identityOf(amara, nation)
    const first = await amara.present(id, { claims: ['givenName'] }, 'p-1')
    expect(await amara.present(id, { claims: ['givenName'] }, 'p-1')).toEqual(first)
    expect(await refusalOf(amara.present(id, { claims: ['familyName'] }, 'p-1'))).toBe('idempotency_mismatch')
    expect((await amara.call<{ items: unknown[] }>('listDisclosures')).items).toHaveLength(1)
  })
})
