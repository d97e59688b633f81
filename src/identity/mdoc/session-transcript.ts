import { hash } from 'node:crypto'
import { decode, encode, Tag } from '../cbor.ts'
import { malformed } from '../formats/json.ts'
import { cborTag } from './values.ts'

/**
 * What ties a presentation of an mdoc to one exchange: the CBOR of `SessionTranscript` (ISO/IEC 18013-5, section
 * 9.1.5.1), without tag 24.
 */
export type SessionTranscript = Uint8Array

const handed = (type: string, info: unknown[]): SessionTranscript =>
  encode([null, null, [type, hash('sha256', encode(info), 'buffer')]])

/**
 * OpenID4VP 1.0, annex B.2.6.1: the request came by redirect.
 * @param request.clientId with its prefix; all of it from the request object where that is signed.
 * @param request.responseUri `response_uri`, or `redirect_uri` where the response mode has that one.
 * @param request.jwkThumbprint SHA-256 thumbprint (RFC 7638, 32 octets) of the key that the response is encrypted to;
 *   absent for a response that is not encrypted.
 */
export const redirectTranscript = (request: {
  clientId: string
  nonce: string
  responseUri: string
  jwkThumbprint?: Uint8Array
}): SessionTranscript => {
  const { clientId, nonce, responseUri, jwkThumbprint = null } = request
  return handed('OpenID4VPHandover', [clientId, nonce, jwkThumbprint, responseUri])
}

/**
 * OpenID4VP 1.0, annex B.2.6.2: the request came over the Digital Credentials API.
 * @param request.origin of the page that asks, without the prefix `origin:`.
 * @param request.jwkThumbprint as above, for the response mode `dc_api.jwt`.
 */
export const digitalCredentialsTranscript = (request: {
  origin: string
  nonce: string
  jwkThumbprint?: Uint8Array
}): SessionTranscript => {
  const { origin, nonce, jwkThumbprint = null } = request
  if (origin.startsWith('origin:')) throw new TypeError('The origin of a handover has no prefix')
  return handed('OpenID4VPDCAPIHandover', [origin, nonce, jwkThumbprint])
}

/**
 * ISO/IEC 18013-5, section 9.1.5.1: device and reader stand side by side.
 * @param session.deviceEngagement CBOR of `DeviceEngagement`.
 * @param session.readerKey CBOR of the reader's ephemeral `COSE_Key`.
 * @param session.handover null for a QR code; the messages of NFC otherwise.
 */
export const proximityTranscript = (session: {
  deviceEngagement: Uint8Array
  readerKey: Uint8Array
  handover: null | readonly (Uint8Array | null)[]
}): SessionTranscript => {
  const { deviceEngagement, readerKey, handover } = session
  return encode([new Tag(cborTag.encoded, deviceEngagement), new Tag(cborTag.encoded, readerKey), handover])
}

/**
 * The transcript in `SessionTranscriptBytes`, as other readers hand it on.
 * @throws Refusal malformed/credential_malformed
 */
export const transcriptIn = (sessionTranscriptBytes: Uint8Array): SessionTranscript => {
  const tagged = decode(sessionTranscriptBytes)
  if (tagged instanceof Tag && tagged.tag === cborTag.encoded && tagged.contents instanceof Uint8Array)
    return tagged.contents
  throw malformed('The session transcript is not encoded CBOR (tag 24).')
}
