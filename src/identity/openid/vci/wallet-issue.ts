import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import { isRecord } from '../../formats/json.ts'
import { decryptJwe, type EncryptionKey, encryptJwe, newEncryptionKey } from '../jwe.ts'
import { type Line, type Reply, refusedBy } from './wallet-line.ts'
import type { Configuration, IssuerFacts } from './wallet-metadata.ts'
import { type BoundKey, type ProofPlan, sealProofs } from './wallet-proofs.ts'
import type { WalletProvider } from './wallet-provider.ts'
import { errorIn, isText, objectIn } from './wallet-reading.ts'
import type { HeldToken } from './wallet-token.ts'

/** What a credential endpoint gives (OpenID4VCI 1.0, sections 8.3 and 9.2): credentials, or when to ask again. */
export type Given =
  | { kind: 'credentials'; credentials: unknown[]; notificationId?: string }
  | { kind: 'deferred'; transactionId: string; intervalSeconds: number }

const intervalMost = 30 * 86_400
const interval = { least: 1, usual: 60 }

const malformed = (detail: string): Refusal => new Refusal('rejected', 'issuer_answer_malformed', detail)

/**
 * A fresh c_nonce (section 7). A nonce for DPoP may come with it, which the line remembers.
 * @throws Refusal rejected/issuer_refused, issuer_answer_malformed
 */
const askNonce = async (line: Line, { nonceEndpoint }: IssuerFacts): Promise<string | undefined> => {
  if (nonceEndpoint === undefined) return undefined
  const reply = await line.post(nonceEndpoint, undefined)
  if (reply.status < 200 || reply.status > 299) throw refusedBy('nonce_endpoint', reply)
  const nonce = objectIn(reply.text, 'answer of the nonce endpoint')['c_nonce']
  if (!isText(nonce)) throw malformed('The nonce endpoint has given no c_nonce.')
  return nonce
}

const deferredIn = (body: Record<string, unknown>): Given => {
  const { transaction_id: transactionId, interval: seconds } = body
  if (!isText(transactionId)) throw malformed('A deferred answer has a transaction_id.')
  const given = typeof seconds === 'number' && seconds > 0 ? Math.ceil(seconds) : interval.usual
  return { kind: 'deferred', transactionId, intervalSeconds: Math.min(Math.max(given, interval.least), intervalMost) }
}

/** @param most credentials: one a key that was proved. */
const readGiven = (status: number, body: Record<string, unknown>, most: number): Given => {
  const { credentials, transaction_id: transactionId, notification_id: notificationId } = body
  if ((transactionId !== undefined) === (credentials !== undefined)) {
    throw malformed('The answer has either credentials or a transaction_id.')
  }
  if (transactionId !== undefined) {
    if (status !== 202) throw malformed('A deferred answer has the status 202.')
    return deferredIn(body)
  }
  if (!Array.isArray(credentials) || credentials.length === 0 || credentials.length > most) {
    throw malformed('The answer has no credentials, or more than keys were proved for.')
  }
  const read = credentials.map((each: unknown) => {
    const credential = isRecord(each) ? each['credential'] : undefined
    if (!isText(credential, 1_048_576) && !isRecord(credential)) throw malformed('An element of credentials has none.')
    return credential
  })
  if (notificationId !== undefined && !isText(notificationId)) throw malformed('The notification_id is no text.')
  return { kind: 'credentials', credentials: read, ...(notificationId === undefined ? {} : { notificationId }) }
}

/** `alg` stands in the key already; issuers of earlier drafts look for it beside it. */
const encryptionTo = ({ publicJwk }: EncryptionKey, enc: string): Record<string, unknown> => ({
  ...{ jwk: publicJwk, alg: publicJwk.alg, enc },
})

/** Sent encrypted wherever the issuer takes it, and with a key for the answer (section 10). */
const sendSealed = async (
  line: Line,
  url: string,
  content: Record<string, unknown>,
  parts: { issuer: IssuerFacts; token: HeldToken },
): Promise<{ reply: Reply; key: EncryptionKey | undefined }> => {
  const { requestEncryption, responseEncryption } = parts.issuer
  if (requestEncryption === undefined) {
    return { reply: await line.post(url, { json: content }, { token: parts.token }), key: undefined }
  }
  const { jwk, enc } = requestEncryption
  const key = responseEncryption === undefined ? undefined : await newEncryptionKey()
  const answer =
    key === undefined ? {} : { credential_response_encryption: encryptionTo(key, responseEncryption?.enc ?? 'A128GCM') }
  const jwt = await encryptJwe({ ...content, ...answer }, { jwk, enc })
  return { reply: await line.post(url, { jwt }, { token: parts.token }), key }
}

/** @throws Refusal rejected/answer_unencrypted, decryption_failed, issuer_answer_malformed */
const openReply = async (reply: Reply, key: EncryptionKey | undefined): Promise<Record<string, unknown>> => {
  if (key === undefined) return objectIn(reply.text, 'credential response')
  if (reply.contentType !== 'application/jwt') {
    const detail = 'The wallet has asked for an encrypted answer, and this one is not encrypted.'
    throw new Refusal('rejected', 'answer_unencrypted', detail)
  }
  const { payload } = await decryptJwe(reply.text.trim(), { key: key.privateJwk, kid: key.publicJwk.kid })
  return payload
}

const isSuccess = ({ status }: Reply): boolean => status === 200 || status === 202

const errorOf = ({ text }: Reply): string => {
  try {
    return errorIn(objectIn(text, 'answer')).error
  } catch (error) {
    if (isRefusal(error)) return ''
    throw error
  }
}

/** How a credential is named in a request (section 8.2): by an identifier of the token, where it has any. */
export type Named = { credential_identifier: string } | { credential_configuration_id: string }

/** What is asked for by one token, a request each. @throws Refusal rejected/configuration_unauthorized */
export const requestsOf = (token: HeldToken, { id }: Configuration): Named[] => {
  if (Object.keys(token.identifiers).length === 0) return [{ credential_configuration_id: id }]
  const identifiers = Object.hasOwn(token.identifiers, id) ? token.identifiers[id] : undefined
  if (identifiers !== undefined) return identifiers.map(each => ({ credential_identifier: each }))
  const detail = 'The token of the issuer is not for this credential.'
  throw new Refusal('rejected', 'configuration_unauthorized', detail, { facts: { configurationId: id.slice(0, 200) } })
}

/**
 * Asks for a credential a key. A nonce that the issuer no longer takes is fetched anew, once (section 8.3.1.2).
 * @throws Refusal rejected/issuer_refused, issuer_answer_malformed, answer_unencrypted, decryption_failed,
 *   unavailable/issuer_unavailable
 */
export const requestCredentials = async (
  line: Line,
  asked: {
    issuer: IssuerFacts
    token: HeldToken
    named: Named
    plan: ProofPlan
    keys: readonly [BoundKey, ...BoundKey[]]
    clientId: string
  },
  by: { provider: WalletProvider | undefined; now: number },
): Promise<Given> => {
  const { issuer, token, named, plan, keys } = asked
  const clientId = token.anonymous ? undefined : asked.clientId
  const once = async () => {
    const nonce = await askNonce(line, issuer)
    const proofs = await sealProofs(keys, plan, { audience: issuer.issuer, nonce, clientId }, by.provider, by.now)
    return sendSealed(line, issuer.credentialEndpoint, { ...named, proofs }, { issuer, token })
  }
  let sent = await once()
  if (!isSuccess(sent.reply) && errorOf(sent.reply) === 'invalid_nonce') sent = await once()
  if (!isSuccess(sent.reply)) throw refusedBy('credential_endpoint', sent.reply)
  return readGiven(sent.reply.status, await openReply(sent.reply, sent.key), keys.length)
}

/** Asks again for what was deferred (section 9). @throws Refusal as above */
export const requestDeferred = async (
  line: Line,
  asked: { issuer: IssuerFacts; token: HeldToken; transactionId: string; keys: number },
): Promise<Given> => {
  const { issuer, token, transactionId, keys } = asked
  if (issuer.deferredEndpoint === undefined) {
    throw malformed('The issuer has deferred the credential, but has no deferred_credential_endpoint.')
  }
  const content = { transaction_id: transactionId }
  const { reply, key } = await sendSealed(line, issuer.deferredEndpoint, content, { issuer, token })
  if (!isSuccess(reply)) throw refusedBy('deferred_credential_endpoint', reply)
  const given = readGiven(reply.status, await openReply(reply, key), keys)
  if (given.kind === 'deferred' && given.transactionId !== transactionId) {
    throw malformed('The issuer has changed the transaction_id (section 9.2).')
  }
  return given
}

export type NotificationEvent = 'credential_accepted' | 'credential_failure' | 'credential_deleted'

/** Tells the issuer what became of the credentials (section 11). @throws Refusal rejected/issuer_refused */
export const notifyIssuer = async (
  line: Line,
  told: { issuer: IssuerFacts; token: HeldToken; notificationId: string; event: NotificationEvent },
): Promise<void> => {
  const { issuer, token, notificationId, event } = told
  if (issuer.notificationEndpoint === undefined) return
  const json = { notification_id: notificationId, event }
  const reply = await line.post(issuer.notificationEndpoint, { json }, { token })
  if (reply.status < 200 || reply.status > 299) throw refusedBy('notification_endpoint', reply)
}
