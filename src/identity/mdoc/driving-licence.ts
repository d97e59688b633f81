import { isRecord, malformed } from '../formats/json.ts'
import { drivingLicenceNamespace, drivingLicenceType } from './issuer-signed.ts'
import { fullDate } from './values.ts'

type Claims = Readonly<Record<string, unknown>>

/** Claims that are data elements of ISO/IEC 18013-5, section 7.2, table 5, as they stand. */
const texts: Readonly<Record<string, string>> = {
  familyName: 'family_name',
  givenName: 'given_name',
  issuingCountry: 'issuing_country',
  issuingAuthority: 'issuing_authority',
  licenceNumber: 'document_number',
  unDistinguishingSign: 'un_distinguishing_sign',
  issuingJurisdiction: 'issuing_jurisdiction',
  administrativeNumber: 'administrative_number',
}

const dates: Readonly<Record<string, string>> = {
  birthDate: 'birth_date',
  issueDate: 'issue_date',
  expiryDate: 'expiry_date',
}

/** Derived when the licence is issued. */
const ages: Readonly<Record<string, string>> = { ageOver18: 'age_over_18', ageOver21: 'age_over_21' }

const textOf = (claims: Claims, name: string): string => {
  const value = claims[name]
  if (typeof value !== 'string') throw malformed(`The driving licence lacks ${name}.`)
  return value
}

/** Whole years of age on the day of `at` (ms, UTC). */
const ageAt = (birthDate: string, at: number): number => {
  const today = new Date(at).toISOString()
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4))
  return today.slice(5, 10) < birthDate.slice(5) ? years - 1 : years
}

const codeOf = (code: Claims): Record<string, unknown> => ({
  code: textOf(code, 'code'),
  ...(code['sign'] === undefined ? {} : { sign: textOf(code, 'sign') }),
  ...(code['value'] === undefined ? {} : { value: textOf(code, 'value') }),
})

/** Table 7.2.4: one category of vehicles, with its dates and restrictions. */
const privilegeOf = (privilege: Claims): Record<string, unknown> => {
  const codes = privilege['codes'] as Claims[] | undefined
  return {
    vehicle_category_code: textOf(privilege, 'vehicleCategoryCode'),
    issue_date: fullDate(textOf(privilege, 'issueDate')),
    expiry_date: fullDate(textOf(privilege, 'expiryDate')),
    ...(codes === undefined || codes.length === 0 ? {} : { codes: codes.map(codeOf) }),
  }
}

/** JPEG is what section 7.2.2 knows beside JPEG 2000; PNG and WebP have no place in this namespace. */
const portraitOf = (portrait: unknown): Record<string, unknown> => {
  const match = typeof portrait === 'string' ? /^data:image\/jpeg;base64,([A-Za-z0-9+/]+={0,2})$/.exec(portrait) : null
  return match === null ? {} : { portrait: new Uint8Array(Buffer.from(match[1] ?? '', 'base64')) }
}

const birthPlaceOf = (place: unknown): Record<string, unknown> => {
  if (typeof place !== 'object' || place === null) return {}
  const { locality, region, country } = place as Record<string, unknown>
  return { birth_place: [locality, region, country].filter(part => typeof part === 'string').join(', ') }
}

/**
 * The data elements of a driving licence (schemas/driving-licence.v1.json) in the mDL namespace `org.iso.18013.5.1`
 * (ISO/IEC 18013-5, section 7.2, table 5), as `issueMdoc` takes them.
 *
 * Mandatory there, and not always to be had: `portrait` (optional in the schema, and here only if it is a JPEG) and
 * `un_distinguishing_sign` (optional in the schema). A licence without them is issued without them. The claims
 * `ageOver18`, `ageOver21` are not taken over: `age_over_NN` is derived from the date of birth. What has no data element in this
 * namespace stays out.
 * @param options.at time of issue (ms) as of which `age_over_NN` is true or false; reissue before one becomes true.
 * @param options.ages @default 16, 18, 21, 65
 * @throws Refusal malformed/credential_malformed for claims that the schema would refuse.
 */
export const drivingLicenceElements = (
  claims: Claims,
  options: { at: number; ages?: readonly number[] },
): Record<string, unknown> => {
  const { at, ages: years = [16, 18, 21, 65] } = options
  const present = (names: Readonly<Record<string, string>>) =>
    Object.entries(names).filter(([name]) => claims[name] !== undefined)
  const birthDate = textOf(claims, 'birthDate')
  const age = ageAt(birthDate, at)
  const privileges = claims['drivingPrivileges']
  if (!Array.isArray(privileges)) throw malformed('The driving licence lacks drivingPrivileges.')
  return {
    ...Object.fromEntries(present(texts).map(([name, element]) => [element, textOf(claims, name)])),
    ...Object.fromEntries(present(dates).map(([name, element]) => [element, fullDate(textOf(claims, name))])),
    driving_privileges: privileges.map(privilegeOf),
    ...portraitOf(claims['portrait']),
    ...birthPlaceOf(claims['birthPlace']),
    age_in_years: age,
    age_birth_year: Number(birthDate.slice(0, 4)),
    ...Object.fromEntries(years.map(each => [`age_over_${String(each).padStart(2, '0')}`, age >= each])),
  }
}

type Namespaces = Readonly<Record<string, Claims>>

/** Claims that table 5 has no element for, or not with all their parts: in the namespace of the country (section 7.2.8). */
const domestic: Readonly<Record<string, string>> = { birthPlace: 'birth_place', pseudonym: 'pseudonym' }
const isDomestic = /^org\.iso\.18013\.5\.1\.[A-Z]{2}$/

/** All data elements of a driving licence, by namespace. @throws Refusal malformed/credential_malformed */
export const drivingLicenceNamespaces = (claims: Claims, options: { at: number }): Namespaces => {
  const elements = { [drivingLicenceNamespace]: drivingLicenceElements(claims, options) }
  const named = Object.entries(domestic).filter(([claim]) => claims[claim] !== undefined)
  if (named.length === 0) return elements
  const ofCountry = Object.fromEntries(named.map(([claim, element]) => [element, claims[claim]]))
  return { ...elements, [`${drivingLicenceNamespace}.${textOf(claims, 'issuingCountry')}`]: ofCountry }
}

const isText = (value: unknown): value is string => typeof value === 'string'

/** A `full-date`, or the day of a `tdate`: either may stand in a date of table 5. */
const dayOf = (value: unknown): unknown => (isText(value) ? value.slice(0, 10) : value)

const members = (from: Claims, names: Readonly<Record<string, string>>, read = (value: unknown) => value): Claims =>
  Object.fromEntries(
    Object.entries(names).flatMap(([claim, element]) =>
      from[element] === undefined ? [] : [[claim, read(from[element])] as const],
    ),
  )

const privilegeIn = (value: unknown): unknown => {
  if (!isRecord(value)) return value
  const { codes } = value
  return {
    ...members(value, { vehicleCategoryCode: 'vehicle_category_code' }),
    ...members(value, { issueDate: 'issue_date', expiryDate: 'expiry_date' }, dayOf),
    ...(codes === undefined ? {} : { codes }),
  }
}

const isJpeg = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array && value[0] === 0xff && value[1] === 0xd8 && value[2] === 0xff

/**
 * The claims of a driving licence out of data elements that were shown. Elements that no claim stands for (`age_in_years`,
 * `birth_place`, which is one text there) are left out. Nothing is checked here: the schema of the type judges the claims.
 */
export const drivingLicenceClaims = (namespaces: Namespaces): Record<string, unknown> => {
  const elements = namespaces[drivingLicenceNamespace] ?? {}
  const ofCountry = Object.entries(namespaces).find(([name]) => isDomestic.test(name))?.[1] ?? {}
  const { driving_privileges: privileges, portrait } = elements
  return {
    ...members(elements, texts),
    ...members(elements, dates, dayOf),
    ...members(elements, ages),
    ...members(ofCountry, domestic),
    ...(Array.isArray(privileges) ? { drivingPrivileges: privileges.map(privilegeIn) } : {}),
    ...(isJpeg(portrait) ? { portrait: `data:image/jpeg;base64,${Buffer.from(portrait).toString('base64')}` } : {}),
  }
}

/** The licence as an mdoc. */
export const drivingLicence = {
  docType: drivingLicenceType,
  namespace: drivingLicenceNamespace,
  elements: { ...texts, ...dates, ...ages, drivingPrivileges: 'driving_privileges', portrait: 'portrait' },
  namespacesOf: drivingLicenceNamespaces,
  claimsOf: drivingLicenceClaims,
} as const
