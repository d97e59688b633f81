import { randomFillSync } from 'node:crypto'

const pool = Buffer.alloc(8192)
let used = pool.length

/** Secret random bytes, from the system a few thousand at a time: asking it for each costs more than hashing a record. */
export const randomBytes = (count: number): Buffer => {
  if (count > pool.length) throw new RangeError('more than the pool holds')
  if (used + count > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = Buffer.from(pool.subarray(used, used + count))
  pool.fill(0, used, used + count)
  used += count
  return bytes
}
