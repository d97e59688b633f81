import type {
  PresentationAsked,
  PresentationKey,
  PresentationOutcome,
  PresentationPrepared,
  PresentationRequests,
} from '../../kernel/presentation-requests.ts'
import { type Desk, sameText } from './desk.ts'
import { haipUnmet, requestUnknown, requestUnsuited, returnForbidden } from './errors.ts'
import type { Scheme, SignedPrefix, VerifierInfo } from './needs.ts'
import { haipFormats, requestLifeMostMs, requestLifeMs } from './policy.ts'
import {
  answeredOf,
  expectationOf,
  findRequest,
  newNonce,
  newRequestId,
  type RequestRow,
  requestUriOf,
  responseUriOf,
  shownState,
  type Terms,
  termsContext,
  toldOf,
} from './requests.ts'

/** All that may be asked; what other plugins ask is a part of it. */
export type Asked = Omit<PresentationAsked, 'dcql' | 'responseMode'> & {
  dcql: unknown
  responseMode?: 'direct_post' | 'direct_post.jwt' | undefined
  verifierInfo?: readonly VerifierInfo[] | undefined
  delivery?: 'reference' | 'value' | undefined
  /** How the wallet fetches the request object. @default post, which wallets that do not know it take for get */
  method?: 'get' | 'post' | undefined
  /** As HAIP 1.0 has it, or not at all. */
  haip?: boolean | undefined
  /** Over the Digital Credentials API: which pages ask, and under which client identifiers it is signed. */
  digital?: { origins: readonly string[]; signatures: readonly SignedPrefix[]; encrypted: boolean } | undefined
}

const localHosts = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Our own page to come back to, which has to know for which request. */
const ownReturn = ({ publicUrl }: Desk): string => `${publicUrl}/openid4vp/return`

/** @throws Refusal rejected/return_forbidden */
const assertReturn = (desk: Desk, url: string, byAnybody: boolean): void => {
  const origins = byAnybody ? desk.returnOrigins : desk.origins
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isSafe = parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && localHosts.has(parsed.hostname))
  if (parsed === undefined || !isSafe || !origins.includes(parsed.origin)) throw returnForbidden()
  if (parsed.hash !== '' || parsed.username !== '' || parsed.searchParams.has('response_code')) throw returnForbidden()
}

/** Compared as texts by wallets (OpenID4VP 1.0, appendix A.2), so they are exactly what a browser calls them. */
const assertOrigins = (desk: Desk, origins: readonly string[]): void => {
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin || !desk.origins.includes(origin)) {
      throw returnForbidden()
    }
  }
}

/** HAIP 1.0, section 5: what may differ elsewhere. */
const assertHaip = (terms: Terms): void => {
  const { prefix, responseMode, delivery, dcql, origins } = terms
  const isSigned = origins === undefined || (terms.signatures?.length ?? 0) > 0
  if (isSigned && prefix !== 'x509_hash') throw haipUnmet('HAIP 1.0 has requests signed under x509_hash.')
  if (!responseMode.endsWith('.jwt')) throw haipUnmet('HAIP 1.0 has responses encrypted.')
  if (delivery === 'value') throw haipUnmet('HAIP 1.0 has requests fetched by request_uri.')
  if (dcql.credentials.some(({ format }) => !haipFormats.includes(format))) {
    throw haipUnmet('HAIP 1.0 knows the credential formats dc+sd-jwt and mso_mdoc.')
  }
}

const assertFits = (desk: Desk, { digital, ...asked }: Asked, terms: Terms): void => {
  if (asked.returnTo !== undefined && asked.returnTo !== ownReturn(desk)) {
    assertReturn(desk, asked.returnTo, asked.byAnybody === true)
  }
  if (digital !== undefined) {
    const isOther = [asked.returnTo, asked.responseMode, asked.delivery, asked.clientIdPrefix].some(
      each => each !== undefined,
    )
    if (isOther) throw requestUnsuited('Over the Digital Credentials API a request has origins and signatures only.')
    assertOrigins(desk, digital.origins)
  }
  if (terms.prefix === 'redirect_uri' && digital === undefined) {
    if (asked.delivery === 'reference')
      throw requestUnsuited('A request under redirect_uri is not signed, so it goes by value.')
    if (terms.verifierInfo !== undefined) throw requestUnsuited('verifier_info goes with signed requests.')
  }
  if (terms.haip) assertHaip(terms)
}

const deliveryOf = ({ digital, delivery, clientIdPrefix }: Asked): Terms['delivery'] => {
  if (digital !== undefined) return 'digital'
  return delivery ?? (clientIdPrefix === 'redirect_uri' ? 'value' : 'reference')
}

const modeOf = ({ digital, responseMode = 'direct_post.jwt' }: Asked): Terms['responseMode'] => {
  if (digital === undefined) return responseMode
  return digital.encrypted ? 'dc_api.jwt' : 'dc_api'
}

const returnOf = (desk: Desk, id: string, { returnTo, sameDevice }: Asked): string | undefined => {
  const own = ownReturn(desk)
  if (returnTo !== own && !(returnTo === undefined && sameDevice === true)) return returnTo
  return `${own}?request=${id}`
}

const termsOf = async (desk: Desk, id: string, asked: Asked): Promise<Terms> => {
  const { protocol } = desk
  const { digital, transactionData, verifierInfo, takes } = asked
  const returnTo = returnOf(desk, id, asked)
  const dcql = protocol.readDcql(asked.dcql)
  const prefix = asked.clientIdPrefix ?? digital?.signatures[0] ?? 'x509_hash'
  const isUnsigned = digital !== undefined && digital.signatures.length === 0
  const responseMode = modeOf(asked)
  return {
    purpose: asked.purpose,
    ...{ dcql, prefix, responseMode, delivery: deliveryOf(asked), method: asked.method ?? 'post' },
    nonce: asked.nonce ?? newNonce(),
    haip: asked.haip ?? false,
    // Without a name of its own a page is known by its origin.
    clientId: isUnsigned ? '' : await protocol.clientId(prefix, responseUriOf(desk, id)),
    ...(transactionData === undefined
      ? {}
      : { transactionData: protocol.encodeTransactionData(transactionData, dcql) }),
    ...(verifierInfo === undefined ? {} : { verifierInfo }),
    ...(returnTo === undefined ? {} : { returnTo }),
    ...(takes === undefined ? {} : { takes }),
    ...(digital === undefined ? {} : { origins: digital.origins, signatures: digital.signatures }),
    ...(responseMode.endsWith('.jwt') ? { key: await protocol.newKey() } : {}),
  }
}

export const schemeOf = ({ haip }: Terms): Scheme => (haip ? 'haip-vp' : 'openid4vp')

/** What a wallet is opened with: a link on its own device, a QR code for another. */
export const walletUrlOf = async (
  desk: Desk,
  { id, terms, expires }: { id: string; terms: Terms; expires: number },
): Promise<string> => {
  const { protocol, house } = desk
  const { prefix, clientId, method } = terms
  const scheme = schemeOf(terms)
  if (prefix === 'redirect_uri') return protocol.urls.unsigned(scheme, toldOf(desk, id, terms))
  if (terms.delivery === 'reference') {
    return protocol.urls.byReference(scheme, { clientId, requestUri: requestUriOf(desk, id), method })
  }
  const period = { now: house.clock.now(), expires }
  const object = await protocol.requestObject(toldOf(desk, id, terms), { prefix, clientId }, period)
  return protocol.urls.byValue(scheme, { clientId, object })
}

/** A request that is not stored yet, whoever asks. */
export type Prepared = { id: string; terms: Terms; expires: number; row: RequestRow }

/** @throws Refusal dcql_malformed, invalid_transaction_data, return_forbidden, request_unsuited, haip_unmet, client_id_unsupported */
export const prepare = async (desk: Desk, asked: Asked, asker: 'staff' | 'house'): Promise<Prepared> => {
  const now = desk.house.clock.now()
  const id = newRequestId()
  const terms = await termsOf(desk, id, asked)
  assertFits(desk, asked, terms)
  const expires = Math.min(asked.expires ?? now + requestLifeMs, now + requestLifeMostMs)
  if (expires <= now) throw requestUnsuited('The request would have expired before it is made.')
  const sealed = desk.seal(terms, termsContext(id))
  const state = { state: 'open' as const, answer: null, error: null, failures: 0 }
  desk.sweep()
  desk.held.keep({ id, terms, expires, state: 'open' }, sealed.length)
  return { id, terms, expires, row: { id, asker, ...state, sealed, created: now, expires } }
}

const cookieName = (id: string): string => `presentation_${id}`

/** Binds a request that comes back to our own page to the browser that began it (OpenID4VP 1.0, section 14.2). */
export const cookieOf = (
  desk: Desk,
  { id, terms, expires }: Pick<Prepared, 'id' | 'terms' | 'expires'>,
): string | undefined => {
  if (terms.returnTo?.startsWith(`${ownReturn(desk)}?`) !== true) return undefined
  const { protocol, pathname } = new URL(ownReturn(desk))
  const life = Math.ceil((expires - desk.house.clock.now()) / 1_000)
  const secure = protocol === 'https:' ? '; Secure' : ''
  return `${cookieName(id)}=${desk.names.browser(id)}; Path=${pathname}; Max-Age=${life}; HttpOnly; SameSite=Lax${secure}`
}

/** Whether a browser that comes back is the one that began. */
export const hasBegun = (desk: Desk, id: string, cookies: string | undefined): boolean => {
  const pairs = (cookies ?? '').split(';').map(pair => pair.trim().split('=', 2))
  const shown = pairs.find(([name]) => name === cookieName(id))?.[1]
  return shown !== undefined && sameText(desk.names.browser(id), shown)
}

/** Found by id and secret: nobody learns of a request that is not theirs. */
const findOwn = async (desk: Desk, { id, secret }: PresentationKey) => {
  if (!sameText(desk.names.secret(id), secret)) throw requestUnknown()
  return findRequest(desk, id)
}

/** Whether an answer may be seen: on the same device only by whoever the wallet sent back. */
export const mayOpen = (desk: Desk, { id, terms }: { id: string; terms: Terms }, code: string | undefined): boolean =>
  terms.returnTo === undefined || (code !== undefined && sameText(desk.names.responseCode(id), code))

/** What became of a request. @throws Refusal not_found/presentation_request_unknown */
export const outcome = async (desk: Desk, key: PresentationKey): Promise<PresentationOutcome> => {
  const request = await findOwn(desk, key)
  const state = shownState(request, desk.house.clock.now())
  if (state === 'refused') return { state, error: request.error ?? 'access_denied' }
  if (state !== 'answered') return { state }
  if (!mayOpen(desk, request, key.responseCode)) return { state: 'waiting' }
  return { state, ...answeredOf(desk, request), expected: expectationOf(desk, request.id, request.terms) }
}

/** The verifier as other plugins have it. */
export const presentationRequests = (desk: Desk): PresentationRequests => ({
  async prepare(asked): Promise<PresentationPrepared> {
    const { id, terms, expires, row } = await prepare(desk, asked, 'house')
    return {
      ...{ id, expires, clientId: terms.clientId },
      secret: desk.names.secret(id),
      walletUrl: await walletUrlOf(desk, { id, terms, expires }),
      requestUri: requestUriOf(desk, id),
      cookie: cookieOf(desk, { id, terms, expires }),
      store: tx => tx.insert('presentation_requests', [row]),
    }
  },
  outcome: key => outcome(desk, key),
})
