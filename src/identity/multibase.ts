const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** 58^9 is the greatest power that a multiplication by it leaves exact in the arithmetic of a double. */
const wordDigits = 9
const word = 58n ** BigInt(wordDigits)

const digitOf = new Map([...alphabet].map((digit, value) => [digit, value]))

const wordText = (value: number): string => {
  let text = ''
  for (let rest = value, digits = 0; digits < wordDigits; digits++, rest = Math.floor(rest / 58)) {
    text = alphabet[rest % 58] + text
  }
  return text
}

/** Multibase base58-btc (Controlled Identifiers 1.0, section 2.4): `z` and the digits; each leading zero octet is a `1`. */
export const toBase58btc = (bytes: Uint8Array): string => {
  let zeros = 0
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++
  if (zeros === bytes.length) return `z${'1'.repeat(zeros)}`
  let text = ''
  for (let rest = BigInt(`0x${Buffer.from(bytes).toString('hex')}`); rest > 0n; rest /= word) {
    text = wordText(Number(rest % word)) + text
  }
  return `z${'1'.repeat(zeros)}${text.replace(/^1+/, '')}`
}

/**
 * Reads multibase base58-btc. Decoding takes quadratic time, so what is longer than expected is not looked at.
 * @returns undefined for what is not base58-btc, and for more than `bytesMost` octets.
 */
export const fromBase58btc = (text: string, bytesMost: number): Buffer | undefined => {
  // An octet is 1.37 digits.
  if (text[0] !== 'z' || text.length > 2 + Math.ceil(bytesMost * 1.38)) return undefined
  let zeros = 1
  while (text[zeros] === '1') zeros++
  let value = 0n
  for (let at = zeros; at < text.length; at += wordDigits) {
    const part = text.slice(at, at + wordDigits)
    let number = 0
    for (const digit of part) {
      const digitValue = digitOf.get(digit)
      if (digitValue === undefined) return undefined
      number = number * 58 + digitValue
    }
    value = value * (part.length === wordDigits ? word : 58n ** BigInt(part.length)) + BigInt(number)
  }
  const hex = value === 0n ? '' : value.toString(16)
  const tail = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  const bytes = Buffer.concat([Buffer.alloc(zeros - 1), tail])
  return bytes.length > bytesMost ? undefined : bytes
}
