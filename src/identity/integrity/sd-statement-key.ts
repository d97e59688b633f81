import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { proofMalformed } from './sd-proof-value.ts'

/**
 * The key of one proof (vc-di-ecdsa, section 3.6.5): it signs every statement that a holder may choose to show, the
 * issuer signs its public half, and its private half is gone when the proof is made. Signatures go through the thread
 * pool: a credential has tens of statements, and the process has others to answer.
 */
export type StatementKey = {
  /** Multikey without its multibase: 0x8024 and the compressed point, 35 octets (vc-di-ecdsa, section 2.1.1). */
  publicKey: Uint8Array
  /** ES256 over UTF-8: r and s side by side, 64 octets each, in the order of the statements. */
  sign(statements: readonly string[]): Promise<Uint8Array[]>
}

/**
 * Two octets of the multicodec and 33 of the compressed point. The Recommendation asks for 36 in section 3.5.8; its own
 * vectors and everybody's proofs have 35.
 */
export const statementKeyLength = 35

const multicodec = Buffer.from([0x80, 0x24])
/** SubjectPublicKeyInfo of a P-256 key, up to its compressed point. */
const spkiStart = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex')
const coordinateLength = 32
const dsaEncoding = 'ieee-p1363'

const multikeyOf = (publicKey: KeyObject): Uint8Array => {
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-2 * coordinateLength)
  const odd = (point[2 * coordinateLength - 1] ?? 0) & 1
  return Buffer.concat([multicodec, Buffer.from([2 + odd]), point.subarray(0, coordinateLength)])
}

const signed = (privateKey: KeyObject, statement: string): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    sign('sha256', Buffer.from(statement), { key: privateKey, dsaEncoding }, (error, signature) =>
      error === null ? resolve(signature) : reject(error),
    )
  })

/** A fresh key that nothing but this proof is signed with. */
export const statementKey = (): StatementKey => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    publicKey: multikeyOf(publicKey),
    sign: statements => Promise.all(statements.map(statement => signed(privateKey, statement))),
  }
}

const keyOf = (multikey: Uint8Array): KeyObject => {
  if (!multicodec.equals(multikey.subarray(0, 2))) throw proofMalformed('The key of the proof value is not P-256.')
  try {
    return createPublicKey({ key: Buffer.concat([spkiStart, multikey.subarray(2)]), format: 'der', type: 'spki' })
  } catch {
    throw proofMalformed('The key of the proof value is not a point of P-256.')
  }
}

/** ES256 (SHA-256, r and s side by side). Whatever cannot be read as a signature does not verify. */
export const es256Holds = (publicKey: KeyObject, data: Uint8Array, signature: Uint8Array): Promise<boolean> =>
  new Promise(resolve => {
    const key = { key: publicKey, dsaEncoding } as const
    verify('sha256', data, key, signature, (error, holds) => resolve(error === null && holds))
  })

/**
 * Whether each statement has its signature by the key of the proof; as many of both is the caller's to see to.
 * @throws Refusal malformed/proof_malformed for a key that is none
 */
export const statementsHold = async (
  multikey: Uint8Array,
  statements: readonly string[],
  signatures: readonly Uint8Array[],
): Promise<boolean> => {
  const key = keyOf(multikey)
  const judged = statements.map((statement, at) =>
    es256Holds(key, Buffer.from(statement), signatures[at] ?? new Uint8Array()),
  )
  return (await Promise.all(judged)).every(Boolean)
}
