import { isRecord, malformed } from './json.ts'
import { splitSdJwt } from './sd-jwt.ts'

const signaturesMost = 8

const segmentOf = (value: unknown, name: string): string => {
  if (typeof value !== 'string' || value === '' || value.includes('~') || value.includes('.')) {
    throw malformed(`${name} of the JWS is not a base64url string.`)
  }
  return value
}

const assertMembers = (value: Record<string, unknown>, names: readonly string[], what: string): void => {
  const stray = Object.keys(value).find(name => !names.includes(name))
  if (stray !== undefined) throw malformed(`${what} has a member that is not understood.`)
}

const headerOf = (entry: Record<string, unknown>): Record<string, unknown> => {
  const header = entry['header']
  if (header === undefined) return {}
  if (!isRecord(header)) throw malformed('The unprotected header of the JWS is not an object.')
  if (header['alg'] !== undefined || header['crit'] !== undefined) {
    throw malformed('alg and crit of an SD-JWT have to stand in the protected header.')
  }
  return header
}

const jwsOf = (payload: unknown, entry: Record<string, unknown>): string => {
  const header = segmentOf(entry['protected'], 'protected')
  return [header, segmentOf(payload, 'payload'), segmentOf(entry['signature'], 'signature')].join('.')
}

const compactOf = (jws: string, header: Record<string, unknown>): string => {
  const { disclosures = [], kb_jwt: binding } = header
  if (!Array.isArray(disclosures)) throw malformed('disclosures of the JWS is not an array.')
  const segments = disclosures.map(disclosure => segmentOf(disclosure, 'A disclosure'))
  if (binding !== undefined && (typeof binding !== 'string' || binding === '' || binding.includes('~'))) {
    throw malformed('kb_jwt of the JWS is not a compact JWS.')
  }
  return `${[jws, ...segments].join('~')}~${binding ?? ''}`
}

export type FromJson = {
  /** The compact form under the first signature, with the disclosures and the key binding. */
  compact: string
  /** The same payload under the further signatures, as plain compact JWSs. */
  others: string[]
}

const fromGeneral = ({ payload, signatures }: Record<string, unknown>): FromJson => {
  if (!Array.isArray(signatures) || signatures.length > signaturesMost) {
    throw malformed(`signatures of the JWS has to be an array of at most ${signaturesMost}.`)
  }
  const [first, ...rest] = signatures.map(entry => {
    if (!isRecord(entry)) throw malformed('A signature of the JWS is not an object.')
    assertMembers(entry, ['header', 'protected', 'signature'], 'A signature of the JWS')
    return { jws: jwsOf(payload, entry), header: headerOf(entry) }
  })
  if (first === undefined) throw malformed('The JWS has no signature.')
  // Section 8.3: only the first may carry them.
  if (rest.some(({ header }) => header['disclosures'] !== undefined || header['kb_jwt'] !== undefined)) {
    throw malformed('disclosures and kb_jwt belong into the first unprotected header only.')
  }
  return { compact: compactOf(first.jws, first.header), others: rest.map(({ jws }) => jws) }
}

/**
 * The compact form of an SD-JWT in the flattened or the general JWS JSON serialisation (RFC 9901 section 8), which is
 * also what `sd_hash` is taken over (section 8.1). Unprotected headers other than these two are not looked at.
 * @throws Refusal malformed/credential_malformed
 */
export const fromJwsJson = (value: unknown): FromJson => {
  if (!isRecord(value)) throw malformed('A JWS in the JSON serialisation is an object.')
  if (value['signatures'] !== undefined) {
    assertMembers(value, ['payload', 'signatures'], 'The general JWS')
    return fromGeneral(value)
  }
  assertMembers(value, ['header', 'payload', 'protected', 'signature'], 'The flattened JWS')
  return { compact: compactOf(jwsOf(value['payload'], value), headerOf(value)), others: [] }
}

/** The flattened JWS JSON serialisation of a compact SD-JWT or SD-JWT+KB (section 8.2). */
export const toJwsJson = (compact: string): Record<string, unknown> => {
  const { jws, disclosures, keyBinding } = splitSdJwt(compact)
  const [protectedHeader, payload, signature] = jws.split('.')
  const header = { disclosures, ...(keyBinding === '' ? {} : { kb_jwt: keyBinding }) }
  return { header, payload, protected: protectedHeader, signature }
}
