import { createHmac } from 'node:crypto'
import type { Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import { openJson, sealJson } from '../../../kernel/sealed.ts'
import { pageUnknown, requestUriUnknown } from './errors.ts'
import { digestOfHandle, sameText } from './handles.ts'
import type { AuthorizationDesk } from './needs.ts'
import { authorizationLifeMs } from './policy.ts'
import type { AuthorizationRequest } from './request.ts'

export type Stage = 'pushed' | 'open' | 'identified' | 'coded' | 'redeemed' | 'burnt' | 'ended'

/** A presentation that was asked for. The secret opens its answer. */
type Asking = { id: string; secret: string; walletUrl: string }
/** One for a wallet on the same device, and one for another where that is allowed: which of them is answered shows later. */
export type Asked = { same: Asking; other: Asking | undefined }

/** An authorization under way. Times are milliseconds. */
export type Authorization = {
  id: string
  uriDigest: string
  stage: Stage
  request: AuthorizationRequest
  sessionDigest: string | undefined
  asked: Asked | undefined
  issuance: string | undefined
  failures: number
  expires: number
}

type RequestRow = Row & {
  id: string
  uri_sha256: string
  stage: Stage
  request: string
  session_sha256: string | null
  sealed: Uint8Array | null
  issuance: string | null
  failures: number
  expires: number
}

const sealingKey = ({ derive }: Pick<AuthorizationDesk, 'derive'>): Buffer => derive('openid4vci identifications')
const contextOf = (id: string): string => `openid4vci identification ${id}`

export const sealAsked = (desk: Pick<AuthorizationDesk, 'derive'>, id: string, asked: Asked): Buffer =>
  sealJson(sealingKey(desk), asked, contextOf(id))

/** @throws Refusal malformed/request_uri_unknown */
export const readAuthorization = async (
  desk: AuthorizationDesk,
  handle: string | undefined,
): Promise<Authorization> => {
  if (handle === undefined) throw requestUriUnknown()
  const { store, clock } = desk.house
  const sql = `SELECT id, uri_sha256, stage, request, session_sha256, sealed, issuance, failures, expires
    FROM oid4vci_requests WHERE uri_sha256 = ?`
  const [row] = await store.read<RequestRow>(sql, [digestOfHandle(handle)])
  if (row === undefined || Number(row.expires) <= clock.now()) throw requestUriUnknown()
  return {
    ...{ id: row.id, uriDigest: row.uri_sha256, stage: row.stage, failures: Number(row.failures) },
    request: JSON.parse(row.request) as AuthorizationRequest,
    sessionDigest: row.session_sha256 ?? undefined,
    asked: row.sealed === null ? undefined : openJson<Asked>(sealingKey(desk), row.sealed, contextOf(row.id)),
    ...{ issuance: row.issuance ?? undefined, expires: Number(row.expires) },
  }
}

/** A browser has a cookie for each authorization, so that two of them do not get into each other's way. */
const cookieName = ({ uriDigest }: Pick<Authorization, 'uriDigest'>): string => `oid4vci_${uriDigest.slice(0, 12)}`

/** Binds an authorization to the browser that began it. */
export const cookieOf = (
  publicUrl: string,
  authorization: Pick<Authorization, 'uriDigest'>,
  secret: string,
): string => {
  const { protocol, pathname } = new URL(publicUrl)
  const bounds = `Path=${pathname.replace(/\/$/, '')}/openid4vci/authorize; Max-Age=${authorizationLifeMs / 1_000}`
  const secure = protocol === 'https:' ? '; Secure' : ''
  return `${cookieName(authorization)}=${secret}; ${bounds}; HttpOnly; SameSite=Lax${secure}`
}

/** @throws Refusal forbidden/authorization_unknown for another browser than the one that began. */
export const sessionOf = ({ headers }: Context, authorization: Authorization): string => {
  const wanted = cookieName(authorization)
  const pairs = (headers['cookie'] ?? '').split(';').map(pair => pair.trim().split('=', 2))
  const secret = pairs.find(([name]) => name === wanted)?.[1]
  const isOwn =
    secret !== undefined &&
    authorization.sessionDigest !== undefined &&
    sameText(digestOfHandle(secret), authorization.sessionDigest)
  if (!isOwn) throw pageUnknown()
  return secret
}

/** What a form of ours carries, and one of another site does not. */
export const formTokenOf = (session: string): string => createHmac('sha256', session).update('form').digest('base64url')
