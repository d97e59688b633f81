import type { Answer, Context } from '../../../kernel/plugin.ts'
import { isRecord } from '../../../kernel/record.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import type { Desk } from '../desk.ts'
import { encryptionInvalid, requestInvalid } from '../errors.ts'

type Members = Record<string, unknown>

/** A request as it was sent, decrypted if it was encrypted. */
export type Message = { content: Members; encrypted: boolean }

/**
 * Reads a credential request or deferred credential request (OpenID4VCI 1.0, section 10).
 * @throws Refusal invalid_encryption_parameters, invalid_credential_request
 */
export const readMessage = async ({ encryption, policy }: Desk, { body, headers }: Context): Promise<Message> => {
  if (typeof body !== 'string' || !/^application\/jwt\b/i.test(headers['content-type'] ?? '')) {
    if (!isRecord(body)) throw requestInvalid('The request is a JSON object.')
    if (policy.encryptionRequired) throw encryptionInvalid('Requests to this issuer are encrypted.')
    return { content: body, encrypted: false }
  }
  try {
    return { content: await encryption.decrypt(body.trim()), encrypted: true }
  } catch (error) {
    if (!isRefusal(error)) throw error
    throw encryptionInvalid(error.message, error)
  }
}

/** Encrypts an answer, or leaves it as it is. */
export type Reply = (status: 200 | 202, body: Members) => Promise<Answer>

/**
 * How the answer to this request goes out (sections 8.2 and 8.3). A key for the answer that came in the clear could be anybody's.
 * @throws Refusal invalid_encryption_parameters
 */
export const replyTo = async (
  desk: Desk,
  { content, encrypted }: Message,
  more: Record<string, string>,
): Promise<Reply> => {
  const headers = { 'cache-control': 'no-store', ...more }
  const { encryption, policy } = desk
  const wanted = content['credential_response_encryption']
  if (wanted === undefined) {
    if (policy.encryptionRequired)
      throw encryptionInvalid('Ask for an encrypted answer: credential_response_encryption.')
    return async (status, body) => ({ status, body, headers })
  }
  if (!encrypted) throw encryptionInvalid('Encrypt a request that asks for an encrypted answer.')
  if (!isRecord(wanted)) throw encryptionInvalid('credential_response_encryption is not an object.')
  const { jwk, enc, zip } = wanted
  if (typeof enc !== 'string' || !encryption.contentEncryptions.includes(enc)) {
    throw encryptionInvalid(`The enc of the answer is one of ${encryption.contentEncryptions.join(', ')}.`)
  }
  if (zip !== undefined && zip !== 'DEF') throw encryptionInvalid('The zip of the answer is DEF, or there is none.')
  const to = { jwk, enc, zip: zip === 'DEF' }
  const encrypt = async (payload: Members): Promise<string> => {
    try {
      return await encryption.encrypt(payload, to)
    } catch (error) {
      if (!isRefusal(error)) throw error
      throw encryptionInvalid(error.message, error)
    }
  }
  // Found out before anything is issued.
  await encrypt({})
  return async (status, body) => ({
    ...{ status, contentType: 'application/jwt', body: await encrypt(body), headers },
  })
}
