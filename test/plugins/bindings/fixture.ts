import { generateKeyPairSync, randomBytes, sign as signBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Interface, Wallet } from 'ethers'
import { agencyMigrations } from '../../../src/agency.ts'
import { recoverWallet } from '../../../src/chain/wallet-proof.ts'
import {
  bindCall,
  bindingDigest,
  bindingTypedData,
  bindWrite,
  domainIdOf,
  p256BindingSignature,
  pseudonymIdOf,
} from '../../../src/chain/wallets.ts'
import { checkAnswer, checkBody, compileContract } from '../../../src/http/contract.ts'
import { publicKeyFromJwk } from '../../../src/identity/key-material.ts'
import type { Caller, HolderCaller, ProvenCredential } from '../../../src/kernel/gate.ts'
import type { ChainWrite, Tx, WalletStanding } from '../../../src/kernel/ports.ts'
import { isRefusal, Refusal } from '../../../src/kernel/refusal.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import { statusBitWrites } from '../../../src/lists.ts'
import { endBindingsUnder } from '../../../src/plugins/bindings/actions/end.ts'
import type { Binding, BindingsNeeds } from '../../../src/plugins/bindings/needs.ts'
import { bindings } from '../../../src/plugins/bindings/plugin.ts'
import { walletStatement } from '../../../src/plugins/bindings/statement.ts'
import { decideStatus, holdCredential, type StatusNeeds } from '../../../src/plugins/credentials/actions/status.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openStore } from '../../../src/store/store.ts'
import { onEachDatabase, type Place } from '../../databases.ts'
import { readOpenApi } from '../../openapi.ts'

const root = join(import.meta.dirname, '../../..')
const contract = compileContract(readOpenApi())
const { abi } = JSON.parse(readFileSync(join(root, 'contracts/build/WalletRegistry.json'), 'utf8')) as { abi: never }

export const issuer = `0x${'a1'.repeat(20)}`
const place = { chainId: 31_337, address: `0x${'77'.repeat(20)}` }
export const publicUrl = 'https://bank.example'
export const domain = 'cbdc:xnd'
export const start = Date.parse('2026-06-01T12:00:00Z')
const dayMs = 86_400_000

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signing = publicKeyFromJwk(publicKey.export({ format: 'jwk' }))

/** One process of a KYC issuer over a database. The chain is a map of standings; signatures are real. */
export const openIssuer = async (at: Place, shared = { index: 0 }) => {
  const store = await openStore({ ...at, migrations: agencyMigrations, entities: [] })
  const state = {
    ...{ now: start, mayBind: true, rootAnswers: true },
    standings: new Map<string, WalletStanding>(),
    sent: [] as ChainWrite[][],
    asked: [] as string[],
  }
  const clock = { now: () => state.now }
  const house = { store, journal, idempotency: openIdempotency(clock), clock }
  const newId = () => timeId(Date.now())
  const outbox = {
    async enqueue(tx: Tx, writes: ChainWrite[]) {
      const id = newId()
      tx.afterCommit(() => void state.sent.push(writes))
      return id
    },
    state: async () => ({ state: 'queued' as const }),
    wait: async () => 'queued' as const,
  }
  const endWrites: BindingsNeeds['endWrites'] = places => statusBitWrites(issuer, [...places], true)
  const onChain = (binding: Binding) => ({
    ...{ ...binding, issuer },
    domain: domainIdOf(binding.domain),
    pseudonym: pseudonymIdOf(binding.pseudonym),
  })
  const needs: BindingsNeeds = {
    ...{ house, outbox, newId, publicUrl, recoverWallet, endWrites, holdCredential },
    wallets: {
      standing: wallet => state.standings.get(wallet) ?? { valid: false, reason: 'unbound' },
      bindingsOf: () => [],
      issuerKey: () => 'admitted',
    },
    async pseudonymOf(nationalId, of) {
      if (!state.rootAnswers) throw new Refusal('unavailable', 'pseudonyms_unavailable', 'No answer.')
      state.asked.push(nationalId)
      return Buffer.from(`${nationalId}@${of}`.padEnd(32, '.')).subarray(0, 32).toString('base64url')
    },
    allot: async () => ({ list: 32_768, index: shared.index++ }),
    mayBind: async () => state.mayBind,
    async sign(binding) {
      const given = onChain(binding)
      const raw = signBytes('sha256', bindingDigest(place, given), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      const signature = p256BindingSignature(signing.thumbprint, raw)
      const registry = { address: place.address, interface: new Interface(abi) }
      return {
        ...{ signature, typedData: bindingTypedData(place, given) },
        call: bindCall(registry, { binding: given, signature }),
        write: bindWrite({ binding: given, signature, account: issuer }),
      }
    },
  }
  const statusNeeds: StatusNeeds = {
    ...{ house, outbox, newId },
    identity: { decide: () => undefined } as never,
    statusAuthority: { chain: 'eip155:31337', registry: '', issuer },
    statusWrites: (changes, set) => statusBitWrites(issuer, changes, set),
    onStatusChange: (tx, ids, change) => endBindingsUnder(needs, tx, ids, change),
  }
  const decide = (ids: string[], purpose: 'revocation' | 'suspension', set = true) =>
    store.transaction(tx => decideStatus(statusNeeds, tx, ids, { purpose, set, reason: null }))
  const routes = bindings.routes(needs)
  type Call = { params?: Record<string, string>; key?: string }
  const call = async (operation: string, caller: Caller, body?: unknown, how: Call = {}) => {
    const [route, agreed] = [routes[operation], contract.get(operation)]
    if (route === undefined || !('run' in route) || agreed === undefined) throw new Error(`no operation ${operation}`)
    if (agreed.body !== undefined && body !== undefined) checkBody(agreed, 'application/json', body)
    const answer = await route.run({
      ...{ caller, body, publicUrl, params: how.params ?? {}, query: {} },
      headers: { 'idempotency-key': how.key },
    })
    checkAnswer(agreed, answer.status, 'application/json', answer.body)
    return answer.body as Record<string, never> & Record<string, unknown>
  }
  return { store, state, clock, needs, call, decide }
}
export type Issuer = Awaited<ReturnType<typeof openIssuer>>

let people = 0

/** A citizen as the gate admits them: both attestations proven at this call, and a wallet of their own. */
export const citizenOf = async (issuerOf: Issuer, changes: Partial<ProvenCredential> = {}) => {
  people += 1
  const n = people
  const credentialId = `urn:uuid:${timeId(Date.now())}`
  const holderKey = randomBytes(32).toString('base64url')
  const row = { id: credentialId, type: 'KycAttestation', type_version: 1, format: 'dc+sd-jwt', compact: '' }
  await issuerOf.store.transaction(async tx =>
    tx.insert('credentials', [
      { ...row, status_list: 0, status_index: n, issued_at: start, valid_until: start + 300 * dayMs },
    ]),
  )
  const kyc: ProvenCredential = {
    ...{ type: 'KycAttestation', issuer: `did:ethr:0x7a69:${issuer}`, own: true, credentialId, holderKey },
    ...{ holder: `did:jwk:${n}`, digest: `kyc-${n}`, validUntil: start + 300 * dayMs },
    claims: { level: 2, jurisdiction: 'XN-NO', expiryDate: '2027-03-01' },
    ...changes,
  }
  const identity: ProvenCredential = {
    ...{ type: 'NationalIdentity', issuer: 'did:ethr:0x7a69:0xroot', holder: kyc.holder, holderKey, digest: `id-${n}` },
    claims: { personalAdministrativeNumber: `90-${n}` },
  }
  const caller: HolderCaller = {
    ...{ kind: 'holder', id: kyc.holder, actor: kyc.holder, principal: kyc.holder, mandates: [], proof: 'session' },
    credentials: [kyc, identity],
    matched: { kyc, identity },
  }
  const wallet = Wallet.createRandom()
  const bodyOf = async (
    changes: Record<string, unknown> = {},
    by: { signMessage(text: string): Promise<string> } = wallet,
  ) => {
    const body = { wallet: wallet.address, domain, signedAt: new Date(issuerOf.state.now).toISOString(), ...changes }
    const statement = walletStatement({ ...(body as typeof body), institution: publicUrl, holderKey })
    return { ...body, walletSignature: await by.signMessage(statement) } as Record<string, unknown>
  }
  return { caller, kyc, identity, wallet, credentialId, bodyOf, number: `90-${n}` }
}

/** The code of the refusal; a defect fails the test. */
export const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) return 'it went through'
  if (!isRefusal(error)) throw error
  return error.code
}

/** Runs a suite over both real databases; `again` is another process over the same one. */
export const onBothDatabases = (
  suite: (open: (at?: Place) => Promise<Issuer>, place: () => Promise<Place>) => void,
): void =>
  onEachDatabase(agencyMigrations, ({ place, closing }) =>
    suite(async at => {
      const issuer = await openIssuer(at ?? (await place()))
      closing(issuer.store)
      return issuer
    }, place),
  )
