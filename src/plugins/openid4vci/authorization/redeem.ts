import { hash } from 'node:crypto'
import type { Row, Tx } from '../../../kernel/ports.ts'
import type { Refusal } from '../../../kernel/refusal.ts'
import type { Client } from './client.ts'
import {
  codeBlocked,
  codeEnded,
  codeOfAnother,
  codeUnknown,
  codeUsed,
  keyDiffers,
  redirectDiffers,
  refreshUnknown,
  refreshUsed,
  scopeInvalid,
  txCodeMissing,
  txCodeUnexpected,
  txCodeWrong,
  verifierWrong,
} from './errors.ts'
import { formOf, type GrantRow, grantColumns, txCodeOf } from './grants.ts'
import { digestOfHandle, sameText } from './handles.ts'
import type { AuthorizationDesk } from './needs.ts'
import type { AuthorizationRequest } from './request.ts'
import type { Stage } from './sessions.ts'
import { type Authorized, giveTokens, refreshUntilOf, revokeTokens, type TokenAnswer } from './tokens.ts'

/** A token request, past what every grant has in common. */
export type TokenRequest = {
  client: Client
  /** Of `authorization_details`, where the request has some: less than was authorized, or all of it. */
  detailed: readonly string[] | undefined
}

/**
 * What redeeming came to. A refusal that changes something, such as a try that counts, is an outcome: thrown, it would undo the
 * change.
 */
export type Redeemed = { answer: TokenAnswer } | { refusal: Refusal }

/** OpenID4VCI 1.0, section 6.1.1: a subset of what was authorized may be asked for. @throws Refusal malformed/invalid_scope */
const narrowed = (configurationIds: readonly string[], { detailed }: TokenRequest): readonly string[] => {
  if (detailed === undefined) return configurationIds
  const chosen = configurationIds.filter(id => detailed.includes(id))
  if (chosen.length < detailed.length || chosen.length === 0) throw scopeInvalid()
  return chosen
}

/** The transaction code is judged while its row is locked, so that tries in parallel count one after the other. */
const judgeTxCode = async (
  desk: AuthorizationDesk,
  tx: Tx,
  grant: GrantRow,
  txCode: string | undefined,
): Promise<Refusal | undefined> => {
  if (grant.tx_code === null) {
    if (txCode !== undefined) throw txCodeUnexpected()
    return undefined
  }
  if (txCode === undefined) throw txCodeMissing()
  if (sameText(txCode, txCodeOf(desk, grant.id, formOf(grant.tx_code)))) return undefined
  const sql = `UPDATE oid4vci_grants SET tries = tries - 1, state = CASE WHEN tries <= 1 THEN 'blocked' ELSE state END
    WHERE id = ? RETURNING tries`
  const [row] = await tx.query(sql, [grant.id])
  const triesLeft = Number(row?.['tries'] ?? 0)
  return triesLeft > 0 ? txCodeWrong(triesLeft) : codeBlocked()
}

/** Whether what is taken up has to be released first; of a token that is bound to a key it makes no difference. */
const waitsFor = async (desk: AuthorizationDesk, { client }: TokenRequest, issuance: string): Promise<boolean> =>
  client.possession === undefined && (await desk.issuances.find(issuance))?.waits === true

/** From here on the row stands for the tokens: whoever makes or revokes some of them locks it first, so it outlives them. */
const spendGrant = async (tx: Tx, id: string, refreshUntil: number): Promise<void> => {
  await tx.query(`UPDATE oid4vci_grants SET state = 'spent', expires = ? WHERE id = ?`, [refreshUntil, id])
}

const lockGrant = async (tx: Tx, id: string | null): Promise<GrantRow | undefined> => {
  const sql = `UPDATE oid4vci_grants SET state = state WHERE id = ? RETURNING ${grantColumns}`
  return (await tx.query<GrantRow>(sql, [id]))[0]
}

/**
 * Most codes need nothing else: one statement finds, judges and spends them, for many requests.
 * @returns the grants that were taken up, by the digests of their codes.
 */
export const takeUp = async (
  desk: AuthorizationDesk,
  tx: Tx,
  codes: readonly string[],
): Promise<ReadonlyMap<string, GrantRow>> => {
  // Statements are as few as powers of two.
  const listed = [...codes]
  while (listed.length & (listed.length - 1)) listed.push('')
  const sql = `UPDATE oid4vci_grants SET state = 'spent',
    expires = CASE WHEN refresh_until > 0 THEN refresh_until ELSE ? END
    WHERE code_sha256 IN (${listed.map(() => '?').join(', ')}) AND state = 'open' AND tx_code IS NULL AND expires > ?
    RETURNING code_sha256, ${grantColumns}`
  const values = [refreshUntilOf(desk, 0), ...listed, desk.house.clock.now()]
  const rows = await tx.query<GrantRow & { code_sha256: string }>(sql, values)
  return new Map(rows.map(row => [row.code_sha256, row]))
}

export const preAuthorizedAnswer = (
  desk: AuthorizationDesk,
  tx: Tx,
  request: TokenRequest,
  { grant, waits }: { grant: GrantRow; waits: boolean },
): { answer: TokenAnswer } => {
  const authorized: Authorized = {
    ...{ issuance: grant.id, identifiers: request.detailed !== undefined, waits },
    configurationIds: narrowed(JSON.parse(grant.configurations) as string[], request),
    refreshUntil: refreshUntilOf(desk, Number(grant.refresh_until)),
  }
  return { answer: giveTokens(desk, tx, authorized, { client: request.client, refresh: true }) }
}

/**
 * Pre-authorized codes (OpenID4VCI 1.0, sections 4.1.1 and 6.1), which count once. A second use revokes nothing: the code stands
 * in a QR code, and whoever sees that later could take from the citizen what they have.
 */
export const redeemPreAuthorized = async (
  desk: AuthorizationDesk,
  tx: Tx,
  request: TokenRequest,
  { code, txCode }: { code: string; txCode: string | undefined },
): Promise<Redeemed> => {
  const code256 = digestOfHandle(code)
  const taken = txCode === undefined ? (await takeUp(desk, tx, [code256])).get(code256) : undefined
  if (taken !== undefined) {
    return preAuthorizedAnswer(desk, tx, request, { grant: taken, waits: await waitsFor(desk, request, taken.id) })
  }
  const lock = `UPDATE oid4vci_grants SET state = state WHERE code_sha256 = ? RETURNING ${grantColumns}`
  const [grant] = await tx.query<GrantRow>(lock, [code256])
  if (grant === undefined) throw codeUnknown()
  if (grant.state === 'spent') throw codeUsed()
  if (grant.state === 'blocked') throw codeBlocked()
  if (grant.state === 'ended') throw codeEnded()
  if (Number(grant.expires) <= desk.house.clock.now()) throw codeUnknown()
  const refusal = await judgeTxCode(desk, tx, grant, txCode)
  if (refusal !== undefined) return { refusal }
  await spendGrant(tx, grant.id, refreshUntilOf(desk, Number(grant.refresh_until)))
  return preAuthorizedAnswer(desk, tx, request, { grant, waits: await waitsFor(desk, request, grant.id) })
}

type CodeRow = Row & { id: string; stage: Stage; request: string; issuance: string | null; code_expires: number }

/** What the code was given for, against who brings it: the wallet, its key, its address, its PKCE verifier. */
const misused = (
  { client }: TokenRequest,
  authorized: AuthorizationRequest,
  given: { verifier: string; redirectUri: string },
): Refusal | undefined => {
  if (client.id !== authorized.clientId) return codeOfAnother()
  if (authorized.instance !== undefined && authorized.instance !== client.attested?.instance) return codeOfAnother()
  if (given.redirectUri !== authorized.redirectUri) return redirectDiffers()
  if (!sameText(hash('sha256', given.verifier, 'base64url'), authorized.challenge)) return verifierWrong()
  const isKeyOfRequest = authorized.thumbprint === undefined || authorized.thumbprint === client.possession?.thumbprint
  return isKeyOfRequest ? undefined : keyDiffers()
}

const burn = async (tx: Tx, id: string): Promise<void> => {
  await tx.query(`UPDATE oid4vci_requests SET stage = 'burnt' WHERE id = ?`, [id])
}

/**
 * Authorization codes (RFC 6749, section 4.1.3; RFC 7636, section 4.6). A code counts once, also for whoever cannot prove that it is
 * theirs; a second use revokes what the first one gave (RFC 6749, section 4.1.2).
 */
export const redeemCode = async (
  desk: AuthorizationDesk,
  tx: Tx,
  request: TokenRequest,
  given: { code: string; verifier: string; redirectUri: string },
): Promise<Redeemed> => {
  const lock = `UPDATE oid4vci_requests SET failures = failures WHERE code_sha256 = ?
    RETURNING id, stage, request, issuance, code_expires`
  const [row] = await tx.query<CodeRow>(lock, [digestOfHandle(given.code)])
  if (row === undefined) throw codeUnknown()
  if (row.stage !== 'coded') {
    await burn(tx, row.id)
    if (row.stage === 'redeemed') {
      await lockGrant(tx, row.issuance)
      await revokeTokens(tx, row.issuance)
    }
    return { refusal: codeUsed() }
  }
  if (Number(row.code_expires) <= desk.house.clock.now()) throw codeUnknown()
  const authorized = JSON.parse(row.request) as AuthorizationRequest
  const wrong = misused(request, authorized, given)
  if (wrong !== undefined) {
    await burn(tx, row.id)
    return { refusal: wrong }
  }
  const grant = await lockGrant(tx, row.issuance)
  // What a transaction code protects is had by no code without it.
  const isOpen = grant?.state === 'open' && grant.tx_code === null && Number(grant.expires) > desk.house.clock.now()
  if (grant === undefined || !isOpen) {
    await burn(tx, row.id)
    return { refusal: codeEnded() }
  }
  const held = JSON.parse(grant.configurations) as string[]
  const configurationIds = narrowed(
    authorized.configurationIds.filter(id => held.includes(id)),
    request,
  )
  await tx.query(`UPDATE oid4vci_requests SET stage = 'redeemed' WHERE id = ?`, [row.id])
  const identifiers = authorized.details || request.detailed !== undefined
  const refreshUntil = refreshUntilOf(desk, Number(grant.refresh_until))
  await spendGrant(tx, grant.id, refreshUntil)
  const waits = await waitsFor(desk, request, grant.id)
  const tokens: Authorized = { issuance: grant.id, configurationIds, identifiers, refreshUntil, waits }
  return { answer: giveTokens(desk, tx, tokens, { client: request.client, refresh: true }) }
}

type RefreshRow = Row & {
  state: 'live' | 'used' | 'revoked'
  issuance: string
  configurations: string
  identifiers: number
  thumbprint: string | null
  client: string | null
  instance: string | null
  refresh_until: number
  expires: number
}

/**
 * Refresh tokens (RFC 6749, section 6; RFC 9449, section 5; attestation draft 07, section 12.3): for the same wallet with the same
 * keys, or without any where none was asked for. Each counts once, and one that comes again revokes all of its authorization
 * (RFC 9700, section 4.14); under HAIP 1.0 they stay as they are, as FAPI 2.0 wants it of tokens that are bound to a key.
 */
export const redeemRefresh = async (
  desk: AuthorizationDesk,
  tx: Tx,
  request: TokenRequest,
  token: string,
): Promise<Redeemed> => {
  const { client } = request
  const lock = `UPDATE oid4vci_tokens SET state = state WHERE sha256 = ? AND kind = 'refresh'
    RETURNING state, issuance, configurations, identifiers, thumbprint, client, instance, refresh_until, expires`
  const sha256 = digestOfHandle(token)
  const known = await tx.query<RefreshRow>(`SELECT issuance FROM oid4vci_tokens WHERE sha256 = ?`, [sha256])
  if (known[0] === undefined) throw refreshUnknown()
  const grant = await lockGrant(tx, known[0].issuance)
  if (grant === undefined || grant.state === 'ended') throw refreshUnknown()
  const [row] = await tx.query<RefreshRow>(lock, [sha256])
  if (row === undefined || row.state === 'revoked') throw refreshUnknown()
  if (row.thumbprint !== (client.possession?.thumbprint ?? null)) throw keyDiffers()
  if (row.client !== (client.id ?? row.client) || row.instance !== (client.attested?.instance ?? null)) {
    throw codeOfAnother()
  }
  if (row.state === 'used') {
    await revokeTokens(tx, row.issuance)
    return { refusal: refreshUsed() }
  }
  if (Number(row.expires) <= desk.house.clock.now()) throw refreshUnknown()
  const { haip } = desk.authorization.policy
  if (!haip) await tx.query(`UPDATE oid4vci_tokens SET state = 'used' WHERE sha256 = ?`, [sha256])
  const renewable = JSON.parse(row.configurations) as string[]
  const authorized: Authorized = {
    ...{ issuance: row.issuance, refreshUntil: Number(row.refresh_until), renewable, waits: row.thumbprint === null },
    configurationIds: narrowed(renewable, request),
    identifiers: Number(row.identifiers) !== 0 || request.detailed !== undefined,
  }
  return { answer: giveTokens(desk, tx, authorized, { client, refresh: !haip }) }
}
