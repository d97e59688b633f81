import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { canonize } from 'rdf-canonize'
import { withContexts } from '../../../src/identity/linked-data/contexts.ts'
import { parseNQuads, type Quad, toNQuad } from '../../../src/identity/linked-data/quads.ts'
import { toQuads } from '../../../src/identity/linked-data/rdf.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'

type Vector = {
  id: string
  name: string
  base: string
  input: unknown
  /** The dataset that is expected, in N-Quads. */
  expected?: string
  /** The JsonLdErrorCode that is expected. */
  error?: string
  /** The vector has no expectation but that it can be read. */
  syntax?: true
  /** What the algorithms drop here, so that safe mode refuses the document; or our name of the expected error. */
  refused?: string
}
const { contexts, tests } = JSON.parse(readFileSync(new URL('vectors/to-rdf.json', import.meta.url), 'utf8')) as {
  contexts: Record<string, object>
  tests: Vector[]
}

const written = (quads: Quad[]): string => quads.map(toNQuad).join('')

const canonical = (text: string): Promise<string> =>
  canonize(text, {
    algorithm: 'RDFC-1.0',
    inputFormat: 'application/n-quads',
    format: 'application/n-quads',
    maxWorkFactor: 2,
  })

/** The vectors that have directions expect them to be dropped (rdfDirection null), except those that say otherwise. */
const withoutDirections = (text: string): string =>
  text.replaceAll(/\^\^<https:\/\/www\.w3\.org\/ns\/i18n#([a-z-]*)_(?:ltr|rtl)>/g, (_, language) =>
    language === '' ? '' : `@${language}`,
  )

const refusalOf = ({ input, base }: Vector): Refusal => {
  try {
    toQuads(input, { base, indexes: true })
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('it was not refused')
}
const reasonOf = (refusal: Refusal): unknown => refusal.facts['jsonLdError'] ?? refusal.code

describe('JSON-LD 1.1 API, section 8.1: Deserialize JSON-LD to RDF (the toRdf tests of its test suite)', () => {
  beforeAll(() => withContexts(contexts))

  it.each(tests.filter(vector => vector.expected !== undefined))('$id: $name', async vector => {
    const { id, input, base, expected = '' } = vector
    const made = written(toQuads(input, { base, indexes: true }))
    const wanted = await canonical(written(parseNQuads(expected)))
    expect(await canonical(/^tdi0[1-8]/.test(id) ? withoutDirections(made) : made)).toBe(wanted)
  })

  it.each(tests.filter(vector => vector.syntax === true))('$id: $name (can be read)', ({ input, base }) => {
    expect(() => toQuads(input, { base, indexes: true })).not.toThrow()
  })

  it.each(tests.filter(({ error, refused }) => error !== undefined && refused === undefined))(
    '$id: $name: $error',
    vector => {
      expect(reasonOf(refusalOf(vector))).toBe(vector.error)
    },
  )

  it.each(tests.filter(vector => vector.refused !== undefined))('$id: $name (safe mode: $refused)', vector => {
    expect(reasonOf(refusalOf(vector))).toBe(vector.refused)
  })

  it('has most of the vectors expect a dataset', () => {
    expect(tests.filter(vector => vector.expected !== undefined).length).toBeGreaterThan(280)
    expect(tests.filter(vector => vector.error !== undefined).length).toBeGreaterThan(90)
    expect(tests.filter(({ refused, error }) => refused !== undefined && error === undefined).length).toBeLessThan(40)
  })
})
