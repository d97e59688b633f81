import { createHash, verify } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { recoverAddress } from 'ethers'
import { bbsVerify } from '../../src/identity/bbs.ts'
import { addressOfKey } from '../../src/identity/did-ethr.ts'
import { publicKeyFromJwk } from '../../src/identity/key-material.ts'
import { type DigestSigner, type Keys, type MessageSigner, openKeys } from '../../src/identity/keys.ts'
import { openProcessSigner, serveSigner } from '../../src/identity/signer.ts'
import type { Signer } from '../../src/kernel/ports.ts'
import { scratch } from './scratch.ts'

const data = Buffer.from('what is signed')
const command = process.execPath
const args = ['--no-warnings', fileURLToPath(new URL('signer-process.ts', import.meta.url))]

type Bench = { keys: Keys; signer: Signer & DigestSigner & MessageSigner; close(): Promise<void> }

/** What every Signer does, wherever its keys are. */
const signerSuite = (name: string, open: () => Promise<Bench>) =>
  describe(name, () => {
    let bench: Bench
    beforeAll(async () => {
      bench = await open()
      await bench.keys.create({ kind: 'P-256', alias: 'issuer' })
      await bench.keys.create({ kind: 'Ed25519', alias: 'edwards' })
      await bench.keys.create({ kind: 'secp256k1', alias: 'account' })
      await bench.keys.create({ kind: 'P-384', alias: 'strong' })
      await bench.keys.create({ kind: 'P-521', alias: 'stronger' })
      await bench.keys.create({ kind: 'BLS12-381-G2', alias: 'hiding' })
    })
    afterAll(() => bench.close())

    it.each([
      ['issuer.1', 'ES256'],
      ['edwards.1', 'EdDSA'],
      ['account.1', 'ES256K'],
      ['strong.1', 'ES384'],
      ['stronger.1', 'ES512'],
    ] as const)('signs with %s as %s, raw and twice as long as its numbers', async (keyId, algorithm) => {
      const signature = await bench.signer.sign(keyId, algorithm, data)
      const key = publicKeyFromJwk(await bench.keys.publicJwk(keyId)).publicKey
      const hash = { EdDSA: null, ES256: 'sha256', ES256K: 'sha256', ES384: 'sha384', ES512: 'sha512' }[algorithm]
      expect(signature).toHaveLength({ ES384: 96, ES512: 132 }[algorithm as 'ES384'] ?? 64)
      expect(verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true)
      expect(verify(hash, Buffer.from('else'), { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(false)
    })

    it('signs digests for chain accounts so that the account can be recovered', async () => {
      const digest = createHash('sha256').update(data).digest()
      const { publicKeyHex } = await bench.keys.info('account.1')
      const signature = await bench.signer.signDigest('account.1', digest)
      expect(recoverAddress(digest, signature).toLowerCase()).toBe(addressOfKey(publicKeyHex))
    })

    it.each([
      ['issuer.1', 'EdDSA'],
      ['issuer.1', 'ES256K'],
      ['edwards.1', 'ES256'],
      ['account.1', 'ES256'],
      ['issuer.1', 'ES384'],
      ['strong.1', 'ES256'],
      ['strong.1', 'BBS'],
      ['stronger.1', 'ES384'],
      ['hiding.1', 'BBS'],
      ['hiding.1', 'ES256'],
      ['issuer.1', 'none'],
    ])('refuses to sign with %s as %s', async (keyId, algorithm) => {
      await expect(bench.signer.sign(keyId, algorithm as 'ES256', data)).rejects.toMatchObject({
        kind: 'rejected',
        code: 'algorithm_mismatch',
      })
    })

    it('signs lists of messages with a BLS12-381 key, and with no other', async () => {
      const signed = { header: data, messages: [Buffer.from('one'), Buffer.from('')] }
      const publicKey = Buffer.from((await bench.keys.info('hiding.1')).publicKeyHex, 'hex')
      const signature = await bench.signer.signMessages('hiding.1', signed)
      expect(await bbsVerify({ ...signed, publicKey, signature })).toBe(true)
      expect(await bbsVerify({ ...signed, messages: signed.messages.slice(1), publicKey, signature })).toBe(false)
      await expect(bench.signer.signMessages('issuer.1', signed)).rejects.toMatchObject({ code: 'algorithm_mismatch' })
      await expect(bench.signer.signMessages('nobody.1', signed)).rejects.toMatchObject({ code: 'key_unknown' })
      expect(
        await bbsVerify({ ...signed, publicKey, signature: await bench.signer.signMessages('hiding.1', signed) }),
      ).toBe(true)
    })

    it('refuses a key that it does not have', async () => {
      const unknown = { kind: 'not_found', code: 'key_unknown' }
      await expect(bench.signer.sign('nobody.1', 'ES256', data)).rejects.toMatchObject(unknown)
      await expect(bench.signer.signDigest('nobody.1', Buffer.alloc(32))).rejects.toMatchObject(unknown)
    })

    it('refuses digests of another length, and with keys that are no account', async () => {
      const digest = Buffer.alloc(31)
      await expect(bench.signer.signDigest('account.1', digest)).rejects.toMatchObject({ code: 'digest_malformed' })
      await expect(bench.signer.signDigest('issuer.1', Buffer.alloc(32))).rejects.toMatchObject({
        code: 'algorithm_mismatch',
      })
    })

    it('answers many at once, each with its own signature', async () => {
      const key = publicKeyFromJwk(await bench.keys.publicJwk('issuer.1')).publicKey
      const texts = Array.from({ length: 200 }, (_, index) => Buffer.from(`text ${index}`))
      const signatures = await Promise.all(texts.map(text => bench.signer.sign('issuer.1', 'ES256', text)))
      const good = texts.filter((text, index) =>
        verify('sha256', text, { key, dsaEncoding: 'ieee-p1363' }, signatures[index] as Uint8Array),
      )
      expect(good).toHaveLength(200)
    })
  })

const files = scratch()
const setup = async (name: string) => {
  const masterKey = files.masterKey()
  const directory = files.path(name)
  const keys = await openKeys({ agency: 'test', directory, masterKey, clock: Date })
  const env = { KEY_DIRECTORY: directory, MASTER_KEY: masterKey.bytes.toString('hex') }
  return { keys, env }
}

signerSuite('the signer in process', async () => {
  const { keys } = await setup('in-process')
  const signer = { sign: keys.signer.sign, signDigest: keys.signDigest, signMessages: keys.signMessages }
  return { keys, signer, close: () => keys.close() }
})

signerSuite('the signer in a process of its own', async () => {
  const { keys, env } = await setup('out-of-process')
  const signer = openProcessSigner({ command, args, env })
  const close = async () => {
    await signer.close()
    await keys.close()
  }
  return { keys, signer, close }
})

describe('a signer that is not there', () => {
  const unavailable = { kind: 'unavailable', code: 'signer_unavailable' }

  it('is a refusal when it dies, for the call under way and the next, until it runs again', async () => {
    const { keys, env } = await setup('dying')
    await keys.create({ kind: 'P-256', alias: 'issuer' })
    const signer = openProcessSigner({ command, args, env, restartAfterMs: 300 })
    await signer.sign('issuer.1', 'ES256', data)
    process.kill(signer.pid() as number, 'SIGSTOP')
    const pending = signer.sign('issuer.1', 'ES256', data)
    process.kill(signer.pid() as number, 'SIGKILL')
    await expect(pending).rejects.toMatchObject(unavailable)
    await expect(signer.sign('issuer.1', 'ES256', data)).rejects.toMatchObject(unavailable)
    await new Promise(resolve => setTimeout(resolve, 350))
    expect(await signer.sign('issuer.1', 'ES256', data)).toHaveLength(64)
    await signer.close()
    await expect(signer.sign('issuer.1', 'ES256', data)).rejects.toMatchObject(unavailable)
    await keys.close()
  })

  it('is a refusal when it hangs', async () => {
    const signer = openProcessSigner({ command, args: ['-e', 'process.stdin.resume()'], timeoutMs: 200 })
    await expect(signer.sign('issuer.1', 'ES256', data)).rejects.toMatchObject(unavailable)
    await signer.close()
  })

  it('is a refusal when the program does not exist, ends at once, or talks nonsense', async () => {
    const programs = [
      { command: '/nowhere/signer', args: [] },
      { command, args: ['-e', '0'] },
      { command, args: ['-e', 'process.stdin.on("data", () => process.stdout.write("x".repeat(100)))'] },
    ]
    for (const program of programs) {
      const signer = openProcessSigner({ ...program, timeoutMs: 2_000 })
      await expect(signer.sign('issuer.1', 'ES256', data)).rejects.toMatchObject(unavailable)
      await signer.close()
    }
  })

  it('is a refusal under a wrong master key, and nothing of a key crosses the pipe', async () => {
    const { keys, env } = await setup('wrong-master')
    await keys.create({ kind: 'P-256', alias: 'issuer' })
    const signer = openProcessSigner({ command, args, env: { ...env, MASTER_KEY: '11'.repeat(32) } })
    await expect(signer.sign('issuer.1', 'ES256', data)).rejects.toMatchObject(unavailable)
    await signer.close()
    await keys.close()
  })

  it('says of a defect only that it could not sign', async () => {
    const secret = 'c0ffee'.repeat(10)
    const fail = () => Promise.reject(new Error(`cannot use ${secret}`))
    const input = new PassThrough()
    const output = new PassThrough()
    const written: Buffer[] = []
    output.on('data', chunk => written.push(chunk))
    const served = serveSigner({
      keys: { signer: { sign: fail }, signDigest: fail, signMessages: fail },
      input,
      output,
    })
    for (const request of [
      { id: 1, op: 'sign', keyId: 'issuer.1', algorithm: 'ES256', data: '' },
      { id: 2, op: 'export', keyId: 'issuer.1' },
    ]) {
      const body = Buffer.from(JSON.stringify(request))
      const length = Buffer.alloc(4)
      length.writeUInt32BE(body.length)
      input.write(Buffer.concat([length, body]))
    }
    await new Promise(resolve => setTimeout(resolve, 50))
    input.end()
    await served
    const said = Buffer.concat(written).toString('utf8')
    expect(said).toContain('signer_failed')
    expect(said).toContain('signer_operation_unknown')
    expect(said).not.toContain(secret)
  })
})
