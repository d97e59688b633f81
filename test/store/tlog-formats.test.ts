import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import {
  checkpointText,
  parseCheckpoint,
  parseNote,
  signNote,
  verifierKey,
  verifyNote,
} from '../../src/store/tlog-note.ts'
import { bundled, firstEntries, parsePath, pathOf, unbundled, widthIn } from '../../src/store/tlog-paths.ts'

test.each([
  [{ kind: 'tile', level: 0, tile: 0, width: 256 }, 'tile/0/000'],
  [{ kind: 'tile', level: 0, tile: 0, width: 1 }, 'tile/0/000.p/1'],
  [{ kind: 'tile', level: 3, tile: 1234067, width: 256 }, 'tile/3/x001/x234/067'],
  [{ kind: 'tile', level: 0, tile: 1000, width: 255 }, 'tile/0/x001/000.p/255'],
  [{ kind: 'entries', tile: 1234067, width: 8 }, 'tile/entries/x001/x234/067.p/8'],
] as const)('%j is the path %s', (request, path) => {
  expect(pathOf(request)).toBe(path)
  expect(parsePath(path)).toEqual(request)
})

test.each([
  '',
  'tile/0/0',
  'tile/0/x000/001',
  'tile/00/001',
  'tile/64/001',
  'tile/0/001.p/0',
  'tile/0/001.p/256',
  'tile/0/001.p/01',
  'tile/0/1234',
  'tile/0/001/',
  '/tile/0/001',
  'tile/0/../001',
  'tile/entries/x1/001',
  `tile/0/${'x999/'.repeat(6)}999`,
])('%j is no path of a tile', path => {
  expect(parsePath(path)).toBeUndefined()
})

test('every tile has one path', () => {
  const requests = fc.record({
    kind: fc.constant('tile' as const),
    level: fc.integer({ min: 0, max: 63 }),
    tile: fc.integer({ min: 0, max: 2 ** 45 }),
    width: fc.integer({ min: 1, max: 256 }),
  })
  fc.assert(fc.property(requests, request => expect(parsePath(pathOf(request))).toEqual(request)))
})

test('a tree has of each tile what its size gives', () => {
  const tile = (level: number, at: number) => ({ kind: 'tile', level, tile: at, width: 256 }) as const
  expect([0, 1, 2].map(at => widthIn(tile(0, at), 300))).toEqual([256, 44, 0])
  expect(widthIn(tile(1, 0), 300)).toBe(1)
  expect(widthIn({ kind: 'entries', tile: 1, width: 256 }, 300)).toBe(44)
  expect(widthIn(tile(2, 0), 65535)).toBe(0)
})

test('entries come out of their bundle as they went in', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)))
  fc.assert(
    fc.property(entries, list => {
      const bundle = Buffer.concat(list.map(bundled))
      expect(unbundled(bundle)).toEqual(list)
      expect(unbundled(firstEntries(bundle, list.length >> 1))).toEqual(list.slice(0, list.length >> 1))
    }),
  )
  expect(() => unbundled(Buffer.from('0003aabb', 'hex'))).toThrow(RangeError)
  expect(() => unbundled(Buffer.from('00', 'hex'))).toThrow(RangeError)
  expect(() => bundled(Buffer.alloc(65536))).toThrow(RangeError)
})

const keys = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(12)
  return { raw, sign: async (data: Uint8Array) => sign(null, data, privateKey) }
}

test('the example of the Go reference for signed notes verifies', () => {
  const publicKey = Buffer.from('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'base64').subarray(1)
  const key = { name: 'PeterNeumann', publicKey }
  expect(verifierKey(key)).toBe('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
  const note = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`
  expect(verifyNote(note, key)).toBe(true)
  expect(verifyNote(note.replace('your', 'our'), key)).toBe(false)
})

test('a checkpoint is signed, read back and verified, and nothing but it', async () => {
  const one = keys()
  const two = keys()
  const key = { name: 'agency.example/log', publicKey: one.raw }
  const text = checkpointText({ origin: key.name, size: 77, root: Buffer.alloc(32, 3) })
  expect(text).toBe(`agency.example/log\n77\n${Buffer.alloc(32, 3).toString('base64')}\n`)
  const note = await signNote(text, key, one.sign)
  expect(verifyNote(note, key)).toBe(true)
  expect(parseCheckpoint(parseNote(note)?.text ?? '')).toEqual({
    origin: key.name,
    size: 77,
    root: Buffer.alloc(32, 3),
  })
  expect(verifyNote(note.replace('\n77\n', '\n78\n'), key)).toBe(false)
  expect(verifyNote(note, { ...key, name: 'other.example/log' })).toBe(false)
  expect(verifyNote(note, { ...key, publicKey: two.raw })).toBe(false)
  expect(verifyNote(note.slice(0, -1), key)).toBe(false)
  expect(verifyNote(text, key)).toBe(false)
})

test('a note that other keys have signed too still verifies under each', async () => {
  const one = keys()
  const two = keys()
  const [first, second] = [one, two].map(({ raw }, at) => ({ name: `log${at}`, publicKey: raw }))
  if (first === undefined || second === undefined) throw new Error('two keys')
  const note = await signNote('text\n', first, one.sign)
  const both = `${note}${(await signNote('text\n', second, two.sign)).split('\n\n')[1]}`
  expect([verifyNote(both, first), verifyNote(both, second)]).toEqual([true, true])
})

test('a signer that does not hold the key signs nothing', async () => {
  const signing = signNote('text\n', { name: 'log', publicKey: keys().raw }, keys().sign)
  await expect(signing).rejects.toThrow(/does not hold the key/)
})

test.each(['', 'a\n', 'a\n07\nAA==\n', `a\n-1\n${Buffer.alloc(32).toString('base64')}\n`, 'a\n1\nAA==\n'])(
  '%j is no checkpoint',
  text => {
    expect(parseCheckpoint(text)).toBeUndefined()
  },
)
