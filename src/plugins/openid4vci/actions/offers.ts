import { randomUUID } from 'node:crypto'
import { canonical } from '../../../kernel/canonical.ts'
import { disclose } from '../../../kernel/disclose.ts'
import { admit } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import { pictureAnswer } from '../../../kernel/picture.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { createGrant, endGrant, type GrantOrder, givenOf } from '../authorization/grants.ts'
import type { IdentifiedBy } from '../authorization/needs.ts'
import type { Configuration } from '../configurations.ts'
import type { Desk } from '../desk.ts'
import {
  claimsMismatch,
  claimsViolateSchema,
  configurationUnknown,
  grantForeign,
  holderGiven,
  identificationBypassed,
  identificationUnsupported,
  offerEnded,
  offerExpiryRefused,
  offerUnknown,
  releaseDecided,
  releaseUnasked,
  txCodeBypassed,
  txCodeUnused,
  validityRefused,
} from '../errors.ts'
import type { Issuance, Prepared } from '../issuances.ts'
import { endpoints } from '../metadata.ts'
import type { IssuableType } from '../needs.ts'
import { collectLifeMost, collectLifeMs, offerLifeMost, offerLifeMs, requires, txCodeLength } from '../policy.ts'
import { deliveriesOf } from './deliveries.ts'

const preAuthorizedGrant = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'
type Grant = 'authorization_code' | typeof preAuthorizedGrant

type TxCode = { length?: number; inputMode?: 'numeric' | 'text'; description?: string }

export type OfferBody = {
  credentialConfigurationIds: string[]
  claims: Record<string, Record<string, unknown>>
  validUntil?: string
  identifiedBy?: IdentifiedBy
  grants?: Grant[]
  txCode?: TxCode
  expires?: string
  collectBy?: string
  times?: number
  release?: 'officer'
}

const dayMs = 86_400_000

/** @throws Refusal credential_configuration_unknown */
const wantedOf = ({ configurations }: Desk, ids: readonly string[]): Configuration[] =>
  ids.map(id => {
    const configuration = configurations.get(id)
    if (configuration === undefined) throw configurationUnknown()
    return configuration
  })

/** Claims are given once a type, in whichever formats it is offered, and fit its schema now, not when they are collected. */
const assertClaims = (types: readonly IssuableType[], { claims }: OfferBody): void => {
  const names = types.map(({ id }) => id)
  if (canonical(Object.keys(claims).sort()) !== canonical([...names].sort())) throw claimsMismatch(names)
  for (const type of types) {
    const given = claims[type.id] ?? {}
    if (Object.hasOwn(given, 'id')) throw holderGiven()
    const problem = type.problemOf(given)
    if (problem !== undefined) throw claimsViolateSchema(type.id, problem)
  }
}

const typesOf = (wanted: readonly Configuration[]): IssuableType[] => {
  const types = [...new Set(wanted.map(({ type }) => type))]
  // The claims of a type are given by its name, so two versions of it cannot be told apart.
  if (new Set(types.map(({ id }) => id)).size < types.length) throw configurationUnknown()
  return types
}

const validUntilOf = (types: readonly IssuableType[], { validUntil }: OfferBody, now: number): number | undefined => {
  if (validUntil === undefined) return undefined
  const time = Date.parse(validUntil)
  const short = types.find(({ validity }) => !(time > now && time <= now + validity.maxDays * dayMs))
  if (short !== undefined) throw validityRefused(short.id, short.validity.maxDays)
  return time
}

/** By which an offer can be taken up that does not say so: never by a grant that asks for less than the offer does. */
const usualGrants = ({ authorization }: Desk, { identifiedBy, txCode }: OfferBody): readonly Grant[] => {
  if (identifiedBy !== undefined || authorization.external !== undefined) return ['authorization_code']
  return txCode === undefined ? ['authorization_code', preAuthorizedGrant] : [preAuthorizedGrant]
}

/** By which the offer can be taken up. @throws Refusal grant_foreign, identification_bypassed, tx_code_unused, tx_code_bypassed */
const grantOf = (desk: Desk, body: OfferBody): Prepared['grant'] => {
  const { identifiedBy, grants, txCode } = body
  const { external } = desk.authorization
  const given = grants ?? usualGrants(desk, body)
  const isPreAuthorized = given.includes(preAuthorizedGrant)
  if (external !== undefined && isPreAuthorized) throw grantForeign()
  if (identifiedBy !== undefined && isPreAuthorized) throw identificationBypassed()
  if (txCode !== undefined && !isPreAuthorized) throw txCodeUnused()
  if (txCode !== undefined && given.includes('authorization_code')) throw txCodeBypassed()
  const { length = txCodeLength.usual, inputMode = 'numeric' } = txCode ?? {}
  return {
    ...(given.includes('authorization_code') ? { authorizationCode: true } : {}),
    ...(isPreAuthorized ? { preAuthorized: txCode === undefined ? {} : { txCode: { length, inputMode } } } : {}),
  }
}

const periodOf = ({ expires, collectBy }: OfferBody, now: number): { expires: number; collectBy: number } => {
  const until = expires === undefined ? now + offerLifeMs : Date.parse(expires)
  const by = collectBy === undefined ? until + collectLifeMs : Date.parse(collectBy)
  if (!(until > now && until <= now + offerLifeMost && by >= until && by <= until + collectLifeMost)) {
    throw offerExpiryRefused()
  }
  return { expires: until, collectBy: by }
}

const orderOf = (
  { id, configurationIds, expires, collectBy }: Pick<Issuance, 'id' | 'configurationIds' | 'expires' | 'collectBy'>,
  grant: Prepared['grant'],
): GrantOrder => ({
  ...{ issuance: id, configurationIds, ...grant, expires, refreshUntil: collectBy },
})

/** A credential offer (OpenID4VCI 1.0, section 4.1.1), and the transaction code that reaches the citizen in another way. */
const offerOf = (
  desk: Desk,
  issuance: Issuance,
  { grant, txCodeDescription: description }: Prepared,
): { offer: Record<string, unknown>; txCode: string | undefined } => {
  const { issuerState, preAuthorizedCode, txCode } = givenOf(desk, orderOf(issuance, grant))
  const form = grant.preAuthorized?.txCode
  const described = form && {
    tx_code: { input_mode: form.inputMode, length: form.length, ...(description && { description }) },
  }
  const offer = {
    credential_issuer: desk.publicUrl,
    credential_configuration_ids: issuance.configurationIds,
    grants: {
      ...(issuerState === undefined ? {} : { authorization_code: { issuer_state: issuerState } }),
      ...(preAuthorizedCode === undefined
        ? {}
        : { [preAuthorizedGrant]: { 'pre-authorized_code': preAuthorizedCode, ...described } }),
    },
  }
  return { offer, txCode }
}

/** Links by which a wallet is told of the offer (section 4.1.2 and 4.1.3; HAIP 1.0, section 4.2). */
const linksOf = (desk: Desk, id: string) => {
  const uri = `${desk.publicUrl}${endpoints.offers}/${desk.book.secretOf(id)}`
  const reference = `credential_offer_uri=${encodeURIComponent(uri)}`
  return {
    credentialOfferUri: uri,
    links: {
      reference: `openid-credential-offer://?${reference}`,
      haip: `haip-vci://?${reference}`,
    },
  }
}

const stateOf = (desk: Desk, issuance: Issuance): Record<string, unknown> => ({
  ...{ id: issuance.id, state: issuance.state, credentialConfigurationIds: issuance.configurationIds },
  ...(issuance.release === undefined ? {} : { release: issuance.release }),
  ...{ created: new Date(issuance.created).toISOString(), expires: new Date(issuance.expires).toISOString() },
  ...{ collectBy: new Date(issuance.collectBy).toISOString(), times: issuance.times, collected: issuance.collected },
  ...{ open: desk.book.isOpen(issuance) && issuance.expires > desk.house.clock.now() },
})

/** Prepares credentials for somebody's wallet. What secrets it has are shown here and in its QR code, and nowhere else. */
export const createCredentialOffer = async (desk: Desk, context: Context): Promise<Answer> => {
  admit(context.caller, requires.offer)
  const body = context.body as OfferBody
  const wanted = wantedOf(desk, body.credentialConfigurationIds)
  const types = typesOf(wanted)
  assertClaims(types, body)
  const { identifiedBy, claims, txCode, times = 1, release } = body
  if (identifiedBy !== undefined && !desk.knownTypes.some(({ id }) => id === identifiedBy.type))
    throw identificationUnsupported()
  const grant = grantOf(desk, body)
  let made: Issuance | undefined
  const { id } = await perform(desk.house, {
    operation: 'createCredentialOffer',
    requires: requires.offer,
    caller: context.caller,
    input: body,
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const now = desk.house.clock.now()
      const validUntil = validUntilOf(types, body, now)
      const asked = release === undefined ? undefined : ('asked' as const)
      const prepared: Prepared = { claims, validUntil, identifiedBy, grant, txCodeDescription: txCode?.description }
      const issuance = {
        ...{ id: randomUUID(), configurationIds: wanted.map(({ id }) => id), times },
        ...{ release: asked, prepared, created: now, ...periodOf(body, now) },
      }
      desk.book.add(tx, issuance)
      createGrant(desk, tx, orderOf(issuance, grant))
      made = { ...issuance, state: 'offered', collected: {} }
      return { id: issuance.id }
    },
  })
  // Made again of the id, so that the record of idempotency needs to hold no codes.
  const issuance = made?.id === id ? made : await desk.book.byId(id)
  if (issuance?.prepared === undefined) throw offerEnded()
  const { offer, txCode: code } = offerOf(desk, issuance, issuance.prepared)
  const { links, credentialOfferUri } = linksOf(desk, id)
  const value = `openid-credential-offer://?credential_offer=${encodeURIComponent(JSON.stringify(offer))}`
  const secrets = { credentialOffer: offer, credentialOfferUri, links: { ...links, value } }
  const headers = { location: `${desk.publicUrl}/credential-offers/${id}` }
  return { status: 201, body: { ...stateOf(desk, issuance), ...secrets, ...(code && { txCode: code }) }, headers }
}

const idOf = ({ params }: Context): string => params['offer'] ?? ''

/** How far it has come, and which credentials were collected. */
export const getCredentialOffer = (desk: Desk, context: Context): Promise<Answer> =>
  disclose(desk.house, {
    operation: 'getCredentialOffer',
    requires: requires.offer,
    caller: context.caller,
    input: { offer: idOf(context) },
    read: async () => {
      const issuance = await desk.book.byId(idOf(context))
      if (issuance === undefined) throw offerUnknown()
      const deliveries = await deliveriesOf(desk.house.store, issuance.id)
      return { status: 200, body: { ...stateOf(desk, issuance), deliveries } }
    },
  })

/** The link of an offer as a picture. It lets whoever reads it take the offer up. */
export const getCredentialOfferQr = (desk: Desk, context: Context): Promise<Answer> =>
  disclose(desk.house, {
    operation: 'getCredentialOfferQr',
    requires: requires.offer,
    caller: context.caller,
    input: { offer: idOf(context) },
    read: async () => {
      const issuance = await desk.book.byId(idOf(context))
      if (issuance === undefined) throw offerUnknown()
      if (!desk.book.isOpen(issuance) || issuance.expires <= desk.house.clock.now()) throw offerEnded()
      const { links } = linksOf(desk, issuance.id)
      return pictureAnswer(
        await desk.qr(context.query['scheme'] === 'haip-vci' ? links.haip : links.reference),
        context.query['format'],
      )
    },
  })

/** What a wallet that was told of it by reference reads (section 4.1.3). Whoever knows the address may have it. */
export const getOfferByReference = async (desk: Desk, context: Context): Promise<Answer> => {
  const issuance = await desk.book.bySecret(context.params['secret'] ?? '')
  const isOpen = issuance !== undefined && desk.book.isOpen(issuance) && issuance.expires > desk.house.clock.now()
  if (!isOpen || issuance.prepared === undefined) throw offerUnknown()
  return { status: 200, body: offerOf(desk, issuance, issuance.prepared).offer }
}

/** Ends an offer. What was collected before stays as it is; it can be revoked like any credential. */
export const withdrawCredentialOffer = async (desk: Desk, context: Context): Promise<Answer> => {
  const offer = idOf(context)
  await perform(desk.house, {
    operation: 'withdrawCredentialOffer',
    requires: requires.offer,
    caller: context.caller,
    input: { offer },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const issuance = await desk.book.lock(tx, offer)
      if (issuance === undefined) throw offerUnknown()
      if (issuance.state === 'withdrawn') return {}
      if (issuance.state !== 'offered') throw offerEnded()
      await desk.book.end(tx, offer, 'withdrawn')
      await endGrant(tx, offer)
      return {}
    },
  })
  return { status: 204 }
}

/** An officer decides on credentials that wait for a release. */
export const releaseCredentialOffer = async (desk: Desk, context: Context): Promise<Answer> => {
  const offer = idOf(context)
  const { decision } = context.body as { decision: 'release' | 'deny' }
  await perform(desk.house, {
    operation: 'releaseCredentialOffer',
    requires: requires.release,
    caller: context.caller,
    input: { offer, decision },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const issuance = await desk.book.lock(tx, offer)
      if (issuance === undefined) throw offerUnknown()
      if (issuance.release === undefined) throw releaseUnasked()
      if (issuance.release === 'given' || issuance.state === 'denied') throw releaseDecided()
      if (issuance.state !== 'offered') throw offerEnded()
      if (decision === 'deny') await desk.book.end(tx, offer, 'denied')
      else await desk.book.release(tx, offer)
      return {}
    },
  })
  const issuance = await desk.book.byId(offer)
  if (issuance === undefined) throw offerUnknown()
  return { status: 200, body: stateOf(desk, issuance) }
}
