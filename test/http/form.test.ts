import fc from 'fast-check'
import type { OpenApiDocument } from '../../src/http/contract.ts'
import { parseForm, parseText } from '../../src/http/form.ts'
import type { Context, Route } from '../../src/kernel/plugin.ts'
import { contract, type House, openHouse, routes } from './fixture.ts'

const parse = (text: string): Record<string, string> => parseForm(Buffer.from(text))

describe('a form (application/x-www-form-urlencoded)', () => {
  it.each([
    ['a name twice', 'a=1&a=2', 'parameter_repeated'],
    ['a name twice, once without a value', 'a=1&a=', 'parameter_repeated'],
    ['a name twice, once in disguise', 'a=1&%61=2', 'parameter_repeated'],
    ['the prototype', '__proto__=1', 'form_malformed'],
    ['the prototype in disguise', '%5F_proto__=1', 'form_malformed'],
    ['a NUL in a value', 'a=%00', 'form_malformed'],
    ['a NUL in a name', 'a%00b=1', 'form_malformed'],
    ['half an escape', 'a=%4', 'form_malformed'],
    ['an escape of other letters', 'a=%zz', 'form_malformed'],
    ['escapes that are no UTF-8', 'a=%FF', 'form_malformed'],
    ['an overlong escape', 'a=%C0%AF', 'form_malformed'],
    ['half a surrogate pair', 'a=%ED%A0%80', 'form_malformed'],
    ['65 fields', Array.from({ length: 65 }, (_, at) => `a${at}=1`).join('&'), 'form_malformed'],
    ['a thousand fields', Array.from({ length: 1_000 }, (_, at) => `a${at}=1`).join('&'), 'form_malformed'],
  ])('is refused with %s', (_, text, code) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ kind: 'malformed', code }))
  })

  it('is refused when its bytes are no UTF-8, and so is a text', () => {
    const bytes = Buffer.from([0x61, 0x3d, 0xff])
    for (const read of [parseForm, parseText]) {
      expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'form_malformed' }))
    }
  })

  it('is an object of texts; a field without a value is left out (RFC 6749, section 3.1)', () => {
    expect(parse('a=1&b=&c&d=x+y%2Bz&e=%C3%A9=&&')).toEqual({ a: '1', d: 'x y+z', e: 'é=' })
    expect(parse('')).toEqual({})
    expect(parse('constructor=1&toString=2')).toEqual({ constructor: '1', toString: '2' })
  })

  it('comes back as what was written, whatever it was', () => {
    const word = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).filter(text => !text.includes('\0'))
    const fields = fc.dictionary(word, word, { maxKeys: 20 })
    fc.assert(
      fc.property(fields, written => {
        const own = Object.entries(written).filter(([name]) => name !== '__proto__')
        expect(parse(new URLSearchParams(own).toString())).toEqual(Object.fromEntries(own))
      }),
    )
  })

  it('is read or refused, and never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        try {
          const read = parseForm(bytes)
          expect(Object.values(read).every(value => typeof value === 'string' && value !== '')).toBe(true)
        } catch (error) {
          expect(error).toMatchObject({ kind: 'malformed' })
        }
      }),
    )
  })
})

const form = 'application/x-www-form-urlencoded'
const answer = { description: 'It.', content: { 'application/json': { schema: { type: 'object' } } } }

/** Operations as wallets call them. */
const opened = (): OpenApiDocument => {
  const document = contract()
  const own = { 'x-plugin': 'mirror', responses: { '200': answer } }
  const fields = { type: 'object', additionalProperties: { type: 'string', maxLength: 20 } }
  document.paths = {
    ...document.paths,
    '/.well-known/oauth-authorization-server': { get: { ...own, operationId: 'tellServer' } },
    '/token': {
      post: {
        ...{ ...own, operationId: 'takeToken', 'x-errors': 'oauth', 'x-cors': true, 'x-caller': 'own' },
        requestBody: { required: true, content: { [form]: { schema: fields } } },
      },
    },
    '/jwt': {
      post: {
        ...{ ...own, operationId: 'takeJwt' },
        requestBody: { required: true, content: { 'application/jwt': { schema: { type: 'string', maxLength: 20 } } } },
      },
    },
    '/visit': {
      get: {
        ...{ ...own, operationId: 'visit', 'x-query': 'open' },
        parameters: [{ name: 'known', in: 'query', schema: { type: 'string', maxLength: 3 } }],
      },
    },
  }
  return document
}

const shown = async ({ body, query, headers }: Context) => ({
  status: 200,
  body: { body, query, authorization: headers['authorization'], cookie: headers['cookie'] },
})
const open: Route = { requires: { by: 'anyone' }, run: shown }

describe('over HTTP', () => {
  let house: House
  beforeAll(async () => {
    const more = { tellServer: open, takeToken: open, takeJwt: open, visit: open }
    house = await openHouse({ openapi: opened(), routes: { ...routes(), ...more } })
  })
  afterAll(() => house.close())

  const send = (path: string, init: RequestInit = {}) => fetch(`${house.url}${path}`, init)
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    send(path, { method: 'POST', body, headers: { 'content-type': form, ...headers } })

  it.each([
    ['a field twice', 'a=1&a=2', form],
    ['a field that is too long', `a=${'x'.repeat(21)}`, form],
    ['JSON', '{"a":"1"}', 'application/json'],
    ['another charset', 'a=1', `${form}; charset=iso-8859-1`],
    ['nothing', '', form],
  ])('a form with %s is refused in the words of OAuth', async (_, body, type) => {
    const response = await post('/token', body, { 'content-type': type })
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toMatchObject({ error: 'invalid_request', error_description: expect.any(String) })
  })

  it('a form reaches its operation as texts, with the credentials that it judges itself', async () => {
    const response = await post('/token', 'a=1&b=', { authorization: 'DPoP x', cookie: 'c=1' })
    expect(await response.json()).toEqual({ body: { a: '1' }, query: {}, authorization: 'DPoP x', cookie: 'c=1' })
  })

  it('another body reaches its operation as a text; credentials do not, where the house judges them', async () => {
    const response = await post('/jwt', 'eyJ.eyJ.x', { 'content-type': 'application/jwt', cookie: 'c=1' })
    expect(await response.json()).toEqual({ body: 'eyJ.eyJ.x', query: {} })
    expect((await post('/jwt', 'x'.repeat(21), { 'content-type': 'application/jwt' })).status).toBe(400)
    const judged = await post('/jwt', 'x', { 'content-type': 'application/jwt', authorization: 'Bearer unknown' })
    expect(judged.status).toBe(401)
  })

  it('parameters that no operation knows are passed on where that is agreed, and refused elsewhere', async () => {
    expect(await (await send('/visit?known=1&x=2')).json()).toMatchObject({ query: { known: '1', x: '2' } })
    expect((await send('/visit?known=1234')).status).toBe(400)
    expect((await send('/visit?x=1&x=2')).status).toBe(400)
    expect((await send('/things/1?x=2')).status).toBe(400)
  })

  describe('what is well known of an agency (RFC 8615; RFC 8414, section 3.1)', () => {
    it.each(['/office/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server/office'])(
      'is told at %s',
      async path => {
        const response = await fetch(`${house.server.url}${path}`)
        expect(response.status).toBe(200)
        expect(response.headers.get('access-control-allow-origin')).toBe('*')
      },
    )

    it.each([
      '/.well-known/oauth-authorization-server',
      '/.well-known/oauth-authorization-server/',
      '/.well-known/oauth-authorization-server/nobody',
      '/.well-known/oauth-authorization-server/office/more',
      '/.well-known/oauth-authorization-server/office/',
      '/.well-known/openid-configuration/office',
      '/.well-known//office',
      '/.well-known/constructor/__proto__',
    ])('is not told at %s', async path => {
      const response = await fetch(`${house.server.url}${path}`)
      expect(response.status).toBe(404)
    })

    it('opens no other operation of the agency by that way', async () => {
      for (const name of ['echo', 'staff', '..%2fstaff', 'things']) {
        const response = await fetch(`${house.server.url}/.well-known/${name}/office`, { method: 'POST', body: '{}' })
        expect(response.status).toBe(404)
      }
    })

    it('has its query judged as any other', async () => {
      const path = '/.well-known/oauth-authorization-server/office?x=1'
      expect((await fetch(`${house.server.url}${path}`)).status).toBe(400)
    })
  })

  describe('pages of other origins', () => {
    const asked = (path: string, method: string) =>
      send(path, {
        method: 'OPTIONS',
        headers: { origin: 'https://wallet.example', 'access-control-request-method': method },
      })

    it('may call what its contract opens, with proofs, and read the nonces and challenges of its answers', async () => {
      const preflight = await asked('/token', 'POST')
      expect(preflight.status).toBe(204)
      expect(preflight.headers.get('access-control-allow-methods')).toBe('POST')
      for (const name of ['Authorization', 'Content-Type', 'DPoP', 'OAuth-Client-Attestation-PoP']) {
        expect(preflight.headers.get('access-control-allow-headers')).toContain(name)
      }
      const refused = await post('/token', 'a=1&a=2')
      expect(refused.headers.get('access-control-allow-origin')).toBe('*')
      expect(refused.headers.get('access-control-expose-headers')).toMatch(
        /DPoP-Nonce.*OAuth-Client-Attestation-Challenge.*WWW-Authenticate/,
      )
    })

    it('never send cookies or other credentials of their own accord', async () => {
      const [preflight, answered] = [await asked('/token', 'POST'), await post('/token', 'a=1')]
      for (const { headers } of [preflight, answered]) {
        expect(headers.get('access-control-allow-credentials')).toBeNull()
      }
    })

    it.each([
      ['/echo', 'POST'],
      ['/staff', 'POST'],
      ['/jwt', 'POST'],
      ['/nothing', 'POST'],
    ])('may not call %s', async (path, method) => {
      const preflight = await asked(path, method)
      expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
      expect(preflight.status).toBe(404)
    })

    it('may read what anyone may read, and not what they may not', async () => {
      expect((await send('/things/1')).headers.get('access-control-allow-origin')).toBe('*')
      const staff = await post('/staff', '')
      expect(staff.headers.get('access-control-allow-origin')).toBeNull()
    })
  })
})
