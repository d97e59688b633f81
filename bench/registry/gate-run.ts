import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { join } from 'node:path'
import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, jwtVerify, SignJWT } from 'jose'
import { agencyEntities, agencyMigrations } from '../../src/agency.ts'
import { openDpop } from '../../src/identity/dpop.ts'
import { challengeOf, prove, recheck } from '../../src/identity/prove.ts'
import { viewOf } from '../../src/identity/type-metadata.ts'
import { canonical } from '../../src/kernel/canonical.ts'
import { anonymous } from '../../src/kernel/gate.ts'
import type { HolderRequirement } from '../../src/kernel/requirement.ts'
import { timeId } from '../../src/kernel/time-id.ts'
import { createSession } from '../../src/plugins/gate/actions/sessions.ts'
import { doorOf, openDesk } from '../../src/plugins/gate/plugin.ts'
import { openIdempotency } from '../../src/store/idempotency.ts'
import { journal } from '../../src/store/journal.ts'
import { openStore } from '../../src/store/store.ts'
import { answer, readInput } from '../child.ts'
import { followNation } from '../identity/nation.ts'

/**
 * The gate in process, on a follower of its own on the nation's chain. What a client does (signing proofs, presenting) is
 * done before the time is taken.
 */

export type GateRun = {
  task: 'session' | 'presentation'
  /** Two SD-JWTs of one holder, and the holder's private key. */
  credentials: string[]
  types: string[]
  jwk: Record<string, string>
  nationDir: string
  scratchDir: string
  count: number
  inFlight: number
}
export type GateResult = {
  /** Wall-clock microseconds a piece, with so many in flight. */
  micros: number
  mainMicros: number
  /** The same work by jose, in this process right after. */
  joseMicros?: number
}

const run = await readInput<GateRun>()
const verifying = await followNation(run.nationDir, run.scratchDir)
const { clock } = verifying
const file = join(run.scratchDir, `gate-${process.pid}.sqlite`)
const store = await openStore({ file, migrations: agencyMigrations, entities: agencyEntities })
const house = { store, journal, idempotency: openIdempotency(clock), clock }
const publicUrl = 'https://office.example'
const did = 'did:ethr:0x7a69:0x0000000000000000000000000000000000000000'
const proving = { ...verifying, did }
const secret = Buffer.alloc(32, 9)
const dpop = openDpop({ clock, secret })
const desk = openDesk({
  ...{ house, publicUrl, dpop, routes: () => ({}), staffStands: async () => true, newId: () => timeId(clock.now()) },
  derive: () => secret,
  identity: {
    ...{ did, types: verifying.types.all.map(viewOf), challengeOf },
    prove: (presentations, expected) => prove(presentations, expected, proving),
    recheck: proof => recheck(proof, proving),
  },
})
const door = doorOf(desk)
const requirement: HolderRequirement = {
  by: 'holder',
  of: { all: run.types.map(type => ({ id: type, type })), joined: { by: 'key' } },
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
const jws = (header: unknown, payload: unknown, key: KeyObject): string => {
  const input = `${encode(header)}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
const seconds = (): number => Math.floor(Date.now() / 1_000)

const holderKey = createPrivateKey({ key: run.jwk, format: 'jwk' })
const present = (challenge: string): string[] =>
  run.credentials.map(sdJwt => {
    const payload = { aud: publicUrl, nonce: challenge, iat: seconds(), sd_hash: sha256(sdJwt) }
    return sdJwt + jws({ alg: 'ES256', typ: 'kb+jwt' }, payload, holderKey)
  })

const client = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const { kty, crv, x, y } = client.publicKey.export({ format: 'jwk' })
const jwk = { kty, crv, x, y }
const thumbprint = sha256(canonical(jwk))
const proofOf = (method: string, url: string, token?: string): string =>
  jws(
    { alg: 'ES256', typ: 'dpop+jwt', jwk },
    {
      ...{ jti: randomUUID(), htm: method, htu: url, iat: seconds(), nonce: dpop.nonce() },
      ...(token === undefined ? {} : { ath: sha256(token) }),
    },
    client.privateKey,
  )

/** So many pieces, `inFlight` at once. */
const timed = async (pieces: readonly (() => Promise<unknown>)[], inFlight: number) => {
  let at = 0
  const cpu = process.threadCpuUsage()
  const from = performance.now()
  const lane = async (): Promise<void> => {
    for (let piece = pieces[at++]; piece !== undefined; piece = pieces[at++]) await piece()
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const micros = ((performance.now() - from) * 1_000) / pieces.length
  const { user, system } = process.threadCpuUsage(cpu)
  return { micros, mainMicros: (user + system) / pieces.length }
}

const openSession = async (): Promise<string> => {
  const { challenge } = desk.challenges.forSession(thumbprint)
  const headers = { dpop: proofOf('POST', `${publicUrl}/sessions`) }
  const body = { presentation: present(challenge) }
  const opened = await createSession(desk, { caller: anonymous, params: {}, query: {}, body, headers, publicUrl })
  return (opened.body as { access_token: string }).access_token
}

/** A session's call as it comes over the wire: token and proof are judged, standings looked at, the requirement met. */
const admission = (token: string, proof: string, url: string) => async () => {
  const request = timeId(clock.now())
  const caller = await door.session({ token, dpop: proof, method: 'POST', url, request, renew: () => undefined })
  const entry = { operationId: 'act', requirement, caller, params: {}, body: { note: 'x' }, request }
  const entered = await door.enter(entry)
  if (entered.caller.kind !== 'holder' || Object.keys(entered.caller.matched).length !== run.types.length) {
    throw new Error('the session was not admitted')
  }
}

const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const joseToken = (): Promise<string> =>
  new SignJWT({ cnf: { jkt: thumbprint }, credentials: run.types })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .setIssuer(publicUrl)
    .setAudience(publicUrl)
    .setSubject('holder')
    .setIssuedAt()
    .setExpirationTime('30m')
    .sign(issuer.privateKey)

/** The same by jose as its documentation has it: a signed access token and a proof, nothing kept between calls. */
const joseAdmission = (token: string, proof: string, url: string) => async () => {
  const { payload } = await jwtVerify(token, issuer.publicKey, {
    issuer: publicUrl,
    audience: publicUrl,
    typ: 'at+jwt',
  })
  const shown = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['ES256'], maxTokenAge: '5m' })
  const bound = (payload['cnf'] as { jkt: string }).jkt
  if ((await calculateJwkThumbprint(shown.protectedHeader.jwk ?? {})) !== bound) throw new Error('another key')
  if (shown.payload['ath'] !== sha256(token) || shown.payload['htu'] !== url) throw new Error('another call')
}

const session = async (): Promise<GateResult> => {
  const url = `${publicUrl}/act`
  const token = await openSession()
  const make = (count: number) =>
    Array.from({ length: count }, () => admission(token, proofOf('POST', url, token), url))
  await timed(make(Math.ceil(run.count / 4)), run.inFlight)
  const ours = await timed(make(run.count), run.inFlight)
  const theirs = await joseToken()
  decodeJwt(theirs)
  const peers = (count: number) =>
    Array.from({ length: count }, () => joseAdmission(theirs, proofOf('POST', url, theirs), url))
  await timed(peers(Math.ceil(run.count / 8)), run.inFlight)
  const jose = await timed(peers(Math.ceil(run.count / 2)), run.inFlight)
  return { ...ours, joseMicros: jose.micros }
}

/** Two credentials presented for one act: its challenge, four signatures, every check, the join and the requirement. */
const presentation = async (): Promise<GateResult> => {
  const body = { note: 'x' }
  const bodySha256 = sha256(canonical(body))
  const one = () => {
    const { challenge } = desk.challenges.forAct({ operationId: 'act', params: {}, bodySha256 })
    const presented = { ...body, presentation: present(challenge) }
    return async () => {
      const entry = { operationId: 'act', requirement, caller: anonymous, params: {}, body: presented }
      const { caller } = await door.enter({ ...entry, request: timeId(clock.now()) })
      if (caller.kind !== 'holder') throw new Error('the presentation was not admitted')
    }
  }
  const make = (count: number) => Array.from({ length: count }, one)
  await timed(make(Math.ceil(run.count / 4)), run.inFlight)
  return timed(make(run.count), run.inFlight)
}

answer((await (run.task === 'session' ? session() : presentation())) satisfies GateResult)
