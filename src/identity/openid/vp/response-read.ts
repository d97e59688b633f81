import { type JsonWebKey, timingSafeEqual } from 'node:crypto'
import type { Dcql } from '../../../kernel/dcql-query.ts'
import type { VpToken } from '../../../kernel/presentation-requests.ts'
import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import { isRecord, readJson } from '../../formats/json.ts'
import { decryptJwe } from '../jwe.ts'

/** Answers of wallets (OpenID4VP 1.0, section 8; appendix A.4): what they hold, before anything in them is believed. */

const vpTokenBytesMost = 786_432
const presentationsMost = 16

/** How an answer has to come. */
export type ResponseExpected = {
  dcql: Dcql
  /** Absent where the channel itself binds the answer (appendix A.2). */
  state?: string | undefined
  /** The key made for this request; without one the answer is not encrypted. */
  key?: { jwk: JsonWebKey; kid: string } | undefined
}

export type ResponseRead =
  | { kind: 'vp_token'; vpToken: VpToken }
  /** The person declined, or the wallet could not. */
  | { kind: 'error'; error: string }

const malformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'response_malformed', detail, { cause })
const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

const assertState = ({ state: shown }: Record<string, unknown>, { state }: ResponseExpected): void => {
  if (state === undefined) return
  if (typeof shown === 'string' && sameText(shown, state)) return
  throw rejected('state_mismatch', 'The response names no request of this address in its state, or another one.')
}

/** Characters of `error` (RFC 6749, section 4.1.2.1). */
const errorForm = /^[\x20\x21\x23-\x5B\x5D-\x7E]{1,64}$/

const readError = (value: unknown): ResponseRead => {
  if (typeof value !== 'string' || !errorForm.test(value)) throw malformed('error is a code of RFC 6749.')
  return { kind: 'error', error: value }
}

const objectOf = (value: unknown): unknown => {
  if (typeof value !== 'string') return value
  if (value.length > vpTokenBytesMost) throw malformed('The vp_token is too long.')
  try {
    return readJson(value, 'vp_token')
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
    throw malformed(cause.message, cause)
  }
}

/**
 * `vp_token`: an object of lists by the id of the query (section 8.1). What nobody asked for is refused before anything is verified.
 * @throws Refusal malformed/response_malformed, rejected/presentation_unasked
 */
export const readVpToken = (value: unknown, { credentials }: Dcql): VpToken => {
  const token = objectOf(value)
  if (!isRecord(token)) throw malformed('The vp_token is an object of lists by the ids of the queries.')
  const entries = Object.entries(token)
  if (entries.length === 0) throw malformed('The vp_token holds no presentation.')
  let count = 0
  for (const [id, list] of entries) {
    const asked = credentials.find(each => each.id === id)
    if (asked === undefined) {
      throw rejected('presentation_unasked', 'The response has a presentation that nobody asked for.')
    }
    if (!Array.isArray(list) || list.length === 0) throw malformed('A query is answered by a list of presentations.')
    if (list.length > 1 && asked.multiple !== true) {
      throw rejected('presentation_several', 'The response has several presentations where one was asked for.')
    }
    if (!list.every(each => (typeof each === 'string' && each !== '') || isRecord(each))) {
      throw malformed('A presentation is a string or an object.')
    }
    count += list.length
  }
  if (count > presentationsMost) throw malformed(`A response holds at most ${presentationsMost} presentations.`)
  return token as VpToken
}

const decrypted = async (response: unknown, key: { jwk: JsonWebKey; kid: string }) => {
  if (typeof response !== 'string') throw malformed('response is a compact JWE.')
  return (await decryptJwe(response, { key: key.jwk, kid: key.kid })).payload
}

/**
 * Reads what came to a response URI or over the Digital Credentials API.
 * @param form members of the form, or of the object that the browser hands over.
 * @throws Refusal response_malformed, response_unencrypted, response_encrypted, state_mismatch, presentation_unasked; those of JWE
 */
export const readResponse = async (
  form: Record<string, unknown>,
  expected: ResponseExpected,
): Promise<ResponseRead> => {
  const { dcql, key } = expected
  const isEncrypted = form['response'] !== undefined
  if (isEncrypted && key === undefined) throw rejected('response_encrypted', 'No encrypted response was asked for.')
  if (!isEncrypted && key !== undefined && form['error'] === undefined) {
    throw rejected('response_unencrypted', 'The response has to be encrypted to the key of the request.')
  }
  const content = isEncrypted && key !== undefined ? await decrypted(form['response'], key) : form
  assertState(content, expected)
  if (content['error'] !== undefined) {
    if (content['vp_token'] !== undefined) throw malformed('A response is an error or a vp_token, not both.')
    return readError(content['error'])
  }
  if (content['vp_token'] === undefined) throw malformed('The response holds neither a vp_token nor an error.')
  return { kind: 'vp_token', vpToken: readVpToken(content['vp_token'], dcql) }
}
