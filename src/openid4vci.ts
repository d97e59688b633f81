import { type Openid4vciConfig, openid4vciDefaults } from './config/openid4vci.ts'
import { qr } from './http/qr.ts'
import { openDpop } from './identity/dpop.ts'
import { fetchBounded } from './identity/fetch-bounded.ts'
import { sealJws } from './identity/formats/jose.ts'
import { contextsOf } from './identity/formats/w3c.ts'
import { type JudgeAttestationStatus, openAttestationStatus } from './identity/openid/attestation-status.ts'
import { type Attesters, openAttesters } from './identity/openid/attesters.ts'
import { openClientAttestations } from './identity/openid/oauth/client-attestation.ts'
import { type ExternalServer, openExternalServer } from './identity/openid/oauth/external-server.ts'
import { openMessageEncryption } from './identity/openid/vci/encryption.ts'
import { judgeProofs, proofAlgorithms } from './identity/openid/vci/key-proofs.ts'
import { certificatesOfPem } from './identity/x509/certificate.ts'
import type { FormatId, Identity, Issuance } from './kernel/identity.ts'
import type { Row } from './kernel/ports.ts'
import type { Mounting } from './mounting.ts'
import { spend } from './plugins/gate/spent.ts'
import { openSweep } from './plugins/gate/sweep.ts'
import type { AuthorizationNeeds } from './plugins/openid4vci/authorization/needs.ts'
import type { IssuableType, KeyProofs, Openid4vciNeeds } from './plugins/openid4vci/needs.ts'

/** OpenID4VCI over an agency: its types, its keys and certificates, the providers of wallets that it trusts. */

/** Types that the agency issues, in the formats that it can write. */
export const issuable = ({ agency, identity, types, certificates }: Mounting): IssuableType[] => {
  const { config, settings } = agency
  const views = new Map(identity.types.map(view => [`${view.id} ${view.version}`, view]))
  return types.all
    .filter(({ id }) => config.issues.includes(id))
    .flatMap(type => {
      const view = views.get(`${type.id} ${type.version}`)
      if (view === undefined) return []
      const formats = view.formats.filter(format => format !== 'mso_mdoc' || certificates.mdocs)
      // Any holder will do: the wallet names its own later.
      const problemOf: IssuableType['problemOf'] = claims => type.check({ ...claims, id: 'did:key:holder' })
      return [{ ...view, formats, contexts: contextsOf(settings.publicUrl, type), validity: type.validity, problemOf }]
    })
}

/** Under HAIP 1.0 an SD-JWT carries its certificates; what they outlive is cut to their time, as an mdoc's is. */
const issuing = ({ certificates }: Mounting, issuance: Issuance, haip: boolean): Issuance['issue'] => {
  return async request => {
    const x5c = haip && request.format === 'dc+sd-jwt'
    if (!x5c && request.format !== 'mso_mdoc') return issuance.issue(request)
    const { expires } = await (x5c ? certificates.issuer() : certificates.documentSigner())
    const { validUntil } = request
    return issuance.issue({ ...request, x5c, validUntil: validUntil && Math.min(validUntil, expires) })
  }
}

export const issuedBefore = ({ agency }: Mounting): Openid4vciNeeds['issued'] => {
  return async ids => {
    const sql = `SELECT id, format, compact FROM credentials WHERE id IN (${ids.map(() => '?').join(', ')})`
    return agency.store.read<Row & { id: string; format: FormatId; compact: string }>(sql, [...ids])
  }
}

/** OpenID4VCI 1.0, section 12.2.3: signed as credentials are, and under their certificates. */
const metadataSigner = ({ agency, issuerKey, certificates }: Mounting): Openid4vciNeeds['signMetadata'] => {
  const { signer } = agency.keys
  return async payload => {
    const { x5c, keyId } = await certificates.issuer()
    const key = issuerKey()
    const header = {
      ...{ alg: key.algorithm, kid: key.kid, typ: 'openidvci-issuer-metadata+jwt' },
      ...(keyId === key.keyId ? { x5c } : {}),
    }
    return sealJws(header, { iss: key.did, ...payload }, (algorithm, data) => signer.sign(key.keyId, algorithm, data))
  }
}

const attestersOf = ({ walletProviders, haip }: Openid4vciConfig): Attesters | undefined => {
  const anchors = walletProviders.anchors.flatMap(certificatesOfPem)
  if (anchors.length + walletProviders.keys.length === 0) return undefined
  return openAttesters({ anchors, keys: walletProviders.keys }, { haip })
}

/** Whom the agency's file trusts to attest wallets and keys, and whether they still stand by what they attested. */
type Trusted = { attesters: Attesters; judgeStatus: JudgeAttestationStatus }

const trustedOf = ({ agency }: Mounting, config: Openid4vciConfig): Trusted | undefined => {
  const attesters = attestersOf(config)
  if (attesters === undefined) return undefined
  const fetchBounds = { allowedHttpOrigins: agency.config.allowedHttpOrigins }
  return { attesters, judgeStatus: openAttestationStatus({ clock: agency.settings.clock, attesters, fetchBounds }) }
}

const keyProofsOf = ({ agency, verifying }: Mounting, trusted: Trusted | undefined): KeyProofs => {
  const needs = { dids: verifying.dids, clock: agency.settings.clock, ...trusted }
  return {
    algorithms: proofAlgorithms,
    attestations: trusted !== undefined,
    judge: (proofs, expected) => judgeProofs(proofs, needs, expected),
  }
}

/** Another server that the agency's file leaves the giving of tokens to. */
const externalOf = ({ agency }: Mounting, config: Openid4vciConfig): ExternalServer | undefined => {
  const { authorizationServer: named } = config
  if (named === undefined) return undefined
  const { clock, publicUrl } = agency.settings
  const bounds = { allowedHttpOrigins: agency.config.allowedHttpOrigins }
  const fetchText = async (url: string) => (await fetchBounded(url, bounds)).body.toString('utf8')
  return openExternalServer({ ...named, keys: named.jwks?.keys }, { clock, audience: publicUrl, fetchText })
}

/** Wallets for which a provider vouches that the agency's file trusts. */
const attestationsOf = (
  { agency }: Mounting,
  config: Openid4vciConfig,
  trusted: Trusted | undefined,
): AuthorizationNeeds['authorization']['attestations'] =>
  trusted &&
  openClientAttestations({
    ...{ clock: agency.settings.clock, ...trusted, audience: agency.settings.publicUrl },
    ...{ secret: agency.derive('openid4vci attestation challenges'), challengeNeeded: config.attestationChallenge },
  })

const authorizationOf = (
  mounting: Mounting,
  config: Openid4vciConfig,
  trusted: Trusted | undefined,
): AuthorizationNeeds['authorization'] => ({
  policy: {
    haip: config.haip,
    bearer: config.bearer && !config.haip,
    unknownClients: config.unknownClients && !config.haip,
    clients: config.clients,
    crossDevice: config.crossDevice,
  },
  presentations: mounting.presentations,
  attestations: attestationsOf(mounting, config, trusted),
  external: externalOf(mounting, config),
})

/** What the plugin openid4vci needs of an agency. @param issuance as other plugins issue. */
export const openid4vciOf = (mounting: Mounting, issuance: Issuance): Openid4vciNeeds => {
  const { agency, identity, newId, issuerKey } = mounting
  const { house, config: agencyConfig, settings, derive } = agency
  const config = agencyConfig.openid4vci ?? openid4vciDefaults
  const trusted = trustedOf(mounting, config)
  const { batchSize, encryptionRequired, deferredIntervalSeconds, identification } = config
  const knownTypes: Identity['types'] = identity.types
  return {
    ...{ house, derive, newId, qr, spend, knownTypes },
    ...{ publicUrl: settings.publicUrl, title: agencyConfig.title, types: issuable(mounting) },
    dpop: openDpop({ clock: settings.clock, secret: derive('openid4vci dpop nonces') }),
    policy: {
      ...{ haip: config.haip, batchSize, encryptionRequired, deferredIntervalSeconds, identification },
      attestation: config.keyAttestation ?? (config.haip ? {} : undefined),
    },
    authorization: authorizationOf(mounting, config, trusted),
    issuance: { issue: issuing(mounting, issuance, config.haip), store: issuance.store },
    issued: issuedBefore(mounting),
    signingAlgorithm: () => issuerKey().algorithm,
    signMetadata: metadataSigner(mounting),
    keyProofs: keyProofsOf(mounting, trusted),
    encryption: openMessageEncryption(derive('openid4vci request encryption')),
    sweepSpent: openSweep({ house }),
  }
}
