import { hash, type KeyObject } from 'node:crypto'
import { type Certificate, readCertificate } from './certificate.ts'
import { expiredCertificate, malformedCertificate, untrustedCertificate } from './refusals.ts'

export type ChainOptions = {
  /**
   * What the leaf has to be for: object identifiers, one of which its extendedKeyUsage names. A leaf without that
   * extension may be used for anything (RFC 5280, section 4.2.1.12), unless `purposeRequired`.
   */
  purposes?: readonly string[]
  purposeRequired?: boolean
  /** What the leaf must not be for alone: purposes, of which a certificate for none other does not count. */
  notAlone?: readonly string[]
  /**
   * HAIP 1.0, sections 5 and 6.1.1 among others: the leaf is not self-signed, and the trust anchor does not stand in
   * the chain. Otherwise a certificate that is an anchor itself needs no authority above it.
   */
  haip?: boolean
}

/** A chain that was found good. */
export type TrustedChain = {
  leaf: Certificate
  /** As it was sent, leaf first. */
  certificates: readonly Certificate[]
  anchor: Certificate
}

/** Judges chains against one set of anchors; reads the anchors once and remembers which certificate signed which. */
export type ChainJudge = {
  /**
   * @param chain DER, leaf first, each signed by the next, the anchor itself left out or last.
   * @param at time (ms) at which all of it has to be valid.
   * @throws Refusal malformed/certificate_malformed, rejected/certificate_untrusted, rejected/certificate_expired
   */
  validate(chain: readonly Uint8Array[], at: number, options?: ChainOptions): TrustedChain
}

const chainLengthMost = 6
const rememberedMost = 1_024

const signatureAlgorithms: readonly string[] = [
  '1.2.840.10045.4.3.2', // ecdsa-with-SHA256
  '1.2.840.10045.4.3.3', // ecdsa-with-SHA384
  '1.2.840.10045.4.3.4', // ecdsa-with-SHA512
  '1.3.101.112', // Ed25519
  '1.2.840.113549.1.1.11', // sha256WithRSAEncryption
  '1.2.840.113549.1.1.12', // sha384WithRSAEncryption
  '1.2.840.113549.1.1.13', // sha512WithRSAEncryption
]

/** The curves of ISO 18013-5, table B.3 and section 9.1.2.4, as OpenSSL names them. */
const curves: readonly (string | undefined)[] = [
  'prime256v1',
  'secp384r1',
  'secp521r1',
  'brainpoolP256r1',
  'brainpoolP320r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
]

const isStrong = (key: KeyObject): boolean => {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ec') return curves.includes(details?.namedCurve)
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= 2048
  return type === 'ed25519'
}

/** What every certificate of a chain has to be, wherever it stands. */
const assertSound = (certificate: Certificate, at: number): void => {
  if (certificate.unprocessed.length > 0)
    throw untrustedCertificate(
      `A certificate of the chain has an extension that is not understood here (${certificate.unprocessed[0]}).`,
    )
  if (!signatureAlgorithms.includes(certificate.signatureAlgorithm) || !isStrong(certificate.publicKey))
    throw untrustedCertificate('A certificate of the chain has a key or signature of a kind that is not accepted.')
  // Written so that a time which is not a number does not pass either.
  if (!(at >= certificate.notBefore)) throw expiredCertificate('A certificate of the chain is not valid yet.')
  if (!(at <= certificate.notAfter)) throw expiredCertificate('A certificate of the chain has expired.')
}

/** @param below how many certificates that are not self-issued stand between this one and the leaf. */
const assertAuthority = ({ authority, keyUsage, pathLength }: Certificate, below: number): void => {
  if (!authority) throw untrustedCertificate('A certificate of the chain was issued by one that is no authority.')
  if (keyUsage !== undefined && !keyUsage.includes('keyCertSign'))
    throw untrustedCertificate('A certificate of the chain was issued with a key that may not sign certificates.')
  if (pathLength !== undefined && below > pathLength)
    throw untrustedCertificate('The chain is longer than an authority in it allows.')
}

const assertLeaf = (leaf: Certificate, options: ChainOptions): void => {
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.includes('digitalSignature'))
    throw untrustedCertificate('The key of the first certificate may not sign data.')
  const { notAlone } = options
  if (notAlone !== undefined && leaf.extendedKeyUsage?.every(oid => notAlone.includes(oid)) === true)
    throw untrustedCertificate('The first certificate was issued for another purpose.')
  if (options.purposes === undefined) return
  const { purposes, purposeRequired = false } = options
  const named = leaf.extendedKeyUsage
  if (named === undefined ? purposeRequired : !named.some(oid => purposes.includes(oid)))
    throw untrustedCertificate('The first certificate was issued for another purpose.')
}

const isSelfIssued = ({ subject, issuer }: Certificate): boolean => Buffer.compare(subject.der, issuer.der) === 0

/** @throws Refusal malformed/certificate_malformed for an anchor that cannot be read. */
export const trustAnchors = (anchors: readonly Uint8Array[]): ChainJudge => {
  const trusted = anchors.map(readCertificate)
  const prints = new Map(trusted.map(anchor => [anchor.thumbprint, anchor]))
  const links = new Set<string>()
  const readBefore = new Map<string, Certificate>()

  const read = (der: Uint8Array): Certificate => {
    const print = hash('sha256', der, 'base64url')
    const known = readBefore.get(print)
    if (known !== undefined) return known
    // A copy: what stands in a larger document would keep all of it in memory.
    const certificate = readCertificate(new Uint8Array(der))
    if (readBefore.size === rememberedMost) readBefore.clear()
    readBefore.set(print, certificate)
    return certificate
  }

  /** Names, key identifiers, key usage (OpenSSL) and the signature. */
  const issued = (child: Certificate, parent: Certificate): boolean => {
    const link = `${child.thumbprint}.${parent.thumbprint}`
    if (links.has(link)) return true
    if (!child.x509.checkIssued(parent.x509) || !child.x509.verify(parent.publicKey)) return false
    if (links.size === rememberedMost) links.clear()
    links.add(link)
    return true
  }

  const anchorOf = (last: Certificate): Certificate => {
    const anchor = prints.get(last.thumbprint) ?? trusted.find(each => issued(last, each))
    if (anchor === undefined) throw untrustedCertificate('The chain does not end at an authority that is trusted here.')
    return anchor
  }

  const validate = (chain: readonly Uint8Array[], at: number, options: ChainOptions = {}): TrustedChain => {
    if (chain.length > chainLengthMost)
      throw malformedCertificate(`The chain has more than ${chainLengthMost} certificates.`)
    const certificates = chain.map(read)
    const leaf = certificates[0]
    const last = certificates.at(-1)
    if (leaf === undefined || last === undefined) throw malformedCertificate('The chain has no certificate.')
    const anchor = anchorOf(last)
    if (options.haip && (anchor === last || prints.has(last.thumbprint)))
      throw untrustedCertificate('Leave the trust anchor out of the chain (HAIP 1.0).')
    if (options.haip && isSelfIssued(leaf))
      throw untrustedCertificate('The certificate of the signing key is self-signed (HAIP 1.0 does not allow that).')
    const path = prints.has(last.thumbprint) ? certificates : [...certificates, anchor]
    for (const certificate of path) assertSound(certificate, at)
    let below = 0
    for (const [index, parent] of path.entries()) {
      const child = path[index - 1]
      if (child === undefined) continue
      if (index > 1 && !isSelfIssued(child)) below++
      if (!issued(child, parent))
        throw untrustedCertificate('A certificate of the chain is not signed by the next one.')
      assertAuthority(parent, below)
    }
    assertLeaf(leaf, options)
    return { leaf, certificates, anchor }
  }
  return { validate }
}

/** As `trustAnchors(anchors).validate(chain, at, options)`, for those who judge one chain. */
export const validateChain = (
  chain: readonly Uint8Array[],
  anchors: readonly Uint8Array[],
  at: number,
  options: ChainOptions = {},
): TrustedChain => trustAnchors(anchors).validate(chain, at, options)
