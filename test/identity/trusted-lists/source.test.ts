import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fetchBounded } from '../../../src/identity/fetch-bounded.ts'
import { grantedAt } from '../../../src/identity/trusted-lists/list.ts'
import { openTrustedLists } from '../../../src/identity/trusted-lists/source.ts'
import {
  at,
  caType,
  date,
  entitiesOf,
  newAuthority,
  newSigner,
  type Operator,
  servicesXml,
  serviceType,
  signedEntities,
  signXml,
} from './operator.ts'

const day = 86_400_000
let operator: Operator
let listed: Operator
let server: Server
let url: string
let served: { body: string; status?: number }
let asked = 0
let now = at
let kept: Map<string, Uint8Array>

beforeAll(async () => {
  operator = await newSigner(await newAuthority('Scheme operator'), 'List signer')
  listed = await newAuthority('Licences of Utopia')
  server = createServer((_request, response) => {
    asked += 1
    response.writeHead(served.status ?? 200, { 'content-type': 'application/jose' }).end(served.body)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  url = `http://localhost:${(server.address() as AddressInfo).port}/list`
})
afterAll(() => new Promise(done => server.close(done)))
beforeEach(() => {
  asked = 0
  now = at
  kept = new Map()
  served = { body: listOf(7) }
})

const listOf = (sequence: number, next = at + day) =>
  signedEntities(
    operator,
    entitiesOf([{ certificate: listed.certificate }], { LoTESequenceNumber: sequence, NextUpdate: date(next) }),
  )

const open = (options: { by?: Operator; bytesMost?: number } = {}) => {
  const { by = operator, ...bounds } = options
  return openTrustedLists({
    clock: { now: () => now },
    lists: [{ url, operators: [by.certificate] }],
    fetch: (address, given) => fetchBounded(address, { ...given, allowedHttpOrigins: [new URL(url).origin] }),
    kept: {
      read: async address => kept.get(address),
      async write(address, bytes) {
        kept.set(address, bytes)
      },
    },
    ...bounds,
  })
}

describe('trusted lists', () => {
  it('are fetched once, and kept over a restart for as long as they are valid', async () => {
    const lists = open()
    const [first, second] = await Promise.all([lists.current(url), lists.current(url)])
    expect(first).toBe(second)
    expect(lists.known(url)).toBe(first)
    expect(asked).toBe(1)
    served = { body: '', status: 503 }
    expect((await open().current(url)).sequenceNumber).toBe(7)
    expect(asked).toBe(1)
  })

  it('are read in either form', async () => {
    served = { body: `\ufeff${signXml(operator, servicesXml([{ certificate: listed.certificate }]))}\n` }
    expect(grantedAt(await open().current(url), caType, at)).toHaveLength(1)
  })

  it('say nothing past their next update, unless a newer one can be had', async () => {
    const lists = open()
    await lists.current(url)
    now = at + day
    served = { body: '', status: 503 }
    expect(() => lists.known(url)).toThrow(expect.objectContaining({ code: 'trusted_list_stale', kind: 'unavailable' }))
    await expect(lists.current(url)).rejects.toMatchObject({ code: 'trusted_list_unavailable', kind: 'unavailable' })
    await expect(lists.current(url)).rejects.toMatchObject({ code: 'trusted_list_unavailable' })
    expect(asked).toBe(2)
    now += 60_000
    served = { body: listOf(8, at + 3 * day) }
    expect((await lists.current(url)).sequenceNumber).toBe(8)
  })

  it('are not kept over a restart past their next update, nor under another operator', async () => {
    await open().current(url)
    served = { body: '', status: 503 }
    await expect(open({ by: listed }).current(url)).rejects.toMatchObject({ kind: 'unavailable' })
    now = at + day
    await expect(open().current(url)).rejects.toMatchObject({ kind: 'unavailable' })
  })

  it('are refreshed in rounds; what does not count leaves the one at hand in force', async () => {
    const lists = open()
    await lists.current(url)
    served = { body: listOf(8, at + 2 * day) }
    expect(await lists.refresh()).toEqual([])
    expect(lists.known(url).sequenceNumber).toBe(8)
    const refused: [{ body: string; status?: number }, string][] = [
      [{ body: listOf(7) }, 'trusted_list_rolled_back'],
      [{ body: listOf(9, at) }, 'trusted_list_stale'],
      [{ body: signedEntities(listed, entitiesOf([])) }, 'trusted_list_of_another'],
      [{ body: 'nothing' }, 'trusted_list_unsigned'],
      [{ body: '<a/>' }, 'trusted_list_unsigned'],
      [{ body: '', status: 404 }, 'trusted_list_unavailable'],
      [
        {
          body: signedEntities(operator, entitiesOf([], { ListIssueDateTime: date(at + day), LoTESequenceNumber: 9 })),
        },
        'trusted_list_malformed',
      ],
    ]
    for (const [answer, code] of refused) {
      served = answer
      expect(await lists.refresh()).toEqual([{ url, error: expect.objectContaining({ code }) }])
      expect(lists.known(url).sequenceNumber).toBe(8)
    }
  })

  it('have not to be rolled back over a restart either', async () => {
    served = { body: listOf(8) }
    await open().current(url)
    served = { body: listOf(7) }
    const lists = open()
    expect(await lists.refresh()).toEqual([
      { url, error: expect.objectContaining({ code: 'trusted_list_rolled_back' }) },
    ])
    expect(lists.known(url).sequenceNumber).toBe(8)
    expect(grantedAt(lists.known(url), serviceType, at)).toHaveLength(1)
  })

  it('are bounded in size', async () => {
    await expect(open({ bytesMost: 100 }).current(url)).rejects.toMatchObject({ kind: 'unavailable' })
  })
})
