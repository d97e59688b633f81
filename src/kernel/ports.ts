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
export type SignatureAlgorithm = 'ES256' | 'EdDSA' | 'ES256K'
export type Signer = {
  /** @returns the raw signature: r‖s (64 bytes) for ES256 and ES256K, 64 bytes for EdDSA. */
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

/** Hands a transaction for the chain over to the outbox, in the same database transaction as the act that wants it. */
export type ChainWrite = { contract: string; method: string; args: unknown[]; account: string }
export type ChainOutbox = {
  /** @returns the outbox id, under which `state` can be followed. */
  enqueue(tx: Tx, writes: ChainWrite[]): Promise<string>
  state(id: string): Promise<{ state: 'queued' | 'mined' | 'final' | 'failed'; block?: BlockRef } | undefined>
  /** Resolves when the outbox id has reached `mined`, or after `timeoutMs` with its state by then. */
  wait(id: string, timeoutMs: number): Promise<'queued' | 'mined' | 'final' | 'failed'>
}

/** Evidence of an act, written in the act's own transaction. */
export type JournalRecord = {
  operation: string
  caller: { kind: string; id: string; credentials: string[] }
  /** Digest of the canonical input; the input itself stays with the act. */
  input: Uint8Array
  authority: string
  rules: { id: string; version: number; outcome: string }[]
  outcome: string
  at: number
}
export type Journal = { record(tx: Tx, record: JournalRecord): void }

/** Remembers answers under a caller's idempotency key. */
export type Idempotency = {
  /** The stored answer if key and input are the same; Refusal conflict/idempotency_mismatch if the input differs. */
  recall(tx: Tx, key: string, input: Uint8Array): Promise<string | undefined>
  remember(tx: Tx, key: string, input: Uint8Array, answer: string): void
}
