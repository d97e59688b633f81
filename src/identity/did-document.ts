import type { JsonWebKey } from 'node:crypto'
import type { DIDDocument } from 'did-resolver'
import { Refusal } from '../kernel/refusal.ts'
import { isRecord } from './formats/json.ts'
import { type PublicKey, publicKeyFromJwk, publicKeyFromRaw } from './key-material.ts'
import { keyOfMethod } from './multikey.ts'

/** The verification relationships of a DID document. */
export const relationships = [
  'authentication',
  'assertionMethod',
  'keyAgreement',
  'capabilityInvocation',
  'capabilityDelegation',
] as const
export type Relationship = (typeof relationships)[number]

/** A relative DID URL of a document, made absolute (DID Core 1.0, section 3.2.2). */
export const absoluteUrl = (document: Pick<DIDDocument, 'id'>, id: unknown): unknown =>
  typeof id === 'string' && id.startsWith('#') ? document.id + id : id

/**
 * A verification method, and whether the document has it for the relationship (Controlled Identifiers 1.0, section 3.3, Retrieve
 * Verification Method).
 */
export const findMethod = (
  document: DIDDocument,
  url: string,
  relationship: Relationship,
): { method: Record<string, unknown> | undefined; isFor: boolean } => {
  const listed = [document[relationship] ?? []].flat() as unknown[]
  const embedded = listed.find(each => isRecord(each) && absoluteUrl(document, each['id']) === url)
  if (isRecord(embedded)) return { method: embedded, isFor: true }
  const method = document.verificationMethod?.find(each => absoluteUrl(document, each.id) === url)
  return { method: method && { ...method }, isFor: listed.some(each => absoluteUrl(document, each) === url) }
}

export const unknownKey = (url: string): Refusal =>
  new Refusal('rejected', 'key_unknown', `There is no key ${url.slice(0, 200)} that can be verified with.`)

/** @throws Refusal rejected/key_unknown, key_purpose */
export const methodIn = (document: DIDDocument, url: string, purpose: Relationship): Record<string, unknown> => {
  const { method, isFor } = findMethod(document, url, purpose)
  if (method === undefined) throw unknownKey(url)
  if (!isFor) {
    throw new Refusal('rejected', 'key_purpose', `The key ${url.slice(0, 200)} is not for ${purpose}.`)
  }
  return method
}

/** The key of a verification method, as its `publicKeyJwk` or its Multikey gives it; undefined for one that signs no JOSE. */
export const publicKeyOf = (method: Readonly<Record<string, unknown>>): PublicKey | undefined => {
  try {
    if (method['publicKeyJwk'] !== undefined) return publicKeyFromJwk(method['publicKeyJwk'] as JsonWebKey)
    const { kind, raw } = keyOfMethod(method)
    return kind === 'BLS12-381-G2' ? undefined : publicKeyFromRaw(kind, raw)
  } catch {
    return undefined
  }
}
