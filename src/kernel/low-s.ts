const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/**
 * The one form of a P-256 signature: of s and its mirror image the one in the lower half of the order.
 * @param signature r‖s, 64 bytes
 * @returns r‖s in hex
 */
export const withLowS = (signature: Uint8Array): string => {
  const hex = Buffer.from(signature).toString('hex')
  const s = BigInt(`0x${hex.slice(64)}`)
  const low = s > order / 2n ? order - s : s
  return hex.slice(0, 64) + low.toString(16).padStart(64, '0')
}
