import { connect, type Socket } from 'node:net'

/**
 * One kept-alive connection of HTTP/1.1, one call at a time: what a wallet's phone spends on HTTP is not the service's, so here it is
 * as little as can be. Answers have a Content-Length, as all of the service's have.
 */

export type Reply = { status: number; head: string; body: string }

export type Line = {
  post(path: string, body: string, type: string, headers?: Readonly<Record<string, string>>): Promise<Reply>
}

/** A field of an answer's head, in whatever case it was written. */
export const fieldOf = (head: string, name: string): string | undefined =>
  new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trimEnd()

const headEnd = Buffer.from('\r\n\r\n')

/** The answer at the beginning of what has come, once it is there as a whole. */
const read = (bytes: Buffer): Reply | undefined => {
  const end = bytes.indexOf(headEnd)
  if (end === -1) return undefined
  const head = bytes.toString('latin1', 0, end)
  const status = Number(head.slice(9, 12))
  const length = fieldOf(head, 'content-length') ?? (status === 204 ? '0' : undefined)
  if (length === undefined) throw new Error(`an answer without a length: ${head}`)
  const from = end + headEnd.length
  const to = from + Number(length)
  return bytes.length < to ? undefined : { status, head, body: bytes.toString('utf8', from, to) }
}

type Waiting = { resolve(reply: Reply): void; reject(error: unknown): void }

export const openLine = async (origin: string): Promise<Line> => {
  const { hostname, port, host } = new URL(origin)
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opened = connect({ host: hostname, port: Number(port), noDelay: true }, () => resolve(opened))
    opened.once('error', reject)
  })
  let come: Buffer = Buffer.alloc(0)
  let waiting: Waiting | undefined
  const fail = (error: unknown): void => {
    waiting?.reject(error)
    waiting = undefined
  }
  socket.on('error', fail).on('close', () => fail(new Error('the service closed the connection')))
  socket.on('data', (chunk: Buffer) => {
    come = come.length === 0 ? chunk : Buffer.concat([come, chunk])
    try {
      const reply = read(come)
      if (reply === undefined) return
      come = Buffer.alloc(0)
      const { resolve } = waiting as Waiting
      waiting = undefined
      resolve(reply)
    } catch (error) {
      fail(error)
    }
  })
  return {
    post: (path, body, type, headers = {}) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        let head = `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
        for (const name in headers) head += `${name}: ${headers[name]}\r\n`
        socket.write(`${head}\r\n${body}`)
      }),
  }
}
