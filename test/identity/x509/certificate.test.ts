import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import * as theirs from '@peculiar/x509'
import fc from 'fast-check'
import {
  certificatesOfPem,
  certificatesOfX5c,
  pemOfCertificate,
  readCertificate,
  speaksFor,
} from '../../../src/identity/x509/certificate.ts'
import { type Authority, makeAccessCertificate } from '../../../src/identity/x509/make.ts'
import { serverCertificate } from '../../../src/identity/x509/server-certificate.ts'
import { readerAuthenticationUsage } from '../../../src/identity/x509/usages.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'
import { annexD } from '../mdoc/vectors.ts'
import { makeAuthority, makeDocumentSigner, newKeys, start, validity } from './authority.ts'

const codeOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    return error instanceof Refusal ? `${error.kind}/${error.code}` : `defect: ${String(error)}`
  }
  return 'passed'
}

const theirReading = (der: Uint8Array) => new theirs.X509Certificate(der as Uint8Array<ArrayBuffer>)

/** The same octets with one pattern (hexadecimal) replaced by another. */
const replaced = (der: Buffer, from: string, to: string): Buffer =>
  Buffer.from(der.toString('hex').replace(from, to), 'hex')
const ascii = (text: string): string => Buffer.from(text).toString('hex')

describe('certificates', () => {
  const keys = newKeys()
  let root: Authority
  let signer: Uint8Array
  beforeAll(async () => {
    root = await makeAuthority()
    signer = await makeDocumentSigner(root, keys)
  })

  it('makes a root by the profile of ISO 18013-5 annex B.1.2, as another reader sees it', () => {
    const read = theirReading(root.certificate)
    expect(read.subject).toBe('C=XN, CN=Root of the Transport Agency')
    expect(read.issuer).toBe(read.subject)
    const constraints = read.getExtension(theirs.BasicConstraintsExtension)
    expect([constraints?.ca, constraints?.pathLength, constraints?.critical]).toEqual([true, 0, true])
    const usage = read.getExtension(theirs.KeyUsagesExtension)
    expect(usage?.usages).toBe(theirs.KeyUsageFlags.keyCertSign | theirs.KeyUsageFlags.cRLSign)
    expect(usage?.critical).toBe(true)
    const names = read.getExtension(theirs.IssuerAlternativeNameExtension)
    expect(names?.names.toJSON()).toEqual([{ type: 'email', value: 'registrar@transport.example' }])
    expect(read.getExtension(theirs.SubjectKeyIdentifierExtension)?.keyId).toMatch(/^[0-9a-f]{40}$/)
    expect(BigInt(`0x${read.serialNumber}`) >> 64n).toBeGreaterThan(0n)
  })

  it('makes a document signer by annex B.1.4: issuer bit by bit as the root’s subject, purpose 1.0.18013.5.1.2', () => {
    const read = readCertificate(signer)
    expect(read.issuer.der).toEqual(readCertificate(root.certificate).subject.der)
    expect(read.subject).toMatchObject({ country: 'XN', commonName: 'Driving licences 1' })
    expect(read.extendedKeyUsage).toEqual(['1.0.18013.5.1.2'])
    expect(read.keyUsage).toEqual(['digitalSignature'])
    expect(read.authority).toBe(false)
    expect(read.authorityKeyIdentifier).toBe(readCertificate(root.certificate).subjectKeyIdentifier)
    expect(theirReading(signer).getExtension(theirs.ExtendedKeyUsageExtension)?.critical).toBe(true)
    expect(read.publicKey.equals(keys.publicKey)).toBe(true)
  })

  it('reads every part of the certificate of ISO 18013-5 annex D', () => {
    expect(readCertificate(annexD.documentSignerCertificate)).toMatchObject({
      serialNumber: '3c4416eed784f3b413e48f56f075abfa6d87eb84',
      subject: { commonName: 'utopia ds', country: 'US' },
      issuer: { commonName: 'utopia iaca', country: 'US' },
      notBefore: Date.parse('2020-10-01T00:00:00Z'),
      notAfter: Date.parse('2021-10-01T00:00:00Z'),
      extendedKeyUsage: ['1.0.18013.5.1.2'],
      subjectKeyIdentifier: '14e29017a6c35621ffc7a686b7b72db06cd12351',
      authorityKeyIdentifier: '54fa2383a04c28e0d930792261c80c4881d2c00b',
      unprocessed: [],
    })
  })

  it('reads what it makes as OpenSSL does', () => {
    for (const der of [root.certificate, signer]) {
      const mine = readCertificate(der)
      const openssl = new X509Certificate(der)
      expect(mine.serialNumber.toUpperCase()).toBe(openssl.serialNumber)
      expect(new Date(mine.notBefore)).toEqual(openssl.validFromDate)
      expect(new Date(mine.notAfter)).toEqual(openssl.validToDate)
      expect(mine.authority).toBe(openssl.ca)
      const thumbprint = Buffer.from(mine.thumbprint, 'base64url').toString('hex').toUpperCase()
      expect(thumbprint).toBe(openssl.fingerprint256.replaceAll(':', ''))
    }
  })

  it('lets a certificate speak for the host names it carries, letter for letter, and for no wildcard', async () => {
    const read = readCertificate(
      await makeAccessCertificate({
        ...{ ...validity, authority: root, publicKey: keys.publicKey, commonName: 'Verifier' },
        ...{ hosts: ['verifier.example', '*.wild.example'], usages: [readerAuthenticationUsage] },
      }),
    )
    expect(speaksFor(read, 'Verifier.Example')).toBe(true)
    for (const host of ['a.verifier.example', 'verifier.example.org', 'a.wild.example', ''])
      expect(speaksFor(read, host)).toBe(false)
    expect(read.extendedKeyUsage).toEqual(['1.0.18013.5.1.6'])
  })

  it('makes certificates with P-384 keys, signed with SHA-384', async () => {
    const authority = await makeAuthority({ keys: newKeys('P-384') })
    expect(readCertificate(authority.certificate).signatureAlgorithm).toBe('1.2.840.10045.4.3.3')
  })

  it('does not make certificates with keys on other curves', async () => {
    await expect(makeAuthority({ keys: newKeys('secp256k1') })).rejects.toThrow(TypeError)
  })

  it('goes through PEM and x5c and comes back the same', () => {
    const pem = pemOfCertificate(signer) + pemOfCertificate(root.certificate)
    expect(certificatesOfPem(pem)).toEqual([signer, root.certificate])
    expect(new X509Certificate(pem).raw).toEqual(Buffer.from(signer))
    expect(certificatesOfX5c([Buffer.from(signer).toString('base64')])).toEqual([signer])
  })

  it.each([
    ['no list', 'MIIB'],
    ['an empty list', []],
    ['base64url', ['-_-_']],
    ['base64 with a space', ['MIIB MIIB']],
    ['a number', [1]],
  ])('refuses an x5c header that is %s', (_title, value) => {
    expect(codeOf(() => certificatesOfX5c(value))).toBe('malformed/certificate_malformed')
  })

  it('refuses a PEM text without certificate', () => {
    expect(codeOf(() => certificatesOfPem('-----BEGIN CERTIFICATE-----'))).toBe('malformed/certificate_malformed')
  })

  it.each<[string, (der: Buffer) => Buffer]>([
    ['octets after it', der => Buffer.concat([der, Buffer.of(0)])],
    ['a length that is not the shortest', der => replaced(der, '3082', '308300')],
    ['an indefinite length', der => Buffer.concat([Buffer.of(0x30, 0x80), der.subarray(4), Buffer.of(0, 0)])],
    ['nothing', () => Buffer.alloc(0)],
    ['ten megabytes', () => Buffer.alloc(10_000_000, 0x30)],
    ['another version', der => replaced(der, 'a003020102', 'a003020101')],
    ['two signature algorithms', der => replaced(der, '2a8648ce3d040302', '2a8648ce3d040303')],
    ['one extension twice', der => replaced(der, '0603551d0e', '0603551d23')],
    ['a date that is none', der => replaced(der, ascii('260301'), ascii('260231'))],
    ['a truth value of its own', der => replaced(der, '0603551d0f0101ff', '0603551d0f010101')],
  ])('refuses a certificate with %s', (_title, change) => {
    const changed = change(Buffer.from(signer))
    expect(changed.equals(Buffer.from(signer))).toBe(false)
    expect(codeOf(() => readCertificate(changed))).toBe('malformed/certificate_malformed')
  })

  it('answers mutilated DER with a refusal, or with a certificate that lost its signature', () => {
    const authority = readCertificate(root.certificate)
    const kinds = fc.constantFrom('change', 'insert', 'remove', 'cut')
    fc.assert(
      fc.property(fc.nat(signer.length - 1), fc.integer({ min: 0, max: 255 }), kinds, (at, octet, how) => {
        const octets = [...signer]
        if (how === 'change') octets[at] = octet
        else if (how === 'insert') octets.splice(at, 0, octet)
        else if (how === 'remove') octets.splice(at, 1)
        else octets.length = at
        const der = Uint8Array.from(octets)
        try {
          return Buffer.compare(der, signer) === 0 || !readCertificate(der).x509.verify(authority.publicKey)
        } catch (error) {
          return error instanceof Refusal && error.code === 'certificate_malformed'
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('answers random octets with a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), octets => {
        const der = Uint8Array.of(0x30, octets.length, ...octets)
        return [octets, der].every(each => codeOf(() => readCertificate(each)) === 'malformed/certificate_malformed')
      }),
      { numRuns: 500 },
    )
  })

  it('serves TLS on localhost with a certificate of its own', async () => {
    const { cert, key } = await serverCertificate(['localhost', '127.0.0.1'])
    const server = createServer({ cert, key }, (_request, response) => response.end('here'))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const asked = (options: { ca?: string; servername?: string }) =>
      new Promise<string>(resolve => {
        request({ host: '127.0.0.1', port, agent: false, ...options }, response => {
          response.resume().on('end', () => resolve('answered'))
        })
          .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'failed'))
          .end()
      })
    try {
      expect(await asked({ ca: cert })).toBe('answered')
      expect(await asked({ ca: cert, servername: 'localhost' })).toBe('answered')
      expect(await asked({ ca: cert, servername: 'elsewhere.example' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
      expect(await asked({})).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
    } finally {
      server.close()
    }
    expect(readCertificate(certificatesOfPem(cert)[0] as Uint8Array).notAfter).toBeGreaterThan(start)
  })
})
