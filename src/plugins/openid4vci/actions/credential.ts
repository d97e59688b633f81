import { createHash, hash } from 'node:crypto'
import { canonical } from '../../../kernel/canonical.ts'
import type { IssuedCredential } from '../../../kernel/identity.ts'
import { type ActRecord, type Asked as AskedAct, perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { type Access, accessOf } from '../authorization/access.ts'
import type { Configuration } from '../configurations.ts'
import type { Desk } from '../desk.ts'
import {
  configurationNotIssued,
  identifierUnknown,
  nonceInvalid,
  requestDenied,
  requestInvalid,
  scopeInsufficient,
} from '../errors.ts'
import { type Issuance, isUsedUp, type Prepared } from '../issuances.ts'
import { endpoints } from '../metadata.ts'
import { requires } from '../policy.ts'
import { addDelivery, type Delivery, deliveryById, isAwaited, notificationIdOf, transactionIdOf } from './deliveries.ts'
import { readMessage, replyTo } from './message.ts'

/**
 * Which configuration is asked for (OpenID4VCI 1.0, section 8.2): by identifier where the token response gave some, else by
 * configuration id.
 * @throws Refusal invalid_credential_request, unknown_credential_identifier, unknown_credential_configuration, insufficient_scope
 */
const configurationOf = (desk: Desk, access: Access, content: Record<string, unknown>): Configuration => {
  const { credential_identifier: identifier, credential_configuration_id: id } = content
  if ((identifier === undefined) === (id === undefined)) {
    throw requestInvalid('Name one of credential_identifier and credential_configuration_id.')
  }
  const { identifiers } = access
  if (identifiers !== undefined) {
    if (id !== undefined) throw requestInvalid('The token response gave credential_identifiers: ask with one of them.')
    const isKnown = typeof identifier === 'string' && Object.hasOwn(identifiers, identifier)
    const named = isKnown ? desk.configurations.get(identifiers[identifier] ?? '') : undefined
    if (named === undefined) throw identifierUnknown()
    return named
  }
  if (id === undefined) {
    throw requestInvalid('The token response gave no credential_identifiers: ask by credential_configuration_id.')
  }
  const configuration = typeof id === 'string' ? desk.configurations.get(id) : undefined
  if (configuration === undefined) throw configurationNotIssued()
  if (!access.configurationIds.includes(configuration.id)) throw scopeInsufficient()
  return configuration
}

/** The prepared issuance that the token opens. @throws Refusal credential_request_denied */
export const openIssuanceOf = async (
  desk: Desk,
  { issuance: id }: Pick<Access, 'issuance'>,
): Promise<Issuance & { prepared: Prepared }> => assertOpen(desk, await desk.book.byId(id))

const assertOpen = (desk: Desk, issuance: Issuance | undefined): Issuance & { prepared: Prepared } => {
  const { prepared } = issuance ?? {}
  if (issuance === undefined || prepared === undefined || !desk.book.isOpen(issuance)) {
    throw requestDenied('What was offered has been collected or withdrawn, or has expired.')
  }
  return { ...issuance, prepared }
}

const isExhausted = ({ collected, times, configurationIds }: Issuance, { id }: Configuration): boolean =>
  (collected[id] ?? 0) >= times || !configurationIds.includes(id)
const exhausted = () => requestDenied('This credential was collected as often as the offer allows.')

/** @throws Refusal credential_request_denied for claims that can no longer be issued */
export const issueTo = async (
  desk: Desk,
  { type, format }: Configuration,
  { claims, validUntil }: Prepared,
  holders: readonly string[],
): Promise<IssuedCredential[]> => {
  const issue = (did: string): Promise<IssuedCredential> =>
    desk.issuance.issue({
      ...{ type: type.id, version: type.version, format, validUntil },
      subject: { ...claims[type.id], id: did },
    })
  try {
    return await Promise.all(holders.map(issue))
  } catch (error) {
    if (!isRefusal(error) || error.kind === 'unavailable') throw error
    throw requestDenied(error.message, error)
  }
}

const credentialOf = ({ format, compact }: Pick<IssuedCredential, 'format' | 'compact'>): unknown =>
  format === 'ldp_vc' ? JSON.parse(compact) : compact

/** Commits the journal record to a credential without telling which. */
export const commit = (record: ActRecord, { compact }: IssuedCredential): void =>
  record.effect(createHash('sha256').update(compact).digest())

/** Nothing of an issuance is kept longer than it can be collected. */
export const concludeIfDone = async (desk: Desk, tx: Tx, issuance: Issuance): Promise<void> => {
  const { id, collected } = issuance
  if (isUsedUp(issuance, collected) && !(await isAwaited(tx, id))) await desk.book.end(tx, id, 'collected')
}

const spendNonces = async (desk: Desk, tx: Tx, nonces: readonly string[], owner: string): Promise<void> => {
  try {
    await Promise.all(nonces.map(nonce => desk.spend(tx, { ...desk.nonces.spending(nonce), owner })))
  } catch (error) {
    if (isRefusal(error) && error.code === 'proof_replayed') throw nonceInvalid(error)
    throw error
  }
}

type Asked = { access: Access; configuration: Configuration; nonces: readonly string[]; digest: string }

/** Locks the issuance and takes one of the times that the configuration may be collected. */
const take = async (desk: Desk, tx: Tx, { configuration, access }: Asked): Promise<Issuance> => {
  const now = await desk.book.lock(tx, access.issuance)
  if (now === undefined || now.state !== 'offered') throw requestDenied('The offer has ended meanwhile.')
  if (isExhausted(now, configuration)) throw exhausted()
  return { ...now, collected: await desk.book.count(tx, now, configuration.id) }
}

/** Either credentials, or the place where they are waited for. */
type Taken = Pick<Delivery, 'id' | 'state' | 'credentials'>

const known = ({ id, state, credentials }: Delivery): Taken => ({ id, state, credentials })

type Holders = readonly { did: string; thumbprint: string }[]

const actOf = (context: Context, { access, configuration }: Asked, holders: Holders): AskedAct => ({
  operation: 'requestCredential',
  requires: requires.anyone,
  caller: context.caller,
  input: {
    ...{ offer: access.issuance, configuration: configuration.id },
    keys: holders.map(({ thumbprint }) => thumbprint),
  },
})

/**
 * In one transaction: the nonces and one of the offer's times are used up, and the credentials are kept. The same request again,
 * with the same proofs, is told what it was told before, and gets nothing new.
 */
const performTaking = (
  desk: Desk,
  act: AskedAct,
  asked: Asked,
  { holders, issued }: { holders: Holders; issued: IssuedCredential[] | undefined },
): Promise<Taken> =>
  perform(desk.house, {
    ...act,
    act: async (tx, record) => {
      const { access, digest, configuration, nonces } = asked
      await access.spend(tx)
      await spendNonces(desk, tx, nonces, digest)
      const before = await deliveryById(tx, digest)
      if (before !== undefined) return known(before)
      const issuance = await take(desk, tx, asked)
      await access.remember(tx)
      const state = issued === undefined ? 'waiting' : 'delivered'
      const credentials = (issued ?? []).map(({ id }) => id)
      for (const each of issued ?? []) {
        desk.issuance.store(tx, each)
        commit(record, each)
      }
      addDelivery(tx, desk.deliveryKeys, {
        ...{ id: digest, issuance: issuance.id, configuration: configuration.id, state, credentials },
        ...{ holders: holders.map(({ did }) => did), at: desk.house.clock.now() },
      })
      await concludeIfDone(desk, tx, issuance)
      return { id: digest, state, credentials }
    },
  })

/** Those that were just issued, or those of before. */
const credentialsOf = async (desk: Desk, { credentials }: Taken, issued: IssuedCredential[] | undefined) => {
  const fresh = new Map(issued?.map(each => [each.id, each]))
  if (credentials.every(id => fresh.has(id))) return issued ?? []
  const found = new Map((await desk.issued(credentials)).map(each => [each.id, each]))
  return credentials.flatMap(id => found.get(id) ?? [])
}

export const waitingBody = (desk: Desk, deliveryId: string): Record<string, unknown> => ({
  transaction_id: transactionIdOf(desk.deliveryKeys.naming, deliveryId),
  interval: desk.policy.deferredIntervalSeconds,
})

export type Collected = Pick<IssuedCredential, 'format' | 'compact'>

export const credentialsBody = (issued: readonly Collected[]): { credential: unknown }[] =>
  issued.map(each => ({ credential: credentialOf(each) }))

const deliveredBody = (desk: Desk, deliveryId: string, issued: readonly Collected[]): Record<string, unknown> => ({
  credentials: credentialsBody(issued),
  notification_id: notificationIdOf(desk.deliveryKeys.naming, deliveryId),
})

/** What the proofs of a request come to, in the order of precedence: token, request, offer, proofs. */
const proven = (desk: Desk, access: Access, configuration: Configuration, proofs: unknown) =>
  desk.keyProofs.judge(proofs, {
    ...{ audience: desk.publicUrl, nonce: desk.nonces.check, client: { id: access.clientId } },
    algorithms: configuration.algorithms,
    attestation: desk.policy.attestation,
    most: desk.policy.batchSize,
  })

/** What is signed to be handed out, and of which issuance as it was read. */
type Signed = { issued: IssuedCredential[]; issuance: Issuance }

/** Signs what may be handed out; undefined for what an officer has to release first, or what was handed out before. */
const issueFor = async (
  desk: Desk,
  { access, configuration, digest }: Asked,
  keys: readonly { did: string }[],
): Promise<Signed | undefined> => {
  const found = await desk.book.asked({ issuance: access.issuance, delivery: digest })
  if (found?.isKnown === true) return undefined
  const issuance = assertOpen(desk, found?.issuance)
  if (isExhausted(issuance, configuration)) throw exhausted()
  if (issuance.release === 'asked') return undefined
  const holders = keys.map(({ did }) => did)
  return { issued: await issueTo(desk, configuration, issuance.prepared, holders), issuance }
}

/** Together with what others collect, where nothing is in the way; else by itself. */
const takeSigned = async (
  desk: Desk,
  act: AskedAct,
  asked: Asked,
  holders: Holders,
  signed?: Signed,
): Promise<Taken> => {
  const { access, configuration, nonces, digest } = asked
  const { issued, issuance } = signed ?? {}
  const { token, proof } = access.uses
  if (issued !== undefined && issuance !== undefined && issuance.release === undefined && token !== undefined) {
    const isCollected = await desk.collect({
      ...{ asked: act, id: digest, issued, taking: { issuance, configurationId: configuration.id, token } },
      uses: [
        ...(proof === undefined ? [] : [proof]),
        ...nonces.map(nonce => ({ ...desk.nonces.spending(nonce), owner: digest })),
      ],
    })
    if (isCollected) return { id: digest, state: 'delivered', credentials: issued.map(({ id }) => id) }
  }
  return performTaking(desk, act, asked, { holders, issued })
}

/** What is asked for, by a digest; of the issuance that the same was asked of before, if it was. */
const identified = async (
  desk: Desk,
  access: Access,
  { id }: Configuration,
  proofs: unknown,
): Promise<Pick<Asked, 'access' | 'digest'>> => {
  const digestFor = (issuance: string) => hash('sha256', canonical([issuance, id, proofs ?? null]), 'base64url')
  for (const issuance of access.issuances.filter(each => each !== access.issuance)) {
    const digest = digestFor(issuance)
    const before = await deliveryById({ query: desk.house.store.read }, digest)
    if (before !== undefined) return { access: { ...access, issuance }, digest }
  }
  return { access, digest: digestFor(access.issuance) }
}

/** Credential endpoint (OpenID4VCI 1.0, section 8). */
export const requestCredential = async (desk: Desk, context: Context): Promise<Answer> => {
  const access = await accessOf(desk, context, { method: 'POST', path: endpoints.credential })
  const message = await readMessage(desk, context)
  const configuration = configurationOf(desk, access, message.content)
  const reply = await replyTo(desk, message, access.headers)
  const { proofs } = message.content
  const { keys, nonces } = await proven(desk, access, configuration, proofs)
  const asked: Asked = { configuration, nonces, ...(await identified(desk, access, configuration, proofs)) }
  const signed = await issueFor(desk, asked, keys)
  const taken = await takeSigned(desk, actOf(context, asked, keys), asked, keys, signed)
  return taken.state === 'waiting'
    ? reply(202, waitingBody(desk, taken.id))
    : reply(200, deliveredBody(desk, taken.id, await credentialsOf(desk, taken, signed?.issued)))
}
