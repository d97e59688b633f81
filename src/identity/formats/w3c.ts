import type { StatusPointer } from '../../kernel/ports.ts'
import { Refusal } from '../../kernel/refusal.ts'
import type { CredentialType, CredentialTypes } from '../types.ts'
import type { Draft } from './format.ts'
import { isRecord, malformed } from './json.ts'

export const contextV2 = 'https://www.w3.org/ns/credentials/v2'

export const statusListUrl = (baseUrl: string, list: number): string => `${baseUrl}/status/bitstring/${list}`
export const tokenStatusListUrl = (baseUrl: string, list: number): string => `${baseUrl}/status/token/${list}`
export const typeUrl = (baseUrl: string, type: CredentialType): string =>
  `${baseUrl}/types/${type.slug}/${type.version}`

/** What an `EvmStatusEntry` says, for readers of JSON-LD; every agency serves it under `/contexts/`. */
export const evmStatusContext = {
  '@context': {
    '@version': 1.1,
    '@protected': true,
    EvmStatusEntry: {
      '@id': 'https://chancery.example/ns#EvmStatusEntry',
      '@context': {
        '@version': 1.1,
        '@protected': true,
        id: '@id',
        type: '@type',
        chain: 'https://chancery.example/ns#statusChain',
        registry: 'https://chancery.example/ns#statusRegistry',
        issuer: 'https://chancery.example/ns#statusIssuer',
        list: 'https://chancery.example/ns#statusList',
        index: 'https://chancery.example/ns#statusIndex',
      },
    },
  },
}
export const evmStatusContextName = 'evm-status/1'

/** The contexts of a credential of VC Data Model 2.0, in their order. */
export const contextsOf = (baseUrl: string, type: CredentialType): string[] => [
  contextV2,
  `${typeUrl(baseUrl, type)}/context`,
  `${baseUrl}/contexts/${evmStatusContextName}`,
]

export const evmStatusEntry = (pointer: StatusPointer): Record<string, unknown> => ({
  type: 'EvmStatusEntry',
  chain: pointer.chain,
  registry: pointer.registry,
  issuer: pointer.issuer,
  list: String(pointer.list),
  index: String(pointer.index),
})

/** One truth, two views: a BitstringStatusListEntry a purpose and one EvmStatusEntry (all with the same index). */
export const statusEntries = (draft: Draft): Record<string, unknown>[] => {
  const { list, index } = draft.status
  const entries = draft.type.statusPurposes.map(purpose => {
    // The suspension list of a pair is the one after its revocation list.
    const url = statusListUrl(draft.baseUrl, purpose === 'suspension' ? list + 1 : list)
    return {
      id: `${url}#${index}`,
      type: 'BitstringStatusListEntry',
      statusPurpose: purpose,
      statusListIndex: String(index),
      statusListCredential: url,
    }
  })
  return [...entries, evmStatusEntry(draft.status)]
}

const numeral = /^(0|[1-9][0-9]{0,14})$/
const toNumber = (value: unknown, name: string): number => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  if (typeof value === 'string' && numeral.test(value)) return Number(value)
  throw malformed(`${name} is not a whole number.`)
}

export const pointerOf = (entry: Record<string, unknown>): StatusPointer => {
  const { chain, registry, issuer } = entry
  if (typeof chain !== 'string' || typeof registry !== 'string' || typeof issuer !== 'string') {
    throw malformed('An EvmStatusEntry needs chain, registry and issuer.')
  }
  return {
    chain,
    registry: registry.toLowerCase(),
    issuer: issuer.toLowerCase(),
    list: toNumber(entry['list'], 'EvmStatusEntry.list'),
    index: toNumber(entry['index'], 'EvmStatusEntry.index'),
  }
}

/** The status pointer among the entries of `credentialStatus`; every entry must be one we understand and agree. */
export const readStatus = (value: unknown): StatusPointer | undefined => {
  if (value === undefined) return undefined
  const entries = Array.isArray(value) ? value : [value]
  if (entries.length > 8) throw malformed('A credential has at most 8 status entries.')
  let pointer: StatusPointer | undefined
  const indices: number[] = []
  for (const entry of entries) {
    if (!isRecord(entry)) throw malformed('A status entry is not an object.')
    if (entry['type'] === 'EvmStatusEntry') {
      if (pointer !== undefined) throw malformed('A credential has one EvmStatusEntry.')
      pointer = pointerOf(entry)
    } else if (entry['type'] === 'BitstringStatusListEntry') {
      indices.push(toNumber(entry['statusListIndex'], 'statusListIndex'))
    } else {
      throw new Refusal('rejected', 'status_type_unknown', 'A status entry has a type that is not understood here.')
    }
  }
  if (pointer !== undefined && indices.some(index => index !== pointer.index)) {
    throw malformed('The status entries of this credential do not name one index.')
  }
  return pointer
}

/** The credential type that a W3C credential names by its schema, checked against its `type`. */
export const readType = (vc: Record<string, unknown>, types: CredentialTypes): CredentialType => {
  const schemas = Array.isArray(vc['credentialSchema']) ? vc['credentialSchema'] : [vc['credentialSchema']]
  const names = Array.isArray(vc['type']) ? vc['type'] : [vc['type']]
  if (!names.includes('VerifiableCredential')) throw malformed('The type lacks VerifiableCredential.')
  for (const schema of schemas) {
    if (!isRecord(schema) || typeof schema['id'] !== 'string') continue
    const type = types.bySchemaId(schema['id'])
    if (type === undefined || !names.includes(type.id)) continue
    // Judged as one type and read as another would be worse than not judged at all.
    if (names.some(name => name !== type.id && types.all.some(other => other.id === name))) {
      throw malformed('The credential claims to be of two types that are known here.')
    }
    return type
  }
  throw new Refusal('rejected', 'schema_unknown', 'The credential names no schema that is known here for its type.')
}

export const issuerId = (value: unknown): string => {
  const id = isRecord(value) ? value['id'] : value
  if (typeof id !== 'string') throw malformed('The credential has no issuer.')
  return id
}

/** Two dates for one bound: the later of two beginnings, the earlier of two ends. The second may narrow, never widen. */
export const narrow = (
  a: number | undefined,
  b: number | undefined,
  pick: (...times: number[]) => number,
): number | undefined => (a === undefined ? b : b === undefined ? a : pick(a, b))

/** A NumericDate as did-jwt-vc writes it into the credential it shows. */
export const isoOf = (seconds: unknown): string | undefined =>
  typeof seconds === 'number' ? new Date(Math.floor(seconds * 1_000)).toISOString() : undefined

/** One subject; several subjects are another kind of credential and refused by name. */
export const readSubject = (value: unknown): { id: string | undefined; claims: Record<string, unknown> } => {
  const subject = Array.isArray(value) && value.length === 1 ? value[0] : value
  if (!isRecord(subject)) throw malformed('credentialSubject must be one object.')
  const id = subject['id']
  if (id !== undefined && typeof id !== 'string') throw malformed('credentialSubject.id is not a string.')
  return { id, claims: subject }
}
