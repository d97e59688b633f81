import { Agent, type IncomingMessage, request as requestHttp } from 'node:http'
import { answer, cpuOf, readInput } from '../child.ts'
import { dcql, encrypt, holderOf, type Jwk, present } from './wallet.ts'

/**
 * Wallets that answer presentation requests over HTTP, as HAIP 1.0 has it: the office asks, the wallet fetches the signed request, and
 * posts an SD-JWT with key binding, encrypted to the key of the request, which is judged with every check.
 */

export type Oid4vpRun = {
  url: string
  apiKey: string
  credential: string
  jwk: Jwk
  pid: number
  inFlight: number
  seconds: number
  warmSeconds: number
}
export type Oid4vpResult = { perSecond: number; cpuMicros: number; mainMicros: number }

type Body = Record<string, unknown>

const run = await readInput<Oid4vpRun>()
const { hostname, port, pathname: base } = new URL(run.url)
const agent = new Agent({ keepAlive: true, maxSockets: run.inFlight })
const holder = holderOf(run.jwk)

const read = (response: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    response.setEncoding('utf8').on('data', chunk => (text += chunk))
    response.on('end', () => resolve(text)).on('error', reject)
  })

const post = (path: string, body: string, type: string, headers: Record<string, string> = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = { 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers }
    const request = requestHttp({ hostname, port, path, method: 'POST', agent, headers: sent })
    request.on('error', reject).on('response', response => {
      read(response).then(text => {
        if ((response.statusCode ?? 0) < 300) resolve(text)
        else reject(new Error(`${path} answered ${response.statusCode}: ${text}`))
      }, reject)
    })
    request.end(body)
  })

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'
const order = JSON.stringify({ purpose: 'a bench', dcql_query: dcql, profile: 'haip' })
const payloadOf = (jwt: string): Body => JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())

const flow = async (): Promise<void> => {
  const made = await post(`${base}/presentation-requests`, order, json, { authorization: `Bearer ${run.apiKey}` })
  const { request_uri: uri } = JSON.parse(made) as { request_uri: string }
  const asked = payloadOf(await post(new URL(uri).pathname, 'wallet_nonce=of-the-wallet', form))
  const {
    client_id: audience,
    nonce,
    state,
    response_uri: to,
    client_metadata: metadata,
  } = asked as Record<string, string>
  const { keys } = (metadata as unknown as { jwks: { keys: Jwk[] } }).jwks
  const shown = present(run.credential, { audience: audience ?? '', nonce: nonce ?? '' }, holder)
  const response = encrypt({ vp_token: { licence: [shown] }, state }, keys[0] ?? {})
  await post(new URL(to ?? '').pathname, `response=${response}`, form)
}

const shoot = async (forSeconds: number): Promise<{ flows: number; seconds: number }> => {
  const from = performance.now()
  let flows = 0
  const lane = async (): Promise<void> => {
    while (performance.now() - from < forSeconds * 1_000) {
      await flow()
      flows += 1
    }
  }
  await Promise.all(Array.from({ length: run.inFlight }, lane))
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
} satisfies Oid4vpResult)
