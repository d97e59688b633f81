import type { SignatureAlgorithm } from '../../kernel/ports.ts'
import { Refusal } from '../../kernel/refusal.ts'
import { methodIn, unknownKey } from '../did-document.ts'
import { parseLocalMethod } from '../did-local.ts'
import type { Dids } from '../dids.ts'
import { keyUrl } from '../formats/jose.ts'
import type { ProofKey } from '../integrity/suite.ts'
import { keyOfMethod } from '../multikey.ts'

/** A key that a DID names for a purpose, whatever the DID is. */
export type MethodKey = ProofKey & { controller: string; algorithm: SignatureAlgorithm }

const unresolvable = (did: string, error: string | undefined): Refusal =>
  error === 'internalError'
    ? new Refusal('unavailable', 'did_unavailable', `${did.slice(0, 200)} cannot be resolved now.`)
    : new Refusal('rejected', 'did_unresolvable', `${did.slice(0, 200)} is no DID that counts here.`)

/** Keys as DID documents give them. Those of our own chain come from the replica, as everywhere. */
export const openMethods = (dids: Pick<Dids, 'resolve'>) => {
  const ofLocal = (url: string): MethodKey | undefined => {
    const hash = url.indexOf('#')
    const local = parseLocalMethod(url.slice(0, hash))
    if (local === undefined) return undefined
    if (url.slice(hash + 1) !== local.fragment) throw unknownKey(url)
    return { ...local.key, controller: local.did }
  }
  /** @throws Refusal rejected/key_unknown, key_purpose, did_unresolvable, unavailable/did_unavailable */
  return async (method: string, purpose: string): Promise<MethodKey> => {
    if (purpose !== 'assertionMethod' && purpose !== 'authentication') {
      throw new Refusal('rejected', 'proof_purpose', 'A proof is for assertionMethod or authentication.')
    }
    const url = method.includes('#') ? method : keyUrl('', method)
    const hash = url.indexOf('#')
    if (hash < 0) throw unknownKey(method)
    const local = ofLocal(url)
    if (local !== undefined) return local
    const { didDocument, didResolutionMetadata, didDocumentMetadata } = await dids.resolve(url.slice(0, hash))
    if (didDocument === null || didDocumentMetadata.deactivated === true) {
      throw unresolvable(url.slice(0, hash), didResolutionMetadata.error)
    }
    const found = methodIn(didDocument, url, purpose)
    if (found['controller'] !== didDocument.id) throw unknownKey(url)
    return { ...keyOfMethod(found), controller: didDocument.id }
  }
}

export type Methods = ReturnType<typeof openMethods>
