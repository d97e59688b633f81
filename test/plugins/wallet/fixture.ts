import { createPrivateKey, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto'
import { join } from 'node:path'
import { Store1760000000100 } from '../../../migrations/agency/0100-store.ts'
import { Wallet1763600000400 } from '../../../migrations/agency/0400-wallet.ts'
import { WalletLedgerKeys1763800001010 } from '../../../migrations/agency/1010-wallet-ledger-keys.ts'
import { WalletPresentations1763900001210 } from '../../../migrations/agency/1210-wallet-presentations.ts'
import { WalletCollections1763900001220 } from '../../../migrations/agency/1220-wallet-collections.ts'
import { keccak } from '../../../src/chain/keccak.ts'
import { checkAnswer, checkBody, compileContract } from '../../../src/http/contract.ts'
import { didJwkOf, didKeyOf, parseLocalDid } from '../../../src/identity/did-local.ts'
import { openDids } from '../../../src/identity/dids.ts'
import { fetchBounded } from '../../../src/identity/fetch-bounded.ts'
import { issueCredential } from '../../../src/identity/issue.ts'
import { publicKeyFromJwk, rawPublicKey } from '../../../src/identity/key-material.ts'
import { sealKeyProof } from '../../../src/identity/key-proof.ts'
import { openCollector } from '../../../src/identity/openid/vci/wallet.ts'
import { type WalletNeeds as AnsweringNeeds, openPresentationAnswers } from '../../../src/identity/openid/vp/wallet.ts'
import { presentCredential, verifyPresentation } from '../../../src/identity/present.ts'
import { loadCredentialTypes } from '../../../src/identity/types.ts'
import { verifyCredential } from '../../../src/identity/verify.ts'
import { anonymous, type Caller } from '../../../src/kernel/gate.ts'
import type { FormatId, Verdict } from '../../../src/kernel/identity.ts'
import type { Answer } from '../../../src/kernel/plugin.ts'
import type { Signer, StatusPointer, StatusReader, StatusValue, TrustReader } from '../../../src/kernel/ports.ts'
import { isRefusal, Refusal } from '../../../src/kernel/refusal.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import type { WalletNeeds } from '../../../src/plugins/wallet/needs.ts'
import { citizenSessions, wallet } from '../../../src/plugins/wallet/plugin.ts'
import { passphraseCostLeast } from '../../../src/plugins/wallet/policy.ts'
import { storeEntities } from '../../../src/store/entities.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openStore } from '../../../src/store/store.ts'
import { openForeignJudge } from '../../../src/wallet-collecting.ts'
import { type DatabaseName, onEachDatabase, type Place } from '../../databases.ts'
import { readOpenApi } from '../../openapi.ts'

const chain = 'eip155:31337'
const address = `0x${'a1'.repeat(20)}`
export const issuerDid = `did:ethr:0x7a69:${address}`
export const verifier = 'https://bank.example'
const root = join(import.meta.dirname, '../../..')
/** The real ones, read once in a test file. */
const types = loadCredentialTypes(join(root, 'schemas'))

export const movableClock = (start = Date.parse('2026-06-01T12:00:00Z')) => {
  let now = start
  return {
    now: () => now,
    advance: (ms: number): void => {
      now += ms
    },
  }
}
export type MovableClock = ReturnType<typeof movableClock>

const signerWith = (key: KeyObject): Signer => ({
  sign: async (_id, _algorithm, data) => signBytes('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
})

/** An accredited issuer and a verifier, with real keys, schemas and formats; only the chain is a map. */
export const openNation = (clock: MovableClock) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKey = publicKeyFromJwk(generatedPublic(privateKey))
  const name = `0x${Buffer.from('did/pub/Multikey/sigAuth/hex').toString('hex').padEnd(64, '0')}`
  const value = `0x${rawPublicKey(publicKey).toString('hex')}`
  const second = Math.floor(clock.now() / 1_000)
  const at = { block: 1, timestamp: clock.now() - 1_000 }
  const registered = { ...at, kind: 'attribute' as const, name, value, validTo: second + 400_000_000 }
  const events = (of: string) => (of === address ? [registered] : [])
  const dids = openDids({ chainId: 31_337, replica: { events }, clock })
  const decided = new Map<number, StatusValue>()
  /** `named`: keys of holders that were given a DID. */
  const state = { reachable: true, index: 0, named: 0 }
  /** Origins that wallets may ask over http, DIDs that speak for the issuers there, and whether others than the accredited count. */
  const reach = { origins: [] as string[], speaks: new Set([issuerDid]), foreign: false }
  const status: StatusReader = {
    head: () => ({ chain, number: 7, hash: `0x${'b'.repeat(64)}`, timestamp: clock.now() }),
    status: pointer => {
      if (!state.reachable) throw new Refusal('unavailable', 'status_unavailable', 'The replica is too old.')
      return decided.get(pointer.index) ?? 'valid'
    },
    statusAt: async pointer => ({ status: decided.get(pointer.index) ?? 'valid', block: status.head() }),
    openedAt: () => 0,
  }
  const trust: TrustReader = {
    accreditation: () => ({ accredited: true, parent: null, validFrom: 0, validUntil: clock.now() + 1e12 }),
    distrustedSince: () => undefined,
    schemaAdmitted: () => true,
  }
  const allot = async (): Promise<StatusPointer> => {
    state.index += 1
    return { chain, registry: `0x${'c'.repeat(40)}`, issuer: address, list: 1, index: state.index }
  }
  const verifying = { types, dids, status, trust, clock, chain }
  const issuer = () => ({
    did: issuerDid,
    kid: `${issuerDid}#delegate-1`,
    keyId: 'issuer',
    algorithm: 'ES256' as const,
  })
  const issuing = {
    types,
    dids,
    signer: signerWith(privateKey),
    issuer,
    allot,
    clock,
    baseUrl: 'https://office.example',
  }
  return {
    ...{ state, reach, dids },
    issuerKey: publicKey.publicKey,
    revokeLast: () => decided.set(state.index, 'revoked'),
    issue: async (type: string, holder: string, claims: Record<string, unknown> = {}, format?: FormatId) => {
      const subject = { ...types.byId(type).example, ...claims, id: holder }
      return (await issueCredential({ type, subject, format }, issuing)).compact
    },
    /** An SD-JWT whose payload the issuer itself has changed: well signed, and wrong. */
    reissued: (compact: string, changes: Record<string, unknown>): string => {
      const [jws = '', ...rest] = compact.split('~')
      const [head = '', body = ''] = jws.split('.')
      const payload = { ...JSON.parse(Buffer.from(body, 'base64url').toString()), ...changes }
      const input = `${head}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
      const signature = signBytes('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return [`${input}.${signature.toString('base64url')}`, ...rest].join('~')
    },
    verify: (credential: unknown): Promise<Verdict> => verifyCredential(credential, verifying),
    judgeForeign: openForeignJudge({ clock, dids, allowedHttpOrigins: reach.origins, types }),
    verifyPresentation: (presentation: unknown, challenge: string, audience = verifier) =>
      verifyPresentation(presentation, verifying, { challenge, audience: [audience] }),
    resolve: dids.resolve,
  }
}
export type Nation = ReturnType<typeof openNation>

const generatedPublic = (key: KeyObject) => {
  const { kty, crv, x, y } = createPrivateKey({ key: key.export({ format: 'jwk' }), format: 'jwk' }).export({
    format: 'jwk',
  })
  return { kty, crv, x, y } as Parameters<typeof publicKeyFromJwk>[0]
}

export type { Place }

export const migrations = [
  Store1760000000100,
  Wallet1763600000400,
  WalletLedgerKeys1763800001010,
  WalletPresentations1763900001210,
  WalletCollections1763900001220,
]

/** What went through is held against openapi.yaml, both ways. */
export const contract = compileContract(readOpenApi())

/** Of verifiers on this machine, which are asked over http. */
export const verifierOrigins: string[] = []

/** Verifiers are believed by their DIDs alone. */
const answering = (nation: Nation, clock: MovableClock): AnsweringNeeds => ({
  now: clock.now,
  trust: { resolve: nation.resolve, anchors: async () => [], attesters: new Map(), registered: new Map() },
  ...{ audience: ['https://wallet.example'], httpOrigins: verifierOrigins },
  fetch: (url, bounds) => fetchBounded(url, { ...bounds, allowedHttpOrigins: verifierOrigins }),
})

/** Towards issuers as the service has it, but for whom the chain and the web would name. */
const collectingIn = (
  nation: Nation,
  clock: MovableClock,
): Pick<WalletNeeds, 'collecting' | 'judgeForeign' | 'didJwkOf' | 'jwkOf'> => {
  const { reach, dids } = nation
  const speaksFor = async (did: string) => reach.speaks.has(did)
  const collector = openCollector({
    clock,
    fetch: (url, bounds) => fetchBounded(url, { ...bounds, allowedHttpOrigins: reach.origins }),
    clientId: 'https://wallet.example/wallet',
    trust: { clock, dids, speaksFor },
  })
  return {
    collecting: {
      ...collector,
      vouches: async (talk, { signer }) => signer === talk.issuer.issuer || speaksFor(signer),
    },
    judgeForeign: async credential => {
      if (reach.foreign) return nation.judgeForeign(credential)
      return nation.verify(credential)
    },
    didJwkOf: jwk => {
      nation.state.named += 1
      return didJwkOf(publicKeyFromJwk(jwk))
    },
    jwkOf: did => parseLocalDid(did)?.key.jwk,
  }
}

type Call = { caller?: Caller; params?: Record<string, string>; query?: Record<string, string>; key?: string }

/** The wallet service of one process over a database. */
export const openOffice = async (place: Place, nation: Nation, clock: MovableClock) => {
  const store = await openStore({
    ...place,
    migrations,
    entities: [...storeEntities, ...wallet.entities],
  })
  const needs: WalletNeeds = {
    house: { store, journal, idempotency: openIdempotency(clock), clock },
    identity: nation,
    present: presentCredential,
    proveKey: sealKeyProof,
    didOf: jwk => {
      nation.state.named += 1
      return didKeyOf(publicKeyFromJwk(jwk))
    },
    ...collectingIn(nation, clock),
    presentations: openPresentationAnswers(answering(nation, clock)),
    keccak,
    newId: () => timeId(clock.now()),
    passphraseCost: passphraseCostLeast,
  }
  const routes = wallet.routes(needs)
  const sessions = citizenSessions(needs)
  const call = async (operation: string, body?: unknown, how: Call = {}): Promise<Answer> => {
    const route = routes[operation]
    if (route === undefined || !('run' in route)) throw new Error(`no route ${operation}`)
    const answer = await route.run({
      caller: how.caller ?? anonymous,
      params: how.params ?? {},
      query: how.query ?? {},
      body,
      headers: { 'idempotency-key': how.key },
      publicUrl: 'https://wallet.example',
    })
    const agreed = contract.get(operation)
    if (agreed === undefined) throw new Error(`openapi.yaml has no operation ${operation}`)
    if (agreed.body !== undefined && body !== undefined) checkBody(agreed, 'application/json', body)
    checkAnswer(agreed, answer.status, 'application/json', answer.body)
    return answer
  }
  return { store, needs, call, sessions }
}
export type Office = Awaited<ReturnType<typeof openOffice>>

export const passphrase = 'correct horse battery staple'

/** A citizen with a session: calls in their name, a new caller for each as http makes one. */
export const citizenAt = async (office: Office, handle: string) => {
  await office.call('registerCitizen', { handle, passphrase })
  return signedIn(office, handle)
}

export const signedIn = async (office: Office, handle: string, with_ = passphrase) => {
  const opened = await office.call('openSession', { handle, passphrase: with_ })
  return withToken(office, (opened.body as { token: string }).token)
}

export const withToken = (office: Office, token: string) => {
  const call = async <Body = Record<string, unknown>>(operation: string, body?: unknown, how: Call = {}) => {
    const caller = await office.sessions.session(token)
    if (caller === undefined) throw new Refusal('unauthenticated', 'credentials_invalid', 'No such session.')
    return (await office.call(operation, body, { ...how, caller })).body as Body
  }
  const newKey = async (heldFor?: 'minor'): Promise<string> =>
    (await call<{ did: string }>('createHolderKey', heldFor === undefined ? {} : { heldFor })).did
  const receive = async (verifiableCredential: unknown): Promise<string> =>
    (await call<{ id: string }>('receiveCredential', { verifiableCredential })).id
  const present = (id: string, wish: Record<string, unknown>, key?: string) =>
    call<{ verifiablePresentation: string; disclosureId: string; shown: string[] }>(
      'presentHeld',
      { audience: verifier, challenge: 'nonce-1', ...wish },
      { params: { id }, ...(key === undefined ? {} : { key }) },
    )
  return { token, call, newKey, receive, present }
}
export type Citizen = ReturnType<typeof withToken>

/** The code of the refusal, `undefined` if it went through; a defect fails the test. */
export const refusalOf = async (work: Promise<unknown>): Promise<string | undefined> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) return undefined
  if (!isRefusal(error)) throw error
  return error.code
}

const names = [
  'citizens',
  'sessions',
  'attempts',
  'keys',
  'ledger_keys',
  'credentials',
  'disclosures',
  'collections',
  'presentation_requests',
]
const tables = names.map(name => `wallet_${name}`)

/** Everything that the operator's database has, as one text: bytes as Latin-1, hex and base64url. */
export const everythingStored = async (office: Office): Promise<string> => {
  const texts: string[] = []
  for (const table of [...tables, 'journal', 'journal_details', 'journal_pending', 'idempotency']) {
    for (const row of await office.store.read(`SELECT * FROM ${table}`)) {
      for (const value of Object.values(row)) {
        if (!(value instanceof Uint8Array)) texts.push(String(value))
        else for (const form of ['latin1', 'hex', 'base64url'] as const) texts.push(Buffer.from(value).toString(form))
      }
    }
  }
  return texts.join('\n')
}

export type Scene = { office: Office; nation: Nation; clock: MovableClock; again(): Promise<Office> }

/** Runs a suite over both real databases; `again` is the same database after a restart of the service. */
export const onBothDatabases = (suite: (scene: () => Promise<Scene>) => void, only?: DatabaseName): void =>
  onEachDatabase(
    migrations,
    ({ place, closing }) =>
      suite(async () => {
        const clock = movableClock()
        const nation = openNation(clock)
        const where = await place()
        const open = async (): Promise<Office> => {
          const office = await openOffice(where, nation, clock)
          closing(office.store)
          return office
        }
        const office = await open()
        const again = async (): Promise<Office> => {
          await office.store.close()
          return open()
        }
        return { office, nation, clock, again }
      }),
    only,
  )

/** For what has nothing to do with the database. */
export const onSqlite = (suite: (scene: () => Promise<Scene>) => void): void => onBothDatabases(suite, 'SQLite')
