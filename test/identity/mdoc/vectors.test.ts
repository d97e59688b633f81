import { createECDH, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { thumbprintOf } from '../../../src/identity/key-material.ts'
import { openDeviceResponse, verifyDeviceResponse } from '../../../src/identity/mdoc/device-response.ts'
import { openMdoc, verifyIssuer } from '../../../src/identity/mdoc/issuer-signed.ts'
import {
  digitalCredentialsTranscript,
  redirectTranscript,
  transcriptIn,
} from '../../../src/identity/mdoc/session-transcript.ts'
import { certificatesOfPem } from '../../../src/identity/x509/certificate.ts'
import { trustAnchors } from '../../../src/identity/x509/chain.ts'
import { outcomeOf } from './fixture.ts'
import { annexD, bdrLicence, handovers, paradym } from './vectors.ts'

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

/** A private key on P-256 from its number. */
const privateKeyOf = (secret: Uint8Array): KeyObject => {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(secret)
  const point = curve.getPublicKey()
  const [x, y, d] = [point.subarray(1, 33), point.subarray(33), Buffer.from(secret)].map(part =>
    part.toString('base64url'),
  )
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x, y, d } as Record<string, string>, format: 'jwk' })
}

describe('ISO/IEC 18013-5, annex D', () => {
  const issuers = trustAnchors([annexD.documentSignerCertificate])
  const transcript = transcriptIn(annexD.sessionTranscriptBytes)
  const readerKey = privateKeyOf(annexD.ephemeralReaderKey)
  const at = Date.parse('2020-12-01T00:00:00Z')

  it('D.4.1.2: is signed by its issuer and authenticated by its device', async () => {
    const [verified] = await verifyDeviceResponse(annexD.deviceResponse, { issuers, at, transcript, readerKey })
    expect(verified?.mdoc).toMatchObject({
      docType: 'org.iso.18013.5.1.mDL',
      namespaces: {
        'org.iso.18013.5.1': {
          family_name: 'Doe',
          issue_date: '2019-10-20',
          expiry_date: '2024-10-20',
          document_number: '123456789',
          driving_privileges: [
            { vehicle_category_code: 'A', issue_date: '2018-08-09', expiry_date: '2024-10-20' },
            { vehicle_category_code: 'B', issue_date: '2017-02-23', expiry_date: '2024-10-20' },
          ],
        },
      },
      validity: {
        signed: Date.parse('2020-10-01T13:30:02Z'),
        validFrom: Date.parse('2020-10-01T13:30:02Z'),
        validUntil: Date.parse('2021-10-01T13:30:02Z'),
      },
      deviceKey: { kty: 'EC', crv: 'P-256', x: 'ljE9bGPiTjNydCv9saM7osiX3NaKuMdT5PvUjcprf5o' },
      signature: { algorithm: 'ES256' },
      device: { kind: 'mac' },
    })
    expect(hex(verified?.mdoc.issuerChain[0] ?? new Uint8Array())).toBe(hex(annexD.documentSignerCertificate))
    expect(hex(verified?.mdoc.namespaces['org.iso.18013.5.1']?.['portrait'] as Uint8Array)).toMatch(/^ffd8ffe0/)
  })

  it.each([
    ['another transcript', { transcript: redirectTranscript({ clientId: 'x', nonce: 'y', responseUri: 'z' }) }],
    ['another reader’s key', { readerKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }],
  ])('D.5.3: its MAC does not hold with %s', async (_title, change) => {
    const expected = { issuers, at, transcript, readerKey, ...change }
    await expect(outcomeOf(verifyDeviceResponse(annexD.deviceResponse, expected))).resolves.toBe('holder_mismatch')
  })

  it('has a MAC that nobody can check without the reader’s key, or with one on another curve', async () => {
    const check = (key?: KeyObject) =>
      outcomeOf(
        verifyDeviceResponse(annexD.deviceResponse, { issuers, at, transcript, ...(key && { readerKey: key }) }),
      )
    await expect(check()).resolves.toBe('holder_unproven')
    await expect(check(generateKeyPairSync('x25519').privateKey)).resolves.toBe('algorithm_mismatch')
  })

  it('is refused when it is no longer or not yet valid, and where its signer is not trusted', async () => {
    const check = (change: object) =>
      outcomeOf(verifyDeviceResponse(annexD.deviceResponse, { issuers, at, transcript, readerKey, ...change }))
    await expect(check({ at: Date.parse('2022-01-01T00:00:00Z') })).resolves.toBe('certificate_expired')
    await expect(check({ at: Date.parse('2020-10-01T01:00:00Z') })).resolves.toBe('credential_not_yet_valid')
    await expect(check({ issuers: trustAnchors([]) })).resolves.toBe('certificate_untrusted')
  })
})

describe('OpenID4VP 1.0, annex B.2.6', () => {
  const jwkThumbprint = new Uint8Array(Buffer.from(thumbprintOf(handovers.jwk), 'base64url'))

  it('B.2.6.1: hands over a request by redirect', () => {
    expect(hex(redirectTranscript({ ...handovers.redirect, jwkThumbprint }))).toBe(handovers.redirect.sessionTranscript)
  })

  it('B.2.6.2: hands over a request of the Digital Credentials API', () => {
    const { digitalCredentialsApi: request } = handovers
    expect(hex(digitalCredentialsTranscript({ ...request, jwkThumbprint }))).toBe(request.sessionTranscript)
    expect(() => digitalCredentialsTranscript({ ...request, origin: `origin:${request.origin}` })).toThrow(TypeError)
  })

  it('makes another transcript of every other member of a request', () => {
    const { redirect } = handovers
    const variants = [
      { ...redirect, jwkThumbprint },
      redirect,
      { ...redirect, nonce: 'other' },
      { ...redirect, clientId: 'x509_san_dns:other.example' },
      { ...redirect, responseUri: 'https://other.example' },
    ].map(request => hex(redirectTranscript(request)))
    expect(new Set(variants).size).toBe(variants.length)
  })
})

describe('mdocs of other people', () => {
  it('verifies what a foreign wallet presented over OpenID4VP 1.0, encrypted', async () => {
    const issuers = trustAnchors(certificatesOfPem(paradym.root))
    const [verified] = await verifyDeviceResponse(paradym.deviceResponse, {
      ...{ issuers, at: paradym.at, transcript: redirectTranscript(paradym) },
    })
    expect(verified?.mdoc.docType).toBe('eu.europa.ec.eudi.pid.1')
    expect(verified?.mdoc.device.kind).toBe('signature')
    expect(verified?.issuer.leaf.subject.commonName).toBe('credo dcs')
    const replayed = redirectTranscript({ ...paradym, nonce: 'another' })
    const [opened] = openDeviceResponse(paradym.deviceResponse).documents
    await expect(opened?.device.vouches(replayed)).resolves.toBe(false)
  })

  it('verifies a driving licence of a foreign issuer', async () => {
    const licence = openMdoc(bdrLicence.issuerSigned)
    const issuers = trustAnchors(certificatesOfPem(bdrLicence.certificate))
    await expect(verifyIssuer(licence, { issuers, at: bdrLicence.at })).resolves.toMatchObject({
      leaf: { subject: { country: 'DE' } },
    })
    expect(licence.namespaces['org.iso.18013.5.1']).toMatchObject({ family_name: 'Mustermann', issuing_country: 'DE' })
  })
})
