import { verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openAgent } from '../../src/identity/agent.ts'
import { backupKeys, readManifest, resealKeys, restoreKeys } from '../../src/identity/backup.ts'
import { addressOfKey, ethrDid } from '../../src/identity/did-ethr.ts'
import { openDids } from '../../src/identity/dids.ts'
import { publicKeyFromJwk } from '../../src/identity/key-material.ts'
import { type Keys, openKeys } from '../../src/identity/keys.ts'
import type { MasterKey } from '../../src/identity/seal.ts'
import { scratch } from './scratch.ts'

const passphrase = 'correct horse battery staple'
const agency = 'central-bank'

describe('the backup drill', () => {
  const files = scratch()
  let masterKey: MasterKey
  let keys: Keys
  let did: string
  const open = (name: string, key: MasterKey) =>
    openKeys({ agency, directory: files.path(name), masterKey: key, clock: Date })
  const agentOver = (over: Keys) => {
    const dids = openDids({ chainId: 1, replica: { events: () => [] }, clock: Date })
    return openAgent({ keys: over, dids, chainId: 1, credentialProviders: [] })
  }
  const backup = (lock: Parameters<typeof backupKeys>[0]['lock']) =>
    backupKeys({ agency, store: keys.store, masterKey, lock, clock: Date })

  beforeAll(async () => {
    masterKey = files.masterKey()
    keys = await open('first', masterKey)
    const account = await keys.create({ kind: 'secp256k1', alias: 'account' })
    await keys.create({ kind: 'P-256', alias: 'issuer' })
    await keys.create({ kind: 'Ed25519', alias: 'edwards' })
    await keys.create({ kind: 'P-384', alias: 'strong' })
    await keys.create({ kind: 'BLS12-381-G2', alias: 'hiding' })
    await keys.activate((await keys.prepare('issuer')).keyId)
    did = ethrDid(1, addressOfKey(account.publicKeyHex))
    await agentOver(keys).adopt({ did, alias: agency, controllerKeyId: 'account.1', keyIds: ['issuer.2'] })
  })
  afterAll(() => keys.close())

  it.each(['passphrase', 'master key'])('brings every key and identifier back on a new machine by %s', async way => {
    const lock = way === 'passphrase' ? { passphrase } : { masterKey }
    const archive = await backup(lock)
    const newMaster = files.masterKey()
    const restored = await open(`restored by ${way}`, newMaster)
    const store = restored.store
    const manifest = await restoreKeys({ agency, archive, lock, store, masterKey: newMaster })
    expect(await restored.list()).toEqual(await keys.list())
    expect(manifest.keys.map(key => key.keyId).sort()).toEqual((await keys.list()).map(key => key.keyId).sort())
    const identifier = await agentOver(restored).agent.didManagerGet({ did })
    expect(identifier).toMatchObject({ did, alias: agency, controllerKeyId: 'account.1' })
    expect(identifier.keys.map(key => key.kid).sort()).toEqual(['account.1', 'issuer.2'])
    const digest = Buffer.alloc(32, 7)
    expect(await restored.signDigest('account.1', digest)).toEqual(await keys.signDigest('account.1', digest))
    const text = Buffer.from('same key, same signature')
    expect(await restored.signer.sign('edwards.1', 'EdDSA', text)).toEqual(
      await keys.signer.sign('edwards.1', 'EdDSA', text),
    )
    const messages = { header: text, messages: [text] }
    expect(await restored.signMessages('hiding.1', messages)).toEqual(await keys.signMessages('hiding.1', messages))
    const strong = publicKeyFromJwk(await keys.publicJwk('strong.1')).publicKey
    const signature = await restored.signer.sign('strong.1', 'ES384', text)
    expect(verify('sha384', text, { key: strong, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true)
    await expect(restored.signer.sign('issuer.1', 'ES256', text)).rejects.toMatchObject({ code: 'key_retired' })
    await restored.close()
  })

  it('shows without opening which keys an archive holds, and nothing secret', async () => {
    const archive = await backup({ masterKey })
    expect(readManifest(archive)).toMatchObject({ agency, identifiers: [did] })
    expect(Buffer.from(archive).toString()).not.toContain(masterKey.bytes.toString('base64url'))
  })

  it('refuses a wrong passphrase, a wrong master key, and the wrong sort of lock', async () => {
    const empty = await open('stays empty', masterKey)
    const store = empty.store
    const locked = { code: 'backup_locked' }
    const byPassphrase = await backup({ passphrase })
    const byMaster = await backup({ masterKey })
    for (const [archive, lock] of [
      [byPassphrase, { passphrase: `${passphrase}!` }],
      [byPassphrase, { masterKey }],
      [byMaster, { masterKey: files.masterKey() }],
      [byMaster, { passphrase }],
    ] as const) {
      await expect(restoreKeys({ agency, archive, lock, store, masterKey })).rejects.toMatchObject(locked)
    }
    expect(await empty.list()).toEqual([])
    await empty.close()
  })

  it('refuses an edited archive, one of another agency, and what is no archive', async () => {
    const empty = await open('stays empty too', masterKey)
    const restore = (archive: Uint8Array, of = agency) =>
      restoreKeys({ agency: of, archive, lock: { masterKey }, store: empty.store, masterKey })
    const archive = await backup({ masterKey })
    const edited = JSON.parse(Buffer.from(archive).toString())
    edited.manifest.createdAt = '2001-01-01T00:00:00.000Z'
    await expect(restore(Buffer.from(JSON.stringify(edited)))).rejects.toMatchObject({ code: 'backup_locked' })
    await expect(restore(archive, 'tax-authority')).rejects.toMatchObject({ code: 'backup_foreign' })
    const { manifest, iv, sealed } = JSON.parse(Buffer.from(archive).toString())
    const torn = [
      { manifest: { ...manifest, kdf: undefined }, iv, sealed },
      { manifest: { ...manifest, kdf: { ...manifest.kdf, salt: 5 } }, iv, sealed },
      { manifest, iv: 5, sealed },
      { manifest, iv },
    ].map(each => JSON.stringify(each))
    for (const text of ['', '{}', 'null', '{"manifest":{"format":"x"}}', ...torn]) {
      await expect(restore(Buffer.from(text))).rejects.toMatchObject({ code: 'backup_malformed' })
    }
    expect(await empty.list()).toEqual([])
    await empty.close()
  })

  it('refuses to restore over keys that are there, and a weak passphrase', async () => {
    const archive = await backup({ masterKey })
    const restoring = restoreKeys({ agency, archive, lock: { masterKey }, store: keys.store, masterKey })
    await expect(restoring).rejects.toMatchObject({ code: 'key_store_not_empty' })
    await expect(backup({ passphrase: 'short' })).rejects.toMatchObject({ code: 'passphrase_weak' })
  })

  it('moves a key store under a new master key, after which the old one is refused', async () => {
    const [from, to] = [files.masterKey(), files.masterKey()]
    const before = await open('resealed', from)
    const key = await before.create({ kind: 'P-256', alias: 'issuer' })
    await expect(resealKeys(before.store, { from: to, to: from })).rejects.toMatchObject({ code: 'master_key_wrong' })
    expect(await resealKeys(before.store, { from, to })).toBe(1)
    await before.close()
    await expect(open('resealed', from)).rejects.toMatchObject({ code: 'master_key_wrong' })
    const after = await open('resealed', to)
    expect(await after.info(key.keyId)).toEqual(key)
    expect(await after.signer.sign(key.keyId, 'ES256', Buffer.from('x'))).toHaveLength(64)
    await after.close()
  })
})
