import { promisify } from 'node:util'
import { deflate, gunzip, gzip, inflate, constants as zlib } from 'node:zlib'
import { listTooLarge, statusMalformed } from './refusals.ts'

const [inflated, gunzipped] = [promisify(inflate), promisify(gunzip)]
const [deflated, gzipped] = [promisify(deflate), promisify(gzip)]

/** ZLIB (RFC 1950) of Token Status Lists, GZIP (RFC 1952) of Bitstring Status Lists. */
export type Packing = 'zlib' | 'gzip'

/** At the highest level, as both specifications ask for size before speed. */
export const pack = (packing: Packing, bytes: Uint8Array): Promise<Buffer> =>
  (packing === 'zlib' ? deflated : gzipped)(bytes, { level: zlib.Z_BEST_COMPRESSION })

/**
 * Unpacks on the thread pool and stops at the bound: a few thousand bytes can say that they are gigabytes.
 * @throws Refusal rejected/status_list_too_large, malformed/status_malformed
 */
export const unpack = async (packing: Packing, bytes: Uint8Array, bytesMost: number): Promise<Buffer> => {
  try {
    const unpacked = await (packing === 'zlib' ? inflated : gunzipped)(bytes, { maxOutputLength: bytesMost })
    // What is short comes as a window on a larger buffer, which would stay in memory with it.
    return unpacked.length === unpacked.buffer.byteLength ? unpacked : Buffer.from(new Uint8Array(unpacked).buffer)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw listTooLarge(bytesMost)
    throw statusMalformed(`the list is not compressed as ${packing.toUpperCase()}.`, cause)
  }
}
