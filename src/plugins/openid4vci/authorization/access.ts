import { hash } from 'node:crypto'
import type { Context } from '../../../kernel/plugin.ts'
import type { Row, Store, Tx } from '../../../kernel/ports.ts'
import { together } from '../../../kernel/together.ts'
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
import { covers } from './identify.ts'
import type {
  AuthorizationDesk,
  ExternalServer,
  ExternalToken,
  Possession,
  PreparedIssuance,
  Spending,
} from './needs.ts'

/** What an access token opens. */
export type Access = {
  /** Names the token; tells nobody what it is. */
  tokenId: string
  /** The prepared issuance that it opens now. */
  issuance: string
  /** Those whose credentials it collected, and that one: what became of these may be asked and told with it. */
  issuances: readonly string[]
  configurationIds: readonly string[]
  /** Handed out as `credential_identifiers`, each with its configuration: then requests name these and no configurations. */
  identifiers?: Readonly<Record<string, string>> | undefined
  /** RFC 7638 thumbprint of the key that it is bound to. */
  thumbprint?: string | undefined
  clientId?: string | undefined
  /** What a call with it uses up, and the digest of the token that has to stand still then; `spend` does both. */
  uses: { token: string | undefined; proof: Spending | undefined }
  /**
   * Uses up the proof of possession, in the act's transaction, where the token has to stand still.
   * @throws Refusal unauthenticated/proof_replayed, access_token_revoked
   */
  spend(tx: Tx): Promise<void>
  /** Remembers, in the act's transaction, that credentials of its issuance were collected or are waited for with it. */
  remember(tx: Tx): Promise<void>
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

const spendingOf = (
  { spend, newId }: AuthorizationDesk,
  possession: Possession | undefined,
  token?: string,
): Pick<Access, 'uses' | 'spend'> => {
  const proof = possession && { key: possession.id, owner: newId(), expires: possession.expires }
  return {
    uses: { token, proof },
    async spend(tx) {
      if (token !== undefined) {
        const sql = `SELECT 1 AS one FROM oid4vci_tokens WHERE sha256 = ? AND state = 'live'`
        if ((await tx.query(sql, [token])).length === 0) throw tokenRevoked()
      }
      if (proof !== undefined) await spend(tx, proof)
    },
  }
}

const headersOf = (possession: Possession | undefined): Record<string, string> =>
  possession?.nonce === undefined ? {} : { 'DPoP-Nonce': possession.nonce }

type At = { method: string; path: string }

const readers = new WeakMap<Store, (sha256: string) => Promise<TokenRow | undefined>>()

/** Tokens that are asked for while others are read are read together. */
const readerOf = (store: Store): ((sha256: string) => Promise<TokenRow | undefined>) => {
  const known = readers.get(store)
  if (known !== undefined) return known
  const reader = together<string, TokenRow | undefined>(
    sha256 => sha256,
    async digests => {
      const listed = [...digests]
      // Statements are as few as powers of two.
      while (listed.length & (listed.length - 1)) listed.push('')
      const sql = `SELECT sha256, state, issuance, configurations, identifiers, thumbprint, client, expires
        FROM oid4vci_tokens WHERE sha256 IN (${listed.map(() => '?').join(', ')}) AND kind = 'access'`
      const rows = new Map((await store.read<TokenRow>(sql, listed)).map(row => [row.sha256, row]))
      return digests.map(sha256 => rows.get(sha256))
    },
  )
  readers.set(store, reader)
  return reader
}

const accessOfOwn = async (desk: AuthorizationDesk, context: Context, shown: Shown, at: At): Promise<Access> => {
  const { store, clock } = desk.house
  const row = await readerOf(store)(digestOfHandle(shown.token))
  if (row === undefined || Number(row.expires) <= clock.now()) throw tokenUnknown()
  if (row.state !== 'live') throw tokenRevoked()
  const thumbprint = row.thumbprint ?? undefined
  const possession = await possess(desk, context, { ...at, ...shown, thumbprint })
  const configurationIds = JSON.parse(row.configurations) as string[]
  return {
    ...{ tokenId: row.sha256, issuance: row.issuance, issuances: [row.issuance], configurationIds, thumbprint },
    identifiers:
      Number(row.identifiers) === 0
        ? undefined
        : Object.fromEntries(configurationIds.map(id => [identifierOf(id), id])),
    clientId: row.client ?? undefined,
    ...spendingOf(desk, possession, row.sha256),
    remember: async () => undefined,
    headers: headersOf(possession),
  }
}

/** The issuances that a token of another server was used for: this server has no other record of such tokens. */
const usedFor = async (desk: AuthorizationDesk, { id }: ExternalToken): Promise<readonly string[]> => {
  const sql = `SELECT configurations FROM oid4vci_tokens WHERE sha256 = ? AND kind = 'external'`
  const [row] = await desk.house.store.read<{ configurations: string }>(sql, [id])
  return row === undefined ? [] : (JSON.parse(row.configurations) as string[])
}

/** From then on the issuance is taken up: it waits for its wallet, and not for anybody any longer. */
const rememberUse = async (tx: Tx, { id, expires }: ExternalToken, issuance: string): Promise<void> => {
  await tx.query(
    `UPDATE oid4vci_grants SET state = 'spent', expires = CASE WHEN refresh_until > expires THEN refresh_until ELSE expires END
     WHERE id = ? AND state = 'open'`,
    [issuance],
  )
  const added = await tx.query(
    `INSERT INTO oid4vci_tokens (sha256, kind, state, issuance, configurations, identifiers, refresh_until, expires)
     VALUES (?, 'external', 'live', ?, ?, 0, 0, ?) ON CONFLICT (sha256) DO NOTHING RETURNING sha256`,
    [id, issuance, JSON.stringify([issuance]), Math.ceil(expires)],
  )
  if (added.length > 0) return
  const lock = `UPDATE oid4vci_tokens SET state = state WHERE sha256 = ? RETURNING configurations`
  const [row] = await tx.query<{ configurations: string }>(lock, [id])
  const known = JSON.parse(row?.configurations ?? '[]') as string[]
  if (known.includes(issuance)) return
  await tx.query('UPDATE oid4vci_tokens SET configurations = ? WHERE sha256 = ?', [
    JSON.stringify([...known, issuance]),
    id,
  ])
}

/** Which issuance is whose the token is: by the state of an offer, or by who they are. */
const issuanceOfToken = async (
  desk: AuthorizationDesk,
  { issuerState, person }: ExternalToken,
  opened: readonly string[],
): Promise<PreparedIssuance | undefined> => {
  const named = issuerState === undefined ? undefined : await issuanceOfState(desk, issuerState, { taken: true })
  if (named === undefined) return person && (await desk.issuances.ofPerson(person, opened, { taken: true }))[0]
  const issuance = await desk.issuances.find(named)
  // A state stands in the offer unprotected: by itself it says nothing of who brings it.
  const by = issuance?.identifiedBy
  if (by !== undefined && !(person?.type === by.type && covers(person.claims, by.claims))) throw issuanceMissing()
  return issuance
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
  const found = await issuanceOfToken(desk, token, opened)
  const configurationIds = found?.configurationIds.filter(id => opened.includes(id)) ?? []
  // An officer may take longer than a token lives: what waits is waited for with the next one of the same person.
  const awaited = token.person === undefined ? [] : await desk.issuances.awaitedBy(token.person)
  const used = [...new Set([...awaited, ...(await usedFor(desk, token))])]
  // What was collected to its end is nobody's any longer, but may be spoken of.
  const issuance = configurationIds.length === 0 ? used.at(-1) : found?.id
  if (issuance === undefined) throw issuanceMissing()
  // What it was used for may hold others than what it opens now; which of them an issuance holds is judged where they are taken.
  const isNarrow = used.length === 0 && configurationIds.length > 0
  return {
    ...{ tokenId: token.id, issuance, issuances: [...new Set([...used, issuance])] },
    configurationIds: isNarrow ? configurationIds : opened,
    ...{ thumbprint: token.thumbprint, clientId: token.clientId },
    ...spendingOf(desk, possession),
    remember: tx => rememberUse(tx, token, issuance),
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
