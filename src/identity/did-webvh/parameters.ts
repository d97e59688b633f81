import { isRecord } from '../formats/json.ts'
import { fromMultikey } from '../multikey.ts'
import { keyHash } from './hash.ts'
import { methodUnknown, parametersRefused, rotationBroken } from './refusals.ts'

/** Who has to approve an entry: `threshold` of them, or more. Ids are did:key. */
export type Witnesses = { threshold: number; ids: readonly string[] }

/** What is in force after an entry (did:webvh 1.0, did:webvh DID Method Parameters). */
export type Active = {
  scid: string
  updateKeys: readonly string[]
  nextKeyHashes: readonly string[]
  witnesses: Witnesses | undefined
  watchers: readonly string[]
  portable: boolean
  deactivated: boolean
  /** Seconds. */
  ttl: number
}

export const methodVersion = 'did:webvh:1.0'

const names = [
  ...['method', 'scid', 'updateKeys', 'nextKeyHashes', 'witness'],
  ...['watchers', 'portable', 'deactivated', 'ttl'],
]
const listMost = 100
const textMost = 2_048
const ttlMost = 2 ** 31

const textsOf = (value: unknown, name: string): string[] => {
  const isText = (each: unknown): each is string => typeof each === 'string' && each.length <= textMost
  if (Array.isArray(value) && value.length <= listMost && value.every(isText)) return value
  throw parametersRefused(`${name} of an entry is no list of up to ${listMost} strings.`)
}

const booleanOf = (value: unknown, name: string): boolean => {
  if (typeof value === 'boolean') return value
  throw parametersRefused(`${name} of an entry is neither true nor false.`)
}

const ttlOf = (value: unknown): number => {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= ttlMost) return value as number
  throw parametersRefused('ttl of an entry is no whole number of seconds.')
}

/** The Ed25519 key of a witness: a did:key, with which eddsa-jcs-2022 is made. */
export const witnessKey = (id: string) => {
  const key = id.startsWith('did:key:') ? fromMultikey(id.slice('did:key:'.length)) : undefined
  return key?.kind === 'Ed25519' ? key : undefined
}

const isWitness = (id: unknown): id is string => {
  try {
    return typeof id === 'string' && witnessKey(id) !== undefined
  } catch {
    return false
  }
}

/** The `witness` Parameter. Anything that is not `{}` names witnesses, or is refused: never silently nobody. */
const witnessesOf = (value: unknown): Witnesses | undefined => {
  if (!isRecord(value)) throw parametersRefused('witness of an entry is no object.')
  if (Object.keys(value).length === 0) return undefined
  const { threshold, witnesses } = value
  if (!Array.isArray(witnesses) || witnesses.length > listMost) {
    throw parametersRefused(`witness of an entry names up to ${listMost} witnesses.`)
  }
  const ids = witnesses.map(each => (isRecord(each) ? each['id'] : undefined))
  if (!ids.every(isWitness)) throw parametersRefused('A witness is a did:key of an Ed25519 key.')
  if (new Set(ids).size < ids.length) throw parametersRefused('A witness is named twice.')
  const isThreshold = Number.isInteger(threshold) && (threshold as number) >= 1 && (threshold as number) <= ids.length
  if (!isThreshold) throw parametersRefused('threshold of the witnesses is between 1 and how many there are.')
  return { threshold: threshold as number, ids }
}

const defaults = {
  ...{ updateKeys: [], nextKeyHashes: [], witnesses: undefined, watchers: [] },
  ...{ portable: false, deactivated: false, ttl: 3_600 },
}

/** `null` is an early spelling of the default (General Rules for Parameters, note). */
const read = <T>(
  parameters: Record<string, unknown>,
  name: string,
  { before, unset, of }: { before: T; unset: T; of: (value: unknown, name: string) => T },
): T => {
  const value = parameters[name]
  if (value === undefined) return before
  return value === null ? unset : of(value, name)
}

const merged = (parameters: Record<string, unknown>, before: Omit<Active, 'scid'>): Omit<Active, 'scid'> => {
  const texts = (name: 'updateKeys' | 'nextKeyHashes' | 'watchers') =>
    read<readonly string[]>(parameters, name, { before: before[name], unset: [], of: textsOf })
  const boolean = (name: 'portable' | 'deactivated') =>
    read(parameters, name, { before: before[name], unset: false, of: booleanOf })
  return {
    updateKeys: texts('updateKeys'),
    nextKeyHashes: texts('nextKeyHashes'),
    witnesses: read(parameters, 'witness', { before: before.witnesses, unset: undefined, of: witnessesOf }),
    watchers: texts('watchers'),
    portable: boolean('portable'),
    deactivated: boolean('deactivated'),
    ttl: read(parameters, 'ttl', { before: before.ttl, unset: defaults.ttl, of: ttlOf }),
  }
}

const assertKnown = (parameters: Record<string, unknown>): void => {
  const unknown = Object.keys(parameters).find(name => !names.includes(name))
  if (unknown !== undefined) throw parametersRefused('An entry has a parameter that did:webvh:1.0 does not know.')
}

/** The parameters of the first entry. @throws Refusal rejected/did_log_method, did_log_parameters */
export const firstParameters = (parameters: Record<string, unknown>): Active => {
  if (parameters['method'] !== methodVersion) throw methodUnknown()
  assertKnown(parameters)
  const { scid } = parameters
  if (typeof scid !== 'string') throw parametersRefused('The first entry has no scid.')
  const active = merged(parameters, defaults)
  if (active.updateKeys.length === 0) throw parametersRefused('The first entry has no updateKeys.')
  return { ...active, scid }
}

/** Every key of a rotation was announced by the entry before, and the next ones are announced with it. */
const assertRotation = (parameters: Record<string, unknown>, announced: readonly string[]): void => {
  const { updateKeys, nextKeyHashes } = parameters
  if (!Array.isArray(updateKeys) || !Array.isArray(nextKeyHashes)) {
    throw rotationBroken('After nextKeyHashes an entry has updateKeys and nextKeyHashes of its own.')
  }
  if (!updateKeys.every(key => typeof key === 'string' && announced.includes(keyHash(key)))) {
    throw rotationBroken('An entry has a key that nextKeyHashes of the one before did not announce.')
  }
}

/** The parameters after a later entry. @throws Refusal rejected/did_log_method, did_log_parameters, did_log_rotation */
export const nextParameters = (parameters: Record<string, unknown>, before: Active): Active => {
  if (parameters['method'] !== undefined && parameters['method'] !== methodVersion) throw methodUnknown()
  assertKnown(parameters)
  if (parameters['scid'] !== undefined) throw parametersRefused('scid stands in the first entry only.')
  if (parameters['portable'] === true) throw parametersRefused('A DID is made portable by its first entry only.')
  const active = merged(parameters, before)
  if (before.nextKeyHashes.length > 0) assertRotation(parameters, before.nextKeyHashes)
  return { ...active, scid: before.scid }
}

/** Whose signatures an entry needs (Authorized Keys). */
export const authorisedKeys = (active: Active, before: Active | undefined): readonly string[] =>
  before === undefined || before.nextKeyHashes.length > 0 ? active.updateKeys : before.updateKeys

/** Who has to approve an entry (Witness Lists): those in force before it, else those that it names. */
export const requiredWitnesses = (active: Active, before: Active | undefined): Witnesses | undefined =>
  before?.witnesses ?? active.witnesses
