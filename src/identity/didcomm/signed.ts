import { verify } from 'node:crypto'
import type { DIDDocument } from 'did-resolver'
import { methodIn, publicKeyOf } from '../did-document.ts'
import { isRecord, readSegment } from '../formats/json.ts'
import type { ReadJws } from './envelope.ts'
import { malformed, senderUnproven, unsupported } from './refusals.ts'

/** DIDComm v2.1, Message Signing; and ES384, which the agency's other signatures know too. */
const algorithms = ['EdDSA', 'ES256', 'ES256K', 'ES384']

/**
 * The payload of a signed message, once the signature holds and its key may authenticate the DID.
 * @throws Refusal didcomm_malformed, didcomm_unsupported, didcomm_sender_unproven, key_unknown, key_purpose
 */
export const verifiedPayload = async (read: ReadJws, document: DIDDocument): Promise<unknown> => {
  const method = methodIn(document, read.kid, 'authentication')
  const header = readSegment(read.protected, 'protected header')
  const { alg, crit, b64 } = isRecord(header) ? header : {}
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    throw unsupported(`Messages are signed by ${algorithms.join(', ')}.`)
  }
  if (crit !== undefined || b64 !== undefined) throw unsupported('crit and b64 have no place in a DIDComm message.')
  const key = publicKeyOf(method)
  const input = Buffer.from(`${read.protected}.${read.payload}`, 'latin1')
  const signature = Buffer.from(read.signature, 'base64url')
  if (signature.toString('base64url') !== read.signature) throw malformed('The signature is not base64url.')
  const digest = { EdDSA: null, ES384: 'sha384' }[alg]
  const holds =
    key?.algorithm === alg &&
    verify(
      digest === undefined ? 'sha256' : digest,
      input,
      { key: key.publicKey, dsaEncoding: 'ieee-p1363' },
      signature,
    )
  if (!holds) throw senderUnproven('The signature of the message does not hold.')
  return readSegment(read.payload, 'message')
}
