import { type BoundEvent, dropAbove, type WalletEvent } from './events.ts'

type KeyEvent = WalletEvent & { kind: 'IssuerKeyAdmitted' | 'IssuerKeyWithdrawn' }
type BindingEvent = Exclude<WalletEvent, KeyEvent>

/** A nation has a wallet for everyone, so what befell them is kept in bytes: fields of a record, by offset. */
const at = {
  wallet: 0,
  pseudonym: 20,
  issuer: 52,
  block: 56,
  log: 60,
  time: 64,
  expiry: 68,
  list: 72,
  jurisdiction: 74,
  index: 76,
  level: 80,
  kind: 81,
  /** The record before this one of the same wallet, and of the same pseudonym; 0 for none. */
  walletBefore: 82,
  pseudonymBefore: 86,
} as const
const recordBytes = 90
const chunkRecords = 8_192
const [unbound, bound] = [0, 1]

const bytesOf = (hex: string): Buffer => Buffer.from(hex.slice(2), 'hex')
/** Half the size of hex, as the key of a map. */
const keyOf = (hex: string): string => bytesOf(hex).toString('latin1')

/** What befell the wallets of one domain, oldest first. Records are counted from 1. */
class Domain {
  readonly #id: string
  readonly #chunks: Buffer[] = []
  readonly #issuers: string[] = []
  readonly #issuerNumbers = new Map<string, number>()
  /** The newest record of each. */
  readonly #wallets = new Map<string, number>()
  readonly #pseudonyms = new Map<string, number>()
  #count = 0

  constructor(id: string) {
    this.#id = id
  }

  binding(wallet: string): BoundEvent | undefined {
    const record = this.#wallets.get(keyOf(wallet))
    return record === undefined ? undefined : this.#read(record)
  }

  bindingsOf(pseudonym: string): BoundEvent[] {
    const found: BoundEvent[] = []
    for (let record = this.#pseudonyms.get(keyOf(pseudonym)) ?? 0; record > 0; ) {
      const { chunk, from } = this.#place(record)
      const isNewest = this.#wallets.get(chunk.toString('latin1', from, from + 20)) === record
      const held = isNewest ? this.#read(record) : undefined
      if (held !== undefined) found.unshift(held)
      record = chunk.readUInt32LE(from + at.pseudonymBefore)
    }
    return found
  }

  apply(event: BindingEvent): void {
    this.#count += 1
    if (this.#chunks.length * chunkRecords < this.#count) this.#chunks.push(Buffer.alloc(recordBytes * chunkRecords))
    const { chunk, from } = this.#place(this.#count)
    chunk.fill(0, from, from + recordBytes)
    bytesOf(event.wallet).copy(chunk, from + at.wallet)
    bytesOf(event.pseudonym).copy(chunk, from + at.pseudonym)
    chunk.writeUInt32LE(event.block, from + at.block)
    const wallet = keyOf(event.wallet)
    chunk.writeUInt32LE(this.#wallets.get(wallet) ?? 0, from + at.walletBefore)
    this.#wallets.set(wallet, this.#count)
    if (event.kind === 'Unbound') return
    const pseudonym = keyOf(event.pseudonym)
    chunk.writeUInt32LE(this.#pseudonyms.get(pseudonym) ?? 0, from + at.pseudonymBefore)
    this.#pseudonyms.set(pseudonym, this.#count)
    this.#write(event, chunk, from)
  }

  rollBack(ancestor: number): void {
    for (; this.#count > 0; this.#count -= 1) {
      const { chunk, from } = this.#place(this.#count)
      if (chunk.readUInt32LE(from + at.block) <= ancestor) return
      const wallet = chunk.toString('latin1', from, from + at.pseudonym)
      back(this.#wallets, wallet, chunk.readUInt32LE(from + at.walletBefore))
      if (chunk[from + at.kind] === unbound) continue
      const pseudonym = chunk.toString('latin1', from + at.pseudonym, from + at.issuer)
      back(this.#pseudonyms, pseudonym, chunk.readUInt32LE(from + at.pseudonymBefore))
    }
  }

  #place(record: number): { chunk: Buffer; from: number } {
    const chunk = this.#chunks[Math.floor((record - 1) / chunkRecords)]
    if (chunk === undefined) throw new RangeError(`there is no record ${record}`)
    return { chunk, from: ((record - 1) % chunkRecords) * recordBytes }
  }

  #write(event: BoundEvent, chunk: Buffer, from: number): void {
    chunk.writeUInt32LE(this.#numberOf(event.issuer), from + at.issuer)
    chunk.writeUInt32LE(event.log, from + at.log)
    chunk.writeUInt32LE(event.time, from + at.time)
    chunk.writeUInt32LE(event.expiry / 1_000, from + at.expiry)
    chunk.writeUInt16LE(event.list, from + at.list)
    bytesOf(event.jurisdiction).copy(chunk, from + at.jurisdiction)
    chunk.writeUInt32LE(event.index, from + at.index)
    chunk[from + at.level] = event.level
    chunk[from + at.kind] = bound
  }

  #read(record: number): BoundEvent | undefined {
    const { chunk, from } = this.#place(record)
    if (chunk[from + at.kind] === unbound) return undefined
    const hex = (start: number, end: number): string => `0x${chunk.toString('hex', from + start, from + end)}`
    return {
      kind: 'Bound',
      wallet: hex(at.wallet, at.pseudonym),
      domain: this.#id,
      pseudonym: hex(at.pseudonym, at.issuer),
      issuer: this.#issuers[chunk.readUInt32LE(from + at.issuer)] ?? '',
      list: chunk.readUInt16LE(from + at.list),
      index: chunk.readUInt32LE(from + at.index),
      level: chunk[from + at.level] ?? 0,
      jurisdiction: hex(at.jurisdiction, at.index),
      expiry: chunk.readUInt32LE(from + at.expiry) * 1_000,
      block: chunk.readUInt32LE(from + at.block),
      log: chunk.readUInt32LE(from + at.log),
      time: chunk.readUInt32LE(from + at.time),
    }
  }

  #numberOf(issuer: string): number {
    const known = this.#issuerNumbers.get(issuer)
    if (known !== undefined) return known
    this.#issuers.push(issuer)
    this.#issuerNumbers.set(issuer, this.#issuers.length - 1)
    return this.#issuers.length - 1
  }
}

const back = (newest: Map<string, number>, key: string, before: number): void => {
  if (before === 0) newest.delete(key)
  else newest.set(key, before)
}

/** The registry of wallets as of the newest block followed: bindings and issuers' keys. Ids are lower-case hex. */
export class WalletState {
  readonly #domains = new Map<string, Domain>()
  readonly #keys = new Map<string, KeyEvent[]>()

  /** The wallet's binding, live or not. */
  binding(domain: string, wallet: string): BoundEvent | undefined {
    return this.#domains.get(domain)?.binding(wallet)
  }

  /** The bindings of a pseudonym, live or not, oldest first. */
  bindingsOf(domain: string, pseudonym: string): BoundEvent[] {
    return this.#domains.get(domain)?.bindingsOf(pseudonym) ?? []
  }

  issuerKey(issuer: string, thumbprint: string): 'admitted' | 'withdrawn' | undefined {
    const last = this.#keys.get(`${issuer}:${thumbprint}`)?.at(-1)
    if (last === undefined) return undefined
    return last.kind === 'IssuerKeyAdmitted' ? 'admitted' : 'withdrawn'
  }

  /** Takes over the next event of the chain. */
  apply(event: WalletEvent): void {
    if (event.kind === 'Bound' || event.kind === 'Unbound') {
      const domain = this.#domains.get(event.domain) ?? new Domain(event.domain)
      this.#domains.set(event.domain, domain)
      domain.apply(event)
      return
    }
    const key = `${event.issuer}:${event.thumbprint}`
    this.#keys.set(key, [...(this.#keys.get(key) ?? []), event])
  }

  /** Forgets everything above a block. */
  rollBack(ancestor: number): void {
    for (const events of this.#keys.values()) dropAbove(events, ancestor)
    for (const domain of this.#domains.values()) domain.rollBack(ancestor)
  }
}
