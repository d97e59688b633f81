import { getBytes, hexlify, keccak256, Signature, Transaction, type TransactionLike } from 'ethers'
import secp256k1 from 'secp256k1'

/** r and s as 32 bytes or hex; v as 0, 1, 27 or 28. s is in the lower half of the order. */
export type AccountSignature = { r: Uint8Array | string; s: Uint8Array | string; v: number }

/** An account on the chain whose key is somewhere else. */
export type ChainAccount = {
  /** Hex address. */
  address: string
  /** Signs the 32-byte digest of a transaction. */
  sign(digest: Uint8Array): Promise<AccountSignature>
}

export type SignedTransaction = { raw: string; hash: string }

const hex = (value: Uint8Array | string): string => {
  const text = typeof value === 'string' ? (value.startsWith('0x') ? value : `0x${value}`) : hexlify(value)
  return `0x${text.slice(2).padStart(64, '0')}`
}

const compact = ({ r, s }: Signature): Uint8Array => getBytes(r + s.slice(2))

/** @param publicKey 65 bytes, uncompressed */
const addressOf = (publicKey: Uint8Array): string => `0x${keccak256(publicKey.subarray(1)).slice(-40)}`

/** An account whose key is at hand: of the development chain, never of an agency. */
export const keyAccount = (privateKey: string): ChainAccount => {
  const secret = getBytes(privateKey)
  return {
    address: addressOf(secp256k1.publicKeyCreate(secret, false)),
    sign: async digest => {
      const { signature, recid } = secp256k1.ecdsaSign(digest, secret)
      return { r: signature.subarray(0, 32), s: signature.subarray(32), v: recid }
    },
  }
}

/** Recovers who signed in native code: the library's own way takes as long as all the rest together. */
export const signTransaction = async (account: ChainAccount, fields: TransactionLike): Promise<SignedTransaction> => {
  const transaction = Transaction.from(fields)
  const digest = getBytes(transaction.unsignedHash)
  const { r, s, v } = await account.sign(digest)
  const yParity = v >= 27 ? v - 27 : v
  if (yParity !== 0 && yParity !== 1) throw new Error(`A signature's v is 0, 1, 27 or 28, not ${v}.`)
  const signature = Signature.from({ r: hex(r), s: hex(s), yParity })
  const signer = addressOf(secp256k1.ecdsaRecover(compact(signature), yParity, digest, false))
  if (signer !== account.address.toLowerCase()) {
    throw new Error(`The signer of account ${account.address} signs with the key of ${signer}.`)
  }
  transaction.signature = signature
  const raw = transaction.serialized
  return { raw, hash: keccak256(raw) }
}
