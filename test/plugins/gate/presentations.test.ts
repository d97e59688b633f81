import fc from 'fast-check'
import { Refusal } from '../../../src/kernel/refusal.ts'
import { openJson, sealJson } from '../../../src/kernel/sealed.ts'
import { takePresentations } from '../../../src/plugins/gate/presentations.ts'
import { subkey } from '../../../src/plugins/gate/sealed.ts'

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'good'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

describe('presentations in a body', () => {
  it('are taken out of whatever body they come in, and nothing else is', () => {
    const texts = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.oneof(fc.string({ minLength: 1 }), texts),
        (body, presentation) => {
          const { presentation: _one, presentations: _all, ...others } = body
          const { presented, rest } = takePresentations({ ...others, presentation })
          expect(rest).toEqual(others)
          expect(presented).toEqual({ by: 'caller', handed: { presentations: [presentation].flat() } })
        },
      ),
    )
  })

  it('are objects with their proof as well as tokens; judged is their text', () => {
    const presentation = { type: ['VerifiablePresentation'], proof: { type: 'DataIntegrityProof' } }
    const texts = [JSON.stringify(presentation)]
    expect(takePresentations({ presentation, a: 1 })).toEqual({
      presented: { by: 'caller', handed: { presentations: texts } },
      rest: { a: 1 },
    })
    const listed = takePresentations({ presentations: { seller: [presentation, 'b.c.d'] } })
    expect(listed.presented).toEqual({
      by: 'parties',
      parties: { seller: { presentations: [...texts, 'b.c.d'] } },
    })
  })

  it('are named by the request that a wallet answered, with its secret and, on the same device, the code', () => {
    const named = { request: 'r', secret: 's' }
    const taken = takePresentations({ presentation: named })
    expect(taken.presented).toEqual({ by: 'caller', handed: { request: { id: 'r', secret: 's' } } })
    const coded = takePresentations({ presentations: { seller: { ...named, response_code: 'c' } } })
    const request = { id: 'r', secret: 's', responseCode: 'c' }
    expect(coded.presented).toEqual({ by: 'parties', parties: { seller: { request } } })
  })

  it('are left alone in what is no object', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.jsonValue())), body => {
        expect(takePresentations(body)).toEqual({ presented: { by: 'nobody' }, rest: body })
      }),
    )
  })

  it.each<[string, unknown]>([
    ['nothing', { presentation: null }],
    ['an empty text', { presentation: '' }],
    ['an empty list', { presentation: [] }],
    ['a list with something else', { presentation: ['a', 1] }],
    ['nine', { presentation: Array(9).fill('a') }],
    ['an object without proof', { presentation: { a: 'b' } }],
    ['a request without its secret', { presentation: { request: 'r' } }],
    ['a request with something else', { presentation: { request: 'r', secret: 's', more: 1 } }],
    ['a request whose secret is no text', { presentation: { request: 'r', secret: 1 } }],
    ['a request whose code is no text', { presentation: { request: 'r', secret: 's', response_code: null } }],
    ['a request in a list', { presentation: [{ request: 'r', secret: 's' }] }],
    ['a request of a long name', { presentation: { request: 'r'.repeat(129), secret: 's' } }],
    ['an object whose proof is none', { presentation: { proof: 'z1' } }],
    ['both one caller’s and parties’', { presentation: 'a', presentations: { seller: 'b' } }],
    ['parties in a list', { presentations: ['a'] }],
    ['no parties', { presentations: {} }],
    ['a party with nothing', { presentations: { seller: [] } }],
    [
      'seventeen parties',
      { presentations: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`p${at}`, 'a'])) },
    ],
  ])('are refused as %s', (_what, body) => {
    expect(codeOf(() => takePresentations(body))).toBe('presentation_malformed')
  })

  it('are told apart by party', () => {
    const { presented } = takePresentations({ presentations: { seller: 'a', buyer: ['b', 'c'] } })
    expect(presented).toEqual({
      by: 'parties',
      parties: { seller: { presentations: ['a'] }, buyer: { presentations: ['b', 'c'] } },
    })
  })
})

describe('what the gate seals', () => {
  const key = subkey(Buffer.from('secret'), 'session')

  it('opens under the same key and context only, and not when a bit was changed', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, at) => {
        const sealed = sealJson(key, value, 'one')
        expect(JSON.stringify(openJson(key, sealed, 'one'))).toBe(JSON.stringify(value))
        expect(openJson(key, sealed, 'two')).toBeUndefined()
        expect(openJson(subkey(Buffer.from('secret'), 'other'), sealed, 'one')).toBeUndefined()
        const changed = Buffer.from(sealed)
        const place = at % changed.length
        changed[place] = (changed[place] ?? 0) ^ 1
        expect(openJson(key, changed, 'one')).toBeUndefined()
        expect(openJson(key, sealed.subarray(0, at % sealed.length), 'one')).toBeUndefined()
      }),
    )
  })
})
