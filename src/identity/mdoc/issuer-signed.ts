import { hash, type JsonWebKey } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import { decode, encode, Tag } from '../cbor.ts'
import { headerLabel, type OpenedSign1, readSign1 } from '../cose/sign1.ts'
import { malformed } from '../formats/json.ts'
import { judgeDates } from '../standing.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { ChainJudge, ChainOptions, TrustedChain } from '../x509/chain.ts'
import { documentSignerUsage } from '../x509/usages.ts'
import {
  digestAlgorithms,
  isDigestId,
  type KeyAuthorizations,
  type MdocStatus,
  type MdocValidity,
  readSecurityObject,
  type SecurityObject,
} from './security-object.ts'
import { encodedBytes, encodedIn, listIn, mapIn, plainValue, type Spent, textIn } from './values.ts'

export const drivingLicenceType = 'org.iso.18013.5.1.mDL'
export const drivingLicenceNamespace = 'org.iso.18013.5.1'

/** An mdoc taken apart. Its data elements fit their digests; who signed these is not believed yet. */
export type OpenedMdoc = {
  docType: string
  /** What is shown: plain values by namespace and name (dates as text, byte strings as octets). */
  namespaces: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** The holder's key. */
  deviceKey: JsonWebKey
  keyAuthorizations: KeyAuthorizations
  validity: MdocValidity
  /** DER, the document signer's certificate first. */
  issuerChain: readonly Uint8Array[]
  /** DID URL of the signer's key, where the issuer writes one into its header: a hint. */
  issuerKeyId: string
  /** SHA-256 (base64url) of what the issuer signed and of its signature: the same however much is shown. */
  digest: string
  status?: MdocStatus
  signature: OpenedSign1['signature']
}

const saltOctetsLeast = 16

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

type Item = { id: number; name: string; value: unknown }

const readItem = (octets: Uint8Array, spent: Spent): Item => {
  const item = mapIn(decode(octets, { spent }), 'An item')
  const id = item.get('digestID')
  const random = item.get('random')
  if (!isDigestId(id) || !item.has('elementValue')) throw malformed('An item of the mdoc lacks its digest id or value.')
  // Without salt, what is kept back could be found by trying (ISO/IEC 18013-5, section 9.1.2.5).
  if (!(random instanceof Uint8Array) || random.length < saltOctetsLeast)
    throw malformed('An item of the mdoc has less than 16 octets of salt.')
  return { id, name: textIn(item.get('elementIdentifier'), 'An element identifier'), value: item.get('elementValue') }
}

const readNamespace = (
  namespace: string,
  items: unknown[],
  object: SecurityObject,
  spent: Spent,
): Record<string, unknown> => {
  const digests = object.digests.get(namespace)
  const seen = new Set<number>()
  const elements = new Map<string, unknown>()
  for (const tagged of items) {
    const octets = encodedIn(tagged, 'An item')
    const { id, name, value } = readItem(octets, spent)
    if (seen.has(id) || elements.has(name)) throw malformed('The mdoc has one data element twice.')
    const digest = digests?.get(id)
    const actual = hash(digestAlgorithms[object.digestAlgorithm], encodedBytes(octets), 'buffer')
    if (digest === undefined || Buffer.compare(actual, digest) !== 0)
      throw rejected('digest_mismatch', 'A data element of the mdoc is not the one that its issuer signed.')
    seen.add(id)
    elements.set(name, plainValue(value))
  }
  return Object.fromEntries(elements)
}

const digestOf = (auth: unknown): string => {
  const [protectedHeader, , payload, signature] = listIn(auth instanceof Tag ? auth.contents : auth, 'issuerAuth')
  return hash('sha256', encode([protectedHeader, payload, signature]), 'base64url')
}

/**
 * Takes `IssuerSigned` apart and compares every data element with its digest (ISO/IEC 18013-5, section 9.3.1, step 3).
 * @param item as `decode` gave it.
 * @throws Refusal malformed/credential_malformed, malformed/key_malformed, rejected/digest_mismatch,
 *   rejected/algorithm_refused, rejected/status_type_unknown
 */
export const readIssuerSigned = (item: unknown, spent: Spent): OpenedMdoc => {
  const issuerSigned = mapIn(item, 'issuerSigned')
  const auth = readSign1(issuerSigned.get('issuerAuth'))
  if (auth.header.algorithm === 'ES256K')
    throw rejected('algorithm_refused', 'An mdoc is signed with ES256, ES384 or EdDSA.')
  const { x5chain } = auth.header
  if (x5chain === undefined) throw malformed('The mdoc lacks the certificate of its signer (x5chain).')
  const object = readSecurityObject(auth.payload, spent)
  const namespaces = [...mapIn(issuerSigned.get('nameSpaces') ?? new Map(), 'nameSpaces')].map(([namespace, items]) => {
    const name = textIn(namespace, 'A namespace')
    return [name, readNamespace(name, listIn(items, 'A namespace'), object, spent)] as const
  })
  const { docType, deviceKey, keyAuthorizations, validity, status } = object
  return {
    docType,
    namespaces: Object.fromEntries(namespaces),
    deviceKey,
    keyAuthorizations,
    validity,
    issuerChain: x5chain,
    issuerKeyId: auth.signature.kid,
    digest: digestOf(issuerSigned.get('issuerAuth')),
    signature: auth.signature,
    ...(status === undefined ? {} : { status }),
  }
}

/** As `readIssuerSigned`, for the octets that an issuer hands out (OpenID4VCI 1.0, annex A.2.4). */
export const openMdoc = (bytes: Uint8Array): OpenedMdoc => {
  const spent = { items: 0 }
  return readIssuerSigned(decode(bytes, { spent }), spent)
}

export type IssuerExpectation = {
  /** The roots that may sign for this document type. */
  issuers: ChainJudge
  /** Milliseconds: the time that is asked about, and the time it is. */
  at: number
  now?: number
  /** Beside that a signer's certificate is for 1.0.18013.5.1.2, if it says what for; that of an mDL has to. */
  chain?: ChainOptions
}

/** Who signs for a country is set out in the certificate; what the document says has to be the same (annex B.1.4). */
export const assertCountry = (mdoc: OpenedMdoc, { subject }: Certificate): void => {
  const country = mdoc.namespaces[drivingLicenceNamespace]?.['issuing_country']
  if (mdoc.docType === drivingLicenceType && country !== undefined && country !== subject.country)
    throw rejected('certificate_untrusted', 'The mdoc names another country than the certificate of its signer.')
}

/**
 * Judges who issued an mdoc and when (ISO/IEC 18013-5, section 9.3.1, steps 1, 2 and 5): the chain, the signature, the
 * dates, and that it was signed while the certificate was valid. The status is not looked at here.
 * @throws Refusal rejected/certificate_untrusted, rejected/certificate_expired, rejected/signature_invalid,
 *   rejected/credential_not_yet_valid, rejected/credential_expired, malformed/certificate_malformed
 */
export const verifyIssuer = async (mdoc: OpenedMdoc, expected: IssuerExpectation): Promise<TrustedChain> => {
  const { issuers, at, now = at } = expected
  const purpose = { purposes: [documentSignerUsage], purposeRequired: mdoc.docType === drivingLicenceType }
  const trusted = issuers.validate(mdoc.issuerChain, at, { ...purpose, ...expected.chain })
  const { leaf } = trusted
  if (!(await mdoc.signature.holds({ publicKey: leaf.publicKey, algorithm: mdoc.signature.algorithm })))
    throw rejected('signature_invalid', 'The signature does not fit the mdoc.')
  const { signed, validFrom, validUntil } = mdoc.validity
  judgeDates({ issuedAt: signed, validFrom, validUntil }, at, now)
  if (signed < leaf.notBefore || signed > leaf.notAfter)
    throw rejected('certificate_expired', 'The mdoc was signed outside the validity of its signer’s certificate.')
  assertCountry(mdoc, leaf)
  return trusted
}

/** The issuer's signature with those unprotected parameters that readers need; issuers put odd ones beside them. */
const essentialAuth = (item: unknown): unknown[] => {
  const { header } = readSign1(item)
  const [protectedHeader, , payload, signature] = listIn(item instanceof Tag ? item.contents : item, 'issuerAuth')
  const kept = [headerLabel.kid, headerLabel.x5chain].map(label => [label, header.unprotected.get(label)] as const)
  return [protectedHeader, new Map(kept.filter(([, value]) => value !== undefined)), payload, signature]
}

/**
 * `IssuerSigned` with the chosen data elements only, signed as before; what is not there is not shown.
 * @param shown names of data elements by namespace.
 */
export const discloseElements = (
  issuerSigned: Uint8Array,
  shown: Readonly<Record<string, readonly string[]>>,
): Map<string, unknown> => {
  const spent = { items: 0 }
  const item = mapIn(decode(issuerSigned, { spent }), 'issuerSigned')
  const nameSpaces = item.get('nameSpaces')
  const kept = [...mapIn(nameSpaces ?? new Map(), 'nameSpaces')].flatMap(([namespace, items]) => {
    const names = Object.hasOwn(shown, String(namespace)) ? shown[String(namespace)] : undefined
    const chosen = listIn(items, 'A namespace').filter(item =>
      names?.includes(readItem(encodedIn(item, 'An item'), spent).name),
    )
    return chosen.length === 0 ? [] : [[namespace, chosen] as const]
  })
  const disclosed = new Map<string, unknown>([['issuerAuth', essentialAuth(item.get('issuerAuth'))]])
  if (kept.length > 0) disclosed.set('nameSpaces', new Map(kept))
  return disclosed
}
