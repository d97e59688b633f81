import { execFile } from 'node:child_process'
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { SigningKey, TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import secp256k1 from 'secp256k1'
import { openTypedSignatures } from '../../src/chain/typed-signatures.ts'
import { openStructs, signedKinds, typedDataOf } from '../../src/kernel/ledger-typed-data.ts'
import type { TypedClaim, TypedSignatures } from '../../src/kernel/ports.ts'
import { anySignedEntry, signedEntryOf } from '../kernel/ledger-entries.ts'

const domain = { name: 'Chancery Ledger', version: '1', chainId: 31_337, verifyingContract: `0x${'5f'.repeat(20)}` }
const order = {
  1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  2: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
} as const

type Opened = TypedSignatures & { close(): Promise<void> }
let here: Opened
const others: Opened[] = []
const opened = async (options: Parameters<typeof openTypedSignatures>[0]): Promise<Opened> => {
  const signatures = await openTypedSignatures(options)
  others.push(signatures)
  return signatures
}

beforeAll(async () => {
  here = await opened(domain)
})
afterAll(async () => {
  await Promise.all(others.map(signatures => signatures.close()))
})

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const wordOf = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(64, '0'), 'hex')

type Key = { scheme: 1 | 2; key: Uint8Array; sign(digest: Uint8Array): Uint8Array }

/** As a wallet signs: EIP-2098, made by the field's own library. */
const secp256k1Key = (): Key => {
  const signing = new SigningKey(randomBytes(32))
  return {
    scheme: 1,
    key: Buffer.from(signing.compressedPublicKey.slice(2), 'hex'),
    sign: digest => Buffer.from(signing.sign(digest).compactSerialized.slice(2), 'hex'),
  }
}

/** As a KMS signs: SHA-256 of the digest, with its s brought to the lower half of the order. */
const p256Key = (): Key => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const prefix = 2 + ((Buffer.from(y, 'base64url').at(-1) ?? 0) & 1)
  const key = Buffer.concat([Buffer.of(prefix), Buffer.from(x, 'base64url')])
  return { scheme: 2, key, sign: digest => lowS(p256Signature(privateKey, digest)) }
}
const p256Signature = (key: KeyObject, digest: Uint8Array) => sign('sha256', digest, { key, dsaEncoding: 'ieee-p1363' })
const lowS = (signature: Buffer): Buffer => {
  const s = numberOf(signature.subarray(32))
  return Buffer.concat([signature.subarray(0, 32), wordOf(s > order[2] / 2n ? order[2] - s : s)])
}

const keys = { secp256k1: secp256k1Key(), 'P-256': p256Key() }
const schemes = ['secp256k1', 'P-256'] as const
const structs = fc
  .integer({ min: 1, max: 12 })
  .chain(words => fc.uint8Array({ minLength: 32 * words, maxLength: 32 * words }))
const claimBy = ({ scheme, key, sign }: Key, struct: Uint8Array, by: TypedSignatures = here): TypedClaim => ({
  ...{ struct, scheme, key, signature: sign(by.digest(struct)) },
})
const judged = async (claim: TypedClaim, by: TypedSignatures = here): Promise<boolean | undefined> =>
  (await by.verify([claim]))[0]
const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const other = Uint8Array.from(bytes)
  other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
  return other
}

describe('signatures over typed data', () => {
  it.each(signedKinds)('have the digest of a %s that wallets sign', async kind => {
    const structOf = openStructs(here.keccak)
    fc.assert(
      fc.property(signedEntryOf(kind), entry => {
        const { types, primaryType, message } = typedDataOf(entry, domain)
        const members = { [primaryType]: [...(types[primaryType] ?? [])] }
        const digest = `0x${Buffer.from(here.digest(structOf(entry))).toString('hex')}`
        expect(digest).toBe(TypedDataEncoder.hash(domain, members, message))
      }),
    )
    expect(`0x${Buffer.from(here.domainSeparator).toString('hex')}`).toBe(TypedDataEncoder.hashDomain(domain))
  })

  it.each(schemes)('of %s are good for any entry, by any key', async scheme => {
    const structOf = openStructs(here.keccak)
    const made = fc.sample(anySignedEntry, 50).map(entry => {
      const key = scheme === 'P-256' ? p256Key() : secp256k1Key()
      return claimBy(key, structOf(entry))
    })
    expect(await here.verify(made)).toEqual(made.map(() => true))
  })

  it.each(schemes)('of %s are bad when any bit of struct, key or signature is another', async scheme => {
    const member = fc.constantFrom('struct' as const, 'key' as const, 'signature' as const)
    await fc.assert(
      fc.asyncProperty(structs, member, fc.nat(), async (struct, changed, bit) => {
        const claim = claimBy(keys[scheme], struct)
        const other = { ...claim, [changed]: flipped(claim[changed], bit % (8 * claim[changed].length)) }
        expect(await here.verify([claim, other])).toEqual([true, false])
      }),
      { numRuns: 300 },
    )
  })

  it.each(schemes)('of %s are bad on another chain, for another contract, name or version', async scheme => {
    const struct = randomBytes(256)
    const changes = [
      { chainId: 31_338 },
      { verifyingContract: `0x${'5e'.repeat(20)}` },
      { name: 'Chancery ledger' },
      { version: '2' },
    ]
    for (const change of changes) {
      const there = await opened({ ...domain, ...change })
      const claim = claimBy(keys[scheme], struct, there)
      expect({ change, there: await judged(claim, there), here: await judged(claim) }).toEqual({
        ...{ change, there: true, here: false },
      })
    }
  })

  it('of P-256 are bad with the s of the upper half, which any library takes', async () => {
    const claim = claimBy(keys['P-256'], randomBytes(64))
    const high = wordOf(order[2] - numberOf(claim.signature.subarray(32)))
    const signature = Buffer.concat([claim.signature.subarray(0, 32), high])
    expect(await here.verify([claim, { ...claim, signature }])).toEqual([true, false])
  })

  it('of secp256k1 are bad with an s of the upper half that the top bit leaves room for', async () => {
    // Such an s is made, not met: r and s are chosen, and the key is what they recover to.
    const struct = randomBytes(64)
    const r = secp256k1.publicKeyCreate(randomBytes(32)).subarray(1)
    const half = order[1] / 2n
    const claimOf = (s: bigint): TypedClaim => {
      const signature = Buffer.concat([r, wordOf(s)])
      return { struct, scheme: 1, key: secp256k1.ecdsaRecover(signature, 0, here.digest(struct)), signature }
    }
    expect(await here.verify([claimOf(half), claimOf(half + 1n)])).toEqual([true, false])
  })

  it('of secp256k1 are bad with the other parity: a signature has one form', async () => {
    const claim = claimBy(keys.secp256k1, randomBytes(64))
    expect(await judged({ ...claim, signature: flipped(claim.signature, 256) })).toBe(false)
  })

  it.each(schemes)('of %s are bad with an r or s that is zero or not below the order', async scheme => {
    const claim = claimBy(keys[scheme], randomBytes(64))
    const r = claim.signature.subarray(0, 32)
    const s = claim.signature.subarray(32)
    const top = order[claim.scheme as 1 | 2]
    const signatures = [
      ...[
        [wordOf(0n), s],
        [r, wordOf(0n)],
        [wordOf(0n), wordOf(0n)],
        [wordOf(top), s],
        [r, wordOf(top)],
      ],
      [wordOf(2n ** 256n - 1n), wordOf(2n ** 256n - 1n)],
    ].map(parts => Buffer.concat(parts))
    const made = signatures.map(signature => ({ ...claim, signature }))
    expect(await here.verify(made)).toEqual(made.map(() => false))
  })

  it.each(schemes)('of %s are bad under the other scheme, and under one that nobody knows', async scheme => {
    const claim = claimBy(keys[scheme], randomBytes(64))
    const made = [3 - claim.scheme, 0, 3, 258, -1, 1.5, Number.NaN].map(other => ({ ...claim, scheme: other }))
    expect(await here.verify(made)).toEqual(made.map(() => false))
  })

  it.each(schemes)('of %s are bad when something is cut off or added', async scheme => {
    const claim = claimBy(keys[scheme], randomBytes(64))
    const made = (['struct', 'key', 'signature'] as const).flatMap(member => [
      { ...claim, [member]: claim[member].subarray(0, -1) },
      { ...claim, [member]: claim[member].subarray(1) },
      { ...claim, [member]: new Uint8Array() },
      { ...claim, [member]: Buffer.concat([claim[member], Buffer.alloc(1)]) },
      { ...claim, [member]: Buffer.concat([claim[member], Buffer.alloc(8_192)]) },
    ])
    expect(await here.verify([...made, claim])).toEqual([...made.map(() => false), true])
  })

  it('are bad, and nothing is thrown, whatever is handed in', async () => {
    const garbage = fc.record({
      struct: fc.uint8Array({ maxLength: 96 }),
      scheme: fc.constantFrom(0, 1, 2, 3),
      key: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ minLength: 33, maxLength: 33 }).map(key => Uint8Array.from(key).fill(2, 0, 1)),
      ),
      signature: fc.oneof(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ minLength: 64, maxLength: 64 })),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(garbage, { maxLength: 40 }), async claims => {
        expect(await here.verify(claims)).toEqual(claims.map(() => false))
      }),
    )
  })

  it('answer each claim in its place, however many come and however many callers there are', async () => {
    const batch = (length: number): { claim: TypedClaim; good: boolean }[] =>
      Array.from({ length }, (_, position) => {
        const claim = claimBy(keys[position % 3 === 0 ? 'P-256' : 'secp256k1'], randomBytes(32 * (1 + (position % 9))))
        if (position % 5 === 1) return { claim: { ...claim, struct: randomBytes(32) }, good: false }
        if (position % 7 === 1) return { claim: { ...claim, signature: claim.signature.subarray(1) }, good: false }
        return { claim, good: true }
      })
    const batches = [700, 1, 33, 0, 256, 2, 1].map(batch)
    const threads = await opened({ ...domain, threads: 2 })
    for (const by of [here, threads]) {
      const answers = await Promise.all(batches.map(made => by.verify(made.map(({ claim }) => claim))))
      expect(answers).toEqual(batches.map(made => made.map(({ good }) => good)))
    }
  })

  it('of one payment do not wait until a large batch is through', async () => {
    const claim = claimBy(keys['P-256'], randomBytes(64))
    const ended: string[] = []
    const batch = here.verify(Array.from({ length: 5_000 }, () => claim)).then(() => ended.push('batch'))
    const payment = here.verify([claim]).then(answers => ended.push(`payment ${answers[0]}`))
    await Promise.all([batch, payment])
    expect(ended).toEqual(['payment true', 'batch'])
  })

  it('cannot be checked once more than can wait are waiting, and can again after that', async () => {
    const claim = claimBy(keys['P-256'], randomBytes(64))
    const cut = { ...claim, signature: claim.signature.subarray(1) }
    const most = here.verify([claim, ...Array.from({ length: 65_535 }, () => cut)])
    await expect(here.verify([claim])).rejects.toMatchObject({ kind: 'unavailable', code: 'signatures_unavailable' })
    expect((await most)[0]).toBe(true)
    expect(await judged(claim)).toBe(true)
  })

  it('are checked by a new thread when one has died, what waited for that one is refused, and no thread keeps a process', async () => {
    const child = join(import.meta.dirname, 'typed-signatures-child.ts')
    const { stdout } = await promisify(execFile)(process.execPath, [child], { timeout: 20_000 })
    expect(JSON.parse(stdout)).toEqual({
      ...{ before: [true], lost: 'unavailable/signatures_unavailable', after: [true], threads: 2 },
    })
  })

  it('cannot be checked after the end, and what waits then is refused', async () => {
    const signatures = await openTypedSignatures(domain)
    const claim = claimBy(keys['P-256'], randomBytes(64))
    const refused = { kind: 'unavailable', code: 'signatures_unavailable' }
    const waits = expect(signatures.verify([claim])).rejects.toMatchObject(refused)
    await signatures.close()
    await waits
    await expect(signatures.verify([claim])).rejects.toMatchObject(refused)
    await signatures.close()
  })
})
