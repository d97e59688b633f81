import type { JsonWebKey } from 'node:crypto'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createJWT, verifyJWT } from 'did-jwt'
import { type DIDDocument, Resolver } from 'did-resolver'
import { getResolver } from 'ethr-did-resolver'
import {
  addressOfKey,
  alsoKnownAsAttribute,
  type DidEvent,
  ethrDid,
  keyAttribute,
} from '../../src/identity/did-ethr.ts'
import { type Dids, openDids } from '../../src/identity/dids.ts'
import { publicKeyFromJwk, rawPublicKey } from '../../src/identity/key-material.ts'
import { type Keys, openKeys } from '../../src/identity/keys.ts'
import { type ChainNode, startChainNode } from './chain-node.ts'
import { scratch } from './scratch.ts'

const year = 365 * 86_400
const text32 = (text: string) => `0x${Buffer.from(text).toString('hex').padEnd(64, '0')}`

/** What we add to the stock document, taken away again; a JWK as the hexadecimal Multikey that stands in the registry. */
const asStock = (document: DIDDocument | null) => {
  const { alsoKnownAs: _, ...rest } = document as DIDDocument
  const methods = rest.verificationMethod?.map(({ publicKeyJwk, ...method }) => {
    if (method.type !== 'JsonWebKey2020') return method
    const publicKeyHex = rawPublicKey(publicKeyFromJwk(publicKeyJwk as JsonWebKey)).toString('hex')
    return { ...method, type: 'Multikey', publicKeyHex }
  })
  return { ...rest, verificationMethod: methods }
}

describe('resolving a did:ethr from the replica', () => {
  const files = scratch()
  let node: ChainNode
  let keys: Keys
  let stock: Resolver
  let dids: Dids
  let identities: string[]
  const replica = new Map<string, DidEvent[]>()
  const didOf = (index: number) => ethrDid(node.chainId, identities[index] as string)
  const follow = async (index: number) => {
    const address = (identities[index] as string).toLowerCase()
    replica.set(address, await node.events(address))
    dids.changed(address)
  }
  const setKey = async (index: number, alias: string, kind: 'P-256' | 'Ed25519' | 'secp256k1') => {
    const key = await keys.obtain({ kind, alias })
    const { name, value } = keyAttribute(key)
    await node.send(index, 'setAttribute', identities[index], name, value, 10 * year)
    return key
  }

  beforeAll(async () => {
    node = await startChainNode()
    keys = await openKeys({ agency: 'test', directory: files.path('keys'), masterKey: files.masterKey(), clock: Date })
    identities = await Promise.all([0, 1, 2, 3, 4, 5].map(async index => (await node.account(index)).getAddress()))
    const events = (address: string) => replica.get(address) ?? []
    dids = openDids({ chainId: node.chainId, replica: { events }, clock: Date })
    const name = `0x${node.chainId.toString(16)}`
    const provider = node.provider as never
    stock = new Resolver(getResolver({ networks: [{ name, chainId: name, registry: node.registryAddress, provider }] }))
  })
  afterAll(async () => {
    await keys.close()
    await node.close()
  })

  const agrees = async (index: number) => {
    await follow(index)
    const second = () => Math.floor(Date.now() / 1000)
    for (;;) {
      const before = second()
      const [ours, theirs] = await Promise.all([dids.resolve(didOf(index)), stock.resolve(didOf(index))])
      // Both look at the clock; only what they said in the same second can be compared.
      if (second() !== before) continue
      expect(asStock(ours.didDocument)).toEqual(theirs.didDocument)
      expect(ours.didDocumentMetadata).toEqual(theirs.didDocumentMetadata)
      return ours
    }
  }

  it('gives the document of the stock resolver for an address that never wrote anything', async () => {
    const ours = await agrees(5)
    expect(ours.didDocument?.verificationMethod).toHaveLength(1)
  })

  it('gives the same document after keys, delegates, services, revocations and a key set twice', async () => {
    const p256 = await setKey(0, 'p256', 'P-256')
    await setKey(0, 'ed', 'Ed25519')
    await setKey(0, 'k1', 'secp256k1')
    await node.send(0, 'addDelegate', identities[0], text32('veriKey'), identities[3], year)
    await node.send(0, 'addDelegate', identities[0], text32('sigAuth'), identities[4], year)
    await node.send(0, 'addDelegate', identities[0], text32('other'), identities[4], year)
    await node.send(0, 'revokeDelegate', identities[0], text32('veriKey'), identities[3])
    await node.send(0, 'setAttribute', identities[0], text32('did/svc/Hub'), '0x68747470733a2f2f61', year)
    const link = alsoKnownAsAttribute('did:web:agency.example')
    await node.send(0, 'setAttribute', identities[0], link.name, link.value, year)
    await node.send(0, 'setAttribute', identities[0], text32('did/pub/X25519/enc/base64'), `0x${'11'.repeat(32)}`, year)
    await node.send(0, 'setAttribute', identities[0], text32('did/pub/RSA/veriKey/pem'), '0x2d2d2d', year)
    await node.send(0, 'setAttribute', identities[0], text32('something else'), '0x00', year)
    await setKey(0, 'late', 'P-256')
    const { name, value } = keyAttribute(p256)
    await node.send(0, 'revokeAttribute', identities[0], name, value)
    await setKey(0, 'ed', 'Ed25519')
    await node.send(0, 'revokeAttribute', identities[0], text32('did/svc/Hub'), '0x68747470733a2f2f61')
    await node.provider.send('evm_increaseTime', [2])
    await node.send(1, 'setAttribute', identities[1], text32('did/svc/Tick'), '0x61', year)
    const ours = await agrees(0)
    expect(ours.didDocument?.alsoKnownAs).toEqual(['did:web:agency.example'])
    expect(ours.didDocument?.verificationMethod?.map(method => method.id.split('#')[1])).toContain('delegate-10')
  })

  it('gives the same document for every version by block number', async () => {
    await follow(0)
    for (const block of (replica.get((identities[0] as string).toLowerCase()) ?? []).map(event => event.block)) {
      const url = `${didOf(0)}?versionId=${block}`
      const [ours, theirs] = await Promise.all([dids.resolve(url), stock.resolve(url)])
      expect(asStock(ours.didDocument)).toEqual(theirs.didDocument)
      expect(ours.didDocumentMetadata).toEqual(theirs.didDocumentMetadata)
    }
  })

  it('follows a change of owner, and a deactivation for good', async () => {
    await setKey(1, 'second', 'P-256')
    await node.send(1, 'changeOwner', identities[1], identities[2])
    const changed = await agrees(1)
    expect(changed.didDocument?.verificationMethod?.[0]?.['blockchainAccountId']).toContain(identities[2])
    await node.send(2, 'changeOwner', identities[1], `0x${'0'.repeat(40)}`)
    const gone = await agrees(1)
    expect(gone.didDocumentMetadata.deactivated).toBe(true)
    expect(() => dids.key(`${didOf(1)}#delegate-1`, 'assertionMethod')).toThrow(
      expect.objectContaining({ code: 'key_expired' }),
    )
  })

  it('verifies with did-jwt and the stock resolver what our signer signed', async () => {
    const key = await setKey(2, 'jwt', 'P-256')
    await setKey(2, 'jwt-ed', 'Ed25519')
    await follow(2)
    for (const [keyId, alg] of [
      [key.keyId, 'ES256'],
      ['jwt-ed.1', 'EdDSA'],
    ] as const) {
      const signer = async (data: string | Uint8Array) =>
        Buffer.from(await keys.signer.sign(keyId, alg, Buffer.from(data as string))).toString('base64url')
      const jwt = await createJWT({ sub: 'x' }, { issuer: didOf(2), signer }, { alg })
      for (const resolver of [stock, { resolve: (did: string, options?: object) => dids.resolve(did, options) }]) {
        const verified = await verifyJWT(jwt, { resolver, proofPurpose: 'assertionMethod' })
        expect(verified.verified).toBe(true)
      }
      const forged = jwt.replace(/\.[^.]+\./, `.${Buffer.from('{"iss":"x"}').toString('base64url')}.`)
      await expect(verifyJWT(forged, { resolver: stock })).rejects.toThrow()
    }
  })

  it('keeps a revoked key for the time before, and refuses it from the revocation on', async () => {
    const key = await setKey(3, 'short', 'P-256')
    const { name, value } = keyAttribute(key)
    await node.provider.send('evm_increaseTime', [600])
    await node.send(3, 'revokeAttribute', identities[3], name, value)
    await follow(3)
    const [set, revoked] = replica.get((identities[3] as string).toLowerCase()) as [DidEvent, DidEvent]
    const kid = `${didOf(3)}#delegate-1`
    const now = revoked.timestamp + 1
    const later = openDids({
      chainId: node.chainId,
      replica: { events: address => replica.get(address) ?? [] },
      clock: { now: () => now },
    })
    const then = later.key(kid, 'assertionMethod', set.timestamp + 1000)
    expect(then).toMatchObject({ kid, thumbprint: key.thumbprint, validFrom: set.timestamp })
    const expired = expect.objectContaining({ code: 'key_expired' })
    expect(() => later.key(kid, 'assertionMethod')).toThrow(expired)
    expect(() => later.key(kid, 'assertionMethod', revoked.timestamp)).toThrow(expired)
    expect(() => later.key(kid, 'assertionMethod', set.timestamp - 120_000)).toThrow(
      expect.objectContaining({ code: 'key_unknown' }),
    )
    // A clock that is behind the chain does not bring a revoked key back.
    expect(() => dids.key(kid, 'assertionMethod')).toThrow(expired)
    const past = await later.resolve(didOf(3), { versionTime: new Date(set.timestamp + 1000).toISOString() })
    expect(past.didDocument?.verificationMethod?.map(method => method.id)).toContain(kid)
    expect(past.didDocumentMetadata.nextVersionId).toBe(String(revoked.block))
    const present = await later.resolve(didOf(3))
    expect(present.didDocument?.verificationMethod?.map(method => method.id)).not.toContain(kid)
  })

  it('agrees about keys that come, go, return and run out in any order', async () => {
    let seed = 7
    const next = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % below
    }
    const names = [
      'did/pub/Multikey/sigAuth/hex',
      'did/pub/Ed25519/veriKey/hex',
      'did/svc/Hub',
      'did/pub/Odd/enc/base58',
    ]
    for (let step = 0; step < 50; step += 1) {
      const name = text32(names[next(names.length)] as string)
      const value = `0x${`0${1 + next(3)}`.repeat(33)}`
      const delegate = [text32(next(2) === 0 ? 'veriKey' : 'sigAuth'), identities[next(3)]]
      const validity = next(2) === 0 ? 2 : year
      const acts = [
        () => node.send(5, 'revokeAttribute', identities[5], name, value),
        () => node.send(5, 'addDelegate', identities[5], ...delegate, validity),
        () => node.send(5, 'revokeDelegate', identities[5], ...delegate),
        () => node.send(5, 'setAttribute', identities[5], name, value, validity),
        () => node.send(5, 'setAttribute', identities[5], name, value, validity),
      ]
      await acts[next(acts.length)]?.()
    }
    await agrees(5)
    const events = await node.events(identities[5] as string)
    for (const { block } of events.filter((_, index) => index % 5 === 0)) {
      const url = `${didOf(5)}?versionId=${block}`
      const [ours, theirs] = await Promise.all([dids.resolve(url), stock.resolve(url)])
      expect(asStock(ours.didDocument)).toEqual(theirs.didDocument)
    }
  })

  it('resolves a did:ethr in public key form as the stock resolver does', async () => {
    const key = await keys.obtain({ kind: 'secp256k1', alias: 'controller' })
    const did = `did:ethr:0x7a69:0x${key.publicKeyHex}`
    const [ours, theirs] = await Promise.all([dids.resolve(did), stock.resolve(did)])
    expect(asStock(ours.didDocument)).toEqual(theirs.didDocument)
    expect(dids.subjectOf(did)).toBe(ethrDid(node.chainId, addressOfKey(key.publicKeyHex)))
    expect(dids.key(`${did}#controllerKey`, 'authentication')).toMatchObject({ thumbprint: key.thumbprint })
  })

  it('sees a new key as soon as the follower says that something changed, whatever the spelling of the address', async () => {
    const mixed = `did:ethr:0x7A69:${identities[4]}`
    expect(() => dids.key(`${mixed}#delegate-1`, 'assertionMethod')).toThrow(
      expect.objectContaining({ code: 'key_unknown' }),
    )
    const key = await setKey(4, 'fresh', 'P-256')
    await follow(4)
    expect(dids.key(`${mixed}#delegate-1`, 'authentication')).toMatchObject({ did: didOf(4), jwk: key.jwk })
    const digest = createHash('sha256').update('x').digest()
    await expect(keys.signDigest(key.keyId, digest)).rejects.toMatchObject({ code: 'algorithm_mismatch' })
  })
})
