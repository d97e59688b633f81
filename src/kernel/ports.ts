/** What the kernel and the plugins need from outside. Imports nothing of ours but the kernel itself. */

/** Milliseconds since the epoch. The only source of time; tests replace it. */
export type Clock = { now(): number }

export type Value = string | number | null | Uint8Array
export type Row = Record<string, Value>

/**
 * One act's view of a database transaction. Acts may be run again from the start (a batch that fails is retried act by
 * act), so an act has no effects but through its Tx. Placeholders are `?` in both databases.
 */
export type Tx = {
  /** Adds rows at the end of the transaction, many acts in one statement. Use it on hot paths. */
  insert(table: string, rows: Row[]): void
  /** Runs at once and sees this transaction's own rows. Reads and writes. */
  query<T extends Row = Row>(sql: string, params?: Value[]): Promise<T[]>
  /** Runs after the commit is durable; never if it rolls back. */
  afterCommit(work: () => void): void
}

export type Store = {
  readonly dialect: 'sqlite' | 'postgres'
  /** The only way to write. Resolves after the commit is durable. */
  transaction<T>(act: (tx: Tx) => Promise<T>): Promise<T>
  /** Reads committed rows only. */
  read<T extends Row = Row>(sql: string, params?: Value[]): Promise<T[]>
  close(): Promise<void>
}

/** Signatures without the private key in the caller's hands: in process, a KMS, or a PKCS#11 token behind it. */
export type SignatureAlgorithm = 'ES256' | 'EdDSA' | 'ES256K' | 'ES384' | 'ES512' | 'BBS'
export type Signer = {
  /** @returns the raw signature: r‖s (64 bytes) for ES256 and ES256K, 96 for ES384, 132 for ES512, 64 bytes for EdDSA. BBS signs otherwise. */
  sign(keyId: string, algorithm: SignatureAlgorithm, data: Uint8Array): Promise<Uint8Array>
}

/** Where a credential's status lives. Chain ids are CAIP-2, addresses are lower-case hex. */
export type StatusPointer = { chain: string; registry: string; issuer: string; list: number; index: number }

export type StatusValue = 'valid' | 'revoked' | 'suspended'

/** The block a judgement rests on. */
export type BlockRef = { chain: string; number: number; hash: string; timestamp: number }

/**
 * A replica of the chain's status lists in memory. Nobody learns which credential is looked at.
 * @throws Refusal unavailable/status_unavailable when the replica is older than the configured bound.
 */
export type StatusReader = {
  head(): BlockRef
  /** Fails closed: an unknown list, or an index out of range, is a refusal and never `valid`. */
  status(pointer: StatusPointer): StatusValue
  /** As it stood at a past time (ms). Reads the history, so it is slower. */
  statusAt(pointer: StatusPointer, at: number): Promise<{ status: StatusValue; block: BlockRef }>
  /** Time (ms) at which the list was opened on chain. */
  openedAt(issuer: string, list: number): number | undefined
}

export type AccreditationVerdict =
  | { accredited: true; parent: string | null; validFrom: number; validUntil: number }
  | { accredited: false; reason: 'unknown' | 'not_yet' | 'expired' | 'ended' | 'void'; since?: number }

/** A replica of the trust registry. Times are milliseconds. */
export type TrustReader = {
  /** May `issuer` (lower-case address) issue `typeId` at `at`, as known at `knownAt` (default now)? */
  accreditation(issuer: string, typeId: string, at: number): AccreditationVerdict
  /** Since when the key with this RFC 7638 thumbprint (SHA-256, base64url) is distrusted, if it is. */
  distrustedSince(issuer: string, thumbprint: string): number | undefined
  schemaAdmitted(typeId: string, digest: string): boolean
}

/** A wallet as an issuer bound it to a person's pseudonym. Addresses and ids are lower-case hex. */
export type BoundWallet = {
  wallet: string
  /** bytes32 on chain: keccak256 of the domain's name. */
  domain: string
  /** 32 bytes, base64url. */
  pseudonym: string
  issuer: string
  level: number
  /** ISO 3166-1 alpha-2; undefined where the issuer named none. */
  jurisdiction: string | undefined
  /** Milliseconds. */
  expiry: number
  /** Place in the issuer's binding lists. */
  list: number
  index: number
}

export type WalletStanding =
  | ({ valid: true } & BoundWallet)
  | ({ valid: false; reason: 'expired' | 'revoked' } & BoundWallet)
  | { valid: false; reason: 'unbound' }

/**
 * A replica of the registry of wallets. A domain is its name (a currency, a register) or its bytes32.
 * @throws Refusal unavailable/status_unavailable when the replica is older than the configured bound.
 */
export type WalletReader = {
  /** Does a person stand behind this wallet in this domain now? */
  standing(wallet: string, domain: string): WalletStanding
  /** Every wallet bound to the pseudonym in this domain, also those whose binding has died and not been cleared away. */
  bindingsOf(pseudonym: string, domain: string): WalletStanding[]
  /** A P-256 key with which an issuer may sign bindings, by its RFC 7638 thumbprint; undefined if it was never admitted. */
  issuerKey(issuer: string, thumbprint: string): 'admitted' | 'withdrawn' | undefined
}

/** Hands a transaction for the chain over to the outbox, in the same database transaction as the act that wants it. */
export type ChainWrite = { contract: string; method: string; args: unknown[]; account: string }
export type OutboxStanding = {
  state: 'queued' | 'mined' | 'final' | 'failed'
  block?: BlockRef
  /** Of what failed: the contract's error with its arguments, such as `ListExists(0x…, 4)`. */
  error?: string
}
export type ChainOutbox = {
  /** @returns the outbox id, under which `state` can be followed. */
  enqueue(tx: Tx, writes: ChainWrite[]): Promise<string>
  state(id: string): Promise<OutboxStanding | undefined>
  /** Resolves when the outbox id has reached `mined`, or after `timeoutMs` with its state by then. */
  wait(id: string, timeoutMs: number): Promise<'queued' | 'mined' | 'final' | 'failed'>
}

/** Who acted, as the evidence names them. */
export type CallerEvidence = {
  kind: string
  id: string
  /** SHA-256 (base64url) of every credential that the act rests on. */
  credentials: readonly string[]
  /** For whom, where callers of this kind act for somebody. */
  principal?: string
  /** Ids of the mandates under which they did. */
  mandates?: readonly string[]
  /** Of a joint act: who proved each part, and for whom. */
  parties?: readonly { role: string; id: string; principal: string }[]
  /** Whose pending act the caller approved. */
  author?: { kind: string; id: string }
}

/** Evidence of an act, written in the act's own transaction. */
export type JournalRecord = {
  /** Where it must be known before the act runs; otherwise the journal gives one. */
  id?: string
  operation: string
  caller: CallerEvidence
  /** Digest of the canonical input; the input itself stays with the act. */
  input: Uint8Array
  authority: string
  rules: { id: string; version: number; outcome: string }[]
  /** SHA-256 (hex) of what the act brought about, in the order in which it committed to it. */
  effects?: readonly string[]
  outcome: string
  at: number
}
export type Journal = { record(tx: Tx, record: JournalRecord): void }

/** One field of a journal record, opened without the others. Bytes are base64. */
export type RecordOpening = {
  /** Which fields a record has, in which order, and how they are committed to. */
  scheme: string
  field: string
  value: unknown
  salt: string
  /** Of all fields, in order. */
  commitments: string[]
}

/** That a record stands in the log, for whoever has the log's verifier key. Bytes are base64, as C2SP formats write them. */
export type LogProof = {
  leafIndex: number
  treeSize: number
  /** The entry: the salted commitment of the record. */
  leaf: string
  /** Sibling hashes from the leaf upwards (RFC 6962, 2.1.1). */
  path: string[]
  /** The signed checkpoint (C2SP tlog-checkpoint). */
  checkpoint: string
  /** All of this but the leaf in one text (C2SP tlog-proof). */
  text: string
}

export type RecordProof = LogProof & {
  /** The record's `effects`; undefined once the readable record is erased, and of records that are older than the field. */
  effects?: RecordOpening
}

export type LogProofs = {
  /** @returns undefined while no published checkpoint covers the record. */
  proofOf(recordId: string): Promise<RecordProof | undefined>
}

/** Remembers answers under a caller's idempotency key. */
export type Idempotency = {
  /** The stored answer if key and input are the same; Refusal conflict/idempotency_mismatch if the input differs. */
  recall(tx: Tx, key: string, input: Uint8Array): Promise<string | undefined>
  remember(tx: Tx, key: string, input: Uint8Array, answer: string): void
}

/** A wallet's address in lower-case hex; null: nobody's wallet, so the token is kept at the registrar for its holder. */
export type TokenHolder = string | null

/** What is said of an entry when its token is made. `commitment`: 32 bytes in 0x hex, the digest of its public extract. */
export type TokenEntry = { entryId: string; holder: TokenHolder; commitment: string }

/** A title's token as it stands on chain. */
export type TitleStanding = {
  tokenId: string
  entryId: string
  /** Undefined once the title was closed (burnt). */
  holder: TokenHolder | undefined
  frozen: boolean
  encumbrances: number
  commitment: string
}

/** A licence's token as it stands on chain. Times in milliseconds. */
export type LicenceStanding = {
  tokenId: string
  entryId: string
  holder: TokenHolder
  state: 'active' | 'suspended' | 'revoked'
  /** Null: without end. */
  expires: number | null
  commitment: string
}

/** A class of units of an asset, and what is held of it: at wallets, and by all without a wallet together (null). */
export type AssetStanding = {
  tokenId: string
  entryId: string
  cap: bigint
  issued: bigint
  commitment: string
  holdings: { holder: TokenHolder; amount: bigint; frozen: bigint }[]
}

/** Everything of one register at one block. */
export type RegisterStanding<Standing> = { block: BlockRef; tokens: AsyncIterable<Standing> }

/** What registers have in common on chain. Registers and entries are named as the agency names them. */
type TokenRegister<Standing, Terms> = {
  /** To be enqueued once; `isOpen` says whether it was. `type` is the credential type the agency is accredited for. */
  openRegister(register: { name: string; type: string; baseUri: string } & Terms): ChainWrite[]
  isOpen(register: string): Promise<boolean>
  /** What the contract says of every entry ever given a token, in the order they were given; to be compared with the register. */
  standing(register: string): Promise<RegisterStanding<Standing>>
}

/**
 * The tokens of this agency's registers, as writes for the outbox, and as they stand on chain. Entry ids and orders are
 * UUIDs: an order is named by the id of the agency's own record of it, never by its reference. Times in milliseconds,
 * amounts in the smallest unit.
 */
export type RegisterTokens = {
  /** Decimal. The same in every contract; known before the token is. */
  tokenIdOf(register: string, entryId: string): string
  /** ERC-721, TitleRegistry. A title moves by the register, and from wallet to wallet where the register allows it. */
  titles: TokenRegister<TitleStanding, { walletTransfers: { domain: string; level: number } | null }> & {
    mint(register: string, entries: readonly TokenEntry[]): ChainWrite[]
    /** The public extract has changed. */
    amend(register: string, entries: readonly { entryId: string; commitment: string }[]): ChainWrite[]
    transfer(
      register: string,
      title: { entryId: string; from: TokenHolder; to: TokenHolder; commitment: string },
    ): ChainWrite[]
    /** How many encumbrances stand on the title; while there are any it moves by the register alone. */
    encumber(register: string, title: { entryId: string; encumbrances: number; commitment: string }): ChainWrite[]
    /** A caveat or a court's order: the title cannot move but by a forced transfer until every freeze is lifted. */
    freeze(register: string, title: { entryId: string; order: string }): ChainWrite[]
    unfreeze(register: string, title: { entryId: string; order: string }): ChainWrite[]
    /** Past any freeze; each order serves once in a register. Freezes stay until they are lifted. */
    forcedTransfer(
      register: string,
      title: { entryId: string; from: TokenHolder; to: TokenHolder; order: string; commitment: string },
    ): ChainWrite[]
    /** Split and merge: these titles end, and those begin. */
    replace(
      register: string,
      titles: {
        predecessors: readonly { entryId: string; holder: TokenHolder }[]
        successors: readonly (TokenEntry & { encumbrances: number })[]
      },
    ): ChainWrite[]
    close(register: string, title: { entryId: string; holder: TokenHolder }): ChainWrite[]
  }
  /** ERC-721 and ERC-5192, LicenceRegistry. A licence never changes hands. */
  licences: TokenRegister<LicenceStanding, unknown> & {
    mint(register: string, entries: readonly (TokenEntry & { expires: number | null })[]): ChainWrite[]
    amend(register: string, entries: readonly { entryId: string; commitment: string }[]): ChainWrite[]
    renew(register: string, licence: { entryId: string; expires: number | null; commitment: string }): ChainWrite[]
    suspend(register: string, entryIds: readonly string[]): ChainWrite[]
    reinstate(register: string, entryIds: readonly string[]): ChainWrite[]
    /** For good. */
    revoke(register: string, entryIds: readonly string[]): ChainWrite[]
    /** To another wallet of the same person, for a reason (a UUID of the agency's record) that serves once. */
    replaceWallet(
      register: string,
      licence: { entryId: string; from: TokenHolder; to: TokenHolder; reason: string },
    ): ChainWrite[]
  }
  /** ERC-1155, AssetRegistry. An entry is a class of units. */
  assets: TokenRegister<AssetStanding, unknown> & {
    openClass(
      register: string,
      asset: {
        entryId: string
        cap: bigint
        decimals: number
        walletTransfers: { domain: string; level: number } | null
        commitment: string
      },
    ): ChainWrite[]
    amend(register: string, asset: { entryId: string; cap: bigint; commitment: string }): ChainWrite[]
    issue(register: string, asset: { entryId: string; to: TokenHolder; amount: bigint }): ChainWrite[]
    retire(register: string, asset: { entryId: string; from: TokenHolder; amount: bigint }): ChainWrite[]
    transfer(
      register: string,
      asset: { entryId: string; from: TokenHolder; to: TokenHolder; amount: bigint },
    ): ChainWrite[]
    freeze(
      register: string,
      asset: { entryId: string; holder: TokenHolder; amount: bigint; order: string },
    ): ChainWrite[]
    unfreeze(register: string, asset: { entryId: string; holder: TokenHolder; order: string }): ChainWrite[]
    /** Takes what stands frozen under `freeze`, the order of that freeze, first; then what is free. */
    forcedTransfer(
      register: string,
      asset: {
        entryId: string
        from: TokenHolder
        to: TokenHolder
        amount: bigint
        order: string
        freeze: string | null
      },
    ): ChainWrite[]
  }
}

/** A signature over an EIP-712 struct, and the key it should be of. */
export type TypedClaim = {
  /** The struct as it is hashed: type hash and encoded fields, 32 bytes each (EIP-712, encodeData). */
  struct: Uint8Array
  /** 1: secp256k1 over the digest, EIP-2098. 2: P-256, r‖s over the SHA-256 of the digest, as any KMS signs it. Both with a low s. */
  scheme: number
  /** Compressed point, 33 bytes. */
  key: Uint8Array
  /** 64 bytes. */
  signature: Uint8Array
}

/** EIP-712 in one domain. */
export type TypedSignatures = {
  /** 32 bytes. */
  domainSeparator: Uint8Array
  keccak(bytes: Uint8Array): Uint8Array
  /** What is signed: keccak(0x1901 ‖ domain ‖ keccak(struct)). */
  digest(struct: Uint8Array): Uint8Array
  /** Off the main thread; one answer a claim. */
  verify(claims: readonly TypedClaim[]): Promise<boolean[]>
}

/** A move between the ledger and the chain, as the chain saw it. */
export type RailEvent = {
  kind: 'departed' | 'arrived' | 'refunded' | 'suspended' | 'returned' | 'cancelled'
  /** 32 bytes in hex, without 0x. */
  operation: string
  currency: number
  block: number
  /** The wallet it concerns, lower case; absent of what was cancelled before it came. */
  wallet?: string
  amountMinor?: bigint
  /** Of what departed: the account of the ledger it is for. */
  account?: number
}

/** What one currency is on the chain, in minor units. */
export type RailStanding = {
  /** Where it comes into being, and the decimals of its token, as the chain has them for good. */
  home: 'ledger' | 'chain'
  decimals: number
  /** Spendable there. */
  supply: bigint
  /** Held by the gate: locked, for a currency at home on the chain. */
  locked: bigint
  suspended: bigint
}

export type RailMove = { operation: string; currency: number; wallet: string; amountMinor: bigint }

/** The gate between the ledger and the chain. */
export type MoneyRail = {
  /** Whether it moves money of this currency. */
  serves(currency: number): boolean
  /**
   * What happened at the gate in final blocks after `block`, a bounded stretch at a time; `through` is the last block looked at.
   * @throws Refusal unavailable
   */
  events(after: number): Promise<{ events: RailEvent[]; through: number }>
  arrive(moves: readonly RailMove[]): ChainWrite
  cancel(move: Pick<RailMove, 'operation' | 'currency'>): ChainWrite
  refund(move: Pick<RailMove, 'operation' | 'currency'>): ChainWrite
  settleSuspense(move: Pick<RailMove, 'operation' | 'currency' | 'wallet'>): ChainWrite
  returnSuspense(move: Pick<RailMove, 'operation' | 'currency'>): ChainWrite
  /** At the head of the chain; undefined while the currency is not open there. */
  standing(currency: number): Promise<RailStanding | undefined>
}
