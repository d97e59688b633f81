import type { Clock } from '../../kernel/ports.ts'
import { Refusal } from '../../kernel/refusal.ts'
import { type FetchBounds, type Fetched, fetchBounded } from '../fetch-bounded.ts'
import { isRecord } from '../formats/json.ts'
import { type ForeignListNeeds, openForeignLists } from '../status-lists/foreign.ts'
import { statusMalformed } from '../status-lists/refusals.ts'
import { readTokenReference } from '../status-lists/token.ts'
import type { Attesters } from './attesters.ts'

/**
 * Judges the `status` of a wallet or key attestation.
 * @param provider who signed the attestation.
 */
export type JudgeAttestationStatus = (status: unknown, provider: string) => Promise<void>

export type AttestationStatusNeeds = {
  clock: Clock
  attesters: Attesters
  /** @default fetchBounded */
  fetch?: (url: string, bounds: FetchBounds) => Promise<Fetched>
  fetchBounds?: FetchBounds
}

/**
 * Attestations are revoked by Token Status Lists (OpenID4VCI 1.0, appendices D.1 and E), each signed under the same authority, or with
 * the same key, as the attestation: fetched within bounds, kept by their rules, and never taken for good when they cannot be had.
 * @throws Refusal of the judge: rejected/attestation_revoked, status_malformed, status_list_refused; unavailable/status_unavailable
 */
export const openAttestationStatus = (needs: AttestationStatusNeeds): JudgeAttestationStatus => {
  const { clock, attesters, fetch = fetchBounded, fetchBounds = {} } = needs
  const listing: ForeignListNeeds = {
    ...{ clock, fetch, fetchBounds },
    async verifyListToken({ signature }) {
      const { provider } = await attesters.assertSignature(signature, clock.now())
      return { issuer: provider }
    },
    verifyListCredential: () => Promise.reject(statusMalformed('the status of an attestation is a token status list.')),
  }
  const lists = openForeignLists(listing)
  return async (status, provider) => {
    if (!isRecord(status)) throw statusMalformed('status is not an object.')
    const { meaning } = await lists.token(readTokenReference(status['status_list']), { issuer: provider })
    if (meaning !== 'valid') {
      throw new Refusal('rejected', 'attestation_revoked', 'The provider of the wallet has revoked its attestation.')
    }
  }
}
