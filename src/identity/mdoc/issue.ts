import { hash, type JsonWebKey, randomBytes, randomInt } from 'node:crypto'
import { encode, Tag } from '../cbor.ts'
import { type CoseSign, sign1Item } from '../cose/sign1.ts'
import {
  type DigestAlgorithm,
  digestAlgorithms,
  type KeyAuthorizations,
  type MdocStatus,
  type MdocValidity,
  securityObjectItem,
} from './security-object.ts'
import { cborTag, encodedBytes } from './values.ts'

/** What is about to be issued as an mdoc. */
export type MdocDraft = {
  /** For a driving licence: org.iso.18013.5.1.mDL. */
  docType: string
  /** Data elements by namespace and name: CBOR values; dates by `fullDate` and `dateTime` of values.ts. */
  namespaces: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** The public key of the holder's device: P-256, P-384 or Ed25519 where it is to sign. */
  deviceKey: JsonWebKey
  validity: MdocValidity
  status?: MdocStatus
  keyAuthorizations?: KeyAuthorizations
  /** @default SHA-256 */
  digestAlgorithm?: DigestAlgorithm
  algorithm: 'ES256' | 'ES384' | 'EdDSA'
  /** DER, the document signer's certificate first, the root left out (ISO/IEC 18013-5, section 9.1.2.4). */
  chain: readonly Uint8Array[]
  /** Names the signer's key for readers who look it up otherwise than by its certificate. */
  kid?: string
}

/** ISO/IEC 18013-5, section 9.1.2.5, asks for 16 at least. */
const saltOctets = 32

/** Numbers 0 to n-1 in an order that says nothing about what they stand for. */
const shuffled = (count: number): number[] => {
  const ids = Array.from({ length: count }, (_each, index) => index)
  for (let last = count - 1; last > 0; last--) {
    const other = randomInt(last + 1)
    const id = ids[last] as number
    ids[last] = ids[other] as number
    ids[other] = id
  }
  return ids
}

/** `IssuerSignedItemBytes` of a namespace, each with its digest. */
const itemsOf = (elements: Readonly<Record<string, unknown>>, algorithm: DigestAlgorithm) => {
  const entries = Object.entries(elements)
  const ids = shuffled(entries.length)
  const salts = randomBytes(saltOctets * entries.length)
  return entries.map(([elementIdentifier, elementValue], at) => {
    const digestID = ids[at] as number
    const random = salts.subarray(saltOctets * at, saltOctets * (at + 1))
    const octets = encode({ digestID, random, elementIdentifier, elementValue })
    const digest = hash(digestAlgorithms[algorithm], encodedBytes(octets), 'buffer')
    return { item: new Tag(cborTag.encoded, octets), digestID, digest }
  })
}

/**
 * Issues an mdoc: `IssuerSigned` (ISO/IEC 18013-5, section 8.3.2.1.2.2), each data element with a salt of its own and
 * a digest under a shuffled id, signed by the document signer. As base64url it is the `credential` of OpenID4VCI 1.0,
 * annex A.2.4.
 */
export const issueMdoc = async (draft: MdocDraft, sign: CoseSign): Promise<Uint8Array> => {
  const { digestAlgorithm = 'SHA-256', namespaces, algorithm, chain, kid } = draft
  const { docType, deviceKey, validity, status, keyAuthorizations = { nameSpaces: [], dataElements: {} } } = draft
  const items = Object.entries(namespaces).map(([namespace, elements]) => ({
    namespace,
    items: itemsOf(elements, digestAlgorithm),
  }))
  const digests = new Map(
    items.map(({ namespace, items: each }) => [
      namespace,
      new Map(each.map(({ digestID, digest }) => [digestID, digest])),
    ]),
  )
  const object = securityObjectItem({
    docType,
    digestAlgorithm,
    digests,
    deviceKey,
    keyAuthorizations,
    validity,
    ...(status === undefined ? {} : { status }),
  })
  const payload = encodedBytes(encode(object))
  const issuerAuth = await sign1Item(
    { algorithm, x5chain: chain, payload, ...(kid === undefined ? {} : { kid }) },
    sign,
  )
  const nameSpaces = new Map(items.map(({ namespace, items: each }) => [namespace, each.map(({ item }) => item)]))
  return encode({ nameSpaces, issuerAuth })
}
