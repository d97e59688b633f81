import { citizenAt, onBothDatabases, refusalOf, verifier, withToken } from './fixture.ts'

const type = 'NationalIdentity'
type Document = Record<string, unknown>

onBothDatabases(scene => {
  const opened = async () => {
    const found = await scene()
    const amara = await citizenAt(found.office, 'amara')
    const key = await amara.newKey()
    const document: Document = JSON.parse(await found.nation.issue(type, key, {}, 'ldp_vc'))
    return { ...found, amara, key, document }
  }

  test('an ldp_vc is taken in as an object, handed out as one, and presented with a proof by its key', async () => {
    const { amara, nation, key, document } = await opened()
    const id = await amara.receive(document)
    const held = await amara.call('getHeld', undefined, { params: { id } })
    expect(held).toMatchObject({ format: 'ldp_vc', type, holder: key, choosable: [], verifiableCredential: document })
    const claims = held['always'] as string[]
    const { verifiablePresentation, shown } = await amara.present(id, { claims })
    expect(verifiablePresentation).toMatchObject({
      type: ['VerifiablePresentation'],
      holder: key,
      verifiableCredential: [document],
      proof: { proofPurpose: 'authentication', challenge: 'nonce-1', domain: verifier },
    })
    expect(shown).toEqual(claims)
    const verdict = await nation.verifyPresentation(verifiablePresentation, 'nonce-1')
    expect(verdict).toMatchObject({ verified: true, holder: key, credentials: [{ format: 'ldp_vc' }] })
    expect((await nation.verifyPresentation(verifiablePresentation, 'nonce-2')).refusal?.code).toBe(
      'challenge_mismatch',
    )
  })

  test('the same idempotency key gives the same presentation, as an object again', async () => {
    const { amara, document } = await opened()
    const id = await amara.receive(document)
    const { always: claims } = await amara.call<{ always: string[] }>('getHeld', undefined, { params: { id } })
    const first = await amara.present(id, { claims }, 'once')
    expect(await amara.present(id, { claims }, 'once')).toEqual(first)
    expect(typeof first.verifiablePresentation).toBe('object')
  })

  test('an ldp_vc is shown whole or not at all', async () => {
    const { amara, document } = await opened()
    const id = await amara.receive(document)
    expect(await refusalOf(amara.present(id, { claims: ['givenName'] }))).toBe('claims_indivisible')
    expect(await refusalOf(amara.present(id, { claims: ['nonsense'] }))).toBe('claim_unknown')
  })

  test('an ldp_vc is held once, in whatever order its members come, and as text', async () => {
    const { amara, document } = await opened()
    const text = JSON.stringify(Object.fromEntries(Object.entries(document).reverse()))
    const id = await amara.receive(text)
    expect(await refusalOf(amara.receive(document))).toBe('held_already')
    const held = await amara.call('getHeld', undefined, { params: { id } })
    expect(held['verifiableCredential']).toEqual(document)
  })

  test('a mandate that is an ldp_vc goes into the guardian’s presentation as the object that it is', async () => {
    const { office, nation } = await scene()
    const guardian = await citizenAt(office, 'amara')
    const principal = await guardian.newKey('minor')
    const id = await guardian.receive(await nation.issue(type, principal))
    const claims = { principal: { id: principal }, operations: ['openAccount'] }
    const mandate = JSON.parse(await nation.issue('GuardianMandate', await guardian.newKey(), claims, 'ldp_vc'))
    await guardian.receive(mandate)
    const onBehalfOf = { principal, operation: 'openAccount' }
    const { verifiablePresentation } = await guardian.present(id, { claims: ['givenName'], onBehalfOf })
    const verdict = await nation.verifyPresentation(verifiablePresentation, 'nonce-1')
    expect(verdict).toMatchObject({
      verified: true,
      credentials: [
        { format: 'ldp_vc', document: mandate },
        { format: 'dc+sd-jwt', holder: principal },
      ],
    })
  })

  test('a wallet takes no ldp_vc that is edited, revoked, without proof, or somebody else’s', async () => {
    const { amara, office, nation, document } = await opened()
    const subject = { ...(document['credentialSubject'] as Document), familyName: 'Other' }
    expect(await refusalOf(amara.receive({ ...document, credentialSubject: subject }))).toBe('signature_invalid')
    const { proof: _, ...bare } = document
    expect(await refusalOf(amara.receive(bare))).toBe('credential_malformed')
    expect(await refusalOf(amara.receive('{"proof":'))).toBe('credential_malformed')
    const kwame = await citizenAt(office, 'kwame')
    expect(await refusalOf(kwame.receive(document))).toBe('holder_foreign')
    nation.revokeLast()
    expect(await refusalOf(withToken(office, amara.token).receive(document))).toBe('credential_revoked')
  })
})
