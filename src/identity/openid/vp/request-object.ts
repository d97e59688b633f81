import type { KeyObject } from 'node:crypto'
import { Refusal } from '../../../kernel/refusal.ts'
import { type CompactJws, compactJwsHolds, readCompactJws } from '../../formats/compact-jws.ts'
import { clockSkewMs } from '../../standing.ts'
import type { Parameters, SignedRequest } from './invitation.ts'

/** Request objects as a wallet reads them (RFC 9101; OpenID4VP 1.0, sections 5 and 5.8). */

/** The symbolic name of a wallet that nobody knows beforehand (section 5.8). */
const anyWallet = 'https://self-issued.me/v2'

const bytesMost = 65_536

export type RequestObject = {
  jws: CompactJws
  clientId: string
  /** What is asked: of a request of several signers, what stands in the header of this one beside the payload. */
  parameters: Parameters
  expires?: number
}

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)
const malformed = (detail: string): Refusal => new Refusal('malformed', 'presentation_request_malformed', detail)

const timeOf = (value: unknown, name: string): number | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value) || Math.abs(value) > 1e11) {
    throw malformed(`${name} of the request object is no date.`)
  }
  return value * 1_000
}

const assertDates = ({ exp, nbf, iat }: Parameters, now: number): number | undefined => {
  const expires = timeOf(exp, 'exp')
  if (expires !== undefined && expires <= now)
    throw rejected('request_expired', 'The request has expired; ask for another.')
  for (const [name, value] of [
    ['nbf', nbf],
    ['iat', iat],
  ] as const) {
    const from = timeOf(value, name)
    if (from !== undefined && from > now + clockSkewMs)
      throw rejected('request_expired', 'The request is from the future.')
  }
  return expires
}

/** In the header of one signature of several stand the client, and what is said of it alone (appendix A.3.2.2). */
const ofSigner = ['client_id', 'verifier_info', 'trust_chain']

const parametersOf = ({ header, payload }: CompactJws, several: boolean): Parameters => {
  if (!several) return payload
  const misplaced = ofSigner.find(name => payload[name] !== undefined)
  if (misplaced !== undefined) throw malformed(`${misplaced} of a request of several signers stands in their headers.`)
  const own = ofSigner.filter(name => header[name] !== undefined).map(name => [name, header[name]])
  return { ...payload, ...Object.fromEntries(own) }
}

/**
 * Takes a signed request apart. Whose it is, is judged by whoever knows its client.
 * @param expected.clientId of the link that led here: the same, prefix and all (section 5.10.1).
 * @param expected.walletNonce that was sent with the question for it.
 * @param expected.audience names of the wallet beside the one of wallets that nobody knows.
 * @throws Refusal jws_malformed, algorithm_refused, request_type, request_audience, request_expired, request_client_mismatch,
 * wallet_nonce_mismatch, presentation_request_malformed
 */
export const openRequestObject = (
  { compact, several }: SignedRequest,
  expected: { now: number; clientId?: string; walletNonce?: string; audience?: readonly string[] },
): RequestObject => {
  const jws = readCompactJws(compact.trim(), { bytesMost })
  if (jws.typ !== 'oauth-authz-req+jwt') {
    throw rejected('request_type', 'The typ of a request object is oauth-authz-req+jwt (OpenID4VP 1.0, section 5).')
  }
  const parameters = parametersOf(jws, several)
  if (parameters['request'] !== undefined || parameters['request_uri'] !== undefined) {
    throw malformed('A request object holds no request and no request_uri (RFC 9101, section 4).')
  }
  const clientId = parameters['client_id']
  if (typeof clientId !== 'string' || clientId === '' || clientId.length > 2_048) {
    throw malformed('The request object names no client_id.')
  }
  if (expected.clientId !== undefined && clientId !== expected.clientId) {
    throw rejected('request_client_mismatch', 'The request is of another client than the link that led to it.')
  }
  const audiences = [parameters['aud']].flat()
  if (!audiences.some(aud => aud === anyWallet || expected.audience?.includes(aud as string))) {
    throw rejected('request_audience', `The aud of a request object is ${anyWallet}; this one is for another wallet.`)
  }
  if (expected.walletNonce !== undefined && parameters['wallet_nonce'] !== expected.walletNonce) {
    throw rejected('wallet_nonce_mismatch', 'The request object does not have the nonce that this wallet sent.')
  }
  const expires = assertDates(parameters, expected.now)
  return { jws, clientId, parameters, ...(expires === undefined ? {} : { expires }) }
}

/** @throws Refusal rejected/request_signature */
export const assertRequestSigned = async ({ jws }: RequestObject, keys: Iterable<KeyObject>): Promise<void> => {
  for (const key of keys) if (await compactJwsHolds(jws, key)) return
  throw rejected('request_signature', 'The request is not signed by the key of the client that it names.')
}
