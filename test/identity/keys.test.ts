import { verify } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { PrivateKey } from '@veramo/data-store'
import { publicKeyFromJwk } from '../../src/identity/key-material.ts'
import { type Keys, openKeys } from '../../src/identity/keys.ts'
import { openSeal } from '../../src/identity/seal.ts'
import { sealContext } from '../../src/identity/veramo-store.ts'
import { stopPostgres, withPostgres } from '../postgres.ts'
import { scratch } from './scratch.ts'

const clock = { now: () => 1_700_000_000_000 }
const files = scratch()

/** The private key in every form in which it could lie about. */
const formsOf = (secret: Buffer): Buffer[] => [
  secret,
  ...[secret.toString('hex'), secret.toString('base64').slice(0, 42), secret.toString('base64url')].map(text =>
    Buffer.from(text),
  ),
]

const keysSuite = (name: string, place: () => Promise<{ directory?: string; postgresUrl?: string }>) =>
  describe(`keys on ${name}`, () => {
    const masterKey = files.masterKey()
    let options: Parameters<typeof openKeys>[0]
    let keys: Keys
    beforeAll(async () => {
      options = { agency: 'land-registry', masterKey, clock, ...(await place()) }
      keys = await openKeys(options)
    })
    afterAll(() => keys.close())

    it('are created of every kind, many at once, and found by alias and id', async () => {
      const kinds = ['P-256', 'Ed25519', 'secp256k1', 'P-384', 'P-521', 'BLS12-381-G2'] as const
      const made = await Promise.all(
        kinds.flatMap(kind => [1, 2, 3].map(index => keys.create({ kind, alias: `${kind.toLowerCase()}-${index}` }))),
      )
      for (const key of made) {
        expect(await keys.byAlias(key.alias)).toEqual(key)
        expect(await keys.info(key.keyId)).toEqual(key)
      }
      expect((await keys.list()).length).toBeGreaterThanOrEqual(15)
      expect(await keys.byAlias('nobody')).toBeUndefined()
    })

    it('are refused under a taken alias, a malformed one, and for another kind than there is', async () => {
      await keys.obtain({ kind: 'P-256', alias: 'issuer' })
      await expect(keys.create({ kind: 'P-256', alias: 'issuer' })).rejects.toMatchObject({ code: 'key_taken' })
      await expect(keys.obtain({ kind: 'Ed25519', alias: 'issuer' })).rejects.toMatchObject({ code: 'key_taken' })
      for (const alias of ['', 'A', 'a.1', '../x', 'a'.repeat(64)]) {
        await expect(keys.create({ kind: 'P-256', alias })).rejects.toMatchObject({ code: 'key_alias_malformed' })
      }
    })

    it('sign the same through Veramo as through the signer', async () => {
      const key = await keys.obtain({ kind: 'P-256', alias: 'issuer' })
      const manager = keys.manager as unknown as {
        keyManagerSign(args: object): Promise<string>
        keyManagerGet(args: object): Promise<{ type: string }>
      }
      const signed = await manager.keyManagerSign({ keyRef: key.keyId, algorithm: 'ES256', data: 'text' })
      const publicKey = publicKeyFromJwk(key.jwk).publicKey
      const fits = { key: publicKey, dsaEncoding: 'ieee-p1363' as const }
      expect(verify('sha256', Buffer.from('text'), fits, Buffer.from(signed, 'base64url'))).toBe(true)
      expect((await manager.keyManagerGet({ kid: key.keyId })).type).toBe('Secp256r1')
    })

    it('rotate in two steps, and the retired one signs no more but stays known', async () => {
      const first = await keys.obtain({ kind: 'P-256', alias: 'rotating' })
      await keys.signer.sign(first.keyId, 'ES256', Buffer.from('x'))
      const next = await keys.prepare('rotating')
      expect(next).toMatchObject({ keyId: 'rotating.2', state: 'next' })
      expect(await keys.prepare('rotating')).toEqual(next)
      expect((await keys.byAlias('rotating'))?.keyId).toBe('rotating.1')
      expect(await keys.activate(next.keyId)).toMatchObject({ state: 'active' })
      expect((await keys.byAlias('rotating'))?.keyId).toBe('rotating.2')
      expect(await keys.info(first.keyId)).toMatchObject({ state: 'retired', retiredAt: clock.now(), jwk: first.jwk })
      const retired = { code: 'key_retired' }
      await expect(keys.signer.sign(first.keyId, 'ES256', Buffer.from('x'))).rejects.toMatchObject(retired)
      await expect(keys.activate(first.keyId)).rejects.toMatchObject(retired)
      await expect(keys.prepare('nobody')).rejects.toMatchObject({ code: 'key_unknown' })
      await expect(keys.info('nobody.1')).rejects.toMatchObject({ code: 'key_unknown' })
    })

    it('are the same after a restart, and go on from where a killed start left them', async () => {
      const key = await keys.obtain({ kind: 'secp256k1', alias: 'account' })
      const kinds = ['P-256', 'P-384', 'P-521', 'BLS12-381-G2'] as const
      const alias = (kind: string) => `half-${kind.toLowerCase()}`
      const halves = await Promise.all(kinds.map(kind => keys.obtain({ kind, alias: alias(kind) })))
      await keys.store.dataSource.query(
        keys.store.dataSource.options.type === 'sqlite'
          ? `DELETE FROM "key" WHERE "kid" LIKE 'half-%'`
          : `DELETE FROM "veramo_land_registry"."key" WHERE "kid" LIKE 'half-%'`,
      )
      await keys.close()
      keys = await openKeys(options)
      expect(await keys.obtain({ kind: 'secp256k1', alias: 'account' })).toEqual(key)
      for (const half of halves) {
        expect((await keys.obtain({ kind: half.kind, alias: half.alias })).publicKeyHex).toBe(half.publicKeyHex)
      }
    })

    it('of P-384 are not taken up under a name whose secret is of another kind', async () => {
      await keys.obtain({ kind: 'Ed25519', alias: 'taken' })
      await keys.store.dataSource.query(
        keys.store.dataSource.options.type === 'sqlite'
          ? `DELETE FROM "key" WHERE "kid" = 'taken.1'`
          : `DELETE FROM "veramo_land_registry"."key" WHERE "kid" = 'taken.1'`,
      )
      await expect(keys.create({ kind: 'P-384', alias: 'taken' })).rejects.toMatchObject({ code: 'key_taken' })
      await expect(keys.create({ kind: 'BLS12-381-G2', alias: 'taken' })).rejects.toMatchObject({ code: 'key_taken' })
    })

    it.each([
      ['P-384', 'ES384', 49],
      ['P-521', 'ES512', 67],
      ['BLS12-381-G2', 'BBS', 96],
    ] as const)('of %s rotate as the others do', async (kind, algorithm, length) => {
      const first = await keys.obtain({ kind, alias: `turning-${length}` })
      expect(first).toMatchObject({ kind, algorithm, publicKeyHex: expect.stringMatching(`^[0-9a-f]{${2 * length}}$`) })
      const sign = (keyId: string) =>
        algorithm === 'BBS'
          ? keys.signMessages(keyId, { header: Buffer.from('x'), messages: [] })
          : keys.signer.sign(keyId, algorithm, Buffer.from('x'))
      expect(await sign(first.keyId)).toHaveLength({ ES384: 96, ES512: 132, BBS: 80 }[algorithm])
      const next = await keys.prepare(first.alias)
      expect(next).toMatchObject({ kind, version: 2, state: 'next' })
      expect(next.thumbprint).not.toBe(first.thumbprint)
      await keys.activate(next.keyId)
      expect((await keys.obtain({ kind, alias: first.alias })).keyId).toBe(next.keyId)
      await expect(sign(first.keyId)).rejects.toMatchObject({ code: 'key_retired' })
    })

    it('are refused as a whole under another master key, which is named', async () => {
      await expect(openKeys({ ...options, masterKey: files.masterKey() })).rejects.toMatchObject({
        kind: 'unavailable',
        code: 'master_key_wrong',
        facts: { keyId: openSeal(masterKey).keyId },
      })
    })

    it('do not open when their rows are exchanged in the database', async () => {
      const a = await keys.obtain({ kind: 'P-256', alias: 'swap-a' })
      const b = await keys.obtain({ kind: 'P-256', alias: 'swap-b' })
      const rows = keys.store.dataSource.getRepository(PrivateKey)
      const row = await rows.findOneByOrFail({ alias: b.keyId })
      await rows.update({ alias: a.keyId }, { privateKeyHex: row.privateKeyHex })
      const broken = { code: 'seal_broken' }
      await expect(keys.signer.sign(a.keyId, 'ES256', Buffer.from('x'))).rejects.toMatchObject(broken)
      await rows.delete({ alias: a.keyId })
    })
  })

keysSuite('SQLite', async () => ({ directory: files.path('sqlite') }))
keysSuite('PostgreSQL', async () => ({ postgresUrl: await withPostgres() }))
afterAll(stopPostgres)

describe('keys at rest', () => {
  it('are in none of the files, in no form', async () => {
    const directory = files.path('at-rest')
    const masterKey = files.masterKey()
    const keys = await openKeys({ agency: 'test', directory, masterKey, clock })
    for (const kind of ['P-256', 'Ed25519', 'secp256k1', 'P-384', 'P-521', 'BLS12-381-G2'] as const) {
      const { keyId, algorithm } = await keys.create({ kind, alias: kind.toLowerCase() })
      if (algorithm === 'BBS') await keys.signMessages(keyId, { header: Buffer.from('x'), messages: [] })
      else await keys.signer.sign(keyId, algorithm, Buffer.from('x'))
    }
    const seal = openSeal(masterKey)
    const rows = await keys.store.dataSource.getRepository(PrivateKey).find()
    const secrets = rows.map(row => seal.open(row.privateKeyHex, sealContext(row)).subarray(0, 32))
    const look = () =>
      readdirSync(directory).flatMap(name => {
        const bytes = readFileSync(join(directory, name))
        return [...secrets, masterKey.bytes].flatMap(formsOf).filter(form => bytes.includes(form))
      })
    expect(secrets).toHaveLength(6)
    expect(look()).toEqual([])
    await keys.close()
    expect(look()).toEqual([])
  })

  it('are refused without a place to be', async () => {
    await expect(openKeys({ agency: 'test', masterKey: files.masterKey(), clock })).rejects.toMatchObject({
      code: 'key_store_missing',
    })
  })
})
