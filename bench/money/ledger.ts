import { agencyEntities, agencyMigrations } from '../../src/agency.ts'
import { modes, purposes, typeIdOf } from '../../src/chain/contracts.ts'
import type { History } from '../../src/chain/history.ts'
import { createReader } from '../../src/chain/readers.ts'
import { createReplica } from '../../src/chain/replica.ts'
import { openTypedSignatures } from '../../src/chain/typed-signatures.ts'
import { timeId } from '../../src/kernel/time-id.ts'
import { openDesk } from '../../src/plugins/cbdc/actions/desk.ts'
import { openRules, type RuleSettings } from '../../src/plugins/cbdc/monitoring.ts'
import type { CbdcNeeds } from '../../src/plugins/cbdc/needs.ts'
import { openIdempotency } from '../../src/store/idempotency.ts'
import { journal } from '../../src/store/journal.ts'
import { openStore } from '../../src/store/store.ts'
import { signerAt } from './keys.ts'

/** The ledger as an agency opens it, with the chain's facts in the real replica, filled by events as the chain would. */

export type Place = { file: string } | { databaseUrl: string; schema: string }

export const domain = {
  ...{ name: 'Chancery Ledger', version: '1', chainId: 31_337 },
  verifyingContract: `0x${'77'.repeat(20)}`,
}
export const bankDid = 'did:ethr:0x7a69:0x00000000000000000000000000000000000000b1'
/** Whose KYC attestations the customers have. */
export const bankAddress = '0x00000000000000000000000000000000000000b1'
export const kycListLength = 131_072

/** Accounts of the currency's own, and the bank's reserve account; customers come after them. */
export const own = { issuance: 1, fees: 2, rail: 3, suspense: 4, interest: 5, treasury: 6, bank: 7 } as const
export const firstCustomer = 8

/** Of the order of an AML report; the bench pays far smaller sums, which the rules see and let pass. */
const ruleSettings: RuleSettings = {
  structuring: {
    thresholds: [{ currency: 1, level: null, thresholdMinor: 1_000_000n }],
    ...{ marginPercent: 10, mostInDay: 3 },
  },
  rapidMovement: {
    ...{ withinSeconds: 3_600, sharePercent: 90, mostInDay: 3 },
    least: [{ currency: 1, leastMinor: 100_000n }],
  },
}

const chain = 'eip155:31337'
const statusRegistry = '0x00000000000000000000000000000000000000aa'

/** A bank whose lists have a revoked place in every word, so that no page of them is empty; the customers skip those. */
const chainFacts = (customers: number) => {
  const replica = createReplica()
  const time = Math.floor(Date.now() / 1_000) - 86_400
  const word = Uint8Array.from({ length: 32 }, (_, at) => (at === 31 ? 1 : 0))
  const lists = 2 * (1 + Math.ceil(customers / kycListLength))
  for (let list = 0; list < lists; list += 1) {
    const place = { issuer: bankAddress, list, block: 1 + list, log: 0, time }
    const purpose = list % 2 === 0 ? purposes.revocation : purposes.suspension
    replica.apply([{ kind: 'ListOpened', ...place, purpose, mode: modes.bitmap, length: kycListLength }])
    const words = Array.from({ length: kycListLength / 256 }, (_, at) => at)
    replica.apply(words.map(at => ({ kind: 'StatusChanged' as const, ...place, word: at, bits: word })))
  }
  const head = { chain, number: lists, hash: `0x${'0'.repeat(64)}`, timestamp: Date.now() }
  const freshness = {
    head: () => head,
    require: () => {
      if (Date.now() - head.timestamp > 86_400_000) throw new Error('the chain is stale')
    },
  }
  return { replica, freshness, time, block: lists }
}

const kycJudge = (customers: number, clock: { now(): number }): CbdcNeeds['kycInForce'] => {
  const { replica, freshness, time, block } = chainFacts(customers)
  const until = Date.now() + 365 * 86_400_000
  const accredited = { parent: null, issuer: bankAddress, typeId: typeIdOf('KycAttestation'), depth: 0 }
  const period = { validFrom: time * 1_000, validUntil: until }
  replica.apply([{ kind: 'Accredited', ...accredited, ...period, block, log: 1, time }])
  const { status, trust } = createReader({
    ...{ replica, freshness, chain, statusRegistry, confirmations: 0, anchoredGraceMs: 60_000, clock },
    history: undefined as unknown as History,
  })
  return ({ issuer, list, index, until: end }) => {
    const now = clock.now()
    return (
      now < end &&
      trust.accreditation(issuer, 'KycAttestation', now).accredited &&
      status.status({ chain, registry: statusRegistry, issuer, list, index }) === 'valid'
    )
  }
}

export const openMoneyStore = (place: Place) =>
  openStore({ ...place, migrations: agencyMigrations, entities: agencyEntities })

/** @param customers whose KYC places there have to be. */
export const openBenchLedger = async (place: Place, customers: number) => {
  const store = await openMoneyStore(place)
  const clock = { now: () => Date.now() }
  const house = { store, journal, idempotency: openIdempotency(clock), clock }
  const signatures = await openTypedSignatures(domain)
  const desk = openDesk({
    ...{ house, signatures, domain, did: 'did:ethr:0x7a69:0xcb', newId: () => timeId(clock.now()) },
    publicUrl: 'https://central-bank.example',
    ownKey: signerAt(0).key,
    kycInForce: kycJudge(customers, clock),
    issuerAddress: did => did.split(':').at(-1)?.toLowerCase() ?? '',
    rules: openRules(ruleSettings),
  })
  return {
    ...{ desk, store, signatures },
    async close() {
      await desk.ledger.close()
      await signatures.close()
      await store.close()
    },
  }
}
