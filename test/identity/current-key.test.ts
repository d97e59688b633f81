import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type CurrentKey, openCurrentKey, withCurrentKey } from '../../src/identity/current-key.ts'
import { type KeyInfo, type Keys, openKeys } from '../../src/identity/keys.ts'
import type { Identity } from '../../src/kernel/identity.ts'
import { scratch } from './scratch.ts'

const files = scratch()
const did = 'did:ethr:0x1:0xaa'
const alias = 'signing'

describe('the key that signs now', () => {
  const options = {
    ...{ agency: 'land-registry', masterKey: files.masterKey(), clock: { now: () => 1_700_000_000_000 } },
    directory: files.path('keys'),
  }
  let here: Keys
  let elsewhere: Keys
  let current: CurrentKey
  /** What our view of the chain shows by now. */
  const registered = new Set(['signing.1'])
  const nameOf = async ({ keyId, algorithm }: KeyInfo) => {
    if (!registered.has(keyId)) throw new Error(`${keyId} is not in the DID document`)
    return { did, kid: `${did}#${keyId}`, keyId, algorithm }
  }
  const rotate = async (keys: Keys): Promise<string> => {
    const { keyId } = await keys.prepare(alias)
    await keys.activate(keyId)
    return keyId
  }

  beforeAll(async () => {
    here = await openKeys(options)
    elsewhere = await openKeys(options)
    await here.obtain({ kind: 'P-256', alias })
    current = await openCurrentKey({ keys: here, alias, nameOf })
    await here.signer.sign(current.key().keyId, 'ES256', Buffer.from('x'))
  })
  afterAll(async () => {
    await here.close()
    await elsewhere.close()
  })

  it('is not to be had where there is none, or where the world does not know it', async () => {
    await expect(openCurrentKey({ keys: here, alias: 'nobody', nameOf })).rejects.toThrow('no active key nobody')
    await here.obtain({ kind: 'P-256', alias: 'unknown' })
    await expect(openCurrentKey({ keys: here, alias: 'unknown', nameOf })).rejects.toThrow('not in the DID document')
  })

  it('stays the old one while our view of the chain does not show the new one, and signs on', async () => {
    expect(await rotate(elsewhere)).toBe('signing.2')
    await sleep(5_100)
    await current.look()
    expect(current.key().keyId).toBe('signing.1')
    expect(await here.signer.sign('signing.1', 'ES256', Buffer.from('x'))).toHaveLength(64)
  }, 20_000)

  it('is the one that another process made it, without a new start', async () => {
    registered.add('signing.2')
    await Promise.all(Array.from({ length: 20 }, () => current.look()))
    expect(current.key()).toMatchObject({ keyId: 'signing.2', kid: `${did}#signing.2` })
    expect(await here.signer.sign(current.key().keyId, 'ES256', Buffer.from('x'))).toHaveLength(64)
  })

  it('is looked for before anything is signed, and not before anything else', async () => {
    const signedWith: string[] = []
    const sign = async () => {
      signedWith.push(current.key().keyId)
      return ''
    }
    const own = { did, issue: sign, bitstringList: sign, tokenList: sign } as unknown as Identity
    const identity = withCurrentKey(own, current)
    const request = { type: 'Licence', subject: {} } as Parameters<Identity['issue']>[0]
    for (const act of [() => identity.issue(request), () => identity.bitstringList(0), () => identity.tokenList(0)]) {
      const next = await rotate(here)
      registered.add(next)
      expect(current.key().keyId).not.toBe(next)
      await act()
      expect(signedWith.at(-1)).toBe(next)
    }
    expect(identity.did).toBe(did)
  })
})
