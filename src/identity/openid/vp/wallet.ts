import { setImmediate } from 'node:timers/promises'
import type { Signer } from '../../../kernel/ports.ts'
import type {
  AnswerCandidate,
  AnswerChoices,
  AskedPresentation,
  ChosenCredential,
  HeldForm,
  PresentationAnswers,
} from '../../../kernel/presentation-answers.ts'
import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import type { FetchBounds, Fetched } from '../../fetch-bounded.ts'
import { isRecord, readJson } from '../../formats/json.ts'
import type { Extended } from '../dcql/facts.ts'
import type { ClaimAnswer } from '../dcql/match.ts'
import { type Candidate, selectCredentials } from '../dcql/select.ts'
import { judgeSets } from '../dcql/sets.ts'
import { describeHeld, type HeldDescription, isSupported } from './held.ts'
import type { ClientTrust } from './request-client.ts'
import { readPresentationRequest } from './request-read.ts'
import { contentOf, cutDown, presentOne, signersOf } from './response-make.ts'

export type WalletNeeds = {
  now(): number
  trust: ClientTrust
  fetch(url: string, bounds: FetchBounds): Promise<Fetched>
  /** Names by which a request may call this wallet. */
  audience: readonly string[]
  httpOrigins: readonly string[]
  /** SD-JWT VC types that a type extends, by its metadata. */
  extended?: Extended
}

const requestType = 'application/oauth-authz-req+jwt'
const requestBytesMost = 65_536
const answerBytesMost = 16_384
/** Credentials that are shown for all queries of a request together; for each query at least one. */
const candidatesMost = 256

/** OpenID4VP 1.0, section 10. Nothing in it tells one holder from another (section 15.7). */
const walletMetadata = {
  issuer: 'https://self-issued.me/v2',
  authorization_endpoint: 'openid4vp:',
  response_types_supported: ['vp_token'],
  response_modes_supported: ['direct_post', 'direct_post.jwt'],
  vp_formats_supported: {
    'dc+sd-jwt': { 'kb-jwt_alg_values': ['ES256'] },
    jwt_vc_json: {},
    ldp_vc: { proof_type_values: ['DataIntegrityProof'] },
    mso_mdoc: { deviceauth_alg_values: [-7, -9] },
    'vc+jwt': {},
  },
  client_id_prefixes_supported: [
    ...['x509_hash', 'x509_san_dns', 'decentralized_identifier', 'verifier_attestation', 'redirect_uri'],
  ],
  request_object_signing_alg_values_supported: ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'],
  authorization_encryption_alg_values_supported: ['ECDH-ES'],
  authorization_encryption_enc_values_supported: ['A128GCM', 'A256GCM'],
}

const formOf = (fields: Record<string, string>): string => new URLSearchParams(fields).toString()
const formType = 'application/x-www-form-urlencoded'

const mediaTypeOf = ({ contentType }: Fetched): string => (contentType?.split(';')[0] ?? '').trim().toLowerCase()

/** Once, without redirects (section 14.7), and never more than a request needs. */
const fetchRequest =
  ({ fetch }: WalletNeeds) =>
  async (url: string, form: Record<string, string> | undefined): Promise<string> => {
    const bounds: FetchBounds = { accept: requestType, maxBytes: requestBytesMost, maxRedirects: 0 }
    const post = form === undefined ? {} : { post: { body: formOf(form), contentType: formType } }
    const fetched = await fetch(url, { ...bounds, ...post })
    if (fetched.status !== 200) {
      const facts = { httpStatus: fetched.status }
      const detail = 'The verifier does not hand out the request; ask it for another.'
      throw new Refusal('rejected', 'request_unavailable', detail, { facts })
    }
    if (mediaTypeOf(fetched) !== requestType) {
      throw new Refusal('rejected', 'request_type', `A request object is sent as ${requestType} (section 5.10.1).`)
    }
    return fetched.body.toString('utf8')
  }

type Selected = { described: Map<string, HeldDescription>; selection: ReturnType<typeof selectCredentials> }

/** A credential that cannot be read by now is none that could be shown. */
const describedOf = (held: readonly HeldForm[], asked: AskedPresentation, extended: Extended): HeldDescription[] =>
  held.flatMap(each => {
    try {
      const described = describeHeld(each, extended)
      return isSupported(each.format, described.algorithms, asked.formats) ? [described] : []
    } catch (error) {
      if (!isRefusal(error)) throw error
      return []
    }
  })

const selectedOf = (asked: AskedPresentation, held: readonly HeldForm[], extended: Extended): Selected => {
  const described = describedOf(held, asked, extended)
  const selection = selectCredentials(
    asked.dcql,
    described.map(({ facts }) => facts),
  )
  return { described: new Map(described.map(each => [each.facts.id, each])), selection }
}

/** Each path once, as it is asked for first: queries of one path say the same once they are read (section 6.1). */
const distinct = (claims: readonly ClaimAnswer[]): ClaimAnswer[] => {
  const byPath = new Map<string, ClaimAnswer>()
  for (const each of claims) {
    const path = JSON.stringify(each.claim.path)
    if (!byPath.has(path)) byPath.set(path, each)
  }
  return [...byPath.values()]
}

const pathsOf = (claims: readonly ClaimAnswer[]): (string | number)[][] =>
  claims.flatMap(({ selected }) => selected.map(({ at }) => at))

const shownValue = (value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : value

const candidateOf = async ({ credential, claims }: Candidate, held: readonly HeldForm[]): Promise<AnswerCandidate> => {
  const form = held.find(({ id }) => id === credential)
  if (form === undefined) throw new Error('a candidate is among those held')
  const asked = distinct(claims)
  const { shown } = await cutDown(form, pathsOf(asked))
  return {
    credential,
    claims: asked.map(({ claim, selected }) => ({
      path: claim.path,
      values: selected.map(({ value }) => shownValue(value)),
      ...(claim.intent_to_retain === undefined ? {} : { retained: claim.intent_to_retain }),
    })),
    shown,
  }
}

const choicesOf = async (
  asked: AskedPresentation,
  held: readonly HeldForm[],
  extended: Extended,
): Promise<AnswerChoices> => {
  const { selection } = selectedOf(asked, held, extended)
  const queries: AnswerChoices['queries'] = []
  const most = Math.max(1, Math.floor(candidatesMost / selection.queries.length))
  for (const { id, multiple, candidates } of selection.queries) {
    const format = asked.dcql.credentials.find(query => query.id === id)?.format ?? ''
    const described: AnswerCandidate[] = []
    // Ids begin with the time: the newest stand last.
    for (const each of candidates.slice(-most)) {
      described.push(await candidateOf(each, held))
      // Cutting a credential down keeps the thread: others have their turn after each.
      await setImmediate()
    }
    queries.push({ id, format, multiple, candidates: described })
  }
  return { satisfiable: selection.satisfiable, queries, wanted: selection.wanted }
}

const unfit = (detail: string): Refusal => new Refusal('rejected', 'presentation_choice', detail)

/** The choice makes up what is asked for, each credential answers its query, and one alone where one is wanted. */
const assertChoice = (asked: AskedPresentation, chosen: readonly ChosenCredential[], { selection }: Selected): void => {
  for (const { query, id } of chosen) {
    const candidates = selection.queries.find(each => each.id === query)?.candidates ?? []
    if (!candidates.some(({ credential }) => credential === id)) {
      throw unfit('A chosen credential does not answer the query that it was chosen for.')
    }
    const same = chosen.filter(each => each.query === query)
    if (new Set(same.map(each => each.id)).size < same.length)
      throw unfit('A credential is chosen twice for one query.')
    const isSeveral = selection.queries.find(each => each.id === query)?.multiple === true
    if (same.length > 1 && !isSeveral) throw unfit('One credential is asked for: choose one for this query.')
  }
  const sets = judgeSets(asked.dcql, new Set(chosen.map(({ query }) => query)))
  if (sets.met) return
  throw unfit(
    sets.missing
      ? 'The choice lacks a credential that is required.'
      : 'The choice has a credential of no set asked for.',
  )
}

const answerOf = async (
  asked: AskedPresentation,
  chosen: readonly ChosenCredential[],
  signing: { signer: Signer; now: number; extended: Extended },
) => {
  const selected = selectedOf(asked, chosen, signing.extended)
  assertChoice(asked, chosen, selected)
  const signers = signersOf(
    asked.transactions,
    chosen.map(({ query }) => query),
  )
  const vpToken: Record<string, unknown[]> = {}
  const presented: { credential: string; query: string; shown: string[] }[] = []
  for (const [index, each] of chosen.entries()) {
    const { query, id } = each
    const candidates = selected.selection.queries.find(one => one.id === query)?.candidates ?? []
    const claims = distinct(candidates.find(({ credential }) => credential === id)?.claims ?? [])
    const cut = await cutDown(each, pathsOf(claims))
    const bound = asked.dcql.credentials.find(one => one.id === query)?.require_cryptographic_holder_binding !== false
    const presenting = { asked, signer: signing.signer, now: signing.now }
    const made = await presentOne({ ...each, ...cut }, signers.get(index) ?? [], bound, presenting)
    vpToken[query] = [...(vpToken[query] ?? []), made]
    presented.push({ credential: id, query, shown: cut.shown })
  }
  return { content: await contentOf(asked, { vp_token: vpToken }), presented }
}

/** A place to go on to; nothing that a browser would run (section 8.2). */
const redirectOf = (body: Record<string, unknown>): string | undefined => {
  const { redirect_uri: uri } = body
  if (typeof uri !== 'string' || uri.length > 4_096 || !URL.canParse(uri)) return undefined
  return /^(javascript|data|vbscript|file|blob|about):/i.test(uri) ? undefined : uri
}

const bodyOf = ({ body }: Fetched): Record<string, unknown> => {
  try {
    const value = readJson(body.toString('utf8'), 'answer')
    return isRecord(value) ? value : {}
  } catch (error) {
    if (!isRefusal(error)) throw error
    return {}
  }
}

/** ASCII of a bearable length, for the holder to read (RFC 6749, section 5.2). */
const errorOf = ({ error }: Record<string, unknown>): string =>
  (typeof error === 'string' || typeof error === 'number' ? String(error) : 'none')
    .replace(/[^\x21-\x7e]/g, '?')
    .slice(0, 64)

const sendTo = async (url: string, form: Record<string, string>, { fetch }: WalletNeeds) => {
  let fetched: Fetched
  try {
    const post = { body: formOf(form), contentType: formType }
    fetched = await fetch(url, { maxBytes: answerBytesMost, maxRedirects: 0, timeoutMs: 15_000, post })
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
    const detail = 'The verifier cannot be reached, or did not answer; try again.'
    throw new Refusal('unavailable', 'verifier_unreachable', detail, { cause })
  }
  const { status } = fetched
  const body = bodyOf(fetched)
  if (status !== 200) {
    const facts = { httpStatus: status, error: errorOf(body) }
    throw new Refusal('rejected', 'verifier_refused', 'The verifier refused the answer.', { facts })
  }
  const redirectUri = redirectOf(body)
  return redirectUri === undefined ? {} : { redirectUri }
}

/** The wallet's side of OpenID4VP 1.0. */
export const openPresentationAnswers = (needs: WalletNeeds): PresentationAnswers => {
  const { trust, audience, httpOrigins, extended = () => [] } = needs
  const prefixes = walletMetadata.client_id_prefixes_supported
  const metadata =
    trust.federation === undefined
      ? walletMetadata
      : { ...walletMetadata, client_id_prefixes_supported: [...prefixes, 'openid_federation'] }
  const reading = {
    ...{ now: needs.now, trust, audience, httpOrigins, walletMetadata: metadata, fetchRequest: fetchRequest(needs) },
  }
  return {
    read: invitation => readPresentationRequest(invitation, reading),
    choices: (asked, held) => choicesOf(asked, held, extended),
    answer: (asked, chosen, signer) => answerOf(asked, chosen, { signer, now: needs.now(), extended }),
    decline: asked => contentOf(asked, { error: 'access_denied' }),
    async send({ responseUri }, form) {
      if (responseUri === undefined) throw new TypeError('an answer to a page is handed to the page')
      return sendTo(responseUri, form, needs)
    },
  }
}
