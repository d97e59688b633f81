import type { HolderCaller } from '../../../kernel/gate.ts'
import { holderKeyForeign } from '../errors.ts'
import type { RegistryNeeds } from '../needs.ts'

/** A proof of a key as OpenID4VCI has it (proof type `jwt`). */
export type KeyProof = { proof_type: 'jwt'; jwt: string }

/**
 * The DID that a credential is to be bound to: of the key that was proven, or of another one that was; a wallet that has
 * a key a credential proves a fresh one by itself. Such a proof answers the DID of whoever asks, so that it serves
 * nobody else.
 * @throws Refusal holder_key_foreign, key_proof_refused
 */
export const holderWanted = async (
  desk: Pick<RegistryNeeds, 'proveKey' | 'publicUrl' | 'did'>,
  asking: HolderCaller,
  { holder, holderProof }: { holder?: string; holderProof?: KeyProof },
): Promise<string> => {
  if (holderProof !== undefined) {
    const audience = [desk.publicUrl, desk.did]
    const { did } = await desk.proveKey(holderProof.jwt, { audience, nonce: asking.actor })
    if (holder !== undefined && holder !== did) throw holderKeyForeign()
    return did
  }
  if (holder === undefined || holder === asking.actor) return asking.actor
  if (!asking.credentials.some(proven => proven.holder === holder)) throw holderKeyForeign()
  return holder
}
