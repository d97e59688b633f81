import { type WalletProviderConfig, walletDefaults } from './config/wallet.ts'
import { didJwkOf, parseLocalDid } from './identity/did-local.ts'
import { didWebFor } from './identity/did-web.ts'
import type { Dids } from './identity/dids.ts'
import { type FetchBounds, fetchBounded } from './identity/fetch-bounded.ts'
import { openJwtVcIssuers } from './identity/foreign/jwt-vc-issuer.ts'
import { openMethods } from './identity/foreign/keys.ts'
import { openForeignSdJwts } from './identity/foreign/sd-jwt-vc.ts'
import { openForeignStatus } from './identity/foreign/status.ts'
import { type ForeignNeeds, verifyForeign } from './identity/foreign/verify.ts'
import { typOf } from './identity/formats/jose.ts'
import { publicKeyFromJwk } from './identity/key-material.ts'
import { heldFacts } from './identity/openid/dcql/facts.ts'
import { openCollector } from './identity/openid/vci/wallet.ts'
import type { WalletProvider } from './identity/openid/vci/wallet-provider.ts'
import type { CredentialTypes } from './identity/types.ts'
import { type Certificate, certificatesOfX5c, readCertificate, speaksFor } from './identity/x509/certificate.ts'
import { type ChainJudge, trustAnchors } from './identity/x509/chain.ts'
import { typeIri } from './kernel/dcql.ts'
import type { Verdict } from './kernel/identity.ts'
import type { Clock } from './kernel/ports.ts'
import { isRefusal, Refusal } from './kernel/refusal.ts'
import type { Mounting } from './mounting.ts'
import type { Collecting } from './plugins/wallet/collecting.ts'
import type { WalletNeeds } from './plugins/wallet/needs.ts'

/** Citizens' wallets towards issuers: OpenID4VCI over the agency's keys, DIDs and certificates, within bounds. */

/**
 * Whether a DID speaks for the issuer of a URL: the did:web of that very URL, the did:webvh of the same place, or an
 * agency's did:ethr that this did:web and the chain name mutually.
 */
const openSpeaksFor =
  (dids: Dids) =>
  async (did: string, issuer: string): Promise<boolean> => {
    let web: string
    try {
      web = didWebFor(issuer)
    } catch {
      return false
    }
    if (did === web) return true
    const [, method, scid = '', ...place] = did.split(':')
    if (method === 'webvh') return scid !== '' && `did:web:${place.join(':')}` === web
    try {
      return (await dids.subjectOf(web)) === did
    } catch (error) {
      if (isRefusal(error) && error.kind !== 'unavailable') return false
      throw error
    }
  }

const untrusted = (detail: string): Refusal => new Refusal('rejected', 'metadata_signature_refused', detail)

/** The DID that a certificate of one of this nation's agencies names, and the DID URL of its key. */
const didsIn = ({ alternativeNames }: Certificate): { did?: string | undefined; kid?: string | undefined } => {
  const uris = alternativeNames.flatMap(({ type, value }) => (type === 'uri' && value.startsWith('did:') ? value : []))
  return { did: uris.find(uri => !uri.includes('#')), kid: uris.find(uri => uri.includes('#')) }
}

/**
 * The key of a chain, if its certificate speaks for the issuer: by the DID it names, whose key on chain it has to be; or by
 * the host it names, below an anchor that the configuration lists (HAIP 1.0, section 4.1).
 */
const openCertified = (parts: {
  dids: Dids
  speaks: ReturnType<typeof openSpeaksFor>
  anchors: ChainJudge | undefined
  now: () => number
}) => {
  const { dids, speaks, anchors, now } = parts
  return async (x5c: readonly string[], issuer: string) => {
    const chain = certificatesOfX5c(x5c)
    const leaf = readCertificate(chain[0] ?? new Uint8Array())
    const { did, kid } = didsIn(leaf)
    if (did !== undefined && kid !== undefined) {
      const key = await dids.key(kid, 'assertionMethod')
      const isIts = leaf.publicKey.equals(key.publicKey) && leaf.notBefore <= now() && now() <= leaf.notAfter
      if (isIts && key.did === did && (await speaks(did, issuer))) return { key, name: did }
    }
    if (anchors === undefined) throw untrusted('This wallet trusts no authority for the certificate of the signer.')
    const trusted = anchors.validate(chain, now(), { haip: true })
    if (!speaksFor(trusted.leaf, new URL(issuer).hostname)) {
      throw untrusted('The certificate of the signer does not name the issuer’s host.')
    }
    const key = publicKeyFromJwk(trusted.leaf.publicKey.export({ format: 'jwk' }))
    return { key, name: new URL(issuer).hostname }
  }
}

const providerOf = ({ agency, certificates }: Parts, config: WalletProviderConfig): WalletProvider => ({
  ...config,
  issuer: agency.settings.publicUrl,
  key: () => certificates.issuer(),
  signer: agency.keys.signer,
})

type Parts = Pick<Mounting, 'agency' | 'certificates' | 'types'>

const isSdJwtVc = (credential: unknown): credential is string => {
  if (typeof credential !== 'string' || !credential.includes('~')) return false
  try {
    return ['dc+sd-jwt', 'vc+sd-jwt'].includes(typOf(credential) ?? '')
  } catch {
    return false
  }
}

/** A verdict after a further look at who may have issued it. */
const judgedAgain = (verdict: Verdict, judge: () => void): Verdict => {
  try {
    judge()
    return verdict
  } catch (error) {
    if (!isRefusal(error)) throw error
    const { kind, code, message: detail } = error
    const check = { check: 'accreditation', outcome: 'failed', code, detail } as const
    return { ...verdict, verified: false, checks: [...verdict.checks, check], refusal: { kind, code, detail } }
  }
}

/** What a credential would answer as, whatever its issuer writes for it. */
const typesOf = ({ format = '', document = {} }: Verdict): readonly unknown[] => {
  if (format === 'dc+sd-jwt') return [document['vct'], document['aka_vcts']].flat()
  return heldFacts({ format, document, holderBound: true }).types ?? []
}

/**
 * Judges credentials that nobody of this nation stands for, by the keys and lists that their issuers publish. One of a type
 * of this nation is none of those, whatever the house made of it.
 */
export const openForeignJudge = (parts: {
  clock: Clock
  dids: Dids
  allowedHttpOrigins: readonly string[]
  anchors?: ChainJudge | undefined
  types: Pick<CredentialTypes, 'all' | 'byVct'>
}): NonNullable<WalletNeeds['judgeForeign']> => {
  const { clock, dids, allowedHttpOrigins, anchors, types } = parts
  const known = new Set(types.all.flatMap(type => [type.id, typeIri(type)]))
  /** @throws Refusal rejected/issuer_unaccredited */
  const assertForeign = (names: readonly unknown[]): void => {
    if (!names.some(name => typeof name === 'string' && (types.byVct(name) !== undefined || known.has(name)))) return
    const detail = 'A credential of a type of this nation counts only of an issuer that is accredited for it.'
    throw new Refusal('rejected', 'issuer_unaccredited', detail)
  }
  const keyOf = openMethods(dids)
  const didsOf = () => []
  const fetch = (url: string, bounds: FetchBounds) => fetchBounded(url, { ...bounds, allowedHttpOrigins })
  const judgeStatus = openForeignStatus({ clock, keyOf, didsOf, fetch })
  const needs: ForeignNeeds = { clock, keyOf, didsOf, judgeIssuer: (_, names) => assertForeign(names), judgeStatus }
  const issuers = openJwtVcIssuers({ clock, fetch, allowedHttpOrigins })
  const judgeSdJwt = openForeignSdJwts({ clock, keyOf, issuers, anchors, fetch })
  return async credential => {
    const verdict = await (isSdJwtVc(credential) ? judgeSdJwt(credential) : verifyForeign(credential, needs))
    if (!verdict.verified) return verdict
    return judgedAgain(verdict, () => assertForeign(typesOf(verdict)))
  }
}

type CollectingNeeds = Pick<WalletNeeds, 'collecting' | 'judgeForeign' | 'didJwkOf' | 'jwkOf'>

export const collectingOf = (parts: Parts): CollectingNeeds => {
  const { agency, types } = parts
  const { config, dids, settings } = agency
  const { unaccredited, signedMetadata, issuerAnchors, provider } = { ...walletDefaults, ...config.wallet }
  const { allowedHttpOrigins } = config
  const speaks = openSpeaksFor(dids)
  const anchors = issuerAnchors.length === 0 ? undefined : trustAnchors(issuerAnchors)
  const certified = openCertified({ dids, speaks, anchors, now: () => settings.clock.now() })
  const collector = openCollector({
    clock: settings.clock,
    fetch: (url, bounds) => fetchBounded(url, { ...bounds, allowedHttpOrigins }),
    clientId: `${settings.publicUrl}/wallet`,
    ...(provider === undefined ? {} : { provider: providerOf(parts, provider) }),
    ...{ trust: { clock: settings.clock, dids, speaksFor: speaks, certified }, signedMetadata },
  })
  const vouches: Collecting['vouches'] = async (talk, { signer, credentialIssuer }) => {
    const { issuer, signedBy } = talk.issuer
    // The issuer itself says in what it signed that it issues there (OpenID4VCI 1.0, section 13.4).
    if (signer === issuer || signer === signedBy || credentialIssuer === issuer) return true
    return signer.startsWith('did:') && speaks(signer, issuer)
  }
  return {
    collecting: { ...collector, vouches },
    ...(unaccredited
      ? { judgeForeign: openForeignJudge({ clock: settings.clock, dids, allowedHttpOrigins, anchors, types }) }
      : {}),
    didJwkOf: jwk => didJwkOf(publicKeyFromJwk(jwk)),
    jwkOf: did => parseLocalDid(did)?.key.jwk,
  }
}
