import secp256k1 from 'secp256k1'
import { digestOf } from '../../../../src/kernel/canonical.ts'
import type { Caller, HolderCaller } from '../../../../src/kernel/gate.ts'
import type { EntryOf } from '../../../../src/kernel/ledger-entry.ts'
import { openStructs } from '../../../../src/kernel/ledger-typed-data.ts'
import { offlineRoutes } from '../../../../src/plugins/cbdc/actions/offline/routes.ts'
import type { Facts } from '../../../../src/plugins/cbdc/ledger/facts.ts'
import type { CurrencyPolicy } from '../../../../src/plugins/cbdc/ledger/limits.ts'
import type { IsSignedBy } from '../../../../src/plugins/cbdc/ledger/voucher.ts'
import { type Body, type Call, openEdge, presenting, proven } from '../../edge.ts'
import { bankDid, domain, type Ground, type Owner, own, policy, secp256k1Owner, start } from '../ground.ts'
import { signingKey } from '../reads/reading.ts'

export const terms = { capMinor: 10_000n, certificateSeconds: 86_400, graceSeconds: 3 * 86_400, vouchersMost: 8 }
export const offlinePolicy: CurrencyPolicy = { ...policy, offline: terms }
export const ledgerDid = 'did:ethr:0x7a69:0xcb'

export const customer = (pseudonym: string): HolderCaller =>
  presenting(
    'kyc',
    proven('KycAttestation', {
      ...{ level: 2, jurisdiction: 'XN', expiryDate: '2027-01-01', screened: [] },
      pseudonym: { domain: 'cbdc:crd', value: pseudonym },
    }),
  )
export const officer = (): HolderCaller =>
  presenting('officer', proven('PublicOfficer', { officerNumber: 'CB-1', competences: ['cbdc:orders', 'cbdc:read'] }))

/** What a device can check with libraries of its own. */
export const signatureCheck = ({ needs: { signatures } }: Pick<Ground, 'needs'>): IsSignedBy => {
  const structOf = openStructs(signatures.keccak)
  return (voucher, key) => {
    const compact = Buffer.from(voucher.signature, 'hex')
    compact[32] = (compact[32] ?? 0) & 0x7f
    const point = Buffer.from(`0${key.prefix}${key.x}`, 'hex')
    return secp256k1.ecdsaVerify(compact, signatures.digest(structOf(voucher)), point)
  }
}

/** A ledger whose policy lets purses pay offline, and the key that it states with. */
export const offlineSettings = () => {
  const key = signingKey()
  const signStatement = (payload: Record<string, unknown>, typ?: string) => key.seal(payload, { ...(typ && { typ }) })
  return { key, settings: { policy: offlinePolicy, more: async () => ({ signStatement }) } }
}

export type { Body }
export type Outcome = Body & { outcome: string; code?: string; reason?: string; evidence?: string; entry?: number }

export type Purse = { owner: Owner; number: number; pseudonym: string; caller: HolderCaller; home: number }
export type Payee = { number: number; pseudonym: string; caller: HolderCaller; owner: Owner }
export type Given = { nonce: number; validUntil: number; cap: bigint; certificate: string }

/** The operations of this part over a ledger, as the HTTP edge calls them, and devices that sign. */
export const openOffline = (ground: Ground) => {
  const edge = openEdge(offlineRoutes(ground.desk))
  const call = async (operation: string, body?: unknown, how?: Call): Promise<Body> =>
    (await edge(operation, body, how)).body
  let people = 0
  const payee = async (facts: Partial<Facts> = {}, owner = secp256k1Owner()): Promise<Payee> => {
    people += 1
    const pseudonym = `person-${people}`
    const { number } = await ground.customer(owner, facts)
    await ground.store.transaction(async tx => tx.insert('cbdc_persons', [{ currency: 1, pseudonym, lead: number }]))
    return { number, pseudonym, owner, caller: customer(pseudonym) }
  }
  /** A person with an account, unless one is named, and a purse of theirs with this much in it. */
  const purse = async (
    funds: bigint,
    owner: Owner = secp256k1Owner(),
    level = 2,
    person?: Pick<Payee, 'number' | 'pseudonym' | 'caller'>,
  ): Promise<Purse> => {
    person ??= await payee({ level })
    const kyc = { issuer: '0xb1', list: 2, index: person.number, until: start + 365 * 86_400_000 }
    const facts = { class: 'purse' as const, level, servicer: own.bank, kyc, lead: person.number }
    const number = await ground.openOne(owner.key, facts)
    if (funds > 0n) await ground.mint(number, funds)
    return { owner, number, pseudonym: person.pseudonym, caller: person.caller, home: person.number }
  }
  const goOffline = async ({ number, caller }: Purse, body: Body = {}): Promise<Given> => {
    const answer = await call('goOffline', body, { caller, params: { account: String(number) } })
    return {
      ...{ nonce: Number(answer['nonce']), cap: BigInt(String(answer['capMinor'])) },
      validUntil: Date.parse(String(answer['validUntil'])) / 1_000,
      certificate: String(answer['certificate']),
    }
  }
  /** What the purse's device signs; the place counts from the certificate's first nonce. */
  const voucher = (
    { owner, number }: Pick<Purse, 'owner' | 'number'>,
    given: Given,
    { place, to, amount, ...over }: { place: number; to: number; amount: bigint } & Partial<EntryOf<'transfer'>>,
  ): string => {
    const nonce = given.nonce + place
    const entry = ground.transfer(number, to, amount, { nonce, validUntil: given.validUntil, ...over })
    return ground.signed(owner, entry).record
  }
  const sync = async (caller: Caller, ...chains: string[][]): Promise<Outcome[][]> => {
    const body = { chains: chains.map(vouchers => ({ vouchers })) }
    const presenter = caller.kind === 'agency' ? 'institution' : 'customer'
    const answer = await call('syncVouchers', body, { caller, params: { presenter } })
    return (answer['chains'] as { vouchers: Outcome[] }[]).map(({ vouchers }) => vouchers)
  }
  return {
    ...{ call, payee, purse, goOffline, voucher, sync },
    syncAsBank: (chains: string[][], did = bankDid) => {
      const body = { chains: chains.map(vouchers => ({ vouchers })) }
      const bodySha256 = digestOf(body).toString('base64url')
      return call('syncVouchers', body, {
        caller: { kind: 'agency', id: did, bodySha256 },
        params: { presenter: 'institution' },
      })
    },
    getPurse: ({ number, caller }: Purse): Promise<Body> =>
      call('getPurse', undefined, { caller, params: { reader: 'customer', account: String(number) } }),
    misuses: async (): Promise<Body[]> =>
      (await call('listDoubleSpends', undefined, { caller: officer() }))['items'] as Body[],
    balance: async (number: number): Promise<bigint> => {
      const { creditsPosted, debitsPosted } = await ground.account(number)
      return creditsPosted - debitsPosted
    },
    domain,
  }
}
export type Offline = ReturnType<typeof openOffline>
