import { verify, X509Certificate } from 'node:crypto'
import { CompactEncrypt, importJWK } from 'jose'
import { bind, type Held, type Key, newKey, send, sha256, signJwt, type To, walletClock, wrap } from '../../holder.ts'

/** A wallet that is not ours: it knows OpenID4VP 1.0 from the specification alone. */

export type Json = Record<string, unknown>
export type Reply = { status: number; body: Json; type: string }

/** A request as the wallet has read it. */
export type Request = Json & {
  client_id: string
  nonce: string
  state?: string
  response_uri: string
  response_mode: string
  dcql_query: { credentials: { id: string; claims?: { path: string[] }[] }[] }
  client_metadata: { jwks?: { keys: Json[] }; encrypted_response_enc_values_supported?: string[] }
  transaction_data?: string[]
}

export const parametersOf = (walletUrl: string): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(walletUrl.slice(walletUrl.indexOf('?') + 1)))

const replyOf = async (response: Response): Promise<Reply> => {
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  return { status: response.status, type, body: /json/.test(type) ? JSON.parse(text) : { text } }
}

export const postForm = async (url: string, form: Record<string, string>): Promise<Reply> =>
  replyOf(await fetch(url, { method: 'POST', body: new URLSearchParams(form) }))

/** Fetches the request object as its URL says. */
export const fetchRequest = async (walletUrl: string, form: Record<string, string> = {}): Promise<Reply> => {
  const { request_uri: uri = '', request_uri_method: method } = parametersOf(walletUrl)
  return method === 'post' ? postForm(uri, form) : replyOf(await fetch(uri))
}

const decoded = (segment = ''): Json => JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'))

/** Of a request object signed with a certificate: header and payload, once the signature holds. */
export const readObject = (object: string): { header: Json; payload: Request } => {
  const [head = '', body = '', signature = ''] = object.split('.')
  const header = decoded(head)
  const [leaf = ''] = header['x5c'] as string[]
  const { publicKey } = new X509Certificate(Buffer.from(leaf, 'base64'))
  const input = Buffer.from(`${head}.${body}`)
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' as const }
  if (!verify('sha256', input, key, Buffer.from(signature, 'base64url'))) throw new Error('the request is not signed')
  return { header, payload: decoded(body) as Request }
}

/** The request behind a URL, fetched and read. */
export const openRequest = async (walletUrl: string): Promise<Request> => {
  const { status, body } = await fetchRequest(walletUrl)
  if (status !== 200) throw new Error(`no request object: ${JSON.stringify(body)}`)
  return readObject(String(body['text'])).payload
}

export const audienceOf = ({ client_id: audience, nonce: challenge }: Request): To => ({ audience, challenge })

/** As the fixture's holders present, with a claim of transaction data where one is given. */
export const presentSdJwt = (held: Held, to: To, more: Json = {}): string => {
  if (Object.keys(more).length === 0) return bind(held.compact, to, held.key)
  const shown = `${held.compact.split('~').slice(0, -1).join('~')}~`
  const iat = Math.floor(walletClock.now() / 1_000)
  const claims = { aud: to.audience, nonce: to.challenge, iat, sd_hash: sha256(shown), ...more }
  return shown + signJwt({ typ: 'kb+jwt' }, claims, held.key)
}

/** One presentation in the way of its format. */
export const present = (held: Held, to: To): string =>
  held.compact.includes('~') ? presentSdJwt(held, to) : wrap([held.compact], to, held.key)

export const answerOf = (request: Request, presentations: Record<string, unknown[]>): Json => ({
  vp_token: presentations,
  ...(request.state === undefined ? {} : { state: request.state }),
})

export const encrypt = async (payload: Json, jwk: Json, enc = 'A256GCM', header: Json = {}): Promise<string> =>
  new CompactEncrypt(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'ECDH-ES', enc, kid: String(jwk['kid']), ...header })
    .encrypt(await importJWK(jwk, 'ECDH-ES'))

/** Answers as the response mode asks; `jwk` is for wallets that encrypt to somebody else. */
export const answer = async (
  request: Request,
  payload: Json,
  how: { enc?: string; jwk?: Json } = {},
): Promise<Reply> => {
  if (request.response_mode === 'direct_post.jwt') {
    const [own = {}] = request.client_metadata.jwks?.keys ?? []
    const response = await encrypt(payload, how.jwk ?? own, how.enc)
    return postForm(request.response_uri, { response })
  }
  const form = Object.entries(payload).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  return postForm(request.response_uri, Object.fromEntries(form))
}

/** Answers the one query of a request with one credential. */
export const answerWith = async (
  walletUrl: string,
  held: Held,
  make: (held: Held, to: To) => unknown = present,
): Promise<Reply> => {
  const request = await openRequest(walletUrl)
  const [query] = request.dcql_query.credentials
  return answer(request, answerOf(request, { [query?.id ?? '']: [make(held, audienceOf(request))] }))
}

export { type Held, type Key, newKey, send, sha256 as sha256Of, signJwt, type To }
