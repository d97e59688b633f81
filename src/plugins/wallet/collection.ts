import type { JsonWebKey } from 'node:crypto'
import type { CredentialRequest, Grant, OfferedFacts, Talk } from './collecting.ts'
import type { Held } from './credentials.ts'

/** One request for a credential, and what has come of it. Times are milliseconds. */
export type Piece = {
  request: CredentialRequest
  /** A key for each credential that is asked for. */
  keys: { id: string; did: string; jwk: JsonWebKey }[]
  state: 'wanted' | 'deferred' | 'given' | 'received' | 'kept' | 'refused'
  transactionId?: string
  deferredSince?: number
  notBefore?: number
  /** What has come and is not judged yet: the issuer may not give it again. */
  given?: unknown[]
  /** Judged, and waiting to be kept. */
  received?: { id: string; held: Held; did: string }[]
  /** Ids under which they are held. */
  heldIds?: string[]
  notificationId?: string
  /** What the issuer has been told. */
  told?: boolean
  /** The code of the refusal. */
  problem?: string
}

/** A collection as it is sealed: the conversation with the issuer, and each credential's state in it. */
export type Collection = {
  talk: Talk
  /** Why a credential of the offer cannot be collected, by configuration id. */
  unfit: Record<string, string>
  created: number
  txCodeTries: number
  authorizationUrl?: string
  /** Credentials are shown before they are kept. */
  review: boolean
  copies: number
  pieces: Piece[]
  /** Ids of the credentials that a renewal is to replace. */
  replaces?: string[]
}

export type CollectionState =
  | 'offered'
  | 'authorizing'
  | 'collecting'
  | 'deferred'
  | 'received'
  | 'collected'
  | 'failed'

/** Where a collection stands: what is still open outweighs what is done. */
export const stateOf = ({ pieces, authorizationUrl, talk }: Collection): CollectionState => {
  if (pieces.length === 0) {
    if (talk.token !== undefined) return 'collecting'
    return authorizationUrl === undefined ? 'offered' : 'authorizing'
  }
  for (const [state, name] of open) if (pieces.some(piece => piece.state === state)) return name
  return pieces.some(({ state }) => state === 'kept') ? 'collected' : 'failed'
}

const open = [
  ['wanted', 'collecting'],
  ['given', 'collecting'],
  ['received', 'received'],
  ['deferred', 'deferred'],
] as const satisfies readonly (readonly [Piece['state'], CollectionState])[]

const dated = (time: number): string => new Date(time).toISOString()

const offered = ({ id, format, vct, doctype, types, display, claims }: OfferedFacts, unfit: string | undefined) => ({
  ...{ configurationId: id, format, display, claims },
  ...(vct === undefined ? {} : { vct }),
  ...(doctype === undefined ? {} : { doctype }),
  ...(types === undefined ? {} : { types }),
  ...(unfit === undefined ? {} : { refusal: unfit }),
})

const collected = ({ request, state, heldIds = [], received = [], notBefore, problem, told }: Piece) => ({
  ...{ configurationId: request.configurationId, state, heldIds },
  ...(state !== 'received' ? {} : { claims: received.map(({ held }) => held.claims) }),
  ...(notBefore === undefined || state !== 'deferred' ? {} : { retryAt: dated(notBefore) }),
  ...(told === undefined ? {} : { issuerTold: told }),
  ...(problem === undefined ? {} : { problem }),
})

/** Whether nothing of a collection is open any more, nor has the issuer to be told anything of it. */
export const isOver = ({ pieces }: Collection): boolean =>
  pieces.length > 0 &&
  pieces.every(
    ({ state, notificationId, told }) =>
      (state === 'kept' || state === 'refused') && (notificationId === undefined || told === true),
  )

/** What the citizen sees of a collection: never a code, a token or a key. */
export const shownCollection = (id: string, expires: number, collection: Collection) => {
  const { talk, unfit, created, txCodeTries, authorizationUrl, pieces, replaces } = collection
  const { issuer, offer, servers } = talk
  const { txCode } = offer.preAuthorized ?? {}
  return {
    ...{ id, state: stateOf(collection), created: dated(created), expires: dated(expires) },
    issuer: {
      ...{ id: issuer.issuer, display: issuer.display },
      ...(issuer.signedBy === undefined ? {} : { signedBy: issuer.signedBy }),
    },
    offered: issuer.configurations.map(each => offered(each, unfit[each.id])),
    grants: Object.entries(servers).map(([grant, server]) => ({
      ...{ grant: grant as Grant, authorizationServer: server.issuer },
    })),
    ...(txCode === undefined ? {} : { txCode: { ...txCode, tries: txCodeTries } }),
    ...(authorizationUrl === undefined || pieces.length > 0 ? {} : { authorizationUrl }),
    collected: pieces.map(collected),
    renewable: talk.token?.refreshToken !== undefined,
    ...(replaces === undefined ? {} : { replaces }),
  }
}
