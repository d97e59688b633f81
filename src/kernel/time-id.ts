import { randomBytes } from './entropy.ts'

/** A clock set back by less than this does not show in the ids; one set back further is believed. */
const patienceMs = 10_000

let lastMs = 0
let counter = 0

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

const prefixOf = (atMs: number): string => {
  const time = hex(atMs, 12)
  return `${time.slice(0, 8)}-${time.slice(8)}`
}

/**
 * A UUIDv7 (RFC 9562, 5.7; counter by method 1): text that sorts by time of making, within this process exactly, unless its clock is
 * set back by more than ten seconds. So new
 * rows land side by side at the end of an index. It says nothing about the order of commits.
 */
export const timeId = (nowMs: number): string => {
  if (nowMs > lastMs || nowMs < lastMs - patienceMs) {
    lastMs = nowMs
    counter = randomBytes(2).readUInt16BE() & 0x7ff
  } else {
    counter += 1
    if (counter > 0xfff) {
      lastMs += 1
      counter = 0
    }
  }
  const random = randomBytes(8)
  random[0] = ((random[0] ?? 0) & 0x3f) | 0x80
  const tail = random.toString('hex')
  return `${prefixOf(lastMs)}-7${hex(counter, 3)}-${tail.slice(0, 4)}-${tail.slice(4)}`
}

/** Every `timeId` made before this moment sorts before this text. */
export const timeIdBefore = (atMs: number): string => prefixOf(Math.max(0, atMs))
