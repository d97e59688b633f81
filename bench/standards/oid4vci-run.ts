import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { Agent, type IncomingMessage, request as requestHttp } from 'node:http'
import { answer, cpuOf, readInput } from '../child.ts'

/**
 * Wallets that collect a driving licence each, over HTTP: the office makes the offer, the wallet takes up its pre-authorised code with
 * a DPoP proof, asks for a nonce, proves a key and gets an SD-JWT VC. Keys are made before the clock starts; proofs are not.
 */

export type Oid4vciRun = {
  url: string
  apiKey: string
  claims: Record<string, unknown>
  pid: number
  inFlight: number
  seconds: number
  warmSeconds: number
}
export type Oid4vciResult = { perSecond: number; cpuMicros: number; mainMicros: number }

type Body = Record<string, unknown>
type Reply = { status: number; body: Body; nonce: string | undefined }

const run = await readInput<Oid4vciRun>()
const { hostname, port, pathname: base } = new URL(run.url)
const agent = new Agent({ keepAlive: true, maxSockets: run.inFlight })
const configuration = 'DrivingLicence.1.dc_sd_jwt'
const preAuthorized = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

const read = (response: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    response.setEncoding('utf8').on('data', chunk => (text += chunk))
    response.on('end', () => resolve(text)).on('error', reject)
  })

const post = (path: string, body: string, type: string, headers: Record<string, string> = {}): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const sent = { 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers }
    const request = requestHttp({ hostname, port, path: base + path, method: 'POST', agent, headers: sent })
    request.on('error', reject).on('response', response => {
      const nonce = response.headers['dpop-nonce']
      read(response).then(text => {
        const parsed = text === '' ? {} : (JSON.parse(text) as Body)
        resolve({
          status: response.statusCode ?? 0,
          body: parsed,
          nonce: typeof nonce === 'string' ? nonce : undefined,
        })
      }, reject)
    })
    request.end(body)
  })

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const seconds = (): number => Math.floor(Date.now() / 1_000)

const newKey = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  return { jwk: { kty, crv, x, y }, privateKey }
}
type Key = ReturnType<typeof newKey>

const jws = (header: Body, payload: Body, key: KeyObject): string => {
  const input = `${encode(header)}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** What every wallet knows from the last answer it got. */
let dpopNonce: string | undefined

const proved = async (
  path: string,
  body: string,
  type: string,
  { key, token }: { key: Key; token?: string },
): Promise<Reply> => {
  const claims = { htm: 'POST', htu: run.url + path, jti: randomUUID(), iat: seconds(), nonce: dpopNonce }
  const hash = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }
  const dpop = jws({ alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk }, { ...claims, ...hash }, key.privateKey)
  const reply = await post(path, body, type, {
    dpop,
    ...(token === undefined ? {} : { authorization: `DPoP ${token}` }),
  })
  if (reply.nonce !== undefined) dpopNonce = reply.nonce
  return reply.body['error'] === 'use_dpop_nonce' ? proved(path, body, type, { key, ...(token && { token }) }) : reply
}

const expectStatus = ({ status, body }: Reply, wanted: number, what: string): Body => {
  if (status !== wanted) throw new Error(`${what} answered ${status}: ${JSON.stringify(body)}`)
  return body
}

const order = JSON.stringify({ credentialConfigurationIds: [configuration], claims: { DrivingLicence: run.claims } })

const flow = async (wallet: { dpop: Key; holder: Key }): Promise<void> => {
  const authorization = `Bearer ${run.apiKey}`
  const made = expectStatus(await post('/credential-offers', order, json, { authorization }), 201, 'the offer')
  const { grants } = made['credentialOffer'] as { grants: Record<string, Record<string, string>> }
  const code = grants[preAuthorized]?.['pre-authorized_code'] ?? ''
  const asked = new URLSearchParams({ grant_type: preAuthorized, 'pre-authorized_code': code }).toString()
  const given = expectStatus(await proved('/openid4vci/token', asked, form, { key: wallet.dpop }), 200, 'the token')
  const { c_nonce: nonce } = expectStatus(await post('/openid4vci/nonce', '', json), 200, 'the nonce')
  const proof = { aud: run.url, iat: seconds(), nonce }
  const jwt = jws(
    { alg: 'ES256', typ: 'openid4vci-proof+jwt', jwk: wallet.holder.jwk },
    proof,
    wallet.holder.privateKey,
  )
  const wanted = JSON.stringify({ credential_configuration_id: configuration, proofs: { jwt: [jwt] } })
  const at = { key: wallet.dpop, token: String(given['access_token']) }
  const got = expectStatus(await proved('/openid4vci/credential', wanted, json, at), 200, 'the credential')
  if ((got['credentials'] as unknown[]).length !== 1) throw new Error('there is no credential')
}

const wallets = Array.from({ length: run.inFlight }, () => ({ dpop: newKey(), holder: newKey() }))

const shoot = async (forSeconds: number): Promise<{ flows: number; seconds: number }> => {
  const from = performance.now()
  let flows = 0
  const lane = async (wallet: (typeof wallets)[number]): Promise<void> => {
    while (performance.now() - from < forSeconds * 1_000) {
      await flow(wallet)
      flows += 1
    }
  }
  await Promise.all(wallets.map(lane))
  return { flows, seconds: (performance.now() - from) / 1_000 }
}

await shoot(run.warmSeconds)
const before = await cpuOf(run.pid)
const shot = await shoot(run.seconds)
const after = await cpuOf(run.pid)
answer({
  perSecond: shot.flows / shot.seconds,
  cpuMicros: (after.allMicros - before.allMicros) / shot.flows,
  mainMicros: (after.mainMicros - before.mainMicros) / shot.flows,
} satisfies Oid4vciResult)
