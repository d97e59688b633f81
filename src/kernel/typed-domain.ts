/** EIP-712: the domain that a signature is for. Another chain or another contract is another domain. */
export type TypedDomain = {
  name: string
  version: string
  chainId: number
  /** 0x-prefixed address. */
  verifyingContract: string
}

/** Keccak-256, 32 bytes. */
export type Keccak = (bytes: Uint8Array) => Uint8Array

export const wordBytes = 32

/** The members of `EIP712Domain` in the order in which they are hashed, as `eth_signTypedData_v4` lists them. */
export const domainMembers = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
] as const

const domainType = `EIP712Domain(${domainMembers.map(({ name, type }) => `${type} ${name}`).join(',')})`

/** @throws RangeError for a chain id or a contract that cannot be one. */
export const domainSeparatorOf = (domain: TypedDomain, keccak: Keccak): Uint8Array => {
  const { name, version, chainId, verifyingContract } = domain
  if (!Number.isSafeInteger(chainId) || chainId < 1) throw new RangeError('a chain id is a positive integer')
  if (!/^0x[0-9a-fA-F]{40}$/.test(verifyingContract)) throw new RangeError('a contract is named by its address')
  const bytes = Buffer.alloc(5 * wordBytes)
  bytes.set(keccak(Buffer.from(domainType)), 0)
  bytes.set(keccak(Buffer.from(name)), wordBytes)
  bytes.set(keccak(Buffer.from(version)), 2 * wordBytes)
  bytes.writeBigUInt64BE(BigInt(chainId), 4 * wordBytes - 8)
  bytes.write(verifyingContract.slice(2), 5 * wordBytes - 20, 'hex')
  return keccak(bytes)
}

/** What is signed: keccak(0x1901 ‖ domain separator ‖ keccak(struct)). */
export const typedDigest = (separator: Uint8Array, struct: Uint8Array, keccak: Keccak): Uint8Array => {
  const bytes = Buffer.allocUnsafe(2 + 2 * wordBytes)
  bytes.writeUInt16BE(0x1901, 0)
  bytes.set(separator, 2)
  bytes.set(keccak(struct), 2 + wordBytes)
  return keccak(bytes)
}
