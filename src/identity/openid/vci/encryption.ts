import { privateKeyFromRaw } from '../../key-material.ts'
import {
  chooseEncryptionKey,
  contentEncryptions,
  decryptJwe,
  encryptionThumbprint,
  encryptJwe,
  keyAgreement,
  type PublicEncryptionJwk,
} from '../jwe.ts'

export type MessageEncryption = {
  jwk: PublicEncryptionJwk
  agreement: typeof keyAgreement
  contentEncryptions: readonly string[]
  decrypt(compact: string): Promise<Record<string, unknown>>
  encrypt(payload: Record<string, unknown>, to: { jwk: unknown; enc: string; zip: boolean }): Promise<string>
}

/**
 * Encrypted credential requests and answers (OpenID4VCI 1.0, section 10). The issuer's key is made of a secret, so that every process that
 * has it can read what one of them published the key for.
 * @param secret 32 bytes, fit to be a private key on P-256; any other is found out at once.
 */
export const openMessageEncryption = (secret: Uint8Array): MessageEncryption => {
  const privateJwk = privateKeyFromRaw('P-256', secret).export({ format: 'jwk' })
  const { x = '', y = '' } = privateJwk
  const point = { kty: 'EC', crv: 'P-256', x, y } as const
  const kid = encryptionThumbprint(point).toString('base64url')
  return {
    ...{ agreement: keyAgreement, contentEncryptions },
    jwk: { ...point, alg: keyAgreement, use: 'enc', kid },
    decrypt: async compact => (await decryptJwe(compact, { key: privateJwk, kid, zip: true })).payload,
    encrypt(payload, { jwk, enc, zip }) {
      const to = { jwk: chooseEncryptionKey({ keys: [jwk] }), enc: contentEncryptions.find(each => each === enc) }
      return encryptJwe(payload, { jwk: to.jwk, enc: to.enc ?? 'A128GCM', ...(zip ? { zip: 'DEF' as const } : {}) })
    },
  }
}
