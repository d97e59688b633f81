type Entry<Value> = { value: Value; bytes: number }

/** Values by key within a budget of bytes; what was not asked for the longest goes first. */
export class ByteCache<Value> {
  readonly #bytesMost: number
  readonly #entries = new Map<string, Entry<Value>>()
  #bytes = 0

  constructor(bytesMost: number) {
    this.#bytesMost = bytesMost
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /** What is larger than the whole budget is not kept. */
  set(key: string, value: Value, bytes: number): void {
    this.delete(key)
    if (bytes > this.#bytesMost) return
    this.#entries.set(key, { value, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMost) return
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0
    this.#entries.delete(key)
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#entries.size
  }
}

const seconds = /^"?([0-9]{1,10})"?$/

/**
 * How long an answer may be kept by its header (RFC 9111 sections 5.2.2 and 4.2), in milliseconds; undefined where it
 * does not say. What is unreadable counts as nothing at all to keep.
 */
export const maxAgeMs = (cacheControl: string | undefined, age: string | undefined): number | undefined => {
  if (cacheControl === undefined) return undefined
  const directives = cacheControl
    .toLowerCase()
    .split(',')
    .map(part => part.trim())
  if (directives.some(each => /^no-(store|cache)\b/.test(each))) return 0
  const named = directives.find(each => each.startsWith('max-age='))
  if (named === undefined) return undefined
  const [, most] = seconds.exec(named.slice('max-age='.length)) ?? []
  const [, old] = seconds.exec(age?.trim() ?? '0') ?? []
  return Math.max(0, Number(most ?? 0) - Number(old ?? most ?? 0)) * 1_000
}
