import { bbsPublicKey, bbsSign } from '../../../src/identity/bbs.ts'
import {
  type BbsSigner,
  bbs2023,
  createBbsBaseProof,
  presentationHeaderOf,
} from '../../../src/identity/integrity/bbs-2023.ts'
import { canonicalizeAndGroup, hashOptions } from '../../../src/identity/integrity/sd-groups.ts'
import { shuffledLabels } from '../../../src/identity/integrity/sd-labels.ts'
import type { ProofKey } from '../../../src/identity/integrity/suite.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'
import {
  componentsOf,
  edited,
  type Json,
  moved,
  optionsOf,
  outcomeOf,
  partsOf,
  type SdVector,
  vectorsOf,
  withHeader,
} from './sd.ts'

type Vectors = {
  keys: { publicKeyHex: string; privateKeyHex: string; hmacKeyString: string; presentationHeaderHex: string }
  cases: SdVector[]
  unsupported: { name: string; base: Json; derived: Json }[]
}

const { keys, cases, unsupported } = vectorsOf<Vectors>('bbs-2023')
const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const hmacKey = octets(keys.hmacKeyString)
const presentationHeader = octets(keys.presentationHeaderHex)

const signerOf = (secretKey: Uint8Array, publicKey: Uint8Array): BbsSigner => ({
  ...{ verificationMethod: 'did:key:issuer#key', algorithm: 'BBS', publicKey },
  sign: () => Promise.reject(new Error('BBS signs messages')),
  signMessages: (header, messages) => bbsSign({ secretKey, publicKey, header, messages }),
})
const keyOf = (raw: Uint8Array): ProofKey => ({ algorithm: 'BBS', raw })
const signer = signerOf(octets(keys.privateKeyHex), octets(keys.publicKeyHex))
const key = keyOf(octets(keys.publicKeyHex))
const judged = (of: Json, proof: Json, by = key) => outcomeOf(bbs2023.verify(of, proof, by))
const malformed = 'malformed/proof_malformed'

describe.each(cases)('the published vector $name of bbs-2023 (vc-di-bbs appendix A)', vector => {
  const { document, proof: base } = partsOf(vector.base)
  const derived = partsOf(vector.derived)

  it('has the statements with shuffled labels in the published order (3.2.1)', () => {
    const { mandatoryPointers: mandatory, selectivePointers: selective } = vector
    const combined = [...mandatory, ...selective]
    const grouped = canonicalizeAndGroup(document, shuffledLabels(hmacKey), { mandatory, selective, combined })
    expect(grouped.statements).toEqual(vector.labelled)
    expect(grouped.groups.mandatory.matching).toEqual(vector.groups.mandatoryIndexes)
    expect(grouped.groups.selective.matching).toEqual(vector.groups.selectiveIndexes)
    expect(grouped.groups.combined.matching).toEqual(vector.groups.combinedIndexes)
  })

  it('has the published hash of the proof options (3.4.3)', () => {
    expect(hashOptions(document, base).toString('hex')).toBe(vector.hashes.proofHash)
  })

  it('has the published base proof, octet by octet (3.4.1)', async () => {
    const made = await createBbsBaseProof(document, optionsOf(base), signer, vector.mandatoryPointers, hmacKey)
    expect(made).toEqual(base)
  })

  it('is derived to the published document, and to the published proof but for its randomness (3.4.6)', async () => {
    const { selectivePointers } = vector
    const made = partsOf((await bbs2023.derive?.(document, base, { selectivePointers, presentationHeader })) as Json)
    expect(made.document).toEqual(derived.document)
    const [published, ours] = [componentsOf(derived.proof), componentsOf(made.proof)]
    expect(ours.slice(1)).toEqual(published.slice(1))
    expect(ours[0]).toHaveLength((published[0] as Uint8Array).length)
    expect(await judged(made.document, made.proof)).toBe('holds')
  })

  it('holds derived, with the published presentation header (3.4.7)', async () => {
    expect(await judged(derived.document, derived.proof)).toBe('holds')
    expect(presentationHeaderOf(derived.proof)).toEqual(presentationHeader)
  })
})

describe.each(unsupported)('the feature option of $name (vc-di-bbs 3.5)', vector => {
  it('is refused by name, verified or derived from', async () => {
    const derived = partsOf(vector.derived)
    expect(await judged(derived.document, derived.proof)).toBe('rejected/proof_feature_unsupported')
    const base = partsOf(vector.base)
    const work = bbs2023.derive?.(base.document, base.proof, { selectivePointers: ['/credentialSubject'] })
    expect(await outcomeOf(work as Promise<unknown>)).toBe('rejected/proof_feature_unsupported')
  })
})

const document: Json = {
  '@context': ['https://www.w3.org/ns/credentials/v2', { '@vocab': 'https://example.org/terms#' }],
  type: ['VerifiableCredential'],
  issuer: 'did:example:office',
  credentialSubject: { name: 'Ada', born: '1990-05-01', address: { street: 'Long Road' }, pets: [{ n: 1 }, { n: 2 }] },
}
const options: Json = {
  type: 'DataIntegrityProof',
  cryptosuite: 'bbs-2023',
  created: '2026-01-01T00:00:00Z',
  verificationMethod: signer.verificationMethod,
  proofPurpose: 'assertionMethod',
}
const chosen = ['/credentialSubject/name', '/credentialSubject/pets/1']
const derivedFrom = async (base: Json, selectivePointers = chosen, header?: Uint8Array) => {
  const given = header === undefined ? { selectivePointers } : { selectivePointers, presentationHeader: header }
  return partsOf((await bbs2023.derive?.(document, base, given)) as Json)
}

describe('a derived proof of bbs-2023', () => {
  let base: Json
  let derived: { document: Json; proof: Json }
  beforeAll(async () => {
    base = await createBbsBaseProof(document, options, signer, ['/issuer'], hmacKey)
    derived = await derivedFrom(base)
  })
  const judgedAs = (edit: (components: unknown[]) => unknown[]) => judged(derived.document, edited(derived.proof, edit))
  const judgedWith = (members: Json) => judged({ ...derived.document, credentialSubject: members }, derived.proof)
  const subject = () => structuredClone(derived.document['credentialSubject']) as Json

  it('shows what is mandatory and what was chosen, and nothing else', async () => {
    const { credentialSubject: _, ...rest } = document
    expect(derived.document).toEqual({ ...rest, credentialSubject: { name: 'Ada', pets: [{ n: 2 }] } })
    expect(await judged(derived.document, derived.proof)).toBe('holds')
    expect(presentationHeaderOf(derived.proof)).toEqual(new Uint8Array())
  })

  it('holds when the mandatory parts are all it shows', async () => {
    const least = await derivedFrom(base, [])
    expect(least.document).not.toHaveProperty('credentialSubject')
    expect(await judged(least.document, least.proof)).toBe('holds')
  })

  it('is another one each time, with nothing of the base proof in it', async () => {
    const again = await derivedFrom(base)
    expect(componentsOf(again.proof)[0]).not.toEqual(componentsOf(derived.proof)[0])
    const text = JSON.stringify(componentsOf(again.proof).map(part => String(part)))
    for (const secret of componentsOf(base).slice(0, 4)) expect(text).not.toContain(String(secret))
  })

  it('does not hold with a changed mandatory or chosen part, or a part at another node', async () => {
    expect(await judged({ ...derived.document, issuer: 'did:example:other' }, derived.proof)).toBe('does not hold')
    expect(await judgedWith({ ...subject(), name: 'Eve' })).toBe('does not hold')
    expect(await judgedWith({ pets: [{ n: 2, name: 'Ada' }] })).toBe('does not hold')
  })

  it('does not hold with another proof option or presentation header, and not under another key', async () => {
    const later = { ...derived.proof, created: '2026-01-02T00:00:00Z' }
    expect(await judged(derived.document, later)).toBe('does not hold')
    expect(await judgedAs(([a, b, c, d]) => [a, b, c, d, octets('00')])).toBe('does not hold')
    const foreign = await bbsPublicKey(new Uint8Array(32).fill(7))
    expect(await judged(derived.document, derived.proof, keyOf(foreign))).toBe('does not hold')
    expect(await judged(derived.document, derived.proof, keyOf(new Uint8Array(33)))).toBe('does not hold')
    expect(await judged(derived.document, derived.proof, { ...key, algorithm: 'ES256' })).toBe('does not hold')
  })

  it('is refused with a statement missing or one too many', async () => {
    const { name: _, ...rest } = subject()
    expect(await judgedWith(rest)).toBe(malformed)
    expect(await judgedWith({ ...subject(), age: 5 })).toBe(malformed)
  })

  it('does not hold with labels or indexes exchanged', async () => {
    const swapped = (map: unknown) => {
      const entries = [...(map as Map<number, number>)]
      return new Map(entries.map(([at], index) => [at, entries[(index + 1) % entries.length]?.[1]]))
    }
    expect(await judgedAs(([a, b, c, d, e]) => [a, swapped(b), c, d, e])).toBe('does not hold')
    expect(await judgedAs(([a, b, c, d, e]) => [a, b, c, moved(d), e])).toBe('does not hold')
    expect(await judgedAs(([a, b, c, d, e]) => [a, b, moved(c), d, e])).toBe('does not hold')
  })

  it('is refused with indexes and labels of nothing', async () => {
    const count = (componentsOf(derived.proof)[3] as number[]).length
    const high = Array.from({ length: count }, (_, at) => 1_000 + at)
    const same = (map: unknown) => new Map([...(map as Map<number, number>)].map(([at]) => [at, 0]))
    expect(await judgedAs(([a, b, c, , e]) => [a, b, c, high, e])).toBe('does not hold')
    expect(await judgedAs(([a, b, c, d, e]) => [a, b, c, (d as number[]).slice(1), e])).toBe(malformed)
    expect(await judgedAs(([a, b, , d, e]) => [a, b, [999], d, e])).toBe(malformed)
    expect(await judgedAs(([a, b, c, d, e]) => [a, same(b), c, d, e])).toBe(malformed)
    for (const wrong of [new Map(), new Map([[0, -1]]), new Map([[0, 'b0']]), new Map([[-1, 0]]), []]) {
      expect(await judgedAs(([a, , c, d, e]) => [a, wrong, c, d, e])).toBe(malformed)
    }
  })

  it('does not hold, or is refused, with a proof that is cut, empty, or of zeros', async () => {
    const cut = (proof: unknown, octetsLess: number) => (proof as Uint8Array).subarray(octetsLess)
    expect(await judgedAs(([a, b, c, d, e]) => [cut(a, 1), b, c, d, e])).toBe('does not hold')
    expect(await judgedAs(([, b, c, d, e]) => [new Uint8Array(), b, c, d, e])).toBe('does not hold')
    expect(await judgedAs(([a, b, c, d, e]) => [new Uint8Array((a as Uint8Array).length), b, c, d, e])).toBe(
      'does not hold',
    )
    expect(await judgedAs(([, b, c, d, e]) => ['text', b, c, d, e])).toBe(malformed)
    expect(await judgedAs(([a, b, c, d]) => [a, b, c, d, 'text'])).toBe(malformed)
    expect(await judgedAs(([a, b, c, d]) => [a, b, c, d])).toBe(malformed)
  })

  it('is refused under headers that nobody knows, and under those of others', async () => {
    for (const header of [
      [0xd9, 0x5d, 0x01],
      [0xd9, 0x5d, 0x0a],
      [0xd9, 0x5f, 0x03],
      [0, 0, 0],
    ]) {
      expect(await judged(derived.document, withHeader(derived.proof, ...header))).toBe(malformed)
    }
    for (const feature of [4, 5, 6, 7, 8, 9]) {
      const proof = withHeader(derived.proof, 0xd9, 0x5d, feature)
      expect(await judged(derived.document, proof)).toBe('rejected/proof_feature_unsupported')
    }
  })

  it('is refused when it is a base proof, and a derived one to derive from', async () => {
    expect(await judged(document, base)).toBe('rejected/proof_not_derived')
    const again = bbs2023.derive?.(derived.document, derived.proof, { selectivePointers: ['/issuer'] })
    expect(await outcomeOf(again as Promise<unknown>)).toBe('rejected/proof_already_derived')
    expect(() => presentationHeaderOf(base)).toThrow(Refusal)
  })

  it('is refused to be derived for a document that is not the signed one, and without a choice', async () => {
    const other = { ...document, issuer: 'did:example:other' }
    const foreign = bbs2023.derive?.(other, base, { selectivePointers: chosen })
    expect(await outcomeOf(foreign as Promise<unknown>)).toBe(malformed)
    const open = await bbs2023.create(document, options, signer)
    expect(await outcomeOf(derivedFrom(open, []))).toBe('malformed/pointer_malformed')
    expect(await outcomeOf(derivedFrom(base, ['/nothing']))).toBe('rejected/pointer_unmatched')
    expect(await outcomeOf(derivedFrom(base, ['/@context/0']))).toBe('malformed/pointer_malformed')
    expect(await outcomeOf(derivedFrom(base, chosen, new Uint8Array(65_537)))).toBe(malformed)
  })

  it('is made by signers of messages only', async () => {
    const { signMessages: _, ...plain } = signer
    await expect(bbs2023.create(document, options, plain)).rejects.toThrow(TypeError)
    const { publicKey: __, ...keyless } = signer
    await expect(bbs2023.create(document, options, keyless)).rejects.toThrow(TypeError)
  })
})
