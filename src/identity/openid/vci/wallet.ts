import type { JsonWebKey } from 'node:crypto'
import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import { encryptionThumbprint } from '../jwe.ts'
import { beginAuthorization, type PendingAuthorization, readAuthorizationResponse } from './wallet-authorize.ts'
import {
  type Given,
  type Named,
  type NotificationEvent,
  notifyIssuer,
  requestCredentials,
  requestDeferred,
  requestsOf,
} from './wallet-issue.ts'
import { newOwnKey, ownKeyOf } from './wallet-keys.ts'
import { openLine, type Reach } from './wallet-line.ts'
import { type Configuration, type IssuerFacts, readIssuerMetadata } from './wallet-metadata.ts'
import { type Offer, readOffer, readOfferLink, readOfferText } from './wallet-offer.ts'
import { type BoundKey, planProof } from './wallet-proofs.ts'
import { objectIn, serverMetadataUrl, wellKnown } from './wallet-reading.ts'
import { type Grant, grantsOf, readServerMetadata, type ServerFacts, serversFor, serves } from './wallet-server.ts'
import { type MetadataTrust, openSignedMetadata } from './wallet-signed-metadata.ts'
import { assertTxCode, type HeldToken, redeemCode, redeemPreAuthorized, refresh } from './wallet-token.ts'

/**
 * A wallet's conversation with one credential issuer, from the offer to the last credential: plain data, secrets among
 * them, which whoever holds it seals between two steps.
 */
export type Talk = {
  offer: Offer
  issuer: IssuerFacts
  /** The authorization server for each grant that can be taken. */
  servers: Partial<Record<Grant, ServerFacts>>
  /** Which the citizen has chosen. */
  chosen?: { grant: Grant; ids: string[] }
  keys?: { dpopKey?: JsonWebKey; instanceKey?: JsonWebKey }
  pending?: PendingAuthorization
  token?: HeldToken
}

/** One request to the credential endpoint. */
export type Request = { configurationId: string; named: Named }

/** What a credential has to be when it comes. */
export type Expected = {
  format: string
  method: 'did:key' | 'did:jwk'
  most: number
  vct?: string
  doctype?: string
  types?: string[]
}

export type HolderKeyPair = { did: string; privateJwk: JsonWebKey }

export type CollectorOptions = Reach & {
  trust: MetadataTrust
  /** Asks for signed metadata and takes no others. @default false */
  signedMetadata?: boolean | undefined
}

/** Who an issuer is says its own host, and nobody whom it sends readers on to. */
const metadataBounds = { maxBytes: 524_288, maxRedirects: 0 }
const offerBytes = 16_384
const serversAsked = 5
/** A token that ends sooner is renewed before it is used. */
const tokenSlackMs = 10_000

const formats = new Set(['dc+sd-jwt', 'jwt_vc_json', 'jwt_vc_json-ld', 'ldp_vc', 'vc+jwt', 'mso_mdoc'])

/** What a configuration must say of its format (OpenID4VCI 1.0, appendix A). @throws Refusal configuration_unsupported */
const assertDescribed = ({ id, format, vct, doctype, types }: Configuration): void => {
  const fail = (detail: string): never => {
    const facts = { configurationId: id.slice(0, 200) }
    throw new Refusal('rejected', 'configuration_unsupported', detail, { facts })
  }
  if (!formats.has(format)) fail('The credential is of a format that this wallet does not keep.')
  if (format === 'dc+sd-jwt' && vct === undefined) fail('The issuer’s metadata do not name the vct of the credential.')
  if (format === 'mso_mdoc' && doctype === undefined) fail('The issuer’s metadata do not name the doctype of the mdoc.')
  if (/^(jwt_vc_json|ldp_vc)/.test(format) && types === undefined) {
    fail('The issuer’s metadata do not name the types of the credential.')
  }
}

const mediaType = (contentType: string | undefined): string =>
  (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''

/** Fetches what a talk begins with. */
const openReading = (options: CollectorOptions) => {
  const { fetch, trust, signedMetadata = false } = options

  const offerAt = async (reference: string): Promise<Offer> => {
    const { contentType, body } = await fetch(reference, { maxBytes: offerBytes })
    if (mediaType(contentType) === 'application/json') return readOfferText(body.toString('utf8'))
    throw new Refusal('malformed', 'offer_malformed', 'What stands at credential_offer_uri is not application/json.')
  }

  /** OpenID4VCI 1.0, section 12.2.2. */
  const issuerAt = async (issuer: string, ids: readonly string[]): Promise<IssuerFacts> => {
    const accept = signedMetadata ? 'application/jwt' : 'application/json, application/jwt;q=0.5'
    const url = wellKnown(issuer, 'openid-credential-issuer')
    const { contentType, body } = await fetch(url, { ...metadataBounds, accept })
    const text = body.toString('utf8').trim()
    if (mediaType(contentType) === 'application/jwt') {
      const { metadata, signedBy } = await openSignedMetadata(text, issuer, trust)
      return { ...readIssuerMetadata(metadata, issuer, ids), signedBy }
    }
    if (signedMetadata) {
      const detail = 'The issuer gives no signed metadata, and this wallet takes no others.'
      throw new Refusal('rejected', 'metadata_signature_refused', detail)
    }
    return readIssuerMetadata(objectIn(text, 'issuer metadata'), issuer, ids)
  }

  const serverAt = async (issuer: string): Promise<ServerFacts> => {
    const { body } = await fetch(serverMetadataUrl(issuer), metadataBounds)
    return readServerMetadata(objectIn(body.toString('utf8'), 'authorization server metadata'), issuer)
  }

  /** Of several servers the first that serves the grant; a single one has to be reached. */
  const serverFor = async (candidates: readonly string[], grant: Grant): Promise<ServerFacts | undefined> => {
    for (const [at, candidate] of candidates.slice(0, serversAsked).entries()) {
      try {
        const server = await serverAt(candidate)
        if (serves(server, grant)) return server
      } catch (error) {
        if (!isRefusal(error) || at === candidates.length - 1) throw error
      }
    }
    return undefined
  }

  return { offerAt, issuerAt, serverFor }
}

const configurationOf = ({ issuer }: Talk, id: string): Configuration => {
  const found = issuer.configurations.find(each => each.id === id)
  if (found !== undefined) return found
  const facts = { configurationId: id.slice(0, 200) }
  throw new Refusal('rejected', 'configuration_unknown', 'The issuer has not offered a credential of that id.', {
    facts,
  })
}

const routeOf = (talk: Talk, grant: Grant): ServerFacts => {
  const server = talk.servers[grant]
  if (server !== undefined) return server
  throw new Refusal('rejected', 'grant_unsupported', 'The issuer does not offer this way to the credential.')
}

const serverOf = (talk: Talk): ServerFacts => routeOf(talk, talk.chosen?.grant ?? 'pre-authorized')

const tokenOf = ({ token }: Talk): HeldToken => {
  if (token === undefined) throw new TypeError('no token has been fetched in this conversation')
  return token
}

const attesterAlgorithm = async ({ provider }: Reach): Promise<string | undefined> => (await provider?.key())?.algorithm

/** What cannot be collected, and why, by configuration id. */
const judgeConfigurations = async (
  options: Reach,
  configurations: readonly Configuration[],
): Promise<Map<string, Refusal>> => {
  const attester = await attesterAlgorithm(options)
  const unfit = new Map<string, Refusal>()
  for (const configuration of configurations) {
    try {
      assertDescribed(configuration)
      planProof(configuration, attester)
    } catch (error) {
      if (!isRefusal(error)) throw error
      unfit.set(configuration.id, error)
    }
  }
  return unfit
}

const lineOf = (options: Reach, talk: Talk) => openLine(options, talk.keys ?? {})

const askingOf = ({ clientId, clock }: Reach, talk: Talk) => ({
  ...{ issuer: talk.issuer, server: serverOf(talk), clientId, now: clock.now() },
  attested: talk.keys?.instanceKey !== undefined,
})

const renewed = async (options: Reach, talk: Talk): Promise<Talk> => ({
  ...talk,
  token: await refresh(lineOf(options, talk), askingOf(options, talk), tokenOf(talk)),
})

/** With a token that lasts, as long as the server gives one. A refresh token is good for one use: the new one is to be kept. */
const lasting = async (options: Reach, talk: Talk): Promise<Talk> => {
  const { expires, refreshToken } = tokenOf(talk)
  const isLasting = expires === undefined || expires > options.clock.now() + tokenSlackMs
  return isLasting || refreshToken === undefined ? talk : renewed(options, talk)
}

/** What is left of a conversation that has come to its end: a refresh token with its key, if there is one. */
const ended = (talk: Talk): Talk => {
  const { token, keys, pending: _pending, ...rest } = talk
  const { preAuthorized } = talk.offer
  const used = preAuthorized === undefined ? {} : { preAuthorized: { ...preAuthorized, code: '' } }
  const kept: Talk = { ...rest, offer: { ...talk.offer, ...used } }
  if (token?.refreshToken === undefined) return kept
  return { ...kept, ...(keys === undefined ? {} : { keys }), token: { ...token, value: '', expires: 0 } }
}

/** What the citizen has chosen, with keys for this conversation alone. @throws Refusal wallet_attestation_unavailable */
const choose = async (options: Reach, talk: Talk, grant: Grant, ids: readonly string[] | undefined): Promise<Talk> => {
  const server = routeOf(talk, grant)
  const unfit = await judgeConfigurations(options, talk.issuer.configurations)
  const chosen = ids === undefined ? talk.offer.configurationIds.filter(id => !unfit.has(id)) : [...new Set(ids)]
  for (const id of chosen) {
    configurationOf(talk, id)
    const refusal = unfit.get(id)
    if (refusal !== undefined) throw refusal
  }
  if (server.attestation === 'needed' && options.provider === undefined) {
    const detail = 'The authorization server asks for a wallet attestation, and this service attests none.'
    throw new Refusal('rejected', 'wallet_attestation_unavailable', detail)
  }
  const attested = options.provider !== undefined && server.attestation !== 'unknown'
  const keys = {
    ...(server.dpop ? { dpopKey: (await newOwnKey()).privateJwk } : {}),
    ...(attested ? { instanceKey: (await newOwnKey()).privateJwk } : {}),
  }
  return { ...talk, chosen: { grant, ids: chosen }, keys: talk.keys ?? keys }
}

/** Whoever comes by themselves says what an offer would (section 3.4). @throws Refusal offer_malformed */
const wishOf = ({ issuer, configurationIds }: { issuer: string; configurationIds: string[] }): Offer =>
  readOffer({ credential_issuer: issuer, credential_configuration_ids: configurationIds })

const openDiscovery = (options: CollectorOptions) => {
  const reading = openReading(options)
  return {
    /**
     * Reads an offer, or what an issuer has for those who come by themselves, and everything that has to be known of it.
     * @throws Refusal offer_malformed, url_forbidden, fetch_failed, issuer_metadata_refused, server_metadata_refused,
     *   metadata_signature_refused, configuration_unknown, configuration_unsupported, grant_unsupported,
     *   authorization_server_unknown, key_attestation_unavailable
     */
    async read(handed: { offer: string } | { issuer: string; configurationIds: string[] }) {
      const link = 'offer' in handed ? readOfferLink(handed.offer) : { offer: wishOf(handed) }
      const offer: Offer = 'reference' in link ? await reading.offerAt(link.reference) : link.offer
      const issuer = await reading.issuerAt(offer.issuer, offer.configurationIds)
      const unfit = await judgeConfigurations(options, issuer.configurations)
      const [first] = unfit.values()
      if (first !== undefined && unfit.size === issuer.configurations.length) throw first
      const servers: Talk['servers'] = {}
      for (const grant of grantsOf(offer)) {
        const server = await reading.serverFor(serversFor(offer, grant, issuer), grant)
        if (server !== undefined) servers[grant] = server
      }
      if (Object.keys(servers).length === 0) {
        const detail = 'No authorization server of the issuer serves a grant that this wallet knows.'
        throw new Refusal('rejected', 'grant_unsupported', detail)
      }
      const talk: Talk = { offer, issuer, servers }
      return { talk, unfit: Object.fromEntries([...unfit].map(([id, { code }]) => [id, code])) }
    },
  }
}

const openAuthorizing = (options: Reach) => ({
  /** Redeems the pre-authorised code. @throws Refusal tx_code_missing, tx_code_form, tx_code_refused, issuer_refused */
  async redeem(talk: Talk, wish: { ids?: string[] | undefined; txCode?: string | undefined }): Promise<Talk> {
    const grant = talk.offer.preAuthorized
    assertTxCode(wish.txCode, grant?.txCode)
    const ready = await choose(options, talk, 'pre-authorized', wish.ids)
    const chosen = ready.chosen?.ids ?? []
    const isSome = chosen.length < talk.offer.configurationIds.length
    const some = isSome ? chosen.map(id => configurationOf(talk, id)) : undefined
    const code = { code: grant?.code ?? '', txCode: wish.txCode, some }
    const token = await redeemPreAuthorized(lineOf(options, ready), askingOf(options, ready), code)
    return { ...ready, token }
  },

  /** Prepares what the citizen opens in a browser. */
  async authorize(
    talk: Talk,
    wish: { ids?: string[] | undefined; redirectUri: string },
  ): Promise<{ talk: Talk; url: string }> {
    const ready = await choose(options, talk, 'authorization-code', wish.ids)
    const { dpopKey } = ready.keys ?? {}
    const thumbprint = dpopKey && encryptionThumbprint(ownKeyOf(dpopKey).publicJwk).toString('base64url')
    const { url, pending } = await beginAuthorization(lineOf(options, ready), {
      ...{ issuer: talk.issuer, server: serverOf(ready), clientId: options.clientId, redirectUri: wish.redirectUri },
      configurations: (ready.chosen?.ids ?? []).map(id => configurationOf(talk, id)),
      issuerState: talk.offer.authorizationCode?.issuerState,
      dpopThumbprint: thumbprint,
    })
    return { talk: { ...ready, pending }, url }
  },

  /**
   * Takes the answer that came to the redirect URI, and redeems its code.
   * @throws Refusal authorization_response_mismatch, authorization_denied, issuer_refused
   */
  async returned(talk: Talk, parameters: string): Promise<Talk> {
    const { pending, ...rest } = talk
    if (pending === undefined) throw new TypeError('no authorisation is under way in this conversation')
    const code = readAuthorizationResponse(new URLSearchParams(parameters), pending, serverOf(talk))
    return { ...rest, token: await redeemCode(lineOf(options, talk), askingOf(options, talk), { code, pending }) }
  },

  lasting: (talk: Talk): Promise<Talk> => lasting(options, talk),

  /** A fresh access token for the same credentials. @throws Refusal issuer_refused */
  renew: (talk: Talk): Promise<Talk> => renewed(options, talk),

  ended,
})

const openAsking = (options: Reach) => ({
  /** What the token is good for, a request each. @throws Refusal configuration_unauthorized */
  requests: (talk: Talk): Request[] =>
    (talk.chosen?.ids ?? []).flatMap(id =>
      requestsOf(tokenOf(talk), configurationOf(talk, id)).map(named => ({ configurationId: id, named })),
    ),

  /**
   * As what DID the key of a credential is to be held, how many credentials one request may ask for, and what the
   * credential has to be when it comes.
   */
  async expects(talk: Talk, id: string): Promise<Expected> {
    const configuration = configurationOf(talk, id)
    const { binding } = planProof(configuration, await attesterAlgorithm(options))
    const { format, vct, doctype, types } = configuration
    // Where a bare key is bound, W3C formats can name it only by a did:jwk; the others hold the key itself.
    const method = binding === 'jwk' ? (types === undefined ? 'did:key' : 'did:jwk') : binding
    return {
      ...{ format, method, most: talk.issuer.batchSize },
      ...(vct === undefined ? {} : { vct }),
      ...(doctype === undefined ? {} : { doctype }),
      ...(types === undefined ? {} : { types }),
    }
  },

  async request(talk: Talk, { configurationId, named }: Request, keys: readonly HolderKeyPair[]): Promise<Given> {
    const { clientId, provider, clock } = options
    const bound = keys.map(({ did, privateJwk }) => ({ did, ...ownKeyOf(privateJwk) }))
    const plan = planProof(configurationOf(talk, configurationId), await attesterAlgorithm(options))
    const asked = { issuer: talk.issuer, token: tokenOf(talk), named, plan, clientId }
    const proven = { ...asked, keys: bound as [BoundKey, ...BoundKey[]] }
    return requestCredentials(lineOf(options, talk), proven, { provider, now: clock.now() })
  },

  async deferred(talk: Talk, asked: { transactionId: string; keys: number }): Promise<Given> {
    return requestDeferred(lineOf(options, talk), { issuer: talk.issuer, token: tokenOf(talk), ...asked })
  },

  /** @throws Refusal issuer_refused */
  async notify(talk: Talk, told: { notificationId: string; event: NotificationEvent }): Promise<void> {
    await notifyIssuer(lineOf(options, talk), { issuer: talk.issuer, token: tokenOf(talk), ...told })
  },
})

/**
 * The wallet's side of OpenID4VCI 1.0, step by step. Nothing is kept here, and nothing that an issuer has given is
 * believed to be good because it came.
 */
export const openCollector = (options: CollectorOptions) => ({
  ...openDiscovery(options),
  ...openAuthorizing(options),
  ...openAsking(options),
})
