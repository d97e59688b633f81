import request from 'supertest'
import type { Route } from '../../src/kernel/plugin.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import type { Requirement } from '../../src/kernel/requirement.ts'
import { contract, type House, openHouse, post, routes } from './fixture.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

const codeOf = async (response: Response): Promise<unknown> => ((await response.json()) as { code?: unknown }).code

describe('a request body', () => {
  test.each([
    ['is larger than the limit', JSON.stringify({ name: 'x'.repeat(1_000_001) }), 413, 'body_too_large'],
    ['has a name twice', '{"name":"a","name":"b"}', 400, 'json_duplicate_key'],
    ['is too deep', `{"name":"a","more":${'['.repeat(40)}${']'.repeat(40)}}`, 400, 'json_too_deep'],
    ['has half a surrogate pair', '{"name":"\\ud800"}', 400, 'json_lone_surrogate'],
    ['is not JSON', '{"name":', 400, 'json_malformed'],
    ['has data after its end', '{"name":"a"}1', 400, 'json_malformed'],
    ['has a member too many', '{"name":"a","nmae":"b"}', 400, 'body_invalid'],
    ['is empty', '', 400, 'body_missing'],
  ])('that %s is refused', async (_name, body, status, code) => {
    const response = await post(`${house.url}/echo`, body)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ type: `urn:chancery:refusal:${code}`, status, code })
  })

  test('that grows beyond the limit without saying so is refused', async () => {
    // Endless for the server, which must have closed long before; bounded here, because a client may go on reading it.
    let chunks = 0
    const body = new ReadableStream({
      pull: controller => (chunks++ < 200 ? controller.enqueue(Buffer.alloc(100_000, 0x20)) : controller.close()),
    })
    const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } }
    // The server answers and closes while the endless body is still being sent: the client sees the answer or the end.
    const outcome = await fetch(`${house.url}/echo`, init as RequestInit).then(codeOf, () => 'closed')
    expect(['body_too_large', 'closed']).toContain(outcome)
  })

  test.each([
    ['text/plain', 'content_type_unsupported'],
    ['application/x-www-form-urlencoded', 'content_type_unsupported'],
    ['application/json; charset=utf-16', 'content_type_unsupported'],
  ])('of type %s is refused', async (type, code) => {
    const response = await post(`${house.url}/echo`, '{"name":"a"}', { 'content-type': type })
    expect([response.status, await codeOf(response)]).toEqual([400, code])
  })

  test('that is compressed is refused', async () => {
    const response = await post(`${house.url}/echo`, '{"name":"a"}', { 'content-encoding': 'gzip' })
    expect([response.status, await codeOf(response)]).toEqual([400, 'content_encoding_unsupported'])
  })

  test('that fits reaches the route', async () => {
    const response = await post(`${house.url}/echo`, '{"name":"é😀"}', {
      'content-type': 'application/json; charset=UTF-8',
    })
    expect([response.status, await response.json()]).toEqual([200, { name: 'é😀' }])
  })
})

describe('parameters', () => {
  test.each([
    ['/things/a?limit=101', 'parameter_invalid'],
    ['/things/a?limit=abc', 'parameter_invalid'],
    ['/things/a?limit=1&limit=2', 'parameter_repeated'],
    ['/things/a?lmit=1', 'parameter_unknown'],
    ['/things/a?__proto__=1', 'parameter_unknown'],
    ['/things/%ff', 'path_malformed'],
    [`/things/${'x'.repeat(65)}`, 'parameter_invalid'],
  ])('of %s are refused', async (path, code) => {
    const response = await fetch(house.url + path)
    expect([response.status, await codeOf(response)]).toEqual([400, code])
  })

  test('reach the route as the words they were', async () => {
    const response = await fetch(`${house.url}/things/did%3Aweb%3Aa%252Fb?limit=07`)
    expect(await response.json()).toEqual({ params: { id: 'did:web:a%2Fb' }, query: { limit: '07' } })
  })
})

describe('a path', () => {
  test.each([
    ['GET', '/nothing'],
    ['GET', '/echo'],
    ['DELETE', '/things/a'],
    ['GET', '/away'],
    ['GET', '/ECHO'],
    ['TRACE', '/echo'],
    ['OPTIONS', '/echo'],
  ])('that no operation has is not found: %s %s', async (method, path) => {
    const response = await request(house.server.url)[method.toLowerCase() as 'get'](`/office${path}`)
    expect([response.status, JSON.parse(response.text).code]).toEqual([404, 'operation_unknown'])
  })

  test('outside of every agency is not found', async () => {
    expect((await fetch(house.server.url)).status).toBe(404)
    expect((await fetch(`${house.server.url}/officer/health`)).status).toBe(404)
  })
})

const requiring = (requires: Requirement): Route => ({ requires, run: async () => ({ status: 200 }) })

describe('the start', () => {
  test.each([
    [
      'an operation has no route',
      { openapi: contract(), routes: { ...routes(), echo: undefined } },
      /no route runs.*echo/,
    ],
    [
      'a route has no operation',
      { routes: { ...routes(), stray: routes()['echo'] } },
      /no operation for the route stray/,
    ],
    ['a stream is bound to a plain route', { routes: { ...routes(), batch: routes()['echo'] } }, /differ on/],
    [
      'an operation without a body asks for a presentation made for it',
      { routes: { ...routes(), staffOnly: requiring({ by: 'holder', of: { id: 'a', type: 'A' }, oneShot: true }) } },
      /staffOnly requires a presentation for each act, and has no body/,
    ],
    [
      'an operation may wait for a second officer and does not say so',
      { routes: { ...routes(), echo: requiring({ by: 'staff', scope: 's', fourEyes: { lifeSeconds: 1 } }) } },
      /echo may wait for a second officer; openapi.yaml needs its 202/,
    ],
    ['an agency has an odd name', { agency: { name: 'a/b' } }, /not a name/],
  ])('stops when %s', async (_name, options, message) => {
    const given = { ...options } as Record<string, unknown>
    if ('routes' in options) {
      given['routes'] = Object.fromEntries(Object.entries(options.routes).filter(([, route]) => route !== undefined))
    }
    await expect(openHouse(given)).rejects.toThrow(message)
  })

  test('stops when two operations have one name', async () => {
    const openapi = contract()
    openapi.paths['/again'] = openapi.paths['/echo'] ?? {}
    await expect(openHouse({ openapi })).rejects.toThrow(/two operations are called echo/)
  })
})

describe('a defect', () => {
  test('is an answer that breaks the contract: 500, and the reason in the log only', async () => {
    const response = await fetch(`${house.url}/broken`)
    const problem = await response.text()
    expect(response.status).toBe(500)
    expect(problem).toContain('urn:chancery:defect')
    expect(problem).not.toContain('/name')
    const entry = house.logged.map(line => JSON.parse(line)).find(line => line.operation === 'broken' && line.error)
    expect(entry).toMatchObject({ level: 50, requestId: response.headers.get('x-request-id') })
    expect(entry.error.message).toMatch(/broken answered 200.*\/name must be string/)
  })

  test('never brings a key into the log', async () => {
    const failing = await openHouse({
      routes: {
        ...routes(),
        staffOnly: {
          requires: { by: 'staff', scope: 'things:write' },
          run: async () => {
            throw Object.assign(new Error(`query failed with ${failing.key}`), { parameters: [failing.key] })
          },
        },
      },
    })
    const response = await post(`${failing.url}/staff`, '', { authorization: `Bearer ${failing.key}` })
    expect(response.status).toBe(500)
    expect(failing.logged.join()).toContain('query failed with [secret]')
    expect(failing.logged.join()).not.toContain(failing.key)
    await failing.close()
  })

  test('is a status that openapi.yaml does not declare', async () => {
    const odd = await openHouse({
      routes: { ...routes(), echo: { requires: { by: 'anyone' }, run: async () => ({ status: 202, body: {} }) } },
    })
    expect((await post(`${odd.url}/echo`, '{"name":"a"}')).status).toBe(500)
    await odd.close()
  })
})

describe('an operation that answers with a verdict', () => {
  test('answers 422 when nothing was verified', async () => {
    expect((await post(`${house.url}/verify`, '{"name":"a"}')).status).toBe(422)
  })

  test('answers 200 then under vcalm, and says verified: false', async () => {
    const lenient = await openHouse({ agency: { vcalm: true } })
    const response = await post(`${lenient.url}/verify`, '{"name":"a"}')
    expect([response.status, await response.json()]).toMatchObject([200, { verified: false }])
    await lenient.close()
  })

  test('carries verified: false in its problems too', async () => {
    const response = await post(`${house.url}/verify`, '{')
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { code: 'json_malformed', verified: false, errors: [{ code: 'json_malformed' }], warnings: [], results: [] },
    ])
  })

  test('says when to come back when the answer cannot be known', async () => {
    const blind = await openHouse({
      routes: {
        ...routes(),
        verify: {
          requires: { by: 'anyone' },
          run: async () => {
            throw new Refusal('unavailable', 'status_unavailable', 'The replica is too old.')
          },
        },
      },
    })
    const response = await post(`${blind.url}/verify`, '{"name":"a"}')
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await response.json()).toMatchObject({ code: 'status_unavailable', verified: false })
    await blind.close()
  })
})

describe('every agency', () => {
  test('answers health, and ready only when it is', async () => {
    const checks = { chain: false, store: true }
    const starting = await openHouse({ agency: { ready: async () => checks } })
    expect((await fetch(`${starting.url}/health`)).status).toBe(200)
    const response = await fetch(`${starting.url}/ready`)
    expect([response.status, await response.json()]).toMatchObject([503, { code: 'not_ready', checks }])
    checks.chain = true
    expect((await fetch(`${starting.url}/ready`)).status).toBe(200)
    await starting.close()
  })

  test('counts requests by operation and status', async () => {
    const counted = await openHouse({ agency: { metrics: () => ({ follower_age_seconds: 1.5 }) } })
    await post(`${counted.url}/echo`, '{"name":"a"}')
    await post(`${counted.url}/echo`, '{')
    await fetch(`${counted.url}/nothing/${'a'.repeat(30)}`)
    const text = await (await fetch(`${counted.url}/metrics`)).text()
    expect(text).toContain('http_requests_total{operation="echo",status="200"} 1')
    expect(text).toContain('http_requests_total{operation="echo",status="400"} 1')
    expect(text).toContain('http_requests_total{operation="unknown",status="404"} 1')
    expect(text).toContain('http_request_seconds_bucket{le="0.25",operation="echo"} 2')
    expect(text).toContain('chancery_follower_age_seconds 1.5')
    expect(text).toContain('process_resident_memory_bytes')
    await counted.close()
  })

  test('shows its own operations only', async () => {
    const view = (await (await fetch(`${house.url}/openapi.json`)).json()) as ReturnType<typeof contract>
    expect(view['servers']).toEqual([{ url: 'https://office.example' }])
    expect(Object.keys(view.paths)).toContain('/echo')
    expect(Object.keys(view.paths)).not.toContain('/away')
  })

  test('has an interactive page that loads nothing from elsewhere', async () => {
    const page = await fetch(`${house.url}/docs`)
    const text = await page.text()
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
    const files = [...text.matchAll(/(?:src|href)="([^#"][^"]*)"/g)].map(match => match[1] ?? '')
    expect(files).toEqual(['docs/page.css', 'docs/page.js', 'openapi.json'])
    for (const file of files) expect((await fetch(`${house.url}/${file}`)).status).toBe(200)
    expect(text).not.toMatch(/<script>|<style>| on\w+=/)
  })
})

describe('an answer', () => {
  test('has security headers and does not say what made it', async () => {
    const { headers } = await fetch(`${house.url}/health`)
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'")
    expect(headers.get('cache-control')).toBe('no-store')
  })

  test('can be read by pages of other origins only where anyone may GET', async () => {
    const origin = async (path: string, method = 'GET'): Promise<string | null> =>
      (await fetch(house.url + path, { method })).headers.get('access-control-allow-origin')
    expect(await origin('/things/a')).toBe('*')
    expect(await origin('/health')).toBe('*')
    expect(await origin('/echo', 'POST')).toBeNull()
    expect(await origin('/staff', 'POST')).toBeNull()
    const preflight = await fetch(`${house.url}/things/a`, { method: 'OPTIONS' })
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, HEAD'])
  })

  test('to HEAD is the answer to GET without its body', async () => {
    const response = await fetch(`${house.url}/things/a`, { method: 'HEAD' })
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '32', ''])
  })

  test('carries a request id: the given one if it is harmless, else a new one', async () => {
    const idFor = async (given: string): Promise<string | null> =>
      (await fetch(`${house.url}/health`, { headers: { 'x-request-id': given } })).headers.get('x-request-id')
    expect(await idFor('trace-12345678')).toBe('trace-12345678')
    expect(await idFor('"; drop')).toMatch(/^[0-9a-f]{12}-\w+$/)
  })
})

test('a route gets its headers in lower case, the idempotency key among them, without the credentials', async () => {
  const response = await request(house.server.url)
    .post('/office/staff')
    .set('Authorization', `Bearer ${house.key}`)
    .set('Idempotency-Key', 'once')
    .set('Cookie', 'a=b')
  expect(response.body.headers).toMatchObject({ 'idempotency-key': 'once' })
  expect(response.body.headers).not.toHaveProperty('authorization')
  expect(response.body.headers).not.toHaveProperty('cookie')
})
