import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { didWebFor } from '../did-web.ts'

/** A did:webvh in its parts. */
export type WebvhDid = {
  did: string
  scid: string
  /** Host and port as they stand in a URL. */
  authority: string
  /** Percent-encoded parts of the path. */
  path: readonly string[]
}

/** Base58-btc of the multihash of SHA-256: 34 octets that begin with 12 20. */
export const hashForm = /^Qm[1-9A-HJ-NP-Za-km-z]{44}$/

const domainForm = /^((?:[A-Za-z0-9.-]|%[0-9A-Fa-f]{2})+?)(?:%3[Aa]([0-9]{1,5}))?$/
const segmentForm = /^(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+$/
const labelForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const partsMost = 18

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** A name that URL parsers take for an IPv4 address ends in a number. */
const isNumeric = (label: string): boolean => /^(?:[0-9]+|0x[0-9a-f]*)$/.test(label)

/** A fully qualified domain name after IDNA; a single label only where the configuration names exactly that host. */
const hostOf = (encoded: string, localHosts: readonly string[]): string | undefined => {
  const name = decoded(encoded)?.normalize('NFC')
  if (name === undefined || /[\s:/?#@\\[\]%]|\p{Cc}/u.test(name)) return undefined
  const host = domainToASCII(name)
  const labels = host.split('.')
  const isName = labels.every(label => labelForm.test(label)) && host.length <= 253
  if (!isName || isIP(host) !== 0 || isNumeric(labels.at(-1) as string)) return undefined
  const isLocal = labels.length === 1 || host.endsWith('.localhost')
  return isLocal && !localHosts.includes(host) ? undefined : host
}

const portOf = (text: string | undefined): string | undefined => {
  if (text === undefined) return ''
  const port = Number(text)
  return port >= 1 && port <= 65_535 ? `:${port}` : undefined
}

/** RFC 3986: unreserved characters as they are, all else in upper-case hexadecimal. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

const segmentOf = (text: string): string | undefined => {
  const name = segmentForm.test(text) ? decoded(text) : undefined
  if (name === undefined || name === '' || name === '.' || name === '..') return undefined
  return /[/\\\0]/.test(name) || name.trim() !== name ? undefined : encoded(name)
}

/**
 * did:webvh 1.0, Method-Specific Identifier.
 * @param localHosts hosts without a domain that may be meant, for the demo.
 * @returns undefined for what is no did:webvh.
 */
export const parseWebvhDid = (did: string, localHosts: readonly string[] = []): WebvhDid | undefined => {
  const [scheme, method, scid = '', domain = '', ...segments] = did.length > 1_024 ? [] : did.split(':')
  if (scheme !== 'did' || method !== 'webvh' || !hashForm.test(scid) || segments.length > partsMost) return undefined
  const [, name, digits] = domainForm.exec(domain) ?? []
  const host = name === undefined ? undefined : hostOf(name, localHosts)
  const port = portOf(digits)
  const path = segments.map(segmentOf)
  if (host === undefined || port === undefined || path.includes(undefined)) return undefined
  return { did, scid, authority: `${host}${port}`, path: path as string[] }
}

/** Hosts of the origins that may be http, for the demo: with them alone a name without a domain is one. */
export const localHostsOf = (origins: readonly string[] = []): string[] =>
  origins.map(origin => new URL(origin).hostname)

/** The DID to HTTPS Transformation; https, or http where exactly that origin is configured. Ends in a slash. */
export const webvhBase = ({ authority, path }: WebvhDid, allowedHttpOrigins: readonly string[] = []): string => {
  const scheme = allowedHttpOrigins.includes(`http://${authority}`) ? 'http' : 'https'
  return `${scheme}://${authority}/${path.map(part => `${part}/`).join('')}`
}

/** Where the log, and the proofs of its witnesses, stand. */
export const webvhUrl = (
  did: WebvhDid,
  file: 'did.jsonl' | 'did-witness.json',
  allowedHttpOrigins: readonly string[] = [],
): string => `${webvhBase(did, allowedHttpOrigins)}${did.path.length === 0 ? '.well-known/' : ''}${file}`

/** What stands for the SCID until it is known. */
export const placeholder = '{SCID}'

/** The did:webvh whose log stands under this public URL. */
export const webvhDidFor = (publicUrl: string, scid: string = placeholder): string =>
  didWebFor(publicUrl).replace(/^did:web:/, `did:webvh:${scid}:`)
