import { hash } from 'node:crypto'
import type { Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import {
  issuanceMissing,
  tokenMissing,
  tokenRevoked,
  tokenUnbound,
  tokenUnknown,
  tokenUnproved,
  tokenWithoutScope,
} from './errors.ts'
import { issuanceOfState } from './grants.ts'
import { digestOfHandle } from './handles.ts'
import type { AuthorizationDesk, ExternalServer, Possession } from './needs.ts'

/** What an access token opens. */
export type Access = {
  /** Names the token; tells nobody what it is. */
  tokenId: string
  /** The prepared issuance that it was given for. */
  issuance: string
  configurationIds: readonly string[]
  /** Handed out as `credential_identifiers`, each with its configuration: then requests name these and no configurations. */
  identifiers?: Readonly<Record<string, string>> | undefined
  /** RFC 7638 thumbprint of the key that it is bound to. */
  thumbprint?: string | undefined
  clientId?: string | undefined
  /**
   * Uses up the proof of possession, in the act's transaction, where the token has to stand still.
   * @throws Refusal unauthenticated/proof_replayed, access_token_revoked
   */
  spend(tx: Tx): Promise<void>
  /** Header fields for the answer: a nonce for the next proof, where there is a new one. */
  headers: Record<string, string>
}

type TokenRow = Row & {
  sha256: string
  state: 'live' | 'used' | 'revoked'
  issuance: string
  configurations: string
  identifiers: number
  thumbprint: string | null
  client: string | null
  expires: number
}

/** What wallets call the one dataset of a configuration that a token opens. */
export const identifierOf = (configurationId: string): string => `${configurationId}:1`

const form = /^(DPoP|Bearer) +([A-Za-z0-9._~+/-]{16,16384}=*)$/i

type Shown = { isBound: boolean; token: string }

const shownIn = (authorization: string | undefined): Shown => {
  if (authorization === undefined) throw tokenMissing()
  const [, scheme = '', token = ''] = form.exec(authorization) ?? []
  if (token === '') throw tokenUnknown()
  return { isBound: scheme.toLowerCase() === 'dpop', token }
}

/** RFC 9449, section 7: a bound token comes with a proof of its key, and an unbound one with none. */
const possess = async (
  desk: AuthorizationDesk,
  { headers }: Context,
  at: { method: string; path: string; token: string; isBound: boolean; thumbprint: string | undefined },
): Promise<Possession | undefined> => {
  const { method, path, token, isBound, thumbprint } = at
  if (isBound !== (thumbprint !== undefined)) throw tokenUnbound()
  if (thumbprint === undefined) return undefined
  const proof = headers['dpop']
  if (proof === undefined) throw tokenUnproved()
  const tokenSha256 = hash('sha256', token, 'base64url')
  const url = `${desk.publicUrl}${path}`
  return desk.dpop.verify(proof, { method, url, tokenSha256, thumbprint, nonce: 'needed' })
}

const spendOf = (
  { spend, newId }: AuthorizationDesk,
  possession: Possession | undefined,
  token?: string,
): Access['spend'] => {
  const owner = newId()
  return async tx => {
    if (token !== undefined) {
      const sql = `SELECT 1 AS one FROM oid4vci_tokens WHERE sha256 = ? AND state = 'live'`
      if ((await tx.query(sql, [token])).length === 0) throw tokenRevoked()
    }
    if (possession !== undefined) await spend(tx, { key: possession.id, owner, expires: possession.expires })
  }
}

const headersOf = (possession: Possession | undefined): Record<string, string> =>
  possession?.nonce === undefined ? {} : { 'DPoP-Nonce': possession.nonce }

type At = { method: string; path: string }

const accessOfOwn = async (desk: AuthorizationDesk, context: Context, shown: Shown, at: At): Promise<Access> => {
  const { store, clock } = desk.house
  const sql = `SELECT sha256, state, issuance, configurations, identifiers, thumbprint, client, expires
    FROM oid4vci_tokens WHERE sha256 = ? AND kind = 'access'`
  const [row] = await store.read<TokenRow>(sql, [digestOfHandle(shown.token)])
  if (row === undefined || Number(row.expires) <= clock.now()) throw tokenUnknown()
  if (row.state !== 'live') throw tokenRevoked()
  const thumbprint = row.thumbprint ?? undefined
  const possession = await possess(desk, context, { ...at, ...shown, thumbprint })
  const configurationIds = JSON.parse(row.configurations) as string[]
  return {
    ...{ tokenId: row.sha256, issuance: row.issuance, configurationIds, thumbprint },
    identifiers:
      Number(row.identifiers) === 0
        ? undefined
        : Object.fromEntries(configurationIds.map(id => [identifierOf(id), id])),
    clientId: row.client ?? undefined,
    spend: spendOf(desk, possession, row.sha256),
    headers: headersOf(possession),
  }
}

/** RFC 9068: which configurations the token opens, and whose issuance it is. */
const accessOfExternal = async (
  desk: AuthorizationDesk,
  context: Context,
  server: ExternalServer,
  { shown, at }: { shown: Shown; at: At },
): Promise<Access> => {
  const token = await server.judge(shown.token)
  const possession = await possess(desk, context, { ...at, ...shown, thumbprint: token.thumbprint })
  if (token.thumbprint === undefined && !desk.authorization.policy.bearer) throw tokenUnbound()
  const opened = [...desk.configurations].flatMap(([id, { scope }]) =>
    token.configurationIds.includes(id) || (scope !== undefined && token.scopes.includes(scope)) ? [id] : [],
  )
  if (opened.length === 0) throw tokenWithoutScope()
  const named = token.issuerState === undefined ? undefined : await issuanceOfState(desk, token.issuerState)
  const issuance =
    named === undefined
      ? token.person && (await desk.issuances.ofPerson(token.person, opened))[0]
      : await desk.issuances.find(named)
  const configurationIds = issuance?.configurationIds.filter(id => opened.includes(id)) ?? []
  if (issuance === undefined || configurationIds.length === 0) throw issuanceMissing()
  return {
    ...{ tokenId: token.id, issuance: issuance.id, configurationIds },
    ...{ thumbprint: token.thumbprint, clientId: token.clientId },
    spend: spendOf(desk, possession),
    headers: headersOf(possession),
  }
}

/**
 * Judges the access token of a call at the endpoints of the issuer (OpenID4VCI 1.0, section 8.2; RFC 6750, RFC 9449).
 * @param at of the operation: its method, and its path below the agency's.
 * @throws Refusal unauthenticated: access_token_missing, access_token_unknown, access_token_revoked, access_token_mismatch, those of
 * DPoP; forbidden/access_token_insufficient
 */
export const accessOf = async (desk: AuthorizationDesk, context: Context, at: At): Promise<Access> => {
  const shown = shownIn(context.headers['authorization'])
  const { external } = desk.authorization
  return external === undefined
    ? accessOfOwn(desk, context, shown, at)
    : accessOfExternal(desk, context, external, { shown, at })
}
