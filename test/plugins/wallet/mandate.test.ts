import { type Citizen, citizenAt, type Nation, onBothDatabases, refusalOf } from './fixture.ts'

const operation = 'openAccount'

/** A guardian's wallet with the credential of a minor, and a mandate for it. */
const familyOf = async (guardian: Citizen, nation: Nation, mandate: Record<string, unknown> = {}) => {
  const principal = await guardian.newKey('minor')
  const id = await guardian.receive(await nation.issue('NationalIdentity', principal, { givenName: 'Noor' }))
  const claims = { principal: { id: principal, givenName: 'Noor' }, operations: [operation], ...mandate }
  const held = await guardian.receive(await nation.issue('GuardianMandate', await guardian.newKey(), claims))
  return { id, principal, mandate: held }
}

const payloadOf = (jws: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>

onBothDatabases(scene => {
  test('a guardian presents a minor’s credential together with the mandate, each proven by its key', async () => {
    const { office, nation } = await scene()
    const guardian = await citizenAt(office, 'amara')
    const { id, principal, mandate } = await familyOf(guardian, nation)
    const onBehalfOf = { principal, operation }
    const made = await guardian.present(id, { claims: ['givenName'], onBehalfOf })
    const vp = payloadOf(made.verifiablePresentation)
    expect(vp).toMatchObject({ nonce: 'nonce-1', aud: 'https://bank.example' })
    const parts = (vp['verifiableCredential'] as { id: string }[]).map(part => part.id.split(',')[1] ?? '')
    const verdicts = await Promise.all(parts.map(part => nation.verifyPresentation(part, 'nonce-1')))
    expect(verdicts.map(verdict => verdict.refusal)).toEqual([undefined, undefined])
    const [acting, minor] = verdicts
    expect(acting?.type).toBe('GuardianMandate')
    expect(acting?.holder).toBe(vp['holder'])
    expect(acting?.claims?.['principal']).toEqual({ id: principal })
    expect(minor?.holder).toBe(principal)
    expect(minor?.claims).toMatchObject({ givenName: 'Noor' })
    expect(minor?.claims).not.toHaveProperty('familyName')
    const { items } = await guardian.call<{ items: unknown[] }>('listDisclosures')
    expect(items).toEqual([expect.objectContaining({ onBehalfOf: { principal, operation, mandate } })])
  })

  test('a mandate in a format without disclosures goes into the presentation as it is', async () => {
    const { office, nation } = await scene()
    const guardian = await citizenAt(office, 'amara')
    const principal = await guardian.newKey('minor')
    const id = await guardian.receive(await nation.issue('NationalIdentity', principal))
    const claims = { principal: { id: principal }, operations: [operation] }
    const compact = await nation.issue('GuardianMandate', await guardian.newKey(), claims, 'vc+jwt')
    await guardian.receive(compact)
    const made = await guardian.present(id, { claims: ['givenName'], onBehalfOf: { principal, operation } })
    const [first] = payloadOf(made.verifiablePresentation)['verifiableCredential'] as { id: string }[]
    expect(first?.id).toBe(`data:application/vc+jwt,${compact}`)
  })

  test('a minor’s credential is never presented without saying for whom', async () => {
    const { office, nation } = await scene()
    const guardian = await citizenAt(office, 'amara')
    const { id } = await familyOf(guardian, nation)
    expect(await refusalOf(guardian.present(id, { claims: ['givenName'] }))).toBe('mandate_needed')
  })

  test('without a mandate that names this minor and this operation it is refused', async () => {
    const { office, nation } = await scene()
    const guardian = await citizenAt(office, 'amara')
    const { id, principal } = await familyOf(guardian, nation)
    const stranger = await guardian.newKey('minor')
    const strangers = await guardian.receive(await nation.issue('NationalIdentity', stranger))
    const present = (of: string, wish: { principal: string; operation: string }) =>
      refusalOf(guardian.present(of, { claims: ['givenName'], onBehalfOf: wish }))
    expect(await present(id, { principal, operation: 'createTransfer' })).toBe('mandate_missing')
    expect(await present(strangers, { principal: stranger, operation })).toBe('mandate_missing')
    expect(await present(strangers, { principal, operation })).toBe('principal_mismatch')
    expect(await guardian.call('listDisclosures')).toEqual({ items: [] })
  })

  test('a mandate that has ended, has not begun, or is revoked, is none', async () => {
    const { office, nation } = await scene()
    const periods = [
      { startsOn: '2026-07-01', endsOn: '2029-01-01' },
      { startsOn: '2025-07-01', endsOn: '2026-05-31' },
    ]
    for (const [at, period] of periods.entries()) {
      const guardian = await citizenAt(office, `guardian${at}`)
      const { id, principal } = await familyOf(guardian, nation, period)
      const wish = { claims: ['givenName'], onBehalfOf: { principal, operation } }
      expect(await refusalOf(guardian.present(id, wish))).toBe('mandate_missing')
    }
    const guardian = await citizenAt(office, 'amara')
    const { id, principal } = await familyOf(guardian, nation)
    nation.revokeLast()
    const wish = { claims: ['givenName'], onBehalfOf: { principal, operation } }
    expect(await refusalOf(guardian.present(id, wish))).toBe('mandate_missing')
  })

  test('a mandate whose status cannot be known is refused as unavailable', async () => {
    const { office, nation } = await scene()
    const guardian = await citizenAt(office, 'amara')
    const { id, principal } = await familyOf(guardian, nation)
    nation.state.reachable = false
    const wish = { claims: ['givenName'], onBehalfOf: { principal, operation } }
    expect(await refusalOf(guardian.present(id, wish))).toBe('status_unavailable')
  })

  test('a mandate cannot be used for the guardian’s own credential, nor be held by the minor', async () => {
    const { office, nation } = await scene()
    const guardian = await citizenAt(office, 'amara')
    const { principal, mandate } = await familyOf(guardian, nation)
    const onBehalfOf = { principal, operation }
    expect(await refusalOf(guardian.present(mandate, { claims: ['familyName'], onBehalfOf }))).toBe(
      'principal_mismatch',
    )
    const other = await citizenAt(office, 'kofi')
    const minor = await other.newKey('minor')
    const id = await other.receive(await nation.issue('NationalIdentity', minor))
    const claims = { principal: { id: minor }, operations: [operation] }
    await other.receive(await nation.issue('GuardianMandate', minor, claims))
    const wish = { claims: ['givenName'], onBehalfOf: { principal: minor, operation } }
    expect(await refusalOf(other.present(id, wish))).toBe('mandate_missing')
  })

  test('a minor’s credential in a format that cannot prove the minor’s key is refused', async () => {
    const { office, nation } = await scene()
    const guardian = await citizenAt(office, 'amara')
    const { principal } = await familyOf(guardian, nation)
    const id = await guardian.receive(await nation.issue('NationalIdentity', principal, {}, 'vc+jwt'))
    const { always } = await guardian.call<{ always: string[] }>('getHeld', undefined, { params: { id } })
    const wish = { claims: always, onBehalfOf: { principal, operation } }
    expect(await refusalOf(guardian.present(id, wish))).toBe('mandate_format')
  })
})
