import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Route } from '../../src/kernel/plugin.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import { type House, type HouseOptions, openHouse, post, routes } from './fixture.ts'

const ndjson = { 'content-type': 'application/x-ndjson' }

const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

type Lines = Extract<Route, { lines: unknown }>['lines']

const openWith = (lines?: Lines, options: HouseOptions = {}): Promise<House> =>
  openHouse({
    ...options,
    ...(lines === undefined ? {} : { routes: { ...routes(), batch: { requires: { by: 'anyone' }, lines } } }),
  })

const batch = async (house: House, body: string): Promise<{ status: number; lines: Record<string, unknown>[] }> => {
  const response = await post(`${house.url}/batch`, body, ndjson)
  return { status: response.status, lines: linesOf(await response.text()) }
}

/** A request whose body is written by hand. */
const open = (house: House): { sent: ClientRequest; answered: Promise<IncomingMessage> } => {
  const sent = httpRequest(`${house.url}/batch`, { method: 'POST', headers: ndjson })
  sent.on('error', () => {})
  return {
    sent,
    answered: new Promise((resolve, reject) => {
      sent.on('response', resolve).on('error', reject)
    }),
  }
}

const textOf = async (message: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of message) text += String(chunk)
  return text
}

describe('a stream of lines', () => {
  test('is answered line by line, with or without a last newline, blank lines and carriage returns aside', async () => {
    const house = await openWith()
    const { status, lines } = await batch(house, '{"name":"a"}\r\n\r\n\n{"name":"b"}\n{"name":"c"}')
    expect([status, lines]).toEqual([200, [{ name: 'a' }, { name: 'b' }, { name: 'c' }]])
    await house.close()
  })

  test('numbers answers as the client numbers its lines, whatever a route counts', async () => {
    const house = await openWith(async function* (_context, lines) {
      let line = 0
      for await (const value of lines) {
        line += 1
        yield line === 2 ? new Refusal('rejected', 'no', 'No.') : { ...(value as object), line }
      }
    })
    const { lines } = await batch(house, '[\n{"name":"a"}\n\n{"name":"b"}\n{"name":"c"}')
    expect(lines.map(answer => [answer['line'], answer['name'] ?? answer['code']])).toEqual([
      [1, 'json_malformed'],
      [2, 'a'],
      [4, 'no'],
      [5, 'c'],
    ])
    await house.close()
  })

  test('answers a bad line in its place with a refusal, and goes on', async () => {
    const house = await openWith()
    const bad = ['{"name":', '{"name":"a","name":"b"}', '{"nmae":"a"}', `{"name":"${'x'.repeat(70_000)}"}`]
    const body = ['{"name":"1"}', bad[0], '{"name":"2"}', bad[1], bad[2], bad[3], '{"name":"3"}'].join('\n')
    const { lines } = await batch(house, body)
    expect(lines.map(line => line['name'] ?? `${line['line']} ${line['status']} ${line['code']}`)).toEqual([
      '1',
      '2 400 json_malformed',
      '2',
      '4 400 json_duplicate_key',
      '5 400 body_invalid',
      '6 413 line_too_large',
      '3',
    ])
    await house.close()
  })

  test('keeps the places of bad lines when the route answers in batches', async () => {
    const house = await openWith(async function* (_context, lines) {
      let held: unknown[] = []
      for await (const line of lines) {
        held.push(line)
        if (held.length < 3) continue
        yield* held
        held = []
      }
      yield* held
    })
    const { lines } = await batch(house, '{"name":"1"}\n[\n{"name":"2"}\n]\n{"name":"3"}\n{\n{"name":"4"}\n}')
    expect(lines.map(line => line['name'] ?? line['line'])).toEqual(['1', 2, '2', 4, '3', 6, '4', 8])
    await house.close()
  })

  test('turns a refusal that the route yields into an error line', async () => {
    const house = await openWith(async function* (_context, lines) {
      for await (const _line of lines) yield new Refusal('rejected', 'not_verified', 'No.')
    })
    expect((await batch(house, '{"name":"1"}')).lines).toMatchObject([{ status: 422, code: 'not_verified' }])
    await house.close()
  })

  test('ends at an endless line, and says so', async () => {
    const house = await openWith(undefined, { limits: { endlessBytes: 200_000 } })
    const { lines } = await batch(house, `{"name":"1"}\n${'x'.repeat(400_000)}\n{"name":"2"}`)
    expect(lines).toMatchObject([{ name: '1' }, { status: 413, code: 'line_endless' }])
    await house.close()
  })

  test('is a plain problem when nothing was answered before', async () => {
    const house = await openWith(async function* () {
      yield* []
      throw new Refusal('unavailable', 'status_unavailable', 'The replica is too old.')
    })
    const { status, lines } = await batch(house, '{"name":"1"}')
    expect([status, lines]).toMatchObject([503, [{ code: 'status_unavailable' }]])
    await house.close()
  })

  test('ends with a defect line, and a reason in the log, when the route fails or breaks the contract', async () => {
    const house = await openWith(async function* (_context, lines) {
      for await (const line of lines) yield (line as { name: string }).name === 'bad' ? { nmae: 1 } : line
    })
    const { lines } = await batch(house, '{"name":"1"}\n{"name":"bad"}\n{"name":"2"}')
    expect(lines).toMatchObject([{ name: '1' }, { status: 500, code: 'defect' }])
    expect(house.logged.join()).toContain('batch answered 200 with a body that does not fit')
    await house.close()
  })

  test('of another content type is refused', async () => {
    const house = await openWith()
    expect((await post(`${house.url}/batch`, '{"name":"1"}')).status).toBe(400)
    await house.close()
  })

  test('ends when more than a thousand refused lines wait for an answer before them', async () => {
    const house = await openWith(async function* (_context, lines) {
      const held: unknown[] = []
      for await (const line of lines) held.push(line)
      yield* held
    })
    const { status, lines } = await batch(house, `{"name":"1"}\n${'[\n'.repeat(1_500)}`)
    expect([status, lines[0]]).toMatchObject([429, { code: 'lines_refused' }])
    await house.close()
  })
})

describe('back-pressure', () => {
  test('answers a line before the next one is sent, bad lines too', async () => {
    const house = await openWith()
    const { sent, answered } = open(house)
    sent.write('{"name":"1"}\n')
    const answer = (await answered)[Symbol.asyncIterator]()
    expect(linesOf(String((await answer.next()).value))).toEqual([{ name: '1' }])
    sent.write('[\n')
    expect(linesOf(String((await answer.next()).value))).toMatchObject([{ line: 2 }])
    sent.end('{"name":"3"}')
    expect(linesOf(String((await answer.next()).value))).toEqual([{ name: '3' }])
    await house.close()
  })

  test('a route that is slow is not run ahead of: the client is made to wait', async () => {
    let taken = 0
    let release = (): void => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    const house = await openWith(async function* (_context, lines) {
      for await (const line of lines) {
        taken++
        await gate
        yield line
      }
    })
    const { sent, answered } = open(house)
    const line = `${JSON.stringify({ name: 'x'.repeat(10_000) })}\n`
    sent.write(line)
    // The route has begun: from here on only its slowness makes the client wait.
    for (const end = Date.now() + 10_000; taken === 0 && Date.now() < end; ) await sleep(10)
    let written = line.length
    while (sent.write(line) || written < 4_000_000) {
      written += line.length
      if (written > 40_000_000) break
      if (sent.writableNeedDrain) {
        const drained = await Promise.race([new Promise(resolve => sent.once('drain', resolve)), sleep(300, 'stuck')])
        if (drained === 'stuck') break
      }
    }
    expect(taken).toBe(1)
    expect(written).toBeLessThan(40_000_000)
    release()
    sent.end()
    const lines = linesOf(await textOf(await answered))
    expect(lines.length).toBe(taken)
    await house.close()
  })

  test('a client that takes nothing holds the route still, and is cut off in time', async () => {
    let given = 0
    const house = await openWith(
      async function* () {
        for (;;) {
          given++
          yield { name: 'x'.repeat(50_000) }
        }
      },
      { limits: { idleMs: 300 } },
    )
    const { sent, answered } = open(house)
    sent.end('{"name":"1"}\n')
    const message = await answered
    message.pause()
    await sleep(150)
    const held = given
    await sleep(100)
    expect(given - held).toBeLessThan(50)
    expect(given).toBeLessThan(2_000)
    await sleep(600)
    await expect(textOf(message)).rejects.toThrow()
    expect(house.logged.join()).toContain('the client left')
    await house.close()
  })

  test('a client that sends nothing more is cut off in time, with a reason', async () => {
    const house = await openWith(undefined, { limits: { idleMs: 200 } })
    const { sent, answered } = open(house)
    sent.write('{"name":"1"}\n{"na')
    expect(linesOf(await textOf(await answered))).toMatchObject([{ name: '1' }, { code: 'stream_idle' }])
    await house.close()
  })

  test('a client that hangs up ends the route with an error, never with a normal end', async () => {
    let ending = 'none'
    const house = await openWith(async function* (_context, lines) {
      try {
        for await (const line of lines) yield line
        ending = 'normal'
      } catch (error) {
        ending = String(error instanceof Error ? error.name : error)
        throw error
      }
    })
    const { sent, answered } = open(house)
    sent.write('{"name":"1"}\n')
    await answered
    sent.destroy()
    await sleep(100)
    expect(ending).toBe('ClientGone')
    expect(house.logged.join()).not.toContain('defect')
    await house.close()
  })

  test('a hundred thousand lines pass in little memory', async () => {
    const house = await openWith()
    const { sent, answered } = open(house)
    const chunk = `${JSON.stringify({ name: 'x'.repeat(200) })}\n`.repeat(1_000)
    const writing = (async () => {
      for (let at = 0; at < 100; at++) {
        if (!sent.write(chunk)) await new Promise(resolve => sent.once('drain', resolve))
      }
      sent.end()
    })()
    let newlines = 0
    const before = process.memoryUsage().rss
    for await (const part of await answered) newlines += String(part).split('\n').length - 1
    await writing
    expect(newlines).toBe(100_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
    await house.close()
  })
})
