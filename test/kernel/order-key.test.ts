import fc from 'fast-check'
import { orderKey, sameOrder } from '../../src/kernel/order-key.ts'

const order = { authority: 'High Court of Straße', reference: 'HC-2026-17 b' }

describe('an order', () => {
  it.each([
    ['case', { ...order, reference: 'hc-2026-17 B' }],
    ['white space', { authority: '  High\u00a0Court \t of Straße\n', reference: 'HC-2026-17   b' }],
    ['compatibility forms', { ...order, reference: 'ＨＣ-２０２６-17 b' }],
    ['combining marks', { authority: 'High Court of Straße', reference: 'HC-2026-17 b'.normalize('NFD') }],
    ['sharp s', { ...order, authority: 'HIGH COURT OF STRASSE' }],
    ['capital sharp s', { ...order, authority: 'HIGH COURT OF STRAẞE' }],
    ['what is not seen', { ...order, reference: 'HC\u200b-2026\u00ad-17 b' }],
  ])('is the same in another spelling: %s', (_, spelt) => {
    expect(sameOrder(order, spelt)).toBe(true)
  })

  it.each([
    ['another number', { ...order, reference: 'HC-2026-18 b' }],
    ['another authority', { ...order, authority: 'High Court of Strasburg' }],
    ['no space', { ...order, reference: 'HC-2026-17b' }],
    ['an accent', { ...order, authority: 'High Court of Straßé' }],
  ])('is another with %s', (_, other) => {
    expect(sameOrder(order, other)).toBe(false)
  })

  it('has a key that is its own key', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 })
    fc.assert(
      fc.property(text, text, (authority, reference) => {
        const key = orderKey({ authority, reference })
        expect(orderKey(key)).toEqual(key)
        expect(orderKey({ authority: ` ${authority}\u3000`, reference: reference.normalize('NFD') })).toEqual(key)
      }),
    )
  })
})
