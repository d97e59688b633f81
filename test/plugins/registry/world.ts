import { createHash, generateKeyPairSync, randomUUID, sign as signBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { Store1760000000100 } from '../../../migrations/agency/0100-store.ts'
import { Outbox1763600000200 } from '../../../migrations/agency/0200-outbox.ts'
import { Credentials1763600000300 } from '../../../migrations/agency/0300-credentials.ts'
import { Anchored1763600000350 } from '../../../migrations/agency/0350-anchored.ts'
import { Registry1763700000900 } from '../../../migrations/agency/0900-registry.ts'
import { Land1763700000950 } from '../../../migrations/agency/0950-land.ts'
import { Assets1763700000960 } from '../../../migrations/agency/0960-assets.ts'
import { checkAnswer, checkBody, compileContract } from '../../../src/http/contract.ts'
import { compileFieldSchema } from '../../../src/http/field-schema.ts'
import { openDids } from '../../../src/identity/dids.ts'
import { issueCredential } from '../../../src/identity/issue.ts'
import { publicKeyFromJwk, rawPublicKey } from '../../../src/identity/key-material.ts'
import { proveKey } from '../../../src/identity/key-proof.ts'
import { loadCredentialTypes } from '../../../src/identity/types.ts'
import type { Caller, HolderCaller, ProvenCredential } from '../../../src/kernel/gate.ts'
import type { Answer } from '../../../src/kernel/plugin.ts'
import type {
  ChainWrite,
  RegisterTokens,
  StatusPointer,
  StatusValue,
  WalletStanding,
} from '../../../src/kernel/ports.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { assertSound } from '../../../src/kernel/sound.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import { store as storeCredential } from '../../../src/plugins/credentials/actions/issue.ts'
import { decideStatus } from '../../../src/plugins/credentials/actions/status.ts'
import { openDesk } from '../../../src/plugins/registry/actions/desk.ts'
import { parseDefinition } from '../../../src/plugins/registry/definition.ts'
import type { RegistryNeeds } from '../../../src/plugins/registry/needs.ts'
import { registry } from '../../../src/plugins/registry/plugin.ts'
import { type Knowledge, openRegister } from '../../../src/plugins/registry/soundness.ts'
import { storeEntities } from '../../../src/store/entities.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openLogProofs } from '../../../src/store/log-proofs.ts'
import { openSequencer } from '../../../src/store/sequencer.ts'
import { openStore } from '../../../src/store/store.ts'
import { verifierKey } from '../../../src/store/tlog-note.ts'
import { onEachDatabase, type Place } from '../../databases.ts'
import { readOpenApi } from '../../openapi.ts'

const chain = 'eip155:31337'
const address = `0x${'b2'.repeat(20)}`
export const officeDid = `did:ethr:0x7a69:${address}`
const root = join(import.meta.dirname, '../../..')
export const dayMs = 24 * 60 * 60_000

export const movableClock = (start = Date.parse('2026-06-01T12:00:00Z')) => {
  let now = start
  return {
    now: () => now,
    advance: (ms: number): void => {
      now += ms
    },
  }
}

/** The real ones, read once in a test file. */
const types = loadCredentialTypes(join(root, 'schemas'))

/** What registers are held against: the real credential types, the real compiler. */
export const knowledge: Knowledge = {
  type(id) {
    const found = types.all.filter(type => type.id === id).sort((a, b) => b.version - a.version)[0]
    return found && { id, maxDays: found.validity.maxDays, schema: found.schema }
  },
  compile: compileFieldSchema,
  assertSound: requirement => assertSound(requirement, types.all),
  issues: ['BusinessLicence', 'ProfessionalLicence', 'LandTitle', 'PublicOfficer', 'ResourceQuota'],
}

export const sourceOf = (name: string): Record<string, unknown> =>
  parse(readFileSync(join(root, 'agents/registers', `${name}.yml`), 'utf8')) as Record<string, unknown>

export const registerFrom = (source: unknown) => openRegister(parseDefinition(source), knowledge)

/** Keys, schemas and formats are real; only the chain is a map. */
const openIssuing = (clock: { now(): number }) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  const jwk = { kty, crv, x, y } as Parameters<typeof publicKeyFromJwk>[0]
  const name = `0x${Buffer.from('did/pub/Multikey/sigAuth/hex').toString('hex').padEnd(64, '0')}`
  const value = `0x${rawPublicKey(publicKeyFromJwk(jwk)).toString('hex')}`
  const validTo = Math.floor(clock.now() / 1_000) + 400_000_000
  const registered = { block: 1, timestamp: clock.now() - 1_000, kind: 'attribute' as const, name, value, validTo }
  const dids = openDids({ chainId: 31_337, replica: { events: of => (of === address ? [registered] : []) }, clock })
  let index = 0
  const allot = async (): Promise<StatusPointer> => {
    index += 1
    return { chain, registry: `0x${'c'.repeat(40)}`, issuer: address, list: 0, index }
  }
  const issuer = () => ({ did: officeDid, kid: `${officeDid}#delegate-1`, keyId: 'k', algorithm: 'ES256' as const })
  const signer = {
    sign: async (_id: string, _algorithm: string, data: Uint8Array) =>
      signBytes('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  }
  return { types, dids, signer, issuer, allot, clock, baseUrl: 'https://office.example' }
}

/** Writes as they are asked for, instead of their calldata; nothing stands on chain. */
const noted: RegisterTokens = (() => {
  const of = (contract: string) =>
    new Proxy(
      {},
      {
        get: (_, method: string) => (register: string, args: unknown) => [
          { contract, method, args: [register, args], account: address } satisfies ChainWrite,
        ],
      },
    )
  const tokens = { titles: of('titles'), licences: of('licences'), assets: of('assets') }
  const tokenIdOf = (register: string, entry: string) =>
    BigInt(
      `0x${createHash('sha256')
        .update(register + entry)
        .digest('hex')}`,
    ).toString()
  return { ...tokens, tokenIdOf } as unknown as RegisterTokens
})()

/** Wallets by `<address> <domain>`, and the pseudonym that each is bound to. */
const standingIn =
  (bound: ReadonlyMap<string, string>) =>
  (wallet: string, domain: string): WalletStanding => {
    const pseudonym = bound.get(`${wallet} ${domain}`)
    if (pseudonym === undefined) return { valid: false, reason: 'unbound' }
    const binding = { wallet, domain, pseudonym, issuer: address, level: 2, jurisdiction: 'XN', list: 1, index: 1 }
    return { valid: true, ...binding, expiry: Number.MAX_SAFE_INTEGER }
  }

/** What went through is held against openapi.yaml, both ways. */
const contract = compileContract(readOpenApi())

type Call = { caller?: Caller; params?: Record<string, string>; query?: Record<string, string>; key?: string }

export type { Place }

const migrations = [
  ...[Store1760000000100, Outbox1763600000200, Credentials1763600000300, Anchored1763600000350],
  ...[Registry1763700000900, Land1763700000950, Assets1763700000960],
]

/** A registry of one process over a database. */
export const openOffice = async (place: Place, clock = movableClock(), sources: unknown[] = shipped()) => {
  const store = await openStore({
    ...place,
    migrations,
    entities: [...storeEntities, ...registry.entities],
  })
  const house = { store, journal, idempotency: openIdempotency(clock), clock }
  const newId = () => timeId(clock.now())
  const issuing = openIssuing(clock)
  const writes: ChainWrite[] = []
  const bound = new Map<string, string>()
  const statuses = new Map<number, StatusValue>()
  const outbox = {
    enqueue: async (tx: Parameters<RegistryNeeds['outbox']['enqueue']>[0], wanted: ChainWrite[]) => {
      tx.afterCommit(() => void writes.push(...wanted))
      return newId()
    },
    state: async () => undefined,
    wait: async () => 'queued' as const,
  }
  const deciding = {
    ...{ house, outbox, newId },
    identity: { decide: (pointer: StatusPointer, value: StatusValue) => void statuses.set(pointer.index, value) },
    statusAuthority: { chain, registry: `0x${'c'.repeat(40)}`, issuer: address },
    statusWrites: () => [],
  } as unknown as Parameters<typeof decideStatus>[0]
  const log = openLog(store, clock)
  const needs: RegistryNeeds = {
    ...{ house, outbox, newId, tokens: noted },
    registers: sources.map(registerFrom),
    proveKey: (proof, expected) => proveKey(proof, { dids: issuing.dids, clock }, expected),
    issuance: {
      issue: async request => {
        const { draft, format, compact } = await issueCredential(request, issuing)
        const { id, type, issuedAt, validUntil, status } = draft
        return { id, type: type.id, typeVersion: type.version, format, compact, issuedAt, validUntil, status }
      },
      store: storeCredential,
      changeStatus: (tx, ids, change) => decideStatus(deciding, tx, [...ids], change),
    },
    credential: async id => {
      const sql = 'SELECT compact, format FROM credentials WHERE id = ?'
      return (await store.read<{ compact: string; format: string }>(sql, [id]))[0]
    },
    proofs: openLogProofs(store, log.sequencer),
    ...{ did: officeDid, authority: 'Business Registry', publicUrl: 'https://office.example' },
    land: { personSecret: Buffer.alloc(32, 7), wallets: { standing: standingIn(bound) } },
  }
  const routes = registry.routes(needs)
  const contextOf = (how: Call, body: unknown) => ({
    caller: how.caller ?? ({ kind: 'anonymous', id: 'anonymous' } as const),
    ...{ params: how.params ?? {}, query: how.query ?? {}, body, headers: { 'idempotency-key': how.key } },
    publicUrl: 'https://office.example',
  })
  const call = async (operation: string, body?: unknown, how: Call = {}): Promise<Answer> => {
    const route = routes[operation]
    if (route === undefined || !('run' in route)) throw new Error(`no route ${operation}`)
    const agreed = contract.get(operation)
    if (agreed === undefined) throw new Error(`openapi.yaml has no operation ${operation}`)
    if (agreed.body !== undefined && body !== undefined) checkBody(agreed, 'application/json', body)
    const answer = await route.run(contextOf(how, body))
    checkAnswer(agreed, answer.status, 'application/json', answer.body)
    return answer
  }
  const lines = async (operation: string, given: unknown[], how: Call): Promise<Record<string, unknown>[]> => {
    const route = routes[operation]
    if (route === undefined || !('lines' in route)) throw new Error(`no lines ${operation}`)
    const answers: Record<string, unknown>[] = []
    const incoming = (async function* () {
      yield* given
    })()
    for await (const answer of route.lines(contextOf(how, undefined), incoming)) {
      answers.push(answer as Record<string, unknown>)
    }
    return answers
  }
  return { store, needs, desk: openDesk(needs), call, lines, writes, bound, statuses, clock, log }
}
export type Office = Awaited<ReturnType<typeof openOffice>>

const openLog = (store: Parameters<typeof openSequencer>[0]['store'], clock: { now(): number }) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const origin = 'office.example/log'
  const sign = async (data: Uint8Array) => signBytes(null, data, privateKey)
  const sequencer = openSequencer({ store, clock, origin, publicKey: raw, sign })
  return { sequencer, origin, publicKey, verifierKey: verifierKey({ name: origin, publicKey: raw }) }
}

export const shipped = (): unknown[] => ['business-licences', 'professional-licences', 'land-titles'].map(sourceOf)

/** A holder's DID with a key of its own. */
export const newDid = (): string => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  return `did:jwk:${Buffer.from(JSON.stringify({ crv, kty, x, y })).toString('base64url')}`
}

type Proving = { id: string; type: string; claims: Record<string, unknown>; holder?: string; credentialId?: string }

const proven = ({ type, claims, holder = newDid(), credentialId }: Proving): ProvenCredential => ({
  ...{ type, issuer: officeDid, holder, holderKey: 'thumbprint', claims, own: true },
  digest: createHash('sha256').update(JSON.stringify(claims)).digest('base64url'),
  ...(credentialId !== undefined && { credentialId }),
})

/** A caller as the gate makes one of credentials that it has judged. */
export const holderCaller = (principal: string | undefined, ...proofs: Proving[]): HolderCaller => {
  const matched = Object.fromEntries(proofs.map(proof => [proof.id, proven(proof)]))
  const credentials = Object.values(matched)
  const actor = credentials[0]?.holder ?? newDid()
  return {
    ...{ kind: 'holder', id: actor, actor, principal: principal ?? actor, mandates: [], credentials, matched },
    ...{ proof: 'session', session: randomUUID() },
  }
}

export const officer = (number = 'BR-0001', register = 'business-licences'): HolderCaller =>
  holderCaller(undefined, {
    ...{ id: 'officer', type: 'PublicOfficer' },
    claims: { officerNumber: number, competences: [`registry:${register}:decide`] },
  })

export const company = (
  legalName = 'Northwind Fisheries Ltd',
  registrationNumber = 'C-1048822',
  more: Record<string, unknown> = {},
): HolderCaller =>
  holderCaller(`company:${registrationNumber}`, {
    ...{ id: 'mandate', type: 'CompanyMandate' },
    claims: { company: { legalName, registrationNumber }, ...more },
  })

export const refusalOf = async (work: Promise<unknown>): Promise<string | undefined> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) return undefined
  if (!isRefusal(error)) throw error
  return error.code
}

/** Runs a suite over both real databases. */
export const onBothDatabases = (suite: (open: (sources?: unknown[]) => Promise<Office>) => void): void =>
  onEachDatabase(migrations, ({ place, closing }) =>
    suite(async sources => {
      const office = await openOffice(await place(), movableClock(), sources)
      closing(office.store)
      return office
    }),
  )
