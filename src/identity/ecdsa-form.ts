/**
 * ECDSA signatures from one form to the other. Node's own `ieee-p1363` makes signing take twice as long, and verifying
 * 25 µs of the main thread; this takes next to none of either.
 */

/** ECDSA-Sig-Value (RFC 3279, section 2.2.3) as r‖s of `size` octets each (RFC 4754, section 7). */
export const rawOf = (der: Uint8Array, size: 32 | 48 | 66): Buffer => {
  const raw = Buffer.alloc(2 * size)
  // Of P-521 the sequence is longer than 127 octets, and its length takes two.
  let at = der[1] === 0x81 ? 3 : 2
  for (const end of [size, 2 * size]) {
    const length = der[at + 1] ?? 0
    // A leading zero keeps a number positive, and small numbers are short.
    const skip = Math.max(0, length - size)
    raw.set(der.subarray(at + 2 + skip, at + 2 + length), end - (length - skip))
    at += 2 + length
  }
  return raw
}

/** INTEGER of ASN.1 DER: no leading zeros but the one that keeps it positive. @returns where it ends. */
const writeInteger = (der: Buffer, at: number, number: Uint8Array): number => {
  let start = 0
  while (start < number.length - 1 && number[start] === 0) start++
  const isHigh = (number[start] ?? 0) > 0x7f
  const length = number.length - start
  der[at] = 0x02
  der[at + 1] = isHigh ? length + 1 : length
  if (isHigh) der[at + 2] = 0
  const body = at + (isHigh ? 3 : 2)
  der.set(number.subarray(start), body)
  return body + length
}

/** r‖s of a curve whose numbers have at most 66 octets, as ECDSA-Sig-Value. */
export const derOf = (raw: Uint8Array): Buffer => {
  const size = raw.length / 2
  const der = Buffer.allocUnsafe(raw.length + 9)
  const end = writeInteger(der, writeInteger(der, 3, raw.subarray(0, size)), raw.subarray(size))
  const length = end - 3
  // DER takes the shortest form of a length: of less than 128 octets one octet.
  const from = length < 0x80 ? 1 : 0
  der[from] = 0x30
  der[1 + from] = from === 1 ? length : 0x81
  der[2] = length
  return der.subarray(from, end)
}
