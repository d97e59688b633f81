import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { certificateRoles } from '../kernel/identity.ts'
import { type Fail, isRecord } from './parts.ts'

/** What an agency file says about X.509 (its member `certificates`). */
export type CertificatesConfig = {
  /** ISO 3166-1 alpha-2. Without it the agency issues no mdocs. */
  country?: string
  chains?: CertificateChains
}

/**
 * PEM texts: an authority of others with its anchors, and the chains that end there, the key's own certificate first and the
 * anchor left out. A role without one is certified by the agency's own authority.
 */
export type CertificateChains = { authority: string; issuer?: string; documentSigner?: string; verifier?: string }

const names: readonly string[] = ['authority', ...certificateRoles]

const readPem = (value: unknown, agencyFile: string, fail: Fail): string => {
  if (typeof value !== 'string' || value === '') return fail('certificates name PEM files')
  try {
    return readFileSync(resolve(dirname(agencyFile), value), 'utf8')
  } catch {
    return fail(`there is no certificate file "${value}"`)
  }
}

/** Files of certificates stand beside the agency's own file, or have an absolute path. */
export const parseCertificates = (value: unknown, file: string, fail: Fail): CertificatesConfig => {
  if (!isRecord(value)) return fail('certificates must be a mapping')
  const { country, ...files } = value
  for (const key of Object.keys(files)) if (!names.includes(key)) fail(`unknown key "certificates.${key}"`)
  if (country !== undefined && (typeof country !== 'string' || !/^[A-Z]{2}$/.test(country)))
    return fail('certificates.country is two capital letters (ISO 3166-1)')
  const named = country === undefined ? {} : { country }
  if (Object.keys(files).length === 0) return named
  if (files['authority'] === undefined || Object.keys(files).length === 1)
    return fail('certificates has an authority and chains that end there, or neither')
  const chains = Object.entries(files).map(([name, path]) => [name, readPem(path, file, fail)] as const)
  return { ...named, chains: Object.fromEntries(chains) as CertificateChains }
}
