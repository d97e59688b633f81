import { readEnvironment } from '../../src/environment.ts'
import type { OpenApiDocument } from '../../src/http/contract.ts'
import { contract, type House, openHouse, post } from './fixture.ts'

/** The small contract, with an operation that one address may call three times a minute. */
const bounded = (): OpenApiDocument => {
  const document = contract()
  Object.assign((document.paths['/echo'] as { post: object }).post, { 'x-per-minute': 3 })
  return document
}

let house: House
const open = async (proxies: number): Promise<void> => {
  house = await openHouse({ openapi: bounded(), limits: { proxies } })
}
const echo = async (from?: string): Promise<number> => {
  const response = await post(
    `${house.url}/echo`,
    '{"name":"a"}',
    from === undefined ? {} : { 'x-forwarded-for': from },
  )
  return response.status
}
const times = async (count: number, from?: string): Promise<number[]> => {
  const statuses: number[] = []
  for (let at = 0; at < count; at += 1) statuses.push(await echo(from))
  return statuses
}

afterEach(() => house.close())

describe('calls of one address in a minute', () => {
  describe('without a proxy', () => {
    beforeEach(() => open(0))

    it('are counted by who is connected, whatever they say of themselves', async () => {
      expect(await times(3, '198.51.100.1')).toEqual([200, 200, 200])
      expect(await times(2, '198.51.100.2')).toEqual([429, 429])
    })

    it('are not counted of callers whom the agency has let in itself', async () => {
      for (let at = 0; at < 5; at += 1) {
        const response = await post(`${house.url}/echo`, '{"name":"a"}', { authorization: `Bearer ${house.key}` })
        expect(response.status).toBe(200)
      }
      expect(await times(4)).toEqual([200, 200, 200, 429])
      const wrong = await post(`${house.url}/echo`, '{"name":"a"}', { authorization: `Bearer ${house.key}x` })
      expect(wrong.status).toBe(401)
    })

    it('do not count where a page elsewhere has a browser send what it can without asking', async () => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
        for (let at = 0; at < 4; at += 1) {
          const response = await post(`${house.url}/echo`, '{"name":"a"}', { 'content-type': type })
          expect(response.status).toBe(400)
        }
      }
      expect((await fetch(`${house.url}/echo`, { method: 'POST' })).status).toBe(400)
      expect(await times(4)).toEqual([200, 200, 200, 429])
    })
  })

  describe('behind a proxy', () => {
    beforeEach(() => open(1))

    it('lock nobody else out who comes through the same proxy', async () => {
      expect(await times(4, '198.51.100.1')).toEqual([200, 200, 200, 429])
      expect(await echo('198.51.100.2')).toBe(200)
    })

    it('are counted by what the proxy says, and not by what a caller told the proxy', async () => {
      expect(await times(3, '203.0.113.1, 198.51.100.1')).toEqual([200, 200, 200])
      expect(await echo('203.0.113.2, 198.51.100.1')).toBe(429)
    })

    it('of one IPv6 network count as of one address, and an IPv4 address in the form of IPv6 as itself', async () => {
      expect(await times(3, '2001:db8:0:1::1')).toEqual([200, 200, 200])
      expect(await echo('2001:db8:0:2::1')).toBe(429)
      expect(await times(3, '::ffff:198.51.100.1')).toEqual([200, 200, 200])
      expect(await echo('::ffff:198.51.100.2')).toBe(200)
      expect(await echo('198.51.100.1')).toBe(429)
    })
  })
})

describe('the number of proxies', () => {
  beforeEach(() => open(0))

  it('is none unless the environment says so, and nothing but a number', () => {
    expect(readEnvironment({}).proxies).toBe(0)
    expect(readEnvironment({ TRUSTED_PROXIES: '2' }).proxies).toBe(2)
    for (const text of ['true', '-1', '1.5', '10', 'loopback', ' ']) {
      expect(() => readEnvironment({ TRUSTED_PROXIES: text })).toThrow('TRUSTED_PROXIES')
    }
  })
})
