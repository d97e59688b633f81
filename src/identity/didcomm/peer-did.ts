import type { DIDDocument, VerificationMethod } from 'did-resolver'
import { isRecord, readSegment } from '../formats/json.ts'
import { fromMultikey } from '../multikey.ts'
import { fromAgreementMultikey } from './agreement-keys.ts'

/** did:peer:2 (Peer DID Method 1.0, method 2: multiple inception keys): the DID says all that its document does. */

type Relation = 'assertionMethod' | 'capabilityDelegation' | 'keyAgreement' | 'capabilityInvocation' | 'authentication'

const relationOf: Readonly<Record<string, Relation>> = {
  A: 'assertionMethod',
  D: 'capabilityDelegation',
  E: 'keyAgreement',
  I: 'capabilityInvocation',
  V: 'authentication',
}

const didBytesMost = 4_096
const elementsMost = 16

/** Names that are shortened in a service, at every level. */
const longNames: Readonly<Record<string, string>> = {
  ...{ t: 'type', s: 'serviceEndpoint', r: 'routingKeys', a: 'accept' },
}

const lengthened = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(lengthened)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [longNames[name] ?? name, lengthened(member)]),
  )
}

const isKey = (multikey: string): boolean => {
  if (fromAgreementMultikey(multikey) !== undefined) return true
  try {
    return fromMultikey(multikey) !== undefined
  } catch {
    return false
  }
}

const serviceOf = (did: string, element: string, at: number): Record<string, unknown> | undefined => {
  let value: unknown
  try {
    value = lengthened(readSegment(element, 'service'))
  } catch {
    return undefined
  }
  if (!isRecord(value) || value['serviceEndpoint'] === undefined) return undefined
  const type = value['type'] === 'dm' ? 'DIDCommMessaging' : value['type']
  const { serviceEndpoint, routingKeys, accept } = value
  const isOld = typeof serviceEndpoint === 'string'
  const id = typeof value['id'] === 'string' ? value['id'] : at === 0 ? '#service' : `#service-${at}`
  const endpoint = isOld
    ? {
        uri: serviceEndpoint,
        ...(accept === undefined ? {} : { accept }),
        ...(routingKeys === undefined ? {} : { routingKeys }),
      }
    : serviceEndpoint
  return { id: id.startsWith('#') ? did + id : id, type, serviceEndpoint: endpoint }
}

/** The document of a did:peer:2; undefined for what is none, or has a key of an unknown kind. */
export const peerDocument = (did: string): DIDDocument | undefined => {
  if (did.length > didBytesMost || !/^did:peer:2(\.[ADEIVS][A-Za-z0-9_-]+=*)+$/.test(did)) return undefined
  const elements = did.slice('did:peer:2.'.length).split('.')
  if (elements.length > elementsMost) return undefined
  const methods: VerificationMethod[] = []
  const relations: Partial<Record<Relation, string[]>> = {}
  const services: Record<string, unknown>[] = []
  for (const element of elements) {
    const [purpose, value] = [element.slice(0, 1), element.slice(1)]
    if (purpose === 'S') {
      const service = serviceOf(did, value.replace(/=+$/, ''), services.length)
      if (service === undefined) return undefined
      services.push(service)
      continue
    }
    const relation = relationOf[purpose]
    if (relation === undefined || !isKey(value)) return undefined
    const id = `${did}#key-${methods.length + 1}`
    methods.push({ id, type: 'Multikey', controller: did, publicKeyMultibase: value })
    relations[relation] = [...(relations[relation] ?? []), id]
  }
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did,
    verificationMethod: methods,
    ...relations,
    ...(services.length === 0 ? {} : { service: services as unknown as NonNullable<DIDDocument['service']> }),
  }
}
