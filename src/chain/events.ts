import { Interface } from 'ethers'
import type { LogEntry } from './client.ts'

/** The events that the replica is made of; a test keeps them in step with the contracts' ABI. */
export const eventFragments = {
  EthereumDIDRegistry: [
    'event DIDOwnerChanged(address indexed identity, address owner, uint256 previousChange)',
    'event DIDDelegateChanged(address indexed identity, bytes32 delegateType, address delegate, uint256 validTo, uint256 previousChange)',
    'event DIDAttributeChanged(address indexed identity, bytes32 name, bytes value, uint256 validTo, uint256 previousChange)',
  ],
  StatusRegistry: [
    'event ListOpened(address indexed issuer, uint256 indexed list, uint8 purpose, uint8 mode, uint32 length)',
    'event StatusChanged(address indexed issuer, uint256 indexed list, uint256 word, uint256 newWord)',
    'event Anchored(address indexed issuer, uint256 indexed list, uint64 version, bytes32 digest, uint64 at, string url)',
  ],
  TrustRegistry: [
    'event Accredited(address indexed parent, address indexed issuer, bytes32 indexed typeId, uint64 validFrom, uint64 validUntil, uint8 depth)',
    'event AccreditationEnded(address indexed parent, address indexed issuer, bytes32 indexed typeId, uint64 at)',
    'event AccreditationVoided(address indexed parent, address indexed issuer, bytes32 indexed typeId, uint64 since)',
    'event KeyDistrusted(address indexed issuer, bytes32 indexed thumbprint, uint64 since)',
    'event SchemaAdmitted(bytes32 indexed typeId, bytes32 indexed digest)',
    'event SchemaWithdrawn(bytes32 indexed typeId, bytes32 indexed digest, uint64 at)',
  ],
  WalletRegistry: [
    'event Bound(address indexed wallet, bytes32 indexed domain, bytes32 indexed pseudonym, address issuer, uint16 list, uint24 index, uint8 level, bytes2 jurisdiction, uint32 expiry)',
    'event Unbound(address indexed wallet, bytes32 indexed domain, bytes32 indexed pseudonym, address by)',
    'event IssuerKeyAdmitted(address indexed issuer, bytes32 indexed thumbprint, bytes32 x, bytes32 y)',
    'event IssuerKeyWithdrawn(address indexed issuer, bytes32 indexed thumbprint)',
  ],
} as const

export type SourceName = keyof typeof eventFragments

/** Where an event stands; together it orders all events. */
export type Place = { block: number; log: number /** Seconds. */; time: number }

/** As the resolver of did:ethr reads them. `name` and `delegateType` are bytes32 in hex. */
export type DidEvent = {
  kind: 'owner' | 'delegate' | 'attribute'
  identity: string
  block: number
  log: number
  /** Milliseconds. */
  timestamp: number
} & (
  | { kind: 'owner'; owner: string }
  | { kind: 'delegate'; delegateType: string; delegate: string /** Seconds. */; validTo: bigint }
  | { kind: 'attribute'; name: string; value: string /** Seconds. */; validTo: bigint }
)

/** Addresses and hashes are lower-case hex, times milliseconds. */
export type WordEvent = Place & { kind: 'StatusChanged'; issuer: string; list: number; word: number; bits: Uint8Array }

export type ListEvent = Place & { issuer: string; list: number } & (
    | { kind: 'ListOpened'; purpose: number; mode: number; length: number }
    | { kind: 'Anchored'; version: number; digest: string; at: number; url: string }
  )

export type TrustEvent = Place &
  (
    | ({ kind: 'Accredited'; validFrom: number; validUntil: number; depth: number } & Accreditee)
    | ({ kind: 'AccreditationEnded'; at: number } & Accreditee)
    | ({ kind: 'AccreditationVoided'; since: number } & Accreditee)
    | { kind: 'KeyDistrusted'; issuer: string; thumbprint: string; since: number }
    | { kind: 'SchemaAdmitted'; typeId: string; digest: string }
    | { kind: 'SchemaWithdrawn'; typeId: string; digest: string; at: number }
  )

/** `parent` is null when the root did it. */
export type Accreditee = { parent: string | null; issuer: string; typeId: string }

/** `jurisdiction` is two bytes in hex. */
export type BoundEvent = Place & {
  kind: 'Bound'
  wallet: string
  domain: string
  pseudonym: string
  issuer: string
  list: number
  index: number
  level: number
  jurisdiction: string
  expiry: number
}

export type WalletEvent =
  | BoundEvent
  | (Place & { kind: 'Unbound'; wallet: string; domain: string; pseudonym: string })
  | (Place & { kind: 'IssuerKeyAdmitted' | 'IssuerKeyWithdrawn'; issuer: string; thumbprint: string })

export type ChainEvent = DidEvent | WordEvent | ListEvent | TrustEvent | WalletEvent

/** Takes the newest events away, down to a block. */
export const dropAbove = (events: { block: number }[], ancestor: number): void => {
  while ((events.at(-1)?.block ?? -1) > ancestor) events.pop()
}

const zero = `0x${'0'.repeat(40)}`
const interfaces = Object.fromEntries(
  Object.entries(eventFragments).map(([name, fragments]) => [name, new Interface(fragments)]),
) as Record<SourceName, Interface>
const statusChanged = interfaces.StatusRegistry.getEvent('StatusChanged')?.topicHash
const bound = interfaces.WalletRegistry.getEvent('Bound')?.topicHash

const addressOf = (topic: string | undefined): string => `0x${(topic ?? '').slice(26)}`

/** A number that a pointer or a date can name; anything above is the highest there is. */
const bounded = (value: bigint, factor = 1n): number => {
  const scaled = value * factor
  return scaled > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(scaled)
}

/** Decoded by hand: there may be millions of these. */
const wordOf = (log: LogEntry, place: Place): WordEvent | undefined => {
  const list = BigInt(log.topics[2] ?? '0x')
  if (list > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  const data = Buffer.from(log.data.slice(2), 'hex')
  return {
    kind: 'StatusChanged',
    ...place,
    issuer: addressOf(log.topics[1]),
    list: Number(list),
    word: data.readUInt32BE(28),
    bits: data.subarray(32, 64),
  }
}

/** By hand, too: one for every wallet of the nation. */
const boundOf = (log: LogEntry, place: Place): BoundEvent => {
  const data = Buffer.from(log.data.slice(2), 'hex')
  const last = (word: number): number => data.readUInt32BE(word * 32 + 28)
  return {
    kind: 'Bound',
    ...place,
    wallet: addressOf(log.topics[1]),
    domain: log.topics[2] ?? '',
    pseudonym: log.topics[3] ?? '',
    issuer: `0x${data.toString('hex', 12, 32)}`,
    list: last(1),
    index: last(2),
    level: last(3),
    jurisdiction: `0x${data.toString('hex', 128, 130)}`,
    expiry: last(5) * 1_000,
  }
}

const milliseconds = ['validFrom', 'validUntil', 'since', 'at']
const hexadecimal = ['issuer', 'parent', 'wallet', 'by']

const field = (name: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return bounded(value, milliseconds.includes(name) ? 1_000n : 1n)
  if (typeof value !== 'string') return value
  if (name === 'parent' && value === zero) return null
  return hexadecimal.includes(name) ? value.toLowerCase() : value
}

const didEvent = (log: LogEntry, time: number): DidEvent | undefined => {
  const parsed = interfaces.EthereumDIDRegistry.parseLog(log)
  if (parsed === null) return undefined
  const { args } = parsed
  const identity = String(args['identity']).toLowerCase()
  const place = { identity, block: log.blockNumber, log: log.logIndex, timestamp: time * 1_000 }
  const validTo = (): bigint => args['validTo'] as bigint
  if (parsed.name === 'DIDOwnerChanged') return { kind: 'owner', ...place, owner: String(args['owner']).toLowerCase() }
  if (parsed.name === 'DIDAttributeChanged') {
    return { kind: 'attribute', ...place, name: args['name'], value: args['value'], validTo: validTo() }
  }
  const delegate = String(args['delegate']).toLowerCase()
  return { kind: 'delegate', ...place, delegateType: args['delegateType'], delegate, validTo: validTo() }
}

/**
 * @returns undefined for what the replica has no use for: other events of the contracts, and lists whose number no
 * credential can name.
 */
export const decodeEvent = (source: SourceName, log: LogEntry, time: number): ChainEvent | undefined => {
  if (source === 'EthereumDIDRegistry') return didEvent(log, time)
  const place = { block: log.blockNumber, log: log.logIndex, time }
  if (source === 'StatusRegistry' && log.topics[0] === statusChanged) return wordOf(log, place)
  if (source === 'WalletRegistry' && log.topics[0] === bound) return boundOf(log, place)
  const parsed = interfaces[source].parseLog(log)
  if (parsed === null) return undefined
  const fields = Object.fromEntries(
    parsed.fragment.inputs.map((input, i) => [input.name, field(input.name, parsed.args[i])]),
  )
  if (fields['list'] === Number.MAX_SAFE_INTEGER) return undefined
  return { kind: parsed.name, ...place, ...fields } as ChainEvent
}
