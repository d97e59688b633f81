import fc from 'fast-check'
import { canonicalAlias, decoyName, isMasked, limits, maskName } from '../../../src/plugins/aliases/policy.ts'

const name = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 40 }))

describe('a masked name', () => {
  it.each([
    ['Amara', 'Okafor', 'A*** O.'],
    ['Ng', 'O', 'N*** O.'],
    ['ämilia josefine', 'von Österreich', 'Ä*** V.'],
    ['A\u0308mil', 'd’Arc', 'Ä*** D.'],
    ['’Aisha', '  ibn Sina', 'A*** I.'],
    ['ßen', 'ŉa', 'S*** ʼ.'],
    ['李', '小龙', '李*** 小.'],
    ['محمد', 'علي', 'م*** ع.'],
    ['', '12', '**** *.'],
  ])('of %j %j is %j', (given, family, masked) => {
    expect(maskName({ given, family })).toBe(masked)
    expect(isMasked(masked)).toBe(true)
  })

  it('shows two letters at most, and neither the length of the names nor anything behind their initials', () => {
    fc.assert(
      fc.property(name, name, fc.string(), fc.string(), (given, family, more, others) => {
        const masked = maskName({ given, family })
        expect([...masked]).toHaveLength(7)
        expect(masked.replace(/\p{L}/gu, '').replace(/[* .]/g, '')).toBe('')
        expect(isMasked(masked)).toBe(true)
        if (/\p{L}/u.test(given.normalize('NFC')) && /\p{L}/u.test(family.normalize('NFC'))) {
          // A letter begins no new character together with what follows it but by a combining mark.
          const tail = (text: string) => `x${text}`
          expect(maskName({ given: `${given}${tail(more)}`, family: `${family}${tail(others)}` })).toBe(masked)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is recognised, and nothing that shows more is', () => {
    fc.assert(
      fc.property(name, text => {
        if (isMasked(text)) expect([...text]).toHaveLength(7)
      }),
    )
    for (const text of ['Amara Okafor', 'A*** Okafor', 'A*** O', 'A** O.', 'a*** O.', 'A*** O. ', '1*** O.', '']) {
      expect(isMasked(text)).toBe(false)
    }
  })
})

describe('the name of nobody', () => {
  it('looks like a masked name and is the same for the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes => {
        const decoy = decoyName(bytes)
        expect(isMasked(decoy)).toBe(true)
        expect(decoy).toMatch(/^[A-Z]\*{3} [A-Z]\.$/)
        expect(decoyName(Buffer.from(bytes))).toBe(decoy)
      }),
    )
  })

  it('takes its letters from those of the nation', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), bytes => {
        expect(decoyName(bytes, 'مع')).toMatch(/^[مع]\*{3} [مع]\.$/)
      }),
    )
  })
})

describe('the canonical form of an alias', () => {
  it.each([
    ['phone', '+999 12 345-678', '+99912345678'],
    ['phone', '+1 (555) 010.0000', '+15550100000'],
    ['national-id', ' 900417-2381 ', '900417-2381'],
    ['national-id', 'AB 12', 'AB 12'],
  ] as const)('of the %s %j is %j', (kind, text, canonical) => {
    expect(canonicalAlias(kind, text)).toBe(canonical)
  })

  it.each([
    ['phone', '099912345678'],
    ['phone', '0099912345678'],
    ['phone', '+0991234567'],
    ['phone', '+123456'],
    ['phone', '+1234567890123456'],
    ['phone', '+٩٩٩١٢٣٤٥٦٧٨'],
    ['phone', '+99912345678;ext=1'],
    ['phone', ''],
    ['national-id', ''],
    ['national-id', '-1'],
    ['national-id', 'a'.repeat(65)],
    ['national-id', '9004\u200b17'],
  ] as const)('of the %s %j is refused', (kind, text) => {
    expect(() => canonicalAlias(kind, text)).toThrow(expect.objectContaining({ code: 'alias_malformed' }))
  })

  it('is its own canonical form, and two national ids never become one', () => {
    const digits = fc.array(fc.constantFrom(...'0123456789 .-()'), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(digits, parts => {
        const text = `+1${parts.join('')}5550100`
        if (text.replace(/\D/g, '').length > 15) return
        const canonical = canonicalAlias('phone', text)
        expect(canonicalAlias('phone', canonical)).toBe(canonical)
      }),
    )
    expect(canonicalAlias('national-id', '90-1')).not.toBe(canonicalAlias('national-id', '901'))
  })
})

describe('the limits', () => {
  it('let nobody try a country’s phone numbers within a year', () => {
    const phones = 100_000_000
    for (const { lookup, evaluation, registration } of [limits.institution, limits.citizen]) {
      for (const perDay of [lookup, evaluation, registration]) expect(phones / perDay).toBeGreaterThan(365)
    }
  })
})
