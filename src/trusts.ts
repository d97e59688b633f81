import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AgencyOnChain, processId } from './agency.ts'
import { ConfigError } from './config/agency.ts'
import type { TrustConfig, TrustSourceConfig } from './config/trusts.ts'
import type { Log } from './http/log.ts'
import { parseEthrDid } from './identity/did-ethr.ts'
import { fetchBounded } from './identity/fetch-bounded.ts'
import { openJwtVcIssuers } from './identity/foreign/jwt-vc-issuer.ts'
import { openMethods } from './identity/foreign/keys.ts'
import type { Trust, TrustSource } from './identity/foreign/trust.ts'
import { type ForeignTrusts, openForeignTrusts } from './identity/foreign/trusted.ts'
import { readKeySet } from './identity/formats/compact-jws.ts'
import { bundledContext } from './identity/linked-data/contexts.ts'
import { openFederation } from './identity/openid/federation/resolve.ts'
import type { TrustAnchor } from './identity/openid/federation/trust-chain.ts'
import { openTrustedLists, type TrustedListAddress, type TrustedLists } from './identity/trusted-lists/source.ts'
import type { CredentialType, CredentialTypes } from './identity/types.ts'
import { certificatesOfPem, readCertificate } from './identity/x509/certificate.ts'
import { canonical } from './kernel/canonical.ts'
import { claimSchema } from './kernel/dcql.ts'
import { mandateTypes } from './kernel/mandate.ts'
import { isRefusal } from './kernel/refusal.ts'

/** Issuers beyond the registry on chain: what the configuration trusts, over lists and federations that are kept in memory. */

/** How often trusted lists are asked for again, in milliseconds. */
const refreshMs = 60 * 60_000

const digestOf = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('base64url')

/** @throws ConfigError */
const certificatesIn = (pem: string, agency: string): Uint8Array[] => {
  try {
    const certificates = certificatesOfPem(pem)
    for (const der of certificates) readCertificate(der)
    return certificates
  } catch (cause) {
    throw new ConfigError(`${agency}: a certificate of its trusts cannot be read`, { cause })
  }
}

const sourceOf = (config: TrustSourceConfig, agency: string): TrustSource => {
  if (config.by === 'certificates') return { by: 'certificates', anchors: certificatesIn(config.certificates, agency) }
  if (config.by === 'issuers') return config
  if (config.by === 'trustedList') return { by: 'trusted_list', url: config.url, serviceType: config.serviceType }
  const { anchor, entityType, trustMark } = config
  return { by: 'federation', anchors: [anchor], entityType, trustMark }
}

/** @throws ConfigError */
const typeOf = ({ type: id }: TrustConfig, agency: string, types: CredentialTypes): CredentialType => {
  const newest = types.all.filter(type => type.id === id).sort((a, b) => b.version - a.version)[0]
  if (newest === undefined)
    throw new ConfigError(`${agency}: trusts name the credential type ${id}, which schemas/ lacks`)
  // Whether a mandate stands rests on the mandates above it, in lists on our own chain.
  if (mandateTypes.some(each => each === id)) throw new ConfigError(`${agency}: ${id} is not taken from others`)
  return newest
}

/** What a configuration cannot mean. @throws ConfigError */
const assertSound = (config: TrustConfig, type: CredentialType, agency: string): void => {
  const { credential, claims } = config
  const known = credential.format === 'mso_mdoc' && type.mdoc?.docType === credential.docType
  if (claims === undefined && !known) {
    throw new ConfigError(`${agency}: a trust in ${type.id} (${credential.format}) says which claims are ours`)
  }
  for (const name of Object.keys(claims ?? {})) {
    if (name !== 'id' && claimSchema(type.schema, name.split('.')) !== undefined) continue
    throw new ConfigError(`${agency}: ${type.id} has no claim ${name} that a trust could fill`)
  }
  if (!('contexts' in credential)) return
  const missing = credential.contexts.find(url => bundledContext(url) === undefined)
  if (missing !== undefined)
    throw new ConfigError(`${agency}: the context ${missing} of a trust does not stand in the house`)
}

const nameOf = ({ credential, sources }: TrustConfig): string =>
  'contexts' in credential ? canonical([credential, sources]) : canonical(credential)

/** @throws ConfigError */
const trustsIn = (agency: AgencyOnChain, types: CredentialTypes, isOwn: (did: string) => boolean): Trust[] => {
  const { name, trusts } = agency.config
  const names = trusts.map(nameOf)
  if (new Set(names).size < names.length) throw new ConfigError(`${name}: two trusts are for one kind of credential`)
  return trusts.map(config => {
    const type = typeOf(config, name, types)
    assertSound(config, type, name)
    const own = config.sources.some(source => source.by === 'issuers' && source.issuers.some(isOwn))
    if (own)
      throw new ConfigError(`${name}: issuers of our own chain are trusted by its registry, not by configuration`)
    return {
      ...{ id: digestOf(config), type, credential: config.credential, claims: config.claims, status: config.status },
      sources: config.sources.map(source => sourceOf(source, name)),
    }
  })
}

/** Lists as they were fetched last, a file each; whoever changes one has it refused, for it is verified again. */
const keptIn = (folder: string) => {
  const fileOf = (url: string): string => join(folder, createHash('sha256').update(url).digest('hex'))
  return {
    async read(url: string): Promise<Uint8Array | undefined> {
      try {
        return await readFile(fileOf(url))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    async write(url: string, bytes: Uint8Array): Promise<void> {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const draft = `${fileOf(url)}.${processId}`
      await writeFile(draft, bytes, { mode: 0o600 })
      await rename(draft, fileOf(url))
    },
  }
}

type Fetching = Parameters<typeof openFederation>[0]['fetch']

const listsOf = (agency: AgencyOnChain, fetch: Fetching): TrustedLists | undefined => {
  const { config, settings } = agency
  const lists = new Map<string, TrustedListAddress>()
  for (const source of config.trusts.flatMap(({ sources }) => sources)) {
    if (source.by !== 'trustedList') continue
    const operators = certificatesIn(source.operator, config.name)
    const known = lists.get(source.url)
    if (known !== undefined && canonical(known.operators.map(String)) !== canonical(operators.map(String))) {
      throw new ConfigError(`${config.name}: the trusted list ${source.url} has two operators`)
    }
    lists.set(source.url, { url: source.url, operators })
  }
  if (lists.size === 0) return undefined
  const kept = keptIn(join(settings.dataDir, config.name, 'trusted-lists'))
  return openTrustedLists({ clock: settings.clock, lists: [...lists.values()], fetch, kept })
}

/** @throws ConfigError */
const anchorOf = (source: Extract<TrustSourceConfig, { by: 'federation' }>, agency: string): TrustAnchor => {
  try {
    return { entityId: source.anchor, keys: readKeySet(source.keys) }
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
    throw new ConfigError(`${agency}: the keys of the trust anchor ${source.anchor}: ${cause.message}`, { cause })
  }
}

const federationOf = ({ config, settings }: AgencyOnChain, fetch: Fetching) => {
  const anchors = new Map<string, TrustAnchor>()
  for (const source of config.trusts.flatMap(({ sources }) => sources)) {
    if (source.by !== 'federation') continue
    const anchor = anchorOf(source, config.name)
    const known = anchors.get(source.anchor)
    if (known !== undefined && canonical(known.keys) !== canonical(anchor.keys)) {
      throw new ConfigError(`${config.name}: the trust anchor ${source.anchor} is given with two sets of keys`)
    }
    anchors.set(source.anchor, anchor)
  }
  if (anchors.size === 0) return undefined
  const { allowedHttpOrigins: httpOrigins } = config
  return openFederation({ clock: settings.clock, anchors: [...anchors.values()], fetch, httpOrigins })
}

const mdocAnchorsOf = ({ credential, sources }: Trust): Uint8Array[] =>
  credential.format !== 'mso_mdoc'
    ? []
    : sources.flatMap(source => (source.by === 'certificates' ? [...source.anchors] : []))

export type OpenedTrusts = {
  foreign: ForeignTrusts | undefined
  /** DER: authorities that mdocs are trusted by. */
  mdocAnchors: readonly Uint8Array[]
  /** Refreshes lists in rounds, in every process: each holds them in memory. @returns what ends it */
  keep(log: Log): () => Promise<void>
}

/**
 * Opens what the agency file says under `trusts`.
 * @throws ConfigError
 */
export const openTrusts = (agency: AgencyOnChain, types: CredentialTypes): OpenedTrusts => {
  const { config, settings, dids, chain } = agency
  if (config.trusts.length === 0) return { foreign: undefined, mdocAnchors: [], keep: () => async () => undefined }
  const isOwn = (did: string): boolean => parseEthrDid(did, chain.client.chainId) !== undefined
  const fetch: Fetching = (url, bounds) =>
    fetchBounded(url, { ...bounds, allowedHttpOrigins: config.allowedHttpOrigins })
  const lists = listsOf(agency, fetch)
  const trusts = trustsIn(agency, types, isOwn)
  const foreign = openForeignTrusts({
    ...{ clock: settings.clock, trusts, isOwn, fetch, lists },
    ...{ keyOf: openMethods(dids), trust: chain.follower.trust, federation: federationOf(agency, fetch) },
    issuers: openJwtVcIssuers({ clock: settings.clock, fetch, allowedHttpOrigins: config.allowedHttpOrigins }),
  })
  return {
    foreign,
    mdocAnchors: trusts.flatMap(mdocAnchorsOf),
    keep(log) {
      if (lists === undefined) return async () => undefined
      const round = async (): Promise<void> => {
        for (const { url, error } of await lists.refresh()) {
          log.error(
            { url, error: String(error) },
            'a trusted list was not taken; the one at hand counts while it is valid',
          )
        }
      }
      let under = round().catch(error => log.error({ error: String(error) }, 'a round of trusted lists failed'))
      const timer = setInterval(() => {
        under = under.then(round).catch(error => log.error({ error: String(error) }, 'a round of trusted lists failed'))
      }, refreshMs)
      timer.unref()
      return async () => {
        clearInterval(timer)
        await under
      }
    },
  }
}
