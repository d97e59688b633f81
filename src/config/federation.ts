import { type Fail, isRecord, keySetOf, type Members } from './parts.ts'

/** What an agency file says about its place in federations (its member `federation`). */
export type FederationConfig = {
  /** Entity identifiers of those above it, or paths of agencies of this origin: there it registers by itself. */
  superiors: string[]
  /** Others may stand below it. */
  superior?: { approves: 'officer' | 'accredited'; subordinates: NamedEntity[] }
  /** Trust anchors to which it resolves for others; an agency that has no superiors is one itself. */
  anchors: NamedEntity[]
}

export type NamedEntity = {
  entity: string
  keys: { keys: Record<string, unknown>[] }
  terms: { metadata?: Members; metadataPolicy?: Members; constraints?: Members }
}

const isEntity = (value: unknown): value is string =>
  typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) && !/[?#]/.test(value)
/** An agency that is served beside this one. */
export const isOwnPath = (value: unknown): value is string =>
  typeof value === 'string' && /^\/[a-z0-9-]{1,64}$/.test(value)

const termNames = ['metadata', 'metadataPolicy', 'constraints'] as const

const namedOf = (value: unknown, file: string, fail: Fail): NamedEntity => {
  if (!isRecord(value)) return fail('entities of federation are mappings')
  const { entity, keys, ...terms } = value
  for (const [key, term] of Object.entries(terms)) {
    if (!termNames.some(name => name === key)) fail(`unknown key "federation.${key}"`)
    if (!isRecord(term)) fail(`federation.${key} must be a mapping`)
  }
  if (!isEntity(entity)) return fail('federation.entity is an entity identifier, an https URL')
  return { entity, keys: keySetOf(keys, 'federation.keys', file, fail), terms }
}

const listOf = (value: unknown, name: string, fail: Fail): unknown[] => {
  if (value === undefined) return []
  return Array.isArray(value) ? value : fail(`federation.${name} must be a list`)
}

/** Reads the member `federation` of an agency file. */
export const parseFederation = (value: unknown, file: string, fail: Fail): FederationConfig => {
  if (!isRecord(value)) return fail('federation must be a mapping')
  const { superiors, approves, subordinates, anchors, ...rest } = value
  for (const key of Object.keys(rest)) fail(`unknown key "federation.${key}"`)
  const above = listOf(superiors, 'superiors', fail)
  if (!above.every(each => isEntity(each) || isOwnPath(each))) {
    return fail('federation.superiors are entity identifiers, or paths of agencies of this origin')
  }
  const named = listOf(subordinates, 'subordinates', fail).map(each => namedOf(each, file, fail))
  const trusted = listOf(anchors, 'anchors', fail).map(each => namedOf(each, file, fail))
  const config = { superiors: above as string[], anchors: trusted }
  if (approves === undefined && named.length === 0) return config
  if (approves !== undefined && approves !== 'officer' && approves !== 'accredited') {
    return fail('federation.approves is officer or accredited')
  }
  return { ...config, superior: { approves: approves ?? 'officer', subordinates: named } }
}
