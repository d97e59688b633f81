import { generateKeyPairSync } from 'node:crypto'
import { digestOf } from '../../../src/kernel/canonical.ts'
import { heldMost, idleKeysMost } from '../../../src/plugins/wallet/policy.ts'
import { citizenAt, everythingStored, onBothDatabases, refusalOf, signedIn, verifier } from './fixture.ts'

const type = 'NationalIdentity'

onBothDatabases(scene => {
  test('a credential bound to a key of the wallet is received, listed and read', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const did = await amara.newKey()
    const compact = await nation.issue(type, did)
    const id = await amara.receive(compact)
    const { items } = await amara.call<{ items: Record<string, unknown>[] }>('listHeld')
    expect(items).toEqual([expect.objectContaining({ id, type, holder: did, heldFor: 'self', format: 'dc+sd-jwt' })])
    const held = await amara.call('getHeld', undefined, { params: { id } })
    expect(held['verifiableCredential']).toBe(compact)
    expect(held['choosable']).toContain('familyName')
  })

  test('a key is proved by its own wallet, to whom and for what it says', async () => {
    const { office, clock } = await scene()
    const amara = await citizenAt(office, 'amara')
    const kofi = await citizenAt(office, 'kofi')
    const { keyId, did } = await amara.call<{ keyId: string; did: string }>('createHolderKey', {})
    const to = { audience: 'https://registry.example', nonce: 'did:key:zApplicant' }
    const prove = (citizen: typeof amara) =>
      citizen.call<{ jwt: string }>('proveHolderKey', to, { params: { key: keyId } })
    const { jwt } = await prove(amara)
    const [head = '', body = ''] = jwt.split('.').map(part => Buffer.from(part, 'base64url').toString())
    expect(JSON.parse(head)).toMatchObject({ typ: 'openid4vci-proof+jwt', kid: `${did}#${did.slice(8)}` })
    const iat = Math.floor(clock.now() / 1_000)
    expect(JSON.parse(body)).toEqual({ aud: to.audience, nonce: to.nonce, iat })
    expect(await refusalOf(prove(kofi))).toBe('holder_key_unknown')
  })

  test('an enveloped credential is received as its compact form', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const compact = await nation.issue('GuardianMandate', await amara.newKey(), {}, 'vc+jwt')
    const id = await amara.receive({ type: 'EnvelopedVerifiableCredential', id: `data:application/vc+jwt,${compact}` })
    expect((await amara.call('getHeld', undefined, { params: { id } }))['verifiableCredential']).toBe(compact)
  })

  test('a credential for another holder is refused', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const kofi = await citizenAt(office, 'kofi')
    await amara.newKey()
    for (const format of ['dc+sd-jwt', 'vc+jwt'] as const) {
      const kofis = await nation.issue(type, await kofi.newKey(), {}, format)
      expect(await refusalOf(amara.receive(kofis))).toBe('holder_foreign')
    }
    expect(await amara.call('listHeld')).toEqual({ items: [] })
  })

  test('a credential that names a key of the wallet and is bound to another is refused', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const compact = await nation.issue(type, await amara.newKey())
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
    const wrong = [{ cnf: { jwk } }, { cnf: undefined }]
    for (const changes of wrong) {
      expect(await refusalOf(amara.receive(nation.reissued(compact, changes)))).toBe('holder_foreign')
    }
  })

  test('what does not verify is refused by the code of its verification, and nothing is kept', async () => {
    const { office, nation, clock } = await scene()
    const amara = await citizenAt(office, 'amara')
    const good = await nation.issue(type, await amara.newKey())
    const [head, body = '', signature] = (good.split('~')[0] ?? '').split('.')
    const payload = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
    const edited = Buffer.from(JSON.stringify({ ...payload, exp: Number(payload['exp']) + 1 })).toString('base64url')
    const forged = [`${head}.${edited}.${signature}`, ...good.split('~').slice(1)].join('~')
    expect(await refusalOf(amara.receive(forged))).toBe('signature_invalid')
    nation.revokeLast()
    expect(await refusalOf(amara.receive(good))).toBe('credential_revoked')
    const expired = await nation.issue(type, await amara.newKey())
    clock.advance(50 * 365 * 86_400_000)
    const later = await signedIn(office, 'amara')
    expect(await refusalOf(later.receive(expired))).toBe('credential_expired')
    expect(await later.call('listHeld')).toEqual({ items: [] })
  })

  test('a credential whose status cannot be known is refused as unavailable', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const compact = await nation.issue(type, await amara.newKey())
    nation.state.reachable = false
    expect(await refusalOf(amara.receive(compact))).toBe('status_unavailable')
  })

  test('what is no credential is refused as malformed', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const good = await nation.issue(type, await amara.newKey())
    const wrong = ['', 'a.b', `${good}a.b.c`, { id: 'data:text/plain,x' }, {}, null, 7, [good], 'data:application/jwt,']
    for (const input of wrong) expect(await refusalOf(amara.receive(input))).toBe('credential_malformed')
    expect(await refusalOf(amara.receive(`${good}${'QQ~'.repeat(30_000)}`))).toBe('held_credential_large')
  })

  test('a key has one credential, and a credential is held once', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const did = await amara.newKey()
    const first = await nation.issue(type, did)
    const second = await nation.issue(type, did)
    const codes = await Promise.all([first, second, first].map(compact => refusalOf(amara.receive(compact))))
    expect(codes.filter(code => code === undefined)).toHaveLength(1)
    expect(await refusalOf(amara.receive(second))).toMatch(/^(holder_key_used|held_already)$/)
    expect((await amara.call<{ items: unknown[] }>('listHeld')).items).toHaveLength(1)
  })

  test('a credential is not held a second time with fewer disclosures', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const good = await nation.issue(type, await amara.newKey())
    await amara.receive(good)
    expect(await refusalOf(amara.receive(`${good.split('~')[0]}~`))).toBe('held_already')
  })

  test('the same idempotency key keeps one credential and gives one key', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const made = await amara.call<{ did: string }>('createHolderKey', {}, { key: 'k-1' })
    expect(await amara.call('createHolderKey', {}, { key: 'k-1' })).toEqual(made)
    const verifiableCredential = await nation.issue(type, made.did)
    const kept = await amara.call('receiveCredential', { verifiableCredential }, { key: 'c-1' })
    expect(await amara.call('receiveCredential', { verifiableCredential }, { key: 'c-1' })).toEqual(kept)
    const other = await nation.issue(type, await amara.newKey())
    const reused = amara.call('receiveCredential', { verifiableCredential: other }, { key: 'c-1' })
    expect(await refusalOf(reused)).toBe('idempotency_mismatch')
  })

  test('an idempotency key whose key has been deleted since is refused, not answered with another', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const { did } = await amara.call<{ did: string }>('createHolderKey', {}, { key: 'k-1' })
    const id = await amara.receive(await nation.issue(type, did))
    await amara.call('deleteHeld', undefined, { params: { id } })
    expect(await refusalOf(amara.call('createHolderKey', {}, { key: 'k-1' }))).toBe('holder_key_gone')
  })

  test('two citizens cannot see, present or delete each other’s credentials', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const kofi = await citizenAt(office, 'kofi')
    const id = await amara.receive(await nation.issue(type, await amara.newKey()))
    const how = { params: { id } }
    expect(await kofi.call('listHeld')).toEqual({ items: [] })
    expect(await refusalOf(kofi.call('getHeld', undefined, how))).toBe('held_credential_unknown')
    expect(await refusalOf(kofi.present(id, { claims: ['familyName'] }))).toBe('held_credential_unknown')
    expect(await refusalOf(kofi.call('deleteHeld', undefined, how))).toBe('held_credential_unknown')
    expect((await amara.call<{ items: unknown[] }>('listHeld')).items).toHaveLength(1)
  })

  test('a row moved to another citizen, or changed by a bit, does not open', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const kofi = await citizenAt(office, 'kofi')
    const id = await amara.receive(await nation.issue(type, await amara.newKey()))
    const how = { params: { id } }
    const [{ kofis } = { kofis: '' }] = await office.store.read<{ kofis: string }>(
      `SELECT id AS kofis FROM wallet_citizens WHERE handle = 'kofi'`,
    )
    const [row] = await office.store.read<{ sealed: Buffer; citizen: string }>('SELECT * FROM wallet_credentials')
    const change = (sql: string, value: string | Buffer) => office.store.transaction(async tx => tx.query(sql, [value]))
    await change('UPDATE wallet_credentials SET citizen = ?', kofis)
    expect(await refusalOf(kofi.call('getHeld', undefined, how))).toBe('record_damaged')
    await change('UPDATE wallet_credentials SET citizen = ?', row?.citizen ?? '')
    const flipped = Buffer.from(row?.sealed ?? [])
    flipped[40] = (flipped[40] ?? 0) ^ 1
    await change('UPDATE wallet_credentials SET sealed = ?', flipped)
    expect(await refusalOf(amara.call('getHeld', undefined, how))).toBe('record_damaged')
  })

  test('whoever has the whole database finds no claim, no key and no credential in it', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const did = await amara.newKey()
    const compact = await nation.issue(type, did, { familyName: 'Zwetschgenbaum' })
    const id = await amara.receive(compact)
    const shown = await amara.present(id, { claims: ['familyName'], challenge: 'nonce-of-the-bank' }, 'idem-1')
    await amara.call('getHeld', undefined, { params: { id } })
    const stored = await everythingStored(office)
    const secrets = ['Zwetschgenbaum', did, did.slice(8), compact.slice(0, 60), shown.verifiablePresentation.slice(-40)]
    const places = ['bank.example', 'nonce-of-the-bank', type, '"crv"', 'familyName']
    for (const secret of [...secrets, ...places]) {
      for (const form of [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64url')]) {
        expect(stored.includes(form)).toBe(false)
      }
    }
    // Nor can an input be guessed from what the journal keeps of it.
    const asked = { credential: id, claims: ['familyName'], audience: verifier, challenge: 'nonce-of-the-bank' }
    for (const input of [asked, { compact }]) expect(stored.includes(digestOf(input).toString('hex'))).toBe(false)
    // The search itself works: what is not secret is found.
    expect(stored).toContain('amara')
    expect(stored).toContain(id)
  })

  test('a deleted credential is gone with its key and with the copies of its presentations', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const id = await amara.receive(await nation.issue(type, await amara.newKey()))
    await amara.present(id, { claims: ['familyName'] })
    await amara.call('deleteHeld', undefined, { params: { id } })
    for (const operation of ['getHeld', 'deleteHeld']) {
      expect(await refusalOf(amara.call(operation, undefined, { params: { id } }))).toBe('held_credential_unknown')
    }
    expect(await office.store.read('SELECT id FROM wallet_keys')).toEqual([])
    const rows = await office.store.read('SELECT presentation FROM wallet_disclosures')
    expect(rows).toEqual([{ presentation: null }])
    expect((await amara.call<{ items: unknown[] }>('listDisclosures')).items).toHaveLength(1)
  })

  test('listing goes page by page, and refuses a cursor it did not give out', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const ids: string[] = []
    for (let made = 0; made < 5; made++) ids.push(await amara.receive(await nation.issue(type, await amara.newKey())))
    type Page = { items: { id: string }[]; next?: string }
    const first = await amara.call<Page>('listHeld', undefined, { query: { limit: '2' } })
    const query = { limit: '200', cursor: first.next ?? '' }
    const rest = await amara.call<Page>('listHeld', undefined, { query })
    expect([...first.items, ...rest.items].map(item => item.id)).toEqual(ids)
    expect(rest.next).toBeUndefined()
    for (const cursor of ['!!', Buffer.from("' OR 1=1").toString('base64url')]) {
      expect(await refusalOf(amara.call('listHeld', undefined, { query: { cursor } }))).toBe('cursor_malformed')
    }
  })

  test('keys without a credential are limited in number, and so are credentials', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const did = await amara.newKey('minor')
    const compact = await nation.issue(type, did)
    await Promise.all(Array.from({ length: idleKeysMost - 1 }, () => amara.newKey()))
    expect(await refusalOf(amara.newKey())).toBe('wallet_full')
    await office.store.transaction(async tx => {
      const [{ citizen } = { citizen: '' }] = await tx.query<{ citizen: string }>('SELECT citizen FROM wallet_keys')
      const empty = { citizen, holder_key: 'none', sealed: Buffer.of(0) }
      const rows = Array.from({ length: heldMost }, (_, at) => ({
        id: `x${at}`,
        ...empty,
        content_tag: Buffer.from([at >> 8, at]),
      }))
      tx.insert('wallet_credentials', rows)
    })
    expect(await refusalOf(amara.receive(compact))).toBe('wallet_full')
  })
})
