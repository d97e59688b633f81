import { hash, type KeyObject, X509Certificate } from 'node:crypto'
import {
  assertTag,
  bitsOf,
  booleanOf,
  childrenOf,
  type Der,
  oidOf,
  readDer,
  smallOf,
  stringOf,
  tags,
  timeOf,
  unsignedOf,
} from './der.ts'
import { malformedCertificate } from './refusals.ts'

export type AlternativeName = { type: 'dns' | 'uri' | 'email' | 'ip'; value: string }

export type DistinguishedName = {
  /** As it stands in the certificate. */
  der: Uint8Array
  /** For readers: every attribute, comma between them. */
  text: string
  commonName: string | undefined
  /** ISO 3166-1 alpha-2 where the issuer keeps to it. */
  country: string | undefined
}

/** Bits of the keyUsage extension, in their order (RFC 5280, section 4.2.1.3). */
const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const
export type KeyUsage = (typeof keyUsages)[number]

/** A certificate taken apart. Nothing in it is believed yet. Times are milliseconds. */
export type Certificate = {
  der: Uint8Array
  /** Base64url of the SHA-256 of the DER: `x5t#S256` (RFC 7515, section 4.1.8), `x509_hash` (OpenID4VP 1.0, 5.9.3). */
  thumbprint: string
  /** Hexadecimal. */
  serialNumber: string
  subject: DistinguishedName
  issuer: DistinguishedName
  notBefore: number
  notAfter: number
  publicKey: KeyObject
  /** Object identifier of the signature's algorithm. */
  signatureAlgorithm: string
  /** True when basicConstraints says `cA`. */
  authority: boolean
  pathLength: number | undefined
  keyUsage: readonly KeyUsage[] | undefined
  /** Object identifiers. */
  extendedKeyUsage: readonly string[] | undefined
  alternativeNames: readonly AlternativeName[]
  /** Hexadecimal key identifier, where the certificate has one. */
  subjectKeyIdentifier: string | undefined
  /** Hexadecimal key identifier of who issued it: what `aki` asks for in DCQL (OpenID4VP 1.0, section 6.1.1.1). */
  authorityKeyIdentifier: string | undefined
  /** Object identifiers of extensions that decide something and that nobody here understands. */
  unprocessed: readonly string[]
  /** The same certificate for the checks of OpenSSL. */
  x509: X509Certificate
}

const certificateBytesMost = 0x4000

const oids = {
  commonName: '2.5.4.3',
  country: '2.5.4.6',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  issuerAlternativeName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const

/** Understood, but for what is in them no decision here depends on. */
const harmless: readonly string[] = [oids.issuerAlternativeName, oids.subjectKeyIdentifier]

const nameOf = (element: Der | undefined, text: string): DistinguishedName => {
  const name = assertTag(element, tags.sequence)
  const read: DistinguishedName = {
    der: name.whole,
    text: text.replaceAll('\n', ', '),
    commonName: undefined,
    country: undefined,
  }
  for (const set of childrenOf(name)) {
    for (const attribute of childrenOf(assertTag(set, tags.set))) {
      const [type, value] = childrenOf(assertTag(attribute, tags.sequence))
      if (value === undefined) throw malformedCertificate('A name in the certificate lacks a value.')
      const oid = oidOf(type)
      if (oid === oids.commonName) read.commonName = stringOf(value)
      if (oid === oids.country) read.country = stringOf(value)
    }
  }
  return read
}

const ipOf = (octets: Uint8Array): string => {
  if (octets.length === 4) return octets.join('.')
  if (octets.length !== 16) throw malformedCertificate('An IP address of the certificate is malformed.')
  const hex = Buffer.from(octets).toString('hex')
  return hex.replaceAll(/(....)(?!$)/g, '$1:')
}

/** GeneralName in its context-specific tags (RFC 5280, section 4.2.1.6); kinds that nobody here asks for are left out. */
const alternativeNamesOf = (value: Der): AlternativeName[] =>
  childrenOf(value).flatMap(({ tag, contents }): AlternativeName[] => {
    if (tag === 0x87) return [{ type: 'ip', value: ipOf(contents) }]
    const type = tag === 0x81 ? 'email' : tag === 0x82 ? 'dns' : tag === 0x86 ? 'uri' : undefined
    if (type === undefined) return []
    const name = Buffer.from(contents).toString('latin1')
    // A NUL or a space in a name has ended comparisons early elsewhere.
    if (!/^[\x21-\x7e]+$/.test(name)) throw malformedCertificate('An alternative name of the certificate is malformed.')
    return [{ type, value: name }]
  })

const keyUsageOf = (bits: Uint8Array): KeyUsage[] =>
  keyUsages.filter((_usage, bit) => (((bits[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1)

type Extensions = Pick<
  Certificate,
  | 'authority'
  | 'pathLength'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'alternativeNames'
  | 'subjectKeyIdentifier'
  | 'authorityKeyIdentifier'
  | 'unprocessed'
>

const readBasicConstraints = (value: Uint8Array, into: Extensions): void => {
  const members = childrenOf(readDer(value, tags.sequence))
  into.authority = members[0]?.tag === tags.boolean && booleanOf(members.shift())
  if (members[0] !== undefined) into.pathLength = smallOf(members.shift())
  if (members.length > 0 || (into.pathLength !== undefined && !into.authority))
    throw malformedCertificate('The basic constraints of the certificate are malformed.')
}

const readExtension = (
  oid: string,
  value: Uint8Array,
  critical: boolean,
  into: Extensions & { unprocessed: string[] },
) => {
  if (oid === oids.basicConstraints) readBasicConstraints(value, into)
  else if (oid === oids.keyUsage) into.keyUsage = keyUsageOf(bitsOf(readDer(value, tags.bitString)))
  else if (oid === oids.extendedKeyUsage) into.extendedKeyUsage = childrenOf(readDer(value, tags.sequence)).map(oidOf)
  else if (oid === oids.subjectAlternativeName)
    into.alternativeNames = alternativeNamesOf(readDer(value, tags.sequence))
  else if (oid === oids.subjectKeyIdentifier)
    into.subjectKeyIdentifier = Buffer.from(readDer(value, tags.octetString).contents).toString('hex')
  else if (oid === oids.authorityKeyIdentifier) {
    // [0] of a sequence of three, each of them optional.
    const identifier = childrenOf(readDer(value, tags.sequence)).find(({ tag }) => tag === 0x80)
    if (identifier !== undefined) into.authorityKeyIdentifier = Buffer.from(identifier.contents).toString('hex')
  } else if (oid === oids.nameConstraints || (critical && !harmless.includes(oid))) into.unprocessed.push(oid)
}

const extensionsOf = (element: Der | undefined): Extensions => {
  const read: Extensions & { unprocessed: string[] } = {
    authority: false,
    pathLength: undefined,
    keyUsage: undefined,
    extendedKeyUsage: undefined,
    alternativeNames: [],
    subjectKeyIdentifier: undefined,
    authorityKeyIdentifier: undefined,
    unprocessed: [],
  }
  if (element === undefined) return read
  const seen = new Set<string>()
  for (const extension of childrenOf(readDer(element.contents, tags.sequence))) {
    const members = childrenOf(assertTag(extension, tags.sequence))
    const oid = oidOf(members.shift())
    if (seen.has(oid)) throw malformedCertificate('The certificate has one extension twice.')
    seen.add(oid)
    const critical = members[0]?.tag === tags.boolean && booleanOf(members.shift())
    readExtension(oid, assertTag(members.shift(), tags.octetString).contents, critical, read)
    if (members.length > 0) throw malformedCertificate('An extension of the certificate is malformed.')
  }
  return read
}

const openssl = (der: Uint8Array): { x509: X509Certificate; publicKey: KeyObject } => {
  try {
    const x509 = new X509Certificate(der)
    return { x509, publicKey: x509.publicKey }
  } catch (cause) {
    throw malformedCertificate('The certificate or its key cannot be read.', cause)
  }
}

/**
 * Reads a version 3 certificate (RFC 5280, section 4.1) from strict DER, at most 16 KiB.
 * @throws Refusal malformed/certificate_malformed
 */
export const readCertificate = (der: Uint8Array): Certificate => {
  if (der.length > certificateBytesMost) throw malformedCertificate('The certificate is larger than 16 KiB.')
  const [toBeSigned, algorithm, signature, extra] = childrenOf(readDer(der, tags.sequence))
  bitsOf(signature)
  const members = childrenOf(assertTag(toBeSigned, tags.sequence))
  const version = assertTag(members.shift(), 0xa0)
  if (extra !== undefined || smallOf(readDer(version.contents, tags.integer)) !== 2)
    throw malformedCertificate('The certificate is not of version 3.')
  const serial = unsignedOf(members.shift())
  if (serial.length === 0 || serial.length > 20)
    throw malformedCertificate('The serial number of the certificate is malformed.')
  const [inner, issuer, validity, subject, key, ...rest] = members
  assertTag(key, tags.sequence)
  if (Buffer.compare(assertTag(inner, tags.sequence).whole, assertTag(algorithm, tags.sequence).whole) !== 0)
    throw malformedCertificate('The certificate names two signature algorithms.')
  // Unique identifiers [1] and [2] are from 1993, and conforming authorities do not write them.
  if (rest.length > 1) throw malformedCertificate('The certificate is not built as RFC 5280 says.')
  const extensions = extensionsOf(rest.length === 0 ? undefined : assertTag(rest[0], 0xa3))
  const [notBefore, notAfter, more] = childrenOf(assertTag(validity, tags.sequence))
  if (more !== undefined) throw malformedCertificate('The validity of the certificate is malformed.')
  const read = openssl(der)
  return {
    der,
    thumbprint: hash('sha256', der, 'base64url'),
    serialNumber: Buffer.from(serial).toString('hex'),
    subject: nameOf(subject, read.x509.subject ?? ''),
    issuer: nameOf(issuer, read.x509.issuer ?? ''),
    notBefore: timeOf(notBefore),
    notAfter: timeOf(notAfter),
    signatureAlgorithm: oidOf(childrenOf(assertTag(algorithm, tags.sequence))[0]),
    ...extensions,
    ...read,
  }
}

/** Whether a leaf speaks for a host: a dNSName of it, letter for letter, no wildcards (OpenID4VP 1.0, section 5.9.3). */
export const speaksFor = (certificate: Pick<Certificate, 'alternativeNames'>, host: string): boolean =>
  certificate.alternativeNames.some(({ type, value }) => type === 'dns' && value.toLowerCase() === host.toLowerCase())

const pemBlock = /-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END CERTIFICATE-----/g

/**
 * The certificates of a PEM text (RFC 7468), in their order.
 * @throws Refusal malformed/certificate_malformed when there is none.
 */
export const certificatesOfPem = (pem: string): Uint8Array[] => {
  const blocks = [...pem.matchAll(pemBlock)].map(([, body]) => new Uint8Array(Buffer.from(body ?? '', 'base64')))
  if (blocks.length === 0) throw malformedCertificate('The text holds no PEM certificate.')
  return blocks
}

const pemOf = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replaceAll(/(.{64})(?!$)/g, '$1\n')}\n-----END ${label}-----\n`

export const pemOfCertificate = (der: Uint8Array): string => pemOf('CERTIFICATE', der)
export const pemOfCertificateRequest = (der: Uint8Array): string => pemOf('CERTIFICATE REQUEST', der)

/**
 * The members of an `x5c` header (RFC 7515, section 4.1.6): standard base64, not base64url.
 * @throws Refusal malformed/certificate_malformed
 */
export const certificatesOfX5c = (x5c: unknown): Uint8Array[] => {
  if (!Array.isArray(x5c) || x5c.length === 0)
    throw malformedCertificate('The x5c header is not a list of certificates.')
  return x5c.map(member => {
    if (typeof member !== 'string' || !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(member))
      throw malformedCertificate('A member of the x5c header is not base64.')
    return new Uint8Array(Buffer.from(member, 'base64'))
  })
}
