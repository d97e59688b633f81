import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to one call between a service and its node. */
export type Fault = {
  method: string
  /** Before the node hears of it, or when it has answered. */
  side: 'question' | 'answer'
  /** Held until it is released; lost with the connection; cut in half; said twice; declined as a call that reverts. */
  act: 'hold' | 'lose' | 'cut' | 'twice' | 'revert'
  /** Only calls of which this is true. */
  about?: (text: string) => boolean
}

export type Armed = {
  /** Resolves when the step is reached. @throws Error when it is not in time */
  met(timeoutMs?: number): Promise<void>
  /** Lets what is held go on, and the fault be forgotten. */
  release(): void
}

export type FaultyNode = {
  readonly url: string
  /** The next such call meets this fault, once. */
  arm(fault: Fault): Armed
  /** @param noise which fault an ordinary call meets, if any; undefined ends it. */
  disturb(noise?: (method: string) => Fault['act'] | undefined): void
  close(): Promise<void>
}

type Waiting = { fault: Fault; met(): void; released: Promise<void> }

const textOf = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts).toString()
}

const reverted = (body: string): string => {
  const { id } = JSON.parse(body) as { id: number }
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: 3, message: 'execution reverted', data: '0x' } })
}

/** A place on the way to the node where calls go wrong as they do in a network. @param port of the node */
export const openFaultyNode = async (port: number): Promise<FaultyNode> => {
  const waiting: Waiting[] = []
  let noise: ((method: string) => Fault['act'] | undefined) | undefined

  const meet = async (side: Fault['side'], method: string, text: string): Promise<Fault['act'] | undefined> => {
    const at = waiting.findIndex(
      ({ fault }) => fault.side === side && fault.method === method && (fault.about?.(text) ?? true),
    )
    const [found] = at < 0 ? [] : waiting.splice(at, 1)
    if (found === undefined) return side === 'answer' ? noise?.(method) : undefined
    found.met()
    if (found.fault.act === 'hold') await found.released
    return found.fault.act
  }
  const forward = async (body: string): Promise<string> => {
    const headers = { 'content-type': 'application/json' }
    return (await fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers, body })).text()
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await textOf(request)
    const { method } = JSON.parse(body) as { method: string }
    const before = await meet('question', method, body)
    if (before === 'lose' || before === 'cut') return void request.socket.destroy()
    if (before === 'twice') await forward(body)
    const said = before === 'revert' ? reverted(body) : await forward(body)
    const after = await meet('answer', method, said)
    if (after === 'lose') return void request.socket.destroy()
    if (after === 'twice') await forward(body)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(said) })
    if (after !== 'cut') return void response.end(said)
    response.write(said.slice(0, said.length / 2), () => request.socket.destroy())
  }
  const server = createServer((request, response) => {
    // A node that is down closes the connection.
    answer(request, response).catch(() => request.socket.destroy())
  })
  await new Promise<void>(done => void server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arm(fault) {
      const [met, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const mine: Waiting = { fault, met: met.resolve, released: released.promise }
      waiting.push(mine)
      return {
        async met(timeoutMs = 30_000) {
          const late = setTimeout(
            () => met.reject(new Error(`nothing came to ${fault.method} (${fault.side})`)),
            timeoutMs,
          )
          await met.promise.finally(() => clearTimeout(late))
        },
        release() {
          const at = waiting.indexOf(mine)
          if (at >= 0) waiting.splice(at, 1)
          released.resolve()
        },
      }
    },
    disturb: next => {
      noise = next
    },
    close: async () => {
      for (const { fault: _, ...each } of waiting.splice(0)) each.met()
      server.closeAllConnections()
      await new Promise<void>(done => void server.close(() => done()))
    },
  }
}
