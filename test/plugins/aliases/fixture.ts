import { createHmac, randomBytes } from 'node:crypto'
import { Store1760000000100 } from '../../../migrations/agency/0100-store.ts'
import { Aliases1763800001050 } from '../../../migrations/agency/1050-aliases.ts'
import { checkAnswer, checkBody, compileContract } from '../../../src/http/contract.ts'
import { aliasInfo, aliasTag, openAliasFunction } from '../../../src/identity/alias-function.ts'
import { evaluateBlinded, oprfKeyFrom } from '../../../src/identity/oprf.ts'
import { digestOf } from '../../../src/kernel/canonical.ts'
import type { Caller, HolderCaller, ProvenCredential } from '../../../src/kernel/gate.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import type { AliasesNeeds } from '../../../src/plugins/aliases/needs.ts'
import { aliases } from '../../../src/plugins/aliases/plugin.ts'
import type { AliasKind, Limits } from '../../../src/plugins/aliases/policy.ts'
import { storeEntities } from '../../../src/store/entities.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openStore } from '../../../src/store/store.ts'
import { onEachDatabase, type Place } from '../../databases.ts'
import { readOpenApi } from '../../openapi.ts'

const openapi = readOpenApi()
const own = Object.entries(openapi.paths).filter(([path]) => path.startsWith('/aliases/'))
const contract = compileContract({ ...openapi, paths: Object.fromEntries(own) })

export const bank = `did:ethr:0x7a69:0x${'11'.repeat(20)}`
export const otherBank = `did:ethr:0x7a69:0x${'22'.repeat(20)}`
export const ledger = `did:ethr:0x7a69:0x${'33'.repeat(20)}`
/** Accredited, but not for KYC. */
export const stranger = `did:ethr:0x7a69:0x${'44'.repeat(20)}`
export const dayStart = Date.parse('2026-06-01T00:00:00Z')
export const start = Date.parse('2026-06-01T12:00:00Z')

const migrations = [Store1760000000100, Aliases1763800001050]

const limits: Limits = {
  institution: { evaluation: 20, lookup: 8, registration: 8 },
  citizen: { evaluation: 4, lookup: 3, registration: 3 },
}

const key = oprfKeyFrom(Buffer.alloc(32, 7))

/** One process of a directory over a database, with its real function and keys. */
export const openDirectory = async (place: Place) => {
  const store = await openStore({
    ...place,
    migrations,
    entities: [...storeEntities, ...aliases.entities],
  })
  const state = { now: start, banks: [bank, otherBank], spent: 0 }
  const clock = { now: () => state.now }
  const directoryFunction = openAliasFunction(key, {
    evaluate: async (elements, info) => evaluateBlinded(elements, { ...key, info }),
  })
  const needs: AliasesNeeds = {
    house: { store, journal, idempotency: openIdempotency(clock), clock },
    ...{ keyId: key.keyId, limits, ...directoryFunction },
    accredited: (did, types) => types.includes('KycAttestation') && state.banks.includes(did),
    isLedger: did => did === ledger || state.banks.includes(did),
    newId: () => timeId(state.now),
  }
  const routes = aliases.routes(needs)
  const agency = (id: string, body: unknown): Caller => ({
    ...{ kind: 'agency', id, bodySha256: digestOf(body).toString('base64url') },
    spend: async () => void state.spent++,
  })
  type How = { caller?: Caller; by?: string; key?: string; params?: Record<string, string> }
  const call = async (operationId: string, body: unknown, how: How = {}) => {
    const [route, operation] = [routes[operationId], contract.get(operationId)]
    if (route === undefined || !('run' in route) || operation === undefined) throw new Error(`no ${operationId}`)
    checkBody(operation, 'application/json', body)
    const answer = await route.run({
      ...{ query: {}, body, publicUrl: 'https://directory.example' },
      params: how.params ?? {},
      caller: how.caller ?? agency(how.by ?? bank, body),
      headers: { 'idempotency-key': how.key },
    })
    checkAnswer(operation, answer.status, 'application/json', answer.body)
    return answer.body as Record<string, never> & Record<string, unknown>
  }
  const params = (how: How) => ({ ...how, params: { asker: how.caller === undefined ? 'institution' : 'citizen' } })
  const owning = (kind: AliasKind, how: How) => ({ ...how, params: { kind } })
  return {
    ...{ store, state, clock, needs, agency },
    evaluate: (body: unknown, how: How = {}) => call('evaluateAliases', body, params(how)),
    lookUp: (kind: AliasKind, tag: string, how: How = {}) => call('lookUpAlias', { kind, tag }, params(how)),
    register: (kind: AliasKind, body: unknown, how: How = {}) => call('registerAlias', body, owning(kind, how)),
    remove: (kind: AliasKind, body: unknown, how: How = {}) => call('removeAlias', body, owning(kind, how)),
    resolve: (paymentAddress: unknown, how: How = {}) => call('resolvePaymentAddress', { paymentAddress }, how),
    rows: (table: string) => store.read(`SELECT * FROM ${table} ORDER BY 1`),
    call,
  }
}
export type Directory = Awaited<ReturnType<typeof openDirectory>>

/** The tag, as the asker makes it with the directory's help. */
export const tagOf = async (directory: Directory, kind: AliasKind, alias: string, how: { caller?: Caller } = {}) =>
  aliasTag({
    ...{ kind, alias, publicKey: key.publicKey },
    async evaluate(elements) {
      const blinded = elements.map(each => Buffer.from(each).toString('base64url'))
      const answer = (await directory.evaluate({ kind, blinded }, how)) as unknown as {
        evaluated: string[]
        proof: string
      }
      const decoded = answer.evaluated.map(each => Buffer.from(each, 'base64url'))
      return { elements: decoded, proof: Buffer.from(answer.proof, 'base64url') }
    },
  })

/** The tag without the directory's count, for tests of something else. */
export const quietTag = async (kind: AliasKind, alias: string): Promise<string> =>
  aliasTag({
    ...{ kind, alias, publicKey: key.publicKey },
    evaluate: async elements => evaluateBlinded(elements, { ...key, info: aliasInfo(kind) }),
  })

/** Some tag that nobody registered. */
export const someTag = (n: number): string => createHmac('sha256', 'tags').update(String(n)).digest('base64url')

export const phoneBody = async (number = '+99912345678', changes: Record<string, unknown> = {}) => ({
  ...{ tag: await quietTag('phone', number), maskedName: 'A*** O.', ledger, account: 7 },
  ...changes,
})

/** A citizen as the gate admits them, with whatever credential of that number. */
export const citizen = (number: string, name = { givenName: 'Amara', familyName: 'Okafor' }): HolderCaller => {
  const holder = `did:jwk:${randomBytes(8).toString('hex')}`
  const identity: ProvenCredential = {
    ...{ type: 'NationalIdentity', issuer: 'did:ethr:0x7a69:0xroot', holder, holderKey: holder },
    digest: randomBytes(32).toString('base64url'),
    claims: { personalAdministrativeNumber: number, ...name },
  }
  return {
    ...{ kind: 'holder', id: holder, actor: holder, principal: holder, mandates: [], proof: 'session' },
    ...{ credentials: [identity], matched: { identity } },
  }
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

/** Runs a suite over both real databases; `open` at the same place is another process over the same one. */
export const onBothDatabases = (
  suite: (open: (at?: Place) => Promise<Directory>, place: () => Promise<Place>) => void,
): void =>
  onEachDatabase(migrations, ({ place, closing }) =>
    suite(async at => {
      const directory = await openDirectory(at ?? (await place()))
      closing(directory.store)
      return directory
    }, place),
  )
