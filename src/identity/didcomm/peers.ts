import type { DIDDocument, DIDResolutionResult } from 'did-resolver'
import { Refusal } from '../../kernel/refusal.ts'
import { localDocument, parseLocalMethod } from '../did-local.ts'
import { isRecord } from '../formats/json.ts'
import {
  type AgreementPublicKey,
  agreementKeysOf,
  curves,
  fromAgreementMultikey,
  type PublicAgreementKey,
  toAgreementMultikey,
} from './agreement-keys.ts'
import { ed25519ToX25519 } from './edwards.ts'
import { peerDocument } from './peer-did.ts'
import { unreachable } from './refusals.ts'

/** Documents of those who write and are written to. */
export type Peers = {
  /** @throws Refusal rejected/did_unresolvable; unavailable when it cannot be had now */
  document(did: string): Promise<DIDDocument>
  /** Those of one curve: each curve takes a message of its own. @throws Refusal didcomm_unreachable */
  keysOf(did: string, kid?: string | undefined): Promise<PublicAgreementKey[]>
  /** @throws Refusal key_unknown when the DID has no such key for key agreement */
  senderKey(kid: string): Promise<AgreementPublicKey>
  endpointsOf(did: string): Promise<Endpoint[]>
}

/** Where a DID is reached (Service Endpoint): `uri` is a URL, or the DID of a mediator. */
export type Endpoint = { uri: string; routingKeys: readonly string[] }

const unresolvable = (did: string): Refusal =>
  new Refusal('rejected', 'did_unresolvable', `${did.slice(0, 200)} is no DID that counts here.`)

const w3c = 'https://www.w3.org/ns/did/v1'

/** A did:key of X25519: for nothing but key agreement. */
const agreementDocument = (did: string): DIDDocument | undefined => {
  const multikey = did.slice('did:key:'.length)
  if (!did.startsWith('did:key:') || fromAgreementMultikey(multikey)?.curve !== 'X25519') return undefined
  const id = `${did}#${multikey}`
  return {
    ...{ '@context': [w3c, 'https://w3id.org/security/multikey/v1'], id: did },
    verificationMethod: [{ id, type: 'Multikey', controller: did, publicKeyMultibase: multikey }],
    keyAgreement: [id],
  }
}

/** A did:key or did:jwk; with the key agreement key that the did:key method derives from one of Ed25519. */
const localOne = (did: string): DIDDocument | undefined => {
  const local = parseLocalMethod(did)
  if (local === undefined) return undefined
  const document = localDocument(local)
  if (local.key.kind !== 'Ed25519' || !did.startsWith('did:key:')) return document
  const multikey = toAgreementMultikey(ed25519ToX25519(local.key.raw))
  const id = `${did}#${multikey}`
  const method = { id, type: 'Multikey', controller: did, publicKeyMultibase: multikey }
  return { ...document, verificationMethod: [...(document.verificationMethod ?? []), method], keyAgreement: [id] }
}

const endpointsMost = 4

const endpointOf = (value: unknown, outer: Record<string, unknown>): Endpoint[] => {
  const uri = typeof value === 'string' ? value : isRecord(value) ? value['uri'] : undefined
  const keys = (isRecord(value) ? value['routingKeys'] : undefined) ?? outer['routingKeys'] ?? []
  const accept = isRecord(value) ? value['accept'] : undefined
  const isOurs = !Array.isArray(accept) || accept.length === 0 || accept.includes('didcomm/v2')
  if (typeof uri !== 'string' || !isOurs || !Array.isArray(keys) || keys.length > endpointsMost) return []
  return keys.every(each => typeof each === 'string') ? [{ uri, routingKeys: keys as string[] }] : []
}

export type PeerOptions = {
  resolve(did: string): Promise<DIDResolutionResult>
  /** What the agency's own document says of messages. */
  own: DIDDocument
}

export const openPeers = ({ resolve, own }: PeerOptions): Peers => {
  const document: Peers['document'] = async did => {
    if (did === own.id) return own
    const found = peerDocument(did) ?? agreementDocument(did) ?? localOne(did)
    if (found !== undefined) return found
    const { didDocument, didResolutionMetadata, didDocumentMetadata } = await resolve(did)
    if (didResolutionMetadata.error === 'internalError') {
      throw new Refusal('unavailable', 'did_unavailable', `The document of ${did.slice(0, 200)} cannot be had now.`)
    }
    if (didDocument === null || didDocument.id !== did || didDocumentMetadata.deactivated === true) {
      throw unresolvable(did)
    }
    return didDocument
  }
  return {
    document,
    async keysOf(did, only) {
      const keys = agreementKeysOf(await document(did)).filter(({ kid }) => only === undefined || kid === only)
      const curve = curves.find(each => keys.some(key => key.curve === each))
      if (curve === undefined) throw unreachable(did)
      return keys.filter(key => key.curve === curve)
    },
    async senderKey(kid) {
      const did = kid.split('#')[0] ?? ''
      const key = agreementKeysOf(await document(did)).find(each => each.kid === kid)
      if (key !== undefined) return key
      throw new Refusal('rejected', 'key_unknown', `${did.slice(0, 200)} has no such key for key agreement.`)
    },
    async endpointsOf(did) {
      const { service = [] } = await document(did)
      return (service as unknown as Record<string, unknown>[])
        .filter(({ type }) => [type].flat().includes('DIDCommMessaging'))
        .flatMap(each => [each['serviceEndpoint']].flat().flatMap(value => endpointOf(value, each)))
        .slice(0, endpointsMost)
    },
  }
}
