import type { AgencyOnChain } from './agency.ts'
import { openTypedSignatures } from './chain/typed-signatures.ts'
import { issuerAddress } from './identity/verify.ts'
import type { KycPlace } from './plugins/cbdc/ledger/facts.ts'
import { openRules } from './plugins/cbdc/monitoring.ts'
import type { CbdcNeeds } from './plugins/cbdc/needs.ts'

/** What the ledger of money takes of an agency and of the chain. */

export type MoneyParts = { newId(): string }

/**
 * Is a KYC attestation in force: its issuer accredited, not past its date, neither revoked nor suspended? Looked up in memory.
 * @throws Refusal unavailable/status_unavailable
 */
const kycJudge =
  ({ chain, settings }: AgencyOnChain): CbdcNeeds['kycInForce'] =>
  ({ issuer, list, index, until }: KycPlace) => {
    const { status, trust } = chain.follower
    const now = settings.clock.now()
    const registry = chain.contracts.StatusRegistry.address
    return (
      now < until &&
      trust.accreditation(issuer, 'KycAttestation', now).accredited &&
      status.status({ chain: chain.client.chain, registry, issuer, list, index }) === 'valid'
    )
  }

/** Chain id and contract are those of the genesis: what was signed for one ledger is nothing to another. */
const domainOf = ({ chain }: AgencyOnChain): CbdcNeeds['domain'] => ({
  ...{ name: 'Chancery Ledger', version: '1' },
  ...{ chainId: chain.client.chainId, verifyingContract: chain.contracts.RailGate.address },
})

export const moneyOf = async (
  agency: AgencyOnChain,
  parts: MoneyParts,
): Promise<{ needs: CbdcNeeds; close(): Promise<void> }> => {
  const { house, chain, settings, did } = agency
  const domain = domainOf(agency)
  const signatures = await openTypedSignatures(domain)
  const needs: CbdcNeeds = {
    ...{ house, signatures, domain, did, newId: parts.newId, publicUrl: settings.publicUrl },
    kycInForce: kycJudge(agency),
    issuerAddress: issuer => issuerAddress(issuer, chain.client.chain),
    rules: openRules(),
  }
  return { needs, close: () => signatures.close() }
}
