import { gunzipSync } from 'node:zlib'
import * as vc from '@digitalbazaar/vc'
import { getListFromStatusListJWT, StatusList } from '@sd-jwt/jwt-status-list'
import fc from 'fast-check'
import { compactVerify, importJWK, type JWK } from 'jose'
import { presentCredential } from '../../../src/identity/present.ts'
import { listTtlMs, openPublishedLists, twoBits } from '../../../src/identity/status-lists/published.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { DataIntegrityProof, documentLoader, theirs } from '../integrity/others.ts'
import { newSigner } from '../integrity/signers.ts'
import { addressOf, audience, baseUrl, chain, openWallet, openWorld, partsOf, registry, type World } from '../world.ts'

const pointer = (world: World, index: number) => ({
  ...{ chain, registry, list: 0, index },
  issuer: addressOf(world.transport),
})

const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work()
  } catch (error) {
    return isRefusal(error) ? error.code : String(error)
  }
  return 'none'
}

/** Section 3.2 of Bitstring Status List read by hand: from the left, so index 0 is the first bit of the first byte. */
const bitstringOf = (jwt: string): Buffer => {
  const { payload } = partsOf(jwt)
  const { encodedList } = payload['credentialSubject'] as { encodedList: string }
  expect(encodedList.startsWith('u')).toBe(true)
  return gunzipSync(Buffer.from(encodedList.slice(1), 'base64url'), { maxOutputLength: 16_384 })
}
const bitAt = (bits: Buffer, index: number): number =>
  Number.parseInt((bits[Math.floor(index / 8)] ?? 0).toString(2).padStart(8, '0')[index % 8] ?? '', 2)

describe('the Bitstring Status List credential', () => {
  it('has revoked indices in the revocation list and suspended ones in the suspension list, and no others', async () => {
    const world = openWorld()
    world.status.set(pointer(world, 3), 'revoked')
    world.status.set(pointer(world, 131_071), 'revoked')
    world.status.set(pointer(world, 8), 'suspended')
    const set = async (list: number) => {
      const bits = bitstringOf(await world.published.bitstring(list))
      return Array.from({ length: 131_072 }, (_, index) => index).filter(index => bitAt(bits, index) === 1)
    }
    expect(await set(0)).toEqual([3, 131_071])
    expect(await set(1)).toEqual([8])
  })

  it('is a vc+jwt of the issuer, names its purpose and hides among at least 131,072', async () => {
    const world = openWorld()
    const list = await world.published.bitstring(1)
    const key = await importJWK(world.transport.jwk as JWK, 'ES256')
    const { protectedHeader } = await compactVerify(list, key)
    expect(protectedHeader).toMatchObject({ typ: 'vc+jwt', kid: world.transport.kid })
    expect(partsOf(list).payload).toMatchObject({
      id: `${baseUrl}/status/bitstring/1`,
      type: ['VerifiableCredential', 'BitstringStatusListCredential'],
      issuer: world.transport.did,
      credentialSubject: { type: 'BitstringStatusList', statusPurpose: 'suspension' },
    })
    expect(bitstringOf(list).length * 8).toBeGreaterThanOrEqual(131_072)
  })

  it('is where the status entries of a credential point', async () => {
    const world = openWorld()
    const { compact, draft } = await world.issue({ format: 'vc+jwt' })
    const entries = partsOf(compact).payload['credentialStatus'] as Record<string, string>[]
    world.status.set(draft.status, 'suspended')
    for (const entry of entries.slice(0, 2)) {
      const list = Number(entry['statusListCredential']?.split('/').at(-1))
      const bits = bitstringOf(await world.published.bitstring(list))
      expect(bitAt(bits, Number(entry['statusListIndex']))).toBe(entry['statusPurpose'] === 'suspension' ? 1 : 0)
    }
  })

  it('is not there for a list that was never opened', async () => {
    const world = openWorld()
    expect(await codeOf(() => world.published.bitstring(4))).toBe('status_list_unknown')
  })
})

describe('the same list with a Data Integrity proof', () => {
  const open = (algorithm: 'ES256' | 'EdDSA' = 'ES256') => {
    const key = newSigner(algorithm === 'ES256' ? 'P-256' : 'Ed25519')
    const bits = Buffer.alloc(16_384)
    const clock = { time: Date.now() - 1_000, now: () => clock.time }
    let signed = 0
    let failing = false
    const failNext = () => {
      failing = true
    }
    const published = openPublishedLists({
      ...{ clock, baseUrl, source: { bits: list => (list < 2 ? bits : undefined) } },
      issuer: () => ({ did: key.did, kid: key.verificationMethod, keyId: 'key', algorithm }),
      signer: {
        sign: async (_keyId, _algorithm, data) => {
          signed += 1
          if (failing) {
            failing = false
            throw new Error('no key')
          }
          return Buffer.from(await key.sign(data))
        },
      },
    })
    return { published, bits, clock, key, failNext, signed: () => signed }
  }
  const theyJudge = async (credential: unknown): Promise<boolean> => {
    const suite = new DataIntegrityProof({ cryptosuite: theirs['ecdsa-rdfc-2019'].verify })
    return (await vc.verifyCredential({ credential: structuredClone(credential), suite, documentLoader })).verified
  }

  it('verifies in @digitalbazaar/vc, says what the JWT says, and does not once a bit was changed in it', async () => {
    const { published, bits, key } = open()
    bits[1] = 0x20
    const list = await published.bitstringWithProof(0)
    const { proof, ...document } = list
    expect(proof).toMatchObject({ cryptosuite: 'ecdsa-rdfc-2019', verificationMethod: key.verificationMethod })
    expect(partsOf(await published.bitstring(0)).payload).toEqual(document)
    expect(await theyJudge(list)).toBe(true)
    const { encodedList } = (await open().published.bitstringWithProof(0))['credentialSubject'] as Record<
      string,
      string
    >
    const subject = { ...(list['credentialSubject'] as object), encodedList }
    expect(await theyJudge({ ...list, credentialSubject: subject })).toBe(false)
  })

  it('is signed once until a bit changes or its time to live is over', async () => {
    const { published, bits, clock, signed } = open()
    const [first, second] = await Promise.all([1, 1].map(list => published.bitstringWithProof(list)))
    expect(second).toBe(first)
    expect(await published.bitstringWithProof(1)).toBe(first)
    expect(signed()).toBe(1)
    bits[0] = 1
    expect(await published.bitstringWithProof(1)).not.toEqual(first)
    clock.time += listTtlMs
    await published.bitstringWithProof(1)
    expect(signed()).toBe(3)
  })

  it('is signed again after a signature that failed', async () => {
    const { published, failNext } = open()
    failNext()
    await expect(published.bitstringWithProof(1)).rejects.toThrow('no key')
    expect(await published.bitstringWithProof(1)).toHaveProperty('proof')
  })

  it('is not there for a list that was never opened, nor under a key that its suite does not take', async () => {
    expect(await codeOf(() => open().published.bitstringWithProof(2))).toBe('status_list_unknown')
    expect(await codeOf(() => open('EdDSA').published.bitstringWithProof(0))).toBe('algorithm_mismatch')
  })
})

describe('the Token Status List', () => {
  it('decodes in @sd-jwt/jwt-status-list: 1 revoked, 2 suspended, 0 else, and revoked wins', async () => {
    const world = openWorld()
    world.status.set(pointer(world, 0), 'revoked')
    world.status.set(pointer(world, 5), 'suspended')
    world.status.set(pointer(world, 131_071), 'suspended')
    const list = getListFromStatusListJWT(await world.published.token(0))
    expect(list.getBitsPerStatus()).toBe(2)
    expect(list.statusList.length).toBe(131_072)
    expect(list.statusList.flatMap((value, index) => (value === 0 ? [] : [[index, value]]))).toEqual([
      [0, 1],
      [5, 2],
      [131_071, 2],
    ])
    const [revoked, suspended] = [Buffer.of(0b1010_0000), Buffer.of(0b1000_0001)]
    const merged = Buffer.from(twoBits(revoked, suspended))
    expect([0, 1, 2, 3, 7].map(index => ((merged[index >> 2] ?? 0) >> ((index & 3) * 2)) & 3)).toEqual([1, 0, 1, 0, 2])
  })

  it('packs any two bitmaps as the other implementation packs the same statuses', () => {
    const pair = fc.integer({ min: 1, max: 64 }).chain(length => {
      const bytes = fc.uint8Array({ minLength: length, maxLength: length })
      return fc.tuple(bytes, bytes)
    })
    fc.assert(
      fc.property(pair, ([revoked, suspended]) => {
        const isSet = (bits: Uint8Array, index: number) => ((bits[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0
        const statuses = Array.from({ length: revoked.length * 8 }, (_, index) =>
          isSet(revoked, index) ? 1 : isSet(suspended, index) ? 2 : 0,
        )
        const theirs = Buffer.from(new StatusList(statuses, 2).encodeStatusList())
        expect(twoBits(Buffer.from(revoked), Buffer.from(suspended)).equals(theirs)).toBe(true)
      }),
    )
  })

  it('has typ statuslist+jwt, its own URL as sub, and a signature of the issuer', async () => {
    const world = openWorld()
    const list = await world.published.token(0)
    const { protectedHeader } = await compactVerify(list, await importJWK(world.transport.jwk as JWK, 'ES256'))
    expect(protectedHeader.typ).toBe('statuslist+jwt')
    expect(partsOf(list).payload).toMatchObject({ sub: `${baseUrl}/status/token/0`, ttl: listTtlMs / 1_000 })
  })

  it.each(['revoked', 'suspended'] as const)(
    'lets another SD-JWT verifier accept a credential and refuse it once %s',
    async value => {
      const world = openWorld()
      const { compact, draft } = await world.issue({ format: 'dc+sd-jwt' })
      const asked: string[] = []
      const wallet = openWallet(world.transport, world.holder, uri => {
        asked.push(uri)
        return world.published.token(0)
      })
      const to = { audience, challenge: 'n', claims: [] }
      const held = { compact, format: 'dc+sd-jwt' }
      const shown = await presentCredential(held, to, world.holder, world.signer, world.clock.now())
      await expect(wallet.verify(shown, { keyBindingNonce: 'n' })).resolves.toBeDefined()
      world.status.set(draft.status, value)
      await expect(wallet.verify(shown, { keyBindingNonce: 'n' })).rejects.toThrow('Status is not valid')
      expect(asked).toEqual([`${baseUrl}/status/token/0`, `${baseUrl}/status/token/0`])
    },
  )

  it.each([1, 4])('is not there for list %d, which is no opened revocation list', async list => {
    const world = openWorld()
    expect(await codeOf(() => world.published.token(list))).toBe('status_list_unknown')
  })
})

describe('a published list', () => {
  it('is kept while nothing changes, and signed anew when a bit does or its time to live ends', async () => {
    const world = openWorld()
    const first = await world.published.bitstring(0)
    expect(await world.published.bitstring(0)).toBe(first)
    world.status.set(pointer(world, 9), 'revoked')
    const second = await world.published.bitstring(0)
    expect(bitAt(bitstringOf(second), 9)).toBe(1)
    world.clock.time += listTtlMs
    expect(await world.published.bitstring(0)).not.toBe(second)
  })
})
