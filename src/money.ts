import type { AgencyOnChain } from './agency.ts'
import { openChainLocks } from './chain/locks.ts'
import { openMoneyRail } from './chain/money-rail.ts'
import { openTypedSignatures } from './chain/typed-signatures.ts'
import type { Log } from './http/log.ts'
import { sealJws } from './identity/formats/jose.ts'
import type { IssuerKey } from './identity/issue.ts'
import { issuerAddress } from './identity/verify.ts'
import { schemes } from './kernel/ledger-entry.ts'
import { withLowS } from './kernel/low-s.ts'
import type { Desk } from './plugins/cbdc/actions/desk.ts'
import { payInstalments } from './plugins/cbdc/actions/instructions/pay.ts'
import { resolveClosedWindows, settleQueued } from './plugins/cbdc/actions/interbank/rounds.ts'
import { retryVouchers } from './plugins/cbdc/actions/offline/upkeep.ts'
import { escheatDormant, flagDormant } from './plugins/cbdc/actions/orders/dormancy.ts'
import { accrueDue } from './plugins/cbdc/actions/orders/interest.ts'
import type { Fence } from './plugins/cbdc/actions/orders/rounds.ts'
import { executeKeyOrders, expireReservations, sweepMerchants } from './plugins/cbdc/actions/orders/upkeep.ts'
import { returnEnded } from './plugins/cbdc/actions/purpose/upkeep.ts'
import { followRail } from './plugins/cbdc/actions/rail/follow.ts'
import { checkInvariant } from './plugins/cbdc/actions/reads/invariant.ts'
import type { KycPlace } from './plugins/cbdc/ledger/facts.ts'
import { receiptType } from './plugins/cbdc/ledger/receipt.ts'
import { openRules, type RuleSettings } from './plugins/cbdc/monitoring.ts'
import type { CbdcNeeds } from './plugins/cbdc/needs.ts'
import { roundMost } from './plugins/cbdc/policy.ts'
import type { Round } from './rounds.ts'

/** What the ledger of money takes of an agency and of the chain. */

export type MoneyParts = { newId(): string; issuerKey(): IssuerKey }

/**
 * Is a credential in force: its issuer accredited for the type, not past its date, neither revoked nor suspended? Looked up in memory.
 * @throws Refusal unavailable/status_unavailable
 */
const credentialJudge =
  ({ chain, settings }: AgencyOnChain) =>
  (type: string, { issuer, list, index, until }: KycPlace): boolean => {
    const { status, trust } = chain.follower
    const now = settings.clock.now()
    const registry = chain.contracts.StatusRegistry.address
    return (
      now < until &&
      trust.accreditation(issuer, type, now).accredited &&
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

/** What the two rules that ship with the ledger watch for, until the regulator's own take their place. */
const ruleSettings = (currencies: readonly number[]): RuleSettings => ({
  structuring: {
    thresholds: currencies.map(currency => ({ currency, level: null, thresholdMinor: 1_000_000n })),
    ...{ marginPercent: 10, mostInDay: 3 },
  },
  rapidMovement: {
    ...{ withinSeconds: 600, sharePercent: 90, mostInDay: 5 },
    least: currencies.map(currency => ({ currency, leastMinor: 100_000n })),
  },
})

export const moneyOf = async (
  agency: AgencyOnChain,
  parts: MoneyParts,
): Promise<{ needs: CbdcNeeds; close(): Promise<void> }> => {
  const { house, chain, settings, did } = agency
  const domain = ledgerDomain(agency)
  const credentialInForce = credentialJudge(agency)
  const signatures = await openTypedSignatures(domain)
  // The accounts of its currencies stand under a key of the agency's own that is used for nothing else.
  const { keyId, publicKeyHex } = await agency.keys.obtain({ kind: 'P-256', alias: 'ledger' })
  const { config } = agency
  const currencies = [...config.currencies.map(({ number }) => number), ...config.carries]
  const rail = await openMoneyRail(chain, { account: agency.address, currencies })
  const needs: CbdcNeeds = {
    ...{ house, signatures, domain, did, newId: parts.newId, publicUrl: settings.publicUrl },
    kycInForce: place => credentialInForce('KycAttestation', place),
    credentialInForce,
    issuerAddress: issuer => issuerAddress(issuer, chain.client.chain),
    rules: openRules(ruleSettings(currencies)),
    ownKey: ownerKeyOf(publicKeyHex),
    // A signature and its mirror image would otherwise be two records.
    signOwn: async digest => withLowS(await agency.keys.signer.sign(keyId, 'ES256', digest)),
    signStatement(payload, typ = receiptType) {
      const { kid, keyId: signing, algorithm } = parts.issuerKey()
      return sealJws({ alg: algorithm, kid, typ }, payload, (alg, data) => agency.keys.signer.sign(signing, alg, data))
    },
    rail,
    outbox: agency.outbox,
    locks: openChainLocks(chain, settings.clock),
  }
  return { needs, close: () => signatures.close() }
}

/** Again and again until less than a full round was found. */
const upkeep = (
  desk: Desk,
  name: string,
  everyMs: number,
  work: (desk: Desk, fence: Fence) => Promise<number>,
): Round => ({
  ...{ name: `cbdc-${name}`, everyMs, failing: `the ledger's round "${name}" failed; tried again` },
  async run(check, ended) {
    while ((await work(desk, check)) === roundMost && !ended());
  },
})

const minuteMs = 60_000

/** What the ledger does by itself. */
export const moneyRounds = (desk: Desk, log: Log): Round[] => [
  {
    ...{ name: 'cbdc-rail', everyMs: 1_000, failing: 'the gate between ledger and chain was not read; tried again' },
    async run(check, ended) {
      while ((await followRail(desk, check)) > 0 && !ended());
    },
  },
  {
    ...{ name: 'cbdc-queue', everyMs: 1_000, failing: 'queued payments of banks were not tried; tried again' },
    async run(check, ended) {
      while ((await settleQueued(desk, check)) > 0 && !ended());
    },
  },
  {
    ...{ name: 'cbdc-netting', everyMs: 5_000, failing: 'a closed netting window was not resolved; tried again' },
    async run(check) {
      await resolveClosedWindows(desk, check)
    },
  },
  upkeep(desk, 'expire', 5_000, expireReservations),
  upkeep(desk, 'keys', minuteMs, executeKeyOrders),
  upkeep(desk, 'purposes', minuteMs, returnEnded),
  upkeep(desk, 'vouchers', minuteMs, retryVouchers),
  upkeep(desk, 'sweep', minuteMs, sweepMerchants),
  upkeep(desk, 'instalments', minuteMs, payInstalments),
  upkeep(desk, 'interest', 10 * minuteMs, accrueDue),
  upkeep(desk, 'dormant', 60 * minuteMs, flagDormant),
  upkeep(desk, 'escheat', 60 * minuteMs, escheatDormant),
  {
    ...{
      name: 'cbdc-invariant',
      everyMs: minuteMs,
      failing: 'the sums of the ledger could not be compared; tried again',
    },
    async run() {
      const report = await checkInvariant(desk)
      const broken = report.currencies.filter(({ breaches }) => breaches.length > 0)
      for (const { code, breaches } of broken) log.error({ currency: code, breaches }, 'the ledger does not add up')
    },
  },
]
