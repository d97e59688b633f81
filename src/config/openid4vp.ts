import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Fail, isTexts, membersOf } from './parts.ts'

/** What an agency file says under `openid4vp`: what the verifier needs beyond its own, see plugins/openid4vp. */
export type Openid4vpConfig = {
  /** Origins beside the agency's own to which wallets may send people back, and whose pages may ask for credentials. */
  returnOrigins: string[]
  /** Whether wallets on other devices may be asked for sessions and acts: see GateNeeds. */
  crossDevice?: boolean
  attestation?: VerifierAttestationConfig
}

/** A Verifier Attestation JWT (OpenID4VP 1.0, section 12), bound to the key of the agency's verifier certificate. */
export type VerifierAttestationConfig = { jwt: string }

const isOrigin = (each: string): boolean => URL.canParse(each) && new URL(each).origin === each && /^https?:/.test(each)

const readBeside = (value: unknown, file: string, fail: Fail): string => {
  if (typeof value !== 'string' || value === '') return fail('openid4vp.attestation names a file')
  try {
    return readFileSync(resolve(dirname(file), value), 'utf8')
  } catch {
    return fail(`there is no file "${value}"`)
  }
}

export const parseOpenid4vp = (value: unknown, file: string, fail: Fail): Openid4vpConfig => {
  const members = membersOf(value, 'openid4vp', ['returnOrigins', 'crossDevice', 'attestation'], fail)
  const { returnOrigins = [], crossDevice = false, attestation } = members
  if (!isTexts(returnOrigins) || !returnOrigins.every(isOrigin))
    return fail('openid4vp.returnOrigins are origins, such as https://www.example.org')
  if (typeof crossDevice !== 'boolean') return fail('openid4vp.crossDevice is true or false')
  const known = { returnOrigins, ...(crossDevice ? { crossDevice } : {}) }
  if (attestation === undefined) return known
  return { ...known, attestation: { jwt: readBeside(attestation, file, fail).trim() } }
}
