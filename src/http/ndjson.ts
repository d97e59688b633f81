import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '../kernel/refusal.ts'
import { ClientGone, parseJson } from './json.ts'

export type LineLimits = {
  lineBytes: number
  /** A line that goes on for so long is not a mistake: the stream ends. */
  endlessBytes: number
  /** How long a client may send nothing, or take nothing, before the stream ends. */
  idleMs: number
}

export const ndjsonContentType = 'application/x-ndjson'

/** A line of the request: its number, counted from 1, and what it holds or why it is refused. */
export type Line = { line: number; value: unknown } | { line: number; refusal: Refusal }

const newline = 0x0a

const within = async <T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}

const idle = (): Refusal => new Refusal('malformed', 'stream_idle', 'No line arrived for too long; the stream ends.')
const endless = (limit: number): Refusal =>
  new Refusal('too_large', 'line_endless', `A line went on for more than ${limit} bytes; the stream ends.`)
const tooLong = (limit: number): Refusal =>
  new Refusal('too_large', 'line_too_large', `The line is longer than ${limit} bytes.`)

const chunksOf = async function* (request: IncomingMessage, limits: LineLimits): AsyncGenerator<Buffer> {
  // The stream must survive an early return: the refusal still has to be written on the same socket.
  const chunks = request.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]()
  for (;;) {
    const next = await within(
      chunks.next().catch(() => Promise.reject(new ClientGone())),
      limits.idleMs,
      idle,
    )
    if (next.done === true) return
    yield next.value as Buffer
  }
}

/** Puts chunks together to lines without ever holding more than one line's limit. */
class Assembler {
  #parts: Buffer[] = []
  #size = 0
  readonly #limits: LineLimits

  constructor(limits: LineLimits) {
    this.#limits = limits
  }

  add(part: Buffer): void {
    this.#size += part.length
    if (this.#size > this.#limits.endlessBytes) throw endless(this.#limits.endlessBytes)
    if (this.#size > this.#limits.lineBytes) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }

  /** The line, `undefined` for a blank one. */
  take(): Buffer | Refusal | undefined {
    const [parts, size] = [this.#parts, this.#size]
    this.#parts = []
    this.#size = 0
    if (size > this.#limits.lineBytes) return tooLong(this.#limits.lineBytes)
    const whole = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
    return whole.length === 0 || (whole.length === 1 && whole[0] === 0x0d) ? undefined : whole
  }
}

const lineOf = (line: number, bytes: Buffer | Refusal): Line => {
  if (bytes instanceof Refusal) return { line, refusal: bytes }
  try {
    return { line, value: parseJson(bytes) }
  } catch (error) {
    if (error instanceof Refusal) return { line, refusal: error }
    throw error
  }
}

/**
 * The lines of a request, as slowly as they are asked for. A bad line is a line with a refusal; blank lines are skipped.
 * @throws Refusal line_endless, stream_idle; ClientGone
 */
export const readLines = async function* (request: IncomingMessage, limits: LineLimits): AsyncGenerator<Line> {
  const assembler = new Assembler(limits)
  let line = 0
  for await (const chunk of chunksOf(request, limits)) {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      assembler.add(chunk.subarray(start, end))
      start = end + 1
      line++
      const bytes = assembler.take()
      if (bytes !== undefined) yield lineOf(line, bytes)
    }
    assembler.add(chunk.subarray(start))
  }
  const last = assembler.take()
  if (last !== undefined) yield lineOf(line + 1, last)
}

const flushChars = 16_384

/** Writes answer lines, a few at a time, and waits for the client when it takes them slowly. */
export class LineWriter {
  readonly #response: ServerResponse
  readonly #limits: LineLimits
  readonly #open: () => void
  #buffer = ''
  #scheduled: NodeJS.Immediate | undefined
  #draining: Promise<void> | undefined

  /** @param open writes the head of the response; runs once, before the first line. */
  constructor(response: ServerResponse, limits: LineLimits, open: () => void) {
    this.#response = response
    this.#limits = limits
    this.#open = open
  }

  get started(): boolean {
    return this.#response.headersSent || this.#buffer !== ''
  }

  write(value: unknown): void {
    this.#buffer += `${JSON.stringify(value)}\n`
    if (this.#buffer.length >= flushChars) this.#flush()
    else this.#scheduled ??= setImmediate(() => this.#flush())
  }

  /** Resolves when the client has room for more; ClientGone when it left or took nothing for too long. */
  async ready(): Promise<void> {
    if (this.#response.destroyed) throw new ClientGone()
    if (this.#draining) await this.#draining
  }

  async end(): Promise<void> {
    this.#flush()
    await this.ready()
    await new Promise<void>(resolve => {
      this.#response.once('close', resolve).end(resolve)
    })
  }

  #flush(): void {
    clearImmediate(this.#scheduled)
    this.#scheduled = undefined
    if (!this.#response.headersSent) this.#open()
    if (this.#buffer === '' || this.#response.destroyed) return
    const chunk = this.#buffer
    this.#buffer = ''
    if (!this.#response.write(chunk)) this.#draining ??= this.#drain()
  }

  #drain(): Promise<void> {
    const response = this.#response
    const drained = new Promise<void>((resolve, reject) => {
      const settle = (done: () => void) => (): void => {
        clearTimeout(timer)
        response.off('drain', onDrain).off('close', onClose)
        this.#draining = undefined
        done()
      }
      const onDrain = settle(resolve)
      const onClose = settle(() => reject(new ClientGone()))
      const timer = setTimeout(() => response.destroy(), this.#limits.idleMs)
      response.on('drain', onDrain).on('close', onClose)
    })
    // Nobody may be waiting when the client leaves; `ready` then finds the response destroyed.
    drained.catch(() => {})
    return drained
  }
}

/** Refusals that may wait for the answers of lines before them. */
const waitingMax = 1_000

/**
 * Keeps error lines in the place of the lines they answer. A route sees good lines only and promises one answer a line,
 * in order; a bad line's refusal is written as soon as every line before it has its answer.
 */
export class LineOrder {
  readonly #write: (value: unknown) => void
  /** A number stands for so many good lines without an answer yet, anything else is an error line. */
  readonly #waiting: (number | { error: unknown })[] = []
  #errors = 0

  constructor(write: (value: unknown) => void) {
    this.#write = write
  }

  good(): void {
    const last = this.#waiting.at(-1)
    if (typeof last === 'number') this.#waiting[this.#waiting.length - 1] = last + 1
    else this.#waiting.push(1)
  }

  refused(error: unknown): void {
    if (++this.#errors > waitingMax) {
      throw new Refusal('too_many', 'lines_refused', `More than ${waitingMax} lines were refused; the stream ends.`)
    }
    this.#waiting.push({ error })
    this.#settle()
  }

  answered(answer: unknown): void {
    const first = this.#waiting[0]
    if (typeof first === 'number') {
      if (first === 1) this.#waiting.shift()
      else this.#waiting[0] = first - 1
    }
    this.#write(answer)
    this.#settle()
  }

  /** The route has no more answers: what still waits is written. */
  finish(): void {
    for (const entry of this.#waiting.splice(0)) if (typeof entry !== 'number') this.#write(entry.error)
  }

  #settle(): void {
    for (let first = this.#waiting[0]; typeof first === 'object'; first = this.#waiting[0]) {
      this.#waiting.shift()
      this.#errors--
      this.#write(first.error)
    }
  }
}
