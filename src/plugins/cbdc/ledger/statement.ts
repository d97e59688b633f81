import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'

/** The ledger's signed statements (JWS, RFC 7515, compact form, ES256), opened with its key and nothing else. */

/** Of whom a statement has to be: the ledger's key from its DID document, and its DID. */
export type Signatory = { key: JsonWebKey; ledger: string }

/** Why a statement is not one of the ledger, in the order in which it is looked at. */
export type StatementFault = 'form' | 'type' | 'signature' | 'ledger'

export type OpenedStatement = { claims: Record<string, unknown> } | { fault: StatementFault }

export const isText = (value: unknown, form: RegExp): value is string => typeof value === 'string' && form.test(value)
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
export const members = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

const jsonOf = (segment: string): Record<string, unknown> => {
  try {
    return members(JSON.parse(Buffer.from(segment, 'base64url').toString('utf8')))
  } catch {
    return {}
  }
}

const isSignedBy = (input: string, signature: Buffer, key: JsonWebKey): boolean => {
  if (key.kty !== 'EC' || key.crv !== 'P-256') return false
  const publicKey = createPublicKey({ key, format: 'jwk' })
  return verify('sha256', Buffer.from(input), { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
}

/** @param expected `type` as the header names it; `most` characters that such a statement can have. */
export const openStatement = (
  statement: string,
  { key, ledger }: Signatory,
  expected: { type: string; most: number },
): OpenedStatement => {
  const [header = '', payload = '', tail = '', ...rest] = statement.split('.')
  const signature = Buffer.from(tail, 'base64url')
  const isForm = statement.length <= expected.most && rest.length === 0 && signature.length === 64
  if (!isForm || signature.toString('base64url') !== tail) return { fault: 'form' }
  const { alg, typ, crit } = jsonOf(header)
  if (alg !== 'ES256' || typ !== expected.type || crit !== undefined) return { fault: 'type' }
  if (!isSignedBy(`${header}.${payload}`, signature, key)) return { fault: 'signature' }
  const claims = jsonOf(payload)
  return claims['iss'] === ledger ? { claims } : { fault: 'ledger' }
}
