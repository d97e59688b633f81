import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { DIDDocument } from 'did-resolver'
import fc from 'fast-check'
import { generalDecrypt } from 'jose'
import type { Didcomm } from '../../../src/identity/didcomm/didcomm.ts'
import { type Jwe, sealJwe } from '../../../src/identity/didcomm/one-pass.ts'
import { peerDocument } from '../../../src/identity/didcomm/peer-did.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { curveKey, openParties, type Party } from './party.ts'

type Json = Record<string, unknown>

const now = { at: 1_900_000_000_000 }
const seconds = now.at / 1_000
const { add, book } = openParties(() => now.at)
let alice: Party
let bob: Party
let mallory: Party
let aliceSigns: KeyObject

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (segment: string): Json => JSON.parse(Buffer.from(segment, 'base64url').toString()) as Json
const plain = (more: Json = {}): Json => ({
  ...{ id: 'message-1', type: 'https://didcomm.org/trust-ping/2.0/ping', from: 'did:example:alice' },
  ...{ to: ['did:example:bob'], body: {}, ...more },
})

const sealed = (message: unknown, from: Party | undefined, to: Party): Promise<Jwe> =>
  sealJwe(
    Buffer.from(JSON.stringify(message)),
    [{ ...to.key, kid: to.kid }],
    from && { kid: from.kid, agree: from.key.agree },
  )

const signedBy = (key: KeyObject, kid: string, message: unknown, header: Json = {}): Json => {
  const input = `${encode({ alg: 'EdDSA', typ: 'application/didcomm-signed+json', ...header })}.${encode(message)}`
  const [head, payload] = input.split('.')
  const signature = sign(null, Buffer.from(input), key).toString('base64url')
  return { payload, signatures: [{ protected: head, signature, header: { kid } }] }
}

const codeOf = async (party: Didcomm, envelope: unknown): Promise<string | undefined> => {
  try {
    await party.open(envelope)
    return undefined
  } catch (error) {
    if (!isRefusal(error)) throw error
    return error.code
  }
}

beforeAll(async () => {
  alice = await add('did:example:alice')
  bob = await add('did:example:bob')
  mallory = await add('did:example:mallory')
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  aliceSigns = privateKey
  const document = book.get(alice.did) as DIDDocument
  const { crv = '', x = '' } = publicKey.export({ format: 'jwk' })
  const publicKeyJwk = { kty: 'OKP', crv, x }
  const id = `${alice.did}#signs`
  book.set(alice.did, {
    ...document,
    verificationMethod: [
      ...(document.verificationMethod ?? []),
      { id, type: 'JsonWebKey2020', controller: alice.did, publicKeyJwk },
    ],
    authentication: [id],
  })
})

describe('envelopes of DIDComm v2.1', () => {
  it('go through as they were sealed: authcrypt and anoncrypt, and what Veramo’s agents read', async () => {
    const auth = await sealed(plain(), alice, bob)
    expect(await bob.open(auth)).toMatchObject({ sender: alice.did, senderKey: alice.kid, dialect: 'v2' })
    expect(await bob.open(await sealed(plain({ from: undefined }), undefined, bob))).toMatchObject({
      sender: undefined,
    })
    const theirs = await alice.seal(
      { id: 'v', type: 'https://didcomm.org/empty/1.0/empty', to: bob.did, body: {} },
      'veramo',
    )
    expect(await bob.open(theirs)).toMatchObject({ sender: alice.did, dialect: 'veramo', message: { id: 'v' } })
  })

  it.each(['P-256', 'P-384'] as const)(
    'go over %s as over X25519, between those who both have a key on it',
    async curve => {
      const [eve, frank] = [
        await add(`did:example:eve-${curve}`, { key: curveKey(curve) }),
        await add(`did:example:frank-${curve}`, { key: curveKey(curve) }),
      ]
      const message = { id: 'm', type: 'https://didcomm.org/empty/1.0/empty', to: frank.did }
      expect(await frank.open(await eve.seal(message, 'v2'))).toMatchObject({ sender: eve.did, senderKey: eve.kid })
      const anonymous = await sealed(plain({ to: [frank.did] }), undefined, frank)
      expect(await frank.open(anonymous)).toMatchObject({ sender: undefined })
      await expect(alice.seal(message, 'v2')).rejects.toMatchObject({ code: 'didcomm_unreachable' })
      const envelope = await eve.seal(message, 'v2')
      const naming = {
        ...decode(envelope.protected),
        skid: alice.kid,
        apu: Buffer.from(alice.kid).toString('base64url'),
      }
      expect(await codeOf(frank, { ...envelope, protected: encode(naming) })).toBe('didcomm_sender_unproven')
      const other = { ...decode(envelope.protected), epk: decode((await sealed(plain(), alice, bob)).protected)['epk'] }
      expect(await codeOf(frank, { ...envelope, protected: encode(other) })).toBe('didcomm_undecryptable')
      const { crv, kty, x } = decode(envelope.protected)['epk'] as Json
      const bare = { ...decode(envelope.protected), apv: undefined }
      expect(await codeOf(frank, { ...envelope, protected: encode(bare) })).toBe('didcomm_malformed')
      const off = { ...decode(envelope.protected), epk: { crv, kty, x, y: x } }
      expect(await codeOf(frank, { ...envelope, protected: encode(off) })).toBe('didcomm_unsupported')
    },
  )

  it('are opened by another implementation of ECDH-ES (jose)', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('x25519')
    const text = JSON.stringify(plain())
    const envelope = await sealJwe(
      Buffer.from(text),
      [{ kid: 'did:example:eve#1', curve: 'X25519', publicKey }],
      undefined,
    )
    const { plaintext, protectedHeader } = await generalDecrypt(envelope, privateKey)
    expect(Buffer.from(plaintext).toString()).toBe(text)
    expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES+A256KW', enc: 'A256CBC-HS512', apv: expect.any(String) })
  })

  it('go within one another only as the specification has it', async () => {
    const signed = signedBy(aliceSigns, 'did:example:alice#signs', plain())
    expect(await bob.open(await sealed(signed, undefined, bob))).toMatchObject({
      sender: alice.did,
      signer: 'did:example:alice#signs',
    })
    expect(await bob.open(await sealed(signed, alice, bob))).toMatchObject({ sender: alice.did })
    const auth = await sealed(plain(), alice, bob)
    expect(await bob.open(await sealed(auth, undefined, bob))).toMatchObject({ sender: alice.did, signer: undefined })
    expect(await codeOf(bob, await sealed(auth, mallory, bob))).toBe('didcomm_malformed')
    const four = await sealed(await sealed(await sealed(auth, undefined, bob), undefined, bob), undefined, bob)
    expect(await codeOf(bob, four)).toBe('didcomm_malformed')
    expect(await codeOf(bob, signedBy(aliceSigns, 'did:example:alice#signs', auth))).toBe('didcomm_malformed')
  })

  it('refuses plaintext, alone and within nothing', async () => {
    expect(await codeOf(bob, plain())).toBe('didcomm_unprotected')
    expect(await codeOf(bob, 'text')).toBe('didcomm_unprotected')
    expect(await codeOf(bob, null)).toBe('didcomm_unprotected')
  })

  it('refuses what is encrypted to somebody else', async () => {
    expect(await codeOf(bob, await sealed(plain(), alice, mallory))).toBe('didcomm_undecryptable')
    // The name on the envelope is bob's, the key is not.
    const envelope = await sealJwe(Buffer.from(JSON.stringify(plain())), [{ ...mallory.key, kid: bob.kid }], {
      ...{ kid: alice.kid, agree: alice.key.agree },
    })
    expect(await codeOf(bob, envelope)).toBe('didcomm_undecryptable')
  })

  it('refuses a sender who names another’s key', async () => {
    const envelope = await sealJwe(Buffer.from(JSON.stringify(plain())), [{ ...bob.key, kid: bob.kid }], {
      ...{ kid: alice.kid, agree: mallory.key.agree },
    })
    expect(await codeOf(bob, envelope)).toBe('didcomm_undecryptable')
  })

  it('refuses a from that is not of the key that proved it', async () => {
    expect(await codeOf(bob, await sealed(plain(), mallory, bob))).toBe('didcomm_sender_unproven')
    expect(await codeOf(bob, await sealed(plain({ from: undefined }), mallory, bob))).toBe('didcomm_sender_unproven')
    const signed = signedBy(aliceSigns, 'did:example:alice#signs', plain())
    expect(await codeOf(bob, await sealed(signed, mallory, bob))).toBe('didcomm_sender_unproven')
  })

  it('believes no from of an anonymous message', async () => {
    expect((await bob.open(await sealed(plain(), undefined, bob))).sender).toBeUndefined()
  })

  it('refuses a skid where nothing proves it, and two keys of one sender', async () => {
    const anonymous = await sealed(plain(), undefined, bob)
    const named = { ...decode(anonymous.protected), skid: alice.kid }
    expect(await codeOf(bob, { ...anonymous, protected: encode(named) })).toBe('didcomm_sender_unproven')
    const auth = await sealed(plain(), alice, bob)
    const two = { ...decode(auth.protected), skid: mallory.kid }
    expect(await codeOf(bob, { ...auth, protected: encode(two) })).toBe('didcomm_sender_unproven')
  })

  it.each(['protected', 'iv', 'ciphertext', 'tag'] as const)(
    'refuses a changed %s, however it is sealed',
    async member => {
      const theirs = await alice.seal({ id: 'v', type: 'https://didcomm.org/empty/1.0/empty', to: bob.did }, 'veramo')
      for (const whole of [await sealed(plain(), alice, bob), await sealed(plain(), undefined, bob), theirs]) {
        const text = whole[member]
        const at = Math.floor(text.length / 2)
        const changed =
          member === 'protected'
            ? encode({ ...decode(text), x: 1 })
            : text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
        expect(await codeOf(bob, { ...whole, [member]: changed })).toBe('didcomm_undecryptable')
      }
    },
  )

  it.each<[string, (header: Json) => Json]>([
    ['didcomm_unsupported', header => ({ ...header, alg: 'dir' })],
    ['didcomm_unsupported', header => ({ ...header, alg: 'ECDH-1PU+XC20PKW' })],
    ['didcomm_unsupported', header => ({ ...header, enc: 'A128CBC-HS256' })],
    ['didcomm_unsupported', header => ({ ...header, zip: 'DEF' })],
    ['didcomm_unsupported', header => ({ ...header, crit: ['exp'] })],
    ['didcomm_unsupported', header => ({ ...header, epk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } })],
    ['didcomm_unsupported', header => ({ ...header, epk: { ...(header['epk'] as Json), d: 'AA' } })],
    ['didcomm_malformed', header => ({ ...header, typ: 'JWT' })],
    ['didcomm_malformed', header => ({ ...header, apv: encode('others') })],
    ['didcomm_malformed', header => ({ ...header, enc: 'A256GCM' })],
    ['didcomm_malformed', header => ({ ...header, skid: 'alice', apu: undefined })],
  ])('refuses a header as %s', async (code, change) => {
    const envelope = await sealed(plain(), alice, bob)
    expect(await codeOf(bob, { ...envelope, protected: encode(change(decode(envelope.protected))) })).toBe(code)
  })

  it('takes nothing of a header that nobody vouches for', async () => {
    const envelope = await sealed(plain(), alice, bob)
    const [recipient] = envelope.recipients
    const header = { ...recipient?.header, alg: 'ECDH-ES+A256KW' }
    const changed = [
      { ...envelope, unprotected: { alg: 'dir' } },
      { ...envelope, aad: 'AAAA' },
      { ...envelope, recipients: [] },
      { ...envelope, recipients: [{ ...recipient, header }] },
      { ...envelope, recipients: [recipient, recipient] },
      { ...envelope, recipients: [recipient, { ...recipient, header: { kid: mallory.kid } }] },
      {
        ...envelope,
        recipients: Array.from({ length: 11 }, (_, n) => ({ ...recipient, header: { kid: `${bob.did}#${n}` } })),
      },
    ]
    for (const each of changed) expect(await codeOf(bob, each)).toBe('didcomm_malformed')
  })

  it.each<[string, Json]>([
    ['didcomm_expired', { expires_time: seconds }],
    ['didcomm_expired', { created_time: seconds - 29 * 86_400 }],
    ['didcomm_untimely', { created_time: seconds + 301 }],
    ['didcomm_malformed', { created_time: 1.5 }],
    ['didcomm_malformed', { expires_time: 'tomorrow' }],
    ['didcomm_malformed', { id: '' }],
    ['didcomm_malformed', { id: 'x'.repeat(256) }],
    ['didcomm_malformed', { type: 'ping' }],
    ['didcomm_malformed', { typ: 'application/json' }],
    ['didcomm_malformed', { to: ['bob'] }],
    ['didcomm_malformed', { body: [] }],
    ['didcomm_malformed', { thid: 7 }],
    ['didcomm_malformed', { thid: 'a\u0000' }],
    ['didcomm_malformed', { pthid: 'a\nb' }],
    ['didcomm_malformed', { attachments: {} }],
  ])('refuses a message as %s: %j', async (code, more) => {
    expect(await codeOf(bob, await sealed(plain(more), alice, bob))).toBe(code)
  })

  it('reads JSON that an attachment holds in base64 as it reads messages, and takes anything else for a text', async () => {
    const deep = `{"a":${'['.repeat(40_000)}${']'.repeat(40_000)}}`
    const texts = ['{"a":1}', deep, '{"a":1,"a":2}', 'a.b.c']
    const attachments = texts.map(text => ({ data: { base64: Buffer.from(text).toString('base64url') } }))
    const { message } = await bob.open(await sealed(plain({ attachments }), alice, bob))
    expect(message.attachments.map(({ json }) => json)).toEqual([{ a: 1 }, ...texts.slice(1)])
  })

  it('refuses what is nested too deep, whoever wrote it in which form', async () => {
    let body: Json = {}
    for (let depth = 0; depth < 1_000; depth++) body = { body }
    const message = { id: 'v', type: 'https://didcomm.org/empty/1.0/empty', to: bob.did, body }
    const theirs = await alice.seal(message, 'veramo')
    for (const each of [
      theirs,
      await sealed(plain({ body }), alice, bob),
      await sealed(plain({ body }), undefined, bob),
    ]) {
      expect(await codeOf(bob, each)).toBe('credential_malformed')
    }
  })

  it('takes a message up to its last second', async () => {
    const more = { expires_time: seconds + 1, created_time: seconds + 299 }
    expect(await codeOf(bob, await sealed(plain(more), alice, bob))).toBeUndefined()
  })

  it('reads signatures in both forms, and refuses those that prove nothing', async () => {
    const kid = 'did:example:alice#signs'
    const general = signedBy(aliceSigns, kid, plain())
    const [one] = general['signatures'] as Json[]
    expect(await bob.open({ payload: general['payload'], ...one })).toMatchObject({ sender: alice.did, signer: kid })
    const { privateKey: stranger } = generateKeyPairSync('ed25519')
    expect(await codeOf(bob, signedBy(stranger, kid, plain()))).toBe('didcomm_sender_unproven')
    expect(await codeOf(bob, signedBy(aliceSigns, alice.kid, plain()))).toBe('key_purpose')
    expect(await codeOf(bob, signedBy(aliceSigns, 'did:example:alice#none', plain()))).toBe('key_unknown')
    expect(await codeOf(bob, signedBy(aliceSigns, kid, plain(), { alg: 'none' }))).toBe('didcomm_unsupported')
    expect(await codeOf(bob, signedBy(aliceSigns, kid, plain(), { alg: 'HS256' }))).toBe('didcomm_unsupported')
    expect(await codeOf(bob, signedBy(aliceSigns, kid, plain({ from: mallory.did })))).toBe('didcomm_sender_unproven')
    const two = { ...general, signatures: [one, one] }
    expect(await codeOf(bob, two)).toBe('didcomm_malformed')
  })

  it('takes no message that is addressed to others, whoever it is encrypted to', async () => {
    for (const from of [alice, undefined]) {
      expect(await codeOf(bob, await sealed(plain({ to: [mallory.did] }), from, bob))).toBe('didcomm_undecryptable')
      expect(await codeOf(bob, await sealed(plain({ to: [mallory.did, bob.did] }), from, bob))).toBeUndefined()
      expect(await codeOf(bob, await sealed(plain({ to: undefined }), from, bob))).toBeUndefined()
    }
  })

  it('takes no signed message that was made for others', async () => {
    const signed = signedBy(aliceSigns, 'did:example:alice#signs', plain({ to: [mallory.did] }))
    expect(await codeOf(bob, signed)).toBe('didcomm_undecryptable')
    expect(await codeOf(bob, await sealed(signed, undefined, bob))).toBe('didcomm_undecryptable')
    const forNobody = signedBy(aliceSigns, 'did:example:alice#signs', plain({ to: undefined }))
    expect(await codeOf(bob, forNobody)).toBe('didcomm_undecryptable')
  })

  it('refuses a sender whose DID has no such key, or does not resolve', async () => {
    const envelope = await sealed(plain(), alice, bob)
    const naming = (skid: string) => ({
      ...envelope,
      protected: encode({ ...decode(envelope.protected), skid, apu: Buffer.from(skid).toString('base64url') }),
    })
    expect(await codeOf(bob, naming('did:example:alice#signs'))).toBe('key_unknown')
    expect(await codeOf(bob, naming('did:example:nobody#key'))).toBe('did_unresolvable')
  })

  it('never takes what a stranger wrote for anything but a refusal', async () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
    const envelope = fc.dictionary(
      fc.constantFrom('protected', 'iv', 'ciphertext', 'tag', 'recipients', 'payload', 'signatures', 'signature'),
      fc.oneof(
        leaf,
        fc.array(leaf),
        fc.array(fc.dictionary(fc.constantFrom('header', 'encrypted_key', 'protected'), leaf)),
      ),
    )
    await fc.assert(
      fc.asyncProperty(envelope, async each => {
        expect(await codeOf(bob, each)).toMatch(/^(didcomm_|credential_malformed)/)
      }),
      { numRuns: 200 },
    )
  })
})

describe('ways to reach a DID', () => {
  it('wraps for each mediator in turn, the last of them outermost for none to see the others (Routing 2.0)', async () => {
    const outer = await add('did:example:outer')
    const inner = await add('did:example:inner')
    const eve = await add('did:example:eve', { endpoint: [{ uri: 'did:example:outer', routingKeys: [inner.kid] }] })
    const { endpoint, envelope } = await alice.route(eve.did, await sealed(plain({ to: [eve.did] }), alice, eve))
    expect(endpoint).toBe('https://outer.example/didcomm')
    const first = await outer.open(envelope)
    expect(first).toMatchObject({ sender: undefined, message: { body: { next: inner.did } } })
    const second = await inner.open(first.message.attachments[0]?.json)
    expect(second).toMatchObject({ sender: undefined, message: { body: { next: eve.did } } })
    expect(await eve.open(second.message.attachments[0]?.json)).toMatchObject({ sender: alice.did })
  })

  it('follows no mediator to another, and finds nothing where nothing is', async () => {
    await add('did:example:loop-a', { endpoint: { uri: 'did:example:loop-b' } })
    await add('did:example:loop-b', { endpoint: { uri: 'did:example:loop-a' } })
    const lost = await add('did:example:lost', { endpoint: null })
    const odd = await add('did:example:odd', { endpoint: { uri: 'mailto:odd@example.org' } })
    const old = await add('did:example:old', { endpoint: { uri: 'https://old.example', accept: ['didcomm/aip1'] } })
    for (const did of ['did:example:loop-a', lost.did, odd.did, old.did]) {
      await expect(alice.route(did, await sealed(plain(), alice, bob))).rejects.toMatchObject({
        code: 'didcomm_unreachable',
      })
    }
  })

  it('encrypts to no more than ten keys of a DID, in either form: each takes its time', async () => {
    const did = 'did:example:many'
    const keyAgreement = Array.from({ length: 40 }, (_, at) => ({
      ...{ id: `${did}#${at}`, type: 'JsonWebKey2020', controller: did },
      publicKeyJwk: generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }),
    }))
    book.set(did, { id: did, keyAgreement } as unknown as DIDDocument)
    const message = { id: 'm', type: 'https://didcomm.org/empty/1.0/empty', to: did }
    for (const dialect of ['v2', 'veramo'] as const) {
      expect((await alice.seal(message, dialect)).recipients).toHaveLength(10)
    }
  })

  it('writes to no DID without a key of X25519', async () => {
    book.set('did:example:mute', { id: 'did:example:mute' })
    const message = { id: 'm', type: 'https://didcomm.org/empty/1.0/empty', to: 'did:example:mute' }
    await expect(alice.seal(message, 'v2')).rejects.toMatchObject({ code: 'didcomm_unreachable' })
  })
})

describe('did:peer:2', () => {
  const signing = 'z6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc'
  const agreement = 'z6LSg8zQom395jKLrGiBNruB9MM6V8PWuf2FpEy4uRFiqQBR'
  // Peer DID Method, Generating a did:peer:2, example.
  const example = `did:peer:2.V${signing}.E${agreement}.SeyJ0IjoiZG0iLCJzIjp7InVyaSI6Imh0dHA6Ly9leGFtcGxlLmNvbS9kaWRjb21tIiwiYSI6WyJkaWRjb21tL3YyIl0sInIiOlsiZGlkOmV4YW1wbGU6MTIzNDU2Nzg5YWJjZGVmZ2hpI2tleS0xIl19fQ`

  it('says its keys and services itself', () => {
    expect(peerDocument(example)).toMatchObject({
      authentication: [`${example}#key-1`],
      keyAgreement: [`${example}#key-2`],
      service: [
        {
          ...{ id: `${example}#service`, type: 'DIDCommMessaging' },
          serviceEndpoint: {
            ...{ uri: 'http://example.com/didcomm', accept: ['didcomm/v2'] },
            routingKeys: ['did:example:123456789abcdefghi#key-1'],
          },
        },
      ],
    })
  })

  it.each([
    'did:peer:2',
    'did:peer:0z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH',
    `did:peer:2.X${signing}`,
    `did:peer:2.E${agreement.slice(0, -2)}`,
    `did:peer:2.E${agreement}.Se30`,
    `did:peer:2.E${agreement}.Sbm90IGpzb24`,
    `did:peer:2${`.E${agreement}`.repeat(17)}`,
    `did:peer:2.E${agreement}#key-1`,
  ])('is no document for %s', did => {
    expect(peerDocument(did)).toBeUndefined()
  })
})
