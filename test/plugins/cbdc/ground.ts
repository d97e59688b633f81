import { createECDH, createHash, createPrivateKey, randomBytes, sign as signBytes } from 'node:crypto'
import secp256k1 from 'secp256k1'
import { agencyMigrations } from '../../../src/agency.ts'
import { openTypedSignatures } from '../../../src/chain/typed-signatures.ts'
import { anonymous } from '../../../src/kernel/gate.ts'
import {
  type EntryOf,
  encodeEntry,
  type OwnerKey,
  type SignedEntry,
  schemes,
} from '../../../src/kernel/ledger-entry.ts'
import { openStructs } from '../../../src/kernel/ledger-typed-data.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import type { BookItem } from '../../../src/plugins/cbdc/actions/book.ts'
import { storedPolicy } from '../../../src/plugins/cbdc/actions/currencies.ts'
import { openDesk } from '../../../src/plugins/cbdc/actions/desk.ts'
import type { ItemOutcome } from '../../../src/plugins/cbdc/actions/enter.ts'
import { allOf } from '../../../src/plugins/cbdc/actions/execute.ts'
import { readAccounts } from '../../../src/plugins/cbdc/actions/rows.ts'
import type { Facts, KycPlace, LedgerAccount } from '../../../src/plugins/cbdc/ledger/facts.ts'
import type { CurrencyPolicy } from '../../../src/plugins/cbdc/ledger/limits.ts'
import type { MonitoringRules } from '../../../src/plugins/cbdc/ledger/monitoring.ts'
import type { CbdcNeeds } from '../../../src/plugins/cbdc/needs.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openStore } from '../../../src/store/store.ts'
import { onEachDatabase, type Place } from '../../databases.ts'

export type { Place }

export const start = Date.parse('2026-06-01T12:00:00Z')
export const domain = {
  ...{ name: 'Chancery Ledger', version: '1', chainId: 31_337 },
  verifyingContract: `0x${'77'.repeat(20)}`,
}
export const orderId = '00'.repeat(16)
export const bankDid = 'did:ethr:0x7a69:0x00000000000000000000000000000000000000b1'

/** An owner's key: what it signs is 64 bytes over a digest. */
export type Owner = { key: OwnerKey; sign(digest: Uint8Array): string }

const half = (n: bigint): bigint => n >> 1n
const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const pointOf = (compressed: Uint8Array): Pick<OwnerKey, 'prefix' | 'x'> => ({
  prefix: compressed[0] ?? 0,
  x: Buffer.from(compressed.subarray(1)).toString('hex'),
})

/** A secp256k1 key whose signatures are EIP-2098. @param seed the same key for the same seed. */
export const secp256k1Owner = (seed: Uint8Array = randomBytes(32)): Owner => ({
  key: { scheme: schemes.secp256k1, ...pointOf(secp256k1.publicKeyCreate(seed, true)) },
  sign(digest) {
    const { signature, recid } = secp256k1.ecdsaSign(digest, seed)
    const compact = Buffer.from(signature)
    if (recid === 1) compact[32] = (compact[32] ?? 0) | 0x80
    return compact.toString('hex')
  },
})

/** A P-256 key whose signatures are r‖s with a low s. */
export const p256Owner = (seed: Uint8Array = randomBytes(32)): Owner => {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(createHash('sha256').update(seed).digest())
  const [open, d] = [ecdh.getPublicKey(), ecdh.getPrivateKey()]
  const part = (from: number) => open.subarray(from, from + 32).toString('base64url')
  const jwk = { kty: 'EC', crv: 'P-256', x: part(1), y: part(33), d: d.toString('base64url') }
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  return {
    key: { scheme: schemes['P-256'], ...pointOf(ecdh.getPublicKey(null, 'compressed') as unknown as Buffer) },
    sign(digest) {
      const raw = signBytes('sha256', digest, { key, dsaEncoding: 'ieee-p1363' })
      const s = BigInt(`0x${raw.toString('hex', 32)}`)
      const low = s > half(p256Order) ? p256Order - s : s
      return raw.toString('hex', 0, 32) + low.toString(16).padStart(64, '0')
    },
  }
}

export const noRules: MonitoringRules = { keys: () => [], judge: () => [], advance: () => new Map() }

const tier = (level: number, perPaymentMinor: bigint, perDayMinor: bigint, holdingMinor: bigint | null) => ({
  ...{ level, perPaymentMinor, perDayMinor, holdingMinor },
})
export const policy: CurrencyPolicy = {
  ...{ version: 1, validFrom: 0 },
  tiers: [
    tier(1, 10_000n, 20_000n, 50_000n),
    tier(2, 1_000_000n, 2_000_000n, 5_000_000n),
    tier(3, 10n ** 15n, 10n ** 16n, null),
  ],
  ...{ merchantsKeepMinor: 100_000n, keyOrderDelaySeconds: 86_400, reservationMostSeconds: 30 * 86_400 },
  ...{ interest: null, dormancy: null },
}

/** The accounts of currency 1, in the order in which they are opened. */
export const own = { issuance: 1, fees: 2, rail: 3, suspense: 4, interest: 5, treasury: 6, bank: 7 } as const

type Settings = {
  rules?: MonitoringRules
  policy?: CurrencyPolicy
  /** What else the ledger is given, over its own store. */
  more?: (store: Awaited<ReturnType<typeof openStore>>) => Promise<Partial<CbdcNeeds>>
}

/** Ledgers of one test file share the thread that checks: to start one takes longer than most tests. */
let signing: ReturnType<typeof openTypedSignatures> | undefined
// A process that a test starts has no such hook, and the thread does not keep it.
globalThis.afterAll?.(async () => (await signing)?.close())

/** One process of a ledger over a database: real signatures, a clock of its own, and KYC places that tests revoke. */
export const openGround = async (place: Place, settings: Settings = {}) => {
  const store = await openStore({ ...place, migrations: agencyMigrations, entities: [] })
  const state = { now: start, revoked: new Set<string>() }
  const clock = { now: () => state.now }
  const house = { store, journal, idempotency: openIdempotency(clock), clock }
  signing ??= openTypedSignatures(domain)
  const signatures = await signing
  const operator = secp256k1Owner(Buffer.alloc(32, 1))
  const needs: CbdcNeeds = {
    ...{ house, signatures, domain, did: 'did:ethr:0x7a69:0xcb', newId: () => timeId(clock.now()) },
    publicUrl: 'https://central-bank.example',
    kycInForce: ({ issuer, list, index, until }: KycPlace) =>
      clock.now() < until && !state.revoked.has(`${issuer}/${list}/${index}`),
    issuerAddress: did => did.split(':').at(-1)?.toLowerCase() ?? '',
    rules: settings.rules ?? noRules,
    ...(await settings.more?.(store)),
    ownKey: operator.key,
  }
  const desk = openDesk(needs)
  const structOf = openStructs(signatures.keccak)

  const newId = (): string => timeId(state.now)
  /** A signed record as it is handed in. */
  const signed = (owner: Owner, entry: SignedEntry, id: string = newId()) => {
    const signature = owner.sign(signatures.digest(structOf(entry)))
    return { id, record: encodeEntry({ ...entry, signature } as SignedEntry).toString('base64url') }
  }
  const execute = (
    chains: readonly BookItem[][] | ((held: never) => Promise<readonly BookItem[][]>),
    idempotencyKey?: string,
  ): Promise<{ outcomes: readonly ItemOutcome[][] }> =>
    desk.ledger.execute({
      ...{ operation: 'trial', requires: { by: 'anyone' }, caller: anonymous, idempotencyKey },
      input: { trial: idempotencyKey ?? '' },
      chains: chains as never,
      answer: (_held, outcomes) => ({ outcomes }),
    })
  /** Hands records in as one chain. @throws the first refusal */
  const submit = async (...records: { id: string; record: string }[]) => {
    const items = await desk.attest(records)
    const { outcomes } = await execute([items])
    return allOf(outcomes)
  }
  const openOne = async (key: OwnerKey, facts: Partial<Facts> = {}, side = 0, currency = 1): Promise<number> => {
    const { outcomes } = await execute(async (held: { book: { state: { nextAccount: number } } }) => {
      const account = held.book.state.nextAccount
      const entry: EntryOf<'open'> = { kind: 'open', account, currency, side, ...key, order: orderId }
      return [[{ entry, signer: undefined, facts: { lead: account, ...facts } }]]
    })
    return allOf(outcomes)[0]?.debit ?? 0
  }
  const account = async (number: number): Promise<LedgerAccount> => {
    const [found] = await readAccounts(store.read, store.dialect, [number])
    if (found === undefined) throw new Error(`no account ${number}`)
    return found
  }
  const mint = async (to: number, amount: bigint): Promise<void> => {
    const entry: EntryOf<'mint'> = { kind: 'mint', from: own.issuance, to, currency: 1, amount, order: orderId }
    allOf((await execute([[{ entry, signer: undefined }]])).outcomes)
  }
  /** The currency with its own accounts and a bank with a reserve account; done once in a database. */
  const found = async (): Promise<void> => {
    await openOne(operator.key, { class: 'issuance' }, 1)
    for (const kind of ['fees', 'rail', 'suspense', 'interest', 'treasury', 'reserve'] as const) {
      await openOne(operator.key, { class: kind })
    }
    await store.transaction(async tx => {
      const accounts = { issuance: 1, fees: 2, rail: 3, suspense: 4, interest: 5 }
      tx.insert('cbdc_currencies', [
        { number: 1, code: 'CRD', decimals: 2, home: 'ledger', ...accounts, opened_at: state.now },
      ])
      const version = { currency: 1, version: 1, valid_from: 0, record: orderId }
      tx.insert('cbdc_policies', [{ ...version, policy: storedPolicy(settings.policy ?? policy) }])
      const bank = { did: bankDid, currency: 1, account: own.bank, name: 'First Bank', ended_at: null }
      tx.insert('cbdc_participants', [{ ...bank, issuance_limit: '1000000000000', admitted_at: state.now }])
    })
  }
  let places = 0
  /** A customer with KYC of a level, an account, and money in it. */
  const customer = async (owner: Owner = secp256k1Owner(), facts: Partial<Facts> = {}, funds = 0n) => {
    places += 1
    const kyc = { issuer: '0xb1', list: 1, index: places, until: start + 365 * 86_400_000 }
    const number = await openOne(owner.key, { class: 'person', level: 2, servicer: own.bank, kyc, ...facts })
    if (funds > 0n) await mint(number, funds)
    return { owner, number, kyc }
  }
  /** A transfer's fields with what is usual. */
  const transfer = (
    from: number,
    to: number,
    amount: bigint,
    over: Partial<EntryOf<'transfer'>> = {},
  ): SignedEntry => ({
    ...{ kind: 'transfer', from, to, currency: 1, amount, fee: 0, nonce: 0 },
    ...{ validUntil: Math.floor(state.now / 1_000) + 3_600, signature: '' },
    ...over,
  })
  return {
    ...{
      desk,
      needs,
      store,
      state,
      operator,
      signed,
      submit,
      execute,
      openOne,
      account,
      mint,
      found,
      customer,
      transfer,
      newId,
    },
    async close() {
      await desk.ledger.close()
      await store.close()
    },
  }
}

export type Ground = Awaited<ReturnType<typeof openGround>>

/** Runs a suite over both databases; each `fresh` is a ledger with its currency. */
export const onBothLedgers = (
  suite: (backend: { fresh(settings?: Settings): Promise<Ground>; place(): Promise<Place> }) => void,
): void =>
  onEachDatabase(agencyMigrations, ({ place, closing }) => {
    const fresh = async (settings?: Settings): Promise<Ground> => {
      const ground = closing(await openGround(await place(), settings))
      await ground.found()
      return ground
    }
    suite({ fresh, place })
  })
