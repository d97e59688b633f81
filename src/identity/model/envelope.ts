import { Refusal } from '../../kernel/refusal.ts'
import { isRecord, malformed } from '../formats/json.ts'
import { broken, contextOf } from './members.ts'

export type EnvelopeType = 'EnvelopedVerifiableCredential' | 'EnvelopedVerifiablePresentation'

/** What an enveloping object carries in its data: URL; `mediaType` without `application/`. */
export type Envelope =
  | { mediaType: string; encoding: 'text'; token: string }
  | { mediaType: string; encoding: 'binary'; bytes: Uint8Array }

const clauses: Record<EnvelopeType, string> = {
  EnvelopedVerifiableCredential: '2.0, section 4.13.1',
  EnvelopedVerifiablePresentation: '2.0, section 4.13.2',
}

/** Media types by the kind of envelope; `jwt` is what VC Data Model 1.1 and the W3C test suite say. */
const mediaTypes: Record<EnvelopeType, readonly string[]> = {
  EnvelopedVerifiableCredential: ['vc+jwt', 'vc+sd-jwt', 'dc+sd-jwt', 'vc+cose', 'jwt'],
  EnvelopedVerifiablePresentation: ['vp+jwt', 'vp+sd-jwt', 'vp+cose', 'jwt'],
}

const lengthMost = 2 * 1_048_576
const members = new Set(['@context', 'id', 'type'])
const dataUrl = /^data:application\/([a-z0-9+.-]+)(;base64)?,/
const token = /^[A-Za-z0-9._~-]+$/
const base64 = /^[A-Za-z0-9+/]+={0,2}$/

const fromBase64 = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'base64')
  // Spelled another way, one envelope would have two ids.
  const canonical = bytes.toString('base64')
  if (!base64.test(text) || (text !== canonical && text !== canonical.replace(/=+$/, ''))) {
    throw malformed('The data: URL is not base64 (RFC 2397, RFC 4648, section 4).')
  }
  return bytes
}

/**
 * Reads the data: URL of an envelope (RFC 2397). A COSE_Sign1 is base64 (VC-JOSE-COSE, section 3.3.1), a token is text.
 * @throws Refusal malformed/credential_malformed
 */
export const readDataUrl = (url: unknown, type: EnvelopeType): Envelope => {
  if (typeof url !== 'string' || !url.startsWith('data:')) throw broken('id', 'must be a data: URL', clauses[type])
  if (url.length > lengthMost) throw malformed('The data: URL is longer than two mebibytes.')
  const [head, mediaType = '', isBase64] = dataUrl.exec(url) ?? []
  if (head === undefined || !mediaTypes[type].includes(mediaType)) {
    throw broken('id', `must be a data: URL of application/${mediaTypes[type].join(', ')}`, clauses[type])
  }
  const data = url.slice(head.length)
  if (mediaType.endsWith('+cose')) {
    if (isBase64 === undefined) throw malformed('A COSE_Sign1 in a data: URL is base64 (VC-JOSE-COSE, section 3.3.1).')
    // Encoders of others end with a line break, the published vectors of VC-JOSE-COSE among them.
    return { mediaType, encoding: 'binary', bytes: fromBase64(data.replace(/\n$/, '')) }
  }
  const text = isBase64 === undefined ? data : fromBase64(data).toString('latin1')
  if (!token.test(text)) throw malformed('The data: URL holds no token.')
  return { mediaType, encoding: 'text', token: text }
}

/** Whether an object says that it is an envelope of this type. */
export const isEnvelope = (value: unknown, type: EnvelopeType): value is Record<string, unknown> => {
  if (!isRecord(value)) return false
  const named = value['type']
  return named === type || (Array.isArray(named) && named.length === 1 && named[0] === type)
}

/**
 * Opens an EnvelopedVerifiableCredential or EnvelopedVerifiablePresentation: the base context among its contexts, its
 * type and nothing else, and a secured document in its id. Members beside these would be secured by nothing.
 * @throws Refusal malformed/credential_malformed, rejected/payload_edited
 */
export const openEnvelope = (value: unknown, type: EnvelopeType): Envelope => {
  if (!isEnvelope(value, type)) throw broken('The type', `must be ${type}`, clauses[type])
  const contexts = Array.isArray(value['@context']) ? (value['@context'] as unknown[]) : [value['@context']]
  if (!contexts.includes(contextOf['2.0'])) {
    throw broken('@context', `must include ${contextOf['2.0']}`, clauses[type])
  }
  const stray = Object.keys(value).find(name => !members.has(name))
  if (stray !== undefined) {
    const detail = `The envelope has a member that nothing secures: ${JSON.stringify(stray.slice(0, 80))}.`
    throw new Refusal('rejected', 'payload_edited', detail)
  }
  return readDataUrl(value['id'], type)
}

/**
 * An enveloping object (VC Data Model 2.0, sections 4.13.1 and 4.13.2).
 * @param content a token, or the octets of a COSE_Sign1.
 */
export const sealEnvelope = (type: EnvelopeType, mediaType: string, content: string | Uint8Array) => ({
  '@context': contextOf['2.0'],
  id:
    typeof content === 'string'
      ? `data:application/${mediaType},${content}`
      : `data:application/${mediaType};base64,${Buffer.from(content).toString('base64')}`,
  type,
})
