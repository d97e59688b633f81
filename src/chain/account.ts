import { getBytes, hexlify, keccak256, Signature, Transaction, type TransactionLike } from 'ethers'

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

export const signTransaction = async (account: ChainAccount, fields: TransactionLike): Promise<SignedTransaction> => {
  const transaction = Transaction.from(fields)
  const { r, s, v } = await account.sign(getBytes(transaction.unsignedHash))
  const yParity = v >= 27 ? v - 27 : v
  if (yParity !== 0 && yParity !== 1) throw new Error(`A signature's v is 0, 1, 27 or 28, not ${v}.`)
  transaction.signature = Signature.from({ r: hex(r), s: hex(s), yParity })
  if (transaction.from?.toLowerCase() !== account.address.toLowerCase()) {
    throw new Error(`The signer of account ${account.address} signs with the key of ${transaction.from}.`)
  }
  const raw = transaction.serialized
  return { raw, hash: keccak256(raw) }
}
