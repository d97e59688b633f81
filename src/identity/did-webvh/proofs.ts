import { isRefusal } from '../../kernel/refusal.ts'
import { isRecord } from '../formats/json.ts'
import { Generations } from '../generations.ts'
import { eddsaJcs2022 } from '../integrity/eddsa.ts'
import { verifyProofs } from '../integrity/proofs.ts'
import { fromMultikey, type SigningKey } from '../multikey.ts'
import { keyUnauthorised, proofRefused } from './refusals.ts'

/** `did:key:<multikey>#<multikey>`, both the same: the body says which key it is (Witness DIDs and Reputation). */
const methodForm = /^did:key:(z[1-9A-HJ-NP-Za-km-z]{40,60})#\1$/

/** The multikey of a verification method, if it is one. */
export const multikeyOf = (verificationMethod: unknown): string | undefined =>
  typeof verificationMethod === 'string' ? methodForm.exec(verificationMethod)?.[1] : undefined

export const methodOfMultikey = (multikey: string): string => `did:key:${multikey}#${multikey}`

const proofsMost = 4

/** Whatever a proof of a log is, it is of this suite: a signature of another is none, even if it holds. */
const assertSuite = (proof: unknown): void => {
  const proofs = Array.isArray(proof) ? proof : [proof]
  if (proofs.length > proofsMost) throw proofRefused(`An entry of the log has at most ${proofsMost} proofs.`)
  for (const each of proofs) {
    const isSuite = isRecord(each) && each['type'] === 'DataIntegrityProof' && each['cryptosuite'] === eddsaJcs2022.name
    if (!isSuite) throw proofRefused(`A proof of the log is not a DataIntegrityProof of ${eddsaJcs2022.name}.`)
  }
}

/** Entries of a log name the same few keys over and over; reading one costs as much as a signature. */
const readKeys = new Generations<SigningKey>(1_000)

const ed25519 = (multikey: string): SigningKey => {
  const known = readKeys.get(multikey)
  if (known !== undefined) return known
  const key = fromMultikey(multikey)
  if (key.kind !== 'Ed25519') throw proofRefused('A key of the log is not an Ed25519 key.')
  readKeys.set(multikey, key)
  return key
}

const verify = async (
  document: Record<string, unknown>,
  keyOf: (verificationMethod: string) => string,
  now: number,
): Promise<void> => {
  assertSuite(document['proof'])
  try {
    await verifyProofs(document, { now, proofPurpose: 'assertionMethod' }, async method => {
      const multikey = keyOf(method)
      return { ...ed25519(multikey), controller: `did:key:${multikey}` }
    })
  } catch (error) {
    if (!isRefusal(error) || error.code.startsWith('did_log_')) throw error
    throw proofRefused(error.message, error)
  }
}

/**
 * Every proof of an entry holds and is by an authorised key (Authorized Keys).
 * @throws Refusal rejected/did_log_proof, did_log_key
 */
export const verifyEntryProofs = (
  entry: Record<string, unknown>,
  authorised: readonly string[],
  now: number,
): Promise<void> =>
  verify(
    entry,
    method => {
      const multikey = multikeyOf(method)
      if (multikey === undefined) throw proofRefused('A proof of the log names no did:key with its own key.')
      if (!authorised.includes(multikey)) throw keyUnauthorised()
      return multikey
    },
    now,
  )

/** Whether a witness approved a version: the key is the one that its did:key carries, and no other. */
export const witnessHolds = async (
  versionId: string,
  proof: Record<string, unknown>,
  now: number,
): Promise<boolean> => {
  const multikey = multikeyOf(proof['verificationMethod'])
  if (multikey === undefined) return false
  try {
    await verify({ versionId, proof }, () => multikey, now)
    return true
  } catch (error) {
    if (isRefusal(error)) return false
    throw error
  }
}
