import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isOwnPath } from './federation.ts'
import { type Fail, isRecord, isTexts, membersOf } from './parts.ts'

/** What an agency file says about verifiers that ask its citizens' wallets (its member `verifiers`). */
export type VerifiersConfig = {
  /** PEM texts of authorities whose certificates name verifiers. */
  authorities: string[]
  /** Public URLs of agencies whose own authorities count, as they publish them; of this origin, paths. */
  agencies: string[]
  /** Who attests verifiers (OpenID4VP 1.0, section 12), with their keys. */
  attesters: { issuer: string; jwks: { keys: Record<string, unknown>[] } }[]
  /** Trust anchors of federations whose verifiers count (OpenID Federation 1.0), with their keys. */
  federations: { anchor: string; jwks: { keys: Record<string, unknown>[] } }[]
  /** Verifiers that are known beforehand (section 5.9.2), which then have no prefix. */
  registered: RegisteredConfig[]
}

export type RegisteredConfig = {
  clientId: string
  jwks: { keys: Record<string, unknown>[] }
  responseUris: string[]
  /** Client metadata, such as `vp_formats_supported`. */
  metadata: Record<string, unknown>
}

export const verifiersDefaults: VerifiersConfig = {
  authorities: [],
  agencies: [],
  attesters: [],
  federations: [],
  registered: [],
}

const listOf = (value: unknown, name: string, fail: Fail): unknown[] => {
  if (value === undefined) return []
  return Array.isArray(value) ? value : fail(`${name} must be a list`)
}

const keysOf = (value: unknown, name: string, fail: Fail): { keys: Record<string, unknown>[] } => {
  const keys = isRecord(value) ? value['keys'] : undefined
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isRecord)) return fail(`${name}.jwks holds keys`)
  return { keys }
}

const fileOf = (path: string, agencyFile: string, fail: Fail): string => {
  try {
    return readFileSync(resolve(dirname(agencyFile), path), 'utf8')
  } catch {
    return fail(`there is no certificate file "${path}"`)
  }
}

const attesterOf = (value: unknown, fail: Fail): VerifiersConfig['attesters'][number] => {
  const { issuer, jwks } = membersOf(value, 'verifiers.attesters', ['issuer', 'jwks'], fail)
  if (typeof issuer !== 'string' || issuer === '') return fail('verifiers.attesters name their issuer')
  return { issuer, jwks: keysOf(jwks, 'verifiers.attesters', fail) }
}

const federationOf = (value: unknown, fail: Fail): VerifiersConfig['federations'][number] => {
  const { anchor, jwks } = membersOf(value, 'verifiers.federations', ['anchor', 'jwks'], fail)
  if (typeof anchor !== 'string' || !URL.canParse(anchor)) return fail('verifiers.federations name their anchor')
  return { anchor, jwks: keysOf(jwks, 'verifiers.federations', fail) }
}

const registeredOf = (value: unknown, fail: Fail): RegisteredConfig => {
  const names = ['clientId', 'jwks', 'responseUris', 'metadata']
  const { clientId, jwks, responseUris, metadata = {} } = membersOf(value, 'verifiers.registered', names, fail)
  if (typeof clientId !== 'string' || clientId === '') return fail('verifiers.registered have a clientId')
  if (!isTexts(responseUris) || responseUris.length === 0) return fail('verifiers.registered have responseUris')
  if (!isRecord(metadata)) return fail('verifiers.registered.metadata must be a mapping')
  return { clientId, jwks: keysOf(jwks, 'verifiers.registered', fail), responseUris, metadata }
}

const isAgency = (place: string): boolean =>
  isOwnPath(place as unknown) || (URL.canParse(place) && /^https?:/.test(place) && !place.endsWith('/'))

/** Files of certificates stand beside the agency's own file, or have an absolute path. */
export const parseVerifiers = (value: unknown, file: string, fail: Fail): VerifiersConfig => {
  const names = ['authorities', 'agencies', 'attesters', 'federations', 'registered']
  const members = membersOf(value, 'verifiers', names, fail)
  const { authorities = [], agencies = [] } = members
  if (!isTexts(authorities)) return fail('verifiers.authorities name PEM files')
  if (!isTexts(agencies) || !agencies.every(isAgency)) {
    return fail('verifiers.agencies are public URLs of agencies, without a slash at the end, or paths of this origin')
  }
  return {
    authorities: authorities.map(path => fileOf(path, file, fail)),
    agencies,
    attesters: listOf(members['attesters'], 'verifiers.attesters', fail).map(each => attesterOf(each, fail)),
    federations: listOf(members['federations'], 'verifiers.federations', fail).map(each => federationOf(each, fail)),
    registered: listOf(members['registered'], 'verifiers.registered', fail).map(each => registeredOf(each, fail)),
  }
}
