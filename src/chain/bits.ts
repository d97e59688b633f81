import type { WordEvent } from './events.ts'

const wordBytes = 32
const pageBytes = 4_096

/** A word with a cleared bit that does not count yet: what it was, then every value since. */
type Unsettled = { word: number; values: { block: number; bits: Uint8Array }[] }

/**
 * The bits of one status list, most significant bit first as in a Bitstring Status List: 1/8 byte a status, and nothing
 * for pages without a set bit. A set bit counts at once; a cleared bit only when its block is settled.
 */
export class StatusBits {
  readonly length: number
  readonly #pages: (Uint8Array | undefined)[]
  readonly #unsettled = new Map<number, Unsettled>()

  constructor(length: number) {
    this.length = length
    this.#pages = new Array(Math.ceil(length / 8 / pageBytes))
  }

  /** @param index below `length`. */
  isSet(index: number): boolean {
    const byte = index >>> 3
    const page = this.#pages[Math.floor(byte / pageBytes)]
    return page !== undefined && ((page[byte % pageBytes] ?? 0) & (0x80 >>> (index & 7))) !== 0
  }

  /** Takes over a new value of a word. */
  apply({ word, block, bits }: Pick<WordEvent, 'word' | 'block' | 'bits'>): void {
    if (word * wordBytes * 8 >= this.length) return
    const before = this.#word(word)
    const unsettled = this.#unsettled.get(word)
    if (unsettled) unsettled.values.push({ block, bits })
    else if (before.some((byte, i) => (byte & ~(bits[i] ?? 0)) !== 0)) {
      this.#unsettled.set(word, {
        word,
        values: [
          { block: -1, bits: before },
          { block, bits },
        ],
      })
    }
    const after = before.map((byte, i) => byte | (bits[i] ?? 0))
    this.#write(word, after)
  }

  /** Lets cleared bits count whose block is `settledBlock` or older. @returns whether some words still wait. */
  settle(settledBlock: number): boolean {
    for (const { word, values } of [...this.#unsettled.values()]) {
      const base = values.findLastIndex(value => value.block <= settledBlock)
      if (base <= 0) continue
      values.splice(0, base)
      this.#write(word, union(values))
      if (values.length === 1) this.#unsettled.delete(word)
    }
    return this.#unsettled.size > 0
  }

  /** Makes a word what these values, oldest first, say; after a reorganisation. */
  replace(word: number, values: { block: number; bits: Uint8Array }[]): void {
    this.#unsettled.delete(word)
    const [first, ...later] = values
    this.#write(word, first?.bits ?? new Uint8Array(wordBytes))
    for (const { block, bits } of later) this.apply({ word, block, bits })
  }

  /** The whole list as bytes. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.length / 8))
    for (const [i, page] of this.#pages.entries()) {
      if (page) bytes.set(page.subarray(0, Math.min(pageBytes, bytes.length - i * pageBytes)), i * pageBytes)
    }
    return bytes
  }

  /** Replaces everything; for lists whose bits do not come from the chain. */
  load(bytes: Uint8Array): void {
    this.#unsettled.clear()
    for (let i = 0; i < this.#pages.length; i++) {
      const part = bytes.subarray(i * pageBytes, (i + 1) * pageBytes)
      const page = part.some(byte => byte !== 0) ? new Uint8Array(pageBytes) : undefined
      page?.set(part)
      this.#pages[i] = page
    }
  }

  /** Is every set bit set in these bytes, too? */
  isWithin(bytes: Uint8Array): boolean {
    return this.bytes().every((byte, i) => (byte & ~(bytes[i] ?? 0)) === 0)
  }

  /** Does a cleared bit wait to count? */
  get waiting(): boolean {
    return this.#unsettled.size > 0
  }

  /** Bytes of memory that the pages take. */
  get size(): number {
    return this.#pages.reduce((sum, page) => sum + 8 + (page?.length ?? 0), 0)
  }

  #word(word: number): Uint8Array {
    const at = word * wordBytes
    const page = this.#pages[Math.floor(at / pageBytes)]
    return page ? page.slice(at % pageBytes, (at % pageBytes) + wordBytes) : new Uint8Array(wordBytes)
  }

  #write(word: number, bits: Uint8Array): void {
    const at = word * wordBytes
    const number = Math.floor(at / pageBytes)
    let page = this.#pages[number]
    if (page === undefined) {
      if (bits.every(byte => byte === 0)) return
      page = new Uint8Array(pageBytes)
      this.#pages[number] = page
    }
    page.set(bits, at % pageBytes)
  }
}

const union = (values: { bits: Uint8Array }[]): Uint8Array => {
  const all = new Uint8Array(wordBytes)
  for (const { bits } of values) for (let i = 0; i < wordBytes; i++) all[i] = (all[i] ?? 0) | (bits[i] ?? 0)
  return all
}
