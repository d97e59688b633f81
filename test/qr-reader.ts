import { inflateSync } from 'node:zlib'

/** Reads QR codes off PNG files, as a camera would off clean paper: versions 1 to 6, no error corrected. */

type Picture = { width: number; height: number; isDark(x: number, y: number): boolean }

const paeth = (a: number, b: number, c: number): number => {
  const estimate = a + b - c
  const [left, up, corner] = [Math.abs(estimate - a), Math.abs(estimate - b), Math.abs(estimate - c)]
  return left <= up && left <= corner ? a : up <= corner ? b : c
}

/** PNG (ISO/IEC 15948) of eight bits a channel, not interlaced. */
const openPng = (png: Buffer): Picture => {
  if (png.subarray(1, 4).toString() !== 'PNG') throw new Error('this is no PNG')
  const data: Buffer[] = []
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    if (png.subarray(at + 4, at + 8).toString() === 'IDAT') data.push(png.subarray(at + 8, at + 8 + length))
    at += 12 + length
  }
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const channels = { 0: 1, 2: 3, 4: 2, 6: 4 }[png[25] ?? 3]
  if (png[24] !== 8 || channels === undefined || png[28] !== 0) throw new Error('a PNG of another kind')
  const line = width * channels
  const bytes = inflateSync(Buffer.concat(data))
  const pixels = Buffer.alloc(line * height)
  for (let y = 0; y < height; y++) {
    const filter = bytes[y * (line + 1)] ?? 0
    for (let x = 0; x < line; x++) {
      const here = y * line + x
      const a = x < channels ? 0 : (pixels[here - channels] ?? 0)
      const b = y === 0 ? 0 : (pixels[here - line] ?? 0)
      const c = x < channels || y === 0 ? 0 : (pixels[here - line - channels] ?? 0)
      const predicted = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter] ?? 0
      pixels[here] = (bytes[y * (line + 1) + 1 + x] ?? 0) + predicted
    }
  }
  return { width, height, isDark: (x, y) => (pixels[y * line + x * channels] ?? 0) < 128 }
}

const masks: ((y: number, x: number) => boolean)[] = [
  (y, x) => (y + x) % 2 === 0,
  y => y % 2 === 0,
  (_y, x) => x % 3 === 0,
  (y, x) => (y + x) % 3 === 0,
  (y, x) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (y, x) => ((y * x) % 2) + ((y * x) % 3) === 0,
  (y, x) => (((y * x) % 2) + ((y * x) % 3)) % 2 === 0,
  (y, x) => (((y + x) % 2) + ((y * x) % 3)) % 2 === 0,
]

/** Blocks of data at error correction M, by version (ISO/IEC 18004, table 9): how many, and bytes in each. */
const blocksOf = [
  { count: 1, bytes: 16 },
  { count: 1, bytes: 28 },
  { count: 1, bytes: 44 },
  { count: 2, bytes: 32 },
  { count: 2, bytes: 43 },
  { count: 4, bytes: 27 },
]

/** Finders with their margins and the format, timing, and the one alignment pattern. */
const isFunction = (y: number, x: number, size: number, version: number): boolean => {
  if ((y < 9 && x < 9) || (y < 9 && x >= size - 8) || (y >= size - 8 && x < 9) || y === 6 || x === 6) return true
  return version > 1 && Math.abs(y - (size - 7)) <= 2 && Math.abs(x - (size - 7)) <= 2
}

/** Upwards and downwards in pairs of columns, from the right (ISO/IEC 18004, 7.7.3). */
const codewordsOf = (
  module: (y: number, x: number) => boolean,
  size: number,
  version: number,
  mask: number,
): number[] => {
  const bits: number[] = []
  let isUp = true
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right -= 1
    for (let step = 0; step < size; step++) {
      const y = isUp ? size - 1 - step : step
      for (const x of [right, right - 1]) {
        if (!isFunction(y, x, size, version)) bits.push(module(y, x) !== masks[mask]?.(y, x) ? 1 : 0)
      }
    }
    isUp = !isUp
  }
  const words = []
  for (let at = 0; at + 8 <= bits.length; at += 8) words.push(Number.parseInt(bits.slice(at, at + 8).join(''), 2))
  return words
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'

/** Segments in the modes that a writer may change between (ISO/IEC 18004, section 7.4), with the lengths of versions up to 9. */
const textOf = (bits: string): string => {
  let at = 0
  const take = (count: number): number => {
    at += count
    return Number.parseInt(bits.slice(at - count, at) || '0', 2)
  }
  let text = ''
  for (;;) {
    const mode = take(4)
    if (mode === 0) return text
    if (mode === 1) {
      for (let left = take(10); left > 0; left -= 3) {
        const digits = Math.min(left, 3)
        text += String(take([4, 7, 10][digits - 1] ?? 0)).padStart(digits, '0')
      }
    } else if (mode === 2) {
      for (let left = take(9); left > 0; left -= 2) {
        const value = take(left === 1 ? 6 : 11)
        if (left > 1) text += alphabet[Math.floor(value / 45)]
        text += alphabet[value % 45]
      }
    } else if (mode === 4) text += Buffer.from(Array.from({ length: take(8) }, () => take(8))).toString()
    else throw new Error(`a segment in mode ${mode}`)
  }
}

/** What a symbol says, and how it is drawn: pixels a module, modules of quiet zone, level of error correction. */
export const readQr = (png: Buffer) => {
  const { width, height, isDark } = openPng(png)
  let edge = 0
  while (edge < width && !isDark(edge, edge)) edge++
  let finder = edge
  while (isDark(finder, edge)) finder++
  const pixels = (finder - edge) / 7
  const size = (width - 2 * edge) / pixels
  const version = (size - 17) / 4
  const blocks = blocksOf[version - 1]
  if (width !== height || blocks === undefined) throw new Error(`a symbol of ${size} modules in ${width} pixels`)
  const module = (y: number, x: number): boolean =>
    isDark(edge + x * pixels + pixels / 2, edge + y * pixels + pixels / 2)
  const format = [0, 1, 2, 3, 4].map(x => (module(8, x) ? 1 : 0)).join('')
  const unmasked = Number.parseInt(format, 2) ^ 0b10101
  const words = codewordsOf(module, size, version, unmasked & 7)
  const ordered = Array.from({ length: blocks.count * blocks.bytes }, (_, at) => {
    const [block, byte] = [Math.floor(at / blocks.bytes), at % blocks.bytes]
    return words[byte * blocks.count + block] ?? 0
  })
  const bits = ordered.map(word => word.toString(2).padStart(8, '0')).join('')
  return {
    text: textOf(bits),
    modulePixels: pixels,
    quietModules: edge / pixels,
    level: ['M', 'L', 'H', 'Q'][unmasked >> 3],
  }
}
