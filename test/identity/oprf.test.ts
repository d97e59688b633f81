import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { p256_oprf } from '@noble/curves/nist.js'
import { Resolver } from 'did-resolver'
import { getResolver } from 'ethr-did-resolver'
import fc from 'fast-check'
import { resealKeys } from '../../src/identity/backup.ts'
import { type DidEvent, ethrDid, keyAttribute } from '../../src/identity/did-ethr.ts'
import { openDids } from '../../src/identity/dids.ts'
import { openKeys } from '../../src/identity/keys.ts'
import {
  blindInput,
  domainInfo,
  evaluateBlinded,
  finalizeEvaluated,
  openOprfKey,
  oprfAttribute,
  oprfKeyFrom,
  oprfKeyId,
  publishedOprfKey,
} from '../../src/identity/oprf.ts'
import { openEvaluator } from '../../src/identity/oprf-evaluator.ts'
import { openPseudonyms, type PseudonymNeeds } from '../../src/identity/pseudonyms.ts'
import { isRefusal, Refusal } from '../../src/kernel/refusal.ts'
import { type ChainNode, startChainNode } from './chain-node.ts'
import { scratch } from './scratch.ts'

const files = scratch()

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex')
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** RFC 9497 appendix A.3.3: P256-SHA256 in mode POPRF. */
const rfc = {
  seed: 'a3'.repeat(32),
  keyInfo: '74657374206b6579',
  secretKey: '6ad2173efa689ef2c27772566ad7ff6e2d59b3b196f00219451fb2c89ee4dae2',
  publicKey: '030d7ff077fddeec965db14b794f0cc1ba9019b04a2f4fcc1fa525dedf72e2a3e3',
  info: '7465737420696e666f',
}
const blinds = [
  '3338fa65ec36e0290022b48eb562889d89dbfa691d1cde91517fa222ed7ad364',
  'f9db001266677f62c095021db018cd8cbb55941d4073698ce45c405d1348b7b1',
]
const vectors = [
  {
    name: 'test vector 1, batch size 1',
    inputs: ['00'],
    blinded: ['031563e127099a8f61ed51eeede05d747a8da2be329b40ba1f0db0b2bd9dd4e2c0'],
    evaluated: ['02c5e5300c2d9e6ba7f3f4ad60500ad93a0157e6288eb04b67e125db024a2c74d2'],
    proof:
      'f8a33690b87736c854eadfcaab58a59b8d9c03b569110b6f31f8bf7577f3fbb8' +
      '5a8a0c38468ccde1ba942be501654adb106167c8eb178703ccb42bccffb9231a',
    proofRandom: 'f9db001266677f62c095021db018cd8cbb55941d4073698ce45c405d1348b7b1',
    outputs: ['193a92520bd8fd1f37accb918040a57108daa110dc4f659abe212636d245c592'],
  },
  {
    name: 'test vector 2, batch size 1',
    inputs: ['5a'.repeat(17)],
    blinded: ['021a440ace8ca667f261c10ac7686adc66a12be31e3520fca317643a1eee9dcd4d'],
    evaluated: ['0208ca109cbae44f4774fc0bdd2783efdcb868cb4523d52196f700210e777c5de3'],
    proof:
      '043a8fb7fc7fd31e35770cabda4753c5bf0ecc1e88c68d7d35a62bf2631e875a' +
      'f4613641be2d1875c31d1319d191c4bbc0d04875f4fd03c31d3d17dd8e069b69',
    proofRandom: 'f9db001266677f62c095021db018cd8cbb55941d4073698ce45c405d1348b7b1',
    outputs: ['1e6d164cfd835d88a31401623549bf6b9b306628ef03a7962921d62bc5ffce8c'],
  },
  {
    name: 'test vector 3, batch size 2',
    inputs: ['00', '5a'.repeat(17)],
    blinded: [
      '031563e127099a8f61ed51eeede05d747a8da2be329b40ba1f0db0b2bd9dd4e2c0',
      '03ca4ff41c12fadd7a0bc92cf856732b21df652e01a3abdf0fa8847da053db213c',
    ],
    evaluated: [
      '02c5e5300c2d9e6ba7f3f4ad60500ad93a0157e6288eb04b67e125db024a2c74d2',
      '02f0b6bcd467343a8d8555a99dc2eed0215c71898c5edb77a3d97ddd0dbad478e8',
    ],
    proof:
      '8fbd85a32c13aba79db4b42e762c00687d6dbf9c8cb97b2a225645ccb00d9d75' +
      '80b383c885cdfd07df448d55e06f50f6173405eee5506c0ed0851ff718d13e68',
    proofRandom: '350e8040f828bf6ceca27405420cdf3d63cb3aef005f40ba51943c8026877963',
    outputs: [
      '193a92520bd8fd1f37accb918040a57108daa110dc4f659abe212636d245c592',
      '1e6d164cfd835d88a31401623549bf6b9b306628ef03a7962921d62bc5ffce8c',
    ],
  },
]

/** Random bytes out of which RandomScalar makes exactly this scalar: it takes them modulo n − 1 and adds one. */
const scalarOf = (scalar: string) => (count?: number) =>
  hex((BigInt(`0x${scalar}`) - 1n).toString(16).padStart(2 * (count ?? 48), '0'))

describe('the oblivious function, by the test vectors of RFC 9497 (A.3.3)', () => {
  it('derives the key pair', () => {
    const { secretKey, publicKey } = p256_oprf.poprf(hex(rfc.info)).deriveKeyPair(hex(rfc.seed), hex(rfc.keyInfo))
    expect([toHex(secretKey), toHex(publicKey)]).toEqual([rfc.secretKey, rfc.publicKey])
  })

  it.each(vectors)('blinds, evaluates, proves and finalizes: $name', vector => {
    const info = hex(rfc.info)
    const to = { publicKey: hex(rfc.publicKey), info }
    const blinded = vector.inputs.map((input, at) => blindInput(hex(input), to, scalarOf(blinds[at] as string)))
    expect(blinded.map(({ element }) => toHex(element))).toEqual(vector.blinded)
    const by = { secretKey: hex(rfc.secretKey), info }
    const elements = blinded.map(({ element }) => element)
    const evaluated = evaluateBlinded(elements, by, scalarOf(vector.proofRandom))
    expect(evaluated.elements.map(toHex)).toEqual(vector.evaluated)
    expect(toHex(evaluated.proof)).toBe(vector.proof)
    expect(finalizeEvaluated(blinded, evaluated, info).map(toHex)).toEqual(vector.outputs)
  })
})

/** One authority, reached without a network; what it is sent is kept. */
const openAuthority = (key = oprfKeyFrom(randomBytes(32))) => {
  const received: string[] = []
  const tamper = { status: 200, change: (answer: Record<string, unknown>): unknown => answer }
  const state = { publicKey: key.publicKey }
  const post = async (_path: string, body: unknown) => {
    received.push(JSON.stringify(body))
    const { domain, blinded } = body as { domain: string; blinded: string[] }
    const elements = blinded.map(each => Buffer.from(each, 'base64url'))
    const { elements: made, proof } = evaluateBlinded(elements, { ...key, info: domainInfo(domain) })
    const answer = {
      keyId: key.keyId,
      evaluated: made.map(each => Buffer.from(each).toString('base64url')),
      proof: Buffer.from(proof).toString('base64url'),
    }
    return { status: tamper.status, body: Buffer.from(JSON.stringify(tamper.change(answer))) }
  }
  const needs: PseudonymNeeds = { authority: async () => ({ publicKey: state.publicKey, post }) }
  return { key, needs, post, received, tamper, state }
}

const refusalOf = async (work: Promise<unknown>): Promise<{ kind: string; code: string; facts: unknown }> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isRefusal(error)) throw error ?? new Error('it went through')
  return { kind: error.kind, code: error.code, facts: error.facts }
}
const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code

const nationalId = '900417-2381'

describe('pseudonyms', () => {
  it('are the same whichever institution asks, and 43 characters of base64url', async () => {
    const { needs } = openAuthority()
    const [one, other] = [openPseudonyms(needs), openPseudonyms(needs)]
    const pseudonym = await one.of(nationalId, 'cbdc:xnd')
    expect(pseudonym).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(await other.of(nationalId, 'cbdc:xnd')).toBe(pseudonym)
  })

  it('do not link two domains, two people or two authorities', async () => {
    const { needs } = openAuthority()
    const pseudonyms = openPseudonyms(needs)
    const all = [
      await pseudonyms.of(nationalId, 'cbdc:xnd'),
      await pseudonyms.of(nationalId, 'cbdc:xne'),
      await pseudonyms.of('900417-2382', 'cbdc:xnd'),
      await openPseudonyms(openAuthority().needs).of(nationalId, 'cbdc:xnd'),
    ]
    expect(new Set(all).size).toBe(4)
  })

  it('come in the order of the people, over several batches', async () => {
    const { needs, received } = openAuthority()
    const pseudonyms = openPseudonyms(needs)
    const ids = Array.from({ length: 10 }, (_, at) => `${at}`)
    const many = await pseudonyms.ofMany(ids, 'register:land')
    expect(received).toHaveLength(2)
    expect(many[9]).toBe(await pseudonyms.of('9', 'register:land'))
    expect(new Set(many).size).toBe(10)
    expect(await pseudonyms.ofMany([], 'register:land')).toEqual([])
  })

  it('are hidden from the authority: what reaches it is new each time and never the id or the result', async () => {
    const { needs, received } = openAuthority()
    const pseudonyms = openPseudonyms(needs)
    const results = [await pseudonyms.of(nationalId, 'cbdc:xnd'), await pseudonyms.of(nationalId, 'cbdc:xnd')]
    expect(new Set(received).size).toBe(2)
    const id = Buffer.from(nationalId)
    for (const secret of [nationalId, id.toString('hex'), id.toString('base64url'), results[0] as string]) {
      expect(received.join('\n')).not.toContain(secret)
    }
  })

  it.each([
    [
      'another element',
      (a: Record<string, unknown>) => ({
        ...a,
        evaluated: [Buffer.from(oprfKeyFrom(randomBytes(32)).publicKey).toString('base64url')],
      }),
    ],
    ['another proof', (a: Record<string, unknown>) => ({ ...a, proof: randomBytes(64).toString('base64url') })],
    ['fewer elements', (a: Record<string, unknown>) => ({ ...a, evaluated: [] })],
    [
      'what is no point',
      (a: Record<string, unknown>) => ({ ...a, evaluated: [Buffer.alloc(33, 7).toString('base64url')] }),
    ],
  ])('are refused when the evaluation has %s', async (_, change) => {
    const { needs, tamper } = openAuthority()
    tamper.change = change
    expect(await codeOf(openPseudonyms(needs).of(nationalId, 'cbdc:xnd'))).toBe('pseudonym_proof_invalid')
  })

  it('are refused when the evaluation is another domain’s', async () => {
    const { post, key } = openAuthority()
    const authority = async () => ({
      publicKey: key.publicKey,
      post: (path: string, body: unknown) => post(path, { ...(body as object), domain: 'cbdc:xne' }),
    })
    expect(key.keyId).toBe(oprfKeyId(key.publicKey))
    expect(await codeOf(openPseudonyms({ authority }).of(nationalId, 'cbdc:xnd'))).toBe('pseudonym_proof_invalid')
  })

  it('are refused under a key that the chain does not name, even one that claims its name', async () => {
    const wrong = openAuthority()
    const right = oprfKeyFrom(randomBytes(32))
    wrong.state.publicKey = right.publicKey
    expect(await codeOf(openPseudonyms(wrong.needs).of(nationalId, 'cbdc:xnd'))).toBe('pseudonym_key_differs')
    wrong.tamper.change = answer => ({ ...answer, keyId: right.keyId })
    expect(await codeOf(openPseudonyms(wrong.needs).of(nationalId, 'cbdc:xnd'))).toBe('pseudonym_proof_invalid')
  })

  it.each([[{}], [null], [{ keyId: 1, evaluated: [], proof: '' }], [{ keyId: 'x', evaluated: ['AA'], proof: 'AA' }]])(
    'are unavailable when the answer is %j',
    async body => {
      const { needs, tamper } = openAuthority()
      tamper.change = () => body
      expect(await codeOf(openPseudonyms(needs).of(nationalId, 'cbdc:xnd'))).toBe('pseudonyms_unavailable')
    },
  )

  it.each([
    [500, {}, { kind: 'unavailable', code: 'pseudonyms_unavailable', facts: {} }],
    [302, {}, { kind: 'unavailable', code: 'pseudonyms_unavailable', facts: {} }],
    [429, { retryAfterSeconds: 7 }, { kind: 'too_many', code: 'rate_exceeded', facts: { retryAfterSeconds: 7 } }],
    [
      403,
      { code: 'agency_unaccredited' },
      { kind: 'forbidden', code: 'pseudonyms_refused', facts: { reason: 'agency_unaccredited' } },
    ],
    [401, { code: 'Not A Code' }, { kind: 'forbidden', code: 'pseudonyms_refused', facts: { reason: 'unknown' } }],
  ])('say what the authority’s answer %i means', async (status, body, expected) => {
    const { needs, tamper } = openAuthority()
    Object.assign(tamper, { status, change: () => body })
    expect(await refusalOf(openPseudonyms(needs).of(nationalId, 'cbdc:xnd'))).toEqual(expected)
  })

  it('are unavailable when the authority cannot be reached', async () => {
    const { state } = openAuthority()
    const post = async () => {
      throw new Refusal('unavailable', 'fetch_failed', 'The host cannot be reached.')
    }
    const authority = async () => ({ ...state, post })
    expect(await codeOf(openPseudonyms({ authority }).of(nationalId, 'cbdc:xnd'))).toBe('pseudonyms_unavailable')
  })

  it('are asked for in well-formed domains and of well-formed ids only, before anything is sent', async () => {
    const { needs, received } = openAuthority()
    const pseudonyms = openPseudonyms(needs)
    for (const domain of ['', 'Cbdc', 'a/b', 'x'.repeat(129), ':a']) {
      expect(await codeOf(pseudonyms.of(nationalId, domain))).toBe('pseudonym_domain_malformed')
    }
    for (const id of ['', ' 1', 'é', '1'.repeat(65), '1\n']) {
      expect(await codeOf(pseudonyms.ofMany(['1', id], 'cbdc:xnd'))).toBe('national_id_malformed')
    }
    expect(received).toEqual([])
  })

  it('are a function of id and domain, whatever was blinded by', async () => {
    const { needs, key } = openAuthority()
    const pseudonyms = openPseudonyms(needs)
    const ids = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9 ./-]{0,20}$/)
    const domains = fc.stringMatching(/^[a-z0-9][a-z0-9:._-]{0,20}$/)
    await fc.assert(
      fc.asyncProperty(ids, domains, async (id, domain) => {
        // Evaluate (RFC 9497 section 3.3.3), which only who has id and key can do.
        const expected = p256_oprf.poprf(domainInfo(domain)).evaluate(key.secretKey, Buffer.from(id))
        expect(await pseudonyms.of(id, domain)).toBe(Buffer.from(expected).toString('base64url'))
      }),
      { numRuns: 15 },
    )
  })
})

describe('the evaluating thread', () => {
  it('evaluates as the function does, many batches at once', async () => {
    const key = oprfKeyFrom(randomBytes(32))
    const evaluator = openEvaluator(key)
    const info = domainInfo('cbdc:xnd')
    const blinded = ['1', '2', '3'].map(id => blindInput(Buffer.from(id), { publicKey: key.publicKey, info }))
    const each = await Promise.all(blinded.map(one => evaluator.evaluate([one.element], info)))
    const outputs = each.flatMap((evaluated, at) => finalizeEvaluated(blinded.slice(at, at + 1), evaluated, info))
    const together = await evaluator.evaluate(
      blinded.map(({ element }) => element),
      info,
    )
    expect(finalizeEvaluated(blinded, together, info).map(toHex)).toEqual(outputs.map(toHex))
  })

  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['a point that is not on the curve', Buffer.concat([Buffer.of(2), Buffer.alloc(32, 0xff)])],
    ['the point at infinity', Buffer.alloc(1)],
  ])('refuses %s, and goes on', async (_, element) => {
    const key = oprfKeyFrom(randomBytes(32))
    const evaluator = openEvaluator(key)
    const info = domainInfo('cbdc:xnd')
    expect(await codeOf(evaluator.evaluate([element], info))).toBe('blinded_element_invalid')
    const good = blindInput(Buffer.from('1'), { publicKey: key.publicKey, info })
    expect((await evaluator.evaluate([good.element], info)).elements).toHaveLength(1)
  })

  it('refuses more than it can hold instead of growing', async () => {
    const key = oprfKeyFrom(randomBytes(32))
    const evaluator = openEvaluator(key)
    const asked = Array.from({ length: 70 }, () => evaluator.evaluate([key.publicKey], domainInfo('x')))
    const answers = await Promise.allSettled(asked)
    const refused = answers.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
    expect(refused.map(({ reason }) => reason.code)).toEqual(Array(6).fill('pseudonyms_unavailable'))
  })
})

describe('the DID document of the authority', () => {
  let node: ChainNode
  beforeAll(async () => {
    node = await startChainNode()
  })
  afterAll(() => node.close())

  it('is the same for the stock resolver and for ours with the key’s attribute and without, and numbers no key anew', async () => {
    const address = (await (await node.account(0)).getAddress()).toLowerCase()
    const did = ethrDid(node.chainId, address)
    const name = `0x${node.chainId.toString(16)}`
    const provider = node.provider as never
    const stock = new Resolver(
      getResolver({ networks: [{ name, chainId: name, registry: node.registryAddress, provider }] }),
    )
    const key = oprfKeyFrom(randomBytes(32))
    const signing = (hex: string) => keyAttribute({ kind: 'P-256', publicKeyHex: hex })
    const set = ({ name: of, value }: { name: string; value: string }) =>
      node.send(0, 'setAttribute', address, of, value, 365 * 86_400)
    const seen = async () => {
      const events = await node.events(address)
      const dids = openDids({ chainId: node.chainId, replica: { events: () => events }, clock: Date })
      const [ours, theirs] = [await dids.resolve(did), await stock.resolve(did)]
      const idsOf = (document: typeof ours.didDocument) => document?.verificationMethod?.map(({ id }) => id)
      expect(idsOf(ours.didDocument)).toEqual(idsOf(theirs.didDocument))
      expect(ours.didDocument?.service).toEqual(theirs.didDocument?.service)
      return { ids: idsOf(ours.didDocument), published: publishedOprfKey(events, Date.now()) }
    }
    await set(signing(toHex(oprfKeyFrom(randomBytes(32)).publicKey)))
    const before = await seen()
    await set(oprfAttribute(key.publicKey))
    const after = await seen()
    expect(after.ids).toEqual(before.ids)
    expect([before.published, toHex(after.published ?? Buffer.alloc(0))]).toEqual([undefined, toHex(key.publicKey)])
    await set(signing(toHex(oprfKeyFrom(randomBytes(32)).publicKey)))
    expect((await seen()).ids).toEqual([`${did}#controller`, `${did}#delegate-1`, `${did}#delegate-2`])
    const { name: of, value } = oprfAttribute(key.publicKey)
    await node.send(0, 'revokeAttribute', address, of, value)
    const revoked = await seen()
    // Revoked within this very second is still shown; what counts is that it ends.
    expect(publishedOprfKey(await node.events(address), Date.now() + 2_000)).toBeUndefined()
    expect(revoked.ids).toHaveLength(3)
  })
})

describe('the key of the authority', () => {
  const signing = (signature: () => Uint8Array) => ({
    obtain: async () => ({ keyId: 'oprf.1' }) as never,
    signer: { sign: async () => signature() },
  })

  it('follows from one fixed signature, so it is the same at every start', async () => {
    const [one, again] = [
      await openOprfKey(signing(() => Buffer.alloc(64, 1))),
      await openOprfKey(signing(() => Buffer.alloc(64, 1))),
    ]
    expect(one).toEqual(again)
    expect((await openOprfKey(signing(() => Buffer.alloc(64, 2)))).keyId).not.toBe(one.keyId)
  })

  it('lies in the key store, so it outlives a change of the master key', async () => {
    const [from, to] = [files.masterKey(), files.masterKey()]
    const options = { agency: 'root-authority', directory: files.path('oprf'), clock: Date }
    const keys = await openKeys({ ...options, masterKey: from })
    const before = await openOprfKey(keys)
    expect(await openOprfKey(keys)).toEqual(before)
    await resealKeys(keys.store, { from, to })
    await keys.close()
    const moved = await openKeys({ ...options, masterKey: to })
    expect(await openOprfKey(moved)).toEqual(before)
    await moved.close()
  })

  it('is refused from a signer that signs one text in two ways', async () => {
    await expect(openOprfKey(signing(() => randomBytes(64)))).rejects.toThrow('not deterministic')
  })

  const now = Date.parse('2026-06-01T00:00:00Z')
  const [first, second] = [oprfKeyFrom(randomBytes(32)), oprfKeyFrom(randomBytes(32))]
  const set = (publicKey: Uint8Array, validForSeconds: number): DidEvent => ({
    ...{ block: 1, timestamp: now, kind: 'attribute', ...oprfAttribute(publicKey) },
    validTo: BigInt(now / 1_000 + validForSeconds),
  })
  const other: DidEvent = {
    ...set(second.publicKey, 1_000),
    name: `0x${Buffer.from('did/pub/x').toString('hex')}`,
  } as DidEvent

  it.each<[string, DidEvent[], Uint8Array | undefined]>([
    ['nothing', [], undefined],
    ['other attributes', [other], undefined],
    ['one key', [set(first.publicKey, 1_000)], first.publicKey],
    ['a key that has expired', [set(first.publicKey, -1)], undefined],
    ['a key that was revoked', [set(first.publicKey, 1_000), set(first.publicKey, -1)], undefined],
    ['two keys', [set(first.publicKey, 1_000), set(second.publicKey, 1_000)], second.publicKey],
    [
      'one set again after another',
      [set(first.publicKey, 1), set(second.publicKey, 1), set(first.publicKey, 9)],
      first.publicKey,
    ],
    [
      'the newer one revoked',
      [set(first.publicKey, 9), set(second.publicKey, 9), set(second.publicKey, -1)],
      first.publicKey,
    ],
    [
      'a DID that was given up',
      [set(first.publicKey, 9), { block: 2, timestamp: now, kind: 'owner', owner: `0x${'0'.repeat(40)}` }],
      undefined,
    ],
  ])('is read from the chain: %s', (_, events, expected) => {
    const found = publishedOprfKey(events, now)
    expect(found === undefined ? undefined : toHex(found)).toBe(expected === undefined ? undefined : toHex(expected))
  })

  it('has a name that a registry attribute can hold', () => {
    expect(oprfAttribute(first.publicKey).name).toHaveLength(66)
  })
})
