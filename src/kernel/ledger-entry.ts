/**
 * The closed table of entries: whatever happens on the ledger is one of these, and its bytes are what a later rollup commits
 * to. Numbers are big-endian. The order of fields, their widths and the numbers of the kinds never change.
 */

export type FieldType = 'u8' | 'u16' | 'u32' | 'u64' | 'i64' | 'bytes16' | 'bytes20' | 'bytes32'

/**
 * Whose word an entry rests on. `owner`: a signature of an account's key. `order`: an institution's decision, named by the id of
 * the journal record of its act. `time`: anyone, once the time has come. `chain`: a final event of the chain.
 * `instruction`: what the owner laid down before (`link`, `instruct`).
 */
export type Authority = 'owner' | 'order' | 'time' | 'chain' | 'instruction'

type Kind = { code: number; authority: Authority; fields: Readonly<Record<string, FieldType>>; signature?: string }

/** `signature` is the EIP-712 type that is signed: a prefix of the fields under this name, in this order. */
export const kinds = {
  transfer: {
    code: 1,
    authority: 'owner',
    fields: {
      ...{ from: 'u32', to: 'u32', currency: 'u16', amount: 'u64', fee: 'u16' },
      ...{ nonce: 'u32', validUntil: 'u32' },
    },
    signature:
      'Transfer(uint32 from,uint32 to,uint16 currency,uint64 amount,uint16 fee,uint32 nonce,uint32 validUntil)',
  },
  /** `side` 0: never below zero. 1: never above zero (issuance, and the rail of a currency at home on the chain). */
  open: {
    code: 2,
    authority: 'order',
    fields: {
      ...{ account: 'u32', currency: 'u16', side: 'u8', scheme: 'u8', prefix: 'u8', x: 'bytes32', order: 'bytes16' },
    },
  },
  keyChange: {
    code: 3,
    authority: 'owner',
    fields: { account: 'u32', scheme: 'u8', prefix: 'u8', x: 'bytes32', nonce: 'u32', validUntil: 'u32' },
    signature: 'KeyChange(uint32 account,uint8 scheme,uint8 prefix,bytes32 x,uint32 nonce,uint32 validUntil)',
  },
  keyOrder: {
    code: 4,
    authority: 'order',
    fields: { account: 'u32', scheme: 'u8', prefix: 'u8', x: 'bytes32', order: 'bytes16' },
  },
  /** Irrevocable by the payer until `expiry`. Without lock and arbiter the payee posts; `lockHash` is a SHA-256. */
  reserve: {
    code: 5,
    authority: 'owner',
    fields: {
      ...{ from: 'u32', to: 'u32', currency: 'u16', amount: 'u64', fee: 'u16', expiry: 'u32', lockHash: 'bytes32' },
      ...{ arbiter: 'u32', nonce: 'u32', validUntil: 'u32' },
    },
    signature:
      'Reserve(uint32 from,uint32 to,uint16 currency,uint64 amount,uint16 fee,uint32 expiry,bytes32 lockHash,uint32 arbiter,uint32 nonce,uint32 validUntil)',
  },
  /**
   * Pays from a reservation, in part or whole. `remaining` is what it held before, so that no post counts twice; `last` 1
   * gives the rest back. `by`: who signs (payee or arbiter).
   */
  post: {
    code: 6,
    authority: 'owner',
    fields: { reservation: 'u32', amount: 'u64', remaining: 'u64', last: 'u8', by: 'u32', preimage: 'bytes32' },
    signature: 'Post(uint32 reservation,uint64 amount,uint64 remaining,uint8 last,uint32 by)',
  },
  /** Gives a reservation back before its time: by the payee or the arbiter. */
  void: {
    code: 7,
    authority: 'owner',
    fields: { reservation: 'u32', by: 'u32' },
    signature: 'Void(uint32 reservation,uint32 by)',
  },
  expire: { code: 8, authority: 'time', fields: { reservation: 'u32' } },
  mint: {
    code: 9,
    authority: 'order',
    fields: { from: 'u32', to: 'u32', currency: 'u16', amount: 'u64', order: 'bytes16' },
  },
  burn: {
    code: 10,
    authority: 'order',
    fields: { from: 'u32', to: 'u32', currency: 'u16', amount: 'u64', order: 'bytes16' },
  },
  /** From the chain: `from` is the rail's account of the currency. */
  deposit: {
    code: 11,
    authority: 'chain',
    fields: { from: 'u32', to: 'u32', currency: 'u16', amount: 'u64', operation: 'bytes32' },
  },
  /** To the chain: `to` is the rail's account of the currency. */
  withdraw: {
    code: 12,
    authority: 'owner',
    fields: {
      ...{ from: 'u32', to: 'u32', currency: 'u16', amount: 'u64', fee: 'u16', recipient: 'bytes20' },
      ...{ nonce: 'u32', validUntil: 'u32' },
    },
    signature:
      'Withdraw(uint32 from,uint32 to,uint16 currency,uint64 amount,uint16 fee,address recipient,uint32 nonce,uint32 validUntil)',
  },
  /** `amount` 0: the whole account, which then neither pays nor receives. */
  freeze: { code: 13, authority: 'order', fields: { account: 'u32', amount: 'u64', order: 'bytes16' } },
  unfreeze: { code: 14, authority: 'order', fields: { account: 'u32', amount: 'u64', order: 'bytes16' } },
  /** Past any freeze; `frozen` of the amount is taken out of what is frozen. Escheat is this, under the statute. */
  seize: {
    code: 15,
    authority: 'order',
    fields: { from: 'u32', to: 'u32', currency: 'u16', amount: 'u64', frozen: 'u64', order: 'bytes16' },
  },
  /** For one day of one account; `day` counts from 1970-01-01. Positive: from `counter` to `account`. */
  interest: {
    code: 16,
    authority: 'order',
    fields: { account: 'u32', counter: 'u32', currency: 'u16', amount: 'i64', day: 'u32', order: 'bytes16' },
  },
  close: { code: 17, authority: 'order', fields: { account: 'u32', order: 'bytes16' } },
  /** The owner's standing instruction where money beyond a limit goes (the waterfall); 0: nowhere. */
  link: {
    code: 18,
    authority: 'owner',
    fields: { account: 'u32', linked: 'u32', nonce: 'u32', validUntil: 'u32' },
    signature: 'Link(uint32 account,uint32 linked,uint32 nonce,uint32 validUntil)',
  },
  /** Under that instruction, to the linked account only. */
  sweep: {
    code: 19,
    authority: 'instruction',
    fields: { from: 'u32', to: 'u32', currency: 'u16', amount: 'u64' },
  },
  /**
   * The owner's standing order: `amount` to `to`, first at `first` (seconds), then every so many units (0 once, 1 day, 2 week,
   * 3 month). `times` 0: until it is revoked. It is the account's: another key of the account leaves it standing.
   */
  instruct: {
    code: 20,
    authority: 'owner',
    fields: {
      ...{ account: 'u32', to: 'u32', currency: 'u16', amount: 'u64', first: 'u32', unit: 'u8', every: 'u16' },
      ...{ times: 'u16', nonce: 'u32', validUntil: 'u32' },
    },
    signature:
      'Instruct(uint32 account,uint32 to,uint16 currency,uint64 amount,uint32 first,uint8 unit,uint16 every,uint16 times,uint32 nonce,uint32 validUntil)',
  },
  /** Under that instruction, once it is due. `index` counts from 0; a missed one is passed over. */
  instalment: {
    code: 21,
    authority: 'instruction',
    fields: { instruction: 'u32', index: 'u16', from: 'u32', to: 'u32', currency: 'u16', amount: 'u64' },
  },
  /** Ends an instruction, by its payer. */
  revoke: {
    code: 22,
    authority: 'owner',
    fields: { account: 'u32', instruction: 'u32', nonce: 'u32', validUntil: 'u32' },
    signature: 'Revoke(uint32 account,uint32 instruction,uint32 nonce,uint32 validUntil)',
  },
} as const satisfies Record<string, Kind>

export type KindName = keyof typeof kinds
export const kindNames = Object.keys(kinds) as KindName[]

type ValueOf<Type> = Type extends 'u64' | 'i64' ? bigint : Type extends `bytes${number}` ? string : number
type Fields<Name extends KindName> = {
  -readonly [F in keyof (typeof kinds)[Name]['fields']]: ValueOf<(typeof kinds)[Name]['fields'][F]>
}
type Signed<Name extends KindName> = (typeof kinds)[Name] extends { signature: string }
  ? { signature: string }
  : unknown

/** Bytes are lower-case hex without 0x. A signature is 64 bytes: EIP-2098 for secp256k1, r‖s for P-256. */
export type EntryOf<Name extends KindName> = { kind: Name } & Fields<Name> & Signed<Name>
export type Entry = { [Name in KindName]: EntryOf<Name> }[KindName]
export type SignedEntry = Extract<Entry, { signature: string }>

export const isSigned = (entry: Entry): entry is SignedEntry => 'signature' in entry

const widths: Record<FieldType, number> = {
  ...{ u8: 1, u16: 2, u32: 4, u64: 8, i64: 8 },
  ...{ bytes16: 16, bytes20: 20, bytes32: 32 },
}
const signatureBytes = 64

type Layout = { name: KindName; code: number; fields: [string, FieldType][]; signed: boolean; length: number }

const layoutOf = (name: KindName): Layout => {
  const { code, fields, ...rest } = kinds[name]
  const listed = Object.entries(fields) as [string, FieldType][]
  const signed = 'signature' in rest
  const length = listed.reduce((sum, [, type]) => sum + widths[type], 1) + (signed ? signatureBytes : 0)
  return { name, code, fields: listed, signed, length }
}

const layouts = Object.fromEntries(kindNames.map(name => [name, layoutOf(name)])) as Record<KindName, Layout>
const byCode = new Map(Object.values(layouts).map(layout => [layout.code, layout]))

/** Bytes of a customer's transfer: 93. */
export const lengthOf = (name: KindName): number => layouts[name].length

const writeField = (bytes: Buffer, at: number, type: FieldType, value: unknown): void => {
  if (type === 'u8') bytes.writeUInt8(value as number, at)
  else if (type === 'u16') bytes.writeUInt16BE(value as number, at)
  else if (type === 'u32') bytes.writeUInt32BE(value as number, at)
  else if (type === 'u64') bytes.writeBigUInt64BE(value as bigint, at)
  else if (type === 'i64') bytes.writeBigInt64BE(value as bigint, at)
  else writeHex(bytes, at, widths[type], value as string)
}

const writeHex = (bytes: Buffer, at: number, width: number, value: string): void => {
  if (value.length !== 2 * width || bytes.write(value, at, width, 'hex') !== width) {
    throw new RangeError(`${width} bytes in hex were expected`)
  }
}

const readField = (bytes: Buffer, at: number, type: FieldType): number | bigint | string => {
  if (type === 'u8') return bytes.readUInt8(at)
  if (type === 'u16') return bytes.readUInt16BE(at)
  if (type === 'u32') return bytes.readUInt32BE(at)
  if (type === 'u64') return bytes.readBigUInt64BE(at)
  if (type === 'i64') return bytes.readBigInt64BE(at)
  return bytes.toString('hex', at, at + widths[type])
}

/** @throws RangeError for a value that its field cannot hold. */
export const encodeEntry = (entry: Entry): Buffer => {
  const layout = layouts[entry.kind]
  const bytes = Buffer.allocUnsafe(layout.length)
  bytes.writeUInt8(layout.code, 0)
  let at = 1
  for (const [name, type] of layout.fields) {
    writeField(bytes, at, type, (entry as Record<string, unknown>)[name])
    at += widths[type]
  }
  if (layout.signed) writeHex(bytes, at, signatureBytes, (entry as SignedEntry).signature)
  return bytes
}

/** @returns undefined for what is no entry: an unknown kind, or another length. Exact inverse of `encodeEntry`. */
export const decodeEntry = (given: Uint8Array): Entry | undefined => {
  const bytes = Buffer.isBuffer(given) ? given : Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  const layout = byCode.get(bytes[0] ?? 0)
  if (layout === undefined || bytes.length !== layout.length) return undefined
  const entry: Record<string, unknown> = { kind: layout.name }
  let at = 1
  for (const [name, type] of layout.fields) {
    entry[name] = readField(bytes, at, type)
    at += widths[type]
  }
  if (layout.signed) entry['signature'] = bytes.toString('hex', at, at + signatureBytes)
  return entry as Entry
}

/** A key by which an account is owned. `prefix` 2 or 3 and `x` are the compressed point (SEC 1, 2.3.3). */
export const schemes = { secp256k1: 1, 'P-256': 2 } as const
export type OwnerKey = { scheme: number; prefix: number; x: string }

export const sameKey = (a: OwnerKey, b: OwnerKey): boolean =>
  a.x === b.x && a.prefix === b.prefix && a.scheme === b.scheme

export const isOwnerKey = ({ scheme, prefix }: OwnerKey): boolean =>
  (scheme === schemes.secp256k1 || scheme === schemes['P-256']) && (prefix === 2 || prefix === 3)
