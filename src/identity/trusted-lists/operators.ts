import { isRefusal } from '../../kernel/refusal.ts'
import type { Certificate } from '../x509/certificate.ts'
import { type ChainJudge, trustAnchors } from '../x509/chain.ts'
import { partyUsages } from '../x509/usages.ts'
import { listOfAnother } from './refusals.ts'

/** Who may sign a trusted list: certificates of its scheme operator, or of the authority that certifies them. */
export type Operators = ChainJudge

/** @param certificates DER, as the configuration pins them. @throws Refusal malformed/certificate_malformed */
export const schemeOperators = (certificates: readonly Uint8Array[]): Operators => trustAnchors(certificates)

/**
 * The certificate that signed a list, where it is one that the configuration pins, or certified by one.
 * @param chain DER, the signer's first.
 * @throws Refusal rejected/trusted_list_of_another, rejected/certificate_expired, malformed/certificate_malformed
 */
export const signerAmong = (chain: readonly Uint8Array[], operators: Operators, now: number): Certificate => {
  try {
    return operators.validate(chain, now, { notAlone: partyUsages }).leaf
  } catch (error) {
    if (isRefusal(error) && error.code === 'certificate_untrusted') throw listOfAnother()
    throw error
  }
}
