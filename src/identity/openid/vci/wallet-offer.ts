import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import { isRecord, readJson } from '../../formats/json.ts'
import { isEndpoint, isIdentifier, isText, shownText, textsOf } from './wallet-reading.ts'

export const preAuthorizedGrant = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

/** What the citizen has to know to give a transaction code (OpenID4VCI 1.0, section 4.1.1). */
export type TxCodeForm = { inputMode: 'numeric' | 'text'; length?: number; description?: string }

/** A credential offer (OpenID4VCI 1.0, section 4.1.1). Nothing in it can be trusted: anybody may have written it. */
export type Offer = {
  issuer: string
  configurationIds: string[]
  /** Without one of them, what the authorization server supports. */
  authorizationCode?: { issuerState?: string; server?: string }
  preAuthorized?: { code: string; server?: string; txCode?: TxCodeForm }
}

/** What was handed in: the offer itself, or where it stands. */
export type OfferLink = { offer: Offer } | { reference: string }

const lengthMost = 16_384
const configurationsMost = 20
const codeMost = 4_096

const malformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'offer_malformed', detail, { cause })

const serverOf = (grant: Record<string, unknown>): { server?: string } => {
  const server = grant['authorization_server']
  if (server === undefined) return {}
  if (!isIdentifier(server)) throw malformed('The authorization_server of a grant is no URL of a server.')
  return { server }
}

const txCodeOf = (value: unknown): TxCodeForm | undefined => {
  if (value === undefined) return undefined
  if (!isRecord(value)) throw malformed('tx_code is an object, even if an empty one.')
  const { input_mode: inputMode = 'numeric', length, description } = value
  if (inputMode !== 'numeric' && inputMode !== 'text') throw malformed('The input_mode of tx_code is numeric or text.')
  if (length !== undefined && !(Number.isInteger(length) && Number(length) >= 1 && Number(length) <= 100)) {
    throw malformed('The length of tx_code is a whole number from 1 to 100.')
  }
  const shown = shownText(description)
  return {
    inputMode,
    ...(length === undefined ? {} : { length: Number(length) }),
    ...(shown === undefined ? {} : { description: shown }),
  }
}

const preAuthorizedOf = (grant: unknown): Offer['preAuthorized'] => {
  if (grant === undefined) return undefined
  if (!isRecord(grant)) throw malformed('A grant of an offer is an object.')
  const code = grant['pre-authorized_code']
  if (!isText(code, codeMost)) throw malformed('The grant for a pre-authorised code has none.')
  const txCode = txCodeOf(grant['tx_code'])
  return { code, ...serverOf(grant), ...(txCode === undefined ? {} : { txCode }) }
}

const authorizationCodeOf = (grant: unknown): Offer['authorizationCode'] => {
  if (grant === undefined) return undefined
  if (!isRecord(grant)) throw malformed('A grant of an offer is an object.')
  const issuerState = grant['issuer_state']
  if (issuerState !== undefined && !isText(issuerState, codeMost)) throw malformed('issuer_state is a text.')
  return { ...serverOf(grant), ...(issuerState === undefined ? {} : { issuerState }) }
}

/**
 * Reads an offer object; members that are not known are ignored.
 * @throws Refusal malformed/offer_malformed, rejected/grant_unsupported
 */
export const readOffer = (value: unknown): Offer => {
  if (!isRecord(value)) throw malformed('A credential offer is a JSON object.')
  const { credential_issuer: issuer, credential_configuration_ids: ids, grants = {} } = value
  if (!isIdentifier(issuer)) throw malformed('credential_issuer is an https URL without query and fragment.')
  const configurationIds = textsOf(ids, configurationsMost)
  if (configurationIds === undefined || new Set(configurationIds).size < configurationIds.length) {
    throw malformed(`credential_configuration_ids are one to ${configurationsMost} different texts.`)
  }
  if (!isRecord(grants)) throw malformed('The grants of an offer are an object.')
  const preAuthorized = preAuthorizedOf(grants[preAuthorizedGrant])
  const authorizationCode = authorizationCodeOf(grants['authorization_code'])
  const named = Object.keys(grants).length > 0
  if (named && preAuthorized === undefined && authorizationCode === undefined) {
    const detail = 'The issuer offers no grant that this wallet knows: a pre-authorised or an authorisation code.'
    throw new Refusal('rejected', 'grant_unsupported', detail)
  }
  return {
    ...{ issuer, configurationIds },
    ...(preAuthorized === undefined ? {} : { preAuthorized }),
    ...(authorizationCode === undefined ? {} : { authorizationCode }),
  }
}

/** @throws Refusal malformed/offer_malformed */
export const readOfferText = (text: string): Offer => {
  if (text.length > lengthMost) throw malformed('The credential offer is too long.')
  let value: unknown
  try {
    value = readJson(text, 'credential offer')
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
    throw malformed('The credential offer is not JSON that can be read.', cause)
  }
  return readOffer(value)
}

const schemes = ['openid-credential-offer:', 'haip-vci:', 'https:', 'http:']

/**
 * Reads the link that a QR code or a page gives: `openid-credential-offer://`, `haip-vci://` (HAIP 1.0, section 4.2) or a
 * wallet's own https address, with the offer by value or by reference; or the JSON of an offer.
 * @throws Refusal malformed/offer_malformed, rejected/grant_unsupported
 */
export const readOfferLink = (text: string): OfferLink => {
  if (text.length > lengthMost) throw malformed('The credential offer is too long.')
  const link = text.trim()
  if (link.startsWith('{')) return { offer: readOfferText(link) }
  if (!URL.canParse(link)) throw malformed('This is no link of a credential offer.')
  const { protocol, searchParams } = new URL(link)
  if (!schemes.includes(protocol)) throw malformed('A credential offer begins with openid-credential-offer://.')
  const values = searchParams.getAll('credential_offer')
  const references = searchParams.getAll('credential_offer_uri')
  if (values.length + references.length !== 1) {
    throw malformed('A credential offer has either credential_offer or credential_offer_uri, once.')
  }
  const [reference] = references
  if (reference === undefined) return { offer: readOfferText(values[0] ?? '') }
  if (!isEndpoint(reference)) throw malformed('credential_offer_uri is an https URL.')
  return { reference }
}
