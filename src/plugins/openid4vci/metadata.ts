import type { Configuration } from './configurations.ts'
import type { Openid4vciNeeds } from './needs.ts'

/** Where the endpoints of the credential issuer stand, below the agency's public URL. */
export const endpoints = {
  credential: '/openid4vci/credential',
  nonce: '/openid4vci/nonce',
  deferred: '/openid4vci/deferred-credential',
  notification: '/openid4vci/notification',
  offers: '/openid4vci/offers',
} as const

/** Credential issuer metadata (OpenID4VCI 1.0, section 12.2.4). */
export const issuerMetadata = (
  needs: Pick<Openid4vciNeeds, 'publicUrl' | 'title' | 'policy' | 'encryption' | 'authorization'>,
  configurations: ReadonlyMap<string, Configuration>,
): Record<string, unknown> => {
  const { publicUrl, title, policy, encryption, authorization } = needs
  const { contentEncryptions, agreement, jwk } = encryption
  const encrypted = {
    enc_values_supported: [...contentEncryptions],
    zip_values_supported: ['DEF'],
    encryption_required: policy.encryptionRequired,
  }
  return {
    credential_issuer: publicUrl,
    // Without it the issuer is its own authorization server.
    ...(authorization.external === undefined ? {} : { authorization_servers: [authorization.external.issuer] }),
    credential_endpoint: `${publicUrl}${endpoints.credential}`,
    nonce_endpoint: `${publicUrl}${endpoints.nonce}`,
    deferred_credential_endpoint: `${publicUrl}${endpoints.deferred}`,
    notification_endpoint: `${publicUrl}${endpoints.notification}`,
    credential_request_encryption: { jwks: { keys: [{ ...jwk }] }, ...encrypted },
    credential_response_encryption: { alg_values_supported: [agreement], ...encrypted },
    ...(policy.batchSize < 2 ? {} : { batch_credential_issuance: { batch_size: policy.batchSize } }),
    display: [{ name: title, locale: 'en' }],
    credential_configurations_supported: Object.fromEntries(
      [...configurations].map(([id, { metadata }]) => [id, metadata]),
    ),
  }
}
