import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { SignatureAlgorithm, Signer } from '../kernel/ports.ts'
import { isRefusal, Refusal, type RefusalKind, refusalKinds } from '../kernel/refusal.ts'
import type { DigestSignature, DigestSigner, MessageSigner } from './keys.ts'

/**
 * A signer in a process of its own, in the shape of a KMS: key id, algorithm and data go in, a signature comes out, the
 * key never does. Frames are a length (4 bytes, big-endian) and that much JSON, over the child's stdin and stdout.
 */
export type ProcessSigner = Signer & DigestSigner & MessageSigner & { close(): Promise<void> }

export type ProcessSignerOptions = {
  /** Program and arguments of a process that runs `serveSigner` on its stdin and stdout. */
  command: string
  args: readonly string[]
  /** The only environment the child gets: what it needs to find its keys. */
  env?: Record<string, string>
  /** How long an answer may take. @default 5000 */
  timeoutMs?: number
  /** How soon after its end a dead signer is started again, by the next call. @default 1000 */
  restartAfterMs?: number
}

type Request =
  | { id: number; op: 'sign'; keyId: string; algorithm: SignatureAlgorithm; data: string }
  | { id: number; op: 'signDigest'; keyId: string; digest: string }
  | { id: number; op: 'signMessages'; keyId: string; header: string; messages: string[] }
type Response =
  | { id: number; result: unknown }
  | { id: number; refusal: { kind: string; code: string; detail: string } }

const maxFrameBytes = 4 * 1024 * 1024

const frameOf = (message: unknown): Buffer => {
  const body = Buffer.from(JSON.stringify(message))
  if (body.length > maxFrameBytes) throw new Refusal('too_large', 'signature_input_too_large', 'Sign a digest instead.')
  const frame = Buffer.allocUnsafe(4 + body.length)
  frame.writeUInt32BE(body.length)
  body.copy(frame, 4)
  return frame
}

/** Calls `receive` with each message. A frame over the limit ends the stream: nothing after it can be trusted. */
const readFrames = (input: Readable, receive: (message: unknown) => void, broken: () => void): void => {
  let pending: Buffer = Buffer.alloc(0)
  input.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let at = 0
    while (pending.length - at >= 4) {
      const length = pending.readUInt32BE(at)
      if (length > maxFrameBytes) return broken()
      if (pending.length - at - 4 < length) break
      let message: unknown
      try {
        message = JSON.parse(pending.toString('utf8', at + 4, at + 4 + length))
      } catch {
        return broken()
      }
      at += 4 + length
      receive(message)
    }
    pending = pending.subarray(at)
  })
}

/** What crosses the pipe of an error: a Refusal's own words, and nothing of anything else. */
const reported = (error: unknown) =>
  isRefusal(error)
    ? { kind: error.kind, code: error.code, detail: error.message }
    : { kind: 'unavailable', code: 'signer_failed', detail: 'The signer could not sign.' }

/**
 * The child's side. Ends when its parent does.
 * @returns a promise that resolves when the input has ended.
 */
export const serveSigner = (options: {
  keys: { signer: Signer } & DigestSigner & MessageSigner
  input: Readable
  output: Writable
}): Promise<void> => {
  const { keys, input, output } = options
  const answer = async (request: Request): Promise<unknown> => {
    if (request.op === 'sign') {
      const data = Buffer.from(request.data, 'base64')
      return Buffer.from(await keys.signer.sign(request.keyId, request.algorithm, data)).toString('base64')
    }
    if (request.op === 'signDigest') return keys.signDigest(request.keyId, Buffer.from(request.digest, 'base64'))
    if (request.op === 'signMessages') {
      const messages = request.messages.map(message => Buffer.from(message, 'base64'))
      const signed = { header: Buffer.from(request.header, 'base64'), messages }
      return Buffer.from(await keys.signMessages(request.keyId, signed)).toString('base64')
    }
    throw new Refusal('malformed', 'signer_operation_unknown', 'The signer signs data, digests and lists of messages.')
  }
  const receive = (message: unknown): void => {
    const request = message as Request
    answer(request)
      .then(
        result => ({ id: request.id, result }),
        error => ({ id: request.id, refusal: reported(error) }),
      )
      .then((response: Response) => output.write(frameOf(response)))
  }
  return new Promise(resolve => {
    readFrames(input, receive, () => input.destroy())
    input.once('close', resolve)
    input.once('end', resolve)
    output.on('error', () => input.destroy())
  })
}

const unavailable = (): Refusal =>
  new Refusal('unavailable', 'signer_unavailable', 'The signer is not running; try again shortly.')

const refusalFrom = (refusal: { kind: string; code: string; detail: string }): Refusal =>
  new Refusal(
    refusalKinds.find(kind => kind === refusal.kind) ?? ('unavailable' as RefusalKind),
    refusal.code,
    refusal.detail,
  )

type Waiting = { resolve(result: unknown): void; reject(error: unknown): void; timer: NodeJS.Timeout }

/** One run of the child: what was asked of it is refused when it ends. */
const startChild = (options: ProcessSignerOptions, ended: () => void) => {
  const waiting = new Map<number, Waiting>()
  const settle = (id: number): Waiting | undefined => {
    const found = waiting.get(id)
    if (found !== undefined) clearTimeout(found.timer)
    waiting.delete(id)
    return found
  }
  const end = (): void => {
    for (const id of [...waiting.keys()]) settle(id)?.reject(unavailable())
    ended()
  }
  const child: ChildProcess & { stdin: Writable; stdout: Readable } = spawn(options.command, [...options.args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...options.env },
  }) as ChildProcess & { stdin: Writable; stdout: Readable }
  child.once('error', end)
  child.once('exit', end)
  child.stdin.on('error', () => child.kill('SIGKILL'))
  const receive = (message: unknown): void => {
    const response = message as Response
    const asker = settle(response.id)
    if ('refusal' in response) asker?.reject(refusalFrom(response.refusal))
    else asker?.resolve(response.result)
  }
  readFrames(child.stdout, receive, () => child.kill('SIGKILL'))
  const ask = (request: Request): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const frame = frameOf(request)
      const timer = setTimeout(() => settle(request.id)?.reject(unavailable()), options.timeoutMs ?? 5_000)
      waiting.set(request.id, { resolve, reject, timer })
      child.stdin.write(frame)
    })
  const close = (): Promise<void> =>
    new Promise(resolve => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      child.once('exit', () => resolve())
      child.stdin.end()
      setTimeout(() => child.kill('SIGKILL'), 2_000).unref()
    })
  return { ask, close, pid: child.pid }
}

/** Starts the signer's process at the first call, and again after it has died. */
export const openProcessSigner = (options: ProcessSignerOptions): ProcessSigner & { pid(): number | undefined } => {
  let child: ReturnType<typeof startChild> | undefined
  let closed = false
  let diedAt = Number.NEGATIVE_INFINITY
  let lastId = 0
  const running = (): ReturnType<typeof startChild> => {
    if (child !== undefined) return child
    if (closed || performance.now() - diedAt < (options.restartAfterMs ?? 1_000)) throw unavailable()
    const started = startChild(options, () => {
      if (child === started) child = undefined
      diedAt = performance.now()
    })
    child = started
    return started
  }
  const ask = (request: (id: number) => Request): Promise<unknown> => running().ask(request(++lastId))
  return {
    async sign(keyId, algorithm, data) {
      const base64 = Buffer.from(data).toString('base64')
      const signature = await ask(id => ({ id, op: 'sign', keyId, algorithm, data: base64 }))
      return Buffer.from(signature as string, 'base64')
    },
    async signDigest(keyId, digest) {
      const base64 = Buffer.from(digest).toString('base64')
      return (await ask(id => ({ id, op: 'signDigest', keyId, digest: base64 }))) as DigestSignature
    },
    async signMessages(keyId, signed) {
      const messages = signed.messages.map(message => Buffer.from(message).toString('base64'))
      const header = Buffer.from(signed.header).toString('base64')
      const signature = await ask(id => ({ id, op: 'signMessages', keyId, header, messages }))
      return Buffer.from(signature as string, 'base64')
    },
    pid: () => child?.pid,
    async close() {
      closed = true
      await child?.close()
    },
  }
}
