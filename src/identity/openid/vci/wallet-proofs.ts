import { Refusal } from '../../../kernel/refusal.ts'
import { sealJws } from '../../formats/jose.ts'
import { keyProofType } from './key-proof.ts'
import { type OwnKey, signWith } from './wallet-keys.ts'
import type { Configuration, ProofWish } from './wallet-metadata.ts'
import { sealKeyAttestation, type WalletProvider } from './wallet-provider.ts'

/** How a credential names its holder's key. */
export type Binding = 'did:key' | 'did:jwk' | 'jwk'

/** A holder's key that a credential is to be bound to. */
export type BoundKey = OwnKey & { did: string }

/** How a configuration's keys are proved: decided once, before any key is made. */
export type ProofPlan = { binding: Binding; type: 'jwt' | 'attestation'; attested: boolean }

const unsupported = (detail: string, id: string): Refusal =>
  new Refusal('rejected', 'configuration_unsupported', detail, { facts: { configurationId: id.slice(0, 200) } })

const bindingOf = ({ bindings, format, id }: Configuration): Binding => {
  if (format === 'mso_mdoc' && (bindings.includes('cose_key') || bindings.includes('jwk'))) return 'jwk'
  // A DID first: it is what names the holder in every W3C format.
  for (const binding of ['did:key', 'did:jwk', 'jwk'] as const) if (bindings.includes(binding)) return binding
  if (bindings.length === 0) throw unsupported('A wallet keeps only credentials that are bound to its keys.', id)
  throw unsupported('The issuer binds the credential in no way that this wallet knows: jwk, did:key, did:jwk.', id)
}

const signedWith = (wish: ProofWish | undefined, algorithm: string): boolean =>
  wish?.algorithms.includes(algorithm) === true

/**
 * Decides how keys are proved for a configuration (OpenID4VCI 1.0, appendix F): a signature by each key first, an
 * attestation where one is asked for.
 * @param attester the algorithm of the wallet provider's key, where there is a provider.
 * @throws Refusal rejected/configuration_unsupported, rejected/key_attestation_unavailable
 */
export const planProof = (configuration: Configuration, attester: string | undefined): ProofPlan => {
  const { proofs, id } = configuration
  const binding = bindingOf(configuration)
  const { jwt, attestation } = proofs
  const canAttest = (wish: ProofWish | undefined): boolean => attester !== undefined && signedWith(wish, attester)
  if (signedWith(jwt, 'ES256') && jwt?.attestation === undefined) return { binding, type: 'jwt', attested: false }
  if (signedWith(jwt, 'ES256') && canAttest(jwt)) return { binding, type: 'jwt', attested: true }
  if (canAttest(attestation)) return { binding, type: 'attestation', attested: true }
  if (attestation === undefined && jwt?.attestation === undefined) {
    throw unsupported('The issuer takes no proof of a key that this wallet can make: jwt with ES256.', id)
  }
  const detail = 'The issuer asks for a key attestation, and nobody attests the keys of this wallet to it.'
  throw new Refusal('rejected', 'key_attestation_unavailable', detail)
}

type Asked = { audience: string; nonce?: string | undefined; clientId?: string | undefined }

const sealProof = (
  key: BoundKey,
  binding: Binding,
  asked: Asked & { attestation?: string | undefined },
  now: number,
): Promise<string> => {
  const { audience, nonce, clientId, attestation } = asked
  const fragment = binding === 'did:key' ? key.did.slice('did:key:'.length) : '0'
  const named = binding === 'jwk' ? { jwk: key.publicJwk } : { kid: `${key.did}#${fragment}` }
  const header = {
    ...{ typ: keyProofType, alg: 'ES256' as const, ...named },
    ...(attestation === undefined ? {} : { key_attestation: attestation }),
  }
  const payload = {
    ...(clientId === undefined ? {} : { iss: clientId }),
    ...{ aud: audience, iat: Math.floor(now / 1_000) },
    ...(nonce === undefined ? {} : { nonce }),
  }
  return sealJws(header, payload, signWith(key))
}

/**
 * The `proofs` of one credential request (OpenID4VCI 1.0, section 8.2): a jwt by each key; or one attestation over all,
 * alone or in the header of a jwt by the first.
 */
export const sealProofs = async (
  keys: readonly [BoundKey, ...BoundKey[]],
  plan: ProofPlan,
  asked: Asked,
  provider: WalletProvider | undefined,
  now: number,
): Promise<{ jwt: string[] } | { attestation: string[] }> => {
  const publics = keys.map(({ publicJwk }) => publicJwk)
  const attestation =
    plan.attested && provider !== undefined
      ? await sealKeyAttestation(provider, { keys: publics, nonce: asked.nonce }, now)
      : undefined
  if (plan.type === 'attestation') return { attestation: [attestation ?? ''] }
  const signing = attestation === undefined ? keys : keys.slice(0, 1)
  return { jwt: await Promise.all(signing.map(key => sealProof(key, plan.binding, { ...asked, attestation }, now))) }
}
