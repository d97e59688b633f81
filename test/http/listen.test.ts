import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type HouseOptions, openHouse, post, routes } from './fixture.ts'

const slowRoutes = (ms: number): HouseOptions => ({
  routes: {
    ...routes(),
    echo: {
      requires: { by: 'anyone' },
      run: async ({ body }) => {
        await sleep(ms, undefined, { ref: false })
        return { status: 200, body }
      },
    },
  },
})

const dial = (port: number): Promise<Socket> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', () => {})
  })

const received = (socket: Socket): Promise<string> =>
  new Promise(resolve => {
    let text = ''
    socket.on('data', chunk => {
      text += String(chunk)
    })
    socket.on('close', () => resolve(text))
  })

const within = async (ms: number, work: Promise<unknown>): Promise<boolean> =>
  (await Promise.race([work, sleep(ms, 'late', { ref: false })])) !== 'late'

describe('closing', () => {
  test('lets requests in flight finish and takes no more', async () => {
    const house = await openHouse(slowRoutes(300))
    const answer = post(`${house.url}/echo`, '{"name":"a"}')
    await sleep(100)
    const closing = house.server.close()
    await expect(fetch(`${house.url}/health`)).rejects.toThrow()
    const response = await answer
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close'])
    expect(await within(1_000, closing)).toBe(true)
    await house.close()
  })

  test('does not wait for connections that are only kept alive', async () => {
    const house = await openHouse()
    await fetch(`${house.url}/health`)
    expect(await within(1_000, house.close())).toBe(true)
  })

  test('cuts what is left after the grace', async () => {
    const house = await openHouse({ ...slowRoutes(60_000), listen: { graceMs: 200 } })
    const answer = post(`${house.url}/echo`, '{"name":"a"}')
    const failed = expect(answer).rejects.toThrow()
    await sleep(100)
    expect(await within(1_500, house.close())).toBe(true)
    await failed
  })

  test('may be asked for twice', async () => {
    const house = await openHouse()
    await Promise.all([house.server.close(), house.server.close()])
    await house.close()
  })
})

describe('a slow client', () => {
  test('that never finishes its body is refused in time', async () => {
    const house = await openHouse({ limits: { bodyMs: 300 } })
    const socket = await dial(house.server.port)
    socket.write(
      'POST /office/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    )
    const text = await received(socket)
    expect(text).toMatch(/^HTTP\/1.1 400 [\s\S]*Connection: close[\s\S]*body_incomplete/)
    await house.close()
  })

  test('that never finishes its head is cut off', async () => {
    const house = await openHouse({ listen: { headersMs: 500 } })
    const socket = await dial(house.server.port)
    socket.write('POST /office/echo HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    expect(await within(4_000, received(socket))).toBe(true)
    await house.close()
  })

  test('whose body nobody wants does not keep the connection', async () => {
    const house = await openHouse()
    const socket = await dial(house.server.port)
    socket.write('POST /office/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n{')
    const text = received(socket)
    expect(await within(3_000, text)).toBe(true)
    expect(await text).toMatch(/^HTTP\/1.1 404 [\s\S]*Connection: close/)
    await house.close()
  })
})

test('a port that is taken stops the start', async () => {
  const house = await openHouse()
  await expect(openHouse({ listen: { port: house.server.port } })).rejects.toThrow('EADDRINUSE')
  await house.close()
})

const openssl = (() => {
  try {
    return execFileSync('openssl', ['version']).length > 0
  } catch {
    return false
  }
})()

const testWithOpenssl = openssl ? test : test.skip

testWithOpenssl('with certificate and key it speaks TLS', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chancery-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = [
    '-subj',
    '/CN=localhost',
    '-days',
    '1',
    '-nodes',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
  ]
  execFileSync('openssl', ['req', '-x509', '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
  const tls = { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
  const house = await openHouse({ listen: { tls } })
  const status = await new Promise(resolve => {
    const sent = httpsRequest(`${house.url}/health`, { ca: tls.cert, servername: 'localhost' }, answer => {
      answer.resume()
      resolve(answer.statusCode)
    })
    sent.end()
  })
  expect([status, house.server.url.startsWith('https://')]).toEqual([200, true])
  await house.close()
  await rm(folder, { recursive: true })
})
