import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { answer, cpuOf, readInput } from '../child.ts'
import { fieldOf, type Line, openLine } from './line.ts'

/**
 * Wallets that collect a driving licence each, over HTTP: the office makes the offer, the wallet takes up its pre-authorised code with
 * a DPoP proof, asks for a nonce, proves a key and gets an SD-JWT VC: four calls a flow. Keys are made before the clock starts; proofs
 * are not, as each answers a nonce of the service.
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
/** CPU time of the service, of its main thread, and of the wallets, a flow. */
export type Oid4vciResult = { perSecond: number; cpuMicros: number; mainMicros: number; walletMicros: number }

type Body = Record<string, unknown>
type Reply = { status: number; body: Body; nonce: string | undefined }

const run = await readInput<Oid4vciRun>()
const { pathname: base } = new URL(run.url)
const configuration = 'DrivingLicence.1.dc_sd_jwt'
const preAuthorized = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

type Wallet = { line: Line; dpop: Key; holder: Key }

const post = async ({ line }: Wallet, path: string, body: string, type: string, headers = {}): Promise<Reply> => {
  const { status, head, body: text } = await line.post(base + path, body, type, headers)
  return { status, body: text === '' ? {} : (JSON.parse(text) as Body), nonce: fieldOf(head, 'dpop-nonce') }
}

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
  { wallet, token }: { wallet: Wallet; token?: string },
): Promise<Reply> => {
  const claims = { htm: 'POST', htu: run.url + path, jti: randomUUID(), iat: seconds(), nonce: dpopNonce }
  const hash = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }
  const { jwk, privateKey } = wallet.dpop
  const dpop = jws({ alg: 'ES256', typ: 'dpop+jwt', jwk }, { ...claims, ...hash }, privateKey)
  const reply = await post(wallet, path, body, type, {
    dpop,
    ...(token === undefined ? {} : { authorization: `DPoP ${token}` }),
  })
  if (reply.nonce !== undefined) dpopNonce = reply.nonce
  return reply.body['error'] === 'use_dpop_nonce'
    ? proved(path, body, type, { wallet, ...(token && { token }) })
    : reply
}

const expectStatus = ({ status, body }: Reply, wanted: number, what: string): Body => {
  if (status !== wanted) throw new Error(`${what} answered ${status}: ${JSON.stringify(body)}`)
  return body
}

const order = JSON.stringify({ credentialConfigurationIds: [configuration], claims: { DrivingLicence: run.claims } })

const flow = async (wallet: Wallet): Promise<void> => {
  const authorization = `Bearer ${run.apiKey}`
  const made = expectStatus(await post(wallet, '/credential-offers', order, json, { authorization }), 201, 'the offer')
  const { grants } = made['credentialOffer'] as { grants: Record<string, Record<string, string>> }
  const code = grants[preAuthorized]?.['pre-authorized_code'] ?? ''
  const asked = new URLSearchParams({ grant_type: preAuthorized, 'pre-authorized_code': code }).toString()
  const given = expectStatus(await proved('/openid4vci/token', asked, form, { wallet }), 200, 'the token')
  const { c_nonce: nonce } = expectStatus(await post(wallet, '/openid4vci/nonce', '', json), 200, 'the nonce')
  const proof = { aud: run.url, iat: seconds(), nonce }
  const jwt = jws(
    { alg: 'ES256', typ: 'openid4vci-proof+jwt', jwk: wallet.holder.jwk },
    proof,
    wallet.holder.privateKey,
  )
  const wanted = JSON.stringify({ credential_configuration_id: configuration, proofs: { jwt: [jwt] } })
  const at = { wallet, token: String(given['access_token']) }
  const got = expectStatus(await proved('/openid4vci/credential', wanted, json, at), 200, 'the credential')
  if ((got['credentials'] as unknown[]).length !== 1) throw new Error('there is no credential')
}

const wallets = await Promise.all(
  Array.from({ length: run.inFlight }, async () => ({
    line: await openLine(run.url),
    dpop: newKey(),
    holder: newKey(),
  })),
)

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
const own = process.cpuUsage()
const before = await cpuOf(run.pid)
const shot = await shoot(run.seconds)
const after = await cpuOf(run.pid)
const used = process.cpuUsage(own)
answer({
  perSecond: shot.flows / shot.seconds,
  cpuMicros: (after.allMicros - before.allMicros) / shot.flows,
  mainMicros: (after.mainMicros - before.mainMicros) / shot.flows,
  walletMicros: (used.user + used.system) / shot.flows,
} satisfies Oid4vciResult)
