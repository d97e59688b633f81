import { readFileSync } from 'node:fs'

const vector = (name: string) => JSON.parse(readFileSync(new URL(`vectors/${name}.json`, import.meta.url), 'utf8'))
const octets = (lines: string[], encoding: 'hex' | 'base64url' = 'hex'): Uint8Array =>
  new Uint8Array(Buffer.from(lines.join(''), encoding))

const iso = vector('iso-18013-5-annex-d')
/** ISO/IEC 18013-5:2021, annex D. */
export const annexD = {
  deviceResponse: octets(iso.deviceResponse),
  sessionTranscriptBytes: octets(iso.sessionTranscriptBytes),
  ephemeralReaderKey: octets(iso.ephemeralReaderKey),
  documentSignerCertificate: octets(iso.documentSignerCertificate),
}

/** OpenID4VP 1.0, annex B.2.6. */
export const handovers: {
  jwk: Record<string, string>
  redirect: Record<'clientId' | 'nonce' | 'responseUri' | 'sessionTranscript', string>
  digitalCredentialsApi: Record<'origin' | 'nonce' | 'sessionTranscript', string>
} = vector('openid4vp-handover')

const pid = vector('paradym-pid')
export const paradym: {
  deviceResponse: Uint8Array
  root: string
  at: number
  jwkThumbprint: Uint8Array
} & Record<'clientId' | 'nonce' | 'responseUri', string> = {
  ...pid,
  deviceResponse: octets(pid.deviceResponse, 'base64url'),
  at: Date.parse(pid.at),
  jwkThumbprint: octets([pid.jwkThumbprint]),
}

const bdr = vector('bdr-licence')
export const bdrLicence: { issuerSigned: Uint8Array; certificate: string; at: number } = {
  ...bdr,
  issuerSigned: octets(bdr.issuerSigned, 'base64url'),
  at: Date.parse(bdr.at),
}
