import type { Row, Tx } from '../../../kernel/ports.ts'
import { identifierOf } from './access.ts'
import type { Client } from './client.ts'
import { digestOfHandle, newHandle } from './handles.ts'
import type { AuthorizationDesk } from './needs.ts'
import { bearerLifeMs, boundLifeMs, refreshLifeMs } from './policy.ts'

/** What an authorization came to; its tokens are made from it, and fall with it: an issuance is taken up once. */
export type Authorized = {
  issuance: string
  configurationIds: readonly string[]
  /** What a renewed token may open; no less than the token that it comes of (RFC 6749, section 6). @default configurationIds */
  renewable?: readonly string[]
  /** The answer lists `credential_identifiers`. */
  identifiers: boolean
  /** Until when (ms) tokens can be renewed. */
  refreshUntil: number
  /** What was authorized waits for an officer: a token that is bound to no key can be renewed too, and its renewal counts once. */
  waits?: boolean
}

/** RFC 6749, section 5.1; RFC 9449, section 5; OpenID4VCI 1.0, section 6.2. */
export type TokenAnswer = {
  access_token: string
  token_type: 'DPoP' | 'Bearer'
  expires_in: number
  scope?: string
  refresh_token?: string
  authorization_details?: { type: string; credential_configuration_id: string; credential_identifiers: string[] }[]
}

const rowOf = (
  { issuance, configurationIds, renewable = configurationIds, identifiers, refreshUntil }: Authorized,
  client: Client,
  token: { handle: string; kind: 'access' | 'refresh'; expires: number },
): Row => ({
  ...{ sha256: digestOfHandle(token.handle), kind: token.kind, state: 'live', issuance },
  configurations: JSON.stringify(token.kind === 'refresh' ? renewable : configurationIds),
  ...{ identifiers: identifiers ? 1 : 0 },
  ...{ thumbprint: client.possession?.thumbprint ?? null, client: client.id ?? null },
  ...{ instance: client.attested?.instance ?? null, refresh_until: refreshUntil, expires: token.expires },
})

const scopeOf = ({ configurations }: AuthorizationDesk, ids: readonly string[]): string =>
  ids.flatMap(id => configurations.get(id)?.scope ?? []).join(' ')

/**
 * Makes an access token, and one to renew it with where the wallet proved a key that both are bound to, or where it could not
 * collect without one.
 * @param options.refresh whether to give a refresh token.
 */
export const giveTokens = (
  desk: AuthorizationDesk,
  tx: Tx,
  authorized: Authorized,
  { client, refresh }: { client: Client; refresh: boolean },
): TokenAnswer => {
  const now = desk.house.clock.now()
  const isBound = client.possession !== undefined
  const lifeMs = isBound ? boundLifeMs : bearerLifeMs
  const access = newHandle()
  const rows = [rowOf(authorized, client, { handle: access, kind: 'access', expires: now + lifeMs })]
  const isLasting = isBound || authorized.waits === true
  const renewal = refresh && isLasting && authorized.refreshUntil > now + lifeMs ? newHandle() : undefined
  if (renewal !== undefined) {
    rows.push(rowOf(authorized, client, { handle: renewal, kind: 'refresh', expires: authorized.refreshUntil }))
  }
  tx.insert('oid4vci_tokens', rows)
  const scope = scopeOf(desk, authorized.configurationIds)
  return {
    ...{ access_token: access, token_type: isBound ? 'DPoP' : 'Bearer', expires_in: lifeMs / 1_000 },
    ...(scope === '' ? {} : { scope }),
    ...(renewal === undefined ? {} : { refresh_token: renewal }),
    ...(authorized.identifiers
      ? {
          authorization_details: authorized.configurationIds.map(id => ({
            ...{ type: 'openid_credential', credential_configuration_id: id },
            credential_identifiers: [identifierOf(id)],
          })),
        }
      : {}),
  }
}

/** Until when a token of this grant can be renewed. */
export const refreshUntilOf = ({ house }: AuthorizationDesk, refreshUntil: number): number =>
  refreshUntil > 0 ? refreshUntil : house.clock.now() + refreshLifeMs

export const revokeTokens = async (tx: Tx, issuance: string | null): Promise<void> => {
  await tx.query(`UPDATE oid4vci_tokens SET state = 'revoked' WHERE issuance = ? AND state <> 'revoked'`, [issuance])
}
