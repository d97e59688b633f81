import 'reflect-metadata'
import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { readCertificate } from './certificate.ts'
import { documentSignerUsage } from './usages.ts'

/** A key that signs certificates, in this process or behind the `Signer` port. */
export type CertificateSigner = {
  publicKey: KeyObject
  /** @returns r and s in big endian, side by side (IEEE P1363); ES256 for P-256, ES384 for P-384. */
  sign(data: Uint8Array): Promise<Uint8Array> | Uint8Array
}

/** An authority: its certificate (DER) and its key. */
export type Authority = { certificate: Uint8Array; signer: CertificateSigner }

/** Times are milliseconds; a certificate counts in whole seconds. */
export type Validity = { notBefore: number; notAfter: number }

/** Who is asked about a certificate: an address that issuerAltName carries (ISO 18013-5, annex B). */
export type Contact = { type: 'email' | 'url'; value: string }

const digestOf = { 'P-256': 'sha256', 'P-384': 'sha384' } as const
type Curve = keyof typeof digestOf

const curveOf = (key: KeyObject): Curve => {
  const { crv } = key.export({ format: 'jwk' })
  if (crv !== 'P-256' && crv !== 'P-384') throw new TypeError('Certificates are made for keys on P-256 and P-384')
  return crv
}

/** Signs certificates with a key that is in this process. */
export const certificateSigner = (keys: { publicKey: KeyObject; privateKey: KeyObject }): CertificateSigner => ({
  publicKey: keys.publicKey,
  sign: data => sign(digestOf[curveOf(keys.publicKey)], data, { key: keys.privateKey, dsaEncoding: 'ieee-p1363' }),
})

/** The SHA-1 of the key's bits (RFC 5280, section 4.2.1.2, method 1); an identifier, no security rests on it. */
const keyIdentifier = (key: KeyObject): string => {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const point = [Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  return createHash('sha1').update(Buffer.concat(point)).digest('hex')
}

/** 126 random bits under a leading 01: positive, never zero, 16 octets (ISO 18013-5, annex B asks for 63 at least). */
const serialNumber = (): string => {
  const octets = randomBytes(16)
  octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40
  return octets.toString('hex')
}

/** The library's own names for them: with types of browsers at hand those of node are others. */
type WebCrypto = NonNullable<Parameters<typeof x509.X509CertificateGenerator.createSelfSigned>[1]>
type WebKey = x509.X509CertificateCreateWithKeyParams['signingKey']
type WebKeys = x509.Pkcs10CertificateRequestCreateParams['keys']

type Content = Validity & {
  subject: x509.JsonName | x509.Name
  issuer: x509.JsonName | x509.Name
  publicKey: KeyObject
  signer: CertificateSigner
  extensions: x509.Extension[]
}

const make = async (content: Content): Promise<Uint8Array> => {
  const { signer, publicKey, notBefore, notAfter, ...rest } = content
  const namedCurve = curveOf(signer.publicKey)
  const hash = namedCurve === 'P-256' ? 'SHA-256' : 'SHA-384'
  // The generator signs through the Web Cryptography it is given; this one asks the signer.
  const asking = {
    subtle: {
      sign: async (_algorithm: unknown, _key: unknown, data: ArrayBuffer) => signer.sign(new Uint8Array(data)),
    },
  } as unknown as WebCrypto
  const made = await x509.X509CertificateGenerator.create(
    {
      ...rest,
      serialNumber: serialNumber(),
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
      signingKey: { algorithm: { name: 'ECDSA', namedCurve } } as unknown as WebKey,
      signingAlgorithm: { name: 'ECDSA', hash },
    },
    asking,
  )
  return new Uint8Array(made.rawData)
}

const timesOf = ({ notBefore, notAfter }: Validity): Validity => ({ notBefore, notAfter })

type Naming = { country?: string; stateOrProvince?: string; organization?: string; commonName: string }

const nameOf = ({ country, stateOrProvince, organization, commonName }: Naming): x509.JsonName => [
  ...(country === undefined ? [] : [{ C: [country] }]),
  ...(stateOrProvince === undefined ? [] : [{ ST: [stateOrProvince] }]),
  ...(organization === undefined ? [] : [{ O: [organization] }]),
  { CN: [commonName] },
]

const authorityExtensions = (authority: Authority): { issuer: x509.Name; identifier: x509.Extension } => ({
  // Taken over bit by bit: the issuer is "the same exact binary value" as the authority's subject (annex B).
  issuer: new x509.X509Certificate(authority.certificate as Uint8Array<ArrayBuffer>).subjectName,
  identifier: new x509.AuthorityKeyIdentifierExtension(
    readCertificate(authority.certificate).subjectKeyIdentifier ?? keyIdentifier(authority.signer.publicKey),
  ),
})

const revocationList = (url: string | undefined): x509.Extension[] =>
  url === undefined ? [] : [new x509.CRLDistributionPointsExtension([url])]

const uriName = (value: string) => ({ type: 'url' as const, value })

const { digitalSignature, keyCertSign, cRLSign } = x509.KeyUsageFlags

/**
 * A self-signed root: an issuing authority certificate authority (IACA) by the profile of ISO 18013-5, annex B.1.2:
 * country and common name, pathLen 0, keyCertSign and cRLSign, an address of the issuer. At most 20 years there. Without a
 * country it is no IACA, and a root for other purposes alone.
 * @param options.revocationListUrl optional in that profile.
 */
export const makeRootCertificate = (
  options: Validity &
    Naming & {
      signer: CertificateSigner
      contact: Contact
      revocationListUrl?: string
      pathLength?: number
    },
): Promise<Uint8Array> => {
  const { signer, contact, pathLength = 0 } = options
  const name = nameOf(options)
  return make({
    subject: name,
    issuer: name,
    publicKey: signer.publicKey,
    signer,
    ...timesOf(options),
    extensions: [
      new x509.SubjectKeyIdentifierExtension(keyIdentifier(signer.publicKey)),
      new x509.BasicConstraintsExtension(true, pathLength, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      new x509.IssuerAlternativeNameExtension([contact]),
      ...revocationList(options.revocationListUrl),
    ],
  })
}

/**
 * A certificate of a key that signs mdocs (ISO 18013-5, annex B.1.4): extendedKeyUsage 1.0.18013.5.1.2, the country of
 * its root. At most 457 days there, and with a revocation list: give `revocationListUrl` where one is published.
 */
export const makeDocumentSignerCertificate = (
  options: Validity &
    Naming & {
      authority: Authority
      publicKey: KeyObject
      contact: Contact
      revocationListUrl?: string
      /** subjectAltName: by what else the signer is known. */
      uris?: readonly string[]
    },
): Promise<Uint8Array> => {
  const { authority, publicKey, contact, uris = [] } = options
  const { country } = readCertificate(authority.certificate).subject
  const { issuer, identifier } = authorityExtensions(authority)
  return make({
    subject: nameOf({ ...(country === undefined ? {} : { country }), ...options }),
    issuer,
    publicKey,
    signer: authority.signer,
    ...timesOf(options),
    extensions: [
      identifier,
      new x509.SubjectKeyIdentifierExtension(keyIdentifier(publicKey)),
      new x509.KeyUsagesExtension(digitalSignature, true),
      new x509.IssuerAlternativeNameExtension([contact]),
      new x509.ExtendedKeyUsageExtension([documentSignerUsage], true),
      ...(uris.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(uris.map(uriName))]),
      ...revocationList(options.revocationListUrl),
    ],
  })
}

/**
 * A certificate of the key that signs credentials or requests where HAIP 1.0 asks for one: not
 * self-signed, with the host names that `x509_san_dns` compares.
 * @param options.usages extendedKeyUsage; `readerAuthenticationUsage` for those who ask for mdocs. None by default.
 */
export const makeAccessCertificate = (
  options: Validity &
    Naming & {
      authority: Authority
      publicKey: KeyObject
      hosts: readonly string[]
      uris?: readonly string[]
      usages?: readonly string[]
    },
): Promise<Uint8Array> => {
  const { authority, publicKey, hosts, uris = [], usages = [] } = options
  const { issuer, identifier } = authorityExtensions(authority)
  const names: x509.JsonGeneralNames = [...hosts.map(value => ({ type: 'dns' as const, value })), ...uris.map(uriName)]
  return make({
    subject: nameOf(options),
    issuer,
    publicKey,
    signer: authority.signer,
    ...timesOf(options),
    extensions: [
      identifier,
      new x509.SubjectKeyIdentifierExtension(keyIdentifier(publicKey)),
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(digitalSignature, true),
      new x509.SubjectAlternativeNameExtension(names),
      ...(usages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...usages], true)]),
    ],
  })
}

/** What an authority of others is asked to certify (PKCS #10, RFC 2986): a key, whose owner signs for it, under these names. DER. */
export const makeCertificateRequest = async (
  options: Naming & { signer: CertificateSigner; hosts: readonly string[]; uris: readonly string[] },
): Promise<Uint8Array> => {
  const { signer, hosts, uris } = options
  const namedCurve = curveOf(signer.publicKey)
  const key = { type: 'public', algorithm: { name: 'ECDSA', namedCurve } }
  const asking = {
    subtle: {
      sign: async (_algorithm: unknown, _key: unknown, data: ArrayBuffer) => signer.sign(new Uint8Array(data)),
      exportKey: async () => new Uint8Array(signer.publicKey.export({ format: 'der', type: 'spki' })).buffer,
    },
  } as unknown as WebCrypto
  const names: x509.JsonGeneralNames = [...hosts.map(value => ({ type: 'dns' as const, value })), ...uris.map(uriName)]
  const made = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: nameOf(options),
      keys: { publicKey: key, privateKey: key } as unknown as WebKeys,
      signingAlgorithm: { name: 'ECDSA', hash: namedCurve === 'P-256' ? 'SHA-256' : 'SHA-384' },
      extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)],
    },
    asking,
  )
  return new Uint8Array(made.rawData)
}

/**
 * A self-signed certificate for a TLS server on this machine.
 * @param options.hosts names and IP addresses. @default localhost, 127.0.0.1
 */
export const makeServerCertificate = (
  options: Validity & { signer: CertificateSigner; hosts?: readonly string[] },
): Promise<Uint8Array> => {
  const { signer, hosts = ['localhost', '127.0.0.1'] } = options
  const name = nameOf({ commonName: hosts[0] ?? 'localhost' })
  return make({
    subject: name,
    issuer: name,
    publicKey: signer.publicKey,
    signer,
    ...timesOf(options),
    extensions: [
      new x509.SubjectKeyIdentifierExtension(keyIdentifier(signer.publicKey)),
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map(value => ({ type: /^[\d.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
    ],
  })
}
