import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import {
  type Authority,
  certificateSigner,
  makeDocumentSignerCertificate,
  makeRootCertificate,
} from '../../../src/identity/x509/make.ts'

export const day = 86_400_000
export const start = Date.parse('2026-03-01T00:00:00Z')
export const validity = { notBefore: start, notAfter: start + 400 * day }
export const contact = { type: 'email' as const, value: 'registrar@transport.example' }

export type Keys = { publicKey: KeyObject; privateKey: KeyObject }
export const newKeys = (namedCurve = 'P-256'): Keys => generateKeyPairSync('ec', { namedCurve })

/** A root as a transport agency would set it up. */
export const makeAuthority = async (
  options: {
    commonName?: string
    country?: string
    keys?: Keys
    pathLength?: number
    notBefore?: number
    notAfter?: number
  } = {},
): Promise<Authority> => {
  const { commonName = 'Root of the Transport Agency', country = 'XN', keys = newKeys(), ...rest } = options
  const signer = certificateSigner(keys)
  const certificate = await makeRootCertificate({
    ...{ notBefore: start, notAfter: start + 3650 * day, ...rest },
    ...{ country, commonName, contact, signer },
  })
  return { certificate, signer }
}

export const makeDocumentSigner = async (
  authority: Authority,
  keys: Keys,
  times: { notBefore?: number; notAfter?: number } = {},
): Promise<Uint8Array> =>
  makeDocumentSignerCertificate({
    ...{ ...validity, ...times, authority, contact },
    ...{ publicKey: keys.publicKey, commonName: 'Driving licences 1' },
  })
