import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parse } from 'yaml'

/** OIDC tokens of an agency's staff. Keys by URL or inline; never secrets. */
export type OidcConfig = {
  issuer: string
  audience: string
  jwksUrl?: string
  jwks?: { keys: Record<string, unknown>[] }
  /** Claim that carries scopes, as a space-separated string or an array. */
  scopeClaim: string
}

/** One institution. Data only: no code paths, no secrets (only names of environment variables). */
export type AgencyConfig = {
  name: string
  title: string
  plugins: string[]
  /** True for the one agency that is the root of trust. */
  root: boolean
  /** Credential types the root accredits it for. */
  issues: string[]
  /** VCALM answers 200 with `verified: false` instead of 422. */
  vcalm: boolean
  oidc?: OidcConfig
  /** Origins whose did:web and status lists may be had over http; for demonstrations. */
  allowedHttpOrigins: string[]
  status: StatusConfig
}

/**
 * How the status lists of this agency stand on chain: bit by bit as decided, or as digests of whole lists, published in
 * rounds. Lists that are open already keep their mode.
 */
export type StatusConfig = {
  mode: 'bitmap' | 'anchored'
  /** Anchored only: changes are published this often. */
  roundSeconds: number
}

const statusDefaults: StatusConfig = { mode: 'bitmap', roundSeconds: 300 }
const roundSecondsMost = 86_400

const defaults = { root: false, issues: [], vcalm: false, allowedHttpOrigins: [], status: statusDefaults }
const known = ['name', 'title', 'plugins', 'root', 'issues', 'vcalm', 'oidc', 'allowedHttpOrigins', 'status']
const oidcKnown = ['issuer', 'audience', 'jwksUrl', 'jwks', 'scopeClaim']

export class ConfigError extends Error {}

const fail = (file: string, what: string): never => {
  throw new ConfigError(`${basename(file)}: ${what}`)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(item => typeof item === 'string')

const parseOidc = (value: unknown, file: string): OidcConfig => {
  if (!isRecord(value)) return fail(file, 'oidc must be a mapping')
  for (const key of Object.keys(value)) if (!oidcKnown.includes(key)) fail(file, `unknown key "oidc.${key}"`)
  for (const key of ['issuer', 'audience']) if (typeof value[key] !== 'string') fail(file, `oidc.${key} must be a text`)
  if ((value['jwksUrl'] === undefined) === (value['jwks'] === undefined)) fail(file, 'oidc needs jwksUrl or jwks')
  return { scopeClaim: 'scope', ...value } as OidcConfig
}

const parseStatus = (value: unknown, file: string): StatusConfig => {
  if (!isRecord(value)) return fail(file, 'status must be a mapping')
  for (const key of Object.keys(value))
    if (!Object.hasOwn(statusDefaults, key)) fail(file, `unknown key "status.${key}"`)
  const { mode, roundSeconds } = { ...statusDefaults, ...value }
  if (mode !== 'bitmap' && mode !== 'anchored') return fail(file, 'status.mode is bitmap or anchored')
  if (!Number.isInteger(roundSeconds) || roundSeconds < 1 || roundSeconds > roundSecondsMost) {
    return fail(file, `status.roundSeconds is a whole number from 1 to ${roundSecondsMost}`)
  }
  if (mode === 'bitmap' && 'roundSeconds' in value) return fail(file, 'status.roundSeconds is for mode anchored')
  return { mode, roundSeconds }
}

/** Parses one agency file; unknown keys are refused. @throws ConfigError */
export const parseAgency = (text: string, file: string): AgencyConfig => {
  let raw: unknown
  try {
    raw = parse(text, { maxAliasCount: 10 })
  } catch (cause) {
    throw new ConfigError(`${basename(file)}: not YAML: ${(cause as Error).message}`, { cause })
  }
  if (!isRecord(raw)) return fail(file, 'an agency file is a mapping')
  for (const key of Object.keys(raw)) if (!known.includes(key)) fail(file, `unknown key "${key}"`)
  const config = { ...defaults, ...raw } as unknown as AgencyConfig
  if (typeof config.name !== 'string' || !/^[a-z][a-z0-9-]{1,40}$/.test(config.name)) {
    fail(file, 'name must be kebab-case, 2 to 41 characters')
  }
  if (typeof config.title !== 'string' || config.title === '') fail(file, 'title must be a text')
  if (!isTexts(config.plugins) || config.plugins.length === 0) fail(file, 'plugins must be a list of names')
  if (!isTexts(config.issues)) fail(file, 'issues must be a list of credential types')
  if (!isTexts(config.allowedHttpOrigins)) fail(file, 'allowedHttpOrigins must be a list of origins')
  for (const key of ['root', 'vcalm'] as const)
    if (typeof config[key] !== 'boolean') fail(file, `${key} is true or false`)
  if (raw['status'] !== undefined) config.status = parseStatus(raw['status'], file)
  if (raw['oidc'] !== undefined) config.oidc = parseOidc(raw['oidc'], file)
  return config
}

export const readAgencies = (files: string[]): AgencyConfig[] => {
  const agencies = files.map(file => parseAgency(readFileSync(file, 'utf8'), file))
  for (const { name } of agencies) {
    if (agencies.filter(agency => agency.name === name).length > 1) {
      throw new ConfigError(`two agency files have the name "${name}"`)
    }
  }
  return agencies
}
