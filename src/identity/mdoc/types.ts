import { drivingLicence } from './driving-licence.ts'

type Namespaces = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** How a credential type is written as an mdoc. */
export type MdocMapping = {
  docType: string
  namespace: string
  /** Claims that have a data element of their own: the names of claims, and those of their elements. */
  elements: Readonly<Record<string, string>>
  /**
   * Data elements for the claims, by namespace.
   * @param options.at time of issue (ms).
   * @throws Refusal malformed/credential_malformed
   */
  namespacesOf(claims: Readonly<Record<string, unknown>>, options: { at: number }): Namespaces
  /** Claims out of the data elements that were shown. */
  claimsOf(namespaces: Namespaces): Record<string, unknown>
}

/**
 * Types that have a document type of ISO/IEC 18013-5, by id and version. The mapping stands in code: a released type file
 * is never edited, and what an element is made of is more than a name.
 */
const mappings: Readonly<Record<string, MdocMapping>> = { 'DrivingLicence 1': drivingLicence }

export const mdocMappingOf = ({ id, version }: { id: string; version: number }): MdocMapping | undefined => {
  const name = `${id} ${version}`
  return Object.hasOwn(mappings, name) ? mappings[name] : undefined
}
