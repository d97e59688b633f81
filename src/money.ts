import type { AgencyOnChain } from './agency.ts'
import { openMoneyRail } from './chain/money-rail.ts'
import { openTypedSignatures } from './chain/typed-signatures.ts'
import { issuerAddress } from './identity/verify.ts'
import { schemes } from './kernel/ledger-entry.ts'
import type { Desk } from './plugins/cbdc/actions/desk.ts'
import { followRail } from './plugins/cbdc/actions/rail/follow.ts'
import type { KycPlace } from './plugins/cbdc/ledger/facts.ts'
import type { CbdcNeeds } from './plugins/cbdc/needs.ts'
import type { Round } from './rounds.ts'

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

/** @param publicKeyHex the compressed point. */
const ownerKeyOf = (publicKeyHex: string): CbdcNeeds['ownKey'] => ({
  ...{ scheme: schemes['P-256'], prefix: Number.parseInt(publicKeyHex.slice(0, 2), 16), x: publicKeyHex.slice(2) },
})

/** Chain id and contract are those of the genesis: what was signed for one ledger is nothing to another. */
export const ledgerDomain = ({ chain }: AgencyOnChain): CbdcNeeds['domain'] => ({
  ...{ name: 'Chancery Ledger', version: '1' },
  ...{ chainId: chain.client.chainId, verifyingContract: chain.contracts.RailGate.address },
})

export const moneyOf = async (
  agency: AgencyOnChain,
  parts: MoneyParts,
): Promise<{ needs: CbdcNeeds; close(): Promise<void> }> => {
  const { house, chain, settings, did } = agency
  const domain = ledgerDomain(agency)
  const signatures = await openTypedSignatures(domain)
  // The accounts of its currencies stand under a key of the agency's own that is used for nothing else.
  const { publicKeyHex } = await agency.keys.obtain({ kind: 'P-256', alias: 'ledger' })
  const currencies = agency.config.currencies.map(({ number }) => number)
  const rail = await openMoneyRail(chain, { account: agency.address, currencies })
  const needs: CbdcNeeds = {
    ...{ house, signatures, domain, did, newId: parts.newId, publicUrl: settings.publicUrl },
    kycInForce: kycJudge(agency),
    issuerAddress: issuer => issuerAddress(issuer, chain.client.chain),
    rules: { keys: () => [], judge: () => [], advance: () => new Map() },
    ownKey: ownerKeyOf(publicKeyHex),
    rail,
    outbox: agency.outbox,
  }
  return { needs, close: () => signatures.close() }
}

/** What the ledger does by itself. */
export const moneyRounds = (desk: Desk): Round[] => [
  {
    ...{ name: 'cbdc-rail', everyMs: 1_000, failing: 'the gate between ledger and chain was not read; tried again' },
    async run(check, ended) {
      while ((await followRail(desk, check)) > 0 && !ended());
    },
  },
]
