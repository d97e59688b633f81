import { compressBitstring } from '../../../src/identity/status-lists/bitstring.ts'
import { secured } from '../ldp.ts'
import type { Party } from '../world.ts'

/** A BitstringStatusListCredential of an issuer, with a proof. */
export const sealListCredential = async (url: string, issuer: Party, revoked: readonly number[]): Promise<string> => {
  const bits = new Uint8Array(16_384)
  for (const index of revoked) bits[index >> 3] = (bits[index >> 3] ?? 0) | (0x80 >> (index & 7))
  const document = {
    '@context': ['https://www.w3.org/ns/credentials/v2'],
    id: url,
    type: ['VerifiableCredential', 'BitstringStatusListCredential'],
    issuer: issuer.did,
    validFrom: new Date(Date.now() - 60_000).toISOString(),
    credentialSubject: {
      ...{ id: `${url}#list`, type: 'BitstringStatusList', statusPurpose: 'revocation', ttl: 1_000 },
      encodedList: await compressBitstring(bits),
    },
  }
  return JSON.stringify(await secured(document, issuer))
}
