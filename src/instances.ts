import type { AgencyOnChain } from './agency.ts'
import type { IssuerConfig } from './config.ts'
import { qr } from './http/qr.ts'
import { fetchBounded } from './identity/fetch-bounded.ts'
import { openMethods } from './identity/foreign/keys.ts'
import { derive, openSecuring, type SecuringKey } from './identity/foreign/secure.ts'
import { type ForeignStatusNeeds, openForeignStatus } from './identity/foreign/status.ts'
import { type ForeignNeeds, verifyForeign, verifyForeignPresentation } from './identity/foreign/verify.ts'
import type { KeyInfo, Keys } from './identity/keys.ts'
import { expandedTypes } from './identity/linked-data/expanded-types.ts'
import { toMultikey } from './identity/multikey.ts'
import { compressBitstring } from './identity/status-lists/bitstring.ts'
import type { Identity } from './kernel/identity.ts'
import { timeId } from './kernel/time-id.ts'
import { type KnownIssuing, knownInstance } from './known-issuers.ts'
import { statusListOf } from './plugins/vc-api/actions/status.ts'
import type { Instance, IssuingNeeds } from './plugins/vc-api/needs.ts'

/** Issuer instances over an agency's keys, and what a conformance profile judges without our chain. */

/** One key of a kind serves every suite that takes it, under the DID that is the key. */
const securingKey = (keys: Keys, info: KeyInfo): SecuringKey => {
  const { kind, algorithm } = info
  const publicKey = Buffer.from(info.publicKeyHex, 'hex')
  const multikey = toMultikey({ kind, raw: publicKey })
  const did = `did:key:${multikey}`
  return {
    did,
    verificationMethod: `${did}#${multikey}`,
    algorithm,
    publicKey,
    sign: data => keys.signer.sign(info.keyId, algorithm, data),
    signMessages: (header, messages) => keys.signMessages(info.keyId, { header, messages }),
  }
}

const instanceOf = async (
  agency: AgencyOnChain,
  { name, suite, key: kind, status }: IssuerConfig,
): Promise<Instance> => {
  const { keys, settings } = agency
  const info = await keys.obtain({ kind, alias: `instances-${kind.toLowerCase()}` })
  const key = securingKey(keys, info)
  const { did, verificationMethod } = key
  return { name, suite, did, verificationMethod, status, ...openSecuring(suite, key, settings.clock) }
}

/**
 * What the plugin vc-api serves.
 * @param issuing how the agency itself issues; absent in a conformance profile, whose instances secure any credential.
 * @throws Refusal rejected/cryptosuite_unknown for a suite that nobody knows; ConfigError for one an agency does not issue with
 */
export const instancesOf = async (agency: AgencyOnChain, issuing?: KnownIssuing): Promise<IssuingNeeds> => {
  const { house, config, settings } = agency
  const instances: Instance[] = []
  // One after another: several instances share a key, which the first of them makes.
  for (const issuer of config.issuers) {
    instances.push(issuing === undefined ? await instanceOf(agency, issuer) : knownInstance(agency, issuing, issuer))
  }
  return {
    ...{ house, publicUrl: settings.publicUrl, newId: () => timeId(settings.clock.now()) },
    instances: new Map(instances.map(instance => [instance.name, instance])),
    ...{ derive, expandTypes: expandedTypes, qr },
    encodeList: compressBitstring,
    signedLists: new Map(),
  }
}

/**
 * Lists of the profile's own instances are read where they are made: its certificate is trusted by nobody. They are not kept, so that a
 * revocation is seen at once.
 */
const openFetch = (agency: AgencyOnChain): ForeignStatusNeeds['fetch'] => {
  const { settings, config } = agency
  const own = `${settings.publicUrl}/issuers/`
  let needs: Promise<IssuingNeeds> | undefined
  return async (url, bounds) => {
    if (!url.startsWith(own)) return fetchBounded(url, { ...bounds, allowedHttpOrigins: config.allowedHttpOrigins })
    const [issuer = '', , list = ''] = url.slice(own.length).split('/')
    needs ??= instancesOf(agency)
    const document = await statusListOf(await needs, issuer, Number(list))
    const body = Buffer.from(JSON.stringify(document))
    return { url, status: 200, contentType: 'application/vc', cacheControl: 'no-store', body }
  }
}

/** Judges whatever issuers and types there are: what a conformance profile does. */
export const judgedOpenly = (agency: AgencyOnChain, identity: Identity): Identity => {
  const { config, dids, settings } = agency
  const { clock } = settings
  const bound = new Map(Object.entries(config.conformance?.issuers ?? {}))
  const keyOf = openMethods(dids)
  const didsOf = (issuer: string): readonly string[] => bound.get(issuer) ?? []
  const judgeStatus = openForeignStatus({ clock, keyOf, didsOf, fetch: openFetch(agency) })
  const needs: ForeignNeeds = { clock, keyOf, didsOf, judgeIssuer: () => undefined, judgeStatus }
  return {
    ...identity,
    verify: (credential, options) => verifyForeign(credential, needs, options),
    verifyPresentation: (presentation, expected) => verifyForeignPresentation(presentation, needs, expected),
  }
}
