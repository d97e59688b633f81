import { isRecord } from '../../../kernel/record.ts'
import { detailsInvalid } from './errors.ts'

const lengthMost = 16_384
const detailsMost = 32

const parsed = (text: string): unknown => {
  if (text.length > lengthMost) throw detailsInvalid('The authorization_details are too long.')
  try {
    return JSON.parse(text)
  } catch {
    throw detailsInvalid('The authorization_details are not JSON.')
  }
}

/**
 * Configuration ids out of `authorization_details` (RFC 9396; OpenID4VCI 1.0, section 5.1.1). Data fields that are not known are
 * passed over, as that section has it; types are not (RFC 9396, section 5).
 * @throws Refusal malformed/invalid_authorization_details
 */
export const readDetails = (
  text: string,
  known: { issuer: string; isConfiguration: (id: string) => boolean },
): string[] => {
  const details = parsed(text)
  if (!Array.isArray(details) || details.length === 0 || details.length > detailsMost) {
    throw detailsInvalid(`The authorization_details are a list of one to ${detailsMost} objects.`)
  }
  const ids = details.map((detail: unknown) => {
    if (!isRecord(detail) || detail['type'] !== 'openid_credential') {
      throw detailsInvalid('Authorization details are of the type openid_credential.')
    }
    const { credential_configuration_id: id, locations, claims } = detail
    if (typeof id !== 'string' || !known.isConfiguration(id)) {
      throw detailsInvalid('A credential_configuration_id is none of the issuer metadata.')
    }
    if (locations !== undefined && !(Array.isArray(locations) && locations.includes(known.issuer))) {
      throw detailsInvalid('The locations of authorization details have to name this credential issuer.')
    }
    if (claims !== undefined && !(Array.isArray(claims) && claims.length > 0 && claims.every(isRecord))) {
      throw detailsInvalid('The claims of authorization details are a list of claims descriptions.')
    }
    return id
  })
  return [...new Set(ids)]
}
