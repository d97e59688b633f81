import { argon2Sync, generateKeyPairSync } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { canonical } from '../../../src/kernel/canonical.ts'
import { exportContentMost, keysMost, ledgerKeysMost, passphraseCostLeast } from '../../../src/plugins/wallet/policy.ts'
import { sealBytes } from '../../../src/plugins/wallet/vault.ts'
import { type Citizen, citizenAt, type Nation, type Office, onBothDatabases, passphrase, refusalOf } from './fixture.ts'

const type = 'NationalIdentity'
const exportPassphrase = 'a passphrase for the drawer at home'

type Export = Record<string, unknown> & { sealed: string; kdf: Record<string, unknown> }

const filled = async (citizen: Citizen, nation: Nation): Promise<string> => {
  const compact = await nation.issue(type, await citizen.newKey(), { familyName: 'Zwetschgenbaum' })
  const id = await citizen.receive(compact)
  await citizen.present(id, { claims: ['familyName'] })
  return id
}

const exported = (citizen: Citizen, more: Record<string, unknown> = {}): Promise<Export> =>
  citizen.call<Export>('exportWallet', { passphrase, exportPassphrase, ...more })

const imported = (citizen: Citizen, file: unknown, with_ = exportPassphrase) =>
  citizen.call('importWallet', { export: file, exportPassphrase: with_ })

/** A key of a holder, as a file has it. */
const keyPair = (office: Office) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = privateKey.export({ format: 'jwk' })
  const did = office.needs.didOf({ kty: 'EC', crv: 'P-256', x: jwk.x ?? '', y: jwk.y ?? '' })
  return { did, heldFor: 'self', jwk }
}

/** Seals whatever content as an export of this citizen: who has the passphrase can write what they like. */
const writerOf = async (citizen: Citizen) => {
  const { sealed: _sealed, ...head } = await exported(citizen)
  const salt = Buffer.from(String(head.kdf['salt']), 'base64url')
  const { memoryKib, passes, parallelism } = passphraseCostLeast
  const cost = { memory: memoryKib, passes, parallelism, tagLength: 32 }
  const key = argon2Sync('argon2id', { message: Buffer.from(exportPassphrase), nonce: salt, ...cost })
  return (content: unknown) => {
    const plain = gzipSync(Buffer.isBuffer(content) ? content : JSON.stringify(content))
    return { ...head, sealed: sealBytes(key, plain, canonical(head)).toString('base64url') }
  }
}

onBothDatabases(scene => {
  test('an export opens in another wallet, which can then present', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    await filled(amara, nation)
    const idle = await amara.newKey()
    const file = await exported(amara)
    const anew = await citizenAt(office, 'amara-anew')
    expect(await imported(anew, file)).toEqual({ keys: 2, credentials: 1, disclosures: 1, leftOut: [] })
    const { items } = await anew.call<{ items: { id: string }[] }>('listHeld')
    const id = items[0]?.id ?? ''
    const { verifiablePresentation } = await anew.present(id, { claims: ['familyName'] })
    const verdict = await nation.verifyPresentation(verifiablePresentation, 'nonce-1')
    expect(verdict.claims).toMatchObject({ familyName: 'Zwetschgenbaum' })
    await anew.receive(await nation.issue(type, idle))
    const disclosures = await anew.call<{ items: { heldId: string }[] }>('listDisclosures')
    expect(disclosures.items.map(item => item.heldId)).toEqual([id, id])
  })

  test('importing again, or into the wallet it came from, adds nothing', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    await filled(amara, nation)
    const file = await exported(amara)
    for (let round = 0; round < 2; round++) {
      expect(await imported(amara, file)).toMatchObject({ credentials: 0, disclosures: 0 })
    }
    expect((await amara.call<{ items: unknown[] }>('listHeld')).items).toHaveLength(1)
    expect((await amara.call<{ items: unknown[] }>('listDisclosures')).items).toHaveLength(1)
  })

  test('a part of the wallet can be exported, with the keys of that part only', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    const id = await filled(amara, nation)
    await filled(amara, nation)
    const file = await exported(amara, { credentials: [id] })
    const anew = await citizenAt(office, 'amara-anew')
    expect(await imported(anew, file)).toEqual({ keys: 1, credentials: 1, disclosures: 0, leftOut: [] })
    const strange = exported(amara, { credentials: ['0'] })
    expect(await refusalOf(strange)).toBe('held_credential_unknown')
  })

  test('a session alone cannot export, and the export passphrase must be another', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    await filled(amara, nation)
    expect(await refusalOf(exported(amara, { passphrase: 'a guess at the passphrase' }))).toBe('sign_in_refused')
    expect(await refusalOf(exported(amara, { exportPassphrase: passphrase }))).toBe('passphrase_reused')
    expect(await refusalOf(exported(amara, { exportPassphrase: 'short' }))).toBe('passphrase_weak')
  })

  test('an export shows nothing of what is in it', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    await filled(amara, nation)
    const file = await exported(amara)
    const text = JSON.stringify(file) + Buffer.from(file.sealed, 'base64url').toString('latin1')
    for (const secret of ['Zwetschgenbaum', 'did:key', type, passphrase, exportPassphrase]) {
      expect(text).not.toContain(secret)
    }
  })

  test('a wrong export passphrase and a changed file are refused alike', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    await filled(amara, nation)
    const file = await exported(amara)
    const anew = await citizenAt(office, 'amara-anew')
    const flipped = Buffer.from(file.sealed, 'base64url')
    flipped[30] = (flipped[30] ?? 0) ^ 1
    const changed = { ...file, sealed: flipped.toString('base64url') }
    const dearer = { ...file, kdf: { ...file.kdf, passes: 3 } }
    expect(await refusalOf(imported(anew, file, passphrase))).toBe('export_passphrase_wrong')
    for (const edited of [changed, dearer, { ...file, sealed: 'AAAA' }]) {
      expect(await refusalOf(imported(anew, edited))).toBe('export_passphrase_wrong')
    }
    expect(await anew.call('listHeld')).toEqual({ items: [] })
  })

  test('a file that asks for more work than allowed, or for too little, is refused before any is done', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const file = await exported(amara)
    const costs = [{ memoryKib: 4_194_304 }, { passes: 1_000 }, { parallelism: 64 }, { memoryKib: 8 }, { salt: 'AA' }]
    for (const cost of costs) {
      const edited = { ...file, kdf: { ...file.kdf, ...cost } }
      expect(await refusalOf(imported(amara, edited))).toBe('export_malformed')
    }
    expect(await refusalOf(imported(amara, { ...file, version: 2 }))).toBe('export_malformed')
  })

  test('what was revoked since the export is left out, and says why', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    await filled(amara, nation)
    const file = await exported(amara)
    nation.revokeLast()
    const anew = await citizenAt(office, 'amara-anew')
    const answer = await imported(anew, file)
    expect(answer).toMatchObject({ credentials: 0, disclosures: 0, leftOut: [{ code: 'credential_revoked' }] })
  })

  test('an import while no status can be known is refused as a whole', async () => {
    const { office, nation } = await scene()
    const amara = await citizenAt(office, 'amara')
    await filled(amara, nation)
    const file = await exported(amara)
    nation.state.reachable = false
    const anew = await citizenAt(office, 'amara-anew')
    expect(await refusalOf(imported(anew, file))).toBe('status_unavailable')
    expect(await anew.call('listHeld')).toEqual({ items: [] })
  })

  test('however many files are imported, a wallet has no more keys than it could use', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const writing = await writerOf(amara)
    const keyed = async (count: number) => {
      const keys = Array.from({ length: count }, () => keyPair(office))
      return imported(amara, writing({ keys, credentials: [], disclosures: [] }))
    }
    expect(await keyed(keysMost - 1)).toMatchObject({ keys: keysMost - 1 })
    const more = await Promise.all([1, 1].map(count => refusalOf(keyed(count))))
    expect(more.sort()).toEqual([undefined, 'wallet_full'].sort())
    const [row] = await office.store.read<{ keys: number }>('SELECT count(*) AS keys FROM wallet_keys')
    expect(Number(row?.keys)).toBe(keysMost)
  })

  test('a file whose content is not a wallet’s is refused, though its passphrase fits', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const writing = await writerOf(amara)
    const empty = { keys: [], credentials: [], disclosures: [] }
    const { did, jwk } = keyPair(office)
    const ledgerKey = { id: 'k', ledger: `eip155:1:0x${'5f'.repeat(20)}`, label: 'l', jwk }
    const shown = { type, issuer: 'i', audience: 'a', challenge: 'c', credential: 'x', shown: [], at: 1 }
    const contents: unknown[] = [
      null,
      [],
      { ...empty, keys: [null] },
      { ...empty, keys: [{ did: 'did:key:zOther', heldFor: 'self', jwk }] },
      { ...empty, keys: [{ did, heldFor: 'other', jwk }] },
      { ...empty, keys: [{ did, heldFor: 'self', jwk: { ...jwk, d: 'AAAA' } }] },
      { ...empty, ledgerKeys: {} },
      { ...empty, ledgerKeys: [null] },
      { ...empty, ledgerKeys: [{ ...ledgerKey, ledger: 'eip155:1:0x5f' }] },
      { ...empty, ledgerKeys: [{ ...ledgerKey, label: 7 }] },
      { ...empty, ledgerKeys: [{ ...ledgerKey, jwk: { ...jwk, d: 'AAAA' } }] },
      { ...empty, ledgerKeys: Array.from({ length: ledgerKeysMost + 1 }, () => ledgerKey) },
      { ...empty, credentials: [null] },
      { ...empty, credentials: [{ id: 'x', compact: 7 }] },
      { ...empty, disclosures: [{ ...shown, at: 9e15 }] },
      { ...empty, disclosures: [{ ...shown, onBehalfOf: 'anyone' }] },
      { ...empty, disclosures: [{ ...shown, signed: null }] },
      { ...empty, disclosures: [{ ...shown, signed: { kind: 'transfer', members: null } }] },
      { ...empty, disclosures: [{ ...shown, signed: { kind: 'transfer', members: { amount: 1.5 } } }] },
    ]
    for (const content of contents) expect(await refusalOf(imported(amara, writing(content)))).toBe('export_malformed')
    const bomb = writing(Buffer.alloc(exportContentMost + 1))
    expect(await refusalOf(imported(amara, bomb))).toBe('export_malformed')
    const good = { ...empty, keys: [{ did, heldFor: 'self', jwk }], ledgerKeys: [ledgerKey] }
    expect(await imported(amara, writing(good))).toMatchObject({ keys: 2 })
  })
})
