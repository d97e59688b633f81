import * as theirs from '@digitalbazaar/di-sd-primitives'
import fc from 'fast-check'
import { canonicalizeAndGroup, labelledStatements, verifierLabels } from '../../../src/identity/integrity/sd-groups.ts'
import { hmacLabels, shuffledLabels } from '../../../src/identity/integrity/sd-labels.ts'
import { selectByPointers } from '../../../src/identity/integrity/sd-pointers.ts'
import { bundledContext } from '../../../src/identity/linked-data/contexts.ts'
import { type Json, outcomeOf } from './sd.ts'

const hmacKey = new Uint8Array(32).fill(3)
const documentLoader = async (url: string) => ({ contextUrl: null, documentUrl: url, document: bundledContext(url) })
const context = ['https://www.w3.org/ns/credentials/v2', { '@vocab': 'https://example.org/terms#' }]

/** Members of a node; few names and values, so that nodes are alike and blank nodes hard to tell apart. */
const members = fc.letrec<{ node: Json; value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<unknown>('x', 'y', 1, 2.5, true, 'ä\n"'),
    tie('node'),
    fc.array(fc.oneof(fc.constantFrom<unknown>('x', 'y', 1), tie('node')), { minLength: 2, maxLength: 3 }),
  ),
  node: fc
    .tuple(
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
      fc.option(fc.constantFrom('urn:n:1', 'urn:n:2'), { nil: undefined, freq: 4 }),
      fc.option(fc.constantFrom('T', 'U'), { nil: undefined }),
    )
    .map(([terms, id, type]) => ({ ...terms, ...(id && { id }), ...(type && { type }) })),
})).node

/** Pointers to everything in a document but its context. */
const pointersIn = (value: unknown, path = ''): string[] => {
  if (typeof value !== 'object' || value === null) return [path]
  const below = Object.entries(value).flatMap(([name, member]) => pointersIn(member, `${path}/${name}`))
  return path === '' ? below : [path, ...below]
}

const cases = members.chain(node =>
  fc.record({ node: fc.constant(node), pointers: fc.subarray(pointersIn(node), { minLength: 1 }) }),
)
const documentOf = (node: Json): Json => ({ '@context': context, type: 'Root', ...node })

describe('statements and groups of them (vc-di-ecdsa 3.4.16)', () => {
  it('are those that others find, whatever the document and the pointers', async () => {
    const hmac = await theirs.createHmac({ key: hmacKey })
    const labelMapFactoryFunction = theirs.createHmacIdLabelMapFunction({ hmac })
    await fc.assert(
      fc.asyncProperty(cases, async ({ node, pointers }) => {
        const document = documentOf(node)
        const ours = canonicalizeAndGroup(document, hmacLabels(hmacKey), { chosen: pointers })
        const groups = { chosen: pointers }
        const options = { documentLoader }
        const found = await theirs.canonicalizeAndGroup({ document, labelMapFactoryFunction, groups, options })
        expect(ours.statements).toEqual(found.nquads)
        expect(ours.groups.chosen.matching).toEqual([...found.groups.chosen.matching.keys()])
      }),
      { numRuns: 60 },
    )
  })

  it('are found again by a verifier of what was chosen, by its label map', () => {
    fc.assert(
      fc.property(cases, fc.boolean(), ({ node, pointers }, shuffled) => {
        const relabel = shuffled ? shuffledLabels(hmacKey) : hmacLabels(hmacKey)
        const document = documentOf(node)
        const { statements, groups, labels } = canonicalizeAndGroup(document, relabel, { chosen: pointers })
        const shown = selectByPointers(document, pointers) as Json
        const expected = groups.chosen.matching.map(position => statements[position])
        expect(labelledStatements(shown, verifierLabels(groups.chosen, labels))).toEqual(expected)
      }),
      { numRuns: 200 },
    )
  })

  it('tell blank nodes apart that only their place in the document does', async () => {
    const document = documentOf({ a: [{ b: 'x' }, { b: 'x' }, { b: 'x', c: { b: 'x' } }] })
    const { statements, groups } = canonicalizeAndGroup(document, shuffledLabels(hmacKey), {
      one: ['/a/0'],
      two: ['/a/0', '/a/1'],
      inner: ['/a/2/c/b'],
    })
    expect(statements).toHaveLength(9)
    expect(groups.one.matching).toHaveLength(3)
    expect(groups.two.matching).toHaveLength(5)
    expect(groups.inner.matching).toHaveLength(4)
  })

  it('follow the contexts of types, and indexes', async () => {
    const scoped = { T: { '@id': 'https://example.org/T', '@context': { '@vocab': 'https://example.org/other#' } } }
    const document = { '@context': [...context, scoped], type: ['T'], a: [{ '@type': 'T', b: 'x' }] }
    const grouped = async (pointers: string[]) => canonicalizeAndGroup(document, hmacLabels(hmacKey), { pointers })
    expect(await outcomeOf(grouped(['/a/0/b']))).toBe('made')
    const key = 'https://example.org/key'
    const index = { i: { '@id': 'https://example.org/i', '@container': '@index', '@index': key } }
    const indexed = { '@context': [...context, index], i: { one: { b: 'x' }, two: { b: 'y' } } }
    const chosen = async () => canonicalizeAndGroup(indexed, hmacLabels(hmacKey), { pointers: ['/i/two'] })
    expect((await chosen()).groups.pointers.matching).toHaveLength(3)
  })
})
