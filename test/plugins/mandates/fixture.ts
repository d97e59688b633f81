import { generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto'
import { join } from 'node:path'
import { agencyMigrations } from '../../../src/agency.ts'
import { checkAnswer, checkBody, compileContract } from '../../../src/http/contract.ts'
import { didKeyOf } from '../../../src/identity/did-local.ts'
import { openDids } from '../../../src/identity/dids.ts'
import { openIdentity } from '../../../src/identity/identity.ts'
import { publicKeyFromJwk, rawPublicKey } from '../../../src/identity/key-material.ts'
import { proveKey } from '../../../src/identity/key-proof.ts'
import { presentCredential } from '../../../src/identity/present.ts'
import { ownDecisions } from '../../../src/identity/status.ts'
import { loadCredentialTypes } from '../../../src/identity/types.ts'
import { anonymous, type Caller, type HolderCaller } from '../../../src/kernel/gate.ts'
import { callerOf, meetHolder } from '../../../src/kernel/holder.ts'
import type { IssuedCredential } from '../../../src/kernel/identity.ts'
import type { Answer } from '../../../src/kernel/plugin.ts'
import type { ChainWrite, Signer, StatusPointer, StatusReader, StatusValue } from '../../../src/kernel/ports.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import type { HolderRequirement, Requirement } from '../../../src/kernel/requirement.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import { store as storeCredential } from '../../../src/plugins/credentials/actions/issue.ts'
import { decideStatus } from '../../../src/plugins/credentials/actions/status.ts'
import type { MandatesNeeds } from '../../../src/plugins/mandates/needs.ts'
import { mandates } from '../../../src/plugins/mandates/plugin.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openStore } from '../../../src/store/store.ts'
import { onEachDatabase, type Place } from '../../databases.ts'
import { readOpenApi } from '../../openapi.ts'

const chain = 'eip155:31337'
const address = `0x${'b7'.repeat(20)}`
export const registryDid = `did:ethr:0x7a69:${address}`
export const publicUrl = 'https://registry.example'
const authority = { chain, registry: `0x${'c'.repeat(40)}`, issuer: address }
const day = 86_400_000
const root = join(import.meta.dirname, '../../..')
/** The real ones, read once in a test file. */
const types = loadCredentialTypes(join(root, 'schemas'))

export const movableClock = (start = Date.parse('2026-06-15T10:00:00Z')) => {
  let now = start
  return {
    now: () => now,
    advance: (ms: number): void => {
      now += ms
    },
  }
}
export type MovableClock = ReturnType<typeof movableClock>

const generate = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { privateKey, key: publicKeyFromJwk(publicKey.export({ format: 'jwk' })) }
}

const signerWith = (key: KeyObject): Signer => ({
  sign: async (_id, _algorithm, data) => signBytes('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
})

/** The registry's identity over real keys, schemas and formats; the chain is a map that every decision reaches at once. */
export const openNation = (clock: MovableClock) => {
  const { privateKey, key } = generate()
  const name = `0x${Buffer.from('did/pub/Multikey/sigAuth/hex').toString('hex').padEnd(64, '0')}`
  const value = `0x${rawPublicKey(key).toString('hex')}`
  const at = { block: 1, timestamp: clock.now() - 1_000 }
  const validTo = Math.floor(clock.now() / 1_000) + 400_000_000
  const registered = { ...at, kind: 'attribute' as const, name, value, validTo }
  const dids = openDids({ chainId: 31_337, replica: { events: of => (of === address ? [registered] : []) }, clock })
  const bits = new Map<string, StatusValue>()
  const state = { reachable: true, index: 0 }
  const status: StatusReader = {
    head: () => ({ chain, number: 7, hash: `0x${'b'.repeat(64)}`, timestamp: clock.now() }),
    status: ({ list, index }) => bits.get(`${list}:${index}`) ?? 'valid',
    statusAt: async pointer => ({ status: status.status(pointer), block: status.head() }),
    openedAt: () => 0,
  }
  const allot = async (): Promise<StatusPointer> => {
    state.index += 1
    return { ...authority, list: 0, index: state.index }
  }
  const own = ownDecisions()
  const identity = openIdentity({
    ...{ types, dids, clock, own, allot, status },
    ...{ did: registryDid, publicUrl, chain },
    signer: signerWith(privateKey),
    issuer: () => ({
      did: registryDid,
      kid: `${registryDid}#delegate-1`,
      keyId: 'issuer',
      algorithm: 'ES256' as const,
    }),
    trust: {
      accreditation: () => ({ accredited: true, parent: null, validFrom: 0, validUntil: clock.now() + 1e12 }),
      distrustedSince: () => undefined,
      schemaAdmitted: () => true,
    },
    lists: { bits: () => undefined },
  })
  return { identity, dids, bits, status }
}
export type Nation = ReturnType<typeof openNation>

export type Held = Pick<IssuedCredential, 'compact' | 'format' | 'id'>

/** A person's key and the credentials bound to it. */
export const newHolder = () => {
  const { privateKey, key } = generate()
  const did = didKeyOf(key)
  const kid = `${did}#${did.slice('did:key:'.length)}`
  const wallet = { did, kid, keyId: 'holder', algorithm: 'ES256' as const }
  const signer = signerWith(privateKey)
  const held: Held[] = []
  return {
    did,
    held,
    present: (credential: Held, challenge: string, now: number): Promise<string> =>
      presentCredential(
        { compact: credential.compact, format: credential.format },
        { audience: publicUrl, challenge, claims: [] },
        ...([wallet, signer, now] as const),
      ),
    /** A proof of possession as OpenID4VCI has it. */
    prove: async (claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> => {
      const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')
      const input = `${encode({ alg: 'ES256', typ: 'openid4vci-proof+jwt', kid, ...header })}.${encode(claims)}`
      const signature = await signer.sign('holder', 'ES256', Buffer.from(input))
      return `${input}.${Buffer.from(signature).toString('base64url')}`
    },
  }
}
export type Holder = ReturnType<typeof newHolder>

/** A credential, and whose key presents it. */
export type Shown = { by: Holder; credential: Held }

/** What went through is held against openapi.yaml, both ways. */
const contract = compileContract(readOpenApi())

type Call = {
  caller?: Caller
  params?: Record<string, string>
  query?: Record<string, string>
  key?: string | undefined
}

/** Both bits of a credential stand in one place of two lists that lie side by side. */
const applied = (nation: Nation, writes: readonly ChainWrite[]): void => {
  for (const { args } of writes) {
    for (const { list, index } of args as { list: number; index: number }[])
      nation.bits.set(`${list}:${index}`, 'revoked')
  }
}

/** The registry in one process over a database. */
export const openRegistry = async (place: Place, nation: Nation, clock: MovableClock) => {
  const store = await openStore({
    ...place,
    migrations: agencyMigrations,
    entities: [],
  })
  const house = { store, journal, idempotency: openIdempotency(clock), clock }
  const newId = () => timeId(clock.now())
  const deciding = {
    ...{ house, identity: nation.identity, newId, statusAuthority: authority },
    outbox: {
      enqueue: async (tx: Parameters<typeof decideStatus>[1], writes: ChainWrite[]) => {
        tx.afterCommit(() => applied(nation, writes))
        return newId()
      },
    },
    statusWrites: (changes: unknown[]) => [
      { contract: 'StatusRegistry', method: 'setBitsIn', args: changes, account: '' },
    ],
  } as unknown as Parameters<typeof decideStatus>[0]
  const needs: MandatesNeeds = {
    ...{ house, newId, did: registryDid, publicUrl },
    issuance: {
      issue: request => nation.identity.issue(request),
      store: storeCredential,
      changeStatus: (tx, ids, change) => decideStatus(deciding, tx, [...ids], change),
    },
    statusOf: pointer => nation.status.status({ ...authority, ...pointer }),
    proveKey: (proof, expected) => proveKey(proof, { dids: nation.dids, clock }, expected),
  }
  const routes = mandates.routes(needs)
  const requirementOf = (operation: string): Requirement => {
    const route = routes[operation]
    if (route === undefined) throw new Error(`no route ${operation}`)
    return route.requires
  }
  /** Proves credentials and holds them against what an operation asks, as the gate does at the door. */
  const admitted = async (
    requirement: HolderRequirement,
    operation: string,
    shown: readonly Shown[],
    proof: HolderCaller['proof'] = 'session',
  ): Promise<HolderCaller> => {
    const challenge = newId()
    const now = clock.now()
    const presentations = await Promise.all(shown.map(({ by, credential }) => by.present(credential, challenge, now)))
    const proven = await nation.identity.prove(presentations, { challenge, audience: [publicUrl] })
    return meetHolder(callerOf(proven, { proof }), requirement, { operation, now, body: {} })
  }
  const call = async (operation: string, body?: unknown, how: Call = {}): Promise<Answer> => {
    const route = routes[operation]
    if (route === undefined || !('run' in route)) throw new Error(`no route ${operation}`)
    const agreed = contract.get(operation)
    if (agreed === undefined) throw new Error(`openapi.yaml has no operation ${operation}`)
    if (agreed.body !== undefined) checkBody(agreed, 'application/json', body)
    const answer = await route.run({
      caller: how.caller ?? anonymous,
      params: how.params ?? {},
      query: how.query ?? {},
      body,
      headers: { 'idempotency-key': how.key },
      publicUrl,
    })
    checkAnswer(agreed, answer.status, 'application/json', answer.body)
    return answer
  }
  return { store, house, needs, call, admitted, requirementOf }
}
export type Registry = Awaited<ReturnType<typeof openRegistry>>

/** `kind code` of the refusal, `undefined` if it went through; a defect fails the test. */
export const refusalOf = async (work: Promise<unknown>): Promise<string | undefined> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) return undefined
  if (!isRefusal(error)) throw error
  return `${error.kind} ${error.code}`
}

export const dayAt = (clock: MovableClock, offset: number): string =>
  new Date(clock.now() + offset * day).toISOString().slice(0, 10)

const give = async (nation: Nation, holder: Holder, type: string, claims: Record<string, unknown>): Promise<Shown> => {
  const subject = { ...types.byId(type).example, ...claims, id: holder.did }
  const issued = await nation.identity.issue({ type, subject })
  holder.held.push(issued)
  return { by: holder, credential: issued }
}

/** Everybody a test needs: an officer, and ways to register, pass on, collect and end. */
export const openScene = (registry: Registry, nation: Nation, clock: MovableClock) => {
  const officer = newHolder()
  const wishFor = (holder: Holder, changes: Record<string, unknown> = {}) => ({
    holder: holder.did,
    ...{ familyName: 'Haddad', givenName: 'Salma', office: 'director' },
    operations: ['createTransfer', 'applyToRegister', 'issueSubMandate'],
    limits: [] as { currency: string; perActMinor: string }[],
    ...{ jointly: 1, mayDelegate: true, startsOn: dayAt(clock, -30), endsOn: dayAt(clock, 365) },
    ...changes,
  })
  const companyWith = (signatories: unknown[], changes: Record<string, unknown> = {}) => ({
    ...{ legalName: 'Northwind Ltd', jurisdiction: 'XN', legalBasis: 'Companies Act, s. 41' },
    ...{ application: 'A'.repeat(43), signatories, ...changes },
  })
  const asOfficer = async (operation: string): Promise<Caller> => {
    const badge = await give(nation, officer, 'PublicOfficer', {
      ...{ officerNumber: 'BR-7', competences: ['mandates:register'] },
    })
    return registry.admitted(registry.requirementOf(operation) as HolderRequirement, operation, [badge])
  }
  const asHolders = async (operation: string, who: readonly Holder[], proof?: HolderCaller['proof']) => {
    const shown = who.flatMap(by => by.held.map(credential => ({ by, credential })))
    return registry.admitted(registry.requirementOf(operation) as HolderRequirement, operation, shown, proof)
  }
  const collect = async (holder: Holder, mandateId: string, claims: Record<string, unknown> = {}) => {
    const iat = Math.floor(clock.now() / 1_000)
    const jwt = await holder.prove({ aud: publicUrl, nonce: mandateId, iat, ...claims })
    const proof = { proof_type: 'jwt', jwt }
    const answer = await registry.call('collectMandate', { proof }, { params: { mandate: mandateId } })
    const { verifiableCredential, credentialId } = answer.body as {
      verifiableCredential: { id: string }
      credentialId: string
    }
    const [, format = '', compact = ''] = /^data:application\/([^,]+),(.+)$/.exec(verifiableCredential.id) ?? []
    const held = { id: credentialId, format, compact } as Held
    holder.held.push(held)
    return held
  }
  type Given = { mandateId: string; credentialId: string }
  const register = async (company: string, body: unknown, key?: string) => {
    const caller = await asOfficer('registerSignatories')
    const answer = await registry.call('registerSignatories', body, { caller, params: { company }, key })
    return answer.body as { company: string; mandates: (Given & { holder: string })[] }
  }
  const passOn = async (from: readonly Holder[], body: unknown, key?: string) => {
    const caller = await asHolders('issueSubMandate', from, from.length > 1 ? 'presentation' : 'session')
    return (await registry.call('issueSubMandate', body, { caller, key })).body as Given
  }
  const end = async (caller: Caller, mandateId: string, key?: string) => {
    const how = { caller, params: { mandate: mandateId }, key }
    return (await registry.call('endMandate', { reason: 'left the company' }, how)).body as Record<string, unknown>
  }
  /** Directors registered for a company, each with their mandate collected. */
  const directorsOf = async (company: string, changes: Record<string, unknown>[] = [{}]) => {
    const holders = changes.map(() => newHolder())
    const wishes = holders.map((holder, at) => wishFor(holder, changes[at]))
    const { mandates: given } = await register(company, companyWith(wishes))
    return Promise.all(
      holders.map(async (holder, at) => {
        const mandateId = given[at]?.mandateId ?? ''
        return { holder, mandateId, credential: await collect(holder, mandateId) }
      }),
    )
  }
  const people = { wishFor, companyWith, asOfficer, asHolders, directorsOf }
  return { ...{ registry, nation, clock }, ...people, register, passOn, end, collect, give: give.bind(null, nation) }
}
export type Scene = ReturnType<typeof openScene>

/** Runs a suite over both real databases. */
export const onBothDatabases = (suite: (scene: () => Promise<Scene>) => void): void =>
  onEachDatabase(agencyMigrations, ({ place, closing }) =>
    suite(async () => {
      const clock = movableClock()
      const nation = openNation(clock)
      const registry = await openRegistry(await place(), nation, clock)
      closing(registry.store)
      return openScene(registry, nation, clock)
    }),
  )
