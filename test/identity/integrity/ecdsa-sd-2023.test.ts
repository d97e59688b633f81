import fc from 'fast-check'
import { createEcdsaSdBaseProof, ecdsaSd2023 } from '../../../src/identity/integrity/ecdsa-sd-2023.ts'
import { canonicalizeAndGroup, hashOptions } from '../../../src/identity/integrity/sd-groups.ts'
import { hmacLabels } from '../../../src/identity/integrity/sd-labels.ts'
import type { StatementKey } from '../../../src/identity/integrity/sd-statement-key.ts'
import { fromBase58btc } from '../../../src/identity/multibase.ts'
import {
  componentsOf,
  deterministicKey,
  ecdsaIssuer,
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

type Pair = { publicKeyMultibase: string; secretKeyMultibase: string }
type Vectors = { keys: { baseKeyPair: Pair; proofKeyPair: Pair; hmacKeyString: string }; cases: SdVector[] }

const { keys, cases } = vectorsOf<Vectors>('ecdsa-sd-2023')
const secretOf = ({ secretKeyMultibase }: Pair) =>
  Uint8Array.from(fromBase58btc(secretKeyMultibase, 34)?.subarray(2) ?? [])
const hmacKey = Uint8Array.from(Buffer.from(keys.hmacKeyString, 'hex'))
const issuer = ecdsaIssuer(secretOf(keys.baseKeyPair), 'did:key:issuer#key')
const other = ecdsaIssuer(new Uint8Array(32).fill(7), 'did:key:other#key')

const publishedStatementKey = (): StatementKey => {
  const { compressed, sign } = deterministicKey(secretOf(keys.proofKeyPair))
  return {
    publicKey: Buffer.concat([Buffer.from([0x80, 0x24]), compressed]),
    sign: async statements => statements.map(statement => sign(Buffer.from(statement))),
  }
}

describe.each(cases)('the published vector $name of ecdsa-sd-2023 (vc-di-ecdsa appendix A)', vector => {
  const { document, proof: base } = partsOf(vector.base)
  const derived = partsOf(vector.derived)

  it('has the statements with HMAC labels in the published order (3.4.16)', () => {
    const { mandatoryPointers: mandatory, selectivePointers: selective } = vector
    const combined = [...mandatory, ...selective]
    const grouped = canonicalizeAndGroup(document, hmacLabels(hmacKey), { mandatory, selective, combined })
    expect(grouped.statements).toEqual(vector.labelled)
    expect(grouped.groups.mandatory.matching).toEqual(vector.groups.mandatoryIndexes)
    expect(grouped.groups.selective.matching).toEqual(vector.groups.selectiveIndexes)
    expect(grouped.groups.combined.matching).toEqual(vector.groups.combinedIndexes)
  })

  it('has the published hash of the proof options (3.6.3)', () => {
    expect(hashOptions(document, base).toString('hex')).toBe(vector.hashes.proofHash)
  })

  it('has the published base proof, octet by octet (3.6.1)', async () => {
    const entropy = { hmacKey, statementKey: publishedStatementKey() }
    const options = optionsOf(base)
    const made = await createEcdsaSdBaseProof(document, options, issuer.signer, vector.mandatoryPointers, entropy)
    expect(made).toEqual(base)
  })

  it('is derived to the published document and proof, octet by octet (3.6.6)', async () => {
    const { selectivePointers } = vector
    expect(await ecdsaSd2023.derive?.(document, base, { selectivePointers })).toEqual(vector.derived)
  })

  it('holds derived (3.6.7)', async () => {
    expect(await ecdsaSd2023.verify(derived.document, derived.proof, issuer.key)).toBe(true)
    expect(await ecdsaSd2023.verify(derived.document, derived.proof, other.key)).toBe(false)
  })
})

const document: Json = {
  '@context': ['https://www.w3.org/ns/credentials/v2', { '@vocab': 'https://example.org/terms#' }],
  type: ['VerifiableCredential'],
  issuer: { id: 'did:example:office', name: 'Office' },
  validFrom: '2026-01-01T00:00:00Z',
  credentialSubject: {
    name: 'Ada',
    born: '1990-05-01',
    address: { street: 'Long Road', number: 5 },
    vehicles: [{ plate: 'A 1' }, { plate: 'B 2', keeper: { name: 'Bob' } }, { plate: 'C 3' }],
  },
}
const options: Json = {
  type: 'DataIntegrityProof',
  cryptosuite: 'ecdsa-sd-2023',
  created: '2026-01-01T00:00:00Z',
  verificationMethod: issuer.signer.verificationMethod,
  proofPurpose: 'assertionMethod',
}
const based = (mandatoryPointers = ['/issuer'], of = document) =>
  ecdsaSd2023.create(of, options, issuer.signer, { mandatoryPointers })
const derivedFrom = async (base: Json, selectivePointers: string[], of = document) =>
  partsOf((await ecdsaSd2023.derive?.(of, base, { selectivePointers })) as Json)
const judged = (of: Json, proof: Json, key = issuer.key) => outcomeOf(ecdsaSd2023.verify(of, proof, key))
const chosen = ['/credentialSubject/name', '/credentialSubject/vehicles/1', '/credentialSubject/address/number']
const malformed = 'malformed/proof_malformed'

describe('a derived proof of ecdsa-sd-2023', () => {
  let base: Json
  let derived: { document: Json; proof: Json }
  beforeAll(async () => {
    const entropy = { hmacKey, statementKey: publishedStatementKey() }
    base = await createEcdsaSdBaseProof(document, options, issuer.signer, ['/issuer'], entropy)
    derived = await derivedFrom(base, chosen)
  })
  const subject = () => structuredClone(derived.document['credentialSubject']) as Json
  const judgedWith = (credentialSubject: Json) => judged({ ...derived.document, credentialSubject }, derived.proof)
  const judgedAs = (edit: (components: unknown[]) => unknown[]) => judged(derived.document, edited(derived.proof, edit))

  it('shows what is mandatory and what was chosen, and nothing else', async () => {
    expect(derived.document).toEqual({
      '@context': document['@context'],
      type: ['VerifiableCredential'],
      issuer: document['issuer'],
      credentialSubject: {
        name: 'Ada',
        address: { number: 5 },
        vehicles: [{ plate: 'B 2', keeper: { name: 'Bob' } }],
      },
    })
    expect(await judged(derived.document, derived.proof)).toBe('holds')
  })

  it('does not hold with a changed mandatory part', async () => {
    const changed = { ...derived.document, issuer: { id: 'did:example:office', name: 'Other office' } }
    expect(await judged(changed, derived.proof)).toBe('does not hold')
  })

  it('does not hold with a changed chosen part', async () => {
    expect(await judgedWith({ ...subject(), name: 'Eve' })).toBe('does not hold')
    expect(await judgedWith({ ...subject(), address: { number: 6 } })).toBe('does not hold')
  })

  it('does not hold with a part at another node', async () => {
    const { name, ...rest } = subject()
    expect(await judgedWith({ ...rest, address: { number: 5, name } })).toBe('does not hold')
  })

  it('does not hold with another proof option, and not under another key', async () => {
    const later = { ...derived.proof, created: '2026-01-02T00:00:00Z' }
    expect(await judged(derived.document, later)).toBe('does not hold')
    expect(await judged(derived.document, derived.proof, other.key)).toBe('does not hold')
    const { publicKey: _, ...bbs } = { ...issuer.key, algorithm: 'BBS' as const }
    expect(await judged(derived.document, derived.proof, bbs)).toBe('does not hold')
  })

  it('is refused with a statement missing or one too many', async () => {
    const { name: _, ...rest } = subject()
    expect(await judgedWith(rest)).toBe(malformed)
    expect(await judgedWith({ ...subject(), age: 5 })).toBe(malformed)
  })

  it('is refused with another number of signatures than statements (3.6.7 step 3)', async () => {
    const cut = (list: unknown) => (list as unknown[]).slice(1)
    const doubled = (list: unknown) => [...(list as unknown[]), (list as unknown[])[0]]
    expect(await judgedAs(([a, b, c, d, e]) => [a, b, cut(c), d, e])).toBe(malformed)
    expect(await judgedAs(([a, b, c, d, e]) => [a, b, doubled(c), d, e])).toBe(malformed)
  })

  it('does not hold with signatures or labels exchanged', async () => {
    const reversed = (list: unknown) => [...(list as unknown[])].reverse()
    expect(await judgedAs(([a, b, c, d, e]) => [a, b, reversed(c), d, e])).toBe('does not hold')
    const rotated = (map: unknown) => {
      const entries = [...(map as Map<number, Uint8Array>)]
      return new Map(entries.map(([key], at) => [key, entries[(at + 1) % entries.length]?.[1]]))
    }
    expect(await judgedAs(([a, b, c, d, e]) => [a, b, c, rotated(d), e])).toBe('does not hold')
  })

  it('is refused with a label map that is not of its document', async () => {
    const without = (map: unknown) => new Map([...(map as Map<number, unknown>)].slice(1))
    const renamed = (map: unknown) =>
      new Map([...(map as Map<number, unknown>)].map(([key, label]) => [key + 1, label]))
    const more = (map: unknown) => new Map([...(map as Map<number, unknown>), [99, new Uint8Array(32)]])
    const merged = (map: unknown) =>
      new Map([...(map as Map<number, unknown>)].map(([key]) => [key, new Uint8Array(32)]))
    for (const change of [without, renamed, more, merged]) {
      expect(await judgedAs(([a, b, c, d, e]) => [a, b, c, change(d), e])).toBe(malformed)
    }
  })

  it('does not hold with other mandatory indexes, and is refused with indexes of nothing', async () => {
    const all = componentsOf(derived.proof)[2] as unknown[]
    expect(await judgedAs(([a, b, c, d, e]) => [a, b, c, d, moved(e)])).toBe('does not hold')
    for (const wrong of [[99], [-1], [1.5], ['0'], [0, 0], [1, 0], {}, null]) {
      expect(await judgedAs(([a, b, c, d]) => [a, b, c, d, wrong])).toBe(malformed)
    }
    expect(await judgedAs(([a, b, , d]) => [a, b, all, d, []])).toBe(malformed)
  })

  it('does not hold with the key of another proof, whatever that key signed', async () => {
    const foreign = componentsOf((await derivedFrom(await based(), chosen)).proof)
    expect(await judgedAs(([a, , , , e]) => [a, foreign[1], foreign[2], foreign[3], e])).toBe('does not hold')
    expect(await judgedAs(([a, b, , d, e]) => [a, b, foreign[2], d, e])).toBe('does not hold')
  })

  it('is refused with components of other kinds (3.5.8)', async () => {
    const octets = new Uint8Array(64)
    const point = Buffer.concat([Buffer.from([0x80, 0x24, 0x05]), new Uint8Array(32)])
    const wrong: ((components: unknown[]) => unknown[])[] = [
      components => components.slice(0, 4),
      components => [...components, 0],
      ([, b, c, d, e]) => [octets.subarray(1), b, c, d, e],
      ([a, , c, d, e]) => [a, octets.subarray(0, 36), c, d, e],
      ([a, , c, d, e]) => [a, octets.subarray(0, 35), c, d, e],
      ([a, b, , d, e]) => [a, b, octets, d, e],
      ([a, b, , d, e]) => [a, b, ['text'], d, e],
      ([a, b, c, , e]) => [a, b, c, [], e],
      ([a, b, c, , e]) => [a, b, c, new Map([['0', new Uint8Array(32)]]), e],
      ([a, b, c, , e]) => [a, b, c, new Map([[0, 'u']]), e],
    ]
    for (const [at, edit] of wrong.entries()) {
      // The key of the proof is looked at once the issuer's signature over it holds.
      expect(await judgedAs(edit)).toBe(at === 4 ? 'does not hold' : malformed)
    }
    expect(await judgedAs(([a, , c, d, e]) => [a, point, c, d, e])).toBe('does not hold')
  })

  it('is refused when it cannot be read as multibase, header and CBOR', async () => {
    const value = derived.proof['proofValue'] as string
    const cbor = (hex: string) => `u${Buffer.from(`d95d01${hex}`, 'hex').toString('base64url')}`
    const unreadable = [
      undefined,
      5,
      '',
      'u',
      value.slice(1),
      `z${value.slice(1)}`,
      `${value}=`,
      `${value} `,
      'u2V0',
      'u2V0B',
    ]
    const bombs = [
      '9bffffffffffffffff',
      '9a00ffffff',
      `${'81'.repeat(500)}00`,
      '9fff',
      `5b00000000ffffffff`,
      'bf00',
      '',
    ]
    for (const proofValue of [...unreadable, ...bombs.map(cbor), `u${'A'.repeat(2 ** 20)}`]) {
      expect(await judged(derived.document, { ...derived.proof, proofValue })).toBe(malformed)
    }
    for (const header of [
      [0xd9, 0x5d, 0x02],
      [0xd9, 0x5d, 0x03],
      [0xd9, 0x5d, 0xff],
      [0xd9, 0x5e, 0x01],
      [0, 0, 0],
    ]) {
      expect(await judged(derived.document, withHeader(derived.proof, ...header))).toBe(malformed)
    }
  })

  it('is refused when it is a base proof: that is for its holder only', async () => {
    expect(await judged(document, base)).toBe('rejected/proof_not_derived')
  })

  it('is refused to derive from', async () => {
    const again = ecdsaSd2023.derive?.(derived.document, derived.proof, { selectivePointers: ['/issuer'] })
    expect(await outcomeOf(again as Promise<unknown>)).toBe('rejected/proof_already_derived')
  })

  it('holds with options under the context of the document, whatever context its proof names (3.6.4)', async () => {
    const named = { ...derived.proof, '@context': { created: 'https://example.org/other' } }
    expect(await judged(derived.document, named)).toBe('holds')
  })

  it('is refused with the options of another suite, and in a chain', async () => {
    expect(await judged(derived.document, { ...derived.proof, cryptosuite: 'bbs-2023' })).toBe(malformed)
    expect(await judged(derived.document, { ...derived.proof, type: 'Ed25519Signature2020' })).toBe(malformed)
    const chained = { ...derived.proof, previousProof: 'urn:proof:1' }
    expect(await judged(derived.document, chained)).toBe('rejected/proof_chain_broken')
    expect(await judged({ ...derived.document, proof: [] }, derived.proof)).toBe('rejected/proof_chain_broken')
  })

  it('holds for whatever is chosen, and for nothing but that', async () => {
    const leaves = [
      ...['/validFrom', '/credentialSubject/name', '/credentialSubject/born', '/credentialSubject/address/street'],
      ...[
        '/credentialSubject/vehicles/0',
        '/credentialSubject/vehicles/1/keeper',
        '/credentialSubject/vehicles/2/plate',
      ],
      ...['/credentialSubject/vehicles', '/credentialSubject'],
    ]
    await fc.assert(
      fc.asyncProperty(fc.subarray(leaves), async pointers => {
        const { document: shown, proof } = await derivedFrom(base, pointers)
        expect(await judged(shown, proof)).toBe('holds')
        expect(await judged({ ...shown, validFrom: '2027-01-01T00:00:00Z' }, proof)).not.toBe('holds')
      }),
      { numRuns: 10 },
    )
  })
})

describe('a base proof of ecdsa-sd-2023', () => {
  const created = (of: Json, pointers: string[] = ['/issuer'], proof = options) =>
    outcomeOf(ecdsaSd2023.create(of, proof, issuer.signer, { mandatoryPointers: pointers }))
  const unsupported = 'rejected/selection_unsupported'

  it('has new keys every time', async () => {
    const [first, second] = [componentsOf(await based()), componentsOf(await based())]
    expect(first[1]).not.toEqual(second[1])
    expect(first[2]).not.toEqual(second[2])
  })

  it('may make nothing mandatory, or everything', async () => {
    const nothing = await derivedFrom(await based([]), ['/credentialSubject/name'])
    expect(nothing.document).not.toHaveProperty('issuer')
    expect(await judged(nothing.document, nothing.proof)).toBe('holds')
    const everything = await derivedFrom(await based(['']), [])
    expect(everything.document).toEqual(document)
    expect(await judged(everything.document, everything.proof)).toBe('holds')
  })

  it('is refused to derive nothing from', async () => {
    const nothing = ecdsaSd2023.derive?.(document, await based([]), { selectivePointers: [] })
    expect(await outcomeOf(nothing as Promise<unknown>)).toBe('malformed/pointer_malformed')
  })

  it.each([
    ['/nothing', 'rejected/pointer_unmatched'],
    ['/credentialSubject/vehicles/3', 'rejected/pointer_unmatched'],
    ['/@context', 'malformed/pointer_malformed'],
    ['/@context/0', 'malformed/pointer_malformed'],
    ['issuer', 'malformed/pointer_malformed'],
  ])('is refused with the pointer %j, made or derived from', async (pointer, refusal) => {
    expect(await created(document, [pointer])).toBe(refusal)
    const derived = ecdsaSd2023.derive?.(document, await based(), { selectivePointers: [pointer] })
    expect(await outcomeOf(derived as Promise<unknown>)).toBe(refusal)
  })

  it('is refused to derive from when its signatures are not those of the document', async () => {
    const base = edited(await based(), ([a, b, c, d, e]) => [a, b, c, (d as unknown[]).slice(1), e])
    const derived = ecdsaSd2023.derive?.(document, base, { selectivePointers: chosen })
    expect(await outcomeOf(derived as Promise<unknown>)).toBe(malformed)
  })

  it('is refused for documents whose parts cannot be named: lists, graphs, contexts below the top', async () => {
    const context = (term: string, definition: Json) => ({
      ...document,
      '@context': [...(document['@context'] as unknown[]), { [term]: definition }],
    })
    const list = {
      ...context('steps', { '@id': 'https://example.org/steps', '@container': '@list' }),
      steps: ['a', 'b'],
    }
    const graph = {
      ...context('inner', { '@id': 'https://example.org/inner', '@container': '@graph' }),
      inner: { name: 'x' },
    }
    const nested = { ...document, credentialSubject: { '@context': { nick: 'https://example.org/n' }, nick: 'Ada' } }
    for (const wrong of [list, graph, nested]) expect(await created(wrong)).toBe(unsupported)
  })

  it('takes objects that are no nodes for what they are: values, maps of languages, JSON', async () => {
    const of = {
      ...document,
      '@context': [
        ...(document['@context'] as unknown[]),
        {
          label: { '@id': 'https://example.org/label', '@container': '@language' },
          raw: { '@id': 'https://example.org/raw', '@type': '@json' },
        },
      ],
      name: { '@value': 'Licence', '@language': 'en' },
      credentialSubject: {
        name: 'Ada',
        label: { en: 'Licence', de: 'Schein' },
        raw: { a: [{ b: 1 }], c: {} },
        address: { number: 5 },
      },
    }
    const base = await based(['/issuer', '/name'], of)
    const pointers = ['/credentialSubject/label', '/credentialSubject/raw', '/credentialSubject/address']
    const { document: shown, proof } = await derivedFrom(base, pointers, of)
    expect(shown['credentialSubject']).toEqual({ ...of.credentialSubject, name: undefined })
    expect(await judged(shown, proof)).toBe('holds')
    const part = await derivedFrom(base, ['/credentialSubject/label/de'], of)
    expect(await judged(part.document, part.proof)).toBe('holds')
    const piece = ecdsaSd2023.derive?.(of, base, { selectivePointers: ['/credentialSubject/raw/a'] })
    expect(await outcomeOf(piece as Promise<unknown>)).toBe(unsupported)
  })

  it('takes blank node identifiers of the document for what they are', async () => {
    const of = { ...document, credentialSubject: { id: '_:ada', name: 'Ada', knows: { id: '_:ada', born: '1990' } } }
    const { document: shown, proof } = await derivedFrom(await based(['/issuer'], of), ['/credentialSubject/name'], of)
    expect(shown['credentialSubject']).toEqual({ name: 'Ada' })
    expect(await judged(shown, proof)).toBe('holds')
  })

  it('is refused for more statements than can be signed one by one', async () => {
    const many = { ...document, credentialSubject: { codes: Array.from({ length: 1100 }, (_, at) => `code ${at}`) } }
    expect(await created(many)).toBe('too_large/statements_many')
  })

  it('is refused, within reason of time, for objects without end that are no nodes', async () => {
    const context = [...(document['@context'] as unknown[]), { label: { '@id': 'urn:l', '@container': '@language' } }]
    const labels = Array.from({ length: 500 }, (_, at) => ({ label: { en: `label ${at}` } }))
    const started = performance.now()
    expect(await created({ ...document, '@context': context, credentialSubject: labels })).toBe(unsupported)
    expect(performance.now() - started).toBeLessThan(5_000)
    const objects = { ...document, credentialSubject: { codes: Array.from({ length: 1100 }, () => ({})) } }
    expect(await created(objects)).toBe('too_large/statements_many')
  })

  it('is refused for what JSON-LD refuses', async () => {
    const [v2] = document['@context'] as unknown[]
    expect(await created({ ...document, '@context': [v2] })).toBe('rejected/term_unknown')
    expect(await created({ ...document, '@context': ['https://example.org/unknown'] })).toBe('rejected/context_unknown')
  })

  it('is refused with the options of another suite, and in a chain', async () => {
    expect(await created(document, [], { ...options, cryptosuite: 'ecdsa-rdfc-2019' })).toBe(malformed)
    expect(await created(document, [], { ...options, previousProof: 'urn:proof:1' })).toBe(
      'rejected/proof_chain_broken',
    )
  })
})
