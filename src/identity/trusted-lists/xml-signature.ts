import { hash, type KeyObject, verify } from 'node:crypto'
import { SignedXml } from 'xml-crypto'
import type { Certificate } from '../x509/certificate.ts'
import { certificateIn, certificatesMost } from './list.ts'
import { type Operators, signerAmong } from './operators.ts'
import { listUnsigned } from './refusals.ts'
import { childNamed, childrenNamed, elementsNamed, parseXml, textOfElement } from './xml-tree.ts'

const ds = 'http://www.w3.org/2000/09/xmldsig#'
const xades = 'http://uri.etsi.org/01903/v1.3.2#'
const signedPropertiesType = 'http://uri.etsi.org/01903#SignedProperties'
const enveloped = `${ds}enveloped-signature`
const canonicalizations: ReadonlySet<string> = new Set([
  'http://www.w3.org/2001/10/xml-exc-c14n#',
  'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
])
const digests: Readonly<Record<string, string>> = {
  'http://www.w3.org/2001/04/xmlenc#sha256': 'sha256',
  'http://www.w3.org/2001/04/xmldsig-more#sha384': 'sha384',
  'http://www.w3.org/2001/04/xmlenc#sha512': 'sha512',
}

const isRsa = (key: KeyObject): boolean => key.asymmetricKeyType === 'rsa'
const isEc = (key: KeyObject): boolean => key.asymmetricKeyType === 'ec'
const rsa = 'http://www.w3.org/2001/04/xmldsig-more#rsa-'
const ecdsa = 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-'
/** RFC 9231, sections 2.3.2 and 2.3.6. Neither SHA-1 nor HMAC is among them. */
const signatureMethods: Readonly<Record<string, { algorithm: string; fits: (key: KeyObject) => boolean }>> = {
  [`${rsa}sha256`]: { algorithm: 'sha256', fits: isRsa },
  [`${rsa}sha384`]: { algorithm: 'sha384', fits: isRsa },
  [`${rsa}sha512`]: { algorithm: 'sha512', fits: isRsa },
  [`${ecdsa}sha256`]: { algorithm: 'sha256', fits: isEc },
  [`${ecdsa}sha384`]: { algorithm: 'sha384', fits: isEc },
  [`${ecdsa}sha512`]: { algorithm: 'sha512', fits: isEc },
}

const one = (parent: Element, namespace: string, name: string): Element => {
  const [found, ...more] = elementsNamed(parent, namespace, name)
  if (found === undefined || more.length > 0) throw listUnsigned(`The signature has not exactly one ${name}.`)
  return found
}

const attributeOf = (element: Element, name: string): string => element.getAttribute(name) ?? ''

/** The one signature, where an enveloped one has to stand: in the element at the top, and nowhere else is another. */
const signatureIn = (root: Element): Element => {
  const [signature, ...more] = elementsNamed(root, ds, 'Signature')
  if (signature === undefined) throw listUnsigned('The list carries no signature.')
  if (more.length > 0 || signature.parentNode !== root) {
    throw listUnsigned('The list carries another signature than the one enveloped in it.')
  }
  const signed = ['SignedInfo', 'CanonicalizationMethod', 'SignatureMethod', 'SignatureValue', 'KeyInfo']
  for (const name of signed) {
    // By local name as well: a reader that does not look at namespaces must find the same ones.
    one(signature, ds, name)
    if (elementsNamed(signature, '*', name).length > 1) throw listUnsigned(`The signature has ${name} twice.`)
  }
  return signature
}

type Reference = { whole: boolean }

const referenceOf = (reference: Element, root: Element, properties: Element | undefined): Reference => {
  const uri = attributeOf(reference, 'URI')
  const digest = one(reference, ds, 'DigestMethod')
  if (!Object.hasOwn(digests, attributeOf(digest, 'Algorithm'))) {
    throw listUnsigned('A digest of the signature is of an algorithm that is not accepted.')
  }
  const transforms = elementsNamed(reference, ds, 'Transform').map(each => attributeOf(each, 'Algorithm'))
  const others = transforms.filter(each => each !== enveloped)
  if (others.length > 1 || !others.every(each => canonicalizations.has(each))) {
    throw listUnsigned('The signature transforms the list in a way that is not accepted.')
  }
  if (attributeOf(reference, 'Type') === signedPropertiesType) {
    const id = properties === undefined ? '' : attributeOf(properties, 'Id')
    if (id === '' || uri !== `#${id}`) throw listUnsigned('A reference to the signed properties leads elsewhere.')
    return { whole: false }
  }
  const own = attributeOf(root, 'Id')
  if (uri !== '' && (own === '' || uri !== `#${own}`))
    throw listUnsigned('The signature covers a part of the list only.')
  if (transforms[0] !== enveloped) throw listUnsigned('The signature is not enveloped in the list.')
  return { whole: true }
}

/** XAdES (ETSI EN 319 132-1, clause 5.2.2): where the signature says by which certificate it was made, it has to be that one. */
const assertSigningCertificate = (properties: Element | undefined, signer: Certificate): void => {
  if (properties === undefined) return
  const named = ['SigningCertificateV2', 'SigningCertificate'].flatMap(name => elementsNamed(properties, xades, name))
  const [certificate] = named.flatMap(each => childrenNamed(each, xades, 'Cert'))
  if (certificate === undefined) throw listUnsigned('The signed properties name no signing certificate.')
  const digest = childNamed(certificate, xades, 'CertDigest')
  const method = digest && childNamed(digest, ds, 'DigestMethod')
  const value = digest && childNamed(digest, ds, 'DigestValue')
  const algorithm = method === undefined ? undefined : digests[attributeOf(method, 'Algorithm')]
  if (algorithm === undefined || value === undefined) {
    throw listUnsigned('The signed properties name the signing certificate by a digest that is not accepted.')
  }
  if (hash(algorithm, signer.der, 'base64') !== textOfElement(value)) {
    throw listUnsigned('The signed properties name another signing certificate.')
  }
}

const certificatesOf = (signature: Element): Uint8Array[] => {
  const data = childrenNamed(one(signature, ds, 'KeyInfo'), ds, 'X509Data')
  const certificates = data.flatMap(each => childrenNamed(each, ds, 'X509Certificate'))
  if (certificates.length === 0 || certificates.length > certificatesMost) {
    throw listUnsigned('The signature names no certificate of its signer (X509Data).')
  }
  return certificates.map(each => certificateIn(textOfElement(each)))
}

/** A signature algorithm of the library, with the key that was judged before instead of one from the document. */
const methodFor = (uri: string, key: KeyObject) => {
  const method = Object.hasOwn(signatureMethods, uri) ? signatureMethods[uri] : undefined
  if (method === undefined || !method.fits(key)) {
    throw listUnsigned('The signature is of an algorithm that is not accepted, or not one of its key.')
  }
  const { algorithm } = method
  return class {
    getAlgorithmName = () => uri
    getSignature = (): string => {
      throw new Error('nothing is signed here')
    }
    verifySignature = (material: unknown, _key: unknown, value: unknown): boolean =>
      verify(
        algorithm,
        Buffer.from(String(material)),
        { key, dsaEncoding: 'ieee-p1363' },
        Buffer.from(String(value), 'base64'),
      )
  }
}

const digestOf = (algorithm: string, uri: string) =>
  class {
    getAlgorithmName = () => uri
    getHash = (text: string): string => hash(algorithm, text, 'base64')
  }

/**
 * What a scheme operator signed with an enveloped XML signature (XMLDSIG 1.1; XAdES, ETSI EN 319 132-1): parsed again from the very
 * bytes that were digested, so that nothing beside them is ever looked at.
 * @throws Refusal malformed/trusted_list_malformed, rejected/trusted_list_unsigned, rejected/trusted_list_of_another,
 *   rejected/certificate_expired
 */
export const openSignedXml = (text: string, operators: Operators, now: number): Element => {
  const root = parseXml(text)
  const signature = signatureIn(root)
  const [properties, ...more] = elementsNamed(signature, xades, 'SignedProperties')
  if (more.length > 0) throw listUnsigned('The signature has signed properties twice.')
  const signedInfo = one(signature, ds, 'SignedInfo')
  const references = childrenNamed(signedInfo, ds, 'Reference').map(each => referenceOf(each, root, properties))
  const whole = references.findIndex(reference => reference.whole)
  if (whole < 0 || references.filter(reference => reference.whole).length > 1 || references.length > 2) {
    throw listUnsigned('The signature does not cover the list once, and beside it at most its own properties.')
  }
  if (properties !== undefined && references.length < 2) throw listUnsigned('The signed properties are not signed.')
  const method = attributeOf(one(signature, ds, 'SignatureMethod'), 'Algorithm')
  if (!canonicalizations.has(attributeOf(one(signature, ds, 'CanonicalizationMethod'), 'Algorithm'))) {
    throw listUnsigned('The signature is canonicalized in a way that is not accepted.')
  }
  const signer = signerAmong(certificatesOf(signature), operators, now)
  assertSigningCertificate(properties, signer)
  const verifier = new SignedXml({ publicCert: 'judged before', getCertFromKeyInfo: () => null })
  verifier.SignatureAlgorithms = { [method]: methodFor(method, signer.publicKey) } as never
  verifier.HashAlgorithms = Object.fromEntries(
    Object.entries(digests).map(([uri, algorithm]) => [uri, digestOf(algorithm, uri)]),
  ) as never
  let holds = false
  try {
    verifier.loadSignature(signature)
    holds = verifier.checkSignature(text)
  } catch (cause) {
    throw listUnsigned('The signature does not fit the list.', cause)
  }
  const signed = verifier.getSignedReferences()
  const covered = signed[whole]
  if (!holds || signed.length !== references.length || covered === undefined) {
    throw listUnsigned('The signature does not fit the list.')
  }
  return parseXml(covered)
}
