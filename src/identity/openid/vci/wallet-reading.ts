import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import { isRecord, readJson } from '../../formats/json.ts'

/** Reads what strangers send to a wallet: whatever is not there in the form it must have is a refusal by name. */

export const textMost = 2_048

const wrong = (detail: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'issuer_answer_malformed', detail, { cause })

/** @throws Refusal rejected/issuer_answer_malformed */
export const objectIn = (text: string, what: string): Record<string, unknown> => {
  let value: unknown
  try {
    value = readJson(text, what)
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
    throw wrong(`The ${what} is not JSON that can be read: ${cause.message}`, cause)
  }
  if (!isRecord(value)) throw wrong(`The ${what} is not a JSON object.`)
  return value
}

export const isText = (value: unknown, most = textMost): value is string =>
  typeof value === 'string' && value !== '' && value.length <= most

/** A list of texts; anything else counts as not given. */
export const textsOf = (value: unknown, most = 100): string[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.length <= most && value.every(each => isText(each))
    ? (value as string[])
    : undefined

/** Of a text that is only shown: cut to what fits, control characters taken out. */
export const shownText = (value: unknown, most = 300): string | undefined => {
  if (typeof value !== 'string') return undefined
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  const text = value.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim()
  return text === '' ? undefined : text.slice(0, most)
}

/** What a stranger's error says in ASCII (RFC 6749, section 5.2). */
export const errorIn = (body: Record<string, unknown>): { error: string; description?: string } => {
  const ascii = (value: unknown, most: number): string | undefined =>
    shownText(value, most)?.replace(/[^\x20-\x7e]/g, '?')
  const description = ascii(body['error_description'], 300)
  return { error: ascii(body['error'], 100) ?? 'unknown', ...(description === undefined ? {} : { description }) }
}

/** Where nothing may be added: scheme, host, port and path (OpenID4VCI 1.0, section 12.2.1; RFC 8414, section 2). */
export const isIdentifier = (value: unknown): value is string => {
  if (!isText(value) || !URL.canParse(value)) return false
  const { protocol, search, hash, username, password } = new URL(value)
  if (!(protocol === 'https:' || protocol === 'http:') || /[?#\s]/.test(value)) return false
  return search + hash + username + password === ''
}

/** An endpoint may have a query. Whether its host may be asked is judged when it is. */
export const isEndpoint = (value: unknown): value is string => {
  if (!isText(value) || !URL.canParse(value)) return false
  const { protocol, hash, username, password } = new URL(value)
  return (protocol === 'https:' || protocol === 'http:') && hash + username + password === ''
}

/** Where the metadata of an identifier stand: the well-known name goes between host and path (OpenID4VCI 1.0, section 12.2.2). */
export const wellKnown = (identifier: string, name: string): string => {
  const { origin, pathname } = new URL(identifier)
  return `${origin}/.well-known/${name}${pathname === '/' ? '' : pathname}`
}

/** Those of an authorization server: a slash that closes its path is left out (RFC 8414, section 3.1). */
export const serverMetadataUrl = (issuer: string): string =>
  wellKnown(issuer, 'oauth-authorization-server').replace(/\/$/, '')
