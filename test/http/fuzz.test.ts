import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type House, openHouse } from './fixture.ts'

/** A small seeded generator (mulberry32), so that a failure can be run again. */
const seeded = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Random = ReturnType<typeof seeded>
const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

const noise = (random: Random, length: number): string =>
  Array.from({ length: Math.floor(random() * length) }, () => String.fromCharCode(Math.floor(random() * 256))).join('')

const paths = ['/echo', '/staff', '/things/a', '/verify', '/sign-in', '/batch', '/health', '/docs', '/away', '/', '']
const types = ['application/json', 'application/x-ndjson', 'text/plain', 'application/json;charset=utf-16', ';;', '']
const bodies = [
  '{"name":"a"}',
  '{"name":"a","name":"b"}',
  '{"name":"\\ud800"}',
  '{"__proto__":{"name":"a"}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '['.repeat(5_000),
  '{"a":'.repeat(500),
  '1e999',
  'null',
  '""',
  '{"name":1e308}',
  '{"name":"a"}\n[\n\n{"name":"b"}',
  '\x00\x01\xff\xfe',
  '-',
]
const headers = (random: Random): string[] => [
  ...(random() < 0.3
    ? [`Authorization: ${pick(random, ['Bearer ck_x', 'Bearer eyJ.e30.x', 'Basic eDp5', 'Bearer cs_1'])}`]
    : []),
  ...(random() < 0.2 ? [`X-Request-Id: ${noise(random, 40).replace(/[^\x20-\x7e]/g, '~')}`] : []),
  ...(random() < 0.1 ? ['Content-Encoding: gzip'] : []),
  ...(random() < 0.1 ? ['__proto__: x', 'constructor: y'] : []),
  ...(random() < 0.1 ? [`Cookie: ${'c'.repeat(Math.floor(random() * 20_000))}`] : []),
]

const known = [
  ['POST', '/echo'],
  ['POST', '/staff'],
  ['GET', '/things/a'],
  ['POST', '/verify'],
  ['POST', '/sign-in'],
  ['POST', '/batch'],
  ['GET', '/health'],
] as const

const target = (random: Random, path: string): string => {
  const query = [
    '',
    '?',
    '?limit=9',
    '?limit=%',
    '?a=1&a=2',
    '?__proto__=1',
    `?${encodeURIComponent(noise(random, 30))}`,
  ]
  const tail = random() < 0.05 ? encodeURI(noise(random, 20)).replaceAll('?', '') : ''
  const odd = random() < 0.05 ? pick(random, ['/%ff', '/..%2f..', '/%00', '/things/__proto__', '//']) : ''
  return `/office${path}${tail}${odd}${random() < 0.3 ? pick(random, query) : ''}`
}

const junk = (random: Random): string => {
  if (random() < 0.05) return `${noise(random, 300)}\r\n\r\n`
  const odd = [pick(random, ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'TRACE', 'BREW']), pick(random, paths)] as const
  const [method, path] = random() < 0.8 ? pick(random, known) : odd
  const body = random() < 0.3 ? noise(random, 2_000) : pick(random, random() < 0.3 ? bodies.slice(0, 1) : bodies)
  const length =
    random() < 0.05 ? pick(random, ['-1', '99999999', 'x', '0']) : String(Buffer.byteLength(body, 'latin1'))
  const framing =
    random() < 0.1
      ? [
          'Transfer-Encoding: chunked',
          '',
          `${body.length.toString(16)}\r\n${body}\r\n${random() < 0.5 ? '0\r\n\r\n' : 'zz'}`,
        ]
      : [`Content-Length: ${length}`, '', body]
  const type = random() < 0.95 ? [`Content-Type: ${random() < 0.5 ? 'application/json' : pick(random, types)}`] : []
  return [
    `${method} ${target(random, path)} HTTP/1.1`,
    'Host: x',
    ...headers(random),
    ...type,
    'Connection: close',
    ...framing,
  ].join('\r\n')
}

/** Sends raw bytes and hangs up soon, whatever comes. */
const send = (house: House, bytes: string): Promise<string> =>
  new Promise(resolve => {
    let text = ''
    const socket = connect(house.server.port, '127.0.0.1', () => {
      socket.write(bytes, 'latin1')
    })
    socket.setTimeout(250, () => socket.destroy())
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })

const round = async (house: House, random: Random, count: number): Promise<Map<string, number>> => {
  const statuses = new Map<string, number>()
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const answer = await send(house, junk(random))
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'none'
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: 32 }, worker))
  return statuses
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const heapBytes = (): number => {
  collect()
  return process.memoryUsage().heapUsed
}

test('10,000 junk requests get no 500, leave no defect in the log, and no memory behind', async () => {
  const house = await openHouse({ limits: { failures: 1_000_000, bodyMs: 200, idleMs: 200 } })
  const random = seeded(20_260_101)
  await round(house, random, 2_000)
  house.logged.length = 0
  const before = heapBytes()
  const statuses = await round(house, random, 10_000)
  const defects = house.logged.filter(line => line.includes('"level":50'))
  house.logged.length = 0
  expect(defects).toEqual([])
  expect([...statuses.keys()].filter(status => status.startsWith('5'))).toEqual([])
  for (const status of ['200', '400', '401', '404', '422']) expect(statuses.get(status) ?? 0).toBeGreaterThan(10)
  expect(heapBytes() - before).toBeLessThan(5_000_000)
  expect((await fetch(`${house.url}/health`)).status).toBe(200)
  await house.close()
}, 180_000)
