import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { isPublicAddress } from '../../src/identity/addresses.ts'
import { fetchBounded, type Target } from '../../src/identity/fetch-bounded.ts'

const coded = (code: string) => expect.objectContaining({ code })

describe('an address', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001::7f00:1',
    '2001:db8::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'localhost',
    '',
  ])('is refused as %p', address => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it.each(['1.1.1.1', '172.32.0.1', '100.128.0.1', '192.169.0.1', '2606:4700::1111', '2a00:1450::1'])(
    'is public as %p',
    address => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )
})

describe('a bounded fetch', () => {
  let server: Server
  let origin: string
  let asked: IncomingMessage[] = []
  const answers: Record<string, (response: ServerResponse) => void> = {
    '/good': response => response.setHeader('content-type', 'application/json').end('{}'),
    '/large': response => response.end(Buffer.alloc(300 * 1024)),
    '/declared': response => response.writeHead(200, { 'content-length': 10 ** 9 }).flushHeaders(),
    '/silent': () => undefined,
    '/drip': response => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    },
    '/endless': response => {
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16 * 1024)));
        response.once('drain', pour)
      }
      pour()
    },
    '/packed': response => response.setHeader('content-encoding', 'gzip').end('x'),
    '/missing': response => response.writeHead(404).end(),
    '/cut': response => response.socket?.destroy(),
    '/loop': response => response.writeHead(302, { location: '/loop' }).end(),
    '/one': response => response.writeHead(301, { location: '/two' }).end(),
    '/two': response => response.writeHead(307, { location: '/three' }).end(),
    '/three': response => response.writeHead(308, { location: '/good' }).end(),
    '/to-metadata': response => response.writeHead(302, { location: 'https://169.254.169.254/latest' }).end(),
    '/to-http': response => response.writeHead(302, { location: 'http://example.com/' }).end(),
    '/to-file': response => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    '/echo': response => {
      const sent: Buffer[] = []
      response.req
        .on('data', chunk => sent.push(chunk))
        .on('end', () => response.writeHead(422).end(Buffer.concat(sent)))
    },
    '/to-loopback': response => response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end(),
  }

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request)
      answers[request.url ?? '']?.(response)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const fetchDemo = (path: string, timeoutMs = 5_000) =>
    fetchBounded(`${origin}${path}`, { allowedHttpOrigins: [origin], timeoutMs })

  it('gets what an exactly configured demo origin has, over three redirects', async () => {
    expect(await fetchDemo('/good')).toMatchObject({ contentType: 'application/json', body: Buffer.from('{}') })
    expect((await fetchDemo('/one')).url).toBe(`${origin}/good`)
  })

  it.each([
    ['/large', 'fetch_too_large'],
    ['/declared', 'fetch_too_large'],
    ['/endless', 'fetch_too_large'],
    ['/packed', 'fetch_failed'],
    ['/missing', 'fetch_failed'],
    ['/cut', 'fetch_failed'],
    ['/loop', 'fetch_failed'],
    ['/to-metadata', 'url_forbidden'],
    ['/to-http', 'url_forbidden'],
    ['/to-file', 'url_forbidden'],
    ['/to-loopback', 'url_forbidden'],
  ])('ends at %s with %s', async (path, code) => {
    await expect(fetchDemo(path)).rejects.toEqual(coded(code))
  })

  it('posts JSON with header fields of its own, and takes every status for an answer', async () => {
    asked = []
    const post = { body: '{"a":"é"}', headers: { authorization: 'Agency x' } }
    const answer = await fetchBounded(`${origin}/echo`, { allowedHttpOrigins: [origin], post })
    expect(answer).toMatchObject({ status: 422, body: Buffer.from(post.body) })
    expect(asked[0]).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json', ...post.headers } })
  })

  it('posts another media type where it is named, and hands on the headers of the answer', async () => {
    asked = []
    const contentType = 'application/x-www-form-urlencoded'
    const post = { body: 'a=b', contentType }
    const answer = await fetchBounded(`${origin}/echo`, { allowedHttpOrigins: [origin], post })
    expect(asked[0]).toMatchObject({ headers: { 'content-type': contentType, 'content-length': '3' } })
    expect(answer.headers).toMatchObject({ date: expect.any(String) })
  })

  it('follows no redirect with what it posts', async () => {
    asked = []
    const post = { body: '{}' }
    const answer = await fetchBounded(`${origin}/one`, { allowedHttpOrigins: [origin], post })
    expect([answer.status, asked.length]).toEqual([301, 1])
    await expect(fetchBounded(`${origin}/large`, { allowedHttpOrigins: [origin], post })).rejects.toEqual(
      coded('fetch_too_large'),
    )
    await expect(fetchBounded('https://10.0.0.1/', { post })).rejects.toEqual(coded('url_forbidden'))
  })

  it.each(['/silent', '/drip'])('ends in time at %s', async path => {
    const started = performance.now()
    await expect(fetchDemo(path, 300)).rejects.toEqual(coded('fetch_timeout'))
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  it('ends in time when the name server does not answer', async () => {
    const lookup = () => new Promise<never>(() => undefined)
    await expect(fetchBounded('https://slow.example/', { lookup, timeoutMs: 100 })).rejects.toEqual(
      coded('fetch_timeout'),
    )
  })

  it.each([
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'data:application/json,{}',
    'no url',
    'https://user:secret@example.com/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://0/',
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://100.100.100.200/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[fd00:ec2::254]/',
    'https://[fe80::1]/',
    'https://[64:ff9b::a00:1]/',
  ])('refuses %s before anything is sent', async url => {
    const connect = () => {
      throw new Error('connected')
    }
    await expect(fetchBounded(url, { connect })).rejects.toEqual(coded('url_forbidden'))
  })

  it('refuses a demo origin that is not exactly the configured one', async () => {
    asked = []
    const port = Number(new URL(origin).port)
    for (const allowed of [`http://127.0.0.1:${port + 1}`, `https://127.0.0.1:${port}`, 'http://127.0.0.1']) {
      await expect(fetchBounded(`${origin}/good`, { allowedHttpOrigins: [allowed] })).rejects.toEqual(
        coded('url_forbidden'),
      )
    }
    expect(asked).toEqual([])
  })

  it('refuses a name of which any address is not public', async () => {
    for (const addresses of [
      [{ address: '127.0.0.1', family: 4 }],
      [
        { address: '93.184.216.34', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ],
      [{ address: '::ffff:192.168.0.1', family: 6 }],
    ]) {
      const lookup = async () => addresses
      await expect(fetchBounded('https://agency.example/', { lookup })).rejects.toEqual(coded('url_forbidden'))
    }
  })

  it('asks for the name once and connects to the address that it checked, whatever the name says later', async () => {
    const targets: Target[] = []
    let asks = 0
    const lookup = async () => [{ address: ++asks === 1 ? '93.184.216.34' : '127.0.0.1', family: 4 }]
    const connect = (target: Target) => {
      targets.push(target)
      return new Socket().destroy(new Error('no network in this test'))
    }
    await expect(fetchBounded('https://rebinding.example/', { lookup, connect })).rejects.toEqual(coded('fetch_failed'))
    expect(asks).toBe(1)
    expect(targets).toEqual([
      { address: '93.184.216.34', family: 4, host: 'rebinding.example', port: 443, secure: true },
    ])
  })

  it('lets no public host lead to a demo origin', async () => {
    // Two origins of the same server: the one leads to the other, and only by its own name may that be reached.
    const other = createServer((_, response) => response.writeHead(302, { location: `${origin}/good` }).end())
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const start = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    const allowedHttpOrigins = [start, origin]
    await expect(fetchBounded(start, { allowedHttpOrigins })).rejects.toEqual(coded('url_forbidden'))
    other.close()
  })
})
