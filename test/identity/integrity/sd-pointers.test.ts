import fc from 'fast-check'
import { assertSelection, pointerTokens, selectByPointers } from '../../../src/identity/integrity/sd-pointers.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'

const document = {
  '@context': ['https://www.w3.org/ns/credentials/v2', { '@vocab': 'https://example.org/' }],
  id: 'urn:uuid:1',
  type: ['VerifiableCredential', 'Licence'],
  issuer: { id: 'did:example:issuer', name: 'Road authority', seal: null },
  credentialSubject: {
    id: '_:holder',
    type: 'Driver',
    name: 'Ada',
    '': 'empty',
    'a/b': { 'm~n': 8 },
    '0': 'a member, not an item',
    valid: false,
    vehicles: [{ id: 'urn:v:0', type: 'Car', plate: 'A', wheels: 4 }, { type: 'Bike', plate: 'B' }, [1, 2]],
    codes: ['x', 'y', 'z'],
  },
}
const selected = (...pointers: string[]) => selectByPointers(document, pointers)
const shown = { '@context': document['@context'], id: document.id, type: document.type }
const subject = (members: Record<string, unknown>) => ({
  ...shown,
  credentialSubject: { type: 'Driver', ...members },
})

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'chosen'
  } catch (error) {
    if (error instanceof Refusal) return `${error.kind}/${error.code}`
    throw error
  }
}

describe('JSON pointers (RFC 6901)', () => {
  it.each([
    ['', []],
    ['/', ['']],
    ['/a/b', ['a', 'b']],
    ['/a~1b', ['a/b']],
    ['/m~0n', ['m~n']],
    ['/~01', ['~1']],
    ['/0', ['0']],
    ['/ /%25', [' ', '%25']],
  ])('%j is read token by token (section 4)', (pointer, tokens) => {
    expect(pointerTokens(pointer)).toEqual(tokens)
  })

  it.each([
    'a',
    'a/b',
    '#/a',
    '/~',
    '/~2',
    '/a~',
    '/@context',
    '/@context/1',
    '/credentialSubject/@context',
    '/__proto__',
    '/a/__proto__/b',
  ])('%j is refused', pointer => {
    expect(codeOf(() => selected(pointer))).toBe('malformed/pointer_malformed')
  })

  it('are bounded in length and number', () => {
    expect(codeOf(() => selected(`/${'a'.repeat(1024)}`))).toBe('malformed/pointer_malformed')
    expect(codeOf(() => selected(...Array(257).fill('/issuer')))).toBe('malformed/pointer_malformed')
    expect(codeOf(() => selected(...Array(256).fill('/issuer')))).toBe('chosen')
  })

  it.each([
    '/nothing',
    '/issuer/nothing',
    '/issuer/name/0',
    '/issuer/seal/0',
    '/type/2',
    '/type/-',
    '/type/00',
    '/type/01',
    '/type/1e0',
    '/type/length',
    '/credentialSubject/vehicles/plate',
    '/credentialSubject/constructor',
    '/credentialSubject/codes/3',
  ])('%j leads to nothing and is refused (vc-di-ecdsa 3.4.12)', pointer => {
    expect(codeOf(() => selected(pointer))).toBe('rejected/pointer_unmatched')
  })
})

describe('a selection by JSON pointers (vc-di-ecdsa 3.4.13)', () => {
  it('is nothing without pointers, and nothing to derive from', () => {
    expect(selected()).toBeUndefined()
    expect(codeOf(() => assertSelection([]))).toBe('malformed/pointer_malformed')
  })

  it('is the whole document for the empty pointer', () => {
    expect(selected('')).toEqual(document)
    expect(selected('/issuer', '', '/type/0')).toEqual(document)
  })

  it.each([
    ['/issuer', { ...shown, issuer: document.issuer }],
    ['/issuer/name', { ...shown, issuer: { id: 'did:example:issuer', name: 'Road authority' } }],
    ['/issuer/seal', { ...shown, issuer: { id: 'did:example:issuer', seal: null } }],
    ['/type', shown],
    ['/credentialSubject/name', subject({ name: 'Ada' })],
    ['/credentialSubject/', subject({ '': 'empty' })],
    ['/credentialSubject/0', subject({ '0': 'a member, not an item' })],
    ['/credentialSubject/valid', subject({ valid: false })],
    ['/credentialSubject/a~1b/m~0n', subject({ 'a/b': { 'm~n': 8 } })],
    ['/credentialSubject/codes', subject({ codes: ['x', 'y', 'z'] })],
    ['/credentialSubject/codes/2', subject({ codes: ['z'] })],
    ['/credentialSubject/vehicles/2/1', subject({ vehicles: [[2]] })],
    ['/credentialSubject/vehicles/0/plate', subject({ vehicles: [{ id: 'urn:v:0', type: 'Car', plate: 'A' }] })],
    ['/credentialSubject/vehicles/1', subject({ vehicles: [{ type: 'Bike', plate: 'B' }] })],
  ])('%j brings ids and types of what is on its way, and no blank node identifiers (3.4.11)', (pointer, expected) => {
    expect(selected(pointer)).toEqual(expected)
  })

  it('keeps the order of an array, whatever the order of the pointers', () => {
    const both = subject({ codes: ['x', 'z'] })
    expect(selected('/credentialSubject/codes/2', '/credentialSubject/codes/0')).toEqual(both)
    expect(selected('/credentialSubject/codes/0', '/credentialSubject/codes/2')).toEqual(both)
  })

  it('is the same for a part and the part around it, in either order', () => {
    const around = selected('/credentialSubject/vehicles')
    expect(selected('/credentialSubject/vehicles/0/plate', '/credentialSubject/vehicles')).toEqual(around)
    expect(selected('/credentialSubject/vehicles', '/credentialSubject/vehicles/0/plate')).toEqual(around)
  })

  it('takes nothing from the document but copies', () => {
    const before = structuredClone(document)
    const copy = selected('/credentialSubject/vehicles', '/issuer') as typeof document
    copy.credentialSubject.vehicles.length = 0
    copy.issuer.name = 'changed'
    copy['@context'].pop()
    copy.type.pop()
    expect(document).toEqual(before)
  })

  it('shows what the pointers choose, and of the rest only ids and types', () => {
    const leaves = [
      '/issuer/name',
      '/credentialSubject/name',
      '/credentialSubject/codes/0',
      '/credentialSubject/codes/1',
      '/credentialSubject/vehicles/0/plate',
      '/credentialSubject/vehicles/0/wheels',
      '/credentialSubject/vehicles/1/plate',
    ]
    const at = (value: unknown, pointer: string) =>
      pointerTokens(pointer).reduce<unknown>((part, token) => (part as Record<string, unknown>)?.[token], value)
    fc.assert(
      fc.property(fc.subarray(leaves, { minLength: 1 }), fc.infiniteStream(fc.nat()), (pointers, numbers) => {
        const shuffled = pointers
          .map(pointer => ({ pointer, key: numbers.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ pointer }) => pointer)
        const text = JSON.stringify(selected(...shuffled))
        for (const leaf of leaves) {
          const value = JSON.stringify(at(document, leaf))
          expect(text.includes(`:${value}`) || text.includes(`[${value}`) || text.includes(`,${value}`)).toBe(
            pointers.includes(leaf),
          )
        }
      }),
    )
  })
})
