import fc from 'fast-check'
import { admits, classesOf, isPossible } from '../../../../src/plugins/cbdc/actions/purpose/classes.ts'
import { payeeCredentials } from '../../../../src/plugins/cbdc/purpose/policy.ts'

const business = (...codes: string[]) => ({
  licenceClass: 'retail',
  activities: codes.map(code => ({ scheme: 'NACE-2.1', code })),
})

describe('the classes of a payee', () => {
  test.each([
    ['G47.11', 'NACE-2.1:4711'],
    ['47.11', 'NACE-2.1:4711'],
    ['4711', 'NACE-2.1:4711'],
    ['47', 'NACE-2.1:47'],
  ])('are the digits of an activity however it is spelt: %s', (code, expected) => {
    expect(classesOf('BusinessLicence', business(code))).toEqual(['licence-class:retail', expected])
  })

  test('are those of a profession, with the occupation where it is stated', () => {
    const pharmacist = { profession: 'pharmacist', occupationCode: '2262' }
    expect(classesOf('ProfessionalLicence', pharmacist)).toEqual(['profession:pharmacist', 'ISCO-08:2262'])
    expect(classesOf('ProfessionalLicence', { profession: 'nurse' })).toEqual(['profession:nurse'])
  })

  test('are none where claims are not what their type says', () => {
    const wrong = { licenceClass: 7, activities: [{ scheme: 'OWN', code: '47' }, { scheme: 'ISIC-5' }] }
    expect(classesOf('BusinessLicence', wrong)).toEqual([])
    expect(classesOf('BusinessLicence', { activities: 'all' })).toEqual([])
  })

  test.each([
    ['BusinessLicence', 'profession:nurse', false],
    ['BusinessLicence', 'NACE-2.1:G47', false],
    ['BusinessLicence', 'NACE-2.1:47111', false],
    ['BusinessLicence', 'NACE-2.1:4', false],
    ['BusinessLicence', 'NACE-2.1:', false],
    ['BusinessLicence', 'retail', false],
    ['BusinessLicence', 'licence-class:Retail', false],
    ['ProfessionalLicence', 'licence-class:retail', false],
    ['BusinessLicence', 'ISIC-5:4711', true],
    ['ProfessionalLicence', 'ISCO-08:2262', true],
  ] as const)('of a %s can %s be: %s', (type, named, can) => {
    expect(isPossible(type, named)).toBe(can)
  })

  test('of a claim are always such as a programme could name', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[A-V]?[0-9]{2}(\.?[0-9]{1,2})?$/), fc.integer())
    const activity = fc.record({ scheme: fc.constantFrom('NACE-2', 'NACE-2.1', 'ISIC-4', 'x'), code: text })
    const claims = fc.record({ licenceClass: text, activities: fc.array(activity), profession: text })
    fc.assert(
      fc.property(claims, fc.constantFrom(...payeeCredentials), (given, type) =>
        classesOf(type, given).every(each => isPossible(type, each)),
      ),
    )
  })
})

describe('a programme', () => {
  const held = (...codes: string[]) => ({
    credentialType: 'BusinessLicence',
    classes: classesOf('BusinessLicence', business(...codes)),
  })
  const pays = (...classes: string[]) => [{ credentialType: 'BusinessLicence' as const, classes }]

  test('pays whoever is below the code it names', () => {
    expect(admits(pays('NACE-2.1:47'), held('47.11'))).toBe(true)
    expect(admits(pays('NACE-2.1:4711'), held('47.11'))).toBe(true)
    expect(admits(pays('NACE-2.1:56', 'licence-class:retail'), held('47.11'))).toBe(true)
  })

  test('pays nobody who is above it, beside it, in another classification, or of another type', () => {
    expect(admits(pays('NACE-2.1:4711'), held('47'))).toBe(false)
    expect(admits(pays('NACE-2.1:4712'), held('47.11'))).toBe(false)
    expect(admits(pays('NACE-2:47'), held('47.11'))).toBe(false)
    expect(admits(pays('licence-class:ret'), held('47.11'))).toBe(false)
    expect(admits([{ credentialType: 'ProfessionalLicence', classes: [] }], held('47.11'))).toBe(false)
    expect(admits([], held('47.11'))).toBe(false)
  })

  test('that names no class pays everybody with the credential', () => {
    expect(admits(pays(), { credentialType: 'BusinessLicence', classes: [] })).toBe(true)
  })

  test('never pays for a code unless it begins with one that is named', () => {
    const code = fc.stringMatching(/^[0-9]{2,4}$/)
    fc.assert(
      fc.property(code, code, (own, wanted) => {
        const classes = [`ISIC-5:${own}`]
        expect(admits(pays(`ISIC-5:${wanted}`), { credentialType: 'BusinessLicence', classes })).toBe(
          own.startsWith(wanted),
        )
      }),
    )
  })
})
