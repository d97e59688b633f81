import { generateKeyPairSync, hash, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { SignedXml } from 'xml-crypto'
import {
  certificateSigner,
  makeDocumentSignerCertificate,
  makeRootCertificate,
} from '../../../src/identity/x509/make.ts'

export const at = Date.parse('2026-03-01T12:00:00Z')
const year = 365 * 86_400_000
export const date = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

export type Operator = { privateKey: KeyObject; certificate: Uint8Array; chain: readonly Uint8Array[] }

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const validity = { notBefore: at - year, notAfter: at + year }
const contact = { type: 'email' as const, value: 'lists@example.org' }

/** A self-signed certificate, which may sign others. */
export const newAuthority = async (commonName: string): Promise<Operator> => {
  const keys = pair()
  const signer = certificateSigner(keys)
  const certificate = await makeRootCertificate({ signer, contact, commonName, country: 'UT', ...validity })
  return { privateKey: keys.privateKey, certificate, chain: [certificate] }
}

export const newSigner = async (
  authority: Operator,
  commonName: string,
  options: { notAfter?: number; uris?: string[] } = {},
): Promise<Operator> => {
  const keys = pair()
  const { publicKey } = keys
  const signer = certificateSigner({ publicKey: publicOf(authority), privateKey: authority.privateKey })
  const certificate = await makeDocumentSignerCertificate({
    ...{ authority: { certificate: authority.certificate, signer }, publicKey, contact, commonName, country: 'UT' },
    ...{ ...validity, ...options },
  })
  return { privateKey: keys.privateKey, certificate, chain: [certificate] }
}

const publicOf = ({ certificate }: Operator): KeyObject => new X509Certificate(certificate).publicKey

/** A list of trusted entities in JSON, signed. */
export const signedEntities = (operator: Operator, payload: unknown, header: Record<string, unknown> = {}): string => {
  const protectedHeader = {
    ...{ alg: 'ES256', iat: Math.floor(at / 1_000), x5c: operator.chain.map(base64) },
    ...header,
  }
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode(protectedHeader)}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key: operator.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

type Service = {
  certificate: Uint8Array
  type?: string
  status?: string
  since?: number
  history?: { status: string; since: number }[]
}
export const serviceType = 'http://uri.etsi.org/19602/SvcType/PubEAA/Issuance'
export const notified = 'http://uri.etsi.org/19602/PubEAAProvidersList/SvcStatus/notified'

export const entitiesOf = (services: Service[], scheme: Record<string, unknown> = {}) => ({
  LoTE: {
    ListAndSchemeInformation: {
      LoTEVersionIdentifier: 1,
      LoTESequenceNumber: 7,
      LoTEType: 'http://uri.etsi.org/19602/LoTEType/EUPubEAAProvidersList',
      SchemeOperatorName: [{ lang: 'en', value: 'Utopia' }],
      SchemeTerritory: 'UT',
      ListIssueDateTime: date(at - 1_000),
      NextUpdate: date(at + 86_400_000),
      ...scheme,
    },
    TrustedEntitiesList: services.map(({ certificate, type = serviceType, status, since, history = [] }) => ({
      TrustedEntityInformation: { TEName: [{ lang: 'en', value: 'Transport Office' }] },
      TrustedEntityServices: [
        {
          ServiceInformation: {
            ServiceName: [{ lang: 'en', value: 'Licences' }],
            ServiceTypeIdentifier: type,
            ServiceDigitalIdentity: { X509Certificates: [{ val: base64(certificate) }] },
            ...(status === undefined ? {} : { ServiceStatus: status, StatusStartingTime: date(since ?? at - year) }),
          },
          ServiceHistory: history.map(past => ({
            ServiceName: [{ lang: 'en', value: 'Licences' }],
            ServiceDigitalIdentity: { X509Certificates: [{ val: base64(certificate) }] },
            ServiceStatus: past.status,
            StatusStartingTime: date(past.since),
          })),
        },
      ],
    })),
  },
})

const tslStatus = 'http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/'
export const caType = 'http://uri.etsi.org/TrstSvc/Svctype/CA/QC'

const periodXml = (type: string, certificate: Uint8Array, status: string, since: number): string =>
  `<ServiceTypeIdentifier>${type}</ServiceTypeIdentifier><ServiceName><Name xml:lang="en">Licences</Name></ServiceName>` +
  `<ServiceDigitalIdentity><DigitalId><X509Certificate>${base64(certificate)}</X509Certificate></DigitalId></ServiceDigitalIdentity>` +
  `<ServiceStatus>${tslStatus}${status}</ServiceStatus><StatusStartingTime>${date(since)}</StatusStartingTime>`

/** A trusted list in XML, unsigned. */
export const servicesXml = (
  services: Service[],
  { sequence = '7', version = '5', next = date(at + 86_400_000), id = 'list' } = {},
): string => {
  const listed = services.map(
    ({ certificate, type = caType, status = 'granted', since = at - year, history = [] }) =>
      `<TrustServiceProvider><TSPInformation><TSPName><Name xml:lang="en">Transport Office</Name></TSPName></TSPInformation><TSPServices><TSPService>` +
      `<ServiceInformation>${periodXml(type, certificate, status, since)}</ServiceInformation>` +
      `<ServiceHistory>${history
        .map(
          past =>
            `<ServiceHistoryInstance>${periodXml(type, certificate, past.status, past.since)}</ServiceHistoryInstance>`,
        )
        .join('')}</ServiceHistory></TSPService></TSPServices></TrustServiceProvider>`,
  )
  return (
    `<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" Id="${id}"><SchemeInformation>` +
    `<TSLVersionIdentifier>${version}</TSLVersionIdentifier><TSLSequenceNumber>${sequence}</TSLSequenceNumber>` +
    `<TSLType>http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric</TSLType>` +
    `<SchemeOperatorName><Name xml:lang="en">Utopia</Name></SchemeOperatorName><SchemeTerritory>UT</SchemeTerritory>` +
    `<ListIssueDateTime>${date(at - 1_000)}</ListIssueDateTime><NextUpdate>${next === '' ? '' : `<dateTime>${next}</dateTime>`}</NextUpdate>` +
    `</SchemeInformation><TrustServiceProviderList>${listed.join('')}</TrustServiceProviderList></TrustServiceStatusList>`
  )
}

const xades = 'http://uri.etsi.org/01903/v1.3.2#'
export const ecdsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256'
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'

export type Signing = {
  /** The reference to the whole: an empty URI, or that of its Id. */
  uri?: string
  transforms?: string[]
  /** Of XAdES; without it a bare XML signature. */
  digest?: string | false
  method?: string
  digestAlgorithm?: string
  xpath?: string
}

/** Signs with XAdES, baseline B, as far as a verifier looks at it. */
export const signXml = (operator: Operator, xml: string, options: Signing = {}): string => {
  const { uri = '', transforms = [enveloped, exclusive], method = ecdsaSha256 } = options
  const digest = options.digest ?? hash('sha256', operator.certificate, 'base64')
  const info = operator.chain.map(each => `<X509Certificate>${base64(each)}</X509Certificate>`).join('')
  const properties =
    `<xades:QualifyingProperties xmlns:xades="${xades}" Target="#sig"><xades:SignedProperties Id="props"><xades:SignedSignatureProperties>` +
    `<xades:SigningTime>${date(at)}</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>` +
    `<ds:DigestMethod xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Algorithm="${sha256}"/><ds:DigestValue xmlns:ds="http://www.w3.org/2000/09/xmldsig#">${digest}</ds:DigestValue>` +
    `</xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties></xades:SignedProperties></xades:QualifyingProperties>`
  const signer = new SignedXml({
    privateKey: operator.privateKey,
    signatureAlgorithm: method as never,
    canonicalizationAlgorithm: exclusive,
    getKeyInfoContent: () => `<X509Data>${info}</X509Data>`,
    ...(options.digest === false ? {} : { objects: [{ content: properties }] }),
  })
  class Signs {
    getAlgorithmName = () => method
    verifySignature = () => false
    getSignature = (input: unknown) =>
      sign('sha256', Buffer.from(String(input)), { key: operator.privateKey, dsaEncoding: 'ieee-p1363' }).toString(
        'base64',
      )
  }
  signer.SignatureAlgorithms = { [method]: Signs } as never
  const reference = { transforms, digestAlgorithm: options.digestAlgorithm ?? sha256 }
  signer.addReference({ ...reference, xpath: options.xpath ?? '/*', uri, isEmptyUri: uri === '' } as never)
  if (options.digest !== false) {
    signer.addReference({
      ...{ xpath: "//*[local-name(.)='SignedProperties']", digestAlgorithm: sha256, transforms: [exclusive] },
      type: 'http://uri.etsi.org/01903#SignedProperties',
    } as never)
  }
  signer.computeSignature(xml, { location: { reference: '/*', action: 'append' } })
  return signer.getSignedXml()
}
