import { redirectForbidden } from './errors.ts'
import type { RegisteredClient } from './needs.ts'
import { walletSchemes } from './policy.ts'

const lengthMost = 2_048
/** What two readers of URLs could read differently: controls, spaces, backslashes, quotes, and what is not ASCII. */
const plain = /^[\x21\x23-\x26\x28-\x3B\x3D\x3F-\x5B\x5D\x5F\x61-\x7A\x7E]+$/
const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

const withoutPort = (url: string): string => url.replace(/^(http:\/\/(?:127\.0\.0\.1|\[::1\])):\d{1,5}(?=[/?]|$)/, '$1')

const schemeOf = (uri: string): string => /^[a-z][a-z0-9+.-]*:/.exec(uri)?.[0] ?? ''

const assertForm = (uri: string): URL => {
  if (uri.length > lengthMost || !plain.test(uri) || !URL.canParse(uri) || schemeOf(uri) === '') {
    throw redirectForbidden('The redirect_uri is not an absolute URI in ASCII, with its scheme in lower case.')
  }
  const url = new URL(uri)
  if (uri.includes('#')) throw redirectForbidden('A redirect_uri has no fragment (RFC 6749, section 3.1.2).')
  if (url.username !== '' || url.password !== '' || /^[^/?]*:\/\/[^/?]*@/.test(uri)) {
    throw redirectForbidden('A redirect_uri names nobody before its host.')
  }
  return url
}

const assertWeb = (uri: string, { protocol, hostname, origin }: URL): void => {
  // What comes after the scheme has to be the host as it is read: `https:/host` and `https:host` are not.
  if (!uri.startsWith(`${protocol}//`) || !(uri === origin || /^[/?]/.test(uri.slice(origin.length)))) {
    throw redirectForbidden('Write the host of the redirect_uri as it is, in lower case and without a default port.')
  }
  if (!uri.startsWith(origin)) throw redirectForbidden('Write the host of the redirect_uri as it is, in lower case.')
  // The host stands in the policy of the page, where these end a directive.
  if (/[;,]/.test(hostname)) throw redirectForbidden('The host of a redirect_uri has no semicolon or comma.')
  if (protocol === 'https:' || loopback.has(hostname)) return
  throw redirectForbidden('A redirect_uri is https, or on the device itself (RFC 8252, section 7.3).')
}

/**
 * That an answer may go to this address (RFC 6749, section 3.1.2; RFC 8252, sections 7 and 8; RFC 9700, section 2.1). Of a wallet
 * that is registered the very addresses it registered, where the port of a loopback address does not count.
 * @param client.vouched for whom a provider of wallets vouches, and who may name any app.
 * @throws Refusal malformed/redirect_forbidden
 */
export const assertRedirect = (
  uri: string,
  client: { registered: RegisteredClient | undefined; vouched: boolean },
): void => {
  const url = assertForm(uri)
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:'
  if (isWeb) assertWeb(uri, url)
  const { registered, vouched } = client
  if (registered !== undefined) {
    const known = registered.redirectUris.some(each => each === uri || withoutPort(each) === withoutPort(uri))
    if (known) return
    throw redirectForbidden('The wallet registered no such redirect_uri; they are compared letter by letter.')
  }
  if (isWeb) return
  const scheme = schemeOf(uri)
  if (dangerous.has(scheme)) throw redirectForbidden('The scheme of the redirect_uri opens no app.')
  if (vouched || walletSchemes.has(scheme) || scheme.includes('.')) return
  throw redirectForbidden(
    'The scheme of a redirect_uri that nobody registered is the name of a domain the wrong way round.',
  )
}

/** Schemes that a browser, and no app of somebody, acts upon. */
const dangerous: ReadonlySet<string> = new Set([
  ...['javascript:', 'vbscript:', 'data:', 'blob:', 'file:', 'filesystem:', 'about:', 'view-source:', 'intent:'],
  ...['ftp:', 'ws:', 'wss:', 'mailto:', 'tel:', 'sms:', 'chrome:', 'resource:', 'jar:'],
])

/** RFC 6749, section 4.1.2: parameters are added to the query, whatever it has. */
export const redirectTo = (uri: string, parameters: Readonly<Record<string, string | undefined>>): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value)
  const joint = uri.includes('?') ? (/[?&]$/.test(uri) ? '' : '&') : '?'
  return `${uri}${joint}${query}`
}

/** As people know it: the host of a page, or the app behind a scheme. */
export const destinationOf = (uri: string): string => {
  const { protocol, host } = new URL(uri)
  return protocol === 'https:' || protocol === 'http:' ? host : `the app behind ${protocol}`
}

/** What the policy of a page has to allow so that its form may end there. */
export const formTargetOf = (uri: string): string => {
  const { protocol, origin } = new URL(uri)
  return protocol === 'https:' || protocol === 'http:' ? origin : protocol
}
