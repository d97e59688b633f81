import type { House } from '../../kernel/perform.ts'

/** What the composition root hands to this plugin. */
export type PseudonymsNeeds = {
  house: House
  /** The OPRF key's RFC 7638 thumbprint. */
  keyId: string
  /**
   * Evaluates the function of a domain on blinded elements (compressed points).
   * @throws Refusal malformed/blinded_element_invalid, unavailable/pseudonyms_unavailable
   */
  evaluate(domain: string, elements: readonly Uint8Array[]): Promise<{ elements: Uint8Array[]; proof: Uint8Array }>
  /** Whether the institution is accredited for one of the types now. @throws Refusal unavailable/status_unavailable */
  accredited(did: string, types: readonly string[]): boolean
  /** @default policy.evaluationsMost */
  evaluationsMost?: number | undefined
}
