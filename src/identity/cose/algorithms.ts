import { type KeyObject, verify as verifySignature } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import { derOf } from '../ecdsa-form.ts'

/** The signature algorithms of RFC 9053, section 2, and RFC 8812 that are understood here, by their names in JOSE. */
export type CoseAlgorithm = 'ES256' | 'ES384' | 'ES512' | 'ES256K' | 'EdDSA'

/** A public key and what it signs with. */
export type CoseVerificationKey = { publicKey: KeyObject; algorithm: string }

const numbers: Record<CoseAlgorithm, number> = { ES256: -7, ES384: -35, ES512: -36, ES256K: -47, EdDSA: -8 }

const names = new Map<unknown, CoseAlgorithm>([
  ...(Object.entries(numbers) as [CoseAlgorithm, number][]).map(([name, number]) => [number, name] as const),
  // RFC 9864 names the curve with the algorithm: ESP256, ESP384, ESP512 and Ed25519.
  [-9, 'ES256'],
  [-51, 'ES384'],
  [-52, 'ES512'],
  [-19, 'EdDSA'],
])

const digests = { ES256: 'sha256', ES384: 'sha384', ES512: 'sha512', ES256K: 'sha256', EdDSA: null } as const
const curves: Record<string, string> = {
  ...{ ES256: 'prime256v1', ES384: 'secp384r1' },
  ...{ ES512: 'secp521r1', ES256K: 'secp256k1' },
}

/** Octets of a signature: r and s side by side (RFC 9053, section 2.1), or those of Ed25519. */
export const signatureLength = (algorithm: CoseAlgorithm): number => longer[algorithm] ?? 64
const longer: Partial<Record<CoseAlgorithm, number>> = { ES384: 96, ES512: 132 }

/** The number of an algorithm in the IANA registry of COSE algorithms. */
export const algorithmNumber = (algorithm: CoseAlgorithm): number => numbers[algorithm]

/** @throws Refusal rejected/algorithm_refused for every other value of `alg`. */
export const algorithmNamed = (alg: unknown): CoseAlgorithm => {
  const name = names.get(alg)
  if (name === undefined) {
    throw new Refusal(
      'rejected',
      'algorithm_refused',
      'The COSE algorithm must be ES256, ES384, ES512, ES256K or EdDSA.',
    )
  }
  return name
}

const fits = (algorithm: CoseAlgorithm, { publicKey, algorithm: named }: CoseVerificationKey): boolean => {
  if (named !== algorithm || publicKey.type !== 'public') return false
  if (algorithm === 'EdDSA') return publicKey.asymmetricKeyType === 'ed25519'
  const curve = publicKey.asymmetricKeyDetails?.namedCurve
  return publicKey.asymmetricKeyType === 'ec' && curve === curves[algorithm]
}

/** Checks a signature on the thread pool. A key of another algorithm or curve holds nothing. */
export const coseSignatureHolds = (
  algorithm: CoseAlgorithm,
  { input, signature }: { input: Uint8Array; signature: Uint8Array },
  key: CoseVerificationKey,
): Promise<boolean> => {
  if (!fits(algorithm, key)) return Promise.resolve(false)
  const der = algorithm === 'EdDSA' ? signature : derOf(signature)
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, holds: boolean) => (error === null ? resolve(holds) : reject(error))
    verifySignature(digests[algorithm], input, key.publicKey, der, done)
  })
}
