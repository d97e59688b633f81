import { hash } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import { decode } from '../cbor.ts'
import { didKeyOf } from '../did-local.ts'
import { Generations } from '../generations.ts'
import { publicKeyFromJwk } from '../key-material.ts'
import { type PresentedMdoc, readDeviceResponse } from '../mdoc/device-response.ts'
import { issueMdoc } from '../mdoc/issue.ts'
import { assertCountry, type OpenedMdoc, readIssuerSigned } from '../mdoc/issuer-signed.ts'
import type { SecurityObject } from '../mdoc/security-object.ts'
import type { CredentialTypes } from '../types.ts'
import { type Certificate, readCertificate } from '../x509/certificate.ts'
import { documentSignerUsage } from '../x509/usages.ts'
import type { Draft, Format, Opened, Sign, Signature } from './format.ts'
import { malformed } from './json.ts'
import { evmStatusEntry, narrow, pointerOf, tokenStatusListUrl } from './w3c.ts'

const untrusted = (detail: string): Refusal => new Refusal('rejected', 'certificate_untrusted', detail)

const compactForm = /^[A-Za-z0-9_-]{16,}$/
const compactLengthMost = 1_048_576

/** Whether a compact form is the base64url of CBOR: a JWS has dots, an SD-JWT tildes, a document braces. */
export const isMdoc = (compact: string): boolean => compactForm.test(compact)

const bytesOf = (compact: string): Uint8Array => {
  if (compact.length > compactLengthMost || !isMdoc(compact)) throw malformed('An mdoc is the base64url of CBOR.')
  const bytes = Buffer.from(compact, 'base64url')
  if (bytes.toString('base64url') !== compact) throw malformed('The mdoc is not base64url as RFC 4648 has it.')
  return bytes
}

const secure = async (draft: Draft, sign: Sign): Promise<string> => {
  const { type, subject, holderJwk, algorithm, chain, status, kid } = draft
  const { mdoc } = type
  if (mdoc === undefined || holderJwk === undefined || chain === undefined || algorithm !== 'ES256') {
    throw new TypeError('An mdoc needs a document type, a device key, and certificates of a P-256 key')
  }
  const bytes = await issueMdoc(
    {
      docType: mdoc.docType,
      namespaces: mdoc.namespacesOf(subject, { at: draft.issuedAt }),
      deviceKey: holderJwk,
      validity: { signed: draft.issuedAt, validFrom: draft.validFrom, validUntil: draft.validUntil },
      status: {
        uri: tokenStatusListUrl(draft.baseUrl, status.list),
        index: status.index,
        onChain: evmStatusEntry(status),
      },
      ...{ algorithm, chain, kid },
    },
    (_algorithm, input) => sign(algorithm, input),
  )
  return Buffer.from(bytes).toString('base64url')
}

/** A value in the words of JSON (RFC 8949, section 6.1). */
const inJson = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64url')
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(inJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, inJson(member)]))
}

/** Data elements by namespace, as readers of JSON know them. */
export const elementsInJson = (namespaces: OpenedMdoc['namespaces']): Record<string, unknown> =>
  inJson(namespaces) as Record<string, unknown>

/** The certificate says who signs: the agency's DID is a URI of its subject, and so is the DID URL of the key. */
const signerOf = (leaf: Certificate, hint: string): { issuer: string; kid: string } => {
  const uris = leaf.alternativeNames.flatMap(({ type, value }) => (type === 'uri' ? [value] : []))
  const dids = uris.filter(uri => uri.startsWith('did:'))
  const [issuer, ...others] = dids.filter(uri => !uri.includes('#'))
  if (issuer === undefined || others.length > 0) {
    throw untrusted('The certificate of the signer does not name the DID of one agency.')
  }
  const named = dids.find(uri => uri.startsWith(`${issuer}#`))
  return { issuer, kid: named ?? hint }
}

/** What does not depend on the time that is asked about (ISO/IEC 18013-5, annex B.1.4, and section 9.3.1). */
const assertSigner = (mdoc: OpenedMdoc, leaf: Certificate): void => {
  if (leaf.unprocessed.length > 0) throw untrusted('The certificate of the signer has an extension nobody here knows.')
  if (leaf.extendedKeyUsage?.includes(documentSignerUsage) !== true) {
    throw untrusted('The certificate of the signer is not for signing mdocs.')
  }
  const { signed } = mdoc.validity
  if (signed < leaf.notBefore || signed > leaf.notAfter) {
    throw new Refusal(
      'rejected',
      'certificate_expired',
      'The mdoc was signed outside the validity of its signer’s certificate.',
    )
  }
  assertCountry(mdoc, leaf)
}

const statusOf = (status: SecurityObject['status']): Opened['status'] => {
  if (status === undefined) return undefined
  if (status.onChain === undefined) {
    throw new Refusal('rejected', 'status_type_unknown', 'The status of this mdoc names no entry on our chain.')
  }
  const pointer = pointerOf({ ...status.onChain })
  if (pointer.index !== status.index || !status.uri.endsWith(`/status/token/${pointer.list}`)) {
    throw malformed('The status entries of this mdoc do not name one place.')
  }
  return pointer
}

const claimsOf = (mdoc: OpenedMdoc, types: CredentialTypes) => {
  const type = types.byDocType(mdoc.docType)
  const mapping = type?.mdoc
  if (type === undefined || mapping === undefined) {
    throw new Refusal('rejected', 'schema_unknown', 'The mdoc is of a document type that is not known here.')
  }
  return { type, claims: mapping.claimsOf(mdoc.namespaces) }
}

/** The key of the DID has to be that of the certificate too: what is signed then counts by the DID, on chain. */
const signatureOf = (mdoc: OpenedMdoc, leaf: Certificate, kid: string): Signature => ({
  kid,
  algorithm: mdoc.signature.algorithm,
  x5c: mdoc.issuerChain.map(der => Buffer.from(der).toString('base64')),
  async holds(key) {
    return leaf.publicKey.equals(key.publicKey) && mdoc.signature.holds(key)
  },
})

// A signer signs many mdocs. Only the reading of its certificate is remembered, never a judgement.
const leaves = new Generations<Certificate>(1_000)

const leafOf = (der: Uint8Array): Certificate => {
  const print = hash('sha256', der, 'base64url')
  const known = leaves.get(print)
  if (known !== undefined) return known
  // A copy: what stands in a larger document would keep all of it in memory.
  const read = readCertificate(new Uint8Array(der))
  leaves.set(print, read)
  return read
}

/**
 * An mdoc of an agency in the shape of every credential. Who issued it is the DID that the signer's certificate names, so that
 * key and accreditation are judged on chain as for every format; no trust anchor is asked.
 * @throws Refusal rejected/certificate_untrusted, rejected/certificate_expired, rejected/schema_unknown,
 *   rejected/status_type_unknown, malformed/certificate_malformed, malformed/credential_malformed
 */
export const openedMdoc = (mdoc: OpenedMdoc | PresentedMdoc, compact: string, types: CredentialTypes): Opened => {
  const [first] = mdoc.issuerChain
  if (first === undefined) throw malformed('The mdoc lacks the certificate of its signer (x5chain).')
  const leaf = leafOf(first)
  const { issuer, kid } = signerOf(leaf, mdoc.issuerKeyId)
  assertSigner(mdoc, leaf)
  const { type, claims } = claimsOf(mdoc, types)
  const { validity, deviceKey } = mdoc
  const { kind, jwk } = publicKeyFromJwk(deviceKey)
  const subjectId = didKeyOf({ kind, jwk })
  const device = 'device' in mdoc ? mdoc.device : undefined
  return {
    format: 'mso_mdoc',
    compact,
    signature: signatureOf(mdoc, leaf, kid),
    // Nothing in an mdoc names it.
    id: undefined,
    issuer,
    type,
    subjectId,
    confirmation: { ...jwk },
    claims: { id: subjectId, ...claims },
    issuedAt: validity.signed,
    validFrom: narrow(validity.validFrom, leaf.notBefore, Math.max),
    validUntil: narrow(validity.validUntil, leaf.notAfter, Math.min),
    status: statusOf(mdoc.status),
    partial: 'any',
    keyBinding: undefined,
    document: elementsInJson(mdoc.namespaces),
    mdoc: {
      docType: mdoc.docType,
      digest: mdoc.digest,
      ...(device === undefined ? {} : { vouches: transcript => device.vouches(transcript) }),
    },
  }
}

/**
 * The documents of a `DeviceResponse`, or the one that an `IssuerSigned` is.
 * @throws Refusal those of `readDeviceResponse` and `readIssuerSigned`
 */
export const mdocsIn = (compact: string): (OpenedMdoc | PresentedMdoc)[] => {
  const spent = { items: 0 }
  const item = decode(bytesOf(compact), { spent })
  if (item instanceof Map && item.has('issuerAuth')) return [readIssuerSigned(item, spent)]
  const { documents, status } = readDeviceResponse(item, spent)
  if (status !== 0 || documents.length === 0) throw malformed('The device response brings no document.')
  return [...documents]
}

const open = (compact: string, types: CredentialTypes): Opened => {
  const [mdoc, ...others] = mdocsIn(compact)
  if (mdoc === undefined || others.length > 0) throw malformed('A device response is judged here with one document.')
  return openedMdoc(mdoc, compact, types)
}

/** An mdoc is no W3C credential; these are its claims in the shape that readers of one look for. */
const show = ({ type, issuer, claims, mdoc }: Opened): Record<string, unknown> => ({
  '@context': ['https://www.w3.org/ns/credentials/v2'],
  type: ['VerifiableCredential', type.id],
  docType: mdoc?.docType,
  issuer,
  credentialSubject: claims,
})

/** ISO/IEC 18013-5 mdoc: `IssuerSigned`, or a `DeviceResponse` around it, as base64url (OpenID4VCI 1.0, annex A.2). */
export const msoMdoc: Format = { id: 'mso_mdoc', mediaType: 'application/mdoc', secure, open, show }
