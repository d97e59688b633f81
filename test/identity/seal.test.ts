import { randomBytes } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { demoMasterKey, openSeal, parseMasterKey, readMasterKey } from '../../src/identity/seal.ts'
import { scratch } from './scratch.ts'

const coded = (code: string) => expect.objectContaining({ code })

describe('a seal', () => {
  const files = scratch()
  const seal = openSeal(files.masterKey())
  const secret = randomBytes(32)

  it('opens what it sealed, and never seals to the same text twice', () => {
    const sealed = seal.seal(secret, 'a key')
    expect(seal.open(sealed, 'a key')).toEqual(secret)
    expect(seal.seal(secret, 'a key')).not.toBe(sealed)
  })

  it('refuses under another master key and names the one that is needed', () => {
    const sealed = seal.seal(secret, 'a key')
    expect(() => openSeal(files.masterKey()).open(sealed, 'a key')).toThrow(
      expect.objectContaining({ kind: 'unavailable', code: 'master_key_wrong', facts: { keyId: seal.keyId } }),
    )
  })

  it('refuses a secret that was moved to another place', () => {
    expect(() => seal.open(seal.seal(secret, 'a key'), 'another key')).toThrow(coded('seal_broken'))
  })

  it('refuses a secret of which any part was changed or cut off', () => {
    const parts = seal.seal(secret, 'a key').split('.')
    for (const index of [2, 3]) {
      const part = parts[index] as string
      const flipped = (part[0] === 'A' ? 'B' : 'A') + part.slice(1)
      const broken = parts.with(index, flipped).join('.')
      expect(() => seal.open(broken, 'a key')).toThrow(coded('seal_broken'))
      expect(() => seal.open(parts.with(index, part.slice(0, 8)).join('.'), 'a key')).toThrow(coded('seal_broken'))
    }
    for (const text of ['', 'cs1', 'cs2.a.b.c', `${parts.join('.')}.x`, parts.slice(0, 3).join('.')]) {
      expect(() => seal.open(text, 'a key')).toThrow(coded('seal_broken'))
    }
  })

  it('refuses a wrapped data key of another secret', () => {
    const [mark, keyId, , body] = seal.seal(secret, 'a key').split('.')
    const [, , wrapped] = seal.seal(secret, 'a key').split('.')
    expect(() => seal.open([mark, keyId, wrapped, body].join('.'), 'a key')).toThrow(coded('seal_broken'))
  })

  it('hands a secret over to a new master key, after which the old one opens it no more', () => {
    const next = openSeal(files.masterKey())
    const moved = seal.rewrap(seal.seal(secret, 'a key'), next)
    expect(next.open(moved, 'a key')).toEqual(secret)
    expect(() => seal.open(moved, 'a key')).toThrow(coded('master_key_wrong'))
    expect(() => seal.rewrap(moved, next)).toThrow(coded('master_key_wrong'))
  })
})

describe('a master key', () => {
  const files = scratch()

  it('is read as hex and as base64 of either alphabet, from a value or a file', () => {
    const bytes = randomBytes(32)
    const file = join(files.path('given'), 'key')
    writeFileSync(file, `${bytes.toString('base64')}\n`)
    expect(parseMasterKey(bytes.toString('hex')).bytes).toEqual(bytes)
    expect(parseMasterKey(bytes.toString('base64url')).bytes).toEqual(bytes)
    expect(readMasterKey({ file, production: true }).bytes).toEqual(bytes)
  })

  it.each(['', 'secret', '00'.repeat(31), '00'.repeat(33), 'g'.repeat(64), 'A'.repeat(42)])(
    'is refused as %p',
    text => {
      expect(() => parseMasterKey(text)).toThrow(coded('master_key_malformed'))
    },
  )

  it('is made once for a demo, readable by its owner only', () => {
    const directory = files.path('demo')
    const key = demoMasterKey(directory)
    expect(demoMasterKey(directory)).toEqual(key)
    expect(key.generated).toBe(true)
    expect(statSync(join(directory, 'master.key')).mode & 0o777).toBe(0o600)
  })

  it('is refused in production when it was generated, by whichever way it comes', () => {
    const directory = files.path('generated')
    demoMasterKey(directory)
    const file = join(directory, 'master.key')
    const refused = coded('master_key_generated')
    expect(() => readMasterKey({ file, production: true })).toThrow(refused)
    expect(() => readMasterKey({ value: readFileSync(file, 'utf8'), production: true })).toThrow(refused)
  })

  it('is never made up in production, nor when a file is named that is not there', () => {
    const demoDirectory = files.path('none')
    const missing = coded('master_key_missing')
    expect(() => readMasterKey({ demoDirectory, production: true })).toThrow(missing)
    expect(() => readMasterKey({ file: join(demoDirectory, 'no'), demoDirectory, production: false })).toThrow(missing)
    expect(() => readMasterKey({ production: false })).toThrow(missing)
  })
})
