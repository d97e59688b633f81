import { type TilePlace, tileHeight, tileWidth } from './tlog.ts'

/** What a client of tlog-tiles asks for: the first `width` hashes of a tile, or entries of a bundle. */
export type TileRequest =
  | ({ kind: 'tile' } & TilePlace & { width: number })
  | { kind: 'entries'; tile: number; width: number }

const pathPattern = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

const indexPath = (index: number): string => {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
}

/** The path of C2SP tlog-tiles: `tile/<L>/<N>[.p/<W>]` and `tile/entries/<N>[.p/<W>]`. */
export const pathOf = (request: TileRequest): string => {
  const level = request.kind === 'entries' ? 'entries' : String(request.level)
  const partial = request.width === tileWidth ? '' : `.p/${request.width}`
  return `tile/${level}/${indexPath(request.tile)}${partial}`
}

/** @returns undefined for what is not a path of tlog-tiles in its one canonical spelling. */
export const parsePath = (path: string): TileRequest | undefined => {
  const found = pathPattern.exec(path)
  if (found === null) return undefined
  const [, level = '', index = '', partial] = found
  const tile = Number(index.replace(/[x/]/g, ''))
  const width = partial === undefined ? tileWidth : Number(partial)
  if (!Number.isSafeInteger(tile) || width > tileWidth || Number(level) > 63) return undefined
  const request: TileRequest =
    level === 'entries' ? { kind: 'entries', tile, width } : { kind: 'tile', level: Number(level), tile, width }
  return pathOf(request) === path ? request : undefined
}

/** How many hashes or entries of the tile a tree of `size` has. */
export const widthIn = (request: TileRequest, size: number): number => {
  const level = request.kind === 'entries' ? 0 : request.level
  const count = Math.floor(size / 2 ** (level * tileHeight))
  return Math.max(0, Math.min(tileWidth, count - request.tile * tileWidth))
}

/** An entry in a bundle: its length as a big-endian uint16, and the entry. */
export const bundled = (entry: Uint8Array): Buffer => {
  if (entry.length > 0xffff) throw new RangeError('an entry has at most 65535 bytes')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(entry.length)
  return Buffer.concat([length, entry])
}

/** The first `count` entries of a bundle, still bundled. */
export const firstEntries = (bundle: Buffer, count: number): Buffer => {
  let end = 0
  for (let at = 0; at < count; at += 1) {
    if (end + 2 > bundle.length) throw new RangeError('the bundle is shorter than expected')
    end += 2 + bundle.readUInt16BE(end)
  }
  if (end > bundle.length) throw new RangeError('the bundle is cut off')
  return bundle.subarray(0, end)
}

/** One entry of a bundle. @throws RangeError if the bundle does not reach so far. */
export const entryOf = (bundle: Buffer, at: number): Buffer => {
  const before = firstEntries(bundle, at).length
  return firstEntries(bundle, at + 1).subarray(before + 2)
}

/** @throws RangeError if the bundle is cut off. */
export const unbundled = (bundle: Buffer): Buffer[] => {
  const entries: Buffer[] = []
  for (let at = 0; at < bundle.length; ) {
    const entry = firstEntries(bundle.subarray(at), 1)
    entries.push(entry.subarray(2))
    at += entry.length
  }
  return entries
}
