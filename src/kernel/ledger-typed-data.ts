import { type EntryOf, type KindName, kinds, type SignedEntry } from './ledger-entry.ts'
import { domainMembers, type Keccak, type TypedDomain, wordBytes } from './typed-domain.ts'

/** What an owner signs of an entry, as EIP-712 typed data: for verifiers its bytes, for wallets its JSON. */

export type SignedKind = SignedEntry['kind']
type Member = { name: string; type: string }

/** `eth_signTypedData_v4`'s parameter. 64-bit numbers are decimal strings, bytes are 0x-prefixed hex. */
export type LedgerTypedData = {
  types: Record<string, readonly Member[]>
  primaryType: string
  domain: TypedDomain
  message: Record<string, string | number>
}

type Plan = { type: string; primaryType: string; members: Member[] }

const planOf = (type: string): Plan => {
  const [, primaryType = '', listed = ''] = /^(\w+)\((.*)\)$/.exec(type) ?? []
  const members = listed.split(',').map(member => {
    const [of = '', name = ''] = member.split(' ')
    return { name, type: of }
  })
  return { type, primaryType, members }
}

const plans = Object.fromEntries(
  (Object.keys(kinds) as KindName[]).flatMap(name => {
    const kind = kinds[name]
    return 'signature' in kind ? [[name, planOf(kind.signature)]] : []
  }),
) as Record<SignedKind, Plan>

export const signedKinds = Object.keys(plans) as SignedKind[]

/** Right-aligned big-endian numbers and addresses; `bytes32` fills its word. */
const writeWord = (bytes: Buffer, at: number, type: string, value: unknown): void => {
  const end = at + wordBytes
  if (type === 'uint64') bytes.writeBigUInt64BE(value as bigint, end - 8)
  else if (type === 'uint32') bytes.writeUInt32BE(value as number, end - 4)
  else if (type === 'uint16') bytes.writeUInt16BE(value as number, end - 2)
  else if (type === 'uint8') bytes.writeUInt8(value as number, end - 1)
  else {
    const width = type === 'address' ? 20 : wordBytes
    const text = value as string
    if (text.length !== 2 * width || bytes.write(text, end - width, width, 'hex') !== width) {
      throw new RangeError(`${width} bytes in hex were expected`)
    }
  }
}

/** The hot one, written out: the type hash and seven words. */
const transferStruct = (typeHash: Uint8Array, entry: EntryOf<'transfer'>): Buffer => {
  const bytes = Buffer.alloc(8 * wordBytes)
  bytes.set(typeHash, 0)
  bytes.writeUInt32BE(entry.from, 60)
  bytes.writeUInt32BE(entry.to, 92)
  bytes.writeUInt16BE(entry.currency, 126)
  bytes.writeBigUInt64BE(entry.amount, 152)
  bytes.writeUInt16BE(entry.fee, 190)
  bytes.writeUInt32BE(entry.nonce, 220)
  bytes.writeUInt32BE(entry.validUntil, 252)
  return bytes
}

/**
 * @returns what gives the struct of a signed entry as it is hashed (EIP-712, encodeData): the type hash and a word a member.
 * It throws RangeError for a value that its field cannot hold. The signature is not looked at.
 */
export const openStructs = (keccak: Keccak): ((entry: SignedEntry) => Uint8Array) => {
  const typeHashes = Object.fromEntries(
    signedKinds.map(kind => [kind, Buffer.from(keccak(Buffer.from(plans[kind].type)))]),
  ) as Record<SignedKind, Buffer>
  return entry => {
    const typeHash = typeHashes[entry.kind]
    if (entry.kind === 'transfer') return transferStruct(typeHash, entry)
    const { members } = plans[entry.kind]
    const bytes = Buffer.alloc((1 + members.length) * wordBytes)
    bytes.set(typeHash, 0)
    members.forEach(({ name, type }, position) => {
      writeWord(bytes, (1 + position) * wordBytes, type, (entry as Record<string, unknown>)[name])
    })
    return bytes
  }
}

const shown = (value: unknown): string | number => {
  if (typeof value === 'bigint') return value.toString()
  return typeof value === 'string' ? `0x${value}` : (value as number)
}

/** What a wallet is asked to sign, with every member by name. */
export const typedDataOf = (entry: SignedEntry, domain: TypedDomain): LedgerTypedData => {
  const { primaryType, members } = plans[entry.kind]
  const message = members.map(({ name }) => [name, shown((entry as Record<string, unknown>)[name])] as const)
  const types = { EIP712Domain: domainMembers, [primaryType]: members }
  return { types, primaryType, domain, message: Object.fromEntries(message) }
}
