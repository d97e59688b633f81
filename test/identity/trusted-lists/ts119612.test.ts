import { grantedAt } from '../../../src/identity/trusted-lists/list.ts'
import { schemeOperators } from '../../../src/identity/trusted-lists/operators.ts'
import { readTrustServices } from '../../../src/identity/trusted-lists/ts119612.ts'
import { at, base64, caType, newAuthority, newSigner, type Operator, servicesXml, signXml } from './operator.ts'

const day = 86_400_000
let root: Operator
let operator: Operator
let listed: Operator
let evil: Operator

beforeAll(async () => {
  root = await newAuthority('Scheme operator')
  operator = await newSigner(root, 'List signer')
  listed = await newAuthority('Licences of Utopia')
  evil = await newAuthority('Nobody')
})

const services = () => servicesXml([{ certificate: listed.certificate }])
const read = (xml: string, pinned: Operator = operator, now = at) =>
  readTrustServices(xml, schemeOperators([pinned.certificate]), now)

describe('a trusted list in XML (ETSI TS 119 612)', () => {
  it.each([
    ['XAdES and an empty URI', {}],
    ['XAdES and the Id of the list', { uri: '#list' }],
    ['a bare XML signature', { digest: false as const }],
    [
      'inclusive canonicalization',
      {
        transforms: [
          'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
          'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
        ],
      },
    ],
  ])('is read under %s', (_what, options) => {
    const list = read(signXml(operator, services(), options))
    expect(list).toMatchObject({ form: 'TS 119 612', sequenceNumber: 7, operator: 'Utopia', nextUpdate: at + day })
    expect(grantedAt(list, caType, at)).toEqual([
      { certificate: Uint8Array.from(listed.certificate), provider: 'Transport Office' },
    ])
    expect(grantedAt(list, 'http://uri.etsi.org/TrstSvc/Svctype/TSA', at)).toEqual([])
  })

  it('is read where the authority of the signer is pinned', () => {
    expect(read(signXml(operator, services()), root).services).toHaveLength(1)
  })

  it('says what a service was at a time, by its history (clause 5.6)', () => {
    const history = [
      { status: 'granted', since: at - 100 * day },
      { status: 'withdrawn', since: at - 50 * day },
    ]
    const service = { certificate: listed.certificate, status: 'granted', since: at - 10 * day, history }
    const list = read(signXml(operator, servicesXml([service])))
    const times = [-101, -100, -51, -50, -11, -10, 0].map(days => grantedAt(list, caType, at + days * day).length)
    expect(times).toEqual([0, 1, 1, 0, 0, 1, 1])
  })

  it('holds only what is signed: what stands in the signature counts for nothing', () => {
    const smuggled = servicesXml([{ certificate: evil.certificate }])
    const xml = signXml(operator, services()).replace('</Signature>', `<Object>${smuggled}</Object></Signature>`)
    const list = read(xml)
    expect(grantedAt(list, caType, at).map(({ certificate }) => base64(certificate))).toEqual([
      base64(listed.certificate),
    ])
  })

  it('reads the same text whatever comments somebody has put into it', () => {
    const xml = signXml(operator, services()).replace('Svcstatus/granted', 'Svcstatus/gr<!-- -->anted')
    expect(grantedAt(read(xml), caType, at)).toHaveLength(1)
  })
})

const evilList = () => servicesXml([{ certificate: evil.certificate }], { id: 'evil' })
const inside = (xml: string, what: string) =>
  xml.replace('</TrustServiceStatusList>', `${what}</TrustServiceStatusList>`)
const signatureOf = (xml: string) => /<Signature .*<\/Signature>/s.exec(xml)?.[0] ?? ''

describe('signature wrapping', () => {
  const attacks: [string, () => string][] = [
    [
      'puts the signed list into an unsigned one',
      () => inside(evilList(), signXml(operator, services(), { uri: '#list' })),
    ],
    [
      'puts the signed list into an unsigned one, and its signature beside it',
      () => {
        const signed = signXml(operator, services(), { uri: '#list' })
        return inside(evilList(), signed.replace(signatureOf(signed), '') + signatureOf(signed))
      },
    ],
    [
      'hides the signed list in its own signature',
      () => {
        const signed = signXml(operator, services(), { uri: '#list' })
        const bare = signed.replace(signatureOf(signed), '')
        return inside(evilList(), signatureOf(signed).replace('</Signature>', `<Object>${bare}</Object></Signature>`))
      },
    ],
    [
      'gives two elements one Id',
      () => {
        const signed = signXml(operator, services(), { uri: '#list' })
        const bare = signed.replace(signatureOf(signed), '')
        const outer = servicesXml([{ certificate: evil.certificate }], { id: 'list' })
        return inside(outer, signatureOf(signed).replace('</Signature>', `<Object>${bare}</Object></Signature>`))
      },
    ],
    [
      'adds a second signature',
      () => {
        const signed = signXml(operator, services())
        return inside(signed, signatureOf(signed))
      },
    ],
    [
      'adds a provider after signing',
      () => {
        const signed = signXml(operator, services())
        const provider = /<TrustServiceProvider>.*<\/TrustServiceProvider>/s.exec(evilList())?.[0] ?? ''
        return signed.replace('<TrustServiceProviderList>', `<TrustServiceProviderList>${provider}`)
      },
    ],
    [
      'exchanges a certificate',
      () => signXml(operator, services()).replace(base64(listed.certificate), base64(evil.certificate)),
    ],
    [
      'signs a part alone',
      () =>
        signXml(operator, services().replace('<SchemeInformation>', '<SchemeInformation Id="part">'), {
          uri: '#part',
          xpath: "//*[local-name(.)='SchemeInformation']",
        }),
    ],
    ['moves the signed properties', () => signXml(operator, services()).replace('Id="props"', 'Id="props2"')],
    [
      'changes the signed properties',
      () => signXml(operator, services()).replace('SigningTime>2026', 'SigningTime>2027'),
    ],
    [
      'leaves the signature method to be chosen',
      () =>
        signXml(operator, services()).replace(
          '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#">',
          '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><Object><SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"/></Object>',
        ),
    ],
    [
      'hides a second SignatureValue in another namespace',
      () =>
        signXml(operator, services()).replace(
          '<KeyInfo>',
          '<x:SignatureValue xmlns:x="urn:x">AA==</x:SignatureValue><KeyInfo>',
        ),
    ],
  ]
  it.each(attacks)('is refused that %s', (_what, attack) => {
    expect(() => read(attack())).toThrow(expect.objectContaining({ code: 'trusted_list_unsigned' }))
  })
})

describe('a trusted list in XML is refused', () => {
  const sha1 = 'http://www.w3.org/2000/09/xmldsig#sha1'
  it.each<[string, string, () => string]>([
    ['without a signature', 'trusted_list_unsigned', services],
    ['signed by somebody else', 'trusted_list_of_another', () => signXml(evil, services())],
    [
      'signed by another certificate of the same name',
      'trusted_list_of_another',
      () => signXml({ ...operator, privateKey: evil.privateKey, chain: evil.chain }, services()),
    ],
    [
      'signed with another key than that of its certificate',
      'trusted_list_unsigned',
      () => signXml({ ...operator, privateKey: evil.privateKey }, services()),
    ],
    [
      'whose XAdES names another signing certificate',
      'trusted_list_unsigned',
      () => signXml(operator, services(), { digest: Buffer.alloc(32).toString('base64') }),
    ],
    [
      'with a transform that is not accepted',
      'trusted_list_unsigned',
      () =>
        signXml(operator, services()).replace(
          'Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></Transforms>',
          'Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></Transforms>',
        ),
    ],
    [
      'with a digest by SHA-1',
      'trusted_list_unsigned',
      () => signXml(operator, services()).replace('http://www.w3.org/2001/04/xmlenc#sha256', sha1),
    ],
    [
      'with HMAC',
      'trusted_list_unsigned',
      () =>
        signXml(operator, services()).replace(
          'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
          'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
        ),
    ],
    [
      'with an algorithm of another kind of key',
      'trusted_list_unsigned',
      () =>
        signXml(operator, services()).replace(
          'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
          'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
        ),
    ],
    [
      'without a certificate of its signer',
      'trusted_list_unsigned',
      () => signXml(operator, services()).replace(/<X509Data>.*<\/X509Data>/, ''),
    ],
    [
      'with a document type',
      'trusted_list_malformed',
      () => `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>${signXml(operator, services())}`,
    ],
    [
      'with a CDATA section',
      'trusted_list_malformed',
      () => signXml(operator, services()).replace('>Utopia<', '><![CDATA[Utopia]]><'),
    ],
    ['with a processing instruction', 'trusted_list_malformed', () => `<?php x?>${signXml(operator, services())}`],
    ['that is not well-formed', 'trusted_list_malformed', () => signXml(operator, services()).slice(0, -5)],
    ['nested too deep', 'trusted_list_malformed', () => '<a>'.repeat(100) + '</a>'.repeat(100)],
    ['of another version', 'trusted_list_malformed', () => signXml(operator, servicesXml([], { version: '3' }))],
    [
      'without a sequence number',
      'trusted_list_malformed',
      () => signXml(operator, servicesXml([], { sequence: '0' })),
    ],
    ['that is closed (5.3.15)', 'trusted_list_malformed', () => signXml(operator, servicesXml([], { next: '' }))],
    ['with a date that is none', 'trusted_list_malformed', () => signXml(operator, servicesXml([], { next: 'soon' }))],
    ['that is another document', 'trusted_list_malformed', () => signXml(operator, '<a xmlns="urn:a"/>')],
    [
      'with two statuses from one time on',
      'trusted_list_malformed',
      () =>
        signXml(
          operator,
          servicesXml([{ certificate: listed.certificate, since: at, history: [{ status: 'withdrawn', since: at }] }]),
        ),
    ],
  ])('%s: %s', (_what, code, xml) => {
    expect(() => read(xml())).toThrow(expect.objectContaining({ code }))
  })

  it('whose signer’s certificate has expired', async () => {
    const late = await newSigner(root, 'Late', { notAfter: at - day })
    expect(() => read(signXml(late, services()), root)).toThrow(
      expect.objectContaining({ code: 'certificate_expired' }),
    )
  })
})
