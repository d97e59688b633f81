import type { JsonWebKey } from 'node:crypto'
import { getBytes, hexlify, id, TypedDataEncoder } from 'ethers'
import { withLowS } from '../kernel/low-s.ts'
import type { ChainWrite } from '../kernel/ports.ts'
import type { AccountSignature } from './account.ts'
import { type Binding as Contract, modes, purposes, toSeconds } from './contracts.ts'

/**
 * What an issuer signs so that a wallet is bound to a person's pseudonym in a domain (WalletRegistry). Addresses and
 * bytes are lower-case hex.
 */
export type WalletBinding = {
  /** Address of the issuer's did:ethr. */
  issuer: string
  wallet: string
  /** See `domainIdOf`. */
  domain: string
  /** See `pseudonymIdOf`. */
  pseudonym: string
  /** Of due diligence: 1 basic, 2 verified, 3 enhanced. */
  level: number
  /** ISO 3166-1 alpha-2, or an ISO 3166-2 code, of which the country counts. */
  jurisdiction: string
  /** Milliseconds; whole seconds count. */
  expiry: number
  /** Place in a binding list of the issuer: each place serves one binding, which makes it the signature's nonce. */
  list: number
  index: number
  /** A wallet of the same pseudonym in this domain whose place this one takes. @default none */
  replaces?: string
  /** Milliseconds. Until then the signature may be handed in. */
  deadline: number
}

/** Where bindings count: a signature is good on this chain and for this contract only. */
export type WalletRegistryPlace = { chainId: number; address: string }

/** As wallets and `eth_signTypedData_v4` take it; numbers in the message are seconds. */
export type BindingTypedData = {
  domain: { name: string; version: string; chainId: number; verifyingContract: string }
  types: { Binding: { name: string; type: string }[] }
  primaryType: 'Binding'
  message: Record<string, string | number>
}

/** The first of an issuer's binding lists: credentials' lists begin at 0. A binding list's number has 16 bits. */
export const firstBindingList = 32_768

const zeroAddress = `0x${'0'.repeat(40)}`

const bindingFields = [
  { name: 'issuer', type: 'address' },
  { name: 'wallet', type: 'address' },
  { name: 'domain', type: 'bytes32' },
  { name: 'pseudonym', type: 'bytes32' },
  { name: 'level', type: 'uint8' },
  { name: 'jurisdiction', type: 'bytes2' },
  { name: 'expiry', type: 'uint32' },
  { name: 'list', type: 'uint16' },
  { name: 'index', type: 'uint24' },
  { name: 'replaces', type: 'address' },
  { name: 'deadline', type: 'uint64' },
]

/** A domain as the chain knows it: keccak256 of its name, a currency or a register. */
export const domainIdOf = (name: string): string => id(name)

/** A pseudonym of 32 bytes, base64url (43 characters) → bytes32. @throws RangeError */
export const pseudonymIdOf = (value: string): string => {
  const bytes = Buffer.from(value, 'base64url')
  if (bytes.length !== 32 || bytes.toString('base64url') !== value) throw new RangeError('A pseudonym has 32 bytes.')
  return `0x${bytes.toString('hex')}`
}

/** bytes32 → base64url. */
export const pseudonymOfId = (bytes32: string): string => Buffer.from(bytes32.slice(2), 'hex').toString('base64url')

/** "NL", or "NL-NH", → two bytes in hex. @throws RangeError */
export const jurisdictionId = (code: string): string => {
  if (!/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(code)) throw new RangeError('A jurisdiction is an ISO 3166 code.')
  return hexlify(Buffer.from(code.slice(0, 2), 'latin1'))
}

/** Two bytes in hex → "NL"; undefined for none. */
export const jurisdictionOfId = (bytes2: string): string | undefined =>
  bytes2 === '0x0000' ? undefined : Buffer.from(bytes2.slice(2), 'hex').toString('latin1')

const messageOf = (binding: WalletBinding): Record<string, string | number> => ({
  issuer: binding.issuer,
  wallet: binding.wallet,
  domain: binding.domain,
  pseudonym: binding.pseudonym,
  level: binding.level,
  jurisdiction: jurisdictionId(binding.jurisdiction),
  expiry: toSeconds(binding.expiry),
  list: binding.list,
  index: binding.index,
  replaces: binding.replaces ?? zeroAddress,
  deadline: toSeconds(binding.deadline),
})

/** EIP-712 typed data of a binding, for show and for signing. */
export const bindingTypedData = (place: WalletRegistryPlace, binding: WalletBinding): BindingTypedData => ({
  domain: { name: 'WalletRegistry', version: '1', chainId: place.chainId, verifyingContract: place.address },
  types: { Binding: bindingFields },
  primaryType: 'Binding',
  message: messageOf(binding),
})

/**
 * The 32 bytes that the issuer signs: with a secp256k1 key as they are, with a P-256 key by ES256, which hashes them
 * with SHA-256 once more, so that any KMS can sign.
 */
export const bindingDigest = (place: WalletRegistryPlace, binding: WalletBinding): Uint8Array => {
  const { domain, types, message } = bindingTypedData(place, binding)
  return getBytes(TypedDataEncoder.hash(domain, types, message))
}

const number = (bytes: Uint8Array): bigint => BigInt(hexlify(bytes))
const word = (value: bigint): string => value.toString(16).padStart(64, '0')

/**
 * A P-256 signature as WalletRegistry takes it: thumbprint ‖ r ‖ s, s in the lower half of the order.
 * @param thumbprint RFC 7638, base64url, of a key that the root admitted for the issuer
 * @param signature r ‖ s, as a `Signer` gives it for ES256 over `bindingDigest`
 */
export const p256BindingSignature = (thumbprint: string, signature: Uint8Array): string => {
  const key = Buffer.from(thumbprint, 'base64url')
  if (key.length !== 32 || signature.length !== 64) throw new RangeError('A thumbprint has 32 bytes, a signature 64.')
  return `0x${key.toString('hex')}${withLowS(signature)}`
}

/** A secp256k1 signature of the issuer's owner or delegate as WalletRegistry takes it: r ‖ s ‖ v. */
export const secp256k1BindingSignature = ({ r, s, v }: AccountSignature): string => {
  const hex = (part: Uint8Array | string) =>
    word(typeof part === 'string' ? BigInt(part.startsWith('0x') ? part : `0x${part}`) : number(part))
  return `0x${hex(r)}${hex(s)}${(v < 27 ? v + 27 : v).toString(16)}`
}

/** Hands a signed binding in; whoever sends it pays. */
export const bindWrite = (given: { binding: WalletBinding; signature: string; account: string }): ChainWrite => ({
  contract: 'WalletRegistry',
  method: 'bind',
  args: [messageOf(given.binding), given.signature],
  account: given.account,
})

/** The same as a call that the citizen sends from any account. */
export const bindCall = (
  registry: Contract,
  given: { binding: WalletBinding; signature: string },
): { to: string; data: string } => ({
  to: registry.address,
  data: registry.interface.encodeFunctionData('bind', [messageOf(given.binding), given.signature]),
})

/** Opens a list for bindings alone. @param given.length a multiple of 256, 131,072 at least */
export const openBindingListWrite = (given: { issuer: string; list: number; length: number }): ChainWrite => ({
  contract: 'StatusRegistry',
  method: 'openLists',
  args: [given.issuer, [given.list], [purposes.binding], [modes.bitmap], [given.length]],
  account: given.issuer,
})

/** Lets an issuer sign bindings with a P-256 key; by the root's account. @param given.jwk the public key. @throws RangeError */
export const admitIssuerKeyWrite = (given: { issuer: string; jwk: JsonWebKey; account: string }): ChainWrite => {
  const { crv, x, y } = given.jwk
  if (crv !== 'P-256') throw new RangeError('WalletRegistry knows P-256 keys.')
  const coordinate = (part: string | undefined) => `0x${Buffer.from(part ?? '', 'base64url').toString('hex')}`
  return {
    contract: 'WalletRegistry',
    method: 'admitIssuerKey',
    args: [given.issuer, coordinate(x), coordinate(y)],
    account: given.account,
  }
}
