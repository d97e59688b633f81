import type { AgencyOnChain } from './agency.ts'
import type { IssuerConfig } from './config/agency.ts'
import { qr } from './http/qr.ts'
import { fetchBounded } from './identity/fetch-bounded.ts'
import { openMethods } from './identity/foreign/keys.ts'
import { derive, openSecuring, type SecuringKey } from './identity/foreign/secure.ts'
import { type ForeignStatusNeeds, openForeignStatus } from './identity/foreign/status.ts'
import { type ForeignNeeds, verifyForeign, verifyForeignPresentation } from './identity/foreign/verify.ts'
import { isDocument, unwrap } from './identity/formats/detect.ts'
import { isMdoc } from './identity/formats/mso-mdoc.ts'
import { readShownMdocs } from './identity/formats/mso-mdoc-present.ts'
import { openSdJwt } from './identity/formats/sd-jwt.ts'
import { holdsDocument } from './identity/formats/vc-sd-jwt.ts'
import type { KeyInfo, Keys } from './identity/keys.ts'
import { toMultikey } from './identity/multikey.ts'
import { factsOfVerdict } from './identity/openid/dcql/facts.ts'
import { parseDcql } from './identity/openid/dcql/parse.ts'
import { judgeTogether } from './identity/openid/dcql/together.ts'
import { formatsKnown } from './identity/openid/vp/formats-supported.ts'
import { compressBitstring } from './identity/status-lists/bitstring.ts'
import type { Identity } from './kernel/identity.ts'
import { isRefusal, Refusal } from './kernel/refusal.ts'
import { timeId } from './kernel/time-id.ts'
import { type KnownIssuing, knownInstance } from './known-issuers.ts'
import { challengeMissing } from './plugins/credentials/errors.ts'
import { statusListOf } from './plugins/vc-api/actions/status.ts'
import type { Instance, IssuingNeeds, QueryLanguage } from './plugins/vc-api/needs.ts'

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

/** An mdoc is presented by a device response of its own, never in a presentation with others. */
const formatsOfExchanges = formatsKnown.filter(format => format !== 'mso_mdoc')

/** What the participants of exchanges are asked for in DCQL, judged as by the verifier of OpenID4VP. */
export const exchangeDcql: QueryLanguage = {
  read: value => {
    const query = parseDcql(value)
    if (query.credentials.every(({ format }) => formatsOfExchanges.includes(format))) return query
    const names = formatsOfExchanges.join(', ')
    throw new Refusal('rejected', 'format_unsupported', `Formats that an exchange takes: ${names}.`)
  },
  judge: (query, presented) =>
    judgeTogether(
      query,
      presented.map(({ verdict, holderBound }) => factsOfVerdict(verdict, holderBound)),
    ),
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
    ...{ derive, dcql: exchangeDcql, qr },
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

/**
 * An SD-JWT VC or an mdoc, alone or shown by its holder. Neither is a W3C document: what it says is known by its type alone, and who
 * may say it by certificates, so it is judged as everywhere, by what the profile names under `trusts`.
 */
const isTyped = (input: unknown, envelope: string): boolean => {
  try {
    const text = unwrap(input, envelope)
    if (isMdoc(text) || readShownMdocs(text) !== undefined) return true
    return !isDocument(text) && text.includes('~') && !holdsDocument(openSdJwt(text).processed)
  } catch (error) {
    // Whoever judges it says what is wrong with it.
    if (isRefusal(error)) return false
    throw error
  }
}

/** Judges W3C documents of whatever issuers and types there are: what a conformance profile does. */
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
    async verify(credential, options) {
      if (isTyped(credential, 'EnvelopedVerifiableCredential')) return identity.verify(credential, options)
      return verifyForeign(credential, needs, options)
    },
    async verifyPresentation(presentation, expected) {
      if (!isTyped(presentation, 'EnvelopedVerifiablePresentation')) {
        return verifyForeignPresentation(presentation, needs, expected)
      }
      if (expected.challenge === undefined || expected.challenge === '') throw challengeMissing()
      return identity.verifyPresentation(presentation, expected)
    },
  }
}
