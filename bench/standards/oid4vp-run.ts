import { answer, cpuOf, readInput } from '../child.ts'
import { type Line, openLine } from './line.ts'
import { dcql, type Ephemeral, encrypt, holderOf, type Jwk, newEphemeral, present } from './wallet.ts'

/**
 * Wallets that answer presentation requests over HTTP, as HAIP 1.0 has it: the office asks, the wallet fetches the signed request, and
 * posts an SD-JWT with key binding, encrypted to the key of the request, which is judged with every check: three calls a flow. The key
 * that a wallet encrypts with is made before the clock starts, and serves it for all its answers.
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
/** CPU time of the service, of its main thread, and of the wallets, a flow. */
export type Oid4vpResult = { perSecond: number; cpuMicros: number; mainMicros: number; walletMicros: number }

type Body = Record<string, unknown>

const run = await readInput<Oid4vpRun>()
const { pathname: base } = new URL(run.url)
const holder = holderOf(run.jwk)

type Wallet = { line: Line; ephemeral: Ephemeral }

const post = async ({ line }: Wallet, path: string, body: string, type: string, headers = {}): Promise<string> => {
  const reply = await line.post(path, body, type, headers)
  if (reply.status < 300) return reply.body
  throw new Error(`${path} answered ${reply.status}: ${reply.body}`)
}

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'
const order = JSON.stringify({ purpose: 'a bench', dcql_query: dcql, profile: 'haip' })
const payloadOf = (jwt: string): Body => JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())

const flow = async (wallet: Wallet): Promise<void> => {
  const made = await post(wallet, `${base}/presentation-requests`, order, json, {
    authorization: `Bearer ${run.apiKey}`,
  })
  const { request_uri: uri } = JSON.parse(made) as { request_uri: string }
  const asked = payloadOf(await post(wallet, new URL(uri).pathname, 'wallet_nonce=of-the-wallet', form))
  const {
    client_id: audience,
    nonce,
    state,
    response_uri: to,
    client_metadata: metadata,
  } = asked as Record<string, string>
  const { keys } = (metadata as unknown as { jwks: { keys: Jwk[] } }).jwks
  const shown = present(run.credential, { audience: audience ?? '', nonce: nonce ?? '' }, holder)
  const response = encrypt({ vp_token: { licence: [shown] }, state }, keys[0] ?? {}, wallet.ephemeral)
  await post(wallet, new URL(to ?? '').pathname, `response=${response}`, form)
}

const wallets = await Promise.all(
  Array.from({ length: run.inFlight }, async () => ({ line: await openLine(run.url), ephemeral: newEphemeral() })),
)

const shoot = async (forSeconds: number): Promise<{ flows: number; seconds: number }> => {
  const from = performance.now()
  let flows = 0
  const lane = async (wallet: Wallet): Promise<void> => {
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
const own = process.cpuUsage()
const shot = await shoot(run.seconds)
const after = await cpuOf(run.pid)
const { user, system } = process.cpuUsage(own)
answer({
  perSecond: shot.flows / shot.seconds,
  cpuMicros: (after.allMicros - before.allMicros) / shot.flows,
  mainMicros: (after.mainMicros - before.mainMicros) / shot.flows,
  walletMicros: (user + system) / shot.flows,
} satisfies Oid4vpResult)
