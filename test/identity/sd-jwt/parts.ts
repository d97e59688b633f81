import { isRefusal } from '../../../src/kernel/refusal.ts'
import { agencyParty, encode, jws, sha256 } from '../world.ts'

export type Json = Record<string, unknown>

export const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work()
  } catch (error) {
    return isRefusal(error) ? error.code : String(error)
  }
  return 'none'
}

const issuer = agencyParty(`0x${'44'.repeat(20)}`)

/** An SD-JWT by hand, of any payload with any disclosures. */
export const sdJwtOf = (payload: Json, disclosures: unknown[][]): string =>
  `${[jws({ alg: 'ES256', typ: 'example+sd-jwt' }, payload, issuer), ...disclosures.map(encode)].join('~')}~`

sdJwtOf.digest = (parts: unknown[]): string => sha256(encode(parts))
sdJwtOf.issuer = issuer
