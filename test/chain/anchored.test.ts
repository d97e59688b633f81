import { createHash } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Chain1763600000001 } from '../../migrations/chain/0001-chain.ts'
import { AnchoredCopies1763600000002 } from '../../migrations/chain/0002-anchored.ts'
import { type AnchoredKeeper, type AnchoredOptions, keepAnchored } from '../../src/chain/anchored.ts'
import { openListPairArgs, toSeconds } from '../../src/chain/contracts.ts'
import { chainEntities } from '../../src/chain/entities.ts'
import type { Follower } from '../../src/chain/follower.ts'
import { fetchBounded } from '../../src/identity/fetch-bounded.ts'
import type { StatusValue, Store } from '../../src/kernel/ports.ts'
import { isRefusal } from '../../src/kernel/refusal.ts'
import { openStore } from '../../src/store/store.ts'
import { eventually, type Ground, listLength, openGround } from './ground.ts'

/** A verifier with its replica and its keeper of anchored lists, in a database that outlives it. */
type Verifier = {
  follower: Follower
  status(list: number, index: number): StatusValue | string
  close(): Promise<void>
}

let ground: Ground
let host: Server
let origin: string
let asked: string[] = []
const answers = new Map<string, (response: ServerResponse) => void>()
const open: Verifier[] = []
let nextList = 10
let nextFile = 0

const bits = (...set: number[]): Buffer => {
  const bytes = Buffer.alloc(listLength / 8)
  for (const index of set) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (0x80 >> (index & 7))
  return bytes
}

/** Anchors a version of one list and, unless told otherwise, serves these very bits under its URL. */
const anchor = async (list: number, version: number, bytes: Buffer, serve?: (response: ServerResponse) => void) => {
  const path = `/${list}/${version}`
  answers.set(path, serve ?? (response => response.end(gzipSync(bytes))))
  const { timestamp } = await ground.client.head()
  const digest = createHash('sha256').update(bytes).digest()
  const args = [ground.issuer, list, version, digest, Math.max(timestamp, toSeconds(Date.now())), `${origin}${path}`]
  await ground.send({ contract: 'StatusRegistry', method: 'anchor', args })
}

const openPair = async (): Promise<number> => {
  const list = nextList
  nextList += 2
  const args = openListPairArgs(ground.issuer, list, listLength, true)
  await ground.send({ contract: 'StatusRegistry', method: 'openLists', args })
  await anchor(list + 1, 1, bits())
  return list
}

const openVerifier = async (file: string, options: Partial<AnchoredOptions> = {}): Promise<Verifier> => {
  const migrations = [Chain1763600000001, AnchoredCopies1763600000002]
  const store: Store = await openStore({ file: join(ground.dir, file), migrations, entities: chainEntities })
  const follower = await ground.openFollower({ store, anchoredGraceMs: 0 })
  const keeper: AnchoredKeeper = await keepAnchored({
    ...{ follower, store, clock: ground.clock, pollMs: 20, retryMs: 50, retryMostMs: 200 },
    counts: () => true,
    own: async () => undefined,
    fetch: async (url, maxBytes) =>
      (await fetchBounded(url, { allowedHttpOrigins: [origin], maxBytes, timeoutMs: 500 })).body,
    ...options,
  })
  await keeper.look()
  const verifier: Verifier = {
    follower,
    status(list, index) {
      try {
        return follower.status.status(ground.pointer(list, index))
      } catch (error) {
        if (!isRefusal(error)) throw error
        return `${error.kind} ${error.code}`
      }
    },
    async close() {
      keeper.close()
      await follower.close()
      await store.close()
    },
  }
  open.push(verifier)
  return verifier
}

const newFile = (): string => {
  nextFile += 1
  return `verifier-${nextFile}.sqlite`
}
const unavailable = 'unavailable status_unavailable'

beforeAll(async () => {
  ground = await openGround()
  host = createServer((request, response) => {
    asked.push(request.url ?? '')
    const answer = answers.get(request.url ?? '')
    if (answer === undefined) response.writeHead(404).end()
    else answer(response)
  })
  await new Promise<void>(done => host.listen(0, '127.0.0.1', done))
  origin = `http://127.0.0.1:${(host.address() as AddressInfo).port}`
})

afterEach(async () => {
  for (const verifier of open.splice(0)) await verifier.close()
  asked = []
  ground.clock.ahead = 0
})

afterAll(async () => {
  host?.closeAllConnections()
  host?.close()
  await ground?.close()
})

describe('an anchored status list', () => {
  it('is fetched once a version and answers from then on, in gzip or plain', async () => {
    const list = await openPair()
    await anchor(list, 1, bits(3))
    const verifier = await openVerifier(newFile())
    await eventually(() => verifier.status(list, 3) === 'revoked')
    expect(verifier.status(list, 4)).toBe('valid')
    await anchor(list, 2, bits(3, 4), response => response.end(bits(3, 4)))
    await eventually(() => verifier.status(list, 4) === 'revoked')
    await new Promise(done => setTimeout(done, 200))
    expect(asked.filter(path => path.startsWith(`/${list}/`))).toEqual([`/${list}/1`, `/${list}/2`])
  })

  it('suspends and reinstates from one version to the next', async () => {
    const list = await openPair()
    await anchor(list, 1, bits())
    await anchor(list + 1, 2, bits(9))
    const verifier = await openVerifier(newFile())
    await eventually(() => verifier.status(list, 9) === 'suspended')
    await anchor(list + 1, 3, bits())
    await eventually(() => verifier.status(list, 9) === 'valid')
  })

  it('answers after a restart from the copy that was kept, though its host is gone', async () => {
    const list = await openPair()
    await anchor(list, 1, bits(7))
    const file = newFile()
    const first = await openVerifier(file)
    await eventually(() => first.status(list, 7) === 'revoked' && first.status(list, 8) === 'valid')
    await first.close()
    open.splice(0)
    const second = await openVerifier(file, { fetch: () => Promise.reject(new Error('no network')) })
    expect([second.status(list, 7), second.status(list, 8)]).toEqual(['revoked', 'valid'])
  })

  it('does not count after a restart in a version that has been followed by another meanwhile', async () => {
    const list = await openPair()
    await anchor(list, 1, bits(7))
    const file = newFile()
    const first = await openVerifier(file)
    await eventually(() => first.status(list, 8) === 'valid')
    await first.close()
    open.splice(0)
    await anchor(list, 2, bits(7, 8))
    ground.clock.ahead += 5_000
    const second = await openVerifier(file, { fetch: () => Promise.reject(new Error('no network')) })
    expect(second.status(list, 9)).toBe(unavailable)
  })

  it.each<[string, (response: ServerResponse) => void]>([
    ['another list than was anchored', response => response.end(gzipSync(bits(1)))],
    ['another list than was anchored, plain', response => response.end(bits(1))],
    ['an older version', response => response.end(gzipSync(bits()))],
    ['less than the list', response => response.end(bits(5).subarray(0, 1_000))],
    ['nothing', response => response.end()],
    ['a page of words', response => response.end('<html>Not Found</html>')],
    ['a body larger than the list', response => response.end(Buffer.alloc(200_000, 1))],
    ['a bomb of gzip', response => response.end(gzipSync(Buffer.alloc(5_000_000)))],
    [
      'many small members of gzip',
      response => response.end(Buffer.concat(Array(600).fill(gzipSync(Buffer.alloc(999))))),
    ],
    ['gzip that breaks off', response => response.end(gzipSync(bits(5)).subarray(0, 20))],
    ['a body in a content encoding', response => response.setHeader('content-encoding', 'gzip').end(gzipSync(bits(5)))],
    ['a refusal', response => response.writeHead(500).end()],
    [
      'a redirect into the private network',
      response => response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
    ],
    ['a closed connection', response => void response.destroy()],
    ['a body without an end', response => void response.write('x')],
    ['a body that drips', response => void setInterval(() => response.write('x'), 20).unref()],
    ['no answer', () => undefined],
  ])('is unavailable, never "not revoked", while its host sends %s', async (_what, serve) => {
    const list = await openPair()
    await anchor(list, 1, bits())
    await anchor(list, 2, bits(5), serve)
    ground.clock.ahead += 1_000
    const verifier = await openVerifier(newFile())
    await eventually(() => asked.filter(path => path === `/${list}/2`).length >= 2)
    expect([verifier.status(list, 5), verifier.status(list, 6)]).toEqual([unavailable, unavailable])
    expect(() => verifier.follower.bits(ground.issuer, list)).toThrow('not here')
    answers.set(`/${list}/2`, response => response.end(gzipSync(bits(5))))
    await eventually(() => verifier.status(list, 5) === 'revoked' && verifier.status(list, 6) === 'valid')
  })

  it.each([
    ['https only', 'http://lists.example/1'],
    ['loopback', 'https://127.0.0.1/1'],
    ['the cloud’s metadata', 'http://169.254.169.254/latest'],
    ['a file', 'file:///etc/passwd'],
    ['a port where nobody listens', 'http://127.0.0.1:9/'],
  ])('is unavailable when its URL is against the rules or leads nowhere: %s', async (_what, url) => {
    const list = await openPair()
    const digest = createHash('sha256').update(bits()).digest()
    const args = [ground.issuer, list, 1, digest, (await ground.client.head()).timestamp, url]
    await ground.send({ contract: 'StatusRegistry', method: 'anchor', args })
    const verifier = await openVerifier(newFile())
    await eventually(() => verifier.status(list + 1, 0) !== unavailable)
    expect(verifier.status(list, 0)).toBe(unavailable)
  })

  it('is unavailable when a version takes a revocation back, though it was anchored', async () => {
    const list = await openPair()
    await anchor(list, 1, bits(3))
    const verifier = await openVerifier(newFile())
    await eventually(() => verifier.status(list, 3) === 'revoked')
    await anchor(list, 2, bits())
    ground.clock.ahead += 1_000
    await eventually(() => asked.includes(`/${list}/2`) && verifier.status(list, 3) === unavailable)
    await anchor(list, 3, bits(3, 4))
    await eventually(() => verifier.status(list, 4) === 'revoked' && verifier.status(list, 3) === 'revoked')
  })

  it('is not fetched for an issuer that does not count', async () => {
    const list = await openPair()
    await anchor(list, 1, bits())
    const verifier = await openVerifier(newFile(), { counts: () => false })
    await new Promise(done => setTimeout(done, 200))
    expect([verifier.status(list, 0), asked]).toEqual([unavailable, []])
  })

  it('does not stay good through one version after another while its host is away', async () => {
    const list = await openPair()
    await anchor(list, 1, bits())
    const verifier = await openVerifier(newFile())
    await eventually(() => verifier.status(list, 5) === 'valid')
    const patient = await ground.openFollower({ anchoredGraceMs: 3_000 })
    for (const own of [list, list + 1]) expect(patient.loadAnchored(ground.issuer, own, bits())).toBe(true)
    await anchor(list, 2, bits(5))
    await patient.poke()
    expect(patient.status.status(ground.pointer(list, 6))).toBe('valid')
    ground.clock.ahead += 10_000
    await anchor(list, 3, bits(5, 6))
    await patient.poke()
    expect(() => patient.status.status(ground.pointer(list, 6))).toThrow('not here')
  })
})
