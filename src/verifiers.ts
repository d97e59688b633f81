import { type VerifiersConfig, verifiersDefaults } from './config/verifiers.ts'
import { type FetchBounds, fetchBounded } from './identity/fetch-bounded.ts'
import { readKeySet } from './identity/formats/compact-jws.ts'
import { openFederation } from './identity/openid/federation/resolve.ts'
import type { ClientTrust } from './identity/openid/vp/request-client.ts'
import { openPresentationAnswers } from './identity/openid/vp/wallet.ts'
import { certificatesOfPem, readCertificate } from './identity/x509/certificate.ts'
import type { PresentationAnswers } from './kernel/presentation-answers.ts'
import { isRefusal, Refusal } from './kernel/refusal.ts'
import type { Mounting } from './mounting.ts'

/** Verifiers that ask the citizens of a wallet service, and whom of them the service believes. */

/** How long the authorities of an agency are taken as it published them, and how long when it cannot be asked. */
const freshMs = 60 * 60_000
const staleMs = 24 * 60 * 60_000
const anchorsMost = 16

type Published = { anchors: Uint8Array[]; at: number }

/** Authorities of agencies as they publish them, at URLs that the configuration trusts. */
const openPublished = (agencies: readonly string[], bounds: FetchBounds, now: () => number) => {
  const known = new Map<string, Published>()
  const fetchAnchors = async (url: string): Promise<Uint8Array[]> => {
    const { body } = await fetchBounded(`${url}/certificates`, { ...bounds, maxBytes: 65_536, maxRedirects: 0 })
    const { anchors } = JSON.parse(body.toString('utf8')) as { anchors?: unknown }
    if (!Array.isArray(anchors) || anchors.length > anchorsMost) return []
    const read = anchors.map(each => new Uint8Array(Buffer.from(String(each), 'base64')))
    for (const der of read) readCertificate(der)
    return read
  }
  const anchorsOf = async (url: string): Promise<Uint8Array[]> => {
    const held = known.get(url)
    if (held !== undefined && now() < held.at + freshMs) return held.anchors
    try {
      const anchors = await fetchAnchors(url)
      known.set(url, { anchors, at: now() })
      return anchors
    } catch (error) {
      if (!isRefusal(error) && !(error instanceof SyntaxError)) throw error
      // Without its authority, its certificates are believed no more.
      return held !== undefined && now() < held.at + staleMs ? held.anchors : []
    }
  }
  return async (): Promise<Uint8Array[]> => (await Promise.all(agencies.map(anchorsOf))).flat()
}

/** Verifiers of federations: what their trust chain says of them goes before what they say themselves. */
const federationOf = (
  { agency }: Mounting,
  { federations }: VerifiersConfig,
  bounds: FetchBounds,
): ClientTrust['federation'] => {
  if (federations.length === 0) return undefined
  const { resolve } = openFederation({
    clock: agency.settings.clock,
    anchors: federations.map(({ anchor, jwks }) => ({ entityId: anchor, keys: readKeySet(jwks) })),
    fetch: (url, more) => fetchBounded(url, { ...more, ...bounds }),
    httpOrigins: agency.config.allowedHttpOrigins,
  })
  return async entityId => {
    const { metadata, anchor } = await resolve(entityId)
    const verifier = metadata['openid_credential_verifier']
    if (verifier !== undefined) return { metadata: { ...verifier }, anchor }
    throw new Refusal('rejected', 'client_untrusted', 'The federation does not know the client as a verifier.')
  }
}

const trustOf = (mounting: Mounting, config: VerifiersConfig, bounds: FetchBounds): ClientTrust => {
  const { agency } = mounting
  const configured = config.authorities.flatMap(certificatesOfPem)
  const { origin } = new URL(agency.settings.publicUrl)
  const places = config.agencies.map(place => (place.startsWith('/') ? origin + place : place))
  const published = openPublished(places, bounds, () => agency.settings.clock.now())
  return {
    resolve: did => agency.dids.resolve(did),
    anchors: async () => [...configured, ...(await published())],
    attesters: new Map(config.attesters.map(({ issuer, jwks }) => [issuer, readKeySet(jwks)])),
    federation: federationOf(mounting, config, bounds),
    registered: new Map(
      config.registered.map(({ clientId, jwks, responseUris, metadata }) => [
        clientId,
        { keys: readKeySet(jwks), responseUris, metadata },
      ]),
    ),
  }
}

/** The types that a type of ours extends, by its metadata. */
const extendedBy =
  ({ identity }: Mounting) =>
  (vct: string): string[] => {
    const found: string[] = []
    let at = identity.types.find(type => type.vct === vct)?.metadata['extends']
    while (typeof at === 'string' && !found.includes(at) && found.length < 8) {
      const name: string = at
      found.push(name)
      at = identity.types.find(type => type.vct === name)?.metadata['extends']
    }
    return found
  }

/** How the agency's wallets answer verifiers. */
export const presentationAnswersOf = (mounting: Mounting): PresentationAnswers => {
  const { agency } = mounting
  const { config, settings } = agency
  const { allowedHttpOrigins } = config
  return openPresentationAnswers({
    now: () => settings.clock.now(),
    trust: trustOf(mounting, config.verifiers ?? verifiersDefaults, { allowedHttpOrigins }),
    fetch: (url, bounds) => fetchBounded(url, { ...bounds, allowedHttpOrigins }),
    audience: [settings.publicUrl],
    httpOrigins: allowedHttpOrigins,
    extended: extendedBy(mounting),
  })
}
