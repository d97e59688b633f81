import type { Clock } from '../../../kernel/ports.ts'
import type { DidKeys } from '../../did-keys.ts'
import { isRecord } from '../../formats/json.ts'
import type { JudgeAttestationStatus } from '../attestation-status.ts'
import type { Attesters } from '../attesters.ts'
import { type AttestationRequirement, judgeKeyAttestation, type KeyAttestation } from './key-attestation.ts'
import { assertLocal, type HolderKey, holderKeyOf, judgeKeyProof } from './key-proof.ts'
import { invalidProof } from './refusals.ts'

/** Of proofs and of the key attestations with them. */
export const proofAlgorithms = ['ES256', 'ES384', 'EdDSA', 'ES256K'] as const

export type ProofsNeeds = {
  dids: DidKeys
  clock: Clock
  /** Providers of wallets that are trusted; without them no attestation counts. */
  attesters?: Attesters | undefined
  judgeStatus?: JudgeAttestationStatus | undefined
}

export type ProofsExpected = {
  /** Credential Issuer Identifier. */
  audience: string
  /** Judges a c_nonce. @throws Refusal rejected/invalid_nonce */
  nonce(nonce: string): void
  client: { id: string | undefined }
  algorithms: readonly string[]
  /** Where it is set, a key without attestation proves nothing. */
  attestation: AttestationRequirement | undefined
  /** Keys at most, a credential each. */
  most: number
}

/** The keys that credentials are to be bound to, and the nonces that proved them. */
export type ProvenKeys = { keys: HolderKey[]; nonces: string[] }

/** One type of proof, and its values. */
const listOf = (proofs: unknown): { type: 'jwt' | 'attestation'; values: string[] } => {
  if (!isRecord(proofs)) throw invalidProof('The request has no proofs.')
  const [entry, ...others] = Object.entries(proofs)
  if (entry === undefined || others.length > 0) throw invalidProof('proofs has exactly one type of proof.')
  const [type, values] = entry
  if (type !== 'jwt' && type !== 'attestation') throw invalidProof('Proofs are of the type jwt or attestation.')
  if (!Array.isArray(values) || values.length === 0 || !values.every(value => typeof value === 'string')) {
    throw invalidProof('A type of proof has a list of JWTs, with one at least.')
  }
  if (type === 'attestation' && values.length !== 1)
    throw invalidProof('The proof type attestation has exactly one JWT.')
  return { type, values }
}

const distinct = (keys: readonly HolderKey[], { most, algorithms }: ProofsExpected): HolderKey[] => {
  const found = [...new Map(keys.map(key => [key.thumbprint, key])).values()]
  if (found.length > most) throw invalidProof(`One request binds at most ${most} credentials.`)
  for (const { did } of found) assertLocal(did)
  const odd = found.find(key => !algorithms.includes(key.algorithm))
  if (odd !== undefined)
    throw invalidProof(`A credential of this configuration is bound to keys for ${algorithms.join(', ')}.`)
  return found
}

/**
 * Judges the `proofs` of a credential request (OpenID4VCI 1.0, section 8.2, appendix F). All `jwt` proofs answer one nonce.
 * @returns each key once, in the order of the proofs; behind the key of a proof the others that its attestation attests.
 * @throws Refusal rejected/invalid_proof, rejected/invalid_nonce; unavailable for what cannot be known now
 */
export const judgeProofs = async (
  proofs: unknown,
  needs: ProofsNeeds,
  expected: ProofsExpected,
): Promise<ProvenKeys> => {
  const { type, values } = listOf(proofs)
  if (values.length > expected.most) throw invalidProof(`One request has at most ${expected.most} proofs.`)
  const { attesters, judgeStatus } = needs
  const attesting = attesters && { clock: needs.clock, attesters, judgeStatus, algorithms: proofAlgorithms }
  const requirement = expected.attestation

  if (type === 'attestation') {
    if (attesting === undefined) throw invalidProof('No provider of wallets is trusted here, so no key attestation is.')
    const { keys, nonce } = await judgeKeyAttestation(values[0] as string, attesting, { proof: type, requirement })
    if (nonce === undefined) throw invalidProof('The key attestation has no nonce.')
    expected.nonce(nonce)
    return { keys: distinct(keys.map(holderKeyOf), expected), nonces: [nonce] }
  }

  const nonces = new Set<string>()
  const attested = new Set<string>()
  // The proofs of a batch often bring one attestation of all their keys.
  const known = new Map<string, Promise<KeyAttestation>>()
  const judged = await Promise.all(
    values.map(value => {
      let own: string | undefined
      return judgeKeyProof(
        value,
        {
          ...needs,
          ...(attesting && {
            attestation: async (compact: string) => {
              const judging =
                known.get(compact) ?? judgeKeyAttestation(compact, attesting, { proof: type, requirement })
              known.set(compact, judging)
              const attestation = await judging
              attested.add(attestation.nonce ?? '')
              return attestation
            },
          }),
        },
        {
          ...{ audience: [expected.audience], by: ['kid', 'jwk', 'x5c'], local: true, client: expected.client },
          algorithms: proofAlgorithms,
          nonce(nonce) {
            // The proof's own comes first; a key attestation may answer another one of this issuer.
            own ??= nonce
            if (nonce === own) nonces.add(nonce)
            expected.nonce(nonce)
          },
        },
      )
    }),
  )
  if (nonces.size > 1) throw invalidProof('The proofs of one request answer one c_nonce.')
  if (requirement !== undefined && judged.some(({ attestation }) => attestation === undefined)) {
    throw invalidProof('A key of this configuration needs an attestation of a trusted provider of wallets.')
  }
  const keys = judged.flatMap(({ key, attestation }) => [key, ...(attestation?.keys ?? []).map(holderKeyOf)])
  return { keys: distinct(keys, expected), nonces: [...new Set([...nonces, ...attested])] }
}
