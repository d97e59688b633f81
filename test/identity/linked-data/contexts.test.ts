import { bundledContext, withSharedContexts } from '../../../src/identity/linked-data/contexts.ts'

const document = { '@context': { '@version': 1.1, x: 'https://a.example/ns#x' } }
const path = '/types/shared-test/1/context'

describe('contexts that every agency serves at its own address', () => {
  beforeAll(() => withSharedContexts({ [path]: document, '/contexts/shared-test/1': document }))

  it.each([
    'https://transport.example/types/shared-test/1/context',
    'http://localhost:3000/transport-authority/types/shared-test/1/context',
    'https://transport.example/contexts/shared-test/1',
  ])('are known at %s', url => {
    expect(bundledContext(url)).toEqual(document)
    expect(Object.isFrozen(bundledContext(url))).toBe(true)
  })

  it.each([
    'https://transport.example/types/shared-test/2/context',
    'https://transport.example/types/shared-test/1/context/',
    'https://transport.example/types/shared-test/1/context?v=2',
    'https://transport.example/?/types/shared-test/1/context',
    'https://transport.example/#/types/shared-test/1/context',
    'https:///types/shared-test/1/context',
    'urn:x/types/shared-test/1/context',
    '/types/shared-test/1/context',
    'https://transport.example/types/__proto__/1/context',
  ])('are not known at %s', url => {
    expect(bundledContext(url)).toBeUndefined()
  })

  it('never change', () => {
    withSharedContexts({ [path]: structuredClone(document) })
    expect(() => withSharedContexts({ [path]: { '@context': {} } })).toThrow('is known already, and is another')
    expect(bundledContext(`https://transport.example${path}`)).toEqual(document)
  })
})
