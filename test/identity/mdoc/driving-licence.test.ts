import { readFileSync } from 'node:fs'
import { drivingLicence, drivingLicenceElements } from '../../../src/identity/mdoc/driving-licence.ts'
import { openMdoc, verifyIssuer } from '../../../src/identity/mdoc/issuer-signed.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'
import { at, openOffice } from './fixture.ts'

const schema = JSON.parse(readFileSync(new URL('../../../schemas/driving-licence.v1.json', import.meta.url), 'utf8'))
const licence: Record<string, unknown> = schema.example
const jpeg = `data:image/jpeg;base64,${Buffer.of(0xff, 0xd8, 0xff, 0xe0).toString('base64')}`

const agesAt = (birthDate: string, day: string) => {
  const elements = drivingLicenceElements({ ...licence, birthDate }, { at: Date.parse(day), ages: [18] })
  return [elements['age_in_years'], elements['age_over_18']]
}

describe('a driving licence as mDL (ISO/IEC 18013-5, section 7.2)', () => {
  it('has the data elements of table 5 that the licence has claims for', async () => {
    const office = await openOffice()
    const elements = drivingLicenceElements({ ...licence, portrait: jpeg, administrativeNumber: 'A-7' }, { at })
    const mdoc = openMdoc(await office.issue({ namespaces: { [drivingLicence.namespace]: elements } }))
    await verifyIssuer(mdoc, { issuers: office.issuers, at })
    expect(mdoc.docType).toBe(drivingLicence.docType)
    expect(mdoc.namespaces[drivingLicence.namespace]).toEqual({
      family_name: 'Okafor',
      given_name: 'Amara',
      birth_date: '1990-04-17',
      issue_date: '2026-02-03',
      expiry_date: '2036-02-02',
      issuing_country: 'XN',
      issuing_authority: 'Transport Agency',
      document_number: 'DL-2026-004417',
      un_distinguishing_sign: 'XN',
      administrative_number: 'A-7',
      birth_place: 'Port Verity, XN',
      portrait: Uint8Array.of(0xff, 0xd8, 0xff, 0xe0),
      driving_privileges: [
        { vehicle_category_code: 'AM', issue_date: '2008-05-12', expiry_date: '2036-02-02' },
        {
          ...{ vehicle_category_code: 'B', issue_date: '2010-06-21', expiry_date: '2036-02-02' },
          codes: [{ code: '01.06' }, { code: '78' }],
        },
      ],
      age_in_years: 35,
      age_birth_year: 1990,
      ...{ age_over_16: true, age_over_18: true, age_over_21: true, age_over_65: false },
    })
  })

  it.each([
    ['the day before', '2008-03-12', '2026-03-11', [17, false]],
    ['the day', '2008-03-11', '2026-03-11', [18, true]],
    ['the 28th of February for the 29th', '2008-02-29', '2026-02-28', [17, false]],
    ['the 1st of March for the 29th', '2008-02-29', '2026-03-01', [18, true]],
  ])('comes of age on %s', (_title, birthDate, day, expected) => {
    expect(agesAt(birthDate, day)).toEqual(expected)
  })

  it('does not take over what the licence claims about ages', () => {
    const elements = drivingLicenceElements({ ...licence, birthDate: '2015-01-01', ageOver18: true }, { at })
    expect(elements['age_over_18']).toBe(false)
  })

  it('leaves out a portrait that is no JPEG, and what has no data element', () => {
    const pseudonym = { domain: 'd', value: 'v' }
    const elements = drivingLicenceElements({ ...licence, portrait: 'data:image/png;base64,AAAA', pseudonym }, { at })
    expect(elements).not.toHaveProperty('portrait')
    expect(Object.keys(elements).filter(name => /pseudonym|^id$/.test(name))).toEqual([])
  })

  it.each([
    ['no date of birth', { birthDate: undefined }],
    ['a date that is none', { birthDate: '1990-02-30' }],
    ['no privileges', { drivingPrivileges: undefined }],
    ['a privilege without category', { drivingPrivileges: [{ issueDate: '2020-01-01', expiryDate: '2030-01-01' }] }],
    ['a name that is no text', { familyName: 7 }],
  ])('refuses claims with %s', (_title, change) => {
    expect(() => drivingLicenceElements({ ...licence, ...change }, { at })).toThrow(Refusal)
  })
})
