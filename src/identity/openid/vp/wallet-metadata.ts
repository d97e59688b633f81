import type { Dcql } from '../../../kernel/dcql-query.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { isRecord, readJson } from '../../formats/json.ts'
import { chooseContentEncryption, chooseEncryptionKey } from '../jwe.ts'

/** What a wallet tells about itself when it fetches a request by POST (OpenID4VP 1.0, sections 5.10 and 10). */

const bytesMost = 65_536

/** How the wallet wants its request. */
export type WalletWish = {
  /** The request object is encrypted to this key. */
  encryptTo?: { jwk: Record<string, unknown>; enc: 'A128GCM' | 'A256GCM' }
}

const malformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'wallet_metadata_malformed', detail, { cause })
const unsuited = (detail: string): Refusal => new Refusal('rejected', 'wallet_unsuited', detail)

const read = (text: string): Record<string, unknown> => {
  if (text.length > bytesMost) throw malformed('wallet_metadata is too long.')
  let value: unknown
  try {
    value = readJson(text, 'wallet_metadata')
  } catch (cause) {
    throw malformed('wallet_metadata is a JSON object in a string.', cause)
  }
  if (!isRecord(value)) throw malformed('wallet_metadata is a JSON object in a string.')
  return value
}

const textsOf = (metadata: Record<string, unknown>, name: string): readonly string[] | undefined => {
  const value = metadata[name]
  if (value === undefined) return undefined
  if (!Array.isArray(value) || !value.every(each => typeof each === 'string')) {
    throw malformed(`${name} in wallet_metadata is a list of strings.`)
  }
  return value
}

const prefixOf = (clientId: string): string => clientId.slice(0, clientId.indexOf(':'))

/** Whether some way to answer the query is left: every set needs one in formats that the wallet has. */
const assertFormats = (metadata: Record<string, unknown>, { credentials }: Dcql): void => {
  const formats = metadata['vp_formats_supported']
  if (formats === undefined) return
  if (!isRecord(formats)) throw malformed('vp_formats_supported in wallet_metadata is an object.')
  if (credentials.some(({ format }) => Object.hasOwn(formats, format))) return
  const detail = 'The wallet has none of the credential formats that are asked for.'
  throw new Refusal('rejected', 'vp_formats_not_supported', detail)
}

/**
 * Whether the wallet can take this request at all, and how it wants it.
 * @param request as it would be sent.
 * @throws Refusal malformed/wallet_metadata_malformed, rejected/wallet_unsuited, vp_formats_not_supported
 */
export const judgeWalletMetadata = (
  text: string | undefined,
  request: { dcql: Dcql; clientId: string; algorithm: string; encrypted: boolean },
): WalletWish => {
  if (text === undefined) return {}
  const metadata = read(text)
  assertFormats(metadata, request.dcql)
  const prefixes = textsOf(metadata, 'client_id_prefixes_supported')
  if (prefixes?.includes(prefixOf(request.clientId)) === false) {
    throw unsuited('The wallet does not know the client identifier prefix of this request.')
  }
  if (textsOf(metadata, 'request_object_signing_alg_values_supported')?.includes(request.algorithm) === false) {
    throw unsuited(`The wallet does not know ${request.algorithm}, with which requests are signed here.`)
  }
  const responseTypes = textsOf(metadata, 'response_types_supported')
  if (responseTypes?.includes('vp_token') === false)
    throw unsuited('The wallet does not know the response type vp_token.')
  const agreements = textsOf(metadata, 'authorization_encryption_alg_values_supported')
  if (request.encrypted && agreements?.includes('ECDH-ES') === false) {
    throw unsuited('The wallet cannot encrypt its answer by ECDH-ES, which is asked of it.')
  }
  const encryptions = textsOf(metadata, 'authorization_encryption_enc_values_supported')
  if (request.encrypted && encryptions?.some(each => each === 'A128GCM' || each === 'A256GCM') === false) {
    throw unsuited('The wallet can encrypt its answer neither by A128GCM nor by A256GCM.')
  }
  if (metadata['jwks'] === undefined) return {}
  // Section 5.10: keys in its metadata are there for the request object to be encrypted to.
  const offered = textsOf(metadata, 'request_object_encryption_enc_values_supported')
  return { encryptTo: { jwk: chooseEncryptionKey(metadata['jwks']), enc: chooseContentEncryption(offered) } }
}
