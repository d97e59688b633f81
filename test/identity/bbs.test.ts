import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { bbsKeyPair, bbsProofGen, bbsProofVerify, bbsPublicKey, bbsSign, bbsVerify } from '../../src/identity/bbs.ts'

type Pair = { secretKey: string; publicKey: string }
type SignatureCase = {
  caseName: string
  signerKeyPair: Pair
  header: string
  messages: string[]
  signature: string
  result: { valid: boolean }
}
type ProofCase = {
  caseName: string
  signerPublicKey: string
  header: string
  presentationHeader: string
  messages: string[]
  disclosedIndexes: number[]
  proof: string
  result: { valid: boolean }
}
const published = JSON.parse(readFileSync(new URL('vectors/bbs.json', import.meta.url), 'utf8')) as {
  keyPair: Pair
  signatures: SignatureCase[]
  proofs: ProofCase[]
}

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const text = (hex: string[]): Uint8Array[] => hex.map(bytes)

describe('the published vectors of BLS12-381-SHA-256', () => {
  it('give the public key of the secret one', async () => {
    const publicKey = await bbsPublicKey(bytes(published.keyPair.secretKey))
    expect(Buffer.from(publicKey).toString('hex')).toBe(published.keyPair.publicKey)
  })

  it.each(published.signatures)('$caseName', async ({ signerKeyPair, header, messages, signature, result }) => {
    const publicKey = bytes(signerKeyPair.publicKey)
    const input = { publicKey, header: bytes(header), messages: text(messages), signature: bytes(signature) }
    expect(await bbsVerify(input)).toBe(result.valid)
    const made = await bbsSign({ ...input, secretKey: bytes(signerKeyPair.secretKey) })
    expect(Buffer.from(made).toString('hex') === signature).toBe(result.valid)
  })

  it.each(published.proofs)('$caseName', async each => {
    const messages = text(each.disclosedIndexes.flatMap(index => each.messages[index] ?? []))
    const { header, presentationHeader, signerPublicKey, proof, disclosedIndexes } = each
    const input = { header: bytes(header), presentationHeader: bytes(presentationHeader), messages }
    const holds = bbsProofVerify({
      ...input,
      publicKey: bytes(signerPublicKey),
      proof: bytes(proof),
      disclosed: disclosedIndexes,
    })
    expect(await holds).toBe(each.result.valid)
  })
})

describe('BBS signatures', () => {
  const messages = ['one', 'two', 'three'].map(each => Uint8Array.from(Buffer.from(each)))
  const header = Uint8Array.of(1)
  const presentationHeader = Uint8Array.of(2)

  it('give proofs that cannot be told to be of one signature, and that hold for what they disclose', async () => {
    const pair = await bbsKeyPair()
    const signature = await bbsSign({ ...pair, header, messages })
    const { publicKey } = pair
    const wanted = { publicKey, header, messages, signature, presentationHeader, disclosed: [0, 2] }
    const [one, two] = await Promise.all([bbsProofGen(wanted), bbsProofGen(wanted)])
    expect(Buffer.compare(one, two)).not.toBe(0)
    const shown = {
      publicKey,
      header,
      presentationHeader,
      disclosed: [0, 2],
      messages: messages.filter((_, at) => at !== 1),
    }
    expect(await bbsProofVerify({ ...shown, proof: one })).toBe(true)
    expect(await bbsProofVerify({ ...shown, proof: two, presentationHeader: Uint8Array.of(3) })).toBe(false)
    expect(await bbsProofVerify({ ...shown, proof: two, disclosed: [0, 1] })).toBe(false)
    expect(await bbsProofVerify({ ...shown, proof: two, disclosed: [2, 0] })).toBe(false)
    expect(await bbsProofVerify({ ...shown, proof: two, disclosed: [0, 9] })).toBe(false)
  })

  it('do not hold when they, the key or the proof cannot be read', async () => {
    const { publicKey } = await bbsKeyPair()
    const junk = { header, messages, publicKey, signature: new Uint8Array(80) }
    const infinity = Uint8Array.from({ length: 96 }, (_, at) => (at === 0 ? 0xc0 : 0))
    expect(await bbsVerify(junk)).toBe(false)
    expect(await bbsVerify({ ...junk, signature: new Uint8Array(79) })).toBe(false)
    expect(await bbsVerify({ ...junk, publicKey: new Uint8Array(96) })).toBe(false)
    expect(await bbsVerify({ ...junk, publicKey: infinity })).toBe(false)
    const proof = { header, publicKey, presentationHeader, messages: [], disclosed: [] }
    for (const length of [0, 271, 272, 273, 304]) {
      expect(await bbsProofVerify({ ...proof, proof: new Uint8Array(length).fill(0xff) })).toBe(false)
    }
  })

  it('are refused with keys and indexes that are none, and over more messages than anything has', async () => {
    const pair = await bbsKeyPair()
    const malformed = { kind: 'malformed', code: 'proof_malformed' }
    await expect(bbsPublicKey(new Uint8Array(31))).rejects.toMatchObject(malformed)
    await expect(bbsPublicKey(new Uint8Array(32))).rejects.toMatchObject(malformed)
    await expect(bbsSign({ ...pair, secretKey: new Uint8Array(32), header, messages })).rejects.toMatchObject(malformed)
    await expect(bbsSign({ ...pair, publicKey: new Uint8Array(95), header, messages })).rejects.toMatchObject(malformed)
    const derive = { ...pair, header, messages, presentationHeader, signature: new Uint8Array(80) }
    for (const disclosed of [[3], [-1], [1, 1], [1, 0], [0.5], [Number.NaN]]) {
      await expect(bbsProofGen({ ...derive, disclosed })).rejects.toMatchObject(malformed)
    }
    await expect(bbsProofGen({ ...derive, disclosed: [0] })).rejects.toMatchObject(malformed)
    const many = { ...pair, header, messages: Array.from({ length: 257 }, () => header) }
    await expect(bbsSign(many)).rejects.toMatchObject({ kind: 'too_large', code: 'bbs_messages_many' })
  })

  it('leave room for short work beside the long', async () => {
    const { publicKey } = await bbsKeyPair()
    const ask = (count: number) =>
      bbsVerify({ publicKey, header, messages: Array(count).fill(header), signature: new Uint8Array(80) })
    const long = Array.from({ length: 6 }, () => ask(49))
    const short = await Promise.allSettled(Array.from({ length: 20 }, () => ask(3)))
    expect(short.map(({ status }) => status)).toEqual(Array(20).fill('fulfilled'))
    const answers = await Promise.allSettled(long)
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(4).fill('fulfilled'), 'rejected', 'rejected'])
    expect(await ask(49)).toBe(false)
  })

  it('refuse more work than can wait', async () => {
    const { publicKey } = await bbsKeyPair()
    const ask = () => bbsVerify({ publicKey, header, messages: [], signature: new Uint8Array(80) })
    const answers = await Promise.allSettled(Array.from({ length: 70 }, ask))
    const refused = answers.filter(answer => answer.status === 'rejected')
    expect(refused).toHaveLength(6)
    expect(refused[0]?.reason).toMatchObject({ kind: 'unavailable', code: 'bbs_unavailable' })
  })
})
