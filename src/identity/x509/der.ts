import { malformedCertificate } from './refusals.ts'

/** One element of DER (X.690): its identifier octet, what is inside, and both with the length between them. */
export type Der = { tag: number; contents: Uint8Array; whole: Uint8Array }

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const

const text = new TextDecoder('utf-8', { fatal: true })

/** The element at an offset. Lengths are definite and as short as can be (X.690, section 10.1). */
const elementAt = (bytes: Uint8Array, at: number): Der => {
  const tag = bytes[at]
  const first = bytes[at + 1]
  if (tag === undefined || first === undefined) throw malformedCertificate('The DER ends too early.')
  if ((tag & 0x1f) === 0x1f) throw malformedCertificate('The DER has a tag number that no certificate uses.')
  const octets = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || octets > 3) throw malformedCertificate('A length in the DER is indefinite or too large.')
  let length = octets === 0 ? first : 0
  for (let index = 0; index < octets; index++) length = length * 0x100 + (bytes[at + 2 + index] ?? 0)
  if (octets > 0 && (length < 0x80 || length < 2 ** (8 * (octets - 1))))
    throw malformedCertificate('A length in the DER is not as short as it can be.')
  const start = at + 2 + octets
  if (start + length > bytes.length) throw malformedCertificate('The DER ends too early.')
  return { tag, contents: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) }
}

/**
 * The one element that the octets are.
 * @throws Refusal malformed/certificate_malformed
 */
export const readDer = (bytes: Uint8Array, tag: number): Der => {
  const element = elementAt(bytes, 0)
  if (element.whole.length !== bytes.length) throw malformedCertificate('Octets follow the DER.')
  return assertTag(element, tag)
}

export const assertTag = (element: Der | undefined, tag: number): Der => {
  if (element?.tag !== tag) throw malformedCertificate('The certificate is not built as RFC 5280 says.')
  return element
}

/** The elements inside another one, at most 64. */
export const childrenOf = (parent: Der): Der[] => {
  const children: Der[] = []
  for (let at = 0; at < parent.contents.length; ) {
    if (children.length === 64) throw malformedCertificate('A part of the certificate has more than 64 members.')
    const child = elementAt(parent.contents, at)
    children.push(child)
    at += child.whole.length
  }
  return children
}

export const booleanOf = (element: Der | undefined): boolean => {
  const { contents } = assertTag(element, tags.boolean)
  if (contents.length !== 1 || (contents[0] !== 0 && contents[0] !== 0xff))
    throw malformedCertificate('A truth value in the DER is neither true nor false.')
  return contents[0] === 0xff
}

/** The octets of an integer that is not negative, without a leading zero. */
export const unsignedOf = (element: Der | undefined): Uint8Array => {
  const { contents } = assertTag(element, tags.integer)
  const [first, second] = contents
  if (first === undefined || first >= 0x80 || (first === 0 && second !== undefined && second < 0x80))
    throw malformedCertificate('An integer in the DER is negative or not as short as it can be.')
  return first === 0 ? contents.subarray(1) : contents
}

export const smallOf = (element: Der | undefined): number => {
  const octets = unsignedOf(element)
  if (octets.length > 2) throw malformedCertificate('An integer in the certificate is too large.')
  return octets.reduce((sum, octet) => sum * 0x100 + octet, 0)
}

/** An object identifier in dotted form. */
export const oidOf = (element: Der | undefined): string => {
  const { contents } = assertTag(element, tags.objectIdentifier)
  const last = contents.at(-1)
  if (last === undefined || last >= 0x80) throw malformedCertificate('An object identifier in the DER is incomplete.')
  const arcs: number[] = []
  let arc = 0
  let open = false
  for (const octet of contents) {
    if ((!open && octet === 0x80) || arc > 2 ** 40)
      throw malformedCertificate('An object identifier in the DER is malformed.')
    arc = arc * 0x80 + (octet & 0x7f)
    open = octet >= 0x80
    if (open) continue
    arcs.push(arc)
    arc = 0
  }
  const [first = 0, ...rest] = arcs
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - 40 * root, ...rest].join('.')
}

/** The octets of a BIT STRING that is whole octets long, or its named bits when `named`. */
export const bitsOf = (element: Der | undefined): Uint8Array => {
  const { contents } = assertTag(element, tags.bitString)
  const unused = contents[0]
  const last = contents.at(-1) ?? 0
  if (unused === undefined || unused > 7 || (contents.length === 1 && unused > 0) || last & ((1 << unused) - 1))
    throw malformedCertificate('A bit string in the DER is malformed.')
  return contents.subarray(1)
}

/** Characters of a name in the types that certificates write today (RFC 5280, section 4.1.2.4); others are undefined. */
export const stringOf = (element: Der): string | undefined => {
  if (element.tag !== tags.utf8String && element.tag !== tags.printableString && element.tag !== tags.ia5String)
    return undefined
  try {
    return text.decode(element.contents)
  } catch {
    throw malformedCertificate('A name in the certificate is not UTF-8.')
  }
}

/**
 * Time (ms) of a UTCTime or GeneralizedTime in the only forms that RFC 5280 allows (section 4.1.2.5): seconds, and Z.
 * @throws Refusal malformed/certificate_malformed
 */
export const timeOf = (element: Der | undefined): number => {
  const written = element === undefined ? '' : Buffer.from(element.contents).toString('latin1')
  const year = written.slice(0, 2)
  const full = element?.tag === tags.utcTime ? `${Number(year) < 50 ? '20' : '19'}${written}` : written
  const general = element?.tag === tags.generalizedTime
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full)
  if (match === null || (element?.tag !== tags.utcTime && !general))
    throw malformedCertificate('A date of the certificate is malformed.')
  const [, y, m, d, h, min, s] = match
  const iso = `${y}-${m}-${d}T${h}:${min}:${s}.000Z`
  const at = Date.parse(iso)
  if (Number.isNaN(at) || new Date(at).toISOString() !== iso)
    throw malformedCertificate('A date of the certificate is no date of the calendar.')
  return at
}
